//! How a maildrop is taken: by portions, as stubs, over several sessions, at the server's own pace.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailtui::config::{Leave, Portion, Protocol};
use mailtui::engine::{Command, Event, Forecast, rehearse};
use mailtui::error::{Error, Kind};
use mailtui::model::{BodyState, FlagDelta, Flags, Intent, Matter, Reach, Role, Settle, Target};
use mailtui::protocol::Terms;
use mailtui::protocol::memory::Call;
use mailtui::store::{Lives, Wish};

use crate::engine::{T0, World, mail, until};

fn world(mails: usize, leave: Leave, portion: Portion) -> World {
    let mut world = World::new(Protocol::Pop3).fill(mails);
    world.account.leave_on_server = leave;
    world.account.portion = portion;
    world
}

/// How many mails were on the server at the end of each session.
fn left_after_each(world: &World) -> Arc<Mutex<Vec<usize>>> {
    let counts = Arc::<Mutex<Vec<usize>>>::default();
    let (tell, server) = (Arc::clone(&counts), world.server.clone());
    world.server.on_call(move |call| {
        if call == Call::Finished {
            tell.lock().unwrap().push(server.count("INBOX"));
        }
        Ok(())
    });
    counts
}

fn bodies(world: &World) -> Vec<BodyState> {
    world.rows(Role::Inbox).iter().map(|row| row.head.body).collect()
}

#[test]
fn p4_a_long_session_is_ended_and_begun_again_so_that_deletions_count() {
    let portion = Portion { reconnect_every: 7, ..Portion::default() };
    let world = world(30, Leave::DeleteAfterDownload, portion);
    let left = left_after_each(&world);
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted, report.left), (30, 30, 0));
    assert_eq!(*left.lock().unwrap(), [23, 16, 9, 2, 0]);
    assert_eq!(world.rows(Role::Inbox).len(), 30);
}

#[test]
fn p4_a_cut_leaves_what_earlier_sessions_did() {
    let portion = Portion { reconnect_every: 7, ..Portion::default() };
    let world = world(30, Leave::DeleteAfterDownload, portion);
    let bodies = AtomicUsize::new(0);
    world.server.on_call(move |call| {
        if call == Call::Body && bodies.fetch_add(1, Ordering::SeqCst) == 17 {
            return Err(Error::new(Kind::Offline, "the connection was cut"));
        }
        Ok(())
    });
    assert_eq!(world.once().unwrap_err().kind(), Kind::Offline);
    assert_eq!(world.server.count("INBOX"), 16);
    assert_eq!(world.rows(Role::Inbox).len(), 17);
    let report = world.once().unwrap();
    assert_eq!((report.new, world.server.count("INBOX"), world.rows(Role::Inbox).len()), (13, 0, 30));
}

#[test]
fn one_look_takes_no_more_than_the_account_allows() {
    let portion = Portion { messages: Some(12), reconnect_every: 5, ..Portion::default() };
    let world = world(30, Leave::Forever, portion);
    for (new, left) in [(12, 18), (12, 6), (6, 0), (0, 0)] {
        let report = world.once().unwrap();
        assert_eq!((report.new, report.left), (new, left));
    }
    let size = mail(0).len() as u64;
    let portion = Portion { bytes: Some(size * 3 / 2), ..Portion::default() };
    let world = self::world(0, Leave::Forever, portion);
    for n in 0..3 {
        world.server.deliver("INBOX", mail(0), Flags::NONE, T0 + n);
    }
    assert_eq!(world.once().unwrap().left, 2);
    assert_eq!(world.once().unwrap().left, 1);
}

