//! A look at the whole store for what should never be: damage, rows that point nowhere, wrong counts.

use super::db::sql;
use super::reader::Reader;
use crate::error::Result;

impl Reader {
    /// Everything that is wrong, in words; nothing when all is well. Reads the whole store.
    pub fn check(&self) -> Result<Vec<String>> {
        self.0.snapshot(|| {
            let mut wrong: Vec<String> = self.0.all(sql!("PRAGMA integrity_check"), [], |row| row.get(0))?;
            wrong.retain(|line| line != "ok");
            wrong.extend(self.0.all(sql!("PRAGMA foreign_key_check"), [], |row| {
                Ok(format!("a row of {} points to nothing in {}", row.get::<_, String>(0)?, row.get::<_, String>(2)?))
            })?);
            wrong.extend(self.0.all(
                sql!("SELECT f.path, f.total, f.unseen, count(p.id), coalesce(sum((p.flags & 1) = 0), 0) FROM folders f
                      LEFT JOIN placements p ON p.folder_id = f.id AND p.hidden = 0 GROUP BY f.id
                      HAVING f.total <> count(p.id) OR f.unseen <> coalesce(sum((p.flags & 1) = 0), 0)"),
                [],
                |row| {
                    let [total, unseen, mails, unread] = [1, 2, 3, 4].map(|at| row.get::<_, i64>(at));
                    let path: String = row.get(0)?;
                    Ok(format!("{path} counts {} and {}, but has {} and {}", total?, unseen?, mails?, unread?))
                },
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT m.id FROM messages m WHERE m.body_state <> 4
                      AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id)
                      AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message_id = m.id)"),
                [],
                |row| Ok(format!("message {} lies in no folder", row.get::<_, i64>(0)?)),
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT p.id FROM placements p JOIN messages m ON m.id = p.message_id
                      WHERE m.thread_id <> p.thread_id"),
                [],
                |row| Ok(format!("placement {} is of another conversation than its message", row.get::<_, i64>(0)?)),
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT t.id FROM threads t WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id)"),
                [],
                |row| Ok(format!("conversation {} is empty", row.get::<_, i64>(0)?)),
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT m.id FROM messages m WHERE m.body_state = 2
                      AND (m.raw_size + 1048575) / 1048576 <> (SELECT count(*) FROM bodies b WHERE b.message_id = m.id)"),
                [],
                |row| Ok(format!("the body of message {} is not whole", row.get::<_, i64>(0)?)),
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT p.id FROM placements p WHERE (p.hidden & 1) = 1
                      AND NOT EXISTS (SELECT 1 FROM op_items i WHERE i.placement_id = p.id)"),
                [],
                |row| Ok(format!("placement {} is hidden by nothing", row.get::<_, i64>(0)?)),
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT p.id FROM placements p WHERE (p.hidden & 2) = 2
                      AND NOT EXISTS (SELECT 1 FROM snoozes s WHERE s.message_id = p.message_id AND s.folder_id = p.folder_id)"),
                [],
                |row| Ok(format!("placement {} is put off without an end", row.get::<_, i64>(0)?)),
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT p.id FROM placements p JOIN folders f ON f.id = p.folder_id JOIN accounts a ON a.id = f.account_id
                      WHERE p.uid IS NULL AND p.stale = 0 AND a.owner = 'server'
                      AND NOT EXISTS (SELECT 1 FROM op_items i WHERE i.result_id = p.id)
                      AND NOT EXISTS (SELECT 1 FROM op_items i JOIN ops o ON o.id = i.op_id
                                      WHERE i.placement_id = p.id AND o.kind = 'append')"),
                [],
                |row| Ok(format!("placement {} waits for the server without an operation", row.get::<_, i64>(0)?)),
            )?);
            wrong.extend(self.0.all(
                sql!("SELECT o.id FROM ops o WHERE o.kind NOT IN ('mkdir', 'rmdir', 'rename', 'subscribe')
                      AND NOT EXISTS (SELECT 1 FROM op_items i WHERE i.op_id = o.id)"),
                [],
                |row| Ok(format!("operation {} has nothing to do", row.get::<_, i64>(0)?)),
            )?);
            Ok(wrong)
        })
    }
}
