//! The thread of one account: connect, get in step, carry out what is queued, wait; again after failures.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::bodies::{self, Wanted};
use super::door::{Door, Note};
use super::event::{AccountState, Command, Event};
use super::plan::{self, Mode, Next};
use super::pull::{Held, Intake, Outgoing};
use super::told::{Emit, Told};
use super::{Setup, backoff, died, pop, push};
use crate::error::{Error, Kind, Result, Retry};
use crate::model::{AccountId, Cursor, FolderId, MessageId, Owner, Role};
use crate::protocol::{Caps, FolderRef, MailProtocol, RemoteFolder, RemoteId, Wake};
use crate::store::{AccountLock, Batch, FolderSpec, Locked, Reader, Step, Store, WantedBody};
use crate::text::Clean;

/// Bodies asked for in one go, and POP3 mails taken in one go.
const CHUNK: usize = 1000;
/// Between two looks at whether another process has let go of the account.
const LOCK_EVERY: Duration = Duration::from_secs(30);

/// What an account's thread did until it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// New messages.
    pub new: u64,
    /// Bytes of mail received.
    pub bytes: u64,
    /// Deletions asked for on a POP3 server.
    pub deleted: u64,
    /// Operations carried out.
    pub pushed: u64,
    /// The other process that syncs this account: nothing was done.
    pub elsewhere: Option<String>,
}

/// Everything to start an account's thread, and to start it anew after a mistake of ours.
pub(super) struct Starter {
    pub(super) setup: Setup,
    pub(super) id: AccountId,
    pub(super) store: Store,
    pub(super) door: Door,
    pub(super) mode: Mode,
}

impl Starter {
    pub(super) fn run(&self, emit: &Emit) -> Result<Report> {
        let mut panics = 0;
        loop {
            let told = Told::new(self.id, emit.clone());
            match catch_unwind(AssertUnwindSafe(|| Worker::new(self, told)?.run())) {
                Ok(Ok(report)) => return Ok(report),
                Ok(Err(error)) => {
                    // The store cannot be used: said, and left to the user.
                    if self.mode == Mode::Watch {
                        let mut told = Told::new(self.id, emit.clone());
                        told.trouble(&error);
                        let hint = error.hint_text().map(Clean::line);
                        told.state(AccountState::Paused { why: Clean::line(&error.to_string()), hint });
                    }
                    return Err(error);
                }
                Err(_) if self.mode == Mode::Once || self.door.is_halted() => {
                    return Err(died(&self.setup.account.name));
                }
                Err(_) => {
                    panics += 1;
                    let mut told = Told::new(self.id, emit.clone());
                    let error = died(&self.setup.account.name).hint("It is started again");
                    told.trouble(&error);
                    let until = Instant::now() + backoff::delay(panics + 3, backoff::random());
                    told.state(AccountState::Offline { why: Clean::line(&error.to_string()), until });
                    self.door.rest(|bell| bell.wait(Some(until)));
                }
            }
        }
    }
}

struct Session {
    protocol: Box<dyn MailProtocol>,
    caps: Caps,
    /// POP3: what was listed in this session.
    listed: Option<HashSet<String>>,
    take: VecDeque<(String, u64)>,
    deletions: bool,
    deleted: bool,
}

struct Worker<'a> {
    setup: &'a Setup,
    id: AccountId,
    store: &'a Store,
    reader: Reader,
    door: &'a Door,
    told: Told,
    mode: Mode,
    session: Option<Session>,
    stopping: bool,
    paused: bool,
    not_before: Option<Instant>,
    tries: u32,
    /// A sign-in worked before: a refused secret is tried once more (promise A7).
    ever: bool,
    wanted: VecDeque<MessageId>,
    ops: bool,
    folders: bool,
    pulls: Vec<FolderId>,
    looked: Option<FolderId>,
    bodies: bool,
    bodies_after: Option<(i64, MessageId)>,
    check_at: Instant,
    /// New messages and bytes when the last round was told.
    round: Option<(u64, u64)>,
    report: Report,
    first_error: Option<Error>,
}

