//! A whole account moves to another (promises I13, P15): every mail once, with everything it has, and seen there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use mailtui::config::{Protocol, Tls};
use mailtui::engine::{Survey, survey};
use mailtui::error::{Error, Kind};
use mailtui::model::*;
use mailtui::net::Interrupt;
use mailtui::protocol::FolderRef;
use mailtui::protocol::memory::{Call, Server};
use mailtui::store::Leg;

use crate::cli::{mailtui, mailtui_command};
use crate::support::dovecot::{self, User};
use crate::support::pair::*;

/// Mails as servers have them, by folder.
type World = BTreeMap<String, Vec<(Vec<u8>, Flags, Vec<String>, i64)>>;

fn world(side: &Side, folders: &[&str]) -> World {
    let mut session = (side.setup.open)(&Interrupt::new().unwrap()).unwrap();
    let listed = session.folders().unwrap();
    let mails = |folder: &&str| {
        let listed = listed.iter().find(|listed| listed.path == **folder).expect("the folder is there");
        let there = side.there(&listed.remote).into_iter();
        let mut mails: Vec<_> = there.map(|m| (m.raw, m.flags, m.keywords, m.received)).collect();
        mails.sort_by(|a, b| a.0.cmp(&b.0));
        ((*folder).to_owned(), mails)
    };
    folders.iter().map(mails).collect()
}

fn without_id(n: u32) -> Vec<u8> {
    format!("From: cron\r\nSubject: no id\r\n\r\nreport {n:05}\r\n").into_bytes()
}

/// A mailbox with folders of all kinds, flags and keywords.
fn furnish(server: &Server) {
    server.deliver("INBOX", raw(1), Flags::SEEN | Flags::FLAGGED, ARRIVED);
    server.deliver("INBOX", raw(2), Flags::NONE, ARRIVED + 5);
    server.deliver("Sent", raw(3), Flags::SEEN | Flags::ANSWERED, ARRIVED + 9);
    server.add_folder("Projects/Tides", None);
    for n in 10..16 {
        server.deliver("Projects/Tides", raw(n), Flags::NONE, ARRIVED + i64::from(n));
    }
    // One header, two mails.
    server.deliver("Projects/Tides", without_id(1), Flags::NONE, ARRIVED);
    server.deliver("Projects/Tides", without_id(2), Flags::SEEN, ARRIVED);
}

const FOLDERS: [&str; 3] = ["INBOX", "Sent", "Projects/Tides"];

fn legs(pair: &Pair) -> Vec<Leg> {
    pair.reader().legs(pair.account("work"), pair.account("home")).unwrap()
}

/// Queues everything that is not there, as the program does.
fn carry(pair: &Pair) {
    for leg in legs(pair) {
        assert_eq!(leg.left_out, None, "{}", leg.path);
        let items: Vec<_> =
            pair.reader().carried(leg.from).unwrap().iter().map(|mail| mail.placement).collect();
        for chunk in items.chunks(3) {
            pair.store.carry(leg.from, pair.account("home"), chunk.to_vec()).unwrap();
        }
    }
}

/// What the new server has of each folder.
fn look(pair: &Pair) -> Vec<(String, Survey)> {
    let reader = pair.reader();
    let mut session = (pair.home.setup.open)(&Interrupt::new().unwrap()).unwrap();
    let mut all = Vec::new();
    for leg in legs(pair) {
        let mut wanted = reader.carried(leg.from).unwrap();
        wanted.dedup_by_key(|mail| mail.message);
        let to = reader.folder(leg.to.unwrap()).unwrap().unwrap();
        all.push((
            leg.path.to_string(),
            survey(session.as_mut(), &FolderRef::new(to.remote), wanted).unwrap(),
        ));
    }
    all
}

fn assert_all_there(pair: &Pair) {
    for (path, survey) in look(pair) {
        assert_eq!((survey.changed.len(), survey.missing.len()), (0, 0), "{path}");
        assert_eq!(survey.mails, survey.same.len() as u64, "{path}: nothing twice");
    }
}

