//! What a server still holds of a maildrop, on the screen, and how it is taken off it (promise P14).

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{packed, popped};
use crate::support::drive::{Screen, Start};
use crate::support::mail::{DAY, HOUR, NOW, Post, mail};

/// A mailbox on a server, and a maildrop that holds `bytes` in 1,204 mails of which three are here.
fn post(bytes: u64) -> (Post, AccountId) {
    let post = Post::new();
    let home = post.home();
    post.deliver(mail("Ada <ada@example.org>", "Tables").ago(HOUR));
    let inbox = post.folder(home, Role::Inbox);
    let bring = |n: i64| {
        let mut mail = popped(inbox, u32::try_from(n).unwrap());
        (mail.received, mail.size) = (NOW - n * 100 * DAY, 400_000);
        mail.body = Some(packed(format!("Subject: {n}\r\n\r\n{n}\r\n").as_bytes()));
        Step::Message(Box::new(mail))
    };
    let drop = |messages, bytes| Step::Maildrop(Maildrop { messages, bytes, ..Maildrop::default() });
    let mut steps: Vec<Step> = (1..=3).map(bring).collect();
    let uidls = (1..=3).map(|n| format!("uidl-{n}")).collect();
    steps.push(Step::Listing { uidls, complete: true });
    steps.push(drop(1204, bytes));
    let expires = Maildrop { messages: 1204, bytes, expires: Some(60), ..Maildrop::default() };
    steps.push(Step::Maildrop(expires));
    post.store.commit(Batch { account: home, steps }).unwrap();
    (post, home)
}

fn start(post: &Post, width: u16, height: u16) -> Screen {
    let mut screen = Screen::start(post, Start { width, height, ..Start::default() });
    screen.until("Tables");
    screen
}

#[test]
fn p14_the_page_of_the_accounts_tells_what_the_server_holds() {
    let (post, _) = post(620_000_000);
    let shot = |width, height| {
        let mut screen = start(&post, width, height);
        screen.keys("gSj<Enter>").until("takes off it").screen()
    };
    insta::assert_snapshot!("maildrop_80x24", shot(80, 24));
    insta::assert_snapshot!("maildrop_160x45", shot(160, 45));
    // No more than what is known: nothing is large here.
    let (post, _) = self::post(35_000_000);
    let mut screen = start(&post, 80, 24);
    screen.keys("gSj").until("35 MB there").gone("makes room");
}

#[test]
fn p14_a_cleanup_asks_with_counts_and_waits_for_its_server() {
    let (post, home) = post(620_000_000);
    let waits = || {
        post.settle();
        post.store.reader().unwrap().waiting(home).unwrap().deletions
    };
    let mut screen = start(&post, 80, 24);
    // Of a mailbox there is nothing to take off.
    screen.keys("gigu").until("Tables").keys("gSgg:server-cleanup<Enter>");
    screen.until("work has no maildrop: only POP3 accounts do");
    screen.keys("j:server-cleanup<Enter>").until("3 mails, 51 B on the server of home? They stay here. y/n");
    insta::assert_snapshot!("cleanup_80x24", screen.screen());
    screen.keys("n").until("Nothing was done");
    assert_eq!(waits(), 0);
    screen.keys(":server-cleanup<Enter>").until("They stay here. y/n").keys("y");
    screen.until("3 mails go from the server and stay here");
    assert_eq!(waits(), 3);
    // The page lists it, and it can be given up there.
    screen
        .keys("G")
        .at("3 mails go from the server and stay here")
        .keys("Dy")
        .until("3 mails stay on the server");
    assert_eq!(waits(), 0);
    // What nobody looked at yet is not guessed at.
    let other = Post::new();
    other.home();
    other.deliver(mail("Ada <ada@example.org>", "Tables").ago(HOUR));
    start(&other, 80, 24)
        .keys("gSggj:server-cleanup<Enter>")
        .until("The server of home was not looked at yet");
}
