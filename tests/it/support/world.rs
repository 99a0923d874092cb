//! Servers of every kind behind one face, and a store in a hash map: what conformance is tested with.

use std::collections::{BTreeMap, HashSet};

use mailtui::Result;
use mailtui::config::{Account, Compress, Protocol, Tls};
use mailtui::model::{Cursor, FlagDelta, Flags, UidSet};
use mailtui::net::Interrupt;
use mailtui::protocol::{
    BodySink, Change, Flow, FolderRef, Known, MailProtocol, RemoteId, Sink, memory, open,
};
use mailtui::secret::Secret;

use super::cyrus;
use super::dovecot::{self, User};
use super::hoodiecrow;
use super::outside::Outside;
use super::post;
use super::proxy::{Proxy, Seal};
use super::pymap;
use super::scene::without;

/// A server with one user, and hands that act on it from outside.
pub struct World {
    pub name: String,
    server: Server,
}

enum Server {
    Memory(memory::Server),
    Foreign(Outside),
    Dovecot { user: User<'static>, protocol: Protocol, tls: Tls, proxy: Option<Proxy>, compress: Compress },
    Spool(tempfile::TempDir),
}

/// A mail as a server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    pub flags: Flags,
    pub raw: Vec<u8>,
}

/// Every server that is to be had, each with an empty mailbox.
pub fn worlds() -> Vec<World> {
    let mut worlds = vec![
        World::memory("memory, IMAP", memory::Server::new(Protocol::Imap)),
        World::memory("memory, IMAP without CONDSTORE", memory::Server::new(Protocol::Imap).without_modseq()),
        World::memory("memory, POP3", memory::Server::new(Protocol::Pop3)),
        World { name: "a spool".to_owned(), server: Server::Spool(tempfile::tempdir().unwrap()) },
    ];
    if let Some(dovecot) = dovecot::shared() {
        for protocol in [Protocol::Imap, Protocol::Pop3] {
            for tls in [Tls::Implicit, Tls::Starttls, Tls::None] {
                let name = format!("Dovecot, {protocol:?}, {tls:?}");
                let server = Server::Dovecot {
                    user: dovecot.user(),
                    protocol,
                    tls,
                    proxy: None,
                    compress: Compress::Auto,
                };
                worlds.push(World { name, server });
            }
        }
        worlds.push(World::compressed(dovecot.user()));
        worlds.extend(LACKING.iter().map(|lacks| World::lacking(dovecot.user(), lacks)));
    }
    if let Some(cyrus) = cyrus::shared() {
        for protocol in [Protocol::Imap, Protocol::Pop3] {
            for tls in [Tls::Implicit, Tls::Starttls, Tls::None] {
                let outside = Outside::on_cyrus(cyrus, |user| user.account(protocol, tls));
                let server = Server::Foreign(outside);
                worlds.push(World { name: format!("Cyrus, {protocol:?}, {tls:?}"), server });
            }
        }
    }
    if let Some(pymap) = pymap::shared() {
        let server = Server::Foreign(Outside::on_pymap(pymap));
        worlds.push(World { name: "pymap".to_owned(), server });
    }
    if let Some(hoodiecrow) = hoodiecrow::shared() {
        let server = Server::Foreign(Outside::on_hoodiecrow(hoodiecrow));
        worlds.push(World { name: "hoodiecrow".to_owned(), server });
    }
    // `MAILTUI_WORLD=hoodiecrow` tries those with this in their names only.
    if let Ok(only) = std::env::var("MAILTUI_WORLD") {
        worlds.retain(|world| world.name.contains(&only));
    }
    worlds
}

/// What servers may lack, each alone and all together.
pub const LACKING: [&[&str]; 9] = [
    &["QRESYNC"],
    &["QRESYNC", "CONDSTORE"],
    &["LIST-STATUS"],
    &["ESEARCH"],
    &["IDLE"],
    &["MOVE"],
    &["UIDPLUS"],
    &["LITERAL+", "ENABLE", "SPECIAL-USE", "NAMESPACE"],
    &[
        "QRESYNC",
        "CONDSTORE",
        "LIST-STATUS",
        "LIST-EXTENDED",
        "ESEARCH",
        "IDLE",
        "MOVE",
        "UIDPLUS",
        "LITERAL+",
        "ENABLE",
        "SPECIAL-USE",
        "NAMESPACE",
    ],
];

