//! Placements: a copy of a mail in a folder, how it gets its UID, and how it goes.

use rusqlite::Row;

use super::batch::Incoming;
use super::db::sql;
use super::far::Appending;
use super::messages::{clip, clip_msgid, size_of};
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, Flags, FolderId, MessageId, PlacementId, ThreadId};

/// `placements.hidden`: an op takes it away.
pub(super) const LEAVING: i64 = 1;
/// `placements.stale`: gone unless the next complete look at its folder shows it.
pub(super) const DOUBTED: i64 = 1;
/// `placements.stale`: the same, where a look may be under way that began too early to show it.
pub(super) const AWAITED: i64 = 2;
/// `placements.stale`: not shown by the server, and not believed to be gone (promise I8).
pub(super) const PARKED: i64 = 3;

/// A row of `placements`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    pub(super) id: PlacementId,
    pub(super) folder: FolderId,
    pub(super) message: MessageId,
    pub(super) uid: Option<u32>,
    pub(super) thread: ThreadId,
    pub(super) sort_at: i64,
    pub(super) flags: Flags,
    pub(super) base: Flags,
    pub(super) hidden: i64,
}

impl Placement {
    /// Whether an operation takes it away.
    pub(super) fn is_leaving(&self) -> bool {
        self.hidden & LEAVING != 0
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            folder: row.get(1)?,
            message: row.get(2)?,
            uid: row.get(3)?,
            thread: row.get(4)?,
            sort_at: row.get(5)?,
            flags: row.get(6)?,
            base: row.get(7)?,
            hidden: row.get(8)?,
        })
    }
}

