//! One job within a transaction: what it did, and the dispatch of steps to the tables that they change.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::batch::{Batch, Changed, Committed, Step};
use super::db::{Db, sql};
use super::fault::damaged;
use super::inbox::{Answer, Job};
use super::rethread::Edits;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, MessageId, OpId, Owner};

/// More changed messages than this are not told one by one.
const MANY: usize = 1000;

/// One job at work.
pub(super) struct Tx<'a> {
    pub(super) db: &'a Db,
    /// Unix time.
    pub(super) now: i64,
    pub(super) touched: Touched,
    /// Whether a folder has placements in doubt: looked up once a job.
    pub(super) in_doubt: HashMap<FolderId, bool>,
    /// What was shown by the server under a name that was here already.
    pub(super) shown: HashSet<(FolderId, u32)>,
    /// The operations that were queued so far.
    pub(super) queued: Vec<OpId>,
    /// What was joined and split by hand in an account: looked up once a job, and when it changes.
    pub(super) edits: Option<(AccountId, Rc<Edits>)>,
    owners: HashMap<AccountId, Owner>,
}

/// What a job changed.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) folders: BTreeSet<FolderId>,
    pub(super) messages: BTreeSet<MessageId>,
    pub(super) accounts: BTreeSet<AccountId>,
    pub(super) ops: BTreeSet<AccountId>,
}

impl Touched {
    pub(super) fn message(&mut self, message: MessageId) {
        if self.messages.len() < MANY {
            self.messages.insert(message);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.folders.extend(other.folders);
        other.messages.into_iter().for_each(|message| self.message(message));
        self.accounts.extend(other.accounts);
        self.ops.extend(other.ops);
    }

    pub(super) fn into_changed(self) -> Changed {
        Changed {
            folders: self.folders.into_iter().collect(),
            messages: self.messages.into_iter().collect(),
            accounts: self.accounts.into_iter().collect(),
            ops: self.ops.into_iter().collect(),
            ..Changed::default()
        }
    }
}

impl<'a> Tx<'a> {
    pub(super) fn new(db: &'a Db, now: i64) -> Self {
        let (in_doubt, owners) = (HashMap::new(), HashMap::new());
        let (touched, shown) = (Touched::default(), HashSet::new());
        Self { db, now, touched, in_doubt, shown, queued: Vec::new(), edits: None, owners }
    }

    pub(super) fn job(&mut self, job: &Job) -> Result<Answer> {
        Ok(match job {
            Job::Batch(batch) => Answer::Committed(self.batch(batch)?),
            Job::Intent(intent) => Answer::Outcome(self.intent(intent)?),
            Job::Remember { key, value } => {
                self.db.run(sql!("INSERT OR REPLACE INTO kv (key, value) VALUES (?1, ?2)"), (key, value))?;
                Answer::Done
            }
            Job::Account { name, protocol, owner, remote_key } => {
                Answer::Account(self.account(name, protocol, *owner, remote_key)?)
            }
            Job::Roll(names) => {
                self.call_roll(names)?;
                Answer::Done
            }
            Job::RenameAccount(account, name) => {
                self.rename_account(*account, name)?;
                Answer::Done
            }
            Job::LeaveParked(account) => {
                self.leave_parked(*account)?;
                Answer::Done
            }
            Job::Freeze(account, key) => {
                self.freeze(*account, key)?;
                Answer::Done
            }
            Job::Forget(account) => {
                self.forget_account(*account)?;
                Answer::Done
            }
            Job::Carry { from, to, items } => Answer::Count(self.carry(*from, *to, items)?),
            Job::Recover(account) => {
                self.recover(*account)?;
                Answer::Done
            }
            Job::Learn(people) => Answer::Count(self.learn(people)?),
            Job::Draft(deed) => self.draft(deed)?,
            Job::Post(mail) => Answer::Row(self.post(mail)?),
            Job::Outgoing(id, step) => Answer::Count(self.step_out(*id, step)?),
            Job::RecoverOutbox(account) => {
                self.recover_outbox(*account)?;
                Answer::Done
            }
            Job::FoundInSent(account) => {
                self.found_in_sent(*account)?;
                Answer::Done
            }
            Job::Wish(account, wish) => {
                self.wish(*account, *wish)?;
                Answer::Done
            }
            Job::Wake => {
                self.wake_due()?;
                Answer::Done
            }
            Job::TakeWishes(account) => Answer::Wishes(self.take_wishes(*account)?),
            #[cfg(test)]
            Job::Test(test) => {
                (test.0)(self.db.bare());
                Answer::Done
            }
        })
    }

