//! Between the pages of a writer and the store: a draft that begins with a mail, and one that is sent.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::tz::TimeZone;

use super::freeze::{Mail, freeze, packed};
use super::shelf::put_aside;
use crate::compose::{self, Attachment, Letter, Original};
use crate::config::{Account, Identity, ReplyStyle, Signature};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{
    AccountId, Address, Attached, AttachedFrom, BodyState, Draft, DraftId, MessageId, Purpose, is_sendable,
};
use crate::secret;
use crate::store::outbox::Sending;
use crate::store::{Binned, Reader, Store};
use crate::text::Clean;
use crate::text::amount::size;

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

/// A file for a draft: it is read when that is sent, wherever mailtui runs then.
///
/// # Errors
/// [`Kind::Gone`] for what is not there, or is no file.
pub fn attached(path: &Path) -> Result<Attached> {
    let shown = Clean::line(&path.display().to_string());
    let fail = |e| Error::new(Kind::Gone, format!("could not read {shown}")).because(e);
    let whole = std::fs::canonicalize(path).map_err(fail)?;
    let found = std::fs::metadata(&whole).map_err(fail)?;
    if !found.is_file() {
        return Err(Error::new(Kind::Refused, format!("{shown} is no file")));
    }
    std::fs::File::open(&whole).map_err(fail)?;
    let name = path.file_name().map_or("file".into(), |name| name.to_string_lossy().into_owned());
    let media = media(&name).to_owned();
    Ok(Attached { media, name, size: found.len(), source: AttachedFrom::File(whole) })
}

/// Puts what was written under a mail where the text of an answer belongs.
pub fn say(account: &Account, draft: &mut Draft, text: &str) {
    let from = mime::typed(&draft.from).into_iter().next();
    let style = from.and_then(|who| account.identity_of(&who.addr)).unwrap_or_default().style.reply;
    let text = format!("{}\n", text.trim_end());
    // Every line of a quote begins with a mark: this is the signature.
    let at = match style {
        ReplyStyle::Top | ReplyStyle::None => 0,
        ReplyStyle::Bottom | ReplyStyle::Trimmed => draft.body.rfind("\n-- \n").unwrap_or(draft.body.len()),
    };
    draft.body.insert_str(at, &text);
}

/// Passes a mail on as it is: puts it into the outbox under fields that say who did (RFC 5322 section 3.6.6). Its row.
/// `when`: Unix time until which it can be held back, and now as a mail says it.
///
/// # Errors
/// [`Kind::Gone`] while not all of it is here, [`Kind::Config`] for whom it cannot be sent to.
pub fn bounce(
    store: &Store,
    (account, id): (&Account, AccountId),
    message: MessageId,
    to: &str,
    (not_before, date): (i64, &str),
) -> Result<i64> {
    let reader = store.lister()?;
    let mail = reader.message(message)?.filter(|mail| mail.body == BodyState::Whole);
    if mail.is_none() {
        let error = Error::new(Kind::Gone, "not all of this mail is here, so it cannot be passed on");
        return Err(error.hint("gm fetches the rest of it"));
    }
    let raw = reader.raw(message, u64::MAX)?;
    let original = Original::read(Some(message), &raw);
    let from = compose::as_whom(&original, account).1;
    let to = compose::people("To", to)?;
    let msgid = compose::message_id(secret::random()?, &from.addr);
    let raw = compose::resent(&raw, &from, &to, &msgid, date)?;
    freeze(store, account, id, Mail { raw, from: from.addr, to, send_at: not_before, ..Mail::default() })
}

