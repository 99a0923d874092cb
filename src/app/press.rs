//! From a key or a command to what it does.

use std::collections::VecDeque;

use super::action::{Action, Motion, Step};
use super::bindings::counted;
use super::command::{self, Call, Command, Needs};
use super::compose::Deed;
use super::effect::{Effect, To};
use super::key::{Code, Key};
use super::keymap::Typed;
use super::notice::{Notice, Tone};
use super::overlay::Yes;
use super::prompt::{Edited, Prompt};
use super::scope::Focus;
use super::{App, Overlay, Pending};
use crate::engine;
use crate::model::Intent;

/// Commands that the history of the command line keeps.
const HISTORY: usize = 100;

/// Keys that wait for mails to be gathered.
const AHEAD: usize = 256;

/// Tags that the command line completes.
const TAGS: usize = 1000;

impl App {
    /// Takes a key.
    pub fn press(&mut self, key: Key) -> Vec<Effect> {
        self.catch_up();
        self.touched = true;
        self.record_key(key);
        if self.gathering.is_some() {
            if key == Key::plain(Code::Esc) {
                (self.gathering, self.ahead) = (None, VecDeque::new());
                self.say("Nothing was done");
            } else if self.ahead.len() < AHEAD {
                self.ahead.push_back(key);
            }
            return self.out();
        }
        self.press_now(key);
        self.arrange();
        self.out()
    }

    /// Does what a key says.
    pub(super) fn press_now(&mut self, key: Key) {
        if self.notice.as_ref().is_some_and(|n| n.is_read(self.now.at)) {
            self.notice = None;
        }
        match self.overlay.take() {
            Some(Overlay::Prompt(prompt)) => self.press_prompt(prompt, key),
            Some(Overlay::Ask(question)) => match key.text() {
                Some('y') => match question.yes {
                    Yes::Do(deed) => self.carry_out(deed),
                    Yes::Send(deed) => self.draft(*deed),
                },
                _ => self.say("Nothing was done"),
            },
            Some(Overlay::Quick(quick)) => self.press_quick(quick, key),
            Some(Overlay::Leaving(_)) if key == Key::plain(Code::Esc) => self.effects.push(Effect::Quit),
            Some(Overlay::Leaving(_)) => self.say("The mail is on its way; ZZ quits"),
            other => {
                self.overlay = other;
                self.press_command(key);
            }
        }
        if self.gathering.is_none() {
            self.stretch();
        }
    }

