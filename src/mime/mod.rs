//! Messages: parsing, decoding, rendering; nothing here trusts what it reads.
//!
//! No function of this module fails or panics on what a mail holds, and each takes time that grows with
//! its size only: what cannot be read is shown raw.
//!
//! The parsing is our own. What makes mail hard is not its grammar but what is sent instead: boundaries that
//! begin alike, nesting without end, labels that lie, eight-bit text in quoted-printable.

mod address;
mod addresses;
mod body;
mod charset;
mod code;
mod date;
mod diff;
mod document;
mod element;
mod enclosed;
mod envelope;
mod escape;
mod facts;
mod header;
mod html;
mod imprint;
mod links;
mod markup;
mod mbox;
mod mboxrd;
mod media;
mod name;
mod params;
mod parts;
mod plain;
mod postmark;
mod purpose;
mod rejoin;
mod render;
mod report;
mod said;
mod tidy;
mod transfer;
mod words;

pub use addresses::{addresses, field_text, has_field, people, typed, without_field};
pub use code::code;
pub use document::{Document, Part, PartKind, Person, open, part, part_as_mail};
pub use enclosed::Enclosed;
pub use envelope::{envelope, envelope_sender, received};
pub use facts::{Facts, facts};
pub use header::header_block;
pub use imprint::{Imprint, unmarked};
pub use mbox::Mbox;
pub use mboxrd::{Quoting, Unquoting};
pub use name::safe_file_name;
pub use render::{Line, RenderOptions, Rendered, Role, Span, render, source};
pub use report::{Ending, Fate, Report, report};
