//! `mailtui account freeze`: the server is gone, the mail stays.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use serde_json::json;

use super::args::Freeze;
use super::out::Out;
use super::roster;
use super::words::{grouped, plural, sized};
use crate::config::{self, Config, Protocol};
use crate::error::{Error, Kind, Result};
use crate::model::AccountId;
use crate::store::{Entry, Holding, Reader, Store};
use crate::text::Clean;

/// Changes that are read at a time.
const PAGE: usize = 1000;

pub(super) fn run(wish: &Freeze, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let Some(account) = config.account(&wish.name) else {
        let known: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
        let text = format!("there is no account {:?} in the configuration", wish.name);
        return Err(Error::new(Kind::Config, text).hint(format!("there are: {}", known.join(", "))));
    };
    let file = &config.paths.config;
    let text = fs::read_to_string(file).map_err(|e| unwritten(file, e))?;
    let after = config::frozen(&text, &wish.name)?;
    if wish.print {
        return difference(&text, &after, out).map(|()| 0);
    }
    let reader = store.reader()?;
    let row = reader.accounts()?.into_iter().find(|row| row.name == wish.name);
    if let Some(row) = row.filter(|row| row.protocol != Protocol::Local.name()) {
        tell(
            &wish.name,
            reader.holding(row.id)?,
            reader.incomplete(row.id)?,
            &queued(&reader, row.id)?,
            out,
        )?;
        if !wish.yes {
            if !out.json {
                out.line("Nothing was done: --yes does it, --print shows what changes in the configuration")?;
            }
            return Ok(0);
        }
        let _lock = roster::alone(&row, store)?;
        let mut alone = account.clone();
        (alone.protocol, alone.host) = (Protocol::Local, String::new());
        store.freeze_account(row.id, &alone.remote_key())?;
    }
    // The store first: where this fails it is said, and run again it comes here at once.
    if after != text {
        replace(file, &text, &after)?;
    }
    let file = file.display();
    roster::said(
        &format!("{} lives here only now; what led to its server is a comment in {file}", wish.name),
        out,
    )
}

/// What the server has not heard.
fn queued(reader: &Reader, account: AccountId) -> Result<Vec<Entry>> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let page = reader.ledger(account, all.last().map(Entry::bookmark), PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn tell(name: &str, holding: Holding, lost: u64, queued: &[Entry], out: &mut Out) -> Result<()> {
    let Holding { mails, bytes } = holding;
    if out.json {
        let what: Vec<&Clean> = queued.iter().map(|entry| &entry.what).collect();
        return out.object(&json!({
            "account": Clean::line(name), "mails": mails, "bytes": bytes, "incomplete": lost, "queued": what,
        }));
    }
    let (word, size) = (plural(mails, "mail"), sized(bytes));
    out.line(Clean::line(&format!(
        "{name}: {} {word} ({size}) with flags, tags and folders stay here",
        grouped(mails)
    )))?;
    if lost > 0 {
        let verb = if lost == 1 { "is" } else { "are" };
        out.line(format!("  {} of them {verb} not all here: the rest is only on the server", grouped(lost)))?;
    }
    if !queued.is_empty() {
        let count = queued.len() as u64;
        let word = plural(count, "change");
        out.line(format!(
            "  {} {word} that the server never hears of; here all of it stays done:",
            grouped(count)
        ))?;
    }
    queued.iter().try_for_each(|entry| out.line(format!("    {}", entry.what)))
}

/// The lines that change.
fn difference(before: &str, after: &str, out: &mut Out) -> Result<()> {
    for (number, (was, is)) in before.lines().zip(after.lines()).enumerate() {
        if was == is {
            continue;
        }
        if out.json {
            out.object(&json!({ "line": number + 1, "was": Clean::line(was), "is": Clean::line(is) }))?;
        } else {
            out.line(Clean::line(&format!("-{was}")))?;
            out.line(Clean::line(&format!("+{is}")))?;
        }
    }
    Ok(())
}

/// Writes the configuration anew, whole or not at all; the file as it was stays beside it.
fn replace(file: &Path, before: &str, after: &str) -> Result<()> {
    // Of a link the file behind it changes.
    let file = file.canonicalize().map_err(|e| unwritten(file, e))?;
    let mode = fs::metadata(&file).map_err(|e| unwritten(&file, e))?.permissions().mode() & 0o777;
    let beside = |end: &str| {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(end);
        file.with_file_name(name)
    };
    let write = |path: &Path, text: &str| {
        // One that is there may be readable for others, or be a link.
        match fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        new.write_all(text.as_bytes())?;
        new.set_permissions(fs::Permissions::from_mode(mode))?;
        new.sync_all()
    };
    let (kept, new) = (beside(".bak"), beside(".new"));
    write(&kept, before)
        .and_then(|()| write(&new, after))
        .and_then(|()| fs::rename(&new, &file))
        .map_err(|e| unwritten(&file, e))
}

fn unwritten(file: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Config, format!("could not rewrite {}", file.display()))
        .because(e)
        .hint("set protocol = \"local\" there by hand and take out what leads to the server")
}
