//! Writing on the screen: from a key to the outbox, through an editor, and nothing written is lost on the way.

use std::fs;
use std::time::{Duration, Instant};

use mailtui::model::Draft;

use crate::support::drive::{Screen, Start};
use crate::support::mail::{HOUR, NOW, Post, mail};

fn world(editor: &str) -> Post {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Tables").ago(HOUR));
    fs::write(post.dir.path().join("editor"), editor).unwrap();
    post
}

fn drafts(post: &Post) -> Vec<Draft> {
    post.settle();
    post.store.reader().unwrap().drafts().unwrap().into_iter().map(|kept| kept.draft).collect()
}

/// Waits until the draft that was changed last is as wanted.
#[track_caller]
fn kept(post: &Post, wanted: impl Fn(&Draft) -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !drafts(post).first().is_some_and(&wanted) {
        assert!(Instant::now() < until, "{:?}", drafts(post));
        std::thread::yield_now();
    }
}

/// What goes to whom from the outbox at this time.
fn due(post: &Post, at: i64) -> Vec<(Vec<String>, String)> {
    post.settle();
    let reader = post.store.reader().unwrap();
    let due = reader.due_mail(post.work, at, false, 10).unwrap().into_iter();
    due.map(|due| {
        let raw = reader.raw(due.message, u64::MAX).unwrap();
        (due.to, String::from_utf8(raw).unwrap())
    })
    .collect()
}

const ANSWER: &str = "printf 'Gladly.\\n' > \"$1\"";

#[test]
fn o1_an_answer_goes_from_the_key_through_the_editor_to_the_outbox_and_u_brings_it_back() {
    let post = world(ANSWER);
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("Gladly.").until("Re: Tables").until("ada@example.org");
    kept(&post, |draft| draft.body == "Gladly.\n");
    screen.keys("y").until("Sending in 10s").at("Tables");
    assert_eq!(due(&post, NOW), [], "it can be taken back");
    screen.keys("u").until("Gladly.").until("y send");
    assert_eq!(due(&post, NOW + HOUR), []);
    screen.keys("y").until("Sending in 10s");
    let sent = due(&post, NOW + 10);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, ["ada@example.org"]);
    assert!(sent[0].1.contains("\r\nIn-Reply-To: <m1@example.org>\r\n") && sent[0].1.contains("Gladly."));
    assert_eq!(drafts(&post), [], "it is on its way out");
}

#[test]
fn a5_an_answer_from_a_closed_row_goes_to_the_newest_mail_that_is_not_mine() {
    let post = world(ANSWER);
    let first = post.deliver(mail("Eve <eve@example.org>", "Chairs").id("chairs@example.org").ago(600));
    assert!(!first.is_empty());
    let own = mail("Robin <robin@example.org>", "Re: Chairs").to("grace@example.org");
    post.deliver(own.id("own@example.org").answers("chairs@example.org").ago(300));
    let mut screen = Screen::open(&post);
    screen.until("Chairs").keys("r").until("Gladly.").until("eve@example.org");
    kept(&post, |draft| draft.to.contains("eve@example.org") && !draft.to.contains("grace"));
    assert_eq!(drafts(&post)[0].references.last().map(String::as_str), Some("chairs@example.org"));
}

#[test]
fn the_page_of_a_draft_at_every_size() {
    let text = "Dear Ada,\\n\\nthank you. Shall we print them in the next issue?\\n\\n> On Monday you wrote:\\n>> once\\n";
    let shot = |width, height| {
        let post = world(&format!("printf '{text}' > \"$1\""));
        let mut screen = Screen::start(&post, Start { width, height, ..Start::default() });
        screen.until("Tables").keys("r").until("Dear Ada").screen()
    };
    insta::assert_snapshot!("draft_160x45", shot(160, 45));
    insta::assert_snapshot!("draft_100x30", shot(100, 30));
    insta::assert_snapshot!("draft_80x24", shot(80, 24));
    insta::assert_snapshot!("draft_40x10", shot(40, 10));
}

