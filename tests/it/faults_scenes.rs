//! The table of sessions: each is broken in every way on every kind of server, and must end as without a fault.
//!
//! A new row gets all the faults. The ordinary run tries a sample of the points, `MAILTUI_CAMPAIGN=1` all of
//! them. A failure prints the plan and the seed; `MAILTUI_FAULT_PLAN="cut 0 down 12"` tries this plan alone.

use mailtui::config::{Leave, Tls};
use mailtui::model::{FlagDelta, Flags, Role};

use crate::support::scene::Act::{Elsewhere, Here, Sync};
use crate::support::scene::{IMAP, POP3, Scene};

/// Each row is a test of this name.
macro_rules! table {
    ($($name:ident: $scene:expr;)*) => {
        $(#[test]
        fn $name() {
            const ROW: Scene = $scene;
            Scene { name: stringify!($name), ..ROW }.everywhere();
        })*
    };
}

const SIX: &[&str] = &["1 INBOX", "2 INBOX", "3 INBOX", "4 INBOX", "5 INBOX", "6 INBOX"];
/// Nothing but what is as old as IMAP4rev1.
pub(crate) const OLD: &[&str] = &["MOVE", "UIDPLUS", "CONDSTORE", "QRESYNC"];

const DELETE: Scene = Scene { leave: Leave::DeleteAfterDownload, here: Some(SIX), ..POP3 };

/// Another client and the user at once, in the inbox and in the archive.
pub(crate) const ACTS: Scene = Scene {
    acts: &[
        Sync,
        Here(|user| {
            user.flag(Role::Inbox, &[1, 4], FlagDelta::add(Flags::FLAGGED));
            user.move_to(Role::Inbox, &[2, 5], Role::Archive);
            user.move_to(Role::Inbox, &[4], Role::Trash);
            user.undo();
            user.copy_to(Role::Inbox, &[6], Role::Sent);
            user.flag(Role::Archive, &[5], FlagDelta::add(Flags::ANSWERED));
        }),
    ],
    there: &[
        "1 INBOX \\Flagged",
        "2 Archive",
        "3 INBOX",
        "4 INBOX \\Flagged",
        "5 Archive \\Answered",
        "6 INBOX",
        "6 Sent",
    ],
    ..IMAP
};

pub(crate) const MOVES: Scene = Scene {
    acts: &[
        Sync,
        Here(|user| {
            user.move_to(Role::Inbox, &[1, 2], Role::Archive);
            user.flag(Role::Inbox, &[3, 4], FlagDelta::add(Flags::SEEN));
            user.move_to(Role::Inbox, &[3], Role::Trash);
            user.copy_to(Role::Inbox, &[5], Role::Archive);
            user.flag(Role::Archive, &[1], FlagDelta::add(Flags::FLAGGED));
        }),
    ],
    there: &[
        "1 Archive \\Flagged",
        "2 Archive",
        "3 Trash \\Seen",
        "4 INBOX \\Seen",
        "5 Archive",
        "5 INBOX",
        "6 INBOX",
    ],
    ..IMAP
};

/// Taken back when the server has done it already.
pub(crate) const REGRET: Scene = Scene {
    acts: &[
        Sync,
        Here(|user| {
            user.move_to(Role::Inbox, &[1, 2], Role::Archive);
            user.copy_to(Role::Inbox, &[3], Role::Archive);
            user.flag(Role::Inbox, &[4], FlagDelta::add(Flags::SEEN));
            user.tag(Role::Inbox, &[5], &["todo"], &[]);
            user.move_to(Role::Inbox, &[6], Role::Trash);
        }),
        Sync,
        Here(|user| (0..5).for_each(|_| user.undo())),
    ],
    there: SIX,
    ..IMAP
};

/// The user's folders, with mail in them and on its way into them.
pub(crate) const SHAPES: Scene = Scene {
    folders: &["Work", "Work/a", "Old"],
    acts: &[
        Sync,
        Here(|user| {
            user.tag(Role::Inbox, &[1, 2], &["todo"], &[]);
            user.make_folder("New");
            user.move_into(Role::Inbox, &[3, 4], "New");
            user.rename_folder("New", "Newer");
            user.rename_folder("Work", "Job");
            user.move_into(Role::Inbox, &[5], "Job");
            user.move_into(Role::Inbox, &[6], "Old");
            user.delete_folder("Old");
            user.tag(Role::Inbox, &[2], &["later"], &["todo"]);
            user.make_folder("Job/b");
            user.rename_folder("Job", "Task");
        }),
    ],
    there: &["1 INBOX todo", "2 INBOX later", "3 Newer", "4 Newer", "5 Task", "6 Trash"],
    made: &["Newer", "Task", "Task/a", "Task/b"],
    ..IMAP
};

