//! Signing in by SASL (RFC 4422): what to answer to what a server asks, for IMAP and POP3 alike.
//!
//! A [`Conversation`] knows nothing of wires: challenges go in and responses come out, neither in base64.

mod attempt;
mod bearer;
mod choice;
mod scram;

pub(super) use attempt::{Went, check, check_wire, encoded, none_open, try_ways};
pub(super) use choice::{Offered, Own, Place, Way, note_refused, note_worked, ways};

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use zeroize::Zeroizing;

use self::bearer::Bearer;
use self::scram::Scram;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// What goes to the server.
pub(super) type Response = Zeroizing<Vec<u8>>;

/// A way to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mechanism {
    /// User and password as they are (RFC 4616).
    Plain,
    /// The same, each asked for by itself.
    Login,
    /// A keyed digest of what the server said (RFC 2195).
    CramMd5,
    /// Salted and hashed, and the server proves itself too (RFC 7677). Without channel binding: of its kinds
    /// the TLS library has only one (`tls-server-end-point`), which few servers take.
    ScramSha256,
    /// An access token, as Google and Microsoft began it.
    XOAuth2,
    /// An access token (RFC 7628).
    OAuthBearer,
}

impl Mechanism {
    /// All of them.
    const ALL: [Self; 6] =
        [Self::Plain, Self::Login, Self::CramMd5, Self::ScramSha256, Self::XOAuth2, Self::OAuthBearer];

    /// Its registered name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// The one of this name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Whether the secret itself does not go over the wire.
    pub(super) fn is_digest(self) -> bool {
        matches!(self, Self::CramMd5 | Self::ScramSha256)
    }
}

/// Who signs in where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    /// The login name.
    pub(super) user: &'a str,
    /// The password, or the access token.
    pub(super) secret: &'a Secret,
    /// The server's name.
    pub(super) host: &'a str,
    /// Its port.
    pub(super) port: u16,
}

/// One sign-in.
pub(super) struct Conversation {
    mechanism: Mechanism,
    /// What is said first, where this side begins.
    first: Option<Response>,
    /// How often it was said.
    firsts: u8,
    state: State,
}

enum State {
    /// Nothing is left to say.
    Plain,
    Login {
        user: Response,
        secret: Response,
        step: u8,
    },
    Cram {
        user: String,
        secret: Response,
        done: bool,
    },
    Scram(Box<Scram>),
    Bearer(Bearer),
}

impl Conversation {
    /// Begins to sign in.
    ///
    /// # Errors
    /// [`Kind::Config`] when user or secret cannot be said in this way.
    pub(super) fn new(mechanism: Mechanism, who: Who<'_>) -> Result<Self> {
        let (user, secret) = (who.user, who.secret.expose());
        let bytes = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        let (first, state) = match mechanism {
            Mechanism::Plain => (Some(bytes(&Zeroizing::new(format!("\0{user}\0{secret}")))), State::Plain),
            Mechanism::Login => (None, State::Login { user: bytes(user), secret: bytes(secret), step: 0 }),
            Mechanism::CramMd5 => {
                (None, State::Cram { user: user.to_owned(), secret: bytes(secret), done: false })
            }
            Mechanism::ScramSha256 => {
                let scram = Scram::new(user, secret, &nonce()?)?;
                (Some(scram.first()), State::Scram(Box::new(scram)))
            }
            Mechanism::XOAuth2 => (Some(bearer::xoauth2(who)), State::Bearer(Bearer::new(b""))),
            Mechanism::OAuthBearer => (Some(bearer::oauthbearer(who)), State::Bearer(Bearer::new(b"\x01"))),
        };
        Ok(Self { mechanism, first, firsts: 0, state })
    }

    /// Whether this side begins, with no more than so many bytes.
    pub(super) fn has_initial(&self, most: usize) -> bool {
        self.first.as_ref().is_some_and(|first| first.len() <= most)
    }

    /// What may go out along with the mechanism's name; `None`: the server begins.
    pub(super) fn initial(&mut self) -> Option<Response> {
        self.firsts += u8::from(self.first.is_some());
        self.first.clone()
    }

