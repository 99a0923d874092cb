//! The list: a cursor on a mail, not on a row number, and a view that stays still when mail arrives.

use std::collections::{HashMap, HashSet};

use super::lines::{Entry, Folds, Lines, Spot};
use super::select::{Range, Selection};
use super::window::Window;
use crate::error::Result;
use crate::model::{Member, Row, SortKey, ThreadId, View, is_muted};
use crate::store::{Edge, Reader};

/// Rows that arrived above are counted up to here.
const NEWS: usize = 100;

/// One list of conversations.
#[derive(Debug, Default)]
pub struct List {
    pub(super) view: Option<View>,
    pub(super) window: Window,
    pub(super) folds: Folds,
    pub(super) lines: Lines,
    pub(super) cursor: usize,
    pub(super) top: usize,
    height: usize,
    /// Selected mails by conversation, newest first.
    pub selection: Selection,
    /// From where the selection follows the cursor.
    pub(super) range: Option<Range>,
    /// What was selected before the last action or Esc.
    pub(super) selected_last: Selection,
    /// The members of the closed rows of the last frame: what an action applies to (promise A5).
    painted: HashMap<ThreadId, Vec<Member>>,
    /// The cursor went to another mail without the user's doing, and no frame has shown it yet.
    shifted: bool,
    /// The user is at the top and wants to see what arrives.
    pub(super) follow: bool,
    /// The newest row when the top was last on the screen.
    seen_top: Option<SortKey>,
    news: usize,
    /// Mails in the view, and unread ones.
    pub counts: (u64, u64),
}

