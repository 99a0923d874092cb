//! Mail that arrives: found again if it is held, else a new row; and how a row goes.

use super::batch::{Chunk, Incoming};
use super::db::{sql, whole};
use super::rethread::kin_of;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, BodyState, Envelope, MessageId};

/// `messages.body_state`; the numbers are stored.
pub(super) const NONE: i64 = 0;
/// The raw header alone.
pub(super) const HEAD: i64 = 1;
pub(super) const WHOLE: i64 = 2;
/// A body that is still coming, without a place: no list shows it, nothing shares it.
pub(super) const STAGED: i64 = 4;

/// Header fields longer than this are cut: they are for rows, the raw mail keeps them whole.
const FIELD: usize = 2000;
/// A Message-ID longer than this is none (RFC 5322 allows lines of 998).
const MSGID: usize = 998;
/// A Date that is this much older than the arrival is the truth: the mailbox was copied from elsewhere.
const MIGRATED: i64 = 2 * 86_400;
/// A Date before this is a broken clock (1990).
const EPOCH: i64 = 631_152_000;

impl Tx<'_> {
    /// A message the server has. Safe to repeat.
    pub(super) fn message(&mut self, account: AccountId, incoming: &Incoming) -> Result<MessageId> {
        if let Some(message) = self.known(account, incoming)? {
            if let Some(body) = incoming.body.as_ref().filter(|_| message.0 != 0) {
                self.body(message, body)?;
            }
            return Ok(message);
        }
        let message = match self.same_content(account, incoming)? {
            Some(held) => held,
            None => self.insert_message(account, incoming, NONE)?,
        };
        if let Some(body) = &incoming.body {
            self.body(message, body)?;
        }
        self.place(account, message, incoming)?;
        Ok(message)
    }

    /// A message of which only the header is here. Safe to repeat.
    pub(super) fn stub(
        &mut self,
        account: AccountId,
        incoming: &Incoming,
        head: &[Chunk],
    ) -> Result<MessageId> {
        if let Some(message) = self.known(account, incoming)? {
            return Ok(message);
        }
        let message = match self.same_content(account, incoming)? {
            Some(held) => held,
            None => {
                let message = self.insert_message(account, incoming, HEAD)?;
                head.iter().try_for_each(|chunk| self.chunk(message, chunk))?;
                message
            }
        };
        self.place(account, message, incoming)?;
        Ok(message)
    }

    /// The message, if exactly this copy is here already.
    pub(super) fn known(&mut self, account: AccountId, incoming: &Incoming) -> Result<Option<MessageId>> {
        if let Some(uid) = incoming.uid
            && let Some(held) = self.by_uid(incoming.folder, uid)?
        {
            self.shown.insert((incoming.folder, uid));
            if !self.is_it(held.message, incoming)? {
                tracing::warn!("the server put mail elsewhere than it told: it is looked for");
                self.unname(incoming.folder, uid)?;
                return Ok(None);
            }
            self.told_flags(incoming.folder, uid, incoming.flags, &incoming.keywords)?;
            return Ok(Some(held.message));
        }
        match &incoming.uidl {
            Some(uidl) => self.seen(account, uidl, incoming),
            None => Ok(None),
        }
    }

    /// Whether a mail that is shown can be the one that is held under its name. What a server touches on the way keeps
    /// its Message-ID.
    fn is_it(&self, message: MessageId, incoming: &Incoming) -> Result<bool> {
        let found = self.db.one(
            sql!(
                "SELECT 1 FROM messages WHERE id = ?1
                  AND ((msgid <> '' AND msgid = ?2) OR head_hash = ?3 OR head_hash = x'')"
            ),
            (message, clip_msgid(&incoming.envelope.msgid), &incoming.envelope.head_hash[..]),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The row of the same content, by proof only: the server's own word, or Message-ID, size and the hash
    /// of the header together. A bare Message-ID is no proof: anyone can write one.
    fn same_content(&self, account: AccountId, incoming: &Incoming) -> Result<Option<MessageId>> {
        let hash = &incoming.envelope.head_hash[..];
        if let Some(remote) = &incoming.remote_id {
            let held = self.db.one(
                sql!(
                    "SELECT id FROM messages WHERE account_id = ?1 AND remote_id = ?2
                      AND (head_hash = ?3 OR head_hash = x'') AND body_state <> 4"
                ),
                (account, remote, hash),
                |row| row.get(0),
            )?;
            if held.is_some() {
                return Ok(held);
            }
        }
        let msgid = clip_msgid(&incoming.envelope.msgid);
        if msgid.is_empty() {
            return Ok(None);
        }
        // Two names that the server gave itself prove two messages.
        self.db.one(
            sql!("SELECT id FROM messages WHERE account_id = ?1 AND msgid = ?2 AND size = ?3 AND head_hash = ?4
                  AND body_state <> 4 AND (remote_id IS NULL OR ?5 IS NULL) LIMIT 1"),
            (account, msgid, size_of(incoming), hash, &incoming.remote_id),
            |row| row.get(0),
        )
    }

    pub(super) fn insert_message(
        &mut self,
        account: AccountId,
        incoming: &Incoming,
        state: i64,
    ) -> Result<MessageId> {
        let Envelope { msgid, parent, date, from, to_line, cc_line, list_id, subject, head_hash, .. } =
            &incoming.envelope;
        let received = received(incoming, self.now);
        let thread = self.thread_for(account, &incoming.envelope)?;
        let docid = self.docid(received, head_hash)?;
        // A name that another row has already proves nothing: a staged row, or a server that lies.
        let remote = match &incoming.remote_id {
            Some(id) if state != STAGED && !self.has_remote(account, id)? => Some(id),
            _ => None,
        };
        self.db.run(
            sql!("INSERT INTO messages (docid, account_id, thread_id, msgid, parent, remote_id, head_hash, date,
                    received, from_name, from_addr, to_line, cc_line, list_id, subject, size, body_state, internal, kin)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"),
            rusqlite::params![
                docid,
                account,
                thread,
                clip_msgid(msgid),
                clip_msgid(parent),
                remote,
                &head_hash[..],
                date.unwrap_or(received),
                received,
                clip(&from.name),
                clip(&from.addr),
                clip(to_line),
                clip(cc_line),
                clip(list_id),
                clip(subject),
                size_of(incoming),
                state,
                incoming.internal,
                kin_of(&incoming.envelope),
            ],
        )?;
        let message = MessageId(self.db.last_id());
        self.touched.message(message);
        Ok(message)
    }

    fn has_remote(&self, account: AccountId, remote: &str) -> Result<bool> {
        let found = self.db.one(
            sql!("SELECT 1 FROM messages WHERE account_id = ?1 AND remote_id = ?2"),
            (account, remote),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// A free row of the search index, such that newer mail has higher ones: 16 to 64 seconds, then, where
    /// thousands arrived at one second, one at random in ever wider circles.
    pub(super) fn docid(&self, received: i64, seed: &[u8; 32]) -> Result<i64> {
        let base = received.clamp(0, 1 << 40) / 64 * 16;
        let taken: Vec<i64> = self.db.all(
            sql!("SELECT docid FROM messages WHERE docid BETWEEN ?1 AND ?1 + 15 ORDER BY docid"),
            [base],
            |row| row.get(0),
        )?;
        if let Some(free) = (base..base + 16).find(|docid| !taken.contains(docid)) {
            return Ok(free);
        }
        let mut noise =
            seed.iter().fold(received.unsigned_abs(), |n, byte| n.rotate_left(8) ^ u64::from(*byte));
        let mut circle = 64u64;
        loop {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let docid = base + whole((noise >> 33) % circle);
            if self.db.one(sql!("SELECT 1 FROM messages WHERE docid = ?1"), [docid], |_| Ok(()))?.is_none() {
                return Ok(docid);
            }
            circle = (circle + circle / 4).min(1 << 31);
        }
    }

    /// Removes a message that has no place left, with its body and index entry; mail that waits to be sent
    /// stays.
    pub(super) fn forget_unplaced(&mut self, message: MessageId) -> Result<()> {
        let held = self.db.one(
            sql!(
                "SELECT EXISTS (SELECT 1 FROM placements WHERE message_id = ?1)
                      OR EXISTS (SELECT 1 FROM outbox WHERE message_id = ?1)"
            ),
            [message],
            |row| row.get(0),
        )?;
        if held == Some(true) { Ok(()) } else { self.forget(message) }
    }

    pub(super) fn forget(&mut self, message: MessageId) -> Result<()> {
        let row = self.db.one(
            sql!("SELECT docid, indexed, thread_id FROM messages WHERE id = ?1"),
            [message],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?)),
        )?;
        let Some((docid, indexed, thread)) = row else { return Ok(()) };
        if indexed > 0 {
            self.db.run(sql!("DELETE FROM search WHERE rowid = ?1"), [docid])?;
        }
        self.body_is_lost(message)?;
        self.db.run(sql!("DELETE FROM messages WHERE id = ?1"), [message])?;
        self.touched.message(message);
        self.drop_empty_thread(thread)
    }
}

/// The state of a body by its column.
pub(super) fn body_state(column: i64) -> BodyState {
    match column {
        HEAD => BodyState::Head,
        WHOLE => BodyState::Whole,
        3 => BodyState::Evicted,
        _ => BodyState::None,
    }
}

/// The size that proves sameness: as the server told it, or where there is no server side, of the bytes.
pub(super) fn size_of(incoming: &Incoming) -> i64 {
    match (&incoming.body, incoming.uid) {
        // A LIST size may lie (RFC 1939 leaves it vague).
        (Some(body), None) => whole(body.size),
        _ => whole(incoming.size),
    }
}

/// Where a message sorts. Its Date counts only where the mailbox was copied from elsewhere: a Date in the
/// future or before there was mail would pin it to an end of the list.
fn received(incoming: &Incoming, now: i64) -> i64 {
    let date = incoming.envelope.date.filter(|date| *date >= EPOCH);
    match (incoming.received, date) {
        (0, Some(date)) => date.min(now),
        (0, None) => now,
        (at, Some(date)) if date < at - MIGRATED => date,
        (at, _) => at,
    }
}

pub(super) fn clip_msgid(msgid: &str) -> &str {
    if msgid.len() > MSGID { "" } else { msgid }
}

pub(super) fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(FIELD)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_counts_only_in_a_copied_mailbox() {
        let envelope = |date| Envelope { date, ..Envelope::default() };
        let at = |received_at, date| {
            let incoming = Incoming {
                received: received_at,
                envelope: envelope(date),
                ..super::super::testing::blank()
            };
            received(&incoming, 2_000_000_000)
        };
        assert_eq!(at(1_700_000_000, Some(1_700_000_100)), 1_700_000_000);
        assert_eq!(at(1_700_000_000, Some(1_500_000_000)), 1_500_000_000, "copied from elsewhere");
        assert_eq!(at(1_700_000_000, Some(0)), 1_700_000_000, "a broken clock");
        assert_eq!(at(1_700_000_000, Some(4_000_000_000)), 1_700_000_000, "the future");
        assert_eq!(at(0, Some(1_600_000_000)), 1_600_000_000);
        assert_eq!(at(0, Some(4_000_000_000)), 2_000_000_000);
        assert_eq!(at(0, None), 2_000_000_000);
    }

    #[test]
    fn fields_are_cut_between_characters() {
        assert_eq!(clip("ä".repeat(3000).as_str()).len(), FIELD);
        assert_eq!(clip("short"), "short");
        assert_eq!(clip_msgid(&"x".repeat(999)), "");
    }
}
