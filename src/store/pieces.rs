//! Bodies as they come: whole, in pieces, or staged before their mail has a place; and what an end in the
//! middle leaves.

use super::batch::{Chunk, Incoming, Packed};
use super::db::{sql, whole};
use super::messages::{HEAD, STAGED, WHOLE, clip, clip_msgid, size_of};
use super::pack::chunks_of;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, MessageId};

impl Tx<'_> {
    /// A large message without a place: dropped at the next start unless it lands.
    pub(super) fn stage(&mut self, account: AccountId, incoming: &Incoming) -> Result<MessageId> {
        // What an earlier attempt at the same mail left.
        let left: Vec<MessageId> = self.db.all(
            sql!("SELECT id FROM messages WHERE account_id = ?1 AND msgid = ?2 AND size = ?3 AND head_hash = ?4
                  AND body_state = 4"),
            (account, clip_msgid(&incoming.envelope.msgid), size_of(incoming), &incoming.envelope.head_hash[..]),
            |row| row.get(0),
        )?;
        for message in left {
            self.forget(message)?;
        }
        let message = self.insert_message(account, incoming, STAGED)?;
        self.unfinished(account, message)?;
        Ok(message)
    }

    /// A staged message is whole.
    pub(super) fn land(&mut self, account: AccountId, message: MessageId, incoming: &Incoming) -> Result<()> {
        let Some(body) = &incoming.body else {
            return Err(Error::new(Kind::Bug, "a staged mail came to land without its body"));
        };
        // It may have been taken by another way meanwhile.
        if self.known(account, incoming)?.is_some() {
            return self.forget(message);
        }
        let landed = self.db.run(
            sql!("UPDATE messages SET body_state = 0, size = ?2 WHERE id = ?1 AND body_state = 4"),
            (message, size_of(incoming)),
        )?;
        if landed == 0 {
            return Err(Error::new(
                Kind::Gone,
                "another mailtui cleared away a mail that was not all here yet",
            )
            .hint("Run it again: what came whole is not taken twice"));
        }
        self.body(message, body)?;
        self.place(account, message, incoming)
    }

    /// A piece of a large body. That of a mail that went meanwhile is passed over, as its body is.
    pub(super) fn part(&mut self, account: AccountId, message: MessageId, chunk: &Chunk) -> Result<()> {
        let there = self.db.one(sql!("SELECT 1 FROM messages WHERE id = ?1"), [message], |_| Ok(()))?;
        if there.is_none() {
            return Ok(());
        }
        if chunk.seq == 0 {
            self.unfinished(account, message)?;
        }
        self.chunk(message, chunk)
    }

    fn unfinished(&self, account: AccountId, message: MessageId) -> Result<()> {
        self.db.run(
            sql!("INSERT OR IGNORE INTO unfinished (message_id, account_id) VALUES (?1, ?2)"),
            (message, account),
        )?;
        Ok(())
    }

    pub(super) fn chunk(&self, message: MessageId, chunk: &Chunk) -> Result<()> {
        self.db.run(
            sql!("INSERT OR REPLACE INTO bodies (message_id, seq, packed, raw) VALUES (?1, ?2, ?3, ?4)"),
            (message, chunk.seq, chunk.packed, &chunk.bytes),
        )?;
        Ok(())
    }

    /// The rest of a body, and what is known of the whole. A body that is here already stays; that of a mail
    /// that went while it was fetched is passed over.
    pub(super) fn body(&mut self, message: MessageId, body: &Packed) -> Result<()> {
        let state = self.db.one(sql!("SELECT body_state FROM messages WHERE id = ?1"), [message], |row| {
            row.get::<_, i64>(0)
        })?;
        if matches!(state, None | Some(WHOLE)) {
            return Ok(());
        }
        for chunk in &body.chunks {
            self.chunk(message, chunk)?;
        }
        let wanted = chunks_of(body.size);
        let mut held = i64::try_from(body.chunks.len()).ok();
        if self.db.run(sql!("DELETE FROM unfinished WHERE message_id = ?1"), [message])? > 0 {
            // Pieces went ahead, perhaps those of an attempt that ended differently.
            self.db.run(sql!("DELETE FROM bodies WHERE message_id = ?1 AND seq >= ?2"), (message, wanted))?;
            held =
                self.db.one(sql!("SELECT count(*) FROM bodies WHERE message_id = ?1"), [message], |row| {
                    row.get(0)
                })?;
        }
        if held != Some(wanted) {
            return Err(Error::new(Kind::Bug, "a mail came without some of its pieces"));
        }
        self.db.run(
            sql!("UPDATE messages SET body_state = 2, raw_size = ?2, sha256 = ?3, snippet = ?4, attachments = ?5,
                    indexed = min(indexed, 1) WHERE id = ?1"),
            (message, whole(body.size), &body.sha256[..], clip(&body.snippet), body.attachments),
        )?;
        if state == Some(HEAD) {
            // From now on it is known by its own size, not by what the listing said.
            let size = whole(body.size);
            self.db.run(sql!("UPDATE messages SET size = ?2 WHERE id = ?1"), (message, size))?;
            self.db.run(sql!("UPDATE pop_seen SET size = ?2 WHERE message_id = ?1"), (message, size))?;
        }
        self.touched.message(message);
        self.touch_folders_of(message)?;
        self.hand_on(message)
    }

    fn touch_folders_of(&mut self, message: MessageId) -> Result<()> {
        let folders = self.db.all(
            sql!("SELECT folder_id FROM placements WHERE message_id = ?1 AND hidden = 0"),
            [message],
            |row| row.get::<_, FolderId>(0),
        )?;
        self.touched.folders.extend(folders);
        Ok(())
    }

    /// Drops what an earlier process of this account left unfinished, and queues its running ops again.
    pub(super) fn recover(&mut self, account: AccountId) -> Result<()> {
        let left: Vec<(MessageId, i64)> = self.db.all(
            sql!(
                "SELECT u.message_id, m.body_state FROM unfinished u JOIN messages m ON m.id = u.message_id
                  WHERE u.account_id = ?1"
            ),
            [account],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (message, state) in left {
            match state {
                STAGED => self.forget(message)?,
                WHOLE => {}
                _ => {
                    self.db.run(sql!("DELETE FROM bodies WHERE message_id = ?1"), [message])?;
                }
            }
            self.db.run(sql!("DELETE FROM unfinished WHERE message_id = ?1"), [message])?;
        }
        let again = self.db.run(
            sql!("UPDATE ops SET state = 'queued' WHERE account_id = ?1 AND state = 'running'"),
            [account],
        )?;
        if again > 0 {
            self.touched.ops.insert(account);
        }
        Ok(())
    }
}
