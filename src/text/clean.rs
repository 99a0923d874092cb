//! The one type for text that came from outside and may be drawn, logged or printed.

use std::borrow::Cow;

use super::sieve::Sieve;
use super::{width, wrap};

/// Columns between tab stops.
const TAB: usize = 8;

/// Text without control characters, bidirectional overrides, tags, invisible characters and piles of
/// combining marks.
///
/// Everything that a server, a mail, a file name or a configuration says passes through here before
/// a person sees it. There is no other way to make one from a string that is not in the program.
///
/// What is kept is as wide on a terminal that joins emoji sequences as on one that does not: variation
/// selectors, skin tones and the joiners of emoji go, so that columns hold everywhere. Joiners stay
/// between letters of the scripts that are written with them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Clean(Cow<'static, str>);

impl Clean {
    /// One line: line breaks and tabs become a space, other controls U+FFFD, what is invisible goes.
    #[must_use]
    pub fn line(raw: &str) -> Self {
        if raw.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Self(Cow::Owned(raw.to_owned()));
        }
        let mut sieve = Sieve::with_capacity(raw.len());
        for c in raw.chars() {
            sieve.take(c);
        }
        Self(Cow::Owned(sieve.finish()))
    }

    /// Many lines, split where a terminal would; tabs are expanded to stops of eight columns.
    #[must_use]
    pub fn text(raw: &str) -> Vec<Self> {
        wrap::lines(raw).map(Self::tabbed).collect()
    }

    /// One line of a text, its tabs expanded to stops of eight columns.
    #[must_use]
    pub fn tabbed(raw: &str) -> Self {
        if !raw.contains('\t') {
            return Self::line(raw);
        }
        let mut out = String::with_capacity(raw.len() + TAB);
        let mut column = 0;
        for (i, piece) in raw.split('\t').enumerate() {
            if i > 0 {
                let fill = TAB - column % TAB;
                out.extend(std::iter::repeat_n(' ', fill));
                column += fill;
            }
            let piece = Self::line(piece);
            column += piece.width();
            out.push_str(piece.as_str());
        }
        Self(Cow::Owned(out))
    }

    /// Text of this program: what is written in the source needs no cleaning.
    #[must_use]
    pub const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Cells it takes on a terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        width::width(&self.0)
    }

    /// At most `cells` wide, with `…` as the last one where something was cut off.
    #[must_use]
    pub fn truncate(&self, cells: usize) -> Self {
        Self(Cow::Owned(width::truncate(&self.0, cells).into_owned()))
    }

    /// A piece of it; what is not on a character boundary or out of range is empty.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        // A piece may begin with a mark whose base was cut off: clean it again.
        Self::line(self.0.get(range).unwrap_or_default())
    }

    /// Without the spaces at both ends.
    #[must_use]
    pub fn trim(&self) -> Self {
        Self(Cow::Owned(self.0.trim().to_owned()))
    }

    /// Appends; what is clean stays clean when put together.
    pub fn push(&mut self, more: &Self) {
        self.0.to_mut().push_str(&more.0);
    }

    /// The pieces with `between` in between.
    #[must_use]
    pub fn join<'a>(pieces: impl IntoIterator<Item = &'a Self>, between: &'static str) -> Self {
        let mut out = String::new();
        for (i, piece) in pieces.into_iter().enumerate() {
            if i > 0 {
                out.push_str(between);
            }
            out.push_str(piece.as_str());
        }
        Self(Cow::Owned(out))
    }
}

