//! How many cells a text takes, and making it take as many as there are.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What ends a text that was cut off.
const CUT: &str = "…";

/// Cells that `text` takes on a terminal: the sum over its grapheme clusters, as the screen counts them.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { graphemes(text).map(|(_, cells)| cells).sum() }
}

/// The grapheme clusters of `text`, each with its width in cells.
pub fn graphemes(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.graphemes(true).map(|cluster| (cluster, cluster.width()))
}

/// The longest beginning of `text` that fits into `cells`.
#[must_use]
pub fn head(text: &str, cells: usize) -> &str {
    if text.is_ascii() {
        return &text[..text.len().min(cells)];
    }
    let (mut used, mut end) = (0, 0);
    for (cluster, wide) in graphemes(text) {
        if used + wide > cells {
            break;
        }
        used += wide;
        end += cluster.len();
    }
    &text[..end]
}

/// What is left of `text` when it is scrolled left by `cells`; a wide character that is half gone leaves
/// a space.
#[must_use]
pub fn tail(text: &str, cells: usize) -> Cow<'_, str> {
    let (mut skipped, mut start) = (0, 0);
    for (cluster, wide) in graphemes(text) {
        if skipped >= cells {
            break;
        }
        skipped += wide;
        start += cluster.len();
    }
    match skipped.saturating_sub(cells) {
        0 => Cow::Borrowed(&text[start..]),
        half => Cow::Owned(format!("{}{}", " ".repeat(half), &text[start..])),
    }
}

/// `text` in at most `cells`, ending in `…` where something was cut off.
#[must_use]
pub fn truncate(text: &str, cells: usize) -> Cow<'_, str> {
    truncate_with(text, cells, CUT)
}

/// As [`truncate`], with another mark for terminals that cannot show `…`.
#[must_use]
pub fn truncate_with<'a>(text: &'a str, cells: usize, mark: &str) -> Cow<'a, str> {
    if head(text, cells).len() == text.len() {
        return Cow::Borrowed(text);
    }
    match cells.checked_sub(width(mark)) {
        Some(room) => Cow::Owned(format!("{}{mark}", head(text, room))),
        None => Cow::Borrowed(head(text, cells)),
    }
}

/// `text` in exactly `cells`, flush left: truncated or filled with spaces.
#[must_use]
pub fn pad(text: &str, cells: usize) -> String {
    let mut out = truncate(text, cells).into_owned();
    let missing = cells.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// `text` in exactly `cells`, flush right: truncated or filled with spaces.
#[must_use]
pub fn pad_left(text: &str, cells: usize) -> String {
    let text = truncate(text, cells);
    format!("{}{text}", " ".repeat(cells.saturating_sub(width(&text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Clean;
    use proptest::prelude::*;

    #[test]
    fn cells_are_counted_by_cluster() {
        assert_eq!(width("abc"), 3);
        assert_eq!(width("日本"), 4);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(width("👍"), 2);
        assert_eq!(width("🇩🇪"), 2);
        assert_eq!(width("한국"), 4);
        assert_eq!(width("\u{1112}\u{1161}\u{11ab}"), 2);
    }

    #[test]
    fn a_text_is_cut_at_a_cell_boundary() {
        assert_eq!(truncate("Notes on the engine", 9), "Notes on…");
        assert_eq!(truncate("Notes", 5), "Notes");
        assert_eq!(truncate("日本語", 4), "日…");
        assert_eq!(truncate("日本語", 1), "…");
        assert_eq!(truncate("日本語", 0), "");
        assert_eq!(truncate_with("abcdef", 4, "..."), "a...");
        assert_eq!(truncate_with("abcdef", 2, "..."), "ab");
    }

    #[test]
    fn a_column_is_filled() {
        assert_eq!(pad("日本語", 6), "日本語");
        assert_eq!(pad("日本語", 4), "日… ");
        assert_eq!(pad_left("14:02", 8), "   14:02");
        assert_eq!(tail("日本語", 3), " 語");
        assert_eq!(tail("abc", 9), "");
    }

    proptest! {
        #[test]
        fn x5_a_column_is_as_wide_as_asked(raw in any::<String>(), cells in 0usize..40) {
            let text = Clean::line(&raw);
            prop_assert!(width(&truncate(text.as_str(), cells)) <= cells);
            prop_assert_eq!(width(&pad(text.as_str(), cells)), cells);
            prop_assert_eq!(width(&pad_left(text.as_str(), cells)), cells);
        }
    }
}
