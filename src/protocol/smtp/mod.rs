//! Sending by SMTP (RFC 5321) over [`Wire`](crate::net::Wire): the same TLS, trust and sign-in as for receiving.
//!
//! A client of our own: each recipient is judged by itself (promise O3), and what happens between the last byte
//! of a mail and the answer to it is told apart from all that comes before (promise O2).

mod auth;
mod connect;
mod talk;

pub use connect::{connect, connect_with};

use talk::{Reply, Talk};

use crate::error::{Error, Kind, Result};
use crate::protocol::BodySource;
use crate::protocol::outgoing::{Delivery, End, Errand, Judged, Transport};
use crate::text::amount;
use std::time::Duration;

/// How long the answer to the final dot is waited for (RFC 5321 section 4.5.3.2.6).
const AFTER_DOT: Duration = Duration::from_secs(600);
/// And the answer to DATA, or to a recipient that has to be looked up.
const AFTER_WORD: Duration = Duration::from_secs(300);
/// So many recipients go out at a time where the server allows several commands under way.
const WINDOW: usize = 100;

/// What a server said it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub(super) starttls: bool,
    pub(super) pipelining: bool,
    pub(super) eight_bit: bool,
    pub(super) utf8: bool,
    /// The largest mail that it takes, in bytes.
    pub(super) size: Option<u64>,
    /// Whether it wants to be told the size.
    pub(super) told_size: bool,
    /// The names after AUTH; `None`: it has no sign-in.
    pub(super) auth: Option<Vec<String>>,
}

impl Offers {
    /// Reads the lines of an answer to EHLO, the greeting left out (RFC 5321 section 4.1.1.1).
    pub(super) fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut offers = Self::default();
        for line in lines {
            // Old servers wrote AUTH=.
            let line = line.replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "STARTTLS" => offers.starttls = true,
                "PIPELINING" => offers.pipelining = true,
                "8BITMIME" => offers.eight_bit = true,
                "SMTPUTF8" => offers.utf8 = true,
                "SIZE" => {
                    offers.told_size = true;
                    // 0: there is no limit that is fixed (RFC 1870 section 3).
                    offers.size = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                }
                "AUTH" => offers.auth.get_or_insert_default().extend(words.map(str::to_ascii_uppercase)),
                _ => {}
            }
        }
        offers
    }
}

/// A session with a server for sending, signed in.
#[derive(Debug)]
pub struct Session {
    talk: Talk,
    offers: Offers,
}

impl Session {
    /// What the server is told of a mail before its bytes: `MAIL`.
    fn mail(&self, errand: &Errand) -> Result<String> {
        let host = self.talk.wire().host();
        if let Some(most) = self.offers.size.filter(|most| errand.size > *most) {
            let (size, most) = (amount::size(errand.size), amount::size(most));
            let text = format!("the mail has {size} and {host} takes {most} at most");
            return Err(Error::new(Kind::Refused, text).hint("send a link in place of the attachment"));
        }
        let mut line = format!("MAIL FROM:<{}>", errand.from);
        if self.offers.told_size {
            line.push_str(&format!(" SIZE={}", errand.size));
        }
        if errand.eight_bit && self.offers.eight_bit {
            line.push_str(" BODY=8BITMIME");
        }
        if errand.needs_utf8() {
            if !self.offers.utf8 {
                let text = format!("{host} cannot send to or from addresses with letters beyond ASCII");
                return Err(Error::new(Kind::Refused, text).hint("ask for another address of this person"));
            }
            line.push_str(" SMTPUTF8");
        }
        Ok(line)
    }

    /// Says the envelope; the answer to MAIL, and those to the recipients, in order.
    fn envelope(&mut self, mail: &str, to: &[String]) -> Result<(Reply, Vec<Reply>)> {
        let lines: Vec<String> = to.iter().map(|addr| format!("RCPT TO:<{addr}>")).collect();
        let mut answers = Vec::new();
        if !self.offers.pipelining {
            let mail = self.talk.command(mail)?;
            for line in lines.iter().filter(|_| mail.is_yes()) {
                answers.push(self.talk.command(line)?);
            }
            return Ok((mail, answers));
        }
        let mut first = None;
        for (at, window) in lines.chunks(WINDOW).enumerate() {
            let opening = (at == 0).then_some(mail);
            let said: Vec<&str> = opening.into_iter().chain(window.iter().map(String::as_str)).collect();
            self.talk.say(&said)?;
            if at == 0 {
                first = Some(self.talk.reply()?);
            }
            for _ in window {
                answers.push(self.talk.reply()?);
            }
        }
        Ok((first.ok_or_else(|| self.talk.out_of_step())?, answers))
    }

