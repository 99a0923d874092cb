//! The loop: block until something arrives, take it all in, act, and paint at most every 16 ms.
//! An idle screen costs nothing: no tick, no poll, no redraw.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use ratatui::layout::Rect;

use super::decode::Input;
use super::desk::{Desk, Drafter};
use super::editor::Sheet;
use super::give::{self, Gift};
use super::inbox::{Inbox, Wakeup};
use super::input::Hands;
use super::lend;
use super::loads::Loader;
use super::lookup::Lookup;
use super::signals::Ears;
use super::terminal::{Screen, Stage};
use super::work::Worker;
use crate::app::effect::{Effect, Load};
use crate::app::{App, Now, Settings};
use crate::config::EditorIn;
use crate::engine::Command;
use crate::error::{Error, Kind, Result};
use crate::model::{Draft, DraftId};
use crate::store::Store;
use crate::text::Clean;
use crate::ui::{self, Look};

/// Between two frames at least.
const FRAME: Duration = Duration::from_millis(16);
/// How long a frame waits for a mail that is being laid out, so that it does not flash by empty.
const GRACE: Duration = Duration::from_millis(6);
/// Wake-ups that are taken in before a frame is due whatever else waits.
const DRAIN: usize = 512;

/// Everything that a screen needs.
pub struct Session {
    /// Where everything arrives; make it first, the engines are given its bell.
    pub inbox: Inbox,
    /// The mail.
    pub store: Store,
    /// Passes a command on to the engines.
    pub send: Box<dyn Fn(Command) + Send>,
    /// Who the user is, and what the user prefers.
    pub settings: Settings,
    /// Who writes.
    pub desk: Desk,
    /// How the screen looks.
    pub look: Look,
    /// The time, Unix seconds.
    pub clock: fn() -> i64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.settings)
            .field("look", &self.look)
            .finish_non_exhaustive()
    }
}

/// Why the screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The user quit.
    Quit,
    /// A signal asked for it.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
}

/// Shows the screen on this terminal until the user quits. The terminal is given back on every way out.
pub fn run(session: Session) -> Result<Ended> {
    let mut screen = Screen::take()?;
    let bell = session.inbox.bell();
    let _ears = Ears::open(bell.clone(), screen.taken())?;
    let hands = Hands::start(io::stdin(), bell)?;
    if !session.look.ascii {
        hands.expect_column();
        let _ = screen.ask_width(ui::PROBE);
    }
    Show::new(session, &mut screen, Some(hands))?.run()
}

/// Shows the screen on a stage of one's own, fed through the inbox: for tests.
pub fn run_on<S: Stage>(session: Session, stage: &mut S) -> Result<Ended> {
    Show::new(session, stage, None)?.run()
}

/// The first screen as text, as it would be after everything was loaded.
pub fn snapshot(session: &Session, width: u16, height: u16) -> Result<String> {
    let now = Now { at: Instant::now(), unix: (session.clock)() };
    let mut app = App::new(session.store.reader()?, session.settings.clone(), now, (width, height))?;
    let drafter = Drafter::new(session.desk.clone(), session.store.clone(), session.clock);
    let mut loader = Loader::new(session.store.reader()?, drafter);
    let mut effects = app.started();
    while let Some(effect) = effects.pop() {
        if let Effect::Load(load @ Load::Mail { .. }) = effect {
            effects.extend(app.on_loaded(loader.load(load)).1);
        }
    }
    Ok(ui::snapshot(&app, &session.look))
}

struct Show<'a, S: Stage> {
    app: App,
    stage: &'a mut S,
    bell: Sender<Wakeup>,
    wakeups: Receiver<Wakeup>,
    worker: Worker,
    lookup: Lookup,
    hands: Option<Hands>,
    store: Store,
    send: Box<dyn Fn(Command) + Send>,
    desk: Desk,
    look: Look,
    clock: fn() -> i64,
    /// The screen is not as it should be.
    stale: bool,
    painted_at: Option<Instant>,
    ended: Option<Ended>,
}

