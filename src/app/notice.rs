//! What the status line says: the last thing that happened, and what to do about it.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::text::Clean;

/// One line for the user.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What happened.
    pub text: Clean,
    /// What to do about it, or how to take it back.
    pub hint: Option<Clean>,
    /// How loud it is.
    pub tone: Tone,
    /// It says what the next key would do: any key takes it away.
    pub is_passing: bool,
    /// When it was said.
    pub at: Instant,
}

/// How loud a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done, or cannot be.
    Calm,
    /// Something went wrong.
    Error,
}

/// A key takes a notice away only after it could be read.
const READABLE: Duration = Duration::from_secs(2);

impl Notice {
    /// Something to know.
    #[must_use]
    pub fn calm(text: &str, at: Instant) -> Self {
        Self { text: Clean::line(text), hint: None, tone: Tone::Calm, is_passing: false, at }
    }

    /// What the next key would do.
    #[must_use]
    pub fn passing(text: &str, at: Instant) -> Self {
        Self { is_passing: true, ..Self::calm(text, at) }
    }

    /// Something that went wrong.
    #[must_use]
    pub fn error(text: &str, at: Instant) -> Self {
        Self { tone: Tone::Error, ..Self::calm(text, at) }
    }

    /// An error with its hint.
    #[must_use]
    pub fn from_error(error: &Error, at: Instant) -> Self {
        Self { hint: error.hint_text().map(Clean::line), ..Self::error(&error.to_string(), at) }
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(Clean::line(hint));
        self
    }

    /// Whether the next key takes it away: most only after they could be read.
    #[must_use]
    pub fn is_read(&self, now: Instant) -> bool {
        self.is_passing || now.duration_since(self.at) >= READABLE
    }
}
