//! Folders as the user shapes them: made, renamed, removed, subscribed to. Seen at once; where a server owns
//! them, queued. A folder that is to be removed is hidden (`folders.leaving`) until the server has done it.

use super::acts::Act;
use super::db::sql;
use super::intents::refused;
use super::places::Placement;
use super::shaping::Detail;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, Outcome, Owner, Role, check_folder_path};
use crate::text::Clean;

/// One change to the folders of an account, as undo keeps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    /// A folder was made; undo and redo give it its row number again, by which other actions name it.
    Make { account: AccountId, folder: FolderId, path: String },
    /// A folder that held no mail was removed.
    Remove { account: AccountId, folder: FolderId, path: String },
    /// A folder got another path, and what lies beneath with it.
    Rename { folder: FolderId, from: String, to: String },
    /// The user subscribed to a folder, or unsubscribed.
    Subscribe { folder: FolderId, on: bool },
}

impl Shape {
    /// What takes it back.
    pub(super) fn inverse(&self) -> Self {
        match self.clone() {
            Self::Make { account, folder, path } => Self::Remove { account, folder, path },
            Self::Remove { account, folder, path } => Self::Make { account, folder, path },
            Self::Rename { folder, from, to } => Self::Rename { folder, from: to, to: from },
            Self::Subscribe { folder, on } => Self::Subscribe { folder, on: !on },
        }
    }
}

/// A row of `folders`, as far as its shape goes.
pub(super) struct Shaped {
    id: FolderId,
    pub(super) account: AccountId,
    on_server: bool,
    pub(super) path: String,
    role: Option<Role>,
    subscribed: bool,
    total: i64,
    leaving: bool,
}

