//! A draft on its review page: what it says, its fields, and what becomes of it (promises O1 and O5).

use super::action::{Action, Field, Motion};
use super::effect::{Effect, Load};
use super::notice::Notice;
use super::press::stepped;
use super::{App, scope::Focus};
use crate::mime::Line;
use crate::model::{AccountId, Draft, DraftId, MessageId, Purpose};
use crate::text::Clean;

/// Something that is done to a draft off the thread of the screen, each in its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Begin one, and keep it.
    Begin {
        /// Of this account.
        account: AccountId,
        /// From one of these: the first that the user did not write (promise A5). None: from nothing.
        messages: Vec<MessageId>,
        /// How.
        purpose: Purpose,
    },
    /// Open the one that was changed last, of those that nobody else has.
    Resume,
    /// Open this one.
    Open(DraftId),
    /// Whether somebody else wrote on these, which are open.
    Look(Vec<DraftId>),
    /// What the last look found of it is on its page now: this is its version.
    Adopt(DraftId, u64, Box<Draft>),
    /// It is not open any more: others may have it.
    Close(DraftId),
    /// Keep it as it is now.
    Keep(DraftId, Box<Draft>),
    /// The same, with what an editor left.
    Edited(DraftId, Box<Draft>),
    /// What an editor left of one that is not open any more.
    Late(DraftId, Written),
    /// Keep it, and put its mail into the outbox; unless the user is sure, not where something is odd about it.
    Send(DraftId, Box<Draft>, bool),
    /// Begin an answer to one of these that is written under it.
    Quick {
        /// Of this account.
        account: AccountId,
        /// The first that the user did not write.
        messages: Vec<MessageId>,
    },
    /// This text is written under the mail: keep the draft with it where an answer belongs; whether it is whole.
    Say(DraftId, Box<Draft>, String, bool),
    /// Pass one of these on as it is.
    Bounce {
        /// Of this account.
        account: AccountId,
        /// The mail.
        message: MessageId,
        /// To whom, as typed.
        to: String,
    },
    /// Make a draft again of the mail with this row of the outbox.
    Again(i64),
    /// Put this file to it, and keep it.
    Attach(DraftId, Box<Draft>, String),
    /// Lay it out as those who get it will see it, in so many cells.
    Preview(DraftId, Box<Draft>, u16),
    /// Throw it away: undo brings it back.
    Discard(DraftId),
    /// Forget one in which nothing is written.
    Forget(DraftId),
    /// Take the mail with this row out of the outbox, so that its draft can be written on.
    TakeBack(i64),
}

/// What an editor left of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All of it.
    pub text: String,
    /// Whether the fields stand above the text.
    pub headers: bool,
}

/// What became of a draft.
#[derive(Debug)]
pub enum Drafted {
    /// It is there to be written on; at once in the editor, or on its page.
    Opened(DraftId, Box<Draft>, bool),
    /// It is kept.
    Kept {
        /// The row that it had.
        was: DraftId,
        /// The row that it has: another one where somebody wrote on the first meanwhile.
        id: DraftId,
        /// What it says, where others put files to it meanwhile.
        merged: Option<Box<Draft>>,
    },
    /// An answer begins that is written under the mail: to whom.
    Begun(DraftId, Box<Draft>),
    /// A mail that was passed on is in the outbox.
    Bounced,
    /// It as those who get it will see it.
    Laid(DraftId, Vec<Line>),
    /// Somebody else wrote on some that are open: its version, what it said here, and what it says.
    Renewed(Vec<(DraftId, u64, Draft, Draft)>),
    /// Another process of this number has it open.
    Held(u32),
    /// Its mail is in the outbox.
    Sent(DraftId),
    /// It was not sent: this is odd about it (promise O6).
    Odd(DraftId, Vec<Clean>),
    /// It was thrown away.
    Gone(DraftId),
    /// There is nothing to say of it.
    Quiet,
    /// There is no draft to open.
    Nothing,
    /// The mail with this row was made of no draft.
    NoDraft(i64),
}

/// The draft that is open.
#[derive(Debug)]
pub struct Compose {
    /// Its row.
    pub id: DraftId,
    /// What it says.
    pub draft: Draft,
    /// The first line of the text on the screen.
    pub scroll: usize,
    /// It as those who get it will see it, while that is shown.
    pub preview: Option<Vec<Line>>,
    /// What is odd about it, found when it was to be sent: the next time it is.
    pub concerns: Vec<Clean>,
    /// An editor beside the screen has it.
    pub in_editor: bool,
    /// It is being sent or thrown away.
    pub(super) is_leaving: bool,
}

impl Compose {
    pub(super) fn new(id: DraftId, draft: Draft) -> Self {
        Self {
            id,
            draft,
            scroll: 0,
            preview: None,
            concerns: Vec::new(),
            in_editor: false,
            is_leaving: false,
        }
    }
}

