//! Messages: parsing, decoding, rendering; nothing here trusts what it reads.
//!
//! No function of this module fails or panics on what a mail holds, and each takes time that grows with
//! its size only: what cannot be read is shown raw.

mod address;
mod body;
mod charset;
mod date;
mod envelope;
mod facts;
mod header;
mod markup;
mod params;
mod parts;
mod purpose;
mod transfer;
mod words;

pub use envelope::{envelope, received};
pub use facts::{Facts, facts};
pub use header::header_block;
