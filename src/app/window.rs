//! The rows that are held of a list: some screens around the cursor, read by their sort key, never all.

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::model::{Row, SortKey, ThreadId, View};
use crate::store::{Edge, Page, Reader};

/// A row and where it stands.
#[derive(Debug, Clone)]
pub struct Held {
    /// The row as last read.
    pub row: Row,
    /// Where it stands; older than its newest mail when that came while the row was on the screen.
    pub place: SortKey,
}

/// Consecutive rows of one list, newest first.
#[derive(Debug, Default)]
pub struct Window {
    /// The rows.
    pub rows: Vec<Held>,
    /// Whether the first row is the first of the list.
    pub at_top: bool,
    /// Whether the last row is the last of the list.
    pub at_bottom: bool,
}

/// Rows read at once for a screen of so many lines.
fn some(lines: usize) -> usize {
    (lines * 2).clamp(40, 400)
}

/// Rows held at most.
fn most(lines: usize) -> usize {
    some(lines) * 3
}

impl Window {
    /// The rows at an edge of the list, or around a place in it.
    pub fn open(db: &Reader, view: View, edge: Edge, lines: usize) -> Result<Self> {
        Ok(Self::from(db.page(view, edge, some(lines))?))
    }

    /// Reads more at the end. Says whether there was more.
    pub fn extend_down(&mut self, db: &Reader, view: View, lines: usize) -> Result<bool> {
        let (Some(last), false) = (self.rows.last(), self.at_bottom) else { return Ok(false) };
        let page = db.page(view, Edge::After(last.place), some(lines))?;
        let at_bottom = page.at_bottom;
        let new = self.unheld(page);
        self.at_bottom = at_bottom || new.is_empty();
        let grew = !new.is_empty();
        self.rows.extend(new);
        let over = self.rows.len().saturating_sub(most(lines));
        self.rows.drain(..over);
        self.at_top &= over == 0;
        Ok(grew)
    }

    /// Reads more at the beginning. Says whether there was more.
    pub fn extend_up(&mut self, db: &Reader, view: View, lines: usize) -> Result<bool> {
        let (Some(first), false) = (self.rows.first(), self.at_top) else { return Ok(false) };
        let page = db.page(view, Edge::Before(first.place), some(lines))?;
        let at_top = page.at_top;
        let new = self.unheld(page);
        self.at_top = at_top || new.is_empty();
        let grew = !new.is_empty();
        self.rows.splice(0..0, new);
        if self.rows.len() > most(lines) {
            self.rows.truncate(most(lines));
            self.at_bottom = false;
        }
        Ok(grew)
    }

    /// Reads everything anew: from the top where `anchor` is `None`, else around it. Rows named in `still`
    /// keep their places though newer mail came to them (the view stays still under the eye).
    pub fn refresh(
        &mut self,
        db: &Reader,
        view: View,
        anchor: Option<SortKey>,
        still: &HashSet<ThreadId>,
    ) -> Result<()> {
        let limit = self.rows.len().clamp(40, 600);
        let page = db.page(view, anchor.map_or(Edge::Top, Edge::Around), limit)?;
        let old = std::mem::take(&mut self.rows);
        let mut places: HashMap<_, _> = old
            .iter()
            .map(|h| (h.row.head.thread, h.place))
            .filter(|(thread, _)| still.contains(thread))
            .collect();
        let mut fresh = Self::from(page);
        for held in &mut fresh.rows {
            if let Some(place) = places.remove(&held.row.head.thread)
                && place < held.place
            {
                held.place = place;
            }
        }
        // Those that are not on the page are gone, or newer mail took them away upwards.
        for (thread, place) in places {
            if let Some(row) = db.row(view, thread)?
                && row.head.key > place
            {
                fresh.rows.push(Held { row, place });
            }
        }
        fresh.rows.sort_by_key(|h| std::cmp::Reverse(h.place));
        *self = fresh;
        Ok(())
    }

    /// The rows of a page that are not held yet: one that kept its place stands further down.
    fn unheld(&self, page: Page) -> Vec<Held> {
        let held: HashSet<ThreadId> = self.rows.iter().map(|h| h.row.head.thread).collect();
        hold(page).filter(|h| !held.contains(&h.row.head.thread)).collect()
    }
}

fn hold(page: Page) -> impl Iterator<Item = Held> {
    page.rows.into_iter().map(|row| Held { place: row.head.key, row })
}

impl From<Page> for Window {
    fn from(page: Page) -> Self {
        let (at_top, at_bottom) = (page.at_top, page.at_bottom);
        Self { rows: hold(page).collect(), at_top, at_bottom }
    }
}
