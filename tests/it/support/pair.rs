//! Two accounts with engines and servers over one store, for mail that goes from one to the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mailtui::Result;
use mailtui::config::{Account, Protocol, Tls};
use mailtui::engine::{Emit, Engine, Mode, Opener, Report, Setup};
use mailtui::error::{Error, Kind};
use mailtui::model::*;
use mailtui::net::Interrupt;
use mailtui::protocol::memory::{Call, Server};
use mailtui::protocol::{self, FolderRef};
use mailtui::store::{Edge, Reader, Store};

use super::dovecot::{self, User};
use super::proxy::{Plan, Proxy, Seal};
use super::world::{Bodies, Held};
use crate::engine::account;

/// 13 February 2009.
pub const ARRIVED: i64 = 1_234_567_890;
/// Runs within which everything must be done after a fault.
pub const RUNS: usize = 6;

/// One that takes several pieces in the store.
pub const LARGE: u32 = 2000;

pub fn raw(n: u32) -> Vec<u8> {
    let filler = "All work and no play.\r\n".repeat(n as usize * 50);
    format!(
        "From: Ada <ada@example.org>\r\nSubject: Letter {n}\r\nMessage-ID: <letter-{n}@example.org>\r\n\
         Date: Sun, 20 Sep 2026 10:00:00 +0000\r\n\r\nDear reader {n},\r\n.\r\n{filler}"
    )
    .into_bytes()
}

/// A mail as a server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    pub flags: Flags,
    pub keywords: Vec<String>,
    pub received: i64,
    pub raw: Vec<u8>,
}

/// One account with its server.
pub struct Side {
    pub setup: Setup,
    pub server: Kept,
}

/// A server, or what keeps it alive.
pub enum Kept {
    Memory(Server),
    Dovecot(User<'static>),
}

pub fn setup(mut account: Account, name: &str, open: Opener) -> Setup {
    name.clone_into(&mut account.name);
    let (owner, protocol) = (account.protocol.owner(), account.protocol.name());
    Setup { account, owner, protocol, open, post: None, secret: None }
}

impl Side {
    pub fn memory(name: &str, protocol: Protocol, server: Server) -> Self {
        let far = server.clone();
        let open: Opener = Arc::new(move |bell| far.session(bell));
        Self { setup: setup(account(name, protocol), name, open), server: Kept::Memory(server) }
    }

    pub fn dovecot(name: &str, protocol: Protocol) -> Option<Self> {
        Some(Self::on_dovecot(name, dovecot::shared()?.user(), protocol, Tls::None))
    }

    pub fn on_dovecot(name: &str, user: User<'static>, protocol: Protocol, tls: Tls) -> Self {
        let (account, secret) = (user.account(protocol, tls), user.secret());
        let at = account.clone();
        let open: Opener = Arc::new(move |bell| protocol::open(&at, &secret, bell));
        Self { setup: setup(account, name, open), server: Kept::Dovecot(user) }
    }

    /// Dovecot behind a proxy that makes this of what it says.
    pub fn lying(name: &str, plan: Plan) -> Option<(Self, Arc<Proxy>)> {
        let user = dovecot::shared()?.user();
        let (mut account, secret) = (user.account(Protocol::Imap, Tls::None), user.secret());
        let proxy = Arc::new(Proxy::start(account.port, Protocol::Imap, Seal::None));
        proxy.begin(plan);
        account.port = proxy.port;
        let at = account.clone();
        let open: Opener = Arc::new(move |bell| protocol::open(&at, &secret, bell));
        Some((Self { setup: setup(account, name, open), server: Kept::Dovecot(user) }, proxy))
    }

    pub fn deliver(&self, n: u32) {
        match &self.server {
            Kept::Memory(server) => {
                server.deliver("INBOX", raw(n), Flags::NONE, ARRIVED + i64::from(n));
            }
            Kept::Dovecot(user) => user.deliver("INBOX", &raw(n)),
        }
    }

