//! One end of a connection through a proxy: plain or TLS, never blocking.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use openssl::ssl::{ErrorCode, HandshakeError, MidHandshakeSslStream, ShutdownState, SslStream};

/// What came of trying to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got {
    Bytes(usize),
    Later,
    End,
}

#[derive(Debug)]
enum Line {
    Plain(TcpStream),
    Shaking(Option<MidHandshakeSslStream<TcpStream>>),
    Tls(SslStream<TcpStream>),
}

#[derive(Debug)]
pub(super) struct Side {
    line: Line,
    /// The far end will say nothing more.
    pub(super) ended: bool,
    /// It was told that nothing more comes.
    told: bool,
    /// The connection is gone.
    pub(super) dead: bool,
}

impl Side {
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self { line: Line::Plain(stream), ended: false, told: false, dead: false }
    }

    /// A side whose handshake has begun; a failed one is dead.
    pub(super) fn shaking(begun: Result<SslStream<TcpStream>, HandshakeError<TcpStream>>) -> Self {
        let mut side = Self { line: Line::Shaking(None), ended: false, told: false, dead: false };
        side.shook(begun);
        side
    }

    fn shook(&mut self, begun: Result<SslStream<TcpStream>, HandshakeError<TcpStream>>) {
        match begun {
            Ok(stream) => self.line = Line::Tls(stream),
            Err(HandshakeError::WouldBlock(mid)) => self.line = Line::Shaking(Some(mid)),
            Err(_) => self.die(),
        }
    }

    fn die(&mut self) {
        (self.ended, self.told, self.dead) = (true, true, true);
    }

    /// Whether words can be exchanged: the handshake, if any, is over.
    pub(super) fn is_ready(&mut self) -> bool {
        if let Line::Shaking(mid) = &mut self.line
            && let Some(mid) = mid.take()
        {
            self.shook(mid.handshake());
        }
        !matches!(self.line, Line::Shaking(_))
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Got {
        if self.ended {
            return Got::End;
        }
        let got = match &mut self.line {
            Line::Plain(stream) => stream.read(buffer),
            Line::Shaking(_) => return Got::Later,
            Line::Tls(stream) => stream.ssl_read(buffer).or_else(|e| match e.code() {
                ErrorCode::ZERO_RETURN => Ok(0),
                ErrorCode::WANT_READ | ErrorCode::WANT_WRITE => Err(io::ErrorKind::WouldBlock.into()),
                // An end without close_notify.
                _ => Err(io::ErrorKind::ConnectionReset.into()),
            }),
        };
        match got {
            Ok(0) => {
                self.ended = true;
                Got::End
            }
            Ok(n) => Got::Bytes(n),
            Err(e) if is_later(&e) => Got::Later,
            Err(_) => {
                self.die();
                Got::End
            }
        }
    }

    /// How many of these bytes were taken.
    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        let wrote = match &mut self.line {
            _ if self.told => return bytes.len(),
            Line::Plain(stream) => stream.write(bytes),
            Line::Shaking(_) => return 0,
            Line::Tls(stream) => stream.ssl_write(bytes).map_err(|e| match e.code() {
                ErrorCode::WANT_READ | ErrorCode::WANT_WRITE => io::ErrorKind::WouldBlock.into(),
                _ => io::ErrorKind::ConnectionReset.into(),
            }),
        };
        match wrote {
            Ok(n) => n,
            Err(e) if is_later(&e) => 0,
            Err(_) => {
                self.die();
                bytes.len()
            }
        }
    }

    /// Tells the far end that nothing more comes.
    pub(super) fn finish(&mut self) {
        if self.told {
            return;
        }
        self.told = true;
        match &mut self.line {
            Line::Plain(stream) => _ = stream.shutdown(Shutdown::Write),
            Line::Shaking(_) => self.die(),
            Line::Tls(stream) => {
                if !stream.get_shutdown().contains(ShutdownState::SENT) {
                    let _ = stream.shutdown();
                }
                let _ = stream.get_ref().shutdown(Shutdown::Write);
            }
        }
    }

    /// The far end sees a reset.
    pub(super) fn reset(&mut self) {
        if let Some(stream) = self.stream() {
            let _ = rustix::net::sockopt::set_socket_linger(stream, Some(std::time::Duration::ZERO));
        }
        self.die();
    }

    fn stream(&self) -> Option<&TcpStream> {
        match &self.line {
            Line::Plain(stream) => Some(stream),
            Line::Shaking(mid) => mid.as_ref().map(MidHandshakeSslStream::get_ref),
            Line::Tls(stream) => Some(stream.get_ref()),
        }
    }

    /// What to poll; `None` when nothing can come of it.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        if self.dead { None } else { self.stream().map(AsFd::as_fd) }
    }
}

fn is_later(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
