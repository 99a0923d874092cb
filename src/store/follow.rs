//! Folders that another client renamed: known again by what the server says of them, so that nothing is fetched
//! anew and what is queued for them goes on.

use super::batch::FolderSpec;
use super::db::sql;
use super::folders::Held;
use super::shape::beneath;
use super::tx::Tx;
use crate::error::Result;
use crate::model::{AccountId, FolderId};

impl Tx<'_> {
    /// Finds the rows of folders that are listed under another name now. A row is followed only where no other
    /// row and no other folder of the listing could be meant.
    pub(super) fn follow<'a>(
        &mut self,
        account: AccountId,
        specs: &[FolderSpec],
        held: &'a [Held],
        matched: &mut [Option<&'a Held>],
    ) -> Result<()> {
        let is_gone = |matched: &[Option<&Held>], old: &Held| {
            let is_listed = specs.iter().any(|spec| old.remote.as_deref() == Some(&spec.remote));
            old.remote.is_some() && !is_listed && !matched.iter().flatten().any(|taken| taken.id == old.id)
        };
        let is_new = |matched: &[Option<&Held>], at: usize| matched[at].is_none();
        let mut pairs: Vec<(usize, &'a Held)> = Vec::new();
        let gone: Vec<&Held> = held.iter().filter(|old| is_gone(matched, old)).collect();
        let new: Vec<usize> = (0..specs.len()).filter(|at| is_new(matched, *at)).collect();
        if gone.is_empty() || new.is_empty() {
            return Ok(());
        }
        for old in gone {
            let told = self.on_server(old.id)?;
            let mut fits = new.iter().filter(|at| is_it(&specs[**at], old, told, specs, held));
            if let (Some(at), None) = (fits.next(), fits.next())
                && !pairs.iter().any(|(other, _)| other == at)
            {
                pairs.push((*at, old));
            }
        }
        // What lay beneath went along, also where nothing is known of it yet.
        for (at, above) in pairs.clone() {
            for old in held.iter().filter(|old| is_gone(matched, old)) {
                let Some(rest) = beneath(&old.path, &above.path) else { continue };
                let path = format!("{}{rest}", specs[at].path);
                let is_taken =
                    |other: usize, id: FolderId| pairs.iter().any(|(a, h)| *a == other || h.id == id);
                let found = new.iter().find(|at| specs[**at].path == path && !is_taken(**at, old.id));
                if let Some(at) = found.filter(|at| !contradicts(&specs[**at], old)) {
                    pairs.push((*at, old));
                }
            }
        }
        for (at, old) in pairs {
            matched[at] = Some(old);
            self.go_on_in(account, old.id)?;
        }
        Ok(())
    }

    /// How many mails of a folder the server has, as far as known.
    fn on_server(&self, folder: FolderId) -> Result<i64> {
        let count = self.db.one(
            sql!("SELECT count(*) FROM placements WHERE folder_id = ?1 AND uid IS NOT NULL"),
            [folder],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// What failed because the folder was not found is tried again.
    fn go_on_in(&mut self, account: AccountId, folder: FolderId) -> Result<()> {
        let queued = [
            sql!(
                "UPDATE ops SET state = 'queued', not_before = 0, tries = min(tries, 1), error = '' WHERE folder_id = ?1 AND state = 'conflict'"
            ),
            sql!(
                "UPDATE ops SET state = 'queued', not_before = 0, tries = min(tries, 1), error = '' WHERE target_id = ?1 AND state = 'conflict'"
            ),
        ];
        for statement in queued {
            self.db.run(statement, [folder])?;
        }
        self.touched.ops.insert(account);
        self.touched.folders.insert(folder);
        Ok(())
    }
}

/// Whether a folder of the listing is this one under another name: by the server's own word (RFC 8474), else by a
/// state that no other folder has.
fn is_it(spec: &FolderSpec, old: &Held, count: i64, specs: &[FolderSpec], held: &[Held]) -> bool {
    if let Some(id) = &spec.object_id
        && !old.object_id.is_empty()
    {
        return *id == old.object_id;
    }
    let Some(state) = spec.state.filter(|state| state.validity == old.validity && old.validity != 0) else {
        return false;
    };
    // An empty folder is like any other.
    if old.uidnext > 1 && state.uidnext == old.uidnext && state.messages.is_none_or(|m| i64::from(m) == count)
    {
        return true;
    }
    let sharing = specs.iter().filter(|s| s.state.is_some_and(|s| s.validity == old.validity)).count();
    let alike = held.iter().filter(|other| other.validity == old.validity).count();
    (sharing, alike) == (1, 1) && state.uidnext >= old.uidnext
}

/// Whether the server says that it is another folder.
fn contradicts(spec: &FolderSpec, old: &Held) -> bool {
    spec.state.is_some_and(|state| old.validity != 0 && state.validity != old.validity)
        || spec.object_id.as_ref().is_some_and(|id| !old.object_id.is_empty() && *id != old.object_id)
}
