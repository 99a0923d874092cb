//! Two with one store, in one process for speed: who syncs, who waits, who takes over from one that hangs
//! (promise A4). With processes of their own: `faults_processes.rs`.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use mailtui::config::{Leave, Protocol};
use mailtui::engine::{AccountState, Command, Emit, Engine, Event, Mode, Opener, Setup};
use mailtui::error::Kind;
use mailtui::model::{AccountId, BodyState, FlagDelta, Flags, Intent, Owner, Role, Target, View};
use mailtui::net::Interrupt;
use mailtui::protocol::memory::Server;
use mailtui::protocol::{
    Applied, BodySink, Caps, FolderRef, Known, MailProtocol, RemoteFolder, RemoteId, RemoteOp, Sink, Wake,
};
use mailtui::store::{Batch, Edge, Locked, Reader, Step, Store};

use crate::faults_memory::account;

const DEADLINE: Duration = Duration::from_secs(20);
/// No process of a test hangs unless it is meant to.
const NEVER: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_millis(200);
const T0: i64 = 1_790_000_000;

/// Opens once, for ever.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let is_open = self.0.0.lock().unwrap();
        let wait = self.0.1.wait_timeout_while(is_open, DEADLINE, |is_open| !*is_open);
        assert!(!wait.unwrap().1.timed_out(), "nobody opened the gate");
    }
}

/// One mailtui at work.
pub(crate) struct Screen {
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    engine: Engine,
    news: Receiver<News>,
}

enum News {
    Event(Event),
    Committed,
}

fn opener(server: &Server) -> Opener {
    let server = server.clone();
    Arc::new(move |bell| server.session(bell))
}

impl Screen {
    fn open(dir: &std::path::Path, open: Opener, hangs_after: Duration) -> Self {
        let account = account(Protocol::Imap, Leave::Forever);
        let setup =
            Setup { account, owner: Owner::Server, protocol: "memory", open, post: None, secret: None };
        Self::of(dir, setup, hangs_after)
    }

    pub(crate) fn of(dir: &std::path::Path, setup: Setup, hangs_after: Duration) -> Self {
        let store = Store::open(dir).unwrap();
        let (tell, news) = channel();
        let (far, tell): (Sender<News>, _) = (tell.clone(), Mutex::new(tell));
        store.subscribe(Box::new(move |_| drop(far.send(News::Committed))));
        let emit: Emit = Arc::new(move |event| drop(tell.lock().unwrap().send(News::Event(event))));
        let engine = Engine::start_with(&store, vec![setup], Mode::Watch, &emit, hangs_after).unwrap();
        let reader = store.reader().unwrap();
        Self { store, reader, engine, news }
    }

    #[track_caller]
    pub(crate) fn until(&self, is_it: impl Fn(&Event) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left).expect("it did not happen in time") {
                News::Event(event) if is_it(&event) => return,
                _ => {}
            }
        }
    }

    #[track_caller]
    pub(crate) fn until_so(&self, is_so: impl Fn(&Reader) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_so(&self.reader) {
            let left = deadline.saturating_duration_since(Instant::now());
            self.news.recv_timeout(left).expect("it was not so in time");
        }
    }

    pub(crate) fn id(&self) -> AccountId {
        self.reader.accounts().unwrap()[0].id
    }

    fn inbox(&self) -> Vec<mailtui::model::Row> {
        let inbox = self.reader.folder_by_role(self.id(), Role::Inbox).unwrap().unwrap();
        self.reader.page(View::Folder(inbox.id), Edge::Top, 100).unwrap().rows
    }

    fn star(&self, row: usize) {
        let items = vec![self.inbox()[row].head.placement];
        let delta = FlagDelta::add(Flags::FLAGGED);
        assert_eq!(
            self.store.intend_wait(Intent::Flag { items, delta, undoable: true }).unwrap().error,
            None
        );
    }

    pub(crate) fn send(&self, command: Command) {
        self.engine.send(command);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.reader.ops_waiting(self.id()).unwrap() == 0
    }

    pub(crate) fn end(self) {
        self.engine.stop(DEADLINE);
        self.store.close();
    }
}

pub(crate) fn is_watching(event: &Event) -> bool {
    matches!(event, Event::State { state: AccountState::Watching, .. })
}

pub(crate) fn is_elsewhere(event: &Event) -> bool {
    matches!(event, Event::State { state: AccountState::Elsewhere { .. }, .. })
}

fn filled(count: u32) -> (tempfile::TempDir, Server) {
    let server = Server::new(Protocol::Imap);
    for n in 0..count {
        let raw = format!("Subject: seed {n}\r\nMessage-ID: <{n}@example.org>\r\n\r\nbody {n}\r\n");
        server.deliver("INBOX", raw.into_bytes(), Flags::NONE, T0 + i64::from(n));
    }
    (crate::support::desk::scratch(), server)
}

