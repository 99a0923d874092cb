//! Header fields: encoded words (RFC 2047), addresses, parameters (RFC 2231), folded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::Address;

/// Lines are folded before they are longer (RFC 5322 section 2.1.1).
const WIDTH: usize = 76;
/// An encoded word has at most 75 characters; so many bytes fit between its ends in base64.
const WORD: usize = 45;

/// One field that is being written.
pub(super) struct Field {
    line: String,
    /// Characters in its last line.
    column: usize,
}

impl Field {
    pub(super) fn new(name: &str) -> Self {
        Self { line: format!("{name}:"), column: name.len() + 1 }
    }

    /// Adds something that is not to be cut, on a line of its own where it does not fit.
    pub(super) fn piece(&mut self, piece: &str) -> &mut Self {
        // The first line always holds something: some servers take an empty one for the end of the header.
        let fold = self.column + 1 + piece.len() > WIDTH && self.line.contains(": ");
        self.line.push_str(if fold { "\r\n " } else { " " });
        self.column = if fold { 1 } else { self.column + 1 } + piece.len();
        self.line.push_str(piece);
        self
    }

    pub(super) fn end(self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.line.as_bytes());
        into.extend_from_slice(b"\r\n");
    }
}

/// A text of one line: what would end the line is a space.
pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect();
    spaced.trim().to_owned()
}

/// A field of free text.
pub(super) fn unstructured(name: &str, text: &str, into: &mut Vec<u8>) {
    let text = one_line(text);
    let mut field = Field::new(name);
    // Nor may a line hold nothing but spaces, or be too long for any server.
    if is_plain(&text) && !text.contains("  ") && text.split(' ').all(|word| word.len() < 900) {
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            field.piece(word);
        }
    } else {
        encoded_words(&text, &mut field);
    }
    field.end(into);
}

/// Whether a text goes into a header as it is, and is not taken for something encoded.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.contains("=?")
}

fn encoded_words(text: &str, field: &mut Field) {
    let mut rest = text;
    while !rest.is_empty() {
        // As much as fits into the line, or into one of its own; no character is cut in two (RFC 2047 section 5).
        let room = WIDTH.saturating_sub(field.column + 1 + 12) / 4 * 3;
        let room = if room < 8 { WORD } else { room.min(WORD) };
        let end = rest.floor_char_boundary(room.min(rest.len()));
        let (word, after) = rest.split_at(end);
        field.piece(&format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
}

/// A field of addresses. Their form was looked at before.
pub(super) fn addresses(name: &str, list: &[Address], into: &mut Vec<u8>) {
    let mut field = Field::new(name);
    for (at, who) in list.iter().enumerate() {
        let comma = if at + 1 < list.len() { "," } else { "" };
        let shown = one_line(&who.name);
        if shown.is_empty() || shown == who.addr {
            field.piece(&format!("{}{comma}", who.addr));
            continue;
        }
        let is_atoms = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c);
        if !is_plain(&shown) || shown.len() > 200 {
            encoded_words(&shown, &mut field);
        } else if shown.chars().all(is_atoms) && !shown.contains("  ") {
            for word in shown.split(' ') {
                field.piece(word);
            }
        } else {
            let quoted: String =
                shown.chars().flat_map(|c| ["\"\\".contains(c).then_some('\\'), Some(c)]).flatten().collect();
            field.piece(&format!("\"{quoted}\""));
        }
        field.piece(&format!("<{}>{comma}", who.addr));
    }
    field.end(into);
}

/// `; name=value` for a field of MIME.
pub(super) fn parameter(name: &str, value: &str, field: &mut String) {
    let value = one_line(value);
    let is_simple = value.len() < 60 && is_plain(&value) && !value.contains(['"', '\\']);
    if is_simple {
        field.push_str(&format!(";\r\n {name}=\"{value}\""));
        return;
    }
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    if encoded.len() < 55 {
        field.push_str(&format!(";\r\n {name}*=UTF-8''{encoded}"));
        return;
    }
    let (mut rest, mut part) = (encoded.as_str(), 0);
    while !rest.is_empty() {
        let mut end = rest.len().min(50);
        // Nor is %XX cut.
        if end < rest.len() {
            let late = rest[..end].rfind('%').filter(|at| end - at < 3);
            end = late.unwrap_or(end);
        }
        let charset = if part == 0 { "UTF-8''" } else { "" };
        field.push_str(&format!(";\r\n {name}*{part}*={charset}{}", &rest[..end]));
        (rest, part) = (&rest[end..], part + 1);
    }
}
