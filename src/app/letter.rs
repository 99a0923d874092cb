//! A mail laid out for the reader: made off the thread of the screen, kept while it may be wanted again.

use super::effect::Wish;
use crate::mime::Line;
use crate::model::BodyState;
use crate::store::Lives;
use crate::text::Clean;

/// A mail, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What was asked for.
    pub wish: Wish,
    /// Its text.
    pub lines: Vec<Line>,
    /// What is odd about who sent it: said beside the sender, never in the text (promise X6).
    pub warnings: Vec<Clean>,
    /// Its attachments.
    pub chips: Vec<Chip>,
    /// Its links, each once, in the order of the text.
    pub links: Vec<Link>,
    /// To whom.
    pub to: Vec<Whom>,
    /// To whom else.
    pub cc: Vec<Whom>,
    /// Whether there is both an HTML and a plain text.
    pub has_choice: bool,
    /// How much of the mail was here.
    pub body: BodyState,
    /// Where it lives, of an account whose server is a letter box.
    pub lives: Option<Lives>,
}

impl Letter {
    /// Only lines: of a mail that is not here yet, or as it came.
    #[must_use]
    pub fn of_lines(wish: Wish, lines: Vec<Line>, body: BodyState) -> Self {
        let (warnings, chips, links) = (Vec::new(), Vec::new(), Vec::new());
        let (to, cc) = (Vec::new(), Vec::new());
        Self { wish, lines, warnings, chips, links, to, cc, has_choice: false, body, lives: None }
    }
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in the text.
    pub number: usize,
    /// What stands there for it.
    pub text: Clean,
    /// Where it leads.
    pub url: Clean,
}

/// Somebody to whom a mail went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    /// What to call them.
    pub name: Clean,
    /// Their address.
    pub addr: Clean,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// Its number among the parts of the mail.
    pub part: usize,
    /// Its name.
    pub name: Clean,
    /// What it is, for people: `PDF`, `picture`.
    pub kind: Clean,
    /// Bytes, decoded.
    pub size: u64,
}
