//! What a table of sessions cannot hold (see `faults_scenes`): engines that run on through faults, sessions that
//! stall, and what others have marked.

use std::time::Duration;

use mailtui::config::{Leave, Protocol};
use mailtui::model::{FlagDelta, Flags, Intent, Reach, Role, Settle};

use crate::faults_scenes::OLD;
use crate::support::bench::{Bench, points};
use crate::support::chance::{Chance, is_campaign};
use crate::support::invariants::State;
use crate::support::proxy::{Break, Plan};
use crate::support::scene::without;
use crate::support::seed::seeds;

/// Points that an ordinary run tries of each session.
const SAMPLE: usize = 3;

fn imap(name: &'static str, count: u32) -> Option<Bench<'static>> {
    Bench::new(name, Protocol::Imap, Leave::Forever, count)
}

#[test]
fn i6_what_others_marked_is_never_expunged_with_ours_and_that_is_said() {
    let Some(mut bench) = imap("imap marked", 3) else { return };
    bench.always = without(OLD);
    bench.run(bench.always.clone()).0.unwrap();
    bench.desk.act(|user| {
        user.purge(Role::Inbox, &[1]);
        user.move_to(Role::Inbox, &[2], Role::Archive);
    });
    bench.user().doveadm(&["flags", "add"], &["\\Deleted", "mailbox", "INBOX", "SUBJECT", "seed 3"]);
    bench.run(bench.always.clone()).0.unwrap();
    let there = || -> Vec<String> {
        bench.room.there().iter().map(|c| format!("{} {} {}", c.seed, c.folder, c.flags)).collect()
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
    bench.user().doveadm(&["flags", "remove"], &["\\Deleted", "mailbox", "INBOX", "SUBJECT", "seed 3"]);
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
            let folders_there = bench.room.folders();
            let now = State { folders_there, ..State::of(bench.room.there(), reader, account) };
            now.judge(&bench.seeds, &oracle, bench.is_imap())
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
    more.iter().for_each(|seed| bench.user().deliver("INBOX", &seed.raw));
    bench.seeds.extend(more);
    bench.desk.act(|user| {
        user.flag(Role::Inbox, &[1, 2], FlagDelta::add(Flags::SEEN));
        user.move_to(Role::Inbox, &[2, 3], Role::Archive);
        user.copy_to(Role::Inbox, &[4], Role::Archive);
        user.move_to(Role::Inbox, &[5], Role::Trash);
    });
    watched(bench);
}

/// Mail that comes while it waits for news, one after the other, with the wait broken anywhere.
#[test]
fn i9_a_wait_for_news_broken_anywhere_misses_nothing() {
    let Some(mut bench) = imap("imap waiting", 3) else { return };
    bench.sync();
    bench.keep();
    bench.seeds.extend(seeds(6, &mut Chance::new(95)).split_off(3));
    let bench = bench;
    let news = &bench.seeds[3..];
    let deliver = |n: usize| bench.user().deliver("INBOX", &news[n].raw);
    (0..news.len()).for_each(deliver);
    bench.sync();
    let oracle = bench.state();
    let watch = |plan: Plan| {
        bench.reset();
        let round = bench.proxy.begin(plan);
        let came = std::cell::Cell::new(0);
        let well = bench.desk.watch(|reader, account| {
            let inbox = reader.folder_by_role(account, Role::Inbox).unwrap().unwrap();
            if inbox.total as usize == 3 + came.get() && came.get() < news.len() {
                deliver(came.replace(came.get() + 1));
            }
            let folders_there = bench.room.folders();
            let now = State { folders_there, ..State::of(bench.room.there(), reader, account) };
            now.there == oracle.there && now.here == oracle.here
        });
        round.wait_closed();
        (well, round.tally())
    };
    let (well, tally) = watch(Plan::none());
    assert!(well, "without a fault");
    let mut plans = Plan::every_byte(Break::Cut, &tally);
    plans.extend(Plan::every_reply(&tally));
    let every = std::env::var("MAILTUI_FAULT_EVERY").map_or(1, |every| every.parse().unwrap());
    let count = if is_campaign() { plans.len().div_ceil(every) } else { SAMPLE };
    let plans = bench.chosen.chance().sample(&plans, count);
    bench.try_all(&points(&tally), &plans, |plan| {
        if !watch(plan.clone()).0 {
            return Err(vec!["it was not in step in time".to_owned()]);
        }
        bench.recover(&oracle)
    });
}

#[test]
fn r2_a_watched_pop3_account_heals_itself() {
    let Some(bench) = Bench::new("pop3 watched", Protocol::Pop3, Leave::DeleteAfterDownload, 3) else {
        return;
    };
    bench.sync();
    let mut bench = bench;
    let more = seeds(7, &mut Chance::new(96)).split_off(3);
    more.iter().for_each(|seed| bench.user().deliver("INBOX", &seed.raw));
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
