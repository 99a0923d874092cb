//! POP3: mail that is here and that the server lists under new names (promise P7): held back until the user says.

use std::collections::HashMap;

use super::db::sql;
use super::reader::{Reader, hash};
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId};

/// A name that is new, and the row of `pop_seen` that holds its mail: its name and its number among twins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName {
    /// As it is listed now.
    pub uidl: String,
    /// As it was known.
    pub was: String,
    /// Which of several of that name.
    pub dup: i64,
}

impl Reader {
    /// How many mails that are here were listed until now and are missing in the last listing.
    pub fn just_missing(&self, account: AccountId) -> Result<u64> {
        let count = self.0.one(
            sql!("SELECT count(*) FROM pop_seen WHERE account_id = ?1 AND missing = 1 AND message_id IS NOT NULL"),
            [account],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(super::db::unsigned(count.unwrap_or(0)))
    }

    /// The mails of an account that are here and are not listed any more, by the hash of their header.
    pub fn missing_heads(&self, account: AccountId) -> Result<HashMap<[u8; 32], (String, i64)>> {
        let rows = self.0.all(
            sql!(
                "SELECT head_hash, uidl, dup FROM pop_seen
                  WHERE account_id = ?1 AND missing > 0 AND message_id IS NOT NULL"
            ),
            [account],
            |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?)),
        )?;
        rows.into_iter().map(|(head, uidl, dup)| Ok((hash(&head)?, (uidl, dup)))).collect()
    }
}

impl Tx<'_> {
    /// The server lists mail that is here under new names: neither fetched nor deleted there before the user says.
    pub(super) fn hold_new_names(&mut self, account: AccountId, names: &[NewName]) -> Result<()> {
        for NewName { uidl, was, dup } in names {
            self.db.run(
                sql!(
                    "INSERT OR IGNORE INTO pop_renamed (account_id, uidl, was, dup) VALUES (?1, ?2, ?3, ?4)"
                ),
                (account, uidl, was, dup),
            )?;
        }
        let count = self.new_names(account)?.len();
        if count > 0 {
            let what = if count == 1 { "1 mail".to_owned() } else { format!("{count} mails") };
            let why =
                format!("{what} that are here have new names on the server, as after a move of the provider");
            self.db.run(
                sql!(
                    "UPDATE folders SET parked = ?2, parked_at = iif(parked_at = 0, ?3, parked_at)
                      WHERE account_id = ?1 AND role = 'inbox' AND role <> ''"
                ),
                (account, why, self.now),
            )?;
            self.touched.accounts.insert(account);
            self.touched.ops.insert(account);
        }
        Ok(())
    }

    fn new_names(&self, account: AccountId) -> Result<Vec<NewName>> {
        self.db.all(sql!("SELECT uidl, was, dup FROM pop_renamed WHERE account_id = ?1"), [account], |row| {
            Ok(NewName { uidl: row.get(0)?, was: row.get(1)?, dup: row.get(2)? })
        })
    }

    /// Whether what is held back in this folder is new names.
    pub(super) fn holds_new_names(&self, account: AccountId, folder: FolderId) -> Result<bool> {
        let found = self.db.one(
            sql!(
                "SELECT 1 FROM pop_renamed r JOIN folders f ON f.account_id = r.account_id
                  WHERE r.account_id = ?1 AND f.id = ?2 AND f.role = 'inbox' LIMIT 1"
            ),
            (account, folder),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The new names are those of the mail that is here: it goes by them from now on. How many.
    pub(super) fn take_new_names(&mut self, account: AccountId) -> Result<u64> {
        let mut count = 0;
        for NewName { uidl, was, dup } in self.new_names(account)? {
            let taken = self.db.one(
                sql!("SELECT 1 FROM pop_seen WHERE account_id = ?1 AND uidl = ?2 LIMIT 1"),
                (account, &uidl),
                |_| Ok(()),
            )?;
            if taken.is_none() {
                count += self.db.run(
                    sql!(
                        "UPDATE pop_seen SET uidl = ?4, dup = 0, missing = 0, missing_since = 0
                          WHERE account_id = ?1 AND uidl = ?2 AND dup = ?3"
                    ),
                    (account, was, dup, uidl),
                )? as u64;
            }
        }
        self.forget_new_names(account)?;
        Ok(count)
    }

    /// The new names mean nothing: what they stand for is fetched as new mail. How many.
    pub(super) fn forget_new_names(&mut self, account: AccountId) -> Result<u64> {
        let count = self.db.run(sql!("DELETE FROM pop_renamed WHERE account_id = ?1"), [account])?;
        self.db.run(
            sql!(
                "UPDATE folders SET parked = '', parked_at = 0
                  WHERE account_id = ?1 AND role = 'inbox' AND role <> ''"
            ),
            [account],
        )?;
        self.touched.accounts.insert(account);
        self.touched.ops.insert(account);
        Ok(count as u64)
    }
}
