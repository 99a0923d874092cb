//! The engine over the memory server and a real store: in step both ways, through stops, cuts and panics.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailtui::config::{Account, Leave, Protocol, SecretSource, Tls};
use mailtui::engine::{AccountState, Command, Engine, Event, Mode, Report, Setup};
use mailtui::error::{Error, Kind, Result};
use mailtui::model::{
    AccountId, FlagDelta, Flags, Folder, Intent, PlacementId, Reach, Role, Row, Settle, Target, View,
};
use mailtui::protocol::memory::{Call, Server};
use mailtui::store::{Edge, Reader, Store};

const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const T0: i64 = 1_790_000_000;

pub(crate) fn mail(n: usize) -> Vec<u8> {
    let filler = "All work and no play.\r\n".repeat(n % 40);
    format!(
        "From: Ada <ada@example.org>\r\nTo: Me <me@example.org>\r\nSubject: Letter {n}\r\n\
         Message-ID: <letter-{n}@example.org>\r\nDate: Sun, 20 Sep 2026 10:00:00 +0000\r\n\
         X-Seed: {n}\r\n\r\nDear reader {n},\r\n.\r\n{filler}"
    )
    .into_bytes()
}

pub(crate) fn account(name: &str, protocol: Protocol) -> Account {
    Account {
        name: name.to_owned(),
        email: "me@example.org".to_owned(),
        display_name: "Me".to_owned(),
        protocol,
        host: "memory".to_owned(),
        port: 1,
        tls: Tls::None,
        allow_plaintext: false,
        user: "me".to_owned(),
        password: SecretSource::Prompt,
        auth: Default::default(),
        compress: Default::default(),
        folders: Vec::new(),
        ca_file: None,
        pin: None,
        leave_on_server: Leave::Forever,
        delete_on_server_when_deleted_here: true,
        keep_bodies: mailtui::config::KeepBodies::default(),
        portion: mailtui::config::Portion::default(),
        check_every: Duration::from_secs(300),
        spool: None,
        sending: Default::default(),
    }
}

/// A server in memory and a store of its own.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) account: Account,
    dir: tempfile::TempDir,
    pub(crate) store: Store,
}

impl World {
    pub(crate) fn new(protocol: Protocol) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { server: Server::new(protocol), account: account("work", protocol), dir, store }
    }

    /// On a server whose folders are labels.
    pub(crate) fn labelled() -> Self {
        Self { server: Server::with_labels(), ..Self::new(Protocol::Imap) }
    }

    pub(crate) fn fill(self, mails: usize) -> Self {
        for n in 0..mails {
            self.server.deliver("INBOX", mail(n), Flags::NONE, T0 + n as i64);
        }
        self
    }

    pub(crate) fn setup(&self) -> Setup {
        let server = self.server.clone();
        let owner = self.account.protocol.owner();
        Setup {
            account: self.account.clone(),
            owner,
            protocol: "memory",
            open: Arc::new(move |interrupt| server.session(interrupt)),
            post: None,
            secret: None,
        }
    }

    pub(crate) fn once(&self) -> Result<Report> {
        self.once_with(self.setup())
    }

    pub(crate) fn once_with(&self, setup: Setup) -> Result<Report> {
        let emit: mailtui::engine::Emit = Arc::new(|_| {});
        let engine = Engine::start(&self.store, vec![setup], Mode::Once, &emit).unwrap();
        engine.join().remove(0).1
    }

    pub(crate) fn watch(&self) -> (Engine, Receiver<Event>) {
        self.watch_with(self.setup())
    }

    pub(crate) fn watch_with(&self, setup: Setup) -> (Engine, Receiver<Event>) {
        let (tell, events) = channel();
        let tell = Mutex::new(tell);
        let emit: mailtui::engine::Emit = Arc::new(move |event| {
            let _ = tell.lock().unwrap().send(event);
        });
        (Engine::start(&self.store, vec![setup], Mode::Watch, &emit).unwrap(), events)
    }

    pub(crate) fn reader(&self) -> Reader {
        self.store.reader().unwrap()
    }

    pub(crate) fn id(&self) -> AccountId {
        self.reader().accounts().unwrap()[0].id
    }

    pub(crate) fn folder(&self, role: Role) -> Folder {
        self.reader().folder_by_role(self.id(), role).unwrap().unwrap()
    }

    pub(crate) fn rows(&self, role: Role) -> Vec<Row> {
        self.reader().page(View::Folder(self.folder(role).id), Edge::Top, 10_000).unwrap().rows
    }

    pub(crate) fn copies(&self, role: Role) -> Vec<PlacementId> {
        self.rows(role).iter().flat_map(|row| row.members.iter().map(|m| m.placement)).collect()
    }

    pub(crate) fn subjects(&self, role: Role) -> Vec<String> {
        let mut subjects: Vec<_> = self.rows(role).iter().map(|row| row.head.subject.to_string()).collect();
        subjects.sort();
        subjects
    }

    pub(crate) fn intend(&self, intent: Intent) {
        let outcome = self.store.intend_wait(intent).unwrap();
        assert_eq!(outcome.error, None);
    }

    /// Every mail that is here is byte for byte what was sent.
    fn check_bytes(&self, role: Role) {
        let reader = self.reader();
        for row in self.rows(role) {
            let raw = reader.raw(row.head.message, 1 << 24).unwrap();
            let text = String::from_utf8_lossy(&raw).into_owned();
            let seed = text.lines().find_map(|l| l.strip_prefix("X-Seed: ")).unwrap();
            assert_eq!(raw, mail(seed.trim().parse().unwrap()));
        }
    }

    pub(crate) fn calls(&self, which: Call) -> Arc<AtomicUsize> {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        self.server.on_call(move |call| {
            if call == which {
                counter.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        });
        count
    }
}

