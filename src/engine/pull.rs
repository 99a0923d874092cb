//! Takes what a server reports of one folder and commits it in batches, each with the cursor it covers.

use std::collections::{HashMap, HashSet, VecDeque};

use super::bodies::Beforehand;
use super::door::Door;
use super::told::Told;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, Cursor, Flags, FolderId, UidSet};
use crate::protocol::{Change, Flow, Known, RemoteId, Sink, Terms};
use crate::store::{Batch, Incoming, Maildrop, Pending, Reader, Step, Store};

/// Steps in one batch at most; the store packs batches into transactions by its own policy.
const BATCH: usize = 64;
/// Bytes of mail in one batch that close it.
const BATCH_BYTES: usize = 512 << 10;
/// Mails that are surely gone in one step.
const GONE: usize = 500;
/// Batches on their way to the store at most; the store bounds them by bytes as well.
const IN_FLIGHT: usize = 64;

/// Batches on their way to the store, in order, at most a few.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    store: &'a Store,
    account: AccountId,
    steps: Vec<Step>,
    bytes: usize,
    pending: VecDeque<Pending>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(store: &'a Store, account: AccountId) -> Self {
        Self { store, account, steps: Vec::new(), bytes: 0, pending: VecDeque::new() }
    }

    /// Adds a step; sends the batch when it is full.
    pub(super) fn push(&mut self, step: Step) -> Result<()> {
        self.bytes += step.bytes();
        self.steps.push(step);
        if self.steps.len() >= BATCH || self.bytes >= BATCH_BYTES { self.send() } else { Ok(()) }
    }

    /// Sends what has gathered. An error may be that of an earlier batch.
    pub(super) fn send(&mut self) -> Result<()> {
        if !self.steps.is_empty() {
            self.bytes = 0;
            let steps = std::mem::take(&mut self.steps);
            self.pending.push_back(self.store.submit(Batch { account: self.account, steps }));
        }
        while self.pending.len() > IN_FLIGHT {
            self.settle_one()?;
        }
        Ok(())
    }

    fn settle_one(&mut self) -> Result<()> {
        self.pending.pop_front().map_or(Ok(()), |pending| pending.wait().map(drop))
    }

    /// Sends the rest and waits until everything is durable.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.send()?;
        while !self.pending.is_empty() {
            self.settle_one()?;
        }
        Ok(())
    }
}

/// What the store holds of a folder, lent to the protocol; the long lists are read only when asked for.
pub(super) struct Held<'a> {
    pub(super) reader: &'a Reader,
    pub(super) folder: FolderId,
    pub(super) cursor: Cursor,
    pub(super) account: Option<AccountId>,
    /// POP3: every UIDL that was ever taken.
    pub(super) uidls: HashSet<String>,
}

impl Known for Held<'_> {
    fn cursor(&self) -> Cursor {
        self.cursor
    }

    fn uids(&self) -> Result<UidSet> {
        self.reader.uids(self.folder)
    }

    fn within(&self, lo: u32, hi: u32) -> Result<UidSet> {
        self.reader.uids_within(self.folder, lo, hi)
    }

    fn about(&self) -> Result<u64> {
        self.reader.total(self.folder)
    }

    fn flags(&self) -> Result<Vec<(u32, Flags, Vec<String>)>> {
        self.reader.base_flags(self.folder)
    }

    fn has_uidl(&self, uidl: &str) -> bool {
        self.uidls.contains(uidl)
    }

    fn has_twin(&self, uidl: &str, head: &[u8; 32]) -> Result<bool> {
        self.account.map_or(Ok(false), |account| self.reader.has_twin(account, uidl, head))
    }
}

/// The sink of one pull.
pub(super) struct Intake<'a> {
    pub(super) out: Outgoing<'a>,
    pub(super) door: &'a Door,
    pub(super) told: &'a mut Told,
    pub(super) folder: FolderId,
    pub(super) now: i64,
    /// Where folders are labels: tells whether a mail came under another label already.
    pub(super) labelled: Option<(&'a Reader, AccountId)>,
    /// POP3: what is listed there and not here, in the order of the listing.
    pub(super) take: VecDeque<(String, u64)>,
    /// A spool: what other programs noted of them.
    pub(super) told_of: HashMap<String, Beforehand>,
    /// Every UIDL of this session's listing.
    pub(super) listed: Option<HashSet<String>>,
    /// What the server asks of those who use it.
    pub(super) terms: Terms,
    /// Days that mail is left there; `None`: for ever.
    pub(super) stays: Option<u32>,
    /// Whether it was asked to stop.
    pub(super) stopped: bool,
    /// New messages.
    pub(super) new: u64,
    /// New messages without `\Seen`.
    pub(super) unread: u64,
    /// Changes of any kind.
    pub(super) changes: u64,
    /// What the server named as gone, and what a complete look did not show, since this was told last.
    pub(super) gone: Vec<u32>,
    pub(super) missing: Vec<u32>,
}

impl<'a> Intake<'a> {
    /// Of nothing yet.
    pub(super) fn new(
        out: Outgoing<'a>,
        door: &'a Door,
        told: &'a mut Told,
        folder: FolderId,
        now: i64,
    ) -> Self {
        Self {
            out,
            door,
            told,
            folder,
            now,
            labelled: None,
            take: VecDeque::new(),
            told_of: HashMap::new(),
            listed: None,
            terms: Terms::default(),
            stays: None,
            stopped: false,
            new: 0,
            unread: 0,
            changes: 0,
            gone: Vec::new(),
            missing: Vec::new(),
        }
    }
}

