//! The desk of who writes: drafts are begun, kept and sent off the thread of the screen, and edited in its place.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::editor::{files, forget};
use crate::app::compose::{Deed, Drafted, Written};
use crate::compose::{self, Original};
use crate::config::{Account, Writing};
use crate::engine::{drafting, shelf};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{AccountId, Attached, Draft, DraftId, MessageId, Purpose};
use crate::secret;
use crate::store::{Kept, Reader, Store};
use crate::text::Clean;

/// Bytes that hold a mail's header.
const HEADER: u64 = 256 << 10;
/// Files of a directory that are told.
const FILES: usize = 2000;

/// Who writes, and how.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The accounts of the configuration.
    pub accounts: Vec<Account>,
    /// `[compose]`.
    pub writing: Writing,
    /// The zone of what is sent (promise A10).
    pub zone: TimeZone,
}

/// What the work thread does to drafts.
#[derive(Debug)]
pub(super) struct Drafter {
    desk: Desk,
    store: Store,
    clock: fn() -> i64,
    /// What is known of each draft that is open: how often it was changed, and what it said then.
    known: HashMap<DraftId, (u64, Draft)>,
}

impl Drafter {
    pub(super) fn new(desk: Desk, store: Store, clock: fn() -> i64) -> Self {
        Self { desk, store, clock, known: HashMap::new() }
    }

    pub(super) fn carry_out(&mut self, deed: Deed, db: &Reader) -> Result<Drafted> {
        Ok(match deed {
            Deed::Begin { account, messages, purpose } => {
                let own = self.account(db, account)?;
                // A draft is written on, whoever made it: that is no new mail.
                if let (Purpose::EditAsNew, [message, ..]) = (purpose, &messages[..])
                    && let Some(id) = shelf::open(&self.store, db, account, *message)?
                {
                    return self.open(id, db);
                }
                let draft = match not_own(own, &messages, db)? {
                    Some(message) => drafting::begin(db, (own, account), purpose, message, &self.desk.zone)?,
                    None => {
                        let identity = own.identities().into_iter().next().unwrap_or_default();
                        compose::blank(account, &identity, &drafting::signature(&identity))
                    }
                };
                let (id, draft) = self.keep(None, draft, db)?;
                self.store.claim_draft(id)?;
                Drafted::Opened(id, Box::new(draft), true)
            }
            Deed::Resume => {
                let is_free = |kept: &Kept| kept.editor.is_none_or(|process| process == std::process::id());
                match db.drafts()?.into_iter().find(is_free) {
                    Some(kept) => self.open(kept.id, db)?,
                    None => Drafted::Nothing,
                }
            }
            Deed::Open(id) => self.open(id, db)?,
            Deed::Look(open) => self.look(&open, db)?,
            Deed::Adopt(id, version, draft) => {
                self.known.insert(id, (version, *draft));
                Drafted::Quiet
            }
            Deed::Close(id) => {
                self.known.remove(&id);
                self.store.release_draft(id)?;
                Drafted::Quiet
            }
            Deed::Edited(was, draft) => {
                let kept = self.carry_out(Deed::Keep(was, draft), db)?;
                // Only now is what the editor left in no need of a file.
                forget(self.store.dir(), was);
                kept
            }
            Deed::Late(id, Written { text, headers }) => {
                if let Some(kept) = db.draft(id)? {
                    let mut draft = kept.draft;
                    draft.take_text(&text, headers);
                    self.known.entry(id).or_insert((kept.version, draft.clone()));
                    self.keep(Some(id), draft, db)?;
                    self.known.remove(&id);
                    self.store.release_draft(id)?;
                }
                forget(self.store.dir(), id);
                Drafted::Quiet
            }
            Deed::Keep(was, draft) => {
                let said = draft.clone();
                let (id, kept) = self.keep(Some(was), *draft, db)?;
                Drafted::Kept { was, id, merged: Some(Box::new(kept)).filter(|kept| *kept != said) }
            }
            Deed::Send(was, draft, is_sure) => {
                let said = draft.clone();
                let (id, draft) = self.keep(Some(was), *draft, db)?;
                if id != was || draft != *said {
                    // What came to it meanwhile was not looked at by who sends it.
                    let merged = Some(Box::new(draft)).filter(|kept| *kept != said);
                    return Ok(Drafted::Kept { was, id, merged });
                }
                let odd = if is_sure { Vec::new() } else { self.concerns(&draft, db)? };
                if !odd.is_empty() {
                    return Ok(Drafted::Odd(id, odd));
                }
                let own = self.account(db, draft.account)?;
                let now = (self.clock)();
                let wait = i64::try_from(self.desk.writing.undo_send.as_secs()).unwrap_or(0);
                drafting::send(&self.store, own, id, now.saturating_add(wait), &self.date(now))?;
                forget(self.store.dir(), id);
                Drafted::Sent(id)
            }
            Deed::Quick { account, messages } => {
                let own = self.account(db, account)?;
                let Some(message) = not_own(own, &messages, db)? else { return Ok(Drafted::Nothing) };
                let draft = drafting::begin(db, (own, account), Purpose::Reply, message, &self.desk.zone)?;
                let (id, draft) = self.keep(None, draft, db)?;
                self.store.claim_draft(id)?;
                Drafted::Begun(id, Box::new(draft))
            }
            Deed::Say(id, mut draft, text, is_whole) => {
                drafting::say(self.account(db, draft.account)?, &mut draft, &text);
                let (id, draft) = self.keep(Some(id), *draft, db)?;
                if is_whole { Drafted::Opened(id, Box::new(draft), false) } else { Drafted::Quiet }
            }
            Deed::Bounce { account, message, to } => {
                let own = self.account(db, account)?;
                let now = (self.clock)();
                let wait = i64::try_from(self.desk.writing.undo_send.as_secs()).unwrap_or(0);
                let when = (now.saturating_add(wait), self.date(now));
                drafting::bounce(&self.store, (own, account), message, &to, (when.0, &when.1))?;
                Drafted::Bounced
            }
            Deed::Again(outgoing) => self.again(outgoing, db)?,
            Deed::Attach(was, mut draft, path) => {
                let said = draft.clone();
                draft.attachments.push(drafting::attached(&expanded(&path))?);
                let (id, kept) = self.keep(Some(was), *draft, db)?;
                Drafted::Kept { was, id, merged: Some(Box::new(kept)).filter(|kept| *kept != said) }
            }
            Deed::Preview(id, draft, width) => {
                let date = self.date((self.clock)());
                Drafted::Laid(id, drafting::preview(db, &draft, &date, width.into())?)
            }
            Deed::Discard(id) => {
                if let Some(process) = held_elsewhere(id, db)? {
                    return Ok(Drafted::Held(process));
                }
                drafting::discard(&self.store, id, &self.date((self.clock)()))?;
                forget(self.store.dir(), id);
                Drafted::Gone(id)
            }
            Deed::Forget(id) => {
                self.store.discard_draft(id)?;
                forget(self.store.dir(), id);
                Drafted::Quiet
            }
            Deed::TakeBack(outgoing) => match self.store.take_back(outgoing)? {
                Some(id) => self.open(id, db)?,
                None => Drafted::NoDraft(outgoing),
            },
        })
    }

