//! The page of a draft: its fields, its text, and every key that does something to it.

use super::paint::{Brush, cells};
use crate::app::compose::Compose;
use crate::app::layout::Area;
use crate::config::theme::Role;
use crate::text::Clean;
use crate::text::amount::size;
use crate::text::wrap::wrap;

/// Cells of the name of a field, and of prose.
const NAME: u16 = 10;
const PROSE: u16 = 80;

/// What the footer tells, in the order of the hand.
const KEYS: [(&str, &str); 9] = [
    ("y", "send"),
    ("e", "edit"),
    ("t", "to"),
    ("c", "cc"),
    ("b", "bcc"),
    ("s", "subject"),
    ("f", "from"),
    ("q", "keep"),
    ("X", "discard"),
];

pub(super) fn draw(compose: &Compose, brush: &mut Brush<'_>, body: Area) {
    footer(brush, body.low(1), &KEYS);
    let draft = &compose.draft;
    let (room, end) = (body.width.saturating_sub(NAME + 3), body.bottom() - 1);
    let mut y = body.y;
    let fields = [
        ("From", &draft.from, true),
        ("To", &draft.to, true),
        ("Cc", &draft.cc, false),
        ("Bcc", &draft.bcc, false),
        ("Subject", &draft.subject, true),
    ];
    for (name, text, always) in fields {
        if (always || !text.trim().is_empty()) && y < end {
            brush.put(body.x + 2, y, name, Role::Dim, NAME);
            let role = if name == "Subject" { Role::ReaderSubject } else { Role::Text };
            brush.put(body.x + 2 + NAME, y, Clean::line(text), role, room);
            y += 1;
        }
    }
    for file in &draft.attachments {
        if y < end {
            brush.put(body.x + 2, y, "Attached", Role::Dim, NAME);
            let text = Clean::line(&format!("{}  {}", file.name, size(file.size)));
            brush.put(body.x + 2 + NAME, y, &text, Role::ReaderChip, room);
            y += 1;
        }
    }
    if y < end {
        brush.line(body, y);
        y += 1;
    }
    for concern in &compose.concerns {
        if y < end {
            let x = brush.put(body.x + 2, y, "!", Role::DotBad, 1);
            brush.put(x + 1, y, concern, Role::ReaderWarning, body.width.saturating_sub(5));
            y += 1;
        }
    }
    let wide = usize::from(body.width.saturating_sub(4).min(PROSE));
    for line in draft.body.lines().skip(compose.scroll) {
        let role = match line.bytes().take_while(|b| *b == b'>').count() {
            0 => Role::Text,
            1 => Role::Quote1,
            2 => Role::Quote2,
            _ => Role::Quote3,
        };
        let line = Clean::line(line);
        let pieces = wrap(line.as_str(), wide);
        for piece in if pieces.is_empty() { vec![""] } else { pieces } {
            if y >= end {
                return;
            }
            brush.put(body.x + 2, y, Clean::line(piece), role, body.width.saturating_sub(4));
            y += 1;
        }
    }
}

/// Keys and what they do, as many as there is room for.
pub(super) fn footer(brush: &mut Brush<'_>, line: Area, keys: &[(&'static str, &'static str)]) {
    let mut x = line.x + 1;
    for (key, words) in keys.iter().copied() {
        if x + cells(key) + 1 + cells(words) > line.right() {
            break;
        }
        x = brush.put(x, line.y, key, Role::PanelKey, cells(key));
        x = brush.put(x + 1, line.y, words, Role::Dim, cells(words)) + 2;
    }
}
