//! The verb: a store of its own, two engines over the servers in memory, the screen, and mail that arrives.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Zoned;

use super::compose::me;
use super::filler::Dice;
use super::mailbox::World;
use crate::cli::args::Demo;
use crate::cli::out::Out;
use crate::cli::screen::{self, Face};
use crate::config::{Account, Config, Leave, Protocol, SecretSource, Tls};
use crate::engine::{Command, Emit, Engine, Event, Mode, Setup};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, FlagDelta, Flags, FolderId, Intent, Owner, PlacementId, Role, Summary, View};
use crate::net::Interrupt;
use crate::protocol::memory::Server;
use crate::runtime::{self, Inbox};
use crate::store::{Batch, Incoming, Packed, Packer, Step, Store};

/// When the first mail arrives, and the least and the most that pass until the next.
const FIRST: Duration = Duration::from_secs(6);
const NEXT: (u64, u64) = (20, 40);
/// How long the screen waits to open with the account `home` as its owner left it.
const WAIT: Duration = Duration::from_secs(3);
/// Actions of the owner of `home` that are done at once.
const CHUNK: usize = 500;

/// The time that was asked for, else the clock's.
static PINNED: OnceLock<i64> = OnceLock::new();

fn pinned() -> i64 {
    PINNED.get().copied().unwrap_or(0)
}

/// `config` says how it looks; its accounts are not touched. `data`: keep the demo's store there.
pub(in crate::cli) fn run(
    demo: &Demo,
    mut config: Config,
    theme: Option<&str>,
    ascii: bool,
    data: Option<&Path>,
    out: &mut Out,
) -> Result<u8> {
    if demo.snapshot.is_none() {
        screen::needs_terminal()?;
    }
    let now = moment(demo, &config)?;
    let place = Place::new(data)?;
    let world = World::new(&now, demo.messages);
    config.accounts = vec![account("work", Protocol::Imap), account("home", Protocol::Pop3)];
    // A snapshot is a text for anywhere; this terminal's limits are not its.
    let ascii = ascii || (demo.snapshot.is_none() && screen::is_plain_terminal());
    let mut face = Face::of(&config, theme, ascii)?;
    if demo.now.is_some() {
        let _ = PINNED.set(now.timestamp().as_second());
        face.clock = pinned;
    }
    let store = Store::open_at(&place.dir, Arc::new(face.clock))?;
    let setups = vec![
        setup(&config.accounts[0], &world.work, Owner::Server),
        setup(&config.accounts[1], &world.home, Owner::Here),
    ];
    let code = match demo.snapshot {
        Some(size) => snapshot(face, &store, setups, &world, size, out).map(|()| 0),
        None => live(face, &store, setups, world),
    };
    store.close();
    code
}

fn moment(demo: &Demo, config: &Config) -> Result<Zoned> {
    let zone = config.ui.timezone.clone();
    let Some(text) = &demo.now else { return Ok(Zoned::now().with_time_zone(zone)) };
    let civil: jiff::civil::DateTime =
        text.parse().map_err(|e| Error::new(Kind::Config, format!("{text:?} is not a time")).because(e))?;
    civil.to_zoned(zone).map_err(|e| Error::new(Kind::Config, format!("{text:?} is not a time")).because(e))
}

/// The first screen as text, once everything is in the store.
fn snapshot(
    face: Face,
    store: &Store,
    setups: Vec<Setup>,
    world: &World,
    (width, height): (u16, u16),
    out: &mut Out,
) -> Result<()> {
    let emit: Emit = Arc::new(|_| {});
    for (_, report) in Engine::start(store, setups, Mode::Once, &emit)?.join() {
        report?;
    }
    arrange(store, world)?;
    let session = face.session(Inbox::new(), store, Box::new(|_| {}));
    out.bytes(runtime::snapshot(&session, width, height)?.as_bytes())
}

