//! Tags of copies: as with flags, what the user sees (`here`) and what the server said last (`there`).
//!
//! They differ where something is queued, and where the server does not keep a tag: then it stays here.

use super::db::sql;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{Marking, PlacementId, is_same_tag};

/// A row of `placement_tags`, with the tag's name.
struct Tagged {
    tag: i64,
    name: String,
    here: bool,
    there: bool,
}

impl Tx<'_> {
    fn tags_of(&self, placement: PlacementId) -> Result<Vec<Tagged>> {
        self.db.all(
            sql!(
                "SELECT t.id, t.name, k.here, k.there FROM placement_tags k JOIN tags t ON t.id = k.tag_id
                  WHERE k.placement_id = ?1"
            ),
            [placement],
            |row| Ok(Tagged { tag: row.get(0)?, name: row.get(1)?, here: row.get(2)?, there: row.get(3)? }),
        )
    }

    /// The server's keywords of a copy, all of them. What is queued stays on top; what the server tells as it
    /// did before leaves a tag that is set or cleared here only as it is. Says whether the user sees a change.
    pub(super) fn told_keywords(&mut self, placement: PlacementId, keywords: &[String]) -> Result<bool> {
        let held = self.tags_of(placement)?;
        if held.is_empty() && keywords.is_empty() {
            return Ok(false);
        }
        let queued = self.queued_marks(placement)?;
        let mut seen = false;
        for row in &held {
            let there = keywords.iter().any(|keyword| is_same_tag(keyword, &row.name));
            let here = match wish(&queued, &row.name) {
                Some(wish) => wish,
                None if there == row.there => row.here,
                None => there,
            };
            if (here, there) != (row.here, row.there) {
                self.put_tag(placement, row.tag, here, there)?;
            }
            seen |= here != row.here;
        }
        for keyword in keywords {
            if !held.iter().any(|row| is_same_tag(&row.name, keyword)) {
                let here = wish(&queued, keyword).unwrap_or(true);
                let tag = self.tag_id(keyword)?;
                self.put_tag(placement, tag, here, true)?;
                seen |= here;
            }
        }
        Ok(seen)
    }

    /// What the server said last of the keywords of a copy.
    pub(super) fn keywords_there(&self, placement: PlacementId) -> Result<Vec<String>> {
        let rows = self.tags_of(placement)?;
        Ok(rows.into_iter().filter(|row| row.there).map(|row| row.name).collect())
    }

    /// Which of these tags are news to a copy: those to set, those to clear.
    pub(super) fn news_of(
        &self,
        placement: PlacementId,
        marks: &Marking,
    ) -> Result<(Vec<String>, Vec<String>)> {
        if marks.tag.is_empty() && marks.untag.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let rows = self.tags_of(placement)?;
        let has = |name: &String| rows.iter().any(|row| row.here && is_same_tag(&row.name, name));
        let tag = marks.tag.iter().filter(|name| !has(name)).cloned().collect();
        let untag = marks.untag.iter().filter(|name| has(name)).cloned().collect();
        Ok((tag, untag))
    }

    /// Sets and clears tags as the user sees them; where truth is here, that is all there is to it.
    pub(super) fn change_tags(&self, placement: PlacementId, change: &Marking, is_local: bool) -> Result<()> {
        for (name, here) in wishes(change) {
            let tag = self.tag_id(name)?;
            let there = if is_local { here } else { self.is_tagged(placement, tag)?.1 };
            self.put_tag(placement, tag, here, there)?;
        }
        Ok(())
    }

    /// The server has set and cleared these tags.
    pub(super) fn tags_done(&self, placement: PlacementId, change: &Marking) -> Result<()> {
        for (name, there) in wishes(change) {
            let tag = self.tag_id(name)?;
            let here = self.is_tagged(placement, tag)?.0;
            self.put_tag(placement, tag, here, there)?;
        }
        Ok(())
    }

    /// What was queued for these tags is not any more: what the server has counts, and what else is queued.
    pub(super) fn settle_tags(&self, placement: PlacementId, names: &[String]) -> Result<()> {
        let queued = if names.is_empty() { Vec::new() } else { self.queued_marks(placement)? };
        for name in names.iter().filter(|name| wish(&queued, name).is_none()) {
            let tag = self.tag_id(name)?;
            let (_, there) = self.is_tagged(placement, tag)?;
            self.put_tag(placement, tag, there, there)?;
        }
        Ok(())
    }

    /// A new copy of a mail has the tags of the old one.
    pub(super) fn copy_tags(&self, from: PlacementId, to: PlacementId) -> Result<()> {
        self.db.run(
            sql!(
                "INSERT OR REPLACE INTO placement_tags (tag_id, placement_id, here, there)
                  SELECT tag_id, ?2, here, there FROM placement_tags WHERE placement_id = ?1"
            ),
            (from, to),
        )?;
        Ok(())
    }

    /// These names as the tags are spelled that are here already, each once.
    pub(super) fn spelled(&self, names: &[String]) -> Result<Vec<String>> {
        let mut spelled: Vec<String> = Vec::new();
        for name in names {
            if !spelled.iter().any(|held| is_same_tag(held, name)) {
                let held = self.db.one(
                    sql!("SELECT name FROM tags WHERE name = ?1 COLLATE NOCASE ORDER BY id LIMIT 1"),
                    [name],
                    |row| row.get(0),
                )?;
                spelled.push(held.unwrap_or_else(|| name.clone()));
            }
        }
        spelled.sort_unstable();
        Ok(spelled)
    }

    fn tag_id(&self, name: &str) -> Result<i64> {
        let held = self.db.one(
            sql!("SELECT id FROM tags WHERE name = ?1 COLLATE NOCASE ORDER BY id LIMIT 1"),
            [name],
            |row| row.get(0),
        )?;
        if let Some(held) = held {
            return Ok(held);
        }
        self.db.run(sql!("INSERT INTO tags (name) VALUES (?1)"), [name])?;
        Ok(self.db.last_id())
    }

    /// Whether the user sees a tag on a copy, and whether the server has it there.
    fn is_tagged(&self, placement: PlacementId, tag: i64) -> Result<(bool, bool)> {
        let row = self.db.one(
            sql!("SELECT here, there FROM placement_tags WHERE tag_id = ?1 AND placement_id = ?2"),
            (tag, placement),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(row.unwrap_or_default())
    }

    fn put_tag(&self, placement: PlacementId, tag: i64, here: bool, there: bool) -> Result<()> {
        if here || there {
            self.db.run(
                sql!(
                    "INSERT OR REPLACE INTO placement_tags (tag_id, placement_id, here, there)
                      VALUES (?1, ?2, ?3, ?4)"
                ),
                (tag, placement, here, there),
            )?;
        } else {
            self.db.run(
                sql!("DELETE FROM placement_tags WHERE tag_id = ?1 AND placement_id = ?2"),
                (tag, placement),
            )?;
        }
        Ok(())
    }
}

/// What is queued for a tag: the last word counts.
fn wish(queued: &[Marking], name: &str) -> Option<bool> {
    queued.iter().rev().find_map(|marks| marks.of_tag(name))
}

fn wishes(change: &Marking) -> impl Iterator<Item = (&String, bool)> {
    change.tag.iter().map(|name| (name, true)).chain(change.untag.iter().map(|name| (name, false)))
}
