//! Whole messages, streamed: memory never grows with a message.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::framer::Place;
use super::link::{Ear, Tag};
use super::reply::{self, Reply};
use super::select::Mailbox;
use super::sets;
use super::trouble;
use crate::error::Result;
use crate::model::UidSet;
use crate::protocol::window::Measured;
use crate::protocol::{BodySink, Flow, RemoteId};

/// How many messages are asked for before their sizes are known.
const BLIND: usize = 4;
/// How many messages one command asks for at most, which part of the window it should have, and how many
/// commands are under way at most: their text has to fit into the buffers of any socket.
const MOST: usize = 200;
const PART: u64 = 8;
const COMMANDS: usize = 16;
/// How large a message is taken for whose size is not known.
const GUESS: u64 = 16 << 10;
/// A message that comes before its UID is told is kept up to this size; a larger one is asked for anew.
const KEPT: u64 = 1 << 20;

impl Session {
    /// See [`MailProtocol::fetch`](crate::protocol::MailProtocol::fetch).
    pub(super) fn bodies(&mut self, remote: &str, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        // Where the folder is not open yet, the first are asked for along with it.
        let mut opening = match &self.link.state.selected {
            Some(mailbox) if mailbox.remote == remote => None,
            _ => Some(self.link.select(remote, None)?),
        };
        let validity = match (&self.link.state.selected, ids.first()) {
            (Some(mailbox), _) => mailbox.validity,
            (None, Some(RemoteId::Uid { validity, .. })) => *validity,
            (None, _) => 0,
        };
        let wanted = Mailbox { validity, ..Mailbox::default() }.uids(ids);
        let wanted = match (wanted, &opening) {
            (Err(error), Some(tag)) => {
                self.link.pass(tag)?;
                return Err(error);
            }
            (wanted, _) => wanted?,
        };
        let sizes = match self.sizes.get_mut(remote) {
            Some((told, sizes)) if *told == validity => {
                wanted.iter().filter_map(|uid| Some((uid, sizes.remove(&uid)?))).collect()
            }
            _ => HashMap::new(),
        };
        let mut window = std::mem::take(&mut self.line);
        let mut queue: VecDeque<u32> = VecDeque::new();
        let mut queued = UidSet::new();
        for id in ids {
            if let RemoteId::Uid { uid, .. } = id
                && !queued.contains(*uid)
            {
                queued.insert(*uid);
                queue.push_back(*uid);
            }
        }
        let mut ear = Bodies {
            sink: Measured { sink, window: &mut window },
            validity,
            wanted,
            only: None,
            current: None,
            sizes,
            late: vec![],
            flow: Flow::Continue,
        };
        let mut failed = Vec::new();
        // Commands that are not answered, and how many bytes they ask for.
        let mut ahead: VecDeque<(Vec<Tag>, Vec<u32>, u64)> = VecDeque::new();
        let mut under_way = 0;
        let mut asked_sizes = None;
        if queue.len() > BLIND && queue.iter().any(|uid| !ear.sizes.contains_key(uid)) {
            let first: Vec<u32> = queue.drain(..BLIND).collect();
            ahead.push_back((self.ask_bodies(&first)?, first, 0));
            asked_sizes = Some(self.ask_sizes(&queue)?);
        }
        loop {
            if ahead.is_empty() {
                ear.sink.window.begin(Instant::now());
            }
            while asked_sizes.is_none()
                && ear.flow == Flow::Continue
                && ahead.len() < if opening.is_some() { BLIND } else { COMMANDS }
                && let Some(next) = queue.front()
                && ear.sink.window.takes(under_way, size_in(&ear.sizes, *next))
            {
                let (part, bytes) = next_part(&mut queue, &ear.sizes, ear.sink.window.room() / PART);
                ahead.push_back((self.ask_bodies(&part)?, part, bytes));
                under_way += bytes;
            }
            if let Some(tag) = opening.take() {
                let opened = self.link.selected(remote, &tag).and_then(|_| self.link.mailbox());
                let renumbered = opened.as_ref().is_ok_and(|mailbox| mailbox.validity != validity);
                if opened.is_err() || renumbered {
                    self.line = window;
                    let asked = ahead.iter().flat_map(|(tags, ..)| tags).chain(asked_sizes.iter().flatten());
                    // Where the line broke there is nothing to pass over.
                    let _ = asked.into_iter().try_for_each(|tag| self.link.pass(tag));
                    return opened.and_then(|mailbox| mailbox.uids(ids)).map(drop);
                }
                continue;
            }
            let Some((tags, part, bytes)) = ahead.pop_front() else { break };
            under_way -= bytes;
            for tag in &tags {
                let answer = self.link.answer(tag, &mut ear)?;
                match answer.verdict {
                    Verdict::Ok => {}
                    Verdict::Bad => {
                        return Err(trouble::refused("the server does not give its messages", &answer));
                    }
                    _ => failed.extend(part.iter().copied()),
                }
            }
            for tag in asked_sizes.take().unwrap_or_default() {
                // Without sizes the windows are only less even.
                self.link.answer(&tag, &mut ear)?;
            }
        }
        // One by one: what was refused, and what is larger than what is kept while its UID is not known.
        failed.append(&mut ear.late);
        let done = self.bodies_singly(&failed, &mut ear);
        self.line = window;
        done
    }

