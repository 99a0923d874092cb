//! Reading the ledger, over any connection: that of a reader, and the one that settles.

use rusqlite::Row as Columns;

use super::db::{Db, sql, unsigned};
use super::deeds::{Deed, described};
use super::ledger::{
    Bookmark, CONFLICT, DEFERRED, DELETIONS, Entry, FAILED, OUTGOING, PARKED, QUEUED, RUNNING, SENDING,
    STUCK, Standing, UNSURE, Waiting,
};
use super::list::rows;
use crate::error::Result;
use crate::model::{AccountId, FolderId, Matter, OpId};
use crate::text::Clean;

/// The ledger behind a connection.
pub(super) struct Book<'a>(pub(super) &'a Db);

/// POP3 mails that are to go from a server.
struct Wanted {
    /// Deleted here for good.
    deleted: u64,
    /// Likewise, asked for, and not proven.
    told: u64,
    /// The user wants them to be here only (promise P14).
    cleaned: u64,
    /// They are to be here only, by the user's word or the account's policy: asked for, and not proven.
    cleaned_told: u64,
}

impl Wanted {
    fn all(&self) -> u64 {
        self.deleted + self.told + self.cleaned + self.cleaned_told
    }
}

/// A row of `ops` as the ledger needs it.
struct OpRow {
    id: OpId,
    account: AccountId,
    deed: Deed,
    state: String,
    tries: u32,
    not_before: i64,
    error: String,
    at: i64,
    undo: Option<i64>,
}

fn op_row(row: &Columns<'_>) -> rusqlite::Result<OpRow> {
    let id = row.get(0)?;
    Ok(OpRow {
        id,
        account: row.get(1)?,
        deed: Deed {
            op: id,
            kind: row.get(2)?,
            folder: row.get(3)?,
            target: row.get(4)?,
            detail: row.get(5)?,
        },
        state: row.get(6)?,
        tries: row.get(7)?,
        not_before: row.get(8)?,
        error: row.get(9)?,
        at: row.get(10)?,
        undo: row.get(11)?,
    })
}

