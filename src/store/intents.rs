//! What the user does: the local effect, the queued operation and the undo row, in one transaction.

use std::collections::{BTreeMap, HashSet};

use super::acts::Act;
use super::db::sql;
use super::far::Far;
use super::places::Placement;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{
    AccountId, FlagDelta, Flags, FolderId, Intent, Marking, MessageId, Outcome, Owner, PlacementId, Role,
    Target, check_tag,
};

/// Why nothing was done: all is as it was wanted.
pub const NO_CHANGE: &str = "nothing to change";
pub(super) const VANISHED: &str = "the mail is not there any more";
const NO_FOLDER: &str = "the folder is not there any more";
const ONLY_A_LABEL: &str =
    "on this server mail is deleted for good from Trash and Junk only: elsewhere it would just lose a label";
const IN_PART: &str = "the rest of the mail is not here yet, so it cannot go to another account";

impl Tx<'_> {
    pub(super) fn intent(&mut self, intent: &Intent) -> Result<Outcome> {
        match intent {
            Intent::Flag { items, delta, undoable } => self.flag(items, *delta, *undoable),
            Intent::Tag { items, add, del } => self.tag(items, add, del),
            Intent::Mute { items, on } => self.mute(items, *on),
            Intent::Join { items } => self.join(items),
            Intent::Split { item } => self.split(*item),
            Intent::Snooze { items, until, said } => self.snooze(items, *until, said),
            Intent::Move { items, to } => self.transfer(items, *to, true),
            Intent::Copy { items, to } => self.transfer(items, *to, false),
            Intent::Purge { items } => self.purge(items),
            Intent::MakeFolder { account, path } => self.make_folder(*account, path),
            Intent::RenameFolder { folder, path } => self.rename_folder(*folder, path),
            Intent::DeleteFolder { folder, to_trash } => self.delete_folder(*folder, *to_trash),
            Intent::Subscribe { folder, on } => self.subscribe_folder(*folder, *on),
            Intent::CleanServer { account, messages } => self.clean_server(*account, messages),
            Intent::Undo => self.undo(),
            Intent::Redo => self.redo(),
            Intent::Settle { how, reach } => self.settle(*how, reach),
            Intent::SendAt { outgoing, at, said } => self.send_at(*outgoing, *at, said),
        }
    }

    fn flag(&mut self, items: &[PlacementId], delta: FlagDelta, undoable: bool) -> Result<Outcome> {
        let Some(acts) = self.mark(items, &delta.into())? else { return Ok(refused(VANISHED)) };
        if !undoable {
            return Ok(Outcome { label: String::new(), undoable: false, place: None, error: None });
        }
        let label = flag_label(delta, messages(&acts));
        self.record(label, acts)
    }

    fn tag(&mut self, items: &[PlacementId], add: &[String], del: &[String]) -> Result<Outcome> {
        if let Some(why) = add.iter().find_map(|name| check_tag(name).err()) {
            return Ok(refused(&why));
        }
        let marks = Marking { flags: FlagDelta::default(), tag: add.to_vec(), untag: del.to_vec() };
        let Some(acts) = self.mark(items, &marks)? else { return Ok(refused(VANISHED)) };
        let label = tag_label(add, del, messages(&acts));
        self.record(label, acts)
    }

    /// Changes flags and tags of every copy of the messages; `None`: none of them is there any more.
    fn mark(&mut self, items: &[PlacementId], marks: &Marking) -> Result<Option<Vec<Act>>> {
        let items = self.visible(items)?;
        let Some(first) = items.first() else { return Ok(None) };
        // Every copy of the message in its account, those that were meant first.
        let mut copies = items.clone();
        let mut seen: HashSet<PlacementId> = items.iter().map(|item| item.id).collect();
        let messages: HashSet<MessageId> = items.iter().map(|item| item.message).collect();
        for message in messages {
            copies.extend(self.copies(message)?.into_iter().filter(|copy| seen.insert(copy.id)));
        }
        let mut acts = self.change_marks(&copies, marks)?;
        // `u` leads back to where it was done.
        acts.sort_by_key(|act| !act.is_in(first.folder));
        Ok(Some(acts))
    }

    /// A move, or a copy.
    fn transfer(&mut self, items: &[PlacementId], to: Target, away: bool) -> Result<Outcome> {
        let items = self.visible(items)?;
        if items.is_empty() {
            return Ok(refused(VANISHED));
        }
        if let Target::Folder(folder) = to
            && self.account_if_there(folder)?.is_none()
        {
            return Ok(refused(NO_FOLDER));
        }
        let (mut acts, mut far) = (Vec::new(), None);
        for (from, copies) in by_folder(&items) {
            let account = self.account_of(from)?;
            let target = match to {
                Target::Role(role) => self.role_folder(account, role)?,
                Target::Folder(folder) => folder,
            };
            let there = self.account_of(target)?;
            acts.extend(if there != account {
                far = Some(there);
                let copies: Vec<_> = copies.into_iter().map(|copy| (copy, None)).collect();
                self.send_far(&Far { from, to: target, copies: &copies, away })?
            } else if away {
                self.move_copies(account, from, target, &copies)?
            } else {
                self.copy_copies(account, from, target, &copies)?
            });
        }
        if acts.is_empty() && far.is_some() && away {
            return Ok(refused(IN_PART));
        }
        let count: usize = acts.iter().map(|act| act.messages().count()).sum();
        // All mail stays where it is.
        let away = away && acts.iter().any(|act| !matches!(act, Act::Copy { .. }));
        let label = self.transfer_label(to, away, count, far)?;
        self.record(label, acts)
    }

    /// For good.
    fn purge(&mut self, items: &[PlacementId]) -> Result<Outcome> {
        let items = self.visible(items)?;
        if items.is_empty() {
            return Ok(refused(VANISHED));
        }
        let folders = by_folder(&items);
        for folder in folders.keys() {
            if !self.deletes_in(self.account_of(*folder)?, *folder)? {
                return Ok(refused(ONLY_A_LABEL));
            }
        }
        for (folder, copies) in folders {
            let account = self.account_of(folder)?;
            self.delete_copies(account, folder, &copies)?;
        }
        let label = format!("deleted {} for good", items.len());
        Ok(Outcome { label, undoable: false, place: None, error: None })
    }

    /// Keeps an action for `u`; what was undone before it can be done again no more.
    pub(super) fn record(&mut self, label: String, acts: Vec<Act>) -> Result<Outcome> {
        if acts.is_empty() {
            return Ok(refused(NO_CHANGE));
        }
        self.keep_for_undo(&label, &acts)?;
        Ok(Outcome { label, undoable: true, place: None, error: None })
    }

    /// The copies that are still there and that no operation takes away.
    pub(super) fn visible(&self, items: &[PlacementId]) -> Result<Vec<Placement>> {
        let mut visible = Vec::with_capacity(items.len());
        let mut seen = HashSet::new();
        for id in items.iter().filter(|id| seen.insert(**id)) {
            visible.extend(self.placement(*id)?.filter(|placement| !placement.is_leaving()));
        }
        Ok(visible)
    }

    pub(super) fn account_if_there(&self, folder: FolderId) -> Result<Option<AccountId>> {
        self.db.one(sql!("SELECT account_id FROM folders WHERE id = ?1"), [folder], |row| row.get(0))
    }

    pub(super) fn account_of(&self, folder: FolderId) -> Result<AccountId> {
        self.account_if_there(folder)?
            .ok_or_else(|| Error::new(Kind::Gone, "the folder is not in the store any more"))
    }

    /// The folder of a role; where the account has none, the one that is called so; else a new one.
    pub(super) fn role_folder(&mut self, account: AccountId, role: Role) -> Result<FolderId> {
        let by_role = self.db.one(
            sql!("SELECT id FROM folders WHERE account_id = ?1 AND role = ?2 AND role <> ''"),
            (account, role.name()),
            |row| row.get(0),
        )?;
        if let Some(folder) = by_role {
            return Ok(folder);
        }
        if role == Role::Archive
            && let Some(all) = self.all_mail(account)?
        {
            return Ok(all);
        }
        let by_name = self.db.one(
            sql!(
                "SELECT id FROM folders WHERE account_id = ?1 AND path = ?2 COLLATE NOCASE AND selectable = 1 AND leaving = 0"
            ),
            (account, role.title()),
            |row| row.get(0),
        )?;
        if let Some(folder) = by_name {
            return Ok(folder);
        }
        if self.owner(account)? == Owner::Here {
            return self.new_folder(account, Some(role.title()), role.title(), Some(role));
        }
        let folder = self.new_folder(account, None, role.title(), Some(role))?;
        self.queue(account, "mkdir", None, Some(folder), "{}")?;
        Ok(folder)
    }

    /// `moved 3 to Archive`; to another account `moved 3 to home: Archive`.
    fn transfer_label(&self, to: Target, away: bool, count: usize, far: Option<AccountId>) -> Result<String> {
        let account = match far {
            Some(account) => {
                self.db.one(sql!("SELECT name FROM accounts WHERE id = ?1"), [account], |row| {
                    row.get::<_, String>(0)
                })?
            }
            None => None,
        };
        let account = account.map_or(String::new(), |name| format!("{}: ", crate::text::Clean::line(&name)));
        let place = match to {
            Target::Role(Role::Archive) if away => return Ok(format!("archived {count}")),
            Target::Role(role) => role.title().to_owned(),
            Target::Folder(folder) => {
                let path = self.db.one(sql!("SELECT path FROM folders WHERE id = ?1"), [folder], |row| {
                    row.get::<_, String>(0)
                })?;
                crate::text::Clean::line(&path.unwrap_or_default()).to_string()
            }
        };
        Ok(format!("{} {count} to {account}{place}", if away { "moved" } else { "copied" }))
    }
}

