//! IMAP (RFC 9051, RFC 3501) as a `MailProtocol`.
//!
//! Bytes come from [`Wire`], are cut into responses by `framer`, read by `token` and
//! `reply`, and handed to whoever asked by `link`. The `imap` crate signs in (`login`); from then on
//! this module speaks by itself, because it pipelines, streams, and forgives servers much.

mod about;
mod anew;
mod answer;
mod append;
mod apply;
mod changes;
mod command;
mod date;
mod fetch;
mod framer;
mod heads;
mod hearing;
mod idle;
mod link;
mod list;
mod listed;
mod literal;
mod login;
mod mark;
mod names;
mod notify;
mod object;
mod offers;
mod present;
mod reply;
mod resync;
mod roles;
mod root;
mod search;
mod select;
mod sets;
mod shape;
mod shim;
mod status;
mod sync;
mod token;
mod trouble;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use self::answer::Verdict;
use self::command::Command;
use self::heads::Sizes;
use self::link::{Link, deaf};
use self::list::Told;
use self::root::Root;
use self::select::Mailbox;
use super::window::Window;
use super::{
    Applied, BodySink, BodySource, Caps, FolderRef, Known, Letter, MailProtocol, RemoteFolder, RemoteId,
    RemoteOp, Sink, Wake,
};
use crate::config::{Account, Compress};
use crate::error::Result;
use crate::model::{About, Cursor, Mark, Role};
use crate::net::{DialOptions, Interrupt, Wire};
use crate::secret::Secret;
use crate::text::Clean;

/// How long a goodbye may take to be said.
const GOODBYE: Duration = Duration::from_secs(2);

/// Connects and signs in.
///
/// The interrupt ends the wait for the connection and for news at once. During other operations a server
/// that keeps silent is given one more second, so that the session stays in order; then the operation
/// fails with [`Kind::Interrupted`](crate::Kind::Interrupted) and the session is over.
///
/// # Errors
/// [`Kind::Auth`](crate::Kind::Auth) only where the server refused user or secret; see `trouble` for the
/// rest.
pub fn connect(account: &Account, secret: &Secret, interrupt: &Interrupt) -> Result<Box<dyn MailProtocol>> {
    let options = DialOptions::from(account, interrupt);
    let mut session = connect_with(&options, &account.user, secret)?;
    session.roles = account.folders.clone();
    Ok(Box::new(session))
}

/// Connects and signs in.
pub fn connect_with(options: &DialOptions, user: &str, secret: &Secret) -> Result<Session> {
    let link = login::connect(options, user, secret)?;
    let may_compress = match options.compress {
        Compress::Auto => !link.wire.is_local(),
        Compress::On => true,
        Compress::Off => false,
    };
    Ok(Session {
        may_compress,
        roles: Vec::new(),
        link,
        interrupt: options.interrupt.clone(),
        root: None,
        told: HashMap::new(),
        sizes: HashMap::new(),
        line: Window::default(),
        going: None,
        seen: HashMap::new(),
        elsewhere: BTreeSet::new(),
        longest: HashMap::new(),
    })
}

/// One signed-in conversation with an IMAP server.
#[derive(Debug)]
pub struct Session {
    link: Link,
    /// Whether the connection is to be compressed and is not yet.
    may_compress: bool,
    /// What folders are for as the user says, by their paths.
    roles: Vec<(Role, String)>,
    interrupt: Interrupt,
    /// Where folders are made; `None`: not asked yet.
    root: Option<Root>,
    /// What was told of each folder when the folders were listed.
    told: HashMap<String, Told>,
    /// Sizes that were told along with headers, by folder, with their UIDVALIDITY.
    sizes: HashMap<String, (u32, Sizes)>,
    /// How much may be asked for ahead.
    line: Window,
    /// What may be removed from a folder along with others.
    going: Option<(String, Vec<RemoteId>)>,
    /// Each folder as it was when it was last looked at.
    seen: HashMap<String, Mailbox>,
    /// Other folders that news was told of.
    elsewhere: BTreeSet<String>,
    /// The longest message that each folder takes, as far as asked.
    longest: HashMap<String, Option<u64>>,
}

impl Session {
    /// The connection: for its counters and its transcript.
    #[must_use]
    pub fn wire(&self) -> &Wire {
        &self.link.wire
    }

    fn begin(&mut self, long: bool) {
        self.link.begin(long);
        self.link.state.settle();
    }

