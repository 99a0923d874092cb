//! Mailbox files, out and in: every byte, flag and tag comes back, whatever their size, whoever else uses them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mailtui::model::{Flags, Intent, View};
use mailtui::store::{Reader, Store};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest as _, Sha256};

use crate::cli::{mailtui, mailtui_command};
use crate::cli_import::{held, imports, place};

const DEADLINE: Duration = Duration::from_secs(60);

/// What is known of each mail of a folder: hash, flags, tags, when it came; sorted.
fn known(place: &Path, path: &str) -> Vec<([u8; 32], Flags, String, i64)> {
    let store = Store::open(&place.join("data")).unwrap();
    let reader = store.reader().unwrap();
    let mut all: Vec<_> = copies(&reader, path)
        .into_iter()
        .map(|mail| {
            let tags: Vec<&str> = mail.tags.iter().map(|tag| tag.as_str()).collect();
            let hash = reader.recorded_hash(mail.message).unwrap().unwrap();
            assert!(reader.is_intact(mail.message).unwrap());
            (hash, mail.flags, tags.join(" "), mail.key.at)
        })
        .collect();
    all.sort_by_key(|mail| (mail.0, mail.1.bits(), mail.3));
    drop(reader);
    store.close();
    all
}

fn copies(reader: &Reader, path: &str) -> Vec<mailtui::model::Summary> {
    let account = reader.accounts().unwrap().into_iter().find(|row| row.name == "old").unwrap().id;
    let folder = reader.folders(account).unwrap().into_iter().find(|f| f.path.as_str() == path).unwrap();
    reader.copies(View::Folder(folder.id), None, 100_000).unwrap()
}

/// Mails that a mailbox file could damage.
fn odd() -> Vec<Vec<u8>> {
    let large = [&b"Subject: large\n\n"[..], &b"From here to there\n>From here\n".repeat(60_000)].concat();
    let head = "Return-Path: <joe@example.org>\r\nDate: Tue, 01 Sep 2020 10:00:00 +0000\r\nSubject: ";
    let text = |text: &str| format!("{head}{text}").into_bytes();
    vec![
        text("a\r\n\r\nFrom me\r\n>From you\r\n>>>From all\r\n From no one\r\n"),
        text("b\r\n\r\nwithout an end"),
        text("c\r\n\r\nempty lines\r\n\r\n\r\n\n"),
        text("d\r\n\r\nFrom ada@x Mon Nov 23 14:22:01 2020\nSubject: no mail of its own\n\n"),
        text("e\nStatus: RO\nX-Keywords: other\nContent-Length: 3\n\nmarked before\n"),
        text("only a header\n"),
        text("f\n\nends in a return\r"),
        b">From ada@x Mon Nov 23 14:22:01 2020\nSubject: g\n\nbare \x00 bytes \xff\n".to_vec(),
        b"From ada@x Mon Nov 23 14:22:01 2020\nSubject: h\n\nFrom\nFro".to_vec(),
        b"no header at all\n".to_vec(),
        large,
    ]
}

