//! The brush: the only place that puts text into cells, and it takes clean text or the program's own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::glyphs::Glyphs;
use crate::app::layout::Area;
use crate::config::theme::{Role, Theme};
use crate::text::{Clean, graphemes, head, tail, width};

/// Text that may be drawn: cleaned, or written in the program. There is no way to draw a raw string.
pub(super) trait Drawn {
    fn text(&self) -> &str;
}

impl Drawn for Clean {
    fn text(&self) -> &str {
        self.as_str()
    }
}

impl Drawn for &Clean {
    fn text(&self) -> &str {
        self.as_str()
    }
}

impl Drawn for &'static str {
    fn text(&self) -> &str {
        self
    }
}

/// What everything is drawn with.
#[derive(Debug)]
pub(super) struct Brush<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    pub(super) glyphs: &'static Glyphs,
    /// Laid over every style while a row under the cursor is drawn.
    over: Style,
}

impl<'a> Brush<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme, glyphs: &'static Glyphs) -> Self {
        Self { buffer, theme, glyphs, over: Style::new() }
    }

    pub(super) fn style(&self, role: Role) -> Style {
        self.theme.style(role).patch(self.over)
    }

    /// Draws with a style laid over all others.
    pub(super) fn with_over(&mut self, over: Style, draw: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.over, over);
        draw(self);
        self.over = before;
    }

    /// Fills an area with a style and nothing else.
    pub(super) fn clear(&mut self, area: Area, role: Role) {
        let style = self.style(role);
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// Lays a style over an area.
    pub(super) fn tint(&mut self, area: Area, style: Style) {
        self.buffer.set_style(Rect::new(area.x, area.y, area.width, area.height), style);
    }

    /// Draws text in at most `cells`, cut with a mark; the column after it.
    pub(super) fn put(&mut self, x: u16, y: u16, text: impl Drawn, role: Role, cells: u16) -> u16 {
        let style = self.style(role);
        self.put_styled(x, y, text, style, cells)
    }

    pub(super) fn put_styled(&mut self, x: u16, y: u16, text: impl Drawn, style: Style, cells: u16) -> u16 {
        let (text, room) = (text.text(), usize::from(cells));
        if room == 0 || text.is_empty() {
            return x;
        }
        if width(text) <= room {
            return self.write(x, y, text, style);
        }
        let cut = self.glyphs.cut;
        let x = self.write(x, y, head(text, room.saturating_sub(width(cut))), style);
        self.write(x, y, cut, style)
    }

    /// Draws what is left of a line that is scrolled aside, marking what is cut off at the right.
    pub(super) fn put_aside(
        &mut self,
        at: (u16, u16),
        text: &Clean,
        aside: usize,
        style: Style,
        cells: u16,
    ) -> u16 {
        let (x, y) = at;
        let rest = tail(text.as_str(), aside);
        let shown = head(&rest, usize::from(cells));
        self.write(x, y, shown, style)
    }

    /// Draws text that ends before `right`; the column where it begins.
    pub(super) fn put_right(&mut self, right: u16, y: u16, text: impl Drawn, role: Role, cells: u16) -> u16 {
        let wide = u16::try_from(width(text.text())).unwrap_or(u16::MAX).min(cells);
        let x = right.saturating_sub(wide);
        self.put(x, y, text, role, wide);
        x
    }

    /// A line down.
    pub(super) fn rule(&mut self, x: u16, area: Area) {
        let (style, glyph) = (self.style(Role::Rule), self.glyphs.rule);
        for y in area.y..area.bottom() {
            self.write(x, y, glyph, style);
        }
    }

    /// A line across.
    pub(super) fn line(&mut self, area: Area, y: u16) {
        let (style, glyph) = (self.style(Role::Rule), self.glyphs.line);
        for x in area.x..area.right() {
            self.write(x, y, glyph, style);
        }
    }

    fn write(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let bounds = self.buffer.area;
        let mut at = x;
        for (cluster, cells) in graphemes(text) {
            let cells = u16::try_from(cells).unwrap_or(0);
            if cells == 0 {
                continue;
            }
            if y >= bounds.bottom() || at + cells > bounds.right() {
                break;
            }
            self.buffer.set_stringn(at, y, cluster, usize::from(cells), style);
            // The cells that a wide cluster covers are never sent. Marked, they differ from what comes after
            // it, so that a narrow one in its place has both halves sent: not every terminal clears the other.
            for covered in at + 1..at + cells {
                if let Some(cell) = self.buffer.cell_mut((covered, y)) {
                    cell.set_style(style.add_modifier(Modifier::HIDDEN));
                }
            }
            at += cells;
        }
        at
    }
}

/// Cells of a text.
pub(super) fn cells(text: impl Drawn) -> u16 {
    u16::try_from(width(text.text())).unwrap_or(u16::MAX)
}
