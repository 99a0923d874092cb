//! SCRAM-SHA-256 (RFC 5802, RFC 7677): neither side learns a secret that it did not have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Response, unfit};
use crate::error::{Error, Kind, Result};

/// Fewer rounds make the secret easy to guess for who listens (RFC 7677 section 4); more keep this machine
/// busy for the server's pleasure.
const FEWEST: u32 = 4096;
const MOST: u32 = 10_000_000;
/// No binding of the channel; no other name to act under.
const HEADER: &str = "n,,";

/// One exchange.
pub(super) struct Scram {
    secret: Zeroizing<String>,
    nonce: String,
    /// The first message without the header.
    bare: String,
    step: Step,
}

enum Step {
    /// The first message is on its way.
    Begun,
    /// The proof is on its way; this is what the server has to answer with.
    Proved(Hmac<Sha256>),
    /// The server proved itself.
    Believed,
    Failed,
}

impl Scram {
    /// Begins, with something that was never said before.
    pub(super) fn new(user: &str, secret: &str, nonce: &str) -> Result<Self> {
        let user = prepared(user, "user name")?.replace('=', "=3D").replace(',', "=2C");
        Ok(Self {
            secret: prepared(secret, "password")?,
            nonce: nonce.to_owned(),
            bare: format!("n={user},r={nonce}"),
            step: Step::Begun,
        })
    }

    pub(super) fn first(&self) -> Response {
        Zeroizing::new(format!("{HEADER}{}", self.bare).into_bytes())
    }

    pub(super) fn answer(&mut self, challenge: &[u8]) -> Result<Response> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| unfit("it says no text"))?;
        match std::mem::replace(&mut self.step, Step::Failed) {
            Step::Begun => self.prove(challenge),
            Step::Proved(mac) => {
                self.step = believe(mac, challenge)?;
                Ok(Response::default())
            }
            Step::Believed | Step::Failed => Err(unfit("SCRAM-SHA-256 has nothing more to say")),
        }
    }

    /// Whether the server has shown that it knows the secret, too.
    pub(super) fn end(&self) -> Result<()> {
        match self.step {
            Step::Believed => Ok(()),
            _ => Err(impostor()),
        }
    }

    fn prove(&mut self, challenge: &str) -> Result<Response> {
        let mut parts = challenge.split(',');
        let mut part = |name: &str| {
            parts.next().and_then(|part| part.strip_prefix(name)).ok_or_else(|| {
                // `m=` comes first: something that must be understood and is not (RFC 5802 section 5.1).
                unfit("what it says is not SCRAM, or of a newer kind")
            })
        };
        let (nonce, salt, rounds) = (part("r=")?, part("s=")?, part("i=")?);
        let printable = nonce.bytes().all(|byte| byte.is_ascii_graphic());
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() || !printable {
            return Err(unfit("it does not answer to what was said here (nonce)"));
        }
        let salt = BASE64.decode(salt).map_err(|_| unfit("its salt is not base64"))?;
        if salt.is_empty() {
            return Err(unfit("it has no salt"));
        }
        let rounds: u32 = match rounds.parse() {
            Ok(rounds) if !rounds_are_odd(rounds) => rounds,
            _ => {
                let asked: String = rounds.chars().filter(char::is_ascii_digit).take(20).collect();
                let limits =
                    format!("it asks for {asked} rounds of hashing; {FEWEST} to {MOST} are sensible");
                return Err(unfit(&limits).hint("auth = \"plain\" signs in without SCRAM, over TLS"));
            }
        };
        let salted =
            Zeroizing::new(pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(self.secret.as_bytes(), &salt, rounds));
        let without_proof = format!("c={},r={nonce}", BASE64.encode(HEADER));
        let whole = format!("{},{challenge},{without_proof}", self.bare);
        let client_key = Zeroizing::new(keyed(&*salted, b"Client Key"));
        let stored_key = Sha256::digest(*client_key);
        let signature = keyed(&stored_key, whole.as_bytes());
        let proof: Zeroizing<Vec<u8>> =
            Zeroizing::new(client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect());
        let server_key = Zeroizing::new(keyed(&*salted, b"Server Key"));
        self.step = Step::Proved(mac(&*server_key, whole.as_bytes()));
        let proof = Zeroizing::new(BASE64.encode(&*proof));
        Ok(Zeroizing::new(format!("{without_proof},p={}", *proof).into_bytes()))
    }
}

fn rounds_are_odd(rounds: u32) -> bool {
    !(FEWEST..=MOST).contains(&rounds)
}

fn believe(mac: Hmac<Sha256>, challenge: &str) -> Result<Step> {
    let first = challenge.split(',').next().unwrap_or_default();
    if first.starts_with("e=") {
        // The server says no, and will say so again as the outcome.
        return Ok(Step::Failed);
    }
    let signature = first.strip_prefix("v=").and_then(|text| BASE64.decode(text).ok());
    match signature {
        Some(signature) if mac.verify_slice(&signature).is_ok() => Ok(Step::Believed),
        _ => Err(impostor()),
    }
}

