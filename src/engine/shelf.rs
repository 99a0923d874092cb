//! Keeps drafts and the folder of drafts in step, both ways (promise O5).
//!
//! A draft that was left alone for a while becomes a mail there; what another client wrote on it comes back. What was
//! written on both sides is kept twice. Attachments of a mail that is written on here are put into files first: the mail
//! goes when the next version takes its place.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::account::{Worker, now};
use super::drafting::bytes_of;
use super::plan::Mode;
use crate::compose::{self, Attachment};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, Attached, AttachedFrom, DraftId, MessageId, PlacementId};
use crate::secret;
use crate::store::{Adopted, DraftCopy, Foreign, Kept, Packed, Packer, Reader, Store};

/// Seconds for which a draft is left alone before it is put into the folder: who writes on has it changed again by then.
const LEFT_ALONE: i64 = 20;
/// Bytes of attachments that go there with it; what is more stays here until the mail is sent.
const MOST: u64 = 20 << 20;
/// Files of no draft that are younger may be of one that is just being made.
const YOUNG: Duration = Duration::from_secs(3600);

/// What an account's thread remembers of drafts.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Versions that could not be put there: not tried again before they change.
    failed: HashSet<(DraftId, u64)>,
    /// Mails of other clients that were asked for.
    asked: HashSet<MessageId>,
    is_swept: bool,
}

impl Worker<'_> {
    /// Puts drafts into their folder here, from where the queue takes them to the server, and takes over what other
    /// clients made of them.
    pub(super) fn keep_drafts(&mut self) -> Result<()> {
        if !self.is_live() {
            return Ok(());
        }
        if !self.shelf.is_swept {
            self.shelf.is_swept = true;
            sweep(self.store.dir(), &self.reader.draft_texts()?);
        }
        for foreign in self.reader.foreign_drafts(self.id)? {
            let key = (foreign.draft, foreign.version);
            if !foreign.is_whole {
                if self.shelf.asked.insert(foreign.message) {
                    self.wanted.push_back(foreign.message);
                }
            } else if !self.shelf.failed.contains(&key)
                && let Err(error) = take_over(self.store, &self.reader, self.id, &foreign)
            {
                tracing::warn!(%error, "a draft of another client cannot be taken over");
                self.shelf.failed.insert(key);
            }
        }
        let until = if self.eager || self.mode == Mode::Once { i64::MAX } else { now() - LEFT_ALONE };
        for kept in self.reader.uncopied_drafts(self.id, until)? {
            let key = (kept.id, kept.version);
            if self.shelf.failed.contains(&key) {
                continue;
            }
            // Nobody would miss it.
            let done =
                if kept.draft.is_blank() { Ok(false) } else { shelve(self.store, &self.reader, &kept) };
            match done {
                Ok(true) => self.look_for_ops(),
                Ok(false) => drop(self.shelf.failed.insert(key)),
                Err(error) => {
                    tracing::warn!(%error, "a draft cannot be put into the folder of drafts");
                    self.shelf.failed.insert(key);
                }
            }
        }
        Ok(())
    }

    /// When the next draft was left alone for long enough, Unix time.
    pub(super) fn drafts_at(&self) -> Option<i64> {
        let at = self.reader.uncopied_since(self.id).ok()??.saturating_add(LEFT_ALONE);
        (at > now() && self.is_live()).then_some(at)
    }
}

/// Puts the last version of a draft into its folder.
fn shelve(store: &Store, reader: &Reader, kept: &Kept) -> Result<bool> {
    let date = Timestamp::from_second(kept.updated).unwrap_or_default().to_zoned(TimeZone::system());
    let date = date.strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
    let mut attachments: Vec<Attachment> = Vec::new();
    let mut room = MOST;
    for file in &kept.draft.attachments {
        if size_of(reader, file) > room {
            continue;
        }
        // One that is not there any more is said when the mail is to be sent.
        if let Ok(attachment) = bytes_of(reader, file) {
            room = room.saturating_sub(attachment.bytes.len() as u64);
            attachments.push(attachment);
        }
    }
    let raw = compose::shelved(&kept.draft, &kept.msgid, &date, kept.version, &attachments);
    let facts = mime::facts(&raw);
    let mut packer = Packer::new()?;
    let mut chunks = packer.push(&raw)?;
    let (last, size, sha256) = packer.finish()?;
    chunks.extend(last);
    let body = Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments };
    let envelope = mime::envelope(mime::header_block(&raw));
    store.copy_draft(DraftCopy { draft: kept.id, version: kept.version, envelope, body })
}

