//! Undo and redo: rows that outlive the program, by message and folder (promise A1).

use std::collections::HashSet;

use super::acts::Act;
use super::db::sql;
use super::intents::refused;
use super::shape::Shape;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, MessageId, Outcome, Place};

/// How far `u` reaches back.
const ACTIONS: i64 = 500;
const SECONDS: i64 = 7 * 86_400;

/// Back or forth.
struct Way {
    verb: &'static str,
    did: &'static str,
    takes_back: bool,
}

const UNDO: Way = Way { verb: "undo", did: "undid", takes_back: true };
const REDO: Way = Way { verb: "redo", did: "redid", takes_back: false };

/// A row of `undo`.
struct Action {
    id: i64,
    label: String,
    acts: String,
}

impl Tx<'_> {
    /// Keeps what was done, and forgets what is too old, or was undone before it.
    pub(super) fn keep_for_undo(&mut self, label: &str, acts: &[Act]) -> Result<()> {
        let inverse: Vec<Act> = acts.iter().rev().filter_map(Act::inverse).collect();
        self.db.run(sql!("DELETE FROM undo WHERE undone > 0"), [])?;
        self.db.run(
            sql!("INSERT INTO undo (at, label, forward, inverse) VALUES (?1, ?2, ?3, ?4)"),
            (self.now, label, written(acts)?, written(&inverse)?),
        )?;
        let id = self.db.last_id();
        self.name_ops(id)?;
        self.db.run(sql!("DELETE FROM undo WHERE id <= ?1"), [id - ACTIONS])?;
        self.db.run(sql!("DELETE FROM undo WHERE at < ?1"), [self.now - SECONDS])?;
        Ok(())
    }

    /// The operations of this action say which it is.
    fn name_ops(&mut self, id: i64) -> Result<()> {
        for op in std::mem::take(&mut self.queued) {
            self.db.run(sql!("UPDATE ops SET undo_id = ?2 WHERE id = ?1"), (op, id))?;
        }
        Ok(())
    }

    /// Takes this very action back, whatever was done since.
    pub(super) fn undo_action(&mut self, id: i64) -> Result<Outcome> {
        self.take(&UNDO, |tx| {
            tx.db.one(
                sql!("SELECT id, label, inverse FROM undo WHERE id = ?1 AND undone = 0"),
                [id],
                Action::read,
            )
        })
    }

    pub(super) fn undo(&mut self) -> Result<Outcome> {
        let since = self.now - SECONDS;
        self.take(&UNDO, |tx| {
            tx.db.one(
                sql!(
                    "SELECT id, label, inverse FROM undo WHERE undone = 0 AND at >= ?1 ORDER BY id DESC LIMIT 1"
                ),
                [since],
                Action::read,
            )
        })
    }

    pub(super) fn redo(&mut self) -> Result<Outcome> {
        self.take(&REDO, |tx| {
            tx.db.one(
                sql!("SELECT id, label, forward FROM undo WHERE undone > 0 ORDER BY undone DESC LIMIT 1"),
                [],
                Action::read,
            )
        })
    }

    /// Takes the next action that still has an object. One whose mail is all gone for good is forgotten on the
    /// way; one whose mail is elsewhere is forgotten too, but said, as an older one must not run in its place.
    fn take(&mut self, way: &Way, next: impl Fn(&Self) -> Result<Option<Action>>) -> Result<Outcome> {
        let mut passed: Option<String> = None;
        while let Some(action) = next(self)? {
            let acts: Vec<Act> = serde_json::from_str(&action.acts)
                .map_err(|e| Error::new(Kind::Store, "an action cannot be read back").because(e))?;
            let (done, shaped) = self.replay(&acts)?;
            let place = done.first().map(|(folder, message)| Place { folder: *folder, message: *message });
            if place.is_none() && !shaped {
                self.db.run(sql!("DELETE FROM undo WHERE id = ?1"), [action.id])?;
                let why = format!("could not {}: {}", way.verb, action.label);
                if acts.iter().all(|act| matches!(act, Act::Shape(_))) {
                    return Ok(refused(&format!("{why}: the folder is not as it was then")));
                }
                if self.any_left(&acts)? {
                    return Ok(refused(&format!("{why}: the mail is not there any more")));
                }
                passed.get_or_insert(format!("{why}: the mail is gone for good"));
                continue;
            }
            if way.takes_back {
                self.db.run(
                    sql!("UPDATE undo SET undone = (SELECT max(undone) + 1 FROM undo) WHERE id = ?1"),
                    [action.id],
                )?;
            } else {
                self.db.run(sql!("UPDATE undo SET undone = 0 WHERE id = ?1"), [action.id])?;
                self.name_ops(action.id)?;
            }
            let (did, all) =
                (distinct(done.iter().map(|(_, m)| *m)), distinct(acts.iter().flat_map(Act::messages)));
            let part = if did < all { format!(" {did} of {all}") } else { String::new() };
            return Ok(Outcome {
                label: format!("{}{part}: {}", way.did, action.label),
                undoable: !way.takes_back,
                place,
                error: None,
            });
        }
        Ok(refused(&passed.unwrap_or_else(|| format!("nothing to {}", way.verb))))
    }

    /// Performs the acts as far as their mail is there; says on which copies, and whether folders or drafts changed.
    fn replay(&mut self, acts: &[Act]) -> Result<(Vec<(FolderId, MessageId)>, bool)> {
        let (mut done, mut shaped) = (Vec::new(), false);
        for act in acts {
            match act {
                Act::Shape(shape) => shaped |= self.perform_shape(shape)?,
                Act::Draft(binning) => shaped |= self.perform_binning(binning)?,
                act => done.extend(self.perform(act)?),
            }
        }
        Ok((done, shaped))
    }

    /// The folder that the user removed last at this path, as far as that can be taken back.
    pub(super) fn removed_folder(&self, account: AccountId, path: &str) -> Result<Option<FolderId>> {
        let forward =
            self.db.all(sql!("SELECT forward FROM undo WHERE undone = 0 ORDER BY id DESC"), [], |row| {
                row.get::<_, String>(0)
            })?;
        let acts = forward.iter().flat_map(|acts| serde_json::from_str::<Vec<Act>>(acts).unwrap_or_default());
        let removed = |act| match act {
            Act::Shape(Shape::Remove { account: of, folder, path: at }) => {
                (of == account && at == path).then_some(folder)
            }
            _ => None,
        };
        Ok(acts.into_iter().find_map(removed))
    }

    /// Whether any mail of the acts is still somewhere.
    fn any_left(&self, acts: &[Act]) -> Result<bool> {
        for message in acts.iter().flat_map(Act::messages) {
            if !self.copies(message)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Action {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, label: row.get(1)?, acts: row.get(2)? })
    }
}

fn distinct(messages: impl Iterator<Item = MessageId>) -> usize {
    messages.collect::<HashSet<_>>().len()
}

fn written(acts: &[Act]) -> Result<String> {
    serde_json::to_string(acts)
        .map_err(|e| Error::new(Kind::Bug, "could not write an action down").because(e))
}
