//! What `App::update` asks of the world: the only way out of it.

use std::path::PathBuf;
use std::sync::Arc;

use super::compose::{Deed, Drafted};
use super::letter::Letter;
use crate::engine;
use crate::model::{AccountId, Address, Draft, DraftId, Intent, MessageId, Order, View};
use crate::store::{Cleanable, Extent, Gathered, Ranks};
use crate::text::Clean;

/// Something for the runtime to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Do this to mail; the answer is a `Changed`.
    Intend(Intent),
    /// Load this off the thread of the screen; the answer is a `Loaded`.
    Load(Load),
    /// Ask this of the engines.
    Engine(engine::Command),
    /// Keep a value for the next start.
    Remember(&'static str, String),
    /// Send this to the clipboard of the user's own terminal.
    Yank(Clean),
    /// Open the editor on a draft; the answer is [`super::App::edited`].
    Edit(DraftId, Box<Draft>),
    /// Lend the terminal to the pager, for these lines; the answer is [`super::App::shell_ended`].
    Page(Vec<Clean>),
    /// Lend it to a shell, or to this command in one; likewise.
    Shell(String),
    /// Paint everything anew.
    Redraw,
    /// Stop until `fg`.
    Suspend,
    /// Leave.
    Quit,
}

/// The serial number of a load: an answer to an older one is dropped.
pub type Ticket = u64;

/// Something that takes too long for the thread of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Load {
    /// Parse a mail and lay its text out.
    Mail {
        /// Whose turn this is.
        ticket: Ticket,
        /// Which mail, and how it is to look.
        wish: Wish,
    },
    /// Many mails of a list at once.
    Gather {
        /// Whose turn this is.
        ticket: Ticket,
        /// The list.
        view: View,
        /// Which of its mails.
        extent: Extent,
        /// How it is ranked.
        ranks: Option<Arc<Ranks>>,
    },
    /// The rows of a list, ranked.
    Rank {
        /// Whose turn this is.
        ticket: Ticket,
        /// The list.
        view: View,
        /// How.
        order: Order,
        /// One row a mail.
        is_flat: bool,
        /// Only rows with these words; empty: all.
        words: String,
    },
    /// What may go from the server of a maildrop.
    Cleanable {
        /// Whose.
        account: AccountId,
    },
    /// Write an attachment, or all of them, or the mail, as new files.
    Save {
        /// Of this mail.
        message: MessageId,
        /// What.
        what: Piece,
        /// Into this directory.
        dir: PathBuf,
    },
    /// Something about a draft.
    Draft(Deed),
    /// Whom the user's own command knows by this.
    People {
        /// What was typed.
        typed: String,
    },
    /// What is in a directory.
    Files {
        /// As typed, with its last `/`; empty: where this runs.
        dir: String,
    },
    /// Give a mail, or a file of it, away.
    Give {
        /// Of this mail.
        message: MessageId,
        /// What.
        what: Piece,
        /// To whom.
        to: To,
    },
    /// Open a link.
    Browse {
        /// With this program, and what it takes before the link.
        browser: Vec<String>,
        /// Where it leads.
        url: Clean,
    },
}

/// To whom something of a mail is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// A shell command, on its standard input.
    Command(String),
    /// Who reads here, on lines of so many cells.
    Reader(usize),
    /// The pager.
    Pager,
    /// What opens files on this desktop (none: there is no desktop), saved in this directory.
    Opener(Vec<String>, PathBuf),
    /// The computer of who reads, from this directory.
    Away(PathBuf),
}

/// What came of giving it away.
#[derive(Debug)]
pub enum Given {
    /// Nothing to tell.
    Nothing,
    /// A line to tell.
    Said(Clean),
    /// A text to read.
    Text {
        /// Of what program or file.
        title: Clean,
        /// The text.
        lines: Vec<Clean>,
    },
    /// A text for the pager.
    Page(Vec<Clean>),
    /// A command for the user's own computer.
    Copy(Clean),
}

/// Which mail to lay out, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wish {
    /// The mail.
    pub message: MessageId,
    /// Cells for a line.
    pub width: u16,
    /// HTML where there is a choice.
    pub html: bool,
    /// Every header.
    pub all_headers: bool,
    /// Long quotes that nothing answers, too.
    pub all_quotes: bool,
    /// As it came, headers and all, nothing decoded.
    pub raw: bool,
}

/// What of a mail is to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The attachment with this index among the parts.
    Part(usize),
    /// Every attachment.
    Parts,
    /// The mail as it came.
    Mail,
}

/// The answer to a load.
#[derive(Debug)]
pub enum Loaded {
    /// A mail was laid out.
    Mail {
        /// As asked.
        ticket: Ticket,
        /// The mail, or why not, in words.
        result: Result<Letter, Clean>,
    },
    /// Many mails of a list.
    Gathered {
        /// As asked.
        ticket: Ticket,
        /// The mails, or why not, in words.
        result: Result<Gathered, Clean>,
    },
    /// The rows of a list, ranked.
    Ranked {
        /// As asked.
        ticket: Ticket,
        /// The ranks, or why not, in words.
        result: Result<Arc<Ranks>, Clean>,
    },
    /// What may go from the server of a maildrop.
    Cleanable {
        /// As asked.
        account: AccountId,
        /// The mails, or why not, in words.
        result: Result<Cleanable, Clean>,
    },
    /// Something became of a draft, or why not.
    Drafted(Result<Drafted, Clean>),
    /// Whom the user's own command knows, or why it does not say.
    People {
        /// What was typed.
        typed: String,
        /// They.
        result: Result<Vec<Address>, Clean>,
    },
    /// What is in a directory: nothing where it cannot be read. Directories end in `/`.
    Files {
        /// As asked.
        dir: String,
        /// Their names.
        names: Vec<String>,
    },
    /// Files were written: what and where, or why not.
    Saved(Result<Clean, Clean>),
    /// Something of a mail was given away, or why not.
    Given(Result<Given, Clean>),
    /// A link was handed to a browser, or why not.
    Browsed(Result<(), Clean>),
}
