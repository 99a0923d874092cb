//! The store as its users see it: what is committed is there, whole, for every reader.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use mailtui::model::*;
use mailtui::store::*;
use mailtui::{Error, Kind};

use crate::store_kit::{Kit, NOW, mail, open, packed, popped, reply, spec};

#[test]
fn a_mail_that_was_committed_is_in_its_folder() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 7));
    let rows = kit.top(kit.inbox);
    assert_eq!(rows.len(), 1);
    let head = &rows[0].head;
    assert_eq!(
        (head.message, head.subject.as_str(), head.from_name.as_str()),
        (message, "mail 7", "Person 7")
    );
    assert_eq!(head.body, BodyState::None);
    assert!(rows[0].is_unread());
    assert_eq!(kit.reader.counts(View::Folder(kit.inbox)).unwrap(), (1, 1));
    // The same again changes nothing.
    assert_eq!(kit.bring(mail(kit.inbox, 7)), message);
    assert_eq!(kit.top(kit.inbox), rows);
    kit.check();
}

#[test]
fn x9_every_file_is_private() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let store = Store::open(&dir).unwrap();
    store.account("a/b", "imap", Owner::Server, "").unwrap();
    let account = store.reader().unwrap().accounts().unwrap()[0].id;
    let _lock = store.lock_account(account, "a/b").unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("run")), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), 0o600, "{path:?}");
            files += 1;
        }
    }
    assert!(files >= 5, "store.db, its log, two locks");
}

#[test]
fn p8_a_body_comes_back_byte_for_byte() {
    let kit = Kit::server();
    let raw = [b"a\nb\r\n\0\xff From x".as_slice(), &[7; 3_000_000]].concat();
    let message = kit.bring(mail(kit.inbox, 1));
    assert_eq!(kit.reader.wanted_bodies(kit.account, mailtui::store::Keep::ALL, None, 10).unwrap().len(), 1);
    kit.commit([Step::Body { message, body: packed(&raw) }]);
    assert_eq!(kit.reader.raw(message, u64::MAX).unwrap(), raw);
    assert_eq!(kit.reader.raw(message, 10).unwrap(), raw[..10]);
    assert_eq!(Some(kit.reader.body_hash(message).unwrap()), kit.reader.recorded_hash(message).unwrap());
    assert!(kit.reader.wanted_bodies(kit.account, mailtui::store::Keep::ALL, None, 10).unwrap().is_empty());
    let summary = kit.reader.message(message).unwrap().unwrap();
    assert_eq!(
        (summary.body, summary.snippet.as_str(), summary.attachments),
        (BodyState::Whole, "the first words", 1)
    );
    kit.check();
}

#[test]
fn p3_a_large_mail_is_seen_only_when_it_landed() {
    let kit = Kit::new(Owner::Here);
    let raw = vec![b'x'; 2_500_000];
    let whole = packed(&raw);
    let staged = Incoming { body: None, size: 2_500_000, ..popped(kit.inbox, 1) };
    let message = kit.commit([Step::Stage(Box::new(staged.clone()))]).messages[0];
    for chunk in &whole.chunks[..2] {
        kit.commit([Step::Part { message, chunk: chunk.clone() }]);
    }
    assert!(kit.top(kit.inbox).is_empty());
    assert!(kit.reader.uidls(kit.account).unwrap().is_empty());
    let last = Packed { chunks: whole.chunks[2..].to_vec(), ..whole };
    kit.commit([Step::Land { message, incoming: Box::new(Incoming { body: Some(last), ..staged }) }]);
    assert_eq!(kit.reader.raw(message, u64::MAX).unwrap(), raw);
    assert_eq!(kit.top(kit.inbox)[0].head.message, message);
    assert!(kit.reader.uidls(kit.account).unwrap().contains("uidl-1"));
    kit.check();
}

