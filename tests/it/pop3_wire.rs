//! POP3 word for word: what is said, what is not, and what becomes of every odd answer.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use mailtui::config::{Protocol, Tls};
use mailtui::model::{Cursor, Flags, UidSet};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::pop3::{Session, connect_with};
use mailtui::protocol::twin::twin;
use mailtui::protocol::{
    Applied, BodySink, Change, Flow, FolderRef, Known, MailProtocol, RemoteId, RemoteOp, Sink, Wake, open,
};
use mailtui::secret::Secret;
use mailtui::{Error, Kind, Result};
use sha2::{Digest, Sha256};

use crate::support::certs::{self, Maker};
use crate::support::script::{Heard, Script, Server};

pub(crate) const SECRET: &str = "Tr0ub4dor&3";

/// The way in for tests that are about something else.
pub(crate) const IN: &str = "S: +OK hello\nC: CAPA\nS: +OK\nS: USER\nS: UIDL\nS: .\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\n\
                  C: CAPA\nS: +OK\nS: UIDL\nS: .\n";
/// The same with pipelining.
pub(crate) const IN_PIPELINED: &str = "S: +OK hello\nC: CAPA\nS: +OK\nS: USER\nS: .\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\n\
                            C: CAPA\nS: +OK\nS: UIDL\nS: PIPELINING\nS: .\n";

pub(crate) fn server(lines: &[&str]) -> Server {
    Script::new(&lines.join("\n")).start()
}

pub(crate) fn sign_in(server: &Server, tls: Tls) -> Result<Session> {
    let options = DialOptions::from(&server.account(Protocol::Pop3, tls), &Interrupt::new()?);
    connect_with(&options, "ann", &Secret::new(SECRET))
}

pub(crate) fn session(server: &Server) -> Session {
    sign_in(server, Tls::None).unwrap()
}

/// Expects that signing in fails, and that the secret did not show on the way.
pub(crate) fn refused(server: Server, tls: Tls) -> (Error, Heard) {
    let error = sign_in(&server, tls).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    (error, server.finish())
}

#[derive(Default)]
pub(crate) struct Here(pub(crate) HashSet<String>);

impl Known for Here {
    fn cursor(&self) -> Cursor {
        Cursor::default()
    }
    fn uids(&self) -> Result<UidSet> {
        panic!("POP3 has no UIDs")
    }
    fn flags(&self) -> Result<Vec<(u32, Flags, Vec<String>)>> {
        panic!("POP3 has no flags")
    }
    fn has_uidl(&self, uidl: &str) -> bool {
        self.0.contains(uidl)
    }
}

struct Changes(Vec<Change>, usize);

impl Sink for Changes {
    fn change(&mut self, change: Change) -> Result<Flow> {
        self.0.push(change);
        Ok(if self.0.len() == self.1 { Flow::Stop } else { Flow::Continue })
    }
}

pub(crate) fn inbox() -> FolderRef {
    FolderRef::new("INBOX")
}

pub(crate) fn pull(session: &mut Session, known: &[&str]) -> Result<Vec<Change>> {
    let known = Here(known.iter().map(|u| (*u).to_owned()).collect());
    let mut changes = Changes(Vec::new(), usize::MAX);
    session.pull(&inbox(), &known, &mut changes)?;
    Ok(changes.0)
}

pub(crate) fn new(uidl: &str, size: u64) -> Change {
    Change::New {
        id: id(uidl),
        remote_id: None,
        flags: Flags::NONE,
        keywords: Vec::new(),
        size,
        received: 0,
        head: None,
    }
}

pub(crate) fn listing(uidls: &[&str]) -> Change {
    listing_of(uidls, 0)
}

pub(crate) fn listing_of(uidls: &[&str], bytes: u64) -> Change {
    Change::Listing { uidls: uidls.iter().map(|u| (*u).to_owned()).collect(), bytes }
}

pub(crate) fn id(uidl: &str) -> RemoteId {
    RemoteId::Uidl(uidl.to_owned())
}

#[derive(Default)]
pub(crate) struct Bodies {
    pub(crate) whole: Vec<(RemoteId, u64, Vec<u8>)>,
    pub(crate) open: Option<(RemoteId, u64, Vec<u8>)>,
    pub(crate) stop_after: Option<usize>,
    pub(crate) fail_at: Option<usize>,
}

impl BodySink for Bodies {
    fn begin(&mut self, id: &RemoteId, size: u64) -> Result<()> {
        assert!(self.open.is_none(), "one message at a time");
        self.open = Some((id.clone(), size, Vec::new()));
        Ok(())
    }
    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        if self.fail_at == Some(self.whole.len()) {
            return Err(Error::new(Kind::Store, "the disk is full"));
        }
        self.open.as_mut().unwrap().2.extend_from_slice(bytes);
        Ok(())
    }
    fn end(&mut self) -> Result<Flow> {
        self.whole.push(self.open.take().unwrap());
        Ok(if self.stop_after == Some(self.whole.len()) { Flow::Stop } else { Flow::Continue })
    }
}

