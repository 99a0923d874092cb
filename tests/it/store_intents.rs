//! What the user does, before and after the server has heard of it, and back again.

use std::time::Duration;

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, NOW, mail, open, popped, spec};

pub(crate) const STAR: FlagDelta = FlagDelta { add: Flags::FLAGGED, del: Flags::NONE };
pub(crate) const READ: FlagDelta = FlagDelta { add: Flags::SEEN, del: Flags::NONE };

impl Kit {
    pub(crate) fn intend(&self, intent: Intent) -> Outcome {
        let outcome = self.store.intend_wait(intent).unwrap();
        self.check();
        outcome
    }

    /// The label of an intent that must succeed.
    #[track_caller]
    pub(crate) fn act(&self, intent: Intent) -> String {
        let outcome = self.intend(intent);
        assert_eq!(outcome.error, None);
        outcome.label
    }

    pub(crate) fn flag(&self, items: &[PlacementId], delta: FlagDelta) -> String {
        self.act(Intent::Flag { items: items.to_vec(), delta, undoable: true })
    }

    pub(crate) fn transfer(&self, items: &[PlacementId], role: Role) -> String {
        self.act(Intent::Move { items: items.to_vec(), to: Target::Role(role) })
    }

    /// Everything that can be seen: folder, subject, flags.
    pub(crate) fn world(&self) -> Vec<(String, Vec<(String, Flags)>)> {
        let folders = self.reader.folders(self.account).unwrap();
        folders.into_iter().map(|folder| (folder.path.to_string(), self.mails(folder.id))).collect()
    }

    pub(crate) fn run(&self, op: OpId) {
        self.commit([Step::OpRunning(op)]);
    }

    pub(crate) fn done(&self, op: OpId, moved: Vec<(PlacementId, u32)>) {
        self.commit([Step::OpDone { op, moved, created: None }]);
        self.check();
    }
}

pub(crate) fn subjects(mails: &[(String, Flags)]) -> Vec<&str> {
    mails.iter().map(|(subject, _)| subject.as_str()).collect()
}

#[test]
fn i5_a_flag_is_seen_at_once_and_queued_as_a_delta() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let copy = kit.copy(kit.inbox, message);
    assert_eq!(kit.flag(&[copy], STAR), "starred 1");
    assert_eq!(kit.mails(kit.inbox)[0].1, Flags::FLAGGED);
    let ops = kit.ops();
    assert_eq!(ops.len(), 1);
    assert_eq!(ops[0].kind, OpKind::Flags(STAR.into()));
    assert_eq!(ops[0].items, [OpItem { placement: copy, uid: Some(1), landed: false }]);
    // The server tells other flags meanwhile: ours stays on top, theirs comes through.
    kit.commit([Step::Flags { folder: kit.inbox, uid: 1, flags: Flags::ANSWERED, keywords: Vec::new() }]);
    assert_eq!(kit.mails(kit.inbox)[0].1, Flags::ANSWERED | Flags::FLAGGED);
    assert_eq!(kit.reader.base_flags(kit.inbox).unwrap(), [(1, Flags::ANSWERED, vec![])]);
    kit.run(ops[0].id);
    kit.done(ops[0].id, vec![]);
    assert!(kit.ops().is_empty());
    assert_eq!(kit.reader.base_flags(kit.inbox).unwrap()[0].1, Flags::ANSWERED | Flags::FLAGGED);
    // From now on the server rules again.
    kit.commit([Step::Flags { folder: kit.inbox, uid: 1, flags: Flags::NONE, keywords: Vec::new() }]);
    assert_eq!(kit.mails(kit.inbox)[0].1, Flags::NONE);
}

