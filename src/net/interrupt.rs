//! A clonable bell that ends a wait in another thread: a pipe that `poll` can watch.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::error::{Error, Kind, Result};

/// A bell: any clone can ring it, one thread waits on it, alone or together with a socket.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<Bell>);

struct Bell {
    rung: AtomicBool,
    read: OwnedFd,
    write: OwnedFd,
    guard: Mutex<Option<Guard>>,
}

/// Answers whether its holder may still speak to the server.
pub type Guard = Arc<dyn Fn() -> bool + Send + Sync>;

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bell").field("rung", &self.rung).finish_non_exhaustive()
    }
}

impl Interrupt {
    /// A bell that has not rung. Fails only when the process has no file descriptor left.
    pub fn new() -> Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
            .map_err(|e| Error::new(Kind::Bug, "could not make a pipe").because(e))?;
        Ok(Self(Arc::new(Bell { rung: AtomicBool::new(false), read, write, guard: Mutex::default() })))
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

    /// From now on whoever speaks to a server with this bell asks `guard` before each word.
    pub fn set_guard(&self, guard: Guard) {
        *self.0.guard.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    }

    /// Whether the guard, if there is one, lets a word pass.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] when it does not: a process that hung had its account taken over.
    pub fn may_speak(&self) -> Result<()> {
        let guard = self.0.guard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if guard.is_none_or(|guard| guard()) {
            return Ok(());
        }
        Err(Error::new(Kind::Interrupted, "another process has taken over the account"))
    }

    /// Waits until it rings or `until` passes; `None` waits for ever. Says whether it rang; it stays rung.
    pub fn wait(&self, until: Option<Instant>) -> bool {
        self.wait_beside(None, until)
    }

    /// The same, and until there is something to read at `other`.
    pub fn wait_beside(&self, other: Option<BorrowedFd<'_>>, until: Option<Instant>) -> bool {
        loop {
            if self.is_rung() {
                return true;
            }
            let left = match until.map(|u| u.saturating_duration_since(Instant::now())) {
                Some(left) if left.is_zero() => return false,
                left => left.and_then(|l| Timespec::try_from(l).ok()),
            };
            let mut fds = vec![PollFd::new(&self.0.read, PollFlags::IN)];
            fds.extend(other.iter().map(|other| PollFd::new(other, PollFlags::IN)));
            // EINTR looks at the bell again. A byte without the flag is a ring that raced a silence.
            if matches!(poll(&mut fds, left.as_ref()), Ok(n) if n > 0) {
                if fds[0].revents().is_empty() {
                    return false;
                }
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

    #[test]
    fn another_pipe_ends_a_wait_and_a_guard_ends_the_talk() {
        let (bell, other) = (Interrupt::new().unwrap(), Interrupt::new().unwrap());
        other.ring();
        assert!(!bell.wait_beside(Some(other.as_fd()), None));
        bell.ring();
        assert!(bell.wait_beside(Some(other.as_fd()), None));
        assert!(bell.may_speak().is_ok());
        let may = Arc::new(AtomicBool::new(true));
        let asked = may.clone();
        bell.set_guard(Arc::new(move || asked.load(Ordering::Relaxed)));
        assert!(bell.may_speak().is_ok());
        may.store(false, Ordering::Relaxed);
        assert_eq!(bell.clone().may_speak().unwrap_err().kind(), Kind::Interrupted);
    }
}