/// Mail goes to an account on another server, and mail comes from there (APPEND here).
const BETWEEN: Scene = Scene {
    mails: 5,
    home: Some(&[6, 7, 8]),
    acts: &[
        Sync,
        Here(|user| {
            user.flag(Role::Inbox, &[1], FlagDelta::add(Flags::FLAGGED));
            user.send(("work", Role::Inbox), &[1, 2], ("home", Role::Archive));
            user.send(("home", Role::Inbox), &[6, 7], ("work", Role::Archive));
            user.flag(Role::Archive, &[7], FlagDelta::add(Flags::SEEN));
            user.tag(Role::Archive, &[6], &["todo"], &[]);
        }),
    ],
    there: &[
        "1 home:Archive \\Flagged",
        "2 home:Archive",
        "3 INBOX",
        "4 INBOX",
        "5 INBOX",
        "6 Archive todo",
        "7 Archive \\Seen",
        "8 home:INBOX",
    ],
    ..IMAP
};

/// All that is done to mail whose folders are labels.
const LABELS: Scene = Scene {
    labels: true,
    folders: &["Work"],
    acts: &[
        Sync,
        Here(|user| {
            user.move_to(Role::Inbox, &[1, 2], Role::Archive);
            user.flag(Role::Inbox, &[3], FlagDelta::add(Flags::FLAGGED));
            user.move_into(Role::Inbox, &[3], "Work");
            user.move_to(Role::Inbox, &[4, 5], Role::Trash);
            user.purge(Role::Trash, &[5]);
            user.move_to(Role::Inbox, &[6], Role::Archive);
            user.undo();
        }),
    ],
    there: &[
        "1 [Gmail]/All Mail",
        "2 [Gmail]/All Mail",
        "3 Work \\Flagged",
        "3 [Gmail]/All Mail \\Flagged",
        "4 [Gmail]/Trash",
        "6 INBOX",
        "6 [Gmail]/All Mail",
    ],
    made: &["Work"],
    ..IMAP
};

/// All of an account is copied to another, which has some of it.
const MOVE: Scene = Scene {
    mails: 4,
    folders: &["Lists"],
    home: Some(&[2, 7]),
    acts: &[
        Sync,
        Here(|user| {
            user.flag(Role::Inbox, &[1], FlagDelta::add(Flags::FLAGGED));
            user.tag(Role::Inbox, &[1], &["todo"], &[]);
            user.move_into(Role::Inbox, &[3], "Lists");
            user.carry("work", "home");
        }),
    ],
    there: &[
        "1 INBOX \\Flagged todo",
        "1 home:INBOX \\Flagged todo",
        "2 INBOX",
        "2 home:INBOX",
        "3 Lists",
        "3 home:Lists",
        "4 INBOX",
        "4 home:INBOX",
        "7 home:INBOX",
    ],
    made: &["Lists"],
    ..IMAP
};

/// A session that finds out what another client did.
const OTHERS: Scene = Scene {
    mails: 7,
    folders: &["Lists"],
    acts: &[
        Sync,
        Elsewhere(|room| {
            room.deliver("INBOX", &[8, 9]);
            room.flag("INBOX", &[1], FlagDelta::add(Flags::SEEN | Flags::FLAGGED));
            room.flag("INBOX", &[2], FlagDelta::add(Flags::ANSWERED));
            room.tag("INBOX", &[2, 4], "urgent");
            room.move_to("INBOX", &[3], "Archive");
            room.move_to("INBOX", &[5], "Lists");
            room.expunge("INBOX", &[6]);
            room.add_folder("More");
        }),
    ],
    there: &[
        "1 INBOX \\Seen \\Flagged",
        "2 INBOX \\Answered urgent",
        "3 Archive",
        "4 INBOX urgent",
        "5 Lists",
        "7 INBOX",
        "8 INBOX",
        "9 INBOX",
    ],
    made: &["Lists", "More"],
    ..IMAP
};

/// Drafts are put on the server, written on, and thrown away.
const DRAFTS: Scene = Scene {
    mails: 1,
    acts: &[
        Sync,
        Here(|user| {
            user.write(2, "first\n");
            user.write(3, "first\n");
        }),
        Sync,
        Here(|user| {
            user.write(2, "second\n");
            user.discard(3);
            user.write(4, "new\n");
        }),
    ],
    there: &["1 INBOX", "2 Drafts \\Seen \\Draft", "4 Drafts \\Seen \\Draft"],
    ..IMAP
};

