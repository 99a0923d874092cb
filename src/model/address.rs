//! A mail address with its display name.

/// One mailbox of RFC 5322 section 3.4, decoded but not cleaned: for comparing and storing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The display name, decoded; may be empty.
    pub name: String,
    /// `local@domain` as written; may be anything on hostile mail.
    pub addr: String,
}

impl Address {
    /// Whether both name the same mailbox: case does not count.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.addr.eq_ignore_ascii_case(&other.addr)
    }
}
