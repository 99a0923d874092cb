//! Commands and answers over the wire, and what a refusal means.

use super::reply::{Reply, Status};
use super::unstuff::Unstuff;
use crate::error::{Error, Kind, Result};
use crate::net::{Taken, Wire};
use crate::text::Clean;

/// The longest status line that is accepted. The RFC has 512; some servers say more.
const STATUS: usize = 8 << 10;
/// The longest line of a listing that is accepted: much longer than what is kept of it.
const LISTED: usize = 64 << 10;
/// The longest listing that is accepted, in bytes.
const LISTING: usize = 32 << 20;
/// How many commands are under way at most where the server allows several: some hundred small mails fit into
/// a round trip, and the commands into any socket's buffer (RFC 2449 section 6.6).
pub(super) const WINDOW: usize = 512;

/// The conversation. After an error in the middle of an answer nothing more can be said on it.
#[derive(Debug)]
pub(super) struct Talk {
    wire: Wire,
    broken: bool,
}

impl Talk {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, broken: false }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Says one command and reads the first line of its answer.
    pub(super) fn command(&mut self, line: &str) -> Result<Reply> {
        self.say(&[line])?;
        self.reply()
    }

    /// Says commands in one go; their answers come in the same order.
    pub(super) fn say(&mut self, lines: &[impl AsRef<str>]) -> Result<()> {
        self.whole()?;
        let text: String = lines.iter().flat_map(|l| [l.as_ref(), "\r\n"]).collect();
        let sent = self.wire.send(text.as_bytes());
        self.noting(sent)
    }

    /// Says one line that holds a secret; the transcript shows `shown`.
    pub(super) fn say_secret(&mut self, shown: &str, line: &str) -> Result<()> {
        self.whole()?;
        let line = zeroize::Zeroizing::new(format!("{line}\r\n"));
        let sent = self.wire.send_secret(shown, line.as_bytes());
        self.noting(sent)
    }

    /// Reads the first line of an answer.
    pub(super) fn reply(&mut self) -> Result<Reply> {
        self.whole()?;
        let line = self.wire.read_line(STATUS);
        let line = self.noting(line)?;
        Reply::parse(&line).ok_or_else(|| {
            let said = self.said(&String::from_utf8_lossy(&line));
            self.out_of_step().because(said)
        })
    }

    /// Reads the lines of a short answer, without their ends; they show in the transcript.
    pub(super) fn short_lines(&mut self, most: usize, each: &mut dyn FnMut(&str)) -> Result<()> {
        self.whole()?;
        for _ in 0..=most {
            let line = self.wire.read_line(STATUS);
            let line = self.noting(line)?;
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match line.strip_prefix(b".") {
                Some(b"") => return Ok(()),
                Some(line) => each(&String::from_utf8_lossy(line)),
                None => each(&String::from_utf8_lossy(line)),
            }
        }
        self.broken = true;
        Err(Error::new(Kind::Protocol, format!("the server sent a list of more than {most} lines")))
    }

    /// Reads the lines of a long answer, without their ends.
    pub(super) fn lines(&mut self, most: usize, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let (mut line, mut count, mut total) = (Vec::new(), 0, 0);
        self.body(&mut |bytes| {
            total += bytes.len();
            for piece in bytes.split_inclusive(|b| *b == b'\n') {
                line.extend_from_slice(piece);
                if line.len() > LISTED {
                    return Err(Error::new(
                        Kind::Protocol,
                        format!("the server sent a line too long (over {LISTED} bytes)"),
                    ));
                }
                if let Some(whole) = line.strip_suffix(b"\n") {
                    count += 1;
                    if count > most || total > LISTING {
                        let text =
                            format!("the server lists more than {} messages, which is too much", count - 1);
                        let hint = "Take mail out of the maildrop by another way first, as by the provider's web page";
                        return Err(Error::new(Kind::Protocol, text).hint(hint));
                    }
                    each(whole.strip_suffix(b"\r").unwrap_or(whole))?;
                    line.clear();
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Streams a multi-line answer to `out`, dots undone; returns its length.
    pub(super) fn body(&mut self, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        self.whole()?;
        let mut unstuff = Unstuff::new();
        let mut length = 0;
        let streamed = self.wire.stream(&mut |bytes| {
            let (used, done) = unstuff.push(bytes, &mut |own| {
                length += own.len() as u64;
                out(own)
            })?;
            Ok(if done { Taken::Last(used) } else { Taken::All })
        });
        self.noting(streamed)?;
        Ok(length)
    }

    /// The error for an answer that makes no sense here; the conversation ends with it.
    pub(super) fn out_of_step(&mut self) -> Error {
        self.broken = true;
        Error::new(Kind::Protocol, format!("{} answered something that is not POP3", self.wire.host()))
    }

    /// The error for a `-ERR`. Its code decides; without one it is of kind `plain`, and `what` says what
    /// could not be done (promise P9).
    pub(super) fn refused(&self, status: &Status, plain: Kind, what: &str) -> Error {
        let host = self.wire.host();
        let error = if status.says("IN-USE") {
            Error::new(Kind::Offline, format!("the maildrop at {host} is in use by another session"))
                .hint("POP3 lets one program in at a time; this is tried again by itself")
        } else if status.says("LOGIN-DELAY") {
            Error::new(Kind::Offline, format!("{host} wants a longer pause between two sign-ins"))
                .hint("this is tried again by itself; a longer check_every avoids it")
        } else if status.says("SYS/PERM") {
            Error::new(Kind::Refused, format!("{what}: {host} has trouble that does not go by itself"))
                .hint("ask the provider")
        } else if status.says("SYS") || status.says("TEMP") || status.says("UNAVAILABLE") {
            Error::new(Kind::Offline, format!("{what}: {host} has trouble for the moment"))
                .hint("this is tried again by itself")
        } else if status.says("AUTH") {
            Error::new(Kind::Auth, format!("{host} does not accept this user and password"))
        } else {
            Error::new(plain, what.to_owned())
        };
        if status.text.is_empty() { error } else { error.because(self.said(&status.text)) }
    }

    /// What the server said, fit for an error: cut, cleaned, secrets masked.
    pub(super) fn said(&self, text: &str) -> String {
        let text = self.wire.masked(text);
        let mut cut: String = text.trim().chars().take(200).collect();
        if cut.len() < text.trim().len() {
            cut.push('…');
        }
        format!("the server said: {}", Clean::line(&cut))
    }

    /// Remembers that a failed call left the conversation in the middle of something.
    pub(super) fn noting<T>(&mut self, result: Result<T>) -> Result<T> {
        self.broken |= result.is_err();
        result
    }

    fn whole(&self) -> Result<()> {
        if self.broken {
            return Err(Error::new(
                Kind::Offline,
                format!("the session with {} was broken off in the middle", self.wire.host()),
            ));
        }
        Ok(())
    }
}