impl World {
    /// Dovecot over a connection that is compressed.
    fn compressed(user: User<'static>) -> Self {
        let server = Server::Dovecot {
            user,
            protocol: Protocol::Imap,
            tls: Tls::Implicit,
            proxy: None,
            compress: Compress::On,
        };
        Self { name: "Dovecot, compressed".to_owned(), server }
    }

    /// Dovecot without some of what it offers.
    fn lacking(user: User<'static>, lacks: &[&str]) -> Self {
        let proxy = Proxy::start(user.account(Protocol::Imap, Tls::None).port, Protocol::Imap, Seal::None);
        proxy.begin(without(lacks));
        let server = Server::Dovecot {
            user,
            protocol: Protocol::Imap,
            tls: Tls::None,
            proxy: Some(proxy),
            compress: Compress::Auto,
        };
        Self { name: format!("Dovecot without {}", lacks.join(", ")), server }
    }

    fn memory(name: &str, server: memory::Server) -> Self {
        Self { name: name.to_owned(), server: Server::Memory(server) }
    }

    /// Signs in.
    pub fn session(&self) -> Box<dyn MailProtocol> {
        self.session_with(&Interrupt::new().unwrap())
    }

    /// Signs in with an interrupt that the test holds.
    pub fn session_with(&self, interrupt: &Interrupt) -> Box<dyn MailProtocol> {
        match &self.server {
            Server::Memory(server) => server.session(interrupt).unwrap(),
            Server::Dovecot { user, .. } => open(&self.account(), &user.secret(), interrupt).unwrap(),
            Server::Spool(_) => open(&self.account(), &Secret::new(""), interrupt).unwrap(),
            Server::Foreign(outside) => open(&outside.account, &outside.secret(), interrupt).unwrap(),
        }
    }

    /// Signs in with this secret; `None` where there is none to be wrong.
    pub fn sign_in(&self, secret: &str) -> Option<Result<Box<dyn MailProtocol>>> {
        match &self.server {
            Server::Memory(_) | Server::Spool(_) => None,
            Server::Dovecot { .. } | Server::Foreign(_) => {
                Some(open(&self.account(), &Secret::new(secret), &Interrupt::new().unwrap()))
            }
        }
    }

    fn account(&self) -> Account {
        match &self.server {
            Server::Memory(_) => panic!("it has no account"),
            Server::Spool(dir) => post::local(Some(post::spool(dir.path()))),
            Server::Foreign(outside) => Account::clone(&outside.account),
            Server::Dovecot { user, protocol, tls, proxy, compress } => {
                let mut account = user.account(*protocol, *tls);
                account.compress = *compress;
                account.port = proxy.as_ref().map_or(account.port, |proxy| proxy.port);
                account
            }
        }
    }

    /// A mail arrives.
    pub fn deliver(&self, folder: &str, raw: &[u8]) {
        self.deliver_all(folder, &[raw.to_vec()]);
    }

    /// Mails arrive.
    pub fn deliver_all(&self, folder: &str, raws: &[Vec<u8>]) {
        match &self.server {
            Server::Memory(server) => {
                for raw in raws {
                    server.deliver(folder, raw.clone(), Flags::NONE, 1_700_000_000);
                }
            }
            Server::Dovecot { user, .. } => raws.iter().for_each(|raw| user.deliver(folder, raw)),
            Server::Spool(dir) => raws.iter().for_each(|raw| post::deliver(dir.path(), raw)),
            Server::Foreign(outside) => {
                let raws: Vec<_> = raws.iter().map(|raw| with_crlf(raw)).collect();
                outside.deliver(folder, &raws);
            }
        }
    }

    /// The bytes that a client must get for these.
    pub fn served(&self, raw: &[u8]) -> Vec<u8> {
        match &self.server {
            Server::Memory(_) => raw.to_vec(),
            Server::Spool(_) => post::served(raw),
            // Line feeds alone become CRLF on disk or on the way.
            Server::Dovecot { .. } | Server::Foreign(_) => {
                let mut served = with_crlf(raw);
                // POP3 cannot say that the last line has no end (RFC 1939 section 3).
                if self.account().protocol == Protocol::Pop3 && !served.ends_with(b"\r\n") {
                    served.extend_from_slice(b"\r\n");
                }
                served
            }
        }
    }

