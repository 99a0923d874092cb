//! Every screen as text, at the sizes that people have.

use crate::store_kit::{popped, reply};
use crate::support::drive::{Screen, Start};
use crate::support::mail::{DAY, HOUR, MINUTE, Post, mail};
use mailtui::model::{Flags, Role};
use mailtui::store::{Batch, Incoming, Step};

const ADA: &str = "Ada Lovelace <ada@example.org>";
const CHARLES: &str = "Charles Babbage <charles@example.org>";

/// A small world: threads, files, other scripts, two accounts.
fn world() -> Post {
    let post = Post::new();
    let home = post.home();
    let notes = post.deliver(
        mail(CHARLES, "Notes on the engine").id("notes@example.org").ago(2 * DAY).seen().body(
            "Robin,\n\nthe printer would like to have the notes by the end of the month. Could you look over the\n\
             tables before Friday?\n\n-- \nCharles\n",
        ),
    );
    let tables = post.deliver(
        mail("Robin <robin@example.org>", "Re: Notes on the engine")
            .to(CHARLES)
            .id("tables@example.org")
            .answers(&notes)
            .ago(DAY)
            .seen()
            .folder(Role::Inbox)
            .body("I will. Send me the tables.\n"),
    );
    post.deliver(
        mail(ADA, "Re: Notes on the engine")
            .answers(&tables)
            .ago(2 * HOUR)
            .body(
                "Shall we print the tables in the next issue? The printer asks for a decision by Thursday.\n\n\
                 > I will. Send me the tables.\n> \n>> Could you look over the tables before Friday?\n\n\
                 See https://printer.example.org/jobs/1843 for the proofs.\n\n-- \nAda\n",
            )
            .file("tables.pdf", &"x".repeat(120_000))
            .file("sketch.png", &"y".repeat(8_800)),
    );
    post.deliver(
        mail("Grace Hopper <grace@example.org>", "Compiler schedule for the A-0 linker").ago(3 * HOUR),
    );
    post.deliver(
        mail("Alan Turing <alan@example.org>", "Bombe maintenance").flag(Flags::FLAGGED).seen().ago(5 * DAY),
    );
    post.deliver(
        mail(
            "=?utf-8?B?5L2Q6JekIOe+juWSsg==?= <misaki@example.org>",
            "=?utf-8?B?5L6h5qC86KGo44Gr44Gk44GE44Gm?=",
        )
        .ago(6 * DAY)
        .seen(),
    );
    post.deliver(
        mail("Linus <linus@example.org>", "[PATCH] mm: fix b in the fault path").ago(30 * DAY).seen(),
    );
    post.deliver(mail("Joan Clarke <joan@example.org>", "server room key").ago(400 * DAY).seen());
    post.deliver_to(home, mail("Margaret Ashworth <margaret@post.example>", "Sunday lunch").ago(40 * MINUTE));
    post.deliver_to(home, mail("Bay Choir <choir@bay.example>", "Altos: bar 47, please").ago(4 * DAY).seen());
    post.deliver(mail("Robin <robin@example.org>", "Draft of the talk").to(ADA).folder(Role::Drafts).seen());
    post.deliver(mail("Robin <robin@example.org>", "Your tables").to(ADA).folder(Role::Sent).seen().ago(DAY));
    post
}

pub(crate) fn shot(width: u16, height: u16, keys: &str, until: &str) -> String {
    let post = world();
    let mut screen = Screen::start(&post, Start { width, height, ..Start::default() });
    screen.until("Sunday").keys(keys).until(until).screen()
}

#[test]
fn the_list_at_every_size() {
    insta::assert_snapshot!("list_160x45", shot(160, 45, "", "About sunday lunch."));
    insta::assert_snapshot!("list_100x30", shot(100, 30, "", "Sunday lunch"));
    insta::assert_snapshot!("list_80x24", shot(80, 24, "", "Sunday lunch"));
    insta::assert_snapshot!("list_40x10", shot(40, 10, "", "Sunday"));
}

#[test]
fn the_reader_at_every_size() {
    insta::assert_snapshot!("reader_160x45", shot(160, 45, "j<Enter>", "Shall we print"));
    insta::assert_snapshot!("reader_100x30", shot(100, 30, "j<Enter>", "Shall we print"));
    insta::assert_snapshot!("reader_80x24", shot(80, 24, "j<Enter>", "Shall we print"));
    insta::assert_snapshot!("reader_40x10", shot(40, 10, "j<Enter>", "Shall we print"));
}

#[test]
fn conversations_unfold() {
    insta::assert_snapshot!("unfolded_100x30", shot(100, 30, "jzo", "└─"));
}

#[test]
fn folders_alone_on_a_narrow_screen() {
    insta::assert_snapshot!("folders_80x24", shot(80, 24, "h", "Projects"));
}

#[test]
fn help_begins_with_this_place() {
    insta::assert_snapshot!("help_100x30", shot(100, 30, "?", "Keys"));
    insta::assert_snapshot!("help_80x24", shot(80, 24, "?", "Keys"));
    // How to leave is said below the page, and how far it is scrolled above it.
    insta::assert_snapshot!("help_40x10", shot(40, 10, "?4j", "5-12 /"));
}

