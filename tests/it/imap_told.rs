//! Servers that tell more than is so, on the wire of a real one (promises I1, I6, I7, I12): what they say of limits and
//! of where mail went.

use mailtui::config::Protocol;
use mailtui::model::*;
use mailtui::protocol::memory::Server;

use crate::support::pair::*;
use crate::support::proxy::{Fault, Plan, Way};

/// In all that the server says, this becomes that.
fn lie(from: &str, to: &str) -> Plan {
    Plan(vec![Fault::Replace { way: Way::Down, from: from.into(), to: to.into() }])
}

#[test]
fn i12_i13_a_mail_that_is_too_long_for_the_other_server_never_leaves_and_says_why() {
    let Some((home, proxy)) = Side::lying("home", lie("CONTEXT=SEARCH", "APPENDLIMIT=9000")) else { return };
    let work = Side::memory("work", Protocol::Imap, Server::new(Protocol::Imap));
    let pair = Pair::new(work, home);
    let round = proxy.begin(lie("CONTEXT=SEARCH", "APPENDLIMIT=9000"));
    for n in [1, LARGE] {
        pair.work.deliver(n);
    }
    pair.settle();
    pair.send();
    (0..2).for_each(|_| drop(pair.sync(&[&pair.home, &pair.work])));
    assert_eq!(pair.work.there("INBOX").len(), 1, "the long one is where it was");
    assert_eq!(pair.work.there("INBOX")[0].raw, raw(LARGE));
    assert_eq!(pair.sent().len(), 1, "the other one is there");
    let size = raw(LARGE).len();
    let reader = pair.reader();
    let conflicts = reader.conflicts(pair.account("home")).unwrap();
    let said =
        format!("the message has {size} bytes, and the server takes 9000 at most (it stays where it is; ");
    assert_eq!(conflicts.len(), 1);
    assert!(conflicts[0].error.starts_with(&said), "{}", conflicts[0].error);
    let up: u64 = round.tally().connections.iter().map(|passed| passed.bytes(Way::Up)).sum();
    assert!(up < 20_000, "{up} bytes went out");
    // Given up, it is seen where it is.
    let reach = Reach::Account(pair.account("home"));
    pair.act(Intent::Settle { how: Settle::Discard, reach });
    pair.settle();
    assert_eq!(pair.copies(pair.folder("work", Role::Inbox)).len(), 1);
    assert_eq!(pair.copies(pair.archive()).len(), 1);
}

/// What a server says of where mail went, and what is made of it.
const LIES: [(&str, &str); 13] = [
    // Another numbering.
    ("[COPYUID 1", "[COPYUID 2"),
    ("[APPENDUID 1", "[APPENDUID 2"),
    // Names that the folder gave out before, has not given out, or gave the other way round.
    (" 2:3 2:3]", " 2:3 1:2]"),
    (" 2:3 2:3]", " 2:3 8:9]"),
    (" 2:3 2:3]", " 2:3 3,2]"),
    ("] Append completed", "0] Append completed"),
    // Sets that do not fit each other, or the question.
    (" 2:3 2:3]", " 2:3 2]"),
    (" 2:3 2:3]", " 2:3 2,2]"),
    (" 2:3 2:3]", " 7:8 2:3]"),
    (" 2:3 2:3]", " 1:4294967295 1:4294967295]"),
    // All could be so, and is not: one too high, one too low for one of them, and of a mail that is not there.
    (" 2:3 2:3]", " 2:3 3:4]"),
    (" 2:3 2:3]", " 2:3 3,9]"),
    (" 2] Append completed", " 3] Append completed"),
];

