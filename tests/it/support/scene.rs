//! A session to be broken: how the world looks before it, and what is right in the end. One [`Scene`] is one row
//! of a table; [`Scene::everywhere`] breaks it in every way on every kind of server.

use std::fs;
use std::sync::{Arc, Mutex};

use mailtui::config::{Account, Leave, Protocol, SecretSource, Tls};
use mailtui::engine::Opener;
use mailtui::error::{Error, Kind as Trouble};
use mailtui::model::Flags;
use mailtui::protocol::memory::{Call, Server};
use mailtui::secret::Secret;

use super::bench::{Bench, points};
use super::chance::{Chance, is_campaign};
use super::desk::{Other, User};
use super::dovecot;
use super::invariants::{Copy, State};
use super::office::Office;
use super::proxy::{Break, Fault, Plan, Tally, Way};
use super::room::{Kind, Room};
use super::seed::{Seed, seeds};

/// Points of each kind that an ordinary run tries of each session.
const SAMPLE: usize = 1;
/// Random plans that a campaign tries of each session.
const RANDOM: usize = 200;

/// Something that happens before the session that is broken.
#[derive(Clone, Copy)]
pub enum Act {
    /// Both sides get in step.
    Sync,
    /// Another client does something.
    Elsewhere(fn(&Room<'_>)),
    /// The user does something.
    Here(fn(&User<'_>)),
}

#[derive(Clone, Copy)]
pub struct Scene {
    pub name: &'static str,
    pub protocol: Protocol,
    pub leave: Leave,
    pub tls: Tls,
    /// Its folders are labels: not on Dovecot.
    pub labels: bool,
    /// What the server cannot do.
    pub lacks: &'static [&'static str],
    /// Seeds from 1 on that are in INBOX at the beginning.
    pub mails: u32,
    /// Folders on the server beside the usual ones.
    pub folders: &'static [&'static str],
    /// The seeds in INBOX of a second account, `home`, if there is one.
    pub home: Option<&'static [u32]>,
    pub acts: &'static [Act],
    /// What is on the server in the end, each as `SEED FOLDER FLAGS TAGS`.
    pub there: &'static [&'static str],
    /// What is here in the end, where that is not the same.
    pub here: Option<&'static [&'static str]>,
    /// Folders beside the usual ones in the end; those that are not subscribed to in brackets.
    pub made: &'static [&'static str],
}

/// What rows begin with.
pub const IMAP: Scene = Scene {
    name: "imap",
    protocol: Protocol::Imap,
    leave: Leave::Forever,
    tls: Tls::None,
    labels: false,
    lacks: &[],
    mails: 6,
    folders: &[],
    home: None,
    acts: &[],
    there: &[],
    here: None,
    made: &[],
};

/// The same of maildrops.
pub const POP3: Scene = Scene { name: "pop3", protocol: Protocol::Pop3, ..IMAP };

/// The seeds of every scene.
pub fn cast() -> Vec<Seed> {
    seeds(9, &mut Chance::new(5))
}

/// An account of a server that is not on the net.
pub fn account(name: &str, protocol: Protocol, leave: Leave) -> Account {
    Account {
        name: name.into(),
        email: "ada@example.org".into(),
        display_name: String::new(),
        protocol,
        host: "localhost".into(),
        port: 1,
        tls: Tls::None,
        allow_plaintext: false,
        user: "ada".into(),
        password: SecretSource::Prompt,
        auth: Default::default(),
        compress: Default::default(),
        folders: Vec::new(),
        ca_file: None,
        pin: None,
        leave_on_server: leave,
        delete_on_server_when_deleted_here: true,
        keep_bodies: mailtui::config::KeepBodies::default(),
        portion: mailtui::config::Portion::default(),
        check_every: std::time::Duration::from_secs(300),
        spool: None,
        sending: Default::default(),
    }
}

