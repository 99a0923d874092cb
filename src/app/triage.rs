//! Acting on mail: on exactly what was counted on the painted rows (promise A5), and back with `u`.

use std::collections::HashSet;

use super::action::{Action, Triage};
use super::effect::Effect;
use super::lines::{Entry, member};
use super::overlay::Yes;
use super::scope::Focus;
use super::tags::{Again, Change};
use super::{Advance, App, Overlay, Question, Silent, some};
use crate::model::{FlagDelta, Flags, FolderId, Intent, Member, PlacementId, Role, Target, View, is_muted};
use crate::text::{Clean, later, when};

/// One thing to do, and what the cursor does afterwards.
#[derive(Debug)]
pub(crate) struct Deed {
    pub(super) intent: Intent,
    /// The copies that leave the view.
    pub(super) leaving: HashSet<PlacementId>,
}

impl Deed {
    /// Something to do that takes nothing out of the list.
    pub(super) fn of(intent: Intent) -> Self {
        Self { intent, leaving: HashSet::new() }
    }
}

/// What an action is about: rows, each with its mails, newest first.
struct Grasp {
    rows: Vec<Vec<Member>>,
    /// Rows that were selected, or reach beyond the screen, rather than under the cursor.
    is_wide: bool,
}

impl Grasp {
    fn items(&self) -> Vec<PlacementId> {
        self.rows.iter().flatten().map(|m| m.placement).collect()
    }
}

impl App {
    /// Does something to the selected rows, else to so many from the cursor on.
    pub(super) fn triage(&mut self, triage: Triage, rows: usize) {
        if self.list.is_shifted() {
            return self.say("The list changed under the cursor: nothing was done");
        }
        let grasp = self.grasp(rows);
        if grasp.rows.iter().all(Vec::is_empty) {
            return self.say("There is no mail here");
        }
        self.again = Some(Again::Triage(triage));
        let role = self.view_role();
        let items = grasp.items();
        let moved = |to| leaving(Intent::Move { items: items.clone(), to: Target::Role(to) }, &items);
        let (deed, verb) = match (triage, role) {
            (Triage::Delete, Some(Role::Trash)) => return self.ask_to_purge(&told(&grasp), items),
            (Triage::Delete, _) => (moved(Role::Trash), "Move to Trash"),
            (Triage::Archive, Some(Role::Archive)) => return self.say("This is the archive"),
            (Triage::Archive, _) => (moved(Role::Archive), "Archive"),
            (Triage::Junk, Some(Role::Junk)) => (moved(Role::Inbox), "Move to the inbox"),
            (Triage::Junk, _) => (moved(Role::Junk), "Move to Junk"),
            (Triage::Star, _) => (self.star(&grasp), "Star or unstar"),
            (Triage::Read, _) => (self.read(&grasp), "Mark"),
            (Triage::Mute, _) => {
                let on = !self.are_muted(&items);
                let deed = Deed::of(Intent::Mute { items: items.clone(), on });
                (deed, if on { "Mute" } else { "Unmute" })
            }
        };
        self.decide(&grasp, verb, "", deed);
    }

    /// Does it; with more rows than are on the screen after a question (promise A1).
    fn decide(&mut self, grasp: &Grasp, verb: &str, place: &str, deed: Deed) {
        if grasp.is_wide && grasp.rows.len() > self.list.height() {
            return self.ask(&format!("{verb} {}{place}? y/n", told(grasp)), deed);
        }
        self.carry_out(deed);
    }

    fn ask_to_purge(&mut self, which: &str, items: Vec<PlacementId>) {
        let accounts = self.accounts_shown();
        let text = format!("Delete {which} for good, {}? y/n", self.goes_from(&accounts));
        self.ask(&text, leaving(Intent::Purge { items: items.clone() }, &items));
    }

    /// Deletes what is selected, which is told as `which`; where some of it is `unseen`, after a question.
    pub(super) fn delete_selected(&mut self, which: &str, unseen: bool) {
        let items = self.grasp(1).items();
        let which = some(items.len(), "message") + which;
        if self.view_role() == Some(Role::Trash) {
            return self.ask_to_purge(&which, items);
        }
        let to = Target::Role(Role::Trash);
        let deed = leaving(Intent::Move { items: items.clone(), to }, &items);
        if unseen {
            return self.ask(&format!("Move {which} to Trash? y/n"), deed);
        }
        self.carry_out(deed);
    }

    /// Moves or copies the selected rows, else so many from the cursor on, to a folder of any account.
    pub(super) fn transfer_to(&mut self, folder: FolderId, away: bool, rows: usize) {
        if self.grasped(rows).is_none() {
            return;
        }
        let grasp = self.grasp(rows);
        self.again = Some(Again::Transfer(folder, away));
        let (items, to) = (grasp.items(), Target::Folder(folder));
        let deed = if away {
            leaving(Intent::Move { items: items.clone(), to }, &items)
        } else {
            Deed::of(Intent::Copy { items, to })
        };
        let verb = if away { "Move" } else { "Copy" };
        let place = self.accounts.folder(folder).map(|f| f.path.to_string()).unwrap_or_default();
        self.decide(&grasp, verb, &format!(" to {place}"), deed);
    }

