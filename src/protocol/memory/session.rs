//! A session of IMAP kind with the server in memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::apply::{carry_out, mailbox, no_such, touched};
use super::mailbox::{Mail, Mailbox};
use super::pull::{CHUNK, Pull};
use super::{Call, Server, State};
use crate::error::{Error, Kind, Result};
use crate::mime::{envelope, header_block};
use crate::model::{About, Cursor, FlagDelta, Mark, UidSet};
use crate::net::Interrupt;
use crate::protocol::{
    Applied, BodySink, BodySource, Caps, Change, Flow, FolderRef, HITS, Known, Letter, Likeness,
    MailProtocol, RemoteFolder, RemoteId, RemoteOp, Sink, Wake,
};

/// Bytes of a body handed over at once.
const PIECE: usize = 64 * 1024;

pub(super) struct Session {
    server: Server,
    number: u64,
    epoch: u64,
    interrupt: Interrupt,
    /// Rung by the server at each change: apart from the interrupt, which is the caller's.
    bell: Interrupt,
    /// UIDVALIDITY and modification sequence of each folder when it was last looked at here.
    seen: HashMap<String, (u32, u64)>,
}

impl Session {
    pub(super) fn new(server: &Server, interrupt: &Interrupt) -> Result<Self> {
        let bell = Interrupt::new()?;
        let mut state = server.lock();
        let (number, epoch) = (state.next_session, state.epoch);
        state.next_session += 1;
        state.bells.push((number, bell.clone()));
        drop(state);
        Ok(Self {
            server: server.clone(),
            number,
            epoch,
            interrupt: interrupt.clone(),
            bell,
            seen: HashMap::new(),
        })
    }

    pub(super) fn call(&self, call: Call) -> Result<()> {
        self.server.call(call)?;
        self.interrupt.may_speak()?;
        self.server.alive(self.epoch)
    }

    pub(super) fn with<T>(&self, folder: &FolderRef, act: impl FnOnce(&mut Mailbox) -> T) -> Result<T> {
        self.server.lock().mailbox(&folder.remote).map(act).ok_or_else(|| no_such(folder))
    }

    /// The state of a folder as a cursor over nothing but its newest end.
    fn look(&self, folder: &FolderRef) -> Result<Cursor> {
        let condstore = self.server.lock().condstore;
        self.with(folder, |there| Cursor {
            validity: there.validity,
            uidnext: there.uidnext,
            modseq: if condstore { there.modseq } else { 0 },
            backfill: there.uidnext,
        })
    }

    fn mark_seen(&mut self, folder: &FolderRef) -> Result<()> {
        let now = self.with(folder, |there| there.stamp())?;
        self.seen.insert(folder.remote.clone(), now);
        Ok(())
    }
}

impl MailProtocol for Session {
    fn caps(&self) -> Caps {
        Caps {
            folders: true,
            flags: true,
            append: true,
            push: true,
            snapshot: false,
            deletes: true,
            labels: self.server.has_labels(),
            search: true,
        }
    }

    fn about(&self) -> About {
        self.server.lock().about.clone()
    }

    fn folders(&mut self) -> Result<Vec<RemoteFolder>> {
        self.call(Call::Folders)?;
        Ok(self.server.folders())
    }

    fn pull(&mut self, folder: &FolderRef, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        self.call(Call::Pull)?;
        let now = self.look(folder)?;
        self.mark_seen(folder)?;
        let mut at = known.cursor();
        let mut held = UidSet::new();
        let fresh = at.validity != now.validity;
        if fresh {
            if at.validity != 0 && sink.change(Change::Reset { validity: now.validity })? == Flow::Stop {
                return Ok(at);
            }
            at = now;
        } else if now.modseq != 0 && (Cursor { backfill: 1, ..now }) == at {
            return Ok(at);
        } else {
            held = known.uids()?;
        }
        let told = if fresh || now.modseq != 0 { Vec::new() } else { known.flags()? };
        let mut pull =
            Pull { session: self, folder, sink, held, told, since: at.modseq, validity: now.validity };
        // A cursor over nothing yet: from here on what is reported belongs to this UIDVALIDITY.
        if fresh && pull.sink.change(Change::Covered(at))? == Flow::Stop {
            return Ok(at);
        }
        pull.expect(at)?;
        if !fresh {
            let uids = pull.changed(at)?;
            if pull.report(&uids)?.is_some() || pull.gone()? == Flow::Stop {
                return Ok(at);
            }
            at = Cursor { uidnext: now.uidnext, modseq: now.modseq, ..at };
            if pull.sink.change(Change::Covered(at))? == Flow::Stop {
                return Ok(at);
            }
        }
        while at.backfill > 1 {
            let uids = pull.below(at.backfill)?;
            if let Some(stopped) = pull.report(&uids)? {
                return Ok(Cursor { backfill: stopped, ..at });
            }
            at.backfill = if uids.len() < CHUNK { 1 } else { uids.last().copied().unwrap_or(1) };
            if pull.sink.change(Change::Covered(at))? == Flow::Stop {
                break;
            }
        }
        Ok(at)
    }

