//! The server room: another client's hands on a server of any kind, and a look at what it holds, never through
//! mailtui. Mails are named by their seeds, folders by their paths.

use std::fs;
use std::path::Path;

use mailtui::config::{Protocol, Tls};
use mailtui::model::{FlagDelta, Flags};
use mailtui::protocol::memory::Server;

use super::client::Client;
use super::desk::replace_dir;
use super::dovecot::User;
use super::invariants::{Copy, copy, of_maildir, of_memory};
use super::outside::Outside;
use super::seed::{Seed, number};

/// When the first seed arrived.
const T0: i64 = 1_750_000_000;
/// What no test has asked for yet.
const FOREIGN: &str = "a server of another make cannot be made to do that";
/// What every account of IMAP kind has.
const STANDARD: [&str; 5] = ["Archive", "Drafts", "Junk", "Sent", "Trash"];

pub enum Kind<'a> {
    Memory(Server),
    Dovecot(User<'a>),
    /// Looked at, and mail is put there.
    Foreign(Outside),
}

pub struct Room<'a> {
    pub protocol: Protocol,
    /// What may be delivered.
    pub seeds: Vec<Seed>,
    pub kind: Kind<'a>,
}

impl<'a> Room<'a> {
    pub fn new(protocol: Protocol, seeds: Vec<Seed>, kind: Kind<'a>) -> Self {
        assert!(seeds.len() < 10, "Dovecot is asked for `seed 1` by a piece of the subject");
        Self { protocol, seeds, kind }
    }

