//! `mailtui send`: a mail whose text is on standard input.

use std::io::Read as _;
use std::path::Path;

use super::accounts;
use super::args::Send;
use super::out::Out;
use crate::compose::{self, Attachment, Letter};
use crate::config::{Account, Config};
use crate::engine::{self, Mail, Posted, drafting, send_due};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::Address;
use crate::net::Interrupt;
use crate::secret;
use crate::store::Store;

/// Answers the exit code: 0 when the server has the mail, or when it was only to be queued.
pub(super) fn run(what: &Send, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let from = what.from.as_deref().map(one_address).transpose()?;
    let account = sender(config, what.account.as_deref(), from.as_ref().map(|who| who.addr.as_str()))?;
    let mut text = Vec::new();
    std::io::stdin()
        .read_to_end(&mut text)
        .map_err(|e| Error::new(Kind::Config, "standard input could not be read").because(e))?;
    let letter = Letter {
        from: match from {
            Some(from) if from.name.is_empty() => Address { name: account.display_name.clone(), ..from },
            Some(from) => from,
            None => own(account),
        },
        to: all_addresses(&what.to)?,
        cc: all_addresses(&what.cc)?,
        bcc: all_addresses(&what.bcc)?,
        subject: what.subject.clone(),
        text: String::from_utf8_lossy(&text).into_owned(),
        attachments: what.attach.iter().map(|path| attachment(path)).collect::<Result<_>>()?,
        ..Letter::default()
    };
    let msgid = compose::message_id(secret::random()?, &letter.from.addr);
    let raw = compose::build(&letter, &msgid, &date(config))?;
    let mail =
        Mail { raw, from: letter.from.addr.clone(), to: letter.recipients(), send_at: 0, ..Mail::default() };
    let row = queue(store, account, mail)?;
    tell(store, account, row, what.queue, out)
}

/// Sends what was put into the outbox, unless it is only to be `queued`, and tells what became of it.
pub(super) fn tell(store: &Store, account: &Account, row: i64, queued: bool, out: &mut Out) -> Result<u8> {
    if queued {
        out.line(format!("m{row} is in the outbox"))?;
        return Ok(0);
    }
    let posted = deliver(store, account)?;
    let left = store.lister()?.matter(crate::model::Matter::Outgoing(row))?;
    match left {
        None => {
            out.line("sent")?;
            Ok(0)
        }
        Some(_) if posted.elsewhere.is_some() => {
            out.line(format!("m{row} is in the outbox: another mailtui sends it"))?;
            Ok(0)
        }
        Some(left) => {
            let error = posted.trouble.unwrap_or_else(|| Error::new(Kind::Offline, left.error.to_string()));
            let kept = match left.standing.needs_user() {
                true => format!("m{row} waits for you in the outbox: see `mailtui queue`"),
                false => format!("m{row} stays in the outbox and is sent by the next sync"),
            };
            Err(Error::new(error.kind(), kept).because(error))
        }
    }
}

/// Puts a mail into the outbox: durable when this returns.
pub(super) fn queue(store: &Store, account: &Account, mail: Mail) -> Result<i64> {
    let (protocol, owner) = (account.protocol.name(), account.protocol.owner());
    let id = store.account(&account.name, protocol, owner, &account.remote_key())?;
    engine::freeze(store, account, id, mail)
}

/// Sends what is due of an account, unless another process does.
pub(super) fn deliver(store: &Store, account: &Account) -> Result<Posted> {
    send_due(store, &accounts::setup(account)?, &Interrupt::new()?)
}

/// The account that a mail is sent with: the one that is named, whose the address is, or the first that can send.
pub(super) fn sender<'a>(config: &'a Config, name: Option<&str>, from: Option<&str>) -> Result<&'a Account> {
    if let Some(name) = name {
        return config.account(name).ok_or_else(|| {
            let known: Vec<&str> = config.accounts.iter().map(|a| a.name.as_str()).collect();
            Error::new(Kind::Config, format!("there is no account {name:?}"))
                .hint(format!("there are: {}", known.join(", ")))
        });
    }
    let can = || config.accounts.iter().filter(|account| account.sending.way.is_some());
    let whose = from.and_then(|addr| can().find(|account| account.is_own(addr)));
    whose.or_else(|| can().next()).ok_or_else(|| {
        Error::new(Kind::Config, "no account has a server for sending")
            .hint("add [accounts.NAME.smtp] with host = \"…\" to the configuration")
    })
}

/// As whom an account writes.
pub(super) fn own(account: &Account) -> Address {
    Address { name: account.display_name.clone(), addr: account.email.clone() }
}

/// Now, as a mail says it, in the zone of the user (promise A10).
pub(super) fn date(config: &Config) -> String {
    jiff::Timestamp::now()
        .to_zoned(config.ui.timezone.clone())
        .strftime("%a, %d %b %Y %H:%M:%S %z")
        .to_string()
}

fn one_address(text: &str) -> Result<Address> {
    let mut all = mime::addresses(text);
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(Error::new(Kind::Config, format!("{text:?} is not one address"))),
    }
}

fn all_addresses(texts: &[String]) -> Result<Vec<Address>> {
    let mut all = Vec::new();
    for text in texts {
        let some = mime::addresses(text);
        if some.is_empty() {
            return Err(Error::new(Kind::Config, format!("{text:?} is no address")));
        }
        all.extend(some);
    }
    Ok(all)
}

fn attachment(path: &Path) -> Result<Attachment> {
    let bytes = std::fs::read(path)
        .map_err(|e| Error::new(Kind::Gone, format!("could not read {}", path.display())).because(e))?;
    let name = path.file_name().map_or("file".into(), |name| name.to_string_lossy().into_owned());
    Ok(Attachment { media: drafting::media(&name).to_owned(), name, bytes })
}
