//! What a server tells of itself: what it is (ID, RFC 2971), and how much room there is (QUOTA, RFC 9208).

use super::Session;
use super::command::Command;
use super::link::deaf;
use super::token::{Tokens, Value};
use crate::error::{Error, Result};
use crate::model::Quota;
use crate::text::Clean;

/// So many letters of a name are kept.
const NAME: usize = 60;

/// The answer to ID: name and version; `None`: it keeps them to itself.
pub(super) fn id(tokens: &mut Tokens<'_>) -> Option<Clean> {
    let fields = tokens.value()?.into_list();
    let field = |wanted: &str| {
        let mut pairs = fields.chunks_exact(2);
        let found = pairs
            .find(|pair| pair[0].bytes().is_some_and(|name| name.eq_ignore_ascii_case(wanted.as_bytes())))?;
        let text: String = String::from_utf8_lossy(found[1].bytes()?).trim().chars().take(NAME).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    let name = field("name").or_else(|| field("vendor"))?;
    Some(Clean::line(&match field("version") {
        Some(version) => format!("{name} {version}"),
        None => name,
    }))
}

/// One QUOTA: its storage (RFC 9208 section 5.1). A limit of 0 is what some servers call none.
pub(super) fn quota(tokens: &mut Tokens<'_>) -> Option<Quota> {
    tokens.value()?;
    let resources = tokens.value()?.into_list();
    let storage = resources
        .chunks_exact(3)
        .find(|resource| resource[0].bytes().is_some_and(|name| name.eq_ignore_ascii_case(b"STORAGE")))?;
    // In units of 1024 bytes.
    let bytes = |value: &Value<'_>| value.number().map(|units| units.saturating_mul(1024));
    let quota = Quota { used: bytes(&storage[1])?, limit: bytes(&storage[2])? };
    (quota.limit > 0).then_some(quota)
}

/// Of two roots that mail goes against, the one that has less room counts.
pub(super) fn tighter(one: Option<Quota>, other: Quota) -> Quota {
    let full = |a: Quota, b: Quota| u128::from(a.used) * u128::from(b.limit);
    one.filter(|one| full(*one, other) >= full(other, *one)).unwrap_or(other)
}

impl Session {
    /// Asks how much room there is; the answer is heard in passing.
    pub(super) fn ask_room(&mut self) -> Result<Option<String>> {
        let offers = &self.link.state.offers;
        if !offers.has("QUOTA") && !offers.has("QUOTA=RES-STORAGE") {
            return Ok(None);
        }
        self.link.state.about.quota = None;
        self.link.send(&Command::new("GETQUOTAROOT INBOX")).map(Some)
    }

    /// What went wrong, with figures where it went wrong because the mailbox is full.
    pub(super) fn with_room<T>(&mut self, done: Result<T>) -> Result<T> {
        let Err(error) = done else { return done };
        if !std::mem::take(&mut self.link.state.is_full) {
            return Err(error);
        }
        // What was told with the folders may be of long ago.
        if let Ok(Some(tag)) = self.ask_room() {
            let _ = self.link.answer(&tag, &mut deaf);
        }
        let Some(quota) = self.link.state.about.quota else { return Err(error) };
        let said = std::error::Error::source(&error).map(|said| format!(": {said}")).unwrap_or_default();
        let full = Error::new(error.kind(), error.context()).because(format!("{quota} are in use{said}"));
        Err(match error.hint_text() {
            Some(hint) => full.hint(hint),
            None => full,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::imap::reply::{Reply, read};

    fn id_of(line: &str) -> Option<String> {
        match read(line.as_bytes()) {
            Reply::Id(name) => name.map(|name| name.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn i10_a_server_says_what_it_is() {
        let said = id_of("* ID (\"name\" \"Dovecot\" \"version\" \"2.3.19\" \"os\" NIL)\r\n");
        assert_eq!(said.as_deref(), Some("Dovecot 2.3.19"));
        assert_eq!(id_of("* ID (\"VENDOR\" \"Google, Inc.\" \"x\")\r\n").as_deref(), Some("Google, Inc."));
        assert_eq!(id_of("* ID (name {4}\r\na\x1b[m)\r\n").as_deref(), Some("a\u{fffd}[m"));
        let long = id_of(&format!("* ID (\"name\" \"{}\")\r\n", "x".repeat(5000))).unwrap();
        assert_eq!(long.len(), NAME);
        for none in
            ["* ID NIL\r\n", "* ID\r\n", "* ID ()\r\n", "* ID (\"name\")\r\n", "* ID (\"name\" \" \")\r\n"]
        {
            assert_eq!(id_of(none), None, "{none}");
        }
    }

    fn quota_of(line: &str) -> Option<Quota> {
        match read(line.as_bytes()) {
            Reply::Quota(quota) => quota,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn i10_room_is_read_in_any_spelling() {
        let room = Some(Quota { used: 10 * 1024, limit: 512 * 1024 });
        for line in [
            "* QUOTA \"\" (STORAGE 10 512)\r\n",
            "* quota root (MESSAGE 1 2 storage 10 512)\r\n",
            "* QUOTA {3}\r\na b (\"STORAGE\" \"10\" \"512\")\r\n",
            "* QUOTA NIL (STORAGE 10 512 X)\r\n",
        ] {
            assert_eq!(quota_of(line), room, "{line}");
        }
        for none in [
            "* QUOTA \"\" ()\r\n",
            "* QUOTA \"\"\r\n",
            "* QUOTA\r\n",
            "* QUOTA \"\" (STORAGE 0 0)\r\n",
            "* QUOTA \"\" (STORAGE -1 5)\r\n",
            "* QUOTA \"\" (STORAGE 10)\r\n",
            "* QUOTA \"\" (MESSAGE 1 2)\r\n",
        ] {
            assert_eq!(quota_of(none), None, "{none}");
        }
        let huge = quota_of("* QUOTA x (STORAGE 18446744073709551615 18446744073709551615)\r\n");
        assert_eq!(huge, Some(Quota { used: u64::MAX, limit: u64::MAX }));
    }

    #[test]
    fn the_root_with_less_room_counts() {
        let [half, most] = [50, 90].map(|used| Quota { used, limit: 100 });
        assert_eq!(tighter(None, half), half);
        assert_eq!(tighter(Some(half), most), most);
        assert_eq!(tighter(Some(most), half), most);
    }
}
