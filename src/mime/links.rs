//! Links: finding them in plain text, and saying where they really lead.

use std::ops::Range;

/// Schemes that are followed; everything else stays text.
const SCHEMES: [&str; 4] = ["https://", "http://", "ftp://", "mailto:"];

/// The links in a line of plain text, as byte ranges, in order.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    // Every scheme has a colon: everything else is passed over quickly.
    while let Some(colon) = text[from..].find(':').map(|i| from + i) {
        let start = SCHEMES.iter().find_map(|scheme| {
            let name = scheme.split_once(':').map_or("", |(name, _)| name);
            let start = colon.checked_sub(name.len()).filter(|start| *start >= from)?;
            let here = text.get(start..start + scheme.len())?;
            let free = !text[..start].ends_with(|c: char| c.is_alphanumeric());
            (free && here.eq_ignore_ascii_case(scheme)).then_some((start, scheme.len()))
        });
        match start {
            Some((start, scheme)) => {
                let end = start + url_len(&text[start..]);
                if end > start + scheme {
                    found.push(start..end);
                }
                from = end.max(colon + 1);
            }
            None => from = colon + 1,
        }
    }
    found
}

/// The length of the URL that `text` begins with: punctuation that ends the sentence is not part of it.
fn url_len(text: &str) -> usize {
    let stop =
        |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '\u{fffd}') || is_cjk_mark(c);
    let mut url = &text[..text.find(stop).unwrap_or(text.len())];
    // Counted once: a URL may hold pairs of brackets, and stand in one.
    let count = |c| i64::try_from(url.matches(c).count()).unwrap_or(i64::MAX);
    let mut unpaired =
        [('(', ')'), ('[', ']'), ('{', '}')].map(|(open, close)| (close, count(close) - count(open)));
    while let Some(last) = url.chars().next_back() {
        let bracket = unpaired.iter_mut().find(|(close, extra)| *close == last && *extra > 0);
        match bracket {
            Some((_, extra)) => *extra -= 1,
            None if matches!(
                last,
                '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '’' | '”' | '»'
            ) => {}
            None => break,
        }
        url = &url[..url.len() - last.len_utf8()];
    }
    url.len()
}

fn is_cjk_mark(c: char) -> bool {
    matches!(c, '、' | '。' | '，' | '！' | '？' | '）' | '」' | '』' | '】' | '》' | '（' | '「')
}

/// The target of an HTML link if it is one that is followed: `//host` gets a scheme, the rest is as it is.
pub(super) fn target(href: &str) -> Option<String> {
    let solid: String = href.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let url = if solid.starts_with("//") { format!("https:{solid}") } else { solid };
    let known = SCHEMES.iter().any(|s| url.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s)));
    (known && url.len() > "mailto:".len()).then_some(url)
}

/// The host that a browser would go to; for `mailto:` the address.
pub(super) fn host(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once(':') else { return url };
    if scheme.eq_ignore_ascii_case("mailto") {
        return rest.split('?').next().unwrap_or(rest);
    }
    // Browsers take any number of slashes, and backslashes for slashes.
    let rest = rest.trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Where a link leads if its text says something else (promise X6): the real host, or the real address.
pub(super) fn betrayal<'a>(text: &str, url: &'a str) -> Option<&'a str> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).collect();
    let real = host(url);
    if real.contains('@') {
        let shown = text.strip_prefix("mailto:").unwrap_or(&text);
        return (shown.contains('@') && !shown.eq_ignore_ascii_case(real)).then_some(real);
    }
    let shown = claimed_host(&text)?.to_lowercase();
    let (shown, lower) = (bare(&shown), real.to_lowercase());
    let lower = bare(&lower);
    // A part of the host shown is fine: example.org for login.example.org.
    (lower != shown && !lower.ends_with(&format!(".{shown}"))).then_some(real)
}

fn is_invisible(c: char) -> bool {
    crate::text::Clean::line(c.encode_utf8(&mut [0; 4])).is_empty()
}

fn bare(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

/// The host that a link's text names, if it looks like a URL or a domain.
fn claimed_host(text: &str) -> Option<&str> {
    let name = match text.split_once("://") {
        Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => host(text),
        _ => text.split(['/', '?', '#']).next().unwrap_or(text),
    };
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let (_, top) = name.rsplit_once('.')?;
    let is_domain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic);
    // `index.html` and `report.pdf` are files.
    let is_file = text == name
        && matches!(top, "html" | "htm" | "pdf" | "txt" | "doc" | "docx" | "png" | "jpg" | "zip");
    (is_domain && !is_file).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn links_end_where_the_sentence_does() {
        assert_eq!(found("see https://example.org/a_(b)."), ["https://example.org/a_(b)"]);
        assert_eq!(found("(http://x.org/?q=1&r=2), <mailto:a@x>!"), ["http://x.org/?q=1&r=2", "mailto:a@x"]);
        assert_eq!(found("参照https://例え.jp/道。次"), Vec::<&str>::new());
        assert_eq!(found("参照 https://例え.jp/道。次"), ["https://例え.jp/道"]);
        assert_eq!(found("HTTPS://X.ORG"), ["HTTPS://X.ORG"]);
        assert_eq!(found("a: b https:// mailto: xhttp://y"), Vec::<&str>::new());
    }

    #[test]
    fn only_known_schemes_are_targets() {
        assert_eq!(target(" https://x.org/\n a"), Some("https://x.org/a".to_owned()));
        assert_eq!(target("//x.org/a"), Some("https://x.org/a".to_owned()));
        for other in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "#top", "/path", ""] {
            assert_eq!(target(other), None, "{other}");
        }
    }

    #[test]
    fn x6_the_host_is_the_one_that_is_gone_to() {
        assert_eq!(host("https://bank.example@evil.example:8080/x"), "evil.example");
        assert_eq!(host("https://evil.example\\@bank.example/"), "evil.example");
        assert_eq!(host("mailto:a@x.org?subject=y"), "a@x.org");
    }

    #[test]
    fn x6_a_text_that_lies_about_its_target_is_found_out() {
        assert_eq!(betrayal("https://bank.example/login", "https://evil.example/x"), Some("evil.example"));
        assert_eq!(
            betrayal("www.bank.example", "http://bank.example.evil.net"),
            Some("bank.example.evil.net")
        );
        assert_eq!(betrayal("b\u{200b}ank.example", "http://evil.net"), Some("evil.net"));
        assert_eq!(betrayal("info@bank.example", "mailto:evil@x.org"), Some("evil@x.org"));
        for honest in
            ["bank.example", "https://www.bank.example/a b", "Bank", "Click here.", "report.pdf", "5.20"]
        {
            assert_eq!(betrayal(honest, "https://login.bank.example/?u=1"), None, "{honest}");
        }
    }

    proptest! {
        #[test]
        fn r7_links_lie_within_the_text(text in "[a-c:/.@() ]{0,20}(http|mailto|https)?:?(//)?[a-c:/.@()日 ]{0,20}|\\PC{0,40}") {
            let mut last = 0;
            for range in find(&text) {
                prop_assert!(range.start >= last && text.get(range.clone()).is_some());
                last = range.end;
            }
            betrayal(&text, "https://x.org");
            target(&text);
            host(&text);
        }
    }
}
