//! The acts that intents, undo and redo are made of: by message and folder, as copies come and go.

use std::collections::HashSet;

use super::binned::Binning;
use super::far::Far;
use super::join::Edit;
use super::places::Placement;
use super::shape::Shape;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId, Marking, MessageId};

/// One change to copies of mail. Copies are named by message and folder: row numbers of placements do not
/// outlive a move.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    /// These flags and tags really changed on these copies.
    Flag { delta: Marking, copies: Vec<(FolderId, MessageId)> },
    /// The copies went from one folder to another.
    Move { from: FolderId, to: FolderId, messages: Vec<MessageId> },
    /// The second folder has copies too.
    Copy { from: FolderId, to: FolderId, messages: Vec<MessageId> },
    /// The copies are gone from this folder.
    Remove { folder: FolderId, messages: Vec<MessageId> },
    /// The copies went to a folder of another account, or were copied there. Each mail is a message here and
    /// another there.
    Far { from: FolderId, to: FolderId, pairs: Vec<(MessageId, MessageId)>, away: bool },
    /// Conversations with mails of these Message-IDs are muted, or not any more.
    Mute { account: AccountId, names: Vec<String>, on: bool },
    /// Conversations were joined or split: some edits went, others came. The copies say where that was seen.
    Kin { account: AccountId, was: Vec<Edit>, now: Vec<Edit>, copies: Vec<(FolderId, MessageId)> },
    /// The copies are put off until a time.
    Snooze { folder: FolderId, messages: Vec<MessageId>, until: i64 },
    /// The copies that were put off until a time are not any more.
    Wake { folder: FolderId, messages: Vec<MessageId>, until: i64 },
    /// Folders changed.
    Shape(Shape),
    /// What was copied to a folder of another account is gone from there. The mail here, and there.
    Back { from: FolderId, to: FolderId, pairs: Vec<(MessageId, MessageId)> },
    /// A draft was thrown away, or is back.
    Draft(Binning),
}

impl Act {
    /// The messages that it changes.
    pub(super) fn messages(&self) -> Box<dyn Iterator<Item = MessageId> + '_> {
        match self {
            Self::Flag { copies, .. } | Self::Kin { copies, .. } => {
                Box::new(copies.iter().map(|(_, message)| *message))
            }
            Self::Move { messages, .. }
            | Self::Copy { messages, .. }
            | Self::Remove { messages, .. }
            | Self::Snooze { messages, .. }
            | Self::Wake { messages, .. } => Box::new(messages.iter().copied()),
            Self::Shape(_) | Self::Mute { .. } | Self::Draft(_) => Box::new(std::iter::empty()),
            Self::Far { pairs, .. } => Box::new(pairs.iter().map(|(here, _)| *here)),
            Self::Back { pairs, .. } => Box::new(pairs.iter().map(|(_, there)| *there)),
        }
    }

    /// Whether it changes something in this folder.
    pub(super) fn is_in(&self, folder: FolderId) -> bool {
        match self {
            Self::Flag { copies, .. } | Self::Kin { copies, .. } => {
                copies.iter().any(|(there, _)| *there == folder)
            }
            Self::Move { from, to, .. }
            | Self::Copy { from, to, .. }
            | Self::Far { from, to, .. }
            | Self::Back { from, to, .. } => [*from, *to].contains(&folder),
            Self::Remove { folder: there, .. }
            | Self::Snooze { folder: there, .. }
            | Self::Wake { folder: there, .. } => *there == folder,
            Self::Shape(_) | Self::Mute { .. } | Self::Draft(_) => false,
        }
    }

    /// What takes it back; `None` for what cannot be taken back.
    pub(super) fn inverse(&self) -> Option<Self> {
        Some(match self {
            Self::Flag { delta, copies } => Self::Flag { delta: delta.inverse(), copies: copies.clone() },
            Self::Move { from, to, messages } => {
                Self::Move { from: *to, to: *from, messages: messages.clone() }
            }
            Self::Copy { to, messages, .. } => Self::Remove { folder: *to, messages: messages.clone() },
            Self::Remove { .. } => return None,
            Self::Snooze { folder, messages, until } => {
                Self::Wake { folder: *folder, messages: messages.clone(), until: *until }
            }
            Self::Wake { folder, messages, until } => {
                Self::Snooze { folder: *folder, messages: messages.clone(), until: *until }
            }
            Self::Shape(shape) => Self::Shape(shape.inverse()),
            Self::Draft(binning) => Self::Draft(binning.inverse()),
            Self::Mute { account, names, on } => {
                Self::Mute { account: *account, names: names.clone(), on: !on }
            }
            Self::Kin { account, was, now, copies } => {
                Self::Kin { account: *account, was: now.clone(), now: was.clone(), copies: copies.clone() }
            }
            Self::Far { from, to, pairs, away: true } => {
                let pairs = pairs.iter().map(|(here, there)| (*there, *here)).collect();
                Self::Far { from: *to, to: *from, pairs, away: true }
            }
            Self::Far { from, to, pairs, away: false } => {
                Self::Back { from: *from, to: *to, pairs: pairs.clone() }
            }
            Self::Back { from, to, pairs } => {
                Self::Far { from: *from, to: *to, pairs: pairs.clone(), away: false }
            }
        })
    }
}

