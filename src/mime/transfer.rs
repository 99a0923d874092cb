//! Content transfer encodings (RFC 2045 section 6), read as forgivingly as they are written carelessly.

use std::borrow::Cow;

use memchr::memchr;

/// How the bytes of a part are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Transfer {
    /// As they are: 7bit, 8bit, binary, and what nobody knows.
    #[default]
    Plain,
    /// Base64.
    Base64,
    /// Quoted-printable.
    Quoted,
}

impl Transfer {
    /// From the value of Content-Transfer-Encoding, in any case, comments and quotes after it ignored.
    pub(super) fn from_value(value: &[u8]) -> Self {
        let word: Vec<u8> = value
            .iter()
            .skip_while(|b| b.is_ascii_whitespace() || **b == b'"')
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'-')
            .map(u8::to_ascii_lowercase)
            .collect();
        match word.as_slice() {
            b"base64" | b"base-64" | b"b64" => Self::Base64,
            b"quoted-printable" | b"quotedprintable" | b"qp" => Self::Quoted,
            _ => Self::Plain,
        }
    }

    /// The bytes that are meant, at most about `limit` of them.
    pub(super) fn decode(self, raw: &[u8], limit: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Plain => Cow::Borrowed(&raw[..raw.len().min(limit)]),
            Self::Base64 => Cow::Owned(base64(raw, limit)),
            Self::Quoted => Cow::Owned(quoted_printable(raw, limit)),
        }
    }

    /// How many bytes [`decode`](Self::decode) gives without a limit, in a single look at `raw`.
    pub(super) fn decoded_len(self, raw: &[u8]) -> u64 {
        let len = match self {
            Self::Plain => raw.len(),
            // Padding in the middle is too rare to count it.
            Self::Base64 => raw.iter().filter(|b| VALUES[usize::from(**b)] < 64).count() * 3 / 4,
            Self::Quoted => quoted_printable(raw, usize::MAX).len(),
        };
        u64::try_from(len).unwrap_or(u64::MAX)
    }
}

