//! How the cursor of the list moves: by lines, pages, conversations, to what is unread.

use std::collections::HashSet;

use super::Advance;
use super::action::{Align, Fold, Motion};
use super::lines::Entry;
use super::list::List;
use crate::error::Result;
use crate::model::{Flags, Member, PlacementId, SortKey};
use crate::store::{Edge, Reader};

impl List {
    /// Moves the cursor.
    pub fn go(&mut self, db: &Reader, motion: Motion) -> Result<()> {
        let page = i64::try_from(self.height()).unwrap_or(1);
        match motion {
            Motion::Lines(n) => self.shift(db, n.into(), false)?,
            Motion::Halves(n) => self.shift(db, i64::from(n) * (page / 2).max(1), true)?,
            Motion::Pages(n) => self.shift(db, i64::from(n) * (page - 1).max(1), true)?,
            Motion::First => {
                if let Some(view) = self.view {
                    return self.open(db, view);
                }
            }
            Motion::Last => {
                if let Some(view) = self.view {
                    if !self.window.at_bottom {
                        self.open_at(db, view, Edge::Bottom)?;
                    }
                    self.cursor = self.lines.len().saturating_sub(1);
                    self.top = self.lines.len().saturating_sub(self.height());
                }
            }
        }
        self.reveal();
        self.moved(db)
    }

    /// Moves the cursor, and the view with it where `scroll`, reading more rows as they are needed.
    fn shift(&mut self, db: &Reader, by: i64, scroll: bool) -> Result<()> {
        let mut left = by;
        loop {
            let end = self.lines.len().saturating_sub(1);
            let room = if left < 0 { self.cursor } else { end - self.cursor.min(end) };
            let step = usize::try_from(left.unsigned_abs()).unwrap_or(usize::MAX).min(room);
            let signed = i64::try_from(step).unwrap_or(0) * left.signum();
            self.cursor = self.cursor.saturating_add_signed(isize::try_from(signed).unwrap_or(0));
            if scroll {
                let last = self.lines.len().saturating_sub(self.height());
                self.top = self.top.saturating_add_signed(isize::try_from(signed).unwrap_or(0)).min(last);
            }
            left -= signed;
            if !self.fill(db)? || left == 0 {
                return Ok(());
            }
        }
    }

    /// Puts the line under the cursor somewhere else on the screen.
    pub fn align(&mut self, db: &Reader, align: Align) -> Result<()> {
        let above = match align {
            Align::Top => 0,
            Align::Middle => self.height() / 2,
            Align::Bottom => self.height() - 1,
        };
        self.top = self.cursor.saturating_sub(above);
        self.fill(db)?;
        self.reveal();
        self.settle(db, false)
    }

    /// Folds or unfolds, the cursor staying on its mail or its conversation.
    pub fn fold(&mut self, db: &Reader, fold: Fold) -> Result<()> {
        let thread = self.current().map(|e| e.row().head.thread);
        let spots = self.lines.spots(&self.window.rows);
        let above = self.cursor.saturating_sub(self.top);
        self.folds.apply(fold, thread);
        self.lines.build(db, &self.window.rows, &self.folds, false)?;
        self.cursor = self.find_again(&spots, self.cursor);
        // A conversation that was just unfolded is read from its first mail.
        if let (Some(row), Some(Entry::Child(..))) = (self.lines.row_at(self.cursor), self.current())
            && spots.len() < self.lines.len()
        {
            self.cursor = self.lines.first_of(row);
        }
        self.top = self.cursor.saturating_sub(above);
        self.fill(db)?;
        self.reveal();
        self.settle(db, false)
    }

    /// To the first line of the conversation so many further down, or up when negative. Says whether there was one.
    pub fn step_thread(&mut self, db: &Reader, by: i32) -> Result<bool> {
        let before = self.spot();
        for _ in 0..by.unsigned_abs() {
            let Some(row) = self.lines.row_at(self.cursor) else { return Ok(false) };
            let next = if by < 0 { row.checked_sub(1) } else { Some(row + 1) };
            let Some(next) = next.filter(|n| *n < self.window.rows.len()) else { break };
            self.cursor = self.lines.first_of(next);
            self.fill(db)?;
        }
        self.reveal();
        self.moved(db)?;
        Ok(before != self.spot())
    }

    /// To the next line with something unread among those held. Says whether there was one.
    pub fn step_unread(&mut self, db: &Reader, backwards: bool) -> Result<bool> {
        let unread = |at: &usize| {
            self.lines
                .get(&self.window.rows, *at)
                .is_some_and(|e| e.members().iter().any(|m| !m.flags.has(Flags::SEEN)))
        };
        let found = if backwards {
            (0..self.cursor).rev().find(unread)
        } else {
            (self.cursor + 1..self.lines.len()).find(unread)
        };
        let Some(at) = found else { return Ok(false) };
        self.cursor = at;
        self.fill(db)?;
        self.reveal();
        self.moved(db)?;
        Ok(true)
    }

    /// The place of the last row that is held, or of the first.
    #[must_use]
    pub fn edge(&self, first: bool) -> Option<SortKey> {
        if first { self.window.rows.first() } else { self.window.rows.last() }.map(|h| h.place)
    }

    /// Moves the cursor off lines that are about to leave, to one that stays: by default to the first below, where
    /// there is none above.
    pub fn leave(&mut self, db: &Reader, gone: &HashSet<PlacementId>, advance: Advance) -> Result<()> {
        let left = |at: usize| -> Vec<Member> {
            let members = self.lines.get(&self.window.rows, at).map(Entry::members).unwrap_or_default();
            members.into_iter().filter(|m| !gone.contains(&m.placement)).collect()
        };
        let stays = |at: &usize| !left(*at).is_empty();
        let (below, above) = (self.cursor..self.lines.len(), (0..self.cursor).rev());
        let to = match advance {
            _ if !below.clone().take(1).any(|at| !stays(&at)) => None,
            Advance::Previous => above.clone().find(stays),
            Advance::Unread => below.clone().find(|at| left(*at).iter().any(|m| !m.flags.has(Flags::SEEN))),
            Advance::Next | Advance::List => None,
        };
        if let Some(at) = to.or_else(|| below.clone().find(stays)).or_else(|| above.clone().find(stays)) {
            self.cursor = at;
        }
        self.fill(db)?;
        self.reveal();
        self.settle(db, false)
    }
}
