//! Strings on a terminal: what may be shown, how wide it is, how it wraps, how a date and a size read.

pub mod amount;
mod clean;
pub mod later;
mod sieve;
pub mod subject;
pub mod when;
mod width;
pub mod wrap;

pub use clean::Clean;
pub use width::{graphemes, head, pad, pad_left, tail, truncate, truncate_with, width};
