//! The thread of one account: connect, get in step, carry out what is queued, wait; again after failures.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::door::{Door, Note};
use super::event::{AccountState, Command, Event};
use super::plan::{self, Mode, Next};
use super::portion::{Pace, Spent};
use super::session::Session;
use super::shelf::Shelf;
use super::tight;
use super::told::{Emit, Told};
use super::trouble::{Fared, IN_STEP};
use super::{Setup, backoff, died};
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, MessageId, Owner};
use crate::store::{AccountLock, Reader, Store};
use crate::text::Clean;

/// Which of an account's two threads this is.
#[derive(Debug, Clone)]
pub(super) enum Duty {
    /// Folders, news, what the user does and waits for. Bodies too, where there is no bulk thread.
    Live {
        /// The door of the bulk thread.
        bulk: Option<Door>,
    },
    /// Bodies that nobody waits for, over a connection of its own, when the live thread says so.
    Bulk {
        /// The door of the live thread, which does the work if no second connection can be had.
        live: Door,
    },
}

/// What an account's thread did until it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// New messages.
    pub new: u64,
    /// Bytes of mail received.
    pub bytes: u64,
    /// Deletions asked for on a POP3 server.
    pub deleted: u64,
    /// POP3: mails that the account's limits left for later looks.
    pub left: u64,
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
    pub(super) duty: Duty,
    /// A process that does not answer for so long hangs (promise A4).
    pub(super) hangs_after: Duration,
}

