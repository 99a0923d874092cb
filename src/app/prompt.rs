//! The command line and the palette: one line of text with a cursor, what it may mean, and its history.

use jiff::tz::TimeZone;

use super::command::{self, Args, Command};
use super::complete::{Stock, last_address};
use super::key::{Code, Key};
use super::scope::Focus;
use super::targets::ranked;
use crate::text::later::{self, EXAMPLES};
use crate::text::{Clean, when};

/// Bytes that a command line holds.
const LIMIT: usize = 1024;

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A command by its name, with what it takes.
    Line,
    /// Letters of the command that is looked for.
    Palette,
}

impl Kind {
    /// What stands before it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Line => ":",
            Self::Palette => ">",
        }
    }
}

/// The command line while it is open.
#[derive(Debug, Clone)]
pub struct Prompt {
    kind: Kind,
    /// What is typed.
    text: String,
    /// Bytes before the cursor.
    cursor: usize,
    /// What was typed before a completion took its place, and which one that is.
    picked: Option<(String, usize)>,
    /// Commands that ran before, oldest first, and which of them is shown.
    history: Vec<String>,
    recalled: Option<usize>,
    focus: Focus,
    /// Every tag that some mail has.
    tags: Vec<String>,
    /// Where mail can go.
    places: Vec<String>,
    /// The moment at which a time is typed, and its zone.
    clock: Option<(i64, TimeZone)>,
    /// What is looked up beside it.
    pub(super) stock: Box<Stock>,
}

/// Something that what is typed may become.
#[derive(Debug, Clone)]
pub enum Completion {
    /// A command.
    Command(&'static Command),
    /// The last word, whole.
    Word(String),
    /// A folder: all that follows the command.
    Place(String),
    /// Somebody: the last of the addresses that follow the command.
    Person(String),
    /// A sender, or a file: all that follows the command.
    Whole(String),
    /// A time: all that follows the command, and which moment that is.
    Time(String, Clean),
}

/// What a key did to the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// Something changed.
    Still,
    /// Run this.
    Run(String),
    /// Leave.
    Left,
}

impl Prompt {
    /// Opens with a text; `focus` is the place whose commands come first.
    #[must_use]
    pub fn new(text: String, focus: Focus, history: Vec<String>) -> Self {
        let (kind, tags, places) = (Kind::Line, Vec::new(), Vec::new());
        let (picked, recalled, clock, stock) = (None, None, None, Box::default());
        Self { kind, cursor: text.len(), text, picked, history, recalled, focus, tags, places, clock, stock }
    }

    /// Opens the palette.
    #[must_use]
    pub fn palette(focus: Focus) -> Self {
        Self { kind: Kind::Palette, ..Self::new(String::new(), focus, Vec::new()) }
    }

    /// What is being typed.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// With folders to complete.
    #[must_use]
    pub fn with_places(self, places: Vec<String>) -> Self {
        Self { places, ..self }
    }

    /// With the moment at which it was opened, Unix seconds, for times to come.
    #[must_use]
    pub fn with_clock(self, now: i64, zone: TimeZone) -> Self {
        Self { clock: Some((now, zone)), ..self }
    }

    /// With what can be looked up.
    #[must_use]
    pub fn with_stock(self, stock: Stock) -> Self {
        Self { stock: Box::new(stock), ..self }
    }

    /// With tags to complete.
    #[must_use]
    pub fn with_tags(self, tags: Vec<String>) -> Self {
        Self { tags, ..self }
    }

    /// What is typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is typed before the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// What may be meant, and which of it is picked: of folders the first, which Enter takes.
    #[must_use]
    pub fn completions(&self) -> (Vec<Completion>, Option<usize>) {
        if let Some((typed, at)) = &self.picked {
            return (self.completions_of(typed), Some(*at));
        }
        let found = self.completions_of(&self.text);
        if self.kind == Kind::Palette {
            return (found, Some(0));
        }
        let is_meant = self.text.split_once(' ').is_some_and(|(_, typed)| !typed.trim().is_empty());
        let first = found.first().filter(|first| is_meant && matches!(first, Completion::Place(_)));
        let picked = first.map(|_| 0);
        (found, picked)
    }

