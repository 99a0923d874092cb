//! What an engine asks of the queue: which operations are ready, which wait, and which are in conflict.

use std::collections::BTreeSet;

use rusqlite::Row as Columns;

use super::db::{sql, unsigned};
use super::effects::SPARING;
use super::far::Appending;
use super::fault::damaged;
use super::flags::marks_from;
use super::order::{Op, OpItem, OpKind, Parcel, Posting};
use super::reader::Reader;
use super::shape::beneath;
use super::shaping::Detail;
use crate::error::Result;
use crate::model::{AccountId, FolderId, MessageId, OpId, PlacementId};

/// One operation of the ledger (promise A2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Which.
    pub op: OpId,
    /// Why it could not be done, in words. From a server: clean before it is drawn.
    pub error: String,
}

/// A row of `ops`.
struct Queued {
    id: OpId,
    kind: String,
    folder: Option<FolderId>,
    target: Option<FolderId>,
    detail: String,
    tries: u32,
}

/// An operation on a folder as a whole.
struct Shaping {
    op: OpId,
    kind: String,
    tries: u32,
    folder: FolderId,
    path: String,
}

fn is_shape(kind: &str) -> bool {
    matches!(kind, "mkdir" | "rmdir" | "rename" | "subscribe")
}

fn queued(row: &Columns<'_>) -> rusqlite::Result<Queued> {
    Ok(Queued {
        id: row.get(0)?,
        kind: row.get(1)?,
        folder: row.get(2)?,
        target: row.get(3)?,
        detail: row.get(4)?,
        tries: row.get(5)?,
    })
}

impl Reader {
    /// The operations that can be carried out at `now` (Unix time), in order: not those that wait for a time,
    /// for a UID, for a folder to be made, for an earlier one on the same mail, or for mail that is held back.
    pub fn ops(&self, account: AccountId, now: i64, limit: usize) -> Result<Vec<Op>> {
        self.0.snapshot(|| {
            let mut ready = Vec::new();
            let mut after = OpId(0);
            let shapings = self.shapings(account)?;
            while ready.len() < limit {
                let next = self.0.one(
                    sql!("SELECT id, kind, folder_id, target_id, detail, tries FROM ops
                          WHERE account_id = ?1 AND state = 'queued' AND id > ?2 AND not_before <= ?3 ORDER BY id LIMIT 1"),
                    (account, after, now),
                    queued,
                )?;
                let Some(queued) = next else { break };
                after = queued.id;
                if !self.is_blocked(&queued)? && !self.waits_for_shape(&queued, &shapings)? {
                    ready.extend(self.op(queued)?);
                }
            }
            Ok(ready)
        })
    }

    /// An operation that was marked as running, as it is now; `None`: it was taken back before it was marked.
    pub fn running_op(&self, op: OpId) -> Result<Option<Op>> {
        self.0.snapshot(|| {
            let running = self.0.one(
                sql!("SELECT id, kind, folder_id, target_id, detail, tries FROM ops WHERE id = ?1 AND state = 'running'"),
                [op],
                queued,
            )?;
            running.map_or(Ok(None), |running| self.op(running))
        })
    }

    /// Where the other copies are whose being there allows this deletion; `None`: it needs none. What a store
    /// knows of them may be old.
    pub fn spares(&self, op: OpId) -> Result<Option<Vec<FolderId>>> {
        let detail =
            self.0.one(sql!("SELECT detail FROM ops WHERE id = ?1 AND kind = 'delete'"), [op], |row| {
                row.get::<_, String>(0)
            })?;
        if detail.as_deref() != Some(SPARING) {
            return Ok(None);
        }
        let folders = self.0.all(
            sql!(
                "SELECT q.folder_id FROM op_items i JOIN placements p ON p.id = i.placement_id
                  JOIN placements q ON q.message_id = p.message_id
                  WHERE i.op_id = ?1 AND q.id <> p.id AND (q.uid IS NOT NULL OR q.stale <> 0)"
            ),
            [op],
            |row| row.get::<_, FolderId>(0),
        )?;
        Ok(Some(folders.into_iter().collect::<BTreeSet<_>>().into_iter().collect()))
    }

    /// Whether each mail of a deletion has a copy on the server that the deletion leaves.
    pub fn is_spared(&self, op: OpId) -> Result<bool> {
        let last = self.0.one(
            sql!(
                "SELECT 1 FROM op_items i JOIN placements p ON p.id = i.placement_id WHERE i.op_id = ?1
                  AND NOT EXISTS (SELECT 1 FROM placements q WHERE q.message_id = p.message_id AND q.id <> p.id
                                  AND q.uid IS NOT NULL AND q.stale = 0
                                  AND NOT EXISTS (SELECT 1 FROM op_items j JOIN ops o ON o.id = j.op_id
                                                  WHERE j.placement_id = q.id AND o.kind = 'delete')) LIMIT 1"
            ),
            [op],
            |_| Ok(()),
        )?;
        Ok(last.is_none())
    }

    /// Whether an earlier operation on the same mail is not done, or a folder is not made.
    fn is_blocked(&self, queued: &Queued) -> Result<bool> {
        if queued.kind == "mkdir" {
            return Ok(false);
        }
        if queued.kind == "append" {
            // It waits for its bytes only; what it puts there has no UID yet.
            let blocked = self.0.one(
                sql!(
                    "SELECT EXISTS (SELECT 1 FROM op_items i JOIN placements p ON p.id = i.placement_id
                                     JOIN messages m ON m.id = p.message_id WHERE i.op_id = ?1 AND m.body_state <> 2)
                          OR EXISTS (SELECT 1 FROM folders WHERE id = ?2 AND remote IS NULL)"
                ),
                (queued.id, queued.target),
                |row| row.get(0),
            )?;
            return Ok(blocked == Some(true));
        }
        let blocked = self.0.one(
            sql!(
                "SELECT EXISTS (SELECT 1 FROM ops WHERE id = ?1 AND after_id IS NOT NULL)
                      OR EXISTS (SELECT 1 FROM op_items i JOIN placements p ON p.id = i.placement_id
                                 WHERE i.op_id = ?1 AND (p.uid IS NULL OR p.stale = 3))
                      OR EXISTS (SELECT 1 FROM op_items i JOIN op_items e ON e.placement_id = i.placement_id
                                 JOIN ops o ON o.id = e.op_id
                                 WHERE i.op_id = ?1 AND e.op_id < ?1 AND o.state <> 'conflict')
                      OR EXISTS (SELECT 1 FROM folders WHERE id = ?2 AND remote IS NULL)"
            ),
            (queued.id, queued.target),
            |row| row.get(0),
        )?;
        Ok(blocked == Some(true))
    }

