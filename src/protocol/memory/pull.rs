//! One pull under way: what is new, changed or gone in a folder of the server in memory.

use super::Call;
use super::mailbox::Mail;
use super::session::Session;
use crate::error::Result;
use crate::mime::header_block;
use crate::model::{Cursor, Flags, UidSet};
use crate::protocol::{Change, Flow, FolderRef, RemoteId, Sink};

/// Mails reported between two points at which a first look is covered.
pub(super) const CHUNK: usize = 200;

/// One pull under way.
pub(super) struct Pull<'a> {
    pub(super) session: &'a Session,
    pub(super) folder: &'a FolderRef,
    pub(super) sink: &'a mut dyn Sink,
    /// What was known at the start, under this UIDVALIDITY.
    pub(super) held: UidSet,
    /// Without modification sequences: the flags that were told before.
    pub(super) told: Vec<(u32, Flags, Vec<String>)>,
    /// The modification sequence that was covered at the start.
    pub(super) since: u64,
    pub(super) validity: u32,
}

impl Pull<'_> {
    pub(super) fn expect(&mut self, at: Cursor) -> Result<()> {
        let held = &self.held;
        let messages = self.session.with(self.folder, |there| {
            let new =
                |range: &mut dyn Iterator<Item = &u32>| range.filter(|uid| !held.contains(**uid)).count();
            new(&mut there.mails.range(at.uidnext..).map(|(uid, _)| uid))
                + new(&mut there.mails.range(..at.backfill.min(at.uidnext)).map(|(uid, _)| uid))
        })? as u64;
        if messages > 0 {
            self.sink.change(Change::Expect { messages })?;
        }
        Ok(())
    }

    /// What is new above the cursor or changed within it, newest first.
    pub(super) fn changed(&self, at: Cursor) -> Result<Vec<u32>> {
        self.session.with(self.folder, |there| {
            let newer = there.mails.range(at.backfill..).rev();
            newer
                .filter(|(uid, mail)| **uid >= at.uidnext || self.differs(**uid, mail))
                .map(|(u, _)| *u)
                .collect()
        })
    }

    /// The next chunk of a first look.
    pub(super) fn below(&self, backfill: u32) -> Result<Vec<u32>> {
        self.session.with(self.folder, |there| {
            there.mails.range(..backfill).rev().take(CHUNK).map(|(uid, _)| *uid).collect()
        })
    }

    /// Whether a mail is not what is known of it.
    fn differs(&self, uid: u32, mail: &Mail) -> bool {
        if !self.held.contains(uid) {
            return true;
        }
        if self.since != 0 {
            return mail.modseq > self.since;
        }
        match self.told.binary_search_by_key(&uid, |(u, _, _)| *u) {
            Ok(at) => {
                let (_, flags, words) = &self.told[at];
                let mut words = words.clone();
                words.sort_unstable();
                *flags != mail.flags || words != mail.keywords
            }
            Err(_) => true,
        }
    }

    /// Reports these mails, each as it is by now. Stopped: the UID at which.
    pub(super) fn report(&mut self, uids: &[u32]) -> Result<Option<u32>> {
        for &uid in uids {
            // Not under the lock: the sink may take its time, and others act meanwhile.
            let mail = self.session.with(self.folder, |there| {
                (there.validity == self.validity).then(|| there.mails.get(&uid).cloned()).flatten()
            })?;
            let Some(mail) = mail.filter(|mail| self.differs(uid, mail)) else { continue };
            self.session.call(Call::Change)?;
            if self.sink.change(self.tell(uid, &mail))? == Flow::Stop {
                return Ok(Some(uid));
            }
        }
        Ok(None)
    }

    fn tell(&self, uid: u32, mail: &Mail) -> Change {
        let id = RemoteId::Uid { validity: self.validity, uid };
        if self.held.contains(uid) {
            return Change::Flags { id, flags: mail.flags, keywords: mail.keywords.clone() };
        }
        let raw = mail.source.bytes();
        Change::New {
            id,
            remote_id: Some(mail.email_id()),
            flags: mail.flags,
            keywords: mail.keywords.clone(),
            size: raw.len() as u64,
            received: mail.received,
            head: Some(header_block(&raw).to_vec()),
        }
    }

    /// Reports what is known here and not there any more.
    pub(super) fn gone(&mut self) -> Result<Flow> {
        let uids: Vec<u32> = self.session.with(self.folder, |there| {
            if self.since == 0 {
                return self.held.iter().filter(|uid| !there.mails.contains_key(uid)).collect();
            }
            let after = there.gone.partition_point(|(modseq, _)| *modseq <= self.since);
            there.gone[after..].iter().map(|(_, uid)| *uid).filter(|uid| self.held.contains(*uid)).collect()
        })?;
        for uid in uids {
            self.session.call(Call::Change)?;
            let id = RemoteId::Uid { validity: self.validity, uid };
            if self.sink.change(Change::Gone { id, certain: self.since != 0 })? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }
}
