//! The system flags of a mail as a bit set, and changes to it as what to add and what to remove.

use std::ops::{BitAnd, BitOr, Not};

use super::tag::is_same_tag;

/// A set of flags (RFC 9051 section 2.3.2). The bits are stored: never renumber them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Flags(u32);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// `\Seen`: it was read.
    pub const SEEN: Self = Self(1);
    /// `\Answered`.
    pub const ANSWERED: Self = Self(2);
    /// `\Flagged`: starred.
    pub const FLAGGED: Self = Self(4);
    /// `\Draft`.
    pub const DRAFT: Self = Self(8);
    /// `\Deleted`: marked for the next expunge.
    pub const DELETED: Self = Self(16);
    /// `$Forwarded` (RFC 5788).
    pub const FORWARDED: Self = Self(32);

    const NAMES: [(Self, &'static str); 6] = [
        (Self::SEEN, "\\Seen"),
        (Self::ANSWERED, "\\Answered"),
        (Self::FLAGGED, "\\Flagged"),
        (Self::DRAFT, "\\Draft"),
        (Self::DELETED, "\\Deleted"),
        (Self::FORWARDED, "$Forwarded"),
    ];

    /// The set with exactly these stored bits; bits that no flag has are dropped.
    #[must_use]
    pub fn from_bits(bits: i64) -> Self {
        Self(u32::try_from(bits & 63).unwrap_or(0))
    }

    /// The bits as stored.
    #[must_use]
    pub fn bits(self) -> i64 {
        i64::from(self.0)
    }

    /// Whether every flag of `other` is in this set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no flag is set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flag with this name on the wire, in any case; `None` for a keyword or an unknown flag.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(flag, _)| *flag)
    }

    /// The names on the wire.
    pub fn wire_names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & 63)
    }
}

/// A change of flags: what to add and what to remove; all other flags stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct FlagDelta {
    /// Flags to set.
    pub add: Flags,
    /// Flags to clear.
    pub del: Flags,
}

impl FlagDelta {
    /// Sets `flags`.
    #[must_use]
    pub fn add(flags: Flags) -> Self {
        Self { add: flags, del: Flags::NONE }
    }

    /// Clears `flags`.
    #[must_use]
    pub fn del(flags: Flags) -> Self {
        Self { add: Flags::NONE, del: flags }
    }

    /// The set after this change.
    #[must_use]
    pub fn apply(self, flags: Flags) -> Flags {
        (flags | self.add) & !self.del
    }

    /// The change that takes this one back, if every flag it names really changed.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { add: self.del, del: self.add }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.add.is_empty() && self.del.is_empty()
    }
}

/// A change of flags and tags; all others stay as they are. No tag is named twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Marking {
    /// What to do to the flags.
    #[serde(flatten)]
    pub flags: FlagDelta,
    /// Tags to set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<String>,
    /// Tags to clear.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untag: Vec<String>,
}

impl Marking {
    /// The change that takes this one back, if everything it names really changed.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { flags: self.flags.inverse(), tag: self.untag.clone(), untag: self.tag.clone() }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty() && self.tag.is_empty() && self.untag.is_empty()
    }

    /// What it does to a tag: sets it, clears it, or nothing.
    #[must_use]
    pub fn of_tag(&self, name: &str) -> Option<bool> {
        let is_in = |tags: &[String]| tags.iter().any(|tag| is_same_tag(tag, name));
        match (is_in(&self.tag), is_in(&self.untag)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

impl From<FlagDelta> for Marking {
    fn from(flags: FlagDelta) -> Self {
        Self { flags, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_written_as_flags_were_before_there_were_tags() {
        let star = Marking::from(FlagDelta::add(Flags::FLAGGED));
        assert_eq!(serde_json::to_string(&star).unwrap(), r#"{"add":4,"del":0}"#);
        let all = Marking { tag: vec!["a".into()], untag: vec!["b".into()], ..star };
        let written = serde_json::to_string(&all).unwrap();
        assert_eq!(written, r#"{"add":4,"del":0,"tag":["a"],"untag":["b"]}"#);
        assert_eq!(serde_json::from_str::<Marking>(&written).unwrap(), all);
        assert_eq!(all.inverse().inverse(), all);
        assert_eq!((all.of_tag("A"), all.of_tag("b"), all.of_tag("c")), (Some(true), Some(false), None));
    }

    #[test]
    fn a_delta_and_its_inverse_cancel() {
        let before = Flags::SEEN | Flags::FLAGGED;
        let delta = FlagDelta { add: Flags::ANSWERED, del: Flags::SEEN };
        let after = delta.apply(before);
        assert_eq!(after, Flags::ANSWERED | Flags::FLAGGED);
        assert_eq!(delta.inverse().apply(after), before);
    }

    #[test]
    fn wire_names_are_read_in_any_case() {
        assert_eq!(Flags::from_wire("\\seen"), Some(Flags::SEEN));
        assert_eq!(Flags::from_wire("\\Recent"), None);
        let all: Vec<_> = (Flags::SEEN | Flags::FORWARDED).wire_names().collect();
        assert_eq!(all, ["\\Seen", "$Forwarded"]);
    }
}
