//! Keys in: which mails of a row they act on, and which of them count as read.

use std::time::Duration;

use mailtui::app::effect::Effect;
use mailtui::app::key::Key;
use mailtui::app::keymap::Keymap;
use mailtui::app::{App, Now, Settings};
use mailtui::config::Advance;
use mailtui::model::{Flags, Intent, Role, Target};
use mailtui::store::Changed;

use crate::flows::{plain, rows, subjects, thread, unread};
use crate::support::drive::{Screen, Start, me};
use crate::support::mail::{HOUR, MINUTE, NOW, Post, mail};

/// The state of the screen without its loop, so that what comes between a frame and a key is certain.
struct Still {
    app: App,
    changes: std::sync::mpsc::Receiver<Changed>,
}

impl Still {
    fn new(post: &Post) -> Self {
        let (tell, changes) = std::sync::mpsc::channel();
        post.store.subscribe(Box::new(move |changed| drop(tell.send(changed.clone()))));
        let settings = Settings {
            me: me(),
            mark_read_after: None,
            advance: Advance::Next,
            zone: jiff::tz::TimeZone::UTC,
            downloads: post.dir.path().to_owned(),
            senders: Vec::new(),
            browser: None,
            opener: None,
            keymap: Keymap::new(),
            asks: Vec::new(),
        };
        let now = Now { at: std::time::Instant::now(), unix: NOW };
        let mut app = App::new(post.store.reader().unwrap(), settings, now, (100, 30)).unwrap();
        app.was_painted();
        Self { app, changes }
    }

    /// Tells everything that the store did.
    fn hear(&mut self) {
        for changed in self.changes.try_iter() {
            self.app.on_changed(changed);
        }
    }

    /// The intents that keys ask for.
    fn keys(&mut self, written: &str) -> Vec<Intent> {
        let keys = Key::sequence(written).unwrap();
        let effects = keys.into_iter().flat_map(|key| self.app.press(key));
        let intents = effects.filter_map(|e| match e {
            Effect::Intend(intent) => Some(intent),
            _ => None,
        });
        intents.collect()
    }
}

#[test]
fn a5_a_closed_row_acts_on_what_was_counted_when_it_was_painted() {
    let post = thread();
    let mut still = Still::new(&post);
    let counted: Vec<_> = rows(&post, Role::Inbox)[0].members.iter().map(|m| m.placement).collect();
    // It arrives after the frame and before the key: the key does not mean it.
    post.deliver(mail("Late <late@example.org>", "Re: Engine").id("four@x").answers("three@x").ago(MINUTE));
    still.hear();
    assert_eq!(rows(&post, Role::Inbox)[0].members.len(), 4);
    let trash = Target::Role(Role::Trash);
    assert_eq!(still.keys("d"), [Intent::Move { items: counted, to: trash }]);
}

#[test]
fn a5_copies_elsewhere_are_left_alone() {
    let post = thread();
    post.deliver(
        mail("Robin <robin@example.org>", "Re: Engine")
            .answers("one@x")
            .folder(Role::Sent)
            .seen()
            .ago(4 * HOUR),
    );
    let mut screen = Screen::open(&post);
    screen.at("  Engine").keys("d").until("Moved 3 to Trash");
    assert_eq!(subjects(&post, Role::Sent), ["Re: Engine"]);
}

#[test]
fn a5_unfolded_rows_and_the_reader_act_on_one_mail() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("zo").at("Charles").keys("jd").until("Moved 1 to Trash");
    assert_eq!(rows(&post, Role::Trash).len(), 1);
    screen.keys("u").until("Undid").keys("zc").at("3  Engine");
    screen.keys("<Enter>").until("The first.").keys("d").until("The second.");
    assert_eq!(rows(&post, Role::Inbox)[0].members.len(), 2);
    screen.keys("Va").until("Archived 2");
    assert_eq!(rows(&post, Role::Archive)[0].members.len(), 2);
}

#[test]
fn a5_nothing_is_done_when_the_list_changed_under_the_cursor() {
    let post = plain(3);
    let mut still = Still::new(&post);
    still.keys("j");
    still.app.was_painted();
    // Someone else takes the mail away, and the key comes before a frame has shown that.
    let placement = rows(&post, Role::Inbox)[1].head.placement;
    post.store.intend_wait(Intent::Move { items: vec![placement], to: Target::Role(Role::Archive) }).unwrap();
    still.hear();
    assert_eq!(still.keys("d"), []);
    assert!(still.app.notice.as_ref().is_some_and(|n| n.text.as_str().contains("nothing was done")));
    still.app.was_painted();
    assert_eq!(still.keys("d").len(), 1);
}

#[test]
fn a5_star_takes_the_newest() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("s").until("★");
    let starred: Vec<_> =
        rows(&post, Role::Inbox)[0].members.iter().map(|m| m.flags.has(Flags::FLAGGED)).collect();
    assert_eq!(starred, [true, false, false]);
}

#[test]
fn a6_opening_reads_and_moving_does_not() {
    let post = plain(6);
    let mut screen = Screen::start(&post, Start { width: 160, height: 45, ..Start::default() });
    screen.keys("jjjj").at("Topic 5.").until("About topic 5..");
    assert_eq!(unread(&post).len(), 6);
    screen.keys("<Enter>").when("read", |s| s.contains("5 unread"));
    assert_eq!(unread(&post), ["Topic 1.", "Topic 2.", "Topic 3.", "Topic 4.", "Topic 6."]);
}

#[test]
fn a6_the_preview_reads_what_rests_in_it() {
    let post = plain(6);
    let wait = Some(Duration::from_millis(40));
    let mut screen =
        Screen::start(&post, Start { width: 160, height: 45, mark_read_after: wait, ..Start::default() });
    // Untouched, the screen marks nothing: the first key begins.
    screen.until("About topic 1..").keys("jjjj").at("Topic 5.").when("read", |s| s.contains("5 unread"));
    assert!(!unread(&post).contains(&"Topic 5.".to_owned()));
    assert!(unread(&post).contains(&"Topic 3.".to_owned()), "passed by, not read");
}

#[test]
fn a6_in_a_conversation_only_what_was_shown_is_read() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen
        .keys("<Enter>")
        .until("The first.")
        .until("1 of 3")
        .keys("q")
        .when("read", |s| s.contains("4 unread"));
    assert_eq!(unread(&post).len(), 4);
    screen.keys("<Enter>").until("The second.").keys("J").until("The third.").keys("q").until("2 unread");
}

#[test]
fn a6_what_is_marked_unread_in_the_reader_stays_so() {
    let post = plain(2);
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>").until("About topic 1.").keys("q").until("1 unread");
    screen.keys("<Enter>").until("About topic 1.").keys("U").until("Marked").keys("q").until("2 unread");
    assert_eq!(unread(&post).len(), 2);
}