#[test]
fn a_larger_mail_comes_as_a_stub_that_is_never_deleted_there_until_all_of_it_is_here() {
    let portion = Portion { max_size: Some(2_000), ..Portion::default() };
    let world = world(3, Leave::DeleteAfterDownload, portion);
    let large = [&mail(3)[..], &b"much more\r\n".repeat(100_000)].concat();
    world.server.deliver("INBOX", large.clone(), Flags::NONE, T0 + 9);
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted), (4, 3));
    assert_eq!(world.server.count("INBOX"), 1, "the large one stays");
    let stub = world.rows(Role::Inbox).into_iter().find(|row| row.head.body == BodyState::Head).unwrap();
    assert_eq!(stub.head.subject.as_str(), "Letter 3");
    assert_eq!(stub.head.size, large.len() as u64);
    // Its header is here, and is not called the mail.
    let head = world.reader().raw(stub.head.message, 1 << 20).unwrap();
    assert!(large.starts_with(&head) && head.ends_with(b"\r\n\r\n"), "{:?}", String::from_utf8_lossy(&head));
    assert!(world.reader().recorded_hash(stub.head.message).unwrap().is_none());
    // Not again, not deleted, however often it is looked at.
    let again = world.once().unwrap();
    assert_eq!((again.new, again.deleted, world.server.count("INBOX")), (0, 0, 1));
    // The user wants it, and it is cut off in the middle.
    let message = stub.head.message;
    let fail = Arc::new(AtomicUsize::new(1));
    let left = Arc::clone(&fail);
    world.server.on_call(move |call| match call {
        Call::Body if left.swap(0, Ordering::SeqCst) == 1 => Err(Error::new(Kind::Offline, "cut")),
        _ => Ok(()),
    });
    world.store.wish(world.id(), Wish::Fetch(message)).unwrap();
    world.once().unwrap_err();
    assert_eq!(world.server.count("INBOX"), 1);
    world.store.wish(world.id(), Wish::Fetch(message)).unwrap();
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted, world.server.count("INBOX")), (0, 1, 0));
    assert_eq!(world.reader().raw(message, 1 << 30).unwrap(), large);
    assert!(world.reader().is_intact(message).unwrap());
    assert_eq!(bodies(&world), [BodyState::Whole; 4]);
    assert_eq!(world.reader().check().unwrap(), Vec::<String>::new());
}

#[test]
fn p7_large_mails_that_are_the_same_all_come() {
    let world = world(0, Leave::Forever, Portion::default());
    let large = [&mail(1)[..], &b"the same again\r\n".repeat(200_000)].concat();
    for n in 0..3 {
        world.server.deliver("INBOX", large.clone(), Flags::NONE, T0 + n);
    }
    assert_eq!(world.once().unwrap().new, 3);
    assert_eq!(world.rows(Role::Inbox).iter().map(|row| row.members.len()).sum::<usize>(), 3);
    assert_eq!(world.once().unwrap().new, 0);
}

