//! Who holds a lock on a spool, and whether that program is gone.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, test_kill_process};

use crate::text::Clean;

/// A dotlock of another program is believed for so long, whatever its number says: a program in another
/// container or on another machine has numbers of its own.
const BELIEVED: Duration = Duration::from_secs(300);

/// The holder of a dotlock, as its file tells.
#[derive(Debug)]
pub(super) struct Holder {
    inode: (u64, u64),
    age: Duration,
    /// The first number in it, as liblockfile writes it.
    pid: Option<i32>,
    /// The second line, where it is one of ours: which machine, since which start, which process.
    card: Option<String>,
}

impl Holder {
    pub(super) fn inode(&self) -> (u64, u64) {
        self.inode
    }

    /// Whether the program that made it is surely gone: it ran here and does not any more, or the file is old
    /// and its number is nobody's. A file without a number may be anybody's.
    pub(super) fn is_gone(&self) -> bool {
        let Some(pid) = self.pid else { return false };
        match &self.card {
            Some(card) if card.starts_with(&start()) => *card != signature(pid),
            // Of this machine before it was started anew, or of one that was copied from it.
            Some(card) if card.starts_with(&here()) => self.age >= BELIEVED,
            Some(_) => false,
            None => self.age >= BELIEVED && !runs(pid),
        }
    }

    /// In words.
    pub(super) fn who(&self) -> Option<String> {
        self.pid.map(named)
    }
}

/// The holder of a dotlock; `None`: it is not there any more, or tells nothing.
pub(super) fn of_dotlock(path: &Path) -> Option<Holder> {
    let there = fs::symlink_metadata(path).ok()?;
    let text = if there.is_file() && there.len() < 4096 {
        fs::read_to_string(path).unwrap_or_default()
    } else {
        String::new()
    };
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.trim().parse().ok()).filter(|pid| *pid > 0);
    let age =
        there.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default();
    let card = lines.next().and_then(|line| line.strip_prefix("mailtui ")).map(str::to_owned);
    Some(Holder { inode: (there.dev(), there.ino()), age, pid, card })
}

/// Who holds a `fcntl` lock on a file, where the system tells (proc(5)).
pub(super) fn of_file(file: &fs::Metadata) -> Option<String> {
    let (major, minor) = (rustix::fs::major(file.dev()), rustix::fs::minor(file.dev()));
    let place = format!("{major:02x}:{minor:02x}:{}", file.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let at = words.iter().position(|word| *word == place)?;
        words.get(at.checked_sub(1)?)?.parse().ok().filter(|pid| *pid > 0).map(named)
    })
}

/// What is written into a lock of ours: the number first, where other programs look for it.
pub(super) fn card() -> String {
    let pid = i32::try_from(std::process::id()).unwrap_or(0);
    format!("{pid}\nmailtui {}\n", signature(pid))
}

/// A process that no other is ever mistaken for: its machine and the process numbers that hold there, the start of the
/// machine, its number and its own start. One that does not run has no start.
fn signature(pid: i32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold anything; the 20th word behind it is the start (proc(5)).
    let start = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(19)).unwrap_or("-");
    format!("{}{pid} {start}", self::start())
}

/// This machine since it was started.
fn start() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{}{} ", here(), boot.trim())
}

/// This machine and its process numbers.
fn here() -> String {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let numbers = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{}@{} {} ", machine.trim(), host.trim(), numbers.display())
}

fn runs(pid: i32) -> bool {
    // Another user's process may not be signalled, but is there.
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// `mutt, process 123`
fn named(pid: i32) -> String {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("{}, process {pid}", Clean::line(name.trim())),
        Err(_) => format!("process {pid}"),
    }
}
