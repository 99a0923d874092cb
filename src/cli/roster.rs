//! `mailtui account`: which accounts have mail here, and what becomes of one that the configuration does not name
//! any more.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use serde_json::json;

use super::args::{AccountVerb, Forget};
use super::cleanup;
use super::out::Out;
use super::words::{grouped, plural, sized};
use super::{freeze, relocate};
use crate::app::maildrop::told;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::Owner;
use crate::store::{AccountRow, Locked, MaildropRow, Named, Reader, Renamed, Store};
use crate::text::{self, Clean};

/// Tells the store which accounts there are; the answer is those that may be old ones under a new name.
pub(super) fn call_roll(config: &Config, store: &Store) -> Result<Vec<Renamed>> {
    let named: Vec<Named> = config
        .accounts
        .iter()
        .map(|account| Named {
            name: account.name.clone(),
            owner: account.protocol.owner(),
            remote_key: account.remote_key(),
        })
        .collect();
    store.call_roll(&named)
}

/// The question that waits for the user: what happened, and what answers it.
pub(super) fn question(renamed: &Renamed) -> (Clean, Clean) {
    let Renamed { was, is, mails } = renamed;
    let some = format!("{} {}", grouped(*mails), plural(*mails, "mail"));
    (
        Clean::line(&format!("{is} waits: is it the account {was} under a new name? {some} of {was} here")),
        Clean::line(&format!("yes: `mailtui account rename {was} {is}`, no: `mailtui account park {was}`")),
    )
}

pub(super) fn run(
    verb: &AccountVerb,
    config: &Config,
    renamed: &[Renamed],
    store: &Store,
    out: &mut Out,
) -> Result<u8> {
    let reader = store.reader()?;
    match verb {
        AccountVerb::List => list(config, renamed, &reader, out),
        AccountVerb::Rename { old, new } => rename(old, new, config, store, &reader, out),
        AccountVerb::Park { old } => park(old, store, &reader, out),
        AccountVerb::Move(relocate) => relocate::run(relocate, config, store, out),
        AccountVerb::Freeze(wish) => freeze::run(wish, config, store, out),
        AccountVerb::Cleanup(what) => cleanup::run(what, config, store, out),
        AccountVerb::Forget(what) => forget(what, store, &reader, out),
    }
}

fn list(config: &Config, renamed: &[Renamed], reader: &Reader, out: &mut Out) -> Result<u8> {
    let rows = reader.accounts()?;
    let held = rows.iter().filter(|row| !row.is_parked);
    let new = config.accounts.iter().filter(|account| rows.iter().all(|row| row.name != account.name));
    let names: Vec<&str> = held.map(|row| row.name.as_str()).chain(new.map(|a| a.name.as_str())).collect();
    let parked = rows.iter().filter(|row| row.is_parked).map(|row| row.name.as_str());
    for name in names.into_iter().chain(parked) {
        let row = rows.iter().find(|row| row.name == name);
        let asked = renamed.iter().find(|renamed| renamed.is == name || renamed.was == name);
        let state = match (row, asked) {
            (_, Some(_)) => "asks",
            (Some(row), None) if row.is_parked => "parked",
            (Some(_), None) => "in use",
            (None, None) => "new",
        };
        let holding = row.map(|row| reader.holding(row.id)).transpose()?.unwrap_or_default();
        let waiting = row.map(|row| reader.waiting(row.id)).transpose()?.unwrap_or_default();
        let configured = config.account(name);
        let protocol = row.map_or("", |row| row.protocol.as_str());
        let remote = configured.map(|account| account.remote_key());
        let remote = remote.or_else(|| row.map(|row| row.remote_key.clone())).unwrap_or_default();
        let drop = row.map_or(Ok(None), |row| reader.maildrop(row.id))?;
        let oldest = match (row, &drop) {
            (Some(row), Some(_)) => reader.oldest_there(row.id)?,
            _ => None,
        };
        let about = row.map(|row| reader.about(row.id)).transpose()?.unwrap_or_default();
        if out.json {
            out.object(&json!({
                "maildrop": drop.map(|drop| json!({
                    "mails": drop.holds.messages, "bytes": drop.holds.bytes, "listed_at": drop.at,
                    "oldest": oldest, "bytes_a_week": drop.weekly(), "is_large": drop.is_large(),
                    "expires_days": drop.holds.expires, "login_delay": drop.holds.login_delay,
                })),
                "server": about.server,
                "quota": about.quota.map(|quota| json!({ "used": quota.used, "limit": quota.limit })),
                "account": Clean::line(name), "state": state, "protocol": protocol, "remote": Clean::line(&remote),
                "mails": holding.mails, "bytes": holding.bytes, "queued": waiting.queued,
                "maybe": asked.map(|r| Clean::line(if r.is == name { &r.was } else { &r.is })),
            }))?;
            continue;
        }
        let held = format!(
            "{:>9} {:<5} {:>7}",
            grouped(holding.mails),
            plural(holding.mails, "mail"),
            sized(holding.bytes)
        );
        let line = format!("{}  {}  {held}  {remote}", text::pad(name, 16), text::pad(state, 7));
        out.line(Clean::line(line.trim_end()))?;
        if let Some(quota) = about.quota {
            let full = if quota.is_tight() { "; a full mailbox sends mail back to who wrote it" } else { "" };
            out.line(format!("  on the server: {quota} in use{full}"))?;
        }
        if !about.server.is_empty() {
            out.line(Clean::join([&Clean::fixed("  the server is"), &about.server], " "))?;
        }
        for line in drop.iter().flat_map(|drop| maildrop(drop, oldest, config)) {
            out.line(format!("  {line}"))?;
        }
    }
    for renamed in if out.json { &[] } else { renamed } {
        let (text, hint) = question(renamed);
        out.line(format!("{text}\n  {hint}"))?;
    }
    Ok(0)
}

