//! Sets of UIDs as servers write them, and cuts through them.

use crate::model::UidSet;

/// How many ranges one answer may hold: a mailbox with more holes than this is not a mailbox.
const RANGES: usize = 2_000_000;

/// The longest command line that is sent, in bytes (RFC 7162 section 4 asks for at most 8192).
const LINE: usize = 8000;

/// Ranges in the order in which they were written; neighbours are joined as they come.
/// `None` when there are too many of them. What is not a UID (0, `*`, overflow) is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// Reads a sequence-set (RFC 9051 section 9).
    pub(super) fn read(set: &[u8]) -> Option<Self> {
        let mut ranges = Self::default();
        for part in set.split(|&byte| byte == b',') {
            let mut ends = part.splitn(2, |&byte| byte == b':');
            let (Some(lo), hi) = (ends.next().and_then(uid), ends.next()) else { continue };
            let Some(hi) = hi.map_or(Some(lo), uid) else { continue };
            ranges.push(lo.min(hi), lo.max(hi))?;
        }
        Some(ranges)
    }

    /// Adds a range behind the others.
    pub(super) fn push(&mut self, lo: u32, hi: u32) -> Option<()> {
        let full = self.0.len() >= RANGES;
        match self.0.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(lo) => last.1 = hi,
            _ if full => return None,
            _ => self.0.push((lo, hi)),
        }
        Some(())
    }

    /// Adds what was written elsewhere.
    pub(super) fn append(&mut self, other: &Self) -> Option<()> {
        other.0.iter().try_for_each(|&(lo, hi)| self.push(lo, hi))
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The UIDs one by one in the order written, if they are `count`.
    pub(super) fn exactly(&self, count: usize) -> Option<Vec<u32>> {
        let total: u64 = self.0.iter().map(|&(lo, hi)| u64::from(hi - lo) + 1).sum();
        (total == count as u64).then(|| self.0.iter().flat_map(|&(lo, hi)| lo..=hi).collect())
    }

    /// How many UIDs were written.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|&(lo, hi)| u64::from(hi - lo) + 1).sum()
    }

    /// The same as a set.
    pub(super) fn into_set(mut self) -> UidSet {
        // In ascending order each range goes to the end of the set, which costs nothing.
        self.0.sort_unstable();
        set_of(&self.0)
    }
}

fn uid(digits: &[u8]) -> Option<u32> {
    super::literal::number(digits).and_then(|n| u32::try_from(n).ok()).filter(|&n| n != 0)
}

fn set_of(ranges: &[(u32, u32)]) -> UidSet {
    let mut set = UidSet::new();
    for &(lo, hi) in ranges {
        set.insert_range(lo, hi);
    }
    set
}

/// The UIDs of `set` that are not in `without`.
pub(super) fn difference(set: &UidSet, without: &UidSet) -> UidSet {
    let mut left = Vec::new();
    let mut cuts = without.ranges().iter().copied().peekable();
    for &(mut lo, hi) in set.ranges() {
        let mut open = true;
        while let Some(&(a, b)) = cuts.peek() {
            if b < lo {
                cuts.next();
                continue;
            }
            if a > hi {
                break;
            }
            if a > lo {
                left.push((lo, a - 1));
            }
            if b >= hi {
                open = false;
                break;
            }
            lo = b + 1;
        }
        if open {
            left.push((lo, hi));
        }
    }
    set_of(&left)
}

/// Takes the `count` highest UIDs out of `set`.
pub(super) fn take_highest(set: &mut UidSet, count: usize) -> UidSet {
    let mut taken = Vec::new();
    let mut ranges = set.ranges().to_vec();
    let mut missing = u32::try_from(count).unwrap_or(u32::MAX);
    while let Some((lo, hi)) = ranges.pop() {
        let len = hi - lo;
        if len >= missing {
            if missing > 0 {
                taken.push((hi - (missing - 1), hi));
            }
            if missing <= len {
                ranges.push((lo, hi - missing));
            }
            break;
        }
        taken.push((lo, hi));
        missing -= len + 1;
    }
    taken.reverse();
    *set = set_of(&ranges);
    set_of(&taken)
}

