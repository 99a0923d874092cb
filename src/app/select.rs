//! Selecting: rows, ranges, and all mail of a sender, a list or a search, for the next action or to be deleted.

use std::collections::HashMap;

use super::action::{Action, Motion, Select, Set, Triage};
use super::effect::{Effect, Load, Ticket};
use super::lines::{Entry, Spot};
use super::notice::Notice;
use super::scope::Focus;
use super::{App, Overlay, some};
use crate::model::{Member, PlacementId, SortKey, ThreadId, View};
use crate::store::{Extent, Gathered};

/// Mails by conversation, newest first.
pub(super) type Selection = HashMap<ThreadId, Vec<Member>>;

/// A range: from where `v` was pressed to the cursor.
#[derive(Debug, Clone)]
pub(super) struct Range {
    from: Spot,
    place: SortKey,
    /// What was selected before.
    base: Selection,
}

/// What is done with mails once they are gathered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goal {
    /// Select them, instead of what was selected.
    All,
    /// Select what is still there of what was selected last.
    Again,
    /// Select them too.
    Add(Set),
    /// Select them and ask to delete them.
    Delete(Set),
    /// The range reaches this far.
    Range,
    /// Delete them for good, once the user said yes.
    Empty,
    /// They were looked for.
    Find,
}

/// Mails that are being gathered: the keys that follow wait for them.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) ticket: Ticket,
    pub(super) view: View,
    pub(super) goal: Goal,
}

impl App {
    pub(super) fn select(&mut self, select: Select) {
        // What is selected is told where the last message stands.
        self.notice = None;
        match select {
            Select::Rows(count) => self.select_rows(count),
            Select::Range => self.select_range(),
            Select::Again => self.select_again(),
            Select::All => {
                self.list.range = None;
                self.gather(Extent::Every, Goal::All);
            }
            Select::Set(Set::Thread) => self.select_thread(),
            Select::Set(set) => {
                if let Some(extent) = self.extent_of(&set, "select-matching") {
                    self.gather(extent, Goal::Add(set));
                }
            }
        }
    }

    /// Selects mail and deletes it: at once where all of it is on the screen, else after a question.
    pub(super) fn delete_set(&mut self, set: Set) {
        if self.list.is_shifted() {
            return self.say("The list changed under the cursor: nothing was done");
        }
        self.list.range = None;
        if set == Set::Thread {
            let Some(row) = self.list.current().map(Entry::row) else { return };
            let members = self.list.painted_members(Entry::Closed(row));
            self.list.selection = HashMap::from([(row.head.thread, members)]);
            return self.triage(Triage::Delete, 1);
        }
        if let Some(extent) = self.extent_of(&set, "delete-matching") {
            self.gather(extent, Goal::Delete(set));
        }
    }

    /// The mails that are meant as seen from the cursor; `None`: it was asked or said what is missing.
    fn extent_of(&mut self, set: &Set, asks: &str) -> Option<Extent> {
        let message = self.list.current().map(|entry| match entry {
            Entry::Closed(row) => row.head.message,
            Entry::Child(_, child) => child.summary.message,
        });
        let extent = match set {
            Set::Thread => None,
            Set::Sender => message.map(Extent::Sender),
            Set::MailingList => message.map(Extent::MailingList),
            Set::Unread => Some(Extent::Unread),
            Set::Older => self.list.place().map(Extent::Below),
            Set::Matching(words) if words.trim().is_empty() => {
                self.run(Action::CommandLine(format!("{asks} ")));
                return None;
            }
            Set::Matching(words) => Some(Extent::Words(words.clone())),
        };
        if extent.is_none() {
            self.say("There is no mail here");
        }
        extent
    }

    /// Asks for mails of the list; the keys that follow wait until they are here.
    pub(super) fn gather(&mut self, extent: Extent, goal: Goal) {
        if let Some(view) = self.list.view() {
            self.gather_in(view, extent, goal);
        }
    }

    pub(super) fn gather_in(&mut self, view: View, extent: Extent, goal: Goal) {
        self.gather_ticket += 1;
        let ticket = self.gather_ticket;
        self.gathering = Some(Gathering { ticket, view, goal });
        self.effects.push(Effect::Load(Load::Gather { ticket, view, extent, ranks: self.db.arranged() }));
    }

