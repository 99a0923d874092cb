//! A folder that another client renames while things are queued for it: followed where that can be known.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mailtui::model::*;
use mailtui::protocol::memory::{Call, Server};
use mailtui::store::*;

use crate::store_kit::{Kit, mail, spec};
use crate::support::pair::*;

fn named(pair: &Pair, path: &str) -> Folder {
    let folders = pair.reader().folders(pair.account("work")).unwrap();
    folders
        .into_iter()
        .find(|folder| folder.path.as_str() == path)
        .unwrap_or_else(|| panic!("no folder {path}"))
}

/// Two accounts of which the first has mail in `Tides` and in `Tides/Old`.
fn seaside() -> (Pair, Server) {
    let (pair, work, _) = Pair::memory();
    let tides = work.add_folder("Tides", None);
    let old = work.add_folder("Tides/Old", None);
    for n in 1..=3 {
        work.deliver(&tides, raw(n), Flags::NONE, ARRIVED);
    }
    for n in 4..=5 {
        work.deliver(&old, raw(n), Flags::NONE, ARRIVED);
    }
    pair.work.deliver(6);
    pair.settle();
    (pair, work)
}

fn remote(work: &Server, path: &str) -> String {
    work.folders().into_iter().find(|folder| folder.path == path).unwrap().remote
}

