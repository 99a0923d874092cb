//! The engine's guards: what is not believed, what is not tried again, what there is no room for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mailtui::config::{Account, Leave, Protocol};
use mailtui::engine::{AccountState, Command, Emit, Engine, Event, Mode, Report, Setup};
use mailtui::error::{Error, Kind, Result};
use mailtui::model::*;
use mailtui::net::Interrupt;
use mailtui::protocol::MailProtocol;
use mailtui::secret::Secret;
use mailtui::store::*;

use crate::engine::{T0, World, is_watching, mail, until};
use crate::store_kit::packed;
use crate::support::imap;

impl World {
    fn waits(&self) -> Vec<Entry> {
        self.reader().ledger(self.id(), None, 100).unwrap()
    }

    fn settle(&self, how: Settle) -> String {
        let reach = Reach::Account(self.id());
        let outcome = self.store.intend_wait(Intent::Settle { how, reach }).unwrap();
        assert_eq!(outcome.error, None);
        outcome.label
    }

    fn held(&self) -> u32 {
        assert_eq!(self.reader().check().unwrap(), Vec::<String>::new());
        self.folder(Role::Inbox).total
    }

    fn health(&self) -> Health {
        self.reader().health().unwrap().remove(0)
    }
}

// ---- what is not believed ----

#[test]
fn i8_a_folder_that_empties_at_once_is_held_back_until_it_is_accepted() {
    let mut world = World::new(Protocol::Imap).fill(60);
    world.server = world.server.clone().without_modseq();
    world.once().unwrap();
    world.server.expunge("INBOX", &(1..=40).collect::<Vec<_>>());
    for _ in 0..3 {
        world.once().unwrap();
        assert_eq!((world.held(), world.waits().len()), (60, 1));
    }
    // What goes and comes beside it is as ever.
    world.server.deliver("INBOX", mail(100), Flags::NONE, T0 + 100);
    world.server.expunge("INBOX", &[41]);
    world.once().unwrap();
    assert_eq!(world.held(), 60);
    assert_eq!(world.waits()[0].what.as_str(), "Inbox: the server does not show 40 of 60 mails any more");
    assert_eq!(world.settle(Settle::Accept), "took 40 mails out of Inbox");
    world.once().unwrap();
    assert_eq!((world.held(), world.waits().len()), (20, 0));
}

#[test]
fn i8_what_a_server_names_is_believed() {
    let world = World::new(Protocol::Imap).fill(60);
    world.once().unwrap();
    world.server.expunge("INBOX", &(1..=60).collect::<Vec<_>>());
    world.once().unwrap();
    assert_eq!((world.held(), world.waits().len()), (0, 0));
}

#[test]
fn i8_a_new_look_ends_it_where_the_server_has_all_of_it_again() {
    let mut world = World::new(Protocol::Imap).fill(50);
    world.server = world.server.clone().without_modseq();
    world.once().unwrap();
    world.server.expunge("INBOX", &(1..=50).collect::<Vec<_>>());
    world.once().unwrap();
    assert_eq!((world.held(), world.waits().len()), (50, 1));
    assert_eq!(world.settle(Settle::Refetch), "Inbox is looked at anew");
    // Restored from a backup, under other numbers.
    let world = world.fill(50);
    world.once().unwrap();
    assert_eq!((world.held(), world.waits().len()), (50, 0));
}

#[test]
fn i2_i8_a_folder_that_is_numbered_anew_and_lost_most_of_it_is_held_back() {
    let world = World::new(Protocol::Imap).fill(50);
    world.once().unwrap();
    world.server.expunge("INBOX", &(1..=40).collect::<Vec<_>>());
    world.server.bump_validity("INBOX");
    for _ in 0..3 {
        world.once().unwrap();
        assert_eq!((world.held(), world.waits().len()), (50, 1));
    }
    assert_eq!(world.settle(Settle::Accept), "took 40 mails out of Inbox");
    assert_eq!(world.held(), 10);
}

