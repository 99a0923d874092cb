//! A draft on its review page: what it says, its fields, and what becomes of it (promises O1 and O5).

use super::action::{Action, Field, Motion};
use super::effect::{Effect, Load};
use super::notice::Notice;
use super::press::stepped;
use super::scope::Focus;
use super::{App, Overlay};
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
    /// Open the one that was changed last.
    Resume,
    /// Keep it as it is now.
    Keep(DraftId, Box<Draft>),
    /// Keep it, and put its mail into the outbox; unless the user is sure, not where something is odd about it.
    Send(DraftId, Box<Draft>, bool),
    /// Throw it away.
    Discard(DraftId),
    /// Take the mail with this row out of the outbox, so that its draft can be written on.
    TakeBack(i64),
}

/// What became of a draft.
#[derive(Debug)]
pub enum Drafted {
    /// It is there to be written on; at once in the editor, or on its page.
    Opened(DraftId, Box<Draft>, bool),
    /// It is kept under this row.
    Kept(DraftId),
    /// Its mail is in the outbox.
    Sent,
    /// It was not sent: this is odd about it (promise O6).
    Odd(Vec<Clean>),
    /// It was thrown away.
    Gone,
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
    /// What is odd about it, found when it was to be sent: the next time it is.
    pub concerns: Vec<Clean>,
    /// It is being sent or thrown away.
    is_leaving: bool,
    /// The pane that had the keys before.
    from: Focus,
}

impl App {
    /// Begins a mail, an answer to the mail at hand or from it.
    pub(super) fn write(&mut self, purpose: Purpose) {
        let at_hand = match self.focus {
            Focus::Reader => self.reader.mail().map(|m| (m.account, vec![m.message])),
            _ => self.list.current().map(|entry| {
                let painted = self.list.painted_members(entry).into_iter().map(|member| member.message);
                (entry.row().head.account, painted.collect())
            }),
        };
        let (account, messages) = match (purpose, at_hand) {
            (Purpose::New, _) => (self.account_at_hand(), Vec::new()),
            (_, Some((account, messages))) => (Some(account), messages),
            (_, None) => return self.say("There is no mail here"),
        };
        let Some(account) = account else { return self.say("There is no account to write from") };
        self.draft(Deed::Begin { account, messages, purpose });
    }

    /// Says at the start which drafts were left.
    pub(super) fn tell_drafts(&mut self) {
        let drafts = self.db.drafts();
        let left = self.told(drafts).map_or(0, |drafts| drafts.len());
        if left > 0 {
            let text = format!("{} unfinished", super::some(left, "draft"));
            self.notice = Some(Notice::calm(&text, self.now.at).hint(":resume goes on with the last one"));
        }
    }

    pub(super) fn draft(&mut self, deed: Deed) {
        self.effects.push(Effect::Load(Load::Draft(deed)));
    }

    /// Something became of a draft.
    pub(super) fn drafted(&mut self, result: Result<Drafted, Clean>) {
        match result {
            Ok(Drafted::Opened(id, draft, is_edited)) => {
                let from = match self.focus {
                    Focus::Compose => self.compose.as_ref().map_or(Focus::List, |c| c.from),
                    Focus::Ledger => {
                        self.leave_ledger();
                        self.focus
                    }
                    other => other,
                };
                if is_edited {
                    self.effects.push(Effect::Edit(id, draft.clone()));
                }
                let (scroll, concerns, is_leaving) = (0, Vec::new(), false);
                self.compose = Some(Compose { id, draft: *draft, scroll, concerns, is_leaving, from });
                self.focus = Focus::Compose;
            }
            Ok(Drafted::Kept(id)) => {
                if let Some(compose) = &mut self.compose {
                    compose.id = id;
                }
            }
            Ok(Drafted::Sent) => {
                self.close_compose();
                // What stands there is of before: now it counts down.
                self.notice = None;
            }
            Ok(Drafted::Odd(concerns)) => {
                if let Some(compose) = &mut self.compose {
                    (compose.concerns, compose.is_leaving) = (concerns, false);
                }
                self.say("Not sent yet: y again sends it as it is");
            }
            Ok(Drafted::Gone) => {
                self.close_compose();
                self.say("The draft is thrown away");
            }
            Ok(Drafted::Nothing) => self.say("There is no draft"),
            Ok(Drafted::NoDraft(id)) => self.hold_back(id),
            Err(why) => {
                if let Some(compose) = &mut self.compose {
                    compose.is_leaving = false;
                }
                self.notice = Some(Notice::error(why.as_str(), self.now.at));
            }
        }
    }

