//! What the tests stand on.
#![allow(unreachable_pub, reason = "one binary: nothing of it is public, all of it is shared")]

pub mod bench;
pub mod certs;
pub mod chance;
pub mod client;
pub mod cyrus;
pub mod desk;
mod dialogue;
pub mod dovecot;
pub mod drive;
pub mod hoodiecrow;
pub mod imap;
pub mod invariants;
pub mod mail;
pub mod mta;
pub mod office;
pub mod outside;
pub mod pair;
pub mod post;
pub mod proxy;
pub mod pymap;
pub mod room;
pub mod scene;
pub mod script;
pub mod seed;
pub mod whim;
pub mod world;
