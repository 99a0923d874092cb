//! Keys in: conversations that are muted, joined and split.

use mailtui::model::Role;

use crate::flows::{rows, thread, unread};
use crate::support::drive::Screen;
use crate::support::mail::{MINUTE, mail};

#[test]
fn a_muted_conversation_comes_read_without_a_word_and_is_marked() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("M").until("Muted 1 conversation \u{b7} u undoes").until("muted").at("  Engine");
    assert_eq!(unread(&post), ["Bombe", "Linker"]);
    screen.keys("j").at("Bombe");
    post.deliver(mail("Late <late@example.org>", "Re: Engine").id("four@x").answers("three@x").ago(MINUTE));
    screen.until("4  Engine").gone(" new").at("Bombe");
    assert_eq!(unread(&post), ["Bombe", "Linker"]);
    screen
        .keys("k<Enter>")
        .until("4 of 4")
        .until("muted")
        .keys("M")
        .until("Unmuted 1 conversation")
        .gone("  muted");
    screen.keys("u").until("Undid: unmuted").keys("u").until("Undid: muted").until("The first.");
    // It was opened by that, and read.
    screen.until("4 unread").keys("q").gone("  muted");
    assert_eq!(unread(&post), ["Re: Engine", "Re: Engine", "Bombe", "Linker"]);
    // Of several conversations all are muted before any is unmuted.
    screen.keys("gg2M").until("Muted 2 conversations").keys("jxjxM");
    screen.when("three muted", |s| s.matches("  muted").count() == 3).keys("*M");
    screen.until("Unmuted 3 conversations").gone("  muted");
    assert_eq!(rows(&post, Role::Inbox).len(), 3);
}

#[test]
fn conversations_are_joined_and_split_by_hand_and_back_with_u() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.until("Engine").keys("zj").until("Select the other conversation first");
    screen.keys("zs").until("Unfold the conversation (zo)");
    // One is selected, the other under the cursor.
    screen.keys("jxggzj").until("Joined 2 conversations \u{b7} u undoes").until("4  ");
    assert_eq!(rows(&post, Role::Inbox).len(), 2);
    screen.keys("u").until("Undid: joined 2 conversations").until("3  Engine");
    assert_eq!(rows(&post, Role::Inbox).len(), 3);
    // The second of three mails, with what answers it.
    screen.keys("ggzojzs").until("Split the conversation");
    assert_eq!(rows(&post, Role::Inbox).len(), 4);
    screen.keys("u").until("Undid: split the conversation");
    assert_eq!(rows(&post, Role::Inbox).len(), 3);
}
