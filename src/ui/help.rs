//! The page of keys: this place first, in the order of the hand, not of the alphabet.

use std::ops::Range;

use super::paint::Brush;
use crate::app::App;
use crate::app::command::{COMMANDS, Command, Group};
use crate::app::key::Key;
use crate::app::layout::Area;
use crate::app::scope::Focus;
use crate::config::theme::Role;
use crate::text::Clean;

/// Cells of the keys.
const KEYS: u16 = 12;
/// Cells of a column at least: the keys and what they do.
const COLUMN: u16 = 39;

/// One line of help.
enum Item {
    Gap,
    Heading(&'static str),
    /// A command, and in which place its keys are told.
    Key(&'static Command, Focus),
    /// Keys of the user's own, and what they do.
    Own(Clean, Clean),
}

/// Draws it, scrolled down by so many lines; the last line to which it scrolls.
pub(super) fn draw(app: &App, of: Focus, scroll: usize, brush: &mut Brush<'_>, body: Area) -> usize {
    let (sides, last) = laid_out(app, of, body);
    let scroll = scroll.min(last);
    let wide = body.width / u16::try_from(sides.len()).unwrap_or(1);
    for (column, side) in sides.iter().enumerate() {
        let x = body.x + 1 + u16::try_from(column).unwrap_or(0) * wide;
        for (y, item) in (body.y..body.bottom()).zip(side.iter().skip(scroll)) {
            draw_item(app, item, brush, (x, y), wide.saturating_sub(2));
        }
    }
    last
}

/// Which of its lines are in sight, and how many there are.
pub(super) fn sight(app: &App, of: Focus, scroll: usize, body: Area) -> (Range<usize>, usize) {
    let (sides, last) = laid_out(app, of, body);
    let (from, total) = (scroll.min(last), longest(&sides));
    (from..total.min(from + usize::from(body.height)), total)
}

/// The columns that fit, and the last line to which they scroll.
fn laid_out(app: &App, of: Focus, body: Area) -> (Vec<Vec<Item>>, usize) {
    let sides = flow(sections(app, of), usize::from((body.width / COLUMN).clamp(1, 3)));
    let last = longest(&sides).saturating_sub(usize::from(body.height));
    (sides, last)
}

fn longest(sides: &[Vec<Item>]) -> usize {
    sides.iter().map(Vec::len).max().unwrap_or(0)
}

fn draw_item(app: &App, item: &Item, brush: &mut Brush<'_>, (x, y): (u16, u16), room: u16) {
    match item {
        Item::Gap => {}
        Item::Heading(title) => {
            brush.put(x, y, *title, Role::PanelTitle, room);
        }
        Item::Own(keys, doc) => {
            brush.put(x, y, keys, Role::PanelKey, KEYS - 1);
            brush.put(x + KEYS, y, doc, Role::PanelText, room.saturating_sub(KEYS));
        }
        Item::Key(command, place) => {
            let off = app.disabled(command).is_some();
            let keys = Clean::line(&app.keymap().labels_in(command, &[*place]));
            brush.put(x, y, &keys, Role::PanelKey, KEYS - 1);
            let role = if off { Role::PanelOff } else { Role::PanelText };
            brush.put(x + KEYS, y, command.doc, role, room.saturating_sub(KEYS));
        }
    }
}

/// Commands that have keys in a place: the others are found by `:`.
fn keyed(app: &App, place: Focus) -> impl Iterator<Item = &'static Command> {
    let has_keys = move |c: &&Command| !app.keymap().keys_in(c, &[place]).is_empty();
    COMMANDS.iter().filter(move |c| c.scope.covers(place)).filter(has_keys)
}

/// The user's own keys, the groups of this place, then what only works in others.
fn sections(app: &App, of: Focus) -> Vec<Vec<Item>> {
    let mut here: Vec<_> = keyed(app, of).collect();
    here.sort_by_key(|c| (late(c.group, of), c.group));
    let mut out: Vec<Vec<Item>> = Vec::new();
    // Of a preset only what stands nowhere else: its other keys stand with their commands.
    let own = app.keymap().own().iter().filter(|own| own.places.contains(&of));
    let own = own.filter(|own| own.preset.is_none() || own.alone().is_none());
    let own: Vec<Item> =
        own.map(|own| Item::Own(Clean::line(&Key::label(&own.keys)), Clean::line(&own.doc()))).collect();
    if !own.is_empty() {
        out.push(vec![Item::Heading("Your own")]);
        out[0].extend(own);
    }
    let mut group: Option<Group> = None;
    for command in here {
        if group != Some(command.group) {
            group = Some(command.group);
            out.push(vec![Item::Heading(command.group.title())]);
        }
        if let Some(section) = out.last_mut() {
            section.push(Item::Key(command, of));
        }
    }
    for other in Focus::ALL.into_iter().filter(|f| *f != of && *f != Focus::Help) {
        let only: Vec<_> =
            keyed(app, other).filter(|c| !c.scope.covers(of)).map(|c| Item::Key(c, other)).collect();
        if !only.is_empty() && of != Focus::Help {
            let mut section = vec![Item::Heading(elsewhere(other))];
            section.extend(only);
            out.push(section);
        }
    }
    out
}

/// What the hand does here comes first: reading in the reader, acting in the list.
fn late(group: Group, of: Focus) -> bool {
    match of {
        Focus::Reader => group != Group::Read,
        _ => false,
    }
}

fn elsewhere(place: Focus) -> &'static str {
    match place {
        Focus::Folders => "Only in the folders",
        Focus::List => "Only in the list",
        Focus::Reader => "Only in the reader",
        Focus::Parts => "Only in the attachments",
        Focus::Links => "Only in the links",
        Focus::Ledger => "Only in what waits",
        Focus::Compose => "Only on a draft",
        Focus::Drafts => "Only among the drafts",
        Focus::Files => "Only in attached files",
        Focus::Help => "Only in help",
    }
}

/// Sections one below the other, in as many columns of about the same length.
fn flow(sections: Vec<Vec<Item>>, columns: usize) -> Vec<Vec<Item>> {
    let total: usize = sections.iter().map(|s| s.len() + 1).sum();
    let mut sides: Vec<Vec<Item>> = (0..columns).map(|_| Vec::new()).collect();
    let mut side = 0;
    for section in sections {
        if side + 1 < columns && sides[side].len() + section.len() / 2 > total / columns {
            side += 1;
        }
        if !sides[side].is_empty() {
            sides[side].push(Item::Gap);
        }
        sides[side].extend(section);
    }
    sides
}