/// The screen, and mail that arrives while one looks.
fn live(face: Face, store: &Store, setups: Vec<Setup>, mut world: World) -> Result<u8> {
    let inbox = Inbox::new();
    let (tell, told) = channel();
    let emit = both(&inbox, tell);
    let engine = Engine::start(store, setups, Mode::Watch, &emit)?;
    let home = store.reader()?.accounts()?.into_iter().find(|account| account.name == "home").map(|a| a.id);
    settled(home, &told, WAIT);
    arrange(store, &world)?;
    let stop = Interrupt::new()?;
    let bell = stop.clone();
    let ask = engine.sender();
    let arriving = std::thread::Builder::new()
        .name("demo-post".to_owned())
        .spawn(move || {
            let mut dice = Dice::new(7, 7);
            let mut until = Instant::now() + FIRST;
            while !bell.wait(Some(until)) {
                if !world.arrive(Zoned::now()) {
                    break;
                }
                // A POP3 server cannot tell of new mail.
                ask(Command::Sync(home));
                until = Instant::now() + Duration::from_secs(NEXT.0 + dice.below(NEXT.1 - NEXT.0));
            }
        })
        .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
    let ended = screen::show(face, inbox, store, engine);
    stop.ring();
    // It ends at once: it only waits on that bell.
    let _ = arriving.join();
    ended
}

/// Events go to the screen, and until it is open to us as well.
fn both(inbox: &Inbox, tell: Sender<Event>) -> Emit {
    let screen = inbox.events();
    let tell = Mutex::new(Some(tell));
    Arc::new(move |event: Event| {
        let mut ours = tell.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.as_ref().is_some_and(|tell| tell.send(event.clone()).is_err()) {
            *ours = None;
        }
        drop(ours);
        screen(event);
    })
}

/// Waits until the account was in step once.
fn settled(home: Option<AccountId>, told: &Receiver<Event>, patience: Duration) {
    let until = Instant::now() + patience;
    while let Ok(event) = told.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if matches!(event, Event::Synced { account, .. } if Some(account) == home) {
            break;
        }
    }
}

/// Does in the account `home` what its owner did over the years: a POP3 server keeps neither flags nor
/// folders, so all of it came as new.
fn arrange(store: &Store, world: &World) -> Result<()> {
    let reader = store.reader()?;
    let Some(home) = reader.accounts()?.into_iter().find(|account| account.name == "home") else {
        return Ok(());
    };
    let Some(inbox) = reader.folder_by_role(home.id, Role::Inbox)? else { return Ok(()) };
    let mut mails: Vec<Summary> = Vec::new();
    loop {
        let page = reader.copies(View::Folder(inbox.id), mails.last().map(|mail| mail.key), CHUNK)?;
        if page.is_empty() {
            break;
        }
        mails.extend(page);
    }
    let known: HashMap<&str, Flags> =
        world.home_flags.iter().map(|(msgid, flags)| (msgid.as_str(), *flags)).collect();
    for flag in [Flags::SEEN, Flags::FLAGGED, Flags::ANSWERED] {
        let lacks = |mail: &&Summary| {
            known.get(mail.msgid.as_str()).is_some_and(|flags| flags.has(flag)) && !mail.flags.has(flag)
        };
        let items: Vec<PlacementId> = mails.iter().filter(lacks).map(|mail| mail.placement).collect();
        for items in items.chunks(CHUNK) {
            let delta = FlagDelta::add(flag);
            store.intend_wait(Intent::Flag { items: items.to_vec(), delta, undoable: false })?;
        }
    }
    let Some(sent) = reader.folder_by_role(home.id, Role::Sent)? else { return Ok(()) };
    for mails in world.home_sent.chunks(CHUNK) {
        let kept = mails.iter().map(|(raw, received)| kept(sent.id, raw, *received));
        let steps: Vec<Step> = kept.map(|mail| Ok(Step::Message(Box::new(mail?)))).collect::<Result<_>>()?;
        store.commit(Batch { account: home.id, steps })?;
    }
    Ok(())
}

/// A mail that only this machine has.
fn kept(folder: FolderId, raw: &[u8], received: i64) -> Result<Incoming> {
    let facts = mime::facts(raw);
    let mut packer = Packer::new()?;
    let mut chunks = packer.push(raw)?;
    let (last, size, sha256) = packer.finish()?;
    chunks.extend(last);
    Ok(Incoming {
        folder,
        uid: None,
        uidl: None,
        remote_id: None,
        flags: Flags::SEEN,
        keywords: Vec::new(),
        size,
        received,
        internal: 0,
        envelope: mime::envelope(mime::header_block(raw)),
        body: Some(Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments }),
    })
}