    /// What the server holds.
    pub fn mails(&self, folder: &str) -> Vec<There> {
        match &self.server {
            Server::Memory(server) => {
                let mails = server.mails(folder).into_iter();
                mails.map(|m| There { flags: m.flags, raw: m.source.bytes().to_vec() }).collect()
            }
            Server::Foreign(outside) => {
                let mails = outside.mails(folder).into_iter();
                mails.map(|seen| There { flags: seen.flags, raw: seen.raw }).collect()
            }
            Server::Dovecot { user, .. } => {
                let mails = user.mails(folder).into_iter();
                mails.map(|(letters, raw)| There { flags: flags_of(&letters), raw }).collect()
            }
            Server::Spool(dir) => post::mails(dir.path()),
        }
    }

    /// Another client flags a mail.
    pub fn flag(&self, folder: &str, uid: u32, flag: Flags) {
        match &self.server {
            Server::Memory(server) => server.set_flags(folder, &[uid], FlagDelta::add(flag)),
            Server::Foreign(outside) => {
                let mut client = outside.client();
                client.ask(&format!("SELECT {}", outside.quoted(folder)));
                client.ask(&format!("UID STORE {uid} +FLAGS ({})", flag.wire_names().next().unwrap()));
            }
            Server::Dovecot { user, .. } => {
                let name = flag.wire_names().next().unwrap();
                user.doveadm(&["flags", "add"], &[name, "mailbox", folder, "uid", &uid.to_string()]);
            }
            Server::Spool(_) => panic!("a spool has no UIDs"),
        }
    }

    /// Another client removes a mail.
    pub fn expunge(&self, folder: &str, uid: u32) {
        match &self.server {
            Server::Memory(server) => server.expunge(folder, &[uid]),
            Server::Foreign(outside) => {
                let mut client = outside.client();
                client.ask(&format!("SELECT {}", outside.quoted(folder)));
                client.ask(&format!("UID STORE {uid} +FLAGS (\\Deleted)"));
                client.ask(&format!("UID EXPUNGE {uid}"));
            }
            Server::Dovecot { user, .. } => {
                user.doveadm(&["expunge"], &["mailbox", folder, "uid", &uid.to_string()]);
            }
            Server::Spool(_) => panic!("a spool has no UIDs"),
        }
    }

    /// The server numbers a folder anew; `false`: it cannot be made to.
    pub fn bump_validity(&self, folder: &str) -> bool {
        match &self.server {
            Server::Memory(server) => server.bump_validity(folder),
            Server::Foreign(_) => return false,
            Server::Dovecot { user, .. } => {
                user.doveadm(&["mailbox", "update", "--uid-validity", "2000000000"], &[folder]);
            }
            Server::Spool(_) => panic!("a spool has no UIDs"),
        }
        true
    }

    /// Whether the server keeps keywords.
    pub fn keeps_keywords(&self) -> bool {
        !matches!(&self.server, Server::Foreign(outside) if !outside.keeps_keywords)
    }

    /// What this server calls a folder that may not be there.
    pub fn wire_name(&self, folder: &str) -> String {
        match &self.server {
            Server::Foreign(outside) => outside.wire_name(folder),
            _ => folder.to_owned(),
        }
    }
}

fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    for (at, byte) in raw.iter().enumerate() {
        if *byte == b'\n' && (at == 0 || raw[at - 1] != b'\r') {
            whole.push(b'\r');
        }
        whole.push(*byte);
    }
    whole
}

fn flags_of(letters: &str) -> Flags {
    let flag = |letter| match letter {
        'S' => Flags::SEEN,
        'F' => Flags::FLAGGED,
        'R' => Flags::ANSWERED,
        'T' => Flags::DELETED,
        'D' => Flags::DRAFT,
        _ => Flags::NONE,
    };
    letters.chars().map(flag).fold(Flags::NONE, |all, flag| all | flag)
}

/// One mail as it is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    pub flags: Flags,
    pub keywords: Vec<String>,
    pub size: u64,
    pub received: i64,
    pub head: Option<Vec<u8>>,
}

/// What is known of a folder: a store without a database. Fails a test that is told nonsense.
#[derive(Debug, Default)]
pub struct Held {
    pub at: Cursor,
    pub mails: BTreeMap<RemoteId, Here>,
    /// In the order in which they were told.
    pub order: Vec<RemoteId>,
    /// POP3: all that was ever taken.
    pub seen: HashSet<String>,
    pub listing: Option<Vec<String>>,
    pub resets: u32,
    /// How many changes were told, cursors and listings apart.
    pub told: usize,
    /// How many were told as surely gone.
    pub certain: usize,
    /// Ask to stop at each change from this one on.
    pub stop_at: Option<usize>,
}

