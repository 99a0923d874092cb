//! Bytes: connections with limits, deadlines and a way to interrupt them.

mod interrupt;

pub use interrupt::Interrupt;
