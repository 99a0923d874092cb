//! What the server in memory promises to the sessions of its two kinds.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::*;
use crate::model::{Cursor, UidSet};
use crate::protocol::{
    Applied, BodySink, Change, Flow, FolderRef, Known, MailProtocol, RemoteId, RemoteOp, Sink, Wake,
};

/// A client that does what the engine does with changes, in memory, and can stop at any of them.
#[derive(Default)]
struct Client {
    cursor: Cursor,
    mails: std::collections::BTreeMap<u32, (Flags, Vec<String>)>,
    uidls: Vec<String>,
    log: Vec<Change>,
    stop_after: Option<usize>,
}

impl Known for RefCell<Client> {
    fn cursor(&self) -> Cursor {
        self.borrow().cursor
    }
    fn uids(&self) -> Result<UidSet> {
        Ok(self.borrow().mails.keys().copied().collect())
    }
    fn flags(&self) -> Result<Vec<(u32, Flags, Vec<String>)>> {
        Ok(self.borrow().mails.iter().map(|(uid, (f, k))| (*uid, *f, k.clone())).collect())
    }
    fn has_uidl(&self, uidl: &str) -> bool {
        self.borrow().uidls.iter().any(|u| u == uidl)
    }
}

struct Into<'a>(&'a RefCell<Client>);

impl Sink for Into<'_> {
    fn change(&mut self, change: Change) -> Result<Flow> {
        let mut client = self.0.borrow_mut();
        match &change {
            Change::Reset { .. } => client.mails.clear(),
            Change::Covered(cursor) => client.cursor = *cursor,
            Change::New { id: RemoteId::Uid { uid, .. }, flags, keywords, .. } => {
                let old = client.mails.insert(*uid, (*flags, keywords.clone()));
                assert_eq!(old, None, "{uid} was reported twice");
            }
            Change::New { id: RemoteId::Uidl(uidl), .. } => client.uidls.push(uidl.clone()),
            Change::Flags { id: RemoteId::Uid { uid, .. }, flags, keywords } => {
                client.mails.insert(*uid, (*flags, keywords.clone())).unwrap();
            }
            Change::Gone { id: RemoteId::Uid { uid, .. }, .. } => {
                client.mails.remove(uid).unwrap();
            }
            _ => {}
        }
        client.log.push(change);
        match &mut client.stop_after {
            Some(0) => Ok(Flow::Stop),
            Some(left) => {
                *left -= 1;
                Ok(if *left == 0 { Flow::Stop } else { Flow::Continue })
            }
            None => Ok(Flow::Continue),
        }
    }
}

impl Client {
    fn pull(this: &RefCell<Self>, session: &mut dyn MailProtocol, stop_after: Option<usize>) -> Vec<Change> {
        this.borrow_mut().stop_after = stop_after;
        this.borrow_mut().log.clear();
        let cursor = session.pull(&inbox(), this, &mut Into(this)).unwrap();
        this.borrow_mut().cursor = cursor;
        std::mem::take(&mut this.borrow_mut().log)
    }

    fn agrees(this: &RefCell<Self>, server: &Server) {
        let there: Vec<_> =
            server.mails("INBOX").into_iter().map(|m| (m.uid, (m.flags, m.keywords))).collect();
        let here: Vec<_> = this.borrow().mails.clone().into_iter().collect();
        assert_eq!(here, there);
    }
}

fn inbox() -> FolderRef {
    FolderRef::new("INBOX")
}

fn mail(n: usize) -> String {
    format!("Subject: mail {n}\r\nX-Seed: {n}\r\n\r\nText {n}\r\n")
}

fn server_with(kind: Protocol, count: usize) -> Server {
    let server = Server::new(kind);
    for n in 0..count {
        server.deliver("INBOX", mail(n), Flags::NONE, 1_700_000_000 + n as i64);
    }
    server
}

fn open(server: &Server) -> (Box<dyn MailProtocol>, Interrupt) {
    let interrupt = Interrupt::new().unwrap();
    (server.session(&interrupt).unwrap(), interrupt)
}

fn new_uids(log: &[Change]) -> Vec<u32> {
    let uid = |c: &Change| match c {
        Change::New { id: RemoteId::Uid { uid, .. }, .. } => Some(*uid),
        _ => None,
    };
    log.iter().filter_map(uid).collect()
}

