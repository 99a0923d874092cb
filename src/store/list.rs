//! Lists: a page of conversations by keyset, one row, the mails of a conversation, the next unread.

use std::cmp::Reverse;

use rusqlite::Row as Columns;

use super::db::{sql, unsigned};
use super::messages::body_state;
use super::ranks::only;
use super::reader::Reader;
use super::views::Lane;
use crate::error::Result;
use crate::model::{Flags, FolderId, Member, MessageId, PlacementId, Row, SortKey, Summary, ThreadId, View};
use crate::text::Clean;

/// Where a page lies in a list. Newer is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The newest rows.
    Top,
    /// The oldest rows.
    Bottom,
    /// The rows below this place.
    After(SortKey),
    /// The rows above this place.
    Before(SortKey),
    /// Rows on both sides of this place, the one at it included.
    Around(SortKey),
}

/// Some rows of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Newest first.
    pub rows: Vec<Row>,
    /// Nothing is above them.
    pub at_top: bool,
    /// Nothing is below them.
    pub at_bottom: bool,
}

/// The newest copy of a conversation in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) key: SortKey,
    pub(super) thread: ThreadId,
    pub(super) folder: FolderId,
}

/// How many people a row names.
const PEOPLE: usize = 8;
/// Mails of a conversation that are looked through for people.
const LOOKED_AT: usize = 100;
const LOWEST: SortKey = SortKey { at: i64::MIN, id: PlacementId(i64::MIN) };
const HIGHEST: SortKey = SortKey { at: i64::MAX, id: PlacementId(i64::MAX) };

impl Reader {
    /// At most `limit` conversations of a view, each once, at the place of its newest mail there.
    pub fn page(&self, view: View, edge: Edge, limit: usize) -> Result<Page> {
        self.0.snapshot(|| {
            let lane = &self.lane(view)?;
            let heads = match edge {
                Edge::Top => self.lane_below(lane, HIGHEST, limit)?,
                Edge::After(key) => self.lane_below(lane, key, limit)?,
                Edge::Bottom => self.lane_above(lane, LOWEST, limit)?,
                Edge::Before(key) => self.lane_above(lane, key, limit)?,
                Edge::Around(key) => {
                    let mut heads = self.lane_above(lane, key, limit / 2)?;
                    // The place itself belongs to the lower half.
                    let from = SortKey { id: PlacementId(key.id.0.saturating_add(1)), ..key };
                    heads.extend(self.lane_below(lane, from, limit - heads.len())?);
                    heads
                }
            };
            let (top, bottom) = match (heads.first(), heads.last()) {
                (Some(first), Some(last)) => (first.key, last.key),
                _ => match edge {
                    Edge::After(key) | Edge::Around(key) | Edge::Before(key) => (key, key),
                    Edge::Top | Edge::Bottom => (HIGHEST, LOWEST),
                },
            };
            let at_top = self.lane_above(lane, top, 1)?.is_empty();
            let at_bottom = self.lane_below(lane, bottom, 1)?.is_empty();
            let rows =
                heads.into_iter().map(|head| self.conversation(lane, head)).collect::<Result<Vec<_>>>()?;
            Ok(Page { rows: rows.into_iter().flatten().collect(), at_top, at_bottom })
        })
    }

    /// The conversation as it is in the view; `None`: nothing of it is there any more.
    pub fn row(&self, view: View, thread: ThreadId) -> Result<Option<Row>> {
        self.0.snapshot(|| {
            let lane = &self.lane(view)?;
            self.lane_head(lane, thread)?.map_or(Ok(None), |head| self.conversation(lane, head))
        })
    }

    /// The next conversation with unread mail below `from`, or above it; where it stands in the list.
    pub fn next_unread(&self, view: View, from: SortKey, backwards: bool) -> Result<Option<SortKey>> {
        self.0.snapshot(|| {
            let folders = match self.lane(view)? {
                Lane::Folders(folders) => folders,
                // To look through all ranks for nothing would take long.
                Lane::Ranked(_) if self.counts(view)?.1 == 0 => return Ok(None),
                lane => return self.lane_unread(&lane, from, backwards),
            };
            let mut best: Option<SortKey> = None;
            for folder in folders {
                let found = if backwards {
                    self.unread_above(folder, from)?
                } else {
                    self.unread_below(folder, from)?
                };
                best = match (best, found) {
                    (Some(a), Some(b)) => Some(if backwards { a.min(b) } else { a.max(b) }),
                    (a, b) => a.or(b),
                };
            }
            Ok(best)
        })
    }

