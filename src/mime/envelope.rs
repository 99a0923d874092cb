//! What the header of a mail says, for its row in the store: never fails, whatever the header is.

use sha2::{Digest, Sha256};

use super::header::{Field, fields, unfold};
use super::params::Params;
use super::{address, charset, date, words};
use crate::model::{Address, Envelope};

/// References that are kept from each end.
const REFS: usize = 20;
/// The longest Message-ID that is one (RFC 5322 section 2.1.1: the longest line).
const LONGEST_ID: usize = 998;
/// Bytes of a subject that are kept.
const LONGEST_SUBJECT: usize = 16 * 1024;

/// The envelope of a header block, as [`header_block`](super::header_block) gives it.
#[must_use]
pub fn envelope(header_block: &[u8]) -> Envelope {
    let fields: Vec<Field> = fields(header_block).collect();
    let first = |name: &str| fields.iter().find(|f| f.is(name)).map_or(&b""[..], |f| f.value);
    // Raw eight-bit headers are mostly in the charset of the text below.
    let hint = fields
        .iter()
        .find(|f| f.is("Content-Type"))
        .and_then(|f| Params::parse(f.value).raw("charset").and_then(charset::find));
    let all = |name: &str| -> Vec<Address> {
        fields.iter().filter(|f| f.is(name)).flat_map(|f| address::parse(f.value, hint)).collect()
    };
    let mut from = ["From", "Sender", "Return-Path"]
        .iter()
        .find_map(|name| address::parse(first(name), hint).into_iter().next())
        .unwrap_or_default();
    // X6: a name that passes itself off as an address is not kept, so that no list shows it.
    if address::label(&from) == from.addr {
        from.name.clear();
    }
    Envelope {
        msgid: ids(first("Message-ID")).into_iter().next().unwrap_or_default(),
        parent: parent(first("In-Reply-To")),
        refs: ends(ids(first("References"))),
        date: fields.iter().filter(|f| f.is("Date")).find_map(|f| date::parse(f.value)),
        from,
        to_line: address::line(&all("To")),
        cc_line: address::line(&all("Cc")),
        list_id: list_id(first("List-Id"), hint),
        subject: subject(first("Subject"), hint),
        head_hash: Sha256::digest(header_block).into(),
    }
}

/// From whom the mail server had the mail, as far as its header tells: Return-Path, else who wrote it. `None` where
/// nobody is named, or a server wrote to tell of a failure.
#[must_use]
pub fn envelope_sender(header_block: &[u8]) -> Option<String> {
    let named = |name: &str| {
        let field = fields(header_block).find(|f| f.is(name))?;
        Some(address::parse(field.value, None).into_iter().next().map(|from| from.addr).unwrap_or_default())
    };
    ["Return-Path", "Sender", "From"].iter().find_map(|name| named(name)).filter(|from| !from.is_empty())
}

/// When the newest Received field says that the mail arrived, as Unix seconds.
#[must_use]
pub fn received(header_block: &[u8]) -> Option<i64> {
    // The topmost is the newest (RFC 5321 section 4.4); its date stands after the last semicolon.
    fields(header_block).filter(|f| f.is("Received")).take(5).find_map(|f| {
        let at = f.value.iter().rposition(|b| *b == b';')?;
        date::parse(&f.value[at + 1..])
    })
}

/// A subject on one line, without the white space around it.
pub(super) fn subject(value: &[u8], hint: Option<&'static encoding_rs::Encoding>) -> String {
    let text = words::decode(&value[..value.len().min(LONGEST_SUBJECT)], hint);
    text.trim().to_owned()
}

/// The identifier of a list (RFC 2919): what is between the angle brackets.
pub(super) fn list_id(value: &[u8], hint: Option<&'static encoding_rs::Encoding>) -> String {
    let text = words::decode(value, hint);
    let inside = text.rfind('<').map(|at| text[at + 1..].split('>').next().unwrap_or_default());
    inside.unwrap_or(&text).trim().to_owned()
}

/// Message-IDs without brackets: those in brackets, or the words with an at sign where nothing is.
fn ids(value: &[u8]) -> Vec<String> {
    let value = unfold(value);
    let mut out = Vec::new();
    let mut rest = &value[..];
    while let Some(at) = rest.iter().position(|b| *b == b'<') {
        rest = &rest[at + 1..];
        // One that is not closed ends where the next begins.
        let end = rest.iter().position(|b| matches!(b, b'>' | b'<')).unwrap_or(rest.len());
        out.extend(id(&rest[..end]));
        rest = &rest[end..];
    }
    if out.is_empty() {
        let words = value.split(|b| b.is_ascii_whitespace() || *b == b',');
        out.extend(words.filter(|w| w.contains(&b'@')).filter_map(id));
    }
    // Some send an id without any at sign, bare.
    if out.is_empty() {
        out.extend(id(&value).filter(|id| id.len() == value.trim_ascii().len()));
    }
    out
}

/// One id: the white space of folding inside is dropped, what is too long or empty is none.
fn id(raw: &[u8]) -> Option<String> {
    let solid: Vec<u8> = raw.iter().copied().filter(|b| *b > b' ' && *b != 0x7f).collect();
    (!solid.is_empty() && solid.len() <= LONGEST_ID).then(|| String::from_utf8_lossy(&solid).into_owned())
}

