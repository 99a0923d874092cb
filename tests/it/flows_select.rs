//! Keys in: what is selected by ranges and by what belongs together, what is deleted so, and where the cursor goes.

use mailtui::config::Advance;
use mailtui::model::Role;

use crate::flows::{plain, rows, subjects, thread};
use crate::support::drive::{Screen, Start};
use crate::support::mail::{DAY, HOUR, MINUTE, Post, mail};

/// Two dozen mails: every third from a list, every fourth from Ada, those beyond the tenth read.
fn sorts() -> Post {
    let post = Post::new();
    for n in (1..=24_i64).rev() {
        let from =
            if n % 4 == 0 { "Ada <Ada@example.org>".to_owned() } else { format!("P{n} <p{n}@example.org>") };
        let mail = mail(&from, &format!("Topic {n}.")).ago(n * HOUR);
        let mail = if n % 3 == 0 { mail.list("rust.example.org") } else { mail };
        post.deliver(if n > 10 { mail.seen() } else { mail });
    }
    post
}

#[test]
fn a_range_follows_the_cursor_in_both_directions() {
    let post = plain(30);
    let mut screen = Screen::open(&post);
    screen.keys("jjjv").until("1 selected").until("v ends here").keys("jj").until("3 selected");
    screen.keys("5k").until("4 selected").keys("j").until("3 selected").keys("d").until("Moved 3 to Trash");
    assert_eq!(subjects(&post, Role::Trash), ["Topic 2.", "Topic 3.", "Topic 4."]);
    // It is added to what is selected; `v` again leaves it where it is, Esc leaves nothing.
    screen.keys("ggxjvj").until("3 selected").keys("v").gone("v ends here").keys("jjj").until("3 selected");
    screen
        .keys("<Esc>")
        .gone("selected")
        .at("Topic 10.")
        .keys("gv")
        .until("3 selected")
        .keys("a")
        .until("Archived 3");
    assert_eq!(subjects(&post, Role::Archive), ["Topic 1.", "Topic 6.", "Topic 7."]);
    screen.keys("gv").until("Nothing of it is here any more");
}

#[test]
fn a_range_takes_mails_of_an_unfolded_conversation() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("zoj").at("Charles").keys("vjj").at("Bombe").until("2 selected, 3 messages");
    screen.keys("d").until("Moved 3 to Trash");
    assert_eq!(rows(&post, Role::Inbox)[0].members.len(), 1);
}

#[test]
fn a_range_reaches_beyond_what_is_held_and_keys_typed_ahead_wait_for_it() {
    let post = plain(600);
    let mut screen = Screen::open(&post);
    screen.keys("jjvG").until("598 selected").until("Topic 600.");
    screen
        .keys("kkU")
        .until("Mark 596 messages? y/n")
        .keys("n")
        .until("Nothing was done")
        .keys("<Esc>")
        .gone("selected");
    screen.keys("gg*U").until("Mark 600 messages? y/n").keys("n");
    // Esc ends the wait, and what was typed meanwhile is not done.
    screen.keys("<Esc>").gone("selected").keys("ggvGkd").until("Move to Trash 599 messages? y/n").keys("n");
    assert_eq!(subjects(&post, Role::Trash), Vec::<String>::new());
}

#[test]
fn what_belongs_together_is_selected() {
    let post = sorts();
    let mut screen = Screen::open(&post);
    screen.keys("jj").at("Topic 3.").keys("Sl").until("Selected 8 messages of the list rust.example.org");
    screen
        .keys("j")
        .at("Topic 4.")
        .keys("Ss")
        .until("Selected 6 messages from Ada@example.org")
        .until(", 12 in all");
    screen
        .keys("<Esc>")
        .gone("selected")
        .keys("Su")
        .until("Selected 10 messages that are unread")
        .keys("<Esc>");
    screen
        .keys("ggSl")
        .until("is not from a mailing list")
        .keys("20jSo")
        .until("Selected 4 messages in this");
    screen
        .keys("<Esc>S/")
        .until(":select-matching")
        .keys("ada topic 1<Enter>")
        .until("Selected 2 messages with");
    screen.keys("a").until("Archived 2");
    assert_eq!(subjects(&post, Role::Archive), ["Topic 12.", "Topic 16."]);
    screen.keys("S/nobody at all<Enter>").until("No subject and no sender here holds");
    screen.keys("ggSt").until("1 selected").keys("St").gone("1 selected");
}

