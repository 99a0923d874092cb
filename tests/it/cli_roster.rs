//! Accounts that the configuration does not name any more: parked, asked about, never deleted by an edit.

use mailtui::model::*;
use mailtui::store::*;
use serde_json::Value;

use crate::cli::mailtui;
use crate::store_kit::{mail, packed, spec};

/// A place with the mail of accounts in its store, and what its configuration says.
struct Place {
    dir: tempfile::TempDir,
}

fn table(name: &str, protocol: &str, host: &str, port: u16) -> String {
    format!(
        "[accounts.{name}]\nemail = \"ada@example.org\"\nprotocol = \"{protocol}\"\nhost = \"{host}\"\nport = {port}\n\
         user = \"ada\"\npassword = {{ command = \"echo secret\" }}\n"
    )
}

impl Place {
    /// Three mails of `work` at localhost, one of `home`.
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        let store = place.store();
        for (name, owner, host, count) in
            [("work", Owner::Server, "localhost:1", 3), ("home", Owner::Here, "pop.example.net:1", 1)]
        {
            let account = store.account(name, "imap", owner, &format!("ada@{host}")).unwrap();
            let inbox = store.reader().unwrap().folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
            let mut steps = Vec::new();
            if owner == Owner::Server {
                let roles = [Role::Inbox, Role::Archive];
                steps.push(Step::Folders(roles.map(|role| spec(role.title(), Some(role))).to_vec()));
            }
            steps.extend((1..=count).map(|n| {
                let uid = (owner == Owner::Server).then_some(n);
                let uidl = (owner == Owner::Here).then(|| format!("u{n}"));
                let body = Some(packed(format!("Subject: mail {n}\r\n\r\nbody\r\n").as_bytes()));
                Step::Message(Box::new(Incoming { uid, uidl, body, ..mail(inbox, n) }))
            }));
            let validity = Cursor { validity: 7, uidnext: 4, modseq: 0, backfill: 1 };
            steps.push(Step::Cursor { folder: inbox, cursor: validity });
            store.commit(Batch { account, steps }).unwrap();
        }
        store.close();
        place
    }

    fn store(&self) -> Store {
        Store::open(&self.dir.path().join("data")).unwrap()
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.dir.path().join("config.toml"), text).unwrap();
    }

    fn does(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = mailtui(self.dir.path(), arguments);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// What `account list` says.
    fn told(&self, more: &[&str]) -> String {
        let (code, said, _) = self.does(&[&["account", "list"], more].concat());
        assert_eq!(code, Some(0));
        said
    }

    /// Name, state and mails of each account.
    fn accounts(&self) -> Vec<(String, String, u64)> {
        let (code, said, _) = self.does(&["account", "list", "--json"]);
        assert_eq!(code, Some(0));
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            (text("account"), text("state"), row["mails"].as_u64().unwrap())
        };
        said.lines().map(row).collect()
    }

    fn listed(&self, arguments: &[&str]) -> usize {
        let (code, said, error) = self.does(&[&["list", "--json"], arguments].concat());
        assert_eq!((code, error.as_str()), (Some(0), ""));
        said.lines().count()
    }
}

fn is(name: &str, state: &str, mails: u64) -> (String, String, u64) {
    (name.to_owned(), state.to_owned(), mails)
}

#[test]
fn another_port_and_another_spelling_of_the_host_are_the_same_account() {
    let place = Place::new();
    place.configure(&table("work", "imap", "LOCALHOST", 2));
    assert_eq!(place.does(&["sync"]).0, Some(4), "nobody listens there");
    let store = place.store();
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap().into_iter().find(|row| row.name == "work").unwrap();
    assert_eq!(account.remote_key, "ada@localhost");
    let inbox = reader.folder_by_role(account.id, Role::Inbox).unwrap().unwrap();
    assert_eq!(reader.cursor(inbox.id).unwrap().validity, 7, "it is in step as far as it was");
    assert_eq!(reader.uids(inbox.id).unwrap().len(), 3);
}

