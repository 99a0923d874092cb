//! An account whose server is gone: its mail stays here, and from now on this machine holds the truth of it
//! (promise P15).

use super::db::{sql, unsigned};
use super::handle::Store;
use super::inbox::{Answer, Job};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, OpId, Role};

impl Store {
    /// Takes an account for one without a server. What was done here and its server has not heard stays done; mail of
    /// which not all is here stays as much as there is. `key`: whose mail it is, as the configuration says.
    ///
    /// # Errors
    /// [`Kind::Conflict`] where mail is on its way to or from another account.
    pub fn freeze_account(&self, account: AccountId, key: &str) -> Result<()> {
        match self.ask(Job::Freeze(account, key.to_owned()))? {
            Answer::Done => Ok(()),
            _ => Err(Error::new(Kind::Bug, "the store mixed up its answers")),
        }
    }
}

impl Reader {
    /// Mails of an account of which not all is here.
    pub fn incomplete(&self, account: AccountId) -> Result<u64> {
        let count = self.0.one(
            sql!("SELECT count(*) FROM messages WHERE account_id = ?1 AND body_state NOT IN (2, 4)"),
            [account],
            |row| row.get(0),
        )?;
        Ok(unsigned(count.unwrap_or(0)))
    }
}

impl Tx<'_> {
    pub(super) fn freeze(&mut self, account: AccountId, key: &str) -> Result<()> {
        self.apart(account)?;
        let mut ops: Vec<OpId> =
            self.db.all(sql!("SELECT id FROM ops WHERE account_id = ?1"), [account], |row| row.get(0))?;
        ops.sort_unstable();
        // In the order in which they were done: as if the server had said yes to each, and told nothing.
        for op in ops {
            self.op_done(op, &[], None)?;
        }
        let folders: Vec<FolderId> =
            self.db.all(sql!("SELECT id FROM folders WHERE account_id = ?1"), [account], |row| row.get(0))?;
        for folder in folders {
            self.db.run(
                sql!(
                    "UPDATE placements SET uid = NULL, base = flags, stale = 0, hidden = hidden & 2
                      WHERE folder_id = ?1"
                ),
                [folder],
            )?;
            self.touched.folders.insert(folder);
        }
        let all = [
            sql!(
                "UPDATE folders SET uidvalidity = 0, uidnext = 0, highestmodseq = 0, backfill_uid = 0, parked = '',
                    parked_at = 0, leaving = 0 WHERE account_id = ?1"
            ),
            sql!("UPDATE pop_seen SET want = 'keep' WHERE account_id = ?1 AND want <> 'keep'"),
            sql!("UPDATE pop_seen SET cleanup = 0 WHERE account_id = ?1 AND cleanup = 1"),
        ];
        for statement in all {
            self.db.run(statement, [account])?;
        }
        for role in [Role::Drafts, Role::Sent, Role::Archive, Role::Junk, Role::Trash] {
            self.place_for(account, role)?;
        }
        self.db.run(
            sql!(
                "UPDATE accounts SET owner = 'here', protocol = 'local', remote_key = ?2, state = '', trouble = '',
                    refused = x'' WHERE id = ?1"
            ),
            (account, key),
        )?;
        self.touched.accounts.insert(account);
        self.touched.ops.insert(account);
        Ok(())
    }

    /// A folder for a role that the server had none for.
    fn place_for(&mut self, account: AccountId, role: Role) -> Result<()> {
        let there = self.db.one(
            sql!("SELECT 1 FROM folders WHERE account_id = ?1 AND role = ?2"),
            (account, role.name()),
            |_| Ok(()),
        )?;
        if there.is_some() {
            return Ok(());
        }
        let title = role.title();
        let named = self.db.one(
            sql!("SELECT id FROM folders WHERE account_id = ?1 AND remote = ?2"),
            (account, title),
            |row| row.get::<_, FolderId>(0),
        )?;
        match named {
            Some(folder) => {
                self.db.run(
                    sql!("UPDATE folders SET role = ?2 WHERE id = ?1 AND role = ''"),
                    (folder, role.name()),
                )?;
            }
            None => {
                self.new_folder(account, Some(title), title, Some(role))?;
            }
        }
        Ok(())
    }
}
