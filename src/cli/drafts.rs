//! `mailtui compose` and `mailtui drafts`: mail that is being written, for scripts and for `mailto:` links.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use serde_json::json;

use super::args::{Compose, Drafts, DraftsVerb};
use super::out::Out;
use super::send;
use crate::compose::{self, Mailto};
use crate::config::Config;
use crate::engine::drafting;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, DraftId};
use crate::secret;
use crate::store::Store;
use crate::text::Clean;

/// Keeps a draft; nothing is sent.
pub(super) fn compose(what: &Compose, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let link = what.link.as_deref().map(Mailto::parse).transpose()?.unwrap_or_default();
    let account = send::sender(config, what.account.as_deref(), None)?;
    let (protocol, owner) = (account.protocol.name(), account.protocol.owner());
    let id = store.account(&account.name, protocol, owner, &account.remote_key())?;
    let identity = account.identities().into_iter().next().unwrap_or_default();
    let mut draft = compose::blank(id, &identity, &drafting::signature(&identity));
    let text = match &what.body {
        Some(path) => read(path)?,
        // Who opens a link from elsewhere may never end what it gives.
        None if what.link.is_some() || std::io::stdin().is_terminal() => String::new(),
        None => {
            let mut text = String::new();
            let fail = |e| Error::new(Kind::Config, "standard input could not be read").because(e);
            std::io::stdin().read_to_string(&mut text).map_err(fail)?;
            text
        }
    };
    let text = if text.is_empty() { link.body } else { text };
    draft.body.insert_str(0, &text);
    let with = |from_link: String, said: &[String]| {
        let said = said.iter().cloned();
        std::iter::once(from_link)
            .chain(said)
            .filter(|text| !text.trim().is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    (draft.to, draft.cc, draft.bcc) =
        (with(link.to, &what.to), with(link.cc, &what.cc), with(link.bcc, &what.bcc));
    draft.subject = what.subject.clone().unwrap_or(link.subject);
    draft.references = Some(link.in_reply_to.clone()).filter(|id| !id.is_empty()).into_iter().collect();
    draft.in_reply_to = link.in_reply_to;
    for path in &what.attach {
        draft.attachments.push(drafting::attached(path)?);
    }
    let msgid = compose::message_id(secret::random()?, &account.email);
    let (id, _) = store.save_draft(None, &msgid, &draft)?;
    if out.json {
        out.object(&json!({ "id": id.0 }))?;
    } else {
        out.line(format!("draft {id} is kept: `mailtui drafts send {id}` sends it"))?;
    }
    Ok(0)
}

pub(super) fn run(what: &Drafts, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.lister()?;
    let names = reader.accounts()?;
    let of = |id: i64| {
        let gone =
            || Error::new(Kind::Gone, format!("there is no draft {id}")).hint("`mailtui drafts` lists them");
        reader.draft(DraftId(id))?.ok_or_else(gone)
    };
    match &what.verb {
        None => {
            for kept in reader.drafts()? {
                let draft = &kept.draft;
                let account =
                    names.iter().find(|row| row.id == draft.account).map_or("", |row| row.name.as_str());
                if out.json {
                    out.object(&json!({ "id": kept.id.0, "account": account, "from": draft.from, "to": draft.to,
                        "cc": draft.cc, "bcc": draft.bcc, "subject": draft.subject, "text": draft.body,
                        "attachments": draft.attachments.len(), "version": kept.version, "updated": kept.updated,
                        "editor": kept.editor }))?;
                } else {
                    let subject = Clean::line(&draft.subject);
                    out.line(format!("{}  {account}  {}  {subject}", kept.id, Clean::line(&draft.to)))?;
                }
            }
            Ok(0)
        }
        Some(DraftsVerb::Discard { id }) => {
            of(*id)?;
            if !drafting::discard(store, DraftId(*id), &send::date(config))? {
                return Err(Error::new(Kind::Conflict, format!("draft {id} is in the outbox")));
            }
            out.line(format!("discarded draft {id}"))?;
            Ok(0)
        }
        Some(DraftsVerb::Send { id, force, queue }) => {
            let draft = of(*id)?.draft;
            let name = names.iter().find(|row| row.id == draft.account).map(|row| row.name.as_str());
            let account = send::sender(config, name, None)?;
            let known: Vec<Address> = reader.known()?.into_iter().map(|one| one.who).collect();
            let concerns = compose::concerns(&draft, &config.compose, &[], &known);
            if let Some(concern) = concerns.iter().find(|concern| !(*force && concern.may_be_ignored())) {
                let error = Error::new(Kind::Config, format!("nothing was sent: {concern}"));
                return Err(error.hint("--force sends it all the same"));
            }
            let row = drafting::send(store, account, DraftId(*id), 0, &send::date(config))?;
            send::tell(store, account, row, *queue, out)
        }
    }
}

fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path)
        .map_err(|e| Error::new(Kind::Gone, format!("could not read {}", path.display())).because(e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