    fn batch(&mut self, batch: &Batch) -> Result<Committed> {
        let account = batch.account;
        let mut done = Committed::default();
        for step in &batch.steps {
            match step {
                Step::Folders(specs) => self.folders(account, specs)?,
                Step::Reset { folder, validity } => self.reset(*folder, *validity)?,
                Step::Message(incoming) => done.messages.push(self.message(account, incoming)?),
                Step::Stage(incoming) => done.messages.push(self.stage(account, incoming)?),
                Step::Part { message, chunk } => self.part(account, *message, chunk)?,
                Step::Body { message, body } => self.body(*message, body)?,
                Step::Land { message, incoming } => self.land(account, *message, incoming)?,
                Step::Flags { folder, uid, flags, keywords } => {
                    self.told_flags(*folder, *uid, *flags, keywords)?
                }
                Step::Misnamed { folder, uid } => self.unname(*folder, *uid)?,
                Step::Gone { folder, uid } => self.gone(*folder, *uid)?,
                Step::Vanished { folder, uids, certain } => self.vanished(*folder, uids, *certain)?,
                Step::Cursor { folder, cursor } => self.cursor(*folder, *cursor)?,
                Step::Synced { folder, at } => self.synced(*folder, *at)?,
                Step::Listing { uidls, complete } => self.listing(account, uidls, *complete)?,
                Step::Renamed { names } => self.hold_new_names(account, names)?,
                Step::Maildrop(drop) => self.maildrop(account, *drop)?,
                Step::Stub { incoming, head } => done.messages.push(self.stub(account, incoming, head)?),
                Step::Told { uidls } => self.told(account, uidls)?,
                Step::Untold => self.untold(account)?,
                Step::Evict(messages) => self.evict(account, messages)?,
                Step::WantAgain(keep) => self.want_again(account, *keep)?,
                Step::SignedIn { refusal } => self.signed_in(account, refusal.as_ref())?,
                Step::Labels(labels) => self.told_labels(account, *labels)?,
                Step::About(about) => self.told_about(account, about)?,
                Step::Fares(fares) => self.fares(account, fares)?,
                Step::Reported { msgid, tag, untag } => self.reported(account, msgid, tag, untag)?,
                Step::OpRunning(op) => self.op_running(*op)?,
                Step::Unkept { op, tags } => self.unkept(*op, tags)?,
                Step::OpMarked { op, mark } => self.op_marked(*op, *mark)?,
                Step::OpDone { op, moved, created } => self.op_done(*op, moved, created.as_deref())?,
                Step::OpFailed { op, error, retry_at } => self.op_failed(*op, error, *retry_at)?,
            }
        }
        Ok(done)
    }

    /// Who holds the truth about this account.
    pub(super) fn owner(&mut self, account: AccountId) -> Result<Owner> {
        if let Some(owner) = self.owners.get(&account) {
            return Ok(*owner);
        }
        let name = self
            .db
            .one(sql!("SELECT owner FROM accounts WHERE id = ?1"), [account], |row| row.get::<_, String>(0))?
            .ok_or_else(|| Error::new(Kind::Gone, "the account is not in the store any more"))?;
        let owner = owner_from(&name)?;
        self.owners.insert(account, owner);
        Ok(owner)
    }
}

/// The column's word for an owner.
pub(super) fn owner_name(owner: Owner) -> &'static str {
    match owner {
        Owner::Here => "here",
        Owner::Server => "server",
    }
}

/// The owner with this word in the column.
pub(super) fn owner_from(name: &str) -> Result<Owner> {
    match name {
        "here" => Ok(Owner::Here),
        "server" => Ok(Owner::Server),
        _ => Err(damaged("an account has an unknown owner")),
    }
}
