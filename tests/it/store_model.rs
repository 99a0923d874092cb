//! The store against a model of a server, by random: deliveries, other clients, the user, lost answers,
//! kills and numbering anew in any order. In the end both sides are equal and no mail was lost or doubled.

use std::collections::{BTreeMap, BTreeSet};

use mailtui::model::*;
use mailtui::store::*;
use proptest::prelude::*;

use crate::store_kit::{Kit, NOW, mail};

const FOLDERS: [Role; 3] = [Role::Inbox, Role::Archive, Role::Trash];

/// Flags that stand for tags in the model.
const TAGS: [(Flags, &str); 2] = [(Flags::ANSWERED, "alpha"), (Flags::DRAFT, "beta")];

/// Flags of the model as a server tells them.
fn told(flags: Flags) -> (Flags, Vec<String>) {
    let tags = TAGS.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| (*name).to_owned());
    (flags & !(Flags::ANSWERED | Flags::DRAFT), tags.collect())
}

/// What is told, as flags of the model.
fn joined(flags: Flags, tags: &[impl ToString]) -> Flags {
    tags.iter().map(ToString::to_string).fold(flags, |flags, tag| {
        flags | TAGS.iter().find(|(_, name)| is_same_tag(name, &tag)).expect("one of the two").0
    })
}

/// A mailbox of the model: mails by UID.
#[derive(Debug, Clone, Default)]
struct Mailbox {
    validity: u32,
    uidnext: u32,
    mails: BTreeMap<u32, (u32, Flags)>,
}

impl Mailbox {
    fn add(&mut self, n: u32, flags: Flags) -> u32 {
        self.uidnext += 1;
        self.mails.insert(self.uidnext, (n, flags));
        self.uidnext
    }

    fn nth(&self, at: usize) -> Option<u32> {
        let uids: Vec<u32> = self.mails.keys().copied().collect();
        (!uids.is_empty()).then(|| uids[at % uids.len()])
    }
}

/// What becomes of an operation that is pushed.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Done, with the new UIDs told.
    Told,
    /// Done, the new UIDs not told.
    Untold,
    /// Done on the server, but the answer was lost.
    Lost,
    /// Not done; tried again later.
    Failed,
    /// Done on the server, then this side was killed.
    Killed,
}

#[derive(Debug, Clone)]
enum Event {
    Deliver(usize),
    OtherFlags(usize, usize, u32),
    OtherExpunge(usize, usize),
    OtherMove(usize, usize, usize),
    Renumber(usize),
    Pull(usize),
    /// A pull looks now and reports later.
    Look(usize),
    Report,
    Push(Fate),
    Flag(usize, usize, u32, bool),
    Tag(usize, usize, usize, bool),
    Move(usize, usize, usize),
    Copy(usize, usize, usize),
    Purge(usize, usize),
    Undo,
    Redo,
}

fn event() -> impl Strategy<Value = Event> {
    let f = 0..FOLDERS.len();
    let at = 0..6usize;
    let bits = prop::sample::select(vec![1u32, 4, 5]);
    let fate = prop::sample::select(vec![
        Fate::Told,
        Fate::Told,
        Fate::Untold,
        Fate::Lost,
        Fate::Failed,
        Fate::Killed,
    ]);
    prop_oneof![
        4 => f.clone().prop_map(Event::Deliver),
        2 => (f.clone(), at.clone(), 0u32..16).prop_map(|(a, b, c)| Event::OtherFlags(a, b, c)),
        1 => (f.clone(), at.clone()).prop_map(|(a, b)| Event::OtherExpunge(a, b)),
        1 => (f.clone(), at.clone(), f.clone()).prop_map(|(a, b, c)| Event::OtherMove(a, b, c)),
        1 => f.clone().prop_map(Event::Renumber),
        4 => f.clone().prop_map(Event::Pull),
        2 => f.clone().prop_map(Event::Look),
        2 => Just(Event::Report),
        5 => fate.prop_map(Event::Push),
        3 => (f.clone(), at.clone(), bits, any::<bool>()).prop_map(|(a, b, c, d)| Event::Flag(a, b, c, d)),
        3 => (f.clone(), at.clone(), 0..3usize, any::<bool>()).prop_map(|(a, b, c, d)| Event::Tag(a, b, c, d)),
        4 => (f.clone(), at.clone(), f.clone()).prop_map(|(a, b, c)| Event::Move(a, b, c)),
        1 => (f.clone(), at.clone(), f.clone()).prop_map(|(a, b, c)| Event::Copy(a, b, c)),
        1 => (f, at).prop_map(|(a, b)| Event::Purge(a, b)),
        3 => Just(Event::Undo),
        1 => Just(Event::Redo),
    ]
}

