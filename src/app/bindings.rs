//! What `[[keys]]` of the configuration mean: the user's own keys, laid over those of the commands.

use super::command::{self, Args, COMMANDS, Call, Command};
use super::key::Key;
use super::keymap::{Bound, Keymap};
use super::scope::Focus;
use crate::config::{self, Config, KeySetting, Preset, Problem};
use crate::error::Result;

/// Keys that always mean the same, so that nobody is ever lost.
const FIXED: [&str; 8] = ["<Esc>", "<Enter>", "<Up>", "<Down>", "<Left>", "<Right>", "?", ":"];

/// What frees keys instead of running something.
const NOTHING: &str = "nothing";

/// Keys of the user's own, or of a preset.
#[derive(Debug, Clone)]
pub struct Own {
    /// The sequence.
    pub keys: Vec<Key>,
    /// What it runs, in order.
    pub calls: Vec<(&'static Command, Call)>,
    /// The same as written: `star, down`.
    pub written: String,
    /// Where it holds.
    pub places: Vec<Focus>,
    /// The preset that they are from; `None`: the user's own.
    pub preset: Option<&'static str>,
    /// Their line in the user's configuration, from 1.
    pub line: usize,
}

impl Own {
    /// The command, when it does nothing but run one as its default keys would.
    #[must_use]
    pub fn alone(&self) -> Option<&'static Command> {
        match &self.calls[..] {
            [(command, call)] if *call == Call::default() => Some(command),
            _ => None,
        }
    }

    /// Whose they are, for people.
    fn told(&self) -> String {
        match self.preset {
            Some(preset) => format!("the keys of {preset} for `{}`", self.written),
            None => format!("your keys for `{}` in line {}", self.written, self.line),
        }
    }

    /// What it does, for people.
    #[must_use]
    pub fn doc(&self) -> String {
        self.alone().map_or_else(|| self.written.clone(), |command| command.doc.to_owned())
    }
}

impl Keymap {
    /// The default keys with those of a preset laid over them, then the user's own, and every mistake in these.
    #[must_use]
    pub fn with(preset: Option<&Preset>, settings: &[KeySetting]) -> (Self, Vec<Problem>) {
        let (mut map, mut problems) = (Self::new(), Vec::new());
        let presets = preset.iter().flat_map(|preset| preset.keys.iter().map(|key| (Some(preset.name), key)));
        for (preset, setting) in presets.chain(settings.iter().map(|setting| (None, setting))) {
            let laid = read(setting).and_then(|own| map.lay_over(Own { preset, ..own }, setting));
            problems.extend(laid.err());
        }
        (map, problems)
    }

    /// The keys that a configuration asks for, and every mistake in them.
    pub fn of(config: &Config) -> Result<(Self, Vec<Problem>)> {
        let preset = Preset::named(&config.ui.keys)?;
        Ok(Self::with(preset.as_ref(), &config.keys))
    }

    fn lay_over(&mut self, own: Own, setting: &KeySetting) -> std::result::Result<(), Problem> {
        if own.calls.is_empty() {
            own.places.iter().for_each(|place| self.free(*place, &own.keys));
            return Ok(());
        }
        for place in &own.places {
            let Some(other) = self.in_the_way(*place, &own.keys) else { continue };
            // The same keys: the user's win, but not over others of theirs.
            let is_above = |bound| match bound {
                Bound::Command(_) => true,
                Bound::Own(at) => self.own()[at].preset != own.preset,
            };
            if self.at_exactly(*place, &own.keys).is_some_and(is_above) {
                continue;
            }
            let what = match other {
                Bound::Command(command) => format!("the keys of `{}`", command.name),
                Bound::Own(at) => self.own()[at].told(),
            };
            let text = format!("on: {:?} and {what} cannot both be in the {}", setting.on, title(*place));
            let hint = "one of them is the other, or its beginning: run = \"nothing\" frees keys for others";
            return Err(problem(setting.places[0], text, Some(hint.to_owned())));
        }
        self.lay(own);
        Ok(())
    }
}

