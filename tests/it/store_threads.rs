//! Conversations do not depend on the order in which their mail came.

use std::collections::{BTreeMap, BTreeSet};

use mailtui::model::*;
use mailtui::store::*;
use proptest::prelude::*;

use crate::store_kit::{Kit, mail, reply};

/// The names of a generated mail: its own, what it answers, its references; 0 is none.
type Names = (u8, u8, Vec<u8>);

fn name(n: u8) -> String {
    if n == 0 { String::new() } else { format!("n{n}@example.org") }
}

fn incoming(folder: FolderId, n: u32, (own, parent, refs): &Names) -> Incoming {
    let mut incoming = mail(folder, n);
    incoming.envelope.msgid = name(*own);
    incoming.envelope.parent = name(*parent);
    incoming.envelope.refs = refs.iter().map(|r| name(*r)).collect();
    incoming
}

/// Which mails are together, by what the module says of itself: those that a chain of shared names connects.
fn expected(mails: &[Names]) -> BTreeSet<BTreeSet<usize>> {
    let mut groups: Vec<(BTreeSet<u8>, BTreeSet<usize>)> = Vec::new();
    for (i, (own, parent, refs)) in mails.iter().enumerate() {
        let mut names: BTreeSet<u8> = [*own, *parent].into();
        names.extend(refs.first());
        names.extend(refs.last());
        names.remove(&0);
        let mut members: BTreeSet<usize> = [i].into();
        groups.retain(|(others, theirs)| {
            let apart = names.is_disjoint(others);
            if !apart {
                names.extend(others);
                members.extend(theirs);
            }
            apart
        });
        groups.push((names, members));
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// Which mails are together after they came in this order.
fn stored(
    kit: &Kit,
    account: AccountId,
    folder: FolderId,
    mails: &[Names],
    order: &[usize],
) -> BTreeSet<BTreeSet<usize>> {
    let steps = order.iter().map(|&i| Step::Message(Box::new(incoming(folder, i as u32 + 1, &mails[i]))));
    let committed = kit.store.commit(Batch { account, steps: steps.collect() }).unwrap();
    let mut threads: BTreeMap<ThreadId, BTreeSet<usize>> = BTreeMap::new();
    for (&i, message) in order.iter().zip(&committed.messages) {
        let thread = kit.reader.message(*message).unwrap().unwrap().thread;
        threads.entry(thread).or_default().insert(i);
    }
    // No mail is hidden or merged away, whatever it claims.
    assert_eq!(threads.values().map(BTreeSet::len).sum::<usize>(), mails.len());
    let rows = kit.reader.page(View::Folder(folder), Edge::Top, 1000).unwrap().rows;
    assert_eq!(rows.len(), threads.len());
    assert_eq!(rows.iter().map(|row| row.members.len()).sum::<usize>(), mails.len());
    threads.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn x10_the_order_of_arrival_does_not_matter(
        mails in proptest::collection::vec((0u8..10, 0u8..10, proptest::collection::vec(1u8..10, 0..4)), 1..14),
        order in Just((0..14usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let kit = Kit::server();
        let order: Vec<usize> = order.into_iter().filter(|i| *i < mails.len()).collect();
        let first = stored(&kit, kit.account, kit.inbox, &mails, &order);
        prop_assert_eq!(&first, &expected(&mails));
        let other = kit.store.account("other", "memory", Owner::Server, "").unwrap();
        let inbox = kit.reader.folder_by_role(other, Role::Inbox).unwrap().unwrap().id;
        let back: Vec<usize> = order.into_iter().rev().collect();
        prop_assert_eq!(stored(&kit, other, inbox, &mails, &back), first);
        kit.check();
    }
}

#[test]
fn a_missing_mail_is_bridged() {
    let kit = Kit::server();
    // 1 was answered by 2, which is not here, and that by 3.
    kit.bring(mail(kit.inbox, 1));
    let mut third = reply(kit.inbox, 3, 2);
    third.envelope.refs.insert(0, "m1@example.org".to_owned());
    kit.bring(third);
    assert_eq!(kit.top(kit.inbox).len(), 1);
    // When it comes at last it belongs there too.
    kit.bring(reply(kit.inbox, 2, 1));
    assert_eq!(kit.top(kit.inbox)[0].members.len(), 3);
}

#[test]
fn x10_one_mail_cannot_pull_many_conversations_together() {
    let kit = Kit::server();
    kit.commit((1..=30).map(|n| Step::Message(Box::new(mail(kit.inbox, n)))));
    let mut greedy = reply(kit.inbox, 99, 1);
    greedy.envelope.refs = (1..=30).map(|n| format!("m{n}@example.org")).collect();
    kit.bring(greedy);
    // At most the first, the last and what it answers.
    assert_eq!(kit.top(kit.inbox).len(), 29);
}

#[test]
fn x10_a_conversation_does_not_grow_without_end() {
    let kit = Kit::server();
    kit.commit((1..=1005).map(|n| Step::Message(Box::new(reply(kit.inbox, n + 10, 1)))));
    let rows = kit.top(kit.inbox);
    let sizes: Vec<usize> = rows.iter().map(|row| row.members.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 1005);
    assert_eq!(sizes.iter().max(), Some(&1000));
    kit.check();
}

#[test]
fn a_conversation_goes_with_its_last_mail() {
    let kit = Kit::server();
    let old = kit.reader.message(kit.bring(reply(kit.inbox, 2, 1))).unwrap().unwrap().thread;
    kit.commit([Step::Gone { folder: kit.inbox, uid: 2 }]);
    kit.check();
    let new = kit.reader.message(kit.bring(mail(kit.inbox, 1))).unwrap().unwrap().thread;
    assert_ne!(old, new);
    assert!(kit.reader.thread(old).unwrap().is_empty());
}

#[test]
fn content_is_shared_only_on_proof() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let first = kit.bring(mail(kit.inbox, 1));
    // The same Message-ID on another mail: another header, or another size.
    let mut forged = Incoming { uid: Some(2), ..mail(kit.inbox, 1) };
    forged.envelope.head_hash[9] = 1;
    assert_ne!(kit.bring(forged), first);
    let longer = Incoming { uid: Some(3), size: 5000, ..mail(kit.inbox, 1) };
    assert_ne!(kit.bring(longer), first);
    assert_eq!(kit.mails(kit.inbox).len(), 3);
    // The server's word, and the header agrees.
    let named = |folder, uid, n: u32, id: &str| Incoming {
        uid: Some(uid),
        remote_id: Some(id.to_owned()),
        ..mail(folder, n)
    };
    let message = kit.bring(named(kit.inbox, 10, 7, "E1"));
    assert_eq!(kit.bring(named(archive, 1, 7, "E1")), message);
    // A name that the server gives to another mail proves nothing; two names prove two mails.
    assert_ne!(kit.bring(named(archive, 2, 8, "E1")), message);
    assert_ne!(kit.bring(named(archive, 3, 7, "E2")), message);
    // Without a Message-ID nothing but the server's word counts.
    let nameless = |uid| {
        let mut incoming = Incoming { uid: Some(uid), ..mail(kit.inbox, 9) };
        incoming.envelope.msgid.clear();
        incoming
    };
    assert_ne!(kit.bring(nameless(20)), kit.bring(nameless(21)));
    kit.check();
}
