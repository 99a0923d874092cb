//! One account's data directory: synced, acted in, looked at, and put back as it was.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailtui::Result;
use mailtui::config::{Account, Protocol};
use mailtui::engine::{AccountState, Command, Emit, Engine, Event, Mode, Opener, Report, Setup};
use mailtui::model::{
    AccountId, FlagDelta, FolderId, Intent, Owner, PlacementId, Reach, Role, Settle, Target, View,
};
use mailtui::store::{Edge, Reader, Store};

use super::invariants::{Copy, State};

/// Longer than every deadline of the program together, and than a queue of 100,000: who is not back by then hangs.
const PATIENCE: Duration = Duration::from_secs(600);

pub struct Desk {
    dir: tempfile::TempDir,
    pub account: Account,
    open: Opener,
}

impl Desk {
    pub fn new(account: Account, open: Opener) -> Self {
        Self { dir: scratch(), account, open }
    }

    /// The directory of its store.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn owner(&self) -> Owner {
        match self.account.protocol {
            Protocol::Imap => Owner::Server,
            Protocol::Pop3 => Owner::Here,
        }
    }

    fn protocol(&self) -> &'static str {
        match self.account.protocol {
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop3",
        }
    }

    /// Opens the store, gets in step once, closes the store.
    pub fn sync(&self) -> Result<Report> {
        self.sync_while(|_| ())
    }

    /// The same; `begin` gets the open store before anything happens.
    pub fn sync_while(&self, begin: impl FnOnce(&Store)) -> Result<Report> {
        let store = Store::open(&self.data()).unwrap();
        begin(&store);
        let engine = Engine::start(&store, vec![self.setup()], Mode::Once, &(Arc::new(|_| ()) as _)).unwrap();
        let (done, back) = channel();
        std::thread::spawn(move || done.send(engine.join()));
        let mut reports = back.recv_timeout(PATIENCE).expect("the engine hangs");
        store.close();
        reports.pop().expect("one account was started").1
    }

    /// Keeps in step, as with the screen open, until `is_well`; whenever a failure is to be slept off, the
    /// user asks for another try. Whether all was well in time.
    pub fn watch(&self, is_well: impl Fn(&Reader, AccountId) -> bool) -> bool {
        let store = Store::open(&self.data()).unwrap();
        let (tell, news) = channel();
        let (far, tell) = (tell.clone(), Mutex::new(tell));
        // A listener outlives the test only until the store is closed.
        store.subscribe(Box::new(move |_| {
            let _ = far.send(false);
        }));
        let emit: Emit = Arc::new(move |event| {
            let stuck = matches!(event, Event::State { state: AccountState::Offline { .. }, .. });
            let _ = tell.lock().unwrap().send(stuck);
        });
        let engine = Engine::start(&store, vec![self.setup()], Mode::Watch, &emit).unwrap();
        let reader = store.reader().unwrap();
        let account = id(&reader);
        let until = Instant::now() + PATIENCE;
        let mut well = false;
        while !well && let Ok(first) = news.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if news.try_iter().fold(first, |any, stuck| any | stuck) {
                engine.send(Command::Sync(None));
            }
            well = is_well(&reader, account);
        }
        engine.stop(Duration::from_secs(5));
        drop(reader);
        store.close();
        well
    }

    /// Keeps in step until `is_time`, then stops within a second if it can; how long that took.
    pub fn stop_when(&self, is_time: impl FnOnce() -> bool) -> Duration {
        let store = Store::open(&self.data()).unwrap();
        let engine =
            Engine::start(&store, vec![self.setup()], Mode::Watch, &(Arc::new(|_| ()) as _)).unwrap();
        assert!(is_time());
        let begun = Instant::now();
        engine.stop(Duration::from_secs(1));
        store.close();
        begun.elapsed()
    }

    pub fn setup(&self) -> Setup {
        Setup {
            account: self.account.clone(),
            owner: self.owner(),
            protocol: self.protocol(),
            open: Arc::clone(&self.open),
            secret: None,
        }
    }

    /// Opens the store, does something as the user, closes the store.
    pub fn act(&self, act: impl FnOnce(&User<'_>)) {
        let store = Store::open(&self.data()).unwrap();
        let reader = store.reader().unwrap();
        let account = id(&reader);
        act(&User { store: &store, reader: &reader, account });
        drop(reader);
        store.close();
    }

    pub fn state(&self, there: Vec<Copy>) -> State {
        self.state_in(&self.data(), there)
    }

    /// The same of another directory.
    pub fn state_in(&self, data: &Path, there: Vec<Copy>) -> State {
        let store = Store::open(data).unwrap();
        let reader = store.reader().unwrap();
        if reader.accounts().unwrap().is_empty() {
            return State { there, ..State::default() };
        }
        State::of(there, &reader, id(&reader))
    }

    /// Keeps the directory as it is now for [`reset`](Self::reset).
    pub fn keep(&self) {
        let _ = fs::create_dir_all(self.data());
        replace_dir(&self.data(), &self.dir.path().join("kept"));
    }

    pub fn reset(&self) {
        replace_dir(&self.dir.path().join("kept"), &self.data());
    }
}

