//! From a connection to a signed-in session: greeting, STARTTLS, capabilities, the secret.
//!
//! The `imap` crate speaks here, through [`Shim`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::answer::{Answer, Verdict};
use super::command::Command;
use super::link::{Link, deaf};
use super::reply::Reply;
use super::shim::{Outcome, Shim, Speaker, client};
use super::trouble;
use crate::config::Tls;
use crate::error::{Error, Kind, Result};
use crate::net::{DialOptions, Wire};
use crate::protocol::sasl::{self, Conversation, Mechanism, Offered, Own, Way, Who};
use crate::secret::Secret;

/// Connects and signs in.
pub(super) fn connect(options: &DialOptions, user: &str, secret: &Secret) -> Result<Link> {
    sasl::check(user, secret)?;
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
        let who = Who { user, secret, host: &options.host, port: options.port };
        link = sign_in(link, options, who)?;
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

/// The longest initial response that goes into one line with its command.
const AT_ONCE: usize = 4096;

/// The ways in that are open, best first; an error where there is none.
fn ways_in(link: &Link, options: &DialOptions, who: Who<'_>) -> Result<Vec<Way>> {
    let offers = &link.state.offers;
    let own = match offers.has("LOGINDISABLED") {
        true => Own::Shut,
        // One line there and one back; PLAIN is as short only with an initial response.
        false if is_quotable(who.user) && is_quotable(who.secret.expose()) && !offers.has("SASL-IR") => {
            Own::Quick
        }
        false => Own::Last,
    };
    let names = offers.mechanisms();
    let mechanisms: Vec<Mechanism> = names.iter().copied().filter_map(Mechanism::named).collect();
    let secure = link.wire.is_secure();
    let offered = Offered { mechanisms: &mechanisms, told: true, apop: false, own, secure };
    let ways = sasl::ways(options.auth, offered, &place(who));
    if !ways.is_empty() {
        return Ok(ways);
    }
    let host = who.host;
    if !secure {
        return Err(Error::new(Kind::Config, format!("{host} takes no password without encryption"))
            .hint("set tls = \"starttls\" or \"implicit\""));
    }
    Err(sasl::none_open(host, options.auth, &names))
}

fn place(who: Who<'_>) -> sasl::Place {
    (who.host.to_owned(), who.port, who.user.to_owned())
}

fn sign_in(mut link: Link, options: &DialOptions, who: Who<'_>) -> Result<Link> {
    sasl::check_wire(&link.wire)?;
    let ways = ways_in(&link, options, who)?;
    let at_once = link.state.offers.has("SASL-IR");
    link.wire.keep_out(who.secret.expose());
    let (mut tries, mut refused) = (ways.iter().peekable(), Vec::new());
    while let Some(way) = tries.next() {
        // Capabilities from before the sign-in are void after it (RFC 9051 section 6.2).
        link.state.offers = Default::default();
        let outcome;
        (link, outcome) = match way {
            Way::Sasl(mechanism) => authenticate(link, *mechanism, at_once, who)?,
            _ => login(link, who)?,
        };
        let Err(refusal) = outcome else {
            sasl::note_worked(&place(who), *way);
            sasl::note_refused(&place(who), &refused);
            break;
        };
        // A server may keep the password in a form that is of no use for digests. What was told as something
        // else than a wrong secret is that.
        let may_go_on = way.is_digest() && link.wire.is_secure() && tries.peek().is_some();
        if !may_go_on || !matches!(refusal.kind(), Kind::Auth | Kind::Refused | Kind::Protocol) {
            return Err(refusal);
        }
        tracing::info!("a digest was refused, so the next way to sign in is tried");
        refused.push(*way);
    }
    if link.state.offers.is_empty() {
        let answer =
            link.ask("the server does not say what it can do", &Command::new("CAPABILITY"), &mut deaf);
        answer?;
    }
    Ok(link)
}

/// AUTHENTICATE (RFC 9051 section 6.2.2), in one go where SASL-IR (RFC 4959) is offered.
fn authenticate(link: Link, mechanism: Mechanism, at_once: bool, who: Who<'_>) -> Result<Outcome> {
    let wire = link.wire.clone();
    let mut talk = Conversation::new(mechanism, who)?;
    let mut words = Zeroizing::new(mechanism.name().to_owned());
    if at_once && talk.has_initial(AT_ONCE) {
        let first = Zeroizing::new(BASE64.encode(talk.initial().unwrap_or_default()));
        wire.keep_out(&first);
        words.push(' ');
        words.push_str(&first);
    }
    let (client, shim) = client(link);
    let speaker = Speaker::new(talk, &shim, &wire);
    // The crate's session ends here: from now on the link speaks by itself.
    let said = wire.secretly(&format!("AUTHENTICATE {}", mechanism.name()), || {
        client.authenticate(&*words, &speaker).map(drop).map_err(drop_client)
    });
    let link = shim.take_back()?;
    let talk = speaker.over()?;
    let refused = |answer: &Answer| {
        let told = trouble::sign_in(who.host, &masked(&wire, answer));
        match talk.refused(who.host) {
            Some(error) if told.kind() == Kind::Auth => error,
            _ => told,
        }
    };
    match said {
        Ok(()) => {
            talk.end()?;
            Ok((link, Ok(())))
        }
        Err(e) => shim.outcome(link, e, &refused),
    }
}

/// LOGIN with quoted strings, or with literals for characters that do not go into quotes.
fn login(mut link: Link, who: Who<'_>) -> Result<Outcome> {
    let (user, secret) = (who.user, who.secret.expose());
    let wire = link.wire.clone();
    let refused = |answer: &Answer| trouble::sign_in(who.host, &masked(&wire, answer));
    if is_quotable(user) && is_quotable(secret) {
        let (client, shim) = client(link);
        let said = wire.secretly("LOGIN", || client.login(user, secret).map(drop).map_err(drop_client));
        let link = shim.take_back()?;
        return match said {
            Ok(()) => Ok((link, Ok(()))),
            Err(e) => shim.outcome(link, e, &refused),
        };
    }
    let command = Command::new("LOGIN ").literal(user.as_bytes()).text(" ").literal(secret.as_bytes());
    let tag = wire.secretly("LOGIN", || link.send(&command))?;
    let answer = link.answer(&tag, &mut deaf)?;
    let outcome = if answer.verdict == Verdict::Ok { Ok(()) } else { Err(refused(&answer)) };
    Ok((link, outcome))
}

/// Whether every server understands this in quotes.
fn is_quotable(text: &str) -> bool {
    text.len() < 500 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn masked(wire: &Wire, answer: &Answer) -> Answer {
    Answer { text: wire.masked(&answer.text), ..answer.clone() }
}

fn drop_client((e, client): (imap::Error, imap::Client<Shim>)) -> imap::Error {
    drop(client);
    e
}

/// Says who we are, where the server cares (RFC 2971), and what is to be used (RFC 5161); the answers are
/// heard in passing.
fn introduce(link: &mut Link) -> Result<()> {
    if link.state.offers.has("ID") {
        let id = format!("ID (\"name\" \"mailtui\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION"));
        link.send(&Command::new(id))?;
    }
    let offers = &link.state.offers;
    let utf8 = offers.has("UTF8=ACCEPT") || offers.has("UTF8=ONLY");
    let wanted = [("QRESYNC", offers.has("QRESYNC")), ("UTF8=ACCEPT", utf8)];
    let words: Vec<&str> = wanted.iter().filter(|(_, offered)| *offered).map(|(word, _)| *word).collect();
    if !words.is_empty() && offers.has("ENABLE") {
        let tag = link.send(&Command::new(format!("ENABLE {}", words.join(" "))))?;
        link.state.enabling = utf8.then_some(tag);
    }
    Ok(())
}
