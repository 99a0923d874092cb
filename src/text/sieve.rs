//! What becomes of each character of a text from outside.

use unicode_width::UnicodeWidthChar;

/// Combining marks kept on one base character; Vietnamese needs two, Tibetan stacks three or four.
pub(super) const MARKS: u8 = 4;

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
pub(super) struct Sieve {
    out: String,
    base: Option<char>,
    marks: u8,
    joiner: Option<char>,
    after_cr: bool,
}

impl Sieve {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), base: None, marks: 0, joiner: None, after_cr: false }
    }

    /// Takes the next character.
    pub(super) fn take(&mut self, c: char) {
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

    /// What was kept.
    pub(super) fn finish(self) -> String {
        self.out
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
