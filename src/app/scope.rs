//! Where the hand is: the place that has the keys, and the set of places in which a command works.

/// The place whose keys are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Focus {
    /// The folder pane.
    Folders,
    /// The list of conversations.
    List,
    /// The reader.
    Reader,
    /// The panel of attachments.
    Parts,
    /// The panel of links.
    Links,
    /// The page of what waits.
    Ledger,
    /// The page of a draft.
    Compose,
    /// The list of drafts.
    Drafts,
    /// The panel of the files of a draft.
    Files,
    /// The page of keys.
    Help,
}

impl Focus {
    /// Every place.
    pub const ALL: [Self; 10] = [
        Self::Folders,
        Self::List,
        Self::Reader,
        Self::Parts,
        Self::Links,
        Self::Ledger,
        Self::Compose,
        Self::Drafts,
        Self::Files,
        Self::Help,
    ];

    /// Its name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Folders => "Folders",
            Self::List => "List",
            Self::Reader => "Reader",
            Self::Parts => "Attachments",
            Self::Links => "Links",
            Self::Ledger => "What waits",
            Self::Compose => "Draft",
            Self::Drafts => "Drafts",
            Self::Files => "Attached files",
            Self::Help => "Help",
        }
    }
}

/// A set of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(u16);

impl Scope {
    /// The folder pane.
    pub const FOLDERS: Self = Self(1);
    /// The list.
    pub const LIST: Self = Self(2);
    /// The reader.
    pub const READER: Self = Self(4);
    /// The panel of attachments.
    pub const PARTS: Self = Self(8);
    /// The page of keys.
    pub const HELP: Self = Self(16);
    /// The page of what waits.
    pub const LEDGER: Self = Self(32);
    /// The panel of links.
    pub const LINKS: Self = Self(64);
    /// The page of a draft.
    pub const COMPOSE: Self = Self(128);
    /// The list of drafts.
    pub const DRAFTS: Self = Self(256);
    /// The panel of the files of a draft.
    pub const FILES: Self = Self(512);
    /// The three panes.
    pub const PANES: Self = Self(7);
    /// Every place.
    pub const ALL: Self = Self(1023);

    /// The places of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a command with this scope works there.
    #[must_use]
    pub fn covers(self, focus: Focus) -> bool {
        let bit = match focus {
            Focus::Folders => Self::FOLDERS,
            Focus::List => Self::LIST,
            Focus::Reader => Self::READER,
            Focus::Parts => Self::PARTS,
            Focus::Links => Self::LINKS,
            Focus::Ledger => Self::LEDGER,
            Focus::Compose => Self::COMPOSE,
            Focus::Drafts => Self::DRAFTS,
            Focus::Files => Self::FILES,
            Focus::Help => Self::HELP,
        };
        self.0 & bit.0 != 0
    }
}
