//! The text of a mail as who answers it quotes it: paragraphs, with how deep each is quoted already.

use super::document::Document;
use super::html;
use crate::text::wrap::{self, Paragraph};

/// Columns into which HTML is laid out for a quote.
const MEASURE: usize = 72;

impl Document {
    /// What the mail says, the plain form where there is one. Lines of prose that were broken for the way are whole.
    #[must_use]
    pub fn said(&self) -> Vec<Paragraph> {
        let mut out: Vec<Paragraph> = Vec::new();
        for text in &self.texts {
            let plain = text.plain.as_ref().filter(|plain| !plain.form.text.trim().is_empty());
            if !out.is_empty() {
                out.push(Paragraph { depth: 0, text: String::new(), flowed: false });
            }
            match (plain, &text.html) {
                (Some(plain), _) if plain.is_flowed => {
                    let mut paragraphs = wrap::unflow(wrap::lines(&plain.form.text), plain.delsp);
                    paragraphs.iter_mut().for_each(|p| {
                        if p.flowed {
                            p.text.truncate(p.text.trim_end().len());
                        }
                    });
                    out.append(&mut paragraphs);
                }
                (Some(plain), _) => out.extend(wrap::lines(&plain.form.text).map(as_it_is)),
                (None, Some(form)) => {
                    let lines = html::lines(&form.text, MEASURE, &mut Vec::new()).unwrap_or_default();
                    out.extend(lines.iter().map(|line| as_it_is(line.text().as_str())));
                }
                (None, None) => {}
            }
        }
        while out.last().is_some_and(|p| p.text.trim().is_empty()) {
            out.pop();
        }
        out
    }
}

impl Document {
    /// The text of a mail that is a draft, line by line as it was typed; `None`: it was laid out on its way, is HTML, or
    /// has several.
    #[must_use]
    pub fn typed(&self) -> Option<String> {
        let [text] = &self.texts[..] else { return None };
        let plain = text.plain.as_ref().filter(|plain| !plain.is_flowed && !plain.form.is_cut)?;
        let text = plain.form.text.replace("\r\n", "\n");
        Some(format!("{}\n", text.strip_suffix('\n').unwrap_or(&text)))
    }
}

fn as_it_is(line: &str) -> Paragraph {
    let (depth, text) = wrap::quoted(line);
    // The separator of a signature ends in a space.
    let text = if text == "-- " { text } else { text.trim_end() };
    Paragraph { depth, text: text.to_owned(), flowed: false }
}

#[cfg(test)]
mod tests {
    use super::super::open;

    fn said(head: &str, body: &str) -> Vec<(usize, String)> {
        let raw = format!("{head}\r\n\r\n{}", body.replace('\n', "\r\n"));
        open(raw.as_bytes()).said().into_iter().map(|p| (p.depth, p.text)).collect()
    }

    #[test]
    fn prose_is_whole_and_depth_is_told() {
        let flowed = "Content-Type: text/plain; format=flowed";
        let body = "> one \n> two\n  indented\n\nlong \nline\n-- \nAda\n";
        let expected = [(1, "one two"), (0, " indented"), (0, ""), (0, "long line"), (0, "-- "), (0, "Ada")];
        assert_eq!(said(flowed, body), expected.map(|(depth, text)| (depth, text.to_owned())));
        let fixed = said("Subject: x", "> > deep\n>\nown  \n\n\n");
        assert_eq!(fixed, [(2, "deep".to_owned()), (1, String::new()), (0, "own".to_owned())]);
    }

    #[test]
    fn what_is_html_alone_is_laid_out() {
        let html = said("Content-Type: text/html", "<p>Hello <b>Bob</b></p><blockquote>said</blockquote>");
        assert!(html.contains(&(0, "Hello Bob".to_owned())), "{html:?}");
        assert!(html.iter().any(|(depth, text)| *depth == 1 && text == "said"), "{html:?}");
    }
}