pub(crate) fn delete(session: &mut Session, uidls: &[&str]) -> Result<Applied> {
    session.apply(&RemoteOp::Delete { folder: inbox(), ids: uidls.iter().map(|u| id(u)).collect() })
}

pub(crate) fn finish(session: Session) -> Result<()> {
    Box::new(session).finish()
}

// ---- signing in ----

#[test]
fn p11_sasl_plain_goes_in_one_line() {
    // base64 of NUL ann NUL Tr0ub4dor&3, made by another tool
    let server = Script::new(
        "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL PLAIN LOGIN\nS: USER\nS: .\n\
         C: AUTH PLAIN AGFubgBUcjB1YjRkb3ImMw==\nS: +OK\nC: CAPA\nS: +OK\nS: UIDL\nS: EXPIRE 60\n\
         S: LOGIN-DELAY 30\nS: .\nC: QUIT\nS: +OK",
    )
    .implicit()
    .start();
    let session = sign_in(&server, Tls::Implicit).unwrap();
    let terms = session.terms();
    assert_eq!((terms.login_delay, terms.expires), (Duration::from_secs(30), Some(60)));
    let transcript = session.wire().transcript().to_string();
    assert!(transcript.contains("AUTH PLAIN (secret)"), "{transcript}");
    assert!(!transcript.contains(SECRET) && !transcript.contains("AGFubg"), "{transcript}");
    finish(session).unwrap();
    assert!(server.finish().clear.is_empty());
}

#[test]
fn p11_sasl_plain_is_said_again_when_asked_for() {
    let server = server(&[
        "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: UIDL\nS: .\nC: AUTH PLAIN *\nS: + \nC: AGFubgBUcjB1YjRkb3ImMw==",
        "S: +OK\nC: CAPA\nS: -ERR",
    ]);
    let session = session(&server);
    assert!(!session.wire().transcript().to_string().contains("AGFubg"));
    drop(session);
    server.finish();
}

#[test]
fn p11_a_long_sasl_plain_waits_for_the_go_ahead() {
    let server = server(&[
        "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: UIDL\nS: .\nC: AUTH PLAIN\nS: + \nC: AGFubgB4*\nS: +OK\nC: CAPA\nS: -ERR",
    ]);
    let account = server.account(Protocol::Pop3, Tls::None);
    let options = DialOptions::from(&account, &Interrupt::new().unwrap());
    connect_with(&options, "ann", &Secret::new("x".repeat(256))).unwrap();
    server.finish();
}

#[test]
fn p11_a_mechanism_that_is_shut_before_the_secret_is_passed_over() {
    let long = "x".repeat(300);
    let server = server(&[
        "S: +OK hello\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: USER\nS: UIDL\nS: .\nC: AUTH PLAIN\nS: -ERR not today",
        "C: USER ann\nS: +OK\nC: PASS x*\nS: +OK\nC: CAPA\nS: -ERR",
    ]);
    let account = server.account(Protocol::Pop3, Tls::None);
    let options = DialOptions::from(&account, &Interrupt::new().unwrap());
    connect_with(&options, "ann", &Secret::new(long)).unwrap();
    server.finish();
}

#[test]
fn p11_apop_as_in_the_rfc() {
    // The example of RFC 1939 section 7: mrose, tanstaaf.
    let server = server(&[
        "S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\nC: CAPA\nS: -ERR",
        "C: APOP mrose c4c9334bac560ecc979e58001b3e22fb\nS: +OK\nC: CAPA\nS: -ERR\nC: UIDL\nS: +OK\nS: .\nC: LIST\nS: +OK\nS: .",
    ]);
    let options = DialOptions::from(&server.account(Protocol::Pop3, Tls::None), &Interrupt::new().unwrap());
    connect_with(&options, "mrose", &Secret::new("tanstaaf")).unwrap();
    server.finish();
}

#[test]
fn p11_apop_refused_in_clear_is_not_followed_by_the_password() {
    let server = server(&["S: +OK <1@x>\nC: CAPA\nS: +OK\nS: USER\nS: .\nC: APOP ann *\nS: -ERR no\nEOF"]);
    let (error, heard) = refused(server, Tls::None);
    assert_eq!(error.kind(), Kind::Auth);
    heard.assert_not_in_clear(SECRET);
}

#[test]
fn p11_apop_refused_over_tls_may_be() {
    let server = Script::new(
        "S: +OK <1@x>\nC: CAPA\nS: +OK\nS: USER\nS: UIDL\nS: .\nC: APOP ann *\nS: -ERR no\nC: USER ann\nS: +OK\n\
         C: PASS *\nS: +OK\nC: CAPA\nS: -ERR",
    )
    .implicit()
    .start();
    sign_in(&server, Tls::Implicit).unwrap();
    server.finish();
}

#[test]
fn no_way_in_that_is_known_is_told() {
    let server = server(&["S: +OK\nC: CAPA\nS: +OK\nS: SASL GSSAPI NTLM\nS: .\nEOF"]);
    let (error, _) = refused(server, Tls::None);
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("GSSAPI, NTLM"), "{error}");
}

