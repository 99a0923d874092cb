//! The text of a mail as it is laid out for the way: flowed (RFC 3676), and encoded so that any server takes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Paragraphs are broken softly before this (RFC 3676 section 4.2).
const FLOW: usize = 72;
/// Lines that are longer do not pass every server (RFC 5322 section 2.1.1).
const LONGEST: usize = 998;

/// A text ready for the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its Content-Type.
    pub media: &'static str,
    /// Its Content-Transfer-Encoding.
    pub encoding: &'static str,
    /// The lines, encoded, with their ends.
    pub bytes: Vec<u8>,
}

/// Lays a text out. One that holds a diff stays as it is, line by line.
#[must_use]
pub fn lay_out(text: &str) -> Body {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // A NUL is nothing that a server passes on.
    let text = text.replace('\0', "\u{fffd}");
    let is_fixed = holds_diff(&text);
    let lines: String = match is_fixed {
        true => text.split('\n').flat_map(|line| [line, "\r\n"]).collect(),
        false => flowed(&text),
    };
    // The last line ends once.
    let lines = format!("{}\r\n", lines.trim_end_matches(['\r', '\n']));
    let ascii = lines.is_ascii();
    let media = match (is_fixed, ascii) {
        (true, true) => "text/plain; charset=us-ascii",
        (true, false) => "text/plain; charset=utf-8",
        (false, true) => "text/plain; charset=us-ascii; format=flowed",
        (false, false) => "text/plain; charset=utf-8; format=flowed",
    };
    encoded(lines, media)
}

/// A text whose lines are all as they were typed: of a draft, that is written on.
pub(super) fn as_it_is(text: &str) -> Body {
    let text = text.replace("\r\n", "\n").replace(['\r', '\0'], "\n");
    let mut lines = text.replace('\n', "\r\n");
    if !lines.ends_with('\n') {
        lines.push_str("\r\n");
    }
    encoded(lines, "text/plain; charset=utf-8")
}

/// Encoded so that any server takes it.
fn encoded(lines: String, media: &'static str) -> Body {
    let is_short = lines.split("\r\n").all(|line| line.len() <= LONGEST);
    // `From ` at the beginning of a line is changed by what keeps mail in mbox files.
    let is_safe = !lines.split("\r\n").any(|line| line.starts_with("From "));
    if lines.is_ascii() && is_short && is_safe {
        return Body { media, encoding: "7bit", bytes: lines.into_bytes() };
    }
    let beyond = lines.bytes().filter(|b| !b.is_ascii()).count();
    if beyond * 4 > lines.len() {
        return Body { media, encoding: "base64", bytes: in_base64(lines.as_bytes()) };
    }
    Body { media, encoding: "quoted-printable", bytes: quoted_printable(lines.as_bytes()) }
}

/// Whether a text holds a patch, whose lines mean what they are.
fn holds_diff(text: &str) -> bool {
    let is_hunk = |line: &str| line.starts_with("@@ -") && line[4..].contains(" @@");
    text.lines().any(is_hunk) || text.lines().any(|line| line.starts_with("diff --git "))
}

fn flowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 40);
    for line in text.split('\n') {
        // A space at the end of a line would join it to the next.
        let line = if line == "-- " { line } else { line.trim_end_matches(' ') };
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let (marks, words) = line.split_at(depth);
        // The space after quote marks is the stuffing of flowed text.
        let words = if depth > 0 { words.strip_prefix(' ').unwrap_or(words) } else { words };
        let width = FLOW.saturating_sub(depth + 2).max(20);
        let keeps = line == "-- " || crate::text::width(line) <= FLOW + 6 || words.starts_with([' ', '\t']);
        let mut rest = words;
        loop {
            let cut = if keeps { None } else { soft_break(rest, width) };
            let (now, later) = cut.map_or((rest, ""), |cut| rest.split_at(cut));
            out.push_str(marks);
            let stuffed =
                depth > 0 && !now.is_empty() || now.starts_with([' ', '>']) || now.starts_with("From ");
            if stuffed {
                out.push(' ');
            }
            out.push_str(now);
            out.push_str("\r\n");
            if cut.is_none() {
                break;
            }
            rest = later;
        }
    }
    out
}

