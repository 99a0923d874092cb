//! Mail between accounts with engines and servers (promises I7, I13): once, whole, and back again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailtui::config::Protocol;
use mailtui::engine::{Emit, Engine, Event, Mode};
use mailtui::error::{Error, Kind};
use mailtui::model::*;
use mailtui::protocol::memory::{Call, Server};

use crate::support::chance::{Seed, is_campaign};
use crate::support::pair::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// Flags and keywords that have to come along.
fn dress(pair: &Pair) {
    let items = pair.copies(pair.folder("work", Role::Inbox));
    let delta = FlagDelta::add(Flags::SEEN | Flags::FLAGGED | Flags::ANSWERED);
    pair.act(Intent::Flag { items: items.clone(), delta, undoable: true });
    pair.act(Intent::Tag { items, add: vec!["garden".to_owned()], del: vec![] });
    pair.settle();
}

fn there_and_back(pair: &Pair) {
    let pop = pair.work.setup.owner == Owner::Here;
    for n in [1, 2, LARGE] {
        pair.work.deliver(n);
    }
    pair.settle();
    dress(pair);
    let before = pair.work.there("INBOX");
    assert_eq!(before.len(), 3);
    pair.send();
    assert_eq!(pair.copies(pair.archive()).len(), 3, "seen at once");
    pair.settle();
    let mut sent = pair.sent();
    sent.sort_by_key(|mail| mail.raw.len());
    let left = pair.work.there("INBOX");
    assert_eq!(left, [], "it is on one server only");
    let hash = |mails: &[There]| mails.iter().map(|mail| sha256(&mail.raw)).collect::<Vec<_>>();
    assert_eq!(hash(&sent), hash(&before), "every byte");
    let marks = Flags::SEEN | Flags::FLAGGED | Flags::ANSWERED;
    for (there, was) in sent.iter().zip(&before) {
        assert_eq!((there.flags, &there.keywords[..]), (marks, &["garden".to_owned()][..]));
        assert!(pop || *there == *was, "{there:?}");
    }
    // Undo after all of it.
    pair.act(Intent::Undo);
    pair.settle();
    assert_eq!(pair.sent(), []);
    let inbox = pair.folder("work", Role::Inbox);
    assert_eq!(pair.copies(inbox).len(), 3);
    if pop {
        // The maildrop gave them away; they live here again.
        let reader = pair.reader();
        for copy in pair.copies(inbox) {
            let mail = reader.summary(copy).unwrap().unwrap();
            let bytes = reader.raw(mail.message, 1 << 24).unwrap();
            let was = before.iter().find(|was| was.raw == bytes).expect("every byte");
            assert_eq!(reader.body_hash(mail.message).unwrap(), sha256(&was.raw));
            assert_eq!((mail.flags, mail.tags[0].as_str()), (marks, "garden"));
        }
    } else {
        let mut back = pair.work.there("INBOX");
        back.sort_by_key(|mail| mail.raw.len());
        assert_eq!(back, before);
    }
}

#[test]
fn i13_everything_comes_along_and_comes_back_between_servers_in_memory() {
    there_and_back(&Pair::memory().0);
}

#[test]
fn i13_everything_comes_along_and_comes_back_between_two_dovecots() {
    let (Some(work), Some(home)) =
        (Side::dovecot("work", Protocol::Imap), Side::dovecot("home", Protocol::Imap))
    else {
        return;
    };
    there_and_back(&Pair::new(work, home));
}

#[test]
fn i13_p12_everything_comes_along_from_a_maildrop_in_memory() {
    let work = Side::memory("work", Protocol::Pop3, Server::new(Protocol::Pop3));
    let home = Side::memory("home", Protocol::Imap, Server::new(Protocol::Imap));
    there_and_back(&Pair::new(work, home));
}

#[test]
fn i13_p12_everything_comes_along_from_a_maildrop_of_dovecot() {
    let (Some(work), Some(home)) =
        (Side::dovecot("work", Protocol::Pop3), Side::dovecot("home", Protocol::Imap))
    else {
        return;
    };
    there_and_back(&Pair::new(work, home));
}

#[test]
fn i7_a_lost_answer_makes_no_second_copy_whatever_the_server_does_to_the_bytes() {
    for unfaithful in [false, true] {
        for (which, nth) in
            [(Call::Mark, 0), (Call::Append, 0), (Call::Appended, 0), (Call::Appended, 1), (Call::Find, 0)]
        {
            let home = Server::new(Protocol::Imap);
            let home = if unfaithful { home.unfaithful() } else { home };
            let (pair, work, home) = Pair::between(Server::new(Protocol::Imap), home);
            pair.work.deliver(1);
            pair.work.deliver(2);
            pair.settle();
            pair.send();
            fail_once(&home, which, nth, Kind::Offline);
            pair.settle();
            let case = format!("{which:?} {nth}, unfaithful: {unfaithful}");
            assert_eq!(home.count("Archive"), 2, "{case}");
            assert_eq!(work.count("INBOX"), 0, "{case}");
            assert_eq!(pair.copies(pair.archive()).len(), 2, "{case}");
            pair.act(Intent::Undo);
            pair.settle();
            assert_eq!((work.count("INBOX"), home.count("Archive")), (2, 0), "{case}");
        }
    }
}

