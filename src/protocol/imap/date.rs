//! The dates of IMAP: `17-Jul-1996 02:44:25 -0700` (RFC 9051 section 9, date-time).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Unix seconds; `None` when it is no date. The zone may be missing or lie: then it is UTC.
pub(super) fn read(date: &[u8]) -> Option<i64> {
    let date = std::str::from_utf8(date).ok()?;
    let mut words = date.split_ascii_whitespace();
    let mut day = words.next()?.splitn(3, '-');
    let (d, month, y) = (day.next()?, day.next()?, day.next()?);
    let m = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    let mut time = words.next()?.splitn(3, ':');
    let (h, min, s) = (time.next()?, time.next()?, time.next().unwrap_or("0"));
    // Leap seconds are told by some servers; jiff has none.
    let second = s.parse::<i8>().ok()?.min(59);
    let civil = DateTime::new(
        y.parse().ok()?,
        i8::try_from(m).ok()?,
        d.parse().ok()?,
        h.parse().ok()?,
        min.parse().ok()?,
        second,
        0,
    )
    .ok()?;
    let offset = words.next().and_then(zone).unwrap_or(Offset::UTC);
    offset.to_timestamp(civil).ok().map(Timestamp::as_second)
}

/// `+0130` as an offset.
fn zone(zone: &str) -> Option<Offset> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(sign * seconds).ok()
}

/// The date as APPEND takes it, in UTC; `None` outside the years 1 to 9999.
pub(super) fn write(seconds: i64) -> Option<String> {
    let at = Offset::UTC.to_datetime(Timestamp::from_second(seconds).ok()?);
    if at.year() < 1 {
        return None;
    }
    let month = MONTHS.get(usize::try_from(at.month()).ok()?.checked_sub(1)?)?;
    Some(format!(
        "{:>2}-{month}-{:04} {:02}:{:02}:{:02} +0000",
        at.day(),
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read() {
        assert_eq!(read(b"17-Jul-1996 02:44:25 -0700"), Some(837_596_665));
        assert_eq!(read(b" 1-jan-1970 00:00:00 +0000"), Some(0));
        assert_eq!(read(b"1-Jan-1970 01:30:00 +0130"), Some(0));
        assert_eq!(read(b"01-Jan-1970 00:00:60 +0000"), Some(59));
        assert_eq!(read(b"01-Jan-1970 00:00:07"), Some(7));
        for wrong in
            ["", "32-Jan-1970 00:00:00 +0000", "x", "1-Foo-2000 1:1:1 +0000", "99999999999-Jan-1 1:1"]
        {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn dates_come_back(seconds in -60_000_000_000i64..250_000_000_000) {
            let text = write(seconds).unwrap();
            prop_assert_eq!(read(text.as_bytes()), Some(seconds));
        }

        #[test]
        fn any_text_reads(text in "[0-9A-Za-z:+ -]{0,40}") {
            read(text.as_bytes());
        }
    }
}
