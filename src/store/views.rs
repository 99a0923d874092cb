//! Lists that are not of folders: what is starred anywhere, and what was put off.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::Row as Columns;

use super::db::{sql, unsigned};
use super::list::{Head, rows};
use super::ranks::Ranks;
use super::reader::Reader;
use crate::error::Result;
use crate::model::{FolderId, Member, SortKey, ThreadId, View};

/// Rows of what was put off.
const SNOOZED: usize = 2000;
/// Rows that are looked through at once for the next unread one.
const STEP: usize = 100;

/// What the rows of a list are read from.
pub(super) enum Lane {
    /// Folders: their pages, merged, are the list.
    Folders(Vec<FolderId>),
    /// Everything starred.
    Starred,
    /// What is unread in these folders.
    Unread(Vec<FolderId>),
    /// Rows that were ranked.
    Ranked(Arc<Ranks>),
    /// Everything put off: all of its rows.
    Snoozed(Vec<Head>),
}

impl Reader {
    pub(super) fn lane(&self, view: View) -> Result<Lane> {
        if let Some(ranks) = self.ranks(view) {
            return Ok(Lane::Ranked(Arc::clone(ranks)));
        }
        Ok(match view {
            View::Folder(_) | View::Unified(_) => Lane::Folders(self.folders_of(view)?),
            View::Starred => Lane::Starred,
            View::Unread => Lane::Unread(self.unread_folders()?),
            View::Snoozed => Lane::Snoozed(self.snoozed()?),
        })
    }

