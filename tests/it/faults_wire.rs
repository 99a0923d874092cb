//! Sessions with a real server, broken at every byte and with every reply swallowed: nothing lost, nothing
//! twice, and the end as without a fault.
//!
//! The ordinary run tries a sample of the points, `MAILTUI_CAMPAIGN=1` all of them. A failure prints the
//! plan and the seed; `MAILTUI_FAULT_PLAN="cut 0 down 12"` tries this plan alone.

use std::time::Duration;

use mailtui::config::{Leave, Protocol, Tls};
use mailtui::model::{FlagDelta, Flags, Intent, Reach, Role, Settle};

use crate::support::bench::{Bench, points};
use crate::support::chance::{Chance, is_campaign};
use crate::support::invariants::{Copy, State};
use crate::support::proxy::{Break, Fault, Plan, Tally, Way};
use crate::support::seed::seeds;

/// Points that an ordinary run tries of each session.
const SAMPLE: usize = 3;
/// Random plans that a campaign tries of each session.
const RANDOM: usize = 200;

/// Tries the session that comes now with a fault at many points, or at all.
fn campaign(mut bench: Bench<'_>, right: impl FnOnce(&State)) {
    let (oracle, tally) = bench.oracle();
    right(&oracle);
    let plans = plans(&mut bench, &tally);
    bench.try_all(&points(&tally), &plans, |plan| {
        bench.reset();
        let (first, _) = bench.run(plan.clone());
        bench.recover(&oracle).map_err(|mut wrong| {
            wrong.push(format!("the first run: {first:?}"));
            wrong
        })
    });
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
    let random = if is_campaign() { RANDOM } else { 1 };
    points.extend((0..random).map(|_| Plan::random(&mut bench.chance, tally)));
    if !is_campaign() {
        bench.chance.shuffle(&mut points);
    }
    points.into_iter().map(|plan| bench.always.clone().with(&plan)).collect()
}

fn pop3(tls: Tls, name: &'static str, leave: Leave, always: Plan) {
    let Some(mut bench) = Bench::over(tls, name, Protocol::Pop3, leave, 6) else { return };
    bench.always = always;
    campaign(bench, |oracle| {
        assert_eq!(oracle.here.len(), 6);
        assert_eq!(oracle.there.len(), if leave == Leave::DeleteAfterDownload { 0 } else { 6 });
    });
}

fn without_pipelining() -> Plan {
    Fault::Replace { way: Way::Down, from: b"PIPELINING".to_vec(), to: b"X-NONE".to_vec() }.into()
}

#[test]
fn p3_p4_pop3_forever_survives_every_fault() {
    pop3(Tls::None, "pop3 forever", Leave::Forever, Plan::none());
}

#[test]
fn p3_p4_pop3_delete_after_download_survives_every_fault() {
    pop3(Tls::None, "pop3 delete", Leave::DeleteAfterDownload, Plan::none());
}

#[test]
fn p3_p4_pop3_without_pipelining_survives_every_fault() {
    pop3(Tls::None, "pop3 delete, no pipelining", Leave::DeleteAfterDownload, without_pipelining());
}

#[test]
fn p3_p4_pop3_over_tls_survives_every_fault() {
    pop3(Tls::Implicit, "pop3s delete", Leave::DeleteAfterDownload, Plan::none());
}

#[test]
fn p3_p4_pop3_fourteen_days_survives_every_fault() {
    pop3(Tls::None, "pop3 14d", Leave::Days(14), without_pipelining());
}

#[test]
fn p3_what_is_purged_here_goes_there_whatever_happens() {
    let Some(bench) = Bench::new("pop3 purge", Protocol::Pop3, Leave::Forever, 5) else { return };
    bench.sync();
    bench.desk.act(|user| {
        user.move_to(Role::Inbox, &[1, 2, 3], Role::Trash);
        user.purge(Role::Trash, &[2, 3]);
    });
    campaign(bench, |oracle| {
        let seeds = |copies: &[Copy]| copies.iter().map(|c| c.seed).collect::<Vec<_>>();
        assert_eq!(seeds(&oracle.there), [1, 4, 5]);
        assert_eq!(seeds(&oracle.here), [1, 4, 5]);
    });
}

/// A server that lacks these extensions.
pub(crate) fn without(names: &[&str]) -> Plan {
    Plan(
        names
            .iter()
            .map(|name| Fault::Replace {
                way: Way::Down,
                from: format!(" {name}").into_bytes(),
                to: format!(" X{}", "-".repeat(name.len() - 1)).into_bytes(),
            })
            .collect(),
    )
}

