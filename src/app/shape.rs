//! Folders made, renamed, removed, subscribed to: what is typed, and what is asked before.

use std::collections::HashSet;

use super::App;
use super::action::Action;
use super::triage::Deed;
use crate::model::{Folder, Intent, View};

impl App {
    /// The folder that is shown, if it is one.
    pub(super) fn folder_at_hand(&self) -> Option<&Folder> {
        match self.list.view()? {
            View::Folder(folder) => self.accounts.folder(folder),
            View::Unified(_) | View::Starred | View::Unread | View::Snoozed => None,
        }
    }

    /// Makes a folder in the account at hand.
    pub(super) fn make_folder(&mut self, path: String) {
        if path.is_empty() {
            return self.run(Action::CommandLine("mkdir ".to_owned()));
        }
        // Of mail of all accounts nobody can tell which account is meant.
        let named = path.split_once('/').and_then(|(name, rest)| {
            let account = self.accounts.live().find(|account| account.name.as_str() == name)?;
            Some((account.id, rest.to_owned()))
        });
        let (account, path) = match (self.list.view(), named) {
            (Some(View::Unified(_) | View::Starred | View::Unread | View::Snoozed) | None, Some(named)) => {
                named
            }
            (Some(View::Unified(_) | View::Starred | View::Unread | View::Snoozed), None)
                if self.accounts.are_several() =>
            {
                let name = self.accounts.live().next().map(|a| a.name.to_string()).unwrap_or_default();
                return self.say(&format!("Name the account too, as in `:mkdir {name}/{path}`"));
            }
            _ => match self.account_at_hand() {
                Some(account) => (account, path),
                None => return,
            },
        };
        self.do_to_folders(Intent::MakeFolder { account, path });
    }

    pub(super) fn rename_folder(&mut self, path: String) {
        let Some(folder) = self.folder_at_hand() else { return };
        if path.is_empty() {
            let line = format!("rename-folder {}", folder.path);
            return self.run(Action::CommandLine(line));
        }
        let folder = folder.id;
        self.do_to_folders(Intent::RenameFolder { folder, path });
    }

    /// An empty folder goes at once, as undo brings it back; one with mail after a question.
    pub(super) fn delete_folder(&mut self) {
        let Some(folder) = self.folder_at_hand() else { return };
        let intent = Intent::DeleteFolder { folder: folder.id, to_trash: folder.total > 0 };
        if folder.total == 0 || folder.role.is_some() {
            return self.do_to_folders(intent);
        }
        let mails =
            if folder.total == 1 { "its mail".to_owned() } else { format!("its {} mails", folder.total) };
        let text = format!("Move {mails} to Trash and remove {}? y/n", folder.path);
        self.ask(&text, Deed { intent, leaving: HashSet::new() });
    }

    pub(super) fn subscribe(&mut self, on: bool) {
        let Some(folder) = self.folder_at_hand().map(|folder| folder.id) else { return };
        self.do_to_folders(Intent::Subscribe { folder, on });
    }

    fn do_to_folders(&mut self, intent: Intent) {
        self.carry_out(Deed { intent, leaving: HashSet::new() });
    }

    /// Whether a view is of a folder that is not there any more.
    pub(super) fn is_lost(&self, view: View) -> bool {
        matches!(view, View::Folder(folder) if self.accounts.folder(folder).is_none())
    }

    /// Leaves a folder that is not there any more.
    pub(super) fn leave_lost_folder(&mut self) {
        if self.list.view().is_some_and(|view| self.is_lost(view)) {
            self.reader.close();
            if self.focus == super::scope::Focus::Reader {
                self.focus = super::scope::Focus::List;
            }
            self.open_first();
        }
    }
}
