//! Mail on its way out (promises O1 to O4): frozen, tried, and told apart in what became of each recipient.
//!
//! Two processes may try the same mail; who writes down first that its end is about to be told, tells it. So no
//! recipient gets a mail twice, whatever ends whom.

use super::batch::{Incoming, Packed};
use super::db::{sql, unsigned};
use super::handle::Store;
use super::inbox::{Answer, Job};
use super::list::rows;
use super::messages::NONE;
use super::reader::Reader;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{
    AccountId, Address, DraftId, Envelope, FlagDelta, Flags, FolderId, Marking, MessageId, Owner,
    PlacementId, Role,
};

/// A mail that is to be sent as it is.
#[derive(Debug)]
pub struct Frozen {
    /// Whose.
    pub account: AccountId,
    /// Its header.
    pub envelope: Envelope,
    /// Its bytes.
    pub body: Packed,
    /// Where reports go; empty: nowhere.
    pub from: String,
    /// To whom, Bcc with them; names are for completion.
    pub to: Vec<Address>,
    /// The mail that it answers.
    pub answers: Option<MessageId>,
    /// Not before this, Unix time.
    pub send_at: i64,
    /// Whether a byte of it is beyond ASCII.
    pub eight_bit: bool,
    /// Whether a copy goes to Sent; else the server files its own.
    pub files: bool,
    /// The draft that it was made of, and its version.
    pub draft: Option<(DraftId, u64)>,
}

/// A mail that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its row.
    pub id: i64,
    /// Its bytes.
    pub message: MessageId,
    /// Where reports go.
    pub from: String,
    /// Those who have not got it.
    pub to: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// Whether a byte of it is beyond ASCII.
    pub eight_bit: bool,
    /// How often it was tried.
    pub tries: u32,
}

/// What a mail in the outbox is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Whose.
    pub account: AccountId,
    /// Its bytes.
    pub message: MessageId,
    /// The draft that it was made of.
    pub draft: Option<DraftId>,
    /// Those who have not got it.
    pub lack: Vec<String>,
    /// Whether somebody has it.
    pub is_partial: bool,
}

/// What became of one recipient, in words where it is not good.
pub type Told = (String, Option<String>);

/// One step of a mail on its way.
#[derive(Debug)]
pub enum Step {
    /// All of it was said but its end, for these recipients: from here on it may arrive.
    Dot(Vec<String>),
    /// The server has it, for those that the dot was for. `refused` and `later` are the others.
    Taken {
        /// Those that it will not take.
        refused: Vec<Told>,
        /// Those that may be tried again.
        later: Vec<Told>,
        /// When, Unix time.
        retry_at: i64,
    },
    /// Nobody got it; tried again then.
    Later {
        /// Why.
        error: String,
        /// Those that it will not take.
        refused: Vec<Told>,
        /// Unix time.
        retry_at: i64,
    },
    /// Nobody got it, and it waits for the user.
    Refused {
        /// Why.
        error: String,
        /// What was said of whom.
        refused: Vec<Told>,
    },
    /// Its end was told, and no answer came: it waits for the user.
    Unsure(String),
}

impl Store {
    /// Puts a mail into the outbox; its row. Durable when this returns.
    pub fn post(&self, mail: Frozen) -> Result<i64> {
        match self.ask(Job::Post(Box::new(mail)))? {
            Answer::Row(id) => Ok(id),
            _ => Err(Error::new(Kind::Bug, "the store mixed up its answers")),
        }
    }

    /// Takes a mail on its way a step further; false: it is not where this step begins. Another process was faster, or
    /// the user took it back.
    pub fn step_out(&self, id: i64, step: Step) -> Result<bool> {
        match self.ask(Job::Outgoing(id, step))? {
            Answer::Count(count) => Ok(count > 0),
            _ => Err(Error::new(Kind::Bug, "the store mixed up its answers")),
        }
    }

    /// What is unsure and shows in the server's Sent was sent (promise O2).
    pub fn find_in_sent(&self, account: AccountId) -> Result<()> {
        self.ask(Job::FoundInSent(account)).map(drop)
    }