fn size_of(reader: &Reader, file: &Attached) -> u64 {
    match &file.source {
        AttachedFrom::File(path) => fs::metadata(path).map_or(0, |meta| meta.len()),
        AttachedFrom::Mail(message) => reader.message(*message).ok().flatten().map_or(0, |mail| mail.size),
        AttachedFrom::Part { .. } => file.size,
    }
}

/// Takes over what another client made of a draft.
fn take_over(store: &Store, reader: &Reader, account: AccountId, foreign: &Foreign) -> Result<()> {
    let Some(kept) = reader.draft(foreign.draft)? else { return Ok(()) };
    let raw = reader.raw(foreign.message, u64::MAX)?;
    let (_, mut draft, files) = compose::unshelved(account, &raw);
    let mut left = MOST;
    let mut attachments = Vec::new();
    for own in kept.draft.attachments {
        let was_sent = size_of(reader, &own) <= left && bytes_of(reader, &own).is_ok();
        if was_sent {
            left = left.saturating_sub(size_of(reader, &own));
        }
        // What did not go there cannot have been taken off there.
        if !was_sent || files.iter().any(|file| file.name == own.name) {
            attachments.push(own);
        }
    }
    let new = files.into_iter().filter(|file| attachments.iter().all(|own| own.name != file.name)).collect();
    let new = spilled(store.dir(), &raw, new)?;
    attachments.extend(new);
    draft.attachments = attachments;
    (draft.answers, draft.send_at) = (kept.draft.answers, kept.draft.send_at);
    adopt(store, Some((foreign.draft, foreign.version)), foreign.placement, kept.msgid, draft).map(drop)
}

/// Opens a mail in the folder of drafts to be written on: the draft that it is the copy of, else a new one that takes its
/// place there when it was changed. `None`: it lies in no folder of drafts.
///
/// # Errors
/// [`Kind::Gone`] while its text is not here.
pub fn open(
    store: &Store,
    reader: &Reader,
    account: AccountId,
    message: MessageId,
) -> Result<Option<DraftId>> {
    let (known, placement) = reader.draft_of(message)?;
    let (None, Some(placement)) = (known, placement) else { return Ok(known) };
    let raw = reader.raw(message, u64::MAX)?;
    if raw.is_empty() {
        let error = Error::new(Kind::Gone, "the text of this draft is not here yet");
        return Err(error.hint("wait until it has come, or fetch it now with gm"));
    }
    let (msgid, mut draft, files) = compose::unshelved(account, &raw);
    draft.attachments = spilled(store.dir(), &raw, files)?;
    adopt(store, None, placement, msgid, draft)
}

fn adopt(
    store: &Store,
    over: Option<(DraftId, u64)>,
    placement: PlacementId,
    msgid: String,
    draft: crate::model::Draft,
) -> Result<Option<DraftId>> {
    let other_msgid = compose::message_id(secret::random()?, &draft.from);
    store.adopt_draft(Adopted { over, placement, msgid, other_msgid, draft })
}

/// The files of a mail, each in a file of its own.
fn spilled(data: &Path, raw: &[u8], files: Vec<Attached>) -> Result<Vec<Attached>> {
    let mut out = Vec::new();
    for file in files {
        let AttachedFrom::Part { index, .. } = file.source else { continue };
        let bytes = mime::part(raw, index)?;
        let path = put_aside(data, &file.name, &mut |to| to.write_all(&bytes))?;
        out.push(Attached { size: bytes.len() as u64, source: AttachedFrom::File(path), ..file });
    }
    Ok(out)
}

/// Writes a file that belongs to a draft: in the data directory, for the user's eyes only. It goes when no draft names it.
///
/// # Errors
/// [`Kind::Store`] for what cannot be written.
pub fn put_aside(
    data: &Path,
    name: &str,
    write: &mut dyn FnMut(&mut fs::File) -> std::io::Result<()>,
) -> Result<PathBuf> {
    let unique: String = secret::random::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let dir = files_of(data).join(unique);
    let path = dir.join(mime::safe_file_name(name));
    let failed =
        |e| Error::new(Kind::Store, "an attachment could not be kept in the data directory").because(e);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| write(&mut file).and_then(|()| file.sync_all()));
    match written {
        Ok(()) => Ok(path),
        Err(e) => {
            // Half a file is none.
            let _ = fs::remove_dir_all(&dir);
            Err(failed(e))
        }
    }
}

fn files_of(data: &Path) -> PathBuf {
    data.join("drafts").join("files")
}

/// Takes away the files that no draft names any more.
fn sweep(data: &Path, drafts: &[String]) {
    for entry in fs::read_dir(files_of(data)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_old = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > YOUNG));
        if is_old && drafts.iter().all(|draft| !draft.contains(&name)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