/// Events that only this side brings about, and that can be taken back; the server may fail.
fn own_event() -> impl Strategy<Value = Event> {
    event().prop_filter("what another does, and what cannot be undone", |event| {
        !matches!(
            event,
            Event::Deliver(_)
                | Event::OtherFlags(..)
                | Event::OtherExpunge(..)
                | Event::OtherMove(..)
                | Event::Renumber(_)
                | Event::Purge(..)
        )
    })
}

struct World {
    kit: Kit,
    folders: [FolderId; 3],
    server: [Mailbox; 3],
    delivered: u32,
    /// Mails that someone deleted on purpose, and mails that someone copied.
    deleted: BTreeSet<u32>,
    copied: BTreeSet<u32>,
    reports: Vec<Vec<Step>>,
}

impl World {
    fn new() -> Self {
        let kit = Kit::server();
        let folders = FOLDERS.map(|role| kit.folder(role));
        let server = [(); 3].map(|()| Mailbox { validity: 1, ..Mailbox::default() });
        let cursors = folders
            .map(|folder| Step::Cursor { folder, cursor: Cursor { validity: 1, ..Cursor::default() } });
        kit.commit(cursors);
        let (deleted, copied) = (BTreeSet::new(), BTreeSet::new());
        Self { kit, folders, server, delivered: 0, deleted, copied, reports: Vec::new() }
    }

    fn folder_at(&self, id: FolderId) -> usize {
        self.folders.iter().position(|folder| *folder == id).unwrap()
    }

    /// The n-th visible copy of a folder, and which mail it is.
    fn copy(&self, f: usize, at: usize) -> Option<(PlacementId, u32)> {
        let mut copies: Vec<_> =
            self.kit.top(self.folders[f]).into_iter().flat_map(|row| row.members).collect();
        copies.sort_by_key(|member| member.placement);
        let member = copies.get(at % copies.len().max(1))?;
        let subject = self.kit.reader.message(member.message).unwrap().unwrap().subject;
        Some((member.placement, subject.as_str()[5..].parse().unwrap()))
    }

    /// What a pull of a folder would report now.
    fn look(&self, f: usize) -> Vec<Step> {
        let (folder, mailbox) = (self.folders[f], &self.server[f]);
        let mut cursor = self.kit.reader.cursor(folder).unwrap();
        let mut steps = Vec::new();
        let mut held = BTreeMap::new();
        if cursor.validity == mailbox.validity {
            held.extend(
                self.kit
                    .reader
                    .base_flags(folder)
                    .unwrap()
                    .into_iter()
                    .map(|(uid, f, tags)| (uid, joined(f, &tags))),
            );
        } else {
            steps.push(Step::Reset { folder, validity: mailbox.validity });
            cursor.validity = mailbox.validity;
        }
        for (&uid, &(n, flags)) in mailbox.mails.iter().rev() {
            let known = held.remove(&uid);
            let (sent, keywords) = told(flags);
            match known {
                None => steps.push(Step::Message(Box::new(Incoming {
                    uid: Some(uid),
                    flags: sent,
                    keywords,
                    ..mail(folder, n)
                }))),
                Some(known) if known != flags => {
                    steps.push(Step::Flags { folder, uid, flags: sent, keywords });
                }
                Some(_) => {}
            }
        }
        steps.extend(held.into_keys().map(|uid| Step::Gone { folder, uid }));
        steps.push(Step::Cursor { folder, cursor });
        steps.push(Step::Synced { folder, at: NOW });
        steps
    }

