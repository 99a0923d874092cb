//! From the accounts of the configuration to what the engine needs to reach their servers.

use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{Account, Config, Outlet, Protocol, SecretSource};
use crate::engine::{Dispatch, Setup};
use crate::error::{Error, Kind, Result};
use crate::net::DialOptions;
use crate::protocol::sendmail::Sendmail;
use crate::protocol::{self, smtp};
use crate::secret::{self, Secret};
use crate::text::Clean;

/// One setup for each account, or for the one that is named. Secrets that a person must type are asked
/// for now; the others when they are needed.
pub(super) fn setups(config: &Config, only: Option<&str>) -> Result<Vec<Setup>> {
    let chosen: Vec<&Account> =
        config.accounts.iter().filter(|a| only.is_none_or(|name| a.name == name)).collect();
    if let (Some(name), true) = (only, chosen.is_empty()) {
        let known: Vec<&str> = config.accounts.iter().map(|a| a.name.as_str()).collect();
        return Err(Error::new(Kind::Config, format!("there is no account {name:?}"))
            .hint(format!("there are: {}", known.join(", "))));
    }
    chosen.into_iter().map(setup).collect()
}

/// What the engine needs for one account.
pub(super) fn setup(account: &Account) -> Result<Setup> {
    if account.protocol == Protocol::Local {
        let own = account.clone();
        let open = move |interrupt: &crate::net::Interrupt| protocol::local::connect(&own, interrupt);
        let (owner, protocol) = (account.protocol.owner(), account.protocol.name());
        let post = dispatch(account, None)?;
        let account = account.clone();
        return Ok(Setup { account, owner, protocol, open: Arc::new(open), post, secret: None });
    }
    let typed = match account.password {
        SecretSource::Prompt => Some(secret::resolve(account)?.secret),
        _ => None,
    };
    let held = Arc::new(Mutex::new(typed));
    let (far, asked) = (account.clone(), Arc::clone(&held));
    let ask = move |anew: bool| {
        // A person was asked once; a token does not live long enough to be kept.
        if (anew || far.auth.is_bearer()) && far.password != SecretSource::Prompt {
            *asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        secret_of(&far, &asked)
    };
    let post = dispatch(account, Some(&held))?;
    let own = account.clone();
    let open = move |interrupt: &crate::net::Interrupt| {
        let secret = secret_of(&own, &held)?;
        let session = protocol::open(&own, &secret, interrupt);
        let refused = session.as_ref().err().is_some_and(|e| e.kind() == Kind::Auth);
        // A command or the keyring may know a newer one by the next time; a person was asked once.
        if (refused || own.auth.is_bearer()) && own.password != SecretSource::Prompt {
            *held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        session
    };
    let (owner, protocol) = (account.protocol.owner(), account.protocol.name());
    let (account, open) = (account.clone(), Arc::new(open));
    Ok(Setup { account, owner, protocol, open, post, secret: Some(Arc::new(ask)) })
}

/// How an account's mail goes out. `held`: the secret for receiving, which serves where no other is named.
fn dispatch(account: &Account, held: Option<&Arc<Mutex<Option<Secret>>>>) -> Result<Option<Dispatch>> {
    let server = match &account.sending.way {
        None => return Ok(None),
        Some(Outlet::Command(command)) => {
            let command = command.clone();
            return Ok(Some(Arc::new(move |_| Ok(Box::new(Sendmail::new(command.as_str()))))));
        }
        Some(Outlet::Smtp(server)) => (**server).clone(),
    };
    let held = match held.filter(|_| server.name == account.name) {
        Some(held) => Arc::clone(held),
        None if server.password == SecretSource::Prompt => {
            Arc::new(Mutex::new(Some(secret::resolve(&server)?.secret)))
        }
        None => Arc::default(),
    };
    Ok(Some(Arc::new(move |interrupt| {
        let options = DialOptions::from(&server, interrupt);
        if server.password == SecretSource::Nothing {
            return smtp::connect(&options, &server.user, None);
        }
        let secret = secret_of(&server, &held)?;
        let session = smtp::connect(&options, &server.user, Some(&secret));
        let refused = session.as_ref().err().is_some_and(|e| e.kind() == Kind::Auth);
        if (refused || server.auth.is_bearer()) && server.password != SecretSource::Prompt {
            *held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        session
    })))
}

fn secret_of(account: &Account, held: &Mutex<Option<Secret>>) -> Result<Secret> {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(secret) = held.as_ref() {
        return Ok(secret.clone());
    }
    let answer = secret::resolve(account)?;
    tracing::info!(account = %Clean::line(&account.name), from = %answer.from, "the password was had");
    *held = Some(answer.secret.clone());
    Ok(answer.secret)
}
