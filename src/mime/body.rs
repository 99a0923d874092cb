//! The body of a part as text: transfer encoding and charset undone as well as they can be.

use std::borrow::Cow;

use super::parts::Part;
use super::transfer::{self, Transfer};
use super::{charset, markup};

/// A text, and what had to be done to read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Text {
    pub(super) text: String,
    /// Whether it could not be decoded as its label says and is as it was sent.
    pub(super) is_raw: bool,
    /// Whether something was left out at the end.
    pub(super) is_cut: bool,
}

/// The bytes of a part, decoded from at most `limit` bytes, and whether they are raw because what is said
/// to be base64 is not.
pub(super) fn bytes<'a>(part: &Part<'a>, limit: usize) -> (Cow<'a, [u8]>, bool) {
    let raw = &part.body[..part.body.len().min(limit)];
    let is_raw = part.transfer == Transfer::Base64 && transfer::is_hardly_base64(raw);
    let transfer = if is_raw { Transfer::Plain } else { part.transfer };
    (transfer.decode(raw, limit), is_raw)
}

/// The text of a part; at most `limit` encoded bytes of it are read.
pub(super) fn text(part: &Part, limit: usize) -> Text {
    let (mut bytes, mut is_raw) = bytes(part, limit);
    if part.transfer == Transfer::Base64 {
        let raw = &part.body[..part.body.len().min(limit)];
        if let Some(at) = transfer::appended(raw) {
            let mut whole = Transfer::Base64.decode(&raw[..at], limit).into_owned();
            whole.extend_from_slice(b"\n");
            whole.extend_from_slice(&raw[at..]);
            (bytes, is_raw) = (whole.into(), false);
        }
    }
    let label = part.content.raw("charset").and_then(charset::find).or_else(|| {
        // HTML may name its charset in itself.
        (part.media() == "text/html").then(|| meta_charset(&bytes)).flatten()
    });
    Text { text: charset::decode(&bytes, label), is_raw, is_cut: part.body.len() > limit }
}

/// The charset that a `<meta>` element of the first kibibytes names.
fn meta_charset(html: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let head = String::from_utf8_lossy(&html[..html.len().min(2048)]);
    markup::Tokens::new(&head).find_map(|token| match token {
        markup::Token::Start(name, list) if name.eq_ignore_ascii_case("meta") => {
            let named = markup::attribute(list, "charset");
            let content = markup::attribute(list, "content");
            let label = named.or_else(|| {
                content
                    .and_then(|c| c.split_once("charset=").map(|(_, label)| label.trim().to_owned().into()))
            })?;
            charset::find(label.as_bytes())
        }
        _ => None,
    })
}
