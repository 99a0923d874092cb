//! Servers that speak UTF-8 (RFC 6855): names here stay what they were, whatever a session is told.

use mailtui::protocol::{Applied, FolderRef, MailProtocol, RemoteOp};

use crate::support::imap::{SELECT, id, ids, inbox, letter, session};

const CAPS: &str = "IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+ UIDPLUS MOVE";
const ENABLE: &str = "C: m1 ENABLE UTF8=ACCEPT\n";
const ENABLED: &str = "S: * ENABLED UTF8=ACCEPT\nS: m1 OK\n";

#[test]
fn i10_names_come_and_go_in_utf8_and_are_kept_as_ever() {
    let list =
        "S: * LIST () \"/\" INBOX\nS: * LIST () \"/\" \"Entwürfe & mehr\"\nS: * LIST () \"/\" \"日本\"\n";
    let (server, mut session) = session(
        CAPS,
        &format!(
            "{ENABLE}C: m2 LIST \"\" \"*\"\nC: m3 LSUB \"\" \"*\"\n{ENABLED}{list}S: m2 OK\nS: * LSUB () \"/\" \"日本\"\nS: m3 OK\n\
             {}C: m5 UID MOVE 2 \"Entwürfe & mehr\"\nS: m5 OK [COPYUID 8 2 9]\n\
             C: m6 CREATE \"Büro/a & b\"\nC: m7 SUBSCRIBE \"Büro/a & b\"\nS: m6 OK\nS: m7 OK",
            SELECT.replace("$tag", "m4")
        ),
    );
    let found = session.folders().unwrap();
    let rows: Vec<_> = found.iter().map(|f| (f.remote.as_str(), f.path.as_str(), f.subscribed)).collect();
    let drafts = "Entw&APw-rfe &- mehr";
    assert_eq!(
        rows,
        [("INBOX", "INBOX", true), (drafts, "Entwürfe & mehr", false), ("&ZeVnLA-", "日本", true)]
    );
    let op = RemoteOp::Move { from: inbox(), to: FolderRef::new(drafts), ids: ids(&[2]) };
    assert!(matches!(session.apply(&op).unwrap(), Applied::Done { moved, .. } if moved.len() == 1));
    let made = session.apply(&RemoteOp::CreateFolder { path: "Büro/a & b".into() }).unwrap();
    let created = Some("B&APw-ro/a &- b".to_owned());
    assert_eq!(made, Applied::Done { moved: vec![], created });
    drop(session);
    server.finish();
}

#[test]
fn i10_what_a_name_is_called_is_known_before_it_is_said_first() {
    let opened = "S: * 0 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: m2 OK";
    for (answer, name) in [(ENABLED, "Büro"), ("S: m1 OK\n", "B&APw-ro"), ("S: m1 BAD what\n", "B&APw-ro")] {
        let text = format!("{ENABLE}{answer}C: m2 SELECT \"{name}\"\n{opened}");
        let (server, mut session) = session(CAPS, &text);
        session.mark(&FolderRef::new("B&APw-ro")).unwrap();
        drop(session);
        server.finish();
    }
}

#[test]
fn i7_a_header_beyond_ascii_is_said_to_be_there() {
    let eight = "Subject: Grüße\r\n\r\nhi";
    let len = eight.len();
    let (server, mut session) = session(
        CAPS,
        &format!(
            "{ENABLE}{ENABLED}C: m2 APPEND \"Sent\" (\\Seen) UTF8 (~{{{len}+}}\nC> Subject: Grüße\\r\\n\\r\\nhi\nC: )\nS: m2 OK [APPENDUID 7 11]\n\
             C: m3 APPEND \"Sent\" (\\Seen) {{14+}}\nC> Subject: \\xfc\\r\\n\\r\\n\nC: \nS: m3 OK\n\
             C: m4 APPEND \"Sent\" (\\Seen) {{14+}}\nC> Subject: x\\r\\n\\r\\n\nC: \nS: m4 OK"
        ),
    );
    let mut put = |raw: &[u8]| session.append(&letter("Sent", raw), &mut &*raw).unwrap();
    assert_eq!(put(eight.as_bytes()), Some(id(11)));
    assert_eq!(put(b"Subject: \xfc\r\n\r\n"), None);
    assert_eq!(put(b"Subject: x\r\n\r\n"), None);
    drop(session);
    server.finish();
}
