//! One raw mail after another, in pieces, into the store: hashed and packed on the way, never held whole.

use super::pull::Outgoing;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, MessageId};
use crate::store::{Batch, Incoming, Packed, Packer, Step, Store};

/// Where a mail goes, told from its first MiB, as far as it came.
pub(super) enum Target {
    /// To a row that is there.
    Body(MessageId),
    /// To one of its own. Its size counts only until all of it is here.
    Mail(Box<Incoming>),
}

/// Takes mails in pieces.
#[derive(Debug)]
pub(super) struct Press<'a> {
    store: &'a Store,
    account: AccountId,
    pub(super) out: Outgoing<'a>,
    packer: Packer,
    /// The row of the mail that is coming, once a first chunk had to be written.
    row: Option<MessageId>,
}

impl<'a> Press<'a> {
    /// Into this account.
    pub(super) fn new(store: &'a Store, account: AccountId) -> Result<Self> {
        Ok(Self { store, account, out: Outgoing::new(store, account), packer: Packer::new()?, row: None })
    }

    /// Another mail begins; what did not become whole before it is forgotten.
    pub(super) fn begin(&mut self) {
        self.packer.reset();
        self.row = None;
    }

    /// The next bytes of it.
    pub(super) fn data(&mut self, bytes: &[u8], whose: &dyn Fn(&[u8]) -> Target) -> Result<()> {
        for chunk in self.packer.push(bytes)? {
            let message = match self.row {
                Some(row) => row,
                None => {
                    let row = match whose(self.packer.beginning()) {
                        Target::Body(message) => message,
                        Target::Mail(incoming) => self.stage(incoming)?,
                    };
                    self.row = Some(row);
                    row
                }
            };
            self.out.push(Step::Part { message, chunk })?;
        }
        Ok(())
    }

    fn stage(&mut self, incoming: Box<Incoming>) -> Result<MessageId> {
        // What is staged replaces what an earlier attempt at the same mail left: one just like it that is whole
        // has to have landed before.
        self.out.send()?;
        let committed =
            self.store.commit(Batch { account: self.account, steps: vec![Step::Stage(incoming)] })?;
        committed
            .messages
            .first()
            .copied()
            .ok_or_else(|| Error::new(Kind::Bug, "the store did not answer with a row"))
    }

    /// It is whole.
    pub(super) fn end(&mut self, whose: &dyn Fn(&[u8]) -> Target) -> Result<()> {
        let first = self.packer.beginning();
        let facts = mime::facts(first);
        // Before its mail: what is marked twice is marked once.
        let reported = super::report::step(first);
        let target = whose(first);
        let (chunks, size, sha256) = self.packer.finish()?;
        let body = Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments };
        let step = match target {
            Target::Body(message) => Step::Body { message, body },
            Target::Mail(mut incoming) => {
                (incoming.size, incoming.body) = (size, Some(body));
                match self.row.take() {
                    None => Step::Message(incoming),
                    Some(message) => Step::Land { message, incoming },
                }
            }
        };
        self.row = None;
        reported.map_or(Ok(()), |reported| self.out.push(reported))?;
        self.out.push(step)
    }
}
