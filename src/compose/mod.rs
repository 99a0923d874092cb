//! Writing mail: from what a person means to the bytes that go out.
//!
//! Pure: no clock, no files, no host name. What comes from a mail that is answered is not trusted: nothing of it can
//! end a header field (promise O4 and the rules of RFC 5322, 2045 to 2047, 2231 and 3676).

mod build;
mod check;
mod field;
mod finish;
mod mailto;
mod original;
mod quote;
mod reply;
mod resent;
mod shelf;
#[cfg(test)]
mod tests;
mod text;
mod vcard;

pub use build::{Attachment, Letter, build, from_field, is_eight_bit, message_id};
pub use check::{Concern, concerns};
pub use finish::{letter, people};
pub use mailto::Mailto;
pub use original::Original;
pub use reply::{answer, as_whom, blank, field, whole};
pub use resent::resent;
pub use shelf::{shelved, unshelved};
pub use text::{Body, lay_out};

pub use vcard::vcards;

use std::borrow::Cow;

/// Line ends as they are on the wire, and nothing else in the place of one.
#[must_use]
pub fn with_line_ends(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut before = 0;
    let is_clean = raw.iter().all(|&byte| {
        let after_cr = before == b'\r';
        before = byte;
        (byte == b'\n') == after_cr
    });
    if is_clean && before != b'\r' {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 40);
    let mut after_cr = false;
    for &byte in raw {
        match byte {
            b'\n' if after_cr => {}
            b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
            _ => out.push(byte),
        }
        after_cr = byte == b'\r';
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod line_ends {
    use super::*;

    #[test]
    fn o1_every_line_end_is_one_of_the_wire() {
        for (from, to) in [
            (&b"a\r\nb\r\n"[..], &b"a\r\nb\r\n"[..]),
            (b"a\nb\rc\r\n\n", b"a\r\nb\r\nc\r\n\r\n"),
            (b"\r\r\n", b"\r\n\r\n"),
            (b"a\r", b"a\r\n"),
            (b"", b""),
        ] {
            assert_eq!(with_line_ends(from), to, "{from:?}");
        }
    }
}
