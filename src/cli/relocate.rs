//! `mailtui account move`: all mail of an account is copied to another, each once, and looked for there afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::args::Relocate;
use super::out::Out;
use super::queue::WAITS;
use super::teller::Teller;
use super::words::{grouped, plural, sized};
use super::{accounts, rounds};
use crate::config::Config;
use crate::engine::{self, Mode, Setup};
use crate::error::{Error, Kind, Result};
use crate::model::{Folder, FolderId, Intent, Owner, PlacementId};
use crate::net::Interrupt;
use crate::protocol::FolderRef;
use crate::store::{AccountRow, Carried, Leg, Reader, Store};
use crate::text::{self, Clean};

/// Mails that are copied, or deleted, in one transaction.
const CHUNK: usize = 100;
/// Differences that are told one by one.
const TOLD: usize = 10;

pub(super) fn run(wish: &Relocate, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.reader()?;
    let Some(to) = config.account(&wish.to) else {
        return Err(Error::new(
            Kind::Config,
            format!("there is no account {:?} in the configuration", wish.to),
        ));
    };
    let rows = reader.accounts()?;
    let Some(old) = rows.iter().find(|row| row.name == wish.old) else {
        let known: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        return Err(Error::new(Kind::Gone, format!("no account {:?} has mail here", wish.old))
            .hint(format!("there are: {}", known.join(", "))));
    };
    if wish.old == wish.to {
        return Err(Error::new(Kind::Config, "an account cannot be moved to itself"));
    }
    let (owner, protocol) = (to.protocol.owner(), to.protocol.name());
    let id = store.account(&to.name, protocol, owner, &to.remote_key())?;
    let new = reader.accounts()?.into_iter().find(|row| row.id == id);
    let new = new.ok_or_else(|| Error::new(Kind::Bug, "an account that was made is not there"))?;
    let removal = Removal { wish, config, store, reader: &reader, old, new: &new, in_round: Arc::default() };
    if !wish.yes {
        return removal.plan(out).map(|_| 0);
    }
    removal.carry_out(out)
}

struct Removal<'a> {
    wish: &'a Relocate,
    config: &'a Config,
    store: &'a Store,
    reader: &'a Reader,
    old: &'a AccountRow,
    new: &'a AccountRow,
    /// Whether engines run, which end in order at a signal.
    in_round: Arc<AtomicBool>,
}

