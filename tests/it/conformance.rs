//! One suite over every protocol and server. It branches on what a session says it can do, never on
//! which kind it is.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mailtui::Kind;
use mailtui::error::Retry;
use mailtui::model::{FlagDelta, Flags, Role};
use mailtui::net::Interrupt;
use mailtui::protocol::{Applied, FolderRef, Letter, MailProtocol, RemoteFolder, RemoteId, RemoteOp, Wake};

use crate::support::imap::letter;
use crate::support::world::{Bodies, Held, There, World, worlds};

/// Mails that are hard to carry.
fn odd_mails() -> Vec<Vec<u8>> {
    let mut long = b"Subject: long lines\r\n\r\n".to_vec();
    long.extend(b"x".repeat(70_000));
    long.extend_from_slice(b"\r\nend\r\n");
    let mut large = b"Subject: large\r\n\r\n".to_vec();
    large.extend(b"0123456789abcdef 0123456789abcdef {12}\r\n".repeat(30_000));
    vec![
        b"Subject: plain\r\nMessage-ID: <plain@x>\r\n\r\nhello\r\n".to_vec(),
        b"Subject: 8-bit \xe9\r\n\r\n\xff\xfe\x80 caf\xc3\xa9\r\n".to_vec(),
        b"Subject: bare line feeds\n\none\ntwo\r\nthree\n".to_vec(),
        b"Subject: dots\r\n\r\n.\r\n..\r\n.one\r\nmore.\r\n\r\n.\r\n".to_vec(),
        b"Subject: no end of line\r\n\r\nthe last words".to_vec(),
        b"Subject: no body\r\n\r\n".to_vec(),
        b"Subject: literals {5}\r\nX: a)\r\n\r\n* 1 FETCH (UID 1)\r\nm1 OK done\r\n+OK\r\n-ERR\r\n".to_vec(),
        long,
        large,
    ]
}

fn numbered(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|n| format!("Subject: {n}\r\nMessage-ID: <{n}@x>\r\n\r\nbody {n}\r\n").into_bytes())
}

fn inbox() -> FolderRef {
    FolderRef::new("INBOX")
}

fn each(test: impl Fn(&World)) {
    for world in worlds() {
        eprintln!("-- {}", world.name);
        test(&world);
    }
}

/// A mailbox with these mails, looked at.
fn with_mails(world: &World, mails: &[&[u8]]) -> (Box<dyn MailProtocol>, Held) {
    world.deliver_all("INBOX", &mails.iter().map(|raw| raw.to_vec()).collect::<Vec<_>>());
    let mut session = world.session();
    let mut held = Held::default();
    held.pull(&mut *session, "INBOX");
    assert_eq!(held.mails.len(), mails.len());
    (session, held)
}

/// The id of the mail with this text in its header or body.
fn id_of(session: &mut dyn MailProtocol, held: &Held, text: &str) -> RemoteId {
    let ids: Vec<RemoteId> = held.mails.keys().cloned().collect();
    let mut bodies = Bodies::default();
    session.fetch(&inbox(), &ids, &mut bodies).unwrap();
    let has = |raw: &[u8]| String::from_utf8_lossy(raw).contains(text);
    bodies.whole.into_iter().find(|(_, raw)| has(raw)).unwrap().0
}

fn uid(id: &RemoteId) -> u32 {
    match id {
        RemoteId::Uid { uid, .. } => *uid,
        RemoteId::Uidl(_) => panic!("a UIDL where UIDs are"),
    }
}

fn raws(there: &[There]) -> BTreeSet<Vec<u8>> {
    there.iter().map(|mail| mail.raw.clone()).collect()
}

