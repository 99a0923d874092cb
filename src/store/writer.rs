//! The store thread: one connection that writes, jobs in, word of every commit out.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{Batch, Changed};
use super::claim::Claims;
use super::db::{Db, sql};
use super::inbox::{Answer, Inbox, Job, Queued, Work};
use super::intents::refused;
use super::migrate::current;
use super::peers::Peers;
use super::tx::{Touched, Tx};
use super::wishes::wishing;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, OpId};

/// Tells the time, Unix seconds.
pub(super) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
/// Those who are told of every commit.
pub(super) type Listeners = Arc<Mutex<Vec<Box<dyn Fn(&Changed) + Send>>>>;

/// Rows in a transaction: enough that a slow disk does not rule, few enough that an intent does not wait.
const ROWS: std::ops::RangeInclusive<usize> = 50..=400;
/// A commit that takes longer means a slow disk.
const SLOW: Duration = Duration::from_millis(10);
/// Free pages that are given back to the disk at a time.
const VACUUM: i64 = 256;

/// What the store thread owns.
pub(super) struct Writer {
    pub(super) db: Db,
    pub(super) inbox: Arc<Inbox>,
    pub(super) listeners: Listeners,
    pub(super) peers: Arc<Peers>,
    claims: Arc<Claims>,
    pub(super) clock: Clock,
    /// The newest operation that is known of.
    newest: OpId,
    rows: usize,
    serial: u64,
    untidy: bool,
    /// When the next mail comes back that was put off.
    due: Option<i64>,
}

impl Writer {
    pub(super) fn new(
        db: Db,
        inbox: Arc<Inbox>,
        listeners: Listeners,
        peers: Arc<Peers>,
        claims: Arc<Claims>,
        clock: Clock,
    ) -> Self {
        let (newest, rows) = (OpId(0), *ROWS.start());
        let (serial, untidy, due) = (0, false, None);
        Self { db, inbox, listeners, peers, claims, clock, newest, rows, serial, untidy, due }
    }

    /// Works until the inbox is closed and empty.
    pub(super) fn run(mut self) {
        self.newest = self.newest_op().unwrap_or(self.newest);
        self.wake();
        loop {
            // Only ever to wait for what is due: without it nothing wakes up by itself.
            let wait = self
                .due
                .map(|due| Duration::from_secs(due.saturating_sub((self.clock)()).max(1).unsigned_abs()));
            match self.inbox.next(self.rows, self.untidy, wait) {
                Work::Jobs(jobs) => self.jobs(jobs),
                Work::Batches(group) => self.batches(group),
                Work::Foreign => self.foreign(),
                Work::Due => {}
                Work::Quiet => self.tidy(),
                Work::Closed => break,
            }
            self.wake();
        }
        self.checkpoint();
    }

    /// Brings back what was put off until now, and looks when the next is. Another process may have done both.
    fn wake(&mut self) {
        let next =
            self.db.one(sql!("SELECT min(wake_at) FROM snoozes"), [], |row| row.get::<_, Option<i64>>(0));
        self.due = next.ok().flatten().flatten();
        if self.due.is_none_or(|due| due > (self.clock)()) {
            return;
        }
        let (queued, _) = Queued::new(Job::Wake);
        self.jobs(vec![queued]);
        let next =
            self.db.one(sql!("SELECT min(wake_at) FROM snoozes"), [], |row| row.get::<_, Option<i64>>(0));
        // A store that cannot be written now is tried again when something else happens.
        self.due = next.ok().flatten().flatten().filter(|due| *due > (self.clock)());
    }

    fn newest_op(&self) -> Result<OpId> {
        let newest = self.db.one(sql!("SELECT max(id) FROM ops"), [], |row| row.get::<_, Option<OpId>>(0))?;
        Ok(newest.flatten().unwrap_or(self.newest))
    }

    /// Another process changed something, or asks whether we live. What the user did there is as urgent as
    /// what the user does here.
    fn foreign(&mut self) {
        self.claims.beat();
        // A store that cannot be read says so where it is needed.
        let newest = self.newest_op().unwrap_or(self.newest);
        let newer = self.db.all(
            sql!("SELECT account_id FROM ops WHERE id > ?1 AND id <= ?2"),
            (self.newest, newest),
            |row| row.get::<_, AccountId>(0),
        );
        let mut ops: BTreeSet<AccountId> = newer.unwrap_or_default().into_iter().collect();
        ops.extend(wishing(&self.db).unwrap_or_default());
        self.newest = newest;
        self.tell(Changed { foreign: true, ops: ops.into_iter().collect(), ..Changed::default() });
    }

    /// Intents: all in one transaction, each told apart.
    fn jobs(&mut self, jobs: Vec<Queued>) {
        match self.transaction(&jobs, false) {
            Ok(done) => {
                self.peers.poke();
                for (queued, (answer, touched)) in jobs.into_iter().zip(done) {
                    self.conclude(touched, vec![(queued, answer)]);
                }
            }
            Err(e) => self.apart(jobs, e),
        }
    }