#[test]
fn keywords_of_the_server_survive_and_follow_it() {
    let kit = Kit::server();
    let told = |keywords: &[&str]| {
        let keywords = keywords.iter().map(|k| (*k).to_owned()).collect();
        kit.commit([Step::Flags { folder: kit.inbox, uid: 1, flags: Flags::NONE, keywords }]);
        let mut held = kit.reader.base_flags(kit.inbox).unwrap().remove(0).2;
        held.sort();
        held
    };
    kit.bring(Incoming { keywords: vec!["$Work".to_owned()], ..mail(kit.inbox, 1) });
    assert_eq!(told(&["$work", "Later"]), ["$Work", "Later"]);
    assert_eq!(told(&["Later"]), ["Later"]);
    assert_eq!(told(&[]), Vec::<String>::new());
    kit.check();
}

#[test]
fn a_flag_is_set_on_every_copy_in_the_account() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    assert_eq!(kit.bring(Incoming { uid: Some(77), ..mail(archive, 1) }), message, "proved to be the same");
    kit.flag(&[kit.copy(kit.inbox, message)], READ);
    assert_eq!(kit.mails(archive)[0].1, Flags::SEEN);
    assert_eq!(kit.ops().len(), 2, "one for each folder");
    assert_eq!(kit.act(Intent::Undo), "undid: marked 1 read");
    assert_eq!((kit.mails(archive)[0].1, kit.mails(kit.inbox)[0].1), (Flags::NONE, Flags::NONE));
    assert!(kit.ops().is_empty(), "what was not tried is cancelled");
}

#[test]
fn the_silent_mark_of_opening_leaves_nothing_to_undo() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    let outcome = kit.intend(Intent::Flag { items: vec![copy], delta: READ, undoable: false });
    assert_eq!(outcome, Outcome { label: String::new(), undoable: false, place: None, error: None });
    assert_eq!(kit.ops().len(), 1);
    assert_eq!(kit.intend(Intent::Undo).error.as_deref(), Some("nothing to undo"));
}

#[test]
fn i6_a_moved_mail_is_in_its_new_folder_at_once_and_gets_its_uid_later() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    kit.bring(mail(kit.inbox, 2));
    let source = kit.copy(kit.inbox, message);
    assert_eq!(kit.transfer(&[source], Role::Archive), "archived 1");
    assert_eq!(subjects(&kit.mails(kit.inbox)), ["mail 2"]);
    assert_eq!(subjects(&kit.mails(archive)), ["mail 1"]);
    let op = kit.ops().remove(0);
    assert_eq!((op.kind, op.folder), (OpKind::Move(archive), Some(kit.inbox)));
    // What is done to it before it has a UID waits for it.
    kit.flag(&[kit.copy(archive, message)], STAR);
    assert_eq!(kit.ops().len(), 1);
    assert_eq!(kit.reader.ops_waiting(kit.account).unwrap(), 2);
    kit.run(op.id);
    assert!(kit.ops().is_empty());
    kit.done(op.id, vec![(source, 500)]);
    let star = kit.ops().remove(0);
    assert_eq!(star.items[0].uid, Some(500));
    kit.done(star.id, vec![]);
    assert_eq!(kit.reader.base_flags(archive).unwrap(), [(500, Flags::FLAGGED, vec![])]);
    assert!(!kit.reader.uids(kit.inbox).unwrap().contains(1));
    assert_eq!(kit.reader.ops_waiting(kit.account).unwrap(), 0);
}

#[test]
fn i6_without_copyuid_the_next_look_finds_the_moved_mail() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    kit.transfer(&[kit.copy(kit.inbox, message)], Role::Archive);
    let op = kit.ops().remove(0).id;
    kit.done(op, vec![]);
    let found = kit.bring(Incoming { uid: Some(40), flags: Flags::SEEN, ..mail(archive, 1) });
    assert_eq!(found, message);
    assert_eq!(kit.mails(archive), [("mail 1".to_owned(), Flags::SEEN)]);
    kit.commit([Step::Synced { folder: archive, at: NOW }, Step::Synced { folder: archive, at: NOW }]);
    assert_eq!(kit.mails(archive).len(), 1);
    kit.check();
}

