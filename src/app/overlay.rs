//! What stands over the panes and has the keys: panels, the command line, questions.

use super::compose;
use super::give::Said;
use super::prompt::Prompt;
use super::quick::Quick;
use super::scope::Focus;
use super::triage::Deed;
use crate::text::Clean;

/// What stands over the panes and has the keys.
#[derive(Debug)]
pub enum Overlay {
    /// The keys of a place, scrolled down by so many lines.
    Help(Focus, usize),
    /// The attachments of the mail that is shown, and which one the cursor is on.
    Parts(usize),
    /// The links of the mail that is shown, and which one the cursor is on.
    Links(usize),
    /// The files that come with a draft, and which one the cursor is on.
    Files(usize),
    /// Nothing but the mail, for selecting by hand with what the terminal has for that (promise A12).
    Bare,
    /// What a program said, or the text of a file.
    Said(Said),
    /// The command line.
    Prompt(Prompt),
    /// A quick answer, written under the mail.
    Quick(Box<Quick>),
    /// A question that wants a yes.
    Ask(Question),
    /// The user quit, and these mails of the outbox are sent first (promise O7).
    Leaving(Vec<i64>),
}

/// Something that is done only after a yes.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub text: Clean,
    /// What a yes does.
    pub(crate) yes: Yes,
}

/// What a yes does.
#[derive(Debug)]
pub(crate) enum Yes {
    /// Something to mail.
    Do(Deed),
    /// Something that sends mail.
    Send(Box<compose::Deed>),
}
