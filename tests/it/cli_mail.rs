//! The verbs that read the store: what scripts rely on.

use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;

use mailtui::cli::demo::World;
use mailtui::config::{Account, Leave, Protocol, SecretSource, Tls};
use mailtui::engine::{Engine, Mode, Setup};
use mailtui::model::Owner;
use mailtui::protocol::memory::Server;
use mailtui::store::Store;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cli::mailtui;

const CONFIG: &str = "[ui]\ntimezone = \"UTC\"\n\
    [accounts.work]\nemail = \"robin@saltmarsh.example\"\nprotocol = \"imap\"\nhost = \"localhost\"\nport = 1\n\
    password = { env = \"NONE\" }\n\
    [accounts.home]\nemail = \"robin@post.example\"\nprotocol = \"pop3\"\nhost = \"localhost\"\nport = 1\n\
    password = { command = \"echo hunter2\" }\n";

fn setup(name: &str, server: &Server, protocol: Protocol) -> Setup {
    let server = server.clone();
    let account = Account {
        name: name.to_owned(),
        email: "robin@saltmarsh.example".to_owned(),
        display_name: String::new(),
        protocol,
        host: "memory".to_owned(),
        port: 1,
        tls: Tls::None,
        allow_plaintext: false,
        user: "robin".to_owned(),
        password: SecretSource::Prompt,
        auth: Default::default(),
        compress: Default::default(),
        folders: Vec::new(),
        ca_file: None,
        pin: None,
        leave_on_server: Leave::Forever,
        delete_on_server_when_deleted_here: true,
        keep_bodies: mailtui::config::KeepBodies::default(),
        portion: mailtui::config::Portion::default(),
        check_every: std::time::Duration::from_secs(300),
        spool: None,
        sending: Default::default(),
    };
    let owner = if protocol == Protocol::Imap { Owner::Server } else { Owner::Here };
    Setup {
        account,
        owner,
        protocol: "memory",
        open: Arc::new(move |interrupt| server.session(interrupt)),
        post: None,
        secret: None,
    }
}

/// A place with the demo's mail in its store, made once for all tests here, which only read it.
fn place() -> &'static Path {
    static PLACE: OnceLock<(tempfile::TempDir, World)> = OnceLock::new();
    let (dir, _) = PLACE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), CONFIG).unwrap();
        let world = World::new(&"2026-06-10T16:20[Europe/London]".parse().unwrap(), 120);
        let store = Store::open(&dir.path().join("data")).unwrap();
        let setups =
            vec![setup("work", &world.work, Protocol::Imap), setup("home", &world.home, Protocol::Pop3)];
        let emit: mailtui::engine::Emit = Arc::new(|_| {});
        for (name, report) in Engine::start(&store, setups, Mode::Once, &emit).unwrap().join() {
            assert!(report.unwrap().new > 20, "{name}");
        }
        store.close();
        (dir, world)
    });
    dir.path()
}

