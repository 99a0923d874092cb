//! How folders look while changes to them are queued, and what becomes of those changes.

use super::db::sql;
use super::shape::beneath;
use super::shaping::Detail;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId, OpId};

/// What the user sees of folders beyond what the server says: queued changes of names and subscriptions.
pub(super) struct Overlay {
    renames: Vec<(String, String)>,
    subscriptions: Vec<(FolderId, bool)>,
}

impl Overlay {
    /// The path under which a folder is shown that the server calls so.
    pub(super) fn path(&self, path: &str) -> String {
        self.renames.iter().fold(path.to_owned(), |path, (from, to)| match beneath(&path, from) {
            Some(rest) => format!("{to}{rest}"),
            None => path,
        })
    }

    /// The path under which the server has a folder that is shown so.
    fn told(&self, path: &str) -> String {
        self.renames.iter().rev().fold(path.to_owned(), |path, (from, to)| match beneath(&path, to) {
            Some(rest) => format!("{from}{rest}"),
            None => path,
        })
    }

    /// Whether the user is subscribed, if that is queued.
    pub(super) fn subscribed(&self, folder: FolderId) -> Option<bool> {
        self.subscriptions.iter().rev().find(|(id, _)| *id == folder).map(|(_, on)| *on)
    }
}

impl Tx<'_> {
    /// What is queued on names and subscriptions, and what waits for the user with it.
    pub(super) fn overlay(&self, account: AccountId) -> Result<Overlay> {
        let mut overlay = Overlay { renames: Vec::new(), subscriptions: Vec::new() };
        let ops = self.db.all(
            sql!(
                "SELECT target_id, kind, detail FROM ops
                  WHERE account_id = ?1 AND kind IN ('mkdir', 'rmdir', 'rename', 'subscribe') ORDER BY id"
            ),
            [account],
            |row| Ok((row.get::<_, FolderId>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
        )?;
        for (folder, kind, detail) in ops {
            let detail = Detail::read(&detail);
            if let ("rename", Some(from), Some(to)) = (kind.as_str(), detail.from, detail.to) {
                overlay.renames.push((from, to));
            }
            overlay.subscriptions.extend(detail.on.map(|on| (folder, on)));
        }
        Ok(overlay)
    }

    /// The server has done it.
    pub(super) fn shape_done(
        &mut self,
        account: AccountId,
        kind: &str,
        folder: FolderId,
        created: Option<&str>,
    ) -> Result<()> {
        match (kind, created) {
            ("rmdir", _) => self.removed(account, folder),
            ("rename", Some(remote)) => self.renamed(account, folder, remote),
            _ => Ok(()),
        }
    }

    fn removed(&mut self, account: AccountId, folder: FolderId) -> Result<()> {
        // It was called back meanwhile: it is made again.
        if self.count_ops(folder)? > 0 {
            self.reset(folder, 0)?;
            self.db.run(sql!("UPDATE folders SET remote = NULL WHERE id = ?1"), [folder])?;
            return Ok(());
        }
        self.drop_folder(account, folder)
    }

    /// The folder has another name on the wire, and all beneath it.
    fn renamed(&mut self, account: AccountId, folder: FolderId, remote: &str) -> Result<()> {
        // What lies beneath may be shown elsewhere already, by a later rename that the server has not heard of.
        let overlay = self.overlay(account)?;
        let rows = self.db.all(
            sql!("SELECT id, remote, path FROM folders WHERE account_id = ?1 AND remote IS NOT NULL"),
            [account],
            |row| {
                let path = overlay.told(&row.get::<_, String>(2)?);
                Ok((row.get::<_, FolderId>(0)?, row.get::<_, String>(1)?, path))
            },
        )?;
        let Some((_, old, above)) = rows.iter().find(|(id, ..)| *id == folder) else { return Ok(()) };
        for (id, name, path) in &rows {
            let Some(rest) = beneath(path, above).and(name.strip_prefix(old.as_str())) else { continue };
            let now = format!("{remote}{rest}");
            if now == *name {
                continue;
            }
            // A listing brought it under its new name: the row that was here first has what the user did.
            if let Some((twin, ..)) = rows.iter().find(|(other, name, _)| *name == now && other != id) {
                self.drop_folder(account, *twin)?;
            }
            self.db.run(sql!("UPDATE folders SET remote = ?2 WHERE id = ?1"), (id, now))?;
        }
        self.touched.accounts.insert(account);
        Ok(())
    }

    /// The server will not do it: what it hid is shown again.
    pub(super) fn shape_refused(&mut self, op: OpId) -> Result<()> {
        let shown = self.db.one(
            sql!("UPDATE folders SET leaving = 0 WHERE leaving = 1
                    AND id = (SELECT target_id FROM ops WHERE id = ?1 AND kind = 'rmdir') RETURNING account_id"),
            [op],
            |row| row.get::<_, AccountId>(0),
        )?;
        self.touched.accounts.extend(shown);
        Ok(())
    }

    /// It was given up: what it did here is taken back.
    pub(super) fn shape_given_up(&mut self, kind: &str, folder: FolderId, detail: &str) -> Result<()> {
        let Some(held) = self.shaped(folder)? else { return Ok(()) };
        let detail = Detail::read(detail);
        match (kind, detail) {
            ("rmdir", _) => {
                self.db.run(sql!("UPDATE folders SET leaving = 0 WHERE id = ?1"), [folder])?;
            }
            ("subscribe", Detail { on: Some(on), .. }) => {
                self.db.run(sql!("UPDATE folders SET subscribed = ?2 WHERE id = ?1"), (folder, !on))?;
            }
            ("rename", Detail { from: Some(from), to: Some(to), .. }) if held.path == to => {
                self.set_paths(held.account, &to, &from)?;
            }
            _ => {}
        }
        self.touched.accounts.insert(held.account);
        Ok(())
    }
}