#[test]
fn folders_are_listed_with_their_roles() {
    each(|world| {
        world.deliver("INBOX", b"Subject: a\r\n\r\n");
        let mut session = world.session();
        let caps = session.caps();
        let folders = session.folders().unwrap();
        let inbox = folders.iter().find(|f| f.role == Some(Role::Inbox)).unwrap();
        assert!(inbox.selectable && inbox.subscribed);
        assert_eq!((inbox.remote.as_str(), inbox.messages.unwrap_or(1)), ("INBOX", 1));
        let roles: BTreeSet<Role> = folders.iter().filter_map(|f| f.role).collect();
        if caps.folders {
            let all = [Role::Inbox, Role::Drafts, Role::Sent, Role::Archive, Role::Junk, Role::Trash];
            assert_eq!(roles, all.into());
            // A server may count its modification sequences on by itself for a moment after a delivery.
            let shape = |f: &RemoteFolder| RemoteFolder { cursor: None, ..f.clone() };
            let mut again: Vec<_> = session.folders().unwrap().iter().map(shape).collect();
            assert!(
                folders.iter().all(|f| again.contains(&shape(f))) && again.len() == folders.len(),
                "{folders:?}\nthen {again:?}"
            );
            again.dedup_by(|a, b| a.path == b.path);
            assert_eq!(again.len(), folders.len());
        } else {
            assert_eq!(folders.len(), 1);
        }
        session.keep_alive().unwrap();
        session.finish().unwrap();
    });
}

#[test]
fn a_first_look_brings_all_and_a_second_nothing() {
    each(|world| {
        let odd = odd_mails();
        let mails: Vec<&[u8]> = odd.iter().map(Vec::as_slice).collect();
        let (mut session, mut held) = with_mails(world, &mails);
        let all: Vec<RemoteId> = held.mails.keys().cloned().collect();
        if session.caps().flags {
            let newest_first: Vec<RemoteId> = all.iter().rev().cloned().collect();
            assert_eq!(held.order, newest_first);
            let heads: BTreeSet<Vec<u8>> = held.mails.values().map(|m| m.head.clone().unwrap()).collect();
            assert!(heads.contains(&b"Subject: 8-bit \xe9\r\n\r\n"[..]));
            assert!(held.mails.values().all(|m| m.received > 1_600_000_000));
        }
        for _ in 0..2 {
            held.pull(&mut *session, "INBOX");
            assert_eq!(held.told, 0);
            session.finish().unwrap();
            session = world.session();
        }
        world.deliver("INBOX", b"Subject: late\r\n\r\n");
        session.finish().unwrap();
        session = world.session();
        held.pull(&mut *session, "INBOX");
        assert_eq!((held.told, held.mails.len()), (1, odd.len() + 1));
        session.finish().unwrap();
    });
}

#[test]
fn p8_bytes_are_kept_exactly() {
    each(|world| {
        let odd = odd_mails();
        let mails: Vec<&[u8]> = odd.iter().map(Vec::as_slice).collect();
        let (mut session, held) = with_mails(world, &mails);
        let ids: Vec<RemoteId> = held.mails.keys().cloned().collect();
        let mut bodies = Bodies::default();
        session.fetch(&inbox(), &ids, &mut bodies).unwrap();
        let got: BTreeSet<Vec<u8>> = bodies.whole.into_values().collect();
        let expected: BTreeSet<Vec<u8>> = odd.iter().map(|raw| world.served(raw)).collect();
        assert!(got == expected, "{}: other bytes than were delivered", world.name);
        // In any order, and one that is not there is passed over.
        let gone = match &ids[0] {
            RemoteId::Uid { validity, .. } => RemoteId::Uid { validity: *validity, uid: 4_000_000 },
            RemoteId::Uidl(_) => RemoteId::Uidl("never was".into()),
        };
        let some = [ids[3].clone(), gone, ids[1].clone()];
        let mut bodies = Bodies::default();
        session.fetch(&inbox(), &some, &mut bodies).unwrap();
        assert_eq!(bodies.whole.len(), 2);
        session.finish().unwrap();
    });
}

#[test]
fn a_fetch_stops_between_messages_and_the_session_goes_on() {
    each(|world| {
        let mails: Vec<Vec<u8>> = numbered(60).collect();
        let mails: Vec<&[u8]> = mails.iter().map(Vec::as_slice).collect();
        let (mut session, mut held) = with_mails(world, &mails);
        let ids: Vec<RemoteId> = held.mails.keys().cloned().collect();
        let mut bodies = Bodies::stopping_after(7);
        session.fetch(&inbox(), &ids, &mut bodies).unwrap();
        // What was on its way may still come.
        assert!(bodies.whole.len() >= 7);
        bodies.stop_after = None;
        let rest: Vec<RemoteId> = ids.iter().filter(|id| !bodies.whole.contains_key(id)).cloned().collect();
        session.fetch(&inbox(), &rest, &mut bodies).unwrap();
        assert_eq!(bodies.whole.len(), 60);
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.told, 0);
        session.finish().unwrap();
    });
}