#[test]
fn a_moved_mail_that_nobody_finds_goes_after_two_complete_looks() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    kit.transfer(&[kit.copy(kit.inbox, message)], Role::Archive);
    let op = kit.ops().remove(0).id;
    kit.done(op, vec![]);
    kit.commit([Step::Synced { folder: archive, at: NOW }]);
    assert_eq!(kit.mails(archive).len(), 1, "the look may have begun before the move");
    kit.commit([Step::Synced { folder: archive, at: NOW }]);
    assert!(kit.mails(archive).is_empty());
    kit.check();
}

#[test]
fn a_pull_that_sees_the_target_first_makes_no_second_row() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    let source = kit.copy(kit.inbox, message);
    kit.transfer(&[source], Role::Archive);
    let op = kit.ops().remove(0).id;
    kit.run(op);
    // The server did it; the pull is faster than the answer.
    kit.bring(Incoming { uid: Some(40), ..mail(archive, 1) });
    kit.commit([Step::Gone { folder: kit.inbox, uid: 1 }]);
    kit.done(op, vec![(source, 40)]);
    assert_eq!(subjects(&kit.mails(archive)), ["mail 1"]);
    assert!(kit.mails(kit.inbox).is_empty());
    assert_eq!(kit.reader.uids(archive).unwrap().to_string(), "40");
    kit.check();
}

#[test]
fn a_pull_of_another_content_at_the_uid_is_united_with_the_pending_row() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    let source = kit.copy(kit.inbox, message);
    kit.transfer(&[source], Role::Archive);
    kit.flag(&[kit.copy(archive, message)], STAR);
    // The server writes its header anew on the way: no proof that it is the same, until COPYUID says so.
    let mut rewritten = Incoming { uid: Some(40), ..mail(archive, 1) };
    rewritten.envelope.head_hash[5] = 9;
    let other = kit.bring(rewritten);
    assert_ne!(other, message);
    let op = kit.ops().remove(0).id;
    kit.done(op, vec![(source, 40)]);
    assert_eq!(kit.mails(archive), [("mail 1".to_owned(), Flags::FLAGGED)]);
    assert_eq!(kit.ops()[0].items[0].uid, Some(40), "what was queued for the pending row is for this one");
    kit.check();
}

#[test]
fn i5_twins_that_turn_out_to_be_one_copy_leave_no_row_behind() {
    let kit = Kit::server();
    let (archive, trash, sent) = (kit.folder(Role::Archive), kit.folder(Role::Trash), kit.folder(Role::Sent));
    let message = kit.bring(mail(archive, 1));
    assert_eq!(kit.bring(Incoming { folder: trash, ..mail(archive, 1) }), message);
    let (first, second) = (kit.copy(archive, message), kit.copy(trash, message));
    kit.transfer(&[first], Role::Inbox);
    kit.transfer(&[second], Role::Inbox);
    let twins: Vec<PlacementId> =
        kit.top(kit.inbox).iter().flat_map(|row| &row.members).map(|member| member.placement).collect();
    assert_eq!(twins.len(), 2);
    kit.transfer(&twins, Role::Sent);
    // The second is done first; a pull shows the mail, and gives its UID to the row of the first.
    let ops = kit.ops();
    kit.run(ops[1].id);
    kit.bring(Incoming { uid: Some(10), ..mail(kit.inbox, 1) });
    kit.done(ops[1].id, vec![(second, 10)]);
    kit.run(ops[0].id);
    kit.done(ops[0].id, vec![(first, 10)]);
    let op = kit.ops().remove(0);
    assert_eq!(op.items.len(), 1);
    kit.done(op.id, vec![(op.items[0].placement, 20)]);
    // One look may have begun before; after the next there is one mail.
    kit.commit([Step::Synced { folder: sent, at: NOW }]);
    kit.commit([Step::Synced { folder: sent, at: NOW }]);
    assert_eq!(kit.reader.uids(sent).unwrap().to_string(), "20");
    assert_eq!(subjects(&kit.mails(sent)), ["mail 1"]);
    kit.check();
}

