//! A mail server in memory, of POP3 or of IMAP kind: for the demo, for tests, and as the reference.
//!
//! It keeps the rules of its kind honestly (snapshots, UIDs, UIDVALIDITY, modification sequences,
//! DELE that counts at QUIT), so that what works here works on a real server. [`Server`] is the
//! server room: deliver, or act as "another client". [`Server::session`] is what `connect` is elsewhere.

mod apply;
mod labels;
mod mailbox;
mod pop3;
mod pull;
mod session;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use mailbox::{Held, Source};
use mailbox::{Mail, Mailbox};

use super::{FolderRef, MailProtocol, RemoteFolder, RemoteOp, Terms};
use crate::config::Protocol;
use crate::error::{Error, Kind, Result};
use crate::model::{About, FlagDelta, Flags, Role};
use crate::net::Interrupt;

/// What a session is about to do; lets a test count, fail or meddle at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// A client connects and signs in.
    Session,
    /// `folders()`.
    Folders,
    /// `pull()`.
    Pull,
    /// `pull()` is about to report one change.
    Change,
    /// `heads()` is about to bring one.
    Head,
    /// `fetch()`.
    Fetch,
    /// `fetch()` is about to bring one body.
    Body,
    /// `search()`.
    Search,
    /// `apply()`, before anything is done.
    Apply,
    /// `apply()`, after it was done: an error here is an answer that got lost.
    Applied,
    /// `mark()`.
    Mark,
    /// `find()`.
    Find,
    /// `append()`, before anything is done.
    Append,
    /// `append()`, after it was done: an error here is an answer that got lost.
    Appended,
    /// `wait()`.
    Wait,
    /// `keep_alive()`.
    KeepAlive,
    /// `finish()`, before anything is done.
    Finish,
    /// `finish()`, after it was done.
    Finished,
}

type Hook = Box<dyn FnMut(Call) -> Result<()> + Send>;

/// One mail server with one account. Clones are the same server.
#[derive(Clone)]
pub struct Server {
    state: Arc<Mutex<State>>,
    hook: Arc<Mutex<Option<Hook>>>,
}

#[derive(Clone)]
struct State {
    kind: Protocol,
    boxes: Vec<Mailbox>,
    next_validity: u32,
    next_mail: u64,
    /// Counts lost connections: a session of an earlier count is dead.
    epoch: u64,
    up: bool,
    condstore: bool,
    /// It says where an appended mail went, and keeps its bytes.
    faithful: bool,
    /// It has lasting names for its mails (UIDL).
    names: bool,
    /// Its folders are labels.
    labels: bool,
    about: About,
    terms: Terms,
    /// UIDLs of what was ever fetched over POP3.
    fetched: HashSet<String>,
    next_session: u64,
    bells: Vec<(u64, Interrupt)>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Server").field("kind", &state.kind).field("boxes", &state.boxes).finish()
    }
}

/// The folders that an account of IMAP kind starts with, beside INBOX.
const STANDARD: [Role; 5] = [Role::Drafts, Role::Sent, Role::Archive, Role::Junk, Role::Trash];

impl Server {
    /// An empty server. Of IMAP kind it has INBOX, Drafts, Sent, Archive, Junk and Trash; of POP3 kind
    /// one maildrop, which is called `INBOX` where a folder is asked for.
    #[must_use]
    pub fn new(kind: Protocol) -> Self {
        let mut state = State {
            kind,
            boxes: Vec::new(),
            next_validity: 1,
            next_mail: 1,
            epoch: 0,
            up: true,
            condstore: true,
            faithful: true,
            names: true,
            labels: false,
            about: About::default(),
            terms: Terms::default(),
            fetched: HashSet::new(),
            next_session: 1,
            bells: Vec::new(),
        };
        state.add_box("INBOX", Some(Role::Inbox));
        if kind == Protocol::Imap {
            for role in STANDARD {
                state.add_box(role.title(), Some(role));
            }
        }
        Self { state: Arc::new(Mutex::new(state)), hook: Arc::new(Mutex::new(None)) }
    }

    /// The same server without CONDSTORE (RFC 7162): differences are found by comparing.
    #[must_use]
    pub fn without_modseq(self) -> Self {
        self.lock().condstore = false;
        self
    }

    /// The same server without UIDPLUS (RFC 4315), which adds a header to what is put into its folders.
    #[must_use]
    pub fn unfaithful(self) -> Self {
        self.lock().faithful = false;
        self
    }

    /// The same server without UIDL (POP3): nothing can be deleted on it.
    #[must_use]
    pub fn nameless(self) -> Self {
        self.lock().names = false;
        self
    }

    /// From now on the server asks this of those who use it. One that shows a part of its mail at a time lists
    /// the first ten mails (POP3), and not those that were fetched in an earlier session.
    pub fn set_terms(&self, terms: Terms) {
        self.lock().terms = terms;
    }

    /// From now on the server tells this of itself.
    pub fn set_about(&self, about: About) {
        self.lock().about = about;
    }

