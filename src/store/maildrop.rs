//! POP3: what a server still holds, as it was listed last, and how it grew (promise P14).

use super::batch::Maildrop;
use super::db::{sql, unsigned, whole};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::AccountId;

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
    /// When the oldest mail came that is here and was listed; `None`: none is.
    pub oldest: Option<i64>,
}

impl Tx<'_> {
    pub(super) fn maildrop(&mut self, account: AccountId, drop: Maildrop) -> Result<()> {
        let changed = self.db.run(
            sql!(
                "INSERT INTO maildrops (account_id, at, messages, bytes, then_at, then_bytes, login_delay, expires)
                  VALUES (?1, ?2, ?3, ?4, ?2, ?4, ?5, ?6)
                  ON CONFLICT (account_id) DO UPDATE SET
                    then_bytes = iif(excluded.at - then_at > 2 * ?7, bytes, then_bytes),
                    then_at = iif(excluded.at - then_at > 2 * ?7, at, then_at),
                    at = excluded.at, messages = excluded.messages, bytes = excluded.bytes,
                    login_delay = excluded.login_delay, expires = excluded.expires
                  WHERE excluded.at - at > ?8 OR (messages, bytes, login_delay) <> (excluded.messages, excluded.bytes, excluded.login_delay)
                    OR expires IS NOT excluded.expires"
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
        let row = self.0.one(
            sql!("SELECT messages, bytes, login_delay, expires, at, then_at, then_bytes FROM maildrops WHERE account_id = ?1"),
            [account],
            |row| {
                Ok(MaildropRow {
                    holds: Maildrop {
                        messages: unsigned(row.get(0)?),
                        bytes: unsigned(row.get(1)?),
                        login_delay: unsigned(row.get(2)?),
                        expires: row.get(3)?,
                    },
                    at: row.get(4)?,
                    then_at: row.get(5)?,
                    then_bytes: unsigned(row.get(6)?),
                    oldest: None,
                })
            },
        )?;
        let Some(row) = row else { return Ok(None) };
        let oldest = self.0.one(
            sql!(
                "SELECT min(m.received) FROM pop_seen s JOIN messages m ON m.id = s.message_id
                  WHERE s.account_id = ?1 AND s.missing = 0"
            ),
            [account],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(Some(MaildropRow { oldest: oldest.flatten(), ..row }))
    }
}
