//! The one way to reach an account's thread: notes left for it, and the bell that ends its waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::event::Command;
use crate::model::FolderId;
use crate::net::Interrupt;

/// What an account's thread is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// The user asks for something.
    Command(Command),
    /// The queue of operations changed.
    Ops,
    /// Another process changed the store.
    Foreign,
    /// Bodies are missing, and this thread is to fetch them.
    Bodies,
    /// News of this folder is to be waited for, while there is nothing else to do; `None`: of none.
    Watch(Option<FolderId>),
    /// There may be news in this folder.
    News(FolderId),
}

/// The door of one account's thread; clones knock at the same door.
///
/// A channel would not do: ringing the bell in the middle of a command would end the session, so a note
/// rings it only while the thread rests, and "is it resting" and "ring" have to be one step.
#[derive(Debug, Clone)]
pub(super) struct Door {
    inside: Arc<Mutex<Inside>>,
    bell: Interrupt,
}

#[derive(Debug, Default)]
struct Inside {
    notes: VecDeque<Note>,
    resting: bool,
    halted: bool,
}

impl Door {
    pub(super) fn new() -> crate::Result<Self> {
        Ok(Self { inside: Arc::default(), bell: Interrupt::new()? })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // The state is valid at every step: a panic elsewhere does not spoil it.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a note; ends the thread's rest.
    pub(super) fn knock(&self, note: Note) {
        let mut inside = self.inside();
        if inside.notes.back() != Some(&note) {
            inside.notes.push_back(note);
        }
        if inside.resting {
            self.bell.ring();
        }
    }

    /// Ends whatever the thread waits for, a server's answer included, and every wait from now on.
    pub(super) fn halt(&self) {
        self.inside().halted = true;
        self.bell.ring();
    }

    /// Takes the notes.
    pub(super) fn take(&self) -> VecDeque<Note> {
        std::mem::take(&mut self.inside().notes)
    }

    /// Whether somebody waits for this thread to stop what it does.
    pub(super) fn is_urgent(&self) -> bool {
        let inside = self.inside();
        inside.halted || inside.notes.iter().any(|note| matches!(note, Note::Command(_) | Note::Ops))
    }

    /// Whether the thread is to end at once.
    pub(super) fn is_halted(&self) -> bool {
        self.inside().halted
    }

    /// The bell, for sessions: while the thread rests, a note rings it.
    pub(super) fn bell(&self) -> &Interrupt {
        &self.bell
    }

    /// Runs `wait`, which must end when the bell rings; not at all when there are notes to read.
    pub(super) fn rest<T>(&self, wait: impl FnOnce(&Interrupt) -> T) -> Option<T> {
        {
            let mut inside = self.inside();
            if !inside.notes.is_empty() || inside.halted {
                return None;
            }
            inside.resting = true;
        }
        let answer = wait(&self.bell);
        let mut inside = self.inside();
        inside.resting = false;
        if !inside.halted {
            self.bell.silence();
        }
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_note_ends_a_rest_but_rings_nothing_at_work() {
        let door = Door::new().unwrap();
        door.knock(Note::Ops);
        assert!(!door.bell().is_rung());
        assert_eq!(door.rest(|_| ()), None);
        assert_eq!(door.take(), [Note::Ops]);

        let far = door.clone();
        let (entered, wait_entered) = std::sync::mpsc::channel();
        let knocker = std::thread::spawn(move || {
            wait_entered.recv().unwrap();
            far.knock(Note::Foreign);
        });
        let rang = door.rest(|bell| {
            entered.send(()).unwrap();
            bell.wait(Some(Instant::now() + Duration::from_secs(20)))
        });
        knocker.join().unwrap();
        assert_eq!(rang, Some(true));
        assert!(!door.bell().is_rung());
        assert!(!door.is_urgent());
    }

    #[test]
    fn a_halt_stays() {
        let door = Door::new().unwrap();
        door.halt();
        assert!(door.bell().is_rung());
        assert_eq!(door.rest(|_| ()), None);
        assert!(door.is_urgent());
    }
}
