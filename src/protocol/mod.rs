//! The one trait that servers are spoken to through, and the values that pass over it.
//!
//! An implementation reports what the server has and carries out what it is told. It decides nothing,
//! stores nothing and retries nothing: that is the engine's work. Callers ask [`Caps`], never
//! "is this IMAP?".

mod hashes;
pub mod imap;
mod letter;
pub mod local;
pub mod memory;
mod nothing;
mod op;
mod open;
pub mod outgoing;
pub mod pop3;
mod sasl;
pub mod sendmail;
pub mod smtp;
pub mod twin;
mod window;

pub use hashes::HeaderHashes;
pub use letter::{BodySource, Letter, Likeness};
pub use nothing::Nothing;
pub use op::{Applied, RemoteOp};
pub use open::open;

use std::time::{Duration, Instant};

use crate::error::{Error, Kind, Result};
use crate::model::{About, Cursor, Flags, Mark, Role, UidSet};
use crate::text::Clean;

/// So many hits of a search are answered at most.
pub const HITS: usize = 500;

/// One authenticated, blocking conversation with one mail server.
pub trait MailProtocol: Send {
    /// What this server, on this connection, can do. The same for the whole session.
    fn caps(&self) -> Caps;

    /// Every folder of the account.
    fn folders(&mut self) -> Result<Vec<RemoteFolder>>;

