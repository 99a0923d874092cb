//! A small text that is written on the screen: its lines as they are laid out, and a cursor in it.

use std::ops::Range;

use super::key::{Code, Key};
use crate::text::{graphemes, width};

/// Bytes that it holds.
const LIMIT: usize = 64 << 10;

/// A text with a cursor.
#[derive(Debug, Clone, Default)]
pub struct TextArea {
    text: String,
    /// Bytes before the cursor.
    cursor: usize,
}

impl TextArea {
    /// What was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes a key that edits, or moves the cursor; `room`: cells of a line.
    pub fn press(&mut self, key: Key, room: usize) {
        match key {
            Key { code: Code::Enter, .. } => self.insert("\n"),
            Key { code: Code::Left, .. } => self.cursor = self.before(),
            Key { code: Code::Right, .. } => self.cursor = self.after(),
            Key { code: Code::Up, .. } => self.go_line(-1, room),
            Key { code: Code::Down, .. } => self.go_line(1, room),
            Key { code: Code::Home, .. } => {
                self.cursor = self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
            }
            Key { code: Code::End, .. } => {
                self.cursor =
                    self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at);
            }
            Key { code: Code::Backspace, .. } => self.remove(self.before()..self.cursor),
            Key { code: Code::Delete, .. } => self.remove(self.cursor..self.after()),
            _ if key == Key::ctrl('u') => {
                let start = self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1);
                self.remove(start..self.cursor);
            }
            _ if key == Key::ctrl('w') => {
                let kept = self.text[..self.cursor].trim_end().rfind([' ', '\n']).map_or(0, |at| at + 1);
                self.remove(kept..self.cursor);
            }
            _ => {
                if let Some(c) = key.text() {
                    self.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    /// Inserts text, as pasted: of what controls a terminal only line ends stay.
    pub fn insert(&mut self, text: &str) {
        for c in text.replace("\r\n", "\n").chars() {
            let c = match c {
                '\n' | '\r' => '\n',
                c if c.is_control() => ' ',
                c => c,
            };
            if self.text.len() + c.len_utf8() > LIMIT {
                return;
            }
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// The lines as they are laid out in so many cells, as places in the text.
    #[must_use]
    pub fn rows(&self, room: usize) -> Vec<Range<usize>> {
        let (room, mut rows, mut start) = (room.max(1), Vec::new(), 0);
        for line in self.text.split('\n') {
            let end = start + line.len();
            let (mut from, mut cells, mut blank) = (start, 0, None);
            let mut at = start;
            for (cluster, wide) in graphemes(line) {
                if cells + wide > room && at > from {
                    let cut = blank.filter(|cut| *cut > from).unwrap_or(at);
                    rows.push(from..cut);
                    (from, blank) = (cut, None);
                    cells = width(&self.text[from..at]);
                }
                cells += wide;
                at += cluster.len();
                if cluster == " " {
                    blank = Some(at);
                }
            }
            rows.push(from..end);
            start = end + 1;
        }
        rows
    }

    /// Where the cursor stands: the row, and cells before it.
    #[must_use]
    pub fn cursor(&self, room: usize) -> (usize, usize) {
        let rows = self.rows(room);
        let row = rows.iter().rposition(|row| row.start <= self.cursor).unwrap_or(0);
        let start = rows.get(row).map_or(0, |row| row.start);
        (row, width(&self.text[start..self.cursor]))
    }

    fn go_line(&mut self, by: isize, room: usize) {
        let (row, aside) = self.cursor(room);
        let rows = self.rows(room);
        let Some(line) = row.checked_add_signed(by).and_then(|row| rows.get(row)) else { return };
        let (mut cells, mut at) = (0, line.start);
        for (cluster, wide) in graphemes(&self.text[line.clone()]) {
            if cells + wide > aside {
                break;
            }
            cells += wide;
            at += cluster.len();
        }
        // Behind a line that was folded the cursor would stand in the next one.
        let is_folded =
            rows.get(row.saturating_add_signed(by) + 1).is_some_and(|next| next.start == line.end);
        self.cursor = if is_folded && at == line.end { self.start_before(at) } else { at };
    }

    fn remove(&mut self, range: Range<usize>) {
        self.cursor = range.start;
        self.text.replace_range(range, "");
    }

    fn before(&self) -> usize {
        self.start_before(self.cursor)
    }

    fn start_before(&self, end: usize) -> usize {
        end - graphemes(&self.text[..end]).last().map_or(0, |(cluster, _)| cluster.len())
    }

    fn after(&self) -> usize {
        self.cursor + graphemes(&self.text[self.cursor..]).next().map_or(0, |(cluster, _)| cluster.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(keys: &str) -> TextArea {
        let mut area = TextArea::default();
        Key::sequence(keys).unwrap().into_iter().for_each(|key| area.press(key, 10));
        area
    }

    #[test]
    fn what_is_typed_is_there_and_lines_fold_at_words() {
        assert_eq!(typed("ab<Enter>c<Left><Left><BS>d").text(), "ad\nc");
        assert_eq!(typed("one<Space>two<C-w>2").text(), "one 2");
        assert_eq!(typed("a<Enter>bc<C-u>d").text(), "a\nd");
        let long = typed("hello<Space>brave<Space>world");
        let rows: Vec<_> = long.rows(10).into_iter().map(|row| &long.text()[row]).collect();
        assert_eq!(rows, ["hello ", "brave ", "world"]);
        assert_eq!(long.cursor(10), (2, 5));
        assert_eq!(typed("hello<Space>brave<Space>world<Up>x").text(), "hello bravex world");
        assert_eq!(typed("ab<Enter>cd<Up><Home>x<End>y").text(), "xaby\ncd");
    }

    proptest! {
        #[test]
        fn no_keys_break_it(text in "(\\PC|\n| ){0,40}", picks in prop::collection::vec(0usize..9, 0..30), room in 1usize..12) {
            let mut area = TextArea::default();
            area.insert(&text);
            let keys = Key::sequence("<Left><Right><Up><Down><Home><End><BS><Del><C-w>").unwrap();
            for pick in picks {
                area.press(keys[pick], room);
                let rows = area.rows(room);
                let (row, _) = area.cursor(room);
                prop_assert!(row < rows.len() && area.text.is_char_boundary(area.cursor));
            }
            let all: String = area.rows(room).into_iter().map(|row| area.text[row].to_owned()).collect();
            prop_assert_eq!(all, area.text.replace('\n', ""));
        }
    }
}
