//! Themes: how each part of the screen looks, read from TOML with a palette and inheritance.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use toml_edit::{Document, Item, TableLike};

use crate::error::{Error, Kind, Result};

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $key:literal;)*) => {
        /// A part of the screen that a theme gives a style. What is not set inherits along the dots of
        /// its name, then from `text`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role { $($(#[$doc])* $name,)* }

        impl Role {
            /// Every role.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in theme files.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Self::$name => $key),* }
            }
        }
    };
}

roles! {
    /// Ordinary text.
    Text = "text";
    /// What is secondary: dates, snippets, hints.
    Dim = "text.dim";
    /// What calls for attention without being wrong.
    Accent = "text.accent";
    /// The line at the top.
    Title = "title";
    /// Where we are, in it.
    TitlePlace = "title.place";
    /// The account, counts, in it.
    TitleDim = "title.dim";
    /// News that is above the view, in it.
    TitleNews = "title.news";
    /// The line at the bottom.
    Status = "status";
    /// What is secondary in it.
    StatusDim = "status.dim";
    /// Pending keys and prompts.
    StatusKeys = "status.keys";
    /// Something went wrong.
    StatusError = "status.error";
    /// A question.
    StatusAsk = "status.ask";
    /// A running piece of work.
    StatusWork = "status.work";
    /// The dot of an account that is in step.
    DotGood = "dot.good";
    /// The dot of an account at work.
    DotBusy = "dot.busy";
    /// The dot of an account that is offline.
    DotOff = "dot.off";
    /// The dot of an account that waits for the user.
    DotBad = "dot.bad";
    /// The line between panes.
    Rule = "rule";
    /// A folder.
    Folder = "folder";
    /// A folder with unread mail.
    FolderUnread = "folder.unread";
    /// Its count.
    FolderCount = "folder.count";
    /// The name of an account.
    FolderAccount = "folder.account";
    /// A row of the list that was read.
    List = "list";
    /// What is unread in a row.
    ListUnread = "list.unread";
    /// A tag.
    ListTag = "list.tag";
    /// The snippet.
    ListSnippet = "list.snippet";
    /// The date.
    ListDate = "list.date";
    /// How many mails are in a conversation.
    ListCount = "list.count";
    /// The lines of an unfolded conversation.
    ListTree = "list.tree";
    /// The unread mark.
    MarkUnread = "mark.unread";
    /// The star.
    MarkStar = "mark.star";
    /// Other marks.
    MarkOther = "mark.other";
    /// The mark of a selected row.
    MarkSelected = "mark.selected";
    /// The row under the cursor.
    Cursor = "cursor";
    /// The row under the cursor where the keys go elsewhere.
    CursorAway = "cursor.away";
    /// The bar at the left of the row under the cursor.
    CursorBar = "cursor.bar";
    /// The subject in the reader.
    ReaderSubject = "reader.subject";
    /// The sender in the reader.
    ReaderFrom = "reader.from";
    /// The other headers.
    ReaderHeader = "reader.header";
    /// What is odd about who sent a mail.
    ReaderWarning = "reader.warning";
    /// An attachment.
    ReaderChip = "reader.chip";
    /// A heading in a mail.
    MailHeading = "mail.heading";
    /// Emphasis in a mail.
    MailStrong = "mail.strong";
    /// Slanted text in a mail.
    MailEmphasis = "mail.emphasis";
    /// Code in a mail.
    MailCode = "mail.code";
    /// A line that a patch adds.
    DiffAdd = "diff.add";
    /// A line that a patch takes away.
    DiffDel = "diff.del";
    /// Where in a file.
    DiffHunk = "diff.hunk";
    /// Which file.
    DiffHead = "diff.head";
    /// A link.
    MailLink = "mail.link";
    /// A signature.
    MailSignature = "mail.signature";
    /// A quote of a quote is one deeper; these repeat.
    Quote1 = "quote.1";
    /// Depth two.
    Quote2 = "quote.2";
    /// Depth three and more.
    Quote3 = "quote.3";
    /// A heading of a panel or of help.
    PanelTitle = "panel.title";
    /// A key in help.
    PanelKey = "panel.key";
    /// What it does.
    PanelText = "panel.text";
    /// What does not work now.
    PanelOff = "panel.off";
}

/// A style for every role.
#[derive(Debug, Clone)]
pub struct Theme {
    name: String,
    styles: HashMap<Role, Style>,
}

