//! The folders of a role of all accounts together: reached from one another, named, kept, left.

use mailtui::model::Role;
use mailtui::store::{Batch, Fares, Step};

use crate::support::drive::{Screen, Start};
use crate::support::mail::{MINUTE, Post, mail};

/// Two accounts, each with mail in its inbox and its trash.
fn two() -> Post {
    let post = Post::new();
    let home = post.home();
    for (account, at) in [(post.work, 2), (home, 4)] {
        let name = if account == home { "home" } else { "work" };
        for (role, at) in [(Role::Inbox, at), (Role::Trash, at + 1)] {
            let subject = format!("In {} at {name}.", role.title());
            post.deliver_to(account, mail("Ada <ada@example.org>", &subject).folder(role).ago(at * MINUTE));
        }
    }
    post
}

#[test]
fn keys_of_roles_stay_among_all_accounts_and_lead_back() {
    let post = two();
    let mut screen = Screen::open(&post);
    screen.until(" All inboxes").until("In Inbox at home.");
    screen.keys("gD").until(" All trash").until("In Trash at work.").until("In Trash at home.");
    // Its own line in the folder pane, where the cursor is.
    screen.when("the folder pane", |s| s.lines().nth(3).is_some_and(|l| l.starts_with("▌All trash")));
    screen.keys("q").until(" All inboxes").at("In Inbox at work.").gone("All trash");
    screen.keys("gs").until(" All sent").until("Nothing was sent yet").keys("<Esc>").until(" All inboxes");
    screen.keys("ga").until(" All archives").keys("gj").until(" All junk").keys("gdgd").until(" All drafts");
    screen.keys("q").until(" All junk").keys("qq").until(" All inboxes").keys("q").until("q again quits");
    // The same key again: the account of the mail under the cursor.
    screen
        .keys("gDj")
        .at("In Trash at home.")
        .keys("gD")
        .until("home · Trash")
        .keys("gs")
        .until("home · Sent");
}

#[test]
fn mail_put_back_from_all_trash_is_shown_among_all_inboxes() {
    let post = two();
    let mut screen = Screen::open(&post);
    screen.at("In Inbox at work.").keys("d").until("Moved 1 to Trash").at("In Inbox at home.");
    screen.keys("gD").until(" All trash").until("In Inbox at work.");
    screen.keys("u").until(" All inboxes").at("In Inbox at work.");
}

#[test]
fn a9_a_view_of_all_accounts_is_kept_over_a_cut_line() {
    let post = two();
    let mut screen = Screen::open(&post);
    screen.until(" All inboxes").keys("gDj").at("In Trash at home.");
    drop(screen);
    post.settle();
    let mut screen = Screen::open(&post);
    screen.until(" All trash").at("In Trash at home.").keys("q").until(" All inboxes");
}

#[test]
fn a3_accounts_with_the_same_beginning_are_told_apart() {
    let post = two();
    for name in ["work2", "working-group", "working-group-two"] {
        let account =
            post.store.account(name, "memory", mailtui::model::Owner::Here, "x@example.org").unwrap();
        post.deliver_to(account, mail("Ada <ada@example.org>", &format!("For {name}.")));
    }
    let ends = |width| {
        let mut screen = Screen::start(&post, Start { width, ..Start::default() });
        screen.until("For work2").screen()
    };
    for (width, names) in
        [(100, ["work", "home", "work-two", "working-", "work2"]), (50, ["wor", "hom", "wo-", "woi", "wo2"])]
    {
        let screen = ends(width);
        let rows = screen.lines().filter(|l| l.contains("In Inbox at") || l.contains("For "));
        let shown: Vec<_> = rows.filter_map(|l| l.split_whitespace().last()).collect();
        assert_eq!(shown, names, "{screen}");
    }
}

#[test]
fn p12_that_a_maildrop_tells_other_devices_nothing_is_said_once_for_each_account() {
    let post = two();
    let mut screen = Screen::open(&post);
    // Mail of the other account: nothing to explain.
    screen.at("In Inbox at work.").keys("s").until("Starred 1").until("u undoes").gone("POP3");
    screen.keys("j").at("In Inbox at home.").keys("s").until("POP3 tells other devices nothing");
    screen.keys("s").until("Unstarred 1").gone("POP3");
    drop(screen);
    post.settle();
    let mut screen = Screen::open(&post);
    screen.keys("<Down>").at("In Inbox at home.").keys("d").until("Moved 1 to Trash").gone("POP3");
}

#[test]
fn a2_the_status_line_tells_when_the_accounts_were_last_in_step() {
    let post = two();
    let told = |account, at| {
        let fares = Fares { state: None, in_step: at, bytes_in: 0, bytes_out: 0 };
        post.store.commit(Batch { account, steps: vec![Step::Fares(fares)] }).unwrap();
    };
    let mut screen = Screen::open(&post);
    screen.until(" All inboxes").gone("in step");
    told(post.work, true);
    screen.until("in step 16:20");
    told(post.home(), true);
    screen.until("in step 16:20");
}

#[test]
fn a3_a_folder_made_from_all_inboxes_needs_the_name_of_its_account() {
    let post = two();
    let mut screen = Screen::open(&post);
    screen
        .until(" All inboxes")
        .keys(":mkdir Plans<Enter>")
        .until("Name the account too, as in `:mkdir work/Plans`");
    screen.keys(":mkdir home/Plans<Enter>").until("Made the folder Plans");
    screen.keys(":rename-folder x<Enter>").until("This list is of several folders: J, K or gi go to one");
    let reader = post.store.reader().unwrap();
    assert!(reader.folders(post.home()).unwrap().iter().any(|folder| folder.path.as_str() == "Plans"));
}
