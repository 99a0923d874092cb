//! The lines of a list: a row a conversation, or a line a mail where it is unfolded.

use std::collections::{HashMap, HashSet};

use super::action::Fold;
use super::window::Held;
use crate::error::Result;
use crate::model::thread::{Node, tree};
use crate::model::{Member, MessageId, Row, Summary, ThreadId};
use crate::store::Reader;
use crate::text::subject::bare;

/// One mail of an unfolded conversation.
#[derive(Debug, Clone)]
pub struct Child {
    /// The mail.
    pub summary: Summary,
    /// One for each level below the root: whether more follows on it. Empty: the first mail.
    pub more: Vec<bool>,
    /// Whether its subject says nothing that its parent's does not.
    pub same_subject: bool,
}

/// One line of the list, as it is to be drawn.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// A conversation as one row.
    Closed(&'a Row),
    /// A mail of an unfolded conversation.
    Child(&'a Row, &'a Child),
}

impl<'a> Entry<'a> {
    /// The conversation.
    #[must_use]
    pub fn row(self) -> &'a Row {
        match self {
            Self::Closed(row) | Self::Child(row, _) => row,
        }
    }

    /// The mails that the line stands for, newest first.
    #[must_use]
    pub fn members(self) -> Vec<Member> {
        match self {
            Self::Closed(row) => row.members.clone(),
            Self::Child(_, child) => vec![member(&child.summary)],
        }
    }

    /// The mail to open: the oldest unread one, else the newest.
    #[must_use]
    pub fn message(self) -> MessageId {
        match self {
            Self::Closed(row) => {
                let unread = row.members.iter().rev().find(|m| !m.flags.has(crate::model::Flags::SEEN));
                unread.map_or(row.head.message, |m| m.message)
            }
            Self::Child(_, child) => child.summary.message,
        }
    }
}

/// A mail as a member of its row.
#[must_use]
pub fn member(summary: &Summary) -> Member {
    Member { placement: summary.placement, message: summary.message, flags: summary.flags }
}

/// Where a line is found again after rows were read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// The conversation.
    pub thread: ThreadId,
    /// The mail; of a closed row its newest.
    pub message: MessageId,
}

/// Which conversations are unfolded.
#[derive(Debug, Default)]
pub struct Folds {
    all: bool,
    but: HashSet<ThreadId>,
}

impl Folds {
    /// Whether a conversation is unfolded.
    #[must_use]
    pub fn is_open(&self, thread: ThreadId) -> bool {
        self.all != self.but.contains(&thread)
    }

    /// Folds or unfolds.
    pub fn apply(&mut self, fold: Fold, thread: Option<ThreadId>) {
        let open = match (fold, thread) {
            (Fold::OpenAll, _) => return *self = Self { all: true, but: HashSet::new() },
            (Fold::CloseAll, _) => return *self = Self::default(),
            (_, None) => return,
            (Fold::Toggle, Some(thread)) => !self.is_open(thread),
            (Fold::Open, _) => true,
            (Fold::Close, _) => false,
        };
        if let Some(thread) = thread
            && open != self.is_open(thread)
            && !self.but.remove(&thread)
        {
            self.but.insert(thread);
        }
    }
}

/// Which row a line belongs to, and which child it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    row: usize,
    child: Option<usize>,
}

/// The lines that some rows make.
#[derive(Debug, Default)]
pub struct Lines {
    lines: Vec<Line>,
    children: HashMap<ThreadId, Vec<Child>>,
    by_message: HashMap<MessageId, usize>,
    by_thread: HashMap<ThreadId, usize>,
}

