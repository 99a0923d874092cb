//! Mail between accounts (promises I7, I13): what the store does of it, with servers played by hand.

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, NOW, mail, packed, popped, spec};

/// Subjects and flags.
type Mails = Vec<(String, Flags)>;

/// A second account beside the first.
struct Far {
    kit: Kit,
    home: AccountId,
    archive: FolderId,
}

/// The account `work` is of one kind, `home` of another.
fn far(work: Owner, home: Owner) -> Far {
    let kit = if work == Owner::Server { Kit::server() } else { Kit::new(work) };
    let id = kit.store.account("home", "memory", home, "ada@home.example").unwrap();
    let far = Far { archive: FolderId(0), home: id, kit };
    if home == Owner::Server {
        far.commit([Step::Folders(
            [Role::Inbox, Role::Archive].map(|role| spec(role.title(), Some(role))).to_vec(),
        )]);
    }
    let archive = far.kit.reader.folder_by_role(id, Role::Archive).unwrap().unwrap().id;
    Far { archive, ..far }
}

impl Far {
    /// What the engine of `home` commits.
    fn commit(&self, steps: impl IntoIterator<Item = Step>) -> Committed {
        self.kit.store.commit(Batch { account: self.home, steps: steps.into_iter().collect() }).unwrap()
    }

    #[track_caller]
    fn act(&self, intent: Intent) -> String {
        let outcome = self.kit.store.intend_wait(intent).unwrap();
        assert_eq!(outcome.error, None);
        self.kit.check();
        outcome.label
    }

    fn send(&self, copy: PlacementId) -> String {
        self.act(Intent::Move { items: vec![copy], to: Target::Folder(self.archive) })
    }

    fn ops(&self) -> Vec<Op> {
        self.kit.reader.ops(self.home, NOW, 100).unwrap()
    }

    fn waiting(&self) -> (u64, u64) {
        let of = |account| self.kit.reader.ops_waiting(account).unwrap();
        (of(self.kit.account), of(self.home))
    }

    fn parcel(&self) -> (OpId, PlacementId, Parcel) {
        match &self.ops()[..] {
            [Op { id, kind: OpKind::Append(parcel), items, .. }] => (*id, items[0].placement, *parcel),
            other => panic!("{other:?}"),
        }
    }

    fn start(&self, op: OpId, uidnext: u32) {
        self.commit([Step::OpMarked { op, mark: Mark { validity: 5, uidnext } }, Step::OpRunning(op)]);
    }

    fn done(&self, op: OpId, item: PlacementId, uid: Option<u32>) {
        let moved = uid.map(|uid| (item, uid)).into_iter().collect();
        self.commit([Step::OpDone { op, moved, created: None }]);
        self.kit.check();
    }

    fn fail(&self, op: OpId, retry_at: Option<i64>) {
        self.commit([Step::OpFailed { op, error: "the server said no".to_owned(), retry_at }]);
        self.kit.check();
    }

    /// The mails of both: here in the inbox, there in the archive.
    fn both(&self) -> (Mails, Mails) {
        (self.kit.mails(self.kit.inbox), self.kit.mails(self.archive))
    }

    fn raw_at(&self, folder: FolderId) -> Vec<u8> {
        let rows = self.kit.top(folder);
        self.kit.reader.raw(rows[0].head.message, 1 << 24).unwrap()
    }

    /// What waits, in words.
    fn ledger(&self) -> Vec<String> {
        let of = |account| self.kit.reader.ledger(account, None, 100).unwrap();
        [of(self.kit.account), of(self.home)].concat().iter().map(|entry| entry.what.to_string()).collect()
    }

    fn undo(&self) -> String {
        self.act(Intent::Undo)
    }
}

const RAW: &[u8] = b"Subject: mail 1\r\nMessage-ID: <m1@example.org>\r\n\r\nbody of 1\r\n";

/// Mail 1 as it lies in a folder of a server, whole.
fn whole(folder: FolderId) -> Incoming {
    Incoming {
        flags: Flags::SEEN | Flags::FLAGGED,
        keywords: vec!["$Work".to_owned()],
        internal: 1_234_567_890,
        body: Some(packed(RAW)),
        ..mail(folder, 1)
    }
}

