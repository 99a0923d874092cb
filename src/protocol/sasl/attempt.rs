//! Trying the open ways to sign in, one after the other, and the words for what can be said before and after.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::choice::{Place, Way, note_refused, note_worked};
use crate::config::Auth;
use crate::error::{Error, Kind, Result};
use crate::net::Wire;
use crate::secret::Secret;
use crate::text::Clean;

/// How an attempt went.
pub(in crate::protocol) enum Went {
    In,
    /// This way is not open, and the server has judged no secret: another may be tried.
    Shut(Error),
}

/// Refuses what would be more than one line on the wire, before anything is sent.
pub(in crate::protocol) fn check(user: &str, secret: &Secret) -> Result<()> {
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

/// An error where a secret would go over the wire in clear.
pub(in crate::protocol) fn check_wire(wire: &Wire) -> Result<()> {
    if wire.may_say_secrets() {
        return Ok(());
    }
    Err(Error::new(Kind::Tls, format!("no password goes to {} without encryption", wire.host()))
        .hint("set tls = \"implicit\" or \"starttls\""))
}

/// Tries these ways until one leads in; `attempt` is told whether another may follow a refusal. False: no way is open.
pub(in crate::protocol) fn try_ways(
    ways: &[Way],
    place: &Place,
    secure: bool,
    attempt: &mut dyn FnMut(Way, bool) -> Result<Went>,
) -> Result<bool> {
    let (mut shut, mut refused) = (None, Vec::new());
    for (at, way) in ways.iter().enumerate() {
        // Many servers offer a digest and do not keep the password in the form that it needs. Over TLS the
        // digest protects little more, so a refusal may be followed by the password; in clear it may not, or
        // anybody on the line could bring that about.
        let may_go_on = secure && way.is_digest() && at + 1 < ways.len();
        match attempt(*way, may_go_on)? {
            Went::In => {
                note_worked(place, *way);
                note_refused(place, &refused);
                return Ok(true);
            }
            Went::Shut(error) => {
                refused.extend(way.is_digest().then_some(*way));
                shut = Some(error);
            }
        }
    }
    shut.map_or(Ok(false), Err)
}

/// The error where a server offers nothing that may be tried. `names` is what it offers.
pub(in crate::protocol) fn none_open(host: &str, auth: Auth, names: &[impl AsRef<str>]) -> Error {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let offers = format!("it offers: {}", Clean::line(&names.join(", ")));
    match auth {
        Auth::Auto => {
            Error::new(Kind::Unsupported, format!("{host} offers no way to sign in with a password"))
        }
        auth => Error::new(
            Kind::Unsupported,
            format!("{host} does not offer the way to sign in that is configured ({})", auth.name()),
        )
        .hint("auth = \"auto\" takes the strongest way for passwords"),
    }
    .because(offers)
}

/// A response in base64, from now on kept out of what is shown.
pub(in crate::protocol) fn encoded(wire: &Wire, response: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(STANDARD.encode(response));
    wire.keep_out(&text);
    text
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
}
