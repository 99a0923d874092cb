//! Server-side search: by the engine, and on the screen.

use std::sync::Arc;

use mailtui::config::{Account, Protocol};
use mailtui::engine::{Command, Event, Found, Opener, Setup};
use mailtui::error::{Error, Kind};
use mailtui::model::{BodyState, Role};
use mailtui::protocol::memory::Call;
use mailtui::secret::Secret;
use mailtui::store::Step;

use crate::engine::{World, is_watching, until};
use crate::support::office::Office;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// What the engine answers to a search of the inbox.
fn search(world: &World, setup: Setup, wanted: &[&str]) -> Result<Found, String> {
    let (engine, events) = world.watch_with(setup);
    until(&events, is_watching);
    let (account, folder) = (world.id(), world.folder(Role::Inbox).id);
    engine.send(Command::Search { account, folder, words: words(wanted) });
    let found = until(&events, |event| matches!(event, Event::Found { .. }));
    engine.stop(std::time::Duration::from_secs(20));
    let Event::Found { folder: of, words: of_words, found, .. } = found else { unreachable!() };
    assert_eq!((of, of_words), (folder, words(wanted)));
    found.map_err(|why| why.to_string())
}

/// Forgets all mail of the inbox but the newest `left`, as if the first look were at that.
fn forget_older(world: &World, left: u32) {
    let inbox = world.folder(Role::Inbox).id;
    let reader = world.reader();
    let (uids, cursor) = (reader.uids(inbox).unwrap(), reader.cursor(inbox).unwrap());
    let from = uids.iter().rev().nth(left as usize - 1).unwrap();
    let old: Vec<u32> = uids.iter().filter(|uid| *uid < from).collect();
    let cursor = mailtui::model::Cursor { backfill: from, ..cursor };
    let steps = vec![
        Step::Vanished { folder: inbox, uids: old, certain: true },
        Step::Cursor { folder: inbox, cursor },
    ];
    world.store.commit(mailtui::store::Batch { account: world.id(), steps }).unwrap();
}

#[test]
fn i4_hits_of_the_server_are_stored_as_ordinary_mail() {
    let world = World::new(Protocol::Imap).fill(60);
    world.once().unwrap();
    assert_eq!(world.rows(Role::Inbox).len(), 60);
    let found = search(&world, world.setup(), &["reader", "17,"]).unwrap();
    assert_eq!((found.messages.len(), found.new, found.is_cut), (1, 0, false));
    assert_eq!(world.rows(Role::Inbox)[42].head.message, found.messages[0], "Letter 17");
    forget_older(&world, 10);
    assert_eq!(world.rows(Role::Inbox).len(), 10);
    // Nothing but the search can bring anything.
    world.server.on_call(|call| match call {
        Call::Pull => Err(Error::new(Kind::Refused, "not now")),
        _ => Ok(()),
    });
    let (engine, events) = world.watch_with(world.setup());
    let (account, folder) = (world.id(), world.folder(Role::Inbox).id);
    engine.send(Command::Search { account, folder, words: words(&["reader", "17,"]) });
    let found = until(&events, |event| matches!(event, Event::Found { .. }));
    let Event::Found { found: Ok(found), .. } = found else { panic!("{found:?}") };
    assert_eq!((found.messages.len(), found.new), (1, 1));
    engine.stop(std::time::Duration::from_secs(20));
    assert_eq!(world.rows(Role::Inbox).len(), 11);
    // The first look brings the others, and that one not again.
    world.server.on_call(|_| Ok(()));
    assert_eq!(world.once().unwrap().new, 49);
    assert_eq!(world.rows(Role::Inbox).len(), 60);
    let row = &world.rows(Role::Inbox)[42].head;
    assert_eq!((row.subject.as_str(), row.message), ("Letter 17", found.messages[0]));
    assert!(world.rows(Role::Inbox).iter().all(|row| row.head.body == BodyState::Whole));
}

#[test]
fn i4_gmail_is_searched_in_its_own_way() {
    let world = World::labelled().fill(30);
    let office = Office::open(world.server.clone(), Protocol::Imap, &[]);
    let account = Account { port: office.port, host: "localhost".to_owned(), ..world.account.clone() };
    let far = account.clone();
    let open: Opener = Arc::new(move |bell| mailtui::protocol::open(&far, &Secret::new("pass"), bell));
    let setup = Setup { account, open, ..world.setup() };
    let found = search(&world, setup, &["dear", "7,"]).unwrap();
    let row = |message| world.reader().message(message).unwrap().unwrap().subject.to_string();
    let subjects: Vec<String> = found.messages.iter().map(|message| row(*message)).collect();
    assert_eq!(subjects, ["Letter 27", "Letter 17", "Letter 7"]);
}

#[test]
fn i4_a_search_without_a_server_says_so() {
    let world = World::new(Protocol::Imap).fill(2);
    world.once().unwrap();
    world.server.set_up(false);
    let (engine, events) = world.watch();
    until(&events, |event| matches!(event, Event::Trouble { .. } | Event::State { .. }));
    let (account, folder) = (world.id(), world.folder(Role::Inbox).id);
    engine.send(Command::Search { account, folder, words: words(&["x"]) });
    let found = until(&events, |event| matches!(event, Event::Found { .. }));
    let Event::Found { found: Err(why), .. } = found else { panic!("{found:?}") };
    assert!(why.as_str().contains("could not connect"), "{why}");
    engine.stop(std::time::Duration::from_secs(20));
}
