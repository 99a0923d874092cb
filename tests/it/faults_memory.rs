//! Sessions with the server in memory, ended at every step: before it is done, and when its answer is lost.
//!
//! The same sessions with another client at work at every step: then both sides must end equal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mailtui::config::{Account, Leave, Protocol, SecretSource, Tls};
use mailtui::engine::Report;
use mailtui::error::{Error, Kind};
use mailtui::model::{FlagDelta, Flags, Intent, Role};
use mailtui::protocol::memory::{Call, Server};

use crate::support::chance::{Budget, Chance, Seed as Chosen, is_campaign};
use crate::support::desk::{Desk, User};
use crate::support::invariants::{Copy, State, of_memory};
use crate::support::seed::{Seed, seeds};

const T0: i64 = 1_750_000_000;
/// Steps that an ordinary run tries of each session.
const SAMPLE: usize = 4;
/// Runs within which everything must be quiet after a fault.
const RUNS: usize = 4;

pub(crate) fn account(protocol: Protocol, leave: Leave) -> Account {
    Account {
        name: "work".into(),
        email: "ada@example.org".into(),
        display_name: String::new(),
        protocol,
        host: "memory".into(),
        port: 1,
        tls: Tls::None,
        allow_plaintext: false,
        user: "ada".into(),
        password: SecretSource::Prompt,
        ca_file: None,
        pin: None,
        leave_on_server: leave,
        delete_on_server_when_deleted_here: true,
        check_every: std::time::Duration::from_secs(300),
    }
}

/// A session to be broken: how the world looks before it, made anew for each try.
struct Scene {
    name: &'static str,
    protocol: Protocol,
    leave: Leave,
    modseq: bool,
    seeds: Vec<Seed>,
    /// Folders on the server beside the usual ones.
    folders: &'static [&'static str],
    /// Done before a first sync without faults, if there is one.
    synced: bool,
    /// Another client, after that.
    elsewhere: fn(&Server),
    /// The user, after that.
    act: fn(&User<'_>),
}

impl Scene {
    fn new(name: &'static str, protocol: Protocol, leave: Leave) -> Self {
        Self {
            name,
            protocol,
            leave,
            modseq: true,
            seeds: seeds(6, &mut Chance::new(5)),
            folders: &[],
            synced: false,
            elsewhere: |_| (),
            act: |_| (),
        }
    }

    /// The session comes after one in which everything was brought in step.
    fn after(self, elsewhere: fn(&Server), act: fn(&User<'_>)) -> Self {
        Self { synced: true, elsewhere, act, ..self }
    }

    fn begin(&self) -> World<'_> {
        let server = Server::new(self.protocol);
        let server = if self.modseq { server } else { server.without_modseq() };
        for folder in self.folders {
            server.add_folder(folder, None);
        }
        for seed in &self.seeds {
            server.deliver("INBOX", seed.raw.clone(), Flags::NONE, T0 + i64::from(seed.n));
        }
        let far = server.clone();
        let desk = Desk::new(account(self.protocol, self.leave), Arc::new(move |bell| far.session(bell)));
        let world = World { scene: self, server, desk };
        if self.synced {
            world.desk.sync().unwrap();
            (self.elsewhere)(&world.server);
            world.desk.act(self.act);
        }
        world
    }

    /// A run without a fault: how it ends, and at which steps.
    fn oracle(&self) -> (State, Vec<Call>) {
        let world = self.begin();
        let steps = Arc::<Mutex<Vec<Call>>>::default();
        let note = Arc::clone(&steps);
        world.server.on_call(move |call| {
            note.lock().unwrap().push(call);
            Ok(())
        });
        world.desk.sync().unwrap();
        let state = world.state();
        assert_eq!(world.judge(&state, &state), Vec::<String>::new(), "{}: without a fault", self.name);
        let steps = steps.lock().unwrap().clone();
        assert_eq!(world.idles(&state), Ok(()), "{}: without a fault", self.name);
        (state, steps)
    }

