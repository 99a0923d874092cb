//! What the tests stand on.
#![allow(unreachable_pub, reason = "one binary: nothing of it is public, all of it is shared")]

pub mod certs;
pub mod chance;
pub mod proxy;
mod dialogue;
pub mod script;
