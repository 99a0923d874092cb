//! Every screen at every size, and a terminal that is resized in the middle of anything: nothing breaks.

use std::time::{Duration, Instant};

use mailtui::app::key::Key;
use mailtui::app::keymap::Keymap;
use mailtui::app::{App, Now, Settings};
use mailtui::config::Advance;
use mailtui::model::Role;
use mailtui::ui::snapshot;

use crate::flows::thread;
use crate::support::drive::{Screen, look, me};
use crate::support::mail::{HOUR, NOW, Post, mail};

const WIDTHS: [u16; 12] = [1, 2, 7, 39, 40, 41, 79, 80, 100, 149, 150, 300];
const HEIGHTS: [u16; 8] = [1, 2, 9, 10, 11, 24, 28, 100];

/// What is typed, and whether a moment passes after it.
const SCENES: [&str; 17] =
    ["", "G", "zR", "jzo", "vj", "*", "3", "h", "?", ":", ":move ", "H", "g", "S", "gS", "gz", "gDd"];

/// A list with conversations, in all accounts, and things that are longer than any screen.
fn world() -> Post {
    let post = thread();
    let home = post.home();
    let long = "\u{6f22}\u{5b57}e\u{301}\u{1f468}\u{200d}\u{1f469} ".repeat(40);
    for n in 0..40 {
        post.deliver(mail("\u{5d0}\u{5d1} <x@example.org>", &format!("{n} {long}")).ago(n * HOUR));
    }
    post.deliver_to(home, mail("Mum <mum@example.org>", "Lunch"));
    post.deliver(mail("Spam <spam@example.org>", "Win").folder(Role::Trash));
    post
}

fn app(post: &Post) -> App {
    let settings = Settings {
        me: me(),
        mark_read_after: None,
        advance: Advance::Next,
        zone: jiff::tz::TimeZone::UTC,
        downloads: post.dir.path().to_owned(),
        senders: Vec::new(),
        keymap: Keymap::new(),
        browser: None,
        opener: None,
        asks: Vec::new(),
    };
    let now = Now { at: Instant::now(), unix: NOW };
    App::new(post.store.reader().unwrap(), settings, now, (100, 30)).unwrap()
}

#[test]
fn every_screen_is_drawn_at_every_size() {
    let post = world();
    for scene in SCENES {
        let mut app = app(&post);
        for key in Key::sequence(scene).unwrap_or_default() {
            app.press(key);
        }
        // What may follow a prefix is shown after a moment.
        app.now.at += Duration::from_secs(1);
        app.tick();
        for (width, height) in WIDTHS.iter().flat_map(|w| HEIGHTS.iter().map(move |h| (*w, *h))) {
            app.resize(width, height);
            let drawn = snapshot(&app, &look("mono", width % 2 == 0));
            assert_eq!(drawn.lines().count(), usize::from(height), "`{scene}` at {width}x{height}");
            app.was_painted();
        }
    }
}

#[test]
fn a_terminal_may_be_resized_in_the_middle_of_anything() {
    let post = world();
    let mut screen = Screen::open(&post);
    let sizes = [(1, 1), (300, 100), (40, 10), (39, 9), (160, 45), (80, 24)];
    for (keys, shown) in [
        ("gi", "Inbox"),
        ("3jvj", "2 selected"),
        ("<Esc>gg<Enter>", "I hope"),
        (":mov", ":mov"),
        ("<Esc>q?", "Keys"),
        ("<Esc>zo", "Inbox"),
    ] {
        screen.keys(keys).until(shown);
        for (width, height) in sizes {
            screen.resize(width, height).keys("jk");
        }
        screen.resize(100, 30).until(shown);
    }
}
