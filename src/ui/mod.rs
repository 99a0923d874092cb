//! Drawing: from the state of the program to the cells of the terminal. It changes nothing.

mod compose;
mod drafts;
mod folders;
mod glyphs;
mod help;
mod labels;
mod ledger;
mod list;
mod paint;
mod panel;
mod people;
mod reader;
mod status;
mod title;

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::layout::{Area, SMALLEST};
use crate::app::{App, Overlay};
use crate::config::theme::{Role, Theme};
use crate::text::Clean;

use glyphs::{ASCII, Glyphs, UNICODE};
use paint::{Brush, cells};

/// How the screen looks, apart from what is on it.
#[derive(Debug, Clone)]
pub struct Look {
    /// The colours.
    pub theme: Theme,
    /// The zone in which times are shown (promise A10).
    pub zone: TimeZone,
    /// Plain marks only.
    pub ascii: bool,
}

impl Look {
    fn glyphs(&self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }
}

/// The mark whose width tells whether this terminal draws ambiguous marks in one cell.
pub const PROBE: &str = UNICODE.unread;

/// Draws one frame. What only drawing knows is given back: how far help can scroll.
pub fn draw(app: &App, look: &Look, frame: &mut Frame<'_>) -> Facts {
    let mut facts = Facts::default();
    paint(app, look, frame.buffer_mut(), &mut facts);
    if let Some(at) = facts.cursor {
        frame.set_cursor_position(at);
    }
    facts
}

/// What only drawing knows.
#[derive(Debug, Default, Clone, Copy)]
pub struct Facts {
    /// The last line to which help scrolls.
    pub help_last: usize,
    cursor: Option<(u16, u16)>,
}

/// The first screen as text, for documentation and checks.
#[must_use]
pub fn snapshot(app: &App, look: &Look) -> String {
    let (width, height) = app.size();
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    paint(app, look, &mut buffer, &mut Facts::default());
    text_of(&buffer)
}

/// The characters of a buffer, a line each, without the spaces at their ends.
#[must_use]
pub fn text_of(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let (mut line, mut skip) = (String::new(), 0);
        for x in buffer.area.left()..buffer.area.right() {
            let symbol = buffer.cell((x, y)).map_or(" ", |c| c.symbol());
            if skip == 0 {
                line.push_str(symbol);
                skip = crate::text::width(symbol).max(1);
            }
            skip -= 1;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn paint(app: &App, look: &Look, buffer: &mut Buffer, facts: &mut Facts) {
    let whole = buffer.area;
    let brush = &mut Brush::new(buffer, &look.theme, look.glyphs());
    let all = Area { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
    brush.clear(all, Role::Text);
    let Some(layout) = app.layout() else { return too_small(brush, all) };
    if matches!(app.overlay, Some(Overlay::Bare)) {
        return reader::draw(app, look, brush, layout.body);
    }
    title::draw(app, brush, layout.title);
    if let Some(Overlay::Help(of, scroll)) = &app.overlay {
        facts.help_last = help::draw(app, *of, *scroll, brush, layout.body);
    } else if let Some(open) = app.pages.shown() {
        compose::draw(open, app, look, brush, layout.body);
    } else if let Some(open) = &app.drafts {
        drafts::draw(app, open, look, brush, layout.body);
    } else if let Some(ledger) = &app.ledger {
        ledger::draw(app, ledger, look, brush, layout.body);
    } else {
        if let Some(area) = layout.folders {
            folders::draw(app, brush, area);
        }
        if let Some(area) = layout.list {
            list::draw(app, look, brush, area);
        }
        if let Some(area) = layout.reader {
            reader::draw(app, look, brush, area);
        }
        if let (Some(list), Some(reader)) = (layout.list, layout.reader)
            && list.x == reader.x
        {
            brush.line(list, list.bottom());
        }
        let panes = [layout.folders, layout.list, layout.reader];
        for area in panes.into_iter().flatten().filter(|a| a.right() < whole.width) {
            let up = layout.title.bottom();
            brush.rule(area.right(), Area { y: up, height: area.bottom() - up, ..area });
        }
    }
    let written = panel::draw(app, brush, layout.body);
    facts.cursor = status::draw(app, look, brush, layout.status).or(written);
}

fn too_small(brush: &mut Brush<'_>, all: Area) {
    let (width, height) = SMALLEST;
    let text = Clean::line(&format!(
        "mailtui needs {width} by {height} cells, this is {} by {}",
        all.width, all.height
    ));
    for (i, line) in
        crate::text::wrap::wrap(text.as_str(), usize::from(all.width.max(1))).into_iter().enumerate()
    {
        let y = all.y + u16::try_from(i).unwrap_or(u16::MAX);
        if y < all.bottom() {
            brush.put(all.x, y, Clean::line(line), Role::Text, all.width);
        }
    }
}

/// Text in the middle of a pane, a third down: for what is empty.
fn centred(brush: &mut Brush<'_>, area: Area, lines: &[Clean]) {
    let mut y = area.y + area.height / 3;
    for (i, line) in lines.iter().enumerate() {
        let room = area.width.saturating_sub(4);
        for piece in crate::text::wrap::wrap(line.as_str(), usize::from(room)) {
            let piece = Clean::line(piece);
            let x = area.x + (area.width - cells(&piece).min(area.width)) / 2;
            if y < area.bottom() {
                brush.put(x, y, &piece, if i == 0 { Role::Text } else { Role::Dim }, room);
            }
            y += 1;
        }
    }
}