impl Removal<'_> {
    /// Tells what it comes to; the legs.
    fn plan(&self, out: &mut Out) -> Result<Vec<Leg>> {
        let legs = self.reader.legs(self.old.id, self.new.id)?;
        let longest = legs.iter().map(|leg| leg.path.width()).max().unwrap_or(0).clamp(5, 40);
        let (mut mails, mut bytes, mut there) = (0, 0, 0);
        for leg in &legs {
            if out.json {
                out.object(&json!({
                    "from": leg.path, "to": leg.to_path, "exists": leg.to.is_some(), "mails": leg.mails, "bytes": leg.bytes,
                    "there": leg.there, "unfetched": leg.unfetched, "partial": leg.partial, "left_out": leg.left_out,
                }))?;
            } else {
                out.line(Clean::line(&leg_line(leg, longest)))?;
            }
            if leg.left_out.is_none() {
                (mails, bytes, there) = (mails + leg.mails, bytes + leg.bytes, there + leg.there);
            }
        }
        let sum = format!(
            "{} {} ({}) from {} to {}, {} of them there already",
            grouped(mails),
            plural(mails, "mail"),
            sized(bytes),
            self.wish.old,
            self.wish.to,
            grouped(there)
        );
        if out.json {
            out.object(&json!({ "mails": mails, "bytes": bytes, "there": there, "run": self.wish.yes }))?;
        } else {
            out.line(Clean::line(&sum))?;
            if !self.wish.yes {
                out.line(format!(
                    "Nothing was done: --yes does it. Nothing is deleted at {}{}",
                    Clean::line(&self.wish.old),
                    if self.wish.delete_after { " before it was seen at the new one" } else { "" }
                ))?;
            }
        }
        Ok(legs)
    }

    fn carry_out(&self, out: &mut Out) -> Result<u8> {
        // Between the rounds every step is whole by itself: a signal ends the program at once.
        let far = Arc::clone(&self.in_round);
        rounds::on_signal(move || {
            if !far.load(Ordering::Acquire) {
                std::process::exit(i32::from(Kind::Interrupted.exit_code()));
            }
            true
        })?;
        // What is on either side is known before anything is copied: nothing goes there twice.
        if let Some(code) = self.rounds(out)? {
            return Ok(code);
        }
        let legs = self.plan(out)?;
        out.flush()?;
        for leg in legs.iter().filter(|leg| leg.left_out.is_none()) {
            let items: Vec<_> = self.reader.carried(leg.from)?.iter().map(|mail| mail.placement).collect();
            for chunk in items.chunks(CHUNK) {
                self.store.carry(leg.from, self.new.id, chunk.to_vec())?;
            }
        }
        if let Some(code) = self.rounds(out)? {
            return Ok(code);
        }
        let seen = self.look(out)?;
        let waiting = self.reader.waiting(self.new.id)?;
        let is_all = seen.is_all
            && waiting.queued + waiting.conflicts == 0
            && legs.iter().all(|leg| leg.left_out.is_none());
        if waiting.queued + waiting.conflicts > 0 && !out.json {
            let count = waiting.queued + waiting.conflicts;
            out.line(format!("{} {} not done: see `mailtui queue`", grouped(count), plural(count, "thing")))?;
        }
        if self.wish.delete_after {
            self.delete(&seen.same, out)?;
            if let Some(code) = self.rounds(out)? {
                return Ok(code);
            }
        }
        Ok(if is_all { 0 } else { WAITS })
    }

    /// Gets both accounts in step; the exit code, where that failed.
    fn rounds(&self, out: &mut Out) -> Result<Option<u8>> {
        let mut setups = accounts::setups(self.config, Some(&self.wish.to))?;
        if self.config.account(&self.wish.old).is_some() {
            setups.extend(accounts::setups(self.config, Some(&self.wish.old))?);
        }
        let names = self.reader.accounts()?.into_iter().map(|a| (a.id, Clean::line(&a.name))).collect();
        let mut teller = Teller::new(out, names, false);
        self.in_round.store(true, Ordering::Release);
        let ended = rounds::run(self.store, setups, Mode::Once, &mut |event| teller.event(event));
        self.in_round.store(false, Ordering::Release);
        let ended = ended?;
        if let Some(busy) = ended.reports.iter().find_map(|(name, report)| {
            let who = report.as_ref().ok()?.elsewhere.as_ref()?;
            Some(format!("the account {name} is synced by {who}"))
        }) {
            return Err(Error::new(Kind::Conflict, busy).hint("end that mailtui first, and repeat this"));
        }
        let code = teller.end(ended.reports)?;
        if ended.interrupted {
            return Ok(Some(Kind::Interrupted.exit_code()));
        }
        Ok((code != 0).then_some(code))
    }

    /// Asks the new server what it has, and compares.
    fn look(&self, out: &mut Out) -> Result<Seen> {
        let setup: Option<Setup> = accounts::setups(self.config, Some(&self.wish.to))?.pop();
        let mut session = match &setup {
            Some(setup) if self.new.owner == Owner::Server => Some((setup.open)(&Interrupt::new()?)?),
            _ => None,
        };
        let mut seen = Seen { same: Vec::new(), is_all: true };
        for leg in self.reader.legs(self.old.id, self.new.id)?.iter().filter(|leg| leg.left_out.is_none()) {
            let wanted = self.wanted(leg)?;
            let Some(to) = leg.to.map(|to| self.reader.folder(to)).transpose()?.flatten() else {
                seen.is_all &= wanted.is_empty();
                continue;
            };
            let survey = match &mut session {
                Some(session) if !to.remote.is_empty() => {
                    engine::survey(session.as_mut(), &FolderRef::new(to.remote.clone()), wanted)?
                }
                Some(_) => engine::Survey { missing: wanted, ..engine::Survey::default() },
                None => self.look_here(&to, wanted)?,
            };
            seen.is_all &= survey.changed.is_empty() && survey.missing.is_empty();
            tell(leg, &survey, out)?;
            seen.same.extend(survey.same.into_iter().map(|mail| (leg.from, mail)));
        }
        if let Some(session) = session {
            session.finish()?;
        }
        Ok(seen)
    }

    /// What can be there: of mail that is here in part, there is nothing.
    fn wanted(&self, leg: &Leg) -> Result<Vec<Carried>> {
        let mut wanted = self.reader.carried(leg.from)?;
        wanted.dedup_by_key(|mail| mail.message);
        if self.old.owner == Owner::Here || self.old.is_parked {
            wanted.retain(|mail| mail.sizes[1] > 0);
        }
        Ok(wanted)
    }

    /// Where the mail lives here, the store is what there is to look at.
    fn look_here(&self, to: &Folder, wanted: Vec<Carried>) -> Result<engine::Survey> {
        let held = self.reader.carried(to.id)?;
        let mut survey = engine::Survey { mails: held.len() as u64, ..engine::Survey::default() };
        for mail in wanted {
            let hash = self.reader.recorded_hash(mail.message)?;
            let mut twins = held.iter().filter(|twin| twin.head_hash == mail.head_hash && twin.sizes[1] > 0);
            let is_there = twins.any(|twin| {
                hash.is_some() && self.reader.recorded_hash(twin.message).is_ok_and(|twin| twin == hash)
            });
            if is_there { survey.same.push(mail) } else { survey.missing.push(mail) }
        }
        Ok(survey)
    }

    /// Deletes at the old account what was seen at the new one, every copy of it in its folder.
    fn delete(&self, same: &[(FolderId, Carried)], out: &mut Out) -> Result<()> {
        let mut items: Vec<PlacementId> = Vec::new();
        let mut folders: Vec<FolderId> = same.iter().map(|(folder, _)| *folder).collect();
        folders.dedup();
        for folder in folders {
            let seen: std::collections::HashSet<_> =
                same.iter().filter(|(of, _)| *of == folder).map(|(_, mail)| mail.message).collect();
            let all = self.reader.carried(folder)?;
            items.extend(all.iter().filter(|mail| seen.contains(&mail.message)).map(|mail| mail.placement));
        }
        for chunk in items.chunks(CHUNK) {
            let outcome = self.store.intend_wait(Intent::Purge { items: chunk.to_vec() })?;
            if let Some(why) = outcome.error {
                return Err(Error::new(Kind::Gone, why));
            }
        }
        let count = items.len() as u64;
        let text = format!("{} {} of {} deleted there", grouped(count), plural(count, "mail"), self.wish.old);
        if out.json { out.object(&json!({ "deleted": count })) } else { out.line(Clean::line(&text)) }
    }
}

