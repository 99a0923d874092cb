//! The words of an IMAP command (RFC 9051 section 4), and sets of UIDs.

use super::{Line, Said};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// As it was written; what is within square brackets belongs to it.
    Atom(String),
    /// A quoted string or a literal.
    Text(Vec<u8>),
    Open,
    Close,
}

impl Word {
    /// Atom or text: a name, a number, a flag.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Atom(atom) => atom.clone(),
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Open => "(".into(),
            Self::Close => ")".into(),
        }
    }

    /// In upper case, for comparing.
    pub(super) fn upper(&self) -> String {
        self.name().to_ascii_uppercase()
    }
}

/// One command with its literals; `free`: those with a plus need no leave.
pub(super) fn command(line: &mut Line, free: bool) -> Said<Vec<Word>> {
    let mut words = Vec::new();
    loop {
        let text = line.line()?;
        let Some((size, plus)) = literal(&text) else {
            split(&text, &mut words);
            return Ok(words);
        };
        let start = text.iter().rposition(|byte| *byte == b'{').unwrap_or(0);
        split(&text[..start], &mut words);
        if !plus {
            line.say(b"+ go on\r\n")?;
        } else if !free {
            words.push(Word::Atom("a literal that needs leave".into()));
            return Ok(words);
        }
        words.push(Word::Text(line.exactly(size)?));
    }
}

fn literal(text: &[u8]) -> Option<(usize, bool)> {
    let text = std::str::from_utf8(text.get(text.iter().rposition(|byte| *byte == b'{')?..)?).ok()?;
    let number = text.strip_prefix('{')?.strip_suffix('}')?;
    let size = number.trim_end_matches('+').parse().ok()?;
    Some((size, number.ends_with('+')))
}

fn split(text: &[u8], words: &mut Vec<Word>) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b' ' => {}
            b'(' => words.push(Word::Open),
            b')' => words.push(Word::Close),
            b'"' => {
                let mut quoted = Vec::new();
                while let Some(&byte) = text.get(at) {
                    at += 1;
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            quoted.extend(text.get(at));
                            at += 1;
                        }
                        _ => quoted.push(byte),
                    }
                }
                words.push(Word::Text(quoted));
            }
            _ => {
                let (start, mut depth) = (at - 1, u32::from(byte == b'['));
                while let Some(&byte) = text.get(at) {
                    match byte {
                        b'[' => depth += 1,
                        b']' => depth = depth.saturating_sub(1),
                        b' ' | b'(' | b')' if depth == 0 => break,
                        _ => {}
                    }
                    at += 1;
                }
                words.push(Word::Atom(String::from_utf8_lossy(&text[start..at]).into_owned()));
            }
        }
    }
}

/// Those of `all`, which ascend, that a set names; `*` is the last one.
pub(super) fn chosen(set: &str, all: &[u32]) -> Vec<u32> {
    let last = all.last().copied().unwrap_or(0);
    let number = |text: &str| if text == "*" { last } else { text.parse().unwrap_or(0) };
    let within = |uid: &u32| {
        set.split(',').any(|part| {
            let (a, b) = part.split_once(':').unwrap_or((part, part));
            let (a, b) = (number(a), number(b));
            (a.min(b)..=a.max(b)).contains(uid)
        })
    };
    all.iter().copied().filter(within).collect()
}

/// Numbers as a set.
pub(super) fn set(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

#[test]
fn words_and_sets_are_read() {
    let mut words = Vec::new();
    split(b"m1 UID FETCH 1:3 (UID BODY.PEEK[HEADER.FIELDS (A B)]) \"a \\\" b\"", &mut words);
    let names: Vec<String> = words.iter().map(Word::name).collect();
    let wanted = ["m1", "UID", "FETCH", "1:3", "(", "UID", "BODY.PEEK[HEADER.FIELDS (A B)]", ")", "a \" b"];
    assert_eq!(names, wanted);
    assert_eq!(chosen("2:4,9:*", &[1, 2, 4, 7]), [2, 4, 7]);
    assert_eq!(literal(b"APPEND x {12+}"), Some((12, true)));
}