    fn completions_of(&self, typed: &str) -> Vec<Completion> {
        if self.kind == Kind::Palette {
            return command::meant(typed, self.focus).into_iter().map(Completion::Command).collect();
        }
        let Some((name, _)) = typed.split_once(' ') else {
            return command::completions(typed, self.focus).into_iter().map(Completion::Command).collect();
        };
        match command::by_name(name).map(|command| command.args) {
            Some(Args::Tags) => {}
            Some(Args::When) => return self.times(typed.get(name.len()..).unwrap_or_default().trim()),
            Some(Args::Folder) => {
                let typed = typed.get(name.len()..).unwrap_or_default();
                return ranked(&self.places, typed).into_iter().cloned().map(Completion::Place).collect();
            }
            Some(args) => {
                let typed = typed.get(name.len() + 1..).unwrap_or_default();
                return match args {
                    Args::People => self.stock.people(typed).into_iter().map(Completion::Person).collect(),
                    Args::Sender => self.stock.senders(typed).into_iter().map(Completion::Whole).collect(),
                    Args::File => {
                        self.stock.files(typed.trim_start()).into_iter().map(Completion::Whole).collect()
                    }
                    _ => Vec::new(),
                };
            }
            None => return Vec::new(),
        }
        let (sign, start) = last_word(typed);
        let begins = |tag: &&String| {
            tag.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
                && tag.len() > start.len()
        };
        self.tags.iter().filter(begins).map(|tag| Completion::Word(format!("{sign}{tag}"))).collect()
    }

