//! What a part of a mail is there for: to be read, to be kept, or to decorate.

use super::parts::Part;

/// What is to be done with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It holds others.
    Container,
    /// Text to read; `named`: it is also a file, like a patch sent inline.
    Plain {
        /// Whether it is listed as a file as well.
        named: bool,
    },
    /// HTML to read.
    Html,
    /// A file.
    File,
    /// A mail within the mail.
    Message,
    /// An invitation, or an answer to one; `alone`: not merely another form of the text.
    Calendar {
        /// Whether it is a file of its own.
        alone: bool,
    },
    /// A picture of the layout.
    Inline,
    /// A signature over the other parts.
    Signature,
    /// What a delivery report says to machines.
    Report,
}

impl Purpose {
    /// Whether it counts as an attachment in a list.
    pub(super) fn is_attachment(self) -> bool {
        matches!(
            self,
            Self::File | Self::Message | Self::Calendar { alone: true } | Self::Plain { named: true }
        )
    }

    /// Whether it is listed under the text when the mail is read.
    pub(super) fn is_listed(self) -> bool {
        !matches!(self, Self::Container | Self::Plain { named: false } | Self::Html)
    }
}

/// What the part at `index` is there for.
pub(super) fn purpose(parts: &[Part], index: usize) -> Purpose {
    let part = &parts[index];
    if part.is_multipart {
        return Purpose::Container;
    }
    let parent = part.parent.map_or("", |p| parts[p].media());
    let media = part.media();
    match media {
        "text/plain" | "text/enriched" | "text/richtext" | "text/x-patch" | "text/x-diff" | "text/x-log"
            if !part.is_attached() =>
        {
            Purpose::Plain { named: !part.disposition.value.is_empty() && part.name().is_some() }
        }
        "text/html" | "application/xhtml+xml" if !part.is_attached() => Purpose::Html,
        "text/calendar" => Purpose::Calendar { alone: parent != "multipart/alternative" },
        "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
            Purpose::Signature
        }
        "message/delivery-status"
        | "message/disposition-notification"
        | "message/feedback-report"
        | "text/rfc822-headers"
        | "message/global-delivery-status" => Purpose::Report,
        "message/rfc822" | "message/global" | "message/news" if parent == "multipart/report" => {
            Purpose::Report
        }
        "message/rfc822" | "message/global" | "message/news" => Purpose::Message,
        _ if parent == "multipart/related" && !part.is_attached() => Purpose::Inline,
        _ if media.starts_with("image/") && part.has_id && !part.is_attached() => Purpose::Inline,
        _ => Purpose::File,
    }
}
