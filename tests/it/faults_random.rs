//! Any sequence of the user's actions, undos, another client's changes and broken lines, in any order: in the
//! end both sides are equal, nothing is lost, and the store is sound. By a seed, so that it can be had again.

use std::sync::Arc;

use mailtui::config::{Leave, Protocol};
use mailtui::error::{Error, Kind};
use mailtui::model::{FlagDelta, Flags, Intent};
use mailtui::protocol::memory::Server;

use crate::faults_memory::account;
use crate::support::chance::{Budget, Chance, Seed as Chosen, is_campaign};
use crate::support::desk::Desk;
use crate::support::invariants::State;
use crate::support::room::{self, Room};
use crate::support::seed::{Seed, number, seeds};
use crate::support::whim::{FLAGS, PATHS, Tale, Whim};

const T0: i64 = 1_750_000_000;
/// Stories that a campaign tells.
const STORIES: u64 = 3000;
/// Runs within which everything must be quiet.
const RUNS: usize = 6;

/// What a story is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plot {
    /// Mail alone.
    Mail,
    /// Folders too.
    Folders,
    /// Folders too; nobody but the user does anything, and takes it all back in the end.
    Back,
}

/// One sequence of events.
struct Story {
    plot: Plot,
    seeds: Vec<Seed>,
    server: Server,
    desk: Desk,
    tale: Tale,
}

impl Story {
    fn new(plot: Plot, chance: &mut Chance) -> Self {
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
        if plot != Plot::Mail {
            for path in ["Work", "Work/a", "Old"] {
                server.add_folder(path, None);
            }
            server.move_to("Archive", "Old", &[2]);
        }
        Self { plot, seeds, server, desk, tale: Tale::default() }
    }

    /// What the user and another client may do at once, in a form that can be handed to a hook.
    fn hands(&self, chance: &mut Chance) -> Hands {
        let mut whim = Whim::new(Chance::new(chance.next()), self.tale.clone());
        whim.shapes = self.plot != Plot::Mail;
        whim.careful = self.plot == Plot::Back;
        Hands { server: self.server.clone(), whim }
    }

    /// A run in which things happen at random steps, the end of the connection among them.
    fn run(&self, chance: &mut Chance) {
        let mut hands = self.hands(chance);
        let odds = 4 + chance.below(12);
        let plot = self.plot;
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
                    0 if plot != Plot::Back => hands.elsewhere(),
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

    fn state(&self) -> State {
        let room = Room::new(Protocol::Imap, self.seeds.clone(), room::Kind::Memory(self.server.clone()));
        self.desk.state(room.there(), room.folders())
    }

    fn quiet(&self) -> Result<State, Vec<String>> {
        let mut now = State::default();
        for _ in 0..RUNS {
            self.desk.sync().map_err(|e| vec![format!("a run at the end fails: {e}")])?;
            let last = std::mem::replace(&mut now, self.state());
            if now.wrong.is_empty() && now == last {
                break;
            }
        }
        Ok(now)
    }

    /// The user takes everything back: all is as it was, here and there.
    fn back_to(&self, start: &State) -> Result<(), Vec<String>> {
        self.server.on_call(|_| Ok(()));
        self.desk.act(|user| {
            loop {
                let outcome = user.store.intend_wait(Intent::Undo).unwrap();
                self.tale.tell(format!("    I take back: {outcome:?}"));
                if outcome.error.is_some() {
                    break;
                }
            }
        });
        let now = self.quiet()?;
        let wrong = now.judge(&self.seeds, start, true);
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
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
        if self.whim.shapes && self.whim.chance.below(3) == 0 {
            return self.elsewhere_folders();
        }
        let names = self.server.folder_names();
        let folder = self.whim.chance.pick(&names).clone();
        let folder = folder.as_str();
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
                let to = self.whim.chance.pick(&names).clone();
                if to != folder {
                    self.server.move_to(folder, &to, &uids);
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

impl Hands {
    /// Another client does something to folders.
    fn elsewhere_folders(&mut self) {
        let path = *self.whim.chance.pick(&PATHS);
        let names: Vec<String> = PATHS.map(|path| path.replace('/', ".")).to_vec();
        let name = self.whim.chance.pick(&names).clone();
        let what = match self.whim.chance.below(4) {
            0 => format!("makes {}", self.server.add_folder(path, None)),
            1 => format!("renames {name} to {path}: {:?}", self.server.rename(&name, path)),
            2 => {
                let seeds: Vec<u32> =
                    self.server.mails(&name).iter().filter_map(|mail| number(&mail.source.bytes())).collect();
                let removed = self.server.remove(&name);
                if removed {
                    self.whim.tale.remove(&seeds);
                }
                format!("removes {name} with {seeds:?}: {removed}")
            }
            _ => {
                let on = self.whim.chance.below(2) == 0;
                self.server.subscribe(&name, on);
                format!("subscribes to {name}: {on}")
            }
        };
        self.whim.tale.tell(format!("    another client {what}"));
    }
}

fn story(plot: Plot, seed: u64) -> Result<(), (Vec<String>, Vec<String>)> {
    let mut chance = Chance::new(seed);
    let story = Story::new(plot, &mut chance);
    story.desk.sync().unwrap();
    let start = story.state();
    for _ in 0..=chance.below(4) {
        let mut hands = story.hands(&mut chance);
        story.desk.act(|user| {
            for _ in 0..hands.whim.chance.below(4) {
                hands.whim.act(user.store, user.reader);
            }
        });
        for _ in 0..hands.whim.chance.below(3) {
            if plot != Plot::Back {
                hands.elsewhere();
            }
        }
        story.run(&mut chance);
    }
    let end = if plot == Plot::Back { story.back_to(&start) } else { story.end() };
    end.map_err(|wrong| (wrong, story.tale.lines()))
}

fn tell(plot: Plot) {
    let chosen = Chosen::of_run();
    let mut chance = chosen.chance();
    let budget = Budget::new();
    let (mut told, mut bad) = (0, 0);
    if let Ok(seed) = std::env::var("MAILTUI_FAULT_STORY") {
        if let Err((wrong, told)) = story(plot, seed.parse().unwrap()) {
            panic!("{plot:?}\n{}\n{}", told.join("\n"), wrong.join("\n"));
        }
        return;
    }
    while if is_campaign() { told < STORIES } else { told == 0 || !budget.is_spent() } {
        let seed = chance.next() >> 16;
        told += 1;
        if told % 200 == 0 {
            eprintln!("{plot:?}: {told} stories so far, {bad} bad");
        }
        if let Err((wrong, story)) = story(plot, seed) {
            bad += 1;
            eprintln!("{plot:?}, MAILTUI_FAULT_STORY={seed}\n{}\n{}", story.join("\n"), wrong.join("\n"));
            assert!(bad < 10, "too much is wrong");
        }
    }
    eprintln!("{plot:?}: {told} stories told, {bad} bad");
    assert_eq!(bad, 0, "{chosen:?}");
}

#[test]
fn r5_any_story_ends_with_both_sides_equal() {
    tell(Plot::Mail);
}

#[test]
fn r5_any_story_of_folders_ends_with_both_sides_equal() {
    tell(Plot::Folders);
}

#[test]
fn a1_any_story_can_be_taken_back_to_its_start() {
    tell(Plot::Back);
}