    /// Whoever sent mail of this account died: what it had told the end of may have arrived (promise O2).
    pub fn recover_outbox(&self, account: AccountId) -> Result<()> {
        self.ask(Job::RecoverOutbox(account)).map(drop)
    }
}

impl Reader {
    /// What is due of an account at this time, the oldest first. With `eager` also what waits for another try.
    pub fn due_mail(&self, account: AccountId, now: i64, eager: bool, limit: usize) -> Result<Vec<Due>> {
        self.0.snapshot(|| {
            let mut due = self.0.all(
                sql!(
                    "SELECT o.id, o.message_id, o.mail_from, m.raw_size, o.eight_bit, o.tries FROM outbox o
                      CROSS JOIN messages m ON m.id = o.message_id WHERE o.account_id = ?1 AND o.send_at <= ?2
                        AND (o.state = 'queued' OR (o.state = 'deferred' AND (?3 OR o.not_before <= ?2)))
                      ORDER BY o.id LIMIT ?4"
                ),
                (account, now, eager, rows(limit)),
                |row| {
                    Ok(Due {
                        id: row.get(0)?,
                        message: row.get(1)?,
                        from: row.get(2)?,
                        to: Vec::new(),
                        size: unsigned(row.get(3)?),
                        eight_bit: row.get(4)?,
                        tries: row.get(5)?,
                    })
                },
            )?;
            for one in &mut due {
                one.to = self.0.all(
                    sql!(
                        "SELECT addr FROM outbox_rcpts WHERE outbox_id = ?1 AND state = 'todo' ORDER BY addr"
                    ),
                    [one.id],
                    |row| row.get(0),
                )?;
            }
            Ok(due)
        })
    }

