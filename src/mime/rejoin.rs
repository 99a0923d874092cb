//! Prose that its sender broke at a fixed column, joined again where the pane is narrower than its lines.
//!
//! Folded line by line it would be a comb of long and short lines. Only what is surely prose is joined, and
//! only where the next word did not fit any more: no patch, table, code, list, verse or signature.

use std::collections::HashSet;

use super::diff::Diff;
use super::plain::{hanging, is_laid_out, is_prose};
use super::render::Role;
use crate::text::width;
use crate::text::wrap::{Paragraph, is_unspaced};

/// Columns at which people and programs break prose. Shorter lines may be verse, longer ones are whole
/// paragraphs.
const COLUMNS: std::ops::RangeInclusive<usize> = 56..=100;

/// A line, with its role if it belongs to a patch; after joining, a paragraph.
pub(super) type Piece = (Paragraph, Option<Role>);

/// Joins what was broken before its time for lines of `measure` cells.
pub(super) fn rejoin(pieces: Vec<Piece>, measure: usize) -> Vec<Piece> {
    let blocks = blocks(&pieces);
    let column = |block: &[Piece]| {
        let most = |urls: bool| {
            let lines = block.iter().map(|(p, _)| p.text.trim_end());
            lines.filter(|line| urls || !line.contains("://")).map(width).max()
        };
        most(false).or_else(|| most(true)).unwrap_or(0)
    };
    // Where one line goes on in lower case, its writer breaks lines: the others are broken, too.
    let mut wraps = HashSet::new();
    for range in &blocks {
        let block = &pieces[range.clone()];
        let column = column(block);
        if COLUMNS.contains(&column)
            && block.windows(2).any(|two| is_full(two, column) && goes_on(&two[0].0, &two[1].0))
        {
            wraps.insert(block[0].0.depth);
        }
    }
    let mut joins = vec![false; pieces.len()];
    for range in blocks {
        let block = &pieces[range.clone()];
        let (column, depth) = (column(block), block[0].0.depth);
        if !COLUMNS.contains(&column) || column + if depth > 0 { depth + 1 } else { 0 } <= measure {
            continue;
        }
        for (two, at) in block.windows(2).zip(range.start + 1..) {
            let (before, after) = (&two[0].0, &two[1].0);
            let broken = || wraps.contains(&depth) && !is_field(&before.text) && !is_field(&after.text);
            joins[at] = is_full(two, column) && (goes_on(before, after) || broken());
        }
    }
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for (piece, join) in pieces.into_iter().zip(joins) {
        match out.last_mut().filter(|_| join) {
            Some((last, _)) => {
                append(&mut last.text, &piece.0.text);
                last.flowed = true;
            }
            None => out.push(piece),
        }
    }
    out
}

/// Runs of lines that may be of one paragraph each.
fn blocks(pieces: &[Piece]) -> Vec<std::ops::Range<usize>> {
    let mut blocks = Vec::new();
    let (mut from, mut depth, mut indent) = (0, 0, 0);
    let (mut diff, mut is_code, mut is_signed, mut is_item) = (Diff::default(), false, false, false);
    for (at, (line, role)) in pieces.iter().enumerate() {
        if line.depth != depth {
            (diff, is_code, is_signed, is_item) = (Diff::default(), false, false, false);
        }
        let next = pieces.get(at + 1).map_or("", |(next, _)| next.text.as_str());
        // A patch at depth 0 is known already.
        let patched = role.is_some() || (line.depth > 0 && diff.role(&line.text, next).is_some());
        let text = line.text.trim_end();
        is_signed |= text == "--";
        let fence = text.starts_with("```");
        is_code ^= fence;
        let inset = text.len() - text.trim_start_matches(' ').len();
        // What is indented below an item of a list belongs to it.
        is_item = hanging(text) > inset || (is_item && inset > 0);
        let apart = patched || is_signed || is_code || fence || is_item || !may_be_prose(text);
        if apart || (line.depth, inset) != (depth, indent) {
            blocks.extend((from < at).then_some(from..at));
            from = if apart { at + 1 } else { at };
        }
        (depth, indent) = (line.depth, inset);
    }
    blocks.extend((from < pieces.len()).then_some(from..pieces.len()));
    blocks
}

