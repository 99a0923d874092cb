//! Keys in: how the cursor goes through lists and conversations, and stays where it is when mail comes.

use mailtui::model::Role;

use crate::flows::{plain, subjects, thread};
use crate::support::drive::Screen;
use crate::support::mail::{HOUR, MINUTE, Post, mail};

#[test]
fn reading_on_stops_once_at_the_end() {
    let post = Post::new();
    let begin = "I hope that this finds you well, and the weather too.\n\n".to_owned();
    let long: String = begin + &(1..=60).map(|n| format!("Line number {n}.\n\n")).collect::<String>();
    post.deliver(mail("Ada <ada@example.org>", "Long").body(&long).ago(HOUR));
    post.deliver(mail("Alan <alan@example.org>", "Read").seen().ago(2 * HOUR));
    post.deliver(mail("Joan <joan@example.org>", "Next").body("The next one.\n").ago(3 * HOUR));
    let mut screen = Screen::open(&post);
    screen
        .keys("<Enter>")
        .until("Line number 1.")
        .keys("3j")
        .gone("Line number 1.")
        .keys("3k")
        .until("Line number 1.");
    screen
        .keys("<Space>")
        .gone("Line number 1.")
        .keys("b")
        .until("Line number 1.")
        .keys("-G")
        .until("Line number 60.");
    screen.keys("<Space>").until("Space goes on").until("Line number 60.");
    screen.keys("<Space>").until("The next one.");
    screen.keys("gg").keys("<S-Tab>").until("Nothing else is unread here");
}

#[test]
fn tab_goes_to_what_is_unread_and_round() {
    let post = plain(0);
    for n in 1..=80_i64 {
        let mail = mail(&format!("Person {n} <p{n}@example.org>"), &format!("Topic {n}.")).ago(n * HOUR);
        post.deliver(if n % 30 == 2 { mail } else { mail.seen() });
    }
    let mut screen = Screen::open(&post);
    screen.keys("<Tab>").at("Topic 2.").keys("<Tab>").at("Topic 32.").keys("<Tab>").at("Topic 62.");
    screen.keys("<Tab>").at("Topic 2.").until("From the top");
    screen.keys("<S-Tab>").at("Topic 62.").keys("<S-Tab>").at("Topic 32.");
    screen.keys("<Enter>").until("About topic 32.").keys("<Tab>").until("About topic 62.");
}

#[test]
fn the_next_and_the_previous_message_and_conversation() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen
        .keys(")")
        .at("Bombe")
        .keys("(")
        .at("Engine")
        .keys("2)")
        .at("Linker")
        .keys(")")
        .until("last conversation");
    screen.keys("gg<Enter>").until("The first.").keys("J").until("2 of 3").keys("2J").until("About bombe.");
    screen.keys("K").until("The third.").keys(")").until("About bombe.").keys(")").until("About linker.");
    screen.keys("J").until("last message").keys("q").at("Linker");
}

#[test]
fn conversations_fold_and_unfold() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("za").until("└─ The second.").at("Ada").keys("za").gone("└─");
    screen
        .keys("zo")
        .until("└─")
        .keys("zc")
        .gone("└─")
        .keys("jzR")
        .until("└─")
        .at("Bombe")
        .keys("zM")
        .gone("└─");
    screen.keys("ggzojj").at("The third.").keys("zc").at("  Engine");
}

#[test]
fn selecting() {
    let post = plain(30);
    let mut screen = Screen::open(&post);
    screen.keys("xjx").until("2 selected").keys("d").until("Moved 2 to Trash").gone("selected");
    assert_eq!(subjects(&post, Role::Trash), ["Topic 1.", "Topic 3."]);
    screen.keys("3x").until("3 selected").keys("<Esc>").gone("selected");
    screen.keys("gg*").until("Selected all 28 rows, 28 messages");
    screen.keys("a").until("Archive 28 messages? y/n").keys("n").until("Nothing was done");
    screen.keys("a").until("y/n").keys("y").until("Archived 28");
    assert!(subjects(&post, Role::Inbox).is_empty());
    screen.keys("u").until("Undid").at("Topic 2.");
}

#[test]
fn a_whole_conversation_is_selected_from_one_of_its_mails() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen
        .keys("zoj")
        .at("Charles")
        .keys("V")
        .until("1 selected, 3 messages")
        .keys("d")
        .until("Moved 3 to Trash");
}

#[test]
fn mail_that_arrives_leaves_the_view_still() {
    let post = plain(60);
    let mut screen = Screen::open(&post);
    screen.keys("5j").at("Topic 6.");
    let before: Vec<String> = screen.screen().lines().skip(2).map(|l| l.chars().skip(24).collect()).collect();
    for n in 0..3 {
        post.deliver(mail("New <new@example.org>", &format!("Fresh {n}")).ago(n));
    }
    screen.until("↑ 3 new").at("Topic 6.");
    let after: Vec<String> = screen.screen().lines().skip(2).map(|l| l.chars().skip(24).collect()).collect();
    assert_eq!(before, after);
    screen.keys("gg").at("Fresh 0").gone("new ").keys("3j").at("Topic 1.");
}

#[test]
fn a_conversation_on_the_screen_keeps_its_place_when_mail_comes_to_it() {
    let post = plain(60);
    post.deliver(mail("Ada <ada@example.org>", "Engine").id("one@x").ago(5 * HOUR + MINUTE).seen());
    let mut screen = Screen::open(&post);
    screen.keys("5j").at("Engine");
    post.deliver(mail("Charles <charles@example.org>", "Re: Engine").answers("one@x").ago(0));
    screen
        .at("Ada, Charles")
        .when("the same line", |s| s.lines().nth(7).is_some_and(|l| l.contains("Engine")));
    screen.keys("gg").at("Engine");
}

#[test]
fn at_the_top_what_arrives_is_shown_and_the_cursor_stays_on_its_mail() {
    let post = plain(5);
    let mut screen = Screen::open(&post);
    post.deliver(mail("New <new@example.org>", "Fresh").ago(0));
    screen.until("Fresh").at("Topic 1.");
}

#[test]
fn folders_are_reached_by_name_and_by_what_is_unread() {
    let post = plain(2);
    let home = post.home();
    post.deliver_to(home, mail("Mum <mum@example.org>", "Lunch").ago(MINUTE));
    post.deliver(mail("Ada <ada@example.org>", "Kept").folder(Role::Archive));
    post.deliver(mail("Spam <spam@example.org>", "Win").folder(Role::Junk));
    let mut screen = Screen::open(&post);
    screen
        .until("All inboxes")
        .keys("gn")
        .until(" work \u{b7} Inbox")
        .keys("gn")
        .until(" work \u{b7} Archive");
    screen.keys("gn").until(" home \u{b7} Inbox").keys("gn").until(" work \u{b7} Inbox");
    screen.keys("gN").until(" home \u{b7} Inbox").keys("2gN").until(" work \u{b7} Inbox").keys("2gn");
    screen.until(" home \u{b7} Inbox").keys("U").until("Marked 1 read").keys("gfeng").until(":go eng");
    screen
        .keys("<Enter>")
        .until(" work \u{b7} Projects/Engine")
        .keys("gfhome/tr<Enter>")
        .until(" home \u{b7} Trash");
    screen
        .keys("gfnowhere<Enter>")
        .until("no other folder is called `nowhere`")
        .keys("gfwork/arch<Enter>")
        .until("Kept")
        .keys("U")
        .until("Marked");
    screen
        .keys("gu")
        .until(" All inboxes")
        .keys("*U")
        .until("Marked 2 read")
        .keys("gn")
        .until("No other folder");
}
