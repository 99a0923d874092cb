//! What can be done about what waits (promise A2): try again, give up, believe, look anew, take back.

use std::collections::BTreeSet;

use super::book::Book;
use super::db::sql;
use super::deeds::counted;
use super::folders::UNLISTED;
use super::intents::refused;
use super::leaving::HELD;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId, Matter, OpId, Outcome, Reach, Settle};

/// Why nothing is done about a mail.
const ON_THE_WIRE: &str = "the mail is being sent, or is not in the outbox any more";

/// What settling came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many matters were settled.
    done: u64,
    /// What was said of the first.
    said: Option<String>,
    /// Operations that went because they were built on one that went.
    along: BTreeSet<OpId>,
    /// Those, and the other halves of moves between accounts.
    pub(super) gone: BTreeSet<OpId>,
    /// Why something was left as it was.
    left: Option<String>,
    /// Where an undo put its mail.
    undone: Option<Outcome>,
}

impl Tally {
    fn did(&mut self, said: String) {
        self.done += 1;
        self.said.get_or_insert(said);
    }

    /// An operation goes because what it was built on goes.
    pub(super) fn goes_along(&mut self, op: OpId) {
        self.along.insert(op);
        self.gone.insert(op);
    }

    pub(super) fn leave(&mut self, why: &str) {
        self.left.get_or_insert_with(|| why.to_owned());
    }
}

