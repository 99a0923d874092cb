//! `mailtui demo`: a mailbox to look at, with no account, no network and nothing left behind.

mod attachments;
mod compose;
mod filler;
mod letters;
mod mailbox;
mod phrases;

mod run;

pub use mailbox::World;
pub(super) use run::run;
