//! The words of a response: atoms, strings, literals and lists, read leniently and within bounds.
//!
//! Servers break the grammar of RFC 9051 section 9 in many small ways: 8-bit in quoted strings, missing
//! or doubled spaces, NIL where a string belongs, lists that are not closed. Nothing here fails: what
//! cannot be made sense of ends the reading early, and whoever asked gets less.

use std::borrow::Cow;

use super::literal::{at_start, number};

/// How deep lists may nest; deeper ones read as NIL. BODYSTRUCTURE is never asked for, so this is plenty.
const DEPTH: u32 = 32;

/// How many values one response may hold. Long answers (SEARCH) are read without making values.
const VALUES: u32 = 200_000;

/// One value of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// NIL.
    Nil,
    /// An atom or a number, brackets and what they hold included: `BODY[HEADER.FIELDS (DATE)]<0>`.
    Atom(&'a [u8]),
    /// A quoted string without its quotes and escapes, or a literal.
    Text(Cow<'a, [u8]>),
    /// A parenthesized list.
    List(Vec<Self>),
}

impl<'a> Value<'a> {
    /// The bytes of an atom or a string. NIL and lists have none.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(bytes) => Some(bytes),
            Self::Text(bytes) => Some(bytes),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// The members of a list; a lone value is taken as a list of one, NIL as an empty one.
    pub(super) fn into_list(self) -> Vec<Value<'a>> {
        match self {
            Self::List(members) => members,
            Self::Nil => Vec::new(),
            other => vec![other],
        }
    }

    /// The number that this is, if it is one. Some servers quote numbers.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::List(members) => members.first().and_then(Self::number),
            other => other.bytes().and_then(number),
        }
    }
}

/// Reads values from the bytes of a response, line ends and literals in place.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
    budget: u32,
    /// What was left when a section was found not to be closed: until then none that follows is.
    unclosed: usize,
}

