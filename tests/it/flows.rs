//! Keys in, screen and store out.

use std::time::Duration;

use mailtui::engine::{AccountState, Command, Event};
use mailtui::model::{Flags, Intent, Role, Row, Target, View};
use mailtui::runtime::Ended;
use mailtui::store::Edge;
use mailtui::text::Clean;

use crate::support::drive::Screen;
use crate::support::mail::{DAY, HOUR, MINUTE, Post, mail};

/// Mails one to `count`, the first the newest, an hour between each.
pub(crate) fn plain(count: i64) -> Post {
    let post = Post::new();
    for n in (1..=count).rev() {
        post.deliver(mail(&format!("Person {n} <p{n}@example.org>"), &format!("Topic {n}.")).ago(n * HOUR));
    }
    post
}

/// A conversation of three, the newest row, above two single mails.
pub(crate) fn thread() -> Post {
    let post = plain(0);
    post.deliver(mail("Grace <grace@example.org>", "Linker").ago(2 * DAY));
    post.deliver(mail("Alan <alan@example.org>", "Bombe").ago(DAY));
    post.deliver(mail("Ada <ada@example.org>", "Engine").id("one@x").ago(5 * HOUR).body("The first.\n"));
    post.deliver(
        mail("Charles <charles@example.org>", "Re: Engine")
            .id("two@x")
            .answers("one@x")
            .ago(4 * HOUR)
            .body("The second.\n"),
    );
    post.deliver(
        mail("Ada <ada@example.org>", "Re: Engine")
            .id("three@x")
            .answers("two@x")
            .ago(3 * HOUR)
            .body("The third.\n"),
    );
    post
}

pub(crate) fn rows(post: &Post, role: Role) -> Vec<Row> {
    post.settle();
    let folder = post.folder(post.work, role);
    post.store.reader().unwrap().page(View::Folder(folder), Edge::Top, 500).unwrap().rows
}

pub(crate) fn subjects(post: &Post, role: Role) -> Vec<String> {
    rows(post, role).iter().map(|r| r.head.subject.to_string()).collect()
}

/// Unread mails of the inbox, by subject, newest first.
pub(crate) fn unread(post: &Post) -> Vec<String> {
    let reader = post.store.reader().unwrap();
    let members = rows(post, Role::Inbox).into_iter().flat_map(|r| r.members);
    let unread = members.filter(|m| !m.flags.has(Flags::SEEN));
    unread.map(|m| reader.summary(m.placement).unwrap().unwrap().subject.to_string()).collect()
}

#[test]
fn moving() {
    let post = plain(100);
    let mut screen = Screen::open(&post);
    screen
        .keys("j")
        .at("Topic 2.")
        .keys("k")
        .at("Topic 1.")
        .keys("5j")
        .at("Topic 6.")
        .keys("3k")
        .at("Topic 3.");
    screen.keys("<Down><Up><Up>").at("Topic 2.").keys("G").at("Topic 100.").keys("gg").at("Topic 1.");
    screen.keys("<C-d>").at("Topic 14.").keys("<C-u>").at("Topic 1.").keys("<C-f>").at("Topic 27.");
    screen.keys("<PgUp>").at("Topic 1.").keys("<PgDn><End>").at("Topic 100.").keys("<Home>").at("Topic 1.");
    screen.keys("90j").at("Topic 91.").keys("500k").at("Topic 1.").keys("500j").at("Topic 100.");
}

#[test]
fn the_row_under_the_cursor_is_put_where_it_is_wanted() {
    let post = plain(100);
    let mut screen = Screen::open(&post);
    let line = |screen: &Screen| screen.screen().lines().position(|l| l.contains("Topic 50.")).unwrap();
    screen.keys("49j").at("Topic 50.");
    screen.keys("zt").when("near the top", |s| s.lines().nth(4).is_some_and(|l| l.contains("Topic 50.")));
    screen.keys("zb").when("near the bottom", |s| s.lines().nth(26).is_some_and(|l| l.contains("Topic 50.")));
    screen.keys("zz").when("in the middle", |s| s.lines().nth(15).is_some_and(|l| l.contains("Topic 50.")));
    assert_eq!(line(&screen), 15);
}

