//! The link as the `imap` crate sees it, and SASL as the crate leads it.
//!
//! The crate is shown only what it surely understands, while the [`Link`] beneath hears everything the
//! server says.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::answer::{Answer, Verdict};
use super::link::Link;
use crate::error::{Error, Kind, Result};
use crate::net::{Wire, error_of};
use crate::protocol::sasl::Conversation;

/// The link, and whether the server let us in.
pub(super) type Outcome = (Link, Result<()>);

/// A SASL conversation as the `imap` crate leads it, which cannot be told of an error: then the server is
/// told to give up (RFC 9051 section 6.2.2).
pub(super) struct Speaker {
    talk: Mutex<Conversation>,
    failure: Mutex<Option<Error>>,
    shim: Shim,
    wire: Wire,
}

impl Speaker {
    pub(super) fn new(talk: Conversation, shim: &Shim, wire: &Wire) -> Self {
        Self { talk: Mutex::new(talk), failure: Mutex::default(), shim: shim.clone(), wire: wire.clone() }
    }

    /// The conversation when it is over; an error where it could not be led to its end.
    pub(super) fn over(self) -> Result<Conversation> {
        match self.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(failure),
            None => Ok(self.talk.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

impl imap::Authenticator for Speaker {
    type Response = Zeroizing<Vec<u8>>;
    fn process(&self, challenge: &[u8]) -> Self::Response {
        let answer = self.talk.lock().unwrap_or_else(PoisonError::into_inner).answer(challenge);
        match answer {
            Ok(answer) => {
                self.wire.keep_out(&Zeroizing::new(BASE64.encode(&*answer)));
                answer
            }
            Err(failure) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                self.shim.desk().gives_up = true;
                Zeroizing::default()
            }
        }
    }
}

/// A client of the `imap` crate over the link, and the way to get the link back.
pub(super) fn client(link: Link) -> (imap::Client<Shim>, Shim) {
    let shim = Shim { desk: Arc::new(Mutex::new(Desk { link: Some(link), ..Desk::default() })) };
    let mut client = imap::Client::new(shim.clone());
    client.greeting_read = true;
    (client, shim)
}

/// The link as the `imap` crate sees it: it is told only tagged answers without their text, empty or
/// base64 continuations, and capabilities in plain letters. What it says passes unchanged.
#[derive(Debug, Clone)]
pub(super) struct Shim {
    desk: Arc<Mutex<Desk>>,
}

#[derive(Debug, Default)]
struct Desk {
    link: Option<Link>,
    /// What was said and is not a whole line yet.
    half: Zeroizing<Vec<u8>>,
    /// What is to be told.
    told: Vec<u8>,
    at: usize,
    /// The last answer as it was.
    answer: Option<Answer>,
    /// The next line is to end the sign-in.
    gives_up: bool,
}

impl Desk {
    fn link(&mut self) -> Result<&mut Link> {
        self.link.as_mut().ok_or_else(|| Error::new(Kind::Bug, "the connection was given back"))
    }

    /// Waits for the server's turn to end and puts it into plain words.
    fn listen(&mut self) -> Result<()> {
        let link = self.link()?;
        let told = match link.turn()? {
            Ok(challenge) if BASE64.decode(&challenge).is_ok() => [b"+ ", &challenge[..], b"\r\n"].concat(),
            Ok(_) => b"+ \r\n".to_vec(),
            Err((tag, answer)) => {
                let mut told = Vec::new();
                let words = link.state.offers.plain_words().filter(|word| *word != "IMAP4REV1");
                let words = std::iter::once("IMAP4rev1").chain(words).collect::<Vec<_>>();
                told.extend_from_slice(format!("* CAPABILITY {}\r\n", words.join(" ")).as_bytes());
                let verdict = match answer.verdict {
                    Verdict::Ok => "OK",
                    Verdict::Bad => "BAD",
                    _ => "NO",
                };
                told.extend_from_slice(format!("{tag} {verdict} said\r\n").as_bytes());
                self.answer = Some(answer);
                told
            }
        };
        self.told = told;
        self.at = 0;
        Ok(())
    }

    /// Passes on whole lines; the first word of a command is its tag.
    fn say(&mut self, bytes: &[u8]) -> Result<()> {
        self.half.extend_from_slice(bytes);
        if self.half.last() != Some(&b'\n') {
            return Ok(());
        }
        let mut line = std::mem::take(&mut self.half);
        if std::mem::take(&mut self.gives_up) {
            line = Zeroizing::new(b"*\r\n".to_vec());
        }
        let tag = line.split(|&byte| byte == b' ').next().and_then(|tag| std::str::from_utf8(tag).ok());
        let link = self.link()?;
        if let Some(tag) = tag.filter(|tag| tag.starts_with('a') && tag.len() < 5 && line.contains(&b' ')) {
            link.said(tag);
        }
        link.say(&line)
    }
}

impl Shim {
    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_back(&self) -> Result<Link> {
        self.desk().link.take().ok_or_else(|| Error::new(Kind::Bug, "the connection was given back twice"))
    }

    /// What went wrong in truth, behind an error of the crate.
    pub(super) fn error(&self, e: imap::Error, refused: &dyn Fn(&Answer) -> Error) -> Error {
        match (&e, &self.desk().answer) {
            (imap::Error::No(_) | imap::Error::Bad(_), Some(answer)) => refused(answer),
            _ => broken(e),
        }
    }

    /// A refusal is an outcome; everything else ends the connection.
    pub(super) fn outcome(
        &self,
        link: Link,
        e: imap::Error,
        refused: &dyn Fn(&Answer) -> Error,
    ) -> Result<Outcome> {
        match (&e, &self.desk().answer) {
            (imap::Error::No(_) | imap::Error::Bad(_), Some(answer)) => Ok((link, Err(refused(answer)))),
            _ => Err(broken(e)),
        }
    }
}

/// An error of the crate that is no refusal.
fn broken(e: imap::Error) -> Error {
    match e {
        imap::Error::Io(e) => error_of(e),
        // Its text may hold what was said.
        _ => Error::new(Kind::Protocol, "the server does not keep to the rules of signing in"),
    }
}

impl Read for Shim {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut desk = self.desk();
        if desk.at == desk.told.len() {
            desk.listen().map_err(io::Error::other)?;
        }
        let rest = &desk.told[desk.at..];
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        desk.at += n;
        Ok(n)
    }
}

impl Write for Shim {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.desk().say(buf).map_err(io::Error::other)?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
