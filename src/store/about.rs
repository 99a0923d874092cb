//! What servers tell of themselves.

use rusqlite::Row;

use super::db::{sql, unsigned, whole};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{About, AccountId, Quota};
use crate::text::Clean;

/// Of three columns from this one on.
pub(super) fn read(row: &Row<'_>, at: usize) -> rusqlite::Result<About> {
    let (used, limit): (Option<i64>, Option<i64>) = (row.get(at + 1)?, row.get(at + 2)?);
    let quota = used.zip(limit).map(|(used, limit)| Quota { used: unsigned(used), limit: unsigned(limit) });
    Ok(About { server: Clean::line(&row.get::<_, String>(at)?), quota })
}

impl Reader {
    /// What the server of an account told of itself when its folders were listed last.
    pub fn about(&self, account: AccountId) -> Result<About> {
        let found = self.0.one(
            sql!("SELECT server, quota_used, quota_limit FROM accounts WHERE id = ?1"),
            [account],
            |row| read(row, 0),
        )?;
        Ok(found.unwrap_or_default())
    }
}

impl Tx<'_> {
    pub(super) fn told_about(&mut self, account: AccountId, about: &About) -> Result<()> {
        let (used, limit) = (about.quota.map(|q| whole(q.used)), about.quota.map(|q| whole(q.limit)));
        self.db.run(
            sql!("UPDATE accounts SET server = ?2, quota_used = ?3, quota_limit = ?4 WHERE id = ?1"),
            (account, about.server.as_str(), used, limit),
        )?;
        self.touched.accounts.insert(account);
        Ok(())
    }
}