#[test]
fn triage_and_undo() {
    let post = plain(5);
    let mut screen = Screen::open(&post);
    screen.keys("jd").until("Moved 1 to Trash · u undoes").at("Topic 3.");
    assert_eq!(subjects(&post, Role::Trash), ["Topic 2."]);
    screen.keys("a").until("Archived 1").at("Topic 4.");
    assert_eq!(subjects(&post, Role::Archive), ["Topic 3."]);
    screen.keys("X").until("Moved 1 to Junk").at("Topic 5.");
    assert_eq!(subjects(&post, Role::Junk), ["Topic 4."]);
    screen.keys("u").until("Undid").at("Topic 4.");
    screen.keys("u").at("Topic 3.").keys("u").at("Topic 2.");
    assert_eq!(subjects(&post, Role::Inbox).len(), 5);
    screen.keys("<C-r>").until("Redid");
    assert_eq!(subjects(&post, Role::Trash), ["Topic 2."]);
}

#[test]
fn counts_act_on_rows_and_keys_typed_ahead_mean_the_next_row() {
    let post = plain(8);
    let mut screen = Screen::open(&post);
    screen.keys("3d").until("Moved 3 to Trash").at("Topic 4.");
    assert_eq!(subjects(&post, Role::Trash), ["Topic 1.", "Topic 2.", "Topic 3."]);
    screen.keys("dd").gone("Topic 5.").at("Topic 6.");
    assert_eq!(subjects(&post, Role::Inbox), ["Topic 6.", "Topic 7.", "Topic 8."]);
    screen.keys("e").gone("Topic 6.");
    assert_eq!(subjects(&post, Role::Archive), ["Topic 6."]);
}

#[test]
fn junk_and_archive_are_for_every_account_and_junk_is_taken_back() {
    let post = plain(2);
    let home = post.home();
    post.deliver_to(home, mail("Ada", "At home"));
    let there = |account, role| {
        let view = View::Folder(post.folder(account, role));
        post.store.reader().unwrap().page(view, Edge::Top, 100).unwrap().rows.len()
    };
    let mut screen = Screen::open(&post);
    screen.keys("gu").until("At home").keys("*").until("Selected all 3").keys("X").until("Moved 3 to Junk");
    assert_eq!((there(post.work, Role::Junk), there(home, Role::Junk)), (2, 1));
    screen.keys("gj").until("Topic 1.").keys("*").until("Selected all 3").keys("X").until("Moved 3 to Inbox");
    assert_eq!((there(post.work, Role::Inbox), there(home, Role::Inbox)), (2, 1));
    screen.keys("u").until("Undid: moved 3 to Inbox").keys("u").until("Undid: moved 3 to Junk");
    screen
        .keys("gi")
        .until("Topic 1.")
        .keys("gu")
        .until("At home")
        .keys("*")
        .until("Selected all 3")
        .keys("e")
        .until("Archived 3");
    assert_eq!((there(post.work, Role::Archive), there(home, Role::Archive)), (2, 1));
}

