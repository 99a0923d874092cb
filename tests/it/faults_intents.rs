//! Every kind of action on a disk that fails at each of its writes, or on a store that is locked: it is done or
//! not done, never half; what is not done is said in plain words; and it works again afterwards (goal R4).

use std::path::Path;
use std::process::Command;

use mailtui::model::{FlagDelta, Flags, Intent, Reach, Role, Settle, Target};
use mailtui::store::Store;

use crate::faults_kill::under_strace;
use crate::support::bench::Bench;
use crate::support::chance::is_campaign;
use crate::support::desk::{User, scratch};
use crate::support::invariants::State;
use crate::support::scene::{Act, IMAP, Scene};

/// Faults that an ordinary run tries, of all kinds of actions together.
const SAMPLE: usize = 16;

/// An action, and what has to come before it.
struct Deed {
    name: &'static str,
    before: fn(&User<'_>),
    intent: fn(&User<'_>) -> Intent,
}

fn nothing(_: &User<'_>) {}

fn words(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|&tag| tag.to_owned()).collect()
}

const DEEDS: &[Deed] = &[
    Deed {
        name: "flag",
        before: nothing,
        intent: |user| Intent::Flag {
            items: user.copies(Role::Inbox, &[1, 2, 3]),
            delta: FlagDelta::add(Flags::SEEN),
            undoable: true,
        },
    },
    Deed {
        name: "tag",
        before: nothing,
        intent: |user| Intent::Tag {
            items: user.copies(Role::Inbox, &[1, 2, 3]),
            add: words(&["todo", "later"]),
            del: words(&[]),
        },
    },
    Deed {
        name: "move",
        before: nothing,
        intent: |user| Intent::Move {
            items: user.copies(Role::Inbox, &[1, 2, 3]),
            to: Target::Role(Role::Archive),
        },
    },
    Deed {
        name: "move to another account",
        before: nothing,
        intent: |user| Intent::Move {
            items: user.copies(Role::Inbox, &[1, 2]),
            to: Target::Folder(user.role("home", Role::Archive)),
        },
    },
    Deed {
        name: "copy",
        before: nothing,
        intent: |user| Intent::Copy {
            items: user.copies(Role::Inbox, &[1, 2, 3]),
            to: Target::Role(Role::Archive),
        },
    },
    Deed {
        name: "purge",
        before: nothing,
        intent: |user| Intent::Purge { items: user.copies(Role::Inbox, &[1, 2, 3]) },
    },
    Deed {
        name: "make folder",
        before: nothing,
        intent: |user| Intent::MakeFolder { account: user.account, path: "New/within".to_owned() },
    },
    Deed {
        name: "rename folder",
        before: |user| user.move_into(Role::Inbox, &[1], "Work"),
        intent: |user| Intent::RenameFolder { folder: user.folder("Work"), path: "Job".to_owned() },
    },
    Deed {
        name: "delete folder",
        before: |user| user.move_into(Role::Inbox, &[1, 2], "Old"),
        intent: |user| Intent::DeleteFolder { folder: user.folder("Old"), to_trash: true },
    },
    Deed {
        name: "subscribe",
        before: nothing,
        intent: |user| Intent::Subscribe { folder: user.folder("Work"), on: false },
    },
    Deed {
        name: "undo",
        before: |user| user.move_to(Role::Inbox, &[1, 2, 3], Role::Archive),
        intent: |_| Intent::Undo,
    },
    Deed {
        name: "redo",
        before: |user| {
            user.move_to(Role::Inbox, &[1, 2, 3], Role::Archive);
            user.undo();
        },
        intent: |_| Intent::Redo,
    },
    Deed {
        name: "discard",
        before: |user| user.move_to(Role::Inbox, &[1, 2, 3], Role::Archive),
        intent: |_| Intent::Settle { how: Settle::Discard, reach: Reach::Everything },
    },
];

const SCENE: Scene = Scene {
    name: "actions on a failing disk",
    folders: &["Work", "Work/a", "Old"],
    home: Some(&[7]),
    acts: &[Act::Sync],
    ..IMAP
};

/// Where the child looks for what it is to do, and where.
const DEED: &str = "MAILTUI_TEST_DEED";
const DATA: &str = "MAILTUI_TEST_DATA";

/// This deed, done by a process of its own, which tries it twice if it fails, and says how that went.
fn child(deed: &Deed, data: &Path) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "faults_intents::a_deed_of_the_others", "--ignored", "--nocapture"]);
    child.args(["--test-threads", "1"]).env(DEED, deed.name).env(DATA, data);
    child
}

