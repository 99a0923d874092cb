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
use super::anew::First;
use super::answer::Verdict;
use super::changes::{Again, Compare};
use super::command::Command;
use super::heads::{self, Heads, Out};
use super::link::{Ear, Tag};
use super::list::Told;
use super::reply::Reply;
use super::resync::Resynced;
use super::select::{Came, Mailbox};
use super::sets::{self, Ranges};
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, UidSet};
use crate::protocol::{Change, Flow, Known, Sink};

/// New mail is fetched in one go if its UIDs span no more than this.
const GAP: u32 = 1000;
/// How many messages one comparison of flags takes.
const COMPARED: usize = 4000;

/// Whether there is new mail, and not so much of it that it had better come in windows.
fn is_little(before: Cursor, there: Cursor) -> bool {
    before.validity == there.validity
        && there.uidnext > before.uidnext
        && there.uidnext - before.uidnext <= GAP
        && before.uidnext > 0
}

impl Session {
    /// See [`MailProtocol::pull`](crate::protocol::MailProtocol::pull).
    pub(super) fn look(&mut self, remote: &str, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        let before = known.cursor();
        let since = (before.validity != 0 && before.modseq != 0).then_some(before);
        let since = since.filter(|_| self.link.state.resyncs);
        let grown = self.grown(remote);
        self.elsewhere.remove(remote);
        let select = self.link.select(remote, since)?;
        // What is surely there is asked for at once: in a first look the newest, as many as LIST told of, else
        // new mail that was told of.
        let (mut first, mut new) = (None, None);
        match self.told.get(remote) {
            Some(told) if before.validity == 0 => {
                let count = told.messages.filter(|&count| count > 0);
                first = count.map(|count| self.ask_first(count)).transpose()?;
            }
            Some(Told { cursor: Some(there), .. }) if is_little(before, *there) => {
                new = Some(self.ask_above(before.uidnext)?);
            }
            _ if before.uidnext > 0 && (1..=GAP).contains(&grown) => {
                new = Some(self.ask_above(before.uidnext)?);
            }
            _ => {}
        }
        let came = match self.link.selected(remote, &select) {
            Ok(came) => since.map(|_| came),
            Err(error) => {
                let first = first.iter().flat_map(|first: &First| first.all.iter().chain([&first.newest]));
                for tag in first.chain(&new) {
                    self.link.pass(tag)?;
                }
                if since.is_none() || !matches!(error.kind(), Kind::Protocol | Kind::Bug) {
                    return Err(error);
                }
                tracing::warn!("the server does not resynchronize after all: {error}");
                self.link.state.resyncs = false;
                return self.look(remote, known, sink);
            }
        };
        let mailbox = self.link.mailbox()?;
        self.seen.insert(remote.to_owned(), mailbox.clone());
        let sizes = self.sizes.remove(remote).filter(|(validity, _)| *validity == mailbox.validity);
        let sizes = sizes.map(|(_, sizes)| sizes).unwrap_or_default();
        let mut out = Out { sink, validity: mailbox.validity, flow: Flow::Continue, sizes };
        let at = if before.validity == mailbox.validity {
            self.look_again(&mailbox, before, known, (came, new), &mut out)
        } else {
            new.map_or(Ok(()), |tag| self.link.pass(&tag))?;
            self.look_anew(&mailbox, before, first, &mut out)
        };
        self.sizes.insert(remote.to_owned(), (mailbox.validity, out.sizes));
        at
    }

    /// How many mails came into a folder since it was looked at, as far as told while it is selected.
    fn grown(&self, remote: &str) -> u32 {
        let now = self.link.state.selected.as_ref().filter(|mailbox| mailbox.remote == remote);
        let then = self.seen.get(remote).map_or(u32::MAX, |mailbox| mailbox.count);
        now.map_or(0, |now| now.exists.saturating_sub(then))
    }

