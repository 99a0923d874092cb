//! Listening: who takes which response, and what is learned from all of them.

use std::time::{Duration, Instant};

use super::about;
use super::answer::{Answer, Code, Verdict};
use super::framer::{Cuts, Go, Place};
use super::list::NAME;
use super::names::{self, plain};
use super::offers::Offers;
use super::reply::{self, Counted, Reply};
use super::select::Mailbox;
use super::sets::Ranges;
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::About;

/// How long a command may go on with nothing coming but what was not asked for, and how much of that.
const CHATTER_TIME: Duration = Duration::from_secs(600);
const CHATTER: u32 = 2_000_000;
/// The largest literal that is kept whole where none is expected, and the largest that is read past.
const LITERAL_KEPT: u64 = 1 << 20;
const LITERAL_TAKEN: u64 = 64 << 20;
/// So many alerts of so many letters are kept until they are asked for.
const ALERTS: usize = 4;
const ALERT: usize = 400;
/// So many words on other folders are kept: there are no more folders than that.
const COUNTED: usize = 50_000;

/// Listens to the responses of a command.
pub(super) trait Ear {
    /// Takes a response it waits for, or gives it back.
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>>;

    /// Where a literal belongs; `so_far` is the response up to it.
    fn literal(&mut self, so_far: &[u8], size: u64) -> Result<Place> {
        let _ = so_far;
        if size > LITERAL_TAKEN {
            return Err(Error::new(
                Kind::Protocol,
                format!("the server announced a literal of {size} bytes where a few were expected"),
            ));
        }
        Ok(Place::Keep(LITERAL_KEPT))
    }

    /// Bytes of a literal that is handed through.
    fn through(&mut self, bytes: &[u8]) -> Result<()> {
        let _ = bytes;
        Ok(())
    }

    /// Whether so much is expected that the transcript had better not show it.
    fn is_bulk(&self) -> bool {
        false
    }
}

impl<F: FnMut(Reply) -> Result<Option<Reply>>> Ear for F {
    fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        self(reply)
    }
}

/// An ear that waits for nothing.
pub(super) fn deaf(reply: Reply) -> Result<Option<Reply>> {
    Ok(Some(reply))
}

/// The name of a command that was sent.
pub(super) type Tag = String;

/// What ends the listening.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until<'a> {
    /// The answer to this command.
    Answer(&'a str),
    /// A continuation, or the answer to this command.
    Leave(&'a str),
    /// A continuation, or any answer.
    Turn,
    /// One response.
    Response,
}

/// What the server told.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) offers: Offers,
    pub(super) selected: Option<Mailbox>,
    /// What vanished is told by UID, also for the time before a SELECT (QRESYNC, RFC 7162).
    pub(super) resyncs: bool,
    /// Names and quoted strings are in UTF-8 from now on (RFC 6855); the command that asks for it, until it mattered.
    pub(super) reads_utf8: bool,
    pub(super) enabling: Option<Tag>,
    /// The server tells of news in other folders too (NOTIFY, RFC 5465), and what it told.
    pub(super) notifies: bool,
    pub(super) counted: Vec<Counted>,
    /// Something in the selected mailbox may have changed that no pull has seen.
    pub(super) news: bool,
    /// Commands that are not answered yet.
    pub(super) open: Vec<Tag>,
    /// Those of them that were said before the last SELECT.
    pub(super) before: Vec<Tag>,
    /// Answers that nobody asked for yet.
    pub(super) answered: Vec<(Tag, Answer)>,
    /// The last continuation.
    pub(super) turn: Option<Vec<u8>>,
    pub(super) host: String,
    /// What the server told of itself.
    pub(super) about: About,
    /// Something was refused because the mailbox is full (OVERQUOTA).
    pub(super) is_full: bool,
    /// What the server wants to be read.
    pub(super) alerts: Vec<crate::text::Clean>,
}

/// One listening.
pub(super) struct Hearing<'a> {
    state: &'a mut State,
    ear: &'a mut dyn Ear,
    until: Until<'a>,
    /// An error of the ear, which is not one of the connection.
    pub(super) failure: Option<Error>,
    /// Responses that nobody waited for.
    chatter: u32,
    since: Instant,
}

impl<'a> Hearing<'a> {
    /// A listening that ends with `until`.
    pub(super) fn new(state: &'a mut State, ear: &'a mut dyn Ear, until: Until<'a>) -> Self {
        Self { state, ear, until, failure: None, chatter: 0, since: Instant::now() }
    }

