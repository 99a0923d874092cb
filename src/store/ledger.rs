//! The ledger (promise A2): everything that waits, page by page, and how each account fares.

use super::book::Book;
use super::db::sql;
use super::list::rows;
use super::reader::Reader;
use crate::error::Result;
use crate::model::{AccountId, Matter, PlacementId, Summary, View};
use crate::text::Clean;

/// How it stands with something that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has its turn when there is a connection.
    Queued,
    /// It was tried, and is tried again at this time (Unix time).
    Waiting(i64),
    /// It is being carried out.
    Running,
    /// POP3: asked of the server, and not yet proven.
    Told,
    /// The server refuses it, or what it is about is gone: waits for the user.
    Conflict,
    /// It came to nothing again and again: waits for the user.
    Stuck,
    /// More vanished than is believed: waits for the user.
    Parked,
    /// A mail that the server may have taken, or not: waits for the user.
    Unsure,
    /// A mail that was refused: waits for the user.
    Failed,
}

impl Standing {
    /// Whether nothing goes on before the user decides.
    #[must_use]
    pub fn needs_user(self) -> bool {
        matches!(self, Self::Conflict | Self::Stuck | Self::Parked | Self::Unsure | Self::Failed)
    }

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting(_) => "waiting",
            Self::Running => "running",
            Self::Told => "told",
            Self::Conflict => "conflict",
            Self::Stuck => "stuck",
            Self::Parked => "parked",
            Self::Unsure => "unsure",
            Self::Failed => "failed",
        }
    }
}

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is called.
    pub matter: Matter,
    /// Whose.
    pub account: AccountId,
    /// How it stands.
    pub standing: Standing,
    /// What it does, in plain words: `move 3 mails from Inbox to Archive`.
    pub what: Clean,
    /// The subject of its first mail, where it has one.
    pub subject: Clean,
    /// How many mails it is about.
    pub mails: u64,
    /// Since when it waits, Unix time; 0: not known.
    pub since: i64,
    /// How often it was tried.
    pub tries: u32,
    /// Why it could not be done, when it was tried last; empty: nothing is known against it.
    pub error: Clean,
    /// The action that it is a part of, if that can be taken back.
    pub undo: Option<i64>,
}

/// Where a page of the ledger goes on: the bookmark of the last entry before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bookmark {
    pub(super) rank: u8,
    pub(super) id: i64,
}

impl Entry {
    /// Its place among those of its account: what waits for the user first, the oldest of a kind first.
    #[must_use]
    pub fn bookmark(&self) -> Bookmark {
        let (rank, id) = match (self.matter, self.standing) {
            (Matter::Folder(id), _) => (PARKED, id.0),
            (Matter::Outgoing(id), Standing::Unsure) => (UNSURE, id),
            (Matter::Outgoing(id), Standing::Failed) => (FAILED, id),
            (Matter::Outgoing(id), Standing::Running) => (SENDING, id),
            (Matter::Outgoing(id), Standing::Waiting(_)) => (DEFERRED, id),
            (Matter::Outgoing(id), _) => (OUTGOING, id),
            (Matter::Op(id), Standing::Conflict) => (CONFLICT, id.0),
            (Matter::Op(id), Standing::Stuck) => (STUCK, id.0),
            (Matter::Op(id), Standing::Running) => (RUNNING, id.0),
            (Matter::Op(id), _) => (QUEUED, id.0),
            (Matter::Deletions(id), _) => (DELETIONS, id.0),
        };
        Bookmark { rank, id }
    }
}

/// The kinds of entries, in the order in which they are listed.
pub(super) const PARKED: u8 = 0;
pub(super) const UNSURE: u8 = 1;
pub(super) const FAILED: u8 = 2;
pub(super) const CONFLICT: u8 = 3;
pub(super) const STUCK: u8 = 4;
pub(super) const RUNNING: u8 = 5;
pub(super) const SENDING: u8 = 6;
pub(super) const DEFERRED: u8 = 7;
pub(super) const OUTGOING: u8 = 8;
pub(super) const DELETIONS: u8 = 9;
pub(super) const QUEUED: u8 = 10;

