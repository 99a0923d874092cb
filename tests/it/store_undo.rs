//! What the user did is taken back, and done again.

use std::sync::atomic::Ordering;

use mailtui::model::*;
use mailtui::store::*;

use crate::store_intents::{READ, STAR, subjects};
use crate::store_kit::{Kit, NOW, mail, open, popped};

#[test]
fn a1_what_is_still_queued_is_cancelled_by_undo() {
    let kit = Kit::server();
    let messages = kit.commit((1..=3).map(|n| Step::Message(Box::new(mail(kit.inbox, n))))).messages;
    let before = kit.world();
    let copies: Vec<_> = messages.iter().map(|m| kit.copy(kit.inbox, *m)).collect();
    assert_eq!(kit.transfer(&copies, Role::Trash), "moved 3 to Trash");
    let after = kit.world();
    let outcome = kit.intend(Intent::Undo);
    assert_eq!(outcome.label, "undid: moved 3 to Trash");
    assert_eq!(outcome.place.unwrap().folder, kit.inbox);
    assert_eq!(kit.world(), before);
    assert!(kit.ops().is_empty());
    let outcome = kit.intend(Intent::Redo);
    assert_eq!(outcome.label, "redid: moved 3 to Trash");
    assert_eq!(outcome.place.unwrap().folder, kit.folder(Role::Trash));
    assert_eq!(kit.world(), after);
    assert_eq!(kit.ops()[0].items.len(), 3);
    assert_eq!(kit.intend(Intent::Redo).error.as_deref(), Some("nothing to redo"));
}

#[test]
fn a1_what_reached_the_server_is_undone_by_its_inverse() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let before = kit.world();
    let source = kit.copy(kit.inbox, message);
    let trash = kit.folder(Role::Trash);
    kit.transfer(&[source], Role::Trash);
    let op = kit.ops().remove(0).id;
    kit.run(op);
    kit.done(op, vec![(source, 8)]);
    kit.act(Intent::Undo);
    assert_eq!(kit.world(), before);
    let back = kit.ops().remove(0);
    assert_eq!(
        (&back.kind, back.folder, back.items[0].uid),
        (&OpKind::Move(kit.inbox), Some(trash), Some(8))
    );
    kit.done(back.id, vec![(back.items[0].placement, 2)]);
    assert_eq!(kit.world(), before);
    assert_eq!(kit.reader.uids(kit.inbox).unwrap().to_string(), "2");
}

#[test]
fn a1_a_running_operation_is_never_cancelled() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let before = kit.world();
    let source = kit.copy(kit.inbox, message);
    kit.transfer(&[source], Role::Trash);
    let op = kit.ops().remove(0).id;
    kit.run(op);
    kit.act(Intent::Undo);
    assert_eq!(kit.world(), before);
    assert_eq!(kit.reader.ops_waiting(kit.account).unwrap(), 2);
    assert!(kit.ops().is_empty(), "the way back waits for the way there");
    // It failed, perhaps after the server had done it: tried again, then the way back.
    kit.commit([Step::OpFailed { op, error: "cut".to_owned(), retry_at: Some(NOW + 60) }]);
    assert!(kit.ops().is_empty());
    assert_eq!(kit.reader.next_op_at(kit.account, NOW).unwrap(), Some(NOW + 60));
    let again = kit.reader.ops(kit.account, NOW + 60, 10).unwrap();
    assert_eq!((again.len(), again[0].id, again[0].tries), (1, op, 1));
    kit.done(op, vec![(source, 8)]);
    let back = kit.ops().remove(0);
    kit.done(back.id, vec![(back.items[0].placement, 2)]);
    assert_eq!(kit.world(), before);
}

#[test]
fn a1_what_was_tried_may_have_reached_the_server_and_is_not_cancelled() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    kit.flag(&[copy], STAR);
    let star = kit.ops().remove(0).id;
    kit.run(star);
    kit.commit([Step::OpFailed { op: star, error: "cut".to_owned(), retry_at: Some(NOW) }]);
    kit.act(Intent::Undo);
    assert_eq!(kit.reader.ops_waiting(kit.account).unwrap(), 2, "the star, then its inverse");
    kit.done(star, vec![]);
    let unstar = kit.ops().remove(0);
    assert_eq!(unstar.kind, OpKind::Flags(STAR.inverse().into()));
    kit.done(unstar.id, vec![]);
    kit.transfer(&[copy], Role::Archive);
    let there = kit.ops().remove(0).id;
    kit.run(there);
    kit.commit([Step::OpFailed { op: there, error: "cut".to_owned(), retry_at: Some(NOW) }]);
    kit.act(Intent::Undo);
    assert_eq!(kit.reader.ops_waiting(kit.account).unwrap(), 2, "the way there, then the way back");
}

#[test]
fn a1_undo_reaches_over_restarts_in_order_and_no_further_than_a_week() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    kit.flag(&[copy], STAR);
    kit.flag(&[copy], READ);
    let Kit { store, reader, dir, clock, account, inbox, changes } = kit;
    drop((store, reader));
    let store = open(dir.path(), &clock);
    let kit = Kit { reader: store.reader().unwrap(), store, dir, clock, account, inbox, changes };
    assert_eq!(kit.act(Intent::Undo), "undid: marked 1 read");
    assert_eq!(kit.act(Intent::Undo), "undid: starred 1");
    assert_eq!(kit.act(Intent::Redo), "redid: starred 1");
    kit.clock.fetch_add(8 * 86_400, Ordering::SeqCst);
    assert_eq!(kit.intend(Intent::Undo).error.as_deref(), Some("nothing to undo"));
}

