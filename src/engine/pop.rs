//! Deletions on a server that shows a snapshot (POP3): only what is safely here, by the account's policy.

use std::collections::HashSet;

use super::told::Told;
use crate::config::{Account, Leave};
use crate::error::{Error, Kind, Result};
use crate::model::AccountId;
use crate::protocol::{Applied, FolderRef, MailProtocol, RemoteId, RemoteOp};
use crate::store::{Batch, PopPolicy, Reader, Step, Store};

/// Asks the server to delete what the policy says and what was deleted here. Each mail that is still
/// here is read back from the store and its hash compared first (promise P3). Returns how many
/// deletions were asked for; they count once the session is finished.
pub(super) fn delete(
    session: &mut dyn MailProtocol,
    (store, reader, id): (&Store, &Reader, AccountId),
    account: &Account,
    listed: &HashSet<String>,
    told: &Told,
    now: i64,
) -> Result<u64> {
    if !session.caps().deletes {
        if account.leave_on_server != Leave::Forever {
            told.trouble(&Error::new(
                Kind::Unsupported,
                "nothing is deleted on this server: it has no lasting names for its mails (UIDL)",
            ));
        }
        return Ok(0);
    }
    let policy = PopPolicy {
        leave: account.leave_on_server,
        when_deleted_here: account.delete_on_server_when_deleted_here,
    };
    let mut uidls = Vec::new();
    for (uidl, message) in reader.pop_wants(id, policy, now)? {
        if !listed.contains(&uidl) {
            continue;
        }
        match message {
            Some(message) if !reader.is_intact(message)? => told.trouble(
                &Error::new(Kind::Store, "a mail in the store is damaged; it stays on the server")
                    .hint("Run `mailtui sync` again: it is fetched anew"),
            ),
            _ => uidls.push(uidl),
        }
    }
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
