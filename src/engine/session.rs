//! One session with the server: begun, used for what is queued, waited on, ended in order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use super::account::{Worker, no_session, now};
use super::bodies::Beforehand;
use super::event::{AccountState, Event};
use super::pop;
use super::portion::Listed;
use super::push::{self, End};
use crate::error::{Error, Kind, Result};
use crate::model::{FolderId, Role};
use crate::protocol::{Caps, FolderRef, MailProtocol, Wake};
use crate::store::{Batch, Op, OpKind, Step};

/// So many alerts are known again.
const ALERTS: usize = 20;

/// An open session, and what belongs to it only.
pub(super) struct Session {
    pub(super) protocol: Box<dyn MailProtocol>,
    pub(super) caps: Caps,
    /// Waits tell of news in every folder; `None`: not asked for yet.
    pub(super) tells_all: Option<bool>,
    /// The folder of which news was waited for last, where that is the session's work.
    pub(super) watching: Option<FolderId>,
    /// POP3: what was listed in this session.
    pub(super) listed: Option<HashSet<String>>,
    /// POP3: what is listed and not here, newest first: UIDL and size.
    pub(super) take: VecDeque<Listed>,
    /// A spool: what other programs noted of mail that is to be taken.
    pub(super) told_of: HashMap<String, Beforehand>,
    /// POP3: what is larger than wanted: its header comes.
    pub(super) heads: VecDeque<Listed>,
    /// POP3: whether another session is begun when this one ended in order.
    pub(super) again: bool,
    /// POP3: how many mails came.
    pub(super) came: u64,
    /// POP3: whether deletions are still to be looked for.
    pub(super) deletions: bool,
    /// POP3: whether deletions were asked for.
    pub(super) deleted: bool,
}

