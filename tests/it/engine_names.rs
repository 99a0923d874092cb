//! What a maildrop is known by: what was seen stays seen, servers without names, and headers that are refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mailtui::config::{Leave, Portion, Protocol};
use mailtui::engine::{Emit, Engine, Event, Mode};
use mailtui::error::{Error, Kind};
use mailtui::model::{BodyState, Intent, Role};
use mailtui::protocol::memory::Call;

use crate::engine::World;

#[test]
fn p2_an_empty_maildrop_proves_nothing_and_what_was_deleted_here_stays_away() {
    let mut world = World::new(Protocol::Pop3).fill(5);
    // What is deleted here stays on the server, so that it is listed for ever.
    world.account.delete_on_server_when_deleted_here = false;
    assert_eq!(world.once().unwrap().new, 5);
    let items = world.copies(Role::Inbox)[..2].to_vec();
    world.intend(Intent::Purge { items });
    let seen = world.reader().uidls(world.id()).unwrap();
    // The provider's trouble: for some days the maildrop looks empty, then it is as it was.
    let other = World::new(Protocol::Pop3);
    let full = std::mem::replace(&mut world.server, other.server.clone());
    for _ in 0..8 {
        let report = world.once().unwrap();
        assert_eq!((report.new, report.deleted), (0, 0));
    }
    assert_eq!(world.rows(Role::Inbox).len(), 3, "mail here does not follow what a server lists");
    assert_eq!(world.reader().uidls(world.id()).unwrap(), seen);
    world.server = full;
    let report = world.once().unwrap();
    assert_eq!((report.new, report.bytes, report.deleted), (0, 0, 0));
    assert_eq!((world.rows(Role::Inbox).len(), world.server.count("INBOX")), (3, 5));
}

#[test]
fn p6_a_server_without_names_deletes_nothing_under_any_policy_and_says_why() {
    for leave in [Leave::DeleteAfterDownload, Leave::Days(0), Leave::Forever] {
        let mut world = World::new(Protocol::Pop3).fill(4);
        world.server = world.server.nameless();
        world.account.leave_on_server = leave;
        world.once().unwrap();
        let items = world.copies(Role::Inbox)[..1].to_vec();
        world.intend(Intent::Purge { items });
        let applied = world.calls(Call::Apply);
        let told = Arc::<Mutex<Vec<String>>>::default();
        let hear = Arc::clone(&told);
        let emit: Emit = Arc::new(move |event| {
            if let Event::Trouble { text, .. } = event {
                hear.lock().unwrap().push(text.to_string());
            }
        });
        let engine = Engine::start(&world.store, vec![world.setup()], Mode::Once, &emit).unwrap();
        let report = engine.join().remove(0).1.unwrap();
        assert_eq!((report.new, report.deleted, world.server.count("INBOX")), (0, 0, 4), "{leave:?}");
        assert_eq!(applied.load(Ordering::SeqCst), 0, "{leave:?}");
        let told = told.lock().unwrap().clone();
        assert!(told.iter().any(|text| text.contains("no lasting names")), "{leave:?}: {told:?}");
    }
}

#[test]
fn p6_names_that_fail_for_the_moment_stop_the_look_and_nothing_is_fetched() {
    let mut world = World::new(Protocol::Pop3).fill(3);
    world.account.leave_on_server = Leave::DeleteAfterDownload;
    let ill = Arc::new(AtomicBool::new(true));
    let fetched = Arc::new(AtomicBool::new(false));
    let (is_ill, did_fetch) = (Arc::clone(&ill), Arc::clone(&fetched));
    world.server.on_call(move |call| match call {
        Call::Pull if is_ill.load(Ordering::SeqCst) => {
            Err(Error::new(Kind::Offline, "the server does not name its messages (UIDL) for the moment"))
        }
        Call::Fetch | Call::Apply => {
            did_fetch.store(true, Ordering::SeqCst);
            Ok(())
        }
        _ => Ok(()),
    });
    assert_eq!(world.once().unwrap_err().kind(), Kind::Offline);
    assert!(!fetched.load(Ordering::SeqCst));
    assert!(world.rows(Role::Inbox).is_empty());
    ill.store(false, Ordering::SeqCst);
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted), (3, 3));
}

#[test]
fn p10_a_mail_whose_header_is_refused_comes_whole() {
    let mut world = World::new(Protocol::Pop3).fill(6);
    world.account.portion = Portion { max_size: Some(0), ..Portion::default() };
    let mut heads = 0;
    world.server.on_call(move |call| {
        heads += usize::from(call == Call::Head);
        match call {
            Call::Head if heads % 3 == 0 => Err(Error::new(Kind::Refused, "no TOP for this one")),
            _ => Ok(()),
        }
    });
    assert_eq!(world.once().unwrap().new, 6);
    let bodies: Vec<_> = world.rows(Role::Inbox).iter().map(|row| row.head.body).collect();
    let count = |state| bodies.iter().filter(|body| **body == state).count();
    assert_eq!((count(BodyState::Head), count(BodyState::Whole)), (4, 2), "{bodies:?}");
    assert_eq!(world.once().unwrap().new, 0);
}
