//! The one type for text that came from outside and may be drawn, logged or printed.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

use super::width;

/// Combining marks kept on one base character; Vietnamese needs two, Tibetan stacks three or four.
const MARKS: u8 = 4;
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
        Self(Cow::Owned(sieve.out))
    }

    /// Many lines, split where a terminal would; tabs are expanded to stops of eight columns.
    #[must_use]
    pub fn text(raw: &str) -> Vec<Self> {
        lines(raw).map(Self::tabbed).collect()
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

/// The lines of a text from outside: ended by LF, CRLF, CR, or a separator of Unicode.
pub(super) fn lines(raw: &str) -> impl Iterator<Item = &str> {
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

/// What becomes of a character.
enum Verdict {
    /// It stands for itself.
    Base,
    /// It stands on the base before it.
    Mark,
    /// It joins or parts the letters on both sides.
    Joiner,
    /// It is the tone of an emoji.
    Tone,
    /// A space instead.
    Space,
    /// U+FFFD instead.
    Replace,
    /// Nothing instead.
    Drop,
}

fn verdict(c: char) -> Verdict {
    match c {
        ' '..='~' => Verdict::Base,
        '\t' | '\n' | '\x0b' | '\x0c' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Verdict::Space,
        // NUL pads, DEL rubs out: both mean nothing.
        '\0' | '\x7f' => Verdict::Drop,
        '\x01'..='\x1f' | '\u{80}'..='\u{9f}' => Verdict::Replace,
        '\u{200c}' | '\u{200d}' => Verdict::Joiner,
        // Bidirectional marks, embeddings, overrides, isolates.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => {
            Verdict::Drop
        }
        // Soft hyphen, fillers, spaces without width, invisible operators, annotations.
        '\u{ad}' | '\u{34f}' | '\u{70f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => Verdict::Drop,
        '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{3164}' => Verdict::Drop,
        '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => Verdict::Drop,
        '\u{13430}'..='\u{13455}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => Verdict::Drop,
        // Variation selectors: what they select is of another width on every other terminal.
        '\u{fe00}'..='\u{fe0f}' => Verdict::Drop,
        // Tags and more selectors.
        '\u{e0000}'..='\u{e0fff}' => Verdict::Drop,
        // Private use, what is never a character, planes without any.
        '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{40000}'..='\u{10ffff}' => Verdict::Replace,
        // Three cells wide and discouraged by Unicode itself.
        '\u{17d8}' => Verdict::Replace,
        '\u{1f3fb}'..='\u{1f3ff}' => Verdict::Tone,
        c if u32::from(c) & 0xfffe == 0xfffe => Verdict::Replace,
        c if c.width() == Some(0) => Verdict::Mark,
        _ => Verdict::Base,
    }
}

/// Whether the script of this character is written with joiners.
fn is_joining(c: char) -> bool {
    matches!(u32::from(c),
        0x0600..=0x109f        // Arabic to Myanmar, with all of India
        | 0x1780..=0x18af      // Khmer, Mongolian
        | 0x1a20..=0x1bff      // Tai Tham, Balinese, Batak
        | 0xa840..=0xa87f | 0xa8e0..=0xa8ff | 0xa980..=0xaadf
        | 0xfb50..=0xfdcf | 0xfe70..=0xfefc
        | 0x1_0a00..=0x1_0aff | 0x1_1000..=0x1_1fff | 0x1_e900..=0x1_e95f)
}

/// Whether a skin tone after this character belongs to it.
fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x261d | 0x26f9 | 0x270a..=0x270d | 0x1_f000..=0x1_faff)
}

/// The characters that were kept, and what the next one depends on.
struct Sieve {
    out: String,
    base: Option<char>,
    marks: u8,
    joiner: Option<char>,
    after_cr: bool,
}

impl Sieve {
    fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), base: None, marks: 0, joiner: None, after_cr: false }
    }

    fn take(&mut self, c: char) {
        let after_cr = std::mem::replace(&mut self.after_cr, c == '\r');
        match verdict(c) {
            Verdict::Base => self.put(c),
            Verdict::Mark => {
                if self.base.is_some() && self.marks < MARKS {
                    self.settle(c);
                    self.marks += 1;
                    self.out.push(c);
                }
            }
            Verdict::Joiner => {
                if self.base.is_some_and(is_joining) {
                    self.joiner = Some(c);
                }
            }
            Verdict::Tone => {
                if !self.base.is_some_and(is_emoji) {
                    self.put(c);
                }
            }
            Verdict::Space if c == '\n' && after_cr => {}
            Verdict::Space => self.put(' '),
            Verdict::Replace => self.put('\u{fffd}'),
            Verdict::Drop => {}
        }
    }

    /// A base character: begins a new cell.
    fn put(&mut self, c: char) {
        self.settle(c);
        self.base = Some(c);
        self.marks = 0;
        self.out.push(c);
    }

    /// Lets a waiting joiner through if what follows it can be joined.
    fn settle(&mut self, next: char) {
        if let Some(joiner) = self.joiner.take()
            && is_joining(next)
        {
            self.out.push(joiner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