#[test]
fn a1_what_is_deleted_together_is_shown_first_where_it_is_not_all_on_the_screen() {
    let post = sorts();
    for n in 1..=40 {
        post.deliver(
            mail(&format!("Q{n} <q{n}@example.org>"), &format!("Old {n}.")).ago(10 * DAY + n * HOUR),
        );
    }
    post.deliver(mail("Ada <ada@example.org>", "Oldest").ago(30 * DAY));
    let mut screen = Screen::open(&post);
    // All of the list is on the screen: at once.
    screen.keys("jjDl").until("Moved 8 to Trash \u{b7} u undoes").at("Topic 4.");
    // Of Ada's something is far below: it says how many and whose, and shows them.
    screen
        .keys("Ds")
        .until("Move 5 messages from Ada@example.org to Trash? y/n")
        .keys("n")
        .until("Nothing was done");
    screen.keys("Ds").until("y/n").keys("y").until("Moved 5 to Trash").at("Topic 5.");
    assert!(!subjects(&post, Role::Inbox).contains(&"Oldest".to_owned()));
    screen.keys("u").until("Undid").keys("<Esc>u").until("Undid").at("Topic 3.");
    screen.keys("gg10jDo").until("in this and the older 55 rows to Trash? y/n").keys("n<Esc>");
    screen
        .keys("D/old 3<Enter>")
        .until("Move 13 messages with `old 3` to Trash? y/n")
        .keys("y")
        .until("Moved 13");
    screen.keys("ggDt").until("Moved 1 to Trash").at("Topic 2.");
    screen.keys("Du").until("messages that are unread to Trash? y/n").keys("n");
}

#[test]
fn a5_mail_that_arrives_behind_a_range_is_not_taken() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("vj").until("2 selected, 4 messages");
    post.deliver(mail("Late <late@example.org>", "Re: Engine").id("four@x").answers("three@x").ago(MINUTE));
    screen.until("4  Engine").keys("d").until("Moved 4 to Trash");
    assert_eq!(subjects(&post, Role::Inbox), ["Re: Engine", "Linker"]);
}

#[test]
fn the_cursor_goes_where_it_is_wanted_when_mail_leaves() {
    let to = |advance| Start { advance, ..Start::default() };
    let post = plain(6);
    let mut screen = Screen::start(&post, to(Advance::Previous));
    screen.keys("jjd").until("Moved 1").at("Topic 2.").keys("kd").until("Topic 2.").at("Topic 2.");
    screen.keys("j<Enter>").until("About topic 4.").keys("d").until("About topic 2.");
    // The place where the screen was is kept before the next one asks for it.
    screen.keys("q").at("Topic 2.");
    drop(screen);
    post.settle();
    let mut screen = Screen::start(&post, to(Advance::List));
    screen
        .keys("gg<Enter>")
        .until("About topic 2.")
        .keys("d")
        .until("Moved 1")
        .at("Topic 5.")
        .gone("About topic 5.");
    drop(screen);
    let post = Post::new();
    for n in 1..=6 {
        let mail = mail("Ada <ada@example.org>", &format!("Topic {n}.")).ago(n * HOUR);
        post.deliver(if n == 4 { mail } else { mail.seen() });
    }
    let mut screen = Screen::start(&post, to(Advance::Unread));
    screen.keys("d").until("Moved 1").at("Topic 4.").keys("d").until("Moved 1").at("Topic 5.");
}
