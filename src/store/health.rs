//! How each account fares, over processes and restarts (promises A2, A7).

use super::about;
use super::batch::Fares;
use super::db::{sql, unsigned, whole};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{About, AccountId};
use crate::text::Clean;

/// How an account fares, as its engine told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its row.
    pub id: AccountId,
    /// Its name in the configuration.
    pub name: String,
    /// The configuration does not name it any more.
    pub is_parked: bool,
    /// Whether its mail lives in the store and nowhere else: there is nothing to be in step with.
    pub is_alone: bool,
    /// `in step`, `offline`, `paused`; empty: never told.
    pub state: String,
    /// What is wrong, in words, with what to do about it; empty: nothing.
    pub trouble: Clean,
    /// When that was told, Unix time.
    pub told_at: i64,
    /// When all of it was last in step, Unix time; 0: never.
    pub in_step_at: i64,
    /// Bytes of mail received, ever.
    pub bytes_in: u64,
    /// Bytes of mail put on the server, ever.
    pub bytes_out: u64,
    /// What the server told of itself.
    pub about: About,
}

impl Health {
    /// Whether nothing goes on before the user does something.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state == PAUSED && !self.is_parked
    }
}

/// `accounts.state` of one that waits for the user.
const PAUSED: &str = "paused";

impl Reader {
    /// How every account fares, in the order in which they came.
    pub fn health(&self) -> Result<Vec<Health>> {
        self.0.all(
            sql!("SELECT id, name, state, trouble, told_at, in_step_at, bytes_in, bytes_out, parked <> 0, protocol = 'local', server, quota_used, quota_limit FROM accounts ORDER BY id"),
            [],
            |row| {
                Ok(Health {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    is_alone: row.get(9)?,
                    state: row.get(2)?,
                    trouble: Clean::line(&row.get::<_, String>(3)?),
                    told_at: row.get(4)?,
                    in_step_at: row.get(5)?,
                    bytes_in: unsigned(row.get(6)?),
                    bytes_out: unsigned(row.get(7)?),
                    is_parked: row.get(8)?,
                    about: about::read(row, 10)?,
                })
            },
        )
    }
}

impl Tx<'_> {
    /// An engine tells how its account fares.
    pub(super) fn fares(&mut self, account: AccountId, fares: &Fares) -> Result<()> {
        if let Some((state, trouble)) = &fares.state {
            self.db.run(
                sql!("UPDATE accounts SET state = ?2, trouble = ?3, told_at = ?4 WHERE id = ?1"),
                (account, state, trouble, self.now),
            )?;
        }
        self.db.run(
            sql!(
                "UPDATE accounts SET in_step_at = iif(?2, ?3, in_step_at), bytes_in = bytes_in + ?4,
                    bytes_out = bytes_out + ?5 WHERE id = ?1"
            ),
            (account, fares.in_step, self.now, whole(fares.bytes_in), whole(fares.bytes_out)),
        )?;
        self.touched.accounts.insert(account);
        Ok(())
    }
}
