//! A mail that is passed on as it is, under the name of who wrote it (RFC 5322 section 3.6.6).

use super::field;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{Address, is_sendable};
use crate::text::Clean;

/// The mail with the fields above it that say who passes it on, to whom, and when. Its own bytes stay as they are,
/// but for Bcc (promise O4) and what an earlier delivery wrote for itself.
///
/// # Errors
/// [`Kind::Config`] for no recipient, and for an address that cannot be one.
pub fn resent(raw: &[u8], from: &Address, to: &[Address], msgid: &str, date: &str) -> Result<Vec<u8>> {
    if to.is_empty() {
        return Err(Error::new(Kind::Config, "the mail has no recipient"));
    }
    if let Some(bad) = std::iter::once(from).chain(to).find(|who| !is_sendable(&who.addr)) {
        let bad = Clean::line(&bad.addr);
        return Err(Error::new(Kind::Config, format!("{bad:?} is not an address that mail can be sent to")));
    }
    let mut out = Vec::with_capacity(raw.len() + 500);
    field::addresses("Resent-From", std::slice::from_ref(from), &mut out);
    field::addresses("Resent-To", to, &mut out);
    field::unstructured("Resent-Date", date, &mut out);
    field::unstructured("Resent-Message-ID", &format!("<{msgid}>"), &mut out);
    // The `From ` line of an mbox is no field.
    let start = if raw.starts_with(b"From ") {
        raw.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1)
    } else {
        0
    };
    let mut kept = mime::without_field(&raw[start..], "Bcc");
    for name in ["Resent-Bcc", "Return-Path", "Delivered-To"] {
        kept = mime::without_field(&kept, name);
    }
    out.extend_from_slice(&super::with_line_ends(&kept));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(addr: &str) -> Address {
        Address { name: "Ada".into(), addr: addr.into() }
    }

    #[test]
    fn o4_a_mail_is_passed_on_with_its_own_bytes_and_no_bcc() {
        let raw = b"Return-Path: <x@y>\nFrom: bob@example.org\nBcc: eve@example.org\nSubject: a  b\n\nText\n";
        let sent = resent(
            raw,
            &who("ada@x.org"),
            &[who("carl@x.org")],
            "1@x.org",
            "Mon, 23 Nov 2026 10:00:00 +0100",
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            "Resent-From: Ada <ada@x.org>\r\nResent-To: Ada <carl@x.org>\r\nResent-Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n\
             Resent-Message-ID: <1@x.org>\r\nFrom: bob@example.org\r\nSubject: a  b\r\n\r\nText\r\n"
        );
        assert!(resent(raw, &who("ada@x.org"), &[], "1", "d").is_err());
        assert!(resent(raw, &who("ada@x.org"), &[who("-f@x.org")], "1", "d").is_err());
    }
}