#[test]
fn p9_only_auth_or_a_plain_refusal_of_pass_calls_the_password_wrong() {
    for (answer, kind) in [
        ("-ERR [AUTH] no", Kind::Auth),
        ("-ERR", Kind::Auth),
        ("-ERR Tr0ub4dor&3 is wrong", Kind::Auth),
        ("-ERR [IN-USE] locked", Kind::Offline),
        ("-ERR [LOGIN-DELAY] wait", Kind::Offline),
        ("-ERR [SYS/TEMP] later", Kind::Offline),
        ("-ERR [SYS/PERM] never", Kind::Refused),
    ] {
        let server = server(&[
            "S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: +OK\nC: PASS *",
            &format!("S: {answer}\nEOF"),
        ]);
        let (error, _) = refused(server, Tls::None);
        assert_eq!(error.kind(), kind, "{answer}: {error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
}

#[test]
fn p9_a_refused_user_says_no_password() {
    let server = server(&["S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: -ERR sorry\nEOF"]);
    let (error, heard) = refused(server, Tls::None);
    assert_eq!(error.kind(), Kind::Refused);
    heard.assert_not_in_clear(SECRET);
}

#[test]
fn x4_a_line_break_in_user_or_password_reaches_no_wire() {
    for (user, secret, kind) in [("ann\r\nDELE 1", "x", Kind::Config), ("ann", "x\r\nDELE 1", Kind::Secret)] {
        let server = server(&["--- maybe"]);
        let options =
            DialOptions::from(&server.account(Protocol::Pop3, Tls::None), &Interrupt::new().unwrap());
        assert_eq!(connect_with(&options, user, &Secret::new(secret)).unwrap_err().kind(), kind);
        assert!(server.finish().clear.is_empty());
    }
}

#[test]
fn greetings_that_are_none() {
    for (greeting, kind, words) in [
        ("S: -ERR [SYS/TEMP] overloaded", Kind::Offline, "trouble for the moment"),
        ("S: -ERR go away", Kind::Offline, "turned us away"),
        ("S: * OK [CAPABILITY IMAP4rev1] ready", Kind::Protocol, "did not greet as a POP3 server"),
        ("S: * BYE too many connections", Kind::Protocol, "did not greet as a POP3 server"),
        ("S: 220 mail.example.org ESMTP", Kind::Protocol, "did not greet as a POP3 server"),
        ("S: + go on", Kind::Protocol, "did not greet as a POP3 server"),
        ("S> \\0\\xff\\x16\\n", Kind::Protocol, "did not greet as a POP3 server"),
        ("CUT", Kind::Offline, "closed the connection"),
    ] {
        let server = server(&[greeting, "EOF"][..1 + usize::from(greeting != "CUT")]);
        let (error, heard) = refused(server, Tls::None);
        assert_eq!(error.kind(), kind, "{greeting}: {error}");
        assert!(error.context().contains(words), "{greeting}: {error}");
        assert!(heard.clear.is_empty());
    }
}

#[test]
fn x3_an_endless_greeting_is_cut_off() {
    let server = Script::new("S> ${flood}\nHANG").put("flood", vec![b'+'; 100_000]).start();
    let (error, _) = refused(server, Tls::None);
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
}

#[test]
fn x3_a_hung_server_meets_the_deadline() {
    for script in ["HANG", "S: +OK\nC: CAPA\nHANG", "S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nHANG"] {
        let server = server(&[script]);
        let account = server.account(Protocol::Pop3, Tls::None);
        let options = DialOptions {
            read_timeout: Duration::from_millis(50),
            ..DialOptions::from(&account, &Interrupt::new().unwrap())
        };
        let start = Instant::now();
        let error = connect_with(&options, "ann", &Secret::new(SECRET)).unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout, "{error}");
        assert!(start.elapsed() < Duration::from_secs(15));
        server.finish();
    }
}

#[test]
fn a_ring_ends_signing_in() {
    let hung = "S: +OK\nC: CAPA\nHANG";
    let server = server(&["--- maybe", hung, "--- maybe", hung]);
    let bell = Interrupt::new().unwrap();
    let options = DialOptions::from(&server.account(Protocol::Pop3, Tls::None), &bell);
    let before = options.clone();
    let signing_in =
        std::thread::spawn(move || connect_with(&before, "ann", &Secret::new(SECRET)).unwrap_err());
    bell.ring();
    assert_eq!(signing_in.join().unwrap().kind(), Kind::Interrupted);
    // It is still rung: the next wait ends at once.
    let error = connect_with(&options, "ann", &Secret::new(SECRET)).unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted);
    server.give_up();
}

#[test]
fn x3_capabilities_without_an_end_are_cut_off() {
    let many: String = (0..300).map(|n| format!("S: X-{n}\n")).collect();
    let (error, _) = refused(server(&["S: +OK\nC: CAPA\nS: +OK", &many, "HANG"]), Tls::None);
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
}

// ---- STLS ----

const STLS: &str = "S: +OK <1@clear>\nC: CAPA\nS: +OK\nS: STLS\nS: USER\nS: SASL PLAIN\nS: .\nC: STLS\n";

