//! The conversation: tags, commands out, responses in, and what a server says unasked.
//!
//! Commands may be sent before earlier ones are answered; answers are told apart by their tags. Every
//! response passes through here, so that nothing said in passing (new mail, changed capabilities,
//! goodbye) is missed, whatever command it comes with.

use std::time::{Duration, Instant};

use super::answer::{Answer, Verdict};
use super::command::{Command, Piece};
use super::framer::{Framer, Go};
pub(super) use super::hearing::{Ear, Tag, deaf};
use super::hearing::{Hearing, State, Until};
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::net::{LINE_LIMIT, Ready, Taken, Wire};
use crate::protocol::BodySource;

/// How long a command goes on after the interrupt rang, if the server keeps silent.
const GRACE: Duration = Duration::from_secs(1);
/// A line may be as long as a response.
const LONGEST_LINE: usize = 16 << 20;
const _: () = assert!(LONGEST_LINE > LINE_LIMIT);

/// So many times as long the server may keep silent while it copies, moves or expunges.
const LONG: u32 = 4;
/// One conversation with a server.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) wire: Wire,
    framer: Framer,
    /// What was learned from the server.
    pub(super) state: State,
    /// How long the server may keep silent.
    silence: Duration,
    next_tag: u32,
    /// The interrupt rang while a command was under way.
    hurried: bool,
    /// Whether a command may go on for a moment after the interrupt rang.
    pub(super) patient: bool,
}

impl Link {
    /// A conversation over this connection, in which nothing was said yet.
    pub(super) fn new(wire: Wire, silence: Duration) -> Self {
        let state = State { host: wire.host(), ..State::default() };
        Self { wire, framer: Framer::default(), state, silence, next_tag: 0, hurried: false, patient: false }
    }

    /// Forgets what was said in clear (RFC 9051 section 6.2.1).
    pub(super) fn forget(&mut self) {
        self.framer = Framer::default();
        self.state = State { host: std::mem::take(&mut self.state.host), ..State::default() };
    }

    /// Makes ready for the next operation: from now on the interrupt counts again.
    pub(super) fn begin(&mut self, long: bool) {
        self.hurried = false;
        self.wire.heed_interrupt(true);
        self.wire.set_read_timeout(if long { self.silence * LONG } else { self.silence });
    }

    /// Sends a command. It may come back as answered already, where the server refused a literal.
    pub(super) fn send(&mut self, command: &Command<'_>) -> Result<Tag> {
        let (tag, last) = self.lead(command)?;
        if let Some(mut last) = last {
            last.extend_from_slice(b"\r\n");
            self.say(&last)?;
        }
        Ok(tag)
    }

    /// Sends a command that ends in a message as a literal of this size, between these: `~` or nothing, or what
    /// frames one with text in UTF-8 in its header.
    pub(super) fn send_message(
        &mut self,
        command: &Command<'_>,
        (before, size, after): (&str, u64, &str),
        raw: &mut dyn BodySource,
    ) -> Result<Tag> {
        let (tag, last) = self.lead(command)?;
        let Some(mut last) = last else { return Ok(tag) };
        let free = usize::try_from(size).is_ok_and(|size| self.state.offers.takes_literal(size));
        let sign = if free { "+" } else { "" };
        last.extend_from_slice(format!("{before}{{{size}{sign}}}\r\n").as_bytes());
        self.say(&last)?;
        if !free && !self.leave(&tag)? {
            return Ok(tag);
        }
        let mut said = 0;
        let read = raw.read(&mut |bytes| {
            said += bytes.len() as u64;
            self.say(bytes)
        });
        if read.is_err() || said != size {
            // The server waits for the rest: nothing sensible can follow.
            self.wire.close();
            read?;
            return Err(Error::new(Kind::Store, "a mail in the store is not as long as it should be"));
        }
        self.say(after.as_bytes())?;
        self.say(b"\r\n")?;
        Ok(tag)
    }

    /// Hears whether names and headers are in UTF-8 from now on: nothing but greetings was said before that answer.
    pub(super) fn know_letters(&mut self) -> Result<()> {
        self.state.enabling.take().map_or(Ok(()), |tag| self.pass(&tag))
    }