    /// Connects and signs in. The interrupt ends a `wait` of the session.
    pub fn session(&self, interrupt: &Interrupt) -> Result<Box<dyn MailProtocol>> {
        self.call(Call::Session)?;
        if !self.lock().up {
            return Err(Error::new(Kind::Offline, "could not connect to the server in memory"));
        }
        let kind = self.lock().kind;
        Ok(match kind {
            Protocol::Imap => Box::new(session::Session::new(self, interrupt)?),
            Protocol::Pop3 | Protocol::Local => Box::new(pop3::Session::new(self)),
        })
    }

    /// Adds a folder with this path, levels joined by `/`; answers its name on the wire. One that is
    /// there already is left as it is.
    pub fn add_folder(&self, path: &str, role: Option<Role>) -> String {
        let remote = self.lock().add_box(path, role);
        self.tell();
        remote
    }

    /// Puts a mail into a folder (by its name on the wire); answers its UID.
    /// `received` is INTERNALDATE in Unix seconds. A folder that is not there is made.
    pub fn deliver(&self, folder: &str, raw: impl Into<Source>, flags: Flags, received: i64) -> u32 {
        let uid = self.lock().deliver(folder, raw.into(), flags, received);
        self.tell();
        uid
    }

    /// Another client changes flags. Mails that are not there are passed over, here and below.
    pub fn set_flags(&self, folder: &str, uids: &[u32], delta: FlagDelta) {
        self.lock().flag(folder, uids, delta, &[], &[]);
        self.tell();
    }

    /// Another client sets and clears keywords.
    pub fn set_keywords(&self, folder: &str, uids: &[u32], add: &[&str], del: &[&str]) {
        let owned = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        self.lock().flag(folder, uids, FlagDelta::default(), &owned(add), &owned(del));
        self.tell();
    }

    /// From now on the server keeps these keywords only in a folder, as some servers do.
    pub fn keep_only(&self, folder: &str, keywords: &[&str]) {
        self.change(folder, |there| {
            there.keeps = Some(keywords.iter().map(|&word| word.to_owned()).collect());
        });
    }

    /// Another client gives a folder (by its name on the wire) another path; answers its new name.
    pub fn rename(&self, folder: &str, path: &str) -> Result<String> {
        let op = RemoteOp::RenameFolder { folder: FolderRef::new(folder), path: path.to_owned() };
        let renamed = apply::carry_out(&mut self.lock(), &op);
        self.tell();
        renamed.map(|_| Mailbox::wire_name(path))
    }

    /// Another client removes a folder and the mail in it, but not one with folders beneath; says whether.
    pub fn remove(&self, folder: &str) -> bool {
        let removed = self.lock().remove(folder);
        self.tell();
        removed
    }

    /// Another client subscribes to a folder, or unsubscribes.
    pub fn subscribe(&self, folder: &str, on: bool) {
        self.change(folder, |there| there.subscribed = on);
    }

    /// Whether a folder is there, and subscribed to.
    #[must_use]
    pub fn is_subscribed(&self, folder: &str) -> Option<bool> {
        self.lock().mailbox(folder).map(|there| there.subscribed)
    }

    /// Another client removes mails for good.
    pub fn expunge(&self, folder: &str, uids: &[u32]) {
        self.lock().expunge(folder, uids);
        self.tell();
    }

    /// Another client moves mails; answers their new UIDs.
    pub fn move_to(&self, from: &str, to: &str, uids: &[u32]) -> Vec<u32> {
        let moved = self.lock().transfer(from, to, uids, true);
        self.tell();
        moved.into_iter().map(|(_, new)| new).collect()
    }

    /// Another client copies mails; answers their new UIDs.
    pub fn copy_to(&self, from: &str, to: &str, uids: &[u32]) -> Vec<u32> {
        let copied = self.lock().transfer(from, to, uids, false);
        self.tell();
        copied.into_iter().map(|(_, new)| new).collect()
    }

    /// The server loses its index: a new UIDVALIDITY, and every mail gets a new UID, in the same order.
    pub fn bump_validity(&self, folder: &str) {
        {
            let mut state = self.lock();
            let validity = state.next_validity;
            state.next_validity += 1;
            if let Some(there) = state.mailbox(folder) {
                there.renumber(validity);
            }
        }
        self.tell();
    }

    /// Every open session loses its connection; new ones can be made.
    pub fn cut(&self) {
        self.lock().epoch += 1;
        self.tell();
    }

    /// Whether new sessions can be made; going down cuts the open ones.
    pub fn set_up(&self, up: bool) {
        self.lock().up = up;
        if !up {
            self.cut();
        }
    }

