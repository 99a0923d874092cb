//! Times of the whole program on a terminal: `cargo bench --bench screen -- [MESSAGES]` (100000 by default).
//!
//! `SERVER=HOST:PORT LOGIN=NAME,NAME,NAME PASS=SECRET` names an IMAP server on this machine, without TLS, and users of
//! it: keys are also typed while the first of them is downloaded; then the program idles with all of them for a
//! minute, and is timed from the server's word that it has a new mail to the mail on the screen.
//!
//! Starts it on a pseudo-terminal of 120x40 over a store of that size, whose server cannot be reached, and
//! prints: from the start of the process to the first screen with mail on it; from a key to what it paints,
//! and how many bytes that is; memory; how often an idle program wakes up. Machines are noisy: compare within
//! one run.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]

mod letters;

use std::io::{BufRead, Read, Write};
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
    fn start(config: &Path, data: &Path, pass: &str) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mailtui"));
        command.args(["--config".as_ref(), config.as_os_str(), "--data".as_ref(), data.as_os_str()]);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("BENCH", pass)]
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

    /// Types a key while other things are painted too: how long until the list was.
    fn press_beside(&mut self, key: &[u8]) -> Duration {
        let before = self.list();
        let begun = Instant::now();
        self.keys.write_all(key).unwrap();
        self.keys.flush().unwrap();
        loop {
            let (at, bytes) = self.output.recv_timeout(DEADLINE).expect("the program answers a key");
            self.screen.process(&bytes);
            if self.list() != before {
                return at - begun;
            }
        }
    }

    /// A part of the list, right of the folders, as it is painted.
    fn list(&self) -> Vec<Vec<u8>> {
        let (left, above, below) = (COLUMNS / 3, 2, 4);
        let rows = self.screen.screen().rows_formatted(left, COLUMNS / 3);
        rows.skip(above).take(usize::from(ROWS) - above - below).collect()
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
        let mut terminal = Terminal::start(&config, &data, "x");
        let took = terminal.first("Writer Number");
        terminal.end();
        took
    });
    quantiles("exec to the first screen", starts.collect());
    let mut terminal = Terminal::start(&config, &data, "x");
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
    let server = ["SERVER", "LOGIN", "PASS"].map(std::env::var);
    if let [Ok(server), Ok(logins), Ok(pass)] = server {
        let logins: Vec<&str> = logins.split(',').collect();
        beside_a_sync(&config, &data, &account_at(&server, logins[0]), &pass);
        let config = dir.path().join("idle.toml");
        std::fs::write(&config, logins.iter().map(|login| account_at(&server, login)).collect::<String>())
            .unwrap();
        idle(&config, &dir.path().join("idle"), &server, logins[logins.len() - 1], &pass);
    }
}

/// A section of the configuration.
fn account_at(server: &str, login: &str) -> String {
    let (host, port) = server.rsplit_once(':').expect("HOST:PORT");
    format!(
        "\n[accounts.{login}]\nemail = \"{login}@example.org\"\nprotocol = \"imap\"\nhost = \"{host}\"\nport = {port}\n\
         tls = \"none\"\nuser = \"{login}\"\npassword = {{ env = \"BENCH\" }}\n"
    )
}

/// Keys in the full folder while another account is downloaded.
fn beside_a_sync(config: &Path, data: &Path, more: &str, pass: &str) {
    let text = std::fs::read_to_string(config).unwrap() + more;
    std::fs::write(config, text).unwrap();
    let mut terminal = Terminal::start(config, data, pass);
    terminal.first("Writer Number");
    let (mut took, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < Duration::from_secs(3) {
        took.push(terminal.press_beside(b"j"));
        std::thread::sleep(Duration::from_millis(5));
    }
    let count = took.len();
    quantiles(&format!("j during a sync, {count} keys"), took);
    terminal.end();
    let store = Store::open(data).unwrap();
    let reader = store.reader().unwrap();
    let held = |id| reader.folders(id).unwrap().iter().map(|folder| u64::from(folder.total)).sum::<u64>();
    let all: u64 = reader.accounts().unwrap().iter().map(|account| held(account.id)).sum();
    println!("  mails in the store after it: {all}");
}

/// Accounts that wait for news, on one screen.
fn idle(config: &Path, data: &Path, server: &str, login: &str, pass: &str) {
    // All that is there first.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mailtui"));
    let arguments =
        ["--config".as_ref(), config.as_os_str(), "--data".as_ref(), data.as_os_str(), "sync".as_ref()];
    assert!(command.args(arguments).env("BENCH", pass).output().unwrap().status.success());
    let mut terminal = Terminal::start(config, data, pass);
    terminal.first("in step");
    terminal.settle(Duration::from_secs(5));
    let state = |terminal: &Terminal| {
        let wakes = terminal.of_proc("voluntary_ctxt_switches");
        (wakes, terminal.of_proc("VmRSS"))
    };
    let (wakes, memory) = state(&terminal);
    terminal.settle(Duration::from_secs(60));
    let (wakes_after, memory_after) = state(&terminal);
    println!("  wake-ups in 60 s with every account in IDLE: {}", wakes_after - wakes);
    println!("  memory {:.1} MB, before that {:.1} MB", memory_after as f64 / 1024.0, memory as f64 / 1024.0);
    let mut sender = Sender::new(server, login, pass);
    let took = (0..20).map(|n| {
        let subject = format!("Fresh {n:02}");
        sender.deliver(&subject);
        let told = Instant::now();
        terminal.begun = told;
        let took = terminal.first(&subject);
        terminal.settle(Duration::from_millis(200));
        took
    });
    quantiles("the server has it, to the screen", took.collect());
    terminal.end();
}

/// Another client, who puts new mail on the server.
struct Sender(std::io::BufReader<std::net::TcpStream>);

impl Sender {
    fn new(server: &str, login: &str, pass: &str) -> Self {
        let stream = std::net::TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut sender = Self(std::io::BufReader::new(stream));
        sender.line();
        sender.ask(&format!("a LOGIN {login} {pass}\r\n"), "a OK");
        sender
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self, command: &str, until: &str) {
        self.0.get_mut().write_all(command.as_bytes()).unwrap();
        while !self.line().starts_with(until) {}
    }

    fn deliver(&mut self, subject: &str) {
        let mail = format!("From: Writer <w@example.org>\r\nSubject: {subject}\r\n\r\nnew\r\n");
        self.ask(&format!("a APPEND INBOX {{{}}}\r\n", mail.len()), "+");
        self.ask(&format!("{mail}\r\n"), "a OK");
    }
}
