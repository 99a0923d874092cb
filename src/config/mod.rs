//! What the user wrote: accounts, keys, themes, and where files lie.

mod account;
pub mod theme;

pub use account::{Account, Leave, Protocol, SecretSource, Tls};