impl Starter {
    pub(super) fn run(&self, emit: &Emit) -> Result<Report> {
        let mut panics = 0;
        let tell = || Told::new(self.id, emit.clone(), matches!(self.duty, Duty::Live { .. }));
        loop {
            let told = tell();
            match catch_unwind(AssertUnwindSafe(|| Worker::new(self, told)?.run())) {
                Ok(Ok(report)) => return Ok(report),
                Ok(Err(error)) => {
                    // The store cannot be used: said, and left to the user.
                    if self.mode == Mode::Watch {
                        let mut told = tell();
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
                    let mut told = tell();
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

pub(super) struct Worker<'a> {
    pub(super) setup: &'a Setup,
    pub(super) id: AccountId,
    pub(super) store: &'a Store,
    pub(super) reader: Reader,
    pub(super) door: &'a Door,
    pub(super) told: Told,
    pub(super) mode: Mode,
    pub(super) duty: &'a Duty,
    pub(super) hangs_after: Duration,
    /// The live thread's lock covers the bulk thread, which works only when told to by it.
    pub(super) lock: Option<AccountLock>,
    pub(super) session: Option<Session>,
    pub(super) stopping: bool,
    pub(super) paused: bool,
    pub(super) not_before: Option<Instant>,
    pub(super) tries: u32,
    /// A sign-in worked before: a refused secret is tried once more (promise A7).
    pub(super) ever: bool,
    /// The user asked for another try: a refused secret is tried whatever is remembered of it.
    pub(super) pardoned: bool,
    pub(super) wanted: VecDeque<MessageId>,
    /// What is to be searched for, and where.
    pub(super) searches: VecDeque<(FolderId, Vec<String>)>,
    pub(super) ops: bool,
    /// The user asked for another look: what waits for a time is tried too, once.
    pub(super) eager: bool,
    pub(super) folders: bool,
    pub(super) pulls: Vec<FolderId>,
    pub(super) looked: Option<FolderId>,
    /// The folder that the second connection watches, or is to watch.
    pub(super) watched: Option<FolderId>,
    pub(super) bodies: bool,
    /// No second connection can be had.
    pub(super) alone: bool,
    pub(super) bodies_after: Option<(i64, MessageId)>,
    pub(super) check_at: Instant,
    /// When the server may be asked.
    pub(super) pace: Pace,
    /// POP3: another session is begun at once, for what the last one left.
    pub(super) again: bool,
    /// POP3: what the sessions of this round took.
    pub(super) spent: Spent,
    /// POP3: mail was here before this round: what comes now is news.
    pub(super) told_before: bool,
    /// New messages and bytes when the last round was told.
    pub(super) round: Option<(u64, u64)>,
    /// How the account fares, as told last.
    pub(super) fared: Fared,
    /// The disk has little room: only the newest bodies are fetched (promise I14).
    pub(super) is_tight: bool,
    pub(super) shelf: Shelf,
    pub(super) report: Report,
    pub(super) first_error: Option<Error>,
}

impl<'a> Worker<'a> {
    fn new(starter: &'a Starter, told: Told) -> Result<Self> {
        Ok(Self {
            setup: &starter.setup,
            id: starter.id,
            reader: starter.store.lister()?,
            store: &starter.store,
            door: &starter.door,
            told,
            mode: starter.mode,
            duty: &starter.duty,
            hangs_after: starter.hangs_after,
            lock: None,
            session: None,
            stopping: false,
            paused: false,
            not_before: None,
            tries: 0,
            ever: false,
            pardoned: false,
            wanted: VecDeque::new(),
            searches: VecDeque::new(),
            eager: starter.mode == Mode::Once,
            ops: false,
            folders: matches!(starter.duty, Duty::Live { .. }),
            pulls: Vec::new(),
            looked: None,
            watched: None,
            bodies: false,
            alone: false,
            bodies_after: None,
            check_at: Instant::now(),
            pace: Pace::default(),
            again: false,
            spent: Spent::default(),
            told_before: false,
            round: None,
            fared: Fared::default(),
            is_tight: false,
            shelf: Shelf::default(),
            report: Report::default(),
            first_error: None,
        })
    }

    fn run(mut self) -> Result<Report> {
        if self.is_live() && !self.claim()? {
            return Ok(self.report);
        }
        loop {
            self.hear();
            self.keep_drafts()?;
            let done = match self.plan() {
                Next::Stop => return self.end(),
                Next::Sleep(until) => {
                    self.sleep(until);
                    Ok(())
                }
                Next::Finish => match self.finish() {
                    Ok(()) if self.mode == Mode::Once && !self.again => return self.end(),
                    done => done,
                },
                Next::Connect => self.connect(),
                Next::Wanted => self.fetch_wanted(),
                Next::Search => self.search(),
                Next::Push => self.push(),
                Next::Folders => self.list_folders(),
                Next::Pull(folder) => self.pull(folder).map(drop),
                Next::Take => self.take(),
                Next::Bodies => self.fetch_bodies(),
                Next::Deletions => self.delete(),
                Next::Wait(until) => self.wait(until),
                Next::Watch(folder) => self.watch(folder),
            };
            self.report.bytes = self.told.bytes();
            // This process hung: what it wanted to do then is another's to do.
            if self.is_ousted() {
                (self.session, self.stopping) = (None, self.stopping || self.door.is_halted());
                self.have_none_watched();
                self.told.end();
                if self.stopping || !self.claim()? {
                    return Ok(self.report);
                }
            } else if let Err(error) = done {
                self.failed(error)?;
            }
        }
    }

    fn plan(&self) -> Next {
        plan::next(&plan::View {
            now: Instant::now(),
            mode: self.mode,
            bulk: !self.is_live(),
            watch: self.watched,
            stopping: self.stopping,
            paused: self.paused,
            not_before: self.not_before,
            caps: self.session.as_ref().map(|s| s.caps),
            wanted: !self.wanted.is_empty(),
            search: !self.searches.is_empty(),
            ops: self.ops,
            ops_at: if self.ops { None } else { self.ops_at() },
            folders: self.folders,
            pulls: &self.pulls,
            take: self.session.as_ref().is_some_and(|s| !s.take.is_empty() || !s.heads.is_empty()),
            bodies: self.bodies,
            deletions: self.session.as_ref().is_some_and(|s| s.deletions),
            check_at: self.check_at,
        })
    }

    /// When the next queued operation may be tried again. A store that cannot be read says so in the
    /// step that needs it.
    fn ops_at(&self) -> Option<Instant> {
        let op = self.reader.next_op_at(self.id, now()).ok()?;
        let at = [op, self.drafts_at()].into_iter().flatten().min()?;
        let wait = u64::try_from(at.saturating_sub(now())).unwrap_or(0);
        Some(Instant::now() + Duration::from_secs(wait))
    }

    fn hear(&mut self) {
        self.stopping |= self.door.is_halted();
        for note in self.door.take() {
            if matches!(note, Note::Ops | Note::Foreign) {
                self.take_wishes();
            }
            self.heed(note);
        }
    }

    /// From now on everything is to be looked at, as at the start.
    pub(super) fn begin_anew(&mut self) {
        (self.folders, self.check_at) = (true, Instant::now());
        self.pulls.clear();
        self.look_for_ops();
        self.take_wishes();
    }

    pub(super) fn heed(&mut self, note: Note) {
        match note {
            Note::Ops | Note::Foreign => {
                self.hear_pardon();
                self.look_for_ops();
                self.look_for_awaited();
            }
            Note::Bodies => {
                self.alone = self.is_live();
                (self.bodies, self.bodies_after) = (true, None);
            }
            Note::Watch(folder) => (self.watched, self.not_before) = (folder, None),
            Note::News(folder) => {
                if self.session.as_ref().is_some_and(|s| s.caps.folders) && !self.pulls.contains(&folder) {
                    self.round.get_or_insert((self.report.new, self.told.bytes()));
                    self.pulls.push(folder);
                }
            }
            Note::Command(Command::Stop) => self.stopping = true,
            Note::Command(Command::Sync(_)) => {
                (self.paused, self.pardoned) = (false, true);
                self.not_before = self.pace.not_before();
                self.tries = 0;
                self.eager = true;
                self.look_for_ops();
                self.check_at = Instant::now();
                // A snapshot shows nothing new: it is finished and asked for anew.
                self.folders |= self.session.as_ref().is_none_or(|s| !s.caps.snapshot);
            }
            Note::Command(Command::Fetch { message, .. }) => {
                if !self.wanted.contains(&message) {
                    self.wanted.push_back(message);
                }
            }
            Note::Command(Command::Search { folder, words, .. }) => self.take_search(folder, words),
            Note::Command(Command::Look { folder, .. }) => {
                self.looked = Some(folder);
                if self.session.as_ref().is_some_and(|s| s.caps.folders) {
                    self.pulls.retain(|f| *f != folder);
                    self.pulls.insert(0, folder);
                }
            }
        }
    }

    /// Where folders and flags live here, nothing is queued for a server.
    pub(super) fn look_for_ops(&mut self) {
        self.ops = self.setup.owner == Owner::Server
            && self.is_live()
            && self.reader.ops(self.id, self.ops_until(), 1).is_ok_and(|ready| !ready.is_empty());
    }

    /// Bodies that operations of other accounts wait for are fetched as if the user waited for them.
    pub(super) fn look_for_awaited(&mut self) {
        if self.setup.owner == Owner::Here || !self.is_live() {
            return;
        }
        // A store that cannot be read says so in the step that needs it.
        for message in self.reader.awaited_bodies(self.id).unwrap_or_default() {
            if !self.wanted.contains(&message) {
                self.wanted.push_back(message);
            }
        }
    }

    /// Operations that wait for a later time than this are left waiting.
    pub(super) fn ops_until(&self) -> i64 {
        if self.eager { i64::MAX } else { now() }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.duty, Duty::Live { .. })
    }

    /// Bodies are missing: says so to the thread that fetches them.
    pub(super) fn want_bodies(&mut self) {
        if self.wanted_bodies(None, 1).is_ok_and(|wanted| wanted.is_empty()) {
            return;
        }
        match self.duty {
            Duty::Live { bulk: Some(bulk) } if !self.alone => bulk.knock(Note::Bodies),
            _ => (self.bodies, self.bodies_after) = (true, None),
        }
    }

    pub(super) fn session(&mut self) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(no_session)
    }

    pub(super) fn synced(&mut self) {
        if let Some((new, bytes)) = self.round.take() {
            let new = self.report.new - new;
            let bytes = self.told.bytes().saturating_sub(bytes);
            self.told.emit(Event::Synced { account: self.id, at: now(), new, bytes });
            if !self.stopping {
                let trouble = if self.is_tight { tight::worded() } else { String::new() };
                self.fares(Some((IN_STEP, trouble)), true);
            }
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
            self.folders = self.is_live();
        }
    }
}

/// A step that needs a session was planned without one.
pub(super) fn no_session() -> Error {
    Error::new(Kind::Bug, "there is no session")
}

/// Unix time.
pub(super) fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |t| i64::try_from(t.as_secs()).unwrap_or(i64::MAX))
}
