//! POP3 in the store: what was seen, and what may be deleted on the server.

use std::sync::atomic::Ordering;

use mailtui::config::Leave;
use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, NOW, packed, popped};

const FOREVER: PopPolicy = PopPolicy { leave: Leave::Forever, when_deleted_here: true };
const AT_ONCE: PopPolicy = PopPolicy { leave: Leave::DeleteAfterDownload, when_deleted_here: true };

impl Kit {
    fn wants(&self, policy: PopPolicy) -> Vec<String> {
        let now = self.clock.load(Ordering::SeqCst);
        let wanted = self.reader.pop_wants(self.account, policy, now).unwrap();
        wanted.into_iter().map(|(uidl, _)| uidl).collect()
    }

    fn list(&self, uidls: &[&str]) {
        self.commit([Step::Listing { uidls: owned(uidls), complete: true }]);
    }

    fn list_part(&self, uidls: &[&str]) {
        self.commit([Step::Listing { uidls: owned(uidls), complete: false }]);
    }

    fn tell(&self, uidls: &[&str]) {
        self.commit([Step::Told { uidls: owned(uidls) }]);
    }

    fn purge(&self, message: MessageId) {
        let items = vec![self.copy(self.inbox, message)];
        assert_eq!(self.store.intend_wait(Intent::Purge { items }).unwrap().error, None);
        self.check();
    }
}

fn owned(uidls: &[&str]) -> Vec<String> {
    uidls.iter().map(|&uidl| uidl.to_owned()).collect()
}

#[test]
fn p2_p13_a_listing_of_a_part_proves_no_absence() {
    let kit = Kit::new(Owner::Here);
    let message = kit.bring(popped(kit.inbox, 1));
    kit.bring(popped(kit.inbox, 2));
    kit.purge(message);
    kit.tell(&["uidl-1", "uidl-2"]);
    for _ in 0..10 {
        kit.list_part(&["other"]);
        kit.clock.fetch_add(61 * 86_400, Ordering::SeqCst);
    }
    assert!(kit.reader.uidls(kit.account).unwrap().contains("uidl-1"), "it is never fetched again");
    // What it shows in spite of the deletion is to be deleted again.
    kit.list_part(&["uidl-2"]);
    assert_eq!(kit.wants(AT_ONCE), ["uidl-2"]);
}

#[test]
fn p2_what_was_deleted_here_is_not_downloaded_again() {
    let kit = Kit::new(Owner::Here);
    let message = kit.bring(popped(kit.inbox, 1));
    assert_eq!(kit.bring(popped(kit.inbox, 1)), message, "seen already");
    kit.purge(message);
    assert!(kit.reader.uidls(kit.account).unwrap().contains("uidl-1"));
    assert_eq!(kit.bring(popped(kit.inbox, 1)), MessageId(0));
    assert!(kit.mails(kit.inbox).is_empty());
    // Absent from some listings: not forgotten. From many over a long time: forgotten.
    kit.list(&[]);
    for _ in 0..10 {
        kit.list(&["other"]);
    }
    assert!(kit.reader.uidls(kit.account).unwrap().contains("uidl-1"));
    kit.clock.fetch_add(61 * 86_400, Ordering::SeqCst);
    kit.list(&["other"]);
    assert!(kit.reader.uidls(kit.account).unwrap().is_empty());
}

#[test]
fn p2_a_listing_that_shows_it_again_begins_the_count_anew() {
    let kit = Kit::new(Owner::Here);
    let message = kit.bring(popped(kit.inbox, 1));
    kit.purge(message);
    for _ in 0..10 {
        kit.list(&["other"]);
    }
    kit.clock.fetch_add(61 * 86_400, Ordering::SeqCst);
    kit.list(&["uidl-1"]);
    kit.list(&["other"]);
    assert!(kit.reader.uidls(kit.account).unwrap().contains("uidl-1"));
}

#[test]
fn nothing_is_deleted_there_by_default() {
    let kit = Kit::new(Owner::Here);
    kit.bring(popped(kit.inbox, 1));
    assert!(kit.wants(FOREVER).is_empty());
    kit.clock.fetch_add(10_000 * 86_400, Ordering::SeqCst);
    assert!(kit.wants(FOREVER).is_empty());
}

