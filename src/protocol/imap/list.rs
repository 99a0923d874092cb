//! The folders of an account, in as few round trips as the server allows (RFC 9051 section 6.3.9,
//! RFC 5258, RFC 5819, RFC 6154).

use std::collections::{HashMap, HashSet};

use super::Session;
use super::answer::{Answer, Verdict};
use super::command::Command;
use super::link::{Link, deaf};
use super::names::{self, plain};
use super::object;
use super::reply::{Counted, Listed, Reply};
use super::roles;
use super::root::{Root, guess, wire_name};
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::{Cursor, Role};
use crate::protocol::RemoteFolder;

/// More folders than this are not believed, nor more lines or bytes about them.
const MOST: usize = 50_000;
const LINES: usize = 4 * MOST;
const BYTES: usize = 16 << 20;
/// Longer names are passed over.
pub(super) const NAME: usize = 4096;

/// What the server told of one folder in passing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) messages: Option<u32>,
    pub(super) cursor: Option<Cursor>,
}

/// What the server told of its folders.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) listed: Vec<Listed>,
    subscribed: HashSet<Vec<u8>>,
    counted: HashMap<Vec<u8>, Counted>,
    pub(super) namespace: Option<Root>,
    /// What the names of others begin with, where nothing is said of the user's own.
    pub(super) foreign: Vec<Vec<u8>>,
    /// Folders are labels.
    labels: bool,
    bytes: usize,
    lines: usize,
}

impl Listing {
    pub(super) fn hear(&mut self, reply: Reply) -> Result<Option<Reply>> {
        let (name, beside) = match &reply {
            Reply::List(folder) => {
                (&folder.name[..], folder.attributes.iter().map(|a| a.len() + size_of::<String>()).sum())
            }
            Reply::Status(counts) => (&counts.name[..], 0),
            Reply::Namespace { own, foreign } => {
                (own.as_ref().map_or(&[][..], |(prefix, _)| prefix), foreign.iter().map(Vec::len).sum())
            }
            _ => return Ok(Some(reply)),
        };
        self.lines += 1;
        self.bytes += name.len() + beside;
        if self.lines > LINES || self.bytes > BYTES {
            return Err(Error::new(Kind::Protocol, "the server's list of folders does not end"));
        }
        if name.len() > NAME {
            return Ok(None);
        }
        match reply {
            Reply::List(folder) if folder.lsub => {
                self.subscribed.insert(folder.name);
            }
            Reply::List(folder) => self.listed.push(folder),
            Reply::Status(counts) => {
                self.counted.insert(plain(&counts.name), counts);
            }
            Reply::Namespace { own, foreign } => match own {
                Some((prefix, delimiter)) => self.namespace = Some(Root { prefix, delimiter, foreign }),
                None => self.foreign = foreign,
            },
            other => return Ok(Some(other)),
        }
        let count = self.listed.len().max(self.subscribed.len()).max(self.counted.len());
        if count > MOST {
            return Err(Error::new(Kind::Protocol, format!("the server lists over {MOST} folders")));
        }
        Ok(None)
    }
}

impl Session {
    /// Every folder, with what can be told of each in passing.
    pub(super) fn list(&mut self) -> Result<Vec<RemoteFolder>> {
        let offers = &self.link.state.offers;
        let mut told = Listing::default();
        self.link.state.counted.clear();
        self.elsewhere.clear();
        if self.root.is_none() && offers.has("NAMESPACE") {
            // Answered on the way to the answer of LIST.
            self.link.send(&Command::new("NAMESPACE"))?;
        }
        self.ask_room()?;
        let offers = &self.link.state.offers;
        let extended = offers.has("LIST-EXTENDED") || offers.has("LIST-STATUS") || offers.has("IMAP4REV2");
        let listed = if extended { self.list_extended(&mut told)? } else { None };
        let listed = match listed {
            Some(answer) => answer,
            None => self.list_plainly(&mut told)?,
        };
        if listed.verdict != Verdict::Ok {
            return Err(trouble::refused("the server does not list its folders", &listed));
        }
        if self.link.state.offers.has_modseq() && !self.tells_status() {
            self.ask_states(&mut told)?;
        }
        let foreign = std::mem::take(&mut told.foreign);
        let root = told
            .namespace
            .take()
            .or_else(|| self.root.take())
            .unwrap_or_else(|| guess(&told.listed, foreign));
        told.labels = self.link.state.offers.has(object::LABELS);
        let folders = folders(&root, told, &self.roles);
        self.root = Some(root);
        let told = |f: &RemoteFolder| Told { messages: f.messages, cursor: f.cursor };
        self.told = folders.iter().map(|f| (f.remote.clone(), told(f))).collect();
        Ok(folders)
    }

