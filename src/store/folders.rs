//! Accounts and their folders: what the configuration names, and what a server lists.

use std::collections::HashSet;

use super::batch::FolderSpec;
use super::db::sql;
use super::places::Placement;
use super::roster::is_same_server;
use super::tx::{Tx, owner_from, owner_name};
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Cursor, FolderId, Owner, Role};

/// A folder with more mail than this that a server does not list any more is kept until the user says so.
const MANY: i64 = 20;

/// A row of `folders`, as far as listing compares it.
pub(super) struct Held {
    pub(super) id: FolderId,
    pub(super) remote: Option<String>,
    pub(super) path: String,
    role: String,
    selectable: bool,
    subscribed: bool,
    total: i64,
    parked: String,
    pub(super) validity: u32,
    pub(super) uidnext: u32,
    pub(super) object_id: String,
}

impl Tx<'_> {
    /// An account of the configuration: made, or found by its name.
    pub(super) fn account(
        &mut self,
        name: &str,
        protocol: &str,
        owner: Owner,
        remote_key: &str,
    ) -> Result<AccountId> {
        let held = self.db.one(
            sql!("SELECT id, owner, protocol, remote_key FROM accounts WHERE name = ?1"),
            [name],
            |row| {
                Ok((
                    row.get(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                ))
            },
        )?;
        if let Some((id, held_owner, held_protocol, held_key)) = held {
            if owner_from(&held_owner)? != owner {
                return Err(Error::new(
                    Kind::Config,
                    format!(
                        "the account {name} was of another kind ({held_protocol}) when its mail was stored"
                    ),
                )
                .hint("give the new account another name; the mail of the old one stays"));
            }
            let is_moved = !is_same_server(&held_key, remote_key);
            if (held_protocol.as_str(), held_key.as_str()) != (protocol, remote_key) {
                self.db.run(
                    sql!("UPDATE accounts SET protocol = ?2, remote_key = ?3 WHERE id = ?1"),
                    (id, protocol, remote_key),
                )?;
            }
            // Perhaps another mailbox with the same numbers: no operation may act on a mail by its old one.
            if owner == Owner::Server && is_moved {
                self.renumber(id)?;
            }
            return Ok(id);
        }
        self.db.run(
            sql!("INSERT INTO accounts (name, protocol, owner, remote_key) VALUES (?1, ?2, ?3, ?4)"),
            (name, protocol, owner_name(owner), remote_key),
        )?;
        let account = AccountId(self.db.last_id());
        self.new_folder(account, Some("INBOX"), Role::Inbox.title(), Some(Role::Inbox))?;
        if owner == Owner::Here {
            for role in [Role::Drafts, Role::Sent, Role::Archive, Role::Junk, Role::Trash] {
                self.new_folder(account, Some(role.title()), role.title(), Some(role))?;
            }
        }
        Ok(account)
    }

    /// Every copy is to be found again under a new UID.
    fn renumber(&mut self, account: AccountId) -> Result<()> {
        let folders =
            self.db.all(sql!("SELECT id FROM folders WHERE account_id = ?1"), [account], |row| {
                row.get::<_, FolderId>(0)
            })?;
        folders.into_iter().try_for_each(|folder| self.reset(folder, 0))
    }

    /// A folder; without a name on the wire one that is still to be made on the server.
    pub(super) fn new_folder(
        &mut self,
        account: AccountId,
        remote: Option<&str>,
        path: &str,
        role: Option<Role>,
    ) -> Result<FolderId> {
        self.db.run(
            sql!("INSERT INTO folders (account_id, remote, path, role) VALUES (?1, ?2, ?3, ?4)"),
            (account, remote, path, role.map_or("", Role::name)),
        )?;
        self.touched.accounts.insert(account);
        Ok(FolderId(self.db.last_id()))
    }

    /// The server's folders, all of them. An empty list proves nothing.
    pub(super) fn folders(&mut self, account: AccountId, specs: &[FolderSpec]) -> Result<()> {
        if specs.is_empty() {
            return Ok(());
        }
        let held = self.db.all(
            sql!(
                "SELECT id, remote, path, role, selectable, subscribed, total, parked, uidvalidity, uidnext, object_id FROM folders
                  WHERE account_id = ?1"
            ),
            [account],
            |row| {
                Ok(Held {
                    id: row.get(0)?,
                    remote: row.get(1)?,
                    path: row.get(2)?,
                    role: row.get(3)?,
                    selectable: row.get(4)?,
                    subscribed: row.get(5)?,
                    total: row.get(6)?,
                    parked: row.get(7)?,
                    validity: row.get(8)?,
                    uidnext: row.get(9)?,
                    object_id: row.get(10)?,
                })
            },
        )?;
        // What is queued lies on top of what the server says.
        let overlay = self.overlay(account)?;
        let specs: Vec<FolderSpec> =
            specs.iter().map(|spec| FolderSpec { path: overlay.path(&spec.path), ..spec.clone() }).collect();
        let specs = &specs[..];
        let mut matched = matched(specs, &held);
        self.follow(account, specs, &held, &mut matched)?;
        let roles = roles(specs, &matched);
        // A role that moved to another folder is free before it is given.
        for (old, role) in matched.iter().zip(&roles).filter_map(|(old, role)| Some(((*old)?, role))) {
            if !old.role.is_empty() && old.role != *role {
                self.db.run(sql!("UPDATE folders SET role = '' WHERE id = ?1"), [old.id])?;
            }
        }
        let mut listed = HashSet::new();
        for ((spec, old), role) in specs.iter().zip(matched).zip(roles) {
            match old {
                Some(old) if listed.insert(old.id) => {
                    let subscribed = overlay.subscribed(old.id).unwrap_or(spec.subscribed);
                    self.told_folder(account, old, &FolderSpec { subscribed, ..spec.clone() }, role)?;
                }
                // Listed twice.
                Some(_) => {}
                None => self.insert_folder(account, spec, role)?,
            }
        }
        for old in held.iter().filter(|old| old.remote.is_some() && !listed.contains(&old.id)) {
            self.unlisted(account, old)?;
        }
        Ok(())
    }

    fn told_folder(&mut self, account: AccountId, old: &Held, spec: &FolderSpec, role: &str) -> Result<()> {
        // A role that was given to a folder of ours while the server's own one was not known yet.
        if !role.is_empty() && old.role != role {
            self.free_role(account, role)?;
        }
        let same = old.remote.as_deref() == Some(&spec.remote)
            && old.path == spec.path
            && old.role == role
            && (old.selectable, old.subscribed) == (spec.selectable, spec.subscribed)
            && spec.object_id.as_ref().is_none_or(|id| *id == old.object_id)
            && old.parked != UNLISTED;
        if same {
            return Ok(());
        }
        self.db.run(
            sql!(
                "UPDATE folders SET remote = ?2, path = ?3, role = ?4, selectable = ?5, subscribed = ?6,
                    parked = CASE parked WHEN ?7 THEN '' ELSE parked END, object_id = ifnull(?8, object_id) WHERE id = ?1"
            ),
            (old.id, &spec.remote, &spec.path, role, spec.selectable, spec.subscribed, UNLISTED, &spec.object_id),
        )?;
        self.touched.accounts.insert(account);
        Ok(())
    }

    fn insert_folder(&mut self, account: AccountId, spec: &FolderSpec, role: &str) -> Result<()> {
        if !role.is_empty() {
            self.free_role(account, role)?;
        }
        self.db.run(
            sql!(
                "INSERT OR IGNORE INTO folders (account_id, remote, path, role, selectable, subscribed, object_id)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ifnull(?7, ''))"
            ),
            (account, &spec.remote, &spec.path, role, spec.selectable, spec.subscribed, &spec.object_id),
        )?;
        self.touched.accounts.insert(account);
        Ok(())
    }

    fn free_role(&self, account: AccountId, role: &str) -> Result<()> {
        self.db.run(
            sql!("UPDATE folders SET role = '' WHERE account_id = ?1 AND role = ?2 AND role <> ''"),
            (account, role),
        )?;
        Ok(())
    }

    /// The server does not list it any more. What is queued for it keeps it; much mail in it too (I8).
    fn unlisted(&mut self, account: AccountId, old: &Held) -> Result<()> {
        let queued = self.db.one(
            sql!("SELECT EXISTS (SELECT 1 FROM ops WHERE folder_id = ?1) OR EXISTS (SELECT 1 FROM ops WHERE target_id = ?1)"),
            [old.id],
            |row| row.get(0),
        )?;
        if queued == Some(true) || old.total > MANY {
            if old.parked != UNLISTED {
                self.db.run(
                    sql!("UPDATE folders SET parked = ?2, parked_at = ?3, selectable = 0 WHERE id = ?1"),
                    (old.id, UNLISTED, self.now),
                )?;
                self.touched.accounts.insert(account);
                self.touched.ops.insert(account);
            }
            return Ok(());
        }
        self.drop_folder(account, old.id)
    }

    /// Removes a folder and the mail that is nowhere else.
    pub(super) fn drop_folder(&mut self, account: AccountId, folder: FolderId) -> Result<()> {
        let placements = self.db.all(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE folder_id = ?1"),
            [folder],
            Placement::read,
        )?;
        for placement in &placements {
            self.remove(placement)?;
        }
        self.db.run(sql!("DELETE FROM folders WHERE id = ?1"), [folder])?;
        self.touched.accounts.insert(account);
        Ok(())
    }

    /// How far a folder is in step; in the transaction of the rows that it speaks of (promise I3).
    pub(super) fn cursor(&self, folder: FolderId, cursor: Cursor) -> Result<()> {
        let changed = self.db.run(
            sql!("UPDATE folders SET uidvalidity = ?2, uidnext = ?3, highestmodseq = ?4, backfill_uid = ?5 WHERE id = ?1"),
            // A modseq has 63 bits (RFC 7162 section 9).
            (folder, cursor.validity, cursor.uidnext, super::db::whole(cursor.modseq), cursor.backfill),
        )?;
        if changed == 0 {
            return Err(Error::new(Kind::Gone, "the folder is not in the store any more"));
        }
        Ok(())
    }

    /// A folder was looked at completely.
    pub(super) fn synced(&mut self, folder: FolderId, at: i64) -> Result<()> {
        self.sweep(folder)?;
        self.drafts_gone(folder)?;
        self.db.run(sql!("UPDATE folders SET synced_at = ?2 WHERE id = ?1"), (folder, at))?;
        Ok(())
    }
}

