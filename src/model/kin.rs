//! Which mails belong together where a user joined and split conversations: from names and edits alone; pure.

use std::collections::HashMap;

/// A Message-ID in short; 0: none. Who finds two names that are one number joins two conversations by that.
pub type Name = u64;

/// What a mail says of where it belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kin {
    /// Its own name.
    pub own: Name,
    /// What it answers.
    pub parent: Name,
    /// What it refers to, oldest first.
    pub refs: Vec<Name>,
}

/// A mail that begins a conversation of its own, with what answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The mail.
    pub own: Name,
    /// Names of the conversation that it was in, which never come together with it again.
    pub from: Vec<Name>,
}

/// Which names and mails are together.
#[derive(Debug)]
pub struct Groups {
    names: HashMap<Name, usize>,
    mails: Vec<usize>,
    above: Vec<usize>,
    size: Vec<usize>,
}

/// How much a link counts: the lower, the sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Joined,
    Answers,
    Refers,
}

impl Groups {
    /// Puts mails together. The result does not depend on the order of the mails: links are followed in an order of
    /// their own, and one that would undo a split, or make a group larger than `limit` mails, counts for nothing.
    #[must_use]
    pub fn new(mails: &[Kin], cuts: &[Cut], joins: &[(Name, Name)], limit: usize) -> Self {
        let mut groups =
            Self { names: HashMap::new(), mails: Vec::new(), above: Vec::new(), size: Vec::new() };
        for mail in mails {
            let at = if mail.own == 0 { groups.node() } else { groups.name(mail.own) };
            groups.size[at] += 1;
            groups.mails.push(at);
        }
        let mut links = Vec::new();
        for (a, b) in joins {
            let (a, b) = (groups.name(*a), groups.name(*b));
            links.push((Class::Joined, 0, 0, a, b));
        }
        for (i, mail) in mails.iter().enumerate() {
            for (class, name) in mail.links(cuts) {
                let to = groups.name(name);
                links.push((class, mail.own, name, groups.mails[i], to));
            }
        }
        links.sort_by_key(|(class, own, name, ..)| (*class, *own, *name));
        let apart: Vec<(usize, usize)> = cuts
            .iter()
            .flat_map(|cut| cut.from.iter().map(|from| (cut.own, *from)))
            .filter_map(|(own, from)| Some((*groups.names.get(&own)?, *groups.names.get(&from)?)))
            .collect();
        for (.., a, b) in links {
            groups.unite(a, b, &apart, limit);
        }
        groups
    }

    /// The group of the mail given as this one.
    #[must_use]
    pub fn of_mail(&self, at: usize) -> usize {
        self.top(self.mails[at])
    }

    /// The group of a name, if any mail has or says it.
    #[must_use]
    pub fn of_name(&self, name: Name) -> Option<usize> {
        self.names.get(&name).map(|at| self.top(*at))
    }

    fn node(&mut self) -> usize {
        self.above.push(self.above.len());
        self.size.push(0);
        self.above.len() - 1
    }

    fn name(&mut self, name: Name) -> usize {
        match self.names.get(&name) {
            Some(at) => *at,
            None => {
                let at = self.node();
                self.names.insert(name, at);
                at
            }
        }
    }

    fn top(&self, mut at: usize) -> usize {
        while self.above[at] != at {
            at = self.above[at];
        }
        at
    }

    fn unite(&mut self, a: usize, b: usize, apart: &[(usize, usize)], limit: usize) {
        let (a, b) = (self.top(a), self.top(b));
        if a == b || self.size[a] + self.size[b] > limit {
            return;
        }
        let undoes = |(one, other): &(usize, usize)| {
            let (one, other) = (self.top(*one), self.top(*other));
            (one, other) == (a, b) || (one, other) == (b, a)
        };
        if apart.iter().any(undoes) {
            return;
        }
        // The smaller one below the larger one keeps the way up short.
        let (low, high) = if self.size[a] > self.size[b] { (b, a) } else { (a, b) };
        self.above[low] = high;
        self.size[high] += self.size[low];
    }
}

