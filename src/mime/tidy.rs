//! HTML of mail made small, flat and well-formed before it is laid out.
//!
//! Only a few dozen elements and no style pass. Nesting is bounded and everything is closed in order, so
//! that the layout takes bounded time; links are labelled, and a text that lies about its target is
//! followed by the real one.

use unicode_width::UnicodeWidthChar;

use super::element::{Kind, is_hidden, skip_element};
use super::escape::{escape, part_ligatures, unbreakable};
use super::links;
use super::markup::{Token, Tokens, attribute, entities};

/// How deep elements may nest.
const DEEPEST: usize = 80;
/// How deep tables, lists and quotes may nest, each of which makes the text narrower.
const NARROWEST: usize = 8;

/// The tidied document.
pub(super) fn tidy(html: &str) -> String {
    let mut tidy = Tidy {
        out: String::with_capacity(html.len() / 2),
        open: Vec::new(),
        ignored: Vec::new(),
        link: None,
    };
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => tidy.text(text),
            Token::Start(name, list) => {
                if is_hidden(list) {
                    skip_element(&mut tokens, name);
                } else {
                    tidy.start(&name.to_ascii_lowercase(), list);
                }
            }
            Token::End(name) => tidy.end(&name.to_ascii_lowercase()),
        }
    }
    tidy.close_to(0);
    tidy.out
}

/// The link that is open.
struct Link {
    url: String,
    /// What was seen of it so far.
    text: String,
    /// Whether a picture without words stands in it.
    has_image: bool,
}

struct Tidy {
    out: String,
    open: Vec<Kind>,
    /// Elements that were left out because they are too deep, so that their end tags are, too.
    ignored: Vec<Kind>,
    link: Option<Link>,
}

impl Tidy {
    fn text(&mut self, raw: &str) {
        let text = entities(raw);
        let is_blank = text.chars().all(|c| c.is_ascii_whitespace());
        if is_blank && matches!(self.open.last(), Some(Kind::Table | Kind::Row | Kind::List(_))) {
            return;
        }
        if !is_blank {
            self.ensure_cell();
        }
        if let Some(link) = &mut self.link {
            link.text.push_str(&text);
        }
        let text = part_ligatures(&text);
        if self.open.contains(&Kind::Pre) {
            escape(&unbreakable(&text), &mut self.out);
        } else {
            escape(&text, &mut self.out);
        }
    }

    fn start(&mut self, name: &str, list: &str) {
        match name {
            "br" => self.bare("<br>"),
            "hr" => {
                self.close_paragraph();
                self.bare("<p>———</p>");
            }
            "img" => self.image(list),
            _ => {
                if let Some(kind) = Kind::named(name) {
                    self.open(kind, list);
                }
            }
        }
    }

    fn bare(&mut self, html: &str) {
        self.ensure_cell();
        self.out.push_str(html);
    }

    fn image(&mut self, list: &str) {
        let alt = attribute(list, "alt").unwrap_or_default();
        let alt = alt.trim();
        if let Some(link) = &mut self.link {
            link.text.push_str(alt);
            link.has_image = true;
        }
        if !alt.is_empty() {
            self.ensure_cell();
            self.out.push_str("<em>");
            escape(&part_ligatures(alt), &mut self.out);
            self.out.push_str("</em>");
        }
    }

    fn open(&mut self, kind: Kind, list: &str) {
        let url = match kind {
            Kind::Link => match attribute(list, "href").and_then(|href| links::target(&href)) {
                Some(url) => Some(url),
                // An anchor, or a link that is not followed: its text is all there is.
                None => return,
            },
            _ => None,
        };
        let kind = self.make_room(kind);
        let narrow = self.open.iter().filter(|k| k.is_narrowing()).count();
        if self.open.len() >= DEEPEST || (kind.is_narrowing() && narrow >= NARROWEST) {
            if !kind.is_inline() {
                self.out.push_str("<br>");
            }
            self.ignored.push(kind);
            return;
        }
        match url {
            Some(url) => {
                self.out.push_str("<a href=\"");
                escape(&url, &mut self.out);
                self.out.push_str("\">");
                self.link = Some(Link { url, text: String::new(), has_image: false });
            }
            None => self.out.push_str(&kind.start()),
        }
        self.open.push(kind);
    }