    /// All up to the dot.
    fn before(
        &mut self,
        errand: &Errand,
        bytes: &mut dyn BodySource,
        judged: &mut Vec<Judged>,
    ) -> Result<Option<End>> {
        let mail = match self.mail(errand) {
            Ok(mail) => mail,
            Err(error) => return Ok(Some(End::Refused(error))),
        };
        self.talk.wire().set_read_timeout(AFTER_WORD);
        let (mail, answers) = self.envelope(&mail, &errand.to)?;
        if !mail.is_yes() {
            let what = format!("{} does not take mail from {}", self.talk.wire().host(), errand.from);
            self.reset();
            return Ok(Some(self.talk.no(&mail, &what)));
        }
        judged.extend(answers.iter().map(|reply| match reply.class() {
            2 => Judged::Taken,
            4 => Judged::Later(self.talk.said(reply)),
            _ => Judged::Refused(self.talk.said(reply)),
        }));
        if !judged.contains(&Judged::Taken) {
            self.reset();
            let text = format!("{} takes none of the recipients", self.talk.wire().host());
            let first = answers.first().map(|reply| self.talk.said(reply)).unwrap_or_default();
            let is_later = judged.iter().any(|one| matches!(one, Judged::Later(_)));
            let error = |kind| Error::new(kind, text.clone()).because(first.clone());
            return Ok(Some(match is_later {
                true => End::Later(error(Kind::Offline)),
                false => End::Refused(error(Kind::Refused)),
            }));
        }
        let go = self.talk.command("DATA")?;
        if go.code != 354 {
            self.reset();
            return Ok(Some(
                self.talk.no(&go, &format!("{} does not take the mail", self.talk.wire().host())),
            ));
        }
        self.talk.body(bytes)?;
        // A server that has closed meanwhile, or said no without waiting for the end, is not told the end.
        Ok(self.talk.early()?.map(|reply| {
            let what = format!("{} broke off in the middle of the mail", self.talk.wire().host());
            self.talk.no(&reply, &what)
        }))
    }

    /// Forgets the envelope (RFC 5321 section 4.1.1.5), so that the next mail begins anew. A line that breaks here
    /// changes nothing of what was said before.
    fn reset(&mut self) {
        if self.talk.is_whole() {
            let _ = self.talk.command("RSET");
        }
    }
}

impl Transport for Session {
    fn deliver(
        &mut self,
        errand: &Errand,
        bytes: &mut dyn BodySource,
        before_dot: &mut dyn FnMut(&[Judged]) -> Result<()>,
    ) -> Result<Delivery> {
        errand.check()?;
        let mut judged = Vec::new();
        match self.before(errand, bytes, &mut judged) {
            Ok(None) => {}
            Ok(Some(end)) => return Ok(Delivery { judged, end }),
            // No server takes a mail whose end it was not told (RFC 5321 section 4.1.1.4).
            Err(error) => return Ok(Delivery { judged: Vec::new(), end: End::Later(error) }),
        }
        if let Err(error) = before_dot(&judged) {
            self.talk.close();
            return Err(error);
        }
        self.talk.wire().set_read_timeout(AFTER_DOT);
        let end = match self.talk.dot() {
            Ok(reply) if reply.is_yes() => End::Taken(self.talk.said(&reply)),
            Ok(reply) => self.talk.no(&reply, &format!("{} refused the mail", self.talk.wire().host())),
            Err(error) => End::Unsure(error),
        };
        Ok(Delivery { judged, end })
    }

    fn is_open(&self) -> bool {
        self.talk.is_whole()
    }

    fn finish(mut self: Box<Self>) {
        if self.talk.is_whole() {
            self.talk.wire().set_read_timeout(Duration::from_secs(5));
            // All is sent: what is said now changes nothing.
            let _ = self.talk.command("QUIT");
        }
        self.talk.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_server_offers() {
        let offers = Offers::read(
            ["PIPELINING", "size 1000", "AUTH PLAIN login", "AUTH=PLAIN", "8BITMIME", "X"].into_iter(),
        );
        assert!(
            offers.pipelining && offers.eight_bit && offers.told_size && !offers.starttls && !offers.utf8
        );
        assert_eq!(offers.size, Some(1000));
        assert_eq!(offers.auth.unwrap(), ["PLAIN", "LOGIN", "PLAIN"]);
        assert_eq!(Offers::read(["SIZE 0"].into_iter()).size, None);
        assert_eq!(Offers::read(["STARTTLS"].into_iter()).auth, None);
    }
}