#[test]
fn i5_a_folder_that_another_client_renamed_keeps_its_mail_its_queue_and_its_undo() {
    let (pair, work) = seaside();
    let (tides, old) = (named(&pair, "Tides"), named(&pair, "Tides/Old"));
    let inbox = pair.folder("work", Role::Inbox);
    // Queued in it, into it and beneath it, and then the server calls it otherwise.
    let within = pair.copies(tides.id);
    pair.act(Intent::Flag { items: within.clone(), delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
    pair.act(Intent::Move { items: pair.copies(inbox), to: Target::Folder(tides.id) });
    pair.act(Intent::Flag { items: pair.copies(old.id), delta: FlagDelta::add(Flags::SEEN), undoable: true });
    work.rename(&tides.remote, "Coast/Gauges").unwrap();
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    work.on_call(move |call| {
        count.fetch_add(usize::from(call == Call::Fetch), Ordering::SeqCst);
        Ok(())
    });
    pair.settle();
    assert_eq!(fetched.load(Ordering::SeqCst), 0, "nothing is fetched anew");
    let now = named(&pair, "Coast/Gauges");
    assert_eq!((now.id, now.total, named(&pair, "Coast/Gauges/Old").id), (tides.id, 4, old.id));
    let there = pair.work.there(&remote(&work, "Coast/Gauges"));
    assert_eq!(there.iter().filter(|mail| mail.flags.has(Flags::FLAGGED)).count(), 3);
    assert_eq!((there.len(), work.count("INBOX")), (4, 0));
    let beneath = pair.work.there(&remote(&work, "Coast/Gauges/Old"));
    assert!(beneath.iter().all(|mail| mail.flags.has(Flags::SEEN)));
    let waiting = pair.reader().waiting(pair.account("work")).unwrap();
    assert!(waiting.is_empty(), "{waiting:?}");
    // And back by `u`, all of it.
    (0..3).for_each(|_| pair.act(Intent::Undo));
    pair.settle();
    assert_eq!(work.count("INBOX"), 1);
    let there = pair.work.there(&remote(&work, "Coast/Gauges"));
    assert!(there.len() == 3 && there.iter().all(|mail| !mail.flags.has(Flags::FLAGGED)));
}

#[test]
fn a2_a_folder_that_cannot_be_known_again_is_a_conflict_in_words() {
    let (pair, work) = seaside();
    let tides = named(&pair, "Tides");
    let items = pair.copies(tides.id);
    pair.act(Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
    let new = work.rename(&tides.remote, "Gauges").unwrap();
    work.bump_validity(&new);
    for _ in 0..3 {
        pair.sync(&[&pair.work]).into_iter().for_each(|report| drop(report.unwrap()));
    }
    let reader = pair.reader();
    let ledger = reader.ledger(pair.account("work"), None, 10).unwrap();
    let conflict = ledger.iter().find(|entry| entry.standing == Standing::Conflict).expect("it is said");
    assert_eq!(conflict.error.as_str(), "the server has no folder \"Tides\"");
    let parked = ledger.iter().find(|entry| entry.standing == Standing::Parked).expect("so is the folder");
    assert_eq!(parked.what.as_str(), "Tides: the server does not list this folder any more");
    assert_eq!(pair.copies(tides.id).len(), 3, "its mail stays in sight");
    assert_ne!(named(&pair, "Gauges").id, tides.id);
}

/// A listing of the inbox and these folders.
fn list(kit: &Kit, folders: &[FolderSpec]) {
    let inbox = spec("Inbox", Some(Role::Inbox));
    kit.commit([Step::Folders([&[inbox][..], folders].concat())]);
}

fn stands(name: &str, id: Option<&str>, validity: u32, uidnext: u32, messages: u32) -> FolderSpec {
    let state = Some(FolderState { validity, uidnext, messages: Some(messages) });
    FolderSpec { object_id: id.map(str::to_owned), state, ..spec(name, None) }
}

/// A store with folder `a` of three mails, as a listing told of it; its row.
fn held(id: Option<&str>) -> (Kit, FolderId) {
    let kit = Kit::server();
    list(&kit, &[stands("a", id, 7, 4, 3), stands("b", None, 8, 1, 0)]);
    let folder =
        kit.reader.folders(kit.account).unwrap().into_iter().find(|f| f.path.as_str() == "a").unwrap().id;
    let cursor = Cursor { validity: 7, uidnext: 4, modseq: 0, backfill: 1 };
    let mut steps: Vec<Step> = (1..=3).map(|n| Step::Message(Box::new(mail(folder, n)))).collect();
    steps.push(Step::Cursor { folder, cursor });
    kit.commit(steps);
    (kit, folder)
}

fn path(kit: &Kit, folder: FolderId) -> Option<String> {
    kit.reader.folder(folder).unwrap().map(|folder| folder.path.to_string())
}

#[test]
fn i1_a_folder_is_followed_by_its_mailboxid_whatever_came_since() {
    let (kit, folder) = held(Some("F1"));
    list(
        &kit,
        &[stands("b", None, 8, 1, 0), stands("c", Some("F2"), 7, 4, 3), stands("d", Some("F1"), 7, 9, 8)],
    );
    assert_eq!(path(&kit, folder).as_deref(), Some("d"));
    kit.check();
}

#[test]
fn i1_a_folder_is_followed_by_its_state_where_no_other_could_be_meant() {
    let (kit, folder) = held(None);
    // Mail came since, and no other folder has this UIDVALIDITY.
    list(&kit, &[stands("b", None, 8, 1, 0), stands("c", None, 7, 6, 5)]);
    assert_eq!(path(&kit, folder).as_deref(), Some("c"));
    assert_eq!(kit.reader.uids(folder).unwrap().len(), 3);
    kit.check();
}

#[test]
fn i1_a_folder_is_not_followed_by_a_guess() {
    for listing in [
        // Two that could be meant; a UIDVALIDITY that others have, and another state; a numbering of its own.
        vec![stands("c", None, 7, 4, 3), stands("d", None, 7, 4, 3)],
        vec![stands("c", None, 7, 6, 5), stands("b", None, 7, 1, 0)],
        vec![stands("c", None, 9, 4, 3)],
        vec![stands("c", None, 7, 2, 1)],
        vec![FolderSpec { state: None, ..stands("c", None, 7, 4, 3) }],
    ] {
        let (kit, folder) = held(None);
        list(&kit, &listing);
        assert_eq!(path(&kit, folder), None, "{listing:?}");
        kit.check();
    }
}