fn try_once(store: &Store, intent: &Intent) -> String {
    match store.intend_wait(intent.clone()) {
        Ok(outcome) => outcome.error.map_or("done".to_owned(), |why| format!("refused: {why}")),
        Err(e) => format!("failed: {e} [{}]", e.hint_text().unwrap_or_default()),
    }
}

#[test]
#[ignore = "the other tests here run it in a process of its own"]
fn a_deed_of_the_others() {
    let (Ok(name), Ok(data)) = (std::env::var(DEED), std::env::var(DATA)) else { return };
    let deed = DEEDS.iter().find(|deed| deed.name == name).expect("one of the table");
    let store = match Store::open(Path::new(&data)) {
        Ok(store) => store,
        Err(e) => return println!("TRIED failed: {e} [{}]", e.hint_text().unwrap_or_default()),
    };
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap().iter().find(|row| row.name == "work").unwrap().id;
    let intent = (deed.intent)(&User { store: &store, reader: &reader, account });
    for _ in 0..2 {
        let told = try_once(&store, &intent);
        println!("TRIED {told}");
        if told == "done" {
            break;
        }
    }
    drop(reader);
    store.close();
}

/// What the child said.
fn tried(output: &std::process::Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| Some(line.split_once("TRIED ")?.1.to_owned())).collect()
}

/// In words that say what happened and what to do, without the database's own.
fn is_plain(told: &str) -> bool {
    let known =
        ["the disk that holds the store is full", "the disk failed", "cannot be written to", "locked"];
    told.starts_with("failed: ") && known.iter().any(|words| told.contains(words)) && !told.ends_with("[]")
}

/// A system call that fails.
struct Denied<'a> {
    deed: &'a Deed,
    call: &'static str,
    error: &'static str,
    nth: usize,
    and_more: bool,
}

impl std::fmt::Display for Denied<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let more = if self.and_more { "+" } else { "" };
        write!(f, "{}, inject={}:error={}:when={}{more}", self.deed.name, self.call, self.error, self.nth)
    }
}

/// Before a deed, which is kept, and after it.
fn ends(bench: &Bench<'_>, deed: &Deed) -> [State; 2] {
    bench.desk.act(deed.before);
    bench.keep();
    let before = bench.state();
    bench.desk.act(|user| assert_eq!(try_once(user.store, &(deed.intent)(user)), "done", "{}", deed.name));
    let after = bench.state();
    assert_ne!(before, after, "{}", deed.name);
    [before, after]
}

