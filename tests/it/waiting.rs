//! The page of what waits, as it is seen and used.

use mailtui::model::*;
use mailtui::store::*;

use crate::support::drive::{Screen, Start};
use crate::support::mail::{DAY, HOUR, NOW, Post, mail};

fn inbox(post: &Post) -> Vec<PlacementId> {
    let folder = post.folder(post.work, Role::Inbox);
    let rows = post.store.reader().unwrap().page(View::Folder(folder), Edge::Top, 500).unwrap().rows;
    rows.iter().flat_map(|row| row.members.iter().map(|m| m.placement)).collect()
}

fn act(post: &Post, intent: Intent) {
    assert_eq!(post.store.intend_wait(intent).unwrap().error, None);
}

fn commit(post: &Post, account: AccountId, steps: Vec<Step>) {
    post.store.commit(Batch { account, steps }).unwrap();
}

fn waits(post: &Post) -> Vec<String> {
    post.settle();
    let entries = post.store.reader().unwrap().ledger(post.work, None, 1000).unwrap();
    entries.iter().map(|entry| entry.what.to_string()).collect()
}

/// Two accounts, one in trouble; a refusal, something tried again, a folder whose changes are held back.
fn troubled() -> Post {
    let post = Post::new();
    let home = post.home();
    for n in 1..=6 {
        post.deliver(mail(&format!("Person {n} <p{n}@example.org>"), &format!("Topic {n}.")).ago(n * HOUR));
    }
    for n in 1..=24 {
        post.deliver(
            mail("rust <rust@example.org>", &format!("Crate {n}")).folder(Role::Archive).ago(n * DAY),
        );
    }
    let copies = inbox(&post);
    act(&post, Intent::Move { items: copies[..3].to_vec(), to: Target::Role(Role::Archive) });
    act(
        &post,
        Intent::Flag { items: vec![copies[3]], delta: FlagDelta::add(Flags::FLAGGED), undoable: true },
    );
    act(&post, Intent::Purge { items: vec![copies[4]] });
    let ops = post.store.reader().unwrap().ops(post.work, i64::MAX, 10).unwrap();
    let fail = |op: OpId, error: &str, retry_at| {
        let error = error.to_owned();
        commit(&post, post.work, vec![Step::OpRunning(op), Step::OpFailed { op, error, retry_at }]);
    };
    fail(ops[0].id, "the server does not allow that in this folder: [NOPERM] no", None);
    fail(ops[1].id, "the server did not answer in time", Some(NOW + 120));
    let archive = post.folder(post.work, Role::Archive);
    let uids = post.store.reader().unwrap().uids(archive).unwrap().iter().collect();
    commit(&post, post.work, vec![Step::Vanished { folder: archive, uids, certain: false }]);
    let step = Step::Fares(Fares {
        state: Some(("in step", String::new())),
        in_step: true,
        bytes_in: 1_200_000,
        bytes_out: 0,
    });
    let about = About {
        server: mailtui::text::Clean::fixed("Dovecot 2.3.19"),
        quota: Some(Quota { used: 14 << 30, limit: 15 << 30 }),
    };
    commit(&post, post.work, vec![step, Step::About(about)]);
    let trouble = "home.example refused user or password; change the password where it comes from".to_owned();
    commit(&post, home, vec![Step::Fares(Fares { state: Some(("paused", trouble)), ..Fares::default() })]);
    post
}

#[test]
fn a2_what_waits_at_every_size() {
    let post = troubled();
    let shot = |width, height, keys: &str, until: &str| {
        let mut screen = Screen::start(&post, Start { width, height, ..Start::default() });
        screen.until("Topic 6").keys(keys).until(until).screen()
    };
    insta::assert_snapshot!("waiting_160x45", shot(160, 45, "gSj<Enter>", "Person 1"));
    insta::assert_snapshot!("waiting_100x30", shot(100, 30, "gSj<Enter>", "Person 1"));
    insta::assert_snapshot!("waiting_80x24", shot(80, 24, "gS", "What waits"));
    insta::assert_snapshot!("waiting_40x10", shot(40, 10, "gS", "What waits"));
}

#[test]
fn i10_scarce_room_is_beside_the_account_and_told_in_full_with_what_the_server_is() {
    let post = troubled();
    let mut screen = Screen::start(&post, Start { width: 160, height: 45, ..Start::default() });
    screen.until("Topic 6").until("93%").keys("gSgg<Enter>").until("the server is Dovecot 2.3.19");
    screen.until("14 of 15 GB in use there");
}

