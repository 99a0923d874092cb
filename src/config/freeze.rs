//! Rewriting the configuration for an account whose server is gone: what led there becomes a comment, and
//! everything else stays as it was written.

use std::ops::Range;
use std::path::Path;

use toml_edit::{Document, Item, TableLike};

use super::check::check;
use super::fields::servers_own;
use crate::error::{Error, Kind, Result};

/// The text with `[accounts.NAME]` as an account without a server; the same text where it is one already.
///
/// # Errors
/// [`Kind::Config`] where the text has mistakes, or writes the account in a way that cannot be changed line by line.
pub fn frozen(text: &str, name: &str) -> Result<String> {
    let document = Document::parse(text).map_err(|e| unfit(name).because(e))?;
    let account = document.get("accounts").and_then(Item::as_table_like).and_then(|all| all.get(name));
    let protocol = account.and_then(|account| account.get("protocol"));
    if protocol.and_then(Item::as_str) == Some("local") {
        return Ok(text.to_owned());
    }
    let Some(account) = account.and_then(Item::as_table) else { return Err(unfit(name)) };
    let Some(kind) = protocol.and_then(Item::span) else { return Err(unfit(name)) };
    let mut lines: Vec<Range<usize>> = Vec::new();
    for key in servers_own() {
        let Some(item) = account.get(key) else { continue };
        spans(account, key, item, &mut lines).ok_or_else(|| unfit(name))?;
    }
    let is_own =
        |line: &Range<usize>| lines.iter().any(|span| span.start < line.end && line.start < span.end);
    let mut at = 0;
    let mut after = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let here = at..at + line.len();
        if here.contains(&kind.start) {
            after.push_str(&format!("{}\"local\"{}", &line[..kind.start - at], &line[kind.end - at..]));
        } else if is_own(&here) && !line.trim_start().starts_with('#') {
            after.push_str(&format!("# {line}"));
        } else {
            after.push_str(line);
        }
        at = here.end;
    }
    // Never from a file that loads to one that does not; themes lie where they always lay.
    let problems = check(&after, true, Path::new(""));
    match problems.into_iter().find(|problem| !problem.text.starts_with("theme: ")) {
        None => Ok(after),
        Some(problem) => Err(unfit(name).because(format!("line {}: {}", problem.line, problem.text))),
    }
}

/// Where a key and its value are written; `None`: that cannot be told.
fn spans(table: &dyn TableLike, key: &str, item: &Item, into: &mut Vec<Range<usize>>) -> Option<()> {
    match item {
        Item::Table(inner) => {
            into.push(inner.span()?);
            inner.iter().try_for_each(|(key, item)| spans(inner, key, item, into))
        }
        _ => {
            into.push(table.key(key)?.span()?.start..item.span()?.end);
            Some(())
        }
    }
}

fn unfit(name: &str) -> Error {
    let text = format!("[accounts.{name}] cannot be rewritten line by line");
    let hint = "write protocol = \"local\" there, take out what leads to the server, and run this again for the store";
    Error::new(Kind::Config, text).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_what_led_to_the_server_becomes_a_comment_and_the_rest_stays() {
        let text = "# mine\n[accounts.work]   # the office\nemail = \"ada@x.org\" # me\nprotocol = \"imap\"  # was fast\n\
                    host = \"imap.x.org\"\n# the secret\npassword = { command = \"pass\" }\ncheck_every = \"5m\"\n\n\
                    [accounts.work.smtp]\nhost = \"smtp.x.org\"\n\n[accounts.home]\nemail = \"a@y.org\"\n\
                    protocol = \"pop3\"\nhost = \"pop.y.org\"\nleave_on_server = \"14d\"\n\
                    [accounts.home.password]\n# where\ncommand = \"\"\"pass\nhome\"\"\"\n[ui]\n";
        let work = frozen(text, "work").unwrap();
        let expected = text
            .replace("\"imap\"  #", "\"local\"  #")
            .replace("host = \"imap", "# host = \"imap")
            .replace("password = { c", "# password = { c")
            .replace("check_every", "# check_every");
        assert_eq!(work, expected);
        assert_eq!(frozen(&work, "work").unwrap(), work, "once is enough");
        let home = frozen(text, "home").unwrap();
        let end = "# leave_on_server = \"14d\"\n# [accounts.home.password]\n# where\n\
                   # command = \"\"\"pass\n# home\"\"\"\n[ui]\n";
        assert!(home.ends_with(end), "{home}");
        assert!(home.contains("host = \"imap.x.org\"\n# the secret\npassword"), "{home}");
        assert!(frozen(text, "nobody").is_err());
        let inline = "accounts.work = { email = \"a@x.org\", protocol = \"imap\", host = \"x\", \
                      password = { prompt = true } }\n";
        assert!(frozen(inline, "work").unwrap_err().hint_text().unwrap().contains("protocol = \"local\""));
    }
}
