//! Puts mail of files into an account whose truth is here: in durable batches, each mail once.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::account::now;
use super::pull::{Outgoing, arrival};
use crate::error::Result;
use crate::mime;
use crate::model::{AccountId, Flags, FolderId};
use crate::store::{Incoming, Packed, Packer, Reader, Step, Store};

/// A mail as it lies in a file.
#[derive(Debug)]
pub struct Filed {
    /// All its bytes.
    pub raw: Vec<u8>,
    /// What makes it this mail, whatever programs remember in its header; `None`: its bytes do.
    pub identity: Option<[u8; 32]>,
    /// What programs remember of it.
    pub flags: Flags,
    /// When it came, Unix seconds, where the file says so better than its header.
    pub came: Option<i64>,
    /// When its file was written: for mail that says nothing of time at all.
    pub written: Option<i64>,
}

/// Takes mail of files into one account.
#[derive(Debug)]
pub struct Import<'a> {
    out: Outgoing<'a>,
    packer: Packer,
    /// What was ever taken in.
    known: HashSet<String>,
    /// How many of a kind came in this run: who has a mail twice has it twice here.
    alike: HashMap<[u8; 32], u32>,
    now: i64,
}

impl<'a> Import<'a> {
    /// Into this account of the store.
    pub fn new(store: &'a Store, reader: &Reader, account: AccountId) -> Result<Self> {
        Ok(Self {
            out: Outgoing::new(store, account),
            packer: Packer::new()?,
            known: reader.uidls(account)?,
            alike: HashMap::new(),
            now: now(),
        })
    }

    /// Takes in a mail; false: it came in before, to the folder of this path, and may be elsewhere or deleted now.
    pub fn take(&mut self, folder: FolderId, path: &str, mail: &Filed) -> Result<bool> {
        let own = mail.identity.unwrap_or_else(|| Sha256::digest(&mail.raw).into());
        let place: [u8; 32] =
            Sha256::new().chain_update(path).chain_update([0]).chain_update(own).finalize().into();
        let nth = self.alike.entry(place).or_default();
        *nth += 1;
        let name: String = place.iter().map(|b| format!("{b:02x}")).collect();
        let name = format!("file:{name}.{nth}");
        if !self.known.insert(name.clone()) {
            return Ok(false);
        }
        let head = mime::header_block(&mail.raw);
        let envelope = mime::envelope(head);
        let told = mime::received(head).or(mail.came).or(envelope.date).or(mail.written);
        let facts = mime::facts(&mail.raw);
        let mut chunks = self.packer.push(&mail.raw)?;
        let (last, size, sha256) = self.packer.finish()?;
        chunks.extend(last);
        let body = Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments };
        self.out.push(Step::Message(Box::new(Incoming {
            folder,
            uid: None,
            uidl: Some(name),
            remote_id: None,
            flags: mail.flags,
            keywords: Vec::new(),
            size,
            received: arrival(told.unwrap_or(0), head, envelope.date, self.now),
            internal: 0,
            envelope,
            body: Some(body),
        })))?;
        Ok(true)
    }

    /// Returns when all that was taken in is durable.
    pub fn finish(mut self) -> Result<()> {
        self.out.settle()
    }
}