/// Two mails come into an archive that holds one already, by a move and by an append, while the server tells this lie;
/// then one of them is marked.
fn believed(from: &str, to: &str, by_append: bool) {
    let Some((home, proxy)) = Side::lying("home", Plan::none()) else { return };
    let pair = Pair::new(Side::memory("work", Protocol::Imap, Server::new(Protocol::Imap)), home);
    let case = format!("{from} told as {to}");
    let inbox = pair.folder(if by_append { "work" } else { "home" }, Role::Inbox);
    let side = if by_append { &pair.work } else { &pair.home };
    let go = || {
        let items = pair.copies(inbox);
        pair.act(Intent::Move { items, to: Target::Folder(pair.archive()) });
        pair.settle();
    };
    side.deliver(1);
    pair.settle();
    go();
    side.deliver(2);
    side.deliver(3);
    pair.settle();
    let round = proxy.begin(lie(from, to));
    go();
    assert!(round.tally().connections.iter().any(|passed| passed.lines(Way::Up) > 3), "{case}");
    proxy.begin(Plan::none());
    pair.settle();
    assert_eq!((pair.copies(inbox).len(), pair.copies(pair.archive()).len()), (0, 3), "{case}");
    let reader = pair.reader();
    let third = |copy: &PlacementId| reader.summary(*copy).unwrap().unwrap().subject.as_str() == "Letter 3";
    let items: Vec<_> = pair.copies(pair.archive()).into_iter().filter(third).collect();
    assert_eq!(items.len(), 1, "{case}");
    pair.act(Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
    pair.settle();
    let mut there: Vec<_> =
        pair.sent().into_iter().map(|mail| (mail.raw.len(), mail.raw, mail.flags)).collect();
    there.sort_by_key(|(size, ..)| *size);
    let marked = [(1, Flags::NONE), (2, Flags::NONE), (3, Flags::FLAGGED)];
    let wanted = marked.map(|(n, flags)| (raw(n).len(), raw(n), flags));
    assert_eq!(there, wanted, "{case}");
}

#[test]
fn i1_i6_what_cannot_be_so_of_where_mail_went_is_looked_for_instead() {
    for (from, to) in LIES {
        believed(from, to, from.to_lowercase().contains("append"));
    }
}

#[test]
fn i1_nothing_is_done_to_a_mail_under_a_name_that_was_only_told() {
    // Another mail is in the archive already by the time of the move; the server says that the first that was moved is it,
    // and what is to be done to the moved ones is queued along with the move.
    for to in [" 2:3 2:3]", " 2:3 4:5]", " 2:3 9:10]"] {
        let Some((home, proxy)) = Side::lying("home", Plan::none()) else { return };
        let pair = Pair::new(Side::memory("work", Protocol::Imap, Server::new(Protocol::Imap)), home);
        let inbox = pair.folder("home", Role::Inbox);
        let go = || {
            let items = pair.copies(inbox);
            pair.act(Intent::Move { items, to: Target::Folder(pair.archive()) });
        };
        pair.home.deliver(1);
        pair.settle();
        go();
        pair.settle();
        (2..=3).for_each(|n| pair.home.deliver(n));
        pair.settle();
        // Another client's, not seen here yet: it is mail 2 of the archive, and the moved ones become 3 and 4.
        let Kept::Dovecot(user) = &pair.home.server else { return };
        user.deliver(&pair.remote(pair.archive()), &raw(4));
        assert_eq!(pair.sent().len(), 2, "{to}: it has its number");
        proxy.begin(lie(" 2:3 3:4]", to));
        go();
        let reader = pair.reader();
        let subject = |copy: &PlacementId| reader.summary(*copy).unwrap().unwrap().subject.to_string();
        let items: Vec<_> =
            pair.copies(pair.archive()).into_iter().filter(|copy| subject(copy) == "Letter 3").collect();
        assert_eq!(items.len(), 1, "{to}");
        pair.act(Intent::Flag { items, delta: FlagDelta::add(Flags::FLAGGED), undoable: true });
        pair.settle();
        proxy.begin(Plan::none());
        pair.settle();
        let marks = |mail: &There| (mail.raw.len(), mail.flags.has(Flags::FLAGGED));
        let mut there: Vec<_> = pair.sent().iter().map(marks).collect();
        there.sort_unstable();
        assert_eq!(there, [1, 2, 3, 4].map(|n| (raw(n).len(), n == 3)), "{to}");
        let mut here: Vec<_> = pair.copies(pair.archive()).iter().map(subject).collect();
        here.sort_unstable();
        assert_eq!(here, [1, 2, 3, 4].map(|n| format!("Letter {n}")), "{to}");
    }
}
