//! Mail that is being written (promise O5): kept, listed, held by one editor at a time, and back when it is taken back.

use super::binned::Binned;
use super::db::{Db, sql, unsigned};
use super::draft_copies::{Adopted, DraftCopy};
use super::handle::Store;
use super::inbox::{Answer, Job};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Draft, DraftId};

/// A draft as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its row.
    pub id: DraftId,
    /// The Message-ID under which it is kept, without brackets.
    pub msgid: String,
    /// Counts up with each change.
    pub version: u64,
    /// When it was changed last, Unix time.
    pub updated: i64,
    /// The process of this machine that has it in an editor.
    pub editor: Option<u32>,
    /// What it says.
    pub draft: Draft,
}

/// What is asked of the store's thread.
#[derive(Debug)]
pub(super) enum Deed {
    Save(Option<(DraftId, u64)>, String, Box<Draft>),
    Discard(DraftId),
    Bin(DraftId, Option<Box<Binned>>),
    Claim(DraftId, String),
    Release(DraftId, String),
    TakeBack(i64),
    Rework(i64, String, Box<Draft>),
    Copy(Box<DraftCopy>),
    Adopt(Box<Adopted>),
}

impl Store {
    /// Keeps a draft; durable when this returns. `over`: the row and version that it was made of; where that is not the
    /// newest any more, or gone, both are kept and this one gets a row of its own. `msgid` counts for a new row only.
    pub fn save_draft(
        &self,
        over: Option<(DraftId, u64)>,
        msgid: &str,
        draft: &Draft,
    ) -> Result<(DraftId, u64)> {
        let id = self.on_draft(Deed::Save(over, msgid.to_owned(), Box::new(draft.clone())))?;
        let id = DraftId(id.unwrap_or_default());
        let version = self.lister()?.draft(id)?.map_or(1, |kept| kept.version);
        Ok((id, version))
    }

    /// Forgets a draft that nobody would miss, unless its mail is in the outbox; whether it was there.
    pub fn discard_draft(&self, id: DraftId) -> Result<bool> {
        self.on_draft(Deed::Discard(id)).map(|done| done.is_some())
    }

    /// Throws a draft away, unless its mail is in the outbox; whether it was there. Undo brings it back. `mail`: what
    /// of it goes to Trash.
    pub fn bin_draft(&self, id: DraftId, mail: Option<Binned>) -> Result<bool> {
        self.on_draft(Deed::Bin(id, mail.map(Box::new))).map(|done| done.is_some())
    }

    /// Takes a draft into an editor of this process; false: another one that lives has it.
    pub fn claim_draft(&self, id: DraftId) -> Result<bool> {
        self.on_draft(Deed::Claim(id, ourselves())).map(|done| done.is_some())
    }

    /// Gives it back.
    pub fn release_draft(&self, id: DraftId) -> Result<()> {
        self.on_draft(Deed::Release(id, ourselves())).map(drop)
    }

    /// Takes a mail out of the outbox that nobody has got, and that is not on the wire: its draft can be written on.
    /// `None`: it is too late, or it was made of none.
    pub fn take_back(&self, outgoing: i64) -> Result<Option<DraftId>> {
        self.on_draft(Deed::TakeBack(outgoing)).map(|id| id.map(DraftId))
    }

    /// Makes a mail in the outbox a draft, in one step: it goes, and so does the draft that it was made of. `None`: it is
    /// on the wire, or not there any more. Who got it already is not told again by that.
    pub fn rework(&self, outgoing: i64, msgid: &str, draft: &Draft) -> Result<Option<DraftId>> {
        let deed = Deed::Rework(outgoing, msgid.to_owned(), Box::new(draft.clone()));
        self.on_draft(deed).map(|id| id.map(DraftId))
    }

    pub(super) fn on_draft(&self, deed: Deed) -> Result<Option<i64>> {
        match self.ask(Job::Draft(deed))? {
            Answer::Row(id) => Ok(Some(id)),
            Answer::Done => Ok(None),
            _ => Err(Error::new(Kind::Bug, "the store mixed up its answers")),
        }
    }
}

