//! Bytes: connections with limits, deadlines, certificate checks and a way to interrupt them.

mod certificate;
mod channel;
mod connect;
mod deflate;
mod dial;
mod interrupt;
mod socket;
mod std_io;
mod tls;
mod transcript;
mod trust;
mod wire;

pub use certificate::Certificate;
pub use dial::DialOptions;
pub use interrupt::{Guard, Interrupt};
pub use std_io::error_of;
pub use transcript::{Line, Side, Transcript};
pub use wire::{Counters, LINE_LIMIT, Ready, Taken, Wire};
