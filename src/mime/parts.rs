//! The parts of a mail (RFC 2046), found in one pass over its lines, however deep they claim to nest.

use memchr::{memchr, memmem};

use super::header::{Field, fields};
use super::params::Params;
use super::transfer::Transfer;

/// How deep multiparts may nest; what is deeper is shown as text.
const DEEPEST: usize = 40;
/// How many parts are told apart; the rest of the mail is left as it is.
const MOST: usize = 1000;
/// The longest boundary that is one; RFC 2046 section 5.1.1 allows 70 characters.
const LONGEST_BOUNDARY: usize = 500;

/// One part of a mail; it borrows the raw bytes.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// The multipart that holds it, by its place in the list; `None` for the mail itself.
    pub(super) parent: Option<usize>,
    /// Its body, still encoded.
    pub(super) body: &'a [u8],
    /// Content-Type; its value is never empty.
    pub(super) content: Params,
    /// Content-Disposition.
    pub(super) disposition: Params,
    /// Content-Transfer-Encoding.
    pub(super) transfer: Transfer,
    /// Whether it has a Content-ID.
    pub(super) has_id: bool,
    /// Whether it holds other parts.
    pub(super) is_multipart: bool,
}

impl Part<'_> {
    /// Its media type in lower case, like `text/plain`.
    pub(super) fn media(&self) -> &str {
        &self.content.value
    }

    /// Its file name as the sender wrote it: any text at all.
    pub(super) fn name(&self) -> Option<String> {
        self.disposition
            .text("filename")
            .or_else(|| self.content.text("name"))
            .filter(|name| !name.trim().is_empty())
    }

    /// Whether the sender asks for it not to be shown with the text.
    pub(super) fn is_attached(&self) -> bool {
        // RFC 2183 section 2.8: what is unknown counts as attachment.
        !matches!(self.disposition.value.as_str(), "" | "inline")
    }
}

/// Every part of a mail, a multipart before what it holds; the first is the mail itself.
///
/// `raw` may be cut off anywhere. There is always at least one part.
pub(super) fn scan(raw: &[u8]) -> Vec<Part<'_>> {
    let mut scan = Scan { raw, parts: Vec::new(), open: Vec::new(), leaf: None };
    let mut at = scan.begin(0, None);
    let dashes = memmem::Finder::new(b"\n--");
    while at < raw.len() && !scan.open.is_empty() {
        if !raw[at..].starts_with(b"--") {
            // No delimiter begins here: on to the next line that may be one.
            at = dashes.find(&raw[at..]).map_or(raw.len(), |i| at + i + 1);
            continue;
        }
        let end = line_end(raw, at);
        if let Some((level, closes)) = scan.delimiter(&raw[at..end]) {
            scan.end(level, at);
            if closes {
                scan.open.truncate(level);
            } else if scan.parts.len() >= MOST {
                break;
            } else {
                let parent = scan.open[level].part;
                at = scan.begin(end, Some(parent));
                continue;
            }
        }
        at = end;
    }
    scan.finish()
}

/// A multipart that was begun and not ended.
struct Open {
    part: usize,
    boundary: Vec<u8>,
}

struct Scan<'a> {
    raw: &'a [u8],
    parts: Vec<Part<'a>>,
    /// Outermost first.
    open: Vec<Open>,
    /// The part whose body we are in, and where that begins.
    leaf: Option<(usize, usize)>,
}

impl<'a> Scan<'a> {
    /// Reads the header of the part that begins at `at`; gives where its body begins.
    fn begin(&mut self, at: usize, parent: Option<usize>) -> usize {
        let body = self.header_end(at);
        let header = &self.raw[at..body];
        let in_digest = parent.is_some_and(|p| self.parts[p].media() == "multipart/digest");
        let part = part(header, parent, in_digest);
        let index = self.parts.len();
        if part.media().starts_with("multipart/") && self.open.len() < DEEPEST {
            let boundary = match part.content.raw("boundary") {
                Some(boundary) => boundary.trim_ascii_end().to_vec(),
                None => self.guess_boundary(body),
            };
            if (1..=LONGEST_BOUNDARY).contains(&boundary.len()) {
                self.open.push(Open { part: index, boundary });
            }
        }
        self.parts.push(part);
        // A multipart is a leaf until its first part is found: what comes before that is its preamble,
        // and all there is to show when nothing else comes.
        self.leaf = Some((index, body));
        body
    }

