//! What is known of signing in to an account, over processes and restarts (promise A7).

use super::db::sql;
use super::reader::Reader;
use super::tx::Tx;
use crate::error::Result;
use crate::model::AccountId;
use crate::secret::Fingerprint;

/// A secret that a server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whose.
    pub print: Fingerprint,
    /// When, Unix time.
    pub at: i64,
    /// Whether it is believed: not to be tried again. Else it is tried once more.
    pub is_final: bool,
}

/// What is known of signing in to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIns {
    /// Whether it ever worked.
    pub worked: bool,
    /// The secret that was refused last; none where one worked since.
    pub refusal: Option<Refusal>,
}

impl Refusal {
    /// As `accounts.refused` has it: whether it is final, when, the fingerprint.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.is_final)];
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes.extend_from_slice(self.print.bytes());
        bytes
    }

    /// `None`: there is none, or it is of another version of this program, which only costs one more try.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (is_final, rest) = bytes.split_first()?;
        let (at, print) = rest.split_first_chunk::<8>()?;
        let print = Fingerprint::from_bytes(print)?;
        Some(Self { print, at: i64::from_be_bytes(*at), is_final: *is_final != 0 })
    }
}

impl Reader {
    /// What is known of signing in to an account.
    pub fn sign_ins(&self, account: AccountId) -> Result<SignIns> {
        let known =
            self.0.one(sql!("SELECT worked, refused FROM accounts WHERE id = ?1"), [account], |row| {
                Ok(SignIns { worked: row.get(0)?, refusal: Refusal::read(row.get_ref(1)?.as_blob()?) })
            })?;
        Ok(known.unwrap_or(SignIns { worked: false, refusal: None }))
    }
}

impl Tx<'_> {
    /// A sign-in worked, or a secret was refused.
    pub(super) fn signed_in(&self, account: AccountId, refusal: Option<&Refusal>) -> Result<()> {
        let refused = refusal.map(Refusal::bytes).unwrap_or_default();
        self.db.run(
            sql!("UPDATE accounts SET worked = worked OR ?2, refused = ?3 WHERE id = ?1"),
            (account, refusal.is_none(), refused),
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a7_a_refusal_is_read_as_it_was_written() {
        let print = Fingerprint::of(&Secret::new("x")).unwrap();
        let refusal = Refusal { print, at: 1_790_000_000, is_final: true };
        assert_eq!(Refusal::read(&refusal.bytes()), Some(refusal));
        assert_eq!(Refusal::read(b""), None);
        assert_eq!(Refusal::read(&[1; 20]), None);
    }
}