#[test]
fn p11_stls_asks_anew_and_forgets_the_rest() {
    // Neither the stamp nor PLAIN, both heard in clear, are used behind TLS.
    let server = server(&[
        STLS,
        "S: +OK go\nTLS\nC: CAPA\nS: +OK\nS: USER\nS: UIDL\nS: .\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\nC: CAPA\nS: -ERR",
        "C: QUIT\nS: +OK",
    ]);
    let session = sign_in(&server, Tls::Starttls).unwrap();
    assert!(session.wire().is_secure());
    finish(session).unwrap();
    assert_eq!(server.finish().clear, b"CAPA\r\nSTLS\r\n");
}

#[test]
fn x1_injected_behind_the_go_ahead() {
    for injected in
        ["S> +OK go\\r\\n+OK injected\\r\\n.\\r\\n", "SPLIT 3\nS> +OK go\\r\\n-ERR injected\\r\\n"]
    {
        let server = server(&[STLS, injected, "HANG"]);
        let (error, heard) = refused(server, Tls::Starttls);
        assert_eq!(error.kind(), Kind::Tls, "{error}");
        heard.assert_not_in_clear(SECRET);
    }
}

#[test]
fn x1_stripped_or_refused() {
    for (script, words) in [
        ("S: +OK\nC: CAPA\nS: +OK\nS: USER\nS: SASL PLAIN\nS: .\nEOF", "does not offer encryption"),
        ("S: +OK\nC: CAPA\nS: +OK\nS: STLS\nS: .\nC: STLS\nS: -ERR no\nEOF", "refused to switch"),
        ("S: +OK\nC: CAPA\nS: -ERR\nC: STLS\nS: -ERR what\nEOF", "refused to switch"),
    ] {
        let (error, heard) = refused(server(&[script]), Tls::Starttls);
        assert_eq!(error.kind(), Kind::Tls);
        assert!(error.context().contains(words), "{error}");
        assert!(error.hint_text().unwrap().contains("no password was sent"));
        heard.assert_not_in_clear(SECRET);
        assert!(!String::from_utf8_lossy(&heard.clear).contains("ann"), "not even the user is said");
    }
}

#[test]
fn x2_a_bad_certificate_behind_stls_is_refused() {
    let own = Maker::new("own").dns("localhost").self_signed();
    let dialogue = format!("{STLS}S: +OK\nTLS REFUSED\n");
    let server = Script::new(&format!("{dialogue}--- maybe\n{dialogue}")).identity(&own).start();
    let (error, heard) = refused(server, Tls::Starttls);
    assert_eq!(error.kind(), Kind::Tls);
    assert!(error.context().contains("signed by itself"), "{error}");
    heard.assert_not_in_clear(SECRET);
    assert!(heard.sealed.is_empty());
    assert_ne!(own.pin(), certs::good().pin());
}

#[test]
fn p11_in_clear_beyond_loopback_nothing_is_dialled() {
    let server = server(&["--- maybe"]);
    let mut account = server.account(Protocol::Pop3, Tls::None);
    account.host = "192.0.2.1".into();
    let error = open(&account, &Secret::new(SECRET), &Interrupt::new().unwrap()).err().unwrap();
    assert_eq!(error.kind(), Kind::Config);
    server.finish();
}

// ---- listings ----

#[test]
fn p1_new_mail_comes_newest_first_then_the_listing() {
    let server = server(&[
        IN,
        "C: UIDL\nS: +OK\nS: 1 old\nS: 2 b c\nS: 3 \\xe9\nS: .\nC: LIST\nS: +OK\nS: 1 10\nS: 2 20 extra\nS: 3 x\nS: .",
    ]);
    let mut session = session(&server);
    let caps = session.caps();
    assert!(caps.snapshot && caps.deletes && !caps.folders && !caps.flags && !caps.append && !caps.push);
    let expected =
        [Change::Expect { messages: 2 }, new("é", 0), new("b c", 20), listing_of(&["é", "b c", "old"], 30)];
    assert_eq!(pull(&mut session, &["old"]).unwrap(), expected);
    // The maildrop stays as it is for the session: no second question, and twice is the same.
    assert_eq!(pull(&mut session, &["old"]).unwrap(), expected);
    assert_eq!(pull(&mut session, &["old", "é", "b c"]).unwrap(), [listing_of(&["é", "b c", "old"], 30)]);
    assert_eq!(session.wait(&inbox(), Instant::now()).unwrap(), Wake::Unsupported);
    assert_eq!(session.folders().unwrap()[0].messages, Some(3));
    drop(session);
    server.finish();
}

#[test]
fn p10_both_listings_go_in_one_packet() {
    let server = server(&[
        IN_PIPELINED,
        "C> UIDL\\r\\nLIST\\r\\n\nS: +OK\nS: 1 a\nS: .\nS: +OK\nS: 1 7\nS: .\nC> QUIT\\r\\n\nS: +OK",
    ]);
    let mut session = session(&server);
    let changes = pull(&mut session, &[]).unwrap();
    assert_eq!(changes, [Change::Expect { messages: 1 }, new("a", 7), listing_of(&["a"], 7)]);
    finish(session).unwrap();
    server.finish();
}

