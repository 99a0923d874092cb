//! The reader: a heading, one line about whom and when, attachments, and the text.

use ratatui::style::{Modifier, Style};

use super::paint::{Brush, cells};
use super::{Look, centred};
use crate::app::layout::Area;
use crate::app::letter::{Chip, Letter, Whom};
use crate::app::reader::MARGIN;
use crate::app::scope::Focus;
use crate::app::{App, Overlay};
use crate::config::theme::Role;
use crate::mime::{Line, Role as Kind, Span};
use crate::model::{BodyState, Summary};
use crate::store::Lives;
use crate::text::amount::size;
use crate::text::{Clean, when};

pub(super) fn draw(app: &App, look: &Look, brush: &mut Brush<'_>, area: Area) {
    let Some(mail) = app.reader.mail() else { return };
    let (left, right) = sides(app, area);
    let mut y = draw_subject(app, brush, area);
    draw_from(app, look, brush, mail, (left, y, right));
    y += 1;
    if let Some(letter) = app.reader.letter() {
        for warning in &letter.warnings {
            let x = brush.put(left, y, "!", Role::ReaderWarning, 1) + 1;
            brush.put(x, y, warning, Role::ReaderWarning, right.saturating_sub(x));
            y += 1;
        }
        if let Some(lives) = letter.lives {
            let text = Clean::line(&where_it_lives(lives, app.now.unix, look));
            brush.put(left, y, &text, Role::ReaderHeader, right.saturating_sub(left));
            y += 1;
        }
        if !letter.chips.is_empty() {
            draw_chips(brush, &letter.chips, (left, y, right));
        }
    }
    let head = app.reader.head_height().min(area.height);
    let body = Area { y: area.y + head, height: area.height - head, ..area };
    match app.reader.letter() {
        Some(letter) => draw_body(app, brush, letter, body),
        None => draw_waiting(app, brush, mail, body),
    }
}

/// The columns between which text stands: in the bare view nothing is beside it that a selection would take along.
fn sides(app: &App, area: Area) -> (u16, u16) {
    let margin = if matches!(app.overlay, Some(Overlay::Bare)) { 0 } else { MARGIN };
    (area.x + margin, area.right().saturating_sub(margin).max(area.x + margin))
}

/// What becomes of a mail whose server is a letter box.
fn where_it_lives(lives: Lives, now: i64, look: &Look) -> String {
    match lives {
        Lives::Here => "only here".to_owned(),
        Lives::HereAndThere => "here and on the server".to_owned(),
        Lives::HereAndThereUntil(at) if at <= now => "here, and on the server until the next look".to_owned(),
        Lives::HereAndThereUntil(at) => {
            format!("here and on the server until {}", when::short(at, now, &look.zone))
        }
    }
}

/// The subject, with which mail of the conversation this is; the line after it.
fn draw_subject(app: &App, brush: &mut Brush<'_>, area: Area) -> u16 {
    let (left, right) = sides(app, area);
    let mut end = right;
    let mut facts = Vec::new();
    if let Some((mails, at)) = app.reader.conversation().filter(|(mails, _)| mails.len() > 1) {
        facts.push(Clean::line(&format!("{} of {}", at + 1, mails.len())));
    }
    facts.extend(app.reader.percent().map(|percent| Clean::line(&format!("{percent}%"))));
    if !facts.is_empty() {
        let text = Clean::join(&facts, "  ");
        end = brush.put_right(right, area.y, &text, Role::ReaderHeader, 18).saturating_sub(2);
    }
    let mut lines = app.reader.subject_lines();
    if lines.iter().all(Clean::is_empty) {
        lines = vec![Clean::fixed("(no subject)")];
    }
    let mut y = area.y;
    let bar = brush.glyphs.bar;
    for (i, line) in lines.iter().enumerate() {
        let end = if i == 0 { end } else { right };
        brush.put(left, y, line, Role::ReaderSubject, end.saturating_sub(left));
        if app.focus == Focus::Reader && app.layout().is_some_and(|l| l.has_preview()) {
            brush.put(area.x, y, bar, Role::CursorBar, 1);
        }
        y += 1;
    }
    y
}

