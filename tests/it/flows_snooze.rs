//! Keys in: mail that is put off and comes back, and what is starred.

use mailtui::model::Role;

use crate::flows::{plain, subjects, thread};
use crate::support::drive::Screen;
use crate::support::mail::{MINUTE, mail};

#[test]
fn mail_is_put_off_until_a_time_that_is_shown_while_it_is_typed() {
    let post = plain(5);
    let mut screen = Screen::open(&post);
    screen.keys("H").until(":snooze").until("tomorrow 14:00     Mon 15 Jun 2026 14:00").until("tonight");
    screen
        .keys("mon 9")
        .until("mon 9              Mon 15 Jun 2026 09:00")
        .keys("<BS>x")
        .until("`x` is no time");
    screen
        .keys("<BS>10<Enter>")
        .until("Snoozed 1 until Mon 15 Jun 2026 10:00 \u{b7} u undoes")
        .at("Topic 2.");
    assert_eq!(subjects(&post, Role::Inbox).len(), 4);
    // The same again, for two; in the reader it is the mail that is open.
    screen.keys("2.").until("Snoozed 2 until").at("Topic 4.").keys("<Enter>").until("About topic 4.");
    screen.keys("H3d<Enter>").until("Snoozed 1 until Wed 17 Jun 2026 08:00").until("About topic 5.");
    screen.keys("q").at("Topic 5.").keys("b2w<Enter>").until("the inbox is empty");
    // What comes back next stands first, with when that is.
    screen.keys("gz").until(" Snoozed").until("28 Jun").when("in order", |s| {
        let rows: Vec<_> = s.lines().filter(|line| line.contains("Topic")).collect();
        rows.len() == 5 && rows[3].contains("Topic 4.") && rows[4].contains("Topic 5.")
    });
    screen
        .keys("G<Enter>")
        .until("About topic 5.")
        .keys("q")
        .keys("Hnow<Enter>")
        .until("Woke 1")
        .gone("Topic 5.");
    assert_eq!(subjects(&post, Role::Inbox), ["Topic 5."]);
    screen
        .keys("u")
        .until("Undid: woke 1")
        .gone("Topic 5.")
        .keys("gz")
        .until("Topic 5.")
        .keys("gi")
        .until("empty");
    screen.keys("uuuu").until("Undid: snoozed 1").at("Topic 1.");
    assert_eq!(subjects(&post, Role::Inbox).len(), 5);
    screen
        .keys("H2026-06-14 9:00<Enter>")
        .until("that time is past")
        .keys("gz")
        .until("Nothing is snoozed")
        .keys("q");
    screen.at("Topic 1.");
}

#[test]
fn a_conversation_that_is_put_off_comes_back_with_an_answer() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("btomorrow<Enter>").until("Snoozed 3 until").gone("3  Engine").at("Bombe");
    post.deliver(mail("Late <late@example.org>", "Re: Engine").id("four@x").answers("three@x").ago(MINUTE));
    screen.until("4  Engine").at("Bombe");
}

#[test]
fn what_is_starred_in_any_folder_is_one_list() {
    let post = thread();
    post.deliver(mail("Joan <joan@example.org>", "Kept").folder(Role::Archive).seen().ago(MINUTE));
    let mut screen = Screen::open(&post);
    screen
        .keys("g*")
        .until("Nothing is starred")
        .keys("gi")
        .at("  Engine")
        .keys("sjs")
        .when("two stars", |s| s.matches('\u{2605}').count() == 2);
    screen.keys("ga").until("Kept").keys("s").until("\u{2605}").keys("g*").until(" Starred").at("Kept");
    screen
        .keys("j")
        .at("Re: Engine")
        .keys("<Enter>")
        .until("The third.")
        .keys("q")
        .keys("s")
        .gone("Re: Engine")
        .at("Bombe");
    screen.keys("Ssd").until("Moved 1 to Trash").gone("Bombe").keys("u").until("Undid");
}
