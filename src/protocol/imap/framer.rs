//! Cuts the bytes of a server into whole responses, in whatever pieces they come, with limits.
//!
//! A response is a line, or several with literals between them (RFC 9051 section 4.3). Literals are kept
//! in place, kept in part, or handed through and replaced by an empty one: a mail is never held whole.

use super::literal::announced;
use crate::error::{Error, Kind, Result};

/// The longest line, and the longest response without what is handed through, in bytes: a SEARCH over a
/// million messages fits.
const FRAME: usize = 16 << 20;

/// The largest literal, in bytes; a server that announces more is not believed.
const LITERAL: u64 = 1 << 30;

/// What becomes of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Its first so many bytes stay in the response; the rest is dropped.
    Keep(u64),
    /// It is handed through.
    Through,
}

/// Takes what the framer cuts.
pub(super) trait Cuts {
    /// A literal of `size` bytes follows; `so_far` is the response up to it, its header included.
    fn literal(&mut self, so_far: &[u8], size: u64) -> Result<Place>;
    /// Bytes of a literal that is handed through.
    fn through(&mut self, bytes: &[u8]) -> Result<()>;
    /// A response is whole. Whether to go on.
    fn whole(&mut self, frame: &[u8]) -> Result<Go>;
}

/// Whether to go on cutting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    Enough,
}

/// The response being cut.
#[derive(Debug, Default)]
pub(super) struct Framer {
    frame: Vec<u8>,
    /// Where the current line begins in `frame`.
    line: usize,
    /// The literal under way.
    literal: Option<Literal>,
}

#[derive(Debug)]
struct Literal {
    left: u64,
    /// How many of them stay; `None`: they are handed through.
    keep: Option<u64>,
}

impl Framer {
    /// Whether nothing of a response has come yet.
    pub(super) fn is_between(&self) -> bool {
        self.frame.is_empty() && self.literal.is_none()
    }

    /// Cuts `bytes`; returns how many were used, which is all of them unless `cuts` had enough.
    pub(super) fn feed(&mut self, bytes: &[u8], cuts: &mut dyn Cuts) -> Result<(usize, Go)> {
        let mut at = 0;
        while at < bytes.len() {
            if self.literal.is_some() {
                at += self.fill_literal(&bytes[at..], cuts)?;
                continue;
            }
            let rest = &bytes[at..];
            let end = rest.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
            let piece = &rest[..end.unwrap_or(rest.len())];
            if self.frame.len() + piece.len() > FRAME {
                return Err(Error::new(
                    Kind::Protocol,
                    format!("the server sent a response of over {} MiB", FRAME >> 20),
                ));
            }
            self.frame.extend_from_slice(piece);
            at += piece.len();
            if end.is_some() && self.end_line(cuts)? == Go::Enough {
                return Ok((at, Go::Enough));
            }
        }
        Ok((at, Go::On))
    }