/// From whom, to whom, when.
fn draw_from(app: &App, look: &Look, brush: &mut Brush<'_>, mail: &Summary, (x, y, right): (u16, u16, u16)) {
    let date = Clean::line(&when::long(mail.date, app.now.unix, &look.zone));
    let mut end = brush.put_right(right, y, &date, Role::ReaderHeader, cells(&date)).saturating_sub(2);
    let tags = super::list::tags_shown(&mail.tags, end.saturating_sub(x) / 3);
    if !tags.is_empty() {
        end = brush.put_right(end, y, &tags, Role::ListTag, cells(&tags)).saturating_sub(2);
    }
    let mut x = x;
    let own = app.accounts.is_me(mail.from_addr.as_str());
    let named = !mail.from_name.is_empty() && mail.from_name != mail.from_addr;
    if named {
        let name = if own { Clean::fixed("me") } else { mail.from_name.clone() };
        x = brush.put(x, y, name, Role::ReaderFrom, end.saturating_sub(x)) + 1;
        x = brush.put(x, y, "<", Role::ReaderHeader, end.saturating_sub(x));
        x = brush.put(x, y, &mail.from_addr, Role::ReaderHeader, end.saturating_sub(x));
        x = brush.put(x, y, ">", Role::ReaderHeader, end.saturating_sub(x));
    } else {
        x = brush.put(x, y, &mail.from_addr, Role::ReaderFrom, end.saturating_sub(x));
    }
    let (to, cc) = match app.reader.letter() {
        Some(letter) => (named_people(app, &letter.to), named_people(app, &letter.cc)),
        None => (Clean::default(), Clean::default()),
    };
    let to = if to.is_empty() { mail.to_line.clone() } else { to };
    if !to.is_empty() && end > x + 6 {
        let arrow = brush.glyphs.to;
        x = brush.put(x + 2, y, arrow, Role::ReaderHeader, 1) + 1;
        x = brush.put(x, y, &to, Role::ReaderHeader, end.saturating_sub(x));
    }
    if !cc.is_empty() && end > x + 6 {
        x = brush.put(x, y, ", cc ", Role::ReaderHeader, 5);
        brush.put(x, y, &cc, Role::ReaderHeader, end.saturating_sub(x));
    }
}

fn named_people(app: &App, people: &[Whom]) -> Clean {
    let name =
        |w: &Whom| if app.accounts.is_me(w.addr.as_str()) { Clean::fixed("me") } else { w.name.clone() };
    Clean::join(&people.iter().map(name).collect::<Vec<_>>(), ", ")
}

/// `tables.pdf 1.2 MB   sketch.png 88 KB   +2`.
fn draw_chips(brush: &mut Brush<'_>, chips: &[Chip], (x, y, right): (u16, u16, u16)) {
    let mut x = brush.put(x, y, brush.glyphs.attachment, Role::ReaderHeader, 1) + 1;
    for (i, chip) in chips.iter().enumerate() {
        let size = size(chip.size);
        let rest = Clean::line(&format!("+{}", chips.len() - i));
        let tail = if i + 1 < chips.len() { cells(&rest) + 2 } else { 0 };
        let wide = cells(&chip.name) + 1 + cells(&size);
        if i > 0 && x + wide + tail > right {
            brush.put(x, y, &rest, Role::ReaderHeader, right.saturating_sub(x));
            return;
        }
        let room = right.saturating_sub(x + 1 + cells(&size) + tail);
        x = brush.put(x, y, &chip.name, Role::ReaderChip, room) + 1;
        x = brush.put(x, y, &size, Role::ReaderHeader, right.saturating_sub(x)) + 3;
    }
}

