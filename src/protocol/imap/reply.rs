//! What a server says, response by response (RFC 9051 section 7), as values.
//!
//! Whatever is not understood becomes [`Reply::Other`]: unknown responses are allowed at any time.

use super::about;
use super::answer::{Answer, Verdict, names, text, words};
pub(super) use super::listed::{Counted, Listed};
use super::listed::{counted, listed, namespace};
use super::literal::number;
use super::names::decode_keyword;
use super::object;
use super::sets::Ranges;
use super::token::{Tokens, Value};
use crate::model::{Flags, Quota};
use crate::text::Clean;

/// How many keywords one message may carry, and how long one may be: beyond that they are left out.
const KEYWORDS: usize = 200;
const KEYWORD_LEN: usize = 200;

/// One response.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// The answer that ends the command with this tag.
    Done { tag: String, answer: Answer },
    /// `+`: the server waits for more.
    Continue(Vec<u8>),
    /// An untagged OK, NO, BAD, BYE or PREAUTH.
    Says(Answer),
    /// CAPABILITY.
    Offers(Vec<String>),
    /// EXISTS: how many messages the selected mailbox holds.
    Exists(u32),
    /// EXPUNGE: this message number is gone.
    Expunge,
    /// VANISHED (RFC 7162 section 3.2.10).
    Vanished {
        /// These went before the mailbox was selected.
        earlier: bool,
        /// Which; `None` where the set is longer than that of any mailbox.
        uids: Option<Ranges>,
    },
    /// ENABLED (RFC 5161): extensions that are in use from now on, in upper case.
    Enabled(Vec<String>),
    /// FETCH.
    Fetch(Box<Fetched>),
    /// LIST or LSUB.
    List(Listed),
    /// STATUS.
    Status(Counted),
    /// SEARCH, or ESEARCH with RETURN (ALL): `None` where it is not to be believed.
    Found(Option<Ranges>),
    /// NAMESPACE (RFC 2342).
    Namespace {
        /// The first personal one, its prefix and delimiter.
        own: Option<(Vec<u8>, Option<u8>)>,
        /// The prefixes of what other users have, and of what is shared.
        foreign: Vec<Vec<u8>>,
    },
    /// ID: what the server is.
    Id(Option<Clean>),
    /// QUOTA: how much room a root has.
    Quota(Option<Quota>),
    /// FLAGS: the flags that the selected mailbox knows.
    Flags(Vec<String>),
    /// Anything else.
    Other,
}

impl Reply {
    /// The names of mailboxes in it, and what such names begin with.
    pub(super) fn names(&mut self) -> impl Iterator<Item = &mut Vec<u8>> {
        let (name, others) = match self {
            Self::List(folder) => (Some(&mut folder.name), &mut [][..]),
            Self::Status(counts) => (Some(&mut counts.name), &mut [][..]),
            Self::Namespace { own, foreign } => (own.as_mut().map(|(prefix, _)| prefix), &mut foreign[..]),
            _ => (None, &mut [][..]),
        };
        name.into_iter().chain(others)
    }
}

/// What a FETCH told of one message.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Fetched {
    pub(super) seq: u32,
    pub(super) uid: Option<u32>,
    pub(super) flags: Option<(Flags, Vec<String>)>,
    pub(super) size: Option<u64>,
    /// INTERNALDATE as Unix seconds.
    pub(super) received: Option<i64>,
    /// EMAILID (RFC 8474) or X-GM-MSGID.
    pub(super) remote_id: Option<String>,
    /// `BODY[HEADER]`.
    pub(super) head: Option<Vec<u8>>,
    /// `BODY[]`, where it came with the response and was not streamed past it.
    pub(super) body: Option<Vec<u8>>,
}

