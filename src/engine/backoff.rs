//! How long to wait before the next try: doubling, bounded, and spread so that clients do not march in step.

use std::time::Duration;

/// The longest wait, before it is spread.
const LONGEST: Duration = Duration::from_secs(300);

/// The wait after `tries` failures in a row (from 1), spread by a fifth either way by `random`.
#[must_use]
pub(super) fn delay(tries: u32, random: u64) -> Duration {
    let base = Duration::from_secs(2).saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST);
    // 0.8 to 1.2 in steps of a thousandth.
    let spread = 800 + u32::try_from(random % 401).unwrap_or(200);
    base * spread / 1000
}

/// A number that differs between threads, processes and calls; not for secrets.
#[must_use]
pub(super) fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_five_minutes_and_is_spread() {
        assert_eq!(delay(1, 200), Duration::from_secs(2));
        assert_eq!(delay(3, 200), Duration::from_secs(8));
        assert_eq!(delay(60, 200), LONGEST);
        assert_eq!(delay(1, 0), Duration::from_millis(1600));
        assert_eq!(delay(1, 400), Duration::from_millis(2400));
        for random in 0..1000 {
            assert!(delay(u32::MAX, random) <= LONGEST * 12 / 10);
        }
    }
}
