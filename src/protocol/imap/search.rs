//! The server's own search (RFC 9051 section 6.4.4): what it finds and is not held here is brought as ordinary mail.

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::heads::{self, Heads, Out};
use super::object;
use super::offers::Offers;
use super::reply::Reply;
use super::sets;
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::UidSet;
use crate::protocol::{Flow, HITS, Known, RemoteId, Sink};

impl Session {
    /// See [`MailProtocol::search`](crate::protocol::MailProtocol::search).
    pub(super) fn find_words(
        &mut self,
        remote: &str,
        words: &[String],
        known: &dyn Known,
        sink: &mut dyn Sink,
    ) -> Result<Vec<RemoteId>> {
        let mailbox = self.link.open(remote)?;
        if mailbox.validity != known.cursor().validity {
            return Err(Error::new(Kind::Conflict, "the server numbered this folder anew"));
        }
        let mut found = None;
        let tag = self.link.send(&command(&self.link.state.offers, self.link.state.reads_utf8, words))?;
        let answer = self.link.answer(&tag, &mut |reply| match reply {
            Reply::Found(ranges) => {
                found = ranges;
                Ok(None)
            }
            other => Ok(Some(other)),
        })?;
        if answer.verdict != Verdict::Ok {
            let charset = answer.says("BADCHARSET");
            let error = trouble::refused("the server does not search", &answer);
            return Err(if charset { error.hint("It knows words of ASCII letters only") } else { error });
        }
        let mut all = found.unwrap_or_default().into_set();
        let hits = sets::take_highest(&mut all, HITS);
        let (Some(lo), Some(hi)) = (sets::lowest(&hits), sets::highest(&hits)) else { return Ok(Vec::new()) };
        let held = known.within(lo, hi)?;
        let missing = sets::difference(&hits, &held);
        let mut out =
            Out { sink, validity: mailbox.validity, flow: Flow::Continue, sizes: heads::Sizes::new() };
        let told = if missing.is_empty() {
            UidSet::new()
        } else {
            let mut heads = Heads::new(&mut out, 1, &held);
            // These and no others: what lies between them is not asked for.
            let items = heads::items(&self.link.state.offers);
            let fetch = |line: String| Command::new(format!("UID FETCH {line} {items}"));
            let lines = sets::lines(&missing).into_iter();
            let tags = lines.map(|line| self.link.send(&fetch(line))).collect::<Result<Vec<_>>>()?;
            for tag in tags {
                let answer = self.link.answer(&tag, &mut heads)?;
                if answer.verdict == Verdict::Bad {
                    return Err(trouble::refused("the server does not tell of what it found", &answer));
                }
            }
            heads.release()?;
            heads.told
        };
        // What went since it was found is no hit.
        let is_here = |uid: &u32| held.contains(*uid) || told.contains(*uid);
        let id = |uid| RemoteId::Uid { validity: mailbox.validity, uid };
        Ok(hits.iter().rev().filter(is_here).map(id).collect())
    }
}

/// All of these words, anywhere in a mail; on Gmail by its own search, which knows words and is fast.
fn command<'a>(offers: &Offers, reads_utf8: bool, words: &[String]) -> Command<'a> {
    let short = offers.has("ESEARCH") || offers.has("IMAP4REV2");
    let mut command = Command::new(if short { "UID SEARCH RETURN (ALL)" } else { "UID SEARCH" });
    // Where strings are in UTF-8 anyway no charset may be named (RFC 6855 section 3).
    if !reads_utf8 && !words.iter().all(|word| word.is_ascii()) {
        command = command.text(" CHARSET UTF-8");
    }
    if offers.has(object::LABELS) {
        let quoted = |word: &String| match word.contains(' ') {
            true => format!("\"{}\"", word.replace('"', "")),
            false => word.clone(),
        };
        let all: Vec<String> = words.iter().map(quoted).collect();
        return command.text(" X-GM-RAW").string(all.join(" ").as_bytes());
    }
    words.iter().fold(command, |command, word| command.text(" TEXT").string(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::command::Piece;
    use super::*;

    #[test]
    fn words_go_out_as_the_server_takes_them() {
        let said = |offers: &[&str], words: &[&str]| {
            let offers = Offers::new(offers.iter().map(|&word| word.to_owned()).collect());
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let piece = |piece: &Piece<'_>| match piece {
                Piece::Text(text) => String::from_utf8(text.clone()).unwrap(),
                Piece::Literal(bytes) => format!("{{{}}}", String::from_utf8_lossy(bytes)),
                Piece::Mailbox(_) => String::new(),
            };
            command(&offers, offers.has("UTF8=ACCEPT"), &words).pieces().iter().map(piece).collect::<String>()
        };
        assert_eq!(said(&[], &["tax", "a \"b"]), r#"UID SEARCH TEXT "tax" TEXT "a \"b""#);
        assert_eq!(said(&["ESEARCH"], &["tax"]), r#"UID SEARCH RETURN (ALL) TEXT "tax""#);
        assert_eq!(said(&[], &["größe", "x"]), r#"UID SEARCH CHARSET UTF-8 TEXT {größe} TEXT "x""#);
        assert_eq!(said(&["UTF8=ACCEPT"], &["größe"]), r#"UID SEARCH TEXT {größe}"#);
        assert_eq!(
            said(&["X-GM-EXT-1", "ESEARCH"], &["from:ada", "two words"]),
            r#"UID SEARCH RETURN (ALL) X-GM-RAW "from:ada \"two words\"""#
        );
    }
}
