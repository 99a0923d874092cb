//! Takes raw mail as it streams in: a second thread hashes, packs and parses it, the store's thread writes.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use super::door::Door;
use super::press::{Press, Target};
use super::pull::arrival;
use super::told::Told;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, Flags, FolderId, MessageId};
use crate::protocol::twin::uidl_in;
use crate::protocol::{BodySink, Flow, FolderRef, MailProtocol, RemoteId};
use crate::store::{Incoming, Store};

/// Pieces between the threads: with pieces of at most 64 KiB this bounds them at 8 MiB.
const PIECES: usize = 128;
const PIECE: usize = 64 << 10;
/// After so long without a word a server of POP3 kind may think that nobody is there (promise P10).
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// Where a raw message belongs.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// The row is there, the body is not (IMAP).
    Body(MessageId),
    /// Nothing is here yet (POP3, a spool); what was told of it beforehand.
    Mail { uidl: String, told: Beforehand },
}

/// What is known of a mail beside its bytes: flags, and when it came (Unix time; 0: not known). A POP3 server tells
/// neither, a spool both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Beforehand {
    pub(super) flags: Flags,
    pub(super) came: i64,
}

/// Where what is fetched goes.
pub(super) struct Job<'a> {
    pub(super) store: &'a Store,
    pub(super) account: AccountId,
    pub(super) folder: FolderId,
    /// Unix time: the arrival of what has no date at all.
    pub(super) now: i64,
}

enum Piece {
    Begin(Wanted, u64),
    Data(Vec<u8>),
    End,
}

/// What is fetched from one folder, in this order.
pub(super) struct Part {
    pub(super) remote: FolderRef,
    pub(super) order: Vec<RemoteId>,
    pub(super) wanted: HashMap<RemoteId, Wanted>,
}

/// Fetches these parts, one after the other without a pause, and returns when everything that came whole is durable.
/// Stops early, in order, when somebody knocks urgently. Returns how many came.
pub(super) fn fetch(
    session: &mut dyn MailProtocol,
    job: &Job<'_>,
    parts: &[Part],
    door: &Door,
    told: &mut Told,
) -> Result<u64> {
    let (pieces, inbox) = sync_channel(PIECES);
    let (ended, press_ended) = sync_channel(1);
    std::thread::scope(|scope| {
        let press = scope.spawn(move || {
            let pressed = Taker::new(job).and_then(|mut taker| taker.run(&inbox));
            // Nobody waits where the stream failed.
            let _ = ended.send(());
            pressed
        });
        let nothing = HashMap::new();
        let mut stream = Stream {
            pieces,
            wanted: &nothing,
            door,
            told,
            held: Vec::new(),
            expected: 0,
            size: 0,
            came: 0,
            skip: false,
        };
        let fetched = parts.iter().try_for_each(|part| {
            if stream.came > 0 && door.is_urgent() {
                return Ok(());
            }
            stream.wanted = &part.wanted;
            session.fetch(&part.remote, &part.order, &mut stream)
        });
        let came = stream.came;
        drop(stream);
        let kept = match fetched.is_ok() && session.caps().snapshot {
            true => wait_for(&press_ended, BUSY, &mut || session.keep_alive()),
            false => Ok(()),
        };
        // The press's error is the cause where both failed: a store that is full ends the stream too.
        match press.join() {
            Ok(pressed) => pressed?,
            Err(_) => return Err(Error::new(Kind::Bug, "the thread that packs mail died")),
        }
        fetched.and(kept).map(|()| came)
    })
}

/// Waits for the end of a work, and says something harmless to the server in between (promise P10).
fn wait_for(ended: &Receiver<()>, every: Duration, keep_alive: &mut dyn FnMut() -> Result<()>) -> Result<()> {
    while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        keep_alive()?;
    }
    Ok(())
}

/// The network's end: cuts the stream into pieces.
struct Stream<'a> {
    pieces: SyncSender<Piece>,
    wanted: &'a HashMap<RemoteId, Wanted>,
    door: &'a Door,
    told: &'a mut Told,
    held: Vec<u8>,
    /// Bytes of the message: as told, and as they came.
    expected: u64,
    size: u64,
    came: u64,
    /// A message that nobody asked for passes by.
    skip: bool,
}

