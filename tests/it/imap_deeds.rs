//! IMAP word for word: what is done to mail, and how news is waited for.

use std::time::{Duration, Instant};

use mailtui::Kind;
use mailtui::model::{Cursor, FlagDelta, Flags, Mark};
use mailtui::net::Interrupt;
use mailtui::protocol::imap::Session;
use mailtui::protocol::{Applied, FolderRef, Letter, MailProtocol, RemoteId, RemoteOp, Wake};

use crate::support::imap::{NEW, OLD, SELECT, enter, id, ids, inbox, known, letter, session, session_with};
use crate::support::script::Script;

fn flag(add: Flags, words: &[&str]) -> RemoteOp {
    let add_words = words.iter().map(|w| (*w).to_owned()).collect();
    RemoteOp::Flag {
        folder: inbox(),
        ids: ids(&[5, 2, 3]),
        delta: FlagDelta::add(add),
        add: add_words,
        del: vec![],
    }
}

#[test]
fn i5_flags_are_deltas_and_keywords_only_where_they_are_kept() {
    let select =
        SELECT.replace("S: $tag OK", "S: * OK [PERMANENTFLAGS (\\\\Seen \\\\Flagged kept)]\nS: $tag OK");
    let (server, mut session) = session(
        OLD,
        &format!(
            "{select}C: m2 UID STORE 2:3,5 +FLAGS.SILENT (\\Flagged)\nS: * 2 FETCH (FLAGS (\\\\Flagged))\nS: m2 NO gone\nC: m3 UID SEARCH UID 2:3,5\nS: * SEARCH\nS: m3 OK\n\
             C: m4 UID STORE 2:3,5 +FLAGS (kept)\nS: m4 OK"
        ),
    );
    let unkept = Applied::Unkept { keywords: vec!["other".into()] };
    assert_eq!(session.apply(&flag(Flags::FLAGGED, &["kept", "other"])).unwrap(), unkept);
    assert_eq!(session.apply(&flag(Flags::NONE, &["other"])).unwrap(), unkept, "nothing to say");
    let foreign = RemoteOp::Delete { folder: inbox(), ids: vec![RemoteId::Uid { validity: 8, uid: 2 }] };
    assert_eq!(session.apply(&foreign).unwrap_err().kind(), Kind::Conflict);
    drop(session);
    server.finish();
}

/// A server without MOVE is first asked what the target holds: here, nothing of these.
const LOOK: &str = "C: m2 UID FETCH 2,5 (UID RFC822.SIZE BODY.PEEK[HEADER])\nS: * 1 FETCH (UID 2 RFC822.SIZE 9 BODY[HEADER] \"Message-ID: <a@x>\")\nS: * 2 FETCH (UID 5 RFC822.SIZE 9 BODY[HEADER] \"Message-ID: <b@x>\")\nS: m2 OK\n\
     C: m3 SELECT *\nS: * OK [UIDVALIDITY 8]\nS: * 1 EXISTS\nS: m3 OK\nC: m4 UID SEARCH HEADER MESSAGE-ID \"a@x\"\nC: m5 UID SEARCH HEADER MESSAGE-ID \"b@x\"\nS: * SEARCH\nS: m4 OK\nS: * SEARCH 9\nS: m5 OK\n\
     C: m6 UID FETCH 9 *\nS: * 1 FETCH (UID 9 RFC822.SIZE 10 BODY[HEADER] \"Message-ID: <b@x>\")\nS: m6 OK\nC: m7 SELECT \"INBOX\"\nS: * OK [UIDVALIDITY 7]\nS: m7 OK\n";

fn move_to(to: &str) -> RemoteOp {
    RemoteOp::Move { from: inbox(), to: FolderRef::new(to), ids: ids(&[2, 5]) }
}

fn pairs(pairs: &[(u32, u32)]) -> Applied {
    let new = |uid| RemoteId::Uid { validity: 8, uid };
    Applied::Done { moved: pairs.iter().map(|(a, b)| (id(*a), new(*b))).collect(), created: None }
}

