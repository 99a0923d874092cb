//! Servers whose folders are labels (promise I11): one mail in many folders, which is one body, one row and one count.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mailtui::config::Account;
use mailtui::engine::{Opener, Setup};
use mailtui::model::{
    BodyState, FlagDelta, Flags, FolderId, Intent, MessageId, PlacementId, Role, Row, Target, View,
};
use mailtui::protocol::memory::Call;
use mailtui::secret::Secret;
use mailtui::store::Edge;

use crate::engine::World;
use crate::support::hoodiecrow;

const ALL: &str = "[Gmail].All Mail";
const TRASH: &str = "[Gmail].Trash";

impl World {
    fn path(&self, path: &str) -> FolderId {
        let folders = self.reader().folders(self.id()).unwrap();
        folders.iter().find(|folder| folder.path.as_str() == path).expect("the folder is listed").id
    }

    fn rows_in(&self, folder: FolderId) -> Vec<Row> {
        self.reader().page(View::Folder(folder), Edge::Top, 10_000).unwrap().rows
    }

    fn messages(&self, role: Role) -> Vec<MessageId> {
        let mut all: Vec<_> = self.rows(role).iter().map(|row| row.head.message).collect();
        all.sort();
        all
    }

    fn act(&self, from: Role, count: usize, to: Role) -> String {
        let items: Vec<PlacementId> = self.copies(from).into_iter().take(count).collect();
        let outcome = self.store.intend_wait(Intent::Move { items, to: Target::Role(to) }).unwrap();
        assert_eq!(outcome.error, None);
        outcome.label
    }

    /// How many mails each folder shows, and that none of them is shown twice.
    fn counts(&self, roles: &[Role]) -> Vec<usize> {
        let count = |role: &Role| {
            let messages = self.messages(*role);
            let mut each = messages.clone();
            each.dedup();
            assert_eq!(each, messages, "a mail is in {role:?} twice");
            assert_eq!(self.folder(*role).total as usize, messages.len());
            messages.len()
        };
        roles.iter().map(count).collect()
    }
}

const THREE: [Role; 3] = [Role::Inbox, Role::All, Role::Trash];

/// Ten mails in the inbox, four of them in `Work` too, two more in nothing but All Mail.
fn world() -> World {
    let world = World::labelled().fill(10);
    world.server.add_folder("Work", None);
    world.server.copy_to("INBOX", "Work", &[1, 2, 3, 4]);
    for n in 10..12 {
        world.server.deliver(ALL, crate::engine::mail(n), Flags::NONE, crate::engine::T0 + n as i64);
    }
    world
}

#[test]
fn i11_a_mail_with_many_labels_is_one_body_one_row_and_one_count() {
    let world = world();
    let bodies = world.calls(Call::Body);
    assert_eq!(world.once().unwrap().new, 12, "each mail is news once");
    assert_eq!(bodies.load(Ordering::SeqCst), 12, "nothing of All Mail was fetched twice");
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
    let work = world.rows_in(world.path("Work"));
    assert_eq!(work.len(), 4);
    let reader = world.reader();
    let inbox = reader.page(View::Unified(Role::Inbox), Edge::Top, 100).unwrap().rows;
    assert_eq!(inbox.len(), 10, "All Mail is not in the view of all inboxes");
    assert_eq!(inbox.iter().map(|row| row.members.len()).sum::<usize>(), 10);
    // One message in three places.
    let message = work[0].head.message;
    let copies = reader.thread(work[0].head.thread).unwrap();
    assert!(copies.len() == 3 && copies.iter().all(|copy| copy.message == message));
    // A flag is of the mail, wherever it was set.
    let star = FlagDelta::add(Flags::FLAGGED);
    world.intend(Intent::Flag { items: vec![work[0].head.placement], delta: star, undoable: true });
    assert!(reader.thread(work[0].head.thread).unwrap().iter().all(|copy| copy.flags == Flags::FLAGGED));
    world.once().unwrap();
    let starred = world.server.mails(ALL).iter().filter(|mail| mail.flags.has(Flags::FLAGGED)).count();
    assert_eq!(starred, 1);
    assert_eq!(world.once().unwrap().new, 0);
}

#[test]
fn i11_to_archive_is_to_leave_the_inbox_and_all_mail_keeps_it_once() {
    let world = world();
    world.once().unwrap();
    assert_eq!(world.act(Role::Inbox, 3, Role::Archive), "archived 3");
    assert_eq!(world.counts(&THREE), [7, 12, 0]);
    // Taken back before the server heard of it, nothing is queued any more.
    world.intend(Intent::Undo);
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
    assert_eq!(world.reader().ops_waiting(world.id()).unwrap(), 0);
    world.intend(Intent::Redo);
    world.once().unwrap();
    assert_eq!(world.counts(&THREE), [7, 12, 0]);
    assert_eq!((world.server.count("INBOX"), world.server.count(ALL)), (7, 12));
    // And afterwards, by the label.
    world.intend(Intent::Undo);
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
    world.once().unwrap();
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
    assert_eq!((world.server.count("INBOX"), world.server.count(ALL)), (10, 12));
    let folders = world.server.folder_names();
    assert!(!folders.contains(&"Archive".to_owned()), "no folder is made for it: {folders:?}");
}

