//! From the file, the environment and the command line to a checked configuration.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml_edit::Document;

use super::check::{Problem, check, place};
use super::value::{self, Parsed};
use super::{
    Account, Advance, Auth, Compress, Config, Identity, KeepBodies, KeySetting, Leave, Outlet, Overrides,
    Paths, Portion, Protocol, SecretSource, Sending, Signature, Spool, Style, Tls, Ui, Writing, paths,
};
use crate::error::{Error, Kind, Result};
use crate::model::Role;

/// The keys of `[ui]` that the environment can set, as `MAILTUI_UI_THEME` and so on.
const UI_KEYS: [&str; 7] =
    ["theme", "timezone", "mark_read_after", "advance", "download_dir", "browser", "keys"];

#[derive(Deserialize)]
struct RawFile {
    #[serde(default)]
    accounts: HashMap<String, RawAccount>,
    ui: RawUi,
    #[serde(default)]
    compose: RawWriting,
    #[serde(default)]
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
struct RawAccount {
    email: String,
    name: Option<String>,
    protocol: String,
    #[serde(default)]
    host: String,
    port: Option<u16>,
    tls: Option<String>,
    #[serde(default)]
    allow_plaintext: bool,
    user: Option<String>,
    password: Option<RawSecret>,
    auth: Option<String>,
    compress: Option<String>,
    #[serde(default)]
    folders: RawFolders,
    ca_file: Option<String>,
    pin: Option<String>,
    leave_on_server: Option<String>,
    delete_on_server_when_deleted_here: Option<bool>,
    max_size: Option<String>,
    headers_only: Option<bool>,
    max_messages_per_session: Option<u64>,
    max_bytes_per_session: Option<String>,
    reconnect_every: Option<u64>,
    keep_bodies: Option<String>,
    check_every: Option<String>,
    spool: Option<String>,
    smtp: Option<RawSmtp>,
    aliases: Option<RawRun>,
    copy_sent: Option<bool>,
    #[serde(flatten)]
    style: RawStyle,
    #[serde(default)]
    identities: Vec<RawIdentity>,
}

/// How an account or an identity writes.
#[derive(Deserialize, Default)]
struct RawStyle {
    signature: Option<String>,
    signature_file: Option<String>,
    signature_command: Option<String>,
    reply: Option<String>,
    attribution: Option<String>,
}

impl RawStyle {
    /// What is not said is as `other` has it.
    fn over(self, other: &Style, base: &Path) -> Parsed<Style> {
        let signature = match (self.signature, self.signature_file, self.signature_command) {
            (Some(text), ..) => Signature::Text(text),
            (_, Some(file), _) => Signature::File(paths::expand(&file, base)),
            (.., Some(command)) => Signature::Command(command),
            _ => other.signature.clone(),
        };
        let reply = self.reply.as_deref().map(value::reply).transpose()?.unwrap_or(other.reply);
        let attribution = self.attribution.unwrap_or_else(|| other.attribution.clone());
        Ok(Style { signature, reply, attribution })
    }
}

#[derive(Deserialize)]
struct RawIdentity {
    email: String,
    name: Option<String>,
    aliases: Option<RawRun>,
    #[serde(flatten)]
    style: RawStyle,
}

/// `[compose]`.
#[derive(Deserialize, Default)]
struct RawWriting {
    undo_send: Option<String>,
    editor: Option<String>,
    editor_in: Option<String>,
    edit_headers: Option<bool>,
    address_command: Option<String>,
    check: Option<RawRun>,
    attachment_words: Option<RawRun>,
}

/// How mail goes out.
#[derive(Deserialize)]
struct RawSmtp {
    #[serde(default)]
    host: String,
    port: Option<u16>,
    tls: Option<String>,
    #[serde(default)]
    allow_plaintext: bool,
    user: Option<String>,
    password: Option<RawSecret>,
    auth: Option<String>,
    ca_file: Option<String>,
    pin: Option<String>,
    command: Option<String>,
}

/// The paths of folders by what they are for.
#[derive(Deserialize, Default)]
struct RawFolders {
    drafts: Option<String>,
    sent: Option<String>,
    archive: Option<String>,
    junk: Option<String>,
    trash: Option<String>,
}

impl RawFolders {
    fn roles(self) -> Vec<(Role, String)> {
        let all = [
            (Role::Drafts, self.drafts),
            (Role::Sent, self.sent),
            (Role::Archive, self.archive),
            (Role::Junk, self.junk),
            (Role::Trash, self.trash),
        ];
        all.into_iter().filter_map(|(role, path)| Some((role, path?))).collect()
    }
}

/// One of them is set: the check saw to it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct RawSecret {
    command: Option<String>,
    env: Option<String>,
    keyring: bool,
    credential: Option<String>,
    plain: Option<String>,
}

