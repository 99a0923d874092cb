//! Which bodies are kept (`keep_bodies`, promise I4): only what is asked for is fetched, what does not fit goes where
//! the server has it, and what is opened comes first and stays.

use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use mailtui::config::{KeepBodies, Protocol};
use mailtui::engine::Command;
use mailtui::model::{BodyState, Flags, Intent, MessageId, Role, Target};
use mailtui::protocol::memory::Call;
use mailtui::store::{Batch, Step};

use crate::engine::{World, is_watching, until};

const DAY: i64 = 86_400;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn keep(days: Option<u32>, size: Option<u64>) -> KeepBodies {
    KeepBodies { days, size }
}

/// Mails 0 to 9, the n-th `n * 20` days old; the fifth is large.
fn world() -> World {
    let world = World::new(Protocol::Imap);
    for n in 0..10 {
        // Without a Date, so that it arrived when the server says.
        let mut raw = format!("From: Ada <ada@example.org>\r\nSubject: {n}\r\n\r\nbody {n}\r\n").into_bytes();
        if n == 5 {
            raw.extend_from_slice(&b"much\r\n".repeat(10_000));
        }
        world.server.deliver("INBOX", raw, Flags::NONE, now() - DAY * 20 * n as i64 - 3600);
    }
    world
}

/// Which bodies are here, newest first.
fn held(world: &World) -> String {
    assert_eq!(world.reader().check().unwrap(), Vec::<String>::new());
    let letter = |body| match body {
        BodyState::Whole => 'w',
        BodyState::Evicted => 'e',
        BodyState::None => '-',
        other => panic!("{other:?}"),
    };
    world.rows(Role::Inbox).iter().map(|row| letter(row.head.body)).collect()
}

fn sync(world: &mut World, keep: KeepBodies) -> String {
    world.account.keep_bodies = keep;
    world.once().unwrap();
    held(world)
}

#[test]
fn i4_only_what_the_policy_asks_for_is_fetched() {
    assert_eq!(sync(&mut world(), keep(Some(90), None)), "wwwww-----");
    assert_eq!(sync(&mut world(), keep(None, Some(10_000))), "wwwww-wwww");
    assert_eq!(sync(&mut world(), keep(Some(130), Some(10_000))), "wwwww-w---");
}

#[test]
fn i4_a_policy_that_is_lowered_evicts_and_one_that_is_raised_fetches_each_body_once() {
    let mut world = world();
    assert_eq!(sync(&mut world, KeepBodies::default()), "wwwwwwwwww");
    assert_eq!(sync(&mut world, keep(None, Some(10_000))), "wwwwwewwww");
    assert_eq!(sync(&mut world, keep(Some(90), None)), "wwwwweeeee");
    let fetches = world.calls(Call::Fetch);
    assert_eq!(sync(&mut world, keep(Some(90), None)), "wwwwweeeee");
    assert_eq!(fetches.load(Ordering::Relaxed), 0, "nothing is fetched to be evicted");
    assert_eq!(sync(&mut world, keep(Some(130), None)), "wwwwwwweee");
    assert_eq!(sync(&mut world, KeepBodies::default()), "wwwwwwwwww");
    let reader = world.reader();
    let intact = |message| reader.is_intact(message).unwrap();
    assert!(world.rows(Role::Inbox).iter().all(|row| intact(row.head.message)));
}

#[test]
fn i4_what_is_opened_comes_whatever_the_policy_and_stays() {
    let mut world = world();
    sync(&mut world, keep(Some(90), None));
    let oldest = world.rows(Role::Inbox).pop().unwrap().head.message;
    let (engine, events) = world.watch();
    until(&events, is_watching);
    let (tell, changes) = std::sync::mpsc::channel();
    world.store.subscribe(Box::new(move |_| tell.send(()).unwrap_or_default()));
    engine.send(Command::Fetch { account: world.id(), message: oldest });
    while !held(&world).ends_with('w') {
        changes.recv_timeout(std::time::Duration::from_secs(20)).expect("the body that was opened");
    }
    engine.stop(std::time::Duration::from_secs(5));
    assert_eq!(sync(&mut world, keep(Some(90), None)), "wwwww----w");
}

#[test]
fn i4_what_the_server_may_not_have_or_something_waits_for_is_not_evicted() {
    let world = World::new(Protocol::Imap).fill(30);
    world.once().unwrap();
    let commit = |step| drop(world.store.commit(Batch { account: world.id(), steps: vec![step] }).unwrap());
    let evict = |messages: &[MessageId]| {
        commit(Step::Evict(messages.to_vec()));
        held(&world).replace('w', "")
    };
    let rows = world.rows(Role::Inbox);
    let all: Vec<_> = rows.iter().map(|row| row.head.message).collect();
    // Something is to be done to the newest that the server has not heard of.
    world.intend(Intent::Copy { items: vec![rows[0].head.placement], to: Target::Role(Role::Archive) });
    assert_eq!(evict(&all[..2]), "e");
    // The server does not show most of them any more: that is for the user to judge.
    let folder = world.folder(Role::Inbox).id;
    commit(Step::Vanished { folder, uids: (1..=28).collect(), certain: false });
    assert_eq!(evict(&all), "e");
    let id = world.store.account("other", "memory", mailtui::model::Owner::Here, "x").unwrap();
    world.store.commit(Batch { account: id, steps: vec![Step::Evict(all)] }).unwrap();
    assert_eq!(held(&world).replace('w', ""), "e", "another account's mail");
}
