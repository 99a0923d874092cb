//! Opening mail: the reader and the preview, the next and the previous, and what counts as read.

use std::collections::HashSet;

use super::action::Save;
use super::effect::{Effect, Load, Piece};
use super::lines::{Entry, Spot};
use super::notice::Notice;
use super::scope::Focus;
use super::{App, Overlay, Silent};
use crate::engine;
use crate::error::Result;
use crate::model::{
    BodyState, FlagDelta, Flags, Intent, MessageId, PlacementId, Role, SortKey, Summary, ThreadId, View,
};

impl App {
    /// Opens what the cursor is on.
    pub(super) fn open_current(&mut self) {
        match self.focus {
            Focus::Folders => self.focus = Focus::List,
            Focus::Ledger => self.toggle_details(),
            Focus::Drafts => self.open_draft(),
            Focus::List => {
                let Some((thread, first)) = self.list.current().map(|e| (e.row().head.thread, e.message()))
                else {
                    return;
                };
                // What the preview shows is what is opened.
                let shown = self.reader.mail().map(|m| m.message).filter(|m| self.stands_for(*m));
                self.focus = Focus::Reader;
                self.show(thread, shown.unwrap_or(first));
                self.keep_place();
            }
            _ => {}
        }
    }

    /// Whether the line under the cursor stands for this mail.
    fn stands_for(&self, message: MessageId) -> bool {
        self.list.current().is_some_and(|entry| match entry {
            Entry::Closed(row) => row.members.iter().any(|m| m.message == message),
            Entry::Child(_, child) => child.summary.message == message,
        })
    }

    /// Shows in the preview what the cursor is on.
    pub(super) fn preview(&mut self) {
        let Some(entry) = self.list.current() else { return self.reader.close() };
        let thread = entry.row().head.thread;
        // As long as the cursor stays, so does the mail, though others of its conversation are read or arrive.
        let message = match self.reader.mail() {
            Some(mail) if self.stands_for(mail.message) => mail.message,
            _ => entry.message(),
        };
        if self.reader.mail().map(|m| m.message) != Some(message) {
            self.show(thread, message);
        }
    }

    /// Shows a mail in the reader.
    pub(super) fn show(&mut self, thread: ThreadId, message: MessageId) {
        self.whole_thread = false;
        let mails = self.conversation(thread, message);
        let Some(mails) = self.told(mails) else { return };
        let load = self.reader.show(mails, message, self.now.at);
        self.effects.extend(load.map(Effect::Load));
        self.fetch_body();
    }

    /// Asks for the text where it is not here.
    fn fetch_body(&mut self) {
        if let Some((account, message)) =
            self.reader.mail().filter(|_| self.reader.lacks_body()).map(|m| (m.account, m.message))
        {
            self.effects.push(Effect::Engine(engine::Command::Fetch { account, message }));
        }
    }

    /// Reads the open conversation anew after the store changed.
    pub(super) fn refresh_reader(&mut self) {
        let Some((thread, message)) = self.reader.mail().map(|m| (m.thread, m.message)) else { return };
        let mails = self.conversation(thread, message);
        let Some(mails) = self.told(mails) else { return };
        if mails.iter().any(|m| m.message == message) {
            let load = self.reader.show(mails, message, self.now.at);
            self.effects.extend(load.map(Effect::Load));
        } else if self.focus == Focus::Reader {
            // It was taken away: by this user, then the reader has gone on already, or by someone else.
            self.leave_reader();
            self.say("The mail is not here any more");
        }
    }

