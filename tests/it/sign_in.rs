//! Every way to sign in, over IMAP and POP3: on a Dovecot that takes them all, and word for word.

use std::fs;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use mailtui::config::{Account, Auth, Protocol, Tls};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::secret::Secret;
use mailtui::{Error, Kind, Result, protocol};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use crate::support::dovecot::{self, Dovecot};
use crate::support::script::{Script, Server};

/// What access tokens are signed with.
const KEY: &[u8] = b"a key of the tests, for tokens only";

/// A Dovecot that takes passwords and tokens in every way.
fn dovecot() -> Option<&'static Dovecot> {
    static SHARED: OnceLock<Option<Dovecot>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            // Read by the server as long as the tests run.
            let dir = tempfile::Builder::new().prefix("mailtui-oauth-").tempdir().unwrap().keep();
            let keys = dir.join("keys/default/HS256");
            fs::create_dir_all(&keys).unwrap();
            fs::write(keys.join("default"), BASE64.encode(KEY)).unwrap();
            let own = "introspection_mode = local\nusername_attribute = sub\nlocal_validation_key_dict = ";
            fs::write(dir.join("conf"), format!("{own}fs:posix:prefix={}/keys/\n", dir.display())).unwrap();
            open_to_all(&dir);
            dovecot::start(&format!(
                "auth_mechanisms = plain login cram-md5 scram-sha-256 xoauth2 oauthbearer\n\
                 passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n args = {}/conf\n}}",
                dir.display()
            ))
        })
        .as_ref()
}

fn open_to_all(dir: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
}

/// An access token for this user that ends so many seconds from now.
fn token(user: &str, seconds: i64) -> String {
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let (from, until) = (now - 3600, now + seconds);
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let body = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"{user}","iat":{from},"exp":{until}}}"#));
    let key = PKey::hmac(KEY).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.update(format!("{head}.{body}").as_bytes()).unwrap();
    format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(signer.sign_to_vec().unwrap()))
}

fn enter(account: &Account, secret: &str) -> Result<()> {
    protocol::open(account, &Secret::new(secret), &Interrupt::new()?)?.finish()
}

#[test]
fn p11_i10_every_way_in_is_taken_on_dovecot() {
    let Some(server) = dovecot() else { return };
    let user = server.user();
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        for tls in [Tls::Implicit, Tls::Starttls, Tls::None] {
            for (name, auth) in Auth::NAMES {
                let account = Account { auth, ..user.account(protocol, tls) };
                if auth == Auth::Apop {
                    // This server keeps no stamp in its greeting.
                    assert!(enter(&account, dovecot::PASSWORD).is_err());
                    continue;
                }
                let right = if auth.is_bearer() { token(&user.name, 3600) } else { dovecot::PASSWORD.into() };
                enter(&account, &right).unwrap_or_else(|e| panic!("{protocol:?} {tls:?} {name}: {e}"));
            }
        }
    }
    // It says by which way each came in: in clear and over TLS, the strongest.
    let log = server.log();
    for method in ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"] {
        for program in ["imap-login", "pop3-login"] {
            let lines = |line: &&str| line.contains(program) && line.contains(&format!("method={method},"));
            let count =
                log.lines().filter(lines).filter(|line| line.contains(&format!("<{}>", user.name))).count();
            // Auto is one more, for each of the three connections.
            let expected = match method {
                "SCRAM-SHA-256" => 6,
                // The protocol's own command counts as this one.
                "PLAIN" => 6,
                _ => 3,
            };
            assert_eq!(count, expected, "{program} {method}");
        }
    }
}

#[test]
fn a7_a_wrong_secret_is_told_as_one_in_every_way() {
    let Some(server) = dovecot() else { return };
    let user = server.user();
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        for (name, auth) in Auth::NAMES.into_iter().filter(|(_, auth)| *auth != Auth::Apop) {
            let account = Account { auth, ..user.account(protocol, Tls::Implicit) };
            let wrong = if auth.is_bearer() { token(&user.name, -60) } else { "hunter2".to_owned() };
            let error = enter(&account, &wrong).unwrap_err();
            assert_eq!(error.kind(), Kind::Auth, "{protocol:?} {name}: {error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(&wrong) && !shown.contains(&BASE64.encode(&wrong)), "{shown}");
            assert_eq!(shown.contains("it has expired, or is not valid"), auth.is_bearer(), "{shown}");
        }
    }
}

