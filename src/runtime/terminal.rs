//! The terminal: taken in raw mode on its other screen, and given back on every way out.

use std::io::{self, BufWriter, Stdout, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Rect;

use super::vt::Vt;
use crate::error::{Error, Kind, Result};

/// What the loop draws on: the real terminal, or one in memory.
pub trait Stage {
    /// What ratatui draws with.
    type Backend: Backend;

    /// The terminal.
    fn terminal(&mut self) -> &mut Terminal<Self::Backend>;

    /// Before a frame is painted.
    fn begin_frame(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// After a frame was painted.
    fn end_frame(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Offers text to the clipboard of the terminal (OSC 52); whether it takes it is not told.
    fn yank(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    /// Gives the terminal back, stops the process, and takes the terminal again when it goes on.
    fn suspend(&mut self) -> Result<()> {
        Ok(())
    }

    /// Gives the terminal back for as long as another program has it.
    fn lend(&mut self) {}

    /// Takes the terminal again after someone else stopped the process.
    fn resume(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The real terminal. Dropping it gives the terminal back.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<Vt<BufWriter<Stdout>>>,
    taken: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal, and sees to it that a panic of this thread gives it back first.
    pub(super) fn take() -> Result<Self> {
        let taken = Arc::new(AtomicBool::new(false));
        hook_panics(Arc::clone(&taken));
        // One write a frame: a frame of a large screen fits.
        let out = BufWriter::with_capacity(128 * 1024, io::stdout());
        let terminal = Terminal::new(Vt::new(out)).map_err(no_terminal)?;
        let mut screen = Self { terminal, taken };
        screen.enter().map_err(no_terminal)?;
        Ok(screen)
    }

    /// Set while the terminal is taken: for whoever may have to give it back.
    pub(super) fn taken(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.taken)
    }

    /// Asks the terminal how far a mark of ambiguous width moved the cursor; the answer comes as input.
    pub(super) fn ask_width(&mut self, mark: &'static str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        queue!(out, cursor::MoveTo(0, 0))?;
        write!(out, "{mark}\x1b[6n\r \r")?;
        io::Write::flush(out)
    }

    fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        self.taken.store(true, Ordering::SeqCst);
        execute!(self.terminal.backend_mut(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        let size = self.terminal.size()?;
        // Not `clear`: that would wait for the terminal to tell where its cursor is.
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }
}

impl Stage for Screen {
    type Backend = Vt<BufWriter<Stdout>>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend> {
        &mut self.terminal
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    fn yank(&mut self, text: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        write!(out, "\x1b]52;c;{}\x07", BASE64.encode(text))?;
        io::Write::flush(out)
    }

    fn suspend(&mut self) -> Result<()> {
        give_back(&self.taken);
        let stopped = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
        self.enter().map_err(no_terminal)?;
        stopped.map_err(|e| Error::new(Kind::Unsupported, "could not suspend").because(e))
    }

    fn lend(&mut self) {
        give_back(&self.taken);
    }

    fn resume(&mut self) -> Result<()> {
        self.enter().map_err(no_terminal)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back(&self.taken);
    }
}

fn no_terminal(e: io::Error) -> Error {
    Error::new(Kind::Unsupported, "could not use this terminal").because(e)
}

/// Gives the terminal back as it was, once. Errors are of no use to anyone here.
pub(super) fn give_back(taken: &AtomicBool) {
    if taken.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ =
            execute!(out, EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

/// A panic of this thread gives the terminal back before it prints; one of another thread prints
/// nothing while the screen is in use, because it is caught and told there.
fn hook_panics(taken: Arc<AtomicBool>) {
    let screen = std::thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == screen {
            give_back(&taken);
        } else if taken.load(Ordering::SeqCst) {
            tracing::error!("a thread panicked: {info}");
            return;
        }
        before(info);
    }));
}
