//! The thread that sends an account's mail (promises O1 to O3): when it is due, over a connection of its own.
//!
//! What is about to be told to a server is written down before it is told. Where that fails, because another process
//! was faster or the user took the mail back, the connection is dropped before the end of the mail, and nobody gets it.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::account::now;
use super::append::Stored;
use super::backoff;
use super::door::{Door, Note};
use super::event::{Command, Event};
use super::{Dispatch, Emit, Setup};
use crate::error::{Error, Kind, Result, Retry};
use crate::model::AccountId;
use crate::net::Interrupt;
use crate::protocol::outgoing::{Delivery, End, Errand, Judged, Transport};
use crate::store::outbox::{Due, Step, Told};
use crate::store::{PostLocked, Reader, Store};
use crate::text::Clean;

/// So many mails are looked up at a time.
const AT_ONCE: usize = 50;
/// The first wait after a server said to try later; doubled each time.
const LATER: i64 = 300;
/// The longest.
const LATEST: i64 = 4 * 3600;

/// What sending came to.
#[derive(Debug, Default)]
pub struct Posted {
    /// Mails that a server has.
    pub sent: u64,
    /// What went wrong first.
    pub trouble: Option<Error>,
    /// The other process that sends this account's mail.
    pub elsewhere: Option<u32>,
}

/// Sends what is due of an account, once: for the command line. What waits for another try is tried.
pub fn send_due(store: &Store, setup: &Setup, interrupt: &Interrupt) -> Result<Posted> {
    let account = &setup.account;
    let id = store.account(&account.name, setup.protocol, setup.owner, &account.remote_key())?;
    let Some(dispatch) = &setup.post else { return Ok(Posted::default()) };
    let _lock = match store.lock_outbox(id, &account.name)? {
        PostLocked::Mine(lock) => lock,
        PostLocked::Held(holder) => return Ok(Posted { elsewhere: holder.pid, ..Posted::default() }),
    };
    let post = Post { store, reader: store.lister()?, account: id, dispatch };
    post.send(interrupt, true)
}

/// Sends until told to stop.
pub(super) fn run(
    store: &Store,
    (id, name): (AccountId, &str),
    dispatch: &Dispatch,
    door: &Door,
    emit: &Emit,
) {
    let trouble = |error: &Error| {
        let (text, hint) = (Clean::line(&error.to_string()), error.hint_text().map(Clean::line));
        emit(Event::Trouble { account: id, text, hint });
    };
    let mut tries = 0;
    loop {
        let end = match work(store, (id, name), dispatch, door, &mut |posted| {
            (0..posted.sent).for_each(|_| emit(Event::Sent { account: id }));
            posted.trouble.iter().for_each(trouble);
        }) {
            Ok(()) => return,
            Err(error) => error,
        };
        // The store cannot be used: said, and tried again.
        if end.kind() != Kind::Interrupted {
            trouble(&end);
        }
        tries += 1;
        let until = Instant::now() + backoff::delay(tries + 3, backoff::random());
        door.rest(|bell| bell.wait(Some(until)));
        if hears_stop(door, &mut false) {
            return;
        }
    }
}

fn work(
    store: &Store,
    (id, name): (AccountId, &str),
    dispatch: &Dispatch,
    door: &Door,
    tell: &mut dyn FnMut(&Posted),
) -> Result<()> {
    let mut eager = false;
    let lock = loop {
        if hears_stop(door, &mut eager) {
            return Ok(());
        }
        match store.lock_outbox(id, name)? {
            PostLocked::Mine(lock) => break lock,
            PostLocked::Held(holder) => {
                let end = holder.end().and_then(|end| end.try_clone_to_owned().ok());
                let end = end.as_ref().map(AsFd::as_fd);
                door.rest(|bell| bell.wait_beside(end, None));
            }
        }
    };
    let post = Post { store, reader: store.lister()?, account: id, dispatch };
    loop {
        if hears_stop(door, &mut eager) {
            drop(lock);
            return Ok(());
        }
        let posted = post.send(door.bell(), std::mem::take(&mut eager))?;
        if posted.sent > 0 || posted.trouble.is_some() {
            tell(&posted);
        }
        let wait = match post.reader.next_mail_at(id)? {
            Some(at) if at <= now() => continue,
            at => at.map(|at| Duration::from_secs(u64::try_from(at - now()).unwrap_or(0))),
        };
        door.rest(|bell| bell.wait(wait.map(|wait| Instant::now() + wait)));
    }
}

/// Reads the notes; whether one says to stop. `eager`: the user asks for another try.
fn hears_stop(door: &Door, eager: &mut bool) -> bool {
    let mut stop = door.is_halted();
    for note in door.take() {
        stop |= note == Note::Command(Command::Stop);
        *eager |= matches!(note, Note::Command(Command::Sync(_)));
    }
    stop
}

/// Who sends.
struct Post<'a> {
    store: &'a Store,
    reader: Reader,
    account: AccountId,
    dispatch: &'a Dispatch,
}