/// What follows `above` in `path`, with its slash; empty for itself, `None` where it is elsewhere.
pub(super) fn beneath<'a>(path: &'a str, above: &str) -> Option<&'a str> {
    path.strip_prefix(above).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Tx<'_> {
    pub(super) fn make_folder(&mut self, account: AccountId, path: &str) -> Result<Outcome> {
        if let Err(why) = check_folder_path(path) {
            return Ok(refused(&why));
        }
        let Some(folder) = self.make(account, None, path)? else {
            return Ok(refused(&format!("there is a folder {} already", Clean::line(path))));
        };
        let shape = Shape::Make { account, folder, path: path.to_owned() };
        self.record(format!("made the folder {}", Clean::line(path)), vec![Act::Shape(shape)])
    }

    pub(super) fn rename_folder(&mut self, folder: FolderId, to: &str) -> Result<Outcome> {
        let Some(held) = self.shaped(folder)? else { return Ok(refused(GONE)) };
        if let Err(why) = check_folder_path(to) {
            return Ok(refused(&why));
        }
        if held.role == Some(Role::Inbox) {
            return Ok(refused("the inbox keeps its name"));
        }
        if held.path != to && beneath(to, &held.path).is_some() {
            return Ok(refused("a folder cannot go into itself"));
        }
        if !self.rename(&held, to)? {
            return Ok(refused(&format!("there is a folder {} already", Clean::line(to))));
        }
        let label = format!("renamed {} to {}", Clean::line(&held.path), Clean::line(to));
        let shape = Shape::Rename { folder, from: held.path, to: to.to_owned() };
        self.record(label, vec![Act::Shape(shape)])
    }

    pub(super) fn delete_folder(&mut self, folder: FolderId, to_trash: bool) -> Result<Outcome> {
        let Some(held) = self.shaped(folder)? else { return Ok(refused(GONE)) };
        let path = Clean::line(&held.path);
        if let Some(role) = held.role {
            return Ok(refused(&format!("{path} cannot be removed: it is the account's {}", role.name())));
        }
        if self.has_beneath(&held)? {
            return Ok(refused(&format!("{path} cannot be removed: there are folders within it")));
        }
        let mut acts = Vec::new();
        let mut moved = String::new();
        if held.total > 0 {
            if !to_trash {
                return Ok(refused(&format!("{path} cannot be removed: it holds {} mails", held.total)));
            }
            let mut copies = self.copies_in(folder)?;
            // `u` leads back to the newest.
            copies.sort_by_key(|copy| std::cmp::Reverse((copy.sort_at, copy.id)));
            let trash = self.role_folder(held.account, Role::Trash)?;
            moved = format!(", {} to Trash", super::deeds::counted(copies.len() as u64));
            acts.extend(self.move_copies(held.account, folder, trash, &copies)?);
        }
        if !self.take_away(folder)? {
            return Ok(refused(GONE));
        }
        acts.push(Act::Shape(Shape::Remove { account: held.account, folder, path: held.path }));
        self.record(format!("removed the folder {path}{moved}"), acts)
    }

    pub(super) fn subscribe_folder(&mut self, folder: FolderId, on: bool) -> Result<Outcome> {
        let Some(held) = self.shaped(folder)? else { return Ok(refused(GONE)) };
        let path = Clean::line(&held.path);
        if !self.subscribe(&held, on)? {
            let state = if on { "subscribed" } else { "not subscribed" };
            return Ok(refused(&format!("you are {state} to {path} already")));
        }
        let verb = if on { "subscribed to" } else { "unsubscribed from" };
        self.record(format!("{verb} {path}"), vec![Act::Shape(Shape::Subscribe { folder, on })])
    }

    /// Does it, if the folders are as they were then; says whether.
    pub(super) fn perform_shape(&mut self, shape: &Shape) -> Result<bool> {
        match shape {
            Shape::Make { account, folder, path } => Ok(self.make(*account, Some(*folder), path)?.is_some()),
            Shape::Remove { folder, .. } => self.take_away(*folder),
            Shape::Rename { folder, from, to } => match self.shaped(*folder)? {
                Some(held) if held.path == *from => self.rename(&held, to),
                _ => Ok(false),
            },
            Shape::Subscribe { folder, on } => match self.shaped(*folder)? {
                Some(held) => self.subscribe(&held, *on),
                None => Ok(false),
            },
        }
    }

    /// A folder of this path, made where it is missing.
    pub(super) fn new_path(&mut self, account: AccountId, path: &str) -> Result<FolderId> {
        if let Some(folder) = self.make(account, None, path)? {
            return Ok(folder);
        }
        let held = self.at_path(account, path)?;
        held.map(|held| held.id).ok_or_else(|| Error::new(Kind::Bug, "a folder is neither there nor made"))
    }

    fn make(&mut self, account: AccountId, id: Option<FolderId>, path: &str) -> Result<Option<FolderId>> {
        let is_local = self.owner(account)? == Owner::Here;
        if let Some(held) = self.at_path(account, path)? {
            if !held.leaving {
                return Ok(None);
            }
            self.keep_after_all(&held)?;
            return Ok(Some(held.id));
        }
        let id = match id {
            Some(id) => Some(id),
            // Actions on the folder that was there before may still be taken back, and know it by its number.
            None => self.removed_folder(account, path)?,
        };
        let id = match id {
            Some(id) if self.shaped(id)?.is_none() => Some(id),
            _ => None,
        };
        self.db.run(
            sql!("INSERT INTO folders (id, account_id, remote, path) VALUES (?1, ?2, ?3, ?4)"),
            (id, account, is_local.then_some(path), path),
        )?;
        let folder = FolderId(self.db.last_id());
        if !is_local {
            self.queue_shape(
                "mkdir",
                account,
                folder,
                &Detail { path: Some(path.to_owned()), ..Detail::default() },
            )?;
        }
        self.touched.accounts.insert(account);
        Ok(Some(folder))
    }

    /// A folder that was to be removed is kept: what is queued is cancelled, or it is made again after.
    fn keep_after_all(&mut self, held: &Shaped) -> Result<()> {
        self.db.run(sql!("UPDATE folders SET leaving = 0 WHERE id = ?1"), [held.id])?;
        self.touched.accounts.insert(held.account);
        if self.cancel_shape(held.id, "rmdir", |_| true)? {
            return Ok(());
        }
        let detail = Detail { path: Some(held.path.clone()), ..Detail::default() };
        self.queue_shape("mkdir", held.account, held.id, &detail)
    }

    fn take_away(&mut self, folder: FolderId) -> Result<bool> {
        let Some(held) = self.shaped(folder)? else { return Ok(false) };
        if held.leaving || held.total > 0 || self.has_beneath(&held)? {
            return Ok(false);
        }
        if self.owner(held.account)? == Owner::Here {
            self.drop_folder(held.account, folder)?;
            return Ok(true);
        }
        if !held.on_server && self.count_ops(folder)? == 1 && self.cancel_shape(folder, "mkdir", |_| true)? {
            self.drop_folder(held.account, folder)?;
            return Ok(true);
        }
        self.db.run(sql!("UPDATE folders SET leaving = 1 WHERE id = ?1"), [folder])?;
        self.touched.accounts.insert(held.account);
        self.queue_shape("rmdir", held.account, folder, &Detail::default())?;
        Ok(true)
    }

    fn rename(&mut self, held: &Shaped, to: &str) -> Result<bool> {
        let from = held.path.as_str();
        // What is to be removed gives its name away: the server hears of the removal first.
        if from == to || self.at_path(held.account, to)?.is_some_and(|other| !other.leaving) {
            return Ok(false);
        }
        if self.owner(held.account)? == Owner::Here {
            self.set_paths(held.account, from, to)?;
            self.db.run(
                sql!("UPDATE folders SET remote = path WHERE account_id = ?1 AND remote <> 'INBOX'"),
                [held.account],
            )?;
            return Ok(true);
        }
        self.set_paths(held.account, from, to)?;
        if !held.on_server && self.redirect_mkdirs(held.account, from, to, held.id)? {
            return Ok(true);
        }
        let opposite =
            |detail: &Detail| detail.from.as_deref() == Some(to) && detail.to.as_deref() == Some(from);
        if !self.cancel_shape(held.id, "rename", opposite)? {
            let detail = Detail { from: Some(from.to_owned()), to: Some(to.to_owned()), ..Detail::default() };
            self.queue_shape("rename", held.account, held.id, &detail)?;
        }
        Ok(true)
    }

    fn subscribe(&mut self, held: &Shaped, on: bool) -> Result<bool> {
        if held.subscribed == on {
            return Ok(false);
        }
        self.db.run(sql!("UPDATE folders SET subscribed = ?2 WHERE id = ?1"), (held.id, on))?;
        self.touched.accounts.insert(held.account);
        if self.owner(held.account)? == Owner::Server
            && !self.cancel_shape(held.id, "subscribe", |detail| detail.on == Some(!on))?
        {
            let detail = Detail { on: Some(on), ..Detail::default() };
            self.queue_shape("subscribe", held.account, held.id, &detail)?;
        }
        Ok(true)
    }

    /// The folder and all beneath it get another path.
    pub(super) fn set_paths(&mut self, account: AccountId, from: &str, to: &str) -> Result<()> {
        let paths =
            self.db.all(sql!("SELECT id, path FROM folders WHERE account_id = ?1"), [account], |row| {
                Ok((row.get::<_, FolderId>(0)?, row.get::<_, String>(1)?))
            })?;
        for (id, path) in paths {
            if let Some(rest) = beneath(&path, from) {
                let path = format!("{to}{rest}");
                self.db.run(sql!("UPDATE folders SET path = ?2 WHERE id = ?1"), (id, path))?;
            }
        }
        self.touched.accounts.insert(account);
        Ok(())
    }

    pub(super) fn count_ops(&self, folder: FolderId) -> Result<i64> {
        let count = self.db.one(
            sql!("SELECT (SELECT count(*) FROM ops WHERE folder_id = ?1) + (SELECT count(*) FROM ops WHERE target_id = ?1)"),
            [folder],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    fn copies_in(&self, folder: FolderId) -> Result<Vec<Placement>> {
        self.db.all(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE folder_id = ?1 AND (hidden & 1) = 0"),
            [folder],
            Placement::read,
        )
    }

    fn has_beneath(&self, held: &Shaped) -> Result<bool> {
        let paths = self.db.all(
            sql!("SELECT path FROM folders WHERE account_id = ?1 AND leaving = 0 AND id <> ?2"),
            (held.account, held.id),
            |row| row.get::<_, String>(0),
        )?;
        Ok(paths.iter().any(|path| beneath(path, &held.path).is_some()))
    }

    /// The folder of this path; of two, the one that is not to be removed.
    fn at_path(&self, account: AccountId, path: &str) -> Result<Option<Shaped>> {
        let held = self.db.all(
            sql!("SELECT id, account_id, remote IS NOT NULL, path, role, subscribed, total, leaving FROM folders
                  WHERE account_id = ?1 AND path = ?2"),
            (account, path),
            shaped,
        )?;
        Ok(held.into_iter().min_by_key(|folder| folder.leaving))
    }

    pub(super) fn shaped(&self, folder: FolderId) -> Result<Option<Shaped>> {
        self.db.one(
            sql!("SELECT id, account_id, remote IS NOT NULL, path, role, subscribed, total, leaving FROM folders
                  WHERE id = ?1"),
            [folder],
            shaped,
        )
    }
}

const GONE: &str = "the folder is not there any more";

fn shaped(row: &rusqlite::Row<'_>) -> rusqlite::Result<Shaped> {
    Ok(Shaped {
        id: row.get(0)?,
        account: row.get(1)?,
        on_server: row.get(2)?,
        path: row.get(3)?,
        role: Role::from_name(&row.get::<_, String>(4)?),
        subscribed: row.get(5)?,
        total: row.get(6)?,
        leaving: row.get(7)?,
    })
}
