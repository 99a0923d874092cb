//! POP3 at its edges: headers, servers that lie or never end, drops in every state, odd ones of every kind.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use mailtui::config::{Protocol, Tls};
use mailtui::error::{Kind, Result};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::pop3::connect_with;
use mailtui::protocol::{Applied, MailProtocol, Terms};
use mailtui::secret::Secret;

use crate::pop3_wire::{
    Bodies, IN, IN_PIPELINED, SECRET, TWO, delete, finish, id, inbox, listing, listing_of, pull, refused,
    server, session,
};
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

/// The program against a server that lists so many mails; what it said, and its largest memory in kilobytes while it
/// listened.
fn listed(lines: u32) -> (String, u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = tempfile::tempdir().unwrap();
    let config = format!(
        "[accounts.t]\nemail = \"a@example.org\"\nprotocol = \"pop3\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         user = \"a\"\npassword = {{ command = \"echo x\" }}\nmax_messages_per_session = 1\n",
        listener.local_addr().unwrap().port()
    );
    std::fs::write(place.path().join("config.toml"), config).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_mailtui"));
    program.arg("sync").arg("--config").arg(place.path().join("config.toml"));
    program.arg("--data").arg(place.path().join("data")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    // It is gone when it does not want to hear more: what it was last counts.
    let peak = move || -> Option<u64> {
        let text = std::fs::read_to_string(&status).ok()?;
        text.lines().find(|line| line.starts_with("VmHWM"))?.split_whitespace().nth(1)?.parse().ok()
    };
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut wire = BufWriter::new(stream.try_clone().unwrap());
        let mut most = 0;
        let mut say = |text: &str| wire.write_all(text.as_bytes()).and_then(|()| wire.flush()).is_ok();
        say("+OK\r\n");
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            most = most.max(peak().unwrap_or(0));
            let is_said = match line.split(' ').next().unwrap() {
                "CAPA" => say("+OK\r\nUSER\r\nUIDL\r\n.\r\n"),
                "RETR" => say("+OK\r\nSubject: x\r\n\r\n.\r\n"),
                command @ ("UIDL" | "LIST") => {
                    let one = |n: u32| match command {
                        "UIDL" => format!("{n} 000000{n:06x}5f2e1a33\r\n"),
                        _ => format!("{n} 4321\r\n"),
                    };
                    let mut hears = say("+OK\r\n");
                    let mut from = 1;
                    while hears && from <= lines {
                        hears = say(&(from..from + 1000).map(one).collect::<String>());
                        most = most.max(peak().unwrap_or(0));
                        from += 1000;
                    }
                    hears && say(".\r\n")
                }
                _ => say("+OK\r\n"),
            };
            if !is_said {
                break;
            }
        }
        most
    });
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8(said).unwrap(), server.join().unwrap())
}

/// A hundred thousand names took 69 MB in a build without optimization, half a million, which is the most, 218 MB.
#[test]
fn x3_a_listing_takes_no_more_memory_than_its_names_are_worth() {
    let (said, peak) = listed(100_000);
    assert!(said.contains("1 new message") && said.contains("99,999 left for later"), "{said}");
    assert!((1..150_000).contains(&peak), "{peak} kB");
    let (said, peak) = listed(10_000_000);
    assert!(said.contains("the server lists more than 500000 messages, which is too much"), "{said}");
    assert!(said.contains("hint: Take mail out of the maildrop by another way first"), "{said}");
    assert!((1..150_000).contains(&peak), "{peak} kB");
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

/// Every command of a session may be refused by four letters and nothing else.
#[test]
fn p9_a_refusal_without_a_word_is_told_whatever_it_refuses() {
    for (until, kind) in [
        ("S: -ERR", Kind::Offline),
        ("S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: -ERR", Kind::Refused),
        ("S: +OK\nC: CAPA\nS: -ERR\nC: USER ann\nS: +OK\nC: PASS *\nS: -ERR", Kind::Auth),
    ] {
        let (error, _) = refused(server(&[&format!("{until}\nEOF")]), Tls::None);
        assert_eq!(error.kind(), kind, "{until}: {error}");
    }
    for said in [
        "C: UIDL\nS: -ERR\nC: LIST\nS: -ERR\nC: STAT\nS: -ERR",
        "C: UIDL\nS: +OK\nS: 1 a\nS: .\nC: LIST\nS: -ERR",
    ] {
        let server = server(&[IN, said, "--- maybe"]);
        let mut session = session(&server);
        match pull(&mut session, &[]) {
            // Sizes are only for show: without them mail comes all the same.
            Ok(changes) => assert!(said.contains("1 a") && changes.contains(&listing(&["a"])), "{changes:?}"),
            Err(error) => assert!(matches!(error.kind(), Kind::Offline | Kind::Refused), "{said}: {error}"),
        }
        drop(session);
        server.finish();
    }
    let server =
        server(&[IN, TWO, "C: RETR 1\nS: -ERR\nC: DELE 1\nS: -ERR\nC: NOOP\nS: -ERR\nC: QUIT\nS: -ERR"]);
    let mut session = session(&server);
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &[id("a")], &mut bodies).unwrap();
    assert!(bodies.whole.is_empty() && bodies.open.is_none(), "nothing is made up");
    assert_eq!(delete(&mut session, &["a"]).unwrap(), Applied::Partial { refused: vec![id("a")] });
    let _ = session.keep_alive();
    assert!(finish(session).is_err(), "deletions count only at a QUIT that was answered with +OK");
    server.finish();
}

/// What a server of RFC 6856 has to be told once, and what it says then is taken as it is.
#[test]
fn p8_letters_beyond_ascii_are_asked_for_before_the_sign_in() {
    for answer in ["+OK", "-ERR"] {
        let server = server(&[&format!(
            "S: +OK\nC: CAPA\nS: +OK\nS: USER\nS: UIDL\nS: UTF8 USER\nS: .\nC: UTF8\nS: {answer}\nC: USER ann\nS: +OK\n\
             C: PASS *\nS: +OK\nC: CAPA\nS: +OK\nS: UIDL\nS: .\nC: UIDL\nS: +OK\nS: 1 a\nS: .\nC: LIST\nS: +OK\nS: 1 9\nS: ."
        )]);
        let mut session = session(&server);
        assert!(pull(&mut session, &[]).unwrap().contains(&listing_of(&["a"], 9)), "{answer}");
        drop(session);
        server.finish();
    }
}
