//! A mail as lines for the reader: spans of clean text with a role each.

use super::document::{Document, Form, Text};
use super::{html, markup, plain};
use crate::text::Clean;

/// Lines of a quote that are shown although nothing answers it.
const FOLD_FROM: usize = 12;
/// Lines that are made of one mail; what comes after can be saved, not scrolled.
const MOST_LINES: usize = 200_000;

/// What a piece of text is, for the theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The sender's words.
    Plain,
    /// Quoted, this deep; the marks are part of it.
    Quote(u8),
    /// Below the signature separator.
    Signature,
    /// A link: its number in [`Rendered::links`].
    Link(usize),
    /// Bold.
    Strong,
    /// Italic; also the words that stand for a picture.
    Emphasis,
    /// A heading.
    Heading,
    /// Code, preformatted.
    Code,
    /// A line that a patch adds.
    DiffAdd,
    /// A line that a patch takes away.
    DiffDel,
    /// Where in a file: `@@ -1,2 +1,3 @@`.
    DiffHunk,
    /// Which file.
    DiffHead,
    /// A word of ours, not of the sender's.
    Notice,
    /// The name of a header field.
    HeaderName,
    /// The value of a header field.
    HeaderValue,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its text.
    pub text: Clean,
    /// What it is.
    pub role: Role,
}

/// One line of the reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Its pieces, from the left.
    pub spans: Vec<Span>,
    /// How deep it is quoted; 0 for the sender's own.
    pub depth: u8,
    /// It may be wider than the pane: code, tables, patches are never folded.
    pub is_fixed: bool,
}

impl Line {
    /// A line of one piece.
    #[must_use]
    pub fn of(text: Clean, role: Role) -> Self {
        Self { spans: vec![Span { text, role }], depth: 0, is_fixed: false }
    }

    /// Its text without roles.
    #[must_use]
    pub fn text(&self) -> Clean {
        self.spans.iter().map(|s| &s.text).collect()
    }

    /// Cells it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.spans.iter().map(|s| s.text.width()).sum()
    }

    /// Whether there is nothing to see on it; a quoted empty line is blank.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.spans
            .iter()
            .all(|s| s.text.as_str().chars().all(|c| c.is_whitespace() || (c == '>' && self.depth > 0)))
    }

    /// Appends a piece.
    pub(super) fn push(&mut self, text: Clean, role: Role) {
        match self.spans.last_mut() {
            Some(last) if last.role == role => last.text.push(&text),
            _ => self.spans.push(Span { text, role }),
        }
    }

    /// Appends all of another line.
    pub(super) fn append(&mut self, more: Self) {
        for span in more.spans {
            self.push(span.text, span.role);
        }
    }

    /// Drops the spaces at its end.
    pub(super) fn trim_end(&mut self) {
        while let Some(last) = self.spans.last_mut() {
            let kept = last.text.as_str().trim_end().len();
            if kept == last.text.as_str().len() {
                return;
            }
            last.text = last.text.slice(0..kept);
            if kept > 0 {
                return;
            }
            self.spans.pop();
        }
    }

    /// Reads the quote marks at its beginning, if it has any, and gives what is quoted its role.
    pub(super) fn take_quote_marks(&mut self) {
        let Some(first) = self.spans.first() else { return };
        if self.is_fixed || !matches!(first.role, Role::Plain) {
            return;
        }
        let marks: usize = first
            .text
            .as_str()
            .bytes()
            .take_while(|b| matches!(b, b'>' | b' '))
            .filter(|b| *b == b'>')
            .count();
        if marks == 0 || !first.text.as_str().starts_with('>') {
            return;
        }
        self.depth = u8::try_from(marks).unwrap_or(u8::MAX);
        for span in &mut self.spans {
            if span.role == Role::Plain {
                span.role = Role::Quote(self.depth);
            }
        }
    }
}

/// How a mail is to be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    /// HTML where there is any; else plain text where there is any.
    pub html: bool,
    /// Every header field first.
    pub all_headers: bool,
    /// Long quotes that nothing answers, too.
    pub all_quotes: bool,
    /// Cells of prose, also in a wider pane.
    pub measure: usize,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { html: false, all_headers: false, all_quotes: false, measure: 80 }
    }
}

impl Role {
    /// The number of the link that this is a piece of.
    #[must_use]
    pub fn link(self) -> Option<usize> {
        match self {
            Self::Link(number) => Some(number),
            _ => None,
        }
    }
}

/// A rendered mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// Its lines.
    pub lines: Vec<Line>,
    /// Where its links lead; [`Role::Link`] counts from 0.
    pub links: Vec<Clean>,
    /// Quotes that are folded away, or would be.
    pub folds: usize,
    /// Whether what is shown was HTML.
    pub is_html: bool,
    /// Whether there is the other form, too: plain for HTML, HTML for plain.
    pub has_other_form: bool,
}