    /// What a mail in the outbox is made of; `None`: it is not there any more.
    pub fn outgoing(&self, id: i64) -> Result<Option<Sending>> {
        let found = self.0.one(
            sql!("SELECT account_id, message_id, draft_id FROM outbox WHERE id = ?1"),
            [id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let Some((account, message, draft)) = found else { return Ok(None) };
        let (have, lack): (Vec<_>, Vec<_>) =
            self.recipients(id)?.into_iter().partition(|(_, state, _)| state == "accepted");
        let lack = lack.into_iter().map(|(addr, ..)| addr).collect();
        Ok(Some(Sending { account, message, draft, lack, is_partial: !have.is_empty() }))
    }

    /// Whether it is not known of a mail whether it was sent.
    pub fn has_unsure(&self, account: AccountId) -> Result<bool> {
        let found = self.0.one(
            sql!("SELECT 1 FROM outbox WHERE account_id = ?1 AND state = 'unsure' LIMIT 1"),
            [account],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// When the next mail of an account is due, Unix time.
    pub fn next_mail_at(&self, account: AccountId) -> Result<Option<i64>> {
        let at = self.0.one(
            sql!(
                "SELECT min(max(send_at, iif(state = 'deferred', not_before, 0))) FROM outbox
                  WHERE account_id = ?1 AND state IN ('queued', 'deferred') AND send_at < ?2"
            ),
            (account, super::HELD),
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(at.flatten())
    }

    /// What each recipient of a mail on its way was told: address, state, and the server's words.
    pub fn recipients(&self, id: i64) -> Result<Vec<(String, String, String)>> {
        self.0.all(
            sql!("SELECT addr, state, reply FROM outbox_rcpts WHERE outbox_id = ?1 ORDER BY addr"),
            [id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }
}

impl Tx<'_> {
    pub(super) fn post(&mut self, mail: &Frozen) -> Result<i64> {
        if let Some((draft, version)) = mail.draft {
            let out = self.db.one(sql!("SELECT 1 FROM outbox WHERE draft_id = ?1"), [draft], |_| Ok(()))?;
            let kept =
                self.db.one(sql!("SELECT version FROM drafts WHERE id = ?1"), [draft], |row| row.get(0))?;
            if out.is_some() || kept.is_none() {
                return Err(Error::new(Kind::Conflict, "the draft is in the outbox already, or was sent"));
            }
            // What was written since would go with the row, and in no mail.
            if kept.map(unsigned) != Some(version) {
                return Err(Error::new(Kind::Conflict, "the draft was changed meanwhile")
                    .hint("look at it and send it again"));
            }
        }
        let incoming = Incoming {
            folder: FolderId(0),
            uid: None,
            uidl: None,
            remote_id: None,
            flags: Flags::NONE,
            keywords: Vec::new(),
            size: mail.body.size,
            received: self.now,
            internal: 0,
            envelope: mail.envelope.clone(),
            body: None,
        };
        let message = self.insert_message(mail.account, &incoming, NONE)?;
        self.body(message, &mail.body)?;
        self.db.run(
            sql!(
                "INSERT INTO outbox (account_id, message_id, identity, mail_from, answers, send_at, eight_bit, files, draft_id)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            ),
            rusqlite::params![
                mail.account,
                message,
                mail.envelope.from.addr,
                mail.from,
                mail.answers,
                // At once is a time too: what waits is late by it (promise O7).
                if mail.send_at > 0 { mail.send_at } else { self.now },
                mail.eight_bit,
                mail.files,
                mail.draft.map(|(draft, _)| draft)
            ],
        )?;
        let id = self.db.last_id();
        for who in &mail.to {
            self.db.run(
                sql!("INSERT OR IGNORE INTO outbox_rcpts (outbox_id, addr) VALUES (?1, ?2)"),
                (id, &who.addr),
            )?;
            self.db.run(
                sql!(
                    "INSERT INTO addresses (addr, name, sent, last) VALUES (?1, ?2, 1, ?3) ON CONFLICT (addr) DO UPDATE
                      SET sent = sent + 1, last = excluded.last, name = iif(excluded.name = '', name, excluded.name)"
                ),
                (&who.addr, &who.name, self.now),
            )?;
        }
        self.stirred(mail.account);
        Ok(id)
    }

    /// The outbox of an account is not what it was.
    fn stirred(&mut self, account: AccountId) {
        self.touched.ops.insert(account);
        self.touched.accounts.insert(account);
    }

    pub(super) fn recover_outbox(&mut self, account: AccountId) -> Result<()> {
        let unsure = self.db.run(
            sql!(
                "UPDATE outbox SET state = 'unsure', error = 'mailtui ended before the server answered'
                  WHERE account_id = ?1 AND state = 'sending'"
            ),
            [account],
        )?;
        if unsure > 0 {
            self.stirred(account);
        }
        Ok(())
    }

    /// One step; how many rows took it.
    pub(super) fn step_out(&mut self, id: i64, step: &Step) -> Result<u64> {
        let row = self.db.one(sql!("SELECT account_id, state FROM outbox WHERE id = ?1"), [id], |row| {
            Ok((row.get::<_, AccountId>(0)?, row.get::<_, String>(1)?))
        })?;
        let Some((account, state)) = row else { return Ok(0) };
        let begins = match state.as_str() {
            "queued" | "deferred" => !matches!(step, Step::Taken { .. } | Step::Unsure(_)),
            "sending" => !matches!(step, Step::Dot(_)),
            _ => false,
        };
        if !begins {
            return Ok(0);
        }
        self.stirred(account);
        match step {
            Step::Dot(to) => {
                self.db.run(sql!("UPDATE outbox SET state = 'sending' WHERE id = ?1"), [id])?;
                for addr in to {
                    self.db.run(
                        sql!("UPDATE outbox_rcpts SET at_dot = 1 WHERE outbox_id = ?1 AND addr = ?2"),
                        (id, addr),
                    )?;
                }
            }
            Step::Taken { refused, later, retry_at } => {
                self.db.run(
                    sql!("UPDATE outbox_rcpts SET state = 'accepted', at_dot = 0 WHERE outbox_id = ?1 AND at_dot = 1"),
                    [id],
                )?;
                self.judged(id, refused, later)?;
                self.file_sent(id)?;
                self.answered(id)?;
                self.settle_rest(id, *retry_at)?;
            }
            Step::Later { error, refused, retry_at } => {
                self.not_taken(id, refused)?;
                self.db.run(
                    sql!(
                        "UPDATE outbox SET state = 'deferred', error = ?2, not_before = ?3, tries = tries + 1 WHERE id = ?1"
                    ),
                    (id, error, retry_at),
                )?;
            }
            Step::Refused { error, refused } => {
                self.not_taken(id, refused)?;
                self.db.run(
                    sql!("UPDATE outbox SET state = 'failed', error = ?2, tries = tries + 1 WHERE id = ?1"),
                    (id, error),
                )?;
            }
            Step::Unsure(error) => {
                self.db
                    .run(sql!("UPDATE outbox SET state = 'unsure', error = ?2 WHERE id = ?1"), (id, error))?;
            }
        }
        Ok(1)
    }

    fn not_taken(&mut self, id: i64, refused: &[Told]) -> Result<()> {
        self.db.run(sql!("UPDATE outbox_rcpts SET at_dot = 0 WHERE outbox_id = ?1 AND at_dot = 1"), [id])?;
        self.judged(id, refused, &[])
    }

    fn judged(&mut self, id: i64, refused: &[Told], later: &[Told]) -> Result<()> {
        for (state, told) in [("refused", refused), ("todo", later)] {
            for (addr, words) in told {
                self.db.run(
                    sql!("UPDATE outbox_rcpts SET state = ?3, reply = ?4 WHERE outbox_id = ?1 AND addr = ?2"),
                    (id, addr, state, words.as_deref().unwrap_or_default()),
                )?;
            }
        }
        Ok(())
    }

    /// A server took the mail: what of it is left to do, if anything.
    fn settle_rest(&mut self, id: i64, retry_at: i64) -> Result<()> {
        let left = self.db.all(
            sql!("SELECT state, addr, reply FROM outbox_rcpts WHERE outbox_id = ?1 AND state <> 'accepted' ORDER BY addr"),
            [id],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
        )?;
        let Some((_, addr, reply)) = left.iter().find(|(state, ..)| state == "todo").or(left.first()) else {
            return self.drop_outgoing(id);
        };
        let waits = left.iter().any(|(state, ..)| state == "todo");
        let others = if left.len() > 1 { format!(" and {} more", left.len() - 1) } else { String::new() };
        let error = format!("the others have it, but not {addr}{others}: {reply}");
        let state = if waits { "deferred" } else { "failed" };
        self.db.run(
            sql!(
                "UPDATE outbox SET state = ?2, error = ?3, not_before = ?4, tries = tries + 1 WHERE id = ?1"
            ),
            (id, state, error, retry_at),
        )?;
        Ok(())
    }

    /// A row goes, with its draft; its mail stays if it lies in a folder.
    fn drop_outgoing(&mut self, id: i64) -> Result<()> {
        let gone = self.db.one(
            sql!("DELETE FROM outbox WHERE id = ?1 RETURNING message_id, draft_id"),
            [id],
            |row| Ok((row.get::<_, MessageId>(0)?, row.get::<_, Option<DraftId>>(1)?)),
        )?;
        let Some((message, draft)) = gone else { return Ok(()) };
        if let Some(draft) = draft {
            self.end_draft(draft)?;
        }
        self.forget_unplaced(message)
    }

    /// The copy in Sent (promise O4): here, and by an operation on the server.
    fn file_sent(&mut self, id: i64) -> Result<()> {
        let filed = self.db.one(
            sql!("UPDATE outbox SET files = 0 WHERE id = ?1 AND files = 1 RETURNING account_id, message_id"),
            [id],
            |row| Ok((row.get::<_, AccountId>(0)?, row.get::<_, MessageId>(1)?)),
        )?;
        let Some((account, message)) = filed else { return Ok(()) };
        let sent = self.role_folder(account, Role::Sent)?;
        self.db.run(
            sql!(
                "INSERT INTO placements (folder_id, message_id, thread_id, sort_at, flags, base)
                  SELECT ?1, id, thread_id, received, ?3, ?3 FROM messages WHERE id = ?2"
            ),
            (sent, message, Flags::SEEN),
        )?;
        let place = PlacementId(self.db.last_id());
        if self.owner(account)? == Owner::Server {
            let op = self.queue(account, "append", None, Some(sent), "{}")?;
            self.add_item(op, place, None)?;
        }
        self.touched.folders.insert(sent);
        self.touched.message(message);
        Ok(())
    }

    /// The mail that this one answers is marked as answered.
    fn answered(&mut self, id: i64) -> Result<()> {
        let answers = self.db.one(sql!("SELECT answers FROM outbox WHERE id = ?1"), [id], |row| {
            row.get::<_, Option<MessageId>>(0)
        })?;
        let Some(message) = answers.flatten() else { return Ok(()) };
        let marks = Marking {
            flags: FlagDelta { add: Flags::ANSWERED, del: Flags::NONE },
            tag: Vec::new(),
            untag: Vec::new(),
        };
        let copies = self.copies(message)?;
        self.change_marks(&copies, &marks).map(drop)
    }

    /// Tries a mail again as soon as can be; only those who have not got it. What was said of it.
    pub(super) fn retry_outgoing(&mut self, id: i64) -> Result<bool> {
        let account = self.db.one(
            sql!(
                "UPDATE outbox SET state = 'queued', not_before = 0, send_at = min(send_at, ?2), error = ''
                  WHERE id = ?1 AND state IN ('queued', 'deferred', 'failed', 'unsure') RETURNING account_id"
            ),
            (id, self.now),
            |row| row.get::<_, AccountId>(0),
        )?;
        let Some(account) = account else { return Ok(false) };
        self.db.run(
            sql!("UPDATE outbox_rcpts SET state = 'todo', at_dot = 0, reply = '' WHERE outbox_id = ?1 AND state <> 'accepted'"),
            [id],
        )?;
        self.stirred(account);
        Ok(true)
    }

    /// The user says that a mail of which nothing is known has arrived.
    pub(super) fn believe_sent(&mut self, id: i64) -> Result<bool> {
        let account = self.db.one(
            sql!("UPDATE outbox SET error = '' WHERE id = ?1 AND state = 'unsure' RETURNING account_id"),
            [id],
            |row| row.get::<_, AccountId>(0),
        )?;
        let Some(account) = account else { return Ok(false) };
        self.db.run(
            sql!(
                "UPDATE outbox_rcpts SET state = 'accepted', at_dot = 0 WHERE outbox_id = ?1 AND at_dot = 1"
            ),
            [id],
        )?;
        self.file_sent(id)?;
        self.answered(id)?;
        self.settle_rest(id, self.now)?;
        self.stirred(account);
        Ok(true)
    }

    /// Takes a mail out of the outbox that is not on the wire: its draft is a draft again; without one it is gone.
    pub(super) fn recall(&mut self, id: i64) -> Result<bool> {
        let gone = self.db.one(
            sql!(
                "DELETE FROM outbox WHERE id = ?1 AND state IN ('queued', 'deferred', 'failed', 'unsure')
                  RETURNING account_id, message_id"
            ),
            [id],
            |row| Ok((row.get::<_, AccountId>(0)?, row.get::<_, MessageId>(1)?)),
        )?;
        let Some((account, message)) = gone else { return Ok(false) };
        self.forget_unplaced(message)?;
        self.stirred(account);
        Ok(true)
    }

    /// Messages of the outbox whose Message-ID the server's Sent folder shows: it took them after all (promise O2).
    pub(super) fn found_in_sent(&mut self, account: AccountId) -> Result<()> {
        let found = self.db.all(
            sql!(
                "SELECT o.id FROM outbox o CROSS JOIN messages m ON m.id = o.message_id
                  WHERE o.account_id = ?1 AND o.state = 'unsure' AND m.msgid <> '' AND EXISTS
                    (SELECT 1 FROM messages s JOIN placements p ON p.message_id = s.id JOIN folders f ON f.id = p.folder_id
                      WHERE s.account_id = ?1 AND s.msgid = m.msgid AND s.id <> m.id AND f.role = 'sent' AND p.uid IS NOT NULL)"
            ),
            [account],
            |row| row.get::<_, i64>(0),
        )?;
        for id in found {
            // The server filed it itself.
            self.db.run(sql!("UPDATE outbox SET files = 0 WHERE id = ?1"), [id])?;
            self.believe_sent(id)?;
        }
        Ok(())
    }
}
