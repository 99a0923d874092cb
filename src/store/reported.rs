//! What servers told of mail that was sent from here (promise O8): a tag on its copies in Sent.

use super::db::sql;
use super::places::Placement;
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FlagDelta, Flags, Marking, MessageId};

/// The tag of mail that somebody did not get.
pub const UNDELIVERED: &str = "undelivered";
/// The tag of mail that is still being tried.
pub const DELAYED: &str = "delayed";

impl Reader {
    /// The mail of this Message-ID that was sent from an account: in Sent, or still partly in the outbox.
    pub fn sent_as(&self, account: AccountId, msgid: &str) -> Result<Option<MessageId>> {
        if msgid.is_empty() {
            return Ok(None);
        }
        self.0.one(
            sql!(
                "SELECT m.id FROM messages m WHERE m.account_id = ?1 AND m.msgid = ?2 AND (
                    EXISTS (SELECT 1 FROM outbox o WHERE o.message_id = m.id)
                    OR EXISTS (SELECT 1 FROM placements p JOIN folders f ON f.id = p.folder_id
                               WHERE p.message_id = m.id AND f.role = 'sent')) LIMIT 1"
            ),
            (account, msgid),
            |row| row.get(0),
        )
    }
}

impl Tx<'_> {
    /// Marks what was sent under this Message-ID. Safe to repeat.
    pub(super) fn reported(
        &mut self,
        account: AccountId,
        msgid: &str,
        tag: &[String],
        untag: &[String],
    ) -> Result<()> {
        if msgid.is_empty() {
            return Ok(());
        }
        let copies = self.db.all(
            sql!("SELECT p.id, p.folder_id, p.message_id, p.uid, p.thread_id, p.sort_at, p.flags, p.base, p.hidden
                  FROM messages m CROSS JOIN placements p ON p.message_id = m.id
                  CROSS JOIN folders f ON f.id = p.folder_id AND f.role = 'sent'
                  WHERE m.account_id = ?1 AND m.msgid = ?2 AND (p.hidden & 1) = 0"),
            (account, msgid),
            Placement::read,
        )?;
        let flags = FlagDelta { add: Flags::NONE, del: Flags::NONE };
        let marks = Marking { flags, tag: tag.to_vec(), untag: untag.to_vec() };
        self.change_marks(&copies, &marks).map(drop)
    }
}
