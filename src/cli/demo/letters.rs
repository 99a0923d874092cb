//! The demo's letters: written by hand in plain text files, read into values.
//!
//! A letter begins with `=== KEY`, then comes its head until an empty line, then its text. `--- html`,
//! `--- calendar` and `--- report` begin another part. `ago` is its age, `re` the key of what it answers.

use crate::model::Flags;

/// One letter as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) key: String,
    /// `work` or `home`; empty: as its file says.
    pub(super) account: String,
    /// A folder's path.
    pub(super) folder: String,
    /// Seconds before now.
    pub(super) ago: i64,
    /// The key of the letter that it answers.
    pub(super) re: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) cc: String,
    pub(super) subject: String,
    pub(super) charset: String,
    pub(super) list: Option<String>,
    pub(super) flags: Flags,
    /// Kind and file name: `png tooth.png`.
    pub(super) attach: Vec<(String, String)>,
    /// Other headers, as written.
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) html: Option<String>,
    pub(super) calendar: Option<String>,
    pub(super) report: Option<String>,
}

impl Letter {
    /// Whether its lines may be folded anew: no patch, no machine's report, no script without spaces.
    pub(super) fn is_prose(&self) -> bool {
        let machine = self.headers.iter().any(|(name, _)| name == "auto-submitted");
        !machine && !self.subject.starts_with("[PATCH") && self.charset != "iso-2022-jp"
    }
}

/// The letters of both accounts and those that arrive later.
pub(super) const WORK: &str = concat!(include_str!("work.mail"), include_str!("lists.mail"));
pub(super) const HOME: &str = include_str!("home.mail");
pub(super) const NEW: &str = include_str!("new.mail");

/// Every letter of a file, in its order.
pub(super) fn read(file: &str) -> Vec<Letter> {
    file.trim_start_matches("=== ").split("\n=== ").map(one).collect()
}

fn one(text: &str) -> Letter {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut letter = Letter {
        key: lines.next().unwrap_or("").trim().to_owned(),
        account: String::new(),
        folder: "INBOX".to_owned(),
        ago: 0,
        re: None,
        from: String::new(),
        to: String::new(),
        cc: String::new(),
        subject: String::new(),
        charset: "utf-8".to_owned(),
        list: None,
        flags: Flags::SEEN,
        attach: Vec::new(),
        headers: Vec::new(),
        text: String::new(),
        html: None,
        calendar: None,
        report: None,
    };
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let value = value.trim().to_owned();
        match name {
            "account" => letter.account = value,
            "folder" => letter.folder = value,
            "ago" => letter.ago = age(&value, &letter.key),
            "re" => letter.re = Some(value),
            "from" => letter.from = value,
            "to" => letter.to = value,
            "cc" => letter.cc = value,
            "subject" => letter.subject = value,
            "charset" => letter.charset = value,
            "list" => letter.list = Some(value),
            "flags" => letter.flags = flags(&value),
            "attach" => {
                // The kind may have two words: `inline png`.
                let at = value.find(" png ").filter(|_| value.starts_with("inline")).map_or(0, |at| at + 1);
                if let Some(gap) = value[at..].find(' ').map(|gap| gap + at) {
                    letter.attach.push((value[..gap].to_owned(), value[gap + 1..].to_owned()));
                }
            }
            _ => letter.headers.push((name.to_owned(), value)),
        }
    }
    // A patch has lines that begin with `---` too: only these three begin a part.
    let mut part: Option<&mut Option<String>> = None;
    for line in body.trim_end().lines() {
        part = match line {
            "--- html" => Some(&mut letter.html),
            "--- calendar" => Some(&mut letter.calendar),
            "--- report" => Some(&mut letter.report),
            _ => {
                let into = part.as_mut().map_or(&mut letter.text, |part| part.get_or_insert_default());
                into.push_str(line);
                into.push('\n');
                part
            }
        };
    }
    letter.text.truncate(letter.text.trim_end().len());
    letter.text.push('\n');
    letter
}

fn flags(words: &str) -> Flags {
    words.split(' ').fold(Flags::NONE, |flags, word| {
        flags
            | match word {
                "seen" => Flags::SEEN,
                "star" => Flags::FLAGGED,
                "answered" => Flags::ANSWERED,
                "draft" => Flags::DRAFT,
                _ => Flags::NONE,
            }
    })
}

/// An age to the minute: one in whole hours gets some minutes of its own, or all mail came at once.
fn age(text: &str, key: &str) -> i64 {
    let own = key.bytes().fold(7, |sum: i64, byte| (sum * 31 + i64::from(byte)) % 29);
    seconds(text) + if text.ends_with('m') { 0 } else { own * 60 }
}

/// `1d 4h 20m` in seconds; a leading `-` or `+` counts.
pub(super) fn seconds(text: &str) -> i64 {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let part = |word: &str| {
        let split = word.len().checked_sub(1)?;
        let number: i64 = word.get(..split)?.parse().ok()?;
        let unit = match word.get(split..)? {
            "d" => 86_400,
            "h" => 3600,
            _ => 60,
        };
        Some(number * unit)
    };
    sign * text.trim_start_matches(['+', '-']).split(' ').filter_map(part).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_letter_is_well_formed() {
        let mut keys = HashSet::new();
        for (file, least) in [(WORK, 50), (HOME, 25), (NEW, 10)] {
            let letters = read(file);
            assert!(letters.len() >= least, "{}", letters.len());
            for letter in letters {
                let key = &letter.key;
                assert!(keys.insert(key.clone()), "{key} is there twice");
                assert!(
                    !letter.from.is_empty() && !letter.to.is_empty() && !letter.subject.is_empty(),
                    "{key}"
                );
                assert!(letter.text.len() > 1 || letter.html.is_some(), "{key} says nothing");
                if let Some(parent) = &letter.re {
                    assert!(keys.contains(parent), "{key} answers {parent}, which is not before it");
                }
                for line in letter.text.lines() {
                    assert!(!line.starts_with("attach:"), "{key} has a head below its text");
                }
                assert!(
                    letter.headers.iter().all(|(name, _)| name.contains('-')),
                    "{key}: {:?}",
                    letter.headers
                );
                assert!(letter.ago > 0 || !letter.account.is_empty(), "{key} has no age");
            }
        }
    }

    #[test]
    fn ages_are_read() {
        assert_eq!(seconds("1d 4h"), 100_800);
        assert_eq!(seconds("-7d"), -604_800);
        assert_eq!(seconds("12m"), 720);
    }
}
