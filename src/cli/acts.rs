//! `mailtui archive`, `delete`, `move`, `mark` and `tag`: what is done on the screen, done by a script.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, Write as _};

use serde_json::json;

use super::find::{self, Names};
use super::mails::{Archive, Delete, From, How, Mails, Mark, Move, Tag};
use super::out::Out;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::{
    AccountId, FlagDelta, Flags, FolderId, Intent, MessageId, Owner, PlacementId, Role, Summary, Target, View,
};
use crate::store::{Locked, NO_CHANGE, Reader, Store};
use crate::text::Clean;

/// Some of the mails were not there.
const NOT_ALL: u8 = 8;

pub(super) fn archive(archive: &Archive, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.reader()?;
    let chosen = Chosen::of(&archive.mails, config, &reader)?;
    let items = chosen.one_copy_each(&archive.from, Some(Role::Archive), config, &reader)?;
    chosen.done(Intent::Move { items, to: Target::Role(Role::Archive) }, None, &reader, store, out)
}

pub(super) fn delete(delete: &Delete, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.reader()?;
    let chosen = Chosen::of(&delete.mails, config, &reader)?;
    if delete.for_good {
        let items = chosen.one_copy_each(&delete.from, None, config, &reader)?;
        return chosen.done(Intent::Purge { items }, None, &reader, store, out);
    }
    let items = chosen.one_copy_each(&delete.from, Some(Role::Trash), config, &reader)?;
    chosen.done(Intent::Move { items, to: Target::Role(Role::Trash) }, None, &reader, store, out)
}

pub(super) fn transfer(to: &Move, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.reader()?;
    let chosen = Chosen::of(&to.mails, config, &reader)?;
    let (target, role) = match chosen.view(&to.to, config, &reader)? {
        View::Unified(role) => (Target::Role(role), Some(role)),
        View::Folder(folder) => (Target::Folder(folder), None),
        View::Starred | View::Unread | View::Snoozed => {
            return Err(Error::new(Kind::Config, "mail cannot be moved there: it is no folder"));
        }
    };
    let mut there = None;
    if let Target::Folder(folder) = target
        && let Some(folder) = reader.folder(folder)?
    {
        if !folder.selectable {
            return Err(Error::new(Kind::Config, format!("the folder {} holds folders only", folder.path)));
        }
        there = Some(folder.account);
    }
    let items = chosen.one_copy_each(&to.from, role, config, &reader)?;
    chosen.done(Intent::Move { items, to: target }, there, &reader, store, out)
}

pub(super) fn mark(mark: &Mark, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.reader()?;
    let chosen = Chosen::of(&mark.mails, config, &reader)?;
    let delta = match mark.how {
        How::Read => FlagDelta::add(Flags::SEEN),
        How::Unread => FlagDelta::del(Flags::SEEN),
        How::Starred => FlagDelta::add(Flags::FLAGGED),
        How::Unstarred => FlagDelta::del(Flags::FLAGGED),
    };
    let intent = Intent::Flag { items: chosen.any_copy(), delta, undoable: true };
    chosen.done(intent, None, &reader, store, out)
}

pub(super) fn tag(tag: Tag, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.reader()?;
    let (mut add, mut del, mut ids) = (Vec::new(), tag.remove, Vec::new());
    for word in tag.words {
        match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(name), _) => add.push(name.to_owned()),
            // Only after `--`: else it is an option.
            (_, Some(name)) if !name.is_empty() => del.push(name.to_owned()),
            _ => ids.push(word),
        }
    }
    if add.is_empty() && del.is_empty() {
        return Err(Error::new(Kind::Config, "no tag is named")
            .hint("`mailtui tag +todo 42` puts one on, `mailtui tag --remove todo 42` takes it off"));
    }
    if ids.is_empty() {
        return Err(Error::new(Kind::Config, "no mail is named").hint("mailtui tag +todo 42"));
    }
    let chosen = Chosen::of(&Mails { ids, account: tag.account }, config, &reader)?;
    chosen.done(Intent::Tag { items: chosen.any_copy(), add, del }, None, &reader, store, out)
}

/// The mails that were named.
struct Chosen {
    mails: Vec<Mail>,
    /// What was named and is not there.
    missing: Vec<i64>,
    /// The account that all are of, if it is one.
    account: Option<String>,
}

