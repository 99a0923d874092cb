//! POP3 (RFC 1939, 2449, 2595, 5034) as a `MailProtocol`: a maildrop, seen as it was at login.

mod apply;
mod auth;
mod capa;
mod connect;
mod fetch;
mod listing;
mod reply;
mod talk;
mod twins;
mod unstuff;

use std::collections::HashSet;
use std::time::{Duration, Instant};

pub use connect::{connect, connect_with};

use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, Flags, Role};
use crate::net::Wire;
use crate::protocol::window::Window;
use crate::protocol::{
    Applied, BodySink, Caps, Change, Flow, FolderRef, Known, MailProtocol, RemoteFolder, RemoteId, RemoteOp,
    Sink, Terms, Wake, twin,
};
use capa::Capabilities;
use listing::Listing;
use reply::Reply;
use talk::Talk;
use twins::Twins;

/// One signed-in conversation with a POP3 server.
#[derive(Debug)]
pub struct Session {
    talk: Talk,
    capabilities: Capabilities,
    /// The maildrop of this session; message numbers hold for it only (promise P1).
    listing: Option<Listing>,
    /// Whether the server names its messages (UIDL); without, nothing may be deleted (promise P6).
    named: bool,
    /// The numbers that DELE was said for.
    marked: HashSet<u32>,
    /// Messages that share their name with another, once they were looked at.
    twins: Option<Twins>,
    /// The server is one that shows some hundred mails in a session, however many it has (promise P13).
    shows_part: bool,
    /// How much may be asked for ahead.
    line: Window,
}

impl Session {
    /// The connection: for its counters and its transcript.
    #[must_use]
    pub fn wire(&self) -> &Wire {
        self.talk.wire()
    }

    /// How many commands may be under way at once.
    fn window(&self) -> usize {
        if self.capabilities.pipelining { talk::WINDOW } else { 1 }
    }
}

impl MailProtocol for Session {
    fn caps(&self) -> Caps {
        Caps {
            folders: false,
            flags: false,
            append: false,
            push: false,
            snapshot: true,
            deletes: self.named,
            labels: false,
            search: false,
        }
    }

    fn folders(&mut self) -> Result<Vec<RemoteFolder>> {
        Ok(vec![RemoteFolder {
            remote: "INBOX".into(),
            path: "INBOX".into(),
            role: Some(Role::Inbox),
            selectable: true,
            subscribed: true,
            messages: self.listing.as_ref().and_then(|l| u32::try_from(l.entries.len()).ok()),
            cursor: None,
            object_id: None,
        }])
    }

    fn pull(&mut self, _: &FolderRef, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        self.tell_twins_apart()?;
        let Some(listing) = &self.listing else { return Ok(Cursor::default()) };
        let there = || listing.entries.iter().filter(|e| !self.marked.contains(&e.number));
        let mut new: Vec<(String, u64)> = Vec::new();
        let twins = self.twins.as_ref();
        for entry in there() {
            let head = twins.and_then(|twins| twins.heads.get(&entry.number));
            let name = match head {
                _ if listing.is_single(&entry.uidl) => {
                    if known.has_uidl(&entry.uidl) {
                        continue;
                    }
                    entry.uidl.clone()
                }
                Some(head) => {
                    let name = twin::twin(&entry.uidl, head);
                    let is_first = twins.and_then(|twins| twins.by_name.get(&name)) == Some(&entry.number);
                    if !is_first || known.has_twin(&entry.uidl, head)? {
                        continue;
                    }
                    name
                }
                // The server shows no headers: the newest of a name stands for all.
                None if listing.is_first(entry) && !known.has_uidl(&entry.uidl) => entry.uidl.clone(),
                None => continue,
            };
            new.push((name, entry.size));
        }
        if !new.is_empty() && sink.change(Change::Expect { messages: new.len() as u64 })? == Flow::Stop {
            return Ok(Cursor::default());
        }
        for (name, size) in new {
            let change = Change::New {
                id: RemoteId::Uidl(name),
                remote_id: None,
                flags: Flags::NONE,
                keywords: Vec::new(),
                size,
                received: 0,
                head: None,
            };
            if sink.change(change)? == Flow::Stop {
                return Ok(Cursor::default());
            }
        }
        let uidls = there().filter(|e| listing.is_first(e)).map(|e| e.uidl.clone()).collect();
        let bytes = there().map(|e| e.size).sum();
        sink.change(Change::Listing { uidls, bytes })?;
        Ok(Cursor::default())
    }

    fn fetch(&mut self, _: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        self.retrieve(ids, sink)
    }

    fn heads(&mut self, _: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<Vec<RemoteId>> {
        self.tops(ids, sink)
    }

    fn terms(&self) -> Terms {
        let expire = self.capabilities.expire.as_deref();
        Terms {
            login_delay: Duration::from_secs(u64::from(self.capabilities.login_delay.unwrap_or(0))),
            expires: expire.and_then(|days| days.parse().ok()),
            shows_part: self.shows_part,
        }
    }

    fn apply(&mut self, op: &RemoteOp) -> Result<Applied> {
        match op {
            RemoteOp::Delete { ids, .. } => self.delete(ids),
            _ => Err(Error::new(Kind::Unsupported, "a POP3 server can only delete")),
        }
    }

    fn wait(&mut self, _: &FolderRef, _: Instant) -> Result<Wake> {
        Ok(Wake::Unsupported)
    }

    fn keep_alive(&mut self) -> Result<()> {
        match self.talk.command("NOOP")? {
            // An error is an answer too: the session is open.
            Reply::Ok(_) | Reply::Err(_) => Ok(()),
            Reply::More(_) => Err(self.talk.out_of_step()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        // A ring that ended the work must not undo what QUIT makes real.
        self.talk.wire().heed_interrupt(false);
        let answer = self.talk.command("QUIT");
        self.talk.wire().close();
        match answer? {
            Reply::Ok(_) => Ok(()),
            Reply::Err(status) => Err(self.talk.refused(
                &status,
                Kind::Refused,
                "the server did not delete everything at the end",
            )),
            Reply::More(_) => Err(self.talk.out_of_step()),
        }
    }
}
