//! The last lines of a conversation, fit to be shown: secrets masked, bodies left out, text cleaned.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::text::Clean;

/// So many lines are kept.
const LINES: usize = 200;
/// So many bytes of a line are kept.
const WIDTH: usize = 300;
/// What stands where a secret was.
const MASK: &str = "(secret)";

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This program.
    Client,
    /// The server.
    Server,
    /// A remark on the connection.
    Note,
}

/// One line of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How long after the connection was made.
    pub at: Duration,
    /// Who said it.
    pub side: Side,
    /// What was said, without the line end.
    pub text: Clean,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Client => "C:",
            Side::Server => "S:",
            Side::Note => "--",
        };
        write!(f, "{:8.3} {side} {}", self.at.as_secs_f64(), self.text)
    }
}

/// The last lines of a conversation, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The lines.
    pub lines: Vec<Line>,
    /// How many older ones were dropped.
    pub dropped: u64,
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dropped > 0 {
            writeln!(f, "({} older lines are not kept)", self.dropped)?;
        }
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Writes a transcript.
pub(super) struct Recorder {
    start: Instant,
    lines: VecDeque<Line>,
    dropped: u64,
    /// Half a line that was read.
    half: Vec<u8>,
    secrets: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("lines", &self.lines.len()).finish_non_exhaustive()
    }
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            lines: VecDeque::new(),
            dropped: 0,
            half: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// This text must never show, whoever says it.
    pub(super) fn keep_out(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.secrets.push(Zeroizing::new(secret.to_owned()));
            // A longer one may contain a shorter one.
            self.secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        }
    }

    /// The text with every secret masked.
    pub(super) fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text }
        })
    }

    /// What this side said; large payloads show their first line and size only.
    pub(super) fn said(&mut self, bytes: &[u8]) {
        if bytes.len() > 4096 {
            let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
            self.push(Side::Client, first);
            self.note(&format!("({} bytes sent)", bytes.len()));
            return;
        }
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            self.push(Side::Client, line);
        }
    }

    /// What this side said that must not show; `shown` stands for it.
    pub(super) fn said_secretly(&mut self, shown: &str) {
        let text = format!("{shown}{}{MASK}", if shown.is_empty() { "" } else { " " });
        self.push(Side::Client, text.as_bytes());
    }

    /// What the server said, in any pieces.
    pub(super) fn heard(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let room = (WIDTH * 4).saturating_sub(self.half.len());
            self.half.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.half);
                self.push(Side::Server, &line);
            }
        }
    }

    /// A remark.
    pub(super) fn note(&mut self, text: &str) {
        self.push(Side::Note, text.as_bytes());
    }

    fn push(&mut self, side: Side, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        // Masked before it is cut: a cut secret would not be recognised.
        let mut text = self.masked(text.trim_end_matches(['\r', '\n']));
        if text.len() > WIDTH {
            let cut = (0..=WIDTH).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
            text.truncate(cut);
            text.push('…');
        }
        let line = Line { at: self.start.elapsed(), side, text: Clean::line(&text) };
        tracing::trace!(target: "mailtui::wire", "{line}");
        if self.lines.len() == LINES {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }

    pub(super) fn transcript(&self) -> Transcript {
        Transcript { lines: self.lines.iter().cloned().collect(), dropped: self.dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x9_secrets_do_not_show_whoever_says_them() {
        let mut recorder = Recorder::new();
        recorder.keep_out("hunter2");
        recorder.said(b"USER ann\r\n");
        recorder.said_secretly("PASS");
        recorder.heard(b"-ERR wrong pass");
        recorder.heard(b"word hunter2\r\n");
        let text = recorder.transcript().to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("C: PASS (secret)") && text.contains("-ERR wrong password (secret)"), "{text}");
    }

    #[test]
    fn keeps_the_last_lines_and_cuts_long_ones() {
        let mut recorder = Recorder::new();
        for n in 0..LINES + 5 {
            recorder.heard(format!("+OK {n}\r\n").as_bytes());
        }
        recorder.heard(&[vec![b'x'; 100_000], b"\n".to_vec()].concat());
        let transcript = recorder.transcript();
        assert_eq!((transcript.lines.len(), transcript.dropped), (LINES, 6));
        assert!(transcript.lines.last().unwrap().text.as_str().len() < WIDTH + 10);
    }
}