pub(crate) fn until(events: &Receiver<Event>, mut wanted: impl FnMut(&Event) -> bool) -> Event {
    let deadline = Instant::now() + DEADLINE;
    let mut seen = Vec::new();
    loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) if wanted(&event) => return event,
            Ok(event) => seen.push(event),
            Err(e) => panic!("the event did not come ({e}); seen: {seen:#?}"),
        }
    }
}

pub(crate) fn is_watching(event: &Event) -> bool {
    matches!(event, Event::State { state: AccountState::Watching, .. })
}

#[test]
fn i4_a_first_sync_brings_everything_and_a_second_nothing() {
    let world = World::new(Protocol::Imap).fill(450);
    let bodies = world.calls(Call::Body);
    let first = world.once().unwrap();
    assert_eq!(first.new, 450);
    assert_eq!(world.rows(Role::Inbox).len(), 450);
    assert_eq!(world.folder(Role::Inbox).unseen, 450);
    world.check_bytes(Role::Inbox);
    let second = world.once().unwrap();
    assert_eq!((second.new, second.bytes), (0, 0));
    assert_eq!(bodies.load(Ordering::SeqCst), 450);
}

#[test]
fn i4_a_sync_that_is_cut_anywhere_goes_on_and_fetches_nothing_twice() {
    for cut_at in [1, 199, 200, 201, 330, 449, 700, 899] {
        let world = World::new(Protocol::Imap).fill(450);
        let steps = Arc::new(AtomicUsize::new(0));
        let bodies = Arc::new(AtomicUsize::new(0));
        let (counter, fetched) = (Arc::clone(&steps), Arc::clone(&bodies));
        world.server.on_call(move |call| {
            if matches!(call, Call::Change | Call::Body) {
                if counter.fetch_add(1, Ordering::SeqCst) == cut_at {
                    return Err(Error::new(Kind::Offline, "the connection was cut"));
                }
                fetched.fetch_add(usize::from(call == Call::Body), Ordering::SeqCst);
            }
            Ok(())
        });
        assert_eq!(world.once().unwrap_err().kind(), Kind::Offline, "cut at {cut_at}");
        world.once().unwrap();
        assert_eq!(world.rows(Role::Inbox).len(), 450, "cut at {cut_at}");
        assert_eq!(bodies.load(Ordering::SeqCst), 450, "cut at {cut_at}");
        world.check_bytes(Role::Inbox);
    }
}