    fn bodies_singly(&mut self, uids: &[u32], ear: &mut Bodies<'_>) -> Result<()> {
        let mut refused = None;
        for &uid in uids {
            if ear.flow == Flow::Stop || !ear.wanted.contains(uid) {
                continue;
            }
            ear.only = Some(uid);
            for tag in self.ask_bodies(&[uid])? {
                let answer = self.link.answer(&tag, ear)?;
                if answer.verdict != Verdict::Ok {
                    refused = Some(trouble::refused("the server does not give one of its messages", &answer));
                }
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn ask_bodies(&mut self, uids: &[u32]) -> Result<Vec<Tag>> {
        let set: UidSet = uids.iter().copied().collect();
        let lines = sets::lines(&set);
        let command = |line| Command::new(format!("UID FETCH {line} (UID BODY.PEEK[])"));
        lines.into_iter().map(|line| self.link.send(&command(line))).collect()
    }

    fn ask_sizes(&mut self, uids: &VecDeque<u32>) -> Result<Vec<Tag>> {
        let set: UidSet = uids.iter().copied().collect();
        let lines = sets::lines(&set);
        let command = |line| Command::new(format!("UID FETCH {line} (UID RFC822.SIZE)"));
        lines.into_iter().map(|line| self.link.send(&command(line))).collect()
    }
}

fn size_in(sizes: &HashMap<u32, u64>, uid: u32) -> u64 {
    sizes.get(&uid).copied().unwrap_or(GUESS)
}

/// The next messages, of about `target` bytes together, in order; and how many bytes they are.
fn next_part(queue: &mut VecDeque<u32>, sizes: &HashMap<u32, u64>, target: u64) -> (Vec<u32>, u64) {
    let (mut part, mut bytes) = (Vec::new(), 0u64);
    while let Some(&uid) = queue.front() {
        let size = size_in(sizes, uid);
        if !part.is_empty() && (bytes.saturating_add(size) > target || part.len() >= MOST) {
            break;
        }
        bytes = bytes.saturating_add(size);
        part.push(uid);
        queue.pop_front();
    }
    (part, bytes)
}

/// Listens to messages.
struct Bodies<'a> {
    sink: Measured<'a>,
    validity: u32,
    /// What is still to come.
    wanted: UidSet,
    /// The only one asked for: a body without a UID is its.
    only: Option<u32>,
    /// The one that is being handed through.
    current: Option<u32>,
    /// RFC822.SIZE, as far as told.
    sizes: HashMap<u32, u64>,
    /// Those that were too large to keep while their UID was not known.
    late: Vec<u32>,
    flow: Flow,
}

impl Bodies<'_> {
    fn begin(&mut self, uid: u32, size: u64) -> Result<()> {
        self.wanted.remove(uid);
        self.sink.begin(&RemoteId::Uid { validity: self.validity, uid }, size)
    }

    fn end(&mut self) -> Result<()> {
        if self.sink.end()? == Flow::Stop {
            self.flow = Flow::Stop;
        }
        Ok(())
    }
}

impl Ear for Bodies<'_> {
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        let told = match reply {
            Reply::Fetch(told) => told,
            other => return Ok(Some(other)),
        };
        if self.current.take().is_some() {
            self.end()?;
            return Ok(None);
        }
        if let (Some(uid), Some(size)) = (told.uid, told.size) {
            self.sizes.insert(uid, size);
        }
        let uid = told.uid.or(self.only).filter(|uid| self.wanted.contains(*uid));
        match (uid, &told.body) {
            _ if self.flow == Flow::Stop => {}
            // As a quoted string, or kept because its UID came late.
            (Some(uid), Some(body)) if (body.len() as u64) < KEPT => {
                self.begin(uid, body.len() as u64)?;
                self.sink.data(body)?;
                self.end()?;
            }
            (Some(uid), Some(_)) => self.late.push(uid),
            (_, None) if told.flags.is_some() => return Ok(Some(Reply::Fetch(told))),
            _ => {}
        }
        Ok(None)
    }

    fn literal(&mut self, so_far: &[u8], size: u64) -> Result<Place> {
        // The literal that is announced reads as an empty string, the last value there is.
        let Reply::Fetch(told) = reply::read(so_far) else { return Ok(Place::Keep(KEPT)) };
        if told.body.as_deref() != Some(&[]) || self.current.is_some() {
            return Ok(Place::Keep(KEPT));
        }
        if self.flow == Flow::Stop {
            return Ok(Place::Keep(0));
        }
        match told.uid.or(self.only) {
            Some(uid) if self.wanted.contains(uid) => {
                self.begin(uid, size)?;
                self.current = Some(uid);
                Ok(Place::Through)
            }
            // Not asked for, or told twice.
            Some(_) => Ok(Place::Keep(0)),
            None => Ok(Place::Keep(KEPT)),
        }
    }

    fn through(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.data(bytes)
    }

    fn is_bulk(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_bounded_by_bytes() {
        let sizes = HashMap::from([(1, 100), (2, 300), (3, 5000), (4, 10)]);
        let mut queue: VecDeque<u32> = (1..=5).collect();
        assert_eq!(next_part(&mut queue, &sizes, 400), (vec![1, 2], 400));
        assert_eq!(next_part(&mut queue, &sizes, 400), (vec![3], 5000));
        assert_eq!(next_part(&mut queue, &sizes, 20_000), (vec![4, 5], 10 + GUESS));
        assert_eq!(next_part(&mut queue, &sizes, 400), (vec![], 0));
    }
}
