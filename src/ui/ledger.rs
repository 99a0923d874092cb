//! The page of what waits: accounts with their health, then the entries of each in plain words.

use super::Look;
use super::paint::{Brush, cells};
use crate::app::App;
use crate::app::accounts::Dot;
use crate::app::layout::{Area, TWO_PANES};
use crate::app::ledger::{Fare, Ledger, unfit};
use crate::app::maildrop;
use crate::config::theme::Role;
use crate::engine::AccountState;
use crate::model::{Matter, Settle};
use crate::store::{Entry, HELD, Health, Standing};
use crate::text::amount::{number, size};
use crate::text::{Clean, when};

/// Cells of the word that says how an entry stands.
const STANDING: u16 = 12;
/// Cells of the name of an account.
const NAME: u16 = 14;

/// What the footer tells, and the way of settling behind it.
const KEYS: [(&str, &str, Option<Settle>); 10] = [
    ("r", "try again", Some(Settle::Retry)),
    ("D", "give up", Some(Settle::Discard)),
    ("a", "believe", Some(Settle::Accept)),
    ("f", "look anew", Some(Settle::Refetch)),
    ("u", "undo", Some(Settle::Undo)),
    (EDIT, "edit", Some(Settle::Hold)),
    ("h", "hold", Some(Settle::Hold)),
    ("Y", "send at", Some(Settle::Hold)),
    ("Enter", "details", None),
    ("q", "back", None),
];

/// What makes a draft again of a mail, also of one that failed.
const EDIT: &str = "E";

/// One line of the list.
enum Line<'a> {
    Gap,
    Heading(Clean),
    /// An entry, and where it stands among all lines under the cursor.
    Entry(&'a Entry, usize),
    More(u64),
}

pub(super) fn draw(app: &App, ledger: &Ledger, look: &Look, brush: &mut Brush<'_>, body: Area) {
    let mut rest = body;
    rest.height -= 1;
    footer(ledger, brush, body.low(1));
    if ledger.details {
        let wanted = match ledger.entry() {
            Some(entry) => {
                4 + ledger.mails.len() + ledger.people.len() + usize::from(!entry.error.is_empty())
            }
            None => 9,
        };
        let height = u16::try_from(wanted).unwrap_or(u16::MAX).min(rest.height / 2).max(4).min(rest.height);
        let area = rest.low(height);
        rest.height -= height;
        details(app, ledger, look, brush, area);
    }
    // The accounts stay in sight, but never take more than half of it.
    let shown = ledger.accounts.len().min(usize::from(rest.height / 2).max(1));
    let skipped =
        (ledger.at + 1).saturating_sub(shown).min(ledger.accounts.len() - shown.min(ledger.accounts.len()));
    for (y, (at, fare)) in
        (rest.y..rest.bottom()).zip(ledger.accounts.iter().enumerate().skip(skipped).take(shown))
    {
        let line = Area { y, height: 1, ..rest };
        under_cursor(ledger.at == at, brush, line, |brush| account(app, fare, brush, line));
    }
    let used = u16::try_from(shown).unwrap_or(0).min(rest.height);
    let list = Area { y: rest.y + used, height: rest.height - used, ..rest };
    if ledger.entries.is_empty() {
        let words = [
            Clean::fixed("Nothing waits"),
            Clean::fixed("What you do is here at once and on its way as soon as there is a connection."),
            Clean::fixed("$ asks the servers now, q goes back"),
        ];
        return super::centred(brush, list, &words);
    }
    entries(app, ledger, brush, list);
}

