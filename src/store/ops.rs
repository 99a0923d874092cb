//! The queue of what the server has not heard: what becomes of an op that was tried.

use std::collections::HashSet;

use super::db::sql;
use super::far::Appending;
use super::flags::marks_from;
use super::places::{AWAITED, Placement};
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, Mark, OpId, PlacementId};

/// A row of `ops`, as far as its end needs it.
struct Ending {
    account: AccountId,
    kind: String,
    target: Option<FolderId>,
    detail: String,
}

/// A row of `op_items`.
struct Item {
    placement: Placement,
    result: Option<PlacementId>,
}

impl Tx<'_> {
    /// An op is being carried out: from now on it is never cancelled.
    pub(super) fn op_running(&mut self, op: OpId) -> Result<()> {
        self.db.run(sql!("UPDATE ops SET state = 'running', tries = tries + 1 WHERE id = ?1"), [op])?;
        self.touch_ops(op)
    }

    /// Where the folder ended into which an op puts a mail (promise I7).
    pub(super) fn op_marked(&self, op: OpId, mark: Mark) -> Result<()> {
        let detail = serde_json::to_string(&Appending { mark: Some(mark) })
            .map_err(|e| Error::new(Kind::Bug, "could not write down where a folder ended").because(e))?;
        self.db.run(sql!("UPDATE ops SET detail = ?2 WHERE id = ?1 AND kind = 'append'"), (op, detail))?;
        Ok(())
    }

    /// An op failed; its local effect stays. With a time it is tried again then, else it waits for the user.
    pub(super) fn op_failed(&mut self, op: OpId, error: &str, retry_at: Option<i64>) -> Result<()> {
        self.touch_ops(op)?;
        let state = if retry_at.is_some() { "queued" } else { "conflict" };
        if retry_at.is_none() && self.is_in_vain(op)? {
            return Ok(());
        }
        // The server said no: what is put there next was not there before.
        self.db.run(
            sql!(
                "UPDATE ops SET state = ?2, error = ?3, not_before = ?4,
                    detail = iif(kind = 'append' AND ?2 = 'conflict', '{}', detail) WHERE id = ?1"
            ),
            (op, state, error, retry_at.unwrap_or(0)),
        )?;
        if retry_at.is_none() { self.shape_refused(op) } else { Ok(()) }
    }

    /// A mail could not be put on the server, and was to go from there again: then all is as it was wanted.
    fn is_in_vain(&mut self, op: OpId) -> Result<bool> {
        let leaving = self.db.one(
            sql!(
                "SELECT i.placement_id FROM ops o JOIN op_items i ON i.op_id = o.id
                  JOIN placements p ON p.id = i.placement_id
                  WHERE o.id = ?1 AND o.kind = 'append' AND (p.hidden & 1) <> 0 AND p.uid IS NULL
                    AND NOT EXISTS (SELECT 1 FROM ops WHERE after_id IS NOT NULL AND after_id = ?1)
                    AND NOT EXISTS (SELECT 1 FROM op_items b JOIN ops e ON e.id = b.op_id
                                    WHERE b.placement_id = p.id AND e.kind NOT IN ('append', 'delete', 'flags'))"
            ),
            [op],
            |row| row.get::<_, PlacementId>(0),
        )?;
        match leaving.map_or(Ok(None), |leaving| self.placement(leaving))? {
            Some(leaving) => self.remove(&leaving).map(|()| true),
            None => Ok(false),
        }
    }

    fn touch_ops(&mut self, op: OpId) -> Result<()> {
        let account = self
            .db
            .one(sql!("SELECT account_id FROM ops WHERE id = ?1"), [op], |row| row.get::<_, AccountId>(0))?;
        self.touched.ops.extend(account);
        Ok(())
    }

    /// An op is done. `moved` names the UIDs of results, by the item's placement, as far as told.
    pub(super) fn op_done(
        &mut self,
        op: OpId,
        moved: &[(PlacementId, u32)],
        created: Option<&str>,
    ) -> Result<()> {
        let ending = self.db.one(
            sql!("SELECT account_id, kind, target_id, detail FROM ops WHERE id = ?1"),
            [op],
            |row| {
                Ok(Ending {
                    account: row.get(0)?,
                    kind: row.get(1)?,
                    target: row.get(2)?,
                    detail: row.get(3)?,
                })
            },
        )?;
        // Told twice: it is done already.
        let Some(ending) = ending else { return Ok(()) };
        self.touched.ops.insert(ending.account);
        if ending.kind == "mkdir" {
            self.db.run(sql!("DELETE FROM ops WHERE id = ?1"), [op])?;
            return self.made(ending.account, ending.target, created);
        }
        if let ("rmdir" | "rename" | "subscribe", Some(folder)) = (ending.kind.as_str(), ending.target) {
            self.db.run(sql!("DELETE FROM ops WHERE id = ?1"), [op])?;
            return self.shape_done(ending.account, &ending.kind, folder, created);
        }
        let items = self.items(op)?;
        let moved = if ending.kind == "append" || self.may_all_be(&items, ending.target, moved)? {
            moved
        } else {
            &[]
        };
        self.db.run(sql!("DELETE FROM op_items WHERE op_id = ?1"), [op])?;
        self.db.run(sql!("DELETE FROM ops WHERE id = ?1"), [op])?;
        for item in items {
            let uid =
                moved.iter().find(|(placement, _)| *placement == item.placement.id).map(|(_, uid)| *uid);
            match ending.kind.as_str() {
                "flags" => {
                    let marks = marks_from(&ending.detail)?;
                    let base = marks.flags.apply(item.placement.base);
                    self.db.run(
                        sql!("UPDATE placements SET base = ?2 WHERE id = ?1"),
                        (item.placement.id, base),
                    )?;
                    self.tags_done(item.placement.id, &marks)?;
                }
                "append" => self.appended(op, &item.placement, uid)?,
                "copy" => self.landed(&item, ending.target, uid)?,
                "move" => {
                    // What could not be done to the source in time is to be done to where it went.
                    if let Some(result) = item.result {
                        self.hand_over(item.placement.id, result)?;
                    }
                    self.landed(&item, ending.target, uid)?;
                    self.remove(&item.placement)?;
                }
                _ => self.remove(&item.placement)?,
            }
        }
        Ok(())
    }

    fn items(&self, op: OpId) -> Result<Vec<Item>> {
        self.db.all(
            sql!("SELECT p.id, p.folder_id, p.message_id, p.uid, p.thread_id, p.sort_at, p.flags, p.base, p.hidden,
                    i.result_id FROM op_items i JOIN placements p ON p.id = i.placement_id WHERE i.op_id = ?1"),
            [op],
            |row| Ok(Item { placement: Placement::read(row)?, result: row.get(9)? }),
        )
    }

    /// Whether what was told of where mails went can be so: if of one it cannot, nothing of it is believed (promise I1).
    fn may_all_be(
        &self,
        items: &[Item],
        target: Option<FolderId>,
        moved: &[(PlacementId, u32)],
    ) -> Result<bool> {
        let Some(target) = target else { return Ok(true) };
        for (placement, uid) in moved {
            let item = items.iter().find(|item| item.placement.id == *placement);
            if let Some(item) = item
                && !self.may_be(target, *uid, item.placement.message)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A copy is in the target folder on the server, under `uid` if that was told.
    fn landed(&mut self, item: &Item, target: Option<FolderId>, uid: Option<u32>) -> Result<()> {
        let Some(target) = target else { return Ok(()) };
        self.touched.folders.insert(target);
        let result = match item.result {
            Some(id) => self.placement(id)?.filter(|result| result.folder == target),
            None => None,
        };
        let Some(uid) = uid else {
            if let Some(result) = result.filter(|result| result.uid.is_none()) {
                // The next complete looks at the target show it.
                self.db.run(sql!("UPDATE placements SET stale = ?2 WHERE id = ?1"), (result.id, AWAITED))?;
                self.in_doubt.remove(&target);
                self.inherit(&item.placement, &result)?;
            }
            return Ok(());
        };
        match (result, self.by_uid(target, uid)?) {
            // A pull saw it there before we were told: one row for one copy.
            (Some(result), Some(held)) if result.uid.is_none() => self.unite(&result, &held),
            (_, Some(_)) => Ok(()),
            (Some(result), None) if result.uid.is_none() => {
                self.set_uid(result.id, uid)?;
                self.inherit(&item.placement, &result)
            }
            // The pending row took the UID of an equal copy that someone else made, or is gone.
            (_, None) => self.another(&item.placement, target, uid),
        }
    }

    /// What the server had of the source it has of the result.
    fn inherit(&mut self, source: &Placement, result: &Placement) -> Result<()> {
        self.set_base(result, source.base)?;
        let keywords = self.keywords_there(source.id)?;
        self.told_keywords(result.id, &keywords).map(drop)
    }

    fn another(&mut self, source: &Placement, folder: FolderId, uid: u32) -> Result<()> {
        self.db.run(
            sql!(
                "INSERT INTO placements (folder_id, message_id, uid, thread_id, sort_at, flags, base)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            ),
            (folder, source.message, uid, source.thread, source.sort_at, source.flags, source.base),
        )?;
        self.copy_tags(source.id, PlacementId(self.db.last_id()))
    }

    /// A pending row and the row that a pull made for the same copy become the latter.
    pub(super) fn unite(&mut self, pending: &Placement, held: &Placement) -> Result<()> {
        self.hand_over(pending.id, held.id)?;
        self.db
            .run(sql!("UPDATE op_items SET result_id = ?2 WHERE result_id = ?1"), (pending.id, held.id))?;
        let there = self.keywords_there(held.id)?;
        self.copy_tags(pending.id, held.id)?;
        self.told_keywords(held.id, &there)?;
        self.db.run(sql!("DELETE FROM placements WHERE id = ?1"), [pending.id])?;
        // A later op may take it away already.
        self.db.run(
            sql!("UPDATE placements SET hidden = hidden | ?2 WHERE id = ?1"),
            (held.id, pending.hidden),
        )?;
        self.set_base(held, held.base)?;
        self.touched.message(held.message);
        if held.message == pending.message { Ok(()) } else { self.forget_unplaced(pending.message) }
    }

    /// Every op on one placement is on another from now on. Not those that bring the first one: where both are not in
    /// one folder, what they are told is of another (promise I1).
    fn hand_over(&mut self, from: PlacementId, to: PlacementId) -> Result<()> {
        self.db.run(
            sql!("UPDATE OR IGNORE op_items SET placement_id = ?2 WHERE placement_id = ?1"),
            (from, to),
        )?;
        // Both were to be moved by one operation: one copy has one result.
        let twice = self.db.all(
            sql!("DELETE FROM op_items WHERE placement_id = ?1 RETURNING result_id"),
            [from],
            |row| row.get::<_, Option<PlacementId>>(0),
        )?;
        twice.into_iter().try_for_each(|result| self.orphan(result))
    }

    /// The folder was made on the server. Where a listing brought it first, both rows become one.
    fn made(&mut self, account: AccountId, folder: Option<FolderId>, created: Option<&str>) -> Result<()> {
        let Some(folder) = folder else { return Ok(()) };
        let path = self.db.one(
            sql!("SELECT path FROM folders WHERE id = ?1 AND remote IS NULL"),
            [folder],
            |row| row.get::<_, String>(0),
        )?;
        let Some(path) = path else { return Ok(()) };
        let remote = created.unwrap_or(&path);
        self.touched.accounts.insert(account);
        let listed = self.db.one(
            sql!("SELECT id FROM folders WHERE account_id = ?1 AND remote = ?2"),
            (account, remote),
            |row| row.get::<_, FolderId>(0),
        )?;
        let Some(listed) = listed else {
            self.db.run(sql!("UPDATE folders SET remote = ?2 WHERE id = ?1"), (folder, remote))?;
            return Ok(());
        };
        self.db.run(sql!("UPDATE placements SET folder_id = ?2 WHERE folder_id = ?1"), (folder, listed))?;
        self.db.run(sql!("UPDATE ops SET folder_id = ?2 WHERE folder_id = ?1"), (folder, listed))?;
        self.db.run(sql!("UPDATE ops SET target_id = ?2 WHERE target_id = ?1"), (folder, listed))?;
        self.db.run(sql!("DELETE FROM folders WHERE id = ?1"), [folder])?;
        self.touched.folders.extend([folder, listed]);
        Ok(())
    }

    /// A placement is about to go: ops that would act on it lose it, and end when it was their last.
    pub(super) fn drop_items(&mut self, placement: PlacementId) -> Result<()> {
        self.db.run(sql!("UPDATE op_items SET result_id = NULL WHERE result_id = ?1"), [placement])?;
        let dropped = self.db.all(
            sql!("DELETE FROM op_items WHERE placement_id = ?1 RETURNING op_id, result_id"),
            [placement],
            |row| Ok((row.get::<_, OpId>(0)?, row.get::<_, Option<PlacementId>>(1)?)),
        )?;
        for (op, result) in dropped {
            self.end_if_empty(op)?;
            self.orphan(result)?;
        }
        Ok(())
    }

    /// A pending copy that no operation will bring to the server any more: the next complete looks at its
    /// folder show it, or it goes.
    fn orphan(&mut self, result: Option<PlacementId>) -> Result<()> {
        let folder = self.db.one(
            sql!(
                "UPDATE placements SET stale = ?2 WHERE id = ?1 AND uid IS NULL AND stale = 0
                  AND NOT EXISTS (SELECT 1 FROM op_items WHERE result_id = ?1)
                  AND NOT EXISTS (SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id
                                  WHERE i.placement_id = ?1 AND o.kind = 'append') RETURNING folder_id"
            ),
            (result, AWAITED),
            |row| row.get::<_, FolderId>(0),
        )?;
        if let Some(folder) = folder {
            self.in_doubt.remove(&folder);
        }
        Ok(())
    }

    /// An op without items has nothing left to do.
    pub(super) fn end_if_empty(&mut self, op: OpId) -> Result<()> {
        let account = self.db.one(
            sql!(
                "DELETE FROM ops WHERE id = ?1 AND kind <> 'mkdir'
                    AND NOT EXISTS (SELECT 1 FROM op_items WHERE op_id = ?1) RETURNING account_id"
            ),
            [op],
            |row| row.get::<_, AccountId>(0),
        )?;
        self.touched.ops.extend(account);
        Ok(())
    }

    /// The object of these ops cannot be found on the server: each item becomes a conflict of its own, for
    /// the user to see. Says whether there are any.
    pub(super) fn in_conflict(&mut self, placement: PlacementId) -> Result<bool> {
        // Mail that went round in a circle is built on itself: each copy is looked at once.
        let (mut ahead, mut seen) = (vec![placement], HashSet::new());
        let mut any = false;
        while let Some(next) = ahead.pop() {
            if seen.insert(next) {
                let conflicts = self.conflicts_of(next, &mut ahead)?;
                any |= next == placement && conflicts;
            }
        }
        Ok(any)
    }

    /// The conflicts of one copy; what was to come of it is put `ahead`.
    fn conflicts_of(&mut self, placement: PlacementId, ahead: &mut Vec<PlacementId>) -> Result<bool> {
        let ops = self.db.all(
            sql!("SELECT o.id, o.state = 'conflict', (SELECT count(*) FROM op_items WHERE op_id = o.id), o.account_id
                  FROM op_items i JOIN ops o ON o.id = i.op_id WHERE i.placement_id = ?1"),
            [placement],
            |row| Ok((row.get::<_, OpId>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?, row.get(3)?)),
        )?;
        for (op, known, items, account) in &ops {
            if *known {
                continue;
            }
            self.touched.ops.insert(*account);
            let alone = if *items == 1 {
                *op
            } else {
                self.db.run(
                    sql!("INSERT INTO ops (account_id, kind, folder_id, target_id, detail, tries, at, after_id, undo_id)
                          SELECT account_id, kind, folder_id, target_id, detail, tries, at, after_id, undo_id FROM ops WHERE id = ?1"),
                    [op],
                )?;
                OpId(self.db.last_id())
            };
            self.db.run(
                sql!("UPDATE op_items SET op_id = ?3 WHERE op_id = ?1 AND placement_id = ?2"),
                (op, placement, alone),
            )?;
            self.op_failed(alone, "the mail is not on the server any more", None)?;
        }
        // What was to come of it will not come: neither can what was to be done to that.
        let results: Vec<PlacementId> = self.db.all(
            sql!("SELECT result_id FROM op_items WHERE placement_id = ?1 AND result_id IS NOT NULL"),
            [placement],
            |row| row.get(0),
        )?;
        for result in results {
            if self.placement(result)?.is_some_and(|result| result.uid.is_none()) {
                ahead.push(result);
            }
        }
        Ok(!ops.is_empty())
    }
}