#[test]
fn p15_what_is_exported_into_an_mbox_comes_in_again_as_it_was() {
    let place = place();
    let from = place.path().join("Maildir");
    ["cur", "new", "tmp"].iter().for_each(|part| fs::create_dir_all(from.join(part)).unwrap());
    for (n, raw) in odd().iter().enumerate() {
        let letters = ["", "S", "FS", "RS", "DPRS"][n % 5];
        fs::write(from.join(format!("cur/{n}.host:2,{letters}")), raw).unwrap();
    }
    // Who has a mail twice has it twice.
    fs::write(from.join("cur/99.host:2,S"), &odd()[0]).unwrap();
    let (code, said, error) =
        imports(place.path(), &[from.to_str().unwrap(), "--account", "old", "--folder", "Box"]);
    assert_eq!((code, said.as_str(), error.as_str()), (Some(0), "old: 12 mails imported\n", ""));
    let store = Store::open(&place.path().join("data")).unwrap();
    let items = copies(&store.reader().unwrap(), "Box").iter().step_by(3).map(|m| m.placement).collect();
    let add = vec!["todo".to_owned(), "B\u{fc}ro".to_owned()];
    assert!(store.intend_wait(Intent::Tag { items, add, del: Vec::new() }).unwrap().error.is_none());
    store.close();
    let before = known(place.path(), "Box");
    assert!(before.iter().any(|mail| mail.2 == "B\u{fc}ro todo"), "{before:?}");

    let to = place.path().join("out.mbox");
    let arguments = ["export", "Box", "--account", "old", "--mbox", "--to", to.to_str().unwrap()];
    let output = mailtui(place.path(), &arguments);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "12 mails exported\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let text = fs::read(&to).unwrap();
    let marks = text.split(|b| *b == b'\n').filter(|line| line.starts_with(b"From ")).collect::<Vec<_>>();
    assert_eq!(marks.len(), 12);
    assert!(marks.contains(&&b"From joe@example.org Tue Sep  1 10:00:00 2020"[..]));
    assert!(marks.iter().any(|mark| mark.starts_with(b"From MAILER-DAEMON ")));
    // Nothing is written over, and nothing else is left there.
    let output = mailtui(place.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("nothing is written over"));
    assert_eq!(fs::read(&to).unwrap(), text);
    assert!(fs::read_dir(place.path()).unwrap().all(|f| !f.unwrap().path().ends_with(".part")));

    let again =
        |folder| imports(place.path(), &[to.to_str().unwrap(), "--account", "old", "--folder", folder]).1;
    // They are the mails that came in at first; in another folder they are as they were.
    assert_eq!(again("Box"), "old: 0 mails imported, 12 were imported before\n");
    assert_eq!(again("Copy"), "old: 12 mails imported\n");
    assert_eq!(known(place.path(), "Copy"), before);
    // Another program marks one and writes its own fields: it is the same mail, marked so.
    let file = fs::read(&to).unwrap();
    let at = |part: &[u8]| file.windows(part.len()).position(|w| w == part).unwrap();
    let (head, body) = (at(b"Subject: only a header\n"), at(b"Subject: f\n\n"));
    assert_ne!(head, body);
    let begin = file[..body].windows(7).rposition(|w| w == b"Status:").unwrap();
    let end = begin + file[begin..].iter().position(|b| *b == b'\n').unwrap() + 1;
    let marked =
        [&file[..begin], &file[end..body], b"Subject: f\nStatus: RO\nX-Status: F\n", &file[body + 11..]]
            .concat();
    fs::write(&to, marked).unwrap();
    assert_eq!(again("Box"), "old: 0 mails imported, 12 were imported before\n");
}

#[test]
fn p8_lines_that_were_quoted_are_freed_where_nothing_says_that_they_were_not() {
    let place = place();
    let file = place.path().join("old.mbox");
    let post = "From ada@x Mon Nov 23 14:22:01 2020\n";
    let mail = |name: &str, more: &str, text: &str| format!("{post}Subject: {name}\n{more}\n{text}\n");
    let text = ">From me\n>>From you\n";
    let length = format!("Content-Length: {}\n", text.len());
    fs::write(
        &file,
        [
            mail("1 quoted", "", text),
            // Who wrote these does not quote.
            mail("2 bare", "", &format!("From here on\n{text}")),
            mail("3 measured", &length, text),
        ]
        .concat(),
    )
    .unwrap();
    let arguments = [file.to_str().unwrap(), "--account", "old", "--folder", "Box"];
    assert_eq!(imports(place.path(), &arguments).1, "old: 3 mails imported\n");
    let texts: Vec<String> = held(place.path(), "Box")
        .into_iter()
        .map(|mail| String::from_utf8(mail.2).unwrap().split_once("\n\n").unwrap().1.to_owned())
        .collect();
    assert_eq!(texts, ["From me\n>From you\n".to_owned(), format!("From here on\n{text}"), text.to_owned()]);
    assert_eq!(imports(place.path(), &arguments).1, "old: 0 mails imported, 3 were imported before\n");
}

/// Twice as large as what the program may have of memory.
#[test]
fn x3_a_mail_larger_than_memory_comes_in() {
    let place = place();
    let line = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n".repeat(1000);
    let mut raw = vec![b"Subject: large\n\n".to_vec()];
    raw.extend(std::iter::repeat_n(line, 2000));
    let mut hash = Sha256::new();
    let write = |path: &Path, before: &[u8], after: &[u8]| {
        let mut file = fs::File::create(path).unwrap();
        file.write_all(before).unwrap();
        raw.iter().for_each(|piece| file.write_all(piece).unwrap());
        file.write_all(after).unwrap();
    };
    raw.iter().for_each(|piece| hash.update(piece));
    let dir = place.path().join("dir");
    fs::create_dir_all(dir.join("box/cur")).unwrap();
    write(&dir.join("one.mbox"), b"From ada@x Mon Nov 23 14:22:01 2020\n", b"\n");
    write(&dir.join("box/cur/1.host:2,S"), b"", b"");
    let program = mailtui_command(place.path(), &["import", dir.to_str().unwrap(), "--account", "old"]);
    let limited = |kilobytes: u32| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -d {kilobytes}; exec \"$@\""), "sh"]);
        shell.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            value.map(|value| shell.env(name, value));
        }
        shell.output().unwrap()
    };
    let output = limited(64 << 10);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "old: 2 mails imported\n");
    let hash: [u8; 32] = hash.finalize().into();
    assert_eq!((known(place.path(), "one")[0].0, known(place.path(), "box")[0].0), (hash, hash));
    let output = limited(64 << 10);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "old: 0 mails imported, 2 were imported before\n");
    // The limit holds: with little enough nothing works.
    assert!(!limited(1 << 10).status.success());
}

