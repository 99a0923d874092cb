//! Mail and stores for the unit tests of this folder.

use std::sync::Arc;

use super::{Batch, Incoming, Packed, Packer, Step, Store};
use crate::model::{AccountId, Envelope, Flags, FolderId, Owner, Role};

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
        internal: 0,
        envelope: Envelope::default(),
        body: None,
    }
}

/// The n-th mail of a folder.
pub(super) fn mail(folder: FolderId, n: u32) -> Incoming {
    let envelope = Envelope { msgid: format!("{n}@example.org"), ..Envelope::default() };
    Incoming { folder, uid: Some(n), received: 1_700_000_000 + i64::from(n), envelope, ..blank() }
}

/// A store whose clock stands still, with one account of a server's.
pub(super) struct Home {
    pub(super) store: Store,
    pub(super) account: AccountId,
    pub(super) inbox: FolderId,
    pub(super) dir: tempfile::TempDir,
}

impl Home {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_at(dir.path(), Arc::new(|| 1_700_000_000)).unwrap();
        let account = store.account("work", "memory", Owner::Server, "").unwrap();
        let reader = store.reader().unwrap();
        let inbox = reader.folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
        Self { store, account, inbox, dir }
    }

    pub(super) fn batch(&self, steps: Vec<Step>) -> Batch {
        Batch { account: self.account, steps }
    }

    pub(super) fn total(&self) -> u32 {
        self.store.reader().unwrap().folder(self.inbox).unwrap().unwrap().total
    }
}

/// A body that does not compress.
pub(super) fn noise(bytes: usize) -> Packed {
    let mut x = 1u32;
    let next = || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 24) as u8
    };
    let raw: Vec<u8> = std::iter::repeat_with(next).take(bytes).collect();
    let mut packer = Packer::new().unwrap();
    let mut chunks = packer.push(&raw).unwrap();
    let (last, size, sha256) = packer.finish().unwrap();
    chunks.extend(last);
    Packed { chunks, size, sha256, snippet: String::new(), attachments: 0 }
}