/// Where to break a paragraph: behind the last space that fits, else behind the next one.
fn soft_break(text: &str, width: usize) -> Option<usize> {
    if crate::text::width(text) <= width {
        return None;
    }
    let (mut cells, mut last) = (0, None);
    for (at, c) in text.char_indices() {
        cells += crate::text::width(c.encode_utf8(&mut [0; 4]));
        if c == ' ' {
            if cells > width && last.is_some() {
                break;
            }
            last = Some(at + 1);
            if cells > width {
                break;
            }
        }
    }
    // A line of the next that would begin with nothing is no line.
    last.filter(|cut| !text[*cut..].trim().is_empty() && !text[..*cut].trim().is_empty())
}

/// RFC 2045 section 6.7; lines end as they are.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 4);
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        let mut column = 0;
        for (at, &byte) in text.iter().enumerate() {
            let is_last = at + 1 == text.len();
            let plain = match byte {
                b' ' | b'\t' => !is_last,
                b'=' => false,
                b'F' => !(at == 0 && text.starts_with(b"From ")),
                b'.' => at > 0,
                b'!'..=b'~' => true,
                _ => false,
            };
            let needs = if plain { 1 } else { 3 };
            // 76 with the = of a soft line end.
            if column + needs > 75 {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            if plain {
                out.push(byte);
            } else {
                out.extend_from_slice(format!("={byte:02X}").as_bytes());
            }
            column += needs;
        }
        if text.len() < line.len() {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

/// Base64 in lines of 76.
pub(super) fn in_base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 54 * 78 + 80);
    for line in bytes.chunks(57) {
        out.extend_from_slice(STANDARD.encode(line).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(text: &str) -> String {
        String::from_utf8(lay_out(text).bytes).unwrap()
    }

    #[test]
    fn paragraphs_flow_and_short_lines_stay() {
        let long = "word ".repeat(30);
        let laid = text_of(&format!("Hi,\n\n{long}\n-- \nAda\n"));
        assert!(laid.starts_with("Hi,\r\n\r\nword word"));
        assert!(laid.ends_with("word\r\n-- \r\nAda\r\n"), "{laid:?}");
        assert!(laid.lines().all(|line| line.len() <= 78));
        assert_eq!(laid.lines().filter(|line| line.ends_with(' ') && *line != "-- ").count(), 2);
    }

    #[test]
    fn what_begins_like_something_else_is_stuffed() {
        assert_eq!(
            text_of("> quoted\n>> twice\n indented\nFrom here  \n"),
            "> quoted\r\n>> twice\r\n  indented\r\n From here\r\n"
        );
    }

    #[test]
    fn a_diff_stays_as_it_is() {
        let diff =
            format!("diff --git a/x b/x\n@@ -1 +1 @@\n-{0}\n+{0}  \n ctx\nFrom x\n", "long ".repeat(40));
        let body = lay_out(&diff);
        assert_eq!(body.encoding, "quoted-printable");
        assert!(!body.media.contains("flowed"));
        let plain = "@@ -1 +1 @@\n-a\n+b  \n".to_owned();
        assert_eq!(text_of(&plain), "@@ -1 +1 @@\r\n-a\r\n+b  \r\n");
    }

    #[test]
    fn letters_beyond_ascii_are_encoded() {
        assert_eq!(lay_out("Viele Grüße aus Hamburg").encoding, "quoted-printable");
        assert_eq!(text_of("Viele Grüße = viele"), "Viele Gr=C3=BC=C3=9Fe =3D viele\r\n");
        assert_eq!(lay_out("これはペンです").encoding, "base64");
    }
}