const EMBEDDED: &[(&str, &str)] = &[
    ("terminal", include_str!("../../themes/terminal.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

impl Theme {
    /// The names of the themes that are part of the program.
    pub fn embedded_names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The names of all themes: those of the program, and the files in `dir`.
    #[must_use]
    pub fn names(dir: &Path) -> Vec<String> {
        let own = std::fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".toml").map(str::to_owned)
        });
        let mut names: Vec<String> = Self::embedded_names().map(str::to_owned).chain(own).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The theme with this name: `NAME.toml` in `dir` if it is there, else the embedded one.
    pub fn named(name: &str, dir: Option<&Path>) -> Result<Self> {
        Self::named_below(name, dir, 0)
    }

    fn named_below(name: &str, dir: Option<&Path>, depth: u8) -> Result<Self> {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        if let Some(file) = dir.filter(|_| plain).map(|d| d.join(format!("{name}.toml")))
            && file.is_file()
        {
            let text = std::fs::read_to_string(&file).map_err(|e| {
                Error::new(Kind::Config, format!("could not read the theme {}", file.display())).because(e)
            })?;
            return Self::parse_below(&text, &file.display().to_string(), dir, depth);
        }
        match EMBEDDED.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => Self::parse_below(text, name, dir, depth),
            None => {
                let known: Vec<_> = Self::embedded_names().collect();
                Err(Error::new(Kind::Config, format!("there is no theme `{name}`"))
                    .hint(format!("themes that come with mailtui: {}", known.join(", "))))
            }
        }
    }

    /// Reads a theme file; `from` is what errors call it.
    pub fn parse(text: &str, from: &str, dir: Option<&Path>) -> Result<Self> {
        Self::parse_below(text, from, dir, 0)
    }

    fn parse_below(text: &str, from: &str, dir: Option<&Path>, depth: u8) -> Result<Self> {
        let source = Source { text, from };
        if depth > 8 {
            return Err(source.wrong(None, "inherits from itself, or more than eight deep"));
        }
        let file = Document::parse(text).map_err(|e| source.wrong(e.span(), e.message().trim()))?;
        let mut name = from.to_owned();
        let mut styles = HashMap::new();
        let mut palette = HashMap::new();
        for (key, item) in file.iter() {
            match key {
                "name" => name = source.text_of(item)?.to_owned(),
                "inherits" => {
                    let below = Self::named_below(source.text_of(item)?, dir, depth + 1);
                    styles =
                        below.map_err(|e| source.wrong(item.span(), "cannot inherit").because(e))?.styles;
                }
                "palette" | "styles" => {}
                _ => return Err(source.wrong(item.span(), &format!("a theme has no `{key}`"))),
            }
        }
        if let Some(table) = source.table(file.get("palette"))? {
            for (key, item) in table.iter() {
                palette.insert(key.to_owned(), source.color(item, &HashMap::new())?);
            }
        }
        let mut own = HashMap::new();
        if let Some(table) = source.table(file.get("styles"))? {
            for (key, item) in table.iter() {
                let Some(role) = Role::ALL.iter().find(|r| r.key() == key) else {
                    return Err(source.wrong(item.span(), &unknown_role(key)));
                };
                own.insert(*role, source.style(item, &palette)?);
            }
        }
        // A parent that this file sets reaches its children, unless the file sets these too.
        for role in Role::ALL {
            if let Some(style) = own.get(role).or_else(|| ancestor(*role).find_map(|r| own.get(&r))) {
                styles.insert(*role, *style);
            } else {
                styles.entry(*role).or_default();
            }
        }
        Ok(Self { name, styles })
    }

    /// What the theme calls itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The style of a part of the screen.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }
}

/// The roles that a role inherits from: those whose names begin its own, the longest first.
fn ancestor(role: Role) -> impl Iterator<Item = Role> {
    let mut key = role.key();
    std::iter::from_fn(move || {
        key = key.rsplit_once('.')?.0;
        Some(key)
    })
    .filter_map(|key| Role::ALL.iter().find(|r| r.key() == key).copied())
}

fn unknown_role(key: &str) -> String {
    let near = Role::ALL
        .iter()
        .map(|r| r.key())
        .find(|k| k.rsplit('.').next() == key.rsplit('.').next() || k.starts_with(key));
    match near {
        Some(near) => format!("no part of the screen is called `{key}`, did you mean `{near}`?"),
        None => format!("no part of the screen is called `{key}`"),
    }
}