impl RawSecret {
    fn source(self) -> SecretSource {
        let named = [
            self.command.map(SecretSource::Command),
            self.env.map(SecretSource::Env),
            self.keyring.then_some(SecretSource::Keyring),
            self.credential.map(SecretSource::Credential),
            self.plain.map(SecretSource::Plain),
        ];
        named.into_iter().flatten().next().unwrap_or(SecretSource::Prompt)
    }
}

#[derive(Deserialize)]
struct RawUi {
    theme: String,
    timezone: Option<String>,
    mark_read_after: String,
    advance: String,
    download_dir: Option<String>,
    browser: Option<String>,
    keys: String,
}

#[derive(Deserialize)]
pub(super) struct RawKey {
    on: String,
    run: RawRun,
    #[serde(rename = "in")]
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawRun {
    One(String),
    Many(Vec<String>),
}

impl RawRun {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// Reads the file of `paths`; one that is not there is an empty one.
pub(super) fn load(paths: &Paths, overrides: &Overrides) -> Result<Config> {
    let (text, private) = read(&paths.config)?;
    let problems = check(text.as_deref().unwrap_or(""), private, &paths.themes());
    if let Some(first) = problems.first() {
        return Err(error(&paths.config, first, problems.len() - 1));
    }
    let text = text.unwrap_or_default();
    let raw = layer(&text, overrides)?;
    let base = paths.config.parent().unwrap_or(Path::new("."));
    let mut left = raw.accounts;
    // In the order of the file: the first account is the first on the screen.
    let document = Document::parse(text.as_str()).map_err(|e| {
        Error::new(Kind::Bug, "the configuration was read twice in different ways").because(e)
    })?;
    let names = document.get("accounts").and_then(toml_edit::Item::as_table_like);
    let names: Vec<String> = names.map(|t| t.iter().map(|(k, _)| k.to_owned()).collect()).unwrap_or_default();
    let mut accounts = Vec::new();
    for name in names {
        if let Some(raw) = left.remove(&name) {
            accounts.push(
                account(&name, raw, base, &paths.data)
                    .map_err(|why| said(&format!("accounts.{name}"), &why))?,
            );
        }
    }
    let tables = document.get("keys").and_then(toml_edit::Item::as_array_of_tables);
    let places = tables.into_iter().flatten().map(|table| {
        ["on", "run", "in"].map(|name| place(&text, table.get(name).and_then(toml_edit::Item::span)))
    });
    Ok(Config {
        accounts,
        ui: ui(raw.ui, base).map_err(|why| said("ui", &why))?,
        compose: writing(raw.compose).map_err(|why| said("compose", &why))?,
        keys: raw.keys.into_iter().zip(places).map(|(raw, places)| key(raw, places)).collect(),
        paths: paths.clone(),
        is_new: !paths.config.exists(),
    })
}

/// Every mistake in the file of `paths`.
pub(super) fn problems(paths: &Paths) -> Result<Vec<Problem>> {
    let (text, private) = read(&paths.config)?;
    Ok(check(text.as_deref().unwrap_or(""), private, &paths.themes()))
}

/// The file's text if it is there, and whether only its owner can read it.
fn read(path: &Path) -> Result<(Option<String>, bool)> {
    let private = fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 == 0);
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|e| {
                let line =
                    e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
                Error::new(Kind::Config, format!("{}:{line}: the file is not UTF-8 text", path.display()))
            })?;
            Ok((Some(text), private))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok((None, private)),
        Err(e) => Err(Error::new(Kind::Config, format!("could not read {}", path.display())).because(e)),
    }
}