    /// What is being done to folders as a whole, in order.
    fn shapings(&self, account: AccountId) -> Result<Vec<Shaping>> {
        self.0.all(
            sql!(
                "SELECT o.id, o.kind, o.tries, f.id, f.path FROM ops o CROSS JOIN folders f ON f.id = o.target_id
                  WHERE o.account_id = ?1 AND o.kind IN ('mkdir', 'rmdir', 'rename', 'subscribe')
                    AND o.state IN ('queued', 'running') ORDER BY o.id"
            ),
            [account],
            |row| {
                Ok(Shaping {
                    op: row.get(0)?,
                    kind: row.get(1)?,
                    tries: row.get(2)?,
                    folder: row.get(3)?,
                    path: row.get(4)?,
                })
            },
        )
    }

    /// Whether an operation has to wait for what is being done to its folders. One on a folder as a whole waits
    /// for earlier ones on the same, above it and beneath it; one on mail for those on its folders and above
    /// them, and even for a later rename that was tried: nobody knows under which name the folder is now.
    fn waits_for_shape(&self, queued: &Queued, shapings: &[Shaping]) -> Result<bool> {
        if shapings.is_empty() {
            return Ok(false);
        }
        let shapes = is_shape(&queued.kind);
        for folder in [queued.folder, queued.target].into_iter().flatten() {
            let Some(path) = self.path_of(folder)? else { continue };
            let waits = |other: &Shaping| {
                let is_above = other.folder == folder || beneath(&path, &other.path).is_some();
                let is_related = is_above || (shapes && beneath(&other.path, &path).is_some());
                let is_before =
                    other.op < queued.id || (!shapes && other.kind == "rename" && other.tries > 0);
                other.op != queued.id && is_related && is_before && (shapes || other.kind != "subscribe")
            };
            if shapings.iter().any(waits) {
                return Ok(true);
            }
        }
        if queued.kind != "rmdir" {
            return Ok(false);
        }
        let before = self.0.one(
            sql!(
                "SELECT EXISTS (SELECT 1 FROM ops WHERE folder_id = ?2 AND id < ?1 AND state IN ('queued', 'running'))
                      OR EXISTS (SELECT 1 FROM ops WHERE target_id = ?2 AND id < ?1 AND state IN ('queued', 'running'))"
            ),
            (queued.id, queued.target),
            |row| row.get(0),
        )?;
        Ok(before == Some(true))
    }

