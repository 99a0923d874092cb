//! A draft as a mail in the folder of drafts (promise O5): other clients read and write on it, and it comes back.

use super::build::{Attachment, attach_all};
use super::field::{self, Field};
use super::text::as_it_is;
use super::{Original, people, quote};
use crate::mime;
use crate::model::{AccountId, Attached, Draft, Purpose};

/// What other clients have no field for: how it began, and what was asked for.
const OWN: &str = "X-Mailtui-Draft";

/// The mail that shows a draft as far as it was written: nothing in it has to be right yet. `version` tells it from
/// other versions under the same Message-ID.
#[must_use]
pub fn shelved(draft: &Draft, msgid: &str, date: &str, version: u64, attachments: &[Attachment]) -> Vec<u8> {
    let mut raw = Vec::new();
    let fields = [("From", &draft.from), ("To", &draft.to), ("Cc", &draft.cc), ("Bcc", &draft.bcc)];
    for (name, text) in fields {
        match people(name, text) {
            Ok(list) if list.is_empty() => {}
            Ok(list) => field::addresses(name, &list, &mut raw),
            // Half typed.
            Err(_) => field::unstructured(name, text, &mut raw),
        }
    }
    if !draft.subject.trim().is_empty() {
        field::unstructured("Subject", &draft.subject, &mut raw);
    }
    field::unstructured("Date", date, &mut raw);
    field::unstructured("Message-ID", &format!("<{msgid}>"), &mut raw);
    let is_name = |id: &&str| {
        (1..900).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
    };
    for (name, ids) in [
        ("In-Reply-To", std::slice::from_ref(&draft.in_reply_to)),
        ("References", draft.references.as_slice()),
    ] {
        let mut field = Field::new(name);
        let mut ids = ids.iter().map(String::as_str).filter(is_name).peekable();
        if ids.peek().is_some() {
            for id in ids {
                field.piece(&format!("<{id}>"));
            }
            field.end(&mut raw);
        }
    }
    let mut own = Field::new(OWN);
    own.piece(&format!("version={version}"));
    own.piece(&format!("purpose={}", word_of(draft.purpose)));
    if draft.markdown {
        own.piece("markdown");
    }
    if draft.dsn {
        own.piece("dsn");
    }
    if draft.remind.bytes().all(|b| b.is_ascii_alphanumeric()) && (1..20).contains(&draft.remind.len()) {
        own.piece(&format!("remind={}", draft.remind));
    }
    own.end(&mut raw);
    raw.extend_from_slice(b"MIME-Version: 1.0\r\n");
    attach_all(&as_it_is(&draft.body), attachments, msgid, &mut raw);
    raw
}

/// The draft that such a mail is, or that another client made: its Message-ID, without brackets, and what it says. Its
/// files are those of the mail, which is not named yet.
#[must_use]
pub fn unshelved(account: AccountId, raw: &[u8]) -> (String, Draft, Vec<Attached>) {
    let head = mime::header_block(raw);
    let original = Original::read(None, raw);
    let typed = |name: &str, list: &[crate::model::Address]| {
        let text = super::field(list);
        match people(name, &text) {
            Ok(list) if !list.is_empty() => text,
            // Nothing that was half typed is lost.
            _ => decoded(&mime::field_text(head, name).unwrap_or_default()),
        }
    };
    let own = mime::field_text(head, OWN).unwrap_or_default();
    let said = |key: &str| {
        own.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default()
    };
    let has = |key: &str| own.split_whitespace().any(|word| word == key);
    let began = if original.parent.is_empty() { Purpose::New } else { Purpose::Reply };
    let mut draft = Draft {
        to: typed("To", &original.to),
        cc: typed("Cc", &original.cc),
        bcc: typed("Bcc", &original.bcc),
        subject: original.subject.clone(),
        body: mime::open(raw).typed().unwrap_or_else(|| quote::plain(&original.text)),
        purpose: PURPOSES.iter().find(|(_, word)| *word == said("purpose")).map_or(began, |(p, _)| *p),
        in_reply_to: original.parent.clone(),
        references: original.references.clone(),
        markdown: has("markdown"),
        dsn: has("dsn"),
        remind: said("remind").to_owned(),
        ..Draft::new(account, typed("From", &original.from))
    };
    // Nothing that moves a cursor or colours a terminal comes into an editor that way.
    draft.body.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    (original.msgid, draft, original.files)
}

