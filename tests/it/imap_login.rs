//! The way into an IMAP session, word for word: greetings, STARTTLS, capabilities, the secret.

use mailtui::config::{Protocol, Tls};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::MailProtocol;
use mailtui::protocol::imap::{Session, connect_with};
use mailtui::secret::Secret;
use mailtui::{Error, Kind, Result};

use crate::support::script::{Heard, Script, Server};

const SECRET: &str = "Tr0ub4dor&3";
/// NUL ann NUL SECRET in base64, by another tool.
const PLAIN: &str = "AGFubgBUcjB1YjRkb3ImMw==";

fn server(text: &str) -> Server {
    Script::new(text).start()
}

fn sign_in_as(server: &Server, tls: Tls, user: &str, secret: &str) -> Result<Session> {
    let options = DialOptions::from(&server.account(Protocol::Imap, tls), &Interrupt::new()?);
    connect_with(&options, user, &Secret::new(secret))
}

fn sign_in(server: &Server, tls: Tls) -> Result<Session> {
    sign_in_as(server, tls, "ann", SECRET)
}

fn enter(server: Server, tls: Tls) -> Heard {
    let session = sign_in(&server, tls).unwrap();
    let transcript = session.wire().transcript().to_string();
    assert!(!transcript.contains(SECRET) && !transcript.contains(PLAIN), "{transcript}");
    Box::new(session).finish().unwrap();
    server.finish()
}

/// Expects that signing in fails, and that the secret did not show on the way.
fn refused(server: Server, tls: Tls) -> (Error, Heard) {
    let error = sign_in(&server, tls).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET) && !shown.contains(PLAIN), "{shown}");
    let heard = server.finish();
    (error, heard)
}

// ---- the secret ----

#[test]
fn sasl_plain_goes_in_one_line_where_that_is_offered() {
    let server = Script::new(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\nC: a1 AUTHENTICATE PLAIN AGFubgBUcjB1YjRkb3ImMw==\n\
         S: * 3 EXISTS\nS: * 1 FETCH (FLAGS (x))\nS: * LIST () NIL {2}\nS: ab\nS: * OK [ALERT] read this\nS: a1 OK [CAPABILITY IMAP4rev1 ID] in\nC: m1 ID (\"name\" \"mailtui\" \"version\" *\n\
         C: m2 LOGOUT",
    )
    .implicit()
    .start();
    assert!(enter(server, Tls::Implicit).clear.is_empty());
}

#[test]
fn sasl_plain_waits_for_its_turn_elsewhere() {
    // The challenge is no base64, and something comes between.
    enter(
        server(
            "S: * OK hello\nC: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED X-\\xff\nS: a1 OK\n\
             C: a1 AUTHENTICATE PLAIN\nS: * NO [WEIRD (x \"]\")] thing {7}\nS: + go ahead, please\n\
             C: AGFubgBUcjB1YjRkb3ImMw==\nS: * CAPABILITY IMAP4rev1\nS: a1 OK\nC: m1 LOGOUT",
        ),
        Tls::None,
    );
}

#[test]
fn x4_login_quotes_what_can_be_quoted() {
    let server = server(
        "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN \"an\\\"n\\\\\" \"Tr0ub4dor&3\"\nS: a1 OK in\n\
         C: m1 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: m1 OK\nC: m2 LOGOUT",
    );
    Box::new(sign_in_as(&server, Tls::None, "an\"n\\", SECRET).unwrap()).finish().unwrap();
    server.finish();
}

#[test]
fn x4_login_says_the_rest_as_literals() {
    let server = server(
        "S: * OK [CAPABILITY IMAP4rev1] hello\nC: m1 LOGIN {4}\nS: * OK still\nS: + go\nC> j\\xc3\\xb6e\nC:  {6}\n\
         S: +\nC> p\\xc3\\xa4ss1\nC: \nS: m1 OK [CAPABILITY IMAP4rev1] in\nC: m2 LOGOUT",
    );
    let session = sign_in_as(&server, Tls::None, "jöe", "päss1").unwrap_or_else(|e| panic!("{e}"));
    let transcript = session.wire().transcript().to_string();
    assert!(!transcript.contains("päss1") && !transcript.contains("jöe"), "{transcript}");
    Box::new(session).finish().unwrap();
    server.finish();
}

#[test]
fn x4_a_secret_with_a_line_break_is_not_said() {
    let server = server("--- maybe\nS: * OK hello");
    for (user, secret, kind) in
        [("a\r\nb", "x", Kind::Config), ("a", "x\ny", Kind::Secret), ("a\0b", "x", Kind::Config)]
    {
        assert_eq!(sign_in_as(&server, Tls::None, user, secret).unwrap_err().kind(), kind);
    }
    server.finish();
}

#[test]
fn logindisabled_is_respected() {
    let (error, heard) =
        refused(server("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS] hello\nEOF"), Tls::None);
    assert_eq!(error.kind(), Kind::Config);
    assert!(heard.clear.is_empty());
    let server =
        Script::new("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI] hello\nEOF").implicit().start();
    let (error, _) = refused(server, Tls::Implicit);
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("GSSAPI"), "{error}");
}