/// Mail 1 in the inbox of `work`; its copy.
fn brought(far: &Far) -> PlacementId {
    let message = far.kit.bring(whole(far.kit.inbox));
    far.kit.copy(far.kit.inbox, message)
}

fn one(flags: Flags) -> Mails {
    vec![("mail 1".to_owned(), flags)]
}

#[test]
fn i13_a_mail_leaves_its_server_only_when_the_other_has_it() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    assert_eq!(far.send(copy), "moved 1 to home: Archive");
    // Seen at once on both sides, with everything that belongs to it.
    assert_eq!(far.both(), (vec![], one(Flags::SEEN | Flags::FLAGGED)));
    assert_eq!(far.raw_at(far.archive), RAW);
    assert_eq!(far.waiting(), (1, 1));
    assert_eq!(far.kit.ops(), [], "the deletion waits for the other account");
    let (op, item, parcel) = far.parcel();
    assert_eq!((parcel.folder, parcel.make, parcel.mark), (far.archive, true, None));
    let posting = far.kit.reader.posting(item).unwrap().unwrap();
    assert_eq!((posting.flags, posting.size), (Flags::SEEN | Flags::FLAGGED, RAW.len() as u64));
    assert_eq!((posting.keywords, posting.received), (vec!["$Work".to_owned()], 1_234_567_890));
    far.start(op, 9);
    assert_eq!(far.kit.ops(), []);
    assert_eq!(far.ledger(), ["move 1 mail from Inbox of work to Archive"], "both halves are one matter");
    while far.kit.changes.try_recv().is_ok() {}
    far.done(op, item, Some(9));
    assert_eq!(far.ledger(), ["take 1 mail out of Inbox, now that the copy is elsewhere"]);
    let changed = far.kit.changes.recv().unwrap();
    assert_eq!(changed.ops, [far.kit.account, far.home], "both engines are woken");
    let ops = far.kit.ops();
    assert_eq!((ops.len(), &ops[0].kind, ops[0].items[0].uid), (1, &OpKind::Delete, Some(1)));
    far.kit.commit([Step::OpRunning(ops[0].id)]);
    far.kit.commit([Step::OpDone { op: ops[0].id, moved: vec![], created: None }]);
    far.kit.check();
    assert_eq!(far.waiting(), (0, 0));
    assert_eq!(far.both(), (vec![], one(Flags::SEEN | Flags::FLAGGED)));
    // The next look at the server finds what is known.
    let there = Incoming { uid: Some(9), ..whole(far.archive) };
    far.commit([Step::Message(Box::new(there))]);
    assert_eq!(far.kit.mails(far.archive).len(), 1);
    far.kit.check();
}

#[test]
fn a1_before_the_push_a_far_move_is_cancelled_without_a_trace() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.send(copy);
    assert_eq!(far.undo(), "undid: moved 1 to home: Archive");
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    assert_eq!(far.waiting(), (0, 0));
    assert_eq!(far.act(Intent::Redo), "redid: moved 1 to home: Archive");
    assert_eq!(far.waiting(), (1, 1));
    // To take it back by hand is the same.
    let there = far.kit.top(far.archive)[0].head.placement;
    far.act(Intent::Move { items: vec![there], to: Target::Folder(far.kit.inbox) });
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    assert_eq!(far.waiting(), (0, 0));
}

#[test]
fn a1_a_far_move_that_was_taken_back_by_hand_and_done_again_is_undone_step_by_step() {
    let far = far(Owner::Server, Owner::Server);
    far.send(brought(&far));
    let there = far.kit.top(far.archive)[0].head.placement;
    far.act(Intent::Move { items: vec![there], to: Target::Folder(far.kit.inbox) });
    far.send(far.kit.top(far.kit.inbox)[0].head.placement);
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    far.done(op, item, Some(9));
    let delete = far.kit.ops()[0].id;
    far.kit.commit([Step::OpRunning(delete), Step::OpDone { op: delete, moved: vec![], created: None }]);
    let (here, there) = ("undid: moved 1 to work: Inbox", "undid: moved 1 to home: Archive");
    let mail = || one(Flags::SEEN | Flags::FLAGGED);
    for (said, both) in [(there, (mail(), vec![])), (here, (vec![], mail())), (there, (mail(), vec![]))] {
        assert_eq!((far.undo().as_str(), far.both()), (said, both));
    }
    for both in [(vec![], mail()), (mail(), vec![]), (vec![], mail())] {
        far.act(Intent::Redo);
        assert_eq!(far.both(), both);
    }
    far.kit.check();
}

