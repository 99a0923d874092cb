//! Sessions with a real server, broken at every byte and with every reply swallowed: nothing lost, nothing
//! twice, and the end as without a fault.
//!
//! The ordinary run tries a sample of the points, `MAILTUI_CAMPAIGN=1` all of them. A failure prints the
//! plan and the seed; `MAILTUI_FAULT_PLAN="cut 0 down 12"` tries this plan alone.

use std::path::PathBuf;
use std::sync::Arc;

use mailtui::config::{Leave, Protocol, Tls};
use mailtui::engine::Opener;
use mailtui::model::{FlagDelta, Flags, Role};
use mailtui::protocol;

use crate::support::chance::{Chance, Seed as Chosen, is_campaign};
use crate::support::desk::{Desk, replace_dir, scratch};
use crate::support::dovecot::{self, User};
use crate::support::invariants::{Copy, State, of_maildir};
use crate::support::proxy::{Break, Fault, Plan, Proxy, Seal, Tally, Way};
use crate::support::seed::{Seed, seeds};

/// Points that an ordinary run tries of each session.
const SAMPLE: usize = 3;
/// Random plans that a campaign tries of each session.
const RANDOM: usize = 200;
/// Runs within which everything must be quiet after a fault.
const RUNS: usize = 4;

const FOLDERS: [&str; 6] = ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"];

/// A user of Dovecot, a proxy before it and a store of its own, all of which can be put back.
struct Bench<'a> {
    name: &'static str,
    user: User<'a>,
    proxy: Proxy,
    desk: Desk,
    seeds: Vec<Seed>,
    kept: tempfile::TempDir,
    /// What goes wrong in every round.
    always: Plan,
    chosen: Chosen,
    chance: Chance,
}

impl<'a> Bench<'a> {
    /// With `count` seeds in INBOX; `None`: there is no Dovecot here.
    fn new(name: &'static str, protocol: Protocol, leave: Leave, count: u32) -> Option<Self> {
        let user = dovecot::shared()?.user();
        let chosen = Chosen::of_run();
        let mut chance = chosen.chance();
        let seeds = seeds(count, &mut chance);
        for seed in &seeds {
            user.deliver("INBOX", &seed.raw);
        }
        let mut account = user.account(protocol, Tls::None);
        let proxy = Proxy::start(account.port, protocol, Seal::None);
        account.port = proxy.port;
        account.leave_on_server = leave;
        let (at, secret) = (account.clone(), user.secret());
        let open: Opener = Arc::new(move |bell| protocol::open(&at, &secret, bell));
        let always = Plan::none();
        Some(Self {
            name,
            user,
            proxy,
            desk: Desk::new(account, open),
            seeds,
            kept: scratch(),
            always,
            chosen,
            chance,
        })
    }

    fn home(&self) -> PathBuf {
        self.user.maildir("INBOX")
    }

    fn there(&self) -> Vec<Copy> {
        let mut copies: Vec<Copy> =
            FOLDERS.iter().flat_map(|folder| of_maildir(folder, &self.user.mails(folder))).collect();
        // A POP3 server marks what was taken as it likes.
        if self.desk.account.protocol == Protocol::Pop3 {
            copies.iter_mut().for_each(|copy| copy.flags = 0);
        }
        copies.sort();
        copies
    }

    fn state(&self) -> State {
        self.desk.state(self.there())
    }

    /// One run in a round of its own; what passed.
    fn run(&self, plan: Plan) -> (mailtui::Result<mailtui::engine::Report>, Tally) {
        let round = self.proxy.begin(plan);
        let report = self.desk.sync();
        round.wait_closed();
        (report, round.tally())
    }

    fn sync(&self) {
        self.run(Plan::none()).0.unwrap();
    }

    /// What is on both sides now is where every try begins.
    fn keep(&self) {
        self.desk.keep();
        replace_dir(&self.home(), &self.kept.path().join("maildir"));
    }

