//! `mailtui export`: the mail of a folder as a Maildir or a mailbox file, which other programs read, and `mailtui import`
//! too.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::export_mbox::into_mbox;
use super::find;
use super::mails::Export;
use super::out::Out;
use super::words::{grouped, plural};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::{Flags, Summary, View};
use crate::store::Reader;
use crate::text::Clean;

/// Mails looked up at once.
pub(super) const PAGE: usize = 200;
/// What a Maildir consists of.
const PARTS: [&str; 3] = ["cur", "new", "tmp"];
/// The letters of a Maildir's flags, in the order in which they are written.
pub(super) const LETTERS: [(char, Flags); 5] = [
    ('D', Flags::DRAFT),
    ('F', Flags::FLAGGED),
    ('P', Flags::FORWARDED),
    ('R', Flags::ANSWERED),
    ('S', Flags::SEEN),
];

/// Answers the exit code. What was written stays, whatever happens later; the next run goes on from there.
pub(super) fn run(what: &Export, config: &Config, reader: &Reader, out: &mut Out) -> Result<u8> {
    let view = find::view(reader, config, Some(&what.folder), what.account.as_deref())?;
    let told = match what.mbox {
        true => into_mbox(reader, view, &what.to)?,
        false => into_maildir(reader, view, &what.to)?,
    };
    told.tell(out)
}

/// What became of the mails of a folder.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) written: u64,
    /// It was there before.
    pub(super) known: u64,
    /// Not all of it is here.
    pub(super) missing: u64,
}

impl Told {
    fn tell(&self, out: &mut Out) -> Result<u8> {
        let Self { written, known, missing } = *self;
        if out.json {
            out.object(&json!({ "exported": written, "known": known, "missing": missing }))?;
        } else {
            let mut line = format!("{} {} exported", grouped(written), plural(written, "mail"));
            if known > 0 {
                line.push_str(&format!(", {} were there before", grouped(known)));
            }
            out.line(line)?;
        }
        if missing == 0 {
            return Ok(0);
        }
        let text = format!(
            "{} {} not all here and left out",
            grouped(missing),
            if missing == 1 { "mail is" } else { "mails are" }
        );
        Err(Error::new(Kind::Gone, text)
            .hint("`mailtui get --download` gets the rest of one; run this again then"))
    }
}

fn into_maildir(reader: &Reader, view: View, dir: &Path) -> Result<Told> {
    let there = prepare(dir)?;
    let mut told = Told::default();
    // Who has a mail twice has it twice there.
    let mut alike: HashMap<[u8; 32], u32> = HashMap::new();
    let mut below = None;
    loop {
        let mails = reader.copies(view, below, PAGE)?;
        let Some(last) = mails.last() else { break };
        below = Some(last.key);
        for mail in &mails {
            let Some(hash) = reader.recorded_hash(mail.message)? else {
                told.missing += 1;
                continue;
            };
            let nth = alike.entry(hash).or_default();
            *nth += 1;
            let name = name(mail, &hash, *nth);
            if there.contains(&name) {
                told.known += 1;
            } else {
                write(reader, mail, dir, &name)?;
                told.written += 1;
            }
        }
    }
    let cur = dir.join("cur");
    File::open(&cur).and_then(|cur| cur.sync_all()).map_err(|e| unwritten(&cur, e))?;
    Ok(told)
}

/// Makes the Maildir if it is not there, and answers the names in it, without flags.
fn prepare(dir: &Path) -> Result<HashSet<String>> {
    let is_maildir = dir.join("cur").is_dir();
    let is_free = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => true,
        Err(e) => return Err(unwritten(dir, e)),
    };
    if !is_maildir && !is_free {
        let text = format!("{} holds something that is no Maildir", dir.display());
        return Err(Error::new(Kind::Config, text).hint("name a new directory: nothing is written over"));
    }
    let mut names = HashSet::new();
    for part in PARTS {
        let part = dir.join(part);
        DirBuilder::new().recursive(true).mode(0o700).create(&part).map_err(|e| unwritten(&part, e))?;
    }
    for part in ["cur", "new"] {
        let part = dir.join(part);
        for entry in fs::read_dir(&part).map_err(|e| unwritten(&part, e))? {
            let name = entry.map_err(|e| unwritten(&part, e))?.file_name().to_string_lossy().into_owned();
            names.insert(name.split(':').next().unwrap_or_default().to_owned());
        }
    }
    Ok(names)
}

/// The same mail has the same name in every run: when it came, what it is, the how manieth of its like.
fn name(mail: &Summary, hash: &[u8; 32], nth: u32) -> String {
    let hash: String = hash[..16].iter().map(|b| format!("{b:02x}")).collect();
    format!("{}.{hash}_{nth}.mailtui", mail.key.at.max(0))
}

/// Piece by piece, and under its name only when all of it is on the disk.
fn write(reader: &Reader, mail: &Summary, dir: &Path, name: &str) -> Result<()> {
    let draft = dir.join("tmp").join(name);
    let letters: String = LETTERS.iter().filter(|(_, flag)| mail.flags.has(*flag)).map(|(l, _)| *l).collect();
    let path = dir.join("cur").join(format!("{name}:2,{letters}"));
    // What a run that was broken off left there is not whole.
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    let mut file = opened.map_err(|e| unwritten(&draft, e))?;
    reader.read_body(mail.message, &mut |bytes| file.write_all(bytes).map_err(|e| unwritten(&draft, e)))?;
    let came = UNIX_EPOCH + Duration::from_secs(u64::try_from(mail.key.at).unwrap_or(0));
    file.set_modified(came)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&draft, &path))
        .map_err(|e| unwritten(&path, e))
}

pub(super) fn unwritten(path: &Path, e: std::io::Error) -> Error {
    let path = Clean::line(&path.display().to_string());
    Error::new(Kind::Config, format!("{path} could not be written")).because(e)
}
