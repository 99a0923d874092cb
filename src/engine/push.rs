//! Carries out what is queued: one operation of the store becomes one on the server, and its answer a step.

use super::backoff;
use crate::error::{Error, Kind, Result, Retry};
use crate::model::{FolderId, PlacementId, Role};
use crate::protocol::{Applied, FolderRef, MailProtocol, RemoteId, RemoteOp};
use crate::store::{Op, OpItem, OpKind, Reader, Step};

/// Tries of an operation in a folder that is numbered anew again and again.
const PATIENCE: u32 = 5;

/// What pushing one operation came to.
#[derive(Debug)]
pub(super) struct Pushed {
    /// To be committed, together.
    pub(super) steps: Vec<Step>,
    /// A folder that has to be looked at, because of what the server did not tell.
    pub(super) look: Option<FolderId>,
    /// Tags that the server does not keep.
    pub(super) unkept: Vec<String>,
    pub(super) end: End,
}

/// How a push ended.
#[derive(Debug)]
pub(super) enum End {
    Done,
    /// The folder was numbered anew (promise I2): to be looked at, then the operation is tried again.
    Renumbered(FolderId),
    /// The connection is of no more use.
    Broken(Error),
    /// The operation waits for a decision of the user.
    Trouble(Error),
}

/// A folder by its name on the wire, listed there or not.
fn name_of(reader: &Reader, folder: FolderId) -> Result<FolderRef> {
    let folder = reader.folder(folder)?.ok_or_else(|| Error::new(Kind::Gone, "the folder is gone"))?;
    Ok(FolderRef::new(folder.remote))
}

pub(super) fn folder_ref(reader: &Reader, folder: FolderId) -> Result<FolderRef> {
    let folder = reader.folder(folder)?.ok_or_else(|| Error::new(Kind::Gone, "the folder is gone"))?;
    if folder.remote.is_empty() {
        return Err(Error::new(Kind::Offline, "the folder is not on the server yet"));
    }
    if folder.is_unlisted {
        return Err(Error::new(
            Kind::Gone,
            format!("the folder {} is not on the server any more", folder.path),
        )
        .hint("Another program removed it or gave it another name"));
    }
    Ok(FolderRef::new(folder.remote))
}

/// The operations on the server that this one comes to; more than one where a part of it is done already.
fn remote_ops(reader: &Reader, op: &Op, labels: bool) -> Result<Vec<RemoteOp>> {
    let shape = match &op.kind {
        OpKind::Mkdir { path, .. } => Some(RemoteOp::CreateFolder { path: path.clone() }),
        // It may be gone under this name because an earlier try was carried out: the server is asked.
        OpKind::Rmdir(folder) => Some(RemoteOp::DeleteFolder { folder: name_of(reader, *folder)? }),
        OpKind::Rename { folder, path } => {
            Some(RemoteOp::RenameFolder { folder: name_of(reader, *folder)?, path: path.clone() })
        }
        OpKind::Subscribe { folder, on } => {
            Some(RemoteOp::Subscribe { folder: folder_ref(reader, *folder)?, on: *on })
        }
        _ => None,
    };
    if let Some(shape) = shape {
        return Ok(vec![shape]);
    }
    let home = op.folder.ok_or_else(|| Error::new(Kind::Bug, "an operation names no folder"))?;
    let folder = folder_ref(reader, home)?;
    let validity = reader.cursor(home)?.validity;
    // Its folder may have been numbered anew since the operation was read.
    if op.items.iter().any(|item| item.uid.is_none()) {
        return Err(Error::new(Kind::Conflict, "the mail is being looked for on the server"));
    }
    let name = |item: &OpItem| Some(RemoteId::Uid { validity, uid: item.uid? });
    let ids: Vec<RemoteId> = op.items.iter().filter_map(name).collect();
    if labels {
        return relabelled(reader, op, folder, ids);
    }
    let (landed, open) = op.items.iter().partition::<Vec<OpItem>, _>(|item| item.landed);
    let landed: Vec<RemoteId> = landed.iter().filter_map(name).collect();
    let open: Vec<RemoteId> = open.iter().filter_map(name).collect();
    Ok(match &op.kind {
        OpKind::Flags(marks) => {
            let (add, del) = (marks.tag.clone(), marks.untag.clone());
            vec![RemoteOp::Flag { folder, ids, delta: marks.flags, add, del }]
        }
        OpKind::Move(to) => {
            let mut ops = Vec::new();
            if !open.is_empty() {
                ops.push(RemoteOp::Move { from: folder.clone(), to: folder_ref(reader, *to)?, ids: open });
            }
            // An earlier try made the copy (RFC 6851 section 3.3 allows that) and got no further.
            if !landed.is_empty() {
                ops.push(RemoteOp::Delete { folder, ids: landed });
            }
            ops
        }
        // To copy again would make a second copy.
        OpKind::Copy(_) if open.is_empty() => Vec::new(),
        OpKind::Copy(to) => vec![RemoteOp::Copy { from: folder, to: folder_ref(reader, *to)?, ids: open }],
        OpKind::Delete => vec![RemoteOp::Delete { folder, ids }],
        OpKind::Append(_)
        | OpKind::Mkdir { .. }
        | OpKind::Rmdir(_)
        | OpKind::Rename { .. }
        | OpKind::Subscribe { .. } => {
            return Err(Error::new(Kind::Bug, "an operation is taken for another"));
        }
    })
}

