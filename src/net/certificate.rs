//! A server's certificate: its names, dates and key, and in words what is wrong with it.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;

use crate::error::{Error, Kind, Result};
use crate::text::Clean;

/// What a certificate says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Subject alternative names that are DNS names, as spelled. The common name does not count.
    pub names: Vec<String>,
    /// Subject alternative names that are IP addresses.
    pub addresses: Vec<IpAddr>,
    /// The subject's common name, for messages only.
    pub common_name: Option<String>,
    /// Who signed it.
    pub issuer: Clean,
    /// Whether it names itself as its issuer.
    pub self_signed: bool,
    /// Valid from, Unix seconds.
    pub not_before: i64,
    /// Valid until, Unix seconds.
    pub not_after: i64,
    /// SHA-256 of the SubjectPublicKeyInfo: what a pin is compared with.
    pub pin: [u8; 32],
}

impl Certificate {
    /// Reads a certificate in DER.
    pub(super) fn parse(der: &[u8]) -> Result<Self> {
        let broken = || Error::new(Kind::Tls, "the server's certificate cannot be read");
        let (_, cert) =
            x509_parser::parse_x509_certificate(der).map_err(|e| broken().because(e.to_string()))?;
        let mut names = Vec::new();
        let mut addresses = Vec::new();
        let san = cert.subject_alternative_name().map_err(|e| broken().because(e.to_string()))?;
        for name in san.iter().flat_map(|san| &san.value.general_names) {
            match name {
                GeneralName::DNSName(name) => names.push((*name).to_owned()),
                GeneralName::IPAddress(bytes) => addresses.extend(address(bytes)),
                _ => {}
            }
        }
        Ok(Self {
            names,
            addresses,
            common_name: cert
                .subject()
                .iter_common_name()
                .next()
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            issuer: Clean::line(&cert.issuer().to_string()),
            self_signed: cert.issuer() == cert.subject(),
            not_before: cert.validity().not_before.timestamp(),
            not_after: cert.validity().not_after.timestamp(),
            pin: Sha256::digest(cert.public_key().raw).into(),
        })
    }

    /// Whether it was made out to this host (RFC 9525 section 6): a subject alternative name, with `*`
    /// for one whole leftmost label at most. The common name never counts.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        match host.parse::<IpAddr>() {
            Ok(ip) => self.addresses.contains(&ip),
            Err(_) => self.names.iter().any(|name| matches(name, host)),
        }
    }

    /// The pin as the configuration spells it.
    #[must_use]
    pub fn pin_text(&self) -> String {
        pin_text(&self.pin)
    }

    /// The error for a certificate whose chain or name was not accepted; `verdict` is what the TLS
    /// library said of it.
    pub(super) fn refused(&self, host: &str, now: i64, verdict: &str) -> Error {
        let error = |text: String| Error::new(Kind::Tls, text);
        let host = Clean::line(host);
        let pin = self.pin_text();
        if now > self.not_after {
            return error(format!("the certificate of {host} expired on {}", day(self.not_after)))
                .hint("its owner has to renew it; is the clock of this machine right?");
        }
        if now < self.not_before {
            return error(format!("the certificate of {host} is valid only from {}", day(self.not_before)))
                .hint("is the clock of this machine right?");
        }
        if self.self_signed {
            return error(format!("the certificate of {host} is signed by itself, so nobody vouches for it"))
                .hint(format!(
                    "if you can check that this is the server's key, add pin = \"{pin}\" to the account, \
                     or name its certificate as ca_file"
                ));
        }
        if verdict.contains("issuer") || verdict.contains("self-signed certificate in") {
            let issuer = &self.issuer;
            return error(format!(
                "the certificate of {host} is signed by {issuer}, which is not trusted here"
            ))
            .hint(format!(
                "name the certificate of that authority as ca_file, or, if you can check that this is \
                     the server's key, add pin = \"{pin}\" to the account"
            ));
        }
        if verdict.contains("expired") {
            return error(format!("a certificate above that of {host} has expired"))
                .hint("its owner has to renew it; is the clock of this machine right?");
        }
        if !self.is_for(host.as_str()) {
            return self.wrong_name(host.as_str());
        }
        error(format!("the certificate of {host} was not accepted")).because(super::tls::reason(verdict))
    }

    /// The error for a certificate that was made out to somebody else.
    pub(super) fn wrong_name(&self, host: &str) -> Error {
        let host = Clean::line(host);
        let listed: Vec<String> =
            self.names.iter().cloned().chain(self.addresses.iter().map(ToString::to_string)).collect();
        if listed.is_empty() {
            let name = self.common_name.as_deref().unwrap_or("nobody");
            return Error::new(
                Kind::Tls,
                format!(
                    "the certificate has only the outdated common name {}, which proves nothing about {host}",
                    Clean::line(name)
                ),
            )
            .hint(format!(
                "its owner has to add a subject alternative name; if you can check that this is the \
                 server's key, add pin = \"{}\" to the account",
                self.pin_text()
            ));
        }
        let shown = listed.iter().take(4).map(|n| Clean::line(n).to_string()).collect::<Vec<_>>().join(", ");
        let more = if listed.len() > 4 { ", …" } else { "" };
        Error::new(Kind::Tls, format!("the certificate is for {shown}{more}, not for {host}"))
            .hint("check host in the account: the provider may want another of these names")
    }

    /// The error for a key that is not the pinned one.
    pub(super) fn wrong_pin(&self, host: &str, pinned: &[u8; 32]) -> Error {
        Error::new(
            Kind::Tls,
            format!(
                "{} shows another key than the one that is pinned, {}",
                Clean::line(host),
                pin_text(pinned)
            ),
        )
        .hint(format!(
            "somebody may be listening in; only if its owner confirms a new key, set pin = \"{}\"",
            self.pin_text()
        ))
    }
}