    fn reset(&self) {
        self.desk.reset();
        replace_dir(&self.kept.path().join("maildir"), &self.home());
    }

    /// Tries the session that comes now with a fault at many points, or at all.
    fn campaign(mut self, right: impl FnOnce(&State)) {
        self.keep();
        let (report, tally) = self.run(self.always.clone());
        report.unwrap_or_else(|e| panic!("{}: without a fault: {e}", self.name));
        let oracle = self.state();
        right(&oracle);
        assert_eq!(oracle.judge(&self.seeds, &oracle, self.is_imap()), Vec::<String>::new(), "{}", self.name);
        self.idles(&oracle).unwrap_or_else(|wrong| panic!("{}: without a fault: {wrong:?}", self.name));
        let plans = self.plans(&tally);
        let mut bad = Vec::new();
        for plan in &plans {
            if let Err(wrong) = self.attempt(plan, &oracle) {
                eprintln!("{}: {plan}: {}", self.name, wrong.join("\n  "));
                bad.push(plan.to_string());
            }
            assert!(bad.len() < 20, "{}: too much is wrong", self.name);
        }
        let points: Vec<String> = tally
            .connections
            .iter()
            .map(|p| {
                format!("{} up, {} down, {} lines", p.bytes(Way::Up), p.bytes(Way::Down), p.lines(Way::Down))
            })
            .collect();
        eprintln!("{}: {} plans tried ({}), {} bad", self.name, plans.len(), points.join("; "), bad.len());
        assert!(
            bad.is_empty(),
            "{}: {} of {} plans: {bad:#?} {:?}",
            self.name,
            bad.len(),
            plans.len(),
            self.chosen
        );
    }

    fn is_imap(&self) -> bool {
        self.desk.account.protocol == Protocol::Imap
    }

    fn plans(&mut self, tally: &Tally) -> Vec<Plan> {
        if let Ok(text) = std::env::var("MAILTUI_FAULT_PLAN") {
            return vec![text.parse().unwrap()];
        }
        let mut points = Plan::every_byte(Break::Cut, tally);
        let mut replies = Plan::every_reply(tally);
        if !is_campaign() {
            points = self.chance.sample(&points, SAMPLE);
            replies = self.chance.sample(&replies, SAMPLE);
        }
        points.extend(replies);
        let random = if is_campaign() { RANDOM } else { 1 };
        points.extend((0..random).map(|_| Plan::random(&mut self.chance, tally)));
        points.into_iter().map(|plan| self.always.clone().with(&plan)).collect()
    }

    /// One fault, a restart, and all that must hold then.
    fn attempt(&self, plan: &Plan, oracle: &State) -> Result<(), Vec<String>> {
        self.reset();
        let (first, _) = self.run(plan.clone());
        let gone: Vec<u32> = self.seeds.iter().map(|s| s.n).filter(|n| !oracle.holds(*n)).collect();
        let half = self.state().halfway(&self.seeds, &gone);
        if !half.is_empty() {
            return Err(half);
        }
        let mut now = State::default();
        for _ in 0..RUNS {
            if let Err(error) = self.run(self.always.clone()).0 {
                return Err(vec![format!("a run after the fault fails: {error} (first: {first:?})")]);
            }
            now = self.state();
            if now.wrong.is_empty() {
                break;
            }
        }
        let wrong = now.judge(&self.seeds, oracle, self.is_imap());
        if !wrong.is_empty() {
            return Err(wrong);
        }
        self.idles(&now)
    }

    /// One more run transfers nothing and changes nothing.
    fn idles(&self, state: &State) -> Result<(), Vec<String>> {
        let report = self.run(self.always.clone()).0.map_err(|e| vec![e.to_string()])?;
        let done = (report.new, report.bytes, report.deleted, report.pushed);
        if done != (0, 0, 0, 0) {
            return Err(vec![format!("a run with nothing to do did something: {report:?}")]);
        }
        let now = self.state();
        if now == *state { Ok(()) } else { Err(vec![format!("a run with nothing to do changed {now:?}")]) }
    }
}

