//! Going places: panes, folders, views, and back.

use super::action::{Action, Motion};
use super::effect::Effect;
use super::folders;
use super::layout::{Split, TALL};
use super::scope::Focus;
use super::{App, LAYOUT};
use crate::engine;
use crate::model::{AccountId, Folder, Role, View};

/// Jumps that are remembered.
const JUMPS: usize = 100;

impl App {
    /// The account at hand: of the folder that is shown, else of the mail under the cursor, else the first.
    pub(super) fn account_at_hand(&self) -> Option<AccountId> {
        let of_view = match self.list.view() {
            Some(View::Folder(folder)) => self.accounts.folder(folder).map(|f| f.account),
            _ => self.list.current().map(|e| e.row().head.account),
        };
        of_view.or_else(|| self.accounts.all.first().map(|a| a.id))
    }

    /// What the shown folder is for.
    #[must_use]
    pub fn view_role(&self) -> Option<Role> {
        match self.list.view()? {
            View::Folder(folder) => self.accounts.folder(folder)?.role,
            View::Unified(role) => Some(role),
            View::Starred | View::Unread | View::Snoozed => None,
        }
    }

    /// Opens a view from its top, and notes where it was left.
    pub(super) fn go_view(&mut self, view: View) {
        if self.focus == Focus::Reader {
            self.focus = Focus::List;
        }
        if self.list.view() == Some(view) {
            return;
        }
        if let Some(from) = self.list.view() {
            self.jumps.push((from, self.list.spot()));
            let over = self.jumps.len().saturating_sub(JUMPS);
            self.jumps.drain(..over);
        }
        self.show_view(view);
    }

    fn show_view(&mut self, view: View) {
        self.whole_thread = false;
        self.forget_ranks();
        let result = self.list.open(&self.db, view);
        self.told(result);
        self.look(view);
        self.keep_place();
        self.rank();
    }

    /// Tells the engines which folders the user looks at.
    pub(super) fn look(&mut self, view: View) {
        let folders = self.accounts.all.iter().flat_map(|a| &a.folders).filter(|f| match view {
            View::Folder(folder) => f.id == folder,
            // Inboxes come first anyway.
            View::Unified(role) => role != Role::Inbox && f.role == Some(role),
            View::Starred | View::Unread | View::Snoozed => false,
        });
        let look = |f: &Folder| engine::Command::Look { account: f.account, folder: f.id };
        self.effects.extend(folders.map(|f| Effect::Engine(look(f))));
    }

    /// To the folder of a role: from a view of all accounts to that of all accounts, and from that to the one
    /// of the account at hand; from a folder to the one of its account.
    pub(super) fn go_role(&mut self, role: Role) {
        if let Some(View::Unified(shown)) = self.list.view()
            && shown != role
        {
            if !self.accounts.live().flat_map(|a| &a.folders).any(|f| f.role == Some(role)) {
                return self.say(&format!("No account has a folder for {}", role.title()));
            }
            return self.go_view(View::Unified(role));
        }
        let Some(account) = self.account_at_hand() else { return };
        let of = |role| {
            let folders = &self.accounts.get(account)?.folders;
            folders.iter().find(|f| f.role == Some(role))
        };
        // Where folders are labels, the archive is all mail.
        let found = of(role).or_else(|| if role == Role::Archive { of(Role::All) } else { None });
        match found.map(|f| f.id) {
            Some(folder) => self.go_view(View::Folder(folder)),
            None => {
                let name = self.accounts.get(account).map(|a| a.name.to_string()).unwrap_or_default();
                self.say(&format!("{name} has no folder for {}", role.title()));
            }
        }
    }

    pub(super) fn step_folder(&mut self, by: i32) {
        if let Some(view) = folders::step(&self.accounts, self.list.view(), by) {
            self.go_view(view);
        }
    }

