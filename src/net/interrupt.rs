//! A clonable bell that ends a wait in another thread: a pipe that `poll` can watch.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::error::{Error, Kind, Result};

/// A bell: any clone can ring it, one thread waits on it, alone or together with a socket.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<Bell>);

#[derive(Debug)]
struct Bell {
    rung: AtomicBool,
    read: OwnedFd,
    write: OwnedFd,
}

impl Interrupt {
    /// A bell that has not rung. Fails only when the process has no file descriptor left.
    pub fn new() -> Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
            .map_err(|e| Error::new(Kind::Bug, "could not make a pipe").because(e))?;
        Ok(Self(Arc::new(Bell { rung: AtomicBool::new(false), read, write })))
    }

    /// Rings. Rings that nobody has heard yet are one.
    pub fn ring(&self) {
        if !self.0.rung.swap(true, Ordering::AcqRel) {
            // A full pipe is readable already, which is all that is wanted.
            let _ = rustix::io::write(&self.0.write, &[1]);
        }
    }

    /// Whether it rang since it was last silenced.
    #[must_use]
    pub fn is_rung(&self) -> bool {
        self.0.rung.load(Ordering::Acquire)
    }

    /// Silences it; says whether it had rung.
    pub fn silence(&self) -> bool {
        let mut sink = [0; 16];
        while matches!(rustix::io::read(&self.0.read, &mut sink), Ok(n) if n > 0) {}
        self.0.rung.swap(false, Ordering::AcqRel)
    }

    /// Waits until it rings or `until` passes; `None` waits for ever. Says whether it rang; it stays rung.
    pub fn wait(&self, until: Option<Instant>) -> bool {
        loop {
            if self.is_rung() {
                return true;
            }
            let left = match until.map(|u| u.saturating_duration_since(Instant::now())) {
                Some(left) if left.is_zero() => return false,
                left => left.and_then(|l| Timespec::try_from(l).ok()),
            };
            let mut fds = [PollFd::new(&self.0.read, PollFlags::IN)];
            // EINTR looks at the bell again. A byte without the flag is a ring that raced a silence.
            if matches!(poll(&mut fds, left.as_ref()), Ok(n) if n > 0) {
                self.0.rung.store(true, Ordering::Release);
            }
        }
    }
}

impl AsFd for Interrupt {
    /// Readable from the ring until it is silenced: for a `poll` beside a socket.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.read.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_ring_from_another_thread_ends_a_wait() {
        let bell = Interrupt::new().unwrap();
        let far = bell.clone();
        let ringer = std::thread::spawn(move || far.ring());
        assert!(bell.wait(None));
        ringer.join().unwrap();
        assert!(bell.silence());
        assert!(!bell.wait(Some(Instant::now() + Duration::from_millis(1))));
        bell.ring();
        bell.ring();
        assert!(bell.silence());
        assert!(!bell.is_rung());
    }
}
