//! `mailtui import`: mail of mbox files, Maildirs and single files, into an account whose mail lives here.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::args::Import as Wish;
use super::export::LETTERS;
use super::mailbox::{self, digest};
use super::out::{Out, columns};
use super::words::{grouped, plural};
use crate::config::Config;
use crate::engine::{Came, Filed, Import, Taken};
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Flags, FolderId, Intent, Owner, Role};
use crate::store::{Reader, Store};
use crate::text::Clean;

/// Between two paintings of the progress.
const PAINTED: Duration = Duration::from_millis(200);

/// Answers the exit code.
pub(super) fn run(wish: &Wish, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let Some(account) = config.account(&wish.account) else {
        let known: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
        return Err(Error::new(Kind::Config, format!("there is no account {:?}", wish.account))
            .hint(format!("there are: {}", known.join(", "))));
    };
    let (owner, protocol) = (account.protocol.owner(), account.protocol.name());
    if owner == Owner::Server {
        let text = format!("the mail of {} lives on its server", account.name);
        return Err(Error::new(Kind::Config, text).hint(
            "import into an account with protocol = \"local\", and move the mail from there to this one",
        ));
    }
    let id = store.account(&account.name, protocol, owner, &account.remote_key())?;
    let reader = store.reader()?;
    let import = Import::new(store, &reader, id)?;
    let width = if out.json { None } else { columns(std::io::stderr()) };
    let base = wish.folder.clone().unwrap_or_default();
    let mut intake = Intake {
        import,
        store,
        reader: &reader,
        account: id,
        folders: HashMap::new(),
        new: 0,
        known: 0,
        failed: 0,
        is_stopped: watch_signals()?,
        painted: Instant::now(),
        paints: width.is_some(),
    };
    let taken = wish.paths.iter().try_for_each(|path| intake.path(path, &base, false));
    let Intake { import, new, known, failed, .. } = intake;
    // Whatever became of the rest: what came in is kept.
    let kept = import.finish();
    taken.and(kept)?;
    if width.is_some() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let name = Clean::line(&account.name);
    if out.json {
        out.object(&json!({ "account": name, "imported": new, "known": known, "failed": failed }))?;
    } else {
        let mut line = format!("{name}: {} {} imported", grouped(new), plural(new, "mail"));
        if known > 0 {
            line.push_str(&format!(", {} were imported before", grouped(known)));
        }
        out.line(line)?;
    }
    Ok(if failed > 0 { Kind::Protocol.exit_code() } else { 0 })
}

struct Intake<'a> {
    import: Import<'a>,
    store: &'a Store,
    reader: &'a Reader,
    account: AccountId,
    folders: HashMap<String, FolderId>,
    new: u64,
    known: u64,
    failed: u64,
    /// A signal asks for the end.
    is_stopped: Arc<AtomicBool>,
    painted: Instant,
    paints: bool,
}