/// What the new account was seen to have, with the folder that it came from.
struct Seen {
    same: Vec<(FolderId, Carried)>,
    /// Nothing is missing and nothing was changed.
    is_all: bool,
}

/// `Inbox  →  Inbox   1,234 mails  56 MB  12 there already`
fn leg_line(leg: &Leg, longest: usize) -> String {
    let mut line = format!("{}  ", text::pad(leg.path.as_str(), longest));
    if let Some(why) = &leg.left_out {
        line.push_str(&format!("left out: {why} ({} {})", grouped(leg.mails), plural(leg.mails, "mail")));
        return line;
    }
    let new = if leg.to.is_none() { " (new)" } else { "" };
    line.push_str(&text::pad(&format!("to {}{new}", leg.to_path), longest + 9));
    line.push_str(&format!(
        "{:>9} {:<5} {:>7}",
        grouped(leg.mails),
        plural(leg.mails, "mail"),
        sized(leg.bytes)
    ));
    for (count, words) in [
        (leg.there, "there already"),
        (leg.unfetched, "to be fetched first"),
        (leg.partial, "left out: only a part of them is here"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {} {words}", grouped(count)));
        }
    }
    line
}

fn tell(leg: &Leg, survey: &engine::Survey, out: &mut Out) -> Result<()> {
    let (same, changed, missing) =
        (survey.same.len() as u64, survey.changed.len() as u64, survey.missing.len() as u64);
    if out.json {
        return out.object(&json!({
            "folder": leg.to_path, "there": survey.mails, "same": same, "changed": changed, "missing": missing,
        }));
    }
    if same + changed + missing == 0 {
        return Ok(());
    }
    let mut line =
        format!("{}: {} of {} seen there", leg.to_path, grouped(same), grouped(same + changed + missing));
    if changed > 0 {
        line.push_str(&format!(", {} with a header or size that the server changed", grouped(changed)));
    }
    if missing > 0 {
        line.push_str(&format!(", {} missing", grouped(missing)));
    }
    out.line(Clean::line(&line))?;
    let odd = survey.changed.iter().map(|mail| ("changed", mail));
    for (word, mail) in odd.chain(survey.missing.iter().map(|mail| ("missing", mail))).take(TOLD) {
        out.line(format!("  {word}: {} {}", mail.message, mail.subject))?;
    }
    Ok(())
}