    /// Carries out the first operation that is ready; says whether there was one.
    fn push(&mut self, fate: Fate) -> bool {
        let Some(op) = self.kit.reader.ops(self.kit.account, NOW, 1).unwrap().pop() else { return false };
        let from = self.folder_at(op.folder.unwrap());
        // A session finds out about the new numbers when it selects the folder.
        if self.kit.reader.cursor(self.folders[from]).unwrap().validity != self.server[from].validity {
            self.kit.commit(self.look(from));
            return true;
        }
        // What an earlier try may have made is looked for before another.
        if let OpKind::Move(to) | OpKind::Copy(to) = op.kind
            && (op.tries > 0 || op.items.iter().any(|item| item.landed))
        {
            self.kit.commit(self.look(self.folder_at(to)));
        }
        // Nor is the last copy deleted that is to be taken back.
        if let Some(folders) = self.kit.reader.spares(op.id).unwrap() {
            for folder in folders {
                self.kit.commit(self.look(self.folder_at(folder)));
            }
            if !self.kit.reader.is_spared(op.id).unwrap() {
                let error = "this is the last copy on the server".to_owned();
                self.kit.commit([Step::OpFailed { op: op.id, error, retry_at: None }]);
                return true;
            }
        }
        self.kit.commit([Step::OpRunning(op.id)]);
        let Some(op) = self.kit.reader.running_op(op.id).unwrap() else { return true };
        let mut moved = Vec::new();
        if !matches!(fate, Fate::Failed) {
            for item in &op.items {
                let uid = item.uid.unwrap();
                let Some(&(n, flags)) = self.server[from].mails.get(&uid) else { continue };
                match &op.kind {
                    OpKind::Flags(marks) => {
                        let set = marks.tag.iter().fold(marks.flags.apply(flags), |f, tag| joined(f, &[tag]));
                        let cleared = joined(Flags::NONE, &marks.untag);
                        self.server[from].mails.insert(uid, (n, set & !cleared));
                    }
                    OpKind::Copy(_) if item.landed => {}
                    OpKind::Move(_) if item.landed => {
                        self.server[from].mails.remove(&uid);
                    }
                    OpKind::Move(to) => {
                        self.server[from].mails.remove(&uid);
                        let to = self.folder_at(*to);
                        moved.push((item.placement, self.server[to].add(n, flags)));
                    }
                    OpKind::Copy(to) => {
                        let to = self.folder_at(*to);
                        moved.push((item.placement, self.server[to].add(n, flags)));
                    }
                    OpKind::Delete => {
                        self.server[from].mails.remove(&uid);
                    }
                    _ => {
                        unreachable!("one account with all its folders")
                    }
                }
            }
        }
        match fate {
            Fate::Told => drop(self.kit.commit([Step::OpDone { op: op.id, moved, created: None }])),
            Fate::Untold => {
                drop(self.kit.commit([Step::OpDone { op: op.id, moved: Vec::new(), created: None }]))
            }
            Fate::Lost | Fate::Failed => {
                let error = "the connection was lost".to_owned();
                self.kit.commit([Step::OpFailed { op: op.id, error, retry_at: Some(NOW) }]);
            }
            Fate::Killed => {
                // The next process that gets the account puts the queue in order.
                drop(self.kit.store.lock_account(self.kit.account, "work").unwrap());
                self.reports.clear();
            }
        }
        true
    }

