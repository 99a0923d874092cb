//! The outbox on the screen: what waits to be sent and why, taking a mail back, and leaving while mail waits.

use mailtui::mime;
use mailtui::model::{Address, Matter};
use mailtui::store::outbox::{Frozen, Step};
use mailtui::store::{Packed, Packer, Standing};

use crate::support::drive::{Screen, Start};
use crate::support::mail::{HOUR, MINUTE, NOW, Post, mail};

/// Puts a mail into the outbox of `work`; its row.
fn send(post: &Post, subject: &str, to: &[&str], send_at: i64) -> i64 {
    let raw = format!(
        "From: Robin <robin@example.org>\r\nTo: {}\r\nSubject: {subject}\r\nMessage-ID: <{send_at}.{subject}@x>\r\n\r\nHello\r\n",
        to.join(", ")
    );
    let raw = raw.as_bytes();
    let facts = mime::facts(raw);
    let mut packer = Packer::new().unwrap();
    let mut chunks = packer.push(raw).unwrap();
    let (last, size, sha256) = packer.finish().unwrap();
    chunks.extend(last);
    let person = |addr: &&str| Address { name: String::new(), addr: (*addr).to_owned() };
    post.store
        .post(Frozen {
            account: post.work,
            envelope: mime::envelope(mime::header_block(raw)),
            body: Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments },
            from: "robin@example.org".to_owned(),
            to: to.iter().map(person).collect(),
            answers: None,
            send_at,
            eight_bit: false,
            files: true,
            draft: None,
        })
        .unwrap()
}

fn step(post: &Post, id: i64, step: Step) {
    assert!(post.store.step_out(id, step).unwrap());
}

fn dot(post: &Post, id: i64, to: &[&str]) {
    step(post, id, Step::Dot(to.iter().map(|addr| (*addr).to_owned()).collect()));
}

fn taken(post: &Post, id: i64, refused: &[(&str, &str)]) {
    let told = |(addr, why): &(&str, &str)| ((*addr).to_owned(), Some((*why).to_owned()));
    let refused = refused.iter().map(told).collect();
    step(post, id, Step::Taken { refused, later: Vec::new(), retry_at: NOW });
}

/// How a mail stands; `None`: it is not in the outbox any more.
fn standing(post: &Post, id: i64) -> Option<Standing> {
    post.settle();
    post.store.reader().unwrap().matter(Matter::Outgoing(id)).unwrap().map(|entry| entry.standing)
}

fn due(post: &Post, id: i64) -> bool {
    post.settle();
    post.store.reader().unwrap().due_mail(post.work, NOW, false, 10).unwrap().iter().any(|due| due.id == id)
}

fn world() -> Post {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Tables").ago(HOUR));
    post
}

/// One of every kind: unsure, partly refused, put off, for tomorrow.
fn busy() -> Post {
    let post = world();
    let (ada, mary) = ("ada@example.org", "mary@example.org");
    let unsure = send(&post, "Minutes of Monday", &[ada], NOW - HOUR);
    dot(&post, unsure, &[ada]);
    step(&post, unsure, Step::Unsure("the line was cut before the server answered".to_owned()));
    let refused = send(&post, "Notes on the engine", &[ada, mary], NOW - 5 * MINUTE);
    dot(&post, refused, &[ada]);
    taken(&post, refused, &[(mary, "550 5.1.1 unknown user")]);
    let later = send(&post, "Travel plans", &[ada], NOW - 4 * MINUTE);
    let error = "smtp.example.org did not answer in time".to_owned();
    step(&post, later, Step::Later { error, refused: Vec::new(), retry_at: NOW + 90 });
    send(&post, "Happy birthday", &[mary], NOW + 16 * HOUR);
    post
}

#[test]
fn o2_o3_the_outbox_at_every_size() {
    let post = busy();
    let shot = |width, height, until: &str| {
        let mut screen = Screen::start(&post, Start { width, height, ..Start::default() });
        screen.until("Tables").keys("go").until("What waits").keys("j").until(until).screen()
    };
    insta::assert_snapshot!("outbox_160x45", shot(160, 45, "550 5.1.1"));
    insta::assert_snapshot!("outbox_100x30", shot(100, 30, "550 5.1.1"));
    insta::assert_snapshot!("outbox_80x24", shot(80, 24, "550 5.1.1"));
    insta::assert_snapshot!("outbox_40x10", shot(40, 10, "2 people:"));
}