#[test]
fn i8_a_search_that_leaves_most_mails_out_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (server, session) = imap::session(
        imap::OLD,
        "C: m1 LIST \"\" \"*\"\nC: m2 LSUB \"\" \"*\"\nS: * LIST () \"/\" INBOX\nS: m1 OK\nS: * LSUB () \"/\" INBOX\nS: m2 OK\n\
         C: m3 SELECT \"INBOX\"\nS: * 2 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 41] x\nS: m3 OK\n\
         C: m4 UID FETCH 1:40 (UID FLAGS)\nS: * 1 FETCH (UID 1 FLAGS ())\nS: * 2 FETCH (UID 2 FLAGS ())\nS: m4 OK\n\
         C: m5 UID SEARCH ALL\nS: * SEARCH 1 2\nS: m5 OK\n\
         C: m6 LOGOUT\nEOF",
    );
    let account = server.account(Protocol::Imap, mailtui::config::Tls::None);
    let key = format!("{}@{}:{}", account.user, account.host, account.port);
    let id = store.account(&account.name, "imap", Owner::Server, &key).unwrap();
    let inbox = store.reader().unwrap().folder_by_role(id, Role::Inbox).unwrap().unwrap().id;
    let mut steps: Vec<Step> = (1..=40)
        .map(|n| {
            let body = packed(format!("Subject: {n}\r\n\r\nbody\r\n").as_bytes());
            Step::Message(Box::new(Incoming { body: Some(body), ..crate::store_kit::mail(inbox, n) }))
        })
        .collect();
    let cursor = Cursor { validity: 7, uidnext: 41, modseq: 0, backfill: 1 };
    steps.push(Step::Cursor { folder: inbox, cursor });
    store.commit(Batch { account: id, steps }).unwrap();
    let session = Mutex::new(Some(Box::new(session) as Box<dyn MailProtocol>));
    let open = Arc::new(move |_: &Interrupt| Ok(session.lock().unwrap().take().expect("one session")));
    let setup = Setup { account, owner: Owner::Server, protocol: "imap", open, post: None, secret: None };
    let emit: Emit = Arc::new(|_| {});
    Engine::start(&store, vec![setup], Mode::Once, &emit).unwrap().join().remove(0).1.unwrap();
    server.finish();
    let reader = store.reader().unwrap();
    assert_eq!(reader.folder(inbox).unwrap().unwrap().total, 40);
    let entry = reader.ledger(id, None, 10).unwrap().remove(0);
    assert_eq!(entry.what.as_str(), "Inbox: the server does not show 38 of 40 mails any more");
}

// ---- how it fares ----

#[test]
fn a2_how_an_account_fares_is_written_down() {
    let world = World::new(Protocol::Imap).fill(3);
    world.once().unwrap();
    let health = world.health();
    assert_eq!((health.state.as_str(), health.trouble.as_str()), ("in step", ""));
    assert!(health.in_step_at > T0 && health.bytes_in > 300, "{health:?}");
    world.server.set_up(false);
    assert_eq!(world.once().unwrap_err().kind(), Kind::Offline);
    let down = world.health();
    assert_eq!((down.state.as_str(), down.in_step_at), ("offline", health.in_step_at));
    assert!(down.trouble.as_str().contains("could not connect"), "{down:?}");
    world.server.set_up(true);
    world.once().unwrap();
    let again = world.health();
    assert_eq!((again.state.as_str(), again.trouble.as_str()), ("in step", ""));
    assert_eq!(again.bytes_in, health.bytes_in, "nothing came");
}

// ---- what is not tried again ----

/// A server that takes one secret, a place that gives one, and how often one was tried.
struct Lock {
    world: World,
    takes: Arc<Mutex<std::result::Result<String, Kind>>>,
    gives: Arc<Mutex<String>>,
    tried: Arc<AtomicUsize>,
}

impl Lock {
    fn new() -> Self {
        let world = World::new(Protocol::Imap).fill(2);
        let text = |text: &str| Arc::new(Mutex::new(text.to_owned()));
        Self {
            world,
            takes: Arc::new(Mutex::new(Ok("right".into()))),
            gives: text("right"),
            tried: Arc::default(),
        }
    }

    fn setup(&self) -> Setup {
        let server = self.world.server.clone();
        let (takes, gives, tried) = (self.takes.clone(), self.gives.clone(), self.tried.clone());
        let given = self.gives.clone();
        let open = move |interrupt: &Interrupt| {
            tried.fetch_add(1, Ordering::SeqCst);
            match &*takes.lock().unwrap() {
                Ok(right) if *right == *gives.lock().unwrap() => server.session(interrupt),
                Ok(_) => Err(Error::new(Kind::Auth, "the server refused the sign-in")),
                Err(kind) => Err(Error::new(*kind, "the server has a problem of its own")),
            }
        };
        Setup {
            open: Arc::new(open),
            post: None,
            secret: Some(Arc::new(move |_| Ok(Secret::new(given.lock().unwrap().clone())))),
            ..self.world.setup()
        }
    }