#[test]
fn i5_flags_go_both_ways() {
    let world = World::new(Protocol::Imap).fill(5);
    world.once().unwrap();
    let first = world.copies(Role::Inbox)[0];
    world.intend(Intent::Flag {
        items: vec![first],
        delta: FlagDelta::add(Flags::FLAGGED | Flags::SEEN),
        undoable: true,
    });
    world.server.set_flags("INBOX", &[1], FlagDelta::add(Flags::ANSWERED));
    world.once().unwrap();
    let there = world.server.mails("INBOX");
    assert_eq!(there[4].flags, Flags::FLAGGED | Flags::SEEN);
    assert_eq!(there[0].flags, Flags::ANSWERED);
    let here = world.rows(Role::Inbox);
    assert_eq!(here[0].head.flags, Flags::FLAGGED | Flags::SEEN);
    assert_eq!(here[4].head.flags, Flags::ANSWERED);
    assert_eq!(world.folder(Role::Inbox).unseen, 4);
}

#[test]
fn a8_that_a_server_keeps_no_tags_is_told_once_and_they_stay() {
    let world = World::new(Protocol::Imap).fill(2);
    world.server.keep_only("INBOX", &["known"]);
    let (engine, events) = world.watch();
    until(&events, is_watching);
    for tag in ["urgent", "later"] {
        let add = vec![tag.to_owned(), "known".to_owned()];
        world.intend(Intent::Tag { items: world.copies(Role::Inbox), add, del: vec![] });
    }
    let trouble = until(&events, |event| matches!(event, Event::Trouble { .. }));
    let Event::Trouble { text, hint, .. } = trouble else { unreachable!() };
    assert_eq!(text.as_str(), "the server does not keep the tag urgent in INBOX");
    assert!(hint.is_some());
    engine.send(Command::Sync(None));
    loop {
        let told = until(&events, |e| matches!(e, Event::Trouble { .. } | Event::Synced { .. }));
        assert!(!matches!(told, Event::Trouble { .. }), "told twice: {told:?}");
        if world.reader().ops_waiting(world.id()).unwrap() == 0 {
            break;
        }
    }
    engine.stop(DEADLINE);
    world.once().unwrap();
    assert_eq!(world.server.mails("INBOX")[0].keywords, ["known"]);
    assert_eq!(world.reader().conflicts(world.id()).unwrap(), []);
    let tags: Vec<String> = world.rows(Role::Inbox)[0].tags.iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["known", "later", "urgent"]);
}

#[test]
fn folders_shaped_without_a_connection_come_to_be_on_the_server() {
    let world = World::new(Protocol::Imap).fill(3);
    let work = world.server.add_folder("Work", None);
    world.server.add_folder("Work/a", None);
    world.server.deliver(&work, mail(8), Flags::NONE, T0 + 8);
    world.once().unwrap();
    let at = |path: &str| {
        let folders = world.reader().folders(world.id()).unwrap();
        folders.into_iter().find(|f| f.path.as_str() == path).map(|f| f.id)
    };
    let account = world.id();
    world.intend(Intent::MakeFolder { account, path: "New".into() });
    let new = at("New").unwrap();
    let items = world.copies(Role::Inbox);
    world.intend(Intent::Move { items: vec![items[0]], to: Target::Folder(new) });
    world.intend(Intent::RenameFolder { folder: new, path: "Newer".into() });
    world.intend(Intent::RenameFolder { folder: at("Work").unwrap(), path: "Job".into() });
    world.intend(Intent::Move { items: vec![items[1]], to: Target::Folder(at("Job/a").unwrap()) });
    world.intend(Intent::MakeFolder { account, path: "Job/b".into() });
    world.intend(Intent::Subscribe { folder: at("Job/a").unwrap(), on: false });
    world.intend(Intent::MakeFolder { account, path: "Never".into() });
    world.intend(Intent::DeleteFolder { folder: at("Never").unwrap(), to_trash: false });
    world.once().unwrap();
    let there = |folder: &str| (world.server.count(folder), world.server.is_subscribed(folder));
    assert_eq!(there("Newer"), (1, Some(true)));
    assert_eq!(
        (there("Job"), there("Job.a"), there("Job.b")),
        ((1, Some(true)), (1, Some(false)), (0, Some(true)))
    );
    assert_eq!((there("Work"), there("New"), there("Never")), ((0, None), (0, None), (0, None)));
    // Its mail goes to Trash, then it goes; and all of it comes back.
    world.intend(Intent::DeleteFolder { folder: at("Job/a").unwrap(), to_trash: true });
    world.once().unwrap();
    assert_eq!((there("Job.a").1, world.server.count("Trash")), (None, 1));
    world.intend(Intent::Undo);
    world.once().unwrap();
    world.once().unwrap();
    assert_eq!((there("Job.a"), world.server.count("Trash")), ((1, Some(true)), 0));
    assert_eq!(world.reader().conflicts(world.id()).unwrap(), []);
    // A run with nothing to do writes nothing.
    assert_eq!((world.once().unwrap().pushed, world.reader().ops_waiting(world.id()).unwrap()), (0, 0));
}

