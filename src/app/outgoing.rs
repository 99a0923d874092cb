//! Mail on its way out, by the clock: what leaves in a moment, what is late, and what a quit waits for (promises O1,
//! O7 and A1).

use std::time::{Duration, Instant};

use super::action::Action;
use super::compose::Deed;
use super::effect::Effect;
use super::ledger::{Ledger, unfit};
use super::notice::Notice;
use super::{App, Overlay, Silent};
use crate::model::{Intent, Matter, Reach, Settle};
use crate::store::{Leaving, Stage};
use crate::text::{later, when};

/// Mails on their way out that are looked at.
const MOST: usize = 200;
/// Who is to leave within so many seconds counts down; who is due later was given a time.
const WINDOW: i64 = 120;
/// What waits so many seconds past its time is said on the first screen.
const LATE: i64 = 600;

/// What the screen knows of it.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Those that go by themselves, the newest first.
    mails: Vec<Leaving>,
    /// The newest that was ever seen.
    newest: i64,
    /// The one that plain `u` takes back: nothing was done after it was sent.
    callable: Option<i64>,
    /// What was told last: seconds left, and how many are late.
    told: (Option<i64>, usize),
}

impl Outgoing {
    /// Something else was done: `u` means that.
    pub(super) fn overtaken(&mut self) {
        self.callable = None;
    }
}

/// A mail that leaves in a moment.
#[derive(Debug, Clone, Copy)]
pub struct Countdown<'a> {
    /// Which.
    pub mail: &'a Leaving,
    /// Seconds.
    pub left: i64,
    /// Whether plain `u` takes it back.
    pub by_undo: bool,
}

impl App {
    /// Reads the outbox anew.
    pub(super) fn read_outgoing(&mut self) {
        let found = self.db.leaving(MOST);
        let Some(mails) = self.told(found) else { return };
        self.outgoing.mails = mails;
        let counting = self.countdown().map(|c| c.mail.id);
        if let Some(id) = counting.filter(|id| *id > self.outgoing.newest) {
            (self.outgoing.newest, self.outgoing.callable) = (id, Some(id));
        }
        self.go_on_leaving();
    }

    /// The newest mail that leaves in a moment.
    #[must_use]
    pub fn countdown(&self) -> Option<Countdown<'_>> {
        let left = |mail: &Leaving| mail.send_at - self.now.unix;
        let is_near = |mail: &&Leaving| mail.stage == Stage::Queued && (1..=WINDOW).contains(&left(mail));
        let mail = self.outgoing.mails.iter().find(is_near)?;
        Some(Countdown { mail, left: left(mail), by_undo: self.outgoing.callable == Some(mail.id) })
    }

    /// How many mails should have been sent ten minutes ago, and since when the first of them waits.
    #[must_use]
    pub fn late_mail(&self) -> Option<(usize, i64)> {
        let late =
            self.outgoing.mails.iter().map(|mail| mail.send_at).filter(|at| *at + LATE <= self.now.unix);
        Some((late.clone().count(), late.min()?))
    }

    /// When what is told of the outbox changes by the clock alone.
    pub(super) fn outgoing_deadline(&self) -> Option<Instant> {
        if self.countdown().is_some() {
            return Some(self.now.at + Duration::from_secs(1));
        }
        let turns = |mail: &Leaving| [mail.send_at - WINDOW, mail.send_at + LATE];
        let next = self.outgoing.mails.iter().flat_map(turns).filter(|at| *at > self.now.unix).min()?;
        self.now.at.checked_add(Duration::from_secs(u64::try_from(next - self.now.unix).ok()?))
    }

    /// Whether what is told of the outbox is not what was told last.
    pub(super) fn counts_down(&mut self) -> bool {
        let told = (self.countdown().map(|c| c.left), self.late_mail().map_or(0, |(count, _)| count));
        std::mem::replace(&mut self.outgoing.told, told) != told
    }

    /// Takes the mail back that leaves in a moment, if `u` means it: to its draft, or to wait in the outbox.
    pub(super) fn calls_back(&mut self) -> bool {
        let Some(id) = self.countdown().filter(|c| c.by_undo).map(|c| c.mail.id) else { return false };
        self.draft(Deed::TakeBack(id));
        true
    }

    /// Holds a mail back that was made of no draft.
    pub(super) fn hold_back(&mut self, id: i64) {
        self.settle_outgoing(Settle::Hold, vec![id], false);
    }

    /// Gives the mail under the cursor of what waits a time.
    pub(super) fn send_at(&mut self, typed: &str) {
        let Some(entry) = self.ledger.as_ref().and_then(Ledger::entry) else { return };
        let (Matter::Outgoing(outgoing), None) = (entry.matter, unfit(entry, Settle::Hold)) else {
            return self.say("Only a mail that would be sent by itself gets a time");
        };
        if typed.trim().is_empty() {
            return self.run(Action::CommandLine("send-at ".to_owned()));
        }
        let (now, zone) = (self.now.unix, &self.settings.zone);
        match later::parse(typed, now, zone) {
            Ok(at) => {
                let said = when::long(at, now, zone);
                self.effects.push(Effect::Intend(Intent::SendAt { outgoing, at, said }));
                self.flight.asked.push_back(Silent(false));
            }
            Err(why) => self.fail(&why),
        }
    }

    fn settle_outgoing(&mut self, how: Settle, ids: Vec<i64>, is_silent: bool) {
        let reach = Reach::These(ids.into_iter().map(Matter::Outgoing).collect());
        self.effects.push(Effect::Intend(Intent::Settle { how, reach }));
        self.flight.asked.push_back(Silent(is_silent));
    }

    /// Leaves; what would be sent in a moment is sent first (promise O7).
    pub(super) fn quit(&mut self) {
        let is_near = |mail: &&Leaving| {
            mail.stage == Stage::Sending
                || mail.stage == Stage::Queued && mail.send_at <= self.now.unix + WINDOW
        };
        let near: Vec<_> = self.outgoing.mails.iter().filter(is_near).collect();
        if near.is_empty() {
            return self.effects.push(Effect::Quit);
        }
        let ids = near.iter().map(|mail| mail.id).collect();
        let early = near.iter().filter(|mail| mail.send_at > self.now.unix).map(|mail| mail.id).collect();
        self.settle_outgoing(Settle::Retry, early, true);
        self.overlay = Some(Overlay::Leaving(ids));
    }

    /// Ends when what was waited for is sent; stays where that came to nothing.
    fn go_on_leaving(&mut self) {
        let Some(Overlay::Leaving(ids)) = &self.overlay else { return };
        let is_going =
            |id: &i64| self.outgoing.mails.iter().any(|mail| mail.id == *id && mail.stage != Stage::Deferred);
        if ids.iter().any(is_going) {
            return;
        }
        let left = ids.iter().find_map(|id| self.db.matter(Matter::Outgoing(*id)).transpose());
        self.overlay = None;
        let Some(left) = left.and_then(|left| self.told(left)) else {
            return self.effects.push(Effect::Quit);
        };
        let why = if left.error.is_empty() { "it is held back".to_owned() } else { left.error.to_string() };
        let notice = Notice::error(&format!("not sent: {why}"), self.now.at);
        self.notice = Some(notice.hint("go shows it, ZZ again leaves it there"));
    }
}
