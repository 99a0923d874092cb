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
            state.flag(&folder.remote, &uids, *delta, &kept, del);
            Ok(if keywords.is_empty() { Applied::done() } else { Applied::Unkept { keywords } })
        }
        RemoteOp::Move { from, to, ids } => transfer(state, from, to, ids, true),
        RemoteOp::Copy { from, to, ids } => transfer(state, from, to, ids, false),
        RemoteOp::Delete { folder, ids } => {
            let there = mailbox(state, folder)?;
            let uids = uids(there, ids)?;
            state.expunge(&folder.remote, &uids);
            Ok(Applied::done())
        }
        RemoteOp::CreateFolder { path } => {
            let remote = state.add_box(path, None);
            mailbox(state, &FolderRef::new(&*remote))?.subscribed = true;
            Ok(Applied::Done { moved: Vec::new(), created: Some(remote) })
        }
        RemoteOp::RenameFolder { folder, path } => {
            let remote = rename(state, folder, path)?;
            Ok(Applied::Done { moved: Vec::new(), created: Some(remote) })
        }
        RemoteOp::DeleteFolder { folder } => {
            remove(state, folder)?;
            Ok(Applied::done())
        }
        RemoteOp::Subscribe { folder, on } => {
            mailbox(state, folder)?.subscribed = *on;
            Ok(Applied::done())
        }
    }
}

fn refused(why: &str) -> Error {
    Error::new(Kind::Refused, why)
}

/// Gives a folder and all beneath it another path; its new name on the wire.
fn rename(state: &mut State, folder: &FolderRef, path: &str) -> Result<String> {
    let remote = Mailbox::wire_name(path);
    let there = state.mailbox(&remote).is_some();
    let Some(old) = state.mailbox(&folder.remote).map(|b| b.remote.clone()) else {
        return if there {
            Ok(remote)
        } else {
            Err(Error::new(Kind::Gone, "the folder is not on the server any more"))
        };
    };
    if old == remote {
        return Ok(remote);
    }
    if old == "INBOX" || there {
        return Err(refused("the server does not rename the folder"));
    }
    let beneath = format!("{old}.");
    for other in &mut state.boxes {
        let rest = if other.remote == old { Some("") } else { other.remote.strip_prefix(&beneath) };
        let Some(rest) = rest.map(str::to_owned) else { continue };
        let dot = if rest.is_empty() { "" } else { "." };
        other.remote = format!("{remote}{dot}{rest}");
        other.path = other.remote.replace('.', "/");
    }
    Ok(remote)
}

fn remove(state: &mut State, folder: &FolderRef) -> Result<()> {
    let Some(there) = state.mailbox(&folder.remote) else { return Ok(()) };
    let (remote, count) = (there.remote.clone(), there.len());
    let beneath = format!("{remote}.");
    if count > 0 {
        return Err(refused(&format!("the folder holds {count} messages on the server")));
    }
    if remote == "INBOX" || state.boxes.iter().any(|b| b.remote.starts_with(&beneath)) {
        return Err(refused("the server does not remove the folder"));
    }
    state.boxes.retain(|b| b.remote != remote);
    Ok(())
}

/// The folders that an operation changes.
pub(super) fn touched(op: &RemoteOp) -> Vec<&String> {
    match op {
        RemoteOp::Move { from, to, .. } => vec![&from.remote, &to.remote],
        RemoteOp::Copy { to, .. } => vec![&to.remote],
        RemoteOp::Flag { folder, .. } | RemoteOp::Delete { folder, .. } => vec![&folder.remote],
        RemoteOp::CreateFolder { .. }
        | RemoteOp::RenameFolder { .. }
        | RemoteOp::DeleteFolder { .. }
        | RemoteOp::Subscribe { .. } => Vec::new(),
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
