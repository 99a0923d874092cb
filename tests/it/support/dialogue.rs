//! One connection of a scripted server: says and expects what the script has.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslStream};

use super::script::{Heard, Piece, Step};

/// No client takes longer than this over one step.
const PATIENCE: Duration = Duration::from_secs(20);

enum Line {
    Plain(TcpStream),
    Tls(SslStream<TcpStream>),
    Gone,
}

pub(super) struct Session {
    line: Line,
    acceptor: Arc<SslAcceptor>,
    heard: Arc<Mutex<Heard>>,
    buffer: Vec<u8>,
    tag: Vec<u8>,
    split: usize,
}

impl Session {
    pub(super) fn new(stream: TcpStream, acceptor: Arc<SslAcceptor>, heard: Arc<Mutex<Heard>>) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { line: Line::Plain(stream), acceptor, heard, buffer: Vec::new(), tag: Vec::new(), split: 0 }
    }

    pub(super) fn follow(mut self, steps: &[(usize, Step)]) -> Result<(), String> {
        for (at, (number, step)) in steps.iter().enumerate() {
            if let Err(e) = self.step(step) {
                // A client that has heard enough closes while this side still talks.
                let mut rest = steps[at..].iter().map(|(_, s)| s).skip_while(|s| matches!(s, Step::Say(_)));
                if matches!(step, Step::Say(_)) && matches!(rest.next(), Some(Step::Hang)) {
                    break;
                }
                return Err(format!("  line {number}, {step:?}: {e}"));
            }
        }
        self.close();
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Say(pieces) => self.say(pieces),
            Step::ExpectLine(wanted) => self.expect_line(wanted),
            Step::ExpectBytes(wanted) => {
                while self.buffer.len() < wanted.len() && wanted.starts_with(&self.buffer) {
                    if self.fill()? == 0 {
                        return Err("the client closed".into());
                    }
                }
                if !self.buffer.starts_with(wanted) {
                    return Err(format!("the client said {:?}", String::from_utf8_lossy(&self.buffer)));
                }
                self.buffer.drain(..wanted.len());
                Ok(())
            }
            Step::Tls => match std::mem::replace(&mut self.line, Line::Gone) {
                Line::Plain(stream) => {
                    let stream = self.acceptor.accept(stream).map_err(|e| e.to_string())?;
                    self.line = Line::Tls(stream);
                    Ok(())
                }
                _ => Err("is TLS already".into()),
            },
            Step::TlsRefused => {
                if self.step(&Step::Tls).is_ok() {
                    return self.step(&Step::Eof);
                }
                Ok(())
            }
            Step::Eof if !self.buffer.is_empty() => Err(format!("the client had said {}", self.unread())),
            Step::Eof => match self.fill() {
                Ok(0) => Ok(()),
                Ok(_) => Err(format!("the client said {}", self.unread())),
                Err(e) if e.contains("temporarily unavailable") => Err("the client did not close".into()),
                Err(_) => Ok(()),
            },
            Step::Hang => {
                while matches!(self.fill(), Ok(n) if n > 0) {}
                Ok(())
            }
            Step::Cut => {
                self.close();
                Ok(())
            }
            Step::Split(n) => {
                self.split = *n;
                Ok(())
            }
        }
    }

    fn unread(&self) -> String {
        format!("{:?}", String::from_utf8_lossy(&self.buffer))
    }

    fn say(&mut self, pieces: &[Piece]) -> Result<(), String> {
        let bytes = pieces
            .iter()
            .flat_map(|p| match p {
                Piece::Bytes(bytes) => bytes.clone(),
                Piece::Tag => self.tag.clone(),
            })
            .collect::<Vec<u8>>();
        let size = if self.split == 0 { bytes.len().max(1) } else { self.split };
        for piece in bytes.chunks(size) {
            match &mut self.line {
                Line::Plain(stream) => stream.write_all(piece).map_err(|e| e.to_string())?,
                Line::Tls(stream) => stream.write_all(piece).map_err(|e| e.to_string())?,
                Line::Gone => return Err("closed".into()),
            }
        }
        Ok(())
    }

    fn expect_line(&mut self, wanted: &str) -> Result<(), String> {
        let end = loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                break end + 1;
            }
            match self.fill()? {
                0 if self.buffer.is_empty() => return Err("the client closed".into()),
                0 => return Err(format!("the client closed after {}", self.unread())),
                _ => {}
            }
        };
        let line: Vec<u8> = self.buffer.drain(..end).collect();
        let Some(text) = line.strip_suffix(b"\r\n") else {
            return Err(format!("the client's line ends without CRLF: {:?}", String::from_utf8_lossy(&line)));
        };
        self.tag = text.split(|b| *b == b' ').next().unwrap_or_default().to_vec();
        let text = String::from_utf8_lossy(text);
        if glob(wanted, &text) { Ok(()) } else { Err(format!("the client said {text:?}")) }
    }

    fn fill(&mut self) -> Result<usize, String> {
        let mut piece = [0; 4096];
        let n = match &mut self.line {
            Line::Plain(stream) => stream.read(&mut piece).map_err(|e| e.to_string())?,
            Line::Tls(stream) => stream.read(&mut piece).map_err(|e| e.to_string())?,
            Line::Gone => return Err("closed".into()),
        };
        self.buffer.extend_from_slice(&piece[..n]);
        let mut heard = self.heard.lock().unwrap();
        let side = if matches!(self.line, Line::Tls(_)) { &mut heard.sealed } else { &mut heard.clear };
        side.extend_from_slice(&piece[..n]);
        Ok(n)
    }

    fn close(&mut self) {
        match &mut self.line {
            Line::Plain(stream) => _ = stream.shutdown(std::net::Shutdown::Write),
            Line::Tls(stream) => {
                let _ = stream.shutdown();
                let _ = stream.get_ref().shutdown(std::net::Shutdown::Write);
            }
            Line::Gone => {}
        }
        self.line = Line::Gone;
    }
}

/// Whether `text` is `pattern`, with `*` for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).filter(|i| rest.is_char_boundary(*i)).any(|i| glob(tail, &rest[i..]))
        }),
    }
}

#[test]
fn a_pattern_matches_runs() {
    assert!(glob("* LOGIN *", "a1 LOGIN ann secret"));
    assert!(glob("NOOP", "NOOP"));
    assert!(!glob("* NOOP", "a1 NOOPS"));
}
