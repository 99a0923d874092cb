//! Opens the screen over a store and its engines, and closes both in order.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use crate::app::Settings;
use crate::app::accounts::Identity;
use crate::app::keymap::Keymap;
use crate::compose;
use crate::config::theme::Theme;
use crate::config::{self, Account, Config};
use crate::engine::{Engine, Mode, Setup};
use crate::error::{Error, Kind, Result};
use crate::model::Address;
use crate::runtime::{self, Desk, Ended, Inbox, Session};
use crate::store::Store;
use crate::ui::Look;

/// How long engines may take to end their sessions in order.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the screen looks and to whom it belongs.
pub(super) struct Face {
    pub(super) look: Look,
    pub(super) settings: Settings,
    pub(super) desk: Desk,
    pub(super) clock: fn() -> i64,
}

impl Face {
    /// What the configuration says. `NO_COLOR` asks for `mono`, but a theme that was named wins.
    pub(super) fn of(config: &Config, named: Option<&str>, ascii: bool) -> Result<Self> {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let theme = if no_color && named.is_none() { "mono" } else { config.ui.theme.as_str() };
        let theme = Theme::named(theme, Some(&config.paths.themes()))?;
        let (keymap, problems) = Keymap::of(config)?;
        if let Some(error) = config::mistake(&config.paths, &problems) {
            return Err(error);
        }
        let me = config.accounts.iter().map(|account| Identity {
            account: account.name.clone(),
            email: account.email.clone(),
            name: account.display_name.clone(),
            deletes_there: account.delete_on_server_when_deleted_here,
        });
        Ok(Self {
            look: Look { theme, zone: config.ui.timezone.clone(), ascii },
            settings: Settings {
                me: me.collect(),
                mark_read_after: config.ui.mark_read_after,
                advance: config.ui.advance,
                zone: config.ui.timezone.clone(),
                downloads: config.ui.download_dir.clone(),
                senders: senders(config),
                browser: browser(config.ui.browser.as_deref()),
                opener: desktop().map(|opener| vec![opener]),
                keymap,
                asks: Vec::new(),
            },
            desk: Desk {
                accounts: config.accounts.clone(),
                writing: config.compose.clone(),
                zone: config.ui.timezone.clone(),
            },
            clock: now,
        })
    }

    /// A session over a store; the engines' commands go to `send`.
    pub(super) fn session(
        self,
        inbox: Inbox,
        store: &Store,
        send: Box<dyn Fn(crate::engine::Command) + Send>,
    ) -> Session {
        let Self { look, settings, desk, clock } = self;
        Session { inbox, store: store.clone(), send, settings, desk, look, clock }
    }
}

/// As whom the accounts write, as From says it.
fn senders(config: &Config) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for identity in config.accounts.iter().flat_map(Account::identities) {
        let who = Address { name: identity.name, addr: identity.email };
        let said = compose::field(&[who]);
        if !all.contains(&said) {
            all.push(said);
        }
    }
    all
}

/// What opens links: what the user named, else what the desktop opens them with. On a headless box there is none.
fn browser(named: Option<&str>) -> Option<Vec<String>> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let line = named.map(str::to_owned).or_else(|| set("BROWSER")).or_else(desktop)?;
    Some(line.split_whitespace().map(str::to_owned).collect()).filter(|words: &Vec<String>| !words.is_empty())
}

/// What opens things on the desktop that this runs on, if any.
fn desktop() -> Option<String> {
    if cfg!(target_os = "macos") {
        return Some("open".to_owned());
    }
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    (is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")).then(|| "xdg-open".to_owned())
}

/// Terminals and character sets that have nothing but plain marks.
pub(super) fn is_plain_terminal() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let charset = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    let utf8 = charset.is_none_or(|c| c.to_ascii_lowercase().replace('-', "").contains("utf8"));
    std::env::var("TERM").is_ok_and(|term| term == "linux") || !utf8
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// An error where there is no terminal to draw on.
pub(super) fn needs_terminal() -> Result<()> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Error::new(Kind::Unsupported, "the screen needs a terminal")
        .hint("`mailtui sync`, `list` and `show` work without one"))
}

/// Opens the screen over the accounts until the user quits; answers the exit code.
pub(super) fn run(face: Face, store: &Store, setups: Vec<Setup>) -> Result<u8> {
    let inbox = Inbox::new();
    let emit: crate::engine::Emit = Arc::new(inbox.events());
    let engine = Engine::start(store, setups, Mode::Watch, &emit)?;
    show(face, inbox, store, engine)
}

/// The same over engines that run already and tell their events to `inbox`.
pub(super) fn show(face: Face, inbox: Inbox, store: &Store, engine: Engine) -> Result<u8> {
    let session = face.session(inbox, store, engine.sender());
    let ended = runtime::run(session);
    // The terminal is given back by now: ending in order may take a moment.
    engine.stop(PATIENCE);
    Ok(match ended? {
        Ended::Quit => 0,
        Ended::HungUp => 129,
        Ended::Signal(signal) => u8::try_from(signal).map_or(1, |signal| signal.saturating_add(128)),
    })
}
