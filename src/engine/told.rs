//! What an account's thread tells the screen: its state, its progress, its troubles.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::event::{AccountState, Event, Progress};
use crate::error::Error;
use crate::model::AccountId;
use crate::text::Clean;

/// Where events go. Called on the engines' threads: it only hands on.
pub type Emit = Arc<dyn Fn(Event) + Send + Sync>;

/// Between two words on progress: often enough to see it move, seldom enough for a slow line.
const PROGRESS_EVERY: Duration = Duration::from_millis(150);

/// The teller of one account.
pub(super) struct Told {
    emit: Emit,
    account: AccountId,
    /// Whether this thread speaks for the account's state.
    speaks: bool,
    state: AccountState,
    progress: Option<(Progress, Instant)>,
    bytes: u64,
}

impl Told {
    pub(super) fn new(account: AccountId, emit: Emit, speaks: bool) -> Self {
        Self { emit, account, speaks, state: AccountState::Resting, progress: None, bytes: 0 }
    }

    pub(super) fn emit(&self, event: Event) {
        (self.emit)(event);
    }

    /// Tells a state that differs from the last one told.
    pub(super) fn state(&mut self, state: AccountState) {
        if self.state != state && self.speaks {
            self.state = state.clone();
            self.emit(Event::State { account: self.account, state });
        }
    }

    /// Bytes of mail received so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A piece of work begins.
    pub(super) fn begin(&mut self, what: &'static str, folder: Clean, total: u64) {
        let now = Instant::now();
        let progress = Progress { what, folder, done: 0, total, bytes: 0, since: now };
        self.progress = Some((progress, now));
    }

    /// A piece of work begins, or goes on if there is one.
    pub(super) fn begin_once(&mut self, what: &'static str, folder: Clean, total: u64) {
        if self.progress.is_none() {
            self.begin(what, folder, total);
        }
    }

    /// Whether a piece of work is going on.
    pub(super) fn is_working(&self) -> bool {
        self.progress.is_some()
    }

    /// More is to come than was known.
    pub(super) fn expect(&mut self, messages: u64) {
        if let Some((progress, _)) = &mut self.progress {
            progress.total = progress.total.max(progress.done + messages);
        }
    }

    /// Some of it is done.
    pub(super) fn add(&mut self, messages: u64, bytes: u64) {
        self.bytes += bytes;
        let Some((progress, last)) = &mut self.progress else { return };
        progress.done += messages;
        progress.bytes += bytes;
        progress.total = progress.total.max(progress.done);
        if last.elapsed() >= PROGRESS_EVERY {
            *last = Instant::now();
            let progress = progress.clone();
            self.emit(Event::Progress { account: self.account, progress: Some(progress) });
        }
    }

    /// The work ended.
    pub(super) fn end(&mut self) {
        if self.progress.take().is_some() {
            self.emit(Event::Progress { account: self.account, progress: None });
        }
    }

    /// Something failed that the user should see.
    pub(super) fn trouble(&self, error: &Error) {
        self.emit(Event::Trouble {
            account: self.account,
            text: Clean::line(&error.to_string()),
            hint: error.hint_text().map(Clean::line),
        });
    }
}
