//! From the bytes of a mail to its row in the outbox (promise O1): frozen, durable, due.

use crate::compose::{is_eight_bit, with_line_ends};
use crate::config::Account;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, Address, DraftId, MessageId, is_sendable};
use crate::store::outbox::Frozen;
use crate::store::{Packed, Packer, Store};
use crate::text::Clean;

/// A mail that is to go out as it is.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    /// Its bytes; line ends become those of the wire.
    pub raw: Vec<u8>,
    /// Where reports go; empty: nowhere.
    pub from: String,
    /// To whom, Bcc with them.
    pub to: Vec<Address>,
    /// The mail that it answers.
    pub answers: Option<MessageId>,
    /// Not before this, Unix time.
    pub send_at: i64,
    /// The draft that it was made of, and its version.
    pub draft: Option<(DraftId, u64)>,
}

/// Puts a mail into the outbox of an account; its row. It is durable when this returns.
///
/// # Errors
/// [`Kind::Config`] where there is no way out, no recipient, or one that is no address: then nothing is kept.
pub fn freeze(store: &Store, account: &Account, id: AccountId, mail: Mail) -> Result<i64> {
    if account.sending.way.is_none() {
        let text = format!("the account {} has no server for sending", Clean::line(&account.name));
        let hint = format!("add [accounts.{}.smtp] with host = \"…\"", Clean::line(&account.name));
        return Err(Error::new(Kind::Config, text).hint(hint));
    }
    if mail.to.is_empty() {
        return Err(Error::new(Kind::Config, "the mail has no recipient"));
    }
    if let Some(bad) = mail.to.iter().find(|who| !is_sendable(&who.addr)) {
        let bad = Clean::line(&bad.addr);
        return Err(Error::new(Kind::Config, format!("{bad} is not an address that mail can be sent to")));
    }
    let raw = with_line_ends(&mail.raw);
    store.post(Frozen {
        account: id,
        envelope: mime::envelope(mime::header_block(&raw)),
        body: packed(&raw)?,
        from: mail.from,
        to: mail.to,
        answers: mail.answers,
        send_at: mail.send_at,
        eight_bit: is_eight_bit(&raw),
        files: account.copies_sent(),
        draft: mail.draft,
    })
}

/// The bytes of a mail as the store keeps them.
pub(super) fn packed(raw: &[u8]) -> Result<Packed> {
    let facts = mime::facts(raw);
    let mut packer = Packer::new()?;
    let mut chunks = packer.push(raw)?;
    let (last, size, sha256) = packer.finish()?;
    chunks.extend(last);
    Ok(Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments })
}
