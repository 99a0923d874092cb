//! What can be typed after the verbs that read mails or act on them.

use std::path::PathBuf;

use clap::Args;

use super::args::number;

/// `mailtui list`.
#[derive(Debug, Args)]
pub struct List {
    /// A folder by its name or by what it is for (inbox, sent, …), or account/folder; else the inboxes
    pub folder: Option<String>,
    /// Only this account
    #[arg(long, short)]
    pub account: Option<String>,
    /// At most so many; 0 is all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = |t: &str| number::<usize>(t, "--limit 50"))]
    pub limit: usize,
    /// Only unread ones
    #[arg(long, short)]
    pub unread: bool,
}

/// `mailtui export`.
#[derive(Debug, Args)]
pub struct Export {
    /// A folder by its name or by what it is for (inbox, sent, …), or account/folder
    pub folder: String,
    /// A Maildir: made if it is not there; what is in it already is not written again. With --mbox a new file
    #[arg(long, value_name = "DIR|FILE")]
    pub to: PathBuf,
    /// As one mailbox file
    #[arg(long)]
    pub mbox: bool,
    /// Only this account
    #[arg(long, short)]
    pub account: Option<String>,
}

/// `mailtui show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Its id, as `mailtui list` tells it
    #[arg(value_parser = |t: &str| number::<i64>(t, "mailtui show 42"))]
    pub id: i64,
    /// The bytes as they came
    #[arg(long, conflicts_with = "headers")]
    pub raw: bool,
    /// Every header
    #[arg(long)]
    pub headers: bool,
}

/// `mailtui get`.
#[derive(Debug, Args)]
pub struct Get {
    /// Its id, as `mailtui list` tells it
    #[arg(value_parser = |t: &str| number::<i64>(t, "mailtui get 42"))]
    pub id: i64,
    /// Write to this new file; else to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where not all of it is here, get it from the server first
    #[arg(long, short)]
    pub download: bool,
    /// Only this part, as `mailtui show` numbers them
    #[arg(long, short, value_name = "N", value_parser = |t: &str| number::<usize>(t, "--part 2"))]
    pub part: Option<usize>,
}

/// Mails, as `mailtui list` names them.
#[derive(Debug, Args)]
pub struct Mails {
    /// Their ids, as `mailtui list` tells them; `-`: read them from standard input
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Only mails of this account; others are refused
    #[arg(long, short)]
    pub account: Option<String>,
}

/// Which copy of a mail that lies in several folders.
#[derive(Debug, Args)]
pub struct From {
    /// The copies in this folder: needed for mail that lies in several
    #[arg(long, value_name = "FOLDER")]
    pub from: Option<String>,
}

/// `mailtui archive`.
#[derive(Debug, Args)]
pub struct Archive {
    /// Which.
    #[command(flatten)]
    pub mails: Mails,
    /// Where they are.
    #[command(flatten)]
    pub from: From,
}

/// `mailtui delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// Which.
    #[command(flatten)]
    pub mails: Mails,
    /// Where they are.
    #[command(flatten)]
    pub from: From,
    /// For good, without a way back; what is in Trash already can only be deleted so
    #[arg(long)]
    pub for_good: bool,
}

/// `mailtui move`.
#[derive(Debug, Args)]
pub struct Move {
    /// Which.
    #[command(flatten)]
    pub mails: Mails,
    /// A folder by its name or by what it is for (inbox, sent, …), or account/folder
    #[arg(long, value_name = "FOLDER")]
    pub to: String,
    /// Where they are.
    #[command(flatten)]
    pub from: From,
}

/// `mailtui mark`.
#[derive(Debug, Args)]
pub struct Mark {
    /// As what
    #[arg(value_enum)]
    pub how: How,
    /// Which.
    #[command(flatten)]
    pub mails: Mails,
}

/// What a mail is marked as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum How {
    /// It was read
    Read,
    /// It was not
    Unread,
    /// It has a star
    Starred,
    /// It has none
    Unstarred,
}

/// `mailtui tag`.
#[derive(Debug, Args)]
pub struct Tag {
    /// +name for each tag to put on, then ids as `mailtui list` tells them; `-`: read ids from standard input
    #[arg(required = true, value_name = "+TAG|ID")]
    pub words: Vec<String>,
    /// Take this tag off
    #[arg(long, short, value_name = "TAG")]
    pub remove: Vec<String>,
    /// Only mails of this account; others are refused
    #[arg(long, short)]
    pub account: Option<String>,
}
