//! What can be typed after `mailtui`: verbs and options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::mails::{Archive, Delete, Export, Get, List, Mark, Move, Show, Tag};
use crate::text::Clean;

/// The exit codes, as the help tells them; the README's table is the same.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "`config check` found mistakes"),
    (2, "the configuration or the command line is wrong"),
    (3, "something waits for you, or for longer than ten minutes: see `mailtui queue`"),
    (4, "no way to the server, or it did not answer in time"),
    (5, "the secure connection could not be made, or the certificate is not the right one"),
    (6, "the server refused user or password, or the password could not be had"),
    (7, "the local store: disk full, read-only, damaged, newer than this program"),
    (8, "what was asked for is not there"),
    (9, "the server said no, broke the rules, or cannot do that"),
    (70, "a mistake of mailtui itself"),
    (130, "interrupted"),
];

/// A mail client for the terminal: POP3 and IMAP over one local store.
///
/// Without a verb it opens the screen.
#[derive(Debug, Parser)]
#[command(name = "mailtui", version, max_term_width = 100, after_help = exit_codes(), after_long_help = exit_codes())]
pub struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing: open the screen.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Options of every verb.
#[derive(Debug, Args)]
pub struct Global {
    /// Read this configuration file [also: MAILTUI_CONFIG]
    #[arg(long, global = true, value_name = "FILE", display_order = 100)]
    pub config: Option<PathBuf>,
    /// Keep the store, its locks and the log in this directory [also: MAILTUI_DATA]
    #[arg(long, global = true, value_name = "DIR", display_order = 100)]
    pub data: Option<PathBuf>,
    /// Print JSON: one document, or one object a line
    #[arg(long, global = true, display_order = 100)]
    pub json: bool,
    /// Use this theme
    #[arg(long, global = true, value_name = "NAME", display_order = 100)]
    pub theme: Option<String>,
    /// Use the keys of another program: mutt, aerc or gmail; mailtui: none of them
    #[arg(long, global = true, value_name = "NAME", display_order = 100)]
    pub keys: Option<String>,
    /// Draw with plain marks only, for terminals that have no others
    #[arg(long, global = true, display_order = 100)]
    pub ascii: bool,
    /// Write a log, never with secrets, into the state directory [also: MAILTUI_LOG]
    #[arg(long, global = true, display_order = 100, value_name = "FILTER", num_args = 0..=1, default_missing_value = "mailtui=debug", require_equals = true)]
    pub log: Option<String>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Look around in a made-up mailbox: no account, no network, nothing left behind
    Demo(Demo),
    /// Get in step with the servers
    Sync(Sync),
    /// Tell what waits, and how each account fares; settle it
    Queue(Queue),
    /// List messages, newest first
    List(List),
    /// Show one message
    Show(Show),
    /// Write a raw message, or one of its attachments, to a file or to standard output
    Get(Get),
    /// Move mails to Archive
    Archive(Archive),
    /// Move mails to Trash
    Delete(Delete),
    /// Move mails to a folder, of any account
    Move(Move),
    /// Mark mails as read, unread, starred or not
    Mark(Mark),
    /// Put tags on mails, or take them off
    Tag(Tag),
    /// Send a mail whose text is on standard input
    Send(Send),
    /// Keep a draft: of a mailto: link, or of options and the text on standard input
    Compose(Compose),
    /// List the drafts, send one, or throw one away
    Drafts(Drafts),
    /// Put what is on standard input to a draft as a file: to the one with this number, else to that changed last
    Attach(Attach),
    /// List people written to, the likeliest first; take in those of vCard files
    Addresses(Addresses),
    /// Answer a mail with the text on standard input
    Reply(Reply),
    /// Send as the program sendmail does: `[-t] [-i] [-f ADDR] [ADDR…]`, the mail on standard input
    Sendmail {
        /// As sendmail has them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
        args: Vec<String>,
    },
    /// Take in the mail of mbox files, Maildirs and single files, each mail once
    Import(Import),
    /// Write the mail of a folder as a Maildir or an mbox file, with flags and dates
    Export(Export),
    /// Tell which accounts have mail here; settle what became of one
    Account {
        /// What to do.
        #[command(subcommand)]
        what: AccountVerb,
    },
    /// Look at the configuration
    Config {
        /// What to look at.
        #[command(subcommand)]
        what: ConfigVerb,
    },
    /// List every key
    Keys {
        /// As a table for a document
        #[arg(long)]
        markdown: bool,
    },
}

