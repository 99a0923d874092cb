//! Where the folders of the user are, and how new ones are called (RFC 2342).

use super::Session;
use super::command::Command;
use super::list::Listing;
use super::names;
use super::reply::Listed;
use crate::error::{Error, Kind, Result};

/// Where the folders of the user are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Root {
    /// What all their names begin with.
    pub(super) prefix: Vec<u8>,
    /// What stands between levels; `None`: there are none.
    pub(super) delimiter: Option<u8>,
    /// What the names of folders begin with that are not the user's own.
    pub(super) foreign: Vec<Vec<u8>>,
}

impl Root {
    /// Whether a folder is another user's, or one that is shared.
    pub(super) fn is_foreign(&self, name: &[u8]) -> bool {
        let within = |prefix: &&Vec<u8>| {
            name.starts_with(prefix)
                || self.delimiter.is_some_and(|end| prefix.strip_suffix(&[end]) == Some(name))
        };
        !names::is_inbox(name)
            && self
                .foreign
                .iter()
                .filter(|prefix| !self.prefix.starts_with(prefix))
                .any(|prefix| within(&prefix))
    }
}

impl Session {
    /// Where new folders go.
    pub(super) fn root(&mut self) -> Result<Root> {
        if let Some(root) = &self.root {
            return Ok(root.clone());
        }
        let mut told = Listing::default();
        let doing = "the server does not say how folders are named";
        if self.link.state.offers.has("NAMESPACE") {
            self.link.ask(doing, &Command::new("NAMESPACE"), &mut |reply| told.hear(reply))?;
        }
        if told.namespace.is_none() {
            // Nor does one tell it that has namespaces of others only.
            self.link.ask(doing, &Command::new("LIST \"\" \"\""), &mut |reply| told.hear(reply))?;
        }
        let delimiter = told.listed.first().and_then(|root| root.delimiter);
        let foreign = std::mem::take(&mut told.foreign);
        let root = told.namespace.unwrap_or(Root { delimiter, foreign, ..Root::default() });
        self.root = Some(root.clone());
        Ok(root)
    }
}

/// A path as a name on the wire, below the user's root.
pub(super) fn wire_name(path: &str, root: &Root) -> Result<Vec<u8>> {
    let wrong =
        |why: &str| Err(Error::new(Kind::Refused, format!("a folder cannot be called {path:?}: {why}")));
    if names::is_inbox(path.as_bytes()) {
        return Ok(b"INBOX".to_vec());
    }
    let levels: Vec<&str> = path.split('/').collect();
    if levels.iter().any(|level| level.is_empty()) {
        return wrong("a level of it has no name");
    }
    if path.chars().any(char::is_control) {
        return wrong("it holds control characters");
    }
    let Some(delimiter) = root.delimiter else {
        if levels.len() > 1 {
            return wrong("the server has no folders within folders");
        }
        return Ok([&root.prefix[..], names::encode(path).as_bytes()].concat());
    };
    let encoded: Vec<Vec<u8>> = levels.iter().map(|level| names::encode(level).into_bytes()).collect();
    if encoded.iter().any(|level| level.contains(&delimiter)) {
        return wrong(&format!("on this server {:?} stands between levels", char::from(delimiter)));
    }
    let within_inbox = encoded.len() > 1 && names::is_inbox(&encoded[0]);
    let prefix = if within_inbox { &[][..] } else { &root.prefix[..] };
    Ok([prefix, &encoded.join(&delimiter)[..]].concat())
}

/// Servers without NAMESPACE that keep everything beneath INBOX.
pub(super) fn guess(listed: &[Listed], foreign: Vec<Vec<u8>>) -> Root {
    let delimiter = listed.iter().find_map(|folder| folder.delimiter);
    let mut root = Root { prefix: Vec::new(), delimiter, foreign };
    let Some(separator) = delimiter else { return root };
    let inbox = [&b"INBOX"[..], &[separator]].concat();
    let own = |folder: &&Listed| !names::is_inbox(&folder.name) && !root.is_foreign(&folder.name);
    let mut others = listed.iter().filter(own).peekable();
    if others.peek().is_some() && others.all(|folder| folder.name.starts_with(&inbox)) {
        root.prefix = inbox;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::imap::reply::read;

    #[test]
    fn a_root_beneath_inbox_is_found() {
        let listed = |lines: &[&str]| {
            let mut told = Listing::default();
            lines.iter().for_each(|line| drop(told.hear(read(line.as_bytes())).unwrap()));
            told.listed
        };
        let beneath =
            listed(&["* LIST () \".\" INBOX", "* LIST () \".\" INBOX.a", "* LIST () \".\" INBOX.b"]);
        assert_eq!(guess(&beneath, vec![]).prefix, b"INBOX.");
        let shared = || vec![b"shared.".to_vec()];
        let with_others = listed(&[
            "* LIST () \".\" INBOX",
            "* LIST () \".\" INBOX.a",
            "* LIST (\\Noselect) \".\" shared",
            "* LIST () \".\" shared.b",
        ]);
        let root = guess(&with_others, shared());
        assert_eq!(root, Root { prefix: b"INBOX.".to_vec(), delimiter: Some(b'.'), foreign: shared() });
        assert!(root.is_foreign(b"shared") && root.is_foreign(b"shared.b") && !root.is_foreign(b"INBOX.a"));
        let beside = listed(&["* LIST () \".\" INBOX", "* LIST () \".\" INBOX.a", "* LIST () \".\" b"]);
        assert_eq!(guess(&beside, vec![]), Root { prefix: vec![], delimiter: Some(b'.'), ..Root::default() });
        assert_eq!(guess(&listed(&["* LIST () \"/\" INBOX"]), vec![]).prefix, b"");
    }

    #[test]
    fn x4_new_names_stay_names() {
        let root = Root { prefix: b"INBOX.".to_vec(), delimiter: Some(b'.'), ..Root::default() };
        let name = |path: &str| wire_name(path, &root).map(|name| String::from_utf8(name).unwrap());
        assert_eq!(name("Archive/2024").unwrap(), "INBOX.Archive.2024");
        assert_eq!(name("INBOX/a").unwrap(), "INBOX.a");
        assert_eq!(name("inbox").unwrap(), "INBOX");
        assert_eq!(name("Entwürfe & mehr").unwrap(), "INBOX.Entw&APw-rfe &- mehr");
        for bad in ["a.b", "a//b", "", "/a", "a\r\nb", "a\0"] {
            assert_eq!(name(bad).unwrap_err().kind(), Kind::Refused, "{bad}");
        }
        let flat = Root { prefix: vec![], delimiter: None, ..Root::default() };
        assert_eq!(wire_name("a.b", &flat).unwrap(), b"a.b");
        assert!(wire_name("a/b", &flat).is_err());
    }
}
