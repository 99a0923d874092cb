//! Getting in step by QRESYNC (RFC 7162 section 3.2.5): all that changed comes with the answer to SELECT, and
//! nothing costs more in a larger folder.
//!
//! What vanished is believed only where it accounts for the server's count; else the folder is compared as on any
//! other server.

use super::Session;
use super::changes::{Again, Changed};
use super::heads::{Heads, Out};
use super::link::Tag;
use super::select::{Came, Mailbox};
use super::sets::{self, Ranges};
use crate::error::Result;
use crate::model::{Cursor, UidSet};
use crate::protocol::{Change, Known};

/// Where more ranges than these vanished, all that is held is looked through once.
const RANGES: usize = 200;

/// How far a resync went.
pub(super) enum Resynced {
    /// All was told, up to this cursor.
    Whole(Cursor),
    /// All flags and new mail were told, but which mails there are has to be compared.
    Partly {
        /// This much is covered.
        at: Cursor,
        /// What is held.
        held: UidSet,
        /// New mail that was told.
        told: UidSet,
    },
}

impl Session {
    /// Reports what came with the answer to SELECT, and new mail: `new` is the command that asked for it.
    pub(super) fn resync(
        &mut self,
        mailbox: &Mailbox,
        before: Cursor,
        known: &dyn Known,
        (came, new): (Came, Option<Tag>),
        out: &mut Out<'_>,
    ) -> Result<Resynced> {
        let about = known.about()?;
        let from = before.uidnext.max(1);
        let copies = known.within(from, u32::MAX)?;
        let silent = came.flags.is_empty() && came.gone.is_empty();
        for (uid, flags, keywords) in came.flags {
            // The flags of new mail come with it.
            if uid < from {
                out.tell(Change::Flags { id: out.id(uid), flags, keywords })?;
            }
        }
        let (mut at, mut told) = (before, UidSet::new());
        let new = match new {
            Some(tag) => Some(tag),
            None if mailbox.uidnext > before.uidnext => Some(self.ask_above(before.uidnext)?),
            None => None,
        };
        if let Some(tag) = new {
            let heads = Heads::new(out, from, &copies);
            // Flags that change meanwhile are not covered: they are news.
            let mut ear = Again { heads, below: 0, strange: false };
            at = self.newest(&tag, &mut ear, at, mailbox.uidnext)?;
            told = ear.heads.told;
        }
        // A server that says that something changed, but not what, is asked once more.
        if (came.lacks || (silent && told.is_empty())) && from > 1 {
            let tag = self.ask_changed(from - 1, before.modseq)?;
            self.changed(&tag, &mut Changed { out, below: from })?;
        }
        let gone = among(known, came.gone)?;
        let arrived = told.between(1, mailbox.uidnext.saturating_sub(1)).len();
        let accounts = |held: u64| held + arrived == u64::from(mailbox.count) + gone.len();
        if before.backfill > 1 || !accounts(about) {
            let held = known.uids()?;
            // What was told just now may be in the store already.
            if before.backfill > 1 || !accounts(sets::difference(&held, &told).len()) {
                return Ok(Resynced::Partly { at, held, told });
            }
        }
        for uid in gone.iter().rev() {
            out.tell(Change::Gone { id: out.id(uid), certain: true })?;
        }
        at.modseq = mailbox.modseq;
        out.tell(Change::Covered(at))?;
        Ok(Resynced::Whole(at))
    }
}

/// Those of the UIDs that are held.
fn among(known: &dyn Known, uids: Ranges) -> Result<UidSet> {
    let uids = uids.into_set();
    let ranges = uids.ranges();
    if ranges.len() > RANGES {
        let held = known.uids()?;
        return Ok(sets::difference(&held, &sets::difference(&held, &uids)));
    }
    let mut among = UidSet::new();
    for &(lo, hi) in ranges {
        known.within(lo, hi)?.ranges().iter().for_each(|&(lo, hi)| among.insert_range(lo, hi));
    }
    Ok(among)
}