impl Tx<'_> {
    pub(super) fn placement(&self, id: PlacementId) -> Result<Option<Placement>> {
        self.db.one(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE id = ?1"),
            [id],
            Placement::read,
        )
    }

    pub(super) fn by_uid(&self, folder: FolderId, uid: u32) -> Result<Option<Placement>> {
        self.db.one(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE folder_id = ?1 AND uid = ?2"),
            (folder, uid),
            Placement::read,
        )
    }

    /// Whether a mail that was just put into a folder can have this UID there: not that of another mail, nor one that
    /// was given out before (servers lie in COPYUID).
    pub(super) fn may_be(&self, folder: FolderId, uid: u32, message: MessageId) -> Result<bool> {
        let is_so = match self.by_uid(folder, uid)? {
            Some(held) => self.db.one(
                sql!("SELECT 1 FROM messages a JOIN messages b ON b.id = ?2
                      WHERE a.id = ?1 AND (a.id = b.id OR (a.msgid = b.msgid AND a.msgid <> '') OR a.head_hash = b.head_hash)"),
                (message, held.message),
                |_| Ok(()),
            )?,
            None => self.db.one(
                sql!("SELECT 1 FROM folders WHERE id = ?1 AND (?2 >= uidnext OR backfill_uid <> 1)"),
                (folder, uid),
                |_| Ok(()),
            )?,
        };
        Ok(is_so.is_some())
    }

    /// Every copy of a message that no op takes away.
    pub(super) fn copies(&self, message: MessageId) -> Result<Vec<Placement>> {
        self.db.all(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE message_id = ?1 AND (hidden & 1) = 0 ORDER BY id"),
            [message],
            Placement::read,
        )
    }

    /// Gives an incoming message its place: a pending one of the same content, else a new one.
    pub(super) fn place(
        &mut self,
        account: AccountId,
        message: MessageId,
        incoming: &Incoming,
    ) -> Result<()> {
        if let Some(uid) = incoming.uid
            && let Some(pending) = self.pending(account, message, incoming)?
        {
            self.adopt(pending, uid, incoming)?;
            // The content under which the mail was held is the one that stays.
            return if pending.message == message { Ok(()) } else { self.forget_unplaced(message) };
        }
        self.db.run(
            sql!(
                "INSERT INTO placements (folder_id, message_id, uid, thread_id, sort_at, flags, base)
                  SELECT ?1, id, ?3, thread_id, received, ?4, ?4 FROM messages WHERE id = ?2"
            ),
            (incoming.folder, message, incoming.uid, incoming.flags),
        )?;
        let placement = PlacementId(self.db.last_id());
        self.touched.folders.insert(incoming.folder);
        self.touched.message(message);
        if !incoming.keywords.is_empty() {
            self.told_keywords(placement, &incoming.keywords)?;
        }
        if let Some(uidl) = &incoming.uidl {
            self.record_seen(account, uidl, message, incoming)?;
        }
        self.answer_wakes(placement)?;
        self.hush(account, placement)
    }

    /// A placement in this folder that waits for the UID of this mail: the result of a move or copy, or
    /// one that lost its UID when the folder was numbered anew.
    fn pending(
        &mut self,
        account: AccountId,
        message: MessageId,
        incoming: &Incoming,
    ) -> Result<Option<Placement>> {
        let of_message = self.db.all(
            sql!("SELECT id, folder_id, message_id, uid, thread_id, sort_at, flags, base, hidden FROM placements
                  WHERE message_id = ?1 AND folder_id = ?2 AND uid IS NULL ORDER BY id"),
            (message, incoming.folder),
            Placement::read,
        )?;
        if let Some(found) = self.first_put(of_message, incoming)? {
            return Ok(Some(found));
        }
        let envelope = &incoming.envelope;
        let msgid = clip_msgid(&envelope.msgid);
        // Without a Message-ID content is never shared, but a copy is expected here with this very header.
        if msgid.is_empty() {
            let found = self.db.all(
                sql!("SELECT p.id, p.folder_id, p.message_id, p.uid, p.thread_id, p.sort_at, p.flags, p.base, p.hidden
                      FROM messages m CROSS JOIN placements p ON p.message_id = m.id
                      WHERE m.account_id = ?1 AND m.msgid = '' AND m.size = ?2 AND m.head_hash = ?3
                        AND p.folder_id = ?4 AND p.uid IS NULL ORDER BY p.id"),
                (account, size_of(incoming), &envelope.head_hash[..], incoming.folder),
                Placement::read,
            )?;
            return self.first_put(found, incoming);
        }
        // What was put there, and touched by the server on the way: anyone can write a Message-ID, so that
        // all of its face has to be equal. CROSS JOIN keeps the order: by the folder it would be looked through
        // as a whole for each mail that comes.
        let touched = self.db.all(
            sql!("SELECT p.id, p.folder_id, p.message_id, p.uid, p.thread_id, p.sort_at, p.flags, p.base, p.hidden
                  FROM messages m CROSS JOIN placements p ON p.message_id = m.id
                  WHERE m.account_id = ?1 AND m.msgid = ?2 AND m.date = ?3 AND m.from_addr = ?4 AND m.subject = ?5
                    AND p.folder_id = ?6 AND p.uid IS NULL
                    AND (p.stale = 2 OR EXISTS (SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id
                                                WHERE i.placement_id = p.id AND o.kind = 'append')) ORDER BY p.id"),
            (account, msgid, envelope.date, clip(&envelope.from.addr), clip(&envelope.subject), incoming.folder),
            Placement::read,
        )?;
        if let Some(found) = self.first_put(touched, incoming)? {
            return Ok(Some(found));
        }
        if !self.has_doubted(incoming.folder)? {
            return Ok(None);
        }
        // Promise I2: a server that was moved may have touched headers.
        self.db.one(
            sql!("SELECT p.id, p.folder_id, p.message_id, p.uid, p.thread_id, p.sort_at, p.flags, p.base, p.hidden
                  FROM messages m CROSS JOIN placements p ON p.message_id = m.id
                  WHERE m.account_id = ?1 AND m.msgid = ?2 AND m.size = ?3 AND m.date = ?4
                    AND p.folder_id = ?5 AND p.uid IS NULL AND p.stale <> 0 ORDER BY p.id LIMIT 1"),
            (account, msgid, size_of(incoming), envelope.date, incoming.folder),
            Placement::read,
        )
    }

    /// The first of these copies that can be this mail: one that is to be put into the folder, and was not
    /// tried yet or only since, is another.
    fn first_put(&self, copies: Vec<Placement>, incoming: &Incoming) -> Result<Option<Placement>> {
        for copy in copies {
            let putting = self.db.one(
                sql!(
                    "SELECT o.detail FROM op_items i JOIN ops o ON o.id = i.op_id
                      WHERE i.placement_id = ?1 AND o.kind = 'append'"
                ),
                [copy.id],
                |row| row.get::<_, String>(0),
            )?;
            let Some(putting) = putting else { return Ok(Some(copy)) };
            if let Some(mark) = Appending::read(&putting).mark {
                let validity = self.db.one(
                    sql!("SELECT uidvalidity FROM folders WHERE id = ?1"),
                    [copy.folder],
                    |row| row.get::<_, u32>(0),
                )?;
                let renumbered = mark.validity != 0 && validity.is_some_and(|now| now != mark.validity);
                if renumbered || incoming.uid.is_some_and(|uid| uid >= mark.uidnext) {
                    return Ok(Some(copy));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn has_doubted(&mut self, folder: FolderId) -> Result<bool> {
        if let Some(known) = self.in_doubt.get(&folder) {
            return Ok(*known);
        }
        let found = self.db.one(
            sql!("SELECT 1 FROM placements WHERE folder_id = ?1 AND stale <> 0 LIMIT 1"),
            [folder],
            |_| Ok(()),
        )?;
        self.in_doubt.insert(folder, found.is_some());
        Ok(found.is_some())
    }

    fn adopt(&mut self, pending: Placement, uid: u32, incoming: &Incoming) -> Result<()> {
        self.set_uid(pending.id, uid)?;
        self.set_base(&pending, incoming.flags)?;
        self.told_keywords(pending.id, &incoming.keywords)?;
        self.touched.folders.insert(pending.folder);
        self.touched.message(pending.message);
        Ok(())
    }

    pub(super) fn set_uid(&mut self, placement: PlacementId, uid: u32) -> Result<()> {
        self.db.run(sql!("UPDATE placements SET uid = ?2, stale = 0 WHERE id = ?1"), (placement, uid))?;
        Ok(())
    }

    /// This UID is of another mail than was told when one was put there: nothing of what was told of the folder and
    /// not shown yet is believed any more. Each is found under its name as it is shown (promise I1).
    pub(super) fn unname(&mut self, folder: FolderId, uid: u32) -> Result<()> {
        let told: Vec<(PlacementId, u32)> = self.db.all(
            sql!(
                "SELECT p.id, p.uid FROM placements p JOIN folders f ON f.id = p.folder_id
                  WHERE p.folder_id = ?1 AND (p.uid = ?2 OR p.uid >= f.uidnext)"
            ),
            (folder, uid),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (placement, told) in told {
            if told == uid || !self.shown.contains(&(folder, told)) {
                self.db.run(
                    sql!("UPDATE placements SET uid = NULL, stale = ?2 WHERE id = ?1"),
                    (placement, AWAITED),
                )?;
            }
        }
        self.in_doubt.remove(&folder);
        self.touched.folders.insert(folder);
        Ok(())
    }

    /// The server does not have it any more. An op that is about to take it away says so itself when it is
    /// done; till then the copy is only in doubt.
    pub(super) fn gone(&mut self, folder: FolderId, uid: u32) -> Result<()> {
        let Some(placement) = self.by_uid(folder, uid)? else { return Ok(()) };
        if self.is_source(placement.id)? {
            return self.doubt(&placement);
        }
        self.remove(&placement)
    }

    /// Whether an op that is not done moves, copies or deletes it.
    pub(super) fn is_source(&self, placement: PlacementId) -> Result<bool> {
        let found = self.db.one(
            sql!(
                "SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id
                  WHERE i.placement_id = ?1 AND o.kind IN ('move', 'copy', 'delete') LIMIT 1"
            ),
            [placement],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Removes a copy, and the message with its last one. Ops that only change its flags lose their object.
    pub(super) fn remove(&mut self, placement: &Placement) -> Result<()> {
        self.drop_items(placement.id)?;
        self.db.run(sql!("DELETE FROM placements WHERE id = ?1"), [placement.id])?;
        self.touched.folders.insert(placement.folder);
        self.touched.message(placement.message);
        self.forget_unplaced(placement.message)
    }

    /// UIDVALIDITY changed (promise I2): no copy goes; each waits to be found under its new number.
    pub(super) fn reset(&mut self, folder: FolderId, validity: u32) -> Result<()> {
        self.db.run(
            sql!("UPDATE placements SET uid = NULL, stale = ?2 WHERE folder_id = ?1 AND uid IS NOT NULL"),
            (folder, DOUBTED),
        )?;
        self.db.run(
            sql!("UPDATE folders SET uidvalidity = ?2, uidnext = 0, highestmodseq = 0, backfill_uid = 0 WHERE id = ?1"),
            (folder, validity),
        )?;
        self.in_doubt.remove(&folder);
        self.touched.folders.insert(folder);
        Ok(())
    }
}
