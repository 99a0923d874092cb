//! The tree of a conversation, from who answers whom; pure.

use std::collections::HashMap;

/// One mail in the order in which a tree is read from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Which of the mails given.
    pub index: usize,
    /// One for each level below the root: whether more mails follow below on that level. Empty: the root.
    pub more: Vec<bool>,
}

/// One mail, for [`tree`].
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// Its Message-ID.
    pub id: &'a str,
    /// The Message-ID that it answers; empty: none.
    pub parent: &'a str,
    /// Whether it is to be in the tree. What is left out still joins its answers to what it answers.
    pub wanted: bool,
}

/// Puts the wanted mails, given oldest first, into one tree: answers under what they answer, mails of one
/// level oldest first, and what hangs in the air under the oldest. Never fails: what answers itself, or
/// goes round in a circle, hangs in the air.
#[must_use]
pub fn tree(nodes: &[Node]) -> Vec<Branch> {
    let mut by_id = HashMap::new();
    for (i, node) in nodes.iter().enumerate().filter(|(_, n)| !n.id.is_empty()) {
        by_id.entry(node.id).or_insert(i);
    }
    let parent = |i: usize| by_id.get(nodes[i].parent).copied();
    let Some(root) = nodes.iter().position(|n| n.wanted) else { return Vec::new() };
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for i in (0..nodes.len()).filter(|i| *i != root && nodes[*i].wanted) {
        let above = wanted_above(nodes, i, parent).filter(|p| !is_below(nodes, *p, i, parent));
        children[above.unwrap_or(root)].push(i);
    }
    // The oldest is the root even where it answers a mail with a later date.
    let mut out = Vec::with_capacity(nodes.len());
    let mut stack = vec![Branch { index: root, more: Vec::new() }];
    let mut placed = vec![false; nodes.len()];
    while let Some(branch) = stack.pop() {
        if std::mem::replace(&mut placed[branch.index], true) {
            continue;
        }
        let below = &children[branch.index];
        for (at, child) in below.iter().enumerate().rev() {
            let mut more = branch.more.clone();
            more.push(at + 1 < below.len());
            stack.push(Branch { index: *child, more });
        }
        out.push(branch);
    }
    out
}

/// The nearest wanted mail above, at most as many steps away as there are mails.
fn wanted_above(nodes: &[Node], from: usize, parent: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    let mut at = from;
    for _ in 0..nodes.len() {
        at = parent(at)?;
        if nodes[at].wanted && at != from {
            return Some(at);
        }
    }
    None
}

/// Whether going up from `at` comes past `above`.
fn is_below(nodes: &[Node], at: usize, above: usize, parent: impl Fn(usize) -> Option<usize>) -> bool {
    let mut at = at;
    for _ in 0..nodes.len() {
        if at == above {
            return true;
        }
        match parent(at) {
            Some(next) => at = next,
            None => return false,
        }
    }
    // A circle above: neither is above the other.
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node<'a>(id: &'a str, parent: &'a str) -> Node<'a> {
        Node { id, parent, wanted: true }
    }

    fn drawn(nodes: &[Node]) -> String {
        let line = |b: &Branch| {
            let marks: String = b.more.iter().map(|m| if *m { '|' } else { '.' }).collect();
            format!("{marks}{}", nodes[b.index].id)
        };
        tree(nodes).iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn answers_hang_under_what_they_answer() {
        let nodes = [node("a", ""), node("b", "a"), node("c", "a"), node("d", "b")];
        assert_eq!(drawn(&nodes), "a |b |.d .c");
    }

    #[test]
    fn what_is_left_out_still_joins() {
        let mut nodes = [node("a", ""), node("b", "a"), node("c", "b"), node("d", "lost")];
        nodes[1].wanted = false;
        assert_eq!(drawn(&nodes), "a |c .d");
        nodes[0].wanted = false;
        assert_eq!(drawn(&nodes), "c .d");
    }

    #[test]
    fn circles_hang_in_the_air() {
        assert_eq!(drawn(&[node("a", "b"), node("b", "a"), node("c", "c")]), "a |b .c");
        assert_eq!(drawn(&[node("r", ""), node("a", "b"), node("b", "a")]), "r |a .b");
    }

    proptest! {
        #[test]
        fn every_wanted_mail_is_in_the_tree_once(links in prop::collection::vec((0u8..12, 0u8..12, any::<bool>()), 0..40)) {
            let names: Vec<_> = links.iter().map(|(id, parent, _)| (id.to_string(), parent.to_string())).collect();
            let nodes: Vec<_> = names.iter().zip(&links)
                .map(|((id, parent), (_, _, wanted))| Node { id, parent, wanted: *wanted }).collect();
            let mut seen: Vec<_> = tree(&nodes).iter().map(|b| b.index).collect();
            seen.sort_unstable();
            let wanted: Vec<_> = (0..nodes.len()).filter(|i| nodes[*i].wanted).collect();
            prop_assert_eq!(seen, wanted);
        }
    }
}