    /// Reports every difference between the server's folder and what is `known` of it, newest mail
    /// first. The sink may stop it at any change: what was reported stays valid, and the next call goes
    /// on from there. The cursor covers exactly what was reported.
    fn pull(&mut self, folder: &FolderRef, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor>;

    /// Whole raw messages, in any order, bytes exactly as the server has them. An id that the server
    /// does not have any more is passed over in silence: the next pull reports it gone.
    fn fetch(&mut self, folder: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()>;

    /// The beginnings of messages: the header, and nothing or little behind it. Never to be taken for the
    /// message (promise P10). Answers those of which no beginning can be had: they can only be fetched whole.
    fn heads(
        &mut self,
        folder: &FolderRef,
        ids: &[RemoteId],
        sink: &mut dyn BodySink,
    ) -> Result<Vec<RemoteId>> {
        let _ = (folder, sink);
        Ok(ids.to_vec())
    }

    /// What the server wants the user to read (ALERT, RFC 9051 section 7.1), since this was asked last.
    fn alerts(&mut self) -> Vec<Clean> {
        Vec::new()
    }

    /// What the server tells of itself, as it did with the folders when they were listed last.
    fn about(&self) -> About {
        About::default()
    }

    /// What the server asks of those who use it.
    fn terms(&self) -> Terms {
        Terms::default()
    }

    /// The newest messages of a folder in which each of these words occurs, newest first, by the server's own search.
    /// Those of them that are not `known` are reported as new, as a pull would. An error where the folder is
    /// numbered otherwise than is known: it has to be pulled first.
    fn search(
        &mut self,
        folder: &FolderRef,
        words: &[String],
        known: &dyn Known,
        sink: &mut dyn Sink,
    ) -> Result<Vec<RemoteId>> {
        let _ = (folder, words, known, sink);
        Err(Error::new(Kind::Unsupported, "the server does not search"))
    }

    /// Carries out one operation. Safe to repeat.
    fn apply(&mut self, op: &RemoteOp) -> Result<Applied>;

    /// Messages of a folder that other operations remove for good: where the server can only remove all that
    /// is marked as deleted, they may go along with those of the next [`apply`](Self::apply) (promise I6).
    fn let_go(&mut self, folder: &FolderRef, ids: Vec<RemoteId>) {
        let _ = (folder, ids);
    }

    /// Where a folder ends now: to be written down before [`append`](Self::append). A folder that is not
    /// there ends at its beginning.
    fn mark(&mut self, folder: &FolderRef) -> Result<Mark> {
        let _ = folder;
        Err(takes_none())
    }

    /// The message that an append whose answer was lost put into the folder, if it did (promise I7).
    fn find(&mut self, letter: &Letter, since: Mark) -> Result<Option<RemoteId>> {
        let _ = (letter, since);
        Err(takes_none())
    }

    /// Puts a message into a folder; answers its name where that is told (APPENDUID). The one thing that is
    /// not safe to repeat: after an answer that was lost, [`find`](Self::find) it first.
    fn append(&mut self, letter: &Letter, raw: &mut dyn BodySource) -> Result<Option<RemoteId>> {
        let _ = (letter, raw);
        Err(takes_none())
    }

    /// Blocks until something in `folder` may have changed, `until` passes, or the interrupt that the
    /// session was opened with rings. Returns [`Wake::Unsupported`] at once where `caps().push` is false.
    fn wait(&mut self, folder: &FolderRef, until: Instant) -> Result<Wake>;

    /// Asks for news of every folder during waits, not only of the one that is waited on; whether they will come
    /// (NOTIFY, RFC 5465).
    fn watch(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// The other folders that news was told of, each once.
    fn elsewhere(&mut self) -> Vec<FolderRef> {
        Vec::new()
    }

    /// Somebody else is told what the last wait on this folder told of, and pulls it: the next wait here tells only
    /// of what comes after.
    fn passed_on(&mut self, folder: &FolderRef) {
        let _ = folder;
    }

    /// Something harmless that keeps the session open while this side is busy (NOOP).
    fn keep_alive(&mut self) -> Result<()>;

    /// Ends the session in order. For POP3 this, and only this, makes deletions real (RFC 1939 section 6).
    fn finish(self: Box<Self>) -> Result<()>;
}

fn takes_none() -> Error {
    Error::new(Kind::Unsupported, "the server takes no messages into its folders")
}

/// What a server can do, as far as callers must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// It has more than one folder; else folders live here only.
    pub folders: bool,
    /// It keeps flags; else flags live here only.
    pub flags: bool,
    /// It takes messages ([`MailProtocol::append`]).
    pub append: bool,
    /// `wait` can block for news.
    pub push: bool,
    /// The session shows the maildrop as it was at login: reconnect to see new mail (RFC 1939 section 5).
    pub snapshot: bool,
    /// Whether identities are stable enough for a deletion on the server (promise P6).
    pub deletes: bool,
    /// Its folders are labels: one mail is in any number of them, and in the folder of all mail besides; out of
    /// a label it is moved, never deleted; only in Trash and Junk is a deletion for good (X-GM-EXT-1).
    pub labels: bool,
    /// It searches ([`MailProtocol::search`]); else all that can be found is here.
    pub search: bool,
}

/// What a server asks of those who use it, and how it keeps mail (RFC 2449 sections 6.5 and 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// The shortest time between two sign-ins.
    pub login_delay: Duration,
    /// It deletes mail after so many days; 0: as soon as it was downloaded. `None`: it does not say, or never does.
    pub expires: Option<u32>,
    /// It shows a part of the mail at a time: another session may show more (promise P13).
    pub shows_part: bool,
}

/// One folder as the server tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFolder {
    /// Its name exactly as on the wire.
    pub remote: String,
    /// Its name decoded, levels joined by `/`. Not cleaned.
    pub path: String,
    /// What it is for: told by the server, or a sensible guess.
    pub role: Option<Role>,
    /// Whether it can be selected.
    pub selectable: bool,
    /// Whether the user subscribed to it.
    pub subscribed: bool,
    /// Message count, if told in passing.
    pub messages: Option<u32>,
    /// What the server says of its state, if told in passing: lets the caller pass over folders in step.
    pub cursor: Option<Cursor>,
    /// What the server calls it for good, whatever its name (MAILBOXID, RFC 8474).
    pub object_id: Option<String>,
}

/// A folder to work in, named as on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderRef {
    /// [`RemoteFolder::remote`]; POP3: `INBOX`.
    pub remote: String,
}

impl FolderRef {
    /// The folder with this name on the wire.
    pub fn new(remote: impl Into<String>) -> Self {
        Self { remote: remote.into() }
    }
}

/// The server's name for one message in one folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RemoteId {
    /// IMAP (RFC 9051 section 2.3.1.1).
    Uid {
        /// UIDVALIDITY.
        validity: u32,
        /// UID.
        uid: u32,
    },
    /// POP3 (RFC 1939 section 7), verbatim.
    Uidl(String),
}

