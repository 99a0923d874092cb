//! A time to come as people write it: `tomorrow 9`, `mon`, `3d`, `2026-12-01 8:00`.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// What may be written, for completion: each reads as a time.
pub const EXAMPLES: [&str; 7] = ["tonight", "tomorrow", "tomorrow 14:00", "mon", "3d", "2w", "4h"];

/// The hour of a day that is named without one, and in the evening.
const MORNING: i8 = 8;
const EVENING: i8 = 20;
/// The longest stretch of time, in its own unit.
const LONGEST: i64 = 10_000;

/// What a word says.
enum Said {
    Day(Date),
    Time(Time),
    /// A moment, and whether it has a time of its own.
    Moment(Zoned, bool),
}

/// Unix seconds of a time that lies ahead of `now`. A day without a time is its morning, a time without a day
/// the next one that shows it.
///
/// # Errors
/// A sentence for the user.
pub fn parse(text: &str, now: i64, zone: &TimeZone) -> Result<i64, String> {
    let unknown = || "a time is written as tomorrow 9, mon, 3d or 2026-12-01 8:00".to_owned();
    let now = Timestamp::from_second(now).map_err(|_| unknown())?.to_zoned(zone.clone());
    let (mut day, mut time) = (None::<Date>, None::<Time>);
    let text = text.to_lowercase();
    let mut words =
        text.split([' ', ',']).filter(|word| !word.is_empty() && !matches!(*word, "at" | "next")).peekable();
    words.peek().ok_or_else(unknown)?;
    while let Some(word) = words.next() {
        // `1 dec`, `dec 1`: two words for one day.
        let pair = words.peek().and_then(|next| named_date(word, next, now.date()));
        let said = match pair {
            Some(date) => {
                words.next();
                Said::Day(date)
            }
            None => said(word, &now).ok_or_else(|| format!("`{word}` is no time: {}", unknown()))?,
        };
        let (new_day, new_time) = match said {
            Said::Day(date) => (Some(date), None),
            Said::Time(at) => (None, Some(at)),
            Said::Moment(at, with_time) => (Some(at.date()), with_time.then(|| at.time())),
        };
        if (new_day.is_some() && day.is_some()) || (new_time.is_some() && time.is_some()) {
            return Err("that says two times".to_owned());
        }
        (day, time) = (day.or(new_day), time.or(new_time));
    }
    let morning = Time::constant(MORNING, 0, 0, 0);
    let at = |date: Date, time: Time| {
        let at = date.to_datetime(time).to_zoned(zone.clone()).map_err(|_| unknown())?;
        Ok::<_, String>(at.timestamp().as_second())
    };
    let due = match (day, time) {
        (Some(day), time) => at(day, time.unwrap_or(morning))?,
        (None, Some(time)) => match at(now.date(), time)? {
            today if today > now.timestamp().as_second() => today,
            _ => at(now.date().tomorrow().map_err(|_| unknown())?, time)?,
        },
        (None, None) => return Err(unknown()),
    };
    if due <= now.timestamp().as_second() { Err("that time is past".to_owned()) } else { Ok(due) }
}

fn said(word: &str, now: &Zoned) -> Option<Said> {
    let day = |days: i64| Some(Said::Day(now.date().checked_add(Span::new().days(days)).ok()?));
    match word {
        "today" => return day(0),
        "tonight" => {
            let at = now.date().at(EVENING, 0, 0, 0).to_zoned(now.time_zone().clone()).ok()?;
            return Some(Said::Moment(at, true));
        }
        "tomorrow" | "tom" | "tmr" => return day(1),
        "weekend" => return Some(Said::Day(next(Weekday::Saturday, now.date())?)),
        "week" => return Some(Said::Day(next(Weekday::Monday, now.date())?)),
        "noon" => return Some(Said::Time(Time::midnight().with().hour(12).build().ok()?)),
        _ => {}
    }
    if let Some(weekday) = weekday(word) {
        return Some(Said::Day(next(weekday, now.date())?));
    }
    if let Ok(date) = word.parse::<Date>() {
        return Some(Said::Day(date));
    }
    if let Some(time) = clock(word) {
        return Some(Said::Time(time));
    }
    stretch(word, now)
}

/// `3d`, `2w`, `1mo`: that day's morning; `4h`, `30min`: that moment.
fn stretch(word: &str, now: &Zoned) -> Option<Said> {
    let digits = word.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = word.split_at(digits);
    let count: i64 = count.parse().ok().filter(|n| (1..=LONGEST).contains(n))?;
    let (span, with_time) = match unit {
        "min" | "m" => (Span::new().try_minutes(count).ok()?, true),
        "h" => (Span::new().try_hours(count).ok()?, true),
        "d" => (Span::new().try_days(count).ok()?, false),
        "w" => (Span::new().try_weeks(count).ok()?, false),
        "mo" => (Span::new().try_months(count).ok()?, false),
        _ => return None,
    };
    Some(Said::Moment(now.checked_add(span).ok()?, with_time))
}

