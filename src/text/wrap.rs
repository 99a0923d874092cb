//! Folding prose into a width, RFC 3676 paragraphs, and how deep a line is quoted.

use std::ops::Range;

use super::width::graphemes;

/// The lines of a text from outside: ended by LF, CRLF, CR, or a separator of Unicode.
pub fn lines(raw: &str) -> impl Iterator<Item = &str> {
    let mut rest = (!raw.is_empty()).then_some(raw);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find(['\n', '\r', '\u{2028}', '\u{2029}']) else {
            rest = None;
            return Some(text);
        };
        let (line, after) = text.split_at(at);
        let next = match after.strip_prefix("\r\n") {
            Some(next) => next,
            None => {
                let mut chars = after.chars();
                chars.next();
                chars.as_str()
            }
        };
        rest = (!next.is_empty()).then_some(next);
        Some(line)
    })
}

/// How a paragraph is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// Cells of the first line.
    pub first: usize,
    /// Cells of the others: fewer when they are indented.
    pub rest: usize,
}

impl Fold {
    /// Every line in `cells`.
    #[must_use]
    pub fn even(cells: usize) -> Self {
        Self { first: cells, rest: cells }
    }
}

/// The lines of one paragraph folded into `cells`: at spaces, between CJK characters, and within a word
/// only when it is too long for any line.
///
/// A line never takes more than `cells`, but for a single cluster that is wider by itself. The spaces at
/// which a line was folded are in none of them.
#[must_use]
pub fn wrap(text: &str, cells: usize) -> Vec<&str> {
    fold(text, Fold::even(cells)).into_iter().map(|range| &text[range]).collect()
}

/// As [`wrap`], as byte ranges of `text`. There is always at least one.
#[must_use]
pub fn fold(text: &str, fold: Fold) -> Vec<Range<usize>> {
    let mut clusters = Vec::new();
    let mut at = 0;
    for (cluster, wide) in graphemes(text) {
        clusters.push(Cluster { at, wide: u8::try_from(wide).unwrap_or(u8::MAX), is_space: cluster == " " });
        at += cluster.len();
    }
    let byte = |i: usize| clusters.get(i).map_or(text.len(), |c| c.at);
    let mut lines = Vec::new();
    let mut from = clusters.iter().take_while(|c| c.is_space).count();
    // Indentation is kept as long as it leaves room for text.
    let first = clusters.get(from).map_or(0, |c| usize::from(c.wide));
    if from + first <= fold.first {
        from = 0;
    }
    loop {
        let cells = if lines.is_empty() { fold.first } else { fold.rest };
        let (end, next) = line(text, &clusters[from..], cells);
        lines.push(byte(from)..byte(from + end));
        from += next;
        if from >= clusters.len() {
            return lines;
        }
    }
}

/// A grapheme cluster: where it stands, and its cells.
struct Cluster {
    at: usize,
    wide: u8,
    is_space: bool,
}

/// How many of the clusters make one line, and how many are done with when its last spaces are, too.
fn line(text: &str, clusters: &[Cluster], cells: usize) -> (usize, usize) {
    let (mut used, mut solid) = (0, 0);
    let mut chance = None;
    for (i, cluster) in clusters.iter().enumerate() {
        used += usize::from(cluster.wide);
        if cluster.is_space {
            if solid > 0 {
                chance = Some((solid, i + 1));
            }
            continue;
        }
        if solid > 0 {
            if solid == i && may_part(&text[clusters[i - 1].at..], &text[cluster.at..]) {
                chance = Some((i, i));
            }
            if used > cells {
                return chance.unwrap_or((i, i));
            }
        }
        solid = i + 1;
    }
    (solid, clusters.len().max(1))
}

/// Whether a line may end between two clusters, which these texts begin with, without a space.
fn may_part(before: &str, after: &str) -> bool {
    let (Some(b), Some(a)) = (before.chars().next(), after.chars().next()) else { return false };
    (is_unspaced(b) || is_unspaced(a)) && !opens(b) && !closes(a)
}

/// Whether a character is of a script that is written without spaces between words.
#[must_use]
pub fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x2e80..=0x303e | 0x3041..=0x30ff | 0x3105..=0x312f | 0x31a0..=0x31bf | 0x31f0..=0x4dbf
        | 0x4e00..=0x9fff | 0xa000..=0xa4cf | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff01..=0xff60
        | 0x2_0000..=0x3_ffff)
}

/// What may not end a line.
fn opens(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '“' | '‘' | '「' | '『' | '（' | '【' | '〔' | '《' | '〈' | '［' | '｛')
}

/// What may not begin a line.
fn closes(c: char) -> bool {
    matches!(c, ')' | ']' | '}' | '”' | '’' | '」' | '』' | '）' | '】' | '〕' | '》' | '〉' | '］' | '｝')
        || matches!(
            c,
            ',' | '.' | ':' | ';' | '!' | '?' | '、' | '。' | '，' | '．' | '：' | '；' | '！' | '？'
        )
        || matches!(
            c,
            'ー' | '々' | '・' | '…' | '〜' | 'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'っ' | 'ゃ' | 'ゅ' | 'ょ'
        )
        || matches!(c, 'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ')
}