/// The same where folders are labels: to put a mail where it is already does no harm, and out of a label it is never
/// deleted: what that would come to is a setting of the user's there.
fn relabelled(reader: &Reader, op: &Op, folder: FolderRef, ids: Vec<RemoteId>) -> Result<Vec<RemoteOp>> {
    Ok(match &op.kind {
        OpKind::Flags(marks) => {
            let (add, del) = (marks.tag.clone(), marks.untag.clone());
            vec![RemoteOp::Flag { folder, ids, delta: marks.flags, add, del }]
        }
        OpKind::Move(to) => vec![RemoteOp::Move { from: folder, to: folder_ref(reader, *to)?, ids }],
        OpKind::Copy(to) => vec![RemoteOp::Copy { from: folder, to: folder_ref(reader, *to)?, ids }],
        _ => {
            let home = op.folder.map_or(Ok(None), |home| reader.folder(home))?;
            let home = home.ok_or_else(|| Error::new(Kind::Gone, "the folder is gone"))?;
            // A copy that is taken back leaves the mail; what went to another account is to leave this one.
            let role = if reader.spares(op.id)?.is_some() { Role::All } else { Role::Trash };
            let to = reader.folder_by_role(home.account, role)?;
            match (home.role, to) {
                (Some(Role::Trash | Role::Junk), _) | (_, None) => vec![RemoteOp::Delete { folder, ids }],
                (_, Some(to)) if to.id == home.id => Vec::new(),
                (_, Some(to)) => vec![RemoteOp::Move { from: folder, to: FolderRef::new(to.remote), ids }],
            }
        }
    })
}

/// Carries out what an operation comes to; the answers as one.
fn apply(session: &mut dyn MailProtocol, ops: &[RemoteOp]) -> Result<Applied> {
    let (mut moved, mut created, mut left) = (Vec::new(), None, Vec::new());
    for op in ops {
        match session.apply(op)? {
            Applied::Done { moved: told, created: made } => {
                moved.extend(told);
                created = created.or(made);
            }
            Applied::Partial { refused } => left.extend(refused),
            Applied::Unkept { keywords } => return Ok(Applied::Unkept { keywords }),
            Applied::AtFinish => return Ok(Applied::AtFinish),
        }
    }
    if left.is_empty() {
        Ok(Applied::Done { moved, created })
    } else {
        Ok(Applied::Partial { refused: left })
    }
}

/// Which item got which UID, where the server told: not one of another numbering of the target. The others are
/// looked for.
fn moved(op: &Op, told: &[(RemoteId, RemoteId)], validity: u32) -> Vec<(PlacementId, u32)> {
    told.iter()
        .filter_map(|(old, new)| {
            let (RemoteId::Uid { uid: old, .. }, RemoteId::Uid { validity: told, uid: new }) = (old, new)
            else {
                return None;
            };
            if validity != 0 && *told != validity {
                return None;
            }
            op.items.iter().find(|item| item.uid == Some(*old)).map(|item| (item.placement, *new))
        })
        .collect()
}

