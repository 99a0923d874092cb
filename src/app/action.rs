//! What a command asks for: the one vocabulary of `App::update`.

use crate::model::{Order, Purpose, Role, Settle, View};

/// Something to do, with its count already in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Move the cursor, or scroll, within the place that has the keys.
    Go(Motion),
    /// Put the row under the cursor somewhere else on the screen.
    Align(Align),
    /// The pane to the left; in the reader, back over what was cut off first.
    Left,
    /// The pane to the right; in the reader, what is cut off.
    Right,
    /// Open what the cursor is on.
    Open,
    /// Reader: a page down; at the end stop once, then the next unread mail.
    ReadOn,
    /// Back one level; at the top, quit when asked twice.
    Back,
    /// Undo one thing: pending keys, a wait, a prompt, the selection, a level.
    Escape,
    /// Back to where the last jump began.
    JumpBack,
    /// To another mail or row in the list's order.
    Step(Step, i32),
    /// Open the folder after (or before) this one.
    NextFolder(i32),
    /// Open the next folder with unread mail, or the one before; round to the other end.
    UnreadFolder(i32),
    /// Open a folder of any account, as typed; of nothing typed the command line asks.
    GoFolder(String),
    /// Open the folder of this role: of all accounts from a view of all accounts, else of the account at hand.
    GoRole(Role),
    /// Open a list of all accounts together.
    GoAll(View),
    /// Fold or unfold conversations.
    Fold(Fold),
    /// Make one conversation of the selected ones.
    Join,
    /// Let this mail, with what answers it, begin a conversation of its own.
    Split,
    /// Put the list in another order.
    Sort(Order),
    /// One row a mail, or a conversation.
    Flat,
    /// Show only mail with these words in the list; of none typed the command line asks.
    Narrow(String),
    /// Change the selection.
    Select(Select),
    /// Find mail with these words in the list, and by the servers' own search; of none typed the command line asks.
    Find(String),
    /// Find these words in the mail that is shown; of none typed the command line asks.
    Seek(String),
    /// To another line of it with them.
    SeekOn(i32),
    /// To another of the mails that were found.
    Hit(i32),
    /// Select mail and delete it.
    DeleteSet(Set),
    /// Do something to mail, on so many rows.
    Triage(Triage, u32),
    /// Set and clear tags, as typed; of nothing typed the command line asks.
    Tag(String),
    /// Put off until a time, as typed; of nothing typed the command line asks.
    Snooze(String),
    /// Move to a folder, as typed; of nothing typed the command line asks.
    MoveTo(String),
    /// Copy to a folder, likewise.
    CopyTo(String),
    /// Do the last triage, tagging, move or copy again, on so many rows.
    Repeat(u32),
    /// Make a folder with this path; of nothing typed the command line asks.
    MakeFolder(String),
    /// Give the folder that is shown this path; of nothing typed the command line asks.
    RenameFolder(String),
    /// Remove the folder that is shown, its mail to Trash.
    DeleteFolder,
    /// Delete all mail in Trash for good, after a question.
    EmptyTrash,
    /// Take what is safely here off the server of a maildrop, after a question.
    CleanServer,
    /// Subscribe to the folder that is shown, or unsubscribe.
    Subscribe(bool),
    /// Take back so many actions.
    Undo(u32),
    /// Do again what was taken back.
    Redo(u32),
    /// Show or hide all headers.
    AllHeaders,
    /// Show or fold long quotes that nothing answers.
    AllQuotes,
    /// Nothing but the mail on the screen, or all of it again.
    Bare,
    /// Where the reader stands, as typed; of nothing typed the command line asks.
    Layout(String),
    /// The mail as it came, or laid out.
    Raw,
    /// HTML or plain text.
    Html,
    /// Show or leave the panel of attachments.
    Attachments,
    /// Save an attachment, or the mail itself.
    Save(Save),
    /// Fetch what is not here of the mail at hand.
    Download,
    /// Open the page of what waits.
    Ledger,
    /// The same, with the first mail on its way out under the cursor.
    Outbox,
    /// Give the mail on its way out that the cursor is on a time, as typed; of nothing typed the command line asks.
    SendAt(String),
    /// Begin a mail.
    Write(Purpose),
    /// Open the draft that was changed last.
    Resume,
    /// Open the list of drafts.
    Drafts,
    /// From there to the mail in the folders for drafts.
    DraftFolders,
    /// To so many further on of what is open: the mail, then each draft.
    Page(i32),
    /// Give a field of the draft another text; of nothing typed the command line asks.
    Field(Field, String),
    /// Open the editor on the draft.
    Edit,
    /// Pass the mail on as it is, to whom as typed; of nothing typed the command line asks.
    Bounce(String),
    /// Make a draft again of the mail on its way out that the cursor is on.
    EditAgain,
    /// Write an answer under the mail.
    QuickReply,
    /// Put a file to the draft, as typed; of nothing typed the command line asks.
    Attach(String),
    /// Show or leave the panel of the draft's files.
    Files,
    /// Take the file under the cursor there off the draft.
    Detach,
    /// Show the draft as those who get it will see it, or its page again.
    Preview,
    /// Send the draft at a time, as typed; of nothing typed the command line asks.
    SendDraftAt(String),
    /// Send the draft.
    Send,
    /// Throw the draft away.
    Discard,
    /// Settle what the cursor is on there.
    Settle(Settle),
    /// Ask the servers now.
    Sync,
    /// Show the keys.
    Help,
    /// Open the command line, with this text in it.
    CommandLine(String),
    /// Open the palette of commands.
    Palette,
    /// Send something of the mail at hand to the terminal's clipboard.
    Yank(Yank),
    /// Give the mail at hand, or the attachment under the cursor, to a shell command; of none typed the command line asks.
    Pipe(String),
    /// Lend the terminal to a shell, or to a command in one.
    Shell(String),
    /// Show the attachment under the cursor here.
    ReadPart,
    /// Open it on the desktop.
    OpenPart,
    /// Save it, and offer what fetches it from the user's own computer.
    FetchPart,
    /// Show it in the pager.
    PagePart,
    /// Show or leave the panel of links.
    Links,
    /// Open the link under the cursor.
    OpenLink,
    /// Begin to record a macro, or end it.
    Record,
    /// Play the macro so many times.
    Play(u32),
    /// Paint everything anew.
    Redraw,
    /// Stop the program and give the terminal back until `fg`.
    Suspend,
    /// Leave.
    Quit,
}

