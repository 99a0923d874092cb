//! What a server tells of itself: what it is, and how much room there is.

use std::fmt;

use crate::text::Clean;

/// What a server tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// What it is, as `Dovecot 2.3.19` (ID, RFC 2971); empty: it does not say.
    pub server: Clean,
    /// How much room there is (QUOTA, RFC 9208); `None`: it does not say, or there is no end.
    pub quota: Option<Quota>,
}

/// Room on a server: what is in use of what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// In use, in bytes.
    pub used: u64,
    /// What there is, in bytes; never 0.
    pub limit: u64,
}

impl Quota {
    /// How much is in use, in hundredths of what there is. More than 100 where the server let it grow beyond.
    #[must_use]
    pub fn percent(self) -> u64 {
        let percent = u128::from(self.used) * 100 / u128::from(self.limit.max(1));
        u64::try_from(percent).unwrap_or(u64::MAX)
    }

    /// Whether the server may soon have no room for more.
    #[must_use]
    pub fn is_tight(self) -> bool {
        self.percent() >= 90
    }
}

/// `4.1 of 15 GB`: in powers of 1024, because that is what providers sell as a gigabyte and servers count in.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (used, unit) = (in_unit(self.used, unit(self.used)), unit(self.limit));
        let limit = in_unit(self.limit, unit);
        match in_unit(self.used, unit) {
            same if same != "0" || self.used == 0 => write!(f, "{same} of {limit} {}", UNITS[unit]),
            _ => write!(f, "{used} {} of {limit} {}", UNITS[self::unit(self.used)], UNITS[unit]),
        }
    }
}

const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];

/// The largest unit of which there is at least one.
fn unit(bytes: u64) -> usize {
    (1..UNITS.len()).rev().find(|power| bytes >> (10 * power) > 0).unwrap_or(0)
}

/// With one digit behind the point below ten.
fn in_unit(bytes: u64, unit: usize) -> String {
    let one = 1u128 << (10 * unit);
    let tenths = (u128::from(bytes) * 10 + one / 2) / one;
    match tenths {
        0..100 if !tenths.is_multiple_of(10) => format!("{}.{}", tenths / 10, tenths % 10),
        _ => format!("{}", (tenths + 5) / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_reads_well() {
        const GB: u64 = 1 << 30;
        for (used, limit, words) in [
            (41 * GB / 10, 15 * GB, "4.1 of 15 GB"),
            (0, GB, "0 of 1 GB"),
            (3 << 20, 15 * GB, "3 MB of 15 GB"),
            (16 * GB, 15 * GB, "16 of 15 GB"),
            (500 << 10, 1 << 20, "0.5 of 1 MB"),
            (12, 100, "12 of 100 B"),
            (u64::MAX, u64::MAX, "16384 of 16384 PB"),
        ] {
            assert_eq!(Quota { used, limit }.to_string(), words);
        }
    }

    #[test]
    fn nine_tenths_are_tight() {
        assert!(!Quota { used: 89, limit: 100 }.is_tight());
        assert!(Quota { used: 90, limit: 100 }.is_tight());
        assert!(Quota { used: u64::MAX, limit: 1 }.is_tight());
        assert_eq!(Quota { used: u64::MAX, limit: u64::MAX }.percent(), 100);
    }
}
