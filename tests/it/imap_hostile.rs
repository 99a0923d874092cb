//! IMAP servers that mean harm, word for word: what they say costs bounded memory, ends in plain words and never
//! reaches another line, another server or a file (X1, X3, X4).

use mailtui::config::{Protocol, Tls};
use mailtui::model::Cursor;
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::imap::connect_with;
use mailtui::protocol::{FolderRef, Letter, MailProtocol, RemoteOp};
use mailtui::secret::Secret;
use mailtui::{Error, Kind};

use crate::support::imap::{NEW, OLD, enter, inbox, known, letter, session};
use crate::support::script::Script;
use crate::support::world::Held;

const BEGIN: &str =
    "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 OK [CAPABILITY IMAP4rev1] in\n";

/// What becomes of a listing in which the server says this.
fn listing(said: Vec<u8>) -> Error {
    let script = format!("{BEGIN}C: m1 LIST \"\" \"*\"\nC: m2 LSUB \"\" \"*\"\nS> ${{flood}}\nHANG");
    let (server, mut session) = enter(Script::new(&script).put("flood", said), &Interrupt::new().unwrap());
    let error = session.folders().unwrap_err();
    assert_eq!(session.keep_alive().unwrap_err().kind(), Kind::Offline, "the session is over");
    drop(session);
    server.give_up();
    error
}

/// Signs in to a server with this script, which must not work.
fn refused(script: Script) -> Error {
    let server = script.start();
    let options = DialOptions::from(&server.account(Protocol::Imap, Tls::None), &Interrupt::new().unwrap());
    let error = connect_with(&options, "ann", &Secret::new("secret")).unwrap_err();
    server.give_up();
    error
}

// ---- floods ----

#[test]
fn x3_a_million_folders_are_told_as_too_many() {
    let flood = (0..1_000_000).map(|n| format!("* LIST () \"/\" f{n}\r\n")).collect::<String>();
    let error = listing(flood.into_bytes());
    assert_eq!(
        (error.kind(), error.to_string()),
        (Kind::Protocol, "the server lists over 50000 folders".into())
    );
}

#[test]
fn x3_what_is_said_about_folders_is_bounded_too() {
    // One folder over and over, and folders with a burden of attributes.
    let burden = format!("* LIST (\\Sent {}) \"/\" f\r\n", "\\x ".repeat(40));
    for flood in ["* STATUS f (MESSAGES 1)\r\n".repeat(200_001), burden.repeat(20_000)] {
        let error = listing(flood.into_bytes());
        assert_eq!(error.kind(), Kind::Protocol);
        assert_eq!(error.to_string(), "the server's list of folders does not end");
    }
}

#[test]
fn s4_five_thousand_folders_are_one_command() {
    let told = (0..5000)
        .map(|n| format!("* LIST (\\HasNoChildren \\Subscribed) \"/\" \"a/f{n}\"\r\n* STATUS \"a/f{n}\" (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7 HIGHESTMODSEQ 5)\r\n"))
        .collect::<String>();
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 OK [CAPABILITY {NEW}] in\nC: m1 LIST *\nS> ${{told}}\nS: m1 OK"
    );
    let script = Script::new(&script).put("told", told.into_bytes());
    let (server, mut session) = enter(script, &Interrupt::new().unwrap());
    let folders = session.folders().unwrap();
    assert_eq!(folders.len(), 5000);
    assert!(folders.iter().all(|f| f.subscribed && f.messages == Some(3) && f.cursor.is_some()));
    drop(session);
    server.finish();
}

