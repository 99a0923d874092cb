//! Finding mail: in what is here at once, and by the servers' own search, which looks into all of it.

use super::App;
use super::action::Action;
use super::effect::Effect;
use super::lines::Spot;
use super::notice::Notice;
use super::select::Goal;
use crate::engine::{Command, Found};
use crate::model::{AccountId, FolderId, MessageId, SortKey, ThreadId, View};
use crate::store::{Extent, Gathered};
use crate::text::Clean;

/// So many conversations of what is here are gone through.
const MOST: usize = 500;

/// What was looked for, and what was found of it.
#[derive(Debug)]
pub(super) struct Finding {
    view: View,
    words: Vec<String>,
    /// The newest hit of each conversation, newest first, and which of them the cursor was put on.
    hits: Vec<(SortKey, Spot)>,
    at: Option<usize>,
    /// There are more.
    is_cut: bool,
    /// Servers that have not answered yet.
    asked: Vec<FolderId>,
    /// Mails that came because they were looked for.
    new: u64,
    /// Why a server does not search.
    trouble: Option<String>,
}

impl Finding {
    /// Takes hits in; the cursor's stays the cursor's.
    fn add(&mut self, found: Vec<(SortKey, Spot)>) {
        let current = self.at.and_then(|at| self.hits.get(at)).map(|(_, spot)| *spot);
        for (key, spot) in found {
            match self.hits.iter_mut().find(|(_, held)| held.thread == spot.thread) {
                Some(held) if held.0 < key => *held = (key, spot),
                Some(_) => {}
                None => self.hits.push((key, spot)),
            }
        }
        self.hits.sort_unstable_by_key(|(key, _)| std::cmp::Reverse(*key));
        let is = |thread: ThreadId| self.hits.iter().position(|(_, spot)| spot.thread == thread);
        self.at = current.and_then(|spot| is(spot.thread));
    }

    /// How far the search is, in words.
    fn told(&self) -> (String, Option<&'static str>) {
        let count = match (self.hits.len(), self.is_cut) {
            (0, _) => "Nothing found".to_owned(),
            (n, false) => format!("{n} found"),
            (n, true) => format!("The newest {n} found"),
        };
        let came = match self.new {
            0 => String::new(),
            1 => ", 1 mail came from the server".to_owned(),
            n => format!(", {n} mails came from the server"),
        };
        let rest = match &self.trouble {
            _ if !self.asked.is_empty() => " so far; searching on the server…".to_owned(),
            Some(why) => format!(" here; {why}"),
            None => String::new(),
        };
        let hint = (self.hits.len() > 1).then_some("n and N go from one to the next");
        (format!("{count}{came}{rest}"), hint)
    }
}

impl App {
    /// Looks for mail in which each of the words occurs, in the folders that the list shows.
    pub(super) fn find(&mut self, typed: &str) {
        let words = words(typed);
        if words.is_empty() {
            return self.run(Action::CommandLine("find ".to_owned()));
        }
        let Some(view) = self.list.view() else { return };
        let shown = |folder: &crate::model::Folder| match view {
            View::Folder(id) => folder.id == id,
            View::Unified(role) => folder.role == Some(role),
            // What is starred or put off is known here.
            View::Starred | View::Unread | View::Snoozed => false,
        };
        let far = self.accounts.live().filter(|account| !account.is_here);
        let asked: Vec<(AccountId, FolderId)> = far
            .flat_map(|account| account.folders.iter().filter(|f| shown(f)).map(|f| (account.id, f.id)))
            .collect();
        for (account, folder) in &asked {
            let (account, folder, words) = (*account, *folder, words.clone());
            self.effects.push(Effect::Engine(Command::Search { account, folder, words }));
        }
        self.finding = Some(Finding {
            view,
            words: words.clone(),
            hits: Vec::new(),
            at: None,
            is_cut: false,
            asked: asked.into_iter().map(|(_, folder)| folder).collect(),
            new: 0,
            trouble: None,
        });
        self.gather_in(view, Extent::Words(words.join(" ")), Goal::Find);
    }

    /// What is here was looked through.
    pub(super) fn found_here(&mut self, all: &Gathered) {
        let newest =
            |(_, members): &(ThreadId, Vec<crate::model::Member>)| members.first().map(|m| m.message);
        let messages: Vec<MessageId> = all.rows.iter().take(MOST).filter_map(newest).collect();
        let is_cut = all.rows.len() > MOST || !all.is_whole;
        self.take_hits(&messages, is_cut);
    }