/// Reads one whole response, literals in place.
pub(super) fn read(frame: &[u8]) -> Reply {
    if let Some(rest) = frame.strip_prefix(b"+") {
        return Reply::Continue(rest.trim_ascii().to_vec());
    }
    let mut tokens = Tokens::new(frame);
    let tag = tokens.word();
    let after_tag = tokens.clone();
    let word = tokens.word();
    if tag != b"*" {
        return match Verdict::read(word) {
            Some(verdict) => Reply::Done { tag: text(tag), answer: Answer::new(verdict, tokens.rest()) },
            None => Reply::Other,
        };
    }
    if let Some(verdict) = Verdict::read(word) {
        return Reply::Says(Answer::new(verdict, tokens.rest()));
    }
    // Below, names may touch what follows: `FLAGS(\Seen)`.
    let mut tokens = after_tag;
    let Some(Value::Atom(word)) = tokens.value() else { return Reply::Other };
    if let Some(seq) = number(word) {
        let seq = u32::try_from(seq).unwrap_or(u32::MAX);
        return numbered(seq, &mut tokens);
    }
    match word.to_ascii_uppercase().as_slice() {
        b"CAPABILITY" => Reply::Offers(words(tokens.rest())),
        b"VANISHED" => vanished(&mut tokens),
        b"ENABLED" => Reply::Enabled(words(&tokens.rest().to_ascii_uppercase())),
        b"LIST" => listed(&mut tokens, false),
        b"LSUB" => listed(&mut tokens, true),
        b"STATUS" => counted(&mut tokens),
        b"SEARCH" => Reply::Found(search(tokens.rest())),
        b"ESEARCH" => Reply::Found(esearch(&mut tokens)),
        b"NAMESPACE" => namespace(&mut tokens),
        b"ID" => Reply::Id(about::id(&mut tokens)),
        b"QUOTA" => Reply::Quota(about::quota(&mut tokens)),
        b"FLAGS" => Reply::Flags(tokens.value().map(names).unwrap_or_default()),
        _ => Reply::Other,
    }
}

fn numbered(seq: u32, tokens: &mut Tokens<'_>) -> Reply {
    let Some(Value::Atom(word)) = tokens.value() else { return Reply::Other };
    match word.to_ascii_uppercase().as_slice() {
        b"EXISTS" => Reply::Exists(seq),
        b"EXPUNGE" => Reply::Expunge,
        b"FETCH" => {
            let items = match tokens.value() {
                Some(Value::List(items)) => items,
                // Without its parentheses.
                first => first.into_iter().chain(std::iter::from_fn(|| tokens.value())).collect(),
            };
            Reply::Fetch(Box::new(fetched(seq, items)))
        }
        _ => Reply::Other,
    }
}

/// The items of a FETCH (RFC 9051 section 7.5.2), in any order; unknown ones are passed over.
pub(super) fn fetched(seq: u32, items: Vec<Value<'_>>) -> Fetched {
    let mut told = Fetched { seq, ..Fetched::default() };
    let mut items = items.into_iter();
    while let Some(name) = items.next() {
        let Value::Atom(name) = name else { continue };
        let Some(value) = items.next() else { break };
        let small = || value.number().and_then(|n| u32::try_from(n).ok());
        let bytes = || value.bytes().map(<[u8]>::to_vec);
        match name.to_ascii_uppercase().as_slice() {
            b"UID" => told.uid = small().filter(|&uid| uid != 0),
            b"FLAGS" => told.flags = Some(flags(value)),
            b"RFC822.SIZE" => told.size = value.number(),
            b"INTERNALDATE" => told.received = value.bytes().and_then(super::date::read),
            b"EMAILID" | b"X-GM-MSGID" => {
                told.remote_id = object::told(value).filter(|id| object::is_one(id))
            }
            b"RFC822.HEADER" => told.head = bytes(),
            item if is_header(item) => told.head = bytes(),
            item if is_whole(item) => told.body = bytes(),
            _ => {}
        }
    }
    told
}

fn is_header(item: &[u8]) -> bool {
    item.starts_with(b"BODY[HEADER]")
}

/// Whether this FETCH item, in upper case, is the whole message.
pub(super) fn is_whole(item: &[u8]) -> bool {
    item == b"RFC822" || item.starts_with(b"BODY[]") || item.starts_with(b"BINARY[]")
}

/// System flags and keywords. Flags that only live for a session (`\Recent`) are left out.
fn flags(list: Value<'_>) -> (Flags, Vec<String>) {
    let (mut known, mut keywords) = (Flags::NONE, Vec::new());
    for name in names(list) {
        match Flags::from_wire(&name) {
            Some(flag) => known = known | flag,
            None if name.starts_with('\\') || name.is_empty() || name.len() > KEYWORD_LEN => {}
            None if keywords.len() < KEYWORDS => keywords.push(decode_keyword(name)),
            None => {}
        }
    }
    keywords.sort_unstable();
    keywords.dedup();
    (known, keywords)
}

/// `(EARLIER) 41,43:116`, or without the word.
fn vanished(tokens: &mut Tokens<'_>) -> Reply {
    let mut value = tokens.value();
    let earlier = matches!(&value, Some(Value::List(_)));
    if earlier {
        value = tokens.value();
    }
    let uids = value.and_then(|value| Ranges::read(value.bytes()?));
    Reply::Vanished { earlier, uids }
}

/// The numbers of a SEARCH, which may be a million: no values are made of them.
fn search(rest: &[u8]) -> Option<Ranges> {
    let mut found = Ranges::default();
    for word in rest.split(|byte| b" \t\r\n".contains(byte)) {
        match number(word).and_then(|n| u32::try_from(n).ok()) {
            Some(0) => {}
            Some(uid) => found.push(uid, uid)?,
            // `(MODSEQ n)` ends the numbers.
            None if word.first() == Some(&b'(') => break,
            None => {}
        }
    }
    Some(found)
}

