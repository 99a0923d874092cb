//! What arrives: changes of the store, what the engines tell, what was loaded.

use std::collections::HashSet;

use super::App;
use super::effect::{Effect, Loaded};
use super::lines::Spot;
use super::notice::Notice;
use super::scope::Focus;
use crate::engine::Event;
use crate::model::{FolderId, MessageId, Outcome, Place, View};
use crate::store::Changed;

/// Changes of the store that wait to be looked at, as one.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    is_news: bool,
    foreign: bool,
    folders_changed: bool,
    folders: HashSet<FolderId>,
    messages: HashSet<MessageId>,
    outcomes: Vec<Outcome>,
}

impl Backlog {
    fn add(&mut self, changed: Changed) {
        self.is_news = true;
        self.foreign |= changed.foreign;
        let quiet = changed.folders.is_empty() && changed.accounts.is_empty() && changed.ops.is_empty();
        self.folders_changed |= !quiet;
        self.folders.extend(changed.folders);
        self.messages.extend(changed.messages);
        self.outcomes.extend(changed.outcome);
    }
}

impl App {
    /// The store changed. What is shown of it is read anew before the next key or frame, once for many.
    pub fn on_changed(&mut self, changed: Changed) {
        self.backlog.add(changed);
    }

    /// Reads anew what is shown of what changed.
    pub fn look_again(&mut self) -> Vec<Effect> {
        self.catch_up();
        self.out()
    }

    pub(super) fn catch_up(&mut self) {
        let news = std::mem::take(&mut self.backlog);
        if !news.is_news {
            return;
        }
        if news.foreign || news.folders_changed {
            let result = self.accounts.read(&self.db);
            let is_read = self.told(result).is_some();
            if self.list.view().is_none() {
                self.open_first();
            }
            if is_read {
                self.leave_lost_folder();
            }
        }
        // What was opened from a list of unread mail stays in it until the reader is left: the next row is the next.
        let is_read_only = self.flight.asked.iter().take(news.outcomes.len()).all(|silent| silent.0);
        let stays = self.list.view() == Some(View::Unread) && self.focus == Focus::Reader && is_read_only;
        for outcome in &news.outcomes {
            self.landed(outcome);
        }
        if self.is_shown(&news) && !stays {
            let result = self.list.refresh(&self.db);
            self.told(result);
            self.rank_again();
        }
        let open = self.reader.mail().map(|m| (m.message, m.folder));
        if open.is_some_and(|(mail, folder)| {
            news.foreign || news.messages.contains(&mail) || news.folders.contains(&folder)
        }) {
            self.refresh_reader();
        }
        if news.foreign || news.folders_changed {
            self.read_outgoing();
            self.refresh_ledger();
            self.refresh_drafts();
            self.look_at_pages();
        }
        if !matches!(self.focus, Focus::Ledger | Focus::Drafts | Focus::Compose)
            && let Some(place) = news.outcomes.iter().rev().find_map(|o| o.place)
        {
            self.go_place(place);
        }
        self.arrange();
    }

    /// Whether the list shows something of what changed.
    fn is_shown(&self, news: &Backlog) -> bool {
        if news.foreign || !news.outcomes.is_empty() {
            return true;
        }
        match self.list.view() {
            Some(View::Folder(folder)) => news.folders.contains(&folder),
            Some(view) => {
                let role = |f: FolderId| self.accounts.folder(f).and_then(|f| f.role);
                news.folders.iter().any(|f| view.may_hold(*f, role(*f)))
            }
            None => false,
        }
    }

    pub(super) fn open_first(&mut self) {
        if let Some(view) = self.first_view() {
            let result = self.list.open(&self.db, view);
            self.told(result);
            self.look(view);
        }
    }

