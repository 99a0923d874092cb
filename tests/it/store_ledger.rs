//! The ledger: what waits is listed in plain words, and each way to settle it leaves the store in order.

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, NOW, mail, open, packed, popped, spec};

const STAR: FlagDelta = FlagDelta { add: Flags::FLAGGED, del: Flags::NONE };
const READ: FlagDelta = FlagDelta { add: Flags::SEEN, del: Flags::NONE };

/// A folder: its path, what can be seen in it, how much of it the server has.
type Sight = (String, Vec<(String, Flags)>, usize);

impl Kit {
    fn do_it(&self, intent: Intent) -> String {
        let outcome = self.store.intend_wait(intent).unwrap();
        self.check();
        assert_eq!(outcome.error, None);
        outcome.label
    }

    fn star(&self, copy: PlacementId) {
        self.do_it(Intent::Flag { items: vec![copy], delta: STAR, undoable: true });
    }

    fn to(&self, copy: PlacementId, role: Role) {
        self.do_it(Intent::Move { items: vec![copy], to: Target::Role(role) });
    }

    fn ledger(&self) -> Vec<Entry> {
        self.reader.ledger(self.account, None, 1000).unwrap()
    }

    /// Words and standing of everything that waits.
    fn waits(&self) -> Vec<(String, Standing)> {
        self.ledger().iter().map(|e| (e.what.to_string(), e.standing)).collect()
    }

    fn settled(&self, how: Settle, reach: Reach) -> Outcome {
        let outcome = self.store.intend_wait(Intent::Settle { how, reach }).unwrap();
        self.check();
        outcome
    }

    /// Settles one matter; the words that it was answered with.
    #[track_caller]
    fn settle(&self, how: Settle, matter: Matter) -> String {
        let outcome = self.settled(how, Reach::These(vec![matter]));
        assert_eq!(outcome.error, None);
        outcome.label
    }

    fn fail(&self, op: OpId, retry_at: Option<i64>) {
        self.commit([
            Step::OpRunning(op),
            Step::OpFailed { op, error: "the server said no".into(), retry_at },
        ]);
    }

    /// Everything that can be seen, and what the server has of it.
    fn sight(&self) -> Vec<Sight> {
        let folders = self.reader.folders(self.account).unwrap();
        let held = |id| self.reader.uids(id).unwrap().iter().count();
        folders.into_iter().map(|f| (f.path.to_string(), self.mails(f.id), held(f.id))).collect()
    }
}

fn matters(entries: &[Entry]) -> Vec<Matter> {
    entries.iter().map(|entry| entry.matter).collect()
}

#[test]
fn a2_what_waits_is_told_in_plain_words_and_what_waits_for_the_user_first() {
    let kit = Kit::server();
    let copies: Vec<_> = (1..=4).map(|n| kit.copy(kit.inbox, kit.bring(mail(kit.inbox, n)))).collect();
    kit.star(copies[0]);
    kit.do_it(Intent::Move { items: copies[1..3].to_vec(), to: Target::Role(Role::Archive) });
    kit.do_it(Intent::Purge { items: vec![copies[3]] });
    let ops = kit.ops();
    kit.fail(ops[2].id, None);
    kit.fail(ops[0].id, Some(NOW + 60));
    assert_eq!(
        kit.waits(),
        [
            ("delete 1 mail in Inbox for good".to_owned(), Standing::Conflict),
            ("star 1 mail in Inbox".to_owned(), Standing::Waiting(NOW + 60)),
            ("move 2 mails from Inbox to Archive".to_owned(), Standing::Queued),
        ]
    );
    let entries = kit.ledger();
    assert_eq!(
        (entries[0].error.as_str(), entries[0].tries, entries[0].undo),
        ("the server said no", 1, None)
    );
    assert_eq!((entries[2].subject.as_str(), entries[2].mails, entries[2].since), ("mail 2", 2, NOW));
    assert!(entries[2].undo.is_some(), "the operation knows its action");
    let mails = kit.reader.matter_mails(entries[2].matter, 10).unwrap();
    assert_eq!(mails.iter().map(|m| m.subject.as_str()).collect::<Vec<_>>(), ["mail 2", "mail 3"]);
    let waiting = kit.reader.waiting(kit.account).unwrap();
    assert_eq!((waiting.queued, waiting.conflicts, waiting.for_user()), (2, 1, 1));
    assert_eq!(waiting.oldest, Some(NOW));
    // Page by page it is the same.
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = kit.reader.ledger(kit.account, after, 1).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.bookmark());
        paged.extend(page);
    }
    assert_eq!(paged, entries);
}