#[test]
fn i13_mail_is_moved_and_copied_to_folders_of_every_account_by_name() {
    let post = plain(4);
    let home = post.home();
    let there = |role| {
        let view = View::Folder(post.folder(home, role));
        let rows = post.store.reader().unwrap().page(view, Edge::Top, 100).unwrap().rows;
        rows.iter().map(|row| row.head.subject.to_string()).collect::<Vec<_>>()
    };
    let mut screen = Screen::open(&post);
    // Its own account first, and the folder at hand not at all.
    screen
        .keys("gi")
        .until("work · Inbox")
        .keys("m")
        .until(":move")
        .until("work/Drafts")
        .gone("work/Inbox")
        .gone("  home/Archive");
    screen.keys("home/arch").until("  home/Archive").gone("work/Archive");
    screen.keys("<Enter>").until("Moved 1 to home: Archive · u undoes").at("Topic 2.");
    assert_eq!(there(Role::Archive), ["Topic 1."]);
    screen.keys("u").until("Undid: moved 1 to home: Archive").at("Topic 1.");
    assert_eq!(there(Role::Archive), Vec::<String>::new());
    // Tab takes the first whole, the last target comes first, `.` does the same again.
    screen.keys("Chjunk<Tab>").until(":copy home/Junk").keys("<Enter>").until("Copied 1 to home: Junk");
    screen.keys("j.").when("two in Junk", |s| s.lines().any(|l| l.contains("Junk  ") && l.contains(" 2 │")));
    assert_eq!(there(Role::Junk), ["Topic 1.", "Topic 2."]);
    screen.keys("meng<Enter>").until("Moved 1 to Projects/Engine").at("Topic 3.");
    screen.keys("mnowhere at all<Enter>").until("no folder is called `nowhere at all`");
    screen.keys("m<Esc>").gone(":move");
    // In the reader it is the mail that is open.
    screen.keys("<Enter>").until("About topic 3.").keys("mhome/tr<Enter>").until("Moved 1 to home: Trash");
    assert_eq!(there(Role::Trash), ["Topic 3."]);
}

#[test]
fn tags_are_typed_completed_seen_and_taken_back() {
    let post = plain(4);
    let mut screen = Screen::open(&post);
    screen.keys("t").until(":tag").keys("+todo Büro<Enter>").until("Tagged 1 with todo Büro · u undoes");
    screen.until("Topic 1.  #Büro #todo").at("Topic 1.");
    screen.keys("jt-t<Tab>").until(":tag -todo").keys("<C-u>tag odd)name<Enter>").until("it holds )");
    // In the reader it is the mail that is open.
    screen
        .keys("k<Enter>")
        .until("About topic 1.")
        .keys("t-todo<Enter>")
        .until("Took todo off 1")
        .gone("#todo");
    screen.keys("q").gone("About topic 1.").keys("u").until("#Büro #todo").keys("uu").gone("#");
    screen.keys("t<Esc>").gone(":tag");
    let reader = post.store.reader().unwrap();
    assert_eq!(reader.tag_names("", 9).unwrap(), Vec::<String>::new());
}

#[test]
fn the_last_triage_or_tagging_is_repeated() {
    let post = plain(9);
    let mut screen = Screen::open(&post);
    screen.keys(".").until("nothing to repeat yet");
    screen
        .keys("ttodo<Enter>")
        .until("#todo")
        .keys("j.")
        .when("two tags", |s| s.matches("#todo").count() == 2);
    screen.keys("j2.").when("four tags", |s| s.matches("#todo").count() == 4);
    screen.keys("jjd").until("Moved 1 to Trash").at("Topic 6.");
    screen.keys("2.").until("Moved 2 to Trash").at("Topic 8.");
    // What is selected is what it is done to; an undo in between changes nothing of it.
    screen.keys("u").until("Undid").keys("gg").at("Topic 1.").keys("xjx.").until("Moved 2 to Trash");
    assert_eq!(subjects(&post, Role::Trash), ["Topic 1.", "Topic 3.", "Topic 5."]);
}

#[test]
fn stars_and_read_marks_toggle_and_typing_ahead_counts() {
    let post = plain(3);
    let mut screen = Screen::open(&post);
    screen.keys("s").until("★");
    screen.keys("s").gone("★");
    screen.keys("U").when("read", |s| s.matches('●').count() == 3);
    assert_eq!(unread(&post), ["Topic 2.", "Topic 3."]);
    // Twice at once: unread, then read again.
    screen.keys("UUj").at("Topic 2.");
    post.settle();
    assert_eq!(unread(&post), ["Topic 2.", "Topic 3."]);
    screen.keys("ss").keys("k").at("Topic 1.").gone("★");
}

