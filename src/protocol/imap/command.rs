//! A command being built: text, quoted or literal arguments, nothing that could break out of a line.

use std::borrow::Cow;

/// A piece of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Goes out as it is.
    Text(Vec<u8>),
    /// Goes out as a literal.
    Literal(Cow<'a, [u8]>),
}

/// A command without its tag and its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pieces: Vec<Piece<'a>>,
}

impl<'a> Command<'a> {
    /// A command of words of this program: nothing from outside belongs in here.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into().into_bytes())] }
    }

    /// More words of this program.
    #[must_use]
    pub(super) fn text(mut self, text: &str) -> Self {
        self.push(text.as_bytes());
        self
    }

    /// A string from outside after a blank: quoted if that is sure to be understood, else a literal.
    #[must_use]
    pub(super) fn string(mut self, bytes: &[u8]) -> Self {
        self.push(b" ");
        if bytes.len() <= 1000 && bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            let mut quoted = vec![b'"'];
            for &byte in bytes {
                if matches!(byte, b'"' | b'\\') {
                    quoted.push(b'\\');
                }
                quoted.push(byte);
            }
            quoted.push(b'"');
            self.push(&quoted);
            self
        } else {
            self.literal(bytes.to_vec())
        }
    }

    /// A literal, right behind what was written.
    #[must_use]
    pub(super) fn literal(mut self, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        self.pieces.push(Piece::Literal(bytes.into()));
        self
    }

    /// The pieces in order.
    pub(super) fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }

    fn push(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.extend_from_slice(bytes),
            _ => self.pieces.push(Piece::Text(bytes.to_vec())),
        }
    }
}

/// Whether this can stand as a keyword in a command: an atom (RFC 9051 section 9).
pub(super) fn is_keyword(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x4_no_argument_breaks_out_of_its_line() {
        let command = Command::new("SELECT").string(b"a\"b\\").text(" (CONDSTORE)");
        assert_eq!(command.pieces(), [Piece::Text(b"SELECT \"a\\\"b\\\\\" (CONDSTORE)".to_vec())]);
        for odd in [&b"a\r\nx LOGOUT"[..], b"a\0", b"\xff", "ü".as_bytes(), &[b'a'; 2000]] {
            let command = Command::new("SELECT").string(odd);
            assert_eq!(command.pieces(), [Piece::Text(b"SELECT ".to_vec()), Piece::Literal(odd.into())]);
        }
        assert!(is_keyword("$MDNSent") && is_keyword("a.b-c") && is_keyword("Re:"));
        for bad in ["", "a b", "a)", "\\Seen", "ü", "a\r\nb", "*"] {
            assert!(!is_keyword(bad), "{bad}");
        }
    }
}