#[test]
fn i6_moves_by_what_the_server_has() {
    let new = pairs(&[(2, 11), (5, 12)]);
    let mark = "+FLAGS.SILENT (\\Deleted)";
    let copied = format!(
        "{LOOK}C: m8 UID COPY 2,5 \"a\"\nS: m8 OK [COPYUID 8 2,5 11:12]\nC: m9 UID STORE 2,5 {mark}\n"
    );
    let marked = "S: m9 OK\nC: m10 UID SEARCH DELETED\n";
    for (caps, text, outcome) in [
        (
            "MOVE UIDPLUS",
            "C: m2 UID MOVE 2,5 \"a\"\nS: * OK [COPYUID 8 2,5 11:12]\nS: * 1 EXPUNGE\nS: * 2 EXPUNGE\nS: m2 OK".into(),
            new.clone(),
        ),
        // Lies about what was copied are not believed.
        (
            "MOVE",
            "C: m2 UID MOVE 2,5 \"a\"\nS: * OK [COPYUID 8 1:4294967295 1:4294967295]\nS: m2 OK [COPYUID 8 3,5 1,2]".into(),
            Applied::done(),
        ),
        (
            "MOVE",
            "C: m2 UID MOVE 2,5 \"a\"\nS: * OK [COPYUID 8 2,5 11,11]\nS: m2 OK [COPYUID 8 2,2 11,12]".into(),
            Applied::done(),
        ),
        (
            "MOVE",
            "C: m2 UID MOVE 2,5 \"a\"\nS: * OK [COPYUID 8 2,5 12,11]\nS: m2 OK [COPYUID 8 2,5 11]".into(),
            Applied::done(),
        ),
        // What was told once is not told otherwise later.
        (
            "MOVE",
            "C: m2 UID MOVE 2,5 \"a\"\nS: * OK [COPYUID 8 2,5 11:12]\nS: m2 OK [COPYUID 8 2,5 13:14]".into(),
            new.clone(),
        ),
        (
            "MOVE",
            "C: m2 UID MOVE 2,5 \"a\"\nS: m2 NO [TRYCREATE] make it\nC: m3 CREATE \"a\"\nC: m4 SUBSCRIBE \"a\"\n\
             S: m3 OK\nS: m4 NO\nC: m5 UID MOVE 2,5 \"a\"\nS: m5 OK"
                .into(),
            Applied::done(),
        ),
        (
            "UIDPLUS",
            format!("{copied}C: m10 UID EXPUNGE 2,5\nS: m9 OK\nS: * 2 EXPUNGE\nS: * 1 EXPUNGE\nS: m10 OK"),
            new.clone(),
        ),
        // Only what is surely copied is removed.
        (
            "UIDPLUS",
            format!(
                "{LOOK}C: m8 UID COPY 2,5 \"a\"\nS: m8 OK [COPYUID 8 5 12]\nC: m9 UID STORE 5 {mark}\n\
                 C: m10 UID EXPUNGE 5\nS: m9 OK\nS: m10 OK"
            ),
            pairs(&[(5, 12)]),
        ),
        (
            "X",
            format!("{copied}{marked}S: * SEARCH 2 5\nS: m10 OK\nC: m11 EXPUNGE\nS: * 1 EXPUNGE\nS: m11 OK"),
            new.clone(),
        ),
        // Something else is marked: a plain EXPUNGE would take it too.
        ("X", format!("{copied}{marked}S: * SEARCH 2 5 9\nS: m10 OK"), Applied::Partial { refused: ids(&[2, 5]) }),
    ] {
        let (server, mut session) = session(&format!("IMAP4rev1 {caps}"), &format!("{SELECT}{text}"));
        assert_eq!(session.apply(&move_to("a")).unwrap(), outcome, "{text}");
        drop(session);
        server.finish();
    }
}

#[test]
fn i6_a_copy_whose_answer_was_lost_is_not_made_twice() {
    // The one there is has the same header and size as one of ours by now.
    let look = LOOK.replace("UID 9 RFC822.SIZE 10", "UID 9 RFC822.SIZE 9");
    let text = format!("{SELECT}{look}C: m8 UID COPY 2 \"a\"\nS: m8 OK [COPYUID 8 2 11]");
    let (server, mut session) = session("IMAP4rev1 MOVE UIDPLUS", &text);
    let op = RemoteOp::Copy { from: inbox(), to: FolderRef::new("a"), ids: ids(&[2, 5]) };
    assert_eq!(session.apply(&op).unwrap(), pairs(&[(5, 9), (2, 11)]));
    drop(session);
    server.finish();
}

