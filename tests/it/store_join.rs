//! Conversations that were joined and split by hand stay so, in whatever order their mail comes, goes and comes back.

use std::collections::{BTreeMap, BTreeSet};

use mailtui::model::*;
use mailtui::store::*;
use proptest::prelude::*;

use crate::store_kit::{Kit, mail, reply};

impl Kit {
    fn join(&self, numbers: &[u32]) -> Outcome {
        let items = numbers.iter().filter_map(|n| self.place_of(*n)).collect();
        let outcome = self.store.intend_wait(Intent::Join { items }).unwrap();
        self.check();
        outcome
    }

    fn split(&self, n: u32) -> Outcome {
        let item = self.place_of(n).unwrap_or(PlacementId(0));
        let outcome = self.store.intend_wait(Intent::Split { item }).unwrap();
        self.check();
        outcome
    }

    fn undo(&self) -> String {
        let label = self.store.intend_wait(Intent::Undo).unwrap().label;
        self.check();
        label
    }

    /// The copy of the n-th mail.
    fn place_of(&self, n: u32) -> Option<PlacementId> {
        let subject = format!("mail {n}");
        let members = self.top(self.inbox).into_iter().flat_map(|row| row.members);
        let mut mails = members.map(|m| self.reader.summary(m.placement).unwrap().unwrap());
        mails.find(|mail| mail.subject.as_str() == subject).map(|mail| mail.placement)
    }

    /// Which mails are together, by number.
    fn together(&self) -> BTreeSet<BTreeSet<u32>> {
        let mut threads: BTreeMap<ThreadId, BTreeSet<u32>> = BTreeMap::new();
        for member in self.top(self.inbox).into_iter().flat_map(|row| row.members) {
            let mail = self.reader.summary(member.placement).unwrap().unwrap();
            let number = mail.subject.as_str().trim_start_matches("mail ").parse().unwrap();
            threads.entry(mail.thread).or_default().insert(number);
        }
        threads.into_values().collect()
    }

    fn all_go(&self, mails: &[Incoming]) {
        self.commit(mails.iter().map(|mail| Step::Gone { folder: self.inbox, uid: mail.uid.unwrap() }));
        assert!(self.top(self.inbox).is_empty());
    }
}

fn sets<const N: usize>(groups: [&[u32]; N]) -> BTreeSet<BTreeSet<u32>> {
    groups.iter().map(|group| group.iter().copied().collect()).collect()
}

/// A mail whose References are these.
fn refers(folder: FolderId, n: u32, refs: &[u32]) -> Incoming {
    let mut incoming = reply(folder, n, *refs.last().unwrap());
    incoming.envelope.refs = refs.iter().map(|r| format!("m{r}@example.org")).collect();
    incoming
}

#[test]
fn a_split_holds_against_all_that_names_the_old_root() {
    let kit = Kit::server();
    let mails = [
        mail(kit.inbox, 1),
        refers(kit.inbox, 2, &[1]),
        refers(kit.inbox, 3, &[1, 2]),
        refers(kit.inbox, 4, &[1, 2, 3]),
    ];
    kit.commit(mails.iter().map(|mail| Step::Message(Box::new(mail.clone()))));
    assert_eq!(kit.split(1).error.unwrap(), "this mail begins its conversation already");
    assert_eq!(kit.split(3).label, "split the conversation");
    assert_eq!(kit.together(), sets([&[1, 2], &[3, 4]]));
    // The names between are left out; or all but the first; an answer to the old part stays there.
    kit.bring(refers(kit.inbox, 5, &[1, 4]));
    let mut short = refers(kit.inbox, 6, &[1]);
    short.envelope.parent = "m5@example.org".to_owned();
    kit.bring(short);
    kit.bring(refers(kit.inbox, 7, &[1, 2]));
    // What it answers is not here yet, and belongs to the other part than it seemed.
    kit.bring(refers(kit.inbox, 9, &[1, 8]));
    assert_eq!(kit.together(), sets([&[1, 2, 7, 9], &[3, 4, 5, 6]]));
    kit.bring(refers(kit.inbox, 8, &[1, 3]));
    kit.check();
    assert_eq!(kit.together(), sets([&[1, 2, 7], &[3, 4, 5, 6, 8, 9]]));
    assert_eq!(kit.undo(), "undid: split the conversation");
    assert_eq!(kit.together(), sets([&[1, 2, 3, 4, 5, 6, 7, 8, 9]]));
    assert_eq!(kit.store.intend_wait(Intent::Redo).unwrap().label, "redid: split the conversation");
    assert_eq!(kit.together(), sets([&[1, 2, 7], &[3, 4, 5, 6, 8, 9]]));
}

