//! Headers of messages, window by window, newest first.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::answer::{Answer, Verdict};
use super::command::Command;
use super::framer::Place;
use super::link::{Ear, Link, Tag};
use super::object;
use super::offers::Offers;
use super::reply::{Fetched, Reply};
use super::sets::{self, Ranges};
use super::trouble;
use crate::error::Result;
use crate::model::{Cursor, UidSet};
use crate::protocol::{Change, Flow, RemoteId, Sink};

/// How many messages the first window brings: a screen and some.
pub(super) const FIRST: u32 = 200;
/// The bounds of later ones.
const LEAST: usize = 20;
const MOST: usize = 500;
/// The first of the later ones.
const NEXT: usize = 50;
/// So many windows are asked for ahead of the answer.
const AHEAD: u32 = 6;
/// How long what is asked for ahead should take: whoever waits for the line waits for it.
const PACE: Duration = Duration::from_millis(300);
/// The largest header that is kept whole, in bytes.
const HEADER: u64 = 1 << 20;
/// So many bytes of headers are held back to be told newest first; beyond that they are told as they come.
const HELD_BACK: usize = 8 << 20;
/// So many sizes of a folder are remembered: the newest ones, which are fetched first.
const SIZES: usize = 50_000;
/// How many messages that the server failed to tell of are asked for one by one.
const AGAIN: usize = 100;

/// The FETCH items of a header, as the server allows.
pub(super) fn items(offers: &Offers) -> &'static str {
    if offers.has("OBJECTID") {
        "(UID FLAGS INTERNALDATE RFC822.SIZE EMAILID BODY.PEEK[HEADER])"
    } else if offers.has(object::LABELS) {
        "(UID FLAGS INTERNALDATE RFC822.SIZE X-GM-MSGID BODY.PEEK[HEADER])"
    } else {
        "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])"
    }
}

/// RFC822.SIZE by UID.
pub(super) type Sizes = HashMap<u32, u64>;

/// Where changes go, and whether more are wanted.
pub(super) struct Out<'a> {
    pub(super) sink: &'a mut dyn Sink,
    pub(super) validity: u32,
    pub(super) flow: Flow,
    /// What is learned of sizes on the way, for whoever fetches the bodies.
    pub(super) sizes: Sizes,
}

impl Out<'_> {
    /// Reports one change. A stop is remembered: what is on its way is still reported.
    pub(super) fn tell(&mut self, change: Change) -> Result<()> {
        if self.sink.change(change)? == Flow::Stop {
            self.flow = Flow::Stop;
        }
        Ok(())
    }

    pub(super) fn id(&self, uid: u32) -> RemoteId {
        RemoteId::Uid { validity: self.validity, uid }
    }

    fn tell_shown(&mut self, uid: u32, told: Fetched) -> Result<()> {
        let (flags, keywords) = told.flags.unwrap_or_default();
        self.tell(Change::Shown {
            id: self.id(uid),
            remote_id: told.remote_id,
            flags,
            keywords,
            size: told.size.unwrap_or(0),
            received: told.received.unwrap_or(0),
            head: told.head.unwrap_or_default(),
        })
    }

    fn tell_new(&mut self, uid: u32, told: Fetched) -> Result<()> {
        if let Some(size) = told.size.filter(|_| self.sizes.len() < SIZES) {
            self.sizes.insert(uid, size);
        }
        let (flags, keywords) = told.flags.unwrap_or_default();
        self.tell(Change::New {
            id: self.id(uid),
            remote_id: told.remote_id,
            flags,
            keywords,
            size: told.size.unwrap_or(0),
            received: told.received.unwrap_or(0),
            head: Some(told.head.unwrap_or_default()),
        })
    }
}

/// Listens to headers. Holds messages back, to tell them newest first.
///
/// Servers may work on several commands at a time (Dovecot does, RFC 9051 section 5.5), so what is heard
/// here need not belong to the command whose answer is waited for.
pub(super) struct Heads<'a, 'b> {
    pub(super) out: &'a mut Out<'b>,
    /// Messages with lower UIDs are not meant; of those that are held only the flags are.
    from: u32,
    pub(super) held: &'a UidSet,
    waiting: Vec<(u32, Fetched)>,
    /// Those of `held`: what was put there is shown for the first time.
    shown: Vec<(u32, Fetched)>,
    bytes: usize,
    /// Which were told.
    pub(super) told: UidSet,
    /// Which messages there are, where that was asked for behind the headers and told ahead of them.
    pub(super) found: Option<Ranges>,
}

impl<'a, 'b> Heads<'a, 'b> {
    /// An ear for the headers of messages with UIDs not below `from`, those in `held` left out.
    pub(super) fn new(out: &'a mut Out<'b>, from: u32, held: &'a UidSet) -> Self {
        Self {
            out,
            from,
            held,
            waiting: Vec::new(),
            shown: Vec::new(),
            bytes: 0,
            told: UidSet::new(),
            found: None,
        }
    }

    /// Announces what is waiting.
    pub(super) fn expect(&mut self) -> Result<()> {
        let messages = self.waiting.len() as u64;
        if messages > 0 { self.out.tell(Change::Expect { messages }) } else { Ok(()) }
    }

    /// Tells what was held back, ahead of it what shows whether names that were told are right: new mail may be what
    /// bore a wrong one.
    pub(super) fn release(&mut self) -> Result<()> {
        for (uid, told) in std::mem::take(&mut self.shown) {
            self.out.tell_shown(uid, told)?;
        }
        self.waiting.sort_by_key(|(uid, _)| std::cmp::Reverse(*uid));
        for (uid, told) in std::mem::take(&mut self.waiting) {
            if !self.told.contains(uid) {
                self.told.insert(uid);
                self.out.tell_new(uid, told)?;
            }
        }
        self.bytes = 0;
        Ok(())
    }
}