    /// Mails were gathered: says whether the screen changes. Keys that waited are done now.
    pub(super) fn gathered(&mut self, ticket: Ticket, result: Result<Gathered, crate::text::Clean>) -> bool {
        let Some(gathering) = self.gathering.take_if(|g| g.ticket == ticket) else { return false };
        let shown = self.list.view() == Some(gathering.view);
        match result {
            Err(why) => {
                self.ahead.clear();
                self.notice = Some(Notice::error(why.as_str(), self.now.at));
            }
            Ok(all) if gathering.goal == Goal::Empty => {
                // What was typed before the question was seen is no answer to it.
                self.ahead.clear();
                self.ask_to_empty(gathering.view, &all);
            }
            Ok(_) if !shown => self.ahead.clear(),
            Ok(all) => self.take_gathered(gathering.goal, all),
        }
        while self.gathering.is_none()
            && let Some(key) = self.ahead.pop_front()
        {
            self.press_now(key);
        }
        true
    }

    fn take_gathered(&mut self, goal: Goal, all: Gathered) {
        let rows = all.rows.len();
        let mails: usize = all.rows.iter().map(|(_, members)| members.len()).sum();
        match goal {
            Goal::All => {
                let text = if all.is_whole {
                    format!("Selected all {rows} rows, {mails} messages")
                } else {
                    format!("Selected the first {rows} rows, {mails} messages: there are more")
                };
                self.list.selection = all.rows.into_iter().collect();
                self.say(&text);
            }
            Goal::Again if rows == 0 => self.say("Nothing of it is here any more"),
            Goal::Again => self.list.selection = all.rows.into_iter().collect(),
            Goal::Range => {
                let gathered = self.list.with_held(all.rows);
                self.list.stretch_over(gathered);
            }
            Goal::Add(set) if rows == 0 => self.say(&none_of(&set)),
            Goal::Add(set) => {
                let mut text = format!("Selected {}{}", some(mails, "message"), told_of(&set, &all));
                for (thread, members) in self.gathered_rows(&set, all) {
                    let held = self.list.selection.entry(thread).or_default();
                    held.retain(|m| !members.iter().any(|x| x.placement == m.placement));
                    held.extend(members);
                }
                let whole: usize = self.list.selection.values().map(Vec::len).sum();
                if whole > mails {
                    text.push_str(&format!(", {whole} in all"));
                }
                self.say(&text);
            }
            Goal::Delete(set) if rows == 0 => self.say(&none_of(&set)),
            Goal::Delete(set) => {
                self.ahead.clear();
                if matches!(self.overlay, Some(Overlay::Prompt(_) | Overlay::Ask(_))) {
                    return self.say("Nothing was deleted: something else is open");
                }
                let which = told_of(&set, &all);
                self.list.selection = self.gathered_rows(&set, all).into_iter().collect();
                let unseen = self.list.selection.keys().any(|thread| !self.list.is_on_screen(*thread));
                self.delete_selected(&which, unseen);
            }
            Goal::Find => self.found_here(&all),
            Goal::Empty => {}
        }
    }

    /// What was gathered; of whole conversations those on the screen as they were painted.
    fn gathered_rows(&self, set: &Set, all: Gathered) -> Vec<(ThreadId, Vec<Member>)> {
        if *set != Set::Older {
            return all.rows;
        }
        let mut rows: Selection = all.rows.into_iter().collect();
        for entry in self.list.from_cursor(usize::MAX) {
            if let Some(members) = self.list.painted(entry.row().head.thread) {
                rows.insert(entry.row().head.thread, members.clone());
            }
        }
        rows.into_iter().collect()
    }

    fn select_rows(&mut self, count: u32) {
        self.list.range = None;
        let picked: Vec<_> = self
            .list
            .from_cursor(count as usize)
            .map(|e| {
                let child = matches!(e, Entry::Child(..));
                (e.row().head.thread, self.list.is_selected(e), self.list.painted_members(e), child)
            })
            .collect();
        let last = picked.len();
        for (thread, selected, members, child) in picked {
            let held = self.list.selection.entry(thread).or_default();
            held.retain(|m| (selected || child) && !members.iter().any(|x| x.placement == m.placement));
            if !selected {
                held.extend(members);
            }
            if held.is_empty() {
                self.list.selection.remove(&thread);
            }
        }
        let by = i32::try_from(last).unwrap_or(1);
        let result = self.list.go(&self.db, Motion::Lines(by));
        self.told(result);
    }

    /// Begins a range at the cursor, or ends one where it reaches now.
    fn select_range(&mut self) {
        if self.list.range.take().is_some() {
            return;
        }
        let (Some(from), Some(place)) = (self.list.spot(), self.list.place()) else { return };
        self.list.range = Some(Range { from, place, base: self.list.selection.clone() });
        self.stretch();
    }

