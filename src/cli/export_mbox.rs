//! The mail of a folder as a mailbox file (RFC 4155, lines quoted as in mboxrd), oldest first.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::export::{PAGE, Told, unwritten};
use crate::error::{Error, Kind, Result};
use crate::mime::{Imprint, Quoting, envelope_sender, header_block};
use crate::model::{BodyState, Flags, PlacementId, Summary, View};
use crate::store::Reader;
use crate::text::Clean;

const BUFFER: usize = 256 << 10;

/// Writes a new file; it has its name only when all of it is on the disk.
pub(super) fn into_mbox(reader: &Reader, view: View, path: &Path) -> Result<Told> {
    let refused = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let text = format!("{} is there already", Clean::line(&path.display().to_string()));
            Error::new(Kind::Config, text).hint("name a new file: nothing is written over")
        }
        _ => unwritten(path, e),
    };
    if path.symlink_metadata().is_ok() {
        return Err(refused(std::io::ErrorKind::AlreadyExists.into()));
    }
    let draft = Draft::new(path)?;
    let told = draft.fill(reader, view)?;
    // Never over what came there meanwhile.
    fs::hard_link(&draft.path, path).map_err(refused)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| unwritten(path, e))?;
    Ok(told)
}

/// The file before it has its name; gone when this is.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    fn new(path: &Path) -> Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.part", std::process::id()));
        let draft = path.with_file_name(name);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        Ok(Self { file: opened.map_err(|e| unwritten(path, e))?, path: draft })
    }

    fn fill(&self, reader: &Reader, view: View) -> Result<Told> {
        let broken = |e| unwritten(&self.path, e);
        let mut file = BufWriter::with_capacity(BUFFER, &self.file);
        let mut told = Told::default();
        for copy in oldest_first(reader, view)? {
            // Moved or deleted meanwhile.
            let Some(mail) = reader.summary(copy)? else { continue };
            match reader.recorded_hash(mail.message)? {
                Some(sha256) => {
                    write(reader, &mail, sha256, &mut file, &self.path)?;
                    told.written += 1;
                }
                None => told.missing += 1,
            }
        }
        file.flush().and_then(|()| self.file.sync_all()).map_err(broken)?;
        Ok(told)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn oldest_first(reader: &Reader, view: View) -> Result<Vec<PlacementId>> {
    let (mut all, mut below) = (Vec::new(), None);
    loop {
        let mails = reader.copies(view, below, PAGE)?;
        let Some(last) = mails.last() else { break };
        below = Some(last.key);
        all.extend(mails.iter().map(|mail| mail.placement));
    }
    all.reverse();
    Ok(all)
}

/// One mail: its postmark, what is remembered of it, its bytes, an empty line.
fn write(reader: &Reader, mail: &Summary, sha256: [u8; 32], file: &mut dyn Write, path: &Path) -> Result<()> {
    let broken = |e| unwritten(path, e);
    let imprint = Imprint {
        size: mail.size,
        sha256,
        came: mail.key.at,
        flags: mail.flags & !Flags::DELETED,
        keywords: mail.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
    };
    let mut to = Some(file);
    let mut text: Option<Quoting<&mut dyn Write>> = None;
    let state = reader.read_body(mail.message, &mut |bytes| {
        if let Some(file) = to.take() {
            // The first piece holds the header, or all of it that counts.
            file.write_all(postmark(bytes, mail).as_bytes())
                .and_then(|()| file.write_all(imprint.lines().as_bytes()))
                .map_err(broken)?;
            text = Some(Quoting::new(file));
        }
        text.as_mut().map_or(Ok(()), |text| text.push(bytes)).map_err(broken)
    })?;
    let file = match (text, to) {
        (Some(text), _) => text.finish().map_err(broken)?,
        (None, Some(file)) => {
            // Not a single byte.
            let head = format!("{}{}\n", postmark(b"", mail), imprint.lines());
            file.write_all(head.as_bytes()).map_err(broken)?;
            file
        }
        (None, None) => return Ok(()),
    };
    file.write_all(b"\n").map_err(broken)?;
    match state {
        BodyState::Whole => Ok(()),
        _ => Err(Error::new(Kind::Gone, "a mail went away while it was exported").hint("run it again")),
    }
}

/// `From ada@example.org Mon Nov 23 14:22:01 2026`: who sent it, and when it came, in UTC.
fn postmark(beginning: &[u8], mail: &Summary) -> String {
    let sender = envelope_sender(header_block(beginning))
        .filter(|sender| {
            !sender.is_empty() && !sender.contains(|c: char| c.is_whitespace() || c.is_control())
        })
        .unwrap_or_else(|| "MAILER-DAEMON".to_owned());
    let came = Timestamp::from_second(mail.key.at).unwrap_or(Timestamp::UNIX_EPOCH);
    let came = came.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a %b %e %H:%M:%S %Y").to_string();
    format!("From {sender} {came}\n")
}
