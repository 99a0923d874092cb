//! `[compose]`: how mail is written, and what is looked at before it is sent.

use std::time::Duration;

/// `[compose]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// How long a mail that was sent waits, so that it can be taken back (promise O1).
    pub undo_send: Duration,
    /// The editor, a shell command; `None`: $VISUAL, $EDITOR, or vi.
    pub editor: Option<String>,
    /// Where it runs.
    pub editor_in: EditorIn,
    /// Whether the fields of the header are in the text that it is given.
    pub edit_headers: bool,
    /// A shell command that knows addresses: it is given what was typed, and prints lines `address TAB name`.
    pub address_command: Option<String>,
    /// What is looked at before a mail is sent (promise O6).
    pub check: Vec<Warning>,
    /// Words in a text that speak of an attachment, beside those that are known.
    pub attachment_words: Vec<String>,
}

impl Default for Writing {
    fn default() -> Self {
        Self {
            undo_send: Duration::from_secs(10),
            editor: None,
            editor_in: EditorIn::default(),
            edit_headers: false,
            address_command: None,
            check: Warning::NAMES.map(|(_, warning)| warning).to_vec(),
            attachment_words: Vec::new(),
        }
    }
}

/// Where the editor runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EditorIn {
    /// On this terminal, in the place of the screen.
    #[default]
    Here,
    /// Beside the screen, where it runs in tmux; else here.
    Tmux,
    /// In what this shell command opens: it is given the editor's command line.
    Command(String),
}

/// What a look at a mail before it is sent may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// The text speaks of an attachment, and there is none.
    Attachment,
    /// There is no subject.
    Subject,
    /// An answer to all goes to a list.
    List,
    /// An address that was never written to looks like one that was.
    Stranger,
}

impl Warning {
    /// What each is called in the configuration.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("attachment", Self::Attachment),
        ("subject", Self::Subject),
        ("list", Self::List),
        ("stranger", Self::Stranger),
    ];
}
