//! What stands at the top of a mail that was exported into a mailbox file: what is remembered of it, in fields that
//! other programs read, and its size and hash, by which it is known again as it was.

use std::fmt::Write as _;

use super::enclosed::{is_mark, remembered};
use super::header::{end_of_field, header_block};
use crate::model::Flags;

const NAME: &str = "X-Mailtui-Export";
/// Bytes of all that is noted of a mail.
const LONGEST: usize = 32 << 10;

/// What is noted of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imprint {
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// When it came, Unix seconds.
    pub came: i64,
    /// How it is marked.
    pub flags: Flags,
    /// Its tags.
    pub keywords: Vec<String>,
}

impl Imprint {
    /// The lines, as they stand before the mail's own.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut fields = vec![format!("Status: {}", if self.flags.has(Flags::SEEN) { "RO" } else { "O" })];
        let letters: String = [('A', Flags::ANSWERED), ('F', Flags::FLAGGED), ('T', Flags::DRAFT)]
            .iter()
            .filter(|(_, flag)| self.flags.has(*flag))
            .map(|(letter, _)| *letter)
            .collect();
        if !letters.is_empty() {
            fields.push(format!("X-Status: {letters}"));
        }
        let mut keywords: Vec<&str> = (self.flags & Flags::FORWARDED).wire_names().collect();
        keywords.extend(self.keywords.iter().map(String::as_str));
        if !keywords.is_empty() {
            fields.push(format!("X-Keywords: {}", keywords.join(" ")));
        }
        let hash = self.sha256.iter().fold(String::new(), |mut text, b| {
            let _ = write!(text, "{b:02x}");
            text
        });
        format!(
            "{NAME}: fields={} size={} came={} sha256={hash}\n{}\n",
            fields.len(),
            self.size,
            self.came,
            fields.join("\n")
        )
    }

    /// What the beginning of a mail in a mailbox file says, and how many bytes say it.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<(Self, usize)> {
        let head = &head[..head.len().min(LONGEST)];
        let mut lines = head.split_inclusive(|b| *b == b'\n');
        let first = lines.next().filter(|line| line.ends_with(b"\n"))?;
        let text = std::str::from_utf8(first).ok()?.strip_prefix(NAME)?.strip_prefix(": ")?;
        let value = |name: &str| {
            text.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let (mut imprint, count) = (
            Self {
                size: value("size")?.parse().ok()?,
                sha256: hash(value("sha256")?)?,
                came: value("came")?.parse().ok()?,
                flags: Flags::NONE,
                keywords: Vec::new(),
            },
            value("fields")?.parse::<usize>().ok()?,
        );
        let mut length = first.len();
        for _ in 0..count {
            let line = lines.next().filter(|line| line.ends_with(b"\n"))?;
            length += line.len();
            let colon = line.iter().position(|b| *b == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            let (flags, keywords) = remembered(&name, line[colon + 1..].trim_ascii());
            imprint.flags = imprint.flags | flags;
            imprint.keywords.extend(keywords);
        }
        Some((imprint, length))
    }
}

/// The header of a mail without all that programs note in it, as it was before another program marked it; `None`: it has
/// no end here.
#[must_use]
pub fn unmarked(head: &[u8]) -> Option<(Vec<u8>, usize)> {
    let block = header_block(head);
    if !block.ends_with(b"\n\n") && !block.ends_with(b"\n\r\n") {
        return None;
    }
    let mut own = Vec::with_capacity(block.len());
    let mut rest = block;
    while !rest.is_empty() {
        let (field, after) = rest.split_at(end_of_field(rest));
        let name = &field[..field.iter().take(100).position(|b| *b == b':').unwrap_or(0)];
        if !is_mark(&String::from_utf8_lossy(name.trim_ascii_end()).to_ascii_lowercase()) {
            own.extend_from_slice(field);
        }
        rest = after;
    }
    Some((own, block.len()))
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imprint() -> Imprint {
        Imprint {
            size: 1234,
            sha256: [0xa7; 32],
            came: -5,
            flags: Flags::SEEN | Flags::FLAGGED | Flags::FORWARDED,
            keywords: vec!["todo".to_owned(), "B\u{fc}ro".to_owned()],
        }
    }

    #[test]
    fn what_is_noted_is_read_again() {
        for imprint in [imprint(), Imprint { flags: Flags::NONE, keywords: Vec::new(), ..imprint() }] {
            let lines = imprint.lines();
            let mail = format!("{lines}Status: other\nSubject: x\n\n");
            assert_eq!(Imprint::of(mail.as_bytes()), Some((imprint, lines.len())));
        }
        let lines = imprint().lines();
        assert!(
            lines.contains("\nStatus: RO\nX-Status: F\nX-Keywords: $Forwarded todo B\u{fc}ro\n"),
            "{lines}"
        );
    }

    #[test]
    fn what_says_too_little_or_lies_is_no_imprint() {
        let lines = imprint().lines();
        for wrong in [
            lines.replace("fields=3", "fields=99999999999"),
            lines.replace("fields=3", "fields=4"),
            lines.replace("a7a7", "a7\u{e9}"),
            lines.replace("size=", "size=-"),
            lines.replace("X-Mailtui-Export", "X-Mailtui-Exports"),
            String::new(),
        ] {
            assert_eq!(Imprint::of(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn marks_are_taken_off_with_their_folded_lines() {
        let head =
            b"Status: RO\nSubject: x\n folded\nX-Keywords: a\n\tb\nTo: y\nLines: 3\n\nText\nStatus: no\n";
        assert_eq!(unmarked(head), Some((b"Subject: x\n folded\nTo: y\n\n".to_vec(), 63)));
        assert_eq!(unmarked(b"Subject: x\n"), None);
    }
}
