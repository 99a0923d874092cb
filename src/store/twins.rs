//! The same mail in two accounts: a row and the bytes of its own in each.

use super::db::sql;
use super::pack::unpack;
use super::tx::Tx;
use crate::error::Result;
use crate::mime;
use crate::model::{AccountId, Envelope, MessageId, OpId, Owner, PlacementId};

impl Tx<'_> {
    /// The row of the same mail in another account: the one that it had, one of the same content by proof (Message-ID,
    /// size and header; without a Message-ID all of its bytes), else a new one. Its body comes along if it is here.
    pub(super) fn twin(
        &mut self,
        message: MessageId,
        there: AccountId,
        wanted: Option<MessageId>,
    ) -> Result<MessageId> {
        let held = match wanted {
            Some(wanted) => self.db.one(
                sql!("SELECT id FROM messages WHERE id = ?1 AND account_id = ?2"),
                (wanted, there),
                |row| row.get(0),
            )?,
            None => self.db.one(
                sql!(
                    "SELECT t.id FROM messages m JOIN messages t ON t.account_id = ?2 AND t.msgid = m.msgid
                        AND t.size IN (m.size, iif(m.body_state = 2, m.raw_size, m.size)) AND t.head_hash = m.head_hash
                      WHERE m.id = ?1 AND t.body_state <> 4
                        AND (m.msgid <> '' OR (m.sha256 <> x'' AND t.sha256 = m.sha256)) LIMIT 1"
                ),
                (message, there),
                |row| row.get(0),
            )?,
        };
        let twin = match held {
            Some(held) => held,
            None => self.new_twin(message, there, wanted)?,
        };
        if self.is_whole(message)? {
            self.copy_body(message, twin)?;
        }
        Ok(twin)
    }

    /// The row that a mail had in an account before it came from there.
    pub(super) fn former(&self, message: MessageId, there: AccountId) -> Result<Option<MessageId>> {
        self.db.one(
            sql!("SELECT former_id FROM messages WHERE id = ?1 AND former_account = ?2 AND former_id IS NOT NULL"),
            (message, there),
            |row| row.get(0),
        )
    }

    fn new_twin(
        &mut self,
        message: MessageId,
        there: AccountId,
        wanted: Option<MessageId>,
    ) -> Result<MessageId> {
        let (envelope, received) = self.envelope_of(message)?;
        let thread = self.thread_for(there, &envelope)?;
        let docid = self.docid(received, &envelope.head_hash)?;
        self.db.run(
            sql!("INSERT INTO messages (id, docid, account_id, thread_id, msgid, parent, head_hash, date, received,
                    from_name, from_addr, to_line, cc_line, list_id, subject, size, internal, former_id, former_account)
                  SELECT ?1, ?2, ?3, ?4, msgid, parent, head_hash, date, received, from_name, from_addr, to_line,
                    cc_line, list_id, subject, size, iif(internal = 0, received, internal), id, account_id FROM messages WHERE id = ?5"),
            (wanted, docid, there, thread, message),
        )?;
        let twin = MessageId(self.db.last_id());
        if self.owner(there)? == Owner::Here {
            // It came from this maildrop, and is back: it is not deleted here any more (promise P2).
            self.db.run(
                sql!(
                    "UPDATE pop_seen SET message_id = ?1, want = iif(want = 'delete', 'keep', want)
                      WHERE account_id = ?2 AND message_id IS NULL
                        AND head_hash = (SELECT head_hash FROM messages WHERE id = ?1)
                        AND size = (SELECT size FROM messages WHERE id = ?1)"
                ),
                (twin, there),
            )?;
        }
        Ok(twin)
    }

    /// What tells its conversation, and when it was received.
    fn envelope_of(&self, message: MessageId) -> Result<(Envelope, i64)> {
        let chunk = self.db.one(
            sql!("SELECT packed, raw FROM bodies WHERE message_id = ?1 AND seq = 0"),
            [message],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        // The references are told by the raw header only.
        let known = match chunk {
            Some((packed, raw)) => Some(mime::envelope(mime::header_block(&unpack(packed, raw)?))),
            None => None,
        };
        let row = self.db.one(
            sql!("SELECT msgid, parent, head_hash, received FROM messages WHERE id = ?1"),
            [message],
            |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?, row.get(3)?)),
        )?;
        let Some((msgid, parent, hash, received)) = row else { return Ok(Default::default()) };
        let row = Envelope {
            msgid,
            parent,
            head_hash: <[u8; 32]>::try_from(hash).unwrap_or_default(),
            ..Envelope::default()
        };
        Ok((known.unwrap_or(row), received))
    }

    pub(super) fn is_whole(&self, message: MessageId) -> Result<bool> {
        let whole =
            self.db.one(sql!("SELECT body_state = 2 FROM messages WHERE id = ?1"), [message], |row| {
                row.get(0)
            })?;
        Ok(whole == Some(true))
    }

    /// Copies the bytes of a mail as they are packed, if they are not there already.
    fn copy_body(&mut self, from: MessageId, to: MessageId) -> Result<()> {
        if self.is_whole(to)? {
            return Ok(());
        }
        self.db.run(sql!("DELETE FROM bodies WHERE message_id = ?1"), [to])?;
        self.db.run(sql!("DELETE FROM unfinished WHERE message_id = ?1"), [to])?;
        self.db.run(
            sql!(
                "INSERT INTO bodies (message_id, seq, packed, raw)
                  SELECT ?2, seq, packed, raw FROM bodies WHERE message_id = ?1"
            ),
            (from, to),
        )?;
        self.db.run(
            sql!("UPDATE messages SET (size, raw_size, sha256, snippet, attachments, body_state, indexed) =
                    (SELECT s.raw_size, s.raw_size, s.sha256, s.snippet, s.attachments, 2, min(messages.indexed, 1)
                     FROM messages s WHERE s.id = ?1) WHERE id = ?2"),
            (from, to),
        )?;
        self.touched.message(to);
        Ok(())
    }

    /// A body is whole here: so are its copies in other accounts that wait for it.
    pub(super) fn hand_on(&mut self, message: MessageId) -> Result<()> {
        let waiting = self.db.all(
            sql!(
                "SELECT o.id, o.account_id, i.placement_id FROM ops o JOIN op_items i ON i.op_id = o.id
                  WHERE o.from_id IS NOT NULL AND o.from_id = ?1"
            ),
            [message],
            |row| Ok((row.get::<_, OpId>(0)?, row.get::<_, AccountId>(1)?, row.get::<_, PlacementId>(2)?)),
        )?;
        for (op, account, place) in waiting {
            let Some(place) = self.placement(place)? else { continue };
            self.copy_body(message, place.message)?;
            self.touched.folders.insert(place.folder);
            self.touched.ops.insert(account);
            self.db.run(sql!("UPDATE ops SET from_id = NULL WHERE id = ?1"), [op])?;
            if self.owner(account)? == Owner::Here {
                self.op_done(op, &[], None)?;
            }
        }
        Ok(())
    }

    /// The server does not have a mail any more whose body was not here yet: what waits for that body waits
    /// in vain.
    pub(super) fn body_is_lost(&mut self, message: MessageId) -> Result<()> {
        let other = self.db.one(
            sql!("SELECT 1 FROM placements WHERE message_id = ?1 AND uid IS NOT NULL AND stale = 0 LIMIT 1"),
            [message],
            |_| Ok(()),
        )?;
        if other.is_some() {
            return Ok(());
        }
        let waiting = self.db.all(
            sql!("SELECT id FROM ops WHERE from_id IS NOT NULL AND from_id = ?1 AND state = 'queued'"),
            [message],
            |row| row.get::<_, OpId>(0),
        )?;
        for op in waiting {
            self.op_failed(op, "the mail was gone from its server before its text was here", None)?;
        }
        Ok(())
    }
}