#[test]
fn folders_shaped_survive_any_lost_answer() {
    for lose in 1..=6 {
        let world = World::new(Protocol::Imap).fill(2);
        world.server.add_folder("Work", None);
        world.server.add_folder("Old", None);
        world.once().unwrap();
        let at = |path: &str| {
            let folders = world.reader().folders(world.id()).unwrap();
            folders.into_iter().find(|f| f.path.as_str() == path).map(|f| f.id)
        };
        let items = world.copies(Role::Inbox);
        world.intend(Intent::Move { items, to: Target::Folder(at("Old").unwrap()) });
        world.intend(Intent::RenameFolder { folder: at("Work").unwrap(), path: "Job".into() });
        world.intend(Intent::DeleteFolder { folder: at("Old").unwrap(), to_trash: true });
        world.intend(Intent::MakeFolder { account: world.id(), path: "Job/a".into() });
        let applied = AtomicUsize::new(0);
        world.server.on_call(move |call| {
            if call == Call::Applied && applied.fetch_add(1, Ordering::SeqCst) + 1 == lose {
                return Err(Error::new(Kind::Offline, "the answer got lost"));
            }
            Ok(())
        });
        while world.once().is_err() {}
        world.once().unwrap();
        let names: BTreeSet<String> = world.server.folder_names().into_iter().collect();
        let usual = ["INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"];
        let wanted = usual.into_iter().chain(["Job", "Job.a"]).map(str::to_owned).collect();
        assert_eq!(names, wanted, "answer {lose} lost");
        assert_eq!((world.server.count("INBOX"), world.server.count("Trash")), (0, 2), "answer {lose} lost");
        assert_eq!(world.reader().conflicts(world.id()).unwrap(), []);
        assert_eq!((at("Work"), at("Old"), world.rows(Role::Trash).len()), (None, None, 2));
    }
}

