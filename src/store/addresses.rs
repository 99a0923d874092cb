//! People written to, for completion: those who are written to often and lately first.

use super::db::{sql, unsigned};
use super::handle::Store;
use super::inbox::{Answer, Job};
use super::reader::Reader;
use super::tx::Tx;
use crate::error::{Error, Kind, Result};
use crate::model::Address;

/// Seconds after which a mail counts half as much.
const HALF: i64 = 60 * 86_400;

/// Somebody who was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Name and address.
    pub who: Address,
    /// Mails to this address.
    pub sent: u64,
    /// The last, Unix time.
    pub last: i64,
}

impl Known {
    /// How likely it is meant, if all else is equal.
    fn weight(&self, now: i64) -> f64 {
        let age = now.saturating_sub(self.last).max(0) as f64 / HALF as f64;
        (1.0 + self.sent as f64).ln() + 2.0 * 0.5_f64.powf(age)
    }

    /// Whether each typed word, in lower case, begins a word of the name or a piece of the address.
    #[must_use]
    pub fn fits(&self, typed: &[String]) -> bool {
        let (name, addr) = (self.who.name.to_lowercase(), self.who.addr.to_lowercase());
        let pieces =
            || name.split(|c: char| !c.is_alphanumeric()).chain(addr.split(['.', '-', '_', '+', '@']));
        typed.iter().all(|word| {
            addr.starts_with(word.as_str())
                || name.starts_with(word.as_str())
                || pieces().any(|piece| piece.starts_with(word.as_str()))
        })
    }
}

impl Store {
    /// Takes in people for completion; how many were not known. A name that is known stays.
    pub fn learn(&self, people: Vec<Address>) -> Result<u64> {
        match self.ask(Job::Learn(people))? {
            Answer::Count(count) => Ok(count),
            _ => Err(Error::new(Kind::Bug, "the store mixed up its answers")),
        }
    }
}

impl Tx<'_> {
    pub(super) fn learn(&mut self, people: &[Address]) -> Result<u64> {
        let mut new = 0;
        for who in people {
            let added = self.db.run(
                sql!("INSERT OR IGNORE INTO addresses (addr, name) VALUES (?1, ?2)"),
                (&who.addr, &who.name),
            )?;
            new += u64::from(added > 0);
            self.db.run(
                sql!("UPDATE addresses SET name = ?2 WHERE addr = ?1 AND name = ''"),
                (&who.addr, &who.name),
            )?;
        }
        Ok(new)
    }
}

impl Reader {
    /// Those who may be meant by what was typed so far, the likeliest first. `now`: Unix time.
    pub fn complete(&self, typed: &str, now: i64, limit: usize) -> Result<Vec<Known>> {
        let typed: Vec<String> = typed.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let mut found = self.known()?;
        found.retain(|one| one.fits(&typed));
        found.sort_by(|a, b| {
            b.weight(now).total_cmp(&a.weight(now)).then_with(|| a.who.addr.cmp(&b.who.addr))
        });
        found.truncate(limit);
        Ok(found)
    }

    /// Everybody who was ever written to.
    pub fn known(&self) -> Result<Vec<Known>> {
        self.0.all(sql!("SELECT addr, name, sent, last FROM addresses"), [], |row| {
            let who = Address { addr: row.get(0)?, name: row.get(1)? };
            Ok(Known { who, sent: unsigned(row.get(2)?), last: row.get(3)? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Home;

    #[test]
    fn who_is_written_to_often_and_lately_comes_first() {
        let home = Home::new();
        home.store
            .on_writer(|db| {
                db.execute_batch(
                    "INSERT INTO addresses (addr, name, sent, last) VALUES
                     ('bob@old.org', 'Bob Old', 3, 1000), ('bob@work.org', 'Bob Miller', 3, 1699990000),
                     ('b.often@x.org', 'Bobby', 400, 1699990000), ('ümit@x.org', 'Ümit Öz', 1, 1)",
                )
                .unwrap();
            })
            .unwrap();
        let reader = home.store.reader().unwrap();
        let complete = |typed: &str| -> Vec<String> {
            reader.complete(typed, 1_700_000_000, 10).unwrap().into_iter().map(|one| one.who.addr).collect()
        };
        assert_eq!(complete("bob"), ["b.often@x.org", "bob@work.org", "bob@old.org"]);
        assert_eq!(complete("mil"), ["bob@work.org"]);
        assert_eq!(complete("BOB old"), ["bob@old.org"]);
        assert_eq!(complete("öz"), ["ümit@x.org"]);
        assert_eq!(complete("often"), ["b.often@x.org"]);
        assert!(complete("ob").is_empty());
        assert_eq!(complete("").len(), 4);
    }
}
