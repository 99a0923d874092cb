//! `mailtui config`: mistakes, places, and what it all comes to.

use serde_json::json;

use super::args::ConfigVerb;
use super::out::Out;
use crate::app::keymap::Keymap;
use crate::config::{self, Account, Config, Leave, Overrides, Paths, Protocol, SecretSource, Tls};
use crate::error::Result;
use crate::text::Clean;

/// Exit code 1 when there are mistakes.
pub(super) fn run(what: ConfigVerb, paths: &Paths, overrides: &Overrides, out: &mut Out) -> Result<u8> {
    match what {
        ConfigVerb::Check => check(paths, overrides, out),
        ConfigVerb::Path => places(paths, out).map(|()| 0),
        ConfigVerb::Show => show(&Config::load(paths, overrides)?, out).map(|()| 0),
    }
}

fn check(paths: &Paths, overrides: &Overrides, out: &mut Out) -> Result<u8> {
    let file = paths.config.display().to_string();
    let mut problems = config::problems(paths)?;
    if problems.is_empty() {
        // What keys mean can be told only when all of it is readable.
        problems = Keymap::of(&Config::load(paths, overrides)?)?.1;
    }
    if out.json {
        let list: Vec<_> = problems
            .iter()
            .map(|p| json!({ "line": p.line, "column": p.column, "problem": p.text, "hint": p.hint }))
            .collect();
        out.object(&json!({ "file": file, "problems": list }))?;
    } else {
        for p in &problems {
            out.line(Clean::line(&format!("{file}:{}:{}: {}", p.line, p.column, p.text)))?;
            if let Some(hint) = &p.hint {
                out.line(Clean::line(&format!("    hint: {hint}")))?;
            }
        }
    }
    if !problems.is_empty() {
        return Ok(1);
    }
    let config = Config::load(paths, overrides)?;
    if !out.json {
        let names: Vec<&str> = config.accounts.iter().map(|a| a.name.as_str()).collect();
        let said = match (config.is_new, names.len()) {
            (true, _) => "is not there yet: `mailtui` tells how to begin".to_owned(),
            (false, 0) => "is fine, with no account in it yet".to_owned(),
            (false, _) => format!("is fine: {}", names.join(", ")),
        };
        out.line(Clean::line(&format!("{file} {said}")))?;
    }
    Ok(0)
}

fn places(paths: &Paths, out: &mut Out) -> Result<()> {
    let places = [
        ("config", paths.config.clone()),
        ("themes", paths.themes()),
        ("store", paths.data.join("store.db")),
        ("log", paths.state.join("mailtui.log")),
    ];
    if out.json {
        let object: serde_json::Map<_, _> =
            places.iter().map(|(name, path)| ((*name).to_owned(), json!(path))).collect();
        return out.object(&object);
    }
    places.iter().try_for_each(|(name, path)| out.line(format!("{name:<7} {}", path.display())))
}

fn show(config: &Config, out: &mut Out) -> Result<()> {
    let ui = &config.ui;
    let mark = ui.mark_read_after.map_or("never".to_owned(), |t| format!("{}s", t.as_secs_f64()));
    let zone = ui.timezone.iana_name().unwrap_or("the system's").to_owned();
    if out.json {
        let accounts: Vec<_> = config.accounts.iter().map(fields).collect();
        return out.object(&json!({
            "accounts": accounts,
            "ui": { "theme": ui.theme, "timezone": zone, "mark_read_after": mark, "advance": ui.advance.name(), "download_dir": ui.download_dir, "browser": ui.browser, "keys": ui.keys },
            "keys": config.keys.len(),
        }));
    }
    for account in &config.accounts {
        out.line(Clean::line(&format!("[accounts.{}]", account.name)))?;
        for (name, value) in &fields(account) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if name != "account" && value != "null" {
                out.line(Clean::line(&format!("  {name:<36} {value}")))?;
            }
        }
        out.line("")?;
    }
    out.line("[ui]")?;
    out.line(Clean::line(&format!("  {:<36} {}", "theme", ui.theme)))?;
    out.line(format!("  {:<36} {zone}", "timezone"))?;
    out.line(format!("  {:<36} {mark}", "mark_read_after"))?;
    out.line(format!("  {:<36} {}", "advance", ui.advance.name()))?;
    out.line(format!("  {:<36} {}", "keys", ui.keys))?;
    out.line(Clean::line(&format!("  {:<36} {}", "download_dir", ui.download_dir.display())))
}

/// The settings of an account; of its password only where it is.
fn fields(account: &Account) -> serde_json::Map<String, serde_json::Value> {
    let pop3 = account.protocol == Protocol::Pop3;
    let keeps = pop3 || account.spool.is_some();
    let reached = account.protocol != Protocol::Local;
    let headers_only = account.portion.max_size == Some(0);
    let leave = match account.leave_on_server {
        Leave::Forever => "forever".to_owned(),
        Leave::DeleteAfterDownload => "delete_after_download".to_owned(),
        Leave::Days(days) => format!("{days}d"),
    };
    let tls = match account.tls {
        Tls::Implicit => "implicit",
        Tls::Starttls => "starttls",
        Tls::None => "none",
    };
    let password = match &account.password {
        SecretSource::Command(_) => "from a command".to_owned(),
        SecretSource::Env(name) => format!("from the environment: {name}"),
        SecretSource::Keyring => "from the keyring".to_owned(),
        SecretSource::Credential(name) => format!("from the credential {name}"),
        SecretSource::Prompt => "asked for".to_owned(),
        SecretSource::Plain(_) => "in the file".to_owned(),
        SecretSource::Nothing => "none".to_owned(),
    };
    let all = json!({
        "account": account.name,
        "email": account.email,
        "name": account.display_name,
        "protocol": account.protocol.name(),
        "host": reached.then_some(&account.host),
        "port": reached.then_some(account.port),
        "tls": reached.then_some(tls),
        "allow_plaintext": reached.then_some(account.allow_plaintext),
        "user": reached.then_some(&account.user),
        "password": reached.then_some(password),
        "ca_file": account.ca_file,
        "pinned": reached.then_some(account.pin.is_some()),
        "leave_on_server": keeps.then_some(leave),
        "delete_on_server_when_deleted_here": keeps.then_some(account.delete_on_server_when_deleted_here),
        "max_size": account.portion.max_size.filter(|_| pop3 && !headers_only),
        "headers_only": pop3.then_some(headers_only),
        "max_messages_per_session": account.portion.messages,
        "max_bytes_per_session": account.portion.bytes,
        "reconnect_every": pop3.then_some(account.portion.reconnect_every),
        "spool": account.spool.as_ref().map(|spool| &spool.path),
        "check_every": account.is_fed().then(|| format!("{}s", account.check_every.as_secs())),
    });
    match all {
        serde_json::Value::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}