#[test]
fn i13_an_account_is_copied_whole_and_the_old_one_stays_as_it_is() {
    let (pair, work, home) = Pair::memory();
    furnish(&work);
    // One of them is there already.
    home.deliver("INBOX", raw(2), Flags::NONE, ARRIVED + 5);
    pair.settle();
    let before = world(&pair.work, &FOLDERS);
    let plan = legs(&pair);
    let told: Vec<_> =
        plan.iter().map(|leg| (leg.path.as_str(), leg.mails, leg.there, leg.to.is_some())).collect();
    assert!(
        told.contains(&("Inbox", 2, 1, true)) && told.contains(&("Projects/Tides", 8, 0, false)),
        "{told:?}"
    );
    let inbox = plan.iter().find(|leg| leg.path.as_str() == "Inbox").unwrap();
    assert_eq!(inbox.bytes, (raw(1).len() + raw(2).len()) as u64);
    carry(&pair);
    pair.settle();
    assert_eq!(world(&pair.home, &FOLDERS), before, "bytes, flags, keywords and dates");
    assert_eq!(world(&pair.work, &FOLDERS), before);
    assert_all_there(&pair);
    // Done again, nothing happens.
    assert!(legs(&pair).iter().all(|leg| leg.there == leg.mails));
    carry(&pair);
    assert_eq!(pair.reader().ops_waiting(pair.account("home")).unwrap(), 0);
    // It is no action that `u` would take back.
    assert!(pair.store.intend_wait(Intent::Undo).unwrap().error.is_some());
}

#[test]
fn i7_i13_whatever_answer_is_lost_nothing_is_there_twice_and_nothing_is_missing() {
    for (which, nth) in [
        (Call::Append, 0),
        (Call::Append, 3),
        (Call::Appended, 0),
        (Call::Appended, 4),
        (Call::Mark, 2),
        (Call::Apply, 0),
    ] {
        let (pair, work, home) = Pair::memory();
        furnish(&work);
        pair.settle();
        let before = world(&pair.work, &FOLDERS);
        carry(&pair);
        fail_once(&home, which, nth, Kind::Offline);
        pair.settle();
        // As after a kill: the command is given again.
        carry(&pair);
        pair.settle();
        assert_eq!(world(&pair.home, &FOLDERS), before, "{which:?} {nth}");
        assert_all_there(&pair);
    }
}

#[test]
fn i13_a_move_that_was_killed_half_way_goes_on_where_it_was() {
    let (pair, work, home) = Pair::memory();
    furnish(&work);
    pair.settle();
    let before = world(&pair.work, &FOLDERS);
    // The second folder was not begun when the program died, and of the first a part was there.
    let plan = legs(&pair);
    let tides = plan.iter().find(|leg| leg.path.as_str() == "Projects/Tides").unwrap();
    let items = pair.reader().carried(tides.from).unwrap()[..3].iter().map(|mail| mail.placement).collect();
    assert_eq!(pair.store.carry(tides.from, pair.account("home"), items).unwrap(), 3);
    let count = AtomicUsize::new(0);
    home.on_call(move |call| {
        if call == Call::Append && count.fetch_add(1, Ordering::SeqCst) > 0 {
            return Err(Error::new(Kind::Offline, "the line broke"));
        }
        Ok(())
    });
    pair.sync(&[&pair.home]);
    home.on_call(|_| Ok(()));
    let reader = pair.store.reader().unwrap();
    drop(reader);
    let pair = pair.reopened();
    carry(&pair);
    pair.settle();
    assert_eq!(world(&pair.home, &FOLDERS), before);
    assert_all_there(&pair);
}