#[test]
fn p3_a_deletion_counts_when_the_next_listing_lacks_it() {
    let kit = Kit::new(Owner::Here);
    kit.commit((1..=3).map(|n| Step::Message(Box::new(popped(kit.inbox, n)))));
    assert_eq!(kit.wants(AT_ONCE), ["uidl-1", "uidl-2", "uidl-3"]);
    kit.tell(&["uidl-1", "uidl-2", "uidl-3"]);
    assert!(kit.wants(AT_ONCE).is_empty());
    // QUIT went wrong.
    kit.commit([Step::Untold]);
    assert_eq!(kit.wants(AT_ONCE).len(), 3);
    // QUIT was +OK, but the server kept one all the same.
    kit.tell(&["uidl-1", "uidl-2", "uidl-3"]);
    kit.list(&["uidl-2"]);
    assert_eq!(kit.wants(AT_ONCE), ["uidl-2"]);
    assert_eq!(kit.mails(kit.inbox).len(), 3, "the mail here stays");
    kit.check();
}

/// What is asked to go from the server, while the policy lets all of it stay there.
#[test]
fn p14_a_cleanup_takes_what_was_counted_until_it_is_proven_or_given_up() {
    let kit = Kit::new(Owner::Here);
    kit.commit((1..=3).map(|n| Step::Message(Box::new(popped(kit.inbox, n)))));
    let mut stub = popped(kit.inbox, 4);
    stub.body = None;
    kit.bring(stub);
    kit.list(&["uidl-1", "uidl-2", "uidl-3", "uidl-4"]);
    let counted = kit.reader.cleanable(kit.account).unwrap();
    assert_eq!((counted.messages.len(), counted.bytes), (3, 90), "not the one whose text is not here");
    let late = kit.bring(popped(kit.inbox, 5));
    let clean = Intent::CleanServer { account: kit.account, messages: counted.messages.clone() };
    let outcome = kit.store.intend_wait(clean.clone()).unwrap();
    assert_eq!(outcome.label, "3 mails go from the server and stay here");
    let three = ["uidl-1", "uidl-2", "uidl-3"];
    assert_eq!(kit.wants(FOREVER), three, "and not what came after it was counted");
    assert_eq!(kit.reader.cleanable(kit.account).unwrap().messages, [late]);
    assert_eq!(kit.store.take_wishes(kit.account).unwrap(), [Wish::Sync], "who syncs is told");
    assert!(kit.store.intend_wait(clean).unwrap().error.is_some(), "it is asked for already");
    let waits = || kit.reader.ledger(kit.account, None, 10).unwrap().into_iter().next();
    assert_eq!(waits().unwrap().what.as_str(), "3 mails go from the server and stay here");
    // A session that is cut, or a server that does not delete: it is asked for again.
    kit.tell(&three);
    assert_eq!((kit.wants(FOREVER).len(), waits().unwrap().standing), (0, Standing::Told));
    kit.commit([Step::Untold]);
    assert_eq!(kit.wants(FOREVER), three);
    kit.tell(&three);
    kit.list(&["uidl-2", "uidl-3", "uidl-4", "uidl-5"]);
    assert_eq!(kit.wants(FOREVER), ["uidl-2", "uidl-3"]);
    // Given up: the rest stays there. The one that is gone is not asked for, whatever comes back under its name.
    let reach = Reach::These(vec![Matter::Deletions(kit.account)]);
    let outcome = kit.store.intend_wait(Intent::Settle { how: Settle::Discard, reach }).unwrap();
    assert_eq!((outcome.label.as_str(), kit.wants(FOREVER).len()), ("2 mails stay on the server", 0));
    kit.list(&["uidl-1"]);
    assert_eq!((kit.wants(FOREVER).len(), waits()), (0, None));
    assert_eq!(kit.mails(kit.inbox).len(), 5, "nothing goes from here");
    kit.check();
}