#[test]
fn a_sink_that_stops_is_heard() {
    let server =
        server(&[IN, "C: UIDL\nS: +OK\nS: 1 a\nS: 2 b\nS: .\nC: LIST\nS: +OK\nS: .\nC: NOOP\nS: +OK"]);
    let mut session = session(&server);
    let mut two = Changes(Vec::new(), 2);
    session.pull(&inbox(), &Here::default(), &mut two).unwrap();
    assert_eq!(two.0, [Change::Expect { messages: 2 }, new("b", 0)]);
    session.keep_alive().unwrap();
    drop(session);
    server.finish();
}

#[test]
fn p7_mails_of_one_name_are_told_apart_by_their_headers_and_never_deleted() {
    let server = server(&[
        IN,
        "C: UIDL\nS: +OK\nS: 1 same\nS: 2 same\nS: 3 own\nS: 4 same\nS: .\nC: LIST\nS: +OK\nS: .",
        "C: TOP 4 0\nS: +OK\nS: A: 2\nS: \nS: .\nC: TOP 2 0\nS: +OK\nS: A: 2\nS: \nS: .",
        "C: TOP 1 0\nS: +OK\nS: A: 1\nS: \nS: .",
        "C: RETR 1\nS: +OK\nS: A: 1\nS: \nS: first\nS: .\nC: RETR 4\nS: +OK\nS: A: 2\nS: \nS: second\nS: .",
        "C: DELE 3\nS: +OK\nC: QUIT\nS: +OK",
    ]);
    let mut session = session(&server);
    let changes = pull(&mut session, &[]).unwrap();
    let name = |head: &[u8]| twin("same", &Sha256::digest(head).into());
    let (one, two) = (name(b"A: 1\r\n\r\n"), name(b"A: 2\r\n\r\n"));
    assert_eq!(
        changes,
        [
            Change::Expect { messages: 3 },
            new(&two, 0),
            new("own", 0),
            new(&one, 0),
            listing(&["same", "own"])
        ]
    );
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &[id(&one), id(&two), id(&name(b"gone"))], &mut bodies).unwrap();
    let texts: Vec<_> = bodies.whole.iter().map(|(_, _, raw)| String::from_utf8_lossy(raw)).collect();
    assert_eq!(texts, ["A: 1\r\n\r\nfirst\r\n", "A: 2\r\n\r\nsecond\r\n"]);
    let applied = delete(&mut session, &["same", &one, "own"]).unwrap();
    assert_eq!(applied, Applied::Partial { refused: vec![id("same")] });
    finish(session).unwrap();
    server.finish();
}

#[test]
fn p7_without_headers_the_newest_of_a_name_stands_for_all() {
    let server = server(&[
        IN,
        "C: UIDL\nS: +OK\nS: 1 same\nS: 2 same\nS: .\nC: LIST\nS: +OK\nS: .",
        "C: TOP 2 0\nS: -ERR\nC: TOP 1 0\nS: -ERR\nC: RETR 2\nS: +OK\nS: second\nS: .",
    ]);
    let mut session = session(&server);
    let changes = pull(&mut session, &[]).unwrap();
    assert_eq!(changes, [Change::Expect { messages: 1 }, new("same", 0), listing(&["same"])]);
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &[id("same")], &mut bodies).unwrap();
    assert_eq!(bodies.whole, [(id("same"), 0, b"second\r\n".to_vec())]);
    drop(session);
    server.finish();
}

#[test]
fn p6_without_uidl_a_header_hash_names_and_nothing_is_deleted() {
    let way_in = "S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\nC: CAPA\nS: -ERR";
    let server = server(&[
        way_in,
        "C: UIDL\nS: -ERR what\nC: LIST\nS: +OK\nS: 1 120\nS: 2 50\nS: .\nC: STAT\nS: +OK 2 170",
        "C: TOP 1 0\nS: +OK\nS: Subject: a\nS: \nS: .\nC: TOP 2 0\nS: -ERR broken",
        "C: RETR 2\nS: +OK\nS: Subject: b\nS: \nS: text\nS: .",
        "C: RETR 1\nS: +OK\nS: whole\nS: .\nC: QUIT\nS: +OK",
    ]);
    let mut session = session(&server);
    assert!(!session.caps().deletes);
    let changes = pull(&mut session, &[]).unwrap();
    // sha256 of "Subject: a\r\n\r\n" and of "Subject: b\r\n\r\n", by another tool; the second header is
    // refused, and comes from the mail itself (promise P10).
    let uidl = "hash:7e6153f6b7ffbdad88e9b6cc06050b419ada6c43264efe58787864c77c7d8019-120";
    let other = "hash:e59dbe0a126e00e877a73b7f8c724abba0df5fb0539d744e124a5d81a805aa06-50";
    let expected =
        [Change::Expect { messages: 2 }, new(other, 50), new(uidl, 120), listing_of(&[other, uidl], 170)];
    assert_eq!(changes, expected);
    assert_eq!(delete(&mut session, &[uidl]).unwrap_err().kind(), Kind::Unsupported);
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &[id(uidl)], &mut bodies).unwrap();
    assert_eq!(bodies.whole[0].2, b"whole\r\n");
    finish(session).unwrap();
    server.finish();
}

