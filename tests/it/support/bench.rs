//! A server, a proxy before it and a store of its own, all of which can be put back.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use mailtui::Result;
use mailtui::config::{Account, Leave, Protocol, Tls};
use mailtui::engine::{Opener, Report};
use mailtui::protocol;
use mailtui::protocol::memory::Server;
use mailtui::secret::Secret;

use super::chance::{Budget, Chance, Seed as Chosen};
use super::desk::{Desk, scratch};
use super::dovecot::{self, User};
use super::invariants::State;
use super::office::Office;
use super::outside::Outside;
use super::proxy::{Plan, Proxy, Seal, Tally, Way};
use super::room::{Kind, Room};
use super::seed::{Seed, seeds};

/// Runs within which everything must be quiet after a fault.
const RUNS: usize = 4;

pub struct Bench<'a> {
    pub name: String,
    pub room: Room<'a>,
    pub proxy: Proxy,
    /// The server behind it, where it is a small one.
    pub office: Option<Office>,
    pub desk: Desk,
    pub seeds: Vec<Seed>,
    kept: tempfile::TempDir,
    kept_servers: RefCell<Vec<Server>>,
    /// What goes wrong in every round.
    pub always: Plan,
    pub chosen: Chosen,
    pub chance: Chance,
}

impl<'a> Bench<'a> {
    /// With `count` seeds in INBOX; `None`: there is no Dovecot here.
    pub fn new(name: &'static str, protocol: Protocol, leave: Leave, count: u32) -> Option<Self> {
        Self::over(Tls::None, name, protocol, leave, count)
    }

    /// Over TLS that the proxy sees into, or in clear.
    pub fn over(tls: Tls, name: &'static str, protocol: Protocol, leave: Leave, count: u32) -> Option<Self> {
        let user = dovecot::shared()?.user();
        let chosen = Chosen::of_run();
        let mut chance = chosen.chance();
        let seeds = seeds(count, &mut chance);
        seeds.iter().for_each(|seed| user.deliver("INBOX", &seed.raw));
        let mut account = user.account(protocol, tls);
        account.leave_on_server = leave;
        let secret = user.secret();
        let room = Room::new(protocol, Vec::new(), Kind::Dovecot(user));
        Some(Self { seeds, chosen, chance, ..Self::before(name.to_owned(), room, account, secret) })
    }

    /// With `count` seeds in INBOX of a server of another make.
    pub fn foreign(name: &'static str, outside: Outside, count: u32) -> Self {
        let chosen = Chosen::of_run();
        let mut chance = chosen.chance();
        let seeds = seeds(count, &mut chance);
        outside.deliver("INBOX", seeds.iter().map(|seed| &seed.raw));
        let (account, secret) = (Account::clone(&outside.account), outside.secret());
        let room = Room::new(account.protocol, Vec::new(), Kind::Foreign(outside));
        Self { seeds, chosen, chance, ..Self::before(name.to_owned(), room, account, secret) }
    }

    /// The account's server behind a proxy.
    pub fn before(name: String, room: Room<'a>, account: Account, secret: Secret) -> Self {
        Self::led(name, room, account, |account| {
            let at = account.clone();
            Arc::new(move |bell| protocol::open(&at, &secret, bell))
        })
    }

    /// An account that a proxy stands before, which `open` may lead the program to.
    pub fn led(
        name: String,
        room: Room<'a>,
        mut account: Account,
        open: impl FnOnce(&Account) -> Opener,
    ) -> Self {
        let seal = if account.tls == Tls::Implicit { Seal::Both } else { Seal::None };
        let proxy = Proxy::start(account.port, account.protocol, seal);
        account.port = proxy.port;
        let open = open(&account);
        let chosen = Chosen::of_run();
        let chance = chosen.chance();
        Self {
            name,
            desk: Desk::new(account, open),
            proxy,
            office: None,
            seeds: room.seeds.clone(),
            room,
            kept: scratch(),
            kept_servers: RefCell::default(),
            always: Plan::none(),
            chosen,
            chance,
        }
    }

