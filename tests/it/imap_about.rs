//! IMAP word for word: what a server tells of itself, and what is said when its room is at an end.

use mailtui::Kind;
use mailtui::config::{Protocol, Tls};
use mailtui::model::Quota;
use mailtui::net::Interrupt;
use mailtui::protocol::{FolderRef, MailProtocol, RemoteOp, open};

use crate::support::dovecot;
use crate::support::imap::{SELECT, ids, inbox, session};

/// LIST and LSUB behind two commands.
const LIST: &str = "S: * LIST () \"/\" INBOX\nS: $tag OK\nS: * LSUB () \"/\" INBOX\nS: m4 OK\n";

#[test]
fn i10_room_and_name_are_asked_for_on_the_way_to_the_folders() {
    let text = format!(
        "C: m1 ID (\"name\" \"mailtui\" \"version\" *\nC: m2 GETQUOTAROOT INBOX\nC: m3 LIST \"\" \"*\"\nC: m4 LSUB *\n\
         S: * ID (\"name\" \"Odd\\x1bd\" \"version\" \"1\")\nS: m1 OK\n\
         S: * QUOTAROOT INBOX a b\nS: * QUOTA a (STORAGE 10 100)\nS: * QUOTA b (STORAGE 90 100 MESSAGE 1 2)\nS: m2 OK\n{}\
         C: m5 GETQUOTAROOT INBOX\nC: m6 LIST *\nC: m7 LSUB *\nS: m5 NO not now\nS: m6 OK\nS: m7 OK",
        LIST.replace("$tag", "m3")
    );
    let (server, mut session) = session("IMAP4rev1 ID QUOTA=RES-STORAGE", &text);
    assert_eq!(session.folders().unwrap().len(), 1);
    let about = session.about();
    assert_eq!(about.quota, Some(Quota { used: 90 << 10, limit: 100 << 10 }), "the root with less room");
    assert!(about.server.as_str().starts_with("Odd") && about.server.as_str().ends_with("d 1"));
    assert!(!about.server.as_str().contains('\x1b'));
    // What is refused later is not known any more.
    session.folders().unwrap();
    assert_eq!(session.about().quota, None);
    drop(session);
    server.finish();
}

#[test]
fn i12_a_full_mailbox_is_told_with_figures() {
    let full = |caps: &str, asked: &str| {
        let text = format!(
            "{SELECT}C: m2 UID MOVE 2 \"Archive\"\nS: m2 NO [OVERQUOTA] no room\nC: m3 UID SEARCH UID 2\nS: * SEARCH 2\nS: m3 OK\n{asked}"
        );
        let (server, mut session) = session(caps, &text);
        let op = RemoteOp::Move { from: inbox(), to: FolderRef::new("Archive"), ids: ids(&[2]) };
        let error = session.apply(&op).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.hint_text().unwrap().contains("ask for more room"));
        drop(session);
        server.finish();
        error.to_string()
    };
    assert_eq!(
        full(
            "IMAP4rev1 MOVE QUOTA",
            "C: m4 GETQUOTAROOT INBOX\nS: * QUOTA \"\" (STORAGE 15728000 15728640)\nS: m4 OK"
        ),
        "the server does not move the messages: 15 of 15 GB are in use: the server said: \"no room\""
    );
    // Where there are none, without.
    let plain = "the server does not move the messages: the server said: \"no room\"";
    assert_eq!(full("IMAP4rev1 MOVE QUOTA", "C: m4 GETQUOTAROOT INBOX\nS: m4 BAD what"), plain);
    assert_eq!(full("IMAP4rev1 MOVE", ""), plain);
}

#[test]
fn i10_dovecot_tells_its_room_and_says_when_it_is_full() {
    let extra = "plugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=100K\n}\n\
                 mail_plugins = quota\nprotocol imap {\n  mail_plugins = quota imap_quota imap_zlib\n}\n";
    let Some(dovecot) = dovecot::start(extra) else { return };
    let user = dovecot.user();
    user.deliver("INBOX", format!("Subject: large\r\n\r\n{}", "words\r\n".repeat(8_000)).as_bytes());
    let account = user.account(Protocol::Imap, Tls::None);
    let mut session = open(&account, &user.secret(), &Interrupt::new().unwrap()).unwrap();
    session.folders().unwrap();
    let about = session.about();
    assert!(about.server.as_str().starts_with("Dovecot"), "{about:?}");
    let quota = about.quota.unwrap();
    assert_eq!(quota.limit, 100 << 10);
    assert!((50..60).contains(&quota.percent()), "{quota}");
    let mut held = crate::support::world::Held::default();
    held.pull(&mut *session, "INBOX");
    let ids = held.mails.keys().cloned().collect();
    let copy = RemoteOp::Copy { from: inbox(), to: FolderRef::new("Archive"), ids };
    let error = session.apply(&copy).unwrap_err().to_string();
    assert!(error.contains("of 100 KB are in use"), "{error}");
    session.finish().unwrap();
}
