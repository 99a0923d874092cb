//! Engine, protocols and store against a real Dovecot: everything arrives, both ways, and nothing twice.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;

use mailtui::config::{Account, Protocol, SecretSource, Tls};
use mailtui::engine::{Emit, Engine, Mode, Report, Setup};
use mailtui::error::{Kind, Result};
use mailtui::model::{FlagDelta, Flags, Intent, PlacementId, Role, Row, Target, View};
use mailtui::protocol;
use mailtui::secret::Secret;
use mailtui::store::{Edge, Store};
use sha2::{Digest, Sha256};

use crate::engine::is_watching;
use crate::support::dovecot::{self, User};
use crate::support::proxy::{Proxy, Seal};
use crate::support::scene::without;

/// A user of the server, and a store.
pub(crate) struct Home<'a> {
    user: &'a User<'a>,
    pub(crate) account: Account,
    dir: tempfile::TempDir,
}

impl<'a> Home<'a> {
    pub(crate) fn new(user: &'a User<'a>, protocol: Protocol, tls: Tls) -> Self {
        Self { user, account: user.account(protocol, tls), dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(self.dir.path()).unwrap()
    }

    /// One run of the program: open, get in step, close.
    pub(crate) fn sync(&self) -> Result<Report> {
        self.sync_with(self.user.secret())
    }

    fn sync_with(&self, secret: Secret) -> Result<Report> {
        let store = self.store();
        let emit: Emit = Arc::new(|_| {});
        let setup = self.setup(secret);
        let report = Engine::start(&store, vec![setup], Mode::Once, &emit)?.join().remove(0).1;
        assert_eq!(store.reader()?.check()?, Vec::<String>::new());
        report
    }

    pub(crate) fn setup(&self, secret: Secret) -> Setup {
        let account = self.account.clone();
        let (owner, name) = (account.protocol.owner(), account.protocol.name());
        let far = account.clone();
        let open: mailtui::engine::Opener =
            Arc::new(move |interrupt| protocol::open(&far, &secret, interrupt));
        Setup { account, owner, protocol: name, open, post: None, secret: None }
    }

    pub(crate) fn rows(&self, role: Role) -> Vec<Row> {
        let reader = self.store().reader().unwrap();
        let account = reader.accounts().unwrap()[0].id;
        let folder = reader.folder_by_role(account, role).unwrap().unwrap();
        reader.page(View::Folder(folder.id), Edge::Top, 10_000).unwrap().rows
    }

    fn copy(&self, role: Role, subject: &str) -> PlacementId {
        let rows = self.rows(role);
        rows.iter().find(|row| row.head.subject.as_str() == subject).unwrap().head.placement
    }

    fn intend(&self, intent: Intent) {
        assert_eq!(self.store().intend_wait(intent).unwrap().error, None);
    }

    /// How many matters wait for the user.
    fn parked(&self) -> usize {
        let reader = self.store().reader().unwrap();
        let account = reader.accounts().unwrap()[0].id;
        reader.ledger(account, None, 100).unwrap().len()
    }

    /// SHA-256 of every mail here.
    fn hashes(&self, role: Role) -> BTreeSet<[u8; 32]> {
        let reader = self.store().reader().unwrap();
        let rows = self.rows(role);
        rows.iter().flat_map(|r| &r.members).map(|m| reader.body_hash(m.message).unwrap()).collect()
    }

    /// SHA-256 of every mail there, as the protocols give it: lines end in CRLF.
    fn hashes_there(&self) -> BTreeSet<[u8; 32]> {
        self.user.mails("INBOX").into_iter().map(|(_, raw)| Sha256::digest(crlf(&raw)).into()).collect()
    }
}

fn crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for (i, &byte) in raw.iter().enumerate() {
        if byte == b'\n' && (i == 0 || raw[i - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

pub(crate) fn mail(n: usize) -> Vec<u8> {
    let odd = ["", ".\r\n..\r\n", "caf\u{e9} \u{4f1a}\u{8b70}\r\n", "From here on\r\n"][n % 4];
    let filler = "0123456789 abcdefghij ".repeat(n * 7 % 400);
    format!(
        "From: Ada <ada@example.org>\r\nSubject: Letter {n}\r\nMessage-ID: <{n}@example.org>\r\n\
         Date: Sun, 20 Sep 2026 10:00:{:02} +0000\r\n\r\n{odd}{filler}\r\n",
        n % 60
    )
    .into_bytes()
}

pub(crate) fn with_mails(mails: usize, test: impl Fn(&User<'_>)) {
    let Some(server) = dovecot::shared() else { return };
    let user = server.user();
    (0..mails).for_each(|n| user.deliver("INBOX", &mail(n)));
    test(&user);
}

#[test]
fn every_mail_arrives_as_it_is_there_and_a_second_sync_transfers_none() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        for tls in [Tls::Implicit, Tls::Starttls, Tls::None] {
            with_mails(120, |user| {
                let home = Home::new(user, protocol, tls);
                assert_eq!(home.sync().unwrap().new, 120);
                assert_eq!(home.hashes(Role::Inbox), home.hashes_there());
                let again = home.sync().unwrap();
                assert_eq!((again.new, again.bytes), (0, 0));
            });
        }
    }
}

#[test]
fn i5_a_flag_set_here_is_seen_by_another_client_and_the_other_way_round() {
    with_mails(3, |user| {
        let home = Home::new(user, Protocol::Imap, Tls::Implicit);
        home.sync().unwrap();
        let items = vec![home.copy(Role::Inbox, "Letter 1")];
        home.intend(Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
        user.doveadm(&["flags", "add"], &["\\Seen", "mailbox", "INBOX", "subject", "Letter 2"]);
        home.sync().unwrap();
        let starred = user.doveadm(&["search"], &["mailbox", "INBOX", "flagged"]);
        assert_eq!(starred.lines().count(), 1);
        let subject = user.doveadm(&["fetch"], &["hdr.subject", "mailbox", "INBOX", "flagged"]);
        assert!(subject.contains("Letter 1"), "{subject}");
        let rows = home.rows(Role::Inbox);
        let flags =
            |subject: &str| rows.iter().find(|r| r.head.subject.as_str() == subject).unwrap().head.flags;
        assert_eq!(flags("Letter 2"), Flags::SEEN);
        assert_eq!(flags("Letter 1"), Flags::FLAGGED);
    });
}

#[test]
fn a8_a_tag_set_here_is_seen_by_another_client_and_the_other_way_round() {
    with_mails(3, |user| {
        let home = Home::new(user, Protocol::Imap, Tls::Implicit);
        home.sync().unwrap();
        let items = vec![home.copy(Role::Inbox, "Letter 1")];
        home.intend(Intent::Tag { items, add: vec!["todo".into(), "Büro".into()], del: vec![] });
        user.doveadm(&["flags", "add"], &["theirs", "mailbox", "INBOX", "subject", "Letter 2"]);
        home.sync().unwrap();
        let there = |text: &str| {
            let told = user.doveadm(&["fetch"], &["flags", "mailbox", "INBOX", "subject", text]);
            let words = told.trim().strip_prefix("flags:").unwrap().split_whitespace();
            words.filter(|word| !word.starts_with('\\')).map(str::to_owned).collect::<BTreeSet<String>>()
        };
        assert_eq!(there("Letter 1"), ["todo".to_owned(), "B&APw-ro".to_owned()].into());
        let here = |subject: &str| {
            let rows = home.rows(Role::Inbox);
            let row = rows.into_iter().find(|row| row.head.subject.as_str() == subject).unwrap();
            row.tags.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            (here("Letter 1"), here("Letter 2")),
            (vec!["Büro".into(), "todo".into()], vec!["theirs".into()])
        );
        // Taken back here after the push; taken away there.
        home.intend(Intent::Undo);
        user.doveadm(&["flags", "remove"], &["theirs", "mailbox", "INBOX", "subject", "Letter 2"]);
        home.sync().unwrap();
        assert!(there("Letter 1").is_empty() && here("Letter 1").is_empty() && here("Letter 2").is_empty());
    });
}

#[test]
fn folders_shaped_here_are_so_for_another_client_and_come_back() {
    with_mails(3, |user| {
        let home = Home::new(user, Protocol::Imap, Tls::Implicit);
        home.sync().unwrap();
        let at = |path: &str| {
            let reader = home.store().reader().unwrap();
            let account = reader.accounts().unwrap()[0].id;
            let folders = reader.folders(account).unwrap();
            (account, folders.into_iter().find(|f| f.path.as_str() == path).map(|f| f.id))
        };
        let there = || {
            let listed = user.doveadm(&["mailbox", "list"], &[]);
            listed.lines().map(str::to_owned).collect::<BTreeSet<String>>()
        };
        home.intend(Intent::MakeFolder { account: at("").0, path: "Größe".into() });
        let to = Target::Folder(at("Größe").1.unwrap());
        home.intend(Intent::Move { items: vec![home.copy(Role::Inbox, "Letter 1")], to });
        home.sync().unwrap();
        assert!(there().contains("Größe"), "{:?}", there());
        home.intend(Intent::RenameFolder { folder: at("Größe").1.unwrap(), path: "Job".into() });
        home.sync().unwrap();
        assert!(there().contains("Job") && !there().contains("Größe"));
        assert_eq!(user.mails("Job").len(), 1);
        home.intend(Intent::DeleteFolder { folder: at("Job").1.unwrap(), to_trash: true });
        home.sync().unwrap();
        assert!(!there().contains("Job"));
        assert_eq!((user.mails("Trash").len(), at("Job").1), (1, None));
        (0..4).for_each(|_| home.intend(Intent::Undo));
        home.sync().unwrap();
        home.sync().unwrap();
        assert!(!there().contains("Job") && !there().contains("Größe"), "{:?}", there());
        assert_eq!((user.mails("INBOX").len(), user.mails("Trash").len()), (3, 0));
        assert_eq!((home.rows(Role::Inbox).len(), home.rows(Role::Trash).len()), (3, 0));
    });
}

#[test]
fn a1_delete_then_undo_leaves_the_server_as_it_was() {
    with_mails(3, |user| {
        let home = Home::new(user, Protocol::Imap, Tls::Implicit);
        home.sync().unwrap();
        let before = home.hashes_there();
        let items = vec![home.copy(Role::Inbox, "Letter 1")];
        home.intend(Intent::Move { items, to: Target::Role(Role::Trash) });
        home.sync().unwrap();
        assert_eq!((user.mails("INBOX").len(), user.mails("Trash").len()), (2, 1));
        assert_eq!((home.rows(Role::Inbox).len(), home.rows(Role::Trash).len()), (2, 1));
        home.intend(Intent::Undo);
        home.sync().unwrap();
        home.sync().unwrap();
        assert_eq!(home.hashes_there(), before);
        assert_eq!(user.mails("Trash").len(), 0);
        assert_eq!((home.rows(Role::Inbox).len(), home.rows(Role::Trash).len()), (3, 0));
        assert_eq!(home.hashes(Role::Inbox), before);
    });
}

#[test]
fn i5_what_another_client_moves_and_removes_is_followed() {
    with_mails(6, |user| {
        let home = Home::new(user, Protocol::Imap, Tls::Starttls);
        home.sync().unwrap();
        user.doveadm(&["expunge"], &["mailbox", "INBOX", "subject", "Letter 2"]);
        user.doveadm(&["move"], &["Archive", "mailbox", "INBOX", "subject", "Letter 4"]);
        user.deliver("INBOX", &mail(9));
        let report = home.sync().unwrap();
        assert_eq!(report.new, 2);
        assert_eq!(home.rows(Role::Inbox).len(), 5);
        assert_eq!(home.rows(Role::Archive).len(), 1);
        assert_eq!(home.hashes(Role::Inbox), home.hashes_there());
    });
}

#[test]
fn i8_a_mailbox_that_another_client_empties_just_empties_where_the_server_names_what_went() {
    with_mails(40, |user| {
        let home = Home::new(user, Protocol::Imap, Tls::None);
        home.sync().unwrap();
        user.doveadm(&["expunge"], &["mailbox", "INBOX", "all"]);
        home.sync().unwrap();
        assert_eq!((home.rows(Role::Inbox).len(), home.parked()), (0, 0));
    });
    // Without QRESYNC they are only not there any more: that is for the user to judge.
    with_mails(40, |user| {
        let mut home = Home::new(user, Protocol::Imap, Tls::None);
        let proxy = Proxy::start(home.account.port, Protocol::Imap, Seal::None);
        home.account.port = proxy.port;
        drop(proxy.begin(without(&["QRESYNC"])));
        home.sync().unwrap();
        user.doveadm(&["expunge"], &["mailbox", "INBOX", "all"]);
        home.sync().unwrap();
        assert_eq!((home.rows(Role::Inbox).len(), home.parked()), (40, 1));
    });
}

#[test]
fn i9_what_happens_on_the_server_is_here_at_once_in_the_inbox_and_elsewhere() {
    with_mails(2, |user| {
        user.deliver("Archive", &mail(3));
        let home = Home::new(user, Protocol::Imap, Tls::Implicit);
        let store = home.store();
        let (tell, news) = std::sync::mpsc::channel();
        let tell = std::sync::Mutex::new(tell);
        let emit: Emit = Arc::new(move |event| tell.lock().unwrap().send(event).unwrap_or_default());
        // It looks by itself in five minutes: what comes before was told by the server.
        let engine = Engine::start(&store, vec![home.setup(user.secret())], Mode::Watch, &emit).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let until = |there: &dyn Fn() -> bool| {
            while !there() {
                let left = deadline.saturating_duration_since(std::time::Instant::now());
                assert!(!left.is_zero(), "nothing was told");
                let _ = news.recv_timeout(left.min(std::time::Duration::from_millis(200)));
            }
        };
        let count = |role| home.rows(role).len();
        until(&|| count(Role::Inbox) == 2 && count(Role::Archive) == 1);
        until(&|| news.try_iter().any(|event| is_watching(&event)));
        user.deliver("INBOX", &mail(7));
        until(&|| count(Role::Inbox) == 3);
        user.doveadm(&["move"], &["Archive", "mailbox", "INBOX", "subject", "Letter 7"]);
        until(&|| count(Role::Inbox) == 2 && count(Role::Archive) == 2);
        user.doveadm(&["flags", "add"], &["\\Flagged", "mailbox", "Archive", "subject", "Letter 7"]);
        until(&|| home.rows(Role::Archive).iter().any(|row| row.head.flags.has(Flags::FLAGGED)));
        engine.stop(std::time::Duration::from_secs(20));
    });
}

#[test]
fn p14_a_cleanup_tells_first_and_removes_what_is_safely_here() {
    with_mails(5, |user| {
        let account = user.account(Protocol::Pop3, Tls::Implicit);
        let dir = tempfile::tempdir().unwrap();
        let SecretSource::Plain(password) = &account.password else { panic!("a password in clear") };
        let config = format!(
            "[accounts.test]\nemail = {:?}\nprotocol = \"pop3\"\nhost = \"localhost\"\nport = {}\nuser = {:?}\n\
             password = {{ command = \"echo {password}\" }}\nca_file = {:?}\n",
            account.email,
            account.port,
            account.user,
            account.ca_file.as_ref().unwrap()
        );
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let run = |words: &[&str]| {
            let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_mailtui"));
            program.args(words).arg("--config").arg(dir.path().join("config.toml"));
            let output = program.arg("--data").arg(dir.path().join("data")).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["sync"]);
        let told = run(&["account", "cleanup", "test"]);
        assert!(told.contains("would delete 5 mails") && told.contains("--yes does it"), "{told}");
        assert_eq!(user.mails("INBOX").len(), 5);
        // While another process syncs the account, that one does it.
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_mailtui"));
        program.args(["sync", "--watch", "--json", "--config"]).arg(dir.path().join("config.toml"));
        program.arg("--data").arg(dir.path().join("data")).stdout(std::process::Stdio::piped());
        let mut other = program.spawn().unwrap();
        let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("resting")), "it ended");
        let asked = run(&["account", "cleanup", "test", "--yes"]);
        assert!(asked.contains("as soon as"), "{asked}");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !user.mails("INBOX").is_empty() {
            assert!(std::time::Instant::now() < deadline, "nothing was deleted there");
        }
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(run(&["list", "--json"]).lines().count(), 5);
        run(&["sync"]);
        user.deliver("INBOX", &mail(8));
        run(&["sync"]);
        let done = run(&["account", "cleanup", "test", "--yes"]);
        assert!(done.contains("1 mail deleted on the server"), "{done}");
        assert_eq!(user.mails("INBOX").len(), 0);
        assert_eq!(run(&["list", "--json"]).lines().count(), 6);
    });
}

#[test]
fn a7_a_wrong_password_is_told_as_such() {
    with_mails(0, |user| {
        for protocol in [Protocol::Imap, Protocol::Pop3] {
            let home = Home::new(user, protocol, Tls::Implicit);
            let error = home.sync_with(Secret::new("wrong")).unwrap_err();
            assert_eq!(error.kind(), Kind::Auth, "{error}");
        }
    });
}
