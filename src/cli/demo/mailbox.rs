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
    /// The flags of what is not new in the account `home`, by Message-ID without brackets: its server
    /// keeps none (POP3).
    pub home_flags: Vec<(String, Flags)>,
    /// What was sent from the account `home`, and when: no server has it.
    pub home_sent: Vec<(Vec<u8>, i64)>,
    scribe: Scribe,
    coming: std::vec::IntoIter<Letter>,
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
        let (mut home_flags, mut home_sent) = (Vec::new(), Vec::new());
        // Account, folder, source, flags, received: to be delivered oldest first.
        let mut mails: Vec<(&'static str, String, Source, Flags, i64)> = Vec::new();
        for (account, file) in [("work", letters::WORK), ("home", letters::HOME)] {
            for letter in letters::read(file) {
                let (raw, received) = scribe.write(&letter, account);
                if account == "home" && letter.folder == "Sent" {
                    home_sent.push((raw, received));
                    continue;
                }
                if account == "home" {
                    home_flags.push((msgid(&raw), letter.flags));
                }
                mails.push((account, letter.folder, raw.into(), letter.flags, received));
            }
        }
        let count = messages.saturating_sub((mails.len() + home_sent.len()) as u64);
        let filler = Arc::new(Filler::new(SEED, count, now.clone()));
        for number in 0..count {
            let slip = filler.slip(number);
            if slip.account == "home" && slip.folder == "Sent" {
                home_sent.push((filler.raw(number), slip.received));
                continue;
            }
            if slip.account == "home" {
                home_flags.push((msgid(&filler.raw(number)), slip.flags));
            }
            let make = Arc::clone(&filler);
            let source = Source::Made(Arc::new(move || make.raw(number)));
            mails.push((slip.account, slip.folder.to_owned(), source, slip.flags, slip.received));
        }
        mails.sort_by_key(|(_, _, _, _, received)| *received);
        let total = (mails.len() + home_sent.len()) as u64;
        for (account, folder, source, flags, received) in mails {
            if account == "work" {
                work.deliver(&folder, source, flags, received);
            } else {
                home.deliver("INBOX", source, Flags::NONE, received);
            }
        }
        let coming = letters::read(letters::NEW).into_iter();
        Self { work, home, mails: total, home_flags, home_sent, scribe, coming }
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

fn msgid(raw: &[u8]) -> String {
    crate::mime::envelope(crate::mime::header_block(raw)).msgid
}
