//! News of every folder on one connection: NOTIFY (RFC 5465), heard while waiting by IDLE.

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::link::deaf;
use super::list::Told;
use super::names;
use super::reply::Counted;
use crate::error::Result;
use crate::protocol::FolderRef;

/// What is to be told; servers may not know of flags in folders that are not open.
const EVENTS: [&str; 2] = ["MessageNew MessageExpunge FlagChange", "MessageNew MessageExpunge"];

impl Session {
    /// See [`MailProtocol::watch`](crate::protocol::MailProtocol::watch).
    pub(super) fn notify(&mut self) -> Result<bool> {
        if self.link.state.notifies || !self.link.state.offers.has("NOTIFY") || !self.can_idle() {
            return Ok(self.link.state.notifies);
        }
        for events in EVENTS {
            let all = EVENTS[0];
            let command = format!("NOTIFY SET (SELECTED ({all})) (PERSONAL ({events}))");
            // What is told from now on may come ahead of the answer.
            self.link.state.notifies = true;
            let tag = self.link.send(&Command::new(command))?;
            let answer = self.link.answer(&tag, &mut deaf)?;
            self.link.state.notifies = answer.verdict == Verdict::Ok;
            if self.link.state.notifies {
                return Ok(true);
            }
        }
        tracing::warn!("the server does not tell of news in all folders after all");
        Ok(false)
    }

    /// Whether news of other folders was told that nobody was given yet.
    pub(super) fn hears_elsewhere(&mut self) -> bool {
        for counts in std::mem::take(&mut self.link.state.counted) {
            let remote = names::key(&counts.name);
            let told = self.told.get(&remote);
            if told.is_none_or(|told| differs(&counts, told)) {
                if let Some(told) = self.told.get_mut(&remote) {
                    take_in(&counts, told);
                }
                self.elsewhere.insert(remote);
            }
        }
        !self.elsewhere.is_empty()
    }

    /// See [`MailProtocol::elsewhere`](crate::protocol::MailProtocol::elsewhere).
    pub(super) fn take_elsewhere(&mut self) -> Vec<FolderRef> {
        self.hears_elsewhere();
        std::mem::take(&mut self.elsewhere).into_iter().map(FolderRef::new).collect()
    }
}

/// Whether a folder is not as it was told to be last. What is told is what changed: not all of it comes each time.
fn differs(now: &Counted, then: &Told) -> bool {
    let silent = (now.messages, now.uidnext, now.modseq) == (None, None, None);
    let Some(cursor) = then.cursor else { return true };
    silent
        || now.messages.is_some_and(|count| then.messages != Some(count))
        || now.uidnext.is_some_and(|uidnext| uidnext != cursor.uidnext)
        || now.modseq.is_some_and(|modseq| modseq != cursor.modseq)
        || now.validity.is_some_and(|validity| validity != cursor.validity)
}

fn take_in(now: &Counted, told: &mut Told) {
    told.messages = now.messages.or(told.messages);
    if let Some(cursor) = &mut told.cursor {
        cursor.uidnext = now.uidnext.unwrap_or(cursor.uidnext);
        cursor.modseq = now.modseq.unwrap_or(cursor.modseq);
        cursor.validity = now.validity.unwrap_or(cursor.validity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cursor;

    #[test]
    fn a_folder_that_is_as_it_was_is_no_news() {
        let cursor = Cursor { validity: 7, uidnext: 9, modseq: 5, backfill: 9 };
        let mut then = Told { messages: Some(3), cursor: Some(cursor) };
        let counts = |messages, modseq| Counted { messages, modseq, ..Counted::default() };
        assert!(!differs(&counts(Some(3), Some(5)), &then));
        assert!(!differs(&counts(None, Some(5)), &then));
        assert!(differs(&counts(Some(4), Some(6)), &then) && differs(&counts(None, Some(6)), &then));
        assert!(differs(&counts(None, None), &then), "only how much is unread, where there are no modseqs");
        assert!(differs(&counts(None, Some(5)), &Told { cursor: None, ..then }));
        take_in(&counts(Some(4), Some(6)), &mut then);
        assert!(!differs(&counts(Some(4), Some(6)), &then) && differs(&counts(Some(3), None), &then));
    }
}
