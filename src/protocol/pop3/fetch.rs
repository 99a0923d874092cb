//! Messages: RETR in windows, streamed, exactly as they are, and headers by TOP (promises P8 and P10).

use std::collections::VecDeque;
use std::time::Instant;

use super::Session;
use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::protocol::window::Measured;
use crate::protocol::{BodySink, Flow, RemoteId, twin};

/// A message may be so much larger than listed before the server is taken for broken.
const SLACK: u64 = 64 << 20;
/// How many headers are asked for ahead: some servers send the whole mail instead.
const TOPS: usize = 128;
/// A header with more bytes has no end; some servers ignore how many lines TOP asks for.
const HEAD: usize = 16 << 20;

/// A message that was asked for, or will be.
pub(super) struct Wanted<'a> {
    pub(super) id: &'a RemoteId,
    pub(super) number: u32,
    pub(super) size: u64,
}

impl Session {
    /// Fetches what there is of `ids`. When the sink stops, what is under way still comes to it: it has
    /// to be read in any case.
    pub(super) fn retrieve(&mut self, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        let mut queue: VecDeque<Wanted<'_>> = self.wanted(ids)?;
        let most = self.window();
        let mut window = std::mem::take(&mut self.line);
        let (mut under_way, mut bytes) = (VecDeque::new(), 0);
        loop {
            // Asked for in groups: one packet for many commands.
            let room = window.room();
            if under_way.is_empty() || (under_way.len() <= most - most / 8 && bytes <= room - room / 8) {
                if under_way.is_empty() {
                    window.begin(Instant::now());
                }
                let mut commands = Vec::new();
                while under_way.len() < most
                    && let Some(next) = queue.front()
                    && window.takes(bytes, next.size)
                {
                    commands.push(format!("RETR {}", next.number));
                    bytes += next.size;
                    under_way.extend(queue.pop_front());
                }
                if !commands.is_empty() {
                    self.talk.say(&commands)?;
                }
            }
            let Some(next) = under_way.pop_front() else { break };
            bytes -= next.size;
            let mut sink = Measured { sink, window: &mut window };
            if self.receive(&next, &mut sink)? == Flow::Stop {
                queue.clear();
            }
        }
        self.line = window;
        Ok(())
    }

    /// What of `ids` is in the maildrop.
    fn wanted<'a>(&mut self, ids: &'a [RemoteId]) -> Result<VecDeque<Wanted<'a>>> {
        self.list()?;
        let names = ids.iter().filter_map(|id| if let RemoteId::Uidl(name) = id { Some(name) } else { None });
        if names.clone().any(|name| twin::uidl_in(name) != name) {
            self.tell_twins_apart()?;
        }
        let one = |id: &'a RemoteId| {
            let RemoteId::Uidl(name) = id else { return None };
            let listing = self.listing.as_ref()?;
            let entry = match twin::uidl_in(name) == name {
                true => listing.find(name)?,
                false => {
                    let number = *self.twins.as_ref()?.by_name.get(name)?;
                    listing.numbered(number)?
                }
            };
            let there = !self.marked.contains(&entry.number);
            there.then_some(Wanted { id, number: entry.number, size: entry.size })
        };
        Ok(ids.iter().filter_map(one).collect())
    }

    /// The headers of what there is of `ids` (TOP, RFC 1939 section 7); answers those that it is refused for.
    pub(super) fn tops(&mut self, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<Vec<RemoteId>> {
        let wanted = self.wanted(ids)?;
        let wanted: Vec<_> = wanted.iter().map(|one| (one.id, one.number, one.size)).collect();
        self.top_all(&wanted, sink)
    }

    /// The headers of messages: a name for the sink, the number, and the size as listed.
    pub(super) fn top_all(
        &mut self,
        wanted: &[(&RemoteId, u32, u64)],
        sink: &mut dyn BodySink,
    ) -> Result<Vec<RemoteId>> {
        let mut refused = Vec::new();
        let most = self.window().min(TOPS);
        let mut queue = wanted;
        let mut under_way = VecDeque::new();
        loop {
            if under_way.len() <= most / 2 && !queue.is_empty() {
                let (next, rest) = queue.split_at(queue.len().min(most - under_way.len()));
                queue = rest;
                let tops: Vec<String> = next.iter().map(|(_, number, _)| format!("TOP {number} 0")).collect();
                self.talk.say(&tops)?;
                under_way.extend(next);
            }
            let Some(&(id, _, size)) = under_way.pop_front() else { break };
            match self.talk.reply()? {
                Reply::Ok(_) => {}
                Reply::Err(_) => {
                    refused.push(id.clone());
                    continue;
                }
                Reply::More(_) => return Err(self.talk.out_of_step()),
            }
            let begun = sink.begin(id, size);
            self.talk.noting(begun)?;
            let mut length = 0;
            self.talk.body(&mut |bytes| {
                length += bytes.len();
                if length > HEAD {
                    return Err(Error::new(Kind::Protocol, "the server sends a header without an end"));
                }
                sink.data(bytes)
            })?;
            let ended = sink.end();
            if self.talk.noting(ended)? == Flow::Stop {
                queue = &[];
            }
        }
        Ok(refused)
    }

    /// Reads the answer to one RETR. A refusal passes the message over: the next listing tells more.
    pub(super) fn receive(&mut self, wanted: &Wanted<'_>, sink: &mut dyn BodySink) -> Result<Flow> {
        match self.talk.reply()? {
            Reply::Ok(_) => {}
            Reply::Err(status) => {
                let said = self.talk.said(&status.text);
                tracing::debug!("message {} was refused: {said}", wanted.number);
                return Ok(Flow::Continue);
            }
            Reply::More(_) => return Err(self.talk.out_of_step()),
        }
        let begun = sink.begin(wanted.id, wanted.size);
        self.talk.noting(begun)?;
        let limit = wanted.size.saturating_mul(2).saturating_add(SLACK);
        let mut length = 0;
        self.talk.body(&mut |bytes| {
            length += bytes.len() as u64;
            if length > limit {
                let text = format!("the server sends a message without an end (over {limit} bytes)");
                return Err(Error::new(Kind::Protocol, text));
            }
            sink.data(bytes)
        })?;
        // The answer is complete: an error of the sink leaves the conversation in step only when
        // nothing else is under way, which is not worth telling apart.
        let flow = sink.end();
        self.talk.noting(flow)
    }
}
