//! How a maildrop is taken: what comes whole, what as a stub, how much in one session, and when the next begins.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::account::{Worker, no_session};
use super::plan::Mode;
use crate::config::{Leave, Portion};
use crate::protocol::Terms;

/// A mail of the listing that is not here: its name and its size, as listed.
pub(super) type Listed = (String, u64);

/// A pause between two sign-ins that is waited for within one round; for a longer one a session is not split.
const SHORT: Duration = Duration::from_secs(30);
/// A maildrop of which every mail is new, and that is of this size, may be a part of a larger one (P13).
const PARTS: std::ops::RangeInclusive<usize> = 100..=1500;

/// What one round has taken so far, over all its sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

/// What a session takes of the mail that is listed and not here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shares {
    /// To come whole.
    pub(super) whole: VecDeque<Listed>,
    /// Larger than wanted: their headers come.
    pub(super) heads: VecDeque<Listed>,
    /// For the session after this one.
    pub(super) next: u64,
    /// Beyond what one look takes: they come with later looks.
    pub(super) left: u64,
}

/// Divides what is new, newest first. `split`: whether a long session is divided at all.
pub(super) fn share(new: VecDeque<Listed>, portion: &Portion, spent: Spent, split: bool) -> Shares {
    let mut shares = Shares::default();
    let Spent { mut messages, mut bytes } = spent;
    let mut taken = 0;
    let total = new.len() as u64;
    for (uidl, size) in new {
        let is_head = portion.max_size.is_some_and(|most| size > most || most == 0);
        let cost = if is_head { 0 } else { size };
        let too_many = portion.messages.is_some_and(|most| messages >= most);
        // The first one comes in any case, or a single large mail would block all behind it for ever.
        let too_much = messages > 0 && portion.bytes.is_some_and(|most| bytes.saturating_add(cost) > most);
        if too_many || too_much {
            shares.left = total - taken;
            break;
        }
        if split && taken >= portion.reconnect_every {
            shares.next = total - taken;
            break;
        }
        (messages, bytes, taken) = (messages + 1, bytes.saturating_add(cost), taken + 1);
        if is_head { &mut shares.heads } else { &mut shares.whole }.push_back((uidl, size));
    }
    shares
}

/// When the server may be asked again, and how often.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// The last sign-in.
    at: Option<Instant>,
    pub(super) terms: Terms,
}

impl Pace {
    pub(super) fn signed_in(&mut self, terms: Terms) {
        (self.at, self.terms) = (Some(Instant::now()), terms);
    }

    /// The time before which the server does not want to be asked (LOGIN-DELAY, RFC 2449 section 6.5).
    pub(super) fn not_before(&self) -> Option<Instant> {
        let at = self.at? + self.terms.login_delay;
        (at > Instant::now()).then_some(at)
    }
}

impl Worker<'_> {
    /// How often the server is asked: never faster than it wants.
    pub(super) fn check_every(&self) -> Duration {
        self.setup.account.check_every.max(self.pace.terms.login_delay)
    }

    /// POP3: decides what this session takes of what is new.
    pub(super) fn share_out(&mut self, new: VecDeque<Listed>) -> crate::Result<()> {
        let portion = &self.setup.account.portion;
        let split = self.pace.terms.login_delay <= SHORT;
        let listed = self.session.as_ref().and_then(|s| s.listed.as_ref()).map_or(0, |all| all.len());
        let is_part = self.pace.terms.shows_part
            || (new.len() == listed
                && PARTS.contains(&listed)
                && self.setup.account.leave_on_server != Leave::DeleteAfterDownload);
        let shares = share(new, portion, self.spent, split);
        self.report.left = shares.left;
        let session = self.session.as_mut().ok_or_else(no_session)?;
        let comes = !shares.whole.is_empty() || !shares.heads.is_empty();
        session.again = shares.next > 0 || (is_part && comes && shares.left == 0);
        (session.take, session.heads) = (shares.whole, shares.heads);
        Ok(())
    }

    /// A session ended in order: whether another one is begun at once, for what this one did not show or take.
    pub(super) fn goes_on(&mut self, again: bool) -> bool {
        let waits_long = self.mode == Mode::Once && self.pace.terms.login_delay > SHORT;
        self.again = again && !waits_long && !self.stopping && !self.is_tight;
        if self.again {
            self.folders = true;
            self.not_before = self.pace.not_before();
        } else {
            self.spent = Spent::default();
        }
        self.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(sizes: &[u64]) -> VecDeque<Listed> {
        sizes.iter().enumerate().map(|(n, size)| (n.to_string(), *size)).collect()
    }

    /// Names that come whole, names that come as stubs, for the next session, for later looks.
    fn shared(sizes: &[u64], portion: Portion, spent: Spent) -> (String, String, u64, u64) {
        let shares = share(new(sizes), &portion, spent, true);
        let names = |of: VecDeque<Listed>| of.into_iter().map(|(name, _)| name).collect::<String>();
        (names(shares.whole), names(shares.heads), shares.next, shares.left)
    }

    #[test]
    fn larger_mail_comes_as_a_stub_and_costs_little() {
        let portion = Portion { max_size: Some(100), bytes: Some(250), ..Portion::default() };
        assert_eq!(
            shared(&[100, 101, 9999, 100, 50, 1], portion, Spent::default()),
            ("034".into(), "12".into(), 0, 1)
        );
        let heads = Portion { max_size: Some(0), ..Portion::default() };
        assert_eq!(shared(&[0, 5], heads, Spent::default()), (String::new(), "01".into(), 0, 0));
    }

    #[test]
    fn one_look_takes_no_more_than_it_may_over_all_its_sessions() {
        let portion = Portion { messages: Some(5), reconnect_every: 2, ..Portion::default() };
        let none = Spent::default();
        assert_eq!(shared(&[1; 9], portion, none), ("01".into(), String::new(), 7, 0));
        let some = Spent { messages: 4, bytes: 4 };
        assert_eq!(shared(&[1; 5], portion, some), ("0".into(), String::new(), 0, 4));
        let all = Spent { messages: 5, bytes: 5 };
        assert_eq!(shared(&[1; 4], portion, all), (String::new(), String::new(), 0, 4));
    }

    #[test]
    fn the_first_mail_comes_whatever_it_has() {
        let portion = Portion { bytes: Some(10), ..Portion::default() };
        assert_eq!(shared(&[5000, 1], portion, Spent::default()), ("0".into(), String::new(), 0, 1));
    }

    #[test]
    fn p4_where_sign_ins_must_be_far_apart_a_session_is_not_split() {
        let portion = Portion { reconnect_every: 2, ..Portion::default() };
        assert_eq!(share(new(&[1; 5]), &portion, Spent::default(), false).whole.len(), 5);
        assert_eq!(share(new(&[1; 5]), &portion, Spent::default(), true).next, 3);
    }
}
