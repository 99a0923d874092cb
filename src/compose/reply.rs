//! From a mail to the draft of its answer: who gets it, as whom it is written, and what it is called.

use jiff::tz::TimeZone;

use super::{Original, quote};
use crate::config::{Account, Identity};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, Address, Attached, AttachedFrom, Draft, MessageId, Purpose};
use crate::text::subject::bare;

/// References that are kept of a long conversation, from each end, beside the mail itself.
const REFERENCES: usize = 20;

/// Begins a mail from another one. `signature` says what an identity writes below its mails.
///
/// # Errors
/// [`Kind::Refused`] for an answer to a list where there is none, or one that takes no mail.
pub fn answer(
    original: &Original,
    purpose: Purpose,
    (account, id): (&Account, AccountId),
    zone: &TimeZone,
    signature: &dyn Fn(&Identity) -> String,
) -> Result<Draft> {
    let (identity, from) = as_whom(original, account);
    let mut draft = Draft { purpose, ..Draft::new(id, field(&[from])) };
    let to = recipients(original, purpose, account)?;
    (draft.to, draft.cc, draft.bcc) = (field(&to.to), field(&to.cc), field(&to.bcc));
    draft.answers = original.message.filter(|_| purpose != Purpose::EditAsNew);
    let subject = bare(&original.subject).to_owned();
    match purpose {
        Purpose::New | Purpose::EditAsNew => {
            draft.subject.clone_from(&original.subject);
            draft.body = quote::plain(&original.text);
            draft.attachments.clone_from(&original.files);
            if purpose == Purpose::EditAsNew {
                draft.in_reply_to.clone_from(&original.parent);
                draft.references.clone_from(&original.references);
            }
        }
        Purpose::Reply | Purpose::ReplyAll | Purpose::ReplyList => {
            draft.subject = format!("Re: {subject}");
            draft.in_reply_to.clone_from(&original.msgid);
            draft.references = references(original);
            draft.body = quote::answer(original, &identity.style, zone, &signature(&identity));
        }
        Purpose::Forward => {
            draft.subject = format!("Fwd: {subject}");
            draft.references = references(original);
            draft.body = quote::forward(original, zone, &signature(&identity));
            draft.attachments.clone_from(&original.files);
        }
        Purpose::ForwardAttached => {
            draft.subject = format!("Fwd: {subject}");
            draft.references = references(original);
            draft.body = format!("\n{}", quote::signed(&signature(&identity)));
            draft.attachments =
                original.message.map(|message| whole(message, &original.subject)).into_iter().collect();
        }
    }
    Ok(draft)
}

/// An empty page with the signature of who writes.
#[must_use]
pub fn blank(id: AccountId, identity: &Identity, signature: &str) -> Draft {
    let from = Address { name: identity.name.clone(), addr: identity.email.clone() };
    Draft { body: format!("\n{}", quote::signed(signature)), ..Draft::new(id, field(&[from])) }
}

/// A mail that is held here, as an attachment.
#[must_use]
pub fn whole(message: MessageId, subject: &str) -> Attached {
    let name: String = subject.chars().take(60).collect();
    let name = if name.trim().is_empty() { "mail" } else { name.trim() };
    Attached {
        name: mime::safe_file_name(&format!("{}.eml", name.replace(['/', '\\'], " "))),
        media: "message/rfc822".to_owned(),
        size: 0,
        source: AttachedFrom::Mail(message),
    }
}

