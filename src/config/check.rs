//! Finds every mistake in a configuration file, with its line, its column and the nearest right word.

use std::ops::Range;
use std::path::Path;

use toml_edit::{Document, Item, TableLike};

use super::fields::{CHECKED, Field, ONLY_POP3, SECRETS, Shape, TOP, is_local, servers_own};
use super::theme::Theme;
use super::value;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub text: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// Every mistake in the text, in the order of the file. `private`: only the owner can read the file; `themes`:
/// where the user's own themes lie.
pub(super) fn check(text: &str, private: bool, themes: &Path) -> Vec<Problem> {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let (line, column) = place(text, error.span());
            let words = error.message().trim().replace('\n', ", ");
            return vec![Problem { line, column, text: words, hint: None }];
        }
    };
    let mut check = Check { text, private, problems: Vec::new() };
    check.table(document.as_table(), TOP, "", None);
    if let Some(accounts) = document.get("accounts").and_then(Item::as_table_like) {
        let mut spools = Vec::new();
        for (name, account) in accounts.iter() {
            if let Some(account) = account.as_table_like() {
                check.account(name, account, accounts.key(name).and_then(toml_edit::Key::span));
                check.spool(name, account, &mut spools);
            }
        }
    }
    if let Some(theme) = document.get("ui").and_then(Item::as_table_like).and_then(|ui| ui.get("theme")) {
        check.theme(theme, themes);
    }
    check.problems.sort_by_key(|p| (p.line, p.column));
    check.problems
}

/// Line and column of the beginning of a span; the beginning of the file where there is none.
pub(super) fn place(text: &str, span: Option<Range<usize>>) -> (usize, usize) {
    let at = span.map_or(0, |s| s.start).min(text.len());
    let before = text.get(..at).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}

