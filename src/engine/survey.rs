//! Looks whether mail that was put on a server is there, by what the server itself tells now (promise I13).

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::mime;
use crate::protocol::{Change, Flow, FolderRef, MailProtocol, Nothing, Sink};
use crate::store::Carried;

/// What a look at a folder came to.
#[derive(Debug, Default)]
pub struct Survey {
    /// Mails in the folder.
    pub mails: u64,
    /// Those of the wanted ones that are there: the same header, byte for byte, and the same size.
    pub same: Vec<Carried>,
    /// Those that are there under their Message-ID with another header or size: the server changed them.
    pub changed: Vec<Carried>,
    /// Those that are not there.
    pub missing: Vec<Carried>,
}

/// Asks a server for every header of a folder, and compares them with what is to be there.
pub fn survey(session: &mut dyn MailProtocol, folder: &FolderRef, wanted: Vec<Carried>) -> Result<Survey> {
    let mut shelf = Shelf::default();
    session.pull(folder, &Nothing::default(), &mut shelf)?;
    let mut survey = Survey { mails: shelf.mails, ..Survey::default() };
    for mail in wanted {
        let sizes = shelf.heads.entry(mail.head_hash).or_default();
        // One that is there stands for one: two mails may look alike to their bodies.
        if let Some(at) = sizes.iter().position(|size| mail.is(&mail.head_hash, *size)) {
            sizes.swap_remove(at);
            survey.same.push(mail);
        } else if !mail.msgid.is_empty() && shelf.ids.contains(&mail.msgid) {
            survey.changed.push(mail);
        } else {
            survey.missing.push(mail);
        }
    }
    Ok(survey)
}

/// What was told: sizes by the hash of the header, and Message-IDs.
#[derive(Default)]
struct Shelf {
    mails: u64,
    heads: HashMap<[u8; 32], Vec<u64>>,
    ids: HashSet<String>,
}

impl Sink for Shelf {
    fn change(&mut self, change: Change) -> Result<Flow> {
        if let Change::New { size, head: Some(head), .. } = change {
            let envelope = mime::envelope(&head);
            self.mails += 1;
            self.heads.entry(envelope.head_hash).or_default().push(size);
            self.ids.insert(envelope.msgid);
        }
        Ok(Flow::Continue)
    }
}
