//! The shared local message store: one SQLite file, one thread that writes, readers of their own.
//!
//! Every SQL statement of the program is in this folder, written in `sql!`, so that a test can look at the
//! plan of each. Content (`messages`) and place (`placements`) are two tables: a mail is held once however
//! many folders show it. All writing goes through [`Store`] to one thread, which commits and then tells
//! everyone what changed; a [`Reader`] is a connection of one's own that keeps nothing open between calls.

mod about;
mod acts;
mod addresses;
mod batch;
mod binned;
mod bodies;
mod book;
mod carry;
mod check;
mod claim;
mod cleanup;
mod db;
mod deeds;
mod discard;
mod draft_copies;
mod drafts;
mod effects;
mod far;
mod fault;
mod flags;
mod folders;
mod follow;
mod freeze;
mod gather;
mod guard;
mod handle;
mod health;
mod home;
mod inbox;
mod intents;
mod join;
mod keep;
mod labels;
mod leaving;
mod ledger;
mod letterbox;
mod list;
mod lock;
mod maildrop;
mod marks;
mod messages;
mod migrate;
mod mute;
mod open;
mod ops;
mod order;
pub mod outbox;
mod pack;
mod peers;
mod pieces;
mod places;
mod pop;
mod queue;
mod ranks;
mod reader;
mod records;
mod renaming;
mod reported;
mod reshape;
mod rethread;
mod room;
mod roster;
mod settle;
mod shape;
mod shaping;
mod sign_in;
mod snooze;
mod tags;
mod threads;
mod twins;
mod tx;
mod undo;
mod unread;
mod unread_rows;
mod views;
mod wishes;
mod writer;

#[cfg(test)]
mod failing;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod testing;

pub use addresses::Known;
pub use batch::{
    Batch, Changed, Chunk, Committed, Fares, FolderSpec, FolderState, Incoming, Maildrop, Packed, Step,
    WantedBody,
};
pub use binned::Binned;
pub use carry::{Carried, Leg};
pub use claim::{AccountLock, Holder, Locked, PostLock, PostLocked};
pub use cleanup::Cleanable;
pub use draft_copies::{Adopted, DraftCopy, Foreign};
pub use drafts::Kept;
pub use gather::{Extent, Gathered};
pub use handle::{Pending, Store};
pub use health::Health;
pub use intents::NO_CHANGE;
pub use keep::{Keep, KeepMark};
pub use leaving::{HELD, Leaving, Stage};
pub use ledger::{Bookmark, Entry, Standing, Waiting};
pub use letterbox::PopPolicy;
pub use list::{Edge, Page};
pub use maildrop::{Lives, MaildropRow};
pub use order::{Op, OpItem, OpKind, Parcel, Posting};
pub use pack::Packer;
pub use queue::Conflict;
pub use ranks::Ranks;
pub use reader::{AccountRow, Doubt, Reader};
pub use records::Record;
pub use renaming::NewName;
pub use reported::{DELAYED, UNDELIVERED};
pub use room::Room;
pub use roster::{Holding, Named, Renamed};
pub use sign_in::{Refusal, SignIns};
pub use wishes::Wish;
