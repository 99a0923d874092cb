//! Nasty mails: each is read, rendered and compared with what it looked like when it was last looked at.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use mailtui::mime::{self, Document, Line, Person, RenderOptions, Role};
use mailtui::text::Clean;

/// Cells of the pane that the snapshots are of.
const WIDTH: usize = 72;

/// The mails by name.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut mails: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    mails.sort();
    assert!(mails.len() > 25, "the corpus was not found");
    mails
}

fn people(out: &mut String, name: &str, people: &[Person]) {
    if !people.is_empty() {
        let list: Vec<_> = people.iter().map(|p| p.full().to_string()).collect();
        writeln!(out, "{name}: {}", list.join(" | ")).unwrap();
    }
}

/// One letter for the role of what a line begins with.
fn letter(line: &Line) -> char {
    let role = line.spans.iter().find(|s| !s.text.as_str().trim().is_empty()).map_or(Role::Plain, |s| s.role);
    match role {
        Role::Plain => ' ',
        Role::Quote(_) => 'q',
        Role::Signature => 's',
        Role::Link(_) => 'l',
        Role::Strong => 'b',
        Role::Emphasis => 'i',
        Role::Heading => 'h',
        Role::Code => 'c',
        Role::DiffAdd => '+',
        Role::DiffDel => '-',
        Role::DiffHunk => '@',
        Role::DiffHead => 'd',
        Role::Notice => 'n',
        Role::HeaderName | Role::HeaderValue => 'H',
    }
}

fn lines(out: &mut String, document: &Document, options: &RenderOptions) {
    let rendered = mime::render(document, WIDTH, options);
    for line in &rendered.lines {
        let text: String = line.text().as_str().chars().take(200).collect();
        let end = if line.is_fixed { '>' } else { ' ' };
        writeln!(out, "{}{end}|{}", letter(line), text.trim_end()).unwrap();
    }
    for (i, link) in rendered.links.iter().enumerate() {
        let link: String = link.as_str().chars().take(120).collect();
        writeln!(out, "link {i}: {link}").unwrap();
    }
}

/// Everything that a person sees of a mail.
fn seen(raw: &[u8]) -> String {
    let mut out = String::new();
    let head = mime::header_block(raw);
    let (envelope, facts, document) = (mime::envelope(head), mime::facts(raw), mime::open(raw));
    writeln!(out, "row: {} | {}", Clean::line(&envelope.from.name), Clean::line(&envelope.from.addr))
        .unwrap();
    writeln!(out, "row: {} | {} | {}", Clean::line(&envelope.subject), facts.snippet, facts.attachments)
        .unwrap();
    writeln!(out, "row: {:?} {:?}", envelope.date, mime::received(head)).unwrap();
    people(&mut out, "from", &document.from);
    people(&mut out, "reply-to", &document.reply_to);
    people(&mut out, "to", &document.to);
    people(&mut out, "cc", &document.cc);
    for warning in &document.warnings {
        writeln!(out, "warning: {warning}").unwrap();
    }
    for part in &document.parts {
        let safe = part.file_name();
        writeln!(out, "part {}: {} ({}, {} bytes) as {safe}", part.index, part.name, part.media, part.size)
            .unwrap();
    }
    lines(&mut out, &document, &RenderOptions::default());
    let html = RenderOptions { html: true, ..RenderOptions::default() };
    if mime::render(&document, WIDTH, &html).is_html && mime::render(&document, WIDTH, &html).has_other_form {
        writeln!(out, "as HTML:").unwrap();
        lines(&mut out, &document, &html);
    }
    out
}

#[test]
fn every_mail_looks_as_it_did() {
    for (name, raw) in corpus() {
        insta::with_settings!({ snapshot_path => "../corpus/seen", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, seen(&raw));
        });
    }
}

fn assert_clean(text: &Clean, of: &str) {
    let is_control =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.as_str().contains(is_control), "{of}: {text:?}");
}

#[test]
fn x5_nothing_of_any_mail_reaches_the_terminal_unclean() {
    let every = RenderOptions { html: true, all_headers: true, all_quotes: true, ..RenderOptions::default() };
    for (name, raw) in corpus() {
        let document = mime::open(&raw);
        let of = document.from.iter().chain(&document.to).chain(&document.cc).chain(&document.reply_to);
        of.flat_map(|p| [&p.name, &p.addr]).for_each(|text| assert_clean(text, &name));
        document.headers.iter().flat_map(|(n, v)| [n, v]).for_each(|text| assert_clean(text, &name));
        document
            .parts
            .iter()
            .flat_map(|p| [&p.name, &p.media, &p.mime_type])
            .for_each(|text| assert_clean(text, &name));
        [&document.subject, &document.list_id].into_iter().for_each(|text| assert_clean(text, &name));
        for options in [RenderOptions::default(), every] {
            let rendered = mime::render(&document, 40, &options);
            rendered.lines.iter().flat_map(|l| &l.spans).for_each(|s| assert_clean(&s.text, &name));
            rendered.links.iter().for_each(|link| assert_clean(link, &name));
        }
    }
}

#[test]
fn x5_no_line_is_wider_than_the_pane_but_those_that_say_so() {
    for (name, raw) in corpus() {
        let document = mime::open(&raw);
        for width in [20, 40, 72, 200] {
            for line in mime::render(
                &document,
                width,
                &RenderOptions { all_headers: true, ..RenderOptions::default() },
            )
            .lines
            {
                let is_ours = line.spans.iter().any(|s| s.role == Role::Notice);
                assert!(
                    line.width() <= width || line.is_fixed || is_ours,
                    "{name} at {width}: {:?}",
                    line.text()
                );
            }
        }
    }
}

#[test]
fn parts_are_found_again_by_their_index() {
    for (name, raw) in corpus() {
        for part in mime::open(&raw).parts {
            let bytes = mime::part(&raw, part.index).unwrap();
            let size = u64::try_from(bytes.len()).unwrap();
            assert!(
                size.abs_diff(part.size) <= 3,
                "{name}: {} is {size} bytes, not {}",
                part.name,
                part.size
            );
        }
        assert!(mime::part(&raw, 5000).is_err());
    }
}

#[test]
fn x10_a_mail_within_a_mail_is_opened_as_deep_as_it_goes() {
    let (_, mut raw) = corpus().into_iter().find(|(name, _)| name == "nested-60").unwrap();
    let mut depth = 0;
    while let Some(part) = mime::open(&raw).parts.first() {
        raw = mime::part(&raw, part.index).unwrap();
        depth += 1;
    }
    assert_eq!(depth, 61);
    assert_eq!(mime::open(&raw).subject, "innermost");
}

#[test]
fn a_mail_that_was_cut_off_anywhere_is_still_read() {
    for (_, raw) in corpus() {
        let step = (raw.len() / 40).max(1);
        for end in (0..raw.len()).step_by(step) {
            let cut = &raw[..end];
            let (envelope, facts) = (mime::envelope(mime::header_block(cut)), mime::facts(cut));
            assert!(facts.snippet.len() < 1000 && envelope.refs.len() <= 40);
            let _ = mime::open(cut);
        }
    }
}
