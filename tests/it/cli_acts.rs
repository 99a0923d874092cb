//! `mailtui archive`, `delete`, `move`, `mark` and `tag`: actions from a script are those of the screen.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use mailtui::model::*;
use mailtui::store::*;
use serde_json::Value;

use crate::cli::{mailtui, mailtui_command};
use crate::cli_queue::Place;
use crate::store_kit::mail;

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

impl Place {
    fn does(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        said(&mailtui(self.dir.path(), arguments))
    }

    /// The same with standard input.
    fn fed(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut command: Command = mailtui_command(self.dir.path(), arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        said(&child.wait_with_output().unwrap())
    }

    fn list(&self, folder: &str) -> (Vec<String>, String) {
        let (code, lines, error) = self.does(&["list", "--json", "--limit", "0", folder]);
        assert_eq!((code, error.as_str()), (Some(0), ""));
        let row = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].to_string();
        (lines.lines().map(row).collect(), lines)
    }

    fn folder(&self, role: Role) -> FolderId {
        self.reader.folder_by_role(self.account, role).unwrap().unwrap().id
    }

    fn holds(&self, role: Role) -> u32 {
        self.reader.folder(self.folder(role)).unwrap().unwrap().total
    }

    fn undo(&self) -> String {
        self.store.intend_wait(Intent::Undo).unwrap().label
    }
}

const LATER: &str = "queued: `mailtui sync work` sends it\n";

#[test]
fn a1_what_a_script_did_is_one_action_that_the_screen_undoes() {
    let place = Place::new();
    let (ids, _) = place.list("inbox");
    let (code, said, error) = place.does(&["archive", &ids[0], &ids[1], &ids[1]]);
    assert_eq!((code, said, error), (Some(0), format!("archived 2\n{LATER}"), String::new()));
    assert_eq!((place.holds(Role::Inbox), place.holds(Role::Archive)), (1, 2));
    assert_eq!(place.undo(), "undid: archived 2");
    assert_eq!((place.holds(Role::Inbox), place.holds(Role::Archive)), (3, 0));
    let (_, said, _) = place.does(&["delete", &ids[2]]);
    assert_eq!(said, format!("moved 1 to Trash\n{LATER}"));
    let (_, said, _) = place.does(&["move", "--to", "archive", &ids[0]]);
    assert_eq!(said, format!("moved 1 to Archive\n{LATER}"));
    assert_eq!((place.holds(Role::Trash), place.holds(Role::Archive)), (1, 1));
}

#[test]
fn a2_ids_come_from_a_pipe_with_or_without_the_rest_of_their_rows() {
    let place = Place::new();
    let (ids, rows) = place.list("inbox");
    let (code, said, _) = place.fed(&["mark", "starred", "-", "--json"], &rows);
    let row: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &row["done"], &row["mails"]), (Some(0), &"starred 3".into(), &3.into()));
    assert_eq!((&row["undoable"], &row["missing"]), (&true.into(), &Value::Array(Vec::new())));
    assert_eq!(row["queued"], Value::Array(vec!["work".into()]));
    let (_, said, _) = place.fed(&["delete", "-"], &ids[..2].join("\n"));
    assert_eq!(said, format!("moved 2 to Trash\n{LATER}"));
    for (input, why) in
        [("", "names no mail"), ("{\"subject\":1}\n", "no row of"), ("4 x\n", "\"x\" is no id")]
    {
        let (code, said, error) = place.fed(&["delete", "-"], input);
        assert_eq!((code, said.as_str()), (Some(2), ""));
        assert!(error.contains(why) && error.contains("hint:"), "{error}");
    }
    assert_eq!(place.holds(Role::Trash), 2);
}

#[test]
fn flags_and_tags_are_put_on_and_taken_off_and_saying_it_twice_is_no_mistake() {
    let place = Place::new();
    let (ids, _) = place.list("inbox");
    assert_eq!(place.does(&["mark", "read", &ids[0]]).1, format!("marked 1 read\n{LATER}"));
    let (code, said, error) = place.does(&["mark", "read", &ids[0]]);
    assert_eq!((code, said, error), (Some(0), format!("nothing to change\n{LATER}"), String::new()));
    assert_eq!(
        place.does(&["tag", "+todo", "+later", &ids[0]]).1,
        format!("tagged 1 with todo later\n{LATER}")
    );
    assert_eq!(place.does(&["tag", "--remove", "later", &ids[0]]).1, format!("took later off 1\n{LATER}"));
    assert_eq!(
        place.does(&["tag", "--", "-todo", "+now", &ids[0]]).1,
        format!("changed the tags of 1\n{LATER}")
    );
    let (_, rows) = place.list("inbox");
    let row = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).next().unwrap();
    assert_eq!((&row["tags"], &row["flags"]), (&vec!["now"].into(), &vec!["seen"].into()));
    for (words, why) in [
        (&["tag", "+a b", "1"][..], "cannot be a tag"),
        (&["tag", "+todo"], "no mail is named"),
        (&["tag", "1"], "no tag is named"),
    ] {
        let (code, _, error) = place.does(words);
        assert!(code != Some(0) && error.contains(why), "{code:?} {error}");
    }
}

