//! `mailtui sync --dry-run`: what a round would fetch, delete and send, account by account.

use std::io::Write as _;

use serde_json::json;

use super::out::Out;
use super::words::{grouped, plural, sized};
use crate::config::{Account, Leave, Protocol};
use crate::engine::{Forecast, Setup, rehearse};
use crate::error::Result;
use crate::store::Store;
use crate::text::Clean;

/// Answers the exit code: that of the first account that failed.
pub(super) fn run(setups: &[Setup], store: &Store, out: &mut Out) -> Result<u8> {
    let mut code = 0;
    for setup in setups {
        let name = Clean::line(&setup.account.name);
        match rehearse(store, setup) {
            Ok(forecast) if out.json => out.object(&json!({
                "account": name,
                "new": forecast.new, "bytes": forecast.bytes, "headers_only": forecast.stubs,
                "left": forecast.left, "missing": forecast.bodies, "marked_there": forecast.marked,
                "gone_there": forecast.gone, "push": forecast.pushes,
                "policy": (setup.account.protocol == Protocol::Pop3).then(|| policy(&setup.account)),
                "delete_by_policy": forecast.deletes, "delete_by_policy_bytes": forecast.delete_bytes,
                "delete_as_here": forecast.deletes_too,
                "remarks": forecast.remarks.iter().map(|text| Clean::line(text)).collect::<Vec<_>>(),
            }))?,
            Ok(forecast) => {
                for line in lines(&forecast, &setup.account) {
                    out.line(Clean::line(&format!("{name}: {line}")))?;
                }
            }
            Err(error) => {
                if code == 0 {
                    code = error.kind().exit_code();
                }
                let (text, hint) = (Clean::line(&error.to_string()), error.hint_text().map(Clean::line));
                if out.json {
                    out.object(&json!({ "account": name, "failed": text, "hint": hint }))?;
                } else {
                    let _ = writeln!(std::io::stderr(), "mailtui: {name}: {text}");
                    if let Some(hint) = hint {
                        let _ = writeln!(std::io::stderr(), "hint: {hint}");
                    }
                }
            }
        }
        out.flush()?;
    }
    Ok(code)
}

fn policy(account: &Account) -> String {
    match account.leave_on_server {
        Leave::Forever => "forever".to_owned(),
        Leave::DeleteAfterDownload => "delete_after_download".to_owned(),
        Leave::Days(days) => format!("{days}d"),
    }
}

/// What would be done, a line each.
fn lines(forecast: &Forecast, account: &Account) -> Vec<String> {
    let mails = |n: u64| format!("{} {}", grouped(n), plural(n, "mail"));
    let mut lines = Vec::new();
    if forecast.new > 0 {
        let mut line = format!("would fetch {}, {}", mails(forecast.new), sized(forecast.bytes));
        if forecast.stubs > 0 {
            line.push_str(&format!("; of {} of them the header alone", grouped(forecast.stubs)));
        }
        lines.push(line);
    }
    if forecast.bodies > 0 {
        lines.push(format!("would fetch the text of {}", mails(forecast.bodies)));
    }
    if forecast.left > 0 {
        lines.push(format!("would leave {} for later, as the account's limits say", mails(forecast.left)));
    }
    if forecast.marked > 0 {
        lines.push(format!("would take over flags of {}", mails(forecast.marked)));
    }
    if forecast.gone > 0 {
        lines.push(format!("would find {} gone there", mails(forecast.gone)));
    }
    if forecast.pushes > 0 {
        let n = forecast.pushes;
        lines.push(format!("would send {} {}", grouped(n), plural(n, "change")));
    }
    if forecast.deletes > 0 {
        lines.push(format!(
            "would delete {}, {}, on the server (leave_on_server = {:?})",
            mails(forecast.deletes),
            sized(forecast.delete_bytes),
            policy(account)
        ));
    }
    if forecast.deletes_too > 0 {
        lines.push(format!(
            "would delete {} on the server that you deleted here for good",
            mails(forecast.deletes_too)
        ));
    }
    if lines.is_empty() {
        lines.push("nothing to do".to_owned());
    }
    lines.extend(forecast.remarks.iter().cloned());
    lines
}