    /// One LIST for everything; `None` where the server does not know it after all.
    fn list_extended(&mut self, told: &mut Listing) -> Result<Option<Answer>> {
        let offers = &self.link.state.offers;
        let mut returns = vec!["SUBSCRIBED"];
        if offers.has("SPECIAL-USE") || offers.has("IMAP4REV2") {
            returns.push("SPECIAL-USE");
        }
        if self.tells_status() {
            returns.push(match offers.has_modseq() {
                true => "STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ",
                false => "STATUS (MESSAGES UIDNEXT UIDVALIDITY",
            });
            returns.push(if offers.has("OBJECTID") { "MAILBOXID)" } else { ")" });
        }
        let returns = returns.join(" ").replace(" )", ")");
        let command = Command::new(format!("LIST \"\" \"*\" RETURN ({returns})"));
        let tag = self.link.send(&command)?;
        let mut hear = |reply: Reply| told.hear(reply);
        let answer = self.link.answer(&tag, &mut hear)?;
        for folder in &told.listed {
            if folder.is("\\subscribed") {
                told.subscribed.insert(folder.name.clone());
            }
        }
        let failed = answer.verdict == Verdict::Bad;
        if failed {
            told.listed.clear();
            (told.lines, told.bytes) = (0, 0);
        }
        Ok((!failed).then_some(answer))
    }

    /// LIST and LSUB, side by side.
    fn list_plainly(&mut self, told: &mut Listing) -> Result<Answer> {
        let list = self.link.send(&Command::new("LIST \"\" \"*\""))?;
        let lsub = self.link.send(&Command::new("LSUB \"\" \"*\""))?;
        let mut hear = |reply: Reply| told.hear(reply);
        let answer = self.link.answer(&list, &mut hear)?;
        if self.link.answer(&lsub, &mut hear)?.verdict != Verdict::Ok {
            // Without subscriptions every folder counts as one.
            let all: Vec<_> = told.listed.iter().map(|folder| folder.name.clone()).collect();
            told.subscribed.extend(all);
        }
        Ok(answer)
    }

    /// Makes a folder and subscribes to it; its key. One that is there already is fine.
    pub(super) fn create(&mut self, path: &str) -> Result<String> {
        let name = wire_name(path, &self.root()?)?;
        make(&mut self.link, &name)?;
        Ok(names::key(&name))
    }
}

/// Makes a folder of this name on the wire and subscribes to it.
pub(super) fn make(link: &mut Link, name: &[u8]) -> Result<()> {
    let create = link.send(&Command::new("CREATE").mailbox(name))?;
    let subscribe = link.send(&Command::new("SUBSCRIBE").mailbox(name))?;
    let answer = link.answer(&create, &mut deaf)?;
    let subscribed = link.answer(&subscribe, &mut deaf)?;
    if answer.verdict != Verdict::Ok && !answer.says("ALREADYEXISTS") {
        // Few servers say so by a code: look.
        let there = listed(link, name)?.is_some();
        if !there {
            return Err(trouble::refused("the server does not make the folder", &answer));
        }
    }
    if subscribed.verdict != Verdict::Ok {
        tracing::info!("a new folder could not be subscribed to");
    }
    Ok(())
}

/// The folder of this name on the wire as the server lists it, if it does.
pub(super) fn listed(link: &mut Link, name: &[u8]) -> Result<Option<Listed>> {
    let mut there = None;
    let command = Command::new("LIST \"\"").mailbox(name);
    link.ask("the server does not list its folders", &command, &mut |reply| match reply {
        Reply::List(found) => {
            if plain(&found.name) == plain(name) && !found.is("\\nonexistent") {
                there = Some(found);
            }
            Ok(None)
        }
        other => Ok(Some(other)),
    })?;
    Ok(there)
}