impl Book<'_> {
    pub(super) fn page(
        &self,
        account: AccountId,
        after: Option<Bookmark>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let from = after.unwrap_or(Bookmark { rank: PARKED, id: i64::MIN });
        let mut entries = Vec::new();
        for rank in from.rank..=QUEUED {
            let room = limit.saturating_sub(entries.len());
            if room == 0 {
                break;
            }
            let id = if rank == from.rank { from.id } else { i64::MIN };
            match rank {
                PARKED => entries.extend(self.parked(account, id, room)?),
                UNSURE => entries.extend(self.outgoing(account, "unsure", id, room)?),
                FAILED => entries.extend(self.outgoing(account, "failed", id, room)?),
                CONFLICT => entries.extend(self.ops(account, "conflict", id, room)?),
                STUCK => entries.extend(self.ops(account, "stuck", id, room)?),
                RUNNING => entries.extend(self.ops(account, "running", id, room)?),
                SENDING => entries.extend(self.outgoing(account, "sending", id, room)?),
                DEFERRED => entries.extend(self.outgoing(account, "deferred", id, room)?),
                OUTGOING => entries.extend(self.outgoing(account, "queued", id, room)?),
                DELETIONS if id < account.0 => entries.extend(self.deletions(account)?),
                QUEUED => entries.extend(self.ops(account, "queued", id, room)?),
                _ => {}
            }
        }
        Ok(entries)
    }

    /// One matter as it is now.
    pub(super) fn entry(&self, matter: Matter) -> Result<Option<Entry>> {
        match matter {
            Matter::Op(op) => {
                let row = self.0.one(
                    sql!("SELECT id, account_id, kind, folder_id, target_id, detail, state, tries, not_before, error, at, undo_id
                          FROM ops WHERE id = ?1"),
                    [op],
                    op_row,
                )?;
                row.map(|row| self.of_op(row)).transpose()
            }
            Matter::Folder(folder) => {
                let account = self.0.one(
                    sql!("SELECT account_id FROM folders WHERE id = ?1 AND parked <> ''"),
                    [folder],
                    |row| row.get(0),
                )?;
                let Some(account) = account else { return Ok(None) };
                Ok(self.parked(account, folder.0 - 1, 1)?.pop())
            }
            Matter::Deletions(account) => self.deletions(account),
            Matter::Outgoing(id) => {
                let found = self.0.one(
                    sql!("SELECT account_id, state FROM outbox WHERE id = ?1 AND state <> 'sent'"),
                    [id],
                    |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
                )?;
                let Some((account, state)) = found else { return Ok(None) };
                Ok(self.outgoing(account, &state, id - 1, 1)?.pop())
            }
        }
    }

    /// A move between accounts is two operations and one entry: the half that waits is not listed while the
    /// other is there (promise I13).
    fn ops(&self, account: AccountId, state: &str, after: i64, limit: usize) -> Result<Vec<Entry>> {
        let found = self.0.all(
            sql!("SELECT o.id, o.account_id, o.kind, o.folder_id, o.target_id, o.detail, o.state, o.tries, o.not_before,
                    o.error, o.at, o.undo_id FROM ops o
                  WHERE o.account_id = ?1 AND o.state = ?2 AND o.id > ?3
                    AND (o.after_id IS NULL OR NOT EXISTS (SELECT 1 FROM ops f WHERE f.id = o.after_id))
                  ORDER BY o.id LIMIT ?4"),
            (account, state, after, rows(limit)),
            op_row,
        )?;
        found.into_iter().map(|row| self.of_op(row)).collect()
    }

    fn of_op(&self, row: OpRow) -> Result<Entry> {
        let mails = unsigned(
            self.0
                .one(sql!("SELECT count(*) FROM op_items WHERE op_id = ?1"), [row.id], |row| row.get(0))?
                .unwrap_or(0),
        );
        let subject = self.0.one(
            sql!(
                "SELECT m.subject FROM op_items i JOIN placements p ON p.id = i.placement_id
                  JOIN messages m ON m.id = p.message_id WHERE i.op_id = ?1 ORDER BY i.placement_id LIMIT 1"
            ),
            [row.id],
            |row| row.get::<_, String>(0),
        )?;
        let standing = match (row.state.as_str(), row.not_before) {
            ("running", _) => Standing::Running,
            ("conflict", _) => Standing::Conflict,
            ("stuck", _) => Standing::Stuck,
            (_, 0) => Standing::Queued,
            (_, at) => Standing::Waiting(at),
        };
        let undo = match row.undo {
            Some(id) => {
                self.0
                    .one(sql!("SELECT id FROM undo WHERE id = ?1 AND undone = 0"), [id], |row| row.get(0))?
            }
            None => None,
        };
        Ok(Entry {
            matter: Matter::Op(row.id),
            account: row.account,
            standing,
            what: described(self.0, &row.deed, mails)?,
            subject: Clean::line(&subject.unwrap_or_default()),
            mails,
            since: row.at,
            tries: row.tries,
            error: Clean::line(&row.error),
            undo,
        })
    }

    fn parked(&self, account: AccountId, after: i64, limit: usize) -> Result<Vec<Entry>> {
        let mut found: Vec<(FolderId, String, String, i64, i64)> = self.0.all(
            sql!("SELECT id, iif(role = 'inbox', 'Inbox', path), parked, parked_at, total FROM folders WHERE account_id = ?1 AND parked <> ''"),
            [account],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )?;
        found.sort_unstable_by_key(|(id, ..)| *id);
        let mut entries = Vec::new();
        for (id, path, why, since, total) in found.into_iter().filter(|(id, ..)| id.0 > after).take(limit) {
            let rows: Option<i64> = self.0.one(
                sql!("SELECT count(*) FROM placements WHERE folder_id = ?1 AND stale <> 0 AND stale = 3"),
                [id],
                |row| row.get(0),
            )?;
            entries.push(Entry {
                matter: Matter::Folder(id),
                account,
                standing: Standing::Parked,
                what: Clean::line(&format!("{path}: {why}")),
                subject: Clean::default(),
                mails: unsigned(rows.filter(|rows| *rows > 0).unwrap_or(total)),
                since,
                tries: 0,
                error: Clean::default(),
                undo: None,
            });
        }
        Ok(entries)
    }

    fn deletions(&self, account: AccountId) -> Result<Option<Entry>> {
        let wanted = self.wanted(account)?;
        let mails = wanted.all();
        let told = wanted.told + wanted.cleaned_told;
        if mails == 0 {
            return Ok(None);
        }
        // Whether the server is to delete them is the account's setting: true either way is where they are.
        let mut what = Vec::new();
        match wanted.deleted + wanted.told {
            0 => {}
            1 => what.push("1 mail deleted here is still on the server".to_owned()),
            n => what.push(format!("{n} mails deleted here are still on the server")),
        }
        if wanted.told > 0 && wanted.deleted > 0 {
            what.push(format!("{} of them asked for already", wanted.told));
        }
        match wanted.cleaned + wanted.cleaned_told {
            0 => {}
            1 => what.push("1 mail goes from the server and stays here".to_owned()),
            n => what.push(format!("{n} mails go from the server and stay here")),
        }
        Ok(Some(Entry {
            matter: Matter::Deletions(account),
            account,
            standing: if mails == told { Standing::Told } else { Standing::Queued },
            what: Clean::line(&what.join(", ")),
            subject: Clean::default(),
            mails,
            since: 0,
            tries: 0,
            error: Clean::default(),
            undo: None,
        }))
    }

    /// POP3 deletions.
    fn wanted(&self, account: AccountId) -> Result<Wanted> {
        let count = |want: &str| -> Result<(i64, i64)> {
            let row = self.0.one(
                sql!(
                    "SELECT count(*), count(message_id) FROM pop_seen WHERE account_id = ?1 AND want <> 'keep' AND want = ?2"
                ),
                (account, want),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(row.unwrap_or_default())
        };
        let (deleted, (told, stays)) = (count("delete")?.0, count("told")?);
        let cleaned = self.0.one(
            sql!("SELECT count(*) FROM pop_seen WHERE account_id = ?1 AND cleanup = 1 AND want = 'keep'"),
            [account],
            |row| row.get(0),
        )?;
        Ok(Wanted {
            deleted: unsigned(deleted),
            told: unsigned(told - stays),
            cleaned: unsigned(cleaned.unwrap_or(0)),
            cleaned_told: unsigned(stays),
        })
    }

    fn outgoing(&self, account: AccountId, state: &str, after: i64, limit: usize) -> Result<Vec<Entry>> {
        self.0.all(
            sql!(
                "SELECT o.id, m.subject, o.send_at, o.not_before, o.tries, o.error,
                    (SELECT count(*) FROM outbox_rcpts r WHERE r.outbox_id = o.id)
                  FROM outbox o CROSS JOIN messages m ON m.id = o.message_id
                  WHERE o.account_id = ?1 AND o.state = ?2 AND o.id > ?3 ORDER BY o.id LIMIT ?4"
            ),
            (account, state, after, rows(limit)),
            |row| {
                let people: i64 = row.get(6)?;
                let some = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
                Ok(Entry {
                    matter: Matter::Outgoing(row.get(0)?),
                    account,
                    standing: match state {
                        "sending" => Standing::Running,
                        "deferred" => Standing::Waiting(row.get(3)?),
                        "failed" => Standing::Failed,
                        "unsure" => Standing::Unsure,
                        _ => Standing::Queued,
                    },
                    what: Clean::line(&format!("send a mail to {some}")),
                    subject: Clean::line(&row.get::<_, String>(1)?),
                    mails: 1,
                    since: row.get(2)?,
                    tries: row.get(4)?,
                    error: Clean::line(&row.get::<_, String>(5)?),
                    undo: None,
                })
            },
        )
    }

    pub(super) fn waiting(&self, account: AccountId) -> Result<Waiting> {
        let mut waiting = Waiting::default();
        let ops = self.0.all(
            sql!("SELECT state, count(*), min(id) FROM ops WHERE account_id = ?1 GROUP BY state"),
            [account],
            |row| Ok((row.get::<_, String>(0)?, unsigned(row.get(1)?), row.get::<_, OpId>(2)?)),
        )?;
        for (state, count, first) in ops {
            match state.as_str() {
                "conflict" | "stuck" => waiting.conflicts += count,
                _ => {
                    waiting.queued += count;
                    let at =
                        self.0.one(sql!("SELECT at FROM ops WHERE id = ?1"), [first], |row| row.get(0))?;
                    waiting.oldest = waiting.oldest.into_iter().chain(at).min();
                }
            }
        }
        // The second halves of moves between accounts are not told apart from the first ones.
        let halves = self.0.all(
            sql!(
                "SELECT s.state IN ('conflict', 'stuck') FROM ops s JOIN ops f ON f.id = s.after_id
                  WHERE s.after_id IS NOT NULL AND s.account_id = ?1"
            ),
            [account],
            |row| row.get::<_, bool>(0),
        )?;
        for half_needs_user in halves {
            let count = if half_needs_user { &mut waiting.conflicts } else { &mut waiting.queued };
            *count = count.saturating_sub(1);
        }
        let parked = self.0.one(
            sql!("SELECT count(*) FROM folders WHERE account_id = ?1 AND parked <> ''"),
            [account],
            |row| row.get(0),
        )?;
        waiting.parked = unsigned(parked.unwrap_or(0));
        let outbox = self.0.all(
            sql!("SELECT state, count(*), min(send_at) FROM outbox WHERE account_id = ?1 AND state <> 'sent' GROUP BY state"),
            [account],
            |row| Ok((row.get::<_, String>(0)?, unsigned(row.get(1)?), row.get::<_, i64>(2)?)),
        )?;
        for (state, count, first) in outbox {
            if ["failed", "unsure"].contains(&state.as_str()) {
                waiting.unsure += count;
                continue;
            }
            waiting.outgoing += count;
            waiting.oldest = waiting.oldest.into_iter().chain([first]).min();
        }
        waiting.deletions = self.wanted(account)?.all();
        Ok(waiting)
    }
}
