//! A command being built: text, quoted or literal arguments, nothing that could break out of a line.

use std::borrow::Cow;

use super::names;

/// A piece of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Goes out as it is.
    Text(Vec<u8>),
    /// Goes out as a literal.
    Literal(Cow<'a, [u8]>),
    /// The name of a mailbox, in modified UTF-7: goes out as the server takes names.
    Mailbox(Vec<u8>),
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
        self.quote(bytes, false);
        self
    }

    fn quote(&mut self, bytes: &[u8], in_utf8: bool) {
        let plain = |byte: &u8| (b' '..=b'~').contains(byte) || (in_utf8 && *byte >= 0x80);
        if bytes.len() <= 1000 && bytes.iter().all(plain) && std::str::from_utf8(bytes).is_ok() {
            let mut quoted = vec![b'"'];
            for &byte in bytes {
                if matches!(byte, b'"' | b'\\') {
                    quoted.push(b'\\');
                }
                quoted.push(byte);
            }
            quoted.push(b'"');
            self.push(&quoted);
        } else {
            self.pieces.push(Piece::Literal(bytes.to_vec().into()));
        }
    }

    /// The name of a mailbox, or a pattern of such names, after a blank.
    #[must_use]
    pub(super) fn mailbox(mut self, name: &[u8]) -> Self {
        self.push(b" ");
        self.pieces.push(Piece::Mailbox(name.to_vec()));
        self
    }

    /// The same command with names in the form that the server takes: once it was told that we read UTF-8
    /// (RFC 6855 section 3), as that, in quotes.
    pub(super) fn named(&self, in_utf8: bool) -> Command<'a> {
        let mut named = Command { pieces: Vec::new() };
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => named.push(text),
                Piece::Literal(bytes) => named.pieces.push(Piece::Literal(bytes.clone())),
                Piece::Mailbox(name) => {
                    let name = if in_utf8 { names::in_utf8(name) } else { name.clone() };
                    named.quote(&name, in_utf8);
                }
            }
        }
        named
    }

    /// Whether a name in it is written in another way in UTF-8.
    pub(super) fn has_encoded(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Mailbox(name) if name.contains(&b'&')))
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
        let command = Command::new("SELECT").mailbox(b"a\"b\\").text(" (CONDSTORE)").named(false);
        assert_eq!(command.pieces(), [Piece::Text(b"SELECT \"a\\\"b\\\\\" (CONDSTORE)".to_vec())]);
        for odd in [&b"a\r\nx LOGOUT"[..], b"a\0", b"\xff", "ü".as_bytes(), &[b'a'; 2000]] {
            let command = Command::new("SELECT").string(odd);
            assert_eq!(command.pieces(), [Piece::Text(b"SELECT ".to_vec()), Piece::Literal(odd.into())]);
        }
        let command = Command::new("COPY 1").mailbox(b"Entw&APw-rfe &- \"x\"");
        assert!(command.has_encoded());
        assert_eq!(
            command.named(false).pieces(),
            [Piece::Text(b"COPY 1 \"Entw&APw-rfe &- \\\"x\\\"\"".to_vec())]
        );
        let named = command.named(true);
        assert_eq!(named.pieces(), [Piece::Text("COPY 1 \"Entwürfe & \\\"x\\\"\"".into())]);
        for odd in [&b"&AA0ACg-x LOGOUT"[..], b"&AAA-", b"\xff&APw-"] {
            let named = Command::new("SELECT").mailbox(odd).named(true);
            assert!(matches!(named.pieces(), [Piece::Text(_), Piece::Literal(_)]), "{odd:?}");
        }
        assert!(is_keyword("$MDNSent") && is_keyword("a.b-c") && is_keyword("Re:"));
        for bad in ["", "a b", "a)", "\\Seen", "ü", "a\r\nb", "*"] {
            assert!(!is_keyword(bad), "{bad}");
        }
    }
}
