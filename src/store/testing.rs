//! Mail and stores for the unit tests of this folder.

use super::Incoming;
use crate::model::{Envelope, Flags, FolderId};

/// A mail with nothing in it.
pub(super) fn blank() -> Incoming {
    Incoming {
        folder: FolderId(0),
        uid: None,
        uidl: None,
        remote_id: None,
        flags: Flags::NONE,
        keywords: Vec::new(),
        size: 0,
        received: 0,
        envelope: Envelope::default(),
        body: None,
    }
}
