//! What waits for the store thread: intents first, batches behind them, bounded by their bytes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{Batch, Committed};
use super::drafts::Deed;
use super::outbox::{Frozen, Step};
use super::wishes::Wish;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Address, FolderId, Intent, Outcome, Owner, PlacementId};

/// Bytes that may wait; a sender of more waits for room.
const ROOM: usize = 8 << 20;
/// Bytes after which a group of batches is written.
const GROUP_BYTES: usize = 2 << 20;
/// How long the first of a group waits for company, when nobody waits for it.
const COMPANY: Duration = Duration::from_millis(50);
/// How long nothing comes before the store thread tidies up.
const QUIET: Duration = Duration::from_millis(200);

/// One thing for the store thread to do in a transaction.
#[derive(Debug)]
pub(super) enum Job {
    Batch(Batch),
    Intent(Intent),
    Remember {
        key: String,
        value: String,
    },
    Account {
        name: String,
        protocol: String,
        owner: Owner,
        remote_key: String,
    },
    /// The names that the configuration has.
    Roll(Vec<String>),
    RenameAccount(AccountId, String),
    LeaveParked(AccountId),
    /// Its server is gone; the key that it has from now on.
    Freeze(AccountId, String),
    Forget(AccountId),
    Carry {
        from: FolderId,
        to: AccountId,
        items: Vec<PlacementId>,
    },
    Recover(AccountId),
    Post(Box<Frozen>),
    Draft(Deed),
    /// People who were not written to yet.
    Learn(Vec<Address>),
    Outgoing(i64, Step),
    RecoverOutbox(AccountId),
    /// What the server's Sent shows was sent.
    FoundInSent(AccountId),
    Wish(AccountId, Wish),
    TakeWishes(AccountId),
    /// Bring back what was put off until now.
    Wake,
    #[cfg(test)]
    Test(TestJob),
}

/// A unit test's way to the connection that writes.
#[cfg(test)]
pub(super) struct TestJob(pub(super) Box<dyn Fn(&rusqlite::Connection) + Send>);

#[cfg(test)]
impl std::fmt::Debug for TestJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestJob")
    }
}

/// What a job came to.
#[derive(Debug)]
pub(super) enum Answer {
    Committed(Committed),
    Outcome(Outcome),
    Account(AccountId),
    Wishes(Vec<Wish>),
    Count(u64),
    Row(i64),
    Done,
}

/// Where the answer to one job arrives.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    answer: Mutex<Option<Result<Answer>>>,
    bell: Condvar,
    /// Someone waits for it: no waiting for company.
    urgent: AtomicBool,
}

impl Ticket {
    /// Waits for the answer. Once only.
    pub(super) fn wait(&self, inbox: &Inbox) -> Result<Answer> {
        self.urgent.store(true, Ordering::Release);
        inbox.ring();
        let mut answer = lock(&self.answer);
        loop {
            match answer.take() {
                Some(answer) => return answer,
                None => answer = self.bell.wait(answer).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn is_answered(&self) -> bool {
        lock(&self.answer).is_some()
    }
}

/// A job on its way. Dropped without an answer it answers that the store was closed.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) job: Job,
    pub(super) rows: usize,
    bytes: usize,
    ticket: Arc<Ticket>,
    answered: bool,
}

impl Queued {
    pub(super) fn new(job: Job) -> (Self, Arc<Ticket>) {
        let ticket = Arc::<Ticket>::default();
        let (rows, bytes) = match &job {
            Job::Batch(batch) => (batch.steps.len(), batch.steps.iter().map(super::batch::Step::bytes).sum()),
            _ => (1, 0),
        };
        (Self { job, rows, bytes, ticket: ticket.clone(), answered: false }, ticket)
    }

    pub(super) fn answer(mut self, answer: Result<Answer>) {
        self.give(answer);
    }

    fn give(&mut self, answer: Result<Answer>) {
        self.answered = true;
        *lock(&self.ticket.answer) = Some(answer);
        self.ticket.bell.notify_all();
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        if !self.answered && !self.ticket.is_answered() {
            self.give(Err(closed()));
        }
    }
}

fn closed() -> Error {
    Error::new(Kind::Store, "the store was closed")
}

/// What the store thread is to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// Intents and other small things, oldest first.
    Jobs(Vec<Queued>),
    /// Batches that fit into one transaction.
    Batches(VecDeque<Queued>),
    /// Another process changed the store.
    Foreign,
    /// What was waited for is due.
    Due,
    /// Nothing came for a while.
    Quiet,
    /// The last handle is gone and all is done.
    Closed,
}

/// The queue of the store thread.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Something came.
    bell: Condvar,
    /// Something was taken.
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: Vec<Queued>,
    batches: VecDeque<Queued>,
    bytes: usize,
    rows: usize,
    /// How many rows make a group, as the store thread said last.
    wanted: usize,
    since: Option<Instant>,
    foreign: bool,
    closed: bool,
}