impl Held {
    /// Looks at a folder once.
    pub fn pull(&mut self, session: &mut dyn MailProtocol, folder: &str) {
        self.told = 0;
        let known = self.snapshot();
        let at = session.pull(&FolderRef::new(folder), &known, self).unwrap();
        if self.stop_at.is_none() {
            assert_eq!(self.at, at, "the last cursor told is the one returned");
        }
    }

    /// What is known now, to be lent while this takes changes.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { at: self.at, mails: self.mails.clone(), seen: self.seen.clone() }
    }

    pub fn uids(&self) -> Vec<u32> {
        let uid = |id: &RemoteId| match id {
            RemoteId::Uid { uid, .. } => *uid,
            RemoteId::Uidl(_) => panic!("a UIDL where UIDs are"),
        };
        self.mails.keys().map(uid).collect()
    }
}

impl Sink for Held {
    fn change(&mut self, change: Change) -> Result<Flow> {
        match change {
            Change::Reset { validity } => {
                assert_ne!(validity, self.at.validity);
                self.mails.clear();
                self.at = Cursor { validity, ..Cursor::default() };
                self.resets += 1;
                self.told += 1;
            }
            Change::Expect { messages } => assert!(messages > 0, "nothing is not announced"),
            Change::New { id, flags, keywords, size, received, head, .. } => {
                if let RemoteId::Uidl(uidl) = &id {
                    assert!(self.seen.insert(uidl.clone()), "{uidl} was taken before");
                }
                self.order.push(id.clone());
                let twice = self.mails.insert(id, Here { flags, keywords, size, received, head });
                assert_eq!(twice, None, "told twice");
                self.told += 1;
            }
            Change::Shown { id, flags, keywords, .. } | Change::Flags { id, flags, keywords } => {
                // Those of a mail that is not known are passed over, as in the store.
                if let Some(here) = self.mails.get_mut(&id) {
                    (here.flags, here.keywords) = (flags, keywords);
                    self.told += 1;
                }
            }
            Change::Misnamed { id } => panic!("{id:?} was not told of by anybody"),
            Change::Gone { id, certain } => {
                self.certain += usize::from(certain);
                assert!(self.mails.remove(&id).is_some(), "what is not known is not gone");
                self.told += 1;
            }
            Change::Covered(at) => self.at = at,
            Change::Listing { uidls, .. } => self.listing = Some(uidls),
        }
        Ok(if self.stop_at.is_some_and(|at| self.told >= at) { Flow::Stop } else { Flow::Continue })
    }
}

/// A copy of what is known.
pub struct Snapshot {
    at: Cursor,
    mails: BTreeMap<RemoteId, Here>,
    seen: HashSet<String>,
}

impl Snapshot {
    /// Another UIDVALIDITY.
    pub fn renumber(&mut self) {
        self.at.validity += 1;
    }
}

impl Known for Snapshot {
    fn cursor(&self) -> Cursor {
        self.at
    }

    fn uids(&self) -> Result<UidSet> {
        Ok(self.mails.keys().filter_map(uid).collect())
    }

    fn flags(&self) -> Result<Vec<(u32, Flags, Vec<String>)>> {
        Ok(self.mails.iter().filter_map(|(id, m)| Some((uid(id)?, m.flags, m.keywords.clone()))).collect())
    }

    fn has_uidl(&self, uidl: &str) -> bool {
        self.seen.contains(uidl)
    }
}

fn uid(id: &RemoteId) -> Option<u32> {
    match id {
        RemoteId::Uid { uid, .. } => Some(*uid),
        RemoteId::Uidl(_) => None,
    }
}

/// Bodies as they came.
#[derive(Debug, Default)]
pub struct Bodies {
    pub whole: BTreeMap<RemoteId, Vec<u8>>,
    half: Option<(RemoteId, Vec<u8>)>,
    /// Ask to stop after so many.
    pub stop_after: Option<usize>,
}

impl Bodies {
    pub fn stopping_after(count: usize) -> Self {
        Self { stop_after: Some(count), ..Self::default() }
    }
}

impl BodySink for Bodies {
    fn begin(&mut self, id: &RemoteId, _: u64) -> Result<()> {
        assert!(self.half.is_none(), "one message at a time");
        self.half = Some((id.clone(), Vec::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.half.as_mut().expect("data before begin").1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<Flow> {
        let (id, raw) = self.half.take().expect("end before begin");
        assert_eq!(self.whole.insert(id, raw), None, "brought twice");
        Ok(if self.stop_after.is_some_and(|n| self.whole.len() >= n) { Flow::Stop } else { Flow::Continue })
    }
}
