//! Raw mail in and out of chunks: cut at 1 MiB, compressed where that helps, hashed on the way.

use std::cell::RefCell;

use sha2::{Digest, Sha256};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::compress_bound;

use super::batch::Chunk;
use super::fault::damaged;
use crate::error::{Error, Kind, Result};

/// Raw bytes in one chunk; the last of a mail is shorter.
pub(super) const CHUNK: usize = 1 << 20;

/// Turns the bytes of one mail after another into chunks. Kept for many mails: its tables are large.
pub struct Packer {
    zstd: Compressor<'static>,
    raw: Vec<u8>,
    /// Where chunks are compressed to: room for the worst case, which what is handed on should not keep.
    small: Vec<u8>,
    /// The first chunk of a mail that has more than one.
    first: Vec<u8>,
    hash: Sha256,
    size: u64,
    seq: u32,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").field("size", &self.size).field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl Packer {
    /// A packer at the beginning of a mail. Fails only without memory.
    pub fn new() -> Result<Self> {
        let zstd = Compressor::new(1).map_err(unpackable)?;
        Ok(Self {
            zstd,
            raw: Vec::new(),
            small: Vec::new(),
            first: Vec::new(),
            hash: Sha256::new(),
            size: 0,
            seq: 0,
        })
    }

    /// Takes the next bytes; returns the chunks that are full.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Chunk>> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        let mut full = Vec::new();
        while self.raw.len() + bytes.len() > CHUNK {
            let (now, later) = bytes.split_at(CHUNK - self.raw.len());
            self.raw.extend_from_slice(now);
            full.push(self.cut()?);
            bytes = later;
        }
        self.raw.extend_from_slice(bytes);
        Ok(full)
    }

    /// The first MiB of the mail, as far as it came.
    #[must_use]
    pub fn beginning(&self) -> &[u8] {
        if self.seq == 0 { &self.raw } else { &self.first }
    }

    /// Ends the mail: its last chunks, its size in bytes and its SHA-256. The next `push` begins another.
    pub fn finish(&mut self) -> Result<(Vec<Chunk>, u64, [u8; 32])> {
        let last = if self.raw.is_empty() { Vec::new() } else { vec![self.cut()?] };
        let facts = (last, self.size, self.hash.finalize_reset().into());
        self.reset();
        Ok(facts)
    }

    /// Forgets a mail that will not be whole.
    pub fn reset(&mut self) {
        self.raw.clear();
        self.first = Vec::new();
        self.hash.reset();
        (self.size, self.seq) = (0, 0);
    }

    fn cut(&mut self) -> Result<Chunk> {
        self.small.clear();
        self.small.reserve(compress_bound(self.raw.len()));
        self.zstd.compress_to_buffer(&self.raw, &mut self.small).map_err(unpackable)?;
        let packed = self.small.len() < self.raw.len();
        let bytes = if packed { self.small.clone() } else { self.raw.clone() };
        if self.seq == 0 && self.raw.len() == CHUNK {
            self.first = std::mem::take(&mut self.raw);
        }
        self.raw.clear();
        let seq = self.seq;
        self.seq += 1;
        Ok(Chunk { seq, packed, bytes })
    }
}

fn unpackable(e: std::io::Error) -> Error {
    Error::new(Kind::Bug, "zstd could not begin, or not compress a mail").because(e)
}

/// The raw bytes of a stored chunk.
pub(super) fn unpack(packed: bool, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if !packed {
        return Ok(bytes);
    }
    thread_local! {
        // Its tables cost more to set up than most mails to unpack.
        static ZSTD: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    ZSTD.with_borrow_mut(|kept| {
        let zstd = match kept {
            Some(zstd) => zstd,
            None => kept.insert(Decompressor::new().map_err(unpackable)?),
        };
        zstd.decompress(&bytes, CHUNK).map_err(|e| damaged("a mail does not unpack").because(e))
    })
}

/// How many chunks a mail of `size` bytes has.
pub(super) fn chunks_of(size: u64) -> i64 {
    i64::try_from(size.div_ceil(CHUNK as u64)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p8_bytes_come_back_exactly_and_chunks_are_cut_at_one_mib() {
        let mut packer = Packer::new().unwrap();
        for size in [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77_777] {
            // Half of it compresses, half does not.
            let mut x = 1u32;
            let mut noise = || {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (x >> 24) as u8
            };
            let raw: Vec<u8> =
                (0..size).map(|i| if i % CHUNK < CHUNK / 2 { b'a' } else { noise() }).collect();
            let mut chunks = Vec::new();
            for piece in raw.chunks(300_001) {
                chunks.extend(packer.push(piece).unwrap());
            }
            let (last, told, hash) = packer.finish().unwrap();
            chunks.extend(last);
            assert_eq!(told, size as u64);
            assert_eq!(hash, <[u8; 32]>::from(Sha256::digest(&raw)));
            assert_eq!(chunks.len() as i64, chunks_of(told));
            assert!(chunks.iter().zip(0..).all(|(chunk, seq)| chunk.seq == seq));
            let back: Vec<Vec<u8>> = chunks.into_iter().map(|c| unpack(c.packed, c.bytes).unwrap()).collect();
            assert!(back.iter().rev().skip(1).all(|c| c.len() == CHUNK));
            assert_eq!(back.concat(), raw);
        }
    }

    #[test]
    fn what_does_not_shrink_is_stored_as_it_is() {
        let mut packer = Packer::new().unwrap();
        packer.push(b"x").unwrap();
        assert_eq!(packer.finish().unwrap().0, [Chunk { seq: 0, packed: false, bytes: b"x".to_vec() }]);
    }
}
