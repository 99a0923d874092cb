//! The folder pane: every account with its folders, and the inboxes of all together.

use super::accounts::{Account, Accounts};
use crate::model::{Folder, Role, View};
use crate::store::Waiting;

/// One line of the folder pane.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// A list of all accounts: unread mails.
    Unified(View, u64),
    /// What is on its way out: how many mails, and whether one of them waits for the user.
    Outbox(u64, bool),
    /// An empty line.
    Gap,
    /// The name of an account.
    Account(&'a Account),
    /// A folder, how deep it lies below the folders shown above it, and whether it stands back.
    Folder(&'a Folder, usize, bool),
}

impl Entry<'_> {
    /// What it opens.
    #[must_use]
    pub fn view(self) -> Option<View> {
        match self {
            Self::Unified(view, _) => Some(view),
            Self::Folder(folder, ..) => folder.selectable.then_some(View::Folder(folder.id)),
            Self::Gap | Self::Account(_) | Self::Outbox(..) => None,
        }
    }
}

/// The lines of the folder pane while `shown` is in the list: the inboxes of all accounts are always among
/// them, other folders of all accounts together while they are shown.
#[must_use]
pub fn entries(accounts: &Accounts, shown: Option<View>) -> Vec<Entry<'_>> {
    let mut out = Vec::new();
    let unified = |role| {
        let folders = accounts.live().flat_map(|a| &a.folders).filter(|f| f.role == Some(role));
        Entry::Unified(View::Unified(role), folders.map(|f| u64::from(f.unseen)).sum())
    };
    if accounts.are_several() {
        out.push(unified(Role::Inbox));
    }
    match shown {
        Some(View::Unified(role)) if role != Role::Inbox => out.push(unified(role)),
        Some(view @ (View::Starred | View::Unread | View::Snoozed)) => out.push(Entry::Unified(view, 0)),
        _ => {}
    }
    let count = |of: fn(&Waiting) -> u64| accounts.all.iter().map(|a| of(&a.waiting)).sum::<u64>();
    let (going, unsure) = (count(|w| w.outgoing), count(|w| w.unsure));
    if going + unsure > 0 {
        out.push(Entry::Outbox(going + unsure, unsure > 0));
    }
    for account in &accounts.all {
        if !out.is_empty() {
            out.push(Entry::Gap);
        }
        out.push(Entry::Account(account));
        for folder in &account.folders {
            let all = &account.folders;
            out.push(Entry::Folder(folder, depth(folder, all), is_quiet(folder, all)));
        }
    }
    out
}

/// How many folders of the path are folders of their own, listed without a role as this one is.
fn depth(folder: &Folder, all: &[Folder]) -> usize {
    if folder.role.is_some() {
        return 0;
    }
    let above = |f: &&Folder| {
        let below = folder.path.as_str().strip_prefix(f.path.as_str());
        f.role.is_none() && below.is_some_and(|rest| rest.starts_with('/'))
    };
    all.iter().filter(above).count()
}

/// Whether a folder stands back behind those that the user subscribed to. Where nothing is subscribed to, the
/// server or its user does without subscriptions.
#[must_use]
pub fn is_quiet(folder: &Folder, all: &[Folder]) -> bool {
    let is_inbox = |f: &Folder| f.role == Some(Role::Inbox);
    !folder.subscribed && !is_inbox(folder) && all.iter().any(|f| f.subscribed && !is_inbox(f))
}

/// The folders in which unread mail is worth a look, in the order of the pane, each with how much there is. The one
/// that is shown is among them.
#[must_use]
pub fn unread(accounts: &Accounts, shown: Option<View>) -> Vec<(View, u32)> {
    let aside = |role| matches!(role, Some(Role::Trash | Role::Junk | Role::Sent | Role::Drafts | Role::All));
    let one = |entry: Entry<'_>| match entry {
        Entry::Folder(folder, _, is_quiet) => {
            let view = View::Folder(folder.id);
            let counts = folder.selectable && !is_quiet && !aside(folder.role);
            (counts || Some(view) == shown).then_some((view, if counts { folder.unseen } else { 0 }))
        }
        _ => None,
    };
    entries(accounts, shown).into_iter().filter_map(one).collect()
}

/// The view so many entries after (or before) `from`, skipping what cannot be opened; stops at the ends.
#[must_use]
pub fn step(accounts: &Accounts, from: Option<View>, by: i32) -> Option<View> {
    let views: Vec<_> = entries(accounts, from).into_iter().filter_map(Entry::view).collect();
    let at = views.iter().position(|v| Some(*v) == from);
    let last = views.len().checked_sub(1)?;
    let to = match at {
        Some(at) if by < 0 => at.saturating_sub(by.unsigned_abs() as usize),
        Some(at) => at.saturating_add(by.unsigned_abs() as usize).min(last),
        None => 0,
    };
    views.get(to).copied()
}
