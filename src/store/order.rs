//! One operation of the queue as the engine is given it: what to do, where, and with which mail.

use crate::model::{Flags, FolderId, Mark, Marking, MessageId, OpId, PlacementId};

/// One queued operation, with all that is needed to carry it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// Its row.
    pub id: OpId,
    /// What to do.
    pub kind: OpKind,
    /// Where: the folder that the items lie in.
    pub folder: Option<FolderId>,
    /// How often it was tried.
    pub tries: u32,
    /// On what; items whose UID is not known yet make the op wait.
    pub items: Vec<OpItem>,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpKind {
    /// Change flags and tags.
    Flags(Marking),
    /// Move to a folder.
    Move(FolderId),
    /// Copy to a folder.
    Copy(FolderId),
    /// Remove for good.
    Delete,
    /// Put a mail into a folder.
    Append(Parcel),
    /// Make a folder with this path.
    Mkdir {
        /// The row that waits for its name on the wire.
        folder: FolderId,
        /// Decoded.
        path: String,
    },
    /// Remove a folder that holds nothing.
    Rmdir(FolderId),
    /// Give a folder another path.
    Rename {
        /// Which.
        folder: FolderId,
        /// Decoded.
        path: String,
    },
    /// Subscribe to a folder, or unsubscribe.
    Subscribe {
        /// Which.
        folder: FolderId,
        /// Whether to be subscribed.
        on: bool,
    },
}

/// A mail that is put into a folder of a server: the one item of its operation. It is whole here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    /// The folder.
    pub folder: FolderId,
    /// Whether the user still wants the folder: it may be made anew where the server lost it.
    pub make: bool,
    /// The mail.
    pub message: MessageId,
    /// Where the folder ended before the first try; `None`: none of its tries can have put it there.
    pub mark: Option<Mark>,
    /// Whether it is to go from there again: then it need not be put there.
    pub leaving: bool,
}

/// What a server is told of a mail that is put there, beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Its flags.
    pub flags: Flags,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// INTERNALDATE, Unix seconds.
    pub received: i64,
    /// Bytes of the raw mail.
    pub size: u64,
    /// UIDs of other copies of it in the folder.
    pub others: Vec<u32>,
}

impl OpKind {
    /// Whether it is done to a folder as a whole.
    #[must_use]
    pub fn is_shape(&self) -> bool {
        matches!(self, Self::Mkdir { .. } | Self::Rmdir(_) | Self::Rename { .. } | Self::Subscribe { .. })
    }
}

/// One mail of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpItem {
    /// The copy.
    pub placement: PlacementId,
    /// Its UID; `None`: it waits for the op whose result it is.
    pub uid: Option<u32>,
    /// A move or copy: its copy was seen in the target, so an earlier try got that far. To be believed after
    /// another look at the target only: another client may have taken that copy away since.
    pub landed: bool,
}
