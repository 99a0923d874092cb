//! HTML laid out in lines: tidied first, then by html2text, then made ours.

use html2text::config;
use html2text::render::{TaggedLine, TextDecorator};

use super::escape::SOLID_SPACE;
use super::render::{Line, Role};
use super::tidy::tidy;
use crate::text::Clean;

/// The narrowest layout; a narrower pane cuts its lines.
const NARROWEST: usize = 20;

/// What is known of a piece of laid-out text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Ink {
    #[default]
    None,
    Link(String),
    Strong,
    Emphasis,
    Heading,
    Code,
    /// Text that keeps its line breaks; `true`: the line goes on from the one before.
    Pre(bool),
}

/// How html2text is to mark what it lays out.
#[derive(Debug, Clone, Default)]
struct Marker;

impl TextDecorator for Marker {
    type Annotation = Ink;

    fn decorate_link_start(&mut self, url: &str) -> (String, Ink) {
        (String::new(), Ink::Link(url.to_owned()))
    }

    fn decorate_link_end(&mut self) -> String {
        String::new()
    }

    fn decorate_em_start(&self) -> (String, Ink) {
        (String::new(), Ink::Emphasis)
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, Ink) {
        (String::new(), Ink::Strong)
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    // Tidied HTML strikes out headings only.
    fn decorate_strikeout_start(&self) -> (String, Ink) {
        (String::new(), Ink::Heading)
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, Ink) {
        (String::new(), Ink::Code)
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) -> Ink {
        Ink::Pre(false)
    }

    fn decorate_preformat_cont(&self) -> Ink {
        Ink::Pre(true)
    }

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, Ink) {
        (title.to_owned(), Ink::Emphasis)
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }

