//! What an engine asks of a letter box's ledger: which names were taken before, and which mail POP3 may delete.

use std::collections::HashSet;

use super::db::{sql, unsigned};
use super::reader::Reader;
use crate::config::Leave;
use crate::error::Result;
use crate::model::{AccountId, MessageId};

/// When POP3 mail may be deleted on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PopPolicy {
    /// What is done with mail that is safely here.
    pub leave: Leave,
    /// Whether mail that was deleted here for good goes there too.
    pub when_deleted_here: bool,
}

impl Reader {
    /// The name on the server of a mail of which only the header is here, and the hash of its header where others
    /// have the same name; `None`: it was never there.
    pub fn rest_of(&self, message: MessageId) -> Result<Option<(String, Option<[u8; 32]>)>> {
        let row = self.0.one(
            sql!(
                "SELECT s.uidl, s.head_hash, EXISTS (SELECT 1 FROM pop_seen d
                    WHERE d.account_id = s.account_id AND d.uidl = s.uidl AND d.dup <> s.dup)
                  FROM pop_seen s JOIN messages m ON m.id = s.message_id
                  WHERE s.message_id = ?1 AND m.body_state = 1 LIMIT 1"
            ),
            [message],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, bool>(2)?)),
        )?;
        let Some((uidl, head, is_twin)) = row else { return Ok(None) };
        let head = if is_twin { Some(super::reader::hash(&head)?) } else { None };
        Ok(Some((uidl, head)))
    }

    /// Whether the mail with this name and this header was taken before.
    pub fn has_twin(&self, account: AccountId, uidl: &str, head: &[u8; 32]) -> Result<bool> {
        let found = self.0.one(
            sql!("SELECT 1 FROM pop_seen WHERE account_id = ?1 AND uidl = ?2 AND head_hash = ?3 LIMIT 1"),
            (account, uidl, &head[..]),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Whether a mail with this name was taken before, deleted here or not (promise P2).
    pub fn has_uidl(&self, account: AccountId, uidl: &str) -> Result<bool> {
        let found = self.0.one(
            sql!("SELECT 1 FROM pop_seen WHERE account_id = ?1 AND uidl = ?2 LIMIT 1"),
            (account, uidl),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Bytes of the mail that has this name there, as far as it is known.
    pub fn seen_size(&self, account: AccountId, uidl: &str) -> Result<u64> {
        let size = self.0.one(
            sql!("SELECT size FROM pop_seen WHERE account_id = ?1 AND uidl = ?2 ORDER BY dup LIMIT 1"),
            (account, uidl),
            |row| row.get(0),
        )?;
        Ok(unsigned(size.unwrap_or(0)))
    }

    /// Every UIDL that was taken before, mail deleted here included (promise P2).
    pub fn uidls(&self, account: AccountId) -> Result<HashSet<String>> {
        let uidls =
            self.0.all(
                sql!("SELECT uidl FROM pop_seen WHERE account_id = ?1 UNION ALL SELECT uidl FROM pop_renamed WHERE account_id = ?1"),
                [account],
                |row| row.get::<_, String>(0),
            )?;
        Ok(uidls.into_iter().collect())
    }

    /// The UIDLs whose mail may be deleted on the server now, oldest first: under the policy or as the user asked for
    /// it, safely here or deleted here for good, not told already, listed last time, and of one mail only (promises P3, P7).
    /// With each the mail that is still here, to be read back first.
    pub fn pop_wants(
        &self,
        account: AccountId,
        policy: PopPolicy,
        now: i64,
    ) -> Result<Vec<(String, Option<MessageId>)>> {
        // The time before which mail that is here must have been stored.
        let stored_by = match policy.leave {
            Leave::Forever => i64::MIN,
            Leave::DeleteAfterDownload => i64::MAX,
            Leave::Days(days) => now - i64::from(days) * 86_400,
        };
        self.0.all(
            sql!("SELECT s.uidl, s.message_id FROM pop_seen s WHERE s.account_id = ?1 AND s.missing = 0
                    AND ((s.want = 'delete' AND (?2 OR s.cleanup = 1)) OR (s.want = 'keep' AND (s.seen_at <= ?3 OR s.cleanup = 1)
                         AND (SELECT body_state FROM messages WHERE id = s.message_id) = 2))
                    AND NOT EXISTS (SELECT 1 FROM pop_seen d WHERE d.account_id = ?1 AND d.uidl = s.uidl AND d.dup <> s.dup)
                  ORDER BY s.seen_at, s.uidl"),
            (account, policy.when_deleted_here, stored_by),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}
