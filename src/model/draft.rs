//! A mail that is being written: what its writer means so far, and the text in which an editor shows it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AccountId, MessageId};

/// A mail that is being written. Its fields are what was typed: nothing is read into them before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The account that sends it. Not kept with the rest: the store knows whose it is.
    #[serde(skip, default = "nobody")]
    pub account: AccountId,
    /// As whom: one address, with a name or without.
    #[serde(default)]
    pub from: String,
    /// To whom: addresses with commas.
    #[serde(default)]
    pub to: String,
    /// Who gets a copy.
    #[serde(default)]
    pub cc: String,
    /// Who gets a copy that the others do not know of.
    #[serde(default)]
    pub bcc: String,
    /// What it is about.
    #[serde(default)]
    pub subject: String,
    /// Its text, signature and quote with it.
    #[serde(default)]
    pub body: String,
    /// What comes with it.
    #[serde(default)]
    pub attachments: Vec<Attached>,
    /// How it began.
    #[serde(default)]
    pub purpose: Purpose,
    /// The mail that it answers or passes on, as long as that is held here.
    #[serde(default)]
    pub answers: Option<MessageId>,
    /// The Message-ID of the mail that it answers, without brackets; empty: none.
    #[serde(default)]
    pub in_reply_to: String,
    /// Those of the conversation, oldest first.
    #[serde(default)]
    pub references: Vec<String>,
    /// Whether the text is Markdown, sent as HTML too.
    #[serde(default)]
    pub markdown: bool,
    /// Whether the servers are asked to tell of the delivery (RFC 3461).
    #[serde(default)]
    pub dsn: bool,
    /// When to be reminded if nobody answers, as typed: `3d`; empty: never.
    #[serde(default)]
    pub remind: String,
    /// Not to be sent before this, Unix time; 0: as soon as it is said.
    #[serde(default)]
    pub send_at: i64,
}

fn nobody() -> AccountId {
    AccountId(0)
}

/// How a draft began: what is said of it, and what its mail is marked with when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// With an empty page.
    #[default]
    New,
    /// As an answer to who wrote a mail.
    Reply,
    /// As an answer to all whom it went to.
    ReplyAll,
    /// As an answer to the list that it came by.
    ReplyList,
    /// To pass a mail on, its text within the new one.
    Forward,
    /// To pass a mail on as it is, as an attachment.
    ForwardAttached,
    /// With what another mail said.
    EditAsNew,
}

impl Purpose {
    /// Whether it answers a mail.
    #[must_use]
    pub fn is_reply(self) -> bool {
        matches!(self, Self::Reply | Self::ReplyAll | Self::ReplyList)
    }
}

/// A file that comes with a draft. Its bytes are read when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Its name for those who get it, without a path.
    pub name: String,
    /// Its type: `text/plain`.
    pub media: String,
    /// Bytes, as far as is known: what a file has may change until it is sent.
    pub size: u64,
    /// Where its bytes are.
    pub source: AttachedFrom,
}

/// Where the bytes of an attachment are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachedFrom {
    /// In a file.
    File(PathBuf),
    /// In a part of a mail that is held here.
    Part {
        /// The mail.
        message: MessageId,
        /// The part.
        index: usize,
    },
    /// They are a mail that is held here, as a whole.
    Mail(MessageId),
}

/// Names of fields as the text for an editor has them, in its order.
const FIELDS: [&str; 5] = ["From", "To", "Cc", "Bcc", "Subject"];

impl Draft {
    /// An empty one.
    #[must_use]
    pub fn new(account: AccountId, from: impl Into<String>) -> Self {
        Self {
            account,
            from: from.into(),
            to: String::new(),
            cc: String::new(),
            bcc: String::new(),
            subject: String::new(),
            body: String::new(),
            attachments: Vec::new(),
            purpose: Purpose::New,
            answers: None,
            in_reply_to: String::new(),
            references: Vec::new(),
            markdown: false,
            dsn: false,
            remind: String::new(),
            send_at: 0,
        }
    }