    fn fill_literal(&mut self, bytes: &[u8], cuts: &mut dyn Cuts) -> Result<usize> {
        let Some(literal) = &mut self.literal else { return Ok(0) };
        let used = usize::try_from(literal.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        literal.left -= used as u64;
        let done = literal.left == 0;
        match &mut literal.keep {
            None => cuts.through(&bytes[..used])?,
            Some(keep) => {
                let kept = usize::try_from(*keep).map_or(used, |keep| keep.min(used));
                *keep -= kept as u64;
                self.frame.extend_from_slice(&bytes[..kept]);
            }
        }
        if done {
            self.literal = None;
            self.line = self.frame.len();
        }
        Ok(used)
    }

    /// A line has ended: either a literal follows, or the response is whole.
    fn end_line(&mut self, cuts: &mut dyn Cuts) -> Result<Go> {
        let line = &self.frame[self.line..];
        // An empty line between responses says nothing.
        if self.line == 0 && line.trim_ascii().is_empty() {
            self.frame.clear();
            return Ok(Go::On);
        }
        if (self.line > 0 || can_hold_literals(line))
            && let Some((open, size)) = announced(line)
        {
            return self.begin_literal(self.line + open, size, cuts).map(|()| Go::On);
        }
        let frame = std::mem::take(&mut self.frame);
        self.line = 0;
        let go = cuts.whole(&frame)?;
        // The next response reuses the memory, unless it was unusually much.
        if frame.capacity() <= 64 << 10 {
            self.frame = frame;
            self.frame.clear();
        }
        Ok(go)
    }

    fn begin_literal(&mut self, open: usize, size: u64, cuts: &mut dyn Cuts) -> Result<()> {
        if size > LITERAL {
            return Err(Error::new(
                Kind::Protocol,
                format!("the server announced a literal of {size} bytes, more than is taken"),
            ));
        }
        let keep = match cuts.literal(&self.frame, size)? {
            Place::Keep(most) => Some(size.min(most)),
            Place::Through => None,
        };
        // What stays in the response is announced as what it is.
        let kept = keep.unwrap_or(0);
        if kept != size {
            self.frame.truncate(open);
            self.frame.extend_from_slice(format!("{{{kept}}}\r\n").as_bytes());
        }
        if self.frame.len() as u64 + kept > FRAME as u64 {
            return Err(Error::new(
                Kind::Protocol,
                format!("the server sent a response of over {} MiB", FRAME >> 20),
            ));
        }
        self.line = self.frame.len();
        self.literal = (size > 0).then_some(Literal { left: size, keep });
        Ok(())
    }
}

/// Whether a response that begins with this line may hold literals. Status responses may not: their text
/// is for people and may well end in `{5}`.
fn can_hold_literals(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"*") else { return false };
    let rest = rest.trim_ascii_start();
    let word = rest.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    ![&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|status| word.eq_ignore_ascii_case(status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands through what follows `BODY[] `, keeps 5 bytes of what follows `X `.
    #[derive(Default, Debug, PartialEq, Eq)]
    struct Heard {
        frames: Vec<String>,
        through: Vec<u8>,
        enough_at: Option<usize>,
    }

    impl Cuts for Heard {
        fn literal(&mut self, so_far: &[u8], _: u64) -> Result<Place> {
            let so_far = String::from_utf8_lossy(so_far);
            Ok(if so_far.contains("BODY[] {") {
                Place::Through
            } else if so_far.contains("X {") {
                Place::Keep(5)
            } else {
                Place::Keep(1000)
            })
        }
        fn through(&mut self, bytes: &[u8]) -> Result<()> {
            self.through.extend_from_slice(bytes);
            Ok(())
        }
        fn whole(&mut self, frame: &[u8]) -> Result<Go> {
            self.frames.push(String::from_utf8_lossy(frame).into_owned());
            Ok(if Some(self.frames.len()) == self.enough_at { Go::Enough } else { Go::On })
        }
    }

    const TALK: &[u8] =
        b"* OK hello {5}\r\n\r\n* 1 FETCH (A {3}\r\na\r\n X {9}\r\n123456789 Z)\r\n* 2 FETCH (BODY[] {4}\r\n\
        {9}\n B {0}\r\n)\r\n* LIST () \"/\" {2+}\r\nab\r\nm1 OK done {3}\r\n+ go {7}\n";

    fn cut(pieces: &[&[u8]]) -> Heard {
        let (mut framer, mut heard) = (Framer::default(), Heard::default());
        for piece in pieces {
            framer.feed(piece, &mut heard).unwrap();
        }
        assert!(framer.is_between());
        heard
    }

    #[test]
    fn literals_in_odd_places() {
        let heard = cut(&[TALK]);
        assert_eq!(
            heard.frames,
            [
                "* OK hello {5}\r\n",
                "* 1 FETCH (A {3}\r\na\r\n X {5}\r\n12345 Z)\r\n",
                "* 2 FETCH (BODY[] {0}\r\n B {0}\r\n)\r\n",
                "* LIST () \"/\" {2+}\r\nab\r\n",
                "m1 OK done {3}\r\n",
                "+ go {7}\n",
            ]
        );
        assert_eq!(heard.through, b"{9}\n");
    }

    #[test]
    fn stops_behind_the_frame_that_was_enough() {
        let (mut framer, mut heard) = (Framer::default(), Heard { enough_at: Some(2), ..Heard::default() });
        let (used, go) = framer.feed(TALK, &mut heard).unwrap();
        assert_eq!(go, Go::Enough);
        assert!(TALK[used..].starts_with(b"* 2 FETCH"));
    }

    #[test]
    fn x3_limits_hold() {
        let mut heard = Heard::default();
        let e = Framer::default().feed(b"* 1 FETCH (BODY[] {4294967295}\r\n", &mut heard).unwrap_err();
        assert_eq!(e.kind(), Kind::Protocol);
        let (mut framer, megabyte) = (Framer::default(), vec![b'x'; 1 << 20]);
        let endless = (0..20).find_map(|_| framer.feed(&megabyte, &mut heard).err());
        assert_eq!(endless.map(|e| e.kind()), Some(Kind::Protocol));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(cuts in proptest::collection::vec(0usize..TALK.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let ends = cuts.iter().copied().chain([TALK.len()]);
            let mut start = 0;
            let pieces: Vec<&[u8]> = ends.map(|end| { let p = &TALK[start..end]; start = end; p }).collect();
            prop_assert_eq!(cut(&pieces), cut(&[TALK]));
        }

        #[test]
        fn any_bytes_are_cut(bytes in "[*+ {}0-9a\r\n\\(\\[\\]]{0,200}") {
            let _ = Framer::default().feed(bytes.as_bytes(), &mut Heard::default());
        }
    }
}
