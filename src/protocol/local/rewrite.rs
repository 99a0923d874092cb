//! Taking mails out of a spool, in place, so that owner, mode and links of the file stay; a kill in the middle
//! loses nothing.
//!
//! Where nothing follows what goes, the file is cut: one step. Else what follows has to move. Then the rest of the file,
//! as it was, is put aside first; whoever locks the spool next and finds it there sees by it how far the move
//! came, and puts everything back. What was appended meanwhile lies behind and is not touched by that.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::spool::{Lying, broken, lies};
use crate::error::{Error, Kind, Result};

const BUFFER: usize = 256 << 10;

/// Where the rest of a spool is put aside while it is rewritten.
#[derive(Debug)]
pub(super) struct Aside {
    dir: PathBuf,
    rest: PathBuf,
    plan: PathBuf,
}

/// What is being done to the spool. Offsets are those of the file before.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    spool: PathBuf,
    /// Before this nothing changes.
    first: u64,
    /// Where the file ended.
    size: u64,
    /// What stays of the rest.
    kept: Vec<(u64, u64)>,
}

impl Plan {
    /// Takes out these mails, in the order of the file; what lies between and behind them stays.
    fn new(spool: &Path, gone: &[&Lying], size: u64) -> Self {
        let first = gone.first().map_or(size, |lying| lying.mail.start);
        let mut kept = Vec::new();
        let mut at = first;
        for lying in gone {
            if at < lying.mail.start {
                kept.push((at, lying.mail.start));
            }
            at = lying.mail.next;
        }
        if at < size {
            kept.push((at, size));
        }
        Self { spool: spool.to_path_buf(), first, size, kept }
    }

    /// Where the file ends afterwards.
    fn end(&self) -> u64 {
        self.first + self.kept.iter().map(|(from, to)| to - from).sum::<u64>()
    }

    /// What stays, from the rest that was put aside.
    fn moved<'a>(&self, rest: &'a File) -> Moved<'a> {
        let kept = self.kept.iter().map(|(from, to)| (from - self.first, to - self.first)).collect();
        Moved { rest, kept, at: 0 }
    }
}

/// Reads what stays, range by range.
struct Moved<'a> {
    rest: &'a File,
    kept: std::collections::VecDeque<(u64, u64)>,
    at: u64,
}

impl Read for Moved<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some((from, to)) = self.kept.front().copied() else { return Ok(0) };
        let from = from.max(self.at);
        let most = usize::try_from(to - from).unwrap_or(usize::MAX).min(into.len());
        let read = self.rest.read_at(&mut into[..most], from)?;
        self.at = from + read as u64;
        if self.at == to {
            self.kept.pop_front();
        }
        Ok(read)
    }
}

impl Aside {
    /// A place in `dir` for the spool at `path`.
    pub(super) fn new(dir: &Path, path: &Path) -> Self {
        let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
        let name: String = hash.iter().take(8).map(|b| format!("{b:02x}")).collect();
        let at = |end: &str| dir.join(format!("{name}.{end}"));
        Self { dir: dir.to_path_buf(), rest: at("mbox"), plan: at("json") }
    }

