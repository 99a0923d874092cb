//! Where mail can go: the folders of every account by their names, and which of them is meant.

use super::App;
use super::action::Action;
use super::command::are_in_order;
use super::scope::Focus;
use super::tags::Again;
use crate::model::{FolderId, View};

/// A folder that mail can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) folder: FolderId,
    /// `Archive`; where there are several accounts `home/Archive`.
    pub(super) name: String,
}

/// How well a name answers what was typed; the lower, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is its last level.
    Level,
    /// Its last level begins with it.
    Begins,
    /// It is in its last level.
    InLevel,
    /// It is somewhere in it.
    Within,
    /// Its letters come in this order.
    Letters,
}

/// The names that may be meant, best first; of equal ones in the order given.
#[must_use]
pub fn ranked<'a>(names: &'a [String], typed: &str) -> Vec<&'a String> {
    let typed = typed.trim().to_lowercase();
    let mut found: Vec<_> = names.iter().filter_map(|name| Some((fit(name, &typed)?, name))).collect();
    found.sort_by_key(|(fit, _)| *fit);
    found.into_iter().map(|(_, name)| name).collect()
}

fn fit(name: &str, typed: &str) -> Option<Fit> {
    let name = name.to_lowercase();
    let level = name.rsplit('/').next().unwrap_or_default();
    Some(match () {
        () if level == typed => Fit::Level,
        () if level.starts_with(typed) => Fit::Begins,
        () if level.contains(typed) => Fit::InLevel,
        () if name.contains(typed) => Fit::Within,
        () if are_in_order(typed, &name) => Fit::Letters,
        () => return None,
    })
}

impl App {
    /// Where the mail at hand can go: where mail went last, its own account, the others.
    pub(super) fn places(&self) -> Vec<Place> {
        let mail = if self.focus == Focus::Reader { self.reader.mail() } else { None };
        let own = mail.or_else(|| self.list.current().map(|e| &e.row().head)).map(|mail| mail.account);
        let several = self.accounts.all.len() > 1;
        let mut accounts: Vec<_> = self.accounts.all.iter().collect();
        accounts.sort_by_key(|account| Some(account.id) != own);
        let name = |account: &super::accounts::Account, path: &str| {
            if several { format!("{}/{path}", account.name) } else { path.to_owned() }
        };
        let mut places: Vec<_> = accounts
            .into_iter()
            .flat_map(|account| account.folders.iter().map(move |folder| (account, folder)))
            .filter(|(_, folder)| folder.selectable && self.list.view() != Some(View::Folder(folder.id)))
            .map(|(account, folder)| Place { folder: folder.id, name: name(account, folder.path.as_str()) })
            .collect();
        if let Some(Again::Transfer(last, _)) = &self.again {
            places.sort_by_key(|place| place.folder != *last);
        }
        places
    }

    /// The folder that is meant by what was typed, other than the one that is shown.
    pub(super) fn meant(&self, typed: &str) -> Option<FolderId> {
        let places = self.places();
        let names: Vec<String> = places.iter().map(|place| place.name.clone()).collect();
        let same = names.iter().find(|name| name.to_lowercase() == typed.to_lowercase());
        let meant = same.or_else(|| ranked(&names, typed).first().copied())?;
        places.iter().find(|place| place.name == *meant).map(|place| place.folder)
    }

    /// Moves or copies to the folder that is meant; asks where nothing was typed.
    pub(super) fn transfer(&mut self, typed: &str, away: bool) {
        if typed.is_empty() {
            let line = if away { "move " } else { "copy " };
            return self.run(Action::CommandLine(line.to_owned()));
        }
        match self.meant(typed) {
            Some(folder) => self.transfer_to(folder, away, 1),
            None => self.fail(&format!("no folder is called `{typed}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_level_counts_most_and_the_order_given_decides() {
        let names =
            ["work/Archive", "work/Lists/Rust", "home/Archive", "home/Rusty nails"].map(str::to_owned);
        let best = |typed: &str| ranked(&names, typed).into_iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(best("arch"), ["work/Archive", "home/Archive"]);
        assert_eq!(best("home/arch"), ["home/Archive"]);
        assert_eq!(best("h arch"), ["work/Archive", "home/Archive"][1..]);
        assert_eq!(best("RUST"), ["work/Lists/Rust", "home/Rusty nails"]);
        assert_eq!(best("lists"), ["work/Lists/Rust"]);
        assert_eq!(best("xyz"), Vec::<&str>::new());
        assert_eq!(best("").len(), 4);
    }
}
