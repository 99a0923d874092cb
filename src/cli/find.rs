//! From words on the command line to an account, a folder, a mail of the store.

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Folder, MessageId, Role, Summary, View};
use crate::store::{AccountRow, Reader};
use crate::text::{self, Clean};

/// The account of this name, in the configuration or with mail in the store.
pub(super) fn account(reader: &Reader, config: &Config, name: &str) -> Result<AccountRow> {
    let accounts = reader.accounts()?;
    accounts.iter().find(|account| account.name == name).cloned().ok_or_else(|| {
        if config.account(name).is_some() {
            return Error::new(Kind::Gone, format!("account {name:?} has no mail here yet"))
                .hint(format!("mailtui sync {name}"));
        }
        let known: Vec<&str> = config.accounts.iter().map(|a| a.name.as_str()).collect();
        Error::new(Kind::Config, format!("there is no account {name:?}"))
            .hint(format!("there are: {}", known.join(", ")))
    })
}

/// The view that `[FOLDER] [--account A]` means: without a folder the inboxes.
pub(super) fn view(
    reader: &Reader,
    config: &Config,
    folder: Option<&str>,
    account_name: Option<&str>,
) -> Result<View> {
    let accounts = reader.accounts()?;
    let prefixed = folder
        .and_then(|f| f.split_once('/'))
        .filter(|(name, _)| account_name.is_none() && accounts.iter().any(|account| account.name == *name));
    let (account_name, folder) = match prefixed {
        Some((name, rest)) => (Some(name), Some(rest)),
        None => (account_name, folder),
    };
    let only = account_name.map(|name| account(reader, config, name)).transpose()?;
    let name = folder.unwrap_or(Role::Inbox.name());
    let role = Role::ALL
        .into_iter()
        .find(|r| r.name().eq_ignore_ascii_case(name) || r.title().eq_ignore_ascii_case(name));
    match (role, only) {
        (Some(role), None) => Ok(View::Unified(role)),
        (Some(role), Some(account)) => {
            if let Some(folder) = reader.folder_by_role(account.id, role)? {
                return Ok(View::Folder(folder.id));
            }
            by_path(reader, &[account], name)
        }
        (None, Some(account)) => by_path(reader, &[account], name),
        (None, None) => by_path(reader, &accounts, name),
    }
}

fn by_path(reader: &Reader, accounts: &[AccountRow], name: &str) -> Result<View> {
    let mut all: Vec<(&AccountRow, Folder)> = Vec::new();
    for account in accounts {
        all.extend(reader.folders(account.id)?.into_iter().map(|folder| (account, folder)));
    }
    let called = |same: &dyn Fn(&str) -> bool| -> Vec<&(&AccountRow, Folder)> {
        all.iter().filter(|(_, folder)| same(folder.path.as_str())).collect()
    };
    let mut found = called(&|path| path == name);
    if found.is_empty() {
        found = called(&|path| path.to_lowercase() == name.to_lowercase());
    }
    let said = |list: &mut dyn Iterator<Item = &(&AccountRow, Folder)>| {
        list.take(12).map(|(a, f)| format!("{}/{}", a.name, f.path)).collect::<Vec<_>>().join(", ")
    };
    match found[..] {
        [(_, folder)] => Ok(View::Folder(folder.id)),
        [] => Err(Error::new(Kind::Gone, format!("there is no folder {name:?}"))
            .hint(format!("there are: {}", said(&mut all.iter())))),
        _ => Err(Error::new(Kind::Config, format!("several folders are called {name:?}"))
            .hint(format!("name one of: {}", said(&mut found.into_iter())))),
    }
}

/// The mail with this id.
pub(super) fn message(reader: &Reader, id: i64) -> Result<Summary> {
    reader.message(MessageId(id))?.ok_or_else(|| {
        Error::new(Kind::Gone, format!("there is no mail with the id {id}"))
            .hint("`mailtui list` tells the ids of what is there")
    })
}

/// The names of accounts and folders, asked for once each.
pub(super) struct Names {
    accounts: Vec<AccountRow>,
    folders: Vec<Folder>,
}

impl Names {
    pub(super) fn of(reader: &Reader) -> Result<Self> {
        let accounts = reader.accounts()?;
        let mut folders = Vec::new();
        for account in &accounts {
            folders.extend(reader.folders(account.id)?);
        }
        Ok(Self { accounts, folders })
    }

    pub(super) fn account(&self, id: AccountId) -> Clean {
        self.accounts.iter().find(|a| a.id == id).map_or_else(Clean::default, |a| Clean::line(&a.name))
    }

    /// The name of an account in as many cells as the longest takes.
    pub(super) fn padded(&self, id: AccountId) -> String {
        let longest = self.accounts.iter().map(|a| Clean::line(&a.name).width()).max();
        text::pad(self.account(id).as_str(), longest.unwrap_or(0))
    }

    pub(super) fn folder(&self, mail: &Summary) -> Clean {
        let folder = self.folders.iter().find(|f| f.id == mail.folder);
        folder.map_or_else(Clean::default, |folder| folder.path.clone())
    }
}
