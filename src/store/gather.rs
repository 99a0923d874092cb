//! Many mails of a list at once: all of it, what is between two places, what is of one sender or list.

use std::cmp::Reverse;
use std::collections::HashMap;

use rusqlite::Row as Columns;

use super::db::sql;
use super::list::{Edge, rows};
use super::ranks::alone;
use super::reader::Reader;
use crate::error::Result;
use crate::model::{Flags, FolderId, Member, MessageId, PlacementId, SortKey, ThreadId, View};
use crate::text::Clean;

/// Rows, or mails, that are gathered at most, and how many are read at once.
const MOST: usize = 10_000;
const PAGE: usize = 500;

/// Which mails of a list are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// All conversations.
    Every,
    /// The conversation at this place and all below it.
    Below(SortKey),
    /// The conversations from the first place down to the second, both included.
    Between(SortKey, SortKey),
    /// All unread mails.
    Unread,
    /// All mails from who wrote this one.
    Sender(MessageId),
    /// All mails of the mailing list that this one is from.
    MailingList(MessageId),
    /// All mails whose subject or sender holds each of these words, in any case.
    Words(String),
    /// These copies, as far as they are still there.
    These(Vec<PlacementId>),
}

/// Mails of a list by conversation, the mails of each newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gathered {
    /// The conversations with those of their mails that are meant.
    pub rows: Vec<(ThreadId, Vec<Member>)>,
    /// Whether there are no more than that.
    pub is_whole: bool,
    /// The address of the sender, or the name of the mailing list, that was asked for.
    pub named: Clean,
}

/// One mail that is meant.
struct Found {
    key: SortKey,
    thread: ThreadId,
    member: Member,
}

impl Reader {
    /// The mails of a view that are meant, 10,000 rows or mails at most.
    pub fn gather(&self, view: View, extent: &Extent) -> Result<Gathered> {
        let mut all = self.gather_by_thread(view, extent)?;
        if self.ranks(view).is_some_and(|ranks| ranks.is_flat) {
            let mails = all.rows.into_iter().flat_map(|(_, members)| members);
            all.rows = mails.map(|member| (alone(member.placement), vec![member])).collect();
        }
        // What is not shown is not meant.
        if let Some(ranks) = self.ranks(view).filter(|ranks| ranks.is_narrowed) {
            let shown = ranks.threads();
            all.rows.retain(|(thread, _)| shown.contains(thread));
        }
        Ok(all)
    }

