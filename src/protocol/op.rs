//! One operation on a server, and what became of it.

use super::{FolderRef, RemoteId};
use crate::model::FlagDelta;

/// One operation on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteOp {
    /// Change flags and keywords.
    Flag {
        /// Where.
        folder: FolderRef,
        /// Which.
        ids: Vec<RemoteId>,
        /// System flags to set and clear.
        delta: FlagDelta,
        /// Keywords to set, in any letters: the protocol writes them as its wire can.
        add: Vec<String>,
        /// Keywords to clear.
        del: Vec<String>,
    },
    /// Move (RFC 6851, else COPY and UID EXPUNGE, promise I6).
    Move {
        /// From where.
        from: FolderRef,
        /// To where.
        to: FolderRef,
        /// Which.
        ids: Vec<RemoteId>,
    },
    /// Copy.
    Copy {
        /// From where.
        from: FolderRef,
        /// To where.
        to: FolderRef,
        /// Which.
        ids: Vec<RemoteId>,
    },
    /// Remove for good.
    Delete {
        /// Where.
        folder: FolderRef,
        /// Which.
        ids: Vec<RemoteId>,
    },
    /// Make a folder and subscribe to it. One that is there already is success.
    CreateFolder {
        /// Its decoded path, levels joined by `/`; the protocol encodes it and finds the delimiter.
        path: String,
    },
    /// Give a folder another name; what lies beneath goes with it, subscriptions too. One that has it already
    /// is success.
    RenameFolder {
        /// Which, under its name of now.
        folder: FolderRef,
        /// Its new decoded path, levels joined by `/`.
        path: String,
    },
    /// Remove a folder that holds no mail and no folders, and its subscription; refused where it holds any.
    /// One that is not there is success.
    DeleteFolder {
        /// Which.
        folder: FolderRef,
    },
    /// Subscribe to a folder, or unsubscribe.
    Subscribe {
        /// Which.
        folder: FolderRef,
        /// Whether to be subscribed.
        on: bool,
    },
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Done.
    Done {
        /// Old name to new name, as far as told (COPYUID).
        moved: Vec<(RemoteId, RemoteId)>,
        /// `CreateFolder`, `RenameFolder`: the name on the wire.
        created: Option<String>,
    },
    /// `Flag`: done, but the server keeps none of these keywords in that folder.
    Unkept {
        /// As they were asked for.
        keywords: Vec<String>,
    },
    /// Done for all but these: still there, left as they were, or marked beside what others marked (promise I6).
    Partial {
        /// Which were refused.
        refused: Vec<RemoteId>,
    },
    /// POP3 DELE: it counts once `finish()` is Ok (promise P3).
    AtFinish,
}

impl Applied {
    /// Done, with nothing to tell.
    #[must_use]
    pub fn done() -> Self {
        Self::Done { moved: Vec::new(), created: None }
    }
}
