//! What is quoted of a mail, and what stands above and below it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Original;
use crate::config::{ReplyStyle, Style};
use crate::model::Address;
use crate::text::wrap::{Paragraph, wrap};
use crate::text::{Clean, width};

/// Cells into which prose is broken in a quote.
const MEASURE: usize = 72;
/// Longer lines are broken, unless the mail holds a patch.
const LONGEST: usize = 78;

/// The text of an answer, ready to be written into.
pub(super) fn answer(original: &Original, style: &Style, zone: &TimeZone, signature: &str) -> String {
    let below = signed(signature);
    let deepest = if style.reply == ReplyStyle::Trimmed { 0 } else { usize::MAX };
    let quote = quoted(&original.text, deepest);
    if style.reply == ReplyStyle::None || quote.is_empty() {
        return format!("\n{below}");
    }
    let above = attribution(original, &style.attribution, zone);
    let above = if above.is_empty() { above } else { format!("{above}\n") };
    match style.reply {
        ReplyStyle::Top => format!("\n{below}\n{above}{quote}"),
        _ => format!("{above}{quote}\n{below}"),
    }
}

/// The text of a mail that passes another one on.
pub(super) fn forward(original: &Original, zone: &TimeZone, signature: &str) -> String {
    let mut text = format!("\n{}\n-------- Forwarded message --------\n", signed(signature));
    let date = original.date.map(|at| format!("{} at {}", day(at, zone), time(at, zone))).unwrap_or_default();
    let fields = [
        ("From", names(&original.from)),
        ("Date", date),
        ("Subject", one_line(&original.subject)),
        ("To", names(&original.to)),
        ("Cc", names(&original.cc)),
    ];
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    text.push_str(&plain(&original.text));
    text
}

/// The text of a mail as it is.
pub(super) fn plain(text: &[Paragraph]) -> String {
    let mut out = String::new();
    for paragraph in text {
        if paragraph.depth > 0 {
            out.push_str(&">".repeat(paragraph.depth));
            out.push(' ');
        }
        // Nothing that moves a cursor or colours a terminal gets into an editor by being passed on.
        out.extend(paragraph.text.chars().filter(|c| !c.is_control() || *c == '\t'));
        let kept =
            if paragraph.text == "-- " && paragraph.depth == 0 { out.len() } else { out.trim_end().len() };
        out.truncate(kept.max(out.rfind('\n').map_or(0, |at| at + 1)));
        out.push('\n');
    }
    out
}

/// A mail in quote marks, without its signature and the empty lines around it. `deepest`: what is quoted deeper there
/// is left out.
pub(super) fn quoted(text: &[Paragraph], deepest: usize) -> String {
    let signature = text.iter().rposition(|p| p.depth == 0 && p.text == "-- ");
    // Where somebody wrote below it, as under a list's answer, it is none.
    let signature = signature.filter(|at| text[*at..].iter().all(|p| p.depth == 0));
    let text = &text[..signature.unwrap_or(text.len())];
    let kept: Vec<&Paragraph> = text.iter().filter(|p| p.depth <= deepest).collect();
    let is_blank = |p: &&&Paragraph| p.text.trim().is_empty();
    let first = kept.iter().take_while(is_blank).count();
    let last = kept.iter().rev().take_while(is_blank).count();
    let kept = kept.get(first..kept.len() - last).unwrap_or_default();
    let is_patch = text.iter().any(|p| p.text.starts_with("@@ -") || p.text.starts_with("diff --git "));
    let (mut out, mut was_blank) = (String::new(), false);
    for paragraph in kept {
        let marks = ">".repeat(paragraph.depth.min(40) + 1);
        let words: String = paragraph.text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let words = words.trim_end();
        // Where a deeper quote was left out one empty line is enough.
        if words.is_empty() && was_blank && deepest == 0 {
            continue;
        }
        was_blank = words.is_empty();
        let room = MEASURE.saturating_sub(marks.len() + 1).max(20);
        let is_long = paragraph.flowed || width(words) + marks.len() > LONGEST;
        let lines = if is_long && !is_patch { wrap(words, room) } else { vec![words] };
        for line in lines {
            let line = line.trim_end();
            out.push_str(&marks);
            if !line.is_empty() {
                out.push(' ');
                out.push_str(line);
            }
            out.push('\n');
        }
    }
    out
}