impl<'a> FromIterator<&'a Clean> for Clean {
    fn from_iter<I: IntoIterator<Item = &'a Clean>>(pieces: I) -> Self {
        Self::join(pieces, "")
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Clean {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Clean {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl From<Clean> for String {
    fn from(text: Clean) -> Self {
        text.0.into_owned()
    }
}

impl std::fmt::Display for Clean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl serde::Serialize for Clean {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sieve::MARKS;
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthChar;

    fn line(raw: &str) -> String {
        Clean::line(raw).into()
    }

    #[test]
    fn x5_controls_do_not_pass() {
        assert_eq!(line("a\x1b[31mred\x1b[0m"), "a\u{fffd}[31mred\u{fffd}[0m");
        assert_eq!(line("\u{9b}31m"), "\u{fffd}31m");
        assert_eq!(line("one\r\ntwo\tthree\rfour\nfive"), "one two three four five");
        assert_eq!(line("pad\0ded\x7f"), "padded");
    }

    #[test]
    fn x5_bidi_tags_and_invisible_characters_do_not_pass() {
        assert_eq!(line("exe.\u{202e}gpj\u{202c}"), "exe.gpj");
        assert_eq!(line("\u{2066}a\u{2069}\u{200e}\u{200f}\u{61c}b"), "ab");
        assert_eq!(line("pay\u{200b}\u{ad}\u{2060}\u{feff}pal\u{e0041}\u{e007f}"), "paypal");
        assert_eq!(line("a\u{e000}\u{fdd0}\u{1ffff}\u{f0000}"), "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn joiners_stay_where_a_script_needs_them() {
        let persian = "می\u{200c}خواهم";
        assert_eq!(line(persian), persian);
        let sinhala = "ශ්\u{200d}රී";
        assert_eq!(line(sinhala), sinhala);
        assert_eq!(line("pay\u{200d}pal\u{200c}"), "paypal");
        assert_eq!(line("می\u{200c}\u{200c}\u{200d}"), "می");
    }

    #[test]
    fn x5_emoji_are_as_wide_on_every_terminal() {
        assert_eq!(line("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}"), "\u{1f468}\u{1f469}\u{1f467}");
        assert_eq!(line("\u{2764}\u{fe0f}"), "\u{2764}");
        assert_eq!(line("\u{1f44d}\u{1f3fd} ok"), "\u{1f44d} ok");
        assert_eq!(line("\u{1f1e9}\u{1f1ea}"), "\u{1f1e9}\u{1f1ea}");
    }

    #[test]
    fn x5_piles_of_marks_are_cut() {
        let pile: String = std::iter::once('a').chain(std::iter::repeat_n('\u{301}', 90)).collect();
        assert_eq!(line(&pile), "a\u{301}\u{301}\u{301}\u{301}");
        assert_eq!(line("\u{301}\u{301}x"), "x");
    }

    #[test]
    fn text_is_split_where_a_terminal_would_and_tabs_are_expanded() {
        let lines = Clean::text("a\tb\r\n\r\n日本\tc\rlast\n");
        assert_eq!(lines, ["a       b", "", "日本    c", "last"]);
        assert!(Clean::text("").is_empty());
    }

    #[test]
    fn pieces_are_put_together() {
        let (a, b) = (Clean::line("a"), Clean::fixed("b"));
        assert_eq!(Clean::join([&a, &b], ", "), "a, b");
        assert_eq!([&a, &b].into_iter().collect::<Clean>(), "ab");
        assert_eq!(Clean::line("e\u{301}x").slice(1..4), "x");
        assert_eq!(Clean::line("äx").slice(1..3), "");
    }

    /// Characters that meet each other in ways that matter.
    fn nasty() -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            '\0',
            '\x07',
            '\x1b',
            '\r',
            '\n',
            '\t',
            '\x7f',
            '\u{85}',
            '\u{9b}',
            '\u{ad}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2028}',
            '\u{2066}',
            '\u{fe0e}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{301}',
            '\u{20e3}',
            '\u{e0041}',
            '\u{1f3fd}',
            '\u{1f468}',
            '\u{2764}',
            '\u{1f1e9}',
            '\u{915}',
            '\u{94d}',
            '\u{633}',
            '日',
            '한',
            '\u{1112}',
            '\u{1161}',
            '\u{11ab}',
            'a',
            ' ',
        ]);
        prop::collection::vec(prop_oneof![3 => special, 1 => any::<char>()], 0..40)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn x5_nothing_dangerous_passes(raw in nasty()) {
            let clean = line(&raw);
            for c in clean.chars() {
                let hides = c.is_control()
                    || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
                    || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
                    || matches!(c, '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
                prop_assert!(!hides, "{:?} passed", c);
            }
            prop_assert_eq!(&line(&clean), &clean, "cleaning twice changes nothing");
        }

        #[test]
        fn x5_marks_are_few(raw in nasty()) {
            let mut run = 0;
            for c in line(&raw).chars().filter(|c| !matches!(c, '\u{200c}' | '\u{200d}')) {
                run = if c.width() == Some(0) { run + 1 } else { 0 };
                prop_assert!(run <= usize::from(MARKS));
            }
        }
    }
}
