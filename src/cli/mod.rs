//! The command line: one verb each.

mod accounts;
mod acts;
mod addresses;
pub mod args;
mod attach;
mod cleanup;
pub mod demo;
mod drafts;
mod export;
mod export_mbox;
mod find;
mod forecast;
mod freeze;
mod get;
mod import;
pub mod keys;
mod list;
mod log;
mod mailbox;
mod mails;
mod out;
mod queue;
mod relocate;
mod reply;
mod roster;
mod rounds;
mod screen;
mod send;
mod sendmail;
mod settings;
mod show;
mod sync;
mod teller;
mod welcome;
mod words;

pub use out::is_broken_pipe;

use args::{Cli, Global, Verb};
use out::Out;
use screen::Face;

use crate::config::{Config, Overrides, Paths, SecretSource};
use crate::error::{Error, Kind, Result};
use crate::secret;
use crate::store::Store;

/// Does what the command line says; answers the exit code. An error has one of its own.
pub fn run(cli: Cli) -> Result<u8> {
    let paths = Paths::find(cli.global.config.as_deref(), cli.global.data.as_deref())?;
    let overrides = Overrides { theme: cli.global.theme.clone(), keys: cli.global.keys.clone() };
    let mut out = Out::new(cli.global.json);
    log::start(cli.global.log.as_deref(), &paths.state)?;
    let code = match cli.verb {
        Some(Verb::Config { what }) => settings::run(what, &paths, &overrides, &mut out)?,
        Some(Verb::Keys { markdown }) => {
            keys::run(markdown, &Config::load(&paths, &overrides)?, &mut out).map(|()| 0)?
        }
        Some(Verb::Demo(demo)) => {
            let config = Config::load(&paths, &overrides)?;
            let Global { theme, data, ascii, .. } = &cli.global;
            demo::run(&demo, config, theme.as_deref(), *ascii, data.as_deref(), &mut out)?
        }
        Some(Verb::Sendmail { args }) => sendmail::run(&args, &paths, &overrides)?,
        Some(verb) => {
            let config = configured(&paths, &overrides)?;
            if config.accounts.is_empty() && !matches!(verb, Verb::Account { .. }) {
                return Err(no_account(&paths));
            }
            let store = Store::open(&paths.data)?;
            let code = with_store(verb, &config, &store, &mut out)?;
            store.close();
            code
        }
        None => {
            let config = configured(&paths, &overrides)?;
            if config.accounts.is_empty() {
                out.bytes(welcome::text(&paths).as_bytes())?;
                0
            } else {
                open_screen(&config, &cli.global)?
            }
        }
    };
    out.flush()?;
    Ok(code)
}

fn with_store(verb: Verb, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let renamed = roster::call_roll(config, store)?;
    let reader = store.reader()?;
    match verb {
        Verb::Sync(sync) => return sync::run(&sync, config, &renamed, store, out),
        Verb::Account { what } => return roster::run(&what, config, &renamed, store, out),
        Verb::Import(wish) => return import::run(&wish, config, store, out),
        Verb::Queue(queue) => return queue::run(&queue, config, store, out),
        Verb::Archive(archive) => return acts::archive(&archive, config, store, out),
        Verb::Delete(delete) => return acts::delete(&delete, config, store, out),
        Verb::Move(to) => return acts::transfer(&to, config, store, out),
        Verb::Mark(mark) => return acts::mark(&mark, config, store, out),
        Verb::Tag(tag) => return acts::tag(tag, config, store, out),
        Verb::List(list) => list::run(&list, config, &reader, out)?,
        Verb::Export(what) => return export::run(&what, config, &reader, out),
        Verb::Show(show) => show::run(&show, config, &reader, out)?,
        Verb::Get(get) => get::run(&get, config, store, out)?,
        Verb::Compose(what) => return drafts::compose(&what, config, store, out),
        Verb::Attach(what) => return attach::run(&what, store, out),
        Verb::Addresses(what) => return addresses::run(&what, store, out),
        Verb::Drafts(what) => return drafts::run(&what, config, store, out),
        Verb::Reply(what) => return reply::run(&what, config, store, out),
        Verb::Send(what) => return send::run(&what, config, store, out),
        Verb::Demo(_) | Verb::Config { .. } | Verb::Keys { .. } | Verb::Sendmail { .. } => {}
    }
    Ok(0)
}

fn no_account(paths: &Paths) -> Error {
    let file = paths.config.display();
    let what = if paths.config.exists() {
        format!("there is no account in {file}")
    } else {
        format!("there is no configuration file {file}")
    };
    Error::new(Kind::Config, what).hint("`mailtui` alone tells how to add one, `mailtui demo` works without")
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

fn open_screen(config: &Config, global: &Global) -> Result<u8> {
    screen::needs_terminal()?;
    let ascii = global.ascii || screen::is_plain_terminal();
    let face = Face::of(config, global.theme.as_deref(), ascii)?;
    let mut setups = accounts::setups(config, None)?;
    let store = Store::open(&config.paths.data)?;
    let renamed = roster::call_roll(config, &store)?;
    setups.retain(|setup| renamed.iter().all(|renamed| renamed.is != setup.account.name));
    let mut face = face;
    face.settings.asks = renamed.iter().map(roster::question).collect();
    let code = screen::run(face, &store, setups);
    store.close();
    code
}
