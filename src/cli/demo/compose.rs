//! From a letter to the raw bytes of a mail, in the character set and the encoding that it names.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Zoned};

use super::attachments;
use super::letters::{self, Letter};

/// The people that letters name by one word. The offset is that of their clock, where it is not ours.
const PEOPLE: &[(&str, &str, Option<i8>)] = &[
    ("grace", "Grace Okafor <grace@saltmarsh.example>", None),
    ("tomas", "Tomás Rivera <tomas@saltmarsh.example>", None),
    ("ines", "Ines Weber <ines@saltmarsh.example>", None),
    ("priya", "Priya Natarajan <priya@saltmarsh.example>", None),
    ("hal", "Hal Winters <hal@saltmarsh.example>", None),
    ("misaki", "佐藤 美咲 <misaki.sato@minato.example>", Some(9)),
    ("boris", "Борис Лебедев <b.lebedev@gidro.example>", Some(3)),
    ("yael", "יעל בן־עמי <yael@haifa-port.example>", Some(2)),
    ("layla", "ليلى حداد <layla@aqaba-marine.example>", Some(3)),
    ("noor", "Noor de Vries <noor@polder.example>", None),
    ("wei", "Wei Chen <wei@tinyclocks.example>", Some(8)),
    ("sam", "Sam Kowalczyk <sam@tinyheap.example>", Some(-5)),
    ("embedded", "Embedded Rust <embedded@lists.example>", None),
];

const EVERYONE: [&str; 6] = ["grace", "tomas", "ines", "priya", "hal", "me"];
const BOOKCLUB: &str = "Nadia Rahman <nadia@post.example>, Gareth Pugh <gareth@valley.example>, \
                        Solveig Dahl <solveig@fjord.example>, me";

/// Who reads the mail of an account.
pub(super) fn me(account: &str) -> &'static str {
    match account {
        "work" => "Robin Ashworth <robin@saltmarsh.example>",
        _ => "Robin Ashworth <robin.ashworth@post.example>",
    }
}

/// What of an earlier letter a later one needs: to quote it and to answer it.
#[derive(Debug, Clone)]
struct Sent {
    msgid: String,
    refs: Vec<String>,
    from: String,
    at: Zoned,
}

/// Writes letters, and remembers them for those that answer.
#[derive(Debug)]
pub(super) struct Scribe {
    now: Zoned,
    sent: HashMap<String, Sent>,
}

impl Scribe {
    pub(super) fn new(now: Zoned) -> Self {
        Self { now, sent: HashMap::new() }
    }

    /// When a letter is written that is so old now.
    fn moment(&self, letter: &Letter) -> Zoned {
        let at = self.now.saturating_sub(SignedDuration::from_secs(letter.ago));
        let offset =
            PEOPLE.iter().find(|(name, _, _)| *name == letter.from).and_then(|(_, _, offset)| *offset);
        match offset {
            Some(hours) => at.with_time_zone(TimeZone::fixed(Offset::constant(hours))),
            None => at,
        }
    }

    /// The time has come: what is written from now on is written now.
    pub(super) fn set_now(&mut self, now: Zoned) {
        self.now = now;
    }

    /// The mail, and when it was received in Unix seconds.
    pub(super) fn write(&mut self, letter: &Letter, account: &str) -> (Vec<u8>, i64) {
        let at = self.moment(letter);
        let from = people(&letter.from, account);
        let host = from.rsplit('@').next().unwrap_or("").trim_end_matches('>');
        let msgid = format!("{}.{:x}@{host}", letter.key, at.timestamp().as_second());
        let parent = letter.re.as_ref().and_then(|key| self.sent.get(key)).cloned();
        let refs = parent
            .as_ref()
            .map_or_else(Vec::new, |p| p.refs.iter().cloned().chain([p.msgid.clone()]).collect::<Vec<_>>());
        let date = |at: &Zoned| jiff::fmt::rfc2822::to_string(at).unwrap_or_default();
        let received = at.saturating_add(SignedDuration::from_secs(2));
        let charset = letter.charset.as_str();

        let mut head = vec![
            ("Return-Path", format!("<{}>", address(&from))),
            ("Received", format!("from {host} by mx.post.example with ESMTPS; {}", date(&received))),
            ("From", addresses(&from, charset)),
            ("To", addresses(&people(&letter.to, account), charset)),
        ];
        if !letter.cc.is_empty() {
            head.push(("Cc", addresses(&people(&letter.cc, account), charset)));
        }
        head.push(("Subject", words(&self.fill(&letter.subject), charset)));
        head.push(("Date", date(&at)));
        head.push(("Message-ID", format!("<{msgid}>")));
        if let Some(parent) = &parent {
            head.push(("In-Reply-To", format!("<{}>", parent.msgid)));
            let refs: Vec<String> = refs.iter().map(|r| format!("<{r}>")).collect();
            head.push(("References", refs.join("\r\n ")));
        }
        if let Some(list) = &letter.list {
            head.push(("List-Id", format!("<{list}.lists.example>")));
            head.push(("List-Post", format!("<mailto:{list}@lists.example>")));
            head.push(("List-Unsubscribe", format!("<mailto:{list}-leave@lists.example>")));
            head.push(("Precedence", "list".to_owned()));
        }
        head.extend(letter.headers.iter().map(|(name, value)| (name.as_str(), value.clone())));
        head.push(("MIME-Version", "1.0".to_owned()));

        let mut raw = Vec::new();
        for (name, value) in head {
            raw.extend_from_slice(format!("{}: {value}\r\n", capitals(name)).as_bytes());
        }
        raw.extend_from_slice(&self.content(letter));
        self.sent.insert(letter.key.clone(), Sent { msgid, refs, from, at: at.clone() });
        (raw, received.timestamp().as_second())
    }

