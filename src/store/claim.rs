//! Who syncs an account: a lock file for each, held by one process, and taken over when that dies or hangs.
//!
//! The right to sync is the lock of the file that bears the account's name. The kernel gives it back when its
//! process ends in whatever way. A process that hangs keeps its lock: who takes over puts another file in the
//! place of the locked one, and from then on everything that the old holder writes is refused, because each
//! transaction looks first whether the file that it locked is still the one with the name.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::FlockOperation;

use super::fault::file_fault;
use super::home::private_file;
use super::lock::{Opening, try_flock};
use super::peers::Peers;
use crate::error::{Error, Kind, Result};
use crate::model::AccountId;

/// The right to sync one account. Given back when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct AccountLock {
    account: AccountId,
    claim: Arc<Claim>,
    claims: Arc<Claims>,
    peers: Arc<Peers>,
}

impl AccountLock {
    pub(super) fn new(account: AccountId, claim: Arc<Claim>, claims: Arc<Claims>, peers: Arc<Peers>) -> Self {
        Self { account, claim, claims, peers }
    }

    /// Whether no other process has taken over. One look at the file system.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.claim.is_held()
    }

    /// The same question for others to ask.
    #[must_use]
    pub fn watch(&self) -> Arc<dyn Fn() -> bool + Send + Sync> {
        let claim = Arc::clone(&self.claim);
        Arc::new(move || claim.is_held())
    }
}

impl Drop for AccountLock {
    fn drop(&mut self) {
        self.claims.end(self.account, &self.claim);
        // Explicitly, as clones of the file may live on for a moment.
        let _ = rustix::fs::flock(&self.claim.file, FlockOperation::Unlock);
        self.peers.poke();
    }
}

/// What became of an attempt to get the right to sync an account (promise A4).
#[derive(Debug)]
pub enum Locked {
    /// It is ours.
    Mine(AccountLock),
    /// Another process has it.
    Held(Holder),
}

/// The right to send the mail of one account. Given back when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct PostLock {
    claim: Claim,
    peers: Arc<Peers>,
}

impl PostLock {
    pub(super) fn new(claim: Claim, peers: Arc<Peers>) -> Self {
        Self { claim, peers }
    }
}

impl Drop for PostLock {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.claim.file, FlockOperation::Unlock);
        self.peers.poke();
    }
}

/// What became of an attempt to get the right to send.
#[derive(Debug)]
pub enum PostLocked {
    /// It is ours.
    Mine(PostLock),
    /// Another process has it.
    Held(Holder),
}

/// The process that syncs an account.
#[derive(Debug)]
pub struct Holder {
    /// Its process id, if it could be read.
    pub pid: Option<u32>,
    /// What its lock file says. It changes whenever the holder hears a poke.
    beat: String,
    inode: (u64, u64),
    /// Readable when the process has ended.
    end: Option<OwnedFd>,
}

impl Holder {
    /// Whether this is another process than `before`, or the same one and it has heard a poke since.
    #[must_use]
    pub fn has_stirred_since(&self, before: &Self) -> bool {
        (self.inode, &self.beat) != (before.inode, &before.beat)
    }

    /// For a `poll`: readable once the process has ended, where the system can tell.
    #[must_use]
    pub fn end(&self) -> Option<BorrowedFd<'_>> {
        self.end.as_ref().map(AsFd::as_fd)
    }
}

/// A lock file that is locked by us, or was.
#[derive(Debug)]
pub(super) struct Claim {
    file: File,
    inode: (u64, u64),
    path: PathBuf,
    beats: AtomicU64,
}

impl Claim {
    fn new(file: File, path: PathBuf) -> std::io::Result<Self> {
        let inode = inode(&file.metadata()?);
        Ok(Self { file, inode, path, beats: AtomicU64::new(0) })
    }

    /// Whether the file is the one with the name: another was put in its place by who took over.
    pub(super) fn is_held(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|named| inode(&named) == self.inode)
    }

    /// Shows that we live.
    fn beat(&self) -> std::io::Result<()> {
        let text = format!("{} {}\n", std::process::id(), self.beats.fetch_add(1, Ordering::Relaxed));
        self.file.write_all_at(text.as_bytes(), 0)
    }
}

fn inode(metadata: &std::fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The accounts that this process syncs, or did until another took over.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashMap<AccountId, Arc<Claim>>>);

impl Claims {
    fn held(&self) -> MutexGuard<'_, HashMap<AccountId, Arc<Claim>>> {
        // Whole at every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, account: AccountId, claim: Arc<Claim>) {
        self.held().insert(account, claim);
    }

    /// A lock is given back. One that was lost stays known: what is still on its way is refused.
    fn end(&self, account: AccountId, claim: &Arc<Claim>) {
        let mut held = self.held();
        if claim.is_held() && held.get(&account).is_some_and(|known| Arc::ptr_eq(known, claim)) {
            held.remove(&account);
        }
    }

    /// Refuses what a process wants to write after another took over. Within a transaction that may write:
    /// then who takes over comes either before this look or after the commit.
    pub(super) fn fence(&self, account: AccountId) -> Result<()> {
        if self.held().get(&account).is_some_and(|claim| !claim.is_held()) {
            return Err(Error::new(Kind::Interrupted, "another process has taken over the account"));
        }
        Ok(())
    }

    /// The answer to a poke.
    pub(super) fn beat(&self) {
        for claim in self.held().values() {
            if let Err(e) = claim.beat() {
                tracing::warn!(error = %e, "a lock file cannot be written to");
            }
        }
    }
}

