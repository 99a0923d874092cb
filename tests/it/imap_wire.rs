//! IMAP word for word once signed in: folders, pulls and bodies, and what becomes of every odd answer.

use std::time::Instant;

use mailtui::Kind;
use mailtui::model::{Cursor, Flags};
use mailtui::net::Interrupt;
use mailtui::protocol::{Applied, FolderRef, MailProtocol, RemoteOp, Wake};

use crate::support::imap::{NEW, OLD, SELECT, enter, id, ids, inbox, known, session};
use crate::support::script::Script;
use crate::support::world::{Bodies, Held};

// ---- folders ----

#[test]
fn s4_folders_take_one_round_trip_where_the_server_allows() {
    let (server, mut session) = session(
        NEW,
        "C: m1 LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))\n\
         S: * LIST (\\\\Subscribed \\\\HasNoChildren) \"/\" {5}\nS: inbox\nS: * STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7 HIGHESTMODSEQ 5)\n\
         S: * 5 EXISTS\nS: * LIST (\\\\Sent) \"/\" \"Gesendet & mehr\"\nS: * LIST () NIL Entw&APw-rfe\nS: * LIST (\\\\Noselect) \"/\" &bad\nS: m1 OK",
    );
    let folders = session.folders().unwrap();
    let told: Vec<_> =
        folders.iter().map(|f| (f.remote.as_str(), f.path.as_str(), f.role.map(|r| r.name()))).collect();
    assert_eq!(
        told,
        [
            ("INBOX", "INBOX", Some("inbox")),
            ("Gesendet & mehr", "Gesendet & mehr", Some("sent")),
            ("Entw&APw-rfe", "Entwürfe", Some("drafts")),
            ("&bad", "&bad", None)
        ]
    );
    let cursor = Cursor { validity: 7, uidnext: 9, modseq: 5, backfill: 9 };
    assert_eq!(
        (folders[0].cursor, folders[0].messages, folders[0].subscribed),
        (Some(cursor), Some(3), true)
    );
    assert!(!folders[3].selectable && !folders[1].subscribed);
    drop(session);
    server.finish();
}

#[test]
fn folders_of_an_old_server() {
    // It offers more than it understands; then LIST and LSUB go side by side.
    let (server, mut session) = session(
        "IMAP4rev1 LIST-EXTENDED NAMESPACE",
        "C: m1 NAMESPACE\nC: m2 LIST \"\" \"*\" RETURN (SUBSCRIBED)\nS: * NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\nS: m1 OK\nS: m2 BAD what\n\
         C: m3 LIST \"\" \"*\"\nC: m4 LSUB \"\" \"*\"\nS: * LIST () \".\" INBOX\nS: * LIST () \".\" INBOX.Trash\nS: m3 OK\nS: * LSUB () \".\" INBOX.Trash\nS: m4 OK\n\
         C: m5 CREATE \"INBOX.a\"\nC: m6 SUBSCRIBE \"INBOX.a\"\nS: m5 NO exists\nS: m6 OK\nC: m7 LIST \"\" \"INBOX.a\"\nS: * LIST () \".\" INBOX.a\nS: m7 OK",
    );
    let folders = session.folders().unwrap();
    assert_eq!(folders[1].path, "Trash");
    assert_eq!((folders[1].role.map(|r| r.name()), folders[1].subscribed), (Some("trash"), true));
    let created = session.apply(&RemoteOp::CreateFolder { path: "a".into() }).unwrap();
    assert_eq!(created, Applied::Done { moved: vec![], created: Some("INBOX.a".into()) });
    drop(session);
    server.finish();
}

// ---- pulling ----

#[test]
fn s1_a_first_look_asks_for_the_newest_along_with_select() {
    let (server, mut session) = session(
        NEW,
        "C: m1 LIST *\nS: * LIST () \"/\" INBOX\nS: * STATUS INBOX (MESSAGES 300 UIDNEXT 900 UIDVALIDITY 7 HIGHESTMODSEQ 5)\nS: m1 OK\n\
         C: m2 SELECT \"INBOX\" (CONDSTORE)\n\
         C: m3 FETCH 101:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])\nC: m4 UID SEARCH RETURN (ALL) ALL\n\
         S: * 2 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT 900]\nS: * OK [HIGHESTMODSEQ 5]\nS: m2 OK\n\
         S: * 2 FETCH (BODY[HEADER] {6}\nS: A: b\nS>  UID 899 FLAGS (\\\\Seen x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 20)\\r\\n\nS: m3 OK\n\
         S: * ESEARCH (TAG \"m4\") UID ALL 4,899\nS: m4 OK\n\
         C: m5 UID FETCH 4 *\nS: * 1 FETCH (UID 4 FLAGS () RFC822.SIZE 9 BODY[HEADER] NIL)\nS: m5 OK",
    );
    session.folders().unwrap();
    let mut held = Held::default();
    held.pull(&mut session, "INBOX");
    assert_eq!(held.order, ids(&[899, 4]));
    let newest = &held.mails[&id(899)];
    assert_eq!((newest.flags, newest.size, newest.received), (Flags::SEEN, 20, 837_596_665));
    assert_eq!(
        (newest.keywords.as_slice(), newest.head.as_deref()),
        (&["x".to_owned()][..], Some(&b"A: b\r\n"[..]))
    );
    assert_eq!(held.at, Cursor { validity: 7, uidnext: 900, modseq: 5, backfill: 1 });
    drop(session);
    server.finish();
}