    /// Takes mails out of the locked spool. `step` is asked before everything that is done.
    pub(super) fn remove(
        &self,
        file: &File,
        path: &Path,
        gone: &[&Lying],
        step: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<()> {
        for lying in gone {
            // The identity is the proof that it is this mail that goes.
            if !lies(file, lying).map_err(|e| broken(path, e))? {
                let text = format!("the spool {} is not what it was a moment ago", path.display());
                return Err(
                    Error::new(Kind::Offline, text).hint("Nothing was deleted; it is looked at again")
                );
            }
        }
        let size = file.metadata().map_err(|e| broken(path, e))?.len();
        let plan = Plan::new(path, gone, size);
        if plan.kept.is_empty() {
            let cut = step().and_then(|()| file.set_len(plan.first)).and_then(|()| file.sync_all());
            return cut.map_err(|e| broken(path, e));
        }
        let rest = self.put_aside(file, &plan, step).map_err(|e| {
            let text = format!("what stays in {} could not be put aside", path.display());
            Error::new(Kind::Store, text).because(e).hint("Nothing was deleted there")
        })?;
        self.carry_out(file, &plan, &rest, step).map_err(|e| broken(path, e))
    }

    fn put_aside(
        &self,
        mut file: &File,
        plan: &Plan,
        step: &mut dyn FnMut() -> io::Result<()>,
    ) -> io::Result<File> {
        step()?;
        match DirBuilder::new().mode(0o700).recursive(true).create(&self.dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        step()?;
        let mut rest = private(&self.rest)?;
        file.seek(SeekFrom::Start(plan.first))?;
        let copied = io::copy(&mut file.take(plan.size - plan.first), &mut rest)?;
        if copied != plan.size - plan.first {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        rest.sync_all()?;
        step()?;
        // Complete or not there at all.
        let half = self.plan.with_extension("new");
        let mut written = BufWriter::new(private(&half)?);
        serde_json::to_writer(&mut written, plan)?;
        written.flush()?;
        written.get_ref().sync_all()?;
        step()?;
        fs::rename(&half, &self.plan)?;
        File::open(&self.dir)?.sync_all()?;
        Ok(rest)
    }

    fn carry_out(
        &self,
        file: &File,
        plan: &Plan,
        rest: &File,
        step: &mut dyn FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut moved = plan.moved(rest);
        let mut buffer = vec![0; BUFFER];
        let mut at = plan.first;
        loop {
            let read = moved.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            step()?;
            file.write_all_at(&buffer[..read], at)?;
            at += read as u64;
        }
        step()?;
        file.sync_all()?;
        step()?;
        file.set_len(plan.end())?;
        file.sync_all()?;
        step()?;
        self.forget()
    }

    /// Nothing is under way any more. The plan first: without it the rest means nothing.
    fn forget(&self) -> io::Result<()> {
        fs::remove_file(&self.plan)?;
        File::open(&self.dir)?.sync_all()?;
        fs::remove_file(&self.rest)
    }

    /// Puts the locked spool back as it was where a rewrite was broken off; it is done anew later.
    ///
    /// # Errors
    /// [`Kind::Conflict`], once, where another program changed the spool since: then the rest as it was is kept
    /// in a file of its own, for nobody knows what became of it.
    pub(super) fn recover(&self, file: Option<&File>, path: &Path) -> Result<()> {
        let text = match fs::read(&self.plan) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(broken(&self.plan, e)),
        };
        let restored = serde_json::from_slice::<Plan>(&text).ok().map(|plan| match file {
            Some(file) => self.restore(file, &plan),
            None => Ok(false),
        });
        if restored.transpose().map_err(|e| broken(path, e))? == Some(true) {
            tracing::warn!(spool = %path.display(), "a rewrite that was broken off was taken back");
            return self.forget().map_err(|e| broken(&self.plan, e));
        }
        let kept = (1..).map(|n| self.rest.with_extension(format!("{n}.mbox"))).find(|p| !p.exists());
        let kept = kept.unwrap_or_else(|| self.rest.with_extension("last.mbox"));
        let moved = fs::rename(&self.rest, &kept).and_then(|()| fs::remove_file(&self.plan));
        moved.map_err(|e| broken(&self.rest, e))?;
        let text = format!(
            "another program changed {} after its rewriting was broken off; its mails as they were are in {}",
            path.display(),
            kept.display()
        );
        Err(Error::new(Kind::Conflict, text)
            .hint("`mailtui import` takes from it what is missing, and nothing twice"))
    }

    /// Says whether the spool is whole: as before, or as it was to become.
    fn restore(&self, file: &File, plan: &Plan) -> io::Result<bool> {
        let rest = File::open(&self.rest)?;
        let (length, size) = (rest.metadata()?.len(), file.metadata()?.len());
        if length != plan.size - plan.first {
            return Ok(false);
        }
        let found = state(file, plan, &rest)?;
        if found.is_moved && (size < plan.size || !found.is_tail_old) {
            return Ok(size >= plan.end());
        }
        if size < plan.size || !found.is_between || !found.is_tail_old {
            return Ok(false);
        }
        let mut buffer = vec![0; BUFFER];
        let mut at = 0;
        while at < length {
            let read = rest.read_at(&mut buffer, at)?;
            file.write_all_at(&buffer[..read], plan.first + at)?;
            at += read as u64;
        }
        file.sync_all()?;
        Ok(true)
    }
}

/// How the spool compares to how it was and how it was to become.
struct Found {
    /// Every byte is an old one or a new one.
    is_between: bool,
    /// Every byte is a new one.
    is_moved: bool,
    /// What is to be cut off is still there.
    is_tail_old: bool,
}

fn state(file: &File, plan: &Plan, rest: &File) -> io::Result<Found> {
    let mut found = Found { is_between: true, is_moved: true, is_tail_old: true };
    let mut new = BufReader::with_capacity(BUFFER, plan.moved(rest));
    let (mut is, mut old, mut becomes) = (vec![0; 4096], vec![0; 4096], vec![0; 4096]);
    let mut at = plan.first;
    while at < plan.size {
        let most = usize::try_from(plan.size - at).unwrap_or(4096).min(4096);
        let here = file.read_at(&mut is[..most], at)?;
        let was = rest.read_at(&mut old[..most], at - plan.first)?;
        let mut wanted = 0;
        while wanted < most {
            match new.read(&mut becomes[wanted..most])? {
                0 => break,
                read => wanted += read,
            }
        }
        for index in 0..most {
            let byte = is[..here].get(index);
            let is_old = byte.is_some() && byte == old[..was].get(index);
            match becomes[..wanted].get(index) {
                Some(new) => {
                    found.is_moved &= byte == Some(new);
                    found.is_between &= is_old || byte == Some(new);
                }
                None => found.is_tail_old &= is_old,
            }
        }
        at += most as u64;
    }
    Ok(found)
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}
