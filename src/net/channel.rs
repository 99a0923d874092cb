//! One connection behind a [`Wire`](super::Wire): the stream, what was read ahead, deadlines.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use native_tls::TlsStream;

use super::certificate::Certificate;
use super::connect::interrupted;
use super::deflate::Deflate;
use super::dial::DialOptions;
use super::socket::{Socket, Woke};
use super::tls::{Opening, reason};
use super::transcript::Recorder;
use crate::error::{Error, Kind, Result};

/// So many bytes must pass within each deadline of a long read or write.
pub(super) const STRIDE: usize = 16 << 10;

pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
    /// Closed, or given up after half a write.
    Gone,
}

pub(super) struct Channel {
    pub(super) stream: Stream,
    pub(super) options: DialOptions,
    pub(super) certificate: Option<Certificate>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) buffer: Vec<u8>,
    /// The first byte of the buffer that was not taken yet.
    pub(super) at: usize,
    pub(super) bytes_in: Arc<AtomicU64>,
    pub(super) bytes_out: Arc<AtomicU64>,
    pub(super) recorder: Arc<Mutex<Recorder>>,
    pub(super) opening: Opening,
    /// Compresses what is said and heard.
    pub(super) deflate: Option<Deflate>,
    /// What stands for everything that is said now, when it is secret.
    pub(super) secretly: Option<String>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("host", &self.options.host)
            .field("port", &self.options.port)
            .field("secure", &self.certificate.is_some())
            .finish_non_exhaustive()
    }
}

impl Channel {
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.options.read_timeout
    }

    pub(super) fn socket(&mut self) -> Option<&mut Socket> {
        match &mut self.stream {
            Stream::Plain(socket) => Some(socket),
            Stream::Tls(stream) => Some(stream.get_mut()),
            Stream::Gone => None,
        }
    }

    pub(super) fn gone(&self) -> Error {
        Error::new(Kind::Offline, format!("the connection to {} is closed", self.options.host))
    }

    pub(super) fn wait_readable(&mut self, until: Instant) -> Result<Woke> {
        let woke = self.socket().map(|s| s.wait_readable(until));
        match woke {
            Some(Ok(woke)) => Ok(woke),
            Some(Err(e)) => Err(self.lost(e)),
            None => Err(self.gone()),
        }
    }

    /// Reads what there is into the buffer, waiting until `until` for it, or not at all (then nothing is
    /// [`Kind::Timeout`]). Returns how many bytes came: at least one.
    pub(super) fn fill(&mut self, until: Option<Instant>) -> Result<usize> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        loop {
            if let Some(deflate) = &mut self.deflate {
                let unfolded = deflate.unfold(&mut self.buffer)?;
                if unfolded > 0 {
                    return Ok(unfolded);
                }
            }
            let mut piece = [0; STRIDE];
            let came = self.come(until, &mut piece)?;
            match &mut self.deflate {
                Some(deflate) => deflate.take(&piece[..came]),
                None => {
                    self.buffer.extend_from_slice(&piece[..came]);
                    return Ok(came);
                }
            }
        }
    }

    /// Reads from the stream: at least one byte.
    fn come(&mut self, until: Option<Instant>, piece: &mut [u8]) -> Result<usize> {
        match self.socket() {
            Some(socket) => socket.until = until,
            None => return Err(self.gone()),
        }
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(piece),
            Stream::Tls(stream) => stream.read(piece),
            Stream::Gone => Ok(0),
        };
        match read {
            Ok(0) => {
                let error = Error::new(Kind::Offline, format!("{} closed the connection", self.options.host));
                Err(error)
            }
            Ok(n) => {
                if matches!(self.stream, Stream::Plain(_)) {
                    self.opening.hear(&piece[..n]);
                }
                self.bytes_in.fetch_add(n as u64, Ordering::Relaxed);
                Ok(n)
            }
            Err(e) => Err(self.lost(e)),
        }
    }

    pub(super) fn line(&mut self, limit: usize) -> Result<Vec<u8>> {
        let until = self.deadline();
        let mut seen = 0;
        loop {
            let unread = self.unread();
            let end = unread[seen..].iter().position(|b| *b == b'\n').map(|p| seen + p + 1);
            seen = unread.len();
            if end.unwrap_or(seen) > limit {
                return Err(Error::new(
                    Kind::Protocol,
                    format!("{} sent a line too long (over {limit} bytes)", self.options.host),
                ));
            }
            if let Some(end) = end {
                let line = unread[..end].to_vec();
                self.at += end;
                return Ok(line);
            }
            self.fill(Some(until))?;
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.options.interrupt.may_speak()?;
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.secretly {
            Some(shown) => recorder.said_secretly(shown),
            None => {
                recorder.said(bytes);
                if matches!(self.stream, Stream::Plain(_)) {
                    self.opening.say(bytes);
                }
            }
        }
        drop(recorder);
        let folded = self.deflate.as_mut().map(|deflate| deflate.fold(bytes)).transpose()?;
        for piece in folded.as_deref().unwrap_or(bytes).chunks(STRIDE) {
            let until = self.deadline();
            match self.socket() {
                Some(socket) => socket.until = Some(until),
                None => return Err(self.gone()),
            }
            let written = match &mut self.stream {
                Stream::Plain(socket) => socket.write_all(piece),
                Stream::Tls(stream) => stream.write_all(piece),
                Stream::Gone => Ok(()),
            };
            if let Err(e) = written {
                let error = self.lost(e);
                // Half a command may be out: nothing sensible can follow it.
                self.stream = Stream::Gone;
                return Err(error);
            }
            self.bytes_out.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The error for a read or write that failed.
    pub(super) fn lost(&mut self, e: io::Error) -> Error {
        let ended = self.socket().and_then(|s| s.ended.take());
        let host = &self.options.host;
        if e.kind() == io::ErrorKind::WouldBlock {
            return match ended {
                Some(Woke::Rang) => interrupted(),
                _ => {
                    let seconds = self.options.read_timeout.as_secs_f32();
                    Error::new(Kind::Timeout, format!("{host} did not answer within {seconds:.0} s"))
                }
            };
        }
        Error::new(Kind::Offline, format!("the connection to {host} was lost"))
            .because(reason(&e.to_string()))
    }
}
