//! Times of the whole program on a terminal: `cargo bench --bench screen -- [MESSAGES]` (100000 by default).
//!
//! Starts it on a pseudo-terminal of 120x40 over a store of that size, whose server cannot be reached, and
//! prints: from the start of the process to the first screen with mail on it; from a key to what it paints,
//! and how many bytes that is; memory; how often an idle program wakes up. Machines are noisy: compare within
//! one run.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]

mod letters;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use mailtui::model::{Owner, Role};
use mailtui::store::Store;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use letters::{Dice, fill};

const ROWS: u16 = 40;
const COLUMNS: u16 = 120;
const DEADLINE: Duration = Duration::from_secs(30);
/// How long nothing must come before a screen counts as painted.
const STILL: Duration = Duration::from_millis(30);
/// Every frame ends with this (synchronized output).
const FRAME_END: &[u8] = b"\x1b[?2026l";

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    screen: vt100::Parser,
    begun: Instant,
    // Closed last.
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    fn start(config: &Path, data: &Path) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mailtui"));
        command.args(["--config".as_ref(), config.as_os_str(), "--data".as_ref(), data.as_os_str()]);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("BENCH", "x")]
        {
            command.env(name, value);
        }
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                if send.send((Instant::now(), bytes[..n].to_vec())).is_err() {
                    return;
                }
            }
        });
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = vt100::Parser::new(ROWS, COLUMNS, 0);
        Self { child, keys, output, screen, begun, _master: pair.master }
    }

    /// When the first frame with `text` on it had come.
    fn first(&mut self, text: &str) -> Duration {
        loop {
            let (at, bytes) = self.output.recv_timeout(DEADLINE).expect("the program paints");
            self.screen.process(&bytes);
            if self.screen.screen().contents().contains(text) {
                return at - self.begun;
            }
        }
    }

    /// Takes what still comes, until nothing does for a while.
    fn settle(&mut self, still: Duration) {
        while let Ok((_, bytes)) = self.output.recv_timeout(still) {
            self.screen.process(&bytes);
        }
    }

    /// Types a key: how long until its frame was painted, and how many bytes that took.
    fn press(&mut self, key: &[u8]) -> (Duration, usize) {
        let begun = Instant::now();
        self.keys.write_all(key).unwrap();
        self.keys.flush().unwrap();
        let mut all = Vec::new();
        loop {
            let (at, bytes) = self.output.recv_timeout(DEADLINE).expect("the program answers a key");
            self.screen.process(&bytes);
            all.extend(bytes);
            if all.ends_with(FRAME_END) {
                return (at - begun, all.len());
            }
        }
    }

    fn of_proc(&self, name: &str) -> u64 {
        let id = self.child.process_id().unwrap();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let read = |path: &Path| -> u64 {
            let text = std::fs::read_to_string(path).unwrap();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        if name.starts_with("Vm") {
            return read(format!("/proc/{id}/status").as_ref());
        }
        tasks.map(|task| read(&task.unwrap().path().join("status"))).sum()
    }

    fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn quantiles(name: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!("  {name:<34} p50 {:>8.2?}  p99 {:>8.2?}  max {:>8.2?}", at(50), at(99), at(100));
}

fn main() {
    let total: u32 = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    // Nothing listens there.
    let account = "[accounts.bench]\nemail = \"b@example.org\"\nprotocol = \"imap\"\nhost = \"127.0.0.1\"\nport = 9\n\
                   user = \"b\"\npassword = { env = \"BENCH\" }\n";
    std::fs::write(&config, account).unwrap();
    let data = dir.path().join("data");
    {
        let store = Store::open(&data).unwrap();
        let account = store.account("bench", "imap", Owner::Server, "b@127.0.0.1:9").unwrap();
        let inbox = store.reader().unwrap().folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
        fill(&store, account, inbox, &mut Dice(2), total);
    }
    println!("{total} messages in one folder, {COLUMNS}x{ROWS}");
    let starts = (0..20).map(|_| {
        let mut terminal = Terminal::start(&config, &data);
        let took = terminal.first("Writer Number");
        terminal.end();
        took
    });
    quantiles("exec to the first screen", starts.collect());
    let mut terminal = Terminal::start(&config, &data);
    terminal.first("Writer Number");
    terminal.settle(Duration::from_secs(1));
    // Within the screen; then, from the last row on, with every row of the list in a new place.
    for (name, key, times) in [
        ("j", "j", 30),
        ("k", "k", 30),
        ("C-d", "\x04", 100),
        ("C-u", "\x15", 100),
        ("j, down 200 rows", "j", 200),
    ] {
        let mut bytes = Vec::new();
        let took = (0..times).map(|_| {
            let (took, sent) = terminal.press(key.as_bytes());
            bytes.push(sent);
            terminal.settle(STILL);
            took
        });
        quantiles(&format!("{name} to its frame"), took.collect());
        bytes.sort_unstable();
        println!("  {:<34} p50 {:>8}  max {:>8}", "  bytes", bytes[bytes.len() / 2], bytes[bytes.len() - 1]);
    }
    println!("  memory {:.0} MB", terminal.of_proc("VmRSS") as f64 / 1024.0);
    terminal.settle(Duration::from_secs(2));
    let before = terminal.of_proc("voluntary_ctxt_switches");
    terminal.settle(Duration::from_secs(5));
    println!("  wake-ups in 5 idle seconds: {}", terminal.of_proc("voluntary_ctxt_switches") - before);
    terminal.end();
}