fn draw_body(app: &App, brush: &mut Brush<'_>, letter: &Letter, body: Area) {
    if letter.lines.is_empty() && letter.body == BodyState::Head {
        return draw_stub(app, brush, body);
    }
    if letter.lines.is_empty() {
        let text = match letter.body {
            BodyState::Whole => "This mail has no text",
            _ => "The text of this mail is not here yet",
        };
        return centred(brush, body, &[Clean::fixed(text)]);
    }
    let shown = letter.lines.iter().skip(app.reader.scroll);
    let mut rest = body;
    for ((y, at), line) in (body.y..body.bottom()).zip(app.reader.scroll..).zip(shown) {
        draw_line(app, brush, line, Area { y, height: 1, ..body });
        if app.reader.hit == Some(at) {
            let bar = brush.glyphs.bar;
            brush.put(body.x, y, bar, Role::CursorBar, 1);
        }
        rest = Area { y: y + 1, height: body.bottom() - y - 1, ..body };
    }
    if letter.body == BodyState::Head {
        draw_stub(app, brush, rest);
    }
}

/// What is said under the header of a mail that was too large to come by itself.
fn draw_stub(app: &App, brush: &mut Brush<'_>, area: Area) {
    let Some(mail) = app.reader.mail() else { return };
    let what = Clean::line(&format!("The rest is on the server: {} in all", size(mail.size)));
    centred(brush, area, &[what, Clean::fixed("gm downloads it")]);
}

fn draw_line(app: &App, brush: &mut Brush<'_>, line: &Line, area: Area) {
    let (left, end) = sides(app, area);
    let (mut x, mut aside) = (left, app.reader.aside);
    for span in &line.spans {
        let wide = span.text.width();
        if aside >= wide {
            aside -= wide;
            continue;
        }
        let style = style_of(brush, span);
        x = brush.put_aside((x, area.y), &span.text, aside, style, end.saturating_sub(x));
        aside = 0;
    }
    if line.width() > app.reader.aside + usize::from(end - left) {
        let more = brush.glyphs.more;
        brush.put(end.min(area.right() - 1), area.y, more, Role::Dim, 1);
    }
}

pub(super) fn style_of(brush: &Brush<'_>, span: &Span) -> Style {
    let role = match span.role {
        Kind::Plain | Kind::HeaderValue => Role::Text,
        Kind::Quote(depth) => match depth % 3 {
            1 => Role::Quote1,
            2 => Role::Quote2,
            _ => Role::Quote3,
        },
        Kind::Signature => Role::MailSignature,
        Kind::Link(_) => Role::MailLink,
        Kind::Strong => Role::MailStrong,
        Kind::Emphasis => Role::MailEmphasis,
        Kind::Heading => Role::MailHeading,
        Kind::Code => Role::MailCode,
        Kind::DiffAdd => Role::DiffAdd,
        Kind::DiffDel => Role::DiffDel,
        Kind::DiffHunk => Role::DiffHunk,
        Kind::DiffHead => Role::DiffHead,
        Kind::Notice | Kind::HeaderName => Role::Dim,
    };
    let style = brush.style(role);
    if matches!(span.role, Kind::Notice) { style.add_modifier(Modifier::ITALIC) } else { style }
}

/// Why there is no text: it failed, or it is on its way and takes long.
fn draw_waiting(app: &App, brush: &mut Brush<'_>, mail: &Summary, body: Area) {
    if let Some(why) = app.reader.trouble() {
        return centred(brush, body, &[Clean::fixed("This mail could not be shown"), why.clone()]);
    }
    if !app.reader.is_slow() {
        return;
    }
    let first =
        if matches!(mail.body, BodyState::Whole) { "Laying out the text" } else { "Fetching the text" };
    centred(brush, body, &[Clean::fixed(first), Clean::fixed("Esc leaves")]);
}