    fn intend(&self, intent: Intent) {
        self.kit.store.intend_wait(intent).unwrap();
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver(f) => {
                self.delivered += 1;
                self.server[f].add(self.delivered, Flags::NONE);
            }
            Event::OtherFlags(f, at, bits) => {
                if let Some(uid) = self.server[f].nth(at) {
                    self.server[f].mails.get_mut(&uid).unwrap().1 = Flags::from_bits(i64::from(bits));
                }
            }
            Event::OtherExpunge(f, at) => {
                if let Some(uid) = self.server[f].nth(at) {
                    let (n, _) = self.server[f].mails.remove(&uid).unwrap();
                    self.deleted.insert(n);
                }
            }
            Event::OtherMove(f, at, to) => {
                if let Some(uid) = self.server[f].nth(at).filter(|_| f != to) {
                    let (n, flags) = self.server[f].mails.remove(&uid).unwrap();
                    self.server[to].add(n, flags);
                }
            }
            Event::Renumber(f) => {
                let mailbox = &mut self.server[f];
                mailbox.validity += 1;
                let mails = std::mem::take(&mut mailbox.mails);
                mailbox.uidnext += 100;
                for (n, flags) in mails.into_values() {
                    mailbox.add(n, flags);
                }
                // A look that was under way is worth nothing.
                self.reports.clear();
            }
            Event::Pull(f) => drop(self.kit.commit(self.look(f))),
            Event::Look(f) => {
                self.reports.clear();
                self.reports.push(self.look(f));
            }
            Event::Report => {
                if let Some(steps) = self.reports.pop() {
                    self.kit.commit(steps);
                }
            }
            Event::Push(fate) => drop(self.push(fate)),
            Event::Flag(f, at, bits, add) => {
                if let Some((copy, _)) = self.copy(f, at) {
                    let flags = Flags::from_bits(i64::from(bits));
                    let delta = if add { FlagDelta::add(flags) } else { FlagDelta::del(flags) };
                    self.intend(Intent::Flag { items: vec![copy], delta, undoable: true });
                }
            }
            Event::Tag(f, at, which, add) => {
                if let Some((copy, _)) = self.copy(f, at) {
                    let names = [&["alpha"][..], &["Beta"], &["ALPHA", "beta"]][which];
                    let tags = names.iter().map(|&name| name.to_owned()).collect();
                    let (add, del) = if add { (tags, Vec::new()) } else { (Vec::new(), tags) };
                    self.intend(Intent::Tag { items: vec![copy], add, del });
                }
            }
            Event::Move(f, at, to) => {
                let items =
                    [self.copy(f, at), self.copy(f, at + 1)].into_iter().flatten().map(|(copy, _)| copy);
                let items = items.collect();
                self.intend(Intent::Move { items, to: Target::Folder(self.folders[to]) });
            }
            Event::Copy(f, at, to) => {
                if let Some((copy, n)) = self.copy(f, at) {
                    self.copied.insert(n);
                    self.intend(Intent::Copy { items: vec![copy], to: Target::Folder(self.folders[to]) });
                }
            }
            Event::Purge(f, at) => {
                if let Some((copy, n)) = self.copy(f, at) {
                    self.deleted.insert(n);
                    self.intend(Intent::Purge { items: vec![copy] });
                }
            }
            Event::Undo => self.intend(Intent::Undo),
            Event::Redo => self.intend(Intent::Redo),
        }
        self.kit.check();
    }

    /// Quiet: everything is pushed, everything is pulled until nothing changes.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 200, "it does not come to rest");
            let pushed = self.push(Fate::Told);
            for f in 0..3 {
                self.kit.commit(self.look(f));
            }
            if !pushed && round > 2 {
                break;
            }
        }
        self.kit.check();
    }

    /// What the server has: per folder, by number.
    fn there(&self) -> Vec<Vec<(u32, Flags)>> {
        let sorted = |mailbox: &Mailbox| {
            let mut mails: Vec<_> = mailbox.mails.values().copied().collect();
            mails.sort_by_key(|(n, flags)| (*n, flags.bits()));
            mails
        };
        self.server.iter().map(sorted).collect()
    }

    /// The user presses `u` until there is nothing left.
    fn undo_all(&self) {
        for _ in 0..500 {
            let outcome = self.kit.store.intend_wait(Intent::Undo).unwrap();
            self.kit.check();
            match outcome.error.as_deref() {
                None => {}
                Some("nothing to undo") => return,
                Some(error) => panic!("{error}"),
            }
        }
        panic!("there is always more to undo");
    }

    fn judge(&self) {
        let here: Vec<Vec<(u32, Flags)>> = self
            .folders
            .iter()
            .map(|folder| {
                let copies = self.kit.top(*folder).into_iter().flat_map(|row| row.members);
                let mails = copies.map(|copy| self.kit.reader.summary(copy.placement).unwrap().unwrap());
                let mut mails: Vec<_> = mails
                    .map(|mail| (mail.subject.as_str()[5..].parse().unwrap(), joined(mail.flags, &mail.tags)))
                    .collect();
                mails.sort_by_key(|(n, flags)| (*n, flags.bits()));
                mails
            })
            .collect();
        let there = self.there();
        let conflicts = self.kit.reader.conflicts(self.kit.account).unwrap();
        if conflicts.is_empty() {
            assert_eq!(here, there, "both sides are equal");
            assert_eq!(self.kit.reader.ops_waiting(self.kit.account).unwrap(), 0);
        }
        let mut count: BTreeMap<u32, usize> = BTreeMap::new();
        for (n, _) in there.iter().flatten() {
            *count.entry(*n).or_default() += 1;
        }
        for n in 1..=self.delivered {
            let copies = count.get(&n).copied().unwrap_or(0);
            assert!(copies > 0 || self.deleted.contains(&n), "mail {n} is lost");
            assert!(copies < 2 || self.copied.contains(&n), "mail {n} is doubled");
        }
    }
}

