//! What SQLite and the file system say when they fail, in plain words with what to do.

use rusqlite::ErrorCode;

use crate::error::{Error, Kind};

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        let (context, hint) = words(e.sqlite_error_code());
        let error = Self::new(Kind::Store, context).because(e);
        if hint.is_empty() { error } else { error.hint(hint) }
    }
}

fn words(code: Option<ErrorCode>) -> (&'static str, &'static str) {
    match code {
        Some(ErrorCode::DiskFull) => (
            "the disk that holds the store is full",
            "make room there; nothing that was stored is lost, and nothing is deleted on a server meanwhile",
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            "the store cannot be written to",
            "see who owns its directory and whether its disk is mounted read-only",
        ),
        Some(ErrorCode::CannotOpen) => {
            ("the store could not be opened", "see whether its directory is there and is yours")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            "another program keeps the store locked",
            "end the program that has store.db open (a copy, a backup, an SQLite shell)",
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            "the store is damaged",
            "keep store.db as it is, make a copy of it, and restore the last backup or start anew beside it",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            "the disk failed to read or write the store",
            "look at the system's log for this disk; make a copy of the store while it can be read",
        ),
        _ => ("the store could not do what was asked", ""),
    }
}

/// A failure of the file system at `what`.
pub(super) fn file_fault(what: impl Into<String>, e: std::io::Error) -> Error {
    use std::io::ErrorKind;
    let error = Error::new(Kind::Store, what);
    match e.kind() {
        ErrorKind::StorageFull => error.because(e).hint("make room on the disk"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            error.because(e).hint("see who owns the directory and whether its disk is mounted read-only")
        }
        _ => error.because(e),
    }
}

/// The store has something that this program would never have written.
pub(super) fn damaged(what: &str) -> Error {
    Error::new(Kind::Store, format!("the store is damaged: {what}"))
        .hint("make a copy of store.db as it is; mail that a server still has can be fetched again")
}
