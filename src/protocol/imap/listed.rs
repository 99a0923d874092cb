//! What a server says of mailboxes that are not selected: LIST, LSUB, STATUS, NAMESPACE (RFC 9051 section 7.3).

use super::answer::names;
use super::object;
use super::reply::Reply;
use super::token::{Tokens, Value};

/// So many namespaces of others are taken in.
const NAMESPACES: usize = 50;

/// The same for what a folder is said to be.
const ATTRIBUTES: usize = 50;
const ATTRIBUTE_LEN: usize = 100;

/// One mailbox of a LIST or LSUB.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Listed {
    /// Whether it was an LSUB.
    pub(super) lsub: bool,
    /// `\Noselect` and the like, in lower case.
    pub(super) attributes: Vec<String>,
    pub(super) delimiter: Option<u8>,
    pub(super) name: Vec<u8>,
}

impl Listed {
    /// Whether it has this attribute, given in lower case.
    pub(super) fn is(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a == attribute)
    }
}

/// What a STATUS told of one mailbox.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Counted {
    pub(super) name: Vec<u8>,
    pub(super) messages: Option<u32>,
    pub(super) uidnext: Option<u32>,
    pub(super) validity: Option<u32>,
    pub(super) modseq: Option<u64>,
    /// APPENDLIMIT (RFC 7889).
    pub(super) limit: Option<u64>,
    /// MAILBOXID (RFC 8474).
    pub(super) object_id: Option<String>,
}

pub(super) fn listed(tokens: &mut Tokens<'_>, lsub: bool) -> Reply {
    let attributes = tokens.value().map(names).unwrap_or_default();
    let delimiter = tokens.value().and_then(delimiter);
    // A mailbox may be called NIL.
    let name = match tokens.value() {
        Some(Value::Nil) => b"NIL".to_vec(),
        Some(value) => value.bytes().map(<[u8]>::to_vec).unwrap_or_default(),
        None => Vec::new(),
    };
    if name.is_empty() && !attributes.iter().any(|a| a.eq_ignore_ascii_case("\\noselect")) {
        return Reply::Other;
    }
    let known = attributes.iter().filter(|a| a.len() <= ATTRIBUTE_LEN).take(ATTRIBUTES);
    let attributes = known.map(|a| a.to_ascii_lowercase()).collect();
    Reply::List(Listed { lsub, attributes, delimiter, name })
}

pub(super) fn counted(tokens: &mut Tokens<'_>) -> Reply {
    let name = match tokens.value() {
        Some(Value::Nil) => b"NIL".to_vec(),
        Some(value) => value.bytes().map(<[u8]>::to_vec).unwrap_or_default(),
        None => return Reply::Other,
    };
    let mut told = Counted { name, ..Counted::default() };
    let mut items = tokens.value().map(Value::into_list).unwrap_or_default().into_iter();
    while let (Some(item), Some(value)) = (items.next(), items.next()) {
        let count = value.number();
        let small = count.and_then(|n| u32::try_from(n).ok());
        match item.bytes().unwrap_or_default().to_ascii_uppercase().as_slice() {
            b"MESSAGES" => told.messages = small,
            b"UIDNEXT" => told.uidnext = small,
            b"UIDVALIDITY" => told.validity = small,
            b"HIGHESTMODSEQ" => told.modseq = count,
            b"APPENDLIMIT" => told.limit = count,
            b"MAILBOXID" => told.object_id = object::told(value),
            _ => {}
        }
    }
    Reply::Status(told)
}

/// Three lists of namespaces (RFC 2342): `(("INBOX." ".")) (("user." ".")) NIL`.
pub(super) fn namespace(tokens: &mut Tokens<'_>) -> Reply {
    let one = |value: Value<'_>| {
        let mut parts = value.into_list().into_iter();
        // A NUL cannot be said in a command.
        let prefix = parts.next()?.bytes().filter(|prefix| !prefix.contains(&0))?.to_vec();
        Some((prefix, parts.next().and_then(delimiter)))
    };
    let own = tokens.value().and_then(|value| one(value.into_list().into_iter().next()?));
    let others = std::iter::from_fn(|| tokens.value()).take(2).flat_map(Value::into_list);
    let foreign = others.take(NAMESPACES).filter_map(one).map(|(prefix, _)| prefix);
    // One without a name would be all there is.
    Reply::Namespace { own, foreign: foreign.filter(|prefix| !prefix.is_empty()).collect() }
}

/// What stands between levels: it becomes part of names that are said.
fn delimiter(value: Value<'_>) -> Option<u8> {
    value.bytes()?.first().copied().filter(|byte| (b' '..=b'~').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::imap::reply::read;

    #[test]
    fn lists_and_counts() {
        let Reply::List(listed) = read(b"* LIST (\\HasNoChildren \\SENT) \".\" {5}\r\na\"b c\r\n") else {
            panic!()
        };
        assert_eq!((listed.delimiter, listed.name.as_slice()), (Some(b'.'), &b"a\"b c"[..]));
        assert!(listed.is("\\sent") && !listed.is("\\noselect"));
        let Reply::List(listed) = read(b"* LSUB () NIL NIL\r\n") else { panic!() };
        assert_eq!((listed.delimiter, listed.name.as_slice(), listed.lsub), (None, &b"NIL"[..], true));
        assert_eq!(read(b"* LIST () \"/\" \"\"\r\n"), Reply::Other);
        let Reply::Status(told) =
            read(b"* STATUS \"x y\" (MESSAGES 3 FOO (1) UIDNEXT 9 HIGHESTMODSEQ 88)\r\n")
        else {
            panic!()
        };
        assert_eq!(
            (told.messages, told.uidnext, told.modseq, told.validity),
            (Some(3), Some(9), Some(88), None)
        );
        let own = Some((b"INBOX.".to_vec(), Some(b'.')));
        assert_eq!(
            read(b"* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n"),
            Reply::Namespace { own: own.clone(), foreign: vec![] }
        );
        assert_eq!(
            read(b"* NAMESPACE ((INBOX. .)) ((\"user.\" \".\")) ((\"\" \".\")({3}\r\na\0b NIL)(\"shared.\" \".\" X ()))\r\n"),
            Reply::Namespace { own, foreign: vec![b"user.".to_vec(), b"shared.".to_vec()] }
        );
        let none = Reply::Namespace { own: None, foreign: vec![] };
        assert_eq!(read(b"* NAMESPACE NIL NIL NIL\r\n"), none);
        assert_eq!(read(b"* NAMESPACE\r\n"), none);
    }
}
