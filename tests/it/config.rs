//! The configuration: the example loads, and every mistake is told with its place.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mailtui::app::keymap::Keymap;
use mailtui::config::{
    Config, KeepBodies, Leave, Overrides, Paths, Protocol, SecretSource, Tls, known_keys, problems,
};
use mailtui::model::Role;
use mailtui::{Kind, Result};

const ACCOUNT: &str = r#"[accounts.work]
email = "ada@example.org"
protocol = "imap"
host = "imap.example.org"
password = { env = "NONE" }
"#;

struct Place {
    dir: tempfile::TempDir,
    paths: Paths,
}

fn place(text: &str) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, text).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    let paths = Paths::find(Some(&config), Some(&dir.path().join("data"))).unwrap();
    Place { dir, paths }
}

fn load(text: &str) -> Result<Config> {
    Config::load(&place(text).paths, &Overrides::default())
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_example_loads_and_its_defaults_are_the_defaults() {
    let text = fs::read_to_string(repository().join("examples/config.toml")).unwrap();
    let config = load(&text).unwrap();
    let names: Vec<&str> = config.accounts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["work", "home", "old", "box"]);
    let work = config.account("work").unwrap();
    assert_eq!(work.display_name, "Ada Lovelace");
    assert_eq!(work.password, SecretSource::Command("pass show mail/work".into()));
    assert_eq!(config.account("home").unwrap().protocol, Protocol::Pop3);
    // Its keys bind what they say, once they are no comment any more.
    let at = text.find("# [[keys]]").unwrap();
    let keys = load(&format!("{}{}", &text[..at], text[at + 2..].replace("\n# ", "\n"))).unwrap().keys;
    assert_eq!((keys[0].run.join(" "), keys[0].scope.as_deref()), ("star down".to_owned(), Some("list")));
    let (map, problems) = Keymap::with(None, &keys);
    assert_eq!(problems, []);
    assert_eq!(map.own().len(), 1);

    // The lines that say "has a default" say the right ones.
    let bare = load(ACCOUNT).unwrap();
    let bare = &bare.accounts[0];
    assert_eq!((bare.port, bare.tls, &bare.user), (work.port, work.tls, &work.user));
    assert_eq!((bare.check_every, bare.allow_plaintext), (work.check_every, work.allow_plaintext));
    let home = config.account("home").unwrap();
    assert_eq!(bare.leave_on_server, home.leave_on_server);
    assert_eq!(bare.delete_on_server_when_deleted_here, home.delete_on_server_when_deleted_here);
    assert_eq!(bare.portion, home.portion);
    let none = load("").unwrap();
    assert_eq!((none.ui.theme, none.ui.mark_read_after), (config.ui.theme, config.ui.mark_read_after));
}

#[test]
fn the_example_names_every_option() {
    let text = fs::read_to_string(repository().join("examples/config.toml")).unwrap();
    let missing: Vec<String> = known_keys()
        .into_iter()
        .filter(|key| {
            let last = key.rsplit('.').next().unwrap();
            // As a line of its own, in a comment, or in the list of the sources of a password.
            !text.lines().any(|line| {
                let line = line.trim_start_matches(['#', ' ', '{']);
                line.strip_prefix(last).is_some_and(|rest| rest.trim_start().starts_with('='))
            })
        })
        .collect();
    assert!(missing.is_empty(), "examples/config.toml says nothing of {missing:?}");
}

#[test]
fn i10_folders_are_given_their_roles() {
    let text = format!("{ACCOUNT}[accounts.work.folders]\nsent = \"Post/Gesendet\"\ntrash = \"Bin\"\n");
    let config = load(&text).unwrap();
    let folders = [(Role::Sent, "Post/Gesendet".to_owned()), (Role::Trash, "Bin".to_owned())];
    assert_eq!(config.accounts[0].folders, folders);
    let pop3 = text.replace("\"imap\"", "\"pop3\"");
    assert!(load(&pop3).unwrap_err().to_string().contains("\"folders\" is for IMAP"));
}

