//! What the engine hands to the store and what it is told back: plain values, parsed already.

use super::keep::Keep;
use super::renaming::NewName;
use super::sign_in::Refusal;
use crate::model::{
    About, AccountId, Cursor, Envelope, Flags, FolderId, Mark, MessageId, OpId, Outcome, PlacementId, Role,
};

/// Steps that are committed together or not at all.
#[derive(Debug)]
pub struct Batch {
    /// The account they belong to.
    pub account: AccountId,
    /// In order.
    pub steps: Vec<Step>,
}

/// One change to the store by an engine.
#[derive(Debug)]
pub enum Step {
    /// The server's folders, all of them. Those that are missing and hold nothing that is queued go.
    Folders(Vec<FolderSpec>),
    /// UIDVALIDITY changed (promise I2): every placement of the folder is to be matched anew.
    Reset {
        /// The folder.
        folder: FolderId,
        /// The new UIDVALIDITY.
        validity: u32,
    },
    /// A message the server has: finds its pending placement or its content if held, else is inserted.
    /// Answered with its id in [`Committed::messages`]; `MessageId(0)`: its UIDL was seen before and the
    /// mail is deleted here (promise P2).
    Message(Box<Incoming>),
    /// The content of a message too large to hold in memory: a row without a placement, answered with its
    /// id; followed by `Part`s and a `Land`. What never lands is dropped at the next start.
    Stage(Box<Incoming>),
    /// A piece of a large body.
    Part {
        /// Whose.
        message: MessageId,
        /// The piece.
        chunk: Chunk,
    },
    /// The body of a message whose row is there: its last chunks, and what is known of the whole. Passed
    /// over, as its parts are, where the message went meanwhile.
    Body {
        /// Whose.
        message: MessageId,
        /// Chunks that were not sent as parts, and facts of the whole.
        body: Packed,
    },
    /// A staged message is whole: give it its place.
    Land {
        /// The staged row.
        message: MessageId,
        /// As for `Stage`, with the body's last chunks and facts.
        incoming: Box<Incoming>,
    },
    /// The server's flags and keywords of a message, all of them; what is queued here stays on top.
    Flags {
        /// The folder.
        folder: FolderId,
        /// The message.
        uid: u32,
        /// System flags.
        flags: Flags,
        /// Keywords.
        keywords: Vec<String>,
    },
    /// The folder has not given this UID out, whatever was told when a mail was put there: the mails that were put
    /// there since it was looked at are found under the names that they are shown with (promise I1).
    Misnamed {
        /// The folder.
        folder: FolderId,
        /// The UID.
        uid: u32,
    },
    /// The server does not have it any more.
    Gone {
        /// The folder.
        folder: FolderId,
        /// The message.
        uid: u32,
    },
    /// One complete look at a folder did not show these any more. Where they are more than half of it and
    /// more than twenty they are held back until the user decides (promise I8).
    Vanished {
        /// The folder.
        folder: FolderId,
        /// The messages.
        uids: Vec<u32>,
        /// The server named each of them itself, with no gap before it (VANISHED, RFC 7162): believed.
        certain: bool,
    },
    /// Everything before this step in this folder is covered.
    Cursor {
        /// The folder.
        folder: FolderId,
        /// How far.
        cursor: Cursor,
    },
    /// A folder was looked at completely.
    Synced {
        /// The folder.
        folder: FolderId,
        /// Unix time.
        at: i64,
    },
    /// POP3: what the server listed. Where it lists all, absences are counted and `told` deletions that are not
    /// listed are closed (P2, P3).
    Listing {
        /// Every UIDL listed.
        uidls: Vec<String>,
        /// Whether that is all that it holds: some show a part (P13), which proves no absence.
        complete: bool,
    },
    /// POP3: mail that is here is listed under new names (promise P7): held back until the user decides.
    Renamed {
        /// Old and new.
        names: Vec<NewName>,
    },
    /// POP3: what the server holds, as it was just listed (promise P14).
    Maildrop(Maildrop),
    /// POP3: a mail of which only the header was fetched: its size is that of the listing. Answered as
    /// `Message` is. The body comes as for any other, when it is asked for.
    Stub {
        /// As for `Message`, without a body.
        incoming: Box<Incoming>,
        /// The raw header, packed.
        head: Vec<Chunk>,
    },
    /// POP3: DELE was sent for these, QUIT not yet answered.
    Told {
        /// Which.
        uidls: Vec<String>,
    },
    /// POP3: QUIT was not +OK, or the next listing still shows them: to be deleted again.
    Untold,
    /// The bodies of these mails are let go of, where the server has them and nothing that waits needs them.
    Evict(Vec<MessageId>),
    /// Bodies that were let go of and fit now are wanted again.
    WantAgain(Keep),
    /// A sign-in worked, or a secret was refused (promise A7).
    SignedIn {
        /// What was refused; `None`: it worked.
        refusal: Option<Refusal>,
    },
    /// Whether the server's folders are labels: told when that differs from what is known.
    Labels(bool),
    /// What the server tells of itself: told when that differs from what is known.
    About(About),
    /// How the account fares: told when it changes, and at the end of a round.
    Fares(Fares),
    /// A delivery report came (promise O8): what was sent under this Message-ID is marked.
    Reported {
        /// Without brackets.
        msgid: String,
        /// Tags that it gets.
        tag: Vec<String>,
        /// Tags that it loses.
        untag: Vec<String>,
    },
    /// An operation is being carried out.
    OpRunning(OpId),
    /// The server does not keep these tags in the folder of an operation: they stay here only (promise A8).
    Unkept {
        /// Which.
        op: OpId,
        /// The tags.
        tags: Vec<String>,
    },
    /// Where the folder ended into which an operation is about to put a mail: in the same batch as its
    /// `OpRunning` (promise I7).
    OpMarked {
        /// Which.
        op: OpId,
        /// Where.
        mark: Mark,
    },
    /// An operation is done: base flags follow, hidden sources go, results get their UIDs.
    OpDone {
        /// Which.
        op: OpId,
        /// Placement of an item, and the UID that the server gave its result, where told.
        moved: Vec<(PlacementId, u32)>,
        /// mkdir, rename: the name on the wire.
        created: Option<String>,
    },
    /// An operation failed; its local effect stays.
    OpFailed {
        /// Which.
        op: OpId,
        /// In words.
        error: String,
        /// When to try again, Unix time; `None`: it became a conflict and waits for the user.
        retry_at: Option<i64>,
    },
}

