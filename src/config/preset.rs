//! Sets of keys for hands that know another program, in the binary.

use serde::Deserialize;

use super::KeySetting;
use super::load::{RawKey, key};
use crate::error::{Error, Kind, Result};

/// Their names, and what they hold.
const PRESETS: [(&str, &str); 3] = [
    ("mutt", include_str!("../../presets/mutt.toml")),
    ("aerc", include_str!("../../presets/aerc.toml")),
    ("gmail", include_str!("../../presets/gmail.toml")),
];
/// The name for none of them.
const PLAIN: &str = "mailtui";

/// A set of keys that is laid over the default ones, and under the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Its name: that of the program.
    pub name: &'static str,
    /// What that program does another way still, a sentence each.
    pub differs: Vec<String>,
    /// Its keys.
    pub keys: Vec<KeySetting>,
}

#[derive(Deserialize)]
struct RawPreset {
    differs: Vec<String>,
    keys: Vec<RawKey>,
}

impl Preset {
    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// The set with this name; `None` for `mailtui`, which is none.
    ///
    /// An error is of [`Kind::Config`].
    pub fn named(name: &str) -> Result<Option<Self>> {
        if name == PLAIN {
            return Ok(None);
        }
        let Some((name, text)) = PRESETS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = std::iter::once(PLAIN).chain(Self::names()).collect();
            return Err(Error::new(Kind::Config, format!("there are no keys of {name:?}"))
                .hint(format!("there are: {}", known.join(", "))));
        };
        let raw: RawPreset = ::config::Config::builder()
            .add_source(::config::File::from_str(text, ::config::FileFormat::Toml))
            .build()
            .and_then(::config::Config::try_deserialize)
            .map_err(|e| Error::new(Kind::Bug, format!("the keys of {name} cannot be read")).because(e))?;
        let keys = raw.keys.into_iter().map(|raw| key(raw, [(0, 0); 3])).collect();
        Ok(Some(Self { name, differs: raw.differs, keys }))
    }
}
