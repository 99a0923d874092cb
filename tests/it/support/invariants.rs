//! What must hold after any fault: nothing lost, nothing twice, nothing wrong, no row without a peer.
//!
//! The server is read directly (its memory, its maildir files), never through mailtui; the store through
//! a reader of its own. [`State::judge`] compares both with each other and with a run without a fault.

use std::collections::{BTreeMap, BTreeSet};

use mailtui::model::{AccountId, BodyState, Flags, Folder, Role, View};
use mailtui::protocol::memory::Server;
use mailtui::store::{Edge, Kept, Reader};
use sha2::{Digest, Sha256};

use super::seed::{Seed, number};

/// One copy of a seed mail in one folder, on the server or here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copy {
    pub seed: u32,
    /// `INBOX`, else the folder's name.
    pub folder: String,
    /// [`Flags::bits`].
    pub flags: i64,
    /// Keywords, sorted.
    pub tags: Vec<String>,
    /// The hash of its bytes; `None`: the body is not here.
    pub sha256: Option<[u8; 32]>,
}

impl std::fmt::Display for Copy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = Flags::from_bits(self.flags).wire_names().collect();
        let tags: String = self.tags.iter().map(|tag| format!(" {tag}")).collect();
        write!(f, "seed {} in {} ({}{tags})", self.seed, self.folder, names.join(" "))?;
        if self.sha256.is_none() { f.write_str(" without its body") } else { Ok(()) }
    }
}

/// What is where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// On the server.
    pub there: Vec<Copy>,
    /// In the store, as the user sees it.
    pub here: Vec<Copy>,
    /// The server's folders, those that are not subscribed to in brackets; empty: they do not matter.
    pub folders_there: Vec<String>,
    /// The same in the store.
    pub folders_here: Vec<String>,
    /// The drafts in the store that are called as seeds are.
    pub written: Vec<u32>,
    /// What is wrong with the store in itself, or not done yet.
    pub wrong: Vec<String>,
}

/// This mail, if it is a seed.
pub fn copy(folder: &str, flags: Flags, mut tags: Vec<String>, raw: &[u8]) -> Option<Copy> {
    let sha256 = Some(Sha256::digest(raw).into());
    tags.sort();
    Some(Copy { seed: number(raw)?, folder: folder.to_owned(), flags: flags.bits(), tags, sha256 })
}

/// What the server in memory holds.
pub fn of_memory(server: &Server) -> Vec<Copy> {
    let mut copies = Vec::new();
    for folder in server.folder_names() {
        for mail in server.mails(&folder) {
            copies.extend(copy(&folder, mail.flags, mail.keywords, &mail.source.bytes()));
        }
    }
    copies.sort();
    copies
}

/// Of one folder of a maildir: Maildir flags and bytes of each mail, and the keywords behind its small letters.
pub fn of_maildir(folder: &str, mails: &[(String, Vec<u8>)], words: &[String]) -> Vec<Copy> {
    let flag = |letter| match letter {
        'S' => Flags::SEEN,
        'R' => Flags::ANSWERED,
        'F' => Flags::FLAGGED,
        'D' => Flags::DRAFT,
        'T' => Flags::DELETED,
        _ => Flags::NONE,
    };
    let of = |letters: &str| {
        let small = letters.bytes().filter(u8::is_ascii_lowercase);
        let words: Vec<&String> = small.filter_map(|b| words.get(usize::from(b - b'a'))).collect();
        let flags = letters.chars().map(flag).fold(Flags::NONE, |all, one| all | one);
        let (known, tags): (Vec<&String>, _) = words.iter().partition(|w| Flags::from_wire(w).is_some());
        let flags = known.iter().filter_map(|w| Flags::from_wire(w)).fold(flags, |all, one| all | one);
        (flags, tags.into_iter().cloned().collect())
    };
    let mail = |(letters, raw): &(String, Vec<u8>)| {
        let (flags, tags) = of(letters);
        copy(folder, flags, tags, raw)
    };
    mails.iter().filter_map(mail).collect()
}

