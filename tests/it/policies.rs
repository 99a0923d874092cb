//! What is left on real POP3 servers: every policy over every way to connect, whole and in portions.

use std::collections::BTreeSet;
use std::sync::Arc;

use mailtui::config::{Account, Leave, Portion, Protocol, Tls};
use mailtui::engine::Opener;
use mailtui::model::{Intent, Role};
use mailtui::protocol;
use mailtui::secret::Secret;
use sha2::{Digest, Sha256};

use crate::support::cyrus;
use crate::support::desk::Desk;
use crate::support::dovecot::{self, PASSWORD};
use crate::support::outside::Outside;

const WAYS: [Tls; 3] = [Tls::Implicit, Tls::Starttls, Tls::None];
const POLICIES: [Leave; 4] = [Leave::Forever, Leave::DeleteAfterDownload, Leave::Days(14), Leave::Days(0)];
const MAILS: u32 = 10;

type Hand<In, Out> = Box<dyn Fn(In) -> Out>;

/// A maildrop on a server, and hands that act on it from outside.
struct Maildrop {
    name: String,
    account: Account,
    deliver: Hand<Vec<Vec<u8>>, ()>,
    /// The mails that lie there.
    there: Hand<(), Vec<Vec<u8>>>,
    /// Takes all away.
    empty: Hand<(), ()>,
}

/// The same account of every server that is to be had.
fn maildrops(tls: Tls) -> Vec<Maildrop> {
    let mut drops = Vec::new();
    if let Some(server) = dovecot::shared() {
        let user = Arc::new(server.user());
        let (giver, holder) = (Arc::clone(&user), Arc::clone(&user));
        drops.push(Maildrop {
            name: format!("Dovecot, {tls:?}"),
            account: user.account(Protocol::Pop3, tls),
            deliver: Box::new(move |mails| mails.iter().for_each(|raw| giver.deliver("INBOX", raw))),
            there: Box::new(move |()| holder.mails("INBOX").into_iter().map(|(_, raw)| raw).collect()),
            empty: Box::new(move |()| drop(user.doveadm(&["expunge"], &["mailbox", "INBOX", "all"]))),
        });
    }
    if let Some(server) = cyrus::shared() {
        let user = Arc::new(Outside::on_cyrus(server, |user| user.account(Protocol::Pop3, tls)));
        let (giver, holder) = (Arc::clone(&user), Arc::clone(&user));
        drops.push(Maildrop {
            name: format!("Cyrus, {tls:?}"),
            account: (*user.account).clone(),
            deliver: Box::new(move |mails| giver.deliver("INBOX", &mails)),
            there: Box::new(move |()| holder.mails("INBOX").into_iter().map(|seen| seen.raw).collect()),
            empty: Box::new(move |()| {
                let mut client = user.client();
                client.ask("SELECT INBOX");
                let _ = client.try_ask("STORE 1:* +FLAGS.SILENT (\\Deleted)");
                client.ask("EXPUNGE");
            }),
        });
    }
    drops
}

/// Half a kilobyte larger than the one before, with what a wire has to carry exactly.
fn mail(n: u32) -> Vec<u8> {
    let odd = ["", ".\r\n..\r\n", "caf\u{e9} \u{4f1a}\u{8b70}\r\n", "From here on\r\n"][n as usize % 4];
    let filler = "0123456789 abcdefghij 0123456789 abcdefghij 0123456\r\n".repeat(n as usize * 10);
    format!(
        "From: Ada <ada@example.org>\r\nSubject: seed {n}\r\nMessage-ID: <{n}@example.org>\r\nX-Seed: {n}\r\n\
         Date: Sun, 20 Sep 2026 10:00:{n:02} +0000\r\n\r\n{odd}{filler}"
    )
    .into_bytes()
}

impl Maildrop {
    /// Ten mails there, nothing here.
    fn desk(&self, leave: Leave, portion: Portion) -> Desk {
        (self.empty)(());
        (self.deliver)((1..=MAILS).map(mail).collect());
        let mut account = self.account.clone();
        (account.leave_on_server, account.portion) = (leave, portion);
        let far = account.clone();
        let open: Opener = Arc::new(move |bell| protocol::open(&far, &Secret::new(PASSWORD), bell));
        Desk::new(account, open)
    }

    fn hashes(&self) -> BTreeSet<[u8; 32]> {
        (self.there)(()).iter().map(|raw| Sha256::digest(raw).into()).collect()
    }
}

