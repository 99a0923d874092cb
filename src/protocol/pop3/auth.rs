//! Signing in by the strongest way that is offered: SASL, APOP, USER and PASS (promise P11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::capa::Capabilities;
use super::reply::{Reply, Status};
use super::talk::Talk;
use crate::error::{Error, Kind, Result};
use crate::net::DialOptions;
use crate::protocol::sasl::{self, Conversation, Mechanism, Offered, Own, Way, Went, Who};
use crate::secret::Secret;

/// The longest command with an initial response in it (RFC 5034 section 4).
const LONGEST: usize = 255;

/// The stamp of a greeting that APOP is made with: `<…@…>`.
pub(super) fn stamp(greeting: &str) -> Option<String> {
    let from = greeting.find('<')?;
    let until = from + greeting[from..].find('>')?;
    let stamp = &greeting[from..=until];
    (stamp.contains('@') && stamp.is_ascii() && !stamp.contains(char::is_whitespace))
        .then(|| stamp.to_owned())
}

/// What a server offers, as far as it told.
fn offered<'a>(
    capabilities: &Capabilities,
    mechanisms: &'a [Mechanism],
    stamp: Option<&str>,
    secure: bool,
) -> Offered<'a> {
    let user = capabilities.user || !capabilities.told || capabilities.sasl.is_empty();
    let own = if user { Own::Last } else { Own::Shut };
    Offered { mechanisms, told: capabilities.told, apop: stamp.is_some(), own, secure }
}

/// Signs in by the ways that are open, best first, or says why not.
pub(super) fn sign_in(
    talk: &mut Talk,
    capabilities: &Capabilities,
    stamp: Option<&str>,
    options: &DialOptions,
    (user, secret): (&str, &Secret),
) -> Result<()> {
    sasl::check_wire(talk.wire())?;
    let who = Who { user, secret, host: &options.host, port: options.port };
    let place = (who.host.to_owned(), who.port, user.to_owned());
    let mechanisms: Vec<_> = capabilities.sasl.iter().filter_map(|name| Mechanism::named(name)).collect();
    let secure = talk.wire().is_secure();
    let ways = sasl::ways(options.auth, offered(capabilities, &mechanisms, stamp, secure), &place);
    let is_in = sasl::try_ways(&ways, &place, secure, &mut |way, may_go_on| match way {
        Way::Sasl(mechanism) => by_sasl(talk, mechanism, who, may_go_on),
        Way::Apop => apop(talk, stamp.unwrap_or_default(), user, secret, may_go_on),
        Way::Own => user_pass(talk, user, secret),
    })?;
    if is_in { Ok(()) } else { Err(sasl::none_open(&talk.wire().host(), options.auth, &capabilities.sasl)) }
}

/// AUTH (RFC 5034), with the first response in the same line where it fits.
fn by_sasl(talk: &mut Talk, mechanism: Mechanism, who: Who<'_>, may_go_on: bool) -> Result<Went> {
    let mut sasl = Conversation::new(mechanism, who)?;
    let name = format!("AUTH {}", mechanism.name());
    let room = (LONGEST - 2 - name.len() - 1) / 4 * 3;
    let at_once = sasl.has_initial(room);
    if at_once {
        let token = sasl::encoded(talk.wire(), &sasl.initial().unwrap_or_default());
        talk.say_secret(&name, &Zeroizing::new(format!("{name} {}", *token)))?;
    } else {
        talk.say(&[&name])?;
    }
    let mut judged = at_once;
    loop {
        match talk.reply()? {
            Reply::Ok(_) => {
                sasl.end()?;
                return Ok(Went::In);
            }
            Reply::More(challenge) => {
                // Some say `+ go ahead` where there is nothing to say.
                let challenge = STANDARD.decode(challenge.as_bytes()).unwrap_or_default();
                match sasl.answer(&challenge) {
                    Ok(answer) => {
                        let answer = sasl::encoded(talk.wire(), &answer);
                        talk.say_secret("", &answer)?;
                        judged = true;
                    }
                    Err(failure) => {
                        // The server is told to give up (RFC 5034 section 4); what it says to that is nothing.
                        talk.say(&["*"])?;
                        return Err(failure);
                    }
                }
            }
            Reply::Err(status)
                if status.code.is_none() && (may_go_on || !(judged || mechanism.is_digest())) =>
            {
                let kind = if judged { Kind::Auth } else { Kind::Refused };
                return Ok(Went::Shut(talk.refused(&status, kind, &refusal(talk))));
            }
            Reply::Err(status) => {
                let told = wrong(talk, &status);
                return match sasl.refused(who.host) {
                    Some(error) if told.kind() == Kind::Auth => Err(error),
                    // This one may be true of the digest alone.
                    _ if may_go_on && status.says("AUTH") => Ok(Went::Shut(told)),
                    _ => Err(told),
                };
            }
        }
    }
}

