//! Searching on the server: what it finds and is not here comes as ordinary mail.

use std::collections::HashSet;

use super::account::{Worker, no_session, now};
use super::event::{AccountState, Event, Found};
use super::pull::{Held, Intake, Outgoing};
use super::receive::is_of_one_folder;
use crate::error::{Error, Kind, Result};
use crate::model::FolderId;
use crate::protocol::{HITS, RemoteId};
use crate::text::Clean;

impl Worker<'_> {
    /// The user searches. Without a way to the server it is said at once.
    pub(super) fn take_search(&mut self, folder: FolderId, words: Vec<String>) {
        if self.paused {
            let why = Clean::line("there is no sign-in to this server at the moment");
            return self.tell_found(folder, words, Err(why));
        }
        // Who asks again does not wait for what was asked before.
        self.searches.retain(|(other, _)| *other != folder);
        self.searches.push_back((folder, words));
        self.not_before = self.pace.not_before();
    }

    pub(super) fn tell_found(
        &self,
        folder: FolderId,
        words: Vec<String>,
        found: std::result::Result<Found, Clean>,
    ) {
        self.told.emit(Event::Found { account: self.id, folder, words, found });
    }

    /// The line broke: nobody waits for an answer that may take hours.
    pub(super) fn give_up_searches(&mut self, error: &Error) {
        let why = Clean::line(&error.to_string());
        for (folder, words) in std::mem::take(&mut self.searches) {
            self.tell_found(folder, words, Err(why.clone()));
        }
    }

    /// Lets the server search.
    pub(super) fn search(&mut self) -> Result<()> {
        let Some((folder, words)) = self.searches.front().cloned() else { return Ok(()) };
        self.told.state(AccountState::Syncing);
        let found = match self.found(folder, &words) {
            Err(error) if error.kind() == Kind::Conflict => {
                self.pull(folder)?;
                self.found(folder, &words)
            }
            found => found,
        };
        let found = match found {
            // Said as its answer, not as an event of its own.
            Err(error) if is_of_one_folder(&error) => Err(Clean::line(&error.to_string())),
            Err(error) if error.kind() == Kind::Conflict => Err(Clean::line(&error.to_string())),
            found => Ok(found?),
        };
        self.searches.pop_front();
        self.tell_found(folder, words, found);
        Ok(())
    }

    fn found(&mut self, folder: FolderId, words: &[String]) -> Result<Found> {
        let (remote, _) = self.folder_ref(folder)?;
        let session = self.session.as_mut().ok_or_else(no_session)?;
        let cursor = self.reader.cursor(folder)?;
        let held =
            Held { reader: &self.reader, account: Some(self.id), folder, cursor, uidls: HashSet::new() };
        let mut intake =
            Intake::new(Outgoing::new(self.store, self.id), self.door, &mut self.told, folder, now());
        let hits = session.protocol.search(&remote, words, &held, &mut intake);
        // What was reported before a failure is valid, and kept.
        let settled = intake.out.settle();
        let new = intake.new;
        let hits = hits?;
        settled?;
        let uids: Vec<u32> = hits
            .iter()
            .filter_map(|id| match id {
                RemoteId::Uid { uid, .. } => Some(*uid),
                RemoteId::Uidl(_) => None,
            })
            .collect();
        if new > 0 {
            self.want_bodies();
        }
        Ok(Found { messages: self.reader.messages_at(folder, &uids)?, new, is_cut: hits.len() >= HITS })
    }
}