    /// The connection ends at every step.
    fn campaign(&self, right: impl FnOnce(&State)) {
        let (oracle, steps) = self.oracle();
        right(&oracle);
        let gone: Vec<u32> = self.seeds.iter().map(|s| s.n).filter(|n| !oracle.holds(*n)).collect();
        self.at_steps(&steps, |at| {
            let world = self.begin();
            let server = world.server.clone();
            world.at_step(at, move || {
                server.cut();
                Err(Error::new(Kind::Offline, "the connection was cut"))
            });
            let first = world.desk.sync();
            let half = world.state().halfway(&self.seeds, &gone);
            if !half.is_empty() {
                return Err(half);
            }
            let end = world.quiet().map_err(|e| vec![format!("{e}; first {first:?}")])?;
            all_is_well(world.judge(&end, &oracle))?;
            world.idles(&end)
        });
    }

    /// Another client does something at every step; in the end both sides are equal.
    fn company(&self, meddle: fn(&Server)) {
        let (_, steps) = self.oracle();
        self.at_steps(&steps, |at| {
            let world = self.begin();
            let server = world.server.clone();
            world.at_step(at, move || {
                meddle(&server);
                Ok(())
            });
            let first = world.desk.sync();
            let end = world.quiet().map_err(|e| vec![format!("{e}; first {first:?}")])?;
            // What each side ends with hangs on who came first: that both end alike does not.
            let mut wrong = world.judge(&end, &State { wrong: Vec::new(), ..end.clone() });
            // What was removed there while something was to be done to it is kept and shown as a conflict.
            if wrong.iter().any(|line| line.ends_with("the mail is not on the server any more")) {
                let there: Vec<u32> = end.there.iter().map(|copy| copy.seed).collect();
                wrong.retain(|line| {
                    let seed =
                        line.strip_prefix("PHANTOM: seed ").and_then(|l| l.split(' ').next()?.parse().ok());
                    !line.starts_with("UNDONE") && seed.is_none_or(|seed| there.contains(&seed))
                });
            }
            all_is_well(wrong)?;
            world.idles(&end)
        });
    }

    /// At every step the user takes the last actions back; in the end all is as if that had come before.
    fn regret(&self, times: usize) {
        let (_, steps) = self.oracle();
        let world = self.begin();
        world.desk.act(|user| (0..times).for_each(|_| user.undo()));
        world.desk.sync().unwrap();
        let oracle = world.quiet().unwrap();
        self.at_steps(&steps, |at| {
            let world = self.begin();
            let first = world.desk.sync_while(|store| {
                let store = store.clone();
                world.at_step(at, move || {
                    (0..times).for_each(|_| {
                        assert_eq!(store.intend_wait(Intent::Undo).unwrap().error, None);
                    });
                    Ok(())
                });
            });
            let end = world.quiet().map_err(|e| vec![format!("{e}; first {first:?}")])?;
            all_is_well(world.judge(&end, &oracle))?;
            world.idles(&end)
        });
    }

    fn at_steps(&self, steps: &[Call], attempt: impl Fn(usize) -> Result<(), Vec<String>>) {
        let chosen = Chosen::of_run();
        let mut points: Vec<usize> = (0..steps.len()).collect();
        if !is_campaign() {
            points = chosen.chance().sample(&points, SAMPLE);
        }
        let (mut bad, mut tried) = (0, 0);
        let budget = Budget::new();
        for &at in &points {
            if tried > 0 && budget.is_spent() {
                break;
            }
            tried += 1;
            if let Err(wrong) = attempt(at) {
                bad += 1;
                eprintln!("{}: step {at} ({:?}): {}", self.name, steps[at], wrong.join("\n  "));
            }
        }
        eprintln!("{}: {tried} of {} steps tried, {bad} bad", self.name, steps.len());
        assert_eq!(bad, 0, "{}, {chosen:?}", self.name);
    }
}

fn all_is_well(wrong: Vec<String>) -> Result<(), Vec<String>> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

struct World<'a> {
    scene: &'a Scene,
    server: Server,
    desk: Desk,
}