#[test]
fn what_is_queued_for_a_folder_that_another_client_renamed_says_so() {
    let world = World::new(Protocol::Imap);
    let work = world.server.add_folder("Work", None);
    world.server.deliver(&work, mail(1), Flags::NONE, T0);
    world.once().unwrap();
    let folders = world.reader().folders(world.id()).unwrap();
    let folder = folders.iter().find(|f| f.path.as_str() == "Work").unwrap().id;
    let page = world.reader().page(View::Folder(folder), Edge::Top, 9).unwrap();
    let items = vec![page.rows[0].head.placement];
    world.intend(Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
    // Under another name, and numbered anew: nothing tells that it is the same.
    world.server.rename(&work, "Elsewhere").unwrap();
    world.server.bump_validity("Elsewhere");
    let _ = world.once();
    let _ = world.once();
    let conflicts = world.reader().conflicts(world.id()).unwrap();
    assert_eq!(conflicts.len(), 1, "kept and shown");
    assert!(world.reader().folder(folder).unwrap().unwrap().is_unlisted);
    assert_eq!(world.server.mails("Elsewhere")[0].flags, Flags::NONE);
    world.intend(Intent::Settle { how: Settle::Retry, reach: Reach::Everything });
    let _ = world.once();
    let conflicts = world.reader().conflicts(world.id()).unwrap();
    assert!(conflicts[0].error.starts_with("the folder Work is not on the server any more"));
}

#[test]
fn a1_delete_then_undo_leaves_all_as_it_was_before_and_after_the_push() {
    for push_between in [false, true] {
        let world = World::new(Protocol::Imap).fill(3);
        world.once().unwrap();
        let before = world.subjects(Role::Inbox);
        let items = vec![world.copies(Role::Inbox)[0]];
        world.intend(Intent::Move { items, to: Target::Role(Role::Trash) });
        assert_eq!(world.rows(Role::Inbox).len(), 2);
        if push_between {
            world.once().unwrap();
            assert_eq!((world.server.count("INBOX"), world.server.count("Trash")), (2, 1));
        }
        world.intend(Intent::Undo);
        assert_eq!(world.subjects(Role::Inbox), before);
        world.once().unwrap();
        world.once().unwrap();
        assert_eq!((world.server.count("INBOX"), world.server.count("Trash")), (3, 0));
        assert_eq!(world.subjects(Role::Inbox), before);
        assert_eq!(world.rows(Role::Trash).len(), 0);
        world.check_bytes(Role::Inbox);
    }
}

#[test]
fn i5_an_answer_that_got_lost_does_nothing_twice() {
    let world = World::new(Protocol::Imap).fill(4);
    world.once().unwrap();
    let items = world.copies(Role::Inbox)[..2].to_vec();
    world.intend(Intent::Move { items, to: Target::Role(Role::Archive) });
    let lost = AtomicUsize::new(0);
    world.server.on_call(move |call| match call {
        Call::Applied if lost.fetch_add(1, Ordering::SeqCst) == 0 => {
            Err(Error::new(Kind::Offline, "the answer got lost"))
        }
        _ => Ok(()),
    });
    let _ = world.once();
    let deadline = Instant::now() + DEADLINE;
    while world.reader().next_op_at(world.id(), 0).unwrap().is_some() {
        assert!(Instant::now() < deadline, "the operation is still queued");
        let _ = world.once();
    }
    world.once().unwrap();
    assert_eq!((world.server.count("INBOX"), world.server.count("Archive")), (2, 2));
    assert_eq!(world.rows(Role::Inbox).len(), 2);
    assert_eq!(world.rows(Role::Archive).len(), 2);
}

#[test]
fn what_another_client_removes_is_removed_here() {
    let world = World::new(Protocol::Imap).fill(6);
    world.once().unwrap();
    world.server.expunge("INBOX", &[2, 5]);
    world.server.move_to("INBOX", "Archive", &[1]);
    world.once().unwrap();
    assert_eq!(world.rows(Role::Inbox).len(), 3);
    assert_eq!(world.subjects(Role::Archive), ["Letter 0"]);
}

#[test]
fn i9_new_mail_is_here_at_once_and_a_cut_line_is_made_anew() {
    let world = World::new(Protocol::Imap).fill(2);
    let (engine, events) = world.watch();
    until(&events, is_watching);
    world.server.deliver("INBOX", mail(7), Flags::NONE, T0 + 7);
    until(&events, |e| matches!(e, Event::Arrived { count: 1, .. }));
    assert_eq!(world.rows(Role::Inbox).len(), 3);
    until(&events, is_watching);
    world.server.cut();
    until(&events, |e| matches!(e, Event::State { state: AccountState::Offline { .. }, .. }));
    world.server.deliver("INBOX", mail(8), Flags::NONE, T0 + 8);
    engine.send(Command::Sync(None));
    until(&events, is_watching);
    assert_eq!(world.rows(Role::Inbox).len(), 4);
    engine.stop(DEADLINE);
}

#[test]
fn an_action_is_pushed_while_the_engine_watches() {
    let world = World::new(Protocol::Imap).fill(2);
    let (engine, events) = world.watch();
    until(&events, is_watching);
    let items = vec![world.copies(Role::Inbox)[0]];
    let (pushed, wait) = channel();
    world.server.on_call(move |call| {
        if call == Call::Applied {
            let _ = pushed.send(());
        }
        Ok(())
    });
    world.intend(Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
    wait.recv_timeout(DEADLINE).unwrap();
    assert_eq!(world.server.mails("INBOX")[1].flags, Flags::FLAGGED);
    engine.stop(DEADLINE);
}

#[test]
fn a7_a_refused_secret_pauses_and_is_not_repeated() {
    let world = World::new(Protocol::Imap).fill(1);
    let tries = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&tries);
    let mut setup = world.setup();
    setup.open = Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Err(Error::new(Kind::Auth, "the server refused the password"))
    });
    let (engine, events) = world.watch_with(setup);
    until(&events, |e| matches!(e, Event::State { state: AccountState::Paused { .. }, .. }));
    engine.stop(DEADLINE);
    assert_eq!(tries.load(Ordering::SeqCst), 1);
}

