//! How IMAP shows folders, flags and mails.

use mailtui::mime;
use mailtui::model::{Flags, Role};
use mailtui::protocol::RemoteFolder;
use mailtui::protocol::memory::Held;

use super::words::Word;

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn attribute(role: Option<Role>) -> Option<&'static str> {
    match role? {
        Role::All => Some("\\All"),
        Role::Archive => Some("\\Archive"),
        Role::Drafts => Some("\\Drafts"),
        Role::Junk => Some("\\Junk"),
        Role::Sent => Some("\\Sent"),
        Role::Trash => Some("\\Trash"),
        _ => None,
    }
}

/// One line of LIST or LSUB.
pub(super) fn listed(verb: &str, folder: &RemoteFolder, uses: bool) -> String {
    let mut attributes: Vec<&str> = attribute(folder.role).filter(|_| uses).into_iter().collect();
    if folder.subscribed && verb == "LIST" {
        attributes.push("\\Subscribed");
    }
    format!("* {verb} ({}) \".\" {}\r\n", attributes.join(" "), quoted(&folder.remote))
}

/// STATUS with these items.
pub(super) fn status(folder: &RemoteFolder, items: &[String]) -> String {
    let at = folder.cursor.unwrap_or_default();
    let one = |item: &String| {
        let value = match item.as_str() {
            "MESSAGES" => u64::from(folder.messages.unwrap_or(0)),
            "UIDNEXT" => u64::from(at.uidnext),
            "UIDVALIDITY" => u64::from(at.validity),
            "HIGHESTMODSEQ" => at.modseq,
            _ => return None,
        };
        Some(format!("{item} {value}"))
    };
    let told: Vec<String> = items.iter().filter_map(one).collect();
    format!("* STATUS {} ({})\r\n", quoted(&folder.remote), told.join(" "))
}

pub(super) fn flags(mail: &Held) -> String {
    let words = mail.flags.wire_names().map(str::to_owned).chain(mail.keywords.iter().cloned());
    format!("({})", words.collect::<Vec<_>>().join(" "))
}

/// Flags and keywords as they were written.
pub(super) fn split_flags(words: &[Word]) -> (Flags, Vec<String>) {
    let (mut flags, mut keywords) = (Flags::NONE, Vec::new());
    for word in words.iter().filter(|word| !matches!(word, Word::Open | Word::Close)) {
        match Flags::from_wire(&word.name()) {
            Some(flag) => flags = flags | flag,
            None => keywords.push(word.name()),
        }
    }
    (flags, keywords)
}

/// INTERNALDATE as Unix seconds; 0: not one.
pub(super) fn read_date(text: &str) -> i64 {
    let date = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim());
    date.and_then(|date| date.to_timestamp()).map_or(0, jiff::Timestamp::as_second)
}

/// The number of a mail in whatever folder, as Gmail tells it.
fn message_number(mail: &Held) -> u64 {
    let number = mail.uidl.split('.').next().unwrap_or_default();
    (1 << 60) + u64::from_str_radix(number, 16).unwrap_or(0)
}

/// One mail with the items asked for.
pub(super) fn fetched(number: usize, mail: &Held, items: &[String], modseq: bool) -> Vec<u8> {
    let raw = mail.source.bytes();
    let mut out = format!("* {number} FETCH (UID {}", mail.uid).into_bytes();
    if modseq {
        out.extend(format!(" MODSEQ ({})", mail.modseq).bytes());
    }
    for item in items {
        let (name, bytes): (&str, Option<&[u8]>) = match item.as_str() {
            "FLAGS" => (&format!("FLAGS {}", flags(mail)), None),
            "RFC822.SIZE" => (&format!("RFC822.SIZE {}", raw.len()), None),
            // All copies of a mail have one number.
            "EMAILID" => (&format!("EMAILID (M{})", mail.uidl.split('.').next().unwrap_or("0")), None),
            "X-GM-MSGID" => (&format!("X-GM-MSGID {}", message_number(mail)), None),
            "INTERNALDATE" => {
                let date = jiff::Timestamp::from_second(mail.received).unwrap_or_default();
                (&format!("INTERNALDATE \"{}\"", date.strftime("%d-%b-%Y %H:%M:%S +0000")), None)
            }
            "BODY.PEEK[HEADER]" => ("BODY[HEADER]", Some(mime::header_block(&raw))),
            "BODY.PEEK[]" => ("BODY[]", Some(&raw)),
            _ => continue,
        };
        out.extend(format!(" {name}").bytes());
        if let Some(bytes) = bytes {
            out.extend(format!(" {{{}}}\r\n", bytes.len()).bytes());
            out.extend(bytes);
        }
    }
    out.extend(b")\r\n");
    out
}
