//! The command line: one verb each.

pub mod args;
pub mod demo;
pub mod keys;
mod log;
mod out;
mod settings;
mod welcome;

pub use out::is_broken_pipe;

use args::{Cli, Verb};
use out::Out;

use crate::config::{Config, Overrides, Paths, SecretSource};
use crate::error::Result;
use crate::secret;

/// Does what the command line says; answers the exit code. An error has one of its own.
pub fn run(cli: Cli) -> Result<u8> {
    let paths = Paths::find(cli.global.config.as_deref(), cli.global.data.as_deref())?;
    let overrides = Overrides { theme: cli.global.theme.clone() };
    let mut out = Out::new(cli.global.json);
    log::start(cli.global.log.as_deref(), &paths.state)?;
    let code = match cli.verb {
        Some(Verb::Config { what }) => settings::run(what, &paths, &overrides, &mut out)?,
        Some(Verb::Keys { markdown }) => keys::run(markdown, &mut out).map(|()| 0)?,
        None => screen(&configured(&paths, &overrides)?, &mut out)?,
    };
    out.flush()?;
    Ok(code)
}

/// The configuration, with the secrets of the environment taken out of children's reach.
fn configured(paths: &Paths, overrides: &Overrides) -> Result<Config> {
    let config = Config::load(paths, overrides)?;
    secret::take_environment(config.accounts.iter().filter_map(|account| match &account.password {
        SecretSource::Env(name) => Some(name.as_str()),
        _ => None,
    }));
    Ok(config)
}

fn screen(config: &Config, out: &mut Out) -> Result<u8> {
    if config.accounts.is_empty() {
        out.bytes(welcome::text(&config.paths).as_bytes())?;
        return Ok(0);
    }
    Ok(0)
}
