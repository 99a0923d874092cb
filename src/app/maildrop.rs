//! What a server still holds of a maildrop (promise P14): told, and taken off it where it is safely here.

use super::App;
use super::effect::{Effect, Load};
use super::triage::Deed;
use crate::model::{AccountId, Intent};
use crate::store::{Cleanable, MaildropRow};
use crate::text::amount::{number, size};

/// What is to be known of a maildrop, a line each. `day` writes a date.
#[must_use]
pub fn told(row: &MaildropRow, oldest: Option<i64>, day: impl Fn(i64) -> String) -> Vec<String> {
    let holds = &row.holds;
    let mut line = format!("on the server: {}", mails(holds.messages, holds.bytes));
    if let Some(oldest) = oldest.filter(|_| holds.messages > 0) {
        line.push_str(&format!(", the oldest from {}", day(oldest)));
    }
    match row.weekly() {
        0 => {}
        more if more > 0 => line.push_str(&format!(", {} more a week", size(more.unsigned_abs()))),
        less => line.push_str(&format!(", {} less a week", size(less.unsigned_abs()))),
    }
    let mut lines = vec![line];
    if row.is_large() {
        lines.push("that is much: a full maildrop sends mail back to who wrote it".to_owned());
    }
    match holds.expires {
        Some(0) => lines.push("the server deletes mail once it was downloaded".to_owned()),
        Some(1) => lines.push("the server deletes mail after 1 day".to_owned()),
        Some(days) => lines.push(format!("the server deletes mail after {} days", number(days.into()))),
        None => {}
    }
    if holds.login_delay > 0 {
        lines.push(format!("the server wants {} s between two looks", number(holds.login_delay)));
    }
    lines
}

/// `1,204 mails, 35 MB`
fn mails(count: u64, bytes: u64) -> String {
    format!("{} {}, {}", number(count), if count == 1 { "mail" } else { "mails" }, size(bytes))
}

impl App {
    /// Counts what is safely here of the account at hand and still on its server; the question follows.
    pub(super) fn clean_server(&mut self) {
        let of_ledger = self.ledger.as_ref().and_then(super::ledger::Ledger::account_at_hand);
        let Some(account) = of_ledger.or_else(|| self.account_at_hand()) else { return };
        let name = self.account_name(account);
        let row = self.db.maildrop(account);
        let Some(row) = self.told(row) else { return };
        match (row, self.accounts.get(account).is_some_and(|account| account.is_maildrop)) {
            (None, true) => self.say(&format!("The server of {name} was not looked at yet")),
            (None, false) => self.say(&format!("{name} has no maildrop: only POP3 accounts do")),
            (Some(_), _) => {
                self.counting = Some(account);
                self.effects.push(Effect::Load(Load::Cleanable { account }));
            }
        }
    }

    /// Asks, with what was counted: what comes meanwhile stays there.
    pub(super) fn ask_to_clean(&mut self, account: AccountId, found: Cleanable) {
        let name = self.account_name(account);
        if found.messages.is_empty() {
            return self
                .say(&format!("Nothing on the server of {name} can go: what is there is not all here"));
        }
        if self.overlay.is_some() {
            // A key that was meant for what stands there must not be a yes.
            return self.say("Nothing was asked of the server: something else is open");
        }
        let count = found.messages.len() as u64;
        let stay = if count == 1 { "It stays" } else { "They stay" };
        let text = format!("Delete {} on the server of {name}? {stay} here. y/n", mails(count, found.bytes));
        self.ask(&text, Deed::of(Intent::CleanServer { account, messages: found.messages }));
    }

    fn account_name(&self, account: AccountId) -> String {
        self.accounts.get(account).map(|account| account.name.to_string()).unwrap_or_default()
    }
}
