//! A [`Wire`] as `std::io` sees it, for a library that wants to read and write by itself.

use std::io::{self, Read, Write};

use super::wire::Wire;
use crate::error::{Error, Kind};

impl Read for Wire {
    /// At most one line, or its piece; a closed connection is an error that [`error_of`] gives back.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let mut channel = self.lock();
        if channel.unread().is_empty() {
            let until = channel.deadline();
            channel.fill(Some(until)).map_err(io_error)?;
        }
        let unread = channel.unread();
        let line = unread.iter().position(|b| *b == b'\n').map_or(unread.len(), |p| p + 1);
        let n = line.min(buf.len());
        buf[..n].copy_from_slice(&unread[..n]);
        channel.at += n;
        drop(channel);
        self.record().heard(&buf[..n]);
        Ok(n)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf).map_err(io_error)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Our error inside one of `std::io`. Never of a kind that callers retry by themselves.
fn io_error(error: Error) -> io::Error {
    let kind = match error.kind() {
        Kind::Timeout => io::ErrorKind::TimedOut,
        Kind::Offline => io::ErrorKind::ConnectionAborted,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Our error out of one that came through [`Read`] or [`Write`].
#[must_use]
pub fn error_of(e: io::Error) -> Error {
    e.downcast::<Error>()
        .unwrap_or_else(|e| Error::new(Kind::Offline, "the connection to the server was lost").because(e))
}
