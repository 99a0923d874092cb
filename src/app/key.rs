//! Keys as they are typed and as they are written: `j`, `<C-d>`, `<S-Tab>`, `gg`.

use std::fmt;

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Control.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

/// A key without its modifiers. Shift is part of the character; Shift-Tab is a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A character, as it would be inserted.
    Char(char),
    /// Enter or Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// F1 to F24.
    F(u8),
}

/// The names of keys between `<` and `>`; the first of a key is how it is printed.
const NAMES: &[(&str, Code)] = &[
    ("Enter", Code::Enter),
    ("CR", Code::Enter),
    ("Esc", Code::Esc),
    ("Tab", Code::Tab),
    ("S-Tab", Code::BackTab),
    ("Space", Code::Char(' ')),
    ("lt", Code::Char('<')),
    ("BS", Code::Backspace),
    ("Del", Code::Delete),
    ("Insert", Code::Insert),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PgUp", Code::PageUp),
    ("PageUp", Code::PageUp),
    ("PgDn", Code::PageDown),
    ("PageDown", Code::PageDown),
];

impl Key {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with Control.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false }
    }

    /// The character it inserts, if it inserts one.
    #[must_use]
    pub fn text(self) -> Option<char> {
        match self {
            Self { code: Code::Char(c), ctrl: false, alt: false } => Some(c),
            _ => None,
        }
    }

    /// Reads one key as written between `<` and `>`, without them: `C-d`, `S-Tab`, `F5`.
    fn named(name: &str) -> Option<Self> {
        if let Some((_, code)) = NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            return Some(Self::plain(*code));
        }
        if let Some(rest) = name.strip_prefix("C-") {
            return Self::named_or_char(rest).map(|key| Self { ctrl: true, ..key });
        }
        if let Some(rest) = name.strip_prefix("A-") {
            return Self::named_or_char(rest).map(|key| Self { alt: true, ..key });
        }
        let number = name.strip_prefix(['F', 'f'])?.parse().ok()?;
        (1..=24).contains(&number).then_some(Self::plain(Code::F(number)))
    }

    fn named_or_char(name: &str) -> Option<Self> {
        let mut chars = name.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Some(Self::char(c)),
            _ => Self::named(name),
        }
    }

    /// Reads a sequence as it is typed: `gg`, `<C-d>`, `g<Space>`. The error names what is not a key.
    pub fn sequence(written: &str) -> Result<Vec<Self>, String> {
        let mut keys = Vec::new();
        let mut rest = written;
        while let Some(c) = rest.chars().next() {
            if c == '<' {
                let end = rest.find('>').ok_or_else(|| format!("`{rest}` lacks its `>`"))?;
                let name = &rest[1..end];
                keys.push(Self::named(name).ok_or_else(|| format!("there is no key `<{name}>`"))?);
                rest = &rest[end + 1..];
            } else if c.is_control() {
                return Err("a key is written as `<Name>`, not as a control character".to_owned());
            } else {
                keys.push(Self::char(c));
                rest = &rest[c.len_utf8()..];
            }
        }
        if keys.is_empty() { Err("no key is written".to_owned()) } else { Ok(keys) }
    }

    /// A sequence for people: without brackets where it is one key, `C-d`, `Enter`, `gg`.
    #[must_use]
    pub fn label(keys: &[Self]) -> String {
        match keys {
            [one] if one.text() == Some('<') => "<".to_owned(),
            [one] => one.to_string().trim_start_matches('<').trim_end_matches('>').to_owned(),
            _ => Self::print(keys),
        }
    }

    /// Prints a sequence so that [`Key::sequence`] reads it back.
    #[must_use]
    pub fn print(keys: &[Self]) -> String {
        keys.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(c) = self.text()
            && c != ' '
            && c != '<'
        {
            return write!(f, "{c}");
        }
        f.write_str("<")?;
        if self.ctrl {
            f.write_str("C-")?;
        }
        if self.alt {
            f.write_str("A-")?;
        }
        match (self.code, NAMES.iter().find(|(_, code)| *code == self.code)) {
            (_, Some((name, _))) => f.write_str(name)?,
            (Code::Char(c), None) => write!(f, "{c}")?,
            (Code::F(n), None) => write!(f, "F{n}")?,
            (_, None) => {}
        }
        f.write_str(">")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_hands_type() {
        assert_eq!(Key::sequence("gg").unwrap(), [Key::char('g'), Key::char('g')]);
        assert_eq!(Key::sequence("<C-d>").unwrap(), [Key::ctrl('d')]);
        assert_eq!(Key::sequence("<s-tab>").unwrap(), [Key::plain(Code::BackTab)]);
        assert_eq!(Key::sequence("g<Space><lt>").unwrap(), [Key::char('g'), Key::char(' '), Key::char('<')]);
        assert_eq!(Key::sequence("<F5>").unwrap(), [Key::plain(Code::F(5))]);
        assert!(Key::sequence("<Hyper-x>").unwrap_err().contains("<Hyper-x>"));
        assert!(Key::sequence("<C-d").is_err());
        assert!(Key::sequence("").is_err());
    }

    fn any_key() -> impl Strategy<Value = Key> {
        let named = prop::sample::select(NAMES.iter().map(|(_, code)| *code).collect::<Vec<_>>());
        let code = prop_oneof![
            any::<char>()
                .prop_filter("a character that keys insert", |c| !c.is_control())
                .prop_map(Code::Char),
            named,
            (1u8..=24).prop_map(Code::F),
        ];
        (code, any::<bool>(), any::<bool>()).prop_map(|(code, ctrl, alt)| Key { code, ctrl, alt })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(keys in prop::collection::vec(any_key(), 1..5)) {
            // `>` with a modifier would end its own brackets.
            prop_assume!(keys.iter().all(|k| k.code != Code::Char('>') || k.text().is_some()));
            prop_assert_eq!(Key::sequence(&Key::print(&keys)).unwrap(), keys);
        }
    }
}
