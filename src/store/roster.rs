//! Which accounts the configuration names: those that it does not name any more are parked, never deleted.

use super::db::{sql, unsigned};
use super::handle::Store;
use super::inbox::{Answer, Job};
use super::reader::{AccountRow, Reader};
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Owner};

/// `accounts.parked` where the user said to leave it so.
const LEFT: i64 = 2;

/// An account as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// NAME of `[accounts.NAME]`.
    pub name: String,
    /// Who holds the truth about its folders and flags.
    pub owner: Owner,
    /// `user@host`: whose mail it is, whatever its name is.
    pub remote_key: String,
}

/// An account of the configuration that has no mail here, while the mail of the same user on the same server is
/// here under a name that the configuration does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// The name that its mail is stored under.
    pub was: String,
    /// The name in the configuration.
    pub is: String,
    /// How many mails there are.
    pub mails: u64,
}

/// How much mail an account has here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// Mails.
    pub mails: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

impl Store {
    /// Tells which accounts the configuration names. The others are parked; the answer is those that seem to have
    /// another name now, which must not be synced before the user said what is meant.
    pub fn call_roll(&self, named: &[Named]) -> Result<Vec<Renamed>> {
        let reader = self.reader()?;
        let is_named = |row: &AccountRow| named.iter().any(|named| named.name == row.name);
        if reader.accounts()?.iter().any(|row| is_named(row) == row.is_parked) {
            let names = named.iter().map(|named| named.name.clone()).collect();
            self.ask(Job::Roll(names))?;
        }
        reader.renamed(named)
    }

    /// The mail of an account goes by another name from now on: a name without mail of its own.
    pub fn rename_account(&self, account: AccountId, name: &str) -> Result<()> {
        self.ask(Job::RenameAccount(account, name.to_owned())).map(drop)
    }

    /// The user said that a parked account is to be left as it is.
    pub fn leave_parked(&self, account: AccountId) -> Result<()> {
        self.ask(Job::LeaveParked(account)).map(drop)
    }

    /// Deletes everything of a parked account here, for good.
    pub fn forget_account(&self, account: AccountId) -> Result<()> {
        match self.ask(Job::Forget(account))? {
            Answer::Done => Ok(()),
            _ => Err(Error::new(Kind::Bug, "the store mixed up its answers")),
        }
    }
}

impl Reader {
    /// How much mail an account has here.
    pub fn holding(&self, account: AccountId) -> Result<Holding> {
        let held = self.0.one(
            sql!("SELECT count(*), total(size) FROM messages WHERE account_id = ?1"),
            [account],
            |row| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of sizes")]
                Ok(Holding { mails: unsigned(row.get(0)?), bytes: row.get::<_, f64>(1)? as u64 })
            },
        )?;
        Ok(held.unwrap_or_default())
    }

    fn renamed(&self, named: &[Named]) -> Result<Vec<Renamed>> {
        let rows = self.accounts()?;
        let is_left = |row: &AccountRow| {
            let left =
                self.0.one(sql!("SELECT parked FROM accounts WHERE id = ?1"), [row.id], |row| row.get(0));
            left.map(|left| left == Some(LEFT))
        };
        let mut renamed: Vec<Renamed> = Vec::new();
        for new in named {
            if let Some(held) = rows.iter().find(|row| row.name == new.name)
                && self.holding(held.id)?.mails > 0
            {
                continue;
            }
            for row in rows.iter().filter(|row| row.is_parked && row.owner == new.owner) {
                let mails = self.holding(row.id)?.mails;
                let is_taken = renamed.iter().any(|other| other.was == row.name);
                if is_same_server(&row.remote_key, &new.remote_key)
                    && mails > 0
                    && !is_taken
                    && !is_left(row)?
                {
                    renamed.push(Renamed { was: row.name.clone(), is: new.name.clone(), mails });
                    break;
                }
            }
        }
        Ok(renamed)
    }
}

