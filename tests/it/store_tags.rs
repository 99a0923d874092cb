//! Tags: what the user sees, what the server has, and what of it is queued.

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, mail, popped};

impl Kit {
    fn tag(&self, items: &[PlacementId], add: &[&str], del: &[&str]) -> Outcome {
        let owned = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect();
        let intent = Intent::Tag { items: items.to_vec(), add: owned(add), del: owned(del) };
        let outcome = self.store.intend_wait(intent).unwrap();
        self.check();
        outcome
    }

    fn again(&self, intent: Intent) -> String {
        let outcome = self.store.intend_wait(intent).unwrap();
        self.check();
        assert_eq!(outcome.error, None);
        outcome.label
    }

    /// The tags that are seen on the only mail of a folder.
    fn tags(&self, folder: FolderId) -> Vec<String> {
        let row = self.top(folder).remove(0);
        assert_eq!(row.tags, row.head.tags);
        assert_eq!(self.reader.record(row.head.placement).unwrap().tags, row.tags, "what scripts see");
        row.tags.iter().map(ToString::to_string).collect()
    }

    /// The keywords that the server said last.
    fn there(&self, folder: FolderId) -> Vec<String> {
        let mut there = self.reader.base_flags(folder).unwrap().remove(0).2;
        there.sort();
        there
    }

    fn told(&self, folder: FolderId, uid: u32, keywords: &[&str]) {
        let keywords = keywords.iter().map(|&k| k.to_owned()).collect();
        self.commit([Step::Flags { folder, uid, flags: Flags::NONE, keywords }]);
        self.check();
    }

    fn push(&self, unkept: &[&str]) {
        let op = self.ops().remove(0);
        self.commit([Step::OpRunning(op.id)]);
        let tags = unkept.iter().map(|&tag| tag.to_owned()).collect();
        self.commit([
            Step::Unkept { op: op.id, tags },
            Step::OpDone { op: op.id, moved: vec![], created: None },
        ]);
        self.check();
    }

    /// A mail in the inbox, with these keywords on the server.
    fn one(&self, keywords: &[&str]) -> PlacementId {
        let keywords = keywords.iter().map(|&k| k.to_owned()).collect();
        let message = self.bring(Incoming { keywords, ..mail(self.inbox, 1) });
        self.copy(self.inbox, message)
    }
}

fn marks(tag: &[&str], untag: &[&str]) -> OpKind {
    let owned = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect();
    OpKind::Flags(Marking { flags: FlagDelta::default(), tag: owned(tag), untag: owned(untag) })
}

#[test]
fn i5_a_tag_is_seen_at_once_and_queued_as_what_really_changes() {
    let kit = Kit::server();
    let copy = kit.one(&["Work", "old"]);
    let done = kit.tag(&[copy], &["todo", "work"], &["old", "never"]);
    assert_eq!((done.label.as_str(), done.undoable), ("changed the tags of 1", true));
    assert_eq!(kit.tags(kit.inbox), ["Work", "todo"]);
    assert_eq!(kit.ops()[0].kind, marks(&["todo"], &["old"]), "not what it has, not what it lacks");
    // Another client's news lies below what is queued.
    kit.told(kit.inbox, 1, &["Work", "old", "theirs"]);
    assert_eq!(kit.tags(kit.inbox), ["Work", "theirs", "todo"]);
    kit.told(kit.inbox, 1, &[]);
    assert_eq!(kit.tags(kit.inbox), ["todo"]);
    kit.told(kit.inbox, 1, &["TODO"]);
    kit.push(&[]);
    assert_eq!(
        (kit.tags(kit.inbox), kit.there(kit.inbox)),
        (vec!["todo".to_owned()], vec!["todo".to_owned()])
    );
    // From now on the server rules again.
    kit.told(kit.inbox, 1, &[]);
    assert!(kit.tags(kit.inbox).is_empty());
    assert_eq!(kit.tag(&[copy], &[], &["todo"]).error.as_deref(), Some("nothing to change"));
}

#[test]
fn a1_tags_are_undone_before_and_after_the_push() {
    let kit = Kit::server();
    let copy = kit.one(&[]);
    assert_eq!(kit.tag(&[copy], &["todo"], &[]).label, "tagged 1 with todo");
    assert_eq!(kit.again(Intent::Undo), "undid: tagged 1 with todo");
    assert!(kit.tags(kit.inbox).is_empty() && kit.ops().is_empty(), "what was not tried is cancelled");
    assert_eq!(kit.again(Intent::Redo), "redid: tagged 1 with todo");
    kit.push(&[]);
    assert_eq!(kit.there(kit.inbox), ["todo"]);
    kit.again(Intent::Undo);
    assert_eq!(kit.ops()[0].kind, marks(&[], &["todo"]));
    assert!(kit.tags(kit.inbox).is_empty());
    // Set again before the server heard of it: nothing is to be told.
    kit.tag(&[copy], &["todo"], &[]);
    assert!(kit.ops().is_empty());
    kit.tag(&[copy], &[], &["todo"]);
    kit.push(&[]);
    assert!(kit.there(kit.inbox).is_empty() && kit.tags(kit.inbox).is_empty());
}

#[test]
fn a_tag_that_another_client_set_too_stays_when_ours_is_taken_back() {
    let kit = Kit::server();
    let copy = kit.one(&[]);
    kit.tag(&[copy], &["todo"], &[]);
    kit.told(kit.inbox, 1, &["todo"]);
    kit.again(Intent::Undo);
    assert_eq!((kit.tags(kit.inbox), kit.ops().len()), (vec!["todo".to_owned()], 0));
}