/// The folders that the store shows of an account, those that are not subscribed to in brackets.
pub fn folders_of_store(reader: &Reader, account: AccountId) -> Vec<String> {
    let show = |folder: &Folder| {
        let path = if folder.role == Some(Role::Inbox) { "INBOX" } else { folder.path.as_str() };
        if folder.subscribed { path.to_owned() } else { format!("({path})") }
    };
    let mut folders: Vec<String> = reader.folders(account).unwrap().iter().map(show).collect();
    folders.sort();
    folders
}

/// What the store shows of an account, and what is wrong with it.
pub fn of_store(reader: &Reader, account: AccountId) -> (Vec<Copy>, Vec<String>) {
    let mut wrong = reader.check().unwrap();
    let waiting = reader.ops_waiting(account).unwrap();
    if waiting > 0 {
        wrong.push(format!("UNDONE: {waiting} operations wait"));
    }
    for conflict in reader.conflicts(account).unwrap() {
        wrong.push(format!("UNDONE: operation {} is in conflict: {}", conflict.op, conflict.error));
    }
    let mut copies = Vec::new();
    for folder in reader.folders(account).unwrap() {
        let name = if folder.role == Some(Role::Inbox) { "INBOX" } else { folder.path.as_str() };
        let page = reader.page(View::Folder(folder.id), Edge::Top, 10_000).unwrap();
        assert!(page.at_bottom);
        let members: Vec<_> = page.rows.iter().flat_map(|row| &row.members).collect();
        if members.len() != folder.total as usize {
            wrong.push(format!("{name} shows {} mails and counts {}", members.len(), folder.total));
        }
        for member in members {
            let row = reader.summary(member.placement).unwrap().expect("a row of the page is in the store");
            let raw = reader.raw(member.message, u64::MAX).unwrap();
            let seed = row.subject.as_str().strip_prefix("seed ").and_then(|n| n.parse().ok());
            let Some(seed) = seed else {
                wrong.push(format!("PHANTOM: {name} shows {:?}", row.subject.as_str()));
                continue;
            };
            let whole = row.body == BodyState::Whole;
            if whole && number(&raw) != Some(seed) {
                wrong.push(format!("WRONG: the row of seed {seed} has the body of {:?}", number(&raw)));
            }
            if whole && reader.recorded_hash(member.message).unwrap() != Some(Sha256::digest(&raw).into()) {
                wrong.push(format!("WRONG: the body of seed {seed} is not what was stored"));
            }
            copies.push(Copy {
                seed,
                folder: name.to_owned(),
                flags: member.flags.bits(),
                tags: reader.record(member.placement).unwrap().tags.iter().map(ToString::to_string).collect(),
                sha256: whole.then(|| Sha256::digest(&raw).into()),
            });
        }
    }
    copies.sort();
    (copies, wrong)
}

fn is_draft(copy: &Copy) -> bool {
    copy.flags & Flags::DRAFT.bits() != 0
}

impl State {
    /// Of a store and what its server holds.
    pub fn of(there: Vec<Copy>, reader: &Reader, account: AccountId) -> Self {
        let (here, wrong) = of_store(reader, account);
        let drafts = reader.drafts().unwrap();
        let number = |kept: &Kept| kept.draft.subject.strip_prefix("seed ")?.parse().ok();
        let written = drafts.iter().filter_map(number).collect();
        let folders_here = folders_of_store(reader, account);
        Self { there, here, wrong, written, folders_here, ..Self::default() }
    }

    /// Whether a copy of this seed is on either side.
    pub fn holds(&self, seed: u32) -> bool {
        count(&self.there, seed) + count(&self.here, seed) > 0
    }