    /// What is odd about a draft, in words (promise O6).
    fn concerns(&self, draft: &Draft, db: &Reader) -> Result<Vec<Clean>> {
        let answered = draft.answers.filter(|_| draft.purpose == Purpose::ReplyAll);
        let list = match answered {
            // Only its header is looked at.
            Some(message) => Original::read(answered, &db.raw(message, HEADER)?).list,
            None => Vec::new(),
        };
        let known: Vec<_> = db.known()?.into_iter().map(|known| known.who).collect();
        let found = compose::concerns(draft, &self.desk.writing, &list, &known);
        Ok(found.iter().map(|concern| Clean::line(&concern.to_string())).collect())
    }

    /// Opens a draft that is kept, with what an editor left that was killed; unless another process has it.
    fn open(&mut self, id: DraftId, db: &Reader) -> Result<Drafted> {
        let gone = || Error::new(Kind::Gone, "the draft is not there any more");
        if !self.store.claim_draft(id)? {
            return held_elsewhere(id, db)?.map(Drafted::Held).ok_or_else(gone);
        }
        let kept = db.draft(id)?.ok_or_else(gone)?;
        let (mut id, mut draft) = (id, kept.draft);
        self.known.insert(id, (kept.version, draft.clone()));
        for (path, headers) in files(self.store.dir(), id) {
            if let Ok(text) = fs::read_to_string(path)
                && !text.trim().is_empty()
            {
                let was = id;
                draft.take_text(&text, headers);
                (id, draft) = self.keep(Some(id), draft, db)?;
                forget(self.store.dir(), was);
            }
        }
        Ok(Drafted::Opened(id, Box::new(draft), false))
    }

    /// Makes a draft again of a mail in the outbox: for all whom it was to go to, or for those who have not got it.
    fn again(&mut self, outgoing: i64, db: &Reader) -> Result<Drafted> {
        if let Some(id) = self.store.take_back(outgoing)? {
            return self.open(id, db);
        }
        let gone = || Error::new(Kind::Gone, "the mail is not in the outbox any more, or is being sent");
        let mail = db.outgoing(outgoing)?.ok_or_else(gone)?;
        let own = self.account(db, mail.account)?;
        let draft = drafting::again(db, own, &mail, &self.desk.zone, self.store.dir())?;
        let msgid = compose::message_id(secret::random()?, &draft.from);
        let id = self.store.rework(outgoing, &msgid, &draft)?.ok_or_else(gone)?;
        self.open(id, db)
    }

