//! The join: one thread per account that pulls changes into the store and pushes what is queued.

mod event;

pub use event::{AccountState, Command, Event, Progress};