/// Nothing was done, and why.
pub(super) fn refused(why: &str) -> Outcome {
    Outcome { label: String::new(), undoable: false, place: None, error: Some(why.to_owned()) }
}

fn by_folder(items: &[Placement]) -> BTreeMap<FolderId, Vec<Placement>> {
    let mut folders: BTreeMap<FolderId, Vec<Placement>> = BTreeMap::new();
    for item in items {
        folders.entry(item.folder).or_default().push(*item);
    }
    folders
}

/// How many messages these acts change.
fn messages(acts: &[Act]) -> usize {
    acts.iter().flat_map(Act::messages).collect::<HashSet<_>>().len()
}

/// `tagged 3 with todo`, `took todo later off 1`, `changed the tags of 2`.
fn tag_label(add: &[String], del: &[String], count: usize) -> String {
    let text = match (add, del) {
        (tags, []) => format!("tagged {count} with {}", tags.join(" ")),
        ([], tags) => format!("took {} off {count}", tags.join(" ")),
        _ => format!("changed the tags of {count}"),
    };
    crate::text::Clean::line(&text).to_string()
}

fn flag_label(delta: FlagDelta, count: usize) -> String {
    let only = |flags: Flags| (delta == FlagDelta::add(flags), delta == FlagDelta::del(flags));
    match (only(Flags::SEEN), only(Flags::FLAGGED)) {
        ((true, _), _) => format!("marked {count} read"),
        ((_, true), _) => format!("marked {count} unread"),
        (_, (true, _)) => format!("starred {count}"),
        (_, (_, true)) => format!("unstarred {count}"),
        _ => format!("changed the flags of {count}"),
    }
}
