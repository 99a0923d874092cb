//! Values with parameters: Content-Type and Content-Disposition, with RFC 2231 and what is sent instead.

use super::header::unfold;
use super::transfer::unquote;
use super::{charset, words};

/// Parameters that are looked at; a value with more is up to no good.
const MOST: usize = 200;

/// A value and its parameters, raw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Params {
    /// What stands before the first semicolon, in lower case.
    pub(super) value: String,
    /// Names in lower case, values without quotes.
    list: Vec<(String, Vec<u8>)>,
}

impl Params {
    /// From a header value, still folded.
    pub(super) fn parse(value: &[u8]) -> Self {
        let value = unfold(value);
        let (head, mut rest) = match value.iter().position(|b| *b == b';') {
            Some(at) => (&value[..at], &value[at + 1..]),
            None => (&value[..], &b""[..]),
        };
        // `text/plain (comment)` and `text/plain charset=x` both end at the space.
        let word = head.trim_ascii().split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let mut list = Vec::new();
        while !rest.is_empty() && list.len() < MOST {
            let (pair, after) = parameter(rest);
            list.extend(pair);
            rest = after;
        }
        Self { value: String::from_utf8_lossy(word).to_ascii_lowercase(), list }
    }

    /// The bytes of a parameter as written, without quotes.
    pub(super) fn raw(&self, name: &str) -> Option<&[u8]> {
        self.list.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice())
    }

    /// The text of a parameter: RFC 2231 pieces put together, else encoded words, else as it is.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.pieces(name).or_else(|| self.raw(name).map(|raw| words::decode(raw, None)))
    }

    /// `name*=charset'lang'%XX`, or `name*0*=…; name*1=…` in any order (RFC 2231 sections 3 and 4).
    fn pieces(&self, name: &str) -> Option<String> {
        let mut pieces: Vec<(usize, bool, &[u8])> = Vec::new();
        for (key, value) in &self.list {
            let Some(rest) = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('*')) else { continue };
            let (number, encoded) = match rest.strip_suffix('*') {
                Some(number) => (number, true),
                None => (rest, rest.is_empty()),
            };
            let number = if number.is_empty() { 0 } else { number.parse().ok()? };
            pieces.push((number, encoded, value));
        }
        pieces.sort_by_key(|(number, ..)| *number);
        pieces.dedup_by_key(|(number, ..)| *number);
        let (_, encoded, first) = *pieces.first()?;
        let mut label = None;
        let mut bytes = Vec::new();
        for (i, (_, is_encoded, value)) in pieces.iter().enumerate() {
            let mut value = *value;
            if i == 0 && encoded {
                let mut parts = first.splitn(3, |b| *b == b'\'');
                if let (Some(charset), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) {
                    (label, value) = (charset::find(charset), text);
                }
            }
            if *is_encoded { unquote(value, b'%', &mut bytes) } else { bytes.extend_from_slice(value) }
        }
        // Some put an encoded word into the pieces of RFC 2231.
        if !encoded && bytes.starts_with(b"=?") {
            return Some(words::decode(&bytes, None));
        }
        Some(charset::decode(&bytes, label))
    }
}

/// The first parameter of `rest`, if it is one, and what comes after its semicolon.
fn parameter(rest: &[u8]) -> (Option<(String, Vec<u8>)>, &[u8]) {
    let Some(at) = rest.iter().position(|b| matches!(b, b'=' | b';')) else { return (None, b"") };
    if rest[at] == b';' {
        return (None, &rest[at + 1..]);
    }
    let name = String::from_utf8_lossy(rest[..at].trim_ascii()).to_ascii_lowercase();
    let value = rest[at + 1..].trim_ascii_start();
    let (value, after) = match value.strip_prefix(b"\"") {
        Some(inside) => quoted(inside),
        None => {
            let end = value.iter().position(|b| *b == b';').unwrap_or(value.len());
            (value[..end].trim_ascii_end().to_vec(), &value[end..])
        }
    };
    let after = match after.iter().position(|b| *b == b';') {
        Some(at) => &after[at + 1..],
        None => b"",
    };
    ((!name.is_empty()).then_some((name, value)), after)
}

/// A quoted string after its first quote; one that never ends takes all.
fn quoted(inside: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut out = Vec::new();
    let mut i = 0;
    while i < inside.len() {
        match inside[i] {
            b'"' => return (out, &inside[i + 1..]),
            // Windows sends its paths without doubling the backslashes.
            b'\\' if matches!(inside.get(i + 1), Some(b'"' | b'\\')) => {
                out.push(inside[i + 1]);
                i += 1;
            }
            b => out.push(b),
        }
        i += 1;
    }
    (out, b"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: &str, name: &str) -> Option<String> {
        Params::parse(value.as_bytes()).text(name)
    }

    #[test]
    fn parameters_are_read_in_all_styles() {
        let value = "Text/Plain; charset = \"utf-8\" ; format=flowed;; name=my report.pdf";
        assert_eq!(Params::parse(value.as_bytes()).value, "text/plain");
        assert_eq!(text(value, "charset").as_deref(), Some("utf-8"));
        assert_eq!(text(value, "format").as_deref(), Some("flowed"));
        assert_eq!(text(value, "name").as_deref(), Some("my report.pdf"));
        assert_eq!(text(value, "boundary"), None);
    }

    #[test]
    fn quotes_and_backslashes_are_understood() {
        assert_eq!(text(r#"x; name="a \"b\" ; c""#, "name").as_deref(), Some("a \"b\" ; c"));
        assert_eq!(text(r#"x; name="C:\temp\x.doc""#, "name").as_deref(), Some(r"C:\temp\x.doc"));
        assert_eq!(text(r#"x; name="never ends"#, "name").as_deref(), Some("never ends"));
    }

    #[test]
    fn rfc_2231_pieces_are_put_together() {
        assert_eq!(
            text("x; filename*=utf-8''%C3%9Cber.pdf; filename=U.pdf", "filename").as_deref(),
            Some("Über.pdf")
        );
        let pieces = "x; filename*1=\"b%20.pdf\"; filename*0*=iso-8859-1'de'%DC; filename*2*=%FC";
        assert_eq!(text(pieces, "filename").as_deref(), Some("Üb%20.pdfü"));
        assert_eq!(text("x; filename*0=long; filename*1=er.txt", "filename").as_deref(), Some("longer.txt"));
        assert_eq!(text("x; filename*=plain.txt", "filename").as_deref(), Some("plain.txt"));
    }

    #[test]
    fn encoded_words_are_read_where_they_do_not_belong() {
        assert_eq!(text("x; name=\"=?utf-8?B?w5xiZXI=?=.pdf\"", "name").as_deref(), Some("Über.pdf"));
        assert_eq!(text("x; name*0=\"=?utf-8?Q?=C3=9C\"; name*1=\"ber?=\"", "name").as_deref(), Some("Über"));
    }

    proptest! {
        #[test]
        fn r7_any_value_is_read(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            Params::parse(&raw).text("name");
        }

        #[test]
        fn r7_any_pieces_are_read(pieces in prop::collection::vec(prop::sample::select(
            vec!["name", "*", "0", "1", "*=", "=", ";", "\"", "'", "%C3", "utf-8''", "\\", "99999999999999999999"]), 0..30)) {
            Params::parse(pieces.concat().as_bytes()).text("name");
        }
    }
}