impl Reader {
    /// Every draft that is not on its way out, the last changed first.
    pub fn drafts(&self) -> Result<Vec<Kept>> {
        let all = self.0.all(
            sql!(
                "SELECT d.id, d.account_id, d.msgid, d.version, d.updated_at, d.editor, d.state FROM drafts d
                  WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.draft_id = d.id) ORDER BY d.updated_at DESC, d.id DESC"
            ),
            [],
            kept,
        )?;
        Ok(all.into_iter().flatten().collect())
    }

    /// One draft.
    pub fn draft(&self, id: DraftId) -> Result<Option<Kept>> {
        let row = self.0.one(
            sql!(
                "SELECT id, account_id, msgid, version, updated_at, editor, state FROM drafts WHERE id = ?1"
            ),
            [id],
            kept,
        )?;
        Ok(row.flatten())
    }
}

pub(super) fn kept(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Kept>> {
    let (account, state, editor) =
        (row.get::<_, AccountId>(1)?, row.get::<_, String>(6)?, row.get::<_, String>(5)?);
    let Some(draft) = Draft::from_json(account, &state) else { return Ok(None) };
    Ok(Some(Kept {
        id: row.get(0)?,
        msgid: row.get(2)?,
        version: unsigned(row.get(3)?),
        updated: row.get(4)?,
        editor: living(&editor),
        draft,
    }))
}

impl Tx<'_> {
    pub(super) fn draft(&mut self, deed: &Deed) -> Result<Answer> {
        let done = match deed {
            Deed::Save(over, msgid, draft) => Some(self.save_draft(*over, msgid, draft)?),
            Deed::Discard(id) => self.drop_draft(*id)?.then_some(id.0),
            Deed::Bin(id, mail) => self.bin(*id, mail.as_deref())?.then_some(id.0),
            Deed::Claim(id, us) => {
                let holder = holder(self.db, *id)?;
                let is_free = holder.is_some_and(|holder| holder == *us || living(&holder).is_none());
                if is_free {
                    self.db.run(sql!("UPDATE drafts SET editor = ?2 WHERE id = ?1"), (id, us))?;
                }
                is_free.then_some(id.0)
            }
            Deed::Release(id, us) => {
                self.db.run(sql!("UPDATE drafts SET editor = '' WHERE id = ?1 AND editor = ?2"), (id, us))?;
                None
            }
            Deed::TakeBack(outgoing) => self.unsend(*outgoing)?,
            Deed::Rework(outgoing, msgid, draft) => self.rework(*outgoing, msgid, draft)?,
            Deed::Copy(copy) => self.copy_draft(copy)?,
            Deed::Adopt(adopted) => self.adopt_draft(adopted)?,
        };
        Ok(done.map_or(Answer::Done, Answer::Row))
    }

    fn save_draft(&mut self, over: Option<(DraftId, u64)>, msgid: &str, draft: &Draft) -> Result<i64> {
        self.touched.accounts.insert(draft.account);
        // Who syncs the account puts its copy into Drafts.
        self.touched.ops.insert(draft.account);
        let state = draft.to_json();
        if let Some((id, version)) = over {
            self.leave_account(id, draft.account)?;
            let saved = self.db.run(
                sql!(
                    "UPDATE drafts SET state = ?3, account_id = ?4, updated_at = ?5, version = version + 1
                      WHERE id = ?1 AND version = ?2 AND NOT EXISTS (SELECT 1 FROM outbox WHERE draft_id = ?1)"
                ),
                (id, super::db::whole(version), &state, draft.account, self.now),
            )?;
            if saved > 0 {
                return Ok(id.0);
            }
        }
        self.db.run(
            sql!(
                "INSERT INTO drafts (account_id, msgid, state, raw, updated_at) VALUES (?1, ?2, ?3, x'', ?4)"
            ),
            (draft.account, msgid, &state, self.now),
        )?;
        Ok(self.db.last_id())
    }

    fn rework(&mut self, outgoing: i64, msgid: &str, draft: &Draft) -> Result<Option<i64>> {
        let of = self.db.one(sql!("SELECT draft_id FROM outbox WHERE id = ?1"), [outgoing], |row| {
            row.get::<_, Option<DraftId>>(0)
        })?;
        if !self.recall(outgoing)? {
            return Ok(None);
        }
        if let Some(former) = of.flatten() {
            self.drop_draft(former)?;
        }
        self.save_draft(None, msgid, draft).map(Some)
    }

    fn unsend(&mut self, outgoing: i64) -> Result<Option<i64>> {
        // Who got it already would get it twice.
        let draft = self.db.one(
            sql!(
                "SELECT draft_id FROM outbox o WHERE id = ?1 AND state IN ('queued', 'deferred', 'failed')
                  AND NOT EXISTS (SELECT 1 FROM outbox_rcpts r WHERE r.outbox_id = o.id AND r.state = 'accepted')"
            ),
            [outgoing],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        let Some(draft) = draft.flatten() else { return Ok(None) };
        Ok(self.recall(outgoing)?.then_some(draft))
    }
}

fn holder(db: &Db, id: DraftId) -> Result<Option<String>> {
    db.one(sql!("SELECT editor FROM drafts WHERE id = ?1"), [id], |row| row.get(0))
}

/// This process, as the column has it: its boot of this machine, its number, and when it began.
fn ourselves() -> String {
    let pid = std::process::id();
    format!("{}:{pid}:{}", boot(), began(pid).unwrap_or_default())
}

/// The process that is named, if it lives. Of another machine, or another boot of this one, none does.
fn living(editor: &str) -> Option<u32> {
    let mut pieces = editor.rsplitn(3, ':');
    let (start, pid, of) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let pid = pid.parse().ok()?;
    (of == boot() && began(pid).as_deref().unwrap_or_default() == start && is_there(pid)).then_some(pid)
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn is_there(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// When a process began, in ticks since the boot; `None`: it is gone, or the system does not tell.
fn began(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program is in parentheses, and may hold any.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Home;
    use super::*;

    #[test]
    fn o5_a_draft_is_kept_and_two_versions_are_both_kept() {
        let home = Home::new();
        let (store, reader) = (&home.store, home.store.reader().unwrap());
        let draft = Draft { subject: "one".into(), ..Draft::new(home.account, "ada@example.org") };
        let (id, first) = store.save_draft(None, "d@example.org", &draft).unwrap();
        let two = Draft { subject: "two".into(), ..draft.clone() };
        let (same, second) = store.save_draft(Some((id, first)), "", &two).unwrap();
        assert_eq!((same, first, second), (id, 1, 2));
        // Another process had the first version.
        let three = Draft { subject: "three".into(), ..draft };
        let (other, _) = store.save_draft(Some((id, first)), "e@example.org", &three).unwrap();
        assert_ne!(other, id);
        let subjects: Vec<String> =
            reader.drafts().unwrap().into_iter().map(|kept| kept.draft.subject).collect();
        assert_eq!(subjects, ["three", "two"]);
        assert_eq!(reader.draft(id).unwrap().unwrap().msgid, "d@example.org");
        assert!(store.discard_draft(id).unwrap() && !store.discard_draft(id).unwrap());
        assert_eq!(reader.drafts().unwrap().len(), 1);
    }

    #[test]
    fn o5_one_editor_has_a_draft_as_long_as_it_lives() {
        let home = Home::new();
        let (store, draft) = (&home.store, Draft::new(home.account, ""));
        let (id, _) = store.save_draft(None, "d@example.org", &draft).unwrap();
        assert!(store.claim_draft(id).unwrap() && store.claim_draft(id).unwrap(), "our own");
        let held = |id| store.reader().unwrap().draft(id).unwrap().unwrap().editor;
        assert_eq!(held(id), Some(std::process::id()));
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = child.id();
        let name = format!("{}:{pid}:{}", boot(), began(pid).unwrap_or_default());
        store
            .on_writer(move |db| assert_eq!(db.execute("UPDATE drafts SET editor = ?1", [&name]).unwrap(), 1))
            .unwrap();
        assert_eq!(held(id), Some(pid));
        assert!(!store.claim_draft(id).unwrap(), "another lives");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(store.claim_draft(id).unwrap(), "it is gone");
        store.release_draft(id).unwrap();
        assert_eq!(held(id), None);
        assert!(!store.claim_draft(DraftId(99)).unwrap());
    }
}
