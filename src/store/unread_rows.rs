//! The list of what is unread in any folder: the unread mails of the folders that have some, merged.

use std::cmp::Reverse;

use super::db::{sql, unsigned};
use super::list::{Head, rows};
use super::reader::Reader;
use super::views::head;
use crate::error::Result;
use crate::model::{FolderId, Member, SortKey, ThreadId};

impl Reader {
    /// Folders in which something is unread, but for those in which nobody reads.
    pub(super) fn unread_folders(&self) -> Result<Vec<FolderId>> {
        self.0.all(
            sql!(
                "SELECT f.id FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                  WHERE f.unseen > 0 AND a.parked = 0 AND f.role NOT IN ('trash', 'junk', 'sent', 'drafts', 'all')"
            ),
            [],
            |row| row.get(0),
        )
    }

    /// A conversation stands at its newest unread mail.
    pub(super) fn unread_rows_below(
        &self,
        folders: &[FolderId],
        from: SortKey,
        limit: usize,
    ) -> Result<Vec<Head>> {
        let mut heads = Vec::new();
        for folder in folders {
            heads.extend(self.0.all(
                sql!("SELECT p.id, p.thread_id, p.sort_at, p.folder_id FROM placements p
                      WHERE p.folder_id = ?1 AND p.hidden = 0 AND (p.flags & 1) = 0 AND (p.sort_at, p.id) < (?2, ?3)
                        AND NOT EXISTS (SELECT 1 FROM placements q CROSS JOIN folders g ON g.id = q.folder_id
                                        WHERE q.thread_id = p.thread_id AND q.hidden = 0 AND (q.flags & 1) = 0
                                          AND g.role NOT IN ('trash', 'junk', 'sent', 'drafts', 'all')
                                          AND (q.sort_at, q.id) > (p.sort_at, p.id))
                      ORDER BY p.sort_at DESC, p.id DESC LIMIT ?4"),
                (folder, from.at, from.id, rows(limit)),
                head,
            )?);
        }
        heads.sort_unstable_by_key(|head| Reverse(head.key));
        heads.truncate(limit);
        Ok(heads)
    }

    pub(super) fn unread_rows_above(
        &self,
        folders: &[FolderId],
        from: SortKey,
        limit: usize,
    ) -> Result<Vec<Head>> {
        let mut heads = Vec::new();
        for folder in folders {
            heads.extend(self.0.all(
                sql!("SELECT p.id, p.thread_id, p.sort_at, p.folder_id FROM placements p
                      WHERE p.folder_id = ?1 AND p.hidden = 0 AND (p.flags & 1) = 0 AND (p.sort_at, p.id) > (?2, ?3)
                        AND NOT EXISTS (SELECT 1 FROM placements q CROSS JOIN folders g ON g.id = q.folder_id
                                        WHERE q.thread_id = p.thread_id AND q.hidden = 0 AND (q.flags & 1) = 0
                                          AND g.role NOT IN ('trash', 'junk', 'sent', 'drafts', 'all')
                                          AND (q.sort_at, q.id) > (p.sort_at, p.id))
                      ORDER BY p.sort_at, p.id LIMIT ?4"),
                (folder, from.at, from.id, rows(limit)),
                head,
            )?);
        }
        heads.sort_unstable_by_key(|head| head.key);
        heads.truncate(limit);
        heads.reverse();
        Ok(heads)
    }

    pub(super) fn unread_row(&self, thread: ThreadId) -> Result<Option<Head>> {
        self.0.one(
            sql!(
                "SELECT p.id, p.thread_id, p.sort_at, p.folder_id FROM placements p
                  WHERE p.thread_id = ?1 AND p.hidden = 0 AND (p.flags & 1) = 0
                    AND EXISTS (SELECT 1 FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                                WHERE f.id = p.folder_id AND a.parked = 0
                                  AND f.role NOT IN ('trash', 'junk', 'sent', 'drafts', 'all'))
                  ORDER BY p.sort_at DESC, p.id DESC LIMIT 1"
            ),
            [thread],
            head,
        )
    }

    pub(super) fn unread_copies(&self, thread: ThreadId) -> Result<Vec<Member>> {
        self.0.all(
            sql!("SELECT p.id, p.message_id, p.flags FROM placements p CROSS JOIN folders f ON f.id = p.folder_id
                  WHERE p.thread_id = ?1 AND p.hidden = 0 AND (p.flags & 1) = 0
                    AND f.role NOT IN ('trash', 'junk', 'sent', 'drafts', 'all')
                  ORDER BY p.sort_at DESC, p.id DESC"),
            [thread],
            |row| Ok(Member { placement: row.get(0)?, message: row.get(1)?, flags: row.get(2)? }),
        )
    }

    /// Unread mails, all of them unread.
    pub(super) fn unread_total(&self) -> Result<Option<(u64, u64)>> {
        self.0.one(
            sql!(
                "SELECT ifnull(sum(f.unseen), 0) FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                  WHERE f.unseen > 0 AND a.parked = 0 AND f.role NOT IN ('trash', 'junk', 'sent', 'drafts', 'all')"
            ),
            [],
            |row| {
                let total = unsigned(row.get(0)?);
                Ok((total, total))
            },
        )
    }
}
