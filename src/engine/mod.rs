//! The join: one thread per account that pulls changes into the store and pushes what is queued.
//!
//! An engine thread owns one session with its server and one reader of the store. It is reached through
//! its [`door::Door`], decides by [`plan::next`], and tells what it does as [`Event`]s.

mod account;
mod append;
mod backoff;
mod bodies;
mod claim;
mod door;
pub mod drafting;
mod event;
mod freeze;
mod heads;
mod import;
mod keep;
mod plan;
mod pop;
mod portion;
mod post;
mod press;
mod pull;
mod push;
mod receive;
mod rehearsal;
mod renaming;
pub mod report;
mod room;
mod search;
mod session;
pub mod shelf;
mod sign_in;
mod survey;
mod tight;
mod told;
mod trouble;
mod watch;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use account::Report;
pub use event::{AccountState, Command, Event, Found, Progress};
pub use freeze::{Mail, freeze};
pub use import::{Came, Filed, Import, Taken};
pub use plan::Mode;
pub use post::{Posted, send_due};
pub use rehearsal::{Forecast, rehearse};
pub use survey::{Survey, survey};
pub use told::Emit;

use crate::config::Account;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Owner};
use crate::net::Interrupt;
use crate::protocol::MailProtocol;
use crate::protocol::outgoing::Transport;
use crate::secret::Secret;
use crate::store::Store;
use account::{Duty, Starter};
use door::{Door, Note};

/// How long a process that syncs may leave a question unanswered before another takes over (promise A4).
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// Makes a session: connects and signs in. The interrupt ends every wait of the session.
pub type Opener = Arc<dyn Fn(&Interrupt) -> Result<Box<dyn MailProtocol>> + Send + Sync>;

/// Makes a session for sending. The interrupt ends every wait of it but the one for the answer to a mail.
pub type Dispatch = Arc<dyn Fn(&Interrupt) -> Result<Box<dyn Transport>> + Send + Sync>;

/// Tells the secret that the next session is signed in with; with `true` it is looked for anew where it may
/// have changed.
pub type Asker = Arc<dyn Fn(bool) -> Result<Secret> + Send + Sync>;

/// One account to be kept in step.
#[derive(Clone)]
pub struct Setup {
    /// Its configuration.
    pub account: Account,
    /// Who owns its folders and flags.
    pub owner: Owner,
    /// What the store calls its protocol: `imap`, `pop3`, `memory`.
    pub protocol: &'static str,
    /// How to reach its server.
    pub open: Opener,
    /// How its mail goes out; `None`: it cannot send.
    pub post: Option<Dispatch>,
    /// With which secret; `None`: sessions need none, or nothing is to be remembered of refusals (promise A7).
    pub secret: Option<Asker>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("account", &self.account.name).finish_non_exhaustive()
    }
}

/// The running threads.
#[derive(Debug)]
pub struct Engine {
    threads: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    id: AccountId,
    name: String,
    door: Door,
    is_live: bool,
    /// It sends.
    is_post: bool,
    report: Receiver<Result<Report>>,
    thread: JoinHandle<()>,
}

impl Running {
    fn start(starter: Starter, emit: &Emit) -> Result<Self> {
        let (id, name, door) = (starter.id, starter.setup.account.name.clone(), starter.door.clone());
        let is_live = matches!(starter.duty, Duty::Live { .. });
        let (done, report) = channel();
        let emit = Arc::clone(emit);
        let thread = std::thread::Builder::new()
            .name(format!("{}-{name}", if is_live { "live" } else { "bulk" }))
            .spawn(move || {
                // Nobody waits for the report of an engine that was dropped.
                let _ = done.send(starter.run(&emit));
            })
            .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
        Ok(Self { id, name, door, is_live, is_post: false, report, thread })
    }

    /// The thread that sends the account's mail.
    fn start_post(setup: &Setup, id: AccountId, store: &Store, emit: &Emit) -> Result<Option<Self>> {
        let Some(dispatch) = setup.post.clone() else { return Ok(None) };
        let (name, door) = (setup.account.name.clone(), Door::new()?);
        let (done, report) = channel();
        let (far, store, emit, own) = (door.clone(), store.clone(), Arc::clone(emit), name.clone());
        let thread = std::thread::Builder::new()
            .name(format!("post-{name}"))
            .spawn(move || {
                post::run(&store, (id, &own), &dispatch, &far, &emit);
                let _ = done.send(Ok(Report::default()));
            })
            .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
        Ok(Some(Self { id, name, door, is_live: false, is_post: true, report, thread }))
    }
}

