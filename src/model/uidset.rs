//! A set of UIDs as ranges, as IMAP writes them.

use std::fmt;

/// A set of UIDs, kept as ascending ranges that neither touch nor overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UidSet(Vec<(u32, u32)>);

impl UidSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one UID.
    pub fn insert(&mut self, uid: u32) {
        self.insert_range(uid, uid);
    }

    /// Adds every UID from `lo` to `hi`, both included; either order.
    pub fn insert_range(&mut self, lo: u32, hi: u32) {
        let (mut lo, mut hi) = (lo.min(hi), lo.max(hi));
        let start = self.0.partition_point(|&(_, end)| end < lo.saturating_sub(1));
        let mut stop = start;
        while let Some(&(a, b)) = self.0.get(stop) {
            if a > hi.saturating_add(1) {
                break;
            }
            (lo, hi) = (lo.min(a), hi.max(b));
            stop += 1;
        }
        self.0.splice(start..stop, [(lo, hi)]);
    }

    /// Removes one UID.
    pub fn remove(&mut self, uid: u32) {
        let at = self.0.partition_point(|&(_, end)| end < uid);
        if let Some(&(a, b)) = self.0.get(at)
            && a <= uid
        {
            let left = (a < uid).then(|| (a, uid - 1));
            let right = (uid < b).then(|| (uid + 1, b));
            self.0.splice(at..=at, left.into_iter().chain(right));
        }
    }

    /// Whether `uid` is in the set.
    #[must_use]
    pub fn contains(&self, uid: u32) -> bool {
        let at = self.0.partition_point(|&(_, end)| end < uid);
        self.0.get(at).is_some_and(|&(a, _)| a <= uid)
    }

    /// How many UIDs are in the set.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.iter().map(|&(a, b)| u64::from(b - a) + 1).sum()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The part of it from `lo` to `hi`, both included.
    #[must_use]
    pub fn between(&self, lo: u32, hi: u32) -> Self {
        let parts = self.0.iter().map(|&(a, b)| (a.max(lo), b.min(hi)));
        Self(parts.filter(|(a, b)| a <= b).collect())
    }

    /// The UIDs, ascending. A set read from a server may span 2^32: bound what is taken.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.0.iter().flat_map(|&(a, b)| a..=b)
    }

    /// The ranges, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        let mut uids: Vec<u32> = uids.into_iter().collect();
        uids.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for uid in uids {
            match ranges.last_mut() {
                Some((_, end)) if uid <= end.saturating_add(1) => *end = uid.max(*end),
                _ => ranges.push((uid, uid)),
            }
        }
        Self(ranges)
    }
}

impl fmt::Display for UidSet {
    /// As a sequence-set (RFC 9051 section 9): `1:4,7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, &(a, b)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            if a == b { write!(f, "{a}")? } else { write!(f, "{a}:{b}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn prints_as_a_sequence_set() {
        let set: UidSet = [9, 1, 2, 4, 3, u32::MAX].into_iter().collect();
        assert_eq!(set.to_string(), "1:4,9,4294967295");
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(ops in proptest::collection::vec((any::<bool>(), 1u32..40, 0u32..6), 0..60)) {
            let (mut ours, mut model) = (UidSet::new(), BTreeSet::new());
            for (add, lo, len) in ops {
                if add {
                    ours.insert_range(lo, lo + len);
                    model.extend(lo..=lo + len);
                } else {
                    ours.remove(lo);
                    model.remove(&lo);
                }
            }
            prop_assert_eq!(ours.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(ours.len(), model.len() as u64);
            let rebuilt: UidSet = model.iter().copied().collect();
            prop_assert_eq!(&rebuilt, &ours);
            for uid in 0..50 {
                prop_assert_eq!(ours.contains(uid), model.contains(&uid));
            }
        }
    }
}
