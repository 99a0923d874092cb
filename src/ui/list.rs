//! The list: a row a conversation, columns that never jump.

use std::collections::HashSet;

use super::labels::labels;
use super::paint::{Brush, cells};
use super::people::{GAP, Person, fit};
use super::{Look, centred};
use crate::app::App;
use crate::app::layout::{Area, TWO_PANES};
use crate::app::lines::{Child, Entry};
use crate::app::scope::Focus;
use crate::config::theme::Role;
use crate::engine::AccountState;
use crate::model::{
    AccountId, Flags, MUTED, Role as Kind, Summary, View, is_muted, is_same_tag, is_shown_tag,
};
use crate::text::subject::bare;
use crate::text::{Clean, head, when};

/// Cells before the people: the bar, three marks, a space.
const MARKS: u16 = 5;
/// A snippet shorter than this says nothing.
const SNIPPET: u16 = 8;
/// Levels of a tree that are drawn.
const DEEPEST: usize = 8;
/// A list narrower than this saves cells where it can.
const NARROW: u16 = 64;
/// The date of this year takes so many cells at most.
const DATE: u16 = 6;
/// Cells of an account's name at most, and in a narrow list.
const WIDE_NAME: usize = 8;
const NARROW_NAME: usize = 3;

/// Where the columns of a list stand. They follow from the width of the pane alone: scrolling moves none.
struct Columns {
    people: u16,
    people_cells: u16,
    /// The column after the number of mails.
    count_end: u16,
    count_cells: u16,
    subject: u16,
    /// In a list of several accounts: where the account of a row is named, and in how many cells.
    account: Option<(u16, u16)>,
    /// What each account is called there, in the order of all accounts.
    accounts: Vec<Clean>,
    right: u16,
    snippets: bool,
}

impl Columns {
    fn new(app: &App, area: Area) -> Self {
        let narrow = area.width < NARROW;
        let people = area.x + MARKS;
        let people_cells = (area.width / 4).clamp(10, 22);
        let count_cells = if narrow { 2 } else { 3 };
        let count_end = people + people_cells + 1 + count_cells;
        let right = area.right() - 1;
        let (mut account, mut accounts) = (None, Vec::new());
        if app.list.view().is_some_and(|view| view.all_title().is_some()) {
            accounts = short_names(app, if narrow { NARROW_NAME } else { WIDE_NAME });
            let wide = accounts.iter().map(cells).max().unwrap_or(0);
            account = Some((right - wide, wide));
        }
        let snippets = app.size().0 >= TWO_PANES;
        Self {
            people,
            people_cells,
            count_end,
            count_cells,
            subject: count_end + 2,
            account,
            accounts,
            right,
            snippets,
        }
    }
}

/// What the accounts are called where there is little room: in a narrow list with as few cells as tell them
/// apart.
pub(super) fn short_names(app: &App, most: usize) -> Vec<Clean> {
    let names: Vec<&str> = app.accounts.all.iter().map(|a| a.name.as_str()).collect();
    let starts = |n: &usize| -> HashSet<&str> { names.iter().map(|name| head(name, *n)).collect() };
    let enough = (1..most).find(|n| most == NARROW_NAME && starts(n).len() == names.len());
    labels(&names, enough.unwrap_or(most)).iter().map(|label| Clean::line(label)).collect()
}

pub(super) fn draw(app: &App, look: &Look, brush: &mut Brush<'_>, area: Area) {
    if app.list.is_empty() {
        return draw_empty(app, brush, area);
    }
    let columns = Columns::new(app, area);
    for (y, (entry, current)) in (area.y..area.bottom()).zip(app.list.visible()) {
        let line = Area { y, height: 1, ..area };
        let focused = app.focus == Focus::List;
        let over = match (current, focused) {
            (true, true) => brush.style(Role::Cursor),
            (true, false) => brush.style(Role::CursorAway),
            _ => brush.style(Role::Text),
        };
        if current {
            brush.tint(line, over);
        }
        let over = match current {
            true => over,
            false if is_muted(&entry.row().tags) => brush.style(Role::Dim),
            false => ratatui::style::Style::new(),
        };
        brush.with_over(over, |brush| draw_entry(app, look, brush, &columns, (entry, y)));
        let (bar, selected) = (brush.glyphs.bar, brush.glyphs.selected);
        if app.list.is_selected(entry) {
            brush.put(area.x, y, selected, Role::MarkSelected, 1);
        } else if current {
            brush.put(area.x, y, bar, if focused { Role::CursorBar } else { Role::Rule }, 1);
        }
    }
}

