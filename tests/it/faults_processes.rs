//! Two programs with one store on a real server (promise A4): both act, the one that syncs is killed or hangs at
//! any moment, the other takes over, and all ends as if there had been one.

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use mailtui::config::{Leave, Protocol};
use mailtui::engine::{Command, Event};
use mailtui::model::{FlagDelta, Flags, Role};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::faults_shared::{Screen, is_elsewhere, is_watching};
use crate::support::bench::Bench;
use crate::support::chance::{Budget, is_campaign};
use crate::support::desk::User;
use crate::support::proxy::Plan;

/// Times that an ordinary run tries of each story.
const SAMPLE: u64 = 2;
const CAMPAIGN: u64 = 60;
/// What the user does comes to so many operations.
const OPS: u64 = 6;

/// `mailtui sync --watch` as a process of its own; it is killed when this is dropped.
struct Program {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Program {
    fn start(bench: &Bench<'_>) -> Self {
        let mut program = bench.program();
        let child = program.args(["--watch", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads what it tells up to this state of its account.
    fn until(&mut self, state: &str) {
        let wanted = format!("\"state\":\"{state}\"");
        let mut line = String::new();
        while !line.replace(' ', "").contains(&wanted) {
            line.clear();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended before it was {state}");
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// It hangs when this returns.
    fn stop(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
        let (_, status) = waitpid(Some(self.pid()), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped());
    }

    fn go_on(&self) {
        kill_process(self.pid(), Signal::CONT).unwrap();
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn acts(user: &User<'_>) {
    user.flag(Role::Inbox, &[1, 2], FlagDelta::add(Flags::SEEN));
    user.move_to(Role::Inbox, &[2, 3], Role::Archive);
    user.copy_to(Role::Inbox, &[4], Role::Archive);
    user.move_to(Role::Inbox, &[5], Role::Trash);
    user.flag(Role::Inbox, &[1, 6], FlagDelta::add(Flags::FLAGGED));
    user.copy_to(Role::Inbox, &[6], Role::Sent);
}

/// The other acts; after some of it went to the server something happens to the program that syncs.
fn taken_over(name: &'static str, hangs_after: Duration, happens: impl Fn(&mut Program, &Screen)) {
    let Some(mut bench) = Bench::new(name, Protocol::Imap, Leave::Forever, 6) else { return };
    bench.sync();
    bench.keep();
    bench.desk.act(acts);
    bench.sync();
    let oracle = bench.state();
    assert_eq!(oracle.judge(&bench.seeds, &oracle, true), Vec::<String>::new());
    let (budget, mut tried) = (Budget::new(), 0);
    while tried < if is_campaign() { CAMPAIGN } else { SAMPLE } && (tried == 0 || !budget.is_spent()) {
        tried += 1;
        bench.reset();
        let round = bench.proxy.begin(Plan::none());
        let mut program = Program::start(&bench);
        program.until("watching");
        let here = Screen::of(&bench.desk.data(), bench.desk.setup(), hangs_after);
        here.until(is_elsewhere);
        acts(&User { store: &here.store, reader: &here.reader, account: here.id() });
        let left = bench.chance.below(OPS + 1);
        here.until_so(|reader| reader.ops_waiting(here.id()).unwrap() <= left);
        happens(&mut program, &here);
        here.until_so(|_| here.is_idle());
        here.end();
        program.kill();
        round.wait_closed();
        if let Err(wrong) = bench.recover(&oracle) {
            panic!("{name}, with {left} left: {wrong:#?} {:?}", bench.chosen);
        }
    }
    eprintln!("{name}: {tried} tried, 0 bad");
}

#[test]
fn a4_what_a_killed_program_left_is_done_by_the_other() {
    taken_over("killed while it syncs for another", Duration::from_secs(600), |program, here| {
        program.kill();
        here.until(is_watching);
    });
}

#[test]
fn a4_what_a_hung_program_left_is_done_by_the_other_and_not_again() {
    taken_over("hung while it syncs for another", Duration::from_millis(500), |program, here| {
        program.stop();
        // As long as something is left to do the other asks by itself.
        if here.is_idle() {
            here.send(Command::Sync(None));
        }
        // Stopped in the middle of a transaction it keeps everybody from writing: that is said.
        let locked = Cell::new(false);
        here.until(|event| {
            locked.set(matches!(event, Event::Trouble { text, .. } if text.as_str().contains("locked")));
            locked.get() || is_watching(event)
        });
        if !locked.get() {
            here.until_so(|_| here.is_idle());
        }
        program.go_on();
        if !locked.get() {
            program.until("elsewhere");
        }
    });
}