#[test]
fn i6_a_copy_that_failed_removes_nothing() {
    for (answer, kind) in [("NO [OVERQUOTA] full", Kind::Refused), ("BAD what", Kind::Protocol)] {
        let text = format!(
            "{SELECT}{LOOK}C: m8 UID COPY 2,5 \"a\"\nS: m8 {answer}\nC: m9 UID SEARCH UID 2,5\nS: * SEARCH 2 5\nS: m9 OK"
        );
        let (server, mut session) = session("IMAP4rev1 UIDPLUS", &text);
        let error = session.apply(&move_to("a")).unwrap_err();
        assert_eq!(error.kind(), kind);
        drop(session);
        server.finish();
    }
}

#[test]
fn x4_folder_names_never_break_out_of_their_line() {
    let (server, mut session) = session(
        "IMAP4rev1 MOVE",
        &format!(
            "{SELECT}C: m2 UID MOVE 2,5 {{8}}\nS: * 4 EXISTS\nS: + go\nC> a\\r\\nm9 X\\xff\nC: \nS: m2 OK\nC: m3 UID MOVE 2,5 \"q\\\"\\\\\"\nS: m3 OK"
        ),
    );
    for to in ["\u{f8ff}a\r\nm9 X\u{ff}", "q\"\\"] {
        let op = RemoteOp::Move { from: inbox(), to: FolderRef::new(to), ids: ids(&[2, 5]) };
        assert_eq!(session.apply(&op).unwrap(), Applied::done());
    }
    drop(session);
    server.finish();
}

fn append(session: &mut Session, mut raw: &[u8]) -> mailtui::Result<Option<RemoteId>> {
    session.append(&letter("Sent", raw), &mut raw)
}

#[test]
fn i7_appends_with_and_without_leave() {
    let (server, mut session1) = session(
        "IMAP4rev1 LITERAL+ UIDPLUS",
        "C: m1 APPEND \"Sent\" (\\Seen) {4+}\nC> a\\nb\\n\nC: \nS: * 5 EXISTS\nS: m1 OK [APPENDUID 7 11] done",
    );
    assert_eq!(append(&mut session1, b"a\nb\n").unwrap(), Some(id(11)));
    drop(session1);
    server.finish();
    let (server, mut session2) = session(
        OLD,
        "C: m1 APPEND \"Sent\" (\\Seen) {1}\nS: * 5 EXISTS\nS: * OK [ALERT] x\nS: + go\nC> a\nC: \nS: m1 OK\n\
         C: m2 APPEND \"Sent\" (\\Seen) {1}\nS: m2 NO [OVERQUOTA] full\n\
         C: m3 APPEND \"Sent\" (\\Seen) {1}\nS: m3 NO [TRYCREATE] no\nC: m4 CREATE \"Sent\"\nC: m5 SUBSCRIBE \"Sent\"\nS: m4 OK\nS: m5 OK\n\
         C: m6 APPEND \"Sent\" (\\Seen) {1}\nS: +\nC> a\nC: \nS: m6 OK\n\
         C: m7 APPEND \"Sent\" (\\Seen) {1}\nS: m7 NO [TRYCREATE] no\n\
         C: m8 APPEND \"Sent\" (\\Seen) {1}\nS: m8 NO [LIMIT] larger than the server takes\n\
         C: m9 APPEND \"Sent\" (\\Seen) {1}\nS: * BYE gone",
    );
    assert_eq!(append(&mut session2, b"a").unwrap(), None);
    let error = append(&mut session2, b"a").unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.hint_text().unwrap().contains("full"));
    assert_eq!(append(&mut session2, b"a").unwrap(), None);
    let unmade = Letter { make: false, ..letter("Sent", b"a") };
    assert_eq!(session2.append(&unmade, &mut &b"a"[..]).unwrap_err().kind(), Kind::Gone);
    let error = append(&mut session2, b"a").unwrap_err();
    assert_eq!((error.kind(), error.hint_text().unwrap().contains("larger")), (Kind::Refused, true));
    assert_eq!(append(&mut session2, b"a").unwrap_err().kind(), Kind::Offline);
    assert_eq!(append(&mut session2, b"a\0").unwrap_err().kind(), Kind::Unsupported);
    drop(session2);
    server.finish();
}