#[test]
fn a2_pop3_deletions_are_one_entry_and_can_be_given_up() {
    let kit = Kit::new(Owner::Here);
    for n in 1..=3 {
        let copy = kit.copy(kit.inbox, kit.bring(popped(kit.inbox, n)));
        kit.do_it(Intent::Purge { items: vec![copy] });
    }
    kit.commit([Step::Told { uidls: vec!["uidl-1".to_owned()] }]);
    let entry = kit.ledger().remove(0);
    assert_eq!(
        entry.what.as_str(),
        "3 mails deleted here are still on the server, 1 of them asked for already"
    );
    assert_eq!((entry.standing, kit.reader.waiting(kit.account).unwrap().deletions), (Standing::Queued, 3));
    assert_eq!(kit.settle(Settle::Discard, entry.matter), "2 mails stay on the server");
    assert_eq!(kit.ledger()[0].standing, Standing::Told, "what was asked for is not taken back");
    let none = kit.settled(Settle::Discard, Reach::These(vec![entry.matter]));
    assert_eq!(none.error.as_deref(), Some("nothing waits under that id: it is done, or never was"));
}

#[test]
fn a2_giving_up_takes_every_local_effect_back() {
    let kit = Kit::server();
    let mails: Vec<_> = (1..=4).map(|n| kit.bring(mail(kit.inbox, n))).collect();
    let copies: Vec<_> = mails.iter().map(|m| kit.copy(kit.inbox, *m)).collect();
    kit.commit([Step::Flags { folder: kit.inbox, uid: 1, flags: Flags::ANSWERED, keywords: Vec::new() }]);
    let before = kit.sight();
    kit.star(copies[0]);
    kit.do_it(Intent::Flag { items: vec![copies[0]], delta: READ, undoable: true });
    kit.to(copies[1], Role::Trash);
    kit.do_it(Intent::Copy { items: vec![copies[2]], to: Target::Role(Role::Archive) });
    kit.do_it(Intent::Purge { items: vec![copies[3]] });
    let star = kit.ledger()[0].matter;
    assert_eq!(kit.settle(Settle::Discard, star), "gave up: star 1 mail in Inbox");
    assert_eq!(
        kit.mails(kit.inbox).last().unwrap().1,
        Flags::ANSWERED | Flags::SEEN,
        "the other change stays"
    );
    let all = kit.settled(Settle::Discard, Reach::Account(kit.account));
    assert_eq!(all.label, "gave 4 up");
    assert_eq!(kit.sight(), before);
    assert!(kit.reader.waiting(kit.account).unwrap().is_empty());
    let again = kit.settled(Settle::Discard, Reach::Everything);
    assert_eq!(again.error.as_deref(), Some("there is nothing that waits for that"));
}

#[test]
fn a2_what_was_built_on_it_goes_with_it_and_that_is_said() {
    let kit = Kit::server();
    let (archive, trash) = (kit.folder(Role::Archive), kit.folder(Role::Trash));
    let message = kit.bring(mail(kit.inbox, 1));
    let before = kit.sight();
    kit.to(kit.copy(kit.inbox, message), Role::Archive);
    kit.star(kit.copy(archive, message));
    kit.to(kit.copy(archive, message), Role::Trash);
    kit.do_it(Intent::Flag { items: vec![kit.copy(trash, message)], delta: READ, undoable: true });
    assert_eq!(kit.ledger().len(), 4);
    let label = kit.settle(Settle::Discard, kit.ledger()[0].matter);
    assert_eq!(label, "gave up: move 1 mail from Inbox to Archive, and 3 things that were built on it");
    assert_eq!(kit.sight(), before);
    assert!(kit.ledger().is_empty());
}

