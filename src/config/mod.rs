//! What the user wrote: accounts, keys, themes, and where files lie.

mod account;

pub use account::{Account, Leave, Protocol, SecretSource, Tls};