    /// The user of Dovecot.
    pub fn user(&self) -> &User<'a> {
        self.room.user()
    }

    pub fn is_imap(&self) -> bool {
        self.desk.account.protocol == Protocol::Imap
    }

    pub fn state(&self) -> State {
        self.desk.state(self.room.there(), self.room.folders())
    }

    /// One run in a round of its own; what passed.
    pub fn run(&self, plan: Plan) -> (Result<Report>, Tally) {
        let round = self.proxy.begin(plan);
        let report = self.desk.sync();
        round.wait_closed();
        (report, round.tally())
    }

    /// The same, and how things are then.
    pub fn run_and_look(&self, plan: Plan) -> (Result<Report>, State) {
        let round = self.proxy.begin(plan);
        let (report, here) = self.desk.sync_and_look();
        round.wait_closed();
        (report, self.desk.beside(here, self.room.there(), self.room.folders()))
    }

    pub fn sync(&self) {
        self.run(Plan::none()).0.unwrap();
    }

    /// The program itself, about to get in step once.
    pub fn program(&self) -> Command {
        self.program_in(&self.desk.data())
    }

    /// The same with another data directory.
    pub fn program_in(&self, data: &Path) -> Command {
        let account = &self.desk.account;
        let leave = match account.leave_on_server {
            Leave::Forever => "forever".to_owned(),
            Leave::DeleteAfterDownload => "delete_after_download".to_owned(),
            Leave::Days(days) => format!("{days}d"),
        };
        let protocol = account.protocol.name();
        let only_pop = match account.protocol {
            Protocol::Pop3 => format!("leave_on_server = \"{leave}\"\n"),
            _ => String::new(),
        };
        assert_eq!(account.tls, Tls::None, "what the program says must be seen by a trace");
        let text = format!(
            "[accounts.{}]\nemail = \"{}\"\nprotocol = \"{protocol}\"\nhost = \"{}\"\nport = {}\ntls = \"none\"\n\
             user = \"{}\"\npassword = {{ env = \"MAILTUI_TEST_SECRET\" }}\n{only_pop}",
            account.name, account.email, account.host, account.port, account.user
        );
        let config = self.kept.path().join("config.toml");
        std::fs::write(&config, text).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_mailtui"));
        program.args(["sync", "--config"]).arg(config).arg("--data").arg(data);
        program.env("MAILTUI_TEST_SECRET", dovecot::PASSWORD).env_remove("MAILTUI_LOG");
        program
    }

    /// What is on both sides now is where every try begins.
    pub fn keep(&self) {
        self.desk.keep();
        let mut servers: Vec<Server> = self.desk.others.iter().map(|other| other.server.copy()).collect();
        servers.extend(self.room.keep(&self.kept.path().join("maildir")));
        *self.kept_servers.borrow_mut() = servers;
    }

    pub fn reset(&self) {
        self.desk.reset();
        let servers = self.kept_servers.borrow();
        let (others, own) = servers.split_at(self.desk.others.len());
        self.desk.others.iter().zip(others).for_each(|(other, kept)| other.server.restore(kept));
        self.room.reset(&self.kept.path().join("maildir"), own.first());
    }

    /// A run without a fault from where things are now, which is kept; how it ends, and what passed.
    pub fn oracle(&self) -> (State, Tally) {
        self.keep();
        let (report, tally) = self.run(self.always.clone());
        report.unwrap_or_else(|e| panic!("{}: without a fault: {e}", self.name));
        let oracle = self.state();
        assert_eq!(oracle.judge(&self.seeds, &oracle, self.is_imap()), Vec::<String>::new(), "{}", self.name);
        assert_eq!(self.idles(&oracle), Ok(()), "{}: without a fault", self.name);
        (oracle, tally)
    }

    /// All that must hold after a run with a fault, which left `half`: at once, after a restart, and when
    /// nothing is left to do.
    pub fn recover_from(&self, half: &State, oracle: &State) -> std::result::Result<(), Vec<String>> {
        let gone: Vec<u32> = self.seeds.iter().map(|s| s.n).filter(|n| !oracle.holds(*n)).collect();
        let half = half.halfway(&self.seeds, &gone);
        if !half.is_empty() {
            return Err(half);
        }
        let now = self.quiet().map_err(|e| vec![e])?;
        let wrong = now.judge(&self.seeds, oracle, self.is_imap());
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The same of what is to be found now.
    pub fn recover(&self, oracle: &State) -> std::result::Result<(), Vec<String>> {
        self.recover_from(&self.state(), oracle)
    }

    /// Runs without further faults until one has nothing to do, and nothing waits any more but what the user
    /// has to settle.
    pub fn quiet(&self) -> std::result::Result<State, String> {
        let (mut reports, mut last) = (Vec::new(), State::default());
        for _ in 0..=RUNS {
            let (report, now) = self.run_and_look(self.always.clone());
            let report = report.map_err(|e| format!("a run after the fault fails: {e}"))?;
            if report == Report::default() && (now.wrong.is_empty() || now == last) {
                return Ok(now);
            }
            reports.push(report);
            last = now;
        }
        Err(format!("it does not come to rest: {:?}, {reports:?}", last.wrong))
    }

    /// One more run transfers nothing and changes nothing.
    pub fn idles(&self, state: &State) -> std::result::Result<(), Vec<String>> {
        let (report, now) = self.run_and_look(self.always.clone());
        let report = report.map_err(|e| vec![e.to_string()])?;
        if report != Report::default() {
            return Err(vec![format!("a run with nothing to do did something: {report:?}")]);
        }
        if now == *state { Ok(()) } else { Err(vec![format!("a run with nothing to do changed {now:?}")]) }
    }

    /// Tries each; says how it went and fails if one went wrong. `what` tells about the session.
    pub fn try_all<T: std::fmt::Display>(
        &self,
        what: &str,
        tries: &[T],
        attempt: impl Fn(&T) -> std::result::Result<(), Vec<String>>,
    ) {
        let (mut bad, mut tried) = (Vec::new(), 0);
        let budget = Budget::new();
        for one in tries {
            if tried > 0 && budget.is_spent() {
                break;
            }
            tried += 1;
            if tried % 500 == 0 {
                eprintln!("{}: {tried} of {}, {} bad so far", self.name, tries.len(), bad.len());
            }
            if let Err(wrong) = attempt(one) {
                eprintln!("{}: {one}: {}", self.name, wrong.join("\n  "));
                bad.push(one.to_string());
            }
            assert!(bad.len() < 20, "{}: too much is wrong, {:?}", self.name, self.chosen);
        }
        eprintln!("{}: {tried} of {} tried ({what}), {} bad", self.name, tries.len(), bad.len());
        assert!(bad.is_empty(), "{}: {bad:#?} {:?}", self.name, self.chosen);
    }
}

/// How much passed, in words.
pub fn points(tally: &Tally) -> String {
    let of = |p: &super::proxy::Passed| {
        format!("{} up, {} down, {} lines", p.bytes(Way::Up), p.bytes(Way::Down), p.lines(Way::Down))
    };
    tally.connections.iter().map(of).collect::<Vec<_>>().join("; ")
}