fn folders(root: &Root, told: Listing, own: &[(Role, String)]) -> Vec<RemoteFolder> {
    let Listing { listed, subscribed, counted, labels, .. } = told;
    let mut names_seen = HashSet::new();
    let listed: Vec<Listed> = listed
        .into_iter()
        // A NUL cannot be said in a command.
        .filter(|folder| !folder.name.is_empty() && !folder.name.contains(&0))
        .filter(|folder| !folder.is("\\nonexistent") || folder.is("\\haschildren"))
        .filter(|folder| names_seen.insert(plain(&folder.name)))
        .collect();
    let mut paths = HashSet::new();
    let mut folders: Vec<RemoteFolder> = listed
        .iter()
        .map(|folder| {
            let delimiter = folder.delimiter.or(root.delimiter);
            let mut path = names::path(&folder.name, delimiter, &root.prefix);
            if !paths.insert(path.clone()) {
                path = names::path(&folder.name, delimiter, b"");
                paths.insert(path.clone());
            }
            let counts = counted.get(&plain(&folder.name));
            let inbox = names::is_inbox(&folder.name);
            RemoteFolder {
                remote: names::key(&plain(&folder.name)),
                path,
                role: None,
                selectable: !folder.is("\\noselect") && !folder.is("\\nonexistent"),
                subscribed: inbox || subscribed.contains(&folder.name),
                messages: counts.and_then(|counts| counts.messages),
                cursor: counts.and_then(cursor),
                object_id: counts.and_then(|counts| counts.object_id.clone()),
            }
        })
        .collect();
    // Where one name is none, none is believed.
    if folders.iter().filter_map(|folder| folder.object_id.as_deref()).any(|id| !object::is_one(id)) {
        folders.iter_mut().for_each(|folder| folder.object_id = None);
    }
    let theirs: Vec<bool> = listed.iter().map(|folder| root.is_foreign(&folder.name)).collect();
    roles::give(&mut folders, (&listed, &theirs), own, labels);
    folders
}

