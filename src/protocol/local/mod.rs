//! An account without a server as a `MailProtocol`: its mail lives here and nowhere else.

use std::time::Instant;

use crate::config::Account;
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, Role};
use crate::net::Interrupt;
use crate::protocol::{
    Applied, BodySink, Caps, Change, FolderRef, Known, MailProtocol, RemoteFolder, RemoteId, RemoteOp, Sink,
    Wake,
};

/// Nothing to connect to: what there is lies in the store.
pub fn connect(_: &Account, _: &Interrupt) -> Result<Box<dyn MailProtocol>> {
    Ok(Box::new(Session))
}

/// A session with nobody.
#[derive(Debug)]
struct Session;

impl MailProtocol for Session {
    fn caps(&self) -> Caps {
        Caps { folders: false, flags: false, append: false, push: false, snapshot: true, deletes: true }
    }

    fn folders(&mut self) -> Result<Vec<RemoteFolder>> {
        Ok(vec![RemoteFolder {
            remote: "INBOX".into(),
            path: "INBOX".into(),
            role: Some(Role::Inbox),
            selectable: true,
            subscribed: true,
            messages: Some(0),
            cursor: None,
        }])
    }

    fn pull(&mut self, _: &FolderRef, _: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        sink.change(Change::Listing { uidls: Vec::new(), bytes: 0 })?;
        Ok(Cursor::default())
    }

    fn fetch(&mut self, _: &FolderRef, _: &[RemoteId], _: &mut dyn BodySink) -> Result<()> {
        Ok(())
    }

    fn apply(&mut self, op: &RemoteOp) -> Result<Applied> {
        match op {
            RemoteOp::Delete { .. } => Ok(Applied::AtFinish),
            _ => Err(Error::new(Kind::Unsupported, "folders and flags of this account live here only")),
        }
    }

    fn wait(&mut self, _: &FolderRef, _: Instant) -> Result<Wake> {
        Ok(Wake::Unsupported)
    }

    fn keep_alive(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