#[test]
fn a_body_that_never_became_whole_is_dropped_at_the_next_start() {
    let kit = Kit::new(Owner::Here);
    let whole = packed(&vec![b'x'; 2_500_000]);
    let message =
        kit.commit([Step::Stage(Box::new(Incoming { body: None, ..popped(kit.inbox, 1) }))]).messages[0];
    kit.commit([Step::Part { message, chunk: whole.chunks[0].clone() }]);
    let header = kit.bring(Incoming { uidl: None, ..mail(kit.inbox, 2) });
    kit.commit([Step::Part { message: header, chunk: whole.chunks[0].clone() }]);
    let Kit { store, reader, dir, clock, account, .. } = kit;
    drop((store, reader));
    let store = open(dir.path(), &clock);
    let reader = store.reader().unwrap();
    let gone = reader.read_body(message, &mut |_| Ok(())).unwrap_err();
    assert_eq!(gone.kind(), Kind::Gone);
    assert_eq!(reader.read_body(header, &mut |_| panic!("a piece was left")).unwrap(), BodyState::None);
    assert_eq!(reader.wanted_bodies(account, mailtui::store::Keep::ALL, None, 10).unwrap().len(), 1);
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_batch_is_whole_or_not_at_all_and_the_others_go_on() {
    let kit = Kit::server();
    let nowhere = Step::Cursor { folder: FolderId(99), cursor: Cursor::default() };
    let bad = [Step::Message(Box::new(mail(kit.inbox, 1))), nowhere];
    let bad = kit.store.submit(Batch { account: kit.account, steps: bad.into() });
    let good = [Step::Message(Box::new(mail(kit.inbox, 2)))];
    let good = kit.store.submit(Batch { account: kit.account, steps: good.into() });
    assert_eq!(bad.wait().unwrap_err().kind(), Kind::Gone);
    assert_eq!(good.wait().unwrap().messages.len(), 1);
    assert_eq!(kit.mails(kit.inbox), [("mail 2".to_owned(), Flags::NONE)]);
    kit.check();
}

#[test]
fn the_body_of_a_mail_that_went_meanwhile_is_passed_over() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let other = kit.bring(mail(kit.inbox, 2));
    let whole = packed(&vec![b'x'; 2_500_000]);
    kit.commit([
        Step::Gone { folder: kit.inbox, uid: 1 },
        Step::Part { message, chunk: whole.chunks[0].clone() },
        Step::Body { message, body: whole },
        Step::Body { message: other, body: packed(b"this one is here") },
    ]);
    assert_eq!(kit.reader.raw(other, 100).unwrap(), b"this one is here");
    kit.check();
}

#[test]
fn an_account_that_points_to_another_server_acts_on_no_old_number() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    let delta = FlagDelta::add(Flags::FLAGGED);
    let items = vec![kit.copy(kit.inbox, message)];
    kit.store.intend_wait(Intent::Flag { items, delta, undoable: true }).unwrap();
    assert_eq!(kit.ops().len(), 1);
    let account = kit.store.account("work", "memory", Owner::Server, "ada@elsewhere.example").unwrap();
    assert_eq!(account, kit.account);
    assert!(kit.ops().is_empty(), "it waits until the mail is found there");
    kit.bring(Incoming { uid: Some(31), ..mail(kit.inbox, 1) });
    assert_eq!(kit.ops()[0].items[0].uid, Some(31));
    let kind = kit.store.account("work", "pop3", Owner::Here, "").unwrap_err().kind();
    assert_eq!(kind, Kind::Config);
    kit.check();
}

#[test]
fn everyone_is_told_of_a_commit() {
    let kit = Kit::server();
    while kit.changes.try_recv().is_ok() {}
    let message = kit.bring(mail(kit.inbox, 1));
    let changed = kit.changes.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!((changed.folders, changed.messages), (vec![kit.inbox], vec![message]));
    assert!(!changed.foreign);
}

#[test]
fn a4_two_processes_see_each_others_changes() {
    let kit = Kit::server();
    let other = open(kit.dir.path(), &kit.clock);
    while kit.changes.try_recv().is_ok() {}
    other
        .commit(Batch { account: kit.account, steps: vec![Step::Message(Box::new(mail(kit.inbox, 1)))] })
        .unwrap();
    let changed = kit.changes.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(changed.foreign);
    assert_eq!(kit.mails(kit.inbox).len(), 1);
    // Both write in turn.
    for n in 2..20 {
        let store = if n % 2 == 0 { &kit.store } else { &other };
        let steps = vec![Step::Message(Box::new(mail(kit.inbox, n)))];
        store.commit(Batch { account: kit.account, steps }).unwrap();
    }
    assert_eq!(other.reader().unwrap().counts(View::Folder(kit.inbox)).unwrap(), (19, 19));
    kit.check();
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    // The version is in the file's header, at byte 60 (sqlite.org/fileformat.html).
    let file = std::fs::OpenOptions::new().write(true).open(dir.path().join("store.db")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &999u32.to_be_bytes(), 60).unwrap();
    let error: Error = Store::open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Store);
    assert!(error.to_string().contains("newer"), "{error}");
    assert!(error.hint_text().is_some());
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("store.db"), "these are not the bytes of a database, but my diary")
        .unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Store);
    assert!(error.hint_text().is_some());
    assert!(std::fs::read_to_string(dir.path().join("store.db")).unwrap().ends_with("diary"));
}

