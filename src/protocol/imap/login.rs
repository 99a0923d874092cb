//! From a connection to a signed-in session: greeting, STARTTLS, capabilities, the secret.
//!
//! The `imap` crate speaks here, through [`Shim`]: it is shown only what it surely understands, while
//! the [`Link`] beneath hears everything the server says.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::answer::{Answer, Verdict};
use super::command::Command;
use super::link::{Link, deaf};
use super::reply::Reply;
use super::trouble;
use crate::config::Tls;
use crate::error::{Error, Kind, Result};
use crate::net::{DialOptions, Wire, error_of};
use crate::secret::Secret;

/// Connects and signs in.
pub(super) fn connect(options: &DialOptions, user: &str, secret: &Secret) -> Result<Link> {
    for (what, text) in [("user name", user), ("password", secret.expose())] {
        if text.contains(['\0', '\r', '\n']) {
            return Err(Error::new(Kind::Config, format!("the {what} contains a line break or a NUL byte")));
        }
    }
    let mut link = Link::new(Wire::dial(options)?, options.read_timeout);
    let preauth = greeting(&mut link, options)?;
    if options.tls == Tls::Starttls {
        if preauth {
            return Err(Error::new(
                Kind::Tls,
                format!("{} signed us in before TLS, so STARTTLS is not possible", options.host),
            )
            .hint("the line may be tampered with; set tls = \"implicit\" if the server offers it"));
        }
        start_tls(&mut link, &options.host)?;
    }
    if link.state.offers.is_empty() {
        link = capabilities(link)?;
    }
    if !preauth {
        link = sign_in(link, &options.host, user, secret)?;
    }
    link.patient = true;
    link.state.settle();
    introduce(&mut link)?;
    Ok(link)
}

/// Reads the greeting (RFC 9051 section 7.1). Whether it says that we are signed in already.
fn greeting(link: &mut Link, options: &DialOptions) -> Result<bool> {
    let mut greeting = None;
    link.listen(&mut |reply: Reply| {
        greeting = Some(reply);
        Ok(None)
    })?;
    match greeting {
        Some(Reply::Says(Answer { verdict: Verdict::Ok, .. })) => Ok(false),
        Some(Reply::Says(Answer { verdict: Verdict::Preauth, .. })) => Ok(true),
        Some(Reply::Says(answer)) => {
            Err(trouble::refused(&format!("{} turned us away", options.host), &answer))
        }
        _ => Err(Error::new(
            Kind::Protocol,
            format!("{} port {} does not greet as an IMAP server does", options.host, options.port),
        )
        .hint("check protocol and port of the account: IMAP has 993 (TLS) and 143")),
    }
}

/// STARTTLS is required where it is configured; whatever was said before it is forgotten.
fn start_tls(link: &mut Link, host: &str) -> Result<()> {
    let tag = link.send(&Command::new("STARTTLS"))?;
    let answer = link.answer(&tag, &mut deaf)?;
    if answer.verdict != Verdict::Ok {
        let refusal = trouble::refused("the server refused STARTTLS", &answer);
        return Err(Error::new(Kind::Tls, format!("{} does not offer STARTTLS, so nothing was said", host))
            .because(refusal)
            .hint("set tls = \"implicit\" (port 993) if the server offers it"));
    }
    link.wire.start_tls()?;
    link.forget();
    Ok(())
}

/// Asks for the capabilities.
fn capabilities(link: Link) -> Result<Link> {
    let (mut client, shim) = client(link);
    let asked = client.capabilities();
    drop(client);
    let link = shim.take_back()?;
    match asked {
        Ok(_) if !link.state.offers.is_empty() => Ok(link),
        Ok(_) => Err(Error::new(Kind::Protocol, "the server does not say what it can do (CAPABILITY)")),
        Err(e) => {
            Err(shim.error(e, &|answer| trouble::refused("the server does not say what it can do", answer)))
        }
    }
}

/// How a sign-in is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// AUTHENTICATE PLAIN (RFC 4616), in one go where SASL-IR (RFC 4959) is offered.
    Plain { at_once: bool },
    /// LOGIN with quoted strings.
    Quoted,
    /// LOGIN with literals: for characters that do not go into quotes.
    Literals,
}

fn manner(link: &Link, host: &str, user: &str, secret: &Secret) -> Result<Manner> {
    let offers = &link.state.offers;
    let plain = offers.has("AUTH=PLAIN");
    let login = !offers.has("LOGINDISABLED");
    let fits = |text: &str| text.len() < 500 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let quotable = fits(user) && fits(secret.expose());
    if plain && offers.has("SASL-IR") {
        Ok(Manner::Plain { at_once: true })
    } else if login && quotable {
        Ok(Manner::Quoted)
    } else if plain {
        Ok(Manner::Plain { at_once: false })
    } else if login {
        Ok(Manner::Literals)
    } else if !link.wire.is_secure() {
        Err(Error::new(Kind::Config, format!("{} takes no password without encryption", host))
            .hint("set tls = \"starttls\" or \"implicit\""))
    } else {
        let known = offers.mechanisms().join(", ");
        Err(Error::new(Kind::Unsupported, format!("{} offers no way to sign in with a password", host))
            .because(format!("it offers: {}", crate::text::Clean::line(&known))))
    }
}

