//! The code of a mail that holds one: what a sign-in asks to be typed.

use super::render::Line;
use crate::text::Clean;

/// Words that stand beside a code, in the languages that senders of codes write.
const WORDS: [&str; 18] = [
    "code",
    "passcode",
    "pin",
    "otp",
    "password",
    "verif",
    "kode",
    "código",
    "codigo",
    "codice",
    "kód",
    "kod",
    "код",
    "koodi",
    "代码",
    "验证码",
    "認証",
    "코드",
];
/// Lines between such a word and its code.
const NEAR: usize = 3;

/// The code in a mail's text, as it is to be typed; `None`: there is none that stands near a word for it.
///
/// A code has four to eight digits, perhaps with one space or hyphen in the middle, or as many capitals and digits
/// mixed. The one nearest to the word is meant; of two the later one, for the word is said before it.
#[must_use]
pub fn code(lines: &[Line]) -> Option<Clean> {
    let texts: Vec<String> =
        lines.iter().map(|line| line.spans.iter().map(|s| s.text.as_str()).collect()).collect();
    let spoken: Vec<usize> = (0..texts.len()).filter(|at| speaks(&texts[*at])).collect();
    let mut best: Option<(usize, String)> = None;
    for (at, text) in texts.iter().enumerate() {
        let Some(far) = spoken.iter().map(|word| word.abs_diff(at)).min().filter(|far| *far <= NEAR) else {
            continue;
        };
        for found in codes(text) {
            // A year is a code only where it stands beside the word.
            let is_year = found.len() == 4 && (found.starts_with("19") || found.starts_with("20"));
            let far = far + usize::from(is_year) * NEAR;
            if best.as_ref().is_none_or(|(other, _)| far < *other) {
                best = Some((far, found));
            }
        }
    }
    best.map(|(_, found)| Clean::line(&found))
}

fn speaks(text: &str) -> bool {
    let text = text.to_lowercase();
    WORDS.iter().any(|word| match word.is_ascii() && word.len() < 4 {
        true => text.split(|c: char| !c.is_alphanumeric()).any(|said| said == *word),
        false => text.contains(word),
    })
}

fn codes(text: &str) -> Vec<String> {
    let words: Vec<&str> =
        text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let digits = |word: &str| word.chars().all(|c| c.is_ascii_digit());
        // `123 456`, as people write it.
        if word.len() == 3
            && digits(word)
            && words.get(at).is_some_and(|next| next.len() == 3 && digits(next))
        {
            found.push(format!("{word}{}", words[at]));
            at += 1;
            continue;
        }
        let bare: String = word.chars().filter(|c| *c != '-').collect();
        let is_plain = bare.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let has_digit = bare.chars().any(|c| c.is_ascii_digit());
        let hyphens = word.len() - bare.len();
        if (4..=8).contains(&bare.len()) && is_plain && has_digit && hyphens <= 1 {
            // The hyphen between digits is for the eye; among letters it is part of it.
            found.push(if digits(&bare) { bare } else { (*word).to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::render::{Role, Span};
    use super::*;

    fn found(text: &str) -> Option<String> {
        let line = |text: &str| Line {
            spans: vec![Span { text: Clean::line(text), role: Role::Plain }],
            ..Line::default()
        };
        code(&text.lines().map(line).collect::<Vec<_>>()).map(String::from)
    }

    #[test]
    fn the_code_is_the_one_near_the_word_for_it() {
        for (text, wanted) in [
            ("Your code is 493817.", Some("493817")),
            ("Copyright 2026\n\n\n\n\nYour sign-in code:\n\n  493-817\n", Some("493817")),
            ("Use 123 456 as your verification code", Some("123456")),
            ("Din kode: G-4938X", Some("G-4938X")),
            ("код подтверждения 5521", Some("5521")),
            ("您的验证码是 482910", Some("482910")),
            ("Order 493817 was shipped", None),
            ("Since 2019 your PIN was never 4821", Some("4821")),
            ("Your pin code, sent in 2026:\n4821", Some("4821")),
            ("the spinning wheel of 4821", None),
            ("no code here", None),
            ("", None),
        ] {
            assert_eq!(found(text).as_deref(), wanted, "{text:?}");
        }
    }
}
