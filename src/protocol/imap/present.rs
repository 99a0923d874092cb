//! Which messages are in the target of a copy already: what makes COPY safe to repeat.
//!
//! When the answer to a COPY is lost, nobody knows whether it was done, and a second one would double the
//! mail. So before each COPY the target is searched for messages with the same header, byte for byte,
//! and the same size. MOVE needs none of this: what was moved is not there to be moved again.

use std::collections::HashMap;

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::framer::Place;
use super::link::{Ear, Tag};
use super::reply::Reply;
use super::sets;
use crate::error::{Kind, Result};
use crate::mime;
use crate::model::UidSet;
use crate::protocol::RemoteId;

/// How many searches are sent ahead of their answers.
const AHEAD: usize = 8;
/// A longer header is no proof of anything.
const HEADER: u64 = 256 << 10;

/// Header and size of messages, by UID.
type Faces = HashMap<u32, (Vec<u8>, u64)>;

impl Session {
    /// The messages of `from` that `to` holds already: their UIDs here and there. Leaves `from` selected.
    pub(super) fn present(&mut self, from: &str, to: &str, uids: &UidSet) -> Result<Vec<(u32, RemoteId)>> {
        let here = self.faces(uids)?;
        let mut ids: Vec<(u32, String)> = here
            .iter()
            .map(|(uid, (head, _))| (*uid, mime::envelope(head).msgid))
            .filter(|(_, msgid)| !msgid.is_empty() && msgid.bytes().all(|b| b.is_ascii_graphic()))
            .collect();
        ids.sort_unstable();
        let validity = match self.link.open_anew(to) {
            Ok(target) if target.exists > 0 => target.validity,
            Ok(_) => return self.link.open_anew(from).map(|_| Vec::new()),
            // A folder that is not there holds nothing.
            Err(e) if matches!(e.kind(), Kind::Refused | Kind::Gone) => {
                return self.link.open_anew(from).map(|_| Vec::new());
            }
            Err(e) => return Err(e),
        };
        let alike = self.alike(&ids)?;
        let mut there = self.faces(&alike)?;
        self.link.open_anew(from)?;
        let mut found = Vec::new();
        for (uid, _) in ids {
            let twin =
                there.iter().filter(|(_, face)| here.get(&uid) == Some(face)).map(|(twin, _)| *twin).min();
            // One copy there stands for one message here.
            if let Some(twin) = twin {
                there.remove(&twin);
                found.push((uid, RemoteId::Uid { validity, uid: twin }));
            }
        }
        Ok(found)
    }

    /// Which messages of the selected folder have one of these Message-IDs.
    fn alike(&mut self, ids: &[(u32, String)]) -> Result<UidSet> {
        let mut alike = UidSet::new();
        for part in ids.chunks(AHEAD) {
            let search =
                |(_, id): &(u32, String)| Command::new("UID SEARCH HEADER MESSAGE-ID").string(id.as_bytes());
            let tags: Vec<Tag> = part.iter().map(|id| self.link.send(&search(id))).collect::<Result<_>>()?;
            for tag in tags {
                self.link.answer(&tag, &mut |reply| match reply {
                    Reply::Found(ranges) => {
                        let found = ranges.unwrap_or_default();
                        // Beyond reason is beyond proof.
                        if found.count() <= 1000 {
                            found.into_set().ranges().iter().for_each(|&(lo, hi)| alike.insert_range(lo, hi));
                        }
                        Ok(None)
                    }
                    other => Ok(Some(other)),
                })?;
            }
        }
        Ok(alike)
    }

    /// Header and size of these messages of the selected folder.
    fn faces(&mut self, uids: &UidSet) -> Result<Faces> {
        let mut ear = Looking(Faces::new());
        for line in sets::lines(uids) {
            let command = Command::new(format!("UID FETCH {line} (UID RFC822.SIZE BODY.PEEK[HEADER])"));
            let tag = self.link.send(&command)?;
            if self.link.answer(&tag, &mut ear)?.verdict == Verdict::Bad {
                tracing::warn!("the server does not tell what a copy would look like");
            }
        }
        Ok(ear.0)
    }
}

struct Looking(Faces);

impl Ear for Looking {
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        match reply {
            Reply::Fetch(told) if told.head.is_some() => {
                if let (Some(uid), Some(head), Some(size)) = (told.uid, told.head, told.size)
                    && (head.len() as u64) < HEADER
                {
                    self.0.insert(uid, (head, size));
                }
                Ok(None)
            }
            other => Ok(Some(other)),
        }
    }

    fn literal(&mut self, _: &[u8], _: u64) -> Result<Place> {
        Ok(Place::Keep(HEADER))
    }

    fn is_bulk(&self) -> bool {
        true
    }
}
