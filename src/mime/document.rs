//! A mail opened for reading: its headers as people read them, its texts, and the list of its other parts.

use super::header::{Field, fields};
use super::params::Params;
use super::parts::{self, Part as Raw};
use super::purpose::{Purpose, purpose};
use super::{address, body, charset, date, envelope, header, media, words};
use crate::error::{Error, Kind, Result};
use crate::model::Address;
use crate::text::Clean;

/// Encoded bytes of one text that are read; the rest can be saved.
const LONGEST_TEXT: usize = 2 * 1024 * 1024;
/// Encoded bytes of one HTML text that are laid out: it costs ten times as much as plain text.
const LONGEST_HTML: usize = 1024 * 1024;
/// Encoded bytes of all texts together.
const LONGEST_TEXTS: usize = 8 * 1024 * 1024;
/// Header fields that are listed.
const MOST_HEADERS: usize = 1000;
/// Bytes of a header value that are listed.
const LONGEST_HEADER: usize = 8 * 1024;

/// A mail ready to be rendered. It owns what it shows, and shows nothing that is not clean.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Everybody whom From names, in every From field: more than one is suspicious.
    pub from: Vec<Person>,
    /// Where answers should go, if the mail says so.
    pub reply_to: Vec<Person>,
    /// To.
    pub to: Vec<Person>,
    /// Cc.
    pub cc: Vec<Person>,
    /// Bcc: only in what was sent from here.
    pub bcc: Vec<Person>,
    /// Subject; may be empty.
    pub subject: Clean,
    /// Date as Unix seconds; `None` when missing or beyond repair.
    pub date: Option<i64>,
    /// The list it came through, empty for none.
    pub list_id: Clean,
    /// Whether it says how to unsubscribe.
    pub can_unsubscribe: bool,
    /// What is odd about its headers, in words for the chrome.
    pub warnings: Vec<Clean>,
    /// Every header field, name and value, in order.
    pub headers: Vec<(Clean, Clean)>,
    /// The parts to list: files, pictures, mails within, signatures.
    pub parts: Vec<Part>,
    /// The texts, in order.
    pub(super) texts: Vec<Text>,
}

/// A mailbox as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The display name; may be empty.
    pub name: Clean,
    /// The address; empty for a group without members.
    pub addr: Clean,
    /// Whether the name passes itself off as another address (promise X6).
    pub is_misleading: bool,
}

/// A part that is not simply text to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What [`part`] finds it by.
    pub index: usize,
    /// Its file name, the subject of a mail, or a made-up name; never empty. Not safe as a path: see
    /// [`file_name`](Self::file_name).
    pub name: Clean,
    /// What it is, in a word: `PDF`, `image`, `invitation`.
    pub media: Clean,
    /// Its media type as sent, in lower case: `application/pdf`.
    pub mime_type: Clean,
    /// Size in bytes when decoded.
    pub size: u64,
    /// What it is there for.
    pub kind: PartKind,
}

impl Part {
    /// A name under which it may be saved (promise X7), with the ending that its kind has.
    #[must_use]
    pub fn file_name(&self) -> String {
        let name = self.name.as_str();
        if self.kind == PartKind::Message && !name.to_ascii_lowercase().ends_with(".eml") {
            // Room for the ending: a subject may be as long as it likes, and have dots.
            let subject: String = name.chars().take(60).collect();
            return super::safe_file_name(&format!("{}.eml", subject.replace(['/', '\\'], " ")));
        }
        super::safe_file_name(name)
    }
}

/// What a listed part is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// A file.
    File,
    /// A picture within the text.
    Inline,
    /// A mail: its bytes can be opened as one.
    Message,
    /// An invitation, or the answer to one.
    Calendar,
    /// A delivery report or read receipt for machines.
    Report,
    /// A signature over the text.
    Signature,
}

/// One text of the mail in the forms in which it was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    pub(super) plain: Option<Plain>,
    pub(super) html: Option<Form>,
}

/// A form of a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    pub(super) text: String,
    /// It could not be decoded as labelled.
    pub(super) is_raw: bool,
    /// Its end was left out.
    pub(super) is_cut: bool,
}

/// Plain text with its format.
#[derive(Debug, Clone, Default)]
pub(super) struct Plain {
    pub(super) form: Form,
    /// RFC 3676: lines that end in a space go on.
    pub(super) is_flowed: bool,
    /// RFC 3676: that space is not part of the text.
    pub(super) delsp: bool,
}

impl Person {
    fn new(address: &Address) -> Self {
        let shown = address::label(address);
        Self {
            name: Clean::line(&address.name),
            addr: Clean::line(&address.addr),
            is_misleading: !address.addr.is_empty()
                && shown == address.addr
                && !address.name.is_empty()
                && !address.name.trim().eq_ignore_ascii_case(&address.addr),
        }
    }