/// How deep a line is quoted, and what is quoted: `> > text` is `text` at depth 2.
///
/// One space after the marks goes with them.
#[must_use]
pub fn quoted(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    loop {
        let inner = if depth == 0 { rest } else { rest.strip_prefix(' ').unwrap_or(rest) };
        match inner.strip_prefix('>') {
            Some(after) => (depth, rest) = (depth + 1, after),
            None if depth == 0 => return (0, line),
            None => return (depth, inner),
        }
    }
}

/// A piece of a text: one line as it is, or the joined lines of a flowed paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    /// How deep it is quoted.
    pub depth: usize,
    /// Its text, without quote marks.
    pub text: String,
    /// Whether it was marked as prose to be folded anew.
    pub flowed: bool,
}

/// The paragraphs of a `format=flowed` text (RFC 3676 section 4), its lines already parted.
///
/// `delsp` is its DelSp parameter: then the space that marks a soft break is not part of the text.
#[must_use]
pub fn unflow<'a>(lines: impl IntoIterator<Item = &'a str>, delsp: bool) -> Vec<Paragraph> {
    let mut out: Vec<Paragraph> = Vec::new();
    let mut open = false;
    for line in lines {
        // Quote marks stand without spaces between them; one space after them is stuffing.
        let inner = line.trim_start_matches('>');
        let depth = line.len() - inner.len();
        let inner = inner.strip_prefix(' ').unwrap_or(inner);
        // RFC 3676 section 4.3: the signature separator is never flowed, though it ends in a space.
        let soft = inner.ends_with(' ') && inner != "-- ";
        let text = if soft && delsp { &inner[..inner.len() - 1] } else { inner };
        match out.last_mut() {
            Some(last) if open && last.depth == depth && inner != "-- " => last.text.push_str(text),
            _ => out.push(Paragraph { depth, text: text.to_owned(), flowed: soft }),
        }
        open = soft;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Clean, width};
    use proptest::prelude::*;

    #[test]
    fn prose_is_folded_at_spaces() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("the quick  brown", 9), ["the quick", "brown"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("word ", 10), ["word"]);
        assert_eq!(wrap("  indented text", 10), ["  indented", "text"]);
        assert_eq!(wrap(" 日", 2), ["日"]);
    }

    #[test]
    fn a_long_word_is_cut_hard_and_only_then() {
        assert_eq!(wrap("a abcdefghijkl b", 5), ["a", "abcde", "fghij", "kl b"]);
        assert_eq!(wrap("see https://example.org/x now", 21), ["see", "https://example.org/x", "now"]);
    }

    #[test]
    fn cjk_is_folded_between_characters_but_not_before_a_full_stop() {
        assert_eq!(wrap("日本語です。はい", 10), ["日本語で", "す。はい"]);
        assert_eq!(wrap("「日本」語", 4), ["「日", "本」", "語"]);
    }

    #[test]
    fn the_first_line_may_have_another_width() {
        let text = "one two three four";
        let lines: Vec<_> = fold(text, Fold { first: 3, rest: 10 }).into_iter().map(|r| &text[r]).collect();
        assert_eq!(lines, ["one", "two three", "four"]);
    }

    #[test]
    fn quote_marks_are_counted() {
        assert_eq!(quoted("> > deep"), (2, "deep"));
        assert_eq!(quoted(">>  deep"), (2, " deep"));
        assert_eq!(quoted("> "), (1, ""));
        assert_eq!(quoted(" > not a quote"), (0, " > not a quote"));
        assert_eq!(quoted("plain"), (0, "plain"));
    }

    #[test]
    fn flowed_lines_are_joined() {
        let lines =
            ["Hello ", "world, ", "again.", "  stuffed", "> quoted ", "> more", ">> deep ", "-- ", "Ada"];
        let read = unflow(lines, false);
        let texts: Vec<_> = read.iter().map(|p| (p.depth, p.text.as_str(), p.flowed)).collect();
        assert_eq!(
            texts,
            [
                (0, "Hello world, again.", true),
                (0, " stuffed", false),
                (1, "quoted more", true),
                (2, "deep ", true),
                (0, "-- ", false),
                (0, "Ada", false),
            ]
        );
    }

    #[test]
    fn delsp_takes_the_soft_space() {
        let read = unflow(["日本 ", "語"], true);
        assert_eq!(read[0].text, "日本語");
    }

    proptest! {
        #[test]
        fn wrapped_lines_never_exceed_the_width(raw in "[a-c日本。「 \u{301}👍]{0,60}|\\PC{0,60}", cells in 1usize..24) {
            let text = Clean::line(&raw);
            for line in wrap(text.as_str(), cells) {
                let one = graphemes(line).filter(|(_, w)| *w > 0).count() <= 1;
                prop_assert!(width(line) <= cells || one, "{line:?} is wider than {cells}");
            }
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces(raw in "[a-c日本。「 \u{301}👍]{0,60}|\\PC{0,60}", cells in 1usize..24) {
            let text = Clean::line(&raw);
            let kept: String = wrap(text.as_str(), cells).concat().chars().filter(|c| *c != ' ').collect();
            let all: String = text.as_str().chars().filter(|c| *c != ' ').collect();
            prop_assert_eq!(kept, all);
        }
    }
}
