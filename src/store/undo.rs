//! Undo and redo: rows that outlive the program, by message and folder (promise A1).

use super::acts::Act;
use super::db::sql;
use super::intents::refused;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{FolderId, MessageId, Outcome, Place};

/// How far `u` reaches back.
const ACTIONS: i64 = 500;
const SECONDS: i64 = 7 * 86_400;

/// A row of `undo`.
struct Action {
    id: i64,
    label: String,
    acts: String,
}

impl Tx<'_> {
    /// Keeps what was done, and forgets what is too old, or was undone before it.
    pub(super) fn keep_for_undo(&self, label: &str, acts: &[Act]) -> Result<()> {
        let inverse: Vec<Act> = acts.iter().rev().filter_map(Act::inverse).collect();
        self.db.run(sql!("DELETE FROM undo WHERE undone > 0"), [])?;
        self.db.run(
            sql!("INSERT INTO undo (at, label, forward, inverse) VALUES (?1, ?2, ?3, ?4)"),
            (self.now, label, written(acts)?, written(&inverse)?),
        )?;
        self.db.run(sql!("DELETE FROM undo WHERE id <= ?1"), [self.db.last_id() - ACTIONS])?;
        self.db.run(sql!("DELETE FROM undo WHERE at < ?1"), [self.now - SECONDS])?;
        Ok(())
    }

    pub(super) fn undo(&mut self) -> Result<Outcome> {
        let action = self.db.one(
            sql!(
                "SELECT id, label, inverse FROM undo WHERE undone = 0 AND at >= ?1 ORDER BY id DESC LIMIT 1"
            ),
            [self.now - SECONDS],
            Action::read,
        )?;
        let Some(action) = action else { return Ok(refused("nothing to undo")) };
        let Some(place) = self.replay(&action)? else {
            return Ok(refused(&format!("could not undo: {}: the mail is not there any more", action.label)));
        };
        self.db.run(
            sql!("UPDATE undo SET undone = (SELECT max(undone) + 1 FROM undo) WHERE id = ?1"),
            [action.id],
        )?;
        Ok(outcome("undid", &action.label, place))
    }

    pub(super) fn redo(&mut self) -> Result<Outcome> {
        let action = self.db.one(
            sql!("SELECT id, label, forward FROM undo WHERE undone > 0 ORDER BY undone DESC LIMIT 1"),
            [],
            Action::read,
        )?;
        let Some(action) = action else { return Ok(refused("nothing to redo")) };
        let Some(place) = self.replay(&action)? else {
            return Ok(refused(&format!("could not redo: {}: the mail is not there any more", action.label)));
        };
        self.db.run(sql!("UPDATE undo SET undone = 0 WHERE id = ?1"), [action.id])?;
        Ok(outcome("redid", &action.label, place))
    }

    /// Performs the acts; says where. An action that has no effect any more is forgotten, so that the next
    /// press reaches the one before it.
    fn replay(&mut self, action: &Action) -> Result<Option<Place>> {
        let acts: Vec<Act> = serde_json::from_str(&action.acts)
            .map_err(|e| Error::new(Kind::Store, "an action cannot be read back").because(e))?;
        let mut first: Option<(FolderId, MessageId)> = None;
        for act in &acts {
            let done = self.perform(act)?;
            first = first.or(done.first().copied());
        }
        if first.is_none() {
            self.db.run(sql!("DELETE FROM undo WHERE id = ?1"), [action.id])?;
        }
        Ok(first.map(|(folder, message)| Place { folder, message }))
    }
}

impl Action {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, label: row.get(1)?, acts: row.get(2)? })
    }
}

fn outcome(verb: &str, label: &str, place: Place) -> Outcome {
    Outcome { label: format!("{verb}: {label}"), undoable: verb == "redid", place: Some(place), error: None }
}

fn written(acts: &[Act]) -> Result<String> {
    serde_json::to_string(acts)
        .map_err(|e| Error::new(Kind::Bug, "could not write an action down").because(e))
}
