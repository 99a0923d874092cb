//! Where the user was, kept for the start after a cut line or a kill (promise A9).

use super::App;
use super::effect::Effect;
use super::lines::Spot;
use super::scope::Focus;
use crate::error::Result;
use crate::model::{FolderId, MessageId, Role, View};

/// What the place is kept under.
const KEY: &str = "screen.place";

/// A view, a mail in it, and whether that was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    view: View,
    message: Option<MessageId>,
    reading: bool,
}

impl Kept {
    /// `folder 3 17 reading`, `unified - -`.
    fn print(self) -> String {
        let view = match self.view {
            View::Folder(folder) => format!("folder {folder}"),
            View::Unified(role) => format!("unified {}", role.name()),
            View::Starred => "starred all".to_owned(),
            View::Unread => "unread all".to_owned(),
            View::Snoozed => "snoozed all".to_owned(),
        };
        let message = self.message.map_or_else(|| "-".to_owned(), |m| m.to_string());
        format!("{view} {message} {}", if self.reading { "reading" } else { "-" })
    }

    fn parse(text: &str) -> Option<Self> {
        let [kind, view, message, reading] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let view = match kind {
            "folder" => View::Folder(FolderId(view.parse().ok()?)),
            "unified" => View::Unified(Role::from_name(view)?),
            "starred" => View::Starred,
            "unread" => View::Unread,
            "snoozed" => View::Snoozed,
            _ => return None,
        };
        Some(Self { view, message: message.parse().ok().map(MessageId), reading: reading == "reading" })
    }
}

impl App {
    /// Keeps where the user is.
    pub(super) fn keep_place(&mut self) {
        let Some(view) = self.list.view() else { return };
        let reading = self.focus == Focus::Reader;
        let open = self.reader.mail().filter(|_| reading).map(|m| m.message);
        let message = open.or_else(|| self.list.spot().map(|s| s.message));
        let kept = Kept { view, message, reading };
        self.effects.push(Effect::Remember(KEY, kept.print()));
    }

    /// The screen ends. Who quits begins anew next time; who was cut off goes on.
    pub fn leave(&mut self, quit: bool) -> Vec<Effect> {
        self.effects.clear();
        self.keep_quick(true);
        if quit {
            self.effects.push(Effect::Remember(KEY, String::new()));
        } else {
            self.keep_place();
        }
        self.out()
    }

    /// Goes where the user was cut off. Says whether there was such a place.
    pub(super) fn resume(&mut self) -> Result<bool> {
        let Some(kept) = self.db.recall(KEY)?.as_deref().and_then(Kept::parse) else { return Ok(false) };
        let known = match kept.view {
            View::Folder(folder) => self.accounts.folder(folder).is_some(),
            View::Unified(_) => self.accounts.are_several(),
            View::Starred | View::Unread | View::Snoozed => true,
        };
        if !known {
            return Ok(false);
        }
        let mail = match kept.message {
            Some(message) => self.db.message(message)?,
            None => None,
        };
        let spot = mail.map(|m| Spot { thread: m.thread, message: m.message });
        let found = match spot {
            Some(spot) => self.list.seek(&self.db, kept.view, spot)?,
            None => false,
        };
        if !found {
            self.list.open(&self.db, kept.view)?;
        }
        self.look(kept.view);
        if let Some(spot) = spot.filter(|_| kept.reading && found) {
            self.focus = Focus::Reader;
            self.show(spot.thread, spot.message);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        let folder = View::Folder(FolderId(3));
        for kept in [
            Kept { view: folder, message: Some(MessageId(17)), reading: true },
            Kept { view: View::Unified(Role::Inbox), message: None, reading: false },
        ] {
            assert_eq!(Kept::parse(&kept.print()), Some(kept));
        }
        for broken in ["", "folder", "folder x - -", "unified nowhere - -", "folder 1 2 3 4"] {
            assert_eq!(Kept::parse(broken), None, "{broken}");
        }
    }
}
