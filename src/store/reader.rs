//! Reading: a connection of one's own, with nothing left open between two calls.

use std::sync::Arc;

use rusqlite::Row as Columns;

use super::db::{Db, sql, unsigned};
use super::fault::damaged;
use super::folders::UNLISTED;
use super::places::AWAITED;
use super::ranks::Ranks;
use super::tx::owner_from;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Cursor, Flags, Folder, FolderId, MessageId, Owner, Role, UidSet, View};
use crate::text::Clean;

/// A read-only connection. Not shared between threads: each has its own.
pub struct Reader(pub(super) Db, pub(super) Option<Arc<Ranks>>);

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

/// An account as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its row.
    pub id: AccountId,
    /// Its name in the configuration.
    pub name: String,
    /// `imap`, `pop3`, `memory`: for people only.
    pub protocol: String,
    /// Who holds the truth about its folders and flags.
    pub owner: Owner,
    /// Whose mail it is: `user@host`.
    pub remote_key: String,
    /// The configuration does not name it any more: it is not synced, and not among the mail of all accounts.
    pub is_parked: bool,
}

/// Whether some copies of a folder may not be on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// All is known.
    None,
    /// The next complete look at the folder settles it.
    Doubted,
    /// The second one does: the first may have begun too early.
    Awaited,
}

impl Reader {
    pub(super) fn new(db: Db) -> Self {
        Self(db, None)
    }

    /// Every account that ever stored mail here, in the order in which they came.
    pub fn accounts(&self) -> Result<Vec<AccountRow>> {
        let rows = self.0.all(
            sql!("SELECT id, name, protocol, remote_key, parked <> 0, owner FROM accounts ORDER BY id"),
            [],
            |row| {
                let account = AccountRow {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    protocol: row.get(2)?,
                    owner: Owner::Server,
                    remote_key: row.get(3)?,
                    is_parked: row.get(4)?,
                };
                Ok((account, row.get::<_, String>(5)?))
            },
        )?;
        rows.into_iter().map(|(row, owner)| Ok(AccountRow { owner: owner_from(&owner)?, ..row })).collect()
    }

    /// The folders of an account: those with a role first, in the order of [`Role::ALL`], then by path.
    pub fn folders(&self, account: AccountId) -> Result<Vec<Folder>> {
        let mut folders = self.0.all(
            sql!(
                "SELECT id, account_id, remote, path, role, selectable, subscribed, total, unseen, synced_at, parked
                  FROM folders WHERE account_id = ?1 AND leaving = 0"
            ),
            [account],
            folder,
        )?;
        folders.sort_by_cached_key(|folder| {
            (folder.role.is_none(), folder.role, folder.path.as_str().to_lowercase(), folder.id)
        });
        Ok(folders)
    }

    /// One folder.
    pub fn folder(&self, id: FolderId) -> Result<Option<Folder>> {
        self.0.one(
            sql!(
                "SELECT id, account_id, remote, path, role, selectable, subscribed, total, unseen, synced_at, parked
                  FROM folders WHERE id = ?1"
            ),
            [id],
            folder,
        )
    }

    /// The folder of this role of an account.
    pub fn folder_by_role(&self, account: AccountId, role: Role) -> Result<Option<Folder>> {
        self.0.one(
            sql!(
                "SELECT id, account_id, remote, path, role, selectable, subscribed, total, unseen, synced_at, parked
                  FROM folders WHERE account_id = ?1 AND role = ?2 AND role <> ''"
            ),
            (account, role.name()),
            folder,
        )
    }

    /// The folders that a view shows: of a role at most one of each account that the configuration names.
    pub(super) fn folders_of(&self, view: View) -> Result<Vec<FolderId>> {
        match view {
            View::Folder(folder) => Ok(vec![folder]),
            View::Starred | View::Unread | View::Snoozed => Ok(Vec::new()),
            View::Unified(role) => self.0.all(
                sql!(
                    "SELECT f.id FROM folders f CROSS JOIN accounts a ON a.id = f.account_id
                      WHERE f.role = ?1 AND f.role <> '' AND a.parked = 0"
                ),
                [role.name()],
                |row| row.get(0),
            ),
        }
    }

    /// Messages in a view, and how many of them are unread. Counted when they changed, not now.
    pub fn counts(&self, view: View) -> Result<(u64, u64)> {
        if matches!(view, View::Starred | View::Unread | View::Snoozed) {
            return self.counts_of_all(view);
        }
        let mut sum = (0, 0);
        for folder in self.folders_of(view)? {
            let counts =
                self.0.one(sql!("SELECT total, unseen FROM folders WHERE id = ?1"), [folder], |row| {
                    Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
                })?;
            let (total, unseen) = counts.unwrap_or_default();
            sum = (sum.0 + total, sum.1 + unseen);
        }
        Ok(sum)
    }