/// ALL of an ESEARCH (RFC 9051 section 7.3.4); without it, nothing was found.
fn esearch(tokens: &mut Tokens<'_>) -> Option<Ranges> {
    while let Some(value) = tokens.value() {
        if matches!(value, Value::Atom(name) if name.eq_ignore_ascii_case(b"ALL")) {
            return Ranges::read(tokens.value()?.bytes()?);
        }
    }
    Some(Ranges::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fetch(frame: &[u8]) -> Fetched {
        match read(frame) {
            Reply::Fetch(told) => *told,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fetch_in_any_order_and_spacing() {
        let told = fetch(
            b"* 12 FETCH (BODY[HEADER] {14}\r\nSubject: a)\r\n\r\n X-NEW (1 (2)) FLAGS(\\Seen $Forwarded Zeta alpha \\Recent \\X)\
              INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"  RFC822.SIZE 345 EMAILID (M1) MODSEQ (77) UID 9)\r\n",
        );
        assert_eq!(told.seq, 12);
        assert_eq!(told.uid, Some(9));
        assert_eq!(told.flags, Some((Flags::SEEN | Flags::FORWARDED, vec!["Zeta".into(), "alpha".into()])));
        assert_eq!((told.size, told.received), (Some(345), Some(837_596_665)));
        assert_eq!(told.remote_id.as_deref(), Some("M1"));
        assert_eq!(told.head.as_deref(), Some(&b"Subject: a)\r\n\r\n"[..14]));
        assert_eq!(told.body, None);
        assert_eq!(fetch(b"* 1 fetch FLAGS NIL UID 3\r\n").flags, Some((Flags::NONE, vec![])));
        assert_eq!(
            fetch(b"* 1 FETCH (UID 4294967296 BODY[] NIL X-GM-MSGID 12").remote_id.as_deref(),
            Some("12")
        );
        assert_eq!(fetch(b"* 1 FETCH (BODY[]<0> \"x\\\"y\")\r\n").body.as_deref(), Some(&b"x\"y"[..]));
    }

    #[test]
    fn searches_of_both_kinds() {
        let found = |frame: &[u8]| match read(frame) {
            Reply::Found(Some(found)) => found.into_set().to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(found(b"* SEARCH 9 2 3  4 (MODSEQ 917162500)\r\n"), "2:4,9");
        assert_eq!(found(b"* SEARCH\r\n"), "");
        assert_eq!(found(b"* ESEARCH (TAG \"a ALL 9\") UID COUNT 3 ALL 4:2,8\r\n"), "2:4,8");
        assert_eq!(found(b"* ESEARCH (TAG \"x\") UID\r\n"), "");
    }

    #[test]
    fn what_vanished_and_what_was_enabled() {
        let gone = |frame: &[u8]| match read(frame) {
            Reply::Vanished { earlier, uids } => {
                (earlier, uids.map(|uids| uids.into_set().to_string()).unwrap_or_default())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(gone(b"* VANISHED (EARLIER) 41,43:45,44\r\n"), (true, "41,43:45".into()));
        assert_eq!(gone(b"* VANISHED 405,407,410\r\n"), (false, "405,407,410".into()));
        assert_eq!(gone(b"* VANISHED (EARLIER)\r\n"), (true, String::new()));
        assert_eq!(
            read(b"* ENABLED QResync CONDSTORE\r\n"),
            Reply::Enabled(vec!["QRESYNC".into(), "CONDSTORE".into()])
        );
    }

    proptest! {
        #[test]
        fn any_bytes_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
        }

        #[test]
        fn any_cut_reads(cut in 0usize..220, flip in 0usize..220, byte in any::<u8>()) {
            let mut frame = b"* 12 FETCH (UID 9 BODY[HEADER] {14}\r\nSubject: a)\r\n\r\n FLAGS (\\Seen x) \
                INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 345 EMAILID (M1) BODY[] \"a\\\"\")\r\n".to_vec();
            let at = flip % frame.len();
            frame[at] = byte;
            frame.truncate(cut);
            read(&frame);
        }

        #[test]
        fn any_word_reads(word in "(LIST|STATUS|SEARCH|ESEARCH|NAMESPACE|FLAGS|OK|3 FETCH|CAPABILITY) ?", rest in "[(){}\"\\[\\]~0-9A-Z:,* \r\n]{0,60}") {
            read(format!("* {word}{rest}").as_bytes());
        }
    }
}
