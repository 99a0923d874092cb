//! mailtui: a mail client for the terminal, POP3 and IMAP over one local store.
//!
//! The modules are listed in the order of their floors; each uses those above it in this list only
//! (`tests/it/floors.rs` checks it). See ARCHITECTURE.md.
#![forbid(unsafe_code)]
// They panic when nobody can be told: a full disk, a terminal that is gone.
#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod error;
// Floor 0: plain values.
pub mod model;
pub mod text;
// Floor 1: what the user wrote, secrets, bytes, messages read and written.
pub mod compose;
pub mod config;
pub mod mime;
pub mod net;
pub mod secret;
// Floor 2: servers, the store.
pub mod protocol;
pub mod store;
// Floor 3: the join.
pub mod engine;
// Floor 4: what the user is doing.
pub mod app;
// Floor 5: drawing.
pub mod ui;
// Floor 6: threads, the terminal, the command line.
pub mod cli;
pub mod runtime;

pub use error::{Error, Kind, Result};
