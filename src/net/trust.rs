//! Who is trusted: the system's certificates and those of an account, read once and kept for a while.
//!
//! The TLS library reads and parses all that the system trusts for every connector, which takes longer than
//! looking at a mailbox in which nothing changed; and a maildrop is connected to anew at each look.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use native_tls::{Protocol, TlsConnector};

use super::dial::DialOptions;
use crate::config::Tls;
use crate::error::{Error, Kind, Result};

/// What the system trusts is read again after so long.
const KEPT_FOR: Duration = Duration::from_secs(6 * 3600);
/// So many connectors are kept: one for each file of own certificates.
const MOST: usize = 8;

static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

struct Kept {
    /// The account's own certificates.
    pem: Option<Vec<u8>>,
    anybody: bool,
    since: Instant,
    connector: TlsConnector,
}

fn kept() -> MutexGuard<'static, Vec<Kept>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what will be needed in a thread of its own, while the connection is made.
pub(super) fn prepare(options: &DialOptions) {
    if options.tls == Tls::None {
        return;
    }
    let options = options.clone();
    // Without the thread it is read when it is needed; an error is told then.
    let _ = std::thread::Builder::new()
        .name("trust".into())
        .spawn(move || drop(connector(&options, options.pin.is_some())));
}

/// Reads everything anew at the next connection.
pub(super) fn forget() {
    kept().clear();
}

/// A connector that trusts the system and `ca_file`, and, only to look or with a pin, everybody.
pub(super) fn connector(options: &DialOptions, anybody: bool) -> Result<TlsConnector> {
    let pem = match &options.ca_file {
        Some(path) => Some(std::fs::read(path).map_err(|e| {
            Error::new(Kind::Config, format!("could not read ca_file {}", path.display()))
                .because(e)
                .hint("give the path of a file with certificates in PEM form")
        })?),
        None => None,
    };
    // Held while one is made: who wants the same meanwhile waits for it.
    let mut kept = kept();
    kept.retain(|one| one.since.elapsed() < KEPT_FOR);
    if let Some(one) = kept.iter().find(|one| one.anybody == anybody && one.pem == pem) {
        return Ok(one.connector.clone());
    }
    let connector = make(options, pem.as_deref(), anybody)?;
    if kept.len() >= MOST {
        kept.remove(0);
    }
    kept.push(Kept { pem, anybody, since: Instant::now(), connector: connector.clone() });
    Ok(connector)
}

fn make(options: &DialOptions, pem: Option<&[u8]>, anybody: bool) -> Result<TlsConnector> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    builder.danger_accept_invalid_certs(anybody).danger_accept_invalid_hostnames(anybody);
    if let (Some(pem), Some(path)) = (pem, &options.ca_file) {
        let wrong = || {
            Error::new(Kind::Config, format!("ca_file {} has no usable certificate", path.display()))
                .hint("it has to hold certificates in PEM form, with BEGIN CERTIFICATE lines")
        };
        let found = native_tls::Certificate::stack_from_pem(pem).map_err(|e| wrong().because(e))?;
        if found.is_empty() {
            return Err(wrong());
        }
        for certificate in found {
            builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|e| Error::new(Kind::Tls, "could not set up TLS").because(e))
}
