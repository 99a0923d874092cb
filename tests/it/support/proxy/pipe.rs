//! One way through a proxy: what was read, what of it passes, and where its lines end.

use std::collections::VecDeque;
use std::sync::Arc;

use super::plan::{Fault, Plan, Way};

/// Finds the ends of lines; in IMAP a line goes on behind its literals (RFC 9051 section 4.3).
#[derive(Debug, Default)]
struct Border {
    literals: bool,
    literal: u64,
    tail: VecDeque<u8>,
}

impl Border {
    /// Whether a line ends with this byte.
    fn feed(&mut self, byte: u8) -> bool {
        if self.literal > 0 {
            self.literal -= 1;
            return false;
        }
        if byte != b'\n' {
            if self.tail.len() == 24 {
                self.tail.pop_front();
            }
            self.tail.push_back(byte);
            return false;
        }
        let tail: Vec<u8> = self.tail.drain(..).collect();
        match literal(&tail).filter(|_| self.literals) {
            Some(bytes) => {
                self.literal = bytes;
                false
            }
            None => true,
        }
    }
}

/// The number in `{n}` or `{n+}` and CR at the end of a line.
fn literal(tail: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(tail.get(tail.iter().rposition(|b| *b == b'{')?..)?).ok()?;
    text.strip_prefix('{')?.strip_suffix("}\r")?.trim_end_matches('+').parse().ok()
}

/// One way of one connection.
#[derive(Debug)]
pub(super) struct Pipe {
    way: Way,
    connection: u32,
    plan: Arc<Plan>,
    border: Border,
    edits: bool,
    at_border: bool,
    /// Read, and not looked at yet.
    raw: VecDeque<u8>,
    /// The begun line, where lines are edited.
    held: Vec<u8>,
    /// As the far end would get it.
    ready: VecDeque<u8>,
    /// Has passed, and is to be written.
    pub(super) out: VecDeque<u8>,
    /// Bytes that passed.
    pub(super) bytes: u64,
    /// Lines of the sender that ended.
    pub(super) lines: u64,
    discards: bool,
    /// The sender will say no more, or is not heard any more.
    pub(super) ends: bool,
}

impl Pipe {
    pub(super) fn new(way: Way, connection: u32, plan: &Arc<Plan>, literals: bool) -> Self {
        let edits = plan.0.iter().any(|f| matches!(f, Fault::Replace { way: w, .. } if *w == way));
        Self {
            way,
            connection,
            plan: Arc::clone(plan),
            border: Border { literals, ..Border::default() },
            edits,
            at_border: true,
            raw: VecDeque::new(),
            held: Vec::new(),
            ready: VecDeque::new(),
            out: VecDeque::new(),
            bytes: 0,
            lines: 0,
            discards: false,
            ends: false,
        }
    }

    pub(super) fn read(&mut self, bytes: &[u8]) {
        if !self.discards {
            self.raw.extend(bytes);
        }
    }

    /// The sender has said all: what was held back goes too.
    pub(super) fn end(&mut self) {
        self.ends = true;
    }

    /// Nothing more passes; what has passed is still written.
    pub(super) fn discard(&mut self) {
        self.discards = true;
        self.ends = true;
        self.raw.clear();
        self.held.clear();
        self.ready.clear();
    }

    /// Whether all that will ever pass was written.
    pub(super) fn is_done(&self) -> bool {
        self.ends && self.raw.is_empty() && self.ready.is_empty() && self.out.is_empty()
    }

    /// The fault that is due now that so many bytes have passed.
    pub(super) fn due(&self) -> Option<Fault> {
        let is_due = |f: &&Fault| {
            matches!(f, Fault::Break { connection, way, byte, .. }
                if *connection == self.connection && *way == self.way && *byte == self.bytes)
        };
        self.plan.0.iter().find(is_due).cloned()
    }

    /// Lets pass what was read, up to the first fault that is due.
    pub(super) fn pass(&mut self) -> Option<Fault> {
        loop {
            while let Some(byte) = self.ready.pop_front() {
                self.out.push_back(byte);
                self.bytes += 1;
                if let Some(fault) = self.due() {
                    return Some(fault);
                }
            }
            let Some(&byte) = self.raw.front() else {
                if !self.ends || self.held.is_empty() {
                    return None;
                }
                self.edit();
                continue;
            };
            if std::mem::take(&mut self.at_border) {
                if let Some(fault) = self.at_line() {
                    return Some(fault);
                }
                if !self.ready.is_empty() {
                    continue;
                }
            }
            self.raw.pop_front();
            self.at_border = self.border.feed(byte);
            self.lines += u64::from(self.at_border);
            if !self.edits {
                self.ready.push_back(byte);
                continue;
            }
            self.held.push(byte);
            if self.at_border {
                self.edit();
            }
        }
    }

    /// What the plan has for the beginning of this line.
    fn at_line(&mut self) -> Option<Fault> {
        if self.way != Way::Down {
            return None;
        }
        for fault in &self.plan.0 {
            match fault {
                Fault::Swallow { connection, line }
                    if *connection == self.connection && *line == self.lines =>
                {
                    return Some(fault.clone());
                }
                Fault::Insert { connection, line, bytes }
                    if *connection == self.connection && *line == self.lines =>
                {
                    self.ready.extend(bytes);
                }
                _ => {}
            }
        }
        None
    }

    fn edit(&mut self) {
        let mut line = std::mem::take(&mut self.held);
        for fault in &self.plan.0 {
            if let Fault::Replace { way, from, to } = fault
                && *way == self.way
            {
                line = replace(&line, from, to);
            }
        }
        self.ready.extend(line);
    }
}

fn replace(line: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = line;
    while !from.is_empty()
        && let Some(at) = rest.windows(from.len()).position(|w| w == from)
    {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[test]
fn a_line_of_imap_goes_on_behind_its_literal() {
    let ends = |literals, text: &[u8]| {
        let mut border = Border { literals, ..Border::default() };
        text.iter().filter(|b| border.feed(**b)).count()
    };
    let fetch = b"* 1 FETCH (BODY[] {7}\r\na\r\nb\r\nc UID 3)\r\na OK\r\n";
    assert_eq!(ends(true, fetch), 2);
    assert_eq!(ends(false, fetch), 5);
    assert_eq!(ends(true, b"x LOGIN {3+}\r\nann {0}\r\n\r\n* {9} is no literal\r\n"), 2);
}