    /// What a time that is typed comes to; of nothing typed, what could be.
    fn times(&self, typed: &str) -> Vec<Completion> {
        let Some((now, zone)) = &self.clock else { return Vec::new() };
        let moment = |text: &str| match later::parse(text, *now, zone) {
            Ok(at) => Clean::line(&when::long(at, *now, zone)),
            Err(why) => Clean::line(&why),
        };
        let time = |text: &str| Completion::Time(text.to_owned(), moment(text));
        if !typed.is_empty() {
            return vec![time(typed)];
        }
        EXAMPLES.iter().filter(|text| later::parse(text, *now, zone).is_ok()).map(|text| time(text)).collect()
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) -> Edited {
        match key {
            Key { code: Code::Enter, .. } => return Edited::Run(self.line()),
            Key { code: Code::Esc, .. } => return Edited::Left,
            _ if key == Key::ctrl('c') => return Edited::Left,
            Key { code: Code::Tab, .. } => self.pick(1),
            Key { code: Code::BackTab, .. } => self.pick(-1),
            Key { code: Code::Up, .. } if self.kind == Kind::Palette => self.pick(-1),
            Key { code: Code::Down, .. } if self.kind == Kind::Palette => self.pick(1),
            _ if self.kind == Kind::Palette && key == Key::ctrl('p') => self.pick(-1),
            _ if self.kind == Kind::Palette && key == Key::ctrl('n') => self.pick(1),
            Key { code: Code::Up, .. } => self.recall(-1),
            Key { code: Code::Down, .. } => self.recall(1),
            Key { code: Code::Left, .. } => self.cursor = self.previous(),
            Key { code: Code::Right, .. } => self.cursor = self.next(),
            Key { code: Code::Home, .. } => self.cursor = 0,
            Key { code: Code::End, .. } => self.cursor = self.text.len(),
            Key { code: Code::Backspace, .. } if self.text.is_empty() => return Edited::Left,
            Key { code: Code::Backspace, .. } => self.remove(self.previous()..self.cursor),
            Key { code: Code::Delete, .. } => self.remove(self.cursor..self.next()),
            _ if key == Key::ctrl('u') => self.remove(0..self.cursor),
            _ if key == Key::ctrl('w') => {
                let kept = self.before_cursor().trim_end().rfind(' ').map_or(0, |at| at + 1);
                self.remove(kept..self.cursor);
            }
            _ => {
                if let Some(c) = key.text() {
                    self.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        Edited::Still
    }

    /// Inserts text, as pasted: on one line, and it runs nothing.
    pub fn insert(&mut self, text: &str) {
        self.picked = None;
        for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
            if self.text.len() + c.len_utf8() > LIMIT {
                return;
            }
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// What Enter runs: of the palette the command that is picked.
    fn line(&mut self) -> String {
        if self.kind == Kind::Line {
            return std::mem::take(&mut self.text);
        }
        let (found, at) = self.completions();
        match found.get(at.unwrap_or(0)) {
            Some(Completion::Command(command)) => command.name.to_owned(),
            _ => String::new(),
        }
    }

    fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    fn remove(&mut self, range: std::ops::Range<usize>) {
        self.picked = None;
        self.cursor = range.start;
        self.text.replace_range(range, "");
    }

    fn previous(&self) -> usize {
        self.before_cursor().char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor + after.chars().next().map_or(0, char::len_utf8)
    }

    fn pick(&mut self, by: i32) {
        let (found, shown) = self.completions();
        if found.is_empty() {
            return;
        }
        let at = if self.kind == Kind::Palette { shown } else { self.picked.as_ref().map(|(_, at)| *at) };
        let typed = self.picked.take().map_or_else(|| self.text.clone(), |(typed, _)| typed);
        let len = found.len();
        let next = match at {
            Some(at) if by > 0 => (at + 1) % len,
            Some(at) => (at + len - 1) % len,
            None if by > 0 => 0,
            None => len - 1,
        };
        if self.kind == Kind::Palette {
            // What was typed stays: it is not the name.
            self.picked = Some((typed, next));
            return;
        }
        let text = match &found[next] {
            Completion::Command(command) => command.name.to_owned(),
            Completion::Place(place) | Completion::Whole(place) | Completion::Time(place, _) => {
                format!("{} {place}", typed.split(' ').next().unwrap_or_default())
            }
            Completion::Person(who) => {
                let (name, list) = typed.split_once(' ').unwrap_or((&typed, ""));
                format!("{name} {}{who}", last_address(list).0)
            }
            Completion::Word(word) => {
                let (sign, start) = last_word(&typed);
                format!("{}{word}", &typed[..typed.len() - sign.len() - start.len()])
            }
        };
        self.set(text);
        self.picked = Some((typed, next));
    }

    fn recall(&mut self, by: i32) {
        let len = self.history.len();
        let at = self.recalled.unwrap_or(len);
        let next = if by < 0 { at.checked_sub(1) } else { Some(at + 1).filter(|n| *n <= len) };
        if let Some(next) = next {
            self.picked = None;
            self.recalled = Some(next);
            self.set(self.history.get(next).cloned().unwrap_or_default());
        }
    }
}

/// The last word of a line: the sign before a tag, and what is typed of its name.
fn last_word(line: &str) -> (&str, &str) {
    let word = line.rsplit(' ').next().unwrap_or_default();
    word.split_at(usize::from(word.starts_with(['+', '-'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> (String, Edited) {
        let mut prompt = Prompt::new(String::new(), Focus::List, vec!["sync".into(), "undo".into()]);
        let mut last = Edited::Still;
        for key in Key::sequence(keys).unwrap() {
            last = prompt.press(key);
        }
        (prompt.text().to_owned(), last)
    }

    #[test]
    fn edits_a_line() {
        assert_eq!(typed("quti<Left><BS><Right>t<Enter>").1, Edited::Run("quit".to_owned()));
        assert_eq!(typed("go on é漢<BS><C-w>").0, "go on ");
        assert_eq!(typed("abc<Home><Del>x").0, "xbc");
        assert_eq!(typed("a<BS><BS>").1, Edited::Left);
        assert_eq!(typed("<Up><Up>").0, "sync");
        assert_eq!(typed("<Up><Up><Down>").0, "undo");
    }

    #[test]
    fn tab_completes_and_goes_round() {
        assert_eq!(typed("arch<Tab>").0, "archive");
        assert_eq!(typed("go-s<Tab><Enter>").1, Edited::Run("go-sent".to_owned()));
        let (first, _) = typed("un<Tab>");
        let (last, _) = typed("un<S-Tab>");
        assert!(first.starts_with("un") && last.starts_with("un") && first != last);
        assert_eq!(typed("nothing-begins-so<Tab>").0, "nothing-begins-so");
    }

    #[test]
    fn tab_completes_the_last_tag() {
        let tags = ["Büro", "todo", "tomorrow"].map(str::to_owned).to_vec();
        let mut prompt = Prompt::new("tag -b".to_owned(), Focus::List, Vec::new()).with_tags(tags);
        let press = |prompt: &mut Prompt, keys: &str| {
            Key::sequence(keys).unwrap().into_iter().for_each(|key| drop(prompt.press(key)));
            prompt.text().to_owned()
        };
        assert_eq!(press(&mut prompt, "<Tab>"), "tag -Büro");
        assert_eq!(press(&mut prompt, "<Space>+t<Tab><Tab>"), "tag -Büro +tomorrow");
        assert_eq!(press(&mut prompt, "<Tab>"), "tag -Büro +todo");
        assert_eq!(press(&mut prompt, "<Space>x<Tab>"), "tag -Büro +todo x");
    }

    #[test]
    fn tab_completes_a_folder_whole() {
        let places = ["work/Archive", "home/Archive", "home/Old mail"].map(str::to_owned).to_vec();
        let mut prompt = Prompt::new("move ".to_owned(), Focus::List, Vec::new()).with_places(places);
        let press = |prompt: &mut Prompt, keys: &str| {
            Key::sequence(keys).unwrap().into_iter().for_each(|key| drop(prompt.press(key)));
            (prompt.text().to_owned(), prompt.completions().1)
        };
        assert_eq!(press(&mut prompt, "x<BS>"), ("move ".to_owned(), None));
        assert_eq!(press(&mut prompt, "old"), ("move old".to_owned(), Some(0)));
        assert_eq!(press(&mut prompt, "<Tab>"), ("move home/Old mail".to_owned(), Some(0)));
        assert_eq!(press(&mut prompt, "<C-u>copy arch<Tab><Tab>"), ("copy home/Archive".to_owned(), Some(1)));
    }

    #[test]
    fn the_palette_finds_by_what_a_command_does_and_runs_what_is_picked() {
        let run = |keys: &str| {
            let mut prompt = Prompt::palette(Focus::List);
            let mut last = Edited::Still;
            for key in Key::sequence(keys).unwrap() {
                last = prompt.press(key);
            }
            last
        };
        assert_eq!(run("junk<Enter>"), Edited::Run("junk".to_owned()));
        assert_eq!(run("junk<Down><Enter>"), Edited::Run("go-junk".to_owned()));
        assert_eq!(run("junk<Down><Up><Enter>"), Edited::Run("junk".to_owned()));
        assert_eq!(run("mark<Space>as<Enter>"), Edited::Run("read".to_owned()));
        assert_eq!(run("nosuchthing<Enter>"), Edited::Run(String::new()));
        assert_eq!(run("<BS>"), Edited::Left);
    }

    #[test]
    fn a_paste_is_one_line_and_runs_nothing() {
        let mut prompt = Prompt::new(String::new(), Focus::List, Vec::new());
        prompt.insert("quit\n\u{1b}[A");
        assert_eq!(prompt.text(), "quit  [A");
    }
}
