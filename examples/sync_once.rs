//! Gets every account of the configuration in step once: the engine as a library.
//!
//! `cargo run --example sync_once`

use std::sync::Arc;

use mailtui::config::{Config, Overrides, Paths, Protocol};
use mailtui::engine::{Emit, Engine, Event, Mode, Setup};
use mailtui::model::Owner;
use mailtui::store::Store;
use mailtui::{protocol, secret};

fn main() -> mailtui::Result<()> {
    let paths = Paths::find(None, None)?;
    let config = Config::load(&paths, &Overrides::default())?;
    let store = Store::open(&paths.data)?;
    let setup = |account: mailtui::config::Account| {
        let imap = account.protocol == Protocol::Imap;
        let own = account.clone();
        Setup {
            account,
            owner: if imap { Owner::Server } else { Owner::Here },
            protocol: if imap { "imap" } else { "pop3" },
            open: Arc::new(move |interrupt| {
                let answer = secret::resolve(&own)?;
                protocol::open(&own, &answer.secret, interrupt)
            }),
            post: None,
            secret: None,
        }
    };
    let emit: Emit = Arc::new(|event| {
        if let Event::Progress { progress: Some(p), .. } = event {
            println!("{} of {}: {} / {}", p.what, p.folder, p.done, p.total);
        }
    });
    let engine = Engine::start(&store, config.accounts.into_iter().map(setup).collect(), Mode::Once, &emit)?;
    for (name, report) in engine.join() {
        println!("{name}: {} new", report?.new);
    }
    Ok(())
}