/// One of them.
struct Mail {
    id: i64,
    /// Its visible copies; never none.
    copies: Vec<Summary>,
    /// The folders of the rows that named it; none: it was named by its id alone.
    rows: BTreeSet<String>,
}

impl Chosen {
    fn of(named: &Mails, config: &Config, reader: &Reader) -> Result<Self> {
        let only = named.account.as_deref().map(|name| find::account(reader, config, name)).transpose()?;
        let names = Names::of(reader)?;
        let (mut mails, mut missing): (Vec<Mail>, _) = (Vec::new(), Vec::new());
        for (id, rows) in ids(&named.ids)? {
            let copies = reader.copies_of(MessageId(id))?;
            let Some(first) = copies.first() else {
                missing.push(id);
                continue;
            };
            if let Some(only) = only.as_ref().filter(|only| only.id != first.account) {
                let theirs = names.account(first.account);
                let why = format!("mail {id} is of account {theirs}, not of {}", Clean::line(&only.name));
                return Err(Error::new(Kind::Config, why).hint("nothing was done"));
            }
            mails.push(Mail { id, copies, rows });
        }
        if mails.is_empty() {
            let id = missing.first().copied().unwrap_or_default();
            let why = if missing.len() == 1 {
                format!("there is no mail with the id {id}")
            } else {
                "none of these mails is there".to_owned()
            };
            return Err(
                Error::new(Kind::Gone, why).hint("`mailtui list --json` tells the ids of what is there")
            );
        }
        let accounts: BTreeSet<AccountId> =
            mails.iter().flat_map(|mail| &mail.copies).map(|copy| copy.account).collect();
        let known = reader.accounts()?;
        let account = known.into_iter().find(|row| accounts.len() == 1 && accounts.contains(&row.id));
        Ok(Self { mails, missing, account: account.map(|row| row.name) })
    }

    /// What a name of a folder means: of their own account first.
    fn view(&self, name: &str, config: &Config, reader: &Reader) -> Result<View> {
        if let Some(account) = &self.account
            && let Ok(view) = find::view(reader, config, Some(name), Some(account))
        {
            return Ok(view);
        }
        find::view(reader, config, Some(name), None)
    }

    /// For what is done to every copy of a mail.
    fn any_copy(&self) -> Vec<PlacementId> {
        self.mails.iter().filter_map(|mail| mail.copies.first()).map(|copy| copy.placement).collect()
    }

    /// For what is done to one copy (promise A5): the one in the folder that was named, else the only one there
    /// is outside of the target and of the folder of all mail.
    fn one_copy_each(
        &self,
        from: &From,
        to: Option<Role>,
        config: &Config,
        reader: &Reader,
    ) -> Result<Vec<PlacementId>> {
        let names = Names::of(reader)?;
        let view = from.from.as_deref().map(|name| self.view(name, config, reader)).transpose()?;
        let role = |folder: FolderId| Ok::<_, Error>(reader.folder(folder)?.and_then(|folder| folder.role));
        let mut items = Vec::new();
        for Mail { id, copies, rows } in &self.mails {
            let mut meant = Vec::new();
            for copy in copies {
                let is_meant = match view {
                    Some(view) => view.may_hold(copy.folder, role(copy.folder)?),
                    None if !rows.is_empty() => rows.contains(names.folder(copy).as_str()),
                    None if copies.len() == 1 => true,
                    None => role(copy.folder)?.is_none_or(|role| role != Role::All && Some(role) != to),
                };
                if is_meant {
                    meant.push(copy);
                }
            }
            // Out of the inbox, or wholly out of sight: of labels any other is as good.
            if view.is_none() && meant.len() > rows.len().max(1) && reader.has_labels(meant[0].account)? {
                let mut first = Vec::new();
                for copy in &meant {
                    if role(copy.folder)? == Some(Role::Inbox) {
                        first.insert(0, *copy);
                    } else if to == Some(Role::Trash) {
                        first.push(*copy);
                    }
                }
                first.truncate(1);
                if !first.is_empty() {
                    meant = first;
                }
            }
            let places = || copies.iter().map(|copy| names.folder(copy).to_string()).collect::<Vec<_>>();
            if meant.is_empty() {
                let why = format!("mail {id} is not there, but in {}", places().join(" and "));
                return Err(Error::new(Kind::Gone, why).hint("nothing was done"));
            }
            if meant.len() > rows.len().max(1) {
                let why = format!("mail {id} is in {}", places().join(" and "));
                return Err(Error::new(Kind::Config, why)
                    .hint("--from FOLDER says which of its copies is meant; nothing was done"));
            }
            for copy in meant {
                if to == Some(Role::Trash) && role(copy.folder)? == Some(Role::Trash) {
                    return Err(Error::new(Kind::Config, format!("mail {id} is in Trash already"))
                        .hint("--for-good deletes it without a way back; nothing was done"));
                }
                items.push(copy.placement);
            }
        }
        Ok(items)
    }

