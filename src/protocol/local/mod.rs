//! An account without a server as a `MailProtocol`: its mail lives here and nowhere else. With a spool it takes
//! in what other programs deliver on this machine.
//!
//! A mail of a spool is named by what it is, its `From ` line included, so that it is known again
//! when another program marks it, moves it within the file or takes others away. Every look at the file happens
//! under the locks of [`mod@lock`]; they are held for short, and never while nothing is read.

mod holder;
mod lock;
mod rewrite;
mod spool;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::config::Account;
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, Role};
use crate::net::Interrupt;
use crate::protocol::{
    Applied, BodySink, Caps, Change, Flow, FolderRef, Known, MailProtocol, RemoteFolder, RemoteId, RemoteOp,
    Sink, Wake,
};
pub(crate) use lock::{Locked, lock};
use rewrite::Aside;
pub(crate) use spool::tail;
use spool::{Content, Lying, Name};

/// How long another program may hold the spool before that is said.
const PATIENCE: Duration = Duration::from_secs(20);
/// Who delivers waits no longer than this, as far as it depends on us.
const HELD: Duration = Duration::from_millis(300);
const PIECE: u64 = 64 << 10;

/// A session with the account's spool; where there is none, with nobody: what there is lies in the store.
pub fn connect(account: &Account, interrupt: &Interrupt) -> Result<Box<dyn MailProtocol>> {
    let spool = account.spool.as_ref().map(|spool| Spool {
        aside: Aside::new(&spool.aside, &spool.path),
        path: spool.path.clone(),
        bell: interrupt.clone(),
        patience: PATIENCE,
        content: Content::default(),
        is_told: false,
    });
    if let Some(spool) = &spool {
        lock::look(&spool.path)?;
    }
    Ok(Box::new(Session { spool }))
}

#[derive(Debug)]
struct Session {
    spool: Option<Spool>,
}

#[derive(Debug)]
struct Spool {
    path: PathBuf,
    aside: Aside,
    bell: Interrupt,
    patience: Duration,
    content: Content,
    /// Whether the last listing told all that `content` holds. Mail that came between a listing and our own
    /// deletion is read with the file, but nobody was told of it.
    is_told: bool,
}

impl Spool {
    /// Locks the spool and reads what changed in it; `None`: it is not there.
    fn locked(&mut self) -> Result<Option<Locked>> {
        let locked = lock(&self.path, &self.bell, self.patience)?;
        if locked.as_ref().is_none_or(|locked| locked.is_writable) {
            self.aside.recover(locked.as_ref().map(|locked| &locked.file), &self.path)?;
        }
        match &locked {
            Some(locked) => self.is_told &= self.content.follow(&locked.file, &self.path)?.is_none(),
            None => self.content.clear(),
        }
        Ok(locked)
    }

    /// Blocks until there may be something that no listing told.
    fn wait(&self, until: Instant) -> Result<Wake> {
        if !self.is_told {
            return Ok(Wake::Changed);
        }
        watch::wait(&self.path, &self.content, &self.bell, until)
    }

