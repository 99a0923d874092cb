//! What changed in a folder since it was last looked at: new mail, flags, what is gone, what is missing.
//!
//! The steps of a pull, each ending at a point that a cursor can name:
//! 1. SELECT. Another UIDVALIDITY voids all that is known; nothing new under it ends the pull here.
//! 2. New mail above the cursor, and changed flags (by modification sequence, RFC 7162, else by
//!    comparing all), asked for in one go.
//! 3. Where the server's count is not ours, its UIDs: what it does not list is gone (promise I8).
//! 4. What is missing below, newest first, in windows.

use std::collections::VecDeque;

use super::Session;
use super::answer::Verdict;
use super::changes::{Again, Compare};
use super::command::Command;
use super::heads::{self, FIRST, Heads, Out};
use super::link::{Tag, deaf};
use super::reply::Reply;
use super::select::Mailbox;
use super::sets::{self, Ranges};
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, UidSet};
use crate::protocol::{Change, Flow, Known, Sink};

/// New mail is fetched in one go if its UIDs span no more than this.
const GAP: u32 = 1000;
/// How many messages one comparison of flags takes.
const COMPARED: usize = 4000;

/// What a first look asks for before all else.
struct First {
    newest: Tag,
    /// From which message number on.
    lowest: u32,
    /// Which messages there are, if they are more.
    all: Option<Tag>,
}

impl Session {
    /// See [`MailProtocol::pull`](crate::protocol::MailProtocol::pull).
    pub(super) fn look(&mut self, remote: &str, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        let before = known.cursor();
        let select = self.link.select(remote)?;
        // A first look knows from LIST how many messages there are, and asks for the newest at once.
        let guess = self.counts.get(remote).copied().filter(|&count| before.validity == 0 && count > 0);
        let first = guess.map(|count| self.ask_first(count)).transpose()?;
        let opened = self.link.selected(remote, &select);
        if let (Err(_), Some(first)) = (&opened, &first) {
            for tag in first.all.iter().chain([&first.newest]) {
                let _ = self.link.answer(tag, &mut deaf);
            }
        }
        opened?;
        let mailbox = self.link.mailbox()?;
        self.seen.insert(remote.to_owned(), mailbox.clone());
        let sizes = self.sizes.remove(remote).filter(|(validity, _)| *validity == mailbox.validity);
        let sizes = sizes.map(|(_, sizes)| sizes).unwrap_or_default();
        let mut out = Out { sink, validity: mailbox.validity, flow: Flow::Continue, sizes };
        let at = if before.validity == mailbox.validity {
            self.look_again(&mailbox, before, known, &mut out)
        } else {
            self.look_anew(&mailbox, before, first, &mut out)
        };
        self.sizes.insert(remote.to_owned(), (mailbox.validity, out.sizes));
        at
    }

    /// Asks for the newest messages of a mailbox that holds `count`, and which others there are.
    fn ask_first(&mut self, count: u32) -> Result<First> {
        let lowest = count.saturating_sub(FIRST - 1).max(1);
        let items = heads::items(&self.link.state.offers);
        let newest = self.link.send(&Command::new(format!("FETCH {lowest}:* {items}")))?;
        let all = if lowest > 1 { Some(self.ask_all()?) } else { None };
        Ok(First { newest, lowest, all })
    }