#[test]
fn a1_undo_passes_over_actions_whose_mail_is_gone_for_good() {
    for owner in [Owner::Here, Owner::Server] {
        let kit = if owner == Owner::Server { Kit::server() } else { Kit::new(owner) };
        let bring =
            |n| kit.bring(if owner == Owner::Server { mail(kit.inbox, n) } else { popped(kit.inbox, n) });
        let (kept, doomed) = (bring(1), bring(2));
        let before = kit.mails(kit.inbox);
        kit.flag(&[kit.copy(kit.inbox, kept)], STAR);
        kit.flag(&[kit.copy(kit.inbox, doomed)], READ);
        kit.transfer(&[kit.copy(kit.inbox, doomed)], Role::Trash);
        let trashed = kit.copy(kit.folder(Role::Trash), doomed);
        assert_eq!(kit.act(Intent::Purge { items: vec![trashed] }), "deleted 1 for good");
        assert_eq!(kit.act(Intent::Undo), "undid: starred 1", "the newest that still has an object");
        assert_eq!(kit.mails(kit.inbox), before[1..]);
        assert_eq!(kit.intend(Intent::Undo).error.as_deref(), Some("nothing to undo"));
        assert_eq!(kit.act(Intent::Redo), "redid: starred 1");
        assert_eq!(kit.intend(Intent::Redo).error.as_deref(), Some("nothing to redo"));
    }
}

#[test]
fn a1_redo_passes_over_actions_whose_mail_is_gone_for_good() {
    let kit = Kit::server();
    let (doomed, kept) = (kit.bring(mail(kit.inbox, 1)), kit.bring(mail(kit.inbox, 2)));
    kit.flag(&[kit.copy(kit.inbox, kept)], READ);
    kit.flag(&[kit.copy(kit.inbox, doomed)], STAR);
    kit.act(Intent::Undo);
    kit.act(Intent::Undo);
    kit.act(Intent::Redo);
    kit.act(Intent::Undo);
    let items = vec![kit.copy(kit.inbox, kept)];
    kit.act(Intent::Purge { items });
    assert_eq!(kit.act(Intent::Redo), "redid: starred 1");
}

#[test]
fn a1_undo_acts_on_the_mails_that_are_left_and_says_how_many() {
    let kit = Kit::server();
    let messages = kit.commit((1..=3).map(|n| Step::Message(Box::new(mail(kit.inbox, n))))).messages;
    let copies: Vec<_> = messages.iter().map(|m| kit.copy(kit.inbox, *m)).collect();
    let trash = kit.folder(Role::Trash);
    kit.flag(&copies, READ);
    assert_eq!(kit.transfer(&copies, Role::Trash), "moved 3 to Trash");
    kit.act(Intent::Purge { items: vec![kit.copy(trash, messages[0])] });
    assert_eq!(kit.act(Intent::Undo), "undid 2 of 3: moved 3 to Trash");
    assert_eq!(subjects(&kit.mails(kit.inbox)), ["mail 3", "mail 2"]);
    // Already unread is what was wanted: it counts.
    kit.commit([Step::Flags { folder: kit.inbox, uid: 2, flags: Flags::NONE, keywords: Vec::new() }]);
    assert_eq!(kit.act(Intent::Undo), "undid 2 of 3: marked 3 read");
    assert_eq!(kit.act(Intent::Redo), "redid 2 of 3: marked 3 read");
}

#[test]
fn a1_an_action_whose_mail_is_elsewhere_is_said_and_no_older_one_runs_instead() {
    let kit = Kit::server();
    let (archive, message) = (kit.folder(Role::Archive), kit.bring(mail(kit.inbox, 1)));
    kit.bring(Incoming { uid: Some(9), ..mail(archive, 1) });
    kit.flag(&[kit.copy(archive, message)], STAR);
    kit.ops().into_iter().for_each(|star| kit.done(star.id, vec![]));
    kit.transfer(&[kit.copy(kit.inbox, message)], Role::Trash);
    let op = kit.ops().into_iter().find(|op| matches!(op.kind, OpKind::Move(_))).unwrap();
    kit.done(op.id, vec![(op.items[0].placement, 5)]);
    kit.commit([Step::Gone { folder: kit.folder(Role::Trash), uid: 5 }]);
    let refused = kit.intend(Intent::Undo).error.unwrap();
    assert_eq!(refused, "could not undo: moved 1 to Trash: the mail is not there any more");
    assert_eq!(kit.act(Intent::Undo), "undid: starred 1");
}

#[test]
fn a_new_action_ends_what_could_be_done_again() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    kit.flag(&[copy], STAR);
    kit.act(Intent::Undo);
    kit.flag(&[copy], READ);
    assert_eq!(kit.intend(Intent::Redo).error.as_deref(), Some("nothing to redo"));
    assert_eq!(kit.act(Intent::Undo), "undid: marked 1 read");
}