/// The message that is answered. Old programs write prose around it, with the address of its author:
/// then it is the last id, else the first.
fn parent(value: &[u8]) -> String {
    let ids = ids(value);
    let prose = value.trim_ascii().first().is_some_and(|b| *b != b'<');
    let id = if prose { ids.into_iter().last() } else { ids.into_iter().next() };
    id.unwrap_or_default()
}

/// The first and the last of a long list.
fn ends(mut ids: Vec<String>) -> Vec<String> {
    if ids.len() > 2 * REFS {
        ids.drain(REFS..ids.len() - REFS);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(header: &str) -> Envelope {
        envelope(header.as_bytes())
    }

    #[test]
    fn an_ordinary_header_is_read() {
        let envelope = read(concat!(
            "From: Ada Lovelace <ada@example.org>\r\nTo: me@example.com, Charles <c@example.org>\r\n",
            "Cc: joan@example.org\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n",
            "Date: Tue, 12 Nov 2019 14:02:03 +0000\r\nMessage-ID: <1@example.org>\r\n",
            "In-Reply-To: <0@example.org>\r\nReferences: <a@x>\r\n\t<0@example.org>\r\n",
            "List-Id: Some list <some.list.example.org>\r\n\r\n",
        ));
        assert_eq!(envelope.msgid, "1@example.org");
        assert_eq!(envelope.parent, "0@example.org");
        assert_eq!(envelope.refs, ["a@x", "0@example.org"]);
        assert_eq!(envelope.date, Some(1_573_567_323));
        assert_eq!(envelope.from.name, "Ada Lovelace");
        assert_eq!(envelope.to_line, "me@example.com, Charles");
        assert_eq!(envelope.cc_line, "joan@example.org");
        assert_eq!(envelope.subject, "Grüße");
        assert_eq!(envelope.list_id, "some.list.example.org");
    }

    #[test]
    fn an_empty_header_has_an_empty_envelope() {
        let nothing = read("");
        assert_eq!(nothing, Envelope { head_hash: nothing.head_hash, ..Envelope::default() });
    }

    #[test]
    fn ids_are_read_in_all_styles() {
        assert_eq!(read("Message-ID: no-brackets@x\n\n").msgid, "no-brackets@x");
        assert_eq!(read("Message-ID: <a\r\n b@x>\n\n").msgid, "ab@x");
        assert_eq!(read("Message-ID: 1234.5678\n\n").msgid, "1234.5678");
        assert_eq!(read("Message-ID:\n\n").msgid, "");
        assert_eq!(read("In-Reply-To: Message from joe <joe@x> of \"Tue\" <id@y>\n\n").parent, "id@y");
        assert_eq!(read("In-Reply-To: <a@x> <b@x>\n\n").parent, "a@x");
        assert_eq!(read("References: <a@x><b@x>,<c@x> <d@x\n\n").refs, ["a@x", "b@x", "c@x", "d@x"]);
    }

    #[test]
    fn x10_endless_references_are_cut_in_the_middle() {
        let many: String = (0..5000).map(|i| format!(" <{i}@x>")).collect();
        let refs = read(&format!("References:{many}\n\n")).refs;
        assert_eq!(refs.len(), 40);
        assert_eq!((refs[0].as_str(), refs[19].as_str()), ("0@x", "19@x"));
        assert_eq!((refs[20].as_str(), refs[39].as_str()), ("4980@x", "4999@x"));
    }

    #[test]
    fn x6_a_sender_named_like_an_address_loses_the_name() {
        let from = read("From: \"info@bank.example\" <evil@example.net>\n\n").from;
        assert_eq!((from.name.as_str(), from.addr.as_str()), ("", "evil@example.net"));
    }

    #[test]
    fn a_missing_from_is_made_up_for() {
        assert_eq!(read("Sender: s@x\nReturn-Path: <r@x>\n\n").from.addr, "s@x");
        assert_eq!(read("From:\nReturn-Path: <r@x>\n\n").from.addr, "r@x");
    }

    #[test]
    fn raw_headers_are_read_in_the_charset_of_the_text() {
        let header = b"Content-Type: text/plain; charset=koi8-r\nSubject: \xf0\xd2\xc9\xd7\xc5\xd4\n\n";
        assert_eq!(envelope(header).subject, "Привет");
    }

    #[test]
    fn the_newest_received_counts() {
        let header = b"Received: from a by b; no date\r\nReceived: from a by b;\r\n Tue, 12 Nov 2019 14:02:03 +0000\r\n\
            Received: from c; Mon, 11 Nov 2019 14:02:03 +0000\r\n\r\n";
        assert_eq!(received(header), Some(1_573_567_323));
        assert_eq!(received(b"Subject: x\n\n"), None);
    }

    proptest! {
        #[test]
        fn r7_any_header_has_an_envelope(raw in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = (envelope(&raw), received(&raw));
        }

        #[test]
        fn r7_any_pieces_of_a_header_have_an_envelope(pieces in prop::collection::vec(prop::sample::select(vec![
            "From:", "Subject :", "Date:", "\r\n", "\n", "\r", " ", "<", ">", "@", "=?", "?=", "References: ",
            "Received: ;", "Content-Type: ;charset=", "utf-8", "\0", "ü"]), 0..40)) {
            let raw = pieces.concat();
            let _ = (envelope(raw.as_bytes()), received(raw.as_bytes()));
        }
    }
}
