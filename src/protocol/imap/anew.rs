//! The first look at a folder: the newest messages at once, then the others, window by window.

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::heads::{self, FIRST, Heads, Out};
use super::link::Tag;
use super::select::Mailbox;
use super::sets;
use super::trouble;
use crate::error::Result;
use crate::model::{Cursor, UidSet};
use crate::protocol::{Change, Flow};

/// What a first look asks for before all else.
pub(super) struct First {
    pub(super) newest: Tag,
    /// From which message number on.
    lowest: u32,
    /// Which messages there are, if they are more.
    pub(super) all: Option<Tag>,
}

impl Session {
    /// Asks for the newest messages of a mailbox that holds `count`, and which others there are.
    pub(super) fn ask_first(&mut self, count: u32) -> Result<First> {
        let lowest = count.saturating_sub(FIRST - 1).max(1);
        let items = heads::items(&self.link.state.offers);
        let newest = self.link.send(&Command::new(format!("FETCH {lowest}:* {items}")))?;
        let all = if lowest > 1 { Some(self.ask_all()?) } else { None };
        Ok(First { newest, lowest, all })
    }

    /// Nothing is known yet, or nothing that holds any more.
    pub(super) fn look_anew(
        &mut self,
        mailbox: &Mailbox,
        before: Cursor,
        first: Option<First>,
        out: &mut Out<'_>,
    ) -> Result<Cursor> {
        if before.validity != 0 {
            out.tell(Change::Reset { validity: mailbox.validity })?;
            if out.flow == Flow::Stop {
                return Ok(before);
            }
        }
        let nothing = UidSet::new();
        let mut at = mailbox.top();
        if at.uidnext != 0 {
            out.tell(Change::Covered(at))?;
        }
        let messages = u64::from(mailbox.exists);
        if messages > 0 {
            out.tell(Change::Expect { messages })?;
        }
        let mut first = match first {
            Some(first) => Some(first),
            None if mailbox.exists > 0 => Some(self.ask_first(mailbox.exists)?),
            None => None,
        };
        let (mut search, mut found) = (None, None);
        let mut complete = mailbox.exists == 0;
        while let Some(First { newest, lowest, all }) = first.take() {
            search = all.or(search);
            let mut heads = Heads::new(out, 1, &nothing);
            let answer = self.link.answer(&newest, &mut heads)?;
            heads.release()?;
            let told = std::mem::take(&mut heads.told);
            found = heads.found.take();
            if answer.verdict == Verdict::Bad && lowest > mailbox.exists {
                // The count of LIST was not true any more.
                first = if mailbox.exists > 0 { Some(self.ask_first(mailbox.exists)?) } else { None };
                continue;
            }
            if answer.verdict == Verdict::Bad {
                return Err(trouble::refused("the server does not tell of its messages", &answer));
            }
            // Messages told as new here may have come after the count was told.
            at.uidnext = at.uidnext.max(sets::highest(&told).map_or(1, |uid| uid.saturating_add(1)));
            at.backfill = sets::lowest(&told).unwrap_or(at.uidnext);
            complete = lowest == 1 && answer.verdict == Verdict::Ok;
        }
        if complete {
            at.backfill = 1;
        }
        if at.uidnext == 0 {
            at.uidnext = 1;
        }
        out.tell(Change::Covered(at))?;
        let there = match search {
            Some(tag) => Some(self.all_of(&tag, found)?),
            None if at.backfill > 1 && out.flow == Flow::Continue => {
                let tag = self.ask_all()?;
                Some(self.all(&tag)?)
            }
            None => None,
        };
        match there {
            Some(there) if at.backfill > 1 => {
                let missing = there.between(1, at.backfill - 1);
                heads::bring(&mut self.link, out, missing, &nothing, at)
            }
            _ => Ok(at),
        }
    }
}
