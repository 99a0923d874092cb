//! The demo's world: two servers in memory, full of mail, and the mail that arrives while one looks.

use std::sync::Arc;

use jiff::Zoned;

use super::compose::Scribe;
use super::filler::Filler;
use super::letters::{self, Letter};
use crate::config::Protocol;
use crate::model::Flags;
use crate::protocol::memory::{Server, Source};

/// Every demo has the same mail.
const SEED: u64 = 0x5a17_3a54;

/// Two servers and what is still to come.
#[derive(Debug)]
pub struct World {
    /// The account `work`, of IMAP kind.
    pub work: Server,
    /// The account `home`, of POP3 kind.
    pub home: Server,
    /// How many mails there are in all.
    pub mails: u64,
    /// What is not new in the account `home`, by Message-ID: its server keeps no flags (POP3).
    pub home_state: Vec<HomeState>,
    scribe: Scribe,
    coming: std::vec::IntoIter<Letter>,
}

/// How a mail of the account `home` looks once its owner has been through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeState {
    /// Message-ID without its brackets.
    pub msgid: String,
    /// The folder it is in.
    pub folder: String,
    /// Its flags.
    pub flags: Flags,
}

impl World {
    /// A world as of `now` with about `messages` mails, the written ones always among them.
    #[must_use]
    pub fn new(now: &Zoned, messages: u64) -> Self {
        let (work, home) = (Server::new(Protocol::Imap), Server::new(Protocol::Pop3));
        for path in ["Lists/embedded", "Lists/tides"] {
            work.add_folder(path, None);
        }
        let mut scribe = Scribe::new(now.clone());
        let mut home_state = Vec::new();
        // Account, folder, source, flags, received: to be delivered oldest first.
        let mut mails: Vec<(&'static str, String, Source, Flags, i64)> = Vec::new();
        for (account, file) in [("work", letters::WORK), ("home", letters::HOME)] {
            for letter in letters::read(file) {
                let (raw, received) = scribe.write(&letter, account);
                if account == "home" {
                    home_state.push(state(&raw, &letter.folder, letter.flags));
                }
                mails.push((account, letter.folder, raw.into(), letter.flags, received));
            }
        }
        let count = messages.saturating_sub(mails.len() as u64);
        let filler = Arc::new(Filler::new(SEED, count, now.clone()));
        for number in 0..count {
            let slip = filler.slip(number);
            if slip.account == "home" {
                home_state.push(state(&filler.raw(number), slip.folder, slip.flags));
            }
            let make = Arc::clone(&filler);
            let source = Source::Made(Arc::new(move || make.raw(number)));
            mails.push((slip.account, slip.folder.to_owned(), source, slip.flags, slip.received));
        }
        mails.sort_by_key(|(_, _, _, _, received)| *received);
        let total = mails.len() as u64;
        for (account, folder, source, flags, received) in mails {
            if account == "work" {
                work.deliver(&folder, source, flags, received);
            } else {
                home.deliver("INBOX", source, Flags::NONE, received);
            }
        }
        let coming = letters::read(letters::NEW).into_iter();
        Self { work, home, mails: total, home_state, scribe, coming }
    }

    /// One more mail arrives. False when there is none left.
    pub fn arrive(&mut self, now: Zoned) -> bool {
        let Some(letter) = self.coming.next() else { return false };
        self.scribe.set_now(now);
        let (raw, received) = self.scribe.write(&letter, &letter.account);
        let server = if letter.account == "home" { &self.home } else { &self.work };
        server.deliver(&letter.folder, raw, letter.flags, received);
        true
    }
}

fn state(raw: &[u8], folder: &str, flags: Flags) -> HomeState {
    let text = String::from_utf8_lossy(raw);
    let msgid = text.split("Message-ID: <").nth(1).and_then(|rest| rest.split('>').next()).unwrap_or("");
    HomeState { msgid: msgid.to_owned(), folder: folder.to_owned(), flags }
}
