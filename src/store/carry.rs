//! A whole account that is carried to another (promise I13): folder by folder, each mail once, nothing taken away.

use super::db::{Db, sql, unsigned};
use super::far::Far;
use super::handle::Store;
use super::inbox::{Answer, Job};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::{AccountId, FolderId, MessageId, Owner, PlacementId, Role, check_folder_path};
use crate::text::Clean;

/// One folder on its way to another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The folder here.
    pub from: FolderId,
    /// What it is called.
    pub path: Clean,
    /// The folder there; `None`: it is still to be made.
    pub to: Option<FolderId>,
    /// What it is called there.
    pub to_path: Clean,
    /// Mails that are to be there in the end: the same mail twice in a folder is one.
    pub mails: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// How many of them are there already, or on their way.
    pub there: u64,
    /// How many of the others have to be fetched from the server here first.
    pub unfetched: u64,
    /// Mails of which only a part is here, and no server is asked for the rest: left out.
    pub partial: u64,
    /// Why the folder is left out as a whole, in words.
    pub left_out: Option<String>,
}

/// One mail that was to be carried, for the look whether it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The copy here.
    pub placement: PlacementId,
    /// Which mail.
    pub message: MessageId,
    /// Its Message-ID; empty: it has none.
    pub msgid: String,
    /// Of its header, as it is here.
    pub head_hash: [u8; 32],
    /// Its sizes in bytes: as its server told, and of the bytes held (0 while they are not).
    pub sizes: [u64; 2],
    /// Its subject.
    pub subject: Clean,
}

impl Carried {
    /// Whether a mail with this header and size is this one.
    #[must_use]
    pub fn is(&self, head_hash: &[u8; 32], size: u64) -> bool {
        self.head_hash == *head_hash && self.sizes.contains(&size)
    }
}

impl Store {
    /// Copies these mails of a folder to the folder of the other account that answers to it, which is made where it
    /// is missing. What is there already is passed over. How many went.
    pub fn carry(&self, from: FolderId, to: AccountId, items: Vec<PlacementId>) -> Result<u64> {
        match self.ask(Job::Carry { from, to, items })? {
            Answer::Count(count) => Ok(count),
            _ => Err(Error::new(Kind::Bug, "the store mixed up its answers")),
        }
    }
}

impl Reader {
    /// What carrying an account to another comes to, folder by folder.
    pub fn legs(&self, from: AccountId, to: AccountId) -> Result<Vec<Leg>> {
        self.0.snapshot(|| {
            let mut legs = Vec::new();
            for folder in self.folders(from)?.iter().filter(|folder| folder.selectable || folder.total > 0) {
                let (aim, left_out) = match (Passage { db: &self.0 }).aim(folder.id, to)? {
                    Ok(aim) => (aim, None),
                    Err(why) => (Aim { folder: None, path: String::new(), role: None }, Some(why)),
                };
                let mut leg = Leg {
                    from: folder.id,
                    path: if folder.role == Some(Role::Inbox) {
                        Clean::fixed("Inbox")
                    } else {
                        folder.path.clone()
                    },
                    to: aim.folder,
                    to_path: if aim.role == Some(Role::Inbox) {
                        Clean::fixed("Inbox")
                    } else {
                        Clean::line(&aim.path)
                    },
                    mails: 0,
                    bytes: 0,
                    there: 0,
                    unfetched: 0,
                    partial: 0,
                    left_out,
                };
                (Passage { db: &self.0 }).count(&mut leg, to)?;
                legs.push(leg);
            }
            Ok(legs)
        })
    }

    /// Every mail of a folder that was to be carried, once each.
    pub fn carried(&self, from: FolderId) -> Result<Vec<Carried>> {
        let mut mails = self.0.all(
            sql!(
                "SELECT p.id, m.id, m.msgid, m.head_hash, m.size, m.raw_size, m.subject FROM placements p
                  JOIN messages m ON m.id = p.message_id JOIN folders f ON f.id = p.folder_id
                  WHERE p.folder_id = ?1 AND (p.hidden & 1) = 0 AND (f.role <> 'all' OR NOT EXISTS
                    (SELECT 1 FROM placements q WHERE q.message_id = p.message_id AND q.id <> p.id AND (q.hidden & 1) = 0))"
            ),
            [from],
            |row| {
                Ok(Carried {
                    placement: row.get(0)?,
                    message: row.get(1)?,
                    msgid: row.get(2)?,
                    head_hash: row.get::<_, Vec<u8>>(3)?.try_into().unwrap_or_default(),
                    sizes: [unsigned(row.get(4)?), unsigned(row.get(5)?)],
                    subject: Clean::line(&row.get::<_, String>(6)?),
                })
            },
        )?;
        mails.sort_unstable_by_key(|mail| (mail.message, mail.placement));
        Ok(mails)
    }
}

/// Where a folder of one account goes in another.
struct Aim {
    folder: Option<FolderId>,
    path: String,
    role: Option<Role>,
}

/// From one account to another, over any connection.
struct Passage<'a> {
    db: &'a Db,
}