/// A server that lacks these extensions.
pub fn without(names: &[&str]) -> Plan {
    let replace = |name: &&str| Fault::Replace {
        way: Way::Down,
        from: name.as_bytes().to_vec(),
        to: format!("X{}", "-".repeat(name.len() - 1)).into_bytes(),
    };
    Plan(names.iter().map(replace).collect())
}

/// As rows write it.
pub fn told(copies: &[Copy]) -> Vec<String> {
    let one = |copy: &Copy| {
        let mut line = format!("{} {}", copy.seed, copy.folder);
        Flags::from_bits(copy.flags).wire_names().for_each(|word| line += &format!(" {word}"));
        copy.tags.iter().for_each(|word| line += &format!(" {word}"));
        line
    };
    copies.iter().map(one).collect()
}

/// `MAILTUI_FAULT_ON=memory` (or `scripted`, `dovecot`) tries this kind of server only.
fn is_wanted(kind: &str) -> bool {
    std::env::var("MAILTUI_FAULT_ON").map_or(true, |only| only == kind)
}

impl Scene {
    /// Breaks it in every way on every kind of server.
    pub fn everywhere(&self) {
        for modseq in [true, false] {
            if is_wanted("memory") && self.tls == Tls::None && (modseq || self.protocol == Protocol::Imap) {
                self.steps(self.in_memory(modseq));
            }
        }
        if is_wanted("scripted") && self.tls == Tls::None {
            self.steps(self.in_office());
            self.wire(self.in_office());
        }
        if is_wanted("dovecot")
            && !self.labels
            && let Some(bench) = self.on_dovecot()
        {
            self.wire(bench);
        }
    }

