//! Handing a mail or a file of it to another program, and showing what that says.

use super::action::Action;
use super::effect::{Effect, Given, Load, Piece, To};
use super::lines::Entry;
use super::notice::Notice;
use super::{App, Focus, Overlay};
use crate::model::MessageId;
use crate::text::Clean;

/// What a program said, or the text of a file, over the whole screen.
#[derive(Debug)]
pub struct Said {
    /// The program, or the name of the file.
    pub title: Clean,
    /// The text.
    pub lines: Vec<Clean>,
    /// The first line on the screen.
    pub scroll: usize,
}

impl App {
    /// Gives the mail at hand, or the attachment under the cursor, to a shell command; asks where none was typed.
    pub(super) fn pipe(&mut self, line: &str) {
        if line.trim().is_empty() {
            self.in_hand = self.part_under_cursor();
            return self.run(Action::CommandLine("pipe ".to_owned()));
        }
        let part = self.in_hand.take().or_else(|| self.part_under_cursor());
        let Some((message, what)) = part.or_else(|| Some((self.message_at_hand()?, Piece::Mail))) else {
            return;
        };
        self.say(&format!("Running `{}`…", line.trim()));
        let to = To::Command(line.trim().to_owned());
        self.effects.push(Effect::Load(Load::Give { message, what, to }));
    }

    fn message_at_hand(&self) -> Option<MessageId> {
        if self.focus == Focus::Reader {
            return self.reader.mail().map(|mail| mail.message);
        }
        self.list.current().map(|entry| match entry {
            Entry::Closed(row) => row.head.message,
            Entry::Child(_, child) => child.summary.message,
        })
    }

    fn part_under_cursor(&self) -> Option<(MessageId, Piece)> {
        let (Some(Overlay::Parts(at)), Some(mail)) = (&self.overlay, self.reader.mail()) else { return None };
        let chip = self.reader.letter()?.chips.get(*at)?;
        Some((mail.message, Piece::Part(chip.part)))
    }

    /// Gives the attachment under the cursor away.
    pub(super) fn give_part(&mut self, to: To) {
        if let Some((message, what)) = self.part_under_cursor() {
            self.effects.push(Effect::Load(Load::Give { message, what, to }));
        }
    }

    /// Shows the attachment under the cursor here.
    pub(super) fn read_part(&mut self) {
        self.give_part(To::Reader(usize::from(self.size.0.saturating_sub(4)).clamp(20, 100)));
    }

    /// Opens it on the desktop, where there is one.
    pub(super) fn open_part(&mut self) {
        let opener = self.settings.opener.clone().unwrap_or_default();
        self.give_part(To::Opener(opener, self.settings.downloads.clone()));
    }

    /// Saves it and offers what fetches it to the clipboard.
    pub(super) fn fetch_part(&mut self) {
        self.give_part(To::Away(self.settings.downloads.clone()));
    }

    /// It was given away, or why not.
    pub(super) fn given(&mut self, result: Result<Given, Clean>) {
        match result {
            Ok(Given::Nothing) => {}
            Ok(Given::Said(text)) => self.notice = Some(Notice::calm(text.as_str(), self.now.at)),
            Ok(Given::Copy(text)) => self.send_to_clipboard(text),
            Ok(Given::Page(lines)) => self.effects.push(Effect::Page(lines)),
            Ok(Given::Text { title, lines }) => match self.overlay {
                // A key that was meant for what stands there must not scroll this.
                Some(Overlay::Prompt(_) | Overlay::Ask(_) | Overlay::Quick(_) | Overlay::Leaving(_)) => {
                    self.say(&format!(
                        "`{title}` is done: {} lines, not shown over what is open",
                        lines.len()
                    ));
                }
                _ => {
                    self.notice = None;
                    self.overlay = Some(Overlay::Said(Said { title, lines, scroll: 0 }));
                }
            },
            Err(why) => self.fail(why.as_str()),
        }
    }

    /// Lends the terminal to a shell, or to one command in it.
    pub(super) fn shell(&mut self, line: &str) {
        self.effects.push(Effect::Shell(line.trim().to_owned()));
    }

    /// The terminal is back.
    pub fn shell_ended(&mut self, result: Result<(), Clean>) {
        if let Err(why) = result {
            self.fail(why.as_str());
        }
    }
}
