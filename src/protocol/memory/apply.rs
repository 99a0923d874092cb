//! What an operation does to the server in memory of IMAP kind.

use super::{Mailbox, State};
use crate::error::{Error, Kind, Result};
use crate::protocol::{Applied, FolderRef, RemoteId, RemoteOp};

/// Carries out one operation, whole or not at all.
pub(super) fn carry_out(state: &mut State, op: &RemoteOp) -> Result<Applied> {
    match op {
        RemoteOp::Flag { folder, ids, delta, add, del } => {
            let there = mailbox(state, folder)?;
            let uids = uids(there, ids)?;
            let keywords = there.unkept(&[&add[..], &del[..]].concat());
            let kept: Vec<String> = add.iter().filter(|word| !keywords.contains(word)).cloned().collect();
            there.flag(&uids, *delta, &kept, del);
            Ok(if keywords.is_empty() { Applied::done() } else { Applied::Unkept { keywords } })
        }
        RemoteOp::Move { from, to, ids } => transfer(state, from, to, ids, true),
        RemoteOp::Copy { from, to, ids } => transfer(state, from, to, ids, false),
        RemoteOp::Delete { folder, ids } => {
            let there = mailbox(state, folder)?;
            let uids = uids(there, ids)?;
            there.take(&uids);
            Ok(Applied::done())
        }
        RemoteOp::CreateFolder { path } => {
            let remote = state.add_box(path, None);
            mailbox(state, &FolderRef::new(&*remote))?.subscribed = true;
            Ok(Applied::Done { moved: Vec::new(), created: Some(remote) })
        }
    }
}

/// The folders that an operation changes.
pub(super) fn touched(op: &RemoteOp) -> Vec<&String> {
    match op {
        RemoteOp::Move { from, to, .. } => vec![&from.remote, &to.remote],
        RemoteOp::Copy { to, .. } => vec![&to.remote],
        RemoteOp::Flag { folder, .. } | RemoteOp::Delete { folder, .. } => vec![&folder.remote],
        RemoteOp::CreateFolder { .. } => Vec::new(),
    }
}

pub(super) fn no_such(folder: &FolderRef) -> Error {
    Error::new(Kind::Refused, format!("the server has no folder {:?}", folder.remote))
}

pub(super) fn mailbox<'a>(state: &'a mut State, folder: &FolderRef) -> Result<&'a mut Mailbox> {
    state.mailbox(&folder.remote).ok_or_else(|| no_such(folder))
}

/// The UIDs meant by `ids`; an error where they are of another UIDVALIDITY.
fn uids(there: &Mailbox, ids: &[RemoteId]) -> Result<Vec<u32>> {
    ids.iter()
        .map(|id| match id {
            RemoteId::Uid { validity, uid } if *validity == there.validity => Ok(*uid),
            _ => Err(Error::new(Kind::Conflict, format!("the folder {:?} was made anew", there.remote))),
        })
        .collect()
}

fn transfer(
    state: &mut State,
    from: &FolderRef,
    to: &FolderRef,
    ids: &[RemoteId],
    take: bool,
) -> Result<Applied> {
    let new = mailbox(state, to)?.validity;
    let source = mailbox(state, from)?;
    let (old, uids) = (source.validity, uids(source, ids)?);
    let name = |validity, uid| RemoteId::Uid { validity, uid };
    let pairs = state.transfer(&from.remote, &to.remote, &uids, take);
    let moved = pairs.into_iter().map(|(a, b)| (name(old, a), name(new, b))).collect();
    Ok(Applied::Done { moved, created: None })
}