/// What was found.
pub(super) enum Found {
    Mine(Claim),
    Held(Holder),
}

/// Tries to get the right to sync the account of this name.
pub(super) fn claim(dir: &Path, name: &str) -> Result<Found> {
    let path = path(dir, name);
    let fail = |e| file_fault(format!("could not write the lock of account {name}"), e);
    // Once more when the holder ended meanwhile, or a new file was put there between the looks.
    let mut end = None;
    for _ in 0..100 {
        let mut file = private_file(&path)?;
        if try_flock(&file, FlockOperation::NonBlockingLockExclusive)? {
            let claim = Claim::new(file, path.clone()).map_err(fail)?;
            if !claim.is_held() {
                continue;
            }
            claim.file.set_len(0).and_then(|()| claim.beat()).map_err(fail)?;
            return Ok(Found::Mine(claim));
        }
        let inode = inode(&file.metadata().map_err(fail)?);
        let mut beat = String::new();
        // Without it we only do not know who it is.
        let _ = file.rewind().and_then(|()| Read::by_ref(&mut file).take(64).read_to_string(&mut beat));
        let pid = beat.split(' ').next().and_then(|pid| pid.trim().parse().ok());
        match end.take() {
            // The lock was held after its process was looked up: this is its process.
            Some((known, end)) if known == pid => return Ok(Found::Held(Holder { pid, beat, inode, end })),
            _ => end = Some((pid, pid.and_then(end_of))),
        }
    }
    Err(Error::new(Kind::Store, format!("the lock of account {name} passes from hand to hand")))
}

/// Takes the account from a holder that has not stirred since it was seen as `from`, by a new lock file in
/// the place of its own.
pub(super) fn seize(dir: &Path, name: &str, from: &Holder) -> Result<Found> {
    // One process at a time, and none that opens the store meanwhile.
    let _turn = Opening::wait(dir)?;
    match claim(dir, name)? {
        Found::Held(now) if !now.has_stirred_since(from) => {}
        found => return Ok(found),
    }
    let fail = |e| file_fault(format!("could not replace the lock of account {name}"), e);
    let path = path(dir, name);
    let new = path.with_extension("new");
    let file = private_file(&new)?;
    if !try_flock(&file, FlockOperation::NonBlockingLockExclusive)? {
        return Err(Error::new(Kind::Store, format!("the lock of account {name} is being replaced")));
    }
    let claim = Claim::new(file, path.clone()).map_err(fail)?;
    claim.beat().and_then(|()| std::fs::rename(&new, &path)).map_err(fail)?;
    Ok(Found::Mine(claim))
}

/// What is readable when a process has ended; `None`: it has, it is ourselves, or the system cannot tell.
#[cfg(target_os = "linux")]
fn end_of(pid: u32) -> Option<OwnedFd> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn end_of(_: u32) -> Option<OwnedFd> {
    None
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("account-{}.lock", file_name(name)))
}

/// An account's name as a part of a file name.
fn file_name(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@' | b'+');
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02x}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mine(found: Found) -> Claim {
        match found {
            Found::Mine(claim) => claim,
            Found::Held(holder) => panic!("held by {holder:?}"),
        }
    }

    fn held(found: Found) -> Holder {
        match found {
            Found::Held(holder) => holder,
            Found::Mine(_) => panic!("it is taken"),
        }
    }

    #[test]
    fn a4_one_holder_per_account_and_the_other_learns_who() {
        let dir = tempfile::tempdir().unwrap();
        let first = mine(claim(dir.path(), "a/b").unwrap());
        let holder = held(claim(dir.path(), "a/b").unwrap());
        assert_eq!(holder.pid, Some(std::process::id()));
        mine(claim(dir.path(), "other").unwrap());
        drop(first);
        mine(claim(dir.path(), "a/b").unwrap());
        assert!(dir.path().join("account-a%2fb.lock").exists());
    }

    #[test]
    fn a4_a_holder_that_stirs_is_left_alone_and_one_that_does_not_loses_the_account() {
        let dir = tempfile::tempdir().unwrap();
        let first = mine(claim(dir.path(), "a").unwrap());
        let seen = held(claim(dir.path(), "a").unwrap());
        first.beat().unwrap();
        let now = held(seize(dir.path(), "a", &seen).unwrap());
        assert!(now.has_stirred_since(&seen));
        assert!(first.is_held());
        let second = mine(seize(dir.path(), "a", &now).unwrap());
        assert!(!first.is_held(), "it finds out");
        // Who comes third sees the new one; who was late with the same idea does too.
        let third = held(claim(dir.path(), "a").unwrap());
        assert!(third.has_stirred_since(&now));
        assert!(held(seize(dir.path(), "a", &now).unwrap()).has_stirred_since(&now));
        assert!(second.is_held());
        drop(first);
        held(claim(dir.path(), "a").unwrap());
        drop(second);
        mine(claim(dir.path(), "a").unwrap());
    }
}
