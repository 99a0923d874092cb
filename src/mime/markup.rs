//! HTML as a row of tags and texts: enough to strip it, and to tidy it before it is laid out.

use std::borrow::Cow;

/// A piece of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text, entities not decoded.
    Text(&'a str),
    /// A start tag: its name as written, and its attributes not taken apart.
    Start(&'a str, &'a str),
    /// An end tag.
    End(&'a str),
}

/// The tags and texts of a document; comments, declarations, scripts and style sheets are left out.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

/// Elements whose content is no text for people.
const UNSEEN: [&str; 12] = [
    "script", "style", "title", "template", "iframe", "object", "svg", "math", "select", "textarea", "audio",
    "video",
];

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    /// Goes on after the end tag of `name`; to the end when there is none, as browsers do.
    pub(super) fn skip_past(&mut self, name: &str) {
        let mut rest = self.rest;
        while let Some(at) = rest.find("</") {
            rest = &rest[at + 2..];
            if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
                let after = &rest[name.len()..];
                self.rest = after.find('>').map_or("", |end| &after[end + 1..]);
                return;
            }
        }
        self.rest = "";
    }

    /// The length of the tag that `rest` begins with, through its `>`; `None` if it does not end.
    fn tag_len(&self) -> Option<usize> {
        let mut quote = None;
        let mut after_equals = false;
        for (i, b) in self.rest.bytes().enumerate().skip(1) {
            match (quote, b) {
                (Some(q), b) if b == q => quote = None,
                (Some(_), _) => {}
                (None, b'>') => return Some(i + 1),
                (None, b'"' | b'\'') if after_equals => quote = Some(b),
                _ => {}
            }
            if !b.is_ascii_whitespace() {
                after_equals = b == b'=';
            }
        }
        // A quote that is never closed: the tag ends where it would have ended without.
        self.rest.find('>').map(|i| i + 1)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let Some(inside) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(Token::Text(text));
            };
            if let Some(comment) = inside.strip_prefix("!--") {
                self.rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
                continue;
            }
            if inside.starts_with(['!', '?']) {
                self.rest = inside.find('>').map_or("", |end| &inside[end + 1..]);
                continue;
            }
            let named = inside.strip_prefix('/').unwrap_or(inside);
            if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
                // A lone `<` is text, up to the next one.
                let end = inside.find('<').map_or(self.rest.len(), |at| at + 1);
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(Token::Text(text));
            }
            let Some(len) = self.tag_len() else {
                self.rest = "";
                return None;
            };
            let (tag, rest) = self.rest.split_at(len);
            self.rest = rest;
            let tag = &tag[1..len - 1];
            let (tag, is_end) = tag.strip_prefix('/').map_or((tag, false), |tag| (tag, true));
            let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
            let (name, attributes) = tag.split_at(end);
            if is_end {
                return Some(Token::End(name));
            }
            if let Some(unseen) = UNSEEN.iter().find(|u| u.eq_ignore_ascii_case(name)) {
                if !attributes.ends_with('/') {
                    self.skip_past(unseen);
                }
                continue;
            }
            return Some(Token::Start(name, attributes));
        }
    }
}

/// The attributes of a start tag: names as written, values without quotes, entities not decoded.
pub(super) fn attributes(mut rest: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        rest =
            rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '=' | '"' | '\''));
        if rest.is_empty() {
            return None;
        }
        let end =
            rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after.trim_start();
        let Some(value) = rest.strip_prefix('=') else { return Some((name, "")) };
        let value = value.trim_start();
        let (value, after) = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        rest = after;
        Some((name, value))
    })
}

/// The value of one attribute, entities decoded.
pub(super) fn attribute<'a>(list: &'a str, name: &str) -> Option<Cow<'a, str>> {
    attributes(list).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| entities(value))
}