#[test]
fn a_panic_is_caught_and_the_account_goes_on() {
    let world = World::new(Protocol::Imap).fill(3);
    let first = AtomicUsize::new(0);
    let server = world.server.clone();
    let mut setup = world.setup();
    setup.open = Arc::new(move |interrupt| {
        assert!(first.fetch_add(1, Ordering::SeqCst) > 0, "a mistake of ours");
        server.session(interrupt)
    });
    let (engine, events) = world.watch_with(setup);
    until(&events, |e| matches!(e, Event::State { state: AccountState::Offline { .. }, .. }));
    engine.send(Command::Sync(None));
    until(&events, is_watching);
    assert_eq!(world.rows(Role::Inbox).len(), 3);
    engine.stop(DEADLINE);
}

#[test]
fn a_stop_ends_a_thread_that_waits() {
    let world = World::new(Protocol::Imap).fill(1);
    let (engine, events) = world.watch();
    until(&events, is_watching);
    let begun = Instant::now();
    engine.stop(DEADLINE);
    assert!(begun.elapsed() < DEADLINE);
}

fn pop3(leave: Leave) -> World {
    let mut world = World::new(Protocol::Pop3);
    world.account.leave_on_server = leave;
    world
}

#[test]
fn p2_mail_is_taken_once_and_left_by_default() {
    let world = pop3(Leave::Forever).fill(30);
    assert_eq!(world.once().unwrap().new, 30);
    world.check_bytes(Role::Inbox);
    let again = world.once().unwrap();
    assert_eq!((again.new, again.bytes, again.deleted), (0, 0, 0));
    assert_eq!(world.server.count("INBOX"), 30);
    assert_eq!(world.rows(Role::Inbox).len(), 30);
}

#[test]
fn p3_mail_is_deleted_there_only_when_it_can_be_read_back_here() {
    let world = pop3(Leave::DeleteAfterDownload).fill(30);
    let dir = world.dir.path().to_owned();
    let seen = Arc::new(AtomicUsize::new(0));
    let held = Arc::clone(&seen);
    world.server.on_call(move |call| {
        if call == Call::Apply {
            // Another process finds every mail in the store before the first DELE.
            let store = Store::open(&dir).unwrap();
            let reader = store.reader().unwrap();
            let id = reader.accounts().unwrap()[0].id;
            let inbox = reader.folder_by_role(id, Role::Inbox).unwrap().unwrap();
            let rows = reader.page(View::Folder(inbox.id), Edge::Top, 100).unwrap().rows;
            let intact = rows.iter().filter(|r| reader.is_intact(r.head.message).unwrap()).count();
            held.store(intact, Ordering::SeqCst);
        }
        Ok(())
    });
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted), (30, 30));
    assert_eq!(seen.load(Ordering::SeqCst), 30);
    assert_eq!(world.server.count("INBOX"), 0);
    world.check_bytes(Role::Inbox);
    let again = world.once().unwrap();
    assert_eq!((again.new, again.deleted), (0, 0));
    assert_eq!(world.rows(Role::Inbox).len(), 30);
}