    /// An intent was carried out, or was not.
    fn landed(&mut self, outcome: &Outcome) {
        let silent = self.flight.asked.pop_front().is_some_and(|s| s.0);
        if self.flight.asked.is_empty() || outcome.error.is_some() {
            self.flight.leaving.clear();
            self.flight.flags.clear();
        }
        if let Some(error) = &outcome.error {
            self.notice = Some(Notice::error(error, self.now.at));
        } else if !outcome.label.is_empty() && !silent {
            let mut notice = Notice::calm(&capitalised(&outcome.label), self.now.at);
            if outcome.undoable {
                notice = notice.hint(self.explained().unwrap_or("u undoes"));
            }
            self.notice = Some(notice);
        }
    }

    /// Goes where an undo put its mail back.
    fn go_place(&mut self, place: Place) {
        let mail = self.db.message(place.message);
        let Some(Some(mail)) = self.told(mail) else { return };
        let spot = Spot { thread: mail.thread, message: place.message };
        let within = match self.list.view() {
            Some(View::Folder(folder)) => folder == place.folder,
            Some(View::Unified(role)) => {
                self.accounts.folder(place.folder).is_some_and(|f| f.role == Some(role))
            }
            Some(View::Starred | View::Unread | View::Snoozed) | None => false,
        };
        let role = self.accounts.folder(place.folder).and_then(|f| f.role);
        let view = match (self.list.view(), role) {
            (Some(view), _) if within => view,
            (Some(View::Unified(_)), Some(role)) => View::Unified(role),
            _ => View::Folder(place.folder),
        };
        if !within {
            self.go_view(view);
        }
        let found = self.list.seek(&self.db, view, spot);
        if self.told(found) == Some(true) && self.focus == Focus::Reader {
            self.show_current();
        }
    }

    /// An engine tells something.
    pub fn on_event(&mut self, event: &Event) -> Vec<Effect> {
        self.accounts.take(event);
        if let Event::Trouble { account, text, hint } = event {
            let name = self.accounts.get(*account).map(|a| a.name.to_string()).unwrap_or_default();
            let mut notice = Notice::error(&format!("{name}: {text}"), self.now.at);
            notice.hint.clone_from(hint);
            self.notice = Some(notice);
        }
        if let Event::Found { account, folder, words, found } = event {
            self.catch_up();
            self.found_there(*account, *folder, words, found);
        }
        if let Event::Alert { account, text } = event {
            let name = self.accounts.get(*account).map(|a| a.name.to_string()).unwrap_or_default();
            self.notice = Some(Notice::error(&format!("{name}: the server says: {text}"), self.now.at));
        }
        self.out()
    }

    /// Something was loaded. Says whether the screen changes.
    pub fn on_loaded(&mut self, loaded: Loaded) -> (bool, Vec<Effect>) {
        let news = match loaded {
            Loaded::Mail { ticket, result } => self.reader.loaded(ticket, result),
            Loaded::Gathered { ticket, result } => self.gathered(ticket, result),
            Loaded::Ranked { ticket, result } => self.ranked(ticket, result),
            Loaded::Cleanable { account, result } => {
                let wanted = self.counting.take_if(|asked| *asked == account).is_some();
                match result {
                    Ok(found) if wanted => self.ask_to_clean(account, found),
                    Err(why) if wanted => self.fail(why.as_str()),
                    _ => {}
                }
                wanted
            }
            Loaded::Drafted(result) => {
                self.catch_up();
                self.drafted(result);
                true
            }
            Loaded::People { typed, result } => {
                self.people_found(typed, result);
                true
            }
            Loaded::Files { dir, names } => {
                self.files_found(dir, names);
                true
            }
            Loaded::Saved(Ok(text)) => {
                self.say(text.as_str());
                true
            }
            Loaded::Given(result) => {
                self.given(result);
                true
            }
            Loaded::Browsed(Ok(())) => false,
            Loaded::Browsed(Err(why)) | Loaded::Saved(Err(why)) => {
                self.notice = Some(Notice::error(why.as_str(), self.now.at));
                true
            }
        };
        self.arrange();
        (news, self.out())
    }
}

fn capitalised(label: &str) -> String {
    let mut chars = label.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
