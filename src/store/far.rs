//! Mail between accounts (promise I13): the message and its bytes are copied here at once, put on the other
//! server by an operation, and leave the first account only after that was confirmed.

use super::acts::Act;
use super::db::sql;
use super::places::{AWAITED, LEAVING, Placement};
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId, Mark, MessageId, OpId, Owner, PlacementId};

/// What is written down of a message that is put on a server: `ops.detail`.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Appending {
    /// Where its folder ended before the first try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<Mark>,
}

impl Appending {
    pub(super) fn read(detail: &str) -> Self {
        // Whatever else is written there is of no use: it is marked anew.
        serde_json::from_str(detail).unwrap_or_default()
    }
}

/// Copies of mail on their way to a folder of another account.
pub(super) struct Far<'a> {
    pub(super) from: FolderId,
    pub(super) to: FolderId,
    /// Each with the row that its message has there, if it was there before.
    pub(super) copies: &'a [(Placement, Option<MessageId>)],
    /// Whether they leave their folder.
    pub(super) away: bool,
}

impl Tx<'_> {
    /// Moves or copies to a folder of another account; returns what really went.
    pub(super) fn send_far(&mut self, far: &Far<'_>) -> Result<Vec<Act>> {
        let (here, there) = (self.account_of(far.from)?, self.account_of(far.to)?);
        let mut pairs = Vec::new();
        for &(copy, wanted) in far.copies {
            let wanted = match wanted {
                Some(wanted) => Some(wanted),
                None => self.former(copy.message, there)?,
            };
            let back = if far.away { self.call_back(here, &copy, far.to, wanted)? } else { None };
            let twin = match back {
                Some(back) => back,
                None => {
                    // Of mail that is here only, what is not here is nowhere.
                    if self.owner(here)? == Owner::Here && !self.is_whole(copy.message)? {
                        continue;
                    }
                    let twin = self.twin(copy.message, there, wanted)?;
                    if !far.away && self.copy_in(far.to, twin)?.is_some() {
                        continue;
                    }
                    let op = self.arrive(&copy, twin, there, far.to)?;
                    if far.away {
                        self.depart(here, &copy, op)?;
                    } else if op.is_some() {
                        // Its body may have to be fetched first.
                        self.touched.ops.insert(here);
                    }
                    twin
                }
            };
            self.touched.message(copy.message);
            self.touched.message(twin);
            pairs.push((copy.message, twin));
        }
        self.touched.folders.extend([far.from, far.to]);
        let Far { from, to, away, .. } = *far;
        Ok(if pairs.is_empty() { Vec::new() } else { vec![Act::Far { from, to, pairs, away }] })
    }

    /// Takes back what a copy to another account made; says whether there was something to take back. The
    /// copy stays if it is the last there is.
    pub(super) fn take_back(&mut self, to: FolderId, source: MessageId, copy: &Placement) -> Result<bool> {
        if self.copies(source)?.is_empty() {
            return Ok(false);
        }
        match self.untried_append(copy)? {
            Some(op) => self.drop_append(op, copy)?,
            None => {
                let account = self.account_of(to)?;
                self.delete_copies(account, to, &[*copy])?;
            }
        }
        Ok(true)
    }

    /// Where a copy is about to go back to the folder that it came from: cancels what is not done of its
    /// coming. The message there; `None`: it is all done.
    fn call_back(
        &mut self,
        here: AccountId,
        copy: &Placement,
        home: FolderId,
        wanted: Option<MessageId>,
    ) -> Result<Option<MessageId>> {
        if let Some(op) = self.untried_append(copy)? {
            let half = self.db.one(
                sql!(
                    "SELECT o.id, i.placement_id FROM ops o JOIN op_items i ON i.op_id = o.id
                      WHERE o.after_id IS NOT NULL AND o.after_id = ?1"
                ),
                [op],
                |row| Ok((row.get::<_, OpId>(0)?, row.get::<_, PlacementId>(1)?)),
            )?;
            if let Some((half, source)) = half
                && let Some(source) = self.placement(source)?.filter(|source| source.folder == home)
            {
                self.stay(half, &source, copy)?;
                self.drop_append(op, copy)?;
                return Ok(Some(source.message));
            }
        }
        // It is there, or perhaps: but the source has not gone yet.
        let Some(wanted) = wanted else { return Ok(None) };
        let half = self.db.one(
            sql!(
                "SELECT o.id, p.id FROM placements p JOIN op_items i ON i.placement_id = p.id
                  JOIN ops o ON o.id = i.op_id WHERE p.message_id = ?1 AND p.folder_id = ?2 AND o.kind = 'delete'
                    AND o.target_id IS NOT NULL
                    AND ((o.state = 'queued' AND o.tries = 0) OR o.state = 'conflict') LIMIT 1"
            ),
            (wanted, home),
            |row| Ok((row.get::<_, OpId>(0)?, row.get::<_, PlacementId>(1)?)),
        )?;
        let Some((half, source)) = half else { return Ok(None) };
        let Some(source) = self.placement(source)? else { return Ok(None) };
        self.stay(half, &source, copy)?;
        self.delete_copies(here, copy.folder, &[*copy])?;
        Ok(Some(source.message))
    }

    /// The operation that will put this copy on its server, if it was never tried and nothing builds on it.
    pub(super) fn untried_append(&self, copy: &Placement) -> Result<Option<OpId>> {
        self.db.one(
            sql!(
                "SELECT o.id FROM op_items i JOIN ops o ON o.id = i.op_id
                  WHERE i.placement_id = ?1 AND o.kind = 'append'
                    AND ((o.state = 'queued' AND o.tries = 0) OR o.state = 'conflict')
                    AND NOT EXISTS (SELECT 1 FROM op_items WHERE placement_id = ?1 AND op_id <> o.id)"
            ),
            [copy.id],
            |row| row.get(0),
        )
    }

    pub(super) fn drop_append(&mut self, op: OpId, copy: &Placement) -> Result<()> {
        self.drop_item(op, copy.id)?;
        self.remove(copy)
    }

    /// A source does not leave after all. It keeps the row that its copy elsewhere had: that is the name of the
    /// mail there for what was done before.
    fn stay(&mut self, half: OpId, source: &Placement, copy: &Placement) -> Result<()> {
        self.drop_item(half, source.id)?;
        let elsewhere = self.account_of(copy.folder)?;
        self.db.run(
            sql!("UPDATE messages SET former_id = ?2, former_account = ?3 WHERE id = ?1"),
            (source.message, copy.message, elsewhere),
        )?;
        self.db
            .run(sql!("UPDATE placements SET hidden = hidden & ~?2 WHERE id = ?1"), (source.id, LEAVING))?;
        self.touched.folders.insert(source.folder);
        self.touched.message(source.message);
        Ok(())
    }

    /// Gives a mail its place in a folder of another account. The operation that has to put it there; `None`:
    /// it is there.
    fn arrive(
        &mut self,
        copy: &Placement,
        twin: MessageId,
        there: AccountId,
        to: FolderId,
    ) -> Result<Option<OpId>> {
        self.db.run(
            sql!(
                "INSERT INTO placements (folder_id, message_id, thread_id, sort_at, flags, base)
                  SELECT ?1, id, thread_id, ?3, ?4, ?4 FROM messages WHERE id = ?2"
            ),
            (to, twin, copy.sort_at, copy.flags),
        )?;
        let place = PlacementId(self.db.last_id());
        let is_local = self.owner(there)? == Owner::Here;
        // Whether the server keeps a keyword is told by the next look at its folder.
        self.db.run(
            sql!(
                "INSERT INTO placement_tags (tag_id, placement_id, here, there)
                  SELECT tag_id, ?2, 1, ?3 FROM placement_tags WHERE placement_id = ?1 AND here = 1"
            ),
            (copy.id, place, is_local),
        )?;
        let whole = self.is_whole(twin)?;
        if is_local && whole {
            return Ok(None);
        }
        let op = self.queue(there, "append", None, Some(to), "{}")?;
        self.add_item(op, place, None)?;
        if !whole {
            self.db.run(sql!("UPDATE ops SET from_id = ?2 WHERE id = ?1"), (op, copy.message))?;
        }
        Ok(Some(op))
    }

    /// Takes a copy out of its folder, once the operation `after` has put it elsewhere.
    pub(super) fn depart(&mut self, here: AccountId, copy: &Placement, after: Option<OpId>) -> Result<()> {
        if self.owner(here)? == Owner::Here && after.is_none() {
            return self.leave(copy);
        }
        // The target says that it is one half of a move.
        let op = self.queue(here, "delete", Some(copy.folder), Some(copy.folder), "{}")?;
        self.db.run(sql!("UPDATE ops SET after_id = ?2 WHERE id = ?1"), (op, after))?;
        self.hide(copy.id)?;
        self.add_item(op, copy.id, None)
    }

    /// A copy of an account without a server of its own goes: for its maildrop that is a deletion for good.
    fn leave(&mut self, copy: &Placement) -> Result<()> {
        if self.copies(copy.message)?.iter().all(|other| other.id == copy.id) {
            self.want_deleted(copy.message)?;
        }
        self.remove(copy)
    }

    /// A mail is on its server, under `uid` if that was told: what waited for that goes on.
    pub(super) fn appended(&mut self, op: OpId, pending: &Placement, uid: Option<u32>) -> Result<()> {
        let held = match uid {
            Some(uid) => self.by_uid(pending.folder, uid)?,
            None => None,
        };
        match (pending.uid, uid, held) {
            // A pull found it.
            (Some(_), ..) => {}
            (None, Some(_), Some(held)) => {
                // What was done to the mail is known by the row that it was put there from.
                self.db.run(
                    sql!("UPDATE placements SET message_id = ?2, thread_id = ?3 WHERE id = ?1"),
                    (held.id, pending.message, pending.thread),
                )?;
                let same = Placement { message: pending.message, thread: pending.thread, ..held };
                self.unite(pending, &same)?;
                if held.message != pending.message {
                    self.forget_unplaced(held.message)?;
                }
            }
            (None, Some(uid), None) => self.set_uid(pending.id, uid)?,
            (None, None, _) => {
                let account = self.account_of(pending.folder)?;
                // Here it has no UID, and no look at a server is to show it.
                if self.owner(account)? == Owner::Server {
                    self.db
                        .run(sql!("UPDATE placements SET stale = ?2 WHERE id = ?1"), (pending.id, AWAITED))?;
                    self.in_doubt.remove(&pending.folder);
                }
            }
        }
        self.touched.folders.insert(pending.folder);
        self.release(op)
    }

    /// What waited for this operation may go on.
    fn release(&mut self, op: OpId) -> Result<()> {
        let waiting = self.db.all(
            sql!("SELECT id, account_id FROM ops WHERE after_id IS NOT NULL AND after_id = ?1"),
            [op],
            |row| Ok((row.get::<_, OpId>(0)?, row.get::<_, AccountId>(1)?)),
        )?;
        for (next, account) in waiting {
            self.touched.ops.insert(account);
            self.db.run(sql!("UPDATE ops SET after_id = NULL WHERE id = ?1"), [next])?;
            if self.owner(account)? == Owner::Server {
                continue;
            }
            // Nobody else will do it.
            let copies: Vec<PlacementId> = self.db.all(
                sql!("DELETE FROM op_items WHERE op_id = ?1 RETURNING placement_id"),
                [next],
                |row| row.get(0),
            )?;
            self.db.run(sql!("DELETE FROM ops WHERE id = ?1"), [next])?;
            for copy in copies {
                if let Some(copy) = self.placement(copy)? {
                    self.leave(&copy)?;
                }
            }
        }
        Ok(())
    }
}
