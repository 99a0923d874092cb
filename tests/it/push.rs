//! News while nothing is asked for: of the folder that is open on the screen, and over lines that die in silence.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailtui::config::{Protocol, Tls};
use mailtui::engine::{Command, Emit, Engine, Event, Mode, Opener, Setup};
use mailtui::model::{FlagDelta, Flags, Intent, Role};
use mailtui::net::DialOptions;
use mailtui::protocol::imap;
use mailtui::protocol::memory::Call;

use crate::engine::{T0, World, is_watching, mail, until};
use crate::servers::{self, Home, with_mails};
use crate::support::proxy::{Break, Fault, Plan, Proxy, Seal, Way};
use crate::support::scene::without;

const DEADLINE: Duration = Duration::from_secs(60);

fn arrived_in(folder: mailtui::model::FolderId) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Arrived { folder: there, .. } if *there == folder)
}

#[test]
fn i9_the_folder_that_is_open_is_watched_and_another_after_it() {
    let world = World::new(Protocol::Imap).fill(2);
    for (n, folder) in ["Archive", "Sent"].into_iter().enumerate() {
        world.server.deliver(folder, mail(n), Flags::NONE, T0);
    }
    let (engine, events) = world.watch();
    until(&events, is_watching);
    let look = |role| {
        let folder = world.folder(role).id;
        engine.send(Command::Look { account: world.id(), folder });
        folder
    };
    // The server looks at them in five minutes: the first may come with the look, the others are told.
    for (role, remote) in [(Role::Archive, "Archive"), (Role::Sent, "Sent")] {
        let folder = look(role);
        for n in 10..14 {
            world.server.deliver(remote, mail(n), Flags::NONE, T0 + n as i64);
            until(&events, arrived_in(folder));
        }
        assert_eq!(world.rows(role).len(), 5);
    }
    // What the user does goes out at once meanwhile.
    let (pushed, wait_pushed) = channel();
    let (ended, wait_ended) = channel();
    world.server.on_call(move |call| {
        let _ = match call {
            Call::Applied => pushed.send(()),
            Call::Finished => ended.send(()),
            _ => Ok(()),
        };
        Ok(())
    });
    let items = vec![world.copies(Role::Sent)[0]];
    world.intend(Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
    wait_pushed.recv_timeout(DEADLINE).unwrap();
    // The inbox is watched by the first connection: the second is let go.
    look(Role::Inbox);
    wait_ended.recv_timeout(DEADLINE).unwrap();
    engine.stop(DEADLINE);
}

#[test]
fn i9_a_watch_whose_line_is_cut_is_begun_anew() {
    let world = World::new(Protocol::Imap).fill(2);
    world.server.deliver("Archive", mail(1), Flags::NONE, T0);
    let (engine, events) = world.watch();
    until(&events, is_watching);
    let folder = world.folder(Role::Archive).id;
    engine.send(Command::Look { account: world.id(), folder });
    for n in 10..13 {
        world.server.deliver("Archive", mail(n), Flags::NONE, T0 + n as i64);
        until(&events, arrived_in(folder));
    }
    world.server.cut();
    for n in 13..16 {
        world.server.deliver("Archive", mail(n), Flags::NONE, T0 + n as i64);
        until(&events, arrived_in(folder));
    }
    assert_eq!(world.rows(Role::Archive).len(), 7);
    engine.stop(DEADLINE);
}

fn watch(home: &Home<'_>, setup: Setup) -> (mailtui::store::Store, Engine, Receiver<Event>) {
    let store = home.store();
    let (tell, events) = channel();
    let tell = Mutex::new(tell);
    let emit: Emit = Arc::new(move |event| {
        let _ = tell.lock().unwrap().send(event);
    });
    let engine = Engine::start(&store, vec![setup], Mode::Watch, &emit).unwrap();
    (store, engine, events)
}

/// Until there are so many conversations in the folder.
fn until_there(home: &Home<'_>, role: Role, count: usize, events: &Receiver<Event>) {
    let deadline = Instant::now() + DEADLINE;
    while home.rows(role).len() != count {
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "{} of {count} are here", home.rows(role).len());
        let _ = events.recv_timeout(left.min(Duration::from_millis(200)));
    }
}

/// A server that cannot tell of all folders on one line.
#[test]
fn i9_mail_in_the_open_folder_is_here_at_once_without_notify() {
    with_mails(2, |user| {
        user.deliver("Archive", &servers::mail(3));
        let mut home = Home::new(user, Protocol::Imap, Tls::None);
        let proxy = Proxy::start(home.account.port, Protocol::Imap, Seal::None);
        home.account.port = proxy.port;
        drop(proxy.begin(without(&["NOTIFY"])));
        let (store, engine, events) = watch(&home, home.setup(user.secret()));
        until(&events, is_watching);
        let reader = store.reader().unwrap();
        let account = reader.accounts().unwrap()[0].id;
        let folder = reader.folder_by_role(account, Role::Archive).unwrap().unwrap().id;
        engine.send(Command::Look { account, folder });
        // It looks by itself in five minutes.
        for n in 4..8 {
            user.deliver("Archive", &servers::mail(n));
            until_there(&home, Role::Archive, n - 2, &events);
        }
        user.doveadm(&["expunge"], &["mailbox", "Archive", "subject", "Letter 3"]);
        until_there(&home, Role::Archive, 4, &events);
        user.deliver("INBOX", &servers::mail(9));
        until_there(&home, Role::Inbox, 3, &events);
        engine.stop(DEADLINE);
    });
}

/// The peer goes away without a word, as when a laptop wakes up in another network.
#[test]
fn i9_a_line_that_died_in_silence_is_made_anew() {
    with_mails(2, |user| {
        let mut home = Home::new(user, Protocol::Imap, Tls::None);
        home.account.check_every = Duration::from_secs(1);
        let proxy = Proxy::start(home.account.port, Protocol::Imap, Seal::None);
        home.account.port = proxy.port;
        home.sync().unwrap();
        let setup = || {
            let (account, secret) = (home.account.clone(), user.secret());
            let open: Opener = Arc::new(move |bell| {
                let read_timeout = Duration::from_secs(3);
                let options = DialOptions { read_timeout, ..DialOptions::from(&account, bell) };
                Ok(Box::new(imap::connect_with(&options, &account.user, &secret)?))
            });
            Setup { open, account: home.account.clone(), ..home.setup(user.secret()) }
        };
        // How much passes until it waits for news.
        let round = proxy.begin(Plan::none());
        let (store, engine, events) = watch(&home, setup());
        until(&events, is_watching);
        let byte = round.tally().connections[0].bytes(Way::Down);
        engine.stop(DEADLINE);
        drop((store, events));
        for more in [0, 20] {
            let stall = Fault::Break { how: Break::Stall, connection: 0, way: Way::Down, byte: byte + more };
            let round = proxy.begin(Plan(vec![stall]));
            let (store, engine, events) = watch(&home, setup());
            assert!(round.wait_struck(1, DEADLINE), "it waits for the server all the time");
            let before = home.rows(Role::Inbox).len();
            user.deliver("INBOX", &servers::mail(before + 5));
            until_there(&home, Role::Inbox, before + 1, &events);
            assert!(round.tally().connections.len() > 1);
            engine.stop(DEADLINE);
            drop(store);
        }
    });
}