fn problem((line, column): (usize, usize), text: String, hint: Option<String>) -> Problem {
    Problem { line, column, text, hint }
}

fn title(place: Focus) -> String {
    place.title().to_lowercase()
}

fn did_you_mean<'a>(word: &str, among: impl Iterator<Item = &'a str>) -> Option<String> {
    config::nearest(word, among).map(|near| format!("did you mean {near:?}?"))
}

fn read(setting: &KeySetting) -> std::result::Result<Own, Problem> {
    let [on, run, within] = setting.places;
    let keys = Key::sequence(&setting.on).map_err(|why| problem(on, format!("on: {why}"), None))?;
    let first = Key::print(&keys[..1]);
    if FIXED.contains(&first.as_str()) {
        return Err(problem(on, format!("on: {first:?} always means the same and cannot be bound"), None));
    }
    if keys[0].text().is_some_and(|c| c.is_ascii_digit()) {
        return Err(problem(on, format!("on: {:?} begins with a digit, as counts do", setting.on), None));
    }
    let mut calls = Vec::new();
    let does = setting.run.iter().filter(|line| setting.run.len() > 1 || line.trim() != NOTHING);
    for line in does {
        let name = line.split_whitespace().next().unwrap_or_default();
        // In full: the beginning of a name may be that of another command tomorrow.
        if command::by_name(name).is_none() {
            let hint = did_you_mean(name, COMMANDS.iter().map(|c| c.name));
            let hint = hint.or_else(|| Some("`mailtui keys` lists every command".to_owned()));
            return Err(problem(run, format!("run: there is no command {name:?}"), hint));
        }
        calls.push(command::parse(line).map_err(|why| problem(run, format!("run: {why}"), None))?);
    }
    let written = setting.run.join(", ");
    let works = |place: &Focus| calls.iter().all(|(command, _)| command.scope.covers(*place));
    let places = match &setting.scope {
        None => Focus::ALL.into_iter().filter(works).collect::<Vec<_>>(),
        Some(name) => {
            let Some(place) = Focus::ALL.into_iter().find(|f| title(*f) == *name) else {
                let names: Vec<String> = Focus::ALL.into_iter().map(title).collect();
                let hint = did_you_mean(name, names.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("there are: {}", names.join(", ")));
                return Err(problem(within, format!("in: there is no place {name:?}"), Some(hint)));
            };
            if let Some((command, _)) = calls.iter().find(|(command, _)| !command.scope.covers(place)) {
                let text = format!("run: `{}` does not work in the {name}", command.name);
                return Err(problem(run, text, None));
            }
            vec![place]
        }
    };
    if places.is_empty() {
        return Err(problem(
            run,
            format!("run: there is no place in which all of these work: {written}"),
            None,
        ));
    }
    Ok(Own { keys, calls, written, places, preset: None, line: on.0 })
}