/// `folders.parked` of a folder that the server does not list any more.
pub(super) const UNLISTED: &str = "the server does not list this folder any more";

/// The row of each folder that the server tells of: by its name on the wire, else by its path, under which it
/// was asked for or that it was given meanwhile.
fn matched<'a>(specs: &[FolderSpec], held: &'a [Held]) -> Vec<Option<&'a Held>> {
    let named = |spec: &FolderSpec| held.iter().find(|old| old.remote.as_deref() == Some(&spec.remote));
    let known: HashSet<&str> = specs.iter().map(|spec| spec.remote.as_str()).collect();
    let free = |old: &&Held| old.remote.as_deref().is_none_or(|remote| !known.contains(remote));
    let by_path: Vec<&Held> = held.iter().filter(free).collect();
    specs
        .iter()
        .map(|spec| named(spec).or_else(|| by_path.iter().find(|old| old.path == spec.path).copied()))
        .collect()
}

/// The role of each spec, each role once. A role that the server gives to none stays where it was.
fn roles<'a>(specs: &[FolderSpec], matched: &[Option<&'a Held>]) -> Vec<&'a str> {
    let mut given = HashSet::new();
    let mut roles: Vec<&'a str> = specs
        .iter()
        .map(|spec| spec.role.filter(|role| given.insert(*role)).map_or("", Role::name))
        .collect();
    for (role, old) in roles.iter_mut().zip(matched) {
        if let Some(old) = old.and_then(|old| Role::from_name(&old.role))
            && role.is_empty()
            && given.insert(old)
        {
            *role = old.name();
        }
    }
    roles
}