#[test]
fn moves_of_moves_wait_for_each_other() {
    let kit = Kit::server();
    let (archive, trash) = (kit.folder(Role::Archive), kit.folder(Role::Trash));
    let message = kit.bring(mail(kit.inbox, 1));
    let first = kit.copy(kit.inbox, message);
    kit.transfer(&[first], Role::Archive);
    let second = kit.copy(archive, message);
    assert_eq!(kit.transfer(&[second], Role::Trash), "moved 1 to Trash");
    assert_eq!(subjects(&kit.mails(trash)), ["mail 1"]);
    let op = kit.ops();
    assert_eq!(op.len(), 1);
    kit.done(op[0].id, vec![(first, 9)]);
    let op = kit.ops().remove(0);
    assert_eq!(op.items, [OpItem { placement: second, uid: Some(9), landed: false }]);
    kit.done(op.id, vec![(second, 3)]);
    assert_eq!(kit.reader.uids(trash).unwrap().to_string(), "3");
    assert!(kit.mails(archive).is_empty() && kit.mails(kit.inbox).is_empty());
}

#[test]
fn i1_a_uid_in_one_folder_is_never_given_to_a_copy_in_another() {
    let kit = Kit::server();
    let (archive, trash) = (kit.folder(Role::Archive), kit.folder(Role::Trash));
    let message = kit.bring(mail(kit.inbox, 1));
    let first = kit.copy(kit.inbox, message);
    kit.transfer(&[first], Role::Archive);
    let early = kit.ops().remove(0).id;
    kit.run(early);
    kit.commit([Step::OpFailed { op: early, error: "the line broke".into(), retry_at: Some(NOW + 60) }]);
    // An equal copy of somebody else's comes into the target, and is taken for the one that was put there.
    kit.bring(Incoming { uid: Some(50), ..mail(archive, 1) });
    kit.transfer(&[kit.copy(archive, message)], Role::Trash);
    let late = kit.ops().remove(0);
    assert_ne!(late.id, early);
    kit.run(late.id);
    // The server does not say where it put that one.
    kit.done(late.id, vec![]);
    // The first is tried again: what it puts into the target is in the target.
    kit.run(early);
    kit.done(early, vec![(first, 60)]);
    assert_eq!(kit.reader.uids(archive).unwrap().to_string(), "60");
    assert_eq!(kit.reader.uids(trash).unwrap().to_string(), "");
    assert_eq!(subjects(&kit.mails(trash)), ["mail 1"]);
    kit.bring(mail(trash, 60));
    assert_eq!(subjects(&kit.mails(trash)), ["mail 60", "mail 1"], "another mail has that number here");
}

#[test]
fn an_action_on_mail_that_is_gone_says_so() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let copy = kit.copy(kit.inbox, message);
    kit.flag(&[copy], STAR);
    kit.commit([Step::Gone { folder: kit.inbox, uid: 1 }]);
    assert!(kit.ops().is_empty(), "an operation without its mail ends");
    let gone = Some("the mail is not there any more");
    assert_eq!(
        kit.intend(Intent::Flag { items: vec![copy], delta: READ, undoable: true }).error.as_deref(),
        gone
    );
    let to = Target::Role(Role::Trash);
    assert_eq!(kit.intend(Intent::Move { items: vec![copy], to }).error.as_deref(), gone);
    assert_eq!(kit.intend(Intent::Purge { items: vec![copy] }).error.as_deref(), gone);
    assert!(kit.intend(Intent::Undo).error.unwrap().contains("starred 1"));
    assert_eq!(kit.intend(Intent::Undo).error.as_deref(), Some("nothing to undo"));
}

