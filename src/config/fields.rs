//! Every key that a configuration file can have: what it may hold, who must have it, and for whom it is.

use toml_edit::{Item, TableLike};

use super::value::{self, Parsed};

/// What a key may hold.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A string that this function accepts.
    Text(fn(&str) -> Parsed<()>),
    /// true or false.
    Bool,
    /// 1 to 65535.
    Port,
    /// A whole number from 1.
    Count,
    /// One of the sources of a secret.
    Secret,
    /// A string or an array of strings.
    Texts,
    /// A table with these keys.
    Table(&'static [Field]),
    /// Tables of any name with these keys.
    Named(&'static [Field]),
    /// `[[name]]` with these keys.
    Many(&'static [Field]),
}

pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether a table as this one must have it.
    pub(super) required: fn(&dyn TableLike) -> bool,
}

const fn needs(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: |_| true }
}

const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: |_| false }
}

/// What an account with a server must have.
const fn reaches(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: |account| !is_local(account) }
}

pub(super) fn is_local(account: &dyn TableLike) -> bool {
    account.get("protocol").and_then(Item::as_str) == Some("local")
}

/// What says how a server is reached: nothing for an account that has none.
const REACH: [&str; 10] =
    ["host", "port", "tls", "allow_plaintext", "user", "password", "auth", "compress", "ca_file", "pin"];
/// What says how often a server is asked, and what becomes of the mail there.
pub(super) const CHECKED: [&str; 3] =
    ["leave_on_server", "delete_on_server_when_deleted_here", "check_every"];

/// Keys that an account without a server and without a spool cannot have.
pub(super) fn servers_own() -> impl Iterator<Item = &'static str> {
    REACH.into_iter().chain(ONLY_POP3).chain(["check_every"])
}

pub(super) const TOP: &[Field] = &[
    may("accounts", Shape::Named(ACCOUNT)),
    may("ui", Shape::Table(UI)),
    may("compose", Shape::Table(COMPOSE)),
    may("keys", Shape::Many(KEYS)),
];

const ACCOUNT: &[Field] = &[
    needs("email", Shape::Text(value::email)),
    may("name", Shape::Text(value::line)),
    needs("protocol", Shape::Text(|t| value::protocol(t).map(drop))),
    reaches("host", Shape::Text(value::host)),
    may("port", Shape::Port),
    may("tls", Shape::Text(|t| value::tls(t).map(drop))),
    may("allow_plaintext", Shape::Bool),
    may("user", Shape::Text(value::line)),
    reaches("password", Shape::Secret),
    may("auth", Shape::Text(|t| value::auth(t).map(drop))),
    may("compress", Shape::Text(|t| value::compress(t).map(drop))),
    may("folders", Shape::Table(FOLDERS)),
    may("ca_file", Shape::Text(value::line)),
    may("pin", Shape::Text(|t| value::pin(t).map(drop))),
    may("leave_on_server", Shape::Text(|t| value::leave(t).map(drop))),
    may("delete_on_server_when_deleted_here", Shape::Bool),
    may("max_size", Shape::Text(|t| value::size(t).map(drop))),
    may("headers_only", Shape::Bool),
    may("max_messages_per_session", Shape::Count),
    may("max_bytes_per_session", Shape::Text(|t| value::size(t).map(drop))),
    may("reconnect_every", Shape::Count),
    may("keep_bodies", Shape::Text(|t| value::keep_bodies(t).map(drop))),
    may("check_every", Shape::Text(|t| value::interval(t).map(drop))),
    may("spool", Shape::Text(value::line)),
    may("smtp", Shape::Table(SMTP)),
    may("aliases", Shape::Texts),
    may("copy_sent", Shape::Bool),
    may("signature", Shape::Text(value::lines)),
    may("signature_file", Shape::Text(value::line)),
    may("signature_command", Shape::Text(value::line)),
    may("reply", Shape::Text(|t| value::reply(t).map(drop))),
    may("attribution", Shape::Text(value::attribution)),
    may("identities", Shape::Many(IDENTITY)),
];

const IDENTITY: &[Field] = &[
    needs("email", Shape::Text(value::email)),
    may("name", Shape::Text(value::line)),
    may("aliases", Shape::Texts),
    may("signature", Shape::Text(value::lines)),
    may("signature_file", Shape::Text(value::line)),
    may("signature_command", Shape::Text(value::line)),
    may("reply", Shape::Text(|t| value::reply(t).map(drop))),
    may("attribution", Shape::Text(value::attribution)),
];

const COMPOSE: &[Field] = &[
    may("undo_send", Shape::Text(|t| value::duration(t).map(drop))),
    may("editor", Shape::Text(value::line)),
    may("editor_in", Shape::Text(|t| value::editor_in(t).map(drop))),
    may("edit_headers", Shape::Bool),
    may("address_command", Shape::Text(value::line)),
    may("check", Shape::Texts),
    may("attachment_words", Shape::Texts),
];

/// What makes sense only where the server is a letter box.
pub(super) const ONLY_POP3: [&str; 7] = [
    "leave_on_server",
    "delete_on_server_when_deleted_here",
    "max_size",
    "headers_only",
    "max_messages_per_session",
    "max_bytes_per_session",
    "reconnect_every",
];

const FOLDERS: &[Field] = &[
    may("drafts", Shape::Text(value::line)),
    may("sent", Shape::Text(value::line)),
    may("archive", Shape::Text(value::line)),
    may("junk", Shape::Text(value::line)),
    may("trash", Shape::Text(value::line)),
];

const SMTP: &[Field] = &[
    Field { name: "host", shape: Shape::Text(value::host), required: |smtp| !smtp.contains_key("command") },
    may("port", Shape::Port),
    may("tls", Shape::Text(|t| value::tls(t).map(drop))),
    may("allow_plaintext", Shape::Bool),
    may("user", Shape::Text(value::line)),
    may("password", Shape::Secret),
    may("auth", Shape::Text(|t| value::auth(t).map(drop))),
    may("ca_file", Shape::Text(value::line)),
    may("pin", Shape::Text(|t| value::pin(t).map(drop))),
    may("command", Shape::Text(value::line)),
];

const UI: &[Field] = &[
    may("theme", Shape::Text(value::line)),
    may("timezone", Shape::Text(|t| value::zone(t).map(drop))),
    may("mark_read_after", Shape::Text(|t| value::mark_read_after(t).map(drop))),
    may("advance", Shape::Text(|t| value::advance(t).map(drop))),
    may("download_dir", Shape::Text(value::line)),
    may("browser", Shape::Text(value::line)),
    may("keys", Shape::Text(value::preset)),
];

const KEYS: &[Field] =
    &[needs("on", Shape::Text(value::line)), needs("run", Shape::Texts), may("in", Shape::Text(value::line))];

pub(super) const SECRETS: &[&str] = &["command", "env", "keyring", "credential", "prompt", "plain"];

/// Every key that a configuration can have, as `table.key`, for the test of the example.
#[must_use]
pub fn known_keys() -> Vec<String> {
    fn walk(fields: &[Field], prefix: &str, into: &mut Vec<String>) {
        for field in fields {
            let name = format!("{prefix}{}", field.name);
            match field.shape {
                Shape::Table(inner) | Shape::Many(inner) => walk(inner, &format!("{name}."), into),
                Shape::Named(inner) => walk(inner, &format!("{name}.*."), into),
                Shape::Secret => into.extend(SECRETS.iter().map(|s| format!("{name}.{s}"))),
                _ => into.push(name),
            }
        }
    }
    let mut keys = Vec::new();
    walk(TOP, "", &mut keys);
    keys
}
