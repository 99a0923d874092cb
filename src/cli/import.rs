//! `mailtui import`: mail of mbox files, Maildirs and single files, into an account whose mail lives here.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::args::Import as Wish;
use super::export::LETTERS;
use super::out::{Out, columns};
use super::words::{grouped, plural};
use crate::config::Config;
use crate::engine::{Filed, Import};
use crate::error::{Error, Kind, Result};
use crate::mime::Mbox;
use crate::model::{AccountId, Flags, FolderId, Intent, Owner, Role};
use crate::store::{Reader, Store};
use crate::text::Clean;

/// Between two paintings of the progress.
const PAINTED: Duration = Duration::from_millis(200);
const BUFFER: usize = 256 << 10;

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
        painted: Instant::now(),
        paints: width.is_some(),
    };
    for path in &wish.paths {
        intake.path(path, &base, false)?;
    }
    let Intake { import, new, known, failed, .. } = intake;
    import.finish()?;
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
            for file in entries(&path.join(part)).unwrap_or_default() {
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
        let raw = match fs::read(path) {
            Ok(raw) => raw,
            Err(e) => return self.cannot(path, &e.to_string()),
        };
        let written = fs::metadata(path).ok().map(|there| there.mtime());
        let flags = name.map_or(Flags::NONE, maildir_flags);
        self.take(folder, &Filed { raw, identity: None, flags, came: None, written })
    }

    fn mbox(&mut self, path: &Path, folder: &str) -> Result<()> {
        let opened = File::open(path).and_then(|file| Ok((file.try_clone()?, file)));
        let (bytes, file) = match opened {
            Ok(opened) => opened,
            Err(e) => return self.cannot(path, &e.to_string()),
        };
        let mut mbox = Mbox::new(BufReader::with_capacity(BUFFER, file), 0);
        loop {
            let read = mbox.next_mail().and_then(|found| {
                let Some(found) = found else { return Ok(None) };
                let mut raw = vec![0; usize::try_from(found.end - found.begin).unwrap_or(0)];
                bytes.read_exact_at(&mut raw, found.begin)?;
                Ok(Some((found, raw)))
            });
            let (found, raw) = match read {
                Ok(Some(read)) => read,
                Ok(None) => return Ok(()),
                Err(e) => return self.cannot(path, &e.to_string()),
            };
            if !found.is_internal {
                let (identity, flags, came) = (Some(found.identity), found.flags, found.at);
                self.take(folder, &Filed { raw, identity, flags, came, written: None })?;
            }
        }
    }

    fn take(&mut self, path: &str, mail: &Filed) -> Result<()> {
        let folder = match self.folders.get(path) {
            Some(folder) => *folder,
            None => {
                let folder = self.folder(path)?;
                self.folders.insert(path.to_owned(), folder);
                folder
            }
        };
        if self.import.take(folder, path, mail)? {
            self.new += 1;
        } else {
            self.known += 1;
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
        let said = Clean::line(&format!("{}: {why}", path.display()));
        let _ = writeln!(std::io::stderr(), "mailtui: {said}");
        Ok(())
    }
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