#[test]
fn i1_a_uid_that_is_another_mails_or_was_given_out_before_is_not_believed() {
    let kit = Kit::server();
    let messages = [1, 2].map(|n| kit.bring(mail(kit.inbox, n)));
    let archive = kit.folder(Role::Archive);
    let other = kit.bring(mail(archive, 7));
    let at = Cursor { validity: 1, uidnext: 8, modseq: 0, backfill: 1 };
    kit.commit([Step::Cursor { folder: archive, cursor: at }]);
    for (message, lie) in messages.into_iter().zip([7, 3]) {
        let items = vec![kit.copy(kit.inbox, message)];
        kit.act(Intent::Copy { items, to: Target::Role(Role::Archive) });
        let op = kit.ops().remove(0);
        kit.run(op.id);
        kit.done(op.id, vec![(op.items[0].placement, lie)]);
        assert!(kit.reader.uids(archive).unwrap().iter().eq([7]), "{lie}");
    }
    // Both mails are there as they were; the copies wait for a look at the folder.
    assert_eq!(kit.reader.summary(kit.copy(archive, other)).unwrap().unwrap().message, other);
    assert_eq!(kit.reader.doubt(archive).unwrap(), Doubt::Awaited);
    kit.check();
}

#[test]
fn a_missing_folder_of_a_role_is_made_on_the_server_first() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    kit.transfer(&[kit.copy(kit.inbox, message)], Role::Junk);
    let junk = kit.folder(Role::Junk);
    assert_eq!(subjects(&kit.mails(junk)), ["mail 1"]);
    assert_eq!(kit.reader.folder(junk).unwrap().unwrap().remote, "", "not there yet");
    let ops = kit.ops();
    assert_eq!(ops.len(), 1);
    assert_eq!(ops[0].kind, OpKind::Mkdir { folder: junk, path: "Junk".to_owned() });
    kit.commit([Step::OpDone { op: ops[0].id, moved: vec![], created: Some("INBOX.Junk".to_owned()) }]);
    assert_eq!(kit.reader.folder(junk).unwrap().unwrap().remote, "INBOX.Junk");
    assert_eq!(kit.ops()[0].kind, OpKind::Move(junk));
    // The next listing names it as it was made.
    let mut specs = vec![spec("Inbox", Some(Role::Inbox)), spec("Archive", Some(Role::Archive))];
    specs.push(FolderSpec { remote: "INBOX.Junk".to_owned(), ..spec("Junk", None) });
    kit.commit([Step::Folders(specs)]);
    assert_eq!(kit.folder(Role::Junk), junk, "a role that the server gives to none stays");
    kit.check();
}

#[test]
fn a_folder_that_was_listed_before_it_was_told_as_made_is_one_folder() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    kit.transfer(&[kit.copy(kit.inbox, message)], Role::Junk);
    let mkdir = kit.ops().remove(0).id;
    let other_name = FolderSpec { remote: "Spam".to_owned(), ..spec("Spam", None) };
    let inbox = spec("Inbox", Some(Role::Inbox));
    kit.commit([Step::Folders(vec![inbox, other_name])]);
    kit.commit([Step::OpDone { op: mkdir, moved: vec![], created: Some("Spam".to_owned()) }]);
    let folders = kit.reader.folders(kit.account).unwrap();
    let spam: Vec<_> = folders.iter().filter(|folder| folder.remote == "Spam").collect();
    assert_eq!(spam.len(), 1);
    assert_eq!(subjects(&kit.mails(spam[0].id)), ["mail 1"]);
    assert_eq!(kit.ops()[0].kind, OpKind::Move(spam[0].id));
    kit.check();
}