fn entries(app: &App, ledger: &Ledger, brush: &mut Brush<'_>, area: Area) {
    let mut lines = Vec::new();
    let mut group = None;
    for (i, entry) in ledger.entries.iter().enumerate() {
        if group != Some(entry.account) {
            group = Some(entry.account);
            lines.push(Line::Gap);
            let name = app.accounts.get(entry.account).map(|a| a.name.clone()).unwrap_or_default();
            lines.push(Line::Heading(name));
        }
        lines.push(Line::Entry(entry, ledger.accounts.len() + i));
    }
    let held = ledger.before() + ledger.entries.len();
    let more = ledger.total().saturating_sub(held as u64);
    if more > 0 {
        lines.push(Line::More(more));
    }
    let height = usize::from(area.height);
    let here = lines.iter().position(|l| matches!(l, Line::Entry(_, at) if *at == ledger.at)).unwrap_or(0);
    let top = here.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
    for (y, line) in (area.y..area.bottom()).zip(lines.into_iter().skip(top)) {
        let place = Area { y, height: 1, ..area };
        match line {
            Line::Gap => {}
            Line::Heading(name) => {
                brush.put(place.x + 1, y, &name, Role::FolderAccount, place.width - 2);
            }
            Line::More(more) => {
                let text = Clean::line(&format!("and {} more", number(more)));
                brush.put(place.x + 3, y, &text, Role::Dim, place.width - 4);
            }
            Line::Entry(entry, at) => {
                under_cursor(ledger.at == at, brush, place, |brush| row(app, entry, brush, place));
            }
        }
    }
}

fn under_cursor(is_here: bool, brush: &mut Brush<'_>, line: Area, draw: impl FnOnce(&mut Brush<'_>)) {
    if !is_here {
        return draw(brush);
    }
    let over = brush.style(Role::Cursor);
    brush.tint(line, over);
    brush.with_over(over, draw);
    let bar = brush.glyphs.bar;
    brush.put(line.x, line.y, bar, Role::CursorBar, 1);
}

/// `● work           in step 12s ago · 1.2 GB received · 3 queued · 1 for you`
fn account(app: &App, fare: &Fare, brush: &mut Brush<'_>, line: Area) {
    let health = &fare.health;
    let live = app.accounts.get(health.id);
    let dot = live.map_or(Dot::Good, |account| account.dot());
    let (glyph, role) = match dot {
        _ if health.is_paused() => ("!", Role::DotBad),
        Dot::Good if health.state == "offline" => (brush.glyphs.off, Role::DotOff),
        Dot::Good => (brush.glyphs.good, Role::DotGood),
        Dot::Busy => (brush.glyphs.good, Role::DotBusy),
        Dot::Off => (brush.glyphs.off, Role::DotOff),
        Dot::Bad => ("!", Role::DotBad),
        Dot::Parked => (brush.glyphs.off, Role::Dim),
    };
    let (y, end) = (line.y, line.right() - 1);
    brush.put(line.x + 1, y, glyph, role, 1);
    brush.put(line.x + 3, y, Clean::line(&health.name), Role::FolderAccount, NAME - 1);
    let x = line.x + 3 + NAME;
    let mut facts = facts(fare, app.now.unix);
    let mut trouble = trouble(app, health);
    if let Some(drop) = &fare.drop {
        facts.push(format!("{} there", size(drop.holds.bytes)));
        if drop.is_large() && trouble.is_empty() {
            trouble = Clean::fixed(":server-cleanup makes room");
        }
    }
    let facts = Clean::line(&facts.join(" \u{b7} "));
    if trouble.is_empty() {
        brush.put(x, y, &facts, Role::Dim, end.saturating_sub(x));
    } else {
        let x = brush.put(x, y, &trouble, Role::Accent, end.saturating_sub(x));
        brush.put(x + 2, y, &facts, Role::Dim, end.saturating_sub(x + 2));
    }
}

/// What is wrong with an account, as its engine tells here, else as it was written down.
fn trouble(app: &App, health: &Health) -> Clean {
    if health.is_parked {
        return Clean::fixed("parked: not in the configuration, see `mailtui account list`");
    }
    match app.accounts.get(health.id).map(|account| &account.state) {
        Some(AccountState::Offline { why, .. }) => Clean::join([&Clean::fixed("offline:"), why], " "),
        Some(AccountState::Paused { why, .. }) => Clean::join([&Clean::fixed("paused:"), why], " "),
        _ if health.trouble.is_empty() => Clean::default(),
        _ => Clean::line(&format!("{}: {}", health.state, health.trouble)),
    }
}

