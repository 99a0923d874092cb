//! A user who acts by chance, and what became of it: for stories that nobody wrote.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mailtui::model::{FlagDelta, Flags, Intent, PlacementId, Role, Target, View};
use mailtui::store::{Edge, Reader, Store};

use super::chance::Chance;

pub const ROLES: [Role; 4] = [Role::Inbox, Role::Archive, Role::Trash, Role::Sent];
pub const FLAGS: [Flags; 3] = [Flags::SEEN, Flags::FLAGGED, Flags::ANSWERED];

/// What happened, told by all who act.
#[derive(Debug, Clone, Default)]
pub struct Tale(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    lines: Vec<String>,
    gone: BTreeSet<u32>,
    copied: BTreeSet<u32>,
}

impl Tale {
    pub fn tell(&self, what: String) {
        self.0.lock().unwrap().lines.push(what);
    }

    /// Somebody means to remove these seeds for good.
    pub fn remove(&self, seeds: &[u32]) {
        self.0.lock().unwrap().gone.extend(seeds);
    }

    /// Somebody makes second copies of these seeds.
    pub fn copy(&self, seeds: &[u32]) {
        self.0.lock().unwrap().copied.extend(seeds);
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().lines.clone()
    }

    pub fn gone(&self) -> BTreeSet<u32> {
        self.0.lock().unwrap().gone.clone()
    }

    pub fn copied(&self) -> BTreeSet<u32> {
        self.0.lock().unwrap().copied.clone()
    }
}

/// The user.
pub struct Whim {
    pub chance: Chance,
    pub tale: Tale,
    /// A move may leave two copies where another meddles: on a server without MOVE.
    pub moves_copy: bool,
}

impl Whim {
    pub fn new(chance: Chance, tale: Tale) -> Self {
        Self { chance, tale, moves_copy: false }
    }

    /// Up to three of the mails that the user sees in a folder.
    fn visible(&mut self, reader: &Reader, role: Role) -> (Vec<PlacementId>, Vec<u32>) {
        let account = reader.accounts().unwrap()[0].id;
        let Some(folder) = reader.folder_by_role(account, role).unwrap() else { return Default::default() };
        let page = reader.page(View::Folder(folder.id), Edge::Top, 1000).unwrap();
        let mut all: Vec<_> = page.rows.iter().flat_map(|row| &row.members).map(|m| m.placement).collect();
        self.chance.shuffle(&mut all);
        all.truncate(1 + usize::try_from(self.chance.below(3)).unwrap());
        // Another may have taken it since the page was read.
        let seed = |id: &PlacementId| {
            let summary = reader.summary(*id).unwrap()?;
            summary.subject.as_str().strip_prefix("seed ")?.parse().ok()
        };
        let seeds = all.iter().filter_map(seed).collect();
        (all, seeds)
    }

    /// Flags for some, in any case.
    fn delta(&mut self) -> FlagDelta {
        let flag = *self.chance.pick(&FLAGS);
        if self.chance.below(2) == 0 { FlagDelta::add(flag) } else { FlagDelta::del(flag) }
    }

    /// Does something.
    pub fn act(&mut self, store: &Store, reader: &Reader) {
        let role = *self.chance.pick(&ROLES);
        let (items, seeds) = self.visible(reader, role);
        let to = *self.chance.pick(&ROLES);
        let intent = match self.chance.below(12) {
            0..=3 => Intent::Flag { items, delta: self.delta(), undoable: true },
            4..=6 => {
                if self.moves_copy {
                    self.tale.copy(&seeds);
                }
                Intent::Move { items, to: Target::Role(to) }
            }
            7 => {
                self.tale.copy(&seeds);
                Intent::Copy { items, to: Target::Role(to) }
            }
            8 | 9 => Intent::Undo,
            10 => Intent::Redo,
            _ => {
                self.tale.remove(&seeds);
                Intent::Purge { items }
            }
        };
        let outcome = store.intend_wait(intent.clone());
        self.tale.tell(format!("    I: {intent:?} in {role:?} of {seeds:?}: {outcome:?}"));
    }
}
