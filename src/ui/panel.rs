//! What rises above the status line: what may follow a prefix, completions, attachments.

use super::paint::{Brush, cells};
use super::status::asked;
use crate::app::command::Command;
use crate::app::give::Said;
use crate::app::key::Key;
use crate::app::keymap::Hint;
use crate::app::layout::Area;
use crate::app::prompt::{self, Completion, Prompt};
use crate::app::quick::Quick;
use crate::app::scope::Focus;
use crate::app::{App, Overlay, Question};
use crate::config::theme::Role;
use crate::model::AttachedFrom;
use crate::text::Clean;
use crate::text::amount::size;

/// Completions in sight.
const COMPLETIONS: usize = 8;
/// Cells of a column of hints.
const HINT: u16 = 38;
/// Under so many cells a command is told in two columns, not three.
const NARROW: u16 = 60;
/// What a key does that only begins others.
const MORE: &str = "more";

/// Where the cursor of what is written there stands.
pub(super) fn draw(app: &App, brush: &mut Brush<'_>, body: Area) -> Option<(u16, u16)> {
    match &app.overlay {
        Some(Overlay::Prompt(prompt)) => draw_completions(app, prompt, brush, body),
        Some(Overlay::Said(said)) => draw_said(said, brush, body),
        Some(Overlay::Parts(at)) => draw_parts(app, *at, brush, body),
        Some(Overlay::Quick(quick)) => return draw_quick(app, quick, brush, body),
        Some(Overlay::Files(at)) => draw_files(app, *at, brush, body),
        Some(Overlay::Links(at)) => draw_links(app, *at, brush, body),
        Some(Overlay::Ask(question)) => draw_question(question, brush, body),
        _ if app.hints_shown => draw_hints(app, brush, body),
        _ => {}
    }
    None
}

/// An answer that is written under the mail: it grows with its text to half of the screen.
fn draw_quick(app: &App, quick: &Quick, brush: &mut Brush<'_>, body: Area) -> Option<(u16, u16)> {
    let room = app.quick_room();
    let rows = quick.text.rows(room);
    let lines = (rows.len() + 1).clamp(5, usize::from(body.height / 2).max(5));
    let title = Clean::line(&format!("Answer to {}", quick.to));
    let area = open(brush, body, lines, &title);
    let keys = " Esc ends it: y sends it then ";
    if cells(&title) + cells(keys) + 6 < area.width {
        brush.put_right(area.right() - 2, area.y - 1, keys, Role::Dim, cells(keys));
    }
    let (row, aside) = quick.text.cursor(room);
    let top = (row + 1).saturating_sub(usize::from(area.height));
    for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(top)) {
        let text = quick.text.text().get(row.clone()).unwrap_or_default();
        brush.put(area.x + 2, y, Clean::line(text), Role::Text, area.width.saturating_sub(3));
    }
    let (x, y) = (u16::try_from(aside).unwrap_or(0), u16::try_from(row - top).unwrap_or(0));
    Some((area.x + 2 + x, area.y + y))
}

/// An empty panel of so many lines under a rule with a title; the area below the rule.
fn open(brush: &mut Brush<'_>, body: Area, lines: usize, title: &Clean) -> Area {
    let height = u16::try_from(lines + 1).unwrap_or(u16::MAX).min(body.height);
    let area = body.low(height);
    brush.clear(area, Role::Text);
    brush.line(area, area.y);
    if !title.is_empty() {
        let wide = cells(title);
        brush.clear(
            Area { x: area.x + 1, y: area.y, width: (wide + 2).min(area.width - 2), height: 1 },
            Role::Text,
        );
        brush.put(area.x + 2, area.y, title, Role::PanelTitle, area.width.saturating_sub(4));
    }
    Area { y: area.y + 1, height: area.height - 1, ..area }
}

/// What of a question is too long for the status line: all but its last line.
fn draw_question(question: &Question, brush: &mut Brush<'_>, body: Area) {
    let lines = asked(question, body.width);
    let Some((_, above)) = lines.split_last() else { return };
    let area = body.low(u16::try_from(above.len()).unwrap_or(u16::MAX).min(body.height));
    brush.clear(area, Role::Status);
    for (y, line) in (area.y..area.bottom()).zip(above) {
        brush.put(area.x + 1, y, line, Role::StatusAsk, area.width.saturating_sub(3));
    }
}