/// A field of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// As whom.
    From,
    /// To whom.
    To,
    /// Who gets a copy.
    Cc,
    /// Who gets one that the others do not know of.
    Bcc,
    /// What it is about.
    Subject,
}

impl Field {
    /// The command that changes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
            Self::Subject => "subject",
        }
    }
}

/// A movement within one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// By rows or lines, down when positive.
    Lines(i32),
    /// By half pages.
    Halves(i32),
    /// By pages.
    Pages(i32),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

/// Where on the screen the row under the cursor is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// In the first line.
    Top,
    /// In the middle.
    Middle,
    /// In the last line.
    Bottom,
}

/// What to step to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The next mail: of the conversation, then of the next one.
    Message,
    /// The next conversation.
    Thread,
    /// The next unread mail.
    Unread,
}

/// How conversations are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// The other way.
    Toggle,
    /// As one row a mail.
    Open,
    /// As one row.
    Close,
    /// All of them as one row a mail.
    OpenAll,
    /// All of them as one row.
    CloseAll,
}

/// A change of the selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// Toggle so many rows and move past them.
    Rows(u32),
    /// From here to where the cursor goes; again: to here.
    Range,
    /// Every row of the list.
    All,
    /// What was selected last, as far as it is still there.
    Again,
    /// This mail.
    Set(Set),
}

/// Mail that belongs together, as seen from the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// The conversation at hand.
    Thread,
    /// All mail in the list from who wrote this one.
    Sender,
    /// All mail in the list of this one's mailing list.
    MailingList,
    /// All unread mail in the list.
    Unread,
    /// This row and all below it.
    Older,
    /// All mail whose subject or sender holds these words; of none typed the command line asks.
    Matching(String),
}

/// Something done to mail without a question, and taken back by `u`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Triage {
    /// To Trash; from Trash for good, after a question.
    Delete,
    /// To Archive.
    Archive,
    /// To Junk.
    Junk,
    /// Star or unstar.
    Star,
    /// Read or unread.
    Read,
    /// Mute the conversations, or end that.
    Mute,
}

/// What to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// The attachment under the cursor of the panel.
    One,
    /// Every attachment.
    All,
    /// The mail itself, as it came.
    Mail,
}

/// What of a mail goes to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yank {
    /// The address of who wrote it.
    Address,
    /// Its Message-ID.
    Id,
    /// Where a link of it leads.
    Link,
    /// The code in it.
    Code,
}

impl Yank {
    /// What is said where there is none.
    #[must_use]
    pub fn missing(self) -> &'static str {
        match self {
            Self::Address => "Nobody is named as its sender",
            Self::Id => "This mail has no Message-ID",
            Self::Link => "There are no links in this mail",
            Self::Code => "There is no code in this mail",
        }
    }
}
