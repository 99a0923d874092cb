//! Reaching a server: every way in which that can fail is told in words, and no byte too many is said.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use mailtui::config::{Protocol, Tls};
use mailtui::net::{DialOptions, Interrupt, Wire};
use mailtui::{Error, Kind};
use openssl::ssl::{SslAcceptor, SslMethod, SslVersion};

use crate::support::certs::{self, Identity, Maker, authority};
use crate::support::script::{Script, Server};

fn options(server: &Server, tls: Tls) -> DialOptions {
    DialOptions::from(&server.account(Protocol::Pop3, tls), &Interrupt::new().unwrap())
}

/// Dials a server that shows `identity` and must be refused with zero bytes said.
fn refused(identity: &Identity, change: impl FnOnce(&mut DialOptions)) -> Error {
    let script = Script::new("TLS REFUSED\n--- maybe\nTLS REFUSED").identity(identity).implicit();
    let server = script.start();
    let mut options = options(&server, Tls::Implicit);
    change(&mut options);
    let error = Wire::dial(&options).unwrap_err();
    let heard = server.finish();
    assert!(heard.clear.len() < 2048 && heard.sealed.is_empty(), "{heard:?}");
    assert_eq!(error.kind(), Kind::Tls, "{error}");
    assert!(error.hint_text().is_some(), "{error} has no hint");
    error
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[test]
fn x2_a_good_certificate_is_accepted_for_name_and_address() {
    for host in ["localhost", "127.0.0.1", "LOCALHOST", "localhost."] {
        let server = Script::new("S: +OK\nC: QUIT").implicit().start();
        let options = DialOptions { host: host.into(), ..options(&server, Tls::Implicit) };
        let wire = Wire::dial(&options).unwrap();
        assert!(wire.is_secure() && wire.may_say_secrets());
        assert_eq!(wire.read_line(100).unwrap(), b"+OK\r\n");
        wire.send(b"QUIT\r\n").unwrap();
        assert_eq!(wire.certificate().unwrap().pin, certs::good().pin());
        server.finish();
    }
}

#[test]
fn x2_expired() {
    let bad = Maker::new("x").dns("localhost").valid(now() - 9_000_000, 1_709_467_200).signed_by(authority());
    let error = refused(&bad, |_| ());
    assert_eq!(error.context(), "the certificate of localhost expired on 3 March 2024");
    let bad = Maker::new("x").dns("localhost").valid(now() + 86_400, now() + 90_000).signed_by(authority());
    let error = refused(&bad, |_| ());
    assert!(error.context().contains("valid only from"), "{error}");
}

#[test]
fn x2_wrong_host() {
    let bad = Maker::new("x").dns("mail.example.org").dns("example.org").signed_by(authority());
    let error = refused(&bad, |_| ());
    assert_eq!(error.context(), "the certificate is for mail.example.org, example.org, not for localhost");
    let bad = Maker::new("x").dns("localhost").ip("127.0.0.2").signed_by(authority());
    let error = refused(&bad, |o| o.host = "127.0.0.1".into());
    assert_eq!(error.context(), "the certificate is for localhost, 127.0.0.2, not for 127.0.0.1");
}

#[test]
fn x2_a_common_name_proves_nothing() {
    let bad = Maker::new("localhost").signed_by(authority());
    let error = refused(&bad, |_| ());
    assert!(error.context().contains("outdated common name localhost"), "{error}");
}

#[test]
fn x2_a_nul_in_the_name() {
    let bad = Maker::new("localhost").raw_dns(b"localhost\0.example.net").signed_by(authority());
    refused(&bad, |_| ());
}

#[test]
fn x2_untrusted_and_self_signed_tell_the_pin() {
    let stranger = Maker::new("Strangers Ltd").authority().self_signed();
    let bad = Maker::new("x").dns("localhost").signed_by(&stranger);
    let error = refused(&bad, |_| ());
    assert!(error.context().contains("signed by CN=Strangers Ltd, which is not trusted"), "{error}");
    let bad = Maker::new("x").dns("localhost").self_signed();
    let error = refused(&bad, |o| o.ca_file = None);
    assert!(error.context().contains("signed by itself"), "{error}");
    let hex: String = bad.pin().iter().map(|b| format!("{b:02x}")).collect();
    assert!(error.hint_text().unwrap().contains(&format!("pin = \"sha256:{hex}\"")), "{error:?}");
}

#[test]
fn x2_an_old_protocol_is_refused() {
    let good = certs::good();
    let mut old = SslAcceptor::mozilla_intermediate(SslMethod::tls()).unwrap();
    old.set_private_key(&good.key).unwrap();
    old.set_certificate(&good.cert).unwrap();
    old.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
    old.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
    old.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    let server = Script::new("TLS REFUSED").acceptor(old.build()).implicit().start();
    let error = Wire::dial(&options(&server, Tls::Implicit)).unwrap_err();
    assert!(server.finish().sealed.is_empty());
    assert_eq!(error.kind(), Kind::Tls);
    assert!(error.context().contains("only outdated versions of TLS"), "{error}");
}

#[test]
fn x2_a_pin_is_for_one_key() {
    let own = Maker::new("own").dns("elsewhere.example.org").valid(0, 86_400).self_signed();
    let server = Script::new("S: +OK").identity(&own).implicit().start();
    let right = DialOptions { pin: Some(own.pin()), ca_file: None, ..options(&server, Tls::Implicit) };
    let wire = Wire::dial(&right).unwrap();
    assert_eq!(wire.read_line(100).unwrap(), b"+OK\r\n");
    server.finish();
    // A certificate that is good in every other respect does not pass for a pinned key.
    let error = refused(certs::good(), |o| o.pin = Some(own.pin()));
    assert!(error.context().contains("another key than the one that is pinned"), "{error}");
}

#[test]
fn a_ca_file_is_checked_in_words() {
    let server = Script::new("--- maybe\n").start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    for (text, words) in
        [(None, "could not read ca_file"), (Some("not a certificate"), "no usable certificate")]
    {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let options = DialOptions { ca_file: Some(path.clone()), ..options(&server, Tls::Implicit) };
        let error = Wire::dial(&options).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.context().contains(words), "{error}");
    }
    server.finish();
}

