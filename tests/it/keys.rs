//! The table of commands keeps its own rules, and the themes resolve.

use mailtui::app::command::{COMMANDS, Needs};
use mailtui::app::key::Key;
use mailtui::app::keymap::Keymap;
use mailtui::app::scope::Focus;
use mailtui::config::theme::{Role, Theme};
use mailtui::config::{KeySetting, Preset};

use crate::support::drive::{Screen, Start};
use crate::support::mail::{Post, mail};

#[test]
fn names_are_unique_and_plain() {
    for (i, command) in COMMANDS.iter().enumerate() {
        assert!(COMMANDS[..i].iter().all(|c| c.name != command.name), "{} twice", command.name);
        assert!(command.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", command.name);
    }
}

#[test]
fn no_key_is_a_prefix_of_another_in_its_place() {
    for focus in Focus::ALL {
        let mut bound: Vec<(Vec<Key>, &str)> = Vec::new();
        for command in COMMANDS.iter().filter(|c| c.scope.covers(focus)) {
            for written in command.keys {
                let keys = Key::sequence(written).unwrap();
                assert_eq!(Key::print(&keys), *written, "{} is not written as it is printed", command.name);
                for (other, name) in &bound {
                    assert!(
                        !keys.starts_with(other) && !other.starts_with(&keys),
                        "{written} of {} clashes with {name} in {focus:?}",
                        command.name
                    );
                }
                bound.push((keys, command.name));
            }
        }
        assert!(bound.len() > 10, "{focus:?} has hardly any keys");
    }
}

#[test]
fn docs_are_short_sentences_that_begin_with_a_verb() {
    const VERBS: &[&str] = &[
        "Ask",
        "Believe",
        "Copy",
        "Delete",
        "Download",
        "Edit",
        "Find",
        "Fold",
        "Forward",
        "Give",
        "Go",
        "Hide",
        "Join",
        "List",
        "Look",
        "Make",
        "Mark",
        "Move",
        "Mute",
        "Open",
        "Paint",
        "Play",
        "Put",
        "Quit",
        "Read",
        "Record",
        "Redo",
        "Rename",
        "Repeat",
        "Reply",
        "Run",
        "Save",
        "Select",
        "Send",
        "Show",
        "Snooze",
        "Sort",
        "Split",
        "Star",
        "Subscribe",
        "Suspend",
        "Switch",
        "Tag",
        "Try",
        "Undo",
        "Unfold",
        "Unsubscribe",
        "Write",
    ];
    for command in COMMANDS {
        let first = command.doc.split_whitespace().next().unwrap_or_default();
        assert!(VERBS.contains(&first), "{}: {:?} does not begin with a verb", command.name, command.doc);
        assert!(!command.doc.ends_with('.'), "{}: a full stop", command.name);
        assert!(command.doc.chars().count() <= 26, "{}: {} cells", command.name, command.doc.chars().count());
    }
}

#[test]
fn no_default_key_needs_what_hands_do_not_have() {
    for command in COMMANDS {
        // What is done to folders as a whole is rare, and its name is typed.
        let Some(first) = command.keys.first() else {
            assert_eq!(command.group, mailtui::app::command::Group::Go, "{} has no key", command.name);
            continue;
        };
        let first = Key::sequence(first).unwrap();
        for key in &first {
            // AltGr on German or French keyboards: only good for second bindings.
            assert!(
                !matches!(key.text(), Some('\\' | '[' | ']' | '{' | '}' | '|' | '@' | '#' | '~')),
                "{key}"
            );
        }
        for written in command.keys {
            for key in Key::sequence(written).unwrap() {
                assert!(!key.alt, "{written} needs Alt");
                let taken = key.ctrl && "sqabimh".contains(|c| key == Key::ctrl(c));
                assert!(!taken, "{written} is taken by terminals, screen or tmux");
            }
        }
    }
}

#[test]
fn every_disabled_command_says_why() {
    for command in COMMANDS {
        let sentence = command.needs.sentence();
        assert_eq!(sentence.is_empty(), command.needs == Needs::Nothing, "{}", command.name);
        assert!(!sentence.ends_with('.'));
    }
}

#[test]
fn arrows_enter_escape_help_and_the_command_line_work_everywhere() {
    for focus in Focus::ALL {
        for key in ["<Up>", "<Down>", "<Esc>", "?", ":", "<C-l>", "<C-z>"] {
            let found = COMMANDS.iter().any(|c| c.scope.covers(focus) && c.keys.contains(&key));
            assert!(found, "{key} does nothing in {focus:?}");
        }
    }
}

#[test]
fn every_embedded_theme_loads_and_every_role_resolves() {
    for name in Theme::embedded_names() {
        let theme = Theme::named(name, None).unwrap();
        assert_eq!(theme.name().to_lowercase(), name);
        for role in Role::ALL {
            let _ = theme.style(*role);
        }
        assert_ne!(theme.style(Role::Cursor), theme.style(Role::List), "{name} hides the cursor");
        assert_ne!(theme.style(Role::ListUnread), theme.style(Role::List), "{name} hides what is unread");
    }
}

#[test]
fn mono_has_no_colour() {
    let theme = Theme::named("mono", None).unwrap();
    for role in Role::ALL {
        let style = theme.style(*role);
        assert!(style.fg.is_none() && style.bg.is_none(), "{} is coloured", role.key());
    }
}

#[test]
fn a_theme_inherits_and_its_own_parents_reach_their_children() {
    let text = "inherits = \"terminal\"\n[palette]\nfrost = \"#88c0d0\"\n[styles]\n\"list\" = \"frost\"\n";
    let theme = Theme::parse(text, "nord.toml", None).unwrap();
    let frost = theme.style(Role::List).fg;
    assert!(frost.is_some());
    assert_eq!(theme.style(Role::ListDate).fg, frost);
    assert_eq!(
        theme.style(Role::StatusError),
        Theme::named("terminal", None).unwrap().style(Role::StatusError)
    );
}

#[test]
fn a_mistake_in_a_theme_names_its_line() {
    let said = |text: &str| Theme::parse(text, "my.toml", None).unwrap_err().to_string();
    assert_eq!(
        said("[styles]\n\"list.unred\" = \"red\"\n"),
        "my.toml:2:16: no part of the screen is called `list.unred`"
    );
    assert!(said("[styles]\n\"unread\" = \"red\"\n").contains("did you mean `folder.unread`?"));
    assert!(said("\n\n[styles]\n\"list\" = \"frost\"\n").starts_with("my.toml:4:10: `frost` is neither"));
    assert!(said("[styles]\nlist = { mods = [\"loud\"] }\n").starts_with("my.toml:2:"));
    assert!(said("[styles\n").starts_with("my.toml:1:"));
    assert!(said("inherits = \"nothing\"\n").contains("there is no theme `nothing`"));
}

#[test]
fn own_keys_run_one_command_or_several_and_are_shown() {
    let own = |on: &str, run: &[&str], scope: Option<&str>| KeySetting {
        on: on.to_owned(),
        run: run.iter().map(|line| (*line).to_owned()).collect(),
        scope: scope.map(str::to_owned),
        places: [(1, 1); 3],
    };
    let (keymap, problems) = Keymap::with(
        None,
        &[
            own("Y", &["star", "down 2"], Some("list")),
            own("gw", &["go-archive"], None),
            own("a", &["down"], Some("list")),
        ],
    );
    assert_eq!(problems, []);
    let post = Post::new();
    for n in 1..=5 {
        post.deliver(mail("Ada <ada@example.org>", &format!("Topic {n}.")).ago(n * 60));
    }
    let mut screen = Screen::start(&post, Start { keymap, ..Start::default() });
    screen.at("Topic 1.").keys("Y").until("Starred 1").at("Topic 3.");
    // Over a default key, and with a count.
    screen.keys("2a").at("Topic 5.");
    screen.keys("g").until("w     Go to the archive").keys("w").until("work · Archive");
    screen.keys("?").until("Your own").until("Y           star, down 2");
}

#[test]
fn hands_that_know_another_program_find_its_keys() {
    let post = Post::new();
    for n in 1..=5 {
        post.deliver(mail("Ada <ada@example.org>", &format!("Topic {n}.")).ago(n * 60));
    }
    let screen = |name: &str| {
        let keymap = Keymap::with(Preset::named(name).unwrap().as_ref(), &[]).0;
        Screen::start(&post, Start { keymap, ..Start::default() })
    };
    let mut mutt = screen("mutt");
    mutt.at("Topic 1.").keys("F").until("Starred 1").keys("*").at("Topic 5.").keys("=").at("Topic 1.");
    mutt.keys("<Enter>").until("About topic").keys("j").until("About topic 2").keys("i").at("Topic 2.");
    mutt.keys("s")
        .until(":move")
        .keys("<Esc>?")
        .until("Keys · List, as in mutt")
        .until("q           Go back")
        .keys("G")
        .until("s m         Move to a folder");
    mutt.keys("qZZ").ended().unwrap();
    post.settle();
    let mut aerc = screen("aerc");
    aerc.at("Topic 1.").keys("<Space>").at("Topic 2.").keys("D").until("Moved 1 to Trash");
    aerc.keys("ZZ").ended().unwrap();
    post.settle();
    let mut gmail = screen("gmail");
    gmail.at("Topic 2.").keys("*a").until("Selected all 4 rows").keys("<Esc>#").until("Moved 1 to Trash");
    gmail.keys("z").until("Undid").at("Topic 2.").keys("o").until("About topic").keys("u").at("Topic 2.");
}
