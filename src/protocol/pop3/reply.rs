//! Status lines: `+OK`, `-ERR` with a response code, and `+` (RFC 1939 section 3, RFC 2449 section 8).

/// What the server answered to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+OK`.
    Ok(Status),
    /// `-ERR`.
    Err(Status),
    /// `+`: go on with SASL (RFC 5034 section 4); what followed, not decoded.
    More(String),
}

/// The rest of a status line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Status {
    /// The response code in capitals, `IN-USE` or `SYS/TEMP`, without brackets.
    pub(super) code: Option<String>,
    /// The text behind it; not cleaned.
    pub(super) text: String,
}

impl Reply {
    /// Reads a status line; `None` when it is none.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches(['\r', '\n']);
        let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        match word {
            "+" => Some(Self::More(rest.trim().to_owned())),
            _ if word.eq_ignore_ascii_case("+OK") => Some(Self::Ok(Status::parse(rest))),
            _ if word.eq_ignore_ascii_case("-ERR") => Some(Self::Err(Status::parse(rest))),
            _ => None,
        }
    }
}

impl Status {
    fn parse(rest: &str) -> Self {
        let rest = rest.trim();
        let code = rest.strip_prefix('[').and_then(|r| r.split_once(']')).filter(|(code, _)| {
            !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_graphic())
        });
        match code {
            Some((code, text)) => {
                Self { code: Some(code.to_ascii_uppercase()), text: text.trim_start().to_owned() }
            }
            None => Self { code: None, text: rest.to_owned() },
        }
    }

    /// Whether the code says this, or something below it (`SYS` covers `SYS/TEMP`).
    pub(super) fn says(&self, code: &str) -> bool {
        self.code.as_deref().is_some_and(|own| {
            own.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: Option<&str>, text: &str) -> Status {
        Status { code: code.map(str::to_owned), text: text.to_owned() }
    }

    #[test]
    fn reads_status_lines() {
        let parse = |line: &str| Reply::parse(line.as_bytes());
        assert_eq!(parse("+OK\r\n"), Some(Reply::Ok(status(None, ""))));
        assert_eq!(parse("+ok 2 320\n"), Some(Reply::Ok(status(None, "2 320"))));
        assert_eq!(parse("-ERR\r\n"), Some(Reply::Err(status(None, ""))));
        assert_eq!(parse("-ERR [in-use] busy\r\n"), Some(Reply::Err(status(Some("IN-USE"), "busy"))));
        assert_eq!(parse("-ERR [] x\r\n"), Some(Reply::Err(status(None, "[] x"))));
        assert_eq!(parse("-ERR [two words] x\r\n"), Some(Reply::Err(status(None, "[two words] x"))));
        assert_eq!(parse("+ \r\n"), Some(Reply::More(String::new())));
        assert_eq!(parse("+ PDE=\r\n"), Some(Reply::More("PDE=".into())));
        for line in ["", "+OKAY", "* OK", "OK", "-", "From: x", "\u{0}"] {
            assert_eq!(parse(line), None, "{line:?}");
        }
        assert_eq!(Reply::parse(b"+OK \xff\xfe\r\n"), Some(Reply::Ok(status(None, "\u{fffd}\u{fffd}"))));
    }

    #[test]
    fn codes_have_levels() {
        assert!(status(Some("SYS/TEMP"), "").says("SYS"));
        assert!(status(Some("SYS/TEMP"), "").says("SYS/TEMP"));
        assert!(!status(Some("SYSTEM"), "").says("SYS"));
        assert!(!status(None, "").says("AUTH"));
    }
}