impl<'a> Tokens<'a> {
    /// A reader at the start of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, budget: VALUES, unclosed: usize::MAX }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next value; `None` at the end. A closing parenthesis too many is passed over.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        while self.eat(b')') {}
        self.nested(0)
    }

    /// The next run of bytes up to a blank or the end of the line, taken as it is.
    pub(super) fn word(&mut self) -> &'a [u8] {
        self.skip_blanks();
        let end = self.rest.iter().position(|b| b" \t\r\n".contains(b)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.iter().take_while(|b| b" \t\r\n".contains(b)).count();
        self.take(blanks);
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.rest.first() == Some(&byte);
        if found {
            self.take(1);
        }
        found
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn nested(&mut self, depth: u32) -> Option<Value<'a>> {
        self.skip_blanks();
        self.budget = self.budget.checked_sub(1)?;
        match *self.rest.first()? {
            b'(' if depth < DEPTH => {
                self.take(1);
                let mut members = Vec::new();
                while !self.eat(b')') {
                    match self.nested(depth + 1) {
                        Some(member) => members.push(member),
                        // The end came before the list was closed.
                        None => break,
                    }
                }
                Some(Value::List(members))
            }
            b'(' => {
                self.skip_list();
                Some(Value::Nil)
            }
            b'"' => Some(Value::Text(self.quoted())),
            _ => match self.literal() {
                Some(bytes) => Some(Value::Text(Cow::Borrowed(bytes))),
                None => {
                    let atom = self.atom();
                    Some(if atom.eq_ignore_ascii_case(b"NIL") { Value::Nil } else { Value::Atom(atom) })
                }
            },
        }
    }

    /// A list that is too deep: passed over without recursion.
    fn skip_list(&mut self) {
        let mut open = 0u64;
        loop {
            self.skip_blanks();
            match self.rest.first() {
                None => return,
                Some(b'(') => {
                    self.take(1);
                    open += 1;
                }
                Some(b')') => {
                    self.take(1);
                    open = open.saturating_sub(1);
                    if open == 0 {
                        return;
                    }
                }
                Some(b'"') => drop(self.quoted()),
                Some(_) => {
                    if self.literal().is_none() {
                        self.atom();
                    }
                }
            }
        }
    }

    /// A quoted string. One that is not closed ends with its line.
    fn quoted(&mut self) -> Cow<'a, [u8]> {
        self.take(1);
        let plain = self.rest.iter().position(|b| b"\"\\\r\n".contains(b)).unwrap_or(self.rest.len());
        let start = self.take(plain);
        if self.rest.first() != Some(&b'\\') {
            if self.rest.first() == Some(&b'"') {
                self.take(1);
            }
            return Cow::Borrowed(start);
        }
        let mut text = start.to_vec();
        loop {
            match self.take(1) {
                [b'\\'] => match self.rest.first() {
                    None | Some(b'\r' | b'\n') => break,
                    Some(&byte) => {
                        text.push(byte);
                        self.take(1);
                    }
                },
                [b'"' | b'\r' | b'\n'] | [] => break,
                other => text.extend_from_slice(other),
            }
        }
        Cow::Owned(text)
    }

    /// A literal or a literal8 (RFC 9051 section 4.3), if one begins here. Cut short where the bytes end.
    fn literal(&mut self) -> Option<&'a [u8]> {
        let (header, size) = at_start(self.rest)?;
        self.take(header);
        Some(self.take(usize::try_from(size).unwrap_or(usize::MAX)))
    }

    /// An atom: at least one byte.
    fn atom(&mut self) -> &'a [u8] {
        let mut at = 0;
        while let Some(&byte) = self.rest.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b'"' => break,
                b'{' | b'~' if at > 0 && at_start(&self.rest[at..]).is_some() => break,
                b'[' => at += self.section(at),
                _ => at += 1,
            }
        }
        self.take(at.max(1))
    }

    /// How many bytes the section takes whose bracket is at `at`; 1 when its line ends before it does.
    fn section(&mut self, at: usize) -> usize {
        let bytes = &self.rest[at..];
        if bytes.len() > self.unclosed {
            return 1;
        }
        let mut quoted = false;
        for (len, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b']' if !quoted => {
                    self.unclosed = usize::MAX;
                    return len + 1;
                }
                b'\r' | b'\n' => {
                    self.unclosed = bytes.len() - len;
                    return 1;
                }
                _ => {}
            }
        }
        self.unclosed = 0;
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Value<'_>> {
        let mut tokens = Tokens::new(bytes);
        std::iter::from_fn(|| tokens.value()).collect()
    }

    fn atom(text: &str) -> Value<'_> {
        Value::Atom(text.as_bytes())
    }

    fn text(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text.as_bytes()))
    }

    #[test]
    fn reads_every_kind_of_value() {
        let found = all(b"UID 12 FLAGS (\\Seen $x) \"a \\\"b\\\\\" {3}\r\nx)y nil ~{2}\r\n\0\0 BODY[1.HEADER.FIELDS (TO \"]\")]<0> ()\r\n");
        assert_eq!(
            found,
            [
                atom("UID"),
                atom("12"),
                atom("FLAGS"),
                Value::List(vec![atom("\\Seen"), atom("$x")]),
                text("a \"b\\"),
                text("x)y"),
                Value::Nil,
                text("\0\0"),
                atom("BODY[1.HEADER.FIELDS (TO \"]\")]<0>"),
                Value::List(vec![]),
            ]
        );
    }

    #[test]
    fn odd_spacing_is_forgiven() {
        assert_eq!(
            all(b"  FLAGS(\\Seen  )BODY[]{2}\r\nhiUID\t7 )) X"),
            [
                atom("FLAGS"),
                Value::List(vec![atom("\\Seen")]),
                atom("BODY[]"),
                text("hi"),
                atom("UID"),
                atom("7"),
                atom("X")
            ]
        );
    }

    #[test]
    fn what_is_cut_off_ends_early() {
        assert_eq!(
            all(b"(a (b \"c"),
            [Value::List(vec![atom("a"), Value::List(vec![atom("b"), text("c")])])]
        );
        assert_eq!(all(b"{10}\r\nabc"), [text("abc")]);
        assert_eq!(all(b"\"a\\"), [text("a")]);
        assert_eq!(all(b"BODY[HEADER"), [atom("BODY[HEADER")]);
        assert_eq!(all("\"h\u{e9}\" \u{e9}".as_bytes()), [text("h\u{e9}"), atom("\u{e9}")]);
    }

    #[test]
    fn x3_a_million_parentheses_cost_no_stack() {
        let mut deep = vec![b'('; 1_000_000];
        deep.extend_from_slice(b" x");
        let mut tokens = Tokens::new(&deep);
        assert!(matches!(tokens.value(), Some(Value::List(_))));
        deep = b"(".repeat(100);
        deep.extend(b")".repeat(100));
        deep.extend_from_slice(b" after");
        let mut tokens = Tokens::new(&deep);
        tokens.value();
        assert_eq!(tokens.value(), Some(atom("after")));
    }

    fn count(value: &Value<'_>) -> usize {
        match value {
            Value::List(members) => 1 + members.iter().map(count).sum::<usize>(),
            _ => 1,
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let total: usize = all(&bytes).iter().map(count).sum();
            prop_assert!(total <= bytes.len());
        }

        #[test]
        fn any_syntax_ends(bytes in "[(){}\"\\\\\\[\\]~0-9a*+ \r\n-]{0,200}") {
            let total: usize = all(bytes.as_bytes()).iter().map(count).sum();
            prop_assert!(total <= bytes.len());
        }

        #[test]
        fn strings_come_back(raw in proptest::collection::vec(any::<u8>(), 0..60), literal in any::<bool>()) {
            prop_assume!(literal || !raw.iter().any(|b| b"\r\n".contains(b)));
            let mut wire = Vec::new();
            if literal {
                wire.extend_from_slice(format!("{{{}}}\r\n", raw.len()).as_bytes());
                wire.extend_from_slice(&raw);
            } else {
                wire.push(b'"');
                for &byte in &raw {
                    if b"\"\\".contains(&byte) {
                        wire.push(b'\\');
                    }
                    wire.push(byte);
                }
                wire.push(b'"');
            }
            wire.extend_from_slice(b" END\r\n");
            let found = all(&wire);
            prop_assert_eq!(found.len(), 2);
            prop_assert_eq!(found[0].bytes(), Some(&raw[..]));
            prop_assert_eq!(&found[1], &atom("END"));
        }
    }
}
