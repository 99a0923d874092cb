//! The state of every folder where LIST does not tell it: STATUS, many ahead of their answers.

use std::collections::VecDeque;

use super::Session;
use super::command::Command;
use super::list::Listing;
use super::names::{self, plain};
use super::reply::Listed;
use crate::error::Result;

/// How many are asked about ahead of the answers.
const AHEAD: usize = 200;

impl Session {
    /// Whether LIST tells the state of folders in passing (RFC 5819).
    pub(super) fn tells_status(&self) -> bool {
        self.link.state.offers.has("LIST-STATUS") || self.link.state.offers.has("IMAP4REV2")
    }

    /// Asks for the state of each folder, many ahead of their answers, so that those in step need not be opened.
    pub(super) fn ask_states(&mut self, told: &mut Listing) -> Result<()> {
        let closed = |folder: &&Listed| !folder.is("\\noselect") && !folder.is("\\nonexistent");
        let names: Vec<Vec<u8>> =
            told.listed.iter().filter(closed).map(|folder| folder.name.clone()).collect();
        let selected = self.link.state.selected.as_ref().map(|mailbox| names::bytes(&mailbox.remote));
        // Of the selected one a STATUS is not to be asked for (RFC 9051 section 6.3.11).
        let mut names = names.iter().filter(|name| selected.as_ref() != Some(&plain(name)));
        let items = match self.link.state.offers.has("OBJECTID") {
            true => " (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ MAILBOXID)",
            false => " (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)",
        };
        let mut ahead = VecDeque::new();
        loop {
            while ahead.len() < AHEAD
                && let Some(name) = names.next()
            {
                ahead.push_back(self.link.send(&Command::new("STATUS").mailbox(name).text(items))?);
            }
            let Some(tag) = ahead.pop_front() else { return Ok(()) };
            // One that is refused is opened.
            self.link.answer(&tag, &mut |reply| told.hear(reply))?;
        }
    }
}
