//! The copies of drafts in the folder of drafts (promise O5): put there, replaced, taken up again when another client
//! wrote on them, and gone with their drafts.
//!
//! A copy is a mail like any other: what is queued for it is an append, and what it takes the place of leaves only after
//! that was confirmed (promise I7).

use super::batch::{Incoming, Packed};
use super::db::{sql, whole};
use super::drafts::{Kept, kept};
use super::handle::Store;
use super::messages::NONE;
use super::places::Placement;
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{
    AccountId, Draft, DraftId, Envelope, Flags, FolderId, MessageId, Owner, PlacementId, Role,
};

/// A version of a draft as the mail that other clients are shown.
#[derive(Debug)]
pub struct DraftCopy {
    /// Whose.
    pub draft: DraftId,
    /// Which version it shows: where that is not the newest any more, nothing is done.
    pub version: u64,
    /// Its header.
    pub envelope: Envelope,
    /// Its bytes.
    pub body: Packed,
}

/// A mail in the folder of drafts that is to be written on here.
#[derive(Debug)]
pub struct Adopted {
    /// The draft that it is a newer version of, and the version that is known here; `None`: of none.
    pub over: Option<(DraftId, u64)>,
    /// The copy.
    pub placement: PlacementId,
    /// Its Message-ID, without brackets.
    pub msgid: String,
    /// The one that a draft gets that cannot keep its own.
    pub other_msgid: String,
    /// What it says.
    pub draft: Draft,
}

/// A mail that another client made of a draft that is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The draft.
    pub draft: DraftId,
    /// Its version here.
    pub version: u64,
    /// The mail.
    pub message: MessageId,
    /// Its place.
    pub placement: PlacementId,
    /// Whether all of it is here.
    pub is_whole: bool,
}

impl Store {
    /// Gives a draft its copy in the folder of drafts, in the place of the one that it had; false: it was changed, sent
    /// or thrown away meanwhile.
    pub fn copy_draft(&self, copy: DraftCopy) -> Result<bool> {
        self.on_draft(super::drafts::Deed::Copy(Box::new(copy))).map(|done| done.is_some())
    }

    /// Makes a draft of a mail in the folder of drafts, or takes over what another client made of one. Where it was changed
    /// here too both are kept. `None`: it is not there any more, or was changed meanwhile.
    pub fn adopt_draft(&self, adopted: Adopted) -> Result<Option<DraftId>> {
        self.on_draft(super::drafts::Deed::Adopt(Box::new(adopted))).map(|id| id.map(DraftId))
    }
}

impl Reader {
    /// The drafts of an account whose last version has no copy yet, and that were left alone since `before`, Unix time.
    pub fn uncopied_drafts(&self, account: AccountId, before: i64) -> Result<Vec<Kept>> {
        let all = self.0.all(
            sql!(
                "SELECT d.id, d.account_id, d.msgid, d.version, d.updated_at, d.editor, d.state FROM drafts d
                  WHERE d.account_id = ?1 AND d.version > d.pushed AND d.updated_at <= ?2
                    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.draft_id = d.id)"
            ),
            (account, before),
            kept,
        )?;
        Ok(all.into_iter().flatten().collect())
    }

    /// When the first of them was changed last.
    pub fn uncopied_since(&self, account: AccountId) -> Result<Option<i64>> {
        let at = self.0.one(
            sql!(
                "SELECT min(d.updated_at) FROM drafts d WHERE d.account_id = ?1 AND d.version > d.pushed
                  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.draft_id = d.id)"
            ),
            [account],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(at.flatten())
    }

    /// What other clients made of drafts that are known here, the newest of each first: under the same Message-ID, and come
    /// into the folder after the copy that is known.
    pub fn foreign_drafts(&self, account: AccountId) -> Result<Vec<Foreign>> {
        self.0.all(
            sql!(
                "SELECT d.id, d.version, m.id, p.id, m.body_state = 2 FROM drafts d
                  CROSS JOIN folders f ON f.account_id = d.account_id AND f.role = 'drafts'
                  CROSS JOIN messages m ON m.account_id = d.account_id AND m.msgid = d.msgid
                  CROSS JOIN placements p ON p.message_id = m.id AND p.folder_id = f.id
                  LEFT JOIN placements q ON q.id = d.placement_id
                  WHERE d.account_id = ?1 AND d.pushed > 0 AND d.msgid <> '' AND p.uid IS NOT NULL AND (p.hidden & 1) = 0
                    AND (q.id IS NULL OR (q.folder_id = p.folder_id AND p.uid > q.uid))
                    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.draft_id = d.id) ORDER BY p.uid DESC"
            ),
            [account],
            |row| {
                Ok(Foreign {
                    draft: row.get(0)?,
                    version: super::db::unsigned(row.get(1)?),
                    message: row.get(2)?,
                    placement: row.get(3)?,
                    is_whole: row.get(4)?,
                })
            },
        )
    }

    /// The draft whose copy a mail is; else, where it lies in the folder of drafts, its place there.
    pub fn draft_of(&self, message: MessageId) -> Result<(Option<DraftId>, Option<PlacementId>)> {
        let found = self.0.one(
            sql!(
                "SELECT d.id, p.id FROM placements p JOIN folders f ON f.id = p.folder_id AND f.role = 'drafts'
                  LEFT JOIN drafts d ON d.placement_id = p.id
                  WHERE p.message_id = ?1 AND (p.hidden & 1) = 0 LIMIT 1"
            ),
            [message],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(found.unwrap_or_default())
    }

    /// What every draft says, on its way out or not: as it is kept.
    pub fn draft_texts(&self) -> Result<Vec<String>> {
        self.0.all(sql!("SELECT state FROM drafts"), [], |row| row.get(0))
    }
}

