//! The guard against mass vanishing (promise I8): what goes too fast is held back until the user decides.
//!
//! Mail that is held back stays where it is, listed and to be opened: nobody loses sight of it. Its
//! `placements.stale` is [`PARKED`]; no look that does not show it takes it away, one that shows it again
//! ends it, and what is queued for it waits.

use super::db::sql;
use super::folders::UNLISTED;
use super::places::{DOUBTED, PARKED, Placement};
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::FolderId;

/// So many may go whatever the size of the folder.
const FEW: usize = 20;

impl Tx<'_> {
    /// One complete look did not show these any more.
    pub(super) fn vanished(&mut self, folder: FolderId, uids: &[u32], certain: bool) -> Result<()> {
        let has_parked = self.has_doubted(folder)?;
        let mut gone = Vec::new();
        for uid in uids {
            if certain {
                self.gone(folder, *uid)?;
                continue;
            }
            let Some(placement) = self.by_uid(folder, *uid)? else { continue };
            if has_parked && self.is_parked(&placement)? {
                continue;
            }
            if self.is_source(placement.id)? {
                self.doubt(&placement)?;
            } else {
                gone.push(placement);
            }
        }
        if self.is_too_much(folder, gone.len())? && self.is_too_much(folder, self.lost(folder, &gone)?)? {
            return self.park(folder, &gone);
        }
        gone.iter().try_for_each(|placement| self.remove(placement))
    }

    /// A folder was looked at completely: what was in doubt and did not show is gone.
    pub(super) fn sweep(&mut self, folder: FolderId) -> Result<()> {
        self.end_parking(folder)?;
        if !self.has_doubted(folder)? {
            return Ok(());
        }
        self.in_doubt.remove(&folder);
        let gone = self.db.all(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements p
                  WHERE folder_id = ?1 AND stale = 1
                    AND (uid IS NULL OR NOT EXISTS (SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id WHERE i.placement_id = p.id
                                    AND o.kind IN ('move', 'copy', 'delete')))"),
            [folder],
            Placement::read,
        )?;
        self.db.run(
            sql!("UPDATE placements SET stale = 1 WHERE folder_id = ?1 AND stale <> 0 AND stale = 2"),
            [folder],
        )?;
        if self.is_too_much(folder, gone.len())? && self.is_too_much(folder, self.lost(folder, &gone)?)? {
            return self.park(folder, &gone);
        }
        for placement in &gone {
            // What the user did to a mail that cannot be found any more is shown, not forgotten.
            if placement.uid.is_none() && self.in_conflict(placement.id)? {
                continue;
            }
            self.remove(placement)?;
        }
        Ok(())
    }

    /// More than half of what the folder holds and more than a few; nobody wonders at an emptied Trash.
    fn is_too_much(&self, folder: FolderId, gone: usize) -> Result<bool> {
        if gone <= FEW {
            return Ok(false);
        }
        let (role, total) = self
            .db
            .one(
                sql!("SELECT role, total - (SELECT count(*) FROM placements WHERE folder_id = ?1 AND stale <> 0
                        AND stale = 3 AND hidden = 0) FROM folders WHERE id = ?1"),
                [folder],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)),
            )?
            .ok_or_else(|| Error::new(Kind::Gone, "the folder is not in the store any more"))?;
        let guarded = !["trash", "junk", "drafts"].contains(&role.as_str());
        Ok(guarded && i64::try_from(gone).unwrap_or(i64::MAX).saturating_mul(2) > total)
    }

    fn park(&mut self, folder: FolderId, gone: &[Placement]) -> Result<()> {
        for placement in gone {
            self.db.run(sql!("UPDATE placements SET stale = ?2 WHERE id = ?1"), (placement.id, PARKED))?;
        }
        self.in_doubt.remove(&folder);
        let (held, total) = self
            .db
            .one(
                sql!("SELECT (SELECT count(*) FROM placements WHERE folder_id = ?1 AND stale <> 0 AND stale = 3), total
                      FROM folders WHERE id = ?1"),
                [folder],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )?
            .unwrap_or_default();
        let why = format!("the server does not show {held} of {} mails any more", total.max(held));
        self.db.run(
            sql!(
                "UPDATE folders SET parked = ?2, parked_at = iif(parked = '', ?3, parked_at)
                  WHERE id = ?1 AND parked <> ?2 AND parked <> ?4"
            ),
            (folder, why, self.now, UNLISTED),
        )?;
        self.tell_parking(folder)
    }

    /// The server shows it again.
    pub(super) fn shown(&mut self, placement: &Placement) -> Result<()> {
        if self.has_doubted(placement.folder)? {
            self.db
                .run(sql!("UPDATE placements SET stale = 0 WHERE id = ?1 AND stale = 3"), [placement.id])?;
        }
        Ok(())
    }

    /// Nothing is held back any more where the server shows all of it again.
    fn end_parking(&mut self, folder: FolderId) -> Result<()> {
        let ended = self.db.run(
            sql!("UPDATE folders SET parked = '', parked_at = 0 WHERE id = ?1 AND parked <> '' AND parked <> ?2
                    AND NOT (role = 'inbox' AND EXISTS (SELECT 1 FROM pop_renamed r WHERE r.account_id = folders.account_id))
                  AND NOT EXISTS (SELECT 1 FROM placements WHERE folder_id = ?1 AND stale <> 0 AND stale = 3)"),
            (folder, UNLISTED),
        )?;
        if ended > 0 { self.tell_parking(folder) } else { Ok(()) }
    }

    /// The user believes it: what is held back goes. Says how many.
    pub(super) fn believe(&mut self, folder: FolderId) -> Result<u64> {
        let held = self.db.all(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE folder_id = ?1 AND stale <> 0 AND stale = 3"),
            [folder],
            Placement::read,
        )?;
        for placement in &held {
            // What the user did to it is shown, not forgotten.
            if self.is_source(placement.id)? && self.in_conflict(placement.id)? {
                self.doubt(placement)?;
            } else {
                self.remove(placement)?;
            }
        }
        self.in_doubt.remove(&folder);
        self.end_parking(folder)?;
        Ok(held.len() as u64)
    }

    fn tell_parking(&mut self, folder: FolderId) -> Result<()> {
        self.touched.folders.insert(folder);
        if let Some(account) = self.account_if_there(folder)? {
            // Those whose ops waited for it hear of it, and who shows the ledger.
            self.touched.ops.insert(account);
            self.touched.accounts.insert(account);
        }
        Ok(())
    }

    pub(super) fn doubt(&mut self, placement: &Placement) -> Result<()> {
        self.db.run(sql!("UPDATE placements SET stale = ?2 WHERE id = ?1"), (placement.id, DOUBTED))?;
        self.body_is_lost(placement.message)
    }

    fn is_parked(&self, placement: &Placement) -> Result<bool> {
        let found = self.db.one(
            sql!("SELECT 1 FROM placements WHERE id = ?1 AND stale = 3"),
            [placement.id],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}