    /// Puts off until a time that was typed, or ends that; asks where nothing was typed.
    pub(super) fn snooze(&mut self, typed: &str, rows: usize) {
        if typed.trim().is_empty() {
            return self.run(Action::CommandLine("snooze ".to_owned()));
        }
        if typed.trim() == "now" {
            return self.put_off(None, String::new(), rows);
        }
        match later::parse(typed, self.now.unix, &self.settings.zone) {
            Ok(at) => self.put_off(Some(at), when::long(at, self.now.unix, &self.settings.zone), rows),
            Err(why) => self.fail(&why),
        }
    }

    /// Hides the selected rows, else so many from the cursor on, until a time; without one wakes them.
    pub(super) fn put_off(&mut self, until: Option<i64>, said: String, rows: usize) {
        let Some(items) = self.grasped(rows) else { return };
        if until.is_some_and(|at| at <= self.now.unix) {
            return self.fail("that time is past");
        }
        if let Some(until) = until {
            self.again = Some(Again::Snooze(until, said.clone()));
        }
        let is_snoozed = self.list.view() == Some(View::Snoozed);
        let leaves = until.is_some() != is_snoozed;
        let intent = Intent::Snooze { items: items.clone(), until, said };
        let deed = if leaves { leaving(intent, &items) } else { Deed::of(intent) };
        let grasp = self.grasp(rows);
        self.decide(&grasp, if until.is_some() { "Snooze" } else { "Wake" }, "", deed);
    }

    /// Sets and clears tags on the selected rows, else on so many from the cursor on.
    pub(super) fn change_tags(&mut self, change: Change, rows: usize) {
        let Some(items) = self.grasped(rows) else { return };
        self.again = Some(Again::Tags(change.clone()));
        let intent = Intent::Tag { items, add: change.add, del: change.del };
        let grasp = self.grasp(rows);
        self.decide(&grasp, "Change the tags of", "", Deed::of(intent));
    }

    /// The copies that an action is about; `None`: it was said why there are none.
    pub(super) fn grasped(&mut self, rows: usize) -> Option<Vec<PlacementId>> {
        if self.list.is_shifted() {
            self.say("The list changed under the cursor: nothing was done");
            return None;
        }
        let items = self.grasp(rows).items();
        if items.is_empty() {
            self.say("There is no mail here");
            return None;
        }
        Some(items)
    }

    pub(super) fn ask(&mut self, text: &str, yes: Deed) {
        self.overlay = Some(Overlay::Ask(Question { text: Clean::line(text), yes: Yes::Do(yes) }));
    }

    /// What an action is about.
    fn grasp(&self, count: usize) -> Grasp {
        let leaving = &self.flight.leaving;
        let stays = |members: Vec<Member>| -> Vec<Member> {
            members.into_iter().filter(|m| !leaving.contains(&m.placement)).collect()
        };
        let selection = &self.list.selection;
        let (rows, is_wide): (Vec<_>, _) = if self.focus == Focus::Reader {
            (self.reader_grasp().into_iter().map(stays).collect(), false)
        } else if selection.is_empty() {
            let lines = self.list.from_cursor(count).map(|e| stays(self.list.painted_members(e)));
            (lines.filter(|l| !l.is_empty()).collect(), count > self.list.height())
        } else {
            let mut rows: Vec<_> = selection.values().cloned().map(stays).collect();
            // In the order of the list as near as can be: undo goes to the first of them.
            rows.sort_by_key(|r| std::cmp::Reverse(r.first().map(|m| m.placement)));
            (rows, true)
        };
        let expected = |m: &mut Member| {
            if let Some(delta) = self.flight.flags.get(&m.message) {
                m.flags = delta.apply(m.flags);
            }
        };
        let mut grasp = Grasp { rows, is_wide };
        grasp.rows.iter_mut().flatten().for_each(expected);
        grasp
    }

    /// The mail in the reader; after `V` its whole conversation as it is in the view.
    pub(super) fn reader_grasp(&self) -> Vec<Vec<Member>> {
        let Some(mail) = self.reader.mail() else { return Vec::new() };
        if self.whole_thread
            && let Some(row) = self.list.held().find(|r| r.head.thread == mail.thread)
        {
            return vec![row.members.clone()];
        }
        vec![vec![member(mail)]]
    }

    /// Any row without a star: star the newest of those; else take all stars away.
    fn star(&self, grasp: &Grasp) -> Deed {
        let starred = |m: &&Member| m.flags.has(Flags::FLAGGED);
        let bare: Vec<_> = grasp.rows.iter().filter(|r| !r.iter().any(|m| starred(&m))).collect();
        let (items, delta) = if bare.is_empty() {
            (grasp.rows.iter().flatten().filter(starred).copied().collect(), FlagDelta::del(Flags::FLAGGED))
        } else {
            (bare.iter().filter_map(|r| r.first()).copied().collect(), FlagDelta::add(Flags::FLAGGED))
        };
        flagging(items, delta)
    }