#[test]
fn i7_an_append_says_what_the_message_has_and_what_the_folder_keeps() {
    let date = "\"13-Feb-2009 23:31:30 +0000\"";
    let (server, mut session) = session(
        "IMAP4rev1 LITERAL+ UIDPLUS BINARY APPENDLIMIT=9",
        &format!(
            "C: m1 SELECT \"Sent\"\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT 11]\n\
             S: * OK [PERMANENTFLAGS (\\\\Seen kept)]\nS: m1 OK\n\
             C: m2 APPEND \"Sent\" (\\Seen kept) {date} ~{{3+}}\nC> a\\0b\nC: \nS: m2 OK [APPENDUID 7 12]"
        ),
    );
    assert_eq!(session.mark(&FolderRef::new("Sent")).unwrap(), Mark { validity: 7, uidnext: 11 });
    let words = ["kept", "lost", "no word"].map(str::to_owned).to_vec();
    let letter1 = Letter { keywords: words, received: 1_234_567_890, ..letter("Sent", b"a\0b") };
    assert_eq!(session.append(&letter1, &mut &b"a\0b"[..]).unwrap(), Some(id(12)));
    let error = append(&mut session, b"0123456789").unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("takes 9 at most")), (Kind::Refused, true));
    drop(session);
    server.finish();
}

#[test]
fn i12_a_mail_that_is_too_long_for_its_folder_is_refused_before_the_first_byte_of_it() {
    let limit = |tag: &str, folder: &str, told: &str| {
        format!("C: {tag} STATUS \"{folder}\" (APPENDLIMIT)\nS: * STATUS {folder} ({told})\nS: {tag} OK\n")
    };
    let text = limit("m1", "Sent", "APPENDLIMIT 3 X-MORE 9")
        + "C: m2 APPEND \"Sent\" (\\Seen) {3+}\nC> abc\nC: \nS: m2 OK\n"
        + &limit("m3", "Free", "APPENDLIMIT NIL")
        + "C: m4 APPEND \"Free\" (\\Seen) {4+}\nC> abcd\nC: \nS: m4 OK\n\
           C: m5 STATUS \"New\" (APPENDLIMIT)\nS: m5 NO [NONEXISTENT] no\n\
           C: m6 APPEND \"New\" (\\Seen) {4+}\nC> abcd\nC: \nS: m6 NO [TOOBIG] 3 at most";
    let (server, mut session) = session("IMAP4rev1 LITERAL+ APPENDLIMIT", &text);
    let mut put = |folder: &str, raw: &[u8]| session.append(&letter(folder, raw), &mut &*raw);
    // It is asked once.
    let error = put("Sent", b"abcd").unwrap_err();
    assert_eq!(error.to_string(), "the message has 4 bytes, and the server takes 3 at most");
    assert_eq!((error.kind(), error.hint_text().unwrap().contains("stays")), (Kind::Refused, true));
    assert_eq!(put("Sent", b"abc").unwrap(), None);
    assert_eq!(put("Free", b"abcd").unwrap(), None);
    let error = put("New", b"abcd").unwrap_err();
    assert_eq!((error.kind(), error.hint_text().unwrap().contains("larger")), (Kind::Refused, true));
    drop(session);
    server.finish();
}

const OURS: &[u8] =
    b"Message-ID: <a@x>\r\nSubject: hi\r\nDate: Fri, 13 Feb 2009 23:31:30 +0000\r\n\r\nbody\r\n";

/// A message as a FETCH tells it.
fn told(uid: u32, size: usize, head: &str) -> String {
    format!("S: * 1 FETCH (UID {uid} RFC822.SIZE {size} BODY[HEADER] \"{head}\")\n")
}

