//! Threads and the terminal: the loop that joins keys, the store and the engines to the screen.

mod decode;
mod desk;
mod editor;
mod give;
mod inbox;
mod input;
mod lend;
mod loads;
mod lookup;
mod show;
mod signals;
mod terminal;
mod vt;
mod work;

pub use decode::Input;
pub use desk::Desk;
pub use inbox::{Inbox, Wakeup};
pub use show::{Ended, Session, run, run_on, snapshot};
pub use terminal::Stage;
