//! `mailtui list`: mails one a line, newest first.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::find::{self, Names};
use super::mails::List;
use super::out::Out;
use crate::config::Config;
use crate::error::Result;
use crate::mime;
use crate::model::{BodyState, Flags, Summary, View};
use crate::store::{Reader, Record};
use crate::text::{self, Clean};

/// Mails read at once.
const PAGE: usize = 200;
/// Bytes of a mail in which its header is looked for.
const HEADER: u64 = 64 << 10;

/// One mail as scripts see it: these names are a contract.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    id: i64,
    account: Clean,
    folder: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uidl: Option<Clean>,
    flags: Vec<&'static str>,
    tags: Vec<Clean>,
    from: Clean,
    /// As `from`, one text for each; names alone while the header is not here.
    to: Vec<Clean>,
    subject: Clean,
    /// What the mail says, RFC 3339.
    date: String,
    /// What it is sorted by and shown with: when it was received. RFC 3339.
    received: String,
    size: u64,
    thread: i64,
    message_id: Clean,
    /// Of the raw bytes, in hexadecimal; null while they are not all here.
    sha256: Option<String>,
}

const FLAGS: [(Flags, &str); 6] = [
    (Flags::SEEN, "seen"),
    (Flags::ANSWERED, "answered"),
    (Flags::FLAGGED, "flagged"),
    (Flags::DRAFT, "draft"),
    (Flags::DELETED, "deleted"),
    (Flags::FORWARDED, "forwarded"),
];

impl Entry {
    pub(super) fn of(reader: &Reader, names: &Names, mail: &Summary, zone: &TimeZone) -> Result<Self> {
        let Record { uid, uidl, tags } = reader.record(mail.placement)?;
        let hash = reader.recorded_hash(mail.message)?;
        Ok(Self {
            id: mail.message.0,
            account: names.account(mail.account),
            folder: names.folder(mail),
            uid,
            uidl,
            flags: FLAGS.iter().filter(|(flag, _)| mail.flags.has(*flag)).map(|(_, name)| *name).collect(),
            tags,
            from: full(mail),
            to: recipients(reader, mail)?,
            subject: mail.subject.clone(),
            date: rfc3339(mail.date, zone),
            received: rfc3339(mail.key.at, zone),
            size: mail.size,
            thread: mail.thread.0,
            message_id: Clean::line(&mail.msgid),
            sha256: hash.map(|bytes| bytes.iter().map(|b| format!("{b:02x}")).collect()),
        })
    }
}

/// `Name <address>`, or the address alone.
fn full(mail: &Summary) -> Clean {
    let (name, addr) = (mail.from_name.as_str(), mail.from_addr.as_str());
    if name.is_empty() || name == addr {
        mail.from_addr.clone()
    } else {
        Clean::line(&format!("{name} <{addr}>"))
    }
}

/// Everybody in To, read from the header where it is here: the row holds their names only.
fn recipients(reader: &Reader, mail: &Summary) -> Result<Vec<Clean>> {
    let header = match mail.body {
        BodyState::None | BodyState::Evicted => Vec::new(),
        _ => reader.raw(mail.message, HEADER)?,
    };
    if header.is_empty() {
        let names = mail.to_line.as_str().split(", ").filter(|name| !name.is_empty());
        return Ok(names.map(Clean::line).collect());
    }
    let whom = |p: &mime::Person| {
        if p.is_misleading || p.addr.is_empty() { p.short().clone() } else { p.full() }
    };
    Ok(mime::open(mime::header_block(&header)).to.iter().map(whom).collect())
}

fn rfc3339(at: i64, zone: &TimeZone) -> String {
    let at = Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

pub(super) fn run(list: &List, config: &Config, reader: &Reader, out: &mut Out) -> Result<()> {
    let view = find::view(reader, config, list.folder.as_deref(), list.account.as_deref())?;
    let names = Names::of(reader)?;
    let zone = &config.ui.timezone;
    let now = Zoned::now().timestamp().as_second();
    let mut left = if list.limit == 0 { usize::MAX } else { list.limit };
    let mut below = None;
    loop {
        let mails = reader.copies(view, below, PAGE)?;
        let Some(last) = mails.last() else { break };
        below = Some(last.key);
        for mail in mails.iter().filter(|mail| !list.unread || !mail.flags.has(Flags::SEEN)) {
            if left == 0 {
                return Ok(());
            }
            left -= 1;
            if out.json {
                out.object(&Entry::of(reader, &names, mail, zone)?)?;
            } else {
                let of = matches!(view, View::Unified(_)).then(|| names.padded(mail.account));
                line(mail, of.as_deref(), now, zone, out)?;
            }
        }
        if left == 0 {
            break;
        }
    }
    Ok(())
}

fn line(mail: &Summary, account: Option<&str>, now: i64, zone: &TimeZone, out: &mut Out) -> Result<()> {
    let mark = |flag, mark| if mail.flags.has(flag) { mark } else { ' ' };
    let unread = if mail.flags.has(Flags::SEEN) { ' ' } else { '*' };
    let marks = [unread, mark(Flags::FLAGGED, '!'), if mail.attachments > 0 { '@' } else { ' ' }];
    let marks: String = marks.iter().collect();
    let account = account.map_or_else(String::new, |name| format!("{name}  "));
    let when = text::when::short(mail.key.at, now, zone);
    let from = text::pad(mail.from_name.as_str(), 22);
    let line = format!("{:>6} {marks} {when:>11}  {account}{from}  {}", mail.message, mail.subject);
    match out.width {
        Some(width) => out.line(text::truncate(&line, width)),
        None => out.line(line.trim_end()),
    }
}
