//! The order of a list, and one row a mail: keys in, screen out.

use mailtui::model::{Order, Role, View};

use crate::flows::{plain, rows, thread};
use crate::support::drive::Screen;
use crate::support::mail::{HOUR, mail};

/// The subjects on the screen from the top.
fn shown(screen: &str) -> Vec<&'static str> {
    let known = ["Topic 1.", "Topic 2.", "Topic 3.", "Engine", "Bombe", "Linker", "zebra", "Apple"];
    let rows = screen.lines().filter_map(|line| line.split_once('│'));
    rows.filter_map(|(_, row)| known.into_iter().find(|subject| row.contains(subject))).collect()
}

#[test]
fn a_list_is_sorted_and_the_cursor_stays_on_its_mail() {
    let post = plain(3);
    post.deliver(mail("Aaron <a@example.org>", "Re: zebra").ago(9 * HOUR).body(&"long ".repeat(2000)).seen());
    post.deliver(mail("Zoe <z@example.org>", "Apple").ago(10 * HOUR).seen());
    let mut screen = Screen::open(&post);
    screen.at("Topic 1.").keys("of").until("by sender");
    assert_eq!(shown(&screen.screen()), ["zebra", "Topic 1.", "Topic 2.", "Topic 3.", "Apple"]);
    screen.keys("os").until("by subject");
    assert_eq!(shown(&screen.screen())[..2], ["Apple", "Topic 1."]);
    assert_eq!(shown(&screen.screen())[4], "zebra");
    screen.keys("oz").until("largest first").at("zebra").keys("jj").at("Topic 2.");
    screen.keys("oo").until("oldest first").at("Topic 2.");
    assert_eq!(shown(&screen.screen()), ["Apple", "zebra", "Topic 3.", "Topic 2.", "Topic 1."]);
    // What comes while the list is sorted goes where it belongs, and what goes leaves no hole.
    post.deliver(mail("Ada <ada@example.org>", "Bombe").ago(1));
    screen.when("the newest at the end", |screen| shown(screen).last() == Some(&"Bombe")).at("Topic 2.");
    screen.keys("kd").until("Moved 1 to Trash").at("Topic 2.");
    assert_eq!(shown(&screen.screen()), ["Apple", "zebra", "Topic 2.", "Topic 1.", "Bombe"]);
    screen.keys("ou").until("unread first");
    assert_eq!(shown(&screen.screen())[3..], ["zebra", "Apple"]);
    // Another list is by date; this one is as it was when it is shown again.
    screen.keys("ga").until("work · Archive").gone("unread first");
    screen.keys("gi").until("unread first").keys("od").gone("unread first").at("Bombe");
}

#[test]
fn one_row_a_mail_and_every_key_means_that_mail() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.at("Engine").keys("T").until("messages");
    assert_eq!(shown(&screen.screen()), ["Engine", "Engine", "Engine", "Bombe", "Linker"]);
    screen.keys("jx").until("1 selected").at("Ada").keys("<Esc>k").at("Charles");
    screen.keys("d").until("Moved 1 to Trash").at("Ada");
    assert_eq!(rows(&post, Role::Inbox)[0].members.len(), 2);
    screen.keys("u").until("Undid").at("Charles");
    // In the reader too: the next message is the next row.
    screen.keys("<Enter>").until("The second.").keys("J").until("The first.").keys("K").until("The second.");
    screen.keys("q").at("Charles").keys("T").gone("messages").at("Engine");
    // With an order, and all of them selected.
    screen.keys("Tos").until("messages, by subject").keys("*").until("Selected all 5 rows, 5 messages");
    screen.keys("<Esc>ggjjv").keys("j").until("2 selected").keys("<Esc>");
}

#[test]
fn ranks_are_paged_from_both_ends_and_around_a_place() {
    use mailtui::store::Edge;
    let post = plain(120);
    let mut reader = post.store.reader().unwrap();
    let view = View::Folder(post.folder(post.work, Role::Inbox));
    let ranks = reader.rank(view, Order::Oldest, false, "").unwrap();
    assert_eq!(ranks.len(), 120);
    reader.arrange(Some(std::sync::Arc::new(ranks)));
    let subjects = |edge, limit| -> Vec<String> {
        let rows = reader.page(view, edge, limit).unwrap().rows;
        rows.iter().map(|row| row.head.subject.to_string()).collect()
    };
    assert_eq!(subjects(Edge::Top, 2), ["Topic 120.", "Topic 119."]);
    assert_eq!(subjects(Edge::Bottom, 2), ["Topic 2.", "Topic 1."]);
    let page = reader.page(view, Edge::Top, 50).unwrap();
    let last = page.rows[49].head.key;
    assert_eq!(subjects(Edge::After(last), 2), ["Topic 70.", "Topic 69."]);
    assert_eq!(subjects(Edge::Before(last), 2), ["Topic 73.", "Topic 72."]);
    assert_eq!(subjects(Edge::Around(last), 2), ["Topic 72.", "Topic 71."]);
    assert!(page.at_top && !page.at_bottom);
}