/// Named entities that mail is full of.
const NAMED: [(&str, char); 44] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("euro", '€'),
    ("pound", '£'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("times", '×'),
    ("rarr", '→'),
    ("larr", '←'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("ccedil", 'ç'),
    ("ntilde", 'ñ'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("shy", '\u{ad}'),
    ("ensp", ' '),
];

/// Text with the common entities decoded; others stay as they are.
pub(super) fn entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        // The longest name here has six letters, the longest number seven digits.
        let end = rest.bytes().take(10).position(|b| b == b';');
        match end.and_then(|end| entity(&rest[..end])) {
            Some(c) => {
                out.push(c);
                rest = &rest[end.map_or(0, |end| end + 1)..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    NAMED.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
}

/// The words of a document, a line break where a block ends: for the row of a list, and for what cannot be
/// laid out. Ends after about `limit` bytes.
pub(super) fn strip(html: &str, limit: usize) -> String {
    let mut out = String::new();
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => {
                for word in entities(text).split_inclusive(|c: char| c.is_ascii_whitespace()) {
                    let solid = word.trim_end_matches(|c: char| c.is_ascii_whitespace());
                    out.push_str(solid);
                    if solid.len() < word.len() && !out.ends_with([' ', '\n']) {
                        out.push(' ');
                    }
                }
            }
            Token::Start(name, _) | Token::End(name) if !is_inline(name) && !out.ends_with('\n') => {
                out.push('\n')
            }
            Token::Start(..) | Token::End(_) => {}
        }
        if out.len() > limit {
            break;
        }
    }
    out
}

/// Whether an element stands within a line of text.
fn is_inline(name: &str) -> bool {
    const INLINE: [&str; 19] = [
        "a", "abbr", "b", "big", "code", "del", "em", "font", "i", "img", "ins", "s", "small", "span",
        "strong", "sub", "sup", "tt", "u",
    ];
    INLINE.iter().any(|inline| inline.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_is_taken_apart() {
        let html = "<!DOCTYPE x><p class=a>1 < 2<br/><!-- > --><A HREF='x>y'>link</A ><style>p{}</style>end";
        let tokens: Vec<_> = Tokens::new(html).collect();
        assert_eq!(
            tokens,
            [
                Token::Start("p", " class=a"),
                Token::Text("1 "),
                Token::Text("< 2"),
                Token::Start("br", "/"),
                Token::Start("A", " HREF='x>y'"),
                Token::Text("link"),
                Token::End("A"),
                Token::Text("end"),
            ]
        );
    }

    #[test]
    fn attributes_are_read_in_all_styles() {
        let list = r#" href="a&amp;b" alt='x y' width=3 hidden / style = "display:none""#;
        assert_eq!(attribute(list, "HREF").as_deref(), Some("a&b"));
        assert_eq!(attribute(list, "alt").as_deref(), Some("x y"));
        assert_eq!(attribute(list, "width").as_deref(), Some("3"));
        assert_eq!(attribute(list, "hidden").as_deref(), Some(""));
        assert_eq!(attribute(list, "style").as_deref(), Some("display:none"));
        assert_eq!(attribute(list, "src"), None);
    }

    #[test]
    fn entities_are_decoded() {
        assert_eq!(entities("a &lt; b &amp;&#8364;&#x20ac; &unknown; &"), "a < b &€€ &unknown; &");
    }

    #[test]
    fn a_document_is_stripped_to_its_words() {
        let html =
            "<html><head><title>no</title></head><body><p>One\n two</p><div>three&nbsp;<b>fo</b>ur</div>";
        assert_eq!(strip(html, 999).trim(), "One two\nthree\u{a0}four");
        assert_eq!(strip("cut <b", 999), "cut ");
    }

    #[test]
    fn x10_hostile_html_takes_linear_time() {
        for piece in ["<a", "<", "<!--", "</", "<a b=\"", "<style>", "&", "<x ='>"] {
            strip(&piece.repeat(300_000 / piece.len()), usize::MAX);
        }
    }

    proptest! {
        #[test]
        fn r7_any_text_is_taken_apart(html in "[<>/a-c='\"&;# !-]{0,60}|\\PC{0,60}") {
            strip(&html, 999);
            for token in Tokens::new(&html) {
                if let Token::Start(_, list) = token {
                    attributes(list).count();
                }
            }
        }
    }
}