/// How often the child makes this call.
///
/// `None`: it cannot be traced here.
fn calls(deed: &Deed, data: &Path, call: &str, trace: &Path) -> Option<usize> {
    let mut strace = under_strace(&child(deed, data), &["-e", &format!("trace={call}")], trace)?;
    let output = strace.output().unwrap();
    assert_eq!(tried(&output), ["done"], "{}: {output:?}", deed.name);
    let text = std::fs::read_to_string(trace).unwrap();
    // Times are counted for each thread: the store's makes the most of them.
    let mut by_thread = std::collections::BTreeMap::<&str, usize>::new();
    for line in text.lines().filter(|line| line.contains('(')) {
        *by_thread.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    Some(by_thread.into_values().max().expect("a commit writes and syncs"))
}

fn is_done_or_not(
    bench: &Bench<'_>,
    fault: &Denied<'_>,
    [before, after]: &[State; 2],
    trace: &Path,
) -> Vec<String> {
    bench.reset();
    let program = child(fault.deed, &bench.desk.data());
    let inject = fault.to_string();
    let inject = inject.split_once(", ").map_or("", |(_, inject)| inject);
    let Some(mut strace) = under_strace(&program, &["-e", inject], trace) else { return Vec::new() };
    let output = strace.output().unwrap();
    let told = tried(&output);
    let mut wrong = Vec::new();
    let now = bench.state();
    match told.last().map(String::as_str) {
        Some("done") if now == *after => {}
        Some("done") => wrong.push(format!("it is said to be done: {now:?}")),
        // What a failing sync leaves may turn out to be there after all, but then it is whole.
        Some(_) if now == *before || (now == *after && fault.call != "pwrite64") => {}
        Some(_) => wrong.push(format!("it is half done: {now:?}")),
        None => wrong.push(format!("it says nothing: {output:?}")),
    }
    wrong.extend(
        told.iter().filter(|told| *told != "done" && !is_plain(told)).map(|told| format!("{told:?}")),
    );
    // It works again.
    if now == *before {
        bench.desk.act(|user| {
            let told = try_once(user.store, &(fault.deed.intent)(user));
            if told != "done" {
                wrong.push(format!("afterwards: {told}"));
            }
        });
        if bench.state() != *after {
            wrong.push("afterwards it is not what it should be".to_owned());
        }
    }
    if !wrong.is_empty() {
        wrong.push(format!("it said {told:?}"));
    }
    wrong
}

#[test]
fn r4_an_action_is_done_or_not_when_the_disk_fails_at_any_write() {
    let dir = scratch();
    let trace = dir.path().join("trace");
    let mut bench = SCENE.in_memory(true);
    bench.desk.keep();
    let start = scratch();
    crate::support::desk::replace_dir(&bench.desk.data(), start.path());
    let mut deeds: Vec<&Deed> = DEEDS.iter().collect();
    bench.chance.shuffle(&mut deeds);
    if !is_campaign() {
        deeds.truncate(5);
    }
    let each = SAMPLE.div_ceil(deeds.len());
    for deed in deeds {
        crate::support::desk::replace_dir(start.path(), &bench.desk.data());
        let ends = ends(&bench, deed);
        let mut faults = Vec::new();
        for call in ["pwrite64", "fdatasync,fsync"] {
            bench.reset();
            let Some(count) = calls(deed, &bench.desk.data(), call, &trace) else { return };
            for nth in 1..=count {
                for (error, and_more) in [("EIO", false), ("EIO", true), ("ENOSPC", true), ("EROFS", true)] {
                    faults.push(Denied { deed, call, error, nth, and_more });
                }
            }
        }
        assert!(faults.len() > 8, "{}: pwrite64 is not what the store calls", deed.name);
        if !is_campaign() {
            bench.chance.shuffle(&mut faults);
            faults.truncate(each);
        }
        bench.name = format!("{} on a failing disk", deed.name);
        bench.try_all("writes and syncs", &faults, |fault| {
            let wrong = is_done_or_not(&bench, fault, &ends, &trace);
            if wrong.is_empty() { Ok(()) } else { Err(wrong) }
        });
    }
}

#[test]
fn r4_an_action_on_a_locked_store_says_so_and_is_not_done() {
    let mut bench = SCENE.in_memory(true);
    let mut deeds: Vec<&Deed> = DEEDS.iter().collect();
    bench.chance.shuffle(&mut deeds);
    if !is_campaign() {
        deeds.truncate(1);
    }
    let start = scratch();
    crate::support::desk::replace_dir(&bench.desk.data(), start.path());
    for deed in deeds {
        crate::support::desk::replace_dir(start.path(), &bench.desk.data());
        let [before, after] = ends(&bench, deed);
        bench.reset();
        let other = rusqlite::Connection::open(bench.desk.data().join("store.db")).unwrap();
        bench.desk.act(|user| {
            let intent = (deed.intent)(user);
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            let told = try_once(user.store, &intent);
            assert!(is_plain(&told), "{}: {told}", deed.name);
            other.execute_batch("ROLLBACK").unwrap();
        });
        assert_eq!(bench.state(), before, "{}", deed.name);
        bench
            .desk
            .act(|user| assert_eq!(try_once(user.store, &(deed.intent)(user)), "done", "{}", deed.name));
        assert_eq!(bench.state(), after, "{}", deed.name);
    }
}