    /// The mails of a conversation, each once, oldest first: those of the view, and those elsewhere that are
    /// neither deleted nor junk nor drafts.
    fn conversation(&self, thread: ThreadId, message: MessageId) -> Result<Vec<Summary>> {
        let view = self.list.view();
        let role = |s: &Summary| self.accounts.folder(s.folder).and_then(|f| f.role);
        let here = |s: &Summary| view.is_some_and(|view| view.may_hold(s.folder, role(s)));
        let mut mails = self.db.thread(thread)?;
        let held: HashSet<_> = mails.iter().filter(|s| here(s)).map(|s| s.message).collect();
        let mut seen = HashSet::new();
        mails.retain(|s| {
            let aside = matches!(role(s), Some(Role::Trash | Role::Junk | Role::Drafts));
            let wanted =
                here(s) || !held.contains(&s.message) && (!aside || s.message == message && held.is_empty());
            wanted && seen.insert(s.message)
        });
        Ok(mails)
    }

    /// Leaves the reader for the list.
    pub(super) fn leave_reader(&mut self) {
        self.whole_thread = false;
        self.focus = Focus::List;
        if self.list.view() == Some(View::Unread) {
            let result = self.list.refresh(&self.db);
            self.told(result);
        }
        if let Some(spot) = self.reader_spot() {
            let view = self.list.view();
            let found = view.map(|view| self.list.seek(&self.db, view, spot));
            found.map(|f| self.told(f));
        }
    }

    fn reader_spot(&self) -> Option<Spot> {
        self.reader.mail().map(|m| Spot { thread: m.thread, message: m.message })
    }

    /// The mail that is on the screen counts as read.
    pub(super) fn mark_shown(&mut self) {
        if let Some(mail) = self.reader.mark() {
            self.effects.push(Effect::Intend(Intent::Flag {
                items: vec![mail.placement],
                delta: FlagDelta::add(Flags::SEEN),
                undoable: false,
            }));
            self.flight.asked.push_back(Silent(true));
        }
    }

    /// Down a page; at the end stop once, then the next unread mail.
    pub(super) fn read_on(&mut self) {
        if !self.reader.is_at_end() {
            return self.reader.go(super::action::Motion::Pages(1));
        }
        if !std::mem::replace(&mut self.reader.stopped, true) {
            let text = "The end: Space goes on to the next unread";
            self.notice = Some(Notice::passing(text, self.now.at));
            return;
        }
        self.step_unread(false);
    }

    /// To the mail so many further on: of the conversation, then of the next ones.
    pub(super) fn step_message(&mut self, by: i32) {
        for _ in 0..by.unsigned_abs() {
            let inside = self.reader.conversation().and_then(|(mails, at)| {
                let to = if by < 0 { at.checked_sub(1)? } else { at + 1 };
                mails.get(to).map(|m| (m.thread, m.message))
            });
            if let Some((thread, message)) = inside {
                self.show(thread, message);
                self.follow_reader();
                continue;
            }
            if !self.step_row(by.signum()) {
                let end = if by < 0 { "This is the first message" } else { "This is the last message" };
                return self.say(end);
            }
            if by < 0
                && let Some((thread, message)) = self
                    .reader
                    .conversation()
                    .and_then(|(mails, _)| mails.last())
                    .map(|m| (m.thread, m.message))
            {
                self.show(thread, message);
            }
        }
    }

    /// To the conversation so many further on.
    pub(super) fn step_thread(&mut self, by: i32) {
        if !self.step_row(by) {
            let end = if by < 0 { "This is the first conversation" } else { "This is the last conversation" };
            self.say(end);
        }
    }

    /// Moves the list by conversations; the reader, if it has the keys, goes along.
    fn step_row(&mut self, by: i32) -> bool {
        let result = self.list.step_thread(&self.db, by);
        let moved = self.told(result).unwrap_or(false);
        if moved && self.focus == Focus::Reader {
            self.show_current();
        }
        moved
    }

    /// Shows in the reader what the cursor of the list is on.
    pub(super) fn show_current(&mut self) {
        if let Some((thread, message)) = self.list.current().map(|e| (e.row().head.thread, e.message())) {
            self.show(thread, message);
        }
    }

