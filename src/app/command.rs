//! What a command is. Keys, help, the command line and the documentation all read [`COMMANDS`].

use super::action::Action;
use super::scope::{Focus, Scope};

use crate::config;

pub use super::commands::COMMANDS;

/// One thing that a person can ask for, by key or by name.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its name on the command line and in the configuration: unique, lower case, words joined by `-`.
    pub name: &'static str,
    /// Where it works.
    pub scope: Scope,
    /// Its default keys, as [`super::key::Key::sequence`] reads them.
    pub keys: &'static [&'static str],
    /// What it takes.
    pub args: Args,
    /// Under which heading help lists it.
    pub group: Group,
    /// What it does: a verb first, no full stop, at most 26 cells, so that two columns of help fit into 80.
    pub doc: &'static str,
    /// What must be there for it to work.
    pub needs: Needs,
    /// The action that it asks for.
    pub action: fn(&Call) -> Action,
}

/// How a command was called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// The count typed before it or given as its argument.
    pub count: Option<u32>,
    /// What stood after its name, of a command that takes words.
    pub text: String,
}

impl Call {
    /// The count, once when there is none.
    #[must_use]
    pub fn times(&self) -> u32 {
        self.count.unwrap_or(1).clamp(1, 1_000_000)
    }

    /// The action made of what stood after the name.
    #[must_use]
    pub fn typed(&self, action: fn(String) -> Action) -> Action {
        action(self.text.clone())
    }

    /// The count as a distance.
    #[must_use]
    pub fn steps(&self) -> i32 {
        i32::try_from(self.times()).unwrap_or(i32::MAX)
    }
}

/// What a command takes on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Args {
    /// Nothing.
    None,
    /// A count, before its key or after its name.
    Count,
    /// Tags to set and clear, as [`super::tags::parse`] reads them.
    Tags,
    /// A time to come, as [`crate::text::later::parse`] reads it.
    When,
    /// Words to look for.
    Words,
    /// Addresses with commas, completed from those written to.
    People,
    /// As whom a mail is written: one of the user's own addresses.
    Sender,
    /// A file.
    File,
    /// A path of a folder, all that follows its name.
    Path,
    /// A folder that is there, its account first: what [`super::targets::ranked`] finds for it.
    Folder,
}

impl Args {
    /// Whether all that follows the name is its argument.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Tags
                | Self::When
                | Self::Words
                | Self::Path
                | Self::Folder
                | Self::People
                | Self::Sender
                | Self::File
        )
    }
}

/// A heading of the help page, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Moving about.
    Move,
    /// Acting on mail.
    Act,
    /// Reading.
    Read,
    /// Selecting.
    Select,
    /// Conversations.
    Fold,
    /// Settling what waits.
    Settle,
    /// Folders.
    Go,
    /// The program itself.
    Program,
}

impl Group {
    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Read => "Read",
            Self::Act => "Act on mail",
            Self::Select => "Select",
            Self::Fold => "Conversations",
            Self::Settle => "What waits",
            Self::Go => "Go to",
            Self::Program => "Program",
        }
    }
}

/// What must be there for a command to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A mail under the cursor, open, or selected.
    Mail,
    /// A mail that is shown.
    Shown,
    /// An attachment in the mail that is shown.
    Part,
    /// More than one account.
    Accounts,
    /// One folder in the list, not those of all accounts.
    Folder,
}

impl Needs {
    /// Why a command with this need does not work when the need is not met.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Mail => "There is no mail here",
            Self::Shown => "No mail is open",
            Self::Part => "This mail has no attachments",
            Self::Accounts => "There is only one account",
            Self::Folder => "This list is of several folders: J, K or gi go to one",
        }
    }
}

/// The command with this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.name == name)
}

/// Commands whose name begins with `start`, those that work at `focus` first, each part in the table's order.
#[must_use]
pub fn completions(start: &str, focus: Focus) -> Vec<&'static Command> {
    let mut found: Vec<_> = COMMANDS.iter().filter(|c| c.name.starts_with(start)).collect();
    found.sort_by_key(|c| !c.scope.covers(focus));
    found
}

