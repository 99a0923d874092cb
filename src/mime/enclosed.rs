//! One mail of a mailbox file, told line by line: where it ends, what identifies it, and what is remembered of it.

use sha2::{Digest, Sha256};

use super::postmark::{came, is_exact};
use crate::model::{Flags, check_tag};

/// Empty lines at the end of a mail that are not counted to it; more are taken as they are.
const EMPTY: usize = 1 << 20;
/// Fields that programs put into a header to remember things of their own: they do not make it another mail.
const MARKS: [&str; 14] = [
    "content-length",
    "lines",
    "status",
    "x-evolution",
    "x-imap",
    "x-imapbase",
    "x-keywords",
    "x-label",
    "x-mailtui-export",
    "x-mozilla-keys",
    "x-mozilla-status",
    "x-mozilla-status2",
    "x-status",
    "x-uid",
];
/// The subject of what some programs keep as the first mail of a file for themselves.
const INTERNAL: &[u8] = b"DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA";

/// Tags of a mail at most.
const KEYWORDS: usize = 100;

/// Whether a field (its name in small letters) is one in which programs remember things of their own.
pub(super) fn is_mark(name: &str) -> bool {
    MARKS.contains(&name)
}

/// What the value of such a field says of the mail: flags and tags.
pub(super) fn remembered(name: &str, value: &[u8]) -> (Flags, Vec<String>) {
    let of = |letters: &[(u8, Flags)]| {
        let there = letters.iter().filter(|(letter, _)| value.contains(letter));
        there.fold(Flags::NONE, |all, (_, flag)| all | *flag)
    };
    match name {
        "status" => (of(&[(b'R', Flags::SEEN)]), Vec::new()),
        "x-status" => {
            (of(&[(b'A', Flags::ANSWERED), (b'F', Flags::FLAGGED), (b'T', Flags::DRAFT)]), Vec::new())
        }
        "x-keywords" => {
            let (mut flags, mut keywords) = (Flags::NONE, Vec::new());
            for word in String::from_utf8_lossy(value).split_ascii_whitespace().take(KEYWORDS) {
                match Flags::from_wire(word) {
                    Some(flag) => flags = flags | (flag & Flags::FORWARDED),
                    None if check_tag(word).is_ok() => keywords.push(word.to_owned()),
                    None => {}
                }
            }
            (flags, keywords)
        }
        _ => (Flags::NONE, Vec::new()),
    }
}

/// One mail of a mailbox file. Offsets are those of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// Where its `From ` line begins.
    pub start: u64,
    /// Where the mail itself begins.
    pub begin: u64,
    /// Where the mail ends, without the empty line that parts it from the next one.
    pub end: u64,
    /// Where the next one begins, or the file ends.
    pub next: u64,
    /// SHA-256 of it, its `From ` line included; without the fields in which programs remember what became of it,
    /// and without the empty lines at its end. The same mail, marked as read by another program, is the same.
    pub identity: [u8; 32],
    /// What other programs remember of it (Status and X-Status).
    pub flags: Flags,
    /// The tags that they put on it (X-Keywords).
    pub keywords: Vec<String>,
    /// Whether `>From ` in its text may stand for `From `. Not where a line of it begins with `From ` as it is, nor where
    /// Content-Length is true: programs that write that do not quote.
    pub may_be_quoted: bool,
    /// When its `From ` line says that it came, Unix seconds, as this machine's clock shows time.
    pub at: Option<i64>,
    /// No mail, but what a program keeps for itself at the beginning of the file.
    pub is_internal: bool,
}

/// A line, or a piece of a long one.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
    /// It opens a line.
    pub(super) opens: bool,
}

impl Piece {
    /// Its bytes and its line break.
    fn parts(&self) -> (&[u8], &[u8]) {
        let length = match &self.bytes[..] {
            [content @ .., b'\r', b'\n'] | [content @ .., b'\n'] => content.len(),
            all => all.len(),
        };
        self.bytes.split_at(length)
    }

    pub(super) fn is_empty_line(&self) -> bool {
        self.opens && self.parts().0.is_empty() && !self.bytes.is_empty()
    }

    /// Whether it is the beginning of a header field, or what old programs write as one.
    fn is_field(&self) -> bool {
        let name =
            self.bytes.iter().take(100).take_while(|b| (b'!'..=b'~').contains(*b) && **b != b':').count();
        (name > 0 && self.bytes.get(name) == Some(&b':')) || self.bytes.starts_with(b">From ")
    }
}