#[test]
fn i7_after_a_lost_answer_the_message_is_looked_for_by_all_its_face() {
    let ours = "Message-ID: <a@x>\\r\\nSubject: hi\\r\\nDate: Fri, 13 Feb 2009 23:31:30 +0000\\r\\n\\r\\n";
    let select = |tag: &str, validity: u32| {
        format!("C: {tag} SELECT \"Sent\"\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY {validity}]\nS: {tag} OK\n")
    };
    // A quoted string cannot hold a line end: literals.
    let literal = |uid: u32, size: usize, head: &str| {
        let raw = head.replace("\\r\\n", "\r\n");
        format!(
            "S> * 1 FETCH (UID {uid} RFC822.SIZE {size} BODY[HEADER] {{{}}}\\r\\n{head})\\r\\n\n",
            raw.len()
        )
    };
    let script = [
        // Once there as it is, once touched by the server: the first is it.
        select("m1", 7),
        "C: m2 UID FETCH 11:* (UID RFC822.SIZE BODY.PEEK[HEADER])\n".to_owned(),
        literal(11, 900, &format!("X-Store: y\\r\\n{ours}")),
        literal(12, OURS.len(), ours),
        literal(13, OURS.len(), ours),
        "S: m2 OK\n".to_owned(),
        // Touched only; the last message of the folder does not count, whatever it is.
        select("m3", 7),
        "C: m4 UID FETCH 11:* *\n".to_owned(),
        literal(10, OURS.len(), ours),
        literal(14, 900, &format!("X-Store: y\\r\\n{ours}")),
        "S: m4 OK\n".to_owned(),
        // The same Message-ID over another mail.
        select("m5", 7),
        "C: m6 UID FETCH 11:* *\n".to_owned(),
        told(15, OURS.len(), "Message-ID: <a@x>"),
        "S: m6 OK\n".to_owned(),
        // Numbered anew: the whole folder is searched.
        select("m7", 8),
        "C: m8 UID SEARCH HEADER MESSAGE-ID \"a@x\"\nS: * SEARCH 2 4\nS: m8 OK\nC: m9 UID FETCH 2,4 *\n"
            .to_owned(),
        literal(4, OURS.len(), ours),
        "S: m9 OK\n".to_owned(),
        // The same without a Message-ID: nobody can tell.
        select("m10", 8),
        // The folder is gone, or cannot be shown.
        "C: m11 SELECT *\nS: m11 NO [NONEXISTENT] no\n".to_owned(),
        select("m12", 7),
        "C: m13 UID FETCH *\nS: m13 NO not now".to_owned(),
    ];
    let (server, mut session) = session(OLD, &script.concat());
    let ours = letter("Sent", OURS);
    let since = Mark { validity: 7, uidnext: 11 };
    assert_eq!(session.find(&ours, since).unwrap(), Some(id(12)));
    assert_eq!(session.find(&ours, since).unwrap(), Some(id(14)));
    assert_eq!(session.find(&ours, since).unwrap(), None);
    assert_eq!(session.find(&ours, since).unwrap(), Some(RemoteId::Uid { validity: 8, uid: 4 }));
    let nameless = letter("Sent", b"Subject: hi\r\n\r\n");
    assert_eq!(session.find(&nameless, since).unwrap_err().kind(), Kind::Refused);
    assert_eq!(session.find(&ours, since).unwrap(), None);
    assert_eq!(session.find(&ours, since).unwrap_err().kind(), Kind::Refused);
    drop(session);
    server.finish();
}

#[test]
fn i7_where_a_folder_ends_is_known_of_every_server() {
    let (server, mut session) = session(
        OLD,
        "C: m1 SELECT \"Sent\"\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: m1 OK\n\
         C: m2 UID SEARCH UID *\nS: * SEARCH 41\nS: m2 OK\n\
         C: m3 SELECT \"Sent\"\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: m3 OK\n\
         C: m4 SELECT \"Sent\"\nS: m4 NO no such mailbox",
    );
    let folder = FolderRef::new("Sent");
    assert_eq!(session.mark(&folder).unwrap(), Mark { validity: 7, uidnext: 42 });
    assert_eq!(session.mark(&folder).unwrap(), Mark { validity: 7, uidnext: 1 });
    assert_eq!(session.mark(&folder).unwrap(), Mark { validity: 0, uidnext: 1 });
    drop(session);
    server.finish();
}

