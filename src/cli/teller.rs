//! What `mailtui sync` says: painted over in place on a terminal, a line each elsewhere, or as JSON.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::out::{Out, columns};
use super::words::{grouped, plural, sized};
use crate::engine::{AccountState, Event, Posted, Progress, Report};
use crate::error::Result;
use crate::model::AccountId;
use crate::store::Reader;
use crate::text::{self, Clean};

/// Between two lines of progress where they cannot be painted over.
const LINES_EVERY: Duration = Duration::from_secs(5);

/// Tells what happens: painted over in place on a terminal, a line each elsewhere, or as JSON.
pub(super) struct Teller<'a> {
    out: &'a mut Out,
    names: BTreeMap<AccountId, Clean>,
    watching: bool,
    running: BTreeMap<AccountId, Progress>,
    /// Lines of progress on the terminal now.
    painted: usize,
    width: Option<usize>,
    lined: Instant,
}

impl<'a> Teller<'a> {
    pub(super) fn new(out: &'a mut Out, names: BTreeMap<AccountId, Clean>, watching: bool) -> Self {
        let width = if out.json { None } else { columns(std::io::stderr()) };
        let lined = Instant::now();
        Self { out, names, watching, running: BTreeMap::new(), painted: 0, width, lined }
    }

    fn name(&self, account: AccountId) -> Clean {
        self.names.get(&account).cloned().unwrap_or_default()
    }

    pub(super) fn event(&mut self, event: Event) -> Result<()> {
        if self.out.json {
            return self.json(&event);
        }
        match event {
            Event::Progress { account, progress: Some(progress) } => {
                self.running.insert(account, progress);
                match self.width {
                    Some(width) => self.paint(width),
                    None if self.lined.elapsed() >= LINES_EVERY => {
                        self.lined = Instant::now();
                        for (account, progress) in std::mem::take(&mut self.running) {
                            self.line(&format!("{}: {}", self.name(account), progress_line(&progress)))?;
                        }
                    }
                    None => {}
                }
            }
            Event::Progress { account, progress: None } => {
                self.running.remove(&account);
                if let Some(width) = self.width {
                    self.paint(width);
                }
            }
            // Without `--watch` the end tells it once.
            Event::Synced { account, new, bytes, .. } if self.watching && new > 0 => {
                self.line(&format!("{}: {}", self.name(account), gained(new, bytes)))?;
            }
            Event::Trouble { account, text, hint } if self.watching => {
                self.complain(&self.name(account), &text, hint.as_ref());
            }
            Event::Sent { account } => self.line(&format!("{}: a mail was sent", self.name(account)))?,
            Event::Alert { account, text } => {
                let text = Clean::line(&format!("the server says: {text}"));
                self.complain(&self.name(account), &text, None);
            }
            Event::State { account, state: AccountState::Elsewhere { who } } => {
                self.line(&format!("{}: is synced by {who}", self.name(account)))?;
            }
            Event::State { account, state: AccountState::Offline { why, .. } } if self.watching => {
                self.complain(&self.name(account), &why, None);
            }
            Event::State { account, state: AccountState::Paused { why, hint } } if self.watching => {
                self.complain(&self.name(account), &why, hint.as_ref());
            }
            _ => {}
        }
        Ok(())
    }

    fn json(&mut self, event: &Event) -> Result<()> {
        let object = match event {
            Event::State { account, state } => {
                let (name, why) = match state {
                    AccountState::Resting => ("resting", None),
                    AccountState::Connecting => ("connecting", None),
                    AccountState::Syncing => ("syncing", None),
                    AccountState::Watching => ("watching", None),
                    AccountState::Offline { why, .. } => ("offline", Some(why)),
                    AccountState::Paused { why, .. } => ("paused", Some(why)),
                    AccountState::Elsewhere { who } => ("elsewhere", Some(who)),
                };
                json!({ "event": "state", "account": self.name(*account), "state": name, "why": why })
            }
            Event::Progress { account, progress: Some(p) } => json!({
                "event": "progress", "account": self.name(*account), "what": p.what, "folder": p.folder,
                "done": p.done, "total": p.total, "bytes": p.bytes,
            }),
            Event::Progress { progress: None, .. } | Event::Found { .. } => return Ok(()),
            Event::Arrived { account, count, .. } => {
                json!({ "event": "arrived", "account": self.name(*account), "count": count })
            }
            Event::Synced { account, new, bytes, .. } => {
                json!({ "event": "synced", "account": self.name(*account), "new": new, "bytes": bytes })
            }
            Event::Alert { account, text } => {
                json!({ "event": "alert", "account": self.name(*account), "text": text })
            }
            Event::Sent { account } => json!({ "event": "sent", "account": self.name(*account) }),
            Event::Trouble { account, text, hint } => {
                json!({ "event": "trouble", "account": self.name(*account), "text": text, "hint": hint })
            }
        };
        self.out.object(&object)?;
        self.out.flush()
    }

