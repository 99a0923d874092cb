//! The next row with unread mail, found exactly and in the time of the shorter way.

use super::db::sql;
use super::list::{Head, rows};
use super::reader::Reader;
use crate::error::Result;
use crate::model::{FolderId, PlacementId, SortKey, ThreadId};

/// Rows of the first step; each step looks at four times as many.
const FIRST: usize = 8;

// Two searches take turns. One walks over the rows from the place: it ends at the first unread one, and
// is slow where that is far. The other walks over the unread mails: it ends when there are no more, and
// is slow where there are many. A row stands at its newest mail, which may be read, so that the first
// unread mail need not be of the first unread row.
impl Reader {
    pub(super) fn unread_below(&self, folder: FolderId, from: SortKey) -> Result<Option<SortKey>> {
        let (mut row, mut mail, mut best) = (from, from, None::<SortKey>);
        let mut step = FIRST;
        loop {
            let heads = self.below(&[folder], row, step)?;
            for head in &heads {
                if best.is_some_and(|best| head.key <= best) || self.has_unread(head)? {
                    return Ok(Some(best.map_or(head.key, |best| best.max(head.key))));
                }
                row = head.key;
            }
            if heads.len() < step {
                return Ok(best);
            }
            let unread = self.mails_below(folder, mail, step)?;
            for &(key, thread) in &unread {
                mail = key;
                best = best.max(self.head(folder, thread)?.map(|head| head.key).filter(|key| *key < from));
            }
            if unread.len() < step {
                return Ok(best);
            }
            step *= 4;
        }
    }

    pub(super) fn unread_above(&self, folder: FolderId, from: SortKey) -> Result<Option<SortKey>> {
        let nearer = |a: Option<SortKey>, b: SortKey| Some(a.map_or(b, |a| a.min(b)));
        let (mut row, mut best) = (from, None::<SortKey>);
        // Mails above the place first; then those below, whose rows may stand above.
        let (mut up, mut down, mut is_up) = (from, from, true);
        let mut step = FIRST;
        loop {
            let heads = self.above(&[folder], row, step)?;
            for head in heads.iter().rev() {
                if best.is_some_and(|best| head.key >= best) || self.has_unread(head)? {
                    return Ok(nearer(best, head.key));
                }
                row = head.key;
            }
            if heads.len() < step {
                return Ok(best);
            }
            let unread = if is_up {
                self.mails_above(folder, up, step)?
            } else {
                self.mails_below(folder, down, step)?
            };
            for &(key, thread) in &unread {
                *(if is_up { &mut up } else { &mut down }) = key;
                if let Some(head) = self.head(folder, thread)?.filter(|head| head.key > from) {
                    best = nearer(best, head.key);
                }
            }
            if unread.len() < step && !std::mem::replace(&mut is_up, false) {
                return Ok(best);
            }
            step *= 4;
        }
    }

    fn has_unread(&self, head: &Head) -> Result<bool> {
        let found = self.0.one(
            sql!(
                "SELECT 1 FROM placements WHERE thread_id = ?1 AND folder_id = ?2 AND hidden = 0
                  AND (flags & 1) = 0 LIMIT 1"
            ),
            (head.thread, head.folder),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn mails_below(&self, folder: FolderId, from: SortKey, limit: usize) -> Result<Vec<(SortKey, ThreadId)>> {
        self.0.all(
            sql!(
                "SELECT id, sort_at, thread_id FROM placements
                  WHERE folder_id = ?1 AND hidden = 0 AND (flags & 1) = 0 AND (sort_at, id) < (?2, ?3)
                  ORDER BY sort_at DESC, id DESC LIMIT ?4"
            ),
            (folder, from.at, from.id, rows(limit)),
            mail,
        )
    }

    fn mails_above(&self, folder: FolderId, from: SortKey, limit: usize) -> Result<Vec<(SortKey, ThreadId)>> {
        self.0.all(
            sql!(
                "SELECT id, sort_at, thread_id FROM placements
                  WHERE folder_id = ?1 AND hidden = 0 AND (flags & 1) = 0 AND (sort_at, id) > (?2, ?3)
                  ORDER BY sort_at, id LIMIT ?4"
            ),
            (folder, from.at, from.id, rows(limit)),
            mail,
        )
    }
}

fn mail(row: &rusqlite::Row<'_>) -> rusqlite::Result<(SortKey, ThreadId)> {
    let id: PlacementId = row.get(0)?;
    Ok((SortKey { at: row.get(1)?, id }, row.get(2)?))
}
