//! A message on its way into a folder of a server, and how it is known again there (promise I7).

use super::FolderRef;
use crate::error::Result;
use crate::model::{Envelope, Flags};

/// A message that is to be put into a folder: all but its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Where.
    pub folder: FolderRef,
    /// Whether the folder is made where it is missing.
    pub make: bool,
    /// Its system flags.
    pub flags: Flags,
    /// Its keywords; those that the server does not keep are left out.
    pub keywords: Vec<String>,
    /// INTERNALDATE to set, Unix seconds; 0: the server takes its own time.
    pub received: i64,
    /// Bytes of the raw message.
    pub size: u64,
    /// Its header.
    pub envelope: Envelope,
    /// UIDs in the folder that are known to be other copies of the same mail.
    pub others: Vec<u32>,
}

/// How much a message that is there is like one that was to be put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Another message.
    None,
    /// The same message, of which the server touched the bytes: it added a header, changed line ends.
    Alike,
    /// The same header, byte for byte, and the same size.
    Same,
}

impl Letter {
    /// Compares with the header and the size of a message that came into the folder since the mark.
    ///
    /// Message-ID, date, sender and subject together have to be equal: anyone can write a Message-ID.
    #[must_use]
    pub fn likeness(&self, there: &Envelope, size: u64) -> Likeness {
        let here = &self.envelope;
        if here.head_hash == there.head_hash && self.size == size {
            return Likeness::Same;
        }
        let face = |e: &Envelope| (e.msgid.clone(), e.date, e.from.addr.clone(), e.subject.clone());
        let says_something = !here.msgid.is_empty() || here.date.is_some();
        if says_something && face(here) == face(there) { Likeness::Alike } else { Likeness::None }
    }
}

/// The raw bytes of a message, in pieces, so that memory never grows with it.
pub trait BodySource {
    /// Hands all of them over, from the first. May be called again.
    fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;
}

impl BodySource for &[u8] {
    fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        take(self)
    }
}
