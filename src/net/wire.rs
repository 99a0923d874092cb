//! A connection to a server: whole lines, streamed bytes, limits, deadlines, counters, a transcript.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::certificate::Certificate;
use super::channel::{Channel, STRIDE, Stream};
use super::connect::connect;
use super::deflate::Deflate;
use super::dial::DialOptions;
use super::socket::Woke;
use super::tls::{Opening, secure};
use super::transcript::{Recorder, Transcript};
use super::trust;
use crate::config::Tls;
use crate::error::{Error, Kind, Result};

/// The longest line that a caller without a reason of its own accepts, in bytes.
pub const LINE_LIMIT: usize = 64 << 10;

/// A connection; clones share it.
///
/// One thread at a time talks on it. Errors of a read leave what was not taken in the buffer: after
/// [`Kind::Interrupted`] the same call may be made again. A write that failed ends the connection.
#[derive(Debug, Clone)]
pub struct Wire(Arc<Shared>);

/// What can be looked at while another thread waits on the connection is beside the lock of the rest.
#[derive(Debug)]
struct Shared {
    channel: Mutex<Channel>,
    recorder: Arc<Mutex<Recorder>>,
    bytes_in: Arc<AtomicU64>,
    bytes_out: Arc<AtomicU64>,
    host: String,
}

/// Bytes that passed, without what TLS adds; compressed ones as they passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// From the server.
    pub bytes_in: u64,
    /// To the server.
    pub bytes_out: u64,
}

/// Why [`Wire::poll_readable`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// There is at least one byte to read without waiting.
    Data,
    /// The time is up.
    TimedOut,
    /// The interrupt rang; it stays rung.
    Interrupted,
}

/// How much of the bytes shown was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// All; there is more to come.
    All,
    /// So many; nothing more is wanted.
    Last(usize),
}

impl Wire {
    /// Connects, with TLS at once if the options say so. Nothing is said or read yet.
    ///
    /// # Errors
    /// [`Kind::Offline`] and [`Kind::Timeout`] when there is no way to the server, [`Kind::Tls`] when it
    /// is not the right one, [`Kind::Config`] when it would be spoken to in clear against the rules.
    pub fn dial(options: &DialOptions) -> Result<Self> {
        trust::prepare(options);
        let socket = connect(options, Instant::now() + options.connect_timeout)?;
        let peer = socket.peer().ok();
        let mut recorder = Recorder::new();
        recorder.note(&format!("connected to {} port {}", options.host, options.port));
        let (stream, certificate) = if options.tls == Tls::Implicit {
            let (stream, certificate) = secure(options, socket, &Opening::default())?;
            recorder.note(&format!("TLS: {certificate}"));
            (Stream::Tls(Box::new(stream)), Some(certificate))
        } else {
            (Stream::Plain(socket), None)
        };
        let recorder = Arc::new(Mutex::new(recorder));
        let (bytes_in, bytes_out) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let channel = Mutex::new(Channel {
            stream,
            options: options.clone(),
            certificate,
            peer,
            buffer: Vec::new(),
            at: 0,
            bytes_in: bytes_in.clone(),
            bytes_out: bytes_out.clone(),
            recorder: recorder.clone(),
            opening: Opening::default(),
            deflate: None,
            secretly: None,
        });
        let host = options.host.clone();
        Ok(Self(Arc::new(Shared { channel, recorder, bytes_in, bytes_out, host })))
    }