/// How much of an account waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Operations that go on by themselves, running ones with them.
    pub queued: u64,
    /// Operations that wait for the user.
    pub conflicts: u64,
    /// Folders whose changes are held back.
    pub parked: u64,
    /// Mails on their way out that go on by themselves.
    pub outgoing: u64,
    /// Mails on their way out that wait for the user.
    pub unsure: u64,
    /// POP3: deletions that the server has not confirmed.
    pub deletions: u64,
    /// Since when the oldest of those waits that should go on by itself, deletions left out; Unix time.
    pub oldest: Option<i64>,
}

impl Waiting {
    /// How many entries wait for the user.
    #[must_use]
    pub fn for_user(&self) -> u64 {
        self.conflicts + self.parked + self.unsure
    }

    /// Whether nothing waits at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        Self { oldest: None, ..*self } == Self::default()
    }
}

impl Reader {
    /// At most `limit` entries of an account after a place, or from the first.
    pub fn ledger(&self, account: AccountId, after: Option<Bookmark>, limit: usize) -> Result<Vec<Entry>> {
        self.0.snapshot(|| Book(&self.0).page(account, after, limit))
    }

    /// One matter as it is now; `None`: it is settled.
    pub fn matter(&self, matter: Matter) -> Result<Option<Entry>> {
        self.0.snapshot(|| Book(&self.0).entry(matter))
    }

    /// How much of an account waits. Counted by indexes: 100,000 operations take some milliseconds.
    pub fn waiting(&self, account: AccountId) -> Result<Waiting> {
        self.0.snapshot(|| Book(&self.0).waiting(account))
    }

    /// At most `limit` of the mails that a matter is about.
    pub fn matter_mails(&self, matter: Matter, limit: usize) -> Result<Vec<Summary>> {
        let placements: Vec<PlacementId> = match matter {
            Matter::Op(op) => self.0.all(
                sql!("SELECT placement_id FROM op_items WHERE op_id = ?1 ORDER BY placement_id LIMIT ?2"),
                (op, rows(limit)),
                |row| row.get(0),
            )?,
            Matter::Folder(folder) => {
                let parked = self.0.all(
                    sql!(
                        "SELECT id FROM placements WHERE folder_id = ?1 AND stale <> 0 AND stale = 3
                          ORDER BY id LIMIT ?2"
                    ),
                    (folder, rows(limit)),
                    |row| row.get(0),
                )?;
                if parked.is_empty() {
                    // The whole folder is not listed any more.
                    return self.copies(View::Folder(folder), None, limit);
                }
                parked
            }
            Matter::Deletions(_) => Vec::new(),
            Matter::Outgoing(id) => self.0.all(
                sql!(
                    "SELECT p.id FROM outbox o JOIN placements p ON p.message_id = o.message_id
                      WHERE o.id = ?1 ORDER BY p.id LIMIT 1"
                ),
                [id],
                |row| row.get(0),
            )?,
        };
        let mut mails = Vec::new();
        for placement in placements {
            mails.extend(self.summary(placement)?);
        }
        Ok(mails)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Home;
    use super::*;
    use crate::model::OpId;
    use std::time::{Duration, Instant};

    #[test]
    fn a2_a_queue_of_100_000_opens_at_once_at_either_end() {
        let home = Home::new();
        let account = home.account;
        home.store
            .on_writer(move |conn| {
                conn.execute(
                    "INSERT INTO ops (account_id, kind, folder_id, detail, at)
                     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                     SELECT ?1, 'flags', 1, '{\"add\":4,\"del\":0}', i FROM n",
                    [account],
                )
                .unwrap();
            })
            .unwrap();
        let reader = home.store.reader().unwrap();
        let begun = Instant::now();
        let first = reader.ledger(account, None, 100).unwrap();
        let end = Bookmark { rank: QUEUED, id: 99_950 };
        let last = reader.ledger(account, Some(end), 100).unwrap();
        let waiting = reader.waiting(account).unwrap();
        // A whole pass takes seconds in a build without optimization.
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
        assert_eq!((first.len(), last.len()), (100, 50));
        assert_eq!((first[0].matter, last[49].matter), (Matter::Op(OpId(1)), Matter::Op(OpId(100_000))));
        assert_eq!((waiting.queued, waiting.oldest), (100_000, Some(1)));
    }
}
