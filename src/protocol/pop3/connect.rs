//! From a dial to a signed-in session: greeting, STLS, capabilities, sign-in.

use super::capa::Capabilities;
use super::reply::Reply;
use super::talk::Talk;
use super::{Session, auth};
use crate::config::{Account, Tls};
use crate::error::{Error, Kind, Result};
use crate::net::{DialOptions, Interrupt, Wire};
use crate::protocol::{MailProtocol, sasl};
use crate::secret::Secret;

/// The longest greeting that is accepted.
const GREETING: usize = 8 << 10;

/// Connects and signs in with the account's own settings.
///
/// # Errors
/// [`Kind::Auth`] only when the server calls user or password wrong; [`Kind::Tls`] when TLS is required
/// and cannot be had: then no secret was said; [`Kind::Offline`] for what goes by itself.
pub fn connect(account: &Account, secret: &Secret, interrupt: &Interrupt) -> Result<Box<dyn MailProtocol>> {
    let options = DialOptions::from(account, interrupt);
    Ok(Box::new(connect_with(&options, &account.user, secret)?))
}

/// Connects and signs in.
pub fn connect_with(options: &DialOptions, user: &str, secret: &Secret) -> Result<Session> {
    sasl::check(user, secret)?;
    let wire = Wire::dial(options)?;
    wire.keep_out(secret.expose());
    let greeting = greet(&wire, options)?;
    let mut talk = Talk::new(wire);
    let stamp = match Reply::parse(greeting.as_bytes()) {
        Some(Reply::Ok(_)) => auth::stamp(&greeting),
        Some(Reply::Err(status)) => {
            return Err(talk.refused(&status, Kind::Offline, &format!("{} turned us away", options.host)));
        }
        _ => return Err(not_pop3(options, &talk.said(&greeting), &greeting)),
    };
    let mut capabilities = Capabilities::ask(&mut talk)?;
    // What was heard in clear proves nothing once there is TLS: neither capabilities nor the stamp.
    let stamp = if options.tls == Tls::Starttls {
        secure(&mut talk, &capabilities)?;
        capabilities = Capabilities::ask(&mut talk)?;
        None
    } else {
        stamp
    };
    if capabilities.utf8 {
        // Messages as they are, not downgraded for us (RFC 6856 section 2); a refusal changes nothing.
        talk.command("UTF8")?;
    }
    auth::sign_in(&mut talk, &capabilities, stamp.as_deref(), options, (user, secret))?;
    let after = Capabilities::ask(&mut talk)?;
    if after.told {
        capabilities = after;
    }
    let named = capabilities.uidl;
    // Gmail, which shows about 250 conversations and hides in the next session what was fetched in this one.
    let shows_part = greeting.contains("Gpop ready");
    let mut session = Session {
        talk,
        capabilities,
        listing: None,
        named,
        marked: Default::default(),
        twins: None,
        shows_part,
        line: Default::default(),
    };
    if !named {
        // Some servers know UIDL and do not say so; what this one can do is told once and for all.
        session.list()?;
    }
    Ok(session)
}

fn greet(wire: &Wire, options: &DialOptions) -> Result<String> {
    let line = wire.read_line(GREETING).map_err(|e| match e.kind() {
        Kind::Timeout if options.tls != Tls::Implicit => {
            e.hint("if this port expects TLS at once, set tls = \"implicit\"")
        }
        Kind::Protocol => not_pop3(options, "a line without an end", ""),
        _ => e,
    })?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn not_pop3(options: &DialOptions, said: &str, greeting: &str) -> Error {
    let error = Error::new(
        Kind::Protocol,
        format!("{} port {} did not greet as a POP3 server", options.host, options.port),
    )
    .because(said.to_owned());
    if greeting.starts_with("* ") {
        error.hint("this is an IMAP server: set protocol = \"imap\", or use the POP3 port (995)")
    } else if greeting.starts_with("220") {
        error.hint("this is a server for sending mail: POP3 has the ports 995 (TLS) and 110")
    } else {
        error.hint("check host, port and tls of the account")
    }
}

/// STLS (RFC 2595 section 4), required and not only tried.
fn secure(talk: &mut Talk, capabilities: &Capabilities) -> Result<()> {
    let host = talk.wire().host();
    let missing = |text: String| {
        Error::new(Kind::Tls, text).hint(
            "no password was sent; try tls = \"implicit\" with port 995. If STLS worked here before, \
             somebody may be tampering with the line",
        )
    };
    if capabilities.told && !capabilities.stls {
        return Err(missing(format!("{host} does not offer encryption (STLS) on this port")));
    }
    match talk.command("STLS")? {
        Reply::Ok(_) => {
            let secured = talk.wire().start_tls();
            talk.noting(secured)
        }
        Reply::Err(status) => {
            let error = missing(format!("{host} refused to switch to encryption (STLS)"));
            Err(if status.text.is_empty() { error } else { error.because(talk.said(&status.text)) })
        }
        Reply::More(_) => Err(talk.out_of_step()),
    }
}
