//! Stubs: mail too large to come by itself (POP3), of which the header is taken (TOP) and never called the mail.

use std::collections::HashSet;

use super::account::{Worker, no_session, now};
use super::door::Door;
use super::event::Event;
use super::portion::Listed;
use super::pull::{Outgoing, arrival};
use super::told::Told;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{Flags, FolderId, Role};
use crate::protocol::twin::uidl_in;
use crate::protocol::{BodySink, Flow, FolderRef, RemoteId};
use crate::store::{Incoming, Packer, Step};

/// Headers asked for in one go.
const CHUNK: usize = 500;
/// Bytes of a header that are looked at.
const HEAD: usize = 1 << 20;

impl Worker<'_> {
    /// POP3: takes the headers of the next mails that are larger than wanted. Where the server gives no header
    /// the mail comes whole: it is never passed over in silence (promise P10).
    pub(super) fn take_heads(&mut self) -> Result<()> {
        let Some(inbox) = self.reader.folder_by_role(self.id, Role::Inbox)? else {
            return Err(Error::new(Kind::Bug, "the account has no inbox"));
        };
        let session = self.session.as_mut().ok_or_else(no_session)?;
        let total = session.heads.len() as u64;
        let chunk: Vec<Listed> = session.heads.drain(..session.heads.len().min(CHUNK)).collect();
        let ids: Vec<RemoteId> = chunk.iter().map(|(uidl, _)| RemoteId::Uidl(uidl.clone())).collect();
        self.told.begin_once("headers", inbox.path, total);
        let mut heads = Heads {
            out: Outgoing::new(self.store, self.id),
            door: self.door,
            told: &mut self.told,
            folder: inbox.id,
            now: now(),
            packer: Packer::new()?,
            at: None,
            came: HashSet::new(),
            stopped: false,
        };
        let refused = session.protocol.heads(&FolderRef::new(inbox.remote), &ids, &mut heads);
        // What came before a failure is valid, and kept.
        let settled = heads.out.settle();
        let (came, stopped) = (std::mem::take(&mut heads.came), heads.stopped);
        self.report.new += came.len() as u64;
        self.spent.messages += came.len() as u64;
        if !came.is_empty() && self.told_before {
            let count = came.len() as u64;
            self.told.emit(Event::Arrived { account: self.id, folder: inbox.id, count });
        }
        let refused: HashSet<RemoteId> = refused?.into_iter().collect();
        settled?;
        let session = self.session()?;
        session.came += came.len() as u64;
        for (listed, id) in chunk.into_iter().zip(ids).rev() {
            if refused.contains(&id) {
                session.take.push_front(listed);
            } else if stopped && !came.contains(&listed.0) {
                session.heads.push_front(listed);
            }
        }
        if session.heads.is_empty() {
            self.told.end();
        }
        Ok(())
    }
}

/// Takes headers as they come.
struct Heads<'a> {
    out: Outgoing<'a>,
    door: &'a Door,
    told: &'a mut Told,
    folder: FolderId,
    now: i64,
    packer: Packer,
    at: Option<(String, u64, Vec<u8>)>,
    came: HashSet<String>,
    stopped: bool,
}

impl BodySink for Heads<'_> {
    fn begin(&mut self, id: &RemoteId, size: u64) -> Result<()> {
        let RemoteId::Uidl(uidl) = id else {
            return Err(Error::new(Kind::Bug, "a header came under a UID"));
        };
        self.at = Some((uidl.clone(), size, Vec::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some((_, _, head)) = &mut self.at {
            let room = HEAD.saturating_sub(head.len()).min(bytes.len());
            head.extend_from_slice(&bytes[..room]);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Flow> {
        if let Some((uidl, size, raw)) = self.at.take() {
            let head = mime::header_block(&raw);
            let envelope = mime::envelope(head);
            self.told.add(1, raw.len() as u64);
            self.packer.reset();
            let mut packed = self.packer.push(head)?;
            packed.extend(self.packer.finish()?.0);
            let incoming = Box::new(Incoming {
                folder: self.folder,
                uid: None,
                uidl: Some(uidl_in(&uidl).to_owned()),
                remote_id: None,
                flags: Flags::NONE,
                keywords: Vec::new(),
                size,
                received: arrival(0, head, envelope.date, self.now),
                internal: 0,
                envelope,
                body: None,
            });
            self.out.push(Step::Stub { incoming, head: packed })?;
            self.came.insert(uidl);
        }
        self.stopped |= self.door.is_urgent();
        Ok(if self.stopped { Flow::Stop } else { Flow::Continue })
    }
}