#[test]
fn i4_the_newest_come_first_and_a_second_pull_brings_nothing() {
    let server = server_with(Protocol::Imap, 450);
    let client = RefCell::new(Client::default());
    let (mut session, _bell) = open(&server);
    let log = Client::pull(&client, &mut *session, None);
    assert_eq!(new_uids(&log), (1..=450).rev().collect::<Vec<_>>());
    assert_eq!(log.iter().filter(|c| matches!(c, Change::Covered(_))).count(), 4);
    assert_eq!(client.borrow().cursor.backfill, 1);
    assert!(Client::pull(&client, &mut *session, None).is_empty());
}

#[test]
fn i4_a_pull_stopped_anywhere_goes_on_without_repeating_a_mail() {
    for modseq in [true, false] {
        let server = server_with(Protocol::Imap, 230);
        let server = if modseq { server } else { server.without_modseq() };
        let client = RefCell::new(Client::default());
        let (mut session, _bell) = open(&server);
        for round in 0..40 {
            Client::pull(&client, &mut *session, Some(1 + round * 3 % 17));
            // Another client acts between the pieces.
            let held: Vec<u32> = server.mails("INBOX").iter().map(|m| m.uid).collect();
            server.deliver("INBOX", mail(1000 + round), Flags::NONE, 0);
            server.set_flags("INBOX", &[held[round * 5 % held.len()]], FlagDelta::add(Flags::SEEN));
            server.expunge("INBOX", &[held[round * 11 % held.len()]]);
        }
        Client::pull(&client, &mut *session, None);
        Client::agrees(&client, &server);
    }
}

#[test]
fn a_change_of_uidvalidity_voids_what_is_known() {
    let server = server_with(Protocol::Imap, 3);
    let client = RefCell::new(Client::default());
    let (mut session, _bell) = open(&server);
    Client::pull(&client, &mut *session, None);
    server.expunge("INBOX", &[1]);
    server.bump_validity("INBOX");
    let log = Client::pull(&client, &mut *session, None);
    assert!(matches!(log[0], Change::Reset { .. }), "{log:?}");
    Client::agrees(&client, &server);
    let stale = RemoteOp::Delete { folder: inbox(), ids: vec![RemoteId::Uid { validity: 1, uid: 2 }] };
    assert_eq!(session.apply(&stale).unwrap_err().kind(), Kind::Conflict);
    assert_eq!(server.count("INBOX"), 2);
}

#[test]
fn operations_answer_with_new_names_and_can_be_repeated() {
    let server = server_with(Protocol::Imap, 2);
    let (mut session, _bell) = open(&server);
    let made = session.apply(&RemoteOp::CreateFolder { path: "Lists/rust".into() }).unwrap();
    let Applied::Done { created: Some(remote), .. } = made else { panic!("{made:?}") };
    assert_eq!(remote, "Lists.rust");
    let folders = session.folders().unwrap();
    assert!(folders.iter().any(|f| f.remote == remote && f.path == "Lists/rust"));
    let ids = vec![RemoteId::Uid { validity: 1, uid: 1 }];
    let op = RemoteOp::Move { from: inbox(), to: FolderRef::new(&*remote), ids: ids.clone() };
    let Applied::Done { moved, .. } = session.apply(&op).unwrap() else { panic!() };
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0].0, ids[0]);
    assert_eq!(session.apply(&op).unwrap(), Applied::done());
    assert_eq!((server.count("INBOX"), server.count(&remote)), (1, 1));
    let lost = RemoteOp::Move { from: inbox(), to: FolderRef::new("nowhere"), ids };
    assert_eq!(session.apply(&lost).unwrap_err().kind(), Kind::Refused);
}

#[test]
fn bytes_come_as_delivered_and_missing_mails_are_passed_over() {
    #[derive(Default)]
    struct Bodies(Vec<(RemoteId, Vec<u8>)>, usize);
    impl BodySink for Bodies {
        fn begin(&mut self, id: &RemoteId, _: u64) -> Result<()> {
            self.0.push((id.clone(), Vec::new()));
            Ok(())
        }
        fn data(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.last_mut().unwrap().1.extend_from_slice(bytes);
            Ok(())
        }
        fn end(&mut self) -> Result<Flow> {
            self.1 += 1;
            Ok(Flow::Continue)
        }
    }
    let server = Server::new(Protocol::Imap);
    let big: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    let uid = server.deliver("INBOX", big.clone(), Flags::NONE, 0);
    let (mut session, _bell) = open(&server);
    let ids = [RemoteId::Uid { validity: 1, uid: 77 }, RemoteId::Uid { validity: 1, uid }];
    let mut got = Bodies::default();
    session.fetch(&inbox(), &ids, &mut got).unwrap();
    assert_eq!(got.1, 1);
    assert_eq!(got.0, [(ids[1].clone(), big)]);
}