#[test]
fn a1_after_the_push_the_mail_goes_back_as_it_came() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.send(copy);
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    far.done(op, item, Some(9));
    let delete = far.kit.ops().remove(0).id;
    far.kit.commit([Step::OpRunning(delete), Step::OpDone { op: delete, moved: vec![], created: None }]);
    assert_eq!(far.undo(), "undid: moved 1 to home: Archive");
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    assert_eq!(far.raw_at(far.kit.inbox), RAW);
    assert_eq!(far.ops(), [], "there it goes when it is here");
    let ops = far.kit.ops();
    let OpKind::Append(parcel) = ops[0].kind else { panic!("{ops:?}") };
    assert_eq!(parcel.folder, far.kit.inbox);
    let posting = far.kit.reader.posting(ops[0].items[0].placement).unwrap().unwrap();
    assert_eq!((posting.keywords, posting.received), (vec!["$Work".to_owned()], 1_234_567_890));
    far.kit.commit([Step::OpRunning(ops[0].id)]);
    let moved = vec![(ops[0].items[0].placement, 2)];
    far.kit.commit([Step::OpDone { op: ops[0].id, moved, created: None }]);
    let ops = far.ops();
    assert_eq!((&ops[0].kind, ops[0].items[0].uid), (&OpKind::Delete, Some(9)));
    far.commit([Step::OpRunning(ops[0].id), Step::OpDone { op: ops[0].id, moved: vec![], created: None }]);
    far.kit.check();
    // And once more, with nothing forgotten on the way.
    assert_eq!(far.act(Intent::Redo), "redid: moved 1 to home: Archive");
    assert_eq!(far.both(), (vec![], one(Flags::SEEN | Flags::FLAGGED)));
}

#[test]
fn a1_between_both_halves_only_the_copy_goes() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.send(copy);
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    far.done(op, item, Some(9));
    far.undo();
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    assert_eq!(far.kit.ops(), [], "the mail never left this server");
    assert_eq!(far.ops()[0].kind, OpKind::Delete);
}

#[test]
fn a1_a_far_move_whose_answer_was_lost_can_be_undone() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.send(copy);
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    far.fail(op, Some(NOW));
    far.undo();
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    let (op2, item2, parcel) = far.parcel();
    assert_eq!((op2, item2, parcel.leaving), (op, item, true));
    assert_eq!(parcel.mark, Some(Mark { validity: 5, uidnext: 9 }));
    // It was not there: then nothing is left to do. Had it been there, it would be deleted.
    far.commit([Step::OpRunning(op)]);
    far.fail(op, None);
    assert_eq!(far.waiting(), (0, 0));
    assert_eq!(far.kit.reader.conflicts(far.home).unwrap(), []);
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
}

#[test]
fn i13_a_refusal_leaves_the_mail_where_it_is_and_says_so_once() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.send(copy);
    let (op, ..) = far.parcel();
    far.start(op, 9);
    far.fail(op, None);
    assert_eq!(far.kit.reader.conflicts(far.home).unwrap()[0].error, "the server said no");
    assert_eq!(far.kit.reader.conflicts(far.kit.account).unwrap(), []);
    assert_eq!((far.kit.ops(), far.ops()), (vec![], vec![]), "nothing is deleted");
    assert_eq!(far.undo(), "undid: moved 1 to home: Archive");
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    assert_eq!(far.waiting(), (0, 0));
}

