//! The elements of HTML that pass into the layout, and those that are not to be seen.

use super::markup::{Token, Tokens, attributes};

/// An element that passes, in the form in which it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Stands within a line.
    Inline(&'static str),
    Link,
    Paragraph,
    /// `p` with `s` inside: nothing else is struck out, so that the layout knows it for a heading.
    Heading,
    Division,
    Pre,
    Quote,
    List(&'static str),
    Item,
    Term,
    Table,
    Row,
    Cell,
}

impl Kind {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "b" | "strong" => Self::Inline("strong"),
            "i" | "em" | "cite" | "dfn" | "var" => Self::Inline("em"),
            "code" | "tt" | "kbd" | "samp" => Self::Inline("code"),
            "a" => Self::Link,
            "p" | "caption" => Self::Paragraph,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Self::Heading,
            "div" | "section" | "article" | "header" | "footer" | "main" | "nav" | "aside" | "address"
            | "center" | "figure" | "figcaption" | "fieldset" | "form" | "details" | "summary" | "dl" => {
                Self::Division
            }
            "pre" | "xmp" | "listing" => Self::Pre,
            "blockquote" => Self::Quote,
            "ul" | "menu" | "dir" => Self::List("ul"),
            "ol" => Self::List("ol"),
            "li" => Self::Item,
            "dt" | "dd" => Self::Term,
            "table" => Self::Table,
            "tr" => Self::Row,
            "td" | "th" => Self::Cell,
            _ => return None,
        })
    }

    pub(super) fn is_inline(self) -> bool {
        matches!(self, Self::Inline(_) | Self::Link)
    }

    /// Whether it makes what is in it narrower.
    pub(super) fn is_narrowing(self) -> bool {
        matches!(self, Self::Quote | Self::List(_) | Self::Table)
    }

    pub(super) fn start(self) -> String {
        match self {
            Self::Heading => "<p><s>".to_owned(),
            kind => format!("<{}>", kind.tag()),
        }
    }

    pub(super) fn end(self) -> String {
        match self {
            Self::Heading => "</s></p>".to_owned(),
            kind => format!("</{}>", kind.tag()),
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Inline(tag) | Self::List(tag) => tag,
            Self::Link => "a",
            Self::Paragraph | Self::Heading => "p",
            Self::Division | Self::Term => "div",
            Self::Pre => "pre",
            Self::Quote => "blockquote",
            Self::Item => "li",
            Self::Table => "table",
            Self::Row => "tr",
            Self::Cell => "td",
        }
    }
}

/// Whether an element is not to be seen, by its attributes.
pub(super) fn is_hidden(list: &str) -> bool {
    attributes(list).any(|(name, value)| {
        if name.eq_ignore_ascii_case("hidden") {
            return true;
        }
        if !name.eq_ignore_ascii_case("style") {
            return false;
        }
        let style: String =
            value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
        style.split(';').any(|rule| {
            let rule = rule.trim_end_matches("!important");
            matches!(
                rule,
                "display:none"
                    | "visibility:hidden"
                    | "mso-hide:all"
                    | "opacity:0"
                    | "font-size:0"
                    | "font-size:0px"
                    | "max-height:0"
                    | "max-height:0px"
            )
        })
    })
}

/// Passes over everything up to the end tag that belongs to a start tag just read.
pub(super) fn skip_element(tokens: &mut Tokens, name: &str) {
    const VOID: [&str; 9] = ["img", "br", "hr", "input", "meta", "link", "col", "wbr", "area"];
    if VOID.iter().any(|void| void.eq_ignore_ascii_case(name)) {
        return;
    }
    let mut depth = 1usize;
    for token in tokens {
        match token {
            Token::Start(inner, list) if inner.eq_ignore_ascii_case(name) && !list.ends_with('/') => {
                depth += 1
            }
            Token::End(inner) if inner.eq_ignore_ascii_case(name) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}