#[test]
fn a_server_that_does_not_speak_tls_is_told() {
    let server = Script::new("S: +OK POP3 in clear\nHANG").start();
    let error = Wire::dial(&options(&server, Tls::Implicit)).unwrap_err();
    server.finish();
    assert_eq!(error.kind(), Kind::Tls);
    assert!(error.hint_text().unwrap().contains("starttls"), "{error:?}");
}

#[test]
fn a_server_that_is_silent_in_the_handshake_meets_the_deadline() {
    let server = Script::new("HANG").start();
    let options =
        DialOptions { connect_timeout: Duration::from_millis(100), ..options(&server, Tls::Implicit) };
    let start = Instant::now();
    let error = Wire::dial(&options).unwrap_err();
    server.finish();
    assert_eq!(error.kind(), Kind::Timeout, "{error}");
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_refused_port_is_offline() {
    let server = Script::new("--- maybe").start();
    let mut options = options(&server, Tls::Implicit);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    options.port = free.local_addr().unwrap().port();
    drop(free);
    let error = Wire::dial(&options).unwrap_err();
    server.finish();
    assert_eq!(error.kind(), Kind::Offline);
    assert_eq!(error.context(), format!("localhost takes no connections on port {}", options.port));
}

#[test]
fn an_unknown_host_is_offline() {
    let server = Script::new("--- maybe").start();
    let options = DialOptions { host: "no-such-host.invalid".into(), ..options(&server, Tls::Implicit) };
    let error = Wire::dial(&options).unwrap_err();
    server.finish();
    assert_eq!(error.kind(), Kind::Offline, "{error}");
    assert!(error.hint_text().unwrap().contains("online"));
}

#[test]
fn p11_clear_text_beyond_this_machine_is_refused_before_connecting() {
    let server = Script::new("--- maybe").start();
    // TEST-NET-1: if this were dialled, it would time out.
    let options = DialOptions { host: "192.0.2.1".into(), ..options(&server, Tls::None) };
    let error = Wire::dial(&options).unwrap_err();
    server.finish();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.hint_text().unwrap().contains("allow_plaintext"), "{error}");
}

#[test]
fn a_ring_ends_connecting() {
    let server = Script::new("--- maybe\nHANG").start();
    let options = options(&server, Tls::Implicit);
    let bell = options.interrupt.clone();
    let dialling = std::thread::spawn(move || Wire::dial(&options).unwrap_err());
    bell.ring();
    assert_eq!(dialling.join().unwrap().kind(), Kind::Interrupted);
    server.finish();
}