    /// Closes what the start of `kind` closes (HTML: optional end tags), opens what it needs around it, and
    /// gives the form in which it can stand here.
    fn make_room(&mut self, kind: Kind) -> Kind {
        match kind {
            Kind::Row | Kind::Cell => {
                let Some(table) = self.open.iter().rposition(|k| *k == Kind::Table) else {
                    return Kind::Division;
                };
                if kind == Kind::Row {
                    self.close_to(table + 1);
                } else {
                    match self.open.get(table + 1) {
                        Some(Kind::Row) => self.close_to(table + 2),
                        _ => {
                            self.close_to(table + 1);
                            self.push(Kind::Row);
                        }
                    }
                }
                kind
            }
            Kind::Item => {
                let near =
                    self.open.iter().rposition(|k| matches!(k, Kind::List(_) | Kind::Cell | Kind::Quote));
                match near.map(|at| (at, self.open[at])) {
                    Some((at, Kind::List(_))) => {
                        self.close_to(at + 1);
                        kind
                    }
                    _ => Kind::Division,
                }
            }
            Kind::Link => {
                if let Some(at) = self.open.iter().rposition(|k| *k == Kind::Link) {
                    self.close_to(at);
                }
                self.ensure_cell();
                kind
            }
            Kind::Inline(_) => {
                self.ensure_cell();
                kind
            }
            _ => {
                self.close_paragraph();
                self.ensure_cell();
                kind
            }
        }
    }

    /// Text and blocks stand in cells only, and in items of lists.
    fn ensure_cell(&mut self) {
        match self.open.last() {
            Some(Kind::Table) => {
                self.push(Kind::Row);
                self.push(Kind::Cell);
            }
            Some(Kind::Row) => self.push(Kind::Cell),
            Some(Kind::List(_)) => self.push(Kind::Item),
            _ => {}
        }
    }

    fn push(&mut self, kind: Kind) {
        self.out.push_str(&kind.start());
        self.open.push(kind);
    }

    /// A block ends the paragraph before it.
    fn close_paragraph(&mut self) {
        let around = self.open.iter().rposition(|k| !k.is_inline());
        if let Some(at) = around.filter(|at| matches!(self.open[*at], Kind::Paragraph | Kind::Heading)) {
            self.close_to(at);
        }
    }

    fn end(&mut self, name: &str) {
        if name == "p" && !self.open.contains(&Kind::Paragraph) {
            self.bare("<br>");
            return;
        }
        let Some(kind) = Kind::named(name) else { return };
        if let Some(last) = self.ignored.last() {
            if *last == kind {
                self.ignored.pop();
                return;
            }
            if self.ignored.contains(&kind) && self.ignored.len() < DEEPEST {
                return;
            }
        }
        // A stray end tag does not reach out of its cell.
        let wall = match kind {
            Kind::Cell | Kind::Row | Kind::Table => 0,
            _ => self.open.iter().rposition(|k| *k == Kind::Cell).map_or(0, |at| at + 1),
        };
        if let Some(at) = self.open[wall..].iter().rposition(|k| *k == kind) {
            self.close_to(wall + at);
        }
    }

    /// Closes everything from `level` on, the innermost first.
    fn close_to(&mut self, level: usize) {
        while self.open.len() > level {
            let Some(kind) = self.open.pop() else { return };
            if kind == Kind::Link
                && let Some(link) = self.link.take()
            {
                self.label(&link);
            }
            self.out.push_str(&kind.end());
        }
    }

