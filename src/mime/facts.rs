//! What a list row wants to know of a body: its first words, and how many attachments there are.

use super::purpose::{Purpose, purpose};
use super::{body, markup, parts};
use crate::text::{Clean, wrap};

/// Characters of a snippet.
const LONGEST: usize = 200;
/// Encoded bytes of a text that are looked at first.
const BEGINNING: usize = 8 * 1024;
/// Encoded bytes of a plain text that are looked at.
const PLAIN: usize = 64 * 1024;
/// Encoded bytes of an HTML text that are looked at: it may begin with a long style sheet.
const HTML: usize = 256 * 1024;
/// Texts that are tried for a snippet.
const TRIES: usize = 4;

/// What is known of a body without showing it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The first words that the sender wrote: no quotes, no markup, on one line.
    pub snippet: String,
    /// Parts that are neither text, nor signature, nor pictures of the layout.
    pub attachments: u32,
}

/// The facts of a mail, or of its first MiB: no attachment is decoded.
#[must_use]
pub fn facts(raw: &[u8]) -> Facts {
    let parts = parts::scan(raw);
    let mut plain = Vec::new();
    let mut html = Vec::new();
    let mut attachments = 0;
    for (i, part) in parts.iter().enumerate() {
        let purpose = purpose(&parts, i);
        attachments += u32::from(purpose.is_attachment());
        match purpose {
            Purpose::Plain { .. } => plain.push(part),
            Purpose::Html => html.push(part),
            _ => {}
        }
    }
    let of_html = |html: &str| of_plain(&markup::strip(html, 8 * LONGEST));
    let snippet = first_words(&plain, PLAIN, of_plain).or_else(|| first_words(&html, HTML, of_html));
    Facts { snippet: snippet.unwrap_or_default(), attachments }
}

/// The first words of the first part that has any. Mostly they are found at its beginning; up to `limit`
/// bytes of it are read where they are not.
fn first_words(parts: &[&parts::Part], limit: usize, words: impl Fn(&str) -> String) -> Option<String> {
    parts.iter().take(TRIES).find_map(|part| {
        let short = words(&body::text(part, BEGINNING).text);
        let is_all = part.body.len() <= BEGINNING || short.chars().count() >= LONGEST / 2;
        let found = if is_all { short } else { words(&body::text(part, limit).text) };
        Some(found).filter(|words| !words.is_empty())
    })
}

/// The first words of a text that are the sender's own; of a text that only quotes, the first quoted.
fn of_plain(text: &str) -> String {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    let mut length = 0;
    for line in text.lines() {
        let (depth, line) = wrap::quoted(line.trim());
        let line = line.trim();
        if depth > 0 {
            // `On Monday you wrote:` belongs to what follows it.
            if own.last().is_some_and(|last: &&str| last.ends_with(':')) {
                own.pop();
            }
            if others.len() < 8 {
                others.push(line);
            }
            continue;
        }
        if line == "--" || line.starts_with("-----Original Message") {
            break;
        }
        if is_decoration(line) {
            continue;
        }
        length += line.len();
        own.push(line);
        if length > 4 * LONGEST {
            break;
        }
    }
    let lines = if own.is_empty() { others } else { own };
    let words = lines.iter().flat_map(|line| line.split_whitespace()).filter(|word| !is_url(word));
    let mut out = String::new();
    for word in words {
        let word = Clean::line(word);
        let word = word.as_str().trim_matches('\u{a0}');
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() >= 4 * LONGEST {
            break;
        }
    }
    out.chars().take(LONGEST).collect()
}

/// Rules, the frame of a signed text, and lines without a word.
fn is_decoration(line: &str) -> bool {
    line.starts_with("-----BEGIN PGP")
        || line.starts_with("Hash: SHA")
        || !line.chars().any(char::is_alphanumeric)
}

fn is_url(word: &str) -> bool {
    let word = word.trim_start_matches(['<', '(', '[']);
    word.starts_with("https://") || word.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> (String, u32) {
        let facts = facts(raw.as_bytes());
        (facts.snippet, facts.attachments)
    }

    fn row(snippet: &str, attachments: u32) -> (String, u32) {
        (snippet.to_owned(), attachments)
    }

    #[test]
    fn a_snippet_is_what_the_sender_wrote() {
        let raw = "\n\nOn Monday you wrote:\n> Shall we?\n\n====\nYes,\nwe shall. https://example.org/x\n-- \nAda\n";
        assert_eq!(read(raw), row("Yes, we shall.", 0));
        assert_eq!(read("\n> only\n> quoted\n"), row("only quoted", 0));
        assert_eq!(read("Subject: x\n\n"), row("", 0));
    }

    #[test]
    fn html_serves_where_there_is_no_plain_text() {
        let raw = "Content-Type: text/html\n\n<style>p{color:red}</style><p>Hello&nbsp;there</p><p>you";
        assert_eq!(read(raw), row("Hello there you", 0));
        let raw = concat!(
            "Content-Type: multipart/alternative; boundary=a\n\n--a\n\n \n",
            "--a\nContent-Type: text/html\n\n<b>html</b>\n--a--\n"
        );
        assert_eq!(read(raw), row("html", 0));
    }

    #[test]
    fn attachments_are_counted_and_decorations_are_not() {
        let raw = concat!(
            "Content-Type: multipart/mixed; boundary=a\n\n",
            "--a\nContent-Type: multipart/related; boundary=r\n\n",
            "--r\nContent-Type: text/html\n\n<img src=cid:1>text\n",
            "--r\nContent-Type: image/png\nContent-ID: <1>\n\nxx\n--r--\n",
            "--a\nContent-Type: application/pdf; name=x.pdf\n\nxx\n",
            "--a\nContent-Type: text/plain\nContent-Disposition: attachment; filename=n.txt\n\nnot the text\n",
            "--a\nContent-Type: message/rfc822\n\nSubject: y\n\nz\n",
            "--a\nContent-Type: application/pgp-signature\n\nxx\n--a--\n",
        );
        assert_eq!(read(raw), row("text", 3));
    }

    #[test]
    fn a_snippet_is_short() {
        let raw = format!("\n{}", "word ".repeat(1000));
        assert!(read(&raw).0.chars().count() <= LONGEST);
    }
}