/// The lines of a raw mail, nothing decoded: its header, then all the rest.
#[must_use]
pub fn source(raw: &[u8]) -> Vec<Line> {
    let mut is_header = true;
    let line = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes));
        let text = Clean::line(&text);
        is_header &= !text.is_empty();
        let role = if is_header { Role::HeaderValue } else { Role::Plain };
        Line { spans: vec![Span { text, role }], ..Line::default() }
    };
    raw.split(|b| *b == b'\n').take(MOST_LINES).map(line).collect()
}

/// Renders a mail for a pane of `width` cells.
#[must_use]
pub fn render(document: &Document, width: usize, options: &RenderOptions) -> Rendered {
    let mut out = Rendered::default();
    let width = width.max(1);
    if options.all_headers {
        headers(document, width, &mut out.lines);
    }
    for text in &document.texts {
        if !out.lines.is_empty() {
            out.lines.push(Line::default());
        }
        let mut lines = one_text(text, width, options, &mut out);
        let folds = fold_quotes(&mut lines, !options.all_quotes);
        out.folds += folds;
        out.lines.append(&mut lines);
        if out.lines.len() > MOST_LINES {
            out.lines.truncate(MOST_LINES);
            out.lines.push(notice(Clean::fixed("the rest of this mail is too long to be shown")));
            break;
        }
    }
    out
}

/// One text in the form that is asked for and there.
fn one_text(text: &Text, width: usize, options: &RenderOptions, out: &mut Rendered) -> Vec<Line> {
    let measure = width.min(options.measure.max(20));
    let plain = text.plain.as_ref().filter(|plain| text.html.is_none() || !plain.form.text.trim().is_empty());
    out.has_other_form |= plain.is_some() && text.html.is_some();
    let (form, mut lines) = match (plain, &text.html) {
        (Some(plain), html) if html.is_none() || !options.html => {
            (&plain.form, plain::lines(plain, measure, &mut out.links))
        }
        (_, Some(html)) => {
            out.is_html = true;
            (html, of_html(html, measure, &mut out.links))
        }
        _ => return Vec::new(),
    };
    if form.is_raw {
        lines.insert(0, notice(Clean::fixed("this part could not be decoded: it is shown as it was sent")));
    }
    if form.is_cut {
        lines.push(notice(Clean::fixed("the rest of this part is too long to be shown")));
    }
    plain::mark_signature(&mut lines);
    lines
}

fn of_html(form: &Form, measure: usize, links: &mut Vec<Clean>) -> Vec<Line> {
    let lines = html::lines(&form.text, measure, links).unwrap_or_default();
    if lines.iter().any(|line| !line.is_blank()) {
        return lines;
    }
    // Nothing came of it: its bare words are better than an empty page.
    let words = markup::strip(&form.text, usize::MAX);
    if words.trim().is_empty() {
        return Vec::new();
    }
    let mut lines = vec![notice(Clean::fixed("this HTML could not be laid out: these are its words"))];
    lines.extend(plain::of_words(&words, measure, links));
    lines
}

fn notice(text: Clean) -> Line {
    Line::of(text, Role::Notice)
}

fn headers(document: &Document, width: usize, lines: &mut Vec<Line>) {
    for (name, value) in &document.headers {
        let mut line = Line::default();
        let indent = if name.is_empty() { 0 } else { 2 };
        let text = Clean::join([name, value], if name.is_empty() { "" } else { ": " });
        let fold = crate::text::wrap::Fold { first: width, rest: width.saturating_sub(indent).max(1) };
        for (i, range) in crate::text::wrap::fold(text.as_str(), fold).into_iter().enumerate() {
            if i == 0 && !name.is_empty() && range.end > name.as_str().len() {
                let colon = name.as_str().len() + 1;
                line.spans.push(Span { text: text.slice(0..colon), role: Role::HeaderName });
                line.spans
                    .push(Span { text: text.slice(colon..range.end.max(colon)), role: Role::HeaderValue });
            } else {
                if i > 0 && indent > 0 {
                    line.spans.push(Span { text: Clean::fixed("  "), role: Role::HeaderValue });
                }
                line.spans.push(Span { text: text.slice(range), role: Role::HeaderValue });
            }
            lines.push(std::mem::take(&mut line));
        }
    }
}

/// Folds every long quote that nothing answers into its first line; gives how many there are.
fn fold_quotes(lines: &mut Vec<Line>, fold: bool) -> usize {
    // Where the last words are that the sender wrote: a quote before them is answered.
    let is_own = |line: &Line| {
        line.depth == 0
            && !line.is_blank()
            && line.spans.iter().any(|s| !matches!(s.role, Role::Signature | Role::Notice))
    };
    let answered_to = lines.iter().rposition(is_own).map_or(0, |at| at + 1);
    let Some(start) = (answered_to..lines.len()).find(|i| lines[*i].depth > 0) else { return 0 };
    let end = lines.iter().rposition(|line| line.depth > 0).map_or(start, |at| at + 1);
    if end - start <= FOLD_FROM {
        return 0;
    }
    if fold {
        let mark = Clean::line(&format!("  ({} quoted lines)", end - start));
        lines[start].spans.push(Span { text: mark, role: Role::Notice });
        lines.drain(start + 1..end);
    }
    1
}