    fn path_of(&self, folder: FolderId) -> Result<Option<String>> {
        self.0.one(sql!("SELECT path FROM folders WHERE id = ?1"), [folder], |row| row.get(0))
    }

    fn op(&self, queued: Queued) -> Result<Option<Op>> {
        let target = || queued.target.ok_or_else(|| damaged("an operation has no target"));
        let kind = match queued.kind.as_str() {
            "flags" => OpKind::Flags(marks_from(&queued.detail)?),
            "move" => OpKind::Move(target()?),
            "copy" => OpKind::Copy(target()?),
            "delete" => OpKind::Delete,
            "append" => match self.parcel(&queued, target()?)? {
                Some(parcel) => OpKind::Append(parcel),
                None => return Ok(None),
            },
            "mkdir" => {
                let folder = target()?;
                let path = match Detail::read(&queued.detail).path {
                    Some(path) => Some(path),
                    None => self.path_of(folder)?,
                };
                OpKind::Mkdir {
                    folder,
                    path: path.ok_or_else(|| damaged("a folder to be made is not there"))?,
                }
            }
            "rmdir" => OpKind::Rmdir(target()?),
            "rename" => {
                let to = Detail::read(&queued.detail).to;
                OpKind::Rename {
                    folder: target()?,
                    path: to.ok_or_else(|| damaged("a folder has no new name"))?,
                }
            }
            "subscribe" => {
                OpKind::Subscribe { folder: target()?, on: Detail::read(&queued.detail).on.unwrap_or(true) }
            }
            // Of a later version of this program.
            _ => return Ok(None),
        };
        // A mail is not deleted for a copy that is in doubt; that a second copy is not made, it need not be there.
        let is_copy = matches!(kind, OpKind::Copy(_));
        let items = self.0.all(
            sql!("SELECT p.id, p.uid, r.uid IS NOT NULL AND (r.stale = 0 OR ?2) FROM op_items i JOIN placements p ON p.id = i.placement_id
                  LEFT JOIN placements r ON r.id = i.result_id WHERE i.op_id = ?1 ORDER BY p.uid"),
            (queued.id, is_copy),
            |row| Ok(OpItem { placement: row.get(0)?, uid: row.get(1)?, landed: row.get(2)? }),
        )?;
        Ok(Some(Op { id: queued.id, kind, folder: queued.folder, tries: queued.tries, items }))
    }

    fn parcel(&self, queued: &Queued, folder: FolderId) -> Result<Option<Parcel>> {
        let mark = Appending::read(&queued.detail).mark;
        self.0.one(
            sql!(
                "SELECT p.message_id, (p.hidden & 1) <> 0
                    AND NOT EXISTS (SELECT 1 FROM ops WHERE after_id IS NOT NULL AND after_id = ?1)
                    AND NOT EXISTS (SELECT 1 FROM op_items b JOIN ops e ON e.id = b.op_id
                                    WHERE b.placement_id = p.id AND e.kind NOT IN ('append', 'delete', 'flags')),
                    NOT EXISTS (SELECT 1 FROM ops WHERE folder_id = p.folder_id AND kind = 'rmdir')
                    AND NOT EXISTS (SELECT 1 FROM ops WHERE target_id = p.folder_id AND kind = 'rmdir')
                  FROM op_items i JOIN placements p ON p.id = i.placement_id WHERE i.op_id = ?1"
            ),
            [queued.id],
            |row| Ok(Parcel { folder, make: row.get(2)?, message: row.get(0)?, mark, leaving: row.get(1)? }),
        )
    }

    /// What is to be told of a mail that is put on a server, beside its bytes; `None`: it is gone. Its UIDs
    /// in the folder are those of other copies of it.
    pub fn posting(&self, item: PlacementId) -> Result<Option<Posting>> {
        self.0.snapshot(|| {
            let found = self.0.one(
                sql!("SELECT p.base, iif(m.internal = 0, m.received, m.internal), m.raw_size, p.message_id, p.folder_id
                      FROM placements p JOIN messages m ON m.id = p.message_id WHERE p.id = ?1"),
                [item],
                |row| {
                    let posting = Posting {
                        flags: row.get(0)?,
                        keywords: Vec::new(),
                        received: row.get(1)?,
                        size: unsigned(row.get(2)?),
                        others: Vec::new(),
                    };
                    Ok((posting, row.get::<_, MessageId>(3)?, row.get::<_, FolderId>(4)?))
                },
            )?;
            let Some((posting, message, folder)) = found else { return Ok(None) };
            let keywords = self.0.all(
                sql!("SELECT t.name FROM placement_tags k JOIN tags t ON t.id = k.tag_id
                      WHERE k.placement_id = ?1 AND k.here = 1"),
                [item],
                |row| row.get(0),
            )?;
            let others = self.0.all(
                sql!("SELECT uid FROM placements WHERE message_id = ?1 AND folder_id = ?2 AND uid IS NOT NULL"),
                (message, folder),
                |row| row.get(0),
            )?;
            Ok(Some(Posting { keywords, others, ..posting }))
        })
    }

    /// The UIDs in a folder of what operations remove for good: deleted by the user, or moved and seen where it
    /// went.
    pub fn going(&self, folder: FolderId) -> Result<Vec<u32>> {
        self.0.all(
            sql!("SELECT p.uid FROM ops o JOIN op_items i ON i.op_id = o.id JOIN placements p ON p.id = i.placement_id
                  LEFT JOIN placements r ON r.id = i.result_id
                  WHERE o.folder_id = ?1 AND o.after_id IS NULL AND p.uid IS NOT NULL
                    AND (o.kind = 'delete' OR (o.kind = 'move' AND r.uid IS NOT NULL))"),
            [folder],
            |row| row.get(0),
        )
    }

    /// Mail whose body an operation of another account waits for.
    pub fn awaited_bodies(&self, account: AccountId) -> Result<Vec<MessageId>> {
        self.0.all(
            sql!("SELECT m.id FROM ops o CROSS JOIN messages m ON m.id = o.from_id
                  WHERE o.from_id IS NOT NULL AND o.state = 'queued' AND m.account_id = ?1 AND m.body_state <> 2"),
            [account],
            |row| row.get(0),
        )
    }

    /// How many operations the server has not heard yet, those in conflict left out.
    pub fn ops_waiting(&self, account: AccountId) -> Result<u64> {
        let count = self.0.one(
            sql!(
                "SELECT count(*) FROM ops WHERE account_id = ?1 AND state IN ('queued', 'running', 'stuck')"
            ),
            [account],
            |row| row.get(0),
        )?;
        Ok(unsigned(count.unwrap_or(0)))
    }

    /// When the next operation that waits for a time may be tried: Unix time.
    pub fn next_op_at(&self, account: AccountId, now: i64) -> Result<Option<i64>> {
        let at = self.0.one(
            sql!("SELECT min(not_before) FROM ops WHERE account_id = ?1 AND state = 'queued' AND not_before > ?2"),
            (account, now),
            |row| row.get(0),
        )?;
        Ok(at.flatten())
    }

    /// What could not be done and waits for the user, oldest first.
    pub fn conflicts(&self, account: AccountId) -> Result<Vec<Conflict>> {
        self.0.all(
            sql!("SELECT id, error FROM ops WHERE account_id = ?1 AND state = 'conflict' ORDER BY id"),
            [account],
            |row| Ok(Conflict { op: row.get(0)?, error: row.get(1)? }),
        )
    }
}