impl App {
    /// Begins a mail, an answer to the mail at hand or from it.
    pub(super) fn write(&mut self, purpose: Purpose) {
        let at_hand = self.mails_at_hand();
        let (account, messages) = match (purpose, at_hand) {
            (Purpose::New, _) => (self.account_at_hand(), Vec::new()),
            (_, Some((account, messages))) => (Some(account), messages),
            (_, None) => return self.say("There is no mail here"),
        };
        let Some(account) = account else { return self.say("There is no account to write from") };
        self.draft(Deed::Begin { account, messages, purpose });
    }

    /// The mails at hand, of which one is answered.
    pub(super) fn mails_at_hand(&self) -> Option<(AccountId, Vec<MessageId>)> {
        match self.focus {
            Focus::Reader => self.reader.mail().map(|m| (m.account, vec![m.message])),
            _ => self.list.current().map(|entry| {
                let painted = self.list.painted_members(entry).into_iter().map(|member| member.message);
                (entry.row().head.account, painted.collect())
            }),
        }
    }

    /// Says at the start which drafts were left.
    pub(super) fn tell_drafts(&mut self) {
        let drafts = self.db.drafts();
        let left = self.told(drafts).map_or(0, |drafts| drafts.len());
        if left > 0 {
            let text = format!("{} unfinished", super::some(left, "draft"));
            self.notice = Some(Notice::calm(&text, self.now.at).hint("gd shows them"));
        }
    }

    pub(super) fn draft(&mut self, deed: Deed) {
        self.effects.push(Effect::Load(Load::Draft(deed)));
    }

    /// Something became of a draft.
    pub(super) fn drafted(&mut self, result: Result<Drafted, Clean>) {
        match result {
            Ok(Drafted::Opened(id, draft, is_edited)) => {
                self.show_draft(id, (*draft).clone());
                if is_edited {
                    self.effects.push(Effect::Edit(id, draft));
                }
            }
            Ok(Drafted::Kept { was, id, merged }) => self.kept(was, id, merged),
            Ok(Drafted::Begun(id, draft)) => self.begin_quick(id, &draft),
            // It counts down, as any mail.
            Ok(Drafted::Bounced) => self.notice = None,
            Ok(Drafted::Laid(id, lines)) => {
                if let Some(page) = self.pages.find(id) {
                    (page.preview, page.scroll) = (Some(lines), 0);
                }
            }
            Ok(Drafted::Renewed(found)) => {
                found
                    .into_iter()
                    .for_each(|(id, version, base, draft)| self.renew(id, version, &base, draft));
            }
            Ok(Drafted::Held(process)) => {
                let text = format!("Another mailtui (process {process}) has this draft open");
                let notice = Notice::calm(&text, self.now.at);
                self.notice = Some(notice.hint("q there gives it back"));
            }
            Ok(Drafted::Sent(id)) => {
                // What stands there is of before: now it counts down.
                let send_at = self.pages.find(id).map_or(0, |page| page.draft.send_at);
                self.close_page(id);
                self.tell_later(send_at);
            }
            Ok(Drafted::Odd(id, concerns)) => {
                if let Some(page) = self.pages.find(id) {
                    (page.concerns, page.is_leaving) = (concerns, false);
                }
                self.say("Not sent yet: y again sends it as it is");
            }
            Ok(Drafted::Gone(id)) => {
                self.close_page(id);
                let notice = Notice::calm("The draft is in Trash", self.now.at);
                self.notice = Some(notice.hint("u brings it back"));
            }
            Ok(Drafted::Quiet) => {}
            Ok(Drafted::Nothing) => self.say("There is no draft"),
            Ok(Drafted::NoDraft(id)) => self.hold_back(id),
            Err(why) => {
                self.pages.each().for_each(|page| page.is_leaving = false);
                self.notice = Some(Notice::error(why.as_str(), self.now.at));
            }
        }
    }

    fn kept(&mut self, was: DraftId, id: DraftId, merged: Option<Box<Draft>>) {
        if let Some(page) = self.pages.find(was) {
            page.id = id;
            if let Some(merged) = merged {
                page.draft.attachments = merged.attachments;
                page.draft.account = merged.account;
            }
        }
        if was != id {
            let text = "The draft was changed elsewhere meanwhile: both are kept";
            self.notice = Some(Notice::calm(text, self.now.at).hint("gd shows them"));
        }
    }

    /// Somebody else wrote on a draft that is open: it is shown, unless something was written here too. Then both are
    /// kept when that is.
    fn renew(&mut self, id: DraftId, version: u64, base: &Draft, draft: Draft) {
        let Some(page) = self.pages.find(id).filter(|page| page.draft == *base && !page.is_leaving) else {
            return;
        };
        let files = draft.attachments.len().saturating_sub(base.attachments.len());
        page.draft = draft.clone();
        page.concerns.clear();
        self.draft(Deed::Adopt(id, version, Box::new(draft)));
        match files {
            0 => self.say("The draft was changed elsewhere: this is how it is now"),
            _ => self.say(&format!("{} came to the draft", super::some(files, "file"))),
        }
    }

