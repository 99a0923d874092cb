//! Conversations that were joined or split by hand: put together anew from all of their mails whenever one comes.
//!
//! Where nothing was edited, [`threads`](super::threads) merges as mail comes. Near an edit that would not do: what
//! a mail pulls together may depend on one that comes later. So a conversation that was ever near one is marked, and
//! from then on all mails that could be touched are grouped by [`kin`](crate::model::kin), in one go.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::db::sql;
use super::messages::clip_msgid;
use super::threads::LIMIT;
use super::tx::Tx;
use crate::error::Result;
use crate::model::kin::{Cut, Groups, Kin, Name};
use crate::model::{AccountId, Envelope, FolderId, MessageId, ThreadId};

/// References that are kept of a mail: the first and the last ones.
const REFS: usize = 12;
/// Between the names in `thread_edits.target`: no Message-ID has it.
pub(super) const BETWEEN: char = '\n';

/// What was joined and split by hand in an account.
#[derive(Debug, Default)]
pub(super) struct Edits {
    cuts: Vec<Cut>,
    joins: Vec<(Name, Name)>,
    /// Of each edit the names that it ties or parts.
    texts: Vec<Vec<String>>,
    names: HashSet<Name>,
}

/// A mail of conversations that are put together anew.
struct Held {
    message: Option<MessageId>,
    thread: Option<ThreadId>,
    kin: Kin,
}

