//! A spool that other programs deliver to: taken in once and whole, watched, and emptied only of what is safely here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mailtui::config::{Account, Leave, Protocol, Spool};
use mailtui::engine::{AccountState, Emit, Engine, Event, Mode, Report, Setup};
use mailtui::model::{FlagDelta, Flags, Intent, Role, Target, View};
use mailtui::net::Interrupt;
use mailtui::protocol;
use mailtui::store::{Edge, Store};
use mailtui::{Kind, Result};
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::faults_kill::under_strace;
use crate::support::chance::{Seed, is_campaign};
use crate::support::desk::{replace_dir, scratch};
use crate::support::post::local;
use crate::support::world::{Bodies, Held};

const DEADLINE: Duration = Duration::from_secs(30);
const POST: &str = "MAILTUI_TEST_SPOOL";

fn mail(n: usize) -> String {
    let text = format!("The job {n} has run\n>From cron, with love\n").repeat(1 + n % 5);
    format!("Subject: job {n}\nMessage-ID: <{n}@box>\nX-Seed: {n}\n\nDear root,\n\n{text}")
}

fn posted(n: usize) -> String {
    format!("From root@box Mon Nov 23 14:{:02}:{:02} 2026\n{}\n", n / 60 % 60, n % 60, mail(n))
}

/// Another program, that locks as others lock: told what to do by lines on its standard input.
///
/// A program of its own, because `fcntl` locks know processes only.
#[test]
#[ignore = "started by the other tests as a program of its own"]
fn another_program() {
    let Ok(path) = std::env::var(POST) else { return };
    let dot = format!("{path}.lock");
    let mut held: Option<File> = None;
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (what, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        let append = |text: &str| {
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(&path)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        };
        let number = || rest.parse::<usize>().unwrap();
        match what {
            "fcntl" => {
                let file = OpenOptions::new().read(true).append(true).create(true).open(&path).unwrap();
                fcntl_lock(&file, FlockOperation::LockExclusive).unwrap();
                held = Some(file);
            }
            "dot" => {
                while File::options().write(true).create_new(true).open(&dot).is_err() {
                    std::thread::yield_now();
                }
            }
            // Over the file that is locked: to close another one would give the lock back.
            "half" => held_or(&mut held, append, &posted(number())[..60]),
            "rest" => held_or(&mut held, append, &posted(number())[60..]),
            "mail" => held_or(&mut held, append, &posted(number())),
            "free" => {
                held = None;
                let _ = fs::remove_file(&dot);
            }
            _ => panic!("{line}"),
        }
        println!("\ndone");
    }
}

fn held_or(held: &mut Option<File>, append: impl Fn(&str), text: &str) {
    match held {
        Some(file) => file.write_all(text.as_bytes()).unwrap(),
        None => append(text),
    }
}

