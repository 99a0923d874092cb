//! Certificates for test servers, made on the spot: good ones, and bad ones of every kind.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Extension, X509Name};

/// A certificate with its key.
#[derive(Clone)]
pub struct Identity {
    pub cert: X509,
    pub key: PKey<Private>,
}

impl Identity {
    /// What a pin is compared with, by another library than the program's.
    pub fn pin(&self) -> [u8; 32] {
        openssl::sha::sha256(&self.key.public_key_to_der().unwrap())
    }
}

/// A certificate to be made.
pub struct Maker<'a> {
    common_name: &'a str,
    dns: Vec<&'a str>,
    ips: Vec<&'a str>,
    raw_dns: Option<Vec<u8>>,
    from: i64,
    until: i64,
    authority: bool,
}

impl<'a> Maker<'a> {
    /// Valid from yesterday for a month, no alternative names.
    pub fn new(common_name: &'a str) -> Self {
        let now = jiff::Timestamp::now().as_second();
        Self {
            common_name,
            dns: Vec::new(),
            ips: Vec::new(),
            raw_dns: None,
            from: now - 86_400,
            until: now + 30 * 86_400,
            authority: false,
        }
    }

    pub fn dns(mut self, name: &'a str) -> Self {
        self.dns.push(name);
        self
    }

    pub fn ip(mut self, address: &'a str) -> Self {
        self.ips.push(address);
        self
    }

    /// A DNS name of any bytes, as the only alternative name.
    pub fn raw_dns(mut self, name: &[u8]) -> Self {
        self.raw_dns = Some(name.to_vec());
        self
    }

    /// Validity in Unix seconds.
    pub fn valid(mut self, from: i64, until: i64) -> Self {
        (self.from, self.until) = (from, until);
        self
    }

    pub fn authority(mut self) -> Self {
        self.authority = true;
        self
    }

    /// Signed by itself.
    pub fn self_signed(self) -> Identity {
        self.make(None)
    }

    /// Signed by `issuer`.
    pub fn signed_by(self, issuer: &Identity) -> Identity {
        self.make(Some(issuer))
    }

    fn make(self, issuer: Option<&Identity>) -> Identity {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, self.common_name).unwrap();
        let name = name.build();
        let mut cert = X509::builder().unwrap();
        cert.set_version(2).unwrap();
        let mut serial = [0; 8];
        openssl::rand::rand_bytes(&mut serial).unwrap();
        serial[0] &= 0x7f;
        let serial = BigNum::from_slice(&serial).unwrap();
        cert.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
        cert.set_subject_name(&name).unwrap();
        cert.set_issuer_name(issuer.map_or(&*name, |i| i.cert.subject_name())).unwrap();
        cert.set_not_before(&Asn1Time::from_unix(self.from).unwrap()).unwrap();
        cert.set_not_after(&Asn1Time::from_unix(self.until).unwrap()).unwrap();
        cert.set_pubkey(&key).unwrap();
        if self.authority {
            cert.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        }
        if let Some(raw) = self.raw_dns {
            let entry = [&[0x82, u8::try_from(raw.len()).unwrap()], &raw[..]].concat();
            let der = [&[0x30, u8::try_from(entry.len()).unwrap()], &entry[..]].concat();
            let oid = Asn1Object::from_str("2.5.29.17").unwrap();
            let value = Asn1OctetString::new_from_bytes(&der).unwrap();
            cert.append_extension(X509Extension::new_from_der(&oid, false, &value).unwrap()).unwrap();
        } else if self.dns.len() + self.ips.len() > 0 {
            let mut names = SubjectAlternativeName::new();
            self.dns.iter().for_each(|n| _ = names.dns(n));
            self.ips.iter().for_each(|n| _ = names.ip(n));
            let context = cert.x509v3_context(None, None);
            let names = names.build(&context).unwrap();
            cert.append_extension(names).unwrap();
        }
        let signer = issuer.map_or(&key, |i| &i.key);
        cert.sign(signer, MessageDigest::sha256()).unwrap();
        Identity { cert: cert.build(), key }
    }
}

/// The authority that [`ca_file`] names.
pub fn authority() -> &'static Identity {
    static AUTHORITY: OnceLock<Identity> = OnceLock::new();
    AUTHORITY.get_or_init(|| Maker::new("mailtui test authority").authority().self_signed())
}

/// A good certificate for localhost, 127.0.0.1 and ::1.
pub fn good() -> &'static Identity {
    static GOOD: OnceLock<Identity> = OnceLock::new();
    GOOD.get_or_init(|| Maker::new("test").dns("localhost").ip("127.0.0.1").ip("::1").signed_by(authority()))
}

/// A file with the authority's certificate, for the account's `ca_file`.
pub fn ca_file() -> PathBuf {
    static DIR: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        write_pem(&dir.path().join("ca.pem"), authority());
        dir
    });
    dir.path().join("ca.pem")
}

pub fn write_pem(path: &Path, identity: &Identity) {
    std::fs::write(path, identity.cert.to_pem().unwrap()).unwrap();
}
