//! What ratatui draws with: few bytes, the terminal's own sixteen colours by their old names, and no
//! question to the terminal that would take the answer from the input thread.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

/// Writes cells as ECMA-48 sequences.
#[derive(Debug)]
pub(super) struct Vt<W: Write> {
    out: W,
    cursor: Position,
}

/// How text is drawn from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// The modifiers that are sent, and their number (ECMA-48 section 8.3.117).
const SENT: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

impl<W: Write> Vt<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, cursor: Position::ORIGIN }
    }

    fn go(&mut self, x: u16, y: u16) -> io::Result<()> {
        self.cursor = Position { x, y };
        write!(self.out, "\x1b[{};{}H", y.saturating_add(1), x.saturating_add(1))
    }

    /// Changes the pen with one sequence, from nothing where something has to go.
    fn take(&mut self, from: Pen, to: Pen) -> io::Result<()> {
        if from == to {
            return Ok(());
        }
        if to == PLAIN {
            return self.out.write_all(b"\x1b[m");
        }
        let sent = |pen: Pen| SENT.iter().filter(move |(m, _)| pen.modifier.contains(*m));
        let mut codes = String::new();
        let mut from = from;
        if sent(from).any(|(m, _)| !to.modifier.contains(*m)) {
            codes.push_str("0;");
            from = PLAIN;
        }
        for (_, number) in sent(to).filter(|(m, _)| !from.modifier.contains(*m)) {
            codes.push_str(&format!("{number};"));
        }
        if from.fg != to.fg {
            push_color(&mut codes, to.fg, 30);
        }
        if from.bg != to.bg {
            push_color(&mut codes, to.bg, 40);
        }
        codes.pop();
        if codes.is_empty() { Ok(()) } else { write!(self.out, "\x1b[{codes}m") }
    }
}

/// Adds the parameters of a colour and a `;`; `base` is 30 for the foreground, 40 for the background.
fn push_color(codes: &mut String, color: Color, base: u8) {
    let number = match color {
        Color::Reset => base + 9,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
        Color::Indexed(n) => return codes.push_str(&format!("{};5;{n};", base + 8)),
        Color::Rgb(r, g, b) => return codes.push_str(&format!("{};2;{r};{g};{b};", base + 8)),
    };
    codes.push_str(&format!("{number};"));
}

impl<W: Write> Write for Vt<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Backend for Vt<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let (mut pen, mut next) = (PLAIN, None);
        for (x, y, cell) in content {
            if next != Some((x, y)) {
                self.go(x, y)?;
            }
            let wanted = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
            self.take(pen, wanted)?;
            pen = wanted;
            let symbol = cell.symbol();
            self.out.write_all(symbol.as_bytes())?;
            // After a wide cluster the position is told anew: terminals differ on what is wide.
            next = symbol.is_ascii().then_some((x + 1, y));
            if !symbol.is_ascii() && crate::text::width(symbol) == 1 {
                next = Some((x + 1, y));
            }
        }
        self.take(pen, PLAIN)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x1b[?25l")
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.out.write_all(b"\x1b[?25h")
    }

    /// Where the cursor was put last: the terminal is not asked.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.go(x, y)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.out.write_all(match region {
            ClearType::All => b"\x1b[m\x1b[2J",
            ClearType::AfterCursor => b"\x1b[m\x1b[0J",
            ClearType::BeforeCursor => b"\x1b[m\x1b[1J",
            ClearType::CurrentLine => b"\x1b[m\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[m\x1b[0K",
        })
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = crossterm::terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn sent(cells: &[(u16, u16, &str, Style)]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .map(|(x, y, symbol, style)| {
                let mut cell = Cell::default();
                cell.set_symbol(symbol).set_style(*style);
                (*x, *y, cell)
            })
            .collect();
        let mut vt = Vt::new(Vec::new());
        vt.draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell))).unwrap();
        String::from_utf8(vt.out).unwrap().replace('\x1b', "^")
    }

    #[test]
    fn only_what_changes_is_sent() {
        let (plain, bold) = (Style::new(), Style::new().add_modifier(Modifier::BOLD));
        let blue = Style::new().fg(Color::LightBlue);
        assert_eq!(sent(&[(0, 0, "a", plain), (1, 0, "b", plain)]), "^[1;1Hab");
        assert_eq!(sent(&[(2, 1, "a", bold), (3, 1, "b", blue)]), "^[2;3H^[1ma^[0;94mb^[m");
        assert_eq!(
            sent(&[(0, 0, "a", blue), (1, 0, "b", blue.bg(Color::DarkGray))]),
            "^[1;1H^[94ma^[100mb^[m"
        );
        assert_eq!(sent(&[(0, 0, "日", plain), (2, 0, "b", plain)]), "^[1;1H日^[1;3Hb");
        assert_eq!(sent(&[(0, 0, "●", plain), (1, 0, "b", plain)]), "^[1;1H●b");
        assert_eq!(sent(&[(0, 0, "a", plain.fg(Color::Rgb(1, 2, 3)))]), "^[1;1H^[38;2;1;2;3ma^[m");
    }
}