#[test]
fn i3_an_old_server_is_compared_with() {
    let (server, mut session) = session(
        OLD,
        &format!(
            "{SELECT}C: m2 UID FETCH 2:8 (UID FLAGS)\nS: * 1 FETCH (UID 2 FLAGS (\\\\Recent))\nS: * 2 FETCH (FLAGS (\\\\Seen) UID 8)\nS: * 3 FETCH (UID 3 FLAGS ())\nS: m2 OK\n\
             C: m3 UID SEARCH ALL\nS: * SEARCH 8 2 3\nS: m3 OK\n\
             C: m4 UID FETCH 3 *\nS: * 3 FETCH (UID 3 FLAGS () RFC822.SIZE 9 BODY[HEADER] \"A: b\")\nS: m4 OK"
        ),
    );
    let mut held = known(Cursor { validity: 7, uidnext: 10, modseq: 0, backfill: 1 }, &[2, 5, 8]);
    held.pull(&mut session, "INBOX");
    assert_eq!(held.uids(), [2, 3, 8]);
    assert_eq!((held.mails[&id(8)].flags, held.told), (Flags::SEEN, 3));
    drop(session);
    server.finish();
}

#[test]
fn i3_flags_by_modseq_and_new_mail_come_in_one_go() {
    let (server, mut session) = session(
        NEW,
        "C: m1 SELECT \"INBOX\" (CONDSTORE)\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT 10]\nS: * OK [HIGHESTMODSEQ 9]\nS: m1 OK\n\
         C: m2 UID FETCH 9:* *\nC: m3 UID FETCH 1:8 (UID FLAGS) (CHANGEDSINCE 5)\n\
         S: * 2 FETCH (UID 5 FLAGS (\\\\Flagged) MODSEQ (7))\nS: * 3 FETCH (UID 9 FLAGS () RFC822.SIZE 3 BODY[HEADER] \"\")\nS: m3 OK\nS: m2 OK",
    );
    let mut held = known(Cursor { validity: 7, uidnext: 9, modseq: 5, backfill: 1 }, &[2, 5]);
    held.pull(&mut session, "INBOX");
    assert_eq!((held.uids(), held.mails[&id(5)].flags), (vec![2, 5, 9], Flags::FLAGGED));
    assert_eq!(held.at, Cursor { validity: 7, uidnext: 10, modseq: 9, backfill: 1 });
    drop(session);
    server.finish();
}

#[test]
fn i5_a_copy_that_was_made_here_shows_what_another_client_did_to_it() {
    // Its UID was told when it was made (COPYUID): it is held although it lies above the cursor.
    for (uidnext, asked) in [
        (
            10,
            "C: m2 UID FETCH 9:* *\nC: m3 UID FETCH 1:8 (UID FLAGS) (CHANGEDSINCE 5)\n\
              S: * 3 FETCH (UID 9 FLAGS (\\\\Flagged) RFC822.SIZE 3 BODY[HEADER] \"\")\nS: m2 OK\nS: m3 OK",
        ),
        // New mail from so far above is asked for in windows.
        (
            5000,
            "C: m2 UID FETCH 1:4999 (UID FLAGS) (CHANGEDSINCE 5)\nS: * 3 FETCH (UID 9 FLAGS (\\\\Flagged) MODSEQ (7))\nS: m2 OK\n\
                C: m3 UID SEARCH *\nS: * ESEARCH UID ALL 2,5,9\nS: m3 OK",
        ),
    ] {
        let (server, mut session) = session(
            NEW,
            &format!(
                "C: m1 SELECT \"INBOX\" (CONDSTORE)\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT {uidnext}]\n\
                 S: * OK [HIGHESTMODSEQ 9]\nS: m1 OK\n{asked}"
            ),
        );
        let mut held = known(Cursor { validity: 7, uidnext: 9, modseq: 5, backfill: 1 }, &[2, 5, 9]);
        held.pull(&mut session, "INBOX");
        assert_eq!((held.uids(), held.mails[&id(9)].flags), (vec![2, 5, 9], Flags::FLAGGED));
        assert_eq!(held.at, Cursor { validity: 7, uidnext, modseq: 9, backfill: 1 });
        drop(session);
        server.finish();
    }
}