fn pop3(name: &'static str, leave: Leave, always: Plan) {
    let Some(mut bench) = Bench::new(name, Protocol::Pop3, leave, 6) else { return };
    bench.always = always;
    bench.campaign(|oracle| {
        assert_eq!(oracle.here.len(), 6);
        assert_eq!(oracle.there.len(), if leave == Leave::DeleteAfterDownload { 0 } else { 6 });
    });
}

fn without_pipelining() -> Plan {
    Fault::Replace { way: Way::Down, from: b"PIPELINING".to_vec(), to: b"X-NONE".to_vec() }.into()
}

#[test]
fn p3_p4_pop3_forever_survives_every_fault() {
    pop3("pop3 forever", Leave::Forever, Plan::none());
}

#[test]
fn p3_p4_pop3_delete_after_download_survives_every_fault() {
    pop3("pop3 delete", Leave::DeleteAfterDownload, Plan::none());
}

#[test]
fn p3_p4_pop3_without_pipelining_survives_every_fault() {
    pop3("pop3 delete, no pipelining", Leave::DeleteAfterDownload, without_pipelining());
}

#[test]
fn p3_p4_pop3_fourteen_days_survives_every_fault() {
    pop3("pop3 14d", Leave::Days(14), without_pipelining());
}

#[test]
fn p3_what_is_purged_here_goes_there_whatever_happens() {
    let Some(bench) = Bench::new("pop3 purge", Protocol::Pop3, Leave::Forever, 5) else { return };
    bench.sync();
    bench.desk.act(|user| {
        user.move_to(Role::Inbox, &[1, 2, 3], Role::Trash);
        user.purge(Role::Trash, &[2, 3]);
    });
    bench.campaign(|oracle| {
        let seeds = |copies: &[Copy]| copies.iter().map(|c| c.seed).collect::<Vec<_>>();
        assert_eq!(seeds(&oracle.there), [1, 4, 5]);
        assert_eq!(seeds(&oracle.here), [1, 4, 5]);
    });
}