    /// Where the header that begins at `at` ends: after the empty line, or before a delimiter.
    fn header_end(&self, mut at: usize) -> usize {
        while at < self.raw.len() {
            let end = line_end(self.raw, at);
            let line = &self.raw[at..end];
            if line == b"\r\n" || line == b"\n" {
                return end;
            }
            if self.delimiter(line).is_some() {
                return at;
            }
            at = end;
        }
        self.raw.len()
    }

    /// The innermost open multipart that this line delimits, and whether it ends there.
    fn delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?;
        self.open.iter().enumerate().rev().find_map(|(level, open)| {
            // The whole line must match: one boundary may begin like another.
            match rest.strip_prefix(open.boundary.as_slice())?.trim_ascii_end() {
                b"" => Some((level, false)),
                b"--" => Some((level, true)),
                _ => None,
            }
        })
    }

    /// Ends the body we are in, and every multipart deeper than `level`, before the delimiter at `at`.
    fn end(&mut self, level: usize, at: usize) {
        // RFC 2046 section 5.1.1: the line break before a delimiter belongs to it.
        let before = &self.raw[..at];
        let end = before.strip_suffix(b"\n").map_or(at, |b| b.strip_suffix(b"\r").unwrap_or(b).len());
        if let Some((leaf, start)) = self.leaf.take() {
            self.parts[leaf].body = &self.raw[start..end.max(start)];
        }
        self.open.truncate(level + 1);
    }

    fn guess_boundary(&self, body: usize) -> Vec<u8> {
        let text = &self.raw[body..self.raw.len().min(body + 64 * 1024)];
        let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
        lines.find_map(|line| line.strip_prefix(b"--").filter(|b| !b.is_empty())).unwrap_or_default().to_vec()
    }

    fn finish(mut self) -> Vec<Part<'a>> {
        if let Some((leaf, start)) = self.leaf.take() {
            self.parts[leaf].body = &self.raw[start..];
        }
        let parents: Vec<usize> = self.parts.iter().filter_map(|p| p.parent).collect();
        for parent in parents {
            self.parts[parent].is_multipart = true;
        }
        for part in &mut self.parts {
            if part.media().starts_with("multipart/") && !part.is_multipart {
                // Nothing was found in it: its text is all there is.
                part.content.value = "text/plain".to_owned();
            }
        }
        self.parts
    }
}

fn line_end(raw: &[u8], at: usize) -> usize {
    memchr(b'\n', &raw[at..]).map_or(raw.len(), |i| at + i + 1)
}

