//! From a draft to the mail that it means.

use super::{Attachment, Letter};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{Address, Draft, is_sendable};
use crate::text::Clean;

/// What a draft means, with the bytes of its attachments. To be built, and sent where it has a recipient.
///
/// # Errors
/// [`Kind::Config`] for a field whose text is no address, or more than one in From.
pub fn letter(draft: &Draft, attachments: Vec<Attachment>) -> Result<Letter> {
    let mut from = people("From", &draft.from)?.into_iter();
    let (Some(who), None) = (from.next(), from.next()) else {
        return Err(Error::new(Kind::Config, "From must be one address"));
    };
    Ok(Letter {
        from: who,
        to: people("To", &draft.to)?,
        cc: people("Cc", &draft.cc)?,
        bcc: people("Bcc", &draft.bcc)?,
        subject: draft.subject.clone(),
        text: draft.body.clone(),
        in_reply_to: draft.in_reply_to.clone(),
        references: draft.references.clone(),
        attachments,
    })
}

/// The addresses of a field as it was typed.
///
/// # Errors
/// [`Kind::Config`] for a piece of it that is no address: nobody is left out in silence.
pub fn people(name: &str, text: &str) -> Result<Vec<Address>> {
    let found = mime::typed(text);
    match found.iter().find(|who| !is_sendable(&who.addr)) {
        None => Ok(found),
        Some(bad) => {
            let bad = Clean::line(if bad.addr.is_empty() { &bad.name } else { &bad.addr });
            Err(Error::new(
                Kind::Config,
                format!("{name}: {bad:?} is not an address that mail can be sent to"),
            ))
        }
    }
}