    /// Puts the cursor of the list on the mail in the reader.
    fn follow_reader(&mut self) {
        if let (Some(view), Some(spot)) = (self.list.view(), self.reader_spot()) {
            let result = self.list.seek(&self.db, view, spot);
            self.told(result);
        }
    }

    /// To the next (or previous) unread mail of this list, beginning again at the other end.
    pub(super) fn step_unread(&mut self, backwards: bool) {
        if self.focus == Focus::Reader
            && let Some((mails, at)) = self.reader.conversation()
        {
            let unread = |m: &&Summary| !m.flags.has(Flags::SEEN);
            let next = if backwards {
                mails[..at].iter().rev().find(unread)
            } else {
                mails[at + 1..].iter().find(unread)
            };
            if let Some((thread, message)) = next.map(|m| (m.thread, m.message)) {
                self.show(thread, message);
                return self.follow_reader();
            }
        }
        let found = self.find_unread(backwards);
        match self.told(found) {
            Some(true) if self.focus == Focus::Reader => self.show_current(),
            Some(false) => self.say("Nothing else is unread here"),
            _ => {}
        }
    }

    fn find_unread(&mut self, backwards: bool) -> Result<bool> {
        if self.list.step_unread(&self.db, backwards)? {
            return Ok(true);
        }
        let (Some(view), Some(here)) = (self.list.view(), self.list.spot()) else { return Ok(false) };
        if let Some(from) = self.list.edge(backwards)
            && let Some(spot) = self.unread_beyond(view, from, backwards)?
        {
            return self.list.seek(&self.db, view, spot);
        }
        // Round to the other end, and back here.
        let end = if backwards {
            SortKey { at: i64::MIN, id: PlacementId(i64::MIN) }
        } else {
            SortKey { at: i64::MAX, id: PlacementId(i64::MAX) }
        };
        match self.unread_beyond(view, end, backwards)? {
            Some(spot) if spot.thread != here.thread => {
                self.say(if backwards { "From the bottom" } else { "From the top" });
                self.list.seek(&self.db, view, spot)
            }
            _ => Ok(false),
        }
    }

    /// The next conversation with something unread that stands beyond a place.
    fn unread_beyond(&self, view: View, from: SortKey, backwards: bool) -> Result<Option<Spot>> {
        let Some(key) = self.db.next_unread(view, from, backwards)? else { return Ok(None) };
        Ok(self.db.summary(key.id)?.map(|m| Spot { thread: m.thread, message: m.message }))
    }

    pub(super) fn download(&mut self) {
        let mail = match self.focus {
            Focus::Reader => self.reader.mail().cloned(),
            _ => self.list.current().map(|e| match e {
                Entry::Closed(row) => row.head.clone(),
                Entry::Child(_, child) => child.summary.clone(),
            }),
        };
        let Some(mail) = mail else { return };
        if mail.body == BodyState::Whole {
            return self.say("All of this mail is here");
        }
        let (account, message) = (mail.account, mail.message);
        self.effects.push(Effect::Engine(engine::Command::Fetch { account, message }));
        self.say("Fetching the rest of this mail");
    }

    pub(super) fn save(&mut self, save: Save) {
        let Some(message) = self.reader.mail().map(|m| m.message) else { return };
        let what = match (save, &self.overlay, self.reader.letter()) {
            (Save::Mail, ..) => Piece::Mail,
            (Save::All, ..) => Piece::Parts,
            (Save::One, Some(Overlay::Parts(at)), Some(letter)) => match letter.chips.get(*at) {
                Some(chip) => Piece::Part(chip.part),
                None => return,
            },
            (Save::One, ..) => return,
        };
        let dir = self.settings.downloads.clone();
        self.effects.push(Effect::Load(Load::Save { message, what, dir }));
    }

    pub(super) fn toggle_html(&mut self) {
        if self.reader.letter().is_some_and(|l| !l.has_choice) {
            return self.say("This mail has only one form");
        }
        let load = self.reader.toggle_html(self.now.at);
        self.effects.extend(load.map(Effect::Load));
    }
}
