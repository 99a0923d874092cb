//! A list in another order than by date, or with one row a mail: ranked as a whole, then paged from memory.
//!
//! An order by sender, subject or size would need an index for each on the largest table, which every mail that
//! comes would have to be put into. Ranking 100,000 mails takes some tenths of a second off the thread of the
//! screen, and a page is then a slice.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::db::sql;
use super::gather::Extent;
use super::list::Head;
use super::reader::Reader;
use crate::error::Result;
use crate::model::{Flags, FolderId, Member, MessageId, Order, PlacementId, SortKey, ThreadId, View};
use crate::text::subject::bare;

/// The rows of a list, ranked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks {
    view: View,
    pub(super) is_flat: bool,
    /// Not all of the list: only what the words are in.
    pub(super) is_narrowed: bool,
    /// Whether there are no more rows with the words than these.
    pub is_whole: bool,
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

    /// The rows that it holds.
    pub(super) fn threads(&self) -> HashSet<ThreadId> {
        self.heads.iter().map(|head| head.thread).collect()
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
    /// Ranks the rows of a list of folders: conversations, or mails where `is_flat`; of words only those rows with
    /// a mail whose subject or sender holds each of them.
    pub fn rank(&self, view: View, order: Order, is_flat: bool, words: &str) -> Result<Ranks> {
        let mut rows = Vec::new();
        for folder in self.folders_of(view)? {
            rows.extend(self.ranked(folder, order, is_flat)?);
        }
        let (is_narrowed, mut is_whole) = (!words.trim().is_empty(), true);
        if is_narrowed {
            let found = self.gather_by_thread(view, &Extent::Words(words.to_owned()))?;
            is_whole = found.is_whole;
            let of = |(thread, mails): &(ThreadId, Vec<Member>)| match is_flat {
                true => mails.iter().map(|mail| alone(mail.placement)).collect(),
                false => vec![*thread],
            };
            let kept: HashSet<ThreadId> = found.rows.iter().flat_map(of).collect();
            rows.retain(|row| kept.contains(&row.head.thread));
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
        let heads = rows.into_iter().enumerate().map(head).collect();
        Ok(Ranks { view, is_flat, is_narrowed, is_whole, heads })
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