fn draw_entry(
    app: &App,
    look: &Look,
    brush: &mut Brush<'_>,
    columns: &Columns,
    (entry, y): (Entry<'_>, u16),
) {
    let (mail, unread, starred) = match entry {
        Entry::Closed(row) => (&row.head, row.is_unread(), row.is_starred()),
        Entry::Child(_, child) => {
            let flags = child.summary.flags;
            (&child.summary, !flags.has(Flags::SEEN), flags.has(Flags::FLAGGED))
        }
    };
    draw_marks(brush, columns.people - MARKS + 1, y, mail, (unread, starred));
    draw_people(app, brush, columns, (entry, y));
    let end = draw_date(app, look, brush, columns, (mail, y));
    match entry {
        Entry::Closed(row) => {
            if row.members.len() > 1 {
                let most = if columns.count_cells > 2 { 999 } else { 99 };
                let count = Clean::line(&row.members.len().min(most).to_string());
                brush.put_right(columns.count_end, y, &count, Role::ListCount, columns.count_cells);
            }
            // How many mails there are says already that they answer each other.
            let subject = match row.members.len() {
                1 => mail.subject.clone(),
                _ => Clean::line(bare(mail.subject.as_str())),
            };
            draw_subject(brush, columns, (mail, y), (columns.subject, end), (&subject, &row.tags, unread));
        }
        Entry::Child(_, child) => draw_child(brush, columns, (child, y), end, unread),
    }
}

fn draw_marks(brush: &mut Brush<'_>, x: u16, y: u16, mail: &Summary, (unread, starred): (bool, bool)) {
    let glyphs = brush.glyphs;
    if unread {
        brush.put(x, y, glyphs.unread, Role::MarkUnread, 1);
    } else if mail.flags.has(Flags::ANSWERED) {
        brush.put(x, y, glyphs.answered, Role::MarkOther, 1);
    } else if mail.flags.has(Flags::FORWARDED) {
        brush.put(x, y, glyphs.forwarded, Role::MarkOther, 1);
    }
    if starred {
        brush.put(x + 1, y, glyphs.star, Role::MarkStar, 1);
    }
    if mail.attachments > 0 {
        brush.put(x + 2, y, glyphs.attachment, Role::MarkOther, 1);
    }
}

fn draw_people(app: &App, brush: &mut Brush<'_>, columns: &Columns, (entry, y): (Entry<'_>, u16)) {
    let end = columns.people + columns.people_cells;
    let mut x = columns.people;
    let mail = match entry {
        Entry::Closed(row) => &row.head,
        Entry::Child(_, child) => &child.summary,
    };
    let role = app.accounts.folder(mail.folder).and_then(|f| f.role);
    if matches!(role, Some(Kind::Sent | Kind::Drafts)) {
        let arrow = brush.glyphs.to;
        x = brush.put(x, y, arrow, Role::ListSnippet, 1) + 1;
        let style = if entry.row().is_unread() { Role::ListUnread } else { Role::List };
        let whom = if mail.to_line.is_empty() { Clean::fixed("nobody yet") } else { mail.to_line.clone() };
        brush.put(x, y, whom, style, end.saturating_sub(x));
        return;
    }
    let own =
        |name: &Clean| if app.accounts.is_me(name.as_str()) { Clean::fixed("me") } else { name.clone() };
    let people: Vec<Person> = match entry {
        Entry::Closed(row) => {
            row.people.iter().map(|(name, unread)| Person { name: own(name), unread: *unread }).collect()
        }
        Entry::Child(_, child) => {
            let from = &child.summary;
            let name = if app.accounts.is_me(from.from_addr.as_str()) {
                Clean::fixed("me")
            } else {
                own(&from.from_name)
            };
            vec![Person { name, unread: !from.flags.has(Flags::SEEN) }]
        }
    };
    for (person, after) in fit(&people, usize::from(columns.people_cells)) {
        let style = if person.unread { Role::ListUnread } else { Role::List };
        x = brush.put(x, y, &person.name, style, end.saturating_sub(x));
        if after == GAP {
            let cut = brush.glyphs.cut;
            x = brush.put(x + 1, y, cut, Role::ListSnippet, end.saturating_sub(x + 1)) + 1;
        } else {
            x = brush.put(x, y, after, Role::List, end.saturating_sub(x));
        }
    }
}