#[test]
fn p11_letters_beyond_ascii_pass_every_way() {
    let ways = "auth_mechanisms = plain login cram-md5 scram-sha-256";
    let Some(server) = dovecot::start_with("pä,ss=wörd", ways) else { return };
    let user = server.user();
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        for (name, auth) in Auth::NAMES.into_iter().filter(|(_, a)| *a != Auth::Apop && !a.is_bearer()) {
            let account = Account { auth, ..user.account(protocol, Tls::Implicit) };
            enter(&account, "pä,ss=wörd").unwrap_or_else(|e| panic!("{protocol:?} {name}: {e}"));
        }
    }
}

// ---- word for word ----

fn open(server: &Server, tls: Tls, protocol: Protocol, auth: Auth, secret: &str) -> Result<()> {
    let account = Account { auth, user: "ann".into(), ..server.account(protocol, tls) };
    protocol::open(&account, &Secret::new(secret), &Interrupt::new()?).map(drop)
}

fn refused(script: &str, tls: Tls, protocol: Protocol, auth: Auth) -> Error {
    let script = Script::new(script);
    let script = if tls == Tls::Implicit { script.implicit() } else { script };
    let server = script.start();
    let error = open(&server, tls, protocol, auth, "Tr0ub4dor&3").unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("Tr0ub4dor&3"), "{shown}");
    server.finish().assert_not_in_clear("Tr0ub4dor&3");
    error
}

/// NUL ann NUL Tr0ub4dor&3, in base64.
const PLAIN: &str = "AGFubgBUcjB1YjRkb3ImMw==";

#[test]
fn p11_over_tls_a_refused_digest_is_followed_by_the_password_once_and_for_all() {
    let imap = format!(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=PLAIN SASL-IR] hello\n\
         C: a1 AUTHENTICATE SCRAM-SHA-256 *\nS: a1 NO [AUTHENTICATIONFAILED] no\n\
         C: a1 AUTHENTICATE PLAIN {PLAIN}\nS: a1 OK [CAPABILITY IMAP4rev1] in\nEOF\n---\n\
         S: * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=PLAIN SASL-IR] hello\n\
         C: a1 AUTHENTICATE PLAIN {PLAIN}\nS: a1 OK [CAPABILITY IMAP4rev1] in\nEOF"
    );
    let capa = "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL PLAIN SCRAM-SHA-256\nS: UIDL\nS: .\n";
    let pop3 = format!(
        "{capa}C: AUTH SCRAM-SHA-256 *\nS: -ERR [AUTH] no\nC: AUTH PLAIN {PLAIN}\nS: +OK\nC: CAPA\nS: -ERR\nEOF\n---\n\
         {capa}C: AUTH PLAIN {PLAIN}\nS: +OK\nC: CAPA\nS: -ERR\nEOF"
    );
    for (protocol, text) in [(Protocol::Imap, imap), (Protocol::Pop3, pop3)] {
        let server = Script::new(&text).implicit().start();
        for _ in 0..2 {
            open(&server, Tls::Implicit, protocol, Auth::Auto, "Tr0ub4dor&3").unwrap();
        }
        server.finish();
    }
}

#[test]
fn p11_in_clear_no_password_follows_a_refused_digest() {
    for (protocol, text) in [
        (
            Protocol::Imap,
            "S: * OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5 AUTH=PLAIN SASL-IR] hello\n\
             C: a1 AUTHENTICATE CRAM-MD5\nS: a1 NO unsupported\nEOF",
        ),
        (
            Protocol::Pop3,
            "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL PLAIN CRAM-MD5\nS: USER\nS: .\nC: AUTH CRAM-MD5\nS: -ERR unsupported\nEOF",
        ),
    ] {
        refused(text, Tls::None, protocol, Auth::Auto);
    }
}

#[test]
fn x1_a_server_that_does_not_play_scram_is_left() {
    // "r=x,s=W22Z,i=4096": not an answer to what was said.
    for (protocol, text) in [
        (
            Protocol::Imap,
            "S: * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=PLAIN] hello\nC: a1 AUTHENTICATE SCRAM-SHA-256\nS: +\nC: biws*\n\
             S: + cj14LHM9VzIyWixpPTQwOTY=\nC: *\nS: a1 BAD cancelled\nEOF",
        ),
        (
            Protocol::Pop3,
            "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL SCRAM-SHA-256 PLAIN\nS: .\nC: AUTH SCRAM-SHA-256 biws*\n\
             S: + cj14LHM9VzIyWixpPTQwOTY=\nC: *\nS: -ERR cancelled\nEOF",
        ),
    ] {
        let error = refused(text, Tls::Implicit, protocol, Auth::Auto);
        assert_eq!(error.kind(), Kind::Protocol, "{error}");
    }
    // A yes without a proof.
    for (protocol, text) in [
        (
            Protocol::Imap,
            "S: * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 SASL-IR] hello\nC: a1 AUTHENTICATE SCRAM-SHA-256 biws*\nS: a1 OK in\nEOF",
        ),
        (
            Protocol::Pop3,
            "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL SCRAM-SHA-256\nS: .\nC: AUTH SCRAM-SHA-256 biws*\nS: +OK in\nEOF",
        ),
    ] {
        let error = refused(text, Tls::Implicit, protocol, Auth::ScramSha256);
        assert_eq!(error.kind(), Kind::Tls, "{error}");
    }
}

