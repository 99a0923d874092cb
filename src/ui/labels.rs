//! Names cut to a few cells so that no two of them look alike (promise A3).

use std::cmp::Reverse;

use crate::text::{graphemes, head, width};

/// A label of at most `cells` for each name: its beginning; where that is the beginning of another too, a
/// few first letters and what tells it apart; where nothing does, a number.
pub(super) fn labels(names: &[&str], cells: usize) -> Vec<String> {
    let start = |at: usize| head(names[at], cells);
    let alike = |at: usize| (0..names.len()).filter(move |i| *i != at && start(*i) == start(at));
    let mut labels: Vec<String> = names.iter().map(|_| String::new()).collect();
    // Names that fit are themselves.
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|at| (alike(*at).count() > 0, width(names[*at])));
    for at in order {
        let name = names[at];
        let mut common: Vec<usize> = alike(at).map(|other| common_start(name, names[other])).collect();
        common.sort_unstable_by_key(|bytes| Reverse(*bytes));
        let whole = common.is_empty().then(|| start(at).to_owned());
        let apart = common.iter().flat_map(|bytes| told_apart(name.split_at(*bytes), cells));
        let numbered = (1..=names.len()).map(|n| {
            let n = n.to_string();
            format!("{}{n}", head(name, cells.saturating_sub(n.len())))
        });
        let mut all = whole.into_iter().chain(apart).chain(numbered);
        labels[at] = all.find(|label| !labels.contains(label)).unwrap_or_default();
    }
    labels
}

/// Labels of a name by what follows the beginning that it shares: half of the cells for that first, as a few
/// letters read better than one.
fn told_apart((start, rest): (&str, &str), cells: usize) -> impl Iterator<Item = String> {
    let half = (cells / 2).max(1);
    (half..=cells).chain(1..half).map(move |most| {
        let rest = head(rest, most);
        format!("{}{rest}", head(start, cells - width(rest)))
    })
}

/// Bytes that both begin with, whole characters as people see them.
fn common_start(one: &str, other: &str) -> usize {
    let both = graphemes(one).zip(graphemes(other));
    both.take_while(|(a, b)| a == b).map(|((cluster, _), _)| cluster.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    use proptest::prelude::*;

    #[test]
    fn a3_names_are_cut_where_they_are_told_apart() {
        assert_eq!(labels(&["work", "home"], 3), ["wor", "hom"]);
        assert_eq!(labels(&["work", "work2"], 3), ["wor", "wo2"]);
        assert_eq!(labels(&["work", "work2"], 8), ["work", "work2"]);
        assert_eq!(labels(&["personal-work", "home", "personal-home"], 8), ["perswork", "home", "pershome"]);
        assert_eq!(labels(&["work", "work2", "wo2"], 3)[2], "wo2");
        assert_eq!(labels(&["team-a-x", "team-a-y", "team-b-x"], 3), ["tex", "tey", "teb"]);
        assert_eq!(labels(&["会社の用事", "会社の旅行"], 6), ["会社用", "会社旅"]);
    }

    proptest! {
        #[test]
        fn a3_different_names_never_look_alike(
            names in prop::collection::hash_set("[ab2ä会]{1,9}", 1..12),
            cells in 3usize..9,
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let labels = labels(&names, cells);
            let distinct: HashSet<&String> = labels.iter().collect();
            prop_assert_eq!(distinct.len(), names.len(), "{:?}", labels);
            prop_assert!(labels.iter().all(|label| width(label) <= cells), "{:?}", labels);
        }
    }
}
