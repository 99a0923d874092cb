//! POP3: mail that is safely here and goes from the server because the user says so (promise P14).

use super::db::{sql, unsigned};
use super::deeds::counted;
use super::intents::refused;
use super::reader::Reader;
use super::tx::Tx;
use super::wishes::Wish;
use crate::error::Result;
use crate::model::{AccountId, MessageId, Outcome};

/// What a cleanup of a server would remove there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleanable {
    /// The mails, whole here and listed there.
    pub messages: Vec<MessageId>,
    /// Their bytes there.
    pub bytes: u64,
}

impl Reader {
    /// The mails of an account that are whole here and were listed on its server, of a name that is theirs alone (P7),
    /// and that nothing else takes from there already.
    pub fn cleanable(&self, account: AccountId) -> Result<Cleanable> {
        let rows = self.0.all(
            sql!(
                "SELECT s.message_id, s.size FROM pop_seen s
                  WHERE s.account_id = ?1 AND s.missing = 0 AND s.want = 'keep' AND s.cleanup = 0
                    AND (SELECT body_state FROM messages WHERE id = s.message_id) = 2
                    AND NOT EXISTS (SELECT 1 FROM pop_seen d WHERE d.account_id = ?1 AND d.uidl = s.uidl AND d.dup <> s.dup)"
            ),
            [account],
            |row| Ok((row.get::<_, MessageId>(0)?, unsigned(row.get(1)?))),
        )?;
        let bytes = rows.iter().map(|(_, size)| size).sum();
        Ok(Cleanable { messages: rows.into_iter().map(|(message, _)| message).collect(), bytes })
    }
}

impl Tx<'_> {
    /// The engine reads each of them back before it says so to the server (P3), now if it can, else later.
    pub(super) fn clean_server(&mut self, account: AccountId, messages: &[MessageId]) -> Result<Outcome> {
        let mut count = 0;
        for message in messages {
            count += self.db.run(
                sql!(
                    "UPDATE pop_seen SET cleanup = 1 WHERE message_id = ?1 AND account_id = ?2 AND missing = 0
                        AND want = 'keep' AND cleanup = 0"
                ),
                (message, account),
            )?;
        }
        if count == 0 {
            return Ok(refused("nothing of this is on the server any more"));
        }
        self.touched.ops.insert(account);
        self.wish(account, Wish::Sync)?;
        let verb = if count == 1 { "goes from the server and stays" } else { "go from the server and stay" };
        let label = format!("{} {verb} here", counted(count as u64));
        Ok(Outcome { label, undoable: false, place: None, error: None })
    }
}