fn facts(Fare { health, waiting, .. }: &Fare, now: i64) -> Vec<String> {
    let mut facts = vec![match health.in_step_at {
        0 if health.is_alone => "lives here only".to_owned(),
        0 => "never in step".to_owned(),
        at => format!("in step {} ago", ago(at, now)),
    }];
    if health.bytes_in > 0 {
        facts.push(format!("{} received", size(health.bytes_in)));
    }
    if health.bytes_out > 0 {
        facts.push(format!("{} put there", size(health.bytes_out)));
    }
    let going = waiting.queued + waiting.outgoing;
    if going > 0 {
        facts.push(format!("{} queued", number(going)));
    }
    if waiting.for_user() > 0 {
        facts.push(format!("{} for you", number(waiting.for_user())));
    }
    if let Some(quota) = health.about.quota {
        facts.push(format!("{quota} in use there"));
    }
    facts
}

/// `! conflict     2h  move 3 mails from Inbox to Archive   the server said no`
fn row(app: &App, entry: &Entry, brush: &mut Brush<'_>, line: Area) {
    let (y, end, now) = (line.y, line.right() - 1, app.now.unix);
    let needs_user = entry.standing.needs_user();
    if needs_user {
        brush.put(line.x + 1, y, "!", Role::DotBad, 1);
    }
    let mut x = line.x + 3;
    let wide = line.width >= 60;
    if wide {
        let role = if needs_user { Role::Text } else { Role::Dim };
        brush.put(x, y, standing(entry, now), role, STANDING);
        x += STANDING + 1;
        if (1..=now).contains(&entry.since) {
            let since = Clean::line(&ago(entry.since, now));
            brush.put_right(x + 4, y, &since, Role::Dim, 4);
        }
        x += 6;
    }
    let x = brush.put(x, y, &entry.what, Role::Text, end.saturating_sub(x));
    // Mails on their way out are told apart by their subjects.
    let is_mail = matches!(entry.matter, Matter::Outgoing(_)) && !entry.error.is_empty();
    let x = match is_mail && x + 4 < end {
        true => brush.put(x + 2, y, &entry.subject, Role::Text, end.saturating_sub(x + 2)),
        false => x,
    };
    let more = if entry.error.is_empty() { &entry.subject } else { &entry.error };
    if x + 4 < end {
        brush.put(x + 2, y, more, Role::Dim, end.saturating_sub(x + 2));
    }
}

/// How an entry stands, in at most twelve cells.
fn standing(entry: &Entry, now: i64) -> Clean {
    match entry.standing {
        Standing::Queued if entry.since >= HELD => Clean::fixed("held back"),
        Standing::Queued if entry.since > now => Clean::line(&format!("in {}", ago(now, entry.since))),

        Standing::Waiting(at) if at > now => Clean::line(&format!("again in {}", ago(now, at))),
        Standing::Waiting(_) => Clean::fixed("queued"),
        Standing::Told => Clean::fixed("asked for"),
        Standing::Parked => Clean::fixed("held back"),
        other => Clean::fixed(other.name()),
    }
}