// ---- waiting ----

#[test]
fn i9_news_before_and_after_the_go_ahead_end_a_wait() {
    let (server, mut session) = session(
        NEW,
        &format!(
            "{}C: m2 IDLE\nS: * 4 EXISTS\nS: + idling\nC: DONE\n\
             C: m3 SELECT \"INBOX\" (CONDSTORE)\nC: m4 UID FETCH 10:* *\n\
             S: * 9 EXISTS\nS: m2 OK\nS: * 4 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT 11]\nS: m3 OK\nS: m4 OK\n\
             C: m5 UID FETCH 9:9 *\nS: m5 OK\nC: m6 UID SEARCH *\nS: * ESEARCH UID ALL 1:4\nS: m6 OK\nC: m7 UID FETCH 1:4 *\nS: m7 OK\n\
             C: m8 IDLE\nS: + idling\nS: * OK still here\nS: * 4 EXISTS\nS: * 3 FETCH (FLAGS (\\\\Seen))\nC: DONE\nS: m8 OK",
            SELECT.replace("\"INBOX\"", "\"INBOX\" (CONDSTORE)")
        ),
    );
    let late = Instant::now() + Duration::from_secs(60);
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Changed);
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Changed, "until it is looked at");
    let mut held = known(Cursor { validity: 7, uidnext: 10, modseq: 0, backfill: 1 }, &[9]);
    held.pull(&mut session, "INBOX");
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Changed);
    drop(session);
    server.finish();
}

#[test]
fn i9_news_of_other_folders_comes_on_the_same_line_where_the_server_tells_it() {
    let caps = format!("{NEW} NOTIFY");
    let status = "MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7 HIGHESTMODSEQ 5";
    let listed = |name: &str| format!("S: * LIST () \"/\" {name}\nS: * STATUS {name} ({status})\n");
    let (server, mut session) = session(
        &caps,
        &format!(
            "C: m1 LIST *\n{}{}S: m1 OK\n\
             C: m2 NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge FlagChange))\n\
             S: m2 NO [BADEVENT (MessageNew MessageExpunge)] no\n\
             C: m3 NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge))\nS: m3 OK\n\
             {}C: m5 IDLE\nS: + idling\nS: * STATUS x (MESSAGES 3 HIGHESTMODSEQ 5)\nS: * STATUS x (HIGHESTMODSEQ 6)\nS: * STATUS new (MESSAGES 1)\n\
             C: DONE\nS: m5 OK\nC: m6 IDLE\nS: + idling\nC: DONE\nS: m6 OK\n\
             C: m7 IDLE\nS: + idling\nS: * STATUS x (HIGHESTMODSEQ 6)\nS: * OK [NOTIFICATIONOVERFLOW] too much\nS: * STATUS x (HIGHESTMODSEQ 7)\n\
             S: * 4 EXISTS\nC: DONE\nS: m7 OK",
            listed("INBOX"),
            listed("x"),
            SELECT.replace("\"INBOX\"", "\"INBOX\" (CONDSTORE)")
        ),
    );
    session.folders().unwrap();
    assert!(session.watch().unwrap());
    let late = Instant::now() + Duration::from_secs(60);
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Elsewhere);
    assert_eq!(session.elsewhere(), [FolderRef::new("x")]);
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Elsewhere);
    assert_eq!(session.elsewhere(), [FolderRef::new("new")]);
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Changed);
    assert!(session.elsewhere().is_empty(), "what is as it was is no news");
    drop(session);
    server.finish();
}

#[test]
fn i2_a_folder_that_is_numbered_anew_while_it_is_open_takes_no_old_uid() {
    let select = SELECT.replace("\"INBOX\"", "\"INBOX\" (CONDSTORE)");
    let (server, mut session) = session(
        NEW,
        &format!(
            "{select}C: m2 IDLE\nS: + idling\nS: * OK [UIDVALIDITY 8] anew\nC: DONE\nS: m2 OK\nC: m3 NOOP\nS: m3 OK"
        ),
    );
    let late = Instant::now() + Duration::from_secs(60);
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Changed);
    session.keep_alive().unwrap();
    let error = session.apply(&flag(Flags::SEEN, &[])).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    drop(session);
    server.finish();
}