    /// One run of `mailtui sync`; its error, and how often a secret was tried.
    fn once(&self) -> (Result<Report>, usize) {
        let before = self.tried.load(Ordering::SeqCst);
        let emit: Emit = Arc::new(|_| {});
        let mut reports =
            Engine::start(&self.world.store, vec![self.setup()], Mode::Once, &emit).unwrap().join();
        (reports.remove(0).1, self.tried.load(Ordering::SeqCst) - before)
    }

    fn gives(&self, secret: &str) {
        *self.gives.lock().unwrap() = secret.to_owned();
    }

    fn takes(&self, secret: std::result::Result<&str, Kind>) {
        *self.takes.lock().unwrap() = secret.map(str::to_owned);
    }

    /// As if the last refusal had been so many seconds ago.
    fn wait(&self, seconds: i64) {
        let id = self.world.id();
        let refusal = self.world.reader().sign_ins(id).unwrap().refusal.unwrap();
        let refusal = Some(Refusal { at: refusal.at - seconds, ..refusal });
        self.world.store.commit(Batch { account: id, steps: vec![Step::SignedIn { refusal }] }).unwrap();
    }
}

#[test]
fn a7_a_secret_that_never_worked_is_tried_once_whatever_runs() {
    let lock = Lock::new();
    lock.gives("wrong");
    assert_eq!(lock.once().0.unwrap_err().kind(), Kind::Auth);
    assert_eq!(lock.world.health().state, "paused");
    for _ in 0..3 {
        let (result, tried) = lock.once();
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.kind().exit_code(), tried), (Kind::Auth, 6, 0));
        assert!(error.to_string().starts_with("the server refused this password before"), "{error}");
        assert!(error.hint_text().unwrap().contains("mailtui queue retry work"), "{error:?}");
    }
    // Another one is tried at once, and what worked is forgotten nothing of.
    lock.gives("right");
    assert_eq!(lock.once().0.unwrap().new, 2);
    assert_eq!(
        lock.world.reader().sign_ins(lock.world.id()).unwrap(),
        SignIns { worked: true, refusal: None }
    );
    assert_eq!(lock.world.health().state, "in step");
}

#[test]
fn a7_one_that_worked_is_tried_once_more_after_a_minute_over_restarts() {
    let lock = Lock::new();
    lock.once().0.unwrap();
    lock.takes(Ok("another"));
    assert_eq!(lock.once().1, 1);
    assert_eq!(lock.world.health().state, "offline", "it is not believed yet");
    assert_eq!(lock.once().1, 0, "not before a minute has passed");
    lock.wait(61);
    assert_eq!(lock.once().1, 1);
    assert_eq!(lock.world.health().state, "paused");
    lock.wait(3600);
    assert_eq!(lock.once().1, 0, "the second refusal is believed");
    // The user says that the same is to be tried again.
    lock.takes(Ok("right"));
    assert_eq!(lock.world.settle(Settle::Retry), "work is tried again");
    lock.once().0.unwrap();
}

#[test]
fn a7_trouble_of_the_server_is_no_refusal() {
    let lock = Lock::new();
    for _ in 0..2 {
        lock.takes(Err(Kind::Offline));
        let (result, tried) = lock.once();
        assert_eq!((result.unwrap_err().kind(), tried), (Kind::Offline, 1));
    }
    lock.takes(Ok("right"));
    lock.once().0.unwrap();
}

#[test]
fn a7_the_screen_pauses_and_goes_on_when_the_user_says_so() {
    let lock = Lock::new();
    lock.gives("wrong");
    let (engine, events) = lock.world.watch_with(lock.setup());
    let is_paused = |event: &Event| matches!(event, Event::State { state: AccountState::Paused { .. }, .. });
    until(&events, is_paused);
    // Sync now: the same is tried, and refused.
    engine.send(Command::Sync(None));
    until(&events, |event| matches!(event, Event::State { state: AccountState::Connecting, .. }));
    until(&events, is_paused);
    assert_eq!(lock.tried.load(Ordering::SeqCst), 2);
    // Another process pardons it, and the server has been told the new one.
    lock.takes(Ok("wrong"));
    lock.world.settle(Settle::Retry);
    until(&events, is_watching);
    engine.stop(std::time::Duration::from_secs(5));
}

#[test]
fn a2_an_account_that_paused_for_another_reason_is_tried_again_from_another_process() {
    let lock = Lock::new();
    lock.takes(Err(Kind::Secret));
    let (engine, events) = lock.world.watch_with(lock.setup());
    until(&events, |event| matches!(event, Event::State { state: AccountState::Paused { .. }, .. }));
    lock.takes(Ok("right"));
    assert_eq!(lock.world.settle(Settle::Retry), "work is tried again");
    until(&events, is_watching);
    engine.stop(std::time::Duration::from_secs(5));
}