    pub(super) fn gather_by_thread(&self, view: View, extent: &Extent) -> Result<Gathered> {
        if matches!(view, View::Starred | View::Unread | View::Snoozed) {
            return self.gather_among(view, extent);
        }
        match extent {
            Extent::Every => self.gather_rows(view, Edge::Top, None),
            Extent::Below(from) => self.gather_rows(view, at_and_below(*from), None),
            Extent::Between(from, to) => self.gather_rows(view, at_and_below(*from), Some(*to)),
            Extent::Unread => self.gather_each(view, Clean::default(), |folder| self.unread_in(folder)),
            Extent::Sender(message) => {
                let named = self.named(*message)?.0;
                self.gather_each(view, Clean::line(&named), |folder| self.of_sender(folder, &named))
            }
            Extent::MailingList(message) => {
                let named = self.named(*message)?.1;
                self.gather_each(view, Clean::line(&named), |folder| self.of_mailing_list(folder, &named))
            }
            Extent::Words(words) => {
                let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
                self.gather_each(view, Clean::default(), |folder| self.with_words(folder, &words))
            }
            Extent::These(copies) => self.gather_each(view, Clean::default(), |folder| {
                let held = copies.iter().map(|copy| self.copy_in(folder, *copy));
                Ok(held.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
            }),
        }
    }

    /// The mails that are meant of a list that is not of folders: each of its rows is looked at.
    fn gather_among(&self, view: View, extent: &Extent) -> Result<Gathered> {
        let (mut named, mut words) = (String::new(), Vec::new());
        match extent {
            Extent::Every => return self.gather_rows(view, Edge::Top, None),
            Extent::Below(from) => return self.gather_rows(view, at_and_below(*from), None),
            Extent::Between(from, to) => return self.gather_rows(view, at_and_below(*from), Some(*to)),
            Extent::Sender(message) => named = self.named(*message)?.0,
            Extent::MailingList(message) => named = self.named(*message)?.1,
            Extent::Words(text) => words = text.split_whitespace().map(str::to_lowercase).collect(),
            Extent::Unread | Extent::These(_) => {}
        }
        let is_meant = |member: &Member| -> Result<bool> {
            let of = |message| self.named(message);
            Ok(match extent {
                Extent::Unread => !member.flags.has(Flags::SEEN),
                Extent::These(copies) => copies.contains(&member.placement),
                Extent::Sender(_) => of(member.message)?.0.eq_ignore_ascii_case(&named),
                Extent::MailingList(_) => !named.is_empty() && of(member.message)?.1 == named,
                _ => {
                    let text = self.summary(member.placement)?.map_or(String::new(), |mail| {
                        format!("{}\n{}\n{}", mail.subject, mail.from_name, mail.from_addr).to_lowercase()
                    });
                    words.iter().all(|word| text.contains(word.as_str()))
                }
            })
        };
        let mut all = self.gather_rows(view, Edge::Top, None)?;
        for (_, members) in &mut all.rows {
            let mut kept = Vec::new();
            for member in members.drain(..) {
                if is_meant(&member)? {
                    kept.push(member);
                }
            }
            *members = kept;
        }
        all.rows.retain(|(_, members)| !members.is_empty());
        Ok(Gathered { named: Clean::line(&named), ..all })
    }

    /// Whole conversations, page by page.
    fn gather_rows(&self, view: View, mut edge: Edge, to: Option<SortKey>) -> Result<Gathered> {
        let mut gathered = Gathered { is_whole: true, ..Gathered::default() };
        loop {
            let page = self.page(view, edge, PAGE)?;
            let Some(last) = page.rows.last().map(|row| row.head.key) else { return Ok(gathered) };
            edge = Edge::After(last);
            let within = page.rows.into_iter().filter(|row| to.is_none_or(|to| row.head.key >= to));
            gathered.rows.extend(within.map(|row| (row.head.thread, row.members)));
            if page.at_bottom || to.is_some_and(|to| last <= to) {
                return Ok(gathered);
            }
            if gathered.rows.len() >= MOST {
                return Ok(Gathered { is_whole: false, ..gathered });
            }
        }
    }

    /// Single mails, by conversation.
    fn gather_each(
        &self,
        view: View,
        named: Clean,
        find: impl Fn(FolderId) -> Result<Vec<Found>>,
    ) -> Result<Gathered> {
        let mut found = Vec::new();
        for folder in self.folders_of(view)? {
            found.extend(find(folder)?);
        }
        found.sort_unstable_by_key(|one| Reverse(one.key));
        let is_whole = found.len() <= MOST;
        found.truncate(MOST);
        let mut at: HashMap<ThreadId, usize> = HashMap::new();
        let mut rows: Vec<(ThreadId, Vec<Member>)> = Vec::new();
        for Found { thread, member, .. } in found {
            let at = *at.entry(thread).or_insert_with(|| {
                rows.push((thread, Vec::new()));
                rows.len() - 1
            });
            rows[at].1.push(member);
        }
        Ok(Gathered { rows, is_whole, named })
    }

    /// Who wrote a mail, and from which mailing list it is.
    fn named(&self, message: MessageId) -> Result<(String, String)> {
        let named =
            self.0.one(sql!("SELECT from_addr, list_id FROM messages WHERE id = ?1"), [message], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(named.unwrap_or_default())
    }

    fn unread_in(&self, folder: FolderId) -> Result<Vec<Found>> {
        self.0.all(
            sql!("SELECT id, message_id, flags, thread_id, sort_at FROM placements
                  WHERE folder_id = ?1 AND hidden = 0 AND (flags & 1) = 0 ORDER BY sort_at DESC, id DESC LIMIT ?2"),
            (folder, rows(MOST + 1)),
            found,
        )
    }

    fn of_sender(&self, folder: FolderId, addr: &str) -> Result<Vec<Found>> {
        self.0.all(
            sql!(
                "SELECT p.id, p.message_id, p.flags, p.thread_id, p.sort_at
                  FROM messages m CROSS JOIN placements p ON p.message_id = m.id
                  WHERE m.from_addr = ?2 COLLATE NOCASE AND p.folder_id = ?1 AND p.hidden = 0
                  ORDER BY m.received DESC LIMIT ?3"
            ),
            (folder, addr, rows(MOST + 1)),
            found,
        )
    }

    fn of_mailing_list(&self, folder: FolderId, list: &str) -> Result<Vec<Found>> {
        if list.is_empty() {
            return Ok(Vec::new());
        }
        self.0.all(
            sql!(
                "SELECT p.id, p.message_id, p.flags, p.thread_id, p.sort_at
                  FROM messages m CROSS JOIN placements p ON p.message_id = m.id
                  WHERE m.list_id = ?2 AND m.list_id <> '' AND p.folder_id = ?1 AND p.hidden = 0
                  ORDER BY m.received DESC LIMIT ?3"
            ),
            (folder, list, rows(MOST + 1)),
            found,
        )
    }

    /// Looks at every mail of the folder.
    fn with_words(&self, folder: FolderId, words: &[String]) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        let mut from = SortKey { at: i64::MAX, id: PlacementId(i64::MAX) };
        loop {
            let page = self.0.all(
                sql!("SELECT p.id, p.message_id, p.flags, p.thread_id, p.sort_at, m.subject, m.from_name, m.from_addr
                      FROM placements p CROSS JOIN messages m ON m.id = p.message_id
                      WHERE p.folder_id = ?1 AND p.hidden = 0 AND (p.sort_at, p.id) < (?2, ?3)
                      ORDER BY p.sort_at DESC, p.id DESC LIMIT ?4"),
                (folder, from.at, from.id, rows(PAGE)),
                |row| {
                    let mut text = String::new();
                    for at in 5..8 {
                        text.push_str(row.get_ref(at)?.as_str()?);
                        text.push('\n');
                    }
                    Ok((found(row)?, text.to_lowercase()))
                },
            )?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            from = last.key;
            let is_meant = |text: &str| words.iter().all(|word| text.contains(word.as_str()));
            all.extend(page.into_iter().filter(|(_, text)| is_meant(text)).map(|(one, _)| one));
            if all.len() > MOST {
                return Ok(all);
            }
        }
    }

    fn copy_in(&self, folder: FolderId, copy: PlacementId) -> Result<Option<Found>> {
        self.0.one(
            sql!(
                "SELECT id, message_id, flags, thread_id, sort_at FROM placements
                  WHERE id = ?2 AND folder_id = ?1 AND hidden = 0"
            ),
            (folder, copy),
            found,
        )
    }
}

/// The rows below the place just above this one.
fn at_and_below(from: SortKey) -> Edge {
    Edge::After(SortKey { id: PlacementId(from.id.0.saturating_add(1)), ..from })
}

fn found(row: &Columns<'_>) -> rusqlite::Result<Found> {
    let id: PlacementId = row.get(0)?;
    Ok(Found {
        key: SortKey { at: row.get(4)?, id },
        thread: row.get(3)?,
        member: Member { placement: id, message: row.get(1)?, flags: row.get(2)? },
    })
}