impl<'a, S: Stage> Show<'a, S> {
    fn new(session: Session, stage: &'a mut S, hands: Option<Hands>) -> Result<Self> {
        let Session { inbox, store, send, settings, desk, look, clock } = session;
        let Inbox { bell, wakeups } = inbox;
        let size = stage.terminal().size().map_err(unpainted)?;
        let now = Now { at: Instant::now(), unix: clock() };
        let changes = bell.clone();
        store.subscribe(Box::new(move |changed| {
            // A screen that ended needs no news.
            let _ = changes.send(Wakeup::Changed(changed.clone()));
        }));
        let app = App::new(store.reader()?, settings, now, (size.width, size.height))?;
        let lookup = Lookup::start(desk.writing.address_command.clone(), bell.clone())?;
        let worker =
            Worker::start(store.reader()?, Drafter::new(desk.clone(), store.clone(), clock), bell.clone())?;
        let (stale, painted_at, ended) = (true, None, None);
        Ok(Self {
            app,
            stage,
            bell,
            wakeups,
            worker,
            lookup,
            hands,
            store,
            send,
            desk,
            look,
            clock,
            stale,
            painted_at,
            ended,
        })
    }

    fn run(mut self) -> Result<Ended> {
        let result = self.turn();
        // A terminal that fails is as good as cut off: the next start goes on where this one was.
        let effects = self.app.leave(matches!(result, Ok(Ended::Quit)));
        self.perform(effects)?;
        result
    }

