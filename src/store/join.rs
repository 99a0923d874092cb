//! Conversations joined and split by hand: rows of `thread_edits`, by Message-ID, which outlive the mails.

use std::collections::{BTreeSet, HashSet};

use super::acts::Act;
use super::db::sql;
use super::intents::{VANISHED, refused};
use super::places::Placement;
use super::rethread::BETWEEN;
use super::threads::LIMIT;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, MessageId, Outcome, PlacementId, ThreadId};

const NAMELESS: &str = "the mail has no Message-ID, so that nothing could be told of it later";

/// A row of `thread_edits`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Edit {
    msgid: String,
    /// `join` or `split`.
    kind: String,
    /// What it is joined to, or must not come together with again.
    target: String,
}

impl Edit {
    fn new(msgid: &str, kind: &str, target: String) -> Self {
        Self { msgid: msgid.to_owned(), kind: kind.to_owned(), target }
    }

    fn targets(&self) -> impl Iterator<Item = &str> {
        self.target.split(BETWEEN)
    }
}

impl Tx<'_> {
    /// Makes one conversation of those of these copies.
    pub(super) fn join(&mut self, items: &[PlacementId]) -> Result<Outcome> {
        let items = self.visible(items)?;
        let Some(first) = items.first() else { return Ok(refused(VANISHED)) };
        let account = self.account_of(first.folder)?;
        for item in &items {
            if self.account_of(item.folder)? != account {
                return Ok(refused("conversations of two accounts cannot be joined"));
            }
        }
        let threads: BTreeSet<ThreadId> = items.iter().map(|item| item.thread).collect();
        if threads.len() < 2 {
            return Ok(refused("this is one conversation already"));
        }
        let mut roots = Vec::new();
        let mut size = 0;
        for thread in &threads {
            size += self.thread_size(*thread)?;
            let root = self.db.one(
                sql!(
                    "SELECT m.msgid, m.date FROM messages m
                      WHERE m.thread_id = ?1 AND m.msgid <> '' AND NOT EXISTS (SELECT 1 FROM thread_edits e
                        WHERE e.account_id = m.account_id AND e.msgid = m.msgid AND e.kind = 'join')
                      ORDER BY m.date LIMIT 1"
                ),
                [*thread],
                |row| Ok((row.get::<_, i64>(1)?, row.get::<_, String>(0)?)),
            )?;
            let Some(root) = root else { return Ok(refused(NAMELESS)) };
            roots.push(root);
        }
        if size > LIMIT {
            return Ok(refused(&format!("a conversation has at most {LIMIT} mails")));
        }
        roots.sort();
        let mut was = Vec::new();
        for edit in self.edits_of_kind(account, "split")? {
            let apart = self.thread_named(account, &edit.msgid)?.filter(|thread| threads.contains(thread));
            let mut others = Vec::new();
            for target in edit.targets() {
                others.extend(self.thread_named(account, target)?.filter(|thread| threads.contains(thread)));
            }
            if apart.is_some() && !others.is_empty() {
                was.push(edit);
            }
        }
        let to = &roots[0].1;
        let now: Vec<Edit> = roots[1..].iter().map(|(_, from)| Edit::new(from, "join", to.clone())).collect();
        let label = format!("joined {} conversations", threads.len());
        self.edit(account, was, now, &items, label)
    }

    /// Lets a mail, with what answers it, begin a conversation of its own.
    pub(super) fn split(&mut self, item: PlacementId) -> Result<Outcome> {
        let items = self.visible(&[item])?;
        let Some(item) = items.first() else { return Ok(refused(VANISHED)) };
        let account = self.account_of(item.folder)?;
        let mails = self.db.all(
            sql!("SELECT id, msgid, parent FROM messages WHERE thread_id = ?1 ORDER BY date"),
            [item.thread],
            |row| Ok((row.get::<_, MessageId>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
        )?;
        let Some((_, own, parent)) = mails.iter().find(|(id, ..)| *id == item.message).cloned() else {
            return Ok(refused(VANISHED));
        };
        if own.is_empty() {
            return Ok(refused(NAMELESS));
        }
        let mut below = HashSet::from([own.as_str()]);
        loop {
            let before = below.len();
            let answers = mails.iter().filter(|(_, _, parent)| below.contains(parent.as_str()));
            let answers: Vec<&str> = answers.map(|(_, msgid, _)| msgid.as_str()).collect();
            below.extend(answers.into_iter().filter(|msgid| !msgid.is_empty()));
            if below.len() == before {
                break;
            }
        }
        let first = mails.iter().map(|(_, msgid, _)| msgid.as_str());
        let first = first.filter(|msgid| !msgid.is_empty()).find(|msgid| !below.contains(msgid));
        let mut from: Vec<&str> = first.into_iter().collect();
        if !parent.is_empty() && !below.contains(parent.as_str()) && !from.contains(&parent.as_str()) {
            from.push(&parent);
        }
        if first.is_none() {
            return Ok(refused("this mail begins its conversation already"));
        }
        let now = vec![Edit::new(&own, "split", from.join(&BETWEEN.to_string()))];
        let mut was = self.edits_of_kind(account, "join")?;
        was.retain(|edit| edit.msgid == own || edit.target == own);
        was.extend(self.edits_of_kind(account, "split")?.into_iter().filter(|edit| edit.msgid == own));
        self.edit(account, was, now, &items, "split the conversation".to_owned())
    }

    fn edit(
        &mut self,
        account: AccountId,
        was: Vec<Edit>,
        now: Vec<Edit>,
        items: &[Placement],
        label: String,
    ) -> Result<Outcome> {
        self.change_edits(account, &was, &now)?;
        let copies = items.iter().map(|item| (item.folder, item.message)).collect();
        self.record(label, vec![Act::Kin { account, was, now, copies }])
    }

    /// Takes edits away, makes others, and puts what they are about together anew.
    pub(super) fn change_edits(&mut self, account: AccountId, was: &[Edit], now: &[Edit]) -> Result<()> {
        // What they tie and part before the change, and after it.
        let mut near = BTreeSet::new();
        for edit in was.iter().chain(now) {
            for name in std::iter::once(edit.msgid.as_str()).chain(edit.targets()) {
                near.extend(self.thread_named(account, name)?);
            }
        }
        for edit in was {
            self.db.run(
                sql!("DELETE FROM thread_edits WHERE account_id = ?1 AND msgid = ?2 AND kind = ?3"),
                (account, &edit.msgid, &edit.kind),
            )?;
        }
        for edit in now {
            self.db.run(
                sql!(
                    "INSERT OR REPLACE INTO thread_edits (account_id, msgid, kind, target) VALUES (?1, ?2, ?3, ?4)"
                ),
                (account, &edit.msgid, &edit.kind, &edit.target),
            )?;
        }
        self.edits = None;
        self.rethread(account, near, None).map(drop)
    }

    fn edits_of_kind(&self, account: AccountId, kind: &str) -> Result<Vec<Edit>> {
        self.db.all(
            sql!("SELECT msgid, kind, target FROM thread_edits WHERE account_id = ?1 AND kind <> 'mute' AND kind = ?2"),
            (account, kind),
            |row| Ok(Edit { msgid: row.get(0)?, kind: row.get(1)?, target: row.get(2)? }),
        )
    }
}