#[test]
fn a2_nothing_waits_is_said_with_what_to_do() {
    let post = Post::new();
    post.deliver(mail("Ada <ada@example.org>", "Tables").ago(HOUR));
    let mut screen = Screen::start(&post, Start { width: 80, height: 24, ..Start::default() });
    screen.keys("gS").until("Nothing waits").until("$ asks the servers now").at("never in step");
    insta::assert_snapshot!("waiting_empty_80x24", screen.screen());
    screen.keys("r").until("here is nothing that waits for that");
    screen.keys("q").at("Tables").gone("Nothing waits");
}

#[test]
fn a2_the_status_line_says_that_something_waits_for_the_user_and_where() {
    let post = troubled();
    let mut screen = Screen::open(&post);
    screen.until("! 2 for you gS").keys("gS").gone("! 2 for you gS").until("2 for you");
}

#[test]
fn a2_each_key_settles_what_the_cursor_is_on() {
    let post = troubled();
    let mut screen = Screen::open(&post);
    screen.keys("gS").at("Archive: the server does not show");
    // A folder is not tried again.
    screen.keys("r").until("It is tried again by itself").keys("D").until("Believe the server (a)");
    screen.keys("f").until("Archive is looked at anew").at("move 3 mails from Inbox to Archive");
    screen.keys("r").until("Queued again: move 3 mails").until("star 1 mail").keys("gg");
    screen.keys("2j").at("move 3 mails");
    screen
        .keys("D")
        .until("Give up: move 3 mails from Inbox to Archive? 3 mails y/n")
        .keys("n")
        .until("Nothing was done");
    screen.keys("Dy").until("Gave up: move 3 mails").at("star 1 mail");
    screen.keys("u").until("Undid: starred 1").until("delete 1 mail").keys("q").gone("What waits");
    // It was tried, so that the server may have it: what takes it back is queued behind it.
    assert_eq!(
        waits(&post),
        ["star 1 mail in Inbox", "delete 1 mail in Inbox for good", "unstar 1 mail in Inbox"]
    );
}

#[test]
fn i8_accepting_asks_with_the_count() {
    let post = troubled();
    let mut screen = Screen::open(&post);
    screen.keys("gSa").until("any more? 24 mails y/n").keys("y").until("Took 24 mails out of Archive");
    screen.gone("held back");
}

#[test]
fn a2_an_account_is_settled_as_a_whole() {
    let post = troubled();
    let mut screen = Screen::open(&post);
    screen.keys("gSgg").at("work").keys("D").until("Give up: everything of work? 4 things y/n").keys("y");
    screen.until("Gave 3 up").keys("j<Enter>").at("home").until("change the password where it comes from");
    assert_eq!(waits(&post), ["Archive: the server does not show 24 of 27 mails any more"]);
}

#[test]
fn a2_a_long_queue_is_gone_through_by_pages_and_back() {
    let post = Post::new();
    for n in (1..=450).rev() {
        post.deliver(mail("Ada <ada@example.org>", &format!("Topic {n}.")).ago(i64::from(n)));
    }
    // One operation each.
    for (n, copy) in inbox(&post).into_iter().enumerate() {
        let delta = if n % 2 == 0 { FlagDelta::add(Flags::FLAGGED) } else { FlagDelta::add(Flags::ANSWERED) };
        act(&post, Intent::Flag { items: vec![copy], delta, undoable: true });
    }
    let mut screen = Screen::open(&post);
    screen.until("450 queued").keys("gS").at("Topic 1.").keys("j").at("Topic 2.");
    screen.keys("99j").at("Topic 101.").keys("300j").at("Topic 401.").keys("49j").at("Topic 450.");
    screen.keys("440k").at("Topic 10.").keys("9k").at("Topic 1.").keys("k").at("work");
    screen.keys("G").keys("G").at("Topic 450.").keys("gg").at("work").keys("j").at("Topic 1.");
    // It follows what happens meanwhile, and the cursor stays on what it was on.
    screen.keys("9j").at("Topic 10.");
    let first = post.store.reader().unwrap().ledger(post.work, None, 1).unwrap()[0].matter;
    act(&post, Intent::Settle { how: Settle::Discard, reach: Reach::These(vec![first]) });
    screen.until("449 queued").at("Topic 10.").keys("9k").at("work");
}
