//! A message put into a folder, exactly once (promise I7).
//!
//! APPEND (RFC 9051 section 6.3.12) cannot be repeated blindly. Where the folder ended is told before; after
//! an answer that was lost, what came into the folder since is compared, header by header, before the
//! message is put there again.

use super::Session;
use super::answer::{Code, Verdict};
use super::apply::with_folder;
use super::command::Command;
use super::date;
use super::framer::Place;
use super::link::{Ear, deaf};
use super::mark;
use super::names::{self, plain};
use super::reply::Reply;
use super::sets;
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{Mark, UidSet};
use crate::protocol::{BodySource, Letter, Likeness, RemoteId};

/// A longer header is no proof of anything.
const HEADER: u64 = 256 << 10;

impl Session {
    /// Where a folder ends. Leaves it selected.
    pub(super) fn end_of(&mut self, remote: &str) -> Result<Mark> {
        let mailbox = match self.link.open_anew(remote) {
            Ok(mailbox) => mailbox,
            Err(e) if matches!(e.kind(), Kind::Refused | Kind::Gone) => {
                return Ok(Mark { validity: 0, uidnext: 1 });
            }
            Err(e) => return Err(e),
        };
        let uidnext = match (mailbox.uidnext, mailbox.exists) {
            (0, 0) => 1,
            // A server that does not tell (RFC 3501 section 6.3.1 lets old ones).
            (0, _) => {
                self.search("UID *")?.ranges().last().map_or(1, |&(_, newest)| newest.saturating_add(1))
            }
            (told, _) => told,
        };
        Ok(Mark { validity: mailbox.validity, uidnext })
    }

