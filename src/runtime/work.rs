//! The work thread: carries loads out one after the other, and of several for the same pane only the latest.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::desk::Drafter;
use super::inbox::Wakeup;
use super::loads::Loader;
use crate::app::effect::{Load, Loaded};
use crate::error::{Error, Kind, Result};
use crate::model::AccountId;
use crate::store::Reader;
use crate::text::Clean;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    loads: Option<Sender<Load>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(db: Reader, drafter: Drafter, inbox: Sender<Wakeup>) -> Result<Self> {
        let (loads, asked) = channel();
        let thread = std::thread::Builder::new()
            .name("work".to_owned())
            .spawn(move || run(Loader::new(db, drafter), &asked, &inbox))
            .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
        Ok(Self { loads: Some(loads), thread: Some(thread) })
    }

    pub(super) fn ask(&self, load: Load) {
        if let Some(loads) = &self.loads {
            // The thread ends only with this value.
            let _ = loads.send(load);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.loads = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut loader: Loader, asked: &Receiver<Load>, inbox: &Sender<Wakeup>) {
    while let Ok(first) = asked.recv() {
        let mut waiting = vec![first];
        waiting.extend(asked.try_iter());
        for load in latest(waiting) {
            let ticket = load.ticket();
            let loaded = catch_unwind(AssertUnwindSafe(|| loader.load(load)));
            let loaded = loaded.unwrap_or_else(|_| ticket.failed());
            if inbox.send(Wakeup::Loaded(loaded)).is_err() {
                return;
            }
        }
    }
}

/// Drops every load that a later one makes useless. What writes files is never dropped.
fn latest(loads: Vec<Load>) -> Vec<Load> {
    let last_mail = loads.iter().rposition(|l| matches!(l, Load::Mail { .. }));
    let last_all = loads.iter().rposition(|l| matches!(l, Load::Gather { .. }));
    let last_rank = loads.iter().rposition(|l| matches!(l, Load::Rank { .. }));
    let last_count = loads.iter().rposition(|l| matches!(l, Load::Cleanable { .. }));
    let wanted = |at: usize, load: &Load| match load {
        Load::Mail { .. } => Some(at) == last_mail,
        Load::Gather { .. } => Some(at) == last_all,
        Load::Rank { .. } => Some(at) == last_rank,
        Load::Cleanable { .. } => Some(at) == last_count,
        Load::Save { .. }
        | Load::Browse { .. }
        | Load::Give { .. }
        | Load::Draft(_)
        | Load::Files { .. }
        | Load::People { .. } => true,
    };
    loads.into_iter().enumerate().filter(|(at, load)| wanted(*at, load)).map(|(_, load)| load).collect()
}

/// Enough of a load to answer that it failed.
enum Asked {
    Mail(u64),
    Gather(u64),
    Rank(u64),
    Cleanable(AccountId),
    Save,
    Browse,
    Give,
    Draft,
    Files(String),
    People(String),
}

impl Load {
    fn ticket(&self) -> Asked {
        match self {
            Self::Mail { ticket, .. } => Asked::Mail(*ticket),
            Self::Gather { ticket, .. } => Asked::Gather(*ticket),
            Self::Rank { ticket, .. } => Asked::Rank(*ticket),
            Self::Cleanable { account } => Asked::Cleanable(*account),
            Self::Save { .. } => Asked::Save,
            Self::Give { .. } => Asked::Give,
            Self::Browse { .. } => Asked::Browse,
            Self::Draft(_) => Asked::Draft,
            Self::Files { dir } => Asked::Files(dir.clone()),
            Self::People { typed } => Asked::People(typed.clone()),
        }
    }
}

impl Asked {
    fn failed(self) -> Loaded {
        let why = Clean::fixed("a mistake of this program: the log says more");
        match self {
            Self::Mail(ticket) => Loaded::Mail { ticket, result: Err(why) },
            Self::Rank(ticket) => Loaded::Ranked { ticket, result: Err(why) },
            Self::Gather(ticket) => Loaded::Gathered { ticket, result: Err(why) },
            Self::Cleanable(account) => Loaded::Cleanable { account, result: Err(why) },
            Self::Save => Loaded::Saved(Err(why)),
            Self::Give => Loaded::Given(Err(why)),
            Self::Browse => Loaded::Browsed(Err(why)),
            Self::Files(dir) => Loaded::Files { dir, names: Vec::new() },
            Self::People(typed) => Loaded::People { typed, result: Err(why) },
            Self::Draft => Loaded::Drafted(Err(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::effect::{Piece, Wish};
    use crate::model::MessageId;

    #[test]
    fn only_the_latest_mail_is_laid_out_and_every_file_is_written() {
        let message = MessageId(1);
        let mail = |ticket| Load::Mail {
            ticket,
            wish: Wish { message, width: 80, html: false, all_headers: false, all_quotes: false, raw: false },
        };
        let save = || Load::Save { message, what: Piece::Mail, dir: "x".into() };
        let left = latest(vec![mail(1), save(), mail(2), save(), mail(3)]);
        assert_eq!(left, [save(), save(), mail(3)]);
    }
}