    /// Switches to TLS, right after the server agreed to (RFC 2595 section 4, RFC 9051 section 6.2.1).
    /// A byte that was sent ahead of the handshake is an attack: [`Kind::Tls`], and the connection ends.
    pub fn start_tls(&self) -> Result<()> {
        let mut channel = self.lock();
        let mut socket = match std::mem::replace(&mut channel.stream, Stream::Gone) {
            Stream::Plain(socket) => socket,
            Stream::Gone => return Err(channel.gone()),
            secure @ Stream::Tls(_) => {
                channel.stream = secure;
                return Err(Error::new(Kind::Protocol, "TLS was asked for twice on one connection"));
            }
        };
        let mut ahead = channel.unread().len();
        if ahead == 0 {
            socket.until = None;
            ahead = socket.read(&mut [0; 1]).unwrap_or(0);
        }
        if ahead > 0 {
            let host = &channel.options.host;
            return Err(Error::new(
                Kind::Tls,
                format!(
                    "{host} sent something in clear after it agreed to TLS, so the line may be tampered with"
                ),
            )
            .hint("set tls = \"implicit\" if the server offers it"));
        }
        channel.buffer = Vec::new();
        channel.at = 0;
        let (stream, certificate) = secure(&channel.options, socket, &channel.opening)?;
        self.record().note(&format!("TLS: {certificate}"));
        channel.stream = Stream::Tls(Box::new(stream));
        channel.certificate = Some(certificate);
        Ok(())
    }

