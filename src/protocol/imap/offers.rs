//! What a server offers: its capabilities (RFC 9051 section 7.2.2).

use std::collections::BTreeSet;

/// More than this is not taken in.
const MOST: usize = 500;

/// A set of capabilities. Empty: not told yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Offers(BTreeSet<String>);

impl Offers {
    /// Takes in what was told; whatever was told before is void.
    pub(super) fn new(words: Vec<String>) -> Self {
        Self(words.into_iter().take(MOST).map(|word| word.to_ascii_uppercase()).collect())
    }

    /// Whether this one, given in upper case, is offered.
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// Whether nothing was told.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ways to sign in that are offered.
    pub(super) fn mechanisms(&self) -> Vec<&str> {
        self.0.iter().filter_map(|word| word.strip_prefix("AUTH=")).collect()
    }

    /// Those that are safe to repeat to a strict reader.
    pub(super) fn plain_words(&self) -> impl Iterator<Item = &str> {
        let plain = |word: &&String| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"=-+.".contains(&b));
        self.0.iter().filter(plain).map(String::as_str)
    }

    /// Whether a literal of this size needs no leave (RFC 7888).
    pub(super) fn takes_literal(&self, size: usize) -> bool {
        (self.has("LITERAL+") && size <= 1 << 20) || (self.has("LITERAL-") && size <= 4096)
    }

    /// The longest message that APPEND takes, where that is told (RFC 7889).
    pub(super) fn longest_message(&self) -> Option<u64> {
        self.0.iter().find_map(|word| word.strip_prefix("APPENDLIMIT=")?.parse().ok())
    }

    /// Whether modification sequences are kept (RFC 7162); QRESYNC implies it.
    pub(super) fn has_modseq(&self) -> bool {
        self.has("CONDSTORE") || self.has("QRESYNC")
    }
}
