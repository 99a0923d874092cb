//! `mailtui queue`: what scripts and cron see of the ledger, beside a mailtui that has the store open.

use std::sync::mpsc::channel;
use std::time::Duration;

use mailtui::model::*;
use mailtui::store::*;
use serde_json::Value;

use crate::cli::mailtui;
use crate::store_kit::{mail, packed, spec};
use crate::support::script::Script;

const CONFIG: &str = "[accounts.work]\nemail = \"ada@example.org\"\nprotocol = \"imap\"\nhost = \"localhost\"\nport = 1\n\
                      password = { env = \"NONE\" }\n";

/// A place with an account, three mails in its inbox, and the store open as another mailtui has it.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    pub(crate) account: AccountId,
    pub(crate) inbox: FolderId,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), CONFIG).unwrap();
        let store = Store::open(&dir.path().join("data")).unwrap();
        let account = store.account("work", "imap", Owner::Server, "").unwrap();
        let reader = store.reader().unwrap();
        let inbox = reader.folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
        let roles = [Role::Inbox, Role::Archive, Role::Trash];
        let mut steps = vec![Step::Folders(roles.map(|role| spec(role.title(), Some(role))).to_vec())];
        steps.extend((1..=3).map(|n| Step::Message(Box::new(mail(inbox, n)))));
        store.commit(Batch { account, steps }).unwrap();
        Self { dir, store, reader, account, inbox }
    }

    fn queue(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = mailtui(self.dir.path(), &[&["queue"], arguments].concat());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn archive_all(&self) -> OpId {
        let rows = self.reader.page(View::Folder(self.inbox), Edge::Top, 10).unwrap().rows;
        let items = rows.iter().flat_map(|row| row.members.iter().map(|m| m.placement)).collect();
        let intent = Intent::Move { items, to: Target::Role(Role::Archive) };
        assert_eq!(self.store.intend_wait(intent).unwrap().error, None);
        self.reader.ops(self.account, i64::MAX, 10).unwrap()[0].id
    }

    fn fail(&self, op: OpId) {
        let error = "the server does not allow that in this folder".to_owned();
        let steps = vec![Step::OpRunning(op), Step::OpFailed { op, error, retry_at: None }];
        self.store.commit(Batch { account: self.account, steps }).unwrap();
    }

    fn total(&self) -> u32 {
        self.reader.folder(self.inbox).unwrap().unwrap().total
    }
}

#[test]
fn a2_an_empty_queue_is_exit_code_0() {
    let place = Place::new();
    assert_eq!(place.queue(&[]), (Some(0), "work: never in step, nothing waits\n".to_owned(), String::new()));
    let (code, _, error) = place.queue(&["--account", "home"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("there is no account \"home\""), "{error}");
}

#[test]
fn a2_what_waits_for_the_user_is_told_and_is_exit_code_3() {
    let place = Place::new();
    let op = place.archive_all();
    let (code, said, _) = place.queue(&[]);
    assert_eq!(code, Some(0), "it has just been queued: {said}");
    place.fail(op);
    let (code, said, _) = place.queue(&[]);
    assert_eq!(code, Some(3));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "work: never in step, 1 waits for you");
    assert!(lines[1].starts_with(&format!("! {:>8}  conflict", op.to_string())), "{said}");
    assert!(lines[1].ends_with("move 3 mails from Inbox to Archive: mail 1 …"), "{said}");
    assert_eq!(lines[2].trim(), "the server does not allow that in this folder");
}

#[test]
fn a2_json_tells_accounts_and_entries_one_object_a_line() {
    let place = Place::new();
    let op = place.archive_all();
    place.fail(op);
    let (code, said, _) = place.queue(&["--json"]);
    assert_eq!(code, Some(3));
    let rows: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&rows[0]),
        "account bytes_in bytes_out conflicts deletions in_step_at outgoing parked queued state told_at trouble unsure"
    );
    assert_eq!(keys(&rows[1]), "account again_at error id mails since standing subject tries undoable what");
    assert_eq!((&rows[1]["id"], &rows[1]["standing"]), (&op.to_string().into(), &"conflict".into()));
    assert_eq!((&rows[1]["mails"], &rows[1]["undoable"]), (&3.into(), &true.into()));
}

