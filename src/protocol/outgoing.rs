//! What it means to send one mail, whatever the way: who, to whom, and what became of it.

use super::BodySource;
use crate::error::{Error, Kind, Result};
use crate::model::is_sendable;

/// The envelope of one mail, and what a server wants to know of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Where reports go; empty: nowhere.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// Bytes of the mail, line ends as CRLF.
    pub size: u64,
    /// Whether a byte of it is beyond ASCII.
    pub eight_bit: bool,
}

impl Errand {
    /// Refuses what would be more than an address on the wire, before anything is said.
    pub fn check(&self) -> Result<()> {
        if self.to.is_empty() {
            return Err(Error::new(Kind::Config, "the mail has no recipient"));
        }
        let from = (!self.from.is_empty()).then_some(&self.from);
        match from.into_iter().chain(&self.to).find(|addr| !is_sendable(addr)) {
            None => Ok(()),
            Some(bad) => {
                let bad = crate::text::Clean::line(bad);
                Err(Error::new(Kind::Config, format!("{bad} is not an address that mail can be sent to")))
            }
        }
    }

    /// Whether an address of the envelope has letters beyond ASCII (RFC 6531).
    #[must_use]
    pub fn needs_utf8(&self) -> bool {
        !self.from.is_ascii() || self.to.iter().any(|addr| !addr.is_ascii())
    }
}

/// What a server said of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It takes mail for this one.
    Taken,
    /// Not now; in its words.
    Later(String),
    /// Not at all; in its words.
    Refused(String),
}

/// What became of a mail.
#[derive(Debug)]
pub enum End {
    /// The server has it, for those recipients that it took; in its words.
    Taken(String),
    /// It has not got it; another try may work.
    Later(Error),
    /// It has not got it, and will not take it as it is.
    Refused(Error),
    /// It was told the end of the mail, and its answer did not come (promise O2).
    Unsure(Error),
}

/// One try to send a mail.
#[derive(Debug)]
pub struct Delivery {
    /// Of each recipient, in order; empty where it did not come to that.
    pub judged: Vec<Judged>,
    /// Of the mail.
    pub end: End,
}

/// A way out for mail. What fails before the end of a mail was told is [`End::Later`] or [`End::Refused`]; an error is
/// one of `before_dot` or of what was asked, and then nothing was sent.
pub trait Transport: Send {
    /// Sends one mail. `before_dot` is called when all of it is said but its end; only after that returned without
    /// an error can anybody get it.
    fn deliver(
        &mut self,
        errand: &Errand,
        bytes: &mut dyn BodySource,
        before_dot: &mut dyn FnMut(&[Judged]) -> Result<()>,
    ) -> Result<Delivery>;

    /// Whether another mail can go the same way.
    fn is_open(&self) -> bool;

    /// Ends it in order.
    fn finish(self: Box<Self>);
}