#[test]
fn i8_a_count_that_shrinks_without_a_word_is_news_and_proves_nothing() {
    let select = SELECT.replace("\"INBOX\"", "\"INBOX\" (CONDSTORE)");
    let (server, mut session) = session(
        NEW,
        &format!(
            "{select}C: m2 IDLE\nS: + idling\nS: * 1 EXISTS\nC: DONE\nC: m3 SELECT \"INBOX\" (CONDSTORE)\nS: m2 OK\n\
             S: * 1 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT 4]\nS: m3 OK\n\
             C: m4 UID FETCH 2:9 (UID FLAGS)\nS: m4 OK\nC: m5 UID SEARCH *\nS: * ESEARCH UID ALL 2,5,9\nS: m5 OK"
        ),
    );
    let late = Instant::now() + Duration::from_secs(60);
    assert_eq!(session.wait(&inbox(), late).unwrap(), Wake::Changed);
    // Even with a lower UIDNEXT: it is asked which mails it has, and has them all.
    let mut held = known(Cursor { validity: 7, uidnext: 10, modseq: 0, backfill: 1 }, &[2, 5, 9]);
    held.pull(&mut session, "INBOX");
    assert_eq!((held.uids(), held.told, held.at.uidnext), (vec![2, 5, 9], 0, 10));
    drop(session);
    server.finish();
}

#[test]
fn i9_odd_ends_of_idle() {
    for (end, outcome) in [
        ("S: m2 BAD what", Ok(Wake::Unsupported)),
        ("S: m2 NO no", Err(Kind::Refused)),
        ("S: + idling\nS: * BYE timeout", Err(Kind::Offline)),
        ("S: + idling\nCUT", Err(Kind::Offline)),
        ("S: + idling\nS: m2 OK enough\nC: m3 IDLE\nS: + idling\nS: * 1 EXPUNGE\nC: DONE", Ok(Wake::Changed)),
    ] {
        let select = SELECT.replace("\"INBOX\"", "\"INBOX\" (CONDSTORE)");
        let (server, mut session) = session(NEW, &format!("{select}C: m2 IDLE\n{end}"));
        let woke = session.wait(&inbox(), Instant::now() + Duration::from_secs(60));
        assert_eq!(woke.map_err(|e| e.kind()), outcome, "{end}");
        drop(session);
        server.finish();
    }
}

#[test]
fn the_interrupt_ends_what_hangs_and_nothing_else() {
    let bell = Interrupt::new().unwrap();
    let (server, mut session) = session_with(OLD, "C: m1 NOOP\nS: m1 OK\nC: m2 NOOP\nHANG", &bell);
    bell.ring();
    // The server answers in time: the command is done, and the session in order.
    session.keep_alive().unwrap();
    let error = session.keep_alive().unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted);
    assert_eq!(session.keep_alive().unwrap_err().kind(), Kind::Offline, "the session is over");
    drop(session);
    server.finish();
}

#[test]
fn x3_endless_talk_ends() {
    let line = vec![b'x'; 17 << 20];
    let script = "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 OK [CAPABILITY IMAP4rev1] in\nC: m1 NOOP\nS> * ${line}\nEOF";
    let (server, mut session) = enter(Script::new(script).put("line", line), &Interrupt::new().unwrap());
    assert_eq!(session.keep_alive().unwrap_err().kind(), Kind::Protocol);
    drop(session);
    server.give_up();
    let many = b"* 1 RECENT\r\n".repeat(100_000);
    let script = script.replace("S> * ${line}\nEOF", "S> ${line}\nS: * OK {5}\nS: m1 OK");
    let (server, mut session) = enter(Script::new(&script).put("line", many), &Interrupt::new().unwrap());
    session.keep_alive().unwrap();
    drop(session);
    server.finish();
}