#[test]
fn a2_a_folder_that_is_not_made_after_all_goes_with_the_moves_into_it() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let before = kit.sight();
    kit.to(kit.copy(kit.inbox, message), Role::Junk);
    assert_eq!(kit.waits()[0].0, "make the folder Junk");
    let label = kit.settle(Settle::Discard, kit.ledger()[0].matter);
    assert_eq!(label, "gave up: make the folder Junk, and one thing that was built on it");
    assert_eq!(kit.sight(), before);
}

#[test]
fn a2_what_is_being_carried_out_is_not_given_up() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    kit.star(copy);
    let op = kit.ops()[0].id;
    kit.commit([Step::OpRunning(op)]);
    let outcome = kit.settled(Settle::Discard, Reach::These(vec![Matter::Op(op)]));
    assert_eq!(outcome.error.as_deref(), Some("it is being carried out at this moment"));
    assert_eq!(kit.waits(), [("star 1 mail in Inbox".to_owned(), Standing::Running)]);
}

#[test]
fn a2_a_copy_that_got_to_the_server_stays_when_its_move_is_given_up() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    kit.to(kit.copy(kit.inbox, message), Role::Archive);
    // The copy was made, the removal failed: both are on the server.
    kit.bring(Incoming { uid: Some(70), ..mail(archive, 1) });
    let op = kit.ledger()[0].matter;
    kit.settle(Settle::Discard, op);
    assert_eq!((kit.mails(kit.inbox).len(), kit.mails(archive).len()), (1, 1));
}

#[test]
fn a2_trying_again_queues_at_once_and_remembers_that_it_was_tried() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    kit.star(copy);
    let op = kit.ops()[0].id;
    for _ in 0..3 {
        kit.fail(op, Some(NOW + 500));
    }
    kit.fail(op, None);
    assert!(kit.ops().is_empty());
    assert_eq!(kit.settle(Settle::Retry, Matter::Op(op)), "queued again: star 1 mail in Inbox");
    assert_eq!(kit.ops()[0].tries, 1);
    assert_eq!(kit.ledger()[0].error.as_str(), "");
    // Undone now, its inverse is queued behind it: the server may have done it.
    assert_eq!(kit.do_it(Intent::Undo), "undid: starred 1");
    assert_eq!(kit.ledger().len(), 2);
    let idle = kit.settled(Settle::Retry, Reach::Account(kit.account));
    assert_eq!(idle.label, "queued again: star 1 mail in Inbox");
}

#[test]
fn a2_undo_takes_that_action_back_and_no_other() {
    let kit = Kit::server();
    let copies: Vec<_> = (1..=2).map(|n| kit.copy(kit.inbox, kit.bring(mail(kit.inbox, n)))).collect();
    kit.to(copies[0], Role::Archive);
    kit.star(copies[1]);
    let first = kit.ledger()[0].clone();
    assert_eq!(first.what.as_str(), "move 1 mail from Inbox to Archive");
    let outcome = kit.settled(Settle::Undo, Reach::These(vec![first.matter]));
    assert_eq!(
        (outcome.label.as_str(), outcome.place.map(|p| p.folder)),
        ("undid: archived 1", Some(kit.inbox))
    );
    assert_eq!(kit.waits(), [("star 1 mail in Inbox".to_owned(), Standing::Queued)]);
    assert_eq!(kit.do_it(Intent::Redo), "redid: archived 1");
    assert!(
        kit.ledger().iter().all(|entry| entry.undo.is_some()),
        "what was redone can be undone from here too"
    );
}

/// A folder of `total` mails of which the server stops showing `gone`.
fn vanish(kit: &Kit, total: u32, gone: u32) {
    for n in 1..=total {
        kit.bring(mail(kit.inbox, n));
    }
    let uids = (1..=gone).collect();
    kit.commit([
        Step::Vanished { folder: kit.inbox, uids, certain: false },
        Step::Synced { folder: kit.inbox, at: NOW },
    ]);
    kit.check();
}

