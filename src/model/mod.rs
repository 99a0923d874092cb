//! Plain values that every floor speaks in: no I/O, no locks, no drawing.

mod about;
mod address;
mod cursor;
mod draft;
mod flags;
mod folder;
mod ids;
mod intent;
pub mod kin;
mod ledger;
mod message;
mod tag;
pub mod thread;
mod uidset;

pub use about::{About, Quota};
pub use address::{Address, is_sendable};
pub use cursor::{Cursor, Mark};
pub use draft::{Attached, AttachedFrom, Draft, Purpose};
pub use flags::{FlagDelta, Flags, Marking};
pub use folder::{Folder, Order, Owner, Role, View, check_folder_path};
pub use ids::{AccountId, DraftId, FolderId, MessageId, OpId, PlacementId, ThreadId};
pub use intent::{Intent, Outcome, Place, Target};
pub use ledger::{Matter, Reach, Settle};
pub use message::{BodyState, Envelope, Member, Row, SortKey, Summary};
pub use tag::{MUTED, check_tag, is_muted, is_same_tag, is_shown_tag};
pub use uidset::UidSet;
