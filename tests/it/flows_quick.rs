//! Mail without the editor: an answer under the mail, a mail passed on as it is, one taken out of the outbox.

use std::fs;

use mailtui::mime;
use mailtui::model::{Address, Draft};
use mailtui::store::outbox::{Frozen, Step};
use mailtui::store::{Packed, Packer};

use crate::support::drive::{Screen, Start};
use crate::support::mail::{HOUR, NOW, Post, mail};

fn world() -> Post {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Tables").body("Shall we print them?").ago(HOUR));
    fs::write(post.dir.path().join("editor"), "printf 'Gladly.\\n' > \"$1\"").unwrap();
    let grace = Address { name: "Grace Hopper".to_owned(), addr: "grace@example.org".to_owned() };
    post.store.learn(vec![grace]).unwrap();
    post
}

fn due(post: &Post, at: i64) -> Vec<(Vec<String>, String)> {
    post.settle();
    let reader = post.store.reader().unwrap();
    let due = reader.due_mail(post.work, at, false, 10).unwrap().into_iter();
    due.map(|due| (due.to, String::from_utf8(reader.raw(due.message, u64::MAX).unwrap()).unwrap())).collect()
}

fn drafts(post: &Post) -> Vec<Draft> {
    post.settle();
    post.store.reader().unwrap().drafts().unwrap().into_iter().map(|kept| kept.draft).collect()
}

/// A mail that was made of no draft, with a file, for two people.
fn send(post: &Post, send_at: i64) -> i64 {
    let raw = "From: Robin <robin@example.org>\r\nTo: ada@example.org, mary@example.org\r\nSubject: Minutes\r\n\
        Message-ID: <1@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n\
        Content-Type: text/csv\r\nContent-Disposition: attachment; filename=\"a.csv\"\r\n\r\n1,2\r\n--b--\r\n";
    let (raw, facts) = (raw.as_bytes(), mime::facts(raw.as_bytes()));
    let mut packer = Packer::new().unwrap();
    let mut chunks = packer.push(raw).unwrap();
    let (last, size, sha256) = packer.finish().unwrap();
    chunks.extend(last);
    let person = |addr: &str| Address { name: String::new(), addr: addr.to_owned() };
    post.store
        .post(Frozen {
            account: post.work,
            envelope: mime::envelope(mime::header_block(raw)),
            body: Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments },
            from: "robin@example.org".to_owned(),
            to: vec![person("ada@example.org"), person("mary@example.org")],
            answers: None,
            send_at,
            eight_bit: false,
            files: true,
            draft: None,
        })
        .unwrap()
}

#[test]
fn a_quick_answer_is_written_under_the_mail_and_sent_from_its_page() {
    let post = world();
    let mut screen = Screen::start(&post, Start { width: 80, height: 24, ..Start::default() });
    screen.until("Tables").keys("<Enter>").until("Shall we print").keys("I");
    screen.until("Answer to Ada <ada@example.org>").keys("Yes,<Enter>please<Space>qdX.").until("please qdX.");
    insta::assert_snapshot!("quick_80x24", screen.until("Shall we print").screen());
    screen.paste("\u{1b}[31mred\r\nlines").until("[31mred").keys("<Esc>");
    screen.until("Subject   Re: Tables").until("Yes,").keys("y").until("Sending in 10s");
    let sent = due(&post, NOW + 10);
    assert_eq!(sent[0].0, ["ada@example.org"]);
    assert!(sent[0].1.contains("Yes,\r\nplease qdX. [31mred\r\nlines\r\n"), "{}", sent[0].1);
    // Nothing written leaves nothing behind.
    screen.keys("I").until("Answer to").keys("<Esc>").until("Nothing was written").gone("Answer to");
    assert_eq!(drafts(&post), []);
}

#[test]
fn o5_a_quick_answer_is_kept_while_it_is_written_and_when_the_line_is_cut() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("I").until("Answer to Ada").keys("Half");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !drafts(&post).first().is_some_and(|draft| draft.body.contains("Half")) {
        assert!(std::time::Instant::now() < until, "{:?}", drafts(&post));
        std::thread::yield_now();
    }
    screen.keys("<Space>a<Space>word").until("Half a word");
    drop(screen);
    let left = drafts(&post);
    assert_eq!((left.len(), left[0].body.matches("Half a word").count()), (1, 1), "{left:?}");
}

#[test]
fn a_mail_is_passed_on_as_it_is_after_a_question_and_held_back_with_u() {
    let post = world();
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("B").until(":bounce").keys("hop<Tab><Enter>");
    screen.until("Send “Tables” on to Grace Hopper <grace@example.org>, as it is? y/n").keys("n");
    screen.until("Nothing was done");
    assert_eq!(due(&post, NOW + HOUR), []);
    screen.keys("Bgrace@example.org<Enter>y").until("Sending in 10s · u takes it back");
    let sent = due(&post, NOW + 10);
    assert_eq!(sent[0].0, ["grace@example.org"]);
    assert!(sent[0].1.starts_with("Resent-From: Robin <robin@example.org>\r\n"), "{}", sent[0].1);
    assert!(
        sent[0].1.contains("\r\nFrom: Ada <ada@example.org>\r\n") && sent[0].1.contains("Shall we print")
    );
    screen.keys("u").until("Held back in the outbox");
    assert_eq!(due(&post, NOW + HOUR), []);
    screen.keys("Bnonsense<Enter>").until("as it is? y/n").keys("y").until("is not an address");
}

#[test]
fn o2_a_mail_for_later_is_written_anew_with_its_files() {
    let post = world();
    send(&post, NOW + 16 * HOUR);
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("go").until("E edit").keys("E").until("Subject   Minutes").until("Hello");
    screen.until("To        ada@example.org, mary@example.org").until("Attached  a.csv  3 B");
    assert_eq!(due(&post, NOW + 48 * HOUR), []);
    screen.keys("y").until("Sending in 10s");
    let sent = due(&post, NOW + 10);
    assert_eq!((sent.len(), sent[0].0.len()), (1, 2));
    assert!(sent[0].1.contains("a.csv"));
}

#[test]
fn o3_a_mail_that_some_have_is_written_anew_for_the_others() {
    let post = world();
    let id = send(&post, NOW - HOUR);
    let to = |addr: &str| vec![addr.to_owned()];
    assert!(post.store.step_out(id, Step::Dot(to("ada@example.org"))).unwrap());
    let refused = vec![("mary@example.org".to_owned(), Some("550 unknown user".to_owned()))];
    assert!(post.store.step_out(id, Step::Taken { refused, later: Vec::new(), retry_at: NOW }).unwrap());
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("go").at("failed").keys("E").until("To        mary@example.org");
    screen.until("a.csv").keys("y").until("Sending in 10s");
    assert_eq!(
        due(&post, NOW + 10).iter().map(|sent| sent.0.clone()).collect::<Vec<_>>(),
        [["mary@example.org"]]
    );
    // What the others have stays in Sent.
    screen.keys("gs").at("Minutes");
}

#[test]
fn o2_a_mail_that_may_have_arrived_is_not_written_anew_before_that_is_said() {
    let post = world();
    let id = send(&post, NOW - HOUR);
    assert!(post.store.step_out(id, Step::Dot(vec!["ada@example.org".to_owned()])).unwrap());
    assert!(post.store.step_out(id, Step::Unsure("the line was cut".to_owned())).unwrap());
    let mut screen = Screen::open(&post);
    screen.until("Tables").keys("go").at("unsure").keys("E").until("It may have arrived: say first");
    assert_eq!(drafts(&post), []);
}