/// A mail of which not all was read.
pub(super) struct Reading {
    start: u64,
    begin: u64,
    hash: Sha256,
    /// Line breaks at the end of what was read, not counted yet.
    breaks: Vec<u8>,
    /// The line before was empty, and how long it was.
    empty: Option<u64>,
    /// Where the body begins, once the header has ended.
    body: Option<u64>,
    /// What Content-Length says.
    length: Option<u64>,
    /// The field that is being read is a mark of another program.
    is_mark: bool,
    flags: Flags,
    keywords: Vec<String>,
    /// A line of the text begins with `From `.
    has_from: bool,
    at: Option<i64>,
    is_internal: bool,
    was_imap: bool,
}

impl Reading {
    pub(super) fn new(postmark: &Piece) -> Self {
        let mut reading = Self {
            start: postmark.at,
            begin: postmark.at,
            hash: Sha256::new(),
            breaks: Vec::new(),
            empty: None,
            body: None,
            length: None,
            is_mark: false,
            flags: Flags::NONE,
            keywords: Vec::new(),
            has_from: false,
            at: came(postmark.parts().0),
            is_internal: false,
            was_imap: false,
        };
        reading.postmark_goes_on(postmark);
        reading
    }

    pub(super) fn postmark_goes_on(&mut self, piece: &Piece) {
        self.begin = piece.at + piece.bytes.len() as u64;
        self.count(piece);
    }

    /// Counts bytes to its identity; line breaks only once something follows them.
    fn count(&mut self, piece: &Piece) {
        let (content, line_break) = piece.parts();
        if !content.is_empty() || self.breaks.len() > EMPTY {
            self.hash.update(&self.breaks);
            self.breaks.clear();
        }
        self.hash.update(content);
        self.breaks.extend_from_slice(line_break);
    }

    pub(super) fn may_end_before(&self, piece: &Piece) -> bool {
        piece.opens
            && piece.bytes.starts_with(b"From ")
            && piece.bytes.ends_with(b"\n")
            && (is_exact(piece.parts().0) || (self.empty.is_some() && came(piece.parts().0).is_some()))
    }

    /// Whether a line that may be the postmark of another mail is one, by what follows it.
    pub(super) fn ends_before(&self, postmark: &Piece, after: &Piece) -> bool {
        if after.is_field() {
            return true;
        }
        // A mail without a header. Who wrote this one may have told that it goes on.
        let goes_on = match (self.body, self.length) {
            (Some(body), Some(length)) => body.saturating_add(length) > postmark.at,
            _ => false,
        };
        after.is_empty_line() && self.empty.is_some() && is_exact(postmark.parts().0) && !goes_on
    }

    pub(super) fn take(&mut self, piece: &Piece) {
        if self.body.is_none() {
            if piece.is_empty_line() {
                self.body = Some(piece.at + piece.bytes.len() as u64);
                self.count(piece);
                return;
            }
            if piece.opens && !matches!(piece.bytes.first(), Some(b' ' | b'\t')) {
                self.field(piece.parts().0);
            }
            if !self.is_mark {
                self.count(piece);
            }
            return;
        }
        self.has_from |= piece.opens && piece.bytes.starts_with(b"From ");
        self.empty = piece.is_empty_line().then_some(piece.bytes.len() as u64);
        self.count(piece);
    }

    /// The first line of a header field.
    fn field(&mut self, line: &[u8]) {
        let colon = line.iter().take(100).position(|b| *b == b':').unwrap_or(0);
        let (name, value) = (line[..colon].trim_ascii_end().to_ascii_lowercase(), line[colon..].trim_ascii());
        let name = String::from_utf8_lossy(&name);
        self.is_mark = is_mark(&name);
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        let (flags, keywords) = remembered(&name, value);
        self.flags = self.flags | flags;
        if self.keywords.len() + keywords.len() <= KEYWORDS {
            self.keywords.extend(keywords);
        }
        match &*name {
            "content-length" => self.length = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok()),
            "x-imap" => self.was_imap = true,
            "subject" => self.is_internal = value == INTERNAL,
            _ => {}
        }
    }

    pub(super) fn done(self, next: u64) -> Enclosed {
        let end = next - self.empty.unwrap_or(0);
        let is_measured = match (self.body, self.length) {
            (Some(body), Some(length)) => body.checked_add(length) == Some(end),
            _ => false,
        };
        Enclosed {
            start: self.start,
            begin: self.begin,
            end,
            next,
            identity: self.hash.finalize().into(),
            flags: self.flags,
            keywords: self.keywords,
            may_be_quoted: !self.has_from && !is_measured,
            at: self.at,
            is_internal: self.start == 0 && self.is_internal && self.was_imap,
        }
    }
}