/// `9`, `9:30`, `17:00`, `9am`, `5pm`.
fn clock(word: &str) -> Option<Time> {
    let (word, add) = match word {
        _ if word.ends_with("am") => (word.strip_suffix("am")?, Some(0)),
        _ if word.ends_with("pm") => (word.strip_suffix("pm")?, Some(12)),
        _ => (word, None),
    };
    let (hour, minute) = word.split_once(':').unwrap_or((word, "0"));
    let is_number =
        |text: &str| !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (mut hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    if let Some(add) = add {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + add;
    }
    Time::new(hour, minute, 0, 0).ok()
}

/// The next day that is so in a month that is named: the 29th of February may be years away.
fn named_date(a: &str, b: &str, today: Date) -> Option<Date> {
    let month = |word: &str| -> Option<i8> {
        const MONTHS: [&str; 12] =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let start = word.get(..3)?;
        let at = MONTHS.iter().position(|name| *name == start)?;
        i8::try_from(at + 1).ok()
    };
    let day = |word: &str| word.trim_end_matches('.').parse::<i8>().ok();
    let (month, day) = match (month(a), day(b)) {
        (Some(month), Some(day)) => (month, day),
        _ => (month(b)?, day(a)?),
    };
    let years = (0..=8).map(|ahead| today.year().saturating_add(ahead));
    years.filter_map(|year| Date::new(year, month, day).ok()).find(|date| *date >= today)
}

fn weekday(word: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    DAYS.iter().find(|(name, _)| word.len() >= 3 && name.starts_with(word)).map(|(_, day)| *day)
}

/// The next such day after today.
fn next(weekday: Weekday, today: Date) -> Option<Date> {
    today.nth_weekday(1, weekday).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Wed 13 Nov 2019 15:00 in Berlin.
    const NOW: i64 = 1_573_653_600;

    fn berlin() -> TimeZone {
        crate::text::when::zone(Some("CET-1CEST,M3.5.0,M10.5.0/3")).unwrap()
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (written, expected) in [
            ("tomorrow 9", "2019-11-14 09:00"),
            ("tomorrow", "2019-11-14 08:00"),
            ("tom at 5pm", "2019-11-14 17:00"),
            ("mon", "2019-11-18 08:00"),
            ("wed", "2019-11-20 08:00"),
            ("Thursday 12:15", "2019-11-14 12:15"),
            ("9 fri", "2019-11-15 09:00"),
            ("weekend", "2019-11-16 08:00"),
            ("next week", "2019-11-18 08:00"),
            ("3d", "2019-11-16 08:00"),
            ("3d 18:30", "2019-11-16 18:30"),
            ("2w", "2019-11-27 08:00"),
            ("1mo", "2019-12-13 08:00"),
            ("4h", "2019-11-13 19:00"),
            ("90min", "2019-11-13 16:30"),
            ("tonight", "2019-11-13 20:00"),
            ("today 23", "2019-11-13 23:00"),
            ("16:00", "2019-11-13 16:00"),
            ("9", "2019-11-14 09:00"),
            ("12am", "2019-11-14 00:00"),
            ("noon", "2019-11-14 12:00"),
            ("2026-12-01 8:00", "2026-12-01 08:00"),
            ("1 dec", "2019-12-01 08:00"),
            ("february 1. 10:00", "2020-02-01 10:00"),
            ("29 feb", "2020-02-29 08:00"),
        ] {
            let at = parse(written, NOW, &berlin()).unwrap_or_else(|why| panic!("{written}: {why}"));
            assert_eq!(crate::text::when::plain(at, &berlin()), expected, "{written}");
        }
    }

    #[test]
    fn what_is_no_time_to_come_is_refused_in_words() {
        for wrong in [
            "",
            "  ",
            "soon",
            "25",
            "9:60",
            "13pm",
            "2019-11-12",
            "today 9",
            "mon tue",
            "9 10",
            "0d",
            "99999999d",
            "d",
            "31 feb",
            "2026-13-01",
            "tomorrow x",
            "tonight 9",
        ] {
            let why = parse(wrong, NOW, &berlin()).unwrap_err();
            assert!(!why.is_empty() && !why.ends_with('.'), "{wrong}: {why}");
        }
        for example in EXAMPLES {
            assert!(parse(example, NOW, &berlin()).is_ok(), "{example}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_breaks_it(text in ".{0,40}", now in any::<i64>()) {
            if let Ok(at) = parse(&text, now, &berlin()) {
                prop_assert!(at > now);
            }
        }
    }
}