#[test]
fn a_join_outlives_its_mail_and_is_taken_back_whole() {
    let kit = Kit::server();
    let mails = [mail(kit.inbox, 1), reply(kit.inbox, 2, 1), mail(kit.inbox, 3), reply(kit.inbox, 4, 3)];
    kit.commit(mails.iter().map(|mail| Step::Message(Box::new(mail.clone()))));
    assert_eq!(kit.join(&[1]).error.unwrap(), "this is one conversation already");
    assert_eq!(kit.join(&[2, 4]).label, "joined 2 conversations");
    assert_eq!(kit.together(), sets([&[1, 2, 3, 4]]));
    kit.all_go(&mails);
    kit.commit(mails.iter().rev().map(|mail| Step::Message(Box::new(mail.clone()))));
    kit.bring(mail(kit.inbox, 5));
    kit.check();
    assert_eq!(kit.together(), sets([&[1, 2, 3, 4], &[5]]));
    // What was joined can be split again just there, and joined again.
    assert_eq!(kit.split(3).error, None);
    assert_eq!(kit.together(), sets([&[1, 2], &[3, 4], &[5]]));
    assert_eq!(kit.join(&[1, 3, 5]).label, "joined 3 conversations");
    assert_eq!(kit.together(), sets([&[1, 2, 3, 4, 5]]));
    for (label, groups) in [
        ("undid: joined 3 conversations", sets([&[1, 2], &[3, 4], &[5]])),
        ("undid: split the conversation", sets([&[1, 2, 3, 4], &[5]])),
    ] {
        assert_eq!(kit.undo(), label);
        assert_eq!(kit.together(), groups);
    }
}

#[test]
fn what_has_no_name_or_is_of_two_accounts_is_not_joined() {
    let kit = Kit::server();
    let mut nameless = mail(kit.inbox, 2);
    nameless.envelope.msgid.clear();
    kit.commit([mail(kit.inbox, 1), nameless].map(|mail| Step::Message(Box::new(mail))));
    assert!(kit.join(&[1, 2]).error.unwrap().contains("no Message-ID"));
    assert!(kit.split(2).error.unwrap().contains("no Message-ID"));
    let other = kit.store.account("home", "memory", Owner::Server, "ada@home.example").unwrap();
    let inbox = kit.reader.folder_by_role(other, Role::Inbox).unwrap().unwrap().id;
    kit.store.commit(Batch { account: other, steps: vec![Step::Message(Box::new(mail(inbox, 3)))] }).unwrap();
    let there = kit.top(inbox)[0].members[0].placement;
    let items = vec![kit.place_of(1).unwrap(), there];
    let outcome = kit.store.intend_wait(Intent::Join { items }).unwrap();
    assert_eq!(outcome.error.unwrap(), "conversations of two accounts cannot be joined");
    assert_eq!(kit.together(), sets([&[1], &[2]]));
}

/// What a user does meanwhile.
#[derive(Debug, Clone)]
enum Hand {
    Join(u32, u32),
    Split(u32),
}

fn hand() -> impl Strategy<Value = Hand> {
    prop_oneof![(1u32..10, 1u32..10).prop_map(|(a, b)| Hand::Join(a, b)), (1u32..10).prop_map(Hand::Split)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Each mail refers to some before it, as mail does, with names left out; edits come in between. However the same
    /// mail comes back later, the conversations are the same.
    #[test]
    fn x10_edits_hold_in_any_order_of_arrival(
        shapes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 9),
        hands in proptest::collection::vec((0usize..9, hand()), 1..6),
        order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle(),
        again in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let kit = Kit::server();
        let mut chains: Vec<Vec<u32>> = Vec::new();
        let mut mails = Vec::new();
        for (n, (above, left_out)) in (1u32..).zip(&shapes) {
            let above = above.index(n as usize);
            let chain = above.checked_sub(1).map_or(Vec::new(), |at| {
                let mut chain = chains[at].clone();
                chain.push(at as u32 + 1);
                chain
            });
            let last = chain.len().saturating_sub(1);
            let mut at = 0;
            let named: Vec<u32> = chain.iter().copied().filter(|_| {
                at += 1;
                at == 1 || at > last || left_out >> (at % 8) & 1 == 0
            }).collect();
            mails.push(if named.is_empty() { mail(kit.inbox, n) } else { refers(kit.inbox, n, &named) });
            chains.push(chain);
        }
        for (step, at) in order.iter().enumerate() {
            kit.bring(mails[*at].clone());
            for (_, hand) in hands.iter().filter(|(when, _)| *when == step) {
                match hand {
                    Hand::Join(a, b) => drop(kit.join(&[*a, *b])),
                    Hand::Split(n) => drop(kit.split(*n)),
                }
            }
        }
        kit.check();
        let first = kit.together();
        prop_assert_eq!(first.iter().map(BTreeSet::len).sum::<usize>(), mails.len());
        kit.all_go(&mails);
        for at in again {
            kit.bring(mails[at].clone());
        }
        kit.check();
        prop_assert_eq!(kit.together(), first);
    }
}
