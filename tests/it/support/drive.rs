//! The real loop on a terminal in memory: `screen.keys("jj<Enter>").until("Re: lunch")`.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use mailtui::app::Settings;
use mailtui::app::accounts::Identity;
use mailtui::app::key::Key;
use mailtui::app::keymap::Keymap;
use mailtui::config::theme::Theme;
use mailtui::config::{Account, Advance, EditorIn, Outlet, Writing};
use mailtui::engine::{Command, Event};
use mailtui::error::Result;
use mailtui::runtime::{Desk, Ended, Inbox, Input, Session, Stage, Wakeup, run_on};
use mailtui::ui::{Look, text_of};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::mail::{NOW, Post};

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// A terminal in memory that hands out every frame.
struct Memory {
    terminal: Terminal<TestBackend>,
    frames: Sender<Buffer>,
    sizes: Receiver<(u16, u16)>,
}

impl Stage for Memory {
    type Backend = TestBackend;

    fn terminal(&mut self) -> &mut Terminal<TestBackend> {
        if let Some((width, height)) = self.sizes.try_iter().last() {
            self.terminal.backend_mut().resize(width, height);
        }
        &mut self.terminal
    }

    fn end_frame(&mut self) -> std::io::Result<()> {
        let _ = self.frames.send(self.terminal.backend().buffer().clone());
        Ok(())
    }
}

/// A running screen.
pub struct Screen {
    bell: Sender<Wakeup>,
    frames: Receiver<Buffer>,
    sizes: Sender<(u16, u16)>,
    commands: Receiver<Command>,
    last: Buffer,
    thread: Option<JoinHandle<Result<Ended>>>,
}

/// How a screen is started.
pub struct Start {
    pub width: u16,
    pub height: u16,
    pub theme: &'static str,
    pub mark_read_after: Option<Duration>,
    pub advance: Advance,
    pub ascii: bool,
    pub keymap: Keymap,
}

impl Default for Start {
    fn default() -> Self {
        // Reading in the preview is tested where it is meant; elsewhere nothing is marked by itself.
        Self {
            width: 100,
            height: 30,
            theme: "mono",
            mark_read_after: None,
            advance: Advance::Next,
            ascii: false,
            keymap: Keymap::new(),
        }
    }
}

/// Who the tests are.
pub fn me() -> Vec<Identity> {
    let one = |account: &str, email: &str| Identity {
        account: account.to_owned(),
        email: email.to_owned(),
        name: "Robin".to_owned(),
        deletes_there: true,
    };
    vec![one("work", "robin@example.org"), one("home", "robin@home.example")]
}

pub fn look(theme: &str, ascii: bool) -> Look {
    Look { theme: Theme::named(theme, None).unwrap(), zone: TimeZone::UTC, ascii }
}

/// Who writes: the account `work`, with the editor that the test put into the directory of the store.
pub fn desk(post: &Post) -> Desk {
    let mut work = Account { name: "work".to_owned(), ..super::post::local(None) };
    (work.email, work.display_name) = ("robin@example.org".to_owned(), "Robin".to_owned());
    work.sending.way = Some(Outlet::Command("false".to_owned()));
    let editor = Some(format!("sh {}", post.dir.path().join("editor").display()));
    // As the editor: where the test put one.
    let people = post.dir.path().join("people");
    let address_command = people.exists().then(|| format!("sh {}", people.display()));
    let is_aside = post.dir.path().join("aside").exists();
    let editor_in = if is_aside { EditorIn::Command("sh -c".to_owned()) } else { EditorIn::Here };
    let writing = Writing { editor, editor_in, address_command, ..Writing::default() };
    Desk { accounts: vec![work], writing, zone: TimeZone::UTC }
}