/// A call with the count that was typed, where it has none of its own.
#[must_use]
pub(super) fn counted(command: &Command, call: &Call, count: Option<u32>) -> Call {
    let count = call.count.or(count.filter(|_| command.args == Args::Count));
    Call { count, ..call.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(on: &str, run: &[&str], scope: Option<&str>) -> KeySetting {
        KeySetting {
            on: on.to_owned(),
            run: run.iter().map(|r| (*r).to_owned()).collect(),
            scope: scope.map(str::to_owned),
            places: [(1, 1), (2, 1), (3, 1)],
        }
    }

    fn mistake(settings: &[KeySetting]) -> (usize, String) {
        let problems = Keymap::with(None, settings).1;
        assert_eq!(problems.len(), 1, "{problems:?}");
        (problems[0].line, format!("{} {}", problems[0].text, problems[0].hint.clone().unwrap_or_default()))
    }

    #[test]
    fn own_keys_are_laid_over_the_others() {
        let (map, problems) = Keymap::with(
            None,
            &[
                setting("gw", &["go-inbox"], None),
                setting("Y", &["star", "down 2"], Some("list")),
                setting("a", &["delete"], Some("reader")),
            ],
        );
        assert_eq!(problems, []);
        let inbox = command::by_name("go-inbox").unwrap();
        assert_eq!(map.labels(inbox), "gi gw");
        // In the list `a` still archives.
        assert!(map.labels(command::by_name("archive").unwrap()).starts_with("a "));
        let hints = map.hints(Focus::List, &Key::sequence("g").unwrap());
        assert!(hints.iter().any(|h| h.key == Key::char('w') && h.doc.as_deref() == Some(inbox.doc)));
        assert_eq!(map.own()[1].doc(), "star, down 2");
        assert_eq!(map.own()[1].places, [Focus::List]);
    }

    #[test]
    fn presets_are_without_mistakes_and_the_users_keys_win_over_them() {
        for name in Preset::names() {
            let preset = Preset::named(name).unwrap().unwrap();
            assert_eq!(Keymap::with(Some(&preset), &[]).1, [], "{name}");
            assert!(preset.differs.iter().all(|line| line.chars().count() <= 76 && !line.ends_with('.')));
        }
        let mutt = Preset::named("mutt").unwrap();
        let keys_of = |map: &Keymap, name| map.labels(command::by_name(name).unwrap());
        let (map, problems) = Keymap::with(mutt.as_ref(), &[setting("s", &["star"], Some("list"))]);
        assert_eq!(problems, []);
        assert_eq!(keys_of(&map, "delete-matching"), "D");
        assert_eq!(keys_of(&map, "delete-sender"), "", "D begins nothing any more");
        // In the reader the preset's still holds.
        assert_eq!(keys_of(&map, "move"), "s m");
        assert_eq!(
            map.hints(Focus::List, &[]).iter().find(|h| h.key == Key::char('s')).unwrap().doc.as_deref(),
            Some("Star or unstar")
        );
        let clash = Keymap::with(mutt.as_ref(), &[setting("sx", &["star"], None)]).1;
        assert!(clash[0].text.contains("the keys of mutt for `move`"), "{clash:?}");
    }

    #[test]
    fn keys_are_freed_for_longer_ones() {
        let (map, problems) = Keymap::with(
            None,
            &[
                setting("r", &["nothing"], None),
                setting("d", &["nothing"], None),
                setting("dd", &["delete"], None),
                setting("z", &["nothing"], Some("list")),
            ],
        );
        assert_eq!(problems, []);
        assert_eq!(map.labels(command::by_name("delete").unwrap()), "dd");
        assert!(map.hints(Focus::List, &Key::sequence("z").unwrap()).is_empty());
        assert!(!map.hints(Focus::Reader, &Key::sequence("z").unwrap()).is_empty());
    }

    #[test]
    fn mistakes_are_told_where_they_stand_and_what_was_meant() {
        for (setting, line, words) in [
            (setting("<Ctrl>", &["down"], None), 1, "there is no key"),
            (setting("?", &["down"], None), 1, "always means the same"),
            (setting("2x", &["down"], None), 1, "as counts do"),
            (setting("Y", &["archve"], None), 2, "did you mean \"archive\"?"),
            (setting("Y", &["quit now"], None), 2, "takes nothing after it"),
            (setting("Y", &["fold"], Some("reader")), 2, "`fold` does not work in the reader"),
            (setting("Y", &["fold", "save"], None), 2, "no place in which all of these work"),
            (setting("Y", &["down"], Some("lst")), 3, "did you mean \"list\"?"),
            (setting("g", &["down"], None), 1, "cannot both be in the"),
            (setting("dd", &["delete"], None), 1, "the keys of `delete` cannot both be in the list"),
        ] {
            let (at, said) = mistake(std::slice::from_ref(&setting));
            assert!(said.contains(words), "{setting:?}: {said}");
            assert_eq!(at, line, "{said}");
        }
        let twice = [setting("Y", &["down"], None), setting("Y", &["up"], Some("list"))];
        assert!(mistake(&twice).1.contains("your keys for `down` in line 1"));
    }
}
