//! Several drafts: their list, more than one open at once, and another process that has one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mailtui::model::{Attached, AttachedFrom, Draft, DraftId};

use crate::support::drive::{Screen, Start};
use crate::support::mail::{HOUR, Post, mail};

fn world() -> Post {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Tables").ago(HOUR));
    fs::write(post.dir.path().join("editor"), "echo Hello >> \"$1\"").unwrap();
    post
}

fn draft(post: &Post, to: &str, subject: &str) -> DraftId {
    let (to, subject) = (to.to_owned(), subject.to_owned());
    let body = "Dear all,\n\nhere it is.\n\n-- \nRobin\n".to_owned();
    let draft = Draft { to, subject, body, ..Draft::new(post.work, "Robin <robin@example.org>") };
    post.store.save_draft(None, &format!("{}@example.org", draft.subject.len()), &draft).unwrap().0
}

fn busy() -> Post {
    let post = world();
    draft(&post, "Grace Hopper <grace@example.org>, eve@example.org", "Compilers");
    draft(&post, "", "Travel plans");
    draft(&post, "ada@example.org", "");
    post
}

/// Waits until a draft is as wanted.
#[track_caller]
fn kept(post: &Post, id: DraftId, wanted: impl Fn(&Draft) -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let draft = post.store.reader().unwrap().draft(id).unwrap().map(|kept| kept.draft);
        if draft.as_ref().is_some_and(&wanted) {
            return;
        }
        assert!(Instant::now() < until, "{draft:?}");
        std::thread::yield_now();
    }
}

#[test]
fn o5_the_drafts_at_every_size() {
    let post = busy();
    let shot = |width, height| {
        let mut screen = Screen::start(&post, Start { width, height, ..Start::default() });
        screen.until("Tables").keys("gd").until("Travel plans").keys("j").at("Travel plans").screen()
    };
    insta::assert_snapshot!("drafts_160x45", shot(160, 45));
    insta::assert_snapshot!("drafts_80x24", shot(80, 24));
    insta::assert_snapshot!("drafts_40x10", shot(40, 10));
}

#[test]
fn o5_gd_lists_the_drafts_and_enter_goes_on_with_one() {
    let post = busy();
    let mut screen = Screen::open(&post);
    screen.until("3 drafts unfinished").keys("gd").until("Grace Hopper, eve@exam").until("nobody yet");
    screen.keys("G").at("Compilers").keys("<Enter>").until("Subject   Compilers").until("here it is.");
    // Back one level is the list, and back again the mail.
    screen.keys("q").at("Compilers").keys("q").at("Tables");
}

#[test]
fn a1_a_draft_that_was_thrown_away_is_in_trash_and_u_brings_it_back() {
    let post = busy();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("gdG").at("Compilers").keys("X");
    screen.until("The draft is in Trash · u brings it back").gone("Compilers");
    screen.keys("q").at("Tables").keys("gD").until("Compilers").keys("gd").until("Travel plans");
    screen.keys("u").until("Undid: threw away the draft “Compilers”").until("Grace Hopper");
    screen.keys("q").until("Trash is empty");
    // From its page too; a second time after that is undone.
    screen
        .gone("queued")
        .keys("gd")
        .until("Compilers")
        .keys("G")
        .keys("<Enter>")
        .until("Subject   Compilers")
        .keys("X");
    screen.until("The draft is in Trash").gone("Compilers");
    post.settle();
    assert_eq!(post.store.reader().unwrap().drafts().unwrap().len(), 2);
}

#[test]
fn o5_a_draft_that_is_no_mail_yet_is_in_trash_with_all_that_was_typed() {
    let post = world();
    draft(&post, "nonsense", "Half");
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("gd").at("Half").keys("X").until("The draft is in Trash");
    screen.keys("qgD").at("Half").keys("<Enter>").until("To: nonsense").until("here it is.");
}

#[test]
fn o5_several_drafts_are_open_and_gt_goes_from_one_to_the_next_and_to_the_mail() {
    let post = busy();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("gt").until("Nothing else is open");
    screen.keys("c").until("Hello").keys("gt").at("Tables").until("1 draft open gt");
    screen.keys("r").until("Re: Tables").until("2 of 2 gt");
    screen.keys("gt").at("Tables").until("2 drafts open gt").keys("gt").gone("Re: Tables").until("1 of 2 gt");
    screen.keys("gt").until("Re: Tables").keys("gT").until("1 of 2 gt").keys("gT").at("Tables");
    // What is open says so in the list, and is gone to from there as it is.
    screen.keys("gd").until("open").keys("gg").at("Re: Tables").keys("<Enter>").until("2 of 2 gt");
    screen.keys("q").until("Kept as a draft").keys("q").until("1 draft open gt");
}

#[test]
fn o5_a_draft_that_another_process_has_is_not_opened_and_said() {
    let post = world();
    let id = draft(&post, "ada@example.org", "Compilers");
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let began = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().to_owned();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let db = rusqlite::Connection::open(post.dir.path().join("store.db")).unwrap();
    let name = format!("{}:{pid}:{began}", boot.trim());
    assert_eq!(db.execute("UPDATE drafts SET editor = ?1 WHERE id = ?2", (name, id.0)).unwrap(), 1);
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("gd").until(&format!("open in process {pid}")).keys("<Enter>");
    screen.until(&format!("Another mailtui (process {pid}) has this draft open · q there gives it back"));
    screen.keys("X").until("has this draft open").at("Compilers");
    child.kill().unwrap();
    child.wait().unwrap();
    screen.keys("<Enter>").until("Subject   Compilers");
    assert_eq!(post.store.reader().unwrap().draft(id).unwrap().unwrap().editor, Some(std::process::id()));
    screen.keys("q").at("Compilers");
    kept(&post, id, |_| post.store.reader().unwrap().draft(id).unwrap().unwrap().editor.is_none());
}

#[test]
fn o5_a_file_that_comes_to_an_open_draft_is_shown_and_not_lost_by_what_is_typed() {
    let post = world();
    let id = draft(&post, "ada@example.org", "Compilers");
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("gd").at("Compilers").keys("<Enter>").until("Subject   Compilers");
    let kept_now = post.store.reader().unwrap().draft(id).unwrap().unwrap();
    let file = Attached {
        name: "tables.pdf".into(),
        media: "application/pdf".into(),
        size: 9,
        source: AttachedFrom::File(PathBuf::from("/nowhere/tables.pdf")),
    };
    let with = Draft { attachments: vec![file], ..kept_now.draft };
    post.store.save_draft(Some((id, kept_now.version)), "", &with).unwrap();
    screen.until("tables.pdf").until("1 file came to the draft");
    screen.keys("sPlans<Enter>").until("Plans");
    kept(&post, id, |draft| draft.subject.contains("Plans") && draft.attachments.len() == 1);
    assert_eq!(post.store.reader().unwrap().drafts().unwrap().len(), 1);
}