/// `mailtui demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// How many mails there are
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = mails)]
    pub messages: u64,
    /// Print the first screen as text and exit
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub snapshot: Option<(u16, u16)>,
    /// Pretend that it is this time
    #[arg(long, value_name = "TIME", hide = true)]
    pub now: Option<String>,
}

/// `mailtui send`.
#[derive(Debug, Args)]
pub struct Send {
    /// To whom; may be said several times, or with commas
    #[arg(long, value_name = "ADDR")]
    pub to: Vec<String>,
    /// Who gets a copy
    #[arg(long, value_name = "ADDR")]
    pub cc: Vec<String>,
    /// Who gets a copy that the others do not know of
    #[arg(long, value_name = "ADDR")]
    pub bcc: Vec<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub subject: String,
    /// A file that goes along
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// The address to send from, with a name or without; that of the account, if not said
    #[arg(long, value_name = "ADDR")]
    pub from: Option<String>,
    /// The account to send with
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Only put it into the outbox: whoever syncs the account next sends it
    #[arg(long)]
    pub queue: bool,
}

/// `mailtui compose`.
#[derive(Debug, Args)]
pub struct Compose {
    /// A mailto: link, which cannot attach files
    #[arg(value_name = "mailto:…")]
    pub link: Option<String>,
    /// To whom; may be said several times, or with commas
    #[arg(long, value_name = "ADDR")]
    pub to: Vec<String>,
    /// Who gets a copy
    #[arg(long, value_name = "ADDR")]
    pub cc: Vec<String>,
    /// Who gets a copy that the others do not know of
    #[arg(long, value_name = "ADDR")]
    pub bcc: Vec<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    pub subject: Option<String>,
    /// A file that goes along; it is read when the draft is sent
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// The text, in place of standard input
    #[arg(long, value_name = "FILE")]
    pub body: Option<PathBuf>,
    /// The account to send with
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

/// `mailtui attach`.
#[derive(Debug, Args)]
pub struct Attach {
    /// The draft, as `mailtui drafts` tells it
    pub draft: Option<i64>,
    /// What the file is called
    #[arg(long, value_name = "NAME")]
    pub name: String,
}

/// `mailtui addresses`.
#[derive(Debug, Args)]
pub struct Addresses {
    /// Only those that this may begin: a name, an address, a domain
    pub words: Vec<String>,
    /// Take in the people of this vCard file
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    pub import: Vec<PathBuf>,
}

/// `mailtui drafts`.
#[derive(Debug, Args)]
pub struct Drafts {
    /// What to do; nothing: list them.
    #[command(subcommand)]
    pub verb: Option<DraftsVerb>,
}

/// `mailtui drafts send` and its like.
#[derive(Debug, Subcommand)]
pub enum DraftsVerb {
    /// Send a draft
    Send {
        /// Its number
        id: i64,
        /// Send it whatever is odd about it: see `check` in the configuration
        #[arg(long, short)]
        force: bool,
        /// Only put it into the outbox: whoever syncs the account next sends it
        #[arg(long)]
        queue: bool,
    },
    /// Throw a draft away
    Discard {
        /// Its number
        id: i64,
    },
}

/// `mailtui reply`.
#[derive(Debug, Args)]
pub struct Reply {
    /// Its id, as `mailtui list` tells it
    pub id: i64,
    /// To all whom it went to
    #[arg(long)]
    pub all: bool,
    /// To the list that it came by
    #[arg(long, conflicts_with = "all")]
    pub list: bool,
    /// Send it whatever is odd about it: see `check` in the configuration
    #[arg(long, short)]
    pub force: bool,
    /// Only put it into the outbox: whoever syncs the account next sends it
    #[arg(long)]
    pub queue: bool,
}

/// `mailtui sync`.
#[derive(Debug, Args)]
pub struct Sync {
    /// Only this account
    pub account: Option<String>,
    /// Go on until interrupted, and tell what arrives
    #[arg(long, short)]
    pub watch: bool,
    /// Only say what would be fetched, deleted and sent; change nothing, there or here
    #[arg(long, short = 'n', conflicts_with = "watch")]
    pub dry_run: bool,
}

/// `mailtui queue`.
#[derive(Debug, Args)]
pub struct Queue {
    /// Only this account
    #[arg(long, short)]
    pub account: Option<String>,
    /// What to do about it; nothing: list it.
    #[command(subcommand)]
    pub verb: Option<QueueVerb>,
}

/// `mailtui queue retry` and its like.
#[derive(Debug, Clone, Subcommand)]
pub enum QueueVerb {
    /// Try again as soon as there is a connection; of an account: also where it is paused
    Retry(Which),
    /// Give up: what was done here is taken back, the server stays as it is
    Discard(Which),
    /// Believe the server: mail that it does not show any more goes here too
    Accept(Which),
    /// Look at the folder anew, all of it; nothing here is lost
    Refetch(Which),
    /// Take back the whole action that it is a part of
    Undo(Which),
}

/// What is to be settled.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// An id as `mailtui queue` tells it, the name of an account, or `all`
    #[arg(required = true, value_name = "ID|ACCOUNT|all")]
    pub which: Vec<String>,
}

