//! Folders made, renamed, removed and subscribed to: seen at once, queued, and back again.

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, NOW, mail, popped, spec};

impl Kit {
    fn shape(&self, intent: Intent) -> Outcome {
        let outcome = self.store.intend_wait(intent).unwrap();
        self.check();
        outcome
    }

    #[track_caller]
    fn did(&self, intent: Intent) -> String {
        let outcome = self.shape(intent);
        assert_eq!(outcome.error, None);
        outcome.label
    }

    #[track_caller]
    fn refused(&self, intent: Intent) -> String {
        self.shape(intent).error.expect("it is refused")
    }

    #[track_caller]
    fn make(&self, path: &str) -> FolderId {
        let made = self.did(Intent::MakeFolder { account: self.account, path: path.into() });
        assert_eq!(made, format!("made the folder {path}"));
        self.at(path)
    }

    fn rename(&self, folder: FolderId, path: &str) -> String {
        self.did(Intent::RenameFolder { folder, path: path.into() })
    }

    fn delete(&self, folder: FolderId, to_trash: bool) -> Intent {
        Intent::DeleteFolder { folder, to_trash }
    }

    #[track_caller]
    fn at(&self, path: &str) -> FolderId {
        let folders = self.reader.folders(self.account).unwrap();
        folders.iter().find(|f| f.path.as_str() == path).unwrap_or_else(|| panic!("no {path}")).id
    }

    /// The paths of folders without a role.
    fn paths(&self) -> Vec<String> {
        let folders = self.reader.folders(self.account).unwrap();
        folders.iter().filter(|f| f.role.is_none()).map(|f| f.path.to_string()).collect()
    }

    fn remote(&self, folder: FolderId) -> String {
        self.reader.folder(folder).unwrap().unwrap().remote
    }

    /// Carries out the only operation that is ready, which must be this one.
    #[track_caller]
    fn push_shape(&self, kind: &OpKind, created: Option<&str>) {
        let ops = self.ops();
        assert_eq!(ops.iter().map(|op| &op.kind).collect::<Vec<_>>(), [kind]);
        self.commit([Step::OpRunning(ops[0].id)]);
        let created = created.map(str::to_owned);
        self.commit([Step::OpDone { op: ops[0].id, moved: vec![], created }]);
        self.check();
    }

    /// The server lists these folders beside the usual ones.
    fn listing(&self, names: &[&str]) {
        let roles = [Role::Inbox, Role::Archive, Role::Trash, Role::Sent];
        let mut specs: Vec<_> = roles.map(|role| spec(role.title(), Some(role))).to_vec();
        specs.extend(
            names.iter().map(|name| FolderSpec { remote: name.replace('/', "."), ..spec(name, None) }),
        );
        self.commit([Step::Folders(specs)]);
        self.check();
    }

    fn breaks(&self, retry_at: Option<i64>) {
        let op = self.ops().remove(0);
        self.commit([Step::OpRunning(op.id)]);
        self.commit([Step::OpFailed { op: op.id, error: "it broke".into(), retry_at }]);
        self.check();
    }
}

fn mkdir(folder: FolderId, path: &str) -> OpKind {
    OpKind::Mkdir { folder, path: path.into() }
}

fn renaming(folder: FolderId, path: &str) -> OpKind {
    OpKind::Rename { folder, path: path.into() }
}