    /// Lets the range reach to the cursor.
    pub(super) fn stretch(&mut self) {
        let Some(range) = &self.list.range else { return };
        let (from, place) = (range.from, range.place);
        let Some(here) = self.list.place() else { return };
        match self.list.line_of(from, place) {
            Some(line) => self.list.stretch_to(line),
            None => {
                let extent = Extent::Between(place.max(here), place.min(here));
                self.gather(extent, Goal::Range);
            }
        }
    }

    fn select_again(&mut self) {
        let copies: Vec<PlacementId> =
            self.list.selected_last.values().flatten().map(|member| member.placement).collect();
        if copies.is_empty() {
            return self.say("Nothing was selected here before");
        }
        self.list.range = None;
        self.gather(Extent::These(copies), Goal::Again);
    }

    fn select_thread(&mut self) {
        if self.focus == Focus::Reader {
            self.whole_thread = !self.whole_thread;
            let mails = self.reader_grasp().first().map_or(0, Vec::len);
            let text = if self.whole_thread {
                format!("The next action takes all {mails} messages of this conversation")
            } else {
                "The next action takes this message".to_owned()
            };
            return self.say(&text);
        }
        self.list.range = None;
        let Some(row) = self.list.current().map(Entry::row) else { return };
        let (thread, members) = (row.head.thread, self.list.painted_members(Entry::Closed(row)));
        if self.list.selection.get(&thread).is_some_and(|held| held.len() >= members.len()) {
            self.list.selection.remove(&thread);
        } else {
            self.list.selection.insert(thread, members);
        }
    }
}

/// ` from ada@example.org`, ` in 3 conversations`: which mails these are.
fn told_of(set: &Set, all: &Gathered) -> String {
    let most = if all.is_whole { "" } else { ", the newest of them" };
    let which = match set {
        Set::Thread => " of this conversation".to_owned(),
        Set::Sender => format!(" from {}", all.named),
        Set::MailingList => format!(" of the list {}", all.named),
        Set::Unread => " that are unread".to_owned(),
        Set::Older => format!(" in this and the older {}", some(all.rows.len(), "row")),
        Set::Matching(words) => format!(" with `{}`", words.trim()),
    };
    which + most
}

fn none_of(set: &Set) -> String {
    match set {
        Set::MailingList => "This mail is not from a mailing list".to_owned(),
        Set::Unread => "Nothing is unread here".to_owned(),
        Set::Matching(words) => format!("No subject and no sender here holds `{}`", words.trim()),
        Set::Thread | Set::Sender | Set::Older => "There is no mail here".to_owned(),
    }
}

impl super::list::List {
    /// The line on which a range began; `None`: it is not held.
    fn line_of(&self, from: Spot, place: SortKey) -> Option<usize> {
        if let Some(line) = self.lines.find(from) {
            return Some(line);
        }
        // Its row is gone: where it stood.
        let rows = &self.window.rows;
        let row = rows.partition_point(|held| held.place > place);
        let inside = (row > 0 || self.window.at_top) && (row < rows.len() || self.window.at_bottom);
        inside.then(|| self.lines.first_of(row).min(self.lines.len().saturating_sub(1)))
    }

    /// Selects the lines between this one and the cursor. What was selected before stays as it was counted.
    fn stretch_to(&mut self, line: usize) {
        let lines = line.min(self.cursor)..=line.max(self.cursor);
        let mut reached: Vec<(ThreadId, Vec<Member>)> = Vec::new();
        for entry in lines.filter_map(|at| self.lines.get(&self.window.rows, at)) {
            let (thread, members) = (entry.row().head.thread, self.painted_members(entry));
            match reached.last_mut() {
                Some((last, held)) if *last == thread => held.extend(members),
                _ => reached.push((thread, members)),
            }
        }
        self.stretch_over(reached);
    }

    /// Selects these rows and what was selected before the range began.
    fn stretch_over(&mut self, reached: Vec<(ThreadId, Vec<Member>)>) {
        let Some(range) = &self.range else { return };
        let mut selection = range.base.clone();
        for (thread, members) in reached {
            let counted = self.selection.get(&thread).filter(|held| held.len() == members.len());
            let held = selection.entry(thread).or_default();
            let members = counted.cloned().unwrap_or(members);
            held.retain(|m| !members.iter().any(|x| x.placement == m.placement));
            held.extend(members);
        }
        self.selection = selection;
    }

    /// These rows, those that were painted as they were painted.
    fn with_held(&self, rows: Vec<(ThreadId, Vec<Member>)>) -> Vec<(ThreadId, Vec<Member>)> {
        let as_painted = |(thread, members): (ThreadId, Vec<Member>)| {
            (thread, self.painted(thread).cloned().unwrap_or(members))
        };
        rows.into_iter().map(as_painted).collect()
    }
}
