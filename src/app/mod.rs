//! What the user is doing: state, keys and commands, without drawing and without I/O but reading pages.

pub mod accounts;
pub mod action;
mod attach;
pub mod bindings;
pub mod command;
mod commands;
mod complete;
pub mod compose;
pub mod drafts;
pub mod effect;
mod empty;
mod find;
pub mod folders;
pub mod give;
mod go;
mod join;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod ledger;
pub mod letter;
pub mod lines;
pub mod list;
pub mod maildrop;
mod moves;
mod news;
pub mod notice;
mod once;
mod open;
mod outgoing;
mod overlay;
pub mod pages;
mod press;
pub mod prompt;
pub mod quick;
pub mod reader;
mod record;
mod resume;
pub mod scope;
mod seek;
mod select;
mod shape;
pub mod sort;
pub mod tags;
pub mod targets;
pub mod textarea;
mod triage;
pub mod window;
mod yank;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use crate::config::Advance;
use crate::error::Result;
use crate::model::{AccountId, FlagDelta, MessageId, PlacementId, Role, View};
use crate::store::Reader;
use crate::text::Clean;

use accounts::{Accounts, Identity};
use drafts::Drafts;
use effect::Effect;
use keymap::{Keymap, Pending};
use layout::{Layout, Split};
use ledger::Ledger;
use lines::Spot;
use list::List;
use notice::Notice;
pub use outgoing::Countdown;
pub use overlay::{Overlay, Question};
use pages::Pages;
use reader::Reading;
use scope::Focus;

/// What does not change while the program runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who the user is, one for each account, in the order in which they are shown.
    pub me: Vec<Identity>,
    /// How long the preview shows a mail before it counts as read; `None`: never.
    pub mark_read_after: Option<Duration>,
    /// Where the cursor goes when mail leaves the list.
    pub advance: Advance,
    /// The zone in which times are typed and told (promise A10).
    pub zone: TimeZone,
    /// Where attachments are saved.
    pub downloads: PathBuf,
    /// As whom mail can be written, as From says it.
    pub senders: Vec<String>,
    /// What opens a link: a program and what it takes before the link; `None`: there is none here.
    pub browser: Option<Vec<String>>,
    /// What opens files on the desktop; `None`: there is none here.
    pub opener: Option<Vec<String>>,
    /// The keys.
    pub keymap: Keymap,
    /// What waits for the user from the start: what it is, and what answers it.
    pub asks: Vec<(Clean, Clean)>,
}

/// The moment at which something is handled: `App` never looks at a clock.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For what lasts.
    pub at: Instant,
    /// Unix seconds, for dates.
    pub unix: i64,
}

/// What was asked of the store and is not answered yet, so that keys typed ahead mean what they say.
#[derive(Debug, Default)]
struct Flight {
    /// One for each intent, in the order in which they will be answered.
    asked: VecDeque<Silent>,
    leaving: HashSet<PlacementId>,
    flags: HashMap<MessageId, FlagDelta>,
}

