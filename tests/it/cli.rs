//! The program as a script sees it: exit codes, standard output, JSON.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A run of the program in a place of its own.
pub(crate) fn mailtui(place: &Path, arguments: &[&str]) -> Output {
    mailtui_command(place, arguments).output().unwrap()
}

/// The same before it is started.
pub(crate) fn mailtui_command(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailtui"));
    command
        .args(arguments)
        .env("MAILTUI_CONFIG", place.join("config.toml"))
        .env("MAILTUI_DATA", place.join("data"))
        .env("TZ", "UTC")
        .env_remove("MAILTUI_LOG");
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn with_config(text: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("config.toml"), text).unwrap();
    place
}

const ACCOUNT: &str = "[accounts.work]\nemail = \"ada@example.org\"\nprotocol = \"imap\"\nhost = \"localhost\"\n\
                       password = { env = \"MAILTUI_TEST_SECRET\" }\n";

#[test]
fn without_an_account_it_tells_how_to_begin() {
    let place = tempfile::tempdir().unwrap();
    let output = mailtui(place.path(), &[]);
    assert!(output.status.success());
    let said = stdout(&output);
    let config = place.path().join("config.toml");
    for part in ["mailtui demo", "[accounts.", "protocol = \"imap\"", "or \"pop3\"", config.to_str().unwrap()]
    {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    // Nothing is made before there is something to keep.
    assert!(!place.path().join("data").exists());
    // All of it is seen on a small terminal, with the prompt below it.
    assert!(said.lines().count() < 23, "{said}");
    assert!(said.lines().all(|l| l.chars().count() < 80 || l.contains(config.to_str().unwrap())), "{said}");
    // The example in it is right, for both protocols.
    let lines = said.lines().skip_while(|l| !l.starts_with("  [accounts.")).take_while(|l| !l.is_empty());
    let table: String = lines.map(|l| format!("{l}\n")).collect();
    for protocol in ["imap", "pop3"] {
        let place = with_config(&table.replace("\"imap\"", &format!("\"{protocol}\"")));
        let output = mailtui(place.path(), &["config", "check"]);
        assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    }
}

#[test]
fn p15_an_account_without_a_server_is_in_step_at_once() {
    let place = with_config("[accounts.old]\nemail = \"ada@example.org\"\nprotocol = \"local\"\n");
    for arguments in [&["sync", "old"][..], &["sync", "--watch", "old"]] {
        let output = mailtui(place.path(), arguments);
        assert_eq!(stdout(&output), "old: lives here only, there is no server to ask\n");
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let output = mailtui(place.path(), &["sync"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", stderr(&output));
    assert_eq!(stdout(&mailtui(place.path(), &["queue"])), "old: lives here only, nothing waits\n");
    // It is a place for mail as any other: all its folders are there, and empty.
    for folder in ["inbox", "archive", "trash", "old/Sent"] {
        let output = mailtui(place.path(), &["list", folder]);
        assert!(output.status.success() && output.stdout.is_empty(), "{}", stderr(&output));
    }
    let shown = stdout(&mailtui(place.path(), &["config", "show"]));
    assert!(shown.contains("local") && !shown.contains("port"), "{shown}");
}

#[test]
fn a_mistake_in_own_keys_is_told_by_the_check_and_by_the_screen() {
    let place = with_config(&format!("{ACCOUNT}\n[[keys]]\non = \"Y\"\nrun = \"archve\"\n"));
    let line = ACCOUNT.lines().count() + 4;
    let output = mailtui(place.path(), &["config", "check"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output);
    assert!(said.contains(&format!("config.toml:{line}:7: run: there is no command \"archve\"")), "{said}");
    assert!(said.contains("did you mean \"archive\"?"), "{said}");
    // The demo shows the screen as a text: with these keys it cannot.
    let output = mailtui(place.path(), &["demo", "--snapshot", "80x24", "--messages", "0"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("config.toml:{line}:7: run: ")), "{}", stderr(&output));
}

#[test]
fn what_is_no_number_is_told_with_its_option_and_an_example() {
    let place = with_config(ACCOUNT);
    for (arguments, option, example) in [
        (&["list", "-n", "many"][..], "--limit", "`--limit 50`"),
        (&["get", "1", "--part", "a.pdf"], "--part", "`--part 2`"),
        (&["show", "inbox"], "<ID>", "`mailtui show 42`"),
        (&["demo", "--messages", "all"], "--messages", "400"),
    ] {
        let output = mailtui(place.path(), arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(option) && said.contains(example) && !said.contains("digit found"), "{said}");
    }
}

#[test]
fn a_mistake_in_the_configuration_is_exit_code_2_and_one_line() {
    let place = with_config(&ACCOUNT.replace("host", "hots"));
    let output = mailtui(place.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = stderr(&output);
    assert!(said.starts_with("mailtui: "), "{said}");
    assert!(said.contains("config.toml:4:1: unknown key \"hots\""), "{said}");
    assert!(said.contains("\nhint: "), "{said}");

    let output = mailtui(place.path(), &["config", "check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains(":4:1: unknown key \"hots\""), "{}", stdout(&output));
    let output = mailtui(place.path(), &["config", "check", "--json"]);
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["problems"][0]["line"], 4);
    assert_eq!(json["problems"][0]["hint"], "did you mean \"host\"?");
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let place = tempfile::tempdir().unwrap();
    for arguments in [&["frobnicate"][..], &["--frobnicate"], &["config"], &["--log=mailtui=loud"]] {
        let output = mailtui(place.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn the_help_tells_the_exit_codes() {
    let place = tempfile::tempdir().unwrap();
    let said = stdout(&mailtui(place.path(), &["--help"]));
    for (code, meaning) in mailtui::cli::args::EXIT_CODES {
        assert!(said.contains(&format!("{code:>3}  {meaning}")), "{said}");
    }
}

#[test]
fn places_follow_config_and_data() {
    let place = tempfile::tempdir().unwrap();
    let output = mailtui(
        Path::new("/nowhere"),
        &[
            "config",
            "path",
            "--json",
            "--config",
            place.path().join("my.toml").to_str().unwrap(),
            "--data",
            place.path().join("here").to_str().unwrap(),
        ],
    );
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["config"], place.path().join("my.toml").to_str().unwrap());
    assert_eq!(json["store"], place.path().join("here/store.db").to_str().unwrap());
    assert!(json["log"].as_str().unwrap().starts_with(place.path().to_str().unwrap()));
}

#[test]
fn x9_the_configuration_is_shown_without_secrets() {
    let text = ACCOUNT.replace("{ env = \"MAILTUI_TEST_SECRET\" }", "{ command = \"echo hunter2\" }");
    let place = with_config(&text);
    for arguments in [&["config", "show"][..], &["config", "show", "--json"]] {
        let output = mailtui(place.path(), arguments);
        assert!(output.status.success());
        let said = stdout(&output);
        assert!(said.contains("993") && said.contains("from a command"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_log_is_written_only_when_asked_for_and_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = with_config("");
    mailtui(place.path(), &["config", "check"]);
    let log = place.path().join("data/state/mailtui.log");
    assert!(!log.exists());
    assert!(mailtui(place.path(), &["config", "check", "--log"]).status.success());
    assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let place = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mailtui"))
        .args(["keys", "--json", "--data", place.path().to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

/// An account whose server is a port on which nobody listens.
fn deaf(protocol: &str, password: &str) -> tempfile::TempDir {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    with_config(&format!(
        "[accounts.work]\nemail = \"ada@example.org\"\nprotocol = \"{protocol}\"\nhost = \"127.0.0.1\"\n\
         port = {port}\ntls = \"none\"\npassword = {password}\n"
    ))
}

#[test]
fn x9_sync_tells_what_failed_and_never_a_secret() {
    for protocol in ["imap", "pop3"] {
        let place = deaf(protocol, "{ command = \"echo hunter2; echo fine >&2\" }");
        let output = mailtui(place.path(), &["sync", "--log=trace"]);
        assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.starts_with("mailtui: work: "), "{said}");
        let log = std::fs::read_to_string(place.path().join("data/state/mailtui.log")).unwrap();
        assert!(!(said + &stdout(&output) + &log).contains("hunter2"));
    }
}

#[test]
fn a_password_that_cannot_be_had_is_exit_code_6() {
    let place = deaf("pop3", "{ command = \"echo locked >&2; exit 3\" }");
    let output = mailtui(place.path(), &["sync", "--json"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(stderr(&output).contains("failed with code 3: locked"), "{}", stderr(&output));
    let last: Value = serde_json::from_str(stdout(&output).lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["account"]), (&Value::from("failed"), &Value::from("work")));

    let place = deaf("pop3", "{ env = \"MAILTUI_TEST_NOT_SET\" }");
    let output = mailtui(place.path(), &["sync"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(stderr(&output).contains("MAILTUI_TEST_NOT_SET, which is not set"), "{}", stderr(&output));
}

#[test]
fn an_account_that_is_not_there_is_named() {
    let place = deaf("pop3", "{ prompt = true }");
    let output = mailtui(place.path(), &["sync", "wrok"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("there is no account \"wrok\"\nhint: there are: work"),
        "{}",
        stderr(&output)
    );
    let empty = tempfile::tempdir().unwrap();
    let output = mailtui(empty.path(), &["sync"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("hint: `mailtui` alone tells how to add one"));
}

#[test]
fn the_demo_prints_its_first_screen_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mailtui"))
        .args(["demo", "--snapshot", "100x30", "--messages", "0", "--now", "2026-06-10T16:20"])
        .env("TMPDIR", place.path())
        .env("HOME", place.path())
        .env("TZ", "UTC")
        .env_remove("MAILTUI_CONFIG")
        .env_remove("MAILTUI_DATA")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let screen = stdout(&output);
    assert_eq!(screen.lines().count(), 30, "{screen}");
    assert!(screen.lines().all(|line| mailtui::text::width(line) <= 100), "{screen}");
    for part in ["work", "home", "Lists/tides", "Gauge 7 has gone quiet", "16:08", "佐藤 美咲", "★"] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_screen_without_a_terminal_is_told() {
    let place = deaf("pop3", "{ command = \"echo x\" }");
    for arguments in [&[][..], &["demo"]] {
        let output = mailtui(place.path(), arguments);
        assert_eq!(output.status.code(), Some(9), "{}", stderr(&output));
        assert!(stderr(&output).starts_with("mailtui: the screen needs a terminal\nhint: "));
    }
}

#[test]
fn a_watch_ends_in_order_when_it_is_told_to() {
    use std::io::{BufRead as _, BufReader};
    let place = deaf("pop3", "{ command = \"echo x\" }");
    let mut child = Command::new(env!("CARGO_BIN_EXE_mailtui"))
        .args(["sync", "--watch"])
        .env("MAILTUI_CONFIG", place.path().join("config.toml"))
        .env("MAILTUI_DATA", place.path().join("data"))
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It goes on although the server cannot be reached, and says so.
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("mailtui: work: "), "{first}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
