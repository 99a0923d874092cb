//! A long queue: queued, opened and pushed in bounded time, and all of it done.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use mailtui::config::{Leave, Protocol};
use mailtui::model::{FlagDelta, Flags, Intent, Role, Target, View};
use mailtui::protocol::memory::{Held, Server};
use mailtui::store::Edge;

use crate::faults_memory::account;
use crate::support::chance::is_campaign;
use crate::support::desk::Desk;

/// What is done to each mail, each an operation of its own: flags, tags, and a move.
const FLAGS: [Flags; 3] = [Flags::SEEN, Flags::FLAGGED, Flags::ANSWERED];
const TAGS: u32 = 16;
const EACH: u32 = 3 + TAGS + 1;

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_owned()
}

#[test]
fn a2_a_long_queue_is_queued_opened_and_pushed() {
    let mails: u32 = if is_campaign() { 5_000 } else { 50 };
    let server = Server::new(Protocol::Imap);
    for n in 0..mails {
        let raw = format!("Subject: seed {n}\r\nMessage-ID: <{n}@example.org>\r\n\r\nbody {n}\r\n");
        server.deliver("INBOX", raw.into_bytes(), Flags::NONE, 1_750_000_000 + i64::from(n));
    }
    let far = server.clone();
    let desk = Desk::new(account(Protocol::Imap, Leave::Forever), Arc::new(move |bell| far.session(bell)));
    desk.sync().unwrap();
    let timed =
        |what: &str, begun: Instant| eprintln!("long queue: {what} {:?}, {}", begun.elapsed(), peak());
    let begun = Instant::now();
    desk.act(|user| {
        let inbox = user.reader.folder_by_role(user.account, Role::Inbox).unwrap().unwrap();
        let page = user.reader.page(View::Folder(inbox.id), Edge::Top, mails as usize).unwrap();
        let all: Vec<_> = page.rows.iter().flat_map(|row| &row.members).map(|m| m.placement).collect();
        assert_eq!(all.len(), mails as usize);
        // As fast as they come: the store takes many into one transaction.
        let (tell, told) = channel();
        user.store.subscribe(Box::new(move |changed| drop(tell.send(changed.outcome.clone()))));
        for flag in FLAGS {
            for &item in &all {
                let delta = FlagDelta::add(flag);
                user.store.intend(Intent::Flag { items: vec![item], delta, undoable: true });
            }
        }
        for tag in 0..TAGS {
            for &item in &all {
                let add = vec![format!("tag{tag}")];
                user.store.intend(Intent::Tag { items: vec![item], add, del: Vec::new() });
            }
        }
        for &item in &all {
            user.store.intend(Intent::Move { items: vec![item], to: Target::Role(Role::Archive) });
        }
        let mut left = EACH * mails;
        while left > 0 {
            if let Some(outcome) = told.recv_timeout(Duration::from_secs(60)).unwrap() {
                assert_eq!(outcome.error, None);
                left -= 1;
            }
        }
        assert_eq!(user.reader.ops_waiting(user.account).unwrap(), u64::from(EACH * mails));
    });
    timed(&format!("{} operations queued in", EACH * mails), begun);
    let begun = Instant::now();
    desk.act(|user| assert!(!user.reader.ops(user.account, i64::MAX, 50).unwrap().is_empty()));
    timed("opened and looked at in", begun);
    let begun = Instant::now();
    let report = desk.sync().unwrap();
    timed("pushed in", begun);
    assert_eq!(report.pushed, u64::from(EACH * mails));
    assert_eq!((server.count("INBOX"), server.count("Archive")), (0, mails as usize));
    let all = FLAGS.into_iter().fold(Flags::NONE, |all, flag| all | flag);
    let is_done = |mail: &Held| mail.flags == all && mail.keywords.len() == TAGS as usize;
    assert!(server.mails("Archive").iter().all(is_done));
}
