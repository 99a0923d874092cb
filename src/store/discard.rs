//! Giving an operation up: what it did here is taken back, so that the store is as the server again.

use super::db::sql;
use super::flags::marks_from;
use super::places::Placement;
use super::settle::{NOT_THERE, Tally};
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, Flags, FolderId, OpId, PlacementId};

/// What an operation that is given up needs of its row.
struct Given {
    account: AccountId,
    kind: String,
    folder: Option<FolderId>,
    target: Option<FolderId>,
    detail: String,
    state: String,
}

impl Tx<'_> {
    /// Takes an operation's local effect back, and with it what was built on that. False: it is not there,
    /// or is being carried out.
    pub(super) fn give_up(&mut self, op: OpId, tally: &mut Tally) -> Result<bool> {
        let given = self.db.one(
            sql!("SELECT account_id, kind, folder_id, target_id, detail, state FROM ops WHERE id = ?1"),
            [op],
            |row| {
                Ok(Given {
                    account: row.get(0)?,
                    kind: row.get(1)?,
                    folder: row.get(2)?,
                    target: row.get(3)?,
                    detail: row.get(4)?,
                    state: row.get(5)?,
                })
            },
        )?;
        let Some(given) = given else {
            tally.leave(NOT_THERE);
            return Ok(false);
        };
        if given.state == "running" {
            tally.leave("it is being carried out at this moment");
            return Ok(false);
        }
        self.touched.ops.insert(given.account);
        // The other half of a move between accounts is a part of it, not built on it.
        let halves: Vec<OpId> = self.db.all(
            sql!("SELECT id FROM ops WHERE after_id IS NOT NULL AND after_id = ?1 ORDER BY id"),
            [op],
            |row| row.get(0),
        )?;
        for half in halves {
            self.give_up(half, tally)?;
            tally.gone.insert(half);
        }
        // What waits for a folder that is not made after all.
        let made = given.target.filter(|_| given.kind == "mkdir");
        let built = match made {
            Some(folder) => self.ops_on(folder)?,
            None => Vec::new(),
        };
        let built = built.into_iter().filter(|other| *other != op);
        for other in built {
            if self.give_up(other, tally)? {
                tally.goes_along(other);
            }
        }
        let items: Vec<(PlacementId, Option<PlacementId>)> = self.db.all(
            sql!("SELECT placement_id, result_id FROM op_items WHERE op_id = ?1 ORDER BY placement_id DESC"),
            [op],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (placement, result) in items {
            self.give_up_item((op, &given.kind, &given.detail), placement, result, tally)?;
        }
        self.db.run(sql!("DELETE FROM ops WHERE id = ?1"), [op])?;
        if let Some(folder) = given.target {
            self.shape_given_up(&given.kind, folder, &given.detail)?;
        }
        for folder in [given.folder, given.target].into_iter().flatten() {
            self.touched.folders.insert(folder);
        }
        if let Some(folder) = made {
            self.unmake(given.account, folder)?;
        }
        Ok(true)
    }

    fn give_up_item(
        &mut self,
        (op, kind, detail): (OpId, &str, &str),
        placement: PlacementId,
        result: Option<PlacementId>,
        tally: &mut Tally,
    ) -> Result<()> {
        // First of all: where mail went round in a circle its operations are built on each other.
        self.db.run(sql!("DELETE FROM op_items WHERE op_id = ?1 AND placement_id = ?2"), (op, placement))?;
        // What is on the server already stays, whoever brought it there. A mail that is to be put on a server
        // is what becomes of it itself.
        let pending = match if kind == "append" { Some(placement) } else { result } {
            Some(result) => self.placement(result)?.filter(|result| result.uid.is_none()),
            None => None,
        };
        if let Some(pending) = &pending {
            let built: Vec<(OpId, String, String, Option<PlacementId>)> = self.db.all(
                sql!(
                    "SELECT o.id, o.kind, o.detail, i.result_id FROM op_items i JOIN ops o ON o.id = i.op_id
                      WHERE i.placement_id = ?1 ORDER BY i.op_id DESC"
                ),
                [pending.id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            for (other, kind, detail, result) in built {
                self.give_up_item((other, &kind, &detail), pending.id, result, tally)?;
                self.end_if_empty(other)?;
                tally.goes_along(other);
            }
        }
        if let Some(pending) = pending
            && let Some(pending) = self.placement(pending.id)?
        {
            self.remove(&pending)?;
        }
        let Some(copy) = self.placement(placement)? else { return Ok(()) };
        self.touched.message(copy.message);
        self.touched.folders.insert(copy.folder);
        match kind {
            "flags" => self.unmark(&copy, detail),
            _ => {
                self.db.run(
                    sql!(
                        "UPDATE placements SET hidden = hidden & ~1 WHERE id = ?1
                          AND NOT EXISTS (SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id
                                          WHERE i.placement_id = ?1 AND o.kind IN ('move', 'delete'))"
                    ),
                    [copy.id],
                )?;
                Ok(())
            }
        }
    }

    /// A change of flags and tags that is not made: what the server has, and what else is queued.
    fn unmark(&mut self, copy: &Placement, detail: &str) -> Result<()> {
        let marks = marks_from(detail)?;
        self.settle_tags(copy.id, &[&marks.tag[..], &marks.untag].concat())?;
        if copy.uid.is_some() {
            return self.set_base(copy, copy.base);
        }
        // Not on the server yet: nothing was heard of it, so that the change itself is turned round.
        let before: Flags = marks.flags.inverse().apply(copy.flags);
        let flags = self.queued_marks(copy.id)?.iter().fold(before, |flags, marks| marks.flags.apply(flags));
        self.db.run(sql!("UPDATE placements SET flags = ?2 WHERE id = ?1"), (copy.id, flags))?;
        Ok(())
    }

    pub(super) fn ops_on(&self, folder: FolderId) -> Result<Vec<OpId>> {
        self.db.all(
            sql!("SELECT id FROM ops WHERE folder_id = ?1 UNION SELECT id FROM ops WHERE target_id = ?1"),
            [folder],
            |row| row.get(0),
        )
    }

    /// A folder that was to be made is not made; one that the server has meanwhile stays.
    fn unmake(&mut self, account: AccountId, folder: FolderId) -> Result<()> {
        let unmade = self.db.one(
            sql!(
                "SELECT 1 FROM folders WHERE id = ?1 AND remote IS NULL
                  AND NOT EXISTS (SELECT 1 FROM placements WHERE folder_id = ?1)"
            ),
            [folder],
            |_| Ok(()),
        )?;
        if unmade.is_some() { self.drop_folder(account, folder) } else { Ok(()) }
    }
}