#[test]
fn o2_each_kind_says_what_can_be_done_about_it() {
    let post = busy();
    let mut screen = Screen::open(&post);
    screen.until("Outbox").keys("go").at("unsure").until("it arrived").until("send again");
    // It may have arrived: to send it again is asked first, and n leaves it as it is.
    screen.keys("r").until("Send “Minutes of Monday” again, though it may have arrived? y/n").keys("n");
    screen.until("Nothing was done").keys("h").until("Only for a mail that would be sent by itself");
    screen.keys("a").until("The mail counts as sent").gone("unsure");
    // Who has it is told apart from who was refused, and only the latter get it again.
    screen.at("failed").until("has it    ada@example.org").until("refused   mary@example.org  550");
    screen.keys("a").until("Only for a mail of which it is not known");
    screen.keys("r").until("Queued again").keys("q").gone("What waits");
    let reader = post.store.reader().unwrap();
    let to: Vec<_> =
        reader.due_mail(post.work, NOW, false, 10).unwrap().into_iter().map(|due| due.to).collect();
    assert_eq!(to, [["mary@example.org"]]);
}

#[test]
fn o1_a_mail_counts_down_and_u_holds_it_back() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen.until("Tables");
    let id = send(&post, "Lunch", &["ada@example.org"], NOW + 7);
    screen.until("Sending in 7s · u takes it back  Lunch").keys("u");
    screen.until("Held back in the outbox until you send it").gone("Sending in 7s");
    assert!(!due(&post, id));
    screen.keys("go").at("held back").keys("r").until("Queued again").keys("q").gone("What waits");
    assert!(due(&post, id), "it is sent when the user says so");
}

#[test]
fn a1_after_something_newer_u_means_that() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen.until("Tables");
    send(&post, "Lunch", &["ada@example.org"], NOW + 9);
    screen.until("u takes it back").keys("s").until("Starred 1").keys("u").until("Undid: starred 1");
    // The mail still goes, and is called back in the outbox.
    screen.keys("go").at("in 9s").keys("h").at("held back");
}

#[test]
fn o7_what_waits_ten_minutes_past_its_time_is_on_the_first_screen() {
    let post = world();
    send(&post, "Lunch", &["ada@example.org"], NOW - 12 * MINUTE);
    Screen::open(&post).until("! 1 mail waits 12m go");
    Screen::start(&post, Start { width: 80, height: 24, ..Start::default() }).until("! 1 unsent go");
    let fresh = world();
    send(&fresh, "Lunch", &["ada@example.org"], NOW - 9 * MINUTE);
    Screen::open(&fresh).until("1 queued").gone("waits");
}

#[test]
fn o7_who_quits_has_the_mail_sent_first() {
    let post = world();
    let id = send(&post, "Lunch", &["ada@example.org"], NOW + 9);
    let mut screen = Screen::open(&post);
    screen.until("Sending in 9s").keys("ZZ").until("Sending 1 mail before leaving");
    assert!(due(&post, id), "its undo window is over");
    dot(&post, id, &["ada@example.org"]);
    screen.until("Sending 1 mail before leaving");
    taken(&post, id, &[]);
    screen.ended().unwrap();
    assert_eq!(standing(&post, id), None);
}

#[test]
fn o7_esc_leaves_the_mail_in_the_outbox() {
    let post = world();
    let id = send(&post, "Lunch", &["ada@example.org"], NOW);
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("qq").until("Sending 1 mail before leaving").keys("<Esc>");
    screen.ended().unwrap();
    assert_eq!(standing(&post, id), Some(Standing::Queued));
}

#[test]
fn o7_what_could_not_be_sent_keeps_the_screen_open_and_says_why() {
    let post = world();
    let id = send(&post, "Lunch", &["ada@example.org"], NOW);
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("ZZ").until("Sending 1 mail before leaving");
    let error = "no way to the server".to_owned();
    step(&post, id, Step::Later { error, refused: Vec::new(), retry_at: NOW + 90 });
    screen.until("not sent: no way to the server").until("ZZ again leaves it there").keys("ZZ");
    screen.ended().unwrap();
}

#[test]
fn o7_what_is_for_later_is_no_reason_to_stay() {
    let post = world();
    send(&post, "Happy birthday", &["ada@example.org"], NOW + 16 * HOUR);
    let mut screen = Screen::open(&post);
    screen.until("Tables").gone("Sending in").keys("ZZ");
    screen.ended().unwrap();
}

#[test]
fn o1_a_mail_is_given_another_time() {
    let post = world();
    let id = send(&post, "Lunch", &["ada@example.org"], NOW);
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("go").at("queued").keys("Y").until(":send-at").keys("tomorrow<Space>8");
    screen.until("8:00").keys("<Enter>").until("To be sent").at("in 15h");
    assert!(!due(&post, id));
    screen.keys(":send-at<Space>yesterday<Enter>").until("is no time").at("in 15h");
}

#[test]
fn o7_at_once_is_no_time_long_ago() {
    let post = world();
    let id = send(&post, "Lunch", &["ada@example.org"], 0);
    assert!(due(&post, id));
    Screen::open(&post).until("1 queued").gone("waits");
}
