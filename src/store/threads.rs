//! Conversations: which mail belongs together, kept as mail comes in any order.
//!
//! A mail goes by at most four names: its own Message-ID, what it answers, and the last and the first of
//! its References. Two mails are of one conversation when a chain of mails that share a name leads from
//! one to the other: that does not depend on the order of arrival. The names between the first and the
//! last count for nothing, so that one mail cannot pull many conversations together by naming them. A
//! conversation never grows past [`LIMIT`]: what would make it larger begins another. What a user joined and split
//! by hand is in [`rethread`](super::rethread).

use super::db::sql;
use super::messages::clip_msgid;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, Envelope, FolderId, ThreadId};

/// The most mails in one conversation.
pub(super) const LIMIT: i64 = 1000;

impl Tx<'_> {
    /// The conversation of a mail that is about to be inserted; those that it connects become one.
    pub(super) fn thread_for(&mut self, account: AccountId, envelope: &Envelope) -> Result<ThreadId> {
        let names = names(envelope);
        if let Some(thread) = self.edited_thread_for(account, envelope, &names)? {
            return Ok(thread);
        }
        let mut found: Vec<ThreadId> = Vec::new();
        let mut unknown = Vec::new();
        for name in &names {
            let thread = self.db.one(
                sql!("SELECT thread_id FROM refs WHERE account_id = ?1 AND msgid = ?2"),
                (account, name),
                |row| row.get(0),
            )?;
            match thread {
                Some(thread) if found.contains(&thread) => {}
                Some(thread) => found.push(thread),
                None => unknown.push(*name),
            }
        }
        let thread = match self.joined(&found)? {
            Some(thread) => thread,
            None => self.new_thread(account)?,
        };
        for name in unknown {
            self.db.run(
                sql!("INSERT INTO refs (account_id, msgid, thread_id) VALUES (?1, ?2, ?3)"),
                (account, name, thread),
            )?;
        }
        Ok(thread)
    }

    pub(super) fn new_thread(&self, account: AccountId) -> Result<ThreadId> {
        self.db.run(sql!("INSERT INTO threads (account_id) VALUES (?1)"), [account])?;
        Ok(ThreadId(self.db.last_id()))
    }

    /// One conversation of those that a mail names, the nearest first, with room for it; `None`: none has.
    fn joined(&mut self, found: &[ThreadId]) -> Result<Option<ThreadId>> {
        let mut into: Option<(ThreadId, i64)> = None;
        for &thread in found {
            let size = self.thread_size(thread)?;
            into = match into {
                None if size < LIMIT => Some((thread, size)),
                // The smaller one moves.
                Some((held, mails)) if mails + size < LIMIT => {
                    let (from, to) = if size > mails { (held, thread) } else { (thread, held) };
                    self.merge(from, to)?;
                    Some((to, mails + size))
                }
                unchanged => unchanged,
            };
        }
        Ok(into.map(|(thread, _)| thread))
    }

    pub(super) fn thread_size(&self, thread: ThreadId) -> Result<i64> {
        let size = self.db.one(
            sql!("SELECT count(*) FROM (SELECT 1 FROM messages WHERE thread_id = ?1 LIMIT 1001)"),
            [thread],
            |row| row.get(0),
        )?;
        Ok(size.unwrap_or(0))
    }

    fn merge(&mut self, from: ThreadId, to: ThreadId) -> Result<()> {
        let folders = self.db.all(
            sql!("SELECT DISTINCT folder_id FROM placements WHERE thread_id = ?1"),
            [from],
            |row| row.get::<_, FolderId>(0),
        )?;
        self.touched.folders.extend(folders);
        self.db.run(sql!("UPDATE placements SET thread_id = ?2 WHERE thread_id = ?1"), (from, to))?;
        self.db.run(sql!("UPDATE messages SET thread_id = ?2 WHERE thread_id = ?1"), (from, to))?;
        self.db.run(sql!("UPDATE refs SET thread_id = ?2 WHERE thread_id = ?1"), (from, to))?;
        self.db.run(sql!("DELETE FROM threads WHERE id = ?1"), [from])?;
        Ok(())
    }

    /// A conversation goes with its last mail, and its names with it.
    pub(super) fn drop_empty_thread(&self, thread: ThreadId) -> Result<()> {
        self.db.run(
            sql!("DELETE FROM threads WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE thread_id = ?1)"),
            [thread],
        )?;
        Ok(())
    }
}

/// The names that a mail goes by, the nearest conversation first, each once.
fn names(envelope: &Envelope) -> Vec<&str> {
    let last = envelope.refs.last().map_or("", String::as_str);
    let first = envelope.refs.first().map_or("", String::as_str);
    let mut names = Vec::with_capacity(4);
    for name in [envelope.parent.as_str(), last, first, envelope.msgid.as_str()] {
        let name = clip_msgid(name);
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