#[test]
fn i8_nothing_is_gone_without_a_whole_answer() {
    let start = format!("{SELECT}C: m2 UID FETCH 2:8 (UID FLAGS)\nS: m2 OK\nC: m3 UID SEARCH ALL\n");
    for (end, kind) in [
        ("S: m3 NO busy\nEOF", Kind::Refused),
        ("S: m3 BAD what\nEOF", Kind::Protocol),
        ("S: * SEARCH\nS: m3 OK\nEOF", Kind::Protocol),
        ("S: * SEARCH 2\nCUT", Kind::Offline),
        ("S: * SEARCH 2\nS: * BYE [UNAVAILABLE] restart\nEOF", Kind::Offline),
        ("S: m3 OK\nC: m4 UID SEARCH ALL\nS: m4 OK\nEOF", Kind::Protocol),
    ] {
        let (server, mut session) = session(OLD, &format!("{start}{end}"));
        let held = known(Cursor { validity: 7, uidnext: 10, modseq: 0, backfill: 1 }, &[2, 5, 8]);
        let (snapshot, mut sink) = (held.snapshot(), Held { mails: held.mails.clone(), ..Held::default() });
        let error = session.pull(&inbox(), &snapshot, &mut sink).unwrap_err();
        assert_eq!(error.kind(), kind, "{end}: {error}");
        assert_eq!(sink.mails.len(), 3, "{end}");
        drop(session);
        server.finish();
    }
}

#[test]
fn x3_a_search_that_lists_more_than_there_is_is_not_believed() {
    let (server, mut session) = session(
        NEW,
        &format!(
            "{}C: m2 UID FETCH 2:2 *\nS: m2 OK\nC: m3 UID SEARCH *\nS: * ESEARCH UID ALL 1:4294967295\nS: m3 OK",
            SELECT.replace("\"INBOX\"", "\"INBOX\" (CONDSTORE)")
        ),
    );
    let held = known(Cursor { validity: 7, uidnext: 10, modseq: 0, backfill: 1 }, &[2]);
    let error = session.pull(&inbox(), &held.snapshot(), &mut Held::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
    drop(session);
    server.finish();
}

#[test]
fn i4_a_message_that_the_server_fails_on_does_not_hold_up_the_others() {
    let (server, mut session) = session(
        OLD,
        &format!(
            "{SELECT}C: m2 UID SEARCH ALL\nS: * SEARCH 2 5 8\nS: m2 OK\n\
             C: m3 UID FETCH 2:8 *\nS: * 3 FETCH (UID 8 FLAGS () RFC822.SIZE 3 BODY[HEADER] \"\")\nS: m3 NO some failed\n\
             C: m4 UID FETCH 5 *\nS: m4 NO no\nC: m5 UID FETCH 2 *\nS: * 1 FETCH (UID 2 FLAGS () RFC822.SIZE 3 BODY[HEADER] \"\")\nS: m5 OK"
        ),
    );
    let mut held = known(Cursor { validity: 7, uidnext: 10, modseq: 0, backfill: 10 }, &[]);
    held.pull(&mut session, "INBOX");
    assert_eq!((held.uids(), held.at.backfill), (vec![2, 8], 1));
    drop(session);
    server.finish();
}

#[test]
fn a_folder_that_is_gone_or_has_no_uids_is_told() {
    for (answer, kind) in [
        ("S: $tag NO [NONEXISTENT] gone", Kind::Gone),
        ("S: $tag NO no", Kind::Refused),
        ("S: * 1 EXISTS\nS: $tag OK", Kind::Unsupported),
        ("S: * BYE bye", Kind::Offline),
    ] {
        let (server, mut session) = session(OLD, &format!("C: m1 SELECT \"x\"\n{answer}"));
        let error = session.pull(&FolderRef::new("x"), &Held::default().snapshot(), &mut Held::default());
        assert_eq!(error.unwrap_err().kind(), kind, "{answer}");
        drop(session);
        server.finish();
    }
}

// ---- bodies ----

#[test]
fn bodies_come_in_every_shape() {
    let (server, mut session) = session(
        "IMAP4rev1 IDLE",
        &format!(
            "SPLIT 3\n{SELECT}C: m2 UID FETCH 2,5,8 (UID BODY.PEEK[])\n\
             S: * 9 EXISTS\nS: * 1 FETCH (UID 2 BODY[] {{4}}\nS> \\r\\n)\\0\nS>  X (y))\\r\\n\nS: * 4 EXPUNGE\nS: * 3 FETCH (FLAGS (\\\\Seen) UID 1)\n\
             S: * 2 FETCH (BODY[] {{2}}\nS> hi\nS>  UID 5)\\r\\n\nS: * 3 FETCH (UID 8 BODY[] \"a\\\\\"b\")\nS: * 3 FETCH (UID 8 BODY[] {{1}}\nS: x)\nS: m2 OK\n\
             C: m3 UID FETCH 3 (UID BODY.PEEK[])\nS: * 9 FETCH (UID 3 BODY[] NIL)\nS: m3 OK"
        ),
    );
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &ids(&[8, 2, 5]), &mut bodies).unwrap();
    session.fetch(&inbox(), &ids(&[3]), &mut bodies).unwrap();
    let got: Vec<_> = bodies.whole.iter().map(|(id, raw)| (id.clone(), raw.as_slice())).collect();
    assert_eq!(got, [(id(2), &b"\r\n)\0"[..]), (id(5), b"hi"), (id(8), b"a\"b")]);
    // The changes in between are not lost.
    assert_eq!(session.wait(&inbox(), Instant::now()).unwrap(), Wake::Changed);
    drop(session);
    server.finish();
}

