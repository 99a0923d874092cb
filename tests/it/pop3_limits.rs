//! POP3 at its edges: headers, servers that lie or never end, drops in every state, odd ones of every kind.

use std::time::Duration;

use mailtui::config::{Protocol, Tls};
use mailtui::error::{Kind, Result};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::pop3::connect_with;
use mailtui::protocol::{MailProtocol, Terms};
use mailtui::secret::Secret;

use crate::pop3_wire::{Bodies, IN, IN_PIPELINED, SECRET, TWO, finish, id, inbox, pull, server, session};
use crate::support::script::Script;

#[test]
fn p10_headers_come_in_windows_and_those_that_are_refused_are_told() {
    let server = server(&[
        IN_PIPELINED,
        "C> UIDL\\r\\nLIST\\r\\n\nS: +OK\nS: 1 a\nS: 2 b\nS: 3 c\nS: .\nS: +OK\nS: 1 10\nS: 2 20\nS: 3 30\nS: .",
        "C> TOP 3 0\\r\\nTOP 2 0\\r\\nTOP 1 0\\r\\n\nS: +OK\nS: Subject: c\nS: \nS: .\nS: -ERR no\nS: +OK\nS: ..x: a\nS: .",
        "C: QUIT\nS: +OK",
    ]);
    let mut session = session(&server);
    let mut heads = Bodies::default();
    let refused = session.heads(&inbox(), &[id("c"), id("gone"), id("b"), id("a")], &mut heads).unwrap();
    assert_eq!(refused, [id("b")], "it is fetched whole instead");
    assert_eq!(
        heads.whole,
        [(id("c"), 30, b"Subject: c\r\n\r\n".to_vec()), (id("a"), 10, b".x: a\r\n".to_vec())]
    );
    finish(session).unwrap();
    server.finish();
}

#[test]
fn a_stop_among_headers_keeps_the_session_in_order() {
    let server = server(&[IN, TWO, "C: TOP 1 0\nS: +OK\nS: A: b\nS: .\nC: NOOP\nS: +OK"]);
    let mut session = session(&server);
    let mut heads = Bodies { stop_after: Some(1), ..Bodies::default() };
    assert_eq!(session.heads(&inbox(), &[id("a"), id("b")], &mut heads).unwrap(), []);
    session.keep_alive().unwrap();
    drop(session);
    server.finish();
}

#[test]
fn x3_a_header_without_an_end_is_cut_off() {
    let flood = b"X-Flood: yes\r\n".repeat(1_400_000);
    let script = format!("{IN}{TWO}C: TOP 1 0\nS: +OK\nS> ${{flood}}\nHANG");
    let server = Script::new(&script).put("flood", flood).start();
    let mut session = session(&server);
    let error = session.heads(&inbox(), &[id("a")], &mut Nowhere).unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
    assert_eq!(session.keep_alive().unwrap_err().kind(), Kind::Offline);
    drop(session);
    server.give_up();
}

/// The size that was listed is no promise, but a mail that is tens of megabytes larger has no end.
#[test]
fn x3_a_mail_without_an_end_is_cut_off_in_clear_words() {
    let flood = vec![b'x'; 66 << 20];
    let script = format!("{IN}{TWO}C: RETR 1\nS: +OK\nS> ${{flood}}\nHANG");
    let server = Script::new(&script).put("flood", flood).start();
    let mut session = session(&server);
    let error = session.fetch(&inbox(), &[id("a"), id("b")], &mut Nowhere).unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
    assert!(error.to_string().contains("a message without an end"), "{error}");
    assert_eq!(finish(session).unwrap_err().kind(), Kind::Offline, "no QUIT in the middle of a mail");
    server.give_up();
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl mailtui::protocol::BodySink for Nowhere {
    fn begin(&mut self, _: &mailtui::protocol::RemoteId, _: u64) -> Result<()> {
        Ok(())
    }
    fn data(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn end(&mut self) -> Result<mailtui::protocol::Flow> {
        Ok(mailtui::protocol::Flow::Continue)
    }
}

#[test]
fn p13_gmail_is_known_by_its_greeting_and_terms_by_capa() {
    let way_in =
        "C: CAPA\nS: +OK\nS: USER\nS: .\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\nC: CAPA\nS: +OK\nS: UIDL";
    for (greeting, extra, terms) in [
        (
            "S: +OK Gpop ready for requests from 192.0.2.1 x9mb",
            "S: EXPIRE 0\nS: LOGIN-DELAY 300",
            Terms { login_delay: Duration::from_secs(300), expires: Some(0), shows_part: true },
        ),
        ("S: +OK hello", "S: EXPIRE NEVER", Terms::default()),
        (
            "S: +OK hello",
            "S: EXPIRE 31 USER\nS: LOGIN-DELAY x",
            Terms { expires: Some(31), ..Terms::default() },
        ),
    ] {
        let server = server(&[greeting, way_in, extra, "S: ."]);
        let options =
            DialOptions::from(&server.account(Protocol::Pop3, Tls::None), &Interrupt::new().unwrap());
        let session = connect_with(&options, "ann", &Secret::new(SECRET)).unwrap();
        assert_eq!(session.terms(), terms, "{greeting}");
        drop(session);
        server.finish();
    }
}

#[test]
fn x3_a_listing_without_an_end_is_cut_off_in_clear_words() {
    // More lines than any maildrop has; and few that are as long as a line may be.
    for (line, most) in [("1 x\r\n".to_owned(), 500_001), (format!("1 {}\r\n", "u".repeat(250)), 135_000)] {
        let flood = line.repeat(most + 1000);
        let script = format!("{IN}C: UIDL\nS: +OK\nS> ${{flood}}\nHANG");
        let server = Script::new(&script).put("flood", flood).start();
        let mut session = session(&server);
        let error = pull(&mut session, &[]).unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol);
        assert!(error.to_string().contains("lists more than"), "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("maildrop")), "{error}");
        // In the middle of an answer nothing is said any more, QUIT least of all.
        assert_eq!(finish(session).unwrap_err().kind(), Kind::Offline);
        server.give_up();
    }
}

#[test]
fn p4_a_drop_in_every_state_is_told_as_one_and_says_nothing_more() {
    let states = [
        "C: UIDL\nCUT",
        "C: UIDL\nS: +OK\nS: 1 a\nCUT",
        "C: UIDL\nS: +OK\nS: 1 a\nS: .\nC: LIST\nCUT",
        "C: UIDL\nS: +OK\nS: 1 a\nS: .\nC: LIST\nS: +OK\nS> 1 1\nCUT",
    ];
    for state in states {
        let server = server(&[IN, state]);
        let mut session = session(&server);
        assert_eq!(pull(&mut session, &[]).unwrap_err().kind(), Kind::Offline, "{state}");
        assert_eq!(finish(session).unwrap_err().kind(), Kind::Offline, "{state}");
        server.finish();
    }
    for state in ["C: TOP 1 0\nCUT", "C: TOP 1 0\nS: +OK\nS: A: b\nCUT"] {
        let server = server(&[IN, TWO, state]);
        let mut session = session(&server);
        let error = session.heads(&inbox(), &[id("a")], &mut Nowhere).unwrap_err();
        assert_eq!(error.kind(), Kind::Offline, "{state}");
        server.finish();
    }
}
