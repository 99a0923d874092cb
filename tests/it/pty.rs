//! The real program on a real pseudo-terminal.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use mailtui::app::Settings;
use mailtui::app::keymap::Keymap;
use mailtui::config::Advance;
use mailtui::runtime::{Inbox, Session, Wakeup, run};

use crate::support::drive::{desk, look, me};
use crate::support::mail::{NOW, Post, mail};

const DEADLINE: Duration = Duration::from_secs(30);
/// What gives a terminal back: the other screen left, pastes plain, the cursor shown.
const GIVEN_BACK: [&str; 3] = ["\u{1b}[?1049l", "\u{1b}[?2004l", "\u{1b}[?25h"];

/// A program on a terminal.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that came.
    raw: Vec<u8>,
}

impl Terminal {
    fn demo() -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mailtui"));
        command.args(["demo", "--now", "2026-06-10T16:20"]);
        Self::start(command)
    }

    pub(crate) fn start(mut command: CommandBuilder) -> Self {
        let size = PtySize { rows: 24, cols: 80, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("TZ", "UTC");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = vt100::Parser::new(24, 80, 0);
        Self { master: pair.master, child, keys, output, screen, raw: Vec::new() }
    }

    pub(crate) fn type_keys(&mut self, keys: &str) -> &mut Self {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        self
    }

    /// Types keys, and waits for the frame that they led to: more keys at once than hands can type are a paste.
    #[track_caller]
    pub(crate) fn pace(&mut self, keys: &str) -> &mut Self {
        self.type_keys(keys);
        let before = self.raw.len();
        self.when(keys, |t| t.raw.len() > before && t.raw.ends_with(b"\x1b[?2026l"))
    }

    #[track_caller]
    pub(crate) fn when(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) -> &mut Self {
        let until = Instant::now() + DEADLINE;
        while !wanted(self) {
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.raw.extend(bytes);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("never came: {what}\n{}", self.screen.screen().contents())
                }
            }
        }
        self
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.screen.screen().contents().contains(text)
    }

    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> &mut Self {
        self.when(text, |t| t.screen.screen().contents().contains(text))
    }

    fn sent(&self, sequence: &str) -> bool {
        let sequence = sequence.as_bytes();
        self.raw.windows(sequence.len()).any(|w| w == sequence)
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = self.child.process_id().and_then(|id| i32::try_from(id).ok()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits until the process is stopped: a signal to go on before that would be lost.
    fn stopped(&self) {
        let path = format!("/proc/{}/stat", self.child.process_id().unwrap());
        let until = Instant::now() + DEADLINE;
        while !std::fs::read_to_string(&path).unwrap().contains(") T ") {
            assert!(Instant::now() < until, "it does not stop");
            std::thread::yield_now();
        }
    }

    #[track_caller]
    pub(crate) fn given_back(&mut self) -> ExitStatus {
        self.when("the terminal is given back", |t| GIVEN_BACK.iter().all(|s| t.sent(s)));
        self.child.wait().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn the_demo_is_read_and_quit_and_the_terminal_is_as_before() {
    let mut terminal = Terminal::demo();
    terminal.until("All inboxes").until("Sunday lunch").type_keys("jj");
    terminal.type_keys("\r").until("of 3").type_keys("q").until("unread");
    terminal.type_keys("?").until("Keys · List").type_keys("q").until("All inboxes");
    terminal.master.resize(PtySize { rows: 30, cols: 110, ..PtySize::default() }).unwrap();
    terminal.screen.screen_mut().set_size(30, 110);
    // The folder pane comes with the width.
    terminal.until("Drafts").type_keys("ZZ");
    assert!(terminal.given_back().success());
}

#[test]
fn sigterm_gives_the_terminal_back() {
    let mut terminal = Terminal::demo();
    terminal.until("All inboxes");
    terminal.signal(rustix::process::Signal::TERM);
    let status = terminal.given_back();
    assert_eq!(status.exit_code(), 143);
}

#[test]
fn a_hang_up_ends_the_program() {
    let mut terminal = Terminal::demo();
    terminal.until("All inboxes");
    terminal.signal(rustix::process::Signal::HUP);
    assert_eq!(terminal.given_back().exit_code(), 129);
}

/// What the test below runs on a terminal of its own: a screen whose clock breaks at the first key.
#[test]
#[ignore = "runs as the child of another test"]
fn child_that_panics() {
    static TOLD: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Notes"));
    let inbox = Inbox::new();
    let session = Session {
        inbox,
        store: post.store.clone(),
        send: Box::new(|_| {}),
        settings: Settings {
            me: me(),
            mark_read_after: None,
            advance: Advance::Next,
            zone: jiff::tz::TimeZone::UTC,
            downloads: post.dir.path().to_owned(),
            senders: Vec::new(),
            browser: None,
            opener: None,
            keymap: Keymap::new(),
            asks: Vec::new(),
        },
        desk: desk(&post),
        look: look("terminal", false),
        clock: || match TOLD.load(std::sync::atomic::Ordering::SeqCst) {
            0 => NOW,
            _ => panic!("the clock broke"),
        },
    };
    let bell = session.inbox.bell();
    std::thread::spawn(move || {
        // The program's own signal for the test: the first resize breaks the clock.
        let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGUSR1]).unwrap();
        signals.forever().next();
        TOLD.store(1, std::sync::atomic::Ordering::SeqCst);
        bell.send(Wakeup::Resize).unwrap();
    });
    let _ = run(session);
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "pty::child_that_panics", "--ignored", "--nocapture", "--test-threads=1"]);
    let mut terminal = Terminal::start(command);
    terminal.until("Notes").signal(rustix::process::Signal::USR1);
    terminal.when("the panic is told", |t| t.sent("the clock broke"));
    let text = String::from_utf8_lossy(&terminal.raw).into_owned();
    let at = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("{needle:?} was not sent"));
    assert!(GIVEN_BACK.iter().all(|s| at(s) < at("the clock broke")));
}

