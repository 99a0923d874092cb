//! Addresses out of the fields of a header, or as a person typed them; and a mail without one of its fields.

use memchr::memchr;

use super::address;
use super::header::{end_of_field, field, fields, header_block, unfold};
use crate::model::Address;

/// The mailboxes of an address list, groups taken apart.
#[must_use]
pub fn addresses(text: &str) -> Vec<Address> {
    listed(text.as_bytes())
}

/// The same, with what is no address: a name without one. Empty groups are nobody.
#[must_use]
pub fn typed(text: &str) -> Vec<Address> {
    let is_empty_group = |who: &Address| who.addr.is_empty() && text.contains(&format!("{}:", who.name));
    address::parse(text.as_bytes(), None).into_iter().filter(|who| !is_empty_group(who)).collect()
}

fn listed(value: &[u8]) -> Vec<Address> {
    address::parse(value, None).into_iter().filter(|who| !who.addr.is_empty()).collect()
}

/// Those of all fields of this name in a header block.
#[must_use]
pub fn people(header_block: &[u8], name: &str) -> Vec<Address> {
    fields(header_block).filter(|f| f.is(name)).flat_map(|f| listed(f.value)).collect()
}

/// Whether a header block has a field of this name.
#[must_use]
pub fn has_field(header_block: &[u8], name: &str) -> bool {
    fields(header_block).any(|f| f.is(name))
}

/// The value of the first field of this name, on one line and as it was sent.
#[must_use]
pub fn field_text(header_block: &[u8], name: &str) -> Option<String> {
    let field = fields(header_block).find(|f| f.is(name))?;
    Some(String::from_utf8_lossy(&unfold(field.value)).trim().to_owned())
}

/// The mail without any field of this name; every other byte stays.
#[must_use]
pub fn without_field(raw: &[u8], name: &str) -> Vec<u8> {
    let head = header_block(raw);
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = head;
    while !rest.is_empty()
        && memchr(b'\n', rest).is_some()
        && !rest.starts_with(b"\n")
        && !rest.starts_with(b"\r\n")
    {
        let (whole, after) = rest.split_at(end_of_field(rest));
        if !field(whole).is(name) {
            out.extend_from_slice(whole);
        }
        rest = after;
    }
    if !field(rest).is(name) {
        out.extend_from_slice(rest);
    }
    out.extend_from_slice(&raw[head.len()..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o4_a_field_goes_with_all_its_lines_and_nothing_else_does() {
        let raw = b"To: a@b\nBcc: c@d,\n e@f\nbCC : g@h\nSubject: Bcc: x\n\nBcc: body\n";
        assert_eq!(without_field(raw, "Bcc"), b"To: a@b\nSubject: Bcc: x\n\nBcc: body\n");
        assert_eq!(people(raw, "bcc").len(), 3);
        assert_eq!(without_field(b"Bcc: x@y", "Bcc"), b"");
        assert_eq!(without_field(b"\r\nbody", "Bcc"), b"\r\nbody");
        assert!(has_field(raw, "subject") && !has_field(raw, "body"));
    }

    #[test]
    fn what_a_person_types_is_read() {
        let typed = addresses("Ada <ada@x.org>, bob@y.org; \"Doe, J\" <j@z>");
        let typed: Vec<_> = typed.iter().map(|who| (who.name.as_str(), who.addr.as_str())).collect();
        assert_eq!(typed, [("Ada", "ada@x.org"), ("", "bob@y.org"), ("Doe, J", "j@z")]);
    }
}
