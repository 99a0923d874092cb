//! What is built is read by another parser, and nothing can be slipped into a header.

use mailparse::MailHeaderMap as _;
use proptest::prelude::*;

use super::{Attachment, Letter, build, message_id};
use crate::model::Address;

const DATE: &str = "Mon, 23 Nov 2026 10:00:00 +0100";

fn who(name: &str, addr: &str) -> Address {
    Address { name: name.to_owned(), addr: addr.to_owned() }
}

fn letter() -> Letter {
    Letter { from: who("Ada", "ada@example.org"), to: vec![who("", "bob@example.org")], ..Letter::default() }
}

fn header_lines(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    text.split("\r\n\r\n").next().unwrap().split("\r\n").map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn o1_nothing_that_is_written_ends_a_header_field(
        subject in "(?s).{0,120}", name in "(?s).{0,60}", file in "(?s).{0,80}", parent in "(?s).{0,40}", text in "(?s).{0,400}",
    ) {
        let letter = Letter {
            from: who(&name, "ada@example.org"),
            to: vec![who(&name, "bob@example.org"), who("", "eve@example.org")],
            subject: format!("{subject}\r\nX-Evil: 1\r\n\r\nbody"),
            in_reply_to: format!("{parent}\r\nX-Evil: 2"),
            references: vec![parent.clone(), "good@example.org".to_owned()],
            attachments: vec![Attachment { name: file.clone(), media: format!("text/{parent}"), bytes: vec![0, 1] }],
            text,
            ..letter()
        };
        let raw = build(&letter, "id@example.org", DATE).unwrap();
        for line in header_lines(&raw) {
            let name = line.split(':').next().unwrap();
            prop_assert!(
                line.starts_with(' ') || ["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
                    "MIME-Version", "Content-Type"].contains(&name),
                "{line:?}"
            );
        }
        prop_assert!(raw.split(|b| *b == b'\n').all(|line| line.len() < 1000));
        let lone = raw.windows(2).any(|w| (w[0] == b'\r') != (w[1] == b'\n'));
        prop_assert!(!lone, "a lone line end");
        let parsed = mailparse::parse_mail(&raw).unwrap();
        prop_assert_eq!(parsed.subparts.len(), 2);
        prop_assert_eq!(parsed.subparts[1].get_body_raw().unwrap(), vec![0u8, 1]);
        let to = mailparse::addrparse_header(parsed.headers.get_first_header("To").unwrap()).unwrap();
        prop_assert_eq!(to.count_addrs(), 2);
    }

    #[test]
    fn what_is_written_is_what_is_read(words in prop::collection::vec("[a-zA-ZäöüßЖ日\"\\\\,;:=?_.()<>@!-]{1,30}", 1..12), file in "[a-zA-Z0-9äЖ日 _.'%()-]{1,90}") {
        let line = words.join(" ");
        let letter = Letter {
            from: who(&line, "ada@example.org"),
            subject: line.clone(),
            text: format!("{line}\n\nA second paragraph: {line}\n"),
            attachments: vec![Attachment { name: format!("x{file}x"), media: "text/plain".into(), bytes: b"a\r\n".to_vec() }],
            ..letter()
        };
        let raw = build(&letter, "id@example.org", DATE).unwrap();
        let parsed = mailparse::parse_mail(&raw).unwrap();
        prop_assert_eq!(parsed.headers.get_first_value("Subject").unwrap(), line.clone());
        let own = crate::mime::envelope(crate::mime::header_block(&raw));
        prop_assert_eq!(&own.subject, &line);
        prop_assert_eq!(&crate::mime::people(crate::mime::header_block(&raw), "From")[0].name, &line);
        // Soft breaks taken out, as any program that knows flowed text does.
        let body = parsed.subparts[0].get_body().unwrap();
        let unstuffed: Vec<&str> = body.split("\r\n").map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        let unflowed = unstuffed.join("\r\n").replace(" \r\n", " ");
        prop_assert!(unflowed.contains(&format!("A second paragraph: {line}")), "{:?}", body);
        let name = &parsed.subparts[1].get_content_disposition().params["filename"];
        prop_assert_eq!(name, &format!("x{file}x"));
    }
}

#[test]
fn o4_bcc_is_never_in_the_bytes() {
    let letter = Letter { to: Vec::new(), bcc: vec![who("Zoe", "zoe@example.org")], ..letter() };
    let raw = String::from_utf8(build(&letter, "id@example.org", DATE).unwrap()).unwrap();
    assert!(!raw.to_lowercase().contains("zoe") && !raw.contains("Bcc"), "{raw}");
    assert!(raw.contains("To: undisclosed-recipients:;\r\n"));
    assert_eq!(letter.recipients().len(), 1);
}

#[test]
fn an_address_that_is_none_is_refused() {
    for bad in ["bob", "-f@example.org", "a@b>\r\nX: y", "a b@c", ""] {
        let letter = Letter { bcc: vec![who("", bad)], ..letter() };
        assert!(build(&letter, "id@example.org", DATE).is_err(), "{bad:?}");
    }
}

#[test]
fn a_mail_that_is_forwarded_keeps_its_bytes() {
    let inner = b"From: x@y\r\nSubject: \xe4\r\n\r\n.\r\ntext\r\n\r\n";
    let file = Attachment { name: "mail.eml".into(), media: "message/rfc822".into(), bytes: inner.to_vec() };
    let raw = build(&Letter { attachments: vec![file], ..letter() }, "id@example.org", DATE).unwrap();
    let parsed = mailparse::parse_mail(&raw).unwrap();
    assert_eq!(parsed.subparts[1].get_body_raw().unwrap(), inner);
}

#[test]
fn a_name_of_a_mail_tells_nothing_of_this_machine() {
    assert_eq!(message_id([0xab; 16], "ada@example.org"), format!("{}@example.org", "ab".repeat(16)));
    assert!(message_id([0; 16], "ada@exämple.org").ends_with("@mail.invalid"));
    assert!(message_id([0; 16], "ada").ends_with("@mail.invalid"));
}
