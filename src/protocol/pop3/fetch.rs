//! Messages: RETR in windows, streamed, exactly as they are, and headers by TOP (promises P8 and P10).

use std::collections::VecDeque;
use std::time::Instant;

use super::Session;
use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::protocol::{BodySink, Flow, RemoteId, twin};

/// How much may be under way, in bytes by LIST: at first, and at most. A command of the user waits for
/// what is under way, so on a slow line it must not be much.
const FIRST: u64 = 256 << 10;
const MOST: u64 = 4 << 20;
/// What is under way should take this long, in milliseconds.
const AIM: u128 = 300;
/// A message may be so much larger than listed before the server is taken for broken.
const SLACK: u64 = 64 << 20;
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
        let window = self.window();
        let start = Instant::now();
        let (mut under_way, mut bytes, mut room, mut received) = (VecDeque::new(), 0, FIRST, 0);
        loop {
            // Asked for in groups: one packet for many commands.
            if under_way.len() <= window / 2 {
                let mut commands = Vec::new();
                while under_way.len() < window
                    && let Some(next) = queue.front()
                    && (under_way.is_empty() || bytes + next.size <= room)
                {
                    commands.push(format!("RETR {}", next.number));
                    bytes += next.size;
                    under_way.extend(queue.pop_front());
                }
                if !commands.is_empty() {
                    self.talk.say(&commands)?;
                }
            }
            let Some(next) = under_way.pop_front() else { return Ok(()) };
            bytes -= next.size;
            let (length, flow) = self.receive(&next, sink)?;
            received += length;
            if flow == Flow::Stop {
                queue.clear();
            }
            let elapsed = start.elapsed().as_millis().max(1);
            let rate = u64::try_from(u128::from(received) * AIM / elapsed).unwrap_or(MOST);
            room = rate.clamp(FIRST, MOST);
        }
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
        let mut flow = Flow::Continue;
        for some in wanted.chunks(self.window()) {
            if flow == Flow::Stop {
                break;
            }
            let tops: Vec<String> = some.iter().map(|(_, number, _)| format!("TOP {number} 0")).collect();
            self.talk.say(&tops)?;
            for (id, _, size) in some {
                match self.talk.reply()? {
                    Reply::Ok(_) => {}
                    Reply::Err(_) => {
                        refused.push((*id).clone());
                        continue;
                    }
                    Reply::More(_) => return Err(self.talk.out_of_step()),
                }
                let begun = sink.begin(id, *size);
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
                    flow = Flow::Stop;
                }
            }
        }
        Ok(refused)
    }

    /// Reads the answer to one RETR. A refusal passes the message over: the next listing tells more.
    pub(super) fn receive(&mut self, wanted: &Wanted<'_>, sink: &mut dyn BodySink) -> Result<(u64, Flow)> {
        match self.talk.reply()? {
            Reply::Ok(_) => {}
            Reply::Err(status) => {
                let said = self.talk.said(&status.text);
                tracing::debug!("message {} was refused: {said}", wanted.number);
                return Ok((0, Flow::Continue));
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
        Ok((length, self.talk.noting(flow)?))
    }
}
