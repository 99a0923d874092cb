//! From a dial to a session that may send: greeting, EHLO, STARTTLS, sign-in.

use super::talk::Talk;
use super::{Offers, Session, auth};
use crate::config::Tls;
use crate::error::{Error, Kind, Result};
use crate::net::{DialOptions, Wire};
use crate::protocol::outgoing::Transport;
use crate::protocol::sasl;
use crate::secret::Secret;

/// What we call ourselves: an address literal, because the name of the machine is nobody's business (RFC 5321
/// section 4.1.4 has servers take what they are told).
const OURSELVES: &str = "[127.0.0.1]";

/// Connects and signs in; without a secret nothing is signed in to.
///
/// # Errors
/// [`Kind::Auth`] only when the server calls user or password wrong; [`Kind::Tls`] when TLS is required and cannot be
/// had: then no secret was said; [`Kind::Offline`] for what goes by itself.
pub fn connect(options: &DialOptions, user: &str, secret: Option<&Secret>) -> Result<Box<dyn Transport>> {
    Ok(Box::new(connect_with(options, user, secret)?))
}

/// The same, for who asks more of the session.
pub fn connect_with(options: &DialOptions, user: &str, secret: Option<&Secret>) -> Result<Session> {
    let wire = Wire::dial(options)?;
    if let Some(secret) = secret {
        sasl::check(user, secret)?;
        wire.keep_out(secret.expose());
    }
    let mut talk = Talk::new(wire);
    greet(&mut talk, options)?;
    let mut offers = hello(&mut talk)?;
    if options.tls == Tls::Starttls {
        secure(&mut talk, &offers)?;
        // What was heard in clear proves nothing once there is TLS.
        offers = hello(&mut talk)?;
    }
    if let Some(secret) = secret {
        match &offers.auth {
            Some(mechanisms) => auth::sign_in(&mut talk, mechanisms, options, (user, secret))?,
            // A server of this machine takes mail from those on it.
            None if talk.wire().is_local() => {}
            None => {
                let text = format!("{} offers no way to sign in, so it will not send for you", options.host);
                return Err(Error::new(Kind::Unsupported, text)
                    .hint("use the port for sending (465, or 587 with tls = \"starttls\"), not 25"));
            }
        }
    }
    Ok(Session { talk, offers })
}

fn greet(talk: &mut Talk, options: &DialOptions) -> Result<()> {
    let reply = talk.reply().map_err(|e| match e.kind() {
        Kind::Timeout if options.tls != Tls::Implicit => {
            e.hint("if this port expects TLS at once, set tls = \"implicit\"")
        }
        Kind::Protocol => {
            let text =
                format!("{} port {} did not greet as a server for sending", options.host, options.port);
            Error::new(Kind::Protocol, text).hint("check host, port and tls of the smtp section")
        }
        _ => e,
    })?;
    if reply.code == 220 {
        return Ok(());
    }
    let said = talk.said(&reply);
    Err(Error::new(Kind::Offline, format!("{} turned us away", options.host)).because(said))
}

/// EHLO, or HELO where that is not known.
fn hello(talk: &mut Talk) -> Result<Offers> {
    let reply = talk.command(&format!("EHLO {OURSELVES}"))?;
    if reply.is_yes() {
        return Ok(Offers::read(reply.lines.iter().skip(1).map(String::as_str)));
    }
    let reply = match reply.class() {
        5 if talk.is_whole() => talk.command(&format!("HELO {OURSELVES}"))?,
        _ => reply,
    };
    if reply.is_yes() {
        return Ok(Offers::default());
    }
    let (said, host) = (talk.said(&reply), talk.wire().host());
    Err(Error::new(Kind::Offline, format!("{host} turned us away")).because(said))
}

/// STARTTLS (RFC 3207), required and not only tried.
fn secure(talk: &mut Talk, offers: &Offers) -> Result<()> {
    let host = talk.wire().host();
    let missing = |text: String| {
        Error::new(Kind::Tls, text).hint(
            "nothing was sent; try tls = \"implicit\" with port 465. If STARTTLS worked here before, somebody may be \
             tampering with the line",
        )
    };
    if !offers.starttls {
        return Err(missing(format!("{host} does not offer encryption (STARTTLS) on this port")));
    }
    let reply = talk.command("STARTTLS")?;
    if reply.code != 220 {
        let said = talk.said(&reply);
        return Err(missing(format!("{host} refused to switch to encryption (STARTTLS)")).because(said));
    }
    let secured = talk.wire().start_tls();
    talk.noted(secured)
}
