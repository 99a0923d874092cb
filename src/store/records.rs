//! Mails one by one, for lists without conversations and for scripts.

use std::cmp::Reverse;

use super::db::sql;
use super::list::{rows, summary};
use super::reader::Reader;
use crate::error::Result;
use crate::model::{MessageId, PlacementId, SortKey, Summary, View};
use crate::text::Clean;

/// What is known of one copy of a mail beside its row in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// IMAP: its UID, once the server has it.
    pub uid: Option<u32>,
    /// POP3: what the server calls it, if it came from there.
    pub uidl: Option<Clean>,
    /// Keywords and tags, sorted.
    pub tags: Vec<Clean>,
}

impl Reader {
    /// At most `limit` copies of mails in a view, newest first, below a place or from the top.
    pub fn copies(&self, view: View, below: Option<SortKey>, limit: usize) -> Result<Vec<Summary>> {
        let from = below.unwrap_or(SortKey { at: i64::MAX, id: PlacementId(i64::MAX) });
        let folders = self.folders_of(view)?;
        let mut copies: Vec<Summary> = Vec::new();
        for &folder in &folders {
            copies.extend(self.0.all(
                sql!("SELECT m.id, p.id, p.folder_id, m.account_id, p.thread_id, p.sort_at, m.date, m.from_name, m.from_addr,
                        m.to_line, m.subject, m.snippet, p.flags, m.size, m.attachments, m.body_state, m.msgid, m.parent,
                        (SELECT group_concat(t.name, ' ') FROM placement_tags k JOIN tags t ON t.id = k.tag_id WHERE k.placement_id = p.id AND k.here = 1)
                      FROM placements p CROSS JOIN messages m ON m.id = p.message_id
                      WHERE p.folder_id = ?1 AND p.hidden = 0 AND (p.sort_at, p.id) < (?2, ?3)
                      ORDER BY p.sort_at DESC, p.id DESC LIMIT ?4"),
                (folder, from.at, from.id, rows(limit)),
                summary,
            )?);
        }
        if folders.len() > 1 {
            copies.sort_unstable_by_key(|copy| Reverse(copy.key));
            copies.truncate(limit);
        }
        Ok(copies)
    }

    /// The visible copies of a mail, in the order in which they came.
    pub fn copies_of(&self, message: MessageId) -> Result<Vec<Summary>> {
        self.0.all(
            sql!("SELECT m.id, p.id, p.folder_id, m.account_id, p.thread_id, p.sort_at, m.date, m.from_name, m.from_addr,
                    m.to_line, m.subject, m.snippet, p.flags, m.size, m.attachments, m.body_state, m.msgid, m.parent,
                    (SELECT group_concat(t.name, ' ') FROM placement_tags k JOIN tags t ON t.id = k.tag_id WHERE k.placement_id = p.id AND k.here = 1)
                  FROM placements p JOIN messages m ON m.id = p.message_id
                  WHERE p.message_id = ?1 AND p.hidden = 0 ORDER BY p.id"),
            [message],
            summary,
        )
    }

    /// What is known of a copy beside its row; empty where it is not there any more.
    pub fn record(&self, placement: PlacementId) -> Result<Record> {
        let uid =
            self.0.one(sql!("SELECT uid FROM placements WHERE id = ?1"), [placement], |row| row.get(0))?;
        let uidl = self.0.one(
            sql!("SELECT s.uidl FROM placements p JOIN pop_seen s ON s.message_id = p.message_id WHERE p.id = ?1
                  LIMIT 1"),
            [placement],
            |row| row.get::<_, String>(0),
        )?;
        let mut tags = self.0.all(
            sql!(
                "SELECT t.name FROM placement_tags k JOIN tags t ON t.id = k.tag_id
                  WHERE k.placement_id = ?1 AND k.here = 1"
            ),
            [placement],
            |row| Ok(Clean::line(&row.get::<_, String>(0)?)),
        )?;
        tags.sort_unstable();
        Ok(Record { uid: uid.flatten(), uidl: uidl.as_deref().map(Clean::line), tags })
    }
}