    fn room<'a>(&self, kind: Kind<'a>) -> Room<'a> {
        Room::new(self.protocol, cast(), kind)
    }

    fn server(&self) -> Server {
        if self.labels { Server::with_labels() } else { Server::new(self.protocol) }
    }

    /// On a server in memory, without a wire.
    pub fn in_memory(&self, modseq: bool) -> Bench<'static> {
        let server = self.server();
        let server = if modseq { server } else { server.without_modseq() };
        let far = server.clone();
        let open: Opener = Arc::new(move |bell| far.session(bell));
        let name = format!("{} in memory{}", self.name, if modseq { "" } else { ", without CONDSTORE" });
        let account = account("work", self.protocol, self.leave);
        self.begin(Bench::led(name, self.room(Kind::Memory(server)), account, |_| open))
    }

    /// On a small server with a wire.
    pub fn in_office(&self) -> Bench<'static> {
        let server = self.server();
        let condstore = !self.lacks.contains(&"CONDSTORE");
        let server = if condstore { server } else { server.without_modseq() };
        let office = Office::open(server.clone(), self.protocol, self.lacks);
        let account = Account { port: office.port, ..account("work", self.protocol, self.leave) };
        let (name, secret) = (format!("{} in the office", self.name), Secret::new("pass"));
        let room = self.room(Kind::Memory(server));
        let mut bench = Bench::before(name, room, account, secret);
        bench.office = Some(office);
        self.begin(bench)
    }

    pub fn on_dovecot(&self) -> Option<Bench<'static>> {
        let user = dovecot::shared()?.user();
        let mut account = user.account(self.protocol, self.tls);
        account.leave_on_server = self.leave;
        "work".clone_into(&mut account.name);
        let (secret, name) = (user.secret(), format!("{} on Dovecot", self.name));
        let mut bench = Bench::before(name, self.room(Kind::Dovecot(user)), account, secret);
        bench.always = without(self.lacks);
        Some(self.begin(bench))
    }

    /// Up to the session that is broken.
    fn begin<'a>(&self, mut bench: Bench<'a>) -> Bench<'a> {
        self.folders.iter().for_each(|path| bench.room.add_folder(path));
        let first: Vec<u32> = (1..=self.mails).collect();
        bench.room.deliver("INBOX", &first);
        if let Some(seeds) = self.home {
            let server = Server::new(Protocol::Imap);
            let home = Room::new(Protocol::Imap, cast(), Kind::Memory(server.clone()));
            home.deliver("INBOX", seeds);
            let account = account("home", Protocol::Imap, Leave::Forever);
            bench.desk.others.push(Other { account, server });
        }
        for act in self.acts {
            match act {
                Act::Sync => drop(bench.run(bench.always.clone()).0.unwrap()),
                Act::Elsewhere(act) => act(&bench.room),
                Act::Here(act) => bench.desk.act(act),
            }
        }
        bench
    }

    #[track_caller]
    fn is_right(&self, end: &State) {
        assert_eq!(told(&end.there), self.there, "{}: on the server", self.name);
        assert_eq!(told(&end.here), self.here.unwrap_or(self.there), "{}: here", self.name);
        let usual = ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"];
        let made: Vec<&String> = end
            .folders_there
            .iter()
            .filter(|path| !usual.contains(&path.as_str()) && !path.starts_with("[Gmail]/"))
            .collect();
        assert_eq!(made, self.made, "{}: folders", self.name);
    }

    /// Dies at every step and at every commit; and at every step the connection ends. Where there is a wire a step
    /// is each command, and the middle of those that change something.
    fn steps(&self, mut bench: Bench<'_>) {
        let (oracle, _) = bench.oracle();
        self.is_right(&oracle);
        bench.reset();
        let images = images(&bench);
        let steps = images.iter().filter(|image| !image.after_commit).count();
        let mut tries: Vec<End<'_>> = images.iter().map(End::Death).collect();
        tries.extend((0..steps).map(End::Cut));
        if !is_campaign() {
            tries = bench.chance.sample(&tries, 2 * SAMPLE);
        }
        let what = format!("{steps} steps, {} commits", images.len() - steps);
        bench.try_all(&what, &tries, |end| {
            bench.reset();
            match end {
                End::Death(image) => image.show(&bench),
                End::Cut(at) => cut_at(&bench, *at),
            }
            bench.recover(&oracle)
        });
    }

    /// Cut at every byte of the wire, every reply swallowed, and plans by chance.
    fn wire(&self, mut bench: Bench<'_>) {
        let (oracle, tally) = bench.oracle();
        self.is_right(&oracle);
        let plans = plans(&mut bench, &tally);
        bench.try_all(&points(&tally), &plans, |plan| {
            bench.reset();
            let (first, half) = bench.run_and_look(plan.clone());
            bench.recover_from(&half, &oracle).map_err(|mut wrong| {
                wrong.push(format!("the first run: {first:?}"));
                wrong
            })
        });
    }
}

fn plans(bench: &mut Bench<'_>, tally: &Tally) -> Vec<Plan> {
    if let Ok(text) = std::env::var("MAILTUI_FAULT_PLAN") {
        return vec![text.parse().unwrap()];
    }
    let mut points = Plan::every_byte(Break::Cut, tally);
    let mut replies = Plan::every_reply(tally);
    if is_campaign() && bench.desk.account.tls == Tls::Implicit {
        // The same words as in clear: one point in five shows that TLS changes nothing.
        points = bench.chance.sample(&points, points.len() / 5);
    }
    if !is_campaign() {
        points = bench.chance.sample(&points, SAMPLE);
        replies = bench.chance.sample(&replies, SAMPLE);
    }
    points.extend(replies);
    // `MAILTUI_FAULT_EVERY=10`: one point in ten of a campaign.
    if let Ok(every) = std::env::var("MAILTUI_FAULT_EVERY") {
        let every: usize = every.parse().expect("MAILTUI_FAULT_EVERY is a number");
        points = bench.chance.sample(&points, points.len().div_ceil(every));
    }
    let random = if is_campaign() { RANDOM } else { 1 };
    points.extend((0..random).map(|_| Plan::random(&mut bench.chance, tally)));
    if !is_campaign() {
        bench.chance.shuffle(&mut points);
    }
    points.into_iter().map(|plan| bench.always.clone().with(&plan)).collect()
}

