//! Two who write at once (goal R5): mailtui on its store, and another client on a socket of its own, never
//! through mailtui. Once all is quiet both ends are equal: which mails, where, with which flags and keywords.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailtui::config::{Leave, Protocol, Tls};
use mailtui::engine::{Command, Emit, Engine, Mode};
use mailtui::store::Store;

use crate::support::bench::Bench;
use crate::support::chance::{Chance, is_campaign};
use crate::support::client::Client;
use crate::support::cyrus;
use crate::support::hoodiecrow;
use crate::support::outside::Outside;
use crate::support::pymap;
use crate::support::scene::without;
use crate::support::seed::{Seed, seeds};
use crate::support::whim::{Tale, Whim};
use crate::support::world::LACKING;

/// Actions of both together.
const ACTIONS: usize = 150;
/// The same on servers that differ from one that is tried with more.
const FEW: usize = 40;
const CAMPAIGN: usize = 1000;
/// Mails at the beginning.
const MAILS: u32 = 40;
/// Runs within which everything must be quiet.
const RUNS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(60);
/// Operations that may wait before the user waits for them.
const BACKLOG: usize = 4;

const FOLDERS: [&str; 4] = ["INBOX", "Archive", "Trash", "Sent"];

/// The other client, who acts by chance too.
struct Other {
    client: Client,
    /// The names of [`FOLDERS`] on the wire.
    names: [String; 4],
    chance: Chance,
    tale: Tale,
    /// What it may append, and what it has appended.
    fresh: Vec<Seed>,
}

impl Other {
    fn act(&mut self) {
        let folder = self.chance.pick(&self.names).clone();
        let folder = folder.as_str();
        let mut held = self.client.seeds(folder);
        self.chance.shuffle(&mut held);
        held.truncate(1 + usize::try_from(self.chance.below(3)).unwrap());
        let uids = held.iter().map(|(uid, _)| uid.to_string()).collect::<Vec<_>>().join(",");
        let seeds: Vec<u32> = held.iter().map(|(_, seed)| *seed).collect();
        let to = self.chance.pick(&self.names).clone();
        let choice = self.chance.below(12);
        // UIDs may have gone since: the server passes over them.
        let commands = match choice {
            _ if held.is_empty() => Vec::new(),
            0..=4 => {
                let flag = *self.chance.pick(&["\\Seen", "\\Flagged", "\\Answered", "$Forwarded", "urgent"]);
                let sign = *self.chance.pick(&["+", "-"]);
                vec![format!("UID STORE {uids} {sign}FLAGS.SILENT ({flag})")]
            }
            5..=8 if to != folder => {
                self.tale.carry(1, &seeds);
                vec![format!("UID MOVE {uids} {to}")]
            }
            9 => {
                self.tale.copy(&seeds);
                vec![format!("UID COPY {uids} {to}")]
            }
            10 => {
                self.tale.remove(&seeds);
                vec![format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)"), format!("UID EXPUNGE {uids}")]
            }
            _ => Vec::new(),
        };
        if commands.is_empty()
            && let Some(seed) = self.fresh.pop()
        {
            self.client.append(folder, "", &seed.raw);
            return self.tale.tell(format!("    another client appends seed {} to {folder}", seed.n));
        }
        for command in commands {
            let said = self.client.try_ask(&command);
            self.tale.tell(format!("    another client in {folder} (seeds {seeds:?}): {command}: {said:?}"));
        }
    }
}

/// On Dovecot that cannot do some things.
fn two_writers_without(lacks: &[&str], actions: usize) {
    let Some(mut bench) = Bench::new("two writers", Protocol::Imap, Leave::Forever, MAILS) else { return };
    bench.name += &format!(" without {}", lacks.join(", "));
    bench.always = without(lacks);
    two_writers(bench, actions, !lacks.contains(&"MOVE"));
}