fn impostor() -> Error {
    Error::new(Kind::Tls, "the server does not know the password of this account itself (SCRAM)")
        .hint("it may not be the server it says it is; nothing more was said to it")
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac
}

fn keyed(key: &[u8], text: &[u8]) -> [u8; 32] {
    mac(key, text).finalize().into_bytes().into()
}

/// Letters in the one form that both sides agree on (SASLprep, RFC 4013).
fn prepared(text: &str, what: &str) -> Result<Zeroizing<String>> {
    match stringprep::saslprep(text) {
        Ok(prepared) => Ok(Zeroizing::new(prepared.into_owned())),
        Err(_) => Err(Error::new(
            Kind::Config,
            format!("the {what} has characters in it that SCRAM-SHA-256 does not allow"),
        )
        .hint("auth = \"plain\" signs in without SCRAM, over TLS")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const CHALLENGE: &[u8] =
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const PROOF: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const VERIFIER: &[u8] = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn rfc() -> Scram {
        Scram::new("user", "pencil", NONCE).unwrap()
    }

    #[test]
    fn p11_scram_as_in_rfc_7677_section_3() {
        let mut scram = rfc();
        assert_eq!(scram.first().as_slice(), format!("n,,n=user,r={NONCE}").as_bytes());
        assert_eq!(scram.answer(CHALLENGE).unwrap().as_slice(), PROOF.as_bytes());
        assert!(scram.end().is_err(), "nothing was proved yet");
        assert_eq!(scram.answer(VERIFIER).unwrap().as_slice(), b"");
        scram.end().unwrap();
        assert!(scram.answer(b"").is_err());
    }

    #[test]
    fn x1_a_server_that_cannot_prove_itself_is_refused() {
        for said in [
            &b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="[..],
            b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            b"v=6rriTRBi23WpRR/wtup+",
            b"v=",
            b"v",
            b"",
            b"ok=1,v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ] {
            let mut scram = rfc();
            scram.answer(CHALLENGE).unwrap();
            assert_eq!(scram.answer(said).unwrap_err().kind(), Kind::Tls, "{said:?}");
            assert!(scram.end().is_err());
        }
        // The server says no, and then yes.
        let mut scram = rfc();
        scram.answer(CHALLENGE).unwrap();
        scram.answer(b"e=invalid-proof").unwrap();
        assert_eq!(scram.end().unwrap_err().kind(), Kind::Tls);
        assert_eq!(rfc().end().unwrap_err().kind(), Kind::Tls, "a yes to the first message alone");
    }

    #[test]
    fn x3_odd_challenges_are_refused() {
        let own = format!("r={NONCE}");
        for said in [
            "".to_owned(),
            "r=".to_owned(),
            format!("{own},s=W22Z,i=4096"),
            format!("r=x{NONCE}abc,s=W22Z,i=4096"),
            format!("{own}é,s=W22Z,i=4096"),
            format!("{own}abc,s=,i=4096"),
            format!("{own}abc,s=?,i=4096"),
            format!("{own}abc,s=W22Z"),
            format!("{own}abc,s=W22Z,i=4095"),
            format!("{own}abc,s=W22Z,i=10000001"),
            format!("{own}abc,s=W22Z,i=4294967297"),
            format!("{own}abc,s=W22Z,i=-1"),
            format!("{own}abc,i=4096,s=W22Z"),
            format!("m=new,{own}abc,s=W22Z,i=4096"),
        ] {
            let error = rfc().answer(said.as_bytes()).err().unwrap_or_else(|| panic!("{said}"));
            assert_eq!(error.kind(), Kind::Protocol, "{said}");
            assert!(!format!("{error:?}").contains("pencil"));
        }
        assert!(rfc().answer(b"\xff").is_err());
        // What follows is for extensions, and is signed like the rest.
        assert!(rfc().answer(format!("{own}abc,s=W22Z,i=4096,x=y").as_bytes()).is_ok());
    }

    #[test]
    fn x4_names_are_escaped_and_letters_prepared() {
        let first = |user: &str| {
            let scram = Scram::new(user, "x", "N").unwrap();
            String::from_utf8(scram.first().to_vec()).unwrap()
        };
        assert_eq!(first("a,b=c"), "n,,n=a=2Cb=3Dc,r=N");
        // RFC 4013 section 3: a soft hyphen is nothing, compatible letters are one.
        assert_eq!(first("I\u{ad}X"), "n,,n=IX,r=N");
        assert_eq!(first("\u{2168}"), "n,,n=IX,r=N");
        let error = Scram::new("a", "\u{7}", "N").err().unwrap();
        assert_eq!(error.kind(), Kind::Config);
    }
}
