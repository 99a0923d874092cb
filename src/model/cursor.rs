//! How far a folder of ours is in step with the server's.

/// The state of one IMAP mailbox that the stored rows cover (RFC 9051 section 2.3.1, RFC 7162).
/// Stored in the same transaction as the rows it speaks of, never before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// UIDVALIDITY; 0: never synced.
    pub validity: u32,
    /// Every message with a UID below this one and at or above `backfill` is known here.
    pub uidnext: u32,
    /// HIGHESTMODSEQ; 0: the server has none.
    pub modseq: u64,
    /// The lowest UID that was asked for; 1: the whole mailbox is known.
    pub backfill: u32,
}

/// Where a folder on a server ended before something was put into it: what comes later has a UID at or
/// above it (promise I7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// UIDVALIDITY; 0: the folder was not there.
    pub validity: u32,
    /// UIDNEXT.
    pub uidnext: u32,
}