impl Worker<'_> {
    pub(super) fn connect(&mut self) -> Result<()> {
        self.told.state(AccountState::Connecting);
        let protocol = self.open()?;
        let caps = protocol.caps();
        self.pace.signed_in(protocol.terms());
        if self.is_live() && caps.labels != self.reader.has_labels(self.id)? {
            self.store.commit(Batch { account: self.id, steps: vec![Step::Labels(caps.labels)] })?;
        }
        self.told.state(AccountState::Syncing);
        self.session = Some(Session {
            protocol,
            caps,
            tells_all: None,
            watching: None,
            listed: None,
            take: VecDeque::new(),
            told_of: HashMap::new(),
            heads: VecDeque::new(),
            again: false,
            came: 0,
            deletions: false,
            deleted: false,
        });
        (self.ever, self.tries, self.not_before) = (true, 0, None);
        self.folders = self.is_live();
        self.want_bodies();
        self.look_for_ops();
        self.look_for_awaited();
        self.pulls.clear();
        if self.is_live() {
            self.round.get_or_insert((self.report.new, self.report.bytes));
        }
        self.check_at = Instant::now() + self.check_every();
        Ok(())
    }

    pub(super) fn push(&mut self) -> Result<()> {
        let ready = self.reader.ops(self.id, self.ops_until(), 50)?;
        if ready.is_empty() {
            (self.ops, self.eager) = (false, false);
            return Ok(());
        }
        let caps = self.session()?.caps;
        for op in ready {
            // An earlier try may have got as far as the copies: what is in the target shows it. Nor is a mail
            // deleted because a copy was seen there once: another client may have moved that one away again.
            if let OpKind::Move(target) | OpKind::Copy(target) = op.kind
                && (op.tries > 0 || op.items.iter().any(|item| item.landed))
                && !self.pull(target)?
            {
                return Ok(());
            }
            // What a server says of where it put a mail may be a lie: nothing is done to a mail under a name that was
            // only told, before the folder shows whose it is (promise I1).
            if !caps.labels
                && let Some(home) = op.folder
                && self.is_only_told(home, &op)?
                && !self.pull(home)?
            {
                return Ok(());
            }
            // To take a copy back is not to delete the mail: another client may have moved the original away.
            if let Some(folders) = self.reader.spares(op.id)? {
                for folder in folders {
                    if !self.pull(folder)? {
                        return Ok(());
                    }
                }
                if !self.reader.is_spared(op.id)? {
                    let error = "this is the last copy on the server".to_owned();
                    let failed = Step::OpFailed { op: op.id, error, retry_at: None };
                    self.store.commit(Batch { account: self.id, steps: vec![failed] })?;
                    continue;
                }
            }
            let mut beside = Vec::new();
            let pushed = if let OpKind::Append(parcel) = op.kind {
                self.put(&op, &parcel)?
            } else {
                self.store.commit(Batch { account: self.id, steps: vec![Step::OpRunning(op.id)] })?;
                // The user may have taken it back, or part of it, until it was marked.
                let Some(op) = self.reader.running_op(op.id)? else { continue };
                if caps.labels {
                    // Where mail goes out of sight, or comes back, all its labels change.
                    beside = self.reader.beside(op.id)?;
                }
                let session = self.session.as_mut().ok_or_else(no_session)?.protocol.as_mut();
                push::let_go(session, &self.reader, &op)?;
                Some(push::push(session, &self.reader, &op, now()))
            };
            let Some(pushed) = pushed else { continue };
            self.store.commit(Batch { account: self.id, steps: pushed.steps })?;
            self.tell_unkept(&op, &pushed.unkept)?;
            for folder in pushed.look.into_iter().chain(beside) {
                if !self.pulls.contains(&folder) {
                    self.pulls.push(folder);
                }
            }
            // What the server lists now is told by it alone.
            self.folders |= match &pushed.end {
                End::Trouble(error) => op.kind.is_shape() || error.kind() == Kind::Gone,
                _ => op.kind.is_shape(),
            };
            match pushed.end {
                End::Done => self.report.pushed += 1,
                End::Renumbered(folder) => return self.pull(folder).map(drop),
                End::Broken(error) => return Err(error),
                End::Trouble(error) => self.told.trouble(&error),
            }
        }
        Ok(())
    }

    /// Whether a mail of the operation has a name in this folder that was told when it was put there, and not shown
    /// since.
    fn is_only_told(&self, home: FolderId, op: &Op) -> Result<bool> {
        let newest = op.items.iter().filter_map(|item| item.uid).max().unwrap_or(0);
        if newest == 0 {
            return Ok(false);
        }
        let uidnext = self.reader.cursor(home)?.uidnext;
        Ok(uidnext != 0 && newest >= uidnext)
    }

    /// Says once for each account that tags stay here, where the server keeps none (promise A8).
    fn tell_unkept(&mut self, op: &Op, tags: &[String]) -> Result<()> {
        let OpKind::Flags(marks) = &op.kind else { return Ok(()) };
        let key = format!("told.tags.{}", self.id);
        if !tags.iter().any(|tag| marks.tag.contains(tag)) || self.reader.recall(&key)?.is_some() {
            return Ok(());
        }
        let folder = op.folder.map_or(Ok(None), |folder| self.reader.folder(folder))?;
        let place = folder.map_or_else(|| "its folder".to_owned(), |folder| folder.path.to_string());
        let names = tags.join(" ");
        let error =
            Error::new(Kind::Unsupported, format!("the server does not keep the tag {names} in {place}"))
                .hint("It stays on this computer: other devices do not see it");
        self.told.trouble(&error);
        self.store.remember(&key, "1");
        Ok(())
    }

    /// Hands on what the server wants to be read, each text once for each account.
    pub(super) fn tell_alerts(&mut self) -> Result<()> {
        let Some(session) = self.session.as_mut() else { return Ok(()) };
        let alerts = session.protocol.alerts();
        // Both sessions of an account hear the same.
        if alerts.is_empty() || !self.is_live() {
            return Ok(());
        }
        let key = format!("told.alerts.{}", self.id);
        let told = self.reader.recall(&key)?.unwrap_or_default();
        let mut told: Vec<&str> = told.lines().collect();
        for text in &alerts {
            if !told.contains(&text.as_str()) {
                told.push(text.as_str());
                self.told.emit(Event::Alert { account: self.id, text: text.clone() });
            }
        }
        let last = &told[told.len().saturating_sub(ALERTS)..];
        self.store.remember(&key, &last.join("\n"));
        Ok(())
    }

    pub(super) fn delete(&mut self) -> Result<()> {
        let session = self.session.as_mut().ok_or_else(no_session)?;
        session.deletions = false;
        let Some(listed) = session.listed.take() else { return Ok(()) };
        let ours = (self.store, &self.reader, self.id);
        let count =
            pop::delete(session.protocol.as_mut(), ours, &self.setup.account, &listed, &self.told, now())?;
        session.deleted = count > 0;
        self.report.deleted += count;
        Ok(())
    }

    /// Ends the session in order; the round is over.
    pub(super) fn finish(&mut self) -> Result<()> {
        let mut again = false;
        self.tell_alerts()?;
        if let Some(session) = self.session.take() {
            let deleted = session.deleted;
            again = session.again && session.came > 0;
            let ended = session.protocol.finish();
            if deleted && ended.is_err() {
                // QUIT was not +OK: nothing counts as deleted (promise P3).
                self.store.commit(Batch { account: self.id, steps: vec![Step::Untold] })?;
            }
            ended?;
        }
        if self.goes_on(again) {
            return Ok(());
        }
        self.synced();
        if !self.is_live() {
            self.fares(None, false);
        }
        self.told.state(AccountState::Resting);
        Ok(())
    }

    pub(super) fn wait(&mut self, until: Instant) -> Result<()> {
        self.synced();
        self.tell_alerts()?;
        let inbox = self.reader.folder_by_role(self.id, Role::Inbox)?;
        let session = self.session.as_mut().ok_or_else(no_session)?;
        let wake = match &inbox {
            Some(inbox) if session.caps.push => {
                self.told.state(AccountState::Watching);
                let remote = FolderRef::new(inbox.remote.clone());
                let tells_all = match session.tells_all {
                    Some(tells_all) => tells_all,
                    None => *session.tells_all.insert(session.protocol.watch()?),
                };
                self.have_watched(Some(inbox.id), tells_all);
                let session = self.session.as_mut().ok_or_else(no_session)?;
                self.door.rest(|_| session.protocol.wait(&remote, until))
            }
            _ => None,
        };
        let wake = wake.transpose()?;
        let session = self.session.as_mut().ok_or_else(no_session)?;
        let tells_all = session.tells_all == Some(true);
        let elsewhere = session.protocol.elsewhere();
        if !elsewhere.is_empty() {
            self.round.get_or_insert((self.report.new, self.told.bytes()));
            let folders = self.reader.folders(self.id)?;
            for folder in elsewhere {
                match folders.iter().find(|here| here.remote == folder.remote) {
                    Some(here) if self.pulls.contains(&here.id) => {}
                    Some(here) => self.pulls.push(here.id),
                    None => self.folders = true,
                }
            }
        }
        match wake {
            Some(Wake::Changed) => {
                self.round.get_or_insert((self.report.new, self.told.bytes()));
                self.pulls.extend(inbox.map(|f| f.id));
                if let Some(looked) = self.looked
                    && !tells_all
                    && !self.pulls.contains(&looked)
                {
                    self.pulls.push(looked);
                }
            }
            Some(Wake::Elsewhere | Wake::TimedOut | Wake::Interrupted) => {}
            Some(Wake::Unsupported) | None => {
                self.told.state(AccountState::Resting);
                self.door.rest(|bell| bell.wait(Some(until)));
            }
        }
        if self.check_at <= Instant::now() {
            self.folders = true;
        }
        Ok(())
    }
}
