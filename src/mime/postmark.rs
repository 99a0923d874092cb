//! The `From ` line before a mail in a mailbox file (RFC 4155): when it says that the mail came.

use jiff::tz::TimeZone;

use super::date;

/// When a `From ` line says that its mail came: it must hold a time and a year. It names no zone as a rule, and then
/// shows what the clock of the machine showed.
pub(super) fn came(line: &[u8]) -> Option<i64> {
    let text = line.get(5..line.len().min(500))?;
    let sender = text.iter().position(|b| *b == b' ').unwrap_or(0);
    let seconds = date::parse(&text[sender..])?;
    let has_time = text.windows(3).any(|w| w[0].is_ascii_digit() && w[1] == b':' && w[2].is_ascii_digit());
    let names_zone = text.windows(3).any(|w| matches!(w, [b' ', b'+' | b'-', b'0'..=b'9']));
    if names_zone {
        return has_time.then_some(seconds);
    }
    let clock = jiff::Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime();
    let there = clock.to_zoned(TimeZone::system()).ok()?.timestamp().as_second();
    has_time.then_some(there)
}

/// Whether a line ends as the C library writes dates: `Mon Nov 23 14:22:01 2026`.
pub(super) fn is_exact(line: &[u8]) -> bool {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = String::from_utf8_lossy(&line[line.len().saturating_sub(40)..]);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let Some(&[day, month, date, time, year]) = words.last_chunk::<5>() else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    DAYS.contains(&day)
        && MONTHS.contains(&month)
        && (date.len() <= 2 && digits(date))
        && (matches!(time.len(), 5 | 8) && time.split(':').all(|part| part.len() == 2 && digits(part)))
        && (year.len() == 4 && digits(year))
}