impl Tx<'_> {
    /// Does it, as far as its mail is still there; says on which copies it had an effect.
    pub(super) fn perform(&mut self, act: &Act) -> Result<Vec<(FolderId, MessageId)>> {
        match act {
            Act::Flag { delta, copies } => {
                let found = self.copies_named(copies.iter().copied())?;
                let acts = self.change_marks(&found, delta)?;
                // What has these flags already is where it was wanted, too.
                let mut done = flagged(&acts);
                let changed: HashSet<_> = done.iter().copied().collect();
                let found = found.iter().map(|copy| (copy.folder, copy.message));
                done.extend(found.filter(|copy| !changed.contains(copy)));
                Ok(done)
            }
            Act::Move { from, to, messages } => {
                let Some((account, copies)) = self.copies_for(*from, Some(*to), messages)? else {
                    return Ok(Vec::new());
                };
                let acts = self.move_copies(account, *from, *to, &copies)?;
                Ok(acts.iter().flat_map(Act::messages).map(|message| (*to, message)).collect())
            }
            Act::Copy { from, to, messages } => {
                let Some((account, copies)) = self.copies_for(*from, Some(*to), messages)? else {
                    return Ok(Vec::new());
                };
                let acts = self.copy_copies(account, *from, *to, &copies)?;
                Ok(acts.iter().flat_map(Act::messages).map(|message| (*to, message)).collect())
            }
            Act::Remove { folder, messages } => {
                let Some((account, mut copies)) = self.copies_for(*folder, None, messages)? else {
                    return Ok(Vec::new());
                };
                // To take a copy back is not to delete the mail: what it was copied from may have gone since.
                // What is only on its way is looked for on the server before it is done.
                let mut kept = Vec::new();
                for copy in &copies {
                    if !self.copies(copy.message)?.iter().any(|other| other.id != copy.id) {
                        kept.push(copy.id);
                    }
                }
                copies.retain(|copy| !kept.contains(&copy.id));
                self.take_copies_back(account, *folder, &copies)?;
                Ok(copies.iter().map(|copy| (*folder, copy.message)).collect())
            }
            Act::Far { from, to, pairs, away } => {
                if self.account_if_there(*from)?.is_none() || self.account_if_there(*to)?.is_none() {
                    return Ok(Vec::new());
                }
                let copies = self.copies_named(pairs.iter().map(|(here, _)| (*from, *here)))?;
                let there =
                    |copy: &Placement| pairs.iter().find(|(here, _)| *here == copy.message).map(|p| p.1);
                let copies: Vec<_> = copies.into_iter().map(|copy| (copy, there(&copy))).collect();
                let acts = self.send_far(&Far { from: *from, to: *to, copies: &copies, away: *away })?;
                let gone = |act: &Act| match act {
                    Act::Far { pairs, .. } => pairs.clone(),
                    _ => Vec::new(),
                };
                Ok(acts.iter().flat_map(gone).map(|(_, there)| (*to, there)).collect())
            }
            Act::Snooze { folder, messages, until } => {
                let copies = self.copies_named(messages.iter().map(|message| (*folder, *message)))?;
                copies.iter().try_for_each(|copy| self.put_off(copy, *until))?;
                Ok(copies.iter().map(|copy| (copy.folder, copy.message)).collect())
            }
            Act::Wake { folder, messages, .. } => {
                let copies = self.copies_named(messages.iter().map(|message| (*folder, *message)))?;
                copies.iter().try_for_each(|copy| self.bring_back(copy))?;
                Ok(copies.iter().map(|copy| (copy.folder, copy.message)).collect())
            }
            Act::Shape(shape) => self.perform_shape(shape).map(|_| Vec::new()),
            Act::Draft(binning) => self.perform_binning(binning).map(|_| Vec::new()),
            Act::Mute { account, names, on } => self.perform_mute(*account, names, *on).map(|()| Vec::new()),
            Act::Kin { account, was, now, copies } => {
                let found = self.copies_named(copies.iter().copied())?;
                // Without a mail that shows it nothing is to be seen of it; the edits are for mail that comes back.
                self.change_edits(*account, was, now)?;
                Ok(found.iter().map(|copy| (copy.folder, copy.message)).collect())
            }
            Act::Back { to, pairs, .. } => {
                let mut done = Vec::new();
                for (here, there) in pairs {
                    for copy in self.copies_named(std::iter::once((*to, *there)))? {
                        if self.take_back(*to, *here, &copy)? {
                            done.push((*to, *there));
                        }
                    }
                }
                Ok(done)
            }
        }
    }

    /// The account and the copies of an act; `None`: one of its folders is gone.
    fn copies_for(
        &self,
        folder: FolderId,
        other: Option<FolderId>,
        messages: &[MessageId],
    ) -> Result<Option<(AccountId, Vec<Placement>)>> {
        let Some(account) = self.account_if_there(folder)? else { return Ok(None) };
        if let Some(other) = other
            && self.account_if_there(other)?.is_none()
        {
            return Ok(None);
        }
        let copies = self.copies_named(messages.iter().map(|message| (folder, *message)))?;
        Ok(Some((account, copies)))
    }

    /// The visible copies with these names. A folder may hold a mail twice: each copy is taken once.
    pub(super) fn copies_named(
        &self,
        names: impl Iterator<Item = (FolderId, MessageId)>,
    ) -> Result<Vec<Placement>> {
        let (mut copies, mut taken) = (Vec::new(), HashSet::new());
        for (folder, message) in names {
            let mut named = self.copies(message)?;
            named.retain(|copy| copy.folder == folder);
            // Of twins the one that came last: the last action is the first to be taken back.
            named.sort_unstable_by_key(|copy| std::cmp::Reverse(copy.id));
            copies.extend(named.into_iter().find(|copy| taken.insert(copy.id)));
        }
        Ok(copies)
    }
}

fn flagged(acts: &[Act]) -> Vec<(FolderId, MessageId)> {
    let copies = acts.iter().filter_map(|act| match act {
        Act::Flag { copies, .. } => Some(copies.iter().copied()),
        _ => None,
    });
    copies.flatten().collect()
}
