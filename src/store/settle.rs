//! What can be done about what waits (promise A2): try again, give up, believe, look anew, take back.

use std::collections::BTreeSet;

use super::db::sql;
use super::deeds::counted;
use super::flags::marks_from;
use super::folders::UNLISTED;
use super::intents::refused;
use super::ledger::Book;
use super::places::Placement;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, Flags, FolderId, Matter, OpId, Outcome, PlacementId, Reach, Settle};

/// What settling came to.
#[derive(Debug, Default)]
struct Tally {
    /// How many matters were settled.
    done: u64,
    /// What was said of the first.
    said: Option<String>,
    /// Operations that went because they were built on one that went.
    along: BTreeSet<OpId>,
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

    fn leave(&mut self, why: &str) {
        self.left.get_or_insert_with(|| why.to_owned());
    }
}

/// What an operation that is given up needs of its row.
struct Given {
    account: AccountId,
    kind: String,
    folder: Option<FolderId>,
    target: Option<FolderId>,
    detail: String,
    state: String,
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
            Settle::Accept => Vec::new(),
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
            Settle::Accept | Settle::Refetch => *for_user,
        });
        matters.extend(wanted.map(|(op, ..)| Matter::Op(op)));
        if how == Settle::Discard && Book(self.db).entry(Matter::Deletions(account))?.is_some() {
            matters.push(Matter::Deletions(account));
        }
        Ok(matters)
    }

    /// A secret that was refused may be tried again (promise A7).
    fn pardon(&mut self, account: AccountId, tally: &mut Tally) -> Result<()> {
        let pardoned = self.db.one(
            sql!("UPDATE accounts SET refused = x'' WHERE id = ?1 AND refused <> x'' RETURNING name"),
            [account],
            |row| row.get::<_, String>(0),
        )?;
        if let Some(name) = pardoned {
            self.touched.accounts.insert(account);
            self.touched.ops.insert(account);
            tally.did(format!("the password of {name} is tried again"));
        }
        Ok(())
    }

    fn retry(&mut self, matter: Matter, tally: &mut Tally) -> Result<()> {
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
                if tally.along.contains(&op) {
                    return Ok(());
                }
                let what = self.words(matter)?;
                if self.give_up(op, tally)? {
                    tally.did(format!("gave up: {what}"));
                }
            }
            Matter::Deletions(account) => {
                let kept = self.db.run(
                    sql!("UPDATE pop_seen SET want = 'keep' WHERE account_id = ?1 AND want <> 'keep' AND want = 'delete'"),
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
            Matter::Outgoing(_) => tally.leave("a mail on its way out is taken back from the outbox"),
        }
        Ok(())
    }

    /// Takes an operation's local effect back, and with it what was built on that. False: it is not there,
    /// or is being carried out.
    fn give_up(&mut self, op: OpId, tally: &mut Tally) -> Result<bool> {
        let given = self.db.one(
            sql!("SELECT account_id, kind, folder_id, target_id, detail, state FROM ops WHERE id = ?1"),
            [op],
            |row| {
                Ok(Given {
                    account: row.get(0)?,
                    kind: row.get(1)?,
                    folder: row.get(2)?,
                    target: row.get(3)?,
                    detail: row.get(4)?,
                    state: row.get(5)?,
                })
            },
        )?;
        let Some(given) = given else {
            tally.leave(NOT_THERE);
            return Ok(false);
        };
        if given.state == "running" {
            tally.leave("it is being carried out at this moment");
            return Ok(false);
        }
        self.touched.ops.insert(given.account);
        // The other half of a move between accounts, and what waits for a folder that is not made after all.
        let mut built: Vec<OpId> = self.db.all(
            sql!("SELECT id FROM ops WHERE after_id IS NOT NULL AND after_id = ?1 ORDER BY id"),
            [op],
            |row| row.get(0),
        )?;
        let made = given.target.filter(|_| given.kind == "mkdir");
        if let Some(folder) = made {
            built.extend(self.ops_on(folder)?.into_iter().filter(|other| *other != op));
        }
        for other in built {
            if self.give_up(other, tally)? {
                tally.along.insert(other);
            }
        }
        let items: Vec<(PlacementId, Option<PlacementId>)> = self.db.all(
            sql!("SELECT placement_id, result_id FROM op_items WHERE op_id = ?1 ORDER BY placement_id DESC"),
            [op],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (placement, result) in items {
            self.give_up_item((op, &given.kind, &given.detail), placement, result, tally)?;
        }
        self.db.run(sql!("DELETE FROM ops WHERE id = ?1"), [op])?;
        if let Some(folder) = given.target {
            self.shape_given_up(&given.kind, folder, &given.detail)?;
        }
        for folder in [given.folder, given.target].into_iter().flatten() {
            self.touched.folders.insert(folder);
        }
        if let Some(folder) = made {
            self.unmake(given.account, folder)?;
        }
        Ok(true)
    }

    fn give_up_item(
        &mut self,
        (op, kind, detail): (OpId, &str, &str),
        placement: PlacementId,
        result: Option<PlacementId>,
        tally: &mut Tally,
    ) -> Result<()> {
        // First of all: where mail went round in a circle its operations are built on each other.
        self.db.run(sql!("DELETE FROM op_items WHERE op_id = ?1 AND placement_id = ?2"), (op, placement))?;
        // What is on the server already stays, whoever brought it there.
        let pending = match result {
            Some(result) => self.placement(result)?.filter(|result| result.uid.is_none()),
            None => None,
        };
        if let Some(pending) = &pending {
            let built: Vec<(OpId, String, String, Option<PlacementId>)> = self.db.all(
                sql!(
                    "SELECT o.id, o.kind, o.detail, i.result_id FROM op_items i JOIN ops o ON o.id = i.op_id
                      WHERE i.placement_id = ?1 ORDER BY i.op_id DESC"
                ),
                [pending.id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            for (other, kind, detail, result) in built {
                self.give_up_item((other, &kind, &detail), pending.id, result, tally)?;
                self.end_if_empty(other)?;
                tally.along.insert(other);
            }
        }
        if let Some(pending) = pending
            && let Some(pending) = self.placement(pending.id)?
        {
            self.remove(&pending)?;
        }
        let Some(copy) = self.placement(placement)? else { return Ok(()) };
        self.touched.message(copy.message);
        self.touched.folders.insert(copy.folder);
        match kind {
            "flags" => self.unmark(&copy, detail),
            // A mail that was to be put on the server, and is nowhere there.
            "append" if copy.uid.is_none() => self.remove(&copy),
            _ => {
                self.db.run(
                    sql!(
                        "UPDATE placements SET hidden = hidden & ~1 WHERE id = ?1
                          AND NOT EXISTS (SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id
                                          WHERE i.placement_id = ?1 AND o.kind IN ('move', 'delete'))"
                    ),
                    [copy.id],
                )?;
                Ok(())
            }
        }
    }

    /// A change of flags and tags that is not made: what the server has, and what else is queued.
    fn unmark(&mut self, copy: &Placement, detail: &str) -> Result<()> {
        let marks = marks_from(detail)?;
        self.settle_tags(copy.id, &[&marks.tag[..], &marks.untag].concat())?;
        if copy.uid.is_some() {
            return self.set_base(copy, copy.base);
        }
        // Not on the server yet: nothing was heard of it, so that the change itself is turned round.
        let before: Flags = marks.flags.inverse().apply(copy.flags);
        let flags = self.queued_marks(copy.id)?.iter().fold(before, |flags, marks| marks.flags.apply(flags));
        self.db.run(sql!("UPDATE placements SET flags = ?2 WHERE id = ?1"), (copy.id, flags))?;
        Ok(())
    }

    fn ops_on(&self, folder: FolderId) -> Result<Vec<OpId>> {
        self.db.all(
            sql!("SELECT id FROM ops WHERE folder_id = ?1 UNION SELECT id FROM ops WHERE target_id = ?1"),
            [folder],
            |row| row.get(0),
        )
    }

    /// A folder that was to be made is not made; one that the server has meanwhile stays.
    fn unmake(&mut self, account: AccountId, folder: FolderId) -> Result<()> {
        let unmade = self.db.one(
            sql!(
                "SELECT 1 FROM folders WHERE id = ?1 AND remote IS NULL
                  AND NOT EXISTS (SELECT 1 FROM placements WHERE folder_id = ?1)"
            ),
            [folder],
            |_| Ok(()),
        )?;
        if unmade.is_some() { self.drop_folder(account, folder) } else { Ok(()) }
    }

    fn accept(&mut self, matter: Matter, tally: &mut Tally) -> Result<()> {
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
                    tally.along.insert(op);
                }
            }
            // An operation under way keeps it.
            if self.ops_on(folder)?.is_empty() {
                self.drop_folder(account, folder)?;
                tally.did(format!("took the folder {path} away"));
            }
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

const NOT_THERE: &str = "it does not wait any more";

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