impl Tx<'_> {
    /// The edits of an account.
    pub(super) fn edits(&mut self, account: AccountId) -> Result<Rc<Edits>> {
        if let Some((of, edits)) = &self.edits
            && *of == account
        {
            return Ok(Rc::clone(edits));
        }
        let rows = self.db.all(
            sql!("SELECT msgid, kind, target FROM thread_edits WHERE account_id = ?1 AND kind <> 'mute'"),
            [account],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
        )?;
        let mut edits = Edits::default();
        for (msgid, kind, target) in rows {
            let targets: Vec<Name> = target.split(BETWEEN).map(short).collect();
            edits.names.insert(short(&msgid));
            edits.names.extend(&targets);
            if kind == "split" {
                edits.cuts.push(Cut { own: short(&msgid), from: targets });
            } else {
                edits.joins.extend(targets.iter().map(|to| (short(&msgid), *to)));
            }
            edits
                .texts
                .push(std::iter::once(msgid).chain(target.split(BETWEEN).map(str::to_owned)).collect());
        }
        let edits = Rc::new(edits);
        self.edits = Some((account, Rc::clone(&edits)));
        Ok(edits)
    }

    /// The conversation of a mail that is about to be inserted, where an edit is near; `None`: none is.
    pub(super) fn edited_thread_for(
        &mut self,
        account: AccountId,
        envelope: &Envelope,
        names: &[&str],
    ) -> Result<Option<ThreadId>> {
        let edits = self.edits(account)?;
        if edits.texts.is_empty() {
            return Ok(None);
        }
        let mut near = BTreeSet::new();
        let mut is_near = false;
        let cut = |name: &&str| edits.cuts.iter().any(|cut| cut.own == short(name));
        let refs = envelope.refs.iter().map(|name| clip_msgid(name)).filter(cut);
        let all: BTreeSet<&str> = names.iter().copied().chain(refs).collect();
        for name in &all {
            is_near |= edits.names.contains(&short(name));
            if let Some((thread, edited)) = self.named(account, name)? {
                near.insert(thread);
                is_near |= edited;
            }
        }
        if !is_near {
            return Ok(None);
        }
        self.rethread(account, near, Some((envelope, names)))
    }

    /// The conversation that goes by a name, and whether an edit is near it.
    fn named(&self, account: AccountId, name: &str) -> Result<Option<(ThreadId, bool)>> {
        self.db.one(
            sql!(
                "SELECT t.id, t.edited FROM refs r CROSS JOIN threads t ON t.id = r.thread_id
                  WHERE r.account_id = ?1 AND r.msgid = ?2"
            ),
            (account, name),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    pub(super) fn thread_named(&self, account: AccountId, name: &str) -> Result<Option<ThreadId>> {
        Ok(self.named(account, name)?.map(|(thread, _)| thread))
    }

    /// Puts conversations together anew, with a mail that is about to be inserted and the names it goes by. Its
    /// conversation.
    pub(super) fn rethread(
        &mut self,
        account: AccountId,
        near: BTreeSet<ThreadId>,
        arriving: Option<(&Envelope, &[&str])>,
    ) -> Result<Option<ThreadId>> {
        let edits = self.edits(account)?;
        let ours: HashSet<Name> =
            arriving.iter().flat_map(|(_, names)| names.iter().map(|name| short(name))).collect();
        let all = self.reach(account, &edits, near, &ours)?;
        let (mut mails, mut names) = (Vec::new(), Vec::new());
        for thread in &all {
            mails.extend(self.kin_of_thread(*thread)?);
            let held =
                self.db.all(sql!("SELECT msgid FROM refs WHERE thread_id = ?1"), [*thread], |row| {
                    row.get::<_, String>(0)
                })?;
            names.extend(held.into_iter().map(|name| (name, Some(*thread))));
        }
        if let Some((envelope, own)) = arriving {
            mails.push(Held { message: None, thread: None, kin: kin(envelope) });
            let known: HashSet<String> = names.iter().map(|(name, _)| name.clone()).collect();
            let new = own.iter().filter(|name| !known.contains(**name));
            names.extend(new.map(|name| ((*name).to_owned(), None)));
        }
        let kins: Vec<Kin> = mails.iter().map(|mail| mail.kin.clone()).collect();
        let limit = usize::try_from(LIMIT).unwrap_or(usize::MAX);
        let groups = Groups::new(&kins, &edits.cuts, &edits.joins, limit);
        let threads = self.settle_groups(account, &mails, &groups)?;
        for (at, mail) in mails.iter().enumerate() {
            let to = threads[&groups.of_mail(at)];
            if let (Some(message), true) = (mail.message, mail.thread != Some(to)) {
                self.regroup(message, to)?;
            }
        }
        let alive: BTreeSet<ThreadId> = threads.values().copied().collect();
        let own = arriving.map(|_| threads[&groups.of_mail(mails.len() - 1)]);
        for (name, was) in names {
            let to = groups.of_name(short(&name)).and_then(|group| threads.get(&group)).copied();
            // A name that no mail here is together with waits where it was.
            let to = to.or(was.filter(|thread| alive.contains(thread))).or(own).or(alive.first().copied());
            if let Some(to) = to.filter(|to| Some(*to) != was) {
                self.db.run(
                    sql!(
                        "INSERT INTO refs (account_id, msgid, thread_id) VALUES (?1, ?2, ?3)
                          ON CONFLICT (account_id, msgid) DO UPDATE SET thread_id = excluded.thread_id"
                    ),
                    (account, name, to),
                )?;
            }
        }
        for thread in &alive {
            self.db.run(sql!("UPDATE threads SET edited = 1 WHERE id = ?1"), [*thread])?;
        }
        for thread in all.difference(&alive) {
            self.drop_empty_thread(*thread)?;
        }
        Ok(own)
    }

    /// Everything that an edit ties to these conversations or parts from them, and what that ties.
    fn reach(
        &self,
        account: AccountId,
        edits: &Edits,
        mut all: BTreeSet<ThreadId>,
        ours: &HashSet<Name>,
    ) -> Result<BTreeSet<ThreadId>> {
        let mut tied = Vec::new();
        for texts in &edits.texts {
            let mut threads = BTreeSet::new();
            for text in texts {
                threads.extend(self.thread_named(account, text)?);
            }
            tied.push((texts.iter().any(|text| ours.contains(&short(text))), threads));
        }
        loop {
            let before = all.len();
            for (is_ours, threads) in &tied {
                if *is_ours || !threads.is_disjoint(&all) {
                    all.extend(threads);
                }
            }
            if all.len() == before {
                return Ok(all);
            }
        }
    }

    /// The mails of a conversation. One that was stored before its references were kept is taken to refer to the
    /// first of them.
    fn kin_of_thread(&self, thread: ThreadId) -> Result<Vec<Held>> {
        let rows = self.db.all(
            sql!("SELECT id, msgid, parent, kin FROM messages WHERE thread_id = ?1 ORDER BY date"),
            [thread],
            |row| {
                let names: (String, String) = (row.get(1)?, row.get(2)?);
                Ok((row.get::<_, MessageId>(0)?, names, row.get::<_, Option<Vec<u8>>>(3)?))
            },
        )?;
        let first = rows.iter().map(|(_, (own, _), _)| short(own)).find(|name| *name != 0).unwrap_or(0);
        let mut mails = Vec::with_capacity(rows.len());
        for (message, (own, parent), kept) in rows {
            let kept = match kept {
                Some(kept) => kept,
                None => {
                    let kept = first.to_le_bytes().to_vec();
                    self.db.run(sql!("UPDATE messages SET kin = ?2 WHERE id = ?1"), (message, &kept))?;
                    kept
                }
            };
            let refs = kept.as_chunks().0.iter().map(|bytes| Name::from_le_bytes(*bytes));
            let kin = Kin { own: short(&own), parent: short(&parent), refs: refs.collect() };
            mails.push(Held { message: Some(message), thread: Some(thread), kin });
        }
        Ok(mails)
    }

    /// A conversation for each group: that of most of its mails, each for one group only.
    fn settle_groups(
        &mut self,
        account: AccountId,
        mails: &[Held],
        groups: &Groups,
    ) -> Result<HashMap<usize, ThreadId>> {
        let mut counts: BTreeMap<(usize, ThreadId), usize> = BTreeMap::new();
        let mut all = BTreeSet::new();
        for (at, mail) in mails.iter().enumerate() {
            all.insert(groups.of_mail(at));
            if let Some(thread) = mail.thread {
                *counts.entry((groups.of_mail(at), thread)).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let (mut threads, mut taken) = (HashMap::new(), HashSet::new());
        for ((group, thread), _) in counts {
            if !threads.contains_key(&group) && taken.insert(thread) {
                threads.insert(group, thread);
            }
        }
        for group in all {
            if let Entry::Vacant(place) = threads.entry(group) {
                place.insert(self.new_thread(account)?);
            }
        }
        Ok(threads)
    }

    fn regroup(&mut self, message: MessageId, to: ThreadId) -> Result<()> {
        let folders = self.db.all(
            sql!("SELECT folder_id FROM placements WHERE message_id = ?1"),
            [message],
            |row| row.get::<_, FolderId>(0),
        )?;
        self.touched.folders.extend(folders);
        self.touched.message(message);
        self.db.run(sql!("UPDATE placements SET thread_id = ?2 WHERE message_id = ?1"), (message, to))?;
        self.db.run(sql!("UPDATE messages SET thread_id = ?2 WHERE id = ?1"), (message, to))?;
        Ok(())
    }
}

/// A Message-ID in short; 0: none.
fn short(name: &str) -> Name {
    if name.is_empty() {
        return 0;
    }
    let hash = Sha256::digest(name.as_bytes());
    hash.first_chunk().map_or(1, |bytes| Name::from_le_bytes(*bytes)).max(1)
}

fn kin(envelope: &Envelope) -> Kin {
    let name = |text: &String| short(clip_msgid(text));
    let mut refs: Vec<Name> = envelope.refs.iter().map(name).collect();
    if refs.len() > REFS {
        refs.drain(1..=refs.len() - REFS);
    }
    Kin { own: name(&envelope.msgid), parent: name(&envelope.parent), refs }
}

/// What `messages.kin` keeps of a mail.
pub(super) fn kin_of(envelope: &Envelope) -> Vec<u8> {
    kin(envelope).refs.iter().flat_map(|name| name.to_le_bytes()).collect()
}
