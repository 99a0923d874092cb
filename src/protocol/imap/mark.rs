//! Flags and keywords of mail on the server (promises I5, A8).
//!
//! What a folder keeps is told when it is selected (PERMANENTFLAGS). Servers have limits that they do not
//! tell, and some drop a keyword in silence: so the answer to a keyword is read, and one that is not kept is
//! reported, never an error.

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::names::encode_keyword;
use super::reply::Reply;
use super::select::Mailbox;
use super::sets;
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::{FlagDelta, Flags, UidSet, is_same_tag};
use crate::protocol::{Applied, RemoteId};

const DOING: &str = "the server does not change the flags";

/// A keyword as it was asked for, and on the wire.
type Word<'a> = (&'a String, String);

impl Session {
    /// Sets and clears flags and keywords.
    pub(super) fn flag(
        &mut self,
        remote: &str,
        ids: &[RemoteId],
        delta: FlagDelta,
        add: &[String],
        del: &[String],
    ) -> Result<Applied> {
        let mailbox = self.link.open(remote)?;
        let uids = mailbox.uids(ids)?;
        if mailbox.read_only {
            if delta.is_empty() {
                return Ok(Applied::Unkept { keywords: [add, del].concat() });
            }
            return Err(Error::new(Kind::Refused, "the folder is read-only on the server"));
        }
        let mut commands = Vec::new();
        for line in sets::lines(&uids) {
            for (sign, flags) in [("+", delta.add), ("-", delta.del)] {
                let list = list(flags, &[], &mailbox);
                if !list.is_empty() {
                    commands.push(Command::new(format!("UID STORE {line} {sign}FLAGS.SILENT ({list})")));
                }
            }
        }
        self.carry_out(DOING, &commands, &mailbox, &uids)?;
        let mut unkept = Vec::new();
        for (sign, words) in [("+", add), ("-", del)] {
            let (kept, not) = split(words, &mailbox);
            unkept.extend(not);
            unkept.extend(self.keyword(sign, &kept, &uids)?);
        }
        Ok(if unkept.is_empty() { Applied::done() } else { Applied::Unkept { keywords: unkept } })
    }

    /// Sets or clears keywords that the folder may keep; those that the server does not keep after all.
    fn keyword(&mut self, sign: &str, words: &[Word<'_>], uids: &UidSet) -> Result<Vec<String>> {
        let mut unkept: Vec<String> = Vec::new();
        let names: Vec<&str> = words.iter().map(|(_, wire)| wire.as_str()).collect();
        for line in sets::lines(uids).iter().filter(|_| !words.is_empty()) {
            let command = Command::new(format!("UID STORE {line} {sign}FLAGS ({})", names.join(" ")));
            let tag = self.link.send(&command)?;
            let mut lost: Vec<&String> = Vec::new();
            let answer = self.link.answer(&tag, &mut |reply| {
                let Reply::Fetch(told) = reply else { return Ok(Some(reply)) };
                if told.uid.is_some_and(|uid| !uids.contains(uid)) {
                    return Ok(Some(Reply::Fetch(told)));
                }
                if let Some((_, there)) = &told.flags {
                    let has = |word: &String| there.iter().any(|name| is_same_tag(name, word));
                    lost.extend(words.iter().map(|(word, _)| *word).filter(|word| !has(word)));
                }
                Ok(None)
            })?;
            match answer.verdict {
                Verdict::Ok if sign == "+" => unkept.extend(lost.into_iter().cloned()),
                Verdict::Ok => {}
                _ if !self.are_there(uids)? => {}
                _ => {
                    let error = trouble::refused(DOING, &answer);
                    // LIMIT is also said of a server that has all the keywords it can have.
                    if !matches!(error.kind(), Kind::Refused | Kind::Protocol) && !answer.says("LIMIT") {
                        return Err(error);
                    }
                    tracing::warn!("keywords stay here: {error}");
                    unkept.extend(words.iter().map(|(word, _)| (*word).clone()));
                }
            }
        }
        unkept.sort_unstable();
        unkept.dedup();
        Ok(unkept)
    }
}

/// Flags and keywords with blanks between, those that a folder keeps.
pub(super) fn list(flags: Flags, keywords: &[String], mailbox: &Mailbox) -> String {
    // `$Forwarded` is a keyword to the server.
    let system = flags.wire_names().filter(|name| name.starts_with('\\') || mailbox.keeps(name));
    let words = keywords.iter().filter_map(|word| encode_keyword(word)).filter(|word| mailbox.keeps(word));
    system.map(str::to_owned).chain(words).collect::<Vec<_>>().join(" ")
}

/// Keywords that the folder may keep, and those that it does not.
fn split<'a>(words: &'a [String], mailbox: &Mailbox) -> (Vec<Word<'a>>, Vec<String>) {
    let (mut kept, mut not) = (Vec::new(), Vec::new());
    for word in words {
        match encode_keyword(word).filter(|wire| mailbox.keeps(wire)) {
            Some(wire) => kept.push((word, wire)),
            None => not.push(word.clone()),
        }
    }
    (kept, not)
}