#[test]
fn x3_a_flood_before_the_sign_in_ends_in_plain_words() {
    // A line without end, and one that is just short enough and says nothing of use.
    for (words, kind) in [(9 << 20, Kind::Protocol), (7 << 20, Kind::Auth)] {
        let flood = ("* CAPABILITY ".to_owned() + &"a ".repeat(words) + "\r\n").into_bytes();
        let text = "S: * OK hello\nC: a1 CAPABILITY\nS> ${flood}\nS: a1 OK\nC: a1 LOGIN *\nS: a1 NO no\nEOF";
        let error = refused(Script::new(text).put("flood", flood));
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn x3_a_million_parentheses_are_no_folder_and_no_end() {
    let mut deep = b"* LIST ".to_vec();
    deep.extend(vec![b'('; 1_000_000]);
    deep.extend_from_slice(b"\r\n* LIST () \"/\" a\r\n");
    let script =
        format!("{BEGIN}C: m1 LIST \"\" \"*\"\nC: m2 LSUB \"\" \"*\"\nS> ${{deep}}\nS: m1 OK\nS: m2 OK");
    let (server, mut session) = enter(Script::new(&script).put("deep", deep), &Interrupt::new().unwrap());
    let folders = session.folders().unwrap();
    assert_eq!(folders.iter().map(|f| f.remote.as_str()).collect::<Vec<_>>(), ["a"]);
    drop(session);
    server.finish();
}

// ---- numbers ----

#[test]
fn x3_numbers_that_no_folder_has_change_nothing_here() {
    for (line, kind) in [
        ("* OK [UIDVALIDITY 99999999999999999999] x", Kind::Unsupported),
        ("* OK [UIDVALIDITY -7] x", Kind::Unsupported),
        ("* OK [UIDVALIDITY 0] x", Kind::Unsupported),
    ] {
        let text =
            format!("C: m1 SELECT \"INBOX\"\nS: * 3 EXISTS\nS: {line}\nS: * OK [UIDNEXT 10] x\nS: m1 OK");
        let (server, mut session) = session(OLD, &text);
        let held = known(Cursor { validity: 7, uidnext: 10, modseq: 0, backfill: 1 }, &[2, 5, 8]);
        let (snapshot, mut sink) = (held.snapshot(), Held { mails: held.mails.clone(), ..Held::default() });
        let error = session.pull(&inbox(), &snapshot, &mut sink).unwrap_err();
        assert_eq!((error.kind(), sink.mails.len()), (kind, 3), "{line}: {error}");
        drop(session);
        server.finish();
    }
}

// ---- other servers ----

#[test]
fn x1_a_referral_is_told_and_never_followed() {
    // One that says goodbye may be back tomorrow: it is tried again, and told with the same advice.
    let login = "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 NO [REFERRAL imap://ann;AUTH=*@evil.example/] elsewhere\nEOF";
    let bye = "S: * BYE [REFERRAL imap://ann@evil.example/] elsewhere\nEOF";
    for (script, kind) in [(login, Kind::Config), (bye, Kind::Offline)] {
        let error = refused(Script::new(script));
        assert_eq!(error.kind(), kind, "{script}: {error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("another server")), "{error:?}");
    }
    // One that comes along with success changes nothing.
    let (server, mut session) =
        session(OLD, "C: m1 NOOP\nS: * OK [REFERRAL imap://evil.example/] x\nS: m1 OK");
    session.keep_alive().unwrap();
    drop(session);
    server.finish();
}

// ---- names that the server gives, said back ----

#[test]
fn x4_no_root_of_the_server_breaks_out_of_a_command() {
    // A root with a line break is said as a literal; one with a NUL and a delimiter that is none are not taken.
    for (root, said) in [
        ("((\"\" \"/\"))", "C: m2 CREATE \"a/b\"\nC: m3 SUBSCRIBE \"a/b\"\n"),
        (
            "(({8}\nS: x\nS: m9 Z. \".\"))",
            "C: m2 CREATE {11}\nS: + go\nC> x\\r\\nm9 Z.a.b\nC: \nC: m3 SUBSCRIBE {11}\nS: + go\nC> x\\r\\nm9 Z.a.b\nC: \n",
        ),
    ] {
        let text =
            format!("C: m1 NAMESPACE\nS: * NAMESPACE {root} NIL NIL\nS: m1 OK\n{said}S: m2 OK\nS: m3 OK");
        let (server, mut session) = session("IMAP4rev1 NAMESPACE", &text);
        session.apply(&RemoteOp::CreateFolder { path: "a/b".into() }).unwrap();
        drop(session);
        server.finish();
    }
    for root in ["((\"\" \"\\x00\"))", "((\"\" \"\\x1b\"))"] {
        let text = format!("C: m1 NAMESPACE\nS: * NAMESPACE {root} NIL NIL\nS: m1 OK\nEOF");
        let (server, mut session) = session("IMAP4rev1 NAMESPACE", &text);
        let error = session.apply(&RemoteOp::CreateFolder { path: "a/b".into() }).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        drop(session);
        server.finish();
    }
}

#[test]
fn x4_no_keyword_of_a_mail_breaks_out_of_its_append() {
    let raw = &b"Subject: a\r\n\r\nb"[..];
    let (server, mut session) = session(
        "IMAP4rev1 LITERAL+",
        &format!(
            "C: m1 SELECT \"Sent\"\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT 11]\nS: * OK [PERMANENTFLAGS (\\\\Seen \\\\*)]\n\
             S: m1 OK\nC: m2 APPEND \"Sent\" (\\Seen kept) {{{}+}}\nC> Subject: a\\r\\n\\r\\nb\nC: \nS: m2 OK",
            raw.len()
        ),
    );
    session.mark(&FolderRef::new("Sent")).unwrap();
    let words = ["kept", "a b", "c\r\nm9 LOGOUT", "d)", "{5+}", "\\Deleted"].map(str::to_owned).to_vec();
    session.append(&Letter { keywords: words, ..letter("Sent", raw) }, &mut &*raw).unwrap();
    drop(session);
    server.finish();
}