impl World<'_> {
    fn state(&self) -> State {
        self.desk.state(of_memory(&self.server))
    }

    fn judge(&self, now: &State, oracle: &State) -> Vec<String> {
        now.judge(&self.scene.seeds, oracle, self.scene.protocol == Protocol::Imap)
    }

    /// At this step of the session, and only then.
    fn at_step(&self, at: usize, act: impl Fn() -> mailtui::Result<()> + Send + 'static) {
        let count = AtomicUsize::new(0);
        self.server.on_call(move |_| if count.fetch_add(1, Ordering::SeqCst) == at { act() } else { Ok(()) });
    }

    /// Runs without further faults until nothing waits any more.
    fn quiet(&self) -> Result<State, String> {
        self.server.on_call(|_| Ok(()));
        let mut now = State::default();
        for _ in 0..RUNS {
            self.desk.sync().map_err(|e| format!("a run after the fault fails: {e}"))?;
            now = self.state();
            if now.wrong.is_empty() {
                break;
            }
        }
        Ok(now)
    }

    /// One more run transfers nothing and changes nothing.
    fn idles(&self, state: &State) -> Result<(), Vec<String>> {
        let report = self.desk.sync().map_err(|e| vec![e.to_string()])?;
        if report != Report::default() {
            return Err(vec![format!("a run with nothing to do did something: {report:?}")]);
        }
        let now = self.state();
        if now == *state { Ok(()) } else { Err(vec![format!("a run with nothing to do changed {now:?}")]) }
    }
}

fn pop3(name: &'static str, leave: Leave, left: usize) {
    Scene::new(name, Protocol::Pop3, leave).campaign(|oracle| {
        assert_eq!((oracle.here.len(), oracle.there.len()), (6, left));
    });
}

#[test]
fn p3_p4_pop3_in_memory_survives_the_end_at_every_step() {
    pop3("memory pop3 forever", Leave::Forever, 6);
    pop3("memory pop3 delete", Leave::DeleteAfterDownload, 0);
    pop3("memory pop3 14d", Leave::Days(14), 6);
}

#[test]
fn p3_purges_in_memory_survive_the_end_at_every_step() {
    let scene = Scene::new("memory pop3 purge", Protocol::Pop3, Leave::Forever).after(
        |_| (),
        |user| {
            user.move_to(Role::Inbox, &[1, 2, 3], Role::Trash);
            user.purge(Role::Trash, &[2, 3]);
        },
    );
    scene.campaign(|oracle| assert_eq!((oracle.here.len(), oracle.there.len()), (4, 4)));
}

fn imap(name: &'static str, modseq: bool) -> Scene {
    Scene { modseq, ..Scene::new(name, Protocol::Imap, Leave::Forever) }
}

/// What another client does in most scenes.
fn changes(server: &Server) {
    server.set_flags("INBOX", &[1, 2], FlagDelta::add(Flags::SEEN));
    server.set_keywords("INBOX", &[2], &["urgent"], &[]);
    server.move_to("INBOX", "Archive", &[3]);
}

/// What the user does in most scenes.
fn acts(user: &User<'_>) {
    user.flag(Role::Inbox, &[1, 4], FlagDelta::add(Flags::FLAGGED));
    user.move_to(Role::Inbox, &[2, 5], Role::Archive);
    user.move_to(Role::Inbox, &[4], Role::Trash);
    user.undo();
    user.copy_to(Role::Inbox, &[6], Role::Sent);
    user.flag(Role::Archive, &[5], FlagDelta::add(Flags::ANSWERED));
}

#[test]
fn i3_i4_imap_in_memory_survives_the_end_at_every_step() {
    for modseq in [true, false] {
        imap("memory imap first", modseq).campaign(|oracle| assert_eq!(oracle.here.len(), 6));
        imap("memory imap changes", modseq).after(changes, |_| ()).campaign(|oracle| {
            assert_eq!(oracle.here.iter().filter(|c| c.folder == "Archive").count(), 1);
            assert_eq!(oracle.here.iter().filter(|c| c.flags == 1).count(), 2);
        });
    }
}