#[test]
fn a_copy_is_a_second_row_and_its_undo_takes_it_away() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let message = kit.bring(mail(kit.inbox, 1));
    let copy = kit.copy(kit.inbox, message);
    let before = kit.world();
    let intent = Intent::Copy { items: vec![copy], to: Target::Folder(archive) };
    assert_eq!(kit.act(intent.clone()), "copied 1 to Archive");
    assert_eq!((kit.mails(kit.inbox).len(), kit.mails(archive).len()), (1, 1));
    assert_eq!(kit.intend(intent.clone()).error.as_deref(), Some("nothing to change"));
    kit.act(Intent::Undo);
    assert_eq!(kit.world(), before);
    assert!(kit.ops().is_empty());
    kit.act(intent);
    let op = kit.ops().remove(0);
    kit.run(op.id);
    kit.done(op.id, vec![(copy, 5)]);
    kit.act(Intent::Undo);
    assert_eq!(kit.world(), before);
    assert_eq!(kit.ops()[0].kind, OpKind::Delete);
    let delete = kit.ops().remove(0);
    assert_eq!((delete.folder, delete.items[0].uid), (Some(archive), Some(5)));
    kit.done(delete.id, vec![]);
    assert!(kit.reader.uids(archive).unwrap().is_empty());
}

#[test]
fn a_copy_that_is_the_last_one_is_not_taken_back() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let first = kit.copy(kit.inbox, message);
    let archive = kit.folder(Role::Archive);
    kit.act(Intent::Copy { items: vec![first], to: Target::Role(Role::Archive) });
    let op = kit.ops().remove(0);
    kit.run(op.id);
    kit.done(op.id, vec![(first, 7)]);
    // Another client removed the original meanwhile.
    kit.commit([Step::Gone { folder: kit.inbox, uid: 1 }]);
    assert!(kit.intend(Intent::Undo).error.is_some());
    assert_eq!(subjects(&kit.mails(archive)), ["mail 1"]);
    assert!(kit.ops().is_empty());
}

#[test]
fn a_purged_mail_is_hidden_until_the_server_has_heard() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let items = vec![kit.copy(kit.inbox, message)];
    let outcome = kit.intend(Intent::Purge { items });
    assert_eq!((outcome.label.as_str(), outcome.undoable), ("deleted 1 for good", false));
    assert!(kit.mails(kit.inbox).is_empty());
    // A pull does not bring it back.
    kit.bring(mail(kit.inbox, 1));
    assert!(kit.mails(kit.inbox).is_empty());
    let op = kit.ops().remove(0);
    assert_eq!(op.kind, OpKind::Delete);
    kit.done(op.id, vec![]);
    assert_eq!(kit.reader.read_body(message, &mut |_| Ok(())).unwrap_err().kind(), mailtui::Kind::Gone);
}

#[test]
fn a2_what_was_refused_is_kept_and_shown() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let copy = kit.copy(kit.inbox, message);
    kit.flag(&[copy], STAR);
    let op = kit.ops().remove(0).id;
    kit.run(op);
    kit.commit([Step::OpFailed { op, error: "the mailbox is read-only".to_owned(), retry_at: None }]);
    assert!(kit.ops().is_empty());
    assert_eq!(kit.mails(kit.inbox)[0].1, Flags::FLAGGED, "the local effect stays");
    let conflicts = kit.reader.conflicts(kit.account).unwrap();
    assert_eq!(conflicts, [Conflict { op, error: "the mailbox is read-only".to_owned() }]);
    // A move of the mail is not held up, and takes the conflict with it.
    kit.transfer(&[copy], Role::Archive);
    let moved = kit.ops().remove(0).id;
    kit.done(moved, vec![(copy, 3)]);
    assert_eq!(kit.reader.conflicts(kit.account).unwrap().len(), 1);
    assert_eq!(kit.mails(kit.folder(Role::Archive))[0].1, Flags::FLAGGED);
}

#[test]
fn a2_undoing_what_was_refused_ends_it() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    let before = kit.world();
    kit.transfer(&[copy], Role::Archive);
    let op = kit.ops().remove(0).id;
    kit.run(op);
    kit.commit([Step::OpFailed { op, error: "over quota".to_owned(), retry_at: None }]);
    kit.act(Intent::Undo);
    assert_eq!(kit.world(), before);
    assert!(kit.reader.conflicts(kit.account).unwrap().is_empty());
}