fn id(reader: &Reader) -> AccountId {
    reader.accounts().unwrap().first().expect("the account was synced").id
}

/// Somebody at the screen.
pub struct User<'a> {
    pub store: &'a Store,
    pub reader: &'a Reader,
    pub account: AccountId,
}

impl User<'_> {
    /// The copies of these seeds in the folder of this role.
    pub fn copies(&self, role: Role, seeds: &[u32]) -> Vec<PlacementId> {
        let folder = self.reader.folder_by_role(self.account, role).unwrap().unwrap();
        let page = self.reader.page(View::Folder(folder.id), Edge::Top, 10_000).unwrap();
        let summary = |id| self.reader.summary(id).unwrap().unwrap();
        let members = page.rows.iter().flat_map(|row| &row.members).map(|m| summary(m.placement));
        let wanted: Vec<String> = seeds.iter().map(|n| format!("seed {n}")).collect();
        let found: Vec<_> =
            members.filter(|s| wanted.iter().any(|w| w == s.subject.as_str())).map(|s| s.placement).collect();
        assert_eq!(found.len(), seeds.len(), "{seeds:?} in {role:?}");
        found
    }

    fn intend(&self, intent: Intent) {
        let outcome = self.store.intend_wait(intent).unwrap();
        assert_eq!(outcome.error, None);
    }

    pub fn flag(&self, role: Role, seeds: &[u32], delta: FlagDelta) {
        self.intend(Intent::Flag { items: self.copies(role, seeds), delta, undoable: true });
    }

    pub fn move_to(&self, from: Role, seeds: &[u32], to: Role) {
        self.intend(Intent::Move { items: self.copies(from, seeds), to: Target::Role(to) });
    }

    pub fn copy_to(&self, from: Role, seeds: &[u32], to: Role) {
        self.intend(Intent::Copy { items: self.copies(from, seeds), to: Target::Role(to) });
    }

    pub fn purge(&self, from: Role, seeds: &[u32]) {
        self.intend(Intent::Purge { items: self.copies(from, seeds) });
    }

    pub fn tag(&self, role: Role, seeds: &[u32], add: &[&str], del: &[&str]) {
        let owned = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect();
        self.intend(Intent::Tag { items: self.copies(role, seeds), add: owned(add), del: owned(del) });
    }

    fn folder(&self, path: &str) -> FolderId {
        let folders = self.reader.folders(self.account).unwrap();
        folders.into_iter().find(|folder| folder.path.as_str() == path).expect("the folder is there").id
    }

    pub fn move_into(&self, from: Role, seeds: &[u32], path: &str) {
        let to = Target::Folder(self.folder(path));
        self.intend(Intent::Move { items: self.copies(from, seeds), to });
    }

    pub fn make_folder(&self, path: &str) {
        self.intend(Intent::MakeFolder { account: self.account, path: path.to_owned() });
    }

    pub fn rename_folder(&self, from: &str, to: &str) {
        self.intend(Intent::RenameFolder { folder: self.folder(from), path: to.to_owned() });
    }

    /// Its mail goes to Trash.
    pub fn delete_folder(&self, path: &str) {
        self.intend(Intent::DeleteFolder { folder: self.folder(path), to_trash: true });
    }

    pub fn undo(&self) {
        self.intend(Intent::Undo);
    }

    /// Gives up whatever waits, and believes the server.
    pub fn give_up(&self) {
        for how in [Settle::Accept, Settle::Discard] {
            self.store.intend_wait(Intent::Settle { how, reach: Reach::Everything }).unwrap();
        }
    }

    pub fn redo(&self) {
        self.intend(Intent::Redo);
    }
}

/// A directory in memory where there is one: campaigns open thousands of stores.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let builder = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix("mailtui-fault-");
        builder
    };
    builder().tempdir_in(memory).or_else(|_| builder().tempdir()).unwrap()
}

/// Makes `to` a copy of `from`: files, directories and whose they are; sockets and links are left out.
pub fn replace_dir(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    copy_dir(from, to);
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    own(from, to);
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy_dir(&entry.path(), &target);
        } else if kind.is_file() && !kind.is_socket() {
            fs::copy(entry.path(), &target).unwrap();
            own(&entry.path(), &target);
        }
    }
}

fn own(from: &Path, to: &Path) {
    let meta = fs::metadata(from).unwrap();
    fs::set_permissions(to, meta.permissions()).unwrap();
    // Only root may give files away, and only then is it needed.
    let _ = chown(to, Some(meta.uid()), Some(meta.gid()));
}
