//! Whole messages, streamed: memory never grows with a message.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::framer::Place;
use super::link::{Ear, Tag};
use super::reply::{self, Reply};
use super::sets;
use super::trouble;
use crate::error::Result;
use crate::model::UidSet;
use crate::protocol::{BodySink, Flow, RemoteId};

/// How many messages are asked for before their sizes are known.
const BLIND: usize = 4;
/// How many windows are asked for ahead of the answer, and how many messages one may have.
const AHEAD: usize = 2;
const MOST: usize = 200;
/// How many bytes a window should have: at first, at least, at most. In between, by the pace of the line.
const BYTES: (u64, u64, u64) = (512 << 10, 256 << 10, 4 << 20);
const PACE: Duration = Duration::from_millis(300);
/// A message that comes before its UID is told is kept up to this size; a larger one is asked for anew.
const KEPT: u64 = 1 << 20;

impl Session {
    /// See [`MailProtocol::fetch`](crate::protocol::MailProtocol::fetch).
    pub(super) fn bodies(&mut self, remote: &str, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        let mailbox = self.link.open(remote)?;
        let wanted = mailbox.uids(ids)?;
        let sizes = match self.sizes.get_mut(remote) {
            Some((validity, sizes)) if *validity == mailbox.validity => {
                wanted.iter().filter_map(|uid| Some((uid, sizes.remove(&uid)?))).collect()
            }
            _ => HashMap::new(),
        };
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
            sink,
            validity: mailbox.validity,
            wanted,
            only: None,
            current: None,
            sizes,
            late: vec![],
            flow: Flow::Continue,
        };
        let mut target = BYTES.0;
        let mut failed = Vec::new();
        let mut ahead: VecDeque<(Vec<Tag>, Vec<u32>)> = VecDeque::new();
        let mut asked_sizes = None;
        if queue.len() > BLIND && queue.iter().any(|uid| !ear.sizes.contains_key(uid)) {
            let first: Vec<u32> = queue.drain(..BLIND).collect();
            ahead.push_back((self.ask_bodies(&first)?, first));
            asked_sizes = Some(self.ask_sizes(&queue)?);
        }
        let mut since = Instant::now();
        loop {
            while ahead.len() < AHEAD
                && asked_sizes.is_none()
                && ear.flow == Flow::Continue
                && !queue.is_empty()
            {
                let window = next_window(&mut queue, &ear.sizes, target);
                ahead.push_back((self.ask_bodies(&window)?, window));
            }
            let Some((tags, window)) = ahead.pop_front() else { break };
            let bytes = self.link.wire.counters().bytes_in;
            for tag in &tags {
                let answer = self.link.answer(tag, &mut ear)?;
                match answer.verdict {
                    Verdict::Ok => {}
                    Verdict::Bad => {
                        return Err(trouble::refused("the server does not give its messages", &answer));
                    }
                    _ => failed.extend(window.iter().copied()),
                }
            }
            if let Some(tags) = asked_sizes.take() {
                for tag in tags {
                    // Without sizes the windows are only less even.
                    self.link.answer(&tag, &mut ear)?;
                }
            } else {
                target = paced(self.link.wire.counters().bytes_in - bytes, since.elapsed());
            }
            since = Instant::now();
        }
        // One by one: what was refused, and what is larger than what is kept while its UID is not known.
        failed.append(&mut ear.late);
        self.bodies_singly(&failed, &mut ear)
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

/// The next messages, of about `target` bytes together, in order.
fn next_window(queue: &mut VecDeque<u32>, sizes: &HashMap<u32, u64>, target: u64) -> Vec<u32> {
    let (mut window, mut bytes) = (Vec::new(), 0u64);
    while let Some(&uid) = queue.front() {
        let size = sizes.get(&uid).copied().unwrap_or(16 << 10);
        if !window.is_empty() && (bytes.saturating_add(size) > target || window.len() >= MOST) {
            break;
        }
        bytes = bytes.saturating_add(size);
        window.push(uid);
        queue.pop_front();
    }
    window
}

/// How many bytes the next window should have.
fn paced(bytes: u64, took: Duration) -> u64 {
    let ideal = u128::from(bytes) * PACE.as_micros() / took.as_micros().max(1);
    u64::try_from(ideal).unwrap_or(u64::MAX).clamp(BYTES.1, BYTES.2)
}

/// Listens to messages.
struct Bodies<'a> {
    sink: &'a mut dyn BodySink,
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
    fn windows_are_bounded_by_bytes() {
        let sizes = HashMap::from([(1, 100), (2, 300), (3, 5000), (4, 10), (5, 10)]);
        let mut queue: VecDeque<u32> = (1..=5).collect();
        assert_eq!(next_window(&mut queue, &sizes, 400), [1, 2]);
        assert_eq!(next_window(&mut queue, &sizes, 400), [3]);
        assert_eq!(next_window(&mut queue, &sizes, 400), [4, 5]);
        assert_eq!(next_window(&mut queue, &sizes, 400), [0; 0]);
        assert_eq!(paced(1 << 20, Duration::from_millis(30)), BYTES.2);
        assert_eq!(paced(1 << 20, Duration::from_secs(60)), BYTES.1);
    }
}
