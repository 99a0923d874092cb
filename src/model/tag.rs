//! Tags: short names that people give to mail. Servers keep them as keywords (RFC 9051 section 2.3.2).
//!
//! A tag that is to travel has to be an atom of IMAP, so no tag may be what could never be one. Letters beyond
//! ASCII are allowed: on the wire the protocol writes them as other mail programs do.

use super::Flags;
use crate::text::Clean;

/// Characters of a name at most: servers keep keywords of about fifty bytes.
const LONGEST: usize = 40;

/// Whether a tag may be called so; if not, why, as a sentence.
pub fn check_tag(name: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("{} cannot be a tag: {why}", Clean::line(&format!("`{name}`"))));
    if name.is_empty() {
        return Err("a tag needs a name".to_owned());
    }
    if name.chars().count() > LONGEST {
        return Err(format!("a tag has at most {LONGEST} characters"));
    }
    if name.starts_with('\\') || Flags::from_wire(name).is_some() {
        return wrong("that name has a meaning of its own on servers");
    }
    if name.starts_with(['+', '-']) {
        return wrong("+ and - say what to do with a tag");
    }
    if name.contains(char::is_whitespace) || Clean::line(name).as_str() != name {
        return wrong("it holds blanks or characters that do not show");
    }
    match name.chars().find(|c| "(){}%*\"\\[]".contains(*c)) {
        Some(odd) => wrong(&format!("it holds {odd}")),
        None => Ok(()),
    }
}

/// Whether two names are the same tag: servers do not tell the case of ASCII letters apart.
#[must_use]
pub fn is_same_tag(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The tag of a muted conversation, on each of its mails (promise A8).
pub const MUTED: &str = "$Muted";

/// Whether these tags are of a muted conversation.
#[must_use]
pub fn is_muted(tags: &[Clean]) -> bool {
    tags.iter().any(|tag| is_same_tag(tag.as_str(), MUTED))
}

/// Whether people want to see it on a row: not what programs write for themselves (`$MDNSent`, `NonJunk`).
#[must_use]
pub fn is_shown_tag(name: &str) -> bool {
    const NOISE: [&str; 5] = ["Junk", "NonJunk", "NotJunk", "Forwarded", "MDNSent"];
    let is_label = name.strip_prefix("$label").is_some_and(|rest| !rest.is_empty());
    (is_label || !name.starts_with('$')) && !NOISE.iter().any(|noise| is_same_tag(noise, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_server_could_keep_are_refused_in_words() {
        for good in ["todo", "$label1", "Büro", "a.b/c:d", "2027", "R&D", "日本語"] {
            assert_eq!(check_tag(good), Ok(()), "{good}");
        }
        let long = "x".repeat(41);
        for bad in [
            "",
            "a b",
            "a\r\nb",
            "a\0b",
            "\\Seen",
            "$forwarded",
            "(x",
            "x)",
            "{3}",
            "50%",
            "a*",
            "say\"so",
            "[x]",
            "+x",
            "-x",
            "a\u{202e}b",
            "a\u{a0}b",
            &long,
        ] {
            let why = check_tag(bad).unwrap_err();
            assert!(!why.ends_with('.') && !why.chars().any(char::is_control), "{why}");
        }
    }

    #[test]
    fn what_programs_note_for_themselves_is_not_shown() {
        assert!(is_shown_tag("todo") && is_shown_tag("$label1"));
        assert!(!is_shown_tag("$MDNSent") && !is_shown_tag("nonjunk") && !is_shown_tag("$label"));
    }
}
