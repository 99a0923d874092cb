//! IMAP word for word: folders renamed, removed and subscribed to.

use mailtui::Kind;
use mailtui::protocol::{Applied, FolderRef, MailProtocol, RemoteOp};

use crate::support::imap::session;

fn rename(from: &str, to: &str) -> RemoteOp {
    RemoteOp::RenameFolder { folder: FolderRef::new(from), path: to.into() }
}

fn remove(folder: &str) -> RemoteOp {
    RemoteOp::DeleteFolder { folder: FolderRef::new(folder) }
}

fn created(remote: &str) -> Applied {
    Applied::Done { moved: vec![], created: Some(remote.into()) }
}

const ROOT: &str = "C: m1 LIST \"\" \"\"\nS: * LIST (\\\\Noselect) \".\" \"\"\nS: m1 OK\n";
const LSUB: &str = "C: m2 LSUB \"\" \"*\"\nS: * LSUB () \".\" Work\nS: * LSUB () \".\" Work.a\nS: * LSUB () \".\" Workshop\nS: m2 OK\n";

/// Does one thing on a server of old that answers so.
fn done(text: &str, op: &RemoteOp) -> mailtui::Result<Applied> {
    let (server, mut session) = session("IMAP4rev1", text);
    let applied = session.apply(op);
    drop(session);
    server.finish();
    applied
}

#[test]
fn a_folder_is_renamed_with_what_lies_beneath_and_its_subscriptions() {
    let text = format!(
        "{ROOT}{LSUB}C: m3 RENAME \"Work\" \"Gr&APY-sse.Job\"\nS: m3 OK\n\
         C: m4 SUBSCRIBE \"Gr&APY-sse.Job\"\nC: m5 UNSUBSCRIBE \"Work\"\n\
         C: m6 SUBSCRIBE \"Gr&APY-sse.Job.a\"\nC: m7 UNSUBSCRIBE \"Work.a\"\nS: m4 OK\nS: m5 OK\nS: m6 OK\nS: m7 NO what"
    );
    assert_eq!(done(&text, &rename("Work", "Grösse/Job")).unwrap(), created("Gr&APY-sse.Job"));
}

#[test]
fn a_rename_that_was_done_already_is_done_and_one_that_cannot_be_says_why() {
    let lists = |old: &str, new: &str| {
        let line = |there: &str| {
            if there.is_empty() { String::new() } else { format!("S: * LIST () \".\" {there}\n") }
        };
        format!(
            "{ROOT}C: m2 LSUB \"\" \"*\"\nS: m2 OK\nC: m3 RENAME \"Work\" \"Job\"\nS: m3 NO no such thing\n\
             C: m4 LIST \"\" \"Work\"\n{}S: m4 OK\nC: m5 LIST \"\" \"Job\"\n{}S: m5 OK",
            line(old),
            line(new)
        )
    };
    assert_eq!(done(&lists("", "Job"), &rename("Work", "Job")).unwrap(), created("Job"));
    let why = |text: &str| done(text, &rename("Work", "Job")).unwrap_err();
    assert_eq!(why(&lists("", "")).kind(), Kind::Gone);
    assert!(why(&lists("Work", "Job")).to_string().contains("of that name"));
    assert!(why(&lists("Work", "")).to_string().contains("no such thing"));
    assert_eq!(done(ROOT.trim(), &rename("Work", "Work")).unwrap(), created("Work"), "nothing to do");
    assert_eq!(done(ROOT.trim(), &rename("INBOX", "Old")).unwrap_err().kind(), Kind::Refused);
}

