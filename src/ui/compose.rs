//! The page of a draft: its fields, its text, and every key that does something to it.

use super::Look;
use super::paint::{Brush, cells};
use super::reader::style_of;
use crate::app::App;
use crate::app::compose::Compose;
use crate::app::layout::Area;
use crate::config::theme::Role;
use crate::mime::Line;
use crate::text::amount::size;
use crate::text::wrap::wrap;
use crate::text::{Clean, when};

/// Cells of the name of a field, and of prose.
const NAME: u16 = 10;
const PROSE: u16 = 80;

/// What the footer tells, in the order of the hand.
const KEYS: [(&str, &str); 14] = [
    ("y", "send"),
    ("e", "edit"),
    ("t", "to"),
    ("c", "cc"),
    ("b", "bcc"),
    ("s", "subject"),
    ("f", "from"),
    ("a", "attach"),
    ("A", "files"),
    ("p", "preview"),
    ("Y", "send at"),
    ("q", "keep"),
    ("X", "discard"),
    ("gt", "next open"),
];
/// The same while the preview is shown.
const PREVIEW: [(&str, &str); 4] = [("y", "send"), ("e", "edit"), ("p", "page"), ("q", "back")];

pub(super) fn draw(compose: &Compose, app: &App, look: &Look, brush: &mut Brush<'_>, body: Area) {
    if let Some(lines) = &compose.preview {
        footer(brush, body.low(1), &PREVIEW);
        return draw_preview(lines, compose.scroll, brush, Area { height: body.height - 1, ..body });
    }
    let low = footer(brush, body, &KEYS);
    let draft = &compose.draft;
    let (room, end) = (body.width.saturating_sub(NAME + 3), body.bottom() - low);
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
    if draft.send_at > app.now.unix && y < end {
        brush.put(body.x + 2, y, "Send at", Role::Dim, NAME);
        let text = Clean::line(&when::long(draft.send_at, app.now.unix, &look.zone));
        brush.put(body.x + 2 + NAME, y, &text, Role::Accent, room);
        y += 1;
    }
    if y < end {
        brush.line(body, y);
        y += 1;
    }
    if compose.in_editor && y < end {
        let words = "In the editor: what is written there is here when that ends";
        brush.put(body.x + 2, y, words, Role::Accent, body.width.saturating_sub(4));
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

/// The mail as those who get it will see it.
fn draw_preview(lines: &[Line], scroll: usize, brush: &mut Brush<'_>, area: Area) {
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(scroll)) {
        let (mut x, end) = (area.x + 2, area.right() - 1);
        for span in &line.spans {
            let style = style_of(brush, span);
            x = brush.put_styled(x, y, &span.text, style, end.saturating_sub(x));
        }
    }
}

/// Keys and what they do at the foot of an area, in one line or two; how many.
pub(super) fn footer(brush: &mut Brush<'_>, area: Area, keys: &[(&'static str, &'static str)]) -> u16 {
    let wide = |(key, words): &(&'static str, &'static str)| cells(*key) + 1 + cells(*words) + 2;
    let room = area.width.saturating_sub(1);
    let all: u16 = keys.iter().map(wide).sum();
    let most = if area.height >= 12 { 2 } else { 1 };
    let lines = if all <= room + 2 { 1 } else { most.min(area.height) };
    let area = area.low(lines);
    let (mut x, mut y) = (area.x + 1, area.y);
    for (key, words) in keys.iter().copied() {
        if x + cells(key) + 1 + cells(words) > area.right() {
            (x, y) = (area.x + 1, y + 1);
            if y >= area.bottom() {
                break;
            }
        }
        x = brush.put(x, y, key, Role::PanelKey, cells(key));
        x = brush.put(x + 1, y, words, Role::Dim, cells(words)) + 2;
    }
    lines
}