impl Tx<'_> {
    pub(super) fn call_roll(&mut self, names: &[String]) -> Result<()> {
        let rows = self.db.all(sql!("SELECT id, name, parked FROM accounts"), [], |row| {
            Ok((row.get::<_, AccountId>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })?;
        for (account, name, parked) in rows {
            if names.contains(&name) == (parked == 0) {
                continue;
            }
            self.db.run(
                sql!("UPDATE accounts SET parked = ?2 WHERE id = ?1"),
                (account, i64::from(!names.contains(&name))),
            )?;
            self.touched.accounts.insert(account);
        }
        Ok(())
    }

    pub(super) fn leave_parked(&mut self, account: AccountId) -> Result<()> {
        self.parked_name(account)?;
        self.db.run(sql!("UPDATE accounts SET parked = ?2 WHERE id = ?1"), (account, LEFT))?;
        Ok(())
    }

    pub(super) fn rename_account(&mut self, account: AccountId, name: &str) -> Result<()> {
        let was = self.parked_name(account)?;
        let other = self.db.one(
            sql!(
                "SELECT id, owner = (SELECT owner FROM accounts WHERE id = ?2) FROM accounts WHERE name = ?1"
            ),
            (name, account),
            |row| Ok((row.get::<_, AccountId>(0)?, row.get::<_, bool>(1)?)),
        )?;
        if let Some((other, is_same_kind)) = other {
            let mails =
                self.db
                    .one(sql!("SELECT 1 FROM messages WHERE account_id = ?1 LIMIT 1"), [other], |_| Ok(()))?;
            if mails.is_some() || other == account {
                let why = format!("the account {name} has mail of its own here");
                return Err(Error::new(Kind::Conflict, why).hint(format!(
                    "`mailtui account move {was} --to {name}` copies the mail of {was} there"
                )));
            }
            if !is_same_kind {
                return Err(other_kind(&was, name));
            }
            self.erase(other)?;
        }
        self.db.run(sql!("UPDATE accounts SET name = ?2, parked = 0 WHERE id = ?1"), (account, name))?;
        self.touched.accounts.insert(account);
        self.touched.ops.insert(account);
        Ok(())
    }

    /// Only what the configuration does not name can be renamed, left or forgotten.
    fn parked_name(&self, account: AccountId) -> Result<String> {
        let found =
            self.db.one(sql!("SELECT name, parked FROM accounts WHERE id = ?1"), [account], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })?;
        match found {
            Some((name, 1..)) => Ok(name),
            Some((name, _)) => {
                Err(Error::new(Kind::Config, format!("the account {name} is in the configuration"))
                    .hint("take it out there, or give it its new name there, first"))
            }
            None => Err(Error::new(Kind::Gone, "the account is not in the store any more")),
        }
    }

    /// Deletes everything of a parked account, unless mail of another account waits for it.
    pub(super) fn forget_account(&mut self, account: AccountId) -> Result<()> {
        self.parked_name(account)?;
        self.apart(account)?;
        self.erase(account)
    }

    /// An error where mail of another account waits for one of this account, or the other way round.
    pub(super) fn apart(&self, account: AccountId) -> Result<()> {
        let awaited = self.db.all(
            sql!(
                "SELECT o.id FROM ops f JOIN ops o ON o.after_id = f.id
                  WHERE f.account_id = ?1 AND o.after_id IS NOT NULL AND o.account_id <> ?1
                 UNION ALL SELECT o.id FROM ops o JOIN messages m ON m.id = o.from_id
                  WHERE o.from_id IS NOT NULL AND m.account_id = ?1 AND o.account_id <> ?1"
            ),
            [account],
            |row| row.get::<_, i64>(0),
        )?;
        if !awaited.is_empty() {
            return Err(Error::new(
                Kind::Conflict,
                format!("{} of its mails are on their way to or from another account", awaited.len()),
            )
            .hint("see `mailtui queue`; `mailtui queue discard` takes it back"));
        }
        Ok(())
    }

    fn erase(&mut self, account: AccountId) -> Result<()> {
        // What may not go along by itself goes first.
        let own = [
            sql!("DELETE FROM op_items WHERE op_id IN (SELECT id FROM ops WHERE account_id = ?1)"),
            sql!("DELETE FROM outbox WHERE account_id = ?1"),
            sql!(
                "DELETE FROM search WHERE rowid IN (SELECT docid FROM messages WHERE account_id = ?1 AND indexed > 0)"
            ),
            sql!("DELETE FROM unfinished WHERE account_id = ?1"),
            sql!("DELETE FROM thread_edits WHERE account_id = ?1"),
            sql!("DELETE FROM accounts WHERE id = ?1"),
        ];
        for statement in own {
            self.db.run(statement, [account])?;
        }
        self.touched.accounts.insert(account);
        Ok(())
    }
}

fn other_kind(was: &str, name: &str) -> Error {
    Error::new(Kind::Conflict, format!("{was} and {name} are accounts of different kinds"))
        .hint(format!("`mailtui account move {was} --to {name}` copies the mail of {was} there"))
}

/// Whether what is stored of an account is of this user on this server. It was stored with the port once, and
/// with the host as it was spelled.
pub(super) fn is_same_server(held: &str, key: &str) -> bool {
    let lower = |text: &str| match text.rsplit_once('@') {
        Some((user, host)) => format!("{user}@{}", host.to_ascii_lowercase()),
        None => text.to_owned(),
    };
    let (held, key) = (lower(held), lower(key));
    let portless = held.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    held == key || portless.is_some_and(|(held, _)| held == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_port_or_spelling_is_no_other_server() {
        for held in ["ada@IMAP.example.org:993", "ada@imap.example.org", "ada@imap.example.org:1143"] {
            assert!(is_same_server(held, "ada@imap.example.org"), "{held}");
        }
        for held in ["Ada@imap.example.org", "ada@imap.example.net", "ada@imap.example.org:x", "", "ada"] {
            assert!(!is_same_server(held, "ada@imap.example.org"), "{held}");
        }
        assert!(is_same_server("a@b.org@::1:993", "a@b.org@::1") && is_same_server("a@::1", "a@::1"));
    }
}
