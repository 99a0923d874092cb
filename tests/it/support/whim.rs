//! A user who acts by chance, and what became of it: for stories that nobody wrote.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mailtui::model::{
    AccountId, FlagDelta, Flags, Folder, FolderId, Intent, PlacementId, Role, Target, View,
};
use mailtui::store::{Edge, Reader, Store};

use super::chance::Chance;

pub const ROLES: [Role; 4] = [Role::Inbox, Role::Archive, Role::Trash, Role::Sent];
/// Folders that come and go.
pub const PATHS: [&str; 6] = ["Work", "Work/a", "Work/a/b", "Old", "Old/a", "New"];
const TAGS: [&str; 3] = ["todo", "later", "urgent"];
pub const FLAGS: [Flags; 3] = [Flags::SEEN, Flags::FLAGGED, Flags::ANSWERED];

/// What happened, told by all who act.
#[derive(Debug, Clone, Default)]
pub struct Tale(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    lines: Vec<String>,
    gone: BTreeSet<u32>,
    copied: BTreeSet<u32>,
    /// By each who acts.
    moved: [BTreeSet<u32>; 2],
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

    /// One of two moves these seeds. A server may carry out the MOVEs of both, when they come at the same moment:
    /// then both places have a copy.
    pub fn carry(&self, who: usize, seeds: &[u32]) {
        self.0.lock().unwrap().moved[who].extend(seeds);
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().lines.clone()
    }

    pub fn gone(&self) -> BTreeSet<u32> {
        self.0.lock().unwrap().gone.clone()
    }

    pub fn copied(&self) -> BTreeSet<u32> {
        let told = self.0.lock().unwrap();
        let [one, other] = &told.moved;
        told.copied.iter().chain(one.intersection(other)).copied().collect()
    }
}

/// The user.
pub struct Whim {
    pub chance: Chance,
    pub tale: Tale,
    /// A move may leave two copies where another meddles: on a server without MOVE.
    pub moves_copy: bool,
    /// Shapes folders too, and works in them.
    pub shapes: bool,
    /// Does nothing that cannot be taken back.
    pub careful: bool,
}

impl Whim {
    pub fn new(chance: Chance, tale: Tale) -> Self {
        Self { chance, tale, moves_copy: false, shapes: false, careful: false }
    }

    /// A folder of the account: of a role, or any.
    fn place(&mut self, reader: &Reader, account: AccountId) -> Option<Folder> {
        if self.shapes {
            let all = reader.folders(account).unwrap();
            return Some(self.chance.pick(&all).clone());
        }
        let role = *self.chance.pick(&ROLES);
        reader.folder_by_role(account, role).unwrap()
    }

    /// Up to three of the mails that the user sees in a folder.
    fn visible(&mut self, reader: &Reader, folder: FolderId) -> (Vec<PlacementId>, Vec<u32>) {
        let page = reader.page(View::Folder(folder), Edge::Top, 1000).unwrap();
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

    /// Some change to folders. What makes no sense is refused.
    fn shape(&mut self, account: AccountId, folder: FolderId) -> Intent {
        let path = (*self.chance.pick(&PATHS)).to_owned();
        match self.chance.below(5) {
            0 | 1 => Intent::MakeFolder { account, path },
            2 => Intent::RenameFolder { folder, path },
            3 => Intent::DeleteFolder { folder, to_trash: self.chance.below(3) > 0 },
            _ => Intent::Subscribe { folder, on: self.chance.below(2) == 0 },
        }
    }

    fn tags(&mut self) -> Vec<String> {
        let count = self.chance.below(3);
        (0..count).map(|_| (*self.chance.pick(&TAGS)).to_owned()).collect()
    }

    /// Does something.
    pub fn act(&mut self, store: &Store, reader: &Reader) {
        let account = reader.accounts().unwrap()[0].id;
        let (Some(from), Some(to)) = (self.place(reader, account), self.place(reader, account)) else {
            return;
        };
        let (items, seeds) = self.visible(reader, from.id);
        let (from, to) = (from.id, Target::Folder(to.id));
        let intent = match self.chance.below(if self.shapes { 20 } else { 12 }) {
            0..=3 => Intent::Flag { items, delta: self.delta(), undoable: true },
            4..=6 => {
                if self.moves_copy {
                    self.tale.copy(&seeds);
                }
                self.tale.carry(0, &seeds);
                Intent::Move { items, to }
            }
            7 => {
                self.tale.copy(&seeds);
                Intent::Copy { items, to }
            }
            8 | 9 => Intent::Undo,
            10 => Intent::Redo,
            11 if !self.careful => {
                self.tale.remove(&seeds);
                Intent::Purge { items }
            }
            12..=14 => Intent::Tag { items, add: self.tags(), del: self.tags() },
            _ => self.shape(account, from),
        };
        let outcome = store.intend_wait(intent.clone());
        self.tale.tell(format!("    I: {intent:?} in {from:?} of {seeds:?}: {outcome:?}"));
    }
}
