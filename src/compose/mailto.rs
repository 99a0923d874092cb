//! `mailto:` links (RFC 6068): who gets a mail, and what is in it to begin with.

use crate::error::{Error, Kind, Result};

/// What a link asks for. It comes from anywhere: nothing of it is sent before the user has seen it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailto {
    /// To whom: addresses with commas.
    pub to: String,
    /// Who gets a copy.
    pub cc: String,
    /// Who gets a copy that the others do not know of.
    pub bcc: String,
    /// What it is about.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// The Message-ID of the mail that it answers, without brackets.
    pub in_reply_to: String,
    /// Fields of the link that were left out, as they are called there.
    pub ignored: Vec<String>,
}

impl Mailto {
    /// Reads a link.
    ///
    /// # Errors
    /// [`Kind::Config`] for what is no such link, for one that wants a file to be attached, and for one that has control
    /// characters in its fields: they are made to slip something into a mail.
    pub fn parse(link: &str) -> Result<Self> {
        let bad = |why: &str| Error::new(Kind::Config, format!("the mailto: link {why}"));
        let scheme = link.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let rest = scheme.map(|_| &link[7..]).ok_or_else(|| bad("does not begin with mailto:"))?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (to, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut found = Self { to: one_line(to)?, ..Self::default() };
        for field in query.split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let name = one_line(name)?.to_ascii_lowercase();
            match name.as_str() {
                "attach" | "attachment" => {
                    let why = "wants a file of this computer to be attached";
                    return Err(bad(why).hint("attach it yourself if that is what you want"));
                }
                "to" => join(&mut found.to, one_line(value)?),
                "cc" => join(&mut found.cc, one_line(value)?),
                "bcc" => join(&mut found.bcc, one_line(value)?),
                "subject" => found.subject = one_line(value)?,
                "in-reply-to" => {
                    let id = one_line(value)?;
                    found.in_reply_to = id.trim().trim_matches(['<', '>']).to_owned();
                }
                "body" => {
                    let text = decoded(value).ok_or_else(|| bad("is not encoded as UTF-8"))?;
                    let text = text.replace("\r\n", "\n").replace('\r', "\n");
                    if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
                        return Err(bad("has control characters in it"));
                    }
                    found.body = text;
                }
                _ => found.ignored.push(name),
            }
        }
        Ok(found)
    }
}

fn join(list: &mut String, more: String) {
    if !list.is_empty() && !more.is_empty() {
        list.push_str(", ");
    }
    list.push_str(&more);
}

/// The text of a field that has one line.
fn one_line(text: &str) -> Result<String> {
    let bad = |why: &str| Error::new(Kind::Config, format!("the mailto: link {why}"));
    let text = decoded(text).ok_or_else(|| bad("is not encoded as UTF-8"))?;
    if text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(bad("has control characters in it"));
    }
    Ok(text)
}

/// What `%XX` stands for; `None`: that is no UTF-8. A percent sign that begins nothing is one.
pub(super) fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).ok()?);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_the_rfc_has_them() {
        let link = "mailto:a@x.org,b%25c@x.org?to=d@x.org&Subject=caf%C3%A9+1&cc=e@x&body=one%0D%0Atwo%26&In-Reply-To=%3Cid@x%3E&x-y=1";
        let mail = Mailto::parse(link).unwrap();
        assert_eq!((mail.to.as_str(), mail.cc.as_str()), ("a@x.org,b%c@x.org, d@x.org", "e@x"));
        // A plus is a plus: only forms of the web mean a space.
        assert_eq!((mail.subject.as_str(), mail.body.as_str()), ("café+1", "one\ntwo&"));
        assert_eq!((mail.in_reply_to.as_str(), &mail.ignored[..]), ("id@x", &["x-y".to_owned()][..]));
        assert_eq!(Mailto::parse("MAILTO:").unwrap(), Mailto::default());
        assert_eq!(Mailto::parse("mailto:a@x?subject=100%").unwrap().subject, "100%");
    }

    #[test]
    fn o6_a_link_attaches_nothing_and_slips_nothing_in() {
        for link in [
            "mailto:a@x?attach=/etc/passwd",
            "mailto:a@x?ATTACHMENT=x",
            "mailto:a@x?%61ttach=x",
            "mailto:a@x?subject=x%0D%0ABcc:%20b@y",
            "mailto:a@x%0ABcc:b@y",
            "mailto:a@x?cc=b%0dc@y",
            "mailto:a@x?body=%1b[2J",
            "mailto:a@x?subject=%ff",
            "http:a@x",
            "mail",
        ] {
            let error = Mailto::parse(link).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{link}");
        }
    }
}