fn cursor(counts: &Counted) -> Option<Cursor> {
    Some(Cursor {
        validity: counts.validity?,
        uidnext: counts.uidnext?,
        modseq: counts.modseq.unwrap_or(0),
        backfill: counts.uidnext?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::imap::reply::read;

    fn told(lines: &[&str]) -> Listing {
        let mut told = Listing::default();
        for line in lines {
            told.hear(read(line.as_bytes())).unwrap();
        }
        told
    }

    #[test]
    fn names_that_are_paths_or_twice_are_kept_apart() {
        let told = told(&[
            "* LIST () \".\" inbox",
            "* LIST (\\Noselect \\HasChildren) \".\" \"INBOX.x\"",
            "* LIST () \".\" \"INBOX.../../etc/passwd\"",
            "* LIST () \".\" INBOX.INBOX",
            "* LIST () \".\" INBOX.INBOX",
            "* LIST () \".\" {3}\r\na\0b",
            "* LIST () \".\" {4}\r\na\r\nb",
            "* LIST (\\NonExistent) \".\" gone",
            "* LIST (\\Sent) \".\" INBOX.Outbox",
            "* LIST () \".\" INBOX.Sent",
            "* LIST () \".\" \"INBOX.Entw&APw-rfe\"",
            "* STATUS Inbox (MESSAGES 3 UIDNEXT 7 UIDVALIDITY 1 HIGHESTMODSEQ 9)",
        ]);
        let root = Root { prefix: b"INBOX.".to_vec(), delimiter: Some(b'.'), ..Root::default() };
        let found = folders(&root, told, &[]);
        let rows: Vec<_> =
            found.iter().map(|f| (f.remote.as_str(), f.path.as_str(), f.role, f.selectable)).collect();
        assert_eq!(
            rows,
            [
                ("INBOX", "INBOX", Some(Role::Inbox), true),
                ("INBOX.x", "x", None, false),
                ("INBOX.../../etc/passwd", "//\u{2215}//\u{2215}etc\u{2215}passwd", None, true),
                ("INBOX.INBOX", "INBOX/INBOX", None, true),
                ("a\r\nb", "a\r\nb", None, true),
                ("INBOX.Outbox", "Outbox", Some(Role::Sent), true),
                ("INBOX.Sent", "Sent", None, true),
                ("INBOX.Entw&APw-rfe", "Entwürfe", Some(Role::Drafts), true),
            ]
        );
        assert_eq!(found[0].cursor, Some(Cursor { validity: 1, uidnext: 7, modseq: 9, backfill: 7 }));
        assert_eq!(found[0].messages, Some(3));
    }

    #[test]
    fn i10_what_the_user_says_of_a_folder_goes_before_what_the_server_says() {
        let told = told(&[
            "* LIST () \".\" INBOX",
            "* LIST (\\Sent) \".\" INBOX.Sent",
            "* LIST () \".\" \"INBOX.Entw&APw-rfe\"",
            "* LIST (\\Noselect) \".\" INBOX.Papierkorb",
            "* LIST () \".\" INBOX.Post.Gesendet",
        ]);
        let root = Root { prefix: b"INBOX.".to_vec(), delimiter: Some(b'.'), ..Root::default() };
        let own = [
            (Role::Sent, "Post/Gesendet".to_owned()),
            (Role::Archive, "INBOX.Entw&APw-rfe".to_owned()),
            (Role::Trash, "Papierkorb".to_owned()),
            (Role::Junk, "Nowhere".to_owned()),
        ];
        let found = folders(&root, told, &own);
        let roles: Vec<_> = found.iter().map(|f| (f.path.as_str(), f.role)).collect();
        assert_eq!(
            roles,
            [
                ("INBOX", Some(Role::Inbox)),
                ("Sent", None),
                ("Entwürfe", Some(Role::Archive)),
                ("Papierkorb", None),
                ("Post/Gesendet", Some(Role::Sent)),
            ]
        );
    }

    #[test]
    fn i11_a_label_that_is_called_archive_is_none() {
        let lines =
            ["* LIST () \"/\" INBOX", "* LIST (\\All) \"/\" \"[Gmail]/All Mail\"", "* LIST () \"/\" Archive"];
        let root = Root { prefix: Vec::new(), delimiter: Some(b'/'), ..Root::default() };
        let own = [(Role::Archive, "Archive".to_owned())];
        let archive = |labels, own: &[(Role, String)]| {
            let found = folders(&root, Listing { labels, ..told(&lines) }, own);
            assert_eq!(found[1].role, Some(Role::All));
            found[2].role
        };
        assert_eq!(archive(true, &[]), None);
        assert_eq!(archive(true, &own), Some(Role::Archive));
        assert_eq!(archive(false, &[]), Some(Role::Archive));
    }

    #[test]
    fn i10_what_others_have_is_listed_under_its_prefix_and_is_nobodys_sent_or_trash() {
        let told = told(&[
            "* NAMESPACE ((\"\" \"/\")) ((\"user/\" \"/\")) ((\"Drafts/\" \"/\"))",
            "* LIST () \"/\" INBOX",
            "* LIST (\\Noselect) \"/\" user",
            "* LIST (\\Sent) \"/\" user/bob/Sent",
            "* LIST (\\Trash) \"/\" \"Drafts/Bin\"",
            "* LIST () \"/\" Drafts",
            "* LIST () \"/\" Sent",
            "* LIST () \"/\" users",
        ]);
        let root = told.namespace.clone().unwrap();
        let found = folders(&root, told, &[]);
        let rows: Vec<_> = found.iter().map(|f| (f.path.as_str(), f.role, f.selectable)).collect();
        assert_eq!(
            rows,
            [
                ("INBOX", Some(Role::Inbox), true),
                ("user", None, false),
                ("user/bob/Sent", None, true),
                ("Drafts/Bin", None, true),
                ("Drafts", None, true),
                ("Sent", Some(Role::Sent), true),
                ("users", None, true),
            ]
        );
        // A server that calls all of it foreign, the user's own included, is not believed.
        let all =
            Root { prefix: b"INBOX.".to_vec(), foreign: vec![b"INBOX.".to_vec()], delimiter: Some(b'.') };
        assert!(!all.is_foreign(b"INBOX.Sent") && !all.is_foreign(b"inbox"));
    }
}
