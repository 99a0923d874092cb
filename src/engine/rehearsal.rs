//! A dry run: what a round would fetch, delete and push, found out as the round would find it out, doing none of it.

use std::collections::{HashSet, VecDeque};

use super::Setup;
use super::account::now;
use super::pop;
use super::portion::{Listed, Spent, share};
use super::pull::Held;
use super::receive::in_step;
use crate::config::Leave;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Cursor, Role};
use crate::net::Interrupt;
use crate::protocol::{Change, Flow, FolderRef, MailProtocol, Nothing, RemoteId, Sink};
use crate::store::{Keep, Reader, Store};

/// What a round would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// New mails, and their bytes as the server tells them; of stubs none.
    pub new: u64,
    /// Bytes that would be fetched of them.
    pub bytes: u64,
    /// How many of them would come as headers only.
    pub stubs: u64,
    /// New mails that the account's limits leave for later looks.
    pub left: u64,
    /// Mails here whose text is missing and would be fetched.
    pub bodies: u64,
    /// Mails whose flags changed there.
    pub marked: u64,
    /// Mails that are gone there.
    pub gone: u64,
    /// Operations that would be carried out there.
    pub pushes: u64,
    /// POP3: mails that the policy would delete there, and their bytes.
    pub deletes: u64,
    /// Bytes of them.
    pub delete_bytes: u64,
    /// POP3: mails that were deleted here for good and would be deleted there.
    pub deletes_too: u64,
    /// What would not be done, and why.
    pub remarks: Vec<String>,
}

/// Looks at the server of an account and says what a round would do. Nothing is changed, there or here.
pub fn rehearse(store: &Store, setup: &Setup) -> Result<Forecast> {
    let reader = store.reader()?;
    let id = reader.accounts()?.into_iter().find(|row| row.name == setup.account.name).map(|row| row.id);
    if let (Some(id), Some(ask)) = (id, &setup.secret) {
        let refused = reader.sign_ins(id)?.refusal;
        if refused.is_some_and(|refusal| ask(false).is_ok_and(|secret| refusal.print.is_of(&secret))) {
            return Err(Error::new(
                Kind::Auth,
                "the server refused this password before; it is not tried again",
            )
            .hint("give the new one, or say `mailtui queue retry` for the same"));
        }
    }
    let interrupt = Interrupt::new()?;
    let mut session = (setup.open)(&interrupt)?;
    let found = if !session.caps().flags {
        maildrop(session.as_mut(), &reader, id, setup)
    } else {
        folders(session.as_mut(), &reader, id)
    };
    // Nothing was marked for deletion: the end changes nothing either.
    let ended = session.finish();
    let found = found?;
    ended?;
    Ok(found)
}

/// POP3.
fn maildrop(
    session: &mut dyn MailProtocol,
    reader: &Reader,
    id: Option<AccountId>,
    setup: &Setup,
) -> Result<Forecast> {
    let account = &setup.account;
    let known = match id {
        Some(id) => Nothing { uidls: reader.uidls(id)? },
        None => Nothing::default(),
    };
    let mut count = Count::default();
    session.pull(&FolderRef::new("INBOX"), &known, &mut count)?;
    // Sessions that would be divided are counted as one.
    let shares = share(count.listed_new, &account.portion, Spent::default(), false);
    let bytes = |of: &VecDeque<Listed>| of.iter().map(|(_, size)| size).sum::<u64>();
    let mut forecast = Forecast {
        new: (shares.whole.len() + shares.heads.len()) as u64,
        bytes: bytes(&shares.whole),
        stubs: shares.heads.len() as u64,
        left: shares.left,
        ..Forecast::default()
    };
    if session.terms().shows_part {
        forecast.remarks.push("this server shows a part of its mail at a time: there may be more".to_owned());
    }
    if !session.caps().deletes {
        if account.leave_on_server != Leave::Forever {
            forecast.remarks.push(pop::NAMELESS.to_owned());
        }
        return Ok(forecast);
    }
    if account.leave_on_server == Leave::DeleteAfterDownload {
        (forecast.deletes, forecast.delete_bytes) = (shares.whole.len() as u64, bytes(&shares.whole));
    }
    if let Some(id) = id {
        let mut tell = |error: &Error| forecast.remarks.push(error.to_string());
        for (uidl, message) in pop::wanted(reader, id, account, &count.listed, &mut tell, now())? {
            match message {
                Some(_) => {
                    forecast.deletes += 1;
                    forecast.delete_bytes += reader.seen_size(id, &uidl)?;
                }
                None => forecast.deletes_too += 1,
            }
        }
    }
    Ok(forecast)
}

/// IMAP.
fn folders(session: &mut dyn MailProtocol, reader: &Reader, id: Option<AccountId>) -> Result<Forecast> {
    let held = id.map_or(Ok(Vec::new()), |id| reader.folders(id))?;
    let mut count = Count::default();
    for folder in session.folders()?.into_iter().filter(|folder| folder.selectable) {
        let own = held.iter().find(|own| {
            own.remote == folder.remote
                || (own.role == Some(Role::Inbox) && folder.remote.eq_ignore_ascii_case("INBOX"))
        });
        let cursor = own.map_or(Ok(Cursor::default()), |own| reader.cursor(own.id))?;
        if folder.cursor.is_some_and(|there| in_step(cursor, there)) {
            continue;
        }
        let remote = FolderRef::new(folder.remote);
        let pulled = match own {
            Some(own) => {
                let known = Held { reader, account: id, folder: own.id, cursor, uidls: HashSet::new() };
                session.pull(&remote, &known, &mut count)
            }
            None => session.pull(&remote, &Nothing::default(), &mut count),
        };
        match pulled {
            Err(error) if super::receive::is_of_one_folder(&error) => count.remarks.push(error.to_string()),
            pulled => drop(pulled?),
        }
    }
    Ok(Forecast {
        new: count.new,
        bytes: count.bytes,
        bodies: id.map_or(Ok(0), |id| reader.wanted_count(id, Keep::ALL))?,
        marked: count.marked,
        gone: count.gone,
        pushes: id.map_or(Ok(0), |id| reader.waiting(id).map(|waiting| waiting.queued))?,
        remarks: count.remarks,
        ..Forecast::default()
    })
}

/// Counts what is told and keeps none of it.
#[derive(Default)]
struct Count {
    new: u64,
    bytes: u64,
    marked: u64,
    gone: u64,
    listed_new: VecDeque<Listed>,
    listed: HashSet<String>,
    remarks: Vec<String>,
}

impl Sink for Count {
    fn change(&mut self, change: Change) -> Result<Flow> {
        match change {
            Change::New { id: RemoteId::Uidl(uidl), size, .. } => self.listed_new.push_back((uidl, size)),
            Change::New { size, .. } => (self.new, self.bytes) = (self.new + 1, self.bytes + size),
            Change::Flags { .. } => self.marked += 1,
            Change::Gone { .. } => self.gone += 1,
            Change::Listing { uidls, .. } => self.listed = uidls.into_iter().collect(),
            Change::Reset { .. } => {
                let text = "a folder was numbered anew by the server: all of it is compared";
                self.remarks.push(text.to_owned());
            }
            Change::Shown { .. } | Change::Misnamed { .. } | Change::Expect { .. } | Change::Covered(_) => {}
        }
        Ok(Flow::Continue)
    }
}