#[test]
fn deleting_in_the_trash_asks_with_the_count() {
    let post = thread();
    let mut screen = Screen::open(&post);
    screen.keys("d").until("Moved 3").keys("gD").until("work · Trash").at("  Engine");
    screen
        .keys("d")
        .until("Delete 1 conversation (3 messages) for good, here and on the server? y/n")
        .keys("q")
        .until("Nothing was done");
    assert_eq!(rows(&post, Role::Trash).len(), 1);
    screen.keys("d").until("y/n").keys("y").until("Trash is empty");
    assert!(rows(&post, Role::Trash).is_empty());
}

#[test]
fn trash_is_emptied_after_a_question_and_nothing_else_goes() {
    let post = plain(5);
    let mut screen = Screen::open(&post);
    screen.keys(":empty-trash<Enter>").until("Trash is empty").at("Topic 1.");
    screen.keys("3d").until("Moved 3").at("Topic 4.");
    screen
        .keys(":empty-trash<Enter>")
        .until("Delete all 3 mails in Trash for good, here and on the server? y/n");
    screen.keys("n").until("Nothing was done");
    assert_eq!(rows(&post, Role::Trash).len(), 3);
    // A mail that comes into Trash behind the question stays (promise A5).
    screen.keys(":empty-trash<Enter>").until("all 3 mails");
    post.deliver(mail("Late <late@example.org>", "Late").folder(Role::Trash));
    screen.keys("y").until("Deleted 3 for good").at("Topic 4.");
    assert_eq!(
        (subjects(&post, Role::Trash), subjects(&post, Role::Inbox).len()),
        (vec!["Late".to_owned()], 2)
    );
    // From an open mail the reader stays where it is.
    screen.keys("<Enter>").until("About topic 4.").keys(":empty-trash<Enter>").until("the one mail in Trash");
    screen.keys("y").until("Deleted 1 for good").until("About topic 4.");
    // There is no way back, and `u` does not pretend so: it takes back what came before.
    assert!(rows(&post, Role::Trash).is_empty());
    screen.keys("qgD").until("Trash is empty");
}

#[test]
fn p12_a_maildrop_is_emptied_here_and_on_its_server() {
    let post = plain(2);
    let home = post.home();
    for n in 1..=3 {
        post.deliver_to(home, mail("Far <far@example.org>", &format!("Home {n}.")).folder(Role::Trash));
    }
    let mut screen = Screen::open(&post);
    screen.keys("gD").until("Home 1.");
    screen.keys(":empty-trash<Enter>").until("in every Trash for good, here and on the server? y/n");
    screen.keys("n").until("Nothing was done").keys("gD").until("home · Trash");
    screen
        .keys(":empty-trash<Enter>")
        .until("Delete all 3 mails in home/Trash for good, here and on the server?");
    screen.keys("y").until("Deleted 3 for good");
}

#[test]
fn folders_are_reached_by_keys_and_left_again() {
    let post = plain(3);
    let home = post.home();
    post.deliver_to(home, mail("Mum <mum@example.org>", "Lunch").ago(MINUTE));
    let mut screen = Screen::open(&post);
    screen.until("All inboxes").at("Lunch").keys("j").at("Topic 1.");
    screen
        .keys("gi")
        .until("work · Inbox")
        .keys("ga")
        .until("work · Archive")
        .keys("gs")
        .until("work · Sent");
    screen
        .keys("gdgd")
        .until("work · Drafts")
        .keys("gj")
        .until("work · Junk")
        .keys("gD")
        .until("work · Trash");
    screen
        .keys("gu")
        .until(" All inboxes")
        .keys("<C-o>")
        .until("work · Trash")
        .keys("6<C-o>")
        .until("work · Trash");
    screen
        .keys("giJ")
        .until("work · Drafts")
        .keys("K")
        .until("work · Inbox")
        .keys("K")
        .when("unified", |s| s.starts_with(" All"));
    screen.keys("h").keys("jj").until("work · Drafts").keys("l").keys("gi").at("Topic 1.");
}

#[test]
fn the_engine_is_told_what_is_looked_at_and_asked_for() {
    let post = plain(1);
    let mut screen = Screen::open(&post);
    let archive = post.folder(post.work, Role::Archive);
    screen.keys("ga").until("Archive");
    screen.command(|c| matches!(c, Command::Look { folder, .. } if *folder == archive));
    screen.keys("$").until("Asking the servers");
    screen.command(|c| matches!(c, Command::Sync(None)));
}