#[test]
fn i5_i6_actions_in_memory_survive_the_end_at_every_step() {
    for modseq in [true, false] {
        let scene = imap("memory imap acts", modseq).after(|_| (), acts);
        scene.campaign(|oracle| {
            let there: Vec<String> =
                oracle.there.iter().map(|c| format!("{} {} {}", c.seed, c.folder, c.flags)).collect();
            let wanted = [
                "1 INBOX 4",
                "2 Archive 0",
                "3 INBOX 0",
                "4 INBOX 4",
                "5 Archive 2",
                "6 INBOX 0",
                "6 Sent 0",
            ];
            assert_eq!(there, wanted);
        });
    }
}

/// What the user does to folders and tags.
fn shapes(user: &User<'_>) {
    user.tag(Role::Inbox, &[1, 2], &["todo"], &[]);
    user.make_folder("New");
    user.move_into(Role::Inbox, &[3, 4], "New");
    user.rename_folder("New", "Newer");
    user.rename_folder("Work", "Job");
    user.move_into(Role::Inbox, &[5], "Job");
    user.move_into(Role::Inbox, &[6], "Old");
    user.delete_folder("Old");
    user.tag(Role::Inbox, &[2], &["later"], &["todo"]);
    user.make_folder("Job/b");
    user.rename_folder("Job", "Task");
}

#[test]
fn i5_folders_and_tags_in_memory_survive_the_end_at_every_step() {
    let scene = imap("memory imap shapes", true);
    let scene = Scene { folders: &["Work", "Work/a", "Old"], ..scene }.after(|_| (), shapes);
    scene.campaign(|oracle| {
        let there = |c: &Copy| format!("{} {} {}", c.seed, c.folder, c.tags.join(" "));
        let there: Vec<String> = oracle.there.iter().map(there).collect();
        assert_eq!(there, ["1 INBOX todo", "2 INBOX later", "3 Newer ", "4 Newer ", "5 Task ", "6 Trash "]);
    });
    for times in [3, 11] {
        let scene = imap("memory imap shapes", false);
        Scene { folders: &["Work", "Work/a", "Old"], ..scene }.after(|_| (), shapes).regret(times);
    }
}

#[test]
fn i6_deletion_in_memory_survives_the_end_at_every_step() {
    let scene = imap("memory imap purge", true).after(
        |_| (),
        |user| {
            user.move_to(Role::Inbox, &[1, 2], Role::Trash);
            user.purge(Role::Trash, &[1]);
            user.purge(Role::Inbox, &[3]);
        },
    );
    scene.campaign(|oracle| assert_eq!(oracle.there.len(), 4));
}

#[test]
fn r5_another_client_at_every_step_ends_equal() {
    let meddlers: [fn(&Server); 6] = [
        changes,
        |server| drop(server.move_to("INBOX", "Trash", &[2, 4])),
        |server| server.expunge("INBOX", &[1, 6]),
        |server| server.expunge("INBOX", &[1, 2, 5]),
        |server| server.set_flags("INBOX", &[1, 2, 3, 4, 5, 6], FlagDelta::add(Flags::FLAGGED | Flags::SEEN)),
        |server| server.bump_validity("INBOX"),
    ];
    let mut scenes = Vec::new();
    for modseq in [true, false] {
        for meddle in meddlers {
            scenes.push((imap("memory imap first", modseq), meddle));
            scenes.push((imap("memory imap acts", modseq).after(|_| (), acts), meddle));
        }
    }
    some_of(scenes, 4).into_iter().for_each(|(scene, meddle)| scene.company(meddle));
}

/// All of them in a campaign, else so many by chance.
fn some_of<T>(all: Vec<T>, count: usize) -> Vec<T> {
    if is_campaign() {
        return all;
    }
    let chosen = Chosen::of_run().chance().sample(&(0..all.len()).collect::<Vec<_>>(), count);
    all.into_iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, one)| one).collect()
}

#[test]
fn a1_actions_taken_back_at_every_step_are_taken_back() {
    let scenes = [true, false].into_iter().flat_map(|modseq| (1..=4).map(move |times| (modseq, times)));
    for (modseq, times) in some_of(scenes.collect(), 2) {
        imap("memory imap regret", modseq).after(|_| (), acts).regret(times);
    }
}