    /// The content with its own headers.
    fn content(&self, letter: &Letter) -> Vec<u8> {
        let mut bodies = Vec::new();
        if letter.text.len() > 1 {
            let text = self.fill(&letter.text);
            bodies.push(match letter.is_prose() {
                true => text_part("plain; format=flowed", &flowed(&text), &letter.charset),
                false => text_part("plain", &text, &letter.charset),
            });
        }
        if let Some(html) = &letter.html {
            let html = text_part("html", &self.fill(html), "utf-8");
            let inline: Vec<_> =
                letter.attach.iter().filter(|(kind, _)| kind.starts_with("inline")).collect();
            let pictures = inline.iter().map(|(kind, name)| attachments::part(kind, name, &letter.charset));
            bodies.push(match inline.len() {
                0 => html,
                _ => multipart("related", "r", std::iter::once(html.clone()).chain(pictures).collect()),
            });
        }
        if let Some(calendar) = &letter.calendar {
            let text = text_part("calendar; method=REQUEST", &self.fill(calendar), "utf-8");
            bodies.push(text);
        }
        if let Some(report) = &letter.report {
            let mut part = b"Content-Type: message/delivery-status\r\n\r\n".to_vec();
            part.extend_from_slice(lines(&self.fill(report)).as_bytes());
            bodies.push(part);
            return multipart("report; report-type=delivery-status", "d", bodies);
        }
        let body = match bodies.len() {
            1 => bodies.swap_remove(0),
            _ => multipart("alternative", "a", bodies),
        };
        let files: Vec<_> = letter.attach.iter().filter(|(kind, _)| !kind.starts_with("inline")).collect();
        if files.is_empty() {
            return body;
        }
        let files = files.into_iter().map(|(kind, name)| attachments::part(kind, name, &letter.charset));
        multipart("mixed", "m", std::iter::once(body).chain(files).collect())
    }

