//! What changing flags and tags does: the effect here, and the operation that tells the server.

use std::collections::BTreeMap;

use super::acts::Act;
use super::db::sql;
use super::flags::marks_from;
use super::places::Placement;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FlagDelta, Flags, FolderId, Marking, OpId, Owner};

/// What really changes on a copy, as a key: flags added and removed, tags set and cleared.
type Key = (i64, i64, Vec<String>, Vec<String>);

impl Tx<'_> {
    /// Changes flags and tags; returns what really changed.
    pub(super) fn change_marks(&mut self, copies: &[Placement], marks: &Marking) -> Result<Vec<Act>> {
        let marks =
            Marking { tag: self.spelled(&marks.tag)?, untag: self.spelled(&marks.untag)?, ..marks.clone() };
        let mut groups: BTreeMap<(FolderId, Key), Vec<Placement>> = BTreeMap::new();
        for copy in copies {
            let after = marks.flags.apply(copy.flags);
            let (tag, untag) = self.news_of(copy.id, &marks)?;
            let key = ((after & !copy.flags).bits(), (copy.flags & !after).bits(), tag, untag);
            if key != Key::default() {
                groups.entry((copy.folder, key)).or_default().push(*copy);
            }
        }
        let mut acts = Vec::new();
        for ((folder, (add, del, tag, untag)), copies) in groups {
            let flags = FlagDelta { add: Flags::from_bits(add), del: Flags::from_bits(del) };
            let change = Marking { flags, tag, untag };
            let account = self.account_of(folder)?;
            let is_local = self.owner(account)? == Owner::Here;
            let mut op = None;
            for copy in &copies {
                let flags = change.flags.apply(copy.flags);
                let base = if is_local { flags } else { copy.base };
                self.db.run(
                    sql!("UPDATE placements SET flags = ?2, base = ?3 WHERE id = ?1"),
                    (copy.id, flags, base),
                )?;
                self.change_tags(copy.id, &change, is_local)?;
                self.touched.message(copy.message);
                if is_local || self.cancel_marks(copy, &change)? {
                    continue;
                }
                let op = match op {
                    Some(op) => op,
                    None => *op.insert(self.queue_marks(account, folder, &change)?),
                };
                self.add_item(op, copy.id, None)?;
            }
            self.touched.folders.insert(folder);
            let copies = copies.iter().map(|copy| (copy.folder, copy.message)).collect();
            acts.push(Act::Flag { delta: change, copies });
        }
        Ok(acts)
    }

    fn queue_marks(&mut self, account: AccountId, folder: FolderId, change: &Marking) -> Result<OpId> {
        self.queue(account, "flags", Some(folder), None, &written(change)?)
    }

    /// Cancels the last thing that is queued for a copy, if it is the opposite of `change`.
    fn cancel_marks(&mut self, copy: &Placement, change: &Marking) -> Result<bool> {
        let last = self.db.one(
            sql!(
                "SELECT o.id, o.kind, o.detail, o.account_id,
                    (o.state = 'queued' AND o.tries = 0) OR o.state = 'conflict'
                  FROM op_items i JOIN ops o ON o.id = i.op_id WHERE i.placement_id = ?1
                  ORDER BY i.op_id DESC LIMIT 1"
            ),
            [copy.id],
            |row| {
                Ok((
                    row.get::<_, OpId>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, AccountId>(3)?,
                    row.get::<_, bool>(4)?,
                ))
            },
        )?;
        let Some((op, kind, detail, account, true)) = last else { return Ok(false) };
        if kind != "flags" || marks_from(&detail)? != change.inverse() {
            return Ok(false);
        }
        self.drop_item(op, copy.id)?;
        self.touched.ops.insert(account);
        // What the server has, and what else is queued. Of a copy that is not on the server yet nothing was
        // heard since, and what was queued for its source is not queued for it.
        if let Some(now) = self.placement(copy.id)?.filter(|now| now.uid.is_some()) {
            self.set_base(&now, now.base)?;
            self.settle_tags(now.id, &change.untag)?;
        }
        Ok(true)
    }

    /// The server keeps none of these tags where an operation lies: they stay here only (promise A8).
    pub(super) fn unkept(&mut self, op: OpId, tags: &[String]) -> Result<()> {
        let detail =
            self.db.one(sql!("SELECT detail FROM ops WHERE id = ?1 AND kind = 'flags'"), [op], |row| {
                row.get::<_, String>(0)
            })?;
        let Some(detail) = detail else { return Ok(()) };
        let mut marks = marks_from(&detail)?;
        let unkept = Marking { tag: tags.to_vec(), ..Marking::default() };
        marks.tag.retain(|tag| unkept.of_tag(tag).is_none());
        marks.untag.retain(|tag| unkept.of_tag(tag).is_none());
        self.db.run(sql!("UPDATE ops SET detail = ?2 WHERE id = ?1"), (op, written(&marks)?))?;
        Ok(())
    }
}

fn written(marks: &Marking) -> Result<String> {
    serde_json::to_string(marks)
        .map_err(|e| Error::new(Kind::Bug, "could not write a change of flags down").because(e))
}