/// Whose it is in a list of several accounts, and the date before that; where the subject has to end.
fn draw_date(
    app: &App,
    look: &Look,
    brush: &mut Brush<'_>,
    columns: &Columns,
    (mail, y): (&Summary, u16),
) -> u16 {
    let mut right = columns.right;
    if let Some((at, wide)) = columns.account {
        let of = app.accounts.all.iter().position(|a| a.id == mail.account);
        if let Some(name) = of.and_then(|of| columns.accounts.get(of)) {
            brush.put(at, y, name, Role::ListDate, wide);
        }
        right = at.saturating_sub(2);
    }
    let at = match app.list.view() {
        // Of what was put off: when it comes back.
        Some(View::Snoozed) => -mail.key.at,
        _ if app.is_ranked() => mail.date,
        _ => mail.key.at,
    };
    let date = Clean::line(&when::short(at, app.now.unix, &look.zone));
    // All dates of this year end a subject at the same column; only an older date takes more.
    let wide = cells(&date);
    brush.put_right(right, y, &date, Role::ListDate, wide);
    right.saturating_sub(wide.max(DATE) + 2)
}

fn draw_subject(
    brush: &mut Brush<'_>,
    columns: &Columns,
    (mail, y): (&Summary, u16),
    (x, end): (u16, u16),
    (subject, tags, unread): (&Clean, &[Clean], bool),
) {
    let style = if unread { Role::ListUnread } else { Role::List };
    let subject = if subject.is_empty() { Clean::fixed("(no subject)") } else { subject.clone() };
    // Tags are seen even where a subject takes all the room there is.
    let tags = tags_shown(tags, end.saturating_sub(x) / 3);
    let wide = cells(&tags);
    let room = end.saturating_sub(x + if wide > 0 { wide + 2 } else { 0 });
    let mut after = brush.put(x, y, subject, style, room) + 2;
    if wide > 0 {
        after = brush.put(after, y, &tags, Role::ListTag, wide) + 2;
    }
    if columns.snippets && end.saturating_sub(after) >= SNIPPET {
        brush.put(after, y, &mail.snippet, Role::ListSnippet, end - after);
    }
}

fn draw_child(brush: &mut Brush<'_>, columns: &Columns, (child, y): (&Child, u16), end: u16, unread: bool) {
    let glyphs = brush.glyphs;
    let Some((last, above)) = child.more.split_last() else {
        brush.put_right(columns.count_end, y, glyphs.open, Role::ListTree, 1);
        let subject = (&child.summary.subject, &child.summary.tags[..], unread);
        return draw_subject(brush, columns, (&child.summary, y), (columns.subject, end), subject);
    };
    let mut x = columns.subject;
    for goes_on in above.iter().rev().take(DEEPEST).rev() {
        x = if *goes_on { brush.put(x, y, glyphs.trunk, Role::ListTree, 2) } else { x + 2 };
    }
    x = brush.put(x, y, if *last { glyphs.branch } else { glyphs.last }, Role::ListTree, 2) + 1;
    let snippet = &child.summary.snippet;
    if child.same_subject && !snippet.is_empty() {
        let style = if unread { Role::ListUnread } else { Role::ListSnippet };
        brush.put(x, y, snippet, style, end.saturating_sub(x));
    } else {
        let subject = (&child.summary.subject, &child.summary.tags[..], unread);
        draw_subject(brush, columns, (&child.summary, y), (x, end), subject);
    }
}

