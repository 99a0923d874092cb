//! `mailtui account freeze`: the server is gone; mail, flags, tags and folders stay, and the rest is named first.

use std::os::unix::fs::PermissionsExt as _;

use mailtui::model::*;
use mailtui::store::*;

use crate::cli::mailtui;
use crate::cli_queue::Place;
use crate::store_kit::{mail, packed};

impl Place {
    fn account_verb(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = mailtui(self.dir.path(), &[&["account"], arguments].concat());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("config.toml")).unwrap()
    }

    fn items(&self, role: Role) -> Vec<PlacementId> {
        let folder = self.reader.folder_by_role(self.account, role).unwrap().unwrap().id;
        let rows = self.reader.page(View::Folder(folder), Edge::Top, 100).unwrap().rows;
        rows.iter().flat_map(|row| row.members.iter().map(|m| m.placement)).collect()
    }

    fn does_all(&self, intents: Vec<Intent>) {
        for intent in intents {
            assert_eq!(self.store.intend_wait(intent).unwrap().error, None);
        }
    }
}

#[test]
fn p15_what_was_done_stays_done_and_nothing_waits_for_a_server_any_more() {
    let place = Place::new();
    let first = place.items(Role::Inbox)[0];
    let message = place.reader.summary(first).unwrap().unwrap().message;
    let body = packed(b"Subject: whole\r\n\r\nall of it\r\n");
    place.store.commit(Batch { account: place.account, steps: vec![Step::Body { message, body }] }).unwrap();
    let items = place.items(Role::Inbox);
    place.does_all(vec![
        Intent::Flag { items: vec![items[0]], delta: FlagDelta::add(Flags::FLAGGED), undoable: true },
        Intent::Tag { items: vec![items[0]], add: vec!["todo".into()], del: vec![] },
        Intent::MakeFolder { account: place.account, path: "Old/Work".into() },
        Intent::Move { items: vec![items[1]], to: Target::Role(Role::Archive) },
        Intent::Move { items: vec![items[2]], to: Target::Role(Role::Trash) },
    ]);
    let (code, said, error) = place.account_verb(&["freeze", "work"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    for part in [
        "work: 3 mails",
        "2 of them are not all here",
        "5 changes that the server",
        "Old/Work",
        "Nothing was done",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(place.config().contains("\"imap\""));
    assert_eq!(place.reader.ops_waiting(place.account).unwrap(), 5);

    let (code, said, error) = place.account_verb(&["freeze", "work", "--print"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(said.contains("-protocol = \"imap\"\n+protocol = \"local\"\n-host"), "{said}");
    assert!(place.config().contains("\"imap\""));

    let before = place.config();
    let file = place.dir.path().join("config.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said, error) = place.account_verb(&["freeze", "work", "--yes"]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{said}");
    assert_eq!(std::fs::read_to_string(place.dir.path().join("config.toml.bak")).unwrap(), before);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(place.config().contains("protocol = \"local\"\n# host = "), "{}", place.config());

    let row = place.reader.accounts().unwrap().remove(0);
    assert_eq!((row.owner, row.protocol.as_str()), (Owner::Here, "local"));
    assert_eq!(place.reader.ops_waiting(place.account).unwrap(), 0);
    assert_eq!([Role::Inbox, Role::Archive, Role::Trash].map(|role| place.items(role).len()), [1, 1, 1]);
    let summary = place.reader.summary(place.items(Role::Inbox)[0]).unwrap().unwrap();
    assert!(summary.flags.has(Flags::FLAGGED) && summary.tags.iter().any(|tag| tag.as_str() == "todo"));
    assert_eq!(place.reader.raw(message, 1 << 20).unwrap(), b"Subject: whole\r\n\r\nall of it\r\n");
    let paths: Vec<String> =
        place.reader.folders(place.account).unwrap().iter().map(|f| f.path.to_string()).collect();
    assert!(
        paths.iter().any(|path| path == "Old/Work") && paths.iter().any(|path| path == "Sent"),
        "{paths:?}"
    );
    assert_eq!(place.reader.check().unwrap(), Vec::<String>::new());

    // From now on it is an account as any other without a server: actions are done when they are done.
    let all = place.items(Role::Archive);
    place.does_all(vec![
        Intent::Move { items: all, to: Target::Role(Role::Inbox) },
        Intent::Undo,
        Intent::Redo,
    ]);
    assert_eq!((place.items(Role::Inbox).len(), place.reader.ops_waiting(place.account).unwrap()), (2, 0));
    let output = mailtui(place.dir.path(), &["queue"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "work: lives here only, nothing waits\n");
    let output = mailtui(place.dir.path(), &["sync"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (code, ..) = place.account_verb(&["freeze", "work", "--yes"]);
    assert_eq!(code, Some(0), "once more changes nothing");
    assert_eq!(place.items(Role::Inbox).len(), 2);
}

#[test]
fn p15_a_freeze_that_was_broken_off_is_finished_by_the_next() {
    let place = Place::new();
    // The store was frozen, the configuration was not rewritten.
    place.store.freeze_account(place.account, "ada@example.org@").unwrap();
    let (code, _, error) = place.account_verb(&["freeze", "work", "--yes"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(place.config().contains("protocol = \"local\""));
    let (code, _, error) = place.account_verb(&["freeze", "home"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("there is no account \"home\""), "{error}");
}

#[test]
fn p15_mail_on_its_way_to_another_account_keeps_an_account_from_being_frozen() {
    let place = Place::new();
    let other = place.store.account("home", "imap", Owner::Server, "x@y").unwrap();
    let there = place.reader.folder_by_role(other, Role::Inbox).unwrap().unwrap().id;
    let items = vec![place.items(Role::Inbox)[0]];
    place.does_all(vec![Intent::Move { items, to: Target::Folder(there) }]);
    for account in [place.account, other] {
        let error = place.store.freeze_account(account, "").unwrap_err();
        assert!(error.to_string().contains("on their way"), "{error}");
    }
}

#[test]
fn p15_a_maildrop_that_is_gone_has_nothing_to_delete_any_more() {
    let place = Place::new();
    let account = place.store.account("drop", "pop3", Owner::Here, "ada@x").unwrap();
    let inbox = place.reader.folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
    let raw = b"Subject: a\r\n\r\nall of it\r\n";
    let mut incoming = Incoming { uid: None, uidl: Some("u1".into()), ..mail(inbox, 1) };
    incoming.body = Some(packed(raw));
    let steps =
        vec![Step::Message(Box::new(incoming)), Step::Listing { uidls: vec!["u1".into()], complete: true }];
    place.store.commit(Batch { account, steps }).unwrap();
    let row = place.reader.page(View::Folder(inbox), Edge::Top, 10).unwrap().rows.remove(0);
    place.does_all(vec![Intent::Purge { items: vec![row.members[0].placement] }]);
    assert_eq!(place.reader.waiting(account).unwrap().deletions, 1);
    place.store.freeze_account(account, "").unwrap();
    assert_eq!(place.reader.waiting(account).unwrap().deletions, 0);
    assert_eq!(place.reader.check().unwrap(), Vec::<String>::new());
}
