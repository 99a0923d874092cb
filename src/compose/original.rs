//! What is to be known of a mail that is answered or passed on.

use crate::mime;
use crate::model::{Address, Attached, AttachedFrom, MessageId};
use crate::text::wrap::Paragraph;

/// A mail that is answered, passed on, or written again.
#[derive(Debug, Clone, Default)]
pub struct Original {
    /// Its row, while it is held here.
    pub message: Option<MessageId>,
    /// Its Message-ID, without brackets.
    pub msgid: String,
    /// What it answers itself.
    pub parent: String,
    /// References, oldest first.
    pub references: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// When it was written, Unix time.
    pub date: Option<i64>,
    /// Who wrote it: From, else Sender.
    pub from: Vec<Address>,
    /// Reply-To.
    pub reply_to: Vec<Address>,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// Bcc: in what was written here.
    pub bcc: Vec<Address>,
    /// Mail-Followup-To: to whom its writer wants answers for all to go.
    pub followup: Vec<Address>,
    /// The address of the list that it came by (List-Post, RFC 2369).
    pub list: Vec<Address>,
    /// Whether the list takes no mail (`List-Post: NO`).
    pub list_is_closed: bool,
    /// To whom the servers gave it: Delivered-To, X-Original-To, Envelope-To.
    pub delivered: Vec<Address>,
    /// Its text.
    pub text: Vec<Paragraph>,
    /// Its files.
    pub files: Vec<Attached>,
}

impl Original {
    /// Reads a mail, or as much of it as is here.
    #[must_use]
    pub fn read(message: Option<MessageId>, raw: &[u8]) -> Self {
        let head = mime::header_block(raw);
        let envelope = mime::envelope(head);
        let people = |name: &str| mime::people(head, name);
        let document = mime::open(raw);
        let mut from = people("From");
        if from.is_empty() {
            from = people("Sender");
        }
        let post = mime::field_text(head, "List-Post").unwrap_or_default();
        let files = document.parts.iter().filter_map(|part| {
            let is_file = matches!(
                part.kind,
                mime::PartKind::File
                    | mime::PartKind::Inline
                    | mime::PartKind::Message
                    | mime::PartKind::Calendar
            );
            is_file.then(|| Attached {
                name: part.file_name(),
                media: part.mime_type.to_string(),
                size: part.size,
                source: AttachedFrom::Part { message: message.unwrap_or(MessageId(0)), index: part.index },
            })
        });
        Self {
            message,
            msgid: envelope.msgid,
            parent: envelope.parent,
            references: envelope.refs,
            subject: envelope.subject,
            date: envelope.date,
            from,
            reply_to: people("Reply-To"),
            to: people("To"),
            cc: people("Cc"),
            bcc: people("Bcc"),
            followup: people("Mail-Followup-To"),
            list: posted(&post),
            list_is_closed: post.trim().eq_ignore_ascii_case("no"),
            delivered: ["Delivered-To", "X-Original-To", "Envelope-To"]
                .iter()
                .flat_map(|f| people(f))
                .collect(),
            text: document.said(),
            files: files.collect(),
        }
    }
}

/// The addresses of a List-Post field: its `mailto:` links, without what they say beside the address.
fn posted(value: &str) -> Vec<Address> {
    let links = value.split('<').skip(1).filter_map(|rest| rest.split('>').next()).map(str::trim);
    let mailto = links.filter_map(|link| {
        let scheme = link.get(..7)?;
        scheme
            .eq_ignore_ascii_case("mailto:")
            .then(|| super::mailto::decoded(link[7..].split('?').next()?))?
    });
    mailto.flat_map(|text| mime::addresses(&text)).collect()
}