/// `#todo`; of a muted conversation `muted`.
fn tag_shown(tag: &Clean) -> Option<Clean> {
    if is_same_tag(tag.as_str(), MUTED) {
        return Some(Clean::fixed("muted"));
    }
    is_shown_tag(tag.as_str()).then(|| Clean::line(&format!("#{tag}")))
}

/// `#todo #work +2`: those that people want to see, as many as there is room for, and three at most.
pub(super) fn tags_shown(tags: &[Clean], room: u16) -> Clean {
    const MOST: usize = 3;
    const LEAST: u16 = 4;
    let shown: Vec<Clean> = tags.iter().filter_map(tag_shown).collect();
    if shown.is_empty() || room < LEAST {
        return Clean::default();
    }
    let line = |count: usize| {
        let mut words: Vec<String> = shown.iter().take(count).map(Clean::to_string).collect();
        words.extend((shown.len() > count).then(|| format!("+{}", shown.len() - count)));
        Clean::line(&words.join(" "))
    };
    let fits = (1..=shown.len().min(MOST)).rev().map(line).find(|line| cells(line) <= room);
    fits.unwrap_or_else(|| Clean::line(&crate::text::truncate(shown[0].as_str(), room.into())))
}

/// What an empty list says: why, and which key helps.
fn draw_empty(app: &App, brush: &mut Brush<'_>, area: Area) {
    let folder = match app.list.view() {
        Some(View::Folder(id)) => app.accounts.folder(id),
        _ => None,
    };
    let account = folder.and_then(|f| app.accounts.get(f.account)).or_else(|| app.accounts.all.first());
    let fresh = folder.is_some_and(|f| f.synced_at == 0);
    if let Some(lines) = never_reached(app, folder.map(|f| f.account)) {
        return centred(brush, area, &lines);
    }
    let busy = account.is_some_and(|a| matches!(a.state, AccountState::Connecting | AccountState::Syncing));
    let (first, second) = match app.view_role() {
        _ if app.list.view() == Some(View::Starred) => {
            ("Nothing is starred", "s stars a mail, gi goes to the inbox")
        }
        _ if app.list.view() == Some(View::Unread) => ("All is read", "gi goes to the inbox"),
        _ if app.list.view() == Some(View::Snoozed) => {
            ("Nothing is snoozed", "H puts a mail off until later")
        }
        _ if fresh && busy => ("Fetching mail", "The newest comes first"),
        Some(Kind::Inbox) => {
            ("Nothing here: the inbox is empty", "$ asks the servers now, gs shows what you sent")
        }
        Some(Kind::Drafts) => ("No drafts", "gi goes to the inbox"),
        Some(Kind::Sent) => ("Nothing was sent yet", "gi goes to the inbox"),
        Some(Kind::Trash) => ("Trash is empty", "d moves mail here, u takes it back"),
        Some(Kind::Archive) => ("Nothing is archived yet", "a in the inbox moves mail here"),
        Some(Kind::Junk) => ("No junk", "gi goes to the inbox"),
        _ => ("This folder is empty", "J opens the next folder, gi goes to the inbox"),
    };
    centred(brush, area, &[Clean::fixed(first), Clean::fixed(second)]);
}

/// What is said instead of "empty" while mail never came from an account, because something is in its way.
fn never_reached(app: &App, of: Option<AccountId>) -> Option<Vec<Clean>> {
    let mut candidates = app.accounts.live().filter(|a| of.is_none_or(|id| id == a.id));
    let account = candidates.find(|a| {
        let stopped = matches!(a.state, AccountState::Offline { .. } | AccountState::Paused { .. });
        stopped && a.folders.iter().all(|f| f.synced_at == 0)
    })?;
    let (why, hint) = match &account.state {
        AccountState::Paused { why, hint } => (why, hint.clone()),
        AccountState::Offline { why, .. } => (why, Some(Clean::fixed("It is tried again by itself"))),
        _ => return None,
    };
    let mut lines = vec![Clean::line(&format!("No mail from {} yet", account.name)), why.clone()];
    lines.extend(hint);
    lines.push(Clean::fixed("gS tells how each account fares, r there tries again"));
    Some(lines)
}
