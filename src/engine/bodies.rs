//! Takes raw mail as it streams in: a second thread hashes, packs and parses it, the store's thread writes.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use super::door::Door;
use super::pull::{Outgoing, arrival};
use super::told::Told;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, Flags, FolderId, MessageId};
use crate::protocol::twin::uidl_in;
use crate::protocol::{BodySink, Flow, FolderRef, MailProtocol, RemoteId};
use crate::store::{Batch, Incoming, Packed, Packer, Step, Store};

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

/// Fetches `wanted` from `folder` and returns when everything that came whole is durable.
/// Stops early, in order, when somebody knocks urgently. Returns how many came.
pub(super) fn fetch(
    session: &mut dyn MailProtocol,
    job: &Job<'_>,
    remote: &FolderRef,
    (wanted, order): (&HashMap<RemoteId, Wanted>, &[RemoteId]),
    door: &Door,
    told: &mut Told,
) -> Result<u64> {
    let (pieces, inbox) = sync_channel(PIECES);
    let (ended, press_ended) = sync_channel(1);
    std::thread::scope(|scope| {
        let press = scope.spawn(move || {
            let pressed = Press::new(job).and_then(|mut press| press.run(&inbox));
            // Nobody waits where the stream failed.
            let _ = ended.send(());
            pressed
        });
        let mut stream = Stream {
            pieces,
            wanted,
            door,
            told,
            held: Vec::new(),
            expected: 0,
            size: 0,
            came: 0,
            skip: false,
        };
        let fetched = session.fetch(remote, order, &mut stream);
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
struct Press<'a> {
    job: &'a Job<'a>,
    out: Outgoing<'a>,
    packer: Packer,
    at: Option<Half>,
}

/// A message of which not everything is there.
struct Half {
    wanted: Wanted,
    told_size: u64,
    /// Its row, once a first chunk had to be written.
    row: Option<MessageId>,
}

impl<'a> Press<'a> {
    fn new(job: &'a Job<'a>) -> Result<Self> {
        Ok(Self { job, out: Outgoing::new(job.store, job.account), packer: Packer::new()?, at: None })
    }

    fn run(&mut self, inbox: &Receiver<Piece>) -> Result<()> {
        loop {
            // While there is nothing to do, what came is handed on, so that it is kept (P4).
            let piece = match inbox.try_recv() {
                Ok(piece) => piece,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    self.out.send()?;
                    match inbox.recv() {
                        Ok(piece) => piece,
                        Err(_) => break,
                    }
                }
            };
            match piece {
                Piece::Begin(wanted, told_size) => {
                    // What did not become whole before it is forgotten.
                    self.packer.reset();
                    self.at = Some(Half { wanted, told_size, row: None });
                }
                Piece::Data(bytes) => self.data(&bytes)?,
                Piece::End => self.end()?,
            }
        }
        self.out.settle()
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(half) = &mut self.at else { return Ok(()) };
        for chunk in self.packer.push(bytes)? {
            let message = match half.row {
                Some(row) => row,
                None => {
                    let row = match &half.wanted {
                        Wanted::Body(message) => *message,
                        Wanted::Mail { uidl, told } => {
                            let first = self.packer.beginning();
                            stage(self.job, incoming(self.job, (uidl, *told), half.told_size, first))?
                        }
                    };
                    half.row = Some(row);
                    row
                }
            };
            self.out.push(Step::Part { message, chunk })?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let Some(half) = self.at.take() else { return Ok(()) };
        let first = self.packer.beginning();
        let facts = mime::facts(first);
        let taken = match half.wanted {
            Wanted::Body(message) => Err(message),
            Wanted::Mail { uidl, told } => {
                Ok(Box::new(incoming(self.job, (&uidl, told), half.told_size, first)))
            }
        };
        let (chunks, size, sha256) = self.packer.finish()?;
        let body = Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments };
        let step = match taken {
            Err(message) => Step::Body { message, body },
            Ok(mut incoming) => {
                (incoming.size, incoming.body) = (size, Some(body));
                match half.row {
                    None => Step::Message(incoming),
                    Some(message) => Step::Land { message, incoming },
                }
            }
        };
        self.out.push(step)
    }
}

fn stage(job: &Job<'_>, incoming: Incoming) -> Result<MessageId> {
    let steps = vec![Step::Stage(Box::new(incoming))];
    let committed = job.store.commit(Batch { account: job.account, steps })?;
    committed
        .messages
        .first()
        .copied()
        .ok_or_else(|| Error::new(Kind::Bug, "the store did not answer with a row"))
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
