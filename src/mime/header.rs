//! The header block of a mail and its fields, raw: where it ends, what is in it, unfolding.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Bytes of a header block that are looked at; what comes after is kept and hashed, but not read.
const LIMIT: usize = 256 * 1024;

/// The header block of a mail: all bytes through the first empty line; all bytes when there is none.
#[must_use]
pub fn header_block(raw: &[u8]) -> &[u8] {
    let mut line = 0;
    loop {
        let rest = &raw[line..];
        if rest.starts_with(b"\r\n") {
            return &raw[..line + 2];
        }
        if rest.starts_with(b"\n") {
            return &raw[..line + 1];
        }
        match memchr(b'\n', rest) {
            Some(end) => line += end + 1,
            None => return raw,
        }
    }
}

/// One header field as it is on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// Its name, without the space that some put before the colon; empty for a line that is no field.
    pub(super) name: &'a [u8],
    /// Its value, still folded.
    pub(super) value: &'a [u8],
}

impl Field<'_> {
    /// Whether it has this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a header block in order; lines that are no field come with an empty name.
pub(super) fn fields(block: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = &block[..block.len().min(LIMIT)];
    std::iter::from_fn(move || {
        if rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            return None;
        }
        let end = end_of_field(rest);
        let (whole, after) = rest.split_at(end);
        rest = after;
        Some(field(whole))
    })
}

/// The length of the field that `rest` begins with, folded lines and its line break included.
pub(super) fn end_of_field(rest: &[u8]) -> usize {
    let mut end = 0;
    loop {
        match memchr(b'\n', &rest[end..]) {
            Some(at) => end += at + 1,
            None => return rest.len(),
        }
        // A line with nothing but white space does not end the header, though some take it so.
        if !matches!(rest.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

pub(super) fn field(whole: &[u8]) -> Field<'_> {
    let (name, value) = match memchr(b':', whole) {
        Some(at) => (&whole[..at], &whole[at + 1..]),
        None => (&b""[..], whole),
    };
    // RFC 5322 section 4.5.8: space before the colon is obsolete, and still sent.
    let name = name.trim_ascii_end();
    // `From joe@example.org Mon Sep 17 00:00:00` of an mbox is no field.
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return Field { name: b"", value: whole.trim_ascii() };
    }
    Field { name, value: value.trim_ascii() }
}

/// The value on one line (RFC 5322 section 2.2.3): line breaks go, the white space after them stays.
pub(super) fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr2(b'\r', b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    for (i, b) in value.iter().enumerate() {
        match b {
            b'\r' | b'\n' => {
                // A break that folds nothing still parts two words.
                let next = value.get(i + 1);
                if next.is_some_and(|n| !n.is_ascii_whitespace()) {
                    out.push(b' ');
                }
            }
            b => out.push(*b),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_ends_with_the_empty_line() {
        assert_eq!(header_block(b"A: 1\r\n\r\nbody"), b"A: 1\r\n\r\n");
        assert_eq!(header_block(b"A: 1\n\nbody\n\n"), b"A: 1\n\n");
        assert_eq!(header_block(b"\r\nbody"), b"\r\n");
        assert_eq!(header_block(b"A: 1\r\nB: 2"), b"A: 1\r\nB: 2");
        assert_eq!(header_block(b""), b"");
    }

    #[test]
    fn odd_lines_do_not_stop_the_fields() {
        let block = b" lost\r\nFrom joe@example.org Mon Sep 17 00:00:00 2001\r\nSubject : x\r\nno colon\r\nTo:a,\r\n\tb\r\n\r\n";
        let read: Vec<_> = fields(block)
            .map(|f| {
                (
                    String::from_utf8_lossy(f.name).into_owned(),
                    String::from_utf8_lossy(&unfold(f.value)).into_owned(),
                )
            })
            .collect();
        let read: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            read,
            [
                ("", "lost"),
                ("", "From joe@example.org Mon Sep 17 00:00:00 2001"),
                ("Subject", "x"),
                ("", "no colon"),
                ("To", "a,\tb"),
            ]
        );
    }

    #[test]
    fn a_lone_break_parts_two_words() {
        assert_eq!(&*unfold(b"a\rb\r\n c"), b"a b c");
    }
}