    /// What sending came to, of one account.
    pub(super) fn posted(&mut self, name: &str, posted: Result<Posted>) -> Result<()> {
        let name = Clean::line(name);
        let posted = posted.unwrap_or_else(|error| Posted { trouble: Some(error), ..Posted::default() });
        if posted.sent > 0 {
            let mails = if posted.sent == 1 { "1 mail".to_owned() } else { format!("{} mails", posted.sent) };
            match self.out.json {
                true => {
                    self.out.object(&json!({ "event": "sent", "account": name, "mails": posted.sent }))?
                }
                false => self.line(&format!("{name}: {mails} sent"))?,
            }
        }
        if let Some(error) = posted.trouble {
            self.complain(
                &name,
                &Clean::line(&error.to_string()),
                error.hint_text().map(Clean::line).as_ref(),
            );
        }
        Ok(())
    }

    /// The last word on each account; the exit code.
    pub(super) fn end(&mut self, reports: Vec<(String, Result<Report>)>) -> Result<u8> {
        let mut code = 0;
        self.running.clear();
        for (name, report) in merged(reports) {
            let name = Clean::line(&name);
            match report {
                Ok(report) if self.out.json => self.out.object(&json!({
                    "event": "done", "account": name, "new": report.new, "bytes": report.bytes,
                    "deleted": report.deleted, "left": report.left, "pushed": report.pushed, "elsewhere": report.elsewhere,
                }))?,
                // What a watch brought was told as it came.
                Ok(_) if self.watching => {}
                Ok(report) if report.elsewhere.is_none() => {
                    self.line(&format!("{name}: {}", summary(&report)))?
                }
                Ok(_) => {}
                Err(error) => {
                    if code == 0 {
                        code = error.kind().exit_code();
                    }
                    let (text, hint) = (error.to_string(), error.hint_text().map(Clean::line));
                    if self.out.json {
                        let object =
                            json!({ "event": "failed", "account": name, "text": text, "hint": hint });
                        self.out.object(&object)?;
                    }
                    self.complain(&name, &Clean::line(&text), hint.as_ref());
                }
            }
        }
        Ok(code)
    }

    /// Tells what waits for the user after all (promise I8). Says whether anything does.
    pub(super) fn waits(&mut self, names: &[String], reader: &Reader) -> Result<bool> {
        let mut any = false;
        for account in reader.accounts()?.iter().filter(|account| names.contains(&account.name)) {
            let waiting = reader.waiting(account.id)?;
            let count = waiting.for_user();
            if count == 0 {
                continue;
            }
            any = true;
            let name = Clean::line(&account.name);
            if self.out.json {
                self.out.object(&json!({ "event": "waiting", "account": name, "for_user": count }))?;
                continue;
            }
            for entry in reader.ledger(account.id, None, usize::try_from(waiting.parked).unwrap_or(0))? {
                let id = entry.matter;
                self.line(&format!("{name}: {}: `mailtui queue accept {id}` or `refetch {id}`", entry.what))?;
            }
            if count > waiting.parked {
                let rest = count - waiting.parked;
                let verb = if rest == 1 { "waits" } else { "wait" };
                self.line(&format!("{name}: {} {verb} for you: see `mailtui queue`", grouped(rest)))?;
            }
        }
        Ok(any)
    }

    /// An account without a server.
    pub(super) fn alone(&mut self, name: &Clean) -> Result<()> {
        if self.out.json {
            return self.out.object(&json!({ "event": "done", "account": name, "new": 0, "bytes": 0 }));
        }
        self.line(&format!("{name}: lives here only, there is no server to ask"))
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.wipe();
        self.out.line(text)?;
        self.out.flush()
    }

    fn complain(&mut self, account: &Clean, text: &Clean, hint: Option<&Clean>) {
        self.wipe();
        let _ = writeln!(std::io::stderr(), "mailtui: {account}: {text}");
        if let Some(hint) = hint {
            let _ = writeln!(std::io::stderr(), "hint: {hint}");
        }
    }

    /// Paints the progress of every account over what was painted before.
    fn paint(&mut self, width: usize) {
        self.wipe();
        let mut text = String::new();
        for (account, progress) in &self.running {
            let line = format!("{}: {}", self.name(*account), progress_line(progress));
            // The last column stays free: a full line would wrap on some terminals.
            text.push_str(&text::truncate(&line, width.saturating_sub(1)));
            text.push('\n');
        }
        self.painted = self.running.len();
        let _ = write!(std::io::stderr(), "{text}");
    }

