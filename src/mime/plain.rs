//! Plain text as lines: paragraphs folded, quotes and patches and tables left as they are.

use super::diff::Diff;
use super::document::Plain;
use super::rejoin::rejoin;
use super::render::{Line, Role, Span};
use super::{html, links};
use crate::text::wrap::{self, Fold, Paragraph};
use crate::text::{Clean, width};

/// Lines below a separator that can be a signature.
const LONGEST_SIGNATURE: usize = 30;

/// The lines of a plain text, prose folded into `measure` cells.
pub(super) fn lines(plain: &Plain, measure: usize, links: &mut Vec<Clean>) -> Vec<Line> {
    let raw = lines_of(&plain.form.text);
    let paragraphs: Vec<Paragraph> = if plain.is_flowed {
        wrap::unflow(raw, plain.delsp)
    } else {
        raw.map(|line| {
            let (depth, text) = wrap::quoted(line);
            Paragraph { depth, text: text.to_owned(), flowed: false }
        })
        .collect()
    };
    let mut diff = Diff::default();
    let mut roles = Vec::with_capacity(paragraphs.len());
    for (i, paragraph) in paragraphs.iter().enumerate() {
        let next = paragraphs.get(i + 1).map_or("", |next| next.text.as_str());
        let may_be_diff = paragraph.depth == 0 && !paragraph.flowed;
        roles.push(if may_be_diff { diff.role(&paragraph.text, next) } else { None });
    }
    let mut pieces = paragraphs.into_iter().zip(roles).collect();
    if !plain.is_flowed {
        pieces = rejoin(pieces, measure);
    }
    let mut out = Vec::new();
    for (paragraph, role) in &pieces {
        one(paragraph, *role, measure, links, &mut out);
    }
    while out.last().is_some_and(Line::is_blank) {
        out.pop();
    }
    out
}

/// Lines of words without any format: what is left of HTML that could not be laid out.
pub(super) fn of_words(words: &str, measure: usize, links: &mut Vec<Clean>) -> Vec<Line> {
    let mut out = Vec::new();
    for line in lines_of(words).map(str::trim).filter(|line| !line.is_empty()) {
        let paragraph = Paragraph { depth: 0, text: line.to_owned(), flowed: true };
        one(&paragraph, None, measure, links, &mut out);
    }
    out
}

fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    crate::text::wrap::lines(text)
}

/// The lines of one paragraph.
fn one(
    paragraph: &Paragraph,
    diff: Option<Role>,
    measure: usize,
    links: &mut Vec<Clean>,
    out: &mut Vec<Line>,
) {
    let depth = u8::try_from(paragraph.depth).unwrap_or(u8::MAX);
    let text = Clean::tabbed(paragraph.text.trim_end());
    // Marking of very deep quotes would leave no room.
    let marks = ">".repeat(paragraph.depth.min(measure / 4)) + if text.is_empty() { "" } else { " " };
    let marks = if depth == 0 { Clean::default() } else { Clean::line(&marks) };
    let room = measure.saturating_sub(marks.width()).max(1);
    let is_wide = text.width() > room;
    let is_prose = diff.is_none() && is_wide && (paragraph.flowed || is_prose(text.as_str()));
    let role = diff.unwrap_or(if depth == 0 { Role::Plain } else { Role::Quote(depth) });
    let found: Vec<(std::ops::Range<usize>, usize)> = if diff.is_some() {
        Vec::new()
    } else {
        links::find(text.as_str())
            .into_iter()
            .map(|r| (r.clone(), html::number(&text.as_str()[r], links)))
            .collect()
    };
    let indent = if is_prose { hanging(text.as_str()).min(room / 2) } else { 0 };
    let ranges = if is_prose {
        wrap::fold(text.as_str(), Fold { first: room, rest: (room - indent).max(1) })
    } else {
        std::iter::once(0..text.as_str().len()).collect()
    };
    for (i, range) in ranges.into_iter().enumerate() {
        let mut spans = Vec::new();
        if !marks.is_empty() {
            spans.push(Span { text: marks.clone(), role });
        }
        if i > 0 && indent > 0 {
            spans.push(Span { text: Clean::line(&" ".repeat(indent)), role });
        }
        pieces(&text, range, role, &found, &mut spans);
        out.push(Line { spans, depth, is_fixed: is_wide && !is_prose });
    }
}

/// The spans of one line: what is in a link, and what is between links.
fn pieces(
    text: &Clean,
    range: std::ops::Range<usize>,
    role: Role,
    found: &[(std::ops::Range<usize>, usize)],
    spans: &mut Vec<Span>,
) {
    let mut at = range.start;
    let first = found.partition_point(|(link, _)| link.end <= range.start);
    for (link, number) in found[first..].iter().take_while(|(link, _)| link.start < range.end) {
        let (start, end) = (link.start.max(range.start), link.end.min(range.end));
        if start > at {
            spans.push(Span { text: text.slice(at..start), role });
        }
        spans.push(Span { text: text.slice(start..end), role: Role::Link(*number) });
        at = end;
    }
    if at < range.end {
        spans.push(Span { text: text.slice(at..range.end), role });
    }
}

