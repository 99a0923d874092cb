//! Between the pages of a writer and the store: a draft that begins with a mail, and one that is sent.

use std::path::Path;
use std::process::{Command, Stdio};

use jiff::tz::TimeZone;

use super::freeze::{Mail, freeze, packed};
use crate::compose::{self, Attachment, Letter, Original};
use crate::config::{Account, Identity, Signature};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{
    AccountId, Address, Attached, AttachedFrom, Draft, DraftId, MessageId, Purpose, is_sendable,
};
use crate::secret;
use crate::store::{Binned, Reader, Store};
use crate::text::Clean;

/// Bytes of a mail that are read to be answered.
const MOST: u64 = 64 << 20;
/// Bytes of a signature that are read.
const LONGEST_SIGNATURE: usize = 64 << 10;

/// Begins a draft from a mail that is held here, as much of it as is.
///
/// # Errors
/// [`Kind::Gone`] while nothing of it is here but what a list shows.
pub fn begin(
    reader: &Reader,
    account: (&Account, AccountId),
    purpose: Purpose,
    message: MessageId,
    zone: &TimeZone,
) -> Result<Draft> {
    let raw = reader.raw(message, MOST)?;
    if raw.is_empty() {
        // Whom an answer goes to is not all in the list: Reply-To and what a list asks for are in the header alone.
        return Err(Error::new(
            Kind::Gone,
            "the text of this mail is not here yet, so it cannot be answered",
        )
        .hint("wait until it has come, or fetch it now with gm"));
    }
    let original = Original::read(Some(message), &raw);
    compose::answer(&original, purpose, account, zone, &signature)
}

/// What an identity writes below its mails. One that cannot be had is none, and said in the log: nobody wants to lose
/// an answer for that.
#[must_use]
pub fn signature(identity: &Identity) -> String {
    let text = match &identity.style.signature {
        Signature::None => Ok(String::new()),
        Signature::Text(text) => Ok(text.clone()),
        Signature::File(path) => {
            std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        }
        Signature::Command(line) => {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(line).stdin(Stdio::null()).stderr(Stdio::null());
            secret::keep_from(&mut shell)
                .output()
                .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
        }
    };
    let mut text = text.unwrap_or_else(|error| {
        tracing::warn!(%error, "a signature cannot be read");
        String::new()
    });
    text.truncate(text.floor_char_boundary(LONGEST_SIGNATURE));
    text
}

/// Puts a draft that is kept into the outbox (promise O1): built once, from what its attachments hold now. Its row.
/// `not_before`: Unix time until which it can be taken back. `date`: now, as a mail says it.
///
/// # Errors
/// [`Kind::Gone`] for an attachment that is not there any more, [`Kind::Config`] for what cannot be sent as it is. Then
/// the draft stays as it was.
pub fn send(store: &Store, account: &Account, id: DraftId, not_before: i64, date: &str) -> Result<i64> {
    let reader = store.lister()?;
    let kept = reader.draft(id)?.ok_or_else(|| Error::new(Kind::Gone, "the draft is not there any more"))?;
    let draft = kept.draft;
    let files = draft.attachments.iter().map(|file| bytes_of(&reader, file)).collect::<Result<_>>()?;
    let letter = compose::letter(&draft, files)?;
    // A new name: of what was taken back another copy may be on its way to a folder of drafts.
    let msgid = compose::message_id(secret::random()?, &letter.from.addr);
    let mail = Mail {
        raw: compose::build(&letter, &msgid, date)?,
        from: letter.from.addr.clone(),
        to: letter.recipients(),
        answers: draft.answers.filter(|_| draft.purpose.is_reply()),
        send_at: draft.send_at.max(not_before),
        draft: Some((id, kept.version)),
    };
    freeze(store, account, draft.account, mail)
}

/// Throws a draft away: it goes to Trash as a mail, and undo brings it back (promise A1). Whether it was there. `date`:
/// now, as a mail says it.
///
/// # Errors
/// [`Kind::Store`] and what the store says. What of it is no mail yet is its text: that is no error.
pub fn discard(store: &Store, id: DraftId, date: &str) -> Result<bool> {
    let reader = store.lister()?;
    let Some(kept) = reader.draft(id)? else { return Ok(false) };
    if kept.draft.is_blank() {
        return store.discard_draft(id);
    }
    let raw = compose::with_line_ends(&unfinished(&reader, &kept.draft, &kept.msgid, date)?).into_owned();
    let envelope = mime::envelope(mime::header_block(&raw));
    store.bin_draft(id, Some(Binned { envelope, body: packed(&raw)? }))
}

/// A draft as the mail that it would be now: with the files that are there, and where its fields are no addresses yet,
/// with them in its text.
fn unfinished(reader: &Reader, draft: &Draft, msgid: &str, date: &str) -> Result<Vec<u8>> {
    let is_small = |file: &&Attached| file.size <= MOST;
    let files: Vec<_> =
        draft.attachments.iter().filter(is_small).filter_map(|file| bytes_of(reader, file).ok()).collect();
    if let Ok(letter) = compose::letter(draft, files.clone())
        && let Ok(raw) = compose::build(&letter, msgid, date)
    {
        let hidden: Vec<_> =
            letter.bcc.iter().map(|who| who.addr.as_str()).filter(|addr| addr.is_ascii()).collect();
        let above = if hidden.is_empty() { String::new() } else { format!("Bcc: {}\r\n", hidden.join(", ")) };
        return Ok([above.as_bytes(), &raw].concat());
    }
    let from = mime::typed(&draft.from).into_iter().find(|who| is_sendable(&who.addr));
    let nobody = || Address { name: String::new(), addr: "nobody@mail.invalid".to_owned() };
    let letter = Letter {
        from: from.unwrap_or_else(nobody),
        subject: draft.subject.clone(),
        text: draft.to_text(true),
        attachments: files,
        ..Letter::default()
    };
    compose::build(&letter, msgid, date)
}

/// An attachment with its bytes.
fn bytes_of(reader: &Reader, file: &Attached) -> Result<Attachment> {
    let name = Clean::line(&file.name);
    let bytes = match &file.source {
        AttachedFrom::File(path) => read(path),
        AttachedFrom::Part { message, index } => {
            reader.raw(*message, u64::MAX).and_then(|raw| mime::part(&raw, *index))
        }
        AttachedFrom::Mail(message) => reader.raw(*message, u64::MAX).and_then(|raw| match raw.is_empty() {
            true => Err(Error::new(Kind::Gone, "the mail is not here")),
            false => Ok(raw),
        }),
    };
    let bytes = bytes.map_err(|e| {
        let hint = "take it off the mail, or put it back where it was; nothing was sent";
        Error::new(Kind::Gone, format!("{name} cannot be attached")).because(e).hint(hint)
    })?;
    Ok(Attachment { name: file.name.clone(), media: file.media.clone(), bytes })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    // A pipe would be waited for without end.
    let is_file = std::fs::metadata(path).is_ok_and(|found| found.is_file());
    let fail =
        || Error::new(Kind::Gone, format!("could not read {}", Clean::line(&path.display().to_string())));
    if is_file { std::fs::read(path).map_err(|e| fail().because(e)) } else { Err(fail()) }
}