/// Mail that has been here for as many days as it stays there: none.
const OVER: Scene = Scene { leave: Leave::Days(0), ..DELETE };

/// Mail that leaves Trash for good here.
const PURGE: Scene = Scene {
    mails: 5,
    acts: &[
        Sync,
        Here(|user| {
            user.move_to(Role::Inbox, &[1, 2, 3], Role::Trash);
            user.purge(Role::Trash, &[2, 3]);
        }),
    ],
    there: &["1 INBOX", "4 INBOX", "5 INBOX"],
    here: Some(&["1 Trash", "4 INBOX", "5 INBOX"]),
    ..POP3
};

table! {
    o5_i7_draft_replace: DRAFTS;
    o5_i7_draft_replace_over_an_old_protocol: Scene { lacks: OLD, ..DRAFTS };
    i11_labels: LABELS;
    i11_labels_without_condstore: Scene { lacks: &["CONDSTORE"], ..LABELS };
    a1_i11_labels_after_the_push: Scene {
        labels: true,
        folders: &["Work"],
        acts: &[
            Sync,
            Here(|user| {
                user.move_to(Role::Inbox, &[1, 2], Role::Archive);
                user.move_into(Role::Inbox, &[3], "Work");
                user.move_to(Role::Inbox, &[4], Role::Trash);
                user.move_to(Role::Inbox, &[5], Role::Junk);
                user.copy_into(Role::Inbox, &[6], "Work");
            }),
            Sync,
            Here(|user| (0..5).for_each(|_| user.undo())),
        ],
        there: &[
            "1 INBOX", "1 [Gmail]/All Mail", "2 INBOX", "2 [Gmail]/All Mail", "3 INBOX", "3 [Gmail]/All Mail",
            "4 INBOX", "4 [Gmail]/All Mail", "5 INBOX", "5 [Gmail]/All Mail", "6 INBOX", "6 [Gmail]/All Mail",
        ],
        made: &["Work"],
        ..IMAP
    };
    p3_p4_pop3_forever: Scene { there: SIX, ..POP3 };
    p3_p4_pop3_forever_without_pipelining: Scene { lacks: &["PIPELINING"], there: SIX, ..POP3 };
    p3_p4_pop3_fourteen_days_pipelined: Scene { leave: Leave::Days(14), there: SIX, ..POP3 };
    p3_p4_pop3_days_that_are_over: OVER;
    p3_p4_pop3_days_that_are_over_without_pipelining: Scene { lacks: &["PIPELINING"], ..OVER };
    p3_p4_pop3_fourteen_days: Scene { leave: Leave::Days(14), lacks: &["PIPELINING"], there: SIX, ..POP3 };
    p3_p4_pop3_delete_after_download: DELETE;
    p3_p4_pop3_delete_without_pipelining: Scene { lacks: &["PIPELINING"], ..DELETE };
    p3_p4_pop3_delete_over_tls: Scene { tls: Tls::Implicit, ..DELETE };
    p3_pop3_what_is_purged_here_goes_there: PURGE;
    p3_pop3_what_is_purged_here_goes_there_without_pipelining: Scene { lacks: &["PIPELINING"], ..PURGE };
    i3_i4_a_first_sync: Scene {
        acts: &[Elsewhere(|room| {
            room.deliver("Archive", &[7]);
            room.flag("INBOX", &[6], FlagDelta::add(Flags::SEEN | Flags::FLAGGED));
        })],
        there: &[
            "1 INBOX", "2 INBOX", "3 INBOX", "4 INBOX", "5 INBOX", "6 INBOX \\Seen \\Flagged", "7 Archive",
        ],
        ..IMAP
    };
    i3_what_others_did: OTHERS;
    i3_what_others_did_by_condstore: Scene { lacks: &["QRESYNC"], ..OTHERS };
    i3_what_others_did_by_comparison: Scene { lacks: &["QRESYNC", "CONDSTORE"], ..OTHERS };
    i5_a_flag_storm: Scene {
        acts: &[Sync, Here(|user| {
            user.flag(Role::Inbox, &[1, 2, 3, 4, 5, 6], FlagDelta::add(Flags::SEEN));
            user.flag(Role::Inbox, &[2, 4], FlagDelta::add(Flags::FLAGGED));
            user.flag(Role::Inbox, &[1], FlagDelta::del(Flags::SEEN));
            user.flag(Role::Inbox, &[5], FlagDelta { add: Flags::ANSWERED, del: Flags::SEEN });
            user.flag(Role::Inbox, &[4], FlagDelta::del(Flags::FLAGGED));
        })],
        there: &[
            "1 INBOX", "2 INBOX \\Seen \\Flagged", "3 INBOX \\Seen", "4 INBOX \\Seen", "5 INBOX \\Answered",
            "6 INBOX \\Seen",
        ],
        ..IMAP
    };
    i5_tags: Scene {
        acts: &[Sync, Here(|user| {
            user.tag(Role::Inbox, &[1, 2, 3], &["todo"], &[]);
            user.tag(Role::Inbox, &[2], &["later", "paper"], &["todo"]);
            user.move_to(Role::Inbox, &[2, 3], Role::Archive);
            user.tag(Role::Archive, &[3], &["done"], &["todo"]);
            user.tag(Role::Inbox, &[4], &["oops"], &[]);
            user.undo();
        })],
        there: &["1 INBOX todo", "2 Archive later paper", "3 Archive done", "4 INBOX", "5 INBOX", "6 INBOX"],
        ..IMAP
    };
    i5_i6_actions: ACTS;
    i6_moves_and_copies: MOVES;
    i6_moves_over_tls: Scene { tls: Tls::Implicit, ..MOVES };
    i6_moves_by_copy: Scene { lacks: &["MOVE"], ..MOVES };
    i6_moves_by_copy_and_expunge: Scene { lacks: OLD, ..MOVES };
    i6_deletion_for_good: Scene {
        acts: &[Sync, Here(|user| {
            user.move_to(Role::Inbox, &[1, 2], Role::Trash);
            user.purge(Role::Inbox, &[3]);
            user.purge(Role::Trash, &[1]);
        })],
        there: &["2 Trash", "4 INBOX", "5 INBOX", "6 INBOX"],
        ..IMAP
    };
    i2_numbered_anew: Scene {
        acts: &[
            Sync,
            Here(|user| {
                user.flag(Role::Inbox, &[1, 2], FlagDelta::add(Flags::FLAGGED));
                user.move_to(Role::Inbox, &[2, 3], Role::Archive);
            }),
            Elsewhere(|room| room.renumber("INBOX")),
        ],
        there: &[
            "1 INBOX \\Flagged", "2 Archive \\Flagged", "3 Archive", "4 INBOX", "5 INBOX", "6 INBOX",
        ],
        ..IMAP
    };
    a1_undo_before_and_after: Scene {
        acts: &[
            Sync,
            Here(|user| {
                user.move_to(Role::Inbox, &[1, 2], Role::Trash);
                user.undo();
                user.redo();
            }),
            Sync,
            Here(|user| {
                user.undo();
                user.flag(Role::Inbox, &[4], FlagDelta::add(Flags::FLAGGED));
                user.undo();
            }),
        ],
        there: SIX,
        ..IMAP
    };
    a1_undo_after_the_push: REGRET;
    a1_undo_after_the_push_by_copy: Scene { lacks: OLD, ..REGRET };
    i5_folders_with_mail_in_them: SHAPES;
    i5_a_folder_unsubscribed_and_another_removed: Scene {
        folders: &["Work", "Old"],
        acts: &[
            Sync,
            Here(|user| {
                user.move_into(Role::Inbox, &[1], "Work");
                user.move_into(Role::Inbox, &[2, 3], "Old");
            }),
            Sync,
            Here(|user| {
                user.subscribe("Work", false);
                user.delete_folder("Old");
                user.make_folder("Old/again");
            }),
        ],
        there: &["1 Work", "2 Trash", "3 Trash", "4 INBOX", "5 INBOX", "6 INBOX"],
        made: &["(Work)", "Old/again"],
        ..IMAP
    };
    i7_i13_mail_between_accounts: BETWEEN;
    i7_i13_mail_between_accounts_without_uidplus: Scene { lacks: OLD, ..BETWEEN };
    i13_a_whole_account_moves: MOVE;
    i13_a_whole_account_moves_over_an_old_protocol: Scene { lacks: OLD, ..MOVE };
    a1_i13_mail_between_accounts_and_back: Scene {
        mails: 5,
        home: Some(&[6, 7, 8]),
        acts: &[
            Sync,
            Here(|user| {
                user.send(("work", Role::Inbox), &[1, 2], ("home", Role::Archive));
                user.send(("home", Role::Inbox), &[6, 7], ("work", Role::Archive));
            }),
            Sync,
            Sync,
            Here(|user| (0..2).for_each(|_| user.undo())),
        ],
        there: &[
            "1 INBOX", "2 INBOX", "3 INBOX", "4 INBOX", "5 INBOX", "6 home:INBOX", "7 home:INBOX",
            "8 home:INBOX",
        ],
        ..IMAP
    };
}