struct Check<'a> {
    text: &'a str,
    private: bool,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn say(&mut self, span: Option<Range<usize>>, text: String, hint: Option<String>) {
        let (line, column) = place(self.text, span);
        self.problems.push(Problem { line, column, text, hint });
    }

    fn table(&mut self, table: &dyn TableLike, fields: &[Field], name: &str, span: Option<Range<usize>>) {
        let wanted: Vec<&str> = fields.iter().map(|f| f.name).collect();
        let mut misspelled = Vec::new();
        for (key, item) in table.iter() {
            let at = table.key(key).and_then(toml_edit::Key::span);
            let Some(field) = fields.iter().find(|f| f.name == key) else {
                let place = if name.is_empty() { String::new() } else { format!(" in [{name}]") };
                // Of two that are as near, the one that is not there yet is more likely meant.
                let (there, missing): (Vec<&str>, Vec<&str>) =
                    wanted.iter().partition(|name| table.contains_key(name));
                let near = value::nearest(key, missing.into_iter().chain(there));
                misspelled.extend(near);
                let hint = match near {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => format!("known here: {}", wanted.join(", ")),
                };
                self.say(at, format!("unknown key {key:?}{place}"), Some(hint));
                continue;
            };
            let inner = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
            self.value(item, field, &inner, at);
        }
        // A key that is there with a mistake in its name is told as that, not as missing.
        let is_missing =
            |f: &&Field| (f.required)(table) && !table.contains_key(f.name) && !misspelled.contains(&f.name);
        for field in fields.iter().filter(is_missing) {
            let hint = (field.name == "password")
                .then(|| format!("write password = {{ command = \"…\" }}, or one of {}", SECRETS.join(", ")));
            self.say(span.clone(), format!("[{name}] has no {:?}", field.name), hint);
        }
    }

    fn value(&mut self, item: &Item, field: &Field, name: &str, key: Option<Range<usize>>) {
        let at = item.span().or(key.clone());
        let wrong = |what: &str| Some(format!("{:?} must be {what}, not {}", field.name, item.type_name()));
        let problem = match field.shape {
            Shape::Text(accepts) => match item.as_str() {
                Some(text) => accepts(text).err().map(|why| format!("{}: {why}", field.name)),
                None => wrong("a text in quotes"),
            },
            Shape::Bool => {
                if item.as_bool().is_none() {
                    wrong("true or false")
                } else {
                    None
                }
            }
            Shape::Port => match item.as_integer() {
                Some(1..=65_535) => None,
                Some(n) => Some(format!("{n} is not a port: ports go from 1 to 65535")),
                None => wrong("a number"),
            },
            Shape::Count => match item.as_integer() {
                Some(1..) => None,
                Some(n) => Some(format!("{:?} must be at least 1, not {n}", field.name)),
                None => wrong("a whole number"),
            },
            Shape::Texts => {
                let many = item.as_array().is_some_and(|a| !a.is_empty() && a.iter().all(|v| v.is_str()));
                if item.is_str() || many { None } else { wrong("a text or an array of texts") }
            }
            Shape::Secret => return self.secret(item, name, at),
            Shape::Table(fields) => match item.as_table_like() {
                Some(table) => return self.table(table, fields, name, at),
                None => wrong("a table"),
            },
            Shape::Named(fields) => match item.as_table_like() {
                Some(tables) => return self.named(tables, fields, name),
                None => wrong("a table of tables"),
            },
            Shape::Many(fields) => match item.as_array_of_tables() {
                Some(tables) => {
                    for table in tables {
                        self.table(table, fields, name, table.span());
                    }
                    None
                }
                None => wrong(&format!("written as [[{}]]", field.name)),
            },
        };
        if let Some(text) = problem {
            self.say(at, text, None);
        }
    }

    fn named(&mut self, tables: &dyn TableLike, fields: &[Field], name: &str) {
        for (key, item) in tables.iter() {
            let at = tables.key(key).and_then(toml_edit::Key::span);
            if let Err(why) = value::account_name(key) {
                self.say(at.clone(), why, None);
            }
            match item.as_table_like() {
                Some(table) => self.table(table, fields, &format!("{name}.{key}"), item.span().or(at)),
                None => self.say(at, format!("{key:?} must be a table: write [{name}.{key}]"), None),
            }
        }
    }

    /// `{ command = "…" }` and its like: exactly one source.
    fn secret(&mut self, item: &Item, name: &str, at: Option<Range<usize>>) {
        let Some(table) = item.as_table_like() else {
            let hint =
                "write password = { command = \"…\" }, or { plain = \"…\" } in a file that only you can read";
            let text = "a password is not written here in clear".to_owned();
            return self.say(at, text, Some(hint.to_owned()));
        };
        for (key, source) in table.iter() {
            let at = table.key(key).and_then(toml_edit::Key::span);
            let problem = match key {
                "command" | "env" | "credential" | "plain" if source.as_str().is_none_or(str::is_empty) => {
                    format!("{key:?} must be a text in quotes")
                }
                "keyring" | "prompt" if source.as_bool() != Some(true) => {
                    format!("{key:?} can only be true")
                }
                "plain" if !self.private => {
                    let hint = "chmod 600 the file, or use { command = … } or { keyring = true }";
                    self.say(
                        at,
                        "a password in clear in a file that others can read".into(),
                        Some(hint.into()),
                    );
                    continue;
                }
                _ if SECRETS.contains(&key) => continue,
                _ => {
                    let hint = match value::nearest(key, SECRETS.iter().copied()) {
                        Some(near) => format!("did you mean {near:?}?"),
                        None => format!("known here: {}", SECRETS.join(", ")),
                    };
                    self.say(at, format!("unknown source of a secret {key:?}"), Some(hint));
                    continue;
                }
            };
            self.say(at, problem, None);
        }
        if table.iter().count() != 1 {
            let text = format!("{name} must name exactly one source");
            self.say(at, text, Some(format!("one of {}", SECRETS.join(", "))));
        }
    }

    /// The theme must be there, and without a mistake of its own.
    fn theme(&mut self, item: &Item, themes: &Path) {
        let Some(name) = item.as_str() else { return };
        let Err(why) = Theme::named(name, Some(themes)) else { return };
        let known = Theme::names(themes);
        let hint = match value::nearest(name, known.iter().map(String::as_str)) {
            _ if known.iter().any(|k| k == name) => why.hint_text().map(str::to_owned),
            Some(near) => Some(format!("did you mean {near:?}?")),
            None => Some(format!("themes that are there: {}", known.join(", "))),
        };
        self.say(item.span(), format!("theme: {why}"), hint);
    }

    /// A spool feeds one account: its mail would be in both, and each would delete what the other had not taken.
    fn spool(&mut self, name: &str, account: &dyn TableLike, known: &mut Vec<(String, String)>) {
        let Some(item) = account.get("spool") else { return };
        let Some(spool) = item.as_str() else { return };
        if let Some((_, other)) = known.iter().find(|(known, _)| known == spool) {
            let text = format!("[accounts.{other}] takes its mail from this spool already");
            return self.say(item.span(), text, None);
        }
        known.push((spool.to_owned(), name.to_owned()));
    }

    /// What one key says about another.
    fn account(&mut self, name: &str, account: &dyn TableLike, header: Option<Range<usize>>) {
        let text = |key: &str| account.get(key).and_then(Item::as_str);
        let span = |key: &str| account.get(key).and_then(Item::span).or(header.clone());
        let allowed = account.get("allow_plaintext").and_then(Item::as_bool) == Some(true);
        let far = text("host").is_some_and(|host| !value::is_loopback(host));
        if text("tls") == Some("none") && far && !allowed {
            let hint = "use \"implicit\" or \"starttls\"; allow_plaintext = true if you must";
            let text = format!("[accounts.{name}] would send its password where others can read it");
            self.say(span("tls"), text, Some(hint.to_owned()));
        }
        if is_local(account) {
            let is_fed = account.contains_key("spool");
            let other = servers_own().filter(|key| !(is_fed && CHECKED.contains(key)));
            for key in other.filter(|key| account.contains_key(key)) {
                let text = format!("{key:?} does not fit: with protocol = \"local\" there is no server");
                let hint = if CHECKED.contains(&key) {
                    "it says what becomes of mail in a spool: name one, or leave it out"
                } else {
                    "the mail of this account lives here and nowhere else"
                };
                self.say(account.key(key).and_then(toml_edit::Key::span), text, Some(hint.to_owned()));
            }
        }
        for key in ["compress", "folders"] {
            if text("protocol") != Some("imap") && account.contains_key(key) {
                self.say(
                    account.key(key).and_then(toml_edit::Key::span),
                    format!("{key:?} is for IMAP"),
                    None,
                );
            }
        }
        if !is_local(account) && account.contains_key("spool") {
            let at = account.key("spool").and_then(toml_edit::Key::span);
            let hint = "the box's own mail has an account of its own: protocol = \"local\"";
            self.say(
                at,
                "\"spool\" does not fit: mail of this account comes from a server".into(),
                Some(hint.into()),
            );
        }
        let others = account.get("identities").and_then(Item::as_array_of_tables);
        let others = others.into_iter().flatten().map(|table| -> &dyn TableLike { table });
        for table in std::iter::once(account).chain(others) {
            let ways = ["signature", "signature_file", "signature_command"];
            let mut said = ways.into_iter().filter(|key| table.contains_key(key));
            if let (Some(_), Some(second)) = (said.next(), said.next()) {
                let at = table.key(second).and_then(toml_edit::Key::span);
                let hint = "text, file or command: one of them".to_owned();
                self.say(at, "there is one signature only".to_owned(), Some(hint));
            }
        }
        if text("protocol") != Some("imap") && account.contains_key("keep_bodies") {
            let text = "\"keep_bodies\" is for IMAP: here the mail lives on this computer".to_owned();
            let hint = "with POP3, max_size and headers_only say what is fetched".to_owned();
            self.say(account.key("keep_bodies").and_then(toml_edit::Key::span), text, Some(hint));
        }
        if text("protocol") == Some("imap") {
            if text("auth") == Some("apop") {
                let text = "\"apop\" is for POP3".to_owned();
                self.say(span("auth"), text, Some("auth = \"auto\" takes the strongest way".to_owned()));
            }
            for key in ONLY_POP3 {
                if account.contains_key(key) {
                    let text = format!("{key:?} is for POP3: with IMAP the mail lives on the server");
                    self.say(account.key(key).and_then(toml_edit::Key::span), text, None);
                }
            }
        }
    }
}