#[test]
fn headers_alone_come_where_that_is_wanted() {
    let portion = Portion { max_size: Some(0), ..Portion::default() };
    let world = world(20, Leave::Days(1), portion);
    let bodies_fetched = AtomicUsize::new(0);
    let seen = Arc::new(bodies_fetched);
    let count = Arc::clone(&seen);
    world.server.on_call(move |call| {
        count.fetch_add(usize::from(call == Call::Body), Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(world.once().unwrap().new, 20);
    assert_eq!(bodies(&world), [BodyState::Head; 20]);
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[test]
fn the_rest_of_a_stub_that_is_gone_there_is_told() {
    let portion = Portion { max_size: Some(0), ..Portion::default() };
    let world = world(1, Leave::Forever, portion);
    world.once().unwrap();
    let uid = world.server.mails("INBOX")[0].uid;
    world.server.expunge("INBOX", &[uid]);
    let message = world.rows(Role::Inbox)[0].head.message;
    world.store.wish(world.id(), Wish::Fetch(message)).unwrap();
    let error = world.once().unwrap_err();
    assert_eq!(error.kind(), Kind::Gone);
    assert_eq!(world.rows(Role::Inbox).len(), 1);
}

#[test]
fn p13_a_server_that_shows_a_part_is_asked_until_a_session_brings_nothing_new() {
    let world = world(35, Leave::Forever, Portion::default());
    world.server.set_terms(Terms { shows_part: true, ..Terms::default() });
    let sessions = left_after_each(&world);
    assert_eq!(world.once().unwrap().new, 35);
    assert_eq!(sessions.lock().unwrap().len(), 5);
    assert_eq!(world.once().unwrap().new, 0);
    assert_eq!(sessions.lock().unwrap().len(), 6);
}

#[test]
fn p13_a_maildrop_of_which_all_is_new_is_looked_at_once_more() {
    let world = world(250, Leave::Forever, Portion::default());
    let sessions = left_after_each(&world);
    assert_eq!(world.once().unwrap().new, 250);
    assert_eq!(sessions.lock().unwrap().len(), 2);
}

#[test]
fn the_pace_of_the_server_is_kept_and_its_terms_are_known() {
    let portion = Portion { reconnect_every: 2, ..Portion::default() };
    let world = world(9, Leave::Forever, portion);
    let delay = Duration::from_secs(3600);
    world.server.set_terms(Terms { login_delay: delay, expires: Some(60), shows_part: true });
    let sessions = left_after_each(&world);
    // Neither split nor asked again at once.
    assert_eq!(world.once().unwrap().new, 9);
    assert_eq!(sessions.lock().unwrap().len(), 1);
    let drop = world.reader().maildrop(world.id()).unwrap().unwrap();
    assert_eq!((drop.holds.messages, drop.holds.login_delay, drop.holds.expires), (9, 3600, Some(60)));
    let bytes: usize = (0..9).map(|n| mail(n).len()).sum();
    assert_eq!(drop.holds.bytes, bytes as u64);
    assert!(world.reader().oldest_there(world.id()).unwrap().is_some());
}

#[test]
fn the_user_gets_the_rest_of_a_stub_at_once() {
    let portion = Portion { max_size: Some(0), ..Portion::default() };
    let world = world(2, Leave::Forever, portion);
    let (engine, events) = world.watch();
    until(&events, |event| matches!(event, mailtui::engine::Event::Synced { .. }));
    let row = &world.rows(Role::Inbox)[0];
    let (account, message) = (world.id(), row.head.message);
    engine.send(Command::Fetch { account, message });
    until(&events, |event| matches!(event, mailtui::engine::Event::Synced { .. }));
    assert!(world.reader().is_intact(message).unwrap());
    engine.stop(Duration::from_secs(20));
}

/// What the store tells of changes while something is done, and the calls that the server heard.
fn watched<T>(world: &World, act: impl FnOnce() -> T) -> (T, usize, Vec<Call>) {
    let (changes, calls) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<Call>>>::default());
    let (count, heard) = (Arc::clone(&changes), Arc::clone(&calls));
    world.store.subscribe(Box::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    world.server.on_call(move |call| {
        heard.lock().unwrap().push(call);
        Ok(())
    });
    let done = act();
    let heard = calls.lock().unwrap().clone();
    (done, changes.load(Ordering::SeqCst), heard)
}

#[test]
fn a_dry_run_says_what_a_round_would_do_and_does_none_of_it() {
    let portion = Portion { max_size: Some(2_000), messages: Some(20), ..Portion::default() };
    let mut world = world(12, Leave::Forever, portion);
    let size = |n: std::ops::Range<usize>| n.map(|n| mail(n).len() as u64).sum::<u64>();
    // Before anything is here, not even the account.
    let (forecast, changes, calls) = watched(&world, || rehearse(&world.store, &world.setup()).unwrap());
    assert_eq!(forecast, Forecast { new: 12, bytes: size(0..12), ..Forecast::default() });
    assert_eq!(changes, 0);
    assert!(!calls.contains(&Call::Apply) && !calls.contains(&Call::Fetch), "{calls:?}");
    world.once().unwrap();
    // Deleted here for good, kept by the policy, larger than wanted, more than one look takes.
    let first = world.rows(Role::Inbox).remove(0).head;
    let purged = world.reader().raw(first.message, 1 << 20).unwrap().len() as u64;
    let items = vec![first.placement];
    world.intend(Intent::Move { items, to: Target::Role(Role::Trash) });
    world.intend(Intent::Purge { items: world.copies(Role::Trash) });
    world.account.leave_on_server = Leave::DeleteAfterDownload;
    for n in 12..34 {
        world.server.deliver("INBOX", mail(n), Flags::NONE, T0 + n as i64);
    }
    let large = [&mail(40)[..], &[b'x'; 3000]].concat();
    world.server.deliver("INBOX", large, Flags::NONE, T0 + 40);
    let (forecast, changes, calls) = watched(&world, || rehearse(&world.store, &world.setup()).unwrap());
    assert_eq!((forecast.new, forecast.stubs, forecast.left), (20, 1, 3));
    assert_eq!((forecast.deletes, forecast.deletes_too), (11 + 19, 1));
    assert_eq!(forecast.bytes, size(15..34));
    assert_eq!(forecast.delete_bytes, size(15..34) + size(0..12) - purged);
    assert_eq!(changes, 0);
    assert!(!calls.contains(&Call::Apply) && !calls.contains(&Call::Body), "{calls:?}");
    assert_eq!(world.server.count("INBOX"), 35);
    // And the round does as was said.
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted, report.left), (20, 31, 3));
}

#[test]
fn a_dry_run_of_imap_says_what_would_be_fetched_and_sent() {
    let world = World::new(Protocol::Imap).fill(9);
    let forecast = rehearse(&world.store, &world.setup()).unwrap();
    assert_eq!((forecast.new, forecast.pushes), (9, 0));
    world.once().unwrap();
    assert_eq!(rehearse(&world.store, &world.setup()).unwrap(), Forecast::default());
    world.intend(Intent::Flag {
        items: world.copies(Role::Inbox),
        delta: FlagDelta::add(Flags::FLAGGED),
        undoable: true,
    });
    world.server.set_flags("INBOX", &[1, 2], FlagDelta::add(Flags::SEEN));
    world.server.expunge("INBOX", &[3]);
    world.server.deliver("Archive", mail(20), Flags::NONE, T0);
    let (forecast, changes, calls) = watched(&world, || rehearse(&world.store, &world.setup()).unwrap());
    assert_eq!((forecast.new, forecast.bytes), (1, mail(20).len() as u64));
    assert_eq!((forecast.marked, forecast.gone, forecast.pushes, forecast.bodies), (2, 1, 1, 0));
    assert_eq!(changes, 0);
    assert!(!calls.iter().any(|call| matches!(call, Call::Apply | Call::Append | Call::Fetch)), "{calls:?}");
}

/// A provider that moved: the same mails under new names, and two new ones.
fn moved(leave: Leave) -> World {
    let world = world(20, leave, Portion::default());
    world.once().unwrap();
    let old: Vec<u32> = world.server.mails("INBOX").iter().map(|mail| mail.uid).collect();
    for n in 0..22 {
        world.server.deliver("INBOX", mail(n), Flags::NONE, T0 + n as i64);
    }
    world.server.expunge("INBOX", &old);
    world
}

#[test]
fn p7_a_server_that_names_its_mail_anew_is_found_out_and_the_user_asked() {
    let mut world = moved(Leave::Forever);
    let bodies = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&bodies);
    world.server.on_call(move |call| {
        count.fetch_add(usize::from(call == Call::Body), Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(world.once().unwrap().new, 2, "what is new indeed comes");
    assert_eq!((bodies.load(Ordering::SeqCst), world.rows(Role::Inbox).len()), (2, 22));
    let inbox = world.folder(Role::Inbox).id;
    let entry = world.reader().matter(Matter::Folder(inbox)).unwrap().unwrap();
    assert!(
        entry.standing.needs_user() && entry.what.as_str().contains("20 mails that are here have new names")
    );
    // Held back: not fetched, and not deleted there, whatever the policy says.
    world.account.leave_on_server = Leave::DeleteAfterDownload;
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted, world.server.count("INBOX")), (0, 2, 20));
    world.account.leave_on_server = Leave::Forever;
    let reach = Reach::These(vec![Matter::Folder(inbox)]);
    world.intend(Intent::Settle { how: Settle::Accept, reach });
    assert_eq!(world.reader().matter(Matter::Folder(inbox)).unwrap(), None);
    assert_eq!(world.once().unwrap().new, 0);
    assert_eq!((bodies.load(Ordering::SeqCst), world.rows(Role::Inbox).len()), (2, 22));
    // From now on they are the same mails for the policy too.
    world.account.leave_on_server = Leave::DeleteAfterDownload;
    assert_eq!((world.once().unwrap().deleted, world.server.count("INBOX")), (20, 0));
    assert_eq!(world.rows(Role::Inbox).len(), 22);
    assert_eq!(world.reader().check().unwrap(), Vec::<String>::new());
}

#[test]
fn p7_what_the_user_wants_anew_is_fetched_anew() {
    let world = moved(Leave::Forever);
    world.once().unwrap();
    let inbox = world.folder(Role::Inbox).id;
    let reach = Reach::These(vec![Matter::Folder(inbox)]);
    world.intend(Intent::Settle { how: Settle::Refetch, reach });
    assert_eq!(world.once().unwrap().new, 20);
    assert_eq!(world.reader().matter(Matter::Folder(inbox)).unwrap(), None);
    assert_eq!(world.once().unwrap().new, 0);
}

#[test]
fn p7_a_maildrop_that_another_program_emptied_asks_nothing() {
    let world = world(20, Leave::Forever, Portion::default());
    world.once().unwrap();
    let old: Vec<u32> = world.server.mails("INBOX").iter().map(|mail| mail.uid).collect();
    world.server.expunge("INBOX", &old);
    for n in 30..33 {
        world.server.deliver("INBOX", mail(n), Flags::NONE, T0 + n as i64);
    }
    assert_eq!(world.once().unwrap().new, 3);
    assert_eq!(world.reader().matter(Matter::Folder(world.folder(Role::Inbox).id)).unwrap(), None);
    assert_eq!(world.rows(Role::Inbox).len(), 23);
}

#[test]
fn where_a_mail_lives_is_known() {
    let mut world = world(3, Leave::Forever, Portion::default());
    world.once().unwrap();
    let message = world.rows(Role::Inbox)[0].head.message;
    let lives = |world: &World| world.reader().lives(message).unwrap().unwrap();
    assert_eq!(lives(&world), Lives::HereAndThere);
    world.account.leave_on_server = Leave::Days(14);
    world.once().unwrap();
    let Lives::HereAndThereUntil(at) = lives(&world) else { panic!("{:?}", lives(&world)) };
    let drop = world.reader().maildrop(world.id()).unwrap().unwrap();
    assert!((at - drop.at - 14 * 86_400).abs() < 60, "{at} {}", drop.at);
    world.account.leave_on_server = Leave::DeleteAfterDownload;
    world.once().unwrap();
    assert_eq!(lives(&world), Lives::Here, "asked for");
    world.server.deliver("INBOX", mail(9), Flags::NONE, T0);
    world.once().unwrap();
    assert_eq!(lives(&world), Lives::Here, "and gone");
}

#[test]
fn p14_a_cleanup_outlives_the_program_and_takes_only_what_can_be_read_back() {
    let world = world(6, Leave::Forever, Portion::default());
    world.once().unwrap();
    let id = world.id();
    let messages = world.reader().cleanable(id).unwrap().messages;
    world.intend(Intent::CleanServer { account: id, messages });
    // Nobody was connected, and the first session that is breaks before its end.
    world.server.deliver("INBOX", mail(6), Flags::NONE, T0);
    world.server.on_call(|call| match call {
        Call::Finish => Err(Error::new(Kind::Offline, "the connection was cut")),
        _ => Ok(()),
    });
    assert!(world.once().is_err());
    assert_eq!(world.server.count("INBOX"), 7);
    world.server.on_call(|_| Ok(()));
    let report = world.once().unwrap();
    assert_eq!((report.deleted, world.server.count("INBOX")), (6, 1), "what came later stays");
    world.once().unwrap();
    assert_eq!((world.rows(Role::Inbox).len(), world.reader().waiting(id).unwrap().deletions), (7, 0));
    assert_eq!(world.reader().check().unwrap(), Vec::<String>::new());
}

#[test]
fn p14_who_watches_a_maildrop_cleans_it_when_it_is_asked_to() {
    let world = world(3, Leave::Forever, Portion::default());
    let (engine, events) = world.watch();
    until(&events, |event| matches!(event, Event::Synced { .. }));
    let messages = world.reader().cleanable(world.id()).unwrap().messages;
    assert_eq!(messages.len(), 3);
    // It looks by itself in five minutes.
    world.intend(Intent::CleanServer { account: world.id(), messages });
    until(&events, |_| world.server.count("INBOX") == 0);
    engine.stop(Duration::from_secs(20));
    assert_eq!(world.rows(Role::Inbox).len(), 3);
}

#[test]
fn p14_a_maildrop_that_fills_up_is_told() {
    let world = world(1, Leave::Forever, Portion::default());
    world.once().unwrap();
    let row = world.reader().maildrop(world.id()).unwrap().unwrap();
    assert!(!row.is_large() && row.weekly() == 0);
    let mut later = row;
    later.holds.bytes += 1_000_000_000;
    later.at += 14 * 86_400;
    assert!(later.is_large());
    assert_eq!(later.weekly(), 500_000_000);
}
