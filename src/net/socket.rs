//! A TCP socket that waits by itself: for readiness, a deadline or the bell, whichever comes first.
//!
//! The descriptor never blocks. TLS sits on top of this type, so every wait that the TLS library makes,
//! in the middle of a record or of a handshake, has the same deadline and hears the same bell. When a
//! wait ends without readiness, the caller sees `WouldBlock` (which leaves a TLS session in order) and
//! finds the reason in [`Socket::ended`].

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Interrupt;

/// Bytes that are read ahead beneath TLS: four records (RFC 8446 section 5.1).
const AHEAD: usize = 64 << 10;

/// Why a wait was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woke {
    /// A descriptor is ready.
    Ready,
    /// The deadline passed.
    TimedOut,
    /// The bell rang.
    Rang,
}

/// Waits until one of `fds` is ready, the bell rings or `until` passes. Readiness comes before the bell,
/// the bell before the deadline.
pub(super) fn wait(
    fds: &[(BorrowedFd<'_>, PollFlags)],
    bell: Option<&Interrupt>,
    until: Instant,
) -> io::Result<Woke> {
    loop {
        let mut polled: Vec<PollFd<'_>> = fds.iter().map(|(fd, want)| PollFd::new(fd, *want)).collect();
        if let Some(bell) = bell {
            polled.push(PollFd::new(bell, PollFlags::IN));
        }
        let left = until.saturating_duration_since(Instant::now());
        match poll(&mut polled, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) if left.is_zero() => return Ok(Woke::TimedOut),
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) if polled[..fds.len()].iter().any(|p| !p.revents().is_empty()) => return Ok(Woke::Ready),
            Ok(_) => return Ok(Woke::Rang),
            Err(e) => return Err(e.into()),
        }
    }
}

/// The socket, with how long it may wait.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    bell: Interrupt,
    /// Whether the bell ends waits.
    pub(super) heed: bool,
    /// When waits end; `None`: no waiting at all.
    pub(super) until: Option<Instant>,
    /// Why the last call gave `WouldBlock`.
    pub(super) ended: Option<Woke>,
    ahead: Option<Ahead>,
}

/// Bytes read ahead of the TLS library, which asks for five and then for a record: one call to the system
/// serves several records.
#[derive(Debug)]
struct Ahead {
    bytes: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Socket {
    /// Takes a connected stream that does not block.
    pub(super) fn new(stream: TcpStream, bell: Interrupt, until: Instant) -> Self {
        Self { stream, bell, heed: true, until: Some(until), ended: None, ahead: None }
    }

    /// The far end.
    pub(super) fn peer(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// Closes both directions; errors do not matter any more.
    pub(super) fn close(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// From now on TLS reads from it: what comes is read in large pieces.
    pub(super) fn read_ahead(&mut self) {
        self.ahead = Some(Ahead { bytes: vec![0; AHEAD].into(), from: 0, to: 0 });
    }

    /// Waits for bytes to read (encrypted ones, on a secure connection) until `until`.
    pub(super) fn wait_readable(&self, until: Instant) -> io::Result<Woke> {
        if self.ahead.as_ref().is_some_and(|ahead| ahead.from < ahead.to) {
            return Ok(Woke::Ready);
        }
        self.wait_for(PollFlags::IN, until)
    }

    /// Reads from the system, into `buf` or into what is kept ahead.
    fn fetch(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(ahead) = &mut self.ahead else { return self.stream.read(buf) };
        if ahead.from == ahead.to {
            if buf.len() >= ahead.bytes.len() {
                return self.stream.read(buf);
            }
            (ahead.from, ahead.to) = (0, 0);
            ahead.to = self.stream.read(&mut ahead.bytes)?;
        }
        let n = buf.len().min(ahead.to - ahead.from);
        buf[..n].copy_from_slice(&ahead.bytes[ahead.from..ahead.from + n]);
        ahead.from += n;
        Ok(n)
    }

    fn wait_for(&self, want: PollFlags, until: Instant) -> io::Result<Woke> {
        wait(&[(self.stream.as_fd(), want)], self.heed.then_some(&self.bell), until)
    }

    fn ready(&mut self, want: PollFlags) -> io::Result<()> {
        self.ended = None;
        let woke = match self.until {
            Some(until) => self.wait_for(want, until)?,
            None => Woke::TimedOut,
        };
        if woke == Woke::Ready {
            return Ok(());
        }
        self.ended = Some(woke);
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.fetch(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.ready(PollFlags::IN)?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            match self.stream.write(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.ready(PollFlags::OUT)?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