    /// What must hold at any time, right after a fault too: every seed is whole on the server or here,
    /// and the store is sound. `gone` are those that were to be removed for good.
    pub fn halfway(&self, seeds: &[Seed], gone: &[u32]) -> Vec<String> {
        let mut wrong: Vec<String> =
            self.wrong.iter().filter(|line| !line.starts_with("UNDONE")).cloned().collect();
        for seed in seeds.iter().filter(|seed| !gone.contains(&seed.n)) {
            let is_it = |c: &Copy| c.sha256 == Some(seed.sha256) || (c.seed == seed.n && is_draft(c));
            let held = self.written.contains(&seed.n) || self.there.iter().chain(&self.here).any(is_it);
            if !held {
                wrong.push(format!("LOST: seed {} is whole neither on the server nor here", seed.n));
            }
        }
        for copy in self.there.iter().chain(&self.here) {
            let right = seeds.iter().find(|seed| seed.n == copy.seed).map(|seed| seed.sha256);
            // A draft has the bytes of its version: the oracle knows them.
            if copy.sha256.is_some() && copy.sha256 != right && !is_draft(copy) {
                wrong.push(format!("WRONG: {copy} has other bytes"));
            }
        }
        wrong
    }

    /// What must hold once all is quiet: both sides are as after a run without a fault, and each other's
    /// peers where the truth is on the server.
    pub fn judge(&self, seeds: &[Seed], oracle: &Self, truth_is_there: bool) -> Vec<String> {
        let gone: Vec<u32> = seeds
            .iter()
            .map(|s| s.n)
            .filter(|n| count(&oracle.there, *n) + count(&oracle.here, *n) == 0)
            .collect();
        let mut wrong = self.halfway(seeds, &gone);
        wrong.extend(self.wrong.iter().filter(|line| line.starts_with("UNDONE")).cloned());
        unlike("on the server", &self.there, &oracle.there, &mut wrong);
        unlike("here", &self.here, &oracle.here, &mut wrong);
        for (place, now, oracle) in [
            ("on the server", &self.folders_there, &oracle.folders_there),
            ("here", &self.folders_here, &oracle.folders_here),
        ] {
            if now != oracle {
                wrong.push(format!("WRONG: folders {place} are {now:?}, not {oracle:?}"));
            }
        }
        if truth_is_there && !self.folders_there.is_empty() && self.folders_there != self.folders_here {
            let (there, here) = (&self.folders_there, &self.folders_here);
            wrong.push(format!("PHANTOM: folders on the server are {there:?}, and here {here:?}"));
        }
        if truth_is_there {
            let (there, here) = (tally(&self.there), tally(&self.here));
            for (copy, n) in &here {
                if there.get(copy).copied().unwrap_or(0) < *n {
                    wrong.push(format!("PHANTOM: {copy} is here, but not so on the server"));
                }
            }
            for (copy, n) in &there {
                if here.get(copy).copied().unwrap_or(0) < *n {
                    wrong.push(format!("WRONG: {copy} is on the server, but not so here"));
                }
            }
        }
        wrong
    }
}

impl State {
    /// What must hold once all is quiet after any number of actions by anybody: both ends are equal, nothing
    /// is lost but what somebody removed for good, and nothing is double but what somebody copied.
    pub fn unequal(&self, seeds: &[Seed], gone: &BTreeSet<u32>, copied: &BTreeSet<u32>) -> Vec<String> {
        let gone: Vec<u32> = gone.iter().copied().collect();
        let mut wrong = self.halfway(seeds, &gone);
        wrong.extend(self.judge(seeds, &Self { wrong: Vec::new(), ..self.clone() }, true));
        for seed in seeds.iter().filter(|seed| !copied.contains(&seed.n)) {
            let copies = count(&self.there, seed.n);
            if copies > 1 {
                wrong.push(format!("DUPLICATED: seed {} is on the server {copies} times", seed.n));
            }
        }
        wrong.sort();
        wrong.dedup();
        wrong
    }
}

fn count(copies: &[Copy], seed: u32) -> usize {
    copies.iter().filter(|copy| copy.seed == seed).count()
}

fn tally(copies: &[Copy]) -> BTreeMap<&Copy, usize> {
    let mut tally = BTreeMap::new();
    copies.iter().for_each(|copy| *tally.entry(copy).or_default() += 1);
    tally
}

