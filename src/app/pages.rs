//! The drafts that are open, one of them on the screen or none, and the way from one to the next.

use super::compose::{Compose, Deed};
use super::notice::Notice;
use super::scope::Focus;
use super::{App, Overlay, some};
use crate::model::{Draft, DraftId};

/// The drafts that are open, in the order in which they were opened.
#[derive(Debug, Default)]
pub struct Pages {
    all: Vec<Compose>,
    /// The one on the screen.
    shown: Option<usize>,
    /// The pane that has the keys where no draft is on the screen.
    below: Option<Focus>,
}

impl Pages {
    /// The one on the screen.
    #[must_use]
    pub fn shown(&self) -> Option<&Compose> {
        self.all.get(self.shown?)
    }

    pub(super) fn shown_mut(&mut self) -> Option<&mut Compose> {
        self.all.get_mut(self.shown?)
    }

    /// The one on the screen, unless it is being sent or thrown away.
    pub(super) fn steady(&mut self) -> Option<&mut Compose> {
        self.shown_mut().filter(|page| !page.is_leaving)
    }

    /// The one with this row.
    pub(super) fn find(&mut self, id: DraftId) -> Option<&mut Compose> {
        self.all.iter_mut().find(|page| page.id == id)
    }

    /// All.
    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut Compose> {
        self.all.iter_mut()
    }

    /// Whether the draft with this row is open here.
    #[must_use]
    pub fn has(&self, id: DraftId) -> bool {
        self.all.iter().any(|page| page.id == id)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Which of them is on the screen, counted from 1.
    #[must_use]
    pub fn number(&self) -> Option<usize> {
        self.shown.map(|at| at + 1)
    }
}

impl App {
    /// Puts a draft on the screen.
    pub(super) fn show_draft(&mut self, id: DraftId, draft: Draft) {
        let at = self.pages.all.iter().position(|page| page.id == id).unwrap_or_else(|| {
            self.pages.all.push(Compose::new(id, draft));
            self.pages.all.len() - 1
        });
        self.turn_to(Some(at));
    }

    /// Puts a draft on the screen that is open.
    pub(super) fn turn_to_draft(&mut self, id: DraftId) {
        let at = self.pages.all.iter().position(|page| page.id == id);
        self.turn_to(at.or(self.pages.shown));
    }

    /// To the draft with this place among those that are open; to the mail.
    fn turn_to(&mut self, at: Option<usize>) {
        if self.pages.shown.is_none() && at.is_some() {
            if self.focus == Focus::Ledger {
                self.leave_ledger();
            }
            self.pages.below = Some(self.focus);
        }
        self.pages.shown = at;
        match at {
            Some(_) => self.focus = Focus::Compose,
            None => self.focus = self.pages.below.take().unwrap_or(Focus::List),
        }
        // Who leaves waits for mail, whatever is on the screen.
        self.overlay.take_if(|o| !matches!(o, Overlay::Leaving(_)));
    }

    /// To another of what is open: the mail, then each draft.
    pub(super) fn step_page(&mut self, by: i32) {
        let places = self.pages.count() + 1;
        if places == 1 {
            let notice = Notice::calm("Nothing else is open", self.now.at);
            self.notice = Some(notice.hint("c begins a draft, gd shows those that are kept"));
            return;
        }
        let here = self.pages.number().unwrap_or(0);
        let steps = by.unsigned_abs() as usize % places;
        let there = if by < 0 { here + places - steps } else { here + steps } % places;
        self.turn_to(there.checked_sub(1));
    }

    /// Takes a draft off the screen, and from those that are open.
    pub(super) fn close_page(&mut self, id: DraftId) {
        let Some(at) = self.pages.all.iter().position(|page| page.id == id) else { return };
        let was = self.pages.shown;
        self.pages.all.remove(at);
        match was {
            Some(shown) if shown == at => self.turn_to(None),
            Some(shown) if shown > at => self.pages.shown = Some(shown - 1),
            _ => {}
        }
        self.draft(Deed::Close(id));
        self.refresh_drafts();
    }

    /// Looks whether somebody else wrote on what is open here.
    pub(super) fn look_at_pages(&mut self) {
        let open: Vec<DraftId> = self.pages.all.iter().map(|page| page.id).collect();
        if !open.is_empty() {
            self.draft(Deed::Look(open));
        }
    }

    /// What is open beside what is on the screen, in words; empty: nothing.
    #[must_use]
    pub fn open_aside(&self) -> String {
        match (self.pages.count(), self.pages.shown.is_some()) {
            (count, false) if count > 0 => format!("{} open", some(count, "draft")),
            _ => String::new(),
        }
    }
}
