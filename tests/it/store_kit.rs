//! A store in a directory of its own, and mail for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};

use mailtui::model::*;
use mailtui::store::*;

/// A store with one account whose clock stands still.
pub(crate) struct Kit {
    pub store: Store,
    pub reader: Reader,
    pub account: AccountId,
    pub inbox: FolderId,
    pub clock: Arc<AtomicI64>,
    pub changes: Receiver<Changed>,
    pub dir: tempfile::TempDir,
}

pub(crate) const NOW: i64 = 1_750_000_000;

/// Opens the store of a directory with a clock that stands at `clock`.
pub(crate) fn open(dir: &Path, clock: &Arc<AtomicI64>) -> Store {
    let clock = clock.clone();
    Store::open_at(dir, Arc::new(move || clock.load(Ordering::SeqCst))).unwrap()
}

impl Kit {
    pub(crate) fn new(owner: Owner) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let store = open(dir.path(), &clock);
        let account = store.account("work", "memory", owner, "ada@example.org").unwrap();
        let reader = store.reader().unwrap();
        let inbox = reader.folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
        let (send, changes) = channel();
        store.subscribe(Box::new(move |changed| drop(send.send(changed.clone()))));
        Self { store, reader, account, inbox, clock, changes, dir }
    }

    /// An account whose truth is on a server, with its usual folders listed.
    pub(crate) fn server() -> Self {
        let kit = Self::new(Owner::Server);
        let roles = [Role::Inbox, Role::Archive, Role::Trash, Role::Sent];
        kit.commit([Step::Folders(roles.map(|role| spec(role.title(), Some(role))).to_vec())]);
        kit
    }

    pub(crate) fn commit(&self, steps: impl IntoIterator<Item = Step>) -> Committed {
        self.store.commit(Batch { account: self.account, steps: steps.into_iter().collect() }).unwrap()
    }

    /// Stores a mail of the server's; returns the message.
    pub(crate) fn bring(&self, incoming: Incoming) -> MessageId {
        self.commit([Step::Message(Box::new(incoming))]).messages[0]
    }

    pub(crate) fn folder(&self, role: Role) -> FolderId {
        self.reader.folder_by_role(self.account, role).unwrap().unwrap().id
    }

    pub(crate) fn top(&self, folder: FolderId) -> Vec<Row> {
        self.reader.page(View::Folder(folder), Edge::Top, 1000).unwrap().rows
    }

    /// Subject and flags of every visible mail of a folder, newest first.
    pub(crate) fn mails(&self, folder: FolderId) -> Vec<(String, Flags)> {
        let mut mails: Vec<_> =
            self.top(folder).into_iter().flat_map(|row| row.members).map(|m| m.placement).collect();
        mails.sort_by_key(|id| {
            let key = self.reader.summary(*id).unwrap().unwrap().key;
            std::cmp::Reverse(key)
        });
        let summary = |id| self.reader.summary(id).unwrap().unwrap();
        mails.into_iter().map(summary).map(|s| (s.subject.to_string(), s.flags)).collect()
    }

    /// The visible copy of a message in a folder.
    pub(crate) fn copy(&self, folder: FolderId, message: MessageId) -> PlacementId {
        let mut members = self.top(folder).into_iter().flat_map(|row| row.members);
        members.find(|member| member.message == message).expect("the mail is in the folder").placement
    }

    pub(crate) fn ops(&self) -> Vec<Op> {
        self.reader.ops(self.account, NOW, 100).unwrap()
    }

    /// Fails when anything in the store is not as it must be.
    #[track_caller]
    pub(crate) fn check(&self) {
        assert_eq!(self.reader.check().unwrap(), Vec::<String>::new());
    }
}

pub(crate) fn spec(name: &str, role: Option<Role>) -> FolderSpec {
    let remote = if role == Some(Role::Inbox) { "INBOX" } else { name };
    FolderSpec {
        remote: remote.to_owned(),
        path: name.to_owned(),
        role,
        selectable: true,
        subscribed: true,
        object_id: None,
        state: None,
    }
}

/// The n-th mail: everything in it follows from `n`.
pub(crate) fn mail(folder: FolderId, n: u32) -> Incoming {
    let mut head_hash = [0; 32];
    head_hash[..4].copy_from_slice(&n.to_be_bytes());
    head_hash[31] = 1;
    Incoming {
        folder,
        uid: Some(n),
        uidl: None,
        remote_id: None,
        flags: Flags::NONE,
        keywords: Vec::new(),
        size: 1000 + u64::from(n),
        received: NOW - 100_000 + i64::from(n) * 60,
        internal: 0,
        envelope: Envelope {
            msgid: format!("m{n}@example.org"),
            date: Some(NOW - 100_000 + i64::from(n) * 60),
            from: Address { name: format!("Person {n}"), addr: format!("p{n}@example.org") },
            to_line: "Ada".to_owned(),
            subject: format!("mail {n}"),
            head_hash,
            ..Envelope::default()
        },
        body: None,
    }
}

/// The same as an answer to the mail with this number.
pub(crate) fn reply(folder: FolderId, n: u32, to: u32) -> Incoming {
    let mut incoming = mail(folder, n);
    incoming.envelope.parent = format!("m{to}@example.org");
    incoming.envelope.refs = vec![format!("m{to}@example.org")];
    incoming
}

pub(crate) fn packed(raw: &[u8]) -> Packed {
    let mut packer = Packer::new().unwrap();
    let mut chunks = packer.push(raw).unwrap();
    let (last, size, sha256) = packer.finish().unwrap();
    chunks.extend(last);
    Packed { chunks, size, sha256, snippet: "the first words".to_owned(), attachments: 1 }
}

/// The n-th mail as POP3 brings it.
pub(crate) fn popped(folder: FolderId, n: u32) -> Incoming {
    let raw = format!("Subject: mail {n}\r\n\r\nbody of {n}\r\n");
    Incoming {
        uid: None,
        uidl: Some(format!("uidl-{n}")),
        body: Some(packed(raw.as_bytes())),
        ..mail(folder, n)
    }
}
