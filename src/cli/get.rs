//! `mailtui get`: the raw bytes of a mail, or one of its parts decoded.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::accounts;
use super::find;
use super::mails::Get;
use super::out::Out;
use crate::config::Config;
use crate::engine::{Emit, Engine, Mode};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{BodyState, Summary};
use crate::store::{Store, Wish};

/// A mail of which one part is asked for is read whole: no more than this, in bytes.
const LARGEST: u64 = 256 << 20;

/// How long another process that syncs the account may take to get a mail.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn run(get: &Get, config: &Config, store: &Store, out: &mut Out) -> Result<()> {
    let reader = &store.reader()?;
    let mut mail = find::message(reader, get.id)?;
    if get.download && mail.body != BodyState::Whole {
        download(&mail, config, store)?;
        mail = find::message(reader, get.id)?;
    }
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

/// Gets the rest of a mail by a round of its account, or has it got by the process that syncs it.
fn download(mail: &Summary, config: &Config, store: &Store) -> Result<()> {
    let reader = store.reader()?;
    let account = reader.accounts()?.into_iter().find(|account| account.id == mail.account);
    let Some(account) = account.filter(|account| config.account(&account.name).is_some()) else {
        return Err(Error::new(
            Kind::Config,
            "the account of this mail is not in the configuration any more",
        ));
    };
    let (tell, changes) = channel();
    // Nobody listens any more once the mail is here.
    store.subscribe(Box::new(move |_| {
        let _ = tell.send(());
    }));
    store.wish(account.id, Wish::Fetch(mail.message))?;
    let setups = accounts::setups(config, Some(&account.name))?;
    let engine = Engine::start(store, setups, Mode::Once, &(Arc::new(|_| {}) as Emit))?;
    let mut elsewhere = false;
    for (_, report) in engine.join() {
        elsewhere |= report?.elsewhere.is_some();
    }
    let until = Instant::now() + PATIENCE;
    while elsewhere && find::message(&reader, mail.message.0)?.body != BodyState::Whole {
        if changes.recv_timeout(until.saturating_duration_since(Instant::now())).is_err() {
            break;
        }
    }
    Ok(())
}

/// An error where not all of the mail is here.
pub(super) fn whole(mail: &Summary) -> Result<()> {
    if mail.body == BodyState::Whole {
        return Ok(());
    }
    Err(Error::new(Kind::Gone, format!("the text of mail {} is not here yet", mail.message))
        .hint(format!("`mailtui get --download {}` gets it", mail.message)))
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
