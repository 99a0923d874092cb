//! Mail that is written without the editor: a quick answer under the mail, a mail that is passed on as it is, and one
//! that is taken out of the outbox to be written anew.

use std::time::{Duration, Instant};

use super::action::Action;
use super::compose::Deed;
use super::key::{Code, Key};
use super::ledger::Ledger;
use super::notice::Notice;
use super::overlay::Yes;
use super::textarea::TextArea;
use super::{App, Overlay, Question};
use crate::model::{Draft, DraftId, Matter};
use crate::store::Standing;
use crate::text::Clean;

/// An answer that is written under the mail.
#[derive(Debug)]
pub struct Quick {
    /// Its draft.
    pub id: DraftId,
    /// To whom.
    pub to: Clean,
    /// What was written.
    pub text: TextArea,
    draft: Draft,
    /// Since when there is something that is not kept.
    fresh: Option<Instant>,
}

/// How long what is written is not kept (promise O5).
const KEPT_AFTER: Duration = Duration::from_secs(2);

/// Cells beside the text.
const MARGIN: u16 = 4;

impl App {
    /// Cells for a line of a quick answer.
    #[must_use]
    pub fn quick_room(&self) -> usize {
        self.layout().map_or(1, |layout| usize::from(layout.body.width.min(84).saturating_sub(MARGIN)))
    }

    /// Begins an answer under the mail.
    pub(super) fn quick_reply(&mut self) {
        match self.mails_at_hand() {
            Some((account, messages)) => self.draft(Deed::Quick { account, messages }),
            None => self.say("There is no mail here"),
        }
    }

    pub(super) fn begin_quick(&mut self, id: DraftId, draft: &Draft) {
        let (to, text, fresh) = (Clean::line(&draft.to), TextArea::default(), None);
        self.overlay = Some(Overlay::Quick(Box::new(Quick { id, to, text, draft: draft.clone(), fresh })));
    }

    /// When what is written there is to be kept.
    pub(super) fn quick_deadline(&self) -> Option<Instant> {
        match &self.overlay {
            Some(Overlay::Quick(quick)) => quick.fresh.map(|since| since + KEPT_AFTER),
            _ => None,
        }
    }

    /// Keeps what is written there, if it is due, or the screen ends.
    pub(super) fn keep_quick(&mut self, is_end: bool) {
        let is_due = self.quick_deadline().is_some_and(|at| is_end || self.now.at >= at);
        let Some(Overlay::Quick(quick)) = self.overlay.as_mut().filter(|_| is_due) else { return };
        quick.fresh = None;
        let deed = Deed::Say(quick.id, Box::new(quick.draft.clone()), quick.text.text().to_owned(), false);
        self.draft(deed);
    }

    /// A key while an answer is written: Esc ends that, and its page is where it is sent.
    pub(super) fn press_quick(&mut self, mut quick: Box<Quick>, key: Key) {
        if key != Key::plain(Code::Esc) && key != Key::ctrl('c') {
            quick.text.press(key, self.quick_room());
            quick.fresh.get_or_insert(self.now.at);
            self.overlay = Some(Overlay::Quick(quick));
            return;
        }
        if quick.text.text().trim().is_empty() {
            self.draft(Deed::Forget(quick.id));
            return self.say("Nothing was written");
        }
        self.draft(Deed::Say(quick.id, Box::new(quick.draft), quick.text.text().to_owned(), true));
    }

    /// Passes the mail at hand on as it is, after a question; asks to whom where nobody was typed.
    pub(super) fn bounce(&mut self, to: &str) {
        if to.trim().is_empty() {
            return self.run(Action::CommandLine("bounce ".to_owned()));
        }
        let at_hand =
            self.mails_at_hand().and_then(|(account, messages)| Some((account, *messages.first()?)));
        let Some((account, message)) = at_hand else { return self.say("There is no mail here") };
        let subject = self.db.message(message);
        let subject = self.told(subject).flatten().map(|mail| mail.subject).unwrap_or_default();
        let text = format!("Send \u{201c}{subject}\u{201d} on to {}, as it is? y/n", to.trim());
        let deed = Deed::Bounce { account, message, to: to.trim().to_owned() };
        self.overlay =
            Some(Overlay::Ask(Question { text: Clean::line(&text), yes: Yes::Send(Box::new(deed)) }));
    }

    /// Makes a draft again of the mail in the outbox that the cursor is on.
    pub(super) fn edit_again(&mut self) {
        let Some(entry) = self.ledger.as_ref().and_then(Ledger::entry) else { return };
        let Matter::Outgoing(id) = entry.matter else {
            return self.say("Only a mail on its way out can be written anew");
        };
        match entry.standing {
            Standing::Running => self.say("It is being sent at this moment"),
            Standing::Unsure => {
                let notice = Notice::calm("It may have arrived: say first what became of it", self.now.at);
                self.notice = Some(notice.hint("a it arrived, r send it again"));
            }
            _ => self.draft(Deed::Again(id)),
        }
    }
}

impl Quick {
    /// Takes pasted text.
    pub(super) fn paste(&mut self, text: &str, at: Instant) {
        self.text.insert(text);
        self.fresh.get_or_insert(at);
    }
}