    /// Name and address, the address always: `Ada Lovelace <ada@example.org>`; a name that misleads stands
    /// behind: `evil@example.net (says "info@bank.example")`.
    #[must_use]
    pub fn full(&self) -> Clean {
        if self.addr.is_empty() {
            return Clean::join([&self.name, &Clean::fixed("(no address)")], " ");
        }
        if self.name.is_empty() || self.name.as_str().eq_ignore_ascii_case(self.addr.as_str()) {
            return self.addr.clone();
        }
        if self.is_misleading {
            let says = [&self.addr, &Clean::fixed(" (says \""), &self.name, &Clean::fixed("\")")];
            return says.into_iter().collect();
        }
        [&self.name, &Clean::fixed(" <"), &self.addr, &Clean::fixed(">")].into_iter().collect()
    }

    /// The name, or the address where there is none or where the name misleads.
    #[must_use]
    pub fn short(&self) -> &Clean {
        if self.name.is_empty() || self.is_misleading { &self.addr } else { &self.name }
    }
}

/// Opens a mail. Never fails: what cannot be read is shown as it was sent.
#[must_use]
pub fn open(raw: &[u8]) -> Document {
    let parts = parts::scan(raw);
    let mut document = headers(header::header_block(raw));
    let mut texts = Texts { parts: &parts, left: LONGEST_TEXTS };
    document.texts = texts.of(0);
    document.parts = (0..parts.len()).filter_map(|i| listed(&parts, i)).collect();
    document
}

/// The decoded bytes of a part, by its index in [`Document::parts`].
///
/// # Errors
/// `Gone` when the mail has no such part.
pub fn part(raw: &[u8], index: usize) -> Result<Vec<u8>> {
    let parts = parts::scan(raw);
    let part = parts
        .get(index)
        .ok_or_else(|| Error::new(Kind::Gone, format!("the mail has no part number {index}")))?;
    Ok(body::bytes(part, usize::MAX).0.into_owned())
}

/// The text of a part as a mail of its own, to be read like one; `None`: it is no text.
pub fn part_as_mail(raw: &[u8], index: usize) -> Result<Option<Vec<u8>>> {
    let bytes = part(raw, index)?;
    let parts = parts::scan(raw);
    let Some(part) = parts.get(index) else { return Ok(None) };
    let kind = match part.media() {
        "message/rfc822" | "message/global" => return Ok(Some(bytes)),
        "text/html" => "text/html",
        kind if kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml") => "text/plain",
        // What programs call a text that they know no name for, patches and logs above all.
        "application/octet-stream" if is_text(&bytes) => "text/plain",
        _ => return Ok(None),
    };
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    let charset = part.content.text("charset").filter(|name| is_name(name));
    let charset = charset.map(|name| format!("; charset={name}")).unwrap_or_default();
    let head = format!("Content-Type: {kind}{charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    Ok(Some([head.as_bytes(), &bytes].concat()))
}

fn is_text(bytes: &[u8]) -> bool {
    let is_odd = |b: &u8| b.is_ascii_control() && !b"\t\r\n\x0c".contains(b);
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(is_odd)
}

/// What the header says, without the texts.
fn headers(block: &[u8]) -> Document {
    let fields: Vec<Field> = fields(block).collect();
    let hint = fields
        .iter()
        .find(|f| f.is("Content-Type"))
        .and_then(|f| Params::parse(f.value).raw("charset").and_then(charset::find));
    let people = |name: &str| -> Vec<Person> {
        let named = fields.iter().filter(|f| f.is(name));
        named.flat_map(|f| address::parse(f.value, hint)).map(|a| Person::new(&a)).collect()
    };
    let first = |name: &str| fields.iter().find(|f| f.is(name)).map_or(&b""[..], |f| f.value);
    let mut from = people("From");
    if from.is_empty() {
        from = people("Sender");
    }
    let from_fields = fields.iter().filter(|f| f.is("From")).count();
    let listed = fields.iter().take(MOST_HEADERS).map(|f| {
        let value = words::decode(&f.value[..f.value.len().min(LONGEST_HEADER)], hint);
        (Clean::line(&String::from_utf8_lossy(f.name)), Clean::line(&value))
    });
    Document {
        warnings: warnings(&from, from_fields),
        headers: listed.collect(),
        reply_to: people("Reply-To"),
        to: people("To"),
        cc: people("Cc"),
        bcc: people("Bcc"),
        subject: Clean::line(&envelope::subject(first("Subject"), hint)),
        date: fields.iter().filter(|f| f.is("Date")).find_map(|f| date::parse(f.value)),
        list_id: Clean::line(&envelope::list_id(first("List-Id"), hint)),
        can_unsubscribe: fields.iter().any(|f| f.is("List-Unsubscribe")),
        from,
        parts: Vec::new(),
        texts: Vec::new(),
    }
}

fn warnings(from: &[Person], from_fields: usize) -> Vec<Clean> {
    let mut out = Vec::new();
    if from_fields > 1 {
        out.push(Clean::fixed("it has more than one From field"));
    } else if from.len() > 1 {
        out.push(Clean::fixed("it says it comes from more than one person"));
    }
    if let Some(sender) = from.iter().find(|p| p.is_misleading) {
        let says = Clean::fixed("the sender's name looks like another address: ");
        out.push([&says, &sender.name].into_iter().collect());
    }
    let domain = |p: &Person| p.addr.as_str().rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    if from.iter().map(domain).any(|d| !d.is_ascii() || d.split('.').any(|label| label.starts_with("xn--"))) {
        out.push(Clean::fixed("the sender's domain is not written in plain letters"));
    }
    out
}

/// The entry of a part in the list, if it has one.
fn listed(parts: &[Raw], index: usize) -> Option<Part> {
    let (part, purpose) = (&parts[index], purpose(parts, index));
    if !purpose.is_listed() {
        return None;
    }
    let kind = match purpose {
        Purpose::Inline => PartKind::Inline,
        Purpose::Message => PartKind::Message,
        Purpose::Calendar { .. } => PartKind::Calendar,
        Purpose::Report => PartKind::Report,
        Purpose::Signature => PartKind::Signature,
        _ => PartKind::File,
    };
    let name = Clean::line(&name(part, kind)).trim();
    Some(Part {
        index,
        media: Clean::fixed(media::word(part.media(), name.as_str())),
        mime_type: Clean::line(part.media()),
        size: part.transfer.decoded_len(part.body),
        name: if name.is_empty() { Clean::fixed("unnamed") } else { name },
        kind,
    })
}

fn name(part: &Raw, kind: PartKind) -> String {
    if let Some(name) = part.name() {
        return name;
    }
    if kind == PartKind::Message {
        let (bytes, _) = body::bytes(part, 64 * 1024);
        let subject = envelope::envelope(header::header_block(&bytes)).subject;
        return if subject.is_empty() { "mail without subject".to_owned() } else { subject };
    }
    let made_up = match kind {
        PartKind::Calendar => "invitation",
        PartKind::Report => "report",
        PartKind::Signature => "signature",
        _ => "unnamed",
    };
    format!("{made_up}{}", media::extension(part.media()))
}

/// The texts of a mail, found by what holds them.
struct Texts<'a, 'b> {
    parts: &'a [Raw<'b>],
    /// Encoded bytes that may still be read.
    left: usize,
}

