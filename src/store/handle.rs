//! The handle that everyone has: what is queued for the store thread, and readers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::batch::{Batch, Changed, Committed};
use super::claim::{AccountLock, Claims, Found, Holder, Locked, PostLock, PostLocked, claim, seize};
use super::inbox::{Answer, Inbox, Job, Queued, Ticket};
use super::lock::{Opening, StoreLock};
use super::peers::Peers;
use super::reader::Reader;
use super::room::{Gauge, Room};
use super::tx::Tx;
use super::wishes::Wish;
use super::writer::{Clock, Listeners, Writer};
use super::{home, open};
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Intent, Outcome, Owner};

/// The store of one data directory: cheap to clone, usable from every thread.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    inbox: Arc<Inbox>,
    listeners: Listeners,
    peers: Arc<Peers>,
    claims: Arc<Claims>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    gauge: Gauge,
    /// Shared for as long as the store is open.
    #[expect(dead_code, reason = "held for its lock")]
    lock: StoreLock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in `dir`, made where it is missing, and starts its thread.
    ///
    /// Fails, in words, on a network or sync file system, a file of a newer program, or one that is damaged.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_at(dir, Arc::new(system_time))
    }

    /// The same with a clock: Unix seconds.
    pub fn open_at(dir: &Path, clock: Arc<dyn Fn() -> i64 + Send + Sync>) -> Result<Self> {
        let dir = home::prepare(dir)?;
        let opening = Opening::wait(&dir)?;
        let (lock, alone) = StoreLock::take(&dir)?;
        let db = open::writer(&dir, alone)?;
        if alone {
            recover_all(&db, &clock)?;
            lock.share()?;
        }
        let peers = Arc::new(Peers::join(&dir)?);
        drop(opening);
        let (inbox, listeners) = (Arc::<Inbox>::default(), Listeners::default());
        let ear = peers.ear()?;
        let claims = Arc::<Claims>::default();
        let writer = Writer::new(db, inbox.clone(), listeners.clone(), peers.clone(), claims.clone(), clock);
        let far = inbox.clone();
        let threads = vec![
            spawn("store", move || writer.run())?,
            spawn("store-peers", move || {
                while ear.hear() {
                    far.foreign();
                }
            })?,
        ];
        let threads = Mutex::new(threads);
        let gauge = Gauge::default();
        Ok(Self(Arc::new(Inner { dir, inbox, listeners, peers, claims, threads, gauge, lock })))
    }

    /// The directory it lies in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// How much room the disk of the store has left; `None`: it cannot be told.
    #[must_use]
    pub fn room(&self) -> Option<Room> {
        self.0.gauge.read(&self.0.dir)
    }

    /// From now on the disk is said to have this much room; `None`: as it has. For tests.
    pub fn pretend_room(&self, room: Option<Room>) {
        self.0.gauge.pretend(room);
    }

    /// A connection of its own for reading: one for each thread.
    pub fn reader(&self) -> Result<Reader> {
        Ok(Reader::new(open::reader(&self.0.dir)?))
    }

    /// The same for who shows no pages, as an engine's thread: it maps nothing of the file, which takes less memory.
    pub fn lister(&self) -> Result<Reader> {
        Ok(Reader::new(open::lister(&self.0.dir)?))
    }

    /// Makes or finds the account of this name. INBOX is made with it, and where the truth is here the
    /// other usual folders too. `remote_key` is user@host.
    pub fn account(&self, name: &str, protocol: &str, owner: Owner, remote_key: &str) -> Result<AccountId> {
        let (name, protocol, remote_key) = (name.to_owned(), protocol.to_owned(), remote_key.to_owned());
        match self.ask(Job::Account { name, protocol, owner, remote_key })? {
            Answer::Account(account) => Ok(account),
            _ => Err(mixed_up()),
        }
    }

    /// Writes a batch; returns when it is durable.
    pub fn commit(&self, batch: Batch) -> Result<Committed> {
        self.submit(batch).wait()
    }

    /// Queues a batch and returns. Waits only while 8 MiB are queued already.
    pub fn submit(&self, batch: Batch) -> Pending {
        let (queued, ticket) = Queued::new(Job::Batch(batch));
        self.0.inbox.put(queued);
        Pending { ticket, inbox: self.0.inbox.clone() }
    }

    /// Does what the user wants, before anything that engines have queued. Returns at once; what became of it
    /// is told to subscribers as [`Changed::outcome`].
    pub fn intend(&self, intent: Intent) {
        let (queued, _) = Queued::new(Job::Intent(intent));
        self.0.inbox.put(queued);
    }

    /// The same for callers that wait: the command line, tests.
    pub fn intend_wait(&self, intent: Intent) -> Result<Outcome> {
        match self.ask(Job::Intent(intent))? {
            Answer::Outcome(outcome) => Ok(outcome),
            _ => Err(mixed_up()),
        }
    }

    /// Remembers a value of the screen's under a key. Returns at once.
    pub fn remember(&self, key: &str, value: &str) {
        let (queued, _) = Queued::new(Job::Remember { key: key.to_owned(), value: value.to_owned() });
        self.0.inbox.put(queued);
    }

    /// From now on `listener` is called after every commit, of this process or of another. It is called on
    /// the store thread: it may only pass the word on.
    pub fn subscribe(&self, listener: Box<dyn Fn(&Changed) + Send>) {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Tries to get the right to sync the account of this name (promise A4). With it comes an orderly queue:
    /// what an earlier process left running is queued again, half bodies are dropped.
    pub fn lock_account(&self, account: AccountId, name: &str) -> Result<Locked> {
        self.locked(account, claim(&self.0.dir, name)?)
    }

    /// The same, and if the holder has not stirred since it was seen as `from`, although it was poked, the
    /// account is taken away from it: whatever it still wants to write is refused.
    pub fn seize_account(&self, account: AccountId, name: &str, from: &Holder) -> Result<Locked> {
        self.locked(account, seize(&self.0.dir, name, from)?)
    }

    /// Tries to get the right to send the mail of the account of this name. With it comes an orderly outbox: what an
    /// earlier process had told the end of, and heard no answer to, is unsure.
    pub fn lock_outbox(&self, account: AccountId, name: &str) -> Result<PostLocked> {
        match claim(&self.0.dir, &format!("{name}\u{1}outbox"))? {
            Found::Held(holder) => Ok(PostLocked::Held(holder)),
            Found::Mine(claim) => {
                let lock = PostLock::new(claim, self.0.peers.clone());
                self.recover_outbox(account)?;
                Ok(PostLocked::Mine(lock))
            }
        }
    }

    fn locked(&self, account: AccountId, found: Found) -> Result<Locked> {
        match found {
            Found::Held(holder) => Ok(Locked::Held(holder)),
            Found::Mine(claim) => {
                let claim = Arc::new(claim);
                self.0.claims.begin(account, claim.clone());
                let lock = AccountLock::new(account, claim, self.0.claims.clone(), self.0.peers.clone());
                self.ask(Job::Recover(account))?;
                Ok(Locked::Mine(lock))
            }
        }
    }

    /// Asks the processes that have the store open whether they live: those that do show it
    /// ([`Holder::has_stirred_since`]).
    pub fn poke(&self) {
        self.0.peers.poke();
    }

    /// Asks something of the process that syncs the account.
    pub fn wish(&self, account: AccountId, wish: Wish) -> Result<()> {
        self.ask(Job::Wish(account, wish)).map(drop)
    }

    /// What others ask of us who sync the account; asked for once.
    pub fn take_wishes(&self, account: AccountId) -> Result<Vec<Wish>> {
        match self.ask(Job::TakeWishes(account))? {
            Answer::Wishes(wishes) => Ok(wishes),
            _ => Err(mixed_up()),
        }
    }

    /// Does all that is queued and ends the store thread. Later jobs are answered with an error. The last
    /// handle that is dropped does the same.
    pub fn close(&self) {
        self.0.close();
    }

    /// A unit test's way to the connection that writes, in a transaction of its own.
    #[cfg(test)]
    pub(super) fn on_writer(&self, run: impl Fn(&rusqlite::Connection) + Send + 'static) -> Result<()> {
        self.ask(Job::Test(super::inbox::TestJob(Box::new(run)))).map(|_| ())
    }

    pub(super) fn ask(&self, job: Job) -> Result<Answer> {
        let (queued, ticket) = Queued::new(job);
        self.0.inbox.put(queued);
        ticket.wait(&self.0.inbox)
    }
}

