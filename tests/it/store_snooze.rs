//! Mail that is put off: hidden until its time, whoever is there then, and never lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, NOW, mail, open, reply};

const LATER: i64 = NOW + 3600;

impl Kit {
    fn snooze(&self, items: &[PlacementId], until: Option<i64>) -> Outcome {
        let said = "then".to_owned();
        self.wished(Intent::Snooze { items: items.to_vec(), until, said })
    }

    fn wished(&self, intent: Intent) -> Outcome {
        let outcome = self.store.intend_wait(intent).unwrap();
        assert_eq!(outcome.error, None);
        self.check();
        outcome
    }

    fn subjects(&self, view: View) -> Vec<String> {
        let rows = self.reader.page(view, Edge::Top, 100).unwrap().rows;
        rows.iter().map(|row| row.head.subject.to_string()).collect()
    }

    /// Three mails that were read, oldest first.
    fn three(&self) -> Vec<MessageId> {
        (1..=3).map(|n| self.bring(Incoming { flags: Flags::SEEN, ..mail(self.inbox, n) })).collect()
    }
}

#[test]
fn a1_what_is_snoozed_is_hidden_listed_by_its_time_and_taken_back() {
    let kit = Kit::server();
    let mails = kit.three();
    let inbox = View::Folder(kit.inbox);
    assert_eq!(kit.snooze(&[kit.copy(kit.inbox, mails[0])], Some(LATER)).label, "snoozed 1 until then");
    kit.snooze(&[kit.copy(kit.inbox, mails[2])], Some(LATER - 60));
    assert_eq!(kit.subjects(inbox), ["mail 2"]);
    assert_eq!(kit.subjects(View::Snoozed), ["mail 3", "mail 1"]);
    assert_eq!(kit.reader.counts(inbox).unwrap(), (1, 0));
    assert_eq!(kit.reader.counts(View::Snoozed).unwrap(), (2, 0));
    assert!(kit.ops().is_empty(), "the server hears nothing of it");
    // Again, for another time; then both are taken back.
    let again = kit.reader.page(View::Snoozed, Edge::Top, 9).unwrap().rows[0].members[0].placement;
    kit.snooze(&[again], Some(LATER + 60));
    assert_eq!(kit.subjects(View::Snoozed), ["mail 1", "mail 3"]);
    assert_eq!(kit.wished(Intent::Undo).label, "undid: snoozed 1 until then");
    assert_eq!(kit.subjects(View::Snoozed), ["mail 3", "mail 1"]);
    kit.wished(Intent::Undo);
    kit.wished(Intent::Undo);
    assert_eq!(kit.subjects(inbox), ["mail 3", "mail 2", "mail 1"]);
    kit.wished(Intent::Redo);
    assert_eq!(kit.subjects(inbox), ["mail 3", "mail 2"]);
    // Woken early it is where it was, and that is taken back too.
    let early = kit.reader.page(View::Snoozed, Edge::Top, 9).unwrap().rows[0].members[0].placement;
    assert_eq!(kit.snooze(&[early], None).label, "woke 1");
    assert_eq!(kit.subjects(inbox), ["mail 3", "mail 2", "mail 1"]);
    kit.wished(Intent::Undo);
    assert_eq!(kit.subjects(View::Snoozed), ["mail 1"]);
}

#[test]
fn what_is_due_comes_back_by_itself_on_top_and_unread() {
    let kit = Kit::server();
    let mails = kit.three();
    kit.snooze(&[kit.copy(kit.inbox, mails[0])], Some(NOW + 1));
    kit.changes.try_iter().for_each(drop);
    kit.clock.store(NOW + 2, Ordering::SeqCst);
    // Nobody does anything: the store's thread waits for just this.
    let woken = kit.changes.recv_timeout(Duration::from_secs(60)).expect("it wakes by itself");
    assert_eq!((woken.folders, woken.messages), (vec![kit.inbox], vec![mails[0]]));
    kit.check();
    let top = kit.top(kit.inbox).remove(0);
    assert_eq!((top.head.subject.as_str(), top.is_unread(), top.head.key.at), ("mail 1", true, NOW + 2));
    assert_eq!(kit.subjects(View::Snoozed), Vec::<String>::new());
    let unread = Marking::from(FlagDelta::del(Flags::SEEN));
    assert_eq!(kit.ops().iter().map(|op| &op.kind).collect::<Vec<_>>(), [&OpKind::Flags(unread)]);
    // What it was snoozed by is over: taking that back leaves it where it is.
    kit.wished(Intent::Undo);
    assert_eq!(kit.subjects(View::Folder(kit.inbox))[0], "mail 1");
}

