//! Commands and answers over the wire, the bytes of a mail with their dots stuffed, and what a refusal means.

use std::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::net::{Ready, Wire};
use crate::protocol::BodySource;
use crate::protocol::outgoing::End;
use crate::text::Clean;

/// The longest line of an answer that is accepted. The RFC has 512; some servers say more.
const LINE: usize = 8 << 10;
/// The most lines of one answer.
const LINES: usize = 200;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// Its three digits.
    pub(super) code: u16,
    /// Its lines, without the codes.
    pub(super) lines: Vec<String>,
}

impl Reply {
    pub(super) fn class(&self) -> u16 {
        self.code / 100
    }

    pub(super) fn is_yes(&self) -> bool {
        self.class() == 2
    }
}

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

    /// Whether something can be said on it.
    pub(super) fn is_whole(&self) -> bool {
        !self.broken
    }

    pub(super) fn close(&mut self) {
        self.broken = true;
        self.wire.close();
    }

    /// Says one command and reads its answer.
    pub(super) fn command(&mut self, line: &str) -> Result<Reply> {
        self.say(&[line])?;
        self.reply()
    }

    /// Says commands in one go; their answers come in the same order.
    pub(super) fn say(&mut self, lines: &[&str]) -> Result<()> {
        self.whole()?;
        if lines.iter().any(|line| line.contains(['\r', '\n', '\0'])) {
            return Err(Error::new(Kind::Bug, "a command of more than one line was to be said"));
        }
        let text: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
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

    /// Reads one answer, all its lines (RFC 5321 section 4.2.1).
    pub(super) fn reply(&mut self) -> Result<Reply> {
        self.whole()?;
        let mut reply = Reply { code: 0, lines: Vec::new() };
        loop {
            let line = self.wire.read_line(LINE);
            let line = self.noting(line)?;
            let Some((code, more, text)) = parse(&line) else { return Err(self.out_of_step()) };
            if (reply.code != 0 && reply.code != code) || reply.lines.len() >= LINES {
                return Err(self.out_of_step());
            }
            reply.code = code;
            reply.lines.push(text);
            if !more {
                break;
            }
        }
        if reply.code == 421 {
            // It closes the connection (RFC 5321 section 3.8).
            self.broken = true;
        }
        Ok(reply)
    }

    /// Says the bytes of a mail, all but its end: lines that begin with a dot get another (RFC 5321 section
    /// 4.5.2), a last line without an end gets one.
    pub(super) fn body(&mut self, bytes: &mut dyn BodySource) -> Result<()> {
        self.whole()?;
        // Not even a part of it belongs into the transcript.
        let wire = self.wire.clone();
        let mut stuffing = Stuffing::default();
        let sent = wire.secretly("(the mail)", || {
            bytes.read(&mut |piece| wire.send(&stuffing.stuff(piece)))?;
            wire.send(stuffing.end())
        });
        self.noting(sent)
    }

    /// What the server says before it was asked; nothing else can be said to it then.
    pub(super) fn early(&mut self) -> Result<Option<Reply>> {
        self.whole()?;
        let ready = self.wire.poll_readable(Instant::now());
        if self.noting(ready)? != Ready::Data {
            return Ok(None);
        }
        let reply = self.reply()?;
        self.close();
        Ok(Some(reply))
    }

    /// Says the end of the mail, and reads what the server makes of it.
    pub(super) fn dot(&mut self) -> Result<Reply> {
        self.whole()?;
        let sent = self.wire.send(b".\r\n");
        self.noting(sent)?;
        self.reply()
    }

    /// The error for an answer that makes no sense here; the conversation ends with it.
    pub(super) fn out_of_step(&mut self) -> Error {
        self.broken = true;
        Error::new(Kind::Protocol, format!("{} answered something that is not SMTP", self.wire.host()))
    }

    /// What a refusal of the mail as a whole means.
    pub(super) fn no(&self, reply: &Reply, what: &str) -> End {
        let said = self.said(reply);
        match reply.class() {
            5 => End::Refused(Error::new(Kind::Refused, what).because(said)),
            _ => End::Later(Error::new(Kind::Offline, what).because(said)),
        }
    }

    /// What the server said, fit for an error: cut, cleaned, secrets masked.
    pub(super) fn said(&self, reply: &Reply) -> String {
        let text = self.wire.masked(&reply.lines.join(" "));
        let mut cut: String = text.trim().chars().take(300).collect();
        if cut.len() < text.trim().len() {
            cut.push('…');
        }
        format!("the server said: {} {}", reply.code, Clean::line(&cut))
    }

    fn noting<T>(&mut self, result: Result<T>) -> Result<T> {
        self.broken |= result.is_err();
        result
    }

    pub(super) fn noted<T>(&mut self, result: Result<T>) -> Result<T> {
        self.noting(result)
    }

    fn whole(&self) -> Result<()> {
        if self.broken {
            let text = format!("the session with {} was broken off in the middle", self.wire.host());
            return Err(Error::new(Kind::Offline, text));
        }
        Ok(())
    }
}