impl Ear for Heads<'_, '_> {
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        let mut told = match reply {
            // Flags alone are news of a change, not an answer.
            Reply::Fetch(told) if told.head.is_some() || told.size.is_some() => told,
            Reply::Found(ranges) => {
                self.found = ranges;
                return Ok(None);
            }
            other => return Ok(Some(other)),
        };
        let Some(uid) = told.uid.filter(|uid| *uid >= self.from) else { return Ok(None) };
        if self.held.contains(uid) {
            // A copy that we made: another client may have changed it, or what it was made from, meanwhile.
            if told.head.is_none()
                && let Some((flags, keywords)) = told.flags.take()
            {
                self.out.tell(Change::Flags { id: self.out.id(uid), flags, keywords })?;
            }
        }
        let is_held = self.held.contains(uid);
        if !is_held || told.head.is_some() {
            let words =
                told.flags.as_ref().map_or(0, |(_, words)| words.iter().map(|word| word.len() + 32).sum());
            self.bytes += told.head.as_ref().map_or(0, Vec::len) + words + 200;
            let those = if is_held { &mut self.shown } else { &mut self.waiting };
            those.push((uid, *told));
            if self.bytes > HELD_BACK {
                self.release()?;
            }
        }
        Ok(None)
    }

    fn literal(&mut self, _: &[u8], _: u64) -> Result<Place> {
        Ok(Place::Keep(HEADER))
    }

    fn is_bulk(&self) -> bool {
        true
    }
}

/// Asks for the headers of these messages.
pub(super) fn ask(link: &mut Link, wanted: &UidSet, held: &UidSet) -> Result<Vec<Tag>> {
    let items = items(&link.state.offers);
    let lines = sets::lines(&sets::spans(wanted, held));
    lines.iter().map(|line| link.send(&Command::new(format!("UID FETCH {line} {items}")))).collect()
}

/// Brings the headers of all `missing` messages, highest UID first; after each window the cursor covers
/// what was told. Ends early where the sink has enough.
pub(super) fn bring(
    link: &mut Link,
    out: &mut Out<'_>,
    mut missing: UidSet,
    held: &UidSet,
    mut at: Cursor,
) -> Result<Cursor> {
    let mut ahead: VecDeque<(Vec<Tag>, UidSet)> = VecDeque::new();
    let mut failed = UidSet::new();
    let mut size = NEXT;
    let mut heads = Heads::new(out, 1, held);
    let mut since = Instant::now();
    loop {
        while ahead.len() < AHEAD as usize && heads.out.flow == Flow::Continue && !missing.is_empty() {
            let wanted = sets::take_highest(&mut missing, size);
            ahead.push_back((ask(link, &wanted, held)?, wanted));
        }
        let Some((tags, wanted)) = ahead.pop_front() else { break };
        let mut refusal = None;
        for tag in &tags {
            let answer = link.answer(tag, &mut heads)?;
            refusal = refusal.or_else(|| (answer.verdict != Verdict::Ok).then_some(answer));
        }
        heads.release()?;
        if let Some(answer) = refusal {
            let left = sets::difference(&wanted, &heads.told);
            give_up_on(&answer, &left)?;
            for uid in left.iter().rev().take(AGAIN) {
                failed.insert(uid);
            }
        }
        let next = ahead.front().map_or(&missing, |(_, wanted)| wanted);
        at.backfill = sets::highest(next).map_or(1, |uid| uid.saturating_add(1));
        heads.out.tell(Change::Covered(at))?;
        size = paced(size, usize::try_from(wanted.len()).unwrap_or(MOST), since.elapsed());
        since = Instant::now();
    }
    // One by one what a window failed on. What fails again is passed over: it comes up again when the
    // server's count and ours are next compared.
    for uid in failed.iter().rev() {
        for tag in ask(link, &[uid].into_iter().collect(), held)? {
            link.answer(&tag, &mut heads)?;
        }
        heads.release()?;
    }
    Ok(at)
}

/// Whether a refused window can be passed over: the server may fail on one message (NO), but not
/// misunderstand (BAD).
fn give_up_on(answer: &Answer, left: &UidSet) -> Result<()> {
    if answer.verdict == Verdict::Bad {
        return Err(trouble::refused("the server does not tell of its messages", answer));
    }
    tracing::warn!(messages = left.len(), "the server failed on messages of a window");
    Ok(())
}

/// The size of the next window where the last one asked for has `size` messages, and one of `came` messages took so
/// long to come after the one before. The first of several that are asked for at once takes a round trip, and
/// tells little: so a size changes by half or twice at most.
fn paced(size: usize, came: usize, took: Duration) -> usize {
    let ideal = came as u128 * (PACE / AHEAD).as_micros() / took.as_micros().max(1);
    usize::try_from(ideal).unwrap_or(MOST).clamp(size / 2, size * 2).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_pace_of_the_line() {
        assert_eq!(paced(200, 50, Duration::from_millis(3)), 400);
        assert_eq!(paced(300, 300, Duration::from_millis(3)), MOST);
        assert_eq!(paced(200, 200, Duration::from_millis(100)), 100);
        assert_eq!(paced(100, 120, Duration::from_millis(50)), 120);
        assert_eq!(paced(30, 30, Duration::from_secs(60)), LEAST);
    }
}