#[test]
fn a11_pastes_and_unknown_keys_run_nothing() {
    let post = plain(3);
    let mut screen = Screen::open(&post);
    screen.paste("dd\nZZ\n").until("Pasted text is not taken for keys");
    screen.keys("g%").until("g% does nothing here · ? shows the keys");
    screen.keys("<A-d>").until("<A-d> does nothing here");
    assert_eq!(subjects(&post, Role::Inbox).len(), 3);
    screen.keys(":").paste("go-sent\nquit\n").until(":go-sent quit").keys("<Esc>").gone(":go-sent");
}

#[test]
fn escape_undoes_one_thing_a_press() {
    let post = plain(3);
    let mut screen = Screen::open(&post);
    screen
        .keys("x<Enter>")
        .until("About topic 2.")
        .keys("?")
        .until("Keys · Reader")
        .keys("<Esc>")
        .gone("Keys ·");
    screen.keys("3g").until(" 3g").keys("<Esc>").gone(" 3g").until("About topic 2.");
    // The selection goes before the level.
    screen.keys("<Esc><Esc>").gone("About topic 2.").gone("✓");
}

#[test]
fn the_command_line_runs_commands_by_name() {
    let post = plain(5);
    let mut screen = Screen::open(&post);
    screen
        .keys(":")
        .until("Move down")
        .keys("arch<Tab>")
        .until(":archive")
        .keys("<Enter>")
        .until("Archived 1");
    screen.keys(":down 2<Enter>").at("Topic 4.").keys(":frob<Enter>").until("there is no command `frob`");
    screen.keys(":next-message<Enter>").until("`next-message` does not work in the list");
    screen.keys(":<Up><Up><Up><Enter>").at("Topic 5.");
    screen.keys(":undo<BS><BS><BS><BS><BS>j").at("Topic 5.");
    screen.keys(":q<Enter>");
    assert_eq!(screen.ended().unwrap(), Ended::Quit);
}

#[test]
fn the_palette_finds_commands_by_what_they_do() {
    let post = plain(5);
    let mut screen = Screen::open(&post);
    screen
        .keys("<C-p>")
        .until("Commands")
        .keys("move<Space>to<Space>arch")
        .until("a e")
        .keys("<Enter>")
        .until("Archived 1");
    screen.keys("g:help").until("Show the keys of this pane").keys("<Enter>").until("Keys · List").keys("q");
    screen
        .keys("<C-p>frobnicate")
        .until("No command is like that")
        .keys("<Enter>")
        .gone("Commands")
        .at("Topic 2.");
    // What takes words asks for them, and what cannot work says why.
    screen.keys("<C-p>tag<Enter>").until(":tag").keys("<Esc>").gone(":tag");
    screen
        .keys("<C-p>all<Space>attach")
        .until("Not in this place")
        .keys("<Enter>")
        .until("`save-all` does not work in the list");
}

#[test]
fn a_macro_is_recorded_played_and_ends_where_it_fails() {
    let post = plain(20);
    let mut screen = Screen::open(&post);
    screen.keys("gQ").until("There is no macro");
    // A macro of a command line; what cannot be run ends it.
    screen.keys("Q").until("recording").keys(":down 2<Enter>:next-message<Enter>jjQ").until("Recorded");
    screen.keys("gg5gQ").until("does not work in the list").at("Topic 3.");
    screen.keys("QgQ").until("cannot be played in a macro").keys("Q").gone("recording ");
    screen.keys("ggQs").until("Starred 1").keys("jj").at("Topic 3.").keys("Q").until("Recorded 3 keys");
    screen.keys("3gQ").at("Topic 9.");
    let starred: Vec<String> = rows(&post, Role::Inbox)
        .iter()
        .filter(|r| r.members.iter().any(|m| m.flags.has(Flags::FLAGGED)))
        .map(|r| r.head.subject.to_string())
        .collect();
    assert_eq!(starred, ["Topic 1.", "Topic 3.", "Topic 5.", "Topic 7."]);
}