#[test]
fn conversations_are_rows_and_pages_follow_each_other() {
    let kit = Kit::server();
    let steps = (1..=60u32).map(|n| {
        let incoming = if n % 3 == 0 { reply(kit.inbox, n, n - 2) } else { mail(kit.inbox, n) };
        Step::Message(Box::new(incoming))
    });
    kit.commit(steps);
    let view = View::Folder(kit.inbox);
    let all = kit.reader.page(view, Edge::Top, 100).unwrap();
    assert!(all.at_top && all.at_bottom);
    assert_eq!(all.rows.len(), 40);
    assert!(all.rows.is_sorted_by(|a, b| a.head.key > b.head.key));
    assert_eq!(all.rows[0].members.len(), 2);
    assert_eq!(
        all.rows[0].people.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["Person 58", "Person 60"]
    );
    // Down in sevens, then up in sevens: the same rows.
    let (mut down, mut edge) = (Vec::new(), Edge::Top);
    loop {
        let page = kit.reader.page(view, edge, 7).unwrap();
        assert_eq!(page.at_top, down.is_empty());
        let Some(last) = page.rows.last() else { break };
        edge = Edge::After(last.head.key);
        down.extend(page.rows.clone());
        if page.at_bottom {
            break;
        }
    }
    assert_eq!(down, all.rows);
    let (mut up, mut edge) = (Vec::new(), Edge::Bottom);
    loop {
        let page = kit.reader.page(view, edge, 7).unwrap();
        assert_eq!(page.at_bottom, up.is_empty());
        edge = Edge::Before(page.rows[0].head.key);
        up.splice(0..0, page.rows);
        if page.at_top {
            break;
        }
    }
    assert_eq!(up, all.rows);
    let around = kit.reader.page(view, Edge::Around(all.rows[20].head.key), 7).unwrap();
    assert_eq!(around.rows, all.rows[17..24]);
    assert_eq!(kit.reader.row(view, all.rows[5].head.thread).unwrap().as_ref(), Some(&all.rows[5]));
    assert_eq!(kit.reader.thread(all.rows[0].head.thread).unwrap().len(), 2);
}

#[test]
fn the_unified_view_has_the_rows_of_every_account() {
    let kit = Kit::server();
    let other = kit.store.account("home", "pop3", Owner::Here, "").unwrap();
    let theirs = kit.reader.folder_by_role(other, Role::Inbox).unwrap().unwrap().id;
    kit.commit((1..10).map(|n| Step::Message(Box::new(mail(kit.inbox, n * 2)))));
    let steps = (1..10).map(|n| Step::Message(Box::new(popped(theirs, n * 2 + 1)))).collect();
    kit.store.commit(Batch { account: other, steps }).unwrap();
    let view = View::Unified(Role::Inbox);
    let page = kit.reader.page(view, Edge::Top, 10).unwrap();
    assert!(page.rows.is_sorted_by(|a, b| a.head.key > b.head.key));
    let next = kit.reader.page(view, Edge::After(page.rows[9].head.key), 10).unwrap();
    assert_eq!(next.rows.len(), 8);
    assert!(next.at_bottom && !next.at_top);
    assert!(page.rows.iter().any(|row| row.head.account == other));
    assert_eq!(kit.reader.counts(view).unwrap(), (18, 18));
}

#[test]
fn the_next_unread_row_is_the_nearest_one() {
    let kit = Kit::server();
    // Rows from the top: 200 (read, with an unread 3 in it), 150..101 read, 100 unread, 99..10 read, 9 unread.
    let seen = |mut incoming: Incoming| {
        incoming.flags = Flags::SEEN;
        Step::Message(Box::new(incoming))
    };
    kit.commit([Step::Message(Box::new(mail(kit.inbox, 3))), seen(reply(kit.inbox, 200, 3))]);
    kit.commit((101..=150).map(|n| seen(mail(kit.inbox, n))));
    kit.commit([Step::Message(Box::new(mail(kit.inbox, 100))), Step::Message(Box::new(mail(kit.inbox, 9)))]);
    kit.commit((10..100).map(|n| seen(mail(kit.inbox, n))));
    let rows = kit.top(kit.inbox);
    let key = |subject: &str| rows.iter().find(|row| row.head.subject.as_str() == subject).unwrap().head.key;
    let next = |from, back| kit.reader.next_unread(View::Folder(kit.inbox), from, back).unwrap();
    assert_eq!(next(key("mail 200"), false), Some(key("mail 100")));
    assert_eq!(next(key("mail 150"), false), Some(key("mail 100")));
    assert_eq!(next(key("mail 100"), false), Some(key("mail 9")));
    assert_eq!(next(key("mail 9"), false), None);
    assert_eq!(next(key("mail 9"), true), Some(key("mail 100")));
    assert_eq!(next(key("mail 100"), true), Some(key("mail 200")), "its unread mail is far below");
    assert_eq!(next(key("mail 200"), true), None);
}

