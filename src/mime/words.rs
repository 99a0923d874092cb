//! Encoded words (RFC 2047): header values to text.

use std::borrow::Cow;

use encoding_rs::Encoding;
use memchr::memmem;

use super::charset;
use super::header::unfold;
use super::transfer;

/// The text of an unstructured header value: unfolded, its encoded words decoded.
///
/// Raw bytes outside encoded words are read as `hint` when they are not UTF-8.
pub(super) fn decode(value: &[u8], hint: Option<&'static Encoding>) -> String {
    let value = unfold(value);
    if memmem::find(&value, b"=?").is_none() {
        return charset::decode(&value, hint);
    }
    let mut text = Text { out: String::with_capacity(value.len()), hint, pending: None };
    // Where the plain text begins that was not taken yet, and where to look for the next word.
    let (mut from, mut at) = (0, 0);
    let mut terminated = true;
    while let Some(start) = find(&value, b"=?", at) {
        match word(&value, start, &mut terminated) {
            Some(word) => {
                text.plain(&value[from..start], true);
                at = word.end;
                from = word.end;
                text.word(word);
            }
            None => at = start + 2,
        }
    }
    text.plain(&value[from..], false);
    text.out
}

fn find(value: &[u8], what: &[u8; 2], from: usize) -> Option<usize> {
    memmem::find(value.get(from..)?, what).map(|i| from + i)
}

/// One encoded word.
struct Word<'a> {
    label: &'a [u8],
    bytes: Vec<u8>,
    /// Where the text after it begins.
    end: usize,
}

/// The encoded word that begins at `start`. `terminated` is cleared once no word can end any more, so that
/// a value full of beginnings is searched once only.
fn word<'a>(value: &'a [u8], start: usize, terminated: &mut bool) -> Option<Word<'a>> {
    if !*terminated {
        return None;
    }
    let rest = value.get(start + 2..)?;
    // Charset names are short: 40 characters at most (RFC 2978), a language may follow.
    let label = &rest[..rest.iter().take(80).position(|b| *b == b'?')?];
    if label.is_empty() || !label.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let rest = &rest[label.len() + 1..];
    let encoding = *rest.first()?;
    if rest.get(1) != Some(&b'?') || !matches!(encoding, b'B' | b'b' | b'Q' | b'q') {
        return None;
    }
    let text = start + 2 + label.len() + 3;
    let Some(end) = find(value, b"?=", text) else {
        *terminated = false;
        return None;
    };
    let raw = &value[text..end];
    let bytes = match encoding {
        b'B' | b'b' => transfer::base64(raw, usize::MAX),
        _ => {
            let spaced: Cow<[u8]> = match raw.contains(&b'_') {
                true => raw.iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect::<Vec<_>>().into(),
                false => raw.into(),
            };
            let mut bytes = Vec::with_capacity(spaced.len());
            transfer::unquote(&spaced, b'=', &mut bytes);
            bytes
        }
    };
    Some(Word { label, bytes, end: end + 2 })
}

/// What was read so far.
struct Text<'a> {
    out: String,
    hint: Option<&'static Encoding>,
    /// Bytes of the last words, which shared a charset: a character may be cut in two by their border.
    pending: Option<(&'a [u8], Vec<u8>)>,
}

impl<'a> Text<'a> {
    /// Plain text; white space between two encoded words is not text (RFC 2047 section 6.2).
    fn plain(&mut self, raw: &[u8], before_word: bool) {
        if before_word && self.pending.is_some() && raw.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.settle();
        if !raw.is_empty() {
            self.out.push_str(&charset::decode(raw, self.hint));
        }
    }

    fn word(&mut self, word: Word<'a>) {
        match &mut self.pending {
            Some((label, bytes)) if label.eq_ignore_ascii_case(word.label) => bytes.extend(word.bytes),
            _ => {
                self.settle();
                self.pending = Some((word.label, word.bytes));
            }
        }
    }

    fn settle(&mut self) {
        if let Some((label, bytes)) = self.pending.take() {
            self.out.push_str(&charset::decode(&bytes, charset::find(label)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &[u8]) -> String {
        decode(value, None)
    }

    #[test]
    fn words_of_one_charset_are_joined_as_bytes() {
        // "ü" cut in two by the border of two words.
        assert_eq!(read(b"=?utf-8?Q?M=C3?=\r\n =?UTF-8?Q?=BCller?="), "Müller");
        assert_eq!(read(b"=?utf-8?B?4w==?= =?utf-8?B?gZM=?="), "こ");
    }

    #[test]
    fn space_between_words_goes_and_around_text_stays() {
        assert_eq!(read(b"=?utf-8?q?a?=  =?utf-8?q?b?= c =?utf-8?q?d?="), "ab c d");
        assert_eq!(read(b"=?iso-8859-1?Q?a_b?= =?utf-8?Q?=C3=BC?="), "a bü");
    }

    #[test]
    fn carelessly_written_words_are_read() {
        assert_eq!(read(b"=?utf-8?B?R3LDvMOfZQ?="), "Grüße");
        assert_eq!(read(b"x=?utf-8?Q?=C3=BC?=y"), "xüy");
        assert_eq!(read(b"=?utf-8?Q?with raw spaces?="), "with raw spaces");
        assert_eq!(read(b"=?utf-8*en?Q?a=?="), "a=");
        assert_eq!(read(b"=?no-such?Q?=C3=BC?="), "ü");
        assert_eq!(read(b"=?utf-8?Q??="), "");
    }

    #[test]
    fn what_is_no_word_stays() {
        for raw in ["=?", "=?utf-8?", "=?utf-8?X?a?=", "=?utf-8?Q?never ends", "a =? b ?= c", "=?a b?Q?c?="] {
            assert_eq!(read(raw.as_bytes()), raw);
        }
    }

    #[test]
    fn raw_bytes_are_read_by_the_hint() {
        assert_eq!(decode(b"\xf0\xd2\xc9", charset::find(b"koi8-r")), "При");
        assert_eq!(decode("Grüße".as_bytes(), charset::find(b"koi8-r")), "Grüße");
    }

    #[test]
    fn x10_a_value_full_of_beginnings_takes_linear_time() {
        let value = b"=?a?q?x ".repeat(30_000);
        assert_eq!(read(&value).len(), value.len());
    }

    proptest! {
        #[test]
        fn r7_any_bytes_are_read(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&raw);
        }

        #[test]
        fn r7_any_pieces_are_read(pieces in prop::collection::vec(prop::sample::select(
            vec!["=?", "utf-8", "?", "Q", "B", "?=", "=C3", "_", " ", "gb18030", "\r\n ", "=", "AAA"]), 0..30)) {
            read(pieces.concat().as_bytes());
        }
    }
}
