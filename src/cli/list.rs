//! `mailtui list`: mails one a line, newest first.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::args::List;
use super::find::{self, Names};
use super::out::Out;
use crate::config::Config;
use crate::error::Result;
use crate::model::{Flags, Summary, View};
use crate::store::{Reader, Record};
use crate::text::{self, Clean};

/// Mails read at once.
const PAGE: usize = 200;

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
    to: Clean,
    subject: Clean,
    /// RFC 3339.
    date: String,
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
            to: mail.to_line.clone(),
            subject: mail.subject.clone(),
            date: rfc3339(mail.date, zone),
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
                let place = matches!(view, View::Unified(_)).then(|| names.account(mail.account));
                line(mail, place.as_ref(), now, zone, out)?;
            }
        }
        if left == 0 {
            break;
        }
    }
    Ok(())
}

fn line(mail: &Summary, account: Option<&Clean>, now: i64, zone: &TimeZone, out: &mut Out) -> Result<()> {
    let mark = |flag, mark| if mail.flags.has(flag) { mark } else { ' ' };
    let unread = if mail.flags.has(Flags::SEEN) { ' ' } else { '*' };
    let marks = [unread, mark(Flags::FLAGGED, '!'), if mail.attachments > 0 { '@' } else { ' ' }];
    let marks: String = marks.iter().collect();
    let account = account.map_or_else(String::new, |name| format!("{}  ", text::pad(name.as_str(), 8)));
    let when = text::when::short(mail.date, now, zone);
    let from = text::pad(mail.from_name.as_str(), 22);
    let line = format!("{:>6} {marks} {when:>11}  {account}{from}  {}", mail.message, mail.subject);
    match out.width {
        Some(width) => out.line(text::truncate(&line, width)),
        None => out.line(line.trim_end()),
    }
}
