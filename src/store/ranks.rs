//! A list in another order than by date, or with one row a mail: ranked as a whole, then paged from memory.
//!
//! An order by sender, subject or size would need an index for each on the largest table, which every mail that
//! comes would have to be put into. Ranking 100,000 mails takes some tenths of a second off the thread of the
//! screen, and a page is then a slice.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::db::sql;
use super::list::Head;
use super::reader::Reader;
use crate::error::Result;
use crate::model::{Flags, FolderId, MessageId, Order, PlacementId, SortKey, ThreadId, View};
use crate::text::subject::bare;

/// The rows of a list, ranked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks {
    view: View,
    pub(super) is_flat: bool,
    /// From the top. The key of the n-th is -n, and its newest mail.
    pub(super) heads: Vec<Head>,
}

/// What a row is ranked by.
struct Ranked {
    head: Head,
    is_unread: bool,
    size: i64,
    text: String,
}

impl Ranks {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    pub(super) fn below(&self, from: SortKey, limit: usize) -> Vec<Head> {
        let start = self.heads.partition_point(|head| head.key >= from);
        self.heads[start..].iter().take(limit).copied().collect()
    }

    pub(super) fn above(&self, from: SortKey, limit: usize) -> Vec<Head> {
        let end = self.heads.partition_point(|head| head.key > from);
        self.heads[end.saturating_sub(limit)..end].to_vec()
    }
}

impl Reader {
    /// Ranks the rows of a list of folders: conversations, or mails where `is_flat`.
    pub fn rank(&self, view: View, order: Order, is_flat: bool) -> Result<Ranks> {
        let mut rows = Vec::new();
        for folder in self.folders_of(view)? {
            rows.extend(self.ranked(folder, order, is_flat)?);
        }
        // Of equal ones the newest first.
        rows.sort_unstable_by_key(|row| Reverse(row.head.key));
        match order {
            Order::Newest => {}
            Order::Oldest => rows.reverse(),
            Order::Sender | Order::Subject => rows.sort_by(|a, b| a.text.cmp(&b.text)),
            Order::Largest => rows.sort_by_key(|row| Reverse(row.size)),
            Order::Unread => rows.sort_by_key(|row| !row.is_unread),
        }
        let head = |(rank, row): (usize, Ranked)| {
            let at = i64::try_from(rank).map_or(i64::MIN, |rank| -rank);
            Head { key: SortKey { at, ..row.head.key }, ..row.head }
        };
        Ok(Ranks { view, is_flat, heads: rows.into_iter().enumerate().map(head).collect() })
    }

    /// Shows its view by these ranks from now on; `None`: every view by date.
    pub fn arrange(&mut self, ranks: Option<Arc<Ranks>>) {
        self.1 = ranks;
    }

    /// The ranks by which a view is shown now.
    #[must_use]
    pub fn arranged(&self) -> Option<Arc<Ranks>> {
        self.1.clone()
    }

    /// The ranks by which a view is shown.
    pub(super) fn ranks(&self, view: View) -> Option<&Arc<Ranks>> {
        self.1.as_ref().filter(|ranks| ranks.view == view)
    }

    /// What a mail's row is known by in a view: its conversation, but where each mail is a row of its own.
    pub fn row_of(&self, view: View, thread: ThreadId, message: MessageId) -> Result<ThreadId> {
        let Some(ranks) = self.ranks(view).filter(|ranks| ranks.is_flat && thread.0 > 0) else {
            return Ok(thread);
        };
        let copies: Vec<PlacementId> = self.0.all(
            sql!("SELECT id FROM placements WHERE message_id = ?1 AND hidden = 0"),
            [message],
            |row| row.get(0),
        )?;
        let held = copies.into_iter().map(alone).find(|own| ranks.heads.iter().any(|h| h.thread == *own));
        Ok(held.unwrap_or(thread))
    }

    fn ranked(&self, folder: FolderId, order: Order, is_flat: bool) -> Result<Vec<Ranked>> {
        let copies = self.0.all(
            sql!(
                "SELECT p.id, p.thread_id, p.sort_at, p.flags, m.size, m.from_name, m.from_addr, m.subject
                  FROM placements p CROSS JOIN messages m ON m.id = p.message_id
                  WHERE p.folder_id = ?1 AND p.hidden = 0 ORDER BY p.sort_at DESC, p.id DESC"
            ),
            [folder],
            |row| {
                let id: PlacementId = row.get(0)?;
                let thread = if is_flat { alone(id) } else { row.get(1)? };
                let text = |at| row.get_ref(at).and_then(|value| Ok(value.as_str()?));
                let text = match order {
                    Order::Sender => match text(5)?.trim() {
                        "" => text(6)?.to_lowercase(),
                        name => name.to_lowercase(),
                    },
                    Order::Subject => bare(text(7)?).to_lowercase(),
                    _ => String::new(),
                };
                Ok(Ranked {
                    head: Head { key: SortKey { at: row.get(2)?, id }, thread, folder },
                    is_unread: !row.get::<_, Flags>(3)?.has(Flags::SEEN),
                    size: row.get(4)?,
                    text,
                })
            },
        )?;
        if is_flat {
            return Ok(copies);
        }
        // The newest of a conversation came first.
        let mut rows: Vec<Ranked> = Vec::new();
        let mut at: HashMap<ThreadId, usize> = HashMap::new();
        for copy in copies {
            match at.get(&copy.head.thread) {
                Some(at) => {
                    rows[*at].is_unread |= copy.is_unread;
                    rows[*at].size = rows[*at].size.max(copy.size);
                }
                None => {
                    at.insert(copy.head.thread, rows.len());
                    rows.push(copy);
                }
            }
        }
        Ok(rows)
    }
}

/// What the row of a single mail is known by, so that it is no conversation's.
pub(super) fn alone(copy: PlacementId) -> ThreadId {
    ThreadId(-copy.0)
}

/// The copy that is a row of its own; `None`: it is a conversation's.
pub(super) fn only(thread: ThreadId) -> Option<PlacementId> {
    (thread.0 < 0).then(|| PlacementId(-thread.0))
}
