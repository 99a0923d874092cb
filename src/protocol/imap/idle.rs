//! Waiting for news: IDLE (RFC 2177), without a clock that ticks.

use std::time::{Duration, Instant};

use super::Session;
use super::answer::Verdict;
use super::command::Command;
use super::link::deaf;
use super::trouble;
use crate::error::Result;
use crate::net::Ready;
use crate::protocol::Wake;

/// An IDLE is renewed this long after it began; servers end one after 30 minutes (RFC 2177).
const RENEW: Duration = Duration::from_secs(28 * 60);

impl Session {
    /// Whether the server tells of news by itself.
    pub(super) fn can_idle(&self) -> bool {
        self.link.state.offers.has("IDLE") || self.link.state.offers.has("IMAP4REV2")
    }

    /// See [`MailProtocol::wait`](crate::protocol::MailProtocol::wait).
    pub(super) fn idle(&mut self, remote: &str, until: Instant) -> Result<Wake> {
        if !self.can_idle() {
            return Ok(Wake::Unsupported);
        }
        if self.interrupt.is_rung() {
            return Ok(Wake::Interrupted);
        }
        if self.is_behind(remote)? {
            return Ok(Wake::Changed);
        }
        if self.hears_elsewhere() {
            return Ok(Wake::Elsewhere);
        }
        loop {
            let renew = Instant::now() + RENEW;
            let tag = self.link.send(&Command::new("IDLE"))?;
            if !self.link.leave(&tag)? {
                let answer = self.link.answer(&tag, &mut deaf)?;
                // Offered, but not understood: there is no push after all.
                if answer.verdict == Verdict::Bad {
                    return Ok(Wake::Unsupported);
                }
                return Err(trouble::refused("the server does not tell of news", &answer));
            }
            // The interrupt may have rung while the server was slow: now it counts.
            self.link.begin(false);
            let woke = self.listen_until(&tag, until.min(renew))?;
            if woke == Some(Wake::TimedOut) && Instant::now() < until {
                continue;
            }
            if let Some(woke) = woke {
                return Ok(woke);
            }
        }
    }

    /// Listens to an IDLE until there is reason to end it. `None`: the server ended it by itself.
    fn listen_until(&mut self, tag: &str, until: Instant) -> Result<Option<Wake>> {
        let woke = loop {
            if self.link.state.news {
                break Wake::Changed;
            }
            if self.hears_elsewhere() {
                break Wake::Elsewhere;
            }
            if !self.link.state.is_open(tag) {
                return Ok(None);
            }
            // A server that never stops talking does not keep these from counting.
            if self.interrupt.is_rung() {
                break Wake::Interrupted;
            }
            if Instant::now() >= until {
                break Wake::TimedOut;
            }
            match self.link.wait(until)? {
                Ready::Data => self.link.listen(&mut deaf)?,
                Ready::TimedOut => break Wake::TimedOut,
                Ready::Interrupted => break Wake::Interrupted,
            }
        };
        // Its answer is heard in passing, with the next command's.
        if self.link.state.is_open(tag) {
            self.link.say(b"DONE\r\n")?;
        }
        Ok(Some(woke))
    }

    /// See [`MailProtocol::passed_on`](crate::protocol::MailProtocol::passed_on).
    pub(super) fn is_told(&mut self, remote: &str) {
        if let Some(mailbox) = self.link.state.selected.as_ref().filter(|mailbox| mailbox.remote == remote) {
            self.seen.insert(remote.to_owned(), mailbox.clone());
            self.link.state.news = false;
        }
    }

    /// Selects the folder; whether it changed since the last pull.
    fn is_behind(&mut self, remote: &str) -> Result<bool> {
        let now = self.link.open(remote)?;
        let seen = self.seen.entry(remote.to_owned()).or_insert_with(|| now.clone());
        // It may have been left and selected again since the pull.
        Ok(self.link.state.news || seen.top() != now.top() || seen.count != now.count)
    }
}
