//! The addresses of a vCard file (RFC 6350, and 2.1 and 3.0 before it).

use crate::model::{Address, is_sendable};

/// Name and address of everybody in it, in order. What cannot be read is passed over.
#[must_use]
pub fn vcards(text: &str) -> Vec<Address> {
    // Lines that begin with white space go on (RFC 6350 section 3.2).
    let text = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let (mut out, mut name, mut mails) = (Vec::new(), String::new(), Vec::<String>::new());
    for line in text.lines() {
        let Some((head, value)) = line.split_once(':') else { continue };
        let property = head.split(';').next().unwrap_or_default();
        // `item1.EMAIL`: a group, which says nothing here.
        let property = property.rsplit('.').next().unwrap_or_default().to_ascii_uppercase();
        match property.as_str() {
            "BEGIN" => (name, mails) = (String::new(), Vec::new()),
            "FN" => name = plain(value),
            "EMAIL" => mails.push(plain(value).trim_start_matches("mailto:").to_owned()),
            "END" => {
                let sendable = mails.drain(..).filter(|addr| is_sendable(addr));
                out.extend(sendable.map(|addr| Address { name: name.clone(), addr }));
            }
            _ => {}
        }
    }
    out
}

/// A value without its escapes (RFC 6350 section 3.4), on one line.
fn plain(value: &str) -> String {
    let (mut out, mut escaped) = (String::new(), false);
    for c in value.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (true, 'n' | 'N') => (escaped, _) = (false, out.push(' ')),
            (_, c) => (escaped, _) = (false, out.push(c)),
        }
    }
    super::field::one_line(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_of_all_versions_are_read() {
        let text = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Doe\\, Jane\r\nitem1.EMAIL;TYPE=work:jane@x.o\r\n rg\r\nEMAIL:j@y.org\r\nEND:VCARD\r\n\
                    begin:vcard\nfn;charset=utf-8:Jürgen\nemail;internet:-bad@x\nemail:j@z.org\nend:vcard\nEMAIL:late@x.org\n";
        let found: Vec<(String, String)> = vcards(text).into_iter().map(|who| (who.name, who.addr)).collect();
        let expected = [("Doe, Jane", "jane@x.org"), ("Doe, Jane", "j@y.org"), ("Jürgen", "j@z.org")];
        assert_eq!(found, expected.map(|(name, addr)| (name.to_owned(), addr.to_owned())));
    }
}