impl Post<'_> {
    /// Sends what is due, over one connection as far as it goes.
    fn send(&self, interrupt: &Interrupt, eager: bool) -> Result<Posted> {
        let mut posted = Posted::default();
        if self.reader.has_unsure(self.account)? {
            self.store.find_in_sent(self.account)?;
        }
        let mut transport: Option<Box<dyn Transport>> = None;
        let (mut down, mut told_down) = (None, false);
        // Each once: what is put off again is not due again at once.
        for due in self.reader.due_mail(self.account, now(), eager, AT_ONCE)? {
            if interrupt.is_rung() {
                break;
            }
            // No way to the server holds for all: neither is it dialled nor a secret tried for each (promise A7).
            if let Some(down) = &down {
                let (step, _) = self.failed(&due, down, &[], 0);
                self.store.step_out(due.id, step)?;
                continue;
            }
            let step = match self.opened(&mut transport, interrupt) {
                Ok(open) => self.try_one(open, &due)?,
                Err(error) => {
                    let (step, is_trouble) = self.failed(&due, &error, &[], 0);
                    self.store.step_out(due.id, step)?;
                    down = Some(error);
                    told_down = is_trouble;
                    continue;
                }
            };
            // Taken back, or another was faster; the line may be used no more.
            let Some((step, trouble)) = step else { continue };
            posted.sent += u64::from(matches!(step, Step::Taken { .. }));
            self.store.step_out(due.id, step)?;
            if posted.trouble.is_none() {
                posted.trouble = trouble;
            }
        }
        if posted.trouble.is_none() && told_down {
            posted.trouble = down;
        }
        if let Some(open) = transport {
            open.finish();
        }
        Ok(posted)
    }

    fn opened<'t>(
        &self,
        transport: &'t mut Option<Box<dyn Transport>>,
        interrupt: &Interrupt,
    ) -> Result<&'t mut dyn Transport> {
        if transport.as_ref().is_some_and(|open| !open.is_open()) {
            *transport = None;
        }
        let open = match transport {
            Some(open) => open,
            None => transport.insert((self.dispatch)(interrupt)?),
        };
        Ok(open.as_mut())
    }

    /// One try; `None`: it is not ours to send any more.
    fn try_one(&self, open: &mut dyn Transport, due: &Due) -> Result<Option<(Step, Option<Error>)>> {
        let errand =
            Errand { from: due.from.clone(), to: due.to.clone(), size: due.size, eight_bit: due.eight_bit };
        let mut bytes = Stored { reader: &self.reader, message: due.message };
        let mut lost = false;
        let tried = open.deliver(&errand, &mut bytes, &mut |judged| {
            let taken =
                named(due, judged, |one| matches!(one, Judged::Taken)).map(|(addr, _)| addr).collect();
            if self.store.step_out(due.id, Step::Dot(taken))? {
                return Ok(());
            }
            lost = true;
            Err(Error::new(Kind::Interrupted, "the mail was taken back"))
        });
        let Delivery { judged, end } = match tried {
            Ok(delivery) => delivery,
            Err(_) if lost => return Ok(None),
            Err(error) => {
                let (step, is_trouble) = self.failed(due, &error, &[], 0);
                return Ok(Some((step, is_trouble.then_some(error))));
            }
        };
        let refused: Vec<Told> = named(due, &judged, |one| matches!(one, Judged::Refused(_))).collect();
        let retry_at = now() + later(due.tries);
        Ok(Some(match end {
            End::Taken(_) => {
                let put_off = named(due, &judged, |one| matches!(one, Judged::Later(_))).collect();
                let trouble = refused.first().map(|(addr, words)| {
                    let text = format!("{} did not get the mail", Clean::line(addr));
                    Error::new(Kind::Refused, text).because(words.clone().unwrap_or_default())
                });
                (Step::Taken { refused, later: put_off, retry_at }, trouble)
            }
            End::Later(error) => {
                let (step, is_trouble) = self.failed(due, &error, &refused, later(due.tries));
                (step, is_trouble.then_some(error))
            }
            End::Refused(error) => (Step::Refused { error: error.to_string(), refused }, Some(error)),
            End::Unsure(error) => {
                let text = "it is not known whether the mail was sent: the answer to its end did not come";
                (Step::Unsure(error.to_string()), Some(Error::new(Kind::Offline, text).because(error)))
            }
        }))
    }

    /// Nobody got it. What only the user can mend waits for the user; the rest is tried again, after at least so many
    /// seconds. Whether that is worth telling.
    fn failed(&self, due: &Due, error: &Error, refused: &[Told], least: i64) -> (Step, bool) {
        let words = error.to_string();
        let kind = error.kind();
        let for_user = matches!(kind, Kind::Auth | Kind::Config | Kind::Unsupported | Kind::Refused)
            || (kind.retry() == Retry::Never && kind != Kind::Conflict);
        let refused = refused.to_vec();
        if for_user {
            return (Step::Refused { error: words, refused }, true);
        }
        let wait = backoff::delay(due.tries + 2, backoff::random());
        let wait = i64::try_from(wait.as_secs()).unwrap_or(LATER).max(least).max(1);
        let is_stop = kind == Kind::Interrupted;
        let retry_at = if is_stop { now() } else { now() + wait };
        (Step::Later { error: words, refused, retry_at }, !is_stop)
    }
}

fn later(tries: u32) -> i64 {
    LATER.saturating_mul(1 << tries.min(10)).min(LATEST)
}

/// The recipients of which this was said, with the words.
fn named<'a>(
    due: &'a Due,
    judged: &'a [Judged],
    is: impl Fn(&Judged) -> bool + 'a,
) -> impl Iterator<Item = Told> + 'a {
    due.to.iter().zip(judged).filter(move |(_, one)| is(one)).map(|(addr, one)| {
        let words = match one {
            Judged::Taken => None,
            Judged::Later(words) | Judged::Refused(words) => Some(words.clone()),
        };
        (addr.clone(), words)
    })
}
