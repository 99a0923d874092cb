//! What a server tells of itself: written down, and said once where its room comes to an end.

use super::account::{Worker, no_session};
use crate::error::{Error, Kind, Result};
use crate::model::Quota;
use crate::store::{Batch, Step};

/// Hundredths in use below which the next time that room gets scarce is worth a word again.
const AMPLE: u64 = 85;

impl Worker<'_> {
    /// Notes what the server told of itself with its folders.
    pub(super) fn note_about(&mut self) -> Result<()> {
        let told = self.session.as_ref().ok_or_else(no_session)?.protocol.about();
        // Both sessions of an account hear the same.
        if !self.is_live() {
            return Ok(());
        }
        if told != self.reader.about(self.id)? {
            self.store.commit(Batch { account: self.id, steps: vec![Step::About(told.clone())] })?;
        }
        let key = format!("told.room.{}", self.id);
        let was_told = self.reader.recall(&key)?.is_some_and(|word| word == "1");
        match told.quota {
            Some(quota) if quota.is_tight() && !was_told => {
                self.store.remember(&key, "1");
                self.told.trouble(&scarce(quota));
            }
            Some(quota) if quota.percent() < AMPLE && was_told => self.store.remember(&key, "0"),
            _ => {}
        }
        Ok(())
    }
}

fn scarce(quota: Quota) -> Error {
    Error::new(Kind::Refused, format!("the mailbox on the server is nearly full: {quota} are in use"))
        .hint("Delete mail there or ask for more room: a full mailbox sends mail back to who wrote it")
}