#[test]
fn ports_follow_protocol_and_tls() {
    let port = |protocol: &str, tls: &str| {
        let text =
            ACCOUNT.replace("\"imap\"", &format!("\"{protocol}\"\ntls = \"{tls}\"\nallow_plaintext = true"));
        load(&text).unwrap().accounts[0].port
    };
    assert_eq!([port("imap", "implicit"), port("imap", "starttls"), port("imap", "none")], [993, 143, 143]);
    assert_eq!([port("pop3", "implicit"), port("pop3", "starttls"), port("pop3", "none")], [995, 110, 110]);
}

#[test]
fn values_are_understood() {
    let text = format!(
        "{}leave_on_server = \"14d\"\ncheck_every = \"1h 30m\"\nca_file = \"own.pem\"\npin = \"sha256:{}\"\n",
        ACCOUNT.replace("imap\"\n", "pop3\"\n"),
        "0f".repeat(32)
    );
    let place = place(&text);
    let account = &Config::load(&place.paths, &Overrides::default()).unwrap().accounts[0];
    assert_eq!(account.leave_on_server, Leave::Days(14));
    assert_eq!(account.check_every, Duration::from_secs(5400));
    assert_eq!(account.ca_file, Some(place.dir.path().join("own.pem")));
    assert_eq!(account.pin, Some([0x0f; 32]));
    assert_eq!(account.tls, Tls::Implicit);
}

#[test]
fn portions_of_a_maildrop_are_understood() {
    let pop3 = ACCOUNT.replace("imap\"\n", "pop3\"\n");
    let portion = |lines: &str| load(&format!("{pop3}{lines}")).unwrap().accounts[0].portion;
    let all = portion(
        "max_size = \"10MB\"\nmax_messages_per_session = 500\nmax_bytes_per_session = \"100MB\"\nreconnect_every = 50\n",
    );
    assert_eq!((all.max_size, all.messages), (Some(10_000_000), Some(500)));
    assert_eq!((all.bytes, all.reconnect_every), (Some(100_000_000), 50));
    assert_eq!(portion("headers_only = true\n").max_size, Some(0));
    assert_eq!(portion("headers_only = false\nmax_size = \"1MB\"\n").max_size, Some(1_000_000));
}

#[test]
fn i4_which_bodies_are_kept_is_understood() {
    let keep = |text: &str| load(&format!("{ACCOUNT}keep_bodies = \"{text}\"\n"));
    let kept = |text: &str| keep(text).unwrap().accounts[0].keep_bodies;
    assert_eq!(kept("all"), KeepBodies::default());
    assert_eq!(kept("90d"), KeepBodies { days: Some(90), size: None });
    assert_eq!(kept("10MB"), KeepBodies { days: None, size: Some(10_000_000) });
    assert_eq!(kept("10mb"), kept("10MB"));
    assert_eq!(kept("500kB 14d"), KeepBodies { days: Some(14), size: Some(500_000) });
    for wrong in ["", "0d", "none", "90d 14d", "1MB 2MB", "all 90d", "90"] {
        let text = keep(wrong).map(|config| config.accounts[0].keep_bodies);
        // A bare number is one of bytes.
        assert_eq!(text.is_err(), wrong != "90", "{wrong:?}: {text:?}");
    }
    let pop3 = format!("{}keep_bodies = \"90d\"\n", ACCOUNT.replace("imap\"\n", "pop3\"\n"));
    let (said, hint) = mistake(&pop3);
    assert!(said.contains("is for IMAP") && hint.contains("max_size"), "{said} {hint}");
}

/// What is wrong, where, and the hint; the file's name is left out.
fn mistake(text: &str) -> (String, String) {
    let error = load(text).unwrap_err();
    assert_eq!(error.kind(), Kind::Config, "{error}");
    let said = error.to_string();
    let from = said.find("config.toml:").expect("names the file") + "config.toml:".len();
    (said[from..].to_owned(), error.hint_text().unwrap_or_default().to_owned())
}