    /// Puts days and attributions into a text: `{day:+2d}`, `{ics:+2d}`, `{date:-7d}`, `{quote:KEY}`.
    fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let value = after.split_once('}').and_then(|(slot, after)| {
                let (kind, value) = slot.split_once(':')?;
                let then = || self.now.saturating_add(SignedDuration::from_secs(letters::seconds(value)));
                let value = match kind {
                    "day" => then().strftime("%A %-d %B").to_string(),
                    "ics" => then().strftime("%Y%m%d").to_string(),
                    "date" => jiff::fmt::rfc2822::to_string(&then()).unwrap_or_default(),
                    "quote" => {
                        let sent = self.sent.get(value)?;
                        let name = sent.from.split(" <").next().unwrap_or("").trim_matches('"');
                        format!("On {}, {name} wrote:", sent.at.strftime("%-d %B %Y at %H:%M"))
                    }
                    _ => return None,
                };
                Some((value, after))
            });
            match value {
                Some((value, after)) => {
                    filled.push_str(&value);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// The addresses that words stand for: `hal, me` and whole addresses, separated by commas.
pub(super) fn people(list: &str, account: &str) -> String {
    let one = |word: &str| match word {
        "me" => me(account).to_owned(),
        "everyone" => EVERYONE.map(|name| people(name, account)).join(", "),
        "bookclub" => people(BOOKCLUB, account),
        _ => PEOPLE.iter().find(|(name, _, _)| *name == word).map_or(word, |(_, whole, _)| whole).to_owned(),
    };
    list.split(", ").map(one).collect::<Vec<_>>().join(", ")
}

fn address(one: &str) -> &str {
    one.rsplit('<').next().unwrap_or(one).trim_end_matches('>')
}

/// A list of addresses, names encoded, one a line.
fn addresses(list: &str, charset: &str) -> String {
    let one = |whole: &str| match whole.split_once(" <") {
        Some((name, rest)) if !name.is_ascii() => format!("{} <{rest}", words(name, charset)),
        _ => whole.to_owned(),
    };
    list.split(", ").map(one).collect::<Vec<_>>().join(",\r\n ")
}

/// RFC 2047: what is not ASCII in encoded words of at most 75 characters.
pub(super) fn words(text: &str, charset: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    // A name may need another alphabet than the letter.
    let charset = if encode(text, charset).1 { "utf-8" } else { charset };
    let word = |chunk: &str| format!("=?{charset}?B?{}?=", STANDARD.encode(encode(chunk, charset).0));
    let mut encoded = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        chunk.push(c);
        if word(&chunk).len() > 75 {
            chunk.pop();
            encoded.push(word(&chunk));
            chunk = c.to_string();
        }
    }
    encoded.push(word(&chunk));
    encoded.join("\r\n ")
}

/// The text in a character set, and whether that has no sign for some of it.
pub(super) fn encode(text: &str, charset: &str) -> (Vec<u8>, bool) {
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (bytes, _, poor) = encoding.encode(text);
    (bytes.into_owned(), poor)
}

/// Lines end in CRLF on the wire.
pub(super) fn lines(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// RFC 3676: lines of a paragraph end in a space, so that a reader can fold them anew.
fn flowed(text: &str) -> String {
    let prose = |line: &str| {
        let own = line.trim_start_matches("> ");
        own.chars().count() > 50 && own.starts_with(char::is_alphanumeric) && !own.contains("   ")
    };
    let mut out = String::with_capacity(text.len() + 100);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        // Space-stuffing.
        if line.starts_with(' ') || line.starts_with("From ") {
            out.push(' ');
        }
        out.push_str(line);
        let depth = |line: &str| line.starts_with('>');
        let goes_on = lines.peek().is_some_and(|next| {
            let next_own = next.trim_start_matches("> ");
            depth(next) == depth(line)
                && next_own.starts_with(|c: char| c.is_alphanumeric() || "(*\"'".contains(c))
        });
        if prose(line) && goes_on {
            out.push(' ');
        }
        out.push('\n');
    }
    out
}

/// A text part with its headers.
fn text_part(kind: &str, text: &str, charset: &str) -> Vec<u8> {
    let text = lines(text);
    let foreign = text.chars().filter(|c| !c.is_ascii()).count();
    let (charset, how, body) = match charset {
        _ if foreign == 0 => ("us-ascii", "7bit", text.into_bytes()),
        "iso-2022-jp" => (charset, "7bit", encode(&text, charset).0),
        "koi8-r" => (charset, "8bit", encode(&text, charset).0),
        "iso-8859-1" => (charset, "quoted-printable", quoted_printable(&encode(&text, "windows-1252").0)),
        _ if foreign * 6 < text.len() && charset == "utf-8" => {
            (charset, "quoted-printable", quoted_printable(text.as_bytes()))
        }
        _ => (charset, "base64", base64_lines(&encode(&text, charset).0)),
    };
    let head =
        format!("Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {how}\r\n\r\n");
    [head.into_bytes(), body].concat()
}

/// RFC 2045 section 6.7, line breaks kept.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let mut width = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        let at_end = matches!(bytes.get(i + 1), Some(b'\r') | None);
        let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (byte == b' ' && !at_end);
        if matches!(byte, b'\r' | b'\n') {
            out.push(byte);
            width = 0;
            continue;
        }
        let size = if plain { 1 } else { 3 };
        if width + size > 75 {
            out.extend_from_slice(b"=\r\n");
            width = 0;
        }
        if plain {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        width += size;
    }
    out
}

/// RFC 2045 section 6.8, 76 columns.
pub(super) fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let encoded = STANDARD.encode(bytes).into_bytes();
    encoded.chunks(76).flat_map(|line| line.iter().chain(b"\r\n")).copied().collect()
}

/// Parts with their own headers, joined.
fn multipart(kind: &str, mark: &str, parts: Vec<Vec<u8>>) -> Vec<u8> {
    let boundary = format!("=_{mark}_tide_{}", parts.len());
    let mut out = format!("Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(&part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

/// `list-id` as `List-Id`.
fn capitals(name: &str) -> String {
    let mut start = true;
    let up = |c: char| {
        let c = if start { c.to_ascii_uppercase() } else { c };
        start = c == '-';
        c
    };
    name.chars().map(up).collect()
}
