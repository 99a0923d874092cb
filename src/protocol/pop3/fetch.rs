//! Whole messages: RETR in windows, streamed, exactly as they are (promises P8 and P10).

use std::collections::VecDeque;
use std::time::Instant;

use super::Session;
use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::protocol::{BodySink, Flow, RemoteId};

/// How much may be under way, in bytes by LIST: at first, and at most. A command of the user waits for
/// what is under way, so on a slow line it must not be much.
const FIRST: u64 = 256 << 10;
const MOST: u64 = 4 << 20;
/// What is under way should take this long, in milliseconds.
const AIM: u128 = 300;
/// A message may be so much larger than listed before the server is taken for broken.
const SLACK: u64 = 64 << 20;

/// A message that was asked for, or will be.
struct Wanted<'a> {
    id: &'a RemoteId,
    number: u32,
    size: u64,
}

impl Session {
    /// Fetches what there is of `ids`. When the sink stops, what is under way still comes to it: it has
    /// to be read in any case.
    pub(super) fn retrieve(&mut self, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        self.list()?;
        let mut queue: VecDeque<Wanted<'_>> = ids
            .iter()
            .filter_map(|id| {
                let RemoteId::Uidl(uidl) = id else { return None };
                let entry = self.listing.as_ref()?.find(uidl)?;
                let there = !self.marked.contains(&entry.number);
                there.then_some(Wanted { id, number: entry.number, size: entry.size })
            })
            .collect();
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

    /// Reads the answer to one RETR. A refusal passes the message over: the next listing tells more.
    fn receive(&mut self, wanted: &Wanted<'_>, sink: &mut dyn BodySink) -> Result<(u64, Flow)> {
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