/// Looks until nothing comes any more; how many mails came.
fn settle(desk: &Desk, case: &str) -> u64 {
    let mut new = 0;
    for _ in 0..15 {
        let report = desk.sync().unwrap_or_else(|error| panic!("{case}: {error:?}"));
        new += report.new;
        if report.new + report.left + report.deleted == 0 {
            return new;
        }
    }
    panic!("{case}: it does not come to rest");
}

/// Nothing is lost, nothing comes twice, and what goes from the server is whole here.
fn keeps_all(drop: &Maildrop, leave: Leave, portion: Portion) {
    let case = format!("{}: {leave:?} {portion:?}", drop.name);
    let desk = drop.desk(leave, portion);
    let sent = drop.hashes();
    assert_eq!(sent, (1..=MAILS).map(|n| Sha256::digest(mail(n)).into()).collect(), "{case}");
    let new = settle(&desk, &case);
    let here = desk.state(Vec::new(), Vec::new());
    assert_eq!((new, here.here.len(), &here.wrong[..]), (10, 10, &[][..]), "{case}");
    let whole: BTreeSet<[u8; 32]> = here.here.iter().filter_map(|copy| copy.sha256).collect();
    let there = drop.hashes();
    assert_eq!(whole.union(&there).copied().collect::<BTreeSet<_>>(), sent, "{case}");
    let goes = matches!(leave, Leave::DeleteAfterDownload | Leave::Days(0));
    assert_eq!(there.len(), if goes { 10 - whole.len() } else { 10 }, "{case}");
}

#[test]
fn p3_each_policy_does_what_it_says_over_every_way_to_connect() {
    for tls in WAYS {
        for drop in maildrops(tls) {
            POLICIES.iter().for_each(|leave| keeps_all(&drop, *leave, Portion::default()));
        }
    }
}

#[test]
fn p3_p4_each_policy_with_each_portion_loses_nothing_and_takes_nothing_twice() {
    let all = Portion::default();
    let portions = [
        Portion { max_size: Some(3_000), ..all },
        Portion { max_size: Some(0), ..all },
        Portion { reconnect_every: 3, ..all },
        Portion { messages: Some(4), reconnect_every: 3, ..all },
        Portion { bytes: Some(9_000), max_size: Some(5_000), ..all },
    ];
    for drop in maildrops(Tls::None) {
        for leave in POLICIES {
            portions.iter().for_each(|portion| keeps_all(&drop, leave, *portion));
        }
    }
}

#[test]
fn p12_what_is_deleted_here_for_good_leaves_the_server_if_the_account_says_so() {
    for drop in maildrops(Tls::Implicit) {
        for goes in [true, false] {
            let mut desk = drop.desk(Leave::Forever, Portion::default());
            desk.account.delete_on_server_when_deleted_here = goes;
            desk.sync().unwrap();
            desk.act(|user| user.move_to(Role::Inbox, &[4, 7], Role::Trash));
            assert_eq!((desk.sync().unwrap().deleted, drop.hashes().len()), (0, 10), "{}", drop.name);
            desk.act(|user| user.purge(Role::Trash, &[4, 7]));
            let gone = if goes { 2 } else { 0 };
            assert_eq!(desk.sync().unwrap().deleted, gone, "{}", drop.name);
            assert_eq!(drop.hashes().len() as u64, 10 - gone, "{}", drop.name);
            let again = desk.sync().unwrap();
            assert_eq!((again.new, again.deleted), (0, 0), "{}: it stays away", drop.name);
        }
    }
}

#[test]
fn p14_a_cleanup_takes_what_is_here_and_leaves_what_came_since() {
    for drop in maildrops(Tls::Starttls) {
        let desk = drop.desk(Leave::Forever, Portion { max_size: Some(3_000), ..Portion::default() });
        desk.sync().unwrap();
        desk.act(|user| {
            let messages = user.reader.cleanable(user.account).unwrap().messages;
            let intent = Intent::CleanServer { account: user.account, messages };
            assert_eq!(user.store.intend_wait(intent).unwrap().error, None);
        });
        (drop.deliver)(vec![mail(11)]);
        let report = desk.sync().unwrap();
        let large: BTreeSet<[u8; 32]> = (1..=11)
            .map(mail)
            .filter(|raw| raw.len() > 3_000)
            .chain([mail(11)])
            .map(|raw| Sha256::digest(raw).into())
            .collect();
        assert_eq!((report.new, drop.hashes()), (1, large), "{}", drop.name);
        assert_eq!(report.deleted as usize, 11 - drop.hashes().len(), "{}", drop.name);
    }
}