#[test]
fn i12_i13_one_mail_that_is_refused_does_not_hold_the_others_up() {
    let (pair, work, home) = Pair::memory();
    (1..=3).for_each(|n| pair.work.deliver(n));
    pair.settle();
    pair.send();
    let count = AtomicUsize::new(0);
    home.on_call(move |call| {
        if call == Call::Append && count.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(Error::new(Kind::Refused, "the server does not take the message")
                .hint("the mailbox on the server is full"));
        }
        Ok(())
    });
    for _ in 0..2 {
        pair.sync(&[&pair.home, &pair.work]);
    }
    assert_eq!((home.count("Archive"), work.count("INBOX")), (2, 1));
    let reader = pair.reader();
    let conflicts = reader.conflicts(pair.account("home")).unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(
        conflicts[0].error,
        "the server does not take the message (the mailbox on the server is full)"
    );
    assert_eq!(reader.ops_waiting(pair.account("work")).unwrap(), 1, "the other half waits with it");
    // There is room again.
    let reach = Reach::Account(pair.account("home"));
    pair.act(Intent::Settle { how: Settle::Retry, reach });
    pair.settle();
    assert_eq!((home.count("Archive"), work.count("INBOX")), (3, 0));
}

#[test]
fn i13_a_refused_mail_that_is_given_up_is_where_it_was() {
    let (pair, work, home) = Pair::memory();
    pair.work.deliver(1);
    pair.settle();
    pair.send();
    fail_once(&home, Call::Append, 0, Kind::Refused);
    pair.sync(&[&pair.home]);
    let reach = Reach::Account(pair.account("home"));
    pair.act(Intent::Settle { how: Settle::Discard, reach });
    pair.settle();
    assert_eq!((home.count("Archive"), work.count("INBOX")), (0, 1));
    assert_eq!(pair.copies(pair.folder("work", Role::Inbox)).len(), 1);
    assert_eq!(pair.copies(pair.archive()).len(), 0);
}

#[test]
fn i13_engines_wake_each_other_and_fetch_first_what_the_other_waits_for() {
    let (work, home) = (Server::new(Protocol::Imap), Server::new(Protocol::Imap));
    let side = |name: &str, server: &Server| Side::memory(name, Protocol::Imap, server.clone());
    let pair = Pair::new(side("work", &work), side("home", &home));
    // Headers come, bodies do not, until they are let.
    let closed = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&closed);
    work.on_call(move |call| match call {
        Call::Body if gate.load(Ordering::SeqCst) => Err(Error::new(Kind::Offline, "not now")),
        _ => Ok(()),
    });
    pair.work.deliver(1);
    let (tell, changes) = channel();
    let tell = Mutex::new(tell);
    let again = Mutex::new(tell.lock().unwrap().clone());
    pair.store.subscribe(Box::new(move |_| {
        let _ = tell.lock().unwrap().send(());
    }));
    let emit: Emit = Arc::new(move |_: Event| {
        let _ = again.lock().unwrap().send(());
    });
    let setups = vec![pair.work.setup.clone(), pair.home.setup.clone()];
    let engine = Engine::start(&pair.store, setups, Mode::Watch, &emit).unwrap();
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let deadline = Instant::now() + DEADLINE;
        while !is_so() {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(changes.recv_timeout(left).is_ok(), "never came: {what}");
        }
    };
    let inbox = pair.folder("work", Role::Inbox);
    until("the mail", &|| pair.copies(inbox).len() == 1);
    pair.send();
    assert_eq!(home.count("Archive"), 0);
    closed.store(false, Ordering::SeqCst);
    // The user's own way to try again at once.
    engine.send(mailtui::engine::Command::Sync(None));
    until("the mail at the other server", &|| home.count("Archive") == 1);
    until("the end of it here", &|| work.count("INBOX") == 0);
    until("an empty queue", &|| {
        let reader = pair.reader();
        ["work", "home"].iter().all(|name| reader.ops_waiting(pair.account(name)).unwrap() == 0)
    });
    engine.stop(Duration::from_secs(5));
    assert_eq!(pair.reader().check().unwrap(), Vec::<String>::new());
}

/// Where a mail may be.
const PLACES: [(&str, Role, &str); 4] = [
    ("work", Role::Inbox, "INBOX"),
    ("work", Role::Archive, "Archive"),
    ("home", Role::Inbox, "INBOX"),
    ("home", Role::Archive, "Archive"),
];
const MAILS: u32 = 4;

