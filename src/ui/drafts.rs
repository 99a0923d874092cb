//! The list of drafts: to whom, about what, and who has one open.

use super::list::short_names;
use super::paint::{Brush, cells};
use super::{Look, centred};
use crate::app::App;
use crate::app::drafts::Drafts;
use crate::app::layout::{Area, TWO_PANES};
use crate::app::scope::Focus;
use crate::config::theme::Role;
use crate::mime;
use crate::store::Kept;
use crate::text::amount::number;
use crate::text::{Clean, when};

/// Cells before the people: the bar, a mark, a space.
const MARKS: u16 = 4;
/// Cells of the date at least, so that all begin at the same column.
const DATE: u16 = 6;
/// A snippet shorter than this says nothing.
const SNIPPET: u16 = 8;
/// What the footer tells.
const KEYS: [(&str, &str); 5] =
    [("Enter", "open"), ("X", "discard"), ("u", "undo"), ("c", "write"), ("q", "back")];

pub(super) fn draw(app: &App, drafts: &Drafts, look: &Look, brush: &mut Brush<'_>, body: Area) {
    super::compose::footer(brush, body.low(1), &KEYS);
    let area = Area { height: body.height - 1, ..body };
    let elsewhere = (drafts.in_folders > 0).then(|| {
        let what = if drafts.in_folders == 1 { "mail is" } else { "mails are" };
        Clean::line(&format!(
            "{} {what} in the folders for drafts: gd again shows them",
            number(drafts.in_folders)
        ))
    });
    if drafts.rows.is_empty() {
        let lines: Vec<Clean> =
            [Clean::fixed("Nothing is being written"), Clean::fixed("c begins a mail, r an answer")]
                .into_iter()
                .chain(elsewhere)
                .collect();
        return centred(brush, area, &lines);
    }
    let room = usize::from(area.height.saturating_sub(if elsewhere.is_some() { 2 } else { 0 })).max(1);
    let top = (drafts.at + 1).saturating_sub(room);
    let accounts = if app.accounts.are_several() { short_names(app, 8) } else { Vec::new() };
    let mut y = area.y;
    for (at, kept) in drafts.rows.iter().enumerate().skip(top).take(room) {
        let line = Area { y, height: 1, ..area };
        let mut over = ratatui::style::Style::new();
        if at == drafts.at {
            over = brush.style(if app.focus == Focus::Drafts { Role::Cursor } else { Role::CursorAway });
            brush.tint(line, over);
        }
        brush.with_over(over, |brush| draw_row(app, look, brush, line, (kept, &accounts)));
        if at == drafts.at {
            let bar = brush.glyphs.bar;
            brush.put(line.x, y, bar, Role::CursorBar, 1);
        }
        y += 1;
    }
    if let Some(text) = elsewhere
        && y + 1 < area.bottom()
    {
        brush.put(area.x + MARKS, y + 1, &text, Role::Dim, area.width.saturating_sub(MARKS + 1));
    }
}

fn draw_row(app: &App, look: &Look, brush: &mut Brush<'_>, line: Area, (kept, names): (&Kept, &[Clean])) {
    let (draft, y) = (&kept.draft, line.y);
    if !draft.attachments.is_empty() {
        let mark = brush.glyphs.attachment;
        brush.put(line.x + 2, y, mark, Role::MarkOther, 1);
    }
    let mut right = line.right() - 1;
    if let Some(name) =
        app.accounts.all.iter().position(|a| a.id == draft.account).and_then(|at| names.get(at))
    {
        let wide = names.iter().map(cells).max().unwrap_or(0);
        brush.put(right - wide, y, name, Role::ListDate, wide);
        right = right.saturating_sub(wide + 2);
    }
    let date = Clean::line(&when::short(kept.updated, app.now.unix, &look.zone));
    let wide = cells(&date);
    brush.put_right(right, y, &date, Role::ListDate, wide);
    let mut right = right.saturating_sub(wide.max(DATE) + 2);
    if let Some(state) = state(app, kept) {
        let wide = cells(&state);
        brush.put_right(right, y, &state, Role::ListTag, wide);
        right = right.saturating_sub(wide + 2);
    }
    let people = (line.width / 4).clamp(10, 26);
    let arrow = brush.glyphs.to;
    let x = brush.put(line.x + MARKS, y, arrow, Role::ListSnippet, 1) + 1;
    let end = line.x + MARKS + people;
    let whom = to_whom(draft);
    let role = if whom.is_empty() { Role::ListSnippet } else { Role::List };
    let whom = if whom.is_empty() { Clean::fixed("nobody yet") } else { whom };
    brush.put(x, y, whom, role, end.saturating_sub(x));
    let (x, subject) = (end + 2, Clean::line(&draft.subject).trim());
    let (subject, role) = match subject.is_empty() {
        true => (Clean::fixed("(no subject)"), Role::ListSnippet),
        false => (subject, Role::List),
    };
    let x = brush.put(x, y, subject, role, right.saturating_sub(x)) + 2;
    if line.width >= TWO_PANES && right.saturating_sub(x) >= SNIPPET {
        brush.put(x, y, Clean::line(&snippet(&draft.body)), Role::ListSnippet, right - x);
    }
}

/// Who has it open, if not this screen alone.
fn state(app: &App, kept: &Kept) -> Option<Clean> {
    match kept.editor {
        _ if app.pages.has(kept.id) => Some(Clean::fixed("open")),
        Some(process) if process != std::process::id() => {
            Some(Clean::line(&format!("open in process {process}")))
        }
        _ => None,
    }
}

/// The people of a field as names where they have some.
fn to_whom(draft: &crate::model::Draft) -> Clean {
    let fields = [&draft.to, &draft.cc, &draft.bcc];
    let Some(text) = fields.into_iter().find(|text| !text.trim().is_empty()) else { return Clean::default() };
    let people = mime::typed(text);
    let name = |who: &crate::model::Address| match who.name.is_empty() {
        true => who.addr.clone(),
        false => who.name.clone(),
    };
    let names: Vec<String> = people.iter().map(name).filter(|name| !name.is_empty()).collect();
    Clean::line(&if names.is_empty() { text.clone() } else { names.join(", ") })
}

/// The first words that the writer wrote.
fn snippet(body: &str) -> String {
    let own = body.lines().take_while(|line| *line != "-- ").filter(|line| !line.starts_with('>'));
    let words: Vec<&str> = own.flat_map(str::split_whitespace).take(60).collect();
    words.join(" ")
}
