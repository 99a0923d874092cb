//! A session of POP3 kind with the server in memory: a snapshot, and deletions that count at the end.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::session::hand_over;
use super::{Call, Server, Source};
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, Flags, Role};
use crate::protocol::{
    Applied, BodySink, Caps, Change, Flow, FolderRef, Known, MailProtocol, RemoteFolder, RemoteId, RemoteOp,
    Sink, Terms, Wake,
};

/// What a server that shows a part of its mail shows at a time.
const PART: usize = 10;

pub(super) struct Session {
    server: Server,
    epoch: u64,
    /// The maildrop as it was at login (RFC 1939 section 5), oldest first.
    drop: Vec<(String, u32, Source)>,
    /// Where in the listing a UIDL is.
    at: HashMap<String, usize>,
    /// What DELE was said for (RFC 1939 section 5).
    marked: HashSet<String>,
}

impl Session {
    pub(super) fn new(server: &Server) -> Self {
        let epoch = server.lock().epoch;
        let mut drop: Vec<_> = server.mails("INBOX").into_iter().map(|m| (m.uidl, m.uid, m.source)).collect();
        {
            let state = server.lock();
            if state.terms.shows_part {
                drop.retain(|(uidl, ..)| !state.fetched.contains(uidl));
                drop.truncate(PART);
            }
        }
        let at = drop.iter().enumerate().map(|(at, (uidl, _, _))| (uidl.clone(), at)).collect();
        Self { server: server.clone(), epoch, drop, at, marked: HashSet::new() }
    }

    fn call(&self, call: Call) -> Result<()> {
        self.server.call(call)?;
        self.server.alive(self.epoch)
    }

    fn listed(&self) -> impl DoubleEndedIterator<Item = &(String, u32, Source)> {
        self.drop.iter().filter(|(uidl, _, _)| !self.marked.contains(uidl))
    }
}

impl MailProtocol for Session {
    fn caps(&self) -> Caps {
        let deletes = self.server.lock().names;
        Caps {
            folders: false,
            flags: false,
            append: false,
            push: false,
            snapshot: true,
            deletes,
            labels: false,
            search: false,
        }
    }

    fn folders(&mut self) -> Result<Vec<RemoteFolder>> {
        self.call(Call::Folders)?;
        Ok(vec![RemoteFolder {
            remote: "INBOX".to_owned(),
            path: "INBOX".to_owned(),
            role: Some(Role::Inbox),
            selectable: true,
            subscribed: true,
            messages: u32::try_from(self.listed().count()).ok(),
            cursor: None,
            object_id: None,
        }])
    }

    fn pull(&mut self, _: &FolderRef, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        self.call(Call::Pull)?;
        let covered = Cursor::default();
        let uidls = self.listed().map(|(uidl, _, _)| uidl.clone()).collect();
        let bytes = self.listed().map(|(_, _, source)| source.held()).sum();
        if sink.change(Change::Listing { uidls, bytes })? == Flow::Stop {
            return Ok(covered);
        }
        let new: Vec<_> = self.listed().rev().filter(|(uidl, _, _)| !known.has_uidl(uidl)).collect();
        if !new.is_empty() {
            sink.change(Change::Expect { messages: new.len() as u64 })?;
        }
        for (uidl, _, source) in new {
            self.call(Call::Change)?;
            let change = Change::New {
                id: RemoteId::Uidl(uidl.clone()),
                remote_id: None,
                flags: Flags::NONE,
                keywords: Vec::new(),
                size: source.bytes().len() as u64,
                received: 0,
                head: None,
            };
            if sink.change(change)? == Flow::Stop {
                break;
            }
        }
        Ok(covered)
    }

    fn fetch(&mut self, _: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        self.call(Call::Fetch)?;
        for id in ids {
            let RemoteId::Uidl(wanted) = id else { continue };
            let Some((_, _, source)) = self.at.get(wanted).and_then(|at| self.drop.get(*at)) else {
                continue;
            };
            if self.marked.contains(wanted) {
                continue;
            }
            self.call(Call::Body)?;
            self.server.lock().fetched.insert(wanted.clone());
            if hand_over(id, &source.bytes(), sink)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn heads(&mut self, _: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<Vec<RemoteId>> {
        let mut refused = Vec::new();
        for id in ids {
            let RemoteId::Uidl(wanted) = id else { continue };
            let Some((_, _, source)) = self.at.get(wanted).and_then(|at| self.drop.get(*at)) else {
                continue;
            };
            match self.call(Call::Head) {
                Err(error) if error.kind() == Kind::Refused => {
                    refused.push(id.clone());
                    continue;
                }
                heard => heard?,
            }
            let raw = source.bytes();
            let end = raw.windows(4).position(|w| w == b"\r\n\r\n").map_or(raw.len(), |at| at + 4);
            sink.begin(id, raw.len() as u64)?;
            sink.data(&raw[..end])?;
            if sink.end()? == Flow::Stop {
                break;
            }
        }
        Ok(refused)
    }

    fn terms(&self) -> Terms {
        self.server.lock().terms
    }

    fn apply(&mut self, op: &RemoteOp) -> Result<Applied> {
        self.call(Call::Apply)?;
        let RemoteOp::Delete { ids, .. } = op else {
            return Err(Error::new(Kind::Unsupported, "a POP3 server can only delete"));
        };
        if !self.server.lock().names {
            return Err(Error::new(Kind::Unsupported, "the server has no lasting names (UIDL)"));
        }
        for id in ids {
            if let RemoteId::Uidl(uidl) = id {
                self.marked.insert(uidl.clone());
            }
        }
        self.call(Call::Applied)?;
        Ok(Applied::AtFinish)
    }

    fn wait(&mut self, _: &FolderRef, _: Instant) -> Result<Wake> {
        self.call(Call::Wait)?;
        Ok(Wake::Unsupported)
    }

    fn keep_alive(&mut self) -> Result<()> {
        self.call(Call::KeepAlive)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.call(Call::Finish)?;
        let marked = self.drop.iter().filter(|(uidl, _, _)| self.marked.contains(uidl));
        let uids: Vec<u32> = marked.map(|(_, uid, _)| *uid).collect();
        self.server.expunge("INBOX", &uids);
        self.call(Call::Finished)
    }
}
