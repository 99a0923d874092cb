//! The reader: which mail is to be shown, which one is, how far it is scrolled, and when it counts as read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::action::Motion;
use super::effect::{Load, Ticket, Wish};
use super::letter::Letter;
use crate::model::{BodyState, Flags, MessageId, Summary, ThreadId};
use crate::text::{Clean, wrap};

/// A load that takes longer than this is shown as one.
const PATIENCE: Duration = Duration::from_millis(150);
/// Laid-out mails that are kept.
const KEPT: usize = 16;
/// Prose is not wider than this, however wide the pane.
const PROSE: u16 = 80;
/// Cells kept free on each side of the text.
pub const MARGIN: u16 = 1;
/// Lines that a subject may take.
const SUBJECT_LINES: usize = 3;

/// The reader.
#[derive(Debug)]
pub struct Reading {
    /// The conversation, oldest first, and which mail of it.
    open: Option<(Vec<Summary>, usize)>,
    /// The text that is drawn; of the mail before while the next one is being laid out.
    letter: Option<Arc<Letter>>,
    /// Why there is no text.
    trouble: Option<Clean>,
    kept: VecDeque<Arc<Letter>>,
    ticket: Ticket,
    /// Since when a load is awaited.
    awaited: Option<Instant>,
    slow: bool,
    /// The first line on the screen, and the first column of what is wider than the pane.
    pub scroll: usize,
    /// Cells that are scrolled off on the left.
    pub aside: usize,
    html: bool,
    all_headers: bool,
    all_quotes: bool,
    raw: bool,
    /// The line that was found last.
    pub hit: Option<usize>,
    /// `Space` was pressed at the end of this mail already.
    pub stopped: bool,
    /// When the preview makes the mail read.
    pub read_at: Option<Instant>,
    /// The mail that was made read by being shown: not again when the user takes it back.
    marked: Option<MessageId>,
    size: (u16, u16),
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            open: None,
            letter: None,
            trouble: None,
            kept: VecDeque::new(),
            ticket: 0,
            awaited: None,
            slow: false,
            scroll: 0,
            aside: 0,
            html: false,
            all_headers: false,
            all_quotes: false,
            raw: false,
            hit: None,
            stopped: false,
            read_at: None,
            marked: None,
            size: (80, 20),
        }
    }
}

impl Reading {
    /// The mail that is to be shown.
    #[must_use]
    pub fn mail(&self) -> Option<&Summary> {
        self.open.as_ref().and_then(|(mails, at)| mails.get(*at))
    }

    /// The conversation, oldest first, and which mail of it is to be shown.
    #[must_use]
    pub fn conversation(&self) -> Option<(&[Summary], usize)> {
        self.open.as_ref().map(|(mails, at)| (mails.as_slice(), *at))
    }

    /// Its conversation.
    #[must_use]
    pub fn thread(&self) -> Option<ThreadId> {
        self.mail().map(|m| m.thread)
    }

    /// The mail whose text is drawn, with the text: the one before it until a new one is there, for a moment.
    #[must_use]
    pub fn letter(&self) -> Option<&Letter> {
        let mail = self.mail()?.message;
        self.letter.as_deref().filter(|l| l.wish.message == mail)
    }

    /// Why there is no text.
    #[must_use]
    pub fn trouble(&self) -> Option<&Clean> {
        self.trouble.as_ref()
    }

