//! QRESYNC word for word (promise I3, RFC 7162): what changed comes with SELECT, and what becomes of servers that
//! only say that they can.

use mailtui::model::{Cursor, Flags};
use mailtui::net::Interrupt;
use mailtui::protocol::MailProtocol;

use crate::support::imap::{enter, id, known};
use crate::support::script::Script;
use crate::support::world::Held;

const CAPS: &str = "IMAP4rev1 ENABLE CONDSTORE QRESYNC ESEARCH UIDPLUS MOVE IDLE LIST-EXTENDED LIST-STATUS";
const AT: Cursor = Cursor { validity: 7, uidnext: 10, modseq: 5, backfill: 1 };

/// Up to the list of folders; the answer to ENABLE is heard on the way.
fn begin(enabled: &str, uidnext: u32) -> String {
    format!(
        "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 OK [CAPABILITY {CAPS}] in\n\
         C: m1 ENABLE QRESYNC\nC: m2 LIST *\n{enabled}S: * LIST () \"/\" INBOX\n\
         S: * STATUS INBOX (MESSAGES 4 UIDNEXT {uidnext} UIDVALIDITY 7 HIGHESTMODSEQ 9)\nS: m2 OK\n"
    )
}

/// What a folder that held 2, 5, 8 and 9 has become, once the server went as written.
fn look(at: Cursor, script: &str) -> Held {
    let (server, mut session) = enter(Script::new(script), &Interrupt::new().unwrap());
    session.folders().unwrap();
    let mut held = known(at, &[2, 5, 8, 9]);
    held.pull(&mut session, "INBOX");
    drop(session);
    server.finish();
    held
}

fn enabled(uidnext: u32) -> String {
    begin("S: * ENABLED QRESYNC\nS: m1 OK\n", uidnext)
}

/// What a mailbox says of itself.
fn told(exists: u32, uidnext: u32, modseq: u64) -> String {
    format!(
        "S: * {exists} EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT {uidnext}]\nS: * OK [HIGHESTMODSEQ {modseq}]\n"
    )
}

const SELECT: &str = "C: m3 SELECT \"INBOX\" (QRESYNC (7 5))\n";

#[test]
fn i3_all_that_changed_comes_with_select_and_new_mail_in_the_same_round_trip() {
    let script = enabled(12)
        + SELECT
        + "C: m4 UID FETCH 10:* *\n"
        + &told(4, 12, 9)
        + "S: * VANISHED (EARLIER) 1:2,8,4000:4294967295\nS: * 2 FETCH (UID 9 FLAGS (\\\\Seen x) MODSEQ (8))\n\
           S: * 3 FETCH (UID 10 FLAGS () MODSEQ (9))\nS: m3 OK [READ-WRITE] in\n\
           S: * 3 FETCH (UID 10 FLAGS () RFC822.SIZE 3 BODY[HEADER] \"\")\n\
           S: * 4 FETCH (UID 11 FLAGS (\\\\Flagged) RFC822.SIZE 3 BODY[HEADER] \"\")\nS: m4 OK";
    let held = look(AT, &script);
    assert_eq!((held.uids(), held.certain), (vec![5, 9, 10, 11], 2));
    assert_eq!((held.mails[&id(9)].flags, held.mails[&id(11)].flags), (Flags::SEEN, Flags::FLAGGED));
    assert_eq!(held.at, Cursor { validity: 7, uidnext: 12, modseq: 9, backfill: 1 });
}

#[test]
fn i3_an_unchanged_folder_takes_one_command() {
    let held = look(AT, &(enabled(10) + SELECT + &told(4, 10, 5) + "S: m3 OK"));
    assert_eq!((held.told, held.at), (0, AT));
}

#[test]
fn i8_what_is_said_to_have_vanished_is_believed_where_it_accounts_for_the_count_only() {
    // The server still counts four: it is asked which, and 9 is one of them.
    let script = enabled(10)
        + SELECT
        + &told(4, 10, 9)
        + "S: * VANISHED (EARLIER) 9\nS: m3 OK\nC: m4 UID SEARCH *\nS: * ESEARCH UID ALL 2,5,8,9\nS: m4 OK";
    let held = look(AT, &script);
    assert_eq!((held.uids(), held.certain), (vec![2, 5, 8, 9], 0));
    assert_eq!(held.at.modseq, 9);
    // It counts three and says nothing: what is missing is not named by it.
    let script = enabled(10)
        + SELECT
        + &told(3, 10, 9)
        + "S: * 1 FETCH (UID 5 FLAGS (\\\\Seen) MODSEQ (9))\nS: m3 OK\nC: m4 UID SEARCH *\nS: * ESEARCH UID ALL 2,5,9\nS: m4 OK";
    let held = look(AT, &script);
    assert_eq!((held.uids(), held.certain, held.mails[&id(5)].flags), (vec![2, 5, 9], 0, Flags::SEEN));
}