#[test]
fn what_the_screen_remembers_is_recalled() {
    let kit = Kit::server();
    kit.store.remember("list.row", "one");
    kit.store.remember("list.row", "two");
    kit.commit([]);
    assert_eq!(kit.reader.recall("list.row").unwrap().as_deref(), Some("two"));
    assert_eq!(kit.reader.recall("nothing").unwrap(), None);
}

#[test]
fn a_folder_that_the_server_does_not_list_any_more_goes_unless_it_holds_much() {
    let kit = Kit::server();
    let list = |names: &[&str]| {
        let mut specs = vec![spec("Inbox", Some(Role::Inbox))];
        specs.extend(names.iter().map(|name| spec(name, None)));
        Step::Folders(specs)
    };
    kit.commit([list(&["few", "many"])]);
    let folder = |name: &str| {
        kit.reader.folders(kit.account).unwrap().into_iter().find(|folder| folder.path.as_str() == name)
    };
    let (few, many) = (folder("few").unwrap().id, folder("many").unwrap().id);
    let lost = kit.bring(mail(few, 1));
    kit.commit((100..130).map(|n| Step::Message(Box::new(mail(many, n)))));
    kit.commit([Step::Folders(Vec::new())]);
    assert!(folder("few").is_some(), "an empty list proves nothing");
    kit.commit([list(&[])]);
    assert!(folder("few").is_none());
    assert!(kit.reader.message(lost).unwrap().is_none());
    assert!(!folder("many").unwrap().selectable, "kept, not to be looked into");
    kit.commit([list(&["many"])]);
    assert!(folder("many").unwrap().selectable);
    kit.check();
}

#[test]
fn i2_numbering_anew_loses_nothing() {
    let kit = Kit::server();
    let bring = |n: u32, uid: u32| Step::Message(Box::new(Incoming { uid: Some(uid), ..mail(kit.inbox, n) }));
    let messages = kit.commit((1..=30).map(|n| bring(n, n))).messages;
    let body = packed(b"kept");
    kit.commit([Step::Body { message: messages[4], body }]);
    kit.commit([Step::Reset { folder: kit.inbox, validity: 2 }]);
    assert_eq!(kit.mails(kit.inbox).len(), 30);
    assert_eq!(kit.reader.cursor(kit.inbox).unwrap(), Cursor { validity: 2, ..Cursor::default() });
    assert!(kit.reader.uids(kit.inbox).unwrap().is_empty());
    // All but one come back, under other numbers, one with a header that the move has touched.
    let again = kit.commit((1..30).map(|n| bring(n, 1000 + n))).messages;
    assert_eq!(again, messages[..29]);
    assert_eq!(kit.reader.raw(messages[4], 100).unwrap(), b"kept");
    assert_eq!(kit.mails(kit.inbox).len(), 30);
    kit.commit([Step::Synced { folder: kit.inbox, at: NOW }]);
    assert_eq!(kit.mails(kit.inbox).len(), 29);
    kit.check();
}

#[test]
fn i2_a_touched_header_is_known_by_id_size_and_date() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    kit.commit([
        Step::Body { message, body: packed(b"kept") },
        Step::Reset { folder: kit.inbox, validity: 2 },
    ]);
    let mut touched = Incoming { uid: Some(50), ..mail(kit.inbox, 1) };
    touched.envelope.head_hash[0] ^= 1;
    kit.bring(touched);
    kit.commit([Step::Synced { folder: kit.inbox, at: NOW }]);
    assert_eq!(kit.copy(kit.inbox, message), kit.top(kit.inbox)[0].head.placement);
    assert_eq!(kit.mails(kit.inbox).len(), 1);
    kit.check();
}

#[test]
fn i8_a_folder_that_seems_empty_after_numbering_anew_is_not_believed() {
    let kit = Kit::server();
    kit.commit((1..=30).map(|n| Step::Message(Box::new(mail(kit.inbox, n)))));
    kit.commit([Step::Reset { folder: kit.inbox, validity: 2 }, Step::Synced { folder: kit.inbox, at: NOW }]);
    assert_eq!(kit.mails(kit.inbox).len(), 30);
    kit.check();
}
