//! The log: a file in the state directory, only when it was asked for, never with secrets.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::{Error, Kind, Result};

/// Starts the log if `filter` or the environment asks for it; says where it is.
pub(super) fn start(filter: Option<&str>, state: &Path) -> Result<Option<PathBuf>> {
    let from_env = std::env::var("MAILTUI_LOG").ok().filter(|v| !v.is_empty());
    let Some(filter) = filter.map(str::to_owned).or(from_env) else { return Ok(None) };
    let filter = filter.parse::<Targets>().map_err(|e| {
        Error::new(Kind::Config, format!("{filter:?} is not a filter for the log"))
            .because(e)
            .hint("write --log or --log=mailtui=debug")
    })?;
    let path = state.join("mailtui.log");
    let failed = |e| Error::new(Kind::Config, format!("could not write {}", path.display())).because(e);
    DirBuilder::new().recursive(true).mode(0o700).create(state).map_err(failed)?;
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(failed)?;
    // A second start in one process, as tests do, keeps the first log.
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
    Ok(Some(path))
}
