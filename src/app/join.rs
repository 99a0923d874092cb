//! Conversations joined and split by hand.

use super::App;
use super::lines::Entry;
use super::scope::Focus;
use super::triage::Deed;
use crate::model::{Intent, PlacementId};

impl App {
    /// Joins the selected conversations; where one is selected, with the one under the cursor.
    pub(super) fn join(&mut self) {
        let Some(mut items) = self.grasped(1) else { return };
        match self.list.selection.len() {
            0 => return self.say("Select the other conversation first: x, then zj on this one"),
            1 => {
                let here = self.list.current().map(Entry::members).unwrap_or_default();
                items.extend(here.iter().map(|member| member.placement));
            }
            _ => {}
        }
        self.carry_out(Deed::of(Intent::Join { items }));
    }

    /// Splits the mail under the cursor, or in the reader, off its conversation, with what answers it.
    pub(super) fn split_off(&mut self) {
        let Some(items) = self.grasped(1) else { return };
        let item: Option<PlacementId> = if self.focus == Focus::Reader {
            self.reader.mail().map(|mail| mail.placement)
        } else if items.len() == 1 {
            items.first().copied()
        } else {
            None
        };
        match item {
            Some(item) => self.carry_out(Deed::of(Intent::Split { item })),
            None => self.say("Unfold the conversation (zo) and go to the mail that begins another"),
        }
    }
}
