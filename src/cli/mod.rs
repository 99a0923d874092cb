//! The command line: one verb each.

pub mod demo;