    /// The editor ended: with the draft as it is now, or why it is as it was.
    pub fn edited(&mut self, result: Result<Draft, Clean>) -> Vec<Effect> {
        match result {
            Ok(draft) => {
                if let Some(compose) = &mut self.compose {
                    compose.draft = draft;
                    (compose.scroll, compose.concerns) = (0, Vec::new());
                }
                self.keep_draft();
            }
            Err(why) => self.notice = Some(Notice::error(why.as_str(), self.now.at)),
        }
        self.out()
    }

    fn keep_draft(&mut self) {
        if let Some(compose) = &self.compose {
            self.draft(Deed::Keep(compose.id, Box::new(compose.draft.clone())));
        }
    }

    /// Opens the editor on it.
    pub(super) fn edit(&mut self) {
        if let Some(compose) = self.compose.as_ref().filter(|c| !c.is_leaving) {
            self.effects.push(Effect::Edit(compose.id, Box::new(compose.draft.clone())));
        }
    }

    /// Gives a field another text; of nothing typed the command line asks.
    pub(super) fn set_field(&mut self, field: Field, typed: &str) {
        let Some(compose) = self.compose.as_mut().filter(|c| !c.is_leaving) else { return };
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
        // One that is to be empty is typed as `-`.
        *text = if typed == "-" { String::new() } else { typed.to_owned() };
        self.keep_draft();
    }

    /// Sends it: it can be taken back for as long as the configuration says.
    pub(super) fn send_draft(&mut self) {
        let Some(compose) = self.compose.as_mut().filter(|c| !c.is_leaving) else { return };
        let draft = &compose.draft;
        if [&draft.to, &draft.cc, &draft.bcc].iter().all(|field| field.trim().is_empty()) {
            return self.fail("the mail goes to nobody yet: t writes to whom");
        }
        compose.is_leaving = true;
        let is_sure = !compose.concerns.is_empty();
        let deed = Deed::Send(compose.id, Box::new(compose.draft.clone()), is_sure);
        self.draft(deed);
    }

    pub(super) fn discard_draft(&mut self) {
        if let Some(compose) = self.compose.as_mut().filter(|c| !c.is_leaving) {
            compose.is_leaving = true;
            let deed = Deed::Discard(compose.id);
            self.draft(deed);
        }
    }

    /// Leaves it as a draft: what it says is kept already. An empty one nobody would miss.
    pub(super) fn leave_compose(&mut self) {
        let Some(compose) = &self.compose else { return };
        if compose.is_leaving {
            return self.close_compose();
        }
        if compose.draft.is_blank() {
            return self.discard_draft();
        }
        self.close_compose();
        self.notice = Some(Notice::calm("Kept as a draft", self.now.at).hint(":resume goes on with it"));
    }

    fn close_compose(&mut self) {
        if let Some(compose) = self.compose.take() {
            self.focus = compose.from;
            self.overlay.take_if(|o| !matches!(o, Overlay::Leaving(_)));
        }
    }

    pub(super) fn go_compose(&mut self, motion: Motion, height: usize) {
        if let Some(compose) = &mut self.compose {
            let last = compose.draft.body.lines().count().saturating_sub(1);
            compose.scroll = stepped(compose.scroll, motion, height, last);
        }
    }
}
