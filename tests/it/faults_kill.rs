//! The program itself, killed or denied the disk in the middle of a session: nothing lost, nothing twice,
//! and nothing deleted on the server that is not safely on the disk here.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use mailtui::config::{Leave, Protocol};
use mailtui::model::{FlagDelta, Flags, Role};

use crate::faults_scenes::{MOVES, OLD, REGRET, SHAPES};
use crate::support::bench::{Bench, points};
use crate::support::chance::{Seed as Chosen, is_campaign};
use crate::support::desk::scratch;
use crate::support::invariants::State;
use crate::support::proxy::{Break, Plan};
use crate::support::scene::Scene;

const PATIENCE: Duration = Duration::from_secs(60);
/// Points that an ordinary run tries of each session.
const SAMPLE: usize = 4;

fn pop3(name: &'static str) -> Option<Bench<'static>> {
    Bench::new(name, Protocol::Pop3, Leave::DeleteAfterDownload, 5)
}

/// An IMAP account in which the user did something that was not pushed yet.
fn acted(name: &'static str) -> Option<Bench<'static>> {
    let bench = Bench::new(name, Protocol::Imap, Leave::Forever, 5)?;
    bench.sync();
    bench.desk.act(|user| {
        user.flag(Role::Inbox, &[1, 2], FlagDelta::add(Flags::SEEN));
        user.move_to(Role::Inbox, &[2, 3], Role::Archive);
        user.copy_to(Role::Inbox, &[4], Role::Archive);
        user.move_to(Role::Inbox, &[5], Role::Trash);
    });
    Some(bench)
}

/// Killed (with -9, so that it cannot do anything about it) when so much has passed.
fn killed_at_bytes(mut bench: Bench<'_>) {
    let (oracle, tally) = bench.oracle();
    let mut plans = Plan::every_byte(Break::Stall, &tally);
    if is_campaign() {
        // Every byte of the commands, and the answers in small steps: a kill in between is no other kill.
        let mut at = 0;
        plans.retain(|plan| {
            at += 1;
            at % 7 == 0 || plan.to_string().contains("up")
        });
    } else {
        plans = bench.chance.sample(&plans, SAMPLE);
    }
    bench.try_all(&points(&tally), &plans, |plan| {
        bench.reset();
        let round = bench.proxy.begin(bench.always.clone().with(plan));
        let mut child = bench.program().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        assert!(round.wait_struck(1, PATIENCE), "{plan}: the program did not get there");
        child.kill().unwrap();
        child.wait().unwrap();
        round.wait_closed();
        bench.recover(&oracle)
    });
}

#[test]
fn p3_p4_a_pop3_session_survives_kill_9_at_any_byte() {
    if let Some(bench) = pop3("killed pop3") {
        killed_at_bytes(bench);
    }
}

#[test]
fn i5_i6_an_imap_session_survives_kill_9_at_any_byte() {
    if let Some(bench) = acted("killed imap") {
        killed_at_bytes(bench);
    }
}

#[test]
fn r1_sessions_of_the_table_survive_kill_9_at_any_byte() {
    let mut rows = vec![
        Scene { name: "killed shapes", ..SHAPES },
        Scene { name: "killed moves by copy", lacks: OLD, ..MOVES },
        Scene { name: "killed undo", ..REGRET },
        Scene { name: "killed undo by copy", lacks: OLD, ..REGRET },
    ];
    if !is_campaign() {
        rows = Chosen::of_run().chance().sample(&rows, 1);
    }
    rows.iter().filter_map(Scene::on_dovecot).for_each(killed_at_bytes);
}

fn traced(bench: &Bench<'_>, arguments: &[&str], to: &Path) -> Option<Command> {
    under_strace(&bench.program(), arguments, to)
}

/// `strace` with these arguments around a program; `None`: it cannot be had here.
pub(crate) fn under_strace(program: &Command, arguments: &[&str], to: &Path) -> Option<Command> {
    let can = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    if !can.is_ok_and(|o| o.status.success()) {
        eprintln!("SKIPPED: strace is not installed, or may not trace");
        return None;
    }
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-s", "200", "-o"]).arg(to).args(arguments);
    strace.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    Some(strace)
}

/// A system call that fails, or at which the program dies.
struct Denied {
    call: &'static str,
    what: &'static str,
    nth: usize,
    /// And every one after it.
    and_more: bool,
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let more = if self.and_more { "+" } else { "" };
        write!(f, "inject={}:{}:when={}{more}", self.call, self.what, self.nth)
    }
}

/// One session for each of `faults` at each time that the call is made; the exit codes with the state.
fn denied(
    mut bench: Bench<'_>,
    call: &'static str,
    faults: &[(&'static str, bool)],
    look: impl Fn(&Output, &State),
) {
    let dir = scratch();
    let trace = dir.path().join("trace");
    let (oracle, _) = bench.oracle();
    bench.reset();
    let round = bench.proxy.begin(Plan::none());
    let Some(mut strace) = traced(&bench, &["-e", &format!("trace={call}")], &trace) else { return };
    let output = strace.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    round.wait_closed();
    // Times are counted for each thread: the store's makes most of them.
    let calls = std::fs::read_to_string(&trace).unwrap().lines().filter(|l| l.contains('(')).count();
    assert!(calls > 2, "{call} is not what the store calls");
    let all = (1..=calls)
        .flat_map(|nth| faults.iter().map(move |&(what, and_more)| Denied { call, what, nth, and_more }));
    let mut all: Vec<Denied> = all.collect();
    if !is_campaign() {
        bench.chance.shuffle(&mut all);
        all.truncate(SAMPLE);
    }
    bench.try_all(&format!("{calls} of {call}"), &all, |fault| {
        bench.reset();
        let round = bench.proxy.begin(Plan::none());
        let output = traced(&bench, &["-e", &fault.to_string()], &trace).unwrap().output().unwrap();
        round.wait_closed();
        look(&output, &bench.state());
        bench.recover(&oracle).map_err(|mut wrong| {
            wrong.push(format!("{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
            wrong
        })
    });
}

const DEATH: &[(&str, bool)] = &[("signal=KILL", false)];

#[test]
fn r1_pop3_dies_at_every_commit() {
    for call in ["fdatasync,fsync", "pwrite64"] {
        if let Some(bench) = pop3("pop3 dies") {
            denied(bench, call, DEATH, |_, _| ());
        }
    }
}

#[test]
fn r1_imap_dies_at_every_commit() {
    for call in ["fdatasync,fsync", "pwrite64"] {
        if let Some(bench) = acted("imap dies") {
            denied(bench, call, DEATH, |_, _| ());
        }
    }
}

/// The disk fails once, or from then on.
const FAILURES: &[(&str, bool)] = &[("error=ENOSPC", true), ("error=EIO", true), ("error=EIO", false)];

fn is_said(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        // Nothing of the mail was concerned: the last checkpoint is done again at the next start.
        Some(0) => {}
        Some(7) => assert!(said.contains("mailtui: ") && said.contains("hint: "), "{said}"),
        other => panic!("exit code {other:?}: {said}"),
    }
}

#[test]
fn r4_pop3_stands_a_failing_disk_at_every_write() {
    for call in ["pwrite64", "fdatasync,fsync"] {
        if let Some(bench) = pop3("pop3 on a failing disk") {
            denied(bench, call, FAILURES, |output, _| is_said(output));
        }
    }
}

#[test]
fn r4_imap_stands_a_failing_disk_at_every_write() {
    for call in ["pwrite64", "fdatasync,fsync"] {
        if let Some(bench) = acted("imap on a failing disk") {
            denied(bench, call, FAILURES, |output, _| is_said(output));
        }
    }
}

/// Promise P3 and QUALITY R3, as the system saw it: whatever removes mail on the server is said only when
/// all that was written to the store is on the disk.
fn is_in_order(bench: &Bench<'_>, words: &[&str]) {
    let dir = scratch();
    let trace = dir.path().join("trace");
    let calls = "trace=fdatasync,fsync,pwrite64,sendto,write,writev,sendmsg";
    let round = bench.proxy.begin(bench.always.clone());
    let Some(mut strace) = traced(bench, &["-y", "-e", calls], &trace) else { return };
    let output = strace.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    round.wait_closed();
    let trace = std::fs::read_to_string(&trace).unwrap();
    let mut said = vec![0; words.len()];
    let (mut dirty, mut syncs) = (false, 0);
    // By thread: a sync that has begun covers what was written before it began.
    let mut begun = std::collections::HashMap::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let (call, of_log) = (call.trim_start(), line.contains("store.db-wal"));
        if call.starts_with("pwrite64") && of_log {
            dirty = true;
            begun.values_mut().for_each(|covers| *covers = false);
        }
        if (call.starts_with("fdatasync") || call.starts_with("fsync")) && of_log {
            begun.insert(thread, true);
        }
        if let Some(covers) = begun.get(thread).copied().filter(|_| call.ends_with("= 0")) {
            begun.remove(thread);
            syncs += 1;
            dirty &= !covers;
        }
        for (word, count) in words.iter().zip(&mut said) {
            if call.contains(word) && !call.starts_with("pwrite64") {
                *count += 1;
                assert!(!dirty, "this was said before the store was on the disk: {line}\n{trace}");
            }
        }
    }
    assert!(syncs > 0 && said.iter().all(|count| *count > 0), "{words:?} were said {said:?} times:\n{trace}");
}

#[test]
fn r3_a_pop3_server_deletes_only_what_is_on_the_disk() {
    if let Some(bench) = pop3("pop3 in order") {
        is_in_order(&bench, &["DELE ", "QUIT"]);
    }
}

#[test]
fn r3_an_imap_server_moves_only_what_is_on_the_disk() {
    if let Some(bench) = acted("imap in order") {
        is_in_order(&bench, &["UID MOVE", "UID COPY", "UID STORE"]);
    }
}

#[test]
fn r3_an_imap_server_expunges_only_what_is_on_the_disk() {
    // Deletion for good; and a move where the server has no MOVE.
    let Some(bench) = acted("imap expunges in order") else { return };
    bench.desk.act(|user| user.purge(Role::Inbox, &[1]));
    is_in_order(&bench, &["UID MOVE", "UID EXPUNGE"]);
    let Some(mut bench) = acted("imap without MOVE in order") else { return };
    bench.always = crate::support::scene::without(&["MOVE"]);
    is_in_order(&bench, &["UID COPY", "UID STORE", "UID EXPUNGE"]);
}
