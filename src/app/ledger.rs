//! What waits (promise A2): the accounts with their health, and entries by pages, never all at once.

use super::action::Motion;
use super::overlay::Yes;
use super::press::stepped;
use super::scope::Focus;
use super::triage::Deed;
use super::{App, Overlay, Question};
use crate::error::Result;
use crate::model::{AccountId, Intent, Matter, Reach, Settle, Summary};
use crate::store::{Bookmark, Entry, Health, MaildropRow, Reader, Standing, Waiting};
use crate::text::Clean;

/// Entries read at once, and pages held at most.
const PAGE: usize = 100;
const PAGES: usize = 3;
/// Pages that one key reads at most.
const SLIDES: usize = 10;
/// Mails of an entry that its details tell.
const MAILS: usize = 50;

/// Where a page begins: behind a place in an account.
type Start = (usize, Option<Bookmark>);

/// An account on the page.
#[derive(Debug)]
pub struct Fare {
    /// How it fares.
    pub health: Health,
    /// How much of it waits.
    pub waiting: Waiting,
    /// What its server still holds, if it is a maildrop that was looked at (promise P14).
    pub drop: Option<MaildropRow>,
}

/// The page of what waits, while it is open.
#[derive(Debug)]
pub struct Ledger {
    /// How each account fares, in the order of the folder pane.
    pub accounts: Vec<Fare>,
    /// The entries that are held: some pages around the cursor.
    pub entries: Vec<Entry>,
    /// The line under the cursor: an account, or behind them an entry that is held.
    pub at: usize,
    /// Whether the details of the line under the cursor are shown.
    pub details: bool,
    /// The mails of the entry under the cursor, where its details are shown.
    pub mails: Vec<Summary>,
    /// Who is to get the mail under the cursor, where its details are shown: address, state, the server's words.
    pub people: Vec<(String, String, String)>,
    /// The maildrop whose details are shown, and when the oldest mail came that is still there.
    pub oldest: Option<(AccountId, Option<i64>)>,
    /// The pane that had the keys before.
    from: Focus,
    /// Where each page begins, as far as it was gone.
    starts: Vec<Start>,
    /// The page that is the first held one.
    first: usize,
    /// Whether there is nothing behind what is held.
    at_end: bool,
}

impl Ledger {
    fn open(db: &Reader, order: &[AccountId], from: Focus) -> Result<Self> {
        let mut ledger = Self {
            accounts: Vec::new(),
            entries: Vec::new(),
            at: 0,
            details: false,
            mails: Vec::new(),
            people: Vec::new(),
            oldest: None,
            from,
            starts: vec![(0, None)],
            first: 0,
            at_end: false,
        };
        ledger.refresh(db, order)?;
        // What waits for the user is what one comes here for.
        if !ledger.entries.is_empty() {
            ledger.at = ledger.accounts.len();
        }
        Ok(ledger)
    }

    /// The entry under the cursor.
    #[must_use]
    pub fn entry(&self) -> Option<&Entry> {
        self.entries.get(self.at.checked_sub(self.accounts.len())?)
    }

    /// The account under the cursor.
    #[must_use]
    pub fn account(&self) -> Option<&Fare> {
        self.accounts.get(self.at)
    }

    /// Whose line is under the cursor.
    pub(super) fn account_at_hand(&self) -> Option<AccountId> {
        self.account().map(|fare| fare.health.id).or_else(|| self.entry().map(|entry| entry.account))
    }