#[test]
fn i3_a_server_that_says_that_it_resynchronizes_but_does_not_is_asked_in_other_ways() {
    let condstore = "C: m3 SELECT \"INBOX\" (CONDSTORE)\n".to_owned() + &told(4, 10, 9) + "S: m3 OK\n";
    let changed =
        "UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 5)\nS: * 1 FETCH (UID 5 FLAGS (\\\\Seen) MODSEQ (9))\n";
    let cases = [
        // It does not know ENABLE, or enables something else.
        begin("S: m1 BAD what\n", 10) + &condstore + "C: m4 " + changed + "S: m4 OK",
        begin("S: * ENABLED CONDSTORE\nS: m1 OK\n", 10) + &condstore + "C: m4 " + changed + "S: m4 OK",
        // It does not know the parameter; what was asked for in one go is heard to its end.
        enabled(10)
            + SELECT
            + "S: m3 BAD [CLIENTBUG] what\n"
            + &condstore.replace("m3", "m4")
            + "C: m5 "
            + changed
            + "S: m5 OK",
        // It passes over the parameter: something changed, but it does not say what.
        enabled(10) + SELECT + &told(4, 10, 9) + "S: m3 OK\nC: m4 " + changed + "S: m4 OK",
        // What it says is not to be understood.
        enabled(10)
            + SELECT
            + &told(4, 10, 9)
            + "S: * 2 FETCH (FLAGS (\\\\Seen))\nS: m3 OK\nC: m4 "
            + changed
            + "S: m4 OK",
    ];
    for script in cases {
        let held = look(AT, &script);
        assert_eq!((held.uids(), held.mails[&id(5)].flags), (vec![2, 5, 8, 9], Flags::SEEN), "{script}");
        assert_eq!(held.at, Cursor { modseq: 9, ..AT }, "{script}");
    }
}

#[test]
fn i3_without_modseqs_or_with_lower_ones_flags_are_compared() {
    let compare = "C: m4 UID FETCH 2:9 (UID FLAGS)\nS: * 1 FETCH (UID 2 FLAGS ())\nS: * 2 FETCH (UID 5 FLAGS (\\\\Seen))\n\
         S: * 3 FETCH (UID 8 FLAGS ())\nS: * 4 FETCH (UID 9 FLAGS ())\nS: m4 OK";
    for (modseq, last) in [("NOMODSEQ", 0), ("HIGHESTMODSEQ 3", 3)] {
        let mailbox = told(4, 10, 9).replace("HIGHESTMODSEQ 9", modseq);
        let held = look(AT, &(enabled(10) + SELECT + &mailbox + "S: m3 OK\n" + compare));
        assert_eq!((held.mails[&id(5)].flags, held.told), (Flags::SEEN, 1), "{modseq}");
        assert_eq!(held.at, Cursor { modseq: last, ..AT }, "{modseq}");
    }
}

#[test]
fn i1_what_was_said_of_the_folder_before_is_not_of_this_one() {
    let script = enabled(10)
        + "C: m3 SELECT \"x\" *\nS: * 9 EXISTS\nS: * OK [UIDVALIDITY 8]\nS: * OK [UIDNEXT 90]\nS: m3 OK\n\
           C: m4 IDLE\nS: + idling\nS: * 10 EXISTS\nC: DONE\n"
        + &SELECT.replace("m3", "m5")
        + "S: * 3 FETCH (UID 8 FLAGS (\\\\Deleted) MODSEQ (99))\nS: * VANISHED (EARLIER) 9\nS: m4 OK\n\
           S: * 4 FETCH (UID 9 FLAGS (\\\\Deleted) MODSEQ (99))\nS: * VANISHED (EARLIER) 8\nS: * OK [CLOSED] x\n"
        + &told(4, 10, 9)
        + "S: * 1 FETCH (UID 5 FLAGS (\\\\Seen) MODSEQ (9))\nS: m5 OK";
    let (server, mut session) = enter(Script::new(&script), &Interrupt::new().unwrap());
    session.folders().unwrap();
    let late = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let woke = session.wait(&mailtui::protocol::FolderRef::new("x"), late).unwrap();
    assert_eq!(woke, mailtui::protocol::Wake::Changed);
    let mut held = known(AT, &[2, 5, 8, 9]);
    held.pull(&mut session, "INBOX");
    assert_eq!((held.uids(), held.told), (vec![2, 5, 8, 9], 1));
    assert_eq!(held.mails[&id(5)].flags, Flags::SEEN);
    drop(session);
    server.finish();
}

#[test]
fn i4_a_first_look_that_was_broken_off_goes_on_with_what_changed_meanwhile() {
    let script = enabled(10)
        + SELECT
        + &told(5, 10, 9)
        + "S: * VANISHED (EARLIER) 9\nS: * 2 FETCH (UID 5 FLAGS (\\\\Seen) MODSEQ (9))\nS: m3 OK\n\
           C: m4 UID SEARCH *\nS: * ESEARCH UID ALL 1:3,5,8\nS: m4 OK\n\
           C: m5 UID FETCH 1,3 *\nS: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 3 BODY[HEADER] \"\")\n\
           S: * 3 FETCH (UID 3 FLAGS () RFC822.SIZE 3 BODY[HEADER] \"\")\nS: m5 OK";
    let held = look(Cursor { backfill: 5, ..AT }, &script);
    assert_eq!((held.uids(), held.mails[&id(5)].flags), (vec![1, 2, 3, 5, 8], Flags::SEEN));
    assert_eq!(held.at, Cursor { modseq: 9, ..AT });
}