    /// The first `limit` rows below a place.
    pub(super) fn lane_below(&self, lane: &Lane, from: SortKey, limit: usize) -> Result<Vec<Head>> {
        match lane {
            Lane::Folders(folders) => self.below(folders, from, limit),
            Lane::Ranked(ranks) => Ok(ranks.below(from, limit)),
            Lane::Unread(folders) => self.unread_rows_below(folders, from, limit),
            Lane::Starred => self.0.all(
                sql!("SELECT p.id, p.thread_id, p.sort_at, p.folder_id FROM placements p
                      WHERE p.hidden = 0 AND (p.flags & 4) <> 0 AND (p.sort_at, p.id) < (?1, ?2)
                        AND EXISTS (SELECT 1 FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                                    WHERE f.id = p.folder_id AND f.role NOT IN ('trash', 'junk') AND a.parked = 0)
                        AND NOT EXISTS (SELECT 1 FROM placements q CROSS JOIN folders g ON g.id = q.folder_id
                                        WHERE q.thread_id = p.thread_id AND q.hidden = 0 AND (q.flags & 4) <> 0
                                          AND g.role NOT IN ('trash', 'junk') AND (q.sort_at, q.id) > (p.sort_at, p.id))
                      ORDER BY p.sort_at DESC, p.id DESC LIMIT ?3"),
                (from.at, from.id, rows(limit)),
                head,
            ),
            Lane::Snoozed(heads) => {
                Ok(heads.iter().filter(|head| head.key < from).take(limit).copied().collect())
            }
        }
    }

    /// The last `limit` rows above a place, newest first.
    pub(super) fn lane_above(&self, lane: &Lane, from: SortKey, limit: usize) -> Result<Vec<Head>> {
        let mut heads = match lane {
            Lane::Folders(folders) => return self.above(folders, from, limit),
            Lane::Ranked(ranks) => return Ok(ranks.above(from, limit)),
            Lane::Unread(folders) => return self.unread_rows_above(folders, from, limit),
            Lane::Starred => self.0.all(
                sql!("SELECT p.id, p.thread_id, p.sort_at, p.folder_id FROM placements p
                      WHERE p.hidden = 0 AND (p.flags & 4) <> 0 AND (p.sort_at, p.id) > (?1, ?2)
                        AND EXISTS (SELECT 1 FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                                    WHERE f.id = p.folder_id AND f.role NOT IN ('trash', 'junk') AND a.parked = 0)
                        AND NOT EXISTS (SELECT 1 FROM placements q CROSS JOIN folders g ON g.id = q.folder_id
                                        WHERE q.thread_id = p.thread_id AND q.hidden = 0 AND (q.flags & 4) <> 0
                                          AND g.role NOT IN ('trash', 'junk') AND (q.sort_at, q.id) > (p.sort_at, p.id))
                      ORDER BY p.sort_at, p.id LIMIT ?3"),
                (from.at, from.id, rows(limit)),
                head,
            )?,
            Lane::Snoozed(heads) => {
                heads.iter().rev().filter(|head| head.key > from).take(limit).copied().collect()
            }
        };
        heads.reverse();
        Ok(heads)
    }

    /// The row of a conversation; `None`: nothing of it is in the list.
    pub(super) fn lane_head(&self, lane: &Lane, thread: ThreadId) -> Result<Option<Head>> {
        match lane {
            Lane::Folders(folders) => {
                let mut newest: Option<Head> = None;
                for folder in folders {
                    if let Some(head) = self.head(*folder, thread)?
                        && newest.is_none_or(|held| held.key < head.key)
                    {
                        newest = Some(head);
                    }
                }
                Ok(newest)
            }
            Lane::Unread(_) => self.unread_row(thread),
            Lane::Starred => self.0.one(
                sql!("SELECT p.id, p.thread_id, p.sort_at, p.folder_id FROM placements p
                      WHERE p.thread_id = ?1 AND p.hidden = 0 AND (p.flags & 4) <> 0
                        AND EXISTS (SELECT 1 FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                                    WHERE f.id = p.folder_id AND f.role NOT IN ('trash', 'junk') AND a.parked = 0)
                      ORDER BY p.sort_at DESC, p.id DESC LIMIT 1"),
                [thread],
                head,
            ),
            Lane::Ranked(ranks) => Ok(ranks.heads.iter().find(|head| head.thread == thread).copied()),
            Lane::Snoozed(heads) => Ok(heads.iter().find(|head| head.thread == thread).copied()),
        }
    }

    /// The mails of a row, newest first, each once.
    pub(super) fn lane_members(&self, lane: &Lane, head: &Head) -> Result<Vec<Member>> {
        let read = |row: &Columns<'_>| {
            Ok(Member { placement: row.get(0)?, message: row.get(1)?, flags: row.get(2)? })
        };
        let mut members: Vec<Member> = match lane {
            Lane::Ranked(ranks) if ranks.is_flat => self.0.all(
                sql!("SELECT id, message_id, flags FROM placements WHERE id = ?1 AND folder_id = ?2 AND hidden = 0"),
                (head.key.id, head.folder),
                read,
            )?,
            Lane::Folders(_) | Lane::Ranked(_) => self.0.all(
                sql!("SELECT id, message_id, flags FROM placements WHERE thread_id = ?1 AND folder_id = ?2 AND hidden = 0
                      ORDER BY sort_at DESC, id DESC"),
                (head.thread, head.folder),
                read,
            )?,
            Lane::Unread(_) => self.unread_copies(head.thread)?,
            Lane::Starred => self.0.all(
                sql!("SELECT p.id, p.message_id, p.flags FROM placements p CROSS JOIN folders f ON f.id = p.folder_id
                      WHERE p.thread_id = ?1 AND p.hidden = 0 AND (p.flags & 4) <> 0 AND f.role NOT IN ('trash', 'junk')
                      ORDER BY p.sort_at DESC, p.id DESC"),
                [head.thread],
                read,
            )?,
            Lane::Snoozed(_) => self.0.all(
                sql!("SELECT p.id, p.message_id, p.flags FROM placements p
                      WHERE p.thread_id = ?1 AND p.folder_id = ?2 AND p.hidden = 2 ORDER BY p.sort_at DESC, p.id DESC"),
                (head.thread, head.folder),
                read,
            )?,
        };
        if matches!(lane, Lane::Starred | Lane::Unread(_)) {
            let mut seen = HashSet::new();
            members.retain(|member| seen.insert(member.message));
        }
        Ok(members)
    }

    /// The next row with something unread in a list that is not of folders.
    pub(super) fn lane_unread(&self, lane: &Lane, from: SortKey, backwards: bool) -> Result<Option<SortKey>> {
        let mut from = from;
        loop {
            let mut heads = match backwards {
                true => self.lane_above(lane, from, STEP)?,
                false => self.lane_below(lane, from, STEP)?,
            };
            if backwards {
                heads.reverse();
            }
            for head in &heads {
                let members = self.lane_members(lane, head)?;
                if members.iter().any(|member| !member.flags.has(crate::model::Flags::SEEN)) {
                    return Ok(Some(head.key));
                }
            }
            match heads.last() {
                Some(last) => from = last.key,
                None => return Ok(None),
            }
        }
    }

    /// How many mails are in a list that is not of folders, and how many of them are unread.
    pub(super) fn counts_of_all(&self, view: View) -> Result<(u64, u64)> {
        let counts = match view {
            View::Unread => self.unread_total()?,
            View::Snoozed => self.0.one(
                sql!("SELECT count(*), ifnull(sum((p.flags & 1) = 0), 0) FROM snoozes s
                      CROSS JOIN placements p ON p.message_id = s.message_id AND p.folder_id = s.folder_id
                      WHERE s.wake_at > 0 AND p.hidden = 2"),
                [],
                counted,
            )?,
            _ => self.0.one(
                sql!("SELECT count(*), ifnull(sum((p.flags & 1) = 0), 0) FROM placements p
                      WHERE p.hidden = 0 AND (p.flags & 4) <> 0
                        AND EXISTS (SELECT 1 FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                                    WHERE f.id = p.folder_id AND f.role NOT IN ('trash', 'junk') AND a.parked = 0)"),
                [],
                counted,
            )?,
        };
        Ok(counts.unwrap_or_default())
    }

    /// What was put off, what comes back next first: its key is the time of that, turned round.
    fn snoozed(&self) -> Result<Vec<Head>> {
        let mut heads: Vec<Head> = self.0.all(
            sql!(
                "SELECT p.id, p.thread_id, -s.wake_at, p.folder_id FROM snoozes s
                  CROSS JOIN placements p ON p.message_id = s.message_id AND p.folder_id = s.folder_id
                  WHERE s.wake_at > 0 AND p.hidden = 2 ORDER BY s.wake_at LIMIT ?1"
            ),
            [rows(SNOOZED)],
            head,
        )?;
        heads.sort_by_key(|head| Reverse(head.key));
        let mut seen = HashSet::new();
        heads.retain(|head| seen.insert((head.thread, head.folder)));
        Ok(heads)
    }
}

pub(super) fn head(row: &Columns<'_>) -> rusqlite::Result<Head> {
    let key = SortKey { at: row.get(2)?, id: row.get(0)? };
    Ok(Head { key, thread: row.get(1)?, folder: row.get(3)? })
}

fn counted(row: &Columns<'_>) -> rusqlite::Result<(u64, u64)> {
    Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
}