fn imap(name: &'static str, count: u32) -> Option<Bench<'static>> {
    Bench::new(name, Protocol::Imap, Leave::Forever, count)
}

#[test]
fn i3_i4_a_first_imap_sync_survives_every_fault() {
    let Some(bench) = imap("imap first", 5) else { return };
    let more = seeds(7, &mut Chance::new(99)).split_off(5);
    bench.user.deliver("Archive", &more[0].raw);
    bench.user.deliver("INBOX", &more[1].raw);
    bench.user.doveadm(&["flags", "add"], &["\\Seen \\Flagged", "mailbox", "INBOX", "SUBJECT", "seed 7"]);
    let bench = Bench { seeds: [bench.seeds.clone(), more].concat(), ..bench };
    bench.campaign(|oracle| assert_eq!(oracle.here.len(), 7));
}

#[test]
fn i3_an_incremental_imap_sync_survives_every_fault() {
    let Some(bench) = imap("imap incremental", 6) else { return };
    bench.sync();
    let more = seeds(8, &mut Chance::new(98)).split_off(6);
    more.iter().for_each(|seed| bench.user.deliver("INBOX", &seed.raw));
    let subject = |n: u32| ["SUBJECT".to_owned(), format!("seed {n}")];
    let elsewhere = |verb: &[&str], rest: &[&str], n: u32| {
        let query = subject(n);
        bench.user.doveadm(verb, &[rest, &["mailbox", "INBOX", &query[0], &query[1]]].concat());
    };
    elsewhere(&["flags", "add"], &["\\Seen \\Flagged"], 1);
    elsewhere(&["flags", "add"], &["\\Answered"], 2);
    elsewhere(&["move"], &["Archive"], 3);
    let bench = Bench { seeds: [bench.seeds.clone(), more].concat(), ..bench };
    bench.campaign(|oracle| {
        assert_eq!(oracle.here.len(), 8);
        let one = oracle.here.iter().find(|c| c.seed == 1).unwrap();
        assert_eq!(one.flags, (Flags::SEEN | Flags::FLAGGED).bits());
        assert_eq!(oracle.here.iter().find(|c| c.seed == 3).unwrap().folder, "Archive");
    });
}

#[test]
fn i5_a_flag_storm_survives_every_fault() {
    let Some(bench) = imap("imap flags", 6) else { return };
    bench.sync();
    bench.desk.act(|user| {
        user.flag(Role::Inbox, &[1, 2, 3, 4, 5, 6], FlagDelta::add(Flags::SEEN));
        user.flag(Role::Inbox, &[2, 4], FlagDelta::add(Flags::FLAGGED));
        user.flag(Role::Inbox, &[1], FlagDelta::del(Flags::SEEN));
        user.flag(Role::Inbox, &[5], FlagDelta { add: Flags::ANSWERED, del: Flags::SEEN });
        user.flag(Role::Inbox, &[4], FlagDelta::del(Flags::FLAGGED));
    });
    bench.campaign(|oracle| {
        let flags: Vec<i64> = oracle.there.iter().map(|c| c.flags).collect();
        assert_eq!(flags, [0, 5, 1, 1, 2, 1]);
    });
}

#[test]
fn i6_moves_and_copies_survive_every_fault() {
    let Some(bench) = imap("imap moves", 6) else { return };
    bench.sync();
    bench.desk.act(|user| {
        user.move_to(Role::Inbox, &[1, 2], Role::Archive);
        user.flag(Role::Inbox, &[3, 4], FlagDelta::add(Flags::SEEN));
        user.move_to(Role::Inbox, &[3], Role::Trash);
        user.copy_to(Role::Inbox, &[5], Role::Archive);
        user.flag(Role::Archive, &[1], FlagDelta::add(Flags::FLAGGED));
    });
    bench.campaign(|oracle| {
        let there: Vec<String> =
            oracle.there.iter().map(|c| format!("{} {} {}", c.seed, c.folder, c.flags)).collect();
        assert_eq!(
            there,
            ["1 Archive 4", "2 Archive 0", "3 Trash 1", "4 INBOX 1", "5 Archive 0", "5 INBOX 0", "6 INBOX 0"]
        );
    });
}

#[test]
fn i6_deletion_for_good_survives_every_fault() {
    let Some(bench) = imap("imap purge", 5) else { return };
    bench.sync();
    bench.desk.act(|user| {
        user.move_to(Role::Inbox, &[1, 2], Role::Trash);
        user.purge(Role::Inbox, &[3]);
        user.purge(Role::Trash, &[1]);
    });
    bench.campaign(|oracle| {
        let there: Vec<String> = oracle.there.iter().map(|c| format!("{} {}", c.seed, c.folder)).collect();
        assert_eq!(there, ["2 Trash", "4 INBOX", "5 INBOX"]);
    });
}

#[test]
fn a1_delete_and_undo_survive_every_fault() {
    let Some(bench) = imap("imap undo", 5) else { return };
    bench.sync();
    bench.desk.act(|user| {
        // Taken back before the server heard of it, and done again.
        user.move_to(Role::Inbox, &[1, 2], Role::Trash);
        user.undo();
        user.redo();
    });
    bench.sync();
    bench.desk.act(|user| {
        // Taken back after.
        user.undo();
        user.flag(Role::Inbox, &[4], FlagDelta::add(Flags::FLAGGED));
        user.undo();
    });
    bench.campaign(|oracle| {
        assert!(oracle.there.iter().all(|c| c.folder == "INBOX" && c.flags == 0), "{:?}", oracle.there);
        assert_eq!(oracle.there.len(), 5);
    });
}