impl Kin {
    /// The names that connect it, and how much each counts. What was split off says nothing of where it came from;
    /// what refers to a mail that was split off belongs there, whatever it names before that.
    fn links(&self, cuts: &[Cut]) -> Vec<(Class, Name)> {
        let is_cut = |name: &Name| cuts.iter().any(|cut| cut.own == *name);
        if self.own != 0 && is_cut(&self.own) {
            return Vec::new();
        }
        let mut chain = self.refs.clone();
        if self.parent != 0 && !chain.contains(&self.parent) {
            chain.push(self.parent);
        }
        let mut links = Vec::new();
        if let Some(at) = chain.iter().rposition(is_cut) {
            chain.drain(..at);
            links.push((Class::Answers, chain[0]));
        }
        let near = if chain.contains(&self.parent) { Some(self.parent) } else { chain.last().copied() };
        links.extend(near.map(|name| (Class::Answers, name)));
        let last = self.refs.last().filter(|last| chain.contains(last));
        links.extend([chain.first(), last].into_iter().flatten().map(|name| (Class::Refers, *name)));
        links.retain(|(_, name)| *name != 0 && *name != self.own);
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kin(own: Name, parent: Name, refs: &[Name]) -> Kin {
        Kin { own, parent, refs: refs.to_vec() }
    }

    fn together(mails: &[Kin], cuts: &[Cut], joins: &[(Name, Name)]) -> Vec<Vec<Name>> {
        let groups = Groups::new(mails, cuts, joins, 1000);
        let mut found: HashMap<usize, Vec<Name>> = HashMap::new();
        for (i, mail) in mails.iter().enumerate() {
            found.entry(groups.of_mail(i)).or_default().push(mail.own);
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.iter_mut().for_each(|names| names.sort_unstable());
        found.sort();
        found
    }

    #[test]
    fn what_names_the_old_root_does_not_undo_a_split() {
        let cuts = [Cut { own: 3, from: vec![1] }];
        let mails = [
            kin(1, 0, &[]),
            kin(2, 1, &[1]),
            kin(3, 2, &[1, 2]),
            kin(4, 3, &[1, 2, 3]),
            // The names between are cut out, or all but the first.
            kin(5, 4, &[1, 4]),
            kin(6, 5, &[1]),
            // What it answers is not here.
            kin(7, 99, &[1, 3, 99]),
        ];
        assert_eq!(together(&mails, &cuts, &[]), [vec![1, 2], vec![3, 4, 5, 6, 7]]);
        assert_eq!(together(&mails, &[], &[]).len(), 1);
    }

    #[test]
    fn what_comes_between_leads_to_the_split_off() {
        let cuts = [Cut { own: 3, from: vec![1] }];
        let mut mails = vec![kin(1, 0, &[]), kin(3, 1, &[1]), kin(8, 7, &[1])];
        assert_eq!(together(&mails, &cuts, &[]), [vec![1, 8], vec![3]]);
        mails.push(kin(7, 3, &[1]));
        assert_eq!(together(&mails, &cuts, &[]), [vec![1], vec![3, 7, 8]]);
    }

    #[test]
    fn a_join_is_a_link_and_a_size_is_kept() {
        let mails = [kin(1, 0, &[]), kin(2, 0, &[]), kin(3, 2, &[2]), kin(0, 0, &[]), kin(0, 0, &[])];
        assert_eq!(together(&mails, &[], &[(2, 1)]), [vec![0], vec![0], vec![1, 2, 3]]);
        let groups = Groups::new(&mails, &[], &[(2, 1)], 2);
        assert_eq!(groups.of_mail(0), groups.of_mail(1));
        assert_ne!(groups.of_mail(1), groups.of_mail(2));
    }
}
