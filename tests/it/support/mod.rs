//! What the tests stand on.

pub mod certs;
pub mod script;