    fn own<T>(&mut self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|e| {
            self.failure = Some(e);
            Error::new(Kind::Bug, "the listener failed")
        })
    }

    fn untagged(&mut self, mut reply: Reply) -> Result<()> {
        if self.state.reads_utf8 {
            reply.names().for_each(names::from_utf8);
        }
        self.state.watch(&reply)?;
        let heard = self.ear.hear(reply);
        match self.own(heard)? {
            None => self.since = Instant::now(),
            Some(reply) => {
                self.state.note(&reply);
                self.chatter += 1;
                if self.chatter > CHATTER || self.since.elapsed() > CHATTER_TIME {
                    return Err(Error::new(
                        Kind::Protocol,
                        format!("{} talks on without answering", self.state.host),
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Cuts for Hearing<'_> {
    fn literal(&mut self, so_far: &[u8], size: u64) -> Result<Place> {
        let place = self.ear.literal(so_far, size);
        self.own(place)
    }

    fn through(&mut self, bytes: &[u8]) -> Result<()> {
        let taken = self.ear.through(bytes);
        self.own(taken)
    }

    fn whole(&mut self, frame: &[u8]) -> Result<Go> {
        let enough = match reply::read(frame) {
            Reply::Done { tag, answer } => {
                let Some(at) = self.state.open.iter().position(|t| *t == tag) else {
                    tracing::warn!(%tag, "an answer to a command that was not sent");
                    return Ok(Go::On);
                };
                self.state.open.swap_remove(at);
                self.state.learn(&answer);
                let enough = match self.until {
                    Until::Answer(wanted) | Until::Leave(wanted) => wanted == tag,
                    Until::Turn => true,
                    Until::Response => false,
                };
                self.state.answered.push((tag, answer));
                enough
            }
            Reply::Continue(challenge) => {
                self.state.turn = Some(challenge);
                matches!(self.until, Until::Leave(_) | Until::Turn)
            }
            reply => {
                self.untagged(reply)?;
                false
            }
        };
        let enough = enough || matches!(self.until, Until::Response);
        Ok(if enough { Go::Enough } else { Go::On })
    }
}

impl State {
    /// Whether this command is not answered yet.
    pub(super) fn is_open(&self, tag: &str) -> bool {
        self.open.iter().any(|open| open == tag)
    }

    /// Forgets answers that nobody will ask for.
    pub(super) fn settle(&mut self) {
        self.answered.clear();
    }

    /// Sees every response, whoever takes it.
    fn watch(&mut self, reply: &Reply) -> Result<()> {
        match reply {
            Reply::Offers(words) => self.offers = Offers::new(words.clone()),
            Reply::Enabled(words) => {
                self.resyncs |= words.iter().any(|word| word == "QRESYNC");
                self.reads_utf8 |= words.iter().any(|word| word == "UTF8=ACCEPT");
            }
            Reply::Says(answer) => {
                self.learn(answer);
                if answer.verdict == Verdict::Bye {
                    return Err(trouble::bye(&self.host, answer));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn learn(&mut self, answer: &Answer) {
        if let Some(Code::Capability(words)) = &answer.code {
            self.offers = Offers::new(words.clone());
        }
        if answer.says("NOTIFICATIONOVERFLOW") {
            // It gave up telling: what is missed so is found by the next list of folders.
            self.notifies = false;
        }
        self.is_full |= answer.says("OVERQUOTA");
        if answer.says("ALERT") {
            let text: String = answer.text.chars().take(ALERT).collect();
            if self.alerts.len() < ALERTS && !text.trim().is_empty() {
                self.alerts.push(crate::text::Clean::line(text.trim()));
            }
        }
    }

    /// Notes what nobody waited for: what it says of the selected mailbox is news.
    fn note(&mut self, reply: &Reply) {
        if let Reply::Status(counts) = reply
            && self.notifies
            && self.counted.len() < COUNTED
            && counts.name.len() <= NAME
        {
            self.counted.push(Counted { name: plain(&counts.name), ..counts.clone() });
        }
        match reply {
            Reply::Id(name) => self.about.server = name.clone().unwrap_or_default(),
            Reply::Quota(Some(quota)) => {
                self.about.quota = Some(about::tighter(self.about.quota, *quota));
            }
            _ => {}
        }
        let Some(mailbox) = &mut self.selected else { return };
        match reply {
            Reply::Exists(count) => {
                self.news |= mailbox.exists != *count;
                mailbox.exists = *count;
            }
            Reply::Expunge => {
                mailbox.exists = mailbox.exists.saturating_sub(1);
                self.news = true;
            }
            Reply::Vanished { earlier, uids } => {
                // How many went earlier is in the count already.
                let gone = uids.as_ref().filter(|_| !earlier).map_or(0, Ranges::count);
                mailbox.exists = mailbox.exists.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
                self.news = true;
            }
            Reply::Fetch(_) => self.news = true,
            // Numbered anew while it is open: no UID of before is said any more (promise I2).
            Reply::Says(Answer { code: Some(Code::UidValidity(validity)), .. }) => {
                self.news |= mailbox.validity != *validity;
                mailbox.validity = *validity;
            }
            _ => {}
        }
    }
}
