//! The one inbox of the thread of the screen, and what can lie in it.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::decode::Input;
use crate::app::compose::Written;
use crate::app::effect::Loaded;
use crate::engine::Event;
use crate::model::DraftId;
use crate::store::Changed;
use crate::text::Clean;

/// Something that the screen has to look at.
#[derive(Debug)]
pub enum Wakeup {
    /// A key, a paste or an answer of the terminal.
    Input(Input),
    /// The terminal has another size.
    Resize,
    /// The program was stopped by someone else and goes on.
    Resumed,
    /// Someone asks the program to stop for a while.
    Suspend,
    /// Someone asks the program to end: the signal.
    Ended(i32),
    /// The terminal is gone.
    HungUp,
    /// An engine tells something.
    Engine(Event),
    /// The store changed.
    Changed(Changed),
    /// A load is done.
    Loaded(Loaded),
    /// An editor beside the screen ended: with what it left, or why that is not taken.
    Edited(DraftId, Result<Written, Clean>),
}

/// Where everything arrives. Make it first: the engines and the store need its bells.
#[derive(Debug)]
pub struct Inbox {
    pub(super) bell: Sender<Wakeup>,
    pub(super) wakeups: Receiver<Wakeup>,
}

impl Inbox {
    /// An empty inbox.
    #[must_use]
    pub fn new() -> Self {
        let (bell, wakeups) = channel();
        Self { bell, wakeups }
    }

    /// What engines are given to tell their events to.
    pub fn events(&self) -> impl Fn(Event) + Send + Sync + Clone + use<> {
        let bell = self.bell.clone();
        move |event| {
            // A screen that ended needs no news.
            let _ = bell.send(Wakeup::Engine(event));
        }
    }

    /// What the store is given to tell changes to.
    pub fn changes(&self) -> impl Fn(&Changed) + Send + Sync + use<> {
        let bell = self.bell.clone();
        move |changed| {
            let _ = bell.send(Wakeup::Changed(changed.clone()));
        }
    }

    /// Puts something in, as the threads of the runtime do; for tests and other front ends.
    #[must_use]
    pub fn bell(&self) -> Sender<Wakeup> {
        self.bell.clone()
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}