#[test]
fn a_tag_changed_while_its_operation_runs_keeps_the_last_word() {
    let kit = Kit::server();
    let copy = kit.one(&[]);
    kit.tag(&[copy], &["todo"], &[]);
    let first = kit.ops().remove(0).id;
    kit.commit([Step::OpRunning(first)]);
    kit.tag(&[copy], &[], &["todo"]);
    kit.commit([Step::OpDone { op: first, moved: vec![], created: None }]);
    assert_eq!((kit.tags(kit.inbox).len(), kit.there(kit.inbox)), (0, vec!["todo".to_owned()]));
    kit.told(kit.inbox, 1, &["todo"]);
    assert!(kit.tags(kit.inbox).is_empty());
    kit.push(&[]);
    assert!(kit.there(kit.inbox).is_empty());
}

#[test]
fn a8_a_tag_that_the_server_does_not_keep_stays_here() {
    let kit = Kit::server();
    let copy = kit.one(&[]);
    kit.tag(&[copy], &["here", "there"], &[]);
    kit.push(&["here"]);
    assert_eq!((kit.there(kit.inbox), kit.ops().len()), (vec!["there".to_owned()], 0));
    for keywords in [&["there"][..], &["there", "more"], &[]] {
        kit.told(kit.inbox, 1, keywords);
        assert!(kit.tags(kit.inbox).contains(&"here".to_owned()), "{keywords:?}");
    }
    // It goes with the mail, and away when the user says so.
    kit.again(Intent::Move { items: vec![copy], to: Target::Role(Role::Archive) });
    let archive = kit.folder(Role::Archive);
    let op = kit.ops().remove(0);
    kit.commit([Step::OpRunning(op.id)]);
    kit.commit([Step::OpDone { op: op.id, moved: vec![(copy, 50)], created: None }]);
    kit.told(archive, 50, &[]);
    assert_eq!(kit.tags(archive), ["here"]);
    let copy = kit.top(archive)[0].head.placement;
    kit.tag(&[copy], &[], &["HERE"]);
    assert!(kit.tags(archive).is_empty());
    kit.push(&["here"]);
    kit.told(archive, 50, &[]);
    assert!(kit.tags(archive).is_empty());
}

#[test]
fn a_tag_goes_with_a_mail_that_moves_and_is_set_on_every_copy() {
    let kit = Kit::server();
    let archive = kit.folder(Role::Archive);
    let copy = kit.one(&["old"]);
    kit.tag(&[copy], &["todo"], &[]);
    kit.again(Intent::Move { items: vec![copy], to: Target::Folder(archive) });
    assert_eq!(kit.tags(archive), ["old", "todo"]);
    kit.push(&[]);
    let op = kit.ops().remove(0);
    kit.commit([Step::OpRunning(op.id)]);
    // A look at the target came first.
    let keywords = vec!["old".to_owned(), "todo".to_owned()];
    kit.commit([Step::Message(Box::new(Incoming { uid: Some(50), keywords, ..mail(archive, 1) }))]);
    kit.commit([Step::OpDone { op: op.id, moved: vec![(copy, 50)], created: None }]);
    kit.check();
    assert_eq!(
        (kit.tags(archive), kit.there(archive)),
        (kit.there(archive), vec!["old".into(), "todo".into()])
    );
    let moved = kit.top(archive)[0].head.placement;
    kit.again(Intent::Copy { items: vec![moved], to: Target::Role(Role::Sent) });
    kit.tag(&[moved], &["both"], &["old"]);
    for folder in [archive, kit.folder(Role::Sent)] {
        assert_eq!(kit.tags(folder), ["both", "todo"]);
    }
    kit.again(Intent::Undo);
    for folder in [archive, kit.folder(Role::Sent)] {
        assert_eq!(kit.tags(folder), ["old", "todo"]);
    }
}

#[test]
fn p12_without_a_server_a_tag_is_all_there_is() {
    let kit = Kit::new(Owner::Here);
    let message = kit.bring(popped(kit.inbox, 1));
    let copy = kit.copy(kit.inbox, message);
    kit.tag(&[copy], &["Büro", "todo"], &[]);
    assert_eq!((kit.tags(kit.inbox), kit.ops().len()), (vec!["Büro".to_owned(), "todo".to_owned()], 0));
    kit.again(Intent::Move { items: vec![copy], to: Target::Role(Role::Archive) });
    assert_eq!(kit.tags(kit.folder(Role::Archive)), ["Büro", "todo"]);
    assert_eq!(kit.reader.tag_names("T", 9).unwrap(), ["todo"]);
    assert_eq!(kit.reader.tag_names("", 9).unwrap(), ["Büro", "todo"]);
    kit.again(Intent::Undo);
    assert_eq!(kit.again(Intent::Undo), "undid: tagged 1 with Büro todo");
    assert!(kit.tags(kit.inbox).is_empty() && kit.reader.tag_names("", 9).unwrap().is_empty());
}

#[test]
fn x4_a_name_that_cannot_be_a_tag_is_refused_in_words() {
    let kit = Kit::server();
    let copy = kit.one(&["weird)name"]);
    for bad in ["a b", "a\r\nx LOGOUT", "\\Seen", "a\"", ""] {
        assert!(kit.tag(&[copy], &["fine", bad], &[]).error.is_some_and(|why| why.contains("tag")), "{bad}");
    }
    assert!(kit.ops().is_empty());
    // What a server wrote can be taken away, whatever it is called.
    assert_eq!(kit.tag(&[copy], &[], &["weird)name"]).error, None);
}
