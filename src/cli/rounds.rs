//! Runs the engines without a screen, again and again until nothing that can be done now is left.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::engine::{Command, Emit, Engine, Event, Mode, Report, Setup};
use crate::error::{Error, Kind, Result};
use crate::model::Owner;
use crate::store::{Reader, Store};

/// How long the engines may take to end in order once they were asked to.
const PATIENCE: Duration = Duration::from_secs(5);

enum News {
    Event(Event),
    Signal,
    Ended(Vec<(String, Result<Report>)>),
}

/// How the rounds ended.
pub(super) struct Ended {
    /// Of each thread of each round.
    pub(super) reports: Vec<(String, Result<Report>)>,
    /// A signal ended them.
    pub(super) interrupted: bool,
}

/// Runs every account once, then those again that have something to do because of what others did: what is to be
/// deleted here may wait for what is put there. With [`Mode::Watch`] until a signal.
pub(super) fn run(
    store: &Store,
    setups: Vec<Setup>,
    mode: Mode,
    hear: &mut dyn FnMut(Event) -> Result<()>,
) -> Result<Ended> {
    let (tell, news) = channel();
    watch_signals(tell.clone())?;
    let reader = store.lister()?;
    let mut ended = Ended { reports: Vec::new(), interrupted: false };
    let mut round = setups.clone();
    while !round.is_empty() {
        let reports = one(store, round, mode, (&tell, &news), hear, &mut ended.interrupted)?;
        let stirred = |name: &str| {
            let others = reports.iter().filter(|(other, _)| other != name);
            others.flat_map(|(_, report)| report).any(|report| report.pushed > 0)
        };
        let moved =
            reports.iter().flat_map(|(_, report)| report).any(|report| report.pushed + report.new > 0);
        let mut next = Vec::new();
        for setup in setups.iter().filter(|_| mode == Mode::Once && moved && !ended.interrupted) {
            let name = setup.account.name.as_str();
            let mut own = ended.reports.iter().chain(&reports).filter(|(other, _)| other == name);
            let is_well =
                own.all(|(_, report)| report.as_ref().is_ok_and(|report| report.elsewhere.is_none()));
            if is_well && is_due(setup, &reader, stirred(name))? {
                next.push(setup.clone());
            }
        }
        ended.reports.extend(reports);
        round = next;
    }
    Ok(ended)
}

/// Whether there is something to do for an account that just ended its round.
fn is_due(setup: &Setup, reader: &Reader, stirred: bool) -> Result<bool> {
    let Some(row) = reader.accounts()?.into_iter().find(|row| row.name == setup.account.name) else {
        return Ok(false);
    };
    if setup.owner == Owner::Here {
        let wanted = reader.waiting(row.id)?.deletions > 0;
        return Ok(stirred && wanted && setup.account.delete_on_server_when_deleted_here);
    }
    let now =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| i64::try_from(t.as_secs()).unwrap_or(0));
    Ok(!reader.ops(row.id, now, 1)?.is_empty() || !reader.awaited_bodies(row.id)?.is_empty())
}

fn one(
    store: &Store,
    setups: Vec<Setup>,
    mode: Mode,
    (tell, news): (&Sender<News>, &Receiver<News>),
    hear: &mut dyn FnMut(Event) -> Result<()>,
    interrupted: &mut bool,
) -> Result<Vec<(String, Result<Report>)>> {
    let far = tell.clone();
    let emit: Emit = Arc::new(move |event| {
        // Nobody listens any more when the end has come.
        let _ = far.send(News::Event(event));
    });
    let engine = Engine::start(store, setups, mode, &emit)?;
    let ask = engine.sender();
    let end = tell.clone();
    std::thread::Builder::new()
        .name("sync-end".to_owned())
        .spawn(move || drop(end.send(News::Ended(engine.join()))))
        .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
    let mut until: Option<Instant> = None;
    loop {
        let next = match until {
            Some(until) => news.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
            None => news.recv().ok(),
        };
        match next {
            Some(News::Event(event)) => hear(event)?,
            // The second signal, or too long a wait after the first, ends it at once: nothing is lost by it.
            Some(News::Signal) if until.is_none() => {
                *interrupted = true;
                ask(Command::Stop);
                until = Some(Instant::now() + PATIENCE);
            }
            Some(News::Signal) | None => {
                let _ = std::io::stdout().flush();
                return Ok(Vec::new());
            }
            Some(News::Ended(reports)) => return Ok(reports),
        }
    }
}

fn watch_signals(tell: Sender<News>) -> Result<()> {
    on_signal(move || tell.send(News::Signal).is_ok())
}

/// Does this at every signal that asks the program to end, until it answers no.
pub(super) fn on_signal(does: impl Fn() -> bool + Send + 'static) -> Result<()> {
    let failed = |e| Error::new(Kind::Bug, "could not listen for signals").because(e);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for _ in signals.forever() {
                if !does() {
                    break;
                }
            }
        })
        .map(drop)
        .map_err(failed)
}
