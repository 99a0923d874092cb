//! A whole mail from its parts.

use std::fmt::Write as _;

use super::field::{self, Field};
use super::text::{Body, in_base64, lay_out};
use crate::error::{Error, Kind, Result};
use crate::model::{Address, is_sendable};
use crate::text::Clean;

/// A mail as its writer means it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// Who writes.
    pub from: Address,
    /// To whom.
    pub to: Vec<Address>,
    /// Who gets a copy.
    pub cc: Vec<Address>,
    /// Who gets one that the others do not know of: never in the bytes (promise O4).
    pub bcc: Vec<Address>,
    /// What it is about.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The Message-ID of the mail that it answers, without brackets; empty: none.
    pub in_reply_to: String,
    /// Those of the conversation, oldest first.
    pub references: Vec<String>,
    /// What comes with it.
    pub attachments: Vec<Attachment>,
}

/// A file that comes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, without a path.
    pub name: String,
    /// Its type, `text/plain`; what is no type is sent as bytes.
    pub media: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Letter {
    /// Everybody who gets it, each once.
    #[must_use]
    pub fn recipients(&self) -> Vec<Address> {
        let mut all: Vec<Address> = Vec::new();
        for who in self.to.iter().chain(&self.cc).chain(&self.bcc) {
            if !all.iter().any(|known| known.is_same(who)) {
                all.push(who.clone());
            }
        }
        all
    }
}

/// A name for a mail that no other has: random, under the writer's domain, and nothing of this machine.
#[must_use]
pub fn message_id(random: [u8; 16], from: &str) -> String {
    let local = random.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let is_name =
        |d: &str| !d.is_empty() && d.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    format!("{local}@{}", if is_name(domain) { domain } else { "mail.invalid" })
}

/// Whether a byte of it is beyond ASCII.
#[must_use]
pub fn is_eight_bit(raw: &[u8]) -> bool {
    !raw.is_ascii()
}

/// The bytes of a mail, under this name and date (RFC 5322 section 3.3).
///
/// # Errors
/// [`Kind::Config`] for an address that cannot be one: nothing of it goes out.
pub fn build(letter: &Letter, msgid: &str, date: &str) -> Result<Vec<u8>> {
    for who in std::iter::once(&letter.from).chain(&letter.recipients()) {
        if !is_sendable(&who.addr) {
            let bad = Clean::line(&who.addr);
            return Err(Error::new(
                Kind::Config,
                format!("{bad:?} is not an address that mail can be sent to"),
            ));
        }
    }
    let mut raw = Vec::new();
    field::addresses("From", std::slice::from_ref(&letter.from), &mut raw);
    for (name, list) in [("To", &letter.to), ("Cc", &letter.cc)] {
        if !list.is_empty() {
            field::addresses(name, list, &mut raw);
        }
    }
    if letter.to.is_empty() && letter.cc.is_empty() {
        raw.extend_from_slice(b"To: undisclosed-recipients:;\r\n");
    }
    if !letter.subject.trim().is_empty() {
        field::unstructured("Subject", &letter.subject, &mut raw);
    }
    field::unstructured("Date", date, &mut raw);
    field::unstructured("Message-ID", &format!("<{}>", named(msgid).unwrap_or_default()), &mut raw);
    if let Some(answered) = named(&letter.in_reply_to) {
        let mut field = Field::new("In-Reply-To");
        field.piece(&format!("<{answered}>"));
        field.end(&mut raw);
    }
    let references: Vec<&str> = letter.references.iter().filter_map(|id| named(id)).collect();
    if !references.is_empty() {
        let mut field = Field::new("References");
        for id in references {
            field.piece(&format!("<{id}>"));
        }
        field.end(&mut raw);
    }
    raw.extend_from_slice(b"MIME-Version: 1.0\r\n");
    attach_all(&lay_out(&letter.text), &letter.attachments, msgid, &mut raw);
    Ok(raw)
}

/// The rest of a mail: its text, and what comes with it.
pub(super) fn attach_all(body: &Body, attachments: &[Attachment], msgid: &str, raw: &mut Vec<u8>) {
    let text = |raw: &mut Vec<u8>| {
        let head = format!(
            "Content-Type: {}\r\nContent-Transfer-Encoding: {}\r\n\r\n",
            body.media.replace("; ", ";\r\n "),
            body.encoding
        );
        raw.extend_from_slice(head.as_bytes());
        raw.extend_from_slice(&body.bytes);
    };
    if attachments.is_empty() {
        return text(raw);
    }
    // `=_` cannot come about in anything encoded; the rest nobody can guess.
    let boundary = format!(
        "=_{}",
        msgid.split('@').next().unwrap_or(msgid).replace(|c: char| !c.is_ascii_alphanumeric(), "")
    );
    let head = format!("Content-Type: multipart/mixed;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n");
    raw.extend_from_slice(head.as_bytes());
    text(raw);
    for file in attachments {
        // The line end before a boundary belongs to the boundary (RFC 2046 section 5.1.1).
        raw.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        attach(file, raw);
    }
    raw.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
}

/// The field that says who writes.
#[must_use]
pub fn from_field(who: &Address) -> Vec<u8> {
    let mut raw = Vec::new();
    field::addresses("From", std::slice::from_ref(who), &mut raw);
    raw
}

fn attach(file: &Attachment, raw: &mut Vec<u8>) {
    // A mail within a mail is never encoded (RFC 2046 section 5.2.1).
    let is_mail = file.media == "message/rfc822";
    let mut head = format!("Content-Type: {}", media(&file.media));
    if !is_mail {
        field::parameter("name", &file.name, &mut head);
    }
    head.push_str("\r\nContent-Disposition: attachment");
    field::parameter("filename", &file.name, &mut head);
    let encoding = match (is_mail, file.bytes.is_ascii()) {
        (true, true) => "7bit",
        (true, false) => "8bit",
        _ => "base64",
    };
    let _ = write!(head, "\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
    raw.extend_from_slice(head.as_bytes());
    if is_mail {
        raw.extend_from_slice(&super::with_line_ends(&file.bytes));
        if !raw.ends_with(b"\r\n") {
            raw.extend_from_slice(b"\r\n");
        }
    } else {
        raw.extend_from_slice(&in_base64(&file.bytes));
    }
}

/// A type, or what says nothing.
fn media(media: &str) -> &str {
    let is_token =
        |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-_".contains(&b));
    match media.split_once('/') {
        Some((kind, sub)) if is_token(kind) && is_token(sub) && kind != "multipart" => media,
        _ => "application/octet-stream",
    }
}

/// A Message-ID that may stand in a header; `None`: what another mail calls itself is no name.
fn named(id: &str) -> Option<&str> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let is_good = !id.is_empty()
        && id.len() < 900
        && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    is_good.then_some(id)
}
