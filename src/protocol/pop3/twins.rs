//! Messages that share a name in one listing (promise P7): told apart by their headers, never deleted.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::Session;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::protocol::twin::twin;
use crate::protocol::{BodySink, Flow, RemoteId};

/// Bytes of a header that are hashed: where one is longer, all of those are.
const HEAD: usize = 1 << 20;

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
        let mut heads = Hashes::default();
        self.top_all(&all, &mut heads)?;
        let Some(listing) = &self.listing else { return Ok(()) };
        let twins = listing.entries.iter().rev().filter_map(|entry| {
            let head = heads.done.get(&entry.number)?;
            Some((twin(&entry.uidl, head), entry.number))
        });
        // Of several the newest, which comes first.
        let by_name = twins.collect();
        self.twins = Some(Twins { heads: heads.done, by_name });
        Ok(())
    }
}

/// Hashes headers as they come.
#[derive(Default)]
pub(super) struct Hashes {
    at: Option<(u32, Vec<u8>)>,
    /// By the number that the sink was told as a name.
    pub(super) done: HashMap<u32, [u8; 32]>,
}

impl BodySink for Hashes {
    fn begin(&mut self, id: &RemoteId, _: u64) -> Result<()> {
        let RemoteId::Uidl(number) = id else { return Ok(()) };
        let number = number.parse().map_err(|e| Error::new(Kind::Bug, "a number was lost").because(e))?;
        self.at = Some((number, Vec::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some((_, head)) = &mut self.at {
            let room = HEAD.saturating_sub(head.len()).min(bytes.len());
            head.extend_from_slice(&bytes[..room]);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Flow> {
        if let Some((number, raw)) = self.at.take() {
            self.done.insert(number, Sha256::digest(mime::header_block(&raw)).into());
        }
        Ok(Flow::Continue)
    }
}