#[test]
fn what_was_due_while_it_was_about_to_go_is_seen_when_it_stays_after_all() {
    let kit = Kit::server();
    let mails = kit.three();
    let copies: Vec<_> = mails.iter().map(|mail| kit.copy(kit.inbox, *mail)).collect();
    kit.snooze(&copies[..2], Some(NOW + 1));
    kit.wished(Intent::Purge { items: vec![copies[0]] });
    kit.changes.try_iter().for_each(drop);
    kit.clock.store(NOW + 2, Ordering::SeqCst);
    kit.changes.recv_timeout(Duration::from_secs(60)).expect("it wakes by itself");
    kit.check();
    assert_eq!(kit.subjects(View::Folder(kit.inbox)), ["mail 2", "mail 3"]);
    kit.wished(Intent::Settle { how: Settle::Discard, reach: Reach::Account(kit.account) });
    assert_eq!(kit.subjects(View::Folder(kit.inbox)).len(), 3, "nothing is hidden without an end");
}

#[test]
fn what_was_due_while_nothing_ran_comes_back_when_the_store_is_opened() {
    let kit = Kit::server();
    let mails = kit.three();
    kit.snooze(&[kit.copy(kit.inbox, mails[1])], Some(LATER));
    let Kit { store, reader, clock, dir, inbox, .. } = kit;
    drop(reader);
    store.close();
    drop(store);
    clock.store(LATER + 5, Ordering::SeqCst);
    let store = open(dir.path(), &clock);
    // Whoever is answered comes after what was due.
    store.remember("something", "else");
    store.intend_wait(Intent::Undo).unwrap();
    let reader = store.reader().unwrap();
    let top = reader.page(View::Folder(inbox), Edge::Top, 9).unwrap().rows.remove(0);
    assert_eq!((top.head.subject.as_str(), top.is_unread()), ("mail 2", true));
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}

#[test]
fn an_answer_brings_its_conversation_back_and_a_move_ends_the_snooze() {
    let kit = Kit::server();
    let mails = kit.three();
    let inbox = View::Folder(kit.inbox);
    let copies: Vec<_> = mails.iter().map(|mail| kit.copy(kit.inbox, *mail)).collect();
    kit.snooze(&copies[..2], Some(LATER));
    kit.bring(reply(kit.inbox, 4, 1));
    kit.check();
    assert_eq!(kit.subjects(inbox), ["mail 4", "mail 3"]);
    assert_eq!(kit.top(kit.inbox)[0].members.len(), 2);
    // Moved from where it was put off it is seen where it is moved to, and back again.
    kit.wished(Intent::Move { items: vec![copies[1]], to: Target::Role(Role::Archive) });
    assert_eq!(kit.subjects(View::Folder(kit.folder(Role::Archive))), ["mail 2"]);
    kit.wished(Intent::Undo);
    assert_eq!(kit.subjects(inbox), ["mail 4", "mail 3", "mail 2"]);
    // Deleted for good it is gone, and its time passes without a word.
    kit.snooze(&[copies[2]], Some(LATER));
    kit.wished(Intent::Purge { items: vec![copies[2]] });
    kit.clock.store(LATER + 1, Ordering::SeqCst);
    kit.wished(Intent::Snooze { items: vec![copies[1]], until: Some(LATER + 99), said: "then".to_owned() });
    assert_eq!(kit.subjects(inbox), ["mail 4"]);
}

#[test]
fn what_is_starred_is_one_list_of_all_folders_but_trash() {
    let kit = Kit::server();
    let mails = kit.three();
    let star = |mail: MessageId| {
        let (items, delta) = (vec![kit.copy(kit.inbox, mail)], FlagDelta::add(Flags::FLAGGED));
        kit.wished(Intent::Flag { items, delta, undoable: true });
    };
    mails.iter().for_each(|mail| star(*mail));
    kit.wished(Intent::Move { items: vec![kit.copy(kit.inbox, mails[0])], to: Target::Role(Role::Archive) });
    kit.wished(Intent::Move { items: vec![kit.copy(kit.inbox, mails[1])], to: Target::Role(Role::Trash) });
    kit.bring(Incoming { flags: Flags::FLAGGED, ..reply(kit.inbox, 5, 1) });
    assert_eq!(kit.subjects(View::Starred), ["mail 5", "mail 3"]);
    let page = kit.reader.page(View::Starred, Edge::Top, 1).unwrap();
    assert_eq!((page.at_top, page.at_bottom, page.rows[0].members.len()), (true, false, 2));
    let next = kit.reader.page(View::Starred, Edge::After(page.rows[0].head.key), 9).unwrap();
    assert_eq!((next.rows.len(), next.at_top, next.at_bottom), (1, false, true));
    let above = kit.reader.page(View::Starred, Edge::Before(next.rows[0].head.key), 9).unwrap();
    assert_eq!(above.rows, page.rows);
    assert_eq!(kit.reader.counts(View::Starred).unwrap(), (3, 1));
    assert_eq!(kit.reader.row(View::Starred, page.rows[0].head.thread).unwrap(), Some(page.rows[0].clone()));
    let unread = kit.reader.next_unread(View::Starred, next.rows[0].head.key, true).unwrap();
    assert_eq!(unread, Some(page.rows[0].head.key));
}