    /// Nothing is known yet, or nothing that holds any more.
    fn look_anew(
        &mut self,
        mailbox: &Mailbox,
        before: Cursor,
        first: Option<First>,
        out: &mut Out<'_>,
    ) -> Result<Cursor> {
        if before.validity != 0 {
            out.tell(Change::Reset { validity: mailbox.validity })?;
            if out.flow == Flow::Stop {
                return Ok(before);
            }
        }
        let nothing = UidSet::new();
        let mut at = mailbox.top();
        if at.uidnext != 0 {
            out.tell(Change::Covered(at))?;
        }
        let messages = u64::from(mailbox.exists);
        if messages > 0 {
            out.tell(Change::Expect { messages })?;
        }
        let mut first = match first {
            Some(first) => Some(first),
            None if mailbox.exists > 0 => Some(self.ask_first(mailbox.exists)?),
            None => None,
        };
        let mut search = None;
        let mut complete = mailbox.exists == 0;
        while let Some(First { newest, lowest, all }) = first.take() {
            search = all.or(search);
            let mut heads = Heads::new(out, 1, &nothing);
            let answer = self.link.answer(&newest, &mut heads)?;
            heads.release()?;
            let told = std::mem::take(&mut heads.told);
            if answer.verdict == Verdict::Bad && lowest > mailbox.exists {
                // The count of LIST was not true any more.
                first = if mailbox.exists > 0 { Some(self.ask_first(mailbox.exists)?) } else { None };
                continue;
            }
            if answer.verdict == Verdict::Bad {
                return Err(trouble::refused("the server does not tell of its messages", &answer));
            }
            // Messages told as new here may have come after the count was told.
            at.uidnext = at.uidnext.max(sets::highest(&told).map_or(1, |uid| uid.saturating_add(1)));
            at.backfill = sets::lowest(&told).unwrap_or(at.uidnext);
            complete = lowest == 1 && answer.verdict == Verdict::Ok;
        }
        if complete {
            at.backfill = 1;
        }
        if at.uidnext == 0 {
            at.uidnext = 1;
        }
        out.tell(Change::Covered(at))?;
        let there = match search {
            Some(tag) => Some(self.all(&tag)?),
            None if at.backfill > 1 && out.flow == Flow::Continue => {
                let tag = self.ask_all()?;
                Some(self.all(&tag)?)
            }
            None => None,
        };
        match there {
            Some(there) if at.backfill > 1 => {
                let missing = sets::between(&there, 1, at.backfill - 1);
                heads::bring(&mut self.link, out, missing, &nothing, at, FIRST as usize)
            }
            _ => Ok(at),
        }
    }

    fn look_again(
        &mut self,
        mailbox: &Mailbox,
        before: Cursor,
        known: &dyn Known,
        out: &mut Out<'_>,
    ) -> Result<Cursor> {
        let same = mailbox.modseq != 0 && before == Cursor { backfill: 1, ..mailbox.top() };
        // Where modification sequences count expunges too, they say it all (RFC 7162 section 3.2.4).
        if same && self.link.state.offers.has("QRESYNC") {
            return Ok(before);
        }
        let held = known.uids()?;
        if same && held.len() == u64::from(mailbox.exists) {
            return Ok(before);
        }
        let mut at = before;
        let uidnext = self.uidnext(mailbox)?;
        let leap = uidnext.saturating_sub(before.uidnext) > GAP;
        let new =
            if uidnext > before.uidnext && !leap { Some(self.ask_above(before.uidnext)?) } else { None };
        // A server restored from a backup may count from lower on: then nothing can be said by it.
        let by_modseq = before.modseq != 0 && mailbox.modseq >= before.modseq;
        // What is held above the cursor are copies that we made: they change like others. Where new mail is
        // asked for in one go their flags come with it.
        let below = if leap { uidnext } else { before.uidnext };
        let changed = if by_modseq && mailbox.modseq != before.modseq && below > 1 {
            Some(self.ask_changed(below - 1, before.modseq)?)
        } else {
            None
        };
        let mut ear = Again { heads: Heads::new(out, before.uidnext.max(1), &held), below, strange: false };
        if let Some(tag) = new {
            let answer = self.link.answer(&tag, &mut ear)?;
            if answer.verdict != Verdict::Ok {
                return Err(trouble::refused("the server does not tell of its new messages", &answer));
            }
            ear.heads.expect()?;
            ear.heads.release()?;
            at.uidnext = uidnext.max(sets::highest(&ear.heads.told).map_or(0, |uid| uid.saturating_add(1)));
            ear.heads.out.tell(Change::Covered(at))?;
        }
        let count = held.len() + ear.heads.told.len();
        if let Some(tag) = &changed {
            let answer = self.link.answer(tag, &mut ear)?;
            if answer.verdict != Verdict::Ok {
                return Err(trouble::refused("the server does not tell which flags changed", &answer));
            }
        }
        let mut doubt = ear.strange;
        if !by_modseq {
            doubt |= self.compare_flags(known, out)?;
            if out.flow == Flow::Stop {
                // Perhaps not all were compared: the next look does it again.
                return Ok(at);
            }
        }
        let exists = self.link.mailbox()?.exists;
        let there = if doubt || leap || before.backfill > 1 || count != u64::from(exists) {
            let tag = self.ask_all()?;
            Some(self.all(&tag)?)
        } else {
            None
        };
        if let Some(there) = &there {
            for uid in sets::difference(&held, there).iter().rev() {
                out.tell(Change::Gone { id: out.id(uid), certain: false })?;
                if out.flow == Flow::Stop {
                    return Ok(at);
                }
            }
        }
        at.modseq = mailbox.modseq;
        if at != before {
            out.tell(Change::Covered(at))?;
        }
        match there {
            Some(there) if out.flow == Flow::Continue => {
                let top = if leap { uidnext } else { before.uidnext };
                let missing = sets::between(&sets::difference(&there, &held), 1, top.saturating_sub(1));
                let covered = at;
                at.uidnext = at.uidnext.max(top);
                if missing.is_empty() {
                    at.backfill = 1;
                    if at != covered {
                        out.tell(Change::Covered(at))?;
                    }
                    return Ok(at);
                }
                out.tell(Change::Expect { messages: missing.len() })?;
                heads::bring(&mut self.link, out, missing, &held, at, FIRST as usize)
            }
            _ => Ok(at),
        }
    }