#[test]
fn mistakes_name_line_and_column_and_what_was_meant() {
    let with = |more: &str| format!("{ACCOUNT}{more}\n");
    let cases: &[(String, &str, &str)] = &[
        (
            ACCOUNT.replace("password", "pasword"),
            "5:1: unknown key \"pasword\" in [accounts.work]",
            "did you mean \"password\"?",
        ),
        (
            ACCOUNT.replace("password", "secret"),
            "1:1: [accounts.work] has no \"password\"",
            "write password = { command",
        ),
        (
            "[ui]\ntheme = \"termnal\"\n".into(),
            "2:9: theme: there is no theme `termnal`",
            "did you mean \"terminal\"?",
        ),
        (
            "[ui]\ntheme = \"zzz\"\n".into(),
            "2:9: theme: there is no theme `zzz`",
            "themes that are there: mono",
        ),
        (with("  hots = \"x\""), "6:3: unknown key \"hots\" in [accounts.work]", "did you mean \"host\"?"),
        ("[acounts.x]\n".into(), "1:2: unknown key \"acounts\"", "did you mean \"accounts\"?"),
        ("x = 1\n".into(), "1:1: unknown key \"x\"", "known here: accounts, ui, compose, keys"),
        (
            ACCOUNT.replace("\"imap\"", "\"pop\""),
            "3:12: protocol: \"pop\" is none of \"imap\", \"pop3\", \"local\"; did you mean \"pop3\"?",
            "",
        ),
        (with("port = 70000"), "6:8: 70000 is not a port", ""),
        (with("port = \"993\""), "6:8: \"port\" must be a number, not string", ""),
        (with("allow_plaintext = \"yes\""), "6:19: \"allow_plaintext\" must be true or false", ""),
        (with("check_every = \"5 minutes\""), "6:15: check_every: \"5 minutes\" is not a time", ""),
        (with("auth = \"scram\""), "6:8: auth: \"scram\" is none of", ""),
        (with("folders = { snet = \"x\" }"), "6:13: unknown key \"snet\"", "did you mean \"sent\"?"),
        (with("auth = \"apop\""), "6:8: \"apop\" is for POP3", "auto"),
        (with("pin = \"sha256:zz\""), "6:7: pin: is not a pin", ""),
        (with("leave_on_server = \"14d\""), "6:1: \"leave_on_server\" is for POP3", ""),
        (with("tls = \"none\""), "6:7: [accounts.work] would send its password", "allow_plaintext = true"),
        (
            ACCOUNT.replace("imap.example.org", "imap.example.org:993"),
            "4:8: host: \"imap.example.org:993\" has a port",
            "",
        ),
        (ACCOUNT.replace("ada@", "ada "), "2:9: email:", ""),
        (
            ACCOUNT.replace("{ env = \"NONE\" }", "\"hunter2\""),
            "5:12: a password is not written here",
            "plain",
        ),
        (ACCOUNT.replace("env", "comand"), "5:14: unknown source of a secret", "did you mean \"command\"?"),
        (
            ACCOUNT.replace("}", ", prompt = true }"),
            "5:12: accounts.work.password must name exactly one",
            "one of",
        ),
        (ACCOUNT.replace("env = \"NONE\"", "keyring = false"), "5:14: \"keyring\" can only be true", ""),
        (ACCOUNT.replace("work", "\"a/b\""), "1:11: \"a/b\" cannot be the name of an account", ""),
        (
            "[ui]\ntimezone = \"Europe/Lodnon\"\n".into(),
            "2:12: timezone: \"Europe/Lodnon\" is not a time zone; did you mean \"Europe/London\"?",
            "",
        ),
        ("[ui]\ntheme = 3\n".into(), "2:9: \"theme\" must be a text in quotes, not integer", ""),
        ("[[keys]]\nrun = \"down\"\n".into(), "1:1: [keys] has no \"on\"", ""),
        ("[ui]\ntheme = \"a\ntimezone = 1\n".into(), "2:11:", ""),
        ("[ui]\ntheme = \"a\"\ntheme = \"b\"\n".into(), "3:1: duplicate key", ""),
    ];
    for (text, said, hint) in cases {
        let (told, hinted) = mistake(text);
        assert!(told.starts_with(said), "\n{text}\nsaid {told:?}\nnot  {said:?}");
        assert!(hinted.contains(hint), "\n{text}\nhint {hinted:?}\nnot  {hint:?}");
    }
}