    /// To the folder so many further on (or back) of those with unread mail, round to the other end.
    pub(super) fn step_unread_folder(&mut self, by: i32) {
        let views = folders::unread(&self.accounts, self.list.view());
        let here = views.iter().position(|(view, _)| Some(*view) == self.list.view());
        let (before, after) = views.split_at(here.unwrap_or(views.len()));
        let others = after.iter().skip(1).chain(before).filter(|(_, unseen)| *unseen > 0);
        let wanted: Vec<View> = others.map(|(view, _)| *view).collect();
        let Some(count) = (by.unsigned_abs() as usize).saturating_sub(1).checked_rem(wanted.len()) else {
            return self.say("No other folder has unread mail");
        };
        self.go_view(wanted[if by < 0 { wanted.len() - 1 - count } else { count }]);
    }

    /// To the folder that is meant by what was typed; asks where nothing was typed.
    pub(super) fn go_folder(&mut self, typed: &str) {
        if typed.is_empty() {
            return self.run(Action::CommandLine("go ".to_owned()));
        }
        match self.meant(typed) {
            Some(folder) => self.go_view(View::Folder(folder)),
            None => self.fail(&format!("no other folder is called `{typed}`")),
        }
    }

    /// Puts the reader where it is wanted, now and from now on.
    pub(super) fn split_as(&mut self, name: &str) {
        let names: Vec<_> = Split::ALL.iter().map(|(_, name)| *name).collect();
        match Split::named(name.trim()) {
            Some(split) => {
                self.split = split;
                self.effects.push(Effect::Remember(LAYOUT, split.name().to_owned()));
                if split == Split::Below && self.size.1 < TALL {
                    self.say(&format!("The reader stands below the list from {TALL} lines on"));
                }
            }
            None if name.trim().is_empty() => {
                self.say(&format!("The reader is {}; there are: {}", self.split.name(), names.join(", ")));
            }
            None => self.fail(&format!("there is no layout `{name}`, there are: {}", names.join(", "))),
        }
    }

    /// Moves in the folder pane; the list follows.
    pub(super) fn go_folders(&mut self, motion: Motion) {
        let by = match motion {
            Motion::Lines(n) => n,
            Motion::Halves(n) => n.saturating_mul(5),
            Motion::Pages(n) => n.saturating_mul(10),
            Motion::First => i32::MIN / 2,
            Motion::Last => i32::MAX / 2,
        };
        if let Some(view) = folders::step(&self.accounts, self.list.view(), by)
            && Some(view) != self.list.view()
        {
            self.show_view(view);
        }
    }

    /// To the pane on the left; in the reader first back over what was scrolled off.
    pub(super) fn go_left(&mut self) {
        match self.focus {
            Focus::Reader if self.reader.go_aside(false) => {}
            Focus::Reader => self.leave_reader(),
            Focus::List => self.focus = Focus::Folders,
            _ => {}
        }
    }

    /// To the pane on the right; in the reader to what is cut off.
    pub(super) fn go_right(&mut self) {
        match self.focus {
            Focus::Folders => self.focus = Focus::List,
            Focus::List => self.open_current(),
            _ => {
                self.reader.go_aside(true);
            }
        }
    }

    /// Out of a view of all accounts other than the inboxes, which is one level below them: to where it was
    /// opened from. Says whether there was such a level.
    pub(super) fn leave_unified(&mut self) -> bool {
        match self.list.view() {
            None | Some(View::Folder(_) | View::Unified(Role::Inbox)) => return false,
            Some(View::Unified(_) | View::Starred | View::Unread | View::Snoozed) => {}
        }
        match (self.jumps.is_empty(), self.first_view()) {
            (true, Some(view)) => self.show_view(view),
            _ => self.jump_back(),
        }
        true
    }

    /// Back to where the last jump began.
    pub(super) fn jump_back(&mut self) {
        // A folder may have been removed since.
        while self.jumps.last().is_some_and(|(view, _)| self.is_lost(*view)) {
            self.jumps.pop();
        }
        let Some((view, spot)) = self.jumps.pop() else { return self.say("There is nowhere to go back to") };
        if self.focus == Focus::Reader {
            self.focus = Focus::List;
        }
        self.forget_ranks();
        let found = spot.map(|spot| self.list.seek(&self.db, view, spot));
        match found.map(|f| self.told(f)) {
            Some(Some(true)) => {
                self.look(view);
                self.rank();
            }
            _ => self.show_view(view),
        }
    }
}