/// Addresses as a person writes them into a field.
#[must_use]
pub fn field(list: &[Address]) -> String {
    let one = |who: &Address| {
        let name = super::field::one_line(&who.name);
        if name.is_empty() || name == who.addr {
            return who.addr.clone();
        }
        if name.contains(|c: char| "()<>[]:;@\\,.\"".contains(c)) {
            let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
            return format!("\"{escaped}\" <{}>", who.addr);
        }
        format!("{name} <{}>", who.addr)
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// RFC 5322 section 3.6.4; the middle of a very long conversation is left out.
fn references(original: &Original) -> Vec<String> {
    let mut all = original.references.clone();
    if all.is_empty() && !original.parent.is_empty() {
        all.push(original.parent.clone());
    }
    if all.len() > 2 * REFERENCES {
        all.drain(REFERENCES..all.len() - REFERENCES);
    }
    if !original.msgid.is_empty() {
        all.retain(|id| *id != original.msgid);
        all.push(original.msgid.clone());
    }
    all
}

/// As whom a mail is answered: the address that it came to.
#[must_use]
pub fn as_whom(original: &Original, account: &Account) -> (Identity, Address) {
    let own = |who: &&Address| account.is_own(&who.addr);
    let wrote = original.from.iter().find(own);
    let came = || original.to.iter().chain(&original.cc).chain(&original.delivered).find(own);
    let addr = wrote.or_else(came).map(|who| who.addr.clone());
    let identity = addr.as_deref().and_then(|addr| account.identity_of(addr));
    let identity = identity.or_else(|| account.identities().into_iter().next()).unwrap_or_default();
    let addr = match addr {
        // As it is written in the configuration, where it is.
        Some(addr) if !identity.email.eq_ignore_ascii_case(&addr) => addr,
        _ => identity.email.clone(),
    };
    let who = Address { name: identity.name.clone(), addr };
    (identity, who)
}

#[derive(Default)]
struct Recipients {
    to: Vec<Address>,
    cc: Vec<Address>,
    bcc: Vec<Address>,
}

fn recipients(original: &Original, purpose: Purpose, account: &Account) -> Result<Recipients> {
    let others = |list: &[Address]| -> Vec<Address> {
        distinct(list.iter().filter(|who| !account.is_own(&who.addr)), &[])
    };
    let is_own = original.from.iter().any(|who| account.is_own(&who.addr));
    Ok(match purpose {
        Purpose::New | Purpose::Forward | Purpose::ForwardAttached => Recipients::default(),
        Purpose::EditAsNew => {
            Recipients { to: original.to.clone(), cc: original.cc.clone(), bcc: original.bcc.clone() }
        }
        Purpose::ReplyList => {
            if original.list_is_closed {
                return Err(Error::new(Kind::Refused, "the list takes no mail"));
            }
            if original.list.is_empty() {
                let hint = "answer to all, or to who wrote it";
                return Err(Error::new(Kind::Refused, "the mail names no list to answer to").hint(hint));
            }
            Recipients { to: distinct(&original.list, &[]), ..Recipients::default() }
        }
        // Who answers mail of their own goes on with whom they wrote to.
        Purpose::Reply if is_own => Recipients {
            to: first_of([others(&original.to), others(&original.cc), original.to.clone()]),
            ..Recipients::default()
        },
        Purpose::ReplyAll if is_own => {
            let (to, cc) = (others(&original.to), others(&original.cc));
            match (to.is_empty(), cc.is_empty()) {
                (true, true) => Recipients { to: original.to.clone(), ..Recipients::default() },
                (true, false) => Recipients { to: cc, ..Recipients::default() },
                _ => Recipients { cc: distinct(&cc, &to), to, bcc: Vec::new() },
            }
        }
        Purpose::Reply => Recipients { to: sender(original, &others), ..Recipients::default() },
        Purpose::ReplyAll => {
            let wished = others(&original.followup);
            if !wished.is_empty() {
                return Ok(Recipients { to: wished, ..Recipients::default() });
            }
            let to = sender(original, &others);
            let rest: Vec<Address> = original.to.iter().chain(&original.cc).cloned().collect();
            Recipients { cc: distinct(&others(&rest), &to), to, bcc: Vec::new() }
        }
    })
}

/// Whom an answer to one mail of another goes to.
fn sender(original: &Original, others: &dyn Fn(&[Address]) -> Vec<Address>) -> Vec<Address> {
    first_of([others(&original.reply_to), others(&original.from), distinct(&original.reply_to, &[])])
}

fn first_of<const N: usize>(lists: [Vec<Address>; N]) -> Vec<Address> {
    lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
}

/// Each once, and none that `known` has.
fn distinct<'a>(list: impl IntoIterator<Item = &'a Address>, known: &[Address]) -> Vec<Address> {
    let mut out: Vec<Address> = Vec::new();
    for who in list {
        if !out.iter().chain(known).any(|other| other.is_same(who)) {
            out.push(who.clone());
        }
    }
    out
}