fn part<'a>(header: &[u8], parent: Option<usize>, in_digest: bool) -> Part<'a> {
    let (mut content, mut disposition) = (None, None);
    let (mut transfer, mut has_id) = (None, false);
    for Field { name, value } in fields(header) {
        if name.len() < 10 || !name[..8].eq_ignore_ascii_case(b"content-") {
            continue;
        }
        match name[8..].to_ascii_lowercase().as_slice() {
            b"type" => content = content.or_else(|| Some(Params::parse(value))),
            b"disposition" => disposition = disposition.or_else(|| Some(Params::parse(value))),
            b"transfer-encoding" => transfer = transfer.or_else(|| Some(Transfer::from_value(value))),
            b"id" => has_id = true,
            _ => {}
        }
    }
    let mut content = content.unwrap_or_default();
    // RFC 2045 section 5.2; a type without a subtype says nothing.
    if !content.value.contains('/') {
        content.value = match content.value.as_str() {
            "text" | "" if !in_digest => "text/plain",
            "html" => "text/html",
            "" => "message/rfc822",
            _ => "application/octet-stream",
        }
        .to_owned();
    }
    Part {
        parent,
        body: b"",
        content,
        disposition: disposition.unwrap_or_default(),
        transfer: transfer.unwrap_or_default(),
        has_id,
        is_multipart: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(raw: &[u8]) -> Vec<(Option<usize>, String, String)> {
        scan(raw)
            .iter()
            .map(|p| (p.parent, p.media().to_owned(), String::from_utf8_lossy(p.body).into_owned()))
            .collect()
    }

    fn row(parent: Option<usize>, media: &str, body: &str) -> (Option<usize>, String, String) {
        (parent, media.to_owned(), body.to_owned())
    }

    #[test]
    fn nested_multiparts_are_found() {
        let raw = concat!(
            "Content-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n",
            "--a\r\nContent-Type: multipart/alternative; boundary=\"b c\"\r\n\r\n",
            "--b c\r\n\r\nplain\r\n--b c\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b c--\r\nepilogue\r\n",
            "--a \r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--a--\r\nend\r\n",
        );
        assert_eq!(
            shape(raw.as_bytes()),
            [
                row(None, "multipart/mixed", "preamble"),
                row(Some(0), "multipart/alternative", ""),
                row(Some(1), "text/plain", "plain"),
                row(Some(1), "text/html", "<p>"),
                row(Some(0), "image/png", "AAAA"),
            ]
        );
    }

    #[test]
    fn a_boundary_may_be_the_beginning_of_another() {
        let raw = concat!(
            "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/alternative; boundary=xy\n\n",
            "--xy\n\none\n--xy\n\ntwo\n--xy--\n--x\n\nthree\n--x--\n",
        );
        let bodies: Vec<_> = shape(raw.as_bytes()).into_iter().map(|(_, _, body)| body).collect();
        assert_eq!(bodies, ["", "", "one", "two", "three"]);
    }

    #[test]
    fn ends_that_are_missing_are_made_up_for() {
        let raw = concat!(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n",
            "--b\n\ninner\n--a\n\nouter, never ended",
        );
        assert_eq!(
            shape(raw.as_bytes()),
            [
                row(None, "multipart/mixed", ""),
                row(Some(0), "multipart/alternative", ""),
                row(Some(1), "text/plain", "inner"),
                row(Some(0), "text/plain", "outer, never ended"),
            ]
        );
    }

    #[test]
    fn a_multipart_without_parts_is_text() {
        let raw = b"Content-Type: multipart/mixed; boundary=a\n\njust text\n";
        assert_eq!(shape(raw), [row(None, "text/plain", "just text\n")]);
        let raw = b"Content-Type: multipart/mixed\n\n--guessed\n\nfound\n--guessed--\n";
        assert_eq!(shape(raw)[1], row(Some(0), "text/plain", "found"));
    }

    #[test]
    fn a_header_ends_at_a_delimiter_too() {
        let raw =
            b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n--a\n\nx\n--a--\n";
        assert_eq!(shape(raw)[1..], [row(Some(0), "text/html", ""), row(Some(0), "text/plain", "x")]);
    }

    #[test]
    fn types_are_made_up_where_they_are_missing() {
        let media = |header: &str| scan(header.as_bytes())[0].media().to_owned();
        assert_eq!(media("\n"), "text/plain");
        assert_eq!(media(""), "text/plain");
        assert_eq!(media("Content-Type: text\n\n"), "text/plain");
        assert_eq!(media("Content-Type: pdf\n\n"), "application/octet-stream");
        let digest = b"Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: x\n\n--a--\n";
        assert_eq!(scan(digest)[1].media(), "message/rfc822");
    }

    #[test]
    fn x10_deep_and_wide_mails_are_bounded() {
        let deep: String =
            (0..5000).map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n")).collect();
        assert!(scan(deep.as_bytes()).len() <= DEEPEST + 1);
        let wide = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(50_000));
        assert_eq!(scan(wide.as_bytes()).len(), MOST);
    }

    proptest! {
        #[test]
        fn r7_any_bytes_have_parts(raw in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!scan(&raw).is_empty());
        }

        #[test]
        fn r7_any_pieces_have_parts(pieces in prop::collection::vec(prop::sample::select(vec![
            "Content-Type: multipart/mixed; boundary=a\n\n", "Content-Type: multipart/digest; boundary=aa\n\n",
            "--a\n", "--a--\n", "--aa\n", "--aa--\n", "text\n", "\n", "\r\n", "--", "Content-Type: text/html\n"]), 0..40)) {
            let raw = pieces.concat();
            let parts = scan(raw.as_bytes());
            for (i, part) in parts.iter().enumerate() {
                prop_assert!(part.parent.is_none_or(|p| p < i && parts[p].is_multipart));
            }
        }
    }
}