/// The state of the program, as the user sees it.
#[derive(Debug)]
pub struct App {
    db: Reader,
    settings: Settings,
    /// Now.
    pub now: Now,
    size: (u16, u16),
    /// The pane that has the keys.
    pub focus: Focus,
    /// What stands over it.
    pub overlay: Option<Overlay>,
    /// Keys of a command that is not whole.
    pub pending: Pending,
    pending_since: Option<Instant>,
    /// Whether what may follow the pending keys is shown.
    pub hints_shown: bool,
    /// The accounts and their folders.
    pub accounts: Accounts,
    /// The list.
    pub list: List,
    /// The reader.
    pub reader: Reading,
    /// What waits, while it is shown.
    pub ledger: Option<Ledger>,
    /// The drafts that are open.
    pub pages: Pages,
    /// The list of drafts, while it is shown.
    pub drafts: Option<Drafts>,
    /// The last message to the user.
    pub notice: Option<Notice>,
    history: Vec<String>,
    jumps: Vec<(View, Option<Spot>)>,
    flight: Flight,
    quit_asked: bool,
    /// The user pressed a key: before that, nothing is marked read by itself.
    touched: bool,
    /// `V` was pressed in the reader: the next action takes the whole conversation.
    whole_thread: bool,
    /// What is explained once with the next answer of the store (promise P12).
    explain: Option<AccountId>,
    /// The accounts for which it was.
    explained: HashSet<AccountId>,
    /// How lists are arranged.
    arranging: sort::Arranging,
    /// Where the user wants the reader.
    split: Split,
    /// What `.` does.
    again: Option<tags::Again>,
    record: record::Record,
    /// What was looked for last.
    finding: Option<find::Finding>,
    /// What was looked for in a mail, in lower case.
    sought: String,
    /// The attachment that a command is being typed for.
    in_hand: Option<(MessageId, effect::Piece)>,
    gather_ticket: effect::Ticket,
    /// The maildrop of which it is counted what may go from its server.
    counting: Option<AccountId>,
    /// Mails that are being gathered, and the keys that wait for them.
    gathering: Option<select::Gathering>,
    ahead: VecDeque<key::Key>,
    /// Mail on its way out.
    outgoing: outgoing::Outgoing,
    /// What the store told and was not looked at yet.
    backlog: news::Backlog,
    effects: Vec<Effect>,
}

/// Whether the answer to an intent is not worth a word.
#[derive(Debug)]
struct Silent(bool);

/// What the place of the reader is kept under.
const LAYOUT: &str = "screen.layout";

/// How long a prefix waits before what may follow is shown.
const HINTS_AFTER: Duration = Duration::from_millis(400);

impl App {
    /// The state at the start: the inbox (of all accounts, where there are several) from its top.
    pub fn new(db: Reader, settings: Settings, now: Now, size: (u16, u16)) -> Result<Self> {
        let mut accounts = Accounts { me: settings.me.clone(), ..Accounts::default() };
        accounts.read(&db)?;
        let mut app = Self {
            db,
            settings,
            now,
            size,
            focus: Focus::List,
            overlay: None,
            pending: Pending::default(),
            pending_since: None,
            hints_shown: false,
            accounts,
            list: List::default(),
            reader: Reading::default(),
            ledger: None,
            pages: Pages::default(),
            drafts: None,
            notice: None,
            history: Vec::new(),
            jumps: Vec::new(),
            flight: Flight::default(),
            quit_asked: false,
            touched: false,
            whole_thread: false,
            explain: None,
            explained: HashSet::new(),
            arranging: sort::Arranging::default(),
            split: Split::default(),
            again: None,
            record: record::Record::default(),
            finding: None,
            sought: String::new(),
            in_hand: None,
            gather_ticket: 0,
            counting: None,
            gathering: None,
            ahead: VecDeque::new(),
            outgoing: outgoing::Outgoing::default(),
            backlog: news::Backlog::default(),
            effects: Vec::new(),
        };
        app.split = app.db.recall(LAYOUT)?.and_then(|name| Split::named(&name)).unwrap_or_default();
        app.read_outgoing();
        app.arrange();
        if !app.resume()? {
            app.open_first();
        }
        app.arrange();
        Ok(app)
    }

    pub(super) fn first_view(&self) -> Option<View> {
        let inboxes: Vec<_> =
            self.accounts.live().flat_map(|a| &a.folders).filter(|f| f.role == Some(Role::Inbox)).collect();
        match inboxes[..] {
            [] => self.accounts.all.iter().flat_map(|a| &a.folders).next().map(|f| View::Folder(f.id)),
            [one] => Some(View::Folder(one.id)),
            _ => Some(View::Unified(Role::Inbox)),
        }
    }

    /// The panes; `None` where the terminal is too small.
    #[must_use]
    pub fn layout(&self) -> Option<Layout> {
        if matches!(self.overlay, Some(Overlay::Bare)) {
            return Some(Layout::bare(self.size.0.max(1), self.size.1.max(1)));
        }
        Layout::new(self.size.0, self.size.1, self.focus, self.split)
    }