    /// Those of the open drafts on which somebody else wrote.
    fn look(&self, open: &[DraftId], db: &Reader) -> Result<Drafted> {
        let mut renewed = Vec::new();
        for id in open {
            let Some((version, base)) = self.known.get(id) else { continue };
            if let Some(kept) = db.draft(*id)?.filter(|kept| kept.version > *version && kept.draft != *base) {
                renewed.push((*id, kept.version, base.clone(), kept.draft));
            }
        }
        Ok(if renewed.is_empty() { Drafted::Quiet } else { Drafted::Renewed(renewed) })
    }

    /// Durable when this returns. Files that others put to it meanwhile
    /// are put to this one.
    fn keep(&mut self, id: Option<DraftId>, mut draft: Draft, db: &Reader) -> Result<(DraftId, Draft)> {
        let mut over = None;
        if let Some(id) = id
            && let Some((version, base)) = self.known.get(&id)
        {
            over = Some((id, *version));
            if let Some(newer) = db.draft(id)?.filter(|kept| kept.version > *version)
                && (Draft { attachments: base.attachments.clone(), ..newer.draft.clone() }) == *base
            {
                let is_new =
                    |file: &Attached| !base.attachments.contains(file) && !draft.attachments.contains(file);
                let new: Vec<_> =
                    newer.draft.attachments.iter().filter(|file| is_new(file)).cloned().collect();
                draft.attachments.extend(new);
                over = Some((id, newer.version));
            }
        }
        draft.account = self.sends(&draft, db)?;
        let msgid = compose::message_id(secret::random()?, &draft.from);
        let (kept, version) = self.store.save_draft(over, &msgid, &draft)?;
        if let Some(id) = id.filter(|id| *id != kept) {
            self.known.remove(&id);
            self.store.release_draft(id)?;
            self.store.claim_draft(kept)?;
        }
        self.known.insert(kept, (version, draft.clone()));
        Ok((kept, draft))
    }

    /// The account that sends a draft: the one it has, unless only another one writes as its sender.
    fn sends(&self, draft: &Draft, db: &Reader) -> Result<AccountId> {
        let Some(from) = mime::typed(&draft.from).into_iter().next() else { return Ok(draft.account) };
        if self.account(db, draft.account).is_ok_and(|account| account.is_own(&from.addr)) {
            return Ok(draft.account);
        }
        let other = self.desk.accounts.iter().find(|account| account.is_own(&from.addr));
        let row =
            db.accounts()?.into_iter().find(|row| other.is_some_and(|account| account.name == row.name));
        Ok(row.map_or(draft.account, |row| row.id))
    }

    fn account(&self, db: &Reader, id: AccountId) -> Result<&Account> {
        let name = db.accounts()?.into_iter().find(|row| row.id == id).map(|row| row.name);
        let found = self.desk.accounts.iter().find(|account| Some(&account.name) == name.as_ref());
        found.ok_or_else(|| Error::new(Kind::Config, "the configuration does not name this account"))
    }

    fn date(&self, now: i64) -> String {
        let now = Timestamp::from_second(now).unwrap_or_default().to_zoned(self.desk.zone.clone());
        now.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
    }
}

/// A path as people type it: `~/` is their home.
fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// What is in a directory, by name; directories end in `/`. Nothing of one that cannot be read.
pub(super) fn names_in(dir: &str) -> Vec<String> {
    let path = if dir.is_empty() { PathBuf::from(".") } else { expanded(dir) };
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok().filter(|name| !name.contains(char::is_control))?;
        let is_dir = fs::metadata(entry.path()).is_ok_and(|found| found.is_dir());
        Some(if is_dir { format!("{name}/") } else { name })
    };
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.ok()?)).take(FILES).collect();
    names.sort();
    names
}

/// The other process that has a draft open.
fn held_elsewhere(id: DraftId, db: &Reader) -> Result<Option<u32>> {
    let holder = db.draft(id)?.and_then(|kept| kept.editor);
    Ok(holder.filter(|process| *process != std::process::id()))
}

/// The first of these mails that is not the user's own; where all are, the first.
fn not_own(account: &Account, messages: &[MessageId], db: &Reader) -> Result<Option<MessageId>> {
    for message in messages {
        if db.message(*message)?.is_some_and(|mail| !account.is_own(mail.from_addr.as_str())) {
            return Ok(Some(*message));
        }
    }
    Ok(messages.first().copied())
}
