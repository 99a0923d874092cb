//! `mailtui account cleanup`: removes from a POP3 server what is safely here (promise P14), after telling what that is.

use std::sync::Arc;

use super::accounts;
use super::args::Cleanup;
use super::forecast;
use super::out::Out;
use super::roster::said;
use super::words::{grouped, plural};
use crate::config::{Config, Leave, Protocol};
use crate::engine::{Emit, Engine, Mode};
use crate::error::{Error, Kind, Result};
use crate::model::Intent;
use crate::store::Store;
use crate::text::Clean;

/// Answers the exit code. It is one round under another policy: each mail is read back before it goes there. Where
/// another process syncs the account, that one is asked to.
pub(super) fn run(what: &Cleanup, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let mut setups = accounts::setups(config, Some(&what.account))?;
    for setup in &mut setups {
        if setup.account.protocol != Protocol::Pop3 {
            let text = format!("{} has no maildrop: only POP3 accounts do", Clean::line(&what.account));
            return Err(Error::new(Kind::Config, text));
        }
        setup.account.leave_on_server = Leave::DeleteAfterDownload;
    }
    if !what.yes {
        let code = forecast::run(&setups, store, out)?;
        if code == 0 && !out.json {
            out.line("nothing was done: --yes does it")?;
        }
        return Ok(code);
    }
    let emit: Emit = Arc::new(|_| {});
    for (name, report) in Engine::start(store, setups, Mode::Once, &emit)?.join() {
        let report = report?;
        if let Some(who) = report.elsewhere {
            let reader = store.reader()?;
            let Some(row) = reader.accounts()?.into_iter().find(|row| row.name == name) else { continue };
            let messages = reader.cleanable(row.id)?.messages;
            let outcome = store.intend_wait(Intent::CleanServer { account: row.id, messages })?;
            if let Some(why) = outcome.error {
                return Err(Error::new(Kind::Gone, why));
            }
            said(&format!("{name}: {}, as soon as {who} gets to it", outcome.label), out)?;
            continue;
        }
        if out.json {
            out.object(
                &serde_json::json!({ "account": Clean::line(&name), "new": report.new, "deleted": report.deleted }),
            )?;
        } else {
            let mails = format!("{} {}", grouped(report.deleted), plural(report.deleted, "mail"));
            out.line(Clean::line(&format!("{name}: {mails} deleted on the server, all of it is here")))?;
        }
    }
    Ok(0)
}
