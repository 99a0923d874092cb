//! The order of a list, and whether its rows are conversations or mails.

use std::sync::Arc;

use super::App;
use super::effect::{Effect, Load, Ticket};
use crate::model::{Order, View};
use crate::store::Ranks;
use crate::text::Clean;

/// How a list is arranged; by default its conversations, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrangement {
    /// The order.
    pub order: Order,
    /// One row a mail.
    pub is_flat: bool,
}

/// Which arrangement is shown, and which is on its way.
#[derive(Debug, Default)]
pub(super) struct Arranging {
    /// Of every list that is not arranged as they are by default.
    chosen: Vec<(View, Arrangement)>,
    ticket: Ticket,
    /// How the list is shown, and how many mails it held when it was ranked; `None`: it is shown as by default.
    ranked: Option<(Arrangement, u64)>,
}

impl App {
    /// How the list is shown.
    #[must_use]
    pub fn arranged(&self) -> Arrangement {
        self.arranging.ranked.map(|(arrangement, _)| arrangement).unwrap_or_default()
    }

    /// How the list is to be shown: it is once it is ranked.
    fn arrangement(&self) -> Arrangement {
        let chosen = self.arranging.chosen.iter().find(|(view, _)| Some(*view) == self.list.view());
        chosen.map(|(_, arrangement)| *arrangement).unwrap_or_default()
    }

    /// Whether the keys of the list's rows are ranks, not dates.
    #[must_use]
    pub fn is_ranked(&self) -> bool {
        self.arranging.ranked.is_some()
    }

    pub(super) fn sort(&mut self, order: Order) {
        self.choose(Arrangement { order, ..self.arrangement() });
    }

    pub(super) fn toggle_flat(&mut self) {
        let now = self.arrangement();
        self.choose(Arrangement { is_flat: !now.is_flat, ..now });
    }

    fn choose(&mut self, arrangement: Arrangement) {
        let view = match self.list.view() {
            Some(view @ (View::Folder(_) | View::Unified(_))) => view,
            _ => return self.say("This list has an order of its own"),
        };
        if arrangement == self.arrangement() {
            return self.say(&format!("The order is {}", arrangement.order.title()));
        }
        self.arranging.chosen.retain(|(other, _)| *other != view);
        if arrangement == Arrangement::default() {
            self.arranging.ticket += 1;
            return self.rearrange(None);
        }
        self.arranging.chosen.push((view, arrangement));
        self.rank();
    }

    /// Asks for the ranks of the list, where it is not by date; what is shown stays until they are here.
    pub(super) fn rank(&mut self) {
        let (Some(view), Arrangement { order, is_flat }) = (self.list.view(), self.arrangement()) else {
            return;
        };
        if (Arrangement { order, is_flat }) == Arrangement::default() {
            return;
        }
        self.arranging.ticket += 1;
        let ticket = self.arranging.ticket;
        self.effects.push(Effect::Load(Load::Rank { ticket, view, order, is_flat }));
    }

    /// Another list comes: by date until its ranks are here.
    pub(super) fn forget_ranks(&mut self) {
        self.arranging.ranked = None;
        self.arranging.ticket += 1;
        self.db.arrange(None);
    }

    /// Ranks anew where mail came or went. What only changed its marks stays where it is, under the eye.
    pub(super) fn rank_again(&mut self) {
        let now = self.list.counts.0;
        if let Some((_, total)) = &mut self.arranging.ranked
            && std::mem::replace(total, now) != now
        {
            self.rank();
        }
    }

    /// Ranks were made. Says whether the screen changes.
    pub(super) fn ranked(&mut self, ticket: Ticket, result: Result<Arc<Ranks>, Clean>) -> bool {
        if ticket != self.arranging.ticket {
            return false;
        }
        match result {
            Ok(ranks) => self.rearrange(Some(ranks)),
            Err(why) => self.fail(why.as_str()),
        }
        true
    }

    fn rearrange(&mut self, ranks: Option<Arc<Ranks>>) {
        self.arranging.ranked = ranks.as_ref().map(|_| (self.arrangement(), self.list.counts.0));
        self.db.arrange(ranks);
        let result = self.list.open_anew(&self.db);
        self.told(result);
    }
}
