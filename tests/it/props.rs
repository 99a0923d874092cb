//! Properties of reading mail that hold for any bytes whatever.

use mailtui::mime::{self, RenderOptions, Role};
use proptest::prelude::*;

/// Pieces that meet each other in ways that matter.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "From: a <a@example.org>\r\n",
        "Subject: =?utf-8?Q?=C3",
        "?=\r\n",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "\r",
        " folded\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        "Content-Type: multipart/alternative; boundary=bb\r\n\r\n",
        "Content-Type: message/rfc822\r\n\r\n",
        "Content-Type: text/html; charset=gb18030\r\n\r\n",
        "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Disposition: attachment; filename*0*=utf-8''%C3",
        "--b\r\n",
        "--b--\r\n",
        "--bb\r\n",
        "--bb--\r\n",
        "QUJD",
        "=C3=BC",
        "=\r\n",
        "> quoted ",
        ">> deep\r\n",
        "-- \r\n",
        "<p>",
        "<table><tr><td>",
        "</table>",
        "<a href=\"https://example.org/\">",
        "</a>",
        "<blockquote>",
        "<pre>",
        "&#27;",
        "\u{1b}[31m",
        "\u{202e}",
        "日本語",
        "https://example.org/x",
        "word ",
        "@@ -1,2 +1,2 @@\r\n",
        "+++ b\r\n",
        "--- a\r\n",
        "averylongwordthatfitsintonocolumnatallhoweverwideitis",
    ]);
    prop_oneof![
        8 => known.prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

/// Something that happens to a mail on its way.
#[derive(Debug, Clone)]
struct Change {
    at: prop::sample::Index,
    length: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Cut,
    Repeat(usize),
    Insert(Vec<u8>),
    Flip(u8),
}

impl Change {
    fn apply(&self, mut raw: Vec<u8>) -> Vec<u8> {
        let at = self.at.index(raw.len() + 1);
        let end = raw.len().min(at + self.length);
        match &self.what {
            What::Cut => {
                raw.drain(at..end);
            }
            What::Repeat(times) => {
                let piece = raw[at..end].repeat(*times);
                raw.splice(at..at, piece);
            }
            What::Insert(piece) => {
                raw.splice(at..at, piece.iter().copied());
            }
            What::Flip(bits) => raw[at..end].iter_mut().take(1).for_each(|b| *b ^= bits),
        }
        raw
    }
}

fn change() -> impl Strategy<Value = Change> {
    let what = prop_oneof![
        Just(What::Cut),
        (1usize..4).prop_map(What::Repeat),
        piece().prop_map(What::Insert),
        any::<u8>().prop_map(What::Flip),
    ];
    (any::<prop::sample::Index>(), 0usize..200, what).prop_map(|(at, length, what)| Change {
        at,
        length,
        what,
    })
}

/// Reads a mail in every way and shows it: nothing panics, nothing unclean comes out.
fn assert_readable(raw: &[u8], width: usize, html: bool) -> Result<(), TestCaseError> {
    let head = mime::header_block(raw);
    prop_assert!(raw.starts_with(head));
    let envelope = mime::envelope(head);
    prop_assert!(envelope.refs.len() <= 40);
    let facts = mime::facts(raw);
    prop_assert!(!facts.snippet.chars().any(char::is_control));
    let document = mime::open(raw);
    for part in &document.parts {
        prop_assert!(mime::part(raw, part.index).is_ok());
        prop_assert!(!part.name.is_empty() && !mime::safe_file_name(part.name.as_str()).is_empty());
    }
    let options = RenderOptions { html, all_headers: true, all_quotes: true, ..RenderOptions::default() };
    let rendered = mime::render(&document, width, &options);
    for span in rendered.lines.iter().flat_map(|line| &line.spans) {
        let is_unclean = span.text.as_str().chars().any(|c| c.is_control() || c == '\u{202e}');
        prop_assert!(!is_unclean, "{:?}", span);
        if let Role::Link(n) = span.role {
            prop_assert!(n < rendered.links.len());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn r7_any_mail_is_read_and_shown(pieces in prop::collection::vec(piece(), 0..60), width in 1usize..120, html: bool) {
        assert_readable(&pieces.concat(), width, html)?;
    }

    #[test]
    fn r7_a_mail_that_was_tampered_with_is_read_and_shown(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 1..12),
        width in 1usize..120,
        html: bool,
    ) {
        let corpus = crate::corpus::corpus();
        let (_, raw) = which.get(&corpus);
        let raw = changes.iter().fold(raw.clone(), |raw, change| change.apply(raw));
        assert_readable(&raw, width, html)?;
    }

    #[test]
    fn r7_any_bytes_are_read(raw in prop::collection::vec(any::<u8>(), 0..500)) {
        let document = mime::open(&raw);
        let _ = (mime::envelope(&raw), mime::received(&raw), mime::facts(&raw));
        let _ = mime::render(&document, 80, &RenderOptions::default());
    }
}