#[test]
fn a2_settling_reaches_the_mailtui_that_has_the_store_open() {
    let place = Place::new();
    let op = place.archive_all();
    place.fail(op);
    let (tell, heard) = channel();
    place.store.subscribe(Box::new(move |changed| {
        let _ = tell.send(changed.foreign);
    }));
    let (code, said, _) = place.queue(&["retry", &op.to_string()]);
    assert_eq!((code, said.as_str()), (Some(0), "queued again: move 3 mails from Inbox to Archive\n"));
    assert_eq!(heard.recv_timeout(Duration::from_secs(20)), Ok(true), "it was poked");
    assert_eq!(place.reader.ops(place.account, i64::MAX, 10).unwrap()[0].id, op);
    let (_, said, _) = place.queue(&["discard", "work", "--json"]);
    assert_eq!(said, "{\"done\":\"gave up: move 3 mails from Inbox to Archive\"}\n");
    assert_eq!((place.total(), place.queue(&[]).0), (3, Some(0)));
}

#[test]
fn a2_undo_and_what_cannot_be_done() {
    let place = Place::new();
    let op = place.archive_all().to_string();
    let (code, said, _) = place.queue(&["undo", &op]);
    assert_eq!((code, said.as_str()), (Some(0), "undid: archived 3\n"));
    assert_eq!(place.total(), 3);
    let (code, said, error) = place.queue(&["retry", &op]);
    assert_eq!((code, said.as_str()), (Some(8), ""));
    assert_eq!(
        error,
        "mailtui: nothing waits under that id: it is done, or never was\nhint: `mailtui queue` tells what waits\n"
    );
    let (code, _, error) = place.queue(&["discard", "everything"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("\"everything\" is no id and no account"), "{error}");
}

#[test]
fn i8_what_is_held_back_is_accepted_or_looked_at_anew_from_the_command_line() {
    let place = Place::new();
    let more = (4..=60).map(|n| Step::Message(Box::new(mail(place.inbox, n))));
    let gone = Step::Vanished { folder: place.inbox, uids: (1..=50).collect(), certain: false };
    let steps = more.chain([gone]).collect();
    place.store.commit(Batch { account: place.account, steps }).unwrap();
    let (code, said, _) = place.queue(&[]);
    assert_eq!(code, Some(3));
    assert!(said.contains("Inbox: the server does not show 50 of 60 mails any more"), "{said}");
    let id = format!("f{}", place.inbox);
    assert!(said.contains(&format!(" {id}  parked")), "{said}");
    let (_, said, _) = place.queue(&["accept", &id]);
    assert_eq!((said.as_str(), place.total()), ("took 50 mails out of Inbox\n", 10));
    let (_, _, error) = place.queue(&["refetch", "all"]);
    assert!(error.starts_with("mailtui: there is nothing that waits for that\n"), "{error}");
}

#[test]
fn i8_sync_tells_what_it_does_not_believe_and_its_exit_code_is_3() {
    let server = Script::new(
        "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 OK [CAPABILITY IMAP4rev1] in\n\
         C: m1 LIST \"\" \"*\"\nC: m2 LSUB \"\" \"*\"\nS: * LIST () \"/\" INBOX\nS: m1 OK\nS: * LSUB () \"/\" INBOX\nS: m2 OK\n\
         C: m3 SELECT \"INBOX\"\nS: * 1 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 31] x\nS: m3 OK\n\
         C: m4 UID FETCH 1:30 (UID FLAGS)\nS: * 1 FETCH (UID 1 FLAGS ())\nS: m4 OK\n\
         C: m5 UID SEARCH ALL\nS: * SEARCH 1\nS: m5 OK\nC: m6 LOGOUT\nEOF\n",
    )
    .start();
    let dir = tempfile::tempdir().unwrap();
    let port = server.account(mailtui::config::Protocol::Imap, mailtui::config::Tls::None).port;
    let config = format!(
        "[accounts.work]\nemail = \"ada@example.org\"\nprotocol = \"imap\"\nhost = \"127.0.0.1\"\nport = {port}\n\
         user = \"ada\"\ntls = \"none\"\nallow_plaintext = true\npassword = {{ command = \"echo secret\" }}\n"
    );
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let store = Store::open(&dir.path().join("data")).unwrap();
    let account = store.account("work", "imap", Owner::Server, &format!("ada@127.0.0.1:{port}")).unwrap();
    let inbox = store.reader().unwrap().folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
    let body = || Some(packed(b"Subject: x\r\n\r\nbody\r\n"));
    let mut steps: Vec<Step> =
        (1..=30).map(|n| Step::Message(Box::new(Incoming { body: body(), ..mail(inbox, n) }))).collect();
    let cursor = Cursor { validity: 7, uidnext: 31, modseq: 0, backfill: 1 };
    steps.push(Step::Cursor { folder: inbox, cursor });
    store.commit(Batch { account, steps }).unwrap();
    store.close();
    let output = mailtui(dir.path(), &["sync"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        said,
        format!(
            "work: nothing new\nwork: Inbox: the server does not show 29 of 30 mails any more: \
             `mailtui queue accept f{inbox}` or `refetch f{inbox}`\n"
        )
    );
    server.finish();
}
