//! What leaves the screen: words for the clipboard of the user's own terminal (OSC 52), and links for a browser.

use super::action::{Motion, Yank};
use super::effect::{Effect, Load};
use super::letter::Link;
use super::notice::Notice;
use super::press::stepped;
use super::{App, Overlay};
use crate::model::Summary;
use crate::text::Clean;

impl App {
    fn mail_at_hand(&self) -> Option<&Summary> {
        let open = if self.focus == super::Focus::Reader { self.reader.mail() } else { None };
        open.or_else(|| self.list.current().map(|entry| &entry.row().head))
    }

    /// Sends something of the mail at hand to the terminal's clipboard.
    pub(super) fn yank(&mut self, what: Yank) {
        if matches!(what, Yank::Link | Yank::Code) && self.is_text_missing() {
            return;
        }
        let found = match what {
            Yank::Address => self.mail_at_hand().map(|mail| mail.from_addr.clone()),
            // As it stands in the header: other programs look for it so.
            Yank::Id => self
                .mail_at_hand()
                .map(|mail| mail.msgid.as_str())
                .filter(|id| !id.is_empty())
                .map(|id| Clean::line(&format!("<{id}>"))),
            Yank::Code => self.reader.letter().and_then(|letter| crate::mime::code(&letter.lines)),
            Yank::Link => match &self.overlay {
                Some(Overlay::Links(at)) => self.link(*at).map(|link| link.url.clone()),
                _ => match self.reader.letter().map(|letter| &letter.links[..]) {
                    Some([only]) => Some(only.url.clone()),
                    _ => return self.show_links(),
                },
            },
        };
        match found.filter(|text| !text.is_empty()) {
            Some(text) => self.send_to_clipboard(text),
            None => self.say(what.missing()),
        }
    }

    /// Whether the text of the mail is still on its way; that is said.
    fn is_text_missing(&mut self) -> bool {
        let is_missing = self.reader.letter().is_none();
        if is_missing {
            self.say("The text of this mail is not here yet");
        }
        is_missing
    }

    /// Nobody tells whether a terminal took it: so it is shown, for hands that select it (promise A12).
    pub(super) fn send_to_clipboard(&mut self, text: Clean) {
        let said = Clean::join([&Clean::fixed("For the clipboard:"), &text], " ");
        let hint = "if the terminal takes it";
        self.notice = Some(Notice::calm(said.as_str(), self.now.at).hint(hint));
        self.effects.push(Effect::Yank(text));
    }

    /// Opens or leaves the panel of links: at the first that is in sight.
    pub(super) fn show_links(&mut self) {
        if let Some(Overlay::Links(_)) = self.overlay {
            self.overlay = None;
            return;
        }
        if self.is_text_missing() {
            return;
        }
        let Some(letter) = self.reader.letter().filter(|letter| !letter.links.is_empty()) else {
            return self.say(Yank::Link.missing());
        };
        let shown = letter.lines.iter().skip(self.reader.scroll).flat_map(|line| &line.spans);
        let first = shown
            .filter_map(|span| span.role.link())
            .find_map(|number| letter.links.iter().position(|link| link.number == number));
        self.overlay = Some(Overlay::Links(first.unwrap_or(0)));
    }

    fn link(&self, at: usize) -> Option<&Link> {
        self.reader.letter()?.links.get(at)
    }

    /// The line under the cursor after a motion among the links.
    pub(super) fn go_links(&self, at: usize, motion: Motion, height: usize) -> usize {
        let last = self.reader.letter().map_or(0, |letter| letter.links.len()).saturating_sub(1);
        stepped(at, motion, height, last)
    }

    /// Opens the link under the cursor where there is a browser, else sends it to the clipboard.
    pub(super) fn open_link(&mut self) {
        let Some(Overlay::Links(at)) = self.overlay else { return };
        let Some(url) = self.link(at).map(|link| link.url.clone()) else { return };
        self.overlay = None;
        let is_web = ["https://", "http://", "ftp://"].iter().any(|scheme| {
            url.as_str().get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        match self.settings.browser.clone().filter(|_| is_web) {
            Some(browser) => {
                self.say(&format!("Opening {url}"));
                self.effects.push(Effect::Load(Load::Browse { browser, url }));
            }
            None => self.send_to_clipboard(url),
        }
    }
}
