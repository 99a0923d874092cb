//! Locking a mail spool as other programs lock it: `fcntl` first, then a dotlock (Debian policy 11.6).
//!
//! Where the directory is not ours to write in, as `/var/mail` mostly is not, `fcntl` alone is what there is;
//! those who deliver take both. A dotlock of another program is broken only where its holder is surely gone.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;

use super::holder;
use crate::error::{Error, Kind, Result};
use crate::net::Interrupt;

/// Between two tries, at first and at most.
const SOON: Duration = Duration::from_millis(10);
const LATER: Duration = Duration::from_millis(500);

/// A spool that nobody else reads or writes while this is held.
#[derive(Debug)]
pub(crate) struct Locked {
    // In the order in which they are given back: the dotlock, the file with its `fcntl` lock, the claim.
    _dot: Option<Dot>,
    pub(super) file: File,
    /// Whether it may be written to.
    pub(super) is_writable: bool,
    _claim: Claim,
}

impl Locked {
    /// The file. To close any handle of this process on it, a clone of this one too, gives back the lock.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// Why it could not be locked just now.
enum Busy {
    /// By another program: who, where that can be told.
    Held(Option<String>),
    /// The file was put in the place of another meanwhile: look again.
    Replaced,
    /// For a reason that waiting does not change.
    Failed(Error),
}

/// Locks the spool, waiting at most `patience`; `None`: it is not there, so it is empty.
///
/// # Errors
/// [`Kind::Timeout`] where another program holds it for longer; [`Kind::Interrupted`] when the bell rang;
/// [`Kind::Config`] where the path is no file that can be a spool.
pub(crate) fn lock(path: &Path, bell: &Interrupt, patience: Duration) -> Result<Option<Locked>> {
    let deadline = Instant::now() + patience;
    let mut delay = SOON;
    loop {
        let who = match attempt(path) {
            Ok(locked) => return Ok(locked),
            Err(Busy::Failed(error)) => return Err(error),
            Err(Busy::Replaced) => None,
            Err(Busy::Held(who)) => who,
        };
        let now = Instant::now();
        if now >= deadline {
            let by =
                who.map_or_else(|| "another program".to_owned(), |who| format!("another program ({who})"));
            let file = path.display();
            return Err(Error::new(Kind::Timeout, format!("{by} keeps {file} locked")).hint(format!(
                "It is tried again by itself; where no program uses the file any more, remove {file}.lock"
            )));
        }
        if bell.wait(Some(deadline.min(now + delay))) {
            return Err(Error::new(Kind::Interrupted, "the wait for the spool was ended"));
        }
        delay = (delay * 2).min(LATER);
    }
}

fn attempt(path: &Path) -> std::result::Result<Option<Locked>, Busy> {
    let Some(there) = look(path).map_err(Busy::Failed)? else { return Ok(None) };
    // Before it is opened: to close it again would give back a lock of this process on the same file.
    let Some(claim) = Claim::take((there.dev(), there.ino())) else {
        return Err(Busy::Held(Some("this mailtui".to_owned())));
    };
    let (file, is_writable) = match open(path) {
        Ok(opened) => opened,
        Err(e) if e.kind() == io::ErrorKind::NotFound || is_link(&e) => return Err(Busy::Replaced),
        Err(e) => return Err(Busy::Failed(unreadable(path, e))),
    };
    let opened = file.metadata().map_err(|e| Busy::Failed(unreadable(path, e)))?;
    if !opened.is_file() || (opened.dev(), opened.ino()) != (there.dev(), there.ino()) {
        return Err(Busy::Replaced);
    }
    let kind = match is_writable {
        true => FlockOperation::NonBlockingLockExclusive,
        false => FlockOperation::NonBlockingLockShared,
    };
    let has_fcntl = match fcntl_lock(&file, kind) {
        Ok(()) => true,
        Err(Errno::AGAIN | Errno::ACCESS) => return Err(Busy::Held(holder::of_file(&opened))),
        // No such locks on this file system.
        Err(Errno::NOLCK | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => false,
        Err(e) => return Err(Busy::Failed(unreadable(path, e.into()))),
    };
    let dot = match Dot::take(path) {
        Ok(dot) => dot,
        Err(Some(who)) => return Err(Busy::Held(who)),
        Err(None) => return Err(Busy::Replaced),
    };
    if dot.is_none() && !has_fcntl {
        let text = format!("{} cannot be locked: neither by fcntl nor by a file beside it", path.display());
        return Err(Busy::Failed(Error::new(Kind::Config, text).hint(
            "It is not read without a lock: a mail could be read half. Keep it on a file system that knows locks",
        )));
    }
    // Whoever rewrites it by a new file may have done so before the lock was ours.
    match fs::symlink_metadata(path) {
        Ok(now) if (now.dev(), now.ino()) == (opened.dev(), opened.ino()) => {}
        _ => return Err(Busy::Replaced),
    }
    Ok(Some(Locked { _dot: dot, file, is_writable, _claim: claim }))
}

/// What lies there, if it can be a spool; `None`: nothing.
pub(super) fn look(path: &Path) -> Result<Option<fs::Metadata>> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| !parent.is_dir());
            return parent.map_or(Ok(None), |parent| {
                Err(no_spool(path, &format!("there is no directory {}", parent.display())))
            });
        }
        Err(e) => return Err(unreadable(path, e)),
    };
    let kind = there.file_type();
    if kind.is_file() {
        return Ok(Some(there));
    }
    Err(if kind.is_dir() {
        no_spool(path, "it is a directory").hint("Mail from a Maildir comes in by `mailtui import`")
    } else if kind.is_symlink() {
        let to = fs::read_link(path).unwrap_or_default();
        no_spool(path, &format!("it is a link to {}", to.display()))
            .hint("Write where the file itself is: its locks lie beside it")
    } else {
        no_spool(path, "it is no file, but a pipe, a socket or a device")
    })
}

