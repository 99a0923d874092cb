//! Hashes headers as they come, so that a mail is known again under another name (promises P6, P7).

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{BodySink, Flow, RemoteId};
use crate::error::Result;
use crate::mime;

/// Bytes of a header that are hashed: where one is longer, all of those are.
const HEAD: usize = 1 << 20;

/// A sink for headers, or for whole messages of which the header counts.
#[derive(Debug, Default)]
pub struct HeaderHashes {
    at: Option<(RemoteId, Vec<u8>)>,
    /// The SHA-256 of each raw header block that came whole.
    pub done: HashMap<RemoteId, [u8; 32]>,
}

impl BodySink for HeaderHashes {
    fn begin(&mut self, id: &RemoteId, _: u64) -> Result<()> {
        self.at = Some((id.clone(), Vec::new()));
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
        if let Some((id, raw)) = self.at.take() {
            self.done.insert(id, Sha256::digest(mime::header_block(&raw)).into());
        }
        Ok(Flow::Continue)
    }
}