fn apop(talk: &mut Talk, stamp: &str, user: &str, secret: &Secret, may_go_on: bool) -> Result<Went> {
    let digest = Md5::new().chain_update(stamp).chain_update(secret.expose()).finalize();
    let digest: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    talk.wire().keep_out(&digest);
    talk.say_secret(&format!("APOP {user}"), &format!("APOP {user} {digest}"))?;
    match talk.reply()? {
        Reply::Err(status) if may_go_on && status.code.is_none() => {
            Ok(Went::Shut(talk.refused(&status, Kind::Auth, &refusal(talk))))
        }
        reply => settle(talk, &reply),
    }
}

fn user_pass(talk: &mut Talk, user: &str, secret: &Secret) -> Result<Went> {
    match talk.command(&format!("USER {user}"))? {
        Reply::Ok(_) => {}
        Reply::Err(status) => {
            // Not the password: it was not said. Only the code AUTH may call the user wrong (promise P9).
            let what = format!("{} refused the user name, or this way to sign in", talk.wire().host());
            return Err(talk.refused(&status, Kind::Refused, &what));
        }
        Reply::More(_) => return Err(talk.out_of_step()),
    }
    talk.say_secret("PASS", &Zeroizing::new(format!("PASS {}", secret.expose())))?;
    let reply = talk.reply()?;
    settle(talk, &reply)
}

/// The outcome once the server has seen the secret.
fn settle(talk: &mut Talk, reply: &Reply) -> Result<Went> {
    match reply {
        Reply::Ok(_) => Ok(Went::In),
        Reply::Err(status) => Err(wrong(talk, status)),
        Reply::More(_) => Err(talk.out_of_step()),
    }
}

fn refusal(talk: &Talk) -> String {
    format!("{} does not accept this user and password", talk.wire().host())
}

fn wrong(talk: &Talk, status: &Status) -> Error {
    let error = talk.refused(status, Kind::Auth, &refusal(talk));
    match error.kind() {
        Kind::Auth => {
            error.hint("check user and password; some providers want a password made for this program")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_stamp_of_a_greeting() {
        let rfc = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
        assert_eq!(stamp(rfc).as_deref(), Some("<1896.697170952@dbc.mtview.ca.us>"));
        assert_eq!(stamp("+OK <ready>\r\n"), None);
        assert_eq!(stamp("+OK >x@y<\r\n"), None);
        assert_eq!(stamp("+OK <a b@c>\r\n"), None);
    }

    #[test]
    fn p11_user_and_pass_are_open_where_nothing_else_is_told() {
        let told = |sasl: &[&str], user| Capabilities {
            told: true,
            user,
            sasl: sasl.iter().map(|m| (*m).to_owned()).collect(),
            ..Capabilities::default()
        };
        for (capabilities, own) in [
            (told(&["PLAIN"], true), Own::Last),
            (told(&["GSSAPI"], false), Own::Shut),
            (told(&[], false), Own::Last),
            (Capabilities::default(), Own::Last),
        ] {
            assert_eq!(offered(&capabilities, &[], None, true).own, own);
        }
    }
}
