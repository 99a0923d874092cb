//! What a process that does not sync an account asks of the one that does (promise A4): kept in the store,
//! announced by the poke that follows every commit, taken by who syncs.

use super::db::{Db, sql};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId, MessageId};

/// One thing that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Look at the server now.
    Sync,
    /// The user waits for this body.
    Fetch(MessageId),
    /// The user looks at this folder.
    Look(FolderId),
}

impl Wish {
    /// The same wish twice is one row.
    fn key(self, account: AccountId) -> String {
        let start = start(account);
        match self {
            Self::Sync => format!("{start}sync"),
            Self::Fetch(message) => format!("{start}fetch {}", message.0),
            Self::Look(folder) => format!("{start}look {}", folder.0),
        }
    }

    fn of_key(key: &str, account: AccountId) -> Option<Self> {
        let wish = key.strip_prefix(&start(account))?;
        match wish.split_once(' ') {
            Some(("fetch", id)) => id.parse().ok().map(|id| Self::Fetch(MessageId(id))),
            Some(("look", id)) => id.parse().ok().map(|id| Self::Look(FolderId(id))),
            _ => (wish == "sync").then_some(Self::Sync),
        }
    }
}

/// Where the keys of an account's wishes begin; they end before the same with `!`.
fn start(account: AccountId) -> String {
    format!("wish {} ", account.0)
}

fn end(account: AccountId) -> String {
    format!("wish {}!", account.0)
}

impl Tx<'_> {
    pub(super) fn wish(&mut self, account: AccountId, wish: Wish) -> Result<()> {
        self.db.run(sql!("INSERT OR IGNORE INTO kv (key, value) VALUES (?1, '')"), [wish.key(account)])?;
        Ok(())
    }

    /// Answers the wishes and forgets them.
    pub(super) fn take_wishes(&mut self, account: AccountId) -> Result<Vec<Wish>> {
        let range = (start(account), end(account));
        let keys = self.db.all(
            sql!("SELECT key FROM kv WHERE key >= ?1 AND key < ?2"),
            (&range.0, &range.1),
            |row| row.get::<_, String>(0),
        )?;
        self.db.run(sql!("DELETE FROM kv WHERE key >= ?1 AND key < ?2"), (&range.0, &range.1))?;
        Ok(keys.iter().filter_map(|key| Wish::of_key(key, account)).collect())
    }
}

/// The accounts of which something is asked.
pub(super) fn wishing(db: &Db) -> Result<Vec<AccountId>> {
    let keys = db.all(sql!("SELECT key FROM kv WHERE key >= 'wish ' AND key < 'wish!'"), [], |row| {
        row.get::<_, String>(0)
    })?;
    Ok(keys.iter().filter_map(|key| key.split(' ').nth(1)?.parse().ok().map(AccountId)).collect())
}

impl Reader {
    /// Whether another process asks for something of this account's.
    pub fn has_wishes(&self, account: AccountId) -> Result<bool> {
        let found = self.0.one(
            sql!("SELECT 1 FROM kv WHERE key >= ?1 AND key < ?2 LIMIT 1"),
            (start(account), end(account)),
            |row| row.get::<_, i64>(0),
        )?;
        Ok(found.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Home;
    use super::*;

    #[test]
    fn a4_wishes_reach_who_syncs_once_and_of_its_own_account_only() {
        let home = Home::new();
        let other = AccountId(home.account.0 * 10 + 1);
        let all = [Wish::Sync, Wish::Fetch(MessageId(7)), Wish::Look(FolderId(3)), Wish::Fetch(MessageId(7))];
        for wish in all {
            home.store.wish(home.account, wish).unwrap();
        }
        home.store.wish(other, Wish::Sync).unwrap();
        home.store.remember("wish", "something of the screen's");
        assert!(home.store.reader().unwrap().has_wishes(home.account).unwrap());
        let mut taken = home.store.take_wishes(home.account).unwrap();
        taken.sort_by_key(|wish| wish.key(home.account));
        assert_eq!(taken, [Wish::Fetch(MessageId(7)), Wish::Look(FolderId(3)), Wish::Sync]);
        assert!(!home.store.reader().unwrap().has_wishes(home.account).unwrap());
        assert_eq!(home.store.take_wishes(home.account).unwrap(), []);
        assert_eq!(home.store.take_wishes(other).unwrap(), [Wish::Sync]);
    }
}
