//! Little room on the disk: the newest mail and what is opened is fetched, the rest waits (promise I14).

use super::account::Worker;
use crate::error::{Error, Kind, Result};
use crate::model::MessageId;
use crate::store::{Store, WantedBody};

/// Of the inbox so many of the newest mails are fetched whatever room there is.
const NEWEST: usize = 100;
/// POP3: mails taken in one session; the others stay on the server.
pub(super) const TAKEN: usize = 20;
/// Bytes of mail that are fetched before the disk is asked again: an eighth of what is free, within these bounds.
/// At the end of each such portion the line is idle until all of it is durable.
const ASK_EVERY: u64 = 64_000_000;
const ASK_MOST: u64 = 1_000_000_000;

/// Whether the disk of the store has little room.
pub(super) fn is_low(store: &Store) -> bool {
    store.room().is_some_and(|room| room.is_low())
}

fn trouble() -> Error {
    Error::new(Kind::Store, "the disk that holds the store has little room: only new mail is fetched").hint(
        "make room until a tenth of it or 2 GB is free, then the rest follows by itself; what you open is fetched \
         all the same, and nothing that is here is dropped",
    )
}

/// What the ledger says of it.
pub(super) fn worded() -> String {
    super::trouble::worded(&trouble())
}

impl Worker<'_> {
    /// The bodies to be fetched next, newest first: of those only that the disk has room for.
    pub(super) fn wanted_bodies(
        &mut self,
        after: Option<(i64, MessageId)>,
        limit: usize,
    ) -> Result<Vec<WantedBody>> {
        let mut wanted = self.reader.wanted_bodies(self.id, self.keep(), after, limit)?;
        if wanted.is_empty() {
            return Ok(wanted);
        }
        let is_tight = is_low(self.store);
        self.tell_room(is_tight);
        if is_tight {
            let since = self.reader.newest_since(self.id, NEWEST)?;
            wanted.retain(|body| body.key.0 >= since);
        }
        let room = self.store.room().map_or(0, |room| room.free / 8).clamp(ASK_EVERY, ASK_MOST);
        let mut bytes = 0;
        let fits = wanted.iter().take_while(|body| {
            let fits = bytes < room;
            bytes += body.size;
            fits
        });
        let fits = fits.count();
        wanted.truncate(fits);
        Ok(wanted)
    }

    /// Says once that the disk has little room; not again when an earlier process said so.
    pub(super) fn tell_room(&mut self, is_tight: bool) {
        if is_tight && !self.is_tight && self.is_live() {
            let known = self.reader.health().is_ok_and(|all| {
                all.iter().any(|health| health.id == self.id && health.trouble.as_str() == worded())
            });
            if !known {
                self.told.trouble(&trouble());
            }
        }
        self.is_tight = is_tight;
    }
}