    /// Whether the user should be told that the text is being loaded.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.slow
    }

    /// Whether the text is not here, and not to be had from the store alone.
    #[must_use]
    pub fn lacks_body(&self) -> bool {
        self.mail().is_some_and(|m| matches!(m.body, BodyState::None | BodyState::Evicted))
    }

    /// Shows a mail of a conversation. What to load, if it is not at hand.
    pub fn show(&mut self, mails: Vec<Summary>, message: MessageId, now: Instant) -> Option<Load> {
        let at = mails.iter().position(|m| m.message == message)?;
        let same = self.mail().map(|m| m.message) == Some(message);
        let body = mails.get(at).map(|m| m.body);
        let body_came = same && self.mail().map(|m| m.body) != body;
        self.open = Some((mails, at));
        if !same {
            (self.scroll, self.aside, self.stopped, self.read_at) = (0, 0, false, None);
            (self.html, self.all_headers, self.all_quotes) = (false, false, false);
            (self.raw, self.marked) = (false, None);
        }
        if body_came {
            // What was laid out meanwhile may be of it as it is now.
            let is_old = |l: &Arc<Letter>| l.wish.message == message && Some(l.body) != body;
            self.kept.retain(|l| !is_old(l));
            self.letter.take_if(|l| is_old(l));
        }
        self.load(now)
    }

    /// Shows nothing.
    pub fn close(&mut self) {
        self.open = None;
        (self.awaited, self.slow, self.read_at, self.trouble) = (None, false, None, None);
        // Whatever is on its way is for a mail that is not shown any more.
        self.ticket += 1;
    }

    /// Lays the mail out anew where it is not as it should be.
    pub fn load(&mut self, now: Instant) -> Option<Load> {
        let wish = self.wish()?;
        if self.letter().is_none_or(|letter| letter.wish != wish) {
            self.hit = None;
        }
        if let Some(letter) = self.kept.iter().find(|l| l.wish == wish) {
            self.letter = Some(Arc::clone(letter));
            (self.awaited, self.slow, self.trouble) = (None, false, None);
            self.clamp();
            return None;
        }
        self.ticket += 1;
        self.awaited = Some(now);
        (self.slow, self.trouble) = (false, None);
        Some(Load::Mail { ticket: self.ticket, wish })
    }

    /// Takes in what was laid out. Says whether it is for the mail that is to be shown.
    pub fn loaded(&mut self, ticket: Ticket, result: Result<Letter, Clean>) -> bool {
        if ticket != self.ticket {
            return false;
        }
        (self.awaited, self.slow) = (None, false);
        match result {
            Ok(letter) => {
                let letter = Arc::new(letter);
                self.kept.push_back(Arc::clone(&letter));
                if self.kept.len() > KEPT {
                    self.kept.pop_front();
                }
                self.letter = Some(letter);
                self.clamp();
            }
            Err(why) => (self.letter, self.trouble) = (None, Some(why)),
        }
        true
    }

    fn wish(&self) -> Option<Wish> {
        let width = self.text_width();
        let Self { html, all_headers, all_quotes, raw, .. } = *self;
        self.mail().map(|m| Wish { message: m.message, width, html, all_headers, all_quotes, raw })
    }

    /// Cells for a line of text.
    #[must_use]
    pub fn text_width(&self) -> u16 {
        self.size.0.saturating_sub(2 * MARGIN).clamp(20, PROSE)
    }

    /// Another size of the pane.
    pub fn resize(&mut self, width: u16, height: u16, now: Instant) -> Option<Load> {
        if self.size == (width, height) {
            return None;
        }
        self.size = (width, height);
        self.clamp();
        self.load(now)
    }

    /// HTML or plain, the other way than now.
    pub fn toggle_html(&mut self, now: Instant) -> Option<Load> {
        self.html = !self.html;
        self.load(now)
    }

    /// Long quotes that nothing answers, or not.
    pub fn toggle_quotes(&mut self, now: Instant) -> Option<Load> {
        self.all_quotes = !self.all_quotes;
        self.load(now)
    }

    /// The mail as it came, or laid out.
    pub fn toggle_raw(&mut self, now: Instant) -> Option<Load> {
        self.raw = !self.raw;
        (self.scroll, self.aside) = (0, 0);
        self.load(now)
    }

    /// All headers, or not.
    pub fn toggle_headers(&mut self, now: Instant) -> Option<Load> {
        self.all_headers = !self.all_headers;
        self.scroll = 0;
        self.load(now)
    }

    /// The subject in lines.
    #[must_use]
    pub fn subject_lines(&self) -> Vec<Clean> {
        let Some(mail) = self.mail() else { return Vec::new() };
        let cells = usize::from(self.size.0.saturating_sub(2 * MARGIN));
        let most = if self.size.1 < 12 { 1 } else { SUBJECT_LINES };
        let mut lines: Vec<_> =
            wrap::wrap(mail.subject.as_str(), cells).into_iter().map(Clean::line).collect();
        if lines.len() > most {
            lines.truncate(most - 1);
            let used: usize = lines.iter().map(|l| l.as_str().len() + 1).sum();
            let rest = mail.subject.as_str().get(used..).unwrap_or_default();
            lines.push(Clean::line(rest).truncate(cells));
        }
        lines
    }

    /// Lines above the text: subject, sender, attachments, and space where there is some.
    #[must_use]
    pub fn head_height(&self) -> u16 {
        let subject = u16::try_from(self.subject_lines().len().max(1)).unwrap_or(1);
        let (warnings, chips) = self.letter().map_or((0, false), |l| (l.warnings.len(), !l.chips.is_empty()));
        subject
            + 1
            + u16::try_from(warnings).unwrap_or(u16::MAX)
            + u16::from(chips)
            + u16::from(self.letter().is_some_and(|l| l.lives.is_some()))
            + u16::from(self.size.1 >= 12)
    }

    /// Lines of text on the screen.
    #[must_use]
    pub fn body_height(&self) -> usize {
        usize::from(self.size.1.saturating_sub(self.head_height()).max(1))
    }

    fn last_scroll(&self) -> usize {
        self.letter().map_or(0, |l| l.lines.len().saturating_sub(self.body_height()))
    }

    fn clamp(&mut self) {
        self.scroll = self.scroll.min(self.last_scroll());
    }

    /// Whether the last line is on the screen.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.letter().is_none() || self.scroll >= self.last_scroll()
    }

    /// How far the text is scrolled, in percent; `None` when all of it is on the screen.
    #[must_use]
    pub fn percent(&self) -> Option<usize> {
        let last = self.last_scroll();
        (last > 0).then(|| self.scroll * 100 / last)
    }

    /// Scrolls.
    pub fn go(&mut self, motion: Motion) {
        let page = i64::try_from(self.body_height()).unwrap_or(1);
        let by = match motion {
            Motion::Lines(n) => i64::from(n),
            Motion::Halves(n) => i64::from(n) * (page / 2).max(1),
            Motion::Pages(n) => i64::from(n) * (page - 1).max(1),
            Motion::First => i64::MIN / 2,
            Motion::Last => i64::MAX / 2,
        };
        let at = i64::try_from(self.scroll).unwrap_or(0).saturating_add(by).max(0);
        self.scroll = usize::try_from(at).unwrap_or(0).min(self.last_scroll());
        self.stopped &= self.is_at_end();
    }

    /// Marks a line that was found, and brings it onto the screen with some lines above it.
    pub fn show_hit(&mut self, line: usize) {
        self.hit = Some(line);
        let height = self.body_height();
        if line < self.scroll || line >= self.scroll + height {
            self.scroll = line.saturating_sub(height / 3).min(self.last_scroll());
        }
    }

    /// Scrolls to what is cut off on the right, or back. Says whether anything moved.
    pub fn go_aside(&mut self, right: bool) -> bool {
        let step = usize::from(self.text_width() / 2);
        let widest = self.letter().map_or(0, Letter::width);
        let last = widest.saturating_sub(usize::from(self.size.0.saturating_sub(2 * MARGIN)));
        let to = if right { (self.aside + step).min(last) } else { self.aside.saturating_sub(step) };
        let moved = to != self.aside;
        self.aside = to;
        moved
    }

    /// Whether the mail on the screen is unread, shown from its first line, and was not made read before.
    #[must_use]
    pub fn can_mark(&self) -> bool {
        let unread = self.mail().is_some_and(|m| !m.flags.has(Flags::SEEN) && self.marked != Some(m.message));
        unread && self.scroll == 0 && self.letter().is_some_and(|l| l.body != BodyState::None)
    }

    /// The mail that is to be made read because it is shown now; once, however it came to be unread again.
    pub fn mark(&mut self) -> Option<Summary> {
        self.read_at = None;
        let unread = self.mail().filter(|_| self.can_mark()).cloned();
        if self.letter().is_some_and(|l| l.body != BodyState::None) {
            self.leave_unmarked();
        }
        unread
    }

    /// From now on the mail that is open is not made read by being shown.
    pub fn leave_unmarked(&mut self) {
        self.marked = self.mail().map(|m| m.message);
    }

    /// When something is to happen by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let slow = self.awaited.filter(|_| !self.slow).map(|since| since + PATIENCE);
        [slow, self.read_at].into_iter().flatten().min()
    }

    /// Notes that a load takes long. Says whether that is news.
    pub fn tick(&mut self, now: Instant) -> bool {
        let slow = self.awaited.is_some_and(|since| now >= since + PATIENCE);
        std::mem::replace(&mut self.slow, slow) != slow
    }

    /// Whether something is awaited, so that `Esc` has something to end.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.awaited.is_some()
    }
}

impl Letter {
    /// The cells of its widest line.
    #[must_use]
    pub fn width(&self) -> usize {
        self.lines.iter().map(crate::mime::Line::width).max().unwrap_or(0)
    }
}