    fn fetch(&mut self, names: &[(&RemoteId, Name)], sink: &mut dyn BodySink) -> Result<()> {
        let mut held: Option<(Locked, Instant)> = None;
        for (id, name) in names {
            let locked = match held.take() {
                Some((locked, since)) if since.elapsed() < HELD => (locked, since),
                other => {
                    drop(other);
                    match self.locked()? {
                        Some(locked) => (locked, Instant::now()),
                        None => return Ok(()),
                    }
                }
            };
            let Some(lying) = self.content.find(name) else {
                held = Some(locked);
                continue;
            };
            let flow = self.hand_over(&locked.0.file, id, lying, sink)?;
            held = Some(locked);
            if flow == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Hands over one mail, if it is the one that was named.
    fn hand_over(&self, file: &File, id: &RemoteId, lying: &Lying, sink: &mut dyn BodySink) -> Result<Flow> {
        let broken = |e| spool::broken(&self.path, e);
        if !spool::lies(file, lying).map_err(broken)? {
            let text = format!("the spool {} is not what it was a moment ago", self.path.display());
            return Err(Error::new(Kind::Offline, text).hint("It is looked at again"));
        }
        sink.begin(id, lying.size())?;
        let mut buffer = vec![0; usize::try_from(lying.size().min(PIECE)).unwrap_or(0)];
        let mut at = lying.mail.begin;
        while at < lying.mail.end {
            let most = usize::try_from(lying.mail.end - at).unwrap_or(usize::MAX).min(buffer.len());
            file.read_exact_at(&mut buffer[..most], at).map_err(broken)?;
            sink.data(&buffer[..most])?;
            at += most as u64;
        }
        sink.end()
    }

    fn delete(&mut self, ids: &[RemoteId]) -> Result<Applied> {
        let Some(locked) = self.locked()? else { return Ok(Applied::done()) };
        self.bell.may_speak()?;
        let wanted: HashSet<Name> = ids.iter().filter_map(name_of).collect();
        let (mut gone, mut refused): (Vec<&Lying>, Vec<RemoteId>) = (Vec::new(), Vec::new());
        for name in &wanted {
            let Some(lying) = self.content.find(name) else { continue };
            // Of mails that are the same to the last byte either all go or none: which of them is left
            // could not be told.
            let all = (1..=self.content.alike(name)).all(|nth| wanted.contains(&(name.0, nth)));
            if all && locked.is_writable {
                gone.push(lying);
            } else {
                refused.push(RemoteId::Uidl(spool::to_text(name)));
            }
        }
        gone.sort_by_key(|lying| lying.mail.start);
        if !gone.is_empty() {
            self.aside.remove(&locked.file, &self.path, &gone, &mut || Ok(()))?;
            let left = self.content.mails.len() - gone.len();
            self.content.follow(&locked.file, &self.path)?;
            self.is_told &= self.content.mails.len() == left;
        }
        Ok(if refused.is_empty() { Applied::done() } else { Applied::Partial { refused } })
    }
}

fn name_of(id: &RemoteId) -> Option<Name> {
    match id {
        RemoteId::Uidl(uidl) => spool::from_text(uidl),
        RemoteId::Uid { .. } => None,
    }
}

impl MailProtocol for Session {
    fn caps(&self) -> Caps {
        let has_spool = self.spool.is_some();
        Caps {
            folders: false,
            flags: false,
            append: false,
            push: has_spool,
            snapshot: !has_spool,
            deletes: true,
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
            messages: None,
            cursor: None,
            object_id: None,
        }])
    }

    fn pull(&mut self, _: &FolderRef, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        let mails = match &mut self.spool {
            Some(spool) => {
                // Given back at once: what is told is held here.
                drop(spool.locked()?);
                &spool.content.mails[..]
            }
            None => &[],
        };
        let names: Vec<String> = mails.iter().map(|lying| spool::to_text(&lying.name)).collect();
        let new: Vec<_> = mails.iter().zip(&names).rev().filter(|(_, uidl)| !known.has_uidl(uidl)).collect();
        if !new.is_empty() && sink.change(Change::Expect { messages: new.len() as u64 })? == Flow::Stop {
            return Ok(Cursor::default());
        }
        for (lying, uidl) in new {
            let change = Change::New {
                id: RemoteId::Uidl(uidl.clone()),
                remote_id: None,
                flags: lying.mail.flags,
                keywords: Vec::new(),
                size: lying.size(),
                received: lying.mail.at.unwrap_or(0),
                head: None,
            };
            if sink.change(change)? == Flow::Stop {
                return Ok(Cursor::default());
            }
        }
        let bytes = mails.iter().map(Lying::size).sum();
        sink.change(Change::Listing { uidls: names, bytes })?;
        if let Some(spool) = &mut self.spool {
            spool.is_told = true;
        }
        Ok(Cursor::default())
    }

    fn fetch(&mut self, _: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        let names: Vec<(&RemoteId, Name)> = ids.iter().filter_map(|id| Some((id, name_of(id)?))).collect();
        self.spool.as_mut().map_or(Ok(()), |spool| spool.fetch(&names, sink))
    }

    fn apply(&mut self, op: &RemoteOp) -> Result<Applied> {
        match (op, &mut self.spool) {
            (RemoteOp::Delete { ids, .. }, Some(spool)) => spool.delete(ids),
            (RemoteOp::Delete { .. }, None) => Ok(Applied::AtFinish),
            _ => Err(Error::new(Kind::Unsupported, "folders and flags of this account live here only")),
        }
    }

    fn wait(&mut self, _: &FolderRef, until: Instant) -> Result<Wake> {
        match &self.spool {
            Some(spool) => spool.wait(until),
            None => Ok(Wake::Unsupported),
        }
    }

    fn keep_alive(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
