//! What lies in a spool: where each mail is and what it is called, kept in step as other programs change the file.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};
use crate::mime::{Enclosed, Mbox};

/// The end of what was read before must be as it was, or all is read anew.
const TAIL: u64 = 64 << 10;
const BUFFER: usize = 256 << 10;

/// The same mail always has the same name: what it is, and the how manieth of its like.
pub(super) type Name = ([u8; 32], u32);

/// By which a file is known to be unchanged. Whoever writes to it changes this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(there: &fs::Metadata) -> Self {
        Self {
            file: (there.dev(), there.ino()),
            size: there.size(),
            modified: (there.mtime(), there.mtime_nsec()),
            changed: (there.ctime(), there.ctime_nsec()),
        }
    }
}

/// One mail of the spool.
#[derive(Debug, Clone)]
pub(super) struct Lying {
    pub(super) name: Name,
    pub(super) mail: Enclosed,
}

impl Lying {
    /// Bytes of the mail.
    pub(super) fn size(&self) -> u64 {
        self.mail.end - self.mail.begin
    }
}

/// The mails of a spool, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Content {
    stamp: Option<Stamp>,
    tail: Vec<u8>,
    pub(super) mails: Vec<Lying>,
    by_name: HashMap<Name, usize>,
}

impl Content {
    /// Whether the file is as it was when this was read; `None`: it is not there.
    pub(super) fn is_of(&self, there: Option<&fs::Metadata>) -> bool {
        self.stamp == there.map(Stamp::of)
    }

    /// There is no file.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Reads what changed in the locked file: what was appended, where all before it is as it was. Answers where it
    /// began to read; `None`: nothing changed.
    pub(super) fn follow(&mut self, file: &File, path: &Path) -> Result<Option<u64>> {
        let stamp = Stamp::of(&file.metadata().map_err(|e| broken(path, e))?);
        if self.stamp == Some(stamp) {
            return Ok(None);
        }
        let grown = self.stamp.is_some_and(|old| old.file == stamp.file && old.size <= stamp.size);
        let old = self.stamp.map_or(0, |old| old.size);
        let goes_on = grown && tail(file, old).is_ok_and(|tail| tail == self.tail);
        // Read again: what follows tells where it ends.
        let from = if goes_on { self.mails.pop() } else { None };
        if let Some(last) = &from {
            self.by_name.remove(&last.name);
        } else {
            self.clear();
        }
        // Until all was read it is of no file.
        self.stamp = None;
        let from = from.map_or(0, |last| last.mail.start);
        self.read(file, from).map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidData => {
                let text = format!("{} is no mailbox: it does not begin with a `From ` line", path.display());
                Error::new(Kind::Config, text)
                    .hint("Nothing of it was taken and nothing changed; see what wrote to it")
            }
            _ => broken(path, e),
        })?;
        self.tail = tail(file, stamp.size).map_err(|e| broken(path, e))?;
        self.stamp = Some(stamp);
        Ok(Some(from))
    }

    fn read(&mut self, mut file: &File, from: u64) -> std::io::Result<()> {
        file.seek(SeekFrom::Start(from))?;
        let mut mbox = Mbox::new(BufReader::with_capacity(BUFFER, file), from);
        while let Some(mail) = mbox.next_mail()? {
            if mail.is_internal {
                continue;
            }
            let mut name = (mail.identity, 1);
            while self.by_name.contains_key(&name) {
                name.1 += 1;
            }
            self.by_name.insert(name, self.mails.len());
            self.mails.push(Lying { name, mail });
        }
        Ok(())
    }

    /// The mail of this name.
    pub(super) fn find(&self, name: &Name) -> Option<&Lying> {
        self.by_name.get(name).and_then(|at| self.mails.get(*at))
    }

    /// How many mails are the same as this one, itself counted.
    pub(super) fn alike(&self, name: &Name) -> u32 {
        let mut count = 0;
        while self.by_name.contains_key(&(name.0, count + 1)) {
            count += 1;
        }
        count
    }
}

/// Whether a mail lies where it is said to.
pub(super) fn lies(mut file: &File, lying: &Lying) -> std::io::Result<bool> {
    let Enclosed { start, next, identity, .. } = &lying.mail;
    file.seek(SeekFrom::Start(*start))?;
    let alone = BufReader::with_capacity(BUFFER, file.take(next - start));
    let found = Mbox::single(alone, *start).next_mail();
    Ok(found.is_ok_and(|found| found.is_some_and(|found| found.identity == *identity && found.next == *next)))
}

/// The last bytes before `end`.
pub(crate) fn tail(file: &File, end: u64) -> std::io::Result<Vec<u8>> {
    let from = end.saturating_sub(TAIL);
    let mut bytes = vec![0; usize::try_from(end - from).unwrap_or(0)];
    file.read_exact_at(&mut bytes, from)?;
    Ok(Sha256::digest(&bytes).to_vec())
}

pub(super) fn broken(path: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Store, format!("the spool {} could not be read or written", path.display())).because(e)
}

/// The name as the store keeps it.
pub(super) fn to_text(name: &Name) -> String {
    let hash: String = name.0.iter().map(|b| format!("{b:02x}")).collect();
    if name.1 > 1 { format!("{hash}.{}", name.1) } else { hash }
}

/// The name that was kept as this text.
pub(super) fn from_text(text: &str) -> Option<Name> {
    let (hash, nth) = text.split_once('.').unwrap_or((text, "1"));
    let mut bytes = [0; 32];
    if hash.len() != 64 || !hash.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hash[2 * at..2 * at + 2], 16).ok()?;
    }
    Some((bytes, nth.parse().ok()?))
}
