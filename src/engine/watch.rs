//! News of the folder that is open on the screen, by the second connection while it has nothing else to do.
//!
//! The live thread waits on the inbox. Where its server does not tell of other folders on the same line (NOTIFY),
//! the bulk thread waits on the folder that is looked at. It pulls nothing: what it hears it passes on to the live
//! thread, so that one thread alone moves a folder's cursor.

use std::time::{Duration, Instant};

use super::account::{Duty, Worker, no_session};
use super::backoff;
use super::door::Note;
use super::receive::is_of_one_folder;
use crate::error::{Error, Result, Retry};
use crate::model::FolderId;
use crate::protocol::Wake;

/// A wait for news ends after so long, to be begun anew; within it the session renews what it has to.
const LONG: Duration = Duration::from_secs(24 * 3600);

impl Worker<'_> {
    /// Has the other thread watch the folder that is open, if that is not `inbox`, or nothing.
    pub(super) fn have_watched(&mut self, inbox: Option<FolderId>, tells_all: bool) {
        let folder = self.looked.filter(|folder| !tells_all && Some(*folder) != inbox);
        self.say_watch(folder);
    }

    /// This thread does not work for the account any more: nor does the other.
    pub(super) fn have_none_watched(&mut self) {
        self.say_watch(None);
    }

    fn say_watch(&mut self, folder: Option<FolderId>) {
        if let Duty::Live { bulk: Some(bulk) } = self.duty
            && self.watched != folder
        {
            self.watched = folder;
            bulk.knock(Note::Watch(folder));
        }
    }

    /// Waits for news of a folder and passes it on.
    pub(super) fn watch(&mut self, folder: FolderId) -> Result<()> {
        let Duty::Bulk { live } = self.duty else { return Ok(()) };
        let Ok((remote, _)) = self.folder_ref(folder) else {
            self.watched = None;
            return Ok(());
        };
        let session = self.session.as_mut().ok_or_else(no_session)?;
        // What came between the last pull and the beginning of the watch is news too: so it begins with a pull.
        let begins = session.watching != Some(folder);
        let until = Instant::now() + if begins { Duration::ZERO } else { LONG };
        let wake = match self.door.rest(|_| session.protocol.wait(&remote, until)).transpose() {
            Err(error) if is_of_one_folder(&error) => {
                tracing::info!(%error, "the folder that is open cannot be watched");
                self.watched = None;
                return Ok(());
            }
            wake => wake?,
        };
        self.tries = 0;
        match wake {
            Some(Wake::Changed) => {}
            Some(Wake::TimedOut) if begins => {}
            Some(Wake::Unsupported) => {
                self.watched = None;
                return Ok(());
            }
            _ => return Ok(()),
        }
        session.protocol.passed_on(&remote);
        session.watching = Some(folder);
        live.knock(Note::News(folder));
        Ok(())
    }

    /// The second connection failed: the first takes over its bodies, the watch is tried again later.
    pub(super) fn second_failed(&mut self, error: &Error) {
        let Duty::Bulk { live } = self.duty else { return };
        if std::mem::take(&mut self.bodies) {
            // A server may allow one connection only.
            live.knock(Note::Bodies);
        }
        if error.kind().retry() == Retry::AskUser {
            self.watched = None;
        }
        if self.watched.is_some() {
            self.tries += 1;
            self.not_before = Some(Instant::now() + backoff::delay(self.tries, backoff::random()));
        }
    }
}
