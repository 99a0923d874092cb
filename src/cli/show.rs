//! `mailtui show`: one mail to read, as plain text or as JSON.

use serde_json::{Value, json};

use super::find::{self, Names};
use super::get;
use super::list::Entry;
use super::mails::Show;
use super::out::Out;
use super::words::sized;
use crate::config::Config;
use crate::engine::report;
use crate::error::Result;
use crate::mime::{self, Document, RenderOptions};
use crate::model::BodyState;
use crate::store::Reader;
use crate::text::{self, Clean};

/// Of a larger mail only so much is read to be shown, in bytes; `mailtui get` writes all of it.
const LARGEST: u64 = 32 << 20;
/// Prose is folded here, and earlier on a narrower terminal.
const COLUMNS: usize = 80;

pub(super) fn run(show: &Show, config: &Config, reader: &Reader, out: &mut Out) -> Result<()> {
    let mail = find::message(reader, show.id)?;
    if show.raw && !out.json {
        get::whole(&mail)?;
        return reader.read_body(mail.message, &mut |bytes| out.bytes(bytes)).map(drop);
    }
    if !(show.headers || out.json || mail.body == BodyState::Head) {
        get::whole(&mail)?;
    }
    let raw = reader.raw(mail.message, LARGEST)?;
    let mut document = mime::open(&raw);
    if let Some(tidings) = report::tidings(reader, mail.account, &raw)? {
        document.warnings.splice(0..0, tidings.lines);
    }
    let width = out.width.map_or(COLUMNS, |columns| columns.min(COLUMNS));
    if out.json {
        let names = Names::of(reader)?;
        let entry = Entry::of(reader, &names, &mail, &config.ui.timezone)?;
        let mut object = json!(entry);
        if let Value::Object(fields) = &mut object {
            fields.insert("headers".into(), json!(document.headers));
            fields.insert(
                "text".into(),
                if mail.body == BodyState::Whole { body(&document, width).into() } else { Value::Null },
            );
            fields.insert("parts".into(), parts(&document));
            if show.raw {
                fields.insert("raw".into(), String::from_utf8_lossy(&raw).into());
            }
        }
        return out.object(&object);
    }
    if show.headers {
        for (name, value) in &document.headers {
            out.line(format!("{name}: {value}"))?;
        }
    } else {
        head(&document, mail.date, config, out)?;
    }
    for warning in &document.warnings {
        out.line(format!("! {warning}"))?;
    }
    if mail.body == BodyState::Whole {
        out.line("")?;
        out.bytes(body(&document, width).as_bytes())?;
        if !document.parts.is_empty() {
            out.line("")?;
        }
        for part in &document.parts {
            let size = sized(part.size);
            out.line(format!("[{}] {}  {} {size}", part.index, part.name, part.media))?;
        }
    } else if mail.body == BodyState::Head {
        out.line("")?;
        let (size, id) = (sized(mail.size), mail.message);
        out.line(format!(
            "[the rest is on the server, {size} in all: `mailtui get --download {id}` gets it]"
        ))?;
    }
    Ok(())
}

fn head(document: &Document, date: i64, config: &Config, out: &mut Out) -> Result<()> {
    let list = |people: &[mime::Person]| {
        people.iter().map(|person| person.full().to_string()).collect::<Vec<_>>().join(", ")
    };
    out.line(format!("From:    {}", list(&document.from)))?;
    out.line(format!("To:      {}", list(&document.to)))?;
    if !document.cc.is_empty() {
        out.line(format!("Cc:      {}", list(&document.cc)))?;
    }
    out.line(format!("Date:    {}", text::when::plain(date, &config.ui.timezone)))?;
    out.line(format!("Subject: {}", document.subject))
}

/// The text of the mail, folded, without colours.
fn body(document: &Document, width: usize) -> String {
    let options = RenderOptions { all_quotes: true, ..RenderOptions::default() };
    let rendered = mime::render(document, width, &options);
    let mut text: String =
        rendered.lines.iter().map(|line| format!("{}\n", line.text().as_str().trim_end())).collect();
    // Plain text spells its links out; HTML hides them behind words.
    if rendered.is_html && !rendered.links.is_empty() {
        text.push_str("\nLinks:\n");
        text.extend(rendered.links.iter().map(|link| format!("  {link}\n")));
    }
    text
}

fn parts(document: &Document) -> Value {
    let part = |part: &mime::Part| {
        json!({
            "part": part.index, "name": part.name, "type": part.mime_type, "size": part.size,
            "file_name": Clean::line(&part.file_name()),
        })
    };
    document.parts.iter().map(part).collect()
}