    fn look_again(
        &mut self,
        mailbox: &Mailbox,
        before: Cursor,
        known: &dyn Known,
        (came, asked): (Option<Came>, Option<Tag>),
        out: &mut Out<'_>,
    ) -> Result<Cursor> {
        let exists = u64::from(mailbox.exists);
        let same = mailbox.modseq != 0 && before == Cursor { backfill: 1, ..mailbox.top() };
        // Without QRESYNC no modification sequence counts what is expunged.
        if same && known.about()? == exists {
            asked.map_or(Ok(()), |tag| self.link.pass(&tag))?;
            return Ok(before);
        }
        let uidnext = self.uidnext(mailbox)?;
        let given = before.uidnext.max(uidnext);
        if mailbox.uidnext != 0
            && before.uidnext != 0
            && let Some(uid) = sets::highest(&known.within(given, u32::MAX)?)
        {
            out.tell(Change::Misnamed { id: out.id(uid) })?;
        }
        let leap = asked.is_none() && uidnext.saturating_sub(before.uidnext) > GAP;
        // A server restored from a backup may count from lower on: then nothing can be said by it.
        let by_modseq = before.modseq != 0 && mailbox.modseq >= before.modseq;
        let mut at = before;
        let (held, told, mut doubt);
        match came.filter(|_| by_modseq && !leap && mailbox.uidnext != 0) {
            Some(came) => match self.resync(mailbox, before, known, (came, asked), out)? {
                Resynced::Whole(at) => return Ok(at),
                Resynced::Partly { at: so_far, held: had, told: new } => {
                    (at, held, told, doubt) = (so_far, had, new, true);
                }
            },
            None => {
                held = known.uids()?;
                if same && held.len() == exists {
                    asked.map_or(Ok(()), |tag| self.link.pass(&tag))?;
                    return Ok(before);
                }
                let new = match asked {
                    Some(tag) => Some(tag),
                    None if uidnext > before.uidnext && !leap => Some(self.ask_above(before.uidnext)?),
                    None => None,
                };
                // What is held above the cursor are copies that we made: they change like others. Where new
                // mail is asked for in one go their flags come with it.
                let below = if leap { uidnext } else { before.uidnext };
                let changed = if by_modseq && mailbox.modseq != before.modseq && below > 1 {
                    Some(self.ask_changed(below - 1, before.modseq)?)
                } else {
                    None
                };
                let heads = Heads::new(out, before.uidnext.max(1), &held);
                let mut ear = Again { heads, below, strange: false };
                if let Some(tag) = new {
                    at = self.newest(&tag, &mut ear, at, uidnext)?;
                }
                if let Some(tag) = &changed {
                    self.changed(tag, &mut ear)?;
                }
                (told, doubt) = (ear.heads.told, ear.strange);
            }
        }
        if !by_modseq {
            doubt |= self.compare_flags(known, out)?;
            if out.flow == Flow::Stop {
                // Perhaps not all were compared: the next look does it again.
                return Ok(at);
            }
        }
        // What was told just now may be in the store already.
        let count = held.len() + sets::difference(&told, &held).len();
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
                let missing = sets::difference(&there, &held).between(1, top.saturating_sub(1));
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
                heads::bring(&mut self.link, out, missing, &held, at)
            }
            _ => Ok(at),
        }
    }

    /// Reports new mail, and whatever else the ear takes; the cursor that covers it.
    pub(super) fn newest(
        &mut self,
        tag: &str,
        ear: &mut Again<'_, '_>,
        mut at: Cursor,
        uidnext: u32,
    ) -> Result<Cursor> {
        let answer = self.link.answer(tag, ear)?;
        if answer.verdict != Verdict::Ok {
            return Err(trouble::refused("the server does not tell of its new messages", &answer));
        }
        ear.heads.expect()?;
        ear.heads.release()?;
        let top = sets::highest(&ear.heads.told).map_or(0, |uid| uid.saturating_add(1));
        let before = at;
        at.uidnext = uidnext.max(at.uidnext).max(top);
        if at != before {
            ear.heads.out.tell(Change::Covered(at))?;
        }
        Ok(at)
    }

    pub(super) fn changed(&mut self, tag: &str, ear: &mut dyn Ear) -> Result<()> {
        let answer = self.link.answer(tag, ear)?;
        if answer.verdict != Verdict::Ok {
            return Err(trouble::refused("the server does not tell which flags changed", &answer));
        }
        Ok(())
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

    pub(super) fn ask_above(&mut self, uidnext: u32) -> Result<Tag> {
        let items = heads::items(&self.link.state.offers);
        self.link.send(&Command::new(format!("UID FETCH {}:* {items}", uidnext.max(1))))
    }

    pub(super) fn ask_changed(&mut self, last: u32, modseq: u64) -> Result<Tag> {
        self.link.send(&Command::new(format!("UID FETCH 1:{last} (UID FLAGS) (CHANGEDSINCE {modseq})")))
    }

    /// Asks which messages there are.
    pub(super) fn ask_all(&mut self) -> Result<Tag> {
        let offers = &self.link.state.offers;
        let short = offers.has("ESEARCH") || offers.has("IMAP4REV2");
        self.link.send(&Command::new(if short { "UID SEARCH RETURN (ALL) ALL" } else { "UID SEARCH ALL" }))
    }

    /// Which messages there are. Believed only if the answer is complete and fits the count.
    pub(super) fn all(&mut self, tag: &str) -> Result<UidSet> {
        self.all_of(tag, None)
    }

    /// The same where the list may have been `heard` already, with the answer to the command before.
    pub(super) fn all_of(&mut self, tag: &str, heard: Option<Ranges>) -> Result<UidSet> {
        let mut found = self.found(tag)?.or(heard);
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