#[test]
fn i13_what_a_server_lost_or_changed_is_seen() {
    let (pair, work, home) = Pair::memory();
    furnish(&work);
    pair.settle();
    carry(&pair);
    pair.settle();
    let uid = home.mails("Sent")[0].uid;
    home.expunge("Sent", &[uid]);
    let sent = look(&pair).into_iter().find(|(path, _)| path == "Sent").unwrap().1;
    assert_eq!((sent.same.len(), sent.missing.len()), (0, 1));
    let altered = String::from_utf8(raw(3)).unwrap().replace("Subject: Letter", "Subject: [List] Letter");
    home.deliver("Sent", altered.into_bytes(), Flags::SEEN, ARRIVED);
    let sent = look(&pair).into_iter().find(|(path, _)| path == "Sent").unwrap().1;
    assert_eq!((sent.same.len(), sent.changed.len(), sent.missing.len()), (0, 1, 0));
    let tides = home.folders().into_iter().find(|folder| folder.path == "Projects/Tides").unwrap().remote;
    // Of two mails that look alike from outside, one that is there does not stand for both.
    let odd = home.mails(&tides).into_iter().find(|m| m.source.bytes().to_vec() == without_id(2)).unwrap();
    home.expunge(&tides, &[odd.uid]);
    let tides = look(&pair).into_iter().find(|(path, _)| path == "Projects/Tides").unwrap().1;
    assert_eq!((tides.same.len(), tides.missing.len()), (7, 1));
}

#[test]
fn p15_a_maildrop_moves_to_imap_and_nothing_is_fetched_or_put_twice() {
    let work = Side::memory("work", Protocol::Pop3, Server::new(Protocol::Pop3));
    let home = Server::new(Protocol::Imap);
    let pair = Pair::new(work, Side::memory("home", Protocol::Imap, home.clone()));
    for n in [1, 2, 3] {
        pair.work.deliver(n);
    }
    pair.settle();
    // Filed and starred here.
    let items = pair.copies(pair.folder("work", Role::Inbox));
    pair.act(Intent::Move { items: items[..1].to_vec(), to: Target::Role(Role::Archive) });
    pair.act(Intent::Flag {
        items: items[1..].to_vec(),
        delta: FlagDelta::add(Flags::FLAGGED),
        undoable: true,
    });
    carry(&pair);
    pair.settle();
    carry(&pair);
    pair.settle();
    let there = world(&pair.home, &["INBOX", "Archive"]);
    assert_eq!((there["INBOX"].len(), there["Archive"].len()), (2, 1));
    assert!(there["INBOX"].iter().all(|(_, flags, ..)| flags.has(Flags::FLAGGED)));
    let mut bytes: Vec<_> = there.values().flatten().map(|(raw, ..)| raw.clone()).collect();
    bytes.sort();
    let mut sent = vec![raw(1), raw(2), raw(3)];
    sent.sort();
    assert_eq!(bytes, sent);
    assert_eq!(pair.work.there("INBOX").len(), 3, "the maildrop keeps its mail");
    assert_all_there(&pair);
}

#[test]
fn p15_an_account_moves_to_one_that_lives_here_and_back_to_imap() {
    let (work, home) = (Server::new(Protocol::Imap), Server::new(Protocol::Pop3));
    let pair = Pair::new(
        Side::memory("work", Protocol::Imap, work.clone()),
        Side::memory("home", Protocol::Pop3, home),
    );
    furnish(&work);
    pair.settle();
    carry(&pair);
    pair.settle();
    let reader = pair.reader();
    for leg in legs(&pair) {
        assert_eq!((leg.there, leg.unfetched), (leg.mails, 0), "{}", leg.path);
        for mail in reader.carried(leg.to.unwrap()).unwrap() {
            assert!(reader.recorded_hash(mail.message).unwrap().is_some(), "all of it is here");
        }
    }
    // And back: everything is there already.
    for leg in reader.legs(pair.account("home"), pair.account("work")).unwrap() {
        assert_eq!(leg.there, leg.mails, "{}", leg.path);
    }
}

