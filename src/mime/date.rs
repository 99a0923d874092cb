//! Dates of mail (RFC 5322 section 3.3) in all the ways in which they are written.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::header::unfold;

/// A date with its zone as Unix seconds; `None` when it is beyond repair.
///
/// Without a time it is midnight, without a zone UTC. Two-digit years are read as RFC 5322 section 4.3 says.
pub(super) fn parse(value: &[u8]) -> Option<i64> {
    // The longest date that makes sense, comments included.
    let value = unfold(&value[..value.len().min(300)]);
    let text = without_comments(&value);
    let mut date = Parts::default();
    for token in text.split([' ', '\t', ',', '"']).filter(|t| !t.is_empty()) {
        date.take(token);
    }
    date.seconds()
}

/// ASCII of the value; comments and other bytes become spaces.
fn without_comments(value: &[u8]) -> String {
    let mut depth = 0usize;
    let mut out = String::with_capacity(value.len());
    for b in value {
        match b {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            b if b.is_ascii_graphic() => {
                out.push(char::from(*b));
                continue;
            }
            _ => {}
        }
        out.push(' ');
    }
    out
}

/// What was found so far.
#[derive(Debug, Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<(i8, i8, i8)>,
    afternoon: Option<bool>,
    /// Seconds east of Greenwich.
    zone: Option<i32>,
}

impl Parts {
    fn take(&mut self, token: &str) {
        if token.starts_with(['+', '-']) && token[1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.zone = offset(token).or(self.zone);
        } else if token.starts_with(|c: char| c.is_ascii_digit()) {
            self.take_number(token);
        } else {
            self.take_word(token);
        }
    }

    fn take_number(&mut self, token: &str) {
        if token.bytes().all(|b| b.is_ascii_digit()) {
            self.take_digits(token);
        } else if let Some((date, time)) = token.split_once(['T', 't']).filter(|(_, time)| time.contains(':'))
        {
            self.take_number(date);
            self.take_time(time);
        } else if token.contains(':') {
            self.take_time(token);
        } else if self.day.is_some() && self.year.is_some() && token.matches('.').count() == 2 {
            // Some write the time as 14.02.03.
            self.take_time(&token.replace('.', ":"));
        } else {
            self.take_joined(token);
        }
    }

    fn take_digits(&mut self, token: &str) {
        let Ok(number) = token.parse::<i16>() else { return };
        if self.day.is_none() && token.len() <= 2 && (1..=31).contains(&number) {
            self.day = i8::try_from(number).ok();
        } else if self.year.is_none() && (2..=4).contains(&token.len()) {
            self.year = Some(full_year(token.len(), number));
        }
    }

    /// `14:02:03`, with fractions, zone or am and pm hanging on.
    fn take_time(&mut self, token: &str) {
        let end = token.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(token.len());
        let (clock, mut rest) = token.split_at(end);
        let mut numbers = clock.split(':').map(|n| n.parse::<i8>());
        let hour = numbers.next().and_then(Result::ok);
        let minute = numbers.next().and_then(Result::ok);
        let second = numbers.next().and_then(Result::ok).unwrap_or(0);
        if let (Some(hour @ 0..=23), Some(minute @ 0..=59)) = (hour, minute) {
            // A leap second is the one before it.
            self.time = Some((hour, minute, second.clamp(0, 59)));
        }
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        if !rest.is_empty() {
            self.take(rest);
        }
    }

    /// `12-Nov-2019`, `2019-11-12`, `12.11.2019`, `11/12/2019`.
    fn take_joined(&mut self, token: &str) {
        let pieces: Vec<&str> = token.split(['-', '/', '.']).filter(|p| !p.is_empty()).collect();
        let [first, second, third] = pieces[..] else { return };
        let (day, month, year) = if first.len() == 4 {
            (third, second, first)
        } else if token.contains('/')
            && second.parse::<i8>().is_ok_and(|n| n > 12 || first.parse::<i8>().is_ok_and(|m| m <= 12))
        {
            (second, first, third)
        } else {
            (first, second, third)
        };
        self.day = day.parse().ok().filter(|d| (1..=31).contains(d));
        self.month = month_named(month).or_else(|| month.parse().ok().filter(|m| (1..=12).contains(m)));
        self.year = year.parse().ok().map(|y| full_year(year.len(), y));
    }

    fn take_word(&mut self, token: &str) {
        if let Some(month) = month_named(token).filter(|_| self.month.is_none()) {
            self.month = Some(month);
        } else if token.eq_ignore_ascii_case("am") || token.eq_ignore_ascii_case("pm") {
            self.afternoon = Some(token.eq_ignore_ascii_case("pm"));
        } else if self.zone.is_none() {
            // GMT+2, UTC-03:00
            let end = token.find(['+', '-']).unwrap_or(token.len());
            let (name, shift) = token.split_at(end);
            self.zone = zone_named(name).map(|base| base + offset(shift).unwrap_or(0));
        }
    }

    fn seconds(&self) -> Option<i64> {
        let (mut hour, minute, second) = self.time.unwrap_or_default();
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let civil = DateTime::new(self.year?, self.month?, self.day?, hour, minute, second, 0).ok()?;
        let utc = Offset::UTC.to_timestamp(civil).ok()?.as_second();
        Some(utc - i64::from(self.zone.unwrap_or(0)))
    }
}

/// RFC 5322 section 4.3: 00 to 49 is this century, other years of two or three digits count from 1900.
fn full_year(digits: usize, year: i16) -> i16 {
    match digits {
        1 | 2 if year < 50 => 2000 + year,
        1..=3 => 1900 + year,
        _ => year,
    }
}