    fn turn(&mut self) -> Result<Ended> {
        let effects = self.app.started();
        self.perform(effects)?;
        loop {
            if let Some(ended) = self.ended {
                return Ok(ended);
            }
            let now = Instant::now();
            if self.stale && self.painted_at.is_none_or(|at| now >= at + FRAME) {
                self.complete()?;
                self.paint()?;
                continue;
            }
            let owed = self.painted_at.filter(|_| self.stale).map(|at| at + FRAME);
            let first = match [owed, self.app.deadline()].into_iter().flatten().min() {
                None => self.wakeups.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.wakeups.recv_timeout(at.saturating_duration_since(now)),
            };
            match first {
                Ok(wakeup) => self.take(wakeup)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::HungUp),
            }
            self.drain()?;
            self.tell_time();
            let (news, effects) = self.app.tick();
            self.stale |= news;
            self.perform(effects)?;
        }
    }

    /// Takes in what else is there.
    fn drain(&mut self) -> Result<()> {
        for _ in 0..DRAIN {
            match self.wakeups.try_recv() {
                Ok(wakeup) => self.take(wakeup)?,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        Ok(())
    }

    /// Makes the next frame whole: what changed, and a mail that is laid out in no time.
    fn complete(&mut self) -> Result<()> {
        self.tell_time();
        let effects = self.app.look_again();
        self.perform(effects)?;
        let until = Instant::now() + GRACE;
        while self.app.reader.is_waiting() && !self.app.reader.is_slow() && self.ended.is_none() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            match self.wakeups.recv_timeout(left) {
                Ok(wakeup) => self.take(wakeup)?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn tell_time(&mut self) {
        self.app.now = Now { at: Instant::now(), unix: (self.clock)() };
    }

    fn take(&mut self, wakeup: Wakeup) -> Result<()> {
        self.tell_time();
        let (news, effects) = match wakeup {
            Wakeup::Input(Input::Key(key)) => (true, self.app.press(key)),
            Wakeup::Input(Input::Paste(text)) => (true, self.app.paste(&text)),
            Wakeup::Input(Input::Column(column)) => {
                // The mark was drawn in the first column: one cell leads to the second.
                let wide = column > 2 && !self.look.ascii;
                self.look.ascii |= wide;
                (wide, if wide { self.redraw()? } else { Vec::new() })
            }
            Wakeup::Resize => {
                let size = self.stage.terminal().size().map_err(unpainted)?;
                (true, self.app.resize(size.width, size.height))
            }
            Wakeup::Resumed => {
                self.stage.resume()?;
                (true, self.redraw()?)
            }
            Wakeup::Suspend => (true, vec![Effect::Suspend]),
            Wakeup::Ended(signal) => {
                self.ended = Some(Ended::Signal(signal));
                (false, Vec::new())
            }
            Wakeup::HungUp => {
                self.ended = Some(Ended::HungUp);
                (false, Vec::new())
            }
            Wakeup::Engine(event) => (true, self.app.on_event(&event)),
            Wakeup::Changed(changed) => {
                self.app.on_changed(changed);
                (true, Vec::new())
            }
            Wakeup::Edited(id, written) => (true, self.app.edited(id, written)),
            Wakeup::Loaded(loaded) => self.app.on_loaded(loaded),
        };
        self.stale |= news;
        self.perform(effects)
    }

    /// Carries out what `App` asks of the world.
    fn perform(&mut self, effects: Vec<Effect>) -> Result<()> {
        for effect in effects {
            match effect {
                Effect::Intend(intent) => self.store.intend(intent),
                Effect::Load(Load::People { typed }) => self.lookup.ask(typed),
                Effect::Load(Load::Give { message, what, to }) => {
                    give::start(Gift { message, what, to }, &self.store, self.bell.clone())?;
                }
                Effect::Page(lines) => self.lend(|| lend::page(&lines))?,
                Effect::Shell(line) => self.lend(|| lend::shell(&line))?,
                Effect::Load(load) => self.worker.ask(load),
                Effect::Engine(command) => (self.send)(command),
                Effect::Remember(key, value) => self.store.remember(key, &value),
                Effect::Yank(text) => self.stage.yank(text.as_str()).map_err(unpainted)?,
                Effect::Redraw => {
                    self.redraw()?;
                }
                Effect::Suspend => {
                    let paused = self.hands.as_ref().map(Hands::pause);
                    self.stage.suspend()?;
                    drop(paused);
                    self.redraw()?;
                }
                Effect::Edit(id, draft) => self.edit(id, &draft)?,
                Effect::Quit => self.ended = Some(Ended::Quit),
            }
        }
        Ok(())
    }

    /// Lets the user write on a draft: beside the screen, or else on the terminal, which is lent for that.
    fn edit(&mut self, id: DraftId, draft: &Draft) -> Result<()> {
        let worded = |e: Error| Clean::line(&e.to_string());
        let place = &self.desk.writing.editor_in;
        let is_aside = match place {
            EditorIn::Here => false,
            EditorIn::Tmux => std::env::var_os("TMUX").is_some_and(|socket| !socket.is_empty()),
            EditorIn::Command(_) => true,
        };
        let sheet = Sheet::write(&self.desk.writing, self.store.dir(), id, draft);
        let written = match sheet {
            Ok(sheet) if is_aside => match sheet.aside(place, self.bell.clone()) {
                Ok(()) => {
                    self.app.is_edited(id);
                    self.stale = true;
                    return Ok(());
                }
                Err(e) => Err(e),
            },
            Ok(sheet) => {
                let paused = self.hands.as_ref().map(Hands::pause);
                self.stage.lend();
                let written = sheet.here(self.hands.is_some());
                self.stage.resume()?;
                drop(paused);
                self.redraw()?;
                written
            }
            Err(e) => Err(e),
        };
        self.tell_time();
        let effects = self.app.edited(id, written.map_err(worded));
        self.stale = true;
        self.perform(effects)
    }

    /// Lends the terminal to another program.
    fn lend(&mut self, run: impl FnOnce() -> Result<()>) -> Result<()> {
        let paused = self.hands.as_ref().map(Hands::pause);
        self.stage.lend();
        let ended = run();
        self.stage.resume()?;
        drop(paused);
        self.tell_time();
        self.app.shell_ended(ended.map_err(|e| Clean::line(&e.to_string())));
        self.redraw().map(drop)
    }

    /// Forgets what is on the terminal, so that the next frame paints every cell.
    fn redraw(&mut self) -> Result<Vec<Effect>> {
        let size = self.stage.terminal().size().map_err(unpainted)?;
        // `clear` would ask the terminal where its cursor is, and the input thread would get the answer.
        self.stage.terminal().resize(Rect::new(0, 0, size.width, size.height)).map_err(unpainted)?;
        self.stale = true;
        Ok(self.app.resize(size.width, size.height))
    }

    fn paint(&mut self) -> Result<()> {
        self.tell_time();
        let gone = |e: io::Error| unpainted(e);
        let mut facts = ui::Facts::default();
        self.stage.begin_frame().map_err(gone)?;
        let (app, look) = (&self.app, &self.look);
        self.stage.terminal().draw(|frame| facts = ui::draw(app, look, frame)).map_err(unpainted)?;
        self.stage.end_frame().map_err(gone)?;
        self.app.clamp_help(facts.help_last);
        (self.stale, self.painted_at) = (false, Some(Instant::now()));
        let effects = self.app.was_painted();
        self.perform(effects)
    }
}

fn unpainted(e: impl fmt::Display) -> Error {
    Error::new(Kind::Unsupported, format!("could not paint the terminal: {e}"))
}