/// Who wants a mail to be neither there nor here says so in two ways, in any order.
#[test]
fn p14_what_a_cleanup_takes_and_is_deleted_here_goes_whatever_the_account_says() {
    let kit = Kit::new(Owner::Here);
    let message = kit.bring(popped(kit.inbox, 1));
    kit.list(&["uidl-1"]);
    let apart = PopPolicy { leave: Leave::Forever, when_deleted_here: false };
    let clean = Intent::CleanServer { account: kit.account, messages: vec![message] };
    assert_eq!(kit.store.intend_wait(clean).unwrap().error, None);
    kit.purge(message);
    assert_eq!(kit.wants(apart), ["uidl-1"]);
}

#[test]
fn the_clock_of_days_starts_when_it_was_stored_here() {
    let kit = Kit::new(Owner::Here);
    let mut old = popped(kit.inbox, 1);
    old.envelope.date = Some(NOW - 900 * 86_400);
    kit.bring(old);
    let policy = PopPolicy { leave: Leave::Days(14), when_deleted_here: true };
    kit.clock.fetch_add(14 * 86_400 - 1, Ordering::SeqCst);
    assert!(kit.wants(policy).is_empty());
    kit.clock.fetch_add(1, Ordering::SeqCst);
    assert_eq!(kit.wants(policy), ["uidl-1"]);
}

#[test]
fn deleted_here_for_good_is_to_be_deleted_there_if_the_user_wants() {
    let kit = Kit::new(Owner::Here);
    let messages = kit.commit((1..=2).map(|n| Step::Message(Box::new(popped(kit.inbox, n))))).messages;
    // Into Trash and out of it: nothing is wanted yet.
    let items = vec![kit.copy(kit.inbox, messages[0])];
    kit.store.intend_wait(Intent::Move { items, to: Target::Role(Role::Trash) }).unwrap();
    assert!(kit.wants(FOREVER).is_empty());
    let items = vec![kit.copy(kit.folder(Role::Trash), messages[0])];
    kit.store.intend_wait(Intent::Purge { items }).unwrap();
    assert_eq!(kit.wants(FOREVER), ["uidl-1"]);
    assert!(kit.wants(PopPolicy { when_deleted_here: false, ..FOREVER }).is_empty());
    kit.tell(&["uidl-1"]);
    kit.commit([Step::Untold]);
    assert_eq!(kit.wants(FOREVER), ["uidl-1"]);
    kit.check();
}

#[test]
fn the_last_copy_counts() {
    let kit = Kit::new(Owner::Here);
    let message = kit.bring(popped(kit.inbox, 1));
    let archive = kit.folder(Role::Archive);
    let items = vec![kit.copy(kit.inbox, message)];
    kit.store.intend_wait(Intent::Copy { items, to: Target::Folder(archive) }).unwrap();
    kit.purge(message);
    assert!(kit.wants(FOREVER).is_empty());
    let items = vec![kit.copy(archive, message)];
    kit.store.intend_wait(Intent::Purge { items }).unwrap();
    assert_eq!(kit.wants(FOREVER), ["uidl-1"]);
}

#[test]
fn p7_two_mails_of_one_uidl_are_both_kept_and_never_deleted() {
    let kit = Kit::new(Owner::Here);
    let second = Incoming { uidl: Some("uidl-1".to_owned()), ..popped(kit.inbox, 2) };
    kit.commit([Step::Message(Box::new(popped(kit.inbox, 1))), Step::Message(Box::new(second))]);
    assert_eq!(kit.mails(kit.inbox).len(), 2);
    assert!(kit.wants(AT_ONCE).is_empty());
    kit.check();
}

#[test]
fn mail_that_is_not_whole_here_stays_there() {
    let kit = Kit::new(Owner::Here);
    let message = kit.bring(Incoming { body: None, ..popped(kit.inbox, 1) });
    assert!(kit.wants(AT_ONCE).is_empty());
    kit.commit([Step::Body { message, body: packed(b"now it is") }]);
    assert_eq!(kit.wants(AT_ONCE), ["uidl-1"]);
}