    /// Whether all conversations of these mails are muted, as far as it is known here.
    fn are_muted(&self, items: &[PlacementId]) -> bool {
        let items: HashSet<_> = items.iter().collect();
        let rows = self.list.held().filter(|row| row.members.iter().any(|m| items.contains(&m.placement)));
        let mail = self.reader.mail().filter(|mail| items.contains(&mail.placement));
        let mut tags = rows.map(|row| &row.tags).chain(mail.map(|mail| &mail.tags)).peekable();
        tags.peek().is_some() && tags.all(|tags| is_muted(tags))
    }

    /// Any unread: all read; else all unread.
    fn read(&self, grasp: &Grasp) -> Deed {
        let all: Vec<Member> = grasp.rows.iter().flatten().copied().collect();
        let unread: Vec<_> = all.iter().filter(|m| !m.flags.has(Flags::SEEN)).copied().collect();
        if unread.is_empty() {
            flagging(all, FlagDelta::del(Flags::SEEN))
        } else {
            flagging(unread, FlagDelta::add(Flags::SEEN))
        }
    }

    /// Hands a deed to the store, and lets the cursor go on.
    pub(super) fn carry_out(&mut self, deed: Deed) {
        let Deed { intent, leaving } = deed;
        self.explain = self.unexplained(&intent);
        self.outgoing.overtaken();
        let flags = match &intent {
            Intent::Flag { items, delta, .. } => Some((items.clone(), *delta)),
            _ => None,
        };
        self.effects.push(Effect::Intend(intent));
        self.flight.asked.push_back(Silent(false));
        self.list.unselect();
        self.whole_thread = false;
        if let Some((items, delta)) = flags {
            let items: HashSet<_> = items.into_iter().collect();
            if self.reader.mail().is_some_and(|m| items.contains(&m.placement)) {
                self.reader.leave_unmarked();
            }
            let members: Vec<_> = self.known_members().filter(|m| items.contains(&m.placement)).collect();
            self.flight.flags.extend(members.into_iter().map(|m| (m.message, delta)));
        }
        if leaving.is_empty() {
            return;
        }
        let was = self.reader.mail().cloned();
        self.flight.leaving.extend(leaving);
        if self.focus == Focus::Reader {
            return self.go_on_reading(was.map(|m| m.placement));
        }
        let result = self.list.leave(&self.db, &self.flight.leaving, self.settings.advance);
        self.told(result);
    }

    /// After the mail in the reader left: the next of its conversation, else the next conversation.
    fn go_on_reading(&mut self, left: Option<PlacementId>) {
        let stays = |p: PlacementId| !self.flight.leaving.contains(&p);
        let advance = self.settings.advance;
        let next = self.reader.conversation().and_then(|(mails, at)| {
            let mut after = mails[at + 1..].iter().filter(|m| stays(m.placement));
            let next = match advance {
                Advance::Next => after.next(),
                Advance::Unread => after.find(|m| !m.flags.has(Flags::SEEN)),
                Advance::Previous => mails[..at].iter().rev().find(|m| stays(m.placement)),
                Advance::List => None,
            };
            next.map(|m| (m.thread, m.message))
        });
        if let Some((thread, message)) = next {
            return self.show(thread, message);
        }
        let before = self.list.spot();
        let result = self.list.leave(&self.db, &self.flight.leaving, advance);
        let other =
            |e: Entry<'_>| e.members().iter().any(|m| stays(m.placement) && Some(m.placement) != left);
        let moved = self.list.spot() != before || self.list.current().is_some_and(other);
        self.told(result);
        if moved && advance != Advance::List { self.show_current() } else { self.focus = Focus::List }
    }

    /// Every mail whose flags are known here.
    fn known_members(&self) -> impl Iterator<Item = Member> {
        let of_rows = self.list.held().flat_map(|r| r.members.iter().copied());
        of_rows.chain(self.reader.conversation().into_iter().flat_map(|(mails, _)| mails.iter().map(member)))
    }

    pub(super) fn intend_times(&mut self, intent: &Intent, times: u32) {
        self.outgoing.overtaken();
        for _ in 0..times.min(100) {
            self.effects.push(Effect::Intend(intent.clone()));
            self.flight.asked.push_back(Silent(false));
        }
    }
}

fn leaving(intent: Intent, items: &[PlacementId]) -> Deed {
    Deed { intent, leaving: items.iter().copied().collect() }
}

fn flagging(members: Vec<Member>, delta: FlagDelta) -> Deed {
    let items = members.into_iter().map(|m| m.placement).collect();
    Deed { intent: Intent::Flag { items, delta, undoable: true }, leaving: HashSet::new() }
}

/// `3 conversations (7 messages)`.
fn told(grasp: &Grasp) -> String {
    let (rows, mails) = (grasp.rows.iter().filter(|r| !r.is_empty()).count(), grasp.items().len());
    if rows == mails {
        some(mails, "message")
    } else {
        format!("{} ({})", some(rows, "conversation"), some(mails, "message"))
    }
}
