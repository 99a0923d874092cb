//! Mail that is put off: hidden where it lies until its time, then back on top and unread.

use std::collections::BTreeMap;

use super::acts::Act;
use super::db::sql;
use super::intents::{NO_CHANGE, VANISHED, refused};
use super::places::Placement;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{FlagDelta, Flags, FolderId, MessageId, Outcome, PlacementId};

/// `placements.hidden`: put off until its time.
pub(super) const SNOOZED: i64 = 2;

impl Tx<'_> {
    /// Puts copies off until a time, told as `said`; without a time those that are put off come back.
    pub(super) fn snooze(
        &mut self,
        items: &[PlacementId],
        until: Option<i64>,
        said: &str,
    ) -> Result<Outcome> {
        let copies = self.visible(items)?;
        if copies.is_empty() {
            return Ok(refused(VANISHED));
        }
        let mut folders: BTreeMap<FolderId, Vec<MessageId>> = BTreeMap::new();
        let mut acts = Vec::new();
        for copy in &copies {
            match (until, self.wakes_at(copy)?) {
                (Some(_), None) => folders.entry(copy.folder).or_default().push(copy.message),
                (Some(_), Some(was)) | (None, Some(was)) => {
                    acts.push(Act::Wake { folder: copy.folder, messages: vec![copy.message], until: was });
                    if until.is_some() {
                        folders.entry(copy.folder).or_default().push(copy.message);
                    }
                }
                (None, None) => {}
            }
        }
        if let Some(until) = until {
            acts.extend(folders.into_iter().map(|(folder, messages)| Act::Snooze {
                folder,
                messages,
                until,
            }));
        }
        if acts.is_empty() {
            return Ok(refused(NO_CHANGE));
        }
        for act in &acts {
            self.perform(act)?;
        }
        let label = match until {
            Some(_) => format!("snoozed {} until {said}", copies.len()),
            None => format!("woke {}", copies.len()),
        };
        self.record(label, acts)
    }

    /// Hides a copy until its time.
    pub(super) fn put_off(&mut self, copy: &Placement, until: i64) -> Result<()> {
        // A mail is put off in one folder at a time.
        for other in self.copies(copy.message)?.iter().filter(|other| other.hidden & SNOOZED != 0) {
            self.bring_back(other)?;
        }
        self.forget_snooze(copy.message)?;
        self.db.run(
            sql!("INSERT OR REPLACE INTO snoozes (message_id, wake_at, folder_id) VALUES (?1, ?2, ?3)"),
            (copy.message, until, copy.folder),
        )?;
        self.set_snoozed(copy, true)
    }

    /// Shows a copy again where it was; of one that is not put off nothing changes.
    pub(super) fn bring_back(&mut self, copy: &Placement) -> Result<()> {
        if copy.hidden & SNOOZED == 0 {
            return Ok(());
        }
        self.forget_snooze(copy.message)?;
        self.set_snoozed(copy, false)
    }

    /// It is put off nowhere, not even where it is about to go from: it may stay there after all.
    fn forget_snooze(&mut self, message: MessageId) -> Result<()> {
        self.db.run(sql!("DELETE FROM snoozes WHERE message_id = ?1"), [message])?;
        self.db.run(
            sql!("UPDATE placements SET hidden = hidden & ~2 WHERE message_id = ?1 AND (hidden & 2) = 2"),
            [message],
        )?;
        Ok(())
    }

    fn set_snoozed(&mut self, copy: &Placement, on: bool) -> Result<()> {
        self.db.run(
            sql!("UPDATE placements SET hidden = (hidden & ~2) | ?2 WHERE id = ?1"),
            (copy.id, if on { SNOOZED } else { 0 }),
        )?;
        self.touched.folders.insert(copy.folder);
        self.touched.message(copy.message);
        Ok(())
    }

    /// Brings back what is due: on top, unread.
    pub(super) fn wake_due(&mut self) -> Result<()> {
        let due = self.db.all(
            sql!("SELECT message_id, folder_id FROM snoozes WHERE wake_at <= ?1 ORDER BY wake_at"),
            [self.now],
            |row| Ok((row.get::<_, MessageId>(0)?, row.get::<_, FolderId>(1)?)),
        )?;
        let unread = FlagDelta::del(Flags::SEEN).into();
        for (message, folder) in due {
            // What was moved on another device is where it was moved to.
            let copies = self.copies(message)?;
            self.forget_snooze(message)?;
            for copy in copies {
                if copy.folder != folder || copy.hidden & SNOOZED == 0 {
                    continue;
                }
                self.touched.folders.insert(copy.folder);
                self.touched.message(copy.message);
                self.db.run(
                    sql!("UPDATE placements SET sort_at = max(sort_at, ?2) WHERE id = ?1"),
                    (copy.id, self.now),
                )?;
                self.change_marks(&[copy], &unread)?;
            }
        }
        Ok(())
    }

    /// A mail came into this folder: what was put off of its conversation there comes back with it.
    pub(super) fn answer_wakes(&mut self, placement: PlacementId) -> Result<()> {
        let some =
            self.db.one(sql!("SELECT 1 FROM snoozes WHERE wake_at > ?1 LIMIT 1"), [i64::MIN], |_| Ok(()))?;
        if some.is_none() {
            return Ok(());
        }
        let Some(copy) = self.placement(placement)? else { return Ok(()) };
        for other in self.copies_of_thread(copy.thread)? {
            if other.folder == copy.folder && other.hidden & SNOOZED != 0 {
                self.bring_back(&other)?;
            }
        }
        Ok(())
    }

    fn wakes_at(&self, copy: &Placement) -> Result<Option<i64>> {
        if copy.hidden & SNOOZED == 0 {
            return Ok(None);
        }
        self.db
            .one(sql!("SELECT wake_at FROM snoozes WHERE message_id = ?1"), [copy.message], |row| row.get(0))
    }
}