    /// Columns and lines of the terminal.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Whether no key was pressed yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        !self.touched
    }

    /// The place whose keys are in force.
    #[must_use]
    pub fn place(&self) -> Focus {
        match self.overlay {
            Some(Overlay::Help(..) | Overlay::Said(_)) => Focus::Help,
            Some(Overlay::Parts(_)) => Focus::Parts,
            Some(Overlay::Links(_)) => Focus::Links,
            Some(Overlay::Files(_)) => Focus::Files,
            _ => self.focus,
        }
    }

    /// The keys in force.
    #[must_use]
    pub fn keymap(&self) -> &Keymap {
        &self.settings.keymap
    }

    /// Another size of the terminal.
    pub fn resize(&mut self, width: u16, height: u16) -> Vec<Effect> {
        self.catch_up();
        self.size = (width, height);
        self.arrange();
        self.out()
    }

    /// What was asked of the world while the program started.
    pub fn started(&mut self) -> Vec<Effect> {
        if let Some((text, hint)) = self.settings.asks.first() {
            self.notice = Some(Notice::calm(text.as_str(), self.now.at).hint(hint.as_str()));
        } else {
            self.tell_drafts();
        }
        self.out()
    }

    /// Fits the panes to the terminal and to each other.
    fn arrange(&mut self) {
        let Some(layout) = self.layout() else { return };
        if let Some(area) = layout.list {
            let result = self.list.resize(&self.db, area.height.into());
            self.told(result);
        }
        if layout.has_preview() && self.focus != Focus::Reader {
            self.preview();
        } else if layout.reader.is_none() && matches!(self.focus, Focus::List | Focus::Folders) {
            self.reader.close();
        }
        if let Some(area) = layout.reader {
            let load = self.reader.resize(area.width, area.height, self.now.at);
            self.effects.extend(load.map(Effect::Load));
        }
    }

    /// Says that a frame showed everything as it is; what is on the screen may now count as read.
    pub fn was_painted(&mut self) -> Vec<Effect> {
        self.list.was_painted();
        let shown = self.layout().is_some_and(|l| l.reader.is_some());
        match self.focus {
            Focus::Reader if shown => self.mark_shown(),
            // In a list of what is unread it would take the mail from under the cursor, and the next one after it.
            Focus::List if shown && self.touched && self.list.view() != Some(View::Unread) => {
                if self.reader.can_mark() && self.reader.read_at.is_none() {
                    self.reader.read_at = self.settings.mark_read_after.map(|wait| self.now.at + wait);
                }
            }
            _ => self.reader.read_at = None,
        }
        self.out()
    }

    /// When something is to happen by itself; `None`: only when something arrives.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let hints = self.pending_since.filter(|_| !self.hints_shown).map(|since| since + HINTS_AFTER);
        [hints, self.reader.deadline(), self.outgoing_deadline(), self.quick_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due. Says whether the screen changes.
    pub fn tick(&mut self) -> (bool, Vec<Effect>) {
        let mut news = self.reader.tick(self.now.at) | self.counts_down();
        if self.pending_since.is_some_and(|since| self.now.at >= since + HINTS_AFTER) && !self.hints_shown {
            self.hints_shown = true;
            news = true;
        }
        if self.reader.read_at.is_some_and(|at| self.now.at >= at) {
            self.mark_shown();
        }
        self.keep_quick(false);
        (news, self.out())
    }

    /// What the user is to know.
    fn say(&mut self, text: &str) {
        self.notice = Some(Notice::calm(text, self.now.at));
    }

    /// What could not be done, and why.
    fn fail(&mut self, text: &str) {
        self.notice = Some(Notice::error(text, self.now.at));
    }

    /// Shows an error, if it is one.
    fn told<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(e) => {
                self.notice = Some(Notice::from_error(&e, self.now.at));
                None
            }
        }
    }

    fn out(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

/// `1 message`, `3 messages`.
fn some(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