/// `actions` of both together in an ordinary run.
fn two_writers(mut bench: Bench<'_>, actions: usize, has_move: bool) {
    bench.run(bench.always.clone()).0.unwrap();
    let count = if is_campaign() { CAMPAIGN } else { actions } / 2;
    let tale = Tale::default();
    let more = u32::try_from(count).unwrap() / 8;
    let fresh = seeds(MAILS + more, &mut bench.chance).split_off(MAILS as usize);
    bench.seeds.extend(fresh.iter().cloned());
    let mut whim = Whim::new(Chance::new(bench.chance.next()), tale.clone());
    let mut other = Other {
        client: bench.room.client(),
        names: FOLDERS.map(|folder| bench.room.wire_name(folder)),
        chance: Chance::new(bench.chance.next()),
        tale: tale.clone(),
        fresh,
    };
    // Between COPY and EXPUNGE the other may move the source: then both are copies.
    whim.moves_copy = !has_move;
    let begun = Instant::now();
    let round = bench.proxy.begin(bench.always.clone());
    let store = Store::open(&bench.desk.data()).unwrap();
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap()[0].id;
    let (tell, news) = channel();
    let tell = Mutex::new(tell);
    store.subscribe(Box::new(move |_| tell.lock().unwrap().send(()).unwrap_or_default()));
    let emit: Emit = Arc::new(|_| ());
    let engine = Engine::start(&store, vec![bench.desk.setup()], Mode::Watch, &emit).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..count).for_each(|_| other.act()));
        for _ in 0..count {
            // As fast as the server is told, so that the two meet.
            let deadline = Instant::now() + PATIENCE;
            // Not those that wait behind a conflict for the user.
            while reader.ops(account, i64::MAX, BACKLOG + 1).unwrap().len() > BACKLOG {
                assert!(Instant::now() < deadline, "the queue stands still");
                // What is to be tried again later is tried again when the user asks for it.
                if news.recv_timeout(Duration::from_millis(300)).is_err() {
                    engine.send(Command::Sync(None));
                }
            }
            whim.act(&store, &reader);
        }
    });
    let acted = begun.elapsed();
    engine.stop(PATIENCE);
    drop(reader);
    store.close();
    round.wait_closed();
    let quiet = || {
        let mut state = bench.state();
        for _ in 0..RUNS {
            bench.run(bench.always.clone()).0.unwrap();
            let last = std::mem::replace(&mut state, bench.state());
            if state.wrong.is_empty() && state == last {
                break;
            }
        }
        state
    };
    let state = quiet();
    let conflicts = state.wrong.iter().filter(|line| line.contains("in conflict")).count();
    // What cannot be done any more waits for the user, who gives it up.
    let mut state = state;
    for _ in 0..3 {
        bench.desk.act(|user| user.give_up());
        state = quiet();
        if state.wrong.is_empty() {
            break;
        }
    }
    // Seeds that were not appended are nowhere.
    let (left, gone) = (other.fresh.iter().map(|seed| seed.n), tale.gone());
    let gone = gone.into_iter().chain(left).collect();
    let wrong = state.unequal(&bench.seeds, &gone, &tale.copied());
    eprintln!(
        "{}: {} actions in {acted:?}, quiet after {:?}; {} copies, {conflicts} conflicts, {} bad",
        bench.name,
        2 * count,
        begun.elapsed(),
        state.there.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}\n{}\n{:?}", tale.lines().join("\n"), wrong.join("\n"), bench.chosen);
    assert_eq!(bench.idles(&state), Ok(()), "{:?}", bench.chosen);
}

#[test]
fn r5_two_writers_end_equal() {
    if let Some(bench) = Bench::new("two writers", Protocol::Imap, Leave::Forever, MAILS) {
        two_writers(bench, ACTIONS, true);
    }
}

#[test]
fn r5_two_writers_end_equal_on_a_server_without_move() {
    two_writers_without(&["MOVE", "CONDSTORE", "QRESYNC"], ACTIONS);
}

#[test]
fn r5_two_writers_end_equal_whatever_the_server_lacks() {
    LACKING.iter().for_each(|lacks| two_writers_without(lacks, FEW));
}

#[test]
fn r5_two_writers_end_equal_on_cyrus() {
    let Some(cyrus) = cyrus::shared() else { return };
    let outside = Outside::on_cyrus(cyrus, |user| user.account(Protocol::Imap, Tls::None));
    two_writers(Bench::foreign("two writers on Cyrus", outside, MAILS), FEW, true);
}

#[test]
fn r5_two_writers_end_equal_on_pymap() {
    let Some(pymap) = pymap::shared() else { return };
    two_writers(Bench::foreign("two writers on pymap", Outside::on_pymap(pymap), MAILS), FEW, true);
}

#[test]
fn r5_two_writers_end_equal_on_hoodiecrow() {
    let Some(hoodiecrow) = hoodiecrow::shared() else { return };
    let outside = Outside::on_hoodiecrow(hoodiecrow);
    two_writers(Bench::foreign("two writers on hoodiecrow", outside, MAILS), FEW, true);
}