#[test]
fn p10_a_mail_without_header_and_body_waits_for_another_day() {
    let server = server(&[
        "S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\nC: CAPA\nS: -ERR",
        "C: UIDL\nS: -ERR\nC: LIST\nS: +OK\nS: 1 120\nS: 2 50\nS: .\nC: STAT\nS: +OK 2 170",
        "C: TOP 1 0\nS: +OK\nS: Subject: a\nS: \nS: .\nC: TOP 2 0\nS: -ERR\nC: RETR 2\nS: -ERR damaged\nC: QUIT\nS: +OK",
    ]);
    let mut session = session(&server);
    let uidl = "hash:7e6153f6b7ffbdad88e9b6cc06050b419ada6c43264efe58787864c77c7d8019-120";
    let expected = [Change::Expect { messages: 1 }, new(uidl, 120), listing_of(&[uidl], 120)];
    assert_eq!(pull(&mut session, &[]).unwrap(), expected);
    finish(session).unwrap();
    server.finish();
}

#[test]
fn p6_neither_uidl_nor_top_is_told() {
    let server = server(&[
        "S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\nC: CAPA\nS: -ERR",
        "C: UIDL\nS: -ERR\nC: LIST\nS: +OK\nS: 1 120\nS: .\nC: STAT\nS: +OK 1 120\nC: TOP 1 0\nS: -ERR\nEOF",
    ]);
    let (error, _) = refused(server, Tls::None);
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.context().contains("neither UIDL nor TOP"), "{error}");
}

#[test]
fn p6_uidl_known_but_not_advertised_is_used() {
    let server = server(&[
        "S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: +OK\nC: PASS *\nS: +OK\nC: CAPA\nS: -ERR",
        "C: UIDL\nS: +OK\nS: 1 a\nS: .\nC: LIST\nS: +OK\nS: 1 5\nS: .",
    ]);
    let mut session = session(&server);
    assert!(session.caps().deletes);
    assert_eq!(pull(&mut session, &[]).unwrap().len(), 3);
    drop(session);
    server.finish();
}

#[test]
fn p6_uidl_advertised_but_failing_is_temporary() {
    let server = server(&[
        IN,
        "C: UIDL\nS: -ERR out of order\nC: LIST\nS: +OK\nS: 1 5\nS: .\nC: STAT\nS: +OK 1 5\nC: NOOP\nS: +OK",
    ]);
    let mut session = session(&server);
    let error = pull(&mut session, &[]).unwrap_err();
    assert_eq!(error.kind(), Kind::Offline, "{error}");
    session.keep_alive().unwrap();
    drop(session);
    server.finish();
}

#[test]
fn an_empty_maildrop_may_be_listed_by_an_error() {
    let server =
        server(&[IN, "C: UIDL\nS: -ERR no messages\nC: LIST\nS: -ERR no messages\nC: STAT\nS: +OK 0 0"]);
    let mut session = session(&server);
    assert_eq!(pull(&mut session, &["a"]).unwrap(), [listing(&[])]);
    drop(session);
    server.finish();
}

#[test]
fn x3_listings_that_break_the_rules() {
    let long = format!("S: 1 {}", "u".repeat(70_000));
    for line in [&long[..], "S: x y", "S: 0 a", "S: 99999999999 a", "S: +OK"] {
        let server = server(&[IN, "C: UIDL\nS: +OK", line, "S: .\nHANG"]);
        let mut session = session(&server);
        let error = pull(&mut session, &[]).unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{line}: {error}");
        // In the middle of an answer nothing more may be said: no QUIT that would carry out deletions.
        assert_eq!(session.keep_alive().unwrap_err().kind(), Kind::Offline);
        assert_eq!(finish(session).unwrap_err().kind(), Kind::Offline);
        assert!(!server.finish().clear.ends_with(b"QUIT\r\n"));
    }
}

/// A name may have any bytes and any length: none keeps other mail from coming, each is the same name every day.
#[test]
fn p1_names_of_any_length_and_any_bytes_block_nothing() {
    let (fits, long) = ("u".repeat(1024), "v".repeat(60_000));
    let uidl = format!(
        "C: UIDL\nS: +OK\nS: 1 {fits}\nS: 2 {long}\nS: 3 {long}x\nS: 4 \\x01\\x7f\\xff\\x80 \\t\nS: 5 own\nS: .\nC: LIST\nS: +OK\nS: ."
    );
    let hashed = |text: &str| {
        let hash: String = Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect();
        format!("\u{2026}{hash}")
    };
    let names = ["own", "\u{1}\u{7f}\u{ff}\u{80} \t", &hashed(&format!("{long}x")), &hashed(&long), &fits];
    let server = server(&[
        IN,
        &uidl,
        "C: RETR 2\nS: +OK\nS: second\nS: .\nC: DELE 2\nS: +OK\nC: DELE 4\nS: +OK\nC: QUIT\nS: +OK",
    ]);
    let mut session = session(&server);
    let changes = pull(&mut session, &[names[0], names[4]]).unwrap();
    let news = names[1..4].iter().map(|name| new(name, 0));
    let expected: Vec<_> =
        [Change::Expect { messages: 3 }].into_iter().chain(news).chain([listing(&names)]).collect();
    assert_eq!(changes, expected);
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &[id(names[3])], &mut bodies).unwrap();
    assert_eq!(bodies.whole, [(id(names[3]), 0, b"second\r\n".to_vec())]);
    assert_eq!(delete(&mut session, &[names[3], names[1]]).unwrap(), Applied::AtFinish);
    finish(session).unwrap();
    server.finish();
}