#[test]
fn suspending_gives_the_terminal_back_and_takes_it_again() {
    let mut terminal = Terminal::demo();
    terminal.until("All inboxes").type_keys("\u{1a}");
    terminal.when("given back", |t| GIVEN_BACK.iter().all(|s| t.sent(s)));
    terminal.raw.clear();
    terminal.stopped();
    terminal.signal(rustix::process::Signal::CONT);
    terminal.when("taken again", |t| t.sent("\u{1b}[?1049h")).until("All inboxes");
    terminal.type_keys("jj").type_keys("ZZ");
    assert!(terminal.given_back().success());
}

#[test]
fn a_shell_has_the_terminal_and_its_interrupts_until_it_ends() {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mailtui"));
    command.args(["demo", "--now", "2026-06-10T16:20"]);
    command.env("SHELL", "/bin/sh");
    command.env("PS1", "tell> ");
    let mut terminal = Terminal::start(command);
    terminal.until("Sunday lunch").type_keys("!").until("tell>");
    assert!(GIVEN_BACK.iter().all(|s| terminal.sent(s)));
    terminal.type_keys("echo in$((1+1))here; exit\r").until("in2here").until("Sunday lunch");
    // One by one: a burst counts as a paste.
    for key in ":shell kill -INT $PPID; echo up".chars() {
        terminal.pace(key.encode_utf8(&mut [0; 4]));
    }
    // An interrupt while the terminal is lent is for who has it.
    terminal.until("echo up").type_keys("\r").until("Enter goes back to the mail").type_keys("\r");
    terminal.until("Sunday lunch");
    terminal.type_keys("ZZ");
    assert!(terminal.given_back().success());
}

