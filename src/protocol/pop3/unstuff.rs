//! The end of a multi-line answer, and its dots (RFC 1939 section 3): everything else passes as it is.

use memchr::memmem;

use crate::error::Result;

/// Takes a multi-line answer in any pieces and undoes the dot-stuffing.
///
/// A line ends with CRLF and with nothing else, as the RFC has it: a bare LF or CR is a byte of the
/// message (promise P8), and a dot behind it is neither stuffed nor the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unstuff(At);

#[derive(Debug, Clone, Copy)]
enum At {
    LineStart,
    /// Within a line; whether the byte before was CR.
    Text {
        cr: bool,
    },
    /// Behind the dot that began a line.
    Dot,
    /// Behind such a dot and a CR that was not passed on yet.
    DotCr,
}

impl Unstuff {
    /// At the first byte behind the status line.
    pub(super) fn new() -> Self {
        Self(At::LineStart)
    }

    /// Passes on the message's own bytes among `input`. Returns how many bytes were taken and whether
    /// the answer is complete; all are taken until it is.
    pub(super) fn push(
        &mut self,
        input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<(usize, bool)> {
        // From here on nothing was passed on yet.
        let mut from = 0;
        let mut i = 0;
        while i < input.len() {
            match self.0 {
                At::LineStart if input[i] == b'.' => {
                    pass(&input[from..i], out)?;
                    i += 1;
                    from = i;
                    self.0 = At::Dot;
                }
                At::LineStart => self.0 = At::Text { cr: false },
                At::Text { cr: true } if input[i] == b'\n' => {
                    i += 1;
                    self.0 = At::LineStart;
                }
                // Lines that begin with anything but a dot are passed over unseen.
                At::Text { .. } => match memmem::find(&input[i..], b"\r\n.") {
                    Some(end) => {
                        i += end + 2;
                        self.0 = At::LineStart;
                    }
                    None => {
                        let rest = &input[i..];
                        self.0 = match rest.ends_with(b"\r\n") {
                            true => At::LineStart,
                            false => At::Text { cr: rest.ends_with(b"\r") },
                        };
                        break;
                    }
                },
                At::Dot if input[i] == b'\r' => {
                    i += 1;
                    self.0 = At::DotCr;
                }
                At::Dot => self.0 = At::Text { cr: false },
                At::DotCr if input[i] == b'\n' => return Ok((i + 1, true)),
                At::DotCr => {
                    out(b"\r")?;
                    from = i;
                    self.0 = At::Text { cr: true };
                }
            }
        }
        if !matches!(self.0, At::DotCr) {
            pass(&input[from..], out)?;
        }
        Ok((input.len(), false))
    }
}

fn pass(bytes: &[u8], out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    if bytes.is_empty() { Ok(()) } else { out(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What an honest server sends for `message`: stuffed, ended, followed by the next answer.
    fn stuffed(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut start = true;
        for (i, byte) in message.iter().enumerate() {
            if start && *byte == b'.' {
                out.push(b'.');
            }
            out.push(*byte);
            start = message[..=i].ends_with(b"\r\n");
        }
        if !start {
            out.extend(b"\r\n");
        }
        out.extend(b".\r\n");
        out
    }

    fn unstuffed(pieces: &[&[u8]]) -> (Vec<u8>, bool, usize) {
        let mut unstuff = Unstuff::new();
        let (mut out, mut taken) = (Vec::new(), 0);
        for piece in pieces {
            let (used, done) = unstuff
                .push(piece, &mut |bytes| {
                    assert!(!bytes.is_empty());
                    out.extend_from_slice(bytes);
                    Ok(())
                })
                .unwrap();
            taken += used;
            if done {
                return (out, true, taken);
            }
            assert_eq!(used, piece.len());
        }
        (out, false, taken)
    }

    #[test]
    fn p8_bytes_are_kept_exactly() {
        for (wire, message) in [
            (&b".\r\n"[..], &b""[..]),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"...\r\n.\r\n", b"..\r\n"),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\r.\r\n.\r\n", b"a\r.\r\n"),
            (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
            (b".\rx\r\n.\r\n", b"\rx\r\n"),
            (b".\r\r\n.\r\n", b"\r\r\n"),
            (b".\n\r\n.\r\n", b"\n\r\n"),
            (b"From x\r\n\0\xff\r\n.\r\n", b"From x\r\n\0\xff\r\n"),
        ] {
            let shown = String::from_utf8_lossy(wire);
            assert_eq!(unstuffed(&[wire]), (message.to_vec(), true, wire.len()), "{shown:?}");
            let single: Vec<&[u8]> = wire.chunks(1).collect();
            assert_eq!(unstuffed(&single), (message.to_vec(), true, wire.len()), "{shown:?} byte by byte");
        }
    }

    #[test]
    fn an_answer_without_its_end_is_not_complete() {
        assert!(!unstuffed(&[b"text\r\n."]).1);
        assert!(!unstuffed(&[b"text\r\n.\r"]).1);
        assert!(!unstuffed(&[b"text.\r\n"]).1);
    }

    proptest! {
        #[test]
        fn p8_any_message_survives_any_split(
            message in proptest::collection::vec(
                prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'a'), any::<u8>()], 0..60),
            cuts in proptest::collection::vec(0usize..80, 0..8),
        ) {
            let mut wire = stuffed(&message);
            let whole = wire.len();
            wire.extend(b"+OK the next answer\r\n");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(wire.len())).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &wire[w[0]..w[1]]).collect();
            let (out, done, taken) = unstuffed(&pieces);
            // A last line without its end is given one by the server; no client can tell.
            let expected = if message.is_empty() || message.ends_with(b"\r\n") {
                message
            } else {
                [&message[..], b"\r\n"].concat()
            };
            prop_assert!(done);
            prop_assert_eq!(taken, whole);
            prop_assert_eq!(out, expected);
        }
    }
}