    /// UIDNEXT; servers of old do not tell it at SELECT.
    fn uidnext(&mut self, mailbox: &Mailbox) -> Result<u32> {
        if mailbox.uidnext != 0 || mailbox.exists == 0 {
            return Ok(mailbox.uidnext);
        }
        let mut highest = 0;
        let mut hear = |reply: Reply| match reply {
            Reply::Fetch(told) if told.flags.is_none() => {
                highest = highest.max(told.uid.unwrap_or(0));
                Ok(None)
            }
            other => Ok(Some(other)),
        };
        self.link.ask(
            "the server does not tell its newest message",
            &Command::new("FETCH * (UID)"),
            &mut hear,
        )?;
        Ok(highest.saturating_add(1))
    }

    fn ask_above(&mut self, uidnext: u32) -> Result<Tag> {
        let items = heads::items(&self.link.state.offers);
        self.link.send(&Command::new(format!("UID FETCH {}:* {items}", uidnext.max(1))))
    }

    fn ask_changed(&mut self, last: u32, modseq: u64) -> Result<Tag> {
        self.link.send(&Command::new(format!("UID FETCH 1:{last} (UID FLAGS) (CHANGEDSINCE {modseq})")))
    }

    /// Asks which messages there are.
    fn ask_all(&mut self) -> Result<Tag> {
        let offers = &self.link.state.offers;
        let short = offers.has("ESEARCH") || offers.has("IMAP4REV2");
        self.link.send(&Command::new(if short { "UID SEARCH RETURN (ALL) ALL" } else { "UID SEARCH ALL" }))
    }

    /// Which messages there are. Believed only if the answer is complete and fits the count.
    fn all(&mut self, tag: &str) -> Result<UidSet> {
        let mut found = self.found(tag)?;
        if found.is_none() {
            // It may have come with the answer to an earlier command.
            let tag = self.ask_all()?;
            found = self.found(&tag)?;
        }
        let exists = u64::from(self.link.mailbox()?.exists);
        let found = found.unwrap_or_default();
        // Mail may come or go meanwhile; what is far off is not an answer.
        if found.count() > exists + 10_000 || (found.count() == 0 && exists > 0) {
            return Err(Error::new(
                Kind::Protocol,
                format!("the server says that it has {exists} messages, but lists {}", found.count()),
            ));
        }
        Ok(found.into_set())
    }

    fn found(&mut self, tag: &str) -> Result<Option<Ranges>> {
        let mut found = None;
        let mut hear = |reply: Reply| match reply {
            Reply::Found(ranges) => {
                found = ranges;
                Ok(None)
            }
            other => Ok(Some(other)),
        };
        let answer = self.link.answer(tag, &mut hear)?;
        if answer.verdict != Verdict::Ok {
            return Err(trouble::refused("the server does not tell which messages it has", &answer));
        }
        Ok(found)
    }

    /// Compares the flags of all known messages, newest first. Whether one was not told of.
    fn compare_flags(&mut self, known: &dyn Known, out: &mut Out<'_>) -> Result<bool> {
        let told = known.flags()?;
        let mut ear = Compare { out, told: &told, seen: vec![false; told.len()] };
        let mut ahead = VecDeque::new();
        let mut parts = told.rchunks(COMPARED);
        loop {
            while ahead.len() < 2
                && ear.out.flow == Flow::Continue
                && let Some(part) = parts.next()
            {
                let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
                let command = Command::new(format!("UID FETCH {}:{} (UID FLAGS)", first.0, last.0));
                ahead.push_back(self.link.send(&command)?);
            }
            let Some(tag) = ahead.pop_front() else { break };
            let answer = self.link.answer(&tag, &mut ear)?;
            if answer.verdict == Verdict::Bad {
                return Err(trouble::refused("the server does not tell its flags", &answer));
            }
        }
        Ok(ear.seen.contains(&false))
    }
}
