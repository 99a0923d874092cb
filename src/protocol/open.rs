//! From an account of the configuration to a session with its server.

use super::{MailProtocol, local, pop3};
use crate::config::{Account, Protocol};
use crate::error::Result;
use crate::net::Interrupt;
use crate::secret::Secret;

/// Connects and signs in. Blocks with deadlines; the interrupt ends every wait of the session.
pub fn open(account: &Account, secret: &Secret, interrupt: &Interrupt) -> Result<Box<dyn MailProtocol>> {
    match account.protocol {
        Protocol::Pop3 => pop3::connect(account, secret, interrupt),
        Protocol::Imap => super::imap::connect(account, secret, interrupt),
        Protocol::Local => local::connect(account, interrupt),
    }
}