    /// A server has searched, or cannot.
    pub(super) fn found_there(
        &mut self,
        account: AccountId,
        folder: FolderId,
        words: &[String],
        found: &Result<Found, Clean>,
    ) {
        // An answer to what was looked for before.
        let Some(finding) = self.finding.as_mut().filter(|finding| finding.words == words) else { return };
        let before = finding.asked.len();
        finding.asked.retain(|asked| *asked != folder);
        if finding.asked.len() == before {
            return;
        }
        match found {
            Ok(found) => {
                finding.new += found.new;
                self.take_hits(&found.messages, found.is_cut);
            }
            Err(why) => {
                let name = self.accounts.get(account).map(|a| a.name.to_string()).unwrap_or_default();
                finding.trouble = Some(format!("{name}: {why}"));
                self.take_hits(&[], false);
            }
        }
    }

    /// Takes hits in and says so. The cursor goes to the first one, and never away from one.
    fn take_hits(&mut self, messages: &[MessageId], is_cut: bool) {
        let Some(view) = self.finding.as_ref().map(|finding| finding.view) else { return };
        let mut found = Vec::with_capacity(messages.len());
        for message in messages {
            let row = self.db.message(*message);
            let Some(Some(mail)) = self.told(row) else { continue };
            found.push((mail.key, Spot { thread: mail.thread, message: *message }));
        }
        let Some(finding) = self.finding.as_mut() else { return };
        finding.add(found);
        finding.is_cut |= is_cut;
        let goes = finding.at.is_none() && !finding.hits.is_empty() && self.list.view() == Some(view);
        if goes {
            self.go_hit(0);
        }
        self.tell_finding();
    }

    /// To the hit so many further down.
    pub(super) fn step_hit(&mut self, by: i32) {
        let Some(finding) = &self.finding else {
            return self.say("Nothing was looked for: / does");
        };
        let (count, view) = (finding.hits.len(), finding.view);
        if count == 0 {
            return self.tell_finding();
        }
        let at = finding.at.map_or(-1, |at| i64::try_from(at).unwrap_or(0)) + i64::from(by);
        let around = at.rem_euclid(i64::try_from(count).unwrap_or(1));
        if self.list.view() != Some(view) {
            self.go_view(view);
        }
        self.go_hit(usize::try_from(around).unwrap_or(0));
        let Some(finding) = &self.finding else { return };
        let Some(place) = finding.at.map(|at| at + 1) else { return self.tell_finding() };
        let round = if at == around { "" } else { ", from the other end" };
        self.notice =
            Some(Notice::passing(&format!("{place} of {}{round}", finding.hits.len()), self.now.at));
    }

    /// Puts the cursor on a hit. One that is not there any more is forgotten, and the next one taken.
    fn go_hit(&mut self, mut at: usize) {
        while let Some(finding) = &mut self.finding
            && !finding.hits.is_empty()
        {
            at = at.min(finding.hits.len() - 1);
            finding.at = Some(at);
            let (view, spot) = (finding.view, finding.hits[at].1);
            let found = self.list.seek(&self.db, view, spot);
            if self.told(found) != Some(false) {
                return;
            }
            if let Some(finding) = &mut self.finding {
                finding.hits.remove(at);
                finding.at = None;
            }
        }
    }

    fn tell_finding(&mut self) {
        let Some(finding) = &self.finding else { return };
        let (text, hint) = finding.told();
        let notice = Notice::calm(&text, self.now.at);
        self.notice = Some(match hint {
            Some(hint) => notice.hint(hint),
            None => notice,
        });
    }
}

/// What is between blanks or quotation marks.
fn words(typed: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in typed.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.trim().to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PlacementId;

    #[test]
    fn words_are_between_blanks_or_quotation_marks() {
        assert_eq!(words(" tax  2024 "), ["tax", "2024"]);
        assert_eq!(words("tax \"two words\" x\"\"y \"open end"), ["tax", "two words", "x", "y", "open end"]);
        assert_eq!(words(" \" \" "), [""; 0]);
    }

    #[test]
    fn hits_come_in_and_the_cursor_stays_on_its_own() {
        let mut finding = Finding {
            view: View::Folder(FolderId(1)),
            words: Vec::new(),
            hits: Vec::new(),
            at: None,
            is_cut: false,
            asked: vec![FolderId(1)],
            new: 0,
            trouble: None,
        };
        let hit = |at, thread| {
            let spot = Spot { thread: ThreadId(thread), message: MessageId(at) };
            (SortKey { at, id: PlacementId(at) }, spot)
        };
        finding.add(vec![hit(5, 1), hit(3, 2)]);
        assert_eq!(finding.told().0, "2 found so far; searching on the server…");
        finding.at = Some(1);
        finding.add(vec![hit(4, 3), hit(6, 1), hit(2, 2)]);
        let threads: Vec<i64> = finding.hits.iter().map(|(_, spot)| spot.thread.0).collect();
        assert_eq!((threads, finding.at), (vec![1, 3, 2], Some(2)));
        assert_eq!(finding.hits[0].1.message, MessageId(6));
        (finding.asked, finding.new) = (Vec::new(), 1);
        assert_eq!(finding.told().0, "3 found, 1 mail came from the server");
    }
}