    /// Batches: as many as fit into one transaction, each whole or not at all.
    fn batches(&mut self, mut group: VecDeque<Queued>) {
        let begun = Instant::now();
        match self.transaction(group.make_contiguous(), true) {
            Ok(done) => {
                self.peers.poke();
                let rest = group.split_off(done.len());
                if !rest.is_empty() {
                    self.inbox.put_back(rest);
                }
                let mut touched = Touched::default();
                let mut answers = Vec::new();
                for (queued, (answer, one)) in group.into_iter().zip(done) {
                    touched.merge(one);
                    answers.push((queued, answer));
                }
                self.conclude(touched, answers);
                self.adapt(begun);
            }
            Err(e) => self.apart(group.into(), e),
        }
    }

    /// A transaction failed: each of its jobs in one of its own, so that only the culprit is told.
    fn apart(&mut self, mut jobs: Vec<Queued>, e: Error) {
        if jobs.len() == 1
            && let Some(only) = jobs.pop()
        {
            return self.fail(only, e);
        }
        for queued in jobs {
            match self.transaction(std::slice::from_ref(&queued), false).map(|mut done| done.pop()) {
                Ok(Some((answer, touched))) => {
                    self.peers.poke();
                    self.conclude(touched, vec![(queued, answer)]);
                }
                Ok(None) => drop(queued),
                Err(e) => self.fail(queued, e),
            }
        }
    }

    /// An intent is told of to everyone: nobody may wait for it.
    fn fail(&mut self, queued: Queued, e: Error) {
        tracing::warn!(error = %e, "a transaction of the store failed");
        if matches!(queued.job, Job::Intent(_)) {
            let why = e.hint_text().map_or_else(|| e.to_string(), |hint| format!("{e}; {hint}"));
            self.tell(Changed { outcome: Some(refused(&why)), ..Changed::default() });
        }
        queued.answer(Err(e));
    }

    /// Does the jobs in one transaction, durable when it returns. With `yielding` it may stop early, with
    /// fewer results than jobs, to let an intent pass. An error undoes all of them.
    fn transaction(&self, jobs: &[Queued], yielding: bool) -> Result<Vec<(Answer, Touched)>> {
        let done = catch_unwind(AssertUnwindSafe(|| self.attempt(jobs, yielding)))
            .unwrap_or_else(|_| Err(Error::new(Kind::Bug, "the store stumbled over its own code")));
        if done.is_err() && !self.db.bare().is_autocommit() {
            // Fails only where SQLite has rolled back already.
            let _ = self.db.run(sql!("ROLLBACK"), []);
        }
        done
    }

    fn attempt(&self, jobs: &[Queued], yielding: bool) -> Result<Vec<(Answer, Touched)>> {
        self.db.run(sql!("BEGIN IMMEDIATE"), [])?;
        // Another process may have migrated the file while this one had it open.
        let version = self.db.one(sql!("PRAGMA user_version"), [], |row| row.get::<_, i64>(0))?;
        if version != Some(current()) {
            return Err(
                Error::new(Kind::Store, "a newer mailtui has changed the store").hint("start mailtui again")
            );
        }
        let now = (self.clock)();
        let mut done = Vec::with_capacity(jobs.len());
        for queued in jobs {
            if yielding && !done.is_empty() && self.inbox.has_jobs() {
                break;
            }
            if let Job::Batch(Batch { account, .. }) | Job::Recover(account) = &queued.job {
                self.claims.fence(*account)?;
            }
            let mut tx = Tx::new(&self.db, now);
            let answer = tx.job(&queued.job)?;
            done.push((answer, tx.touched));
        }
        self.db.run(sql!("COMMIT"), [])?;
        Ok(done)
    }

    /// Tells everyone, then those who wait: whoever gets an answer knows that the word is out.
    fn conclude(&mut self, touched: Touched, answers: Vec<(Queued, Answer)>) {
        self.untidy = true;
        let mut changed = touched.into_changed();
        if let [(_, Answer::Outcome(outcome))] = answers.as_slice() {
            changed.outcome = Some(outcome.clone());
        }
        self.tell(changed);
        for (queued, answer) in answers {
            queued.answer(Ok(answer));
        }
    }

    fn tell(&mut self, mut changed: Changed) {
        self.serial += 1;
        changed.serial = self.serial;
        for listener in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // A listener that fails is its own affair.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(&changed)));
        }
    }

    fn adapt(&mut self, begun: Instant) {
        if self.inbox.has_jobs() {
            self.rows = (self.rows / 2).max(*ROWS.start());
        } else if begun.elapsed() > SLOW {
            self.rows = (self.rows * 2).min(*ROWS.end());
        }
    }

    /// In a quiet moment: gives free pages back, then copies the log into the file.
    fn tidy(&mut self) {
        let free = self.db.one(sql!("PRAGMA freelist_count"), [], |row| row.get::<_, i64>(0));
        if matches!(free, Ok(Some(pages)) if pages > 4 * VACUUM)
            && self.db.all(sql!("PRAGMA incremental_vacuum(256)"), [], |_| Ok(())).is_ok()
        {
            return;
        }
        self.checkpoint();
        self.untidy = false;
    }

    /// Failing is harmless: the log grows until the next time.
    fn checkpoint(&self) {
        if let Err(e) = self.db.all(sql!("PRAGMA wal_checkpoint(PASSIVE)"), [], |_| Ok(())) {
            tracing::warn!(error = %e, "the store's log could not be copied into its file");
        }
    }
}