/// A mail without a name is known by its header, comes once, and is never deleted.
#[test]
fn p7_mails_without_a_name_are_told_apart_by_their_headers() {
    let server = server(&[
        IN,
        "C: UIDL\nS: +OK\nS: 1 \nS: 2\nS: 3 own\nS: .\nC: LIST\nS: +OK\nS: .",
        "C: TOP 2 0\nS: +OK\nS: A: 2\nS: \nS: .\nC: TOP 1 0\nS: +OK\nS: A: 1\nS: \nS: .",
        "C: DELE 3\nS: +OK\nC: QUIT\nS: +OK",
    ]);
    let mut session = session(&server);
    let name = |head: &[u8]| twin("", &Sha256::digest(head).into());
    let (one, two) = (name(b"A: 1\r\n\r\n"), name(b"A: 2\r\n\r\n"));
    let expected =
        [Change::Expect { messages: 3 }, new("own", 0), new(&two, 0), new(&one, 0), listing(&["own", ""])];
    assert_eq!(pull(&mut session, &[]).unwrap(), expected);
    let applied = delete(&mut session, &["", &one, "own"]).unwrap();
    assert_eq!(applied, Applied::Partial { refused: vec![id("")] });
    finish(session).unwrap();
    server.finish();
}

// ---- messages ----

pub(crate) const TWO: &str =
    "C: UIDL\nS: +OK\nS: 1 a\nS: 2 b\nS: .\nC: LIST\nS: +OK\nS: 1 10\nS: 2 1000000\nS: .\n";

#[test]
fn p8_bytes_come_exactly_whatever_the_size_said_and_however_cut() {
    let odd = b"From x\r\n.dot\r\n..\r\nbare\n.\nlf\0\xff\r\r\n.\rx\r\nno end";
    let stuffed = b"From x\r\n..dot\r\n...\r\nbare\n.\nlf\0\xff\r\r\n..\rx\r\nno end\r\n.\r\n";
    for size in [1, 2, 3, 5, 7, 1000] {
        let script =
            format!("{IN}{TWO}C: RETR 1\nSPLIT {size}\nS: +OK\nS> ${{odd}}\nC: RETR 2\nS: +OK\nS: x\nS: .");
        let server = Script::new(&script).put("odd", *stuffed).start();
        let mut session = session(&server);
        let mut bodies = Bodies::default();
        session.fetch(&inbox(), &[id("a"), id("b")], &mut bodies).unwrap();
        let whole = [&odd[..], b"\r\n"].concat();
        assert_eq!(bodies.whole, [(id("a"), 10, whole), (id("b"), 1_000_000, b"x\r\n".to_vec())]);
        drop(session);
        server.finish();
    }
}

#[test]
fn what_is_not_there_is_passed_over() {
    let server = server(&[IN, TWO, "C: RETR 2\nS: -ERR\nC: RETR 1\nS: +OK 10 octets\nS: .\nC: QUIT\nS: +OK"]);
    let mut session = session(&server);
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &[id("gone"), id("b"), id("a")], &mut bodies).unwrap();
    assert_eq!(bodies.whole, [(id("a"), 10, Vec::new())]);
    finish(session).unwrap();
    server.finish();
}

#[test]
fn p4_a_cut_in_a_message_leaves_it_unfinished() {
    for cut in ["S: +OK\nS> half a mess", "S: +OK\nS: text\nS> .", "S: +OK\nS: text\nS> .\\r", "S> +O"] {
        let server = server(&[IN, TWO, "C: RETR 1", cut, "CUT"]);
        let mut session = session(&server);
        let mut bodies = Bodies::default();
        let error = session.fetch(&inbox(), &[id("a"), id("b")], &mut bodies).unwrap_err();
        assert_eq!(error.kind(), Kind::Offline, "{cut}: {error}");
        assert!(bodies.whole.is_empty(), "{cut}: without its end it is not whole");
        assert_eq!(finish(session).unwrap_err().kind(), Kind::Offline);
        server.finish();
    }
}

