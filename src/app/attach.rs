//! What else the page of a draft does: files that come with it, a look at it as others will see it, and a time.

use super::action::Action;
use super::compose::Deed;
use super::notice::Notice;
use super::{App, Overlay};
use crate::text::{Clean, later, when};

/// Cells in which a preview is laid out at most, as the reader's prose is.
const PROSE: u16 = 80;

impl App {
    /// Puts a file to the draft; asks where none was typed.
    pub(super) fn attach(&mut self, path: &str) {
        if path.trim().is_empty() {
            return self.run(Action::CommandLine("attach ".to_owned()));
        }
        if let Some(page) = self.pages.steady() {
            page.preview = None;
            let deed = Deed::Attach(page.id, Box::new(page.draft.clone()), path.trim().to_owned());
            self.draft(deed);
        }
    }

    /// Shows or leaves the panel of its files.
    pub(super) fn toggle_files(&mut self) {
        if let Some(Overlay::Files(_)) = self.overlay {
            self.overlay = None;
            return;
        }
        if self.pages.shown().is_some_and(|page| page.draft.attachments.is_empty()) {
            let notice = Notice::calm("No file comes with it", self.now.at);
            self.notice = Some(notice.hint("a attaches one"));
            return;
        }
        self.overlay = Some(Overlay::Files(0));
    }

    /// Takes the file under the cursor off the draft: it stays where it is.
    pub(super) fn detach(&mut self) {
        let Some(Overlay::Files(at)) = self.overlay else { return };
        let Some(page) = self.pages.steady().filter(|page| at < page.draft.attachments.len()) else { return };
        let name = Clean::line(&page.draft.attachments.remove(at).name);
        page.concerns.clear();
        let left = page.draft.attachments.len();
        self.overlay = (left > 0).then(|| Overlay::Files(at.min(left - 1)));
        self.keep_draft();
        self.say(&format!("{name} is taken off the mail"));
    }

    /// Shows the draft as those who get it will see it, or its page again.
    pub(super) fn preview_draft(&mut self) {
        let width = self.size.0.saturating_sub(4).min(PROSE);
        let Some(page) = self.pages.steady() else { return };
        if page.preview.take().is_some() {
            page.scroll = 0;
            return;
        }
        let deed = Deed::Preview(page.id, Box::new(page.draft.clone()), width);
        self.draft(deed);
    }

    /// Sends the draft at a time; asks where none was typed.
    pub(super) fn send_draft_at(&mut self, typed: &str) {
        if typed.trim().is_empty() {
            return self.run(Action::CommandLine("send-later ".to_owned()));
        }
        let at = match typed.trim() {
            "now" => Ok(0),
            typed => later::parse(typed, self.now.unix, &self.settings.zone),
        };
        match at {
            Ok(at) => {
                if let Some(page) = self.pages.steady() {
                    page.draft.send_at = at;
                }
                self.send_draft();
            }
            Err(why) => self.fail(&why),
        }
    }

    /// What is said when a mail went to the outbox for a time that is far.
    pub(super) fn tell_later(&mut self, send_at: i64) {
        self.notice = (send_at > self.now.unix).then(|| {
            let said = when::long(send_at, self.now.unix, &self.settings.zone);
            Notice::calm(&format!("It will be sent {said}"), self.now.at)
                .hint("go shows it: h holds it, Y moves it")
        });
    }
}