    /// Whether nothing was written yet: nobody would miss it. A signature alone is nothing.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let said = self.body.split("\n-- \n").next().unwrap_or_default();
        let own = said.strip_prefix("-- \n").map_or(said, |_| "");
        self.purpose == Purpose::New
            && [&self.to, &self.cc, &self.bcc, &self.subject].iter().all(|text| text.trim().is_empty())
            && own.trim().is_empty()
            && self.attachments.is_empty()
    }

    /// As the store keeps it.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings and numbers under names that are strings: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As [`to_json`](Self::to_json) wrote it, now or in an older version; `None`: it is none.
    #[must_use]
    pub fn from_json(account: AccountId, text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(|draft| Self { account, ..draft })
    }

    fn field(&mut self, name: &str) -> Option<&mut String> {
        let fields = [&mut self.from, &mut self.to, &mut self.cc, &mut self.bcc, &mut self.subject];
        FIELDS.iter().zip(fields).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| field)
    }

    /// As an editor shows it: with `headers` its fields first, one a line, then an empty line and the text.
    #[must_use]
    pub fn to_text(&self, headers: bool) -> String {
        if !headers {
            return self.body.clone();
        }
        let fields = [&self.from, &self.to, &self.cc, &self.bcc, &self.subject];
        let mut text = String::new();
        for (name, field) in FIELDS.iter().zip(fields) {
            text.push_str(name);
            text.push_str(": ");
            text.extend(field.chars().map(|c| if c.is_control() { ' ' } else { c }));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.body);
        text
    }

    /// Takes over what an editor left. With `headers` what stands before the first empty line is fields: those that
    /// are not there any more are empty, but From, which stays what it was. Answers the lines there that are no
    /// fields; they are kept, above the text.
    pub fn take_text(&mut self, text: &str, headers: bool) -> Vec<String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
        if !headers {
            self.body = text;
            return Vec::new();
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        let (mut strange, mut rest) = (Vec::new(), text.as_str());
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if line.trim().is_empty() {
                // Empty lines above the first field are none that end the fields.
                rest = after;
                if fields.is_empty() && strange.is_empty() && is_field(after.split('\n').next().unwrap_or(""))
                {
                    continue;
                }
                break;
            }
            match (line.split_once(':'), fields.last_mut()) {
                (_, Some((_, value))) if line.starts_with([' ', '\t']) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (Some((name, value)), _) if is_field(line) => {
                    fields.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                // Somebody took away the fields, or the empty line below them.
                _ if strange.is_empty() && !could_be_field(line) => break,
                _ => strange.push(line.to_owned()),
            }
            rest = after;
        }
        for name in FIELDS {
            let values: Vec<&str> = fields
                .iter()
                .filter(|(known, value)| known.eq_ignore_ascii_case(name) && !value.is_empty())
                .map(|(_, value)| value.as_str())
                .collect();
            // Without any field at all, the fields were not meant to be changed.
            if fields.is_empty() || (name == "From" && values.is_empty()) {
                continue;
            }
            if let Some(field) = self.field(name) {
                *field = values.join(if name == "Subject" { " " } else { ", " });
            }
        }
        self.body = strange.iter().flat_map(|line| [line.as_str(), "\n"]).chain([rest]).collect();
        strange
    }
}

/// Whether a line is one of the fields that the text has.
fn is_field(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| FIELDS.iter().any(|f| f.eq_ignore_ascii_case(name.trim())))
}