/// The program itself over two users of Dovecot.
struct Program {
    dir: tempfile::TempDir,
    users: [User<'static>; 2],
}

impl Program {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let users = [dovecot::shared()?.user(), dovecot::shared()?.user()];
        let table = |(name, user): (&str, &User<'_>)| {
            let account = user.account(Protocol::Imap, Tls::None);
            format!(
                "[accounts.{name}]\nemail = \"ada@example.org\"\nprotocol = \"imap\"\nhost = \"{}\"\nport = {}\n\
                 tls = \"none\"\nuser = \"{}\"\npassword = {{ plain = \"{}\" }}\n",
                account.host,
                account.port,
                account.user,
                user.secret().expose()
            )
        };
        let config: String = ["work", "home"].into_iter().zip(&users).map(table).collect();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, config).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        Some(Self { dir, users })
    }

    fn does(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = mailtui(self.dir.path(), arguments);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The bytes in a folder of a user, sorted.
    fn there(&self, user: usize, folder: &str) -> Vec<Vec<u8>> {
        let mut mails: Vec<_> = self.users[user].mails(folder).into_iter().map(|(_, raw)| raw).collect();
        mails.sort();
        mails
    }
}

#[test]
fn i13_the_program_moves_an_account_between_two_users_of_dovecot() {
    let Some(program) = Program::new() else { return };
    let old = &program.users[0];
    (1..=30).for_each(|n| old.deliver("INBOX", &raw(n)));
    old.doveadm(&["mailbox", "create"], &["Projects"]);
    (31..=35).for_each(|n| old.deliver("Projects", &raw(n)));
    old.doveadm(&["flags", "add"], &["\\Flagged garden", "mailbox", "Projects", "all"]);
    assert_eq!(program.does(&["sync"]).0, Some(0));
    let (code, said, error) = program.does(&["account", "move", "work", "--to", "home"]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("35 mails (") && said.contains("Nothing was done"), "{said}");
    assert!(said.contains("to Projects (new)"), "{said}");
    assert_eq!(program.there(1, "INBOX").len(), 0, "a dry run");
    // Killed somewhere on its way, then begun again.
    let mut child =
        mailtui_command(program.dir.path(), &["account", "move", "work", "--to", "home", "--yes"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while program.there(1, "INBOX").len() < 3 && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, said, error) = program.does(&["account", "move", "work", "--to", "home", "--yes"]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{said}");
    assert!(
        said.contains("Inbox: 30 of 30 seen there") && said.contains("Projects: 5 of 5 seen there"),
        "{said}"
    );
    for folder in ["INBOX", "Projects"] {
        assert_eq!(program.there(1, folder), program.there(0, folder), "{folder}");
    }
    let flags = program.users[1].doveadm(&["fetch"], &["flags", "mailbox", "Projects", "all"]);
    assert_eq!(
        flags.lines().filter(|l| l.contains("\\Flagged") && l.contains("garden")).count(),
        5,
        "{flags}"
    );
    // Once more: nothing to do; then what was seen there goes here.
    let (code, said, _) =
        program.does(&["account", "move", "work", "--to", "home", "--yes", "--delete-after"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("35 of them there already") && said.contains("35 mails of work deleted there"),
        "{said}"
    );
    assert_eq!((program.there(0, "INBOX").len(), program.there(0, "Projects").len()), (0, 0));
    assert_eq!((program.there(1, "INBOX").len(), program.there(1, "Projects").len()), (30, 5));
}

#[test]
fn i13_one_sync_does_both_halves_of_a_move_between_accounts() {
    let Some(program) = Program::new() else { return };
    (1..=5).for_each(|n| program.users[0].deliver("INBOX", &raw(n)));
    assert_eq!(program.does(&["sync"]).0, Some(0));
    let ids: Vec<String> = (1..=5).map(|id| id.to_string()).collect();
    let words: Vec<&str> =
        ["move", "--to", "home/INBOX"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    let (code, said, error) = program.does(&words);
    assert_eq!(code, Some(0), "{said}{error}");
    assert!(said.contains("moved 5 to home: INBOX\nqueued: `mailtui sync` sends it"), "{said}");
    let (code, said, error) = program.does(&["sync"]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{said}");
    assert_eq!((program.there(0, "INBOX").len(), program.there(1, "INBOX").len()), (0, 5));
    assert!(said.contains("5 changes sent"), "{said}");
}