fn unlike(place: &str, now: &[Copy], oracle: &[Copy], wrong: &mut Vec<String>) {
    let seeds: BTreeSet<u32> = now.iter().chain(oracle).map(|copy| copy.seed).collect();
    for seed in seeds {
        let of = |copies: &[Copy]| -> Vec<Copy> {
            let mut of: Vec<_> = copies.iter().filter(|copy| copy.seed == seed).cloned().collect();
            of.sort();
            of
        };
        let (now, oracle) = (of(now), of(oracle));
        if now.len() > oracle.len() {
            let word = if oracle.is_empty() { "PHANTOM" } else { "DUPLICATED" };
            wrong.push(format!("{word}: {place} {}, not {}", list(&now), list(&oracle)));
        } else if now != oracle {
            wrong.push(format!("WRONG: {place} {}, not {}", list(&now), list(&oracle)));
        }
    }
}

fn list(copies: &[Copy]) -> String {
    if copies.is_empty() {
        return "nothing".to_owned();
    }
    copies.iter().map(Copy::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::chance::Chance;
    use crate::support::seed::seeds;

    fn state() -> (Vec<Seed>, State) {
        let seeds = seeds(3, &mut Chance::new(1));
        let copies: Vec<Copy> = seeds
            .iter()
            .map(|s| Copy {
                seed: s.n,
                folder: "INBOX".into(),
                flags: 0,
                tags: vec![],
                sha256: Some(s.sha256),
            })
            .collect();
        let folders = vec!["INBOX".to_owned()];
        let state = State {
            there: copies.clone(),
            here: copies,
            folders_there: folders.clone(),
            folders_here: folders,
            written: Vec::new(),
            wrong: Vec::new(),
        };
        (seeds, state)
    }

    fn verdict(change: impl FnOnce(&mut State)) -> String {
        let (seeds, oracle) = state();
        let mut now = oracle.clone();
        change(&mut now);
        now.judge(&seeds, &oracle, true).join("\n")
    }

    #[test]
    fn each_violation_is_found() {
        assert_eq!(verdict(|_| ()), "");
        let lost = verdict(|s| {
            s.there.remove(1);
            s.here.remove(1);
        });
        assert!(lost.contains("LOST: seed 2"), "{lost}");
        let lost = verdict(|s| {
            s.there.remove(1);
            s.here[1].sha256 = None;
        });
        assert!(lost.contains("LOST: seed 2"), "{lost}");
        assert!(verdict(|s| s.there.push(s.there[0].clone())).contains("DUPLICATED: on the server seed 1"));
        assert!(verdict(|s| s.here.push(s.here[0].clone())).contains("DUPLICATED: here seed 1"));
        assert!(verdict(|s| s.there[2].flags = 1).contains("WRONG: on the server seed 3"));
        assert!(verdict(|s| s.here[2].folder = "Trash".into()).contains("WRONG: here seed 3"));
        assert!(verdict(|s| s.here[2].sha256 = Some([0; 32])).contains("has other bytes"));
        assert!(verdict(|s| drop(s.there.remove(0))).contains("PHANTOM: seed 1 in INBOX"));
        assert!(verdict(|s| drop(s.here.remove(0))).contains("is on the server, but not so here"));
        assert!(verdict(|s| s.folders_here.clear()).contains("PHANTOM: folders on the server"));
        assert!(verdict(|s| s.folders_there.push("x".into())).contains("WRONG: folders on the server"));
        assert!(verdict(|s| s.wrong.push("UNDONE: 1 operations wait".into())).contains("UNDONE"));
        assert!(verdict(|s| s.wrong.push("a row points to nothing".into())).contains("a row"));
    }

    #[test]
    fn halfway_a_mail_may_be_on_one_side_only() {
        let (seeds, whole) = state();
        let half = State { here: Vec::new(), ..whole.clone() };
        assert!(half.halfway(&seeds, &[]).is_empty());
        let half = State { there: Vec::new(), ..whole };
        assert!(half.halfway(&seeds, &[]).is_empty());
        assert_eq!(State::default().halfway(&seeds, &[2]).len(), 2);
    }
}
