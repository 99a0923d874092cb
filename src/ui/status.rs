//! The line at the bottom: what is typed, what happened, and how the accounts are.

use super::Look;
use super::paint::{Brush, cells};
use crate::app::accounts::{Account, Dot, pace};
use crate::app::layout::{Area, TWO_PANES};
use crate::app::notice::Tone;
use crate::app::{App, Overlay, Question};
use crate::config::theme::Role;
use crate::engine::{AccountState, Progress};
use crate::store::Waiting;
use crate::text::amount::{number, size};
use crate::text::wrap::wrap;
use crate::text::{Clean, when};

/// Draws it; where the cursor of the terminal is to be, if something is being typed.
pub(super) fn draw(app: &App, look: &Look, brush: &mut Brush<'_>, area: Area) -> Option<(u16, u16)> {
    brush.clear(area, Role::Status);
    let (left, y) = (area.x + 1, area.y);
    match &app.overlay {
        Some(Overlay::Prompt(prompt)) => {
            let x = brush.put(area.x, y, prompt.kind().sign(), Role::StatusKeys, 1);
            let before = Clean::line(prompt.before_cursor());
            let room = area.width.saturating_sub(2);
            // A long line is scrolled so that the cursor stays in sight.
            let aside = before.width().saturating_sub(usize::from(room.saturating_sub(1)));
            let style = brush.style(Role::Text);
            brush.put_aside((x, y), &Clean::line(prompt.text()), aside, style, room);
            let at = u16::try_from(before.width() - aside).unwrap_or(0);
            return Some((x + at, y));
        }
        Some(Overlay::Ask(question)) => {
            // Of a long one the lines before the last stand above.
            let last = asked(question, area.width).pop().unwrap_or_default();
            let x = brush.put(left, y, &last, Role::StatusAsk, area.width.saturating_sub(3));
            return Some(((x + 1).min(area.right() - 1), y));
        }
        Some(Overlay::Leaving(mails)) => {
            let what = if mails.len() == 1 {
                Clean::fixed("1 mail")
            } else {
                Clean::line(&format!("{} mails", mails.len()))
            };
            let text = Clean::join(
                [
                    &Clean::fixed("Sending"),
                    &what,
                    &Clean::fixed("before leaving: Esc leaves now, it stays in the outbox"),
                ],
                " ",
            );
            brush.put(left, y, &text, Role::StatusAsk, area.width.saturating_sub(3));
            return None;
        }
        _ => {}
    }
    let end = draw_right(app, look, brush, area);
    let room = end.saturating_sub(left + 2);
    let left = match app.is_recording() {
        true => brush.put(left, y, "recording", Role::StatusWork, room) + 2,
        false => left,
    };
    let room = end.saturating_sub(left + 2);
    if !app.pending.is_empty() {
        brush.put(left, y, Clean::line(&app.pending.print()), Role::StatusKeys, room);
    } else if let Some(counting) =
        app.countdown().filter(|_| app.notice.as_ref().is_none_or(|n| n.is_read(app.now.at)))
    {
        let text = Clean::line(&format!("Sending in {}s", counting.left));
        let x = brush.put(left, y, &text, Role::Status, room);
        let dot = brush.glyphs.dot;
        let hint = if counting.by_undo { "u takes it back" } else { "go, then h holds it back" };
        let x = brush.put(x + 1, y, dot, Role::StatusDim, 1) + 1;
        let x = brush.put(x, y, hint, Role::StatusDim, (left + room).saturating_sub(x));
        brush.put(x + 2, y, &counting.mail.subject, Role::StatusDim, (left + room).saturating_sub(x + 2));
    } else if let Some(notice) = &app.notice {
        let role = if notice.tone == Tone::Error { Role::StatusError } else { Role::Status };
        let x = brush.put(left, y, &notice.text, role, room);
        if let Some(hint) = &notice.hint
            && x + 3 < left + room
        {
            let dot = brush.glyphs.dot;
            let x = brush.put(x + 1, y, dot, Role::StatusDim, 1) + 1;
            brush.put(x, y, hint, Role::StatusDim, (left + room).saturating_sub(x));
        }
    } else if matches!(app.overlay, Some(Overlay::Help(..))) {
        brush.put(left, y, "j k scroll   q leaves", Role::StatusDim, room);
    } else if !app.list.selection.is_empty() {
        let mails: usize = app.list.selection.values().map(Vec::len).sum();
        let rows = app.list.selection.len();
        let text = if rows == mails {
            Clean::line(&format!("{rows} selected"))
        } else {
            Clean::line(&format!("{rows} selected, {mails} messages"))
        };
        let x = brush.put(left, y, &text, Role::MarkSelected, room);
        let keys = if app.list.is_ranging() {
            "v ends here   d trash   a archive   Esc none"
        } else {
            "d trash   a archive   Esc none"
        };
        if x + 3 + cells(keys) <= left + room {
            brush.put(x + 3, y, keys, Role::StatusDim, left + room - x - 3);
        }
    } else if app.is_untouched() {
        // Until the first key: whoever sees this for the first time has to begin somewhere.
        brush.put(left, y, "? keys   : commands   q back", Role::StatusDim, room);
    }
    None
}

/// The lines of a question.
pub(super) fn asked(question: &Question, width: u16) -> Vec<Clean> {
    let lines = wrap(question.text.as_str(), usize::from(width.saturating_sub(3)));
    lines.into_iter().map(Clean::line).collect()
}