/// Whether a line looks like a field, known or not: a name without spaces, and a colon.
fn could_be_field(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draft() -> Draft {
        Draft {
            to: "Bob <bob@example.org>, eve@example.org".into(),
            subject: "Lunch: today?".into(),
            body: "Hi,\n\nTo: not a field\n-- \nAda\n".into(),
            attachments: vec![Attached {
                name: "a.pdf".into(),
                media: "application/pdf".into(),
                size: 9,
                source: AttachedFrom::Part { message: MessageId(7), index: 2 },
            }],
            purpose: Purpose::ReplyAll,
            answers: Some(MessageId(7)),
            references: vec!["1@x".into()],
            ..Draft::new(AccountId(3), "Ada <ada@example.org>")
        }
    }

    #[test]
    fn o5_what_is_kept_comes_back_and_what_an_older_version_kept_too() {
        let draft = draft();
        assert_eq!(Draft::from_json(AccountId(3), &draft.to_json()), Some(draft));
        let old = Draft::from_json(AccountId(1), r#"{"to":"bob@example.org","unknown":1}"#).unwrap();
        assert_eq!(old, Draft { to: "bob@example.org".into(), ..Draft::new(AccountId(1), "") });
        assert_eq!(Draft::from_json(AccountId(1), "no"), None);
    }

    proptest! {
        #[test]
        fn o5_an_editor_that_changes_nothing_changes_nothing(body in "(\\PC|\n){0,60}", to in "\\PC{0,30}", headers: bool) {
            let mut draft = Draft { body, to: to.trim().to_owned(), ..draft() };
            let before = draft.clone();
            prop_assert!(draft.take_text(&before.to_text(headers), headers).is_empty());
            prop_assert_eq!(draft, before);
        }

        #[test]
        fn o5_nothing_that_an_editor_leaves_is_lost(text in "((From|To|Cc|X-Y|a b)?:? ?|\\PC{0,8}|\n|\r| ){0,20}") {
            let mut draft = draft();
            draft.take_text(&text, true);
            let left = format!("{draft:?}");
            for word in text.split([' ', '\n', '\r', ':', '\t']).filter(|w| w.chars().all(|c| c.is_ascii_alphabetic())) {
                let is_name = FIELDS.iter().any(|f| f.eq_ignore_ascii_case(word));
                prop_assert!(is_name || left.contains(word), "{word:?} of {text:?} in {left}");
            }
        }
    }

    #[test]
    fn what_people_do_to_the_fields_is_understood() {
        let taken = |text: &str| {
            let mut draft = draft();
            let strange = draft.take_text(text, true);
            (draft, strange)
        };
        let (one, strange) =
            taken("\u{feff}\r\nto: a@x,\r\n\tb@y\r\nCC: c@z\r\ncc: d@z\r\nSubject:\r\n\r\ntext\r\n");
        assert_eq!((one.to.as_str(), one.cc.as_str(), one.subject.as_str()), ("a@x, b@y", "c@z, d@z", ""));
        assert_eq!((one.from.as_str(), one.body.as_str()), ("Ada <ada@example.org>", "text\n"));
        assert!(strange.is_empty());
        // Who deletes all fields, or the line below them, meant the text.
        assert_eq!(taken("just text\n\nmore").0.body, "just text\n\nmore");
        assert_eq!(taken("just text").0.to, draft().to);
        let (two, _) = taken("To: a@x\nHello Bob, how are you\n\nmore\n");
        assert_eq!((two.to.as_str(), two.body.as_str()), ("a@x", "Hello Bob, how are you\n\nmore\n"));
        // A field that is not known is not lost.
        let (three, strange) = taken("To: a@x\nX-Mood: good\n\ntext\n");
        assert_eq!((three.body.as_str(), strange), ("X-Mood: good\ntext\n", vec!["X-Mood: good".to_owned()]));
        assert_eq!(taken("").0.body, "");
    }

    #[test]
    fn a_signature_alone_is_nothing() {
        let blank = Draft { body: "\n\n-- \nAda\n".into(), ..Draft::new(AccountId(1), "x") };
        assert!(blank.is_blank());
        assert!(Draft { body: "-- \nAda\n".into(), ..blank.clone() }.is_blank());
        assert!(!Draft { body: "Hi\n-- \nAda\n".into(), ..blank.clone() }.is_blank());
        assert!(!Draft { subject: "x".into(), ..blank }.is_blank());
    }
}
