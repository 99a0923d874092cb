//! The order of a list, whether its rows are conversations or mails, and whether it is narrowed to some.

use std::sync::Arc;

use super::action::Action;
use super::effect::{Effect, Load, Ticket};
use super::notice::Notice;
use super::{App, some};

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
    /// The words that the list is narrowed to; empty: it is not.
    words: String,
    /// The user waits to be told how many that are.
    is_asked: bool,
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

    /// The words that the list is narrowed to; empty: it is not.
    #[must_use]
    pub fn narrowed(&self) -> &str {
        if self.is_ranked() { &self.arranging.words } else { "" }
    }

    /// Shows only what has these words in subject or sender; asks where none was typed.
    pub(super) fn narrow(&mut self, typed: &str) {
        if typed.is_empty() {
            let line = format!("narrow {}", self.arranging.words);
            return self.run(Action::CommandLine(line));
        }
        if !matches!(self.list.view(), Some(View::Folder(_) | View::Unified(_))) {
            return self.say("This list cannot be narrowed: / finds in it");
        }
        self.list.unselect();
        typed.clone_into(&mut self.arranging.words);
        self.arranging.is_asked = true;
        self.rank();
    }

    /// Shows all of the list again. Says whether it was narrowed.
    pub(super) fn widen(&mut self) -> bool {
        if self.arranging.words.is_empty() {
            return false;
        }
        self.arranging.words.clear();
        if self.arrangement() == Arrangement::default() {
            self.arranging.ticket += 1;
            self.rearrange(None);
        } else {
            self.rank();
        }
        true
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
        if arrangement == Arrangement::default() && self.arranging.words.is_empty() {
            self.arranging.ticket += 1;
            return self.rearrange(None);
        }
        if arrangement != Arrangement::default() {
            self.arranging.chosen.push((view, arrangement));
        }
        self.rank();
    }

    /// Asks for the ranks of the list, where it is not by date; what is shown stays until they are here.
    pub(super) fn rank(&mut self) {
        let (Some(view), Arrangement { order, is_flat }) = (self.list.view(), self.arrangement()) else {
            return;
        };
        let words = self.arranging.words.clone();
        if words.is_empty() && (Arrangement { order, is_flat }) == Arrangement::default() {
            return;
        }
        self.arranging.ticket += 1;
        let ticket = self.arranging.ticket;
        self.effects.push(Effect::Load(Load::Rank { ticket, view, order, is_flat, words }));
    }

    /// Another list comes: all of it, by date until its ranks are here.
    pub(super) fn forget_ranks(&mut self) {
        self.arranging.words.clear();
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
        let is_asked = std::mem::take(&mut self.arranging.is_asked);
        match result {
            Ok(ranks) if ranks.is_empty() && !self.arranging.words.is_empty() => {
                let words = std::mem::take(&mut self.arranging.words);
                // Nothing to see would look like nothing there.
                self.say(&format!("Nothing here has “{words}” in its subject or sender: all is shown"));
                match self.arrangement() == Arrangement::default() {
                    true => self.rearrange(None),
                    false => self.rank(),
                }
            }
            Ok(ranks) => {
                if is_asked && !ranks.is_whole {
                    self.say("More have these words than can be shown: these are of the newest 10,000 mails");
                } else if is_asked {
                    let notice = Notice::calm(&some(ranks.len(), "row"), self.now.at);
                    self.notice = Some(notice.hint("Esc shows all again"));
                }
                self.rearrange(Some(ranks));
            }
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