/// The lowest UID.
pub(super) fn lowest(set: &UidSet) -> Option<u32> {
    set.ranges().first().map(|&(lo, _)| lo)
}

/// The highest UID.
pub(super) fn highest(set: &UidSet) -> Option<u32> {
    set.ranges().last().map(|&(_, hi)| hi)
}

/// `wanted` as few ranges: neighbours are joined over UIDs that nobody has, but never over one of `held`.
pub(super) fn spans(wanted: &UidSet, held: &UidSet) -> UidSet {
    let mut joined: Vec<(u32, u32)> = Vec::new();
    let holds = |lo: u32, hi: u32| {
        let at = held.ranges().partition_point(|&(_, end)| end < lo);
        held.ranges().get(at).is_some_and(|&(a, _)| a <= hi)
    };
    for &(lo, hi) in wanted.ranges() {
        match joined.last_mut() {
            Some(last) if !holds(last.1, lo) => last.1 = hi,
            _ => joined.push((lo, hi)),
        }
    }
    set_of(&joined)
}

/// `set` as sequence-sets that each fit into a command line.
pub(super) fn lines(set: &UidSet) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for &(lo, hi) in set.ranges() {
        if line.len() > LINE - 24 {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(',');
        }
        line.push_str(&lo.to_string());
        if lo != hi {
            line.push(':');
            line.push_str(&hi.to_string());
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(text: &str) -> UidSet {
        Ranges::read(text.as_bytes()).unwrap().into_set()
    }

    #[test]
    fn reads_what_servers_write() {
        assert_eq!(set("3:1,7,9:9,*,0,99999999999,5").to_string(), "1:3,5,7,9");
        assert_eq!(set("").to_string(), "");
        assert_eq!(set("1:4294967295").len(), 4_294_967_295);
        assert_eq!(Ranges::read(b"304,319:320").unwrap().exactly(3), Some(vec![304, 319, 320]));
        assert_eq!(Ranges::read(b"1:4294967295").unwrap().exactly(3), None);
    }

    #[test]
    fn x3_a_set_without_end_is_refused() {
        let hostile = "1,3,".repeat(RANGES);
        assert_eq!(Ranges::read(hostile.as_bytes()), None);
    }

    #[test]
    fn gaps_that_nobody_holds_are_joined() {
        let wanted = set("2,5,9,14,20");
        assert_eq!(spans(&wanted, &UidSet::new()).to_string(), "2:20");
        assert_eq!(spans(&wanted, &set("1,7:8,21")).to_string(), "2:5,9:20");
    }

    #[test]
    fn long_sets_are_split() {
        let many: UidSet = (1..5000u32).map(|n| n * 200_000).collect();
        let lines = lines(&many);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= LINE));
        let back: UidSet = lines.iter().flat_map(|line| set(line).iter().collect::<Vec<_>>()).collect();
        assert_eq!(back, many);
    }

    proptest! {
        #[test]
        fn cuts_are_those_of_sets(
            a in proptest::collection::btree_set(1u32..60, 0..40),
            b in proptest::collection::btree_set(1u32..60, 0..40),
            n in 0usize..45, lo in 0u32..60, len in 0u32..20,
        ) {
            let mut ours: UidSet = a.iter().copied().collect();
            let other: UidSet = b.iter().copied().collect();
            let list = |set: &UidSet| set.iter().collect::<BTreeSet<_>>();
            prop_assert_eq!(list(&difference(&ours, &other)), a.difference(&b).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(list(&ours.between(lo, lo + len)), a.range(lo..=lo + len).copied().collect::<BTreeSet<_>>());
            let missing = difference(&ours, &other);
            let spans = list(&spans(&missing, &other));
            prop_assert!(list(&missing).is_subset(&spans));
            prop_assert!(spans.is_disjoint(&b));
            let taken = take_highest(&mut ours, n);
            prop_assert_eq!(list(&taken), a.iter().rev().take(n).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(list(&ours), a.iter().rev().skip(n).copied().collect::<BTreeSet<_>>());
        }

        #[test]
        fn any_bytes_read(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            Ranges::read(&bytes).map(Ranges::into_set);
        }
    }
}
