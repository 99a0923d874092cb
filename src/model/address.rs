//! A mail address with its display name.

/// One mailbox of RFC 5322 section 3.4, decoded but not cleaned: for comparing and storing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The display name, decoded; may be empty.
    pub name: String,
    /// `local@domain` as written; may be anything on hostile mail.
    pub addr: String,
}

impl Address {
    /// Whether both name the same mailbox: case does not count.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.addr.eq_ignore_ascii_case(&other.addr)
    }
}

/// Whether this goes into the envelope as it is: one address, without spaces, brackets and controls outside of quotes.
#[must_use]
pub fn is_sendable(addr: &str) -> bool {
    let Some((local, domain)) = addr.rsplit_once('@') else { return false };
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[],;:\\\"".contains(c);
    let local_is_good = match quoted {
        true => {
            let inner = &local[1..local.len() - 1];
            inner.chars().all(|c| !c.is_control() && c != '"' && c != '\\')
        }
        false => {
            !local.is_empty() && !local.starts_with('-') && local.chars().all(|c| is_plain(c) && c != '@')
        }
    };
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let domain_is_good = match literal {
        Some(inside) => {
            !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-".contains(&b))
        }
        None => !domain.is_empty() && !domain.starts_with(['-', '.']) && domain.chars().all(is_plain),
    };
    addr.len() <= 320 && local_is_good && domain_is_good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o3_only_an_address_goes_into_the_envelope() {
        for good in
            ["a@b.org", "a.b+c@x", "\"john smith\"@x.org", "a@[127.0.0.1]", "jürgen@exämple.org", "o'x@y.z"]
        {
            assert!(is_sendable(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "-f@b.org",
            "a@-b.org",
            "a b@c",
            "a@b c",
            "a@b>\r\nDATA",
            "a@b\n",
            "<a@b>",
            "a@b, c@d",
            "a@b@c",
            "\"a\"b\"@c",
            "a@[1.2.3.4",
            "a@[]",
            "a\0@b",
            "x@y\u{85}",
            "\"\\\"@x",
        ] {
            assert!(!is_sendable(bad), "{bad:?}");
        }
    }
}