#[test]
fn i12_each_refusal_is_told_as_what_it_is() {
    for (answer, kind) in [
        ("a1 NO [AUTHENTICATIONFAILED] \\x1b[31mno", Kind::Auth),
        ("a1 NO you said Tr0ub4dor&3", Kind::Auth),
        ("a1 NO [EXPIRED] old", Kind::Auth),
        ("a1 NO [UNAVAILABLE] later", Kind::Offline),
        ("a1 NO [INUSE] later", Kind::Offline),
        ("a1 BAD what?", Kind::Protocol),
        ("* BYE [UNAVAILABLE] going down", Kind::Offline),
        ("* BYE Too many attempts", Kind::Offline),
        ("* 1 FETCH (BODY[] {4294967295}", Kind::Protocol),
    ] {
        let text = format!("S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: {answer}\nEOF");
        let (error, _) = refused(server(&text), Tls::None);
        assert_eq!(error.kind(), kind, "{answer}: {error}");
        assert!(!error.to_string().contains('\x1b'), "{error:?}");
    }
}

// ---- greetings ----

#[test]
fn greetings_of_other_kinds_are_told() {
    for (greeting, kind) in [
        ("S: * BYE [UNAVAILABLE] come back later\nEOF", Kind::Offline),
        ("S: * NO not you\nEOF", Kind::Refused),
        ("S: +OK POP3 ready\nEOF", Kind::Protocol),
        ("S: 220 mail.example.org ESMTP\nEOF", Kind::Protocol),
        ("S: HTTP/1.1 400 Bad Request\nEOF", Kind::Protocol),
        ("S: * LIST () \"/\" {4294967295}\nEOF", Kind::Protocol),
        ("S> * OK hal\nCUT", Kind::Offline),
        ("CUT", Kind::Offline),
    ] {
        let (error, heard) = refused(server(greeting), Tls::None);
        assert_eq!(error.kind(), kind, "{greeting}: {error}");
        assert!(heard.clear.is_empty());
    }
}

#[test]
fn a_server_that_signs_us_in_by_itself_is_fine_without_starttls() {
    let text = "S: * PREAUTH [CAPABILITY IMAP4rev1] you are ann\nC: m1 LOGOUT";
    assert!(!String::from_utf8(enter(server(text), Tls::None).clear).unwrap().contains("LOGIN"));
    let text = "S: * PREAUTH hello\nC: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: a1 OK\nC: m1 LOGOUT";
    enter(server(text), Tls::None);
}

// ---- STARTTLS ----

#[test]
fn x1_starttls_forgets_what_was_said_in_clear() {
    // In clear the server offers LOGIN and says that the sign-in was done; inside only SASL is left.
    let heard = enter(
        server(
            "S: * OK [CAPABILITY IMAP4rev1 ID LITERAL+] hello\nC: m1 STARTTLS\nS: * CAPABILITY IMAP4rev1 IDLE\n\
             S: * OK [ALERT] x\nS: m1 OK go\nTLS\nC: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\n\
             S: a1 OK\nC: a1 AUTHENTICATE PLAIN\nS: +\nC: AGFubgBUcjB1YjRkb3ImMw==\nS: a1 OK\nC: m2 CAPABILITY\n\
             S: * CAPABILITY IMAP4rev1\nS: m2 OK\nC: m3 LOGOUT",
        ),
        Tls::Starttls,
    );
    heard.assert_not_in_clear(SECRET);
}

#[test]
fn x1_without_starttls_nothing_is_said() {
    for text in [
        "S: * OK hello\nC: m1 STARTTLS\nS: m1 NO not today\nEOF",
        "S: * OK hello\nC: m1 STARTTLS\nS: m1 BAD what?\nEOF",
        "S: * PREAUTH hello\nEOF",
        "S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello\nEOF",
        // Bytes ahead of the handshake: an answer, a capability, half a line.
        "S: * OK hello\nC: m1 STARTTLS\nS> m1 OK go\\r\\na1 OK in\\r\\n\nEOF",
        "S: * OK hello\nC: m1 STARTTLS\nS> m1 OK go\\r\\n* CAPABILITY IMAP4rev1\\r\\n\nEOF",
        "S: * OK hello\nC: m1 STARTTLS\nS> m1 OK go\\r\\n*\nEOF",
    ] {
        let (error, heard) = refused(server(text), Tls::Starttls);
        assert_eq!(error.kind(), Kind::Tls, "{text}: {error}");
        heard.assert_not_in_clear(SECRET);
        assert!(heard.sealed.is_empty(), "{text}");
    }
}

#[test]
fn x1_other_ends_of_starttls_say_no_secret_either() {
    for (text, kind) in [
        ("S: * OK hello\nC: m1 STARTTLS\nS: * BYE no\nEOF", Kind::Offline),
        ("S: * OK hello\nC: m1 STARTTLS\nCUT", Kind::Offline),
        ("S: * OK hello\nC: m1 STARTTLS\nS: * X {1073741825}\nEOF", Kind::Protocol),
    ] {
        let (error, heard) = refused(server(text), Tls::Starttls);
        assert_eq!(error.kind(), kind, "{text}: {error}");
        heard.assert_not_in_clear(SECRET);
    }
}

#[test]
fn every_packet_may_hold_one_byte() {
    enter(
        server(
            "SPLIT 1\nS: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\nC: a1 AUTHENTICATE PLAIN *\n\
             S: * X {3}\nS> a\\r\\n\nS: b\nS: a1 OK [CAPABILITY IMAP4rev1] in\nC: m1 LOGOUT",
        ),
        Tls::None,
    );
}
