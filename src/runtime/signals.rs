//! The thread that hears signals and puts them into the inbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};

use super::inbox::Wakeup;
use super::terminal::give_back;
use crate::error::{Error, Kind, Result};

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Ears {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Ears {
    /// Starts to listen. A second wish to end, when the first was not heard, gives the terminal back
    /// and ends at once.
    pub(super) fn open(inbox: Sender<Wakeup>, taken: Arc<AtomicBool>) -> Result<Self> {
        let failed = |e| Error::new(Kind::Bug, "could not listen to signals").because(e);
        let mut signals =
            Signals::new([SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP, SIGINT]).map_err(failed)?;
        let handle = signals.handle();
        let hear = move || {
            let mut ending = false;
            for signal in signals.forever() {
                let wakeup = match signal {
                    SIGWINCH => Wakeup::Resize,
                    // The terminal is lent: an interrupt is for who has it, and who stops stops with this.
                    SIGINT if !taken.load(Ordering::SeqCst) && !ending => continue,
                    SIGTSTP if !taken.load(Ordering::SeqCst) => {
                        let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
                        continue;
                    }
                    SIGTSTP => Wakeup::Suspend,
                    SIGCONT => Wakeup::Resumed,
                    SIGTERM | SIGINT if ending => {
                        give_back(&taken);
                        let _ = signal_hook::low_level::emulate_default_handler(signal);
                        return;
                    }
                    other => {
                        ending = true;
                        Wakeup::Ended(other)
                    }
                };
                let _ = inbox.send(wakeup);
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(hear).map_err(failed)?;
        Ok(Self { handle, thread: Some(thread) })
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
