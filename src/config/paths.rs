//! Where files lie: the XDG places, or all in the ones that were named.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::error::{Error, Kind, Result};

/// The files and directories of one mailtui. Two with different ones never touch each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file; need not be there.
    pub config: PathBuf,
    /// The directory of the store and its locks.
    pub data: PathBuf,
    /// The directory of the log.
    pub state: PathBuf,
}

impl Paths {
    /// `config` and `data` as named on the command line, else by `MAILTUI_CONFIG` and `MAILTUI_DATA`,
    /// else the XDG places. Where the data directory is named, the log lies in it too.
    pub fn find(config: Option<&Path>, data: Option<&Path>) -> Result<Self> {
        let named = |given: Option<&Path>, variable: &str| {
            let from_env = || std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
            given.map(Path::to_path_buf).or_else(from_env)
        };
        let (config, data) = (named(config, "MAILTUI_CONFIG"), named(data, "MAILTUI_DATA"));
        if let (Some(config), Some(data)) = (&config, &data) {
            return Ok(Self { config: config.clone(), data: data.clone(), state: data.join("state") });
        }
        let xdg = etcetera::base_strategy::Xdg::new().map_err(|e| {
            Error::new(Kind::Config, "could not find the home directory")
                .because(e)
                .hint("set HOME, or name both --config FILE and --data DIR")
        })?;
        let state = match &data {
            Some(data) => data.join("state"),
            None => xdg.state_dir().unwrap_or_else(|| xdg.data_dir()).join("mailtui"),
        };
        Ok(Self {
            config: config.unwrap_or_else(|| xdg.config_dir().join("mailtui/config.toml")),
            data: data.unwrap_or_else(|| xdg.data_dir().join("mailtui")),
            state,
        })
    }

    /// The directory of the user's own themes, beside the configuration file.
    #[must_use]
    pub fn themes(&self) -> PathBuf {
        self.config.with_file_name("themes")
    }
}

/// `~` and `~/x` as the home directory; another relative path as seen from `base`.
pub(super) fn expand(text: &str, base: &Path) -> PathBuf {
    let home =
        (text == "~" || text.starts_with("~/")).then(etcetera::home_dir).and_then(std::result::Result::ok);
    match home {
        Some(home) => home.join(text.trim_start_matches('~').trim_start_matches('/')),
        None => base.join(text),
    }
}

/// Where saved attachments go when nothing is said: the user's download directory as the desktop
/// knows it, else `~/Downloads`, else here.
pub(super) fn downloads() -> PathBuf {
    let Ok(home) = etcetera::home_dir() else { return PathBuf::from(".") };
    let told = std::env::var_os("XDG_DOWNLOAD_DIR").map(PathBuf::from).filter(|p| p.is_absolute());
    told.unwrap_or_else(|| home.join("Downloads"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naming_both_isolates_everything() {
        let paths = Paths::find(Some(Path::new("c/my.toml")), Some(Path::new("d"))).unwrap();
        assert_eq!(paths.config, Path::new("c/my.toml"));
        assert_eq!(paths.themes(), Path::new("c/themes"));
        assert_eq!(paths.data, Path::new("d"));
        assert_eq!(paths.state, Path::new("d/state"));
    }

    #[test]
    fn relative_paths_are_seen_from_the_configuration() {
        assert_eq!(expand("own.pem", Path::new("/etc/mailtui")), Path::new("/etc/mailtui/own.pem"));
        assert_eq!(expand("/own.pem", Path::new("/etc/mailtui")), Path::new("/own.pem"));
        if let Ok(home) = etcetera::home_dir() {
            assert_eq!(expand("~/own.pem", Path::new("/etc")), home.join("own.pem"));
        }
    }
}
