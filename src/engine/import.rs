//! Puts mail of files into an account whose truth is here: in durable batches, each mail once.

use std::collections::HashMap;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::account::now;
use super::press::{Press, Target};
use super::pull::arrival;
use crate::error::Result;
use crate::mime;
use crate::model::{AccountId, Flags, FolderId};
use crate::store::{Incoming, Reader, Store};

/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// A mail as it lies in a file, beside its bytes.
#[derive(Debug, Clone)]
pub struct Filed {
    /// What makes it this mail, whatever programs remember in its header: as a rule the SHA-256 of its bytes.
    pub identity: [u8; 32],
    /// What programs remember of it.
    pub flags: Flags,
    /// The tags on it.
    pub keywords: Vec<String>,
    /// When it came.
    pub came: Came,
}

/// When a mail came, Unix seconds, as its file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// As it was known where it was before.
    At(i64),
    /// Its header knows better, where it says anything of that.
    About(Option<i64>),
    /// When the file was written: for mail that says nothing of time at all.
    Written(Option<i64>),
}

/// What became of a mail of a file.
#[derive(Debug)]
pub enum Taken {
    /// It is taken in.
    New,
    /// It came in before, to the folder of this path, and may be elsewhere or deleted now.
    Known,
    /// It could not be read to its end, and is not here.
    Unread(io::Error),
}

/// Takes mail of files into one account.
#[derive(Debug)]
pub struct Import<'a> {
    press: Press<'a>,
    reader: &'a Reader,
    account: AccountId,
    /// How many of a kind came in this run: who has a mail twice has it twice here. Half of a hash is enough to know it by.
    alike: HashMap<u128, u32>,
    piece: Vec<u8>,
    now: i64,
}

impl<'a> Import<'a> {
    /// Into this account of the store.
    pub fn new(store: &'a Store, reader: &'a Reader, account: AccountId) -> Result<Self> {
        Ok(Self {
            press: Press::new(store, account)?,
            reader,
            account,
            alike: HashMap::new(),
            piece: vec![0; PIECE],
            now: now(),
        })
    }

    /// Takes in a mail, piece by piece.
    pub fn take(
        &mut self,
        (folder, path): (FolderId, &str),
        mail: &Filed,
        raw: &mut dyn Read,
    ) -> Result<Taken> {
        let place: [u8; 32] =
            Sha256::new().chain_update(path).chain_update([0]).chain_update(mail.identity).finalize().into();
        let half = place.iter().take(16).fold(0, |all, byte| all << 8 | u128::from(*byte));
        let nth = self.alike.entry(half).or_default();
        *nth += 1;
        let name: String = place.iter().map(|b| format!("{b:02x}")).collect();
        let name = format!("file:{name}.{nth}");
        // No other of this run has its name, so what is not committed yet does not matter.
        if self.reader.has_uidl(self.account, &name)? {
            return Ok(Taken::Known);
        }
        let now = self.now;
        let target = |first: &[u8]| {
            let head = mime::header_block(first);
            let envelope = mime::envelope(head);
            let told = |told: Option<i64>| arrival(told.unwrap_or(0), head, envelope.date, now);
            let received = match mail.came {
                Came::At(at) => at,
                Came::About(at) => told(mime::received(head).or(at).or(envelope.date)),
                Came::Written(at) => told(mime::received(head).or(envelope.date).or(at)),
            };
            Target::Mail(Box::new(Incoming {
                folder,
                uid: None,
                uidl: Some(name.clone()),
                remote_id: None,
                flags: mail.flags,
                keywords: mail.keywords.clone(),
                size: 0,
                received,
                internal: 0,
                envelope,
                body: None,
            }))
        };
        self.press.begin();
        loop {
            match raw.read(&mut self.piece) {
                Ok(0) => break,
                Ok(count) => self.press.data(&self.piece[..count], &target)?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Ok(Taken::Unread(e)),
            }
        }
        self.press.end(&target)?;
        Ok(Taken::New)
    }

    /// Returns when all that was taken in is durable.
    pub fn finish(mut self) -> Result<()> {
        self.press.out.settle()
    }
}
