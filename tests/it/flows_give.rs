//! A mail or an attachment given to another program: keys in, screen out.

use crate::flows::plain;
use crate::support::drive::Screen;
use crate::support::mail::{HOUR, Post, mail};

fn with_files() -> Post {
    let post = Post::new();
    let many: String = (1..=60).map(|n| format!("row {n}\n")).collect();
    let one =
        mail("Ada <ada@example.org>", "Tables").file("tables.txt", &many).file("sketch.pdf", "%PDF\u{1}");
    post.deliver(one.ago(HOUR));
    post
}

#[test]
fn a_mail_is_piped_and_what_the_program_says_is_shown() {
    let post = plain(3);
    let mut screen = Screen::open(&post);
    screen.keys("j").at("Topic 2.").keys("gp").until(":pipe");
    screen.keys("grep -c Subject:<Enter>").until("`grep -c Subject:`: 1");
    screen.keys("|grep<Space>-i<Space>^subject<Enter>").until("Subject: Topic 2.");
    // Nothing of it reaches the terminal raw, and what is long is a page of its own.
    screen
        .keys(":pipe printf 'one\\ntwo\\033[2J\\n'<Enter>")
        .until("one")
        .until("two�[2J")
        .keys("q")
        .gone("two�");
    screen.keys(":pipe echo no >&2; false<Enter>").until("failed (exit status: 1): no");
    screen.keys("<Esc><Enter>").until("About topic 2.").keys("gpwc<Space>-l<Enter>").until("`wc -l`:");
}

#[test]
fn an_attachment_is_read_here_and_piped() {
    let post = with_files();
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>").until("tables.txt").keys("A").until("Attachments").keys("<Enter>");
    screen
        .until("row 1")
        .gone("row 60")
        .until("lines below")
        .keys("G")
        .until("row 60")
        .keys("k")
        .until("row 59");
    screen.keys("gg").until("row 1\n").keys("q").gone("row 1\n").until("tables.txt");
    screen.keys("A|wc<Space>-l<Enter>").until("`wc -l`: 60");
    // Who leaves the command line leaves the attachment: the next pipe is of the mail.
    screen.keys("A|<Esc>").keys(":pipe head -1<Enter>").gone("`head -1`: row 1").until("`head -1`:");
    screen.keys("Aj<Enter>").until("is no text: o opens it");
}

#[test]
fn an_attachment_is_saved_for_who_is_far_away_or_where_there_is_no_desktop() {
    let post = with_files();
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>").until("tables.txt").keys("Ajo").until("Saved").until("there is no desktop here");
    screen.keys("y").until("For the clipboard:").until("sketch (1).pdf");
    let dir = post.dir.path().join("downloads");
    assert_eq!(std::fs::read_to_string(dir.join("sketch (1).pdf")).unwrap(), "%PDF\u{1}");
}
