//! Reading raw mail back, chunk by chunk, and finding the mail whose body is not here yet.

use sha2::{Digest, Sha256};

use super::batch::WantedBody;
use super::db::{sql, unsigned};
use super::fault::damaged;
use super::keep::Keep;
use super::list::rows;
use super::messages::body_state;
use super::pack::unpack;
use super::reader::Reader;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, BodyState, MessageId};

impl Reader {
    /// Hands the raw bytes of a mail over in pieces of at most 1 MiB; says how much of it is here. Nothing is
    /// handed over unless it is whole or its head.
    pub fn read_body(
        &self,
        message: MessageId,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<BodyState> {
        let (state, chunks) = self
            .0
            .one(
                sql!("SELECT body_state, (SELECT count(*) FROM bodies WHERE message_id = ?1) FROM messages WHERE id = ?1"),
                [message],
                |row| Ok((body_state(row.get(0)?), row.get::<_, i64>(1)?)),
            )?
            .ok_or_else(|| Error::new(Kind::Gone, "the mail is not in the store any more"))?;
        if matches!(state, BodyState::Whole | BodyState::Head) {
            for seq in 0..chunks {
                // Nothing stays open while the bytes are looked at.
                let chunk = self.0.one(
                    sql!("SELECT packed, raw FROM bodies WHERE message_id = ?1 AND seq = ?2"),
                    (message, seq),
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                let (packed, raw) = chunk.ok_or_else(|| damaged("a piece of a mail is missing"))?;
                take(&unpack(packed, raw)?)?;
            }
        }
        Ok(state)
    }

    /// The raw bytes of a mail, at most the first `limit`; empty while they are not here.
    pub fn raw(&self, message: MessageId, limit: u64) -> Result<Vec<u8>> {
        let mut raw = Vec::new();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let end = Error::new(Kind::Interrupted, "enough was read");
        let read = self.read_body(message, &mut |bytes| {
            let room = limit - raw.len();
            raw.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if raw.len() < limit { Ok(()) } else { Err(Error::new(Kind::Interrupted, "enough was read")) }
        });
        match read {
            Err(e) if e.kind() != end.kind() => Err(e),
            _ => Ok(raw),
        }
    }

    /// Reads a whole mail back from the disk and hashes it (promise P3): compare with what was received.
    pub fn body_hash(&self, message: MessageId) -> Result<[u8; 32]> {
        let mut hash = Sha256::new();
        let state = self.read_body(message, &mut |bytes| {
            hash.update(bytes);
            Ok(())
        })?;
        if state != BodyState::Whole {
            return Err(Error::new(Kind::Gone, "the whole mail is not here"));
        }
        Ok(hash.finalize().into())
    }

    /// The SHA-256 that was recorded when a mail was stored; `None` while it is not whole here.
    pub fn recorded_hash(&self, message: MessageId) -> Result<Option<[u8; 32]>> {
        let hash = self.0.one(
            sql!("SELECT sha256 FROM messages WHERE id = ?1 AND body_state = 2"),
            [message],
            |row| row.get::<_, Vec<u8>>(0),
        )?;
        hash.map(|bytes| super::reader::hash(&bytes)).transpose()
    }

    /// Whether a mail that is held whole reads back as it was received (promise P3).
    pub fn is_intact(&self, message: MessageId) -> Result<bool> {
        Ok(match self.recorded_hash(message)? {
            Some(recorded) => self.body_hash(message)? == recorded,
            None => false,
        })
    }

    /// How many mails have no body here that is to be kept.
    pub fn wanted_count(&self, account: AccountId, keep: Keep) -> Result<u64> {
        let count = self.0.one(
            sql!("SELECT count(*) FROM messages WHERE account_id = ?1 AND body_state = 0 AND received >= ?2 AND size <= ?3"),
            (account, keep.since, keep.largest),
            |row| row.get(0),
        )?;
        Ok(unsigned(count.unwrap_or(0)))
    }

    /// When the oldest of the newest `count` mails of an account's inbox came; the beginning of time where it
    /// has fewer.
    pub fn newest_since(&self, account: AccountId, count: usize) -> Result<i64> {
        let inbox = self.0.one(
            sql!("SELECT id FROM folders WHERE account_id = ?1 AND role = 'inbox' AND role <> ''"),
            [account],
            |row| row.get::<_, i64>(0),
        )?;
        let since = self.0.one(
            sql!(
                "SELECT sort_at FROM placements WHERE folder_id = ?1 AND hidden = 0
                  ORDER BY sort_at DESC LIMIT 1 OFFSET ?2"
            ),
            (inbox, rows(count.saturating_sub(1))),
            |row| row.get(0),
        )?;
        Ok(since.unwrap_or(i64::MIN))
    }

    /// Mail whose body is not here, is to be kept and can be fetched, newest first; `after` is the key of the last one that
    /// was returned before.
    pub fn wanted_bodies(
        &self,
        account: AccountId,
        keep: Keep,
        after: Option<(i64, MessageId)>,
        limit: usize,
    ) -> Result<Vec<WantedBody>> {
        let mut from = after.unwrap_or((i64::MAX, MessageId(i64::MAX)));
        let mut wanted = Vec::new();
        self.0.snapshot(|| {
            // Some have no UID to be fetched by: those are passed over.
            while wanted.len() < limit {
                let step = limit - wanted.len();
                let next = self.0.all(
                    sql!(
                        "SELECT id, size, received FROM messages WHERE account_id = ?1 AND body_state = 0
                          AND (received, id) < (?2, ?3) AND received >= ?5 AND size <= ?6
                          ORDER BY received DESC, id DESC LIMIT ?4"
                    ),
                    (account, from.0, from.1, rows(step), keep.since, keep.largest),
                    |row| Ok((row.get(0)?, unsigned(row.get(1)?), row.get(2)?)),
                )?;
                for &(message, size, received) in &next {
                    from = (received, message);
                    wanted.extend(self.wanted(message, size, received)?);
                }
                if next.len() < step {
                    break;
                }
            }
            Ok(())
        })?;
        Ok(wanted)
    }

    /// How to fetch the body of this mail; `None` when it is here, or on no server.
    pub fn wanted_body(&self, message: MessageId) -> Result<Option<WantedBody>> {
        let row = self.0.one(
            sql!("SELECT size, received FROM messages WHERE id = ?1 AND body_state IN (0, 1, 3)"),
            [message],
            |row| Ok((unsigned(row.get(0)?), row.get(1)?)),
        )?;
        row.map_or(Ok(None), |(size, received)| self.wanted(message, size, received))
    }

    fn wanted(&self, message: MessageId, size: u64, received: i64) -> Result<Option<WantedBody>> {
        self.0.one(
            sql!(
                "SELECT folder_id, uid FROM placements WHERE message_id = ?1 AND uid IS NOT NULL
                  ORDER BY hidden, id LIMIT 1"
            ),
            [message],
            |row| {
                Ok(WantedBody {
                    message,
                    folder: row.get(0)?,
                    uid: row.get(1)?,
                    size,
                    key: (received, message),
                })
            },
        )
    }
}
