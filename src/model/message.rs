//! A mail's envelope as parsed from its header, and the rows that lists are made of.

use super::{AccountId, Address, Flags, FolderId, MessageId, PlacementId, ThreadId};
use crate::text::Clean;

/// What the header of a mail says, decoded but not cleaned. Made by `mime::envelope`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// Message-ID without its angle brackets; empty when missing.
    pub msgid: String,
    /// The first id of In-Reply-To, without brackets; empty when missing.
    pub parent: String,
    /// The ids of References, oldest first: at most the first and the last 20 of them.
    pub refs: Vec<String>,
    /// The Date header as Unix seconds; `None` when missing or beyond repair.
    pub date: Option<i64>,
    /// The first address of From.
    pub from: Address,
    /// To, as one line of names.
    pub to_line: String,
    /// Cc, as one line of names.
    pub cc_line: String,
    /// List-Id, without brackets.
    pub list_id: String,
    /// Subject.
    pub subject: String,
    /// SHA-256 of the raw header block, through the empty line.
    pub head_hash: [u8; 32],
}

/// How much of a mail is held here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyState {
    /// Its header only.
    None,
    /// Its beginning (a POP3 TOP).
    Head,
    /// All of it.
    Whole,
    /// It was whole here and was let go to save space; the server has it.
    Evicted,
}

/// Where a row stands in a list: newest first, and the placement to tell apart mails of one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey {
    /// Unix seconds.
    pub at: i64,
    /// The placement.
    pub id: PlacementId,
}

/// One copy of one mail, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The content.
    pub message: MessageId,
    /// The copy.
    pub placement: PlacementId,
    /// The folder that holds the copy.
    pub folder: FolderId,
    /// Its account.
    pub account: AccountId,
    /// Its conversation.
    pub thread: ThreadId,
    /// Where the copy sorts.
    pub key: SortKey,
    /// When it was written, Unix seconds (its Date, or when it was received).
    pub date: i64,
    /// Who wrote it: the name, or the address where there is none.
    pub from_name: Clean,
    /// The address of who wrote it.
    pub from_addr: Clean,
    /// To whom, as one line.
    pub to_line: Clean,
    /// The subject.
    pub subject: Clean,
    /// The first words of the text; empty while the body is not here.
    pub snippet: Clean,
    /// Its flags.
    pub flags: Flags,
    /// Its tags, keywords of the server included, sorted.
    pub tags: Vec<Clean>,
    /// Size of the raw mail in bytes.
    pub size: u64,
    /// How many attachments; 0 while the body is not here.
    pub attachments: u32,
    /// How much of it is here.
    pub body: BodyState,
    /// Message-ID without brackets, as sent: for building trees, never drawn.
    pub msgid: String,
    /// The message it answers, without brackets: for building trees, never drawn.
    pub parent: String,
}

/// One mail of a conversation row, as counted when the row was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The copy in the view's folder.
    pub placement: PlacementId,
    /// The content.
    pub message: MessageId,
    /// Its flags then.
    pub flags: Flags,
}

/// One row of a list: a conversation as it is in the view (promise A5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The newest mail of the conversation in this view.
    pub head: Summary,
    /// Every mail of the conversation in this view, newest first, the head included.
    pub members: Vec<Member>,
    /// Who wrote them, oldest first, each once, at most eight: (display name, has unread).
    pub people: Vec<(Clean, bool)>,
    /// The tags of any of them, sorted.
    pub tags: Vec<Clean>,
}

impl Row {
    /// Whether any of its mails is unread.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.members.iter().any(|m| !m.flags.has(Flags::SEEN))
    }

    /// Whether any of its mails is starred.
    #[must_use]
    pub fn is_starred(&self) -> bool {
        self.members.iter().any(|m| m.flags.has(Flags::FLAGGED))
    }
}