impl Passage<'_> {
    /// The folder of the same role, else of the same path; the reason, where there can be none.
    fn aim(&self, from: FolderId, there: AccountId) -> Result<std::result::Result<Aim, String>> {
        let found = self.db.one(sql!("SELECT path, role FROM folders WHERE id = ?1"), [from], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let Some((path, role)) = found else { return Ok(Err("it is not there any more".to_owned())) };
        let role = match Role::from_name(&role) {
            // What is in no other folder was archived.
            Some(Role::All) => Some(Role::Archive),
            role => role,
        };
        if let Some(role) = role {
            let held = self.db.one(
                sql!("SELECT id, path FROM folders WHERE account_id = ?1 AND role = ?2 AND role <> ''"),
                (there, role.name()),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if let Some((folder, path)) = held {
                return Ok(Ok(Aim { folder: Some(folder), path, role: Some(role) }));
            }
        }
        let path = role.map_or(path, |role| role.title().to_owned());
        let held = self.db.one(
            sql!("SELECT id, selectable FROM folders WHERE account_id = ?1 AND path = ?2 AND leaving = 0"),
            (there, &path),
            |row| Ok((row.get(0)?, row.get::<_, bool>(1)?)),
        )?;
        Ok(match held {
            Some((folder, true)) => Ok(Aim { folder: Some(folder), path, role }),
            Some((_, false)) => Err(format!("the folder {path} there holds folders only")),
            None => match check_folder_path(&path) {
                Ok(()) => Ok(Aim { folder: None, path, role }),
                Err(why) => Err(why),
            },
        })
    }

    fn count(&self, leg: &mut Leg, there: AccountId) -> Result<()> {
        let mut seen = std::collections::HashSet::new();
        let rows = self.db.all(
            sql!(
                "SELECT m.id, max(m.size, m.raw_size), m.body_state, a.owner = 'here' OR a.parked <> 0, f.role = 'all' AND EXISTS
                    (SELECT 1 FROM placements q WHERE q.message_id = p.message_id AND q.id <> p.id AND (q.hidden & 1) = 0)
                  FROM placements p CROSS JOIN messages m ON m.id = p.message_id CROSS JOIN folders f ON f.id = p.folder_id
                  CROSS JOIN accounts a ON a.id = f.account_id WHERE p.folder_id = ?1 AND (p.hidden & 1) = 0"
            ),
            [leg.from],
            |row| {
                let whole = row.get::<_, i64>(2)? == 2;
                let size = unsigned(row.get(1)?);
                Ok((row.get::<_, MessageId>(0)?, size, whole, row.get::<_, bool>(3)?, row.get::<_, bool>(4)?))
            },
        )?;
        for (message, size, whole, is_local, is_elsewhere) in rows {
            if is_elsewhere || !seen.insert(message) {
                continue;
            }
            if is_local && !whole {
                leg.partial += 1;
                continue;
            }
            leg.mails += 1;
            leg.bytes += size;
            let is_there = match leg.to {
                Some(to) => self.is_in(message, there, to)?,
                None => false,
            };
            leg.there += u64::from(is_there);
            leg.unfetched += u64::from(!is_there && !whole);
        }
        Ok(())
    }

    /// Whether a mail is in a folder of another account, by Message-ID, size and header, or without a Message-ID
    /// by all of its bytes.
    fn is_in(&self, message: MessageId, there: AccountId, to: FolderId) -> Result<bool> {
        let held = self.db.one(
            sql!(
                "SELECT 1 FROM messages m JOIN messages t ON t.account_id = ?2 AND t.msgid = m.msgid
                    AND t.size IN (m.size, iif(m.body_state = 2, m.raw_size, m.size)) AND t.head_hash = m.head_hash
                  JOIN placements q ON q.message_id = t.id AND q.folder_id = ?3 AND (q.hidden & 1) = 0
                  WHERE m.id = ?1 AND t.body_state <> 4
                    AND (m.msgid <> '' OR (m.sha256 <> x'' AND t.sha256 = m.sha256)) LIMIT 1"
            ),
            (message, there, to),
            |_| Ok(()),
        )?;
        Ok(held.is_some())
    }
}

impl Tx<'_> {
    pub(super) fn carry(&mut self, from: FolderId, there: AccountId, items: &[PlacementId]) -> Result<u64> {
        let here = self.account_of(from)?;
        let aim = match (Passage { db: self.db }).aim(from, there)? {
            Ok(aim) => aim,
            Err(why) => return Err(Error::new(Kind::Unsupported, why)),
        };
        let is_all =
            self.db.one(sql!("SELECT role = 'all' FROM folders WHERE id = ?1"), [from], |row| row.get(0))?;
        let is_parked =
            self.db.one(sql!("SELECT parked <> 0 FROM accounts WHERE id = ?1"), [here], |row| row.get(0))?;
        // Nobody fetches what is not here of an account without a server.
        let is_reached = self.owner(here)? == Owner::Server && is_parked == Some(false);
        let mut wanted = Vec::new();
        for item in items {
            let copy = self.placement(*item)?;
            let Some(copy) = copy.filter(|copy| copy.folder == from && !copy.is_leaving()) else { continue };
            let is_elsewhere = is_all == Some(true) && self.copies(copy.message)?.len() > 1;
            let is_there = match aim.folder {
                Some(to) => (Passage { db: self.db }).is_in(copy.message, there, to)?,
                None => false,
            };
            let is_partial = !is_reached && !self.is_whole(copy.message)?;
            if !is_elsewhere && !is_there && !is_partial {
                wanted.push((copy, None));
            }
        }
        if wanted.is_empty() {
            return Ok(0);
        }
        let to = match (aim.folder, aim.role) {
            (Some(to), _) => to,
            (None, Some(role)) => self.role_folder(there, role)?,
            (None, None) => self.new_path(there, &aim.path)?,
        };
        let acts = self.send_far(&Far { from, to, copies: &wanted, away: false })?;
        Ok(acts.iter().map(|act| act.messages().count() as u64).sum())
    }
}