impl Stream<'_> {
    fn pass(&self, piece: Piece) -> Result<()> {
        self.pieces.send(piece).map_err(|_| Error::new(Kind::Store, "mail could not be stored"))
    }

    fn pass_held(&mut self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        self.pass(Piece::Data(held))
    }
}

impl BodySink for Stream<'_> {
    fn begin(&mut self, id: &RemoteId, size: u64) -> Result<()> {
        self.held.clear();
        (self.expected, self.size) = (size, 0);
        let wanted = self.wanted.get(id);
        self.skip = wanted.is_none();
        wanted.map_or(Ok(()), |wanted| self.pass(Piece::Begin(wanted.clone(), size)))
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        if self.skip {
            return Ok(());
        }
        if self.held.capacity() == 0 {
            let left = usize::try_from(self.expected.saturating_sub(self.size)).unwrap_or(PIECE);
            self.held.reserve(left.clamp(bytes.len(), PIECE.max(bytes.len())));
        }
        self.size += bytes.len() as u64;
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE { self.pass_held() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<Flow> {
        if !self.skip {
            self.pass_held()?;
            self.pass(Piece::End)?;
            self.came += 1;
            self.told.add(1, self.size);
        }
        Ok(if self.door.is_urgent() { Flow::Stop } else { Flow::Continue })
    }
}

/// The packing end.
struct Taker<'a> {
    job: &'a Job<'a>,
    press: Press<'a>,
    /// What is coming, and its size as told.
    at: Option<(Wanted, u64)>,
}

impl<'a> Taker<'a> {
    fn new(job: &'a Job<'a>) -> Result<Self> {
        Ok(Self { job, press: Press::new(job.store, job.account)?, at: None })
    }

    fn run(&mut self, inbox: &Receiver<Piece>) -> Result<()> {
        loop {
            // While there is nothing to do, what came is handed on, so that it is kept (P4).
            let piece = match inbox.try_recv() {
                Ok(piece) => piece,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    self.press.out.send()?;
                    match inbox.recv() {
                        Ok(piece) => piece,
                        Err(_) => break,
                    }
                }
            };
            let job = self.job;
            match (piece, &self.at) {
                (Piece::Begin(wanted, told_size), _) => {
                    self.press.begin();
                    self.at = Some((wanted, told_size));
                }
                (Piece::Data(bytes), Some(at)) => self.press.data(&bytes, &|first| target(job, at, first))?,
                (Piece::End, Some(at)) => {
                    self.press.end(&|first| target(job, at, first))?;
                    self.at = None;
                }
                (Piece::Data(_) | Piece::End, None) => {}
            }
        }
        self.press.out.settle()
    }
}

fn target(job: &Job<'_>, (wanted, told_size): &(Wanted, u64), first: &[u8]) -> Target {
    match wanted {
        Wanted::Body(message) => Target::Body(*message),
        Wanted::Mail { uidl, told } => {
            Target::Mail(Box::new(incoming(job, (uidl, *told), *told_size, first)))
        }
    }
}

fn incoming(job: &Job<'_>, (uidl, told): (&str, Beforehand), size: u64, first: &[u8]) -> Incoming {
    let head = mime::header_block(first);
    let envelope = mime::envelope(head);
    Incoming {
        folder: job.folder,
        uid: None,
        uidl: Some(uidl_in(uidl).to_owned()),
        remote_id: None,
        flags: told.flags,
        keywords: Vec::new(),
        size,
        received: arrival(told.came, head, envelope.date, job.now),
        internal: 0,
        envelope,
        body: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p10_a_busy_side_says_so_until_its_work_is_done() {
        let (done, ended) = sync_channel(1);
        let mut said = 0;
        wait_for(&ended, Duration::from_millis(1), &mut || {
            said += 1;
            if said == 3 {
                done.send(()).map_err(|_| Error::new(Kind::Bug, "nobody waits"))?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(said, 3);
        let mut lost = || Err(Error::new(Kind::Offline, "the connection was cut"));
        let (_alive, never) = sync_channel(1);
        assert_eq!(wait_for(&never, Duration::from_millis(1), &mut lost).unwrap_err().kind(), Kind::Offline);
    }
}
