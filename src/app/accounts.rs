//! The accounts as the screen knows them: names, what they are doing, how far they are.

use std::time::Instant;

use crate::engine::{AccountState, Event, Progress};
use crate::error::Result;
use crate::model::{AccountId, Folder, Owner, Quota};
use crate::store::{Reader, Waiting};
use crate::text::Clean;

/// One account on the screen.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its row in the store.
    pub id: AccountId,
    /// Its name.
    pub name: Clean,
    /// When all of it was last in step, Unix time; 0: never.
    pub in_step_at: i64,
    /// What is done to its mail stays here, as the server knows of nothing but the mail (promise P12).
    pub is_maildrop: bool,
    /// This machine holds the truth of its folders and flags.
    pub is_here: bool,
    /// The configuration does not name it any more: its mail stays, apart from that of the others.
    pub is_parked: bool,
    /// How much room it has on its server, where that is told.
    pub quota: Option<Quota>,
    /// What its engine is doing.
    pub state: AccountState,
    /// How far a long piece of work is.
    pub progress: Option<Progress>,
    /// What its server has not heard yet, and what waits for the user.
    pub waiting: Waiting,
    /// Its folders: those with a role first, then by name.
    pub folders: Vec<Folder>,
}

/// Who the user is: what is shown as `me`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name of the account.
    pub account: String,
    /// The address.
    pub email: String,
    /// The display name.
    pub name: String,
    /// What is deleted here for good is deleted on its server too.
    pub deletes_there: bool,
}

/// Every account.
#[derive(Debug, Default)]
pub struct Accounts {
    /// In the order of the configuration; those that it does not name behind them.
    pub all: Vec<Account>,
    /// Whose names are `me`.
    pub me: Vec<Identity>,
}

/// What one look at the accounts tells, in one word: the dot in the folder pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dot {
    /// In step.
    Good,
    /// At work.
    Busy,
    /// No way to the server.
    Off,
    /// Waits for the user.
    Bad,
    /// The configuration does not name it any more.
    Parked,
}

impl Account {
    /// The dot beside its name.
    #[must_use]
    pub fn dot(&self) -> Dot {
        match self.state {
            _ if self.is_parked => Dot::Parked,
            AccountState::Resting | AccountState::Watching | AccountState::Elsewhere { .. } => Dot::Good,
            AccountState::Connecting | AccountState::Syncing => Dot::Busy,
            AccountState::Offline { .. } => Dot::Off,
            AccountState::Paused { .. } => Dot::Bad,
        }
    }
}

impl Accounts {
    /// Reads the accounts and their folders.
    pub fn read(&mut self, db: &Reader) -> Result<()> {
        let mut old = std::mem::take(&mut self.all);
        let health = db.health()?;
        for row in db.accounts()? {
            let known = old.iter().position(|a| a.id == row.id).map(|at| old.swap_remove(at));
            let mut account = known.unwrap_or_else(|| Account {
                id: row.id,
                name: Clean::line(&row.name),
                in_step_at: 0,
                is_here: row.owner == Owner::Here,
                is_maildrop: row.owner == Owner::Here && row.protocol != "local",
                is_parked: false,
                quota: None,
                state: AccountState::Resting,
                progress: None,
                waiting: Waiting::default(),
                folders: Vec::new(),
            });
            account.is_parked = row.is_parked;
            let health = health.iter().find(|health| health.id == row.id);
            account.in_step_at = health.map_or(0, |health| health.in_step_at);
            account.quota = health.and_then(|health| health.about.quota);
            account.folders = sorted(db.folders(row.id)?);
            account.waiting = db.waiting(row.id)?;
            self.all.push(account);
        }
        let place = |a: &Account| self.me.iter().position(|i| i.account == a.name.as_str());
        self.all.sort_by_key(|a| (a.is_parked, place(a).unwrap_or(usize::MAX), a.id));
        Ok(())
    }

    /// Takes in what an engine tells.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::State { account, state } => {
                if let Some(a) = self.get_mut(*account) {
                    a.state = state.clone();
                }
            }
            Event::Progress { account, progress } => {
                if let Some(a) = self.get_mut(*account) {
                    a.progress.clone_from(progress);
                }
            }
            Event::Arrived { .. }
            | Event::Synced { .. }
            | Event::Trouble { .. }
            | Event::Alert { .. }
            | Event::Sent { .. }
            | Event::Found { .. } => {}
        }
    }

    /// The account with this row.
    #[must_use]
    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.all.iter().find(|a| a.id == id)
    }

    fn get_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.all.iter_mut().find(|a| a.id == id)
    }

    /// The accounts that the configuration names.
    pub fn live(&self) -> impl Iterator<Item = &Account> {
        self.all.iter().filter(|a| !a.is_parked)
    }

    /// Whether there is mail of several accounts to be shown together.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.live().count() > 1
    }

    /// The folder with this row.
    #[must_use]
    pub fn folder(&self, id: crate::model::FolderId) -> Option<&Folder> {
        self.all.iter().flat_map(|a| &a.folders).find(|f| f.id == id)
    }

    /// Whether a name or an address is the user's own.
    #[must_use]
    pub fn is_me(&self, name: &str) -> bool {
        let same = |own: &str| !own.is_empty() && own.eq_ignore_ascii_case(name);
        self.me.iter().any(|i| same(&i.email) || same(&i.name))
    }

    /// The long piece of work to show: the one that has most to do.
    #[must_use]
    pub fn progress(&self) -> Option<(&Account, &Progress)> {
        let running = self.all.iter().filter_map(|a| Some((a, a.progress.as_ref()?)));
        running.max_by_key(|(_, p)| p.total.saturating_sub(p.done))
    }
}

/// Bytes a second, and seconds left, as far as can be told after a second of work.
#[must_use]
pub fn pace(progress: &Progress, now: Instant) -> Option<(u64, u64)> {
    let passed = now.saturating_duration_since(progress.since).as_secs_f64();
    if passed < 1.0 || progress.done == 0 {
        return None;
    }
    let left = progress.total.saturating_sub(progress.done) as f64 * passed / progress.done as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both are small and not negative"
    )]
    Some(((progress.bytes as f64 / passed) as u64, left as u64))
}

fn sorted(mut folders: Vec<Folder>) -> Vec<Folder> {
    folders.sort_by_cached_key(|f| (f.role.is_none(), f.role, f.path.as_str().to_lowercase()));
    folders
}
