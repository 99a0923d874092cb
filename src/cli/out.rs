//! Standard output: plain lines and JSON, quiet when the reader has gone.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;

use serde::Serialize;

use crate::error::{Error, Kind, Result};

/// Standard output of a verb.
pub(super) struct Out {
    to: BufWriter<io::Stdout>,
    /// Whether `--json` was given.
    pub(super) json: bool,
    /// Columns of the terminal; `None`: it is a file or a pipe.
    pub(super) width: Option<usize>,
}

impl Out {
    pub(super) fn new(json: bool) -> Self {
        Self { to: BufWriter::new(io::stdout()), json, width: columns(io::stdout()) }
    }

    /// One line of text. What comes from outside must be `Clean` already.
    pub(super) fn line(&mut self, text: impl std::fmt::Display) -> Result<()> {
        writeln!(self.to, "{text}").map_err(failed)
    }

    /// One JSON document on a line of its own.
    pub(super) fn object(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.to, value).map_err(|e| failed(e.into()))?;
        self.to.write_all(b"\n").map_err(failed)
    }

    /// Bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(failed)
    }

    /// Everything so far is to be seen now.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.to.flush().map_err(failed)
    }
}

/// The columns of the terminal that a stream is, if it is one.
pub(super) fn columns(stream: impl AsFd + IsTerminal) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col));
    Some(size.filter(|columns| *columns > 0).unwrap_or(80))
}

fn failed(error: io::Error) -> Error {
    // A full disk is the likely cause, here as in the store.
    Error::new(Kind::Store, "could not write to standard output").because(error)
}

/// Whether it only means that nobody reads our output any more (`mailtui list | head`).
#[must_use]
pub fn is_broken_pipe(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    source.and_then(|s| s.downcast_ref::<io::Error>()).is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