/// Of an operation that was tried before: what other operations have marked as deleted beside it, or are about
/// to, may go along with it. Else they would wait for each other for ever.
pub(super) fn let_go(session: &mut dyn MailProtocol, reader: &Reader, op: &Op) -> Result<()> {
    let Some(home) =
        op.folder.filter(|_| op.tries > 1 && matches!(op.kind, OpKind::Delete | OpKind::Move(_)))
    else {
        return Ok(());
    };
    let validity = reader.cursor(home)?.validity;
    let ids = reader.going(home)?.into_iter().map(|uid| RemoteId::Uid { validity, uid }).collect();
    if let Ok(folder) = folder_ref(reader, home) {
        session.let_go(&folder, ids);
    }
    Ok(())
}

/// Carries out one operation. Whatever becomes of it is a step for the store.
pub(super) fn push(session: &mut dyn MailProtocol, reader: &Reader, op: &Op, now: i64) -> Pushed {
    let target = match op.kind {
        OpKind::Move(to) | OpKind::Copy(to) => Some(to),
        _ => None,
    };
    let done = |moved, created, look| Pushed {
        steps: vec![Step::OpDone { op: op.id, moved, created }],
        look,
        unkept: Vec::new(),
        end: End::Done,
    };
    match remote_ops(reader, op, session.caps().labels).and_then(|ops| apply(session, &ops)) {
        Ok(Applied::Done { moved: told, created }) => {
            // A target that cannot be read is looked at.
            let at = target.and_then(|folder| reader.cursor(folder).ok()).unwrap_or_default();
            let moved = moved(op, &told, at.validity);
            let known = moved.len() + op.items.iter().filter(|item| item.landed).count();
            done(moved, created, target.filter(|_| known < op.items.len()))
        }
        Ok(Applied::AtFinish) => done(Vec::new(), None, None),
        Ok(Applied::Unkept { keywords }) => {
            let mut pushed = done(Vec::new(), None, None);
            pushed.steps.insert(0, Step::Unkept { op: op.id, tags: keywords.clone() });
            Pushed { unkept: keywords, ..pushed }
        }
        Ok(Applied::Partial { refused }) => {
            let error = Error::new(
                Kind::Refused,
                format!(
                    "the server can only remove all that is marked as deleted, and another program has marked mail \
                     there: {} of {} are left marked beside it",
                    refused.len(),
                    op.items.len()
                ),
            );
            failed(op, error.hint("Try it again once that other mail is removed, or no longer marked"), now)
        }
        Err(error) => failed(op, error, now),
    }
}

/// What a failure means for its operation.
pub(super) fn failed(op: &Op, error: Error, now: i64) -> Pushed {
    let renumbered = op.folder.filter(|_| error.kind() == Kind::Conflict && op.tries < PATIENCE);
    let again = matches!(error.kind().retry(), Retry::Now | Retry::Later | Retry::AskUser);
    let retry_at = match renumbered {
        Some(_) => Some(now),
        None => again.then(|| now.saturating_add(wait(op.tries, error.kind()))),
    };
    // Who has to decide is told what can be done.
    let hint = error.hint_text().filter(|_| retry_at.is_none());
    let text = hint.map_or_else(|| error.to_string(), |hint| format!("{error} ({hint})"));
    let step = Step::OpFailed { op: op.id, error: text, retry_at };
    let (look, end) = match renumbered {
        Some(folder) => (None, End::Renumbered(folder)),
        None if again => (None, End::Broken(error)),
        None => (op.folder, End::Trouble(error)),
    };
    Pushed { steps: vec![step], look, unkept: Vec::new(), end }
}

/// Seconds until an operation may be tried again whose n-th try failed. A line that broke says nothing of
/// the operation: it is tried again as soon as there is a line. One that breaks a second line is suspected.
fn wait(tries: u32, kind: Kind) -> i64 {
    if tries <= 1 && matches!(kind, Kind::Offline | Kind::Timeout | Kind::Interrupted) {
        return 0;
    }
    let delay = backoff::delay(tries, backoff::random());
    i64::try_from(delay.as_secs()).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_broke_once_costs_an_operation_nothing() {
        assert_eq!(wait(1, Kind::Offline), 0);
        assert_eq!(wait(1, Kind::Timeout), 0);
        assert!(wait(1, Kind::Protocol) >= 1);
        assert!(wait(2, Kind::Offline) >= 1);
        assert!(wait(6, Kind::Offline) > wait(2, Kind::Offline));
    }
}
