//! What the user wrote: accounts, keys, themes, and where files lie.

mod account;
mod check;
mod fields;
mod freeze;
mod load;
mod paths;
mod preset;
pub mod theme;
mod value;
mod writing;

pub use account::{
    Account, Auth, Compress, Identity, KeepBodies, Leave, Outlet, Portion, Protocol, ReplyStyle,
    SecretSource, Sending, Signature, Spool, Style, Tls,
};
pub use check::Problem;
pub use fields::known_keys;
pub use freeze::frozen;
pub use paths::Paths;
pub use preset::Preset;
pub use value::{distance, nearest};
pub use writing::{EditorIn, Warning, Writing};

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::error::Result;

/// Everything the user decided: defaults, then the file, then the environment, then the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// In the order of the file.
    pub accounts: Vec<Account>,
    /// `[ui]`.
    pub ui: Ui,
    /// `[compose]`.
    pub compose: Writing,
    /// `[[keys]]`, in order.
    pub keys: Vec<KeySetting>,
    /// Where files lie.
    pub paths: Paths,
    /// There is no configuration file yet.
    pub is_new: bool,
}

/// `[ui]`: how it looks and behaves. Each key can also be set by the environment (`MAILTUI_UI_THEME`).
#[derive(Debug, Clone, PartialEq)]
pub struct Ui {
    /// The name of the theme.
    pub theme: String,
    /// The zone in which times are shown and sent.
    pub timezone: TimeZone,
    /// How long a mail must stay in the preview to become read; `None`: it never does by that (A6).
    pub mark_read_after: Option<Duration>,
    /// Where the cursor goes when mail leaves the list.
    pub advance: Advance,
    /// Where saved attachments go.
    pub download_dir: PathBuf,
    /// The keys of another program that are laid over the default ones: a name of [`Preset`], or `mailtui`.
    pub keys: String,
    /// What opens links: a program, and what it takes before the link, parted by spaces; `None`: what this desktop has.
    pub browser: Option<String>,
}

/// Where the cursor goes when mail leaves the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Advance {
    /// To the next row.
    #[default]
    Next,
    /// To the row before.
    Previous,
    /// To the next unread row.
    Unread,
    /// Out of the reader, to the list.
    List,
}

impl Advance {
    /// Every way, with its name in the configuration.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Next, "next"), (Self::Previous, "prev"), (Self::Unread, "unread"), (Self::List, "list")];

    /// Its name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(way, _)| *way == self).map_or("", |(_, name)| name)
    }
}

/// One `[[keys]]` table, as written: what it means is the keymap's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetting {
    /// The keys as typed: `gs`, `<C-d>`.
    pub on: String,
    /// The commands to run, in order.
    pub run: Vec<String>,
    /// Where it holds; `None`: wherever the command works.
    pub scope: Option<String>,
    /// Line and column of `on`, `run` and `in` in the file, from 1.
    pub places: [(usize, usize); 3],
}

/// What the command line sets above the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--theme`.
    pub theme: Option<String>,
    /// `--keys`.
    pub keys: Option<String>,
}

impl Config {
    /// Reads and checks the configuration. Without a file there are defaults and no account.
    ///
    /// An error is of [`Kind::Config`](crate::error::Kind::Config) and names file, line and column.
    pub fn load(paths: &Paths, overrides: &Overrides) -> Result<Self> {
        load::load(paths, overrides)
    }

    /// The account of this name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }
}

/// An error that tells the first of these mistakes in the configuration file; `None` where there are none.
#[must_use]
pub fn mistake(paths: &Paths, problems: &[Problem]) -> Option<crate::error::Error> {
    problems.first().map(|first| load::error(&paths.config, first, problems.len() - 1))
}

/// Every mistake in the configuration file, in its order; an error where it cannot be read at all.
pub fn problems(paths: &Paths) -> Result<Vec<Problem>> {
    load::problems(paths)
}
