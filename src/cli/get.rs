//! `mailtui get`: the raw bytes of a mail, or one of its parts decoded.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::args::Get;
use super::find;
use super::out::Out;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{BodyState, Summary};
use crate::store::Reader;

/// A mail of which one part is asked for is read whole: no more than this, in bytes.
const LARGEST: u64 = 256 << 20;

pub(super) fn run(get: &Get, reader: &Reader, out: &mut Out) -> Result<()> {
    let mail = find::message(reader, get.id)?;
    whole(&mail)?;
    let part = match get.part {
        Some(number) => Some(mime::part(&reader.raw(mail.message, LARGEST)?, number)?),
        None => None,
    };
    let mut write = |take: &mut dyn FnMut(&[u8]) -> Result<()>| match &part {
        Some(bytes) => take(bytes),
        None => reader.read_body(mail.message, take).map(drop),
    };
    match &get.output {
        Some(path) => to_file(path, &mut write),
        None => write(&mut |bytes| out.bytes(bytes)),
    }
}

/// An error where not all of the mail is here.
pub(super) fn whole(mail: &Summary) -> Result<()> {
    if mail.body == BodyState::Whole {
        return Ok(());
    }
    Err(Error::new(Kind::Gone, format!("the text of mail {} is not here yet", mail.message))
        .hint("`mailtui sync` gets it"))
}

type Write<'a> = dyn FnMut(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> + 'a;

/// Into a file that was not there before, for the owner alone; nothing half stays behind.
fn to_file(path: &Path, write: &mut Write<'_>) -> Result<()> {
    let failed =
        |e: std::io::Error| Error::new(Kind::Store, format!("could not write {}", path.display())).because(e);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let written = write(&mut |bytes| file.write_all(bytes).map_err(failed));
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}