impl Inner {
    fn close(&self) {
        self.inbox.close();
        self.peers.leave();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A listener may drop the last handle: a thread does not wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                // It catches its panics itself.
                let _ = thread.join();
            }
        }
        // A listener may hold a handle: dropped when the lock is given back.
        let listeners = std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner));
        drop(listeners);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// A batch on its way to the disk.
#[derive(Debug)]
#[must_use = "a batch that nobody waits for may have failed"]
pub struct Pending {
    ticket: Arc<Ticket>,
    inbox: Arc<Inbox>,
}

impl Pending {
    /// Waits until the batch is durable.
    pub fn wait(self) -> Result<Committed> {
        match self.ticket.wait(&self.inbox)? {
            Answer::Committed(committed) => Ok(committed),
            _ => Err(mixed_up()),
        }
    }
}

fn mixed_up() -> Error {
    Error::new(Kind::Bug, "the store mixed up its answers")
}

fn recover_all(db: &super::db::Db, clock: &Clock) -> Result<()> {
    let mut tx = Tx::new(db, clock());
    let accounts = db.all(super::db::sql!("SELECT id FROM accounts"), [], |row| row.get(0))?;
    for account in accounts {
        tx.recover(account)?;
        tx.recover_outbox(account)?;
    }
    Ok(())
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))
}

fn system_time() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0))
}
