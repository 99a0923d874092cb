//! The selected mailbox (RFC 9051 section 6.3.2).

use super::answer::{Answer, Code, Verdict};
use super::command::Command;
use super::link::{Ear, Link, Tag};
use super::names;
use super::reply::Reply;
use super::sets::Ranges;
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, Flags};
use crate::protocol::RemoteId;

/// What the server said of the mailbox when it was selected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Mailbox {
    /// Its key.
    pub(super) remote: String,
    /// UIDVALIDITY.
    pub(super) validity: u32,
    /// UIDNEXT; 0: not told.
    pub(super) uidnext: u32,
    /// How many messages it holds, kept up to date.
    pub(super) exists: u32,
    /// How many it held when it was selected.
    pub(super) count: u32,
    /// HIGHESTMODSEQ; 0: none.
    pub(super) modseq: u64,
    /// PERMANENTFLAGS; `None`: not told, then all may be kept.
    pub(super) permanent: Option<Vec<String>>,
    /// It may not be changed.
    pub(super) read_only: bool,
}

impl Mailbox {
    /// Whether the server keeps this keyword.
    pub(super) fn keeps(&self, keyword: &str) -> bool {
        match &self.permanent {
            None => true,
            Some(flags) => flags.iter().any(|f| f == "\\*" || f.eq_ignore_ascii_case(keyword)),
        }
    }

    /// The state as it was told, with everything below still to be asked for.
    pub(super) fn top(&self) -> Cursor {
        Cursor { validity: self.validity, uidnext: self.uidnext, modseq: self.modseq, backfill: self.uidnext }
    }

    /// The UIDs of `ids`, which must be of this UIDVALIDITY.
    pub(super) fn uids(&self, ids: &[RemoteId]) -> Result<crate::model::UidSet> {
        ids.iter()
            .map(|id| match id {
                RemoteId::Uid { validity, uid } if *validity == self.validity && *uid != 0 => Ok(*uid),
                _ => Err(Error::new(Kind::Conflict, "the server numbered this folder anew")
                    .hint("it is looked at again, then this is tried again")),
            })
            .collect()
    }

    fn hear(&mut self, reply: Reply) -> Option<Reply> {
        match reply {
            Reply::Exists(count) => self.exists = count,
            Reply::Flags(_) => {}
            // Some servers expunge between the count and the answer.
            Reply::Expunge => self.exists = self.exists.saturating_sub(1),
            Reply::Says(Answer { verdict: Verdict::Ok, code: Some(code), .. }) => match code {
                Code::UidNext(uid) => self.uidnext = uid,
                Code::UidValidity(validity) => self.validity = validity,
                Code::HighestModSeq(modseq) => self.modseq = modseq,
                Code::PermanentFlags(flags) => self.permanent = Some(flags),
                _ => {}
            },
            other => return Some(other),
        }
        None
    }
}

/// So many changes are kept while a SELECT is answered; of more is asked anew, and they are told as they come.
const KEPT: usize = 100_000;

/// What came with the answer to a SELECT: all that changed since a cursor (QRESYNC, RFC 7162 section 3.2.5).
#[derive(Debug, Default)]
pub(super) struct Came {
    /// The flags of what changed, new mail perhaps among it.
    pub(super) flags: Vec<(u32, Flags, Vec<String>)>,
    /// What is not there any more, much of it perhaps never known here.
    pub(super) gone: Ranges,
    /// There was more than can be kept, or what could not be understood: this is not all.
    pub(super) lacks: bool,
}

/// Listens to the answer of a SELECT.
struct Opening {
    mailbox: Mailbox,
    came: Came,
}

impl Ear for Opening {
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        match reply {
            // Whatever came so far was of the mailbox before.
            Reply::Says(Answer { code: Some(Code::Word(word)), .. }) if word == "CLOSED" => {
                self.came = Came::default();
                self.mailbox =
                    Mailbox { remote: std::mem::take(&mut self.mailbox.remote), ..Mailbox::default() };
            }
            Reply::Vanished { uids, earlier: true } => {
                let all = uids.and_then(|uids| self.came.gone.append(&uids));
                self.came.lacks |= all.is_none();
            }
            Reply::Fetch(told) => match (told.uid, told.flags) {
                (Some(uid), Some((flags, keywords))) if self.came.flags.len() < KEPT => {
                    self.came.flags.push((uid, flags, keywords));
                }
                _ => self.came.lacks = true,
            },
            other => return Ok(self.mailbox.hear(other)),
        }
        Ok(None)
    }

    fn is_bulk(&self) -> bool {
        true
    }
}

impl Link {
    /// Sends the SELECT of a mailbox; [`selected`](Self::selected) must follow. With `since`, what changed
    /// since then is told with the answer, where the server can.
    pub(super) fn select(&mut self, remote: &str, since: Option<Cursor>) -> Result<Tag> {
        let command = Command::new("SELECT").mailbox(&names::bytes(remote));
        self.state.selected = None;
        self.state.news = false;
        let name = names::bytes(remote);
        self.state.counted.retain(|counts| counts.name != name);
        // What is still said in answer to these is of the mailbox before, not of this one.
        self.state.before = self.state.open.clone();
        let command = match since.filter(|_| self.state.resyncs) {
            Some(Cursor { validity, modseq, .. }) => {
                command.text(&format!(" (QRESYNC ({validity} {modseq}))"))
            }
            None if self.state.offers.has_modseq() => command.text(" (CONDSTORE)"),
            None => command,
        };
        self.send(&command)
    }

    /// Listens to the answer of a SELECT.
    pub(super) fn selected(&mut self, remote: &str, tag: &str) -> Result<Came> {
        for earlier in std::mem::take(&mut self.state.before) {
            self.pass(&earlier)?;
        }
        let mailbox = Mailbox { remote: remote.to_owned(), ..Mailbox::default() };
        let mut opening = Opening { mailbox, came: Came::default() };
        let answer = self.answer(tag, &mut opening)?;
        if answer.verdict != Verdict::Ok {
            return Err(trouble::refused("the server does not open the folder", &answer));
        }
        let Opening { mut mailbox, came } = opening;
        mailbox.read_only = answer.says("READ-ONLY");
        if mailbox.validity == 0 {
            return Err(Error::new(
                Kind::Unsupported,
                "the server has no lasting names for messages (UIDVALIDITY)",
            ));
        }
        mailbox.count = mailbox.exists;
        self.state.selected = Some(mailbox);
        Ok(came)
    }

    /// Selects a mailbox, whatever was selected before, and says what the server told.
    pub(super) fn open_anew(&mut self, remote: &str) -> Result<Mailbox> {
        let tag = self.select(remote, None)?;
        self.selected(remote, &tag)?;
        self.mailbox()
    }

    /// Selects a mailbox if it is not selected already.
    pub(super) fn open(&mut self, remote: &str) -> Result<Mailbox> {
        match &self.state.selected {
            Some(mailbox) if mailbox.remote == remote => Ok(mailbox.clone()),
            _ => self.open_anew(remote),
        }
    }

    /// The selected mailbox.
    pub(super) fn mailbox(&self) -> Result<Mailbox> {
        self.state.selected.clone().ok_or_else(|| Error::new(Kind::Bug, "no folder is selected"))
    }
}