/// The line under the cursor in full: why, since when, which mails.
fn details(app: &App, ledger: &Ledger, look: &Look, brush: &mut Brush<'_>, area: Area) {
    brush.line(area, area.y);
    let mut y = area.y + 1;
    let room = area.width.saturating_sub(4);
    let mut put = |brush: &mut Brush<'_>, text: &Clean, role: Role| {
        for piece in crate::text::wrap::wrap(text.as_str(), usize::from(room)) {
            if y < area.bottom() {
                brush.put(area.x + 2, y, Clean::line(piece), role, room);
            }
            y += 1;
        }
    };
    let now = app.now.unix;
    if let Some(fare) = ledger.account() {
        let health = &fare.health;
        put(brush, &Clean::line(&health.name), Role::PanelTitle);
        put(brush, &Clean::line(&facts(fare, now).join(", ")), Role::Text);
        if let Some(drop) = &fare.drop {
            let oldest = ledger.oldest.and_then(|(_, at)| at);
            let day = |at| when::plain(at, &look.zone).chars().take(10).collect();
            for line in maildrop::told(drop, oldest, day) {
                put(brush, &Clean::line(&line), Role::Text);
            }
            put(brush, &Clean::fixed(":server-cleanup takes off it what is safely here"), Role::Dim);
        }
        if !health.about.server.is_empty() {
            put(brush, &Clean::join([&Clean::fixed("the server is"), &health.about.server], " "), Role::Dim);
        }
        let trouble = trouble(app, health);
        put(brush, &trouble, Role::Accent);
        if !health.trouble.is_empty() {
            let next = if health.is_parked {
                "its mail stays"
            } else if health.is_paused() {
                "r or $ tries again"
            } else {
                "tried again by itself"
            };
            let since = format!("since {}, {next}", look_at(health.told_at, now, look));
            put(brush, &Clean::line(&since), Role::Dim);
        }
        return;
    }
    let Some(entry) = ledger.entry() else { return };
    let title = match entry.matter {
        Matter::Outgoing(_) => Clean::join([&entry.what, &entry.subject], ": "),
        _ => entry.what.clone(),
    };
    put(brush, &title, Role::PanelTitle);
    let mut facts = vec![standing(entry, now).to_string()];
    if entry.since > now && entry.since < HELD {
        facts.push(format!("at {}", look_at(entry.since, now, look)));
    } else if (1..HELD).contains(&entry.since) {
        facts.push(format!("since {}", look_at(entry.since, now, look)));
    }
    match entry.tries {
        0 => {}
        1 => facts.push("tried once".to_owned()),
        n => facts.push(format!("tried {n} times")),
    }
    facts.push(format!("{} in `mailtui queue`", entry.matter));
    put(brush, &Clean::line(&facts.join(", ")), Role::Dim);
    if !entry.error.is_empty() {
        put(brush, &entry.error, Role::Accent);
    }
    for (addr, state, reply) in &ledger.people {
        let how = match state.as_str() {
            "accepted" => "has it",
            "refused" => "refused",
            _ => "waits",
        };
        let text = Clean::line(&format!("{how:<8}  {addr}  {reply}"));
        if y < area.bottom() {
            let role = if state == "refused" { Role::Accent } else { Role::Text };
            brush.put(area.x + 2, y, &text, role, room);
        }
        y += 1;
    }
    for mail in &ledger.mails {
        let date = when::short(mail.date, now, &look.zone);
        let text = format!("{date:>11}  {}  {}", crate::text::pad(mail.from_name.as_str(), 20), mail.subject);
        let text = Clean::line(&text);
        if y < area.bottom() {
            brush.put(area.x + 2, y, &text, Role::Text, room);
        }
        y += 1;
    }
}

fn look_at(then: i64, now: i64, look: &Look) -> String {
    when::long(then, now, &look.zone)
}

/// The keys that do something here; those that do not are dim.
fn footer(ledger: &Ledger, brush: &mut Brush<'_>, line: Area) {
    let mut x = line.x + 1;
    for (key, words, how) in KEYS {
        let works = match (how, ledger.entry()) {
            (Some(_), Some(entry)) if key == EDIT => {
                matches!(entry.matter, Matter::Outgoing(_))
                    && !matches!(entry.standing, Standing::Running | Standing::Unsure)
            }
            (Some(how), Some(entry)) => unfit(entry, how).is_none(),
            (Some(how), None) => {
                !matches!(how, Settle::Undo | Settle::Hold) && !ledger.entries.is_empty()
                    || how == Settle::Retry
            }
            (None, _) => true,
        };
        let words = match ledger.entry() {
            Some(entry) => worded(entry, how).unwrap_or(words),
            None => words,
        };
        // What is done to mail on its way out is of no use anywhere else.
        let is_mail = ledger.entry().is_some_and(|entry| matches!(entry.matter, Matter::Outgoing(_)));
        let is_aside = is_mail || how == Some(Settle::Hold);
        if !works && (line.width < TWO_PANES || is_aside) {
            continue;
        }
        let wide = cells(key) + 1 + cells(words);
        if x + wide > line.right() {
            break;
        }
        x = brush.put(x, line.y, key, if works { Role::PanelKey } else { Role::PanelOff }, cells(key));
        x = brush.put(x + 1, line.y, words, if works { Role::Dim } else { Role::PanelOff }, cells(words)) + 3;
    }
}

/// What a key does to a mail on its way out.
fn worded(entry: &Entry, how: Option<Settle>) -> Option<&'static str> {
    let Matter::Outgoing(_) = entry.matter else { return None };
    Some(match (how?, entry.standing) {
        (Settle::Retry, Standing::Queued) => "send now",
        (Settle::Retry, _) => "send again",
        (Settle::Accept, _) => "it arrived",
        _ => return None,
    })
}

fn ago(then: i64, now: i64) -> String {
    when::span(u64::try_from(now - then).unwrap_or(0))
}