fn run(arguments: &[&str]) -> String {
    let output = mailtui(place(), arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    assert!(said.is_empty(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn list_json_rows_have_the_documented_keys() {
    let rows = objects(&run(&["list", "--json", "--limit", "0"]));
    assert!(rows.len() > 60, "{}", rows.len());
    let keys = [
        "id",
        "account",
        "folder",
        "flags",
        "tags",
        "from",
        "to",
        "subject",
        "date",
        "received",
        "size",
        "thread",
        "message_id",
        "sha256",
    ];
    for row in &rows {
        let object = row.as_object().unwrap();
        for key in keys {
            assert!(object.contains_key(key), "{key}: {row}");
        }
        let named = if row["account"] == "work" { "uid" } else { "uidl" };
        assert!(object.contains_key(named), "{row}");
        assert_eq!(object.len(), keys.len() + 1, "{row}");
        assert_eq!(row["sha256"].as_str().unwrap().len(), 64);
        assert!(row["date"].as_str().unwrap().ends_with("+00:00"), "{row}");
    }
    // Newest first over both accounts.
    let dates: Vec<&str> = rows.iter().map(|row| row["received"].as_str().unwrap()).collect();
    assert!(dates.is_sorted_by(|a, b| a >= b), "{dates:?}");
    assert!(rows.iter().any(|r| r["account"] == "home") && rows.iter().any(|r| r["account"] == "work"));
}

#[test]
fn list_json_has_every_recipient_with_the_address() {
    let rows = objects(&run(&["list", "sent", "--json", "-n", "0"]));
    let all =
        rows.iter().chain(objects(&run(&["list", "--json", "-n", "0"])).iter()).cloned().collect::<Vec<_>>();
    let to = |row: &Value| -> Vec<String> {
        row["to"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect()
    };
    assert!(all.iter().any(|row| to(row).len() > 1));
    for row in &all {
        assert!(to(row).iter().all(|whom| whom.contains('@')), "{row}");
    }
    assert!(all.iter().flat_map(to).any(|whom| whom.contains(" <") && whom.ends_with('>')));
}

#[test]
fn list_prints_the_time_it_sorts_by_and_whose_mail_it_is() {
    let text = run(&["list", "-n", "0"]);
    let rows = objects(&run(&["list", "--json", "-n", "0"]));
    let now = jiff::Timestamp::now().as_second();
    assert!(rows.iter().any(|row| row["date"] != row["received"]), "else this shows nothing");
    for (line, row) in text.lines().zip(&rows) {
        assert!(line.split_whitespace().any(|word| row["account"] == word), "{line}");
        let at: jiff::Timestamp = row["received"].as_str().unwrap().parse().unwrap();
        let shown = mailtui::text::when::short(at.as_second(), now, &jiff::tz::TimeZone::UTC);
        assert_eq!(line[10..22].trim(), shown, "{line}");
    }
    // With a folder of one account there is nothing to tell apart.
    assert!(!run(&["list", "work/INBOX"]).lines().any(|line| line.contains("  work  ")));
}

#[test]
fn folders_are_found_by_name_by_role_and_by_account() {
    let count = |arguments: &[&str]| {
        let all = [&["list", "--json", "-n", "0"], arguments].concat();
        objects(&run(&all)).len()
    };
    assert_eq!(count(&["work/INBOX"]), count(&["--account", "work"]));
    assert_eq!(count(&["inbox"]), count(&[]));
    assert!(count(&["lists/EMBEDDED"]) > 5);
    assert_eq!(count(&["junk", "--account", "work"]), count(&["work/Junk"]));
    assert!(count(&["--unread"]) < count(&[]));
    assert_eq!(objects(&run(&["list", "--json", "-n", "7"])).len(), 7);
    for wrong in ["nowhere", "work/nowhere"] {
        let output = mailtui(place(), &["list", wrong]);
        assert_eq!(output.status.code(), Some(8));
        assert!(String::from_utf8_lossy(&output.stderr).contains("hint: there are: "));
    }
    assert_eq!(mailtui(place(), &["list", "--account", "wrok"]).status.code(), Some(2));
}

#[test]
fn the_raw_mail_comes_out_as_it_came_in() {
    for row in objects(&run(&["list", "--json", "-n", "20"])) {
        let id = row["id"].to_string();
        let raw = mailtui(place(), &["get", &id]).stdout;
        let hash: String = Sha256::digest(&raw).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(row["sha256"], hash.as_str());
        assert_eq!(raw, mailtui(place(), &["show", &id, "--raw"]).stdout);
    }
}

fn id_of(subject: &str) -> String {
    let rows = objects(&run(&["list", "--json", "-n", "0"]));
    let row = rows.iter().find(|row| row["subject"].as_str().unwrap().contains(subject));
    row.unwrap_or_else(|| panic!("no mail {subject:?}"))["id"].to_string()
}

#[test]
fn a_mail_is_shown_with_its_text_and_its_attachments() {
    let id = id_of("Annual report");
    let said = run(&["show", &id]);
    for part in [
        "From:    Ines Weber <ines@saltmarsh.example>",
        "Subject: Annual report",
        "tax form",
        "annual-report-draft-3.pdf",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    let shown: Value = serde_json::from_str(&run(&["show", &id, "--json"])).unwrap();
    assert!(shown["text"].as_str().unwrap().contains("Page 7"));
    let parts = shown["parts"].as_array().unwrap();
    let pdf = parts.iter().find(|part| part["type"] == "application/pdf").unwrap();
    let bytes = mailtui(place(), &["get", &id, "--part", &pdf["part"].to_string()]).stdout;
    assert!(bytes.starts_with(b"%PDF-1.4"));
    assert_eq!(pdf["size"], bytes.len());
    assert_eq!(mailtui(place(), &["get", &id, "--part", "99"]).status.code(), Some(8));
    assert!(run(&["show", &id, "--headers"]).contains("Message-ID: <report-1."));
    assert!(run(&["show", &id_of("Кронштадт")]).contains("самописцем 1898 года"));
    assert!(run(&["show", &id_of("rhubarb")]).contains("finger lengths"));
}

#[test]
fn x7_get_writes_new_files_only_and_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mail.eml");
    let arguments = ["get", &id_of("Annual report"), "-o", file.to_str().unwrap()];
    assert!(mailtui(place(), &arguments).status.success());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, "mine").unwrap();
    let output = mailtui(place(), &arguments);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[test]
fn what_is_not_there_is_exit_code_8() {
    for arguments in [["show", "999999"], ["get", "999999"]] {
        let output = mailtui(place(), &arguments);
        assert_eq!(output.status.code(), Some(8));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("mailtui: there is no mail with the id 999999\nhint: "), "{said}");
    }
}