/// At the right: a running piece of work, the accounts that need a word, what is queued. Where it begins.
fn draw_right(app: &App, look: &Look, brush: &mut Brush<'_>, area: Area) -> u16 {
    let y = area.y;
    let wide = area.width >= TWO_PANES;
    let mut end = area.right() - 1;
    let waiting = app.accounts.all.iter().map(|a| &a.waiting);
    let queued: u64 = waiting.clone().map(|w| w.queued + w.outgoing).sum();
    let for_user: u64 = waiting.map(Waiting::for_user).sum();
    if for_user > 0 && app.ledger.is_none() {
        end = brush.put_right(end, y, "gS", Role::StatusKeys, 2).saturating_sub(1);
        let words = if area.width >= TWO_PANES { "for you" } else { "" };
        let text = Clean::join([&number(for_user), &Clean::fixed(words)], " ").trim();
        let x = brush.put_right(end, y, &text, Role::StatusError, cells(&text)).saturating_sub(1);
        end = brush.put_right(x, y, "!", Role::DotBad, 1).saturating_sub(2);
    }
    if let Some((mails, since)) = app.late_mail().filter(|_| app.ledger.is_none()) {
        let since = when::span(u64::try_from(app.now.unix - since).unwrap_or(0));
        let what = if mails == 1 { "mail waits" } else { "mails wait" };
        let text = match area.width >= TWO_PANES {
            true => Clean::line(&format!("{mails} {what} {since}")),
            false => Clean::line(&format!("{mails} unsent")),
        };
        end = brush.put_right(end, y, "go", Role::StatusKeys, 2).saturating_sub(1);
        let x = brush.put_right(end, y, &text, Role::StatusError, cells(&text)).saturating_sub(1);
        end = brush.put_right(x, y, "!", Role::DotBad, 1).saturating_sub(2);
    }
    let open = Clean::line(&app.open_aside());
    if !open.is_empty() {
        end = brush.put_right(end, y, "gt", Role::StatusKeys, 2).saturating_sub(1);
        end = brush.put_right(end, y, &open, Role::StatusDim, cells(&open)).saturating_sub(2);
    }
    if queued > 0 {
        let text = Clean::join([&number(queued), &Clean::fixed("queued")], " ");
        end = brush.put_right(end, y, &text, Role::StatusDim, cells(&text)).saturating_sub(2);
    }
    for account in app.accounts.all.iter().rev() {
        let dot = account.dot();
        // With the folder pane in sight the dots are there: only what is wrong is said here too.
        if dot == Dot::Parked || dot == Dot::Good && (wide || area.width < 60) {
            continue;
        }
        end = draw_account(app, brush, account, (end, y)).saturating_sub(2);
    }
    if let Some((account, progress)) = app.accounts.progress() {
        let text = progress_text(app, account, progress, area.width);
        return brush.put_right(end, y, &text, Role::StatusWork, area.width * 2 / 3).saturating_sub(2);
    }
    // Where nothing else is to be said. The time of day, not how long ago: that would have to tick.
    if app.notice.is_none() && app.list.selection.is_empty() && app.pending.is_empty() {
        let text = in_step(app, look, usize::from(area.width / 2));
        end = brush.put_right(end, y, &text, Role::StatusDim, cells(&text)).saturating_sub(2);
    }
    end
}

/// When the accounts were last in step (promise A2): `in step 14:02` where that is one time for all, `work 14:02
/// home Tue` where it is not, in little room the one that was so longest ago.
fn in_step(app: &App, look: &Look, room: usize) -> Clean {
    let at = |a: &&Account| (a.in_step_at > 0).then(|| when::short(a.in_step_at, app.now.unix, &look.zone));
    let told: Vec<(&Account, String)> = app.accounts.live().filter_map(|a| Some((a, at(&a)?))).collect();
    let Some((_, first)) = told.first() else { return Clean::default() };
    if told.iter().all(|(_, when)| when == first) {
        return Clean::line(&format!("in step {first}"));
    }
    let word = |(account, when): &(&Account, String)| format!("{} {when}", account.name);
    let all = Clean::line(&told.iter().map(word).collect::<Vec<_>>().join("  "));
    if all.width() <= room {
        return all;
    }
    told.iter()
        .min_by_key(|(account, _)| account.in_step_at)
        .map(|one| Clean::line(&word(one)))
        .unwrap_or_default()
}

/// `● work`, `○ home offline`; where it begins.
fn draw_account(app: &App, brush: &mut Brush<'_>, account: &Account, (end, y): (u16, u16)) -> u16 {
    let (glyph, role) = match account.dot() {
        Dot::Good => (brush.glyphs.good, Role::DotGood),
        Dot::Busy => (brush.glyphs.good, Role::DotBusy),
        Dot::Off => (brush.glyphs.off, Role::DotOff),
        Dot::Bad => ("!", Role::DotBad),
        Dot::Parked => (brush.glyphs.off, Role::Dim),
    };
    let word = match &account.state {
        AccountState::Offline { .. } => " offline",
        AccountState::Paused { .. } => " paused",
        AccountState::Connecting if app.size().0 >= TWO_PANES => " connecting",
        _ => "",
    };
    let text = Clean::join([&account.name, &Clean::fixed(word)], "");
    let x = brush.put_right(end, y, &text, Role::StatusDim, 24);
    brush.put_right(x.saturating_sub(1), y, glyph, role, 1)
}

/// `work 3,120 / 50,000 · 1.9 MB/s · 0:24 left`.
fn progress_text(app: &App, account: &Account, progress: &Progress, width: u16) -> Clean {
    let mut text = format!("{} {} / {}", account.name, number(progress.done), number(progress.total));
    if width >= TWO_PANES
        && let Some((rate, left)) = pace(progress, app.now.at)
    {
        text.push_str(&format!(" \u{b7} {}/s \u{b7} {} left", size(rate), when::countdown(left)));
    }
    Clean::line(&text)
}