#[test]
fn i4_a_stopped_look_goes_on_where_it_was() {
    each(|world| {
        world.deliver_all("INBOX", &numbered(700).collect::<Vec<_>>());
        let mut session = world.session();
        let mut held = Held::default();
        // Held counts a mail that is told twice as a failure.
        for stop_at in [1, 1, 100, 201, 300] {
            held.stop_at = Some(stop_at);
            held.pull(&mut *session, "INBOX");
            assert!(held.told > 0 || held.mails.len() == 700);
        }
        held.stop_at = None;
        world.deliver("INBOX", b"Subject: in between\r\n\r\n");
        if session.caps().snapshot {
            session.finish().unwrap();
            session = world.session();
        }
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.mails.len(), 701);
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.told, 0);
        session.finish().unwrap();
    });
}

#[test]
fn i4_a_search_brings_what_is_not_here_and_the_first_look_goes_on_without_it() {
    each(|world| {
        let mail = |n: usize, text: &str| {
            format!("Subject: {n}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text} {n}\r\n")
                .into_bytes()
        };
        let mails = ["a needle", "hay", "hay", "Needles", "hay", "needle"];
        let raw: Vec<Vec<u8>> = mails.iter().enumerate().map(|(n, text)| mail(n, text)).collect();
        let raw: Vec<&[u8]> = raw.iter().map(Vec::as_slice).collect();
        let (mut session, mut held) = with_mails(world, &raw);
        let words = ["needle".to_owned()];
        if !session.caps().search {
            let error = session.search(&inbox(), &words, &held.snapshot(), &mut Held::default()).unwrap_err();
            assert_eq!(error.kind(), Kind::Unsupported);
            return session.finish().unwrap();
        }
        let all: Vec<RemoteId> = held.mails.keys().cloned().collect();
        let wanted = [all[5].clone(), all[3].clone(), all[0].clone()];
        held.told = 0;
        let known = held.snapshot();
        assert_eq!(session.search(&inbox(), &words, &known, &mut held).unwrap(), wanted, "{}", world.name);
        assert_eq!(held.told, 0, "all of it is here");
        // As if the first look had got as far as the newest two.
        all[..4].iter().for_each(|id| drop(held.mails.remove(id)));
        held.at.backfill = uid(&all[4]);
        let known = held.snapshot();
        assert_eq!(session.search(&inbox(), &words, &known, &mut held).unwrap(), wanted, "{}", world.name);
        assert_eq!((held.told, held.mails.len()), (2, 4));
        assert!(held.mails[&all[0]].head.as_ref().unwrap().starts_with(b"Subject: 0"));
        // What is told twice is a failure of the test.
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.mails.len(), 6);
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.told, 0);
        let known = held.snapshot();
        let none = session.search(&inbox(), &["needle".into(), "hay".into()], &known, &mut held).unwrap();
        assert_eq!(none, []);
        let mut other = held.snapshot();
        other.renumber();
        let error = session.search(&inbox(), &words, &other, &mut held).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        session.finish().unwrap();
    });
}