    /// Does it, and says so.
    fn done(
        &self,
        intent: Intent,
        there: Option<AccountId>,
        reader: &Reader,
        store: &Store,
        out: &mut Out,
    ) -> Result<u8> {
        let outcome = store.intend_wait(intent)?;
        let label = match outcome.error.as_deref() {
            None => outcome.label.as_str(),
            // A script may say twice what it wants.
            Some(NO_CHANGE) => NO_CHANGE,
            Some(why) => return Err(Error::new(Kind::Gone, why.to_owned())),
        };
        let copies = self.mails.iter().flat_map(|mail| &mail.copies);
        let mut accounts: BTreeSet<AccountId> = copies.map(|copy| copy.account).collect();
        accounts.extend(there);
        let waiting = unheard(&accounts, reader, store)?;
        if out.json {
            out.object(&json!({
                "done": Clean::line(label), "mails": self.mails.len(), "missing": self.missing,
                "undoable": outcome.undoable, "queued": waiting,
            }))?;
        } else {
            out.line(Clean::line(label))?;
            if let Some(first) = waiting.first() {
                let one = format!("mailtui sync {first}");
                // A move to another account is done at both.
                let verb = if accounts.len() == 1 { one.as_str() } else { "mailtui sync" };
                out.line(format!("queued: `{verb}` sends it"))?;
            }
        }
        if self.missing.is_empty() {
            return Ok(0);
        }
        out.flush()?;
        let list: Vec<String> = self.missing.iter().take(20).map(i64::to_string).collect();
        let more = if self.missing.len() > list.len() { " …" } else { "" };
        let _ = writeln!(std::io::stderr(), "mailtui: not there: {}{more}", list.join(" "));
        Ok(NOT_ALL)
    }
}

/// The accounts that have something queued which no running mailtui sends.
fn unheard(accounts: &BTreeSet<AccountId>, reader: &Reader, store: &Store) -> Result<Vec<Clean>> {
    let mut unheard = Vec::new();
    for row in reader.accounts()?.iter().filter(|row| accounts.contains(&row.id)) {
        if row.owner == Owner::Server
            && reader.waiting(row.id)?.queued > 0
            && matches!(store.lock_account(row.id, &row.name)?, Locked::Mine(_))
        {
            unheard.push(Clean::line(&row.name));
        }
    }
    Ok(unheard)
}

/// The ids that were typed, and for `-` those on standard input: numbers, or rows of `mailtui list --json`, which
/// tell the folder too.
fn ids(words: &[String]) -> Result<BTreeMap<i64, BTreeSet<String>>> {
    let mut ids: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for word in words {
        if word != "-" {
            ids.entry(id(word)?).or_default();
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            let line =
                line.map_err(|e| Error::new(Kind::Config, "could not read standard input").because(e))?;
            if line.trim_start().starts_with('{') {
                let row: Row = serde_json::from_str(&line).map_err(|e| {
                    Error::new(Kind::Config, "a line of standard input is no row of `mailtui list --json`")
                        .because(e)
                        .hint("nothing was done")
                })?;
                ids.entry(row.id).or_default().extend(row.folder);
            } else {
                for word in line.split_whitespace() {
                    ids.entry(id(word)?).or_default();
                }
            }
        }
    }
    if ids.is_empty() {
        return Err(Error::new(Kind::Config, "standard input names no mail").hint("nothing was done"));
    }
    Ok(ids)
}

/// A row of `mailtui list --json`.
#[derive(serde::Deserialize)]
struct Row {
    id: i64,
    folder: Option<String>,
}

fn id(word: &str) -> Result<i64> {
    word.parse().map_err(|_| {
        Error::new(Kind::Config, format!("{} is no id of a mail", Clean::line(&format!("{word:?}"))))
            .hint("`mailtui list --json` tells the ids; nothing was done")
    })
}
