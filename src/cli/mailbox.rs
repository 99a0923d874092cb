//! A mailbox file that is taken in: locked as other programs lock it, for short at a time, and read piece by piece.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::engine::{Came, Filed};
use crate::error::{Error, Kind, Result};
use crate::mime::{Enclosed, Imprint, Mbox, Unquoting, unmarked};
use crate::net::Interrupt;
use crate::protocol::local::{Locked, lock, tail};

/// How long another program may hold the file before that is said.
const PATIENCE: Duration = Duration::from_secs(20);
/// After so long others have their turn.
const HELD: Duration = Duration::from_secs(2);
const BUFFER: usize = 256 << 10;
/// Of a mail's beginning, where other programs' notes are looked for.
const HEAD: usize = 256 << 10;

/// Hands over each mail of the file, what is kept of it and its bytes.
///
/// # Errors
/// Those of `take`; [`Kind::Config`] where the file cannot be read or locked, or was changed meanwhile.
pub(super) fn read(path: &Path, take: &mut dyn FnMut(&Filed, &mut dyn Read) -> Result<()>) -> Result<()> {
    let cannot = |e: io::Error| Error::new(Kind::Config, e.to_string());
    // Locks lie beside the file itself.
    let path: PathBuf = path.canonicalize().map_err(cannot)?;
    let bell = Interrupt::new()?;
    // How far it was read, and what was there last.
    let mut read = (0, None);
    loop {
        let gone = || Error::new(Kind::Config, "it was taken away meanwhile");
        let locked = match lock(&path, &bell, PATIENCE) {
            Ok(locked) => locked.ok_or_else(gone)?,
            Err(e) if e.kind() == Kind::Timeout => {
                return Err(Error::new(Kind::Config, e.to_string()));
            }
            Err(e) => return Err(e),
        };
        match spell(&locked, read, take)? {
            Some((at, tail)) => read = (at, Some(tail)),
            None => return Ok(()),
        }
    }
}

/// Reads on for a while. Answers how far it came; `None`: to the end.
fn spell(
    locked: &Locked,
    (from, was): (u64, Option<Vec<u8>>),
    take: &mut dyn FnMut(&Filed, &mut dyn Read) -> Result<()>,
) -> Result<Option<(u64, Vec<u8>)>> {
    let cannot = |e: io::Error| Error::new(Kind::Config, e.to_string());
    let mut file = locked.file();
    if let Some(was) = was
        && tail(file, from).map_err(cannot)? != was
    {
        return Err(Error::new(Kind::Config, "another program changed it meanwhile")
            .hint("import it again: what came in is not taken twice"));
    }
    file.seek(SeekFrom::Start(from)).map_err(cannot)?;
    let mut mbox = Mbox::new(BufReader::with_capacity(BUFFER, file), from);
    let begun = Instant::now();
    while let Some(found) = mbox.next_mail().map_err(cannot)? {
        if !found.is_internal {
            let (filed, mut raw) = open(file, &found).map_err(cannot)?;
            take(&filed, &mut raw)?;
        }
        if begun.elapsed() >= HELD {
            return Ok(Some((found.next, tail(file, found.next).map_err(cannot)?)));
        }
    }
    Ok(None)
}

/// What lies in a file from one place to another.
#[derive(Debug, Clone, Copy)]
struct Span<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Span<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(to.len());
        let count = self.file.read_at(&mut to[..most], self.at)?;
        if count == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter meanwhile"));
        }
        self.at += count as u64;
        Ok(count)
    }
}

/// The mail's bytes as they were before they were put into the file, as far as that can be known.
fn open<'a>(file: &'a File, found: &Enclosed) -> io::Result<(Filed, Box<dyn Read + 'a>)> {
    let span = Span { file, at: found.begin, end: found.end };
    let whole = BufReader::with_capacity(BUFFER, span);
    let noted =
        |identity, came| Filed { identity, flags: found.flags, keywords: found.keywords.clone(), came };
    if let Some((imprint, own)) = exported(span)? {
        let filed = noted(imprint.sha256, Came::At(imprint.came));
        // As it was written; else as it was before another program marked it.
        let mut first = own.reader(span, &imprint);
        if digest(&mut first)? == imprint.sha256 {
            let filed = Filed { flags: imprint.flags, keywords: imprint.keywords.clone(), ..filed };
            return Ok((filed, own.reader(span, &imprint)));
        }
        if let Some(own) = Own::unmarked(span)?
            && digest(&mut own.reader(span, &imprint))? == imprint.sha256
        {
            return Ok((filed, own.reader(span, &imprint)));
        }
    }
    let filed = noted(found.identity, Came::About(found.at));
    Ok((filed, if found.may_be_quoted { Box::new(Unquoting::new(whole, true)) } else { Box::new(whole) }))
}

/// Which bytes of a mail in the file are its own: these, and what follows.
#[derive(Debug)]
struct Own {
    head: Vec<u8>,
    /// Where in the mail the rest begins.
    skip: usize,
}

impl Own {
    fn unmarked(span: Span<'_>) -> io::Result<Option<Self>> {
        Ok(unmarked(&beginning(span)?).map(|(head, skip)| Self { head, skip }))
    }

    fn reader<'a>(&self, span: Span<'a>, imprint: &Imprint) -> Box<dyn Read + 'a> {
        let rest = Span { at: (span.at + self.skip as u64).min(span.end), ..span };
        let all = Cursor::new(self.head.clone()).chain(BufReader::with_capacity(BUFFER, rest));
        // A line break at the end may be the file's.
        Box::new(Unquoting::new(all, false).take(imprint.size))
    }
}

/// What an export noted at the top of a mail, and what of it is the mail's own.
fn exported(span: Span<'_>) -> io::Result<Option<(Imprint, Own)>> {
    Ok(Imprint::of(&beginning(span)?).map(|(imprint, skip)| (imprint, Own { head: Vec::new(), skip })))
}

fn beginning(span: Span<'_>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    span.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// SHA-256 of all of it.
pub(super) fn digest(from: &mut dyn Read) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; BUFFER];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => hash.update(&piece[..count]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