#[test]
fn o5_a_new_mail_has_its_fields_in_the_editor_and_on_its_page() {
    let post = world("sed -i 's/^To:.*/To: grace@example.org/' \"$1\"; echo Hello >> \"$1\"");
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("c").until("grace@example.org").until("Hello");
    screen.keys("s").until(":subject").keys("Compilers<Enter>").until("Subject   Compilers");
    screen.keys("ceve@example.org<Enter>").until("Cc        eve@example.org");
    screen.keys("c<C-u>cc<Space>-<Enter>").gone("eve@example.org");
    // Left without a question, and gone on with.
    screen.keys("q").until("Kept as a draft").at("Tables").keys(":resume<Enter>").until("Compilers");
    kept(&post, |draft| draft.subject == "Compilers");
    screen.keys("X").until("The draft is in Trash");
    assert_eq!(drafts(&post), []);
}

#[test]
fn o5_an_editor_that_fails_or_leaves_nothing_loses_nothing() {
    let post = world(ANSWER);
    let editor = |script: &str| fs::write(post.dir.path().join("editor"), script).unwrap();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("Gladly.");
    editor(": > \"$1\"");
    screen.keys("e").until("the editor left nothing: the draft is as it was").until("Gladly.");
    editor("echo Half >> \"$1\"; kill -9 $$");
    screen.keys("e").until("the editor failed").until("Gladly.");
    kept(&post, |draft| draft.body == "Gladly.\n");
    let aside = fs::read_dir(post.dir.path().join("drafts")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(aside).unwrap(), "Gladly.\nHalf\n");
}

#[test]
fn o5_what_an_editor_wrote_that_was_cut_off_with_the_program_is_taken_over() {
    let post = world(ANSWER);
    Screen::open(&post).until("Tables").keys("r").until("Gladly.").keys("q").until("Kept as a draft");
    let id = post.store.reader().unwrap().drafts().unwrap()[0].id;
    fs::write(post.dir.path().join(format!("drafts/{}.txt", id.0)), "Gladly, and soon.\n").unwrap();
    let mut screen = Screen::open(&post);
    screen.until("1 draft unfinished").keys(":resume<Enter>").until("Gladly, and soon.");
    kept(&post, |draft| draft.body == "Gladly, and soon.\n");
}

#[test]
fn o6_a_mail_to_nobody_is_not_sent() {
    let post = world("echo Hello >> \"$1\"");
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("c").until("Hello").keys("y").until("the mail goes to nobody yet");
    screen.keys("t").until(":to").keys("nonsense<Enter>").until("To        nonsense").keys("y");
    screen.until("! the mail has no subject").until("y again sends it as it is").keys("y");
    screen.when("an error, and the page stays", |text| text.contains("nonsense") && text.contains("address"));
    assert_eq!(due(&post, NOW + HOUR), []);
}

#[test]
fn o6_what_is_odd_is_said_first_and_one_key_sends_anyway() {
    let post = world("printf 'See attached.\\n' > \"$1\"");
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("See attached.").keys("y");
    screen.until("! the text says").until("y again sends it as it is");
    assert_eq!(due(&post, NOW + HOUR), []);
    // Who changes something is asked anew.
    screen.keys("s<Space>again<Enter>").until("Re: Tables again").gone("! the text says");
    screen.keys("y").until("! the text says").keys("y").until("Sending in 10s");
    assert_eq!(due(&post, NOW + HOUR).len(), 1);
}

#[test]
fn o5_an_editor_beside_the_screen_leaves_the_mail_readable_and_brings_the_text_when_it_ends() {
    let post = world("read word < \"$(dirname \"$0\")/gate\"; echo \"$word\" > \"$1\"");
    fs::write(post.dir.path().join("aside"), "").unwrap();
    let gate = post.dir.path().join("gate");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("r").until("In the editor: what is written there");
    screen.keys("e").until("It is in the editor already").keys("y").until("it is still in the editor");
    // What is said on its page meanwhile stays, and the mail is to be read.
    screen.keys("s<Space>soon<Enter>").until("Re: Tables soon").keys("gt").at("Tables").until("1 draft open");
    fs::write(&gate, "Gladly.\n").unwrap();
    kept(&post, |draft| draft.body == "Gladly.\n" && draft.subject == "Re: Tables soon");
    screen.keys("gt").until("Gladly.").gone("In the editor");
    // Left before it ends.
    screen.keys("e").until("In the editor").keys("q").at("Tables");
    fs::write(&gate, "Gladly, and soon.\n").unwrap();
    kept(&post, |draft| draft.body == "Gladly, and soon.\n");
    assert_eq!(drafts(&post).len(), 1);
}
