//! Servers whose folders are labels (Gmail): one mail in any number of them, and in the folder of all mail besides.
//!
//! There a mail that is taken out of a folder is still in the folder of all mail; only in Trash and Junk, which it
//! is in alone, can it be deleted for good. Copies of one mail are one message here as on any server; what differs
//! is that a folder has a mail once, whatever is put there.

use std::collections::BTreeSet;

use super::acts::Act;
use super::db::sql;
use super::places::Placement;
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId, OpId, PlacementId, Role};

impl Reader {
    /// Whether the folders of an account are labels, as its server told last.
    pub fn has_labels(&self, account: AccountId) -> Result<bool> {
        let found =
            self.0.one(sql!("SELECT labels FROM accounts WHERE id = ?1"), [account], |row| row.get(0))?;
        Ok(found.unwrap_or(false))
    }

    /// Whether some mail of an account goes by this name that its server gave (X-GM-MSGID).
    pub fn has_remote(&self, account: AccountId, remote: &str) -> Result<bool> {
        let found = self.0.one(
            sql!("SELECT 1 FROM messages WHERE account_id = ?1 AND remote_id = ?2"),
            (account, remote),
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The folders of a server with labels in which an operation changes something beside those that it names.
    pub fn beside(&self, op: OpId) -> Result<Vec<FolderId>> {
        let folders: Vec<FolderId> = self.0.all(
            sql!(
                "SELECT q.folder_id FROM op_items i JOIN placements p ON p.id = i.placement_id
                  JOIN placements q ON q.message_id = p.message_id JOIN folders f ON f.id = q.folder_id
                  WHERE i.op_id = ?1 AND q.uid IS NOT NULL AND q.folder_id <> p.folder_id AND f.remote IS NOT NULL"
            ),
            [op],
            |row| row.get(0),
        )?;
        Ok(folders.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
    }
}

impl Tx<'_> {
    /// What the server told of its folders.
    pub(super) fn told_labels(&self, account: AccountId, labels: bool) -> Result<()> {
        self.db.run(sql!("UPDATE accounts SET labels = ?2 WHERE id = ?1"), (account, labels))?;
        Ok(())
    }

    pub(super) fn has_labels(&self, account: AccountId) -> Result<bool> {
        let found =
            self.db.one(sql!("SELECT labels FROM accounts WHERE id = ?1"), [account], |row| row.get(0))?;
        Ok(found.unwrap_or(false))
    }

    /// The folder of all mail of an account with labels.
    pub(super) fn all_mail(&self, account: AccountId) -> Result<Option<FolderId>> {
        if !self.has_labels(account)? {
            return Ok(None);
        }
        self.db.one(
            sql!("SELECT id FROM folders WHERE account_id = ?1 AND role = ?2 AND role <> ''"),
            (account, Role::All.name()),
            |row| row.get(0),
        )
    }

    /// Whether a mail that is in this folder is in no other.
    fn is_alone_in(&self, folder: FolderId) -> Result<bool> {
        let role = self
            .db
            .one(sql!("SELECT role FROM folders WHERE id = ?1"), [folder], |row| row.get::<_, String>(0))?;
        let role = role.and_then(|role| Role::from_name(&role));
        Ok(matches!(role, Some(Role::Trash | Role::Junk)))
    }

    /// Whether mail can be deleted from this folder for good.
    pub(super) fn deletes_in(&self, account: AccountId, folder: FolderId) -> Result<bool> {
        Ok(!self.has_labels(account)? || self.is_alone_in(folder)?)
    }

    /// Whether mail that goes from one folder to another stays in the first one, too: all mail does.
    pub(super) fn stays(&self, account: AccountId, from: FolderId, to: FolderId) -> Result<bool> {
        Ok(self.all_mail(account)? == Some(from) && !self.is_alone_in(to)?)
    }

    /// Puts mail of the folder of all mail into another: what is queued to take it out of that one is taken back
    /// if it was never tried, else it gets there anew.
    pub(super) fn give_label(
        &mut self,
        account: AccountId,
        from: FolderId,
        to: FolderId,
        copies: &[Placement],
    ) -> Result<Vec<Act>> {
        let (mut back, mut rest) = (Vec::new(), Vec::new());
        for copy in copies {
            if self.cancel_move(copy, to)? {
                back.push(copy.message);
                continue;
            }
            match self.untouched_leave(copy, to)? {
                Some((op, source)) if self.copy_in(to, copy.message)?.is_none() => {
                    self.drop_item(op, source)?;
                    self.db
                        .run(sql!("UPDATE placements SET hidden = hidden & ~1 WHERE id = ?1"), [source])?;
                    self.touched.message(copy.message);
                    back.push(copy.message);
                }
                _ => rest.push(*copy),
            }
        }
        let mut acts = self.copy_copies(account, from, to, &rest)?;
        if !back.is_empty() {
            acts.push(Act::Copy { from, to, messages: back });
        }
        self.touched.folders.extend([from, to]);
        Ok(acts)
    }

    /// The item that takes a mail out of a folder and nothing else, if it was never tried.
    fn untouched_leave(&self, copy: &Placement, home: FolderId) -> Result<Option<(OpId, PlacementId)>> {
        self.db.one(
            sql!(
                "SELECT i.op_id, p.id FROM placements p JOIN op_items i ON i.placement_id = p.id
                  JOIN ops o ON o.id = i.op_id
                  WHERE p.message_id = ?1 AND p.folder_id = ?2 AND o.kind = 'move' AND i.result_id IS NULL
                    AND ((o.state = 'queued' AND o.tries = 0) OR o.state = 'conflict')"
            ),
            (copy.message, home),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Those of the copies that vanished whose mail is nowhere else on its server: a label that was taken off
    /// mail is no loss.
    pub(super) fn lost(&self, folder: FolderId, gone: &[Placement]) -> Result<usize> {
        let Some(account) = self.account_if_there(folder)? else { return Ok(gone.len()) };
        if !self.has_labels(account)? {
            return Ok(gone.len());
        }
        let mut lost = 0;
        for placement in gone {
            let elsewhere = self.db.one(
                sql!(
                    "SELECT 1 FROM placements WHERE message_id = ?1 AND folder_id <> ?2 AND uid IS NOT NULL
                      AND stale = 0 LIMIT 1"
                ),
                (placement.message, folder),
                |_| Ok(()),
            )?;
            lost += usize::from(elsewhere.is_none());
        }
        Ok(lost)
    }
}
