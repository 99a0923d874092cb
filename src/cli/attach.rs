//! `mailtui attach`: a file from elsewhere, through a pipe, into a draft that is open.

use serde_json::json;

use super::args::Attach;
use super::out::Out;
use crate::engine::{drafting, shelf};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{Attached, AttachedFrom, DraftId};
use crate::store::{Kept, Store};
use crate::text::Clean;

/// So often a draft may be changed by others while the file is put to it.
const TRIES: usize = 20;

pub(super) fn run(what: &Attach, store: &Store, out: &mut Out) -> Result<u8> {
    let name = mime::safe_file_name(&what.name);
    // Asked for first: nobody waits for a long upload to hear that there is no draft.
    let id = wanted(store, what.draft)?.id;
    let mut size = 0;
    let path = shelf::put_aside(store.dir(), &name, &mut |to| {
        size = std::io::copy(&mut std::io::stdin().lock(), to)?;
        Ok(())
    })?;
    let file = Attached {
        media: drafting::media(&name).to_owned(),
        name: name.clone(),
        size,
        source: AttachedFrom::File(path),
    };
    for _ in 0..TRIES {
        let mut kept = wanted(store, Some(id.0))?;
        kept.draft.attachments.push(file.clone());
        let (now, _) = store.save_draft(Some((id, kept.version)), &kept.msgid, &kept.draft)?;
        if now == id {
            let shown = Clean::line(&name);
            if out.json {
                out.object(&json!({ "draft": id.0, "name": shown, "size": size }))?;
            } else {
                out.line(format!("attached {shown} ({size} bytes) to draft {id}"))?;
            }
            return Ok(0);
        }
        // Written on at this moment: what was kept beside it is not wanted.
        store.discard_draft(now)?;
    }
    Err(Error::new(Kind::Conflict, format!("draft {id} is being written on all the time"))
        .hint("try it again"))
}

/// The draft that is meant: the one with this number; else that which is open or was, the last changed first.
fn wanted(store: &Store, number: Option<i64>) -> Result<Kept> {
    let reader = store.lister()?;
    if let Some(number) = number {
        let gone = || Error::new(Kind::Gone, format!("there is no draft {number}"));
        let out = || gone().hint("`mailtui drafts` lists them; one in the outbox can be taken back with `u`");
        return reader.drafts()?.into_iter().find(|kept| kept.id == DraftId(number)).ok_or_else(out);
    }
    let mut drafts = reader.drafts()?;
    let open = drafts.iter().position(|kept| kept.editor.is_some());
    let none = || Error::new(Kind::Gone, "there is no draft").hint("`mailtui compose` begins one");
    if drafts.is_empty() { Err(none()) } else { Ok(drafts.swap_remove(open.unwrap_or(0))) }
}