    /// An editor beside the screen has a draft now.
    pub fn is_edited(&mut self, id: DraftId) {
        if let Some(page) = self.pages.find(id) {
            page.in_editor = true;
        }
    }

    /// The editor of a draft ended: with what it left, or why the draft is as it was.
    pub fn edited(&mut self, id: DraftId, result: Result<Written, Clean>) -> Vec<Effect> {
        let page = self.pages.find(id);
        match (result, page) {
            (Ok(written), Some(page)) => {
                page.in_editor = false;
                page.draft.take_text(&written.text, written.headers);
                (page.scroll, page.concerns, page.preview) = (0, Vec::new(), None);
                let deed = Deed::Edited(id, Box::new(page.draft.clone()));
                self.draft(deed);
            }
            // Its page was left meanwhile.
            (Ok(written), None) => self.draft(Deed::Late(id, written)),
            (Err(why), page) => {
                if let Some(page) = page {
                    page.in_editor = false;
                }
                self.notice = Some(Notice::error(why.as_str(), self.now.at));
            }
        }
        self.out()
    }

    pub(super) fn keep_draft(&mut self) {
        if let Some((id, draft)) = self.pages.shown().map(|page| (page.id, page.draft.clone())) {
            self.draft(Deed::Keep(id, Box::new(draft)));
        }
    }

    /// Opens the editor on it.
    pub(super) fn edit(&mut self) {
        let Some(page) = self.pages.steady() else { return };
        if page.in_editor {
            return self.say("It is in the editor already");
        }
        let effect = Effect::Edit(page.id, Box::new(page.draft.clone()));
        self.effects.push(effect);
    }

    /// Gives a field another text; of nothing typed the command line asks.
    pub(super) fn set_field(&mut self, field: Field, typed: &str) {
        let Some(compose) = self.pages.steady() else { return };
        let text = match field {
            Field::From => &mut compose.draft.from,
            Field::To => &mut compose.draft.to,
            Field::Cc => &mut compose.draft.cc,
            Field::Bcc => &mut compose.draft.bcc,
            Field::Subject => &mut compose.draft.subject,
        };
        if typed.is_empty() {
            let line = format!("{} {text}", field.name());
            return self.run(Action::CommandLine(line));
        }
        compose.concerns.clear();
        compose.preview = None;
        // One that is to be empty is typed as `-`.
        *text = if typed == "-" { String::new() } else { typed.to_owned() };
        self.keep_draft();
    }

    /// Sends it: it can be taken back for as long as the configuration says.
    pub(super) fn send_draft(&mut self) {
        let Some(compose) = self.pages.steady() else { return };
        if compose.in_editor {
            return self.fail("it is still in the editor: end that first");
        }
        let draft = &compose.draft;
        if [&draft.to, &draft.cc, &draft.bcc].iter().all(|field| field.trim().is_empty()) {
            return self.fail("the mail goes to nobody yet: t writes to whom");
        }
        compose.is_leaving = true;
        let is_sure = !compose.concerns.is_empty();
        let deed = Deed::Send(compose.id, Box::new(compose.draft.clone()), is_sure);
        self.draft(deed);
    }

    /// Throws a draft away: the one on the screen, or the one under the cursor of the list.
    pub(super) fn discard_draft(&mut self) {
        if self.pages.shown().is_none() {
            match self.draft_at_hand() {
                Some(id) => self.draft(Deed::Discard(id)),
                None => self.say("There is no draft"),
            }
            return;
        }
        if self.pages.shown().is_some_and(|page| page.draft.is_blank()) {
            return self.leave_compose();
        }
        if let Some(compose) = self.pages.steady() {
            compose.is_leaving = true;
            let deed = Deed::Discard(compose.id);
            self.draft(deed);
        }
    }

    /// Leaves it as a draft: what it says is kept already. An empty one nobody would miss.
    pub(super) fn leave_compose(&mut self) {
        if self.pages.shown_mut().is_some_and(|page| page.preview.take().is_some()) {
            return;
        }
        let Some(page) = self.pages.shown() else { return };
        let (id, is_blank) = (page.id, page.draft.is_blank());
        if is_blank && !page.is_leaving {
            self.draft(Deed::Forget(id));
        }
        self.close_page(id);
        if !is_blank {
            self.notice = Some(Notice::calm("Kept as a draft", self.now.at).hint("gd shows the drafts"));
        }
    }

    pub(super) fn go_compose(&mut self, motion: Motion, height: usize) {
        if let Some(compose) = self.pages.shown_mut() {
            let lines = compose.preview.as_ref().map_or_else(|| compose.draft.body.lines().count(), Vec::len);
            let last = lines.saturating_sub(1);
            compose.scroll = stepped(compose.scroll, motion, height, last);
        }
    }
}