/// A failure prints the events that are left of it and keeps their seed in a file, from which it is run again.
fn cases() -> u32 {
    if crate::support::chance::is_campaign() { 1500 } else { 20 }
}

/// Another client carries a mail round while the user's moves of it wait: where it was seen once is no reason
/// to delete it where it is now.
#[test]
fn r5_a_mail_that_another_client_carries_round_is_not_deleted_where_it_was_not_left() {
    let mut world = World::new();
    let events = [
        Event::Deliver(0),
        Event::Pull(0),
        Event::Move(0, 0, 1),
        Event::Move(1, 0, 2),
        // Its copy in the last folder is taken for what comes of the second move, that in the middle for its
        // source.
        Event::OtherMove(0, 0, 2),
        Event::Pull(2),
        Event::OtherMove(2, 0, 1),
        Event::Pull(1),
        Event::Push(Fate::Told),
        Event::Push(Fate::Told),
    ];
    events.into_iter().for_each(|event| world.happen(event));
    world.settle();
    world.judge();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn r5_both_ends_are_equal_after_anything(events in proptest::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        for event in events {
            world.happen(event);
        }
        world.settle();
        world.judge();
    }

    #[test]
    fn a1_undo_of_everything_returns_to_the_start(events in proptest::collection::vec(own_event(), 1..40)) {
        let mut world = World::new();
        for (f, bits) in [(0, 0), (0, 1), (0, 4), (0, 5), (1, 0), (1, 4), (2, 1)] {
            world.delivered += 1;
            world.server[f].add(world.delivered, Flags::from_bits(bits));
        }
        world.settle();
        let start = world.there();
        for event in events {
            world.happen(event);
        }
        world.undo_all();
        world.settle();
        assert_eq!(world.there(), start);
        assert_eq!(world.kit.reader.conflicts(world.kit.account).unwrap(), []);
        world.judge();
    }
}