impl<'a> Worker<'a> {
    fn new(starter: &'a Starter, told: Told) -> Result<Self> {
        Ok(Self {
            setup: &starter.setup,
            id: starter.id,
            reader: starter.store.reader()?,
            store: &starter.store,
            door: &starter.door,
            told,
            mode: starter.mode,
            session: None,
            stopping: false,
            paused: false,
            not_before: None,
            tries: 0,
            ever: false,
            wanted: VecDeque::new(),
            ops: starter.setup.owner == Owner::Server,
            folders: true,
            pulls: Vec::new(),
            looked: None,
            bodies: false,
            bodies_after: None,
            check_at: Instant::now(),
            round: None,
            report: Report::default(),
            first_error: None,
        })
    }

    fn run(mut self) -> Result<Report> {
        let Some(_lock) = self.lock()? else { return Ok(self.report) };
        loop {
            self.hear();
            let done = match self.plan() {
                Next::Stop => return self.end(),
                Next::Sleep(until) => {
                    self.sleep(until);
                    Ok(())
                }
                Next::Finish => match self.finish() {
                    Ok(()) if self.mode == Mode::Once => return self.end(),
                    done => done,
                },
                Next::Connect => self.connect(),
                Next::Wanted => self.fetch_wanted(),
                Next::Push => self.push(),
                Next::Folders => self.list_folders(),
                Next::Pull(folder) => self.pull(folder),
                Next::Take => self.take(),
                Next::Bodies => self.fetch_bodies(),
                Next::Deletions => self.delete(),
                Next::Wait(until) => self.wait(until),
            };
            self.report.bytes = self.told.bytes();
            if let Err(error) = done {
                self.failed(error)?;
            }
        }
    }

    fn plan(&self) -> Next {
        plan::next(&plan::View {
            now: Instant::now(),
            mode: self.mode,
            stopping: self.stopping,
            paused: self.paused,
            not_before: self.not_before,
            caps: self.session.as_ref().map(|s| s.caps),
            wanted: !self.wanted.is_empty(),
            ops: self.ops,
            ops_at: if self.ops { None } else { self.ops_at() },
            folders: self.folders,
            pulls: &self.pulls,
            take: self.session.as_ref().is_some_and(|s| !s.take.is_empty()),
            bodies: self.bodies,
            deletions: self.session.as_ref().is_some_and(|s| s.deletions),
            check_at: self.check_at,
        })
    }

    /// When the next queued operation may be tried again. A store that cannot be read says so in the
    /// step that needs it.
    fn ops_at(&self) -> Option<Instant> {
        let at = self.reader.next_op_at(self.id, now()).ok()??;
        let wait = u64::try_from(at.saturating_sub(now())).unwrap_or(0);
        Some(Instant::now() + Duration::from_secs(wait))
    }

    /// Waits for the right to sync this account; `None`: told to stop, or another process has it.
    fn lock(&mut self) -> Result<Option<AccountLock>> {
        loop {
            let who = match self.store.lock_account(self.id, &self.setup.account.name)? {
                Locked::Mine(lock) => return Ok(Some(lock)),
                Locked::Held { pid } => {
                    pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
                }
            };
            self.told.state(AccountState::Elsewhere { who: Clean::line(&who) });
            if self.mode == Mode::Once {
                self.report.elsewhere = Some(who);
                return Ok(None);
            }
            self.door.rest(|bell| bell.wait(Some(Instant::now() + LOCK_EVERY)));
            self.hear();
            if self.stopping {
                return Ok(None);
            }
        }
    }

    fn hear(&mut self) {
        self.stopping |= self.door.is_halted();
        for note in self.door.take() {
            match note {
                // Where folders and flags live here, nothing is queued for the server.
                Note::Ops | Note::Foreign => self.ops = self.setup.owner == Owner::Server,
                Note::Command(Command::Stop) => self.stopping = true,
                Note::Command(Command::Sync(_)) => {
                    self.paused = false;
                    self.not_before = None;
                    self.tries = 0;
                    self.check_at = Instant::now();
                    // A snapshot shows nothing new: it is finished and asked for anew.
                    self.folders |= self.session.as_ref().is_none_or(|s| !s.caps.snapshot);
                }
                Note::Command(Command::Fetch { message, .. }) => {
                    if !self.wanted.contains(&message) {
                        self.wanted.push_back(message);
                    }
                }
                Note::Command(Command::Look { folder, .. }) => {
                    self.looked = Some(folder);
                    if self.session.as_ref().is_some_and(|s| s.caps.folders) {
                        self.pulls.retain(|f| *f != folder);
                        self.pulls.insert(0, folder);
                    }
                }
            }
        }
    }