#[test]
fn i11_mail_of_all_mail_gets_a_label_and_stays() {
    let world = world();
    world.once().unwrap();
    let all: Vec<_> = world.rows(Role::All).into_iter().take(2).map(|row| row.head.placement).collect();
    let work = Target::Folder(world.path("Work"));
    let outcome = world.store.intend_wait(Intent::Move { items: all, to: work }).unwrap();
    assert_eq!(outcome.label, "copied 2 to Work");
    world.once().unwrap();
    assert_eq!((world.server.count("Work"), world.server.count(ALL)), (6, 12));
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
    // From one label to another in which it is already: it leaves the first one, and comes back to it.
    let copy = world.rows_in(world.path("Work")).pop().unwrap();
    world.intend(Intent::Move { items: vec![copy.head.placement], to: Target::Role(Role::Inbox) });
    assert_eq!((world.rows_in(world.path("Work")).len(), world.counts(&[Role::Inbox])[0]), (5, 10));
    world.once().unwrap();
    assert_eq!((world.server.count("Work"), world.server.count("INBOX")), (5, 10));
    world.intend(Intent::Undo);
    world.once().unwrap();
    assert_eq!((world.server.count("Work"), world.server.count("INBOX")), (6, 10));
    assert_eq!(world.rows_in(world.path("Work")).len(), 6);
}

#[test]
fn i11_delete_means_trash_and_takes_every_label_away() {
    let world = world();
    world.once().unwrap();
    // The oldest is in `Work` too.
    let oldest = *world.copies(Role::Inbox).last().unwrap();
    world.intend(Intent::Move { items: vec![oldest], to: Target::Role(Role::Trash) });
    world.once().unwrap();
    assert_eq!(world.counts(&THREE), [9, 11, 1]);
    assert_eq!(world.rows_in(world.path("Work")).len(), 3);
    world.intend(Intent::Undo);
    world.once().unwrap();
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
}

#[test]
fn i11_only_from_trash_is_mail_deleted_for_good() {
    let world = world();
    world.once().unwrap();
    for role in [Role::Inbox, Role::All] {
        let outcome = world.store.intend_wait(Intent::Purge { items: world.copies(role) }).unwrap();
        let why = outcome.error.expect("a label would be taken off, and the mail stay");
        assert!(why.contains("from Trash and Junk only"), "{why}");
    }
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
    world.act(Role::Inbox, 1, Role::Trash);
    world.once().unwrap();
    world.intend(Intent::Purge { items: world.copies(Role::Trash) });
    world.once().unwrap();
    assert_eq!((world.server.count(ALL), world.server.count(TRASH)), (11, 0));
    assert_eq!(world.counts(&THREE), [9, 11, 0]);
}

#[test]
fn i8_i11_labels_that_vanish_are_no_lost_mail() {
    let world = World::labelled().fill(40);
    world.server.add_folder("Work", None);
    let all: Vec<u32> = (1..=40).collect();
    world.server.copy_to("INBOX", "Work", &all);
    world.once().unwrap();
    // Another client takes a label off all of them: they are still in All Mail.
    world.server.expunge("Work", &all);
    // Without modification sequences nobody names what vanished.
    drop(world.server.clone().without_modseq());
    world.once().unwrap();
    assert!(world.rows_in(world.path("Work")).is_empty());
    assert_eq!(world.counts(&THREE), [40, 40, 0]);
    // What is in All Mail alone is not believed to be gone at once.
    world.server.move_to("INBOX", ALL, &all);
    world.once().unwrap();
    world.server.move_to(ALL, TRASH, &all);
    world.server.expunge(TRASH, &all);
    world.once().unwrap();
    assert_eq!(world.counts(&THREE), [0, 40, 0]);
}

/// Mails of a server's storage: Message-ID and X-GM-MSGID by number.
fn stored(numbers: std::ops::Range<usize>) -> serde_json::Value {
    let one = |n: usize| {
        let raw = String::from_utf8(crate::engine::mail(n)).unwrap();
        serde_json::json!({ "raw": raw, "X-GM-MSGID": (1_278_455_344_230_334_000 + n).to_string() })
    };
    serde_json::json!({ "messages": numbers.map(one).collect::<Vec<_>>() })
}

#[test]
fn i11_hoodiecrow_tells_one_mail_in_two_folders_by_its_number() {
    let Some(hoodiecrow) = hoodiecrow::shared() else { return };
    let mut all = stored(0..6);
    all["special-use"] = "\\All".into();
    let folders = serde_json::json!({ "All Mail": all, "Trash": { "special-use": "\\Trash" } });
    let gmail = serde_json::json!({ "flags": ["\\Noselect"], "folders": folders });
    let storage = serde_json::json!({
        "INBOX": stored(2..6), "": { "separator": "/", "folders": { "[Gmail]": gmail, "Work": stored(5..6) } }
    });
    let account = Account { port: hoodiecrow.serve(&storage.to_string()), ..hoodiecrow.account() };
    let world = World::labelled();
    let far = account.clone();
    let open: Opener = Arc::new(move |bell| mailtui::protocol::open(&far, &Secret::new("pass"), bell));
    let report = world.once_with(Setup { account, open, ..world.setup() }).unwrap();
    assert_eq!(report.new, 6);
    assert_eq!(world.counts(&THREE), [4, 6, 0]);
    assert_eq!(world.messages(Role::Inbox), world.messages(Role::All)[..4], "the inbox came first");
    let work = world.rows_in(world.path("Work")).remove(0).head;
    assert!(work.body == BodyState::Whole && world.messages(Role::All).contains(&work.message));
    assert!(world.reader().has_labels(world.id()).unwrap());
}

#[test]
fn i11_taking_a_copy_back_takes_the_label_only() {
    let world = world();
    world.once().unwrap();
    let newest = world.copies(Role::Inbox)[0];
    world.intend(Intent::Copy { items: vec![newest], to: Target::Folder(world.path("Work")) });
    world.once().unwrap();
    assert_eq!(world.server.count("Work"), 5);
    world.intend(Intent::Undo);
    world.once().unwrap();
    assert_eq!((world.server.count("Work"), world.server.count(ALL)), (4, 12));
    assert_eq!(world.counts(&THREE), [10, 12, 0]);
}
