//! Any sequence of the user's actions, undos, another client's changes and broken lines, in any order: in the
//! end both sides are equal, nothing is lost, and the store is sound. By a seed, so that it can be had again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mailtui::config::{Leave, Protocol};
use mailtui::error::{Error, Kind};
use mailtui::model::{FlagDelta, Flags, Intent, PlacementId, Role, Target, View};
use mailtui::protocol::memory::Server;
use mailtui::store::{Edge, Reader, Store};

use crate::faults_memory::account;
use crate::support::chance::{Budget, Chance, Seed as Chosen, is_campaign};
use crate::support::desk::Desk;
use crate::support::invariants::{State, of_memory};
use crate::support::seed::{Seed, number, seeds};

const T0: i64 = 1_750_000_000;
const FOLDERS: [&str; 4] = ["INBOX", "Archive", "Trash", "Sent"];
const ROLES: [Role; 4] = [Role::Inbox, Role::Archive, Role::Trash, Role::Sent];
const FLAGS: [Flags; 3] = [Flags::SEEN, Flags::FLAGGED, Flags::ANSWERED];
/// Stories that a campaign tells.
const STORIES: u64 = 3000;
/// Runs within which everything must be quiet.
const RUNS: usize = 6;

/// One sequence of events.
struct Story {
    seeds: Vec<Seed>,
    server: Server,
    desk: Desk,
    /// What happened, for the one who reads of a failure.
    told: Arc<Mutex<Vec<String>>>,
    /// Removed for good by somebody who meant it.
    gone: Arc<Mutex<BTreeSet<u32>>>,
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
        Self { seeds, server, desk, told: Arc::default(), gone: Arc::default() }
    }

    /// What the user and another client may do at once, in a form that can be handed to a hook.
    fn hands(&self, chance: &mut Chance) -> Hands {
        Hands {
            server: self.server.clone(),
            told: Arc::clone(&self.told),
            gone: Arc::clone(&self.gone),
            chance: Chance::new(chance.next()),
        }
    }

    /// A run in which things happen at random steps, the end of the connection among them.
    fn run(&self, chance: &mut Chance) {
        let mut hands = self.hands(chance);
        let odds = 4 + chance.below(12);
        let result = self.desk.sync_while(|store| {
            let store = store.clone();
            let (server, told) = (self.server.clone(), Arc::clone(&self.told));
            let mut cut = false;
            self.server.on_call(move |call| {
                if hands.chance.below(odds) != 0 {
                    return Ok(());
                }
                told.lock().unwrap().push(format!("    at {call:?}:"));
                match hands.chance.below(4) {
                    0 => hands.elsewhere(),
                    1 if !cut => {
                        cut = true;
                        told.lock().unwrap().push("    the line breaks".into());
                        server.cut();
                        return Err(Error::new(Kind::Offline, "the connection was cut"));
                    }
                    _ => hands.act(&store, &store.reader().unwrap()),
                }
                Ok(())
            });
        });
        self.told.lock().unwrap().push(format!("  a run: {result:?}"));
    }

    fn end(&self) -> Result<(), Vec<String>> {
        self.server.on_call(|_| Ok(()));
        let state = || self.desk.state(of_memory(&self.server));
        let mut now = State::default();
        for _ in 0..RUNS {
            self.desk.sync().map_err(|e| vec![format!("a run at the end fails: {e}")])?;
            let last = std::mem::replace(&mut now, state());
            if now.wrong.is_empty() && now == last {
                break;
            }
        }
        let gone: Vec<u32> = self.gone.lock().unwrap().iter().copied().collect();
        let mut wrong = now.halfway(&self.seeds, &gone);
        wrong.extend(now.judge(&self.seeds, &State { wrong: Vec::new(), ..now.clone() }, true));
        wrong.sort();
        wrong.dedup();
        // What was to be done to a mail that somebody else took away is kept and shown as a conflict, with
        // the copy that it was to be done to and the one that was to come of it.
        let conflicts = wrong.iter().filter(|line| line.contains("is in conflict")).count();
        wrong.retain(|line| !line.contains("is in conflict"));
        let mut excused = 2 * conflicts;
        wrong.retain(|line| {
            let excuse = excused > 0 && line.starts_with("PHANTOM");
            excused -= usize::from(excuse);
            !excuse
        });
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

struct Hands {
    server: Server,
    told: Arc<Mutex<Vec<String>>>,
    gone: Arc<Mutex<BTreeSet<u32>>>,
    chance: Chance,
}

impl Hands {
    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(format!("    {what}"));
    }

    /// Up to three of the mails that the user sees in a folder.
    fn visible(&mut self, reader: &Reader, role: Role) -> (Vec<PlacementId>, Vec<u32>) {
        let account = reader.accounts().unwrap()[0].id;
        let Some(folder) = reader.folder_by_role(account, role).unwrap() else { return Default::default() };
        let page = reader.page(View::Folder(folder.id), Edge::Top, 1000).unwrap();
        let mut all: Vec<_> = page.rows.iter().flat_map(|row| &row.members).map(|m| m.placement).collect();
        self.chance.shuffle(&mut all);
        all.truncate(1 + usize::try_from(self.chance.below(3)).unwrap());
        let seed = |id: &PlacementId| {
            let summary = reader.summary(*id).unwrap().unwrap();
            summary.subject.as_str().strip_prefix("seed ").unwrap().parse().unwrap()
        };
        let seeds = all.iter().map(seed).collect();
        (all, seeds)
    }

    /// The user does something.
    fn act(&mut self, store: &Store, reader: &Reader) {
        let role = *self.chance.pick(&ROLES);
        let (items, seeds) = self.visible(reader, role);
        let to = *self.chance.pick(&ROLES);
        let intent = match self.chance.below(12) {
            0..=3 => {
                let flag = *self.chance.pick(&FLAGS);
                let delta =
                    if self.chance.below(2) == 0 { FlagDelta::add(flag) } else { FlagDelta::del(flag) };
                Intent::Flag { items, delta, undoable: true }
            }
            4..=6 => Intent::Move { items, to: Target::Role(to) },
            7 => Intent::Copy { items, to: Target::Role(to) },
            8 | 9 => Intent::Undo,
            10 => Intent::Redo,
            _ => {
                self.gone.lock().unwrap().extend(&seeds);
                Intent::Purge { items }
            }
        };
        let outcome = store.intend_wait(intent.clone());
        self.tell(format!("I: {intent:?} in {role:?} of {seeds:?}: {outcome:?}"));
    }

    /// Another client does something.
    fn elsewhere(&mut self) {
        let folder = *self.chance.pick(&FOLDERS);
        let held = self.server.mails(folder);
        let mut uids: Vec<u32> = held.iter().map(|mail| mail.uid).collect();
        self.chance.shuffle(&mut uids);
        uids.truncate(1 + usize::try_from(self.chance.below(3)).unwrap());
        let seeds: Vec<u32> = held
            .iter()
            .filter(|mail| uids.contains(&mail.uid))
            .filter_map(|mail| number(&mail.source.bytes()))
            .collect();
        let what = match self.chance.below(10) {
            0..=3 => {
                let flag = *self.chance.pick(&FLAGS);
                let add = self.chance.below(2) == 0;
                let delta = if add { FlagDelta::add(flag) } else { FlagDelta::del(flag) };
                self.server.set_flags(folder, &uids, delta);
                format!("{delta:?}")
            }
            4..=6 => {
                let to = *self.chance.pick(&FOLDERS);
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
                self.gone.lock().unwrap().extend(&seeds);
                self.server.expunge(folder, &uids);
                "expunge".into()
            }
            _ => {
                self.server.bump_validity(folder);
                "new numbers".into()
            }
        };
        self.tell(format!("another client in {folder} on {uids:?} (seeds {seeds:?}): {what}"));
    }
}

fn story(seed: u64) -> Result<(), (Vec<String>, Vec<String>)> {
    let mut chance = Chance::new(seed);
    let story = Story::new(&mut chance);
    story.desk.sync().unwrap();
    for _ in 0..=chance.below(4) {
        let mut hands = story.hands(&mut chance);
        story.desk.act(|user| {
            for _ in 0..hands.chance.below(4) {
                hands.act(user.store, user.reader);
            }
        });
        for _ in 0..hands.chance.below(3) {
            hands.elsewhere();
        }
        story.run(&mut chance);
    }
    let end = story.end();
    if std::env::var_os("DUMP").is_some() {
        crate::support::desk::replace_dir(&story.desk.data(), std::path::Path::new("/tmp/fault-debug"));
        for f in FOLDERS {
            for m in story.server.mails(f) {
                eprintln!("{f} {} {:?} {:?}", m.uid, m.flags, number(&m.source.bytes()));
            }
        }
    }
    end.map_err(|wrong| (wrong, story.told.lock().unwrap().clone()))
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
