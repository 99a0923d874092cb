//! A server that names its mail anew (promise P7): found out by headers before anything is fetched twice.

use std::collections::VecDeque;

use super::account::{Worker, no_session};
use super::portion::Listed;
use crate::error::{Error, Kind, Result};
use crate::protocol::{FolderRef, HeaderHashes, RemoteId};
use crate::store::{Batch, NewName, Step};

impl Worker<'_> {
    /// POP3: where most of what is listed is unknown, and most of what was listed is missing, the server may have
    /// given new names to the same mails. Of what is new, answers what is new indeed; the rest waits for the user.
    pub(super) fn sift_renamed(&mut self, new: VecDeque<Listed>, listed: usize) -> Result<VecDeque<Listed>> {
        if new.len() * 2 <= listed || self.pace.terms.shows_part {
            return Ok(new);
        }
        let missing = self.reader.just_missing(self.id)?;
        // What is known of the listing was there before too.
        let still_there = (listed - new.len()) as u64;
        if missing == 0 || missing <= still_there {
            return Ok(new);
        }
        let held = self.reader.missing_heads(self.id)?;
        let ids: Vec<RemoteId> = new.iter().map(|(uidl, _)| RemoteId::Uidl(uidl.clone())).collect();
        let mut heads = HeaderHashes::default();
        let session = self.session.as_mut().ok_or_else(no_session)?;
        session.protocol.heads(&FolderRef::new("INBOX"), &ids, &mut heads)?;
        let mut fresh = VecDeque::new();
        let mut names = Vec::new();
        for ((uidl, size), id) in new.into_iter().zip(&ids) {
            match heads.done.get(id).and_then(|head| held.get(head)) {
                Some((was, dup)) => names.push(NewName { uidl, was: was.clone(), dup: *dup }),
                None => fresh.push_back((uidl, size)),
            }
        }
        if names.is_empty() {
            return Ok(fresh);
        }
        let count = names.len();
        self.store.commit(Batch { account: self.id, steps: vec![Step::Renamed { names }] })?;
        self.told.trouble(
            &Error::new(
                Kind::Refused,
                format!("the server has new names for {count} mails that are here, as after a move of the provider"),
            )
            .hint("gS or `mailtui queue`: accept keeps what is here, refetch gets it all anew"),
        );
        Ok(fresh)
    }
}
