//! Deletions on a server that shows a snapshot (POP3): only what is safely here, by the account's policy.

use std::collections::HashSet;
use std::time::Instant;

use super::bodies::BUSY;
use super::told::Told;
use crate::config::{Account, Leave};
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, MessageId};
use crate::protocol::{Applied, FolderRef, MailProtocol, RemoteId, RemoteOp};
use crate::store::{Batch, PopPolicy, Reader, Step, Store};

/// Why no policy that deletes is followed there.
pub(super) const NAMELESS: &str =
    "nothing is deleted on this server: it has no lasting names for its mails (UIDL)";

/// What the policy says is to be deleted on the server, and what was deleted here, as far as it is listed there.
/// Each mail that is still here was read back from the store, and its hash compared (promise P3). A damaged one
/// stays there, and is told.
pub(super) fn wanted(
    reader: &Reader,
    id: AccountId,
    account: &Account,
    listed: &HashSet<String>,
    damaged: &mut dyn FnMut(&Error),
    now: i64,
) -> Result<Vec<(String, Option<MessageId>)>> {
    wanted_with(reader, (id, policy(account)), listed, damaged, &mut || Ok(()), now)
}

fn policy(account: &Account) -> PopPolicy {
    PopPolicy {
        leave: account.leave_on_server,
        when_deleted_here: account.delete_on_server_when_deleted_here,
    }
}

fn wanted_with(
    reader: &Reader,
    (id, policy): (AccountId, PopPolicy),
    listed: &HashSet<String>,
    damaged: &mut dyn FnMut(&Error),
    pause: &mut dyn FnMut() -> Result<()>,
    now: i64,
) -> Result<Vec<(String, Option<MessageId>)>> {
    let mut wanted = Vec::new();
    for (uidl, message) in reader.pop_wants(id, policy, now)? {
        if !listed.contains(&uidl) {
            continue;
        }
        match message {
            Some(message) if !reader.is_intact(message)? => damaged(
                &Error::new(Kind::Store, "a mail in the store is damaged; it stays on the server")
                    .hint("Run `mailtui sync` again: it is fetched anew"),
            ),
            _ => wanted.push((uidl, message)),
        }
        pause()?;
    }
    Ok(wanted)
}

/// Asks the server to delete what the policy says and what was deleted here. Returns how many deletions were
/// asked for; they count once the session is finished.
pub(super) fn delete(
    session: &mut dyn MailProtocol,
    (store, reader, id): (&Store, &Reader, AccountId),
    account: &Account,
    listed: &HashSet<String>,
    told: &Told,
    now: i64,
) -> Result<u64> {
    if !session.caps().deletes {
        let wants = reader.pop_wants(id, policy(account), now)?;
        if account.leave_on_server != Leave::Forever || wants.iter().any(|(uidl, _)| listed.contains(uidl)) {
            let hint = "With leave_on_server = \"forever\" and delete_on_server_when_deleted_here = false nothing is wanted there";
            told.trouble(&Error::new(Kind::Unsupported, NAMELESS).hint(hint));
        }
        return Ok(0);
    }
    let mut heard = Instant::now();
    // Reading thousands of mails back takes a while: the server must not think that nobody is there (P10).
    let mut pause = || {
        if heard.elapsed() >= BUSY {
            session.keep_alive()?;
            heard = Instant::now();
        }
        Ok(())
    };
    let mut damaged = |error: &Error| told.trouble(error);
    let wanted = wanted_with(reader, (id, policy(account)), listed, &mut damaged, &mut pause, now)?;
    let uidls: Vec<String> = wanted.into_iter().map(|(uidl, _)| uidl).collect();
    if uidls.is_empty() {
        return Ok(0);
    }
    // Written down before the server hears of it: a session that is cut is looked at again by its UIDLs.
    store.commit(Batch { account: id, steps: vec![Step::Told { uidls: uidls.clone() }] })?;
    let count = uidls.len() as u64;
    let ids = uidls.into_iter().map(RemoteId::Uidl).collect();
    match session.apply(&RemoteOp::Delete { folder: FolderRef::new("INBOX"), ids })? {
        Applied::Partial { refused } => Ok(count.saturating_sub(refused.len() as u64)),
        Applied::AtFinish | Applied::Done { .. } | Applied::Unkept { .. } => Ok(count),
    }
}
