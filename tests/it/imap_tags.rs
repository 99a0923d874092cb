//! IMAP word for word: keywords, and what becomes of those that a server does not keep (promise A8).

use mailtui::Kind;
use mailtui::model::{FlagDelta, Flags};
use mailtui::protocol::{Applied, MailProtocol, RemoteOp};

use crate::support::imap::{OLD, SELECT, ids, inbox, session};

fn tag(add: &[&str], del: &[&str]) -> RemoteOp {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let (add, del) = (owned(add), owned(del));
    RemoteOp::Flag { folder: inbox(), ids: ids(&[2, 5]), delta: FlagDelta::default(), add, del }
}

fn unkept(words: &[&str]) -> Applied {
    Applied::Unkept { keywords: words.iter().map(|&word| word.to_owned()).collect() }
}

fn select(permanent: &str) -> String {
    SELECT.replace("S: $tag OK", &format!("S: * OK [PERMANENTFLAGS ({permanent})]\nS: $tag OK"))
}

#[test]
fn i5_a_keyword_is_one_word_on_the_wire() {
    let text = format!(
        "{}C: m2 UID STORE 2,5 +FLAGS (todo B&APw-ro)\nS: * 1 FETCH (UID 2 FLAGS (\\\\Seen TODO B&APw-ro))\n\
         S: * 2 FETCH (UID 5 FLAGS (todo B&APw-ro))\nS: * 3 FETCH (UID 9 FLAGS ())\nS: m2 OK\n\
         C: m3 UID STORE 2,5 -FLAGS (old)\nS: m3 OK",
        select("\\\\Seen \\\\*")
    );
    let (server, mut session) = session(OLD, &text);
    assert_eq!(session.apply(&tag(&["todo", "Büro"], &["old"])).unwrap(), Applied::done());
    drop(session);
    server.finish();
}

#[test]
fn a8_what_a_folder_does_not_keep_is_told_and_not_sent() {
    let text = format!(
        "{}C: m2 UID STORE 2,5 +FLAGS (kept)\nS: m2 OK\nC: m3 UID STORE 2,5 -FLAGS (Kept)\nS: m3 OK",
        select("\\\\Seen KEPT")
    );
    let (server, mut session) = session(OLD, &text);
    assert_eq!(session.apply(&tag(&["kept", "new", "Büro"], &[])).unwrap(), unkept(&["new", "Büro"]));
    assert_eq!(session.apply(&tag(&[], &["Kept", "gone"])).unwrap(), unkept(&["gone"]));
    drop(session);
    server.finish();
}

#[test]
fn a8_a_keyword_that_is_refused_or_dropped_in_silence_is_told() {
    for (answer, outcome) in [
        ("S: * 1 FETCH (UID 2 FLAGS (a))\nS: * 2 FETCH (UID 5 FLAGS ())\nS: m2 OK", unkept(&["a", "b"])),
        ("S: * 1 FETCH (UID 2 FLAGS (a))\nS: * 2 FETCH (UID 5 FLAGS (a))\nS: m2 OK", unkept(&["b"])),
        ("S: m2 OK", Applied::done()),
        (
            "S: m2 NO [LIMIT] Too many keywords\nC: m3 UID SEARCH UID 2,5\nS: * SEARCH 2\nS: m3 OK",
            unkept(&["a", "b"]),
        ),
        ("S: m2 BAD no such flag\nC: m3 UID SEARCH UID 2,5\nS: * SEARCH 2\nS: m3 OK", unkept(&["a", "b"])),
        ("S: m2 NO they are gone\nC: m3 UID SEARCH UID 2,5\nS: * SEARCH\nS: m3 OK", Applied::done()),
    ] {
        let text = format!("{}C: m2 UID STORE 2,5 +FLAGS (a b)\n{answer}", select("\\\\*"));
        let (server, mut session) = session(OLD, &text);
        assert_eq!(session.apply(&tag(&["a", "b"], &[])).unwrap(), outcome, "{answer}");
        drop(session);
        server.finish();
    }
    // A server in trouble says nothing of the keyword.
    let text = format!(
        "{}C: m2 UID STORE 2,5 +FLAGS (a)\nS: m2 NO [INUSE] later\nC: m3 UID SEARCH UID 2,5\nS: * SEARCH 2\nS: m3 OK",
        select("\\\\*")
    );
    let (server, mut session) = session(OLD, &text);
    assert_eq!(session.apply(&tag(&["a"], &[])).unwrap_err().kind(), Kind::Offline);
    drop(session);
    server.finish();
}

#[test]
fn x4_no_tag_breaks_out_of_its_command() {
    // Nothing of these can be a keyword: nothing is said but the SELECT, and the session goes on.
    let text = format!("{SELECT}C: m2 NOOP\nS: m2 OK");
    let (server, mut session) = session(OLD, &text);
    for bad in ["a)\r\nx LOGOUT", "a b", "nul\0", "say \"so\"", "{5+}", "\\Deleted", "a%", "*", ""] {
        assert_eq!(session.apply(&tag(&[bad], &[])).unwrap(), unkept(&[bad]));
        assert_eq!(session.apply(&tag(&[], &[bad])).unwrap(), unkept(&[bad]));
    }
    session.keep_alive().unwrap();
    drop(session);
    server.finish();
}

#[test]
fn a8_a_folder_that_is_read_only_keeps_no_tag_and_refuses_flags() {
    let text = SELECT.replace("S: $tag OK", "S: $tag OK [READ-ONLY]");
    let (server, mut session) = session(OLD, &text);
    assert_eq!(session.apply(&tag(&["a"], &[])).unwrap(), unkept(&["a"]));
    let RemoteOp::Flag { folder, ids, add, del, .. } = tag(&["a"], &[]) else { unreachable!() };
    let both = RemoteOp::Flag { folder, ids, delta: FlagDelta::add(Flags::SEEN), add, del };
    assert_eq!(session.apply(&both).unwrap_err().kind(), Kind::Refused);
    drop(session);
    server.finish();
}
