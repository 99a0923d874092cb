//! The one place where TLS is set up: what is checked, and what a failure means.
//!
//! The TLS library checks the chain and, leniently, the name; the subject alternative names and the pin
//! are checked here after the handshake and before the first byte of the application (RFC 9525).

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use native_tls::{HandshakeError, TlsStream};

use super::certificate::Certificate;
use super::connect::{connect, interrupted};
use super::dial::DialOptions;
use super::socket::{Socket, Woke};
use super::trust;
use crate::error::{Error, Kind, Result};

/// How long a second connection may take that only finds out what is wrong with a certificate.
const LOOK: Duration = Duration::from_secs(8);

/// What was said in clear before TLS: lines heard, then bytes said. Never anything secret.
#[derive(Debug, Default)]
pub(super) struct Opening {
    turns: Vec<(usize, Vec<u8>)>,
    heard: usize,
}

impl Opening {
    /// Counts the lines in what was heard.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.heard += bytes.iter().filter(|b| **b == b'\n').count();
    }

    /// Notes what was said; an opening that grows long is not worth repeating and is forgotten.
    pub(super) fn say(&mut self, bytes: &[u8]) {
        if self.turns.len() < 8 && bytes.len() < 512 {
            self.turns.push((std::mem::take(&mut self.heard), bytes.to_vec()));
        }
    }

    /// Says the same again on another connection, so that the server begins TLS there too.
    fn replay(&self, socket: &mut Socket) -> std::io::Result<()> {
        let last = (self.heard, Vec::new());
        for (lines, say) in self.turns.iter().chain([&last]) {
            let mut heard = 0;
            while heard < *lines {
                let mut buffer = [0; 1024];
                let n = socket.read(&mut buffer)?;
                if n == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                heard += buffer[..n].iter().filter(|b| **b == b'\n').count();
            }
            socket.write_all(say)?;
        }
        Ok(())
    }
}

/// Makes the connection secure, or says in words why not. `opening` is what was said before on it.
pub(super) fn secure(
    options: &DialOptions,
    mut socket: Socket,
    opening: &Opening,
) -> Result<(TlsStream<Socket>, Certificate)> {
    socket.until = Some(Instant::now() + options.connect_timeout);
    socket.read_ahead();
    let host = options.bare_host();
    let connector = trust::connector(options, options.pin.is_some())?;
    let stream = match connector.connect(host, socket) {
        Ok(stream) => stream,
        Err(HandshakeError::WouldBlock(middle)) => {
            return Err(match middle.get_ref().ended {
                Some(Woke::Rang) => interrupted(),
                _ => Error::new(Kind::Timeout, format!("{} did not finish the TLS handshake", options.host))
                    .hint("check that this port speaks TLS at once (tls = \"implicit\")"),
            });
        }
        Err(HandshakeError::Failure(e)) => {
            let verdict = e.to_string();
            if verdict.contains("certificate verify failed") {
                // What the user may be told to trust now is to count at the next try.
                trust::forget();
                return Err(explain(options, opening, &verdict));
            }
            return Err(broken_handshake(options, &verdict));
        }
    };
    let certificate = peer(&stream)?;
    match &options.pin {
        Some(pin) if *pin == certificate.pin => {}
        Some(pin) => return Err(certificate.wrong_pin(host, pin)),
        None if certificate.is_for(host) => {}
        None => return Err(certificate.wrong_name(host)),
    }
    Ok((stream, certificate))
}

fn peer(stream: &TlsStream<Socket>) -> Result<Certificate> {
    let none = || Error::new(Kind::Tls, "the server showed no certificate");
    let found = stream.peer_certificate().map_err(|e| none().because(e))?.ok_or_else(none)?;
    Certificate::parse(&found.to_der().map_err(|e| none().because(e))?)
}

/// The error for a certificate that the library refused. The library does not show it, so a second
/// connection looks at it; not a byte of the application is said there either.
fn explain(options: &DialOptions, opening: &Opening, verdict: &str) -> Error {
    let now = jiff::Timestamp::now().as_second();
    match look(options, opening) {
        Some(certificate) => certificate.refused(options.bare_host(), now, verdict),
        None => Error::new(Kind::Tls, format!("the certificate of {} was not accepted", options.host))
            .because(reason(verdict)),
    }
}

fn look(options: &DialOptions, opening: &Opening) -> Option<Certificate> {
    let until = Instant::now() + LOOK.min(options.connect_timeout);
    let mut socket = connect(options, until).ok()?;
    opening.replay(&mut socket).ok()?;
    let stream = trust::connector(options, true).ok()?.connect(options.bare_host(), socket).ok()?;
    peer(&stream).ok()
}

/// The error for a handshake that failed for another reason than the certificate.
fn broken_handshake(options: &DialOptions, text: &str) -> Error {
    let cause = reason(text);
    let (host, port) = (&options.host, options.port);
    if text.contains("wrong version number")
        || text.contains("packet length too long")
        || text.contains("http request")
    {
        return Error::new(Kind::Tls, format!("{host} port {port} does not answer in TLS"))
            .because(cause)
            .hint("if TLS comes later on this port, set tls = \"starttls\"; else check the port");
    }
    if text.contains("unsupported protocol") || text.contains("protocol version") {
        return Error::new(Kind::Tls, format!("{host} offers only outdated versions of TLS"))
            .because(cause)
            .hint("its owner has to allow TLS 1.2 or 1.3");
    }
    let lower = text.to_lowercase();
    if lower.contains("eof") || lower.contains("reset") || lower.contains("broken pipe") {
        return Error::new(Kind::Offline, format!("{host} closed the connection during the TLS handshake"))
            .because(cause);
    }
    Error::new(Kind::Tls, format!("could not make a secure connection to {host}")).because(cause)
}

/// What the TLS library means, without the places in its source: `error:CODE:LIBRARY:FUNCTION:REASON:…`,
/// and what it says of a certificate in brackets behind.
pub(super) fn reason(text: &str) -> String {
    let Some(reason) = text.split("error:").nth(1).and_then(|e| e.split(':').nth(3)) else {
        return text.to_owned();
    };
    let verdict = text.rfind(" (").map_or("", |at| &text[at..]);
    format!("{reason}{verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_words_only() {
        let refused = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify \
                       failed:ssl/statem/statem_clnt.c:2103: (self-signed certificate)";
        assert_eq!(reason(refused), "certificate verify failed (self-signed certificate)");
        let cut = "error:0A000126:SSL routines::unexpected eof while reading:ssl/record/rec_layer_s3.c:695:";
        assert_eq!(reason(cut), "unexpected eof while reading");
        assert_eq!(
            reason("Connection reset by peer (os error 104)"),
            "Connection reset by peer (os error 104)"
        );
    }
}
