//! Signing in to send (RFC 4954): by the same ways, in the same order, as for receiving (promise P11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::talk::{Reply, Talk};
use crate::error::{Error, Kind, Result};
use crate::net::DialOptions;
use crate::protocol::sasl::{self, Conversation, Mechanism, Offered, Own, Way, Went, Who};
use crate::secret::Secret;

/// The longest command with an initial response in it (RFC 4954 section 4).
const LONGEST: usize = 512;

/// Signs in by the ways that are open, best first, or says why not.
pub(super) fn sign_in(
    talk: &mut Talk,
    names: &[String],
    options: &DialOptions,
    (user, secret): (&str, &Secret),
) -> Result<()> {
    sasl::check_wire(talk.wire())?;
    let who = Who { user, secret, host: &options.host, port: options.port };
    let place = (who.host.to_owned(), who.port, user.to_owned());
    let mechanisms: Vec<_> = names.iter().filter_map(|name| Mechanism::named(name)).collect();
    let secure = talk.wire().is_secure();
    let offered =
        Offered { mechanisms: &mechanisms, told: !names.is_empty(), apop: false, own: Own::Shut, secure };
    let ways = sasl::ways(options.auth, offered, &place);
    let is_in = sasl::try_ways(&ways, &place, secure, &mut |way, may_go_on| match way {
        Way::Sasl(mechanism) => by_sasl(talk, mechanism, who, may_go_on),
        // These two are POP3's own: never among the ways where they were not offered.
        Way::Apop | Way::Own => Err(sasl::none_open(&talk.wire().host(), options.auth, names)),
    })?;
    if is_in { Ok(()) } else { Err(sasl::none_open(&talk.wire().host(), options.auth, names)) }
}

fn by_sasl(talk: &mut Talk, mechanism: Mechanism, who: Who<'_>, may_go_on: bool) -> Result<Went> {
    let mut sasl = Conversation::new(mechanism, who)?;
    let name = format!("AUTH {}", mechanism.name());
    let room = (LONGEST - 2 - name.len() - 1) / 4 * 3;
    let mut judged = sasl.has_initial(room);
    if judged {
        let token = sasl::encoded(talk.wire(), &sasl.initial().unwrap_or_default());
        // An initial response of nothing is written as = (RFC 4954 section 4).
        let token = if token.is_empty() { "=" } else { token.as_str() };
        talk.say_secret(&name, &Zeroizing::new(format!("{name} {token}")))?;
    } else {
        talk.say(&[&name])?;
    }
    loop {
        let reply = talk.reply()?;
        match reply.code {
            235 => {
                sasl.end()?;
                return Ok(Went::In);
            }
            334 => {
                let challenge = reply.lines.first().map_or("", |line| line.trim());
                // Some say words where there is nothing to say.
                let challenge = STANDARD.decode(challenge).unwrap_or_default();
                match sasl.answer(&challenge) {
                    Ok(answer) => {
                        let answer = sasl::encoded(talk.wire(), &answer);
                        talk.say_secret("(secret)", &answer)?;
                        judged = true;
                    }
                    Err(failure) => {
                        // The server is told to give up; what it says to that is nothing.
                        talk.say(&["*"])?;
                        return Err(failure);
                    }
                }
            }
            // The mechanism is too weak, not known, or wants encryption: nothing was said of the secret.
            504 | 534 | 538 if may_go_on || !judged => {
                return Ok(Went::Shut(refusal(talk, &reply, Kind::Refused)));
            }
            535 if may_go_on => return Ok(Went::Shut(refusal(talk, &reply, Kind::Auth))),
            535 => {
                let told = refusal(talk, &reply, Kind::Auth);
                return Err(sasl.refused(who.host).unwrap_or(told));
            }
            code if code / 100 == 4 => {
                let text = format!("{} cannot sign anybody in for the moment", talk.wire().host());
                return Err(Error::new(Kind::Offline, text).because(talk.said(&reply)));
            }
            _ if may_go_on => return Ok(Went::Shut(refusal(talk, &reply, Kind::Refused))),
            _ => return Err(refusal(talk, &reply, Kind::Refused)),
        }
    }
}

fn refusal(talk: &Talk, reply: &Reply, kind: Kind) -> Error {
    let host = talk.wire().host();
    let text = match kind {
        Kind::Auth => format!("{host} does not accept this user and password"),
        _ => format!("{host} refused to sign us in"),
    };
    let error = Error::new(kind, text).because(talk.said(reply));
    match kind {
        Kind::Auth => {
            error.hint("check user and password; some providers want a password made for this program")
        }
        _ => error,
    }
}
