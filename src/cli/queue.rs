//! `mailtui queue`: what waits and how each account fares, and ways to settle it (promises A2, O7).

use jiff::Zoned;
use serde_json::json;

use super::args::{Queue, QueueVerb, Which};
use super::out::Out;
use super::words::{grouped, plural, sized};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, Intent, Matter, Reach, Settle};
use crate::store::{Entry, Health, Reader, Standing, Store, Waiting};
use crate::text::{self, Clean, when};

/// Entries read at once.
const PAGE: usize = 200;
/// What waits longer than this is said by the exit code (promise O7).
const LONG: i64 = 600;
/// Something waits for the user, or for long.
pub(super) const WAITS: u8 = 3;

/// Answers the exit code: 3 when something waits for the user, or for long.
pub(super) fn run(queue: &Queue, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.reader()?;
    match &queue.verb {
        None => list(queue.account.as_deref(), config, &reader, out),
        Some(verb) => {
            let (how, which) = match verb {
                QueueVerb::Retry(which) => (Settle::Retry, which),
                QueueVerb::Discard(which) => (Settle::Discard, which),
                QueueVerb::Accept(which) => (Settle::Accept, which),
                QueueVerb::Refetch(which) => (Settle::Refetch, which),
                QueueVerb::Undo(which) => (Settle::Undo, which),
            };
            for reach in reaches(which, &reader)? {
                let outcome = store.intend_wait(Intent::Settle { how, reach })?;
                if let Some(why) = outcome.error {
                    return Err(Error::new(Kind::Gone, why).hint("`mailtui queue` tells what waits"));
                }
                if out.json {
                    out.object(&json!({ "done": Clean::line(&outcome.label) }))?;
                } else {
                    out.line(Clean::line(&outcome.label))?;
                }
            }
            Ok(0)
        }
    }
}

/// What was named: ids together, each account by itself.
fn reaches(which: &Which, reader: &Reader) -> Result<Vec<Reach>> {
    let accounts = reader.accounts()?;
    let (mut these, mut reaches) = (Vec::new(), Vec::new());
    for word in &which.which {
        // An account may be called `f1`: its name comes first.
        if let Some(account) = accounts.iter().find(|account| account.name == *word) {
            reaches.push(Reach::Account(account.id));
        } else if word == "all" {
            reaches.push(Reach::Everything);
        } else if let Some(matter) = Matter::parse(word) {
            these.push(matter);
        } else {
            let known: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
            return Err(Error::new(Kind::Config, format!("{word:?} is no id and no account")).hint(format!(
                "there are the accounts {}, and `mailtui queue` tells the ids",
                known.join(", ")
            )));
        }
    }
    if !these.is_empty() {
        reaches.insert(0, Reach::These(these));
    }
    Ok(reaches)
}

fn list(only: Option<&str>, config: &Config, reader: &Reader, out: &mut Out) -> Result<u8> {
    let accounts = reader.health()?;
    let known = |name: &str| config.account(name).is_some() || accounts.iter().any(|h| h.name == name);
    if let Some(name) = only.filter(|name| !known(name)) {
        let known: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
        return Err(Error::new(Kind::Config, format!("there is no account {name:?}"))
            .hint(format!("there are: {}", known.join(", "))));
    }
    let now = Zoned::now().timestamp().as_second();
    let mut code = 0;
    for health in accounts.iter().filter(|h| only.is_none_or(|name| h.name == name)) {
        let waiting = reader.waiting(health.id)?;
        if !health.is_parked && is_pressing(&waiting, health, now) {
            code = WAITS;
        }
        if out.json {
            out.object(&json!({
                "account": Clean::line(&health.name),
                "state": if health.is_parked { "parked" } else { health.state.as_str() }, "trouble": health.trouble,
                "told_at": health.told_at, "in_step_at": health.in_step_at, "bytes_in": health.bytes_in,
                "bytes_out": health.bytes_out, "queued": waiting.queued, "conflicts": waiting.conflicts,
                "parked": waiting.parked, "outgoing": waiting.outgoing, "unsure": waiting.unsure,
                "deletions": waiting.deletions,
            }))?;
        } else {
            out.line(heading(health, &waiting, now))?;
        }
        entries(health.id, &Clean::line(&health.name), reader, now, out)?;
    }
    Ok(code)
}

/// Whether the exit code says so.
fn is_pressing(waiting: &Waiting, health: &Health, now: i64) -> bool {
    waiting.for_user() > 0 || health.is_paused() || waiting.oldest.is_some_and(|at| now - at > LONG)
}

/// Every entry of an account, page by page.
fn entries(account: AccountId, name: &Clean, reader: &Reader, now: i64, out: &mut Out) -> Result<()> {
    let mut after = None;
    loop {
        let page = reader.ledger(account, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.bookmark());
        for entry in &page {
            if out.json {
                out.object(&json!({
                    "account": name, "id": entry.matter.to_string(), "standing": entry.standing.name(),
                    "what": entry.what, "subject": entry.subject, "mails": entry.mails, "since": entry.since,
                    "tries": entry.tries, "error": entry.error, "undoable": entry.undo.is_some(),
                    "again_at": match entry.standing { Standing::Waiting(at) => Some(at), _ => None },
                }))?;
                continue;
            }
            let line = line(entry, now);
            match out.width {
                Some(width) => out.line(text::truncate(&line, width))?,
                None => out.line(line)?,
            }
            if !entry.error.is_empty() {
                out.line(format!("            {}", entry.error))?;
            }
        }
    }
}