#[test]
fn a1_a_folder_is_made_and_taken_back() {
    let kit = Kit::server();
    let work = kit.make("Work");
    assert_eq!(kit.did(Intent::Undo), "undid: made the folder Work");
    assert!(kit.paths().is_empty() && kit.ops().is_empty(), "what was not tried is cancelled");
    assert_eq!(kit.did(Intent::Redo), "redid: made the folder Work");
    assert_eq!(kit.at("Work"), work, "under the number that other actions know");
    kit.push_shape(&mkdir(work, "Work"), Some("INBOX.Work"));
    assert_eq!(kit.remote(work), "INBOX.Work");
    kit.did(Intent::Undo);
    assert!(kit.paths().is_empty(), "gone at once");
    kit.listing(&[]);
    kit.push_shape(&OpKind::Rmdir(work), None);
    assert_eq!(kit.reader.folder(work).unwrap(), None);
    kit.did(Intent::Redo);
    kit.push_shape(&mkdir(work, "Work"), Some("Work"));
    for (path, why) in
        [("Work", "already"), ("inbox", "the inbox"), ("a//b", "level"), ("a\r\nb", "do not show")]
    {
        let told = kit.refused(Intent::MakeFolder { account: kit.account, path: path.into() });
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a1_a_rename_takes_what_lies_beneath_along_and_keeps_rows_and_mail() {
    let kit = Kit::server();
    kit.listing(&["Work", "Work/a", "Workshop"]);
    let (work, beneath) = (kit.at("Work"), kit.at("Work/a"));
    let message = kit.bring(mail(beneath, 1));
    assert_eq!(kit.rename(work, "Job"), "renamed Work to Job");
    assert_eq!(kit.paths(), ["Job", "Job/a", "Workshop"]);
    // The server has not heard of it: what it lists does not turn it back.
    kit.listing(&["Work", "Work/a", "Workshop"]);
    assert_eq!(kit.paths(), ["Job", "Job/a", "Workshop"]);
    assert_eq!(kit.did(Intent::Undo), "undid: renamed Work to Job");
    assert_eq!((kit.paths(), kit.ops().len()), (vec!["Work".into(), "Work/a".into(), "Workshop".into()], 0));
    kit.did(Intent::Redo);
    kit.push_shape(&renaming(work, "Job"), Some("Job"));
    assert_eq!((kit.remote(work), kit.remote(beneath)), ("Job".into(), "Job.a".into()));
    kit.listing(&["Job", "Job/a", "Workshop"]);
    assert_eq!((kit.at("Job"), kit.at("Job/a")), (work, beneath));
    kit.copy(beneath, message);
    kit.did(Intent::Undo);
    kit.push_shape(&renaming(work, "Work"), Some("Work"));
    assert_eq!(kit.remote(beneath), "Work.a");
    for (path, why) in [("Workshop", "already"), ("Work/a/b", "into itself"), ("Work", "already")] {
        let told = kit.refused(Intent::RenameFolder { folder: work, path: path.into() });
        assert!(told.contains(why), "{told}");
    }
    let inbox = Intent::RenameFolder { folder: kit.inbox, path: "Old".into() };
    assert_eq!(kit.refused(inbox), "the inbox keeps its name");
}

#[test]
fn a_rename_whose_answer_was_lost_is_one_folder_with_its_mail() {
    let kit = Kit::server();
    kit.listing(&["Work", "Work/a"]);
    let (work, beneath) = (kit.at("Work"), kit.at("Work/a"));
    let message = kit.bring(mail(work, 1));
    let copy = kit.copy(work, message);
    kit.rename(work, "Job");
    kit.breaks(Some(NOW));
    // Nobody knows under which name the folder is: what is done in it and beneath waits.
    let star = |items| Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true };
    kit.did(star(vec![copy]));
    assert_eq!(kit.ops().iter().map(|op| op.kind.clone()).collect::<Vec<_>>(), [renaming(work, "Job")]);
    // It was done: the listing shows it.
    kit.listing(&["Job", "Job/a"]);
    assert_eq!((kit.at("Job"), kit.at("Job/a"), kit.remote(work)), (work, beneath, "Job".into()));
    kit.push_shape(&renaming(work, "Job"), Some("Job"));
    kit.copy(work, message);
    assert_eq!(kit.ops().len(), 1, "now the star has its turn");
}

#[test]
fn what_acts_in_a_folder_goes_under_the_name_that_the_server_has() {
    let kit = Kit::server();
    kit.listing(&["Work", "Work/a"]);
    let (work, beneath) = (kit.at("Work"), kit.at("Work/a"));
    let first = kit.copy(beneath, kit.bring(mail(beneath, 1)));
    let other = kit.copy(kit.inbox, kit.bring(mail(kit.inbox, 2)));
    let to = |items, folder| Intent::Move { items, to: Target::Folder(folder) };
    kit.did(to(vec![first], kit.inbox));
    kit.rename(work, "Job");
    kit.did(to(vec![other], beneath));
    let within = kit.make("Job/b");
    // The first move and the rename may go now; the second move and the new folder wait for the rename.
    let kinds: Vec<OpKind> = kit.ops().into_iter().map(|op| op.kind).collect();
    assert_eq!(kinds, [OpKind::Move(kit.inbox), renaming(work, "Job")]);
    let rename = kit.ops()[1].id;
    kit.commit([Step::OpRunning(rename)]);
    assert!(kit.ops().is_empty(), "once it was tried the first waits too");
    kit.commit([Step::OpDone { op: rename, moved: vec![], created: Some("Job".into()) }]);
    let kinds: Vec<OpKind> = kit.ops().into_iter().map(|op| op.kind).collect();
    assert_eq!(kinds, [OpKind::Move(kit.inbox), OpKind::Move(beneath), mkdir(within, "Job/b")]);
}

#[test]
fn a_folder_that_is_not_made_yet_is_made_under_its_last_name() {
    let kit = Kit::server();
    let work = kit.make("Work");
    let beneath = kit.make("Work/a");
    kit.rename(work, "Job");
    assert_eq!(kit.paths(), ["Job", "Job/a"]);
    kit.push_shape(&mkdir(work, "Job"), Some("Job"));
    kit.push_shape(&mkdir(beneath, "Job/a"), Some("Job.a"));
    assert!(kit.ops().is_empty());
    // One beneath that was to be made first is made where the server has its parent by then.
    let late = kit.make("Job/b");
    kit.rename(work, "Task");
    kit.push_shape(&mkdir(late, "Job/b"), Some("Job.b"));
    kit.push_shape(&renaming(work, "Task"), Some("Task"));
    assert_eq!(
        (kit.paths(), kit.remote(late)),
        (vec!["Task".into(), "Task/a".into(), "Task/b".into()], "Task.b".into())
    );
}

#[test]
fn a_folder_with_mail_is_removed_only_after_its_mail_went_to_trash() {
    let kit = Kit::server();
    kit.listing(&["Work", "Work/a"]);
    let (work, beneath) = (kit.at("Work"), kit.at("Work/a"));
    let message = kit.bring(mail(beneath, 1));
    assert!(kit.refused(kit.delete(work, true)).contains("folders within"));
    assert!(kit.refused(kit.delete(beneath, false)).contains("holds 1 mails"));
    for role in [Role::Inbox, Role::Trash] {
        assert!(kit.refused(kit.delete(kit.folder(role), true)).contains("cannot be removed"));
    }
    assert_eq!(kit.did(kit.delete(beneath, true)), "removed the folder Work/a, 1 mail to Trash");
    let trash = kit.folder(Role::Trash);
    kit.copy(trash, message);
    assert_eq!(kit.paths(), ["Work"]);
    // The listing does not bring it back, and it goes after its mail did.
    kit.listing(&["Work", "Work/a"]);
    assert_eq!(kit.paths(), ["Work"]);
    let ops = kit.ops();
    assert_eq!(ops.iter().map(|op| &op.kind).collect::<Vec<_>>(), [&OpKind::Move(trash)]);
    // All of it is taken back.
    kit.did(Intent::Undo);
    kit.copy(beneath, message);
    assert!(kit.ops().is_empty());
    kit.did(Intent::Redo);
    let op = kit.ops().remove(0);
    kit.commit([Step::OpRunning(op.id)]);
    kit.commit([Step::OpDone { op: op.id, moved: vec![(op.items[0].placement, 9)], created: None }]);
    kit.push_shape(&OpKind::Rmdir(beneath), None);
    assert_eq!(kit.reader.folder(beneath).unwrap(), None);
    // And after the server has done it: made again, the mail moved back.
    assert!(kit.did(Intent::Undo).starts_with("undid: removed the folder Work/a"));
    assert_eq!(kit.at("Work/a"), beneath);
    kit.copy(beneath, message);
    kit.push_shape(&mkdir(beneath, "Work/a"), Some("Work.a"));
    assert_eq!(kit.ops()[0].kind, OpKind::Move(beneath));
}

#[test]
fn a_folder_that_the_server_keeps_is_shown_again() {
    let kit = Kit::server();
    kit.listing(&["Work"]);
    let work = kit.at("Work");
    kit.did(kit.delete(work, false));
    kit.breaks(Some(NOW));
    assert!(kit.paths().is_empty(), "tried again later");
    kit.breaks(None);
    assert_eq!(kit.paths(), ["Work"]);
    assert_eq!(kit.reader.conflicts(kit.account).unwrap()[0].error, "it broke");
    // Called back while it is being removed: made again after.
    kit.listing(&["Work", "Job"]);
    let job = kit.at("Job");
    kit.did(kit.delete(job, false));
    let op = kit.ops().remove(0);
    kit.commit([Step::OpRunning(op.id)]);
    kit.did(Intent::Undo);
    assert_eq!(kit.paths(), ["Job", "Work"]);
    kit.commit([Step::OpDone { op: op.id, moved: vec![], created: None }]);
    kit.push_shape(&mkdir(job, "Job"), Some("Job"));
    assert_eq!((kit.at("Job"), kit.remote(job)), (job, "Job".into()));
}

#[test]
fn a_folder_that_another_client_renamed_keeps_what_is_queued_for_it() {
    let kit = Kit::server();
    kit.listing(&["Work"]);
    let work = kit.at("Work");
    let copy = kit.copy(work, kit.bring(mail(work, 1)));
    kit.did(Intent::Flag { items: vec![copy], delta: FlagDelta::add(Flags::SEEN), undoable: true });
    kit.listing(&["Elsewhere"]);
    assert!(kit.reader.folder(work).unwrap().unwrap().is_unlisted);
    assert_eq!(kit.ops().len(), 1, "for the server to refuse in words");
    // It is called as it was again.
    kit.listing(&["Work", "Elsewhere"]);
    assert!(!kit.reader.folder(work).unwrap().unwrap().is_unlisted);
}

#[test]
fn subscriptions_are_queued_and_taken_back() {
    let kit = Kit::server();
    kit.listing(&["Work"]);
    let work = kit.at("Work");
    let subscribed = || kit.reader.folder(work).unwrap().unwrap().subscribed;
    let set = |on| Intent::Subscribe { folder: work, on };
    assert_eq!(kit.did(set(false)), "unsubscribed from Work");
    kit.listing(&["Work"]);
    assert!(!subscribed(), "the server has not heard of it");
    assert!(kit.refused(set(false)).contains("not subscribed to Work already"));
    kit.did(Intent::Undo);
    assert!(subscribed() && kit.ops().is_empty());
    kit.did(set(false));
    kit.push_shape(&OpKind::Subscribe { folder: work, on: false }, None);
    kit.listing(&["Work"]);
    assert!(subscribed(), "now the server rules");
}

#[test]
fn a2_what_is_given_up_is_as_the_server_has_it() {
    let kit = Kit::server();
    kit.listing(&["Work", "Work/a", "Job"]);
    let (work, job) = (kit.at("Work"), kit.at("Job"));
    kit.rename(work, "Task");
    kit.did(kit.delete(job, false));
    kit.did(Intent::Subscribe { folder: work, on: false });
    kit.make("New");
    assert_eq!(kit.paths(), ["New", "Task", "Task/a"]);
    kit.did(Intent::Settle { how: Settle::Discard, reach: Reach::Everything });
    assert_eq!(kit.paths(), ["Job", "Work", "Work/a"]);
    assert!(kit.reader.folder(work).unwrap().unwrap().subscribed && kit.ops().is_empty());
}

#[test]
fn p12_without_a_server_folders_are_what_is_here() {
    let kit = Kit::new(Owner::Here);
    let work = kit.make("Work");
    let beneath = kit.make("Work/a");
    let message = kit.bring(popped(beneath, 1));
    kit.rename(work, "Job");
    kit.make("Work");
    assert_eq!(kit.paths(), ["Job", "Job/a", "Work"]);
    kit.did(Intent::Undo);
    kit.did(Intent::Undo);
    assert_eq!(kit.paths(), ["Work", "Work/a"]);
    kit.did(kit.delete(beneath, true));
    assert_eq!((kit.paths(), kit.ops().len()), (vec!["Work".into()], 0));
    kit.copy(kit.folder(Role::Trash), message);
    kit.did(Intent::Undo);
    kit.copy(kit.at("Work/a"), message);
    kit.did(Intent::Subscribe { folder: work, on: false });
    assert!(kit.refused(Intent::RenameFolder { folder: kit.inbox, path: "x".into() }).contains("inbox"));
}

#[test]
fn a1_a_folder_made_again_where_one_was_removed_can_be_taken_back_with_it() {
    let kit = Kit::server();
    let made = kit.make("Work");
    kit.did(kit.delete(made, false));
    assert_eq!(kit.make("Work"), made, "older actions know it by its number");
    kit.push_shape(&OpKind::Mkdir { folder: made, path: "Work".into() }, Some("Work"));
    for _ in 0..3 {
        kit.did(Intent::Undo);
    }
    assert_eq!(kit.refused(Intent::Undo), "nothing to undo");
    assert_eq!(kit.paths(), [""; 0]);
    kit.push_shape(&OpKind::Rmdir(made), None);
    for _ in 0..3 {
        kit.did(Intent::Redo);
    }
    assert_eq!(kit.paths(), ["Work"]);
}

#[test]
fn a1_a_name_that_a_new_folder_took_is_given_back() {
    let kit = Kit::server();
    kit.listing(&["Old"]);
    let old = kit.at("Old");
    kit.rename(old, "New");
    kit.push_shape(&OpKind::Rename { folder: old, path: "New".into() }, Some("New"));
    let second = kit.make("Old");
    kit.push_shape(&OpKind::Mkdir { folder: second, path: "Old".into() }, Some("Old"));
    kit.did(Intent::Undo);
    kit.did(Intent::Undo);
    assert_eq!((kit.at("Old"), kit.paths()), (old, vec!["Old".to_owned()]));
    // A look before anything was pushed changes nothing of that.
    kit.listing(&["New", "Old"]);
    assert_eq!((kit.at("Old"), kit.paths()), (old, vec!["Old".to_owned()]));
    kit.push_shape(&OpKind::Rmdir(second), None);
    kit.push_shape(&OpKind::Rename { folder: old, path: "Old".into() }, Some("Old"));
    kit.listing(&["Old"]);
    assert_eq!((kit.remote(old), kit.paths()), ("Old".to_owned(), vec!["Old".to_owned()]));
}

#[test]
fn i5_a_rename_takes_along_what_is_to_be_renamed_out_of_it() {
    let kit = Kit::server();
    kit.listing(&["Old", "Old/a"]);
    let (old, inner) = (kit.at("Old"), kit.at("Old/a"));
    kit.rename(old, "New");
    let first = kit.ops()[0].id;
    kit.commit([Step::OpRunning(first)]);
    kit.rename(inner, "Kept");
    kit.commit([Step::OpDone { op: first, moved: vec![], created: Some("New".into()) }]);
    assert_eq!(kit.remote(inner), "New.a", "the server has it there until it hears of the other rename");
    kit.push_shape(&OpKind::Rename { folder: inner, path: "Kept".into() }, Some("Kept"));
    assert_eq!((kit.remote(inner), kit.paths()), ("Kept".to_owned(), vec!["Kept".into(), "New".into()]));
}
