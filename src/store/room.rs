//! How much room the disk of the store has left (promise I14).

use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Free from here on is always enough, however large the disk.
const PLENTY: u64 = 2_000_000_000;
/// And so is one part in so many of the disk.
const PART: u64 = 10;

/// The room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What this user may still write.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

impl Room {
    /// Whether less is free than a tenth of the disk, and less than 2 GB.
    #[must_use]
    pub fn is_low(self) -> bool {
        self.free < PLENTY && self.free < self.total / PART
    }
}

/// Asks the disk, or tells what a test wants to be told.
#[derive(Debug, Default)]
pub(super) struct Gauge(Mutex<Option<Room>>);

impl Gauge {
    pub(super) fn pretend(&self, room: Option<Room>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = room;
    }

    /// The room on the disk of `dir`; `None`: it cannot be told, and nothing is held back for that.
    pub(super) fn read(&self, dir: &Path) -> Option<Room> {
        let pretended = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pretended.or_else(|| {
            let disk = rustix::fs::statvfs(dir).ok()?;
            let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
            Some(Room { free: bytes(disk.f_bavail), total: bytes(disk.f_blocks) })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i14_a_tenth_or_2_gb_is_enough() {
        let gb = 1_000_000_000;
        let low = |free, total| Room { free, total }.is_low();
        assert!(!low(2 * gb, 1000 * gb), "2 GB of a large disk");
        assert!(low(2 * gb - 1, 1000 * gb));
        assert!(!low(gb, 10 * gb), "a tenth of a small one");
        assert!(low(gb - 1, 10 * gb));
        assert!(low(0, 10 * gb));
        assert!(!low(0, 0), "a disk that tells nothing");
    }

    #[test]
    fn the_disk_can_be_asked() {
        let dir = tempfile::tempdir().unwrap();
        let room = Gauge::default().read(dir.path()).unwrap();
        assert!(room.total > 0 && room.free <= room.total, "{room:?}");
        assert_eq!(Gauge::default().read(&dir.path().join("nowhere")), None);
    }
}