fn setup(account: &Account, server: &Server, owner: Owner) -> Setup {
    let server = server.clone();
    Setup {
        account: account.clone(),
        owner,
        protocol: "memory",
        open: Arc::new(move |interrupt| server.session(interrupt)),
        post: None,
        secret: None,
    }
}

fn account(name: &'static str, protocol: Protocol) -> Account {
    let (display_name, email) = me(name).split_once(" <").unwrap_or_default();
    Account {
        name: name.to_owned(),
        email: email.trim_end_matches('>').to_owned(),
        display_name: display_name.to_owned(),
        protocol,
        host: "demo.example".to_owned(),
        port: 0,
        tls: Tls::Implicit,
        allow_plaintext: false,
        user: "robin".to_owned(),
        password: SecretSource::Prompt,
        auth: Default::default(),
        compress: Default::default(),
        folders: Vec::new(),
        ca_file: None,
        pin: None,
        leave_on_server: if protocol == Protocol::Pop3 { Leave::Days(14) } else { Leave::Forever },
        delete_on_server_when_deleted_here: true,
        keep_bodies: crate::config::KeepBodies::default(),
        portion: crate::config::Portion::default(),
        check_every: Duration::from_secs(300),
        spool: None,
        sending: Default::default(),
    }
}

/// Where the demo's store is: a directory that is removed at the end, or one that was named and stays.
struct Place {
    dir: PathBuf,
    passing: bool,
}

/// What the names of directories that are removed at the end begin with; the process and a time follow.
const PASSING: &str = "mailtui-demo-";

/// Removes what demos left behind that were killed: directories of ours in `temp`, of a process that is gone,
/// with a store that nobody has open.
fn sweep(temp: &Path) {
    let me = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(temp).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let parts = name.to_str().and_then(|n| n.strip_prefix(PASSING)).and_then(|n| n.split_once('-'));
        let Some((pid, _)) = parts.filter(|(_, at)| at.bytes().all(|b| b.is_ascii_digit())) else { continue };
        let Some(pid) = pid.parse().ok().and_then(rustix::process::Pid::from_raw) else { continue };
        let dead = rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        // Not through a link: only a directory that we made ourselves.
        let ours = std::fs::symlink_metadata(entry.path()).is_ok_and(|m| m.is_dir() && m.uid() == me);
        // A process that cannot be seen from here may still be running over it.
        let closed = || match std::fs::File::open(entry.path().join("store.lock")) {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(e) => e.kind() == std::io::ErrorKind::NotFound,
        };
        if dead && ours && closed() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl Place {
    fn new(data: Option<&Path>) -> Result<Self> {
        if let Some(dir) = data {
            return Ok(Self { dir: dir.to_path_buf(), passing: false });
        }
        sweep(&std::env::temp_dir());
        let nanos = jiff::Timestamp::now().as_nanosecond();
        let dir = std::env::temp_dir().join(format!("{PASSING}{}-{nanos}", std::process::id()));
        // Fails if it is there: nobody else's directory is taken, or removed later.
        DirBuilder::new()
            .mode(0o700)
            .create(&dir)
            .map_err(|e| Error::new(Kind::Store, format!("could not make {}", dir.display())).because(e))?;
        Ok(Self { dir, passing: true })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.passing {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_demos_left_is_removed_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let (dead, me) = (child.id(), std::process::id());
        let make = |name: &str| {
            let dir = temp.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("store.lock"), "").unwrap();
            dir
        };
        let stale = make(&format!("mailtui-demo-{dead}-1"));
        let open = make(&format!("mailtui-demo-{dead}-2"));
        let lock = std::fs::File::open(open.join("store.lock")).unwrap();
        lock.lock_shared().unwrap();
        let others = [
            make(&format!("mailtui-demo-{me}-1")),
            make(&format!("mailtui-demo-{dead}")),
            make(&format!("mailtui-demo-{dead}-mine")),
            make(&format!("mailtui-{dead}-1")),
        ];
        let link = temp.path().join(format!("mailtui-demo-{dead}-3"));
        std::os::unix::fs::symlink(&others[0], &link).unwrap();
        sweep(temp.path());
        assert!(!stale.exists());
        assert!(open.exists() && link.exists() && others.iter().all(|dir| dir.join("store.lock").exists()));
    }
}