/// One difference between the server and what is held here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Everything known about this folder is void: UIDVALIDITY changed. Comes first.
    Reset {
        /// The new UIDVALIDITY.
        validity: u32,
    },
    /// How many messages a first look will bring, for the progress line. A guess is fine.
    Expect {
        /// New messages to come.
        messages: u64,
    },
    /// A message that is not known here.
    New {
        /// Its name.
        id: RemoteId,
        /// Proof of sameness over folders: EMAILID (RFC 8474) or X-GM-MSGID.
        remote_id: Option<String>,
        /// System flags.
        flags: Flags,
        /// Other keywords, as spelled.
        keywords: Vec<String>,
        /// RFC822.SIZE in bytes; POP3: the LIST size, which may lie.
        size: u64,
        /// INTERNALDATE as Unix seconds; 0 when the server has none (POP3).
        received: i64,
        /// The raw header block; `None` where fetching the whole is as cheap (POP3).
        head: Option<Vec<u8>>,
    },
    /// The flags of a message, all of them; passed over where it is not known.
    Flags {
        /// Its name.
        id: RemoteId,
        /// System flags.
        flags: Flags,
        /// Other keywords.
        keywords: Vec<String>,
    },
    /// A message that is known only by what was told when it was put there (COPYUID and APPENDUID, RFC 4315 section 3),
    /// seen for the first time: whether it is the one that was meant is for the caller to tell. Comes ahead of `New`.
    Shown {
        /// Its name.
        id: RemoteId,
        /// As for `New`.
        remote_id: Option<String>,
        /// System flags.
        flags: Flags,
        /// Other keywords.
        keywords: Vec<String>,
        /// RFC822.SIZE in bytes.
        size: u64,
        /// INTERNALDATE as Unix seconds.
        received: i64,
        /// The raw header block.
        head: Vec<u8>,
    },
    /// A message is known by a name that was told when it was put there, and that the folder has not given out
    /// (RFC 9051 section 2.3.1.1): it is there under another one.
    Misnamed {
        /// The name that is nobody's.
        id: RemoteId,
    },
    /// A known message is not there any more. Reported only after a complete tagged OK (promise I8).
    Gone {
        /// Its name.
        id: RemoteId,
        /// Whether the server named it itself, with no gap since the last look (VANISHED, RFC 7162 section
        /// 3.2.10), rather than left it out of what it lists.
        certain: bool,
    },
    /// Everything up to here is covered by this cursor: store it with the changes before it.
    Covered(Cursor),
    /// POP3: one whole listing, for pruning what the server dropped (promise P2).
    Listing {
        /// Every UIDL listed, verbatim.
        uidls: Vec<String>,
        /// What they come to in bytes, as listed.
        bytes: u64,
    },
}

/// What is already held of a folder; lent to the protocol so that it can tell differences.
pub trait Known {
    /// How far the folder is in step.
    fn cursor(&self) -> Cursor;
    /// The UIDs held. Loaded only when asked for.
    fn uids(&self) -> Result<UidSet>;
    /// The UIDs held from `lo` to `hi`, both included.
    fn within(&self, lo: u32, hi: u32) -> Result<UidSet> {
        Ok(self.uids()?.between(lo, hi))
    }
    /// How many UIDs are held: exact while nothing is on its way to the server. Costs the same for any number.
    fn about(&self) -> Result<u64> {
        Ok(self.uids()?.len())
    }
    /// The flags and keywords that the server last told, by UID, ascending. Loaded only when asked for.
    fn flags(&self) -> Result<Vec<(u32, Flags, Vec<String>)>>;
    /// Whether this UIDL was taken before, mail deleted here but left there included.
    fn has_uidl(&self, uidl: &str) -> bool;
    /// The same where several messages have this UIDL: whether the one with this header was taken.
    fn has_twin(&self, uidl: &str, head: &[u8; 32]) -> Result<bool> {
        let _ = head;
        Ok(self.has_uidl(uidl))
    }
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop soon, at the next point where the session is in order.
    Stop,
}

/// Takes changes.
pub trait Sink {
    /// One change; an error ends the pull.
    fn change(&mut self, change: Change) -> Result<Flow>;
}

/// Takes raw messages in pieces, so that memory never grows with a message.
pub trait BodySink {
    /// A message of about `size` bytes begins.
    fn begin(&mut self, id: &RemoteId, size: u64) -> Result<()>;
    /// The next bytes of it.
    fn data(&mut self, bytes: &[u8]) -> Result<()>;
    /// The message is whole. Without this call it is not.
    fn end(&mut self) -> Result<Flow>;
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something may have changed: pull.
    Changed,
    /// Not there, but in [`elsewhere`](MailProtocol::elsewhere).
    Elsewhere,
    /// The time is up.
    TimedOut,
    /// The interrupt rang.
    Interrupted,
    /// This server cannot tell of news.
    Unsupported,
}
