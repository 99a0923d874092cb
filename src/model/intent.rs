//! Everything that a user can do to mail, as values.

use super::{AccountId, FlagDelta, FolderId, MessageId, PlacementId, Reach, Role, Settle};

/// Where mail is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The folder of this role of each mail's own account, made where it is missing.
    Role(Role),
    /// This folder.
    Folder(FolderId),
}

/// One action of the user. The items are the copies that were counted when the user saw them (A5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Change flags; takes effect on every copy of the message in its account.
    Flag {
        /// The copies.
        items: Vec<PlacementId>,
        /// What to set and clear.
        delta: FlagDelta,
        /// Whether `u` may take it back: false for the silent `\Seen` of opening a mail.
        undoable: bool,
    },
    /// Set and clear tags; takes effect on every copy of the message in its account.
    Tag {
        /// The copies.
        items: Vec<PlacementId>,
        /// Tags to set.
        add: Vec<String>,
        /// Tags to clear.
        del: Vec<String>,
    },
    /// Mute the conversations of the copies, or end that: what comes to a muted one is read already.
    Mute {
        /// The copies.
        items: Vec<PlacementId>,
        /// Whether they are to be muted.
        on: bool,
    },
    /// Make one conversation of those of the copies.
    Join {
        /// The copies.
        items: Vec<PlacementId>,
    },
    /// Let a mail, with what answers it, begin a conversation of its own.
    Split {
        /// The copy.
        item: PlacementId,
    },
    /// Put the copies off: hidden until a time, then back on top.
    Snooze {
        /// The copies.
        items: Vec<PlacementId>,
        /// Unix seconds; `None`: what was put off comes back now.
        until: Option<i64>,
        /// The time in the user's words.
        said: String,
    },
    /// Take the copies out of their folders and put them into the target.
    Move {
        /// The copies.
        items: Vec<PlacementId>,
        /// Where to.
        to: Target,
    },
    /// Put a copy into the target as well.
    Copy {
        /// The copies.
        items: Vec<PlacementId>,
        /// Where to.
        to: Target,
    },
    /// Remove the copies for good. Not undoable: ask first.
    Purge {
        /// The copies.
        items: Vec<PlacementId>,
    },
    /// POP3: take these mails, which stay here, off the server (promise P14). Not undoable: ask first.
    CleanServer {
        /// Of this account.
        account: AccountId,
        /// The mails that were counted.
        messages: Vec<MessageId>,
    },
    /// Make a folder.
    MakeFolder {
        /// Of this account.
        account: AccountId,
        /// Its path, levels joined by `/`.
        path: String,
    },
    /// Give a folder another path; what lies beneath goes with it.
    RenameFolder {
        /// Which.
        folder: FolderId,
        /// Its new path.
        path: String,
    },
    /// Remove a folder.
    DeleteFolder {
        /// Which.
        folder: FolderId,
        /// Whether its mail goes to Trash first; else it must hold none.
        to_trash: bool,
    },
    /// Subscribe to a folder, or unsubscribe.
    Subscribe {
        /// Which.
        folder: FolderId,
        /// Whether to be subscribed.
        on: bool,
    },
    /// Take back the newest action that was not taken back yet.
    Undo,
    /// Do again what was taken back last.
    Redo,
    /// Give a mail in the outbox another time to be sent at.
    SendAt {
        /// Its row.
        outgoing: i64,
        /// Unix seconds.
        at: i64,
        /// The time in the user's words.
        said: String,
    },
    /// Settle things that wait (promise A2).
    Settle {
        /// What is done about them.
        how: Settle,
        /// Which.
        reach: Reach,
    },
}

/// Where an action happened, so that the cursor can go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The folder in which its mail is now.
    pub folder: FolderId,
    /// One of the mails.
    pub message: MessageId,
}

/// What became of an intent, told when it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was done, in words for the status line: `archived 3`, `undid: archived 3`.
    pub label: String,
    /// Whether `u` takes it back.
    pub undoable: bool,
    /// For undo and redo: where to put the cursor.
    pub place: Option<Place>,
    /// Why nothing was done; then `label` is empty.
    pub error: Option<String>,
}