#[test]
fn i8_more_than_half_and_more_than_twenty_are_held_back_and_stay_in_sight() {
    for (total, gone, parked) in
        [(60, 31, true), (60, 30, false), (40, 21, true), (20, 20, false), (22, 22, true)]
    {
        let kit = Kit::server();
        vanish(&kit, total, gone);
        let left = if parked { total } else { total - gone };
        assert_eq!(kit.mails(kit.inbox).len(), left as usize, "{gone} of {total}");
        assert_eq!(kit.ledger().len(), usize::from(parked), "{gone} of {total}");
    }
}

#[test]
fn i8_what_the_server_named_itself_is_believed() {
    let kit = Kit::server();
    for n in 1..=50 {
        kit.bring(mail(kit.inbox, n));
    }
    kit.commit([Step::Vanished { folder: kit.inbox, uids: (1..=50).collect(), certain: true }]);
    assert!(kit.mails(kit.inbox).is_empty() && kit.ledger().is_empty());
}

#[test]
fn i8_an_emptied_trash_is_believed() {
    let kit = Kit::server();
    let trash = kit.folder(Role::Trash);
    for n in 1..=50 {
        kit.bring(mail(trash, n));
    }
    kit.commit([Step::Vanished { folder: trash, uids: (1..=50).collect(), certain: false }]);
    assert!(kit.mails(trash).is_empty());
}

#[test]
fn i8_later_looks_and_restarts_neither_drop_nor_double_what_is_held_back() {
    let kit = Kit::server();
    vanish(&kit, 50, 40);
    let before = kit.sight();
    let entry = kit.ledger().remove(0);
    assert_eq!(entry.what.as_str(), "Inbox: the server does not show 40 of 50 mails any more");
    assert_eq!((entry.standing, entry.mails, entry.since), (Standing::Parked, 40, NOW));
    assert_eq!(kit.reader.matter_mails(entry.matter, 100).unwrap().len(), 40);
    // The next looks see the same, and one more mail go, and a new one come.
    for _ in 0..3 {
        let uids = (1..=40).collect();
        kit.commit([
            Step::Vanished { folder: kit.inbox, uids, certain: false },
            Step::Synced { folder: kit.inbox, at: NOW },
        ]);
    }
    assert_eq!(kit.sight(), before);
    kit.commit([Step::Vanished { folder: kit.inbox, uids: (1..=41).collect(), certain: false }]);
    kit.bring(mail(kit.inbox, 51));
    assert_eq!(kit.mails(kit.inbox).len(), 50);
    let clock = kit.clock.clone();
    let Kit { store, dir, account, reader, .. } = kit;
    store.close();
    drop((store, reader));
    let store = open(dir.path(), &clock);
    let reader = store.reader().unwrap();
    assert_eq!(reader.ledger(account, None, 10).unwrap()[0].mails, 40);
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}

#[test]
fn i8_what_is_queued_for_held_back_mail_waits_for_the_decision() {
    let kit = Kit::server();
    vanish(&kit, 50, 40);
    let copy = kit.mails_by_uid(1);
    kit.star(copy);
    assert!(kit.ops().is_empty(), "the server is not told of what it may not have");
    let folder = kit.ledger()[0].matter;
    assert_eq!(kit.settle(Settle::Accept, folder), "took 40 mails out of Inbox");
    assert_eq!(kit.mails(kit.inbox).len(), 10);
    assert!(kit.ledger().is_empty());
}

#[test]
fn i8_a_move_of_mail_that_went_becomes_a_conflict_when_it_is_accepted() {
    let kit = Kit::server();
    vanish(&kit, 50, 40);
    kit.to(kit.mails_by_uid(1), Role::Archive);
    let folder = kit.ledger()[0].matter;
    kit.settle(Settle::Accept, folder);
    assert_eq!(kit.waits(), [("move 1 mail from Inbox to Archive".to_owned(), Standing::Conflict)]);
    let op = kit.ledger()[0].matter;
    kit.settle(Settle::Discard, op);
    kit.commit([Step::Synced { folder: kit.inbox, at: NOW }]);
    assert_eq!(kit.mails(kit.inbox).len(), 10, "the store is as the server again");
    kit.check();
}