/// Commands that somebody may mean who typed this: by name, by what they do, then by letters in this order;
/// of equal ones those that work at `focus` first.
#[must_use]
pub fn meant(typed: &str, focus: Focus) -> Vec<&'static Command> {
    let typed = typed.trim().to_lowercase();
    let fit = |command: &Command| {
        let (name, doc) = (command.name, command.doc.to_lowercase());
        Some(match () {
            () if name.starts_with(&typed) => 0,
            () if name.contains(&typed) => 1,
            () if doc.contains(&typed) => 2,
            () if are_in_order(&typed, name) => 3,
            () if are_in_order(&typed, &format!("{name} {doc}")) => 4,
            () => return None,
        })
    };
    let mut found: Vec<_> = COMMANDS.iter().filter_map(|c| Some((fit(c)?, c))).collect();
    found.sort_by_key(|(fit, c)| (*fit, !c.scope.covers(focus)));
    found.into_iter().map(|(_, command)| command).collect()
}

/// Whether the letters come in this order.
pub(super) fn are_in_order(letters: &str, text: &str) -> bool {
    let mut rest = text.chars();
    letters.chars().filter(|c| !c.is_whitespace()).all(|c| rest.any(|l| l == c))
}

/// Reads a command line: a name (or the beginning of exactly one), and perhaps a count or words.
pub fn parse(line: &str) -> Result<(&'static Command, Call), String> {
    let line = line.trim();
    let mut words = line.split_whitespace();
    let name = words.next().ok_or("no command was given")?;
    let command = find(name)?;
    let mut call = Call::default();
    if command.args.is_text() {
        call.text = line[name.len()..].trim().to_owned();
        return Ok((command, call));
    }
    if let Some(word) = words.next() {
        if command.args == Args::None {
            return Err(format!("`{}` takes nothing after it", command.name));
        }
        call.count = Some(word.parse().map_err(|_| format!("`{word}` is not a count"))?);
    }
    match words.next() {
        Some(extra) => Err(format!("`{extra}` is one word too many")),
        None => Ok((command, call)),
    }
}

/// Names that hands know from elsewhere.
const ALSO: &[(&str, &str)] = &[("q", "quit"), ("q!", "quit"), ("x", "quit"), ("h", "help"), ("w", "save")];

fn find(name: &str) -> Result<&'static Command, String> {
    let name = ALSO.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| long);
    if let Some(command) = by_name(name) {
        return Ok(command);
    }
    let found: Vec<_> = COMMANDS.iter().filter(|c| c.name.starts_with(name)).collect();
    match found[..] {
        [one] => Ok(one),
        [] => {
            let near = config::nearest(name, COMMANDS.iter().map(|command| command.name));
            let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            Err(format!("there is no command `{name}`{near}"))
        }
        [one, two, ..] => Err(format!("`{name}` may mean {} or {}", one.name, two.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_or_its_beginning_and_a_count() {
        let (command, call) = parse("down 5").unwrap();
        assert_eq!((command.name, call.times()), ("down", 5));
        assert_eq!(parse("arch").unwrap().0.name, "archive");
        assert_eq!(parse("q").unwrap().0.name, "quit");
        assert_eq!(parse("down x").unwrap_err(), "`x` is not a count");
        assert_eq!(parse("quit now").unwrap_err(), "`quit` takes nothing after it");
        assert_eq!(parse("frobnicate").unwrap_err(), "there is no command `frobnicate`");
        assert_eq!(parse("archvie").unwrap_err(), "there is no command `archvie`, did you mean `archive`?");
        let (command, call) = parse(" tag  +todo -old ").unwrap();
        assert_eq!((command.name, call.text.as_str()), ("tag", "+todo -old"));
        assert!(parse("go-").unwrap_err().contains("may mean"));
        assert!(parse("").is_err());
    }
}