#[test]
fn i5_flags_go_both_ways() {
    each(|world| {
        let (mut session, mut held) = with_mails(world, &[b"Subject: a\r\n\r\n", b"Subject: b\r\n\r\n"]);
        if !session.caps().flags {
            return session.finish().unwrap();
        }
        let (a, b) = (id_of(&mut *session, &held, ": a"), id_of(&mut *session, &held, ": b"));
        let op = RemoteOp::Flag {
            folder: inbox(),
            ids: vec![a.clone()],
            delta: FlagDelta::add(Flags::SEEN | Flags::FLAGGED),
            add: vec!["project-x".into()],
            del: vec![],
        };
        let words: &[&str] = if world.keeps_keywords() { &["project-x"] } else { &[] };
        let applied = match words {
            [] => Applied::Unkept { keywords: vec!["project-x".to_owned()] },
            _ => Applied::done(),
        };
        for _ in 0..2 {
            assert_eq!(session.apply(&op).unwrap(), applied, "and again");
        }
        world.flag("INBOX", uid(&b), Flags::ANSWERED);
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.mails[&a].flags, Flags::SEEN | Flags::FLAGGED);
        assert_eq!(held.mails[&a].keywords, words);
        assert_eq!(held.mails[&b].flags, Flags::ANSWERED);
        let op = RemoteOp::Flag {
            folder: inbox(),
            ids: vec![a.clone(), b.clone()],
            delta: FlagDelta { add: Flags::SEEN, del: Flags::FLAGGED },
            add: vec![],
            del: vec!["project-x".into()],
        };
        session.apply(&op).unwrap();
        let there: Vec<Flags> = world.mails("INBOX").iter().map(|m| m.flags).collect();
        assert!(
            there.contains(&Flags::SEEN) && there.contains(&(Flags::SEEN | Flags::ANSWERED)),
            "{there:?}"
        );
        world.expunge("INBOX", uid(&a));
        session.finish().unwrap();
        let mut session = world.session();
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.mails.keys().collect::<Vec<_>>(), [&b]);
        assert_eq!((held.mails[&b].flags, held.mails[&b].keywords.len()), (Flags::SEEN | Flags::ANSWERED, 0));
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.told, 0);
        session.finish().unwrap();
    });
}

#[test]
fn a8_keywords_of_any_letters_come_back_as_they_went() {
    each(|world| {
        let (mut session, mut held) = with_mails(world, &[b"Subject: a\r\n\r\n", b"Subject: b\r\n\r\n"]);
        if !session.caps().flags {
            return session.finish().unwrap();
        }
        let a = id_of(&mut *session, &held, ": a");
        let words = ["todo", "Büro", "日本語", "R&D", "a.b/c:d", "$label1"];
        let keywords: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let (folder, ids, none) = (inbox(), vec![a.clone()], FlagDelta::default());
        let add = RemoteOp::Flag {
            folder: folder.clone(),
            ids: ids.clone(),
            delta: none,
            add: keywords.clone(),
            del: vec![],
        };
        match session.apply(&add).unwrap() {
            Applied::Unkept { keywords: unkept } if !world.keeps_keywords() => {
                assert_eq!(unkept, keywords);
                return session.finish().unwrap();
            }
            Applied::Unkept { keywords } => panic!("{}: {keywords:?}", world.name),
            done => assert_eq!(done, Applied::done()),
        }
        assert_eq!(session.apply(&add).unwrap(), Applied::done(), "and again");
        held.pull(&mut *session, "INBOX");
        let sorted = |words: &[String]| words.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(sorted(&held.mails[&a].keywords), sorted(&keywords));
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.told, 0);
        let del = RemoteOp::Flag { folder, ids, delta: none, add: vec![], del: keywords };
        for _ in 0..2 {
            assert_eq!(session.apply(&del).unwrap(), Applied::done());
        }
        held.pull(&mut *session, "INBOX");
        assert!(held.mails[&a].keywords.is_empty());
        session.finish().unwrap();
    });
}