    fn fetch(&mut self, folder: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        self.call(Call::Fetch)?;
        for id in ids {
            let RemoteId::Uid { validity, uid } = id else { continue };
            let held = self.with(folder, |there| {
                (there.validity == *validity)
                    .then(|| there.mails.get(uid).map(|m| m.source.clone()))
                    .flatten()
            })?;
            let Some(source) = held else { continue };
            self.call(Call::Body)?;
            if hand_over(id, &source.bytes(), sink)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn search(
        &mut self,
        folder: &FolderRef,
        words: &[String],
        known: &dyn Known,
        sink: &mut dyn Sink,
    ) -> Result<Vec<RemoteId>> {
        self.call(Call::Search)?;
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let has = |mail: &Mail| {
            let text = String::from_utf8_lossy(&mail.source.bytes()).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let (validity, uids) = self.with(folder, |there| {
            let uids = there.mails.iter().rev().filter(|(_, mail)| has(mail)).map(|(uid, _)| *uid);
            (there.validity, uids.take(HITS).collect::<Vec<_>>())
        })?;
        if known.cursor().validity != validity {
            return Err(Error::new(Kind::Conflict, "the server numbered this folder anew"));
        }
        let held = known.uids()?;
        let new: Vec<u32> = uids.iter().copied().filter(|uid| !held.contains(*uid)).collect();
        Pull { session: self, folder, sink, held, told: Vec::new(), since: 0, validity }.report(&new)?;
        Ok(uids.into_iter().map(|uid| RemoteId::Uid { validity, uid }).collect())
    }

    fn apply(&mut self, op: &RemoteOp) -> Result<Applied> {
        self.call(Call::Apply)?;
        let touched: Vec<String> = touched(op).into_iter().cloned().collect();
        let applied = self.doing(&touched, |state| carry_out(state, op))?;
        self.call(Call::Applied)?;
        Ok(applied)
    }

    fn mark(&mut self, folder: &FolderRef) -> Result<Mark> {
        self.call(Call::Mark)?;
        let end = self.with(folder, |there| Mark { validity: there.validity, uidnext: there.uidnext });
        Ok(end.unwrap_or(Mark { validity: 0, uidnext: 1 }))
    }

    fn find(&mut self, letter: &Letter, since: Mark) -> Result<Option<RemoteId>> {
        self.call(Call::Find)?;
        let found = self.with(&letter.folder, |there| {
            let from = if since.validity == there.validity { since.uidnext } else { 1 };
            let like = |uid: u32, mail: &Mail| {
                let raw = mail.source.bytes();
                (letter.likeness(&envelope(header_block(&raw)), raw.len() as u64), Reverse(uid))
            };
            let mails = there.mails.range(from..).filter(|(uid, _)| !letter.others.contains(uid));
            let best = mails.map(|(uid, mail)| like(*uid, mail)).max();
            let best = best.filter(|(likeness, _)| *likeness > Likeness::None);
            best.map(|(_, Reverse(uid))| RemoteId::Uid { validity: there.validity, uid })
        });
        Ok(found.unwrap_or(None))
    }

    fn append(&mut self, letter: &Letter, raw: &mut dyn BodySource) -> Result<Option<RemoteId>> {
        self.call(Call::Append)?;
        let mut bytes = Vec::new();
        raw.read(&mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        let remote = &letter.folder.remote;
        let id = self.doing(std::slice::from_ref(remote), |state| {
            if !letter.make {
                mailbox(state, &letter.folder)?;
            }
            let faithful = state.faithful;
            if !faithful {
                bytes.splice(..0, b"X-Stored-By: a server with a will of its own\r\n".iter().copied());
            }
            let uid = state.deliver(remote, bytes.into(), letter.flags, letter.received);
            let there = mailbox(state, &letter.folder)?;
            there.flag(&[uid], FlagDelta::default(), &letter.keywords, &[]);
            Ok(faithful.then_some(RemoteId::Uid { validity: there.validity, uid }))
        })?;
        self.call(Call::Appended)?;
        Ok(id)
    }

    fn wait(&mut self, folder: &FolderRef, until: Instant) -> Result<Wake> {
        self.call(Call::Wait)?;
        if !self.seen.contains_key(&folder.remote) {
            self.mark_seen(folder)?;
        }
        loop {
            if self.interrupt.is_rung() {
                return Ok(Wake::Interrupted);
            }
            self.bell.silence();
            self.server.alive(self.epoch)?;
            if !self.is_in_step(folder) {
                self.mark_seen(folder)?;
                return Ok(Wake::Changed);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Wake::TimedOut);
            }
            let left = Timespec::try_from(left).ok();
            let mut fds =
                [PollFd::new(&self.interrupt, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
            // A signal ends the poll early: look again.
            let _ = poll(&mut fds, left.as_ref());
        }
    }

    fn keep_alive(&mut self) -> Result<()> {
        self.call(Call::KeepAlive)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.call(Call::Finish)?;
        self.call(Call::Finished)
    }
}

impl Session {
    /// Does something to these folders. As in IMAP, a client is not woken by what it did itself, but by what
    /// others did before.
    fn doing<T>(&mut self, folders: &[String], act: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.server.lock();
        let in_step = |state: &mut State, name: &str, seen: &HashMap<_, _>| {
            state.mailbox(name).map(|b| b.stamp()) == seen.get(name).copied()
        };
        let quiet: Vec<&String> =
            folders.iter().filter(|name| in_step(&mut state, name, &self.seen)).collect();
        let done = act(&mut state)?;
        for name in quiet {
            if let Some(there) = state.mailbox(name) {
                self.seen.insert(name.clone(), there.stamp());
            }
        }
        drop(state);
        self.server.tell();
        Ok(done)
    }

    fn is_in_step(&self, folder: &FolderRef) -> bool {
        let now = self.with(folder, |there| there.stamp()).ok();
        now.as_ref() == self.seen.get(&folder.remote)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.server.lock().bells.retain(|(number, _)| *number != self.number);
    }
}

/// One body, in pieces.
pub(super) fn hand_over(id: &RemoteId, raw: &[u8], sink: &mut dyn BodySink) -> Result<Flow> {
    sink.begin(id, raw.len() as u64)?;
    for piece in raw.chunks(PIECE) {
        sink.data(piece)?;
    }
    sink.end()
}
