//! What acts do: the effect here, and the operation that tells the server.
//!
//! Each cancels what is queued and has never been tried, where it is the exact opposite and nothing queued
//! since builds on it; else it queues an operation behind all others.

use super::acts::Act;
use super::db::sql;
use super::places::{LEAVING, Placement};
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId, MessageId, OpId, Owner, PlacementId};

/// `ops.detail` of a deletion that spares the last copy of a mail.
pub(super) const SPARING: &str = "{\"spare\":true}";

impl Tx<'_> {
    /// Takes copies from one folder to another; returns what really moved.
    pub(super) fn move_copies(
        &mut self,
        account: AccountId,
        from: FolderId,
        to: FolderId,
        copies: &[Placement],
    ) -> Result<Vec<Act>> {
        if from == to || copies.is_empty() {
            return Ok(Vec::new());
        }
        // What was put off is put off where it lay.
        copies.iter().try_for_each(|copy| self.bring_back(copy))?;
        if self.stays(account, from, to)? {
            return self.give_label(account, from, to, copies);
        }
        let is_local = self.owner(account)? == Owner::Here;
        let all_mail = self.all_mail(account)?;
        let (mut op, mut moved, mut left) = (None, Vec::new(), Vec::new());
        for copy in copies {
            self.touched.message(copy.message);
            self.draft_leaves(copy.id)?;
            if is_local {
                moved.push(copy.message);
                self.db.run(sql!("UPDATE placements SET folder_id = ?2 WHERE id = ?1"), (copy.id, to))?;
                continue;
            }
            // A folder that is a label has a mail once: then the move is out of the other one only.
            let is_there = all_mail.is_some() && self.copy_in(to, copy.message)?.is_some();
            if is_there {
                left.push(copy.message)
            } else {
                moved.push(copy.message)
            }
            if self.cancel_move(copy, to)? {
                continue;
            }
            let op = match op {
                Some(op) => op,
                None => *op.insert(self.queue(account, "move", Some(from), Some(to), "{}")?),
            };
            let result = if is_there { None } else { Some(self.pending_copy(copy, to)?) };
            self.hide(copy.id)?;
            self.add_item(op, copy.id, result)?;
        }
        self.touched.folders.extend([from, to]);
        let mut acts = Vec::new();
        if !moved.is_empty() {
            acts.push(Act::Move { from, to, messages: moved });
        }
        if let Some(all) = all_mail.filter(|_| !left.is_empty()) {
            acts.push(Act::Move { from, to: all, messages: left });
        }
        Ok(acts)
    }

    /// Takes a queued move back whose result is this copy, if it came from `home`.
    pub(super) fn cancel_move(&mut self, copy: &Placement, home: FolderId) -> Result<bool> {
        let Some((op, source)) = self.untouched_result(copy, "move")? else { return Ok(false) };
        let Some(source) = self.placement(source)?.filter(|source| source.folder == home) else {
            return Ok(false);
        };
        self.drop_result(op, source.id, copy)?;
        self.db.run(sql!("UPDATE placements SET hidden = hidden & ~1 WHERE id = ?1"), [source.id])?;
        self.touched.message(source.message);
        Ok(true)
    }

    /// The item that will bring this copy to the server, if it was never tried and nothing builds on it.
    fn untouched_result(&self, copy: &Placement, kind: &str) -> Result<Option<(OpId, PlacementId)>> {
        self.db.one(
            sql!(
                "SELECT i.op_id, i.placement_id FROM op_items i JOIN ops o ON o.id = i.op_id
                  WHERE i.result_id = ?1 AND o.kind = ?2
                    AND ((o.state = 'queued' AND o.tries = 0) OR o.state = 'conflict')
                    AND NOT EXISTS (SELECT 1 FROM op_items WHERE placement_id = ?1)"
            ),
            (copy.id, kind),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    fn drop_result(&mut self, op: OpId, source: PlacementId, result: &Placement) -> Result<()> {
        self.drop_item(op, source)?;
        self.remove(result)
    }

    /// Puts copies into another folder too; returns what was really copied.
    pub(super) fn copy_copies(
        &mut self,
        account: AccountId,
        from: FolderId,
        to: FolderId,
        copies: &[Placement],
    ) -> Result<Vec<Act>> {
        let is_local = self.owner(account)? == Owner::Here;
        let mut op = None;
        let mut messages = Vec::new();
        for copy in copies {
            // One copy in a folder is enough.
            if self.copy_in(to, copy.message)?.is_some() {
                continue;
            }
            let result = self.pending_copy(copy, to)?;
            messages.push(copy.message);
            self.touched.message(copy.message);
            if is_local {
                continue;
            }
            let op = match op {
                Some(op) => op,
                None => *op.insert(self.queue(account, "copy", Some(from), Some(to), "{}")?),
            };
            self.add_item(op, copy.id, Some(result))?;
        }
        self.touched.folders.insert(to);
        Ok(if messages.is_empty() { Vec::new() } else { vec![Act::Copy { from, to, messages }] })
    }

    /// Removes copies for good: here, and on the server.
    pub(super) fn delete_copies(
        &mut self,
        account: AccountId,
        folder: FolderId,
        copies: &[Placement],
    ) -> Result<()> {
        self.delete_as(account, folder, copies, "{}")
    }

    /// The same for copies that are taken back: on the server only while another copy is there.
    pub(super) fn take_copies_back(
        &mut self,
        account: AccountId,
        folder: FolderId,
        copies: &[Placement],
    ) -> Result<()> {
        self.delete_as(account, folder, copies, SPARING)
    }

    fn delete_as(
        &mut self,
        account: AccountId,
        folder: FolderId,
        copies: &[Placement],
        detail: &str,
    ) -> Result<()> {
        let is_local = self.owner(account)? == Owner::Here;
        let mut op = None;
        for copy in copies {
            self.touched.message(copy.message);
            self.draft_leaves(copy.id)?;
            if is_local {
                if self.copies(copy.message)?.len() <= 1 {
                    self.want_deleted(copy.message)?;
                }
                self.remove(copy)?;
                continue;
            }
            if let Some((op, source)) = self.untouched_result(copy, "copy")? {
                self.drop_result(op, source, copy)?;
                continue;
            }
            let op = match op {
                Some(op) => op,
                None => *op.insert(self.queue(account, "delete", Some(folder), None, detail)?),
            };
            self.hide(copy.id)?;
            self.add_item(op, copy.id, None)?;
        }
        self.touched.folders.insert(folder);
        Ok(())
    }

    /// The same mail in another folder, without a UID.
    fn pending_copy(&self, copy: &Placement, to: FolderId) -> Result<PlacementId> {
        self.db.run(
            sql!(
                "INSERT INTO placements (folder_id, message_id, thread_id, sort_at, flags, base)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            ),
            (to, copy.message, copy.thread, copy.sort_at, copy.flags, copy.base),
        )?;
        let result = PlacementId(self.db.last_id());
        self.copy_tags(copy.id, result)?;
        Ok(result)
    }

    pub(super) fn hide(&self, placement: PlacementId) -> Result<()> {
        self.db
            .run(sql!("UPDATE placements SET hidden = hidden | ?2 WHERE id = ?1"), (placement, LEAVING))?;
        Ok(())
    }

    /// A new operation, behind all others.
    pub(super) fn queue(
        &mut self,
        account: AccountId,
        kind: &str,
        folder: Option<FolderId>,
        target: Option<FolderId>,
        detail: &str,
    ) -> Result<OpId> {
        self.db.run(
            sql!(
                "INSERT INTO ops (account_id, kind, folder_id, target_id, detail, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            ),
            (account, kind, folder, target, detail, self.now),
        )?;
        self.touched.ops.insert(account);
        let op = OpId(self.db.last_id());
        self.queued.push(op);
        Ok(op)
    }

    pub(super) fn add_item(
        &self,
        op: OpId,
        placement: PlacementId,
        result: Option<PlacementId>,
    ) -> Result<()> {
        self.db.run(
            sql!("INSERT INTO op_items (op_id, placement_id, result_id) VALUES (?1, ?2, ?3)"),
            (op, placement, result),
        )?;
        Ok(())
    }

    pub(super) fn drop_item(&mut self, op: OpId, placement: PlacementId) -> Result<()> {
        self.db.run(sql!("DELETE FROM op_items WHERE op_id = ?1 AND placement_id = ?2"), (op, placement))?;
        self.end_if_empty(op)
    }

    pub(super) fn copy_in(&self, folder: FolderId, message: MessageId) -> Result<Option<Placement>> {
        self.db.one(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE message_id = ?1 AND folder_id = ?2 AND (hidden & 1) = 0 ORDER BY id LIMIT 1"),
            (message, folder),
            Placement::read,
        )
    }
}
