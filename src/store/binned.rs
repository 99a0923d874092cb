//! A draft that is thrown away: gone from the drafts, in Trash as a mail, and back when that is undone (promise A1).

use super::acts::Act;
use super::batch::{Incoming, Packed};
use super::db::{Db, sql};
use super::messages::NONE;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, DraftId, Envelope, Flags, FolderId, MessageId, Owner, PlacementId, Role};
use crate::text::Clean;

/// The mail that a draft was, for Trash.
#[derive(Debug)]
pub struct Binned {
    /// Its header.
    pub envelope: Envelope,
    /// Its bytes.
    pub body: Packed,
}

/// A draft that goes, or comes back, as undo keeps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Binning {
    account: AccountId,
    draft: i64,
    msgid: String,
    /// What it said, as its row has it.
    state: String,
    /// Its mail in Trash.
    copy: Option<(FolderId, MessageId)>,
    goes: bool,
}

impl Binning {
    pub(super) fn inverse(&self) -> Self {
        Self { goes: !self.goes, ..self.clone() }
    }
}

impl Tx<'_> {
    /// Throws a draft away; whether it was there, and not in the outbox.
    pub(super) fn bin(&mut self, id: DraftId, mail: Option<&Binned>) -> Result<bool> {
        let found =
            self.db.one(sql!("SELECT account_id, msgid, state FROM drafts WHERE id = ?1"), [id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
            })?;
        let Some((account, msgid, state)) = found else { return Ok(false) };
        if !self.drop_draft(id)? {
            return Ok(false);
        }
        let copy = mail.map(|mail| self.put_into_trash(account, mail)).transpose()?;
        let subject = mail.map(|mail| Clean::line(&mail.envelope.subject)).unwrap_or_default();
        let label = match subject.is_empty() {
            true => "threw away a draft".to_owned(),
            false => format!("threw away the draft \u{201c}{subject}\u{201d}"),
        };
        self.touched.accounts.insert(account);
        self.record(
            label,
            vec![Act::Draft(Binning { account, draft: id.0, msgid, state, copy, goes: true })],
        )?;
        Ok(true)
    }

    pub(super) fn drop_draft(&mut self, id: DraftId) -> Result<bool> {
        let is_free = self.db.one(
            sql!(
                "SELECT 1 FROM drafts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE draft_id = ?1)"
            ),
            [id],
            |_| Ok(()),
        )?;
        if is_free.is_some() {
            self.end_draft(id)?;
        }
        Ok(is_free.is_some())
    }

    fn put_into_trash(&mut self, account: AccountId, mail: &Binned) -> Result<(FolderId, MessageId)> {
        let incoming = Incoming {
            folder: FolderId(0),
            uid: None,
            uidl: None,
            remote_id: None,
            flags: Flags::NONE,
            keywords: Vec::new(),
            size: mail.body.size,
            received: self.now,
            internal: 0,
            envelope: mail.envelope.clone(),
            body: None,
        };
        let message = self.insert_message(account, &incoming, NONE)?;
        self.body(message, &mail.body)?;
        let trash = self.role_folder(account, Role::Trash)?;
        let flags = Flags::SEEN | Flags::DRAFT;
        self.db.run(
            sql!(
                "INSERT INTO placements (folder_id, message_id, thread_id, sort_at, flags, base)
                  SELECT ?1, id, thread_id, received, ?3, ?3 FROM messages WHERE id = ?2"
            ),
            (trash, message, flags),
        )?;
        let place = PlacementId(self.db.last_id());
        if self.owner(account)? == Owner::Server {
            let op = self.queue(account, "append", None, Some(trash), "{}")?;
            self.add_item(op, place, None)?;
        }
        self.touched.folders.insert(trash);
        self.touched.message(message);
        Ok((trash, message))
    }

    /// Throws it away again, or brings it back; whether that came to anything.
    pub(super) fn perform_binning(&mut self, binning: &Binning) -> Result<bool> {
        let Binning { account, draft, msgid, state, copy, goes } = binning;
        self.touched.accounts.insert(*account);
        if *goes {
            return self.drop_draft(DraftId(*draft));
        }
        if !is_there(self.db, *account)? {
            return Ok(false);
        }
        let back = self.db.run(
            sql!(
                "INSERT OR IGNORE INTO drafts (id, account_id, msgid, state, raw, updated_at) VALUES (?1, ?2, ?3, ?4, x'', ?5)"
            ),
            (draft, account, msgid, state, self.now),
        )?;
        // The draft has all that its mail in Trash says.
        for copy in self.copies_named(copy.iter().copied())? {
            if self.is_here_only(copy.id)? {
                self.remove(&copy)?;
            } else {
                self.delete_copies(*account, copy.folder, &[copy])?;
            }
        }
        Ok(back > 0)
    }

    /// Whether the server was never told of this copy.
    fn is_here_only(&self, copy: PlacementId) -> Result<bool> {
        let found = self.db.one(
            sql!(
                "SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id
                  WHERE i.placement_id = ?1 AND o.kind = 'append' AND o.state = 'queued' AND o.tries = 0"
            ),
            [copy],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}

fn is_there(db: &Db, account: AccountId) -> Result<bool> {
    let found = db.one(sql!("SELECT 1 FROM accounts WHERE id = ?1"), [account], |_| Ok(()))?;
    Ok(found.is_some())
}
