//! Text on its way into the HTML layout, made so that the layout measures what will be drawn.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::Clean;

/// What parts letters that would be measured together: without width, joining nothing, and dropped by
/// [`Clean`] afterwards.
const PARTER: char = '\u{180e}';

/// Text as it may stand in HTML. Controls become spaces: the layout cannot measure them.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | PARTER | '\u{200c}' | '\u{200d}' => out.push(c),
            c if c.is_control() => out.push(' '),
            // Invisible characters stay out of the layout, so that it measures what will be drawn.
            c if c.width() == Some(0) && !is_mark(c) => {}
            c => out.push(c),
        }
    }
}

/// A space of preformatted text: a letter to the layout, which drops the spaces at which it breaks a line.
pub(super) const SOLID_SPACE: char = '\u{e020}';

/// Preformatted text that the layout has no place to break at, tabs expanded.
pub(super) fn unbreakable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        let fill = match c {
            '\n' => {
                column = 0;
                out.push(c);
                continue;
            }
            '\t' => 8 - column % 8,
            ' ' | '\u{a0}' => 1,
            SOLID_SPACE => continue,
            c => {
                column += c.width().unwrap_or(0);
                out.push(c);
                continue;
            }
        };
        out.extend(std::iter::repeat_n(SOLID_SPACE, fill));
        column += fill;
    }
    out
}

/// Whether a character without width is drawn on the one before it.
fn is_mark(c: char) -> bool {
    let mut pair = String::from("a");
    pair.push(c);
    Clean::line(&pair).as_str().len() > 1
}

/// Parts letters that are narrower together than one by one, so that the layout, which counts in both
/// ways, finds the same: Arabic lam and alef, for one. What parts them is dropped afterwards.
pub(super) fn part_ligatures(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut base = 0;
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if wide > 0 {
            let (before, both) = (&text[base..at], &text[base..at + c.len_utf8()]);
            if both.width() != before.width() + wide {
                out.push(PARTER);
            }
            base = at;
        }
        out.push(c);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_join_are_measured_one_by_one() {
        let lam_alef = part_ligatures("\u{644}\u{627}");
        assert_eq!(lam_alef, format!("\u{644}{PARTER}\u{627}"));
        assert_eq!(lam_alef.width(), 2);
        assert_eq!(Clean::line(&lam_alef), "\u{644}\u{627}");
        assert_eq!(part_ligatures("日本 e\u{301}"), "日本 e\u{301}");
    }

    #[test]
    fn preformatted_text_has_no_place_to_break() {
        let text = unbreakable("a b\tc\n\td");
        assert_eq!(text.replace(SOLID_SPACE, "_"), "a_b_____c\n________d");
    }

    #[test]
    fn x5_controls_do_not_reach_the_layout() {
        let mut out = String::new();
        escape("a<b>&\"\u{1b}[31m\u{202e}\u{feff}e\u{301}", &mut out);
        assert_eq!(out, "a&lt;b&gt;&amp;&quot; [31me\u{301}");
    }
}