#[test]
fn i6_moves_copies_and_deletions_take_what_they_name() {
    each(|world| {
        let (mut session, mut held) = with_mails(
            world,
            &[b"Subject: a\r\n\r\n1\r\n", b"Subject: b\r\n\r\n2\r\n", b"Subject: c\r\n\r\n3\r\n"],
        );
        if !session.caps().folders {
            return session.finish().unwrap();
        }
        let id = [": a", ": b", ": c"].map(|text| id_of(&mut *session, &held, text));
        let archive = session.folders().unwrap().into_iter().find(|f| f.role == Some(Role::Archive)).unwrap();
        let (from, to) = (inbox(), FolderRef::new(archive.remote));
        let op =
            RemoteOp::Move { from: from.clone(), to: to.clone(), ids: vec![id[0].clone(), id[1].clone()] };
        let Applied::Done { moved, .. } = session.apply(&op).unwrap() else { panic!("not done") };
        let old: BTreeSet<&RemoteId> = moved.iter().map(|(old, _)| old).collect();
        assert_eq!(old, [&id[0], &id[1]].into(), "the server tells the new names");
        assert_eq!(world.mails("INBOX").len(), 1);
        let mut there = Held::default();
        there.pull(&mut *session, &to.remote);
        assert_eq!(there.mails.keys().collect::<BTreeSet<_>>(), moved.iter().map(|(_, new)| new).collect());
        assert_eq!(session.apply(&op).unwrap(), Applied::done(), "once more changes nothing");
        let op = RemoteOp::Copy { from: from.clone(), to: to.clone(), ids: vec![id[2].clone()] };
        let Applied::Done { moved, .. } = session.apply(&op).unwrap() else { panic!("not done") };
        assert_eq!(moved.len(), 1);
        assert_eq!(raws(&world.mails("Archive")).len(), 3);
        let op = RemoteOp::Delete { folder: to.clone(), ids: vec![moved[0].1.clone()] };
        for _ in 0..2 {
            assert_eq!(session.apply(&op).unwrap(), Applied::done());
        }
        let left = raws(&world.mails("Archive"));
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|raw| !raw.starts_with(b"Subject: c")));
        there.pull(&mut *session, &to.remote);
        held.pull(&mut *session, "INBOX");
        assert_eq!((there.mails.len(), held.mails.len()), (2, 1));
        session.finish().unwrap();
    });
}

#[test]
fn i7_an_append_tells_where_it_went() {
    each(|world| {
        let mut session = world.session();
        if !session.caps().append {
            return session.finish().unwrap();
        }
        let created = session.apply(&RemoteOp::CreateFolder { path: "Lists/Rust & Größe".into() }).unwrap();
        let Applied::Done { created: Some(remote), .. } = created else { panic!("{created:?}") };
        let again = session.apply(&RemoteOp::CreateFolder { path: "Lists/Rust & Größe".into() }).unwrap();
        assert_eq!(again, Applied::Done { moved: vec![], created: Some(remote.clone()) });
        let folder = session.folders().unwrap().into_iter().find(|f| f.remote == remote).unwrap();
        assert_eq!(
            (folder.path.as_str(), folder.subscribed, folder.selectable),
            ("Lists/Rust & Größe", true, true)
        );
        let mut held = Held::default();
        for raw in [&b"Subject: sent\r\n\r\nhello\r\n"[..], &odd_mails()[8]] {
            let letter = Letter {
                received: 1_234_567_890,
                keywords: vec!["$Work".to_owned()],
                ..letter(&remote, raw)
            };
            let mark = session.mark(&letter.folder).unwrap();
            assert_eq!(session.find(&letter, mark).unwrap(), None);
            let put = session.append(&letter, &mut &*raw).unwrap().unwrap();
            assert_eq!(session.find(&letter, mark).unwrap(), Some(put.clone()), "if the answer were lost");
            let RemoteId::Uid { validity, uid } = put else { panic!("{put:?}") };
            assert!(mark.validity == validity && mark.uidnext <= uid);
            let others = Letter { others: vec![uid], ..letter.clone() };
            assert_eq!(session.find(&others, mark).unwrap(), None);
            let after = session.mark(&letter.folder).unwrap();
            assert_eq!(session.find(&letter, after).unwrap(), None, "what was there before is another");
            held.pull(&mut *session, &remote);
            let here = &held.mails[&put];
            assert_eq!((here.flags, here.received), (Flags::SEEN, 1_234_567_890));
            assert!(here.keywords == ["$Work"] || !world.keeps_keywords(), "{:?}", here.keywords);
            let mut bodies = Bodies::default();
            session.fetch(&FolderRef::new(&remote), std::slice::from_ref(&put), &mut bodies).unwrap();
            assert!(bodies.whole[&put] == raw);
        }
        let nowhere = Letter { make: false, ..letter(&world.wire_name("Nowhere"), b"Subject: a\r\n\r\n") };
        let mark = session.mark(&nowhere.folder).unwrap();
        assert_eq!(mark.validity, 0);
        assert_eq!(session.find(&nowhere, mark).unwrap(), None);
        let error = session.append(&nowhere, &mut &b"Subject: a\r\n\r\n"[..]).unwrap_err();
        assert_eq!(error.kind().retry(), Retry::Never);
        let made = Letter { make: true, ..nowhere };
        session.append(&made, &mut &b"Subject: a\r\n\r\n"[..]).unwrap();
        assert!(session.find(&made, mark).unwrap().is_some());
        session.finish().unwrap();
    });
}