#[test]
fn a4_who_waits_acts_through_who_syncs_and_takes_over_at_its_end() {
    let (dir, server) = filled(3);
    let first = Screen::open(dir.path(), opener(&server), NEVER);
    first.until(is_watching);
    let second = Screen::open(dir.path(), opener(&server), NEVER);
    second.until(is_elsewhere);
    let begun = Instant::now();
    second.star(0);
    second.until_so(|_| second.is_idle());
    let took = begun.elapsed();
    assert_eq!(server.mails("INBOX")[2].flags, Flags::FLAGGED);
    assert!(took < Duration::from_secs(2), "taken up after {took:?}");
    // New mail that the user of the second asks for, although the first is not due to look.
    server.deliver("Archive", b"Subject: late\r\n\r\n".to_vec(), Flags::NONE, T0);
    let archive = second.reader.folder_by_role(second.id(), Role::Archive).unwrap().unwrap().id;
    second.engine.send(Command::Sync(None));
    second.until_so(|reader| reader.folder(archive).unwrap().unwrap().total == 1);
    // The first ends in order: the second is told by it.
    first.end();
    second.until(is_watching);
    second.star(1);
    second.until_so(|_| second.is_idle());
    assert_eq!(server.mails("INBOX")[1].flags, Flags::FLAGGED);
    second.end();
}

#[test]
fn a4_what_is_opened_by_who_waits_is_fetched_first() {
    let (dir, server) = filled(30);
    // The thread for bodies gets no connection until the end.
    let (gate, open) = (Gate::default(), opener(&server));
    let shut = gate.clone();
    let slow: Opener = Arc::new(move |bell| {
        if std::thread::current().name().is_some_and(|name| name.starts_with("bulk")) {
            shut.pass();
        }
        open(bell)
    });
    let first = Screen::open(dir.path(), slow, NEVER);
    first.until(is_watching);
    let second = Screen::open(dir.path(), opener(&server), NEVER);
    second.until(is_elsewhere);
    let message = second.inbox()[17].head.message;
    second.engine.send(Command::Fetch { account: second.id(), message });
    second.until_so(|_| second.inbox()[17].head.body == BodyState::Whole);
    let whole = second.inbox().iter().filter(|row| row.head.body == BodyState::Whole).count();
    assert_eq!(whole, 1, "that one and no other");
    gate.open();
    second.until_so(|_| second.inbox().iter().all(|row| row.head.body == BodyState::Whole));
    first.end();
    second.end();
}

#[test]
fn a4_one_that_lives_is_not_taken_for_hung() {
    let (dir, server) = filled(2);
    let first = Screen::open(dir.path(), opener(&server), NEVER);
    first.until(is_watching);
    let second = Screen::open(dir.path(), opener(&server), SOON);
    second.until(is_elsewhere);
    // Several questions, and each is answered.
    for _ in 0..5 {
        let begun = Instant::now();
        second.engine.send(Command::Sync(None));
        first.until(|event| matches!(event, Event::Synced { .. }));
        while begun.elapsed() < SOON {
            let _ = second.news.recv_timeout(SOON.saturating_sub(begun.elapsed()));
        }
    }
    first.star(0);
    first.until_so(|_| first.is_idle());
    second.end();
    first.end();
}

#[test]
fn a4_one_that_hangs_loses_the_account_and_finds_out() {
    let (dir, server) = filled(3);
    let first = Screen::open(dir.path(), opener(&server), NEVER);
    first.until(is_watching);
    // Its store thread stops at the next word from outside.
    let (hang, hung) = (Gate::default(), Gate::default());
    let (stop, stopped) = (hang.clone(), hung.clone());
    first.store.subscribe(Box::new(move |changed| {
        if changed.foreign {
            stopped.open();
            stop.pass();
        }
    }));
    let second = Screen::open(dir.path(), opener(&server), SOON);
    hung.pass();
    // It may have answered one question before it hung; the user of the second asks another.
    second.engine.send(Command::Sync(None));
    second.until(is_watching);
    second.star(0);
    second.until_so(|_| second.is_idle());
    assert_eq!(server.mails("INBOX")[2].flags, Flags::FLAGGED);
    hang.open();
    first.until(is_elsewhere);
    first.star(1);
    second.until_so(|_| second.is_idle());
    assert_eq!(server.mails("INBOX")[1].flags, Flags::FLAGGED);
    // And back again.
    second.end();
    first.until(is_watching);
    first.star(2);
    first.until_so(|_| first.is_idle());
    assert_eq!(server.mails("INBOX")[0].flags, Flags::FLAGGED);
    first.end();
}

