//! Names that a server gives once and for good: EMAILID, MAILBOXID (RFC 8474), X-GM-MSGID.

use super::answer::text;
use super::token::Value;

/// Folders that are labels, and X-GM-MSGID (Gmail).
pub(super) const LABELS: &str = "X-GM-EXT-1";

/// What is told as such a name, right or wrong.
pub(super) fn told(value: Value<'_>) -> Option<String> {
    value
        .into_list()
        .first()
        .and_then(|id| id.bytes().map(text))
        .filter(|id| !id.is_empty() && id.len() <= 255)
}

/// Whether it is one (RFC 8474 section 7). Cyrus 3.6 tells stray bytes as MAILBOXID in STATUS.
pub(super) fn is_one(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[test]
fn i1_stray_bytes_are_no_name() {
    assert!(["F2212ea87-6097_x", "1278455344230334865"].iter().all(|id| is_one(id)));
    assert!(["", "gf\u{1c}\u{fffd}U", "{\u{1a}", "a b"].iter().all(|id| !is_one(id)));
}
