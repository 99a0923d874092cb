//! Two sets of flags: what the user sees, and what the server said last.

use rusqlite::types::Type;

use super::db::sql;
use super::places::Placement;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{Flags, FolderId, Marking, PlacementId};

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
        if self.told_keywords(placement.id, keywords)? {
            self.touched.folders.insert(placement.folder);
            self.touched.message(placement.message);
        }
        Ok(())
    }

    /// `base` is what the server has; what is queued stays on top of it, bit by bit.
    pub(super) fn set_base(&mut self, placement: &Placement, base: Flags) -> Result<()> {
        let flags =
            self.queued_marks(placement.id)?.iter().fold(base, |flags, marks| marks.flags.apply(flags));
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

    /// What the user did to the flags and tags of a copy that the server has not heard, oldest first.
    pub(super) fn queued_marks(&self, placement: PlacementId) -> Result<Vec<Marking>> {
        self.db.all(
            sql!(
                "SELECT o.detail FROM op_items i JOIN ops o ON o.id = i.op_id
                  WHERE i.placement_id = ?1 AND o.kind = 'flags' ORDER BY i.op_id"
            ),
            [placement],
            |row| marks_from(&row.get::<_, String>(0)?),
        )
    }
}

/// A change of flags and tags as the column `ops.detail` has it.
pub(super) fn marks_from(detail: &str) -> rusqlite::Result<Marking> {
    serde_json::from_str(detail)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))
}