#[test]
fn i8_a_new_look_finds_everything_again_and_keeps_what_is_here_only() {
    let kit = Kit::server();
    vanish(&kit, 50, 40);
    let copy = kit.mails_by_uid(1);
    kit.star(copy);
    let folder = kit.ledger()[0].matter;
    assert_eq!(kit.settle(Settle::Refetch, folder), "Inbox is looked at anew");
    assert_eq!(kit.reader.cursor(kit.inbox).unwrap().validity, 0);
    // The server was only confused: it shows all of them under the same numbers.
    for n in 1..=50 {
        kit.bring(mail(kit.inbox, n));
    }
    kit.commit([Step::Synced { folder: kit.inbox, at: NOW }]);
    kit.check();
    assert_eq!(kit.mails(kit.inbox).len(), 50);
    assert_eq!(kit.waits(), [("star 1 mail in Inbox".to_owned(), Standing::Queued)]);
    assert_eq!(kit.ops()[0].items[0].uid, Some(1));
}

#[test]
fn i8_what_the_server_shows_again_is_held_back_no_more() {
    let kit = Kit::server();
    vanish(&kit, 50, 40);
    for uid in 1..=40 {
        kit.commit([Step::Flags { folder: kit.inbox, uid, flags: Flags::SEEN, keywords: Vec::new() }]);
    }
    kit.commit([Step::Synced { folder: kit.inbox, at: NOW }]);
    assert!(kit.ledger().is_empty());
    assert_eq!(kit.mails(kit.inbox).len(), 50);
    kit.check();
}

#[test]
fn i8_a_folder_that_is_not_listed_any_more_goes_when_it_is_accepted() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    for n in 1..=30 {
        kit.bring(mail(archive, n));
    }
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 99)));
    kit.to(copy, Role::Archive);
    let rest = [Role::Inbox, Role::Trash, Role::Sent].map(|role| spec(role.title(), Some(role)));
    kit.commit([Step::Folders(rest.to_vec())]);
    assert_eq!(kit.waits()[0].0, "Archive: the server does not list this folder any more");
    let label = kit.settle(Settle::Accept, Matter::Folder(archive));
    assert_eq!(label, "took the folder Archive away, and one thing that was built on it");
    assert_eq!(kit.mails(kit.inbox).len(), 1, "what was on its way there is back");
    assert!(kit.ledger().is_empty());
}

impl Kit {
    fn mails_by_uid(&self, n: u32) -> PlacementId {
        let wanted = format!("mail {n}");
        let mut rows = self.top(self.inbox).into_iter();
        rows.find(|row| row.head.subject.as_str() == wanted).unwrap().members[0].placement
    }
}

#[test]
fn a_refusal_says_why() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    kit.do_it(Intent::Flag { items: vec![copy], delta: READ, undoable: false });
    let op = kit.ledger()[0].matter;
    let error = |how, matter| kit.settled(how, Reach::These(vec![matter])).error.unwrap();
    assert_eq!(error(Settle::Undo, op), "it cannot be undone: it can only be given up");
    assert_eq!(error(Settle::Accept, op), "only a folder whose changes are held back can be accepted");
    assert_eq!(
        error(Settle::Retry, Matter::Op(OpId(99))),
        "nothing waits under that id: it is done, or never was"
    );
    assert_eq!(
        error(Settle::Accept, Matter::Folder(kit.inbox)),
        "nothing waits under that id: it is done, or never was"
    );
    assert_eq!(matters(&kit.ledger()), [op]);
}