fn no_spool(path: &Path, why: &str) -> Error {
    Error::new(Kind::Config, format!("{} cannot be a spool: {why}", path.display()))
}

fn unreadable(path: &Path, e: io::Error) -> Error {
    let error = Error::new(Kind::Config, format!("{} cannot be read", path.display())).because(e);
    error.hint("See who owns it: a spool is read by its user only")
}

/// The file, and whether it is open for writing. Never waits for the other end of a pipe.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).unwrap_or(0);
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags);
    match options.clone().write(true).open(path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            Ok((options.open(path)?, false))
        }
        opened => Ok((opened?, true)),
    }
}

fn is_link(e: &io::Error) -> bool {
    e.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// `fcntl` locks belong to the process, not to the file: within it only one may hold a spool.
#[derive(Debug)]
struct Claim((u64, u64));

static CLAIMED: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

impl Claim {
    fn take(file: (u64, u64)) -> Option<Self> {
        CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).insert(file).then(|| Self(file))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// A lock file beside the spool, ours.
#[derive(Debug)]
struct Dot {
    path: PathBuf,
    inode: (u64, u64),
}

impl Dot {
    /// Takes it; `None`: the directory is not ours to write in, and nobody else has it.
    ///
    /// Refused with who holds it, or with nothing where it is worth trying again at once.
    fn take(spool: &Path) -> std::result::Result<Option<Self>, Option<Option<String>>> {
        let path = beside(spool, "", ".lock");
        let own = beside(spool, ".", &format!(".{}.mailtui", std::process::id()));
        let held = || match holder::of_dotlock(&path) {
            Some(holder) if holder.is_gone() && break_it(&path, &holder) => Err(None),
            holder => Err(Some(holder.and_then(|holder| holder.who()))),
        };
        match write_new(&own) {
            Ok(()) => {}
            // One of ours that was killed; its process is gone, for this one has its number.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let _ = fs::remove_file(&own);
                return Err(None);
            }
            // Not ours to write in. What others put there holds all the same.
            Err(_) if path.symlink_metadata().is_ok() => return held(),
            Err(_) => return Ok(None),
        }
        // What `link` answers may be lost on a network file system: the file knows (open(2)).
        let linked = fs::hard_link(&own, &path);
        let inode = fs::metadata(&own).map(|m| (m.dev(), m.ino(), m.nlink()));
        let _ = fs::remove_file(&own);
        match (linked, inode) {
            (_, Ok((dev, ino, 2))) => Ok(Some(Self { path, inode: (dev, ino) })),
            (Err(e), _) if e.kind() == io::ErrorKind::AlreadyExists => held(),
            // A file system without links: a name that must not be there yet is as good.
            _ => match write_new(&path) {
                Ok(()) => {
                    let inode = fs::metadata(&path).map_or((0, 0), |m| (m.dev(), m.ino()));
                    Ok(Some(Self { path, inode }))
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => held(),
                Err(_) => Ok(None),
            },
        }
    }
}

impl Drop for Dot {
    fn drop(&mut self) {
        // Only while it is ours: whoever thought us dead may have one of their own there.
        if fs::symlink_metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn beside(spool: &Path, before: &str, after: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(before);
    name.push(spool.file_name().unwrap_or_default());
    name.push(after);
    spool.with_file_name(name)
}

fn write_new(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o444).open(path)?;
    let written = file.write_all(holder::card().as_bytes());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Takes away a dotlock whose holder is gone; says whether it did. Nobody else's is taken by mistake: it is moved
/// aside first, and put back where it is not the one that was looked at.
fn break_it(path: &Path, holder: &holder::Holder) -> bool {
    let aside = beside(path, ".", &format!(".{}.stale", std::process::id()));
    if fs::rename(path, &aside).is_err() {
        return false;
    }
    let is_same = fs::symlink_metadata(&aside).is_ok_and(|m| (m.dev(), m.ino()) == holder.inode());
    if !is_same {
        let _ = fs::hard_link(&aside, path);
    }
    let _ = fs::remove_file(&aside);
    tracing::warn!(lock = %path.display(), is_same, "a lock was left behind by a program that is gone");
    is_same
}
