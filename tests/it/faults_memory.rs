//! Somebody at work at every step of a session: another client, then both sides must end equal; or the user, who
//! takes actions back while they are pushed.

use std::sync::atomic::{AtomicUsize, Ordering};

use mailtui::config::{Leave, Protocol};
use mailtui::model::{FlagDelta, Flags, Intent};
use mailtui::protocol::memory::Server;

use crate::faults_scenes::{ACTS, SHAPES};
use crate::support::bench::Bench;
use crate::support::chance::{Seed as Chosen, is_campaign};
use crate::support::invariants::State;
use crate::support::room::{Kind, Room};
use crate::support::scene::{IMAP, Scene};

/// Steps that an ordinary run tries of each session.
const SAMPLE: usize = 4;

pub(crate) fn account(protocol: Protocol, leave: Leave) -> mailtui::config::Account {
    crate::support::scene::account("work", protocol, leave)
}

fn server(bench: &Bench<'_>) -> Server {
    match &bench.room.kind {
        Kind::Memory(server) => server.clone(),
        Kind::Dovecot(_) | Kind::Foreign(_) => panic!("not in memory"),
    }
}

/// At this step of the session, and only then.
fn at_step(server: &Server, at: usize, act: impl Fn() + Send + 'static) {
    let count = AtomicUsize::new(0);
    server.on_call(move |_| {
        if count.fetch_add(1, Ordering::SeqCst) == at {
            act();
        }
        Ok(())
    });
}

/// Runs a session once for every step of it, from where the bench was kept.
fn at_steps(bench: &mut Bench<'_>, attempt: impl Fn(&Bench<'_>, usize) -> Result<(), Vec<String>>) {
    bench.reset();
    let steps = std::sync::Arc::new(AtomicUsize::new(0));
    let count = steps.clone();
    let server = server(bench);
    server.on_call(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    bench.sync();
    server.on_call(|_| Ok(()));
    let mut points: Vec<usize> = (0..steps.load(Ordering::SeqCst)).collect();
    let what = format!("{} steps", points.len());
    if !is_campaign() {
        points = bench.chance.sample(&points, SAMPLE);
    }
    let bench = &*bench;
    bench.try_all(&what, &points, |at| {
        bench.reset();
        attempt(bench, *at)
    });
}

/// Another client does something at every step; in the end both sides are equal.
fn company(scene: &Scene, modseq: bool, meddle: fn(&Room<'_>)) {
    let mut bench = scene.in_memory(modseq);
    bench.oracle();
    at_steps(&mut bench, |bench, at| {
        let far = server(bench);
        let hands = Room::new(Protocol::Imap, bench.seeds.clone(), Kind::Memory(far.clone()));
        at_step(&far, at, move || meddle(&hands));
        let first = bench.desk.sync();
        far.on_call(|_| Ok(()));
        let end = bench.quiet().map_err(|e| vec![format!("{e}; first {first:?}")])?;
        // What each side ends with hangs on who came first: that both end alike does not.
        let mut wrong = end.judge(&bench.seeds, &State { wrong: Vec::new(), ..end.clone() }, true);
        // What was removed there while something was to be done to it is kept and shown as a conflict.
        if wrong.iter().any(|line| line.ends_with("the mail is not on the server any more")) {
            let there: Vec<u32> = end.there.iter().map(|copy| copy.seed).collect();
            wrong.retain(|line| {
                let seed =
                    line.strip_prefix("PHANTOM: seed ").and_then(|l| l.split(' ').next()?.parse().ok());
                !line.starts_with("UNDONE") && seed.is_none_or(|seed| there.contains(&seed))
            });
        }
        if wrong.is_empty() { bench.idles(&end) } else { Err(wrong) }
    });
}

/// At every step the user takes the last actions back; in the end all is as if that had come before.
fn regret(scene: &Scene, modseq: bool, times: usize) {
    let mut bench = scene.in_memory(modseq);
    bench.keep();
    bench.desk.act(|user| (0..times).for_each(|_| user.undo()));
    bench.sync();
    let oracle = bench.quiet().unwrap();
    at_steps(&mut bench, |bench, at| {
        let far = server(bench);
        let first = bench.desk.sync_while(|store| {
            let store = store.clone();
            at_step(&far, at, move || {
                (0..times).for_each(|_| {
                    assert_eq!(store.intend_wait(Intent::Undo).unwrap().error, None);
                });
            });
        });
        far.on_call(|_| Ok(()));
        bench.recover(&oracle).map_err(|mut wrong| {
            wrong.push(format!("the first run: {first:?}"));
            wrong
        })
    });
}

/// Those of the seeds that are still in the inbox.
fn left(room: &Room<'_>, seeds: &[u32]) -> Vec<u32> {
    let there = room.there();
    let is_there = |n: &u32| there.iter().any(|copy| copy.seed == *n && copy.folder == "INBOX");
    seeds.iter().copied().filter(is_there).collect()
}

#[test]
fn r5_another_client_at_every_step_ends_equal() {
    let meddlers: [fn(&Room<'_>); 6] = [
        |room| {
            room.flag("INBOX", &left(room, &[1, 2]), FlagDelta::add(Flags::SEEN));
            room.tag("INBOX", &left(room, &[2]), "urgent");
            room.move_to("INBOX", &left(room, &[3]), "Archive");
        },
        |room| room.move_to("INBOX", &left(room, &[2, 4]), "Trash"),
        |room| room.expunge("INBOX", &left(room, &[1, 6])),
        |room| room.expunge("INBOX", &left(room, &[1, 2, 5])),
        |room| {
            let all = left(room, &[1, 2, 3, 4, 5, 6]);
            room.flag("INBOX", &all, FlagDelta::add(Flags::FLAGGED | Flags::SEEN));
        },
        |room| room.renumber("INBOX"),
    ];
    let mut scenes = Vec::new();
    for modseq in [true, false] {
        for meddle in meddlers {
            scenes.push((Scene { name: "a first sync in company", ..IMAP }, modseq, meddle));
            scenes.push((Scene { name: "actions in company", ..ACTS }, modseq, meddle));
        }
    }
    some_of(scenes, 4).into_iter().for_each(|(scene, modseq, meddle)| company(&scene, modseq, meddle));
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
    let mut scenes = Vec::new();
    for modseq in [true, false] {
        scenes.extend((1..=4).map(|times| (Scene { name: "regret", ..ACTS }, modseq, times)));
        scenes.extend([3, 11].map(|times| (Scene { name: "regret of folders", ..SHAPES }, modseq, times)));
    }
    some_of(scenes, 3).into_iter().for_each(|(scene, modseq, times)| regret(&scene, modseq, times));
}