impl Tx<'_> {
    pub(super) fn settle(&mut self, how: Settle, reach: &Reach) -> Result<Outcome> {
        let matters = match reach {
            Reach::These(matters) => matters.clone(),
            Reach::Account(account) => self.matters(*account, how)?,
            Reach::Everything => {
                let mut all = Vec::new();
                for account in self.accounts()? {
                    all.extend(self.matters(account, how)?);
                }
                all
            }
        };
        let mut tally = Tally::default();
        if how == Settle::Retry {
            let accounts = match reach {
                Reach::These(_) => Vec::new(),
                Reach::Account(account) => vec![*account],
                Reach::Everything => self.accounts()?,
            };
            for account in accounts {
                self.pardon(account, &mut tally)?;
            }
        }
        for matter in matters {
            match how {
                Settle::Retry => self.retry(matter, &mut tally)?,
                Settle::Discard => self.discard(matter, &mut tally)?,
                Settle::Accept => self.accept(matter, &mut tally)?,
                Settle::Refetch => self.refetch(matter, &mut tally)?,
                Settle::Undo => self.undo_matter(matter, &mut tally)?,
                Settle::Hold => match matter {
                    Matter::Outgoing(id) if self.retime(id, HELD)? => {
                        tally.did("held back in the outbox until you send it".to_owned());
                    }
                    _ => tally.leave(ON_THE_WIRE),
                },
            }
        }
        Ok(outcome(how, tally))
    }

    fn accounts(&self) -> Result<Vec<AccountId>> {
        self.db.all(sql!("SELECT id FROM accounts"), [], |row| row.get(0))
    }

    /// What of an account this makes sense for.
    fn matters(&self, account: AccountId, how: Settle) -> Result<Vec<Matter>> {
        let mut matters = Vec::new();
        if matches!(how, Settle::Accept | Settle::Refetch) {
            let parked = self.db.all(
                sql!("SELECT id FROM folders WHERE account_id = ?1 AND parked <> ''"),
                [account],
                |row| row.get(0),
            )?;
            matters.extend(parked.into_iter().map(Matter::Folder));
        }
        let mut ops: Vec<(OpId, bool, bool, bool)> = match how {
            Settle::Accept | Settle::Hold => Vec::new(),
            _ => self.db.all(
                sql!("SELECT id, state IN ('conflict', 'stuck'), tries > 0 OR not_before > 0, undo_id IS NOT NULL FROM ops
                      WHERE account_id = ?1 AND state <> 'running'"),
                [account],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?,
        };
        ops.sort_unstable_by_key(|(op, ..)| *op);
        let wanted = ops.into_iter().filter(|(_, for_user, tried, undoable)| match how {
            Settle::Retry => *for_user || *tried,
            Settle::Discard => true,
            Settle::Undo => *undoable,
            Settle::Accept | Settle::Refetch | Settle::Hold => *for_user,
        });
        matters.extend(wanted.map(|(op, ..)| Matter::Op(op)));
        if how == Settle::Retry {
            // One that may have arrived is sent again only by its name (promise O2).
            let mails = self.db.all(
                sql!("SELECT id FROM outbox WHERE account_id = ?1 AND state IN ('deferred', 'failed') ORDER BY id"),
                [account],
                |row| row.get(0),
            )?;
            matters.extend(mails.into_iter().map(Matter::Outgoing));
        }
        if how == Settle::Discard && Book(self.db).entry(Matter::Deletions(account))?.is_some() {
            matters.push(Matter::Deletions(account));
        }
        Ok(matters)
    }

    /// An account that waits for the user may go on, and a secret that was refused be tried again (promise A7).
    fn pardon(&mut self, account: AccountId, tally: &mut Tally) -> Result<()> {
        let pardoned = self.db.one(
            sql!("UPDATE accounts SET refused = x'', state = '' WHERE id = ?1 AND (refused <> x'' OR state = 'paused')
                  RETURNING name"),
            [account],
            |row| row.get::<_, String>(0),
        )?;
        if let Some(name) = pardoned {
            self.touched.accounts.insert(account);
            self.touched.ops.insert(account);
            tally.did(format!("{name} is tried again"));
        }
        Ok(())
    }

    fn retry(&mut self, matter: Matter, tally: &mut Tally) -> Result<()> {
        if let Matter::Outgoing(id) = matter {
            let what = self.words(matter)?;
            match self.retry_outgoing(id)? {
                true => tally.did(format!("queued again: {what}")),
                false => tally.leave(ON_THE_WIRE),
            }
            return Ok(());
        }
        let Matter::Op(op) = matter else {
            tally.leave(match matter {
                Matter::Folder(_) => "a folder is accepted or fetched again, not tried again",
                _ => "it is tried again by itself",
            });
            return Ok(());
        };
        let what = self.words(matter)?;
        // One that was tried stays known as tried: the server may have done it, so that it is never
        // cancelled in silence.
        let queued = self.db.one(
            sql!(
                "UPDATE ops SET state = 'queued', not_before = 0, tries = min(tries, 1), error = ''
                  WHERE id = ?1 AND state <> 'running' RETURNING account_id"
            ),
            [op],
            |row| row.get::<_, AccountId>(0),
        )?;
        match queued {
            Some(account) => {
                self.touched.ops.insert(account);
                tally.did(format!("queued again: {what}"));
            }
            None => tally.leave(NOT_THERE),
        }
        Ok(())
    }

    fn discard(&mut self, matter: Matter, tally: &mut Tally) -> Result<()> {
        match matter {
            Matter::Op(op) => {
                if tally.gone.contains(&op) {
                    return Ok(());
                }
                let what = self.words(matter)?;
                if self.give_up(op, tally)? {
                    tally.did(format!("gave up: {what}"));
                }
            }
            Matter::Deletions(account) => {
                // What was asked for already may be gone there: it is not counted among what stays.
                let kept = self.db.run(
                    sql!("UPDATE pop_seen SET cleanup = 0 WHERE account_id = ?1 AND cleanup = 1 AND want = 'keep'"),
                    [account],
                )? + self.db.run(
                    sql!("UPDATE pop_seen SET want = 'keep' WHERE account_id = ?1 AND want <> 'keep' AND want = 'delete'"),
                    [account],
                )?;
                self.db.run(
                    sql!("UPDATE pop_seen SET cleanup = 0 WHERE account_id = ?1 AND cleanup = 1"),
                    [account],
                )?;
                if kept > 0 {
                    self.touched.ops.insert(account);
                    tally.did(format!("{} stay on the server", counted(kept as u64)));
                } else {
                    tally.leave(NOT_THERE);
                }
            }
            Matter::Folder(_) => tally.leave("a folder is accepted or fetched again, not given up"),
            Matter::Outgoing(id) => {
                let what = self.words(matter)?;
                match self.recall(id)? {
                    true => tally.did(format!("gave up: {what}")),
                    false => tally.leave(ON_THE_WIRE),
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self, matter: Matter, tally: &mut Tally) -> Result<()> {
        if let Matter::Outgoing(id) = matter {
            match self.believe_sent(id)? {
                true => tally.did("the mail counts as sent".to_owned()),
                false => tally.leave("only a mail of which it is not known can be taken for sent"),
            }
            return Ok(());
        }
        let Matter::Folder(folder) = matter else {
            tally.leave("only a folder whose changes are held back can be accepted");
            return Ok(());
        };
        let Some((account, path, why)) = self.parked(folder)? else {
            tally.leave(NOT_THERE);
            return Ok(());
        };
        if why == UNLISTED {
            for op in self.ops_on(folder)? {
                if self.give_up(op, tally)? {
                    tally.goes_along(op);
                }
            }
            // An operation under way keeps it.
            if self.ops_on(folder)?.is_empty() {
                self.drop_folder(account, folder)?;
                tally.did(format!("took the folder {path} away"));
            }
            return Ok(());
        }
        if self.holds_new_names(account, folder)? {
            let count = self.take_new_names(account)?;
            tally.did(format!("{} go by their new names", counted(count)));
            return Ok(());
        }
        let gone = self.believe(folder)?;
        tally.did(format!("took {} out of {path}", counted(gone)));
        Ok(())
    }

    fn refetch(&mut self, matter: Matter, tally: &mut Tally) -> Result<()> {
        let folders: BTreeSet<FolderId> = match matter {
            Matter::Folder(folder) => [folder].into(),
            Matter::Op(op) => {
                let found =
                    self.db.one(sql!("SELECT folder_id, target_id FROM ops WHERE id = ?1"), [op], |row| {
                        Ok([row.get::<_, Option<FolderId>>(0)?, row.get(1)?])
                    })?;
                found.into_iter().flatten().flatten().collect()
            }
            _ => BTreeSet::new(),
        };
        let mut paths = Vec::new();
        for folder in folders {
            paths.extend(self.look_anew(folder)?);
        }
        if paths.is_empty() {
            tally.leave("there is no folder of a server to look at");
            return Ok(());
        }
        if matches!(matter, Matter::Op(_)) {
            self.retry(matter, &mut Tally::default())?;
        }
        tally.did(format!("{} looked at anew", listed(&paths)));
        Ok(())
    }

    /// Forgets how far a folder is in step: the next look sees all of it, finds its mail again, and what is
    /// here only stays. Its path; `None`: it is no folder of a server.
    fn look_anew(&mut self, folder: FolderId) -> Result<Option<String>> {
        let found = self.db.one(
            sql!("SELECT account_id, iif(role = 'inbox', 'Inbox', path) FROM folders WHERE id = ?1 AND remote IS NOT NULL"),
            [folder],
            |row| Ok((row.get::<_, AccountId>(0)?, row.get::<_, String>(1)?)),
        )?;
        let Some((account, path)) = found else { return Ok(None) };
        if self.holds_new_names(account, folder)? {
            self.forget_new_names(account)?;
            return Ok(Some(path));
        }
        self.reset(folder, 0)?;
        self.db.run(
            sql!("UPDATE folders SET parked = '', parked_at = 0 WHERE id = ?1 AND parked <> ?2"),
            (folder, UNLISTED),
        )?;
        // Who syncs this account looks for what is to be done.
        self.touched.ops.insert(account);
        Ok(Some(path))
    }

    fn parked(&self, folder: FolderId) -> Result<Option<(AccountId, String, String)>> {
        self.db.one(
            sql!("SELECT account_id, iif(role = 'inbox', 'Inbox', path), parked FROM folders WHERE id = ?1 AND parked <> ''"),
            [folder],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }

    fn undo_matter(&mut self, matter: Matter, tally: &mut Tally) -> Result<()> {
        // Other operations of an action that was taken back a moment ago went with it.
        let Some(entry) = Book(self.db).entry(matter)? else {
            tally.leave(NOT_THERE);
            return Ok(());
        };
        let Some(action) = entry.undo else {
            tally.leave("it cannot be undone: it can only be given up");
            return Ok(());
        };
        let outcome = self.undo_action(action)?;
        match &outcome.error {
            Some(why) => tally.leave(why),
            None => {
                tally.did(outcome.label.clone());
                tally.undone.get_or_insert(outcome);
            }
        }
        Ok(())
    }

    /// What a matter is, in words.
    fn words(&self, matter: Matter) -> Result<String> {
        Ok(Book(self.db).entry(matter)?.map(|entry| entry.what.to_string()).unwrap_or_default())
    }
}

pub(super) const NOT_THERE: &str = "nothing waits under that id: it is done, or never was";

fn listed(paths: &[String]) -> String {
    let verb = if paths.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", paths.join(" and "))
}

/// One label for all.
fn outcome(how: Settle, tally: Tally) -> Outcome {
    let Some(said) = tally.said else {
        return refused(tally.left.as_deref().unwrap_or("there is nothing that waits for that"));
    };
    let mut label = match (tally.done, how) {
        (1, _) => said,
        (n, Settle::Retry) => format!("queued {n} again"),
        (n, Settle::Discard) => format!("gave {n} up"),
        (n, Settle::Accept) => format!("accepted the changes of {n} folders"),
        (n, Settle::Refetch) => format!("{n} are looked at anew"),
        (n, Settle::Undo) => format!("undid {n}"),
        (n, Settle::Hold) => format!("held {n} back"),
    };
    match tally.along.len() {
        0 => {}
        1 => label.push_str(", and one thing that was built on it"),
        n => label.push_str(&format!(", and {n} things that were built on it")),
    }
    if let Some(left) = tally.left {
        label.push_str(&format!("; not all: {left}"));
    }
    let place = tally.undone.and_then(|outcome| outcome.place);
    Outcome { label: crate::text::Clean::line(&label).to_string(), undoable: false, place, error: None }
}
