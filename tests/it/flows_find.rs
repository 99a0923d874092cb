//! Keys in: mail is looked for here and on the server, and gone through hit by hit.

use mailtui::engine::{Command, Event, Found};
use mailtui::model::Role;
use mailtui::text::Clean;

use crate::flows::{plain, rows};
use crate::support::drive::Screen;
use crate::support::mail::{HOUR, Post, mail};

/// The search that the screen asked a server for.
fn asked(screen: &Screen) -> (Vec<String>, impl Fn(Result<Found, Clean>) -> Event + use<>) {
    let command = screen.command(|command| matches!(command, Command::Search { .. }));
    let Command::Search { account, folder, words } = command else { unreachable!() };
    let of = words.clone();
    (words, move |found| Event::Found { account, folder, words: of.clone(), found })
}

#[test]
fn what_is_here_is_found_at_once_and_what_the_server_finds_joins_it() {
    let post = plain(40);
    let all = rows(&post, Role::Inbox);
    let mut screen = Screen::open(&post);
    screen.keys("/3.<Enter>").at("Topic 3.").until("4 found so far; searching on the server");
    let (words, answer) = asked(&screen);
    assert_eq!(words, ["3."]);
    screen.keys("n").at("Topic 13.").until("2 of 4").keys("N").at("Topic 3.").until("1 of 4");
    // The text of two more holds it, one of them was not here until now.
    let found = Found { messages: [4, 20].map(|at| all[at].head.message).to_vec(), new: 1, is_cut: false };
    screen.event(answer(Ok(found))).until("6 found, 1 mail came from the server");
    screen.at("Topic 3.").keys("n").at("Topic 5.").until("2 of 6").keys("3n").at("Topic 23.");
    screen.keys("nn").at("Topic 3.").until("1 of 6, from the other end").keys("N").at("Topic 33.");
    // An answer that comes twice, or to an older question, changes nothing.
    let found = Found { messages: vec![all[7].head.message], new: 1, is_cut: false };
    screen.event(answer(Ok(found))).keys("n").until("1 of 6");
}

#[test]
fn a_hit_that_only_the_server_knows_takes_the_cursor() {
    let post = plain(40);
    let all = rows(&post, Role::Inbox);
    let mut screen = Screen::open(&post);
    screen.keys("jj/needle<Enter>").until("Nothing found so far; searching on the server").at("Topic 3.");
    let (_, answer) = asked(&screen);
    let found = Found { messages: vec![all[33].head.message], new: 0, is_cut: false };
    screen.event(answer(Ok(found))).at("Topic 34.").until("1 found");
    // A hit that goes away is passed over.
    screen.keys("d").until("Moved 1 to Trash").keys("n").until("Nothing found");
}

#[test]
fn a_server_that_does_not_search_is_named() {
    let post = plain(3);
    let mut screen = Screen::open(&post);
    screen.keys("/2.<Enter>").at("Topic 2.").until("searching on the server");
    let (_, answer) = asked(&screen);
    let why = Clean::line("the server does not search");
    screen.event(answer(Err(why))).until("1 found here; work: the server does not search");
}

#[test]
fn p12_mail_that_is_only_here_is_found_here() {
    let post = Post::new();
    for n in 1..=3 {
        post.deliver_to(post.home(), mail("Ada <ada@example.org>", &format!("Number {n}")).ago(n * HOUR));
    }
    let mut screen = Screen::open(&post);
    screen.keys("gu").until("Number 3");
    screen.keys("/number<Space>2<Enter>").at("Number 2").until("1 found");
}

#[test]
fn words_are_found_in_the_mail_that_is_open() {
    let post = plain(0);
    let body: String =
        (1..=60).map(|n| format!("Line {n}{}\n\n", if n % 20 == 0 { " Needle" } else { "" })).collect();
    post.deliver(mail("Ada <ada@example.org>", "Hay").body(&body));
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>").until("Line 1\n").keys("n").until("Nothing was looked for in a mail yet");
    screen
        .keys("/")
        .until(":seek")
        .keys("needle<Enter>")
        .until("Line 20 Needle")
        .until("Line 1 of 3 with `needle`");
    screen
        .keys("2n")
        .until("Line 60 Needle")
        .until("Line 3 of 3")
        .keys("n")
        .until("Line 1 of 3")
        .until("from the other end");
    screen.keys("N").until("Line 3 of 3").keys("N").until("\u{258c}Line 40 Needle");
    screen.keys("/absent<Enter>").until("`absent` is not in this mail").keys("q").at("Hay");
}