#[test]
fn a_wait_tells_news_by_others_from_the_interrupt_and_from_our_own_doing() {
    let server = server_with(Protocol::Imap, 1);
    let (mut session, bell) = open(&server);
    let soon = || Instant::now() + Duration::from_secs(20);
    assert_eq!(session.wait(&inbox(), Instant::now()).unwrap(), Wake::TimedOut);

    let other = server.clone();
    let far = std::thread::spawn(move || other.deliver("INBOX", mail(1), Flags::NONE, 0));
    assert_eq!(session.wait(&inbox(), soon()).unwrap(), Wake::Changed);
    far.join().unwrap();

    // What happened between the pull and the wait is told too; other folders do not wake.
    let client = RefCell::new(Client::default());
    Client::pull(&client, &mut *session, None);
    server.deliver("Junk", mail(2), Flags::NONE, 0);
    assert_eq!(session.wait(&inbox(), Instant::now()).unwrap(), Wake::TimedOut);
    server.set_flags("INBOX", &[1], FlagDelta::add(Flags::SEEN));
    assert_eq!(session.wait(&inbox(), soon()).unwrap(), Wake::Changed);

    let ids = vec![RemoteId::Uid { validity: 1, uid: 1 }];
    let delta = FlagDelta::add(Flags::FLAGGED);
    session.apply(&RemoteOp::Flag { folder: inbox(), ids, delta, add: vec![], del: vec![] }).unwrap();
    assert_eq!(session.wait(&inbox(), Instant::now()).unwrap(), Wake::TimedOut);

    bell.ring();
    assert_eq!(session.wait(&inbox(), soon()).unwrap(), Wake::Interrupted);
    bell.silence();
    server.cut();
    assert_eq!(session.wait(&inbox(), soon()).unwrap_err().kind(), Kind::Offline);
}

#[test]
fn pop3_shows_a_snapshot_and_p3_deletes_at_the_end_only() {
    let server = server_with(Protocol::Pop3, 3);
    let client = RefCell::new(Client::default());
    let (mut session, _bell) = open(&server);
    server.deliver("INBOX", mail(3), Flags::NONE, 0);
    let log = Client::pull(&client, &mut *session, None);
    assert!(matches!(&log[0], Change::Listing { uidls, .. } if uidls.len() == 3));
    assert_eq!(client.borrow().uidls.len(), 3);
    assert!(client.borrow().uidls[0].starts_with("00000003"), "newest first");
    assert_eq!(session.wait(&inbox(), Instant::now()).unwrap(), Wake::Unsupported);

    let ids = vec![RemoteId::Uidl(client.borrow().uidls[0].clone())];
    let op = RemoteOp::Delete { folder: inbox(), ids };
    assert_eq!(session.apply(&op).unwrap(), Applied::AtFinish);
    assert_eq!(server.count("INBOX"), 4);
    drop(session);
    assert_eq!(server.count("INBOX"), 4, "a lost connection deletes nothing");

    let (mut session, _bell) = open(&server);
    session.apply(&op).unwrap();
    assert_eq!(session.apply(&op).unwrap(), Applied::AtFinish);
    session.finish().unwrap();
    assert_eq!(server.count("INBOX"), 3);
    let (mut session, _bell) = open(&server);
    Client::pull(&client, &mut *session, None);
    assert_eq!(client.borrow().uidls.len(), 4);
}

#[test]
fn a_hook_can_fail_any_step() {
    let server = server_with(Protocol::Pop3, 1);
    server.on_call(|call| match call {
        Call::Finished => Err(Error::new(Kind::Offline, "the answer was lost")),
        _ => Ok(()),
    });
    let (mut session, _bell) = open(&server);
    let ids = vec![RemoteId::Uidl(server.mails("INBOX")[0].uidl.clone())];
    session.apply(&RemoteOp::Delete { folder: inbox(), ids }).unwrap();
    assert_eq!(session.finish().unwrap_err().kind(), Kind::Offline);
    assert_eq!(server.count("INBOX"), 0);
    server.set_up(false);
    assert_eq!(server.session(&Interrupt::new().unwrap()).err().unwrap().kind(), Kind::Offline);
}