    /// The user of Dovecot.
    pub fn user(&self) -> &User<'a> {
        match &self.kind {
            Kind::Dovecot(user) => user,
            Kind::Memory(_) | Kind::Foreign(_) => panic!("no Dovecot is in this room"),
        }
    }

    /// Another client.
    pub fn client(&self) -> Client {
        match &self.kind {
            Kind::Memory(_) => panic!("a server in memory has no wire"),
            Kind::Dovecot(user) => Client::sign_in(user.account(Protocol::Imap, Tls::None).port, &user.name),
            Kind::Foreign(outside) => outside.client(),
        }
    }

    /// What it calls a folder.
    pub fn wire_name(&self, folder: &str) -> String {
        match &self.kind {
            Kind::Memory(_) => Self::wire(folder),
            Kind::Dovecot(_) => folder.to_owned(),
            Kind::Foreign(outside) => outside.wire_name(folder),
        }
    }

    fn wire(path: &str) -> String {
        path.replace('/', ".")
    }

    /// Of the server in memory.
    fn uids(server: &Server, folder: &str, seeds: &[u32]) -> Vec<u32> {
        let held = server.mails(&Self::wire(folder)).into_iter();
        let wanted = held.filter(|mail| number(&mail.source.bytes()).is_some_and(|n| seeds.contains(&n)));
        let uids: Vec<u32> = wanted.map(|mail| mail.uid).collect();
        assert_eq!(uids.len(), seeds.len(), "{seeds:?} in {folder}");
        uids
    }

    fn each(user: &User<'_>, verb: &[&str], rest: &[&str], folder: &str, seeds: &[u32]) {
        for n in seeds {
            user.doveadm(verb, &[rest, &["mailbox", folder, "SUBJECT", &format!("seed {n}")]].concat());
        }
    }

    /// These arrive.
    pub fn deliver(&self, folder: &str, seeds: &[u32]) {
        for n in seeds {
            let seed = self.seeds.iter().find(|seed| seed.n == *n).expect("there are seeds up to nine");
            match &self.kind {
                Kind::Memory(server) => {
                    let at = T0 + i64::from(seed.n);
                    server.deliver(&Self::wire(folder), seed.raw.clone(), Flags::NONE, at);
                }
                Kind::Dovecot(user) => user.deliver(folder, &seed.raw),
                Kind::Foreign(outside) => outside.deliver(folder, [&seed.raw]),
            }
        }
    }

    pub fn add_folder(&self, path: &str) {
        match &self.kind {
            Kind::Memory(server) => drop(server.add_folder(path, None)),
            Kind::Dovecot(user) => drop(user.doveadm(&["mailbox", "create"], &["-s", path])),
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }

    pub fn flag(&self, folder: &str, seeds: &[u32], delta: FlagDelta) {
        match &self.kind {
            Kind::Memory(server) => server.set_flags(folder, &Self::uids(server, folder, seeds), delta),
            Kind::Dovecot(user) => {
                for (verb, flags) in [("add", delta.add), ("remove", delta.del)] {
                    let names = flags.wire_names().collect::<Vec<_>>().join(" ");
                    if !names.is_empty() {
                        Self::each(user, &["flags", verb], &[&names], folder, seeds);
                    }
                }
            }
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }

    pub fn tag(&self, folder: &str, seeds: &[u32], tag: &str) {
        match &self.kind {
            Kind::Memory(server) => {
                server.set_keywords(folder, &Self::uids(server, folder, seeds), &[tag], &[]);
            }
            Kind::Dovecot(user) => Self::each(user, &["flags", "add"], &[tag], folder, seeds),
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }

    pub fn move_to(&self, from: &str, seeds: &[u32], to: &str) {
        match &self.kind {
            Kind::Memory(server) => {
                server.move_to(&Self::wire(from), &Self::wire(to), &Self::uids(server, from, seeds));
            }
            Kind::Dovecot(user) => Self::each(user, &["move"], &[to], from, seeds),
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }

    pub fn expunge(&self, folder: &str, seeds: &[u32]) {
        match &self.kind {
            Kind::Memory(server) => {
                server.expunge(&Self::wire(folder), &Self::uids(server, folder, seeds));
            }
            Kind::Dovecot(user) => Self::each(user, &["expunge"], &[], folder, seeds),
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }

    /// The server numbers a folder anew.
    pub fn renumber(&self, folder: &str) {
        match &self.kind {
            Kind::Memory(server) => server.bump_validity(&Self::wire(folder)),
            Kind::Dovecot(user) => {
                user.doveadm(&["mailbox", "update"], &["--uid-validity", "4000000", folder]);
            }
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }

    /// Every mail.
    pub fn there(&self) -> Vec<Copy> {
        let mut copies = match &self.kind {
            Kind::Memory(server) => of_memory(server),
            Kind::Dovecot(user) => {
                let of = |folder: &String| of_maildir(folder, &user.mails(folder), &user.keywords(folder));
                std::iter::once(&"INBOX".to_owned()).chain(&dirs(user)).flat_map(of).collect()
            }
            Kind::Foreign(outside) => {
                let mails = outside.all().into_iter();
                mails.filter_map(|(path, seen)| copy(&path, seen.flags, seen.keywords, &seen.raw)).collect()
            }
        };
        for copy in &mut copies {
            copy.folder = copy.folder.replace('.', "/");
            // A POP3 server marks what was taken as it likes.
            if self.protocol == Protocol::Pop3 {
                copy.flags = 0;
            }
        }
        copies.sort();
        copies
    }

    /// The paths of all folders; those that are not subscribed to in brackets. Where folders live here only: none.
    pub fn folders(&self) -> Vec<String> {
        if self.protocol == Protocol::Pop3 {
            return Vec::new();
        }
        let show = |path: &String, on: bool| if on { path.clone() } else { format!("({path})") };
        let mut all: Vec<String> = match &self.kind {
            Kind::Memory(server) => server.folders().iter().map(|f| show(&f.path, f.subscribed)).collect(),
            Kind::Dovecot(user) => {
                let file = user.maildir("INBOX").join("subscriptions");
                let text = fs::read_to_string(file).unwrap_or_default().replace('\t', "/");
                let mut all = dirs(user);
                // They are there before anybody uses them, and subscribed to.
                all.extend(STANDARD.map(str::to_owned));
                all.push("INBOX".to_owned());
                let usual = |path: &String| path == "INBOX" || STANDARD.contains(&path.as_str());
                all.iter()
                    .map(|path| show(path, usual(path) || text.lines().any(|line| line == path)))
                    .collect()
            }
            Kind::Foreign(outside) => {
                let on = outside.subscribed();
                let is_on = |path: &String| path == "INBOX" || on.contains(path);
                outside.folders().iter().map(|path| show(path, is_on(path))).collect()
            }
        };
        all.sort();
        all.dedup();
        all
    }

    /// What is in the room now is what [`reset`](Self::reset) brings back.
    pub fn keep(&self, dir: &Path) -> Option<Server> {
        match &self.kind {
            Kind::Memory(server) => Some(server.copy()),
            Kind::Dovecot(user) => {
                replace_dir(&user.maildir("INBOX"), dir);
                None
            }
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }

    pub fn reset(&self, dir: &Path, kept: Option<&Server>) {
        match &self.kind {
            Kind::Memory(server) => server.restore(kept.expect("it was kept")),
            Kind::Dovecot(user) => replace_dir(dir, &user.maildir("INBOX")),
            Kind::Foreign(_) => panic!("{FOREIGN}"),
        }
    }
}

/// The folders of a maildir, levels joined by `/`.
fn dirs(user: &User<'_>) -> Vec<String> {
    let entries = fs::read_dir(user.maildir("INBOX")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut dirs: Vec<String> =
        names.filter_map(|name| Some(name.strip_prefix('.')?.replace('.', "/"))).collect();
    dirs.sort();
    dirs
}