    /// Every copy of every mail of a conversation that is not about to leave, oldest first.
    pub fn thread(&self, thread: ThreadId) -> Result<Vec<Summary>> {
        if let Some(copy) = only(thread) {
            return Ok(self.summary(copy)?.into_iter().collect());
        }
        self.0.all(
            sql!("SELECT m.id, p.id, p.folder_id, m.account_id, p.thread_id, p.sort_at, m.date, m.from_name, m.from_addr,
                    m.to_line, m.subject, m.snippet, p.flags, m.size, m.attachments, m.body_state, m.msgid, m.parent,
                    (SELECT group_concat(t.name, ' ') FROM placement_tags k JOIN tags t ON t.id = k.tag_id WHERE k.placement_id = p.id AND k.here = 1)
                  FROM placements p JOIN messages m ON m.id = p.message_id
                  WHERE p.thread_id = ?1 AND p.hidden IN (0, 2) ORDER BY p.sort_at, p.id"),
            [thread],
            summary,
        )
    }

    /// One copy of a mail, hidden or not.
    pub fn summary(&self, placement: PlacementId) -> Result<Option<Summary>> {
        self.0.one(
            sql!("SELECT m.id, p.id, p.folder_id, m.account_id, p.thread_id, p.sort_at, m.date, m.from_name, m.from_addr,
                    m.to_line, m.subject, m.snippet, p.flags, m.size, m.attachments, m.body_state, m.msgid, m.parent,
                    (SELECT group_concat(t.name, ' ') FROM placement_tags k JOIN tags t ON t.id = k.tag_id WHERE k.placement_id = p.id AND k.here = 1)
                  FROM placements p JOIN messages m ON m.id = p.message_id WHERE p.id = ?1"),
            [placement],
            summary,
        )
    }

    /// A copy of a mail: one that is put off only where there is no other.
    pub fn message(&self, message: MessageId) -> Result<Option<Summary>> {
        self.0.one(
            sql!("SELECT m.id, p.id, p.folder_id, m.account_id, p.thread_id, p.sort_at, m.date, m.from_name, m.from_addr,
                    m.to_line, m.subject, m.snippet, p.flags, m.size, m.attachments, m.body_state, m.msgid, m.parent,
                    (SELECT group_concat(t.name, ' ') FROM placement_tags k JOIN tags t ON t.id = k.tag_id WHERE k.placement_id = p.id AND k.here = 1)
                  FROM placements p JOIN messages m ON m.id = p.message_id
                  WHERE p.message_id = ?1 AND p.hidden IN (0, 2) ORDER BY p.hidden, p.id LIMIT 1"),
            [message],
            summary,
        )
    }

    /// The row of a conversation whose newest mail is known.
    fn conversation(&self, lane: &Lane, head: Head) -> Result<Option<Row>> {
        let members = self.lane_members(lane, &head)?;
        let newest = match lane {
            // Some of it may have gone since it was ranked.
            Lane::Ranked(_) => members.first().map(|member| member.placement),
            _ => Some(head.key.id),
        };
        let Some(mut summary) = newest.map_or(Ok(None), |copy| self.summary(copy))? else { return Ok(None) };
        if matches!(lane, Lane::Ranked(_)) {
            (summary.date, summary.thread) = (summary.key.at, head.thread);
        }
        summary.key = head.key;
        let people = if members.len() == 1 {
            vec![(summary.from_name.clone(), !summary.flags.has(Flags::SEEN))]
        } else {
            self.people(&members)?
        };
        let tags = if members.len() == 1 { summary.tags.clone() } else { self.tags_of(head)? };
        Ok(Some(Row { head: summary, members, people, tags }))
    }

    /// The tags of any mail of a conversation in its folder.
    fn tags_of(&self, head: Head) -> Result<Vec<Clean>> {
        let mut tags = self.0.all(
            sql!(
                "SELECT t.name FROM placements p CROSS JOIN placement_tags k ON k.placement_id = p.id
                  CROSS JOIN tags t ON t.id = k.tag_id
                  WHERE p.thread_id = ?1 AND p.folder_id = ?2 AND p.hidden = 0 AND k.here = 1"
            ),
            (head.thread, head.folder),
            |row| Ok(Clean::line(&row.get::<_, String>(0)?)),
        )?;
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }

    /// Every tag that some mail has, by name, for completion: at most `limit` that begin with `start`.
    pub fn tag_names(&self, start: &str, limit: usize) -> Result<Vec<String>> {
        let end = format!("{start}\u{10ffff}");
        self.0.all(
            sql!(
                "SELECT t.name FROM tags t WHERE t.name >= ?1 COLLATE NOCASE AND t.name < ?2 COLLATE NOCASE
                    AND EXISTS (SELECT 1 FROM placement_tags k WHERE k.tag_id = t.id AND k.here = 1)
                  ORDER BY t.name COLLATE NOCASE LIMIT ?3"
            ),
            (start, end, rows(limit)),
            |row| row.get(0),
        )
    }

    /// Who wrote the mails, oldest first, each once.
    fn people(&self, members: &[Member]) -> Result<Vec<(Clean, bool)>> {
        let mut people: Vec<(String, Clean, bool)> = Vec::new();
        for member in members.iter().rev().take(LOOKED_AT) {
            let unread = !member.flags.has(Flags::SEEN);
            let from = self.0.one(
                sql!("SELECT from_name, from_addr FROM messages WHERE id = ?1"),
                [member.message],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            )?;
            let Some((name, addr)) = from else { continue };
            if let Some(at) = people.iter().position(|(known, ..)| known.eq_ignore_ascii_case(&addr)) {
                people[at].2 |= unread;
            } else if people.len() < PEOPLE {
                let shown = display(&name, &addr);
                people.push((addr, shown, unread));
            }
        }
        Ok(people.into_iter().map(|(_, name, unread)| (name, unread)).collect())
    }

    pub(super) fn head(&self, folder: FolderId, thread: ThreadId) -> Result<Option<Head>> {
        self.0.one(
            sql!(
                "SELECT id, sort_at FROM placements WHERE thread_id = ?1 AND folder_id = ?2 AND hidden = 0
                  ORDER BY sort_at DESC, id DESC LIMIT 1"
            ),
            (thread, folder),
            |row| Ok(Head { key: SortKey { at: row.get(1)?, id: row.get(0)? }, thread, folder }),
        )
    }

    /// The newest `limit` heads below a place, newest first. Conversations are of one account, and a view
    /// has one folder of each: the folders' own pages, merged, are the view's page.
    pub(super) fn below(&self, folders: &[FolderId], from: SortKey, limit: usize) -> Result<Vec<Head>> {
        let mut heads = Vec::new();
        for &folder in folders {
            heads.extend(self.0.all(
                sql!("SELECT p.id, p.thread_id, p.sort_at FROM placements p
                      WHERE p.folder_id = ?1 AND p.hidden = 0 AND (p.sort_at, p.id) < (?2, ?3)
                        AND NOT EXISTS (SELECT 1 FROM placements q WHERE q.thread_id = p.thread_id AND q.folder_id = ?1
                                        AND q.hidden = 0 AND (q.sort_at, q.id) > (p.sort_at, p.id))
                      ORDER BY p.sort_at DESC, p.id DESC LIMIT ?4"),
                (folder, from.at, from.id, rows(limit)),
                |row| head(row, folder),
            )?);
        }
        if folders.len() > 1 {
            heads.sort_unstable_by_key(|head| Reverse(head.key));
            heads.truncate(limit);
        }
        Ok(heads)
    }

    /// The oldest `limit` heads above a place, newest first.
    pub(super) fn above(&self, folders: &[FolderId], from: SortKey, limit: usize) -> Result<Vec<Head>> {
        let mut heads = Vec::new();
        for &folder in folders {
            heads.extend(self.0.all(
                sql!("SELECT p.id, p.thread_id, p.sort_at FROM placements p
                      WHERE p.folder_id = ?1 AND p.hidden = 0 AND (p.sort_at, p.id) > (?2, ?3)
                        AND NOT EXISTS (SELECT 1 FROM placements q WHERE q.thread_id = p.thread_id AND q.folder_id = ?1
                                        AND q.hidden = 0 AND (q.sort_at, q.id) > (p.sort_at, p.id))
                      ORDER BY p.sort_at, p.id LIMIT ?4"),
                (folder, from.at, from.id, rows(limit)),
                |row| head(row, folder),
            )?);
        }
        heads.sort_unstable_by_key(|head| head.key);
        heads.truncate(limit);
        heads.reverse();
        Ok(heads)
    }
}

fn head(row: &Columns<'_>, folder: FolderId) -> rusqlite::Result<Head> {
    Ok(Head { key: SortKey { at: row.get(2)?, id: row.get(0)? }, thread: row.get(1)?, folder })
}

pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Names with blanks between, which no tag holds, as tags.
fn tags(names: &str) -> Vec<Clean> {
    let mut tags: Vec<Clean> = names.split(' ').map(Clean::line).collect();
    tags.sort_unstable();
    tags
}

fn display(name: &str, addr: &str) -> Clean {
    Clean::line(if name.trim().is_empty() { addr } else { name })
}

pub(super) fn summary(row: &Columns<'_>) -> rusqlite::Result<Summary> {
    let text = |at| row.get_ref(at).and_then(|value| Ok(value.as_str()?));
    let placement = row.get(1)?;
    let (name, addr) = (text(7)?, text(8)?);
    Ok(Summary {
        message: row.get(0)?,
        placement,
        folder: row.get(2)?,
        account: row.get(3)?,
        thread: row.get(4)?,
        key: SortKey { at: row.get(5)?, id: placement },
        date: row.get(6)?,
        from_name: display(name, addr),
        from_addr: Clean::line(addr),
        to_line: Clean::line(text(9)?),
        subject: Clean::line(text(10)?),
        snippet: Clean::line(text(11)?),
        flags: row.get(12)?,
        tags: row.get::<_, Option<String>>(18)?.map(|names| tags(&names)).unwrap_or_default(),
        size: unsigned(row.get(13)?),
        attachments: row.get(14)?,
        body: body_state(row.get(15)?),
        msgid: row.get(16)?,
        parent: row.get(17)?,
    })
}