/// A signature below its separator; nothing where there is none.
pub(super) fn signed(signature: &str) -> String {
    let signature = signature.replace("\r\n", "\n");
    let signature = signature.trim_end().trim_start_matches('\n');
    let signature = signature.strip_prefix("-- \n").unwrap_or(signature);
    if signature.is_empty() { String::new() } else { format!("\n-- \n{signature}\n") }
}

/// The line above a quote.
fn attribution(original: &Original, form: &str, zone: &TimeZone) -> String {
    let who = original.from.first().cloned().unwrap_or_default();
    let name = if who.name.is_empty() { &who.addr } else { &who.name };
    let at = original.date;
    let mut out = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (word, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(&match word {
            "name" => one_line(name),
            "email" => one_line(&who.addr),
            "subject" => one_line(&original.subject),
            "date" => at.map(|at| day(at, zone)).unwrap_or_default(),
            "time" => at.map(|at| time(at, zone)).unwrap_or_default(),
            _ => String::new(),
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn names(list: &[Address]) -> String {
    let one = |who: &Address| match who.name.is_empty() {
        true => one_line(&who.addr),
        false => format!("{} <{}>", one_line(&who.name), one_line(&who.addr)),
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn one_line(text: &str) -> String {
    Clean::line(text).to_string()
}

fn day(at: i64, zone: &TimeZone) -> String {
    at_zone(at, zone, "%a, %-d %b %Y")
}

fn time(at: i64, zone: &TimeZone) -> String {
    at_zone(at, zone, "%H:%M")
}

fn at_zone(at: i64, zone: &TimeZone, form: &str) -> String {
    Timestamp::from_second(at)
        .map(|at| at.to_zoned(zone.clone()).strftime(form).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[(usize, &str)]) -> Vec<Paragraph> {
        text.iter()
            .map(|(depth, text)| Paragraph { depth: *depth, text: (*text).to_owned(), flowed: false })
            .collect()
    }

    #[test]
    fn a_quote_has_no_signature_and_keeps_its_levels() {
        let text =
            lines(&[(0, ""), (1, "deep"), (1, ""), (1, "more"), (0, ""), (0, "own"), (0, "-- "), (0, "Bob")]);
        assert_eq!(quoted(&text, usize::MAX), ">> deep\n>>\n>> more\n>\n> own\n");
        assert_eq!(quoted(&text, 0), "> own\n");
        // What somebody wrote below a signature is kept.
        let below = lines(&[(0, "a"), (0, "-- "), (0, "Bob"), (1, "later")]);
        assert_eq!(quoted(&below, usize::MAX), "> a\n> --\n> Bob\n>> later\n");
        assert_eq!(quoted(&lines(&[(0, ""), (0, "-- "), (0, "x")]), usize::MAX), "");
    }

    #[test]
    fn long_prose_is_broken_and_a_patch_is_not() {
        let long = "word ".repeat(40);
        let quote = quoted(&lines(&[(0, &long)]), usize::MAX);
        assert!(
            quote.lines().count() > 2 && quote.lines().all(|line| line.len() <= 72 && line.starts_with("> "))
        );
        let patch = quoted(&lines(&[(0, "@@ -1 +1 @@"), (0, &long)]), usize::MAX);
        assert_eq!(patch.lines().count(), 2);
        assert_eq!(quoted(&lines(&[(0, "a\u{1b}[2Jb")]), usize::MAX), "> a[2Jb\n");
    }

    #[test]
    fn a_signature_has_one_separator() {
        for signature in ["Ada", "-- \nAda\n", "\nAda\r\n\n"] {
            assert_eq!(signed(signature), "\n-- \nAda\n");
        }
        assert_eq!(signed(" \n"), "");
    }
}