struct Other {
    child: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Other {
    fn new(spool: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["spool::another_program", "--exact", "--ignored", "--nocapture"])
            .env(POST, spool)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, answers }
    }

    /// Does it, and answers when it is done.
    fn does(&mut self, what: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{what}").unwrap();
        let done = self.answers.any(|line| line.unwrap() == "done");
        assert!(done, "the other program died of {what}");
    }

    /// As a program that delivers does it.
    fn delivers(&mut self, n: usize) {
        ["fcntl", "dot", &format!("mail {n}"), "free"].iter().for_each(|what| self.does(what));
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The account of root: a spool, and a store.
struct Home {
    dir: tempfile::TempDir,
    account: Account,
}

impl Home {
    fn new(leave: Leave) -> Self {
        let dir = scratch();
        let spool = Spool { path: dir.path().join("post/root"), aside: dir.path().join("data/spool") };
        fs::create_dir(dir.path().join("post")).unwrap();
        Self { account: Account { leave_on_server: leave, ..local(Some(spool)) }, dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("post/root")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn put(&self, mails: impl IntoIterator<Item = usize>) {
        fs::write(self.path(), mails.into_iter().map(posted).collect::<String>()).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap_or_default()
    }

    fn setup(&self) -> Setup {
        let own = self.account.clone();
        Setup {
            account: self.account.clone(),
            owner: Protocol::Local.owner(),
            protocol: Protocol::Local.name(),
            open: Arc::new(move |bell| protocol::local::connect(&own, bell)),
            post: None,
            secret: None,
        }
    }

    fn sync(&self) -> Result<Report> {
        let store = Store::open(&self.data()).unwrap();
        let engine = Engine::start(&store, vec![self.setup()], Mode::Once, &(Arc::new(|_| ()) as _)).unwrap();
        let report = engine.join().remove(0).1;
        store.close();
        report
    }

    fn watch(&self, store: &Store) -> (Engine, Receiver<Event>) {
        let (tell, events) = channel();
        let tell = Mutex::new(tell);
        let emit: Emit = Arc::new(move |event| drop(tell.lock().unwrap().send(event)));
        (Engine::start(store, vec![self.setup()], Mode::Watch, &emit).unwrap(), events)
    }

    /// The numbers of the mails that are here, each byte for byte as it was delivered and none twice.
    fn here(&self) -> BTreeSet<usize> {
        let store = Store::open(&self.data()).unwrap();
        let here = numbers(&store, Role::Inbox);
        assert_eq!(store.reader().unwrap().check().unwrap(), Vec::<String>::new());
        store.close();
        here
    }
}

fn numbers(store: &Store, role: Role) -> BTreeSet<usize> {
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap()[0].id;
    let folder = reader.folder_by_role(account, role).unwrap().unwrap().id;
    let mut found = BTreeSet::new();
    for row in reader.page(View::Folder(folder), Edge::Top, 100_000).unwrap().rows {
        for member in row.members {
            let message = reader.summary(member.placement).unwrap().unwrap().message;
            let raw = String::from_utf8(reader.raw(message, 1 << 24).unwrap()).unwrap();
            let n = raw.lines().find_map(|line| line.strip_prefix("X-Seed: ")).unwrap().parse().unwrap();
            assert_eq!(raw, mail(n), "other bytes than were delivered");
            assert!(found.insert(n), "{n} is here twice");
        }
    }
    found
}

#[test]
fn p4_mail_is_taken_once_whatever_other_programs_do_to_the_spool() {
    let home = Home::new(Leave::Forever);
    assert_eq!(home.sync().unwrap().new, 0, "a spool that is not there is empty");
    home.put(0..5);
    assert_eq!(home.sync().unwrap().new, 5);
    assert_eq!(home.sync().unwrap().new, 0);
    // mutt marks what was read and writes lengths; another one takes the first away; a third delivers.
    let marked = home.text().replace("\n\nDear root", "\nStatus: RO\nContent-Length: 99\n\nDear root");
    fs::write(home.path(), marked).unwrap();
    assert_eq!(home.sync().unwrap().new, 0);
    home.put([1, 3, 4, 5, 6]);
    assert_eq!(home.sync().unwrap().new, 2);
    fs::write(home.path(), "").unwrap();
    assert_eq!(home.sync().unwrap().new, 0);
    home.put([0, 7]);
    assert_eq!(home.sync().unwrap().new, 1);
    assert_eq!(home.here(), (0..8).collect());
    assert_eq!(home.text(), [0, 7].map(posted).concat(), "and the spool is as it was");
}

#[test]
fn p3_what_is_safely_here_goes_from_the_spool_and_what_comes_meanwhile_stays() {
    let home = Home::new(Leave::DeleteAfterDownload);
    home.put(0..40);
    let report = home.sync().unwrap();
    assert_eq!((report.new, report.deleted, home.text().as_str()), (40, 40, ""));
    let mut other = Other::new(&home.path());
    let mut count = 40;
    let store = Store::open(&home.data()).unwrap();
    let (engine, events) = home.watch(&store);
    for _ in 0..if is_campaign() { 300 } else { 40 } {
        other.delivers(count);
        count += 1;
    }
    let until = Instant::now() + DEADLINE;
    while numbers(&store, Role::Inbox).len() < count || !home.text().is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        assert!(
            !left.is_zero(),
            "{} of {count} are here; in the spool: {}",
            numbers(&store, Role::Inbox).len(),
            home.text()
        );
        let _ = events.recv_timeout(left.min(Duration::from_millis(200)));
    }
    engine.stop(DEADLINE);
    store.close();
    assert_eq!(home.here(), (0..count).collect());
    assert!(!home.path().with_extension("lock").exists());
}

#[test]
fn p3_mail_that_was_deleted_here_for_good_goes_from_the_spool_and_other_mail_stays() {
    let home = Home::new(Leave::Forever);
    home.put(0..4);
    home.sync().unwrap();
    let store = Store::open(&home.data()).unwrap();
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap()[0].id;
    let in_role = |role| {
        let folder = reader.folder_by_role(account, role).unwrap().unwrap().id;
        let page = reader.page(View::Folder(folder), Edge::Top, 100).unwrap();
        page.rows
            .into_iter()
            .map(|row| (row.head.subject.to_string(), row.members[0].placement))
            .collect::<Vec<_>>()
    };
    let of = |role, subject: &str| in_role(role).into_iter().find(|(s, _)| s == subject).unwrap().1;
    let intend = |intent| assert_eq!(store.intend_wait(intent).unwrap().error, None);
    intend(Intent::Move { items: vec![of(Role::Inbox, "job 1")], to: Target::Role(Role::Trash) });
    intend(Intent::Flag {
        items: vec![of(Role::Inbox, "job 2")],
        delta: FlagDelta::add(Flags::FLAGGED),
        undoable: true,
    });
    intend(Intent::Move { items: vec![of(Role::Inbox, "job 2")], to: Target::Role(Role::Archive) });
    drop(home.sync());
    assert_eq!(home.text(), (0..4).map(posted).collect::<String>(), "not from Trash yet");
    intend(Intent::Purge { items: vec![of(Role::Trash, "job 1")] });
    drop(reader);
    store.close();
    home.sync().unwrap();
    assert_eq!(home.text(), [0, 2, 3].map(posted).concat());
    assert_eq!(home.sync().unwrap().new, 0, "what was deleted here is not taken again");
}

/// The days count from when a mail was stored here, not from its date.
#[test]
fn p3_what_is_here_for_14_days_goes_from_the_spool_and_younger_mail_stays() {
    let home = Home::new(Leave::Days(14));
    let sync = |ago: i64| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let store = Store::open_at(&home.data(), Arc::new(move || now - ago)).unwrap();
        let engine = Engine::start(&store, vec![home.setup()], Mode::Once, &(Arc::new(|_| ()) as _)).unwrap();
        let report = engine.join().remove(0).1.unwrap();
        store.close();
        (report.new, report.deleted)
    };
    home.put(0..2);
    assert_eq!(sync(13 * 86_400), (2, 0), "stored thirteen days ago");
    let mut spool = OpenOptions::new().append(true).open(home.path()).unwrap();
    spool.write_all(posted(2).as_bytes()).unwrap();
    assert_eq!(sync(15 * 86_400), (1, 1), "stored fifteen days ago");
    let younger = [posted(0), posted(1)].concat();
    assert_eq!(home.text(), younger);
    assert_eq!((sync(0), sync(0)), ((0, 0), (0, 0)));
    assert_eq!(home.text(), younger);
    assert_eq!(home.here(), (0..3).collect());
}

/// What other programs noted in the spool is so here; they go on without us, as mutt does.
#[test]
fn p12_marks_and_dates_of_the_spool_are_taken_over() {
    let home = Home::new(Leave::Forever);
    let marked = |n: usize, fields: &str| {
        let text = posted(n);
        let (postmark, mail) = text.split_once('\n').unwrap();
        format!("{postmark}\n{fields}{mail}")
    };
    let all = [
        posted(0),
        marked(1, "Status: RO\nX-Status: AF\n"),
        marked(2, "Status: O\n"),
        marked(3, &format!("Status: R\nX-Large: {}\n", "x ".repeat(900_000))),
    ];
    fs::write(home.path(), all.concat()).unwrap();
    assert_eq!(home.sync().unwrap().new, 4);
    let store = Store::open(&home.data()).unwrap();
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap()[0].id;
    let inbox = reader.folder_by_role(account, Role::Inbox).unwrap().unwrap();
    let (mut found, mut came) = (BTreeMap::new(), BTreeMap::new());
    for row in reader.page(View::Folder(inbox.id), Edge::Top, 10).unwrap().rows {
        for member in &row.members {
            let mail = reader.summary(member.placement).unwrap().unwrap();
            let raw = String::from_utf8(reader.raw(mail.message, 1 << 24).unwrap()).unwrap();
            let n: usize =
                raw.lines().find_map(|line| line.strip_prefix("X-Seed: ")).unwrap().parse().unwrap();
            assert_eq!(
                all[n].split_once('\n').unwrap().1.trim_end(),
                raw.trim_end(),
                "bytes stay as they are"
            );
            came.insert(n, mail.date);
            found.insert(n, member.flags);
        }
    }
    let (seen, none) = (Flags::SEEN, Flags::NONE);
    assert_eq!(found, [(0, none), (1, seen | Flags::ANSWERED | Flags::FLAGGED), (2, none), (3, seen)].into());
    assert_eq!(inbox.unseen, 2);
    // They came a second apart, as their `From ` lines say: their headers name no date.
    assert_eq!(came.values().map(|at| at - came[&0]).collect::<Vec<_>>(), [0, 1, 2, 3]);
    // Marked there later: what was done here meanwhile is not undone by that.
    fs::write(home.path(), [posted(0), marked(1, ""), marked(2, "Status: RO\n")].concat()).unwrap();
    assert_eq!(home.sync().unwrap().new, 0);
}

#[test]
fn p4_mail_that_is_being_written_is_never_read_half() {
    for lock in ["fcntl", "dot"] {
        let home = Home::new(Leave::Forever);
        home.put([0]);
        let mut other = Other::new(&home.path());
        other.does(lock);
        other.does("half 1");
        let own = home.account.clone();
        let (done, pulled) = channel();
        let look = std::thread::spawn(move || {
            let mut session = protocol::local::connect(&own, &Interrupt::new().unwrap()).unwrap();
            let mut held = Held::default();
            held.pull(&mut *session, "INBOX");
            let ids: Vec<_> = held.mails.keys().cloned().collect();
            let mut bodies = Bodies::default();
            session.fetch(&protocol::FolderRef::new("INBOX"), &ids, &mut bodies).unwrap();
            done.send(()).unwrap();
            bodies.whole.into_values().map(|raw| String::from_utf8(raw).unwrap()).collect::<BTreeSet<_>>()
        });
        let early = pulled.recv_timeout(Duration::from_millis(300));
        assert!(early.is_err(), "{lock}: it was read while another program wrote");
        other.does("rest 1");
        other.does("free");
        assert_eq!(look.join().unwrap(), [mail(0), mail(1)].into(), "{lock}");
    }
}

#[test]
fn i9_mail_in_the_spool_is_here_within_a_second_and_a_stop_ends_the_wait() {
    let home = Home::new(Leave::Forever);
    let store = Store::open(&home.data()).unwrap();
    let (engine, events) = home.watch(&store);
    let mut other = Other::new(&home.path());
    let until = |wanted: &dyn Fn(&Event) -> bool| {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let event =
                events.recv_timeout(deadline.saturating_duration_since(Instant::now())).expect("in time");
            if wanted(&event) {
                return;
            }
        }
    };
    let watching = |event: &Event| matches!(event, Event::State { state: AccountState::Watching, .. });
    until(&watching);
    for n in 0..5 {
        other.delivers(n);
        let begun = Instant::now();
        until(&watching);
        assert_eq!(numbers(&store, Role::Inbox), (0..=n).collect());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    let begun = Instant::now();
    engine.stop(DEADLINE);
    assert!(begun.elapsed() < DEADLINE / 2);
    store.close();
}

#[test]
fn a_spool_that_stays_locked_or_is_no_mailbox_is_told_in_words() {
    let home = Home::new(Leave::DeleteAfterDownload);
    fs::write(home.path(), "this is not a mailbox\n").unwrap();
    let error = home.sync().unwrap_err();
    assert!(error.to_string().contains("does not begin with a `From ` line"), "{error}");
    assert_eq!(home.text(), "this is not a mailbox\n");
    fs::remove_file(home.path()).unwrap();
    fs::create_dir(home.path()).unwrap();
    assert_eq!(home.sync().unwrap_err().kind(), Kind::Config);
}

/// The program under strace, killed at each of its system calls that write.
#[test]
fn p3_the_program_survives_kill_9_at_any_write_under_each_policy() {
    let run = Seed::of_run();
    let mut chance = run.chance();
    for (leave, policy) in
        [(Leave::DeleteAfterDownload, "delete_after_download"), (Leave::Forever, "forever")]
    {
        let home = Home::new(leave);
        let config = home.dir.path().join("config.toml");
        let text = format!(
            "[accounts.box]\nemail = \"root@box\"\nprotocol = \"local\"\nspool = \"{}\"\nleave_on_server = \"{policy}\"\n",
            home.path().display()
        );
        fs::write(&config, text).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_mailtui"));
        program
            .args(["sync", "--config"])
            .arg(&config)
            .arg("--data")
            .arg(home.data())
            .env_remove("MAILTUI_LOG");
        // One that stays behind what goes has to move: nobody took it, for it is the program's own.
        home.put(0..3);
        assert!(program.output().unwrap().status.success());
        let kept = home.dir.path().join("kept");
        home.put(3..9);
        replace_dir(&home.data(), &kept);
        let log = home.dir.path().join("trace");
        for call in [
            "pwrite64",
            "ftruncate",
            "fdatasync",
            "fsync",
            "linkat,link",
            "unlink,unlinkat",
            "rename,renameat",
        ] {
            let first = call.split(',').next().unwrap();
            let Some(mut counted) = under_strace(&program, &["-e", &format!("trace={call}")], &log) else {
                return;
            };
            let again = |home: &Home| {
                replace_dir(&kept, &home.data());
                home.put(3..9);
            };
            again(&home);
            counted.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            let count = fs::read_to_string(&log)
                .unwrap()
                .lines()
                .filter(|l| l.contains(first) || l.contains("at("))
                .count();
            let all: Vec<usize> = (1..=count).collect();
            let some = if is_campaign() { all } else { chance.sample(&all, 4) };
            for nth in some {
                again(&home);
                let inject = format!("inject={call}:signal=KILL:when={nth}");
                let Some(mut killed) = under_strace(&program, &["-e", &inject], &log) else { return };
                killed.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
                OpenOptions::new()
                    .append(true)
                    .open(home.path())
                    .unwrap()
                    .write_all(posted(9).as_bytes())
                    .unwrap();
                let output = program.output().unwrap();
                assert!(
                    output.status.success(),
                    "{policy} {inject}: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
                assert_eq!(home.here(), (0..10).collect(), "{policy} {inject}");
                let left =
                    if leave == Leave::Forever { (3..10).map(posted).collect() } else { String::new() };
                assert_eq!(home.text(), left, "{policy} {inject}");
            }
        }
    }
}
