//! What a pull listens with: changed flags, mixed with new mail or compared with all that is known.

use super::framer::Place;
use super::heads::{Heads, Out};
use super::link::Ear;
use super::reply::Reply;
use crate::error::Result;
use crate::model::Flags;
use crate::protocol::Change;

/// Listens to new mail and to changed flags, which may come mixed.
pub(super) struct Again<'a, 'b> {
    pub(super) heads: Heads<'a, 'b>,
    /// The flags of messages with lower UIDs are meant.
    pub(super) below: u32,
    /// One was told of that is not known.
    pub(super) strange: bool,
}

impl Ear for Again<'_, '_> {
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        let mut reply = match self.heads.hear(reply)? {
            Some(reply) => reply,
            None => return Ok(None),
        };
        let Reply::Fetch(told) = &mut reply else { return Ok(Some(reply)) };
        let Some(uid) = told.uid.filter(|uid| *uid < self.below) else { return Ok(Some(reply)) };
        let Some((flags, keywords)) = told.flags.take() else { return Ok(Some(reply)) };
        let out = &mut self.heads.out;
        if self.heads.held.contains(uid) {
            let id = out.id(uid);
            out.tell(Change::Flags { id, flags, keywords })?;
        } else {
            self.strange = true;
        }
        Ok(None)
    }

    fn literal(&mut self, so_far: &[u8], size: u64) -> Result<Place> {
        self.heads.literal(so_far, size)
    }

    fn is_bulk(&self) -> bool {
        true
    }
}

/// Listens to the flags of messages, whether they are known or not.
pub(super) struct Changed<'a, 'b> {
    pub(super) out: &'a mut Out<'b>,
    /// Of those with lower UIDs.
    pub(super) below: u32,
}

impl Ear for Changed<'_, '_> {
    fn hear(&mut self, mut reply: Reply) -> Result<Option<Reply>> {
        let Reply::Fetch(told) = &mut reply else { return Ok(Some(reply)) };
        let Some(uid) = told.uid.filter(|uid| *uid < self.below) else { return Ok(Some(reply)) };
        let Some((flags, keywords)) = told.flags.take() else { return Ok(Some(reply)) };
        self.out.tell(Change::Flags { id: self.out.id(uid), flags, keywords })?;
        Ok(None)
    }

    fn is_bulk(&self) -> bool {
        true
    }
}

/// Listens to the flags of known messages.
pub(super) struct Compare<'a, 'b> {
    pub(super) out: &'a mut Out<'b>,
    /// By UID, ascending.
    pub(super) told: &'a [(u32, Flags, Vec<String>)],
    /// Which of them were told of now.
    pub(super) seen: Vec<bool>,
}

impl Ear for Compare<'_, '_> {
    fn hear(&mut self, mut reply: Reply) -> Result<Option<Reply>> {
        let Reply::Fetch(now) = &mut reply else { return Ok(Some(reply)) };
        let (Some(uid), Some((flags, keywords))) = (now.uid, now.flags.take()) else {
            return Ok(Some(reply));
        };
        let Ok(at) = self.told.binary_search_by_key(&uid, |(uid, _, _)| *uid) else { return Ok(None) };
        self.seen[at] = true;
        let (_, old, words) = &self.told[at];
        if *old != flags || !same_words(words, &keywords) {
            self.out.tell(Change::Flags { id: self.out.id(uid), flags, keywords })?;
        }
        Ok(None)
    }

    fn is_bulk(&self) -> bool {
        true
    }
}

/// Whether both are the same set of keywords; `sorted` is in order.
fn same_words(words: &[String], sorted: &[String]) -> bool {
    if words.len() != sorted.len() {
        return false;
    }
    let mut words: Vec<&String> = words.iter().collect();
    words.sort_unstable();
    words.into_iter().eq(sorted)
}
