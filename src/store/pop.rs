//! POP3: which UIDLs were seen, and which mail may be deleted on the server.

use std::collections::HashSet;

use super::batch::Incoming;
use super::db::sql;
use super::messages::size_of;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, MessageId};

/// Complete listings in a row without it, and the time they must span, before a seen row is pruned (P2).
const ABSENCES: i64 = 5;
const ABSENT_FOR: i64 = 60 * 86_400;

/// A row of `pop_seen`.
struct Seen {
    uidl: String,
    dup: i64,
    held: bool,
    missing: i64,
    missing_since: i64,
    want: String,
}

impl Tx<'_> {
    /// The message that came under this UIDL; `MessageId(0)`: it is deleted here. `None`: a mail not seen.
    pub(super) fn seen(
        &self,
        account: AccountId,
        uidl: &str,
        incoming: &Incoming,
    ) -> Result<Option<MessageId>> {
        let row = self.db.one(
            sql!("SELECT message_id FROM pop_seen WHERE account_id = ?1 AND uidl = ?2 AND size = ?3 AND head_hash = ?4"),
            (account, uidl, size_of(incoming), &incoming.envelope.head_hash[..]),
            |row| row.get::<_, Option<MessageId>>(0),
        )?;
        Ok(row.map(|message| message.unwrap_or(MessageId(0))))
    }

    /// In the transaction that stores the mail (promise P3).
    pub(super) fn record_seen(
        &self,
        account: AccountId,
        uidl: &str,
        message: MessageId,
        incoming: &Incoming,
    ) -> Result<()> {
        self.db.run(
            sql!("INSERT INTO pop_seen (account_id, uidl, dup, message_id, size, head_hash, seen_at)
                  SELECT ?1, ?2, coalesce((SELECT max(dup) + 1 FROM pop_seen WHERE account_id = ?1 AND uidl = ?2), 0), ?3, ?4, ?5, ?6"),
            (account, uidl, message, size_of(incoming), &incoming.envelope.head_hash[..], self.now),
        )?;
        Ok(())
    }

    /// One complete listing. What was told to go and is listed all the same is to be told again; what is
    /// absent is counted, and forgotten only after long. An empty listing proves nothing (P2).
    pub(super) fn listing(&self, account: AccountId, uidls: &[String], complete: bool) -> Result<()> {
        if uidls.is_empty() {
            return Ok(());
        }
        let listed: HashSet<&str> = uidls.iter().map(String::as_str).collect();
        let rows = self.db.all(
            sql!(
                "SELECT uidl, dup, message_id IS NOT NULL, missing, missing_since, want FROM pop_seen
                  WHERE account_id = ?1"
            ),
            [account],
            |row| {
                Ok(Seen {
                    uidl: row.get(0)?,
                    dup: row.get(1)?,
                    held: row.get(2)?,
                    missing: row.get(3)?,
                    missing_since: row.get(4)?,
                    want: row.get(5)?,
                })
            },
        )?;
        for row in rows {
            let is_told = row.want == "told";
            if listed.contains(row.uidl.as_str()) {
                if row.missing > 0 || is_told {
                    self.db.run(
                        sql!("UPDATE pop_seen SET missing = 0, missing_since = 0,
                                want = CASE WHEN want <> 'told' THEN want WHEN message_id IS NULL THEN 'delete' ELSE 'keep' END
                              WHERE account_id = ?1 AND uidl = ?2 AND dup = ?3"),
                        (account, &row.uidl, row.dup),
                    )?;
                }
            } else if !complete {
                continue;
            } else if !row.held && row.missing >= ABSENCES && self.now - row.missing_since > ABSENT_FOR {
                self.db.run(
                    sql!("DELETE FROM pop_seen WHERE account_id = ?1 AND uidl = ?2 AND dup = ?3"),
                    (account, &row.uidl, row.dup),
                )?;
            } else if row.missing < ABSENCES || is_told {
                // Told and not listed: the deletion is proven (P3), nothing more is wanted.
                self.db.run(
                    sql!("UPDATE pop_seen SET missing = missing + 1, missing_since = iif(missing = 0, ?4, missing_since),
                            want = iif(want = 'told', 'keep', want), cleanup = 0
                          WHERE account_id = ?1 AND uidl = ?2 AND dup = ?3"),
                    (account, &row.uidl, row.dup, self.now),
                )?;
            }
        }
        Ok(())
    }

    /// DELE was sent for these, QUIT not yet answered.
    pub(super) fn told(&self, account: AccountId, uidls: &[String]) -> Result<()> {
        for uidl in uidls {
            self.db.run(
                sql!("UPDATE pop_seen SET want = 'told' WHERE account_id = ?1 AND uidl = ?2"),
                (account, uidl),
            )?;
        }
        Ok(())
    }

    /// QUIT was not +OK: every deletion that was told is to be told again.
    pub(super) fn untold(&self, account: AccountId) -> Result<()> {
        self.db.run(
            sql!(
                "UPDATE pop_seen SET want = iif(message_id IS NULL, 'delete', 'keep')
                  WHERE account_id = ?1 AND want = 'told'"
            ),
            [account],
        )?;
        Ok(())
    }

    /// The last visible copy of a message is deleted here for good: its UIDLs are to go from the server.
    pub(super) fn want_deleted(&self, message: MessageId) -> Result<()> {
        self.db.run(
            sql!("UPDATE pop_seen SET want = 'delete', message_id = NULL WHERE message_id = ?1"),
            [message],
        )?;
        Ok(())
    }
}