impl Intake<'_> {
    /// Whatever lies there. `inner`: it was found in a directory, so its name becomes a folder's, and what is no mail
    /// is passed over in silence.
    fn path(&mut self, path: &Path, folder: &str, inner: bool) -> Result<()> {
        let there = match fs::metadata(path) {
            Ok(there) => there,
            Err(e) => return self.cannot(path, &e.to_string()),
        };
        let name = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let within = if inner { joined(folder, &name()) } else { folder.to_owned() };
        if there.is_dir() {
            return if path.join("cur").is_dir() {
                self.maildir(path, &within)
            } else {
                self.directory(path, &within)
            };
        }
        if !there.is_file() {
            return if inner { Ok(()) } else { self.cannot(path, "it is neither a file nor a directory") };
        }
        let mut first = Vec::new();
        let begun = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut first));
        match begun {
            Err(e) => self.cannot(path, &e.to_string()),
            Ok(_) if first.trim_ascii_start().starts_with(b"From ") => self.mbox(path, &within),
            Ok(_) if is_mail(&first) => self.single(path, folder, None),
            Ok(_) if inner || first.is_empty() => Ok(()),
            Ok(_) => self.cannot(path, "it is neither a mailbox nor a mail"),
        }
    }

    fn directory(&mut self, path: &Path, folder: &str) -> Result<()> {
        match entries(path) {
            Ok(all) => all.iter().try_for_each(|inner| self.path(inner, folder, true)),
            Err(e) => self.cannot(path, &e.to_string()),
        }
    }

    /// A Maildir, and the folders in it as Maildir++ has them: `.Sent.2020`.
    fn maildir(&mut self, path: &Path, folder: &str) -> Result<()> {
        for part in ["cur", "new"] {
            // As they come: there may be more of them than a list should hold.
            for entry in fs::read_dir(path.join(part)).into_iter().flatten() {
                let file = match entry {
                    Ok(entry) => entry.path(),
                    Err(e) => return self.cannot(&path.join(part), &e.to_string()),
                };
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if !name.starts_with('.') && file.is_file() {
                    self.single(&file, folder, Some(&name))?;
                }
            }
        }
        for inner in entries(path).unwrap_or_default() {
            let name = inner.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(name) = name.strip_prefix('.').filter(|_| inner.join("cur").is_dir()) {
                self.maildir(&inner, &joined(folder, &name.replace('.', "/")))?;
            }
        }
        Ok(())
    }

    fn single(&mut self, path: &Path, folder: &str, name: Option<&str>) -> Result<()> {
        let read = || {
            let mut file = File::open(path)?;
            let identity = digest(&mut file)?;
            file.seek(SeekFrom::Start(0))?;
            let written = Came::Written(Some(file.metadata()?.mtime()));
            let flags = name.map_or(Flags::NONE, maildir_flags);
            Ok((Filed { identity, flags, keywords: Vec::new(), came: written }, file))
        };
        let opened: std::io::Result<_> = read();
        match opened {
            Ok((filed, mut file)) => self.take(path, folder, &filed, &mut file),
            Err(e) => self.cannot(path, &e.to_string()),
        }
    }

    fn mbox(&mut self, path: &Path, folder: &str) -> Result<()> {
        let read = mailbox::read(path, &mut |filed, raw| self.take(path, folder, filed, raw));
        match read {
            Err(e) if e.kind() == Kind::Config => {
                self.cannot(path, &e.to_string())?;
                e.hint_text().map_or(Ok(()), |hint| self.say(&format!("hint: {hint}")))
            }
            read => read,
        }
    }

    /// Takes in a mail of this file, into the folder of this name.
    fn take(&mut self, file: &Path, path: &str, mail: &Filed, raw: &mut dyn Read) -> Result<()> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Interrupted, "the import was interrupted")
                .hint("Run it again: it goes on where it was, and takes nothing twice"));
        }
        let folder = match self.folders.get(path) {
            Some(folder) => *folder,
            None => {
                let folder = self.folder(path)?;
                self.folders.insert(path.to_owned(), folder);
                folder
            }
        };
        match self.import.take((folder, path), mail, raw)? {
            Taken::New => self.new += 1,
            Taken::Known => self.known += 1,
            Taken::Unread(e) => return self.cannot(file, &e.to_string()),
        }
        if self.paints && self.painted.elapsed() >= PAINTED {
            self.painted = Instant::now();
            let _ = write!(std::io::stderr(), "\r\x1b[K{} mails", grouped(self.new + self.known));
        }
        Ok(())
    }

    /// The folder of this path or purpose, made where it is not there.
    fn folder(&self, path: &str) -> Result<FolderId> {
        let name =
            if path.is_empty() || path.eq_ignore_ascii_case("inbox") { Role::Inbox.title() } else { path };
        let find = || -> Result<Option<FolderId>> {
            let all = self.reader.folders(self.account)?;
            let is_role =
                |role: Option<Role>| role.is_some_and(|role| role.title().eq_ignore_ascii_case(name));
            let found = all.iter().find(|folder| folder.path.as_str() == name);
            Ok(found.or_else(|| all.iter().find(|folder| is_role(folder.role))).map(|folder| folder.id))
        };
        if let Some(found) = find()? {
            return Ok(found);
        }
        let made =
            self.store.intend_wait(Intent::MakeFolder { account: self.account, path: name.to_owned() })?;
        if let Some(why) = made.error {
            return Err(Error::new(Kind::Config, format!("could not make the folder {name:?}")).because(why));
        }
        find()?.ok_or_else(|| Error::new(Kind::Bug, "a folder that was made is not there"))
    }

    /// Says what could not be read, and goes on.
    fn cannot(&mut self, path: &Path, why: &str) -> Result<()> {
        self.failed += 1;
        self.say(&format!("mailtui: {}: {why}", path.display()))
    }

    fn say(&self, line: &str) -> Result<()> {
        let _ = writeln!(std::io::stderr(), "{}", Clean::line(line));
        Ok(())
    }
}

/// Ends in order when a signal asks for it: locks are given back, and what came in is kept.
fn watch_signals() -> Result<Arc<AtomicBool>> {
    let is_stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&is_stopped))
            .map_err(|e| Error::new(Kind::Bug, "signals could not be watched").because(e))?;
    }
    Ok(is_stopped)
}

fn joined(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") }
}

fn entries(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect::<std::io::Result<_>>()?;
    all.sort();
    Ok(all)
}

/// Whether a file begins with a header field.
fn is_mail(first: &[u8]) -> bool {
    let name = first.iter().take(100).take_while(|b| (b'!'..=b'~').contains(*b) && **b != b':').count();
    name > 0 && first.get(name) == Some(&b':')
}

/// The flags behind `:2,` in the name of a Maildir's file.
fn maildir_flags(name: &str) -> Flags {
    let letters = name.rsplit_once(":2,").map_or("", |(_, letters)| letters);
    LETTERS.into_iter().filter(|(l, _)| letters.contains(*l)).fold(Flags::NONE, |all, (_, flag)| all | flag)
}
