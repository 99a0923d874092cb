//! The line at the top: where we are, what arrived above, how many.

use super::help;
use super::paint::{Brush, cells};
use crate::app::layout::Area;
use crate::app::sort::Arrangement;
use crate::app::{App, Overlay};
use crate::config::theme::Role;
use crate::model::{Order, Role as Kind, View};
use crate::text::Clean;
use crate::text::amount::number;

pub(super) fn draw(app: &App, brush: &mut Brush<'_>, area: Area) {
    brush.clear(area, Role::Title);
    let right = counts(app, brush, area);
    let room = right.saturating_sub(area.x + 3);
    let mut x = area.x + 1;
    let end = x + room;
    if let Some(Overlay::Help(of, _)) = &app.overlay {
        x = brush.put(x, area.y, "Keys", Role::TitlePlace, room);
        let dot = brush.glyphs.dot;
        x = brush.put(x + 1, area.y, dot, Role::TitleDim, end - x);
        x = brush.put(x + 1, area.y, of.title(), Role::TitleDim, end - x);
        if let Some(preset) = app.keymap().preset() {
            brush.put(x, area.y, Clean::line(&format!(", as in {preset}")), Role::TitleDim, end - x);
        }
        return;
    }
    if let Some(page) = app.pages.shown() {
        let x = brush.put(x, area.y, "Draft", Role::TitlePlace, room);
        let dot = brush.glyphs.dot;
        let subject = Clean::line(&page.draft.subject).trim();
        if !subject.is_empty() && x + 3 < end {
            let x = brush.put(x + 1, area.y, dot, Role::TitleDim, 1) + 1;
            brush.put(x, area.y, &subject, Role::TitleDim, end - x);
        }
        return;
    }
    if app.drafts.is_some() {
        brush.put(x, area.y, "Drafts", Role::TitlePlace, room);
        return;
    }
    if app.ledger.is_some() {
        brush.put(x, area.y, "What waits", Role::TitlePlace, room);
        return;
    }
    let (account, place) = names(app);
    if let Some(account) = account {
        x = brush.put(x, area.y, &account, Role::TitleDim, end.saturating_sub(x));
        let dot = brush.glyphs.dot;
        x = brush.put(x + 1, area.y, dot, Role::TitleDim, end.saturating_sub(x + 1)) + 1;
    }
    x = brush.put(x, area.y, &place, Role::TitlePlace, end.saturating_sub(x));
    let arranged = arranged(app);
    if !arranged.is_empty() && x + 2 + cells(&arranged) <= end {
        x = brush.put(x + 2, area.y, &arranged, Role::TitleDim, end - x - 2);
    }
    let news = app.list.news();
    if news > 0 {
        let more = if news >= 100 { "+" } else { "" };
        let text = Clean::line(&format!("{} {news}{more} new", brush.glyphs.up));
        if x + 3 + cells(&text) <= end {
            brush.put(x + 3, area.y, &text, Role::TitleNews, end - x - 3);
        }
    }
}

/// In which order the list is, where it is another than always, and that its rows are mails.
fn arranged(app: &App) -> Clean {
    let Arrangement { order, is_flat } = app.arranged();
    let order = Some(order.title()).filter(|_| order != Order::default());
    let narrowed =
        Some(app.narrowed()).filter(|words| !words.is_empty()).map(|words| format!("only “{words}”"));
    let words = is_flat.then_some("messages").into_iter().chain(order).map(str::to_owned);
    Clean::line(&words.chain(narrowed).collect::<Vec<_>>().join(", "))
}

/// The account and the name of what is shown.
fn names(app: &App) -> (Option<Clean>, Clean) {
    match app.list.view() {
        Some(View::Folder(id)) => {
            let folder = app.accounts.folder(id);
            let account = folder.and_then(|f| app.accounts.get(f.account)).map(|a| a.name.clone());
            (account, folder.map_or(Clean::fixed("mailtui"), |f| folder_name(f.role, &f.path)))
        }
        Some(view) => (None, Clean::fixed(view.all_title().unwrap_or("mailtui"))),
        None => (None, Clean::fixed("mailtui")),
    }
}

/// What a folder is called: one with a role by its role where the server shouts.
pub(super) fn folder_name(role: Option<Kind>, path: &Clean) -> Clean {
    match role {
        Some(Kind::Inbox) => Clean::fixed(Kind::Inbox.title()),
        _ => path.clone(),
    }
}

/// At the right: how many in the list. Where it begins.
fn counts(app: &App, brush: &mut Brush<'_>, area: Area) -> u16 {
    let right = area.right() - 1;
    if let (Some(Overlay::Help(of, scroll)), Some(layout)) = (&app.overlay, app.layout()) {
        let (lines, total) = help::sight(app, *of, *scroll, layout.body);
        let text = Clean::line(&format!("{}-{} / {total}", lines.start + 1, lines.end));
        return match lines.len() < total {
            true => brush.put_right(right, area.y, &text, Role::TitleDim, area.width / 2),
            false => right,
        };
    }
    if let Some(at) = app.pages.number() {
        if app.pages.count() < 2 {
            return right;
        }
        let text = Clean::line(&format!("{at} of {}", app.pages.count()));
        let x = brush.put_right(right, area.y, "gt", Role::StatusKeys, 2);
        return brush.put_right(x - 1, area.y, &text, Role::TitleDim, area.width / 3);
    }
    if let Some(drafts) = &app.drafts {
        return match drafts.rows.len() {
            0 => right,
            n => brush.put_right(right, area.y, number(n as u64), Role::TitleDim, area.width / 3),
        };
    }
    if let Some(ledger) = &app.ledger {
        let text = match ledger.total() {
            0 => return right,
            total => number(total),
        };
        return brush.put_right(right, area.y, &text, Role::TitleDim, area.width / 2);
    }
    if app.list.view().is_none() {
        return right;
    }
    let (total, unseen) = app.list.counts;
    let x = brush.put_right(right, area.y, number(total), Role::TitleDim, area.width / 2);
    if unseen == 0 {
        return x;
    }
    let dot = brush.glyphs.dot;
    let x = brush.put_right(x - 1, area.y, dot, Role::TitleDim, 1);
    let x = brush.put_right(x - 1, area.y, "unread", Role::TitleDim, area.width / 4);
    brush.put_right(x - 1, area.y, number(unseen), Role::Title, area.width / 4)
}
