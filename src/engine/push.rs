//! Carries out what is queued: one operation of the store becomes one on the server, and its answer a step.

use super::backoff;
use crate::error::{Error, Kind, Result, Retry};
use crate::model::{FolderId, PlacementId};
use crate::protocol::{Applied, FolderRef, MailProtocol, RemoteId, RemoteOp};
use crate::store::{Op, OpKind, Reader, Step};

/// What pushing one operation came to.
#[derive(Debug)]
pub(super) struct Pushed {
    /// To be committed.
    pub(super) step: Step,
    /// A folder that has to be looked at, because the server did not tell what arrived there.
    pub(super) look: Option<FolderId>,
    /// The connection is of no more use.
    pub(super) broken: Option<Error>,
    /// For the user: the operation waits for a decision.
    pub(super) trouble: Option<Error>,
}

fn folder_ref(reader: &Reader, folder: FolderId) -> Result<FolderRef> {
    let folder = reader.folder(folder)?.ok_or_else(|| Error::new(Kind::Gone, "the folder is gone"))?;
    if folder.remote.is_empty() {
        return Err(Error::new(Kind::Offline, "the folder is not on the server yet"));
    }
    Ok(FolderRef::new(folder.remote))
}

/// The operation in the server's names.
fn remote_op(reader: &Reader, op: &Op) -> Result<RemoteOp> {
    if let OpKind::Mkdir { path, .. } = &op.kind {
        return Ok(RemoteOp::CreateFolder { path: path.clone() });
    }
    let home = op.folder.ok_or_else(|| Error::new(Kind::Bug, "an operation names no folder"))?;
    let folder = folder_ref(reader, home)?;
    let validity = reader.cursor(home)?.validity;
    let ids =
        op.items.iter().filter_map(|item| item.uid).map(|uid| RemoteId::Uid { validity, uid }).collect();
    Ok(match &op.kind {
        OpKind::Flags(delta) => {
            RemoteOp::Flag { folder, ids, delta: *delta, add: Vec::new(), del: Vec::new() }
        }
        OpKind::Move(to) => RemoteOp::Move { from: folder, to: folder_ref(reader, *to)?, ids },
        OpKind::Copy(to) => RemoteOp::Copy { from: folder, to: folder_ref(reader, *to)?, ids },
        OpKind::Delete => RemoteOp::Delete { folder, ids },
        OpKind::Mkdir { .. } => return Err(Error::new(Kind::Bug, "a folder is made twice")),
    })
}

/// Which item got which UID, where the server told.
fn moved(op: &Op, told: &[(RemoteId, RemoteId)]) -> Vec<(PlacementId, u32)> {
    told.iter()
        .filter_map(|(old, new)| {
            let (RemoteId::Uid { uid: old, .. }, RemoteId::Uid { uid: new, .. }) = (old, new) else {
                return None;
            };
            op.items.iter().find(|item| item.uid == Some(*old)).map(|item| (item.placement, *new))
        })
        .collect()
}

/// Carries out one operation. Whatever becomes of it is a step for the store.
pub(super) fn push(session: &mut dyn MailProtocol, reader: &Reader, op: &Op, now: i64) -> Pushed {
    let target = match op.kind {
        OpKind::Move(to) | OpKind::Copy(to) => Some(to),
        _ => None,
    };
    match remote_op(reader, op).and_then(|remote| session.apply(&remote)) {
        Ok(Applied::Done { moved: told, created }) => {
            let moved = moved(op, &told);
            let look = target.filter(|_| moved.len() < op.items.len());
            Pushed { step: Step::OpDone { op: op.id, moved, created }, look, broken: None, trouble: None }
        }
        Ok(Applied::AtFinish) => Pushed {
            step: Step::OpDone { op: op.id, moved: Vec::new(), created: None },
            look: None,
            broken: None,
            trouble: None,
        },
        Ok(Applied::Partial { refused }) => {
            let error = Error::new(
                Kind::Conflict,
                format!("the server left {} of {} as they were", refused.len(), op.items.len()),
            );
            failed(op, error, now, op.folder)
        }
        Err(error) => failed(op, error, now, op.folder),
    }
}

fn failed(op: &Op, error: Error, now: i64, look: Option<FolderId>) -> Pushed {
    let again = matches!(error.kind().retry(), Retry::Now | Retry::Later | Retry::AskUser);
    let wait = backoff::delay(op.tries.saturating_add(1), backoff::random());
    let retry_at = again.then(|| now.saturating_add(i64::try_from(wait.as_secs()).unwrap_or(0).max(1)));
    let step = Step::OpFailed { op: op.id, error: error.to_string(), retry_at };
    if again {
        Pushed { step, look: None, broken: Some(error), trouble: None }
    } else {
        Pushed { step, look, broken: None, trouble: Some(error) }
    }
}