/// A draft of a mail in the outbox, for those who have not got it.
///
/// # Errors
/// [`Kind::Store`] and what the store says.
pub fn again(
    reader: &Reader,
    account: &Account,
    mail: &Sending,
    zone: &TimeZone,
    dir: &Path,
) -> Result<Draft> {
    let kept = mail.draft.map(|id| reader.draft(id)).transpose()?.flatten();
    let mut draft = match kept {
        Some(kept) => kept.draft,
        None => {
            let original = Original::read(Some(mail.message), &reader.raw(mail.message, u64::MAX)?);
            let as_new = (account, mail.account);
            let mut draft = compose::answer(&original, Purpose::EditAsNew, as_new, zone, &signature)?;
            // The bytes go with the row of the outbox: its files are put where they stay.
            for file in &mut draft.attachments {
                let bytes = bytes_of(reader, file)?.bytes;
                file.size = bytes.len() as u64;
                file.source = AttachedFrom::File(put_aside(dir, &file.name, &mut |to| to.write_all(&bytes))?);
            }
            draft
        }
    };
    if mail.is_partial || draft.to.is_empty() && draft.cc.is_empty() && draft.bcc.is_empty() {
        let lacks = |who: &Address| mail.lack.iter().any(|addr| addr.eq_ignore_ascii_case(&who.addr));
        for field in [&mut draft.to, &mut draft.cc, &mut draft.bcc] {
            let left: Vec<Address> = mime::typed(field).into_iter().filter(|who| lacks(who)).collect();
            *field = compose::field(&left);
        }
        let named = mime::typed(&[&*draft.to, &*draft.cc, &*draft.bcc].join(", "));
        let unnamed =
            mail.lack.iter().filter(|addr| !named.iter().any(|who| who.addr.eq_ignore_ascii_case(addr)));
        let hidden: Vec<Address> =
            unnamed.map(|addr| Address { name: String::new(), addr: addr.clone() }).collect();
        if !hidden.is_empty() {
            let bcc = mime::typed(&draft.bcc);
            draft.bcc = compose::field(&bcc.into_iter().chain(hidden).collect::<Vec<_>>());
        }
    }
    draft.send_at = 0;
    Ok(draft)
}

/// A draft as those who get it will see it, laid out in so many cells.
///
/// # Errors
/// As for [`send`]: what cannot be sent cannot be shown so.
pub fn preview(reader: &Reader, draft: &Draft, date: &str, width: usize) -> Result<Vec<mime::Line>> {
    let files = draft.attachments.iter().map(|file| bytes_of(reader, file)).collect::<Result<_>>()?;
    let letter = compose::letter(draft, files)?;
    let raw = compose::build(&letter, &compose::message_id(secret::random()?, &letter.from.addr), date)?;
    let document = mime::open(&raw);
    let people = |list: &[Address]| compose::field(list);
    let fields = [
        ("From", people(std::slice::from_ref(&letter.from))),
        ("To", people(&letter.to)),
        ("Cc", people(&letter.cc)),
        ("Date", date.to_owned()),
        ("Subject", letter.subject.trim().to_owned()),
    ];
    let mut lines: Vec<mime::Line> = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let mut line = mime::Line::of(Clean::line(&format!("{name:<10}")), mime::Role::HeaderName);
        line.spans.extend(mime::Line::of(Clean::line(value), mime::Role::HeaderValue).spans);
        lines.push(line);
    }
    lines.push(mime::Line::of(Clean::default(), mime::Role::Plain));
    let options = mime::RenderOptions { all_quotes: true, ..mime::RenderOptions::default() };
    lines.extend(mime::render(&document, width, &options).lines);
    for file in &letter.attachments {
        let text = format!("{:<10}{}  {}", "File", file.name, size(file.bytes.len() as u64));
        lines.push(mime::Line::of(Clean::line(&text), mime::Role::HeaderName));
    }
    Ok(lines)
}

/// What a file is, by the end of its name: enough for others to open it.
#[must_use]
pub fn media(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    match end.as_str() {
        "txt" | "log" | "md" => "text/plain",
        "patch" | "diff" => "text/x-patch",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "ics" => "text/calendar",
        "vcf" => "text/vcard",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "odt" => "application/vnd.oasis.opendocument.text",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
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
pub(super) fn bytes_of(reader: &Reader, file: &Attached) -> Result<Attachment> {
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