/// Folder, subject and flags of every mail: what the user sees, and what the servers have.
fn both_views(pair: &Pair) -> [Vec<(usize, String, i64)>; 2] {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for (at, (account, role, remote)) in PLACES.into_iter().enumerate() {
        let reader = pair.reader();
        for copy in pair.copies(pair.folder(account, role)) {
            let mail = reader.summary(copy).unwrap().unwrap();
            here.push((at, mail.subject.to_string(), mail.flags.bits()));
        }
        let side = if account == "work" { &pair.work } else { &pair.home };
        for mail in side.there(remote) {
            let text = String::from_utf8_lossy(&mail.raw).into_owned();
            let subject = text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap().to_owned();
            there.push((at, subject, mail.flags.bits()));
        }
    }
    here.sort();
    there.sort();
    [here, there]
}

#[test]
fn i13_any_sequence_of_moves_and_undos_under_faults_ends_with_every_mail_once() {
    let chosen = Seed::of_run();
    let mut chance = chosen.chance();
    for round in 0..if is_campaign() { 300 } else { 5 } {
        let unfaithful = chance.below(3) == 0;
        let server = || Server::new(Protocol::Imap);
        let far = if unfaithful { server().unfaithful() } else { server() };
        let (pair, work, home) = Pair::between(server(), far);
        (1..=MAILS).for_each(|n| pair.work.deliver(n));
        pair.settle();
        let mut log = vec![format!("{chosen:?}, round {round}, unfaithful: {unfaithful}")];
        for _ in 0..12 {
            let intent = match chance.below(8) {
                0..=3 => {
                    let (account, role, _) = *chance.pick(&PLACES);
                    let items = pair.copies(pair.folder(account, role));
                    let (there, to, _) = *chance.pick(&PLACES);
                    let count = 1 + chance.below(items.len() as u64 + 1) as usize;
                    let items: Vec<_> = items.into_iter().take(count).collect();
                    log.push(format!("{count} from {account} {role:?} to {there} {to:?}"));
                    Intent::Move { items, to: Target::Folder(pair.folder(there, to)) }
                }
                4 => {
                    let (account, role, _) = *chance.pick(&PLACES);
                    let items = pair.copies(pair.folder(account, role));
                    let one = *chance.pick(&[Flags::SEEN, Flags::FLAGGED]);
                    let add = chance.below(2) == 0;
                    let delta = if add { FlagDelta::add(one) } else { FlagDelta::del(one) };
                    log.push(format!("flags of {account} {role:?}: {delta:?}"));
                    Intent::Flag { items, delta, undoable: true }
                }
                5 | 6 => {
                    log.push("undo".to_owned());
                    Intent::Undo
                }
                _ => {
                    log.push("redo".to_owned());
                    Intent::Redo
                }
            };
            // What makes no sense now is refused.
            let outcome = pair.store.intend_wait(intent).unwrap();
            log.push(format!("  {} {}", outcome.label, outcome.error.unwrap_or_default()));
            let wrong = pair.reader().check().unwrap();
            assert_eq!(wrong, Vec::<String>::new(), "{log:#?}");
            if chance.below(3) > 0 {
                let lost = [Call::Appended; 3];
                let calls = [Call::Mark, Call::Append, Call::Find, Call::Apply, Call::Applied, Call::Change];
                let calls = [&calls[..], &lost].concat();
                let call = *chance.pick(&calls);
                let nth = chance.below(2) as usize;
                let strikes_home = chance.below(2) == 0;
                fail_once(if strikes_home { &home } else { &work }, call, nth, Kind::Offline);
                let sides: &[&Side] = match chance.below(3) {
                    0 => &[&pair.home],
                    1 => &[&pair.work],
                    _ => &[&pair.home, &pair.work],
                };
                log.push(format!(
                    "sync of {} with a fault of {call:?} {nth}, home: {strikes_home}",
                    sides.len()
                ));
                pair.sync(sides);
                home.on_call(|_| Ok(()));
                work.on_call(|_| Ok(()));
                let wrong = pair.reader().check().unwrap();
                assert_eq!(wrong, Vec::<String>::new(), "{log:#?}");
            }
        }
        pair.settle();
        let [here, there] = both_views(&pair);
        assert_eq!(here, there, "{log:#?}");
        let mut subjects: Vec<_> = there.iter().map(|(_, subject, _)| subject.clone()).collect();
        subjects.sort();
        let all: Vec<_> = (1..=MAILS).map(|n| format!("Letter {n}")).collect();
        assert_eq!(subjects, all, "{log:#?}");
        // And all the way back.
        while pair.store.intend_wait(Intent::Undo).unwrap().error.is_none() {}
        pair.settle();
        let [here, there] = both_views(&pair);
        let start: Vec<_> = all.into_iter().map(|subject| (0, subject, 0)).collect();
        assert_eq!((here, there), (start.clone(), start), "undone: {log:#?}");
    }
}