    fn wipe(&mut self) {
        if self.painted > 0 {
            // Up to the first of them, and clear to the end of the screen.
            let mut stderr = std::io::stderr();
            let _ = write!(stderr, "\x1b[{}F\x1b[J", self.painted);
            let _ = stderr.flush();
            self.painted = 0;
        }
    }
}

/// `messages of Inbox 3,120 / 50,000 · 1.9 MB/s · 0:24 left`
fn progress_line(progress: &Progress) -> String {
    let Progress { what, folder, done, total, bytes, since } = progress;
    let seconds = since.elapsed().as_secs_f64();
    let mut line = what.to_string();
    if !folder.as_str().is_empty() {
        line.push_str(&format!(" of {folder}"));
    }
    line.push_str(&format!(" {} / {}", grouped(*done), grouped((*total).max(*done))));
    if seconds < 0.3 {
        return line;
    }
    if *bytes > 0 {
        line.push_str(&format!(" · {}/s", sized((*bytes as f64 / seconds) as u64)));
    }
    if *done > 0 && total > done {
        let left = (seconds / *done as f64 * (total - done) as f64) as u64;
        line.push_str(&match left {
            0..=3599 => format!(" · {}:{:02} left", left / 60, left % 60),
            _ => format!(" · {}:{:02} h left", left / 3600, left / 60 % 60),
        });
    }
    line
}

/// One report for each account, which may have had several threads; the first failure counts.
fn merged(reports: Vec<(String, Result<Report>)>) -> Vec<(String, Result<Report>)> {
    let mut all: Vec<(String, Result<Report>)> = Vec::new();
    for (name, report) in reports {
        match (all.iter_mut().find(|(known, _)| *known == name), report) {
            (None, report) => all.push((name, report)),
            (Some((_, Ok(sum))), Ok(more)) => {
                sum.new += more.new;
                sum.bytes += more.bytes;
                sum.deleted += more.deleted;
                sum.left += more.left;
                sum.pushed += more.pushed;
                sum.elsewhere = sum.elsewhere.take().or(more.elsewhere);
            }
            (Some((_, sum @ Ok(_))), Err(error)) => *sum = Err(error),
            (Some((_, Err(_))), _) => {}
        }
    }
    all
}

fn summary(report: &Report) -> String {
    let mut parts = vec![gained(report.new, report.bytes)];
    if report.pushed > 0 {
        parts.push(format!("{} {} sent", grouped(report.pushed), plural(report.pushed, "change")));
    }
    if report.deleted > 0 {
        parts.push(format!("{} deleted on the server", grouped(report.deleted)));
    }
    if report.left > 0 {
        parts.push(format!("{} left for later", grouped(report.left)));
    }
    parts.join(", ")
}

fn gained(new: u64, bytes: u64) -> String {
    match new {
        0 => "nothing new".to_owned(),
        _ => format!("{} new {}, {}", grouped(new), plural(new, "message"), sized(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};

    #[test]
    fn numbers_read_well() {
        assert_eq!(gained(0, 0), "nothing new");
        assert_eq!(gained(1, 1000), "1 new message, 1.0 kB");
    }

    #[test]
    fn an_account_with_two_threads_has_one_report() {
        let report = |new| Ok(Report { new, ..Report::default() });
        let failed = || Err(Error::new(Kind::Offline, "no way"));
        let all = merged(vec![
            ("a".into(), report(2)),
            ("a".into(), report(3)),
            ("b".into(), report(1)),
            ("b".into(), failed()),
            ("b".into(), report(9)),
        ]);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].1.as_ref().unwrap().new, 5);
        assert_eq!(all[1].1.as_ref().unwrap_err().kind(), Kind::Offline);
    }

    #[test]
    fn progress_tells_count_rate_and_time_left() {
        let progress = Progress {
            what: "messages",
            folder: Clean::line("Inbox"),
            done: 3000,
            total: 6000,
            bytes: 20_000_000,
            since: Instant::now().checked_sub(Duration::from_secs(10)).unwrap(),
        };
        assert_eq!(progress_line(&progress), "messages of Inbox 3,000 / 6,000 · 2.0 MB/s · 0:10 left");
        let begun = Progress { done: 0, bytes: 0, since: Instant::now(), ..progress };
        assert_eq!(progress_line(&begun), "messages of Inbox 0 / 6,000");
        let everywhere = Progress { folder: Clean::default(), ..begun };
        assert_eq!(progress_line(&everywhere), "messages 0 / 6,000");
    }
}