    /// Calls `hook` before each step of each session; an error from it is what the session answers.
    /// The hook may act on the server, but must not open sessions. `None` before the first.
    pub fn on_call(&self, hook: impl FnMut(Call) -> Result<()> + Send + 'static) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }

    /// What the server holds in a folder, in the order of arrival; empty where there is no such folder.
    #[must_use]
    pub fn mails(&self, folder: &str) -> Vec<Held> {
        self.lock().mailbox(folder).map(|there| there.held()).unwrap_or_default()
    }

    /// How many mails are in a folder.
    #[must_use]
    pub fn count(&self, folder: &str) -> usize {
        self.lock().mailbox(folder).map_or(0, |there| there.len())
    }

    /// The names of the folders on the wire.
    #[must_use]
    pub fn folder_names(&self) -> Vec<String> {
        self.lock().boxes.iter().map(|b| b.remote.clone()).collect()
    }

    /// What the server tells of its folders, as a client lists them.
    #[must_use]
    pub fn folders(&self) -> Vec<RemoteFolder> {
        let state = self.lock();
        state.boxes.iter().map(|b| b.tell(state.condstore)).collect()
    }

    /// Another server in the state in which this one is now, without its sessions.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = State { bells: Vec::new(), ..self.lock().clone() };
        Self { state: Arc::new(Mutex::new(state)), hook: Arc::default() }
    }

    /// Puts the server into the state in which another is; every open session loses its connection.
    pub fn restore(&self, from: &Self) {
        let from = from.lock().clone();
        let mut state = self.lock();
        let (epoch, next_session, bells) = (state.epoch + 1, state.next_session, state.bells.clone());
        *state = State { epoch, next_session, bells, ..from };
        drop(state);
        self.tell();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, folder: &str, act: impl FnOnce(&mut Mailbox)) {
        if let Some(there) = self.lock().mailbox(folder) {
            act(there);
        }
        self.tell();
    }

    /// Wakes every session; each finds out for itself whether its folder changed.
    fn tell(&self) {
        for (_, bell) in &self.lock().bells {
            bell.ring();
        }
    }

    fn call(&self, call: Call) -> Result<()> {
        let mut hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        hook.as_mut().map_or(Ok(()), |hook| hook(call))
    }

    /// What a session of this epoch may do: an error once its connection was cut.
    fn alive(&self, epoch: u64) -> Result<()> {
        if self.lock().epoch == epoch {
            return Ok(());
        }
        Err(Error::new(Kind::Offline, "the server in memory closed the connection"))
    }
}

impl State {
    fn mailbox(&mut self, remote: &str) -> Option<&mut Mailbox> {
        self.boxes.iter_mut().find(|b| b.is_named(remote))
    }

    /// The folder of this path or name on the wire, made where it is missing.
    fn add_box(&mut self, path: &str, role: Option<Role>) -> String {
        let remote = Mailbox::wire_name(path);
        if let Some(there) = self.boxes.iter().find(|b| b.is_named(&remote)) {
            return there.remote.clone();
        }
        let mailbox = Mailbox::new(remote.clone(), path.replace('.', "/"), role, self.next_validity);
        self.next_validity += 1;
        self.boxes.push(mailbox);
        remote
    }

    /// Removes a folder with its mail if it is not INBOX and there is none beneath it; says whether.
    fn remove(&mut self, folder: &str) -> bool {
        let beneath = format!("{folder}.");
        let may_go = folder != "INBOX" && !self.boxes.iter().any(|b| b.remote.starts_with(&beneath));
        let before = self.boxes.len();
        self.boxes.retain(|b| !may_go || b.remote != folder);
        self.boxes.len() < before
    }

    fn deliver(&mut self, folder: &str, source: Source, flags: Flags, received: i64) -> u32 {
        let remote = self.add_box(folder, None);
        let mail = Mail::new(source, flags, received, self.next_mail);
        self.next_mail += 1;
        let uid = self.mailbox(&remote).map_or(0, |there| there.add(mail.clone()));
        self.keep_in_all(&remote, &mail);
        uid
    }

    /// Removes mails for good; where folders are labels it may be from this one only.
    fn expunge(&mut self, folder: &str, uids: &[u32]) {
        let taken = self.mailbox(folder).map(|there| there.take(uids)).unwrap_or_default();
        for (_, mail) in taken {
            self.keep_in_all(folder, &mail);
        }
    }

    /// Changes flags and keywords.
    fn flag(&mut self, folder: &str, uids: &[u32], delta: FlagDelta, add: &[String], del: &[String]) {
        let Some(there) = self.mailbox(folder) else { return };
        let kept: Vec<String> =
            add.iter().filter(|word| !there.unkept(add).contains(word)).cloned().collect();
        there.flag(uids, delta, &kept, del);
        if self.labels {
            self.flag_copies(folder, uids);
        }
    }

    /// Moves or copies; old and new UIDs in pairs. Nothing where one of the folders is missing.
    fn transfer(&mut self, from: &str, to: &str, uids: &[u32], take: bool) -> Vec<(u32, u32)> {
        if self.mailbox(to).is_none() {
            return Vec::new();
        }
        if self.labels {
            return self.relabel(from, to, uids, take);
        }
        let Some(source) = self.mailbox(from) else { return Vec::new() };
        let mails = if take { source.take(uids) } else { source.copies(uids) };
        let Some(target) = self.mailbox(to) else { return Vec::new() };
        mails.into_iter().map(|(uid, mail)| (uid, target.add(mail))).collect()
    }
}
