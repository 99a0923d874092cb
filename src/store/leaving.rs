//! Mail that goes out by itself, as a clock needs it (promises O1 and O7), and mail that is held back.

use super::db::sql;
use super::intents::refused;
use super::list::rows;
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, Outcome};
use crate::text::Clean;

/// When a mail is to be sent that is held back: the end of the year 9999.
pub const HELD: i64 = 253_402_300_799;

/// A mail on its way out that does not wait for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Its row in the outbox.
    pub id: i64,
    /// What it is about.
    pub subject: Clean,
    /// Not before this, Unix time.
    pub send_at: i64,
    /// How far it is.
    pub stage: Stage,
}

/// How far a mail on its way out is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was not tried.
    Queued,
    /// Its end is being told to the server.
    Sending,
    /// It was tried, and is tried again.
    Deferred,
}

impl Reader {
    /// At most `limit` mails that go out by themselves, the newest first; those that are held back are not among them.
    pub fn leaving(&self, limit: usize) -> Result<Vec<Leaving>> {
        self.0.all(
            sql!(
                "SELECT o.id, m.subject, o.send_at, o.state FROM outbox o CROSS JOIN messages m ON m.id = o.message_id
                  WHERE o.state IN ('queued', 'sending', 'deferred') AND o.send_at < ?1 ORDER BY o.id DESC LIMIT ?2"
            ),
            (HELD, rows(limit)),
            |row| {
                Ok(Leaving {
                    id: row.get(0)?,
                    subject: Clean::line(&row.get::<_, String>(1)?),
                    send_at: row.get(2)?,
                    stage: match row.get::<_, String>(3)?.as_str() {
                        "sending" => Stage::Sending,
                        "deferred" => Stage::Deferred,
                        _ => Stage::Queued,
                    },
                })
            },
        )
    }
}

impl Tx<'_> {
    /// Gives a mail another time, [`HELD`] until it is tried again by its name; false: it is on the wire, or waits for
    /// the user.
    pub(super) fn retime(&mut self, id: i64, until: i64) -> Result<bool> {
        let account = self.db.one(
            sql!(
                "UPDATE outbox SET send_at = ?2, not_before = 0, state = 'queued', error = '' WHERE id = ?1 AND state IN ('queued', 'deferred')
                  RETURNING account_id"
            ),
            (id, until),
            |row| row.get::<_, AccountId>(0),
        )?;
        let Some(account) = account else { return Ok(false) };
        self.touched.ops.insert(account);
        self.touched.accounts.insert(account);
        Ok(true)
    }

    /// Gives a mail the time that the user said.
    pub(super) fn send_at(&mut self, id: i64, at: i64, said: &str) -> Result<Outcome> {
        if !self.retime(id, at)? {
            return Ok(refused("the mail is being sent, or is not in the outbox any more"));
        }
        Ok(Outcome { label: format!("to be sent {said}"), undoable: false, place: None, error: None })
    }
}
