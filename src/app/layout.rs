//! Where the panes are: one, two or three columns by the width of the terminal.

use super::scope::Focus;

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    /// The first column.
    pub x: u16,
    /// The first line.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Lines.
    pub height: u16,
}

impl Area {
    /// The column after the last one.
    #[must_use]
    pub fn right(self) -> u16 {
        self.x + self.width
    }

    /// The line after the last one.
    #[must_use]
    pub fn bottom(self) -> u16 {
        self.y + self.height
    }

    /// The last `lines` lines of it.
    #[must_use]
    pub fn low(self, lines: u16) -> Self {
        let height = lines.min(self.height);
        Self { y: self.bottom() - height, height, ..self }
    }
}

/// The smallest terminal that is drawn on.
pub const SMALLEST: (u16, u16) = (40, 10);
/// From this width on, folders stand beside the list.
pub const TWO_PANES: u16 = 100;
/// From this width on, the reader stands beside the list.
pub const THREE_PANES: u16 = 150;

/// Columns of the folder pane beside others.
const SIDE: u16 = 24;
/// Columns that the reader wants.
const READER: u16 = 75;
/// From this height on there is an empty line under the title.
const AIRY: u16 = 28;

/// From this height on, the reader may stand below the list.
pub const TALL: u16 = 40;

/// Where the user wants the reader while the list has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Split {
    /// Beside the list where there is room for both.
    #[default]
    Auto,
    /// Below the list where there is room for both, else as by default.
    Below,
    /// Nowhere: it takes the place of the list.
    Alone,
}

impl Split {
    /// All, with what they are called.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Auto, "beside"), (Self::Below, "below"), (Self::Alone, "alone")];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(split, _)| *split == self).map_or("", |(_, name)| name)
    }

    /// What is called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(split, _)| *split)
    }
}

/// The panes of one frame. What is `None` is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The line at the top.
    pub title: Area,
    /// Everything between the first and the last line.
    pub body: Area,
    /// The folder pane.
    pub folders: Option<Area>,
    /// The list.
    pub list: Option<Area>,
    /// The reader.
    pub reader: Option<Area>,
    /// The line at the bottom.
    pub status: Area,
}

impl Layout {
    /// The panes on a terminal of this size; `None` where it is too small.
    #[must_use]
    pub fn new(width: u16, height: u16, focus: Focus, split: Split) -> Option<Self> {
        if width < SMALLEST.0 || height < SMALLEST.1 {
            return None;
        }
        let title = Area { x: 0, y: 0, width, height: 1 };
        // Tall terminals have a line to spare between the title and the panes.
        let above = if height >= AIRY { 2 } else { 1 };
        let body = Area { y: above, height: height - above - 1, ..title };
        let status = Area { y: height - 1, ..title };
        let mut layout = Self { title, body, folders: None, list: None, reader: None, status };
        let main = if width < TWO_PANES {
            body
        } else {
            layout.folders = Some(Area { width: SIDE, ..body });
            // One column for the rule.
            Area { x: SIDE + 1, width: width - SIDE - 1, ..body }
        };
        if split == Split::Below && height >= TALL && !(width < TWO_PANES && focus == Focus::Folders) {
            let list = Area { height: main.height * 2 / 5, ..main };
            layout.list = Some(list);
            // One line for the rule.
            let above = list.height + 1;
            layout.reader = Some(Area { y: main.y + above, height: main.height - above, ..main });
        } else if width >= THREE_PANES && split != Split::Alone {
            // The reader has room for a line of 72 before the list grows.
            let list = (main.width * 9 / 20).min(main.width.saturating_sub(READER + 1)).clamp(56, 96);
            layout.list = Some(Area { width: list, ..main });
            layout.reader = Some(Area { x: main.x + list + 1, width: main.width - list - 1, ..main });
        } else if width < TWO_PANES && focus == Focus::Folders {
            layout.folders = Some(body);
        } else if focus == Focus::Reader {
            layout.reader = Some(main);
        } else {
            layout.list = Some(main);
        }
        Some(layout)
    }

    /// The reader alone on all of the terminal.
    #[must_use]
    pub fn bare(width: u16, height: u16) -> Self {
        let whole = Area { x: 0, y: 0, width, height };
        let none = Area { height: 0, ..whole };
        Self { title: none, body: whole, folders: None, list: None, reader: Some(whole), status: none }
    }

    /// Whether the reader stands beside the list, or below it.
    #[must_use]
    pub fn has_preview(&self) -> bool {
        self.list.is_some() && self.reader.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_two_three_panes() {
        let shown = |width, focus| {
            let l = Layout::new(width, 24, focus, Split::Auto).unwrap();
            (l.folders.is_some(), l.list.is_some(), l.reader.is_some())
        };
        assert_eq!(shown(80, Focus::List), (false, true, false));
        assert_eq!(shown(80, Focus::Folders), (true, false, false));
        assert_eq!(shown(100, Focus::Folders), (true, true, false));
        assert_eq!(shown(149, Focus::Reader), (true, false, true));
        assert_eq!(shown(150, Focus::List), (true, true, true));
        assert_eq!(Layout::new(39, 24, Focus::List, Split::Auto), None);
        let alone = Layout::new(160, 24, Focus::List, Split::Alone).unwrap();
        assert!(alone.reader.is_none() && alone.list.unwrap().right() == 160);
        // Where it does not fit it is as by default.
        assert_eq!(
            Layout::new(90, 39, Focus::List, Split::Below),
            Layout::new(90, 39, Focus::List, Split::Auto)
        );
        let below = Layout::new(90, 40, Focus::List, Split::Below).unwrap();
        let (list, reader) = (below.list.unwrap(), below.reader.unwrap());
        assert_eq!((list.bottom() + 1, reader.bottom(), list.width, reader.width), (reader.y, 39, 90, 90));
    }

    proptest! {
        #[test]
        fn panes_lie_side_by_side_and_inside(width in 40u16..400, height in 10u16..200, focus in 0usize..3) {
            let layout = Layout::new(width, height, Focus::ALL[focus], Split::Auto).unwrap();
            let panes: Vec<_> = [layout.folders, layout.list, layout.reader].into_iter().flatten().collect();
            for pair in panes.windows(2) {
                prop_assert_eq!(pair[0].right() + 1, pair[1].x);
            }
            prop_assert_eq!(panes.last().unwrap().right(), width);
            prop_assert!(panes.iter().all(|p| p.bottom() == height - 1 && p.width >= 24));
        }
    }
}