/// A field that holds no address: free text, as a subject is.
fn decoded(value: &str) -> String {
    mime::envelope(format!("Subject: {value}\r\n").as_bytes()).subject
}

const PURPOSES: [(Purpose, &str); 7] = [
    (Purpose::New, "new"),
    (Purpose::Reply, "reply"),
    (Purpose::ReplyAll, "reply-all"),
    (Purpose::ReplyList, "reply-list"),
    (Purpose::Forward, "forward"),
    (Purpose::ForwardAttached, "forward-attached"),
    (Purpose::EditAsNew, "edit-as-new"),
];

fn word_of(purpose: Purpose) -> &'static str {
    PURPOSES.iter().find(|(known, _)| *known == purpose).map_or("new", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATE: &str = "Mon, 23 Nov 2026 10:00:00 +0100";

    proptest! {
        #[test]
        fn o5_what_is_put_into_drafts_comes_back(
            to in "(|Bob <bob@example\\.org>, \"Doe, Jane\" <j@x\\.org>|bob|Bób <b@x\\.de>|\\PC{0,40})",
            subject in "\\PC{0,90}",
            body in "(\\PC| |\n|>|\\.|From |-- \n|Zoë|\t){0,40}",
            purpose in 0..7usize, markdown: bool,
        ) {
            let draft = Draft {
                to: to.trim().to_owned(), subject: subject.trim().to_owned(), body: body.clone(), markdown,
                purpose: PURPOSES[purpose].0, in_reply_to: "a@b".into(), references: vec!["r@b".into(), "a@b".into()],
                remind: "3d".into(), ..Draft::new(AccountId(3), "Ada <ada@example.org>")
            };
            let raw = shelved(&draft, "d@example.org", DATE, 7, &[]);
            prop_assert!(raw.split(|b| *b == b'\n').all(|line| line.len() <= 1000), "{raw:?}");
            let (msgid, back, files) = unshelved(AccountId(3), &raw);
            prop_assert_eq!(msgid, "d@example.org");
            prop_assert!(files.is_empty());
            prop_assert_eq!(back.body.trim_end_matches('\n'), body.trim_end_matches('\n'));
            prop_assert_eq!((back.purpose, back.markdown, &back.remind), (draft.purpose, markdown, &draft.remind));
            prop_assert_eq!((&back.in_reply_to, &back.references), (&draft.in_reply_to, &draft.references));
            prop_assert_eq!(back.subject.split_whitespace().collect::<String>(), draft.subject.split_whitespace().collect::<String>());
            prop_assert_eq!(&back.from, &draft.from);
            if let Ok(list) = people("To", &draft.to) {
                prop_assert_eq!(people("To", &back.to).unwrap_or_default(), list, "{:?} {:?}", draft.to, back.to);
            }
        }
    }

    #[test]
    fn o5_a_half_typed_address_and_bcc_are_kept() {
        let draft = Draft {
            to: "bob@, Zoë".into(),
            bcc: "eve@example.org".into(),
            ..Draft::new(AccountId(1), "ada@example.org")
        };
        let (_, back, _) = unshelved(AccountId(1), &shelved(&draft, "d@x", DATE, 1, &[]));
        assert_eq!((back.to.as_str(), back.bcc.as_str()), ("bob@, Zoë", "eve@example.org"));
    }

    #[test]
    fn o5_what_another_client_wrote_is_a_draft_too() {
        let raw = b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: Hi\r\nMessage-ID: <t@x>\r\n\
            MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n\r\none \r\ntwo\r\n";
        let (msgid, draft, _) = unshelved(AccountId(1), raw);
        assert_eq!(
            (msgid.as_str(), draft.to.as_str(), draft.body.as_str()),
            ("t@x", "bob@example.org", "one two\n")
        );
        assert_eq!(draft.purpose, Purpose::New);
    }
}