    /// The message, if it came into its folder since then.
    pub(super) fn arrived(&mut self, letter: &Letter, since: Mark) -> Result<Option<RemoteId>> {
        let mailbox = match self.link.open_anew(&letter.folder.remote) {
            Ok(mailbox) if mailbox.exists > 0 => mailbox,
            Ok(_) => return Ok(None),
            Err(e) if matches!(e.kind(), Kind::Refused | Kind::Gone) => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut ear = Comparing { letter, from: 1, best: (Likeness::None, u32::MAX) };
        let lines = if since.validity == 0 || since.validity == mailbox.validity {
            ear.from = if since.validity == 0 { 1 } else { since.uidnext.max(1) };
            vec![format!("{}:*", ear.from)]
        } else {
            sets::lines(&self.namesakes(letter)?)
        };
        for line in lines {
            let command = Command::new(format!("UID FETCH {line} (UID RFC822.SIZE BODY.PEEK[HEADER])"));
            let tag = self.link.send(&command)?;
            let answer = self.link.answer(&tag, &mut ear)?;
            if answer.verdict != Verdict::Ok {
                return Err(trouble::refused(
                    "the server does not show whether the message is there",
                    &answer,
                ));
            }
        }
        let (likeness, uid) = ear.best;
        let id = RemoteId::Uid { validity: mailbox.validity, uid };
        Ok(Some(id).filter(|_| likeness > Likeness::None))
    }

    /// Messages of the selected folder, which was numbered anew, with the Message-ID.
    fn namesakes(&mut self, letter: &Letter) -> Result<UidSet> {
        let msgid = letter.envelope.msgid.as_bytes();
        if msgid.is_empty() || !msgid.iter().all(u8::is_ascii_graphic) {
            return Err(Error::new(
                Kind::Refused,
                "the server numbered the folder anew, so nobody can tell whether the message is in it",
            )
            .hint("Look into the folder before it is tried again"));
        }
        let mut found = None;
        let search = Command::new("UID SEARCH HEADER MESSAGE-ID").string(msgid);
        self.link.ask("the server does not search", &search, &mut |reply| match reply {
            Reply::Found(ranges) => {
                found = ranges;
                Ok(None)
            }
            other => Ok(Some(other)),
        })?;
        Ok(found.unwrap_or_default().into_set())
    }

    /// The longest message that a folder takes (RFC 7889), where that is told: for all folders with the
    /// capabilities, or for each by itself, which is asked once in a session.
    fn longest(&mut self, remote: &str) -> Result<Option<u64>> {
        if !self.link.state.offers.has("APPENDLIMIT") {
            return Ok(self.link.state.offers.longest_message());
        }
        if let Some(told) = self.longest.get(remote) {
            return Ok(*told);
        }
        let (name, mut limit) = (names::bytes(remote), None);
        let tag = self.link.send(&Command::new("STATUS").mailbox(&name).text(" (APPENDLIMIT)"))?;
        // A folder that is not there yet takes what the server takes: the refusal comes after the upload then.
        let answer = self.link.answer(&tag, &mut |reply| match reply {
            Reply::Status(told) if plain(&told.name) == plain(&name) => {
                limit = told.limit;
                Ok(None)
            }
            other => Ok(Some(other)),
        })?;
        if answer.verdict == Verdict::Ok {
            self.longest.insert(remote.to_owned(), limit);
        }
        Ok(limit)
    }

    /// Puts a message into its folder.
    pub(super) fn put(&mut self, letter: &Letter, raw: &mut dyn BodySource) -> Result<Option<RemoteId>> {
        let doing = "the server does not take the message";
        if let Some(limit) = self.longest(&letter.folder.remote)?
            && letter.size > limit
        {
            return Err(Error::new(
                Kind::Refused,
                format!("the message has {} bytes, and the server takes {limit} at most", letter.size),
            )
            .hint("it stays where it is; give it up, or put it into another folder"));
        }
        let (mut odd, mut beginning) = (false, Vec::new());
        raw.read(&mut |bytes| {
            odd |= bytes.contains(&0);
            let room = usize::try_from(HEADER).unwrap_or(0) - beginning.len();
            beginning.extend_from_slice(&bytes[..bytes.len().min(room)]);
            Ok(())
        })?;
        if odd && !self.link.state.offers.has("BINARY") {
            return Err(Error::new(
                Kind::Unsupported,
                "a message with NUL bytes cannot be put on the server",
            ));
        }
        // Letters beyond ASCII in a header are said to be there (RFC 6855 section 4), where that is known to be UTF-8.
        let header = mime::header_block(&beginning);
        if !header.is_ascii() {
            self.link.know_letters()?;
        }
        let speaks = self.link.state.reads_utf8 && !header.is_ascii() && std::str::from_utf8(header).is_ok();
        let (before, after) = match (speaks, odd) {
            (true, _) => ("UTF8 (~", ")"),
            (false, true) => ("~", ""),
            (false, false) => ("", ""),
        };
        let remote = &letter.folder.remote;
        let known = self.link.state.selected.as_ref().filter(|mailbox| mailbox.remote == *remote);
        let mailbox = known.cloned().unwrap_or_default();
        let list = mark::list(letter.flags, &letter.keywords, &mailbox);
        let date = date::write(letter.received).filter(|_| letter.received > 0);
        let date = date.map(|date| format!(" \"{date}\"")).unwrap_or_default();
        let name = names::bytes(remote);
        let command = Command::new("APPEND").mailbox(&name).text(&format!(" ({list}){date} "));
        let mut run = |link: &mut super::link::Link| {
            let tag = link.send_message(&command, (before, letter.size, after), raw)?;
            link.answer(&tag, &mut deaf)
        };
        let answer =
            if letter.make { with_folder(&mut self.link, &name, run)? } else { run(&mut self.link)? };
        match answer.code {
            _ if answer.verdict != Verdict::Ok => Err(trouble::too_much(doing, &answer)),
            Some(Code::AppendUid { validity, uid }) => Ok(Some(RemoteId::Uid { validity, uid })),
            _ => Ok(None),
        }
    }
}

/// Looks for the message among those that came.
struct Comparing<'a> {
    letter: &'a Letter,
    from: u32,
    best: (Likeness, u32),
}

impl Ear for Comparing<'_> {
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        let told = match reply {
            Reply::Fetch(told) if told.head.is_some() => told,
            other => return Ok(Some(other)),
        };
        // `n:*` brings the last message, whatever its number.
        if let (Some(uid), Some(head), Some(size)) = (told.uid, told.head, told.size)
            && uid >= self.from
            && !self.letter.others.contains(&uid)
        {
            let likeness = self.letter.likeness(&mime::envelope(&head), size);
            if likeness > self.best.0 || (likeness == self.best.0 && uid < self.best.1) {
                self.best = (likeness, uid);
            }
        }
        Ok(None)
    }

    fn literal(&mut self, _: &[u8], _: u64) -> Result<Place> {
        Ok(Place::Keep(HEADER))
    }

    fn is_bulk(&self) -> bool {
        true
    }
}
