//! How mail leaves Trash for good: all of it by one command, and what the question says about where.

use std::collections::HashSet;

use super::App;
use super::select::Goal;
use super::triage::Deed;
use crate::model::{AccountId, Intent, PlacementId, Role, View};
use crate::store::{Extent, Gathered};

impl App {
    /// Counts what lies in Trash, of all accounts from a view of all accounts, else of the account at hand; the
    /// question follows once it was counted.
    pub(super) fn empty_trash(&mut self) {
        let view = match self.list.view() {
            Some(View::Unified(_) | View::Starred | View::Unread | View::Snoozed) => {
                View::Unified(Role::Trash)
            }
            _ => {
                let Some(account) = self.account_at_hand().and_then(|id| self.accounts.get(id)) else {
                    return;
                };
                match account.folders.iter().find(|folder| folder.role == Some(Role::Trash)) {
                    Some(folder) => View::Folder(folder.id),
                    None => {
                        let text = format!("{} has no folder for Trash", account.name);
                        return self.say(&text);
                    }
                }
            }
        };
        self.gather_in(view, Extent::Every, Goal::Empty);
    }

    /// Asks, with what was counted: what comes into Trash meanwhile stays there (promise A5).
    pub(super) fn ask_to_empty(&mut self, view: View, all: &Gathered) {
        let items: Vec<PlacementId> =
            all.rows.iter().flat_map(|(_, members)| members).map(|member| member.placement).collect();
        if items.is_empty() {
            return self.say("Trash is empty");
        }
        if self.overlay.is_some() {
            // A key that was meant for what stands there must not be a yes.
            return self.say("Trash was not emptied: something else is open");
        }
        let (place, accounts) = match view {
            View::Unified(_) | View::Starred | View::Unread | View::Snoozed => {
                let has_trash =
                    |a: &&super::accounts::Account| a.folders.iter().any(|f| f.role == Some(Role::Trash));
                let accounts = self.accounts.live().filter(has_trash).map(|a| a.id).collect();
                ("every Trash".to_owned(), accounts)
            }
            View::Folder(folder) => {
                let Some(folder) = self.accounts.folder(folder) else { return };
                let name = self.accounts.get(folder.account).map(|a| a.name.to_string()).unwrap_or_default();
                let several = self.accounts.are_several();
                let place = if several { format!("{name}/{}", folder.path) } else { folder.path.to_string() };
                (place, vec![folder.account])
            }
        };
        let mails = match items.len() {
            1 => "the one mail".to_owned(),
            count if all.is_whole => format!("all {count} mails"),
            count => format!("the newest {count} mails"),
        };
        let text = format!("Delete {mails} in {place} for good, {}? y/n", self.goes_from(&accounts));
        // Nothing that is shown leaves, unless it is Trash that is shown.
        let is_shown = self.list.view() == Some(view);
        let leaving: HashSet<_> = if is_shown { items.iter().copied().collect() } else { HashSet::new() };
        self.ask(&text, Deed { intent: Intent::Purge { items }, leaving });
    }

    /// The accounts of the list that is shown.
    pub(super) fn accounts_shown(&self) -> Vec<AccountId> {
        match self.list.view() {
            Some(View::Unified(_) | View::Starred | View::Unread | View::Snoozed) => {
                self.accounts.live().map(|account| account.id).collect()
            }
            _ => self.account_at_hand().into_iter().collect(),
        }
    }

    /// From where mail of these accounts goes when it is deleted for good.
    pub(super) fn goes_from(&self, accounts: &[AccountId]) -> &'static str {
        let from = |id: &AccountId| match self.accounts.get(*id) {
            Some(account) if account.is_here && !account.is_maildrop => "here",
            Some(account) if account.is_maildrop => {
                let me = self.accounts.me.iter().find(|me| me.account == account.name.as_str());
                if me.is_none_or(|me| me.deletes_there) { BOTH } else { "here, not on the server" }
            }
            _ => BOTH,
        };
        let mut places = accounts.iter().map(from);
        let first = places.next().unwrap_or("here");
        if places.all(|place| place == first) { first } else { "here and on servers" }
    }
}

const BOTH: &str = "here and on the server";
