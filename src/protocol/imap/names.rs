//! Names on the wire, of mailboxes and of keywords: modified UTF-7 (RFC 3501 section 5.1.3), and levels.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::command::is_keyword;
use crate::model::check_tag;

/// Base64 as mailbox names use it: `,` for `/`, no padding; stray last bits are forgiven.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Stands in front of a key that could not be kept as text: a character for private use.
const RAW: char = '\u{f8ff}';

/// A name as a key. Names are bytes to a server; those that are not UTF-8 are written byte by byte.
pub(super) fn key(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if !text.starts_with(RAW) => text.to_owned(),
        _ => std::iter::once(RAW).chain(name.iter().map(|&byte| char::from(byte))).collect(),
    }
}

/// The name that a key stands for.
pub(super) fn bytes(key: &str) -> Vec<u8> {
    match key.strip_prefix(RAW) {
        Some(raw) => raw.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
        None => key.as_bytes().to_vec(),
    }
}

/// A name or a part of one for people. What is not modified UTF-7 stays as it is; 8-bit names are taken
/// as UTF-8, else as windows-1252.
pub(super) fn decode(name: &[u8]) -> String {
    let text = match std::str::from_utf8(name) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(name).0.into_owned(),
    };
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let shifted = rest[1..].find('-').and_then(|end| Some((unshift(&rest[1..=end])?, end + 2)));
        match shifted {
            Some((part, len)) => {
                decoded.push_str(&part);
                rest = &rest[len..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// What stands between `&` and `-`: nothing for an ampersand, else base64 of UTF-16.
fn unshift(shifted: &str) -> Option<String> {
    if shifted.is_empty() {
        return Some("&".into());
    }
    let bytes = BASE64.decode(shifted).ok()?;
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

/// A name in modified UTF-7.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut shifted = Vec::new();
    let flush = |shifted: &mut Vec<u8>, encoded: &mut String| {
        if !shifted.is_empty() {
            encoded.push('&');
            encoded.push_str(&BASE64.encode(&*shifted));
            encoded.push('-');
            shifted.clear();
        }
    };
    for c in text.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut shifted, &mut encoded);
            encoded.push(c);
            if c == '&' {
                encoded.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut shifted, &mut encoded);
    encoded
}

/// A name in modified UTF-7 as it is called where names are in UTF-8 (RFC 6855 section 3). What is no text stays.
pub(super) fn in_utf8(name: &[u8]) -> Vec<u8> {
    if std::str::from_utf8(name).is_ok() { decode(name).into_bytes() } else { name.to_vec() }
}

/// A name in UTF-8 as it is kept here, whatever the server and whatever it was told: in modified UTF-7.
pub(super) fn from_utf8(name: &mut Vec<u8>) {
    if let Ok(text) = std::str::from_utf8(name) {
        *name = encode(text).into_bytes();
    }
}

/// A keyword for people. One in modified UTF-7, as other mail programs write letters beyond ASCII, is decoded
/// where that is sure to come back as it was.
pub(super) fn decode_keyword(word: String) -> String {
    if !word.contains('&') {
        return word;
    }
    let decoded = decode(word.as_bytes());
    let sure = !decoded.is_ascii() && encode(&decoded) == word && check_tag(&decoded).is_ok();
    if sure { decoded } else { word }
}

/// A keyword for the wire; `None`: it cannot be one there.
pub(super) fn encode_keyword(word: &str) -> Option<String> {
    let encoded = if word.is_ascii() { word.to_owned() } else { encode(word) };
    is_keyword(&encoded).then_some(encoded)
}

/// A name as a path: levels decoded and joined by `/`, without the prefix that every folder of the user
/// shares (`INBOX.`), `INBOX` in capitals.
pub(super) fn path(name: &[u8], delimiter: Option<u8>, prefix: &[u8]) -> String {
    let inner = match name.strip_prefix(prefix) {
        Some(inner) if !inner.is_empty() => inner,
        _ => name,
    };
    if is_inbox(inner) {
        return "INBOX".into();
    }
    let Some(delimiter) = delimiter else { return decode(inner) };
    let level = |part: &[u8]| {
        let part = decode(part);
        // A slash within a level is not a level: shown as one that only looks like it.
        if delimiter == b'/' { part } else { part.replace('/', "\u{2215}") }
    };
    let levels: Vec<String> = inner.split(|&byte| byte == delimiter).map(level).collect();
    let levels = match levels.split_first() {
        Some((first, rest)) if is_inbox(first.as_bytes()) => [&["INBOX".to_owned()], rest].concat(),
        _ => levels,
    };
    levels.join("/")
}

/// A name for comparing: INBOX has no case.
pub(super) fn plain(name: &[u8]) -> Vec<u8> {
    if is_inbox(name) { b"INBOX".to_vec() } else { name.to_vec() }
}

/// INBOX, which has no case (RFC 9051 section 5.1).
pub(super) fn is_inbox(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"INBOX")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn modified_utf7_both_ways() {
        for (wire, text) in [
            ("INBOX", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("a&-b", "a&b"),
            ("&2D3eAA-", "\u{1f600}"),
            ("", ""),
        ] {
            assert_eq!(decode(wire.as_bytes()), text);
            assert_eq!(encode(text), wire);
        }
    }

    #[test]
    fn bad_utf7_stays_as_it_is() {
        for bad in ["&", "&APw", "&A-", "&2D0-", "a & b", "&&", "&APw*-x"] {
            assert_eq!(decode(bad.as_bytes()), bad);
        }
        assert_eq!(decode("Entwürfe".as_bytes()), "Entwürfe");
        assert_eq!(decode(b"Entw\xfcrfe"), "Entwürfe");
    }

    #[test]
    fn keywords_beyond_ascii_travel_as_others_write_them() {
        for (wire, text) in [("todo", "todo"), ("B&APw-ro", "Büro"), ("R&D", "R&D"), ("&ZeVnLIqe-", "日本語")]
        {
            assert_eq!(decode_keyword(wire.to_owned()), text);
            assert_eq!(encode_keyword(text).as_deref(), Some(wire));
        }
        // What would not come back as it was stays as it is: `&-`, and what hides a space or an escape.
        for odd in ["a&-b", "&APw", "&ACA-&APw-", "&ABsA,A-"] {
            assert_eq!(decode_keyword(odd.to_owned()), odd);
        }
        for bad in ["", "a b", "a\r\nx LOGOUT", "ü\r\n", "a\"b", "\\Seen", "x)"] {
            let wire = encode_keyword(bad);
            assert!(wire.is_none_or(|wire| is_keyword(&wire)), "{bad}");
        }
        assert_eq!(encode_keyword("a\r\nx LOGOUT"), None);
    }

    #[test]
    fn paths_have_slashes_whatever_the_delimiter() {
        assert_eq!(path(b"INBOX.a.Entw&APw-rfe", Some(b'.'), b"INBOX."), "a/Entwürfe");
        assert_eq!(path(b"inbox.a/b.c", Some(b'.'), b""), "INBOX/a\u{2215}b/c");
        assert_eq!(path(b"a/b", None, b""), "a/b");
        assert_eq!(path(b"Inbox", Some(b'/'), b""), "INBOX");
        assert_eq!(path(b"INBOX.", Some(b'.'), b"INBOX."), "INBOX/");
        assert_eq!(path(b"../../etc/passwd", Some(b'/'), b""), "../../etc/passwd");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,40}") {
            let wire = encode(&text);
            prop_assert!(wire.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(decode(wire.as_bytes()), text.clone());
            let mut kept = text.clone().into_bytes();
            from_utf8(&mut kept);
            prop_assert_eq!(in_utf8(&kept), text.into_bytes());
        }

        #[test]
        fn any_name_keeps_its_bytes(name in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(bytes(&key(&name)), name.clone());
            let mut marked = "\u{f8ff}".as_bytes().to_vec();
            marked.extend(&name);
            prop_assert_eq!(bytes(&key(&marked)), marked);
            path(&name, Some(b'.'), b"INBOX.");
        }
    }
}
