//! Messages that share a name in one listing (promise P7): told apart by their headers, never deleted.

use std::collections::HashMap;

use super::Session;
use crate::error::Result;
use crate::protocol::twin::twin;
use crate::protocol::{HeaderHashes, RemoteId};

/// The messages that share their name with another.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// By number: the SHA-256 of the raw header block. What the server does not show the header of is missing.
    pub(super) heads: HashMap<u32, [u8; 32]>,
    /// By name and header; what has the same header as well is the same mail.
    pub(super) by_name: HashMap<String, u32>,
}

impl Session {
    /// Looks at the headers of all messages that share their name with another, once in a session.
    pub(super) fn tell_twins_apart(&mut self) -> Result<()> {
        self.list()?;
        if self.twins.is_some() {
            return Ok(());
        }
        let Some(listing) = &self.listing else { return Ok(()) };
        // Where the server has no names, what has the same header and size has the same name: one mail.
        let numbers: Vec<u32> = match self.named {
            true => {
                listing.entries.iter().filter(|e| !listing.is_single(&e.uidl)).map(|e| e.number).collect()
            }
            false => Vec::new(),
        };
        let ids: Vec<RemoteId> = numbers.iter().map(|number| RemoteId::Uidl(number.to_string())).collect();
        let all: Vec<(&RemoteId, u32, u64)> = ids.iter().zip(&numbers).map(|(id, n)| (id, *n, 0)).collect();
        let mut heads = HeaderHashes::default();
        self.top_all(&all, &mut heads)?;
        let heads: HashMap<u32, [u8; 32]> = ids
            .iter()
            .zip(numbers)
            .filter_map(|(id, number)| Some((number, heads.done.remove(id)?)))
            .collect();
        let Some(listing) = &self.listing else { return Ok(()) };
        let twins = listing.entries.iter().rev().filter_map(|entry| {
            let head = heads.get(&entry.number)?;
            Some((twin(&entry.uidl, head), entry.number))
        });
        // Of several the newest, which comes first.
        let by_name = twins.collect();
        self.twins = Some(Twins { heads, by_name });
        Ok(())
    }
}