impl Intake<'_> {
    fn flow(&mut self) -> Flow {
        self.stopped |= self.door.is_urgent();
        if self.stopped { Flow::Stop } else { Flow::Continue }
    }

    /// Hands on a mail, new or shown for the first time.
    fn message(
        &mut self,
        id: &RemoteId,
        remote_id: Option<String>,
        (flags, keywords): (Flags, Vec<String>),
        size: u64,
        (internal, head): (i64, &[u8]),
    ) -> Result<()> {
        let envelope = mime::envelope(head);
        let received = arrival(internal, head, envelope.date, self.now);
        self.out.push(Step::Message(Box::new(Incoming {
            folder: self.folder,
            uid: Some(uid(id)?),
            uidl: None,
            remote_id,
            flags,
            keywords,
            size,
            received,
            internal,
            envelope,
            body: None,
        })))
    }

    /// Hands on what is gone, as one.
    pub(super) fn tell_gone(&mut self) -> Result<()> {
        let folder = self.folder;
        // Only what is judged has to be in one transaction.
        for uids in std::mem::take(&mut self.gone).chunks(GONE) {
            self.out.push(Step::Vanished { folder, uids: uids.to_vec(), certain: true })?;
        }
        let uids = std::mem::take(&mut self.missing);
        if uids.is_empty() {
            return Ok(());
        }
        self.out.push(Step::Vanished { folder, uids, certain: false })
    }
}

/// The UID in an id; the other kind in an IMAP folder is a mistake of the protocol room.
fn uid(id: &RemoteId) -> Result<u32> {
    match id {
        RemoteId::Uid { uid, .. } => Ok(*uid),
        RemoteId::Uidl(_) => Err(Error::new(Kind::Bug, "a UIDL came for a folder with UIDs")),
    }
}

impl Sink for Intake<'_> {
    fn change(&mut self, change: Change) -> Result<Flow> {
        let folder = self.folder;
        match change {
            Change::Reset { validity } => {
                self.changes += 1;
                self.out.push(Step::Reset { folder, validity })?;
            }
            Change::Expect { messages } => self.told.expect(messages),
            Change::New { id: RemoteId::Uidl(uidl), size, flags, received, .. } => {
                if flags != Flags::NONE || received != 0 {
                    self.told_of.insert(uidl.clone(), Beforehand { flags, came: received });
                }
                self.take.push_back((uidl, size));
            }
            Change::New { id, remote_id, flags, keywords, size, received, head } => {
                let head = head.unwrap_or_default();
                self.changes += 1;
                let is_news = match (self.labelled, &remote_id) {
                    (Some((reader, account)), Some(name)) => !reader.has_remote(account, name)?,
                    _ => true,
                };
                self.new += u64::from(is_news);
                self.unread += u64::from(is_news && !flags.has(Flags::SEEN));
                self.told.add(1, head.len() as u64);
                self.message(&id, remote_id, (flags, keywords), size, (received, &head))?;
            }
            Change::Shown { id, remote_id, flags, keywords, size, received, head } => {
                self.changes += 1;
                self.message(&id, remote_id, (flags, keywords), size, (received, &head))?;
            }
            Change::Flags { id, flags, keywords } => {
                self.changes += 1;
                self.out.push(Step::Flags { folder, uid: uid(&id)?, flags, keywords })?;
            }
            Change::Misnamed { id } => {
                self.changes += 1;
                self.out.push(Step::Misnamed { folder, uid: uid(&id)? })?;
            }
            // Judged together (promise I8), and never cut in the middle.
            Change::Gone { id, certain } => {
                self.changes += 1;
                let gone = if certain { &mut self.gone } else { &mut self.missing };
                gone.push(uid(&id)?);
            }
            Change::Covered(cursor) => {
                self.tell_gone()?;
                self.out.push(Step::Cursor { folder, cursor })?;
                self.out.send()?;
                return Ok(self.flow());
            }
            Change::Listing { uidls, bytes } => {
                self.listed = Some(uidls.iter().cloned().collect());
                let messages = uidls.len() as u64;
                self.out.push(Step::Listing { uidls, complete: !self.terms.shows_part })?;
                self.out.push(Step::Maildrop(Maildrop {
                    messages,
                    bytes,
                    login_delay: self.terms.login_delay.as_secs(),
                    expires: self.terms.expires,
                    stays: self.stays,
                }))?;
            }
        }
        Ok(Flow::Continue)
    }
}

/// When a message counts as arrived: what the server says, else its newest Received line, else its Date,
/// else now. Where the server's date and the Date header lie more than two days apart, the mail was
/// copied by a migration and its Date is nearer the truth, unless it lies in the future.
pub(super) fn arrival(told: i64, head: &[u8], date: Option<i64>, now: i64) -> i64 {
    const TWO_DAYS: i64 = 2 * 86_400;
    let date = date.filter(|date| (1..=now.saturating_add(86_400)).contains(date));
    if told > 0 {
        return date.filter(|date| date.abs_diff(told) > TWO_DAYS.unsigned_abs()).unwrap_or(told);
    }
    mime::received(head).filter(|at| (1..=now.saturating_add(86_400)).contains(at)).or(date).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_header_counts_only_for_migrated_mail() {
        let now = 1_800_000_000;
        let day = 86_400;
        assert_eq!(arrival(now - day, b"", Some(now - 2 * day), now), now - day);
        assert_eq!(arrival(now - day, b"", Some(now - 900 * day), now), now - 900 * day);
        assert_eq!(arrival(now - day, b"", Some(now + 900 * day), now), now - day);
        assert_eq!(arrival(0, b"", Some(now - day), now), now - day);
        assert_eq!(arrival(0, b"", None, now), now);
        let head = b"Received: from a by b; Fri, 15 Jan 2027 07:00:00 +0000\r\n\r\n";
        assert_eq!(arrival(0, head, Some(now - 30 * day), now), 1_799_996_400);
    }
}