#[test]
fn p11_a_token_that_is_refused_is_told_with_the_reason() {
    // {"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}
    let reason =
        "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";
    let first = BASE64.encode("user=ann\x01auth=Bearer Tr0ub4dor&3\x01\x01");
    for (protocol, text) in [
        (
            Protocol::Imap,
            format!(
                "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN] hello\nC: a1 AUTHENTICATE XOAUTH2 {first}\n\
                 S: + {reason}\nC: \nS: a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\nEOF"
            ),
        ),
        (
            Protocol::Pop3,
            format!(
                "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL XOAUTH2\nS: .\nC: AUTH XOAUTH2 {first}\nS: + {reason}\nC: \nS: -ERR no\nEOF"
            ),
        ),
    ] {
        let error = refused(&text, Tls::Implicit, protocol, Auth::XOAuth2);
        assert_eq!(error.kind(), Kind::Auth);
        let said = error.to_string();
        assert!(said.contains("expired") && said.contains("https://mail.google.com/"), "{said}");
        assert!(error.hint_text().unwrap().contains("fresh"), "{error:?}");
    }
}

#[test]
fn p9_trouble_of_the_server_is_not_the_secrets() {
    for (code, kind) in [("[SYS/TEMP]", Kind::Offline), ("[IN-USE]", Kind::Offline), ("[AUTH]", Kind::Auth)] {
        let text = format!(
            "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL CRAM-MD5\nS: .\nC: AUTH CRAM-MD5\nS: + PGFAYj4=\nC: *\nS: -ERR {code} no\nEOF"
        );
        assert_eq!(refused(&text, Tls::Implicit, Protocol::Pop3, Auth::Auto).kind(), kind, "{code}");
    }
}

#[test]
fn p11_a_long_token_waits_for_its_turn() {
    let long = "t".repeat(5000);
    let said = BASE64.encode(format!("user=ann\x01auth=Bearer {long}\x01\x01"));
    for (protocol, text) in [
        (
            Protocol::Imap,
            "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hello\nC: a1 AUTHENTICATE XOAUTH2\nS: +\nC: ${said}\n\
             S: a1 OK [CAPABILITY IMAP4rev1] in\nEOF",
        ),
        (
            Protocol::Pop3,
            "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL XOAUTH2\nS: UIDL\nS: .\nC: AUTH XOAUTH2\nS: +\nC: ${said}\nS: +OK\nC: CAPA\nS: -ERR\nEOF",
        ),
    ] {
        let text = text.replace("${said}", &said);
        let server = Script::new(&text).implicit().start();
        open(&server, Tls::Implicit, protocol, Auth::XOAuth2, &long).unwrap();
        server.finish();
    }
}

#[test]
fn p11_what_is_configured_and_not_offered_is_told() {
    for (protocol, text) in [
        (Protocol::Imap, "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\nEOF"),
        (Protocol::Pop3, "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .\nEOF"),
    ] {
        let error = refused(text, Tls::Implicit, protocol, Auth::ScramSha256);
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(
            error.to_string().contains("scram-sha-256") && error.to_string().contains("PLAIN"),
            "{error}"
        );
    }
}

#[test]
fn x9_nothing_that_was_said_shows_in_the_transcript() {
    let Some(server) = dovecot() else { return };
    let user = server.user();
    for auth in [Auth::Plain, Auth::Login, Auth::CramMd5, Auth::ScramSha256, Auth::User] {
        let account = Account { auth, ..user.account(Protocol::Imap, Tls::Implicit) };
        let options = DialOptions::from(&account, &Interrupt::new().unwrap());
        let secret = Secret::new(dovecot::PASSWORD);
        let session = protocol::imap::connect_with(&options, &user.name, &secret).unwrap();
        let shown = session.wire().transcript().to_string();
        assert!(shown.contains("(secret)"), "{shown}");
        assert!(!shown.contains(&BASE64.encode(dovecot::PASSWORD)), "{shown}");
        assert!(
            !shown.contains(&BASE64.encode(format!("\0{}\0{}", user.name, dovecot::PASSWORD))),
            "{shown}"
        );
    }
}