    /// Whether everything is encrypted now.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        matches!(self.lock().stream, Stream::Tls(_))
    }

    /// From now on both sides compress (RFC 4978), right after the server agreed to.
    pub fn compress(&self) {
        let mut channel = self.lock();
        let at = std::mem::take(&mut channel.at);
        let came = std::mem::take(&mut channel.buffer).split_off(at);
        channel.deflate = Some(Deflate::new(came));
        self.record().note("compressed from here on");
    }

    /// Whether the server is this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.lock().peer.is_some_and(|peer| peer.ip().is_loopback())
    }

    /// Whether a secret may be said now: over TLS; or in clear, when the options do not ask for TLS and
    /// the server is on this machine or the user allowed it (promise P11).
    #[must_use]
    pub fn may_say_secrets(&self) -> bool {
        let channel = self.lock();
        let local = channel.peer.is_some_and(|p| p.ip().is_loopback());
        match channel.stream {
            Stream::Tls(_) => true,
            Stream::Plain(_) => {
                channel.options.tls == Tls::None && (local || channel.options.allow_plaintext)
            }
            Stream::Gone => false,
        }
    }

    /// The server's certificate, once the connection is secure.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        self.lock().certificate.clone()
    }

    /// The server's name as configured.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.host.clone()
    }

    /// Reads one line, at most `limit` bytes, and returns it with its line end as received.
    ///
    /// # Errors
    /// [`Kind::Protocol`] when the line is longer, [`Kind::Timeout`] when it is not whole in time,
    /// [`Kind::Offline`] when the connection ends, [`Kind::Interrupted`] when the interrupt rang.
    pub fn read_line(&self, limit: usize) -> Result<Vec<u8>> {
        let line = self.lock().line(limit)?;
        self.record().heard(&line);
        Ok(line)
    }

    /// As [`read_line`](Self::read_line), but the line does not show in the transcript: for the many
    /// lines of a listing.
    pub fn read_quietly(&self, limit: usize) -> Result<Vec<u8>> {
        self.lock().line(limit)
    }

    /// Shows bytes to `take` as they come until it has enough; they are not kept here and do not show in
    /// the transcript. At least 16 KiB must come within each read timeout. The wire is free while `take`
    /// runs. After an error of `take` the bytes shown to it count as taken.
    pub fn stream(&self, take: &mut dyn FnMut(&[u8]) -> Result<Taken>) -> Result<()> {
        let mut until = self.lock().deadline();
        let (mut stride, mut total) = (0, 0);
        loop {
            let (buffer, at) = {
                let mut channel = self.lock();
                if channel.unread().is_empty() {
                    stride += channel.fill(Some(until))?;
                    if stride >= STRIDE {
                        (stride, until) = (0, channel.deadline());
                    }
                }
                (std::mem::take(&mut channel.buffer), channel.at)
            };
            let shown = buffer.len() - at;
            let start = Instant::now();
            let taken = take(&buffer[at..]);
            // Only the server's time counts.
            until += start.elapsed();
            let mut channel = self.lock();
            let used = match taken {
                Ok(Taken::Last(used)) => used.min(shown),
                _ => shown,
            };
            total += used;
            channel.buffer = buffer;
            channel.at = at + used;
            if !matches!(taken, Ok(Taken::All)) {
                self.record().note(&format!("({total} bytes received)"));
                return taken.map(|_| ());
            }
        }
    }

    /// Shows the next `n` bytes to `take`, in pieces; as [`stream`](Self::stream).
    pub fn read_exact_into(&self, n: u64, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut left = n;
        if left == 0 {
            return Ok(());
        }
        self.stream(&mut |bytes| {
            let used = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
            take(&bytes[..used])?;
            left -= used as u64;
            Ok(if left == 0 { Taken::Last(used) } else { Taken::All })
        })
    }

    /// Says `bytes`, all of them; at least 16 KiB must go out within each read timeout. Nothing is said, and
    /// the error is [`Kind::Interrupted`], where the interrupt's guard does not let it pass.
    pub fn send(&self, bytes: &[u8]) -> Result<()> {
        self.lock().send(bytes)
    }

    /// Says something secret; the transcript shows `shown` in its place.
    pub fn send_secret(&self, shown: &str, bytes: &[u8]) -> Result<()> {
        self.secretly(shown, || self.send(bytes))
    }

    /// Everything that is said while `talk` runs is secret; the transcript shows `shown` in its place.
    pub fn secretly<T>(&self, shown: &str, talk: impl FnOnce() -> T) -> T {
        struct Reset<'a>(&'a Wire);
        impl Drop for Reset<'_> {
            fn drop(&mut self) {
                self.0.lock().secretly = None;
            }
        }
        self.lock().secretly = Some(shown.to_owned());
        let _reset = Reset(self);
        talk()
    }

    /// From now on this text does not show in the transcript, even if the server repeats it.
    pub fn keep_out(&self, secret: &str) {
        self.record().keep_out(secret);
    }

    /// The text with every secret that must be kept out of the transcript masked: for error messages.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        self.record().masked(text)
    }

    /// Waits until there is a byte to read, `until` passes or the interrupt rings, in this order of
    /// precedence. Bytes that TLS needs for itself do not count.
    ///
    /// # Errors
    /// [`Kind::Offline`] when the connection ended.
    pub fn poll_readable(&self, until: Instant) -> Result<Ready> {
        let mut channel = self.lock();
        loop {
            if !channel.unread().is_empty() {
                return Ok(Ready::Data);
            }
            // Whatever is there, in TLS or in the socket, is taken without waiting.
            match channel.fill(None) {
                Ok(_) => return Ok(Ready::Data),
                Err(e) if e.kind() == Kind::Timeout => {}
                Err(e) => return Err(e),
            }
            match channel.wait_readable(until)? {
                Woke::Ready => {}
                Woke::TimedOut => return Ok(Ready::TimedOut),
                Woke::Rang => return Ok(Ready::Interrupted),
            }
        }
    }

    /// Whether the interrupt ends waits; it does at first. Off for the few lines that end something in
    /// order (DONE, QUIT, LOGOUT): deadlines still hold.
    pub fn heed_interrupt(&self, heed: bool) {
        if let Some(socket) = self.lock().socket() {
            socket.heed = heed;
        }
    }

    /// Sets how long one line may take to come, or 16 KiB of a longer read or write to pass.
    pub fn set_read_timeout(&self, timeout: Duration) {
        self.lock().options.read_timeout = timeout;
    }

    /// How much has passed. Never waits, even while another thread reads.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            bytes_in: self.0.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.0.bytes_out.load(Ordering::Relaxed),
        }
    }

    /// The last lines of the conversation. Never waits, even while another thread reads.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        self.record().transcript()
    }

    /// Adds a remark to the transcript.
    pub fn note(&self, text: &str) {
        self.record().note(text);
    }

    /// Says goodbye to TLS and closes; nothing can be said or read any more.
    pub fn close(&self) {
        let mut channel = self.lock();
        if let Stream::Tls(stream) = &mut channel.stream {
            stream.get_mut().until = None;
            let _ = stream.shutdown();
        }
        if let Some(socket) = channel.socket() {
            socket.close();
        }
        channel.stream = Stream::Gone;
        self.record().note("closed");
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Channel> {
        self.0.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Recorder> {
        self.0.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