/// The names of files that are made in a directory, as they are made.
struct Made {
    events: OwnedFd,
    names: Vec<String>,
}

impl Made {
    fn watch(dir: &Path) -> Self {
        let events = inotify::init(CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&events, dir, WatchFlags::CREATE).unwrap();
        Self { events, names: Vec::new() }
    }

    fn wait_for(&mut self, is_it: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        let mut buffer = [MaybeUninit::uninit(); 4096];
        while !self.names.iter().any(|name| is_it(name)) {
            assert!(Instant::now() < deadline, "{:?}", self.names);
            poll(&mut [PollFd::new(&self.events, PollFlags::IN)], Some(&Timespec { tv_sec: 1, tv_nsec: 0 }))
                .unwrap();
            let mut reader = inotify::Reader::new(&self.events, &mut buffer);
            while let Ok(event) = reader.next() {
                self.names.extend(event.file_name().map(|name| name.to_str().unwrap().to_owned()));
            }
        }
    }
}

fn posted(n: usize) -> String {
    format!("From ada@x Mon Nov 23 14:22:01 2020\nSubject: {n}\nMessage-ID: <{n}@x>\n\nText {n}\n\n")
}

#[test]
fn p4_an_mbox_that_is_being_written_to_is_never_read_half() {
    let place = place();
    let dir = place.path().join("post");
    fs::create_dir(&dir).unwrap();
    let file = dir.join("archive.mbox");
    let last = posted(9);
    let (half, rest) = last.split_at(60);
    fs::write(&file, (0..9).map(posted).collect::<String>() + half).unwrap();
    // Another program has it.
    let dot = dir.join("archive.mbox.lock");
    fs::write(&dot, "").unwrap();
    let mut made = Made::watch(&dir);
    let arguments = ["import", file.to_str().unwrap(), "--account", "old", "--folder", "Box"];
    let program = mailtui_command(place.path(), &arguments).stdout(Stdio::piped()).spawn().unwrap();
    made.wait_for(|name| name.ends_with(".mailtui"));
    OpenOptions::new().append(true).open(&file).unwrap().write_all(rest.as_bytes()).unwrap();
    fs::remove_file(&dot).unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "old: 10 mails imported\n");
    assert_eq!(held(place.path(), "Box").len(), 10);
    // It was locked itself meanwhile, and is not any more.
    made.wait_for(|name| name == "archive.mbox.lock");
    assert!(!dot.exists());
}

#[test]
fn p4_an_import_that_is_interrupted_goes_on_where_it_was() {
    let place = place();
    let dir = place.path().join("post");
    fs::create_dir(&dir).unwrap();
    let file = dir.join("archive.mbox");
    const COUNT: usize = 2_000;
    fs::write(&file, (0..COUNT).map(posted).collect::<String>()).unwrap();
    let mut made = Made::watch(&dir);
    let arguments = ["import", file.to_str().unwrap(), "--account", "old", "--folder", "Box"];
    let program = mailtui_command(place.path(), &arguments).stderr(Stdio::piped()).spawn().unwrap();
    made.wait_for(|name| name == "archive.mbox.lock");
    kill_process(Pid::from_child(&program), Signal::INT).unwrap();
    let output = program.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(error.contains("goes on where it was"), "{error}");
    assert!(!dir.join("archive.mbox.lock").exists(), "the lock is given back");
    assert_eq!(mailtui(place.path(), &arguments).status.code(), Some(0));
    let store = Store::open(&place.path().join("data")).unwrap();
    let reader = store.reader().unwrap();
    let mut subjects: Vec<String> = copies(&reader, "Box").iter().map(|m| m.subject.to_string()).collect();
    subjects.sort();
    let mut expected: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();
    expected.sort();
    assert!(subjects == expected, "{} mails", subjects.len());
}
