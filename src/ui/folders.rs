//! The folder pane: accounts with a dot each, folders with what is unread.

use super::paint::{Brush, cells};
use super::title::folder_name;
use crate::app::App;
use crate::app::accounts::Dot;
use crate::app::folders::{Entry, entries};
use crate::app::layout::Area;
use crate::app::scope::Focus;
use crate::config::theme::Role;
use crate::model::{Folder, Role as Kind, View};
use crate::text::Clean;
use crate::text::amount::number;

/// Cells that a level of folders is set in.
const INDENT: u16 = 2;

pub(super) fn draw(app: &App, brush: &mut Brush<'_>, area: Area) {
    let all = entries(&app.accounts, app.list.view());
    let here = all.iter().position(|e| e.view().is_some() && e.view() == app.list.view()).unwrap_or(0);
    let height = usize::from(area.height);
    // The folder at hand stays on the screen, with its account above it where that fits.
    let top = (here + 3).saturating_sub(height).min(all.len().saturating_sub(height));
    for (y, (at, entry)) in (area.y..area.bottom()).zip(all.iter().enumerate().skip(top)) {
        let line = Area { y, height: 1, ..area };
        if at != here {
            draw_entry(*entry, brush, line);
            continue;
        }
        let focused = app.focus == Focus::Folders;
        let over = brush.style(if focused { Role::Cursor } else { Role::CursorAway });
        brush.tint(line, over);
        brush.with_over(over, |brush| draw_entry(*entry, brush, line));
        let bar = brush.glyphs.bar;
        let role = if focused { Role::CursorBar } else { Role::Rule };
        brush.put(line.x, y, bar, role, 1);
    }
}

fn draw_entry(entry: Entry<'_>, brush: &mut Brush<'_>, line: Area) {
    let right = line.right() - 1;
    match entry {
        Entry::Gap => {}
        Entry::Outbox(mails, needs_user) => {
            let role = if needs_user { Role::DotBad } else { Role::FolderCount };
            let end = count(brush, right, line.y, mails, role);
            named(brush, line.x + 1, line.y, Clean::fixed("Outbox"), needs_user, end);
        }
        Entry::Unified(of, unseen) => {
            // As for one account's folders: what is unread is counted where it is to be read.
            let is_read_here = matches!(of, View::Unified(role) if is_loud(Some(role)));
            let unseen = if is_read_here { unseen } else { 0 };
            let end = count(brush, right, line.y, unseen, Role::FolderCount);
            named(
                brush,
                line.x + 1,
                line.y,
                Clean::fixed(of.all_title().unwrap_or_default()),
                unseen > 0,
                end,
            );
        }
        Entry::Account(account) => {
            let (glyph, role) = match account.dot() {
                Dot::Good => (brush.glyphs.good, Role::DotGood),
                Dot::Busy => (brush.glyphs.good, Role::DotBusy),
                Dot::Off => (brush.glyphs.off, Role::DotOff),
                Dot::Bad => ("!", Role::DotBad),
                Dot::Parked => (brush.glyphs.off, Role::Dim),
            };
            let name = if account.is_parked { Role::Dim } else { Role::FolderAccount };
            let mut end = brush.put_right(right, line.y, glyph, role, 1);
            if let Some(quota) = account.quota.filter(|quota| quota.is_tight()) {
                // Worth a word only where room comes to an end.
                let full = Clean::line(&format!("{}%", quota.percent().min(999)));
                end = brush.put_right(end - 1, line.y, &full, Role::Accent, cells(&full));
            }
            brush.put(line.x + 1, line.y, &account.name, name, end.saturating_sub(line.x + 2));
        }
        Entry::Folder(folder, depth, quiet) => draw_folder(folder, (depth, quiet), brush, line),
    }
}

fn draw_folder(folder: &Folder, (depth, quiet): (usize, bool), brush: &mut Brush<'_>, line: Area) {
    let right = line.right() - 1;
    let (shown, role) = match folder.role {
        Some(Kind::Drafts) => (folder.total, Role::Dim),
        Some(Kind::Sent | Kind::Trash | Kind::All) => (0, Role::Dim),
        Some(Kind::Junk) => (folder.unseen, Role::Dim),
        _ => (folder.unseen, Role::FolderCount),
    };
    let end = count(brush, right, line.y, shown.into(), role);
    let indent = INDENT * u16::try_from(depth.min(6) + 1).unwrap_or(1);
    let x = line.x + 1 + indent;
    if quiet {
        brush.put(x, line.y, leaf(folder, depth), Role::Dim, end.saturating_sub(x + 1));
    } else {
        named(brush, x, line.y, leaf(folder, depth), is_loud(folder.role) && folder.unseen > 0, end);
    }
}

/// Whether unread mail in it is to be noticed.
fn is_loud(role: Option<Kind>) -> bool {
    !matches!(role, Some(Kind::Drafts | Kind::Sent | Kind::Junk | Kind::Trash | Kind::All))
}

/// The last part of the path where the parts before it stand above; else all of it.
fn leaf(folder: &Folder, depth: usize) -> Clean {
    if depth == 0 {
        return folder_name(folder.role, &folder.path);
    }
    Clean::line(folder.path.as_str().rsplit('/').next().unwrap_or_default())
}

/// A count flush right, if there is one; where it begins.
fn count(brush: &mut Brush<'_>, right: u16, y: u16, n: u64, role: Role) -> u16 {
    if n == 0 {
        return right;
    }
    let text = number(n);
    brush.put_right(right, y, &text, role, cells(&text))
}

fn named(brush: &mut Brush<'_>, x: u16, y: u16, name: Clean, unread: bool, end: u16) {
    let role = if unread { Role::FolderUnread } else { Role::Folder };
    brush.put(x, y, name, role, end.saturating_sub(x + 1));
}
