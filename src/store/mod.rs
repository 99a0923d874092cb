//! The shared local message store: one SQLite file, one thread that writes, readers of their own.
//!
//! Every SQL statement of the program is in this folder.

mod batch;

pub use batch::{
    Batch, Changed, Chunk, Committed, FolderSpec, Incoming, Op, OpItem, OpKind, Packed, Step, WantedBody,
};
