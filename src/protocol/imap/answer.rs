//! Status responses: how a command fares, the code that says why, and text for people
//! (RFC 9051 section 7.1).

use super::sets::Ranges;
use super::token::{Tokens, Value};

/// How a command, or the server, fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    No,
    Bad,
    Bye,
    Preauth,
}

impl Verdict {
    /// Reads one.
    pub(super) fn read(word: &[u8]) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_slice() {
            b"OK" => Self::Ok,
            b"NO" => Self::No,
            b"BAD" => Self::Bad,
            b"BYE" => Self::Bye,
            b"PREAUTH" => Self::Preauth,
            _ => return None,
        })
    }
}

/// A status response: the verdict, its code and its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) code: Option<Code>,
    /// For people; not cleaned.
    pub(super) text: String,
}

/// A response code (RFC 9051 section 7.1, RFC 4315, RFC 7162).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Code {
    Capability(Vec<String>),
    PermanentFlags(Vec<String>),
    UidNext(u32),
    UidValidity(u32),
    HighestModSeq(u64),
    AppendUid {
        validity: u32,
        uid: u32,
    },
    CopyUid {
        validity: u32,
        from: Ranges,
        to: Ranges,
    },
    /// Any other, its first word in upper case.
    Word(String),
}

impl Answer {
    /// Reads what follows the verdict.
    pub(super) fn new(verdict: Verdict, rest: &[u8]) -> Self {
        let rest = rest.trim_ascii();
        let (code, said) = split_code(rest);
        Self { verdict, code: code.and_then(code_of), text: text(said.trim_ascii()) }
    }

    /// Whether the code is this one, given in upper case.
    pub(super) fn says(&self, word: &str) -> bool {
        matches!(&self.code, Some(Code::Word(code)) if code == word)
    }
}

/// Bytes as text; what is not UTF-8 is marked.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// More words than this are not taken in.
const WORDS: usize = 1000;

/// What stands between blanks.
pub(super) fn words(rest: &[u8]) -> Vec<String> {
    rest.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).take(WORDS).map(text).collect()
}

/// The words of a list.
pub(super) fn names(list: Value<'_>) -> Vec<String> {
    list.into_list().iter().filter_map(|value| value.bytes().map(text)).collect()
}

/// `[code] text`; a bracket inside a quoted string does not close the code.
fn split_code(rest: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    if rest.first() == Some(&b'[') {
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b']' if !quoted => return (Some(&rest[1..at]), &rest[at + 1..]),
                _ => {}
            }
        }
    }
    (None, rest)
}

fn code_of(code: &[u8]) -> Option<Code> {
    let mut tokens = Tokens::new(code);
    let name = tokens.value()?.bytes()?.to_ascii_uppercase();
    let mut small = || tokens.value().and_then(|v| v.number()).and_then(|n| u32::try_from(n).ok());
    Some(match name.as_slice() {
        b"CAPABILITY" => Code::Capability(words(tokens.rest())),
        b"PERMANENTFLAGS" => Code::PermanentFlags(tokens.value().map(names).unwrap_or_default()),
        b"UIDNEXT" => Code::UidNext(small()?),
        b"UIDVALIDITY" => Code::UidValidity(small()?),
        b"HIGHESTMODSEQ" => Code::HighestModSeq(tokens.value()?.number()?),
        b"APPENDUID" => Code::AppendUid { validity: small()?, uid: small()? },
        b"COPYUID" => Code::CopyUid {
            validity: small()?,
            from: Ranges::read(tokens.value()?.bytes()?)?,
            to: Ranges::read(tokens.value()?.bytes()?)?,
        },
        other => Code::Word(text(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::imap::reply::{Reply, read};

    #[test]
    fn codes_are_found() {
        let Reply::Done { tag, answer } = read(b"m7 no [COPYUID 5 3:4,9 1:3] said \xff [x]\r\n") else {
            panic!()
        };
        assert_eq!((tag.as_str(), answer.verdict), ("m7", Verdict::No));
        assert_eq!(answer.text, "said \u{fffd} [x]");
        let Some(Code::CopyUid { validity: 5, from, to }) = answer.code else { panic!() };
        assert_eq!(from.exactly(3).zip(to.exactly(3)), Some((vec![3, 4, 9], vec![1, 2, 3])));
        let Reply::Says(answer) = read(b"* OK [PERMANENTFLAGS (\\Seen \\*)]\r\n") else { panic!() };
        assert_eq!(answer.code, Some(Code::PermanentFlags(vec!["\\Seen".into(), "\\*".into()])));
        let Reply::Says(answer) = read(b"* BYE [UNAVAILABLE x\r\n") else { panic!() };
        assert_eq!((answer.code, answer.text.as_str()), (None, "[UNAVAILABLE x"));
        let Reply::Says(answer) = read(b"* NO [overquota]\r\n") else { panic!() };
        assert!(answer.says("OVERQUOTA"));
        let Reply::Says(answer) = read(b"* OK [COPYUID 5 3:4294967299 1:3] lies\r\n") else { panic!() };
        assert_eq!(answer.text, "lies");
    }
}