    /// How far a folder is in step.
    pub fn cursor(&self, folder: FolderId) -> Result<Cursor> {
        let cursor = self.0.one(
            sql!("SELECT uidvalidity, uidnext, highestmodseq, backfill_uid FROM folders WHERE id = ?1"),
            [folder],
            |row| {
                Ok(Cursor {
                    validity: row.get(0)?,
                    uidnext: row.get(1)?,
                    modseq: unsigned(row.get(2)?),
                    backfill: row.get(3)?,
                })
            },
        )?;
        cursor.ok_or_else(|| Error::new(Kind::Gone, "the folder is not in the store any more"))
    }

    /// The UIDs held of a folder.
    pub fn uids(&self, folder: FolderId) -> Result<UidSet> {
        let uids: Vec<u32> = self.0.all(
            sql!("SELECT uid FROM placements WHERE folder_id = ?1 AND uid IS NOT NULL ORDER BY uid"),
            [folder],
            |row| row.get(0),
        )?;
        Ok(uids.into_iter().collect())
    }

    /// The UIDs held of a folder from `lo` to `hi`, both included.
    pub fn uids_within(&self, folder: FolderId, lo: u32, hi: u32) -> Result<UidSet> {
        let uids: Vec<u32> = self.0.all(
            sql!("SELECT uid FROM placements WHERE folder_id = ?1 AND uid IS NOT NULL AND uid BETWEEN ?2 AND ?3 ORDER BY uid"),
            (folder, lo, hi),
            |row| row.get(0),
        )?;
        Ok(uids.into_iter().collect())
    }

    /// The mails with these UIDs that a folder shows.
    pub fn messages_at(&self, folder: FolderId, uids: &[u32]) -> Result<Vec<MessageId>> {
        let at = |uid: &u32| {
            self.0.one(
                sql!("SELECT message_id FROM placements WHERE folder_id = ?1 AND uid = ?2 AND hidden = 0"),
                (folder, uid),
                |row| row.get(0),
            )
        };
        let found = uids.iter().map(at).collect::<Result<Vec<_>>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// How many mails a folder lists: as many as it has UIDs while nothing is on its way to the server.
    pub fn total(&self, folder: FolderId) -> Result<u64> {
        let total =
            self.0.one(sql!("SELECT total FROM folders WHERE id = ?1"), [folder], |row| row.get(0))?;
        Ok(unsigned(total.unwrap_or(0)))
    }

    /// The flags and keywords that the server told last, by UID, ascending.
    pub fn base_flags(&self, folder: FolderId) -> Result<Vec<(u32, Flags, Vec<String>)>> {
        let mut all: Vec<(u32, Flags, Vec<String>)> = self.0.all(
            sql!("SELECT uid, base FROM placements WHERE folder_id = ?1 AND uid IS NOT NULL ORDER BY uid"),
            [folder],
            |row| Ok((row.get(0)?, row.get(1)?, Vec::new())),
        )?;
        let keywords: Vec<(u32, String)> = self.0.all(
            sql!("SELECT p.uid, t.name FROM placements p CROSS JOIN placement_tags pt ON pt.placement_id = p.id
                  CROSS JOIN tags t ON t.id = pt.tag_id
                  WHERE p.folder_id = ?1 AND p.uid IS NOT NULL AND pt.there = 1"),
            [folder],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (uid, keyword) in keywords {
            if let Ok(at) = all.binary_search_by_key(&uid, |(uid, ..)| *uid) {
                all[at].2.push(keyword);
            }
        }
        Ok(all)
    }

    /// How sure the store is of a folder's copies that it does not know the UIDs of.
    pub fn doubt(&self, folder: FolderId) -> Result<Doubt> {
        let stale = self.0.one(
            sql!("SELECT max(stale) FROM placements WHERE folder_id = ?1 AND stale <> 0 AND stale < 3"),
            [folder],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(match stale.flatten() {
            None => Doubt::None,
            Some(AWAITED..) => Doubt::Awaited,
            Some(_) => Doubt::Doubted,
        })
    }

    /// What the screen remembered under a key.
    pub fn recall(&self, key: &str) -> Result<Option<String>> {
        self.0.one(sql!("SELECT value FROM kv WHERE key = ?1"), [key], |row| row.get(0))
    }
}

fn folder(row: &Columns<'_>) -> rusqlite::Result<Folder> {
    Ok(Folder {
        id: row.get(0)?,
        account: row.get(1)?,
        remote: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
        path: Clean::line(&row.get::<_, String>(3)?),
        role: Role::from_name(&row.get::<_, String>(4)?),
        selectable: row.get(5)?,
        subscribed: row.get(6)?,
        total: row.get(7)?,
        unseen: row.get(8)?,
        synced_at: row.get(9)?,
        is_unlisted: row.get_ref(10)?.as_str()? == UNLISTED,
    })
}

/// The column of a hash as 32 bytes.
pub(super) fn hash(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| damaged("a hash has the wrong length"))
}