/// How a session on a server in memory ends early.
#[derive(Clone)]
enum End<'a> {
    /// The program dies.
    Death(&'a Image),
    /// The connection ends at this step.
    Cut(usize),
}

impl std::fmt::Display for End<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Death(image) => write!(f, "death at {}", image.what),
            Self::Cut(step) => write!(f, "cut at step {step}"),
        }
    }
}

/// What a program that died would have left behind: its store, and the servers as they were then.
struct Image {
    what: String,
    after_commit: bool,
    store: Vec<(&'static str, Vec<u8>)>,
    servers: Vec<Server>,
}

impl Image {
    fn take(what: String, after_commit: bool, data: &std::path::Path, servers: &[Server]) -> Self {
        // The servers first: what they do after that was asked for before this commit.
        let servers = servers.iter().map(Server::copy).collect();
        let read = |name| fs::read(data.join(name)).unwrap_or_default();
        let store = loop {
            // Between two looks at the log that are equal the file beside it fits to it.
            let (log, file) = (read("store.db-wal"), read("store.db"));
            if read("store.db-wal") == log {
                break vec![("store.db", file), ("store.db-wal", log)];
            }
        };
        Self { what, after_commit, store, servers }
    }

    /// Makes the world what it was.
    fn show(&self, bench: &Bench<'_>) {
        let data = bench.desk.data();
        fs::remove_dir_all(&data).unwrap();
        fs::create_dir(&data).unwrap();
        for (name, bytes) in &self.store {
            fs::write(data.join(name), bytes).unwrap();
        }
        servers(bench).iter().zip(&self.servers).for_each(|(server, kept)| server.restore(kept));
    }
}

/// The servers in memory, with a wire or without: that of the account first.
fn servers(bench: &Bench<'_>) -> Vec<Server> {
    let Kind::Memory(server) = &bench.room.kind else { panic!("not in memory") };
    let others = bench.desk.others.iter().map(|other| other.server.clone());
    std::iter::once(server.clone()).chain(others).collect()
}

/// One run without a fault, with an image of each step and of each commit.
fn images(bench: &Bench<'_>) -> Vec<Image> {
    let taken = Arc::<Mutex<Vec<Image>>>::default();
    let all = servers(bench);
    for server in &all {
        let (taken, servers, data) = (Arc::clone(&taken), all.clone(), bench.desk.data());
        server.on_call(move |call: Call| {
            let mut taken = taken.lock().unwrap();
            let what = format!("step {} ({call:?})", taken.len());
            taken.push(Image::take(what, false, &data, &servers));
            Ok(())
        });
    }
    let (commits, servers, data) = (Arc::clone(&taken), all.clone(), bench.desk.data());
    let report = bench.desk.sync_while(move |store| {
        store.subscribe(Box::new(move |_| {
            let mut taken = commits.lock().unwrap();
            let what = format!("commit {}", taken.len());
            taken.push(Image::take(what, true, &data, &servers));
        }));
    });
    all.iter().for_each(|server| server.on_call(|_| Ok(())));
    report.unwrap_or_else(|e| panic!("{}: without a fault: {e}", bench.name));
    std::mem::take(&mut *taken.lock().unwrap())
}

/// A run in which the connection ends at this step.
fn cut_at(bench: &Bench<'_>, at: usize) {
    let count = Arc::<Mutex<usize>>::default();
    let all = servers(bench);
    let (server, counted) = (all[0].clone(), Arc::clone(&count));
    all[0].on_call(move |_| {
        let mut count = counted.lock().unwrap();
        *count += 1;
        if *count == at + 1 {
            server.cut();
            return Err(Error::new(Trouble::Offline, "the connection was cut"));
        }
        Ok(())
    });
    // How it ends does not matter: what is left of it does.
    let _ = bench.desk.sync();
    all[0].on_call(|_| Ok(()));
}
