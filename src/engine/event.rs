//! What the screen is told by an engine, and what it may ask of one: plain values.

use std::time::Instant;

use crate::model::{AccountId, FolderId, MessageId};
use crate::text::Clean;

/// What an account is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// Not started, or between two looks at a server without push.
    Resting,
    /// Connecting and signing in.
    Connecting,
    /// Getting in step.
    Syncing,
    /// In step, and told of news as it happens.
    Watching,
    /// No way to the server; tried again at this time.
    Offline {
        /// In words, one line.
        why: Clean,
        /// When it is tried again.
        until: Instant,
    },
    /// Stopped until the user does something: a refused secret, a wrong certificate.
    Paused {
        /// In words, one line.
        why: Clean,
        /// What to do.
        hint: Option<Clean>,
    },
    /// Another mailtui on this machine syncs this account.
    Elsewhere {
        /// Its process, in words.
        who: Clean,
    },
}

/// How far a long piece of work is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What: `headers`, `messages`.
    pub what: &'static str,
    /// The folder, for people.
    pub folder: Clean,
    /// Messages done.
    pub done: u64,
    /// Messages in all.
    pub total: u64,
    /// Bytes received since the work began.
    pub bytes: u64,
    /// When the work began.
    pub since: Instant,
}

/// What a server found in a folder. All of it is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The mails, newest first.
    pub messages: Vec<MessageId>,
    /// How many of them came just now.
    pub new: u64,
    /// The server may have found more.
    pub is_cut: bool,
}

/// Something that an engine tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An account does something else now.
    State {
        /// Which.
        account: AccountId,
        /// What.
        state: AccountState,
    },
    /// A long piece of work went on, or ended (`None`).
    Progress {
        /// Which.
        account: AccountId,
        /// How far.
        progress: Option<Progress>,
    },
    /// New unread mail is in the store.
    Arrived {
        /// Which.
        account: AccountId,
        /// Where.
        folder: FolderId,
        /// How many.
        count: u64,
    },
    /// One round of getting in step ended.
    Synced {
        /// Which.
        account: AccountId,
        /// Unix time.
        at: i64,
        /// New messages.
        new: u64,
        /// Bytes received.
        bytes: u64,
    },
    /// What a server found.
    Found {
        /// Whose.
        account: AccountId,
        /// Where it was searched for.
        folder: FolderId,
        /// For what.
        words: Vec<String>,
        /// What came of it, or why nothing did, in words.
        found: Result<Found, Clean>,
    },
    /// The server wants this to be read.
    Alert {
        /// Whose.
        account: AccountId,
        /// In its words, one line.
        text: Clean,
    },
    /// A mail was sent: the server has it.
    Sent {
        /// Whose.
        account: AccountId,
    },
    /// Something failed that the user should see; the engine goes on as its state says.
    Trouble {
        /// Which.
        account: AccountId,
        /// In words, one line.
        text: Clean,
        /// What to do.
        hint: Option<Clean>,
    },
}

/// Something that the screen or the command line asks of the engines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Look at the server now; also ends a pause. `None`: every account.
    Sync(Option<AccountId>),
    /// The user waits for this body: before all else.
    Fetch {
        /// Whose server.
        account: AccountId,
        /// Which.
        message: MessageId,
    },
    /// The user looks at this folder: before other folders.
    Look {
        /// Whose.
        account: AccountId,
        /// Which.
        folder: FolderId,
    },
    /// Let the server search a folder, and bring what it finds: answered by [`Event::Found`], in any case.
    Search {
        /// Whose.
        account: AccountId,
        /// Which.
        folder: FolderId,
        /// All of these, anywhere in a mail.
        words: Vec<String>,
    },
    /// End in order.
    Stop,
}
