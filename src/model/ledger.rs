//! What the ledger names: things that wait, and what can be done about them (promise A2).

use std::fmt;

use super::{AccountId, FolderId, OpId};

/// Something that waits. Written and read as `12`, `f3`, `d1`, `m4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Matter {
    /// An operation that the server has not heard; its other half, where it has one, with it.
    Op(OpId),
    /// A folder whose changes on the server are not believed (promise I8).
    Folder(FolderId),
    /// The deletions that are asked of a POP3 account's server.
    Deletions(AccountId),
    /// A mail on its way out: its row in the outbox.
    Outgoing(i64),
}

impl Matter {
    /// Reads what [`fmt::Display`] writes; `None`: it is no name of a matter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| {
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten()
        };
        Some(match text.as_bytes().first()? {
            b'f' => Self::Folder(FolderId(number(&text[1..])?)),
            b'd' => Self::Deletions(AccountId(number(&text[1..])?)),
            b'm' => Self::Outgoing(number(&text[1..])?),
            _ => Self::Op(OpId(number(text)?)),
        })
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Op(id) => write!(f, "{id}"),
            Self::Folder(id) => write!(f, "f{id}"),
            Self::Deletions(id) => write!(f, "d{id}"),
            Self::Outgoing(id) => write!(f, "m{id}"),
        }
    }
}

/// What can be done about a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settle {
    /// Try it again as soon as there is a connection; of an account: also a secret that was refused.
    Retry,
    /// Give it up: what it did here is taken back, so that the store is as the server again.
    Discard,
    /// Believe the server: what it does not show any more goes here too.
    Accept,
    /// Look at the folder anew, all of it; nothing here is lost by that.
    Refetch,
    /// Take the whole action back that it is a part of.
    Undo,
    /// Keep a mail in the outbox until it is tried again by its name.
    Hold,
}

/// How far a settling reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// These matters.
    These(Vec<Matter>),
    /// Everything of an account that it makes sense for.
    Account(AccountId),
    /// The same of every account.
    Everything,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_is_read_as_it_is_written() {
        for matter in [
            Matter::Op(OpId(12)),
            Matter::Folder(FolderId(3)),
            Matter::Deletions(AccountId(1)),
            Matter::Outgoing(4),
        ] {
            assert_eq!(Matter::parse(&matter.to_string()), Some(matter));
        }
        for no in ["", "f", "x1", "-1", "1 ", "all", "d+1", "99999999999999999999", "ä1"] {
            assert_eq!(Matter::parse(no), None, "{no}");
        }
    }
}