#[test]
fn i7_a_look_at_the_folder_adopts_what_was_put_there_and_nothing_else() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.commit([Step::Cursor {
        folder: far.archive,
        cursor: Cursor { validity: 5, uidnext: 9, modseq: 0, backfill: 1 },
    }]);
    far.send(copy);
    let (op, item, _) = far.parcel();
    let seen_at = |uid: u32, size: u64| {
        let there = Incoming { uid: Some(uid), size, body: None, ..whole(far.archive) };
        far.commit([Step::Message(Box::new(there))]);
        far.kit.check();
        far.kit.mails(far.archive).len()
    };
    let size = RAW.len() as u64;
    // Another program had put the same mail there before.
    assert_eq!(seen_at(7, size), 2);
    far.start(op, 9);
    far.fail(op, Some(NOW));
    assert_eq!(seen_at(8, size), 3, "it was there before the first try");
    // The server added a header.
    let mut touched = Incoming { uid: Some(9), size: size + 30, body: None, ..whole(far.archive) };
    touched.envelope.head_hash = [9; 32];
    let forged = Incoming {
        uid: Some(10),
        envelope: Envelope { subject: "another".to_owned(), ..touched.envelope.clone() },
        ..touched.clone()
    };
    far.commit([Step::Message(Box::new(forged))]);
    assert_eq!(far.kit.mails(far.archive).len(), 4, "a Message-ID alone proves nothing");
    far.commit([Step::Message(Box::new(touched))]);
    assert_eq!(far.kit.mails(far.archive).len(), 4);
    let ops = far.ops();
    assert_eq!((ops[0].id, ops[0].items[0].placement, ops[0].items[0].uid), (op, item, Some(9)));
    far.commit([Step::OpRunning(op)]);
    far.done(op, item, None);
    assert_eq!(far.kit.ops()[0].kind, OpKind::Delete);
}

#[test]
fn i7_a_uid_that_a_look_brought_first_belongs_to_the_mail_that_was_put_there() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.send(copy);
    let message = far.kit.top(far.archive)[0].head.message;
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    // So much touched that the look did not know it.
    let mut other = mail(far.archive, 9);
    other.envelope.msgid = String::new();
    far.commit([Step::Message(Box::new(other))]);
    assert_eq!(far.kit.mails(far.archive).len(), 2);
    far.done(op, item, Some(9));
    let rows = far.kit.top(far.archive);
    assert_eq!((rows.len(), rows[0].head.message), (1, message), "undo still knows it");
    far.undo();
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
}

#[test]
fn i7_without_a_uid_the_next_looks_bring_it() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    far.send(copy);
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    far.done(op, item, None);
    assert_eq!(far.kit.reader.doubt(far.archive).unwrap(), Doubt::Awaited);
    let there = Incoming { uid: Some(9), size: RAW.len() as u64, body: None, ..whole(far.archive) };
    far.commit([Step::Message(Box::new(there)), Step::Synced { folder: far.archive, at: NOW }]);
    assert_eq!(far.kit.mails(far.archive).len(), 1);
    assert_eq!(far.kit.reader.doubt(far.archive).unwrap(), Doubt::None);
    far.kit.check();
}

#[test]
fn i13_a_mail_without_its_text_waits_for_it() {
    let far = far(Owner::Server, Owner::Server);
    let message = far.kit.bring(Incoming { body: None, ..whole(far.kit.inbox) });
    far.send(far.kit.copy(far.kit.inbox, message));
    assert_eq!(far.both(), (vec![], one(Flags::SEEN | Flags::FLAGGED)));
    assert_eq!(far.ops(), []);
    assert_eq!(far.ledger(), ["move 1 mail from Inbox of work to Archive, once its text is here"]);
    assert_eq!(far.kit.reader.awaited_bodies(far.kit.account).unwrap(), [message]);
    assert!(far.kit.reader.wanted_body(message).unwrap().is_some(), "it can still be fetched");
    while far.kit.changes.try_recv().is_ok() {}
    far.kit.commit([Step::Body { message, body: packed(RAW) }]);
    assert!(far.kit.changes.recv().unwrap().ops.contains(&far.home), "its engine is woken");
    assert_eq!(far.raw_at(far.archive), RAW);
    assert_eq!(far.ops().len(), 1);
    assert_eq!(far.kit.reader.awaited_bodies(far.kit.account).unwrap(), []);
    far.kit.check();
}