    /// Carries out one operation.
    fn carry_through(&mut self, op: &RemoteOp) -> Result<Applied> {
        match op {
            RemoteOp::Flag { folder, ids, delta, add, del } => {
                self.flag(&folder.remote, ids, *delta, add, del)
            }
            RemoteOp::Move { from, to, ids } => self.move_to(&from.remote, &to.remote, ids),
            RemoteOp::Copy { from, to, ids } => self.copy_to(&from.remote, &to.remote, ids),
            RemoteOp::Delete { folder, ids } => self.delete(&folder.remote, ids),
            RemoteOp::CreateFolder { path } => {
                let created = self.create(path)?;
                Ok(Applied::Done { moved: Vec::new(), created: Some(created) })
            }
            RemoteOp::RenameFolder { folder, path } => {
                let created = self.rename(&folder.remote, path)?;
                Ok(Applied::Done { moved: Vec::new(), created: Some(created) })
            }
            RemoteOp::DeleteFolder { folder } => self.remove_folder(&folder.remote).map(|()| Applied::done()),
            RemoteOp::Subscribe { folder, on } => {
                self.subscribe(&folder.remote, *on).map(|()| Applied::done())
            }
        }
    }

    /// Compresses the connection where that is offered (RFC 4978), once much is going to pass: it costs a round
    /// trip in which nothing else may be said, which a look at folders that are in step does not earn.
    fn compress(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.may_compress) || !self.link.state.offers.has("COMPRESS=DEFLATE") {
            return Ok(());
        }
        for tag in self.link.state.open.clone() {
            self.link.pass(&tag)?;
        }
        let tag = self.link.send(&Command::new("COMPRESS DEFLATE"))?;
        match self.link.answer(&tag, &mut deaf)?.verdict {
            Verdict::Ok => self.link.wire.compress(),
            _ => tracing::info!("the server offers compression and refuses it"),
        }
        Ok(())
    }
}

impl MailProtocol for Session {
    fn caps(&self) -> Caps {
        Caps {
            folders: true,
            flags: true,
            append: true,
            push: self.can_idle(),
            snapshot: false,
            deletes: true,
            labels: self.link.state.offers.has(object::LABELS),
            search: true,
        }
    }

    fn folders(&mut self) -> Result<Vec<RemoteFolder>> {
        self.begin(false);
        self.list()
    }

    fn pull(&mut self, folder: &FolderRef, known: &dyn Known, sink: &mut dyn Sink) -> Result<Cursor> {
        self.begin(false);
        if known.cursor().backfill != 1 {
            self.compress()?;
        }
        self.look(&folder.remote, known, sink)
    }

    fn fetch(&mut self, folder: &FolderRef, ids: &[RemoteId], sink: &mut dyn BodySink) -> Result<()> {
        self.begin(false);
        if ids.is_empty() {
            return Ok(());
        }
        self.compress()?;
        self.bodies(&folder.remote, ids, sink)
    }

    fn search(
        &mut self,
        folder: &FolderRef,
        words: &[String],
        known: &dyn Known,
        sink: &mut dyn Sink,
    ) -> Result<Vec<RemoteId>> {
        self.begin(true);
        self.find_words(&folder.remote, words, known, sink)
    }

    fn apply(&mut self, op: &RemoteOp) -> Result<Applied> {
        self.begin(true);
        let applied = self.carry_through(op);
        self.with_room(applied)
    }

    fn let_go(&mut self, folder: &FolderRef, ids: Vec<RemoteId>) {
        self.going = Some((folder.remote.clone(), ids));
    }

    fn mark(&mut self, folder: &FolderRef) -> Result<Mark> {
        self.begin(false);
        self.end_of(&folder.remote)
    }
    fn find(&mut self, letter: &Letter, since: Mark) -> Result<Option<RemoteId>> {
        self.begin(true);
        self.arrived(letter, since)
    }

    fn append(&mut self, letter: &Letter, raw: &mut dyn BodySource) -> Result<Option<RemoteId>> {
        self.begin(true);
        self.compress()?;
        let put = self.put(letter, raw);
        self.with_room(put)
    }

    fn wait(&mut self, folder: &FolderRef, until: Instant) -> Result<Wake> {
        self.begin(false);
        self.idle(&folder.remote, until)
    }

    fn watch(&mut self) -> Result<bool> {
        self.begin(false);
        self.notify()
    }

    fn about(&self) -> About {
        self.link.state.about.clone()
    }

    fn alerts(&mut self) -> Vec<Clean> {
        std::mem::take(&mut self.link.state.alerts)
    }

    fn elsewhere(&mut self) -> Vec<FolderRef> {
        self.take_elsewhere()
    }

    fn passed_on(&mut self, folder: &FolderRef) {
        self.is_told(&folder.remote);
    }

    fn keep_alive(&mut self) -> Result<()> {
        self.begin(false);
        self.link.ask("the server does not answer a greeting", &Command::new("NOOP"), &mut deaf).map(drop)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.link.wire.heed_interrupt(false);
        self.link.wire.set_read_timeout(GOODBYE);
        // Nothing depends on the server's last words: they are not waited for.
        let _ = self.link.send(&Command::new("LOGOUT"));
        self.link.wire.close();
        Ok(())
    }
}