impl Screen {
    /// Starts on a store, and waits for its first frame.
    pub fn start(post: &Post, start: Start) -> Self {
        let inbox = Inbox::new();
        let bell = inbox.bell();
        let (tell, commands) = channel();
        let (frames_in, frames) = channel();
        let (sizes, sizes_in) = channel();
        let downloads = post.dir.path().join("downloads");
        let session = Session {
            inbox,
            store: post.store.clone(),
            send: Box::new(move |command| drop(tell.send(command))),
            settings: Settings {
                me: me(),
                mark_read_after: start.mark_read_after,
                advance: start.advance,
                zone: TimeZone::UTC,
                browser: Some(vec!["touch".to_owned(), downloads.join("opened").display().to_string()]),
                opener: None,
                downloads,
                senders: ["robin@example.org", "lists@example.org"].map(|a| format!("Robin <{a}>")).to_vec(),
                keymap: start.keymap,
                asks: Vec::new(),
            },
            desk: desk(post),
            look: look(start.theme, start.ascii),
            clock: || NOW,
        };
        let terminal = Terminal::new(TestBackend::new(start.width, start.height)).unwrap();
        let thread = std::thread::spawn(move || {
            run_on(session, &mut Memory { terminal, frames: frames_in, sizes: sizes_in })
        });
        let last = frames.recv_timeout(DEADLINE).expect("a first frame");
        Self { bell, frames, sizes, commands, last, thread: Some(thread) }
    }

    /// 100 by 30 cells.
    pub fn open(post: &Post) -> Self {
        Self::start(post, Start::default())
    }

    fn send(&self, wakeup: Wakeup) {
        self.bell.send(wakeup).expect("the screen runs");
    }

    /// Types keys, all at once.
    pub fn keys(&mut self, written: &str) -> &mut Self {
        for key in Key::sequence(written).into_iter().flatten() {
            self.send(Wakeup::Input(Input::Key(key)));
        }
        self
    }

    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.send(Wakeup::Input(Input::Paste(text.to_owned())));
        self
    }

    pub fn event(&mut self, event: Event) -> &mut Self {
        self.send(Wakeup::Engine(event));
        self
    }

    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.sizes.send((width, height)).unwrap();
        self.send(Wakeup::Resize);
        self
    }

    /// Waits for a frame that is as wanted.
    #[track_caller]
    pub fn when(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> &mut Self {
        let until = Instant::now() + DEADLINE;
        loop {
            while let Ok(frame) = self.frames.try_recv() {
                self.last = frame;
            }
            if wanted(&text_of(&self.last)) {
                return self;
            }
            match self.frames.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(frame) => self.last = frame,
                Err(RecvTimeoutError::Timeout) => panic!("never came: {what}\n{}", self.screen()),
                Err(RecvTimeoutError::Disconnected) => panic!("ended before: {what}\n{}", self.screen()),
            }
        }
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &mut Self {
        self.when(text, |screen| screen.contains(text))
    }

    /// Waits until a text is not on the screen.
    #[track_caller]
    pub fn gone(&mut self, text: &str) -> &mut Self {
        self.when(text, |screen| !screen.contains(text))
    }

    /// Waits until the row under the cursor holds a text.
    #[track_caller]
    pub fn at(&mut self, text: &str) -> &mut Self {
        self.when(&format!("the cursor at {text}"), |screen| {
            screen.lines().any(|line| line.contains('▌') && line.contains(text))
        })
    }

    /// The last frame as text.
    pub fn screen(&self) -> String {
        text_of(&self.last)
    }

    /// The last frame with its styles.
    pub fn buffer(&self) -> &Buffer {
        &self.last
    }

    /// Waits for a command to the engines.
    #[track_caller]
    pub fn command(&self, wanted: impl Fn(&Command) -> bool) -> Command {
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let command = self.commands.recv_timeout(left).expect("a command to the engines");
            if wanted(&command) {
                return command;
            }
        }
    }

    /// Waits until the screen ended by itself.
    pub fn ended(&mut self) -> Result<Ended> {
        self.thread.take().expect("it was not waited for before").join().expect("the screen did not panic")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.bell.send(Wakeup::HungUp);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the screen did not panic").expect("the screen ended well");
            }
        }
    }
}
