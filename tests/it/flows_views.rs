//! Views of all accounts, where the reader stands, and the bare mail: keys in, screen out.

use std::time::Duration;

use mailtui::model::Role;

use crate::flows::{plain, unread};
use crate::support::drive::{Screen, Start};
use crate::support::mail::{HOUR, Post, mail};

/// Unread mail in two accounts, three folders of which count.
fn scattered() -> Post {
    let post = Post::new();
    let home = post.home();
    post.deliver(mail("Ada <ada@example.org>", "Engine").ago(HOUR));
    post.deliver(mail("Alan <alan@example.org>", "Bombe").folder(Role::Archive).ago(2 * HOUR));
    post.deliver_to(home, mail("Grace <grace@example.org>", "Linker").ago(3 * HOUR));
    post.deliver(mail("Joan <joan@example.org>", "Keys").ago(4 * HOUR).seen());
    post.deliver(mail("Spam <spam@example.org>", "Offer").folder(Role::Junk).ago(HOUR));
    post.deliver(mail("Robin <robin@example.org>", "Sketch").folder(Role::Drafts).ago(HOUR));
    post
}

#[test]
fn what_is_unread_in_any_folder_is_one_list_that_is_read_through() {
    let post = scattered();
    let mut screen = Screen::open(&post);
    screen.until("Engine").keys("g<Tab>").until("Unread").at("Engine").until("Bombe").until("Linker");
    let shown = screen.screen();
    assert!(!["Keys", "Offer", "Sketch"].iter().any(|subject| shown.contains(subject)), "{shown}");
    assert!(shown.contains("3 unread · 3"), "{shown}");
    // What was opened stays until the reader is left, so that the next is the next.
    screen.keys("<Enter>").until("About engine").keys("J").until("About bombe");
    screen.keys("q").at("Linker").gone("Ada").gone("Bombe");
    screen.keys("U").until("All is read").keys("u").at("Linker");
    // Back to where it was opened from.
    screen.keys("q").until("All inboxes");
}

/// In a list of what is unread, what rests in the preview would be gone, and the next one after it.
#[test]
fn a6_the_preview_of_unread_mail_reads_nothing() {
    let post = plain(3);
    let start = Start { width: 160, height: 45, mark_read_after: Some(Duration::ZERO), ..Start::default() };
    let mut screen = Screen::start(&post, start);
    screen.at("Topic 1.").keys("g<Tab>").until("Unread").keys("jk").at("Topic 1.").until("About topic 1.");
    screen.keys("j").at("Topic 2.").until("About topic 2.");
    assert_eq!(unread(&post).len(), 3);
    screen.keys("<Enter>").until("Inbox              2").keys("q").gone("Topic 2.").at("Topic 3.");
    assert_eq!(unread(&post), ["Topic 1.", "Topic 3."]);
}

#[test]
fn the_reader_stands_where_it_is_wanted_and_does_so_again() {
    let post = plain(30);
    let tall = || Start { width: 120, height: 50, ..Start::default() };
    let mut screen = Screen::start(&post, tall());
    screen.at("Topic 1.").keys(":layout<Space>below<Enter>j").until("About topic 2.").at("Topic 2.");
    insta::assert_snapshot!("below_120x50", screen.screen());
    // On a lower screen there is no room for it.
    screen.resize(120, 30).gone("About topic 2.").resize(120, 50).until("About topic 2.");
    screen
        .keys(":layout<Space>left<Enter>")
        .until("there is no layout `left`, there are: beside, below, alone");
    screen.keys("ZZ").ended().unwrap();
    post.settle();
    let mut screen = Screen::start(&post, tall());
    screen.until("About topic 1.").keys(":layout<Space>alone<Enter>").gone("About topic 1.").resize(200, 50);
    screen.keys("j").at("Topic 2.").keys("<Enter>").until("→ me");
    assert!(!screen.screen().contains("Topic 3."));
    screen.keys("q:layout<Space>beside<Enter>").until("About topic 2.").until("Topic 3.");
}

#[test]
fn a12_the_bare_view_has_nothing_beside_the_mail() {
    let post = plain(1);
    let mut screen = Screen::open(&post);
    screen.at("Topic 1.").keys("<Enter>").until("About topic 1.").keys("zw").gone("Archive");
    let shown = screen.screen();
    assert!(shown.starts_with("Topic 1.\n"), "{shown}");
    assert!(shown.lines().any(|line| line == "About topic 1.."), "{shown}");
    screen.keys("zw").until("Archive").keys("zw").gone("Archive").keys("q").until("Archive");
    // Every other key works as in the reader.
    screen.keys("zw").gone("Archive").keys("s<Esc>").until("Starred 1");
}
