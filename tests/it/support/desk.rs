//! One account's data directory: synced, acted in, looked at, and put back as it was.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailtui::Result;
use mailtui::config::Account;
use mailtui::engine::{AccountState, Command, Emit, Engine, Event, Mode, Opener, Report, Setup};
use mailtui::model::{
    AccountId, Draft, FlagDelta, FolderId, Intent, Owner, PlacementId, Reach, Role, Settle, Target, View,
};
use mailtui::protocol::memory::Server;
use mailtui::store::{Edge, Reader, Store};

use super::invariants::{Copy, State, of_memory, of_store};

/// Longer than every deadline of the program together, and than a queue of 100,000: who is not back by then hangs.
const PATIENCE: Duration = Duration::from_secs(600);

pub struct Desk {
    dir: tempfile::TempDir,
    pub account: Account,
    open: Opener,
    /// Further accounts in the same store, in step before and after each run.
    pub others: Vec<Other>,
}

/// Another account, with a server that never fails.
pub struct Other {
    pub account: Account,
    pub server: Server,
}

impl Other {
    fn setup(&self) -> Setup {
        let far = self.server.clone();
        Setup {
            account: self.account.clone(),
            owner: Owner::Server,
            protocol: "imap",
            open: Arc::new(move |bell| far.session(bell)),
            post: None,
            secret: None,
        }
    }

    /// What is on its server, under names of its own.
    fn there(&self) -> Vec<Copy> {
        self.own(of_memory(&self.server))
    }

    fn own(&self, mut copies: Vec<Copy>) -> Vec<Copy> {
        copies.iter_mut().for_each(|copy| copy.folder = format!("{}:{}", self.account.name, copy.folder));
        copies
    }
}

impl Desk {
    pub fn new(account: Account, open: Opener) -> Self {
        Self { dir: scratch(), account, open, others: Vec::new() }
    }

    /// The directory of its store.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Opens the store, gets in step once, closes the store.
    pub fn sync(&self) -> Result<Report> {
        self.sync_while(|_| ())
    }

    /// The same; `begin` gets the open store before anything happens.
    pub fn sync_while(&self, begin: impl FnOnce(&Store)) -> Result<Report> {
        self.sync_and(begin, |_| ()).0
    }

    /// The same, and what is here then.
    pub fn sync_and_look(&self) -> (Result<Report>, State) {
        self.sync_and(|_| (), |store| self.here(&store.reader().unwrap()))
    }