#[test]
fn p5_a_local_error_ends_the_session_without_quit() {
    let server = server(&[IN, TWO, "C: RETR 1\nS: +OK\nS: text\nS: .\nEOF"]);
    let mut session = session(&server);
    let mut bodies = Bodies { fail_at: Some(0), ..Bodies::default() };
    let error = session.fetch(&inbox(), &[id("a")], &mut bodies).unwrap_err();
    assert_eq!(error.kind(), Kind::Store);
    assert_eq!(delete(&mut session, &["a"]).unwrap_err().kind(), Kind::Offline);
    assert!(finish(session).is_err());
    server.finish();
}

#[test]
fn p10_retr_goes_in_windows_and_a_stop_keeps_the_session_in_order() {
    let count = 1000;
    let mut script = format!("{IN_PIPELINED}C> UIDL\\r\\nLIST\\r\\n\nS: +OK\n");
    (1..=count).for_each(|n| script += &format!("S: {n} u{n}\n"));
    script += "S: .\nS: +OK\n";
    (1..=count).for_each(|n| script += &format!("S: {n} 1000\n"));
    script += "S: .\n";
    // All 512 of the first window are said before the first answer.
    (1..=512).for_each(|n| script += &format!("C: RETR {n}\n"));
    (1..=512).for_each(|n| script += &format!("S: +OK\nS: mail {n}\nS: .\n"));
    script += "C: NOOP\nS: +OK\nC: QUIT\nS: +OK";
    let server = Script::new(&script).start();
    let mut session = session(&server);
    let ids: Vec<RemoteId> = (1..=count).map(|n| id(&format!("u{n}"))).collect();
    let mut bodies = Bodies { stop_after: Some(3), ..Bodies::default() };
    session.fetch(&inbox(), &ids, &mut bodies).unwrap();
    assert_eq!(bodies.whole.len(), 512, "what was under way came too");
    assert_eq!(bodies.whole[63].2, b"mail 64\r\n");
    session.keep_alive().unwrap();
    finish(session).unwrap();
    server.finish();
}

#[test]
fn p10_the_first_window_is_small_in_bytes() {
    let script = format!(
        "{IN_PIPELINED}C> UIDL\\r\\nLIST\\r\\n\nS: +OK\nS: 1 a\nS: 2 b\nS: 3 c\nS: .\nS: +OK\nS: 1 200000\nS: 2 200000\n\
         S: 3 18446744073709551615\nS: .\nC> RETR 1\\r\\n\nS: +OK\nS: .\nC> RETR 2\\r\\n\nS: +OK\nS: .\n\
         C> RETR 3\\r\\n\nS: +OK\nS: .\n"
    );
    let server = Script::new(&script).start();
    let mut session = session(&server);
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &[id("a"), id("b"), id("c")], &mut bodies).unwrap();
    assert_eq!(bodies.whole.len(), 3);
    drop(session);
    server.finish();
}

// ---- deletions and the end ----

#[test]
fn p3_deletions_count_at_a_good_end_only() {
    let server = server(&[IN, TWO, "C: DELE 2\nS: +OK\nC: QUIT\nS: +OK bye"]);
    let mut first = session(&server);
    assert_eq!(delete(&mut first, &["b", "gone", "b"]).unwrap(), Applied::AtFinish);
    assert_eq!(delete(&mut first, &["b"]).unwrap(), Applied::AtFinish, "safe to repeat");
    assert_eq!(pull(&mut first, &["a", "b"]).unwrap(), [listing_of(&["a"], 10)]);
    finish(first).unwrap();
    server.finish();
    for (end, kind) in [("S: -ERR some were not removed", Kind::Refused), ("CUT", Kind::Offline)] {
        let server = self::server(&[IN, TWO, "C: DELE 2\nS: +OK\nC: QUIT", end]);
        let mut session = session(&server);
        delete(&mut session, &["b"]).unwrap();
        assert_eq!(finish(session).unwrap_err().kind(), kind);
        server.finish();
    }
}

#[test]
fn p3_the_end_is_reached_even_when_the_bell_has_rung() {
    let server = server(&[IN, TWO, "C: DELE 1\nS: +OK\nC: QUIT\nS: +OK"]);
    let bell = Interrupt::new().unwrap();
    let options = DialOptions::from(&server.account(Protocol::Pop3, Tls::None), &bell);
    let mut session = connect_with(&options, "ann", &Secret::new(SECRET)).unwrap();
    delete(&mut session, &["a"]).unwrap();
    bell.ring();
    finish(session).unwrap();
    server.finish();
}

#[test]
fn a_refused_deletion_is_told() {
    let server = server(&[IN, TWO, "C: DELE 1\nS: -ERR locked\nC: DELE 2\nS: +OK"]);
    let mut session = session(&server);
    let applied = delete(&mut session, &["a", "b"]).unwrap();
    assert_eq!(applied, Applied::Partial { refused: vec![id("a")] });
    drop(session);
    server.finish();
}

#[test]
fn what_pop3_cannot_do_is_unsupported() {
    let server = server(&[IN]);
    let mut session = session(&server);
    let op = RemoteOp::CreateFolder { path: "x".into() };
    assert_eq!(session.apply(&op).unwrap_err().kind(), Kind::Unsupported);
    drop(session);
    server.finish();
}