/// Defaults, then the file, then the environment, then the command line.
fn layer(text: &str, overrides: &Overrides) -> Result<RawFile> {
    let mut builder = ::config::Config::builder()
        .set_default("ui.theme", "terminal")
        .and_then(|b| b.set_default("ui.mark_read_after", "1.5s"))
        .and_then(|b| b.set_default("ui.advance", Advance::default().name()))
        .and_then(|b| b.set_default("ui.keys", "mailtui"))
        .map_err(bug)?
        .add_source(::config::File::from_str(text, ::config::FileFormat::Toml));
    for key in UI_KEYS {
        let variable = format!("MAILTUI_UI_{}", key.to_uppercase());
        if let Some(value) = std::env::var(&variable).ok().filter(|v| !v.is_empty()) {
            builder = builder.set_override(format!("ui.{key}"), value).map_err(bug)?;
        }
    }
    if let Some(theme) = &overrides.theme {
        builder = builder.set_override("ui.theme", theme.as_str()).map_err(bug)?;
    }
    if let Some(keys) = &overrides.keys {
        builder = builder.set_override("ui.keys", keys.as_str()).map_err(bug)?;
    }
    builder.build().and_then(::config::Config::try_deserialize).map_err(bug)
}

/// What the check let through must load.
fn bug(error: ::config::ConfigError) -> Error {
    Error::new(Kind::Config, "could not read the configuration").because(error)
}

fn said(table: &str, why: &str) -> Error {
    Error::new(Kind::Config, format!("[{table}] {why}"))
}

pub(super) fn error(path: &Path, problem: &Problem, more: usize) -> Error {
    let Problem { line, column, text, hint } = problem;
    let error = Error::new(Kind::Config, format!("{}:{line}:{column}: {text}", path.display()));
    let more = match more {
        0 => None,
        1 => Some("one more mistake: see `mailtui config check`".to_owned()),
        n => Some(format!("{n} more mistakes: see `mailtui config check`")),
    };
    match (hint.clone(), more) {
        (Some(hint), Some(more)) => error.hint(format!("{hint} ({more})")),
        (Some(hint), None) => error.hint(hint),
        (None, Some(more)) => error.hint(more),
        (None, None) => error,
    }
}

fn account(name: &str, mut raw: RawAccount, base: &Path, data: &Path) -> Parsed<Account> {
    let (smtp, aliases, copy_sent) = (raw.smtp.take(), raw.aliases.take(), raw.copy_sent);
    let (style, others) = (std::mem::take(&mut raw.style), std::mem::take(&mut raw.identities));
    let mut account = receiving(name, raw, base, data)?;
    let style = style.over(&Style::default(), base)?;
    let identity = |raw: RawIdentity| -> Parsed<Identity> {
        Ok(Identity {
            email: raw.email,
            name: raw.name.unwrap_or_else(|| account.display_name.clone()),
            aliases: own_addresses(raw.aliases)?,
            style: raw.style.over(&style, base)?,
        })
    };
    let identities = others.into_iter().map(identity).collect::<Parsed<_>>()?;
    let way = smtp.map(|smtp| outlet(&account, smtp, base)).transpose()?;
    account.sending = Sending { way, aliases: own_addresses(aliases)?, copy_sent, style, identities };
    Ok(account)
}

fn own_addresses(aliases: Option<RawRun>) -> Parsed<Vec<String>> {
    let aliases = aliases.map(RawRun::all).unwrap_or_default();
    match aliases.iter().find_map(|alias| value::alias(alias).err()) {
        Some(why) => Err(format!("aliases: {why}")),
        None => Ok(aliases),
    }
}

fn writing(raw: RawWriting) -> Parsed<Writing> {
    let default = Writing::default();
    let check = match raw.check.map(RawRun::all) {
        None => default.check,
        Some(names) if names == ["none"] => Vec::new(),
        Some(names) => names
            .iter()
            .map(|name| value::warning(name).map_err(|why| format!("check: {why}")))
            .collect::<Parsed<_>>()?,
    };
    Ok(Writing {
        undo_send: raw.undo_send.as_deref().map_or(Ok(default.undo_send), value::duration)?,
        editor: raw.editor,
        editor_in: raw.editor_in.as_deref().map_or(Ok(default.editor_in), value::editor_in)?,
        edit_headers: raw.edit_headers.unwrap_or(default.edit_headers),
        address_command: raw.address_command,
        check,
        attachment_words: raw.attachment_words.map(RawRun::all).unwrap_or_default(),
    })
}

