//! What a failure means for an account: when it is tried again, who is told, and what is remembered of it.

use std::time::{Duration, Instant};

use super::account::Worker;
use super::backoff;
use super::event::AccountState;
use super::plan::Mode;
use crate::error::{Error, Kind, Result, Retry};
use crate::store::{Batch, Fares, Step};
use crate::text::Clean;

/// `accounts.state`: all of it was seen, and nothing failed since.
pub(super) const IN_STEP: &str = "in step";
/// `accounts.state`: no way to the server, tried again by itself.
const OFFLINE: &str = "offline";
/// `accounts.state`: only the user can help.
const PAUSED: &str = "paused";

/// How an account fares, as told last.
#[derive(Debug, Default)]
pub(super) struct Fared {
    state: Option<(&'static str, String)>,
    bytes_in: u64,
    /// Put on the server since then.
    pub(super) bytes_out: u64,
}

impl Worker<'_> {
    /// Decides what a failure means; an error ends the thread ([`Mode::Once`]).
    pub(super) fn failed(&mut self, error: Error) -> Result<()> {
        // The session is in no known state: it is dropped, not finished.
        self.session = None;
        self.eager = false;
        self.told.end();
        self.folders = self.is_live();
        if self.door.is_halted() || (error.kind() == Kind::Interrupted && self.stopping) {
            self.stopping = true;
            return Ok(());
        }
        if !self.is_live() {
            self.fares(None, false);
            self.second_failed(&error);
            return Ok(());
        }
        self.give_up_searches(&error);
        self.tries += 1;
        let asks_user = error.kind().retry() == Retry::AskUser;
        let once_more = if error.kind() == Kind::Auth { self.once_more() } else { None };
        let pauses = asks_user && once_more.is_none();
        let state = if pauses { PAUSED } else { OFFLINE };
        self.fares(Some((state, worded(&error))), false);
        if self.mode == Mode::Once {
            return Err(error);
        }
        if pauses {
            self.paused = true;
            let hint = error.hint_text().map(Clean::line);
            self.told.trouble(&error);
            self.told.state(AccountState::Paused { why: Clean::line(&error.to_string()), hint });
            return Ok(());
        }
        // A server may be confused for a moment; a second refusal is believed (promise A7).
        let wait = match once_more {
            Some(seconds) => Duration::from_secs(seconds),
            None => backoff::delay(self.tries, backoff::random()),
        };
        let until = Instant::now() + wait;
        self.not_before = Some(until);
        if self.tries == 1 {
            self.told.trouble(&error);
        }
        self.told.state(AccountState::Offline { why: Clean::line(&error.to_string()), until });
        Ok(())
    }

    /// Writes down how the account fares, where that differs from what was written last. Nobody waits for
    /// it: that it could not be written is no trouble of its own.
    pub(super) fn fares(&mut self, state: Option<(&'static str, String)>, in_step: bool) {
        let bytes_in = self.told.bytes().saturating_sub(self.fared.bytes_in);
        let is_news = state.is_some() && state != self.fared.state;
        let bytes_out = self.fared.bytes_out;
        if !is_news && !in_step && bytes_in + bytes_out == 0 {
            return;
        }
        self.fared.bytes_in += bytes_in;
        self.fared.bytes_out = 0;
        let state = if is_news { state } else { None };
        if is_news {
            self.fared.state.clone_from(&state);
        }
        let step = Step::Fares(Fares { state, in_step, bytes_in, bytes_out });
        let batch = Batch { account: self.id, steps: vec![step] };
        let written = self.store.submit(batch);
        // This process is at its end, or what is written is what a pardon takes back.
        if self.mode == Mode::Once || self.fared.state.as_ref().is_some_and(|(state, _)| *state == PAUSED) {
            drop(written.wait());
        }
    }
}

impl Worker<'_> {
    /// What was written of the account is not what stands there any more.
    pub(super) fn forget_fares(&mut self) {
        self.fared.state = None;
    }
}

/// An error and what to do about it, in one line.
pub(super) fn worded(error: &Error) -> String {
    match error.hint_text() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