fn sign_in(mut link: Link, host: &str, user: &str, secret: &Secret) -> Result<Link> {
    if !link.wire.may_say_secrets() {
        return Err(Error::new(
            Kind::Config,
            format!("the password for {} would go out without encryption", host),
        )
        .hint("set tls = \"starttls\" or \"implicit\""));
    }
    let manner = manner(&link, host, user, secret)?;
    let wire = link.wire.clone();
    let response = Zeroizing::new(format!("\0{}\0{}", user, secret.expose()));
    let encoded = Zeroizing::new(BASE64.encode(response.as_bytes()));
    wire.keep_out(secret.expose());
    wire.keep_out(&encoded);
    // Capabilities from before the sign-in are void after it (RFC 9051 section 6.2).
    link.state.offers = Default::default();
    let refused = |answer: &Answer| {
        let answer = Answer { text: wire.masked(&answer.text), ..answer.clone() };
        trouble::sign_in(host, &answer)
    };
    if manner == Manner::Literals {
        let command =
            Command::new("LOGIN ").literal(user.as_bytes()).text(" ").literal(secret.expose().as_bytes());
        let (link_ref, shown) = (&mut link, "LOGIN");
        let tag = wire.secretly(shown, || link_ref.send(&command))?;
        let answer = link.answer(&tag, &mut deaf)?;
        if answer.verdict != Verdict::Ok {
            return Err(refused(&answer));
        }
    } else {
        let (client, shim) = client(link);
        let drop_client = |(e, client): (imap::Error, imap::Client<Shim>)| {
            drop(client);
            e
        };
        // The crate's session ends here: from now on the link speaks by itself.
        let outcome = match manner {
            Manner::Plain { at_once } => {
                let mechanism = Zeroizing::new(match at_once {
                    true => format!("PLAIN {}", *encoded),
                    false => "PLAIN".to_owned(),
                });
                let plain = Plain(response);
                wire.secretly("AUTHENTICATE PLAIN", || {
                    client.authenticate(&*mechanism, &plain).map(drop).map_err(drop_client)
                })
            }
            _ => {
                wire.secretly("LOGIN", || client.login(user, secret.expose()).map(drop).map_err(drop_client))
            }
        };
        link = shim.take_back()?;
        outcome.map_err(|e| shim.error(e, &refused))?;
    }
    if link.state.offers.is_empty() {
        let answer =
            link.ask("the server does not say what it can do", &Command::new("CAPABILITY"), &mut deaf);
        answer?;
    }
    Ok(link)
}

/// Says who we are, where the server cares (RFC 2971), and what is to be used (RFC 5161); the answers are
/// heard in passing.
fn introduce(link: &mut Link) -> Result<()> {
    if link.state.offers.has("ID") {
        let id = format!("ID (\"name\" \"mailtui\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION"));
        link.send(&Command::new(id))?;
    }
    if link.state.offers.has("ENABLE") && link.state.offers.has("QRESYNC") {
        link.send(&Command::new("ENABLE QRESYNC"))?;
    }
    Ok(())
}

/// SASL PLAIN for the `imap` crate.
struct Plain(Zeroizing<String>);

impl imap::Authenticator for Plain {
    type Response = Zeroizing<String>;
    fn process(&self, _challenge: &[u8]) -> Self::Response {
        self.0.clone()
    }
}

/// A client of the `imap` crate over the link, and the way to get the link back.
fn client(link: Link) -> (imap::Client<Shim>, Shim) {
    let shim = Shim { desk: Arc::new(Mutex::new(Desk { link: Some(link), ..Desk::default() })) };
    let mut client = imap::Client::new(shim.clone());
    client.greeting_read = true;
    (client, shim)
}

/// The link as the `imap` crate sees it: it is told only tagged answers without their text, empty or
/// base64 continuations, and capabilities in plain letters. What it says passes unchanged.
#[derive(Debug, Clone)]
struct Shim {
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
        let line = std::mem::take(&mut self.half);
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

    fn take_back(&self) -> Result<Link> {
        self.desk().link.take().ok_or_else(|| Error::new(Kind::Bug, "the connection was given back twice"))
    }

    /// What went wrong in truth, behind an error of the crate.
    fn error(&self, e: imap::Error, refused: &dyn Fn(&Answer) -> Error) -> Error {
        match e {
            imap::Error::Io(e) => error_of(e),
            imap::Error::No(_) | imap::Error::Bad(_) => match &self.desk().answer {
                Some(answer) => refused(answer),
                None => Error::new(Kind::Protocol, "the server refused without an answer"),
            },
            // Its text may hold what was said.
            _ => Error::new(Kind::Protocol, "the server does not keep to the rules of signing in"),
        }
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
