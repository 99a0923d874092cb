//! The page of a draft beyond its text: people, senders and files that are completed, a preview, and a time.

use std::fs;
use std::time::{Duration, Instant};

use mailtui::model::{Address, Draft};

use crate::support::drive::Screen;
use crate::support::mail::{HOUR, NOW, Post, mail};

fn world() -> Post {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Tables").ago(HOUR));
    fs::write(post.dir.path().join("editor"), "printf 'Gladly.\\n' > \"$1\"").unwrap();
    let who = |name: &str, addr: &str| Address { name: name.to_owned(), addr: addr.to_owned() };
    let people = [who("Grace Hopper", "grace@example.org"), who("Miller, Joan", "joan@example.org")];
    post.store.learn(people.to_vec()).unwrap();
    post
}

/// Waits until the draft that was changed last is as wanted.
#[track_caller]
fn kept(post: &Post, wanted: impl Fn(&Draft) -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let drafts = post.store.reader().unwrap().drafts().unwrap();
        if drafts.first().is_some_and(|kept| wanted(&kept.draft)) {
            return;
        }
        assert!(Instant::now() < until, "{drafts:?}");
        std::thread::yield_now();
    }
}

#[test]
fn people_are_completed_one_after_the_other() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("Gladly.").keys("c").until("grace@example.org").keys("hop<Tab>");
    screen.until(":cc Grace Hopper <grace@example.org>").keys(",<Space>mil<Tab><Enter>");
    screen.until("Cc        Grace Hopper <grace@example.org>, \"Miller, Joan\" <joan@example.org>");
    kept(&post, |draft| draft.cc == "Grace Hopper <grace@example.org>, \"Miller, Joan\" <joan@example.org>");
}

#[test]
fn the_users_own_command_knows_people_too_and_one_that_fails_is_said() {
    let post = world();
    fs::write(post.dir.path().join("people"), "printf '%s@abook.example\\tFrom the book\\n' \"$1\"").unwrap();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("Gladly.").keys("tx<C-u>to<Space>kay");
    screen.until("From the book <kay@abook.example>").keys("<Tab><Enter>");
    screen.until("To        From the book <kay@abook.example>");
}

#[test]
fn the_sender_is_chosen_from_a_list_or_typed() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("Gladly.").keys("f").until("Robin <lists@example.org>");
    screen.keys("<Tab><Tab><Enter>").until("From      Robin <lists@example.org>");
    screen
        .keys("f<C-u>from<Space>Me<Space><lt>me@example.org><Enter>")
        .until("From      Me <me@example.org>");
    kept(&post, |draft| draft.from == "Me <me@example.org>");
}

#[test]
fn a_file_is_put_to_it_by_the_beginning_of_its_name_and_taken_off() {
    let post = world();
    let dir = post.dir.path().join("papers");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("tables.pdf"), "123456789").unwrap();
    fs::write(dir.join("notes.txt"), "x").unwrap();
    let mut screen = Screen::open(&post);
    screen
        .until("Tables")
        .keys("r")
        .until("Gladly.")
        .keys("A")
        .until("No file comes with it · a attaches one");
    let typed = format!("a{}/", dir.display());
    screen.keys(&typed).until("notes.txt").keys("ta<Tab><Enter>").until("Attached  tables.pdf  9 B");
    kept(&post, |draft| draft.attachments.len() == 1 && draft.attachments[0].media == "application/pdf");
    screen.keys("a/nowhere/x<Enter>").until("could not read /nowhere/x").until("tables.pdf");
    screen.keys(&format!("a{}<Enter>", dir.display())).until("is no file");
    screen.keys("A").until("Attached files").until("papers/tables.pdf").keys("d");
    screen.until("tables.pdf is taken off the mail").gone("Attached");
    kept(&post, |draft| draft.attachments.is_empty());
}

#[test]
fn the_preview_is_what_others_will_see() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen
        .until("Tables")
        .keys("r")
        .until("Gladly.")
        .keys("beve@example.org<Enter>")
        .until("eve@example.org");
    screen.keys("p").until("Date").gone("eve@example.org").until("Subject   Re: Tables").until("Gladly.");
    screen
        .keys("q")
        .until("Bcc       eve@example.org")
        .keys("t<C-u>to<Space>nonsense<Enter>p")
        .until("nonsense");
    screen.until("is not an address");
}

#[test]
fn o1_a_mail_is_sent_at_a_time_in_words() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("Gladly.").keys("Y").until(":send-later").keys("yesterday<Enter>");
    screen.until("is no time").until("Gladly.").keys("Ytomorrow<Space>8");
    screen.until("8:00").keys("<Enter>").until("It will be sent").until("go shows it").at("Tables");
    post.settle();
    let reader = post.store.reader().unwrap();
    assert!(reader.due_mail(post.work, NOW + 11 * HOUR, false, 10).unwrap().is_empty());
    assert_eq!(reader.due_mail(post.work, NOW + 48 * HOUR, false, 10).unwrap().len(), 1);
}