    /// How many entries there are in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.accounts.iter().map(|fare| entries_of(&fare.waiting)).sum()
    }

    /// How many entries stand before the first one that is held.
    #[must_use]
    pub fn before(&self) -> usize {
        self.first * PAGE
    }

    /// Reads everything held anew; the cursor stays on what it was on, where that still waits.
    fn refresh(&mut self, db: &Reader, order: &[AccountId]) -> Result<()> {
        let was = self.entry().map(|entry| entry.matter);
        let index = self.at.checked_sub(self.accounts.len()).filter(|_| !self.accounts.is_empty());
        let mut all = db.health()?;
        all.sort_by_key(|h| order.iter().position(|id| *id == h.id).unwrap_or(usize::MAX));
        let fare = |health: Health| -> Result<Fare> {
            let (waiting, drop) = (db.waiting(health.id)?, db.maildrop(health.id)?);
            Ok(Fare { health, waiting, drop })
        };
        self.accounts = all.into_iter().map(fare).collect::<Result<_>>()?;
        let held = self.entries.len().div_ceil(PAGE).clamp(1, PAGES);
        self.starts.truncate(self.first + 1);
        self.read(db, held)?;
        if self.entries.is_empty() && self.first > 0 {
            (self.first, self.starts) = (0, vec![(0, None)]);
            self.read(db, held)?;
        }
        if let Some(index) = index {
            let found = was.and_then(|was| self.entries.iter().position(|entry| entry.matter == was));
            self.at = self.accounts.len() + found.unwrap_or(index);
        }
        self.at = self.at.min(self.last());
        self.read_details(db)
    }

    /// Reads so many pages from the first held one.
    fn read(&mut self, db: &Reader, pages: usize) -> Result<()> {
        (self.entries, self.at_end) = (Vec::new(), false);
        for page in self.first..self.first + pages {
            if !self.read_page(db, page)? {
                break;
            }
        }
        Ok(())
    }

    /// Adds a page behind those held. Says whether there is more behind it.
    fn read_page(&mut self, db: &Reader, page: usize) -> Result<bool> {
        let Some(&(mut account, mut after)) = self.starts.get(page) else { return Ok(false) };
        let mut room = PAGE;
        while room > 0 && account < self.accounts.len() {
            let more = db.ledger(self.accounts[account].health.id, after, room)?;
            room -= more.len();
            (account, after) = match more.last() {
                Some(last) if room == 0 => (account, Some(last.bookmark())),
                _ => (account + 1, None),
            };
            self.entries.extend(more);
        }
        self.at_end = room > 0;
        if !self.at_end && self.starts.len() == page + 1 {
            self.starts.push((account, after));
        }
        Ok(!self.at_end)
    }

    fn last(&self) -> usize {
        (self.accounts.len() + self.entries.len()).saturating_sub(1)
    }

    fn go(&mut self, db: &Reader, motion: Motion, height: usize) -> Result<()> {
        let accounts = self.accounts.len();
        let here = if self.at < accounts { self.at } else { self.at + self.before() };
        let there = stepped(here, motion, height, usize::MAX / 2);
        let entry = there.saturating_sub(accounts);
        if there < accounts || entry < self.before() {
            // Where each page before this one begins is known.
            self.first = if there < accounts { 0 } else { entry / PAGE };
            self.read(db, PAGES)?;
        }
        // A far jump stops at what can be read in no time: the next one goes on from there.
        for _ in 0..SLIDES {
            if self.at_end || entry < self.before() + self.entries.len() {
                break;
            }
            self.slide_down(db)?;
        }
        self.at = if there < accounts { there } else { (there - self.before()).min(self.last()) };
        self.read_details(db)
    }

    fn slide_down(&mut self, db: &Reader) -> Result<()> {
        let next = self.first + self.entries.len().div_ceil(PAGE);
        self.read_page(db, next)?;
        if self.entries.len() > PAGES * PAGE {
            self.entries.drain(..PAGE);
            self.first += 1;
        }
        Ok(())
    }

    fn read_details(&mut self, db: &Reader) -> Result<()> {
        self.mails = match self.entry() {
            Some(entry) if self.details => db.matter_mails(entry.matter, MAILS)?,
            _ => Vec::new(),
        };
        self.people = match self.entry().map(|entry| entry.matter) {
            Some(Matter::Outgoing(id)) if self.details => db.recipients(id)?,
            _ => Vec::new(),
        };
        let account = self.account().filter(|fare| self.details && fare.drop.is_some()).map(|f| f.health.id);
        // It takes a look at every mail of the account: once is enough.
        if account != self.oldest.map(|(of, _)| of) {
            self.oldest = account.map(|of| db.oldest_there(of).map(|at| (of, at))).transpose()?;
        }
        Ok(())
    }
}

/// How many entries an account has.
fn entries_of(waiting: &Waiting) -> u64 {
    waiting.queued
        + waiting.conflicts
        + waiting.parked
        + waiting.outgoing
        + waiting.unsure
        + u64::from(waiting.deletions > 0)
}

impl App {
    /// Opens the page of what waits.
    pub(super) fn open_ledger(&mut self) {
        let opened = Ledger::open(&self.db, &self.account_order(), self.focus);
        if let Some(ledger) = self.told(opened) {
            self.ledger = Some(ledger);
            self.focus = Focus::Ledger;
        }
    }

    /// The same, on the first mail on its way out, with what became of each recipient.
    pub(super) fn open_outbox(&mut self) {
        self.open_ledger();
        let Some(ledger) = &mut self.ledger else { return };
        let first = ledger.entries.iter().position(|entry| matches!(entry.matter, Matter::Outgoing(_)));
        let Some(first) = first else {
            return self.say("The outbox is empty");
        };
        ledger.at = ledger.accounts.len() + first;
        ledger.details = true;
        let result = ledger.read_details(&self.db);
        self.told(result);
    }

    pub(super) fn leave_ledger(&mut self) {
        if let Some(ledger) = self.ledger.take() {
            self.focus = ledger.from;
        }
    }

    pub(super) fn refresh_ledger(&mut self) {
        let order = self.account_order();
        if let Some(ledger) = &mut self.ledger {
            let result = ledger.refresh(&self.db, &order);
            self.told(result);
        }
    }