impl Step {
    /// About how much memory it takes: the store's inbox is bounded by this.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let packed = |body: &Packed| body.chunks.iter().map(|c| c.bytes.len()).sum::<usize>();
        match self {
            Self::Message(incoming) | Self::Stage(incoming) | Self::Land { incoming, .. } => {
                1024 + incoming.body.as_ref().map_or(0, packed)
            }
            Self::Part { chunk, .. } => chunk.bytes.len(),
            Self::Stub { head, .. } => 1024 + head.iter().map(|chunk| chunk.bytes.len()).sum::<usize>(),
            Self::Body { body, .. } => packed(body),
            Self::Vanished { uids, .. } => 64 + 4 * uids.len(),
            Self::Listing { uidls, .. } | Self::Told { uidls } => uidls.iter().map(String::len).sum(),
            _ => 64,
        }
    }
}

/// How an account fares (promise A2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fares {
    /// `in step`, `offline`, `paused`, and what is wrong, with what to do about it; `None`: as before.
    pub state: Option<(&'static str, String)>,
    /// Whether all of it is in step now.
    pub in_step: bool,
    /// Bytes of mail received since this was told last.
    pub bytes_in: u64,
    /// Bytes of mail put on the server since then.
    pub bytes_out: u64,
}

/// POP3: what a server holds and how it keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Maildrop {
    /// Messages.
    pub messages: u64,
    /// Bytes, as listed.
    pub bytes: u64,
    /// Seconds between two sign-ins that it asks for.
    pub login_delay: u64,
    /// Days that the account leaves mail there once it is here; `None`: for ever.
    pub stays: Option<u32>,
    /// Days after which it deletes mail; `None`: it does not, or does not say.
    pub expires: Option<u32>,
}

/// A folder as a server tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderSpec {
    /// Its name on the wire.
    pub remote: String,
    /// Its name for people.
    pub path: String,
    /// What it is for.
    pub role: Option<Role>,
    /// Whether it can hold mail.
    pub selectable: bool,
    /// Whether it is subscribed to.
    pub subscribed: bool,
    /// What the server calls it for good, whatever its name (MAILBOXID, RFC 8474).
    pub object_id: Option<String>,
    /// How it stands there, if that was told in passing.
    pub state: Option<FolderState>,
}

/// How a folder stands on its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderState {
    /// Its UIDVALIDITY.
    pub validity: u32,
    /// Its UIDNEXT.
    pub uidnext: u32,
    /// How many messages it has.
    pub messages: Option<u32>,
}

/// A message that arrives from a server, header parsed.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Where it lies.
    pub folder: FolderId,
    /// IMAP: its UID.
    pub uid: Option<u32>,
    /// POP3: its UIDL; recorded as seen in the same transaction (promise P3).
    pub uidl: Option<String>,
    /// EMAILID or X-GM-MSGID.
    pub remote_id: Option<String>,
    /// System flags.
    pub flags: Flags,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Size of the raw mail as told by the server.
    pub size: u64,
    /// When it counts as arrived: as a rule INTERNALDATE; 0: unknown.
    pub received: i64,
    /// INTERNALDATE as the server told it; 0: it told none.
    pub internal: i64,
    /// Its header.
    pub envelope: Envelope,
    /// Its body, if it came with it.
    pub body: Option<Packed>,
}

/// One piece of a raw mail: 1 MiB of raw bytes but for the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// From 0.
    pub seq: u32,
    /// Whether `bytes` is a zstd frame.
    pub packed: bool,
    /// What is stored.
    pub bytes: Vec<u8>,
}

/// A raw mail ready for the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Its chunks, or the last ones where the others went ahead as parts.
    pub chunks: Vec<Chunk>,
    /// Bytes of the raw mail.
    pub size: u64,
    /// SHA-256 of the raw mail.
    pub sha256: [u8; 32],
    /// The first words of its text, decoded.
    pub snippet: String,
    /// How many attachments.
    pub attachments: u32,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// One for each `Message` and `Stage` step, in order.
    pub messages: Vec<MessageId>,
}

/// What changed, told to everyone who subscribed, after each commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Counts commits of this process, and pokes by others.
    pub serial: u64,
    /// Folders whose rows or counts changed.
    pub folders: Vec<FolderId>,
    /// Messages whose content or flags changed; not all where there are many.
    pub messages: Vec<MessageId>,
    /// Accounts whose folder list changed.
    pub accounts: Vec<AccountId>,
    /// Accounts whose queue of operations changed.
    pub ops: Vec<AccountId>,
    /// Another process changed something: look at everything shown.
    pub foreign: bool,
    /// What became of an intent, if this was one.
    pub outcome: Option<Outcome>,
}

/// A body that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedBody {
    /// Whose.
    pub message: MessageId,
    /// Where a copy lies.
    pub folder: FolderId,
    /// Its UID there.
    pub uid: u32,
    /// RFC822.SIZE.
    pub size: u64,
    /// Where the search for more goes on: see `Reader::wanted_bodies`.
    pub key: (i64, MessageId),
}