#[test]
fn a4_nothing_is_written_for_an_account_that_another_took_over() {
    let dir = crate::support::desk::scratch();
    let (old, new) = (Store::open(dir.path()).unwrap(), Store::open(dir.path()).unwrap());
    let account = old.account("work", "memory", Owner::Server, "").unwrap();
    let other = old.account("home", "memory", Owner::Server, "").unwrap();
    let Locked::Mine(lock) = old.lock_account(account, "work").unwrap() else { panic!("nobody has it") };
    let Locked::Held(holder) = new.lock_account(account, "work").unwrap() else { panic!("it is taken") };
    let write = |store: &Store, account| store.commit(Batch { account, steps: vec![Step::Untold] });
    write(&old, account).unwrap();
    let Locked::Mine(taken) = new.seize_account(account, "work", &holder).unwrap() else {
        panic!("it did not stir")
    };
    assert!(!lock.is_held() && taken.is_held());
    assert_eq!(write(&old, account).unwrap_err().kind(), Kind::Interrupted);
    write(&old, other).unwrap();
    write(&new, account).unwrap();
    drop(lock);
    assert_eq!(write(&old, account).unwrap_err().kind(), Kind::Interrupted);
    assert!(matches!(old.lock_account(account, "work").unwrap(), Locked::Held(_)));
    drop(taken);
    let Locked::Mine(_lock) = old.lock_account(account, "work").unwrap() else { panic!("it is free") };
    write(&old, account).unwrap();
}

/// A session that stops before it says what is to be done.
struct Hesitant {
    inner: Box<dyn MailProtocol>,
    asked: Gate,
    gate: Gate,
}

impl MailProtocol for Hesitant {
    fn caps(&self) -> Caps {
        self.inner.caps()
    }
    fn folders(&mut self) -> mailtui::Result<Vec<RemoteFolder>> {
        self.inner.folders()
    }
    fn pull(
        &mut self,
        folder: &FolderRef,
        known: &dyn Known,
        sink: &mut dyn Sink,
    ) -> mailtui::Result<mailtui::model::Cursor> {
        self.inner.pull(folder, known, sink)
    }
    fn fetch(
        &mut self,
        folder: &FolderRef,
        ids: &[RemoteId],
        sink: &mut dyn BodySink,
    ) -> mailtui::Result<()> {
        self.inner.fetch(folder, ids, sink)
    }
    fn apply(&mut self, op: &RemoteOp) -> mailtui::Result<Applied> {
        self.asked.open();
        self.gate.pass();
        self.inner.apply(op)
    }
    fn wait(&mut self, folder: &FolderRef, until: Instant) -> mailtui::Result<Wake> {
        self.inner.wait(folder, until)
    }
    fn keep_alive(&mut self) -> mailtui::Result<()> {
        self.inner.keep_alive()
    }
    fn finish(self: Box<Self>) -> mailtui::Result<()> {
        self.inner.finish()
    }
}

#[test]
fn a4_one_that_hung_in_a_push_does_not_say_it_when_another_has_done_it() {
    let (dir, server) = filled(3);
    let (asked, gate) = (Gate::default(), Gate::default());
    let (far, shut, note) = (server.clone(), gate.clone(), asked.clone());
    let open: Opener = Arc::new(move |bell: &Interrupt| {
        let (asked, gate) = (note.clone(), shut.clone());
        Ok(Box::new(Hesitant { inner: far.session(bell)?, asked, gate }))
    });
    let first = Screen::open(dir.path(), open, NEVER);
    first.until(is_watching);
    // A copy: said twice it would be made twice.
    let items = vec![first.inbox()[0].head.placement];
    first.store.intend(Intent::Copy { items, to: Target::Role(Role::Archive) });
    asked.pass();
    let (hang, hung) = (Gate::default(), Gate::default());
    let (stop, stopped) = (hang.clone(), hung.clone());
    first.store.subscribe(Box::new(move |changed| {
        if changed.foreign {
            stopped.open();
            stop.pass();
        }
    }));
    let second = Screen::open(dir.path(), opener(&server), SOON);
    hung.pass();
    // It may have answered one question before it hung; the user of the second asks another.
    second.engine.send(Command::Sync(None));
    second.until(is_watching);
    second.until_so(|_| second.is_idle());
    assert_eq!(server.count("Archive"), 1);
    // First it goes on with what it was about to say, then it hears that it has lost the account.
    gate.open();
    hang.open();
    first.until(is_elsewhere);
    assert_eq!(server.count("Archive"), 1);
    first.end();
    second.end();
}
