//! Strings on a terminal: what may be shown, how wide it is, how it wraps, how a date reads.

mod clean;

pub use clean::Clean;