    /// What is in a folder, asked of the server in a session of its own.
    pub fn there(&self, folder: &str) -> Vec<There> {
        if self.setup.owner == Owner::Here {
            let raws: Vec<Vec<u8>> = match &self.server {
                Kept::Memory(server) => {
                    server.mails(folder).iter().map(|m| m.source.bytes().to_vec()).collect()
                }
                Kept::Dovecot(user) => user.mails(folder).into_iter().map(|(_, raw)| raw).collect(),
            };
            let bare = |raw| There { flags: Flags::NONE, keywords: vec![], received: 0, raw };
            return raws.into_iter().map(bare).collect();
        }
        let mut session = (self.setup.open)(&Interrupt::new().unwrap()).unwrap();
        let (mut held, mut bodies) = (Held::default(), Bodies::default());
        // Not every server has every folder from the start.
        if !session.folders().unwrap().iter().any(|f| f.remote == folder) {
            return Vec::new();
        }
        held.pull(&mut *session, folder);
        let ids: Vec<_> = held.mails.keys().cloned().collect();
        session.fetch(&FolderRef::new(folder), &ids, &mut bodies).unwrap();
        session.finish().unwrap();
        held.mails
            .iter()
            .map(|(id, here)| There {
                flags: here.flags,
                keywords: here.keywords.clone(),
                received: here.received,
                raw: bodies.whole[id].clone(),
            })
            .collect()
    }
}

/// Two accounts in one store: mail goes from the inbox of the first to the archive of the second.
pub struct Pair {
    pub store: Store,
    pub work: Side,
    pub home: Side,
    _dir: tempfile::TempDir,
}

impl Pair {
    pub fn new(work: Side, home: Side) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let pair = Self { store, work, home, _dir: dir };
        pair.sync(&[&pair.work, &pair.home]).into_iter().for_each(|report| drop(report.unwrap()));
        pair
    }

    pub fn memory() -> (Self, Server, Server) {
        let (work, home) = (Server::new(Protocol::Imap), Server::new(Protocol::Imap));
        Self::between(work, home)
    }

    pub fn between(work: Server, home: Server) -> (Self, Server, Server) {
        let side = |name: &str, server: &Server| Side::memory(name, Protocol::Imap, server.clone());
        (Self::new(side("work", &work), side("home", &home)), work, home)
    }

    /// The same after the program ended and began anew.
    pub fn reopened(self) -> Self {
        self.store.close();
        let store = Store::open(self._dir.path()).unwrap();
        Self { store, ..self }
    }

    /// One round of these accounts.
    pub fn sync(&self, sides: &[&Side]) -> Vec<Result<Report>> {
        let setups = sides.iter().map(|side| side.setup.clone()).collect();
        let emit: Emit = Arc::new(|_| ());
        let engine = Engine::start(&self.store, setups, Mode::Once, &emit).unwrap();
        engine.join().into_iter().map(|(_, report)| report).collect()
    }

    /// Rounds of both until nothing waits; what was refused may go on waiting.
    pub fn settle(&self) {
        for _ in 0..RUNS {
            self.sync(&[&self.home, &self.work]);
            let reader = self.reader();
            let waiting: u64 =
                reader.accounts().unwrap().iter().map(|a| reader.ops_waiting(a.id).unwrap()).sum();
            if waiting == 0 {
                // And once more to see what became of it.
                self.sync(&[&self.home, &self.work]);
                assert_eq!(reader.check().unwrap(), Vec::<String>::new());
                return;
            }
        }
        panic!("something still waits after {RUNS} rounds");
    }

    pub fn reader(&self) -> Reader {
        self.store.reader().unwrap()
    }

    pub fn account(&self, name: &str) -> AccountId {
        self.reader().accounts().unwrap().iter().find(|a| a.name == name).unwrap().id
    }

    pub fn folder(&self, account: &str, role: Role) -> FolderId {
        self.reader().folder_by_role(self.account(account), role).unwrap().unwrap().id
    }

    /// Where mail goes to.
    pub fn archive(&self) -> FolderId {
        self.folder("home", Role::Archive)
    }

    pub fn remote(&self, folder: FolderId) -> String {
        self.reader().folder(folder).unwrap().unwrap().remote
    }

    pub fn copies(&self, folder: FolderId) -> Vec<PlacementId> {
        let page = self.reader().page(View::Folder(folder), Edge::Top, 1000).unwrap();
        page.rows.iter().flat_map(|row| row.members.iter().map(|m| m.placement)).collect()
    }

    pub fn act(&self, intent: Intent) {
        assert_eq!(self.store.intend_wait(intent).unwrap().error, None);
    }

    /// Everything in the inbox of the first goes to the second.
    pub fn send(&self) {
        let items = self.copies(self.folder("work", Role::Inbox));
        self.act(Intent::Move { items, to: Target::Folder(self.archive()) });
    }

    pub fn sent(&self) -> Vec<There> {
        self.home.there(&self.remote(self.archive()))
    }
}

/// Fails the `nth` call of this kind, once.
pub fn fail_once(server: &Server, which: Call, nth: usize, kind: Kind) {
    let count = AtomicUsize::new(0);
    server.on_call(move |call| {
        if call == which && count.fetch_add(1, Ordering::SeqCst) == nth {
            return Err(Error::new(kind, "the line broke"));
        }
        Ok(())
    });
}

pub fn sha256(raw: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(raw).into()
}