    /// Takes pasted text: into the command line, nowhere else (promise A11).
    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.drop_pending();
        match &mut self.overlay {
            Some(Overlay::Prompt(prompt)) => prompt.insert(text.trim_end_matches(['\n', '\r'])),
            Some(Overlay::Quick(quick)) => quick.paste(text, self.now.at),
            _ => self.say("Pasted text is not taken for keys: nothing was run"),
        }
        self.out()
    }

    fn press_prompt(&mut self, mut prompt: Prompt, key: Key) {
        match prompt.press(key) {
            Edited::Still => {
                self.look_up(&mut prompt);
                self.overlay = Some(Overlay::Prompt(prompt));
            }
            Edited::Left => self.in_hand = None,
            Edited::Run(line) if line.trim().is_empty() => self.in_hand = None,
            Edited::Run(line) => {
                self.history.retain(|h| *h != line);
                self.history.push(line.clone());
                let over = self.history.len().saturating_sub(HISTORY);
                self.history.drain(..over);
                match command::parse(&line) {
                    Ok((command, _)) if !command.scope.covers(self.focus) => {
                        let text = format!("`{}` does not work in the {}", command.name, self.focus.title());
                        self.notice = Some(Notice::error(&text.to_lowercase(), self.now.at));
                    }
                    Ok((command, call)) => self.call(command, &call),
                    Err(why) => self.notice = Some(Notice::error(&why, self.now.at)),
                }
            }
        }
    }

    fn press_command(&mut self, key: Key) {
        if key == Key::plain(Code::Esc) && !self.pending.is_empty() {
            return self.drop_pending();
        }
        let asked = std::mem::take(&mut self.quit_asked);
        match self.settings.keymap.press(self.place(), &mut self.pending, key) {
            Typed::More => {
                self.pending_since.get_or_insert(self.now.at);
                self.quit_asked = asked;
            }
            Typed::Unknown => {
                let typed = self.pending.print();
                self.drop_pending();
                let text = if key == Key::ctrl('c') {
                    "ZZ or :q quits".to_owned()
                } else {
                    format!("{typed} does nothing here")
                };
                self.notice = Some(Notice::calm(&text, self.now.at).hint("? shows the keys"));
            }
            Typed::Own(at, count) => {
                self.drop_pending();
                let calls = &self.settings.keymap.own()[at].calls;
                self.quit_asked = asked && calls.iter().any(|(command, _)| command.name == "back");
                self.call_own(at, count);
            }
            Typed::Run(command, count) => {
                self.drop_pending();
                self.quit_asked = asked && command.name == "back";
                self.call(command, &Call { count, ..Call::default() });
            }
        }
    }

    /// Runs what keys of the user's own stand for, until one of it asks something or does not work.
    fn call_own(&mut self, at: usize, count: Option<u32>) {
        for (command, call) in self.settings.keymap.own()[at].calls.clone() {
            if !command.scope.covers(self.place()) {
                let text = format!("`{}` does not work in the {}", command.name, self.place().title());
                self.notice = Some(Notice::error(&text.to_lowercase(), self.now.at));
                return;
            }
            let worked = self.disabled(command).is_none();
            self.call(command, &counted(command, &call, count));
            if !worked || matches!(self.overlay, Some(Overlay::Ask(_) | Overlay::Prompt(_))) {
                return;
            }
        }
    }

    fn drop_pending(&mut self) {
        self.pending = Pending::default();
        (self.pending_since, self.hints_shown) = (None, false);
    }

    /// Why a command does not work now; `None`: it does.
    #[must_use]
    pub fn disabled(&self, command: &Command) -> Option<&'static str> {
        let met = match command.needs {
            Needs::Nothing => true,
            Needs::Mail => self.list.current().is_some() || self.reader.mail().is_some(),
            Needs::Shown => self.reader.mail().is_some(),
            // Before the mail is laid out, what its row says has to do.
            Needs::Part => match self.reader.letter() {
                Some(letter) => !letter.chips.is_empty(),
                None => self.reader.mail().is_some_and(|m| m.attachments > 0),
            },
            Needs::Accounts => self.accounts.are_several(),
            Needs::Folder => self.folder_at_hand().is_some(),
        };
        (!met).then(|| command.needs.sentence())
    }

    fn call(&mut self, command: &'static Command, call: &Call) {
        match self.disabled(command) {
            Some(why) => self.say(why),
            None => self.run((command.action)(call)),
        }
    }

    pub(super) fn run(&mut self, action: Action) {
        let at = self.now.at;
        match action {
            Action::Go(motion) => self.go(motion),
            Action::Align(align) => {
                let result = self.list.align(&self.db, align);
                self.told(result);
            }
            Action::Left => self.go_left(),
            Action::Right => self.go_right(),
            Action::Open => self.open_current(),
            Action::ReadOn => self.read_on(),
            Action::Back => self.back(),
            Action::Escape => self.escape(),
            Action::JumpBack => self.jump_back(),
            Action::Step(Step::Message, by) => self.step_message(by),
            Action::Step(Step::Thread, by) => self.step_thread(by),
            Action::Step(Step::Unread, by) => self.step_unread(by < 0),
            Action::NextFolder(by) => self.step_folder(by),
            Action::UnreadFolder(by) => self.step_unread_folder(by),
            Action::GoFolder(name) => self.go_folder(&name),
            Action::GoRole(role) => self.go_role(role),
            Action::GoAll(view) => self.go_view(view),
            Action::Fold(fold) => {
                let result = self.list.fold(&self.db, fold);
                self.told(result);
            }
            Action::Join => self.join(),
            Action::Split => self.split_off(),
            Action::Find(words) => self.find(&words),
            Action::Seek(words) => self.seek(&words),
            Action::SeekOn(by) => self.seek_on(by),
            Action::Hit(by) => self.step_hit(by),
            Action::Select(select) => self.select(select),
            Action::Sort(order) => self.sort(order),
            Action::Flat => self.toggle_flat(),
            Action::Narrow(words) => self.narrow(&words),
            Action::DeleteSet(set) => self.delete_set(set),
            Action::Triage(triage, rows) => self.triage(triage, rows as usize),
            Action::Tag(text) => self.tag(&text),
            Action::Snooze(when) => self.snooze(&when, 1),
            Action::MoveTo(place) => self.transfer(&place, true),
            Action::CopyTo(place) => self.transfer(&place, false),
            Action::Repeat(rows) => self.repeat(rows as usize),
            Action::MakeFolder(path) => self.make_folder(path),
            Action::RenameFolder(path) => self.rename_folder(path),
            Action::DeleteFolder => self.delete_folder(),
            Action::EmptyTrash => self.empty_trash(),
            Action::CleanServer => self.clean_server(),
            Action::Subscribe(on) => self.subscribe(on),
            Action::Undo(_) if self.calls_back() => {}
            Action::Undo(times) => self.intend_times(&Intent::Undo, times),
            Action::Redo(times) => self.intend_times(&Intent::Redo, times),
            Action::AllHeaders => {
                let load = self.reader.toggle_headers(at);
                self.effects.extend(load.map(Effect::Load));
            }
            Action::AllQuotes => {
                let load = self.reader.toggle_quotes(at);
                self.effects.extend(load.map(Effect::Load));
            }
            Action::Raw => {
                let load = self.reader.toggle_raw(at);
                self.effects.extend(load.map(Effect::Load));
            }
            Action::Html => self.toggle_html(),
            Action::Bare => {
                self.overlay = match self.overlay {
                    Some(Overlay::Bare) => None,
                    _ => Some(Overlay::Bare),
                }
            }
            Action::Layout(name) => self.split_as(&name),
            Action::Attachments => {
                self.overlay = match self.overlay {
                    Some(Overlay::Parts(_)) => None,
                    _ => Some(Overlay::Parts(0)),
                }
            }
            Action::Save(save) => self.save(save),
            Action::Download => self.download(),
            Action::Ledger => self.open_ledger(),
            Action::Outbox => self.open_outbox(),
            Action::Write(purpose) => self.write(purpose),
            Action::Resume => self.draft(Deed::Resume),
            Action::Drafts => self.open_drafts(),
            Action::DraftFolders => self.go_drafts(),
            Action::Page(by) => self.step_page(by),
            Action::Field(field, text) => self.set_field(field, &text),
            Action::Edit => self.edit(),
            Action::Bounce(to) => self.bounce(&to),
            Action::EditAgain => self.edit_again(),
            Action::QuickReply => self.quick_reply(),
            Action::Attach(path) => self.attach(&path),
            Action::Files => self.toggle_files(),
            Action::Detach => self.detach(),
            Action::Preview => self.preview_draft(),
            Action::SendDraftAt(when) => self.send_draft_at(&when),
            Action::Send => self.send_draft(),
            Action::Discard => self.discard_draft(),
            Action::SendAt(when) => self.send_at(&when),
            Action::Settle(how) => self.settle(how),
            Action::Sync => {
                self.effects.push(Effect::Engine(engine::Command::Sync(None)));
                self.say("Asking the servers");
            }
            Action::Help => {
                self.overlay = match self.overlay {
                    Some(Overlay::Help(..)) => None,
                    _ => Some(Overlay::Help(self.place(), 0)),
                }
            }
            Action::CommandLine(text) => {
                let tags = self.db.tag_names("", TAGS);
                let tags = self.told(tags).unwrap_or_default();
                let places = self.places().into_iter().map(|place| place.name).collect();
                let prompt = Prompt::new(text, self.place(), self.history.clone());
                let prompt = prompt.with_tags(tags).with_places(places);
                let prompt = prompt.with_clock(self.now.unix, self.settings.zone.clone());
                let mut prompt = self.stock(prompt);
                self.look_up(&mut prompt);
                self.overlay = Some(Overlay::Prompt(prompt));
            }
            Action::Yank(what) => self.yank(what),
            Action::Links => self.show_links(),
            Action::Pipe(line) => self.pipe(&line),
            Action::Shell(line) => self.shell(&line),
            Action::ReadPart => self.read_part(),
            Action::OpenPart => self.open_part(),
            Action::FetchPart => self.fetch_part(),
            Action::PagePart => self.give_part(To::Pager),
            Action::OpenLink => self.open_link(),
            Action::Record => self.toggle_record(),
            Action::Play(times) => self.play(times),
            Action::Palette => self.overlay = Some(Overlay::Prompt(Prompt::palette(self.place()))),
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Quit => self.quit(),
        }
    }

    /// Moves within the place that has the keys.
    fn go(&mut self, motion: Motion) {
        let height = self.layout().map_or(1, |l| usize::from(l.body.height));
        if let Some(Overlay::Links(at)) = self.overlay {
            self.overlay = Some(Overlay::Links(self.go_links(at, motion, height)));
            return;
        }
        match &mut self.overlay {
            Some(Overlay::Files(at)) => {
                let last =
                    self.pages.shown().map_or(0, |page| page.draft.attachments.len()).saturating_sub(1);
                *at = stepped(*at, motion, height, last);
            }
            Some(Overlay::Said(said)) => {
                let last = said.lines.len().saturating_sub(height.saturating_sub(1));
                said.scroll = stepped(said.scroll, motion, height, last);
            }
            Some(Overlay::Help(_, scroll)) => *scroll = stepped(*scroll, motion, height, usize::MAX / 2),
            Some(Overlay::Parts(at)) => {
                let chips = self.reader.letter().map_or(0, |l| l.chips.len());
                *at = stepped(*at, motion, height, chips.saturating_sub(1));
            }
            _ => match self.focus {
                Focus::Reader => self.reader.go(motion),
                Focus::Folders => self.go_folders(motion),
                Focus::Ledger => self.go_ledger(motion, height),
                Focus::Compose => self.go_compose(motion, height),
                Focus::Drafts => self.move_in_drafts(motion, height),
                _ => {
                    let result = self.list.go(&self.db, motion);
                    self.told(result);
                }
            },
        }
    }

    /// Says how far help can scroll, which only drawing knows.
    pub fn clamp_help(&mut self, last: usize) {
        if let Some(Overlay::Help(_, scroll)) = &mut self.overlay {
            *scroll = (*scroll).min(last);
        }
    }

    /// Undoes one thing: a wait, a panel, the selection, a level; pending keys and prompts went before.
    fn escape(&mut self) {
        if self.overlay.take().is_some() {
            return;
        }
        if self.reader.is_waiting() && self.focus == Focus::Reader {
            return self.leave_reader();
        }
        if std::mem::take(&mut self.whole_thread) || !self.list.selection.is_empty() {
            self.list.unselect();
            return;
        }
        if self.notice.as_ref().is_some_and(|n| n.tone == Tone::Error) {
            self.notice = None;
            return;
        }
        if self.focus == Focus::List && self.widen() {
            return;
        }
        match self.focus {
            Focus::Reader => self.leave_reader(),
            Focus::Ledger => self.leave_ledger(),
            Focus::Compose => self.leave_compose(),
            Focus::Drafts => self.leave_drafts(),
            Focus::Folders => self.focus = Focus::List,
            _ => {
                self.leave_unified();
            }
        }
    }

    fn back(&mut self) {
        if self.overlay.take().is_some() {
            return;
        }
        match self.focus {
            Focus::Reader => self.leave_reader(),
            Focus::Ledger => self.leave_ledger(),
            Focus::Compose => self.leave_compose(),
            Focus::Drafts => self.leave_drafts(),
            Focus::Folders => self.focus = Focus::List,
            _ if self.quit_asked => self.quit(),
            _ => {
                if !self.leave_unified() {
                    self.quit_asked = true;
                    self.say("q again quits");
                }
            }
        }
    }
}

/// A line number after a motion, from 0 to `last`.
pub(super) fn stepped(at: usize, motion: Motion, height: usize, last: usize) -> usize {
    let times = |n: i32, lines: usize| isize::try_from(lines).unwrap_or(1).saturating_mul(n as isize);
    match motion {
        Motion::Lines(n) => at.saturating_add_signed(times(n, 1)),
        Motion::Halves(n) => at.saturating_add_signed(times(n, height / 2)),
        Motion::Pages(n) => at.saturating_add_signed(times(n, height.saturating_sub(2).max(1))),
        Motion::First => 0,
        Motion::Last => last,
    }
    .min(last)
}
