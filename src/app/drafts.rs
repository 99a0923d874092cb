//! The list of drafts: what is being written in all accounts, the last changed first.

use super::action::Motion;
use super::compose::Deed;
use super::press::stepped;
use super::scope::Focus;
use super::{App, Overlay};
use crate::model::{DraftId, Role};
use crate::store::Kept;

/// The list of drafts, while it is open.
#[derive(Debug)]
pub struct Drafts {
    /// All of them.
    pub rows: Vec<Kept>,
    /// The line under the cursor.
    pub at: usize,
    /// Mails in the folders for drafts, some of which other programs may have left there.
    pub in_folders: u64,
    from: Focus,
}

impl Drafts {
    /// The draft under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Kept> {
        self.rows.get(self.at)
    }
}

impl App {
    /// Opens the list of drafts.
    pub(super) fn open_drafts(&mut self) {
        let rows = self.db.drafts();
        let Some(rows) = self.told(rows) else { return };
        if self.focus == Focus::Ledger {
            self.leave_ledger();
        }
        let (from, in_folders) = (self.focus, self.in_draft_folders());
        self.drafts = Some(Drafts { rows, at: 0, in_folders, from });
        self.focus = Focus::Drafts;
    }

    fn in_draft_folders(&self) -> u64 {
        let folders = self.accounts.live().flat_map(|account| &account.folders);
        folders.filter(|folder| folder.role == Some(Role::Drafts)).map(|folder| u64::from(folder.total)).sum()
    }

    pub(super) fn leave_drafts(&mut self) {
        if let Some(drafts) = self.drafts.take() {
            self.focus = drafts.from;
        }
    }

    /// From the list to the mail in the folders for drafts.
    pub(super) fn go_drafts(&mut self) {
        self.leave_drafts();
        self.go_role(Role::Drafts);
    }

    /// Reads the list anew; the cursor stays on its draft, where that is still there.
    pub(super) fn refresh_drafts(&mut self) {
        if self.drafts.is_none() {
            return;
        }
        let rows = self.db.drafts();
        let (rows, in_folders) = (self.told(rows), self.in_draft_folders());
        let (Some(rows), Some(drafts)) = (rows, &mut self.drafts) else { return };
        let was = drafts.current().map(|kept| kept.id);
        let found = rows.iter().position(|kept| Some(kept.id) == was);
        drafts.at = found.unwrap_or(drafts.at).min(rows.len().saturating_sub(1));
        (drafts.rows, drafts.in_folders) = (rows, in_folders);
    }

    pub(super) fn move_in_drafts(&mut self, motion: Motion, height: usize) {
        if let Some(drafts) = &mut self.drafts {
            drafts.at = stepped(drafts.at, motion, height, drafts.rows.len().saturating_sub(1));
        }
    }

    /// The draft under the cursor of the list.
    pub(super) fn draft_at_hand(&self) -> Option<DraftId> {
        self.drafts.as_ref().and_then(Drafts::current).map(|kept| kept.id)
    }

    /// Opens the draft under the cursor.
    pub(super) fn open_draft(&mut self) {
        self.overlay.take_if(|o| !matches!(o, Overlay::Leaving(_)));
        match self.draft_at_hand() {
            // What is on its page is newer than what is kept, or the same.
            Some(id) if self.pages.has(id) => self.turn_to_draft(id),
            Some(id) => self.draft(Deed::Open(id)),
            None => self.say("There is no draft"),
        }
    }
}