    /// Sends a command up to its last piece of text, which comes back; `None`: it is answered already.
    fn lead(&mut self, command: &Command<'_>) -> Result<(Tag, Option<Vec<u8>>)> {
        if command.has_encoded() {
            self.know_letters()?;
        }
        let command = command.named(self.state.reads_utf8);
        self.next_tag = self.next_tag.wrapping_add(1);
        let tag = format!("m{}", self.next_tag);
        self.state.open.push(tag.clone());
        let mut out = format!("{tag} ").into_bytes();
        for piece in command.pieces() {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Literal(bytes) => {
                    let free = self.state.offers.takes_literal(bytes.len());
                    let sign = if free { "+" } else { "" };
                    out.extend_from_slice(format!("{{{}{sign}}}\r\n", bytes.len()).as_bytes());
                    if !free {
                        self.say(&std::mem::take(&mut out))?;
                        if !self.leave(&tag)? {
                            return Ok((tag, None));
                        }
                    }
                    out.extend_from_slice(bytes);
                }
                // A command that has its names holds none.
                Piece::Mailbox(_) => {}
            }
        }
        Ok((tag, Some(out)))
    }

    /// Says bytes that belong to a command under way.
    pub(super) fn say(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() { Ok(()) } else { self.wire.send(bytes) }
    }

    /// Waits for `+`, or for the answer to `tag`, which means no. Whatever else comes first is noted.
    pub(super) fn leave(&mut self, tag: &str) -> Result<bool> {
        self.state.turn = None;
        self.pump(Until::Leave(tag), &mut deaf)?;
        Ok(self.state.turn.is_some())
    }

    /// Listens until the command is answered.
    pub(super) fn answer(&mut self, tag: &str, ear: &mut dyn Ear) -> Result<Answer> {
        if !self.state.answered.iter().any(|(t, _)| t == tag) {
            self.pump(Until::Answer(tag), ear)?;
        }
        let at = self.state.answered.iter().position(|(t, _)| t == tag);
        let answer = at.map(|at| self.state.answered.swap_remove(at).1);
        answer.ok_or_else(|| Error::new(Kind::Bug, "an answer was lost"))
    }

    /// Listens until the command is answered, to nothing; its answer can still be asked for.
    pub(super) fn pass(&mut self, tag: &str) -> Result<()> {
        if self.state.is_open(tag) { self.pump(Until::Answer(tag), &mut deaf) } else { Ok(()) }
    }

    /// Sends a command and listens until it is answered, which must be OK; `doing` is what else could
    /// not be done.
    pub(super) fn ask(&mut self, doing: &str, command: &Command<'_>, ear: &mut dyn Ear) -> Result<Answer> {
        let tag = self.send(command)?;
        let answer = self.answer(&tag, ear)?;
        if answer.verdict == Verdict::Ok { Ok(answer) } else { Err(trouble::refused(doing, &answer)) }
    }

    /// Listens to one response that is no answer: the greeting, or news while idling.
    pub(super) fn listen(&mut self, ear: &mut dyn Ear) -> Result<()> {
        self.pump(Until::Response, ear)
    }

    /// Waits until there is something to listen to.
    pub(super) fn wait(&mut self, until: Instant) -> Result<Ready> {
        self.wire.poll_readable(until)
    }

    /// For whoever speaks by himself: he said a command with this tag.
    pub(super) fn said(&mut self, tag: &str) {
        self.state.open.push(tag.to_owned());
    }

    /// For whoever speaks by himself: the next continuation, or the next answer with its tag.
    pub(super) fn turn(&mut self) -> Result<std::result::Result<Vec<u8>, (Tag, Answer)>> {
        self.state.turn = None;
        self.pump(Until::Turn, &mut deaf)?;
        match (self.state.turn.take(), self.state.answered.pop()) {
            (Some(challenge), _) => Ok(Ok(challenge)),
            (None, Some(answer)) => Ok(Err(answer)),
            (None, None) => Err(Error::new(Kind::Bug, "an answer was lost")),
        }
    }

    /// Listens until `until`. After an error the conversation is over: what was half heard is not mended.
    fn pump(&mut self, until: Until<'_>, ear: &mut dyn Ear) -> Result<()> {
        let Self { wire, framer, state, .. } = self;
        let bulk = ear.is_bulk();
        let mut hearing = Hearing::new(state, ear, until);
        loop {
            let heard = if bulk || !framer.is_between() {
                let mut last = Go::On;
                let streamed = wire.stream(&mut |bytes| {
                    let (used, go) = framer.feed(bytes, &mut hearing)?;
                    last = go;
                    Ok(if go == Go::Enough { Taken::Last(used) } else { Taken::All })
                });
                streamed.map(|()| last)
            } else {
                wire.read_line(LONGEST_LINE)
                    .and_then(|line| framer.feed(&line, &mut hearing).map(|(_, go)| go))
            };
            let error = match (heard, hearing.failure.take()) {
                (Ok(Go::Enough), None) => return Ok(()),
                (Ok(Go::On), None) => continue,
                (_, Some(failure)) => failure,
                (Err(e), None) if e.kind() == Kind::Interrupted && self.patient && !self.hurried => {
                    self.hurried = true;
                    wire.heed_interrupt(false);
                    wire.set_read_timeout(GRACE);
                    continue;
                }
                (Err(e), None) if e.kind() == Kind::Timeout && self.hurried => {
                    Error::new(Kind::Interrupted, "the wait for the server was interrupted").because(e)
                }
                (Err(e), None) => e,
            };
            wire.close();
            return Err(error);
        }
    }
}