    fn sync_and<T>(&self, begin: impl FnOnce(&Store), end: impl FnOnce(&Store) -> T) -> (Result<Report>, T) {
        let store = Store::open(&self.data()).unwrap();
        begin(&store);
        let step = |setup: Setup| {
            let engine = Engine::start(&store, vec![setup], Mode::Once, &(Arc::new(|_| ()) as _)).unwrap();
            let (done, back) = channel();
            std::thread::spawn(move || done.send(engine.join()));
            let mut reports = back.recv_timeout(PATIENCE).expect("the engine hangs");
            reports.pop().expect("one account was started").1
        };
        let others = || self.others.iter().for_each(|other| drop(step(other.setup()).unwrap()));
        others();
        let report = step(self.setup());
        others();
        let end = end(&store);
        store.close();
        (report, end)
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
        let account = self.id(&reader);
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
            owner: self.account.protocol.owner(),
            protocol: self.account.protocol.name(),
            open: Arc::clone(&self.open),
            post: None,
            secret: None,
        }
    }

    /// Opens the store, does something as the user, closes the store.
    pub fn act(&self, act: impl FnOnce(&User<'_>)) {
        let store = Store::open(&self.data()).unwrap();
        let reader = store.reader().unwrap();
        let account = self.id(&reader);
        act(&User { store: &store, reader: &reader, account });
        drop(reader);
        store.close();
    }

    /// What is here and, as its server's room was just seen to be, there.
    pub fn state(&self, there: Vec<Copy>, folders_there: Vec<String>) -> State {
        self.beside(self.state_in(&self.data(), Vec::new()), there, folders_there)
    }

    /// What is here, and what its server's room was just seen to hold.
    pub fn beside(&self, here: State, mut there: Vec<Copy>, folders_there: Vec<String>) -> State {
        self.others.iter().for_each(|other| there.extend(other.there()));
        there.sort();
        State { there, folders_there, ..here }
    }

    /// What is in another directory.
    pub fn state_in(&self, data: &Path, there: Vec<Copy>) -> State {
        let store = Store::open(data).unwrap();
        State { there, ..self.here(&store.reader().unwrap()) }
    }

    fn here(&self, reader: &Reader) -> State {
        if reader.accounts().unwrap().iter().all(|row| row.name != self.account.name) {
            return State::default();
        }
        let mut state = State::of(Vec::new(), reader, self.id(reader));
        for other in &self.others {
            let (here, wrong) = of_store(reader, named(reader, &other.account.name));
            state.here.extend(other.own(here));
            state.wrong.extend(wrong);
        }
        state.here.sort();
        state
    }

    fn id(&self, reader: &Reader) -> AccountId {
        named(reader, &self.account.name)
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

fn named(reader: &Reader, name: &str) -> AccountId {
    let accounts = reader.accounts().unwrap();
    accounts.iter().find(|account| account.name == name).expect("the account was synced").id
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
        self.copies_in(self.role_of(self.account, role), seeds)
    }

    /// The folder of a role in the account of this name.
    pub fn role(&self, account: &str, role: Role) -> FolderId {
        self.role_of(named(self.reader, account), role)
    }

    fn role_of(&self, account: AccountId, role: Role) -> FolderId {
        self.reader.folder_by_role(account, role).unwrap().unwrap().id
    }

    fn copies_in(&self, folder: FolderId, seeds: &[u32]) -> Vec<PlacementId> {
        let page = self.reader.page(View::Folder(folder), Edge::Top, 10_000).unwrap();
        let summary = |id| self.reader.summary(id).unwrap().unwrap();
        let members = page.rows.iter().flat_map(|row| &row.members).map(|m| summary(m.placement));
        let wanted: Vec<String> = seeds.iter().map(|n| format!("seed {n}")).collect();
        let found: Vec<_> =
            members.filter(|s| wanted.iter().any(|w| w == s.subject.as_str())).map(|s| s.placement).collect();
        assert_eq!(found.len(), seeds.len(), "{seeds:?} in {folder:?}");
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

    pub fn folder(&self, path: &str) -> FolderId {
        let folders = self.reader.folders(self.account).unwrap();
        folders.into_iter().find(|folder| folder.path.as_str() == path).expect("the folder is there").id
    }

    pub fn move_into(&self, from: Role, seeds: &[u32], path: &str) {
        let to = Target::Folder(self.folder(path));
        self.intend(Intent::Move { items: self.copies(from, seeds), to });
    }

    pub fn copy_into(&self, from: Role, seeds: &[u32], path: &str) {
        let to = Target::Folder(self.folder(path));
        self.intend(Intent::Copy { items: self.copies(from, seeds), to });
    }

    /// To a folder of another account, or from there.
    pub fn send(&self, (from, role): (&str, Role), seeds: &[u32], (to, target): (&str, Role)) {
        let items = self.copies_in(self.role(from, role), seeds);
        let to = Target::Folder(self.role(to, target));
        self.intend(Intent::Move { items, to });
    }

    /// All mail of an account to another, as in a move to a new provider.
    pub fn carry(&self, from: &str, to: &str) {
        let (from, to) = (named(self.reader, from), named(self.reader, to));
        for leg in self.reader.legs(from, to).unwrap() {
            let items = self.reader.carried(leg.from).unwrap().iter().map(|mail| mail.placement).collect();
            self.store.carry(leg.from, to, items).unwrap();
        }
    }

    pub fn subscribe(&self, path: &str, on: bool) {
        self.intend(Intent::Subscribe { folder: self.folder(path), on });
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

    /// Keeps a draft called as a seed is; a newer version of it where there is one.
    pub fn write(&self, n: u32, body: &str) {
        let subject = format!("seed {n}");
        let drafts = self.reader.drafts().unwrap();
        let known = drafts.iter().find(|kept| kept.draft.subject == subject);
        let over = known.map(|kept| (kept.id, kept.version));
        let draft = Draft {
            to: "bob@example.org".to_owned(),
            body: body.to_owned(),
            subject,
            ..Draft::new(self.account, "ada@example.org")
        };
        self.store.save_draft(over, &format!("draft{n}@example.org"), &draft).unwrap();
    }

    /// Throws it away.
    pub fn discard(&self, n: u32) {
        let drafts = self.reader.drafts().unwrap();
        let known = drafts.iter().find(|kept| kept.draft.subject == format!("seed {n}"));
        assert!(self.store.discard_draft(known.expect("it was written").id).unwrap());
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