#[test]
fn what_may_follow_a_prefix_is_shown_after_a_moment() {
    insta::assert_snapshot!("hints_100x30", shot(100, 30, "g", "Go to the archive"));
    insta::assert_snapshot!("hints_40x10", shot(40, 10, "g", "more"));
}

#[test]
fn the_command_line_completes() {
    insta::assert_snapshot!("command_80x24", shot(80, 24, ":go-", ":go-"));
}

/// However large the counts and however narrow the screen: what a yes does stands there whole.
#[test]
fn a_question_is_never_cut() {
    let post = world();
    let trash = post.folder(post.home(), Role::Trash);
    let bring = |n: u32| {
        let incoming = if n > 1000 { reply(trash, n, n - 1000) } else { popped(trash, n) };
        Step::Message(Box::new(Incoming { uid: None, uidl: None, ..incoming }))
    };
    let steps = (1..=1100).map(bring).collect();
    post.store.commit(Batch { account: post.home(), steps }).unwrap();
    let mut screen = Screen::start(&post, Start { width: 80, height: 24, ..Start::default() });
    screen.until("Sunday").keys("gD").until("mail 1100").keys("*").until("Selected all").keys("d");
    let wide = screen.until("y/n").screen();
    let narrow = screen.resize(40, 10).when("another size", |text| text.lines().count() == 10).screen();
    for screen in [&wide, &narrow] {
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        let asked = "Delete 1000 conversations (1100 messages) for good, here and on the server? y/n";
        assert!(words.contains(asked), "{screen}");
    }
    insta::assert_snapshot!("question_80x24", wide);
    insta::assert_snapshot!("question_40x10", narrow);
}

#[test]
fn attachments_rise_as_a_panel() {
    insta::assert_snapshot!("attachments_80x24", shot(80, 24, "j<Enter>A", "w save"));
}

#[test]
fn selected_rows_are_marked() {
    insta::assert_snapshot!("selected_80x24", shot(80, 24, "xx", "2 selected, 4 messages"));
}

#[test]
fn what_was_sent_shows_to_whom() {
    insta::assert_snapshot!("sent_80x24", shot(80, 24, "jgs", "Your tables"));
}

#[test]
fn an_empty_folder_says_which_key_helps() {
    insta::assert_snapshot!("empty_80x24", shot(80, 24, "jgD", "Trash is empty"));
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    let post = world();
    let mut screen = Screen::start(&post, Start { width: 30, height: 8, ..Start::default() });
    insta::assert_snapshot!("small_30x8", screen.until("mailtui needs").screen());
    screen.resize(80, 24).until("Sunday lunch");
}

#[test]
fn plain_marks_are_ascii() {
    let post = world();
    let mut screen = Screen::start(&post, Start { ascii: true, width: 80, height: 24, ..Start::default() });
    let shown = screen.until("Sunday lunch").screen();
    let foreign = shown.lines().filter(|line| !line.is_ascii()).count();
    assert_eq!(foreign, 1, "only the mail from Japan is not ASCII:\n{shown}");
}

#[test]
fn weight_and_colour_say_what_is_unread() {
    use ratatui::style::{Color, Modifier};
    let post = world();
    let mut screen =
        Screen::start(&post, Start { theme: "terminal", width: 80, height: 24, ..Start::default() });
    screen.until("Compiler schedule");
    let cell = |x: u16, y: u16| screen.buffer()[(x, y)].clone();
    // The row under the cursor, an unread one, a read one.
    assert_eq!((cell(31, 1).bg, cell(31, 1).modifier), (Color::DarkGray, Modifier::BOLD));
    assert_eq!((cell(31, 3).bg, cell(31, 3).modifier), (Color::Reset, Modifier::BOLD));
    assert_eq!((cell(31, 4).fg, cell(31, 4).modifier), (Color::Reset, Modifier::empty()));
    assert_eq!((cell(1, 3).symbol(), cell(1, 3).fg), ("●", Color::LightBlue));
    // Of a conversation only who wrote something unread is bold.
    assert_eq!(cell(5, 2).modifier, Modifier::empty());
    assert_eq!(cell(18, 2).modifier, Modifier::BOLD);
}

/// Everything that puts text into cells goes through the brush, which takes clean text and the program's own.
#[test]
fn x5_no_raw_string_is_drawn() {
    const DOORS: [&str; 12] = [
        "set_string",
        "set_symbol",
        "set_span",
        "set_line",
        "set_char",
        "Span::",
        "Line::raw",
        "Line::from(",
        "Text::",
        "Paragraph",
        "render_widget",
        "print!",
    ];
    let ui = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
    let mut seen = 0;
    for entry in std::fs::read_dir(ui).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.ends_with("paint.rs") {
            let takes: Vec<_> = text.lines().filter(|l| l.contains("impl Drawn for")).collect();
            assert_eq!(takes.len(), 3, "the brush takes Clean, &Clean and &'static str: {takes:?}");
            assert!(takes.iter().all(|l| l.contains("Clean") || l.contains("&'static str")), "{takes:?}");
            continue;
        }
        for door in DOORS {
            assert!(!text.contains(door), "{} draws with {door}, not with the brush", path.display());
        }
        seen += 1;
    }
    assert!(seen > 8, "the sources were not found");
}