impl Texts<'_, '_> {
    /// The texts in the part at `index`. The scan has bounded how deep this goes.
    fn of(&mut self, index: usize) -> Vec<Text> {
        match purpose(self.parts, index) {
            Purpose::Container => {
                let inner: Vec<usize> =
                    (index + 1..self.parts.len()).filter(|i| self.parts[*i].parent == Some(index)).collect();
                let texts = inner.into_iter().flat_map(|i| self.of(i)).collect();
                let is_alternative = self.parts[index].media() == "multipart/alternative";
                if is_alternative { alternative(texts) } else { texts }
            }
            Purpose::Plain { .. } => {
                let content = &self.parts[index].content;
                let says =
                    |name, value: &[u8]| content.raw(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
                let (is_flowed, delsp) = (says("format", b"flowed"), says("delsp", b"yes"));
                let plain = Plain { form: self.read(index, LONGEST_TEXT), is_flowed, delsp };
                vec![Text { plain: Some(plain), html: None }]
            }
            Purpose::Html => vec![Text { plain: None, html: Some(self.read(index, LONGEST_HTML)) }],
            _ => Vec::new(),
        }
    }

    fn read(&mut self, index: usize, most: usize) -> Form {
        let part = &self.parts[index];
        let limit = self.left.min(most);
        self.left -= part.body.len().min(limit);
        let body::Text { text, is_raw, is_cut } = body::text(part, limit);
        Form { text, is_raw, is_cut }
    }
}

/// The forms of one text: the first plain one that says anything, the last HTML, and what else was there.
fn alternative(forms: Vec<Text>) -> Vec<Text> {
    let mut one = Text::default();
    let mut rest = Vec::new();
    for text in forms {
        let is_blank = one.plain.as_ref().is_none_or(|plain| plain.form.text.trim().is_empty());
        match text {
            Text { plain: Some(plain), html } if is_blank => {
                one.plain = Some(plain);
                one.html = html.or(one.html);
            }
            Text { plain: None, html: Some(html) } => one.html = Some(html),
            text => rest.push(text),
        }
    }
    if one.plain.is_some() || one.html.is_some() {
        rest.insert(0, one);
    }
    rest
}
