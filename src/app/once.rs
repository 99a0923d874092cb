//! What is explained once: that what is done to the mail of a maildrop stays here (promise P12).

use super::App;
use super::effect::Effect;
use crate::model::{AccountId, Intent};

/// Under this the accounts are kept for which it was said.
const KEY: &str = "told.maildrops";
const WORDS: &str = "u undoes; it is so here only, POP3 tells other devices nothing";

impl App {
    /// The maildrop whose mail an action changes here and nowhere else, if nobody was told yet.
    pub(super) fn unexplained(&mut self, intent: &Intent) -> Option<AccountId> {
        let (Intent::Flag { items, .. }
        | Intent::Tag { items, .. }
        | Intent::Move { items, .. }
        | Intent::Copy { items, .. }) = intent
        else {
            return None;
        };
        if !self.accounts.live().any(|account| account.is_maildrop) {
            return None;
        }
        let mail = self.db.summary(*items.first()?);
        let account = self.told(mail)??.account;
        let is_maildrop = self.accounts.get(account).is_some_and(|account| account.is_maildrop);
        let is_told = self.explained.contains(&account) || self.told_of().contains(&account.to_string());
        (is_maildrop && !is_told).then_some(account)
    }

    /// What is said about it, this once.
    pub(super) fn explained(&mut self) -> Option<&'static str> {
        let account = self.explain.take()?;
        // What is kept is not there to be read at once.
        self.explained.insert(account);
        let mut told = self.told_of();
        told.extend(self.explained.iter().map(AccountId::to_string));
        told.sort();
        told.dedup();
        self.effects.push(Effect::Remember(KEY, told.join(" ")));
        Some(WORDS)
    }

    fn told_of(&mut self) -> Vec<String> {
        let kept = self.db.recall(KEY);
        let kept = self.told(kept).flatten().unwrap_or_default();
        kept.split_whitespace().map(str::to_owned).collect()
    }
}
