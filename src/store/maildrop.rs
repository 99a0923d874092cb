//! POP3: what a server still holds, as it was listed last, and how it grew (promise P14).

use super::batch::Maildrop;
use super::db::{sql, unsigned, whole};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, MessageId};

/// The growth is told over at least this time, in seconds.
const WEEK: i64 = 7 * DAY;
/// A listing that tells nothing new is written down as often as this.
const DAY: i64 = 86_400;

/// A maildrop as it was when it was listed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaildropRow {
    /// What it held.
    pub holds: Maildrop,
    /// When that was, Unix time.
    pub at: i64,
    /// An earlier time, a week or two before it where it was listed then already.
    pub then_at: i64,
    /// What it held then, in bytes.
    pub then_bytes: u64,
}

/// Where a mail lives that came from a maildrop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lives {
    /// Only here.
    Here,
    /// Here and on the server.
    HereAndThere,
    /// Here, and on the server until about this time (Unix time).
    HereAndThereUntil(i64),
}

impl MaildropRow {
    /// A maildrop of unknown room that is larger than this may soon bounce mail, in bytes (promise P14).
    pub const LARGE: u64 = 500_000_000;

    /// Whether the server may soon have no room for more.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.holds.bytes > Self::LARGE
    }

    /// Bytes that came to it, or went from it, in a week; 0 while that is not known.
    #[must_use]
    pub fn weekly(&self) -> i64 {
        let time = self.at - self.then_at;
        if time < DAY {
            return 0;
        }
        let more = whole(self.holds.bytes) - whole(self.then_bytes);
        more.saturating_mul(WEEK) / time
    }
}

impl Tx<'_> {
    pub(super) fn maildrop(&mut self, account: AccountId, drop: Maildrop) -> Result<()> {
        let changed = self.db.run(
            sql!(
                "INSERT INTO maildrops (account_id, at, messages, bytes, then_at, then_bytes, login_delay, expires, stays)
                  VALUES (?1, ?2, ?3, ?4, ?2, ?4, ?5, ?6, ?9)
                  ON CONFLICT (account_id) DO UPDATE SET
                    then_bytes = iif(excluded.at - then_at > 2 * ?7, bytes, then_bytes),
                    then_at = iif(excluded.at - then_at > 2 * ?7, at, then_at),
                    at = excluded.at, messages = excluded.messages, bytes = excluded.bytes,
                    login_delay = excluded.login_delay, expires = excluded.expires, stays = excluded.stays
                  WHERE excluded.at - at > ?8 OR (messages, bytes, login_delay) <> (excluded.messages, excluded.bytes, excluded.login_delay)
                    OR expires IS NOT excluded.expires OR stays IS NOT excluded.stays"
            ),
            (
                account,
                self.now,
                whole(drop.messages),
                whole(drop.bytes),
                whole(drop.login_delay),
                drop.expires,
                WEEK,
                DAY,
                drop.stays,
            ),
        )?;
        if changed > 0 {
            self.touched.accounts.insert(account);
        }
        Ok(())
    }
}

impl Reader {
    /// What the server of an account holds; `None`: it was never listed.
    pub fn maildrop(&self, account: AccountId) -> Result<Option<MaildropRow>> {
        self.0.one(
            sql!("SELECT messages, bytes, login_delay, expires, at, then_at, then_bytes, stays FROM maildrops WHERE account_id = ?1"),
            [account],
            |row| {
                Ok(MaildropRow {
                    holds: Maildrop {
                        messages: unsigned(row.get(0)?),
                        bytes: unsigned(row.get(1)?),
                        login_delay: unsigned(row.get(2)?),
                        expires: row.get(3)?,
                        stays: row.get(7)?,
                    },
                    at: row.get(4)?,
                    then_at: row.get(5)?,
                    then_bytes: unsigned(row.get(6)?),
                })
            },
        )
    }

    /// When the oldest mail came that is here and was listed on the server; `None`: none is.
    pub fn oldest_there(&self, account: AccountId) -> Result<Option<i64>> {
        let oldest = self.0.one(
            sql!(
                "SELECT min(m.received) FROM pop_seen s JOIN messages m ON m.id = s.message_id
                  WHERE s.account_id = ?1 AND s.missing = 0"
            ),
            [account],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(oldest.flatten())
    }

    /// Where a mail lives, as the server was listed last; `None`: its account has no maildrop.
    pub fn lives(&self, message: MessageId) -> Result<Option<Lives>> {
        let drop = self.0.one(
            sql!("SELECT d.stays FROM messages m JOIN maildrops d ON d.account_id = m.account_id WHERE m.id = ?1"),
            [message],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        let Some(stays) = drop else { return Ok(None) };
        let there = self.0.one(
            sql!("SELECT seen_at FROM pop_seen WHERE message_id = ?1 AND missing = 0 AND want <> 'told' LIMIT 1"),
            [message],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(Some(match (there, stays) {
            (None, _) => Lives::Here,
            (Some(_), None) => Lives::HereAndThere,
            (Some(seen), Some(days)) => {
                Lives::HereAndThereUntil(seen.saturating_add(days.saturating_mul(DAY)))
            }
        }))
    }
}