#[test]
fn p15_a_local_account_needs_an_address_and_nothing_of_a_server() {
    let local = "[accounts.old]\nemail = \"ada@example.org\"\nprotocol = \"local\"\n";
    let account = &load(local).unwrap().accounts[0];
    assert_eq!((account.protocol, &account.password), (Protocol::Local, &SecretSource::Nothing));
    assert!(!account.is_fed());
    for key in [
        "host = \"x.org\"",
        "port = 993",
        "tls = \"none\"",
        "user = \"ada\"",
        "password = { prompt = true }",
        "check_every = \"5m\"",
        "leave_on_server = \"14d\"",
    ] {
        let (told, hint) = mistake(&format!("{local}{key}\n"));
        let name = key.split(' ').next().unwrap();
        assert!(told.starts_with(&format!("4:1: {name:?} does not fit")), "{told}");
        assert!(hint.contains("lives here") || hint.contains("spool"), "{hint}");
    }
}

#[test]
fn p15_a_spool_belongs_to_one_account_without_a_server() {
    let with = |name: &str, more: &str| {
        format!("[accounts.{name}]\nemail = \"ada@example.org\"\nprotocol = \"local\"\n{more}")
    };
    let text = with("box", "spool = \"~/mbox\"\nleave_on_server = \"14d\"\ncheck_every = \"1h\"\n");
    let place = place(&text);
    let account = &Config::load(&place.paths, &Overrides::default()).unwrap().accounts[0];
    let spool = account.spool.as_ref().unwrap();
    assert!(spool.path.is_absolute() && spool.path.ends_with("mbox") && account.is_fed());
    assert_eq!(spool.aside, place.dir.path().join("data/spool"));
    assert_eq!(account.leave_on_server, Leave::Days(14));
    let spool = "spool = \"/var/mail/ada\"\n";
    let (told, hint) = mistake(&format!("{ACCOUNT}{spool}"));
    assert!(told.starts_with("6:1: \"spool\" does not fit") && hint.contains("\"local\""), "{told} {hint}");
    let (told, _) = mistake(&format!("{}{}", with("a", spool), with("b", spool)));
    assert!(told.starts_with("8:9: [accounts.a] takes its mail from this spool already"), "{told}");
    let (told, _) = mistake(&with("a", &format!("{spool}max_size = \"1MB\"\n")));
    assert!(told.starts_with("5:1: \"max_size\" does not fit"), "{told}");
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_file() {
    let place = place("[ui]\nthem = 1\ntimezone = 2\n[accounts.x]\nmail = 1\n");
    let lines: Vec<usize> = problems(&place.paths).unwrap().iter().map(|p| p.line).collect();
    assert_eq!(lines, [2, 3, 4, 4, 4, 5]);
    let error = Config::load(&place.paths, &Overrides::default()).unwrap_err();
    assert!(error.hint_text().unwrap().contains("5 more mistakes"), "{error:?}");
}

#[test]
fn x9_a_password_in_clear_needs_a_private_file() {
    let place = place(&ACCOUNT.replace("env = \"NONE\"", "plain = \"hunter2\""));
    let config = Config::load(&place.paths, &Overrides::default()).unwrap();
    assert_eq!(config.accounts[0].password, SecretSource::Plain("hunter2".into()));
    fs::set_permissions(&place.paths.config, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Config::load(&place.paths, &Overrides::default()).unwrap_err();
    assert!(
        error.to_string().contains(":5:14: a password in clear in a file that others can read"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn no_file_is_no_mistake_and_the_command_line_wins() {
    let paths = Paths::find(Some(&PathBuf::from("nowhere/c.toml")), Some(Path::new("nowhere"))).unwrap();
    let config = Config::load(&paths, &Overrides::default()).unwrap();
    assert!(config.is_new && config.accounts.is_empty());
    let place = place("[ui]\ntheme = \"paper\"\n");
    assert!(Config::load(&place.paths, &Overrides::default()).is_err());
    fs::create_dir(place.paths.themes()).unwrap();
    fs::write(place.paths.themes().join("paper.toml"), "[styles]\n\"text\" = \"nothing\"\n").unwrap();
    let error = Config::load(&place.paths, &Overrides::default()).unwrap_err();
    assert!(
        error.to_string().contains("2:9: theme: ") && error.to_string().contains("paper.toml:2:10"),
        "{error}"
    );
    fs::write(place.paths.themes().join("paper.toml"), "inherits = \"mono\"\n").unwrap();
    assert_eq!(Config::load(&place.paths, &Overrides::default()).unwrap().ui.theme, "paper");
    let over = Overrides { theme: Some("mono".into()), ..Overrides::default() };
    assert_eq!(Config::load(&place.paths, &over).unwrap().ui.theme, "mono");
}