/// `work: in step 12s ago, 1.2 GB received, nothing waits`
fn heading(health: &Health, waiting: &Waiting, now: i64) -> Clean {
    let mut parts = Vec::new();
    if health.is_parked {
        parts.push("parked, as the configuration does not name it (see `mailtui account list`)".to_owned());
    } else if !health.trouble.is_empty() {
        parts.push(format!("{} since {}: {}", health.state, ago(health.told_at, now), health.trouble));
    }
    parts.push(match health.in_step_at {
        0 if health.is_alone => "lives here only".to_owned(),
        0 => "never in step".to_owned(),
        at => format!("in step {} ago", ago(at, now)),
    });
    if health.bytes_in > 0 {
        parts.push(format!("{} received", sized(health.bytes_in)));
    }
    if health.bytes_out > 0 {
        parts.push(format!("{} put there", sized(health.bytes_out)));
    }
    let going = waiting.queued + waiting.outgoing + u64::from(waiting.deletions > 0);
    if going > 0 {
        parts.push(format!("{} {} queued", grouped(going), plural(going, "thing")));
    }
    match waiting.for_user() {
        0 if going == 0 => parts.push("nothing waits".to_owned()),
        0 => {}
        n => parts.push(format!("{} {} for you", grouped(n), if n == 1 { "waits" } else { "wait" })),
    }
    Clean::line(&format!("{}: {}", health.name, parts.join(", ")))
}

/// `!     12  conflict  2h  move 3 mails from Inbox to Archive: Notes on the engine …`
fn line(entry: &Entry, now: i64) -> String {
    let mark = if entry.standing.needs_user() { '!' } else { ' ' };
    let since = if entry.since == 0 { String::new() } else { ago(entry.since, now) };
    let subject = match (entry.subject.as_str(), entry.mails) {
        ("", _) => String::new(),
        (subject, 0 | 1) => format!(": {subject}"),
        (subject, _) => format!(": {subject} …"),
    };
    let standing = match entry.standing {
        Standing::Waiting(at) if at > now => format!("again in {}", ago(now, at)),
        other => other.name().to_owned(),
    };
    format!(
        "{mark} {:>8}  {}  {since:>4}  {}{subject}",
        entry.matter.to_string(),
        text::pad(&standing, 12),
        entry.what
    )
}

fn ago(then: i64, now: i64) -> String {
    when::span(u64::try_from(now - then).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OpId;

    fn health() -> Health {
        Health {
            id: AccountId(1),
            name: "work".to_owned(),
            is_parked: false,
            state: "in step".to_owned(),
            trouble: Clean::default(),
            told_at: 0,
            is_alone: false,
            in_step_at: 0,
            bytes_in: 0,
            bytes_out: 0,
            about: crate::model::About::default(),
        }
    }

    #[test]
    fn an_account_is_told_in_one_line() {
        let now = 10_000;
        assert_eq!(
            heading(&health(), &Waiting::default(), now).as_str(),
            "work: never in step, nothing waits"
        );
        let busy = Health { in_step_at: now - 12, bytes_in: 1_200_000, ..health() };
        let waiting = Waiting { queued: 2, conflicts: 1, ..Waiting::default() };
        assert_eq!(
            heading(&busy, &waiting, now).as_str(),
            "work: in step 12s ago, 1.2 MB received, 2 things queued, 1 waits for you"
        );
        let down = Health {
            state: "offline".to_owned(),
            trouble: Clean::line("no way to the server"),
            told_at: now - 60,
            ..health()
        };
        assert_eq!(
            heading(&down, &Waiting::default(), now).as_str(),
            "work: offline since 1m: no way to the server, never in step, nothing waits"
        );
    }

    #[test]
    fn o7_ten_minutes_are_long_and_what_waits_for_the_user_is_pressing() {
        let now = 10_000;
        let at = |oldest| Waiting { queued: 1, oldest: Some(oldest), ..Waiting::default() };
        assert!(!is_pressing(&at(now - 600), &health(), now));
        assert!(is_pressing(&at(now - 601), &health(), now));
        assert!(is_pressing(&Waiting { parked: 1, ..Waiting::default() }, &health(), now));
        assert!(is_pressing(&Waiting::default(), &Health { state: "paused".to_owned(), ..health() }, now));
        assert!(!is_pressing(&Waiting { deletions: 9, ..Waiting::default() }, &health(), now));
    }

    #[test]
    fn an_entry_is_told_in_one_line() {
        let entry = Entry {
            matter: Matter::Op(OpId(12)),
            account: AccountId(1),
            standing: Standing::Waiting(1_060),
            what: Clean::line("star 2 mails in Inbox"),
            subject: Clean::line("Notes"),
            mails: 2,
            since: 990,
            tries: 1,
            error: Clean::default(),
            undo: None,
        };
        assert_eq!(line(&entry, 1_000), "        12  again in 1m    10s  star 2 mails in Inbox: Notes …");
        let entry = Entry { standing: Standing::Conflict, mails: 1, ..entry };
        assert_eq!(line(&entry, 1_000), "!       12  conflict       10s  star 2 mails in Inbox: Notes");
    }
}
