//! A second opinion on well-formed mail: what mailparse understands, `mime` understands alike.

use mailparse::MailHeaderMap;
use mailtui::mime;
use proptest::prelude::*;

/// Base64 without line breaks.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            out.push(if digit <= group.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    out
}

/// Every byte as quoted-printable writes the odd ones, in short lines.
fn quoted_printable(bytes: &[u8]) -> String {
    bytes
        .chunks(20)
        .map(|line| line.iter().map(|b| format!("={b:02X}")).collect::<String>())
        .collect::<Vec<_>>()
        .join("=\r\n")
}

proptest! {
    #[test]
    fn headers_and_bodies_agree(
        subject in "[a-zа-я会議é]{1,12}( [a-zа-я会議é]{1,12}){0,3}",
        name in "[A-Z][a-z]{1,9} [A-Z][a-zé]{1,9}",
        local in "[a-z]{1,8}",
        body in proptest::collection::vec(any::<u8>(), 1..400),
        at in 0i64..4_000_000_000,
        base in any::<bool>(),
    ) {
        let date = written(at);
        let (encoding, text) =
            if base { ("base64", base64(&body)) } else { ("quoted-printable", quoted_printable(&body)) };
        let raw = format!(
            "From: =?utf-8?B?{}?= <{local}@example.org>\r\nSubject: =?UTF-8?b?{}?=\r\nDate: {date}\r\n\
             Message-ID: <{local}.{at}@example.org>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n\
             Content-Type: application/octet-stream; name=x.bin\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n\
             {text}\r\n--=_b--\r\n",
            base64(name.as_bytes()),
            base64(subject.as_bytes()),
        );
        let theirs = mailparse::parse_mail(raw.as_bytes()).unwrap();
        let ours = mime::envelope(mime::header_block(raw.as_bytes()));
        prop_assert_eq!(theirs.headers.get_first_value("Subject"), Some(ours.subject.clone()));
        prop_assert_eq!(&ours.subject, &subject);
        prop_assert_eq!(&ours.from.name, &name);
        let from = mailparse::addrparse_header(theirs.headers.get_first_header("From").unwrap()).unwrap();
        let from = from.extract_single_info().unwrap();
        prop_assert_eq!(from.addr, ours.from.addr);
        prop_assert_eq!(mailparse::dateparse(&date).ok(), ours.date);
        prop_assert_eq!(ours.date, Some(at));
        let attached = mime::part(raw.as_bytes(), mime::open(raw.as_bytes()).parts[0].index).unwrap();
        prop_assert_eq!(&theirs.subparts[0].get_body_raw().unwrap(), &attached);
        prop_assert_eq!(&attached, &body);
    }
}

/// RFC 5322 section 3.3.
fn written(at: i64) -> String {
    let zoned =
        jiff::Timestamp::from_second(at).unwrap().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(2)));
    zoned.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}
