//! Locks between processes, as files beside the store: never in the runtime directory, which cron lacks.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::fault::file_fault;
use super::home::private_file;
use crate::error::{Error, Kind, Result};

/// `store.lock`: shared by everyone who has the store open, exclusive to whoever is alone with it.
#[derive(Debug)]
pub(super) struct StoreLock(File);

impl StoreLock {
    /// Takes the lock; says whether this process is alone with the store. Only under [`Opening`].
    pub(super) fn take(dir: &Path) -> Result<(Self, bool)> {
        let lock = Self(private_file(&dir.join("store.lock"))?);
        if try_flock(&lock.0, FlockOperation::NonBlockingLockExclusive)? {
            return Ok((lock, true));
        }
        lock.share()?;
        Ok((lock, false))
    }

    /// Lets others in.
    pub(super) fn share(&self) -> Result<()> {
        // Nobody keeps it exclusive beyond `Opening`, so this cannot fail for long.
        flock(&self.0, FlockOperation::LockShared)
            .map_err(|e| file_fault("could not share the store's lock", e.into()))
    }
}

/// Held while a store is being opened and migrated: one process at a time.
#[derive(Debug)]
pub(super) struct Opening(#[expect(dead_code, reason = "held for its lock")] File);

impl Opening {
    /// Waits for its turn; another's migration may take a while.
    pub(super) fn wait(dir: &Path) -> Result<Self> {
        let fail = |e| file_fault(format!("could not lock {}", dir.display()), e);
        let file = File::open(dir).map_err(fail)?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Self(file)),
                Err(Errno::INTR) => {}
                Err(e) => return Err(fail(e.into())),
            }
        }
    }
}

/// The right to sync one account. Given back when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct AccountLock(#[expect(dead_code, reason = "held for its lock")] File);

/// What became of an attempt to get the right to sync an account (promise A4).
#[derive(Debug)]
pub enum Locked {
    /// It is ours.
    Mine(AccountLock),
    /// Another process has it.
    Held {
        /// Its process id, if it could be read.
        pid: Option<u32>,
    },
}

/// Tries to get the right to sync the account of this name.
pub(super) fn lock_account(dir: &Path, name: &str) -> Result<Locked> {
    let mut file = private_file(&dir.join(format!("account-{}.lock", file_name(name))))?;
    let fail = |e| file_fault(format!("could not write the lock of account {name}"), e);
    if try_flock(&file, FlockOperation::NonBlockingLockExclusive)? {
        file.set_len(0).map_err(fail)?;
        file.write_all(format!("{}\n", std::process::id()).as_bytes()).map_err(fail)?;
        return Ok(Locked::Mine(AccountLock(file)));
    }
    let mut text = String::new();
    let read = file.rewind().and_then(|()| Read::by_ref(&mut file).take(32).read_to_string(&mut text));
    Ok(Locked::Held { pid: read.ok().and_then(|_| text.trim().parse().ok()) })
}

fn try_flock(file: &File, how: FlockOperation) -> Result<bool> {
    match flock(file, how) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(e) => Err(Error::new(Kind::Store, "this disk cannot lock files")
            .because(std::io::Error::from(e))
            .hint("choose a directory on another disk: --data DIR or MAILTUI_DATA")),
    }
}

/// An account's name as a part of a file name.
fn file_name(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@' | b'+');
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02x}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a4_one_holder_per_account_and_the_other_learns_who() {
        let dir = tempfile::tempdir().unwrap();
        let Locked::Mine(first) = lock_account(dir.path(), "a/b").unwrap() else {
            panic!("nobody else is here")
        };
        let Locked::Held { pid } = lock_account(dir.path(), "a/b").unwrap() else { panic!("it is taken") };
        assert_eq!(pid, Some(std::process::id()));
        assert!(matches!(lock_account(dir.path(), "other").unwrap(), Locked::Mine(_)));
        drop(first);
        assert!(matches!(lock_account(dir.path(), "a/b").unwrap(), Locked::Mine(_)));
        assert!(dir.path().join("account-a%2fb.lock").exists());
    }

    #[test]
    fn the_second_to_open_is_not_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (first, alone) = StoreLock::take(dir.path()).unwrap();
        assert!(alone);
        first.share().unwrap();
        assert!(!StoreLock::take(dir.path()).unwrap().1);
        drop(first);
        assert!(StoreLock::take(dir.path()).unwrap().1);
    }
}
