//! `mailtui sync`: gets in step without a screen, and tells how it goes.

use std::io::Write as _;

use super::args::Sync;
use super::out::Out;
use super::queue::WAITS;
use super::teller::Teller;
use super::{accounts, forecast, roster, rounds};
use crate::config::Config;
use crate::engine::{Mode, Setup, send_due};
use crate::error::{Kind, Result};
use crate::net::Interrupt;
use crate::store::{Renamed, Store};
use crate::text::Clean;

/// Answers the exit code: that of the first account that failed.
pub(super) fn run(
    sync: &Sync,
    config: &Config,
    renamed: &[Renamed],
    store: &Store,
    out: &mut Out,
) -> Result<u8> {
    let mut setups = accounts::setups(config, sync.account.as_deref())?;
    if sync.dry_run {
        return forecast::run(&setups, store, out);
    }
    let is_asked = |setup: &Setup| renamed.iter().any(|renamed| renamed.is == setup.account.name);
    let asks = setups.iter().any(is_asked);
    setups.retain(|setup| !is_asked(setup));
    for renamed in renamed {
        let (text, hint) = roster::question(renamed);
        let _ = writeln!(std::io::stderr(), "mailtui: {text}\nhint: {hint}");
    }
    let named: Vec<String> = setups.iter().map(|setup| setup.account.name.clone()).collect();
    let mode = if sync.watch { Mode::Watch } else { Mode::Once };
    // An account that is new has no row before its engine starts.
    for setup in &setups {
        store.account(&setup.account.name, setup.protocol, setup.owner, &setup.account.remote_key())?;
    }
    let names = store.lister()?.accounts()?.into_iter().map(|a| (a.id, Clean::line(&a.name))).collect();
    let mut teller = Teller::new(out, names, sync.watch);
    // Who asks for this one by name is told why nothing happens.
    let asked = sync.account.as_deref().and_then(|name| config.account(name));
    if let Some(account) = asked.filter(|account| !account.is_fed()) {
        teller.alone(&Clean::line(&account.name))?;
    }
    // What is due goes out first, so that the same round files its copy.
    if mode == Mode::Once {
        for setup in &setups {
            teller.posted(&setup.account.name, send_due(store, setup, &Interrupt::new()?))?;
        }
    }
    let ended = rounds::run(store, setups, mode, &mut |event| teller.event(event))?;
    let torn = ended.interrupted && ended.reports.is_empty();
    let mut code = teller.end(ended.reports)?;
    if !torn && (teller.waits(&named, &store.lister()?)? || asks) && code == 0 {
        code = WAITS;
    }
    Ok(if ended.interrupted && (torn || code == 0) { Kind::Interrupted.exit_code() } else { code })
}
