//! What a reader sees of a mail: its prose in the pane, and what is odd about who sent it.

use crate::support::drive::{Screen, Start};
use crate::support::mail::{HOUR, Post, mail};

fn open(post: &Post, width: u16) -> Screen {
    let mut screen = Screen::start(post, Start { width, ..Start::default() });
    screen.until("Notes").keys("<Enter>").until("the tables");
    screen
}

/// The lines that hold text of the mail, without the pane beside it.
fn lines(screen: &Screen) -> Vec<String> {
    let shown = screen.screen();
    let pane = shown.lines().map(|line| line.rsplit('│').next().unwrap_or(line).trim().to_owned());
    pane.skip(5).filter(|line| line.split(' ').count() > 2).collect()
}

#[test]
fn prose_is_wrapped_at_80_however_wide_the_screen() {
    let post = Post::new();
    let words = "and over all the tables ".repeat(20);
    let diff = format!("@@ -1 +1 @@\n+{}\n", "x y ".repeat(28));
    post.deliver(mail("Ada <ada@example.org>", "Notes").body(&format!("{words}\n\n{diff}")));
    let mut screen = open(&post, 200);
    screen.until("+x y x y");
    let lines = lines(&screen);
    let widest = lines.iter().filter(|l| l.contains("over")).map(|l| l.chars().count()).max().unwrap();
    assert!((70..=80).contains(&widest), "{}", screen.screen());
    assert!(lines.iter().any(|l| l.chars().count() > 90), "a patch is as it is: {}", screen.screen());
}

#[test]
fn hard_wrapped_prose_is_no_comb_in_a_narrow_pane() {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Notes").body(
        "the printer would like to have the tables by the end of the month, and\n\
         asks if you could look over them before Friday, as the next issue goes\n\
         to the press on Monday.\n\nRegards,\nAda\n",
    ));
    let mut screen = open(&post, 56);
    screen.until("Regards");
    let narrow = lines(&screen);
    assert!(narrow[..3].iter().all(|l| l.chars().count() > 40), "{}", screen.screen());
    assert_eq!(narrow.len(), 3, "{}", screen.screen());
    // Where there is room its lines are as they were sent.
    screen.resize(100, 30).until("end of the month, and\n");
}

#[test]
fn x6_who_is_not_who_they_say_is_told_beside_the_sender() {
    let post = Post::new();
    post.deliver(mail("\"info@bank.example\" <evil@example.net>", "Notes").body("See the tables.\n"));
    let mut screen = Screen::open(&post);
    // The list shows the real address, too.
    screen.until("evil@example.net").gone("info@bank.example");
    screen.keys("<Enter>").until("→ me").until("! the sender");
    let shown = screen.screen();
    let line = |what: &str| shown.lines().position(|l| l.contains(what)).unwrap_or_else(|| panic!("{shown}"));
    let warning = line("! the sender's name looks like another address: info@bank.example");
    assert_eq!(warning, line("evil@example.net  → me") + 1, "{shown}");
    assert!(warning < line("See the tables."), "{shown}");
}

#[test]
fn x6_several_senders_are_told() {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>, Eve <eve@example.net>", "Notes").body("See the tables.\n"));
    let mut screen = Screen::start(&post, Start { width: 40, height: 10, ..Start::default() });
    screen.until("Notes").keys("<Enter>").until("! it says it comes from more");
}

#[test]
fn x7_what_is_saved_has_the_safe_name_and_ending_of_the_part() {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Notes").body("See the tables.\n").file("../../.bashrc", "x"));
    let mut screen = Screen::open(&post);
    screen.until("Notes").keys("<Enter>").until("→ me").keys("W").until("Saved");
    let saved: Vec<_> = std::fs::read_dir(post.dir.path().join("downloads")).unwrap().collect();
    assert_eq!(saved.len(), 1);
    assert_eq!(saved[0].as_ref().unwrap().file_name(), "bashrc");
}

#[test]
fn what_the_next_key_would_do_is_said_until_the_next_key() {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Notes").body("See the tables.\n"));
    let mut screen = Screen::open(&post);
    screen.until("Notes").keys("<Enter>").until("→ me");
    screen.keys("<Space>").until("The end: Space goes on").keys("q").gone("The end: Space goes on");
}

#[test]
fn a12_what_is_copied_is_shown_and_nobody_claims_that_it_arrived() {
    let post = Post::new();
    let text = "Your sign-in code:\n\n  493 817\n\nOr go to https://example.org/sign-in, it is quicker.\n";
    post.deliver(mail("Ada <ada@example.org>", "Code").id("one@x").body(text).ago(HOUR));
    post.deliver(mail("Grace <grace@example.org>", "Plain").body("Nothing.\n").ago(2 * HOUR));
    let mut screen = Screen::open(&post);
    screen.keys("yy").until("For the clipboard: ada@example.org · if the terminal takes it");
    screen.keys("yi").until("For the clipboard: <one@x>");
    screen.keys("<Enter>").until("it is quicker").keys("yc").until("For the clipboard: 493817");
    screen.keys("yl").until("For the clipboard: https://example.org/sign-in");
    screen.keys("qj<Enter>").until("Nothing.").keys("yl").until("There are no links in this mail");
    screen.keys("gx").until("There are no links").keys("yc").until("There is no code in this mail");
}

#[test]
fn links_are_listed_with_where_they_lead_and_opened_by_the_users_browser() {
    let post = Post::new();
    let text =
        "First https://example.org/a and then http://example.net/b, or write to mailto:ada@example.org\n";
    post.deliver(mail("Ada <ada@example.org>", "Links").body(text));
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>").until("│ mailto:ada").keys("yl").until("y copy");
    screen.keys("jy").until("For the clipboard: http://example.net/b").keys("<Esc>").gone("y copy");
    // No browser writes mail.
    screen.keys("gx").until("y copy").keys("G<Enter>").until("For the clipboard: mailto:ada@example.org");
    let opened = post.dir.path().join("downloads");
    std::fs::create_dir_all(&opened).unwrap();
    screen.keys("gx").until("y copy").keys("<Enter>").until("Opening https://example.org/a");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !opened.join("opened").exists() {
        assert!(std::time::Instant::now() < until, "the browser was not started");
        std::thread::yield_now();
    }
}

#[test]
fn a_mail_is_shown_as_it_came_and_controls_in_it_do_nothing() {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Source").id("one@x").body("H=C3=A9llo \u{1b}[2J\n"));
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>gr").until("Message-ID: <one@x>").until("H=C3=A9llo \u{fffd}[2J");
    screen.keys("gr").gone("Message-ID:").until("today");
    // What is opened is laid out, whatever was shown before.
    screen.keys("gr").until("Message-ID:").keys("q<Enter>").gone("Message-ID:").until("today");
}