    pub(super) fn go_ledger(&mut self, motion: Motion, height: usize) {
        if let Some(ledger) = &mut self.ledger {
            let result = ledger.go(&self.db, motion, height);
            self.told(result);
        }
    }

    pub(super) fn toggle_details(&mut self) {
        if let Some(ledger) = &mut self.ledger {
            ledger.details = !ledger.details;
            let result = ledger.read_details(&self.db);
            self.told(result);
        }
    }

    fn account_order(&self) -> Vec<AccountId> {
        self.accounts.all.iter().map(|account| account.id).collect()
    }

    /// What the keys of the page work on: the entry, or everything of the account under the cursor.
    pub(super) fn settle(&mut self, how: Settle) {
        let Some(ledger) = &self.ledger else { return };
        if let Some(entry) = ledger.entry() {
            if let Some(why) = unfit(entry, how) {
                return self.say(why);
            }
            let reach = Reach::These(vec![entry.matter]);
            if let Matter::Outgoing(_) = entry.matter {
                let subject = entry.subject.clone();
                let deed = Deed::of(Intent::Settle { how, reach });
                let text = match (how, entry.standing) {
                    (Settle::Discard, _) => format!("Give up the mail \u{201c}{subject}\u{201d}? y/n"),
                    (Settle::Retry, Standing::Unsure) => {
                        format!("Send \u{201c}{subject}\u{201d} again, though it may have arrived? y/n")
                    }
                    _ => return self.carry_out(deed),
                };
                return self.ask(&text, deed);
            }
            let (what, count) = (entry.what.clone(), some(entry.mails, "mail"));
            return self.settle_asked(how, reach, what.as_str(), &count);
        }
        let Some(Fare { health, waiting, .. }) = ledger.account() else { return };
        let count = match how {
            Settle::Hold => return self.say("One mail at a time is held back: go to it"),
            Settle::Undo => return self.say("One action at a time is undone: go to it"),
            Settle::Discard => some(entries_of(waiting), "thing"),
            _ => some(waiting.parked, "folder"),
        };
        let what = format!("everything of {}", health.name);
        let (reach, is_none) = (Reach::Account(health.id), count.starts_with("0 "));
        if is_none && matches!(how, Settle::Discard | Settle::Accept) {
            return self.say("Nothing of this account waits for that");
        }
        self.settle_asked(how, reach, &what, &count);
    }

    /// Settles, after a question where something goes by it.
    fn settle_asked(&mut self, how: Settle, reach: Reach, what: &str, count: &str) {
        let deed = Deed::of(Intent::Settle { how, reach });
        let text = match how {
            Settle::Discard => format!("Give up: {what}? {count} y/n"),
            Settle::Accept => format!("Believe it: {what}? {count} y/n"),
            Settle::Retry | Settle::Refetch | Settle::Undo | Settle::Hold => return self.carry_out(deed),
        };
        self.overlay = Some(Overlay::Ask(Question { text: Clean::line(&text), yes: Yes::Do(deed) }));
    }
}

fn some(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// Why an entry cannot be settled so; `None`: it can.
#[must_use]
pub fn unfit(entry: &Entry, how: Settle) -> Option<&'static str> {
    let fits = match (how, entry.matter) {
        (Settle::Retry, Matter::Op(_)) => entry.standing != Standing::Running,
        (Settle::Discard, Matter::Op(_) | Matter::Deletions(_)) => entry.standing != Standing::Running,
        (Settle::Retry | Settle::Discard, Matter::Outgoing(_)) => entry.standing != Standing::Running,
        (Settle::Accept, Matter::Outgoing(_)) => entry.standing == Standing::Unsure,
        (Settle::Hold, Matter::Outgoing(_)) => {
            matches!(entry.standing, Standing::Queued | Standing::Waiting(_))
        }
        (Settle::Accept, Matter::Folder(_)) => true,
        (Settle::Refetch, Matter::Folder(_)) => true,
        (Settle::Refetch, Matter::Op(_)) => entry.standing == Standing::Conflict,
        (Settle::Undo, Matter::Op(_)) => entry.undo.is_some(),
        _ => false,
    };
    (!fits).then_some(match (how, entry.standing) {
        (_, Standing::Running) => "It is being carried out at this moment",
        (Settle::Retry, _) => "It is tried again by itself",
        (Settle::Discard, Standing::Parked) => "Believe the server (a) or look at the folder anew (f)",
        (Settle::Discard, _) => "It cannot be given up from here",
        (Settle::Hold, _) => "Only for a mail that would be sent by itself",
        (Settle::Accept, _) if matches!(entry.matter, Matter::Outgoing(_)) => {
            "Only for a mail of which it is not known"
        }
        (Settle::Accept, _) => "Only for a folder whose changes are held back",
        (Settle::Refetch, _) => "Only for a folder, or for what the server refused",
        (Settle::Undo, _) => "It cannot be undone: D gives it up",
    })
}