#[test]
fn i2_what_was_queued_for_a_mail_that_is_not_found_again_becomes_a_conflict() {
    let kit = Kit::server();
    let messages = kit.commit((1..=3).map(|n| Step::Message(Box::new(mail(kit.inbox, n))))).messages;
    let copies: Vec<_> = messages.iter().map(|m| kit.copy(kit.inbox, *m)).collect();
    kit.flag(&copies, STAR);
    kit.commit([Step::Reset { folder: kit.inbox, validity: 2 }]);
    kit.bring(Incoming { uid: Some(11), ..mail(kit.inbox, 1) });
    kit.bring(Incoming { uid: Some(12), ..mail(kit.inbox, 2) });
    kit.commit([Step::Synced { folder: kit.inbox, at: NOW }]);
    kit.check();
    assert_eq!(kit.mails(kit.inbox).iter().filter(|(_, flags)| flags.has(Flags::FLAGGED)).count(), 3);
    let ops = kit.ops();
    assert_eq!(ops.len(), 1);
    assert_eq!(ops[0].items.iter().filter_map(|item| item.uid).collect::<Vec<_>>(), [11, 12]);
    assert_eq!(kit.reader.conflicts(kit.account).unwrap().len(), 1);
}

#[test]
fn running_operations_are_queued_again_at_the_next_start() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    kit.flag(&[copy], STAR);
    let op = kit.ops().remove(0).id;
    kit.run(op);
    // Another process opens the store: the op stays with the one that runs it, till the account changes hands.
    let other = open(kit.dir.path(), &kit.clock);
    assert!(kit.ops().is_empty());
    let lock = other.lock_account(kit.account, "work").unwrap();
    assert!(matches!(lock, Locked::Mine(_)));
    assert_eq!(kit.ops()[0].id, op);
    assert!(matches!(kit.store.lock_account(kit.account, "work").unwrap(), Locked::Held(_)));
}

#[test]
fn p12_where_the_truth_is_here_everything_is_done_at_once() {
    let kit = Kit::new(Owner::Here);
    let (archive, trash) = (kit.folder(Role::Archive), kit.folder(Role::Trash));
    let messages = kit.commit((1..=4).map(|n| Step::Message(Box::new(popped(kit.inbox, n))))).messages;
    let before = kit.world();
    let copy = |n: usize| kit.copy(kit.inbox, messages[n]);
    kit.flag(&[copy(0), copy(1)], READ);
    assert_eq!(kit.transfer(&[copy(0)], Role::Archive), "archived 1");
    assert_eq!(kit.transfer(&[copy(1), copy(2)], Role::Trash), "moved 2 to Trash");
    kit.act(Intent::Copy { items: vec![copy(3)], to: Target::Folder(archive) });
    assert_eq!((kit.mails(kit.inbox).len(), kit.mails(archive).len(), kit.mails(trash).len()), (1, 2, 2));
    assert!(kit.ops().is_empty());
    assert_eq!(kit.reader.ops_waiting(kit.account).unwrap(), 0);
    for _ in 0..4 {
        kit.act(Intent::Undo);
    }
    assert_eq!(kit.world(), before);
    for _ in 0..4 {
        kit.act(Intent::Redo);
    }
    assert_eq!((kit.mails(kit.inbox).len(), kit.mails(archive).len(), kit.mails(trash).len()), (1, 2, 2));
}

#[test]
fn an_outcome_is_told_to_everyone() {
    let kit = Kit::server();
    let copy = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 1)));
    while kit.changes.try_recv().is_ok() {}
    kit.store.intend(Intent::Flag { items: vec![copy], delta: STAR, undoable: true });
    let changed = kit.changes.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(changed.outcome.unwrap().label, "starred 1");
    assert_eq!((changed.folders, changed.ops), (vec![kit.inbox], vec![kit.account]));
}