#[test]
fn a12_a_yank_is_offered_to_the_terminal_and_shown() {
    let mut terminal = Terminal::demo();
    terminal.until("Sunday lunch").type_keys("jjyy").until("For the clipboard: ");
    let shown = terminal.screen.screen().contents();
    let address =
        shown.split("For the clipboard: ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    assert!(address.contains('@'), "{shown}");
    let offered = format!("\u{1b}]52;c;{}\u{7}", base64::engine::general_purpose::STANDARD.encode(address));
    terminal.when("the address is offered", |t| t.sent(&offered)).type_keys("ZZ");
    assert!(terminal.given_back().success());
}

#[test]
fn a11_what_is_pasted_without_brackets_runs_nothing() {
    let mut terminal = Terminal::demo();
    terminal
        .until("All inboxes")
        .type_keys("dear diary, today I quit ZZ\r")
        .until("Pasted text is not taken");
    assert!(terminal.child.try_wait().unwrap().is_none());
}

#[test]
fn a11_what_is_pasted_with_brackets_runs_nothing() {
    let mut terminal = Terminal::demo();
    terminal.until("All inboxes").type_keys("\u{1b}[200~ddZZ\u{1b}[201~").until("Pasted text is not taken");
    terminal.type_keys("ZZ");
    assert!(terminal.given_back().success());
}

/// The sequences that are sent, and no others: whoever reads this list knows what reaches a terminal.
fn foreign(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let mut rest: &str = &text;
    let mut found = Vec::new();
    while let Some(at) = rest.find(|c: char| c.is_control()) {
        rest = &rest[at..];
        let (known, length) = known_sequence(rest);
        if !known {
            found.push(format!("{:?}", rest.chars().take(12).collect::<String>()));
        }
        rest = &rest[length..];
    }
    found
}

/// Whether what begins here is on the list, and its bytes.
fn known_sequence(text: &str) -> (bool, usize) {
    if text.starts_with(['\r', '\n']) {
        return (true, 1);
    }
    // OSC 8 (links), OSC 52 (the clipboard): ended by BEL or ST, without controls in them.
    if let Some(body) = text.strip_prefix("\u{1b}]") {
        let Some(end) = body.find(|c: char| c.is_control()) else { return (false, text.len()) };
        let closer = ["\u{7}", "\u{1b}\\"].into_iter().find(|closer| body[end..].starts_with(closer));
        let is_known = closer.is_some() && (body.starts_with("8;") || body.starts_with("52;c;"));
        return (is_known, 2 + end + closer.map_or(1, str::len));
    }
    if let Some(body) = text.strip_prefix("\u{1b}[") {
        let Some(end) = body.find(|c: char| ('@'..='~').contains(&c)) else { return (false, text.len()) };
        let (parameters, last) = (&body[..end], &body[end..=end]);
        let plain = parameters.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':');
        let known = match last {
            // To a place, erase, style, where the cursor is.
            "H" | "J" | "K" | "m" => plain,
            "n" => parameters == "6",
            "A" | "B" | "C" | "D" | "G" | "X" => plain,
            // Cursor, other screen, pastes, synchronized output, focus.
            "h" | "l" => ["?25", "?1049", "?2004", "?2026", "?1004", "?7"].contains(&parameters),
            _ => false,
        };
        return (known, 2 + end + 1);
    }
    (false, text.chars().next().map_or(1, char::len_utf8))
}

/// Every pane, panel and page of the program, with mail that tries to send sequences of its own.
#[test]
fn x5_only_known_sequences_reach_the_terminal() {
    let mut terminal = Terminal::demo();
    terminal.until("All inboxes").until("Sunday lunch");
    for keys in [
        "jjjj", "\r", "q", "zR", "zM", "?", "q", "g", "\u{1b}", ":", "go", "\u{1b}", "gS", "q", "h", "l",
        "*", "\u{1b}",
    ] {
        terminal.pace(keys);
    }
    for _ in 0..40 {
        terminal.pace("j\r\u{6}zHgrgrq");
    }
    terminal.master.resize(PtySize { rows: 45, cols: 160, ..PtySize::default() }).unwrap();
    terminal.screen.screen_mut().set_size(45, 160);
    terminal.until("Drafts").type_keys("ggjjjjyy").until("For the clipboard: ").type_keys("ZZ");
    assert!(terminal.given_back().success());
    assert_eq!(foreign(&terminal.raw), Vec::<String>::new());
    assert!(terminal.raw.len() > 10_000, "hardly anything was sent: {}", terminal.raw.len());
    // The list refuses what it is to refuse.
    let bad = b"a\x1b[5nb\x1b]0;title\x07c\x1bPq\x1b\\d\x9be\x1bcf\x08\x1b[?1000hg";
    assert!(foreign(bad).len() >= 7, "{:?}", foreign(bad));
}

/// Over a slow line a key costs what changes: two rows and the status, never the screen.
#[test]
fn s12_a_key_sends_few_bytes() {
    let mut terminal = Terminal::demo();
    terminal.until("All inboxes").until("Sunday lunch").type_keys("j").until("▌");
    let mut sent = Vec::new();
    for _ in 0..12 {
        let before = terminal.screen.screen().contents();
        terminal.raw.clear();
        terminal.type_keys("j");
        terminal.when("the cursor moved", |t| {
            t.screen.screen().contents() != before && t.raw.ends_with(b"\x1b[?2026l")
        });
        sent.push(terminal.raw.len());
    }
    terminal.type_keys("ZZ");
    sent.sort_unstable();
    assert!(sent[sent.len() / 2] <= 600, "{sent:?}");
}
