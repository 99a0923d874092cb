//! What it takes to reach a server.

use std::path::PathBuf;
use std::time::Duration;

use super::Interrupt;
use crate::config::{Account, Auth, Compress, Tls};

/// Where to connect to, how securely, and how patiently.
#[derive(Debug, Clone)]
pub struct DialOptions {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether TLS comes at once, later by [`Wire::start_tls`](super::Wire::start_tls), or not at all.
    pub tls: Tls,
    /// A file with certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the SubjectPublicKeyInfo of this host's certificate. With a pin, exactly this key is
    /// accepted: it stands in for the chain, the name and the dates of the certificate.
    pub pin: Option<[u8; 32]>,
    /// Allows a connection that stays in clear beyond this machine.
    pub allow_plaintext: bool,
    /// How to sign in once connected.
    pub auth: Auth,
    /// Whether to compress where the server offers it.
    pub compress: Compress,
    /// For the look-up and the connection together, and again for the TLS handshake; default 20 s.
    pub connect_timeout: Duration,
    /// For one line, or for each 16 KiB of a longer read or write; default 60 s.
    pub read_timeout: Duration,
    /// Ends every wait.
    pub interrupt: Interrupt,
}

impl DialOptions {
    /// What the account says, with the default patience.
    #[must_use]
    pub fn from(account: &Account, interrupt: &Interrupt) -> Self {
        Self {
            host: account.host.clone(),
            port: account.port,
            tls: account.tls,
            ca_file: account.ca_file.clone(),
            pin: account.pin,
            allow_plaintext: account.allow_plaintext,
            auth: account.auth,
            compress: account.compress,
            connect_timeout: Duration::from_secs(20),
            read_timeout: Duration::from_secs(60),
            interrupt: interrupt.clone(),
        }
    }

    /// The host without the brackets of an IPv6 literal and without a final dot.
    pub(super) fn bare_host(&self) -> &str {
        let host = self.host.trim();
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        host.strip_suffix('.').unwrap_or(host)
    }

    /// Whether this connection would stay in clear and may not do so beyond this machine.
    pub(super) fn clear_is_forbidden(&self) -> bool {
        self.tls == Tls::None && !self.allow_plaintext
    }
}