impl fmt::Display for Certificate {
    /// One line for `doctor` and the transcript.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Clean::line(&self.names.join(" "));
        write!(f, "{names}, signed by {}, until {}, {}", self.issuer, day(self.not_after), self.pin_text())
    }
}

fn pin_text(pin: &[u8; 32]) -> String {
    use fmt::Write;
    pin.iter().fold(String::from("sha256:"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|t| t.strftime("%-d %B %Y").to_string())
        .unwrap_or_else(|_| "a date out of range".into())
}

/// Whether the name of a certificate covers `host`.
fn matches(name: &str, host: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    if !host.is_ascii() || host.is_empty() {
        return false;
    }
    match name.strip_prefix("*.") {
        // Two labels at least after the star, and a whole label for the star.
        Some(rest) => {
            rest.contains('.')
                && !rest.contains('*')
                && host
                    .split_once('.')
                    .is_some_and(|(label, tail)| !label.is_empty() && tail.eq_ignore_ascii_case(rest))
        }
        None => !name.contains('*') && name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x2_names_match_as_in_rfc_9525() {
        assert!(matches("mail.example.org", "MAIL.example.org"));
        assert!(matches("*.example.org", "mail.example.org"));
        assert!(!matches("*.example.org", "a.mail.example.org"));
        assert!(!matches("*.example.org", "example.org"));
        assert!(!matches("*.example.org", ".example.org"));
        assert!(!matches("*.org", "example.org"));
        assert!(!matches("m*.example.org", "mail.example.org"));
        assert!(!matches("*", "localhost"));
        assert!(!matches("mail.example.org\0.evil.net", "mail.example.org"));
        assert!(!matches("", ""));
    }

    #[test]
    fn an_address_is_not_matched_by_a_name() {
        let certificate = Certificate {
            names: vec!["127.0.0.1".into()],
            addresses: vec!["::1".parse().unwrap()],
            common_name: None,
            issuer: Clean::line("x"),
            self_signed: false,
            not_before: 0,
            not_after: 0,
            pin: [0; 32],
        };
        assert!(!certificate.is_for("127.0.0.1"));
        assert!(certificate.is_for("::1"));
    }
}