    fn session(&mut self) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))
    }

    fn connect(&mut self) -> Result<()> {
        self.told.state(AccountState::Connecting);
        let protocol = (self.setup.open)(self.door.bell())?;
        let caps = protocol.caps();
        self.told.state(AccountState::Syncing);
        self.session = Some(Session {
            protocol,
            caps,
            listed: None,
            take: VecDeque::new(),
            deletions: false,
            deleted: false,
        });
        (self.ever, self.tries, self.not_before) = (true, 0, None);
        (self.folders, self.bodies, self.bodies_after) = (true, true, None);
        self.ops = self.setup.owner == Owner::Server;
        self.pulls.clear();
        self.round.get_or_insert((self.report.new, self.report.bytes));
        self.check_at = Instant::now() + self.setup.account.check_every;
        Ok(())
    }

    fn list_folders(&mut self) -> Result<()> {
        self.folders = false;
        self.check_at = Instant::now() + self.setup.account.check_every;
        self.round.get_or_insert((self.report.new, self.report.bytes));
        let session = self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))?;
        let there = if session.caps.folders {
            let there = session.protocol.folders()?;
            let specs = there.iter().map(spec).collect();
            self.store.commit(Batch { account: self.id, steps: vec![Step::Folders(specs)] })?;
            there
        } else {
            Vec::new()
        };
        let told: HashMap<&str, Cursor> =
            there.iter().filter_map(|f| Some((f.remote.as_str(), f.cursor?))).collect();
        let mut due = Vec::new();
        for folder in self.reader.folders(self.id)? {
            let on_server = session.caps.folders || folder.role == Some(Role::Inbox);
            if !folder.selectable || folder.remote.is_empty() || !on_server {
                continue;
            }
            let held = self.reader.cursor(folder.id)?;
            if !told.get(folder.remote.as_str()).is_some_and(|there| in_step(held, *there)) {
                due.push((self.looked != Some(folder.id), folder.role.unwrap_or(Role::All), folder.id));
            }
        }
        // The inbox first, then the folder that is looked at, then by role.
        due.sort_by_key(|(unlooked, role, id)| (*role != Role::Inbox, *unlooked, *role, *id));
        self.pulls = due.into_iter().map(|(_, _, id)| id).collect();
        Ok(())
    }

    fn folder_ref(&self, id: FolderId) -> Result<(FolderRef, Clean)> {
        let folder = self
            .reader
            .folder(id)?
            .ok_or_else(|| Error::new(Kind::Gone, "the folder is not there any more"))?;
        Ok((FolderRef::new(folder.remote), folder.path))
    }

    fn pull(&mut self, folder: FolderId) -> Result<()> {
        let (remote, path) = match self.folder_ref(folder) {
            Ok(found) => found,
            Err(_) => {
                self.pulls.retain(|f| *f != folder);
                return Ok(());
            }
        };
        self.told.state(AccountState::Syncing);
        let before = self.reader.cursor(folder)?;
        let session = self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))?;
        let uidls = if session.caps.snapshot { self.reader.uidls(self.id)? } else { HashSet::new() };
        let held = Held { reader: &self.reader, folder, cursor: before, uidls };
        self.told.begin("headers", path, 0);
        let mut intake = Intake {
            out: Outgoing::new(self.store, self.id),
            door: self.door,
            told: &mut self.told,
            folder,
            now: now(),
            take: VecDeque::new(),
            listed: None,
            stopped: false,
            new: 0,
            unread: 0,
            changes: 0,
        };
        let pulled = session.protocol.pull(&remote, &held, &mut intake);
        let complete = !intake.stopped;
        if let Ok(cursor) = &pulled {
            if cursor != &before {
                intake.out.push(Step::Cursor { folder, cursor: *cursor })?;
            }
            if complete {
                intake.out.push(Step::Synced { folder, at: now() })?;
            }
        }
        // What was reported before a failure is valid, and kept.
        let settled = intake.out.settle();
        let (new, unread) = (intake.new, intake.unread);
        session.take = intake.take;
        if session.caps.snapshot {
            session.listed = intake.listed;
            session.deletions = session.listed.is_some();
        }
        self.told.end();
        self.report.new += new;
        if new > 0 {
            (self.bodies, self.bodies_after) = (true, None);
        }
        if before.validity != 0 && unread > 0 {
            self.told.emit(Event::Arrived { account: self.id, folder, count: unread });
        }
        match pulled {
            Ok(_) if complete => self.pulls.retain(|f| *f != folder),
            Ok(_) => {}
            Err(error) if is_of_one_folder(&error) => {
                self.pulls.retain(|f| *f != folder);
                self.told.trouble(&error);
                self.first_error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
        settled
    }

    /// POP3: takes the next mails that are listed there and not here, the newest first.
    fn take(&mut self) -> Result<()> {
        let Some(inbox) = self.reader.folder_by_role(self.id, Role::Inbox)? else {
            return Err(Error::new(Kind::Bug, "the account has no inbox"));
        };
        let session = self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))?;
        let total = session.take.len() as u64;
        let chunk: Vec<(String, u64)> = session.take.drain(..session.take.len().min(CHUNK)).collect();
        let order: Vec<RemoteId> = chunk.iter().map(|(uidl, _)| RemoteId::Uidl(uidl.clone())).collect();
        let wanted = chunk
            .iter()
            .map(|(u, _)| (RemoteId::Uidl(u.clone()), Wanted::Mail { uidl: u.clone() }))
            .collect();
        self.told.begin_once("messages", inbox.path, total);
        let first_look = self.reader.uidls(self.id)?.is_empty();
        let job = bodies::Job { store: self.store, account: self.id, folder: inbox.id, now: now() };
        let remote = FolderRef::new(inbox.remote);
        let came = bodies::fetch(
            session.protocol.as_mut(),
            &job,
            &remote,
            (&wanted, &order),
            self.door,
            &mut self.told,
        )?;
        self.report.new += came;
        if came < order.len() as u64 && self.door.is_urgent() {
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
        if !first_look && came > 0 {
            self.told.emit(Event::Arrived { account: self.id, folder: inbox.id, count: came });
        }
        Ok(())
    }

    fn fetch_wanted(&mut self) -> Result<()> {
        let Some(message) = self.wanted.front().copied() else { return Ok(()) };
        if let Some(body) = self.reader.wanted_body(message)? {
            self.fetch_chunk(&[body])?;
        }
        self.wanted.retain(|m| *m != message);
        Ok(())
    }

    fn fetch_bodies(&mut self) -> Result<()> {
        let chunk = self.reader.wanted_bodies(self.id, self.bodies_after, CHUNK)?;
        let Some(last) = chunk.last() else {
            self.bodies = false;
            self.told.end();
            return Ok(());
        };
        if !self.told.is_working() {
            let total = self.reader.wanted_count(self.id)?;
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

    fn fetch_chunk(&mut self, chunk: &[WantedBody]) -> Result<()> {
        let mut by_folder: Vec<(FolderId, Vec<&WantedBody>)> = Vec::new();
        for body in chunk {
            match by_folder.iter_mut().find(|(folder, _)| *folder == body.folder) {
                Some((_, bodies)) => bodies.push(body),
                None => by_folder.push((body.folder, vec![body])),
            }
        }
        for (folder, wanted) in by_folder {
            let Ok((remote, _)) = self.folder_ref(folder) else { continue };
            let validity = self.reader.cursor(folder)?.validity;
            let id = |body: &WantedBody| RemoteId::Uid { validity, uid: body.uid };
            let order: Vec<RemoteId> = wanted.iter().map(|b| id(b)).collect();
            let wanted = wanted.iter().map(|b| (id(b), Wanted::Body(b.message))).collect();
            let job = bodies::Job { store: self.store, account: self.id, folder, now: now() };
            let session =
                self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))?;
            bodies::fetch(
                session.protocol.as_mut(),
                &job,
                &remote,
                (&wanted, &order),
                self.door,
                &mut self.told,
            )?;
            if self.door.is_urgent() && chunk.len() > 1 {
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self) -> Result<()> {
        let ready = self.reader.ops(self.id, now(), 50)?;
        if ready.is_empty() {
            self.ops = false;
            return Ok(());
        }
        for op in ready {
            self.store.commit(Batch { account: self.id, steps: vec![Step::OpRunning(op.id)] })?;
            let session =
                self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))?;
            let pushed = push::push(session.protocol.as_mut(), &self.reader, &op, now());
            self.store.commit(Batch { account: self.id, steps: vec![pushed.step] })?;
            if let Some(folder) = pushed.look
                && !self.pulls.contains(&folder)
            {
                self.pulls.push(folder);
            }
            match (pushed.broken, pushed.trouble) {
                (Some(error), _) => return Err(error),
                (None, Some(error)) => self.told.trouble(&error),
                (None, None) => self.report.pushed += 1,
            }
        }
        Ok(())
    }

    fn delete(&mut self) -> Result<()> {
        let session = self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))?;
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
    fn finish(&mut self) -> Result<()> {
        if let Some(session) = self.session.take() {
            let deleted = session.deleted;
            let ended = session.protocol.finish();
            if deleted && ended.is_err() {
                // QUIT was not +OK: nothing counts as deleted (promise P3).
                self.store.commit(Batch { account: self.id, steps: vec![Step::Untold] })?;
            }
            ended?;
        }
        self.synced();
        self.told.state(AccountState::Resting);
        Ok(())
    }

    fn synced(&mut self) {
        if let Some((new, bytes)) = self.round.take() {
            let new = self.report.new - new;
            let bytes = self.told.bytes().saturating_sub(bytes);
            self.told.emit(Event::Synced { account: self.id, at: now(), new, bytes });
        }
    }

    fn end(mut self) -> Result<Report> {
        if let Err(error) = self.finish()
            && self.mode == Mode::Once
        {
            return Err(error);
        }
        self.report.bytes = self.told.bytes();
        match (self.mode, self.first_error) {
            (Mode::Once, Some(error)) => Err(error),
            _ => Ok(self.report),
        }
    }

    fn sleep(&mut self, until: Option<Instant>) {
        self.door.rest(|bell| bell.wait(until));
        if self.check_at <= Instant::now() {
            self.folders = true;
        }
    }

    fn wait(&mut self, until: Instant) -> Result<()> {
        self.synced();
        let inbox = self.reader.folder_by_role(self.id, Role::Inbox)?;
        let session = self.session.as_mut().ok_or_else(|| Error::new(Kind::Bug, "there is no session"))?;
        let wake = match &inbox {
            Some(inbox) if session.caps.push => {
                self.told.state(AccountState::Watching);
                let remote = FolderRef::new(inbox.remote.clone());
                self.door.rest(|_| session.protocol.wait(&remote, until))
            }
            _ => None,
        };
        match wake.transpose()? {
            Some(Wake::Changed) => {
                self.round.get_or_insert((self.report.new, self.told.bytes()));
                self.pulls.extend(inbox.map(|f| f.id));
                if let Some(looked) = self.looked
                    && !self.pulls.contains(&looked)
                {
                    self.pulls.push(looked);
                }
            }
            Some(Wake::TimedOut | Wake::Interrupted) => {}
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

    /// Decides what a failure means; an error ends the thread ([`Mode::Once`]).
    fn failed(&mut self, error: Error) -> Result<()> {
        // The session is in no known state: it is dropped, not finished.
        self.session = None;
        self.told.end();
        self.folders = true;
        if self.door.is_halted() || (error.kind() == Kind::Interrupted && self.stopping) {
            self.stopping = true;
            return Ok(());
        }
        if self.mode == Mode::Once {
            return Err(error);
        }
        self.tries += 1;
        let again_once = error.kind() == Kind::Auth && self.ever;
        if error.kind().retry() == Retry::AskUser && !again_once {
            self.paused = true;
            let hint = error.hint_text().map(Clean::line);
            self.told.trouble(&error);
            self.told.state(AccountState::Paused { why: Clean::line(&error.to_string()), hint });
            return Ok(());
        }
        let wait = if again_once {
            // A server may be confused for a moment; a second refusal is believed (promise A7).
            self.ever = false;
            Duration::from_secs(60)
        } else {
            backoff::delay(self.tries, backoff::random())
        };
        let until = Instant::now() + wait;
        self.not_before = Some(until);
        if self.tries == 1 {
            self.told.trouble(&error);
        }
        self.told.state(AccountState::Offline { why: Clean::line(&error.to_string()), until });
        Ok(())
    }
}

/// Whether a failure concerns one folder and leaves the session usable.
fn is_of_one_folder(error: &Error) -> bool {
    matches!(error.kind(), Kind::Refused | Kind::Gone | Kind::Unsupported)
}

/// Whether what a server tells in passing shows that nothing can have changed.
fn in_step(held: Cursor, there: Cursor) -> bool {
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
    }
}

/// Unix time.
fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |t| i64::try_from(t.as_secs()).unwrap_or(i64::MAX))
}
