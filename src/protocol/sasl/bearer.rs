//! Signing in with an access token: XOAUTH2, as Google and Microsoft have it, and OAUTHBEARER (RFC 7628).

use serde_json::Value;
use zeroize::Zeroizing;

use super::{Response, Who};
use crate::error::{Error, Kind};
use crate::text::Clean;

/// A longer reason is not read.
const LONGEST: usize = 8 << 10;

/// What XOAUTH2 says.
pub(super) fn xoauth2(who: Who<'_>) -> Response {
    let text = Zeroizing::new(format!("user={}\x01auth=Bearer {}\x01\x01", who.user, who.secret.expose()));
    Zeroizing::new(text.as_bytes().to_vec())
}

/// What OAUTHBEARER says (RFC 7628 section 3.1).
pub(super) fn oauthbearer(who: Who<'_>) -> Response {
    let user = who.user.replace('=', "=3D").replace(',', "=2C");
    let text = Zeroizing::new(format!(
        "n,a={user},\x01host={}\x01port={}\x01auth=Bearer {}\x01\x01",
        who.host,
        who.port,
        who.secret.expose()
    ));
    Zeroizing::new(text.as_bytes().to_vec())
}

/// What follows the token: nothing, or the reason for a refusal, which is to be acknowledged.
#[derive(Debug)]
pub(super) struct Bearer {
    acknowledge: &'static [u8],
    reason: Option<Reason>,
}

/// Why a token was refused (RFC 7628 section 3.2.2).
#[derive(Debug, Default)]
struct Reason {
    status: String,
    scope: String,
}

impl Bearer {
    pub(super) fn new(acknowledge: &'static [u8]) -> Self {
        Self { acknowledge, reason: None }
    }

    pub(super) fn answer(&mut self, challenge: &[u8]) -> Option<Response> {
        if self.reason.is_some() {
            return None;
        }
        self.reason = Some(Reason::read(challenge));
        Some(Zeroizing::new(self.acknowledge.to_vec()))
    }

    /// The error for a refusal with a reason.
    pub(super) fn refused(&self, host: &str) -> Option<Error> {
        let Reason { status, scope } = self.reason.as_ref()?;
        let fresh = "the password command of the account has to print a fresh access token";
        // RFC 6750 section 3.1; Google answers with the numbers of HTTP.
        let (why, hint) = match status.as_str() {
            "invalid_token" | "400" | "401" => {
                (format!("{host} does not take the access token: it has expired, or is not valid"), fresh)
            }
            "insufficient_scope" | "403" => (
                format!("{host} knows the access token, but it does not open the mail"),
                "ask for a token with the right to read mail",
            ),
            _ => (format!("{host} does not take the access token"), fresh),
        };
        let mut said = match status.is_empty() {
            true => "the server gave no reason".to_owned(),
            false => format!("the server said: {}", Clean::line(status)),
        };
        if !scope.is_empty() {
            said.push_str(&format!(" (it wants {})", Clean::line(scope)));
        }
        Some(Error::new(Kind::Auth, why).because(said).hint(hint))
    }
}

impl Reason {
    fn read(challenge: &[u8]) -> Self {
        let json: Value = match challenge.get(..LONGEST) {
            Some(_) => Value::Null,
            None => serde_json::from_slice(challenge).unwrap_or_default(),
        };
        let word = |name: &str| match &json[name] {
            Value::String(text) => text.chars().take(200).collect(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        Self { status: word("status"), scope: word("scope") }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Conversation, Mechanism};
    use super::*;
    use crate::secret::Secret;

    const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

    fn begin(mechanism: Mechanism, user: &str) -> Conversation {
        let secret = Secret::new(TOKEN);
        let who = Who { user, secret: &secret, host: "server.example.com", port: 143 };
        Conversation::new(mechanism, who).unwrap()
    }

    #[test]
    fn p11_oauthbearer_as_in_rfc_7628_section_4() {
        let mut talk = begin(Mechanism::OAuthBearer, "user@example.com");
        let said = talk.initial().unwrap();
        let rfc = format!(
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer {TOKEN}\x01\x01"
        );
        assert_eq!(said.as_slice(), rfc.as_bytes());
        // Section 4.3: a failed exchange.
        let reason =
            br#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://x"}"#;
        assert_eq!(talk.answer(reason).unwrap().as_slice(), b"\x01");
        let error = talk.refused("h").unwrap();
        assert_eq!(error.kind(), Kind::Auth);
        assert_eq!(
            error.to_string(),
            "h does not take the access token: it has expired, or is not valid: the server said: \
             invalid_token (it wants example_scope)"
        );
        assert!(talk.answer(b"more").is_err());
    }

    #[test]
    fn p11_xoauth2_acknowledges_a_refusal_with_nothing() {
        let mut talk = begin(Mechanism::XOAuth2, "someuser@example.com");
        let said = talk.initial().unwrap();
        assert_eq!(
            said.as_slice(),
            format!("user=someuser@example.com\x01auth=Bearer {TOKEN}\x01\x01").as_bytes()
        );
        assert!(talk.refused("h").is_none());
        assert_eq!(talk.answer(br#"{"status":"401","schemes":"bearer mac"}"#).unwrap().as_slice(), b"");
        assert!(talk.refused("h").unwrap().to_string().contains("expired"));
    }

    #[test]
    fn i12_each_reason_is_told_and_none_is_believed_blindly() {
        for (reason, part) in [
            (&br#"{"status":403,"scope":"https://mail.google.com/"}"#[..], "does not open the mail"),
            (br#"{"status":"insufficient_scope"}"#, "does not open the mail"),
            (b"{\"status\":\"\\u001b[31mteapot\"}", "the server said: "),
            (b"not json", "gave no reason"),
            (b"[]", "gave no reason"),
            (&[b'['; 100_000], "gave no reason"),
        ] {
            let mut talk = begin(Mechanism::XOAuth2, "a");
            talk.initial();
            talk.answer(reason).unwrap();
            let said = talk.refused("h").unwrap().to_string();
            assert!(said.contains(part) && !said.contains('\x1b') && !said.contains(TOKEN), "{said}");
        }
    }

    #[test]
    fn x4_names_are_escaped() {
        let said = begin(Mechanism::OAuthBearer, "a,b=c").initial().unwrap();
        assert!(said.starts_with(b"n,a=a=2Cb=3Dc,\x01host="));
    }
}