/// English, and the names that some machines put into their dates in German, French, Spanish, Dutch.
fn month_named(word: &str) -> Option<i8> {
    let start = word.get(..3)?.to_ascii_lowercase();
    Some(match start.as_str() {
        "jan" | "ene" => 1,
        "feb" | "fev" => 2,
        "mar" | "mrz" | "mae" | "maa" => 3,
        "apr" | "avr" | "abr" => 4,
        "may" | "mai" | "mei" => 5,
        "jun" => 6,
        "jul" => 7,
        "aug" | "ago" => 8,
        "sep" => 9,
        "oct" | "okt" => 10,
        "nov" => 11,
        "dec" | "dez" | "dic" => 12,
        _ => return None,
    })
}

/// `+0100`, `-03:00`, `+2`, `+530`; `None` for what lies nowhere on earth.
fn offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.chars().skip(1).filter(char::is_ascii_digit).take(6).collect();
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = match digits.len() {
        1 | 2 => (number, 0),
        3 | 4 => (number / 100, number % 100),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Zones that are written by name. RFC 5322 section 4.3 lists the American ones; the single letters were
/// specified with the wrong sign and count as UTC.
fn zone_named(name: &str) -> Option<i32> {
    let minutes = match name.to_ascii_uppercase().as_str() {
        "UT" | "UTC" | "GMT" | "WET" => 0,
        single if single.len() == 1 => 0,
        "EDT" => -4 * 60,
        "EST" | "CDT" => -5 * 60,
        "CST" | "MDT" => -6 * 60,
        "MST" | "PDT" => -7 * 60,
        "PST" => -8 * 60,
        "BST" | "CET" | "MEZ" | "MET" | "WEST" => 60,
        "CEST" | "MESZ" | "MEST" | "EET" | "SAST" => 2 * 60,
        "EEST" | "MSK" => 3 * 60,
        "IST" => 5 * 60 + 30,
        "SGT" | "HKT" | "AWST" => 8 * 60,
        "JST" | "KST" => 9 * 60,
        "AEST" => 10 * 60,
        "AEDT" => 11 * 60,
        "NZST" => 12 * 60,
        "NZDT" => 13 * 60,
        _ => return None,
    };
    Some(minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<i64> {
        parse(text.as_bytes())
    }

    /// Tue, 12 Nov 2019 14:02:03 +0000
    const THEN: i64 = 1_573_567_323;

    #[test]
    fn the_standard_form_is_read() {
        assert_eq!(read("Tue, 12 Nov 2019 14:02:03 +0000"), Some(THEN));
        assert_eq!(read("12 Nov 2019 15:02:03 +0100 (CET)"), Some(THEN));
        assert_eq!(read("Tue,\r\n 12 Nov 2019 09:02:03 -0500"), Some(THEN));
        assert_eq!(read("Tue, 12 Nov 2019 14:02 GMT"), Some(THEN - 3));
    }

    #[test]
    fn odd_forms_are_read() {
        for odd in [
            "Tue Nov 12 14:02:03 2019",
            "Tue, 12 Nov 19 14:02:03 UT",
            "Tue, 12 Nov 119 14:02:03 Z",
            "Tuesday, 12 November 2019 14:02:03",
            "Tue, 12 Nov 2019 16:02:03 GMT+2",
            "Tue, 12 Nov 2019 11:02:03 UTC-03:00",
            "Tue, 12 Nov 2019 06:02:03 PST",
            "12-Nov-2019 14:02:03 +0000",
            "2019-11-12T14:02:03Z",
            "2019-11-12 14:02:03.123 +00:00",
            "2019-11-12T15:02:03+01:00",
            "12.11.2019 14:02:03",
            "11/12/2019 02:02:03 PM",
            "Tue,12 Nov 2019 14:02:03+0000",
            "Tue, 12 Nov 2019 14.02.03 +0000",
            "Di, 12 Nov 2019 15:02:03 MEZ",
            "Tue, 12 Nov 2019 (a (nested) comment) 14:02:03 +0000",
            "Tue, 12 Nov 2019 14:02:03 +9999",
        ] {
            assert_eq!(read(odd), Some(THEN), "{odd}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for wrong in
            ["", "yesterday", "31 Feb 2019 10:00:00", "12 Nov", "Nov 2019", "99 Nov 2019", "\u{1b}[31m"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn years_of_two_digits_belong_to_the_century_that_is_meant() {
        assert_eq!(read("1 Jan 70 00:00:00 GMT"), Some(0));
        assert_eq!(read("1 Jan 00 00:00:00 GMT"), Some(946_684_800));
    }

    proptest! {
        #[test]
        fn r7_any_bytes_are_read(raw in prop::collection::vec(any::<u8>(), 0..80)) {
            parse(&raw);
        }

        #[test]
        fn r7_any_pieces_are_read(pieces in prop::collection::vec(prop::sample::select(
            vec!["12", "Nov", "2019", "-", "/", ".", ":", "T", "+", "99999", " ", "PM", "GMT", "(", "ä"]), 0..14)) {
            parse(pieces.concat().as_bytes());
        }

        #[test]
        fn what_we_would_write_is_read(seconds in 0i64..4_000_000_000, hours in -12i64..14) {
            let at = jiff::Timestamp::from_second(seconds).unwrap();
            let zone = jiff::tz::Offset::from_hours(i8::try_from(hours).unwrap()).unwrap();
            let written = jiff::fmt::rfc2822::to_string(&at.to_zoned(zone.to_time_zone())).unwrap();
            prop_assert_eq!(read(&written), Some(seconds), "{}", written);
        }
    }
}