/// Whether a line is columns or code: its breaks and gaps mean something.
pub(super) fn is_laid_out(line: &str) -> bool {
    let solid = line.trim_start();
    let indent = line.len() - solid.len();
    if indent >= 4 && hanging(line) <= indent {
        return true;
    }
    // Columns: gaps within, bars, rules.
    let gaps = solid.split("   ").filter(|piece| !piece.trim().is_empty()).count();
    if gaps > 2 || solid.matches('|').count() > 1 || solid.matches('\u{2502}').count() > 1 {
        return true;
    }
    // Code: statements end like this, prose does not.
    solid.ends_with([';', '{', '}', '\\']) || solid.starts_with(['|', '+', '#', '$'])
}

/// Whether a long line is prose that may be folded: words, not columns, code, or one long word.
pub(super) fn is_prose(line: &str) -> bool {
    if is_laid_out(line) {
        return false;
    }
    let solid = line.trim_start();
    let letters = solid.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace()).count();
    let all = solid.chars().count();
    let is_wordy = letters * 10 >= all * 7;
    let words = solid.split_whitespace().count();
    let widest = solid.split_whitespace().map(width).max().unwrap_or(0);
    // A URL in a sentence is fine; a line that is mostly one word is not prose, unless it is of a script
    // that is written without spaces.
    let is_spaced = words >= 4 || (words > 1 && widest < 60);
    let is_unspaced_script = width(solid) * 10 >= all * 15;
    (is_wordy && is_spaced) || (words >= 4 && solid.contains("://")) || is_unspaced_script
}

/// The indentation of the lines after the first: that of a list item's text, or of the line itself.
pub(super) fn hanging(line: &str) -> usize {
    let solid = line.trim_start_matches(' ');
    let indent = line.len() - solid.len();
    let mark = match solid.as_bytes() {
        [b'-' | b'*' | b'+' | b'o', b' ', ..] => 2,
        _ => {
            let digits = solid.bytes().take_while(u8::is_ascii_digit).count();
            match solid.as_bytes().get(digits..digits + 2) {
                Some([b'.' | b')', b' ']) if (1..=3).contains(&digits) => digits + 2,
                _ if solid.starts_with("• ") => 2,
                _ => 0,
            }
        }
    };
    indent + mark
}

/// Gives what stands below a signature separator its role.
pub(super) fn mark_signature(lines: &mut [Line]) {
    let is_separator = |line: &Line| {
        line.depth == 0
            && line.spans.len() == 1
            && line.spans[0].role == Role::Plain
            && line.spans[0].text.as_str().trim_end() == "--"
    };
    let starts: Vec<usize> = (0..lines.len()).filter(|i| is_separator(&lines[*i])).collect();
    for start in starts {
        // What is longer than a signature is none, unless a quote ends it.
        let window = &lines[start..lines.len().min(start + LONGEST_SIGNATURE)];
        let quote = window.iter().position(|line| line.depth > 0).map(|at| start + at);
        let end = match quote {
            // The line above a quote says who wrote it, and belongs to the quote.
            Some(at) => attribution(lines, start, at),
            None if start + window.len() == lines.len() => lines.len(),
            None => continue,
        };
        for span in lines[start..end].iter_mut().flat_map(|line| &mut line.spans) {
            if span.role == Role::Plain {
                span.role = Role::Signature;
            }
        }
    }
}

/// Where the lines between a signature and a quote stop being signature.
fn attribution(lines: &[Line], start: usize, end: usize) -> usize {
    let above: Vec<usize> = (start + 1..end).rev().skip_while(|i| lines[*i].is_blank()).collect();
    match above.first() {
        Some(last) if lines[*last].text().as_str().trim_end().ends_with(':') => {
            above.iter().take_while(|i| !lines[**i].is_blank()).last().copied().unwrap_or(end)
        }
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_told_from_what_is_laid_out() {
        let prose =
            "This is a long line of prose that somebody wrote without ever pressing the return key on it.";
        assert!(is_prose(prose));
        assert!(is_prose(
            "Please look at https://example.org/a/very/long/url/that/goes/on?and=on&and=on for details."
        ));
        assert!(is_prose(
            "日本語の長い行は単語の間に空白がないのでどこでも折り返すことができますが禁則は守ります。"
        ));
        for other in [
            "| name      | count | remarks that make this line rather long so that it would be folded |",
            "  let total = items.iter().map(|item| item.price * item.quantity).sum::<u64>() + shipping;",
            "https://example.org/a/very/long/url/that/goes/on/and/on/without/any/space/in/it/at/all",
            "NAME            READY   STATUS    RESTARTS   AGE     IP            NODE",
            "        indented code that is too long for the pane but should not be folded at any rate",
            "# cargo run --example talk -- imaps://imap.example.org --and --a --lot --of --options",
        ] {
            assert!(!is_prose(other), "{other}");
        }
    }

    #[test]
    fn list_items_hang() {
        assert_eq!(hanging("- item"), 2);
        assert_eq!(hanging("  12. item"), 6);
        assert_eq!(hanging("  text"), 2);
        assert_eq!(hanging("2019 was"), 0);
    }
}