// ---- what there is no room for ----

const TIGHT: Room = Room { free: 500_000_000, total: 100_000_000_000 };

fn bodies(world: &World) -> usize {
    let rows = world.rows(Role::Inbox);
    rows.iter().filter(|row| row.head.body == BodyState::Whole).count()
}

#[test]
fn i14_with_little_room_only_the_newest_bodies_are_fetched_until_there_is_more() {
    let world = World::new(Protocol::Imap).fill(150);
    world.store.pretend_room(Some(TIGHT));
    world.once().unwrap();
    assert_eq!((world.held(), bodies(&world)), (150, 100));
    let newest = world.rows(Role::Inbox);
    assert!(newest[..100].iter().all(|row| row.head.body == BodyState::Whole), "the newest of them");
    let trouble = world.health().trouble;
    assert!(trouble.as_str().contains("little room") && trouble.as_str().contains("make room"), "{trouble}");
    world.store.pretend_room(Some(Room { free: 3_000_000_000, ..TIGHT }));
    world.once().unwrap();
    assert_eq!((bodies(&world), world.health().trouble.as_str()), (150, ""));
}

#[test]
fn i14_what_is_opened_is_fetched_all_the_same_and_it_is_told_once() {
    let world = World::new(Protocol::Imap).fill(120);
    world.store.pretend_room(Some(TIGHT));
    let is_told =
        |event: &Event| matches!(event, Event::Trouble { text, .. } if text.as_str().contains("little room"));
    let (engine, events) = world.watch();
    until(&events, is_told);
    until(&events, is_watching);
    let oldest = world.rows(Role::Inbox).pop().unwrap().head.message;
    engine.send(Command::Fetch { account: world.id(), message: oldest });
    let (tell, changes) = std::sync::mpsc::channel();
    world.store.subscribe(Box::new(move |changed| {
        let _ = tell.send(changed.messages.clone());
    }));
    let reader = world.reader();
    let is_here = || reader.message(oldest).unwrap().unwrap().body == BodyState::Whole;
    while !is_here() {
        changes.recv_timeout(std::time::Duration::from_secs(20)).expect("the body that was opened");
    }
    engine.send(Command::Sync(None));
    until(&events, |event| matches!(event, Event::Synced { .. }));
    engine.stop(std::time::Duration::from_secs(5));
    assert!(events.try_iter().all(|event| !is_told(&event)), "told once");
    // A later process knows that it was told.
    let (engine, events) = world.watch();
    let mut told = false;
    until(&events, |event| {
        told |= is_told(event);
        is_watching(event)
    });
    assert!(!told);
    engine.stop(std::time::Duration::from_secs(5));
}

#[test]
fn i10_that_the_mailbox_is_nearly_full_is_told_once_and_again_after_there_was_room() {
    let world = World::new(Protocol::Imap).fill(1);
    let room = |used: u64| About {
        server: mailtui::text::Clean::fixed("Dovecot 2.3"),
        quota: Some(Quota { used: used << 20, limit: 100 << 20 }),
    };
    // How often it was told in one run.
    let told = |used| {
        world.server.set_about(room(used));
        let (engine, events) = world.watch();
        let mut told = Vec::new();
        until(&events, |event| {
            if let Event::Trouble { text, hint, .. } = event {
                told.push(format!("{text}; {}", hint.as_ref().unwrap()));
            }
            is_watching(event)
        });
        engine.stop(std::time::Duration::from_secs(5));
        assert_eq!(world.health().about, room(used));
        told
    };
    assert!(told(50).is_empty());
    let nearly = told(92);
    assert_eq!(nearly.len(), 1);
    assert!(nearly[0].contains("nearly full: 92 of 100 MB are in use; Delete mail there"), "{nearly:?}");
    assert!(told(95).is_empty() && told(88).is_empty(), "told once");
    assert!(told(91).is_empty(), "and not again as long as it goes up and down there");
    assert!(told(40).is_empty());
    assert_eq!(told(90).len(), 1);
}

#[test]
fn i14_pop3_leaves_the_rest_on_the_server() {
    let mut world = World::new(Protocol::Pop3).fill(50);
    world.account = Account { leave_on_server: Leave::DeleteAfterDownload, ..world.account };
    world.store.pretend_room(Some(TIGHT));
    world.once().unwrap();
    assert_eq!((world.held(), world.server.count("INBOX")), (20, 30));
    world.store.pretend_room(None);
    world.once().unwrap();
    assert_eq!((world.held(), world.server.count("INBOX")), (50, 0));
}
