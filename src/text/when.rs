//! How a moment and a stretch of time read: short in lists, long in the reader, in the user's zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::error::{Error, Kind, Result};

/// What stands where a time cannot be told.
const UNDATED: &str = "undated";

/// The zone in which times are shown (promise A10): the configured one, else `TZ`, else the system's,
/// else UTC.
///
/// # Errors
/// `Config` when the configured name is neither in the zone database nor a POSIX zone.
pub fn zone(configured: Option<&str>) -> Result<TimeZone> {
    let Some(name) = configured else {
        // Looks at TZ first, then at /etc/localtime.
        return Ok(TimeZone::try_system().unwrap_or(TimeZone::UTC));
    };
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).map_err(|e| {
        Error::new(Kind::Config, format!("the time zone \"{}\" is not known", name.escape_debug()))
            .because(e)
            .hint("write it like \"Europe/Berlin\", or leave it out to take the system's")
    })
}

/// A moment for a list, at most eleven cells: `14:02` today, `Tue` in the last six days, `12 Nov` this
/// year, `12 Nov 2019` otherwise. Both times are Unix seconds.
#[must_use]
pub fn short(then: i64, now: i64, zone: &TimeZone) -> String {
    let Some((then, now)) = local(then, zone).zip(local(now, zone)) else { return UNDATED.to_owned() };
    match days_ago(&then, &now) {
        0 => clock(&then),
        1..=6 => weekday(then.weekday()).to_owned(),
        _ if then.year() == now.year() => format!("{} {}", then.day(), month(then.month())),
        _ => date(then.date()),
    }
}

/// A moment for the reader: `today 14:02`, `yesterday 14:02`, `Tue 12 Nov 2019 14:02`.
#[must_use]
pub fn long(then: i64, now: i64, zone: &TimeZone) -> String {
    let Some((then, now)) = local(then, zone).zip(local(now, zone)) else { return UNDATED.to_owned() };
    match days_ago(&then, &now) {
        0 => format!("today {}", clock(&then)),
        1 => format!("yesterday {}", clock(&then)),
        _ => format!("{} {} {}", weekday(then.weekday()), date(then.date()), clock(&then)),
    }
}

/// A moment without a now, for what is printed and kept: `2019-11-12 14:02`.
#[must_use]
pub fn plain(then: i64, zone: &TimeZone) -> String {
    match local(then, zone) {
        Some(then) => {
            format!("{:04}-{:02}-{:02} {}", then.year(), then.month(), then.day(), clock(&then))
        }
        None => UNDATED.to_owned(),
    }
}

/// A stretch of time in its largest unit, cut: `12s`, `3m`, `2h`, `5d`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A stretch of time that counts down: `0:24`, `12:05`, `1:02:03`.
#[must_use]
pub fn countdown(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `None` for what no calendar has: a forged date may be any number.
fn local(seconds: i64, zone: &TimeZone) -> Option<Zoned> {
    Timestamp::from_second(seconds).ok().map(|t| t.to_zoned(zone.clone()))
}

/// Calendar days from `then` to `now`; negative when `then` lies ahead.
fn days_ago(then: &Zoned, now: &Zoned) -> i64 {
    day_number(now.date()) - day_number(then.date())
}

fn day_number(date: Date) -> i64 {
    // Civil days since the epoch; the zone is done with here.
    date.to_zoned(TimeZone::UTC).map_or(0, |z| z.timestamp().as_second().div_euclid(86_400))
}

fn clock(at: &Zoned) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn date(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date.month()), date.year())
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

fn month(month: i8) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    usize::try_from(month - 1).ok().and_then(|i| NAMES.get(i)).copied().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Wed 13 Nov 2019 15:00 in Berlin.
    const NOW: i64 = 1_573_653_600;
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    fn berlin() -> TimeZone {
        // As a rule, so that the test needs no zone database.
        zone(Some("CET-1CEST,M3.5.0,M10.5.0/3")).unwrap()
    }

    #[test]
    fn a10_short_dates_name_what_distinguishes_them() {
        let short = |then| short(then, NOW, &berlin());
        assert_eq!(short(NOW - HOUR), "14:00");
        assert_eq!(short(NOW - 16 * HOUR), "Tue");
        assert_eq!(short(NOW - 6 * DAY), "Thu");
        assert_eq!(short(NOW - 7 * DAY), "6 Nov");
        assert_eq!(short(NOW - 365 * DAY), "13 Nov 2018");
        assert_eq!(short(NOW + 3 * DAY), "16 Nov");
        assert_eq!(short(NOW + 90 * DAY), "11 Feb 2020");
        assert_eq!(short(i64::MAX), "undated");
    }

    #[test]
    fn a10_long_dates_carry_the_year() {
        let long = |then| long(then, NOW, &berlin());
        assert_eq!(long(NOW - HOUR), "today 14:00");
        assert_eq!(long(NOW - DAY), "yesterday 15:00");
        assert_eq!(long(NOW - 2 * DAY), "Mon 11 Nov 2019 15:00");
        assert_eq!(long(0), "Thu 1 Jan 1970 01:00");
        assert_eq!(long(i64::MIN), "undated");
    }

    #[test]
    fn a10_the_zone_decides_what_today_is() {
        let tokyo = zone(Some("JST-9")).unwrap();
        // 01:00 in Tokyo: the day there has only begun.
        let now = 1_573_660_800;
        assert_eq!(short(now - 2 * HOUR, now, &tokyo), "Wed");
        assert_eq!(short(now - 2 * HOUR, now, &TimeZone::UTC), "14:00");
        assert_eq!(plain(now, &tokyo), "2019-11-14 01:00");
    }

    #[test]
    fn a10_an_unknown_zone_is_an_error_and_none_is_fine() {
        assert_eq!(zone(Some("Mars/Olympus")).unwrap_err().kind(), Kind::Config);
        assert!(zone(None).is_ok());
    }

    #[test]
    fn stretches_of_time_are_short() {
        let read: Vec<_> = [0, 59, 60, 3_599, 3_600, 86_400, 900_000].map(span).to_vec();
        assert_eq!(read, ["0s", "59s", "1m", "59m", "1h", "1d", "10d"]);
        assert_eq!(countdown(24), "0:24");
        assert_eq!(countdown(3_723), "1:02:03");
    }

    proptest! {
        #[test]
        fn a10_every_number_reads_as_something_short(then in any::<i64>(), now in any::<i64>()) {
            let read = short(then, now, &TimeZone::UTC);
            prop_assert!(!read.is_empty() && read.len() <= 12, "{read}");
            prop_assert!(!long(then, now, &TimeZone::UTC).is_empty());
        }

        #[test]
        fn a10_every_plausible_time_reads_as_a_date(then in 0i64..4_000_000_000, now in 0i64..4_000_000_000) {
            let read = short(then, now, &TimeZone::UTC);
            prop_assert!(!read.is_empty() && read.len() <= 11 && read != UNDATED, "{read}");
        }
    }
}