/// Code, whether another line follows, text.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let digits = line.get(..3).filter(|d| d.iter().all(u8::is_ascii_digit))?;
    let code = digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0'));
    let more = match line.get(3) {
        None | Some(b' ') => false,
        Some(b'-') => true,
        Some(_) => return None,
    };
    (200..600)
        .contains(&code)
        .then(|| (code, more, String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned()))
}

/// Dots are doubled at the beginnings of lines, wherever the pieces are cut; lone CR and LF become line ends, so that
/// no server can see an end of the mail where there is none.
#[derive(Debug, Default)]
struct Stuffing {
    /// The last byte was a CR, which was said as a whole line end.
    after_cr: bool,
    /// In the middle of a line.
    inside: bool,
}

impl Stuffing {
    fn stuff(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + piece.len() / 50 + 2);
        for &byte in piece {
            match byte {
                b'\n' if self.after_cr => {}
                b'\r' | b'\n' => {
                    out.extend_from_slice(b"\r\n");
                    self.inside = false;
                }
                _ => {
                    if byte == b'.' && !self.inside {
                        out.push(b'.');
                    }
                    out.push(byte);
                    self.inside = true;
                }
            }
            self.after_cr = byte == b'\r';
        }
        out
    }

    fn end(&self) -> &'static [u8] {
        if self.inside { b"\r\n" } else { b"" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(bytes: &[u8], piece: usize) -> Vec<u8> {
        let mut stuffing = Stuffing::default();
        let mut out: Vec<u8> = bytes.chunks(piece).flat_map(|piece| stuffing.stuff(piece)).collect();
        out.extend_from_slice(stuffing.end());
        out
    }

    #[test]
    fn o1_dots_are_stuffed_wherever_the_pieces_are_cut() {
        let bytes = b".a\r\n.\r\n..\r\nb.c\r\n.\r\nd";
        for piece in 1..bytes.len() {
            assert_eq!(stuffed(bytes, piece), b"..a\r\n..\r\n...\r\nb.c\r\n..\r\nd\r\n", "{piece}");
        }
        assert_eq!(stuffed(b"a\n.\nb\r.\rc", 1), b"a\r\n..\r\nb\r\n..\r\nc\r\n");
        assert_eq!(stuffed(b"a\r\n", 2), b"a\r\n");
        assert_eq!(stuffed(b"", 1), b"");
    }

    #[test]
    fn reads_answers() {
        assert_eq!(parse(b"250-SIZE 1\r\n"), Some((250, true, "SIZE 1".into())));
        assert_eq!(parse(b"250\r\n"), Some((250, false, String::new())));
        for bad in [&b"25\r\n"[..], b"2x0 a", b"250_a", b"100 a", b"999 a", b"* OK"] {
            assert_eq!(parse(bad), None);
        }
    }
}