#[test]
fn folders_are_made_renamed_and_removed_by_name() {
    let post = plain(3);
    let mut screen = Screen::open(&post);
    screen
        .keys(":mkdir<Enter>")
        .until(":mkdir")
        .keys("Paper trail<Enter>")
        .until("Made the folder Paper trail · u undoes");
    screen.until("  Paper trail").keys(":mkdir Projects<Enter>").until("there is a folder Projects already");
    screen.keys(":mkdir a//b<Enter>").until("a level of it is empty");
    screen.keys(":delete-folder<Enter>").until("Inbox cannot be removed");
    // The folder that is shown is the one that is meant, with what lies beneath.
    screen
        .keys("h")
        .keys("7j")
        .until("work · Projects")
        .keys(":rename-folder<Enter>")
        .until(":rename-folder Projects");
    screen
        .keys("<BS><BS>t<Enter>")
        .until("Renamed Projects to Project")
        .until("work · Project")
        .until("    Engine");
    screen.keys(":delete-folder<Enter>").until("there are folders within it");
    screen.keys("u").until("Undid: renamed Projects to Project").until("work · Projects");
    screen
        .keys(":unsubscribe<Enter>")
        .until("Unsubscribed from Projects")
        .keys(":subscribe<Enter>")
        .until("Subscribed to Projects");
}

#[test]
fn a_folder_with_mail_is_removed_after_a_question_with_the_count() {
    let post = plain(3);
    let folder = post.store.reader().unwrap().folders(post.work).unwrap();
    let rust = folder.iter().find(|f| f.path.as_str() == "rust").unwrap().id;
    let mut screen = Screen::open(&post);
    let items: Vec<_> = rows(&post, Role::Inbox)[..2].iter().map(|row| row.head.placement).collect();
    post.store.intend_wait(Intent::Move { items, to: Target::Folder(rust) }).unwrap();
    screen.keys("8J").until("work · rust").keys("gi").until("work · Inbox");
    screen.keys("8J").until("work · rust").at("Topic 1.");
    screen.keys(":delete-folder<Enter>").until("Move its 2 mails to Trash and remove rust? y/n");
    screen.keys("n").until("Nothing was done");
    screen.keys(":delete-folder<Enter>y").until("Removed the folder rust, 2 mails to Trash");
    // It is left for the inbox, and undo brings all of it back.
    screen.until("work · Inbox").gone("  rust");
    screen.keys("<C-o><C-o><C-o>").until("nowhere to go back to").until("work · Inbox");
    assert_eq!(subjects(&post, Role::Trash), ["Topic 1.", "Topic 2."]);
    screen.keys("u").until("Undid").until("work · rust").at("Topic 1.");
    assert_eq!(subjects(&post, Role::Trash), Vec::<String>::new());
}

#[test]
fn quitting_by_level() {
    let post = plain(2);
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>").until("About topic 1.").keys("q").gone("About topic 1.");
    screen
        .keys("q")
        .until("q again quits")
        .keys("j")
        .at("Topic 2.")
        .keys("q")
        .until("q again quits")
        .keys("q");
    assert_eq!(screen.ended().unwrap(), Ended::Quit);
    let mut screen = Screen::open(&post);
    screen.keys("ZZ");
    assert_eq!(screen.ended().unwrap(), Ended::Quit);
}

#[test]
fn a9_who_is_cut_off_goes_on_and_who_quits_begins_anew() {
    let post = plain(90);
    let mut screen = Screen::open(&post);
    screen.keys("ga").until("work · Archive").keys("gi40j").at("Topic 41.");
    drop(screen);
    post.settle();
    let mut screen = Screen::open(&post);
    screen.at("Topic 41.").keys("j<Enter>").until("About topic 42.");
    drop(screen);
    post.settle();
    let mut screen = Screen::open(&post);
    screen.until("About topic 42.").keys("q").at("Topic 42.").keys("ZZ");
    screen.ended().unwrap();
    post.settle();
    Screen::open(&post).at("Topic 1.");
}

