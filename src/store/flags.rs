//! Two sets of flags and keywords: what the user sees, and what the server said last.

use rusqlite::types::Type;

use super::db::sql;
use super::places::Placement;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{FlagDelta, Flags, FolderId, PlacementId};

impl Tx<'_> {
    /// The server's flags and keywords of a message, all of them.
    pub(super) fn told_flags(
        &mut self,
        folder: FolderId,
        uid: u32,
        flags: Flags,
        keywords: &[String],
    ) -> Result<()> {
        let Some(placement) = self.by_uid(folder, uid)? else { return Ok(()) };
        self.shown(&placement)?;
        self.set_base(&placement, flags)?;
        self.told_keywords(placement.id, keywords)
    }

    /// `base` is what the server has; what is queued stays on top of it, bit by bit.
    pub(super) fn set_base(&mut self, placement: &Placement, base: Flags) -> Result<()> {
        let flags =
            self.queued_deltas(placement.id)?.into_iter().fold(base, |flags, delta| delta.apply(flags));
        if (flags, base) == (placement.flags, placement.base) {
            return Ok(());
        }
        self.db.run(
            sql!("UPDATE placements SET flags = ?2, base = ?3 WHERE id = ?1"),
            (placement.id, flags, base),
        )?;
        if flags != placement.flags {
            self.touched.folders.insert(placement.folder);
            self.touched.message(placement.message);
        }
        Ok(())
    }

    /// What the user did to the flags of a copy that the server has not heard, oldest first.
    pub(super) fn queued_deltas(&self, placement: PlacementId) -> Result<Vec<FlagDelta>> {
        self.db.all(
            sql!(
                "SELECT o.detail FROM op_items i JOIN ops o ON o.id = i.op_id
                  WHERE i.placement_id = ?1 AND o.kind = 'flags' ORDER BY i.op_id"
            ),
            [placement],
            |row| delta(&row.get::<_, String>(0)?),
        )
    }

    /// The server's keywords of a copy, all of them. One that was set here only, or cleared here only, stays
    /// so: that is what is queued.
    pub(super) fn told_keywords(&mut self, placement: PlacementId, keywords: &[String]) -> Result<()> {
        let held: Vec<(i64, String, bool, bool)> = self.db.all(
            sql!("SELECT t.id, t.name, pt.here, pt.there FROM placement_tags pt JOIN tags t ON t.id = pt.tag_id
                  WHERE pt.placement_id = ?1"),
            [placement],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        for (tag, name, here, there) in &held {
            let told = keywords.iter().any(|k| k.eq_ignore_ascii_case(name));
            if told && !there {
                self.db.run(
                    sql!("UPDATE placement_tags SET there = 1 WHERE tag_id = ?1 AND placement_id = ?2"),
                    (tag, placement),
                )?;
            } else if !told && *there {
                self.db.run(
                    sql!("DELETE FROM placement_tags WHERE tag_id = ?1 AND placement_id = ?2"),
                    (tag, placement),
                )?;
            } else if !told && !here {
                continue;
            }
        }
        for keyword in keywords {
            if held.iter().any(|(_, name, ..)| name.eq_ignore_ascii_case(keyword)) {
                continue;
            }
            self.db.run(sql!("INSERT OR IGNORE INTO tags (name) VALUES (?1)"), [keyword])?;
            self.db.run(
                sql!(
                    "INSERT OR REPLACE INTO placement_tags (tag_id, placement_id, here, there)
                      SELECT id, ?2, 1, 1 FROM tags WHERE name = ?1"
                ),
                (keyword, placement),
            )?;
        }
        Ok(())
    }

    /// A new copy of a mail has the keywords of the old one.
    pub(super) fn copy_tags(&self, from: PlacementId, to: PlacementId) -> Result<()> {
        self.db.run(
            sql!(
                "INSERT OR REPLACE INTO placement_tags (tag_id, placement_id, here, there)
                  SELECT tag_id, ?2, here, there FROM placement_tags WHERE placement_id = ?1"
            ),
            (from, to),
        )?;
        Ok(())
    }
}

/// A change of flags as the column `ops.detail` has it.
pub(super) fn delta(detail: &str) -> rusqlite::Result<FlagDelta> {
    serde_json::from_str(detail)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))
}