#[test]
fn only_a_folder_that_holds_nothing_is_removed() {
    let listed = "C: m1 LIST \"\" \"a\"\nS: * LIST () \".\" a\nS: m1 OK\n\
                  C: m2 LIST \"\" \"\"\nS: * LIST (\\\\Noselect) \".\" \"\"\nS: m2 OK\n";
    let alone = format!("{listed}C: m3 LIST \"\" \"a.%\"\nS: m3 OK\nC: m4 STATUS \"a\" (MESSAGES)\n");
    let empty = format!("{alone}S: * STATUS a (MESSAGES 0)\nS: m4 OK\nC: m5 DELETE \"a\"\n");
    let gone = "C: m7 UNSUBSCRIBE \"a\"\nS: m7 OK";
    for (text, outcome) in [
        (format!("{empty}S: m5 OK\nC: m6 UNSUBSCRIBE \"a\"\nS: m6 NO what"), Ok(())),
        (format!("{empty}S: m5 NO\nC: m6 LIST \"\" \"a\"\nS: m6 OK\n{gone}"), Ok(())),
        ("C: m1 LIST \"\" \"a\"\nS: m1 OK\nC: m2 UNSUBSCRIBE \"a\"\nS: m2 OK".to_owned(), Ok(())),
        (format!("{alone}S: * STATUS a (MESSAGES 3)\nS: m4 OK"), Err("3 messages")),
        (format!("{alone}S: m4 OK"), Err("whether the folder is empty")),
        (format!("{listed}C: m3 LIST \"\" \"a.%\"\nS: * LIST () \".\" a.b\nS: m3 OK"), Err("folders within")),
        (
            format!(
                "{empty}S: m5 NO [NOPERM] keep out\nC: m6 LIST \"\" \"a\"\nS: * LIST () \".\" a\nS: m6 OK"
            ),
            Err("keep out"),
        ),
    ] {
        match (done(&text, &remove("a")), outcome) {
            (Ok(applied), Ok(())) => assert_eq!(applied, Applied::done()),
            (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{error}"),
            (other, _) => panic!("{other:?}\n{text}"),
        }
    }
    assert_eq!(done("", &remove("inbox")).unwrap_err().kind(), Kind::Refused);
}

#[test]
fn a_folder_is_left_before_it_goes() {
    let text = "C: m1 SELECT \"a\"\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: m1 OK\n\
                C: m2 SELECT \"INBOX\"\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: m2 OK\n\
                C: m3 LIST \"\" \"a\"\nS: m3 OK\nC: m4 UNSUBSCRIBE \"a\"\nS: m4 OK";
    let (server, mut session) = session("IMAP4rev1", text);
    session.mark(&FolderRef::new("a")).unwrap();
    assert_eq!(session.apply(&remove("a")).unwrap(), Applied::done());
    drop(session);
    server.finish();
}

#[test]
fn subscribing_is_told_by_name_and_what_is_so_already_is_fine() {
    let subscribe = |on| RemoteOp::Subscribe { folder: FolderRef::new("Work"), on };
    assert_eq!(done("C: m1 SUBSCRIBE \"Work\"\nS: m1 OK", &subscribe(true)).unwrap(), Applied::done());
    let not = "C: m1 UNSUBSCRIBE \"Work\"\nS: m1 NO not subscribed\nC: m2 LSUB \"\" \"*\"\nS: m2 OK";
    assert_eq!(done(not, &subscribe(false)).unwrap(), Applied::done());
    let still = format!("C: m1 UNSUBSCRIBE \"Work\"\nS: m1 NO never\n{LSUB}");
    assert!(done(still.trim(), &subscribe(false)).unwrap_err().to_string().contains("never"));
}

#[test]
fn x4_no_folder_name_breaks_out_of_its_command() {
    // One that a person typed is refused before a word is said.
    let (server, mut odd) = session("IMAP4rev1", ROOT.trim());
    for bad in ["a\r\nx LOGOUT", "nul\0", "", "a//b", "a.b"] {
        let make = RemoteOp::CreateFolder { path: bad.into() };
        assert_eq!(odd.apply(&make).unwrap_err().kind(), Kind::Refused, "{bad:?}");
        assert_eq!(odd.apply(&rename("Work", bad)).unwrap_err().kind(), Kind::Refused, "{bad:?}");
    }
    drop(odd);
    server.finish();
    // Quotes and backslashes are one string; what a server once listed with a line end goes as a literal.
    let text = "C: m1 SUBSCRIBE \"a \\\"b\\\\\"\nS: m1 OK\n\
                C: m2 SUBSCRIBE {4+}\nC> a\\r\\nb\nC: \nS: m2 OK";
    let (server, mut odd) = session("IMAP4rev1 LITERAL+", text);
    for name in ["a \"b\\", "a\r\nb"] {
        let op = RemoteOp::Subscribe { folder: FolderRef::new(name), on: true };
        assert_eq!(odd.apply(&op).unwrap(), Applied::done());
    }
    drop(odd);
    server.finish();
}