/// A second account with an archive; a mail of the first is on its way there.
fn sent_far(kit: &Kit) -> (AccountId, FolderId, MessageId) {
    let home = kit.store.account("home", "memory", Owner::Server, "ada@home.example").unwrap();
    let specs = [Role::Inbox, Role::Archive].map(|role| spec(role.title(), Some(role))).to_vec();
    kit.store.commit(Batch { account: home, steps: vec![Step::Folders(specs)] }).unwrap();
    let archive = kit.reader.folder_by_role(home, Role::Archive).unwrap().unwrap().id;
    let body = packed(b"Subject: mail 1\r\n\r\nbody\r\n");
    let message = kit.bring(Incoming { body: Some(body), ..mail(kit.inbox, 1) });
    let items = vec![kit.copy(kit.inbox, message)];
    kit.do_it(Intent::Move { items, to: Target::Folder(archive) });
    (home, archive, message)
}

#[test]
fn i13_a_move_between_accounts_is_one_entry_that_stands_for_both_halves() {
    let kit = Kit::server();
    let (home, archive, _) = sent_far(&kit);
    assert!(kit.ledger().is_empty(), "the second half is not listed beside the first");
    assert!(kit.reader.waiting(kit.account).unwrap().is_empty());
    let entry = kit.reader.ledger(home, None, 10).unwrap().remove(0);
    assert_eq!(entry.what.as_str(), "move 1 mail from Inbox of work to Archive");
    assert_eq!((entry.subject.as_str(), kit.reader.waiting(home).unwrap().queued), ("mail 1", 1));
    // Once it is there, what is left to do is the removal here.
    let item = kit.reader.ops(home, NOW, 10).unwrap()[0].items[0].placement;
    let Matter::Op(op) = entry.matter else { panic!("{entry:?}") };
    let mark = Mark { validity: 5, uidnext: 9 };
    let steps = vec![
        Step::OpMarked { op, mark },
        Step::OpRunning(op),
        Step::OpDone { op, moved: vec![(item, 9)], created: None },
    ];
    kit.store.commit(Batch { account: home, steps }).unwrap();
    assert_eq!(
        kit.waits(),
        [("take 1 mail out of Inbox, now that the copy is elsewhere".to_owned(), Standing::Queued)]
    );
    assert_eq!(kit.mails(archive).len(), 1);
}

#[test]
fn i13_giving_a_move_between_accounts_up_takes_both_halves_and_what_was_built_on_it() {
    let kit = Kit::server();
    let before = kit.sight();
    let (home, archive, _) = sent_far(&kit);
    let row = kit.top(archive).remove(0);
    kit.star(row.members[0].placement);
    kit.do_it(Intent::Move { items: vec![row.members[0].placement], to: Target::Role(Role::Inbox) });
    let entry = kit.reader.ledger(home, None, 10).unwrap().remove(0);
    let label = kit.settle(Settle::Discard, entry.matter);
    assert_eq!(
        label,
        "gave up: move 1 mail from Inbox of work to Archive, and 2 things that were built on it"
    );
    assert!(kit.reader.waiting(home).unwrap().is_empty() && kit.ledger().is_empty());
    let folders = kit.reader.folders(home).unwrap();
    assert!(folders.iter().all(|folder| folder.total == 0));
    assert_eq!(kit.mails(kit.inbox).len(), 1);
    assert_eq!(kit.sight().len(), before.len());
}

#[test]
fn a2_changes_of_folders_are_told_and_given_up() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let paths = || -> Vec<(String, bool)> {
        let folders = kit.reader.folders(kit.account).unwrap();
        folders.into_iter().map(|f| (f.path.to_string(), f.subscribed)).collect()
    };
    let before = paths();
    kit.do_it(Intent::RenameFolder { folder: archive, path: "Attic".into() });
    kit.do_it(Intent::Subscribe { folder: kit.folder(Role::Sent), on: false });
    let words: Vec<String> = kit.waits().into_iter().map(|(what, _)| what).collect();
    assert_eq!(words, ["rename the folder Archive to Attic", "unsubscribe from Sent"]);
    kit.settled(Settle::Discard, Reach::Account(kit.account));
    assert_eq!(paths(), before);
}
