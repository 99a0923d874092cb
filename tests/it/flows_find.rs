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

#[test]
fn a_list_is_narrowed_to_words_and_escape_shows_all_again() {
    let post = plain(40);
    let mut screen = Screen::open(&post);
    screen.keys("F").until(":narrow").keys("3.<Enter>").until("4 rows").until("only “3.”");
    screen.at("Topic 3.").gone("Topic 4.").keys("G").at("Topic 33.").keys("k").at("Topic 23.");
    // What is selected is what is shown, whatever finds it.
    screen
        .keys("Su")
        .until("Selected 4 messages")
        .keys("<Esc>")
        .keys("*")
        .until("Selected all 4 rows")
        .keys("<Esc>");
    // What is done is done to these alone, and what comes is looked at too.
    screen.keys("d").until("Moved 1 to Trash").at("Topic 33.").gone("Topic 23.");
    post.deliver(mail("Ada <ada@example.org>", "Number 3.").ago(1));
    screen.until("Number 3.").gone("Topic 4.");
    // Esc takes back one thing: the selection, then this.
    screen.keys("x").until("1 selected").keys("<Esc>").gone("1 selected").until("only “3.”");
    screen.keys("<Esc>").gone("only “3.”").until("Topic 32.");
}

#[test]
fn a_list_is_narrowed_to_a_sender_by_the_other_key_and_words_that_nothing_has_leave_it_whole() {
    let post = plain(3);
    post.deliver(mail("Grace <grace@example.org>", "Linker").ago(9 * HOUR));
    let mut screen = Screen::open(&post);
    screen.keys("\\grace<Enter>").until("1 row").at("Linker").gone("Topic 1.");
    // An order of its own stays when all is shown again.
    screen.keys("os").until("by subject, only “grace”").keys("<Esc>").until("Topic 1.").until("by subject");
    screen.keys("Fnowhere<Enter>").until("Nothing here has “nowhere”").until("Topic 1.");
    screen.keys("od").gone("by subject").keys("Flinker<Enter>").at("Linker").gone("Topic 1.");
    screen.keys("ga").until("work · Archive").keys("gi").until("Topic 1.").gone("only");
    screen.keys("g*").until("Starred").keys("Fx<Enter>").until("This list cannot be narrowed");
}