/// What is not said of the way out is as for receiving.
fn outlet(account: &Account, raw: RawSmtp, base: &Path) -> Parsed<Outlet> {
    if let Some(command) = raw.command {
        return Ok(Outlet::Command(command));
    }
    let tls = raw.tls.as_deref().map_or(Ok(Tls::Implicit), value::tls)?;
    let port = match tls {
        Tls::Implicit => 465,
        Tls::Starttls => 587,
        Tls::None => 25,
    };
    Ok(Outlet::Smtp(Box::new(Account {
        // The same secret is kept under the same name.
        name: match raw.password {
            Some(_) => format!("{}.smtp", account.name),
            None => account.name.clone(),
        },
        host: raw.host,
        port: raw.port.unwrap_or(port),
        tls,
        allow_plaintext: raw.allow_plaintext,
        user: raw.user.unwrap_or_else(|| account.user.clone()),
        password: raw.password.map_or_else(|| account.password.clone(), RawSecret::source),
        auth: match (raw.auth.as_deref(), account.auth) {
            (Some(auth), _) => value::auth(auth)?,
            // Ways that only servers for receiving have.
            (None, Auth::Apop | Auth::User) => Auth::Auto,
            (None, auth) => auth,
        },
        ca_file: raw.ca_file.map_or_else(|| account.ca_file.clone(), |text| Some(paths::expand(&text, base))),
        pin: raw.pin.as_deref().map(value::pin).transpose()?,
        ..account.clone()
    })))
}

fn receiving(name: &str, raw: RawAccount, base: &Path, data: &Path) -> Parsed<Account> {
    let protocol = value::protocol(&raw.protocol)?;
    let tls = raw.tls.as_deref().map_or(Ok(Tls::Implicit), value::tls)?;
    let portion = Portion {
        max_size: match raw.headers_only {
            Some(true) => Some(0),
            _ => raw.max_size.as_deref().map(value::size).transpose()?,
        },
        messages: raw.max_messages_per_session,
        bytes: raw.max_bytes_per_session.as_deref().map(value::size).transpose()?,
        reconnect_every: raw.reconnect_every.unwrap_or(Portion::default().reconnect_every),
    };
    Ok(Account {
        name: name.to_owned(),
        user: raw.user.unwrap_or_else(|| raw.email.clone()),
        email: raw.email,
        display_name: raw.name.unwrap_or_default(),
        protocol,
        host: raw.host,
        port: raw.port.unwrap_or(match (protocol, tls) {
            (Protocol::Imap, Tls::Implicit) => 993,
            (Protocol::Imap, _) => 143,
            (Protocol::Pop3, Tls::Implicit) => 995,
            (Protocol::Pop3, _) => 110,
            (Protocol::Local, _) => 0,
        }),
        tls,
        allow_plaintext: raw.allow_plaintext,
        password: raw.password.map_or(SecretSource::Nothing, RawSecret::source),
        folders: raw.folders.roles(),
        compress: raw.compress.as_deref().map_or(Ok(Compress::Auto), value::compress)?,
        auth: raw.auth.as_deref().map_or(Ok(Auth::Auto), value::auth)?,
        ca_file: raw.ca_file.map(|text| paths::expand(&text, base)),
        pin: raw.pin.as_deref().map(value::pin).transpose()?,
        leave_on_server: raw.leave_on_server.as_deref().map_or(Ok(Leave::Forever), value::leave)?,
        delete_on_server_when_deleted_here: raw.delete_on_server_when_deleted_here.unwrap_or(true),
        portion,
        spool: raw.spool.map(|text| Spool { path: paths::expand(&text, base), aside: data.join("spool") }),
        keep_bodies: raw.keep_bodies.as_deref().map_or(Ok(KeepBodies::default()), value::keep_bodies)?,
        check_every: raw.check_every.as_deref().map_or(Ok(Duration::from_secs(300)), value::interval)?,
        sending: Sending::default(),
    })
}

fn ui(raw: RawUi, base: &Path) -> Parsed<Ui> {
    value::line(&raw.theme)?;
    Ok(Ui {
        theme: raw.theme,
        timezone: match raw.timezone {
            Some(name) => value::zone(&name)?,
            None => crate::text::when::zone(None).map_err(|e| e.to_string())?,
        },
        mark_read_after: value::mark_read_after(&raw.mark_read_after)?,
        advance: value::advance(&raw.advance)?,
        download_dir: raw.download_dir.map_or_else(paths::downloads, |text| paths::expand(&text, base)),
        browser: raw.browser,
        keys: value::preset(&raw.keys).map(|()| raw.keys)?,
    })
}

pub(super) fn key(raw: RawKey, places: [(usize, usize); 3]) -> KeySetting {
    KeySetting { on: raw.on, run: raw.run.all(), scope: raw.scope, places }
}
