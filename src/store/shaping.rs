//! What is queued for a folder as a whole: written down, redirected while nobody has tried it, cancelled.

use super::db::sql;
use super::shape::beneath;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, OpId};

/// What `ops.detail` says of a folder.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    /// mkdir: the path to make, as the server knows what is above it by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    /// rename: the path before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// rename: the path after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
    /// subscribe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on: Option<bool>,
}

impl Detail {
    pub(super) fn read(detail: &str) -> Self {
        serde_json::from_str(detail).unwrap_or_default()
    }

    fn written(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|e| Error::new(Kind::Bug, "could not write a change of folders down").because(e))
    }
}

impl Tx<'_> {
    /// A folder that is not made yet, and was not tried to be, is made under its new path, and those beneath
    /// it too. False: it may be on the server by now.
    pub(super) fn redirect_mkdirs(
        &mut self,
        account: AccountId,
        from: &str,
        to: &str,
        folder: FolderId,
    ) -> Result<bool> {
        let ops: Vec<(OpId, FolderId, String)> = self.db.all(
            sql!(
                "SELECT id, target_id, detail FROM ops
                  WHERE account_id = ?1 AND kind IN ('mkdir', 'rmdir', 'rename', 'subscribe') AND kind = 'mkdir'
                    AND state = 'queued' AND tries = 0 ORDER BY id"
            ),
            [account],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if !ops.iter().any(|(_, target, _)| *target == folder) {
            return Ok(false);
        }
        for (op, _, detail) in ops {
            let path = Detail::read(&detail).path.unwrap_or_default();
            if let Some(rest) = beneath(&path, from) {
                let detail = Detail { path: Some(format!("{to}{rest}")), ..Detail::default() };
                self.db.run(sql!("UPDATE ops SET detail = ?2 WHERE id = ?1"), (op, detail.written()?))?;
            }
        }
        self.touched.ops.insert(account);
        Ok(true)
    }

    /// Cancels the last thing that is queued for a folder, if it is of this kind, was never tried, and fits.
    pub(super) fn cancel_shape(
        &mut self,
        folder: FolderId,
        kind: &str,
        fits: impl Fn(&Detail) -> bool,
    ) -> Result<bool> {
        let last = self.db.one(
            sql!(
                "SELECT id, kind, detail, account_id, (state = 'queued' AND tries = 0) OR state = 'conflict'
                  FROM ops WHERE target_id = ?1 AND kind IN ('mkdir', 'rmdir', 'rename', 'subscribe')
                  ORDER BY id DESC LIMIT 1"
            ),
            [folder],
            |row| {
                Ok((
                    row.get::<_, OpId>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, AccountId>(3)?,
                    row.get::<_, bool>(4)?,
                ))
            },
        )?;
        let Some((op, held, detail, account, true)) = last else { return Ok(false) };
        if held != kind || !fits(&Detail::read(&detail)) {
            return Ok(false);
        }
        self.db.run(sql!("DELETE FROM ops WHERE id = ?1"), [op])?;
        self.touched.ops.insert(account);
        Ok(true)
    }

    pub(super) fn queue_shape(
        &mut self,
        kind: &str,
        account: AccountId,
        folder: FolderId,
        detail: &Detail,
    ) -> Result<()> {
        self.queue(account, kind, None, Some(folder), &detail.written()?).map(drop)
    }
}
