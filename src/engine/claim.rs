//! Who syncs an account: waits for the right to, and takes it over from a process that ended or hangs
//! (promise A4). Who waits hands on what its user wants.

use std::os::fd::AsFd;
use std::time::Instant;

use super::account::Worker;
use super::door::Note;
use super::event::{AccountState, Command};
use super::plan::Mode;
use crate::error::{Result, Retry};
use crate::store::{Holder, Locked, Wish};
use crate::text::Clean;

/// Why there is no search.
const ELSEWHERE: &str = "another mailtui syncs this account: search there";

/// A question to who syncs: whether it lives.
struct Asked {
    at: Instant,
    holder: Holder,
}

impl Worker<'_> {
    /// Whether another process has taken the account over.
    pub(super) fn is_ousted(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| !lock.is_held())
    }

    /// Waits for the right to sync this account; false: told to stop, or another process has it and there
    /// is nothing to wait for.
    ///
    /// A holder that ends lets go, which wakes us. One that hangs is found out by asking: now, whenever the
    /// user does something here, for as long as some of that is left to do, and as often as the server would
    /// be looked at.
    pub(super) fn claim(&mut self) -> Result<bool> {
        self.lock = None;
        let mut asked: Option<Asked> = None;
        let mut ask_at = Instant::now();
        loop {
            let locked = match &asked {
                Some(asked) if asked.at.elapsed() >= self.hangs_after => {
                    self.store.seize_account(self.id, &self.setup.account.name, &asked.holder)
                }
                _ => self.store.lock_account(self.id, &self.setup.account.name),
            };
            let holder = match locked {
                // A process that hangs in the middle of a transaction keeps the store locked: said, and waited for.
                Err(error) if self.mode == Mode::Watch && error.kind().retry() == Retry::Later => {
                    self.told.trouble(&error);
                    let until = Instant::now() + self.hangs_after;
                    self.door.rest(|bell| bell.wait(Some(until)));
                    self.stopping |= self.door.is_halted();
                    for note in self.door.take() {
                        self.heed(note);
                    }
                    if self.stopping {
                        return Ok(false);
                    }
                    continue;
                }
                Err(error) => return Err(error),
                Ok(Locked::Mine(lock)) => {
                    self.door.bell().set_guard(lock.watch());
                    self.lock = Some(lock);
                    self.begin_anew();
                    return Ok(true);
                }
                Ok(Locked::Held(holder)) => holder,
            };
            let who = holder.pid.map_or("another process".to_owned(), |pid| format!("process {pid}"));
            self.told.state(AccountState::Elsewhere { who: Clean::line(&who) });
            if self.mode == Mode::Once {
                self.report.elsewhere = Some(who);
                return Ok(false);
            }
            let now = Instant::now();
            if let Some(done) = asked.take_if(|asked| holder.has_stirred_since(&asked.holder)) {
                // What the user did since that question is a question of its own.
                if ask_at <= done.at {
                    ask_at = if self.is_anything_left() { now } else { now + self.setup.account.check_every };
                }
            }
            let end = holder.end().and_then(|end| end.try_clone_to_owned().ok());
            if asked.is_none() && ask_at <= now {
                asked = Some(Asked { at: now, holder });
                self.store.poke();
            }
            let until = asked.as_ref().map_or(ask_at, |asked| asked.at + self.hangs_after);
            let end = end.as_ref().map(AsFd::as_fd);
            self.door.rest(|bell| bell.wait_beside(end, Some(until)));
            if self.hand_on()? {
                ask_at = Instant::now();
            }
            if self.stopping {
                return Ok(false);
            }
        }
    }

    /// Whether who syncs has something to do for the user.
    fn is_anything_left(&self) -> bool {
        // A store that cannot be read says so where it is written to.
        self.reader.ops_waiting(self.id).unwrap_or(0) > 0 || self.reader.has_wishes(self.id).unwrap_or(false)
    }

    /// Reads the notes and asks for what the user wants of the process that syncs. Whether the user did
    /// something.
    fn hand_on(&mut self) -> Result<bool> {
        self.stopping |= self.door.is_halted();
        let mut did = false;
        for note in self.door.take() {
            let wish = match &note {
                Note::Command(Command::Sync(_)) => Some(Wish::Sync),
                Note::Command(Command::Fetch { message, .. }) => Some(Wish::Fetch(*message)),
                Note::Command(Command::Look { folder, .. }) => Some(Wish::Look(*folder)),
                // What it would find cannot be told here.
                Note::Command(Command::Search { folder, words, .. }) => {
                    self.tell_found(*folder, words.clone(), Err(Clean::line(ELSEWHERE)));
                    continue;
                }
                Note::Command(Command::Stop) | Note::Ops | Note::Foreign => None,
                Note::Bodies | Note::Watch(_) | Note::News(_) => None,
            };
            did |= wish.is_some() || note == Note::Ops;
            if let Some(wish) = wish {
                self.store.wish(self.id, wish)?;
            }
            // It may become ours to do.
            self.heed(note);
        }
        Ok(did)
    }

    /// Does what processes that wait ask for, as if it had been asked here.
    pub(super) fn take_wishes(&mut self) {
        if !self.is_live() || !self.reader.has_wishes(self.id).unwrap_or(false) {
            return;
        }
        // A store that cannot be written to says so in the step that needs it.
        let account = self.id;
        for wish in self.store.take_wishes(account).unwrap_or_default() {
            self.heed(Note::Command(match wish {
                Wish::Sync => Command::Sync(Some(account)),
                Wish::Fetch(message) => Command::Fetch { account, message },
                Wish::Look(folder) => Command::Look { account, folder },
            }));
        }
    }
}
