//! `mailtui import`: mail of files comes in byte for byte, once, with its flags, dates and folders.

use std::fs;
use std::path::Path;

use mailtui::model::*;
use mailtui::store::*;

use crate::cli::mailtui;

const CONFIG: &str = "[accounts.old]\nemail = \"ada@example.org\"\nprotocol = \"local\"\n\
                      [accounts.work]\nemail = \"ada@example.org\"\nprotocol = \"imap\"\nhost = \"localhost\"\n\
                      password = { env = \"NONE\" }\n";

fn mail(n: usize) -> Vec<u8> {
    let date = format!("Date: Tue, 0{} Sep 2020 10:00:00 +0000\r\n", 1 + n % 9);
    format!("Subject: {n}\r\n{date}\r\nText {n} \u{e9}\r\nFrom me\n").into_bytes()
}

pub(crate) fn imports(place: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = mailtui(place, &[&["import"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// What is in a folder: subject, flags, bytes.
pub(crate) fn held(place: &Path, path: &str) -> Vec<(String, Flags, Vec<u8>, i64)> {
    let store = Store::open(&place.join("data")).unwrap();
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap().into_iter().find(|row| row.name == "old").unwrap().id;
    let folder = reader.folders(account).unwrap().into_iter().find(|f| f.path.as_str() == path).unwrap();
    let rows = reader.page(View::Folder(folder.id), Edge::Top, 100).unwrap().rows;
    let mut all: Vec<_> = rows
        .iter()
        .flat_map(|row| &row.members)
        .map(|member| {
            let summary = reader.summary(member.placement).unwrap().unwrap();
            let raw = reader.raw(summary.message, 1 << 20).unwrap();
            (summary.subject.to_string(), summary.flags, raw, summary.date)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
    drop(reader);
    store.close();
    all
}

pub(crate) fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("config.toml"), CONFIG).unwrap();
    place
}

#[test]
fn p15_a_maildir_comes_in_once_with_its_folders_flags_and_dates() {
    let place = place();
    let dir = place.path().join("Maildir");
    for folder in ["", ".Sent", ".Lists.Rust"] {
        ["cur", "new", "tmp"]
            .iter()
            .for_each(|part| fs::create_dir_all(dir.join(folder).join(part)).unwrap());
    }
    fs::write(dir.join("new/1.host"), mail(1)).unwrap();
    fs::write(dir.join("cur/2.host:2,FS"), mail(2)).unwrap();
    fs::write(dir.join(".Sent/cur/3.host:2,RS"), mail(3)).unwrap();
    // The same mail in two folders is in two folders here too.
    fs::write(dir.join(".Lists.Rust/cur/4.host:2,"), mail(2)).unwrap();
    let path = dir.to_str().unwrap();
    let (code, said, error) = imports(place.path(), &[path, "--account", "old"]);
    assert_eq!((code, said.as_str(), error.as_str()), (Some(0), "old: 4 mails imported\n", ""));
    let inbox = held(place.path(), "Inbox");
    assert_eq!(inbox.iter().map(|(s, ..)| s.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!((inbox[0].1, inbox[1].1), (Flags::NONE, Flags::SEEN | Flags::FLAGGED));
    assert_eq!((&inbox[0].2, &inbox[1].2), (&mail(1), &mail(2)));
    assert_eq!(inbox[0].3, 1_599_040_800);
    assert_eq!(held(place.path(), "Sent")[0].1, Flags::SEEN | Flags::ANSWERED);
    assert_eq!(held(place.path(), "Lists/Rust").len(), 1);
    // Marked elsewhere, with one more: only that one is new.
    fs::rename(dir.join("new/1.host"), dir.join("cur/1.host:2,S")).unwrap();
    fs::write(dir.join("new/5.host"), mail(5)).unwrap();
    let (code, said, _) = imports(place.path(), &[path, "--account", "old"]);
    assert_eq!((code, said.as_str()), (Some(0), "old: 1 mail imported, 4 were imported before\n"));
    assert_eq!(held(place.path(), "Inbox").len(), 3);
}

#[test]
fn p8_an_mbox_and_single_mails_come_in_byte_for_byte() {
    let place = place();
    let box_file = place.path().join("archive.mbox");
    let marked = String::from_utf8(mail(2)).unwrap().replacen("\r\n", "\r\nStatus: RO\r\nX-Status: F\r\n", 1);
    let post = "From ada@x Mon Nov 23 14:22:01 2020\n";
    let text = [
        post.as_bytes(),
        &mail(1),
        b"\n",
        post.as_bytes(),
        marked.as_bytes(),
        b"\n",
        post.as_bytes(),
        &mail(1),
        b"\n",
    ];
    fs::write(&box_file, text.concat()).unwrap();
    let eml = place.path().join("one.eml");
    fs::write(&eml, mail(7)).unwrap();
    let paths = [box_file.to_str().unwrap(), eml.to_str().unwrap()];
    let arguments = [paths[0], paths[1], "--account", "old", "--folder", "Old/2020"];
    let (code, said, error) = imports(place.path(), &arguments);
    assert_eq!((code, said.as_str(), error.as_str()), (Some(0), "old: 4 mails imported\n", ""));
    let all = held(place.path(), "Old/2020");
    let subjects: Vec<&str> = all.iter().map(|(s, ..)| s.as_str()).collect();
    assert_eq!(subjects, ["1", "1", "2", "7"], "who has a mail twice has it twice here");
    assert_eq!((&all[0].2, &all[3].2), (&mail(1), &mail(7)));
    assert_eq!((all[2].1, all[2].2.as_slice()), (Flags::SEEN | Flags::FLAGGED, marked.as_bytes()));
    // mutt marks one more: it is the same mail.
    fs::write(
        &box_file,
        String::from_utf8(text.concat()).unwrap().replace("Subject: 1", "Status: O\r\nSubject: 1"),
    )
    .unwrap();
    let (code, said, _) = imports(place.path(), &arguments);
    assert_eq!((code, said.as_str()), (Some(0), "old: 0 mails imported, 4 were imported before\n"));
}

#[test]
fn what_cannot_be_imported_is_told_and_the_rest_comes_in() {
    let place = place();
    fs::write(place.path().join("garbage"), "\0\0\0").unwrap();
    fs::write(place.path().join("one.eml"), mail(1)).unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let (code, said, error) =
        imports(place.path(), &[&path("garbage"), &path("nowhere"), &path("one.eml"), "--account", "old"]);
    assert_eq!((code, said.as_str()), (Some(9), "old: 1 mail imported\n"));
    assert!(error.contains("neither a mailbox nor a mail") && error.contains("nowhere"), "{error}");
    let (code, _, error) = imports(place.path(), &[&path("one.eml"), "--account", "work"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("lives on its server") && error.contains("\"local\""), "{error}");
}

/// Out and in again: the same bytes, flags and dates, nothing twice, nothing written over.
#[test]
fn p15_what_is_exported_comes_in_again_as_it_was() {
    let place = place();
    let from = place.path().join("Maildir");
    ["cur", "new", "tmp"].iter().for_each(|part| fs::create_dir_all(from.join(part)).unwrap());
    fs::write(from.join("new/1.host"), mail(1)).unwrap();
    fs::write(from.join("cur/2.host:2,FPRS"), mail(2)).unwrap();
    fs::write(from.join("cur/3.host:2,D"), mail(3)).unwrap();
    // Who has a mail twice has it twice there; one is larger than a piece of the store.
    fs::write(from.join("cur/4.host:2,"), mail(3)).unwrap();
    let large = [&mail(5)[..], &b"A line of no great interest.\n".repeat(100_000)].concat();
    fs::write(from.join("cur/5.host:2,"), &large).unwrap();
    imports(place.path(), &[from.to_str().unwrap(), "--account", "old", "--folder", "Box"]);
    let before = held(place.path(), "Box");
    assert_eq!(before.len(), 5);
    let to = place.path().join("out");
    let exports = |folder: &str, to: &Path| {
        let output =
            mailtui(place.path(), &["export", folder, "--account", "old", "--to", to.to_str().unwrap()]);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    assert_eq!(exports("Box", &to), (Some(0), "5 mails exported\n".to_owned(), String::new()));
    let files = || fs::read_dir(to.join("cur")).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(files().len(), 5);
    // One was read by another program since, one is missing, one was broken off.
    let one = files().into_iter().find(|f| fs::read(f).unwrap() == mail(1)).unwrap();
    fs::rename(&one, format!("{}S", one.display())).unwrap();
    let two = files().into_iter().find(|f| fs::read(f).unwrap() == mail(2)).unwrap();
    let name = two.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.ends_with(":2,FPRS"), "{name}");
    fs::remove_file(&two).unwrap();
    fs::write(to.join("tmp").join(name.split(':').next().unwrap()), "half").unwrap();
    assert_eq!(exports("Box", &to).1, "1 mail exported, 4 were there before\n");
    assert_eq!((files().len(), fs::read(&two).unwrap()), (5, mail(2)));
    // Into the folder where all of it is: nothing new. Into another: all as it was.
    let again =
        |folder| imports(place.path(), &[to.to_str().unwrap(), "--account", "old", "--folder", folder]).1;
    assert_eq!(again("Box"), "old: 0 mails imported, 5 were imported before\n");
    assert_eq!(again("Copy"), "old: 5 mails imported\n");
    let mut expected = before.clone();
    expected.iter_mut().filter(|mail| mail.0 == "1").for_each(|mail| mail.1 = Flags::SEEN);
    let sorted = |mut all: Vec<(String, Flags, Vec<u8>, i64)>| {
        all.sort_by_key(|(subject, flags, ..)| (subject.clone(), flags.bits()));
        all
    };
    assert_eq!(sorted(held(place.path(), "Copy")), sorted(expected));
    // What is no Maildir is left alone.
    let other = place.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("precious"), "x").unwrap();
    let (code, _, error) = exports("Box", &other);
    assert!(code == Some(2) && error.contains("no Maildir"), "{code:?} {error}");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}