#[test]
fn folders_are_made_renamed_removed_and_each_of_it_twice() {
    each(|world| {
        let mut session = world.session();
        if !session.caps().folders {
            return session.finish().unwrap();
        }
        let made = |session: &mut Box<dyn MailProtocol>, op: RemoteOp| {
            let Applied::Done { created: Some(remote), .. } = session.apply(&op).unwrap() else {
                panic!("{op:?}")
            };
            assert_eq!(
                session.apply(&op).unwrap(),
                Applied::Done { moved: vec![], created: Some(remote.clone()) }
            );
            FolderRef::new(remote)
        };
        let paths = |session: &mut Box<dyn MailProtocol>| -> BTreeSet<(String, bool)> {
            let folders = session.folders().unwrap().into_iter();
            folders.filter(|f| f.role.is_none()).map(|f| (f.path, f.subscribed)).collect()
        };
        let all = |paths: &[(&str, bool)]| paths.iter().map(|(path, on)| ((*path).to_owned(), *on)).collect();
        let work = made(&mut session, RemoteOp::CreateFolder { path: "Work".into() });
        made(&mut session, RemoteOp::CreateFolder { path: "Work/Größe & Co".into() });
        made(&mut session, RemoteOp::CreateFolder { path: "Workshop".into() });
        let mut held = Held::default();
        world.deliver(&work.remote, b"Subject: a\r\n\r\n");
        held.pull(&mut *session, &work.remote);
        let job = made(&mut session, RemoteOp::RenameFolder { folder: work.clone(), path: "Job".into() });
        assert_eq!(
            paths(&mut session),
            all(&[("Job", true), ("Job/Größe & Co", true), ("Workshop", true)]),
            "{}",
            world.name
        );
        // Mail keeps its name when its folder gets another.
        held.pull(&mut *session, &job.remote);
        assert_eq!((held.mails.len(), held.resets), (1, 0), "{}", world.name);
        let taken = RemoteOp::RenameFolder { folder: job.clone(), path: "Workshop".into() };
        assert_eq!(session.apply(&taken).unwrap_err().kind(), Kind::Refused);
        let nowhere = RemoteOp::RenameFolder { folder: work, path: "Elsewhere".into() };
        assert_eq!(session.apply(&nowhere).unwrap_err().kind(), Kind::Gone);
        let remove = |folder: &FolderRef| RemoteOp::DeleteFolder { folder: folder.clone() };
        assert_eq!(session.apply(&remove(&job)).unwrap_err().kind(), Kind::Refused, "it holds mail");
        assert_eq!(world.mails(&job.remote).len(), 1);
        let folders = session.folders().unwrap();
        let beneath = folders.iter().find(|f| f.path == "Job/Größe & Co").unwrap();
        let beneath = FolderRef::new(&beneath.remote);
        for on in [false, false, true] {
            let op = RemoteOp::Subscribe { folder: beneath.clone(), on };
            assert_eq!(session.apply(&op).unwrap(), Applied::done());
            assert!(paths(&mut session).contains(&("Job/Größe & Co".to_owned(), on)), "{}", world.name);
        }
        let id = held.mails.keys().next().unwrap().clone();
        session.apply(&RemoteOp::Delete { folder: job.clone(), ids: vec![id] }).unwrap();
        assert_eq!(session.apply(&remove(&job)).unwrap_err().kind(), Kind::Refused, "it holds a folder");
        for folder in [&beneath, &beneath, &job, &job] {
            assert_eq!(session.apply(&remove(folder)).unwrap(), Applied::done());
        }
        assert_eq!(paths(&mut session), all(&[("Workshop", true)]));
        let inbox = RemoteOp::RenameFolder { folder: inbox(), path: "Old".into() };
        assert_eq!(session.apply(&inbox).unwrap_err().kind(), Kind::Refused);
        assert_eq!(session.apply(&remove(&self::inbox())).unwrap_err().kind(), Kind::Refused);
        session.finish().unwrap();
    });
}