/// Whether a line may stand within a paragraph: it is not empty, set in like code, columns, or a reference.
fn may_be_prose(line: &str) -> bool {
    let solid = line.trim_start_matches(' ');
    let is_reference = || {
        let number = solid.strip_prefix(['[', '(']).and_then(|rest| rest.split_once([']', ')']));
        number.is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    line.contains(char::is_alphanumeric)
        && line.len() - solid.len() < 4
        && !solid.contains("   ")
        && !line.contains('\t')
        && !is_reference()
        && !is_laid_out(line)
}

/// Whether the first of two lines ends because the first word of the second did not fit any more, give or
/// take an eighth of the line.
fn is_full(two: &[Piece], column: usize) -> bool {
    let (line, next) = (two[0].0.text.trim_end(), two[1].0.text.trim_start());
    let word = match next.chars().next() {
        Some(first) if is_unspaced(first) => 2,
        _ => next.split_whitespace().next().map_or(0, width) + 1,
    };
    width(line) + word > column - column / 8 && is_prose(line) && !line.ends_with([':', '：'])
}

/// Whether the second line goes on in the middle of a sentence.
fn goes_on(line: &Paragraph, next: &Paragraph) -> bool {
    let ends = line.text.trim_end().ends_with(['.', '!', '?', '。', '！', '？']);
    next.text.trim_start().chars().next().is_some_and(|c| c.is_lowercase() || (is_unspaced(c) && !ends))
}

/// `Subject: …`: a line of its own.
fn is_field(line: &str) -> bool {
    let name = line.split_once(": ").map_or("", |(name, _)| name);
    name.starts_with(char::is_uppercase) && name.chars().all(|c| c.is_alphanumeric() || c == '-')
}

fn append(text: &mut String, next: &str) {
    text.truncate(text.trim_end().len());
    let next = next.trim_start();
    let (last, first) = (text.chars().last(), next.chars().next());
    let hyphenated = last == Some('-')
        && text.chars().rev().nth(1).is_some_and(char::is_alphanumeric)
        && first.is_some_and(char::is_lowercase);
    let unspaced = last.zip(first).is_some_and(|(last, first)| is_unspaced(last) && is_unspaced(first));
    if !hyphenated && !unspaced {
        text.push(' ');
    }
    text.push_str(next);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::wrap::quoted;

    const LETTER: &str = "\
Hi Robin,

the printer would like to have the notes by the end of the month, so could
you look over the tables before Friday? I have marked the rows that do not
add up. Ada says that the carry mechanism is to blame, which would explain
why only the long ones are wrong.

Regards,
Ada";

    fn joined(text: &str, measure: usize) -> Vec<String> {
        let mut diff = Diff::default();
        let lines: Vec<&str> = text.lines().collect();
        let pieces = lines.iter().enumerate().map(|(i, line)| {
            let (depth, text) = quoted(line);
            let next = lines.get(i + 1).copied().unwrap_or_default();
            let role = if depth == 0 { diff.role(text, next) } else { None };
            (Paragraph { depth, text: text.to_owned(), flowed: false }, role)
        });
        let marked = |p: Paragraph| format!("{}{}", "> ".repeat(p.depth), p.text);
        rejoin(pieces.collect(), measure).into_iter().map(|(p, _)| marked(p)).collect()
    }

    fn stays(text: &str) {
        assert_eq!(joined(text, 40), text.lines().collect::<Vec<_>>());
    }

    #[test]
    fn hard_wrapped_prose_is_joined_where_the_pane_is_narrower() {
        let lines = joined(LETTER, 60);
        assert_eq!(lines.len(), 6, "{lines:#?}");
        assert_eq!(lines[0], "Hi Robin,");
        assert!(lines[2].contains("so could you look") && lines[2].contains("explain why only"));
        assert_eq!(lines[4..], ["Regards,", "Ada"]);
        assert_eq!(joined(LETTER, 80), LETTER.lines().collect::<Vec<_>>(), "there is room");
    }

    #[test]
    fn quotes_are_joined_at_their_own_depth() {
        let quote: String = LETTER.lines().map(|line| format!("> {line}\n")).collect();
        let lines = joined(
            &format!("{quote}> > and before that somebody else had said something as long as\nthis"),
            60,
        );
        assert_eq!(lines.len(), 8, "{lines:#?}");
        assert!(lines[2].starts_with("> the printer") && lines[2].contains("explain why only"));
        assert_eq!(lines[6..], ["> > and before that somebody else had said something as long as", "this"]);
    }

    #[test]
    fn what_is_set_in_a_little_is_joined_and_stays_so() {
        let text = "  The ring lives in the backup memory with a checksum for each slot, so\n  \
                    that a fault in the middle of a write costs one reading.\nAnd the rest.";
        let lines = joined(text, 50);
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[0].starts_with("  The ring") && lines[0].contains("so that a fault"));
    }

    #[test]
    fn what_is_not_prose_keeps_its_lines() {
        stays(
            "- an item of a list\n  whose lines are set in and that somebody broke at a column of their own\n\
             \x20 and so it goes on, which is all the same an item of a list as before it",
        );
        stays(
            "- the first item of a list that somebody broke at a column of their own\n\
               - the second item of the list, which is about as long as the first one",
        );
        stays(
            "From: Ada Lovelace <ada@example.org> and a name so long that it fills it\n\
               Subject: the notes on the engine, and all that was said about the tables\n\
               Date: today",
        );
        stays(
            "Name      Amount and other remarks     Of whom it was and what it was for\n\
               Ada       12 and a half as agreed      the printer in the town, for paper\n",
        );
        stays(
            "| name of the thing that is counted | how many of them there are in all |\n\
               | tables of logarithms in the store | three hundred and some, and others |",
        );
        stays(
            "    let indented_code = the_first_line_of_it + something_else_that_is_long\n\
               \x20   + the_second_line_of_it;",
        );
        stays(
            "-- \nAda Lovelace, Countess, who signs with more words than anybody would need\n\
               and does so on every single mail that she sends to anybody in this world",
        );
        stays(
            "> diff --git a/file b/file\n> --- a/file\n> +++ b/file\n> @@ -1,2 +1,2 @@\n\
               > -this line was in the file and is a sentence that goes on and on and is\n\
               > +that line was in the file and is a sentence that goes on and on and is",
        );
        stays(
            "```\nwords that stand between fences are code to whoever wrote them down here\n\
               and so they stay as they are, however much they look like ordinary prose\n```",
        );
        stays(
            "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n\
               Rough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date;",
        );
        stays(
            "This is a whole paragraph on one line, as some programs send it, and it is much longer than any column of theirs.\n\
               and this is the next one on one line, as some programs send it, and it is longer than any column of theirs too.",
        );
    }

    #[test]
    fn words_are_parted_as_they_were() {
        let long = "the engine that they are building in the yard has a carry that is well-";
        let lines = joined(&format!("{long}\nknown to be slow"), 60);
        assert_eq!(lines, [format!("{long}known to be slow")]);
        let line = "計算機の表を印刷する前にもう一度確認してください。来月の号に間に合わせたいので";
        assert_eq!(
            joined(&format!("{line}\n早めにお願いします。"), 60),
            [format!("{line}早めにお願いします。")]
        );
    }
}