impl Engine {
    /// Starts one thread per account. Fails only when a thread or a row cannot be made; what a server
    /// does is told by events.
    pub fn start(store: &Store, setups: Vec<Setup>, mode: Mode, emit: &Emit) -> Result<Self> {
        Self::start_with(store, setups, mode, emit, HANGS_AFTER)
    }

    /// The same; a process that syncs and does not answer for `hangs_after` has its accounts taken over.
    pub fn start_with(
        store: &Store,
        setups: Vec<Setup>,
        mode: Mode,
        emit: &Emit,
        hangs_after: Duration,
    ) -> Result<Self> {
        let mut threads = Vec::new();
        for setup in setups {
            let remote_key = setup.account.remote_key();
            let id = store.account(&setup.account.name, setup.protocol, setup.owner, &remote_key)?;
            if mode == Mode::Watch {
                threads.extend(Running::start_post(&setup, id, store, emit)?);
            }
            // Nothing is ever looked at: no thread, no lock, no tick.
            if !setup.account.is_fed() {
                continue;
            }
            let door = Door::new()?;
            // A second connection keeps a long first sync out of the way of the user and of news.
            let twice = mode == Mode::Watch && setup.owner == Owner::Server;
            let bulk = if twice { Some(Door::new()?) } else { None };
            let live = Duty::Live { bulk: bulk.clone() };
            let start = |door: Door, duty| {
                let starter =
                    Starter { setup: setup.clone(), id, store: store.clone(), door, mode, duty, hangs_after };
                Running::start(starter, emit)
            };
            threads.push(start(door.clone(), live)?);
            if let Some(bulk) = bulk {
                threads.push(start(bulk, Duty::Bulk { live: door })?);
            }
        }
        let doors: Vec<_> = threads
            .iter()
            .filter(|t: &&Running| t.is_live || t.is_post)
            .map(|t| (t.id, t.door.clone()))
            .collect();
        store.subscribe(Box::new(move |changed| {
            for (id, door) in &doors {
                if changed.ops.contains(id) {
                    door.knock(Note::Ops);
                } else if changed.foreign {
                    door.knock(Note::Foreign);
                }
            }
        }));
        Ok(Self { threads })
    }

    /// Hands a command to the threads it concerns. Never waits.
    pub fn send(&self, command: Command) {
        self.sender()(command);
    }

    /// A sender of commands that can be handed to another thread.
    #[must_use]
    pub fn sender(&self) -> Box<dyn Fn(Command) + Send> {
        let doors: Vec<_> =
            self.threads.iter().map(|t| (t.id, t.is_live, t.is_post, t.door.clone())).collect();
        Box::new(move |command| {
            for (id, is_live, is_post, door) in &doors {
                let concerned = match &command {
                    Command::Sync(account) => {
                        (*is_live || *is_post) && account.is_none_or(|account| account == *id)
                    }
                    Command::Fetch { account, .. }
                    | Command::Look { account, .. }
                    | Command::Search { account, .. } => *is_live && account == id,
                    Command::Stop => true,
                };
                if concerned {
                    door.knock(Note::Command(command.clone()));
                }
            }
        })
    }

    /// Waits until every thread ended by itself ([`Mode::Once`]): the account's name and what it did.
    #[must_use]
    pub fn join(self) -> Vec<(String, Result<Report>)> {
        self.threads
            .into_iter()
            .map(|t| {
                let report = t.report.recv().unwrap_or_else(|_| Err(died(&t.name)));
                // It sent its report last: it is at its end.
                let _ = t.thread.join();
                (t.name, report)
            })
            .collect()
    }

    /// Ends every thread: in order within `patience`, then by ending its waits. A thread that does not
    /// even then end is left behind: whatever it had not finished is repeated at the next start.
    pub fn stop(self, patience: Duration) {
        self.send(Command::Stop);
        let deadline = Instant::now() + patience;
        let late: Vec<_> = self
            .threads
            .into_iter()
            .filter(|t| {
                let left = deadline.saturating_duration_since(Instant::now());
                matches!(t.report.recv_timeout(left), Err(RecvTimeoutError::Timeout))
            })
            .collect();
        for thread in &late {
            thread.door.halt();
        }
        let deadline = Instant::now() + Duration::from_millis(500);
        for thread in late {
            let left = deadline.saturating_duration_since(Instant::now());
            let _ = thread.report.recv_timeout(left);
        }
    }
}

fn died(name: &str) -> Error {
    Error::new(Kind::Bug, format!("the thread of account {name} died"))
}