#[test]
fn p3_deletions_count_when_the_session_ends_or_at_once() {
    each(|world| {
        let (mut session, held) = with_mails(world, &[b"Subject: a\r\n\r\n", b"Subject: b\r\n\r\n"]);
        let caps = session.caps();
        let id = id_of(&mut *session, &held, ": a");
        let op = RemoteOp::Delete { folder: inbox(), ids: vec![id] };
        let applied = session.apply(&op).unwrap();
        if caps.snapshot {
            assert_eq!((applied, world.mails("INBOX").len()), (Applied::AtFinish, 2));
            drop(session);
            assert_eq!(world.mails("INBOX").len(), 2, "without a goodbye nothing is deleted");
            session = world.session();
            assert_eq!(session.apply(&op).unwrap(), Applied::AtFinish);
        }
        session.finish().unwrap();
        let left = world.mails("INBOX");
        assert_eq!(left.len(), 1);
        assert!(left[0].raw.starts_with(b"Subject: b"));
    });
}

#[test]
fn i2_another_uidvalidity_voids_what_is_known() {
    each(|world| {
        let (session, mut held) = with_mails(world, &[b"Subject: a\r\n\r\n", b"Subject: b\r\n\r\n"]);
        let caps = session.caps();
        session.finish().unwrap();
        // Without numbers there is nothing to be numbered anew.
        if !caps.flags {
            return;
        }
        let old = held.mails.keys().next().unwrap().clone();
        if !world.bump_validity("INBOX") {
            return;
        }
        let mut session = world.session();
        held.pull(&mut *session, "INBOX");
        assert_eq!((held.resets, held.mails.len()), (1, 2));
        assert!(!held.mails.contains_key(&old));
        let op = RemoteOp::Delete { folder: inbox(), ids: vec![old.clone()] };
        assert_eq!(session.apply(&op).unwrap_err().kind(), Kind::Conflict);
        held.pull(&mut *session, "INBOX");
        assert_eq!((held.told, world.mails("INBOX").len()), (0, 2));
        session.finish().unwrap();
    });
}

#[test]
fn i12_a_wrong_password_is_called_that() {
    each(|world| {
        let Some(outcome) = world.sign_in("wrong \"\\ password") else { return };
        let Err(error) = outcome else { panic!("a wrong password was taken") };
        assert_eq!(error.kind(), Kind::Auth, "{error}");
        assert!(!error.to_string().contains("wrong \"") && error.hint_text().is_some());
    });
}

#[test]
fn i9_a_wait_ends_with_news_the_interrupt_or_the_time() {
    each(|world| {
        let bell = Interrupt::new().unwrap();
        world.deliver("INBOX", b"Subject: a\r\n\r\n");
        let mut session = world.session_with(&bell);
        let mut held = Held::default();
        held.pull(&mut *session, "INBOX");
        let soon = || Instant::now() + Duration::from_millis(50);
        let late = || Instant::now() + Duration::from_secs(60);
        if !session.caps().push {
            assert_eq!(session.wait(&inbox(), soon()).unwrap(), Wake::Unsupported);
            return session.finish().unwrap();
        }
        assert_eq!(session.wait(&inbox(), soon()).unwrap(), Wake::TimedOut);
        std::thread::scope(|scope| {
            scope.spawn(|| world.deliver("INBOX", b"Subject: b\r\n\r\n"));
            assert_eq!(session.wait(&inbox(), late()).unwrap(), Wake::Changed);
        });
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.mails.len(), 2);
        std::thread::scope(|scope| {
            scope.spawn(|| bell.ring());
            assert_eq!(session.wait(&inbox(), late()).unwrap(), Wake::Interrupted);
        });
        assert!(bell.silence());
        if !session.caps().flags {
            return session.finish().unwrap();
        }
        // Seen by another command than the wait: the wait ends at once.
        world.flag("INBOX", held.uids()[0], Flags::FLAGGED);
        session.keep_alive().unwrap();
        assert_eq!(session.wait(&inbox(), late()).unwrap(), Wake::Changed);
        held.pull(&mut *session, "INBOX");
        assert_eq!(held.mails.values().next().unwrap().flags, Flags::FLAGGED);
        session.finish().unwrap();
    });
}