#[test]
fn a5_of_a_mail_in_several_folders_the_copy_has_to_be_named() {
    let place = Place::new();
    let (ids, rows) = place.list("inbox");
    let copies =
        rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_i64().unwrap());
    let first = place.reader.copies_of(MessageId(copies.max().unwrap())).unwrap()[0].placement;
    let sent = vec![first];
    let copied = Intent::Copy { items: sent, to: Target::Folder(place.folder(Role::Trash)) };
    assert_eq!(place.store.intend_wait(copied).unwrap().error, None);
    let id = ids.iter().max().unwrap();
    let (code, said, error) = place.does(&["archive", id]);
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert!(
        error.contains(&format!("mail {id} is in Inbox and Trash")) && error.contains("--from FOLDER"),
        "{error}"
    );
    assert_eq!(place.holds(Role::Archive), 0);
    // To Trash goes what is not there yet; a row of a list says itself where it is.
    assert_eq!(place.does(&["archive", id, "--from", "trash"]).0, Some(0));
    assert_eq!((place.holds(Role::Trash), place.holds(Role::Inbox)), (0, 3));
    let (_, rows) = place.list("archive");
    assert_eq!(place.fed(&["delete", "-"], &rows).0, Some(0));
    assert_eq!((place.holds(Role::Trash), place.holds(Role::Inbox)), (1, 3));
    // The server never heard of that copy, and need not.
    let (code, _, error) = place.does(&["delete", id, "--from", "trash"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("in Trash already") && error.contains("--for-good"), "{error}");
    assert_eq!(place.does(&["delete", "--for-good", "--from", "trash", id]).1, "deleted 1 for good\n");
    assert_eq!((place.holds(Role::Trash), place.holds(Role::Inbox)), (0, 3));
}

#[test]
fn what_is_not_there_is_said_and_the_rest_is_done() {
    let place = Place::new();
    let (ids, _) = place.list("inbox");
    let (code, said, error) = place.does(&["archive", "99999", &ids[0]]);
    assert_eq!((code, said), (Some(8), format!("archived 1\n{LATER}")));
    assert_eq!(error, "mailtui: not there: 99999\n");
    let (code, said, error) = place.does(&["archive", "99999"]);
    assert_eq!((code, said.as_str()), (Some(8), ""));
    assert!(error.contains("there is no mail with the id 99999"), "{error}");
    let (code, _, error) = place.does(&["archive", &ids[1], "--account", "home"]);
    assert_eq!((code, error.contains("there is no account \"home\"")), (Some(2), true), "{error}");
    place.store.account("other", "imap", Owner::Server, "x@y").unwrap();
    let (code, _, error) = place.does(&["archive", &ids[1], "--account", "other"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("is of account work, not of other"), "{error}");
    let (code, _, error) = place.does(&["move", "--to", "Nowhere", &ids[1]]);
    assert_eq!((code, error.contains("there is no folder \"Nowhere\"")), (Some(8), true), "{error}");
}

#[test]
fn a4_where_a_mailtui_syncs_the_account_nothing_has_to_be_sent_by_hand() {
    let place = Place::new();
    let (ids, _) = place.list("inbox");
    let Locked::Mine(lock) = place.store.lock_account(place.account, "work").unwrap() else { panic!() };
    assert_eq!(place.does(&["archive", &ids[0]]).1, "archived 1\n");
    drop(lock);
    assert_eq!(place.does(&["archive", &ids[1]]).1, format!("archived 1\n{LATER}"));
    // Where folders live here, nothing is queued at all.
    let local = place.store.account("home", "pop3", Owner::Here, "").unwrap();
    let inbox = place.reader.folder_by_role(local, Role::Inbox).unwrap().unwrap().id;
    let one = Incoming { uid: None, uidl: Some("u1".to_owned()), ..mail(inbox, 9) };
    let batch = Batch { account: local, steps: vec![Step::Message(Box::new(one))] };
    let id = place.store.commit(batch).unwrap().messages[0].to_string();
    assert_eq!(place.does(&["archive", &id]).1, "archived 1\n");
}