impl List {
    /// What is shown.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        self.view
    }

    /// Rows that arrived above what is on the screen; at most 100.
    #[must_use]
    pub fn news(&self) -> usize {
        self.news
    }

    /// Whether the view holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines that fit on the screen.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height.max(1)
    }

    /// Whether the cursor went to another mail by itself since the last frame.
    #[must_use]
    pub fn is_shifted(&self) -> bool {
        self.shifted
    }

    /// The lines on the screen, each with whether the cursor is on it.
    pub fn visible(&self) -> impl Iterator<Item = (Entry<'_>, bool)> {
        (self.top..self.lines.len().min(self.top + self.height()))
            .filter_map(|at| Some((self.lines.get(&self.window.rows, at)?, at == self.cursor)))
    }

    /// The line under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<Entry<'_>> {
        self.lines.get(&self.window.rows, self.cursor)
    }

    /// `count` lines from the cursor on, those that are held.
    pub fn from_cursor(&self, count: usize) -> impl Iterator<Item = Entry<'_>> {
        let end = self.cursor.saturating_add(count).min(self.lines.len());
        (self.cursor..end).filter_map(|at| self.lines.get(&self.window.rows, at))
    }

    /// The mails of a line as they were painted, with the flags that they have now; of a line that was not
    /// painted, as they were read.
    #[must_use]
    pub fn painted_members(&self, entry: Entry<'_>) -> Vec<Member> {
        let row = entry.row();
        match (entry, self.painted.get(&row.head.thread)) {
            (Entry::Closed(_), Some(painted)) => {
                let now = |m: &Member| row.members.iter().find(|n| n.placement == m.placement).copied();
                painted.iter().map(|m| now(m).unwrap_or(*m)).collect()
            }
            _ => entry.members(),
        }
    }

    /// The mails of a closed row as the last frame showed it.
    pub(super) fn painted(&self, thread: ThreadId) -> Option<&Vec<Member>> {
        self.painted.get(&thread)
    }

    /// Whether a line of this conversation is on the screen.
    pub(super) fn is_on_screen(&self, thread: ThreadId) -> bool {
        self.visible().any(|(entry, _)| entry.row().head.thread == thread)
    }

    /// Whether the selection follows the cursor.
    #[must_use]
    pub fn is_ranging(&self) -> bool {
        self.range.is_some()
    }

    /// Ends the selection, which can be had again.
    pub(super) fn unselect(&mut self) {
        self.range = None;
        if !self.selection.is_empty() {
            self.selected_last = std::mem::take(&mut self.selection);
        }
    }

    /// Whether a line is selected.
    #[must_use]
    pub fn is_selected(&self, entry: Entry<'_>) -> bool {
        self.selection.get(&entry.row().head.thread).is_some_and(|selected| match entry {
            Entry::Closed(_) => true,
            Entry::Child(_, child) => selected.iter().any(|m| m.placement == child.summary.placement),
        })
    }

    /// Shows a view from its top.
    pub fn open(&mut self, db: &Reader, view: View) -> Result<()> {
        self.open_at(db, view, Edge::Top)?;
        self.follow = true;
        self.settle(db, false)
    }

    pub(super) fn open_at(&mut self, db: &Reader, view: View, edge: Edge) -> Result<()> {
        if self.view != Some(view) {
            *self = Self { height: self.height, view: Some(view), ..Self::default() };
        }
        self.counts = db.counts(view)?;
        self.window = Window::open(db, view, edge, self.height())?;
        self.lines.build(db, &self.window.rows, &self.folds, true)?;
        (self.cursor, self.top, self.follow) = (0, 0, false);
        Ok(())
    }

    /// Reads the view anew in another order: from its top where the cursor is there, else around the cursor's mail.
    pub(super) fn open_anew(&mut self, db: &Reader) -> Result<()> {
        let Some(view) = self.view else { return Ok(()) };
        let spot = self.spot().filter(|_| self.cursor > 0);
        self.unselect();
        (self.window, self.lines) = (Window::default(), Lines::default());
        (self.seen_top, self.news) = (None, 0);
        self.painted.clear();
        if let Some(spot) = spot
            && self.seek(db, view, spot)?
        {
            return Ok(());
        }
        self.open(db, view)
    }

    /// Puts the cursor on a conversation of a view, wherever it stands; on the mail where it is unfolded.
    /// Says whether it is there.
    pub fn seek(&mut self, db: &Reader, view: View, spot: Spot) -> Result<bool> {
        if self.view == Some(view)
            && let Some(at) = self.lines.find(spot)
        {
            self.cursor = at;
            self.reveal();
            self.settle(db, false)?;
            return Ok(true);
        }
        let thread = db.row_of(view, spot.thread, spot.message)?;
        let Some(row) = db.row(view, thread)? else { return Ok(false) };
        self.open_at(db, view, Edge::Around(row.head.key))?;
        let found = self.lines.find(spot);
        self.cursor = found.unwrap_or(0);
        self.top = self.cursor.saturating_sub(self.height() / 3);
        self.fill(db)?;
        self.reveal();
        self.settle(db, false)?;
        Ok(found.is_some())
    }

    /// Where the cursor is, for coming back.
    #[must_use]
    pub fn spot(&self) -> Option<Spot> {
        let entry = self.current()?;
        let message = match entry {
            Entry::Closed(row) => row.head.message,
            Entry::Child(_, child) => child.summary.message,
        };
        Some(Spot { thread: entry.row().head.thread, message })
    }

    /// The place of the row under the cursor.
    #[must_use]
    pub fn place(&self) -> Option<SortKey> {
        self.window.rows.get(self.lines.row_at(self.cursor)?).map(|h| h.place)
    }

    /// How many lines there are on the screen.
    pub fn resize(&mut self, db: &Reader, height: usize) -> Result<()> {
        if height != self.height {
            self.height = height;
            self.fill(db)?;
            self.reveal();
            self.settle(db, false)?;
        }
        Ok(())
    }

    /// Reads the rows anew after the store changed.
    pub fn refresh(&mut self, db: &Reader) -> Result<()> {
        let Some(view) = self.view else { return Ok(()) };
        self.counts = db.counts(view)?;
        let anchor = (!self.follow).then(|| self.anchor()).flatten();
        let still: HashSet<_> = match anchor {
            Some(_) => self.visible().map(|(entry, _)| entry.row().head.thread).collect(),
            None => HashSet::new(),
        };
        let spots = self.lines.spots(&self.window.rows);
        self.window.refresh(db, view, anchor, &still)?;
        self.lines.build(db, &self.window.rows, &self.folds, true)?;
        let was = spots.get(self.cursor);
        self.cursor = self.find_again(&spots, self.cursor);
        self.top = if self.follow { 0 } else { self.find_again(&spots, self.top) };
        self.shifted |= was.is_some_and(|spot| self.lines.find(*spot) != Some(self.cursor));
        self.fill(db)?;
        self.reveal();
        self.follow &= self.top == 0;
        self.settle(db, true)
    }

    /// The place of the first row on the screen; `None` while the very top is.
    fn anchor(&self) -> Option<SortKey> {
        self.lines.row_at(self.top).and_then(|row| self.window.rows.get(row)).map(|h| h.place)
    }

    /// The line that was number `at`: the same mail, else the next one that is still there, else the one before.
    pub(super) fn find_again(&self, spots: &[Spot], at: usize) -> usize {
        let (before, after) = spots.split_at(at.min(spots.len()));
        let next = after.iter().find_map(|spot| self.lines.find(*spot));
        next.or_else(|| before.iter().rev().find_map(|spot| self.lines.find(*spot))).unwrap_or(0)
    }

    /// Every conversation that is held.
    pub fn held(&self) -> impl Iterator<Item = &Row> {
        self.window.rows.iter().map(|h| &h.row)
    }

    /// Says that a frame showed the list as it is.
    pub fn was_painted(&mut self) {
        let seen = self.visible().filter_map(|(entry, _)| match entry {
            Entry::Closed(row) => Some((row.head.thread, row.members.clone())),
            Entry::Child(..) => None,
        });
        self.painted = seen.collect();
        self.shifted = false;
    }

    /// Reads more rows where the view comes near the end of what is held. Says whether lines were added.
    pub(super) fn fill(&mut self, db: &Reader) -> Result<bool> {
        let Some(view) = self.view else { return Ok(false) };
        let height = self.height();
        let near_end = self.cursor.max(self.top) + 2 * height > self.lines.len();
        let near_top = self.cursor.min(self.top) < height;
        let (down, up) = (near_end && !self.window.at_bottom, near_top && !self.window.at_top);
        if !down && !up {
            return Ok(false);
        }
        let spots = self.lines.spots(&self.window.rows);
        let mut grew = down && self.window.extend_down(db, view, height)?;
        grew |= up && self.window.extend_up(db, view, height)?;
        self.lines.build(db, &self.window.rows, &self.folds, false)?;
        self.cursor = self.find_again(&spots, self.cursor);
        self.top = self.find_again(&spots, self.top);
        Ok(grew)
    }

    /// Scrolls as little as shows the cursor, with a little room around it on tall screens.
    pub(super) fn reveal(&mut self) {
        let height = self.height();
        let margin = if height > 15 { 2 } else { 0 };
        self.cursor = self.cursor.min(self.lines.len().saturating_sub(1));
        let last = self.lines.len().saturating_sub(height);
        let lowest = (self.cursor + margin + 1).saturating_sub(height);
        self.top = self.top.min(self.cursor.saturating_sub(margin)).max(lowest).min(last);
    }

    /// After the user moved.
    pub(super) fn moved(&mut self, db: &Reader) -> Result<()> {
        let at_top = self.cursor == 0 && self.window.at_top;
        if at_top && !self.follow {
            self.follow = true;
            // What kept its place while it was looked at goes where it belongs.
            return self.refresh(db);
        }
        self.follow = at_top;
        self.settle(db, false)
    }

    /// Notes what is above: counted anew when the store changed, or when some of it may be on the screen now.
    pub(super) fn settle(&mut self, db: &Reader, changed: bool) -> Result<()> {
        let Some(view) = self.view else { return Ok(()) };
        if self.top == 0 && self.window.at_top {
            let newest = self.window.rows.iter().map(|h| h.row.head.key).max();
            (self.seen_top, self.news) = (newest.max(self.seen_top), 0);
        } else if let Some(seen) = self.seen_top {
            if changed || self.news > 0 {
                let shown: HashSet<_> = self.visible().map(|(e, _)| e.row().head.thread).collect();
                let page = db.page(view, Edge::Before(seen), NEWS)?;
                self.news = {
                    let is_news = |r: &&Row| !shown.contains(&r.head.thread) && !is_muted(&r.tags);
                    page.rows.iter().filter(is_news).count()
                };
            }
        } else {
            // Opened in the middle: what is there now is not news.
            self.seen_top = db.page(view, Edge::Top, 1)?.rows.first().map(|r| r.head.key);
        }
        Ok(())
    }
}