fn imap(name: &'static str, count: u32) -> Option<Bench<'static>> {
    Bench::new(name, Protocol::Imap, Leave::Forever, count)
}

#[test]
fn i3_i4_a_first_imap_sync_survives_every_fault() {
    let Some(mut bench) = imap("imap first", 5) else { return };
    let more = seeds(7, &mut Chance::new(99)).split_off(5);
    bench.user.deliver("Archive", &more[0].raw);
    bench.user.deliver("INBOX", &more[1].raw);
    bench.user.doveadm(&["flags", "add"], &["\\Seen \\Flagged", "mailbox", "INBOX", "SUBJECT", "seed 7"]);
    bench.seeds.extend(more);
    campaign(bench, |oracle| assert_eq!(oracle.here.len(), 7));
}

#[test]
fn i3_an_incremental_imap_sync_survives_every_fault() {
    let Some(mut bench) = imap("imap incremental", 6) else { return };
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
    bench.seeds.extend(more);
    campaign(bench, |oracle| {
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
    campaign(bench, |oracle| {
        let flags: Vec<i64> = oracle.there.iter().map(|c| c.flags).collect();
        assert_eq!(flags, [0, 5, 1, 1, 2, 1]);
    });
}

#[test]
fn i6_moves_and_copies_survive_every_fault() {
    moves("imap moves", Tls::None, Plan::none());
}

#[test]
fn i6_moves_and_copies_over_tls_survive_every_fault() {
    moves("imaps moves", Tls::Implicit, Plan::none());
}

#[test]
fn i6_moves_without_move_survive_every_fault() {
    moves("imap moves by copy", Tls::None, without(&["MOVE"]));
}

#[test]
fn i6_moves_without_uidplus_survive_every_fault() {
    moves("imap moves by expunge", Tls::None, without(&["MOVE", "UIDPLUS", "CONDSTORE", "QRESYNC"]));
}

fn moves(name: &'static str, tls: Tls, always: Plan) {
    let Some(mut bench) = Bench::over(tls, name, Protocol::Imap, Leave::Forever, 6) else { return };
    bench.always = always;
    bench.run(bench.always.clone()).0.unwrap();
    bench.desk.act(|user| {
        user.move_to(Role::Inbox, &[1, 2], Role::Archive);
        user.flag(Role::Inbox, &[3, 4], FlagDelta::add(Flags::SEEN));
        user.move_to(Role::Inbox, &[3], Role::Trash);
        user.copy_to(Role::Inbox, &[5], Role::Archive);
        user.flag(Role::Archive, &[1], FlagDelta::add(Flags::FLAGGED));
    });
    campaign(bench, |oracle| {
        let there: Vec<String> =
            oracle.there.iter().map(|c| format!("{} {} {}", c.seed, c.folder, c.flags)).collect();
        assert_eq!(
            there,
            ["1 Archive 4", "2 Archive 0", "3 Trash 1", "4 INBOX 1", "5 Archive 0", "5 INBOX 0", "6 INBOX 0"]
        );
    });
}

#[test]
fn i6_what_others_marked_is_never_expunged_with_ours_and_that_is_said() {
    let Some(mut bench) = imap("imap marked", 3) else { return };
    bench.always = without(&["MOVE", "UIDPLUS", "CONDSTORE", "QRESYNC"]);
    bench.run(bench.always.clone()).0.unwrap();
    bench.desk.act(|user| {
        user.purge(Role::Inbox, &[1]);
        user.move_to(Role::Inbox, &[2], Role::Archive);
    });
    bench.user.doveadm(&["flags", "add"], &["\\Deleted", "mailbox", "INBOX", "SUBJECT", "seed 3"]);
    bench.run(bench.always.clone()).0.unwrap();
    let there = || -> Vec<String> {
        bench.there().iter().map(|c| format!("{} {} {}", c.seed, c.folder, c.flags)).collect()
    };
    let marked = Flags::DELETED.bits();
    let all_marked = [1, 2, 3].map(|n| format!("{n} INBOX {marked}"));
    assert_eq!(there().into_iter().filter(|copy| copy.contains("INBOX")).collect::<Vec<_>>(), all_marked);
    let waits = |bench: &Bench<'_>| {
        let mut errors = Vec::new();
        bench.desk.act(|user| errors = user.reader.conflicts(user.account).unwrap());
        errors
    };
    let said = waits(&bench);
    assert_eq!(said.len(), 2);
    for conflict in said {
        assert!(
            conflict.error.contains("another program has marked mail there: 1 of 1 are left"),
            "{conflict:?}"
        );
        assert!(
            conflict.error.ends_with("(Try it again once that other mail is removed, or no longer marked)")
        );
    }
    // The other program thinks better of it, and the user tries again.
    bench.user.doveadm(&["flags", "remove"], &["\\Deleted", "mailbox", "INBOX", "SUBJECT", "seed 3"]);
    bench.desk.act(|user| {
        let retry = Intent::Settle { how: Settle::Retry, reach: Reach::Everything };
        assert_eq!(user.store.intend_wait(retry).unwrap().error, None);
    });
    for _ in 0..2 {
        bench.run(bench.always.clone()).0.unwrap();
    }
    assert_eq!(there(), ["2 Archive 0", "3 INBOX 0"]);
    assert_eq!(waits(&bench), []);
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
    campaign(bench, |oracle| {
        let there: Vec<String> = oracle.there.iter().map(|c| format!("{} {}", c.seed, c.folder)).collect();
        assert_eq!(there, ["2 Trash", "4 INBOX", "5 INBOX"]);
    });
}

#[test]
fn i2_a_mailbox_that_is_numbered_anew_survives_every_fault() {
    let Some(bench) = imap("imap numbered anew", 5) else { return };
    bench.sync();
    bench.desk.act(|user| {
        user.flag(Role::Inbox, &[1, 2], FlagDelta::add(Flags::FLAGGED));
        user.move_to(Role::Inbox, &[2, 3], Role::Archive);
    });
    bench.user.doveadm(&["mailbox", "update"], &["--uid-validity", "4000000", "INBOX"]);
    campaign(bench, |oracle| {
        let there: Vec<String> =
            oracle.there.iter().map(|c| format!("{} {} {}", c.seed, c.folder, c.flags)).collect();
        assert_eq!(there, ["1 INBOX 4", "2 Archive 4", "3 Archive 0", "4 INBOX 0", "5 INBOX 0"]);
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
    campaign(bench, |oracle| {
        assert!(oracle.there.iter().all(|c| c.folder == "INBOX" && c.flags == 0), "{:?}", oracle.there);
        assert_eq!(oracle.there.len(), 5);
    });
}

/// An engine that runs on through faults on one connection after another, and is asked to try again.
fn watched(mut bench: Bench<'_>) {
    let (oracle, mut tally) = bench.oracle();
    // Live and bulk connections, and those that come after them.
    let first = tally.connections[0];
    tally.connections = vec![first; 6];
    let count = if is_campaign() { 300 } else { SAMPLE };
    let chance = &mut bench.chance;
    let plans: Vec<Plan> =
        (0..count).map(|_| Plan::random(chance, &tally).with(&Plan::random(chance, &tally))).collect();
    bench.try_all("watching", &plans, |plan| {
        bench.reset();
        let round = bench.proxy.begin(plan.clone());
        let wrong = |reader: &_, account| {
            State::of(bench.there(), reader, account).judge(&bench.seeds, &oracle, bench.is_imap())
        };
        let last = std::cell::RefCell::new(Vec::new());
        let well = bench.desk.watch(|reader, account| {
            *last.borrow_mut() = wrong(reader, account);
            last.borrow().is_empty()
        });
        round.wait_closed();
        if !well {
            return Err(last.take());
        }
        bench.recover(&oracle)
    });
}

#[test]
fn r2_a_watched_imap_account_heals_itself() {
    let Some(bench) = imap("imap watched", 6) else { return };
    bench.sync();
    let mut bench = bench;
    let more = seeds(9, &mut Chance::new(97)).split_off(6);
    more.iter().for_each(|seed| bench.user.deliver("INBOX", &seed.raw));
    bench.seeds.extend(more);
    bench.desk.act(|user| {
        user.flag(Role::Inbox, &[1, 2], FlagDelta::add(Flags::SEEN));
        user.move_to(Role::Inbox, &[2, 3], Role::Archive);
        user.copy_to(Role::Inbox, &[4], Role::Archive);
        user.move_to(Role::Inbox, &[5], Role::Trash);
    });
    watched(bench);
}

#[test]
fn r2_a_watched_pop3_account_heals_itself() {
    let Some(bench) = Bench::new("pop3 watched", Protocol::Pop3, Leave::DeleteAfterDownload, 3) else {
        return;
    };
    bench.sync();
    let mut bench = bench;
    let more = seeds(7, &mut Chance::new(96)).split_off(3);
    more.iter().for_each(|seed| bench.user.deliver("INBOX", &seed.raw));
    bench.seeds.extend(more);
    watched(bench);
}

/// A server that says nothing any more does not keep the program from ending.
#[test]
fn r2_a_stalled_session_can_be_stopped() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let Some(mut bench) = Bench::new("stalled", protocol, Leave::Forever, 3) else { return };
        let (_, tally) = bench.oracle();
        let stalls = bench.chance.sample(&Plan::every_byte(Break::Stall, &tally), SAMPLE);
        bench.try_all(&points(&tally), &stalls, |plan| {
            bench.reset();
            let round = bench.proxy.begin(plan.clone());
            let took = bench.desk.stop_when(|| round.wait_struck(1, Duration::from_secs(20)));
            round.wait_closed();
            if took > Duration::from_secs(4) { Err(vec![format!("to stop took {took:?}")]) } else { Ok(()) }
        });
    }
}