/// The six bits that a character of base64 stands for; 64 for one that stands for none.
const VALUES: [u8; 256] = {
    let mut table = [64; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut i = 0;
    while i < 64 {
        table[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// Base64 with stray bytes skipped, padding missing or in the middle.
pub(super) fn base64(raw: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity((raw.len() / 4 * 3 + 3).min(limit.saturating_add(3)));
    let (mut bits, mut count) = (0u32, 0u32);
    for b in raw {
        let value = VALUES[usize::from(*b)];
        if value < 64 {
            bits = bits << 6 | u32::from(value);
            count += 1;
            if count == 4 {
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
                (bits, count) = (0, 0);
                if out.len() >= limit {
                    return out;
                }
            }
        } else if *b == b'=' {
            settle(&mut out, bits, count);
            (bits, count) = (0, 0);
        }
    }
    settle(&mut out, bits, count);
    out
}

/// The one or two bytes of a group that ended early.
fn settle(out: &mut Vec<u8>, bits: u32, count: u32) {
    match count {
        2 => out.extend_from_slice(&(bits << 12).to_be_bytes()[1..2]),
        3 => out.extend_from_slice(&(bits << 6).to_be_bytes()[1..3]),
        _ => {}
    }
}

/// Whether a body that is said to be base64 is something else: more than a tenth of it is stray.
pub(super) fn is_hardly_base64(raw: &[u8]) -> bool {
    let solid = raw.iter().filter(|b| !b.is_ascii_whitespace());
    let (mut all, mut stray) = (0usize, 0usize);
    for b in solid {
        all += 1;
        stray += usize::from(VALUES[usize::from(*b)] == 64 && *b != b'=');
    }
    // Prose has spaces within its lines, base64 never.
    let spaced =
        raw.windows(3).filter(|w| w[1] == b' ' && !w[0].is_ascii_whitespace() && !w[2].is_ascii_whitespace());
    stray * 10 > all || (all > 0 && spaced.count() * 12 > all)
}

/// Where plain text begins that a mailing list appended to a base64 body, if one did.
pub(super) fn appended(raw: &[u8]) -> Option<usize> {
    let is_solid = |line: &[u8]| line.iter().all(|b| VALUES[usize::from(*b)] < 64 || *b == b'=');
    let mut at = 0;
    let mut begins = None;
    for line in raw.split_inclusive(|b| *b == b'\n') {
        let text = line.trim_ascii();
        match begins {
            None if text.starts_with(b"____") || text.starts_with(b"----") => begins = Some(at),
            // More base64 comes: it was a stray line.
            Some(_) if text.len() > 60 && is_solid(text) => return None,
            _ => {}
        }
        at += line.len();
    }
    begins
}

/// Quoted-printable: eight-bit bytes and lone equal signs stay, spaces at the end of a line go.
fn quoted_printable(raw: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len().min(limit));
    let mut rest = raw;
    while !rest.is_empty() && out.len() < limit {
        let (line, ended) = match memchr(b'\n', rest) {
            Some(at) => {
                let line = &rest[..at];
                rest = &rest[at + 1..];
                (line, true)
            }
            None => (std::mem::take(&mut rest), false),
        };
        // RFC 2045 section 6.7 (3): what trails was added on the way.
        let line = line.trim_ascii_end();
        let (line, soft) = match line.strip_suffix(b"=") {
            Some(line) => (line, true),
            None => (line, false),
        };
        unquote(line, b'=', &mut out);
        if ended && !soft {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

/// Replaces `=XX` (or whatever `mark` is) by the byte it stands for.
pub(super) fn unquote(raw: &[u8], mark: u8, out: &mut Vec<u8>) {
    let mut i = 0;
    while i < raw.len() {
        let code = (raw[i] == mark).then(|| hex(raw.get(i + 1..i + 3)?)).flatten();
        match code {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(raw[i]);
                i += 1;
            }
        }
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let value = |b: u8| char::from(b).to_digit(16);
    let (high, low) = (value(*digits.first()?)?, value(*digits.get(1)?)?);
    u8::try_from(high << 4 | low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_survives_stray_bytes_and_padding() {
        assert_eq!(base64(b"aGVs\r\nbG8=", 99), b"hello");
        assert_eq!(base64(b"aGVsbG8", 99), b"hello");
        assert_eq!(base64(b"aG!V*s bG8=d29ybGQ=", 99), b"helloworld");
        assert_eq!(base64(b"====", 99), b"");
        assert_eq!(base64(b"A", 99), b"");
        assert_eq!(base64(&b"AAAA".repeat(1000), 10).len(), 12);
    }

    #[test]
    fn prose_is_not_base64() {
        assert!(is_hardly_base64(b"Dear all, this is plain text after all."));
        assert!(!is_hardly_base64(b"aGVsbG8gd29ybGQ=\r\naGVsbG8gd29ybGQ=\r\n"));
        assert!(!is_hardly_base64(b""));
    }

    #[test]
    fn what_a_list_appended_is_found() {
        let encoded = format!("{}\n{}=\n", "QUJD".repeat(19), "QUJ");
        let footer = "________________\nusers list\nhttps://example.org\n";
        assert_eq!(appended(format!("{encoded}{footer}").as_bytes()), Some(encoded.len()));
        assert_eq!(appended(format!("{footer}{encoded}").as_bytes()), None);
        assert_eq!(appended(encoded.as_bytes()), None);
    }

    #[test]
    fn quoted_printable_survives_carelessness() {
        let read = |raw: &[u8]| String::from_utf8(quoted_printable(raw, 999)).unwrap();
        assert_eq!(read(b"a=3Db=\r\nc  \r\nd"), "a=bc\r\nd");
        assert_eq!(read(b"x=zz = =3"), "x=zz = =3");
        assert_eq!(read(b"100=c3=BC\n"), "100ü\r\n");
        assert_eq!(read("schön=20\n".as_bytes()), "schön \r\n");
    }

    #[test]
    fn encodings_are_named_carelessly_too() {
        assert_eq!(Transfer::from_value(b" BASE64 (yes)"), Transfer::Base64);
        assert_eq!(Transfer::from_value(b"\"quoted-printable\";"), Transfer::Quoted);
        assert_eq!(Transfer::from_value(b"8bit"), Transfer::Plain);
        assert_eq!(Transfer::Base64.decoded_len(b"aGVsbG8=\r\n"), 5);
    }
}