    /// What a link needs to be honest: a name if it has none, its real target if its text tells another.
    fn label(&mut self, link: &Link) {
        if link.text.trim_matches(|c: char| c.is_whitespace() || c.width().unwrap_or(0) == 0).is_empty() {
            if link.has_image {
                escape(links::host(&link.url), &mut self.out);
            }
        } else if let Some(real) = links::betrayal(&link.text, &link.url) {
            self.out.push_str(" [really: ");
            escape(real, &mut self.out);
            self.out.push(']');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_few_elements_pass() {
        assert_eq!(
            tidy(
                "<html><body bgcolor=x><P CLASS=a style='color:red'>a <FONT>b</FONT> <B>c</B><script>x</script></body>"
            ),
            "<p>a b <strong>c</strong></p>"
        );
        assert_eq!(tidy("a<br/>b<hr>c"), "a<br>b<p>———</p>c");
        assert_eq!(tidy("<h1>T<p>x"), "<p><s>T</s></p><p>x</p>");
    }

    #[test]
    fn everything_is_closed_in_order() {
        assert_eq!(tidy("<p>a<p>b<b>c</p>d</b>"), "<p>a</p><p>b<strong>c</strong></p>d");
        assert_eq!(tidy("<ul><li>a<li>b</ul>"), "<ul><li>a</li><li>b</li></ul>");
        assert_eq!(
            tidy("<table><tr><td>a<td>b<tr><td>c</table>"),
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"
        );
        assert_eq!(tidy("<table>text<td>x"), "<table><tr><td>text</td><td>x</td></tr></table>");
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        assert_eq!(
            tidy("a<div style='Display: none !important'>b<div>c</div></div><span hidden>d</span>e"),
            "ae"
        );
        assert_eq!(tidy("a<img style=display:none alt=x>b"), "ab");
    }

    #[test]
    fn links_are_named() {
        assert_eq!(
            tidy("<a href='https://x.org/1'><img src=a.png></a> <a name=top>here</a>"),
            "<a href=\"https://x.org/1\">x.org</a> here"
        );
        assert_eq!(
            tidy("<a href=https://x.org/1><img alt='Logo'></a>"),
            "<a href=\"https://x.org/1\"><em>Logo</em></a>"
        );
        assert_eq!(tidy("<a href='javascript:x()'>go</a>"), "go");
    }

    #[test]
    fn x6_a_link_that_lies_is_followed_by_its_target() {
        assert_eq!(
            tidy("<a href='https://evil.example/x'>https://bank.example</a>"),
            "<a href=\"https://evil.example/x\">https://bank.example [really: evil.example]</a>"
        );
    }

    #[test]
    fn what_the_layout_cannot_measure_does_not_reach_it() {
        assert_eq!(tidy("a&#1;b&#x202e;c\u{7}d&shy;e"), "a bc de");
        assert_eq!(tidy("1 < 2 &amp;&lt;b&gt; &unknown;"), "1 &lt; 2 &amp;&lt;b&gt; &amp;unknown;");
    }

    #[test]
    fn x10_nesting_is_bounded() {
        for piece in [
            "<div>",
            "<b>",
            "<blockquote>",
            "<table><tr><td>",
            "<ul><li>",
            "<a href=https://x.org>",
            "<font>",
        ] {
            let html = tidy(&format!("{}text", piece.repeat(20_000)));
            let (mut depth, mut deepest) = (0usize, 0);
            for token in Tokens::new(&html) {
                match token {
                    Token::Start(name, _) if name != "br" => depth += 1,
                    Token::End(_) => depth -= 1,
                    _ => {}
                }
                deepest = deepest.max(depth);
            }
            assert!(deepest <= DEEPEST + 3 && depth == 0 && html.contains("text"), "{piece}: {deepest}");
        }
    }

    proptest! {
        #[test]
        fn r7_tidied_html_is_well_formed(pieces in prop::collection::vec(prop::sample::select(vec![
            "<p>", "</p>", "<b>", "</b>", "<a href=https://x.org>", "</a>", "<table>", "</table>", "<tr>", "<td>", "</td>",
            "<ul>", "<li>", "</ul>", "<blockquote>", "</blockquote>", "<h1>", "</h1>", "<pre>", "<img alt=x>", "<br>",
            "text", " ", "&amp;", "<div hidden>", "</div>", "<div>"]), 0..40)) {
            let html = tidy(&pieces.concat());
            let mut open = Vec::new();
            for token in Tokens::new(&html) {
                match token {
                    Token::Start("br", _) | Token::Text(_) => {}
                    Token::Start(name, _) => open.push(name.to_owned()),
                    Token::End(name) => {
                        let begun: Option<String> = open.pop();
                        prop_assert_eq!(begun.as_deref(), Some(name), "{}", html);
                    }
                }
            }
            prop_assert!(open.is_empty(), "{}", html);
        }
    }
}