/// What may follow the keys typed so far, in columns, read downwards.
fn draw_hints(app: &App, brush: &mut Brush<'_>, body: Area) {
    let hints = app.keymap().hints(app.place(), &app.pending.keys);
    if hints.is_empty() {
        return;
    }
    let mut columns = usize::from((body.width / HINT).clamp(1, 4));
    let room = usize::from(body.height.saturating_sub(1));
    if hints.len().div_ceil(columns) > room {
        // As many columns as hold the longest.
        let longest = hints
            .iter()
            .map(|h| h.doc.as_deref().map_or(4, |doc| cells(Clean::line(doc))))
            .max()
            .unwrap_or(0);
        columns = columns.max(usize::from(body.width / (longest + 8)));
    }
    let lines = hints.len().div_ceil(columns);
    let area = open(brush, body, lines, &Clean::line(&app.pending.print()));
    let wide = area.width / u16::try_from(columns).unwrap_or(1);
    let (lines, shown) = match room < lines {
        true => (room, (room * columns).saturating_sub(1)),
        false => (lines, hints.len()),
    };
    if shown < hints.len() {
        let text = Clean::line(&format!("+{} more, Esc ? shows all", hints.len() - shown));
        let x = area.x + 2 + wide * u16::try_from(columns - 1).unwrap_or(0);
        brush.put(x, area.bottom().saturating_sub(1), &text, Role::Dim, wide.saturating_sub(2));
    }
    for (i, Hint { key, doc }) in hints.iter().take(shown).enumerate() {
        let column = u16::try_from(i / lines).unwrap_or(0);
        let y = area.y + u16::try_from(i % lines).unwrap_or(0);
        let x = area.x + 2 + column * wide;
        brush.put(x, y, Clean::line(&Key::label(&[*key])), Role::PanelKey, 5);
        let doc = Clean::line(doc.as_deref().unwrap_or(MORE));
        brush.put(x + 6, y, doc, Role::PanelText, wide.saturating_sub(8));
    }
}

fn draw_completions(app: &App, prompt: &Prompt, brush: &mut Brush<'_>, body: Area) {
    let (found, picked) = prompt.completions();
    if found.is_empty() && prompt.kind() == prompt::Kind::Line {
        return;
    }
    let (most, title) = match prompt.kind() {
        prompt::Kind::Line => (COMPLETIONS, Clean::default()),
        // Of the same height whatever is found, so that nothing jumps while one types.
        prompt::Kind::Palette => (usize::from(body.height / 2).max(COMPLETIONS), Clean::fixed("Commands")),
    };
    let room = most.min(usize::from(body.height.saturating_sub(2)));
    let lines = if prompt.kind() == prompt::Kind::Palette { room } else { found.len().min(room) };
    let area = open(brush, body, lines, &title);
    if found.is_empty() {
        brush.put(area.x + 2, area.y, "No command is like that", Role::Dim, area.width.saturating_sub(4));
    }
    let top = picked.map_or(0, |at| (at + 1).saturating_sub(lines));
    for (y, (at, completion)) in (area.y..area.bottom()).zip(found.iter().enumerate().skip(top)) {
        let line = Area { y, height: 1, ..area };
        let mut over = ratatui::style::Style::new();
        if picked == Some(at) {
            over = brush.style(Role::Cursor);
            brush.tint(line, over);
        }
        brush.with_over(over, |brush| match completion {
            Completion::Command(command) => draw_completion(app, (command, prompt.kind()), brush, line),
            Completion::Time(text, moment) => {
                // The hour is what matters: where it is narrow the moment moves to the left.
                let left = 21.min(line.width.saturating_sub(cells(moment) + 1)).max(8);
                brush.put(line.x + 2, line.y, Clean::line(text), Role::PanelText, left - 3);
                brush.put(line.x + left, line.y, moment, Role::PanelKey, line.width.saturating_sub(left));
            }
            Completion::Word(word)
            | Completion::Place(word)
            | Completion::Person(word)
            | Completion::Whole(word) => {
                let room = line.width.saturating_sub(4);
                brush.put(line.x + 2, line.y, Clean::line(word), Role::PanelText, room);
            }
        });
    }
}

fn draw_completion(app: &App, (command, kind): (&Command, prompt::Kind), brush: &mut Brush<'_>, line: Area) {
    let is_here = command.scope.covers(app.focus);
    let off = if is_here { app.disabled(command) } else { Some("Not in this place") };
    let role = if off.is_some() { Role::PanelOff } else { Role::PanelText };
    if line.width < NARROW {
        // What is looked for by what it does is told by that, what is typed by its name.
        let (said, aside) = match kind {
            prompt::Kind::Palette => (off.unwrap_or(command.doc), 29),
            prompt::Kind::Line => (command.name, 0),
        };
        let x = brush.put(line.x + 2, line.y, said, role, line.width.saturating_sub(3)) + 2;
        let (x, rest) = match kind {
            prompt::Kind::Palette => (x.max(line.x + aside), keys_of(app, command, is_here)),
            prompt::Kind::Line => (x, Clean::fixed(off.unwrap_or(command.doc))),
        };
        let role = if off.is_some() { Role::PanelOff } else { Role::PanelKey };
        brush.put(x, line.y, &rest, role, (line.right() - 1).saturating_sub(x));
        return;
    }
    brush.put(line.x + 2, line.y, command.name, role, 18);
    let keys = keys_of(app, command, is_here);
    brush.put(line.x + 21, line.y, &keys, if off.is_some() { Role::PanelOff } else { Role::PanelKey }, 12);
    let room = line.width.saturating_sub(36);
    brush.put(line.x + 34, line.y, off.unwrap_or(command.doc), role, room);
}