/// A theme file while it is read.
struct Source<'a> {
    text: &'a str,
    from: &'a str,
}

impl Source<'_> {
    /// An error that names the file, and the line and column where they are known.
    fn wrong(&self, at: Option<Range<usize>>, what: &str) -> Error {
        let place = at.and_then(|span| self.text.get(..span.start)).map(|before| {
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
            format!(":{line}:{column}")
        });
        Error::new(Kind::Config, format!("{}{}: {what}", self.from, place.unwrap_or_default()))
    }

    fn text_of<'i>(&self, item: &'i Item) -> Result<&'i str> {
        item.as_str().ok_or_else(|| self.wrong(item.span(), "must be text in quotes"))
    }

    fn table<'i>(&self, item: Option<&'i Item>) -> Result<Option<&'i dyn TableLike>> {
        let Some(item) = item else { return Ok(None) };
        item.as_table_like().map(Some).ok_or_else(|| self.wrong(item.span(), "must be a table"))
    }

    fn color(&self, item: &Item, palette: &HashMap<String, Color>) -> Result<Color> {
        let name = self.text_of(item)?;
        match palette.get(name) {
            Some(color) => Ok(*color),
            None => color(name).ok_or_else(|| {
                self.wrong(item.span(), &format!("`{name}` is neither a colour nor in the palette"))
                    .hint("colours: the terminal's 16 by name (`blue`, `bright blue`), 0 to 255, `#88c0d0`")
            }),
        }
    }

    /// `"green"`, or `{ fg = "…", bg = "…", mods = ["bold"] }`.
    fn style(&self, item: &Item, palette: &HashMap<String, Color>) -> Result<Style> {
        if item.as_str().is_some() {
            return Ok(Style::new().fg(self.color(item, palette)?));
        }
        let table = item.as_table_like().ok_or_else(|| {
            self.wrong(item.span(), "must be a colour, or a table with `fg`, `bg` and `mods`")
        })?;
        let mut style = Style::new();
        for (key, value) in table.iter() {
            match key {
                "fg" => style = style.fg(self.color(value, palette)?),
                "bg" => style = style.bg(self.color(value, palette)?),
                "mods" => style = style.add_modifier(self.modifiers(value)?),
                _ => return Err(self.wrong(value.span(), &format!("a style has no `{key}`"))),
            }
        }
        Ok(style)
    }

    fn modifiers(&self, item: &Item) -> Result<Modifier> {
        let list = item.as_array().ok_or_else(|| self.wrong(item.span(), "must be a list: `[\"bold\"]`"))?;
        let mut all = Modifier::empty();
        for value in list {
            all |= match value.as_str() {
                Some("bold") => Modifier::BOLD,
                Some("dim") => Modifier::DIM,
                Some("italic") => Modifier::ITALIC,
                Some("underlined") => Modifier::UNDERLINED,
                Some("reversed") => Modifier::REVERSED,
                Some("crossed_out") => Modifier::CROSSED_OUT,
                _ => {
                    let known = "is not one of bold, dim, italic, underlined, reversed, crossed_out";
                    return Err(self.wrong(value.span(), &format!("{} {known}", value.to_string().trim())));
                }
            };
        }
        Ok(all)
    }
}

/// A colour by name. `white` is the terminal's colour 7, `bright white` its colour 15.
fn color(name: &str) -> Option<Color> {
    const BY_NAME: [(&str, Color); 17] = [
        ("default", Color::Reset),
        ("black", Color::Black),
        ("red", Color::Red),
        ("green", Color::Green),
        ("yellow", Color::Yellow),
        ("blue", Color::Blue),
        ("magenta", Color::Magenta),
        ("cyan", Color::Cyan),
        ("white", Color::Gray),
        ("bright black", Color::DarkGray),
        ("bright red", Color::LightRed),
        ("bright green", Color::LightGreen),
        ("bright yellow", Color::LightYellow),
        ("bright blue", Color::LightBlue),
        ("bright magenta", Color::LightMagenta),
        ("bright cyan", Color::LightCyan),
        ("bright white", Color::White),
    ];
    if let Some((_, color)) = BY_NAME.iter().find(|(n, _)| *n == name) {
        return Some(*color);
    }
    (name.starts_with('#') || name.parse::<u8>().is_ok()).then(|| Color::from_str(name).ok())?
}
