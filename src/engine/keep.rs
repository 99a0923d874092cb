//! Keeps the bodies that `keep_bodies` asks for: lets go of the others where the server has them, wants more again when
//! the policy is raised.
//!
//! All of an account is looked through once when the policy changes; from then on only what grew too old since the last
//! time. So what the user opened meanwhile stays.

use super::account::{Worker, now};
use crate::error::Result;
use crate::model::Owner;
use crate::store::{Batch, Keep, Step};

/// How many bodies go in one transaction.
const CHUNK: usize = 200;
/// So often in seconds it is looked for what grew too old.
const EVERY: i64 = 3600;

impl Worker<'_> {
    /// Of which mails bodies are kept now.
    pub(super) fn keep(&self) -> Keep {
        let policy = self.setup.account.keep_bodies;
        let day = |days: u32| now().saturating_sub(i64::from(days) * 86_400);
        Keep {
            since: policy.days.map_or(Keep::ALL.since, day),
            largest: policy.size.map_or(Keep::ALL.largest, |size| i64::try_from(size).unwrap_or(i64::MAX)),
        }
    }

    /// Brings what is held in step with the policy.
    pub(super) fn keep_bodies(&mut self) -> Result<()> {
        if self.setup.owner != Owner::Server || !self.is_live() {
            return Ok(());
        }
        let policy = self.setup.account.keep_bodies.to_string();
        let key = format!("bodies.{}", self.id);
        let told = self.reader.recall(&key)?;
        let told = told.as_deref().and_then(|told| told.split_once('@'));
        let last = told.and_then(|(_, since)| since.parse::<i64>().ok());
        let before = told.map_or("all", |(policy, _)| policy);
        let keep = self.keep();
        let from = match last.filter(|_| before == policy) {
            Some(last) if keep.since < last.saturating_add(EVERY) => return Ok(()),
            Some(last) => last,
            None if before == policy => {
                // It always was "all": nothing is to be done, today or later.
                if keep == Keep::ALL {
                    return Ok(());
                }
                i64::MIN
            }
            None => {
                self.store.commit(Batch { account: self.id, steps: vec![Step::WantAgain(keep)] })?;
                self.want_bodies();
                i64::MIN
            }
        };
        let mut after = None;
        loop {
            let (messages, mark) = match keep {
                Keep::ALL => break,
                _ => self.reader.evictable(self.id, keep, from, after, CHUNK)?,
            };
            let Some(mark) = mark else { break };
            self.store.commit(Batch { account: self.id, steps: vec![Step::Evict(messages)] })?;
            after = Some(mark);
            if self.door.is_urgent() {
                // The rest goes with the next look.
                return Ok(());
            }
        }
        self.store.remember(&key, &format!("{policy}@{}", keep.since));
        Ok(())
    }
}
