//! What comes from the server: folders, what changed in them, and whole mails.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::account::{Worker, no_session, now};
use super::bodies::{self, Part, Wanted};
use super::event::{AccountState, Event};
use super::portion::Listed;
use super::pull::{Held, Intake, Outgoing};
use super::tight;
use crate::config::Leave;
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, FolderId, MessageId, Role};
use crate::protocol::twin::twin;
use crate::protocol::{FolderRef, RemoteFolder, RemoteId};
use crate::store::{Batch, Doubt, FolderSpec, FolderState, Step, WantedBody};
use crate::text::Clean;

/// Bodies asked for in one go, and POP3 mails taken in one go. At the end of each the line is idle until
/// everything is durable.
const CHUNK: usize = 10_000;

impl Worker<'_> {
    pub(super) fn list_folders(&mut self) -> Result<()> {
        self.folders = false;
        self.check_at = Instant::now() + self.check_every();
        self.round.get_or_insert((self.report.new, self.report.bytes));
        if self.is_tight {
            // There may be room again.
            self.want_bodies();
        }
        let session = self.session.as_mut().ok_or_else(no_session)?;
        let there = if session.caps.folders {
            let there = session.protocol.folders()?;
            let specs = there.iter().map(spec).collect();
            self.store.commit(Batch { account: self.id, steps: vec![Step::Folders(specs)] })?;
            there
        } else {
            Vec::new()
        };
        let told: HashMap<&str, &RemoteFolder> = there.iter().map(|f| (f.remote.as_str(), f)).collect();
        let (mut due, mut empty) = (Vec::new(), Vec::new());
        for folder in self.reader.folders(self.id)? {
            let on_server = session.caps.folders || folder.role == Some(Role::Inbox);
            if !folder.selectable || folder.remote.is_empty() || !on_server {
                continue;
            }
            let held = self.reader.cursor(folder.id)?;
            let there =
                told.get(folder.remote.as_str()).and_then(|there| Some((there.cursor?, there.messages)));
            let count = u64::from(folder.total);
            if let Some((cursor, Some(0))) = there
                && held.validity == 0
                && count == 0
            {
                // All of a folder that was never looked at and holds nothing is known.
                empty.push(Step::Cursor { folder: folder.id, cursor: Cursor { backfill: 1, ..cursor } });
                empty.push(Step::Synced { folder: folder.id, at: now() });
                continue;
            }
            let in_step = there.is_some_and(|(cursor, messages)| {
                in_step(held, cursor) && messages.is_none_or(|there| u64::from(there) == count)
            });
            if !in_step || self.reader.doubt(folder.id)? != Doubt::None {
                due.push((self.looked != Some(folder.id), folder.role.unwrap_or(Role::All), folder.id));
            }
        }
        if !empty.is_empty() {
            self.store.commit(Batch { account: self.id, steps: empty })?;
        }
        self.note_about()?;
        self.keep_bodies()?;
        // The inbox first, then the folder that is looked at, then by role.
        due.sort_by_key(|(unlooked, role, id)| (*role != Role::Inbox, *unlooked, *role, *id));
        self.pulls = due.into_iter().map(|(_, _, id)| id).collect();
        Ok(())
    }

    pub(super) fn folder_ref(&self, id: FolderId) -> Result<(FolderRef, Clean)> {
        let folder = self
            .reader
            .folder(id)?
            .ok_or_else(|| Error::new(Kind::Gone, "the folder is not there any more"))?;
        Ok((FolderRef::new(folder.remote), folder.path))
    }

    /// Looks at a folder; says whether all of it was looked at, or it cannot be.
    pub(super) fn pull(&mut self, folder: FolderId) -> Result<bool> {
        let (remote, path) = match self.folder_ref(folder) {
            Ok(found) => found,
            Err(_) => {
                self.pulls.retain(|f| *f != folder);
                return Ok(true);
            }
        };
        let look_again = self.reader.doubt(folder)? == Doubt::Awaited;
        self.told.state(AccountState::Syncing);
        let before = self.reader.cursor(folder)?;
        let session = self.session.as_mut().ok_or_else(no_session)?;
        // What the server does not number is known by what was ever taken.
        let uidls = if !session.caps.flags { self.reader.uidls(self.id)? } else { HashSet::new() };
        let has_mail = !uidls.is_empty();
        let held = Held { reader: &self.reader, account: Some(self.id), folder, cursor: before, uidls };
        self.told.begin("headers", path, 0);
        let mut intake =
            Intake::new(Outgoing::new(self.store, self.id), self.door, &mut self.told, folder, now());
        intake.labelled = session.caps.labels.then_some((&self.reader, self.id));
        intake.terms = self.pace.terms;
        intake.stays = match self.setup.account.leave_on_server {
            Leave::Forever => None,
            Leave::DeleteAfterDownload => Some(0),
            Leave::Days(days) => Some(days),
        };
        let pulled = session.protocol.pull(&remote, &held, &mut intake);
        let complete = !intake.stopped;
        if let Ok(cursor) = &pulled {
            intake.tell_gone()?;
            if cursor != &before {
                intake.out.push(Step::Cursor { folder, cursor: *cursor })?;
            }
            if complete {
                intake.out.push(Step::Synced { folder, at: now() })?;
            }
        }
        // What was reported before a failure is valid, and kept.
        let settled = intake.out.settle();
        let (new, unread, changes) = (intake.new, intake.unread, intake.changes);
        let (listed, told_of) = (intake.take, intake.told_of);
        if !session.caps.flags {
            session.listed = intake.listed;
            session.deletions = session.listed.is_some();
            session.told_of = told_of;
            if !self.again {
                self.told_before = has_mail;
            }
            if session.caps.snapshot {
                let all = session.listed.as_ref().map_or(0, HashSet::len);
                let listed = if settled.is_ok() { self.sift_renamed(listed, all)? } else { listed };
                self.share_out(listed)?;
            } else {
                // A spool is no maildrop whose provider renames: other programs take mail out of it as they like.
                session.take = listed;
            }
        }
        self.told.end();
        self.report.new += new;
        if new > 0 {
            self.want_bodies();
        }
        if changes > 0 || look_again {
            // An operation may have waited for a mail to be found, or to be gone.
            self.look_for_ops();
        }
        if before.validity != 0 && unread > 0 {
            self.told.emit(Event::Arrived { account: self.id, folder, count: unread });
        }
        match pulled {
            Ok(_) if complete => {
                self.pulls.retain(|f| *f != folder);
                if look_again {
                    self.pulls.push(folder);
                }
            }
            Ok(_) => {}
            Err(error) if is_of_one_folder(&error) => {
                self.pulls.retain(|f| *f != folder);
                self.told.trouble(&error);
                self.first_error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
        settled.map(|()| complete)
    }

    /// POP3: takes the next mails that are listed there and not here, the newest first.
    pub(super) fn take(&mut self) -> Result<()> {
        let Some(inbox) = self.reader.folder_by_role(self.id, Role::Inbox)? else {
            return Err(Error::new(Kind::Bug, "the account has no inbox"));
        };
        let is_tight = tight::is_low(self.store);
        self.tell_room(is_tight);
        let session = self.session.as_mut().ok_or_else(no_session)?;
        if !session.heads.is_empty() {
            return self.take_heads();
        }
        if is_tight {
            // What is not taken is listed again in the next session.
            session.take.truncate(tight::TAKEN);
        }
        let total = session.take.len() as u64;
        let chunk: Vec<Listed> = session.take.drain(..session.take.len().min(CHUNK)).collect();
        let order: Vec<RemoteId> = chunk.iter().map(|(uidl, _)| RemoteId::Uidl(uidl.clone())).collect();
        let wanted = chunk
            .iter()
            .map(|(u, _)| {
                let told = session.told_of.remove(u).unwrap_or_default();
                (RemoteId::Uidl(u.clone()), Wanted::Mail { uidl: u.clone(), told })
            })
            .collect();
        self.told.begin_once("messages", inbox.path, total);
        let job = bodies::Job { store: self.store, account: self.id, folder: inbox.id, now: now() };
        let part = Part { remote: FolderRef::new(inbox.remote), order, wanted };
        let came = bodies::fetch(
            session.protocol.as_mut(),
            &job,
            std::slice::from_ref(&part),
            self.door,
            &mut self.told,
        )?;
        self.report.new += came;
        self.spent.messages += came;
        self.spent.bytes += chunk.iter().map(|(_, size)| size).sum::<u64>();
        self.session()?.came += came;
        if came < part.order.len() as u64 && self.door.is_urgent() {
            // Stopped by a knock: what did not come is asked for again in this session.
            let held = self.reader.uidls(self.id)?;
            let session = self.session()?;
            for (uidl, size) in chunk.into_iter().rev().filter(|(uidl, _)| !held.contains(uidl)) {
                session.take.push_front((uidl, size));
            }
        }
        if self.session()?.take.is_empty() {
            self.told.end();
        }
        if self.told_before && came > 0 {
            self.told.emit(Event::Arrived { account: self.id, folder: inbox.id, count: came });
        }
        Ok(())
    }

    pub(super) fn fetch_wanted(&mut self) -> Result<()> {
        let Some(message) = self.wanted.front().copied() else { return Ok(()) };
        if let Some(body) = self.reader.wanted_body(message)? {
            self.fetch_chunk(&[body])?;
        } else if let Some((uidl, head)) = self.reader.rest_of(message)? {
            self.fetch_rest(message, head.map_or(uidl.clone(), |head| twin(&uidl, &head)))?;
        }
        self.wanted.retain(|m| *m != message);
        Ok(())
    }

    /// POP3: all of a mail of which only the header came.
    fn fetch_rest(&mut self, message: MessageId, uidl: String) -> Result<()> {
        let Some(inbox) = self.reader.folder_by_role(self.id, Role::Inbox)? else { return Ok(()) };
        self.told.state(AccountState::Syncing);
        let id = RemoteId::Uidl(uidl);
        let wanted = HashMap::from([(id.clone(), Wanted::Body(message))]);
        let job = bodies::Job { store: self.store, account: self.id, folder: inbox.id, now: now() };
        let part = Part { remote: FolderRef::new(inbox.remote), order: vec![id], wanted };
        let session = self.session.as_mut().ok_or_else(no_session)?;
        let came = bodies::fetch(session.protocol.as_mut(), &job, &[part], self.door, &mut self.told)?;
        if came == 0 {
            let gone = Error::new(Kind::Gone, "the rest of this mail is not on the server any more")
                .hint("another program or the provider removed it; its header stays here");
            self.told.trouble(&gone);
            self.first_error.get_or_insert(gone);
        }
        Ok(())
    }

    pub(super) fn fetch_bodies(&mut self) -> Result<()> {
        let chunk = self.wanted_bodies(self.bodies_after, CHUNK)?;
        let Some(last) = chunk.last() else {
            self.bodies = false;
            self.told.end();
            return Ok(());
        };
        if !self.told.is_working() {
            let total = self.reader.wanted_count(self.id, self.keep())?;
            self.told.begin("messages", Clean::default(), total);
        }
        self.told.state(AccountState::Syncing);
        let last = last.key;
        self.fetch_chunk(&chunk)?;
        if !self.door.is_urgent() {
            self.bodies_after = Some(last);
        }
        Ok(())
    }

    pub(super) fn fetch_chunk(&mut self, chunk: &[WantedBody]) -> Result<()> {
        let mut by_folder: Vec<(FolderId, Vec<&WantedBody>)> = Vec::new();
        for body in chunk {
            match by_folder.iter_mut().find(|(folder, _)| *folder == body.folder) {
                Some((_, bodies)) => bodies.push(body),
                None => by_folder.push((body.folder, vec![body])),
            }
        }
        let mut parts = Vec::new();
        for (folder, wanted) in by_folder {
            let Ok((remote, _)) = self.folder_ref(folder) else { continue };
            let validity = self.reader.cursor(folder)?.validity;
            let id = |body: &WantedBody| RemoteId::Uid { validity, uid: body.uid };
            let order: Vec<RemoteId> = wanted.iter().map(|b| id(b)).collect();
            let wanted = wanted.iter().map(|b| (id(b), Wanted::Body(b.message))).collect();
            parts.push(Part { remote, order, wanted });
        }
        let Some(first) = chunk.first().filter(|_| !parts.is_empty()) else { return Ok(()) };
        let job = bodies::Job { store: self.store, account: self.id, folder: first.folder, now: now() };
        let session = self.session.as_mut().ok_or_else(no_session)?;
        bodies::fetch(session.protocol.as_mut(), &job, &parts, self.door, &mut self.told)?;
        Ok(())
    }
}

/// Whether a failure concerns one folder and leaves the session usable.
pub(super) fn is_of_one_folder(error: &Error) -> bool {
    matches!(error.kind(), Kind::Refused | Kind::Gone | Kind::Unsupported)
}

/// Whether what a server tells in passing shows that nothing can have changed.
pub(super) fn in_step(held: Cursor, there: Cursor) -> bool {
    there.modseq != 0
        && held.backfill == 1
        && (held.validity, held.uidnext, held.modseq) == (there.validity, there.uidnext, there.modseq)
}

fn spec(folder: &RemoteFolder) -> FolderSpec {
    FolderSpec {
        remote: folder.remote.clone(),
        path: folder.path.clone(),
        role: folder.role,
        selectable: folder.selectable,
        subscribed: folder.subscribed,
        object_id: folder.object_id.clone(),
        state: folder.cursor.map(|cursor| FolderState {
            validity: cursor.validity,
            uidnext: cursor.uidnext,
            messages: folder.messages,
        }),
    }
}