#[test]
fn i13_a_text_that_never_comes_is_a_conflict() {
    let far = far(Owner::Server, Owner::Server);
    let message = far.kit.bring(Incoming { body: None, ..whole(far.kit.inbox) });
    let copy = far.kit.copy(far.kit.inbox, message);
    far.send(copy);
    far.kit.commit([Step::Gone { folder: far.kit.inbox, uid: 1 }]);
    far.kit.check();
    let conflicts = far.kit.reader.conflicts(far.home).unwrap();
    assert_eq!(conflicts[0].error, "the mail was gone from its server before its text was here");
}

#[test]
fn a1_a_far_copy_is_taken_back_while_the_original_is_there() {
    let far = far(Owner::Server, Owner::Server);
    let copy = brought(&far);
    let copied = Intent::Copy { items: vec![copy], to: Target::Folder(far.archive) };
    assert_eq!(far.act(copied.clone()), "copied 1 to home: Archive");
    assert_eq!(far.waiting(), (0, 1));
    assert_eq!(far.undo(), "undid: copied 1 to home: Archive");
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    assert_eq!(far.waiting(), (0, 0));
    assert_eq!(far.act(Intent::Redo), "redid: copied 1 to home: Archive");
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    far.done(op, item, Some(9));
    let again = far.kit.store.intend_wait(copied).unwrap();
    assert_eq!(again.error.as_deref(), Some("nothing to change"), "one copy is enough");
    far.undo();
    assert_eq!(far.both(), (one(Flags::SEEN | Flags::FLAGGED), vec![]));
    assert_eq!(far.ops()[0].kind, OpKind::Delete);
    far.act(Intent::Redo);
    far.act(Intent::Purge { items: vec![copy] });
    let outcome = far.kit.store.intend_wait(Intent::Undo).unwrap();
    assert!(outcome.error.is_some(), "the copy is the last there is");
    assert_eq!(far.kit.mails(far.archive).len(), 1);
}

#[test]
fn p12_mail_of_a_maildrop_goes_to_a_server_and_back() {
    let far = far(Owner::Here, Owner::Server);
    let message = far.kit.bring(popped(far.kit.inbox, 1));
    let policy = PopPolicy { leave: mailtui::config::Leave::Forever, when_deleted_here: true };
    let wants = || far.kit.reader.pop_wants(far.kit.account, policy, NOW).unwrap();
    let raw = far.raw_at(far.kit.inbox);
    far.send(far.kit.copy(far.kit.inbox, message));
    assert_eq!(far.both(), (vec![], one(Flags::NONE)));
    assert_eq!((far.waiting(), wants()), ((1, 1), vec![]), "the maildrop keeps it as long");
    far.undo();
    assert_eq!((far.waiting(), far.both()), ((0, 0), (one(Flags::NONE), vec![])));
    far.act(Intent::Redo);
    let (op, item, _) = far.parcel();
    far.start(op, 9);
    far.done(op, item, Some(9));
    assert_eq!(far.waiting(), (0, 0), "here there is no server to be told");
    assert_eq!(wants(), [("uidl-1".to_owned(), None)]);
    far.undo();
    assert_eq!(far.both(), (one(Flags::NONE), vec![]));
    assert_eq!(far.raw_at(far.kit.inbox), raw);
    assert_eq!(wants(), [], "it is not deleted here any more");
    assert_eq!(far.ops()[0].kind, OpKind::Delete, "it is safely here: no need to wait");
    // What is seen again in the maildrop is the same mail.
    far.kit.commit([Step::Message(Box::new(popped(far.kit.inbox, 1)))]);
    assert_eq!(far.kit.mails(far.kit.inbox).len(), 1);
    far.act(Intent::Redo);
}

