//! What is asked, found and waited for, at every size.

use crate::screens::shot;

/// The screen after some keys, at four sizes, once it shows a text.
fn shots(name: &str, keys: &str, until: &str) {
    for (width, height) in [(160, 45), (100, 30), (80, 24), (40, 10)] {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), shot(width, height, keys, until));
    }
}

#[test]
fn the_palette_at_every_size() {
    shots("palette", "<C-p>junk", "Go to the junk");
}

#[test]
fn a_time_is_asked_for_at_every_size() {
    shots("snooze", "jH", ":snooze");
}

#[test]
fn a_folder_is_asked_for_at_every_size() {
    shots("move", "jm", ":move");
}

#[test]
fn orders_are_offered_at_every_size() {
    shots("orders", "o", "subject");
}

#[test]
fn what_waits_at_every_size() {
    shots("waiting", "gS", "waits");
}

#[test]
fn the_mail_as_it_came_at_every_size() {
    shots("raw", "j<Enter>gr", "Subject: ");
}