impl Lines {
    /// The lines of these rows. What was read of a conversation before is read again only when `anew`.
    pub fn build(&mut self, db: &Reader, rows: &[Held], folds: &Folds, anew: bool) -> Result<()> {
        let mut known = std::mem::take(&mut self.children);
        if anew {
            known.clear();
        }
        self.lines.clear();
        self.by_message.clear();
        self.by_thread.clear();
        for (at, Held { row, .. }) in rows.iter().enumerate() {
            let thread = row.head.thread;
            self.by_thread.insert(thread, self.lines.len());
            if row.members.len() < 2 || !folds.is_open(thread) {
                for member in &row.members {
                    self.by_message.insert(member.message, self.lines.len());
                }
                self.lines.push(Line { row: at, child: None });
                continue;
            }
            let children = match known.remove(&thread) {
                Some(children) => children,
                None => unfold(db, row)?,
            };
            for (i, child) in children.iter().enumerate() {
                self.by_message.insert(child.summary.message, self.lines.len());
                self.lines.push(Line { row: at, child: Some(i) });
            }
            self.children.insert(thread, children);
        }
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line with this number.
    #[must_use]
    pub fn get<'a>(&'a self, rows: &'a [Held], at: usize) -> Option<Entry<'a>> {
        let line = self.lines.get(at)?;
        let row = &rows.get(line.row)?.row;
        match line.child {
            None => Some(Entry::Closed(row)),
            Some(i) => Some(Entry::Child(row, self.children.get(&row.head.thread)?.get(i)?)),
        }
    }

    /// The row that a line belongs to.
    #[must_use]
    pub fn row_at(&self, at: usize) -> Option<usize> {
        self.lines.get(at).map(|l| l.row)
    }

    /// The first line of a row.
    #[must_use]
    pub fn first_of(&self, row: usize) -> usize {
        self.lines.partition_point(|l| l.row < row)
    }

    /// Where every line is to be found again.
    #[must_use]
    pub fn spots(&self, rows: &[Held]) -> Vec<Spot> {
        let spot = |at| match self.get(rows, at)? {
            Entry::Closed(row) => Some(Spot { thread: row.head.thread, message: row.head.message }),
            Entry::Child(row, child) => {
                Some(Spot { thread: row.head.thread, message: child.summary.message })
            }
        };
        (0..self.lines.len()).filter_map(spot).collect()
    }

    /// The line of a mail, or else of its conversation.
    #[must_use]
    pub fn find(&self, spot: Spot) -> Option<usize> {
        self.by_message.get(&spot.message).or_else(|| self.by_thread.get(&spot.thread)).copied()
    }
}

/// The mails of a row as a tree. The whole conversation is read, since a mail elsewhere may join two here.
fn unfold(db: &Reader, row: &Row) -> Result<Vec<Child>> {
    let placements: HashSet<_> = row.members.iter().map(|m| m.placement).collect();
    let messages: HashSet<_> = row.members.iter().map(|m| m.message).collect();
    let mut mails = db.thread(row.head.thread)?;
    mails.retain(|m| placements.contains(&m.placement) || !messages.contains(&m.message));
    let nodes: Vec<_> = mails
        .iter()
        .map(|m| Node { id: &m.msgid, parent: &m.parent, wanted: placements.contains(&m.placement) })
        .collect();
    let mut children: Vec<Child> = Vec::with_capacity(row.members.len());
    for branch in tree(&nodes) {
        let summary = mails[branch.index].clone();
        let parent = children.iter().rev().find(|c| c.more.len() + 1 == branch.more.len());
        let same_subject =
            parent.is_some_and(|p| bare(p.summary.subject.as_str()) == bare(summary.subject.as_str()));
        children.push(Child { summary, more: branch.more, same_subject });
    }
    Ok(children)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_exceptions_from_all() {
        let mut folds = Folds::default();
        let (a, b) = (ThreadId(1), ThreadId(2));
        folds.apply(Fold::Toggle, Some(a));
        assert!(folds.is_open(a) && !folds.is_open(b));
        folds.apply(Fold::Open, Some(a));
        assert!(folds.is_open(a));
        folds.apply(Fold::OpenAll, None);
        folds.apply(Fold::Close, Some(b));
        assert!(folds.is_open(a) && !folds.is_open(b));
        folds.apply(Fold::CloseAll, None);
        assert!(!folds.is_open(a) && !folds.is_open(b));
    }
}
