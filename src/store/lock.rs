//! The lock of the store between processes, a file beside it: never in the runtime directory, which cron lacks.

use std::fs::File;
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

pub(super) fn try_flock(file: &File, how: FlockOperation) -> Result<bool> {
    match flock(file, how) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(e) => Err(Error::new(Kind::Store, "this disk cannot lock files")
            .because(std::io::Error::from(e))
            .hint("choose a directory on another disk: --data DIR or MAILTUI_DATA")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