    /// The response to a challenge. After an error nothing sensible can be answered but an end.
    pub(super) fn answer(&mut self, challenge: &[u8]) -> Result<Response> {
        // A server that knows nothing of initial responses asks for it again, with nothing.
        let again = match self.firsts {
            0 => true,
            1 => challenge.is_empty(),
            _ => false,
        };
        if let (Some(first), true) = (&self.first, again) {
            self.firsts += 1;
            return Ok(first.clone());
        }
        match &mut self.state {
            State::Plain => Err(self.too_much()),
            State::Login { user, secret, step } => {
                *step = step.saturating_add(1);
                match step {
                    1 => Ok(user.clone()),
                    2 => Ok(secret.clone()),
                    _ => Err(self.too_much()),
                }
            }
            State::Cram { done: true, .. } => Err(self.too_much()),
            State::Cram { user, secret, done } => {
                if challenge.is_empty() {
                    return Err(unfit("CRAM-MD5 needs something to make a digest of"));
                }
                *done = true;
                Ok(cram(user, secret, challenge))
            }
            State::Scram(scram) => scram.answer(challenge),
            State::Bearer(bearer) => bearer.answer(challenge).ok_or_else(|| self.too_much()),
        }
    }

    /// The server said yes: whether it has proved what it had to prove.
    pub(super) fn end(&self) -> Result<()> {
        match &self.state {
            State::Scram(scram) => scram.end(),
            _ => Ok(()),
        }
    }

    /// The error for a refusal that the server gave its reason for on the way, to be cleaned by nobody else.
    pub(super) fn refused(&self, host: &str) -> Option<Error> {
        match &self.state {
            State::Bearer(bearer) => bearer.refused(host),
            _ => None,
        }
    }

    fn too_much(&self) -> Error {
        unfit(&format!("{} has nothing more to say", self.mechanism.name()))
    }
}

/// The error for a server that does not sign in as the mechanism has it.
fn unfit(why: &str) -> Error {
    Error::new(Kind::Protocol, "the server does not keep to the rules of signing in").because(why.to_owned())
}

fn cram(user: &str, secret: &[u8], challenge: &[u8]) -> Response {
    let mut mac = Hmac::<Md5>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(challenge);
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Zeroizing::new(format!("{user} {digest}").into_bytes())
}

/// Something that was never said before, in letters that need no escaping.
fn nonce() -> Result<String> {
    use base64::Engine as _;
    Ok(base64::engine::general_purpose::STANDARD_NO_PAD.encode(crate::secret::random::<18>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(mechanism: Mechanism, user: &str, secret: &str) -> Conversation {
        let secret = Secret::new(secret);
        let who = Who { user, secret: &secret, host: "server.example.com", port: 143 };
        Conversation::new(mechanism, who).unwrap()
    }

    #[test]
    fn p11_names_are_read_in_any_case() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::named(&mechanism.name().to_lowercase()), Some(mechanism));
        }
        assert_eq!(Mechanism::named("SCRAM-SHA-256-PLUS"), None);
    }

    #[test]
    fn p11_plain_as_in_rfc_4616() {
        let mut plain = begin(Mechanism::Plain, "tim", "tanstaaftanstaaf");
        assert_eq!(plain.initial().unwrap().as_slice(), b"\0tim\0tanstaaftanstaaf");
        // Asked for again with nothing, once; a server that asks on is broken off.
        assert_eq!(plain.answer(b"").unwrap().as_slice(), b"\0tim\0tanstaaftanstaaf");
        assert_eq!(plain.answer(b"").unwrap_err().kind(), Kind::Protocol);
        let mut late = begin(Mechanism::Plain, "tim", "x");
        assert_eq!(late.answer(b"go ahead").unwrap().as_slice(), b"\0tim\0x");
        assert!(late.answer(b"more").is_err());
    }

    #[test]
    fn p11_login_says_name_and_secret_whatever_it_is_asked() {
        let mut login = begin(Mechanism::Login, "tim", "x");
        assert!(login.initial().is_none());
        assert_eq!(login.answer(b"Username:").unwrap().as_slice(), b"tim");
        assert_eq!(login.answer(b"").unwrap().as_slice(), b"x");
        assert!(login.answer(b"Card number:").is_err());
    }

    #[test]
    fn p11_cram_md5_as_in_rfc_2195() {
        let mut cram = begin(Mechanism::CramMd5, "tim", "tanstaaftanstaaf");
        assert!(cram.initial().is_none());
        let said = cram.answer(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
        assert_eq!(said.as_slice(), b"tim b913a602c7eda7a495b4e6e7334d3890");
        assert!(cram.answer(b"<another@x>").is_err());
        assert!(begin(Mechanism::CramMd5, "tim", "x").answer(b"").is_err());
    }

    #[test]
    fn p11_each_scram_has_a_nonce_of_its_own() {
        let said = || begin(Mechanism::ScramSha256, "tim", "x").initial().unwrap().to_vec();
        let (one, other) = (said(), said());
        assert!(one.starts_with(b"n,,n=tim,r=") && one.len() == 11 + 24);
        assert_ne!(one, other);
    }
}
