//! Signing in by the strongest way that is offered: SASL PLAIN, APOP, USER and PASS (promise P11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::capa::Capabilities;
use super::reply::{Reply, Status};
use super::talk::Talk;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// The longest command with an initial response in it (RFC 5034 section 4).
const LONGEST: usize = 255;

/// One way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// SASL PLAIN (RFC 4616, RFC 5034).
    Plain,
    /// A digest over the greeting's stamp (RFC 1939 section 7).
    Apop,
    /// USER and PASS (RFC 1939 section 7).
    User,
}

/// How an attempt went.
enum Went {
    In,
    /// This way is not open, and the server has judged no secret: another may be tried.
    Shut(Error),
}

/// Refuses what would be more than one line on the wire, before anything is sent.
pub(super) fn check(user: &str, secret: &Secret) -> Result<()> {
    let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
    if user.is_empty() || breaks(user) {
        return Err(Error::new(Kind::Config, "the user name is empty or has a line break or NUL in it")
            .hint("correct user in the account"));
    }
    if breaks(secret.expose()) {
        return Err(Error::new(Kind::Secret, "the password has a line break or NUL in it")
            .hint("check what the password command or file gives: only its first line counts"));
    }
    Ok(())
}

/// The stamp of a greeting that APOP is made with: `<…@…>`.
pub(super) fn stamp(greeting: &str) -> Option<String> {
    let from = greeting.find('<')?;
    let until = from + greeting[from..].find('>')?;
    let stamp = &greeting[from..=until];
    (stamp.contains('@') && stamp.is_ascii() && !stamp.contains(char::is_whitespace))
        .then(|| stamp.to_owned())
}

/// The ways in that are open, the strongest first. In clear a digest is stronger than a password.
fn ways(capabilities: &Capabilities, stamp: Option<&str>, secure: bool) -> Vec<Way> {
    let plain = capabilities.sasl.iter().any(|m| m == "PLAIN");
    let user = capabilities.user || !capabilities.told || capabilities.sasl.is_empty();
    let mut ways = Vec::new();
    ways.extend(plain.then_some(Way::Plain));
    ways.extend(stamp.map(|_| Way::Apop));
    ways.extend(user.then_some(Way::User));
    if !secure {
        ways.sort_by_key(|way| *way != Way::Apop);
    }
    ways
}

/// Signs in, or says why not.
pub(super) fn sign_in(
    talk: &mut Talk,
    capabilities: &Capabilities,
    stamp: Option<&str>,
    user: &str,
    secret: &Secret,
) -> Result<()> {
    let host = talk.wire().host();
    if !talk.wire().may_say_secrets() {
        return Err(Error::new(Kind::Tls, format!("no password goes to {host} without encryption"))
            .hint("set tls = \"implicit\" or \"starttls\""));
    }
    let ways = ways(capabilities, stamp, talk.wire().is_secure());
    let mut shut = None;
    for way in &ways {
        let went = match way {
            Way::Plain => plain(talk, user, secret)?,
            Way::Apop => {
                // Many servers show a stamp and do not know the password in clear, which APOP needs.
                // Over TLS the digest protects nothing more, so a refusal may be followed by PASS; in
                // clear it may not, or anybody on the line could bring that about.
                let next = talk.wire().is_secure() && ways.contains(&Way::User);
                apop(talk, stamp.unwrap_or_default(), user, secret, next)?
            }
            Way::User => user_pass(talk, user, secret)?,
        };
        match went {
            Went::In => return Ok(()),
            Went::Shut(error) => shut = Some(error),
        }
    }
    Err(shut.unwrap_or_else(|| {
        Error::new(Kind::Unsupported, format!("{host} offers no way to sign in that is known here"))
            .hint(format!("it offers {}; known are PLAIN, APOP and USER", capabilities.sasl.join(", ")))
    }))
}

fn plain(talk: &mut Talk, user: &str, secret: &Secret) -> Result<Went> {
    let token = Zeroizing::new(format!("\0{user}\0{}", secret.expose()));
    let token = Zeroizing::new(STANDARD.encode(token.as_bytes()));
    talk.wire().keep_out(&token);
    let line = Zeroizing::new(format!("AUTH PLAIN {}", token.as_str()));
    let at_once = line.len() + 2 <= LONGEST;
    if at_once {
        talk.say_secret("AUTH PLAIN", &line)?;
    } else {
        talk.say(&["AUTH PLAIN"])?;
    }
    let mut reply = talk.reply()?;
    match &reply {
        Reply::Err(status) if !at_once && status.code.is_none() => {
            return Ok(Went::Shut(talk.refused(status, Kind::Refused, &refusal(talk))));
        }
        // A server that knows nothing of initial responses asks for it again.
        Reply::More(_) => {
            talk.say_secret("", &token)?;
            reply = talk.reply()?;
        }
        _ => {}
    }
    settle(talk, &reply)
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
    fn x4_what_would_be_two_lines_is_refused() {
        for bad in ["a\r\nDELE 1", "a\nb", "a\0b", ""] {
            assert_eq!(check(bad, &Secret::new("x")).unwrap_err().kind(), Kind::Config);
        }
        for bad in ["a\r\nDELE 1", "a\n", "a\0b"] {
            assert_eq!(check("ann", &Secret::new(bad)).unwrap_err().kind(), Kind::Secret);
        }
        check("ann smith", &Secret::new(" a b ")).unwrap();
    }

    #[test]
    fn finds_the_stamp_of_a_greeting() {
        let rfc = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
        assert_eq!(stamp(rfc).as_deref(), Some("<1896.697170952@dbc.mtview.ca.us>"));
        assert_eq!(stamp("+OK <ready>\r\n"), None);
        assert_eq!(stamp("+OK >x@y<\r\n"), None);
        assert_eq!(stamp("+OK <a b@c>\r\n"), None);
    }

    #[test]
    fn p11_the_strongest_way_comes_first() {
        let told = |sasl: &[&str], user| Capabilities {
            told: true,
            user,
            sasl: sasl.iter().map(|m| (*m).to_owned()).collect(),
            ..Capabilities::default()
        };
        let stamp = Some("<a@b>");
        assert_eq!(ways(&told(&["PLAIN"], true), stamp, true), [Way::Plain, Way::Apop, Way::User]);
        assert_eq!(ways(&told(&["PLAIN"], true), stamp, false), [Way::Apop, Way::Plain, Way::User]);
        assert_eq!(ways(&told(&["GSSAPI"], false), None, true), []);
        assert_eq!(ways(&told(&[], false), None, true), [Way::User]);
        assert_eq!(ways(&Capabilities::default(), None, true), [Way::User]);
    }
}