impl Tx<'_> {
    pub(super) fn copy_draft(&mut self, copy: &DraftCopy) -> Result<Option<i64>> {
        let row = self.db.one(
            sql!(
                "SELECT account_id, placement_id FROM drafts d WHERE id = ?1 AND version = ?2 AND pushed < version
                  AND NOT EXISTS (SELECT 1 FROM outbox WHERE draft_id = d.id)"
            ),
            (copy.draft, whole(copy.version)),
            |row| Ok((row.get::<_, AccountId>(0)?, row.get::<_, Option<PlacementId>>(1)?)),
        )?;
        let Some((account, former)) = row else { return Ok(None) };
        let folder = self.role_folder(account, Role::Drafts)?;
        let flags = Flags::SEEN | Flags::DRAFT;
        let incoming = Incoming {
            folder,
            uid: None,
            uidl: None,
            remote_id: None,
            flags,
            keywords: Vec::new(),
            size: copy.body.size,
            received: self.now,
            internal: 0,
            envelope: copy.envelope.clone(),
            body: None,
        };
        let message = self.insert_message(account, &incoming, NONE)?;
        self.body(message, &copy.body)?;
        self.db.run(
            sql!(
                "INSERT INTO placements (folder_id, message_id, thread_id, sort_at, flags, base)
                  SELECT ?1, id, thread_id, received, ?3, ?3 FROM messages WHERE id = ?2"
            ),
            (folder, message, flags),
        )?;
        let place = PlacementId(self.db.last_id());
        let op = if self.owner(account)? == Owner::Server {
            let op = self.queue(account, "append", None, Some(folder), "{}")?;
            self.add_item(op, place, None)?;
            Some(op)
        } else {
            None
        };
        self.db.run(
            sql!("UPDATE drafts SET pushed = version, placement_id = ?2 WHERE id = ?1"),
            (copy.draft, place),
        )?;
        if let Some(former) = self.standing_copy(former)? {
            match self.untried_append(&former)? {
                Some(untried) => self.drop_append(untried, &former)?,
                None => self.depart(account, &former, op)?,
            }
        }
        self.touched.folders.insert(folder);
        self.touched.message(message);
        Ok(Some(copy.draft.0))
    }

    fn standing_copy(&self, copy: Option<PlacementId>) -> Result<Option<Placement>> {
        Ok(copy.map_or(Ok(None), |copy| self.placement(copy))?.filter(|copy| !copy.is_leaving()))
    }

    pub(super) fn adopt_draft(&mut self, adopted: &Adopted) -> Result<Option<i64>> {
        let Some(copy) = self.standing_copy(Some(adopted.placement))? else { return Ok(None) };
        let state = adopted.draft.to_json();
        self.touched.accounts.insert(adopted.draft.account);
        if let Some((draft, version)) = adopted.over {
            let taken = self.db.run(
                sql!(
                    "UPDATE drafts SET state = ?3, version = version + 1, pushed = version + 1, placement_id = ?4,
                        updated_at = ?5 WHERE id = ?1 AND version = ?2 AND pushed = version"
                ),
                (draft, whole(version), &state, copy.id, self.now),
            )?;
            if taken > 0 {
                return Ok(Some(draft.0));
            }
            // Written on here too: each goes on by itself, this one under another name.
            let renamed = self.db.run(
                sql!("UPDATE drafts SET msgid = ?3, pushed = 0 WHERE id = ?1 AND version = ?2"),
                (draft, whole(version), &adopted.other_msgid),
            )?;
            if renamed == 0 {
                return Ok(None);
            }
        }
        let known = self.db.one(sql!("SELECT id FROM drafts WHERE placement_id = ?1"), [copy.id], |row| {
            row.get::<_, i64>(0)
        })?;
        if known.is_some() {
            return Ok(known);
        }
        let is_taken = self.db.one(
            sql!("SELECT d.id FROM drafts d WHERE d.account_id = ?1 AND d.msgid = ?2"),
            (adopted.draft.account, &adopted.msgid),
            |_| Ok(()),
        )?;
        let msgid = if is_taken.is_some() || adopted.msgid.is_empty() {
            &adopted.other_msgid
        } else {
            &adopted.msgid
        };
        self.db.run(
            sql!(
                "INSERT INTO drafts (account_id, msgid, state, raw, updated_at, pushed, placement_id)
                  VALUES (?1, ?2, ?3, x'', ?4, 1, ?5)"
            ),
            (adopted.draft.account, msgid, &state, self.now, copy.id),
        )?;
        Ok(Some(self.db.last_id()))
    }

    /// A draft was sent or thrown away: it goes, and its copy in the folder of drafts for good.
    pub(super) fn end_draft(&mut self, draft: DraftId) -> Result<()> {
        let Some(copy) = self.take_draft(draft)? else { return Ok(()) };
        match self.untried_append(&copy)? {
            Some(untried) => self.drop_append(untried, &copy),
            None => {
                let account = self.account_of(copy.folder)?;
                self.delete_copies(account, copy.folder, &[copy])
            }
        }
    }

    /// Takes the row of a draft away; its copy, if it has one that stays.
    fn take_draft(&mut self, draft: DraftId) -> Result<Option<Placement>> {
        let copy = self.db.one(
            sql!("DELETE FROM drafts WHERE id = ?1 RETURNING account_id, placement_id"),
            [draft],
            |row| Ok((row.get::<_, AccountId>(0)?, row.get::<_, Option<PlacementId>>(1)?)),
        )?;
        let Some((account, copy)) = copy else { return Ok(None) };
        self.touched.accounts.insert(account);
        self.standing_copy(copy)
    }

    /// A draft goes to another account: what was of it in the first goes from there.
    pub(super) fn leave_account(&mut self, draft: DraftId, to: AccountId) -> Result<()> {
        let left = self.db.one(
            sql!(
                "SELECT placement_id FROM drafts WHERE id = ?1 AND account_id <> ?2 AND placement_id IS NOT NULL"
            ),
            (draft, to),
            |row| row.get::<_, PlacementId>(0),
        )?;
        let Some(copy) = self.standing_copy(left)? else { return Ok(()) };
        self.db.run(sql!("UPDATE drafts SET placement_id = NULL, pushed = 0 WHERE id = ?1"), [draft])?;
        match self.untried_append(&copy)? {
            Some(untried) => self.drop_append(untried, &copy),
            None => {
                let account = self.account_of(copy.folder)?;
                self.delete_copies(account, copy.folder, &[copy])
            }
        }
    }

    /// The user takes a mail out of its folder: where it is the copy of a draft, the draft goes with it; what was written
    /// since stays, and gets a copy of its own.
    pub(super) fn draft_leaves(&mut self, copy: PlacementId) -> Result<()> {
        let gone = self.db.one(
            sql!(
                "DELETE FROM drafts WHERE placement_id = ?1 AND pushed = version
                  AND NOT EXISTS (SELECT 1 FROM outbox WHERE draft_id = drafts.id) RETURNING account_id"
            ),
            [copy],
            |row| row.get::<_, AccountId>(0),
        )?;
        self.touched.accounts.extend(gone);
        self.db
            .run(sql!("UPDATE drafts SET placement_id = NULL, pushed = 0 WHERE placement_id = ?1"), [copy])?;
        Ok(())
    }

    /// A folder was looked at completely: drafts whose copy is not there any more, and in no other version, were sent
    /// or thrown away elsewhere. What was written here since stays.
    pub(super) fn drafts_gone(&mut self, folder: FolderId) -> Result<()> {
        let account = self.db.one(
            sql!("SELECT account_id FROM folders WHERE id = ?1 AND role = 'drafts'"),
            [folder],
            |row| row.get::<_, AccountId>(0),
        )?;
        let Some(account) = account else { return Ok(()) };
        let gone = self.db.run(
            sql!(
                "DELETE FROM drafts WHERE account_id = ?1 AND placement_id IS NULL AND pushed > 0 AND pushed = version
                  AND NOT EXISTS (SELECT 1 FROM outbox WHERE draft_id = drafts.id)
                  AND NOT EXISTS (SELECT 1 FROM messages m CROSS JOIN placements p ON p.message_id = m.id
                                  WHERE m.account_id = ?1 AND m.msgid = drafts.msgid AND p.folder_id = ?2 AND (p.hidden & 1) = 0)"
            ),
            (account, folder),
        )?;
        if gone > 0 {
            self.touched.accounts.insert(account);
        }
        // What was written on here since is put there anew.
        self.db.run(
            sql!(
                "UPDATE drafts SET pushed = 0 WHERE account_id = ?1 AND placement_id IS NULL AND pushed > 0 AND pushed < version"
            ),
            [account],
        )?;
        Ok(())
    }
}