impl Inbox {
    /// Queues a job. A batch waits while there is no room; an intent never waits.
    pub(super) fn put(&self, queued: Queued) {
        let mut state = lock(&self.state);
        if matches!(queued.job, Job::Batch(_)) {
            while state.bytes + queued.bytes > ROOM && state.bytes > 0 && !state.closed {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        // Dropped when closed, which answers it: after the lock is given back.
        if state.closed {
            drop(state);
            return drop(queued);
        }
        if matches!(queued.job, Job::Batch(_)) {
            let first = state.since.is_none();
            state.add(&queued);
            state.batches.push_back(queued);
            // One more for a group that is being waited for wakes nobody.
            if !first && !state.is_full() {
                return;
            }
        } else {
            state.jobs.push(queued);
        }
        self.bell.notify_all();
    }

    /// Puts batches that were taken and not begun back in front.
    pub(super) fn put_back(&self, rest: VecDeque<Queued>) {
        let mut state = lock(&self.state);
        for queued in rest.into_iter().rev() {
            state.add(&queued);
            state.batches.push_front(queued);
        }
    }

    /// Whether an intent waits.
    pub(super) fn has_jobs(&self) -> bool {
        !lock(&self.state).jobs.is_empty()
    }

    /// Another process changed the store.
    pub(super) fn foreign(&self) {
        lock(&self.state).foreign = true;
        self.bell.notify_all();
    }

    /// No more jobs are taken; those that wait are still done.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.ring();
        self.room.notify_all();
    }

    fn ring(&self) {
        // The lock makes sure that the store thread is not between looking and sleeping.
        drop(lock(&self.state));
        self.bell.notify_all();
    }

    /// Waits for something to do. `rows`: how many rows make a group; `untidy`: whether to ask for quiet; `wait`:
    /// how long at most.
    pub(super) fn next(&self, rows: usize, untidy: bool, wait: Option<Duration>) -> Work {
        let mut state = lock(&self.state);
        state.wanted = rows;
        let quiet = Instant::now() + QUIET;
        // A wait that no clock holds is none.
        let due = wait.and_then(|wait| Instant::now().checked_add(wait));
        loop {
            if !state.jobs.is_empty() {
                return Work::Jobs(std::mem::take(&mut state.jobs));
            }
            if std::mem::take(&mut state.foreign) {
                return Work::Foreign;
            }
            let mut until = untidy.then_some(quiet);
            if let Some(since) = state.since {
                if state.is_due(since) {
                    let group = state.group();
                    self.room.notify_all();
                    return Work::Batches(group);
                }
                until = Some(since + COMPANY);
            } else if state.closed {
                return Work::Closed;
            }
            if due.is_some_and(|due| Instant::now() >= due) {
                return Work::Due;
            }
            let left = |at: Instant| at.saturating_duration_since(Instant::now());
            state = match until.map(left) {
                None => match due.map(left) {
                    None => self.bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                    Some(left) => {
                        self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                    }
                },
                Some(left) if left.is_zero() && state.since.is_none() => return Work::Quiet,
                Some(left) => self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

impl State {
    fn add(&mut self, queued: &Queued) {
        self.bytes += queued.bytes;
        self.rows += queued.rows;
        self.since.get_or_insert_with(Instant::now);
    }

    fn is_full(&self) -> bool {
        self.bytes >= GROUP_BYTES || self.rows >= self.wanted
    }

    /// Whether the waiting batches are enough for a transaction, or have waited long enough.
    fn is_due(&self, since: Instant) -> bool {
        self.closed
            || self.is_full()
            || since.elapsed() >= COMPANY
            || self.batches.iter().any(|b| b.ticket.urgent.load(Ordering::Acquire))
    }

    fn group(&mut self) -> VecDeque<Queued> {
        let (mut rows, mut bytes) = (0, 0);
        let mut group = VecDeque::new();
        while rows < self.wanted && bytes < GROUP_BYTES {
            let Some(queued) = self.batches.pop_front() else { break };
            rows += queued.rows;
            bytes += queued.bytes;
            group.push_back(queued);
        }
        self.bytes -= bytes;
        self.rows -= rows;
        self.since = (!self.batches.is_empty()).then(Instant::now);
        group
    }
}

/// A panic of another thread leaves these values whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
