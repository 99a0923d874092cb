//! Which bodies are kept here where the server has them too (`keep_bodies`, promise I4): what does not fit any more is
//! evicted, what fits again is fetched anew.

use super::db::sql;
use super::list::rows;
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, MessageId};

/// Of which mails the bodies are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Of those that arrived at this Unix time or later.
    pub since: i64,
    /// Of those of at most so many bytes.
    pub largest: i64,
}

impl Keep {
    /// Of all.
    pub const ALL: Self = Self { since: i64::MIN, largest: i64::MAX };
}

/// Where a search for bodies goes on: folder, arrival and copy.
pub type KeepMark = (i64, i64, i64);

impl Reader {
    /// Mails of an account whose bodies are here and do not fit, but that the server has; those that arrived before
    /// `from` were looked through earlier. With where to go on; `None`: there are no more.
    pub fn evictable(
        &self,
        account: AccountId,
        keep: Keep,
        from: i64,
        after: Option<KeepMark>,
        limit: usize,
    ) -> Result<(Vec<MessageId>, Option<KeepMark>)> {
        // Where size does not matter, nothing newer has to be looked at.
        let top = if keep.largest == i64::MAX { keep.since } else { i64::MAX };
        let after = after.unwrap_or((0, i64::MAX, i64::MAX));
        let mut folders = self.0.all(
            sql!("SELECT id FROM folders WHERE account_id = ?1 AND id >= ?2"),
            (account, after.0),
            |row| row.get::<_, i64>(0),
        )?;
        folders.sort_unstable();
        for folder in folders {
            let (at, copy) = if folder == after.0 { (after.1, after.2) } else { (i64::MAX, i64::MAX) };
            let found = self.0.all(
                sql!(
                    "SELECT p.sort_at, p.id, m.id FROM placements p CROSS JOIN messages m ON m.id = p.message_id
                      WHERE p.folder_id = ?1 AND p.hidden = 0 AND p.sort_at >= ?2 AND p.sort_at < ?3
                        AND (p.sort_at, p.id) < (?4, ?5) AND p.uid IS NOT NULL AND m.body_state = 2
                        AND (m.received < ?6 OR m.size > ?7)
                      ORDER BY p.sort_at DESC, p.id DESC LIMIT ?8"
                ),
                (folder, from, top, at, copy, keep.since, keep.largest, rows(limit)),
                |row| Ok(((folder, row.get(0)?, row.get(1)?), row.get::<_, MessageId>(2)?)),
            )?;
            if let Some((mark, _)) = found.last() {
                let mark = *mark;
                return Ok((found.into_iter().map(|(_, message)| message).collect(), Some(mark)));
            }
        }
        Ok((Vec::new(), None))
    }
}

impl Tx<'_> {
    /// Lets go of bodies, of those mails only that the server surely has and that nothing which waits needs.
    pub(super) fn evict(&mut self, account: AccountId, messages: &[MessageId]) -> Result<()> {
        for message in messages {
            let evicted = self.db.run(
                sql!(
                    "UPDATE messages SET body_state = 3, raw_size = 0
                      WHERE id = ?1 AND account_id = ?2 AND body_state = 2
                        AND EXISTS (SELECT 1 FROM accounts WHERE id = ?2 AND owner = 'server')
                        AND EXISTS (SELECT 1 FROM placements p JOIN folders f ON f.id = p.folder_id
                                     WHERE p.message_id = ?1 AND p.uid IS NOT NULL AND p.stale = 0 AND f.parked = '')
                        AND NOT EXISTS (SELECT 1 FROM placements p JOIN op_items i ON i.placement_id = p.id
                                         WHERE p.message_id = ?1)
                        AND NOT EXISTS (SELECT 1 FROM placements p JOIN op_items i ON i.result_id = p.id
                                         WHERE p.message_id = ?1 AND i.result_id IS NOT NULL)
                        AND NOT EXISTS (SELECT 1 FROM ops WHERE from_id IS NOT NULL AND from_id = ?1)
                        AND NOT EXISTS (SELECT 1 FROM outbox WHERE message_id = ?1)"
                ),
                (message, account),
            )?;
            if evicted > 0 {
                self.db.run(sql!("DELETE FROM bodies WHERE message_id = ?1"), [message])?;
                self.touched.message(*message);
            }
        }
        Ok(())
    }

    /// What was evicted and fits again is wanted again.
    pub(super) fn want_again(&mut self, account: AccountId, keep: Keep) -> Result<()> {
        self.db.run(
            sql!(
                "UPDATE messages SET body_state = 0
                  WHERE account_id = ?1 AND body_state = 3 AND received >= ?2 AND size <= ?3"
            ),
            (account, keep.since, keep.largest),
        )?;
        Ok(())
    }
}