/// What a server still holds, and what is to be known of it (promise P14).
fn maildrop(drop: &MaildropRow, oldest: Option<i64>, config: &Config) -> Vec<String> {
    let day = |at: i64| text::when::plain(at, &config.ui.timezone).chars().take(10).collect::<String>();
    let mut lines = told(drop, oldest, day);
    if drop.is_large() {
        lines.push(
            "`mailtui account cleanup` takes off it what is here, leave_on_server = \"14d\" lets it shrink"
                .to_owned(),
        );
    }
    lines
}

fn parked(name: &str, reader: &Reader) -> Result<AccountRow> {
    let rows = reader.accounts()?;
    if let Some(row) = rows.iter().find(|row| row.name == name) {
        return Ok(row.clone());
    }
    let known: Vec<&str> = rows.iter().filter(|row| row.is_parked).map(|row| row.name.as_str()).collect();
    let hint = if known.is_empty() {
        "every account that has mail here is in the configuration".to_owned()
    } else {
        format!("parked are: {}", known.join(", "))
    };
    Err(Error::new(Kind::Gone, format!("no account {name:?} has mail here")).hint(hint))
}

/// Nobody may be at work on what is to change.
pub(super) fn alone(row: &AccountRow, store: &Store) -> Result<Locked> {
    match store.lock_account(row.id, &row.name)? {
        Locked::Mine(lock) => Ok(Locked::Mine(lock)),
        Locked::Held(holder) => {
            let who = holder.pid.map_or_else(|| "another mailtui".to_owned(), |pid| format!("process {pid}"));
            Err(Error::new(Kind::Conflict, format!("{who} syncs the account {}", row.name))
                .hint("end that mailtui first: it still has the old configuration"))
        }
    }
}

fn rename(
    old: &str,
    new: &str,
    config: &Config,
    store: &Store,
    reader: &Reader,
    out: &mut Out,
) -> Result<u8> {
    let row = parked(old, reader)?;
    let Some(account) = config.account(new) else {
        return Err(Error::new(Kind::Config, format!("there is no account {new:?} in the configuration"))
            .hint(format!("give [accounts.{old}] its new name there first")));
    };
    if account.protocol.owner() != row.owner {
        return Err(Error::new(Kind::Config, format!("{old} and {new} are accounts of different kinds"))
            .hint("the mail of the old one stays; `mailtui account list` tells both"));
    }
    let _lock = alone(&row, store)?;
    store.rename_account(row.id, new)?;
    said(&format!("{old} is {new} now, with its {}", mails(reader, &row)?), out)
}

fn park(old: &str, store: &Store, reader: &Reader, out: &mut Out) -> Result<u8> {
    let row = parked(old, reader)?;
    store.leave_parked(row.id)?;
    said(&format!("{old} stays parked, with its {}", mails(reader, &row)?), out)
}

fn forget(what: &Forget, store: &Store, reader: &Reader, out: &mut Out) -> Result<u8> {
    let row = parked(&what.name, reader)?;
    if !row.is_parked {
        return Err(Error::new(Kind::Config, format!("the account {} is in the configuration", what.name))
            .hint("take it out there first: its mail stays until you forget it"));
    }
    let (some, waiting) = (mails(reader, &row)?, reader.waiting(row.id)?);
    let mut text = format!("{some} of {} go from here for good", what.name);
    if waiting.queued + waiting.outgoing > 0 {
        let count = waiting.queued + waiting.outgoing;
        text.push_str(&format!(
            ", and {} {} its server has not heard",
            grouped(count),
            plural(count, "change")
        ));
    }
    if row.owner == Owner::Here {
        text.push_str("; of some no server has another copy");
    }
    if !what.yes && !confirmed(&Clean::line(&text), &what.name)? {
        return Err(Error::new(Kind::Config, text).hint("nothing was done; --yes says that it is meant"));
    }
    let _lock = alone(&row, store)?;
    store.forget_account(row.id)?;
    said(&format!("forgot {}: {some}", what.name), out)
}

/// Asks a person, who types the name; nobody is asked where there is no terminal.
fn confirmed(text: &Clean, name: &str) -> Result<bool> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(false);
    }
    let _ = write!(std::io::stderr(), "{text}.\nType {} to go on: ", Clean::line(name));
    let mut typed = String::new();
    let failed = |e| Error::new(Kind::Config, "could not read the answer").because(e);
    std::io::stdin().lock().read_line(&mut typed).map_err(failed)?;
    Ok(typed.trim() == name)
}

/// `1,234 mails (56 MB)`
fn mails(reader: &Reader, row: &AccountRow) -> Result<String> {
    let holding = reader.holding(row.id)?;
    Ok(format!("{} {} ({})", grouped(holding.mails), plural(holding.mails, "mail"), sized(holding.bytes)))
}

pub(super) fn said(text: &str, out: &mut Out) -> Result<u8> {
    let text = Clean::line(text);
    if out.json {
        out.object(&json!({ "done": text }))?
    } else {
        out.line(text)?
    }
    Ok(0)
}