#[test]
fn headers_and_the_other_form() {
    let post = Post::new();
    post.deliver(
        mail("Ada <ada@example.org>", "Forms")
            .body("As plain text.\n")
            .html("<p>As <b>HTML</b> text.</p>")
            .ago(HOUR),
    );
    post.deliver(mail("Alan <alan@example.org>", "Plain").ago(2 * HOUR));
    let mut screen = Screen::open(&post);
    screen
        .keys("<Enter>")
        .until("As plain text.")
        .keys("zh")
        .until("As HTML text.")
        .keys("zh")
        .until("As plain text.");
    screen.keys("zH").until("Message-ID:").keys("zH").gone("Message-ID:");
    screen.keys("J").until("About plain.").keys("zh").until("only one form");
}

#[test]
fn attachments_are_saved_as_new_private_files() {
    let post = Post::new();
    post.deliver(
        mail("Ada <ada@example.org>", "Tables")
            .file("../tables.txt", "one")
            .file("sketch.txt", "two")
            .ago(HOUR),
    );
    let dir = post.dir.path().join("downloads");
    let mut screen = Screen::open(&post);
    screen.keys("A").until("A does nothing here").keys("<Enter>").until("sketch.txt");
    screen.keys("Ajw").until("Saved").until("sketch.txt");
    assert_eq!(std::fs::read_to_string(dir.join("sketch.txt")).unwrap(), "two");
    screen.keys("W").until("Saved 2 files");
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 3);
    screen.keys("qw").until(".eml");
    assert!(std::fs::read_to_string(dir.join("Tables.eml")).unwrap().contains("Subject: Tables"));
}

#[test]
fn accounts_in_trouble_are_told_and_the_rest_goes_on() {
    let post = plain(2);
    let mut screen = Screen::open(&post);
    let account = post.work;
    screen.event(Event::Trouble {
        account,
        text: Clean::fixed("the server refused the password"),
        hint: Some(Clean::fixed("change it in the configuration")),
    });
    screen.until("work: the server refused the password · change it in the configuration");
    let why = Clean::fixed("no route");
    let until = std::time::Instant::now() + Duration::from_secs(60);
    screen.event(Event::State { account, state: AccountState::Offline { why, until } }).until("work offline");
    screen.keys("j").at("Topic 2.");
}

#[test]
fn a_first_look_that_fails_is_no_empty_inbox() {
    let post = plain(0);
    let mut screen = Screen::open(&post);
    let account = post.work;
    let (why, hint) =
        (Clean::fixed("the password was refused"), Some(Clean::fixed("check user and password")));
    screen.event(Event::State { account, state: AccountState::Paused { why, hint } });
    screen.until("No mail from work yet").until("the password was refused").until("check user and password");
    assert!(!screen.screen().contains("the inbox is empty"));
}

#[test]
fn resizing_in_the_middle_keeps_the_place() {
    let post = plain(50);
    let mut screen = Screen::open(&post);
    screen.keys("20j").at("Topic 21.").resize(80, 24).at("Topic 21.").resize(160, 45).at("Topic 21.");
    screen.until("About topic 21.").resize(30, 5).until("mailtui needs").resize(40, 10).at("Topic 21.");
    screen
        .keys("<Enter>")
        .until("About topic 21.")
        .resize(160, 45)
        .until("About topic 21.")
        .until("Topic 22.");
}

#[test]
fn a_hostile_mail_draws_only_clean_text() {
    let post = Post::new();
    let evil = "\u{1b}]0;gone\u{7}\u{202e}evil\u{9b}2J";
    post.deliver(mail(&format!("{evil} <x@example.org>"), evil).body(&format!("{evil}\n")).ago(HOUR));
    let mut screen = Screen::open(&post);
    screen.keys("<Enter>").until("→ me").when("the text", |s| s.matches("evil").count() > 1);
    let shown = screen.screen();
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    assert!(!shown.contains('\u{202e}'));
}