    fn ordered_item_prefix(&self, i: i64) -> String {
        format!("{i}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        Self
    }
}

/// The lines of an HTML text in `width` cells; targets of links are put into `links`.
///
/// `None` when it cannot be laid out: then its words are all there is.
pub(super) fn lines(html: &str, width: usize, links: &mut Vec<Clean>) -> Option<Vec<Line>> {
    let tidied = tidy(html);
    let lay_out = || {
        config::with_decorator(Marker)
            .no_table_borders()
            .allow_width_overflow()
            .unicode_strikeout(false)
            .link_footnotes(false)
            .lines_from_read(tidied.as_bytes(), width.max(NARROWEST))
            .ok()
    };
    // Nothing that passes tidying is known to make the layout panic; if something does, the mail is still
    // shown by its words.
    let laid_out = std::panic::catch_unwind(lay_out).ok().flatten()?;
    let mut out: Vec<Line> = Vec::new();
    for line in &laid_out {
        let (line, goes_on) = ours(line, links);
        match out.last_mut() {
            // A preformatted line that was broken is one line again: the pane scrolls.
            Some(last) if goes_on && last.depth == line.depth => last.append(line),
            // One empty line parts as well as ten.
            Some(last) if line.is_blank() && last.is_blank() => {}
            None if line.is_blank() => {}
            _ => out.push(line),
        }
    }
    // Only now: the line that goes on may begin after a space.
    out.iter_mut().filter(|line| line.is_fixed).for_each(Line::trim_end);
    while out.last().is_some_and(Line::is_blank) {
        out.pop();
    }
    Some(out)
}

/// A line as we draw it, and whether it goes on from the one before.
fn ours(laid_out: &TaggedLine<Vec<Ink>>, links: &mut Vec<Clean>) -> (Line, bool) {
    let mut line = Line::default();
    let (mut is_pre, mut goes_on) = (false, false);
    for piece in laid_out.tagged_strings() {
        is_pre |= piece.tag.iter().any(|ink| matches!(ink, Ink::Pre(_)));
        goes_on |= piece.tag.contains(&Ink::Pre(true));
        let role = role(&piece.tag, links);
        let text =
            if is_pre { Clean::line(&piece.s.replace(SOLID_SPACE, " ")) } else { Clean::line(&piece.s) };
        line.push(text, role);
    }
    line.is_fixed = is_pre;
    if !is_pre {
        line.trim_end();
    }
    line.take_quote_marks();
    (line, goes_on)
}

/// The outermost mark that means most: a link is a link even where it is bold.
fn role(inks: &[Ink], links: &mut Vec<Clean>) -> Role {
    let mut role = Role::Plain;
    for ink in inks {
        role = match ink {
            Ink::Link(url) => return Role::Link(number(url, links)),
            Ink::Heading => Role::Heading,
            _ if role == Role::Heading => role,
            Ink::Code | Ink::Pre(_) => Role::Code,
            Ink::Strong => Role::Strong,
            Ink::Emphasis if role == Role::Plain => Role::Emphasis,
            _ => role,
        };
    }
    role
}

/// The number of a link: one for each target.
pub(super) fn number(url: &str, links: &mut Vec<Clean>) -> usize {
    let url = Clean::line(url);
    // Looked for from the end: a link that was broken over lines is the last one.
    let recent = links.len().saturating_sub(500);
    match links[recent..].iter().rposition(|known| *known == url) {
        Some(at) => recent + at,
        None => {
            links.push(url);
            links.len() - 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(html: &str, width: usize) -> Vec<String> {
        let mut links = Vec::new();
        let lines = lines(html, width, &mut links).unwrap_or_default();
        lines.iter().map(|line| line.text().into()).collect()
    }

    #[test]
    fn layout_tables_and_lists_are_laid_out() {
        let html = "<table><tr><td>Item<td>Price<tr><td>Engine<td>3.20</table><ul><li>one<li>two</ul>";
        assert_eq!(read(html, 40), ["Item   Price", "Engine 3.20", "* one", "* two"]);
    }

    #[test]
    fn a_preformatted_line_is_not_folded() {
        let long = "word ".repeat(30);
        assert_eq!(read(&format!("<pre>{long}\n  x</pre>"), 40), [long.trim_end(), "  x"]);
    }

    #[test]
    fn roles_follow_the_elements() {
        let mut links = Vec::new();
        let html = "<h1>T</h1><b>s</b> <a href=https://x.org><b>l</b></a> <code>c</code>";
        let lines = lines(html, 40, &mut links).unwrap();
        let spans = lines.iter().flat_map(|line| &line.spans);
        let read: Vec<(&str, Role)> = spans.map(|span| (span.text.as_str(), span.role)).collect();
        assert_eq!(
            read,
            [
                ("T", Role::Heading),
                ("s", Role::Strong),
                (" ", Role::Plain),
                ("l", Role::Link(0)),
                (" ", Role::Plain),
                ("c", Role::Code),
            ]
        );
        assert_eq!(links, ["https://x.org"]);
    }

    #[test]
    fn x10_hostile_html_is_laid_out_in_time() {
        for piece in [
            "<div>",
            "<b>x",
            "<blockquote>x",
            "<table><tr><td>x",
            "<ul><li>x",
            "<td colspan=999999999>x",
            "<p>x",
            "<br>",
            "<a href=https://x.org>x",
            "<pre>x",
            "\u{644}\u{627}",
            "日本",
            "e\u{301}",
            "&nbsp;",
            "<table>",
            "<tr>",
            "x</table>",
        ] {
            read(&piece.repeat(8_000 / piece.len()), 40);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn r7_any_html_is_laid_out(pieces in prop::collection::vec(prop::sample::select(vec![
            "<p>", "</p>", "<b>", "</b>", "<a href=https://x.org>", "</a>", "<table>", "</table>", "<tr>", "<td>", "</td>",
            "<ul>", "<li>", "</ul>", "<ol start=9223372036854775807>", "<blockquote>", "</blockquote>", "<h1>", "</h1>",
            "<pre>", "</pre>", "<img src=x alt=x>", "<br>", "text", " ", "&amp;", "\n", "\t", "&nbsp;", "&#1;", "&Tab;",
            "averyveryverylongwordthatdoesnotfitintoanycolumn", "\u{644}\u{627}\u{644}\u{627}\u{644}\u{627}\u{644}\u{627}\u{644}\u{627}\u{644}\u{627}\u{644}\u{627}\u{644}\u{627}\u{644}\u{627}",
            "日本語日本語日本語日本語日本語日本語", "e\u{301}", "\u{1f468}\u{200d}\u{1f469}", "\u{17d2}\u{1780}", "\u{200b}",
            "<td rowspan=9999>", "<td colspan=7>", "\u{5d0}\u{200d}\u{5dc}"]), 0..60), width in 1usize..60) {
            let html = pieces.concat();
            let mut links = Vec::new();
            prop_assert!(lines(&html, width, &mut links).is_some());
        }
    }
}