#[test]
fn an_account_that_is_taken_out_of_the_configuration_is_parked_and_comes_back_as_it_was() {
    let place = Place::new();
    let (work, home) = (table("work", "imap", "localhost", 1), table("home", "pop3", "pop.example.net", 1));
    place.configure(&format!("{work}{home}"));
    assert_eq!(place.listed(&[]), 4);
    place.configure(&home);
    assert_eq!(place.accounts(), [is("home", "in use", 1), is("work", "parked", 3)]);
    assert_eq!((place.listed(&[]), place.listed(&["--account", "work"])), (1, 3));
    let (code, said, _) = place.does(&["queue"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("work: parked, as the configuration does not name it"), "{said}");
    place.configure(&format!("{work}{home}"));
    assert_eq!(place.listed(&[]), 4);
    assert_eq!(place.accounts(), [is("work", "in use", 3), is("home", "in use", 1)]);
    // Without any account at all its mail can still be told.
    place.configure("");
    assert_eq!(place.accounts(), [is("work", "parked", 3), is("home", "parked", 1)]);
}

#[test]
fn an_account_with_a_new_name_waits_for_the_answer_and_then_has_its_mail() {
    let place = Place::new();
    let home = table("home", "pop3", "pop.example.net", 1);
    place.configure(&format!("{}{home}", table("office", "imap", "localhost", 1)));
    assert_eq!(place.accounts(), [is("home", "in use", 1), is("office", "asks", 0), is("work", "asks", 3)]);
    let (code, said, error) = place.does(&["sync", "office"]);
    assert_eq!((code, said.as_str()), (Some(3), ""));
    assert!(
        error.contains("office waits: is it the account work under a new name? 3 mails of work"),
        "{error}"
    );
    assert!(
        error.contains("`mailtui account rename work office`, no: `mailtui account park work`"),
        "{error}"
    );
    let (code, said, _) = place.does(&["account", "rename", "work", "office"]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("work is office now, with its 3 mails ("), "{said}");
    assert_eq!(place.accounts(), [is("office", "in use", 3), is("home", "in use", 1)]);
    assert_eq!(place.does(&["sync", "office"]).0, Some(4), "it is synced now");
    assert_eq!(place.store().reader().unwrap().accounts().unwrap()[0].name, "office");
}

#[test]
fn who_says_that_it_is_another_account_begins_anew_and_is_not_asked_again() {
    let place = Place::new();
    place.configure(&table("office", "imap", "localhost", 1));
    let (_, said, _) = place.does(&["account", "park", "work"]);
    assert!(said.starts_with("work stays parked, with its 3 mails ("), "{said}");
    assert_eq!(place.accounts()[0], is("office", "new", 0));
    assert_eq!(place.does(&["sync"]).0, Some(4));
    assert_eq!(place.accounts()[..2], [is("office", "in use", 0), is("work", "parked", 3)]);
}

#[test]
fn only_what_is_not_in_the_configuration_can_be_renamed_or_forgotten() {
    let place = Place::new();
    let (work, home) = (table("work", "imap", "localhost", 1), table("home", "pop3", "pop.example.net", 1));
    place.configure(&format!("{work}{home}"));
    for (words, code, why) in [
        (&["account", "forget", "work", "--yes"][..], 2, "the account work is in the configuration"),
        (&["account", "forget", "nobody", "--yes"], 8, "no account \"nobody\" has mail here"),
        (&["account", "rename", "work", "home"], 2, "are accounts of different kinds"),
        (&["account", "rename", "work", "new"], 2, "there is no account \"new\" in the configuration"),
        (&["account", "park", "work"], 2, "the account work is in the configuration"),
    ] {
        let (got, said, error) = place.does(words);
        assert_eq!((got, said.as_str()), (Some(code), ""), "{error}");
        assert!(error.contains(why) && error.contains("hint: "), "{error}");
    }
    place.configure(&format!("{}{home}", table("work2", "imap", "elsewhere.example", 1)));
    // Another user of another server: that may be, if the user says so.
    assert_eq!(place.accounts(), [is("home", "in use", 1), is("work2", "new", 0), is("work", "parked", 3)]);
    assert_eq!(place.does(&["account", "rename", "work", "work2"]).0, Some(0));
    assert_eq!(place.accounts(), [is("work2", "in use", 3), is("home", "in use", 1)]);
}

#[test]
fn forgetting_is_asked_about_with_count_and_bytes_and_leaves_nothing_but_the_others() {
    let place = Place::new();
    place.configure(&table("work", "imap", "localhost", 1));
    let (ids, data) = (place.listed(&[]), place.dir.path().join("data"));
    assert_eq!(ids, 3);
    // A change that nobody heard of is told.
    let store = place.store();
    let reader = store.reader().unwrap();
    let work = reader.accounts().unwrap()[0].id;
    let inbox = reader.folder_by_role(work, Role::Inbox).unwrap().unwrap().id;
    let rows = reader.page(View::Folder(inbox), Edge::Top, 10).unwrap().rows;
    let items = vec![rows[0].members[0].placement];
    store.intend_wait(Intent::Move { items, to: Target::Role(Role::Archive) }).unwrap();
    drop(reader);
    store.close();
    drop(store);
    place.configure(&table("home", "pop3", "pop.example.net", 1));
    let (code, said, error) = place.does(&["account", "forget", "work"]);
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert!(error.contains("3 mails (") && error.contains("of work go from here for good"), "{error}");
    assert!(error.contains("1 change its server has not heard") && error.contains("--yes"), "{error}");
    assert_eq!(place.accounts(), [is("home", "in use", 1), is("work", "parked", 3)]);
    let (code, said, error) = place.does(&["account", "forget", "work", "--yes"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(said.starts_with("forgot work: 3 mails ("), "{said}");
    assert_eq!((place.accounts(), place.listed(&[])), (vec![is("home", "in use", 1)], 1));
    let store = Store::open(&data).unwrap();
    assert_eq!(store.reader().unwrap().check().unwrap(), Vec::<String>::new());
}

#[test]
fn a4_an_account_that_another_mailtui_syncs_is_neither_renamed_nor_forgotten() {
    let place = Place::new();
    place.configure(&table("office", "imap", "localhost", 1));
    place.accounts();
    let store = place.store();
    let work = store.reader().unwrap().accounts().unwrap()[0].id;
    let Locked::Mine(lock) = store.lock_account(work, "work").unwrap() else { panic!() };
    for words in [&["account", "rename", "work", "office"][..], &["account", "forget", "work", "--yes"]] {
        let (code, _, error) = place.does(words);
        assert!(code != Some(0) && error.contains("syncs the account work"), "{code:?} {error}");
    }
    drop(lock);
    assert_eq!(place.does(&["account", "rename", "work", "office"]).0, Some(0));
}

#[test]
fn i10_the_list_tells_what_a_server_is_and_how_much_room_it_has() {
    let place = Place::new();
    place.configure(&table("work", "imap", "localhost", 1));
    let tell = |used: u64| {
        let store = place.store();
        let account = store.reader().unwrap().accounts().unwrap()[0].id;
        let quota = Some(Quota { used, limit: 15 << 30 });
        let about = About { server: mailtui::text::Clean::fixed("Dovecot 2.3.19"), quota };
        store.commit(Batch { account, steps: vec![Step::About(about)] }).unwrap();
        store.close();
    };
    tell(4 << 30);
    let said = place.told(&[]);
    assert!(said.contains("  on the server: 4 of 15 GB in use\n  the server is Dovecot 2.3.19\n"), "{said}");
    tell(14 << 30);
    let said = place.told(&[]);
    assert!(said.contains("14 of 15 GB in use; a full mailbox sends mail back to who wrote it\n"), "{said}");
    let row: Value = serde_json::from_str(place.told(&["--json"]).lines().next().unwrap()).unwrap();
    assert_eq!(row["server"], "Dovecot 2.3.19");
    assert_eq!(row["quota"], serde_json::json!({ "used": 14u64 << 30, "limit": 15u64 << 30 }));
}