fn keys_of(app: &App, command: &Command, is_here: bool) -> Clean {
    let places = if is_here { std::slice::from_ref(&app.focus) } else { &Focus::ALL };
    Clean::line(&app.keymap().labels_in(command, places))
}

fn draw_parts(app: &App, at: usize, brush: &mut Brush<'_>, body: Area) {
    let Some(letter) = app.reader.letter() else { return };
    let keys = " Enter read   o open   w save   W all   y fetch   | pipe ";
    draw_choice(brush, body, ("Attachments", keys), (at, letter.chips.len()), |brush, line, i| {
        let chip = &letter.chips[i];
        let right = line.right() - 2;
        let bytes = size(chip.size);
        let end = brush.put_right(right, line.y, &bytes, Role::Dim, cells(&bytes));
        let kind = right.saturating_sub(24).max(line.x + line.width / 2);
        brush.put(kind, line.y, &chip.kind, Role::Dim, end.saturating_sub(kind + 2));
        brush.put(line.x + 2, line.y, &chip.name, Role::PanelText, kind.saturating_sub(line.x + 4));
    });
}

/// What a program said, or the text of a file: over all panes.
fn draw_said(said: &Said, brush: &mut Brush<'_>, body: Area) {
    let area = open(brush, body, body.height.into(), &said.title);
    let lines = said.lines.iter().skip(said.scroll);
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        brush.put(area.x + 2, y, line, Role::Text, area.width.saturating_sub(3));
    }
    let below = said.lines.len().saturating_sub(said.scroll + usize::from(area.height));
    let more =
        if below > 0 { format!(" {below} lines below, Esc leaves ") } else { " Esc leaves ".to_owned() };
    let (more, room) = (Clean::line(&more), area.width.saturating_sub(cells(&said.title) + 6));
    if cells(&more) <= room {
        brush.put_right(area.right() - 2, area.y - 1, &more, Role::Dim, room);
    }
}

/// The files that come with a draft.
fn draw_files(app: &App, at: usize, brush: &mut Brush<'_>, body: Area) {
    let Some(page) = app.pages.shown() else { return };
    let files = &page.draft.attachments;
    let keys = " a attach   d take off   Esc leaves ";
    draw_choice(brush, body, ("Attached files", keys), (at, files.len()), |brush, line, i| {
        let file = &files[i];
        let right = line.right() - 2;
        let bytes = if file.size > 0 { size(file.size) } else { Clean::default() };
        let end = brush.put_right(right, line.y, &bytes, Role::Dim, cells(&bytes)).saturating_sub(2);
        let name = Clean::line(&file.name);
        let x = brush.put(line.x + 2, line.y, &name, Role::PanelText, end.saturating_sub(line.x + 2)) + 2;
        let from = match &file.source {
            AttachedFrom::File(path) => Clean::line(&path.display().to_string()),
            AttachedFrom::Part { .. } => Clean::fixed("from the mail"),
            AttachedFrom::Mail(_) => Clean::fixed("the mail as a whole"),
        };
        brush.put(x, line.y, &from, Role::Dim, end.saturating_sub(x));
    });
}

fn draw_links(app: &App, at: usize, brush: &mut Brush<'_>, body: Area) {
    let Some(letter) = app.reader.letter() else { return };
    let keys = " Enter open   y copy   Esc leaves ";
    draw_choice(brush, body, ("Links", keys), (at, letter.links.len()), |brush, line, i| {
        let link = &letter.links[i];
        let (x, room) = (line.x + 2, line.width.saturating_sub(4));
        // Where the text is the link itself, it is not said twice.
        if link.url.as_str().contains(link.text.as_str()) {
            brush.put(x, line.y, &link.url, Role::PanelText, room);
            return;
        }
        let wide = room * 2 / 5;
        brush.put(x, line.y, &link.text, Role::PanelText, wide.saturating_sub(2));
        brush.put(x + wide, line.y, &link.url, Role::Dim, room - wide);
    });
}

/// A panel of lines of which one is under the cursor.
fn draw_choice(
    brush: &mut Brush<'_>,
    body: Area,
    (title, keys): (&'static str, &'static str),
    (at, count): (usize, usize),
    mut draw: impl FnMut(&mut Brush<'_>, Area, usize),
) {
    let most = usize::from(body.height / 2).max(1);
    let lines = count.min(most);
    let area = open(brush, body, lines, &Clean::fixed(title));
    let room = area.width.saturating_sub(u16::try_from(title.len()).unwrap_or(0) + 6);
    if cells(keys) <= room {
        brush.put_right(area.right() - 2, area.y - 1, keys, Role::Dim, room);
    }
    let top = (at + 1).saturating_sub(lines);
    for (y, i) in (area.y..area.bottom()).zip(top..count) {
        let line = Area { y, height: 1, ..area };
        let mut over = ratatui::style::Style::new();
        if i == at {
            over = brush.style(Role::Cursor);
            brush.tint(line, over);
        }
        brush.with_over(over, |brush| draw(brush, line, i));
        if i == at {
            let bar = brush.glyphs.bar;
            brush.put(line.x, y, bar, Role::CursorBar, 1);
        }
    }
}
