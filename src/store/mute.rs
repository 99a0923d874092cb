//! Muted conversations: a tag on each of their mails, and their names, which outlive the mails.

use std::collections::BTreeSet;

use super::acts::Act;
use super::db::sql;
use super::intents::{VANISHED, refused};
use super::places::Placement;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FlagDelta, Flags, MUTED, Marking, Outcome, PlacementId, ThreadId};

impl Tx<'_> {
    /// Mutes the conversations of these copies, which makes them read, or ends that.
    pub(super) fn mute(&mut self, items: &[PlacementId], on: bool) -> Result<Outcome> {
        let threads: BTreeSet<ThreadId> = self.visible(items)?.iter().map(|copy| copy.thread).collect();
        if threads.is_empty() {
            return Ok(refused(VANISHED));
        }
        let mut acts = Vec::new();
        for thread in &threads {
            let names = self.names_of(*thread)?;
            for (account, name) in names {
                match acts.last_mut() {
                    Some(Act::Mute { account: held, names, .. }) if *held == account => names.push(name),
                    _ => acts.push(Act::Mute { account, names: vec![name], on }),
                }
            }
        }
        for act in &acts {
            if let Act::Mute { account, names, .. } = act {
                self.note_mute(*account, names, on)?;
            }
        }
        for thread in &threads {
            let copies = self.copies_of_thread(*thread)?;
            acts.extend(self.change_marks(&copies, &marks(on))?);
        }
        let verb = if on { "muted" } else { "unmuted" };
        let what = if threads.len() == 1 { "conversation" } else { "conversations" };
        self.record(format!("{verb} {} {what}", threads.len()), acts)
    }

    fn note_mute(&self, account: AccountId, names: &[String], on: bool) -> Result<()> {
        for name in names {
            if on {
                self.db.run(
                    sql!("INSERT OR REPLACE INTO thread_edits (account_id, msgid, kind) VALUES (?1, ?2, 'mute')"),
                    (account, name),
                )?;
            } else {
                self.db.run(
                    sql!("DELETE FROM thread_edits WHERE account_id = ?1 AND msgid = ?2 AND kind = 'mute'"),
                    (account, name),
                )?;
            }
        }
        Ok(())
    }

    /// Does or undoes the muting of the conversations with these names; when undone, also for what came to them
    /// since.
    pub(super) fn perform_mute(&mut self, account: AccountId, names: &[String], on: bool) -> Result<()> {
        self.note_mute(account, names, on)?;
        if on {
            return Ok(());
        }
        let mut threads = BTreeSet::new();
        for name in names {
            let thread = self.db.one(
                sql!("SELECT thread_id FROM refs WHERE account_id = ?1 AND msgid = ?2"),
                (account, name),
                |row| row.get::<_, ThreadId>(0),
            )?;
            threads.extend(thread);
        }
        for thread in threads {
            let copies = self.copies_of_thread(thread)?;
            self.change_marks(&copies, &marks(false))?;
        }
        Ok(())
    }

    /// A mail came to this place: into a muted conversation it comes read.
    pub(super) fn hush(&mut self, account: AccountId, placement: PlacementId) -> Result<()> {
        // Asked for each mail that comes: without the tag nothing was ever muted.
        let Some(tag) = self.muted_tag()? else { return Ok(()) };
        let Some(copy) = self.placement(placement)? else { return Ok(()) };
        if !self.is_muted(account, copy.thread, tag)? {
            return Ok(());
        }
        for (account, name) in self.names_of(copy.thread)? {
            self.note_mute(account, &[name], true)?;
        }
        self.change_marks(&[copy], &marks(true)).map(drop)
    }

    /// Whether a conversation is muted: by the tag of any of its mails, which other devices set and clear too; where
    /// none was left, by its names.
    fn is_muted(&self, account: AccountId, thread: ThreadId, tag: i64) -> Result<bool> {
        let tagged = self.db.one(
            sql!("SELECT 1 FROM placements p CROSS JOIN placement_tags k ON k.tag_id = ?2 AND k.placement_id = p.id
                  WHERE p.thread_id = ?1 AND k.here = 1 LIMIT 1"),
            (thread, tag),
            |_| Ok(()),
        )?;
        if tagged.is_some() {
            return Ok(true);
        }
        let others = self.db.one(
            sql!("SELECT count(*) FROM (SELECT 1 FROM messages WHERE thread_id = ?1 LIMIT 2)"),
            [thread],
            |row| row.get::<_, i64>(0),
        )?;
        if others.is_some_and(|count| count > 1) {
            return Ok(false);
        }
        let named = self.db.one(
            sql!("SELECT 1 FROM refs r CROSS JOIN thread_edits e ON e.account_id = r.account_id AND e.msgid = r.msgid
                  WHERE r.thread_id = ?1 AND r.account_id = ?2 AND e.kind = 'mute' LIMIT 1"),
            (thread, account),
            |_| Ok(()),
        )?;
        Ok(named.is_some())
    }

    fn muted_tag(&self) -> Result<Option<i64>> {
        self.db.one(
            sql!("SELECT id FROM tags WHERE name = ?1 COLLATE NOCASE ORDER BY id LIMIT 1"),
            [MUTED],
            |row| row.get(0),
        )
    }

    /// The names that a conversation goes by.
    fn names_of(&self, thread: ThreadId) -> Result<Vec<(AccountId, String)>> {
        self.db.all(sql!("SELECT account_id, msgid FROM refs WHERE thread_id = ?1"), [thread], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// Every copy of every mail of a conversation that no op takes away.
    pub(super) fn copies_of_thread(&self, thread: ThreadId) -> Result<Vec<Placement>> {
        self.db.all(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE thread_id = ?1 AND (hidden & 1) = 0"),
            [thread],
            Placement::read,
        )
    }
}

fn marks(on: bool) -> Marking {
    let tags = vec![MUTED.to_owned()];
    if on {
        Marking { flags: FlagDelta::add(Flags::SEEN), tag: tags, untag: Vec::new() }
    } else {
        Marking { untag: tags, ..Marking::default() }
    }
}
