//! Any sequence of the user's actions, undos, another client's changes and broken lines, in any order: in the
//! end both sides are equal, nothing is lost, and the store is sound. By a seed, so that it can be had again.

use std::sync::Arc;

use mailtui::config::{Leave, Protocol};
use mailtui::error::{Error, Kind};
use mailtui::model::{FlagDelta, Flags};
use mailtui::protocol::memory::Server;

use crate::faults_memory::account;
use crate::support::chance::{Budget, Chance, Seed as Chosen, is_campaign};
use crate::support::desk::Desk;
use crate::support::invariants::{State, of_memory};
use crate::support::seed::{Seed, number, seeds};
use crate::support::whim::{FLAGS, Tale, Whim};

const T0: i64 = 1_750_000_000;
const FOLDERS: [&str; 4] = ["INBOX", "Archive", "Trash", "Sent"];
/// Stories that a campaign tells.
const STORIES: u64 = 3000;
/// Runs within which everything must be quiet.
const RUNS: usize = 6;

/// One sequence of events.
struct Story {
    seeds: Vec<Seed>,
    server: Server,
    desk: Desk,
    tale: Tale,
}

impl Story {
    fn new(chance: &mut Chance) -> Self {
        let server = Server::new(Protocol::Imap);
        let server = if chance.below(3) == 0 { server.without_modseq() } else { server };
        let seeds = seeds(8, chance);
        for seed in &seeds {
            let folder = if seed.n > 6 { "Archive" } else { "INBOX" };
            server.deliver(folder, seed.raw.clone(), Flags::NONE, T0 + i64::from(seed.n));
        }
        let far = server.clone();
        let account = account(Protocol::Imap, Leave::Forever);
        let desk = Desk::new(account, Arc::new(move |bell| far.session(bell)));
        Self { seeds, server, desk, tale: Tale::default() }
    }

    /// What the user and another client may do at once, in a form that can be handed to a hook.
    fn hands(&self, chance: &mut Chance) -> Hands {
        let whim = Whim::new(Chance::new(chance.next()), self.tale.clone());
        Hands { server: self.server.clone(), whim }
    }

    /// A run in which things happen at random steps, the end of the connection among them.
    fn run(&self, chance: &mut Chance) {
        let mut hands = self.hands(chance);
        let odds = 4 + chance.below(12);
        let result = self.desk.sync_while(|store| {
            let store = store.clone();
            let (server, tale) = (self.server.clone(), self.tale.clone());
            let mut cut = false;
            self.server.on_call(move |call| {
                if hands.whim.chance.below(odds) != 0 {
                    return Ok(());
                }
                tale.tell(format!("    at {call:?}:"));
                match hands.whim.chance.below(4) {
                    0 => hands.elsewhere(),
                    1 if !cut => {
                        cut = true;
                        tale.tell("    the line breaks".into());
                        server.cut();
                        return Err(Error::new(Kind::Offline, "the connection was cut"));
                    }
                    _ => hands.whim.act(&store, &store.reader().unwrap()),
                }
                Ok(())
            });
        });
        self.tale.tell(format!("  a run: {result:?}"));
    }

    fn quiet(&self) -> Result<State, Vec<String>> {
        let mut now = State::default();
        for _ in 0..RUNS {
            self.desk.sync().map_err(|e| vec![format!("a run at the end fails: {e}")])?;
            let last = std::mem::replace(&mut now, self.desk.state(of_memory(&self.server), Vec::new()));
            if now.wrong.is_empty() && now == last {
                break;
            }
        }
        Ok(now)
    }

    fn end(&self) -> Result<(), Vec<String>> {
        self.server.on_call(|_| Ok(()));
        let mut now = self.quiet()?;
        for _ in 0..3 {
            if now.wrong.is_empty() {
                break;
            }
            // What cannot be done any more waits for the user, who gives it up.
            self.desk.act(|user| user.give_up());
            now = self.quiet()?;
        }
        let wrong = now.unequal(&self.seeds, &self.tale.gone(), &self.tale.copied());
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

struct Hands {
    server: Server,
    whim: Whim,
}

impl Hands {
    /// Another client does something.
    fn elsewhere(&mut self) {
        let folder = *self.whim.chance.pick(&FOLDERS);
        let held = self.server.mails(folder);
        let mut uids: Vec<u32> = held.iter().map(|mail| mail.uid).collect();
        self.whim.chance.shuffle(&mut uids);
        uids.truncate(1 + usize::try_from(self.whim.chance.below(3)).unwrap());
        let seeds: Vec<u32> = held
            .iter()
            .filter(|mail| uids.contains(&mail.uid))
            .filter_map(|mail| number(&mail.source.bytes()))
            .collect();
        let what = match self.whim.chance.below(10) {
            0..=3 => {
                let flag = *self.whim.chance.pick(&FLAGS);
                let add = self.whim.chance.below(2) == 0;
                let delta = if add { FlagDelta::add(flag) } else { FlagDelta::del(flag) };
                self.server.set_flags(folder, &uids, delta);
                format!("{delta:?}")
            }
            4..=6 => {
                let to = *self.whim.chance.pick(&FOLDERS);
                if to != folder {
                    self.server.move_to(folder, to, &uids);
                }
                format!("move to {to}")
            }
            7 => {
                self.server.set_keywords(folder, &uids, &["urgent"], &[]);
                "urgent".into()
            }
            8 => {
                self.whim.tale.remove(&seeds);
                self.server.expunge(folder, &uids);
                "expunge".into()
            }
            _ => {
                self.server.bump_validity(folder);
                "new numbers".into()
            }
        };
        self.whim.tale.tell(format!("    another client in {folder} on {uids:?} (seeds {seeds:?}): {what}"));
    }
}

fn story(seed: u64) -> Result<(), (Vec<String>, Vec<String>)> {
    let mut chance = Chance::new(seed);
    let story = Story::new(&mut chance);
    story.desk.sync().unwrap();
    for _ in 0..=chance.below(4) {
        let mut hands = story.hands(&mut chance);
        story.desk.act(|user| {
            for _ in 0..hands.whim.chance.below(4) {
                hands.whim.act(user.store, user.reader);
            }
        });
        for _ in 0..hands.whim.chance.below(3) {
            hands.elsewhere();
        }
        story.run(&mut chance);
    }
    let end = story.end();
    end.map_err(|wrong| (wrong, story.tale.lines()))
}

#[test]
fn any_story_ends_with_both_sides_equal() {
    let chosen = Chosen::of_run();
    let mut chance = chosen.chance();
    let budget = Budget::new();
    let (mut told, mut bad) = (0, 0);
    if let Ok(seed) = std::env::var("MAILTUI_FAULT_STORY") {
        let (wrong, told) = story(seed.parse().unwrap()).unwrap_err();
        panic!("{}\n{}", told.join("\n"), wrong.join("\n"));
    }
    while if is_campaign() { told < STORIES } else { told == 0 || !budget.is_spent() } {
        let seed = chance.next() >> 16;
        told += 1;
        if told % 200 == 0 {
            eprintln!("{told} stories so far, {bad} bad");
        }
        if let Err((wrong, story)) = story(seed) {
            bad += 1;
            eprintln!("MAILTUI_FAULT_STORY={seed}\n{}\n{}", story.join("\n"), wrong.join("\n"));
            assert!(bad < 10, "too much is wrong");
        }
    }
    eprintln!("{told} stories told, {bad} bad");
    assert_eq!(bad, 0, "{chosen:?}");
}
