//! From an account of the configuration to a session with its server.

use super::MailProtocol;
use crate::config::{Account, Protocol};
use crate::error::Result;
use crate::net::Interrupt;
use crate::secret::Secret;

/// Connects and signs in. Blocks with deadlines; the interrupt ends every wait of the session.
pub fn open(account: &Account, secret: &Secret, interrupt: &Interrupt) -> Result<Box<dyn MailProtocol>> {
    let _ = (secret, interrupt);
    match account.protocol {
        Protocol::Imap | Protocol::Pop3 => Err(crate::Error::new(crate::Kind::Unsupported, "being built")),
    }
}
