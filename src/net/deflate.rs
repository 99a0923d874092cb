//! A connection that is compressed both ways (RFC 4978): raw DEFLATE, flushed after everything that is said.
//!
//! What comes is unfolded a piece at a time, so that memory does not grow with what a server claims.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::error::{Error, Kind, Result};

/// So much is unfolded in one go.
const PIECE: usize = 32 << 10;
/// More than this, at more than so many bytes out of one, is not mail but an attack: what a server may send is
/// limited above, but it should not cost it nothing to send it.
const PLENTY: u64 = 1 << 30;
const RATIO: u64 = 500;

pub(super) struct Deflate {
    folds: Compress,
    unfolds: Decompress,
    /// What came and was not unfolded yet, from here on.
    came: Vec<u8>,
    at: usize,
    plenty: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl Deflate {
    /// Begins; `came` was read from the connection already and is compressed.
    pub(super) fn new(came: Vec<u8>) -> Self {
        Self {
            folds: Compress::new(Compression::default(), false),
            unfolds: Decompress::new(false),
            came,
            at: 0,
            plenty: PLENTY,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// What goes over the wire for these bytes, all of them.
    pub(super) fn fold(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
        let before = self.folds.total_in();
        loop {
            let done = usize::try_from(self.folds.total_in() - before).unwrap_or(bytes.len());
            self.folds
                .compress_vec(&bytes[done..], &mut out, FlushCompress::Sync)
                .map_err(|e| Error::new(Kind::Bug, "could not compress what is to be said").because(e))?;
            let done = self.folds.total_in() - before;
            // Room that is left over shows that all was flushed.
            if done == bytes.len() as u64 && out.len() < out.capacity() {
                return Ok(out);
            }
            out.reserve(PIECE);
        }
    }

    /// Takes in what came over the wire.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.at == self.came.len() {
            self.came.clear();
            self.at = 0;
        }
        self.came.extend_from_slice(bytes);
    }

    /// Unfolds the next piece to the end of `into`: how many bytes. 0: something has to come first.
    pub(super) fn unfold(&mut self, into: &mut Vec<u8>) -> Result<usize> {
        let broken = |why: String| {
            Error::new(Kind::Protocol, "the server sent compressed data that cannot be read")
                .because(why)
                .hint("compress = \"off\" in the account does without compression")
        };
        loop {
            let start = into.len();
            into.reserve(PIECE);
            let before = self.unfolds.total_in();
            let status = self
                .unfolds
                .decompress_vec(&self.came[self.at..], into, FlushDecompress::Sync)
                .map_err(|e| broken(e.to_string()))?;
            let used = self.unfolds.total_in() - before;
            self.at += usize::try_from(used).unwrap_or(0);
            let (unfolded, left) = (into.len() - start, self.at < self.came.len());
            if left && (status == Status::StreamEnd || (used == 0 && unfolded == 0)) {
                return Err(broken("it goes on after its end".to_owned()));
            }
            self.bytes_in += used;
            self.bytes_out += unfolded as u64;
            if self.bytes_out > self.plenty && self.bytes_out / RATIO > self.bytes_in {
                return Err(broken(format!("{} bytes were {} on the wire", self.bytes_out, self.bytes_in)));
            }
            if unfolded > 0 || used == 0 {
                return Ok(unfolded);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The far end: folds and unfolds with the same means.
    fn pair() -> (Deflate, Deflate) {
        (Deflate::new(Vec::new()), Deflate::new(Vec::new()))
    }

    fn all(deflate: &mut Deflate) -> Vec<u8> {
        let mut out = Vec::new();
        while deflate.unfold(&mut out).unwrap() > 0 {}
        out
    }

    #[test]
    fn i10_what_was_said_arrives_whole_after_each_flush() {
        let (mut here, mut there) = pair();
        let noise: Vec<u8> = (0..300_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for said in [&b"a NOOP\r\n"[..], b"", &[b'x'; 200_000], &noise, b"b LOGOUT\r\n"] {
            let folded = here.fold(said).unwrap();
            // In pieces of any size.
            let mut heard = Vec::new();
            for piece in folded.chunks(7_001) {
                there.take(piece);
                heard.extend(all(&mut there));
            }
            assert!(heard == said, "{} bytes", said.len());
        }
        assert!(here.fold(&[b'x'; 200_000]).unwrap().len() < 1_000);
    }

    #[test]
    fn x3_each_piece_is_small_whatever_it_unfolds_to() {
        let (mut here, mut there) = pair();
        there.take(&here.fold(&vec![0; 8 << 20]).unwrap());
        let (mut total, mut out) = (0, Vec::new());
        loop {
            out.clear();
            let got = there.unfold(&mut out).unwrap();
            assert!(out.capacity() <= 4 * PIECE, "{}", out.capacity());
            total += got;
            if got == 0 {
                break;
            }
        }
        assert_eq!(total, 8 << 20);
    }

    #[test]
    fn x3_a_bomb_is_told() {
        let (mut here, mut there) = pair();
        there.plenty = 1 << 20;
        there.take(&here.fold(&vec![0; 8 << 20]).unwrap());
        let mut out = Vec::new();
        let error = loop {
            out.clear();
            if let Err(error) = there.unfold(&mut out) {
                break error;
            }
        };
        assert_eq!(error.kind(), Kind::Protocol);
        assert!(error.hint_text().unwrap().contains("compress"), "{error:?}");
    }

    #[test]
    fn x3_nonsense_is_an_error_and_no_end() {
        for bytes in [&b"\xff\xff\xff\xff"[..], b"\x03\x00more", b"\x00\x05\x00\x05\x00hello"] {
            let (_, mut there) = pair();
            there.take(bytes);
            let mut out = Vec::new();
            let end = (0..100).find_map(|_| match there.unfold(&mut out) {
                Ok(0) => Some(Ok(())),
                Ok(_) => None,
                Err(e) => Some(Err(e)),
            });
            assert!(matches!(end, Some(Err(ref e)) if e.kind() == Kind::Protocol), "{bytes:?}: {end:?}");
        }
    }
}