#[test]
fn a_large_body_whose_uid_comes_late_is_asked_for_anew() {
    let large = vec![b'x'; 3 << 20];
    let script = "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 OK [CAPABILITY IMAP4rev1] in\n\
         C: * SELECT *\nS: * OK [UIDVALIDITY 7]\nS: $tag OK\nC: m2 UID FETCH 5 *\nS: * 1 FETCH (BODY[] {3145728}\nS> ${large}\nS>  UID 5)\\r\\n\nS: m2 OK\n\
         C: m3 UID FETCH 5 *\nS: * 1 FETCH (BODY[] {3145728}\nS> ${large}\nS>  UID 5)\\r\\n\nS: m3 OK";
    let script = Script::new(script).put("large", large.clone());
    let (server, mut session) = enter(script, &Interrupt::new().unwrap());
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &ids(&[5]), &mut bodies).unwrap();
    assert!(bodies.whole[&id(5)] == large);
    drop(session);
    server.finish();
}

#[test]
fn a_body_that_is_cut_or_refused_is_not_whole() {
    for (end, kind) in [
        ("S: * 1 FETCH (UID 5 BODY[] {9}\nS> abc\nCUT", Kind::Offline),
        ("S: * 1 FETCH (UID 5 BODY[] {4294967295}\nS> abc\nEOF", Kind::Protocol),
        ("S: * BYE [INUSE] other\nEOF", Kind::Offline),
        ("S: m2 NO damaged\nC: m3 UID FETCH 5 *\nS: m3 NO damaged", Kind::Refused),
        ("S: m2 BAD what", Kind::Protocol),
    ] {
        let (server, mut session) = session(OLD, &format!("{SELECT}C: m2 UID FETCH 5 *\n{end}"));
        let mut bodies = Bodies::default();
        let error = session.fetch(&inbox(), &ids(&[5]), &mut bodies).unwrap_err();
        assert_eq!(error.kind(), kind, "{end}: {error}");
        assert!(bodies.whole.is_empty());
        drop(session);
        server.finish();
    }
}

#[test]
fn s2_the_first_bodies_are_asked_for_along_with_their_folder_and_are_of_no_other() {
    let (server, mut session) = session(
        OLD,
        "C: m1 SELECT \"INBOX\"\nC: m2 UID FETCH 2:3 (UID BODY.PEEK[])\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: m1 OK\n\
         S: * 2 FETCH (UID 2 BODY[] \"b\")\nS: * 3 FETCH (UID 3 BODY[] \"c\")\nS: m2 OK\n\
         C: m3 SELECT \"Anew\"\nC: m4 UID FETCH 2 *\nS: * 1 EXISTS\nS: * OK [UIDVALIDITY 8]\nS: m3 OK\n\
         S: * 1 FETCH (UID 2 BODY[] \"of another\")\nS: m4 OK\n\
         C: m5 SELECT \"Gone\"\nC: m6 UID FETCH 2 *\nS: m5 NO [NONEXISTENT] no\nS: m6 BAD which folder\nC: m7 NOOP\nS: m7 OK",
    );
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &ids(&[3, 2]), &mut bodies).unwrap();
    for (folder, kind) in [("Anew", Kind::Conflict), ("Gone", Kind::Gone)] {
        let error = session.fetch(&FolderRef::new(folder), &ids(&[2]), &mut bodies).unwrap_err();
        assert_eq!(error.kind(), kind, "{folder}");
    }
    session.keep_alive().unwrap();
    assert_eq!(bodies.whole.into_values().collect::<Vec<_>>(), [b"b", b"c"]);
    drop(session);
    server.finish();
}