/// `mailtui import`.
#[derive(Debug, Args)]
pub struct Import {
    /// An mbox file, a Maildir with its folders, a mail in a file, or a directory of such
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// The account that it goes to: one whose mail lives here (local, POP3)
    #[arg(long, short)]
    pub account: String,
    /// The folder, made if it is not there; else the inbox, and for folders in a Maildir or a directory one of their name
    #[arg(long, short, value_name = "PATH")]
    pub folder: Option<String>,
}

/// `mailtui account`.
#[derive(Debug, Subcommand)]
pub enum AccountVerb {
    /// Every account that has mail here, or is in the configuration
    List,
    /// The mail of an account goes by the new name that the configuration has for it
    Rename {
        /// The name that its mail is stored under
        old: String,
        /// The name in the configuration
        new: String,
    },
    /// The mail of an account that the configuration does not name stays as it is, and no question is asked about it
    Park {
        /// The name that its mail is stored under
        old: String,
    },
    /// Copy all mail of an account to another one, each once; only tells what that comes to, without --yes
    Move(Relocate),
    /// The server is gone, the mail stays: from now on the account lives here only
    Freeze(Freeze),
    /// Delete on a POP3 server what is safely here, whatever leave_on_server says; only tells what, without --yes
    Cleanup(Cleanup),
    /// Delete the mail of an account here, for good; only of one that the configuration does not name
    Forget(Forget),
}

/// `mailtui account cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    /// The account
    pub account: String,
    /// Do it
    #[arg(long)]
    pub yes: bool,
}

/// `mailtui account move`.
#[derive(Debug, Args)]
pub struct Relocate {
    /// The account whose mail it is, in the configuration or parked
    pub old: String,
    /// The account of the configuration that it is copied to
    #[arg(long, value_name = "ACCOUNT")]
    pub to: String,
    /// Do it; may be interrupted and repeated at any time
    #[arg(long)]
    pub yes: bool,
    /// Afterwards delete at the old account what the new server was seen to have
    #[arg(long, requires = "yes")]
    pub delete_after: bool,
}

/// `mailtui account freeze`.
#[derive(Debug, Args)]
pub struct Freeze {
    /// Its name in the configuration
    pub name: String,
    /// Do it; without, only what it comes to is told
    #[arg(long)]
    pub yes: bool,
    /// Only show which lines of the configuration change
    #[arg(long, conflicts_with = "yes")]
    pub print: bool,
}

/// `mailtui account forget`.
#[derive(Debug, Args)]
pub struct Forget {
    /// The name that its mail is stored under
    pub name: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `mailtui config`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigVerb {
    /// Tell every mistake in it, with its line
    Check,
    /// Tell where files lie
    Path,
    /// Tell what it comes to, defaults included, secrets left out
    Show,
}

/// Mails of the demo.
fn mails(text: &str) -> Result<u64, String> {
    match number::<u64>(text, "--messages 400")? {
        n @ 0..=5_000_000 => Ok(n),
        _ => Err("at most 5000000".to_owned()),
    }
}

/// A whole number; else what one looks like.
pub(super) fn number<T: std::str::FromStr>(text: &str, example: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("a whole number is wanted, for example `{example}`"))
}

/// `100x30`; at least 20x5, as no screen is smaller.
fn size(text: &str) -> Result<(u16, u16), String> {
    let (width, height) = text.split_once(['x', 'X', '×']).ok_or("write it as 100x30")?;
    let number = |t: &str| t.trim().parse::<u16>().map_err(|_| format!("{} is not a number", Clean::line(t)));
    match (number(width)?, number(height)?) {
        (w @ 20..=1000, h @ 5..=500) => Ok((w, h)),
        _ => Err("from 20x5 to 1000x500".to_owned()),
    }
}

fn exit_codes() -> String {
    let lines = EXIT_CODES.iter().map(|(code, meaning)| format!("  {code:>3}  {meaning}\n"));
    format!("Exit codes:\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("100x30"), Ok((100, 30)));
        assert!(
            size("100").is_err() && size("0x0").is_err() && size("axb").is_err() && size("99999x1").is_err()
        );
    }
}