#[test]
fn p12_between_maildrops_a_mail_goes_at_once() {
    let far = far(Owner::Here, Owner::Here);
    let message = far.kit.bring(popped(far.kit.inbox, 1));
    let copy = far.kit.copy(far.kit.inbox, message);
    far.act(Intent::Flag { items: vec![copy], delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
    let raw = far.raw_at(far.kit.inbox);
    far.send(copy);
    assert_eq!((far.both(), far.waiting()), ((vec![], one(Flags::FLAGGED)), (0, 0)));
    assert_eq!(far.raw_at(far.archive), raw);
    far.undo();
    assert_eq!((far.both(), far.waiting()), ((one(Flags::FLAGGED), vec![]), (0, 0)));
    assert_eq!(far.undo(), "undid: starred 1", "older actions still know their mail");
    assert_eq!(far.both(), (one(Flags::NONE), vec![]));
}

#[test]
fn p12_a_mail_of_a_server_comes_to_stay_here() {
    let far = far(Owner::Server, Owner::Here);
    let message = far.kit.bring(Incoming { body: None, ..whole(far.kit.inbox) });
    far.send(far.kit.copy(far.kit.inbox, message));
    assert_eq!(far.kit.ops(), [], "it is the only copy as long as its text is not here");
    far.kit.commit([Step::Body { message, body: packed(RAW) }]);
    far.kit.check();
    assert_eq!(far.raw_at(far.archive), RAW);
    assert_eq!(far.kit.ops()[0].kind, OpKind::Delete);
    assert_eq!(far.waiting(), (1, 0));
    // No look at the maildrop takes it for gone.
    assert_eq!(far.kit.reader.doubt(far.archive).unwrap(), Doubt::None);
    for _ in 0..3 {
        far.commit([Step::Synced { folder: far.archive, at: NOW }]);
    }
    assert_eq!(far.kit.mails(far.archive).len(), 1);
}

#[test]
fn p12_half_a_mail_that_is_nowhere_else_does_not_go_away() {
    let far = far(Owner::Here, Owner::Server);
    let message = far.kit.bring(Incoming { body: None, ..popped(far.kit.inbox, 1) });
    let items = vec![far.kit.copy(far.kit.inbox, message)];
    let to = Target::Folder(far.archive);
    let outcome = far.kit.store.intend_wait(Intent::Move { items, to }).unwrap();
    assert!(outcome.error.unwrap().contains("not here yet"));
    assert_eq!((far.kit.mails(far.kit.inbox).len(), far.waiting()), (1, (0, 0)));
}

#[test]
fn i13_what_is_done_on_the_way_is_done_there() {
    let far = far(Owner::Server, Owner::Server);
    far.send(brought(&far));
    let there = far.kit.top(far.archive)[0].head.placement;
    far.act(Intent::Flag { items: vec![there], delta: FlagDelta::del(Flags::FLAGGED), undoable: true });
    let inbox = far.kit.reader.folder_by_role(far.home, Role::Inbox).unwrap().unwrap().id;
    far.act(Intent::Move { items: vec![there], to: Target::Folder(inbox) });
    let (op, item, parcel) = far.parcel();
    assert!(!parcel.leaving, "it has to be there before it can go on");
    far.start(op, 9);
    far.done(op, item, Some(9));
    let kinds: Vec<_> = far.ops().into_iter().map(|op| op.kind).collect();
    assert_eq!(kinds, [OpKind::Flags(FlagDelta::del(Flags::FLAGGED).into())], "then the move, in order");
    assert_eq!(far.kit.mails(inbox), one(Flags::SEEN));
}

#[test]
fn i7_a_restart_takes_up_what_was_running_with_its_mark() {
    let far = far(Owner::Server, Owner::Server);
    far.send(brought(&far));
    let (op, ..) = far.parcel();
    far.start(op, 9);
    assert_eq!(far.ops(), []);
    drop(far.kit.store.lock_account(far.home, "home").unwrap());
    let (_, _, parcel) = far.parcel();
    assert_eq!(parcel.mark, Some(Mark { validity: 5, uidnext: 9 }));
    // What the server refused in words was not put there: the next try is a first one.
    far.fail(op, None);
    far.commit([Step::OpFailed { op, error: String::new(), retry_at: Some(NOW) }]);
    assert_eq!(far.parcel().2.mark, None);
}