#[test]
fn p3_a_deletion_without_its_quit_is_asked_for_again() {
    let world = pop3(Leave::DeleteAfterDownload).fill(5);
    let cut = AtomicUsize::new(0);
    world.server.on_call(move |call| match call {
        Call::Finish if cut.fetch_add(1, Ordering::SeqCst) == 0 => {
            Err(Error::new(Kind::Offline, "cut before QUIT"))
        }
        _ => Ok(()),
    });
    assert!(world.once().is_err());
    assert_eq!(world.server.count("INBOX"), 5);
    let report = world.once().unwrap();
    assert_eq!((report.new, report.deleted), (0, 5));
    assert_eq!(world.server.count("INBOX"), 0);
    assert_eq!(world.rows(Role::Inbox).len(), 5);
}

#[test]
fn p4_a_cut_costs_nothing_that_came_whole() {
    for cut_at in [0, 1, 7, 29] {
        let world = pop3(Leave::DeleteAfterDownload).fill(30);
        let bodies = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&bodies);
        world.server.on_call(move |call| match call {
            Call::Body if counter.fetch_add(1, Ordering::SeqCst) == cut_at => {
                Err(Error::new(Kind::Offline, "the connection was cut"))
            }
            _ => Ok(()),
        });
        assert!(world.once().is_err());
        assert_eq!(world.server.count("INBOX"), 30);
        assert_eq!(world.rows(Role::Inbox).len(), cut_at);
        world.once().unwrap();
        assert_eq!(world.rows(Role::Inbox).len(), 30);
        // The one in flight was asked for twice, no other.
        assert_eq!(bodies.load(Ordering::SeqCst), 31);
        assert_eq!(world.server.count("INBOX"), 0);
        world.check_bytes(Role::Inbox);
    }
}

#[test]
fn p12_what_is_deleted_here_is_deleted_there_once_it_leaves_trash() {
    let world = pop3(Leave::Forever).fill(3);
    world.once().unwrap();
    let item = world.copies(Role::Inbox)[0];
    world.intend(Intent::Move { items: vec![item], to: Target::Role(Role::Trash) });
    world.once().unwrap();
    assert_eq!(world.server.count("INBOX"), 3);
    let trashed = world.copies(Role::Trash);
    world.intend(Intent::Purge { items: trashed });
    assert_eq!(world.once().unwrap().deleted, 1);
    assert_eq!(world.server.count("INBOX"), 2);
    let again = world.once().unwrap();
    assert_eq!((again.new, again.deleted), (0, 0));
    assert_eq!(world.rows(Role::Inbox).len(), 2);
}

#[test]
fn a_large_mail_is_stored_in_chunks_and_comes_out_as_it_went_in() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let world = World::new(protocol);
        let mut raw = mail(1);
        let mut state = 1u32;
        raw.extend((0..5_000_000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }));
        world.server.deliver("INBOX", raw.clone(), Flags::NONE, T0);
        world.once().unwrap();
        let row = world.rows(Role::Inbox).remove(0);
        assert_eq!(row.head.size, raw.len() as u64);
        assert_eq!(world.reader().raw(row.head.message, 1 << 24).unwrap(), raw);
    }
}

#[test]
fn a1_a_copy_that_became_the_only_one_is_not_deleted_by_undo() {
    let world = World::new(Protocol::Imap).fill(1);
    world.once().unwrap();
    let items = vec![world.copies(Role::Inbox)[0]];
    world.intend(Intent::Copy { items, to: Target::Role(Role::Archive) });
    world.once().unwrap();
    assert_eq!((world.server.count("INBOX"), world.server.count("Archive")), (1, 1));
    // Another client takes the original away; that is not known here when the copy is taken back.
    world.server.expunge("INBOX", &[1]);
    world.intend(Intent::Undo);
    world.once().unwrap();
    assert_eq!(world.server.count("Archive"), 1);
    let conflicts = world.reader().conflicts(world.id()).unwrap();
    assert!(conflicts[0].error.contains("last copy"), "{conflicts:?}");
}
